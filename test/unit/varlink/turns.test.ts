import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Level, type Task, Turns } from '../../../src/varlink/turns.ts';

/** Turns of an event loop that continues when the test says so, with a clock that advances with the work. */
class Loop {
  readonly done: string[] = [];
  readonly turns: Turns;
  #later: (() => void)[] = [];
  #now = 0;

  constructor(piecesMax: number, msMax: number) {
    this.turns = new Turns({ piecesMax, msMax, now: () => this.#now, later: what => this.#later.push(what) });
  }

  task(name: string, level: Level, pieces: number, ms = 1, owner = name): Task {
    let left = pieces;
    return {
      level,
      owner,
      step: () => {
        this.done.push(name);
        this.#now += ms;
        left -= 1;
        return left > 0;
      },
    };
  }

  /** @returns what was done in the next turn */
  next(): string[] {
    const before = this.done.length;
    for (const what of this.#later.splice(0)) {
      what();
    }
    return this.done.slice(before);
  }

  get isIdle(): boolean {
    return this.#later.length === 0;
  }
}

test('what is asked of an idle loop is done at once', () => {
  const loop = new Loop(4, 100);
  assert.ok(!loop.turns.run(loop.task('a', 'others', 3)));
  assert.deepEqual(loop.done, ['a', 'a', 'a']);
  assert.ok(loop.isIdle);
});

test('past the pieces or the time of a turn, the rest is done in later ones', () => {
  const byPieces = new Loop(2, 100);
  const five = byPieces.task('a', 'others', 5);
  assert.ok(byPieces.turns.run(five));
  assert.ok(byPieces.turns.waits(five));
  assert.equal(byPieces.done.length, 2);
  assert.deepEqual([byPieces.next(), byPieces.next(), byPieces.next()], [['a', 'a'], ['a'], []]);
  assert.ok(!byPieces.turns.waits(five));

  const byTime = new Loop(100, 10);
  byTime.turns.run(byTime.task('slow', 'others', 4, 7));
  assert.equal(byTime.done.length, 2, 'none is begun past the time, one that is begun is finished');
  assert.equal(byTime.next().length, 2);
});

test('a flood of one owner keeps another waiting for one turn, and the first rank for none', () => {
  const loop = new Loop(10, 100);
  for (let count = 0; count < 500; count++) {
    loop.turns.run(loop.task('flood', 'others', 1_000, 0.1, 'attacker'));
  }
  assert.equal(loop.done.length, 10);
  loop.turns.run(loop.task('root', 'first', 1));
  assert.equal(loop.done.at(-1), 'root');
  loop.turns.run(loop.task('user', 'others', 1));
  assert.ok(!loop.done.includes('user'));
  loop.next();
  assert.ok(loop.next().includes('user'));
  assert.ok(loop.done.length <= 10 + 1 + 2 * 10);
});

test('the first level comes first in each turn, and keeps none from its own', () => {
  const loop = new Loop(2, 100);
  const levels: Level[] = ['bus', 'others-new', 'others', 'preferred', 'first'];
  for (const level of levels) {
    loop.turns.run(loop.task(level, level, 100));
  }
  const turn = loop.next();
  assert.deepEqual(
    turn,
    [...levels].reverse().flatMap(level => [level, level]),
  );
});

test('a task that is taken out is not done any more', () => {
  const loop = new Loop(1, 100);
  const task = loop.task('a', 'others', 5);
  loop.turns.run(task);
  loop.turns.cancel(task);
  assert.deepEqual(loop.next(), []);
  assert.ok(loop.isIdle);
});

test('a step may take its own task out', () => {
  const loop = new Loop(10, 100);
  const steps: string[] = [];
  loop.turns.run(loop.task('busy', 'others', 11));
  const own: Task = {
    level: 'others',
    owner: 'x',
    step: () => {
      steps.push('own');
      loop.turns.cancel(own);
      return true;
    },
  };
  loop.turns.run(own);
  loop.next();
  loop.next();
  assert.deepEqual(steps, ['own']);
  assert.ok(loop.isIdle);
});
