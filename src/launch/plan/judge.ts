/** Judges a unit file without running it: whether a launch would take it, what it would refuse, and what it would leave out. Pure. */
import type { LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { DIRECTORY_KINDS } from '../../core/directory.ts';
import { BASE_DIRECTORIES, PRIVATE } from '../../core/directory-classes.ts';
import { parseDirectoryValue } from '../../core/directory-value.ts';
import { DynuserError } from '../../core/errors.ts';
import { SYSTEMD_INTERVAL } from '../../core/range.ts';
import { defined } from '../defined.ts';
import { planLaunch } from './plan-launch.ts';
import { Questions } from './questions.ts';
import type { LaunchRequest, ResolvedLaunch } from './request.ts';
import { resolveLaunch, unsupportedIn } from './resolve.ts';

export interface Judgement {
  /** what a launch is refused for, in words; empty: it is accepted */
  readonly refused: readonly string[];
  /** what falls out with a warning */
  readonly ignored: readonly string[];
  /** the properties that are left to what supervises the launcher, and to what makes control groups */
  readonly left: readonly string[];
  /** a condition that does not hold on this host: a launch would start nothing */
  readonly skipped?: string;
}

/** It asks as resolveLaunch() does, and is called again with all answers so far. */
export function judgeLaunch(
  request: LaunchRequest,
  answers: readonly LaunchAnswer[],
): { readonly questions: readonly LaunchQuestion[] } | { readonly judgement: Judgement } {
  // What is not supported is told together with what else is wrong.
  const tolerant = { ...request, isJudged: true };
  try {
    const outcome = resolveLaunch(tolerant, answers);
    if ('questions' in outcome) {
      return outcome;
    }
    const { warnings, left, refused, skipped } = outcome.resolved;
    const all = [...refused, ...planErrors(outcome.resolved)];
    return { judgement: defined({ refused: all, ignored: warnings, left, skipped }) };
  } catch (error) {
    const refused = [...unsupportedOf(tolerant, answers), wordsOf(error)];
    return { judgement: { refused: [...new Set(refused)], ignored: [], left: [] } };
  }
}

/** Where a directory of a service is, below a base that is root's. */
export interface DirectoryPlace {
  readonly base: string;
  /** below the base */
  readonly path: string;
}

/**
 * Where the directories of a service are, and the links to them. It asks as judgeLaunch() does.
 * @throws DynuserError LaunchFailed if no launch could take the unit
 */
export function findDirectories(
  request: LaunchRequest,
  answers: readonly LaunchAnswer[],
): { readonly questions: readonly LaunchQuestion[] } | { readonly places: readonly DirectoryPlace[] } {
  const outcome = resolveLaunch({ ...request, isJudged: true }, answers);
  if ('questions' in outcome) {
    return outcome;
  }
  const { directories, configurationDirectories } = outcome.resolved;
  const ofKinds = DIRECTORY_KINDS.flatMap(kind =>
    (directories[kind] ?? []).flatMap(text => {
      const value = parseDirectoryValue(text);
      if (typeof value === 'string') {
        return [];
      }
      const { source, destination } = value;
      // The link first, so that it never leads nowhere.
      const paths = [...(destination === undefined ? [] : [destination]), source, `${PRIVATE}/${source}`];
      return paths.map(path => ({ base: BASE_DIRECTORIES[kind], path }));
    }),
  );
  const ofConfiguration = configurationDirectories.map(({ path }) => ({ base: '/etc', path: path.slice(5) }));
  return { places: [...ofKinds, ...ofConfiguration] };
}

/** The filters of all processors take the same values. */
const KERNEL = { processor: 'x64', deniesWriteExecute: true } as const;

/** A user that nobody has: what the plan is made of depends neither on its number nor on its name. */
function planErrors(resolved: ResolvedLaunch): string[] {
  const id = resolved.userName === undefined && !resolved.dynamicUser ? 0 : SYSTEMD_INTERVAL.first;
  const userName = resolved.userName ?? 'judged';
  const user = { uid: id, gid: id, userName, dynamic: resolved.dynamicUser, groups: [] };
  try {
    planLaunch(resolved, { ...user, directories: [], environment: {}, kernel: KERNEL });
    return [];
  } catch (error) {
    return [wordsOf(error)];
  }
}

function unsupportedOf(request: LaunchRequest, answers: readonly LaunchAnswer[]): readonly string[] {
  try {
    return unsupportedIn(request, new Questions(answers));
  } catch (error) {
    return [wordsOf(error)];
  }
}

/** @throws what is not an error of a launch */
function wordsOf(error: unknown): string {
  if (!(error instanceof DynuserError)) {
    throw error;
  }
  const { field } = error.detail;
  return field === undefined ? error.message : `${field}: ${error.message}`;
}
