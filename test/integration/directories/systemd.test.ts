/** One tree in turn for units of systemd and for us, on a disk where systemd maps: each takes over what the other wrote. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { HELPER } from '../../native/tree/fixture.ts';
import { Machine } from '../../support/machine.ts';
import { NEW, OLD, THIRD } from './fixture.ts';

const PROGRAM = `${CHECKOUT}dist/test/integration/directories/programs/prepare.js`;
const TREE = '/var/lib/private/shared';

let machine: Machine;
before(async () => {
  machine = await Machine.boot({ init: 'systemd', varLib: 'disk' });
});
after(() => machine.stop());

/** Runs a unit that checks everything that was written so far and writes more. */
async function unit(user: string, written: readonly string[]): Promise<void> {
  const script = `cd "$STATE_DIRECTORY"; cat d/* 2>/dev/null || :; mkdir -p d; echo ${user} >d/${user}; echo ${user} >>log`;
  const properties = ['DynamicUser=yes', `User=${user}`, 'StateDirectory=shared'].flatMap(text => ['-p', text]);
  const output = await machine.output(['systemd-run', '-q', '--wait', '--pipe', ...properties, 'sh', '-euc', script]);
  assert.deepEqual(
    output
      .split('\n')
      .filter(line => line !== '')
      .sort(),
    [...written].sort(),
  );
}

/** @returns kind and number of changes of our handover */
async function ours(uid: number, mounts: boolean): Promise<readonly unknown[]> {
  const text = await machine.output([process.execPath, PROGRAM, 'shared', String(uid), mounts ? 'mounts' : 'none']);
  const [directory]: readonly { readonly handover?: unknown; readonly changed?: unknown }[] = JSON.parse(text);
  return [directory?.handover, directory?.changed];
}

const owners = () => machine.sh(`find ${TREE} -printf '%U:%G\\n' | sort -u`);

test('a tree goes from systemd to us and back, mapped and by new owners, with all data', async () => {
  await unit('one', []);
  assert.equal(await owners(), '65534:65534', 'systemd has mapped it');

  assert.deepEqual(await ours(OLD, true), ['map', 0]);
  await unit('two', ['one']);
  assert.deepEqual(await ours(OLD, false), ['chown', 5]);
  assert.equal(await owners(), `${OLD}:${OLD}`);

  await unit('three', ['one', 'two']);
  assert.equal(await owners(), `${OLD}:${OLD}`, 'systemd has taken its owner');
  assert.deepEqual(await ours(OLD, false), ['none', 0]);
  assert.deepEqual(await ours(NEW, false), ['chown', 6]);
  await unit('four', ['one', 'two', 'three']);

  assert.deepEqual(await ours(THIRD, true), ['map', 7]);
  await unit('five', ['one', 'two', 'three', 'four']);
  assert.equal(await owners(), '65534:65534');
  assert.equal(await machine.output(['cat', `${TREE}/log`]), 'one\ntwo\nthree\nfour\nfive');
  assert.equal(await machine.output(['readlink', '/var/lib/shared']), 'private/shared');
});

test('systemd finishes a handover of ours that was interrupted', async () => {
  await ours(OLD, false);
  await machine.output([
    'sh',
    '-euc',
    `chown ${NEW}:${NEW} ${TREE}/d/one ${TREE}/log; chown 0:65534 ${TREE}; chmod 0700 ${TREE}`,
  ]);
  await unit('six', ['one', 'two', 'three', 'four', 'five']);
  assert.equal((await owners()).split('\n').length, 1, 'all of it is one user’s');
  assert.equal((await ours(THIRD, false))[0], 'chown');
  assert.equal(await owners(), `${THIRD}:${THIRD}`);
});

test('the helper can do its work in the sandbox of the daemon’s unit', async () => {
  const unitFile = readFileSync(`${CHECKOUT}systemd/dynuserd.service`, 'utf8');
  const sandbox =
    unitFile.match(
      /^(?:Capability|Restrict|SystemCall|NoNew|Protect|ReadWrite|Private|Lock|IPAddress|UMask)\w*=.*$/gm,
    ) ?? [];
  assert.ok(sandbox.length > 10);
  // Where the sandbox cannot hide it: a checkout may be in /home, /root or /tmp.
  await machine.output(['cp', HELPER, '/run/helper']);
  const helper = '/run/helper tree';
  const script = `exec 3<${TREE}; ${helper} probe; ${helper} chown ${NEW} ${NEW} 755; ${helper} count 0 0`;
  // A unit file, in which the lines of one setting add up.
  const service = [
    '[Service]',
    'Type=oneshot',
    ...sandbox,
    'ExecStart=sh /run/work',
    'StandardOutput=file:/run/output',
  ];
  await machine.write('/run/work', script);
  await machine.write('/run/systemd/system/sandbox.service', `${service.join('\n')}\n`);
  await machine.output(['systemctl', 'daemon-reload']);
  await machine.output(['mkdir', '-p', '/run/dynuser']);
  // As ExecStartPre= and ExecStopPost= of the unit do, outside of the sandbox, in which no namespace can be made.
  const namespace = (action: string) => machine.output(['/run/helper', 'namespace', action]);
  const mounted = async () => /user-namespace/.test(await machine.output(['cat', '/proc/self/mounts']));
  await namespace('keep');
  await namespace('keep');
  assert.ok(await mounted());
  await machine.output(['systemctl', 'start', 'sandbox.service']);
  await namespace('drop');
  await namespace('drop');
  assert.equal(await mounted(), false);
  assert.match(await machine.output(['cat', '/run/output']), /^yes\ndone (\d+) \1 0 0\ndone \1 \1 0 0$/);
  assert.equal(await owners(), `${NEW}:${NEW}`);
});
