/** dynuserctl orphans: finds what former users have left, says whose it was, gives it to who comes back, and follows nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

interface Orphan {
  readonly uid: number;
  readonly formerUser?: string;
  readonly files: number;
  readonly path: string;
}

describe('orphans', () => {
  let machine: Machine;
  let host: Installed;
  let web = 0;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    host = new Installed(machine);
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\n');
    await host.startDaemon();
    web = Number(await machine.output(['dynuserctl', 'acquire', 'web.service', '--state-directory=web']));
    await machine.sh(
      `mkdir -p /srv/t/web/sub && touch /srv/t/web/sub/a "/srv/t/web/b c" && ln -s /etc/passwd /srv/t/link && ln -s /etc /srv/t/web/etc
       touch "/srv/t/$(printf '\\377')" /srv/t/other /var/lib/private/web/kept
       chown -hR ${web} /srv/t/web /srv/t/link "/srv/t/$(printf '\\377')" /var/lib/private/web/kept
       chown 61999 /srv/t/other && chmod 4755 /srv/t/web/sub/a
       mkdir /srv/t/mnt && mount -t tmpfs tmpfs /srv/t/mnt && touch /srv/t/mnt/far && chown ${web} /srv/t/mnt/far`,
    );
  });
  after(() => machine.stop());

  const orphans = async (...argv: readonly string[]): Promise<Orphan[]> =>
    JSON.parse(await machine.output(['dynuserctl', 'orphans', '--json=short', ...argv]));
  const inWords = (found: readonly Orphan[]): string[] =>
    found
      .map(({ uid, formerUser, files, path }) => `${uid === web ? 'web' : uid} ${formerUser} ${files} ${path}`)
      .sort();

  it('are not files of a user that lives', async () => {
    assert.deepEqual(inWords(await orphans('/srv/t')), ['61999 undefined 1 /srv/t/other']);
  });

  it('are found when it has ended, with who it was; its state directory waits for the next one', async () => {
    await until(
      'the history knows the user',
      async () => (await machine.run(['dynuserctl', 'history', 'web'])).status === 0,
    );
    await machine.output(['dynuserctl', 'release', 'web']);
    assert.deepEqual(inWords(await orphans('/srv/t', '/var/lib')), [
      '61999 undefined 1 /srv/t/other',
      'web web 1 /srv/t/link',
      'web web 1 /srv/t/\ufffd',
      'web web 5 /srv/t/web',
    ]);
    const everywhere = inWords(await orphans('/srv/t', '--all-file-systems'));
    assert.ok(
      everywhere.includes('web web 1 /srv/t/mnt/far') && everywhere.includes('web web 5 /srv/t/web'),
      everywhere.join(),
    );
    const table = await machine.output(['dynuserctl', 'orphans', '/srv/t/web']);
    assert.match(
      table,
      new RegExp(`UID +FORMER USER +FILES +PATH\\n${web} +web +5 +/srv/t/web\\n\\n5 files of 1 former UID\\.$`),
    );
  });

  it('are given to the user that comes back, without setuid bits, and those of others stay', async () => {
    const refused = await machine.run(['dynuserctl', 'orphans', '/srv/t', '--adopt=web']);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /no live user has the name web/);
    // The number is somebody else's meanwhile.
    await machine.sh(`mkdir -p /var/lib/private/taken && chown ${web} /var/lib/private/taken`);
    await machine.output(['dynuserctl', 'acquire', 'taken.service', '--state-directory=taken']);
    const next = Number(await machine.output(['dynuserctl', 'acquire', 'web.service']));
    assert.notEqual(next, web);
    assert.deepEqual(await orphans('/srv/t/web'), [], 'whoever has the number now explains it');
    await machine.output(['dynuserctl', 'release', 'taken']);
    const said = await machine.output(['dynuserctl', 'orphans', '/srv/t', '--adopt=web']);
    assert.match(said, /^Gave 7 files to web \(UID \d+\); 1 tree of others or of nobody known stayed as they are\.$/);
    const owners = await machine.sh('stat -c "%u %a %n" /srv/t/web/sub/a /srv/t/link /srv/t/other /etc/passwd /etc');
    assert.deepEqual(owners.split('\n'), [
      `${next} 755 /srv/t/web/sub/a`,
      `${next} 777 /srv/t/link`,
      '61999 644 /srv/t/other',
      '0 644 /etc/passwd',
      '0 755 /etc',
    ]);
  });

  it('are listed without the history, too; that it is missing is said if there are any', async () => {
    await machine.sh('mkdir -p /srv/empty');
    const asked = async (path: string) => {
      const env = { DYNUSER_HISTORY_DIRECTORY: '/nonexistent' };
      const { status, stdout, stderr } = await machine.run(['dynuserctl', 'orphans', '--json=short', path], { env });
      return { status, stderr, found: inWords(JSON.parse(stdout)) };
    };
    const { stderr, ...others } = await asked('/srv/t');
    assert.deepEqual(others, { status: 0, found: ['61999 undefined 1 /srv/t/other'] });
    assert.match(stderr, /^dynuserctl: who the former users were is not known: \/nonexistent: there is no history yet/);
    assert.deepEqual(await asked('/srv/empty'), { status: 0, stderr: '', found: [] });
  });

  it('need root, and a directory', async () => {
    const asked = async (argv: readonly string[], uid?: number) => {
      const { status, stderr } = await machine.run(
        ['dynuserctl', 'orphans', ...argv],
        uid === undefined ? {} : { uid },
      );
      return `${status} ${stderr.trim()}`;
    };
    assert.equal(await asked([], 1_000), '1 dynuserctl: only root can see all files; use sudo');
    assert.match(await asked(['/etc/passwd']), /^1 dynuserctl: \/etc\/passwd: it is not a directory/);
    assert.match(await asked(['/nonexistent']), /^1 dynuserctl: \/nonexistent: no such file or directory$/);
  });
});
