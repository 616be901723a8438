/** The parameters of Launch as a launch request, and what a launch asks of the allocator. */
import type { AcquireRequest } from '../allocator/request.ts';
import type { UserName } from '../core/ids.ts';
import type { LaunchRequest, ResolvedLaunch } from '../launch/plan/request.ts';
import type { Json, JsonObject } from '../varlink/json.ts';
import type { LaunchAnswer, LaunchQuestion } from './generated/io-dynuser-allocator.ts';
import { type DirectoryReader, directoriesOf, unitNameOf, userNameOf } from './request.ts';

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
    // The interface has checked the types.
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

/**
 * What a launch asks of the allocator.
 * @param unit the name that the launch wants, or one that was made up for it
 * @throws DynuserError InvalidName, DirectoryFailed, LimitReached; the field is the parameter of Acquire
 */
export function acquireRequestOf(resolved: ResolvedLaunch, unit: string, reader: DirectoryReader): AcquireRequest {
  const { dynamicUser, makesMounts, modes, removeIPC, missing } = resolved;
  const userName = resolved.userName ?? (dynamicUser ? undefined : 'root');
  const settings = { modes, preserveRuntime: resolved.runtimePreserve, expose: resolved.exposeDirectories };
  return {
    ...ofProcess(unit, dynamicUser),
    ...(userName === undefined ? {} : { userName: userNameOf(userName) }),
    ...(missing.length === 0 ? {} : { missing }),
    directories: directoriesOf(resolved.directories, settings, makesMounts, reader),
    makesMounts,
    cleanup: { processes: true, ipc: removeIPC },
    removesAccountIpc: removeIPC,
  };
}

/** @param name the group, and so the user who has it */
export function groupRequestOf({ dynamicUser }: ResolvedLaunch, name: UserName, unit: string): AcquireRequest {
  return { ...ofProcess(unit, dynamicUser), userName: name };
}

/** A user without directories for the process that asks. */
function ofProcess(unit: string, dynamicUser: boolean): AcquireRequest {
  return {
    ...{ unit: unitNameOf(unit), perInstance: false, lifetime: 'process', staticOnly: !dynamicUser },
    ...{ directories: [], makesMounts: false, verify: false, cleanup: { processes: true, ipc: true } },
  };
}

function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
