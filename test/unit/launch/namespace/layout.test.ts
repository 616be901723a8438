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
      'tmpfs /tmp 1777 size=10% nr_inodes=400k scratch:tmp noDevices noSuid ?',
      'tmpfs /var/tmp 1777 size=10% nr_inodes=400k scratch:var-tmp noDevices noSuid ?',
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

  it('has what sets and shows the kernel read-only or hidden, in a new /proc', () => {
    const tunables = lines(planOf(['ProtectKernelTunables=yes']));
    for (const line of ['remount /proc/sys readOnly ?', 'mask /proc/kallsyms ?', 'mask /proc/kcore ?']) {
      assert.ok(tunables.includes(line), line);
    }
    assert.ok(tunables.some(text => /^mount \/proc #\d+ type:proc /.test(text)));
    assert.ok(!tunables.some(text => text.startsWith('clone /sys ')), 'it is read-only with the rest');
    assert.ok(tunables.some(text => /^clone \/sys\/fs\/cgroup #\d+ detach noSuid \?$/.test(text)));
    const writable = lines(planOf([...NONE, 'ProtectKernelTunables=yes']));
    assert.ok(writable.some(text => /^clone \/sys #\d+ detach readOnly \?$/.test(text)));
    const groups = lines(planOf(['ProtectKernelTunables=yes', 'ProtectControlGroups=yes']));
    assert.ok(!groups.some(text => text.startsWith('clone /sys/fs/cgroup ')), 'it is read-only with /sys');
    const alone = lines(planOf(['ProtectControlGroups=yes']));
    assert.ok(alone.some(text => /^clone \/sys\/fs\/cgroup #\d+ detach readOnly noSuid \?$/.test(text)));
  });

  it('has control groups left alone in a /sys that is new and read-only, unless they are protected', () => {
    const network = ['PrivateNetwork=yes', 'ProtectKernelTunables=yes'];
    const sys = (...properties: string[]) => lines(planOf(properties)).filter(text => text.startsWith('mount /sys '));
    const exempt = 'exempt:/sys/fs/cgroup exempt:/sys/fs/selinux';
    assert.match(sys(...network)[0] ?? '', new RegExp(`readOnly noSuid noDevices noExec ${exempt} \\?$`));
    assert.match(sys(...network, 'ProtectControlGroups=yes')[0] ?? '', / noExec exempt:\/sys\/fs\/selinux \?$/);
    assert.ok(!sys('PrivateNetwork=yes')[0]?.includes('exempt'));
    assert.match(sys(...network, 'RootDirectory=/srv/root')[0] ?? '', new RegExp(` ${exempt} `), 'those of the host');
  });

  it('has no log, no modules and no name of the host in its reach', () => {
    const all = lines(planOf(['ProtectKernelLogs=yes', 'ProtectKernelModules=yes', 'ProtectHostname=yes']));
    for (const path of ['/proc/kmsg', '/dev/kmsg', '/usr/lib/modules']) {
      assert.ok(all.includes(`mask ${path} ?`), path);
    }
    assert.ok(all.some(text => /^clone \/proc\/sys\/kernel\/hostname #\d+ detach readOnly noSuid \?$/.test(text)));
    const named = planOf(['DynamicUser=no', 'ProtectHostname=yes']);
    assert.deepEqual([named.privateHostName, named.mountNamespace, named.mountOps], [true, false, []]);
    assert.deepEqual(
      lines(planOf(['ProtectKernelLogs=yes', 'PrivateDevices=yes'])).filter(text => text.includes('/dev/kmsg')),
      [],
    );
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
      'clone /etc/x #1 noSuid',
      'attach /etc/x #1',
    ]);
    const parts = planOf(['ConfigurationDirectory=x::ro x/a y/b::ro y']);
    assert.deepEqual(
      beyond(parts).filter(text => text.startsWith('clone')),
      ['clone /etc/x #1 readOnly noSuid', 'clone /etc/y #2 noSuid', 'clone /etc/y/b #3 readOnly noSuid'],
      'what is below one of them comes with it',
    );
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
    assert.equal(plan.filterIsForTerminal, true);
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
    const directories = [privateDirectory('wuff', { otherNames: { inner: [], covered: ['also'] } })];
    const root = ['RootDirectory=/srv/root', 'MountAPIVFS=no'];
    const properties = [...root, 'StateDirectory=wuff:also', 'ReadWritePaths=+/a /srv/root/b /c'];
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
      'tmpfs /tmp 1777 size=10% nr_inodes=400k scratch:tmp noDevices noSuid ?',
      'attach /var/lib/wuff #5 directory',
      'tmpfs /var/tmp 1777 size=10% nr_inodes=400k scratch:var-tmp noDevices noSuid ?',
    ]);
  });

  it("has the kernel's trees, an empty /run and the sockets of the log, but what is asked for there", () => {
    const rooted = (...properties: string[]): string[] =>
      lines(planOf(['DynamicUser=no', 'RootDirectory=/r', ...properties])).map(text => text.replace(/ #\d+/, ''));
    const usual = rooted();
    for (const line of [
      'mount /proc type:proc noSuid noDevices noExec ?',
      'attach /sys directory',
      'attach /dev directory',
      'tmpfs /run 755 size=20% nr_inodes=800k noSuid noDevices',
      'clone /run/systemd/journal/socket readOnly noSuid noDevices noExec ?',
      'attach /run/systemd/journal/dev-log file',
    ]) {
      assert.ok(usual.includes(line), line);
    }
    const kept = planOf(['DynamicUser=no', 'RootDirectory=/r']).mountOps.filter(op => op.unlessMounted === true);
    assert.deepEqual(kept.map(({ path }) => path).sort(), ['/dev', '/run', '/sys']);
    const protectedSys = rooted('ProtectKernelTunables=yes');
    assert.ok(protectedSys.indexOf('remount /sys readOnly') > protectedSys.indexOf('attach /sys directory'));
    const asked = rooted('PrivateDevices=yes', 'PrivateNetwork=yes', 'TemporaryFileSystem=/run:ro', 'BindPaths=/proc');
    assert.deepEqual(
      asked.filter(text => /^(?:tmpfs|mount|clone) \/(?:proc|sys|dev|run)(?: (?!detach)|$)/.test(text)),
      [
        'mount /dev size=4m nr_inodes=64k mode=755 type:tmpfs noSuid noExec',
        'clone /proc noDevices',
        'mount /sys type:sysfs noSuid noDevices noExec ?',
        'tmpfs /run 755 size=10% nr_inodes=400k noDevices',
      ],
    );
    const none = rooted('MountAPIVFS=no');
    assert.ok(!none.some(text => /^(?:attach|tmpfs|mount) /.test(text)), none.join('\n'));
    assert.ok(
      rooted('MountAPIVFS=no', 'PrivateDevices=yes').some(text => text.includes('/run/systemd/journal/socket')),
    );
    assert.ok(!rooted('BindLogSockets=no').some(text => text.includes('journal')));
  });
});

describe('namespaces', () => {
  const WORLD = { globs: { '/sys/fs/cgroup/cgroup.controllers': ['/sys/fs/cgroup/cgroup.controllers'] } };

  it('are those at the paths, and not new ones, with the file systems that show them', () => {
    const plan = planOf([...NONE, 'PrivateNetwork=yes', 'NetworkNamespacePath=/run/netns/%%a', 'IPCNamespacePath=/i']);
    assert.deepEqual([plan.networkNamespace, plan.ipcNamespace], ['/run/netns/%a', '/i']);
    assert.ok(lines(plan).some(text => text.startsWith('mount /sys ')));
    assert.ok(lines(plan).some(text => text.startsWith('mount /dev/mqueue ')));
    const none = planOf([...NONE, 'NetworkNamespacePath=/a', 'NetworkNamespacePath=']);
    assert.deepEqual([none.networkNamespace, none.mountNamespace], [undefined, false]);
  });

  it('of control groups have a file system of the service alone, if all of the host are in one tree', () => {
    const groups = (value: string, world = WORLD) => {
      const plan = planOf([...NONE, `ProtectControlGroups=${value}`], {}, {}, world);
      const ops = lines(plan).filter(text => / \/sys\/fs\/cgroup /.test(text) && !/^attach| detach \?$/.test(text));
      return [plan.privateControlGroups, plan.mountNamespace, ops.map(text => text.replace(/ #\d+/, ''))];
    };
    const mount = 'mount /sys/fs/cgroup type:cgroup2';
    assert.deepEqual(groups('private'), [true, true, [`${mount} noSuid noDevices noExec ?`]]);
    assert.deepEqual(groups('strict'), [true, true, [`${mount} readOnly noSuid noDevices noExec ?`]]);
    assert.deepEqual(groups('private', { globs: {} } as typeof WORLD), [false, false, []]);
    const detached = ['clone /sys/fs/cgroup detach readOnly ?'];
    assert.deepEqual(groups('strict', { globs: {} } as typeof WORLD), [false, true, detached]);
    assert.deepEqual(groups('yes'), [false, true, detached]);
  });

  it('of users have the users that are asked for', () => {
    const users = (value: string) => planOf([...NONE, `PrivateUsers=${value}`]).privateUsers;
    assert.deepEqual(['yes', 'self', 'identity', 'full', 'no'].map(users), [
      ...['self', 'self', 'identity', 'full', undefined],
    ]);
  });

  it('of names have that of the host, or another', () => {
    const names = (value: string) => {
      const { privateHostName, hostName, mountOps } = planOf([
        ...NONE,
        `ProtectHostname=${value}`,
        'PrivateMounts=yes',
      ]);
      return [privateHostName, hostName, mountOps.some(({ path }) => path === '/proc/sys/kernel/hostname')];
    };
    assert.deepEqual(names('yes'), [true, undefined, true]);
    assert.deepEqual(names('private'), [true, undefined, false]);
    assert.deepEqual(names('private:web-1.example'), [true, 'web-1.example', false]);
    assert.deepEqual(names('no'), [false, undefined, false]);
    for (const bad of ['', '-a', 'a.', 'a..b', 'a_b', 'a'.repeat(65)]) {
      assert.throws(() => names(`private:${bad}`), /not a host name: .*; use letters/);
    }
    assert.throws(() => names('own'), /unknown value: "own"; use one of yes, no, private$/);
  });

  it('of mounts get those of the host or not, and need no words for what is usual', () => {
    const flags = (value: string) => {
      const { propagation, mountNamespace } = planOf([...NONE, `MountFlags=${value}`]);
      return [propagation, mountNamespace];
    };
    assert.deepEqual(flags('shared'), [undefined, false]);
    assert.deepEqual(flags(''), [undefined, false]);
    assert.deepEqual(flags('slave'), ['slave', true]);
    assert.deepEqual(flags('private'), ['private', true]);
    assert.throws(() => flags('unbindable'), /unknown value/);
  });
});
