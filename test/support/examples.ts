/** What README.md and docs/ tell people to write and to type, taken from there, so that the tests run exactly that. */
import { readSource, sourcesBelow } from './sources.ts';

export interface ExampleFile {
  /** absolute, or relative to a directory that the reader chooses */
  readonly path: string;
  readonly text: string;
}

/** A step of a document: a file to write, or a session at a terminal. */
export type ExampleStep = ExampleFile | { readonly session: string };

/** A fenced block, with the path that the line above it names. */
export interface Block {
  /** the word behind the fence, '' if there is none */
  readonly language: string;
  readonly path?: string;
  readonly text: string;
  /** the heading that it is below, without its marks */
  readonly heading: string;
}

/** The documents whose sessions are tried by every `npm test`. */
export const READ_FIRST: readonly string[] = ['README.md', 'docs/first-steps.md', 'docs/launcher.md'];

/** @returns the documents for users, relative to the checkout */
export function documents(): string[] {
  return ['README.md', ...sourcesBelow('docs', '.md')];
}

/** @returns the fenced blocks of a document, in its order */
export function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let path: string | undefined;
  let open: { language: string; lines: string[] } | undefined;
  for (const line of readSource(document).split('\n')) {
    if (open !== undefined) {
      if (line === '```') {
        const text = open.lines.map(each => `${each}\n`).join('');
        blocks.push({ language: open.language, text, heading, ...(path === undefined ? {} : { path }) });
        open = undefined;
        path = undefined;
      } else {
        open.lines.push(line);
      }
    } else if (line.startsWith('```')) {
      open = { language: line.slice(3), lines: [] };
    } else if (line !== '') {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
      // A line that has a path and nothing else.
      path = /^`([^`]+)`:$/.exec(line)?.[1];
    }
  }
  if (open !== undefined) {
    throw new Error(`${document}: the last block does not end`);
  }
  return blocks;
}

/**
 * @param heading of the section, without its marks
 * @returns the files that a section of a document tells to write
 * @throws Error if there are none
 */
export function exampleFiles(document: string, heading: string): readonly ExampleFile[] {
  const files = blocksOf(document)
    .filter(block => block.heading === heading)
    .flatMap(({ path, text }) => (path === undefined ? [] : [{ path, text }]));
  if (files.length === 0) {
    throw new Error(`${document} has no files under the heading "${heading}"`);
  }
  return files;
}

/** @returns what a document tells to write and to type, in its order */
export function exampleSteps(document: string): readonly ExampleStep[] {
  return blocksOf(document).flatMap(({ language, path, text }): ExampleStep[] => {
    if (path !== undefined) {
      return [{ path, text }];
    }
    return language === 'console' ? [{ session: text }] : [];
  });
}

/** @returns the documents with something to type */
export function documentsWithSessions(): string[] {
  return documents().filter(document => blocksOf(document).some(({ language }) => language === 'console'));
}
