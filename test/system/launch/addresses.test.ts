/** What IPAddressDeny= and RestrictNetworkInterfaces= leave of a network of the service's own, tried from within. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

/** With the interface up, a port that nobody listens on refuses. */
const CONNECT = 'IO::Socket::INET->new(PeerAddr => "127.0.0.1:1") or print $!';

describe('addresses that are denied', () => {
  let machine: Machine;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
  });
  after(() => machine.stop());

  const connect = (...properties: readonly string[]) =>
    machine.run(['dynuser-run', ...properties.map(text => `-p${text}`), 'perl', '-MIO::Socket', '-e', CONNECT]);

  it('are not reached, not even those of the loopback interface', async () => {
    const own = 'PrivateNetwork=yes';
    for (const [properties, words] of [
      [[own], 'Connection refused'],
      [[own, 'IPAddressDeny=any', 'IPAddressAllow=localhost'], 'Connection refused'],
      [[own, 'RestrictNetworkInterfaces=lo'], 'Connection refused'],
      [[own, 'IPAddressDeny=any'], 'Network is unreachable'],
      [[own, 'RestrictNetworkInterfaces=~lo'], 'Network is unreachable'],
      [[own, 'RestrictNetworkInterfaces=eth0', 'IPAddressAllow=any'], 'Network is unreachable'],
    ] as const) {
      assert.equal((await connect(...properties)).stdout, words, properties.join(' '));
    }
  });
});
