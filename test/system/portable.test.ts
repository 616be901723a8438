/**
 * Portable services: one image, attached by the real portablectl and by dynuserctl to each manager, one after the other, is the same service with
 * the same user and the same state; what is hostile or fails leaves nothing.
 */
// starts early: machines with systemd, and three managers
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LOOP_DEVICES } from '../support/images/make.ts';
import { Machine } from '../support/machine.ts';
import { IMAGE, IMAGE_STATE, killedAt, makeImage, PLACES } from '../support/portable-image.ts';
import { makeNextImage, NEXT_IMAGE, reattach } from '../support/portable-reattach.ts';
import { unpackSupervisor } from '../support/supervisors/packages.ts';
import { runSupervisor } from '../support/supervisors/service.ts';
import { until } from '../support/until.ts';
import { BOOTED } from './supervisors/openrc-boot.ts';

const UNITS = '/etc/systemd/system.attached';

describe('portable services', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({
      init: 'systemd',
      stage: true,
      varLib: 'disk',
      nsswitch: { passwd: 'files dynuser systemd', group: 'files dynuser systemd' },
    });
    await machine.sh('systemctl daemon-reload; systemctl start dynuserd.socket dbus.socket dbus.service');
    await makeImage(machine);
  });
  after(() => machine?.stop());

  const image = (...argv: string[]) => machine.run(['dynuserctl', 'image', ...argv]);
  const attached = async (...argv: string[]): Promise<string> => {
    const { status, stdout, stderr } = await image(...argv);
    assert.equal(status, 0, stdout + stderr);
    return stdout;
  };
  const list = async (): Promise<Record<string, unknown>[]> => JSON.parse(await attached('list', '--json=short'));
  /** What of all that attach could have made is there. */
  const traces = async (): Promise<string[]> =>
    (
      await machine.sh(
        `find ${PLACES} -name '*minimal*' -o -name addon_1 -o -name 'more_1*' -o -name '.#*' -o -name manifest.json 2>/dev/null; true`,
      )
    )
      .split('\n')
      .filter(Boolean);

  it('are inspected, and nothing is changed', async () => {
    assert.equal(
      await attached('inspect', IMAGE),
      `  Image: ${IMAGE}\n System: A test image\n Prefix: minimal\nManager: systemd\n\n` +
        'UNIT                ATTACH  WHY\nminimal-tick.timer  yes     -\nminimal.service     yes     -\nminimal@.service    yes     -\n',
    );
    const { units } = JSON.parse(await attached('inspect', IMAGE, '--manager=runit', '--json=short', '--instance=a'));
    assert.deepEqual(units, [
      { name: 'minimal-tick.timer', verdict: 'left out', reasons: ['runit has no timers'] },
      { name: 'minimal.service', verdict: 'attached', reasons: [] },
      { name: 'minimal@.service', verdict: 'attached', reasons: [] },
    ]);
    assert.match(
      await attached('inspect', IMAGE, '--cat'),
      /^-- os-release --\nID=test\n[\s\S]*\n-- minimal@\.service --\n/,
    );
    assert.match(await attached('inspect', IMAGE, 'other'), /\nother\.service +yes/);
    const { status, stderr } = await image('inspect', IMAGE, 'another');
    assert.deepEqual(
      { status, said: /PORTABLE_PREFIXES=.*minimal other, and not another/.test(stderr) },
      { status: 1, said: true },
    );
    assert.deepEqual(await traces(), []);
  });

  it('get from systemd what portablectl gives them', async () => {
    const files = `cd ${UNITS} && find . -type d -o -exec sha256sum {} + | sort -k2`;
    await machine.output(['portablectl', 'attach', IMAGE]);
    assert.deepEqual(
      (await list()).map(({ name, state }) => ({ name, state })),
      [{ name: 'minimal_1', state: 'portablectl' }],
    );
    const theirs = await machine.sh(files);
    const { stderr } = await image('detach', IMAGE);
    assert.match(stderr, /portablectl has attached it/);
    await machine.output(['portablectl', 'detach', IMAGE]);
    await attached('attach', IMAGE);
    assert.equal(await machine.sh(files), theirs);
    assert.match(await machine.output(['portablectl', 'list', '--no-legend']), /^minimal_1 .* attached$/);
    // It knows ours, too.
    await machine.output(['portablectl', 'detach', IMAGE]);
    assert.deepEqual(await list(), []);
    assert.match((await image('detach', IMAGE)).stderr, /dynuserctl has not attached it/);
    assert.deepEqual(await traces(), []);
  });

  it('have the same user and state under portablectl, systemd, OpenRC, runit and s6', async () => {
    for (const name of ['openrc', 'runit', 's6', 'execline']) {
      await unpackSupervisor(machine, name);
    }
    await machine.sh(`${BOOTED}; mkdir -p /run/service /etc/runit/runsvdir/current`);
    await runSupervisor(machine, ['runsvdir', '-P', '/etc/service']);
    await runSupervisor(machine, ['s6-svscan', '/run/service']);
    const ways = [
      // It does not wait for the services that it stops.
      {
        attach: ['portablectl', 'attach', '--now', IMAGE],
        detach: ['sh', '-c', `systemctl stop minimal.service minimal-tick.timer && portablectl detach ${IMAGE}`],
      },
      ...['systemd', 'openrc', 'runit', 's6'].map(manager => ({
        attach: ['dynuserctl', 'image', 'attach', `--manager=${manager}`, '--enable', '--now', IMAGE],
        detach: ['dynuserctl', 'image', 'detach', '--now', IMAGE],
      })),
    ];
    let uid: string | undefined;
    for (const [index, { attach, detach }] of ways.entries()) {
      const way = attach.join(' ');
      await machine.output(attach);
      let log: readonly string[] = [];
      await until(
        () => `a start after ${way}: ${log.join('; ')}`,
        async () => {
          log = (await machine.run(['cat', IMAGE_STATE])).stdout.split('\n').slice(0, -1);
          return log.length > index;
        },
      );
      assert.equal(log.length, index + 1, `${way}: one start`);
      uid ??= log[0]?.split(' ')[0];
      // Its user, the variable of the drop-in, a file of the image, and an empty /srv.
      assert.equal(log.at(-1), `${uid} minimal_1 image 0`, way);
      assert.match(await machine.output(['getent', 'passwd', String(uid)]), /^minimal:/, way);
      if (index > 0) {
        const { status, stderr } = await image('detach', IMAGE);
        assert.equal(status, 1);
        assert.match(stderr, /minimal\b.* runs?; stop it first/);
        assert.equal((await list())[0]?.['state'], 'running');
      }
      await machine.output(detach);
      assert.deepEqual(await traces(), [], way);
      await until('the user has ended', async () => (await machine.run(['getent', 'passwd', 'minimal'])).status === 2);
    }
    assert.deepEqual(await list(), []);
  });

  it('are the same out of a disk image, which nobody mounts on the host', async () => {
    const disk = '/srv/minimal_2.raw';
    await machine.sh(`${LOOP_DEVICES}
      cp -a --one-file-system ${IMAGE} /srv/tree && mkdir -p /srv/tree/usr/bin /srv/tree/var/lib/minimal-addon
      for name in bin lib lib64; do mkdir -p /srv/tree/usr/$name; done
      for program in sh cat id ls wc sleep; do
        cp -L "/usr/bin/$program" /srv/tree/usr/bin/
        ldd "/usr/bin/$program" | grep -o '/[^ ]*' | while read -r library; do
          path=/srv/tree/usr/\${library#/usr}
          mkdir -p "\${path%/*}" && cp -Lu "$library" "$path"
        done
      done
      mksquashfs /srv/tree ${disk} -quiet -no-progress >/dev/null && rm -r /srv/tree`);
    const mounts = await machine.output(['cat', '/proc/self/mountinfo']);
    const nothingIsMounted = async (): Promise<void> => {
      await until('no loop device is left', async () => {
        const { stdout } = await machine.run(['sh', '-c', `cat /sys/block/loop*/loop/backing_file | grep -F ${disk}`]);
        return stdout === '';
      });
      assert.equal(await machine.output(['cat', '/proc/self/mountinfo']), mounts);
    };
    assert.match(await attached('inspect', disk), /\nminimal\.service +yes/);
    await nothingIsMounted();
    const files = `cd ${UNITS} && find . -type d -o -exec sha256sum {} + | sort -k2`;
    await machine.output(['portablectl', 'attach', disk]);
    const theirs = await machine.sh(files);
    await machine.output(['portablectl', 'detach', disk]);
    await attached('attach', disk);
    assert.equal(await machine.sh(files), theirs);
    // By the name that portablectl gives it.
    await attached('detach', 'minimal_2');
    const lines = async () => (await machine.run(['cat', IMAGE_STATE])).stdout.split('\n').slice(0, -1);
    for (const manager of ['systemd', 'runit']) {
      const before = (await lines()).length;
      await attached('attach', `--manager=${manager}`, '--enable', '--now', disk);
      await until(`a start by ${manager}`, async () => (await lines()).length > before);
      assert.match((await lines()).at(-1) ?? '', /^\d+ minimal_2\.raw image 0$/, manager);
      await attached('detach', '--now', disk);
      assert.deepEqual(await traces(), [], manager);
      await until('the user has ended', async () => (await machine.run(['getent', 'passwd', 'minimal'])).status === 2);
    }
    await nothingIsMounted();
    await machine.sh('head -c 8M /dev/urandom >/srv/minimal_3.raw; chmod 600 /srv/minimal_3.raw');
    const { status, stderr } = await image('attach', '/srv/minimal_3.raw');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^dynuserctl: \/srv\/minimal_3\.raw: there is neither a file system nor a table of partitions in it; nothing was changed\n$/,
    );
    assert.deepEqual(await traces(), []);
    await nothingIsMounted();
  });

  it('take units out of extensions, a directory and a disk image, which are laid over the image for these', async () => {
    // The image of the test before: with PrivateDevices=, systemd gives the loop device of an extension to a service in a disk image alone.
    const base = '/srv/minimal_2.raw';
    const [directory, disk, log] = ['/srv/addon_1', '/srv/more_1.raw', '/var/lib/private/minimal-addon/log'];
    await machine.sh(`${LOOP_DEVICES}
      for name in addon more; do
        mkdir -p /srv/\${name}_1/usr/lib/extension-release.d /srv/\${name}_1/usr/share
        printf 'ID=test\\nVERSION_ID=1\\nSYSEXT_ID=%s\\nPORTABLE_PREFIXES=minimal\\n' $name \
          >/srv/\${name}_1/usr/lib/extension-release.d/extension-release.\${name}_1
        printf $name >/srv/\${name}_1/usr/share/\${name}_1
      done
      mksquashfs /srv/more_1 ${disk} -quiet -no-progress >/dev/null && rm -r /srv/more_1`);
    await machine.sh(`mkdir -p ${directory}/usr/lib/systemd/system`);
    await machine.write(
      `${directory}/usr/lib/systemd/system/minimal-addon.service`,
      `[Service]
StateDirectory=minimal-addon
ExecStart=/bin/sh -c 'echo "$$(id -u) $$PORTABLE $$PORTABLE_ROOT $$(cat /usr/share/addon_1 /usr/share/more_1)" >>$STATE_DIRECTORY/log; exec sleep 1000'
`,
    );
    const extensions = [`--extension=${directory}`, `--extension=${disk}`];
    assert.match(
      await attached('inspect', `--extension=${directory}`, IMAGE),
      /^ +Image: \/srv\/minimal_1\n *Extension: \/srv\/addon_1\n[\s\S]*\nminimal-addon\.service +yes/,
    );
    const name = 'minimal_2.raw:addon_1:more_1.raw';
    const files = `cd ${UNITS} && find . -type d -o -exec sha256sum {} + | sort -k2`;
    /** Waits for a start. @returns the lines of all */
    const starts = async (count: number): Promise<readonly string[]> => {
      let lines: string[] = [];
      await until(
        () => `start ${count}: ${lines.join('; ')}`,
        async () => {
          lines = (await machine.run(['cat', log])).stdout.split('\n').slice(0, -1);
          return lines.length === count;
        },
      );
      return lines;
    };
    await machine.output(['portablectl', 'attach', ...extensions, base, 'minimal']);
    const theirs = await machine.sh(files);
    await machine.output(['systemctl', 'start', 'minimal-addon.service']);
    const [first = ''] = await starts(1);
    assert.match(first, /^\d+ addon_1 minimal_2\.raw addonmore$/);
    assert.match((await image('detach', ...extensions, base)).stderr, /portablectl has attached it/);
    await machine.output(['systemctl', 'stop', 'minimal-addon.service']);
    await machine.output(['portablectl', 'detach', ...extensions, base, 'minimal']);
    await attached('attach', ...extensions, base, 'minimal');
    assert.equal(await machine.sh(files), theirs);
    await attached('detach', ...extensions, base);
    assert.deepEqual(await traces(), []);
    await attached('attach', '--manager=runit', '--enable', ...extensions, base, 'minimal');
    assert.deepEqual(await starts(2), [first, first]);
    const states = (await list()).map(({ name: shown, state }) => `${shown} ${state}`);
    assert.deepEqual(states, [`${name} running`]);
    assert.match((await image('detach', base)).stderr, /dynuserctl has not attached it/);
    await attached('detach', '--now', name);
    assert.deepEqual(await traces(), []);
    for (const [change, message] of [
      [
        's/VERSION_ID=1/VERSION_ID=2/',
        /addon_1: it cannot be laid over the image: it is for VERSION_ID=2, and the root is 1\n$/,
      ],
      ['s/^ID=test/ID=debian/', /it is for the system "debian", and the root is "test"\n$/],
      [
        's/^PORTABLE_.*/SYSEXT_SCOPE=system/',
        /it is not for portable services: SYSEXT_SCOPE= of its extension-release is system\n$/,
      ],
    ] as const) {
      const release = `${directory}/usr/lib/extension-release.d/extension-release.addon_1`;
      await machine.sh(`cp ${release} /run/release && sed -i '${change}' ${release}`);
      const { status, stdout, stderr } = await image('attach', '--manager=runit', ...extensions, IMAGE);
      assert.deepEqual({ status, stdout }, { status: 1, stdout: '' }, stderr);
      assert.match(stderr, /^dynuserctl: [^\n]*\n$/);
      assert.match(stderr, message);
      await machine.sh(`cp /run/release ${release}`);
    }
    assert.match((await image('attach', extensions[0] ?? '', extensions[0] ?? '', IMAGE)).stderr, /it is named twice/);
    assert.match((await image('attach', '--extension=/srv', IMAGE)).stderr, /has no extension-release\.srv in /);
    assert.deepEqual(await traces(), []);
  });

  it('are attached and detached by force although they run, or the host has units of their names', async () => {
    const files = `cd ${UNITS} && find . -type d -o -type f -exec sha256sum {} + | sort -k2`;
    const unit = `${UNITS}/minimal.service`;
    const state = () => machine.sh('systemctl show -P ActiveState -P MainPID minimal.service');
    const made: string[] = [];
    for (const tool of [['portablectl'], ['dynuserctl', 'image']]) {
      const does = async (...argv: string[]): Promise<void> => void (await machine.output([...tool, ...argv, IMAGE]));
      const refuses = async (action: string, message: RegExp): Promise<void> => {
        const { status, stderr } = await machine.run([...tool, action, IMAGE]);
        assert.deepEqual({ status, said: message.test(stderr) }, { status: 1, said: true }, `${tool}: ${stderr}`);
      };
      await does('attach');
      await machine.output(['systemctl', 'start', 'minimal.service']);
      const running = await state();
      assert.match(running, /^\d+\nactive$/);
      await refuses('detach', /minimal\.service'? (is active|runs)/);
      await does('detach', '--force');
      assert.deepEqual(await traces(), []);
      assert.equal(await state(), running);
      await refuses('attach', /minimal\.service'? (is active|runs) already/);
      await does('attach', '--force');
      made.push(await machine.sh(files));
      assert.equal(await state(), running);
      await machine.output(['systemctl', 'stop', 'minimal.service']);
      await does('detach');
      for (const path of ['/etc/systemd/system/minimal.service', unit]) {
        await machine.write(path, '[Service]\nExecStart=/bin/false\n');
        await machine.output(['systemctl', 'daemon-reload']);
        await refuses('attach', /minimal\.service.* on (the|this) host already/);
        assert.match(await machine.output(['cat', path]), /false/);
        await does('attach', '--force');
        made.push(await machine.sh(files));
        await does('detach');
        await machine.run(['rm', path]);
        assert.deepEqual(await traces(), [], path);
      }
    }
    assert.equal(made.length, 6);
    // The profile is a link of portablectl's, and a file of dynuserctl's.
    const withoutProfile = made.map(text => text.replaceAll(/^.*10-profile\.conf\n/gm, ''));
    assert.deepEqual([...new Set(withoutProfile)], [withoutProfile[0]]);
    // What portablectl has attached is replaced, too.
    await machine.output(['portablectl', 'attach', IMAGE]);
    assert.match((await image('attach', IMAGE)).stderr, /on this host already/);
    await attached('attach', '--force', IMAGE);
    await attached('detach', IMAGE);
    // The link by which an image was found before is not of dynuserctl.
    assert.deepEqual(await traces(), ['/etc/portables/minimal_1']);
    await machine.output(['rm', '/etc/portables/minimal_1']);
    // A supervisor has no service without its directory.
    await attached('attach', '--manager=runit', '--enable', '--now', IMAGE);
    assert.match((await image('detach', '--force', IMAGE)).stderr, /minimal runs; stop it first/);
    await attached('detach', '--now', IMAGE);
    assert.deepEqual(await traces(), []);
  });

  it('have extensions by force whose disk image was renamed', async () => {
    const [base, renamed] = ['/srv/minimal_2.raw', '/srv/renamed_2.raw'];
    const extensions = ['--extension=/srv/addon_1', `--extension=${renamed}`];
    await machine.sh(`cp /srv/more_1.raw ${renamed}`);
    const files = `cd ${UNITS} && cat minimal-addon.service.d/20-portable.conf`;
    const made: string[] = [];
    for (const tool of [['portablectl'], ['dynuserctl', 'image']]) {
      const { status, stderr } = await machine.run([...tool, 'attach', ...extensions, base, 'minimal']);
      assert.equal(status, 1, stderr);
      await machine.output([...tool, 'attach', '--force', ...extensions, base, 'minimal']);
      made.push(await machine.sh(files));
      await machine.output(['systemctl', 'start', 'minimal-addon.service']);
      await machine.output(['systemctl', 'stop', 'minimal-addon.service']);
      await machine.output([...tool, 'detach', ...extensions, base, ...(tool.length === 1 ? ['minimal'] : [])]);
      assert.deepEqual(await traces(), []);
    }
    assert.equal(made[1], made[0]);
    assert.match(made[0] ?? '', /^ExtensionImages=\/srv\/renamed_2\.raw:x-systemd\.relax-extension-release-check$/m);
    const { stderr } = await image('attach', '--manager=runit', '--force', ...extensions, base, 'minimal');
    assert.match(stderr, /it has no extension-release\.renamed_2 in /);
    assert.deepEqual(await traces(), []);
  });

  it('say what root would run outside of the image', async () => {
    const units = '/srv/outside_1/etc/systemd/system';
    await machine.sh(`mkdir -p ${units} && cp /srv/minimal_1/etc/os-release /srv/outside_1/etc/ && cd ${units}
      sed -i /PREFIXES/d ../../os-release
      printf '[Service]\nExecStartPre="+/bin/own" x\nExecStart=/bin/x\nExecStop=-+/bin/y\n' >outside.service
      printf '[Service]\nPermissionsStartOnly=yes\nExecStartPre=/bin/z\nExecStart=/bin/x\n' >outside-2.service
      printf '[Service]\nExecStart=/bin/x +y\n' >outside-3.service`);
    const { units: found } = JSON.parse(await attached('inspect', '/srv/outside_1', '--json=short'));
    const outside = 'is run by root outside of the image';
    assert.deepEqual(found, [
      { name: 'outside-2.service', verdict: 'attached', reasons: [`ExecStartPre=/bin/z ${outside}`] },
      { name: 'outside-3.service', verdict: 'attached', reasons: [] },
      {
        name: 'outside.service',
        verdict: 'attached',
        reasons: [`ExecStartPre=+/bin/own ${outside}`, `ExecStop=-+/bin/y ${outside}`],
      },
    ]);
  });

  it('are replaced by another version, and taken away with their directories', async () => {
    await makeNextImage(machine);
    const { stdout } = await image('is-attached', IMAGE);
    assert.equal(stdout, 'detached\n');
    const nothing = await image('reattach', NEXT_IMAGE);
    assert.match(nothing.stderr, /minimal_2: no image of this name, up to the first "_", is attached; use attach/);
    // OpenRC and s6: test/stress/portable-reattach.test.ts.
    for (const manager of ['systemd', 'runit']) {
      await reattach(machine, manager);
    }
    await machine.sh(`umount ${NEXT_IMAGE}/usr && rm -r ${NEXT_IMAGE}`);
  });

  it('are left alone if they are not as they were attached', async () => {
    await attached('attach', '--manager=openrc', IMAGE);
    await machine.sh('echo "# mine" >>/etc/init.d/minimal');
    const { status, stderr } = await image('detach', IMAGE);
    assert.deepEqual(
      { status, said: /not as it was attached: \/etc\/init\.d\/minimal;/.test(stderr) },
      { status: 1, said: true },
    );
    await machine.sh('mv /etc/init.d/minimal /root/minimal');
    await attached('detach', '--no-reload', IMAGE);
    assert.deepEqual(await traces(), []);
    await machine.sh('mkdir -p /etc/sv/minimal');
    const refused = await image('attach', '--manager=runit', IMAGE);
    assert.match(refused.stderr, /\/etc\/sv\/minimal: it is on this host already/);
    await machine.sh('rmdir /etc/sv/minimal');
    assert.deepEqual(await traces(), []);
  });

  it('are not attached from what is hostile, and one error says why', async () => {
    const evil = '/srv/evil';
    const units = `${evil}/etc/systemd/system`;
    const cases: readonly (readonly [script: string, message: RegExp])[] = [
      [
        `ln -s /etc/passwd ${units}/evil.service && rm ${evil}/etc/passwd`,
        /evil\.service: it leads to no file of the image/,
      ],
      [
        `ln -s ../../../../../../../../../root/evil ${units}/evil.service && echo x >/root/evil`,
        /evil\.service: it leads to no file of the image/,
      ],
      [`mkfifo ${units}/evil.service`, /evil\.service: not a regular file/],
      [
        `seq 300 | sed 's|.*|${units}/evil-&.service|' | xargs -n 300 sh -c 'for i; do echo x >$i; done' sh`,
        /more than 256 units that match/,
      ],
      [
        `cd ${units} && seq -f 'evil-%.0f.service' 100000 | xargs touch`,
        /etc\/systemd\/system: more than \d+ names; nothing was changed/,
      ],
      [`rm ${evil}/etc/os-release && mkfifo ${evil}/etc/os-release`, /os-release: not a regular file/],
      [`rm ${evil}/etc/os-release && ln -s /run/secret ${evil}/etc/os-release`, /no os-release file/],
      [`chmod 777 ${evil}`, /others than root can change or replace it/],
      [`chown 1000 ${evil}`, /others than root can change or replace it/],
      [`rm -r ${evil} && ln -s / ${evil}`, /it leads to the root of this host/],
      [`echo x >${units}/evil.target`, /nothing of it can be attached: evil\.target: OpenRC has no targets/],
      [
        `printf '[Service]\\nExecStart=/bin/x\\nPrivatePIDs=yes\\n' >${units}/evil.service`,
        /dynuser-run would not start evil\.service: .*PrivatePIDs/,
      ],
      [
        `printf '[Service\\nExecStart=' >${units}/evil.service`,
        /dynuser-run would not start evil\.service: .*not a section/,
      ],
    ];
    for (const [script, message] of cases) {
      await machine.sh(
        `rm -rf ${evil}; mkdir -p ${units}; echo ID=x >${evil}/etc/os-release; touch ${evil}/etc/passwd; ${script}`,
      );
      const { status, stdout, stderr } = await image('attach', '--manager=openrc', evil);
      assert.deepEqual({ status, stdout }, { status: 1, stdout: '' }, script);
      assert.match(stderr, /^dynuserctl: [^\n]*\n$/, script);
      assert.match(stderr, message, script);
      assert.equal(await machine.sh(`find ${PLACES} -name '*evil*' 2>/dev/null; true`), '', script);
    }
    const outside = await image('attach', `${evil}\nx`);
    assert.equal(outside.status, 1);
    for (const name of ['..', '.', 'a b', '-x/', 'nowhere']) {
      assert.notEqual((await image('inspect', '--', name)).status, 0, name);
    }
  });

  it('leave nothing of an attach that fails half way', async () => {
    await machine.sh(`mkdir -p ${UNITS} && mount -t tmpfs -o nr_inodes=6,mode=755 tmpfs ${UNITS}`);
    const { status, stderr } = await image('attach', IMAGE);
    assert.deepEqual(
      { status, said: /no space left on device; nothing is left of it\n$/.test(stderr) },
      { status: 1, said: true },
      stderr,
    );
    await machine.sh(`umount ${UNITS} && rmdir ${UNITS}`);
    assert.deepEqual(await traces(), []);
  });

  it('leave nothing of an attach or a detach that is killed, once the next one has run', async () => {
    const killed = async (call: string, at: number, action: string): Promise<void> => {
      const { status } = await machine.run([
        ...killedAt(call, at),
        'dynuserctl',
        'image',
        action,
        '--no-reload',
        IMAGE,
      ]);
      assert.notEqual(status, 0, `${action} came to its end without ${at} calls of ${call}`);
    };
    for (const [call, at] of [['link', 2] as const, ['rename', 2] as const]) {
      await killed(call, at, 'attach');
      assert.equal((await list())[0]?.['state'], 'unfinished');
      const { status, stderr } = await image('detach', IMAGE);
      assert.deepEqual({ status, said: /has not attached it/.test(stderr) }, { status: 1, said: true }, stderr);
      assert.deepEqual(await traces(), [], `after ${call} ${at} of attach`);
    }
    await attached('attach', '--no-reload', IMAGE);
    await killed('rmdir', 2, 'detach');
    assert.equal((await list())[0]?.['state'], 'unfinished');
    await attached('attach', '--no-reload', IMAGE);
    await attached('detach', IMAGE);
    assert.deepEqual(await traces(), []);
  });
});
