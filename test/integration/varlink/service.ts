/** A small varlink service on a socket of its own, for tests that look at what travels. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import type { ServerLimits } from '../../../src/varlink/limits.ts';
import {
  type Call,
  type InterfaceImplementation,
  type ServerOptions,
  VarlinkServer,
} from '../../../src/varlink/server.ts';
import type { Failure } from '../../../src/varlink/server-connection.ts';

export const SERVICE_INFO = { vendor: 'Example', product: 'Ping', version: '1.2', url: 'https://example.org/' };

const PING_INTERFACE = `interface org.example.ping

# Says the same back.
method Ping(text: string, count: ?int, ratio: ?float) -> (text: string, count: ?int, ratio: ?float)

# The same, a moment later.
method PingLater(text: string) -> (text: string)

# Counts up; with wait, there is no end to it but the connection's.
# [Supports 'more' flag]
method Count(to: int, padding: ?string, wait: ?bool) -> (at: int, padding: ?string)

# Counts up as far as is read; with wait, there is no end to it but the connection's.
# [Supports 'more' flag]
method CountAsRead(to: int, padding: ?string, wait: ?bool) -> (at: int, padding: ?string)

# Keeps the connection from being idle, or no more.
method Keep(keep: bool) -> ()

# Goes wrong in the way that is asked for.
method Fail(how: (declared, undeclared, misshapen, thrown, rejected, reply, late)) -> (text: string)

error Refused(why: string)
`;

export interface TestPeer {
  readonly key: number;
  readonly privileged: boolean;
}

export interface TestService {
  readonly path: string;
  readonly server: VarlinkServer<TestPeer>;
  readonly failures: Failure[];
  /** the text of each Ping, whether or not it was answered */
  readonly pinged: string[];
  /** what ends the connections on which Count had to wait */
  readonly ended: number[];
  /** calls of Count, with what was thrown at their late replies */
  readonly thrown: unknown[];
  /** who the next connections are from */
  identity: TestPeer | 'unknown';
}

/** A directory that is gone after the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'varlink-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

export async function startService(
  t: TestContext,
  limits: Partial<ServerLimits> = {},
  options: Pick<Partial<ServerOptions<TestPeer>>, 'turns' | 'acceptCalls'> = {},
): Promise<TestService> {
  const path = join(temporaryDirectory(t), 'socket');
  const failures: Failure[] = [];
  const pinged: string[] = [];
  const ended: number[] = [];
  const thrown: unknown[] = [];
  const server = new VarlinkServer<TestPeer>({
    info: SERVICE_INFO,
    interfaces: [pingInterface({ pinged, ended, thrown })],
    identify: () => {
      if (service.identity === 'unknown') {
        throw new Error('nobody knows this peer');
      }
      return service.identity;
    },
    quotaKey: peer => peer.key,
    privileged: peer => peer.privileged,
    onFailure: failure => failures.push(failure),
    limits,
    ...options,
  });
  const service: TestService = {
    path,
    server,
    failures,
    pinged,
    ended,
    thrown,
    identity: { key: 1000, privileged: false },
  };
  await server.listen({ path });
  t.after(() => server.close(0));
  return service;
}

function pingInterface(log: Pick<TestService, 'pinged' | 'ended' | 'thrown'>): InterfaceImplementation<TestPeer> {
  const holds = new Map<number, () => void>();
  return {
    description: PING_INTERFACE,
    methods: {
      Ping: ({ parameters }) => {
        log.pinged.push(String(parameters['text']));
        return parameters;
      },
      PingLater: async ({ parameters }) => {
        await sleep(20);
        return parameters;
      },
      Count: call => count(call, log.ended),
      CountAsRead: async call => {
        const { to, padding = '', wait } = call.parameters;
        const closed = new Promise<void>(resolve => call.connection.onClose(resolve));
        await call.sendAll(numbers(Number(to), padding));
        if (wait === true) {
          await closed;
        }
        return { at: Number(to), padding };
      },
      Keep: call => keep(call, holds),
      Fail: call => fail(call, log.thrown),
    },
  };
}

function count(call: Call<TestPeer>, ended: number[]): JsonObject | Promise<JsonObject> {
  const { to, padding = '', wait = false } = call.parameters;
  const last = Number(to);
  for (let at = 1; at < last; at++) {
    call.send({ at, padding });
  }
  if (wait === true) {
    call.send({ at: last, padding });
    return new Promise(resolve => {
      call.connection.onClose(() => {
        ended.push(call.connection.id);
        resolve({ at: 0 });
      });
    });
  }
  return { at: last, padding };
}

function* numbers(end: number, padding: JsonObject[string]): Generator<JsonObject, void, undefined> {
  for (let at = 1; at < end; at++) {
    yield { at, padding };
  }
}

function keep({ connection, parameters }: Call<TestPeer>, holds: Map<number, () => void>): JsonObject {
  if (parameters['keep'] === true) {
    holds.set(connection.id, connection.hold());
  } else {
    // A hold that was ended twice must not end another.
    holds.get(connection.id)?.();
    holds.get(connection.id)?.();
  }
  return {};
}

function fail(call: Call<TestPeer>, thrown: unknown[]): JsonObject | Promise<JsonObject> {
  switch (call.parameters['how']) {
    case 'declared':
      throw new VarlinkError('org.example.ping.Refused', { why: 'asked to' });
    case 'undeclared':
      throw new VarlinkError('org.example.ping.Unheard');
    case 'misshapen':
      throw new VarlinkError('org.example.ping.Refused', { why: 5 });
    case 'thrown':
      throw new TypeError('a slip');
    case 'rejected':
      return Promise.reject(new TypeError('a late slip'));
    case 'late':
      setImmediate(() => {
        try {
          call.send({ text: 'too late' });
        } catch (error) {
          thrown.push(error);
        }
      });
      return { text: 'final' };
    default:
      return { texts: [] };
  }
}
