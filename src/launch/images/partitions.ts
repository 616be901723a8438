/**
 * What is in a disk image, and what of it is mounted where: a file system alone, or the partitions of a table by the Discoverable
 * Partitions Specification (https://uapi-group.org/specifications/specs/discoverable_partitions_specification/). Pure.
 */
import { defined } from '../defined.ts';
import { compareVersions } from '../syntax/comparisons.ts';

/** A line of what the launcher's helper found: native/helper/image/probe.h. */
export interface Found {
  /** 0: the image as a whole */
  readonly number: number;
  /** the UUID of a type in a GPT; mbr:HH; "-" for the whole */
  readonly kind: string;
  readonly flags: bigint;
  /** in bytes, in decimal */
  readonly offset: string;
  readonly size: string;
  /** as libblkid calls it; undefined if it knows nothing of it */
  readonly fileSystem?: string;
  readonly label: string;
}

export const DESIGNATORS = ['root', 'usr', 'home', 'srv', 'var', 'tmp'] as const;
/** What a part of an image is for, by the names of systemd.image-policy(7). */
export type Designator = (typeof DESIGNATORS)[number];

/** Further ones that systemd has, which no service gets. */
export const OTHER_DESIGNATORS = [
  ...['esp', 'xbootldr', 'swap', 'root-verity', 'root-verity-sig', 'usr-verity', 'usr-verity-sig'],
] as const;

export const DIRECTORIES: Readonly<Record<Designator, string>> = {
  root: '/',
  usr: '/usr',
  home: '/home',
  srv: '/srv',
  var: '/var',
  tmp: '/tmp',
};

/** The file systems that systemd mounts from images, without vfat, which has no owners. */
export const FILE_SYSTEMS: ReadonlySet<string> = new Set(['btrfs', 'erofs', 'ext4', 'f2fs', 'squashfs', 'xfs']);

/** Those that can only be read. */
export const READ_ONLY_SYSTEMS: ReadonlySet<string> = new Set(['erofs', 'squashfs']);

/** Of the root and of /usr, by systemd's names of architectures. */
const SYSTEM_TYPES: Readonly<Record<string, { readonly root: string; readonly usr: string }>> = {
  'x86-64': { root: '4f68bce3-e8cd-4db1-96e7-fbcaf984b709', usr: '8484680c-9521-48c6-9c11-b0720656f69e' },
  x86: { root: '44479540-f297-41b2-9af7-d131d5f0458a', usr: '75250d76-8cc6-458e-bd66-bd47cc81a812' },
  arm64: { root: 'b921b045-1df0-41c3-af44-4c6f280d3fae', usr: 'b0e01050-ee5f-4390-949a-9101b17104e9' },
  arm: { root: '69dad710-2ce4-4e3c-b16c-21a1d49abed3', usr: '7d0359a3-02b3-4f0a-865c-654403e70625' },
  riscv64: { root: '72ec70a6-cf74-40e6-bd49-4bda08e8f224', usr: 'beaec34b-8442-439b-a40b-984381ed097d' },
  loongarch64: { root: '77055800-792c-4f94-b39a-98c91b762bb6', usr: 'e611c702-575c-4cbe-9a46-434fa0bf7e3f' },
  s390x: { root: '5eead9a9-fe09-4a1e-a1d7-520d00531306', usr: '8a4f5770-50aa-4ed3-874a-99b710db6fea' },
  'ppc64-le': { root: 'c31c45e6-3f39-412e-80fb-4809c4980599', usr: '15bb03af-77e7-4d4a-b12b-c0d084f7491c' },
};
const DATA_TYPES: Readonly<Record<string, Designator>> = {
  '933ac7e1-2eb4-4f13-b844-0e14e2aef915': 'home',
  '3b8f8425-20e0-4f3b-907f-1a25a76f98e8': 'srv',
  '4d21b016-b534-45c2-a9fb-5c16e091fd2d': 'var',
  '7ec6f557-3bc5-4aca-b293-16ef5df639d1': 'tmp',
};
const GENERIC = '0fc63daf-8483-4772-8e79-3d69d8477de4';
/** Of an MBR: Linux, and the flag of the one that is active. */
const MBR_LINUX = 'mbr:83';
const MBR_ACTIVE = 0x80n;

/** Flags of a GPT for all of these types. */
const READ_ONLY = 1n << 60n;
const NO_AUTO = 1n << 63n;
/** The name of a partition that is kept free for the next version. */
const EMPTY_LABEL = '_empty';

/** A part that is mounted, and for what. */
export interface Part {
  readonly designator: Designator;
  readonly found: Found;
  readonly readOnly: boolean;
}

/** @returns what the lines say; other lines are left out */
export function readFound(lines: readonly string[]): Found[] {
  return lines.flatMap(line => {
    const [, number, kind, flags, offset, size, fileSystem, label] =
      /^(\d+) (\S+) ([0-9a-f]+) (\d+) (\d+) (\S+)(?: (.*))?$/.exec(line) ?? [];
    if (number === undefined || kind === undefined || offset === undefined || size === undefined) {
      return [];
    }
    return [
      defined({
        ...{ number: Number(number), kind: kind.toLowerCase(), flags: BigInt(`0x${flags}`), offset, size },
        fileSystem: fileSystem === '-' ? undefined : fileSystem,
        label: label ?? '',
      }),
    ];
  });
}

/**
 * Chooses as systemd does: a file system that is the image; or by the types of partitions, the newest name of several for the root and
 * for /usr; or else the only partition that may be anything.
 * @param architecture systemd's name of that of the host; "" if the image has no partitions
 * @returns the root first; a text says why there is nothing to mount
 */
export function chooseParts(found: readonly Found[], architecture: string): readonly Part[] | string {
  const whole = found.find(({ number }) => number === 0);
  if (whole?.fileSystem !== undefined) {
    return [{ designator: 'root', found: whole, readOnly: false }];
  }
  const partitions = found.filter(({ number }) => number > 0);
  if (partitions.length === 0) {
    return 'there is neither a file system nor a table of partitions in it';
  }
  const usable = partitions.filter(({ kind, flags, label }) => {
    const isOff = kind.startsWith('mbr:') ? (flags & MBR_ACTIVE) === 0n : (flags & NO_AUTO) !== 0n;
    return !isOff && label !== EMPTY_LABEL;
  });
  const parts = DESIGNATORS.flatMap(designator => {
    const ours = usable.filter(({ kind }) => designatorOf(kind, architecture) === designator);
    const isVersioned = designator === 'root' || designator === 'usr';
    const [chosen] = isVersioned ? [...ours].sort((one, other) => compareVersions(other.label, one.label)) : ours;
    return chosen === undefined ? [] : [partOf(designator, chosen)];
  });
  if (parts.some(({ designator }) => designator === 'root')) {
    return parts;
  }
  if (parts.some(({ designator }) => designator === 'usr')) {
    return 'it has a partition for /usr and none for the root; use an image with a root, or mount it with MountImages=';
  }
  const [generic, another] = usable.filter(({ kind }) => kind === GENERIC || kind === MBR_LINUX);
  if (another !== undefined) {
    return 'none of its partitions says that it is the root, and there is more than one that may be it';
  }
  return generic === undefined
    ? `it has no partition that is the root of a system for ${architecture}`
    : [partOf('root', generic), ...parts];
}

function designatorOf(kind: string, architecture: string): Designator | undefined {
  const system = SYSTEM_TYPES[architecture];
  return kind === system?.root ? 'root' : kind === system?.usr ? 'usr' : DATA_TYPES[kind];
}

function partOf(designator: Designator, found: Found): Part {
  return { designator, found, readOnly: !found.kind.startsWith('mbr:') && (found.flags & READ_ONLY) !== 0n };
}
