/** The history as it is written and read again, over power cuts, kills, full disks and clocks that are set. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import type { LeaseId } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { decodeRecord, encodeRecord, LINE_BYTES, segmentsOf } from '../../../src/history/format.ts';
import { History } from '../../../src/history/read.ts';
import { type HistoryLimits, SegmentFiles } from '../../../src/history/segment-files.ts';
import { HISTORY_RETRY_MS, HistoryWriter, WAITING_MAX } from '../../../src/history/writer.ts';
import { until } from '../../support/until.ts';
import { gid, uid, unitName, userName } from '../allocator/fakes.ts';
import { buildUseCases, type UseCases } from '../allocator/use-cases.ts';

const NOON = Date.UTC(2026, 10, 28, 12);
const MINUTE = 60_000;

interface Host {
  readonly directory: string;
  time: number;
  monotonic: number;
  uptime: number;
  limits: HistoryLimits | undefined;
  readonly said: string[];
}

function hostOf(context: TestContext): Host {
  const parent = mkdtempSync(`${tmpdir()}/dynuser-history-`);
  context.after(() => rmSync(parent, { recursive: true }));
  const limits = { bytes: 0, ms: 0 };
  return { directory: `${parent}/lib/history`, time: NOON, monotonic: 0, uptime: 100, limits, said: [] };
}

/** Time goes by. */
function pass(host: Host, ms: number): void {
  host.time += ms;
  host.monotonic += ms;
  host.uptime += ms / 1_000;
}

function writerOf(host: Host, built: Pick<UseCases, 'events' | 'users'>): HistoryWriter {
  const { directory, said } = host;
  return new HistoryWriter({
    ...{ directory, events: built.events, origin: 'boot=b version=1' },
    users: () => [...built.users.dynamic(), ...built.users.ending()],
    clock: { now: () => host.time, monotonic: () => host.monotonic, uptime: () => host.uptime },
    limits: () => host.limits,
    onTrouble: reason => said.push(`trouble: ${reason}`),
    onRecovery: () => said.push('recovered'),
  });
}

/** Use cases whose leases begin at the host's time. */
function useCasesAt(host: Host): UseCases {
  return buildUseCases('61184-65519', undefined, {
    clock: { now: () => host.time, monotonic: () => host.monotonic, sinceBoot: () => host.monotonic },
  });
}

/** The lines of all segments: kind, minutes after noon, name. */
function lines({ directory }: Host): string[] {
  return segmentsOf(readdirSync(directory)).flatMap(({ name }) => {
    const bytes = readFileSync(`${directory}/${name}`);
    return Array.from({ length: Math.floor(bytes.length / LINE_BYTES) }, (_, index) => {
      const record = decodeRecord(bytes, index * LINE_BYTES);
      const minute = Math.round(((record?.time ?? 0) - NOON) / MINUTE);
      return record === undefined
        ? 'damaged'
        : `${minute} ${record.kind} ${'span' in record ? record.span.name : record.text}`;
    });
  });
}

const isWritten = (host: Host, line: RegExp): boolean =>
  existsSync(host.directory) && lines(host).some(text => line.test(text));

/** Whether the last line is of now. */
function isWrittenSoFar({ directory, time }: Host): boolean {
  const last = existsSync(directory) ? segmentsOf(readdirSync(directory)).at(-1)?.name : undefined;
  const bytes = last === undefined ? Buffer.alloc(0) : readFileSync(`${directory}/${last}`);
  return bytes.length >= LINE_BYTES && decodeRecord(bytes, bytes.length - LINE_BYTES)?.time === time;
}

const words = (history: History, minute: number, uid?: number): string[] =>
  history
    .at(NOON + minute * MINUTE, uid)
    .flatMap(({ spans }) =>
      spans.map(({ name, until }) => `${name} ${until === undefined ? '-' : (until - NOON) / MINUTE}`),
    )
    .sort();

/** A user that comes and goes at once. */
function tellShort({ time }: Host, { events }: UseCases, count: number): void {
  const cleanup = { processes: true, ipc: true };
  const lease: Lease = {
    ...{ id: '0'.repeat(32) as LeaseId, unit: unitName('x.service'), lifetime: 'explicit', pid: undefined },
    ...{ owner: uid(0), since: time, directories: [], cleanup },
  };
  const number = 61_184 + (count % 50);
  const name = userName(`short${count % 50}`);
  const user: DynamicUser = { uid: uid(number), gid: gid(number), name, dynamic: true, leases: [lease] };
  events.tell({ kind: 'allocated', user, lease, joined: false });
  events.tell({ kind: 'ended', user });
}

async function manyShort(host: Host, built: UseCases, users: number): Promise<void> {
  for (let count = 0; count < users; count++) {
    pass(host, 1_000);
    tellShort(host, built, count);
    if (count % 3_000 === 0) {
      // Only so many may wait for the disk.
      await until('what has happened is written', () => isWrittenSoFar(host));
    }
  }
}

/** Three users: one that lives, one that has ended, and one that came after it. */
async function threeUsers(host: Host) {
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  const stays = await built.acquire('stays.service');
  pass(host, 10 * MINUTE);
  const ends = await built.acquire('ends.service');
  pass(host, 10 * MINUTE);
  await built.release(ends.lease.id);
  pass(host, 10 * MINUTE);
  const later = await built.acquire('later.service');
  return { built, writer, stays, ends, later };
}

test('says who had which UID at any time, and of one UID or name all of its users', async context => {
  const host = hostOf(context);
  const { writer, stays, ends } = await threeUsers(host);
  await writer.stop(5_000);
  const history = History.open(host.directory);
  assert.deepEqual(words(history, -1), []);
  assert.deepEqual(words(history, 5), ['stays -']);
  assert.deepEqual(words(history, 15), ['ends 20', 'stays -']);
  assert.deepEqual(words(history, 20), ['stays -'], 'at the very end it has ended');
  assert.deepEqual(words(history, 1_000), ['later -', 'stays -']);
  assert.deepEqual(words(history, 15, ends.user.uid), ['ends 20']);
  assert.deepEqual(words(history, 15, 61_184 + 61_184), []);
  const [found] = history.find({ name: 'ends', max: 10 }).spans;
  assert.deepEqual(found, {
    ...{ uid: ends.user.uid, name: 'ends', unit: 'ends.service', owner: 0 },
    ...{ since: NOON + 10 * MINUTE, until: NOON + 20 * MINUTE, how: 'end' },
  });
  assert.deepEqual(
    history.find({ uid: stays.user.uid, max: 10 }).spans.map(span => span.until),
    [undefined],
  );
  assert.deepEqual(
    history.find({ from: NOON + 25 * MINUTE, to: NOON + 26 * MINUTE, max: 10 }).spans.map(({ name }) => name),
    ['stays'],
  );
  const limited = history.find({ max: 1 });
  assert.deepEqual([limited.spans.length, limited.omitted], [1, 2]);
  assert.equal(history.damaged, 0);
});

test('only root can read it', async context => {
  const host = hostOf(context);
  await (await threeUsers(host)).writer.stop(5_000);
  assert.equal(statSync(host.directory).mode & 0o7777, 0o700);
  for (const name of readdirSync(host.directory)) {
    assert.equal(statSync(`${host.directory}/${name}`).mode & 0o7777, 0o600);
  }
});

test('the next daemon continues: who lives is not noted again, and what ended meanwhile is', async context => {
  const host = hostOf(context);
  const { built, writer, stays } = await threeUsers(host);
  await writer.stop(5_000);
  // Ends while nobody takes note.
  await built.release(stays.lease.id);
  await built.acquire('unseen.service');
  pass(host, 10 * MINUTE);
  const next = writerOf(host, built);
  next.start();
  await next.stop(5_000);
  assert.deepEqual(lines(host).slice(-3), ['40 start boot=b version=1', '40 gone stays', '40 found unseen']);
  const history = History.open(host.directory);
  const [gone] = history.find({ name: 'stays', max: 10 }).spans;
  assert.deepEqual([gone?.how, gone?.until], ['gone', NOON + 40 * MINUTE]);
  const [found] = history.find({ name: 'unseen', max: 10 }).spans;
  assert.deepEqual([found?.isFound, found?.since], [true, NOON + 30 * MINUTE], 'its lease says since when');
});

test('a power cut takes lines from the end, and leaves garbage in place of them', async context => {
  for (const damage of ['torn', 'zeros', 'garbage'] as const) {
    const host = hostOf(context);
    const { built, writer } = await threeUsers(host);
    await writer.stop(5_000);
    const [name] = readdirSync(host.directory);
    const path = `${host.directory}/${name}`;
    const whole = statSync(path).size;
    if (damage === 'torn') {
      truncateSync(path, whole - 10);
    } else {
      appendFileSync(path, Buffer.alloc(LINE_BYTES * 3 + 50, damage === 'zeros' ? 0 : 'x'));
    }
    const history = History.open(host.directory);
    assert.deepEqual(words(history, 15), ['ends 20', 'stays -']);
    const next = writerOf(host, built);
    next.start();
    await next.stop(5_000);
    const last = damage === 'torn' ? ['30 start boot=b version=1', '30 found later'] : ['30 start boot=b version=1'];
    assert.deepEqual(lines(host).slice(-last.length), last, damage);
    assert.ok(!lines(host).includes('damaged'), damage);
    assert.deepEqual(words(History.open(host.directory), 35), ['later -', 'stays -']);
  }
});

test('a damaged line in the middle is skipped and counted, and nothing after it is lost', async context => {
  const host = hostOf(context);
  await (await threeUsers(host)).writer.stop(5_000);
  const [name] = readdirSync(host.directory);
  const bytes = readFileSync(`${host.directory}/${name}`);
  bytes[LINE_BYTES * 3 + 90] = 0;
  writeFileSync(`${host.directory}/${name}`, bytes);
  const history = History.open(host.directory);
  assert.deepEqual(words(history, 35), ['later -', 'stays -']);
  assert.ok(history.damaged > 0);
});

test('a clock that is set back begins a new segment, and a time that came twice has two answers', async context => {
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  const first = await built.acquire('first.service');
  pass(host, 60 * MINUTE);
  await built.release(first.lease.id);
  await writer.stop(5_000);
  host.time -= 50 * MINUTE;
  const next = writerOf(host, built);
  next.start();
  pass(host, 10 * MINUTE);
  await built.acquire('second.service');
  await next.stop(5_000);
  assert.equal(readdirSync(host.directory).length, 2);
  const history = History.open(host.directory);
  assert.deepEqual(words(history, 5), ['first 60']);
  assert.deepEqual(words(history, 30), ['first 60', 'second -']);
  assert.deepEqual(words(history, 70), ['second -']);
});

test('a clock that is set forward is noted, and so it is if the host has slept no clock was set', async context => {
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  await until('its start is written', () => isWritten(host, / start /));
  pass(host, MINUTE);
  // It sleeps: the monotonic clock stands still.
  host.time += MINUTE;
  host.uptime += 60;
  await built.acquire('a.service');
  await until('the user is written', () => isWritten(host, / begin a$/));
  host.time += 60 * MINUTE;
  await built.acquire('b.service');
  await writer.stop(5_000);
  assert.deepEqual(
    lines(host).filter(line => /clock/.test(line)),
    ['62 clock set forward by 3600.0 s'],
  );
});

test('segments are of a bounded length, each tells who lives, and the oldest are removed', async context => {
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  await built.acquire('stays.service');
  await manyShort(host, built, 9_000);
  await writer.stop(10_000);
  const names = readdirSync(host.directory).sort();
  assert.equal(names.length, 3);
  assert.ok(names.every(name => statSync(`${host.directory}/${name}`).size <= 8_192 * LINE_BYTES + 256 * LINE_BYTES));
  const history = History.open(host.directory);
  assert.equal(history.find({ name: 'short7', max: 10_000 }).spans.length, 180);
  assert.deepEqual(words(history, 100), ['stays -']);
  host.limits = { bytes: 2 * 1024 * 1024, ms: 0 };
  const next = writerOf(host, built);
  next.start();
  await manyShort(host, built, 4_500);
  await next.stop(10_000);
  const kept = readdirSync(host.directory).sort();
  assert.ok(!kept.includes(names[0] ?? '') && kept.length === 2, kept.join(' '));
  assert.deepEqual(
    History.open(host.directory)
      .find({ name: 'stays', max: 1 })
      .spans.map(({ since }) => since),
    [NOON],
  );
});

test('finds the end of each user, of however many, in whichever later segment it is', async context => {
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  const users = [];
  for (let count = 0; count < 80; count++) {
    users.push(await built.acquire(`long${count}.service`));
  }
  pass(host, MINUTE);
  const asked = (host.time - NOON) / MINUTE;
  const expected: string[] = [];
  for (const [round, { lease, user }] of users.entries()) {
    // One ends at the begin of a segment, some within, and one never.
    if (round % 20 === 0) {
      await manyShort(host, built, 3_000);
    }
    if (round < 79) {
      pass(host, MINUTE);
      await built.release(lease.id);
    }
    expected.push(`${user.name} ${round < 79 ? (host.time - NOON) / MINUTE : '-'}`);
  }
  await manyShort(host, built, 3_000);
  await writer.stop(10_000);
  assert.ok(readdirSync(host.directory).length >= 3);
  const history = History.open(host.directory);
  assert.deepEqual(words(history, asked), expected.sort());
  assert.deepEqual(
    words(history, asked, users[45]?.user.uid),
    expected.filter(text => text.startsWith('long45 ')),
  );
});

test('a user that a later segment does not know has ended by the begin of that, nobody knows how', async context => {
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  const { lease } = await built.acquire('gone.service');
  pass(host, 10 * MINUTE);
  await built.release(lease.id);
  await manyShort(host, built, 9_000);
  await writer.stop(10_000);
  const [first, second] = readdirSync(host.directory).sort();
  const bytes = readFileSync(`${host.directory}/${first}`);
  // The line about its end.
  const end = bytes.indexOf('end    ');
  bytes[end + 90] = 0;
  writeFileSync(`${host.directory}/${first}`, bytes);
  const history = History.open(host.directory);
  const [span] = history.at(NOON + MINUTE).flatMap(({ spans }) => spans);
  assert.deepEqual([span?.name, span?.how, span?.until], ['gone', 'gone', Number(second?.split(/[-.]/)[1])]);
  assert.equal(history.damaged, 1, 'a line counts once, however often it is come across');
});

test('a user of whom no end is written has ended when its UID had another, if both were there since one moment, too', async context => {
  const host = hostOf(context);
  await (await threeUsers(host)).writer.stop(5_000);
  const [name] = readdirSync(host.directory);
  const since = NOON + 40 * MINUTE;
  const spans = ['first', 'second', 'second'].map(who => ({
    ...{ uid: 65_000, name: who, unit: `${who}.service`, owner: 0, since },
  }));
  for (const [index, span] of spans.entries()) {
    const record = { kind: 'begin', span, time: since + index * MINUTE, uptime: 2_500 + index * 60 } as const;
    appendFileSync(`${host.directory}/${name}`, encodeRecord(record));
  }
  const found = History.open(host.directory).find({ uid: 65_000, max: 10 }).spans;
  assert.deepEqual(
    found.map(span => [span.name, span.until, span.how]),
    [
      ['first', since + MINUTE, 'gone'],
      ['second', undefined, undefined],
    ],
  );
});

test('a directory that cannot be written is said once, nobody waits, and what happened meanwhile is made up for', async context => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const host = hostOf(context);
  writeFileSync(`${host.directory.replace('/lib/history', '')}/lib`, 'in the way');
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  const turns = async (isOver: () => boolean, most = 1_000_000) => {
    for (let turn = 0; turn < most && !isOver(); turn++) {
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  await built.acquire('stays.service');
  for (let round = 0; round < 3; round++) {
    context.mock.timers.tick(10_000);
    await turns(() => round === 0 && host.said.length > 0, round === 0 ? undefined : 500);
  }
  assert.equal(host.said.length, 1);
  assert.match(host.said[0] ?? '', /^trouble: .*(?:EEXIST|ENOTDIR)/);
  for (let count = 0; count < WAITING_MAX / 2 + 100; count++) {
    tellShort(host, built, count);
  }
  const last = await built.acquire('last.service');
  rmSync(`${host.directory.replace('/lib/history', '')}/lib`);
  context.mock.timers.tick(10_000);
  await writer.stop(60_000);
  assert.equal(host.said[1], 'recovered');
  const text = lines(host);
  assert.ok(
    text.some(line => /gap \d+ events are missing/.test(line)),
    text.slice(-3).join('\n'),
  );
  const live = History.open(host.directory)
    .at(host.time)
    .flatMap(({ spans }) => spans.map(({ name }) => name));
  assert.deepEqual(live.sort(), ['last', 'stays']);
  assert.equal(last.user.name, 'last');
});

/** Lets time go by, in steps, until it is so: the next timer may be set only turns after what is seen. */
async function passUntil(context: TestContext, stepMs: number, isOver: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000_000 && !isOver(); turn++) {
    context.mock.timers.tick(stepMs);
    await new Promise(resolve => setImmediate(resolve));
  }
  assert.ok(isOver());
}

test('after another directory has taken the place of the first, that is written to', async context => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  await built.acquire('first.service');
  await passUntil(context, 50, () => isWritten(host, / begin first$/));
  rmSync(host.directory, { recursive: true });
  // A new segment is due, which cannot be made in what is gone.
  host.time -= 10 * MINUTE;
  await built.acquire('second.service');
  await passUntil(context, 50, () => host.said.length > 0);
  assert.match(host.said[0] ?? '', /^trouble: .*ENOENT/);
  await passUntil(context, HISTORY_RETRY_MS, () => host.said.length > 1);
  assert.equal(host.said[1], 'recovered');
  assert.ok(isWritten(host, / begin second$/));
  await writer.stop(5_000);
});

test('what was written is made safe from a power cut a moment later, each time', async context => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const sync = context.mock.method(SegmentFiles.prototype, 'sync');
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  for (const [index, name] of ['one', 'two', 'three'].entries()) {
    await built.acquire(`${name}.service`);
    await passUntil(context, 50, () => existsSync(host.directory) && lines(host).length > index + 1);
    await passUntil(context, 2_000, () => sync.mock.callCount() > index);
  }
  await writer.stop(5_000);
});

test('nothing is kept if that is asked for, and from the moment on in which it is wanted again', async context => {
  const host = hostOf(context);
  host.limits = undefined;
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  await built.acquire('before.service');
  host.limits = { bytes: 0, ms: 0 };
  writer.adjust();
  await built.acquire('after.service');
  await writer.stop(5_000);
  assert.deepEqual(lines(host).slice(1), ['0 gap no history was kept', '0 found before', '0 begin after']);
});

test('a user that has lost its UID has it until then', async context => {
  const host = hostOf(context);
  const built = useCasesAt(host);
  const writer = writerOf(host, built);
  writer.start();
  const { user, lease } = await built.acquire('web.service');
  pass(host, 5 * MINUTE);
  built.locks.foreign.add(user.uid);
  await built.release(lease.id);
  await writer.stop(5_000);
  const [span] = History.open(host.directory).find({ name: 'web', max: 1 }).spans;
  assert.deepEqual([span?.how, span?.until], ['lost', NOON + 5 * MINUTE]);
});

test('a directory that others may write to is not used', async context => {
  const host = hostOf(context);
  const { built, writer } = await threeUsers(host);
  await writer.stop(5_000);
  chmodSync(host.directory, 0o777);
  const next = writerOf(host, built);
  next.start();
  await next.stop(5_000);
  assert.match(host.said.join(), /trouble: .* must belong to the user \d+ and be writable by nobody else/);
});
