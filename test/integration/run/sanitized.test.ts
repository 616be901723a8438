/** The launcher with AddressSanitizer and UndefinedBehaviorSanitizer, through whole starts and refusals. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { PREPARATION, STARTS } from '../../support/launches/starts.ts';
import { testimony } from '../../support/launches/traced.ts';
import { Machine } from '../../support/machine.ts';
import { buildNative } from '../../support/native.ts';

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
  buildNative('run-tests', { sanitize: true });
  const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
  host = new Installed(machine);
  const sanitized = `${CHECKOUT}dist/native-sanitized/dynuser-run`;
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

it('refuses without a word from them', async () => {
  for (const argv of REFUSED) {
    const { status, stderr } = await host.machine.run(['dynuser-run', ...argv], { env: ENVIRONMENT });
    assert.ok(status >= 125 && status <= 127, argv.join(' '));
    assert.match(stderr, /^dynuser-run: .*\n$/, argv.join(' '));
  }
});
