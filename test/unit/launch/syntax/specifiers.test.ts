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
function expand(
  text: string,
  unit: string | undefined,
  world: World = HOST,
): { text: string; asked: string[]; unknown: string[] } {
  const asked: string[] = [];
  for (;;) {
    const questions = new Questions(asked.map(path => answerOf({ kind: 'file', path }, world)));
    const parts = unit === undefined ? undefined : splitUnitName(unit, fail);
    const unknown: string[] = [];
    const context = { fail, field: 'Test', unknown: (specifier: string) => void unknown.push(specifier) };
    const expanded = new Specifiers(parts, '/srv/units/x.service', questions).expand(text, context);
    if (questions.open.length === 0) {
      return { text: expanded, asked, unknown };
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
    assert.deepEqual(expand(`<${specifier}>`, unit), { text: `<${value}>`, asked: [], unknown: [] }, specifier);
  }
  assert.equal(expand('%i.%I.%f', 'foo-bar').text, '../foo/bar');
});

test('fixed specifiers are those of the service manager, and ask for nothing', () => {
  const text = '%t %S %C %L %E %T %V %D %u %U %g %G %h %%';
  const expected = '/run /var/lib /var/cache /var/log /etc /tmp /var/tmp /usr/share root 0 root 0 /root %';
  assert.deepEqual(expand(text, undefined), { text: expected, asked: [], unknown: [] });
});

test('specifiers of the host ask for the file that has them, once', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['%H%H', 'box.example.orgbox.example.org', ['/proc/sys/kernel/hostname']],
    ['%l', 'box', ['/proc/sys/kernel/hostname']],
    ['%m', '0123456789abcdef0123456789abcdef', ['/etc/machine-id']],
    ['%b', '0123456789abcdef0123456789abcdef', ['/proc/sys/kernel/random/boot_id']],
    ['%v', '6.18.0-amd64', ['/proc/sys/kernel/osrelease']],
    ['%a', 'x86-64', ['/proc/sys/kernel/arch']],
    ['%o %w %W', 'debian 13 a\\"b', ['/etc/os-release', '/usr/lib/os-release']],
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

test('what is not a specifier stays, and one without a value is refused', () => {
  assert.equal(expand('100% %ä %', 'x').text, '100% %ä %');
  assert.deepEqual(expand('100% %ä %', 'x').unknown, []);
  for (const [text, unknown] of [
    ['a%z', ['%z']],
    ['%1%n', ['%1']],
    ['%%z%Q%z', ['%Q', '%z']],
  ] as const) {
    const expanded = expand(text, 'x');
    assert.equal(expanded.text, text.replaceAll('%%', '%').replace('%n', 'x.service'));
    assert.deepEqual(expanded.unknown, unknown);
  }
  assert.equal(expand('%%n %%%n', 'x').text, '%n %x.service');
  refuses(() => expand('%n', undefined), 'Test', /--unit=/);
  assert.equal(expand('%d', 'x').text, '/run/credentials/x.service');
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

test('a machine has the name that systemd gives it', () => {
  const arch = (machine: string): string =>
    expand('%a', undefined, { files: { '/proc/sys/kernel/arch': `${machine}\n` } }).text;
  for (const [machine, name] of [
    ['x86_64', 'x86-64'],
    ['i386', 'x86'],
    ['i686', 'x86'],
    ['aarch64', 'arm64'],
    ['armv7l', 'arm'],
    ['armv6l', 'arm'],
    ['ppc64le', 'ppc64-le'],
    ['riscv64', 'riscv64'],
    ['s390x', 's390x'],
  ] as const) {
    assert.equal(arch(machine), name);
  }
});

test('fields of os-release(5): of /etc, or else of /usr/lib; what neither has is empty', () => {
  const text = 'PRE_ID=no\nID=a\nVERSION_ID= 1 \nVARIANT_ID="v w"\nBUILD_ID=\'b\'\nIMAGE_ID=i\\$\nIMAGE_VERSION="2\n';
  const all = '%o,%w,%W,%B,%M,%A';
  // As with systemd, a quote that is not closed goes to the end of the text.
  const values = 'a,1,v w,b,i$,2\n';
  assert.equal(expand(all, undefined, { files: { '/usr/lib/os-release': text } }).text, values);
  const both = { '/etc/os-release': text, '/usr/lib/os-release': 'ID=other\n' };
  assert.deepEqual(expand(all, undefined, { files: both }), { text: values, asked: ['/etc/os-release'], unknown: [] });
  assert.equal(expand(`<${all}>`, undefined, { files: { '/etc/os-release': 'NAME=x\n' } }).text, '<,,,,,>');
  assert.equal(expand('<%o>', undefined, {}).text, '<>');
  const long = `ID=${'x'.repeat(300)}`;
  assert.equal(expand('%o', undefined, { files: { '/etc/os-release': long } }).text, 'x'.repeat(256));
});

test('a file of variables is read once, however many specifiers are in it', () => {
  const path = '/etc/os-release';
  const questions = new Questions([answerOf({ kind: 'file', path }, { files: { [path]: 'ID=a\nID=b\n' } })]);
  assert.equal(questions.variables(path)?.get('ID'), 'b');
  assert.equal(questions.variables(path), questions.variables(path));
  assert.equal(questions.variables('/etc/machine-info'), undefined);
});

test('the pretty name of the host is its plain one if nobody gave it another', () => {
  const hostname = { '/proc/sys/kernel/hostname': 'box\n' };
  assert.equal(expand('%q', undefined, { files: { ...hostname, '/etc/machine-info': 'CHASSIS=vm\n' } }).text, 'box');
  assert.equal(expand('%q', undefined, { files: hostname }).text, 'box');
  const pretty = { ...hostname, '/etc/machine-info': 'PRETTY_HOSTNAME=Box\n' };
  assert.equal(expand('%q', undefined, { files: pretty }).text, 'Box');
  refuses(() => expand('%q', undefined, {}), 'Test', /%q is in \/proc\/sys\/kernel\/hostname, which is missing/);
});

test('the shell is bash, if the host has it', () => {
  const shell = (globs: NonNullable<World['globs']>): readonly string[] =>
    readIn({ globs }, requestOf(['Environment=A=%s'])).resolved.environment.assignments;
  assert.deepEqual(shell({ '/bin/bash': ['/bin/bash'] }), ['A=/bin/bash']);
  assert.deepEqual(shell({}), ['A=/bin/sh']);
});

test('a value that is the first line of a file has a bound, and is not empty', () => {
  const name = (text: string): string => expand('%H', undefined, { files: { '/proc/sys/kernel/hostname': text } }).text;
  assert.equal(name(`${'x'.repeat(256)}\nmore`), 'x'.repeat(256));
  refuses(() => name('x'.repeat(257)), 'Test', /^%H is "x+…" in \/proc\/sys\/kernel\/hostname; correct that file/);
  for (const text of ['', '\n', '\nbox']) {
    refuses(() => name(text), 'Test', /^%H is "" in/);
  }
});

test('the path of the unit file is known if there is one', () => {
  const value = (specifier: string, unitFile: string): string | undefined => {
    const text = `[Service]\nExecStart=/x ${specifier}\n`;
    return readIn({ files: { [unitFile]: text } }, requestOf([], { unitFile })).resolved.commands?.[0]?.words[1];
  };
  assert.equal(value('%y', '/a/b.service'), '/a/b.service');
  assert.equal(value('%Y', '/a/b.service'), '/a');
  assert.equal(value('%Y', '/b.service'), '/');
  for (const specifier of ['%y', '%Y']) {
    refuses(() => resolvedOf([`Environment=A=${specifier}`]), 'Environment', /--unit-file=/);
  }
});
