/** Requests and answers for the tests of launches: what matters is given, the rest is usual. */
import assert from 'node:assert/strict';
import type { LaunchAnswer, LaunchPlan, LaunchQuestion } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { planLaunch, resolveLaunch } from '../../../src/launch/launch.ts';
import { placeOf } from '../../../src/launch/plan/questions.ts';
import type { Acquired, AcquiredDirectory, LaunchRequest, ResolvedLaunch } from '../../../src/launch/plan/request.ts';

export function requestOf(properties: readonly string[], more: Partial<LaunchRequest> = {}): LaunchRequest {
  return {
    properties,
    setEnvironment: [],
    ignoreUnknown: false,
    untrusted: false,
    mayMount: true,
    isolation: 'full',
    ...more,
  };
}

/** The files of a launcher's world: texts by path, and directories by the names that they hold. */
export interface World {
  readonly files?: Readonly<Record<string, string>>;
  readonly directories?: Readonly<Record<string, readonly string[]>>;
  readonly paths?: Readonly<Record<string, readonly string[]>>;
  readonly globs?: Readonly<Record<string, readonly string[]>>;
  /** the interpreters of programs, by the paths where the host has them */
  readonly programs?: Readonly<Record<string, string>>;
  /** what paths lead to, if not to themselves; and those where nothing is */
  readonly links?: Readonly<Record<string, string>>;
  readonly absent?: readonly string[];
  readonly devices?: Readonly<Record<string, readonly string[]>>;
  /** what is in disk images; a path in a part of one is IMAGE:OFFSET:PATH in all of these */
  readonly images?: Readonly<Record<string, readonly string[]>>;
  /** by which images are known */
  readonly stamps?: Readonly<Record<string, string>>;
}

export function answerOf(question: LaunchQuestion, world: World): LaunchAnswer {
  const { kind, path, root } = question;
  const inside = question.inside === undefined ? undefined : placeOf(question.inside);
  const asked = {
    ...{ kind, path },
    ...(root === undefined ? {} : { root }),
    ...(inside === undefined ? {} : { inside }),
  };
  const key = inside === undefined ? path : `${inside}:${path}`;
  if (kind === 'program') {
    const text = world.programs?.[`${root ?? ''}${key}`];
    return text === undefined ? { ...asked, found: false } : { ...asked, found: true, text };
  }
  if (kind === 'file') {
    const text = world.files?.[key];
    return text === undefined ? { ...asked, found: false } : { ...asked, found: true, text };
  }
  if (kind === 'real') {
    const text = world.links?.[path] ?? path;
    return world.absent?.includes(path) === true ? { kind, path, found: false } : { kind, path, found: true, text };
  }
  const stamp = kind === 'image' && question.writable !== true ? world.stamps?.[path] : undefined;
  if (stamp !== undefined && question.look !== true) {
    return { ...asked, found: true, stamp };
  }
  const { directories: directory, globs: glob, paths, devices, images: image } = world;
  const names = { directory, glob, path: paths, devices, image }[kind]?.[key];
  return names === undefined
    ? { ...asked, found: false }
    : { ...asked, found: true, ...(stamp === undefined ? {} : { stamp }), names };
}

export interface ReadOutcome {
  readonly resolved: ResolvedLaunch;
  readonly asked: readonly string[];
  readonly rounds: number;
}

/** Asks and answers until there is nothing to ask. */
export function readIn(world: World, request: LaunchRequest): ReadOutcome {
  const answers: LaunchAnswer[] = [];
  for (let rounds = 0; rounds < 8; rounds++) {
    const outcome = resolveLaunch(request, answers);
    if ('resolved' in outcome) {
      return { resolved: outcome.resolved, asked: answers.map(({ path }) => path), rounds };
    }
    assert.ok(outcome.questions.length > 0);
    answers.push(...outcome.questions.map(question => answerOf(question, world)));
  }
  return assert.fail('more than eight rounds');
}

export function resolvedOf(
  properties: readonly string[],
  more: Partial<LaunchRequest> = {},
  world: World = {},
): ResolvedLaunch {
  return readIn(world, requestOf(properties, more)).resolved;
}

/** What a unit file with these lines in [Service] wants. */
export function resolvedOfUnit(
  lines: readonly string[],
  more: Partial<LaunchRequest> = {},
  world: World = {},
): ResolvedLaunch {
  const unitFile = more.unitFile ?? '/srv/wuff.service';
  const text = ['[Service]', ...lines, ''].join('\n');
  const request = requestOf(more.properties ?? [], { ...more, unitFile });
  return readIn({ ...world, files: { ...world.files, [unitFile]: text } }, request).resolved;
}

export function acquiredOf(more: Partial<Acquired> = {}): Acquired {
  const user = { uid: 61_214, gid: 61_214, userName: 'wuff', dynamic: true, groups: [61_214] };
  return { ...user, directories: [], environment: {}, kernel: { processor: 'x64', deniesWriteExecute: true }, ...more };
}

export function privateDirectory(path: string, more: Partial<AcquiredDirectory> = {}): AcquiredDirectory {
  return {
    kind: 'state',
    publicPath: `/var/lib/${path}`,
    realPath: `/var/lib/private/${path}`,
    readOnly: false,
    handover: 'chown',
    diskUid: 61_214,
    diskGid: 61_214,
    aliases: [],
    device: '2049',
    inode: '77',
    ...more,
  };
}

export function planOf(
  properties: readonly string[],
  acquired: Partial<Acquired> = {},
  more: Partial<LaunchRequest> = {},
  world: World = {},
): LaunchPlan {
  return planLaunch(resolvedOf(properties, more, world), acquiredOf(acquired));
}

/** Asserts that something is refused, by the field and by words that the reason holds. */
export function refuses(act: () => unknown, field: string, words: RegExp = /./, code = 'LaunchFailed'): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof DynuserError, String(error));
    assert.equal(error.detail.field, field, error.message);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
}
