/** The options that describe a request for a user, as parameters of Acquire and Explain. The daemon judges them. */
import type { JsonObject } from '../varlink/json.ts';
import { type Invocation, lastValue } from './command-line.ts';

const DIRECTORY_PARAMETERS = {
  'state-directory': 'stateDirectory',
  'cache-directory': 'cacheDirectory',
  'logs-directory': 'logsDirectory',
  'runtime-directory': 'runtimeDirectory',
} as const;

export function requestParameters({ operands, options }: Invocation): JsonObject {
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
  };
}
