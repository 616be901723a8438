/** The launcher with AddressSanitizer and UndefinedBehaviorSanitizer, through whole starts and refusals. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { PREPARATION, STARTS } from '../support/launches/starts.ts';
import { testimony } from '../support/launches/traced.ts';
import { Machine } from '../support/machine.ts';
import { buildNative, SANITIZED } from '../support/native.ts';
import { until } from '../support/until.ts';

/** What the launcher holds until execve(2) is nothing that it lost. */
const ENVIRONMENT = { ASAN_OPTIONS: 'detect_leaks=0' };
const REFUSED: readonly (readonly string[])[] = [
  ['--nonsense'],
  ['-p', 'StateDirectory=../x', 'true'],
  ['-p', 'BindPaths=/no/such/file:/mnt', 'true'],
  ['-p', 'DynamicUser=no', '-p', 'Group=nobody-knows', 'true'],
  ['--unit-file=/no/such.service'],
  ['-p', 'EnvironmentFile=/dev/*', 'true'],
  ['-p', 'WorkingDirectory=/nowhere', 'true'],
  ['no-such-program'],
];

let host: Installed;
before(async () => {
  buildNative('run-tests', SANITIZED);
  const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
  host = new Installed(machine);
  const sanitized = `${SANITIZED.lib}/dynuser-run`;
  await machine.sh(`${PREPARATION}\ninstall -m 755 ${sanitized} /usr/bin/dynuser-run`);
  await host.startDaemon();
});
after(() => host.machine.stop());

it('starts programs without a word from the sanitizers', async () => {
  for (const { name, argv } of STARTS) {
    const { status, stdout, stderr } = await host.machine.run(argv, { env: ENVIRONMENT });
    assert.equal(status, 0, `${name}: ${stderr}`);
    assert.match(stderr, /^(?:dynuser-run: .* not applied \(cannot mount\): .*\n)*$/, name);
    assert.ok(testimony(stdout).length > 10);
  }
});

it('runs the other commands of a service without a word from them', async () => {
  const lines = ['PrivateNetwork=yes', 'ExecCondition=/bin/true', 'ExecStart=/bin/sleep 600', 'TimeoutStopSec=30'];
  const others = ['ExecReload', 'ExecStop', 'ExecStopPost'].map(name => `${name}=/bin/true $MAINPID`);
  const unit = '/etc/starts/phases.service';
  await host.machine.write(unit, ['[Service]', 'DynamicUser=yes', ...lines, ...others, ''].join('\n'));
  const launcher = ['dynuser-run', `--unit-file=${unit}`];
  const service = await host.machine.spawn(launcher, { env: ENVIRONMENT });
  await until('the service runs', async () => (await host.machine.run(['pgrep', '-x', 'sleep'])).status === 0);
  for (const option of ['--reload', '--stop', '--stop-post=TERM']) {
    const { status, stderr } = await host.machine.run([...launcher, option], { env: ENVIRONMENT });
    assert.deepEqual([status, stderr], [0, ''], option);
  }
  assert.equal(await service.ended, 143);
  const { status, stderr } = await host.machine.run([...launcher, '--reload'], { env: ENVIRONMENT });
  assert.equal(status, 125);
  assert.match(stderr, /^dynuser-run: phases.service is not running, .*\n$/);
});

it('refuses without a word from them', async () => {
  for (const argv of REFUSED) {
    const { status, stderr } = await host.machine.run(['dynuser-run', ...argv], { env: ENVIRONMENT });
    assert.ok(status >= 125 && status <= 127, argv.join(' '));
    assert.match(stderr, /^dynuser-run: .*\n$/, argv.join(' '));
  }
});
