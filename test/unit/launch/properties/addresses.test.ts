import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deniedSpans, mayPass } from '../../../../src/launch/properties/addresses.ts';
import { planOf, refuses, resolvedOf } from '../launches.ts';

const EVERYWHERE = {
  denied: ['0.0.0.0-255.255.255.255', '0:0:0:0:0:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
};
const OWN = 'PrivateNetwork=yes';

function ranges(value: string): string[] {
  const { IPAddressAllow } = resolvedOf([`IPAddressAllow=${value}`]).settings;
  return IPAddressAllow.map(({ address, length, bits }) => `${address.toString(16).padStart(bits / 4, '0')}/${length}`);
}

function isDown(...properties: string[]): boolean {
  return planOf([OWN, ...properties]).loopbackDown === true;
}

test('addresses are numbers with the bits that count, or have a name', () => {
  const v6 = (head: string, tail = '') => `${head.padEnd(32 - tail.length, '0')}${tail}`;
  for (const [text, ...expected] of [
    ['10.1.2.3', '0a010203/32'],
    ['10.0.0.0/8', '0a000000/8'],
    ['::', `${v6('')}/128`],
    ['2001:db8::a:1/32', `${v6('20010db8', 'a0001').replace('a0001', 'a0001')}/32`],
    ['::ffff:1.2.3.4', `${v6('', 'ffff01020304')}/128`],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008/128'],
    ['any', '00000000/0', `${v6('')}/0`],
    ['localhost', '7f000000/8', `${v6('', '1')}/128`],
    ['link-local', 'a9fe0000/16', `${v6('fe80')}/64`],
    ['multicast', 'e0000000/4', `${v6('ff')}/8`],
  ] as const) {
    assert.deepEqual(ranges(text), expected, text);
  }
  for (const text of [
    'x',
    '1.2.3',
    '1.2.3.4/33',
    '::/129',
    '1.2.3.4/',
    '/8',
    'fe80::1%lo',
    '1.2.3.4/8/8',
    ':::',
    '::1/x',
  ]) {
    refuses(() => ranges(text), 'IPAddressAllow', /^not an address/);
  }
});

test('what is allowed passes, then what is denied does not, and the rest passes', () => {
  assert.equal(isDown(), false);
  assert.equal(isDown('IPAddressDeny=any'), true);
  assert.equal(isDown('IPAddressDeny=localhost 10.0.0.0/8'), true);
  assert.equal(isDown('IPAddressDeny=127.0.0.0/7 ::/1'), true);
  assert.equal(isDown('IPAddressDeny=any', 'IPAddressAllow=localhost'), false);
  assert.equal(isDown('IPAddressDeny=any', 'IPAddressAllow=multicast'), true);
  assert.equal(isDown('IPAddressDeny=10.0.0.0/8 link-local'), false);
  assert.equal(isDown('IPAddressDeny=any', 'IPAddressDeny='), false);
  for (const properties of [
    ['IPAddressDeny=127.0.0.1'],
    ['IPAddressDeny=0.0.0.0/0'],
    ['IPAddressDeny=any', 'IPAddressAllow=127.0.0.1'],
    ['IPAddressDeny=any', 'IPAddressAllow=::1'],
  ]) {
    refuses(() => isDown(...properties), 'IPAddressDeny', /a part of the addresses of the loopback interface/);
  }
});

test('interfaces are those that are listed, or those that are not', () => {
  for (const [properties, down] of [
    [['lo'], false],
    [['eth0 lo'], false],
    [['eth0'], true],
    [['~lo'], true],
    [['~eth0'], false],
    [['lo eth0', '~lo'], true],
    [['~lo eth0', 'lo'], false],
    [['eth0', 'lo'], false],
    [['eth0', ''], false],
  ] as const) {
    const texts = properties.map(value => `RestrictNetworkInterfaces=${value}`);
    assert.equal(isDown(...texts), down, texts.join(' '));
  }
  for (const name of ['a/b', 'a:b', '0123456789abcdef', '..']) {
    refuses(() => resolvedOf([OWN, `RestrictNetworkInterfaces=${name}`]), 'RestrictNetworkInterfaces');
  }
});

test('on the host’s network nothing is left to deny to who can make no socket of it', () => {
  const deny = 'IPAddressDeny=any';
  const native = 'SystemCallArchitectures=native';
  for (const families of ['AF_UNIX', 'AF_UNIX AF_NETLINK', 'none']) {
    assert.equal(resolvedOf([deny, native, `RestrictAddressFamilies=${families}`]).packetRules, undefined);
  }
  for (const properties of [
    [native, 'RestrictAddressFamilies=AF_UNIX AF_INET'],
    [native, 'RestrictAddressFamilies=AF_SMC'],
    [native, 'RestrictAddressFamilies=~AF_INET AF_INET6'],
    ['RestrictAddressFamilies=AF_UNIX'],
    ['SystemCallArchitectures=native x86', 'RestrictAddressFamilies=AF_UNIX'],
    [native],
  ]) {
    assert.deepEqual(resolvedOf([deny, ...properties]).packetRules, EVERYWHERE);
  }
});

test('on the host’s network they are rules for the packets of a dynamic user', () => {
  const rules = (...properties: readonly string[]) => resolvedOf(properties).packetRules;
  const all = '0:0:0:0:0:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  for (const [properties, denied] of [
    [['IPAddressDeny=any'], EVERYWHERE.denied],
    [['IPAddressDeny=any', 'IPAddressAllow=0.0.0.0/0'], [all]],
    [['IPAddressDeny=10.0.0.7'], ['10.0.0.7']],
    [['IPAddressDeny=10.0.0.7/31 10.0.0.8/30 10.0.0.9 192.0.2.0/24'], ['10.0.0.6-10.0.0.11', '192.0.2.0-192.0.2.255']],
    [
      ['IPAddressDeny=10.0.0.0/30', 'IPAddressAllow=10.0.0.0 10.0.0.2/32'],
      ['10.0.0.1', '10.0.0.3'],
    ],
    [['IPAddressDeny=10.0.0.0/30', 'IPAddressAllow=10.0.0.2/31'], ['10.0.0.0-10.0.0.1']],
    [
      ['IPAddressDeny=10.0.0.0/30 10.0.0.8/30', 'IPAddressAllow=10.0.0.1 10.0.0.2 10.0.0.10/31'],
      ['10.0.0.0', '10.0.0.3', '10.0.0.8-10.0.0.9'],
    ],
    [['IPAddressDeny=10.0.0.0/30 10.0.0.8/30', 'IPAddressAllow=10.0.0.0/24'], []],
    [
      ['IPAddressDeny=::/127 fe80::1', 'IPAddressAllow=::1'],
      ['0:0:0:0:0:0:0:0', 'fe80:0:0:0:0:0:0:1'],
    ],
  ] as const) {
    assert.deepEqual(rules(...properties), { denied }, properties.join(' '));
  }
  assert.deepEqual(rules('RestrictNetworkInterfaces=lo eth0', 'RestrictNetworkInterfaces=eth0'), {
    denied: [],
    interfaces: { denied: false, names: ['eth0', 'lo'] },
  });
  assert.deepEqual(rules('RestrictNetworkInterfaces=~eth0', 'IPAddressDeny=10.0.0.1')?.interfaces, {
    denied: true,
    names: ['eth0'],
  });
  for (const open of ['IPAddressAllow=localhost', 'IPAddressDeny=', 'RestrictNetworkInterfaces=']) {
    assert.equal(rules(open), undefined, open);
  }
});

test('what is denied and not allowed is what the rules have, address by address', () => {
  const part = (most: number) =>
    fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
        .map(([last, length]) => `10.0.0.${last}/${length}`),
      { maxLength: most },
    );
  fc.assert(
    fc.property(part(6), part(6), (denied, allowed) => {
      const { settings } = resolvedOf([`IPAddressDeny=${denied.join(' ')}`, `IPAddressAllow=${allowed.join(' ')}`]);
      const spans = deniedSpans(settings.IPAddressAllow, settings.IPAddressDeny).map(span =>
        span.split('-').map(address => Number(address.split('.')[3])),
      );
      for (let last = 0; last < 256; last++) {
        const [range] = resolvedOf([`IPAddressDeny=10.0.0.${last}`]).settings.IPAddressDeny;
        assert.ok(range !== undefined);
        const isDenied = spans.some(([from = 0, to = from]) => from <= last && last <= to);
        assert.equal(isDenied, mayPass(settings.IPAddressAllow, settings.IPAddressDeny, range) === false, `${last}`);
      }
    }),
    { numRuns: 10 },
  );
});

test('there are no rules for who has other processes, another network, or the means to undo them', () => {
  const deny = 'IPAddressDeny=any';
  for (const [properties, words] of [
    [['DynamicUser=no', 'User=somebody'], /told by the UID of a dynamic user/],
    [['DynamicUser=no'], /told by the UID of a dynamic user/],
    [['NetworkNamespacePath=/run/netns/a'], /not in that of NetworkNamespacePath=/],
    [['NetworkNamespacePath=/run/netns/a', OWN], /not in that of NetworkNamespacePath=/],
    [['AmbientCapabilities=CAP_NET_ADMIN CAP_CHOWN'], /a service with CAP_NET_ADMIN can undo/],
    [['AmbientCapabilities=CAP_SETUID'], /CAP_SETUID/],
    [['RestrictNetworkInterfaces=eth*'], /not a name for a rule: the interface "eth\*"/],
  ] as const) {
    refuses(() => resolvedOf([deny, ...properties]), 'IPAddressDeny', words);
  }
  assert.ok(resolvedOf([deny, 'AmbientCapabilities=CAP_NET_ADMIN', 'CapabilityBoundingSet=CAP_CHOWN']).packetRules);
});

test('ports that cannot be bound are for who can make no socket of a network, and refused for all others', () => {
  const local = ['RestrictAddressFamilies=AF_UNIX', 'SystemCallArchitectures=native'];
  // As systemd-analyze verify has it, systemd 257.
  for (const rule of ['any', 'ipv4:tcp:80', 'ipv4', 'udp', 'ipv6:any', 'ipv4:tcp:any', '0', '1-65535', 'ipv4:80']) {
    assert.deepEqual(resolvedOf([`SocketBindDeny=${rule}`, ...local]).settings.SocketBindDeny, [rule]);
    refuses(() => resolvedOf([`SocketBindDeny=${rule}`]), 'SocketBindDeny', /no filter of packets keeps a program/);
    refuses(() => resolvedOf([`SocketBindDeny=${rule}`, OWN]), 'SocketBindDeny', /use RestrictAddressFamilies=AF_UNIX/);
    assert.equal(resolvedOf([`SocketBindAllow=${rule}`]).packetRules, undefined, 'it denies nothing');
  }
  for (const rule of ['tcp:', 'any:any', '5-4', 'tcp:ipv4', 'ipv4:', '70000', '80 90', ':80', 'ipv5']) {
    refuses(() => resolvedOf([`SocketBindAllow=${rule}`]), 'SocketBindAllow', /^not a rule for ports/);
  }
  assert.deepEqual(resolvedOf(['SocketBindDeny=any', 'SocketBindDeny=']).settings.SocketBindDeny, []);
});
