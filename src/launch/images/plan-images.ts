/** From the properties of images, and what is in them, to what the launcher mounts before all else. Pure. */
import type { Image, ImagePart, MountFlag, Overlay } from '../../api/generated/io-dynuser-allocator.ts';
import { IMAGES_DIRECTORY, RUNTIME_DIRECTORY } from '../../core/paths.ts';
import { defined, unlessEmpty } from '../defined.ts';
import { checkLimit, type Fail, failFor, quote } from '../errors.ts';
import { IMAGES_MAX } from '../limits.ts';
import { isRootReadOnly } from '../namespace/layout.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';
import type { Questions } from '../plan/questions.ts';
import type { LaunchRequest } from '../plan/request.ts';
import type { PartOptions } from '../properties/images.ts';
import type { ExecSettings } from '../properties/table.ts';
import { isMountOption, mountFlags } from '../syntax/mount-options.ts';
import { architectureOf } from '../syntax/specifiers.ts';
import { HIERARCHIES, judgeExtension, releaseOf } from './extension.ts';
import { chooseParts, DIRECTORIES, FILE_SYSTEMS, type Part, READ_ONLY_SYSTEMS, readFound } from './partitions.ts';
import type { PlannedImages } from './planned.ts';
import { type ImagePolicy, judgePart, missingPart, SERVICE_POLICY } from './policy.ts';
import { hasMusl, hostTree, imageTree, type Tree } from './trees.ts';

const STAGE = `${RUNTIME_DIRECTORY}/${IMAGES_DIRECTORY}`;
/** The architecture of the kernel, since Linux 6.1. */
const ARCHITECTURE_FILE = '/proc/sys/kernel/arch';
/** The option with which a file system that was not unmounted can be mounted from a read-only device. */
const WITHOUT_RECOVERY: Readonly<Record<string, string>> = {
  ext4: 'norecovery',
  xfs: 'norecovery',
  btrfs: 'rescue=nologreplay',
};

interface Wanted {
  readonly source: string;
  readonly field: string;
  readonly optional: boolean;
  readonly writable: boolean;
  readonly policy: ImagePolicy;
  readonly options: readonly PartOptions[];
}

/**
 * @param fields of each property that was given, the field of an error about it
 * @returns what is mounted, and the tree of RootImage= to look into, unless it is not known
 * @throws DynuserError LaunchFailed if an image is missing, or cannot be used; LimitReached
 */
export function planImages(
  settings: ExecSettings,
  fields: ReadonlyMap<string, string>,
  questions: Questions,
  { isJudged = false, isExplained = false }: Pick<LaunchRequest, 'isJudged' | 'isExplained'>,
): { readonly planned: PlannedImages; readonly tree?: Tree } {
  const { RootImage, MountImages, ExtensionImages, ExtensionDirectories } = settings;
  // The image may be on another host, and nothing can be said about it without looking into it.
  if (isJudged) {
    const root = RootImage === undefined ? {} : { root: `${STAGE}/0`, rootHasMusl: false };
    return { planned: { ...NO_IMAGES, ...root } };
  }
  checkLimit(
    MountImages.length + ExtensionImages.length + ExtensionDirectories.length + 1,
    IMAGES_MAX,
    'images',
    fields.get('MountImages') ?? fields.get('ExtensionImages') ?? 'ExtensionDirectories',
  );
  const builder = new ImageBuilder(settings, fields, questions, isExplained);
  builder.addRoot();
  builder.addMounts();
  builder.addExtensions();
  builder.addEphemeral();
  return defined({ planned: builder.planned(), tree: builder.root });
}

const NO_IMAGES: PlannedImages = { images: [], overlays: [], mounts: [], words: [] };

class ImageBuilder {
  readonly #settings: ExecSettings;
  readonly #fields: ReadonlyMap<string, string>;
  readonly #questions: Questions;
  readonly #onlyLooks: boolean;
  readonly #images: Image[] = [];
  readonly #overlays: Overlay[] = [];
  readonly #mounts: MountEntry[] = [];
  readonly #words: string[] = [];
  /** RootImage=, if it is known what is in it */
  root: Tree | undefined;

  constructor(settings: ExecSettings, fields: ReadonlyMap<string, string>, questions: Questions, onlyLooks: boolean) {
    this.#settings = settings;
    this.#fields = fields;
    this.#questions = questions;
    this.#onlyLooks = onlyLooks;
  }

  addRoot(): void {
    const { RootImage: source, RootImageOptions: options, RootImagePolicy: policy = SERVICE_POLICY } = this.#settings;
    if (source === undefined) {
      return;
    }
    const writable = !isRootReadOnly(this.#settings);
    this.root = this.#add({ source, field: 'RootImage', optional: false, writable, policy, options })?.tree;
  }

  addMounts(): void {
    const { MountImages, MountImagePolicy: policy = SERVICE_POLICY } = this.#settings;
    for (const { source, destination, optional, options } of MountImages) {
      const added = this.#add({ source, field: 'MountImages', optional, writable: true, policy, options });
      if (added !== undefined) {
        const entry = { kind: 'bind', path: destination, source: added.tree.place, create: 'directory' } as const;
        this.#mounts.push({ ...entry, field: this.#fieldOf('MountImages') });
        this.#words.push(`shown at ${destination}: ${source}`);
      }
    }
  }

  /** As with systemd, those that come later in a list are above those before, and directories above images. */
  addExtensions(): void {
    const { ExtensionImages, ExtensionDirectories, ExtensionImagePolicy: policy = SERVICE_POLICY } = this.#settings;
    if (ExtensionImages.length + ExtensionDirectories.length === 0) {
      return;
    }
    const system = this.#rootTree();
    const release = releaseOf(system);
    const layers = new Map<string, string[]>();
    const add = (source: string, field: string, tree: Tree): void => {
      const { classes, problem } = judgeExtension(source, tree, release, this.#architecture());
      if (problem !== undefined) {
        failFor(this.#fieldOf(field))(`${quote(source)} cannot be used: ${problem}`);
      }
      for (const hierarchy of classes.flatMap(kind => HIERARCHIES[kind])) {
        if (tree.hasDirectory(hierarchy)) {
          layers.set(hierarchy, [`${tree.place}${hierarchy}`, ...(layers.get(hierarchy) ?? [])]);
        }
      }
      this.#words.push(`laid over the root: ${source}`);
    };
    for (const { source, optional, options } of ExtensionImages) {
      const added = this.#add({ source, field: 'ExtensionImages', optional, writable: false, policy, options });
      if (added !== undefined) {
        add(source, 'ExtensionImages', added.tree);
      }
    }
    for (const { source, optional } of ExtensionDirectories) {
      const tree = hostTree(source, this.#questions);
      if (tree.hasDirectory('/')) {
        add(source, 'ExtensionDirectories', tree);
      } else if (!optional) {
        failFor(this.#fieldOf('ExtensionDirectories'))(
          `${quote(source)} is not a directory; make one, or put "-" before it`,
        );
      }
    }
    for (const [hierarchy, above] of layers) {
      if (system.hasDirectory(hierarchy)) {
        const path = `${system.place}${hierarchy}`;
        const set: MountFlag[] = [
          'readOnly',
          'noDevices',
          ...(hierarchy === '/etc' ? (['noSuid', 'noExec'] as const) : []),
        ];
        this.#overlays.push({ path, layers: [...above, path], set });
      }
    }
  }

  addEphemeral(): void {
    const { RootEphemeral, RootDirectory } = this.#settings;
    const place = this.root?.place ?? RootDirectory;
    if (!RootEphemeral || place === undefined) {
      return;
    }
    // Below what was laid over it.
    this.#overlays.unshift({ path: place, layers: [place], writable: true });
    this.#words.push('what is written to the root is kept in memory, and lost in the end');
  }

  planned(): PlannedImages {
    const [images, overlays, mounts, words] = [this.#images, this.#overlays, this.#mounts, this.#words];
    const { RootImage, DynamicUser } = this.#settings;
    const root = this.root;
    if (RootImage === undefined) {
      return { images, overlays, mounts, words };
    }
    const rootHasMusl = root !== undefined && DynamicUser && hasMusl(root);
    return { images, overlays, mounts, words, root: root?.place ?? `${STAGE}/0`, rootImage: RootImage, rootHasMusl };
  }

  #rootTree(): Tree {
    return this.root ?? hostTree(this.#settings.RootDirectory ?? '', this.#questions);
  }

  #fieldOf(property: string): string {
    return this.#fields.get(property) ?? property;
  }

  #architecture(): string {
    return architectureOf((this.#questions.file(ARCHITECTURE_FILE) ?? '').trim());
  }

  /** @returns undefined if it is missing and may be, or is not known yet */
  #add(wanted: Wanted): { readonly image: Image; readonly tree: Tree } | undefined {
    const { source, field, optional } = wanted;
    const fail = failFor(this.#fieldOf(field));
    const refuse = (reason: string) => fail(`cannot use the image ${quote(source)}: ${reason}`);
    const opens = wanted.writable && !this.#onlyLooks;
    const lines = this.#questions.image(source, opens);
    if (lines === undefined) {
      return optional || !this.#questions.knows('image', source)
        ? undefined
        : fail(
            `the image ${quote(source)} does not exist; ${field === 'MountImages' ? 'put "-" before it if it may be missing' : 'name one that does'}`,
          );
    }
    const found = readFound(lines);
    const parts = chooseParts(found, found.length > 1 ? this.#architecture() : '');
    if (typeof parts === 'string') {
      return refuse(parts);
    }
    const used = parts.filter(({ designator }) => {
      const verdict = judgePart(wanted.policy, designator);
      return ['use', 'leave'].includes(verdict) ? verdict === 'use' : refuse(verdict);
    });
    const designators = used.map(({ designator }) => designator);
    const missing = missingPart(wanted.policy, designators);
    if (missing !== undefined || designators[0] !== 'root') {
      return refuse(`the image policy leaves no ${missing ?? 'root'} of it`);
    }
    const planned = used.map(part => this.#partOf(part, wanted, opens, refuse));
    const image: Image = { path: source, ...(opens ? { writable: true } : {}), parts: planned };
    const tree = imageTree(`${STAGE}/${this.#images.length}`, image, this.#questions);
    this.#images.push(image);
    this.#words.push(...used.map((part, index) => partWords(source, part, planned[index])));
    return { image, tree };
  }

  #partOf(part: Part, wanted: Wanted, opens: boolean, refuse: Fail): ImagePart {
    const { designator, found, readOnly } = part;
    const { offset, size, fileSystem } = found;
    if (fileSystem === undefined || !FILE_SYSTEMS.has(fileSystem)) {
      const what = fileSystem === undefined ? 'nothing that is known' : quote(fileSystem);
      return refuse(`its ${designator} is ${what}; use ${[...FILE_SYSTEMS].join(', ')}`);
    }
    const options = wanted.options.filter(one => one.designator === designator).flatMap(one => one.options);
    const flags = mountFlags(options);
    const isReadOnly = readOnly || READ_ONLY_SYSTEMS.has(fileSystem) || !wanted.writable || flags.has('readOnly');
    const recovery = opens && !isReadOnly ? undefined : WITHOUT_RECOVERY[fileSystem];
    // No part has devices, and clear says the rest of what is left out here.
    const set = [...flags].filter(flag => !['readOnly', 'noSuid', 'noDevices'].includes(flag));
    const clear: MountFlag[] = [
      ...(isReadOnly ? [] : (['readOnly'] as const)),
      // A dynamic user gains nothing by the programs of an image; others of a unit file do, as with systemd.
      ...(this.#settings.DynamicUser || flags.has('noSuid') ? [] : (['noSuid'] as const)),
    ];
    return {
      ...{ offset, size, type: fileSystem, directory: DIRECTORIES[designator] },
      options: [
        ...(recovery === undefined ? [] : [recovery]),
        ...options.filter(option => option !== 'defaults' && !isMountOption(option)),
      ],
      ...defined({ set: unlessEmpty(set), clear: unlessEmpty(clear) }),
    };
  }
}

function partWords(source: string, { designator, found }: Part, part: ImagePart | undefined): string {
  const where = found.number === 0 ? source : `partition ${found.number} of ${source}`;
  const flags = part?.clear?.includes('readOnly') === true ? 'writable' : 'read-only';
  return `${where}: ${found.fileSystem}, the ${designator}, ${flags}`;
}
