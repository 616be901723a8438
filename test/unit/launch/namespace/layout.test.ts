import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planOf, privateDirectory } from '../launches.ts';
import { beyond, lines } from './op-lines.ts';

const NONE = ['DynamicUser=no'];
const STATIC = { uid: 5, gid: 60, userName: 'games', dynamic: false };

describe('the world of a dynamic user', () => {
  it('is read-only, but for what protects itself, and has its own /tmp', () => {
    assert.deepEqual(lines(planOf([])), [
      'pin /sys #2 takeAway noSuid ?',
      'pin /proc #1 takeAway noSuid ?',
      'pin /dev #0 takeAway noSuid ?',
      'attributes / readOnly noSuid',
      'place /dev #0',
      'place /proc #1',
      'hide /run/credentials ?',
      'place /sys #2',
      'cover /tmp 1777 size=10% nr_inodes=400k part:tmp noSuid noDevices ?',
      'cover /var/tmp 1777 size=10% nr_inodes=400k part:var-tmp noSuid noDevices ?',
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
      'pin /var/lib/private/seen #3 straight:2049:78 readOnly noSuid',
      'pin /var/lib/private/wuff #4 straight:2049:77 map:65534:65534:61214:61214 noSuid noDevices',
      'cover /var/lib/private 755 size=4m nr_inodes=1k noSuid noDevices noExec',
      'place /var/lib/private/seen #3 directory',
      'place /var/lib/private/wuff #4 directory',
      'attributes /var/lib/private single readOnly',
    ]);
  });

  it('has new file systems of the kernel where they show its own namespaces, with what was below the old ones', () => {
    const flags = 'noSuid noDevices noExec';
    const kernel = (...properties: string[]) => beyond(planOf(properties)).map(text => text.replace(/#\d+ /, '# '));
    assert.deepEqual(kernel('PrivateNetwork=yes'), [`mount /sys # type:sysfs ${flags} ?`, 'pin /sys # takeAway ?']);
    assert.deepEqual(kernel('ProtectProc=invisible', 'ProcSubset=pid'), [
      `mount /proc # hidepid=invisible subset=pid type:proc ${flags} ?`,
      'pin /proc # takeAway ?',
    ]);
    assert.deepEqual(kernel('PrivateIPC=yes'), [
      `mount /dev/mqueue # type:mqueue ${flags} ?`,
      'pin /dev/mqueue # takeAway ?',
      'place /dev/mqueue #2',
    ]);
    const plan = planOf(['PrivateNetwork=yes', 'PrivateIPC=yes']);
    assert.deepEqual([plan.privateNetwork, plan.privateIPC], [true, true]);
    assert.deepEqual([planOf([]).privateNetwork, planOf([]).privateIPC], [false, false]);
  });

  it('has new file systems of the kernel read-only, and in parts, where it says so', () => {
    const whole = lines(planOf(['ProtectProc=invisible', 'ReadOnlyPaths=/proc']));
    assert.ok(whole.some(text => /^mount \/proc #\d hidepid=invisible type:proc readOnly noSuid/.test(text)));
    const part = lines(planOf(['PrivateNetwork=yes', 'ReadOnlyPaths=/sys/fs', 'InaccessiblePaths=/sys/firmware']));
    assert.ok(part.includes('attributes /sys/fs readOnly'), part.join('\n'));
    assert.ok(part.includes('hide /sys/firmware'), part.join('\n'));
    assert.ok(part.indexOf('attributes /sys/fs readOnly') > part.findIndex(text => text.startsWith('place /sys ')));
  });

  it('has what was asked for at a path of PrivateDevices=, and not the device or directory of the host', () => {
    const own = lines(planOf(['PrivateDevices=yes', 'PrivateIPC=yes', 'TemporaryFileSystem=/dev/shm:mode=1777']));
    assert.ok(own.some(text => text.startsWith('cover /dev/shm 1777 ')));
    assert.deepEqual(
      own.filter(text => /^pin \/dev\/(?:shm|mqueue) /.test(text) && !text.includes('takeAway')),
      [],
    );
    assert.ok(own.some(text => /^place \/dev\/mqueue #\d+ directory$/.test(text)));
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
    assert.ok(lines(plan).includes('pin /var/lib/private/wuff/sub #4 straight:2049:78 readOnly noSuid'));
    assert.ok(lines(plan).includes('place /var/lib/private/wuff/sub #4 directory'));
  });

  it('has public directories over themselves', () => {
    const directory = privateDirectory('x', { kind: 'runtime', publicPath: '/run/x', realPath: '/run/x' });
    assert.deepEqual(beyond(planOf(['RuntimeDirectory=x'], { directories: [directory] })), [
      'pin /run/x #2 straight:2049:77 noSuid',
      'place /run/x #2',
    ]);
  });

  it('has root own the directories of configuration', () => {
    assert.deepEqual(beyond(planOf(['ConfigurationDirectory=x', 'ConfigurationDirectoryMode=0750'])), [
      'make /etc/x 750',
      'pin /etc/x #1 takeAway noSuid',
      'place /etc/x #1',
    ]);
  });

  it('is written to where that is asked for, and each path once', () => {
    const plan = planOf([
      'ReadWritePaths=/srv /srv/a -/opt /srv',
      'ReadOnlyPaths=/srv/a/b /usr',
      'InaccessiblePaths=-/srv/c /srv/c/d',
    ]);
    assert.deepEqual(beyond(plan), [
      'pin /srv/c #5 takeAway ?',
      'pin /srv/a/b #4 takeAway readOnly noSuid',
      'pin /srv #3 takeAway noSuid',
      'pin /opt #1 takeAway noSuid ?',
      'place /opt #1',
      'place /srv #3',
      'place /srv/a/b #4',
      'hide /srv/c ?',
    ]);
  });

  it('has homes as ProtectHome= says', () => {
    const homes = (value: string) => beyond(planOf([`ProtectHome=${value}`])).filter(text => text.includes(' /home'));
    assert.deepEqual(homes('read-only'), []);
    assert.deepEqual(homes('yes'), ['pin /home #1 takeAway ?', 'hide /home ?']);
    assert.deepEqual(homes('no'), ['pin /home #1 takeAway noSuid ?', 'place /home #1']);
    assert.deepEqual(homes('tmpfs'), [
      'pin /home #1 takeAway ?',
      'cover /home 755 size=4m nr_inodes=1k noSuid noDevices ?',
      'attributes /home single readOnly ?',
    ]);
  });

  it('has less where it is turned off', () => {
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no', 'ProtectHome=no', 'NoNewPrivileges=no'])), []);
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no', 'ProtectHome=no'])), []);
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no'])), [
      'pin /run/user #2 takeAway readOnly noSuid ?',
      'pin /root #1 takeAway readOnly noSuid ?',
      'pin /home #0 takeAway readOnly noSuid ?',
      'attributes / noSuid',
      'place /home #0',
      'place /root #1',
      'hide /run/credentials ?',
      'place /run/user #2',
    ]);
  });
});

describe('the world of a static user', () => {
  it('is the one of the host', () => {
    const plan = planOf(NONE, STATIC);
    assert.equal(plan.mountNamespace, false);
    assert.deepEqual(plan.steps, []);
    assert.equal(plan.noNewPrivileges, false);
    assert.equal(plan.restrictSuidSgid, false);
  });

  it('is protected as far as is asked for', () => {
    assert.deepEqual(lines(planOf([...NONE, 'ProtectSystem=full', 'ReadWritePaths=/etc/x'], STATIC)), [
      'pin /usr #4 takeAway readOnly ?',
      'pin /etc/x #3 takeAway',
      'pin /etc #2 takeAway readOnly ?',
      'pin /efi #1 takeAway readOnly ?',
      'pin /boot #0 takeAway readOnly ?',
      'place /boot #0',
      'place /efi #1',
      'place /etc #2',
      'place /etc/x #3',
      'hide /run/credentials ?',
      'place /usr #4',
    ]);
    assert.deepEqual(lines(planOf([...NONE, 'ReadOnlyPaths=/', 'ReadWritePaths=/srv'], STATIC)), [
      'pin /srv #0 takeAway',
      'attributes / readOnly',
      'hide /run/credentials ?',
      'place /srv #0',
    ]);
  });

  it('has its directories at their public paths, also where a dynamic one was asked for', () => {
    const directories = [privateDirectory('x', { realPath: '/var/lib/x' })];
    const plan = planOf(['StateDirectory=x'], { ...STATIC, directories });
    assert.deepEqual(beyond(plan), ['pin /var/lib/x #3 straight:2049:77 noSuid', 'place /var/lib/x #3']);
  });

  it('makes its directories of configuration without a mount namespace', () => {
    assert.deepEqual(lines(planOf([...NONE, 'ConfigurationDirectory=x'], STATIC)), ['make /etc/x 755']);
  });
});

describe('a root of its own', () => {
  it('has the trees at their public paths, and nothing of the host but what is bound', () => {
    const directories = [privateDirectory('wuff', { aliases: ['also'] })];
    const properties = ['RootDirectory=/srv/root', 'StateDirectory=wuff:also', 'ReadWritePaths=+/a /srv/root/b /c'];
    const plan = planOf(properties, { directories });
    assert.equal(plan.root, '/srv/root');
    assert.deepEqual(lines(plan), [
      'make /srv/root/tmp 1777',
      'make /srv/root/var/lib/wuff 755',
      'make /srv/root/var/tmp 1777',
      'pin /var/lib/private/wuff #5 straight:2049:77 noSuid',
      'pin /srv/root/sys #4 takeAway noSuid ?',
      'pin /srv/root/proc #3 takeAway noSuid ?',
      'pin /srv/root/dev #2 takeAway noSuid ?',
      'pin /srv/root/b #1 takeAway noSuid',
      'pin /srv/root/a #0 takeAway noSuid',
      'link /var/lib/also →wuff',
      'attributes / readOnly noSuid',
      'place /a #0',
      'place /b #1',
      'place /dev #2',
      'place /proc #3',
      'hide /run/credentials ?',
      'place /sys #4',
      'cover /tmp 1777 size=10% nr_inodes=400k part:tmp noSuid noDevices ?',
      'place /var/lib/wuff #5 directory',
      'cover /var/tmp 1777 size=10% nr_inodes=400k part:var-tmp noSuid noDevices ?',
    ]);
  });
});
