/** Runs inside a machine with systemd: the ways in which the soak uses the daemon, each from beginning to end. */
import { strict as assert } from 'node:assert';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { promisify } from 'node:util';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { SOCKET } from './daemon-process.ts';

const run = promisify(execFile);
const NAMES = 200;
const TREES = 6;
/** More users than trees, so that a tree comes to another user nearly each time. */
const TREE_USERS = 7;
const LEASES_AT_ONCE = 3;

/** One use of the daemon. @param client a connection that is kept @param turn a number of its own */
export type Kind = (client: VarlinkClient, turn: number) => Promise<void>;

async function acquire(client: VarlinkClient, request: JsonObject): Promise<JsonObject> {
  return client.call('io.dynuser.Allocator.Acquire', request);
}

async function release(client: VarlinkClient, { lease = null }: JsonObject): Promise<void> {
  await client.call('io.dynuser.Allocator.Release', { lease });
}

async function refused(call: Promise<unknown>, ...errors: readonly string[]): Promise<void> {
  await call.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => {
      assert.ok(error instanceof VarlinkError && errors.some(name => error.error.endsWith(name)), String(error));
    },
  );
}

const explicit: Kind = async (client, turn) => {
  const lease = await acquire(client, { unit: `soak${turn % NAMES}.service`, lifetime: 'explicit' });
  const { uid = null, userName = null } = lease;
  const service = 'io.dynuser.DynamicUser';
  const { record } = await client.call('io.systemd.UserDatabase.GetUserRecord', { uid, userName, service });
  assert.ok(record !== undefined);
  await release(client, lease);
};

const connection: Kind = async (_, turn) => {
  const own = await connect(SOCKET);
  for (let index = 0; index < LEASES_AT_ONCE; index++) {
    await acquire(own, { unit: `wire${(turn + index) % NAMES}.service`, lifetime: 'connection' });
  }
  own.close();
};

const ofProcess: Kind = async (client, turn) => {
  const sleeper = spawn('sleep', ['infinity'], { stdio: 'ignore' });
  const ended = once(sleeper, 'exit');
  for (let index = 0; index < LEASES_AT_ONCE; index++) {
    const userName = `proc${(turn + index) % NAMES}`;
    await acquire(client, { unit: 'proc.service', userName, lifetime: 'process', pid: sleeper.pid ?? null });
  }
  sleeper.kill('SIGKILL');
  await ended;
};

const ofUnit: Kind = async (client, turn) => {
  const unit = `soak-unit-${turn}.service`;
  await run('systemd-run', ['--quiet', `--unit=${unit}`, 'sleep', 'infinity']);
  for (let index = 0; index < LEASES_AT_ONCE; index++) {
    await acquire(client, { unit, userName: `unit${(turn + index) % NAMES}`, lifetime: 'unit' });
  }
  await run('systemctl', ['stop', unit]);
};

const directories: Kind = async (client, turn) => {
  const tree = turn % TREES;
  const request = {
    unit: 'trees.service',
    userName: `tree${tree}-${turn % TREE_USERS}`,
    lifetime: 'explicit',
    stateDirectory: [`soak${tree}`],
    runtimeDirectory: [`soak${tree}/own`],
    exposeDirectories: turn % 2 === 0,
  };
  try {
    await release(client, await acquire(client, request));
  } catch (error) {
    // Another client has the tree now.
    assert.ok(error instanceof VarlinkError && error.error === 'io.dynuser.Allocator.DirectoryFailed', String(error));
  }
};

const launch: Kind = async (_, turn) => {
  const name = `launch${turn % NAMES}`;
  await run('dynuser-run', ['-u', name, '-p', `RuntimeDirectory=${name}`, 'true']);
};

const watch: Kind = async () => {
  const own = await connect(SOCKET);
  for await (const { event } of own.stream('io.dynuser.Allocator.Watch')) {
    if (event === 'ready') {
      break;
    }
  }
};

const refusals: Kind = async client => {
  await refused(acquire(client, { unit: 'no name.service' }), 'InvalidName');
  await refused(acquire(client, { unit: 'absent.service', lifetime: 'unit' }), 'LifetimeEnded');
  await refused(release(client, { lease: '0'.repeat(32) }), 'NoSuchLease');
};

/** Asks, and is gone before the answer. */
const vanishing: Kind = async (_, turn) => {
  const socket = connectSocket(SOCKET);
  await once(socket, 'connect');
  const parameters = { unit: `gone${turn % NAMES}.service`, stateDirectory: [`gone${turn % TREES}`] };
  socket.end(`${JSON.stringify({ method: 'io.dynuser.Allocator.Acquire', parameters })}\0`);
  socket.destroy();
};

/** In every round each is there so many times. */
export const KINDS: readonly (readonly [kind: Kind, times: number])[] = [
  [explicit, 28],
  [connection, 6],
  [ofProcess, 4],
  [ofUnit, 1],
  [directories, 4],
  [launch, 2],
  [watch, 2],
  [refusals, 2],
  [vanishing, 3],
];
