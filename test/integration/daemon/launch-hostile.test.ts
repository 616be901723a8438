/** Properties, unit files and environment files that are too long, too many, something else, or lead elsewhere or nowhere. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

const UNIT = '/etc/hostile/x.service';
const SERVICE = '[Service]\nDynamicUser=yes\nExecStart=/bin/echo ran\n';
const many = (count: number, one: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join(' ');

describe('what is hostile', () => {
  let host: Installed;
  before(async () => {
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
    await host.startDaemon();
  });
  after(() => host.machine.stop());

  /** It ends by itself, with one sentence that matches, and nothing runs or is left. */
  const refused = async (argv: readonly string[], words: RegExp): Promise<void> => {
    const { status, stdout, stderr } = await host.machine.run(['dynuser-run', ...argv]);
    assert.deepEqual([status, stdout], [125, ''], stderr);
    assert.match(stderr, words);
    assert.equal(stderr.match(/\n/g)?.length, 1, stderr);
    assert.ok(stderr.length < 1_000, `${stderr.length} characters`);
    await host.untilNothingIsKept();
  };
  const inUnit = async (lines: string, words: RegExp): Promise<void> => {
    await host.machine.write(UNIT, `${SERVICE}${lines}\n`);
    await refused([`--unit-file=${UNIT}`], words);
  };

  it('in a property is refused by its name: "..", NUL, absolute where it may not be, and other names', async () => {
    for (const kind of [
      'StateDirectory',
      'CacheDirectory',
      'LogsDirectory',
      'RuntimeDirectory',
      'ConfigurationDirectory',
    ]) {
      for (const value of ['../x', 'a/../../x', '/etc', '..', `${'a/'.repeat(3_000)}b`, 'a'.repeat(300)]) {
        await refused(['-p', `${kind}=${value}`, 'echo', 'no'], new RegExp(`^dynuser-run: ${kind}=?: `, 'i'));
      }
      await inUnit(`${kind}=a\0b`, /x\.service has NUL characters/);
    }
    for (const property of [
      'ReadOnlyPaths=/etc/../root',
      'BindPaths=/etc:/mnt/../../x',
      'TemporaryFileSystem=../x',
      'User=../root',
    ]) {
      await refused(['-p', property, 'echo', 'no'], new RegExp(`^dynuser-run: ${property.replace(/=.*/, '')}=?: `));
    }
    for (const name of ['', 'x'.repeat(300)]) {
      await refused([`--unit=${name}`, 'echo', 'no'], /^dynuser-run: (?:--)?unit=?: /);
    }
    // As with systemd-run they are escaped, so that they are names.
    for (const name of ['../x', 'a\nb', 'a/b']) {
      assert.equal(await host.machine.output(['dynuser-run', `--unit=${name}`, 'echo', 'yes']), 'yes');
      await host.untilNothingIsKept();
    }
  });

  it('by its number is refused with the bound: 10,000 entries of each list', async () => {
    const lists: Readonly<Record<string, (index: number) => string>> = {
      StateDirectory: index => `d${index}`,
      ReadOnlyPaths: index => `/d${index}`,
      BindPaths: index => `/etc:/d${index}`,
      SupplementaryGroups: index => `${index}`,
      Environment: index => `V${index}=x`,
      ExecStart: index => `/bin/echo w${index}`,
    };
    for (const [name, one] of Object.entries(lists)) {
      await inUnit(`${name}=${many(10_000, one)}`, new RegExp(`${name}=?: .*at most`));
    }
    await inUnit(
      many(10_000, index => `\nEnvironment=V${index}=x`),
      /at most/,
    );
  });

  it('by its length is refused with the bound: 1 MiB of anything', async () => {
    for (const name of [
      'StateDirectory',
      'Environment',
      'User',
      'WorkingDirectory',
      'ExecStart',
      'UMask',
      'Nonsense',
    ]) {
      // What systemd ignores is ignored, with a warning that is no longer than others.
      await host.machine.write(UNIT, `${SERVICE}${name}=${'x'.repeat(1_000_000)}\n`);
      const { status, stdout, stderr } = await host.machine.run(['dynuser-run', `--unit-file=${UNIT}`]);
      assert.deepEqual(
        [status, stdout],
        ['ExecStart', 'User', 'WorkingDirectory'].includes(name) ? [125, ''] : [0, 'ran\n'],
        name,
      );
      assert.match(stderr, /^dynuser-run: [^\n]{1,1000}\n$/, name);
      await inUnit(`${name}=${'x'.repeat(1_048_576)}`, /longer than \d+ bytes|at most/);
    }
  });

  it('in the place of a unit file is not waited for, nor read without end', async () => {
    await host.machine.write('/etc/hostile/plain.service', SERVICE);
    await host.machine.sh(`cd /etc/hostile; mkfifo fifo.service; ln -s /dev/zero device.service; truncate -s 1G huge.service
      ln -s loop.service loop.service; mkdir directory.service; ln -s a.service b.service; ln -s b.service a.service
      ln -s /dev/tty tty.service; printf '\\351' >latin.service; head -c 1000000 /dev/zero >zero.service`);
    const cases: Readonly<Record<string, RegExp>> = {
      fifo: /no readable file/,
      device: /no readable file/,
      tty: /no readable file/,
      directory: /no readable file/,
      missing: /no readable file/,
      huge: /longer than \d+ bytes/,
      loop: /Too many levels of symbolic links/,
      a: /Too many levels of symbolic links/,
      latin: /not UTF-8/,
      zero: /NUL/,
    };
    for (const [name, words] of Object.entries(cases)) {
      await refused([`--unit-file=/etc/hostile/${name}.service`], words);
    }
    for (const name of ['fifo', 'device', 'huge', 'loop', 'latin', 'tty']) {
      await inUnit(`EnvironmentFile=/etc/hostile/${name}.service`, /no readable file|longer|levels|UTF-8/);
    }
  });

  it('includes itself: drop-ins in a circle are each read once, and nothing includes anything', async () => {
    await host.machine.sh(`cd /etc/hostile; mkdir x.service.d; ln -s .. x.service.d/up; ln -s ../x.service x.service.d/self.conf
      ln -s . x.service.d/directory.conf; ln -s x.service.d x.service.d.d`);
    await host.machine.write(UNIT, SERVICE.replace('ExecStart=', 'ExecStart=\nExecStart='));
    assert.equal(await host.machine.output(['dynuser-run', `--unit-file=${UNIT}`]), 'ran');
    await host.machine.write(UNIT, `${SERVICE.replace('ExecStart=', 'ExecStart=\nExecStart=')}.include ${UNIT}\n`);
    const { status, stdout, stderr } = await host.machine.run(['dynuser-run', `--unit-file=${UNIT}`]);
    assert.deepEqual([status, stdout], [0, 'ran\n'], stderr);
    assert.match(stderr, /x\.service:5: .*include/);
    await host.machine.sh(
      'cd /etc/hostile/x.service.d; i=0; while [ $i -lt 1100 ]; do : >f$i.conf; i=$((i + 1)); done',
    );
    await refused([`--unit-file=${UNIT}`], /more than 1000 names/);
    await host.machine.sh('rm -r /etc/hostile/x.service.d; ln -s x.service.d /etc/hostile/x.service.d');
    await refused([`--unit-file=${UNIT}`], /Too many levels of symbolic links/);
    await host.machine.sh('rm /etc/hostile/x.service.d');
  });

  it('as a pattern does not look through the whole machine', async () => {
    await host.machine.sh(
      'mkdir -p /srv/wide && cd /srv/wide && seq 400 | xargs mkdir && for d in *; do seq -f "$d/%g" 300; done | xargs touch',
    );
    await inUnit('EnvironmentFile=/srv/wide/*/[!0-9]', /more than \d+ names to compare with \/srv\/wide/);
  });

  it('as a program on a file system without execution is said to be there', async () => {
    await host.machine.sh(
      'mkdir -p /srv/noexec; mount -t tmpfs -o noexec,mode=755 none /srv/noexec; install -m 755 /bin/true /srv/noexec/tool',
    );
    const { status, stderr } = await host.machine.run(['dynuser-run', '/srv/noexec/tool']);
    assert.equal(status, 126);
    assert.match(stderr, /cannot execute \/srv\/noexec\/tool: its file system is mounted without execution \(noexec\)/);
  });
});
