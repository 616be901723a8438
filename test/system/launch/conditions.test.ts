/** Conditions of unit files, judged by the real systemd and by dynuser-run: the same of them hold, and what holds starts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Machine } from '../../support/machine.ts';

const UNIT = '/etc/systemd/system/conditioned.service';
const PREPARATION = `
mkdir -p /srv/full /srv/empty /srv/hidden; : >/srv/full/a; : >/srv/hidden/.a; : >/srv/hidden/b~; echo x >/srv/file; : >/srv/nothing
ln -s file /srv/link; ln -s nowhere /srv/dangling; chmod 0755 /srv/file; mount -t tmpfs -o ro tmpfs /srv/empty`;

const PATHS = ['full', 'empty', 'hidden', 'file', 'nothing', 'link', 'dangling', 'missing'].map(name => `/srv/${name}`);
const ABOUT_PATHS = [
  ...['PathExists', 'PathIsDirectory', 'PathIsSymbolicLink', 'PathIsMountPoint', 'PathIsReadWrite'],
  ...['DirectoryNotEmpty', 'FileNotEmpty', 'FileIsExecutable'],
];

const CONDITIONS = [
  ...ABOUT_PATHS.flatMap(about => PATHS.map(path => `${about}=${path}`)),
  ...['PathExistsGlob=/srv/f*', 'PathExistsGlob=/srv/x*', 'PathIsMountPoint=/', 'PathExists=!/srv/file'],
  ...['Architecture=native', 'Architecture=x86-64', 'Architecture=arm64', 'Architecture=foo', 'Host=*', 'Host=x?y'],
  ...['KernelVersion=>=4', 'KernelVersion=< 4', 'KernelVersion=*', 'KernelVersion=">= 4" "< 99"', 'KernelVersion=4.*'],
  ...['KernelCommandLine=no-such-word', 'FirstBoot=yes', 'FirstBoot=no', 'User=root'],
  ...['User=games', 'User=0', 'User=@system', 'Group=root', 'Group=games', 'Capability=CAP_CHOWN', 'CPUs=1'],
  ...['CPUs=>=1', 'CPUs=<1', 'CPUs=99999', 'Memory=1M', 'Memory=<1M', 'Memory=>900T', 'ControlGroupController=v1'],
  ...['ControlGroupController=v2', 'ControlGroupController=cpu', 'OSRelease=ID=debian', 'OSRelease=VERSION_ID>=12'],
  ...['OSRelease=ID=x', 'OSRelease=ID$=deb*', 'Virtualization=container', 'Virtualization=!container'],
  ...['Virtualization=private-users', 'Security=selinux', 'Security=apparmor', 'Security=smack', 'Firmware=uefi'],
];

describe('conditions of a unit file', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true });
    await machine.output(['sh', '-ec', PREPARATION]);
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
  });
  after(() => machine.stop());

  const launch = async (lines: readonly string[]) => {
    await machine.write(UNIT, ['[Unit]', ...lines, '[Service]', 'ExecStart=/bin/echo started', ''].join('\n'));
    return machine.run(['dynuser-run', `--unit-file=${UNIT}`]);
  };

  it('hold as with systemd', async () => {
    const commands = CONDITIONS.map(condition => {
      const quoted = `Condition${condition}`.replaceAll("'", `'\\''`);
      return `systemd-analyze condition '${quoted}' >/dev/null 2>&1 && echo started || echo`;
    });
    const theirs = (await machine.output(['sh', '-c', commands.join('\n')])).split('\n');
    const different: string[] = [];
    for (const [index, condition] of CONDITIONS.entries()) {
      const { status, stdout, stderr } = await launch([`Condition${condition}`]);
      assert.equal(status, 0, stderr);
      if (stdout.trim() !== theirs[index]) {
        different.push(`${condition}: "${theirs[index]}" with systemd; ${stderr}`);
      }
    }
    assert.deepEqual(different, []);
  });

  it('skip the service with a line that says why, and an assertion is an error', async () => {
    const skipped = await launch(['ConditionPathExists=/srv/file', 'ConditionPathExists=/srv/missing']);
    assert.equal(skipped.status, 0);
    assert.equal(skipped.stdout, '');
    assert.match(
      skipped.stderr,
      /conditioned\.service:3: ConditionPathExists=: .*\/srv\/missing" does not hold: nothing is/,
    );
    const refused = await launch(['AssertPathExists=/srv/missing']);
    assert.equal(refused.status, 125);
    assert.match(refused.stderr, /conditioned\.service:2: AssertPathExists=: the assertion/);
    const unjudged = await launch(['ConditionACPower=true']);
    assert.equal(unjudged.stdout, 'started\n');
    assert.match(unjudged.stderr, /ConditionACPower= cannot be judged/);
  });
});
