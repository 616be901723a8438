/**
 * StateDirectoryQuota= and its siblings on file systems that have project quotas. The kernel of a host may have none, so they are tried
 * under another one, which runs as a program (user-mode Linux), with the file tree of a machine.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it, test } from 'node:test';
import { withInstalled } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';

const KERNEL = '/usr/bin/linux.uml';
const KERNEL_DEADLINE_MS = 200_000;
const OUTPUT = '/opt/quotas';
/** A run of a script in the other kernel. */
interface Step {
  readonly name: string;
  readonly script: string;
}
interface Result {
  readonly status: number;
  readonly text: string;
}

const run = (unit: string, properties: readonly string[], command: string): string =>
  `dynuser-run -u ${unit} ${properties.map(each => `-p ${each}`).join(' ')} sh -c '${command}'`;
const fill = (variable: string, name: string, kilobytes: number): string =>
  `dd if=/dev/zero of=$${variable}/${name} bs=1k count=${kilobytes} status=none`;
/** What statfs(2) says of a directory in a project with a bound is of that, in KiB and inodes. */
const bounds = (path: string): string => `stat -f -c "%S %b %c" ${path} | { read s b c; echo $((s * b / 1024)) $c; }`;
const PRIVATE_USERS = 'PrivateUsers=yes';

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

/** Process 1 of the other kernel. */
function init(steps: readonly Step[]): string {
  const tried = steps.map(
    ({ name, script }) => `{ ${script}; } >${OUTPUT}/${name} 2>&1; echo "status $?" >>${OUTPUT}/${name}\n`,
  );
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /tmp
for module in quota_tree quota_v2; do
	find /usr/lib/uml/modules /lib/modules -name "$module.ko*" -exec insmod {} \\; 2>/dev/null
done
{ mount -t ext4 -o prjquota /dev/ubda /var/lib && mount -t xfs -o prjquota /dev/ubdb /var/cache; } >${OUTPUT}/mounted 2>&1
echo "status $?" >>${OUTPUT}/mounted
dynuserd >${OUTPUT}/daemon 2>&1 &
tries=0
until dynuserctl list >${OUTPUT}/started 2>&1 || [ $tries -gt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
${tried.join('')}echo "status 0" >${OUTPUT}/end
systemctl --force --force poweroff
`;
}

const why = existsSync(KERNEL) ? false : 'this host has no user-mode Linux (Debian: user-mode-linux)';

describe('quotas of directories', { skip: why }, () => {
  let machine: Machine;
  const results = new Map<string, Result>();
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true });
    const steps = [...stepsOn('State', '/var/lib'), ...stepsOn('Cache', '/var/cache')];
    await machine.output(['mkdir', '-p', OUTPUT]);
    await machine.write(`${OUTPUT}/init`, init(steps), 0o755);
    await machine.sh(
      `cd /opt && truncate -s 64M ext4 && mkfs.ext4 -q -O quota,project -E quotatype=prjquota ext4 && truncate -s 400M xfs && mkfs.xfs -q xfs`,
    );
    const argv = ['mem=512M', 'ubda=/opt/ext4', 'ubdb=/opt/xfs', 'root=/dev/root', 'rootfstype=hostfs', 'rw'];
    const { stdout, stderr } = await machine.run(
      [KERNEL, ...argv, `init=${OUTPUT}/init`, 'con=null', 'con0=null,fd:1', 'panic=1', 'quiet'],
      { timeoutMs: KERNEL_DEADLINE_MS, env: { TMPDIR: '/tmp', HOME: '/root' } },
    );
    for (const name of ['mounted', 'end', ...steps.map(each => each.name)]) {
      const output = await machine.run(['cat', `${OUTPUT}/${name}`]);
      const [, text = '', status = ''] = /^([\s\S]*)status (\d+)\n$/.exec(output.stdout) ?? [];
      assert.notEqual(
        status,
        '',
        `${name}: ${output.stdout}${output.stderr}\n${stdout.slice(-2_000)}${stderr.slice(-500)}`,
      );
      results.set(name, { text, status: Number(status) });
    }
    assert.deepEqual(results.get('mounted'), { text: '', status: 0 });
  });
  after(() => machine?.stop());

  const result = (name: string): Result => results.get(name) ?? { text: 'it was not run', status: -1 };
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
      assert.match(
        result(name('administrator')).text,
        /private\/own is in a project of an administrator's; bound that/,
      );
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
