/**
 * What a portable service image is, and what of it is attached: its os-release(5) and the units whose names match (portablectl(1)).
 * Whoever made the image may be hostile: everything is read by RootedTree, and bounded.
 */
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseUnitName } from '../../core/name.ts';
import { RootedTree, RootedTreeError } from '../../files/rooted-tree.ts';
import { parseEnvironmentFile } from '../../launch/launch.ts';
import { CommandFailure, fileFailure, problemOf } from '../failure.ts';
import {
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
const OS_RELEASE = ['etc/os-release', 'usr/lib/os-release'];
const UNIT = /\.(?:service|socket|target|timer|path)$/;
const MASK = '/dev/null';
/** What the name of a disk image ends with; portablectl(1) leaves it out. */
export const DISK_SUFFIX = '.raw';
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

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
}

export interface ImageContents {
  readonly image: Image;
  /** os-release(5), as it is */
  readonly release: Buffer;
  readonly variables: ReadonlyMap<string, string>;
  /** what the names of its units begin with */
  readonly prefixes: readonly string[];
  /** by name */
  readonly units: readonly ImageUnit[];
  /** units that the image masks */
  readonly masked: readonly string[];
}

/** @param operand a path, or the name of an image in IMAGE_DIRECTORIES. @throws CommandFailure */
export function findImage(operand: string): Image {
  const path = operand.includes('/') ? operand : pathOfName(operand);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (error) {
    throw fileFailure(path, error);
  }
  const name = imageName(basename(path.replace(/\/+$/, '')));
  const shown = printable(real);
  if (real === '/') {
    throw new CommandFailure(
      `${printable(path)}: it leads to the root of this host; name the directory of an image`,
      1,
    );
  }
  // Its path is written into unit files, which are lines.
  if (real !== shown) {
    throw new CommandFailure(`${shown}: a path with such characters cannot be in a unit file; rename it`, 1);
  }
  return { name, path: real, isDisk: lstatSync(real).isFile() };
}

/** @returns the name of an image by that of its file. @throws CommandFailure */
export function imageName(file: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+~@-]*$/.test(file)) {
    const words = 'it must begin with a letter, a digit or "_", and have only those and . + ~ @ -; rename it';
    throw new CommandFailure(`"${printable(file)}" cannot be the name of an image: ${words}`, 1);
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
  const found = paths.find(path => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  if (found === undefined) {
    const where = `it is in none of ${IMAGE_DIRECTORIES.join(', ')}`;
    throw new CommandFailure(
      `there is no image ${printable(name)}: ${where}; give its path, such as ./${printable(name)}`,
      1,
    );
  }
  return found;
}

/**
 * @param prefixes what names of units must begin with; the name of the image unless given
 * @throws CommandFailure if it is no image, or has what no image may have
 */
export async function readImage(image: Image, prefixes: readonly string[] | undefined): Promise<ImageContents> {
  try {
    checkOwners(image.path);
    if (image.isDisk) {
      using mounted = await MountedImage.open(image.path);
      return readTree(mounted.tree, image, prefixes);
    }
    using tree = RootedTree.open(image.path);
    return readTree(tree, image, prefixes);
  } catch (error) {
    if (error instanceof RootedTreeError || (error instanceof Error && 'code' in error)) {
      throw new CommandFailure(`${image.path}: ${problemOf(error)}; nothing was changed`, 1, error);
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
      throw new CommandFailure(`${at}: ${words}; chown it to root, and take write permission from group and others`, 1);
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

function readTree(tree: RootedTree, image: Image, given: readonly string[] | undefined): ImageContents {
  const fail = (words: string): never => {
    throw new CommandFailure(`${image.path}: ${words}`, 1);
  };
  const release = firstFile(tree, OS_RELEASE) ?? fail('it has no os-release file, so it is no image of a system');
  const variables = new Map(parseEnvironmentFile(release.toString('utf8')).map(({ name, value }) => [name, value]));
  if ((variables.get('ID') ?? '') === '') {
    fail('its os-release file has no ID=, so it is no image of a system');
  }
  const prefixes = given ?? [withoutSuffix(image.name).replace(/_.*$/s, '')];
  const allowed = (variables.get('PORTABLE_PREFIXES') ?? '').split(/\s+/).filter(word => word !== '');
  const others = prefixes.filter(prefix => allowed.length > 0 && !allowed.includes(prefix));
  if (others.length > 0) {
    const words = `PORTABLE_PREFIXES= of its os-release file has ${printable(allowed.join(' '))}, and not ${printable(others.join(' '))}`;
    fail(`${words}; name prefixes that it has`);
  }
  const { units, masked } = readUnits(tree, prefixes, fail);
  if (units.length === 0) {
    fail(`it has no unit whose name begins with ${printable(prefixes.join(' or '))}; name other prefixes`);
  }
  return { image, release, variables, prefixes, units, masked };
}

function firstFile(tree: RootedTree, paths: readonly string[]): Buffer | undefined {
  for (const path of paths) {
    const bytes = tree.readFile(path, OS_RELEASE_BYTES_MAX);
    if (bytes !== undefined) {
      return bytes;
    }
  }
  return undefined;
}

function readUnits(tree: RootedTree, prefixes: readonly string[], fail: (words: string) => never) {
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
  const sorted = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    units: sorted.flatMap(([name, bytes]) => (bytes === 'masked' ? [] : [{ name, bytes }])),
    masked: sorted.flatMap(([name, bytes]) => (bytes === 'masked' ? [name] : [])),
  };
}

/** As portablectl(1) has it: a prefix alone is no name, and "foo" is no prefix of "foobar.service". */
function matches(name: string, prefixes: readonly string[]): boolean {
  const fits = prefixes.some(prefix => name.startsWith(prefix) && /[-.@]/.test(name.charAt(prefix.length)));
  return fits && UNIT.test(name) && 'unit' in parseUnitName(name);
}
