import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENDING_SHOWN_MAX } from '../../../../src/cli/limits.ts';
import { renderStatus } from '../../../../src/cli/render/status.ts';
import { chooseStyle } from '../../../../src/cli/render/table.ts';

const style = chooseStyle(false, {});
const socket = '/run/dynuser/io.dynuser.DynamicUser';

test('all is well', () => {
  assert.equal(
    renderStatus(
      {
        reachable: true,
        socket,
        service: { vendor: 'dynuser', product: 'dynuserd', version: '0.1.0 (0123456789ab)' },
        command: '0.1.0 (0123456789ab)',
        users: 2,
        leases: 3,
        lookups: { passwd: 'listed', group: 'listed', userDatabase: 'linked' },
      },
      style,
    ),
    [
      '        Daemon: running',
      '       Version: dynuserd 0.1.0 (0123456789ab)',
      `        Socket: ${socket}`,
      '         Users: 2',
      '        Leases: 3',
      "passwd lookups: ok, 'dynuser' is in /etc/nsswitch.conf",
      " group lookups: ok, 'dynuser' is in /etc/nsswitch.conf",
      ' User database: ok, linked in /run/systemd/userdb',
      '',
    ].join('\n'),
  );
});

test('what is wrong is said with what to do', () => {
  const text = renderStatus(
    {
      reachable: false,
      command: '0.1.0',
      socket,
      problem: 'cannot reach it',
      lookups: { passwd: 'missing', group: 'unreadable', userDatabase: 'missing' },
    },
    style,
  );
  assert.match(text, /Daemon: cannot reach it\n/);
  assert.match(text, /passwd lookups: not asked: add 'dynuser' to the line 'passwd:' of \/etc\/nsswitch\.conf\n/);
  assert.match(text, /group lookups: not known: .* permissions\n/);
  assert.match(text, /User database: not linked .*'systemctl restart dynuserd' makes the link\n/);
  assert.doesNotMatch(text, /Version|Users|Leases/);
});

test('another owner of the link, and a host without the user database', () => {
  const lookups = { passwd: 'listed', group: 'listed' } as const;
  const shown = (userDatabase: 'elsewhere' | 'unused'): string =>
    renderStatus({ reachable: true, command: '0.1.0', socket, lookups: { ...lookups, userDatabase } }, style);
  assert.match(shown('elsewhere'), /User database: something else .* restart dynuserd\n/);
  assert.match(shown('unused'), /User database: not used on this host\n/);
});

test('users that have ended and keep their UIDs reserved are said with what remains, up to a bound', () => {
  const lookups = { passwd: 'listed', group: 'listed', userDatabase: 'linked' } as const;
  const shown = (count: number): string => {
    const ending = Array.from({ length: count }, (_, index) => ({
      uid: 61184 + index,
      userName: 'a\x1b',
      remains: 'r',
    }));
    return renderStatus({ reachable: true, command: '0.1.0', socket, users: 0, leases: 0, ending, lookups }, style);
  };
  assert.doesNotMatch(shown(0), /Ending/);
  assert.match(shown(1), /Ending: 1 UID is reserved .*: remove what is named, .*\n +UID 61184: of a\\x1b: r\npasswd/);
  assert.match(shown(2), /Ending: 2 UIDs are reserved /);
  assert.doesNotMatch(shown(ENDING_SHOWN_MAX), /More/);
  const many = shown(ENDING_SHOWN_MAX + 3);
  assert.equal(many.match(/UID \d+: of /g)?.length, ENDING_SHOWN_MAX);
  assert.match(many, / More: 3: 'dynuserctl list' shows them\n/);
});

test('what remains of a user that is being ended is not known yet', () => {
  const lookups = { passwd: 'listed', group: 'listed', userDatabase: 'linked' } as const;
  const ending = [{ uid: 61184, userName: 'a' }];
  assert.match(
    renderStatus({ reachable: true, command: '0.1.0', socket, ending, lookups }, style),
    /UID 61184: of a: not known yet: /,
  );
});

test('a daemon of another build is shown next to this command', () => {
  const lookups = { passwd: 'listed', group: 'listed', userDatabase: 'linked' } as const;
  const service = { vendor: 'dynuser', product: 'dynuserd', version: '0.1.0 (0123456789ab)' };
  const shown = (command: string): string =>
    renderStatus({ reachable: true, socket, command, service, lookups }, style);
  assert.match(shown('0.1.0 (ba9876543210)'), /Command: dynuserctl 0\.1\.0 \(ba9876543210\), .* restart dynuserd/);
  assert.doesNotMatch(shown(service.version), /Command/);
});
