/** What a run of the command uses of its real process: signals, streams, environment and clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { thisProcess } from '../../../src/cli/process-io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const listeners = (): number[] => SIGNALS.map(signal => process.listenerCount(signal));

describe('interruptions', () => {
  for (const signal of SIGNALS) {
    it(`${signal} is one, which is told once`, () => {
      const before = listeners();
      using interruption = thisProcess().listenForInterruption();
      let told = 0;
      interruption.signal.addEventListener('abort', () => told++);
      assert.equal(interruption.signal.aborted, false);
      process.emit(signal);
      assert.deepEqual([interruption.signal.aborted, told], [true, 1]);
      // A second one ends the process, as usual.
      assert.equal(process.listenerCount(signal), before[SIGNALS.indexOf(signal)]);
    });
  }

  it('are listened for until that is disposed of, and the process lives meanwhile', () => {
    const before = listeners();
    const timers = (): number => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;
    const timersBefore = timers();
    const interruption = thisProcess().listenForInterruption();
    assert.deepEqual(
      listeners(),
      before.map(count => count + 1),
    );
    assert.equal(timers(), timersBefore + 1);
    interruption[Symbol.dispose]();
    assert.deepEqual(listeners(), before);
    assert.equal(timers(), timersBefore);
    assert.equal(interruption.signal.aborted, false);
  });
});

describe('the streams of the process', () => {
  /** Makes standard error a terminal for a while. */
  function onTerminal<T>(columns: number | undefined, look: () => T): T {
    const former = ['isTTY', 'columns'].map(
      name => [name, Object.getOwnPropertyDescriptor(process.stderr, name)] as const,
    );
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
    Object.defineProperty(process.stderr, 'columns', { value: columns, configurable: true });
    try {
      return look();
    } finally {
      for (const [name, descriptor] of former) {
        Reflect.deleteProperty(process.stderr, name);
        if (descriptor !== undefined) {
          Object.defineProperty(process.stderr, name, descriptor);
        }
      }
    }
  }

  it('a terminal has its columns, or 80 if it does not know them, and its rows', () => {
    const { errors } = thisProcess();
    for (const [columns, expected] of [
      [120, 120],
      [1, 1],
      [0, 80],
      [undefined, 80],
    ] as const) {
      assert.deepEqual(
        onTerminal(columns, () => errors.terminal),
        { columns: expected, rows: 24 },
      );
    }
  });

  it('an error of a stream is kept, and is not one of the other', () => {
    const { errors, output } = thisProcess();
    assert.equal(errors.broken.aborted, false);
    const reason = new Error('gone');
    process.stderr.emit('error', reason);
    assert.equal(errors.broken.reason, reason);
    assert.equal(output.broken.aborted, false);
  });

  it('a write that fails is kept, and nothing is written any more', async t => {
    const { errors } = thisProcess();
    const reason = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const texts: unknown[] = [];
    t.mock.method(process.stderr, 'write', (text: unknown, done: (error?: Error) => void) => {
      texts.push(text);
      done(texts.length > 1 ? reason : undefined);
      return true;
    });
    await errors.write('a');
    assert.equal(errors.broken.aborted, false);
    await errors.write('b');
    assert.equal(errors.broken.reason, reason);
    await errors.write('c');
    assert.deepEqual(texts, ['a', 'b']);
  });

  it('environment and clock are those of the process', () => {
    const { environment, now } = thisProcess();
    assert.equal(environment, process.env);
    assert.ok(Math.abs(now() - Date.now()) < 60_000);
  });
});
