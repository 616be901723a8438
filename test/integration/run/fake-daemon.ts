/** A daemon whose Launch answers what the test says, inside a machine: what the launcher makes of plans is all that is tried. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ALLOCATOR_INTERFACE,
  type LaunchAnswer,
  type LaunchPlan,
  type LaunchReply,
} from '../../../src/api/generated/io-dynuser-allocator.ts';
import { USUAL_GLOBS } from '../../../src/core/usual-questions.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { type Call, VarlinkServer } from '../../../src/varlink/server.ts';
import { FOR_TERMINAL } from '../../support/filters.ts';
import type { RunOptions, RunResult } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';

export const UID = 61_234;
export const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
const LAUNCHER = '/usr/bin/dynuser-run';
/** Room for the answers to all questions. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** What Launch answers: a reply, or one for each call. */
export type Answer = (parameters: JsonObject, call: Call<null>) => LaunchReply | Promise<LaunchReply>;

/** @returns a plan that runs the command of the command line as the user, in no world of its own */
export function plan(changes: Partial<LaunchPlan> = {}): LaunchPlan {
  return {
    uid: UID,
    gid: UID,
    groups: [UID],
    mountNamespace: false,
    mountOps: [],
    privateNetwork: false,
    privateIPC: false,
    privateHostName: false,
    privateControlGroups: false,
    ignoreSigpipe: false,

    noNewPrivileges: true,
    ...FOR_TERMINAL,
    memoryDenyWriteExecute: false,
    boundingSet: 'ffffffffffffffff',
    ambientSet: '0000000000000000',
    umask: 0o022,
    workingDirectoryOptional: false,
    inheritEnvironment: true,
    passEnvironment: [],
    environment: [],
    unsetEnvironment: [],
    ...changes,
  };
}

/** @throws AssertionError unless the launcher has said first, and unasked, what it is asked most often */
function withoutUsual(parameters: JsonObject): JsonObject {
  const { answers, program: _, ...others } = parameters as JsonObject & { readonly answers?: readonly LaunchAnswer[] };
  const usual = answers?.slice(0, USUAL_GLOBS.length) ?? [];
  assert.deepEqual(
    usual.map(({ kind, path }) => [kind, path]),
    USUAL_GLOBS.map(path => ['glob', path]),
  );
  // What it says of its program is tried where that matters.
  const asked = answers?.slice(USUAL_GLOBS.length).filter(({ kind }) => kind !== 'program') ?? [];
  return asked.length === 0 ? others : { ...others, answers: asked };
}

export class LauncherHost {
  readonly machine: Machine;
  /** the calls of Launch, in their order, without what each answers unasked */
  readonly calls: JsonObject[] = [];
  answer: Answer = () => ({ plan: plan() });
  readonly #server: VarlinkServer<null>;

  private constructor(machine: Machine) {
    this.machine = machine;
    this.#server = new VarlinkServer<null>({
      info: { vendor: 'dynuser', product: 'dynuserd', version: '9.9.9', url: 'https://example.org' },
      identify: () => null,
      quotaKey: () => 0,
      privileged: () => true,
      onFailure: () => {},
      limits: { maxFrameBytes: FRAME_BYTES_MAX },
      interfaces: [
        {
          description: ALLOCATOR_INTERFACE,
          methods: {
            Launch: async call => {
              this.calls.push(withoutUsual(call.parameters));
              return { ...(await this.answer(call.parameters, call)) };
            },
          },
        },
      ],
    });
  }

  /** Boots a machine with everything installed, and the fake daemon listening in it. */
  static async boot(options: { readonly varLib?: 'disk' } = {}): Promise<LauncherHost> {
    const machine = await Machine.boot({ init: 'plain', stage: true, ...options });
    const host = new LauncherHost(machine);
    await machine.output(['mkdir', '-p', '/run/dynuser']);
    await host.#server.listen({ path: machine.path(SOCKET) });
    return host;
  }

  /** @returns an answer to every call: this plan */
  planned(changes: Partial<LaunchPlan>): Answer {
    return () => ({ plan: plan(changes) });
  }

  /** Runs dynuser-run with a plan. */
  async run(
    changes: Partial<LaunchPlan>,
    argv: readonly string[],
    options: RunOptions & { readonly flags?: readonly string[] } = {},
  ): Promise<RunResult> {
    this.answer = this.planned(changes);
    return this.launch([...(options.flags ?? []), '--', ...argv], options);
  }

  /** Runs a command in the world of a plan. @returns its standard output; fails where its status is not 0 */
  async output(changes: Partial<LaunchPlan>, argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(changes, argv, options);
    if (status !== 0) {
      throw new Error(`${argv.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
    }
    return stdout.replace(/\n$/, '');
  }

  /** Runs dynuser-run with arguments of its own. */
  launch(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.machine.run([LAUNCHER, ...argv], options);
  }

  /** Waits until no process of the user is left. */
  async untilNothingRuns(): Promise<void> {
    for (let tries = 0; (await this.machine.run(['pgrep', '-u', String(UID)])).status === 0; tries += 1) {
      if (tries === 200) {
        throw new Error('processes of the user are left');
      }
      await sleep(20);
    }
  }

  async stop(): Promise<void> {
    await this.#server.close(0);
    await this.machine.stop();
  }
}
