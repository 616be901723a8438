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
