/**
 * StateDirectoryQuota= and its siblings on file systems that have project quotas. The kernel of a host may have none, so they are tried
 * under another one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { withInstalled } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { runUnderOtherKernel, type Step, type StepResult, skipUnlessKernel } from '../../support/other-kernel.ts';

const run = (unit: string, properties: readonly string[], command: string): string =>
  `dynuser-run -u ${unit} ${properties.map(each => `-p ${each}`).join(' ')} sh -c '${command}'`;
const fill = (variable: string, name: string, kilobytes: number): string =>
  `dd if=/dev/zero of=$${variable}/${name} bs=1k count=${kilobytes} status=none`;
/** What statfs(2) says of a directory in a project with a bound is of that, in KiB and inodes. */
const bounds = (path: string): string => `stat -f -c "%S %b %c" ${path} | { read s b c; echo $((s * b / 1024)) $c; }`;
const PRIVATE_USERS = 'PrivateUsers=yes';
/** A user of the host, whose directories are at their public paths. */
const STATIC = ['DynamicUser=no', 'User=daemon'];

function stepsOn(kind: 'State' | 'Cache', base: string): readonly Step[] {
  const variable = `${kind.toUpperCase()}_DIRECTORY`;
  const [directory, quota, counted] = [`${kind}Directory`, `${kind}DirectoryQuota`, `${kind}DirectoryAccounting`];
  const name = (step: string) => `${kind.toLowerCase()}-${step}`;
  const step = (title: string, script: string): Step => ({ name: name(title), script });
  const web = `${base}/private/web`;
  return [
    step('earlier', run('web', [`${directory}=web`], `mkdir $${variable}/sub && ${fill(variable, 'sub/old', 512)}`)),
    step('within', run('web', [`${directory}=web`, `${quota}=1M`, PRIVATE_USERS], fill(variable, 'some', 128))),
    step('beyond', run('web', [`${directory}=web`, `${quota}=1M`, PRIVATE_USERS], fill(variable, 'big', 4_096))),
    step('project', `lsattr -pd ${web}; lsattr -pd ${web}/sub; lsattr -p ${web}/sub`),
    step('above', run('own', [...STATIC, `${directory}=fixed`, `${quota}=1M`], 'true')),
    step('below', run('own', [...STATIC, `${directory}=fixed/sub`, `${quota}=2M`], 'true')),
    step('size', `du -sk ${web}`),
    step('escape', run('web', [`${directory}=web`, `${quota}=1M`, PRIVATE_USERS], `chattr -p 0 $${variable}/some`)),
    step('lift', run('web', [`${directory}=web`, `${quota}=1M`], `chattr -p 0 $${variable}/some`)),
    step('other', run('db', [`${directory}=db`], fill(variable, 'big', 4_096))),
    step('larger', run('web', [`${directory}=web`, `${quota}=8M`, PRIVATE_USERS], fill(variable, 'big', 4_096))),
    step('bounded', bounds(web)),
    step(
      'share',
      `${run('web', [`${directory}=web`, `${quota}=25%`, PRIVATE_USERS], 'true')}; ${bounds(web)}; ${bounds(base)}`,
    ),
    step(
      'off',
      `${run('web', [`${directory}=web`, `${quota}=off`, `${counted}=yes`], 'true')}; ${bounds(web)}; ${bounds(base)}`,
    ),
    step(
      'administrator',
      `mkdir -p ${base}/private/own; chattr -p 5 ${base}/private/own; ${run('own', [`${directory}=own`, `${quota}=1M`], 'true')}`,
    ),
  ];
}

const PREPARE = `for module in quota_tree quota_v2; do
  find "/usr/lib/uml/modules/$(uname -r)" -name "$module.ko*" -exec insmod {} \\;
done
mount -t ext4 -o prjquota /dev/ubda /var/lib && mount -t xfs -o prjquota /dev/ubdb /var/cache`;

describe('quotas of directories', { skip: skipUnlessKernel() }, () => {
  let machine: Machine;
  let results: ReadonlyMap<string, StepResult> = new Map();
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true });
    await machine.sh(
      'cd /opt && truncate -s 64M ext4 && mkfs.ext4 -q -O quota,project -E quotatype=prjquota ext4 && truncate -s 400M xfs && mkfs.xfs -q xfs',
    );
    const steps = [...stepsOn('State', '/var/lib'), ...stepsOn('Cache', '/var/cache')];
    results = await runUnderOtherKernel(machine, steps, { disks: ['/opt/ext4', '/opt/xfs'], prepare: PREPARE });
  });
  after(() => machine?.stop());

  const result = (name: string): StepResult => results.get(name) ?? { text: 'it was not run', status: -1 };
  const isWell = (name: string): void => assert.equal(result(name).status, 0, `${name}: ${result(name).text}`);

  for (const [kind, fileSystem] of [
    ['State', 'ext4'],
    ['Cache', 'xfs'],
  ] as const) {
    const name = (step: string) => `${kind.toLowerCase()}-${step}`;

    it(`${fileSystem}: a service writes as much as its quota has, with what was there before`, () => {
      isWell(name('earlier'));
      isWell(name('within'));
      assert.notEqual(result(name('beyond')).status, 0);
      assert.match(result(name('beyond')).text, /Disk quota exceeded|No space left on device/);
      const [kilobytes = ''] = result(name('size')).text.split('\t');
      assert.ok(Number(kilobytes) > 640 && Number(kilobytes) <= 1_024, kilobytes);
      isWell(name('other'));
      isWell(name('larger'));
      assert.match(result(name('bounded')).text, /^8192 \d+\n$/);
    });

    it(`${fileSystem}: all that is below the directory is in its project, which nobody leaves from a user namespace`, () => {
      const lines = result(name('project')).text.trim().split('\n');
      const [project = ''] = lines[0]?.trim().split(' ') ?? [];
      assert.ok(Number(project) >= 0x8000_0000, lines.join('\n'));
      assert.deepEqual(new Set(lines.map(line => line.trim().split(' ')[0])), new Set([project]));
      assert.equal(lines.length, 3);
      assert.notEqual(result(name('escape')).status, 0);
      assert.match(result(name('escape')).text, /chattr: /);
      // So the launch without one has a warning.
      isWell(name('lift'));
      assert.match(result(name('lift')).text, /PrivateUsers=yes keeps it from that/);
    });

    it(`${fileSystem}: a percentage is of the whole file system, and "off" ends a bound`, () => {
      const [own = [], whole = []] = result(name('share'))
        .text.trim()
        .split('\n')
        .slice(-2)
        .map(line => line.split(' ').map(Number));
      assert.ok(Math.abs((own[0] ?? 0) / (whole[0] ?? 1) - 0.25) < 0.01, result(name('share')).text);
      const off = result(name('off')).text.trim().split('\n').slice(-2);
      assert.equal(off[0], off[1], 'as the file system has it');
    });

    it(`${fileSystem}: a directory in a project of an administrator's is not taken out of it`, () => {
      assert.equal(result(name('administrator')).status, 125);
      const refusal =
        /^dynuser-run: \S+\/(\S+) is in a project of an administrator's, or of a directory above it; bound that/m;
      assert.equal(refusal.exec(result(name('administrator')).text)?.[1], 'own');
      isWell(name('above'));
      assert.equal(result(name('below')).status, 125, result(name('below')).text);
      assert.equal(refusal.exec(result(name('below')).text)?.[1], 'sub');
    });
  }
});

test('a file system without them refuses a bound, and takes a launch that only counts', () =>
  withInstalled({}, async host => {
    const { machine } = host;
    await host.startDaemon();
    const launch = (...properties: readonly string[]) =>
      machine.run(['dynuser-run', '-u', 'none', ...properties.flatMap(each => ['-p', each]), 'echo', 'well']);
    const bounded = await launch('LogsDirectory=none', 'LogsDirectoryQuota=1M', PRIVATE_USERS);
    assert.equal(bounded.status, 125);
    assert.match(
      bounded.stderr,
      /the file system of \/var\/log\/\S+ enforces no project quotas \(quotactl_fd: .+\); mount it with prjquota/,
    );
    const counted = await launch('LogsDirectory=none', 'LogsDirectoryAccounting=yes');
    assert.deepEqual([counted.status, counted.stdout], [0, 'well\n'], counted.stderr);
  }));
