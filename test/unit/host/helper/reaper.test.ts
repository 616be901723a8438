/** In which order a helper is asked to end a user's things, and what is made of its answers. The helper is a shell script. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { asGid, asUid } from '../../../../src/core/ids.ts';
import type { RemovedGifts } from '../../../../src/host/helper/protocol.ts';
import { HelperReaper } from '../../../../src/host/helper/reaper.ts';
import { until } from '../../../support/until.ts';

const uid = asUid(61_184);
assert.ok(uid !== undefined);

/**
 * Answers by a shell `case` on the line, with the count of lines so far in $n, and logs the lines. A scan for processes finds
 * some, unless the test says otherwise, and is not logged.
 */
async function withHelper(
  cases: string,
  use: (reaper: HelperReaper, asked: () => readonly string[]) => Promise<void>,
  running = 'echo "running 61184"',
): Promise<void> {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-reaper-`);
  const script = `n=0; while read -r line; do case $line in "running 61184") ${running};; *) n=$((n + 1)); echo "$line" >>${directory}/log; case $line in ${cases} esac;; esac; done`;
  const reaper = new HelperReaper(['/bin/sh', '-c', script]);
  try {
    await use(reaper, () => readFileSync(`${directory}/log`, 'utf8').trimEnd().split('\n'));
  } finally {
    await reaper.close();
    rmSync(directory, { recursive: true });
  }
}

describe('the processes of a user', () => {
  it('are looked for first, and nothing is done where there are none', () =>
    withHelper(
      '*) echo error;;',
      async reaper => {
        assert.equal(await reaper.endProcesses(uid, 60_000), undefined);
        assert.equal(await reaper.endProcesses(uid, 0), undefined);
      },
      'echo running',
    ));

  for (const answer of ['running 61185', 'running 61184 61184', 'free', 'error pidfd_open 24']) {
    it(`are ended all the same where the first look says "${answer}"`, () =>
      withHelper(
        '*) echo free;;',
        async (reaper, asked) => {
          assert.equal(await reaper.endProcesses(uid, 0), undefined);
          assert.deepEqual(asked(), ['kill-processes 61184']);
        },
        `echo "${answer}"`,
      ));
  }

  it('are asked about once where they have gone meanwhile', () =>
    withHelper('*) echo free;;', async (reaper, asked) => {
      assert.equal(await reaper.endProcesses(uid, 60_000), undefined);
      assert.deepEqual(asked(), ['terminate-processes 61184']);
    }));

  it('are found one at a time, and one that has the number as a group alone is not among them', () =>
    withHelper(
      '*) [ $n -eq 1 ] && echo "process 7 sh user" || { [ $n -eq 2 ] && echo "process 8 sh group" || echo free; };;',
      async (reaper, asked) => {
        const found = [await reaper.findProcess(uid), await reaper.findProcess(uid), await reaper.findProcess(uid)];
        assert.deepEqual(found, [7, undefined, undefined]);
        assert.deepEqual(new Set(asked()), new Set(['find-processes 61184']));
      },
    ));

  it('are killed at once without a grace', () =>
    withHelper('kill*) echo free;;', async (reaper, asked) => {
      assert.equal(await reaper.endProcesses(uid, 0), undefined);
      assert.deepEqual(asked(), ['kill-processes 61184']);
    }));

  it('have the grace to end by themselves, and the last look is one that proves it', () =>
    withHelper(
      'find*) [ $n -lt 4 ] && echo "process 7 sh user" || echo free;; kill*) echo free;; *) echo "process 7 sh user";;',
      async (reaper, asked) => {
        const started = performance.now();
        assert.equal(await reaper.endProcesses(uid, 60_000), undefined);
        assert.ok(performance.now() - started < 5_000, 'the rest of the grace is not waited for');
        assert.deepEqual(
          asked().map(line => line.split('-')[0]),
          ['terminate', 'find', 'find', 'find', 'kill'],
        );
      },
    ));

  it('are killed when the grace is over', () =>
    withHelper('kill*) echo free;; *) echo "process 7 sh user";;', async (reaper, asked) => {
      const started = performance.now();
      assert.equal(await reaper.endProcesses(uid, 200), undefined);
      assert.ok(performance.now() - started >= 200);
      assert.equal(asked().at(-1), 'kill-processes 61184');
      assert.ok(asked().length < 10, 'there are pauses between the looks');
    }));

  it('have a grace, however short it is', () =>
    withHelper('*) echo free;;', async (reaper, asked) => {
      assert.equal(await reaper.endProcesses(uid, 1), undefined);
      assert.deepEqual(asked(), ['terminate-processes 61184']);
    }));

  it('are told of at once if they are of another user and have the number as a group alone', () =>
    withHelper('*) echo "process 7 sh group";;', async (reaper, asked) => {
      const left = { kind: 'process', pid: 7, command: 'sh', as: 'group' };
      assert.deepEqual(await reaper.endProcesses(uid, 60_000), left);
      assert.deepEqual(await reaper.endProcesses(uid, 0), left);
      assert.deepEqual(asked(), ['terminate-processes 61184', 'kill-processes 61184']);
    }));

  it('are killed if what is left after a part of the grace is of another user', () =>
    withHelper(
      'terminate*) echo "process 7 sh user";; find*) echo "process 8 sh group";; *) echo free;;',
      async (reaper, asked) => {
        assert.equal(await reaper.endProcesses(uid, 60_000), undefined);
        assert.deepEqual(asked(), ['terminate-processes 61184', 'find-processes 61184', 'kill-processes 61184']);
      },
    ));

  it('are told of where they do not end', () =>
    withHelper('*) sleep 0.5; echo "process 42 D%20state user";;', async (reaper, asked) => {
      const started = performance.now();
      assert.deepEqual(await reaper.endProcesses(uid, 0), { kind: 'process', pid: 42, command: 'D state', as: 'user' });
      assert.ok(performance.now() - started < 7_000, 'it does not try for ever');
      assert.ok(asked().length > 5, 'it tries more than once');
    }));
});

describe('all that a user leaves', () => {
  const line = 'running 61184; clear-keyrings 61184; remove-ipc 61184';
  const clear = 'clear-keyrings 61184; remove-ipc 61184';

  it('is one line if nothing runs any more', () =>
    withHelper('running*) echo "running; free; free";;', async (reaper, asked) => {
      assert.equal(await reaper.endAll(uid, 60_000), undefined);
      assert.deepEqual(asked(), [line]);
    }));

  it('is one line that says what is left if nothing runs any more', () =>
    withHelper('running*) echo "running; free; ipc sysv-shm 7";;', async reaper => {
      assert.deepEqual(await reaper.endAll(uid, 60_000), { kind: 'ipc', object: 'sysv-shm', id: '7' });
    }));

  for (const answer of [
    'echo "running 61184"',
    'echo "error /proc 24"',
    'echo "running; error fork 11"',
    'echo "running 61185; free; free"',
    'echo "running"',
    'exit 3',
  ]) {
    it(`is ended step by step if the answer to the one line is "${answer}"`, () =>
      withHelper(`running*) ${answer};; clear*) echo "free; free";; *) echo free;;`, async (reaper, asked) => {
        assert.equal(await reaper.endAll(uid, 0), undefined);
        assert.deepEqual(asked(), [line, 'kill-processes 61184', clear]);
      }));
  }
});

describe('the IPC objects of a user', () => {
  it('are gone, or one is named', () =>
    withHelper('*) [ $n = 1 ] && echo "free; free" || echo "free; ipc posix-shm /dev/shm/x";;', async reaper => {
      assert.equal(await reaper.removeIpc(uid), undefined);
      assert.deepEqual(await reaper.removeIpc(uid), { kind: 'ipc', object: 'posix-shm', id: '/dev/shm/x' });
    }));
});

describe('what else belongs to a UID', () => {
  it('is removed, one kind at a time', () =>
    withHelper('*) echo free;;', async (reaper, asked) => {
      await reaper.clearKeyrings(uid);
      await reaper.removeAccountIpc(uid, asGid(60) ?? assert.fail());
      assert.deepEqual(asked(), ['clear-keyrings 61184', 'remove-account-ipc 61184,60']);
    }));

  it('was given to it by strangers: what is removed is told of, and nothing if there was nothing', async () => {
    const told: (readonly [uid: number, removed: RemovedGifts])[] = [];
    const script =
      'read -r line; echo "removed 0"; read -r line; echo "removed 2 sysv-msg 7 1000"; read -r line; echo "error msgctl 1"; read -r line';
    const reaper = new HelperReaper(['/bin/sh', '-c', script], (of, removed) => told.push([of, removed]));
    try {
      await reaper.removeGifts(uid);
      assert.deepEqual(told, []);
      await reaper.removeGifts(uid);
      assert.deepEqual(told, [[uid, { count: 2, named: [{ object: 'sysv-msg', id: 7, creator: 1000 }] }]]);
      await assert.rejects(reaper.removeGifts(uid), {
        code: 'HostFailed',
        message:
          'cannot remove the IPC objects that others gave to UID 61184: msgctl failed: operation not permitted (EPERM)',
      });
      assert.equal(told.length, 1);
    } finally {
      await reaper.close();
    }
  });
});

it('a helper of the reaper is there before it is asked', async () => {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-reaper-`);
  const reaper = new HelperReaper(['/bin/sh', '-c', `echo >${directory}/started; read -r line`]);
  try {
    await until('it has started', () => existsSync(`${directory}/started`));
  } finally {
    await reaper.close();
    rmSync(directory, { recursive: true });
  }
});

describe('trouble', () => {
  const TROUBLE: readonly (readonly [what: string, answer: string, message: RegExp])[] = [
    [
      'a refusal',
      'echo "free; error fork 11"',
      /cannot remove the IPC objects of UID 61184: fork failed: .*\(EAGAIN\)/,
    ],
    [
      'processes that cannot be counted',
      'echo "error processes 11"',
      /^cannot clear the keyrings of UID 61184: processes start and end faster than they can be read; find what forks/,
    ],
    ['an invalid number', 'echo invalid', /gave an invalid answer/],
    ['a user, which is nothing that is left', 'echo "free; user games"', /gave an invalid answer/],
    [
      'a helper that dies',
      'exit 3',
      /^cannot remove the IPC objects of UID 61184: the helper process exited with status 3$/,
    ],
  ];
  for (const [what, answer, message] of TROUBLE) {
    it(`is told of: ${what}`, () =>
      withHelper(`*) ${answer};;`, async reaper => {
        await assert.rejects(reaper.removeIpc(uid), { code: 'HostFailed', message });
      }));
  }

  it('is told of where a helper takes longer than half a minute', context => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    return withHelper('*) exec sleep 60;;', async reaper => {
      let isOver = false;
      const asked = assert
        .rejects(reaper.removeIpc(uid), {
          code: 'HostFailed',
          message: 'cannot remove the IPC objects of UID 61184: it took longer than 30 s',
        })
        .finally(() => {
          isOver = true;
        });
      await new Promise(setImmediate);
      context.mock.timers.tick(29_999);
      await new Promise(setImmediate);
      assert.equal(isOver, false);
      context.mock.timers.tick(1);
      await asked;
    });
  });

  it('is told of where the daemon stops', () =>
    withHelper('*) exec sleep 60;;', async reaper => {
      const asked = assert.rejects(reaper.removeIpc(uid), { code: 'HostFailed', message: /is stopping/ });
      await reaper.close();
      await asked;
    }));

  it('does not come of a thousand questions at once', () =>
    withHelper('*) echo "free; free";;', async reaper => {
      const results = await Promise.all(Array.from({ length: 1_000 }, () => reaper.removeIpc(uid)));
      assert.ok(results.every(left => left === undefined));
    }));
});
