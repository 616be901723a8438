/** list, show and explain: what is asked of the daemon, and what is made of its answers. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ALLOCATOR_INTERFACE, type Lease } from '../../../src/api/generated/io-dynuser-allocator.ts';
import type { IdlType } from '../../../src/varlink/idl/model.ts';
import { parseInterface } from '../../../src/varlink/idl/parse.ts';
import type { Json } from '../../../src/varlink/json.ts';
import { NOW, sampleLease } from '../../unit/cli/sample.ts';
import { type FakeDaemon, startFakeDaemon } from './fake-daemon.ts';
import { type Outcome, runCommand } from './run-command.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = await startFakeDaemon();
});
afterEach(() => daemon.close());

const command = (...argv: string[]): Promise<Outcome> =>
  runCommand(argv, { environment: daemon.environment, now: NOW });

/** A value as the type declares it. */
function sampleOf(type: IdlType): Json {
  switch (type.kind) {
    case 'maybe':
      return sampleOf(type.element);
    case 'array':
      return [sampleOf(type.element)];
    case 'bool':
      return true;
    case 'int':
      return 64642;
    case 'named':
      return 'explicit';
    default:
      return 'text';
  }
}

const older = sampleLease({ since: 1 });
const other = sampleLease({ uid: 63122, gid: 63122, userName: 'run-u15750', unit: 'run-u15750.service' });

test('list: sorted rows and their totals', async () => {
  daemon.leases = [sampleLease(), older, other];
  const { status, output, errors } = await command('list');
  assert.equal(status, 0);
  assert.equal(errors, '');
  const lines = output.split('\n');
  assert.match(lines[0] ?? '', /^ +UID +NAME +UNIT +KIND +LIFETIME +PID +SINCE +DIRECTORIES$/);
  assert.match(lines[1] ?? '', /^63122 +run-u15750 +run-u15750\.service +dynamic +explicit +- +5min ago +-$/);
  assert.match(lines[2] ?? '', / days ago /);
  assert.deepEqual(lines.slice(4), ['', '2 users, 3 leases.', '']);
});

test('every field that the interface gives a lease is in the JSON', async () => {
  const idl = parseInterface(ALLOCATOR_INTERFACE);
  const type = idl.types.get('Lease')?.type;
  assert.ok(type?.kind === 'struct');
  const lease = Object.fromEntries([...type.fields.values()].map(field => [field.name, sampleOf(field.type)]));
  daemon.leases = [lease as unknown as Lease];
  const { output } = await command('list', '--json=short');
  assert.deepEqual(JSON.parse(output), [lease]);
});

test('list: JSON is one array, short on one line, times as they are on the wire', async () => {
  daemon.leases = [sampleLease(), older];
  const short = await command('--json=short', 'list');
  assert.equal(short.output, `${JSON.stringify([older, sampleLease()])}\n`);
  const pretty = await command('list', '--json=pretty');
  assert.deepEqual(JSON.parse(pretty.output), [older, sampleLease()]);
  assert.ok(pretty.output.split('\n').length > 10);
});

test('list: nobody there', async () => {
  assert.equal((await command('list')).output, 'No users.\n');
  assert.equal((await command('list', '--no-legend')).output, '');
  assert.equal((await command('list', '--json=short')).output, '[]\n');
});

test('list: those that match, of one kind, in the order that is asked for', async () => {
  const host = sampleLease({ uid: 33, gid: 33, userName: 'www-data', unit: 'web.service', dynamic: false, since: 2 });
  daemon.leases = [sampleLease(), older, other, host];
  const names = async (...argv: string[]): Promise<string[]> => {
    const { output } = await command('list', '--json=short', ...argv);
    return (JSON.parse(output) as Lease[]).map(({ userName }) => userName);
  };
  assert.deepEqual(await names('run-*', 'web.service'), ['www-data', 'run-u15750']);
  assert.deepEqual(await names('--kind=static'), ['www-data']);
  assert.deepEqual(await names('--kind=dynamic', '--sort=name', '6*'), [
    'dynamic-user-test',
    'dynamic-user-test',
    'run-u15750',
  ]);
  assert.deepEqual((await names('--sort=since')).slice(0, 2), ['dynamic-user-test', 'www-data']);
  assert.deepEqual(await names('no-*'), []);
  assert.match((await command('list', '--sort=size')).errors, /it is one of uid, name, unit, lifetime, since/);
});

test('list: what is longer than the terminal goes to the pager, but not without one', async () => {
  daemon.leases = Array.from({ length: 40 }, () => sampleLease());
  let paged = '';
  const show = (...argv: string[]) =>
    runCommand(['list', ...argv], {
      environment: daemon.environment,
      columns: 80,
      rows: 24,
      onPage: text => {
        paged += text;
      },
    });
  assert.equal((await show()).output, '');
  assert.equal(paged.split('\n').length, 44);
  assert.equal((await show('--no-pager')).output, paged);
});

test('list: a full range', async () => {
  daemon.leases = Array.from({ length: 4_336 }, (_, index) =>
    sampleLease({ uid: 65519 - index, gid: 65519 - index, userName: `u${index}` }),
  );
  const { output } = await command('list');
  assert.match(output, /\n\n4336 users, 4336 leases\.\n$/);
  assert.match(output.split('\n')[1] ?? '', /^61184 /);
});

test('list: on a terminal lines have its width, and titles are bold', async () => {
  daemon.leases = [sampleLease({ directories: ['/var/lib/'.padEnd(200, 'x')] })];
  const { output } = await runCommand(['list'], { environment: daemon.environment, columns: 110, now: NOW });
  const [titles = '', row = ''] = output.split('\n');
  assert.ok(titles.startsWith('  \x1b[1mUID\x1b[0m  '));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken off
  assert.equal(row.replace(/\x1b\[\dm/g, '').length, 110);
});

test('show: by name and by number', async () => {
  daemon.leases = [sampleLease(), older, other];
  const byName = await command('show', 'dynamic-user-test');
  assert.match(byName.output, /^ +Name: dynamic-user-test\n +UID: 64642\n/);
  assert.equal(byName.output.match(/dynamic-user-test\.service/g)?.length, 2);
  assert.deepEqual(await command('show', '64642'), byName);

  const { output } = await command('show', '63122', '--json=short');
  assert.deepEqual(JSON.parse(output), {
    userName: 'run-u15750',
    uid: 63122,
    gid: 63122,
    dynamic: true,
    leases: [other],
  });
});

test('show: nobody of that number', async () => {
  const { status, output, errors } = await command('show', '64000', '--json=short');
  assert.equal(status, 1);
  assert.equal(output, '');
  assert.equal(errors, "dynuserctl: no live user has the UID 64000: 'dynuserctl list' shows all there are\n");
});

test('explain: asks for exactly what was given', async () => {
  const { status, output } = await command(
    'explain',
    'web@1.service',
    '--user=web',
    '--per-instance',
    '--state-directory=a',
    '--state-directory=b',
    '--runtime-directory=c',
  );
  assert.equal(status, 1, 'an acquire would fail');
  assert.match(output, /^Outcome: conflict: r\n/);
  assert.deepEqual(daemon.calls, [
    {
      method: 'io.dynuser.Allocator.Explain',
      parameters: {
        unit: 'web@1.service',
        userName: 'web',
        perInstance: true,
        stateDirectory: ['a', 'b'],
        runtimeDirectory: ['c'],
      },
    },
  ]);
});

test('explain: the exit status says whether an acquire would succeed', async () => {
  for (const [outcome, status] of [
    ['allocate', 0],
    ['join', 0],
    ['static', 0],
    ['conflict', 1],
    ['exhausted', 1],
    ['refused', 1],
  ] as const) {
    const refusal = status === 0 ? {} : { error: 'DirectoryFailed', field: 'stateDirectory' };
    daemon.explanation = { ...daemon.explanation, outcome, ...refusal };
    assert.equal((await command('explain', 'a.service')).status, status, outcome);
    assert.equal((await command('--json=short', 'explain', 'a.service')).status, status, outcome);
  }
});

test('explain: the whole answer in JSON', async () => {
  const candidates = [{ uid: 63801, origin: 'preferred', free: true, finding: 'free' }] as const;
  daemon.explanation = { ...daemon.explanation, outcome: 'allocate', uid: 63801, gid: 63801, candidates };
  const { output } = await command('explain', 'a', '--json=short');
  assert.deepEqual(JSON.parse(output), daemon.explanation);
});
