/** The options that describe a request for a user, as parameters of Acquire and Explain. The daemon judges them. */
import type { AcquireParameters, ExplainParameters } from '../api/generated/io-dynuser-allocator.ts';
import { DIRECTORY_KINDS } from '../core/directory.ts';
import { asPid } from '../core/ids.ts';
import type { Invocation, OptionValues } from './command.ts';
import { lastValue } from './command-line.ts';
import { usageFailure } from './failure.ts';
import { printable } from './render/text.ts';

/** @throws CommandFailure with status 2 for an invalid mode */
export function explainParameters({ operands, options }: Invocation): ExplainParameters {
  return requestParameters(operands[0] ?? '', options, 'explain');
}

/** @throws CommandFailure with status 2 for an invalid mode or process, or a process that the lifetime has no use for */
export function acquireParameters({ operands, options }: Invocation): AcquireParameters {
  const description = lastValue(options, 'description');
  return {
    ...requestParameters(operands[0] ?? '', options, 'acquire'),
    ...lifetime(options),
    ...(description === undefined ? {} : { description }),
    ...(options.has('no-kill-processes') ? { killProcesses: false } : {}),
    ...(options.has('no-remove-ipc') ? { removeIPC: false } : {}),
  };
}

/** @param verb for the hint of a usage error */
function requestParameters(unit: string, options: OptionValues, verb: string): ExplainParameters {
  const user = lastValue(options, 'user');
  const directories = DIRECTORY_KINDS.flatMap(kind => {
    const values = options.get(`${kind}-directory`);
    const mode = lastValue(options, `${kind}-directory-mode`);
    return [
      ...(values === undefined ? [] : [[`${kind}Directory`, values]]),
      ...(mode === undefined ? [] : [[`${kind}DirectoryMode`, readMode(`--${kind}-directory-mode`, mode, verb)]]),
    ];
  });
  return {
    unit,
    ...(user === undefined ? {} : { userName: user }),
    ...(options.has('per-instance') ? { perInstance: true } : {}),
    ...Object.fromEntries(directories),
    ...(options.has('expose-directories') ? { exposeDirectories: true } : {}),
    ...(options.has('runtime-directory-preserve') ? { runtimeDirectoryPreserve: true } : {}),
    ...(options.has('verify') ? { verify: true } : {}),
  };
}

function lifetime(options: OptionValues): Pick<AcquireParameters, 'lifetime' | 'pid'> {
  const given = (lastValue(options, 'lifetime') ?? 'explicit') as NonNullable<AcquireParameters['lifetime']>;
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

/** Octal, as chmod(1) takes it: at most four digits that mean anything. */
function readMode(option: string, text: string, verb: string): number {
  if (!/^0*[0-7]{1,4}$/.test(text)) {
    throw usageFailure(`'${printable(text)}' is no mode for '${option}': it is octal, such as 0750`, verb);
  }
  return Number.parseInt(text, 8);
}
