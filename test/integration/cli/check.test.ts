/** dynuserctl check, and dynuser-run --check: unit files are judged without a daemon, and by whoever asks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runCommand } from './run-command.ts';

const GOOD =
  '[Service]\nExecStart=/bin/true $OPTIONS\nEnvironmentFile=/nowhere\nRestart=always\nUMask=9\nMemoryMax=1G\n';
const BAD = '[Service]\nExecStart=/bin/true\nPAMName=login\nRootVerity=/x\nUser=%z\n';
const SKIPPED = '[Unit]\nConditionPathExists=/nowhere\nConditionPathIsDirectory=/\n[Service]\nExecStart=/bin/true\n';
const TEMPLATE = '[Service]\nExecStart=/bin/true\nStateDirectory=%i\n';

describe('check', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync('/tmp/dynuser-check-');
    for (const [name, text] of Object.entries({ good: GOOD, bad: BAD, skipped: SKIPPED, 'template@': TEMPLATE })) {
      writeFileSync(join(folder, `${name}.service`), text);
    }
    mkdirSync(join(folder, 'good.service.d'));
    writeFileSync(join(folder, 'good.service.d/10.conf'), '[Service]\nPAMName=\n');
    symlinkSync('/dev/null', join(folder, 'masked.service'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (name: string): string => join(folder, `${name}.service`);
  const check = (...argv: string[]) =>
    runCommand(['check', ...argv], { environment: { DYNUSER_RUNTIME_DIRECTORY: '/nowhere' } });

  it('shows what is taken, and what is left out of it', async () => {
    const { status, output, errors } = await check(file('good'), file('skipped'), file('template@'));
    assert.deepEqual({ status, errors }, { status: 0, errors: '' });
    assert.match(output, /^UNIT +VERDICT +REFUSED +IGNORED +LEFT\n/);
    assert.match(output, /good\.service +accepted +0 +2 +2\n/);
    assert.match(output, /ignored: line 5: UMask= is ignored: not a mode: "9"/);
    assert.match(output, /left to the supervisor: Restart=, MemoryMax=\n/);
    assert.match(output, /on this host: line 2: ConditionPathExists=: the condition/);
    assert.match(output, /\n3 of 3 units accepted\.\n$/);
  });

  it('is JSON, and status 1 if one is refused', async () => {
    const { status, output } = await check('--json=short', file('bad'), file('good'), file('missing'), file('masked'));
    assert.equal(status, 1);
    const [bad, good, ...others] = JSON.parse(output);
    assert.equal(bad.verdict, 'refused');
    assert.deepEqual(
      bad.refused.map((text: string) => /\w+(?==|: unknown)/.exec(text)?.[0]),
      ['PAMName', 'RootVerity', 'User'],
    );
    assert.deepEqual(
      { verdict: good.verdict, left: good.left },
      { verdict: 'accepted', left: ['Restart', 'MemoryMax'] },
    );
    for (const { refused } of others) {
      assert.match(refused[0], /^unitFile: no readable file/);
    }
  });

  it('takes an instance, and a file at least', async () => {
    const { output } = await check('--json=short', '--instance=../x', file('template@'));
    assert.match(JSON.parse(output)[0].refused[0], /^instance: not an escaped instance/);
    const { status, errors } = await check();
    assert.equal(status, 2);
    assert.match(errors, /^dynuserctl: check needs UNIT\.\.\.\n/);
  });

  it("is the launcher's --check, for everybody", () => {
    const { status, stdout, stderr } = spawnSync('dist/lib/dynuser-run', ['--check', '--json=short', file('good')], {
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.equal(JSON.parse(stdout)[0].verdict, 'accepted');
    const late = spawnSync('dist/lib/dynuser-run', ['--explain', '--check', file('good')], { encoding: 'utf8' });
    assert.equal(late.status, 125);
    assert.match(late.stderr, /--check must be the first argument/);
  });
});
