/**
 * What is attached on this host: a directory for each image, with a manifest of all that attach makes. The manifest is written first, and
 * says that it is incomplete until all is there. Whoever changes attachments holds a lock; the next one removes what an incomplete manifest
 * names. So an attach or a detach that was killed leaves nothing that the next command does not remove.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { hasCode, PinnedDirectory } from '../../files/pinned-directory.ts';
import { CommandFailure, fileFailure, problemAtPath } from '../failure.ts';
import { ATTACH_LOCK_TIMEOUT_MS, IMAGES_LISTED_MAX, MANIFEST_BYTES_MAX } from '../limits.ts';
import { ATTACHED_DIRECTORY, ATTACHED_RUNTIME_DIRECTORY, type Entry, MANIFEST } from './layout.ts';
import { MANAGERS, type ManagerName } from './manager-names.ts';

export interface Attachment {
  /** of the image with what is laid over it, and of the directory with the manifest */
  readonly name: string;
  readonly image: string;
  /** images that are laid over it */
  readonly extensions: readonly string[];
  readonly manager: ManagerName;
  readonly profile: string;
  readonly runtime: boolean;
  readonly services: readonly string[];
  /** whether all of it is there: attach has come to its end, and detach has not begun */
  readonly complete: boolean;
  readonly made: readonly Made[];
}

/** What attach makes, as the manifest has it. */
type Made =
  | { readonly kind: 'directory'; readonly path: string; readonly shared?: true; readonly made?: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly digest: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

const VERSION = 1;

/** @returns the attachment of an image; undefined if it is not attached. @throws CommandFailure if its manifest cannot be read */
function findAttachment(name: string, runtime: boolean): Attachment | undefined {
  const path = `${directoryOf(runtime)}/${name}/${MANIFEST}`;
  let text: string;
  try {
    const status = lstatSync(path);
    if (!status.isFile() || status.uid !== 0 || status.size > MANIFEST_BYTES_MAX) {
      throw new CommandFailure(`${path}: not what attach has written; remove what the image has on this host by hand`);
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
      return undefined;
    }
    throw error instanceof CommandFailure ? error : fileFailure(path, error);
  }
  const attachment = parseManifest(text, name, runtime);
  if (attachment === undefined) {
    throw new CommandFailure(`${path}: not a manifest of this version; detach with the version that has attached`);
  }
  return attachment;
}

/** @returns the attachments of one name: in force also after the next boot, or until then */
export function attachmentsOf(name: string): Attachment[] {
  return [false, true].flatMap(runtime => findAttachment(name, runtime) ?? []);
}

/** @returns the attachments with such names, each of them by name; all unless told otherwise */
export function listAttachments(isWanted: (name: string) => boolean = () => true): Attachment[] {
  return [false, true].flatMap(runtime =>
    namesIn(directoryOf(runtime))
      .filter(isWanted)
      .flatMap(name => findAttachment(name, runtime) ?? []),
  );
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort().slice(0, IMAGES_LISTED_MAX);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return [];
    }
    throw error;
  }
}

function directoryOf(runtime: boolean): string {
  return runtime ? ATTACHED_RUNTIME_DIRECTORY : ATTACHED_DIRECTORY;
}

/** @returns undefined for what is not a manifest */
function parseManifest(text: string, name: string, runtime: boolean): Attachment | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value['version'] !== VERSION) {
    return undefined;
  }
  const { image, extensions = [], manager: named, profile, services, complete, made } = value;
  const manager = MANAGERS.find(each => each === named);
  return typeof image === 'string' &&
    manager !== undefined &&
    typeof profile === 'string' &&
    isTexts(extensions) &&
    isTexts(services) &&
    typeof complete === 'boolean' &&
    Array.isArray(made) &&
    made.every(isMade)
    ? { name, image, extensions, manager, profile, runtime, services, complete, made }
    : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string');
}

function isMade(value: unknown): value is Made {
  if (!isRecord(value) || typeof value['path'] !== 'string' || !value['path'].startsWith('/')) {
    return false;
  }
  switch (value['kind']) {
    case 'directory': {
      const { made = [] } = value;
      return Array.isArray(made) && made.every(each => typeof each === 'string' && /^[a-z]+$/.test(each));
    }
    case 'file':
      return typeof value['digest'] === 'string';
    case 'link':
      return typeof value['target'] === 'string';
    default:
      return false;
  }
}

/**
 * Waits for others who change what is attached; then removes what was left half made by those who died meanwhile.
 * @returns the right to change it, until that is disposed of or the process ends
 * @throws CommandFailure
 */
export function lockAttachments(): Disposable {
  using directory = PinnedDirectory.open(ATTACHED_RUNTIME_DIRECTORY, { create: { mode: 0o755 } });
  const descriptor = openSync(`/proc/self/fd/${directory.descriptor}`, constants.O_RDONLY | constants.O_DIRECTORY);
  const lock = { [Symbol.dispose]: () => closeSync(descriptor) };
  // flock(2) belongs to the open file, which the program shares with this process: the kernel unlocks it with the last of both.
  const { status, error } = spawnSync('flock', ['3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
    timeout: ATTACH_LOCK_TIMEOUT_MS,
  });
  if (status !== 0) {
    lock[Symbol.dispose]();
    const why = hasCode(error, 'ENOENT')
      ? 'there is no flock(1); install util-linux'
      : 'another attach or detach is at work; try again when it has ended';
    throw new CommandFailure(`cannot lock ${ATTACHED_RUNTIME_DIRECTORY}: ${why}`, { cause: error });
  }
  for (const runtime of [false, true]) {
    for (const name of namesIn(directoryOf(runtime))) {
      const attachment = findAttachment(name, runtime);
      if (attachment === undefined) {
        removeOwnDirectory({ name, runtime });
      } else if (!attachment.complete) {
        removeAll(attachment);
      }
    }
  }
  removeEmptyBase();
  return lock;
}

/**
 * Makes all entries, or none.
 * @param attachment who it is for; the caller holds the lock
 * @param replaces files may come in the place of others, which are lost then, and directories may be there
 * @throws CommandFailure if something is there already, or cannot be made
 */
export function makeAll(
  attachment: Omit<Attachment, 'complete' | 'made'>,
  entries: readonly Entry[],
  replaces = false,
): void {
  for (const { path, ...entry } of entries) {
    const isShared = entry.kind === 'directory' && entry.shared === true;
    const status = isShared ? undefined : lstatSync(path, { throwIfNoEntry: false });
    const isReplaced = replaces && entry.kind !== 'link' && status?.isDirectory() === (entry.kind === 'directory');
    if (status !== undefined && !isReplaced) {
      throw new CommandFailure(`${path}: it is on this host already, and not of this image; move it away first`);
    }
  }
  const began = { ...attachment, complete: false, made: entries.map(toMade) };
  try {
    writeManifest(began);
    for (const entry of entries) {
      make(entry, attachment.name, replaces);
    }
    writeManifest({ ...began, complete: true });
  } catch (error) {
    const left = tryToRemove(began);
    const words =
      left === undefined ? 'nothing is left of it' : `the next attach or detach removes what is left (${left})`;
    throw new CommandFailure(`cannot attach ${attachment.image}: ${problemAtPath(error)}; ${words}`, { cause: error });
  }
}

/** @returns why something is left */
function tryToRemove(attachment: Attachment): string | undefined {
  try {
    removeAll(attachment);
    return undefined;
  } catch (error) {
    return problemAtPath(error);
  }
}

/** @returns what of an attachment is no longer as attach has made it, in words */
export function changesOf({ made }: Attachment): string[] {
  return made.flatMap(each => changesOfOne(each, made));
}

function changesOfOne(each: Made, all: readonly Made[]): string[] {
  const status = lstatSync(each.path, { throwIfNoEntry: false });
  if (status === undefined) {
    return [];
  }
  if (each.kind !== 'directory') {
    return isAsMade(each, each.path, status) ? [] : [each.path];
  }
  if (each.shared || !status.isDirectory()) {
    return [];
  }
  const below = all.filter(({ path }) => dirname(path) === each.path).map(({ path }) => basename(path));
  const own = new Set([...(each.made ?? []), ...below]);
  return readdirSync(each.path)
    .filter(name => !own.has(name))
    .map(name => `${each.path}/${name}`);
}

/** @param place its path, or another one that leads to it, where the status is from */
function isAsMade(each: Exclude<Made, { kind: 'directory' }>, place: string, status: Stats): boolean {
  return each.kind === 'file'
    ? status.isFile() && digestOf(readFileSync(place)) === each.digest
    : status.isSymbolicLink() && readlinkSync(place) === each.target;
}

/** @returns what makes it again as it is now */
export function entriesOf({ made }: Attachment): Entry[] {
  return made.flatMap((each): Entry[] => {
    if (each.kind !== 'file') {
      return [each];
    }
    const status = lstatSync(each.path, { throwIfNoEntry: false });
    return status?.isFile() === true
      ? [{ kind: 'file', path: each.path, bytes: readFileSync(each.path), mode: status.mode & 0o777 }]
      : [];
  });
}

/** @returns whether nothing of it is there any more: something else has detached it */
export function isGone({ made, manager }: Attachment): boolean {
  return (
    manager === 'systemd' &&
    made.every(each => each.kind !== 'file' || lstatSync(each.path, { throwIfNoEntry: false }) === undefined)
  );
}

/** The first part of removeAll(): what leads others to it. Supervisors run what a link in their directory leads to. */
export function removeLinks(attachment: Attachment): void {
  writeManifest({ ...attachment, complete: false });
  for (const each of attachment.made) {
    if (each.kind === 'link') {
      remove(each, attachment.name);
    }
  }
}

/** Removes what attach has made. What is not as it was made stays, with the directories that it is in. */
export function removeAll(attachment: Attachment): void {
  writeManifest({ ...attachment, complete: false });
  for (const each of [...attachment.made].reverse()) {
    remove(each, attachment.name);
  }
  removeOwnDirectory(attachment);
}

/** The directory with the manifest, and the one that it is in if it was the last. */
function removeOwnDirectory({ name, runtime }: { readonly name: string; readonly runtime: boolean }): void {
  const base = directoryOf(runtime);
  using own = openParent(`${base}/${name}/${MANIFEST}`);
  own?.remove(MANIFEST);
  own?.remove(`${MANIFEST}${NEW}`);
  using parent = openParent(`${base}/${name}`);
  if (parent !== undefined) {
    removeDirectory(parent, name);
  }
  removeEmptyBase();
}

/** Removes the directory of all attachments if none is left. The lock is on the one below /run, which stays. */
function removeEmptyBase(): void {
  using above = openParent(ATTACHED_DIRECTORY);
  if (above !== undefined) {
    removeDirectory(above, basename(ATTACHED_DIRECTORY));
  }
}

const NEW = '.new';

function writeManifest(attachment: Attachment): void {
  const { name, runtime, ...content } = attachment;
  using directory = PinnedDirectory.open(`${directoryOf(runtime)}/${name}`, { create: { mode: 0o755 } });
  directory.remove(`${MANIFEST}${NEW}`);
  writeFile(
    directory,
    `${MANIFEST}${NEW}`,
    Buffer.from(`${JSON.stringify({ version: VERSION, ...content })}\n`),
    0o644,
  );
  directory.rename(`${MANIFEST}${NEW}`, MANIFEST);
  fsyncSync(directory.descriptor);
}

function toMade(entry: Entry): Made {
  return entry.kind === 'file' ? { kind: 'file', path: entry.path, digest: digestOf(entry.bytes) } : entry;
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function make(entry: Entry, image: string, replaces: boolean): void {
  const name = basename(entry.path);
  using parent = PinnedDirectory.open(dirname(entry.path));
  switch (entry.kind) {
    case 'directory':
      try {
        mkdirSync(parent.entry(name), { mode: 0o755 });
      } catch (error) {
        if (!((entry.shared === true || replaces) && hasCode(error, 'EEXIST'))) {
          throw error;
        }
      }
      break;
    case 'file': {
      // Under its name it is there with all of its bytes, and not in the place of another file unless it replaces that.
      const temporary = temporaryName(image);
      parent.remove(temporary);
      writeFile(parent, temporary, entry.bytes, entry.mode);
      if (replaces) {
        parent.rename(temporary, name);
      } else {
        linkSync(parent.entry(temporary), parent.entry(name));
        parent.remove(temporary);
      }
      break;
    }
    case 'link':
      symlinkSync(entry.target, parent.entry(name));
      break;
  }
  fsyncSync(parent.descriptor);
}

/** No unit and no service has such a name. */
function temporaryName(image: string): string {
  return `.#dynuser-${digestOf(Buffer.from(image)).slice(0, 16)}`;
}

function writeFile(directory: PinnedDirectory, name: string, bytes: Buffer, mode: number): void {
  const descriptor = openSync(directory.entry(name), 'wx', mode);
  try {
    writeFileSync(descriptor, bytes);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openParent(path: string): PinnedDirectory | undefined {
  try {
    return PinnedDirectory.open(dirname(path));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

function remove(each: Made, image: string): void {
  const name = basename(each.path);
  using parent = openParent(each.path);
  if (parent === undefined) {
    return;
  }
  parent.remove(temporaryName(image));
  const place = parent.entry(name);
  const status = lstatSync(place, { throwIfNoEntry: false });
  if (each.kind === 'directory') {
    if (status?.isDirectory() === true) {
      for (const left of each.made ?? []) {
        rmSync(`${place}/${left}`, { recursive: true, force: true });
      }
      removeDirectory(parent, name);
    }
    return;
  }
  if (status !== undefined && isAsMade(each, place, status)) {
    unlinkSync(place);
  }
}

/** A directory that is not empty, or that something is mounted on, stays: others have put that there. */
function removeDirectory(parent: PinnedDirectory, name: string): void {
  try {
    rmdirSync(parent.entry(name));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EBUSY'].some(code => hasCode(error, code))) {
      throw error;
    }
  }
}
