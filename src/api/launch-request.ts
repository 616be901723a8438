/** The parameters of Launch, and what a launch wants as the parameters of Acquire: between the wire and the room of launches. */
import type { UserName } from '../core/ids.ts';
import type { LaunchRequest, ResolvedLaunch } from '../launch/plan/request.ts';
import type { Json, JsonObject } from '../varlink/json.ts';
import type { LaunchAnswer, LaunchQuestion } from './generated/io-dynuser-allocator.ts';

export function readLaunchRequest(parameters: JsonObject): LaunchRequest {
  const text = (field: string): string | undefined => asText(parameters[field]);
  const unit = text('unit');
  const unitFile = text('unitFile');
  const instance = text('instance');
  const inherit = parameters['inheritEnvironment'];
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(unitFile === undefined ? {} : { unitFile }),
    ...(instance === undefined ? {} : { instance }),
    ...(typeof inherit === 'boolean' ? { inheritEnvironment: inherit } : {}),
    properties: texts(parameters['properties']),
    setEnvironment: texts(parameters['setEnvironment']),
    ignoreUnknown: parameters['ignoreUnknown'] === true,
    untrusted: parameters['untrusted'] === true,
    mayMount: parameters['mayMount'] === true,
    isolation: parameters['isolation'] === 'bestEffort' ? 'bestEffort' : 'full',
  };
}

export function readAnswers(parameters: JsonObject): readonly LaunchAnswer[] {
  const answers = parameters['answers'];
  if (!Array.isArray(answers)) {
    return [];
  }
  return answers.map(answer => {
    // The interface has seen to the types.
    const { kind, path, found, text, names } = answer as JsonObject;
    const given = asText(text);
    return {
      kind: String(kind) as LaunchQuestion['kind'],
      path: String(path),
      found: found === true,
      ...(given === undefined ? {} : { text: given }),
      ...(Array.isArray(names) ? { names: texts(names) } : {}),
    };
  });
}

/** @param unit the name that the launch wants, or one that was made up for it */
export function acquireParameters(resolved: ResolvedLaunch, unit: string): JsonObject {
  const { directories, modes, userName } = resolved;
  const parameters: Record<string, Json> = {
    unit,
    lifetime: 'process',
    runtimeDirectoryPreserve: resolved.runtimePreserve,
    removeIPC: resolved.removeIPC,
    makesMounts: resolved.makesMounts,
    exposeDirectories: resolved.exposeDirectories,
  };
  if (userName !== undefined) {
    parameters['userName'] = userName;
  } else if (!resolved.dynamicUser) {
    parameters['userName'] = 'root';
  }
  for (const kind of ['runtime', 'state', 'cache', 'logs'] as const) {
    parameters[`${kind}Directory`] = [...directories[kind]];
    const mode = modes[kind];
    if (mode !== undefined) {
      parameters[`${kind}DirectoryMode`] = mode;
    }
  }
  return parameters;
}

/** @param name the group, and so the user who has it */
export function acquireGroupParameters(name: UserName, unit: string): JsonObject {
  return { unit, userName: name, lifetime: 'process' };
}

function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
