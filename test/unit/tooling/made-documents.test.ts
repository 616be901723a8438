/** What is made from a table of commands, for a table that has each case once, and every sign that means something to a reader. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CommandTable } from '../../../src/cli/command.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { withCommands } from '../../../src/tooling/command-manual.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../../src/tooling/completions.ts';
import {
  bashLauncherCompletion,
  fishLauncherCompletion,
  launcherOptions,
  withPropertyList,
  zshLauncherCompletion,
} from '../../../src/tooling/launcher-documents.ts';

const load = () => assert.fail('nothing is called');
const TABLE: CommandTable = {
  commands: [
    {
      ...{ verb: 'show', operands: ['NAME|UID'], summary: "Show a user's leases", load },
      description: ['It shows one. It is "quick" \\ dirty.', '.dot and a well-known one.'],
      options: [{ name: 'kind', value: 'KIND', choices: ['a', 'b'], help: "One of two: [a] or 'b'" }],
      examples: ["dynuserctl show 'web'", '.hidden'],
    },
    { ...{ verb: 'list', operands: [], summary: 'List all', load }, description: [], options: [], examples: [] },
    {
      ...{ verb: 'add', operands: ['UNIT'], summary: 'Add one', load, description: [], examples: [] },
      options: [{ name: 'tag', value: 'A:B', repeatable: true, help: 'A tag' }],
    },
  ],
  options: [{ name: 'help', letter: 'h', help: 'Say this' }],
};

function linesOf(text: string): readonly string[] {
  return text.split('\n');
}

test('the manual has the commands with their operands and options, and nothing that roff would obey', () => {
  const page = withCommands(readFileSync(`${CHECKOUT}src/manual/dynuserctl.1`, 'utf8'), TABLE);
  assert.throws(() => withCommands(page, TABLE), /dynuserctl\.1 has no place for the commands/);
  const commands = page.slice(page.indexOf('.Sh COMMANDS\n'), page.indexOf('.Sh ENVIRONMENT\n'));
  assert.equal(
    commands,
    `.Sh COMMANDS
.Ss show NAME|UID
.Nm Cm show Oo Ar OPTION ... Oc Ar NAME|UID
.Pp
Show a user's leases.
.Pp
It shows one.
It is "quick" \\e dirty.
.Pp
\\&.dot and a well\\-known one.
.Bl -tag -width Ds
.It Fl \\-kind Ns = Ns Ar KIND
One of two: [a] or 'b'.
.El
.Ss list
.Nm Cm list
.Pp
List all.
.Ss add UNIT
.Nm Cm add Oo Ar OPTION ... Oc Ar UNIT
.Pp
Add one.
.Bl -tag -width Ds
.It Fl \\-tag Ns = Ns Ar A:B
A tag.
May be given several times.
.El
.Sh OPTIONS
Every command takes these:
.Bl -tag -width Ds
.It Fl \\-help , h
Say this.
.El
`,
  );
  assert.ok(page.includes(".Bd -literal -offset indent\ndynuserctl show 'web'\n\\&.hidden\n.Ed\n"));
});

test('bash is offered options with their values, and users where one is named', () => {
  const lines = linesOf(bashCompletion(TABLE));
  for (const line of [
    '\t\t--kind|--tag)',
    "\t--kind) words='a b' ;;",
    '\t--kind|--tag) COMPREPLY=(); return ;;',
    "\t\t:-*) words='--help' ;;",
    "\t\t:*) words='show list add' ;;",
    "\t\tshow:-*) words='--kind= --help' ;;",
    "\t\tlist:-*) words='--help' ;;",
    "\t\tadd:-*) words='--tag= --help' ;;",
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.deepEqual(
    lines.filter(line => line.includes('dynuserctl list')).map(line => line.replace(/\).*/, '')),
    ['\t\tshow:*'],
  );
});

/** Two commands with actions, one of which has the name of a command. */
const WITH_ACTIONS: CommandTable = {
  commands: [
    ...TABLE.commands,
    {
      ...{ verb: 'fleet', operands: ['ACTION'], summary: 'A fleet', load, description: [], examples: [] },
      options: [{ name: 'range', value: 'RANGE', help: 'A range' }],
      actions: {
        list: { operands: [], options: [] },
        names: { operands: ['[NAME...]'], options: [] },
        forget: { operands: ['HOST'], options: ['range'] },
      },
    },
    {
      ...{ verb: 'image', operands: ['ACTION'], summary: 'An image', load, description: [], examples: [] },
      options: [{ name: 'extension', value: 'IMAGE', isPath: true, help: 'Another image' }],
      actions: { attach: { operands: ['IMAGE', '[PREFIX...]'], options: ['extension'] } },
    },
  ],
  options: TABLE.options,
};
/** What a dynuserctl on the path says. */
const SAYS = `case "$*" in
'list --no-legend') printf '64000  own  own.service\\n' ;;
'list --fleet --no-legend') printf '65536  web  -\\n65537  d$(b  -\\n' ;;
'fleet hosts --no-legend') printf 'one  01  alive\\ntwo  02  away\\n' ;;
esac`;

test('bash is offered actions, and what they take: users and hosts of the fleet, and files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dynuser-completion-'));
  try {
    writeFileSync(join(directory, 'dynuserctl'), `#!/bin/sh\n${SAYS}\n`, { mode: 0o755 });
    writeFileSync(join(directory, 'a file.raw'), '');
    const offered = (...words: readonly string[]) => {
      const ask = `compopt() { :; }; COMP_WORDS=(dynuserctl "$@"); COMP_CWORD=$#; _dynuserctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const script = `${bashCompletion(WITH_ACTIONS)}\n${ask}`;
      const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], {
        ...{ cwd: directory, encoding: 'utf8', env: { PATH: `${directory}:${process.env['PATH']}` } },
      });
      assert.equal(stderr, '');
      return stdout.trim().split('\n');
    };
    assert.deepEqual(offered(''), ['show', 'list', 'add', 'fleet', 'image']);
    assert.deepEqual(offered('show', ''), ['own']);
    assert.deepEqual(offered('fleet', ''), ['list', 'names', 'forget']);
    assert.deepEqual(offered('--help', 'fleet', 'n'), ['names']);
    assert.deepEqual(offered('fleet', 'names', ''), ['web']);
    assert.deepEqual(offered('fleet', '--range', 'forget', 'forget', ''), ['one', 'two']);
    assert.deepEqual(offered('fleet', 'forget', '--r'), ['--range=']);
    assert.deepEqual(offered('fleet', 'list', ''), ['']);
    assert.deepEqual(offered('image', 'attach', 'a'), ['a file.raw']);
    assert.deepEqual(offered('image', 'attach', '--extension', '=', 'a'), ['a file.raw']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('zsh and fish are offered them, too, and take an action for no command', () => {
  const zsh = zshCompletion(WITH_ACTIONS);
  assert.match(zsh, /^\tfleet\) _arguments .*'1:action:\(list names forget\)' '\*::argument:_dynuserctl_fleet' ;;$/m);
  assert.match(
    zsh,
    /^_dynuserctl_fleet\(\) \{\n\tcase \$words\[1\] in\n\tnames\) \S+names ;;\n\tforget\) \S+hosts ;;\n/m,
  );
  assert.match(zsh, /^_dynuserctl_image\(\) \{\n.*\n\tattach\) _files ;;\n/m);
  assert.match(zsh, /'--extension=\[Another image\]:IMAGE:_files'/);
  const fish = linesOf(fishCompletion(WITH_ACTIONS)).filter(line => line.startsWith('complete'));
  for (const line of [
    "complete -c dynuserctl -n '__fish_seen_subcommand_from fleet; and not __fish_seen_subcommand_from list names forget' -a 'list names forget'",
    "complete -c dynuserctl -n '__fish_seen_subcommand_from fleet; and __fish_seen_subcommand_from forget' -a '(__dynuserctl_fleet_hosts)'",
    "complete -c dynuserctl -n '__fish_seen_subcommand_from image; and __fish_seen_subcommand_from attach' -F",
    "complete -c dynuserctl -n '__fish_seen_subcommand_from image' -l extension -r -F -d 'Another image'",
  ]) {
    assert.ok(fish.includes(line), line);
  }
});

test('zsh has what means something to it escaped', () => {
  const lines = linesOf(zshCompletion(TABLE));
  const help = "'--help[Say this]'";
  for (const line of [
    "\t\t'show:Show a user'\\''s leases'",
    `\t_arguments -C ${help} '1:command:->verb' '*::argument:->rest'`,
    `\tshow) _arguments '--kind=[One of two\\: \\[a\\] or '\\''b'\\'']:KIND:(a b)' ${help} '1:NAME|UID:_dynuserctl_users' ;;`,
    `\tlist) _arguments ${help} ;;`,
    `\tadd) _arguments '*--tag=[A tag]:A\\:B:' ${help} '1:UNIT:' ;;`,
  ]) {
    assert.ok(lines.includes(line), line);
  }
});

test('fish has the options of each command behind its name alone', () => {
  const lines = linesOf(fishCompletion(TABLE)).filter(line => line.startsWith('complete'));
  assert.deepEqual(lines, [
    'complete -c dynuserctl -f',
    "complete -c dynuserctl -s h -l help -d 'Say this'",
    "complete -c dynuserctl -n 'not __fish_seen_subcommand_from show list add' -a show -d 'Show a user\\'s leases'",
    "complete -c dynuserctl -n 'not __fish_seen_subcommand_from show list add' -a list -d 'List all'",
    "complete -c dynuserctl -n 'not __fish_seen_subcommand_from show list add' -a add -d 'Add one'",
    "complete -c dynuserctl -n '__fish_seen_subcommand_from show' -l kind -x -a 'a b' -d 'One of two: [a] or \\'b\\''",
    "complete -c dynuserctl -n '__fish_seen_subcommand_from add' -l tag -x -d 'A tag'",
    "complete -c dynuserctl -n '__fish_seen_subcommand_from show' -a '(__dynuserctl_users)'",
  ]);
});

const OPTIONS = `static const struct option options[] = {
	{ "unit", 'u', OPTION_UNIT, VALUE_NEEDED, NULL },
	{ "isolation", '\\0', OPTION_ISOLATION, VALUE_NEEDED, NULL },
	{ "untrusted", '\\0', OPTION_UNTRUSTED, VALUE_NONE, NULL },
	{ "expand-environment", '\\0', OPTION_NO_EXPANSION, VALUE_NEEDED, NULL },
	IGNORED("quiet", 'q'),
};
`;

test('the options of the launcher are read from its table: its own alone', () => {
  const options = launcherOptions(OPTIONS);
  assert.deepEqual(options, [
    { name: 'unit', letter: 'u', takesValue: true },
    { name: 'isolation', takesValue: true },
    { name: 'untrusted', takesValue: false },
  ]);
  const bash = linesOf(bashLauncherCompletion(options));
  assert.ok(bash.includes('\t\t--unit|-u|--isolation)'));
  assert.ok(bash.some(line => line.includes('--unit= --isolation= --untrusted')));
  const zsh = zshLauncherCompletion(options);
  assert.ok(zsh.includes("'*--unit=:unit:' '*-u+:unit:' '*--isolation=:isolation:(full best-effort)' '*--untrusted'"));
  const fish = linesOf(fishLauncherCompletion(options)).filter(line => line.includes(' -l '));
  assert.deepEqual(fish, [
    'complete -c dynuser-run -l unit -s u -x',
    "complete -c dynuser-run -l isolation -x -a 'full best-effort'",
    'complete -c dynuser-run -l untrusted',
  ]);
});

test('the list of properties has its place in the page, with names, texts and what roff would read otherwise', () => {
  const page = withPropertyList('before\n.\\" The list of properties is put here.\nafter\n');
  assert.match(page, /^before\n\.Bl -tag -width Ds\n(?:\.It Cm \w+ Ns =[^\n]*\n(?:[^.'\n][^\n]*\n)+)+\.El\nafter\n$/);
  assert.match(page, /^\.It Cm BindPaths Ns = , Cm BindReadOnlyPaths Ns =\nSOURCE or [\s\S]* read\\-only\.$/m);
  assert.throws(() => withPropertyList('a page'), { name: 'TypeError', message: /has no place for the list/ });
});
