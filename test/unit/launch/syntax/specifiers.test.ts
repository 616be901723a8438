import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failFor } from '../../../../src/launch/errors.ts';
import { Questions } from '../../../../src/launch/plan/questions.ts';
import { Specifiers } from '../../../../src/launch/syntax/specifiers.ts';
import { splitUnitName } from '../../../../src/launch/syntax/unit-name.ts';
import { answerOf, readIn, refuses, requestOf, resolvedOf, type World } from '../launches.ts';

const fail = failFor('Test');

const HOST: World = {
  files: {
    '/proc/sys/kernel/hostname': 'box.example.org\n',
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/proc/sys/kernel/random/boot_id': '01234567-89ab-cdef-0123-456789abcdef\n',
    '/proc/sys/kernel/osrelease': '6.18.0-amd64\n',
    '/proc/sys/kernel/arch': 'x86_64\n',
    '/usr/lib/os-release': 'NAME="Debian"\nID=debian\nVERSION_ID="13"\nVARIANT_ID=\'a\\"b\'\n',
    '/etc/machine-info': 'PRETTY_HOSTNAME="My box"\n',
  },
};

/** Expands in a world, with the files that it asked for. */
function expand(text: string, unit: string | undefined, world: World = HOST): { text: string; asked: string[] } {
  const asked: string[] = [];
  for (;;) {
    const questions = new Questions(asked.map(path => answerOf({ kind: 'file', path }, world)));
    const parts = unit === undefined ? undefined : splitUnitName(unit, fail);
    const expanded = new Specifiers(parts, '/srv/units/x.service', questions).expand(text, fail, 'Test');
    if (questions.open.length === 0) {
      return { text: expanded, asked };
    }
    asked.push(...questions.open.map(({ path }) => path));
  }
}

test('specifiers of the unit are those of systemd.unit(5)', () => {
  const unit = 'foo-bar\\x2dbaz@in-st\\x2dance.service';
  const cases: Readonly<Record<string, string>> = {
    '%n': unit,
    '%N': 'foo-bar\\x2dbaz@in-st\\x2dance',
    '%p': 'foo-bar\\x2dbaz',
    '%P': 'foo/bar-baz',
    '%i': 'in-st\\x2dance',
    '%I': 'in/st-ance',
    '%j': 'bar\\x2dbaz',
    '%J': 'bar-baz',
    '%f': '/in/st-ance',
    '%y': '/srv/units/x.service',
    '%Y': '/srv/units',
  };
  for (const [specifier, value] of Object.entries(cases)) {
    assert.deepEqual(expand(`<${specifier}>`, unit), { text: `<${value}>`, asked: [] }, specifier);
  }
  assert.equal(expand('%i.%I.%f', 'foo-bar').text, '../foo/bar');
});

test('fixed specifiers are those of the service manager, and ask for nothing', () => {
  const text = '%t %S %C %L %E %T %V %D %u %U %g %G %h %%';
  const expected = '/run /var/lib /var/cache /var/log /etc /tmp /var/tmp /usr/share root 0 root 0 /root %';
  assert.deepEqual(expand(text, undefined), { text: expected, asked: [] });
});

test('specifiers of the host ask for the file that has them, once', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['%H%H', 'box.example.orgbox.example.org', ['/proc/sys/kernel/hostname']],
    ['%l', 'box', ['/proc/sys/kernel/hostname']],
    ['%m', '0123456789abcdef0123456789abcdef', ['/etc/machine-id']],
    ['%b', '0123456789abcdef0123456789abcdef', ['/proc/sys/kernel/random/boot_id']],
    ['%v', '6.18.0-amd64', ['/proc/sys/kernel/osrelease']],
    ['%a', 'x86-64', ['/proc/sys/kernel/arch']],
    ['%o %w %W', 'debian 13 a"b', ['/etc/os-release', '/usr/lib/os-release']],
    ['%q', 'My box', ['/etc/machine-info']],
  ];
  for (const [text, value, asked] of cases) {
    const outcome = expand(text, undefined);
    assert.equal(outcome.text, value, text);
    assert.deepEqual(
      outcome.asked.filter(path => asked.includes(path)),
      asked,
      text,
    );
  }
});

test('what is no specifier stays, and one without a value is refused', () => {
  assert.equal(expand('100% %ä %', 'x').text, '100% %ä %');
  refuses(() => expand('%z', 'x'), 'Test', /unknown specifier %z.*%%/);
  refuses(() => expand('%1', 'x'), 'Test', /unknown specifier %1/);
  assert.equal(expand('%%n %%%n', 'x').text, '%n %x.service');
  refuses(() => expand('%n', undefined), 'Test', /--unit=/);
  refuses(() => expand('%d', 'x'), 'Test', /credentials/);
  refuses(() => expand('%m', 'x', {}), 'Test', /\/etc\/machine-id/);
  refuses(() => expand('%H', 'x', { files: { '/proc/sys/kernel/hostname': 'x'.repeat(300) } }), 'Test');
});

test('what specifiers make has a bound', () => {
  refuses(() => expand('%n'.repeat(100_000), 'x'.repeat(200)), 'Test', /characters/, 'LimitReached');
});

test('a specifier in the value of a directory is part of its path, whatever it holds', () => {
  const request = requestOf(['StateDirectory=%p/%i:a%%b'], { unit: 'foo\\x2dbar@x:y.service' });
  assert.deepEqual(readIn({}, request).resolved.directories.state, ['foo\\\\x2dbar/x\\:y:a%b']);
});

test('only what is used is asked for', () => {
  assert.deepEqual(readIn(HOST, requestOf(['Environment=A=%H'])).asked, ['/proc/sys/kernel/hostname']);
  assert.deepEqual(readIn(HOST, requestOf(['Environment=A=%%H'])).asked, []);
  assert.deepEqual(resolvedOf(['Environment=A=%H'], {}, HOST).environment.assignments, ['A=box.example.org']);
});
