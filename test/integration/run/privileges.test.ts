/** What is left of root's privileges in a service: line by line, as the kernel says it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LaunchPlan } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { FOR_SPECIAL_FILES } from '../../support/filters.ts';
import { skipUnless } from '../../support/host.ts';
import { LauncherHost, UID } from './fake-daemon.ts';

const NONE = '0000000000000000';
const NET_BIND_SERVICE = '0000000000000400';
const FULL = 'ffffffffffffffff';

describe('the privileges of dynuser-run', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot();
  });
  after(() => host.stop());

  /** The lines of /proc/self/status by name. */
  const status = async (changes: Partial<LaunchPlan>, prefix: readonly string[] = []): Promise<Map<string, string>> => {
    host.answer = host.planned(changes);
    const text = await host.machine.output([...prefix, 'dynuser-run', '/bin/cat', '/proc/self/status']);
    return new Map(text.split('\n').map(line => [line.replace(/:.*/, ''), line.replace(/.*?:\s*/, '').trim()]));
  };
  const pick = (lines: ReadonlyMap<string, string>, ...names: readonly string[]): (string | undefined)[] =>
    names.map(name => lines.get(name)?.replaceAll('\t', ' '));

  it('are dropped, and none comes back', async () => {
    const lines = await status({ ...FOR_SPECIAL_FILES, groups: [6, 7, UID] });
    const id = `${UID} ${UID} ${UID} ${UID}`;
    assert.deepEqual(pick(lines, 'Uid', 'Gid', 'Groups'), [id, id, `6 7 ${UID}`]);
    assert.deepEqual(pick(lines, 'CapInh', 'CapPrm', 'CapEff', 'CapAmb'), [NONE, NONE, NONE, NONE]);
    assert.deepEqual(pick(lines, 'NoNewPrivs', 'Seccomp', 'Seccomp_filters', 'Umask'), ['1', '2', '1', '0022']);
    const own = /^CapBnd:\s*(\S+)$/m.exec(await host.machine.output(['cat', '/proc/self/status']))?.[1];
    assert.deepEqual(pick(lines, 'CapBnd'), [own]);
  });

  it('are dropped whatever was inherited: ambient and inheritable sets, securebits, groups', async () => {
    const caps = '+chown,+dac_override,+setgid,+setuid,+setpcap,+net_admin,+sys_admin';
    const wide = ['setpriv', '--inh-caps', caps, '--ambient-caps', caps, '--groups', '1,2,3'];
    const bits = ['--securebits', '+noroot,+no_setuid_fixup'];
    const lines = await status({ noNewPrivileges: false }, [...wide, ...bits]);
    assert.deepEqual(pick(lines, 'CapInh', 'CapPrm', 'CapEff', 'CapAmb', 'Groups'), [NONE, NONE, NONE, NONE, `${UID}`]);
    assert.deepEqual(pick(lines, 'NoNewPrivs', 'Seccomp', 'Seccomp_filters'), ['0', '2', '1'], 'for the terminal');
    host.answer = host.planned({});
    const dump = await host.machine.output([...wide, ...bits, 'dynuser-run', 'setpriv', '--dump']);
    assert.match(dump, /^Securebits: \[none\]$/m);
  });

  it('are in the groups of the plan, and no others', async () => {
    const lines = await status({ uid: 5, gid: 60, groups: [4, 60, 4711] });
    assert.deepEqual(pick(lines, 'Uid', 'Gid', 'Groups'), ['5 5 5 5', '60 60 60 60', '4 60 4711']);
    assert.deepEqual(pick(await status({ groups: [] }), 'Groups'), ['']);
    const many = Array.from({ length: 3000 }, (_, index) => 10_000 + index);
    assert.deepEqual(pick(await status({ groups: many }), 'Groups'), [many.join(' ')]);
  });

  it('are SIGPIPE ignored if the plan says so, and every other signal as it is by default', async () => {
    const SIGPIPE = '0000000000001000';
    const nohup = ['sh', '-c', 'trap "" HUP PIPE; exec "$@"', 'sh'];
    assert.deepEqual(pick(await status({ ignoreSigpipe: true }, nohup), 'SigIgn', 'SigBlk'), [SIGPIPE, NONE]);
    assert.deepEqual(pick(await status({}, nohup), 'SigIgn', 'SigBlk'), [NONE, NONE]);
  });

  it('do not raise a hard limit without the right to, or the launcher says so and takes the nearest', async () => {
    const limits = [{ resource: 'nofile', soft: '2000', hard: '3000' } as const];
    const bounds = ['sh', '-c', 'ulimit -Sn; ulimit -Hn'];
    assert.equal(await host.output({ limits }, bounds), '2000\n3000');
    host.answer = host.planned({ limits });
    const weak = [
      'setpriv',
      '--bounding-set',
      '-sys_resource',
      '--inh-caps',
      '-sys_resource',
      'dynuser-run',
      ...bounds,
    ];
    const low = await host.machine.run(['sh', '-c', `ulimit -n 2500; exec "$@"`, 'sh', ...weak]);
    assert.deepEqual([low.status, low.stdout], [0, '2000\n2500\n']);
    assert.equal(low.stderr, 'dynuser-run: LimitNOFILE= is higher than this process may have; it is 2000:2500\n');
  });

  it('have the nice value 0 with a policy of scheduling, unless they have another, or no right to it', async () => {
    const nice = async (plan: Partial<LaunchPlan>, ...before: readonly string[]): Promise<string> => {
      host.answer = host.planned(plan);
      return (await host.machine.output([...before, 'dynuser-run', 'nice'])).trim();
    };
    const nicer = ['nice', '-n', '5'];
    const inherited = (await host.machine.output([...nicer, 'nice'])).trim();
    const weak = ['setpriv', '--bounding-set', '-sys_nice', '--inh-caps', '-sys_nice'];
    assert.equal(await nice({}, ...nicer), inherited);
    assert.equal(await nice({ cpuPolicy: 'batch' }, ...nicer), '0');
    assert.equal(await nice({ cpuPolicy: 'batch', priority: 13 }, ...nicer), '7');
    // Whoever runs the tests may have a higher priority than usual: to give that up takes no right.
    const weakest = Number(inherited) < 0 ? '0' : inherited;
    assert.equal(await nice({ cpuPolicy: 'batch' }, ...nicer, ...weak), weakest);
  });

  it('are the capabilities that the plan gives, and no others can be had', async () => {
    const given = await status({ ambientSet: NET_BIND_SERVICE, boundingSet: '0000000000000401' });
    const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'];
    const bind = NET_BIND_SERVICE;
    assert.deepEqual(pick(given, ...sets), [bind, bind, bind, '0000000000000401', bind]);
    const bounded = await status({ boundingSet: NONE });
    assert.deepEqual(pick(bounded, ...sets), [NONE, NONE, NONE, NONE, NONE]);
    const outside = await host.run({ ambientSet: NET_BIND_SERVICE, boundingSet: NONE }, ['true']);
    assert.equal(outside.status, 125);
    assert.match(outside.stderr, /cannot (?:give the service capability 10|set the capabilities)/);
  });

  it('are those of the bounding set for root itself', async () => {
    const lines = await status({ uid: 0, gid: 0, boundingSet: '0000000000000401' });
    const half = '0000000000000401';
    assert.deepEqual(pick(lines, 'Uid', 'CapPrm', 'CapEff', 'CapBnd'), ['0 0 0 0', half, half, half]);
  });

  it('forbid special modes by the filter, by chmod and at creation', async () => {
    await host.machine.output(['install', '-d', '-m', '777', '/srv/w']);
    const script = `cd /srv/w; touch f; chmod 4755 f; chmod 2755 f; mkdir -m 2755 d
      mkdir s; chmod 1777 s; chmod 755 f; stat -c %a f s`;
    const { stdout, stderr } = await host.run({ ...FOR_SPECIAL_FILES }, ['sh', '-c', script]);
    assert.equal(stdout, '755\n1777\n');
    assert.equal(stderr.match(/Operation not permitted/g)?.length, 3, stderr);
    const without = await host.run({}, ['sh', '-c', 'cd /srv/w; chmod 4755 f; stat -c %a f']);
    assert.equal(without.stdout, '4755\n');
  });

  it('can be filtered without forbidding new ones', async () => {
    const lines = await status({ ...FOR_SPECIAL_FILES, noNewPrivileges: false });
    assert.deepEqual(pick(lines, 'NoNewPrivs', 'Seccomp', 'CapEff'), ['0', '2', NONE]);
    host.answer = host.planned({ ...FOR_SPECIAL_FILES, noNewPrivileges: false });
    const drop = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin', 'dynuser-run', 'true'];
    const { stdout } = await host.machine.run([...drop.slice(0, -1), 'grep', '-h', 'NoNewPrivs', '/proc/self/status']);
    assert.equal(stdout, 'NoNewPrivs:\t1\n', 'as systemd, which has no other way then');
  });

  it('are those of a namespace in which only root and the user are somebody', {
    skip: skipUnless('user namespaces'),
  }, async () => {
    const script = 'id -u; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u /etc /var/mail; stat -c %g /var/mail';
    const text = await host.output({ privateUsers: 'self', groups: [8, UID] }, ['sh', '-c', script]);
    const row = (id: number): string => `${id} ${id} 1`;
    const map = [row(0), row(UID)];
    assert.deepEqual(
      text.split('\n').map(line => line.trim().replace(/ +/g, ' ')),
      [`${UID}`, ...map, ...map, '0', '0', '65534'],
    );
    const lines = await status({ privateUsers: 'self', mountNamespace: true, ...FOR_SPECIAL_FILES });
    assert.deepEqual(pick(lines, 'CapInh', 'CapPrm', 'CapEff', 'CapAmb', 'NoNewPrivs', 'Seccomp'), [
      NONE,
      NONE,
      NONE,
      NONE,
      '1',
      '2',
    ]);
  });

  it('leave no way to look into the process before it is the program, nor descriptors of the launcher in it', {
    skip: skipUnless('user namespaces'),
  }, async () => {
    const listing = 'ls -l /proc/self/fd | grep -c -- "->"';
    assert.equal(await host.output({ mountNamespace: true, privateUsers: 'self' }, ['sh', '-c', listing]), '4');
  });

  it('are dropped by a program that is static, or linked against the C library alone', async () => {
    const dynamic = await host.machine.output(['readelf', '-d', '-l', `${CHECKOUT}dist/lib/dynuser-run`]);
    const needed = [...dynamic.matchAll(/\(NEEDED\).*(\[.*\])/g)].map(([, library]) => library);
    // A static program has no interpreter, which is what would load libraries.
    assert.deepEqual(needed, /^ *INTERP /m.test(dynamic) ? ['[libc.so.6]'] : []);
    assert.match(dynamic, /\bFlags: .*\bNOW\b.*\bPIE\b/);
    assert.match(dynamic, /^ *GNU_RELRO /m);
    assert.match(dynamic, /^ *GNU_STACK .*\n.* RW +0x/m);
    assert.equal((await host.run({ boundingSet: FULL }, ['true'])).status, 0);
  });
});
