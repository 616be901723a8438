/**
 * What a portable service image is, and what of it is attached: its os-release(5) and the units whose names match (portablectl(1)).
 * Whoever made the image may be hostile: everything is read by RootedTree, and bounded.
 */
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseUnitName } from '../../core/name.ts';
import { RootedTree, RootedTreeError } from '../../files/rooted-tree.ts';
import { architectureOf, judgeExtension, parseEnvironmentFile } from '../../launch/launch.ts';
import { CommandFailure, problemOf, readOrFail } from '../failure.ts';
import { isThere } from '../host.ts';
import { answerQuestion } from '../launch-answers.ts';
import { compareTexts } from '../leases.ts';
import {
  EXTENSIONS_MAX,
  IMAGE_BYTES_MAX,
  IMAGE_NAMES_MAX,
  IMAGE_UNITS_MAX,
  OS_RELEASE_BYTES_MAX,
  UNIT_FILE_BYTES_MAX,
} from '../limits.ts';
import { printable } from '../render/text.ts';
import { MountedImage } from './mounted-image.ts';

/** Where images are found by their name, as portablectl(1) finds them. */
export const IMAGE_DIRECTORIES = [
  '/etc/portables',
  '/run/portables',
  '/var/lib/portables',
  '/usr/local/lib/portables',
  '/usr/lib/portables',
] as const;

/** Where a system has units; what comes first hides what has the same name later. */
const UNIT_DIRECTORIES = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
];
const EXTENSION_RELEASES = ['usr/lib/extension-release.d', 'etc/extension-release.d'];
const OS_RELEASE = ['etc/os-release', 'usr/lib/os-release'] as const;
const UNIT = /\.(?:service|socket|target|timer|path)$/;
const MASK = '/dev/null';
/** Where Linux says what it runs on, since 6.1. */
const ARCHITECTURE_FILE = '/proc/sys/kernel/arch';
/** The scope of an extension that is for portable services (os-release(5)). */
const PORTABLE = 'portable';
/** What the name of a disk image ends with; portablectl(1) leaves it out. */
export const DISK_SUFFIX = '.raw';
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** Linux's for one file. */
const NAME_BYTES_MAX = 255;

export interface Image {
  /** the last part of its path */
  readonly name: string;
  /** without symlinks */
  readonly path: string;
  /** a disk image, and not the directory of a system */
  readonly isDisk: boolean;
}

export interface ImageUnit {
  readonly name: string;
  readonly bytes: Buffer;
  /** the image that it is in: the system itself, or an extension of it */
  readonly origin: Image;
}

/** An image whose /usr and /opt, or /etc, are laid over those of another one. */
export interface Extension {
  readonly image: Image;
  /** its extension-release, as it is (os-release(5)) */
  readonly release: Buffer;
  readonly variables: ReadonlyMap<string, string>;
}

export interface ImageContents {
  readonly image: Image;
  /** os-release(5), as it is */
  readonly release: Buffer;
  readonly variables: ReadonlyMap<string, string>;
  /** the last one is above the others */
  readonly extensions: readonly Extension[];
  /** what the names of its units begin with */
  readonly prefixes: readonly string[];
  /** by name */
  readonly units: readonly ImageUnit[];
  /** units that an image masks, and none has */
  readonly masked: readonly string[];
}

/** @param operand a path, or the name of an image in IMAGE_DIRECTORIES. @throws CommandFailure */
export function findImage(operand: string): Image {
  const path = operand.includes('/') ? operand : pathOfName(operand);
  const real = readOrFail(path, () => realpathSync(path));
  const name = imageName(basename(path.replace(/\/+$/, '')));
  const shown = printable(real);
  if (real === '/') {
    throw new CommandFailure(`${printable(path)}: it leads to the root of this host; name the directory of an image`);
  }
  // Its path is written into unit files, which are lines.
  if (real !== shown) {
    throw new CommandFailure(`${shown}: a path with such characters cannot be in a unit file; rename it`);
  }
  return { name, path: real, isDisk: lstatSync(real).isFile() };
}

/** @returns the name of an image by that of its file. @throws CommandFailure */
function imageName(file: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+~@-]*$/.test(file)) {
    const words = 'it must begin with a letter, a digit or "_", and have only those and . + ~ @ -; rename it';
    throw new CommandFailure(`"${printable(file)}" cannot be the name of an image: ${words}`);
  }
  return file;
}

/** @returns the name of an image as portablectl(1) shows it */
export function withoutSuffix(name: string): string {
  return name.endsWith(DISK_SUFFIX) ? name.slice(0, -DISK_SUFFIX.length) : name;
}

function pathOfName(name: string): string {
  imageName(name);
  const paths = IMAGE_DIRECTORIES.flatMap(directory => [`${directory}/${name}`, `${directory}/${name}${DISK_SUFFIX}`]);
  const found = paths.find(isThere);
  if (found === undefined) {
    const where = `it is in none of ${IMAGE_DIRECTORIES.join(', ')}`;
    throw new CommandFailure(
      `there is no image ${printable(name)}: ${where}; give its path, such as ./${printable(name)}`,
    );
  }
  return found;
}

/** @throws CommandFailure if an operand of --extension= is not an image that can be named in a unit file */
export function findExtensions(operands: readonly string[], system: Image): Image[] {
  if (operands.length > EXTENSIONS_MAX) {
    throw new CommandFailure(`--extension=: more than ${EXTENSIONS_MAX} extensions; merge some of them`);
  }
  const found = operands.map(findImage);
  for (const [index, { name, path }] of found.entries()) {
    // Lists of images have these for themselves (systemd.exec(5), ExtensionImages=).
    if (/[\s"'%:\\]/.test(path)) {
      const words = 'a path with spaces, quotes, "%", ":" or "\\" cannot be that of an extension; rename it';
      throw new CommandFailure(`${printable(path)}: ${words}`);
    }
    if (path === system.path || found.findIndex(other => other.name === name) !== index) {
      throw new CommandFailure(`${path}: it is named twice; name each image once`);
    }
  }
  // The names of all together are that of a directory.
  if ([system, ...found].reduce((length, { name }) => length + name.length + 1, 0) > NAME_BYTES_MAX) {
    throw new CommandFailure(
      `--extension=: the names of the images have more than ${NAME_BYTES_MAX} bytes together; rename some`,
    );
  }
  return found;
}

/**
 * @param extensions what is laid over it
 * @param given what names of units must begin with; the name of the image unless given
 * @param takesRenamed whether the release file of an extension in a disk image may have another name than that
 * @throws CommandFailure if one is not an image, has what no image may have, or is not an extension for this one
 */
export async function readImage(
  image: Image,
  extensions: readonly Image[],
  given: readonly string[] | undefined,
  takesRenamed: boolean,
): Promise<ImageContents> {
  const prefixes = given ?? [withoutSuffix(image.name).replace(/_.*$/s, '')];
  const system = await readTree(image, (tree, fail) => ({
    ...readSystem(tree, fail),
    found: readUnits(tree, prefixes, fail),
  }));
  const layers: (Extension & { readonly found: FoundUnits })[] = [];
  for (const extension of extensions) {
    const layer = await readTree(extension, (tree, fail) => ({
      image: extension,
      ...readExtension(tree, extension, system.variables, takesRenamed, fail),
      found: readUnits(tree, prefixes, fail),
    }));
    layers.push(layer);
  }
  const fail = failFor(image);
  checkPrefixes(prefixes, [system, ...layers], fail);
  const { units, masked } = mergeUnits([{ image, found: system.found }, ...layers]);
  if (units.length === 0) {
    const others = extensions.length === 0 ? '' : ', and neither has an extension';
    fail(`it has no unit whose name begins with ${printable(prefixes.join(' or '))}${others}; name other prefixes`);
  }
  if (units.length > IMAGE_UNITS_MAX) {
    fail(`with its extensions it has more than ${IMAGE_UNITS_MAX} units that match; name a longer prefix`);
  }
  const { release, variables } = system;
  return { image, release, variables, extensions: layers, prefixes, units, masked };
}

type Fail = (words: string) => never;

function failFor({ path }: Image): Fail {
  return words => {
    throw new CommandFailure(`${path}: ${words}`);
  };
}

async function readTree<Result>(image: Image, read: (tree: RootedTree, fail: Fail) => Result): Promise<Result> {
  const fail = failFor(image);
  try {
    checkOwners(image.path);
    if (image.isDisk) {
      using mounted = await MountedImage.open(image.path);
      return read(mounted.tree, fail);
    }
    using tree = RootedTree.open(image.path);
    return read(tree, fail);
  } catch (error) {
    if (error instanceof RootedTreeError || (error instanceof Error && 'code' in error)) {
      throw new CommandFailure(`${image.path}: ${problemOf(error)}; nothing was changed`, { cause: error });
    }
    throw error;
  }
}

/** Whoever can replace the image can replace what runs later. */
function checkOwners(path: string): void {
  for (let at = path; ; at = dirname(at)) {
    const status = lstatSync(at);
    if (!mayTrust(status, at === path)) {
      const words = `others than root can change or replace it (owner ${status.uid}, mode ${(status.mode & 0o7777).toString(8)})`;
      throw new CommandFailure(`${at}: ${words}; chown it to root, and take write permission from group and others`);
    }
    if (at === '/') {
      return;
    }
  }
}

/** In a sticky directory, as /tmp is, only root can replace what is root's. */
function mayTrust({ uid, mode }: Stats, isTop: boolean): boolean {
  return uid === 0 && ((mode & WRITABLE_BY_OTHERS) === 0 || (!isTop && (mode & STICKY) !== 0));
}

function readSystem(tree: RootedTree, fail: Fail): Pick<ImageContents, 'release' | 'variables'> {
  const [first, second] = OS_RELEASE;
  const release =
    tree.readFile(first, OS_RELEASE_BYTES_MAX) ??
    tree.readFile(second, OS_RELEASE_BYTES_MAX) ??
    fail('it has no os-release file, so it is not an image of a system');
  const variables = readVariables(release);
  if ((variables.get('ID') ?? '') === '') {
    fail('its os-release file has no ID=, so it is not an image of a system');
  }
  return { release, variables };
}

/** An extension that was not made for a service could harm it. The launcher checks the same again (os-release(5)). */
function readExtension(
  tree: RootedTree,
  { path, isDisk }: Image,
  system: ReadonlyMap<string, string>,
  takesRenamed: boolean,
  fail: Fail,
): Pick<Extension, 'release' | 'variables'> {
  const files = { file: (name: string) => tree.readFile(name, OS_RELEASE_BYTES_MAX)?.toString('utf8') };
  const renamed = takesRenamed && isDisk ? onlyRelease(tree) : undefined;
  const { release = '', problem } = judgeExtension(renamed ?? path, files, system, architecture());
  if (problem !== undefined) {
    fail(`it cannot be laid over the image: ${problem}`);
  }
  const variables = readVariables(Buffer.from(release));
  for (const name of ['SYSEXT_SCOPE', 'CONFEXT_SCOPE']) {
    const scopes = wordsOf(variables.get(name));
    if (scopes.length > 0 && !scopes.includes(PORTABLE)) {
      fail(`it is not for portable services: ${name}= of its extension-release is ${printable(scopes.join(' '))}`);
    }
  }
  return { release: Buffer.from(release), variables };
}

/** @returns the name that an extension gives itself, if there is only one: with two it is not clear which counts */
function onlyRelease(tree: RootedTree): string | undefined {
  const names = EXTENSION_RELEASES.flatMap(directory => tree.names(directory, IMAGE_NAMES_MAX) ?? []).flatMap(
    ({ name }) => /^extension-release\.(.+)$/s.exec(name)?.[1] ?? [],
  );
  const [name, ...others] = new Set(names);
  return others.length === 0 ? name : undefined;
}

function architecture(): string {
  const { text = '' } = answerQuestion({ kind: 'file', path: ARCHITECTURE_FILE });
  return architectureOf(text.trim());
}

function readVariables(release: Buffer): ReadonlyMap<string, string> {
  return new Map(parseEnvironmentFile(release.toString('utf8')).map(({ name, value }) => [name, value]));
}

function wordsOf(text = ''): string[] {
  return text.split(/\s+/).filter(word => word !== '');
}

/** Each image may say which prefixes are allowed; what one allows is allowed. */
function checkPrefixes(
  prefixes: readonly string[],
  images: readonly Pick<ImageContents, 'variables'>[],
  fail: Fail,
): void {
  const allowed = images.flatMap(({ variables }) => wordsOf(variables.get('PORTABLE_PREFIXES')));
  const others = prefixes.filter(prefix => allowed.length > 0 && !allowed.includes(prefix));
  if (others.length > 0) {
    const where = images.length === 1 ? 'its os-release file' : 'its os-release file and its extensions';
    const words = `PORTABLE_PREFIXES= of ${where} has ${printable(allowed.join(' '))}, and not ${printable(others.join(' '))}`;
    fail(`${words}; name prefixes that it has`);
  }
}

/** By name. */
type FoundUnits = ReadonlyMap<string, Buffer | 'masked'>;

function readUnits(tree: RootedTree, prefixes: readonly string[], fail: Fail): FoundUnits {
  const found = new Map<string, Buffer | 'masked'>();
  let total = 0;
  for (const directory of UNIT_DIRECTORIES) {
    for (const { name, link } of tree.names(directory, IMAGE_NAMES_MAX) ?? []) {
      if (found.has(name) || !matches(name, prefixes)) {
        continue;
      }
      if (found.size === IMAGE_UNITS_MAX) {
        fail(`it has more than ${IMAGE_UNITS_MAX} units that match; name a longer prefix`);
      }
      const bytes = link === MASK ? undefined : tree.readFile(`${directory}/${name}`, UNIT_FILE_BYTES_MAX);
      total += bytes?.length ?? 0;
      if (total > IMAGE_BYTES_MAX) {
        fail(`its units have more than ${IMAGE_BYTES_MAX} bytes together; name a longer prefix`);
      }
      if (bytes === undefined && link !== MASK) {
        fail(`${directory}/${printable(name)}: it leads to no file of the image`);
      }
      found.set(name, bytes === undefined || bytes.length === 0 ? 'masked' : bytes);
    }
  }
  return found;
}

/** As portablectl(1) has it, a unit of an image comes before one of the same name in what is laid over it. */
function mergeUnits(images: readonly { readonly image: Image; readonly found: FoundUnits }[]) {
  const units = new Map<string, ImageUnit>();
  for (const { image, found } of images) {
    for (const [name, bytes] of found) {
      if (bytes !== 'masked' && !units.has(name)) {
        units.set(name, { name, bytes, origin: image });
      }
    }
  }
  const masked = images.flatMap(({ found }) => [...found.keys()].filter(name => !units.has(name)));
  return {
    units: [...units.values()].sort((one, other) => compareTexts(one.name, other.name)),
    masked: [...new Set(masked)].sort(),
  };
}

/** As portablectl(1) has it: a prefix alone is not a name, and "foo" is not a prefix of "foobar.service". */
function matches(name: string, prefixes: readonly string[]): boolean {
  const fits = prefixes.some(prefix => name.startsWith(prefix) && /[-.@]/.test(name.charAt(prefix.length)));
  return fits && UNIT.test(name) && 'unit' in parseUnitName(name);
}
