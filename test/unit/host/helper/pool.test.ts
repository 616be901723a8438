/** What helpers that are no helpers do to the pool: shell scripts that lie, chatter, hang, die, or are not there. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Requester, ROOT } from '../../../../src/core/access.ts';
import type { Uid } from '../../../../src/core/ids.ts';
import { HelperPool, type Outcome } from '../../../../src/host/helper/pool.ts';
import {
  ACQUIRING_LIMITS,
  HELPERS_MAX,
  PUBLIC_LIMITS,
  QUESTIONS_WAITING_MAX,
} from '../../../../src/host/helper/pool-limits.ts';
import type { HelperCommand } from '../../../../src/host/helper/process.ts';

const PATIENT_MS = 10_000;
const SHORT_MS = 300;

function script(text: string): HelperCommand {
  return ['/bin/sh', '-c', text];
}

async function withPool(
  command: HelperCommand,
  deadlineMs: number,
  use: (ask: (line: string) => Promise<Outcome<string>>, pool: HelperPool) => Promise<void>,
): Promise<void> {
  const pool = new HelperPool(command, { deadlineMs });
  const ask = (line: string): Promise<Outcome<string>> =>
    pool.ask<string>(`${line}\n`, answer => (answer === 'again' || answer === 'nonsense' ? answer : { answer }));
  try {
    await use(ask, pool);
  } finally {
    await pool.close();
  }
}

const ECHO = script('while read -r line; do echo "$line"; done');
const ENVIRONMENT = script('read -r line; env | sort | tr "\\n" " "; echo; read -r line');
const SILENT = script('exec sleep 100');

function endedWith(outcome: Outcome<string>, reason: RegExp): void {
  assert.equal(outcome.kind, 'ended');
  assert.match(outcome.kind === 'ended' ? outcome.reason : '', reason);
}

describe('a pool of helpers', () => {
  it('gives every question its own answer', () =>
    withPool(ECHO, PATIENT_MS, async ask => {
      const lines = Array.from({ length: 200 }, (_, index) => `question ${index}`);
      const outcomes = await Promise.all(lines.map(ask));
      assert.deepEqual(
        outcomes,
        lines.map(line => ({ kind: 'answered', answer: line })),
      );
    }));

  it('starts helpers with nothing but the switches that keep them from asking us', () =>
    withPool(ENVIRONMENT, PATIENT_MS, async ask => {
      const outcome = await ask('x');
      const names = (outcome.kind === 'answered' ? outcome.answer : '').split(' ').filter(word => word !== '');
      const ours = names.filter(word => !/^(?:PWD|OLDPWD|SHLVL|_)=/.test(word));
      assert.deepEqual(ours, [
        'DYNUSER_NSS_BYPASS=1',
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
        'SYSTEMD_BYPASS_USERDB=io.dynuser.DynamicUser:io.systemd.DropIn',
      ]);
    }));

  it('asks no more helpers at a time than its limit', () =>
    withPool(script('read -r line; sleep 0.2; echo $$; read -r line'), PATIENT_MS, async ask => {
      const outcomes = await Promise.all(Array.from({ length: 12 }, () => ask('x')));
      const processes = new Set(outcomes.map(outcome => (outcome.kind === 'answered' ? outcome.answer : outcome.kind)));
      assert.ok(processes.size >= HELPERS_MAX, 'it used all its helpers');
    }));

  it('gives up at the deadline, and says which questions never had a helper for long', () =>
    withPool(SILENT, SHORT_MS, async ask => {
      const started = performance.now();
      const outcomes = await Promise.all(Array.from({ length: HELPERS_MAX + 1 }, () => ask('x')));
      assert.ok(performance.now() - started < PATIENT_MS, 'it did not wait for the helpers');
      assert.deepEqual(
        outcomes,
        Array.from({ length: HELPERS_MAX + 1 }, (_, index) => ({ kind: 'late', asked: index < HELPERS_MAX })),
      );
    }));

  it('refuses what is beyond its queue, and takes questions again when that is shorter', () =>
    withPool(SILENT, SHORT_MS, async ask => {
      const outcomes = Array.from({ length: HELPERS_MAX + QUESTIONS_WAITING_MAX }, () => ask('x'));
      assert.deepEqual(await ask('x'), { kind: 'full', limit: QUESTIONS_WAITING_MAX, of: 'all' });
      await Promise.all(outcomes);
      assert.equal((await ask('x')).kind, 'late');
    }));

  const LIARS: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
    ['nonsense', 'read -r l; echo nonsense; exec sleep 9', /gave an invalid answer/],
    ['two answers', 'read -r l; printf "a\\nb\\n"; exec sleep 9', /broke its protocol/],
    ['an answer and half of one', 'read -r l; printf "a\\nb"; exec sleep 9', /broke its protocol/],
    ['an endless line', 'read -r l; exec tr "\\0" x </dev/zero', /broke its protocol/],
    [
      'a line just too long',
      'read -r l; head -c 8192 /dev/zero | tr "\\0" x; echo; exec sleep 9',
      /broke its protocol/,
    ],
    ['nothing, and ends', 'read -r l; exit 0', /exited with status 0/],
    ['nothing, and fails', 'read -r l; exit 3', /exited with status 3/],
    ['nothing, by a signal', 'read -r l; kill -ABRT $$', /was ended by SIGABRT/],
    ['again and again', 'read -r l; echo again; exec sleep 9', /again and again/],
  ];
  for (const [what, text, reason] of LIARS) {
    it(`survives a helper that answers ${what}`, () =>
      withPool(script(text), PATIENT_MS, async ask => endedWith(await ask('x'), reason)));
  }

  it('ends a helper that speaks before it is asked', async () => {
    const directory = mkdtempSync(`${tmpdir()}/dynuser-pool-`);
    const first = `mkdir ${directory}/first 2>/dev/null && echo early && exec sleep 9; read -r l; echo right; read -r l`;
    try {
      await withPool(script(first), PATIENT_MS, async (ask, pool) => {
        pool.warm();
        await sleep(200);
        assert.deepEqual(await ask('x'), { kind: 'answered', answer: 'right' });
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('takes the longest line there may be', () =>
    withPool(script('read -r l; head -c 8191 /dev/zero | tr "\\0" x; echo; exec sleep 9'), PATIENT_MS, async ask => {
      assert.deepEqual(await ask('x'), { kind: 'answered', answer: 'x'.repeat(8191) });
    }));

  it('says that the helper is not there', () =>
    withPool(['/nonexistent/dynuser-helper'], PATIENT_MS, async ask => {
      for (let attempt = 0; attempt < 3; attempt++) {
        endedWith(await ask('x'), /^cannot be started \(.*\/nonexistent\/dynuser-helper ENOENT\)$/);
      }
    }));

  it('starts few helpers where each of them dies, and still serves at once when they live again', () =>
    withPool(script('read -r l; [ "$l" = good ] || exit 1; echo fine; read -r l'), 2_000, async ask => {
      const started = performance.now();
      const outcomes = await Promise.all(Array.from({ length: 14 }, () => ask('bad')));
      const elapsed = performance.now() - started;
      assert.ok(outcomes.every(outcome => outcome.kind === 'ended'));
      assert.ok(elapsed > 400, `14 starts within ${elapsed} ms`);
      assert.deepEqual(await ask('good'), { kind: 'answered', answer: 'fine' });
      assert.ok(performance.now() - started - elapsed < 500, 'the next question waited long');
    }));

  it('settles what is open when it is closed, and takes nothing more', () =>
    withPool(SILENT, PATIENT_MS, async (ask, pool) => {
      const outcomes = Array.from({ length: 10 }, () => ask('x'));
      await pool.close();
      for (const outcome of await Promise.all(outcomes)) {
        assert.deepEqual(outcome, { kind: 'closed' });
      }
      assert.deepEqual(await ask('x'), { kind: 'closed' });
    }));
});

const requester = (uid: number): Requester => ({ uid: uid as Uid, isRoot: false });

/** A pool whose helpers answer each question, `SECONDS NAME`, with the name after that time; or never, for the seconds `hang`. */
async function withSlowPool(
  limits: typeof PUBLIC_LIMITS,
  use: (ask: (line: string, from: Requester) => Promise<Outcome<string>>) => Promise<void>,
): Promise<void> {
  const pool = new HelperPool(
    script(
      'while read -r seconds name; do [ "$seconds" = hang ] && exec sleep 100; sleep "$seconds"; echo "$name"; done',
    ),
    { deadlineMs: PATIENT_MS },
    limits,
  );
  try {
    await use((line, from) => pool.ask<string>(`${line}\n`, answer => ({ answer }), from));
  } finally {
    await pool.close();
  }
}

describe('a pool that several users ask', () => {
  it('keeps helpers for root, whatever the questions of others do', () =>
    withSlowPool(ACQUIRING_LIMITS, async ask => {
      const hanging = Array.from({ length: 32 }, (_, index) => ask('hang x', requester(1000 + (index % 4))));
      assert.deepEqual(await ask('0 root', ROOT), { kind: 'answered', answer: 'root' });
      assert.equal(hanging.length, 32);
    }));

  it('answers root first, and the others in turn by UID', () =>
    withSlowPool({ helpers: 1, helpersOfOthers: 1, waiting: 64, questionsPerUid: 64 }, async ask => {
      const order: string[] = [];
      const note = async (line: string, from: Requester) => {
        const outcome = await ask(line, from);
        order.push(outcome.kind === 'answered' ? outcome.answer : outcome.kind);
      };
      await Promise.all([
        note('0.2 first', requester(1)),
        ...['a1', 'a2', 'a3'].map(name => note(`0 ${name}`, requester(1))),
        note('0 b1', requester(2)),
        note('0 root', ROOT),
      ]);
      assert.deepEqual(order, ['first', 'root', 'a1', 'b1', 'a2', 'a3']);
    }));

  it('bounds what one UID may have asked, and lets it ask again once it was answered', () =>
    withSlowPool(PUBLIC_LIMITS, async ask => {
      const { questionsPerUid } = PUBLIC_LIMITS;
      const asked = Array.from({ length: questionsPerUid }, () => ask('0.01 x', requester(7)));
      assert.deepEqual(await ask('0 x', requester(7)), { kind: 'full', limit: questionsPerUid, of: 'uid' });
      const other = ask('0 y', requester(8));
      await Promise.all(asked);
      assert.deepEqual(await other, { kind: 'answered', answer: 'y' });
      assert.deepEqual(await ask('0 z', requester(7)), { kind: 'answered', answer: 'z' });
    }));

  it('bounds what all users but root may have waiting, and takes no place of root for it', () =>
    withSlowPool({ helpers: 1, helpersOfOthers: 1, waiting: 3, questionsPerUid: 64 }, async ask => {
      const asked = Array.from({ length: 4 }, (_, index) => ask('0.05 x', requester(index)));
      assert.deepEqual(await ask('0 x', requester(9)), { kind: 'full', limit: 3, of: 'all' });
      assert.deepEqual(await ask('0 root', ROOT), { kind: 'answered', answer: 'root' });
      await Promise.all(asked);
    }));
});
