/** A daemon without a host behind it: a varlink server with the real interface, whose answers the test decides. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ALLOCATOR_INTERFACE,
  type Directory,
  type ExplainReply,
  type Lease,
  type Progress,
  type WatchReply,
} from '../../../src/api/generated/io-dynuser-allocator.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { type Call, VarlinkServer } from '../../../src/varlink/server.ts';
import { sampleAcquired } from '../../unit/cli/sample.ts';

export interface FakeDaemon {
  readonly environment: Readonly<Record<string, string>>;
  readonly socket: string;
  /** what List says */
  leases: Lease[];
  /** the next calls of Acquire, Release or Explain answer with this error */
  refusal: { readonly error: string; readonly parameters: JsonObject } | undefined;
  /** what Acquire says of its directories */
  directories: readonly Directory[];
  /** what Acquire does with them before it answers; what it tells is sent as progress */
  handOver: (tell: (progress: Progress) => void) => Promise<void>;
  /** what Release says that is left */
  remains: string | undefined;
  /** answers of Acquire and Explain wait for this */
  delay: Promise<void>;
  explanation: ExplainReply;
  /** the calls that changed something or asked for it, in their order */
  readonly calls: { readonly method: string; readonly parameters: JsonObject }[];
  /** resolves when a connection on which Acquire was called is closed */
  readonly holderGone: Promise<void>;
  /** sends an event to every watcher */
  announce(event: WatchReply): void;
  /** resolves when somebody watches */
  readonly watched: Promise<void>;
  close(): Promise<void>;
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T>(): Deferred<T> {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>(resolve => {
    settle = resolve;
  });
  return { promise, resolve: value => settle?.(value) };
}

export const LEASE_ID = '0123456789abcdef0123456789abcdef';

/** @param directory its runtime directory, where it takes the place of another */
export async function startFakeDaemon(directory = mkdtempSync(join(tmpdir(), 'dynuserctl-'))): Promise<FakeDaemon> {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, 'io.dynuser.DynamicUser');
  const watchers = new Set<Call<null>>();
  const holderGone = deferred<void>();
  const watched = deferred<void>();
  const endWatches = deferred<JsonObject>();

  const asked = async (call: Call<null>): Promise<void> => {
    fake.calls.push({ method: call.method, parameters: call.parameters });
    await fake.delay;
    if (fake.refusal !== undefined) {
      throw new VarlinkError(fake.refusal.error, fake.refusal.parameters);
    }
  };
  const server = new VarlinkServer<null>({
    info: { vendor: 'dynuser', product: 'dynuserd', version: '9.9.9', url: 'https://example.org' },
    identify: () => null,
    quotaKey: () => 0,
    privileged: () => true,
    onFailure: () => {},
    interfaces: [
      {
        description: ALLOCATOR_INTERFACE,
        methods: {
          Acquire: async call => {
            await asked(call);
            call.connection.onClose(() => holderGone.resolve());
            await fake.handOver(progress => call.send({ progress }));
            const { unit = '' } = call.parameters;
            return { ...sampleAcquired({ directories: fake.directories }), unit };
          },
          Claim: async call => {
            await asked(call);
            call.connection.onClose(() => holderGone.resolve());
            const { directories, environment, ...reference } = sampleAcquired({});
            return { ...reference };
          },
          Release: async call => {
            await asked(call);
            return fake.remains === undefined ? {} : { remains: fake.remains };
          },
          List: call => {
            for (const lease of fake.leases.slice(0, -1)) {
              call.send({ lease });
            }
            const last = fake.leases.at(-1);
            return last === undefined ? {} : { lease: last };
          },
          Reload: async call => {
            await asked(call);
            return { applied: ['KillGraceSec'], deferred: ['UidRange'] };
          },
          Explain: async call => {
            await asked(call);
            return { ...fake.explanation };
          },
          Watch: call => {
            for (const lease of fake.leases) {
              call.send({ event: 'existing', lease });
            }
            call.send({ event: 'ready' });
            watchers.add(call);
            call.connection.onClose(() => watchers.delete(call));
            watched.resolve();
            return endWatches.promise;
          },
        },
      },
    ],
  });
  await server.listen({ path: socket });

  const fake: FakeDaemon = {
    environment: { DYNUSER_RUNTIME_DIRECTORY: directory },
    socket,
    leases: [],
    directories: [],
    handOver: async () => {},
    remains: undefined,
    refusal: undefined,
    delay: Promise.resolve(),
    explanation: { userName: 'a', nameOrigin: 'o', outcome: 'conflict', reason: 'r', candidates: [], handovers: [] },
    calls: [],
    holderGone: holderGone.promise,
    watched: watched.promise,
    announce: event => {
      for (const call of watchers) {
        call.send({ ...event });
      }
    },
    close: async () => {
      await server.close(0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return fake;
}
