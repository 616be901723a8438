import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planOf, privateDirectory } from '../launches.ts';
import { beyond, lines } from './op-lines.ts';

const NONE = ['DynamicUser=no'];
const STATIC = { uid: 5, gid: 60, userName: 'games', dynamic: false };

describe('the world of a dynamic user', () => {
  it('is read-only, but for what protects itself, and has its own /tmp', () => {
    assert.deepEqual(lines(planOf([])), [
      'clone /sys #2 detach noSuid ?',
      'clone /proc #1 detach noSuid ?',
      'clone /dev #0 detach noSuid ?',
      'remount / readOnly noSuid',
      'attach /dev #0',
      'attach /proc #1',
      'mask /run/credentials ?',
      'attach /sys #2',
      'tmpfs /tmp 1777 size=10% nr_inodes=400k scratch:tmp noSuid noDevices ?',
      'tmpfs /var/tmp 1777 size=10% nr_inodes=400k scratch:var-tmp noSuid noDevices ?',
    ]);
  });

  it('has its directories in an empty boundary, each the very one that was made ready', () => {
    const directories = [
      privateDirectory('wuff', { handover: 'map', diskUid: 65_534, diskGid: 65_534 }),
      privateDirectory('wuff/sub', { within: '/var/lib/wuff' }),
      privateDirectory('seen', { readOnly: true, inode: '78' }),
    ];
    const plan = planOf(['StateDirectory=wuff wuff/sub seen::ro'], { directories });
    assert.deepEqual(beyond(plan), [
      'clone /var/lib/private/seen #3 noSymlinks:2049:78 readOnly noSuid',
      'clone /var/lib/private/wuff #4 noSymlinks:2049:77 map:65534:65534:61214:61214 noSuid noDevices',
      'tmpfs /var/lib/private 755 size=4m nr_inodes=1k noSuid noDevices noExec',
      'attach /var/lib/private/seen #3 directory',
      'attach /var/lib/private/wuff #4 directory',
      'remount /var/lib/private nonRecursive readOnly',
    ]);
  });

  it('has new file systems of the kernel where they show its own namespaces, with what was below the old ones', () => {
    const flags = 'noSuid noDevices noExec';
    const kernel = (...properties: string[]) => beyond(planOf(properties)).map(text => text.replace(/#\d+ /, '# '));
    assert.deepEqual(kernel('PrivateNetwork=yes'), [`mount /sys # type:sysfs ${flags} ?`, 'clone /sys # detach ?']);
    assert.deepEqual(kernel('ProtectProc=invisible', 'ProcSubset=pid'), [
      `mount /proc # hidepid=invisible subset=pid type:proc ${flags} ?`,
      'clone /proc # detach ?',
    ]);
    assert.deepEqual(kernel('PrivateIPC=yes'), [
      `mount /dev/mqueue # type:mqueue ${flags} ?`,
      'clone /dev/mqueue # detach ?',
      'attach /dev/mqueue #2',
    ]);
    const plan = planOf(['PrivateNetwork=yes', 'PrivateIPC=yes']);
    assert.deepEqual([plan.privateNetwork, plan.privateIPC], [true, true]);
    assert.deepEqual([planOf([]).privateNetwork, planOf([]).privateIPC], [false, false]);
  });

  it('has new file systems of the kernel read-only, and in parts, where it says so', () => {
    const whole = lines(planOf(['ProtectProc=invisible', 'ReadOnlyPaths=/proc']));
    assert.ok(whole.some(text => /^mount \/proc #\d hidepid=invisible type:proc readOnly noSuid/.test(text)));
    const part = lines(planOf(['PrivateNetwork=yes', 'ReadOnlyPaths=/sys/fs', 'InaccessiblePaths=/sys/firmware']));
    assert.ok(part.includes('remount /sys/fs readOnly'), part.join('\n'));
    assert.ok(part.includes('mask /sys/firmware'), part.join('\n'));
    assert.ok(part.indexOf('remount /sys/fs readOnly') > part.findIndex(text => text.startsWith('attach /sys ')));
  });

  it('has what was asked for at a path of PrivateDevices=, and not the device or directory of the host', () => {
    const own = lines(planOf(['PrivateDevices=yes', 'PrivateIPC=yes', 'TemporaryFileSystem=/dev/shm:mode=1777']));
    assert.ok(own.some(text => text.startsWith('tmpfs /dev/shm 1777 ')));
    assert.deepEqual(
      own.filter(text => /^clone \/dev\/(?:shm|mqueue) /.test(text) && !text.includes('detach')),
      [],
    );
    assert.ok(own.some(text => /^attach \/dev\/mqueue #\d+ directory$/.test(text)));
  });

  it('maps to the group that the process has', () => {
    const directories = [privateDirectory('wuff', { handover: 'map', diskUid: 65_534, diskGid: 65_534 })];
    const plan = planOf(['StateDirectory=wuff', 'Group=dialout'], { directories, processGid: 20 });
    assert.equal(plan.gid, 20);
    assert.ok(lines(plan).some(text => text.includes('map:65534:65534:61214:20')));
  });

  it('has a part of a directory mounted of its own only where one of them is read-only', () => {
    const sub = { within: '/var/lib/wuff', inode: '78' };
    const directories = [privateDirectory('wuff'), privateDirectory('wuff/sub', { ...sub, readOnly: true })];
    const plan = planOf(['StateDirectory=wuff wuff/sub::ro'], { directories });
    assert.ok(lines(plan).includes('clone /var/lib/private/wuff/sub #4 noSymlinks:2049:78 readOnly noSuid'));
    assert.ok(lines(plan).includes('attach /var/lib/private/wuff/sub #4 directory'));
  });

  it('has public directories over themselves', () => {
    const directory = privateDirectory('x', { kind: 'runtime', publicPath: '/run/x', realPath: '/run/x' });
    assert.deepEqual(beyond(planOf(['RuntimeDirectory=x'], { directories: [directory] })), [
      'clone /run/x #2 noSymlinks:2049:77 noSuid',
      'attach /run/x #2',
    ]);
  });

  it('has root own the directories of configuration', () => {
    assert.deepEqual(beyond(planOf(['ConfigurationDirectory=x', 'ConfigurationDirectoryMode=0750'])), [
      'mkdir /etc/x 750',
      'clone /etc/x #1 detach noSuid',
      'attach /etc/x #1',
    ]);
  });

  it('is written to where that is asked for, and each path once', () => {
    const plan = planOf([
      'ReadWritePaths=/srv /srv/a -/opt /srv',
      'ReadOnlyPaths=/srv/a/b /usr',
      'InaccessiblePaths=-/srv/c /srv/c/d',
    ]);
    assert.deepEqual(beyond(plan), [
      'clone /srv/c #5 detach ?',
      'clone /srv/a/b #4 detach readOnly noSuid',
      'clone /srv #3 detach noSuid',
      'clone /opt #1 detach noSuid ?',
      'attach /opt #1',
      'attach /srv #3',
      'attach /srv/a/b #4',
      'mask /srv/c ?',
    ]);
  });

  it('has homes as ProtectHome= says', () => {
    const homes = (value: string) => beyond(planOf([`ProtectHome=${value}`])).filter(text => text.includes(' /home'));
    assert.deepEqual(homes('read-only'), []);
    assert.deepEqual(homes('yes'), ['clone /home #1 detach ?', 'mask /home ?']);
    assert.deepEqual(homes('no'), ['clone /home #1 detach noSuid ?', 'attach /home #1']);
    assert.deepEqual(homes('tmpfs'), [
      'clone /home #1 detach ?',
      'tmpfs /home 755 size=4m nr_inodes=1k noSuid noDevices ?',
      'remount /home nonRecursive readOnly ?',
    ]);
  });

  it('has less where it is turned off', () => {
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no', 'ProtectHome=no', 'NoNewPrivileges=no'])), []);
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no', 'ProtectHome=no'])), []);
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no'])), [
      'clone /run/user #2 detach readOnly noSuid ?',
      'clone /root #1 detach readOnly noSuid ?',
      'clone /home #0 detach readOnly noSuid ?',
      'remount / noSuid',
      'attach /home #0',
      'attach /root #1',
      'mask /run/credentials ?',
      'attach /run/user #2',
    ]);
  });
});

describe('the world of a static user', () => {
  it('is the one of the host', () => {
    const plan = planOf(NONE, STATIC);
    assert.equal(plan.mountNamespace, false);
    assert.deepEqual(plan.mountOps, []);
    assert.equal(plan.noNewPrivileges, false);
    assert.equal(plan.restrictSuidSgid, false);
  });

  it('is protected as far as is asked for', () => {
    assert.deepEqual(lines(planOf([...NONE, 'ProtectSystem=full', 'ReadWritePaths=/etc/x'], STATIC)), [
      'clone /usr #4 detach readOnly ?',
      'clone /etc/x #3 detach',
      'clone /etc #2 detach readOnly ?',
      'clone /efi #1 detach readOnly ?',
      'clone /boot #0 detach readOnly ?',
      'attach /boot #0',
      'attach /efi #1',
      'attach /etc #2',
      'attach /etc/x #3',
      'mask /run/credentials ?',
      'attach /usr #4',
    ]);
    assert.deepEqual(lines(planOf([...NONE, 'ReadOnlyPaths=/', 'ReadWritePaths=/srv'], STATIC)), [
      'clone /srv #0 detach',
      'remount / readOnly',
      'mask /run/credentials ?',
      'attach /srv #0',
    ]);
  });

  it('has its directories at their public paths, also where a dynamic one was asked for', () => {
    const directories = [privateDirectory('x', { realPath: '/var/lib/x' })];
    const plan = planOf(['StateDirectory=x'], { ...STATIC, directories });
    assert.deepEqual(beyond(plan), ['clone /var/lib/x #3 noSymlinks:2049:77 noSuid', 'attach /var/lib/x #3']);
  });

  it('makes its directories of configuration without a mount namespace', () => {
    assert.deepEqual(lines(planOf([...NONE, 'ConfigurationDirectory=x'], STATIC)), ['mkdir /etc/x 755']);
  });
});

describe('a root of its own', () => {
  it('has the trees at their public paths, and nothing of the host but what is bound', () => {
    const directories = [privateDirectory('wuff', { aliases: ['also'] })];
    const properties = ['RootDirectory=/srv/root', 'StateDirectory=wuff:also', 'ReadWritePaths=+/a /srv/root/b /c'];
    const plan = planOf(properties, { directories });
    assert.equal(plan.root, '/srv/root');
    assert.deepEqual(lines(plan), [
      'mkdir /srv/root/tmp 1777',
      'mkdir /srv/root/var/lib/wuff 755',
      'mkdir /srv/root/var/tmp 1777',
      'clone /var/lib/private/wuff #5 noSymlinks:2049:77 noSuid',
      'clone /srv/root/sys #4 detach noSuid ?',
      'clone /srv/root/proc #3 detach noSuid ?',
      'clone /srv/root/dev #2 detach noSuid ?',
      'clone /srv/root/b #1 detach noSuid',
      'clone /srv/root/a #0 detach noSuid',
      'symlink /var/lib/also →wuff',
      'remount / readOnly noSuid',
      'attach /a #0',
      'attach /b #1',
      'attach /dev #2',
      'attach /proc #3',
      'mask /run/credentials ?',
      'attach /sys #4',
      'tmpfs /tmp 1777 size=10% nr_inodes=400k scratch:tmp noSuid noDevices ?',
      'attach /var/lib/wuff #5 directory',
      'tmpfs /var/tmp 1777 size=10% nr_inodes=400k scratch:var-tmp noSuid noDevices ?',
    ]);
  });
});
