/**
 * Runs inside a machine with systemd: the requests and releases that the daemon is killed in. Each has one lease of its
 * own, the victim, beside those of the population.
 */
import { strict as assert } from 'node:assert';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import type { TracedCall } from './call-trace.ts';
import { SOCKET } from './daemon-process.ts';
import { acquire, type Lease } from './population.ts';

/** The steps that ARCHITECTURE.md numbers, and how each is seen from outside. */
const STEPS = {
  'making 1': /^openat\(AT_FDCWD, "\/run\/dynuser\/(?:leases|static)\/[^"]+\.new", O_WRONLY/,
  'making 2': /^flock\(/,
  'making 3': /^symlink\("[^"]+", "\/run\/dynuser\/by-uid\//,
  'making 4': /^symlink\("[^"]+", "\/run\/dynuser\/by-name\//,
  'making 5': /^sendmsg\(.*"FDSTORE=1/,
  members: /^(?:rename|unlink)\([^)]*\/run\/dynuser\/members\/\d+"\)/,
  groups: /^(?:rename|unlink)\([^)]*\/run\/dynuser\/groups\/\w+"\)/,
  'making 6': /^rename\("[^"]+\.new", /,
  // One without parameters is "{}" and its NUL.
  answer: /^write\(\d+, "\{(?:\\"parameters\\"|\}\\0")/,
  'ending 1': /^rename\("[^"]+", "[^"]+\.end"\)/,
  'ending 2, name': /^unlink\("\/run\/dynuser\/by-name\//,
  'ending 2, number': /^unlink\("\/run\/dynuser\/by-uid\//,
  'ending 3': /^write\(\d+, "running \d+; clear-keyrings /,
  'ending 4': /^unlink\("\/run\/systemd\/dynamic-uid\//,
  'ending 4, kept': /^sendmsg\(.*"FDSTOREREMOVE=1/,
  'ending 5': /^unlink\("[^"]+\.end"\)/,
} as const;

export type Step = keyof typeof STEPS;

const MAKING: readonly Step[] = ['making 1', 'making 2', 'making 3', 'making 4', 'making 5', 'making 6', 'answer'];
const WRITING: readonly Step[] = ['making 1', 'making 6', 'answer'];
const ENDING: readonly Step[] = [
  'ending 1',
  'ending 2, name',
  'ending 2, number',
  'ending 3',
  'ending 4',
  'ending 4, kept',
  'ending 5',
];

/** @returns the step that a call is, where it is one */
export function stepOf(call: TracedCall): Step | undefined {
  const found = Object.entries(STEPS).find(([, pattern]) => pattern.test(call.text));
  // The keys of the table are all that there are.
  return found?.[0] as Step | undefined;
}

/** What the victim is bound to, beside its connection. */
interface Bonds {
  readonly client: VarlinkClient;
  readonly sleeper: ChildProcess;
}

export interface Scenario {
  readonly name: string;
  /** what has to be among the calls at which the daemon is killed */
  readonly steps: readonly Step[];
  /** the daemon is killed at every call of it, and not at its steps alone */
  readonly everywhere?: boolean;
  /** the step after which it has happened, answered or not */
  readonly decides: Step;
  /** which of several such steps it is; the first unless given */
  readonly nth?: number;
  readonly request: (bonds: Bonds) => JsonObject;
  /** ends the victim; without it, it is the victim's making that the daemon is killed in */
  readonly end?: (bonds: Bonds, victim: Lease) => Promise<void>;
  /** whether it ends in any case once end() was called: with the next daemon, if not with this one */
  readonly inevitable?: boolean;
}

const UNIT = 'victim';
export const VICTIM = { unit: `${UNIT}.service`, lifetime: 'explicit' };
/** Of the population, with one other lease. */
const JOINED = { ...VICTIM, userName: 'p0' };
/** Of the host: every Debian has it. */
const STATIC = { ...VICTIM, userName: 'games' };
/** Of a group that comes and goes with it. */
const IN_GROUP = { ...VICTIM, group: 'victims' };
const ofProcess = ({ sleeper }: Bonds) => ({ ...VICTIM, lifetime: 'process', pid: sleeper.pid ?? null });

async function release({ client }: Bonds, { lease }: Lease): Promise<void> {
  await client.call('io.dynuser.Allocator.Release', { lease });
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'making, explicit', steps: MAKING, everywhere: true, decides: 'making 6', request: () => VICTIM },
  {
    name: 'making, connection',
    steps: MAKING,
    decides: 'making 6',
    request: () => ({ ...VICTIM, lifetime: 'connection' }),
  },
  { name: 'making, process', steps: MAKING, decides: 'making 6', request: ofProcess },
  { name: 'making, unit', steps: MAKING, decides: 'making 6', request: () => ({ ...VICTIM, lifetime: 'unit' }) },
  { name: 'making, static', steps: WRITING, decides: 'making 6', request: () => STATIC },
  { name: 'joining', steps: WRITING, everywhere: true, decides: 'making 6', request: () => JOINED },
  { name: 'leaving', steps: WRITING, everywhere: true, decides: 'making 6', request: () => JOINED, end: release },
  {
    name: 'release',
    steps: [...ENDING, 'answer'],
    everywhere: true,
    decides: 'ending 1',
    request: () => VICTIM,
    end: release,
  },
  // The group first, and in turn the last.
  {
    name: 'making, in a group',
    steps: [...MAKING, 'members', 'groups'],
    decides: 'making 6',
    nth: 2,
    request: () => IN_GROUP,
  },
  {
    name: 'release, in a group',
    steps: [...ENDING, 'members', 'groups', 'answer'],
    decides: 'ending 1',
    request: () => IN_GROUP,
    end: release,
  },
  {
    name: 'making, in a group that lives',
    steps: [...MAKING, 'members', 'groups'],
    decides: 'making 6',
    nth: 2,
    request: () => ({ ...VICTIM, group: 'p0' }),
  },
  {
    name: 'release, static',
    steps: ['ending 1', 'ending 5', 'answer'],
    decides: 'ending 1',
    request: () => STATIC,
    end: release,
  },
  {
    name: 'end of the connection',
    steps: ENDING,
    decides: 'ending 1',
    request: () => ({ ...VICTIM, lifetime: 'connection' }),
    end: async ({ client }) => client.close(),
  },
  {
    name: 'end of the process',
    steps: ENDING,
    decides: 'ending 1',
    request: ofProcess,
    end: async ({ sleeper }) => {
      sleeper.kill('SIGKILL');
    },
    inevitable: true,
  },
  {
    name: 'end of the unit',
    steps: ENDING,
    decides: 'ending 1',
    request: () => ({ ...VICTIM, lifetime: 'unit' }),
    end: async () => {
      execFileSync('systemctl', ['stop', UNIT]);
    },
    inevitable: true,
  },
];

/** One scenario under way. */
export class Attempt {
  readonly #scenario: Scenario;
  readonly #bonds: Bonds;
  /** the lease, once it was answered */
  victim: Lease | undefined;

  private constructor(scenario: Scenario, bonds: Bonds) {
    this.#scenario = scenario;
    this.#bonds = bonds;
  }

  /** Up to where the trace begins. */
  static async prepare(scenario: Scenario): Promise<Attempt> {
    if (scenario.name.endsWith('unit')) {
      execFileSync('systemd-run', ['--quiet', `--unit=${UNIT}`, 'sleep', 'infinity']);
    }
    const sleeper = spawn('sleep', ['infinity'], { stdio: 'ignore' });
    const attempt = new Attempt(scenario, { client: await connect(SOCKET), sleeper });
    if (scenario.end !== undefined) {
      await attempt.#make();
    }
    return attempt;
  }

  /** Does it, until the host shows that it is done. @returns whether it was, before the daemon was gone */
  async run(gone: AbortSignal): Promise<boolean> {
    const { end } = this.#scenario;
    try {
      if (end === undefined) {
        await this.#make();
        return true;
      }
      assert.ok(this.victim);
      await end(this.#bonds, this.victim);
      while (!gone.aborted && end !== release && isKnown(this.victim)) {
        await sleep(2);
      }
      return !gone.aborted;
    } catch (error) {
      if (!gone.aborted) {
        // The connection is closed a moment before the process is seen to be gone.
        await Promise.race([sleep(5_000, undefined, { signal: gone }).catch(() => undefined)]);
        assert.ok(gone.aborted, String(error));
      }
      return false;
    }
  }

  /** What has to be there after the next start. @param done whether it was, before the daemon was gone */
  expects(done: boolean, calls: readonly TracedCall[]): 'victim' | 'nothing' {
    const { end, inevitable, decides, nth = 1 } = this.#scenario;
    const decided = done || calls.filter(call => call.made && stepOf(call) === decides).length >= nth;
    return end === undefined ? (decided ? 'victim' : 'nothing') : decided || inevitable ? 'nothing' : 'victim';
  }

  async cleanUp(): Promise<void> {
    this.#bonds.client.close();
    this.#bonds.sleeper.kill('SIGKILL');
    // Stopped before, it is not there any more.
    spawnSync('systemctl', ['stop', UNIT]);
  }

  async #make(): Promise<void> {
    this.victim = await acquire(this.#bonds.client, this.#scenario.request(this.#bonds));
  }
}

/** Whether the registry has a user of that number, one that ends included. */
function isKnown({ uid }: Lease): boolean {
  return ['', '.end'].some(suffix => existsSync(`/run/dynuser/leases/${uid}${suffix}`));
}
