/**
 * Answers of the companion, which is not trusted: each that has the form of the interface may come at any time. A host holds no name by a UID
 * that it knows to be another's, keeps its records unless it has ended their users, and publishes nobody who cannot be; all that a request is
 * refused with are the errors of the fleet.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLEET_INTERFACE } from '../../../src/api/generated/io-dynuser-fleet.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { decodeSnapshot, encodeSnapshot } from '../../../src/core/fleet-snapshot.ts';
import { asUid, type Uid, type UserName } from '../../../src/core/ids.ts';
import { inRange, parseRange, type UidRange } from '../../../src/core/range.ts';
import type { FleetDeps, FleetWaits } from '../../../src/fleet/deps.ts';
import { Fleet } from '../../../src/fleet/fleet.ts';
import { RecordFiles } from '../../../src/fleet/records.ts';
import { ClientInterfaces } from '../../../src/varlink/client.ts';
import { ConnectionError } from '../../../src/varlink/errors.ts';
import { isJsonObject, type JsonObject } from '../../../src/varlink/json.ts';
import { parseJson } from '../../../src/varlink/json-parser.ts';
import { outcomeOf, type Target } from './types.ts';

const HOST = '0123456789abcdef';
/** Records are synced at each write, which takes a disk its time. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const RANGE = parseRange('70000-70003') as UidRange;
const [MINE, OTHER] = ['mine', 'other'] as UserName[] as [UserName, UserName];
const uid = (number: number): Uid => asUid(number) ?? assert.fail();
/** Nothing waits but for answers, and none of them is late. */
const WAITS: FleetWaits = {
  ...{ bootMs: 0, contactMs: 0, retryFirstMs: 60_000, retryMaxMs: 60_000, verifyMs: 60_000, restoringMs: 60_000 },
};
const ALLOWED = new Set(['FleetUnavailable', 'FleetConflict', 'DirectoryFailed']);
const LOG_LINE_MAX = 1_000;
const INTERFACES = new ClientInterfaces([FLEET_INTERFACE], 'drop');

/** Gives the lines of an input as answers, whatever is asked; a line "-" ends what the session gets, and the rest is for requests. */
class Answers {
  readonly #session: string[];
  readonly #requests: string[];
  #isForRequests = false;
  #isFollowed = false;
  #close: () => void = () => {};
  readonly #closed = new Promise<void>(resolve => {
    this.#close = resolve;
  });
  #exhaust: () => void = () => {};
  /** the session has had all of its answers, or has ended */
  readonly exhausted = new Promise<void>(resolve => {
    this.#exhaust = resolve;
  });

  constructor(input: Buffer) {
    const lines = input.toString('latin1').split('\n');
    const end = lines.indexOf('-');
    this.#session = end < 0 ? lines : lines.slice(0, end);
    this.#requests = end < 0 ? [] : lines.slice(end + 1);
  }

  /** The fleet waits for something, maybe for its next session. */
  paused(): void {
    if (!this.#isFollowed) {
      this.#exhaust();
    }
  }

  beginRequests(): void {
    this.#isForRequests = true;
  }

  readonly companion: FleetDeps['companion'] = {
    call: async <Fields>(method: string) => this.#answer(method).fields as Fields,
    list: method => this.#list(method) as AsyncGenerator<never, void, undefined>,
    connect: async () => {
      this.#isFollowed = true;
      const close = () => {
        this.#isFollowed = false;
        this.#close();
      };
      // Of a client only these are used.
      const client = { stream: () => this.#stream(), close };
      return client as unknown as Awaited<ReturnType<FleetDeps['companion']['connect']>>;
    },
    close: () => this.#close(),
  };

  async *#list(method: string) {
    for (let more = true; more; ) {
      const { fields, continues } = this.#answer(method);
      more = continues;
      yield fields;
    }
  }

  async *#stream() {
    while (this.#session.length > 0 && !this.#isForRequests) {
      yield this.#answer('Bindings').fields;
    }
    this.#exhaust();
    await this.#closed;
  }

  /** @throws VarlinkError, ConnectionError, ReplyMismatch: what a client throws */
  #answer(method: string): { readonly fields: JsonObject; readonly continues: boolean } {
    const line = (this.#isForRequests ? this.#requests : this.#session).shift();
    if (line === undefined) {
      this.#exhaust();
      throw new ConnectionError('no more answers');
    }
    let reply: JsonObject;
    try {
      const { value } = parseJson(Buffer.from(line, 'latin1'));
      reply = isJsonObject(value) ? value : {};
    } catch {
      throw new ConnectionError('no JSON');
    }
    const { error, parameters, continues } = reply;
    const fields = INTERFACES.checkReply(`io.dynuser.Fleet.${method}`, {
      ...{ parameters: isJsonObject(parameters) ? parameters : {}, continues: continues === true },
      ...(typeof error === 'string' ? { error } : {}),
    });
    return { fields, continues: continues === true };
  }
}

/** @returns what came of it in a word. @throws what is not a refusal */
async function ask(request: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify((await request()) ?? null);
  } catch (error) {
    assert.ok(error instanceof DynuserError && ALLOWED.has(error.code), String(error));
    assert.ok(error.message.length <= LOG_LINE_MAX, error.message);
    return error.code;
  }
}

async function tryAnswers(directory: string, input: Buffer): Promise<string> {
  const answers = new Answers(input);
  const ended: string[] = [];
  const log: string[] = [];
  const say = (what: string): void => void log.push(what);
  using records = new RecordFiles(directory, HOST, say);
  await records.putHost({ incarnation: '1.a', boot: 'boot' });
  await records.put({ name: MINE, uid: uid(70_000), directories: [], shared: [] });
  const fleet = new Fleet({
    ...{ records, companion: answers.companion, waits: WAITS },
    settings: () => ({
      ...{ mode: 'required', names: ['*'], range: RANGE, storages: [], forgetMs: 0, trustsBoot: false },
    }),
    identity: { host: HOST, hostName: 'host1', boot: 'boot', version: '1' },
    publish: () => {},
    isLive: () => false,
    endUser: async name => void ended.push(name),
    exists: async () => false,
    ...{ monotonic: () => 0, nonce: () => 'b', log: { info: say, warn: say, error: say } },
    random() {
      answers.paused();
      return 1;
    },
  });
  fleet.start();
  await answers.exhausted;
  await new Promise<void>(resolve => setImmediate(resolve));
  const state = fleet.status().state;
  answers.beginRequests();
  const results = [
    await ask(() => fleet.uidOf(MINE)),
    await ask(() => fleet.hold(OTHER, uid(70_001))),
    await ask(() => fleet.hold(OTHER, uid(70_000))),
    await ask(() => fleet.refresh()),
    await ask(() => fleet.uidOf(OTHER)),
  ];
  assert.ok(records.byName.get(MINE)?.uid === 70_000 || ended.includes(MINE), 'it is kept, or its user was ended');
  assert.ok(!records.byUid.has(uid(70_000)) || ended.length > 0 || records.byUid.get(uid(70_000))?.name === MINE);
  assert.equal(records.byName.size, records.byUid.size);
  for (const record of records.byName.values()) {
    assert.ok(inRange(RANGE, record.uid) && records.byUid.get(record.uid) === record);
    assert.equal(fleet.bindings.userNamed(record.name)?.uid, record.uid);
  }
  const users = fleet.bindings.users();
  assert.ok(users.every(user => inRange(RANGE, user.uid)));
  assert.equal(new Set(users.map(user => user.uid)).size, users.length);
  assert.equal(new Set(users.map(user => user.name)).size, users.length);
  assert.equal(decodeSnapshot(encodeSnapshot(users))?.length, users.length);
  fleet.finding(OTHER);
  await fleet.stop();
  assert.ok(
    log.every(line => line.length <= LOG_LINE_MAX),
    log.find(line => line.length > LOG_LINE_MAX),
  );
  const last = log.at(-1);
  return `${state} ${results.join(' ')} ${last === undefined ? '' : outcomeOf(new Error(last))}`.slice(0, 200);
}

export const fleetAnswers: Target = {
  name: 'fleet-answers',
  pieces: [
    ...[
      '\n',
      '\n-\n',
      '{"parameters":',
      '{"error":"io.dynuser.Fleet.',
      '"continues":true',
      '}',
      '"state":"member"',
      '"fenced"',
    ],
    ...[
      '"restoring":true',
      '"reset":true',
      '"complete":true',
      '"changes":[',
      '"name":"mine"',
      '"name":"other"',
      '"uid":70000',
    ],
    ...[
      '"uid":70001',
      '"state":"bound"',
      '"held":false',
      '"holds":[',
      '"conflicts":[',
      '"revision":5',
      '"cluster":"c"',
    ],
    ...['"incarnation":"fenced.1"', 'NameBound', 'Restoring', 'NotMember', 'StoreUnavailable', '"boundName":"x"'],
  ],
  bytesMax: 4_096,
  start() {
    const top = mkdtempSync(join(MEMORY, 'dynuser-fuzz-answers-'));
    return {
      async run(input) {
        const directory = mkdtempSync(join(top, 'x'));
        try {
          return await tryAnswers(directory, input);
        } finally {
          rmSync(directory, { recursive: true });
        }
      },
      close: () => rmSync(top, { recursive: true }),
    };
  },
};
