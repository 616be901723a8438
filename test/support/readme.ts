/** What the README tells people to write, taken from it, so that the tests run just that. */
import { readSource } from './sources.ts';

export interface ReadmeFile {
  /** absolute, or relative to a directory that the reader chooses */
  readonly path: string;
  readonly text: string;
}

/** A line that is a path alone, with what is said of it after the colon, and the block below. */
const FILE = /^`([^`\n]+)`:[^\n]*\n\n?```\w*\n([\s\S]*?)^```$/gm;

/**
 * @param heading of the section, without its marks; the section lasts to the next heading of any level
 * @throws Error where the README has no such section, or no files in it
 */
export function readmeFiles(heading: string): readonly ReadmeFile[] {
  const section = sectionsOf(readSource('README.md')).find(({ title }) => title === heading);
  const files = [...(section?.text ?? '').matchAll(FILE)].map(([, path = '', text = '']) => ({ path, text }));
  if (files.length === 0) {
    throw new Error(`the README has no files under the heading "${heading}"`);
  }
  return files;
}

/** A step of a section: a file to write, or a session at a terminal. */
export type ReadmeStep = ReadmeFile | { readonly session: string };

/** A session: a block that begins with root's prompt. */
const SESSION = /^```console\n(# [\s\S]*?\n)```$/gm;

/** @param heading as for readmeFiles @returns what a section tells to write and to type, in its order */
export function readmeSteps(heading: string): readonly ReadmeStep[] {
  const text = sectionsOf(readSource('README.md')).find(({ title }) => title === heading)?.text ?? '';
  const files = [...text.matchAll(FILE)].map(({ index, 1: path = '', 2: content = '' }) => ({
    index,
    step: { path, text: content },
  }));
  const sessions = [...text.matchAll(SESSION)].map(({ index, 1: session = '' }) => ({ index, step: { session } }));
  if (sessions.length === 0) {
    throw new Error(`the README has no sessions under the heading "${heading}"`);
  }
  return [...files, ...sessions].sort((one, other) => one.index - other.index).map(({ step }) => step);
}

function sectionsOf(text: string): { title: string; text: string }[] {
  const sections: { title: string; text: string }[] = [];
  let fenced = false;
  for (const line of text.split('\n')) {
    fenced = line.startsWith('```') ? !fenced : fenced;
    const title = fenced ? undefined : /^#+ (.*)$/.exec(line)?.[1];
    if (title !== undefined) {
      sections.push({ title, text: '' });
    }
    const last = sections.at(-1);
    if (last !== undefined) {
      last.text += `${line}\n`;
    }
  }
  return sections;
}
