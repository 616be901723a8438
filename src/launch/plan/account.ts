/** The home and the shell of a static account, which decide what "~" and $HOME in a command line are. */
import type { ParsedProperties } from '../properties/table.ts';
import type { CommandLine } from '../syntax/command-line.ts';
import type { Questions } from './questions.ts';

const PASSWD = '/etc/passwd';

export interface AccountPlaces {
  readonly home?: string;
  readonly shell?: string;
}

/** @returns what /etc/passwd has of the user, if something needs it; a dynamic user has no home and no shell */
export function accountPlaces(
  { User, WorkingDirectory }: ParsedProperties['given'],
  dynamic: boolean,
  commands: readonly CommandLine[],
  questions: Questions,
): AccountPlaces {
  const words = commands.flatMap(command => (command.expands ? command.words : []));
  const needs = WorkingDirectory?.path === '~' || words.some(word => /\$\{?(?:HOME|SHELL)\b/.test(word));
  if (dynamic || !needs) {
    return {};
  }
  const user = User ?? 'root';
  const column = /^\d+$/.test(user) ? 2 : 0;
  const lines = (questions.file(PASSWD) ?? '').split('\n').map(line => line.split(':'));
  const entry = lines.find(fields => fields.length === 7 && fields[column] === user);
  const [home, shell] = [entry?.[5] ?? '', entry?.[6] ?? ''];
  return {
    ...(home.startsWith('/') ? { home } : {}),
    ...(shell.startsWith('/') ? { shell } : {}),
  };
}
