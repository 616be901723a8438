/** The log under systemd: entries of the journal with fields, priorities and an explanation; and as JSON elsewhere. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

type Entry = Readonly<Record<string, string>>;

describe('the log in the journal', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await machine.sh('journalctl --update-catalog');
    await machine.write('/etc/dynuser/dynuserd.conf', 'LogLevel=debug\n');
    await machine.output(['systemctl', 'start', 'dynuserd']);
  });
  after(() => machine.stop());

  /** @returns the entries about a unit, once there are as many */
  async function entriesOf(match: string, count: number): Promise<readonly Entry[]> {
    let entries: readonly Entry[] = [];
    await until(
      () => `${count} entries of ${match}; there are ${JSON.stringify(entries)}`,
      async () => {
        await machine.output(['journalctl', '--sync']);
        const text = await machine.output(['journalctl', '-o', 'json', '_COMM=node', match]);
        entries = text
          .split('\n')
          .filter(line => line !== '')
          .map(line => JSON.parse(line));
        return entries.length >= count;
      },
    );
    return entries;
  }

  it('has the life of a user, found by its name, its UID, its unit and its lease', async () => {
    const uid = await machine.output(['dynuserctl', 'acquire', 'web.service']);
    await machine.output(['dynuserctl', 'acquire', 'web.service']);
    await machine.output(['dynuserctl', 'release', '--all', 'web']);
    const entries = await entriesOf('DYNUSER_NAME=web', 5);
    assert.deepEqual(
      entries.map(({ MESSAGE, PRIORITY }) => [MESSAGE, PRIORITY]),
      [
        [`web.service has got web with UID ${uid}`, '6'],
        [`web.service has joined web (UID ${uid})`, '6'],
        ['web: a lease has ended, and 1 left (web.service)', '6'],
        ['web: its last lease has ended (web.service)', '6'],
        [`web has ended: UID ${uid} is free`, '6'],
      ],
    );
    const [begin, , , release, end] = entries;
    assert.ok(begin && release && end);
    assert.deepEqual([begin['DYNUSER_UID'], begin['DYNUSER_UNIT']], [uid, 'web.service']);
    assert.match(begin['DYNUSER_LEASE'] ?? '', /^[0-9a-f]{32}$/);
    assert.equal(begin['SYSLOG_IDENTIFIER'], 'dynuserd');
    assert.deepEqual(await entriesOf(`DYNUSER_LEASE=${begin['DYNUSER_LEASE']}`, 2).then(found => found.length), 2);
    assert.deepEqual(
      [begin['MESSAGE_ID'], release['MESSAGE_ID'], end['MESSAGE_ID']],
      ['f01f2802b5a64c139b1fd65cc0836c28', undefined, 'bf3e6ffc2d724602bcf2e9aa788a8098'],
    );
  });

  it('explains what an entry means', async () => {
    const explained = await machine.output(['journalctl', '-x', 'MESSAGE_ID=f01f2802b5a64c139b1fd65cc0836c28']);
    assert.match(explained, /Subject: The dynamic user web was made/);
    assert.match(explained, /The unit web\.service asked for the dynamic user web/);
  });

  it('has refusals with their error, and with LogLevel=debug why a candidate was passed over', async () => {
    const refused = await machine.run(['dynuserctl', 'acquire', 'x.service', '--user=adm']);
    assert.equal(refused.status, 1);
    const [refusal] = await entriesOf('MESSAGE_ID=0dba6cbedaa64fcdb85c915025f4ea88', 1);
    assert.deepEqual(
      [refusal?.['DYNUSER_CODE'], refusal?.['DYNUSER_UNIT'], refusal?.['DYNUSER_NAME'], refusal?.['PRIORITY']],
      ['NameConflict', 'x.service', 'adm', '4'],
    );
    // systemd prefers the same UID: 64642.
    await machine.spawn(['sleep', '1000'], { uid: 64_642 });
    assert.notEqual(await machine.output(['dynuserctl', 'acquire', 'dynamic-user-test.service']), '64642');
    const [passed] = await entriesOf('DYNUSER_UID=64642', 1);
    assert.match(
      passed?.['MESSAGE'] ?? '',
      /^dynamic-user-test does not get UID 64642: process \d+ \(sleep\) runs with it$/,
    );
    assert.deepEqual([passed?.['DYNUSER_EVIDENCE'], passed?.['PRIORITY']], ['process', '7']);
  });

  it('is JSON if standard error leads elsewhere', async () => {
    await machine.output(['systemctl', 'stop', 'dynuserd.service', 'dynuserd.socket', 'dynuserd-allocator.socket']);
    const host = new Installed(machine);
    const daemon = await host.startDaemon({ JOURNAL_STREAM: '8:1' });
    let log = '';
    daemon.stderr.on('data', (text: string) => {
      log += text;
    });
    await machine.output(['dynuserctl', 'acquire', 'json.service']);
    await until(
      () => `a line about json.service: ${log}`,
      async () => log.split('\n').some(line => line.includes('json.service has got')),
    );
    const line = JSON.parse(log.split('\n').find(text => text.includes('has got')) ?? '{}');
    assert.deepEqual([line.level, line.user, line.unit], [30, 'json', 'json.service']);
    daemon.kill('SIGTERM');
    await daemon.ended;
    assert.match(log, /"stopped"\}\n$/);
  });
});
