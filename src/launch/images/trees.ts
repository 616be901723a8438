/** Trees of a system that can be looked into: of the host, or in an image. Pure. */
import type { Image } from '../../api/generated/io-dynuser-allocator.ts';
import type { Questions } from '../plan/questions.ts';
import { isWithin } from '../syntax/values.ts';

export interface Tree {
  /** where it is on the host, once it is mounted */
  readonly place: string;
  /** @returns the text of a file, undefined without one, or not yet */
  file(path: string): string | undefined;
  /** @returns whether there is a directory; false if that is not known yet */
  hasDirectory(path: string): boolean;
  /** @returns whether there is something else; false if that is not known yet */
  has(path: string): boolean;
  /** @returns the interpreter of a program, '' for a static one; undefined if it is not a program of ELF, or not known yet */
  program(path: string): string | undefined;
  /** @returns whether a pattern of glob(7) has a match */
  matches(pattern: string): boolean;
}

/** @param place "" for the host's own root */
export function hostTree(place: string, questions: Questions): Tree {
  return {
    place,
    file: path => questions.file(`${place}${path}`),
    hasDirectory: path => questions.path(`${place}${path}`)?.has('directory') === true,
    has: path => questions.path(`${place}${path}`) !== undefined,
    program: path => questions.program(path, place === '' ? undefined : place),
    matches: pattern => questions.glob(`${escapeGlob(place)}${pattern}`) !== undefined,
  };
}

/** The parts of an image are looked into one by one: what is mounted in another is asked there. */
export function imageTree(place: string, image: Image, questions: Questions): Tree {
  const views = image.parts.map(part => ({
    directory: part.directory === '/' ? '' : part.directory,
    view: questions.inside({ ...image, parts: [{ ...part, directory: '/' }] }),
  }));
  /** From the innermost part outwards. */
  const find = <Answer>(
    path: string,
    ask: (view: (typeof views)[number]['view'], rest: string) => Answer | undefined,
  ) =>
    views
      .filter(({ directory }) => isWithin(path, directory === '' ? '/' : directory))
      .map(({ directory, view }) => ask(view, path.slice(directory.length) || '/'))
      .findLast(answer => answer !== undefined);
  return {
    place,
    file: path => find(path, (view, rest) => view.file(rest)),
    hasDirectory: path => find(path, (view, rest) => view.path(rest)?.has('directory') || undefined) === true,
    has: path => find(path, (view, rest) => view.path(rest)) !== undefined,
    program: path =>
      find(path, (view, rest) => view.program(rest)) ?? find(`/usr${path}`, (view, rest) => view.program(rest)),
    // In a system with a merged /usr, /lib is a link that leads to another part.
    matches: pattern =>
      find(pattern, (view, rest) => view.glob(rest)) !== undefined ||
      find(`/usr${pattern}`, (view, rest) => view.glob(rest)) !== undefined,
  };
}

/** Whether the programs of a root are of musl. A root with both loaders counts as one of glibc, whose programs must be able to look root up. */
export function hasMusl(tree: Tree): boolean {
  // Both are asked for in one round.
  const [hasMuslLoader, hasGlibcLoader] = ['/lib/ld-musl-*.so.1', '/lib*/ld-linux*.so.*'].map(tree.matches);
  return hasMuslLoader === true && hasGlibcLoader !== true;
}

/** @returns a pattern of glob(7) that a path alone matches */
export function escapeGlob(path: string): string {
  return path.replace(/[*?[\\]/g, '\\$&');
}
