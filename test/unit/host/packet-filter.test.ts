/** What nft(8) is told, when it is not asked at all, and what comes of its failures. A script stands in for it. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, test } from 'node:test';
import type { Uid } from '../../../src/core/ids.ts';
import { PinnedDirectory } from '../../../src/files/pinned-directory.ts';
import { NftPacketFilter, packetTable } from '../../../src/host/packet-filter.ts';
import { until } from '../../support/until.ts';

const ONE = 61_184 as Uid;
const TWO = 61_185 as Uid;
const RULES = { denied: ['10.0.0.1', '0:0:0:0:0:0:0:1'], interfaces: { denied: false, names: ['lo'] } };

let folder: string;
let runtime: PinnedDirectory;
const warnings: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/dynuser-packets-`);
  runtime = PinnedDirectory.open(folder);
  warnings.length = 0;
  // It tells scripts from questions, and answers these with what a test has written.
  program('[ "$1" = list ] && { cat "$0.table"; exit; }; cat >>"$0.log"; echo done >>"$0.log"');
  writeFileSync(`${folder}/nft.table`, '');
});
afterEach(() => {
  runtime.close();
  rmSync(folder, { recursive: true });
});

function program(script: string): void {
  writeFileSync(`${folder}/nft`, `#!/bin/sh\n${script}\n`);
  chmodSync(`${folder}/nft`, 0o755);
}

function filter(watchMs = 1_000_000): NftPacketFilter {
  return new NftPacketFilter({
    programs: ['/absent', `${folder}/nft`],
    watchMs,
    runtime,
    warn: what => warnings.push(what),
  });
}

const told = (): string =>
  existsSync(`${folder}/nft.log`)
    ? readFileSync(`${folder}/nft.log`, 'utf8').replaceAll(packetTable(folder), 'inet dynuser')
    : '';
const isMarked = (): boolean => existsSync(`${folder}/packet-rules`);

test('rules are one transaction, which leaves nothing of former ones', async () => {
  const packets = filter();
  await packets.hold(ONE, RULES);
  assert.equal(told().split('done\n').length, 2);
  assert.deepEqual(
    told()
      .split('\n')
      .filter(line => line.includes('leaving')),
    [
      'add map inet dynuser leaving { type uid : verdict ; }',
      'add chain inet dynuser leaving { type filter hook postrouting priority 300 ; }',
      'flush chain inet dynuser leaving',
      'add rule inet dynuser leaving meta skuid vmap @leaving',
      'add chain inet dynuser leaving-61184',
      'add element inet dynuser leaving { 61184 : jump leaving-61184 }',
      'delete element inet dynuser leaving { 61184 }',
      'flush chain inet dynuser leaving-61184',
      'add chain inet dynuser leaving-61184',
      'add rule inet dynuser leaving-61184 ip daddr { 10.0.0.1 } drop',
      'add rule inet dynuser leaving-61184 ip6 daddr { 0:0:0:0:0:0:0:1 } drop',
      'add rule inet dynuser leaving-61184 oifname != { "lo" } drop',
      'add element inet dynuser leaving { 61184 : jump leaving-61184 }',
    ],
  );
  assert.match(
    told(),
    /arriving-61184 ip saddr \{ 10\.0\.0\.1 \} drop\n[\s\S]*arriving-61184 iifname != \{ "lo" \} drop/,
  );
});

test('an empty list of interfaces leaves none, or all', async () => {
  const packets = filter();
  await packets.hold(ONE, { denied: [], interfaces: { denied: false, names: [] } });
  await packets.hold(TWO, { denied: [], interfaces: { denied: true, names: [] } });
  assert.match(told(), /^add rule inet dynuser leaving-61184 +drop$/m);
  assert.doesNotMatch(told(), /leaving-61185 .*drop/);
});

test('the table is there as long as somebody has rules, and its marker, too', async () => {
  const packets = filter();
  await packets.restore(new Map());
  assert.deepEqual([told(), isMarked()], ['', false], 'nft is not asked for nothing');
  await Promise.all([packets.hold(ONE, RULES), packets.hold(TWO, RULES)]);
  assert.equal(isMarked(), true);
  await packets.drop(ONE);
  assert.match(told(), /delete chain inet dynuser arriving-61184\ndone\n$/);
  await packets.drop(TWO);
  assert.match(told(), /done\nadd table inet dynuser\ndelete table inet dynuser\ndone\n$/);
  assert.equal(isMarked(), false);
});

test('a daemon after a crash renews what its users have, and takes away what nobody has', async () => {
  await filter().hold(ONE, RULES);
  const next = filter();
  await next.restore(new Map());
  assert.match(told(), /done\nadd table inet dynuser\ndelete table inet dynuser\ndone\n$/);
  await filter().restore(new Map([[TWO, RULES]]));
  assert.match(
    told(),
    /done\nadd table inet dynuser\ndelete table inet dynuser\nadd table [\s\S]*leaving-61185 ip daddr/,
  );
  assert.equal(isMarked(), true);
});

test('who gives up takes back no rules of another user of the UID', async () => {
  const packets = filter();
  const former = await packets.hold(ONE, RULES);
  await packets.drop(ONE);
  const present = await packets.hold(ONE, { denied: ['10.0.0.2'] });
  const before = told();
  await former.undo();
  assert.equal(told(), before);
  await present.undo();
  assert.notEqual(told(), before);
});

test('what nft refuses is said in its words, and what did not become of it is forgotten', async () => {
  program('echo "/dev/stdin:1:1-9: Error: Could not process rule: Operation not permitted" >&2; exit 1');
  const packets = filter();
  await assert.rejects(
    packets.hold(ONE, RULES),
    /nft cannot change the rules for packets: Could not process rule: Operation/,
  );
  program('cat >>"$0.log"');
  await packets.hold(TWO, RULES);
  assert.doesNotMatch(told(), /61184/);
  rmSync(`${folder}/nft`);
  await assert.rejects(packets.drop(TWO), /nft\(8\) is not installed any more/);
  assert.match(packets.problem() ?? '', /not installed/);
});

test('an nft that says nothing has failed by how it ended', async () => {
  for (const [script, words] of [
    ['exit 3', 'exit status 3'],
    ['kill -9 $$', 'it was ended by SIGKILL'],
  ] as const) {
    program(script);
    await assert.rejects(filter().hold(ONE, RULES), {
      code: 'HostFailed',
      message: `${folder}/nft cannot change the rules for packets: ${words}`,
    });
  }
});

test('rules that somebody takes away come back, and that is said', async () => {
  const packets = filter(1);
  await packets.hold(ONE, RULES);
  await until(
    () => 'they are renewed',
    async () => warnings.length > 0,
  );
  assert.match(warnings[0] ?? '', /somebody had removed rules/);
  assert.match(told(), /done\nadd table inet dynuser\ndelete table inet dynuser\nadd table/);
  const own = ['leaving', 'arriving'].map(chain => `meta skuid vmap @${chain} 61184 : jump ${chain}-61184`).join('\n');
  writeFileSync(`${folder}/nft.table`, `table inet other {\n}\ntable ${packetTable(folder)} {\n${own}\n}\n`);
  const renewals = (): number => told().split('delete table').length;
  const before = renewals();
  // Those that are under way end; after that the table is whole.
  await new Promise(resolve => setTimeout(resolve, 50));
  const after = renewals();
  await new Promise(resolve => setTimeout(resolve, 50));
  assert.ok(after <= before + 3, `${before} ${after}`);
  assert.equal(renewals(), after);
  await packets.close();
});

test('each runtime directory has its table', () => {
  assert.equal(packetTable('/run/dynuser'), 'inet dynuser');
  assert.match(packetTable('/run/other'), /^inet dynuser-[0-9a-f]{16}$/);
});
