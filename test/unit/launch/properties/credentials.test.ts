import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainPlan, planLaunch } from '../../../../src/launch/launch.ts';
import { acquiredOf, planOf, refuses, resolvedOf } from '../launches.ts';
import { beyond } from '../namespace/op-lines.ts';

const UNIT = { unit: 'wuff' };

/** Credentials without the stores, which are the same everywhere. */
function credentials(...properties: string[]): unknown[] {
  return (planOf(properties, {}, UNIT).credentials ?? []).map(({ stores, ...rest }) =>
    stores === undefined ? rest : { ...rest, stores: stores.length },
  );
}

function bytes(property: string): string {
  return Buffer.from(planOf([property], {}, UNIT).credentials?.[0]?.data ?? '', 'base64').toString('latin1');
}

test('what is loaded comes before what is imported, and that before what is set', () => {
  assert.deepEqual(
    credentials(
      'SetCredential=a:x',
      'ImportCredential=b*:c.',
      'LoadCredential=%p:/srv/%p/.',
      'LoadCredential=d',
      'LoadCredential=e:f',
    ),
    [
      { kind: 'load', name: 'wuff', path: '/srv/wuff' },
      { kind: 'stored', name: 'd', stores: 11 },
      { kind: 'stored', name: 'f', as: 'e', stores: 11 },
      { kind: 'import', name: 'b', prefix: true, as: 'c.', stores: 11 },
      { kind: 'set', name: 'a', data: 'eA==' },
    ],
  );
  assert.deepEqual(credentials(), []);
  assert.deepEqual(credentials('LoadCredential=a:/b', 'LoadCredential='), []);
});

test('a later assignment of a name replaces the earlier one; what is set stands in for what is missing', () => {
  assert.deepEqual(
    credentials('LoadCredential=a:/one', 'LoadCredentialEncrypted=a:/two', 'SetCredential=a:b', 'SetCredential=a:c'),
    [
      { kind: 'load', name: 'a', path: '/two', encrypted: true, optional: true },
      { kind: 'set', name: 'a', data: 'Yw==' },
    ],
  );
});

test('texts have escapes of any byte, and no specifiers; names have specifiers', () => {
  assert.equal(bytes('SetCredential=%n:a:\\x00\\000\\u0000\\xff%n\\n'), 'a:\0\0\0\xff%n\n');
  assert.equal(bytes('SetCredential=a:'), '');
  assert.equal(bytes('SetCredentialEncrypted=a:AA BB=='), 'AA BB==');
});

test('names are those of files, and wildcards are at the end', () => {
  for (const bad of ['a/b:/c', '..:/c', ':/c', 'é:/c', 'a:b/c', `${'x'.repeat(256)}:/c`]) {
    refuses(() => credentials(`LoadCredential=${bad}`), 'LoadCredential', /name of a credential/);
  }
  refuses(() => credentials('LoadCredential=a:/b/../c'), 'LoadCredential', /"\.\."/);
  refuses(() => credentials('SetCredential=a'), 'SetCredential', /no value/);
  refuses(() => credentials('SetCredential=a:\\'), 'SetCredential', /backslash/);
  refuses(() => credentials('ImportCredential=a*b'), 'ImportCredential', /wildcard/);
  refuses(() => credentials('ImportCredential=[ab]*'), 'ImportCredential', /wildcard/);
  assert.deepEqual(credentials('ImportCredential=*'), [{ kind: 'import', name: '', prefix: true, stores: 11 }]);
});

test('they are at a place by the name of the unit, which nobody else comes to', () => {
  const plan = planOf(['SetCredential=a:b', 'Environment=D=%d'], {}, UNIT);
  assert.equal(plan.unit, 'wuff.service');
  assert.ok(plan.environment.includes('CREDENTIALS_DIRECTORY=/run/credentials/wuff.service'));
  assert.ok(plan.environment.includes('D=/run/credentials/wuff.service'));
  assert.deepEqual(beyond(plan), [
    'mkdir /run/credentials 755',
    'tmpfs /run/credentials 755 size=4m nr_inodes=1k noSuid noDevices noExec',
    'credentials /run/credentials/wuff.service directory',
    'remount /run/credentials nonRecursive readOnly',
  ]);
  assert.ok(!planOf([]).environment.some(text => text.startsWith('CREDENTIALS_DIRECTORY')));
  assert.ok(planOf([]).unsetEnvironment.includes('CREDENTIALS_DIRECTORY'));
});

test('a launch never goes without them', () => {
  const more = { mayMount: false, isolation: 'bestEffort' } as const;
  refuses(
    () => resolvedOf(['LoadCredential=a:/b'], more),
    'LoadCredential',
    /would not be what it is meant to be/,
    'NotPermitted',
  );
});

test('credentials in words, without what they hold', () => {
  const resolved = resolvedOf(
    ['SetCredential=a:hidden', 'ImportCredential=b*:c.', 'LoadCredentialEncrypted=d:/e'],
    UNIT,
  );
  const words = explainPlan(resolved, acquiredOf(), planLaunch(resolved, acquiredOf())).join('\n');
  assert.match(words, /Credentials:\n {2}d: \/e, decrypted\n {2}b\* of the stores, as c\.\n {2}a: of the unit file\n/);
  assert.doesNotMatch(words, /hidden|aGlkZGVu/);
});

test('a credential that is set has at most 1 MiB, however few characters that is', () => {
  const ofBytes = (count: number): string => `SetCredential=a:${'é'.repeat(count / 2)}${'x'.repeat(count % 2)}`;
  assert.equal(bytes(ofBytes(1_048_576)).length, 1_048_576);
  refuses(() => bytes(ofBytes(1_048_577)), 'SetCredential', /more than 1048576 bytes; use LoadCredential=/);
});
