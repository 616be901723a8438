import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderStatus } from '../../../../src/cli/render/status.ts';
import { chooseStyle } from '../../../../src/cli/render/style.ts';

const style = chooseStyle(false, {});
const socket = '/run/dynuser/io.dynuser.DynamicUser';

test('all is well', () => {
  assert.equal(
    renderStatus(
      {
        reachable: true,
        socket,
        service: { vendor: 'dynuser', product: 'dynuserd', version: '0.1.0' },
        users: 2,
        leases: 3,
        lookups: { passwd: 'listed', group: 'listed', userDatabase: 'linked' },
      },
      style,
    ),
    [
      '        Daemon: running',
      '       Version: dynuserd 0.1.0',
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

test('what is amiss is said with what to do', () => {
  const text = renderStatus(
    {
      reachable: false,
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
    renderStatus({ reachable: true, socket, lookups: { ...lookups, userDatabase } }, style);
  assert.match(shown('elsewhere'), /User database: something else .* restart dynuserd\n/);
  assert.match(shown('unused'), /User database: not used on this host\n/);
});
