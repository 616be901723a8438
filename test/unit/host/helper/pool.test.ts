/** What helpers that are not helpers do to the pool: shell scripts that lie, chatter, hang, die, or are not there. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Requester, ROOT } from '../../../../src/core/access.ts';
import type { Uid } from '../../../../src/core/ids.ts';
import { ACQUIRING_LIMITS, HelperPool, type Outcome, PUBLIC_LIMITS } from '../../../../src/host/helper/pool.ts';
import type { HelperCommand } from '../../../../src/host/helper/process.ts';
import type { Fields } from '../../../../src/host/helper/protocol.ts';
import { until } from '../../../support/until.ts';

const { helpers: HELPERS_MAX, waiting: QUESTIONS_WAITING_MAX } = ACQUIRING_LIMITS;
const PATIENT_MS = 10_000;
const SHORT_MS = 1_000;
/** So many helpers are started at once, and then one in each interval. */
const STARTS_AT_ONCE = 8;
const START_EVERY_MS = 100;

function script(text: string): HelperCommand {
  return ['/bin/sh', '-c', text];
}

type Said = Exclude<Outcome<never>, { kind: 'answered' }> | { kind: 'answered'; answer: string | undefined };

/** Asks for one line, which may be any but "nonsense". */
async function say(pool: HelperPool, text: string, from?: Requester): Promise<Said> {
  const read = (fields: Fields) => fields.all(() => fields.matching(/^(?!nonsense$)/)).join(' ');
  const outcome = await pool.ask([{ text, subject: text, read }], from);
  return outcome.kind === 'answered' ? { kind: outcome.kind, answer: outcome.answers[0] } : outcome;
}

async function withPool(
  command: HelperCommand,
  deadlineMs: number,
  use: (ask: (line: string) => Promise<Said>, pool: HelperPool) => Promise<void>,
): Promise<void> {
  const pool = new HelperPool(command, () => deadlineMs);
  try {
    await use(line => say(pool, line), pool);
  } finally {
    await pool.close();
  }
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-pool-`);
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const ECHO = script('while read -r line; do echo "$line"; done');
const ENVIRONMENT = script('read -r line; env | sort | tr "\\n" " "; echo; read -r line');
const SILENT = script('exec sleep 100');

function endedWith(outcome: Said, reason: RegExp): void {
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
      const names = (outcome.kind === 'answered' ? (outcome.answer ?? '') : '').split(' ').filter(word => word !== '');
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
    withPool(SILENT, 3 * SHORT_MS, async ask => {
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

  it('ends a helper that speaks before it is asked', () =>
    withDirectory(directory => {
      const early = `mkdir ${directory}/first 2>/dev/null && echo $$ >${directory}/pid && echo early && exec sleep 90`;
      return withPool(script(`${early}; read -r l; echo right; read -r l`), PATIENT_MS, async (ask, pool) => {
        pool.warm();
        const pid = () => readFileSync(`${directory}/pid`, 'utf8').trim();
        await until('it has started', () => existsSync(`${directory}/pid`) && pid() !== '');
        await until('it is ended', () => !existsSync(`/proc/${pid()}`));
        assert.deepEqual(await ask('x'), { kind: 'answered', answer: 'right' });
      });
    }));

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
    withPool(script('read -r l; [ "$l" = good ] || exit 1; echo fine; read -r l'), PATIENT_MS, async ask => {
      const started = performance.now();
      const outcomes = await Promise.all(Array.from({ length: 14 }, () => ask('bad')));
      const elapsed = performance.now() - started;
      assert.ok(outcomes.every(outcome => outcome.kind === 'ended'));
      assert.ok(elapsed > 400, `14 starts within ${elapsed} ms`);
      assert.deepEqual(await ask('good'), { kind: 'answered', answer: 'fine' });
    }));

  it('may start as many helpers at once again, after a while without one that died', async context => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    await withPool(script('read -r l; exit 1'), PATIENT_MS, async ask => {
      const died = (count: number) => Promise.all(Array.from({ length: count }, () => ask('bad')));
      for (let round = 0; round < 2; round++) {
        for (const outcome of await died(STARTS_AT_ONCE)) {
          endedWith(outcome, /exited with status 1/);
        }
        for (let earned = 0; earned < 2 * STARTS_AT_ONCE; earned++) {
          context.mock.timers.tick(START_EVERY_MS);
        }
      }
    });
  });

  it('has one helper before it is asked, if it is told to, and no more', () =>
    withDirectory(directory =>
      withPool(script(`echo >${directory}/$$; read -r l; echo fine; read -r l`), PATIENT_MS, async (ask, pool) => {
        pool.warm();
        pool.warm();
        await until('it has started', () => readdirSync(directory).length > 0);
        assert.deepEqual(await ask('x'), { kind: 'answered', answer: 'fine' });
        assert.equal(readdirSync(directory).length, 1);
      }),
    ));

  it('asks other helpers, up to three times, if one says that it is too old', () =>
    withDirectory(directory => {
      const text = `while read -r l; do n=$(ls ${directory} | grep -c $l); echo >${directory}/$l.$$; [ $n -lt \${l#*-} ] && echo again || echo "$l"; done`;
      return withPool(script(text), PATIENT_MS, async ask => {
        for (const line of ['x-0', 'y-1', 'z-3']) {
          assert.deepEqual(await ask(line), { kind: 'answered', answer: line });
        }
        endedWith(await ask('w-4'), /^says again and again that \/etc\/nsswitch.conf has changed$/);
        assert.equal(readdirSync(directory).filter(name => name.startsWith('w-4')).length, 4);
      });
    }));

  it('asks no helper that is as old as the one that has refused', () =>
    withDirectory(directory => {
      // Two helpers that have answered each a question; then one of them says that it is too old.
      const text = `n=0; while read -r l; do n=$((n + 1)); [ $l = both ] && echo >${directory}/$$ && while [ $(ls ${directory} | wc -l) -lt 2 ]; do sleep 0.01; done; [ $l = next ] && [ $n -gt 1 ] && echo again || echo $l$n; done`;
      return withPool(script(text), PATIENT_MS, async ask => {
        await Promise.all([ask('both'), ask('both')]);
        assert.deepEqual(await ask('next'), { kind: 'answered', answer: 'next1' });
        assert.deepEqual(await ask('last'), { kind: 'answered', answer: 'last2' });
      });
    }));

  it('asks the next question when one before it was given up', async () => {
    const deadlines = [PATIENT_MS, 200, PATIENT_MS, 100, PATIENT_MS];
    const limits = { ...ACQUIRING_LIMITS, helpers: 1 };
    const command = script('while read -r l; do [ $l = hang ] && exec sleep 100; echo "$l"; done');
    const pool = new HelperPool(command, () => deadlines.shift() ?? 0, limits);
    try {
      // The helper is there: the next question is asked at once.
      assert.deepEqual(await say(pool, 'first'), { kind: 'answered', answer: 'first' });
      const outcomes = await Promise.all(['hang', 'second', 'too-late', 'fourth'].map(line => say(pool, line)));
      assert.deepEqual(outcomes, [
        { kind: 'late', asked: true },
        { kind: 'answered', answer: 'second' },
        { kind: 'late', asked: false },
        { kind: 'answered', answer: 'fourth' },
      ]);
    } finally {
      await pool.close();
    }
  });

  it('asks the next question at once when a helper has died with one', async context => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const limits = { ...ACQUIRING_LIMITS, helpers: 1 };
    const pool = new HelperPool(script('read -r l; [ $l = die ] && exit 3; echo "$l"; read -r l'), () => 1_000, limits);
    const [died, next] = await Promise.all([say(pool, 'die'), say(pool, 'next')]);
    endedWith(died, /exited with status 3/);
    assert.deepEqual(next, { kind: 'answered', answer: 'next' });
    await pool.close();
  });

  it('asks helpers of another command from then on, and waits for the answers that are under way', () =>
    withPool(script('while read -r l; do sleep 0.2; echo "old $l"; done'), PATIENT_MS, async (ask, pool) => {
      assert.deepEqual(await ask('a'), { kind: 'answered', answer: 'old a' });
      const underWay = ask('b');
      pool.renew(script('while read -r l; do echo "new $l"; done'));
      assert.deepEqual(await ask('c'), { kind: 'answered', answer: 'new c' });
      assert.deepEqual(await underWay, { kind: 'answered', answer: 'old b' });
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask('d')));
      assert.deepEqual(new Set(answers.map(said => said.kind === 'answered' && said.answer)), new Set(['new d']));
    }));

  it('has no process left when it is closed', () =>
    withDirectory(async directory => {
      const pool = new HelperPool(script(`echo >${directory}/$$; read -r l; exec sleep 100`), () => PATIENT_MS);
      const asked = [say(pool, 'x'), say(pool, 'x')];
      await until('both have started', () => readdirSync(directory).length === 2);
      await pool.close();
      for (const pid of readdirSync(directory)) {
        assert.equal(existsSync(`/proc/${pid}`), false);
      }
      assert.deepEqual(await Promise.all(asked), [{ kind: 'closed' }, { kind: 'closed' }]);
      pool.warm();
      assert.equal(readdirSync(directory).length, 2);
    }));

  it('is closed at once if it has started nothing', async () => {
    await new HelperPool(SILENT, () => PATIENT_MS).close();
  });

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
  use: (ask: (line: string, from: Requester) => Promise<Said>) => Promise<void>,
): Promise<void> {
  const pool = new HelperPool(
    script(
      'while read -r seconds name; do [ "$seconds" = hang ] && exec sleep 100; sleep "$seconds"; echo "$name"; done',
    ),
    () => PATIENT_MS,
    limits,
  );
  try {
    await use((line, from) => say(pool, line, from));
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

  it('has as many helpers for others as they may have, and no more', () =>
    withSlowPool({ helpers: 4, helpersOfOthers: 2, waiting: 64, questionsPerUid: 64 }, async ask => {
      const hanging = [ask('hang x', requester(1)), ask('hang x', ROOT)];
      assert.deepEqual(await ask('0 y', requester(2)), { kind: 'answered', answer: 'y' });
      hanging.push(ask('hang x', requester(3)));
      const waiting = ask('0 z', requester(4));
      assert.deepEqual(await ask('0 root', ROOT), { kind: 'answered', answer: 'root' });
      assert.equal(await Promise.race([waiting, sleep(100, 'waits')]), 'waits');
    }));

  it('answers root first, and the others in turn by UID', () =>
    withSlowPool({ helpers: 1, helpersOfOthers: 1, waiting: 64, questionsPerUid: 64 }, async ask => {
      const order: string[] = [];
      const note = async (line: string, from: Requester) => {
        const outcome = await ask(line, from);
        order.push(outcome.kind === 'answered' ? (outcome.answer ?? '') : outcome.kind);
      };
      await Promise.all([
        note('0.2 first', requester(1)),
        ...['a1', 'a2', 'a3'].map(name => note(`0 ${name}`, requester(1))),
        note('0 b1', requester(2)),
        note('0 root', ROOT),
      ]);
      assert.deepEqual(order, ['first', 'root', 'a1', 'b1', 'a2', 'a3']);
    }));

  it('gives up a question that has waited too long, and none that waits behind it', async () => {
    // Two are given up as they wait: one of a user who asked another one, too, and one of a user who asked nothing else.
    const deadlines = [PATIENT_MS, 100, 100];
    const limits = { helpers: 1, helpersOfOthers: 1, waiting: 64, questionsPerUid: 64 };
    const answering = script('while read -r seconds name; do sleep "$seconds"; echo "$name"; done');
    const pool = new HelperPool(answering, () => deadlines.shift() ?? PATIENT_MS, limits);
    try {
      const asked = [
        ...[say(pool, '0.5 a', ROOT), say(pool, '0 b', requester(1)), say(pool, '0 c', requester(2))],
        ...[say(pool, '0 d', requester(1)), say(pool, '0 e', requester(3))],
      ];
      const said = await Promise.all(asked);
      assert.deepEqual(
        said.map(each => (each.kind === 'answered' ? each.answer : each.kind)),
        ['a', 'late', 'late', 'd', 'e'],
      );
    } finally {
      await pool.close();
    }
  });

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
