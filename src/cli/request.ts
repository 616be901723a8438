/** The options that describe a request for a user, and the parameters of Acquire and Explain that they become. The daemon judges them. */
import type { AcquireParameters, ExplainParameters } from '../api/generated/io-dynuser-allocator.ts';
import { BASE_DIRECTORIES } from '../core/directory-classes.ts';
import type { Invocation, OptionSpec } from './command.ts';
import { usageFailure } from './failure.ts';
import { LIFETIME_OPTIONS, lifetimeParameters } from './lifetimes.ts';
import { printable } from './render/text.ts';

/** The options that name directories, with the directory that those are below; the most usual first. */
const DIRECTORY_OPTIONS = (['state', 'cache', 'logs', 'runtime'] as const).map(
  kind => [`${kind}-directory`, BASE_DIRECTORIES[kind]] as const,
);
const MODE = 'MODE';

/** What acquire and explain take alike: the request for a user, and how its directories are prepared. */
export const REQUEST_OPTIONS: readonly OptionSpec[] = [
  { name: 'user', value: 'NAME', help: 'The name of the user, instead of one derived from the unit' },
  {
    name: 'group',
    value: 'NAME',
    help: 'A group that the user shares with others, and that its directories get; it is made if it does not exist',
  },
  {
    name: 'supplementary-group',
    value: 'NAME',
    repeatable: true,
    help: 'Another group that the user is in, which exists already',
  },
  { name: 'per-instance', help: 'One user for each instance of a template, instead of one for all of them' },
  { name: 'fleet', help: 'A user with the UID that its name has on all hosts of the fleet, whatever FleetNames= says' },
  { name: 'no-fleet', help: 'A user of this host alone, whatever FleetNames= says' },
  ...DIRECTORY_OPTIONS.map(
    ([name, base]): OptionSpec => ({
      name,
      value: 'DIR',
      repeatable: true,
      help: `A directory of the unit below ${base}; the UID that owns it is tried first`,
    }),
  ),
  {
    name: 'verify',
    help: 'Check the owners of all files even if the directory itself has the right one, and repair them; not while a live user has the directory',
  },
  ...DIRECTORY_OPTIONS.map(
    ([name, base]): OptionSpec => ({
      name: `${name}-mode`,
      value: MODE,
      help: `The mode of the directories below ${base}, in octal (0755 unless given)`,
    }),
  ),
  {
    name: 'expose-directories',
    help: 'While the user lives, move its directories to their public paths, with mode 0700; for services that are started without mounts',
  },
  { name: 'runtime-directory-preserve', help: 'Keep directories below /run when the user ends' },
];

const OWN_OPTIONS: readonly OptionSpec[] = [
  { name: 'no-kill-processes', help: 'Do not end processes of the user when it ends' },
  { name: 'no-remove-ipc', help: 'Do not remove IPC objects of the user when it ends' },
  { name: 'description', value: 'TEXT', help: 'What the lease is for, in one line; show tells it' },
];

/** What acquire takes. */
export const ACQUIRE_OPTIONS: readonly OptionSpec[] = [...REQUEST_OPTIONS, ...OWN_OPTIONS, ...LIFETIME_OPTIONS];

/** An option is the parameter with the same words, but for these. */
const OTHERWISE_NAMED: ReadonlyMap<string, string> = new Map([
  ['user', 'userName'],
  ['supplementary-group', 'supplementaryGroups'],
  ['no-remove-ipc', 'removeIPC'],
]);

function parameterOf({ name }: OptionSpec): string {
  const words = name.replace(/^no-/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return OTHERWISE_NAMED.get(name) ?? words;
}

/** Options by the parameters that they become: the operator typed the option. Nothing can be wrong with most switches. */
export const OPTIONS_OF_PARAMETERS: ReadonlyMap<string, string> = new Map([
  ...ACQUIRE_OPTIONS.filter(({ value }) => value !== undefined).map(
    option => [parameterOf(option), `--${option.name}=`] as const,
  ),
  ['exposeDirectories', '--expose-directories'],
]);

/** @throws CommandFailure with status 2 for an invalid mode */
export function explainParameters(invocation: Invocation): ExplainParameters {
  return requestParameters(invocation, 'explain');
}

/** @throws CommandFailure with status 2 for an invalid mode, or what lifetimeParameters() refuses */
export function acquireParameters(invocation: Invocation): AcquireParameters {
  return { ...requestParameters(invocation, 'acquire'), ...lifetimeParameters(invocation.options) };
}

/** @param verb for the hint of a usage error */
function requestParameters({ operands: [unit = ''], options }: Invocation, verb: string): ExplainParameters {
  if (options.has('fleet') && options.has('no-fleet')) {
    throw usageFailure(`${verb} takes one of --fleet and --no-fleet`, verb);
  }
  const given = [...REQUEST_OPTIONS, ...OWN_OPTIONS].flatMap(option => {
    const values = options.get(option.name);
    return values === undefined ? [] : [[parameterOf(option), meaningOf(option, values, verb)] as const];
  });
  return { unit, ...Object.fromEntries(given) };
}

/** Of several values of an option that is not repeatable the last one counts. */
function meaningOf({ name, value, repeatable }: OptionSpec, values: readonly string[], verb: string) {
  const last = values.at(-1) ?? '';
  if (value === undefined) {
    return !name.startsWith('no-');
  }
  return repeatable ? values : value === MODE ? readMode(`--${name}`, last, verb) : last;
}

/** Octal, as chmod(1) takes it: at most four digits that mean anything. */
function readMode(option: string, text: string, verb: string): number {
  if (!/^0*[0-7]{1,4}$/.test(text)) {
    throw usageFailure(`'${printable(text)}' is not a mode for '${option}': it is octal, such as 0750`, verb);
  }
  return Number.parseInt(text, 8);
}
