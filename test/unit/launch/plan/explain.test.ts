import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainPlan, planLaunch } from '../../../../src/launch/launch.ts';
import type { ResolvedLaunch } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, privateDirectory, resolvedOf, resolvedOfUnit } from '../launches.ts';

function explain(resolved: ResolvedLaunch, acquired = acquiredOf()): string {
  const lines = explainPlan(resolved, acquired, planLaunch(resolved, acquired));
  for (const line of lines) {
    assert.ok(line.length <= 100 && line.length > 0 && !/\p{Cc}/u.test(line), JSON.stringify(line));
  }
  return lines.join('\n');
}

test('a plan in words: who, what is implied and how that is turned off, where and what', () => {
  const directories = [privateDirectory('wuff', { handover: 'map', diskUid: 65_534, diskGid: 65_534 })];
  const text = explain(resolvedOf(['StateDirectory=wuff', 'PrivateTmp=no', 'UMask=077']), acquiredOf({ directories }));
  for (const words of [
    'User:\n  wuff, UID 61214, GID 61214: dynamic',
    '  StateDirectory=wuff\n  /var/lib/private/wuff: shown as the user',
    '  ProtectSystem=strict, implied: the file system is read-only; ProtectSystem=no turns it off',
    '  PrivateTmp=no, by name: off; PrivateTmp=yes turns it on',
    '  / and all below it becomes read-only, nosuid',
    '  an empty file system at /var/lib/private, mode 0755',
    '  capabilities: none\n  bounding set: all\n  umask 0077',
    '  USER=wuff',
    'Commands:\n  that of the command line, as the user',
  ]) {
    assert.ok(text.includes(words), `${words}\n---\n${text}`);
  }
});

test('what is implied comes in the order of the rows: what is seen, and then what may be done', () => {
  const implied = /Implied by DynamicUser=:\n((?: {2}.*\n)+)/.exec(explain(resolvedOf([])))?.[1] ?? '';
  assert.deepEqual(
    [...implied.matchAll(/^ {2}(\w+)=/gm)].map(([, name]) => name),
    ['ProtectSystem', 'ProtectHome', 'PrivateTmp', 'RemoveIPC', 'NoNewPrivileges', 'RestrictSUIDSGID'],
  );
});

test('namespaces are said if there are some, and not if they are left out', () => {
  const properties = ['PrivateNetwork=yes', 'PrivateUsers=yes', 'ProtectProc=invisible'];
  const text = explain(resolvedOf(properties));
  assert.match(text, /Namespaces:\n {2}a mount namespace\n/);
  assert.match(text, /\n {2}PrivateNetwork=yes: its network has a loopback interface and nothing else\n/);
  assert.match(text, /\n {2}PrivateUsers=yes: it sees itself and root; everybody else is nobody\n/);
  assert.match(text, /\n {2}ProtectProc=invisible: of the processes of others \/proc shows less\n/);
  assert.doesNotMatch(text, /PrivateIPC|ProcSubset/);
  const open = explain(resolvedOf(properties, { mayMount: false, isolation: 'bestEffort' }));
  assert.match(open, /Namespaces:\n {2}no mount namespace: [^\n]*\nPrivileges:/);
  assert.match(open, /Missing:\n(?: {2}.*\n)* {2}PrivateNetwork=yes: the network is the host's\n/);
});

test('what is missing is said, and is not said to be on', () => {
  const text = explain(resolvedOf([], { mayMount: false, isolation: 'bestEffort' }));
  assert.match(text, /ProtectSystem=strict, implied: left out/);
  assert.match(text, /Missing:\n {2}ProtectSystem=strict: /);
  assert.match(text, /no mount namespace/);
});

test('commands are shown as a shell would take them, and nothing reaches the terminal as it is', () => {
  const resolved = resolvedOfUnit([
    'DynamicUser=yes',
    'ExecStartPre=-!/p',
    `ExecStart=@/x y "it's" \\x1b[31m ${'z'.repeat(300)}`,
  ]);
  const text = explain(resolved);
  assert.match(text, / {2}\/p \(as root, its failure is ignored\)/);
  assert.match(text, / {2}\/x as y 'it'\\''s' '\\x1b\[31m'/);
});

test('a static user is said to be one', () => {
  const games = acquiredOf({ uid: 5, gid: 60, userName: 'games', dynamic: false });
  assert.match(explain(resolvedOf(['User=games']), games), /games, UID 5, GID 60: a static user of that name/);
  assert.match(explain(resolvedOf(['User=games', 'DynamicUser=no']), games), /ProtectHome=no, not implied: off/);
});

test('capabilities are shown by name', () => {
  const text = explain(resolvedOf(['PrivateDevices=yes', 'AmbientCapabilities=CAP_NET_BIND_SERVICE']));
  assert.match(text, /capabilities: CAP_NET_BIND_SERVICE\n {2}bounding set: all but CAP_SYS_RAWIO CAP_MKNOD/);
});
