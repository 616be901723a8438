/** Answers the questions of a launch as the launcher does (native/run/protocol/questions.c), so that unit files can be judged without one. */
import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LaunchAnswer, LaunchQuestion } from '../api/generated/io-dynuser-allocator.ts';
import { patternOf } from '../core/pattern.ts';
import type { PathFact } from '../launch/launch.ts';
import { attempt } from './attempt.ts';
import { isReadOnly } from './host.ts';
import { UNIT_FILE_BYTES_MAX, UNIT_NAMES_MAX } from './limits.ts';

export function answerQuestion({ kind, path }: LaunchQuestion): LaunchAnswer {
  switch (kind) {
    case 'file':
      return withText({ kind, path }, textOf(path));
    case 'directory':
      return withNames(
        { kind, path },
        namesIn(path)?.filter(name => name.endsWith('.conf')),
      );
    case 'glob':
      return withNames({ kind, path }, pathsLike(path));
    case 'path':
      return withNames({ kind, path }, factsOf(path));
    case 'devices':
      // Which devices a host has does not depend on the unit file.
      return withNames({ kind, path }, []);
    case 'real':
      return withText(
        { kind, path },
        attempt(() => realpathSync(path)),
      );
    // Nor do the C library of a program and the contents of an image.
    case 'program':
    case 'image':
      return { kind, path, found: false };
  }
}

type Asked = Pick<LaunchQuestion, 'kind' | 'path'>;

function withText(question: Asked, text: string | undefined): LaunchAnswer {
  return text === undefined ? { ...question, found: false } : { ...question, found: true, text };
}

function withNames(question: Asked, names: readonly string[] | undefined): LaunchAnswer {
  return names === undefined ? { ...question, found: false } : { ...question, found: true, names: [...names].sort() };
}

/** Files of the kernel have no size. A file that is not text, or too long, is not a unit file. */
function textOf(path: string): string | undefined {
  const status = attempt(() => statSync(path));
  if (status?.isFile() !== true || status.size > UNIT_FILE_BYTES_MAX) {
    return undefined;
  }
  const text = attempt(() => readFileSync(path, 'utf8'));
  return text?.includes('\0') ? undefined : text;
}

function namesIn(path: string): string[] | undefined {
  return attempt(() => readdirSync(path))?.slice(0, UNIT_NAMES_MAX);
}

/** The patterns of glob(7), but braces. @returns undefined if nothing matches */
function pathsLike(pattern: string): string[] | undefined {
  const paths = pattern
    .split('/')
    .filter(part => part !== '')
    .reduce(
      (found, part) =>
        /[*?[\\]/.test(part) ? found.flatMap(path => likeIn(path, part)) : found.map(path => join(path, part)),
      ['/'],
    )
    .filter(path => attempt(() => lstatSync(path)) !== undefined);
  return paths.length === 0 ? undefined : paths;
}

function likeIn(path: string, part: string): string[] {
  const matches = patternOf(part, true);
  return (namesIn(path) ?? [])
    .filter(name => name.startsWith('.') === part.startsWith('.') && matches(name))
    .map(name => join(path, name));
}

function factsOf(path: string): readonly PathFact[] | undefined {
  const link = attempt(() => lstatSync(path));
  const target = attempt(() => statSync(path));
  if (link === undefined) {
    return undefined;
  }
  const facts: readonly (readonly [fact: PathFact, isSo: boolean])[] = [
    ['link', link.isSymbolicLink()],
    ['exists', target !== undefined],
    ['directory', target?.isDirectory() === true],
    ['file', target?.isFile() === true],
    ['mountPoint', target !== undefined && isMountPoint(path, target)],
    ['readOnly', target !== undefined && isReadOnly(path)],
    [
      'notEmpty',
      target?.isFile() === true ? target.size > 0 : (namesIn(path) ?? []).some(name => !/^\.|~$/.test(name)),
    ],
    ['executable', target?.isFile() === true && (target.mode & 0o111) !== 0],
  ];
  return facts.filter(([, isSo]) => isSo).map(([fact]) => fact);
}

function isMountPoint(path: string, { dev, ino }: Stats): boolean {
  const above = attempt(() => statSync(dirname(path)));
  return above !== undefined && (above.dev !== dev || above.ino === ino);
}
