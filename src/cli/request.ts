/** The options that describe a request for a user, as parameters of Acquire and Explain. The daemon judges them. */
import type { AcquireParameters, ExplainParameters } from '../api/generated/io-dynuser-allocator.ts';
import { DIRECTORY_KINDS } from '../core/directory.ts';
import type { Invocation, OptionValues } from './command.ts';
import { lastValue } from './command-line.ts';
import { usageFailure } from './failure.ts';
import { lifetimeParameters } from './lifetimes.ts';
import { printable } from './render/text.ts';

/** @throws CommandFailure with status 2 for an invalid mode */
export function explainParameters({ operands, options }: Invocation): ExplainParameters {
  return requestParameters(operands[0] ?? '', options, 'explain');
}

/** @throws CommandFailure with status 2 for an invalid mode, or what lifetimeParameters() refuses */
export function acquireParameters({ operands, options }: Invocation): AcquireParameters {
  const description = lastValue(options, 'description');
  return {
    ...requestParameters(operands[0] ?? '', options, 'acquire'),
    ...lifetimeParameters(options),
    ...(description === undefined ? {} : { description }),
    ...(options.has('no-kill-processes') ? { killProcesses: false } : {}),
    ...(options.has('no-remove-ipc') ? { removeIPC: false } : {}),
  };
}

/** @param verb for the hint of a usage error */
function requestParameters(unit: string, options: OptionValues, verb: string): ExplainParameters {
  const user = lastValue(options, 'user');
  const group = lastValue(options, 'group');
  if (options.has('fleet') && options.has('no-fleet')) {
    throw usageFailure(`${verb} takes one of --fleet and --no-fleet`, verb);
  }
  const supplementaryGroups = options.get('supplementary-group');
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
    ...(group === undefined ? {} : { group }),
    ...(supplementaryGroups === undefined ? {} : { supplementaryGroups }),
    ...(options.has('per-instance') ? { perInstance: true } : {}),
    ...(options.has('fleet') || options.has('no-fleet') ? { fleet: options.has('fleet') } : {}),
    ...Object.fromEntries(directories),
    ...(options.has('expose-directories') ? { exposeDirectories: true } : {}),
    ...(options.has('runtime-directory-preserve') ? { runtimeDirectoryPreserve: true } : {}),
    ...(options.has('verify') ? { verify: true } : {}),
  };
}

/** Octal, as chmod(1) takes it: at most four digits that mean anything. */
function readMode(option: string, text: string, verb: string): number {
  if (!/^0*[0-7]{1,4}$/.test(text)) {
    throw usageFailure(`'${printable(text)}' is no mode for '${option}': it is octal, such as 0750`, verb);
  }
  return Number.parseInt(text, 8);
}
