/** What dynuser-run says when it is refused: in the words of the command or the unit file, with what helps and nothing else. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

const UNIT_FILE = '/etc/refused.service';

describe('an error of dynuser-run', () => {
  let host: Installed;
  before(async () => {
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
    await host.startDaemon();
  });
  after(() => host.machine.stop());

  const refused = async (...argv: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await host.machine.run(['dynuser-run', ...argv]);
    assert.deepEqual([status, stdout], [125, ''], stderr);
    const [only, ...more] = stderr.trimEnd().split('\n');
    assert.deepEqual(more, []);
    return only?.replace(/^dynuser-run: /, '') ?? '';
  };
  const unitText = (...lines: readonly string[]) => ['[Service]', 'ExecStart=/bin/true', ...lines, ''].join('\n');
  const ofFile = async (...lines: readonly string[]): Promise<string> => {
    await host.machine.write(UNIT_FILE, unitText(...lines));
    return refused(`--unit-file=${UNIT_FILE}`);
  };
  const STATIC = ['-p', 'DynamicUser=no'];

  it('names the option that was typed', async () => {
    assert.match(await refused(...STATIC, '--uid=unheard', 'true'), /^--uid=: user unheard does not exist .*; name an/);
    assert.match(await refused('--gid=a:b', 'true'), /^--gid=: not the name of a user or group: "a:b"/);
    assert.match(await refused('--uid=dialout', 'true'), /^--uid=: the group dialout /);
    assert.match(await refused('-E', '1A=b', 'true'), /^--setenv=: not an assignment of a variable: "1A=b"/);
    assert.match(await refused('-u', 'dialout', 'true'), /^--unit=: the group dialout /, 'which the name comes from');
    assert.match(await refused('--unit-file=/nowhere.service'), /^--unit-file=: .*\/nowhere\.service/);
  });

  it('names the property that was typed', async () => {
    assert.match(await refused(...STATIC, '-p', 'User=unheard', 'true'), /^User=: user unheard does not exist/);
    assert.match(await refused('-p', 'StateDirectory=private', 'true'), /^StateDirectory=: "private"/);
    assert.match(await refused('-p', 'StateDirectory=a:b b', 'true'), /^StateDirectory=: the alias b /);
    assert.match(await refused('-p', 'UMask=9', 'true'), /^UMask=: not a mode: "9"/);
  });

  it('names the line of the unit file', async () => {
    const [none, dialout] = [await ofFile('User=unheard'), await ofFile('DynamicUser=yes', 'User=dialout')];
    assert.match(none, /^\/etc\/refused\.service:3: User=: user unheard does not exist/);
    assert.match(dialout, /^\/etc\/refused\.service:4: User=: the group dialout /);
    assert.match(await ofFile('', 'ExecStartPre=x/y'), /^\/etc\/refused\.service:4: ExecStartPre=: /);
  });

  it('is a warning for what systemd ignores in a unit file', async () => {
    await host.machine.write(UNIT_FILE, unitText('DynamicUser=yes', 'CacheDirectory=private', 'Statedirectory=x'));
    const { status, stderr } = await host.machine.run(['dynuser-run', `--unit-file=${UNIT_FILE}`]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^dynuser-run: \/etc\/refused\.service:4: CacheDirectory=: an entry is ignored: "private"/m);
    assert.match(stderr, /:5: Statedirectory= is ignored: it is unknown \(did you mean StateDirectory=\?\)$/m);
  });

  it('is the same for what a launch cannot be, however that was said', async () => {
    const words = '"forking" cannot be launched: the service is the process itself; let it stay in the foreground';
    assert.equal(await refused('-p', 'Type=forking', 'true'), `Type=: ${words}`);
    assert.equal(await refused('--service-type=forking', 'true'), `--service-type=: ${words}`);
    assert.equal(await ofFile('Type=forking'), `${UNIT_FILE}:3: Type=: ${words}`);
  });

  it('names all that is not supported at once', async () => {
    assert.match(
      await ofFile('RootVerity=/x', 'UMask=0022', 'PAMName=y'),
      /^unsupported properties RootVerity= \(\/etc\/refused\.service:3: .*\), PAMName= \(\/etc\/refused\.service:5: .*\); use --ignore-unknown to run without them, less protected than the service is meant to be$/,
    );
    assert.equal(await refused('-p', 'Foo=x', 'true'), 'unknown property "Foo"; use --ignore-unknown to skip it');
  });

  it('that comes from who asks names no option', async () => {
    const { status, stderr } = await host.machine.run(['dynuser-run', '--isolation=best-effort', 'true'], {
      uid: 1000,
    });
    assert.equal(status, 125);
    assert.match(stderr, /^dynuser-run: only root may launch a program as another user/);
  });
});
