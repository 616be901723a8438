/** IPAddressDeny= and its siblings on the host's network: packets of a dynamic user are told by its UID, tried from within and without. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

/** Sends a datagram to each address, and prints what comes of it. */
const SEND = `for (@ARGV) {
  my $to = IO::Socket::IP->new(Proto => "udp", PeerHost => $_, PeerPort => 9);
  print "$_ ", ($to && $to->send("x") ? "sent" : $!), "\\n";
}`;
const LISTEN = `my $s = IO::Socket::IP->new(LocalPort => 7777, Listen => 5, V6Only => 0) or die $!; $| = 1; print "ready\\n";
while (my $c = $s->accept) { print $c "hello\\n"; close $c }`;
const FETCH =
  'my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 7777, LocalHost => $ARGV[0], Timeout => 1); print $s ? <$s> : "none\\n"';

const DENIED = 'Operation not permitted';

describe('packets of a dynamic user on the host’s network', () => {
  let machine: Machine;
  let host: Installed;
  let daemon: MachineProcess;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await machine.sh(
      'ip link set lo up && ip address add 10.9.9.1/32 dev lo && ip address add fd00::9/128 dev lo && useradd --system static',
    );
    host = new Installed(machine);
    daemon = await host.startDaemon();
  });
  after(() => machine.stop());

  const perl = ['perl', '-MIO::Socket::IP', '-e'] as const;
  const launch = (properties: readonly string[], ...command: readonly string[]) =>
    machine.run(['dynuser-run', ...properties.map(text => (text.startsWith('-') ? text : `-p${text}`)), ...command]);
  const send = async (properties: readonly string[], ...addresses: readonly string[]) => {
    const { stdout, stderr } = await launch(properties, ...perl, SEND, ...addresses);
    return `${stdout}${stderr}`.trim();
  };
  const ruleset = () => machine.output(['nft', 'list', 'ruleset']);

  it('go where they may, and nowhere else', async () => {
    const all = ['127.0.0.1', '10.9.9.1', '::1'];
    const results = (...words: readonly string[]) =>
      all.map((address, index) => `${address} ${words[index]}`).join('\n');
    for (const [properties, words] of [
      [['IPAddressDeny=any'], [DENIED, DENIED, DENIED]],
      [
        ['IPAddressDeny=any', 'IPAddressAllow=localhost'],
        ['sent', DENIED, 'sent'],
      ],
      [
        ['IPAddressDeny=any', 'IPAddressAllow=10.9.9.1'],
        [DENIED, 'sent', DENIED],
      ],
      [
        ['IPAddressDeny=10.0.0.0/8 ::/0', 'PrivateUsers=yes'],
        ['sent', DENIED, DENIED],
      ],
      [['RestrictNetworkInterfaces=lo'], ['sent', 'sent', 'sent']],
      [['RestrictNetworkInterfaces=eth0'], [DENIED, DENIED, DENIED]],
      [
        ['RestrictNetworkInterfaces=~lo eth0', 'IPAddressAllow=any'],
        [DENIED, DENIED, DENIED],
      ],
      [['IPAddressAllow=10.9.9.1'], ['sent', 'sent', 'sent']],
    ] as const) {
      assert.equal(await send(properties, ...all), results(...words), properties.join(' '));
    }
    assert.equal(await ruleset(), '', 'nothing stays');
  });

  it('reach a service from where they may, and others as before', async () => {
    const properties = ['-pIPAddressDeny=any', '-pIPAddressAllow=localhost'];
    const service = await machine.spawn(['dynuser-run', ...properties, ...perl, LISTEN]);
    let said = '';
    service.stdout.on('data', text => {
      said += text;
    });
    await until(
      () => 'it listens',
      async () => said.includes('ready'),
    );
    const fetch = (address: string) => machine.output([...perl, FETCH, address]);
    assert.deepEqual([await fetch('127.0.0.1'), await fetch('10.9.9.1')], ['hello', 'none']);
    assert.equal(await machine.output([...perl, SEND, '10.9.9.1']), '10.9.9.1 sent');
    service.kill('SIGKILL');
    await until(
      () => 'its rules go with it',
      async () => (await ruleset()) === '',
    );
  });

  it('stay filtered when the daemon is killed, and when somebody has taken the rules', async () => {
    const held = ['-u', 'held', '-pIPAddressDeny=any'];
    const service = await machine.spawn([
      'dynuser-run',
      ...held,
      ...perl,
      `$| = 1; while (1) { ${SEND} select undef, undef, undef, 0.05 }`,
      '127.0.0.1',
    ]);
    let last = '';
    service.stdout.on('data', text => {
      last = String(text).trim().split('\n').at(-1) ?? '';
    });
    await until(
      () => `it is filtered: ${last}`,
      async () => last === `127.0.0.1 ${DENIED}`,
    );
    const before = await ruleset();
    daemon.kill('SIGKILL');
    await daemon.ended;
    assert.equal(await ruleset(), before);
    await machine.output(['nft', 'flush', 'ruleset']);
    daemon = await host.startDaemon();
    assert.equal(await ruleset(), before);
    service.kill('SIGKILL');
    await until(
      () => 'its rules go with it',
      async () => (await ruleset()) === '',
    );
  });

  it('are those of a user: its launches have the same rules, and commands by name those of the service', async () => {
    const first = await machine.spawn(['dynuser-run', '-pUser=shared', '-pIPAddressDeny=any', 'sleep', '1000']);
    await until(
      () => 'it runs',
      async () => (await ruleset()) !== '',
    );
    for (const other of [[], ['-pIPAddressDeny=10.0.0.0/8']]) {
      const { status, stderr } = await machine.run(['dynuser-run', '-pUser=shared', ...other, 'true']);
      assert.deepEqual(
        [status, /shared lives already with other values of IPAddressDeny=/.test(stderr)],
        [125, true],
        stderr,
      );
    }
    assert.equal(await send(['-pUser=shared', '-pIPAddressDeny=0.0.0.0/0 ::/0'], '::1'), `::1 ${DENIED}`);
    first.kill('SIGKILL');
    await until(
      () => 'its rules go with it',
      async () => (await ruleset()) === '',
    );
  });

  it('are refused a filter if there can be none, with what to do', async () => {
    const deny = 'IPAddressDeny=any';
    for (const [argv, words] of [
      [
        ['dynuser-run', `-p${deny}`, '-pDynamicUser=no', '-pUser=static', 'true'],
        /packets are told by the UID of a dynamic user/,
      ],
      [['dynuser-run', `-p${deny}`, '-pUser=static', 'true'], /static is an account of this host, and IPAddressDeny=/],
      [['dynuser-run', `-p${deny}`, '-pAmbientCapabilities=CAP_NET_ADMIN', 'true'], /CAP_NET_ADMIN can undo/],
      [['unshare', '-n', 'dynuser-run', `-p${deny}`, 'true'], /dynuserd has another network/],
      [['unshare', '-n', 'dynuser-run', '-p', deny, '--explain', 'true'], /dynuserd has another network/],
    ] as const) {
      const { status, stderr } = await machine.run(argv);
      assert.deepEqual([status, words.test(stderr)], [125, true], stderr);
    }
    const explained = await launch([deny, 'IPAddressAllow=localhost', '--explain'], 'true');
    assert.match(explained.stdout, /dropped, by the UID: to and from 0\.0\.0\.0-126\.255\.255\.255/, explained.stderr);
    await machine.sh('mount --bind /dev/null /usr/sbin/nft');
    const { status, stderr } = await launch([deny], 'true');
    assert.deepEqual([status, /nft\(8\).* is not installed; install nftables/.test(stderr)], [125, true], stderr);
    await machine.sh('umount /usr/sbin/nft');
  });
});
