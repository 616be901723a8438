// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of unit files
/** Unit files read by the real systemd and by us: the same words, variables and drop-ins come out of them. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { LaunchAnswer, LaunchPlan, LaunchQuestion } from '../../src/api/generated/io-dynuser-allocator.ts';
import { DynuserError } from '../../src/core/errors.ts';
import { planLaunch, resolveLaunch } from '../../src/launch/launch.ts';
import { Machine } from '../support/machine.ts';

const UNITS = '/etc/systemd/system';
const REPORTS = '/run/reports';
/** Writes its arguments and its environment, each ended by a NUL, to files named by the first argument. */
const PROGRAM = '/usr/local/bin/report';
const SCRIPT = `#!/bin/sh
name="$1"; shift
[ $# = 0 ] || printf '%s\\0' "$@" >'${REPORTS}/'"$name.words"
[ $# != 0 ] || : >'${REPORTS}/'"$name.words"
env -0 >'${REPORTS}/'"$name.environment"
`;

const VARIABLES = 'Environment="ONE=one" "TWO=two  three" "QUOTED=a \'b c\' \\"d" EMPTY= "DOLLAR=$ONE" "OPEN=a \'b"';

/** What follows the program in ExecStart=. */
const COMMANDS = [
  'b  "c d" \'e f\'',
  "a\"b c\"d 'it'\"'\"'s'",
  '"" x \'\'',
  'a\\x20b \\101 \\u00e9 \\s \\t. "\\n"',
  '\\q "\\q" \\x4',
  '$ONE ${ONE} x${ONE}y x$ONE',
  '$TWO ${TWO} "$TWO" "${TWO}" <$TWO>',
  '$$ONE $$ $${ONE} a$$b $$$$',
  '$NONE ${NONE} <${NONE}>',
  '$EMPTY ${EMPTY}',
  '$QUOTED ${QUOTED}',
  '$OPEN .',
  '$DOLLAR ${DOLLAR}',
  '${ONE ${} ${ONE:-x} $ONE: $/x .',
  'x$ $1 ${1} .',
  'a ";" \\; x\\;  "\\;" ;; ;x .',
  '100% %% %%n',
  'a%',
  'a\\\\',
  '%ä',
  '\\x25',
  '${ONE:${ONE}} ${:ONE} ${ONE}:',
  '# no comment',
  '\\x24ONE \\x25n',
  '%n %N %p %P %i %I %j %J %f',
  '%t %S %C %L %E %T %V',
  '%u %U %g %G %h %s',
  '%H %l %m %b %v %a',
  '%o %w',
  '%y %Y',
  '"%n"x \'%p\'',
  'a \\\n# between\n; and\n  b \\\n  c',
  'ü€😀 "ü ü"',
  '$REST $MORE',
  'a\\x00b \\u0000 \\000 "\\0" \\08 \\U00000000 \\U00110000',
  '$ONE$TWO "$ONE $TWO" ${ONE}${TWO} ${NONE}${ONE} $ONE. $ONE_ ${ONE}$$ ${ONE}$$ONE',
  '\'$ONE\' \'${ONE}\' "$ONE" "${TWO}" \'$TWO\' "a $TWO"',
  '$\\x4fNE \\x24{ONE} \\x24ONE $\\{ONE}',
  '$TWO;x $TWO; ;$TWO a; ";" \\;\\; \\;x "\\;"',
  '\\a\\b\\f\\v\\r\\n\\t\\s\\"\\\' \\400 \\U0001F600 \\u20ac',
  '%%%%n x%%n%% "%%n" \'%%\' %%%n',
  'a\\ b a\\\\ b "a\\\\" \\\\',
  '"a"\'b\'c"d e"f --opt="x y" --opt=\'x y\'z "--opt=x y"',
  '-x @y :z +w !v !!u |t',
  '${} ${ } ${1} ${ONE } ${-} ${ONE-x} ${ONE:+x}',
  '$ $$ $$$ $$$$ $$$$$ x$$$ONE',
  '$EMPTY$EMPTY ${EMPTY}${EMPTY} "$EMPTY" "${EMPTY}" x$EMPTY',
  '"" \'\' ""\'\' "" x""',
  '$OPEN ${OPEN} $QUOTED$QUOTED',
  '[a-z]* ~ ~root {a,b} `date` $(date) <in >out 2>&1 & && || | #x',
  '\\\n  a \\\n  b',
  'a\tb  c \\\n\td',
] as const;

/** What both refuse there: the unit is not loaded. */
const REFUSED = ['%z', '%1', '"open', "a 'b", 'x"', "x'y z"] as const;

/** Values of Environment=. */
const ENVIRONMENTS = [
  'T_A=1 "T_B=2 3" \'T_C=4 "5"\'',
  'T_A=x\\x20y T_B="a\\tb" T_C=\\x41',
  'T_A=%n T_B=%% T_C=$ONE',
  'T_A=1 T_A=2 T_B=',
  '"T_A=a=b=c" T_B=\\"q\\"',
] as const;

/** Texts of files of EnvironmentFile=. */
const FILES = [
  'T_A=1\nT_B=2 3\n  T_C = 4  \n',
  '# T_A=1\n;T_A=2\n\nT_B=3 # no comment\n',
  'T_A="1 2" \nT_B=\'3 4\'\nT_C="a"\'b\'c\n',
  'T_A="1\n2"\nT_B=\'3\n4\'\n',
  'T_A=1\\\n2\nT_B="1\\\n2"\nT_C=\'1\\\n2\'\n',
  'T_A="\\"\\$\\`\\\\ \\n"\nT_B=\'\\n\'\nT_C=\\n\\"\n',
  'T_A=a"b"\nT_B=a\'b \' c\nT_C=\n',
  'nothing\nT_A=1\nT_B="x" y\n',
  'T_A=a  \\  \nT_B="  "  \nT_C=  x\\ \n',
  'T_A=1\r\nT_B="2"\r\n',
  'T_A=1 \\\n# T_B=2\nT_C=3\n',
  '# comment \\\nT_A=1\nT_B=$T_A ${T_A}\n',
  'T_A="unclosed\nT_B=2\n',
  'T_A=last',
] as const;

interface Case {
  readonly unit: string;
  readonly file: string;
  readonly instance?: string;
  /** the files that there are, by path */
  readonly files: Readonly<Record<string, string>>;
}

function unitText(lines: readonly string[]): string {
  return ['[Service]', 'Type=oneshot', ...lines, ''].join('\n');
}

function caseOf(index: string, lines: readonly string[], more: Readonly<Record<string, string>> = {}): Case {
  const unit = `launch-${index}.service`;
  return { unit, file: `${UNITS}/${unit}`, files: { [`${UNITS}/${unit}`]: unitText(lines), ...more } };
}

const CASES: readonly Case[] = [
  ...COMMANDS.map((words, index) =>
    caseOf(`words${index}`, [VARIABLES, 'Environment="MORE= x "', `ExecStart=${PROGRAM} %n ${words}`]),
  ),
  ...ENVIRONMENTS.map((value, index) =>
    caseOf(`variables${index}`, [`Environment=${value}`, `ExecStart=${PROGRAM} %n $T_B`]),
  ),
  ...FILES.map((text, index) =>
    caseOf(`file${index}`, ['Environment=T_A=own', `EnvironmentFile=/etc/e${index}`, `ExecStart=${PROGRAM} %n $T_B`], {
      [`/etc/e${index}`]: text,
    }),
  ),
  ...['User=root', 'User=games', 'SetLoginEnvironment=no', 'SetLoginEnvironment=yes'].map((line, index) =>
    caseOf(`login${index}`, [line, 'UnsetEnvironment=HOME SHELL', `ExecStart=!${PROGRAM} %n %u`]),
  ),
  caseOf('bad', [
    'Environment=T_A=1 1=2 T_B=%z T_C=3 "T_D=4',
    'Environment=T_E=5 T_F',
    'UnsetEnvironment=1A T_E',
    'EnvironmentFile=etc',
    'ExecStart=-bin/x',
    'ExecStart=-/bin/false %z',
    'ExecStart="x',
    'SetLoginEnvironment=maybe',
    'no assignment',
    '=nothing',
    'Usr=games',
    `ExecStart=${PROGRAM} %n $T_A $T_B`,
  ]),
  {
    unit: 'in-st\\x2dance@a-b\\x2dc.service',
    file: `${UNITS}/in-st\\x2dance@.service`,
    instance: 'a-b\\x2dc',
    files: {
      [`${UNITS}/in-st\\x2dance@.service`]: unitText([
        `ExecStart=${PROGRAM} %n %N %p %P %i %I %j %J %f %y %Y`,
        'Environment=T_A=file',
      ]),
      [`${UNITS}/in-st\\x2dance@.service.d/10.conf`]: '[Service]\nEnvironment=T_B=template',
      '/run/systemd/system/in-st\\x2dance@a-b\\x2dc.service.d/10.conf': '[Service]\nEnvironment=T_B=instance',
      '/run/systemd/system/in-@.service.d/20.conf': '[Service]\nEnvironment=T_C=prefix',
      '/usr/lib/systemd/system/in-@.service.d/05.conf': '[Service]\nEnvironment=T_D=early T_C=early',
      [`${UNITS}/in-@.service.d/05.conf`]: '[Service]\nEnvironment=T_D=mask',
      [`${UNITS}/service.d/99-launch.conf`]: '[Service]\nEnvironment=T_Z=all',
      '/usr/lib/systemd/system/service.d/20.conf': '[Service]\nEnvironment=T_C=masked',
    },
  },
];

/** Lines that make systemd refuse the unit. */
const REFUSED_LINES = [
  ...['User=%z', 'SupplementaryGroups=games %z', 'DynamicUser=maybe', 'DynamicUser=', 'WorkingDirectory=srv'],
  ...['WorkingDirectory=/%z', 'RootDirectory=srv', 'RootDirectory=/%z', 'ExecStartPre=bin/true', 'ExecStart=/bin/'],
  ...['ExecStartPre=/bin/true %z', 'ExecStartPre=/bin/true "x', 'ExecStartPre=+!/bin/true', '[Install'],
] as const;

const REFUSED_CASES = [
  ...REFUSED.map(words => [`ExecStart=${PROGRAM} %n ${words}`]),
  ...REFUSED_LINES.map(line => [`ExecStart=${PROGRAM} %n x`, line]),
].map((lines, index) => caseOf(`refused${index}`, lines));

/** The variables that a manager sets and a launcher does not, or has no say in. */
const OTHERS = /^(?:LANG|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|MEMORY_PRESSURE_.*|SHLVL|PWD|OLDPWD|_)=/;

describe('unit files', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd' });
    await machine.write(PROGRAM, SCRIPT, 0o755);
    await machine.output(['mkdir', '-p', REPORTS]);
    for (const [path, text] of [...CASES, ...REFUSED_CASES].flatMap(({ files }) => Object.entries(files))) {
      await machine.write(path, text);
    }
    await machine.output(['systemctl', 'daemon-reload']);
    // One that systemd refuses makes this fail, and shows as a report that is missing.
    await machine.run(['systemctl', 'start', ...CASES.map(({ unit }) => unit)]);
    await machine.run(['systemctl', 'start', ...REFUSED_CASES.map(({ unit }) => unit)]);
  });
  after(() => machine.stop());

  const reported = (unit: string, what: 'words' | 'environment'): string[] => {
    const text = readFileSync(machine.path(`${REPORTS}/${unit}.${what}`), 'utf8');
    return text.split('\0').slice(0, -1);
  };

  const answer = ({ kind, path }: LaunchQuestion): LaunchAnswer => {
    const inside = machine.path(path);
    if (!existsSync(inside)) {
      return { kind, path, found: false };
    }
    return kind === 'glob'
      ? { kind, path, found: true, names: [path] }
      : kind === 'file'
        ? { kind, path, found: true, text: readFileSync(inside, 'utf8') }
        : { kind, path, found: true, names: readdirSync(inside).filter(name => name.endsWith('.conf')) };
  };

  const planned = ({ file, instance }: Case): LaunchPlan => {
    const answers: LaunchAnswer[] = [];
    const request = {
      properties: [],
      setEnvironment: [],
      ignoreUnknown: false,
      untrusted: false,
      mayMount: true,
      isolation: 'full',
    } as const;
    for (;;) {
      const outcome = resolveLaunch(
        { ...request, unitFile: file, ...(instance === undefined ? {} : { instance }) },
        answers,
      );
      if ('resolved' in outcome) {
        const userName = outcome.resolved.userName ?? 'root';
        const root = { uid: 0, gid: 0, userName, dynamic: false, groups: [], directories: [], environment: {} };
        return planLaunch(outcome.resolved, { ...root, kernel: { processor: process.arch, deniesWriteExecute: true } });
      }
      answers.push(...outcome.questions.map(answer));
    }
  };

  for (const entry of CASES) {
    it(`${entry.unit} has the same words and variables`, () => {
      const plan = planned(entry);
      assert.deepEqual(plan.commands?.[0]?.arguments.slice(2), reported(entry.unit, 'words'));
      const theirs = reported(entry.unit, 'environment').filter(text => !OTHERS.test(text));
      assert.deepEqual([...plan.environment].sort(), theirs.sort());
    });
  }

  for (const entry of REFUSED_CASES) {
    it(`${entry.unit} is refused by both`, () => {
      assert.throws(() => planned(entry), DynuserError);
      assert.equal(existsSync(machine.path(`${REPORTS}/${entry.unit}.words`)), false);
    });
  }
});
