/** Disk images: the root, mounts and extensions (systemd.exec(5), "Paths"). */
import { checkLimit, quote } from '../errors.ts';
import { isDesignator, readPolicy } from '../images/policy.ts';
import { LIST_MAX } from '../limits.ts';
import { readPath, type ValueContext } from '../syntax/values.ts';
import { unescapeBytes } from '../syntax/words.ts';
import { boolean, entriesOf, list, value } from './property.ts';

/** Options of the mount of a part, by its designator; "root" if none is named. */
export interface PartOptions {
  readonly designator: string;
  readonly options: readonly string[];
}

export interface MountImage {
  readonly source: string;
  readonly destination: string;
  readonly optional: boolean;
  readonly options: readonly PartOptions[];
}

export interface Extension {
  readonly source: string;
  readonly optional: boolean;
  readonly options: readonly PartOptions[];
}

/** "name" or "name=value", as file systems have them; the bound is the kernel's for one page of all. */
const OPTION = /^[A-Za-z0-9_.-]{1,63}(?:=[A-Za-z0-9_.:@%/+-]{0,255})?$/;
const NEEDS = { needs: 'mounts', isVital: true } as const;

export const IMAGES = {
  RootImage: value(readImagePath, {
    ...NEEDS,
    refuses: true,
    manual:
      'A disk image that becomes the root, in the place of RootDirectory=: a file system, or the partitions of a system. See Images.',
  }),
  RootImageOptions: list(readOptions, {
    manual:
      '[PARTITION:]OPTION,OPTION: options of mount(8) for the file systems of RootImage=, the root if no partition is named.',
  }),
  RootImagePolicy: value(readPolicy, {
    refuses: true,
    manual:
      'What of RootImage= may be used, as in systemd.image-policy(7). Nothing is verified or decrypted here: an image that has to be is refused.',
  }),
  RootEphemeral: boolean({
    ...NEEDS,
    manual: 'What is written to the root, a directory or an image, is kept in memory and lost in the end.',
  }),
  MountImages: list(readMountImages, {
    ...NEEDS,
    refuses: true,
    manual: 'IMAGE:DIRECTORY[:OPTIONS]: shows a disk image at a directory. - before the image: it may be missing.',
  }),
  MountImagePolicy: value(readPolicy, { refuses: true, manual: 'The same as RootImagePolicy= for MountImages=.' }),
  ExtensionImages: list(readExtensions, {
    ...NEEDS,
    refuses: true,
    manual:
      'IMAGE[:OPTIONS]: images whose /usr and /opt, or /etc, are laid over those of the service; they have to say in their extension-release that they are for its system.',
  }),
  ExtensionImagePolicy: value(readPolicy, {
    refuses: true,
    manual: 'The same as RootImagePolicy= for ExtensionImages=.',
  }),
  ExtensionDirectories: list(
    (text, context) => readExtensions(text, context).map(({ source, optional }) => ({ source, optional })),
    { ...NEEDS, refuses: true, manual: 'The same as ExtensionImages= for directories.' },
  ),
};

function readImagePath(text: string, { expand, fail }: ValueContext): string {
  return readPath(expand(text), fail);
}

/** Words of PARTITION:OPTION,OPTION, or OPTION,OPTION for the root. */
function readOptions(text: string, context: ValueContext): PartOptions[] {
  return entriesOf(text, 'plain', context, word => partOptions(context.expand(word), context));
}

function partOptions(text: string, { fail, strict }: ValueContext): PartOptions {
  const [, name, rest] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  const designator = name ?? 'root';
  if (!isDesignator(designator)) {
    fail(`unknown partition: ${quote(designator)}; use root, usr, home, srv, var or tmp`);
  }
  const options = (rest ?? text).split(',').filter(option => option !== '');
  const bad = options.find(option => !OPTION.test(option));
  return bad === undefined
    ? { designator, options }
    : strict.fail(`not an option of a mount: ${quote(bad)}; use those of mount(8) for the file system`);
}

/** Entries of SOURCE[:…]; "-" before the source: it may be missing. */
function readEntries<Entry>(
  text: string,
  context: ValueContext,
  read: (source: string, optional: boolean, rest: readonly string[]) => Entry,
): Entry[] {
  // Quotes around an entry do not hide its colons, unlike those of a bind.
  return entriesOf(text, 'keep', context, word => {
    const [first = '', ...rest] = colonParts(word, context).map(part => context.expand(part));
    const optional = first.startsWith('-');
    return read(readPath(optional ? first.slice(1) : first, context.fail), optional, rest);
  });
}

/** @returns the parts of a text between colons; a backslash before a colon makes it a part's own, other escapes are those of C */
function colonParts(text: string, { fail, field }: ValueContext): string[] {
  const parts = text.split(/(?<=(?:^|[^\\])(?:\\\\)*):/);
  checkLimit(parts.length, LIST_MAX, 'parts of an image', field);
  return parts.map(part => unescapeBytes(part.replaceAll('\\:', ':'), fail).toString('utf8'));
}

function readMountImages(text: string, context: ValueContext): MountImage[] {
  return readEntries(text, context, (source, optional, [destination, ...rest]) => {
    const to =
      destination === undefined || destination === ''
        ? context.fail(`no directory for the image ${quote(source)}; use IMAGE:DIRECTORY`)
        : readPath(destination, context.fail);
    if (to === '/') {
      context.fail('an image at "/"; give the service another root with RootImage=');
    }
    return { source, optional, destination: to, options: optionPairs(rest, context) };
  });
}

function readExtensions(text: string, context: ValueContext): Extension[] {
  return readEntries(text, context, (source, optional, rest) => ({
    ...{ source, optional, options: optionPairs(rest, context) },
  }));
}

/** OPTIONS for the root, or PARTITION:OPTIONS, and so on. */
function optionPairs(parts: readonly string[], context: ValueContext): PartOptions[] {
  if (parts.length === 1) {
    return [partOptions(`root:${parts[0]}`, context)];
  }
  const pairs: PartOptions[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2) {
    pairs.push(partOptions(`${parts[index]}:${parts[index + 1]}`, context));
  }
  if (parts.length % 2 === 1) {
    context.fail(`options of no partition: ${quote(parts.at(-1) ?? '')}; use PARTITION:OPTIONS for each`);
  }
  return pairs;
}
