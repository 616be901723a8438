import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { until } from '../../support/until.ts';
import { startService } from './service.ts';

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs systemd's own client. */
function varlinkctl(...args: readonly string[]): Promise<Outcome> {
  return new Promise(resolve => {
    execFile('varlinkctl', ['--no-pager', ...args], { timeout: 20_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
  });
}

async function succeed(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await varlinkctl(...args);
  assert.equal(status, 0, `varlinkctl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

test('info', async t => {
  const { path } = await startService(t);
  const info = await succeed('info', path);
  assert.match(info, /Vendor: Example\n\s*Product: Ping\n\s*Version: 1\.2\n\s*URL: https:\/\/example\.org\//);
  assert.match(info, /Interfaces: org\.example\.ping\n\s*org\.varlink\.service/);
});

test('list-interfaces and list-methods', async t => {
  const { path } = await startService(t);
  assert.equal(await succeed('list-interfaces', path), 'org.example.ping\norg.varlink.service\n');
  const methods = await succeed('list-methods', path);
  assert.match(methods, /org\.example\.ping\.Count\n[\s\S]*org\.varlink\.service\.GetInfo\n/);
});

test('introspect reads every description without a complaint', async t => {
  const { path } = await startService(t);
  const { status, stdout, stderr } = await varlinkctl('introspect', path, 'org.example.ping');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /# Says the same back\.\nmethod Ping\(/);
  assert.match(await succeed('introspect', path), /interface org\.varlink\.service/);
});

test('call, with a reply, an error, many replies, and none', async t => {
  const service = await startService(t);
  const ping = 'org.example.ping.Ping';
  assert.deepEqual(JSON.parse(await succeed('-j', 'call', service.path, ping, '{"text":"é","ratio":1.5}')), {
    text: 'é',
    ratio: 1.5,
  });

  const refused = await varlinkctl('-j', 'call', service.path, ping, '{"text":1}');
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /org\.varlink\.service\.InvalidParameter/);
  assert.deepEqual(JSON.parse(refused.stdout), { parameter: 'text' });

  const counted = await succeed('-j', '--more', 'call', service.path, 'org.example.ping.Count', '{"to":3}');
  // RFC 7464: each text is between a record separator and a line feed.
  const texts = counted.split('\u001e').filter(text => text.trim() !== '');
  assert.deepEqual(
    texts.map(text => JSON.parse(text).at),
    [1, 2, 3],
  );

  assert.equal(await succeed('--oneway', 'call', service.path, ping, '{"text":"quiet"}'), '');
  await until('the call without an answer was made', () => service.pinged.includes('quiet'));
});

/** That of Debian 13 does not. */
async function knowsAny(): Promise<boolean> {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-idl-`);
  try {
    writeFileSync(`${directory}/x.varlink`, 'interface org.example.x\n\nmethod M(value: any) -> ()\n');
    return (await varlinkctl('validate-idl', `${directory}/x.varlink`)).status === 0;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const INTERFACES = `${CHECKOUT}src/api/interfaces/`;
for (const file of readdirSync(INTERFACES)) {
  test(`validate-idl ${file}`, async t => {
    if (/\bany\b/.test(readFileSync(INTERFACES + file, 'utf8')) && !(await knowsAny())) {
      t.skip('this varlinkctl does not know the type "any" of UAPI.20');
      return;
    }
    const { status, stderr } = await varlinkctl('validate-idl', INTERFACES + file);
    assert.deepEqual([status, stderr], [0, '']);
  });
}
