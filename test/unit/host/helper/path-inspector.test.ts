/** How a helper's words about paths are read, and what is not asked of it. The helper is a shell script; the real one is in integration/host. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { HelperPathInspector } from '../../../../src/host/helper/path-inspector.ts';

/** @returns an inspector whose helper always says the same, and the questions that it was asked */
function saying(context: TestContext, answer: string) {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-inspector-`);
  const script = `while read -r line; do echo "$line" >>${directory}/log; echo '${answer}'; done`;
  const inspector = new HelperPathInspector(['/bin/sh', '-c', script]);
  context.after(async () => {
    await inspector.close();
    rmSync(directory, { recursive: true });
  });
  const log = `${directory}/log`;
  return { inspector, asked: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []) };
}

const NUMBERS = { uid: 1, gid: 2, mode: 0o755, device: '3', inode: '4' };

describe('the components of a path', () => {
  it('are told one by one, down to the first that is not a directory', async context => {
    const answer =
      'inspect directory 1 2 493 3 4 - directory 0 0 4095 18446744073709551615 0 61184 link ../a%20b directory 1 2 0 3 4 unsupported other other nothing';
    const { inspector, asked } = saying(context, answer);
    const statuses = await inspector.inspect('/var/lib', ['private/a b/c', 'web/x', 'y/z', 'none']);
    assert.deepEqual(asked(), ['inspect /var/lib private/a%20b/c web/x y/z none']);
    assert.deepEqual(statuses, [
      [
        { kind: 'directory', ...NUMBERS, ownerHint: 'none' },
        {
          kind: 'directory',
          uid: 0,
          gid: 0,
          mode: 0o7777,
          device: '18446744073709551615',
          inode: '0',
          ownerHint: 61_184,
        },
        { kind: 'link', text: '../a b' },
      ],
      [{ kind: 'directory', ...NUMBERS, mode: 0, ownerHint: 'unsupported' }, { kind: 'other' }],
      [{ kind: 'other' }],
      [{ kind: 'nothing' }],
    ]);
  });

  for (const answer of [
    'inspect',
    'inspect nothing nothing',
    'inspect something',
    'inspect directory 1 2 493 3 4',
    'inspect directory 1 2 493 3 4 -',
    'inspect directory 1 2 4096 3 4 - nothing',
    'inspect directory x 2 493 3 4 - nothing',
    'inspect directory 1 x 493 3 4 - nothing',
    'inspect directory 1 2 493 03 4 - nothing',
    'inspect directory 1 2 493 3 123456789012345678901 - nothing',
    'inspect directory 1 2 493 3 4 x nothing',
    'inspect directory 1 2 493 3 4 4294967295 nothing',
    'inspect directory 1 2 493 3 4 -- nothing',
    'inspect link a%2',
    'inspect link a b',
    'error fstat 5',
    'nothing',
  ]) {
    it(`are not what "${answer}" says`, async context => {
      const { inspector } = saying(context, answer);
      assert.equal(await inspector.inspect('/', ['a/b']), undefined);
    });
  }

  it('are looked at by other means if the helper has no answer within five seconds', async context => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const inspector = new HelperPathInspector(['/bin/sh', '-c', 'exec sleep 60']);
    context.after(() => inspector.close());
    let isOver = false;
    const asked = inspector.inspect('/', ['a']).finally(() => {
      isOver = true;
    });
    context.mock.timers.tick(4_999);
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    context.mock.timers.tick(1);
    assert.equal(await asked, undefined);
  });

  it('are not asked for if a path is too long, or all together are', async context => {
    const { inspector, asked } = saying(context, 'inspect nothing');
    const nothing = [[{ kind: 'nothing' }]];
    const longest = 'x'.repeat(255);
    assert.deepEqual(await inspector.inspect('/', [longest]), nothing);
    assert.deepEqual(await inspector.inspect(longest, ['x']), nothing);
    assert.equal(asked().length, 2);
    for (const [base, path] of [
      ['/', `${longest}x`],
      [`${longest}x`, 'x'],
      ['/', 'ä'.repeat(128)],
    ] as const) {
      assert.equal(await inspector.inspect(base, [path]), undefined);
    }
    assert.equal(asked().length, 2);
  });

  it('are asked for in one line, which has 8,191 bytes at most', async context => {
    const answer = `inspect${' nothing'.repeat(33)}`;
    const { inspector, asked } = saying(context, answer);
    // "inspect / ", 31 paths of 255 bytes with a space each, and two more that fill the line.
    const paths = (rest: number) => [
      ...Array.from({ length: 31 }, () => 'x'.repeat(255)),
      'y'.repeat(100),
      'z'.repeat(rest),
    ];
    const rest = 8_191 - 'inspect / '.length - 31 * 256 - 101;
    assert.equal((await inspector.inspect('/', paths(rest)))?.length, 33);
    assert.equal(asked()[0]?.length, 8_191);
    assert.equal(await inspector.inspect('/', paths(rest + 1)), undefined);
    assert.equal(asked().length, 1);
  });
});
