/** The options that describe a request for a user, as parameters of Acquire and Explain. The daemon judges them. */
import { asPid } from '../core/ids.ts';
import type { JsonObject } from '../varlink/json.ts';
import { type Invocation, lastValue, type OptionValues } from './command-line.ts';
import { usageFailure } from './failure.ts';
import { printable } from './render/text.ts';

const DIRECTORY_PARAMETERS = {
  'state-directory': 'stateDirectory',
  'cache-directory': 'cacheDirectory',
  'logs-directory': 'logsDirectory',
  'runtime-directory': 'runtimeDirectory',
} as const;

/** What Acquire and Explain take alike. */
function requestParameters({ operands, options }: Invocation): JsonObject {
  const user = lastValue(options, 'user');
  const directories = Object.entries(DIRECTORY_PARAMETERS).flatMap(([option, parameter]) => {
    const values = options.get(option);
    return values === undefined ? [] : [[parameter, values] as const];
  });
  return {
    unit: operands[0] ?? '',
    ...(user === undefined ? {} : { userName: user }),
    ...(options.has('per-instance') ? { perInstance: true } : {}),
    ...Object.fromEntries(directories),
    ...(options.has('verify') ? { verify: true } : {}),
  };
}

/** @throws CommandFailure with status 2 for a mode that is none */
export function explainParameters(invocation: Invocation): JsonObject {
  const { options } = invocation;
  return {
    ...requestParameters(invocation),
    ...handover(options, 'explain'),
  };
}

/** @throws CommandFailure with status 2 for a mode or a process that is none, or that the lifetime has no use for */
export function acquireParameters(invocation: Invocation): JsonObject {
  const { options } = invocation;
  return {
    ...requestParameters(invocation),
    ...handover(options, 'acquire'),
    ...lifetime(options),
    ...(options.has('no-kill-processes') ? { killProcesses: false } : {}),
    ...(options.has('no-remove-ipc') ? { removeIPC: false } : {}),
  };
}

function lifetime(options: OptionValues): JsonObject {
  const given = lastValue(options, 'lifetime') ?? 'explicit';
  const text = lastValue(options, 'pid');
  if (given !== 'process') {
    if (text !== undefined) {
      throw usageFailure("option '--pid' goes with '--lifetime=process'", 'acquire');
    }
    return { lifetime: given };
  }
  if (text === undefined) {
    // This command itself ends at once, and whose its parent is nobody has said.
    throw usageFailure("option '--lifetime=process' needs the process that the lease ends with: --pid=PID", 'acquire');
  }
  const pid = /^[0-9]{1,10}$/.test(text) ? asPid(Number(text)) : undefined;
  if (pid === undefined) {
    throw usageFailure(`'${printable(text)}' is no process id for '--pid': it is a number such as 4711`, 'acquire');
  }
  return { lifetime: given, pid };
}

/** @param verb for the hint of a usage error */
function handover(options: OptionValues, verb: string): JsonObject {
  return {
    ...modes(options, verb),
    ...(options.has('expose-directories') ? { exposeDirectories: true } : {}),
    ...(options.has('runtime-directory-preserve') ? { runtimeDirectoryPreserve: true } : {}),
  };
}

function modes(options: OptionValues, verb: string): JsonObject {
  const given = Object.entries(DIRECTORY_PARAMETERS).flatMap(([option, parameter]) => {
    const text = lastValue(options, `${option}-mode`);
    return text === undefined ? [] : [[`${parameter}Mode`, readMode(`--${option}-mode`, text, verb)] as const];
  });
  return Object.fromEntries(given);
}

/** Octal, as chmod(1) takes it: at most four digits that mean anything. */
function readMode(option: string, text: string, verb: string): number {
  if (!/^0*[0-7]{1,4}$/.test(text)) {
    throw usageFailure(`'${printable(text)}' is no mode for '${option}': it is octal, such as 0750`, verb);
  }
  return Number.parseInt(text, 8);
}
