/**
 * Conditions and assertions of [Unit] (systemd.unit(5), "Conditions and Asserts"): how they are read, and whether they hold on the
 * launcher's host. A condition that cannot be judged here counts as if it held, with a warning:
 * whoever starts a unit by name wants it to start.
 */
import { patternOf } from '../../core/pattern.ts';
import { checkLimit, failFor, quote } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import { readValue } from '../properties/reading.ts';
import { capabilityNames } from '../syntax/capabilities.ts';
import { type Comparison, compareVersions, holds, inOrder, takeOperator } from '../syntax/comparisons.ts';
import { asSize } from '../syntax/quantities.ts';
import { architectureOf, type Specifiers } from '../syntax/specifiers.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import { asBoolean, readPath, type ValueContext } from '../syntax/values.ts';
import type { PathFact, Questions } from './questions.ts';

/** @returns whether it holds; undefined if that cannot be judged */
type Test = (parameter: string, questions: Questions) => boolean | undefined;

interface Condition {
  /** with "Condition" or "Assert" */
  readonly name: string;
  readonly field: string;
  readonly test: Test;
  readonly parameter: string;
  /** "!" */
  readonly negated: boolean;
  /** "|": one of all that have it is enough */
  readonly isAlternative: boolean;
}

const NAME = /^(Condition|Assert)([A-Z][A-Za-z0-9]*)$/;

const PATH_TESTS: Readonly<Record<string, Test>> = {
  PathExists: pathIs('exists'),
  PathExistsGlob: (pattern, questions) => questions.glob(pattern) !== undefined,
  PathIsDirectory: pathIs('directory'),
  PathIsSymbolicLink: pathIs('link'),
  PathIsMountPoint: pathIs('mountPoint'),
  PathIsReadWrite: (path, questions) => {
    const facts = questions.path(path);
    return facts?.has('exists') === true && !facts.has('readOnly');
  },
  PathIsEncrypted: cannotJudge,
  DirectoryNotEmpty: pathIs('directory', 'notEmpty'),
  FileNotEmpty: pathIs('file', 'notEmpty'),
  FileIsExecutable: pathIs('file', 'executable'),
  NeedsUpdate: cannotJudge,
};

/** Modules that are on if a path exists; systemd knows more. */
const SECURITY: Readonly<Record<string, string>> = {
  selinux: '/sys/fs/selinux/enforce',
  smack: '/sys/fs/smackfs',
  ima: '/sys/kernel/security/ima',
  tomoyo: '/sys/kernel/security/tomoyo',
};
const FIRMWARE: Readonly<Record<string, string>> = {
  uefi: '/sys/firmware/efi',
  'device-tree': '/sys/firmware/devicetree',
};
/** Files in which the manager of a container writes its name, and files whose existence says it. */
const CONTAINER_NAMES = ['/run/host/container-manager', '/run/systemd/container'] as const;
const CONTAINER_MARKS = { '/run/.containerenv': 'podman', '/.dockerenv': 'docker' } as const;
const CONTAINERS = 'systemd-nspawn lxc-libvirt lxc docker podman rkt wsl proot pouch oci'.split(' ');
const CONTROLLERS = '/sys/fs/cgroup/cgroup.controllers';

const OTHER_TESTS: Readonly<Record<string, Test>> = {
  Architecture: (name, questions) => {
    const machine = firstLine('/proc/sys/kernel/arch', questions);
    return name === 'native' || (machine !== undefined && architectureOf(machine) === name);
  },
  Firmware: (name, questions) => existsOf(FIRMWARE[name], questions),
  Virtualization: isVirtualized,
  Host: (name, questions) =>
    /^[\da-f]{32}$/i.test(name)
      ? firstLine('/etc/machine-id', questions) === name.toLowerCase()
      : patternOf(name.toLowerCase(), true)((firstLine('/proc/sys/kernel/hostname', questions) ?? '').toLowerCase()),
  KernelCommandLine: (text, questions) =>
    (firstLine('/proc/cmdline', questions) ?? '')
      .split(/\s+/)
      .some(word => word === text || (!text.includes('=') && word.startsWith(`${text}=`))),
  KernelVersion: (text, questions) => versionsHold(text, firstLine('/proc/sys/kernel/osrelease', questions) ?? ''),
  OSRelease: isRelease,
  Security: (name, questions) =>
    name === 'apparmor'
      ? firstLine('/sys/module/apparmor/parameters/enabled', questions) === 'Y'
      : existsOf(SECURITY[name], questions),
  Capability: (name, questions) =>
    capabilityNames(BigInt(`0x${statusOf('CapBnd', questions) ?? '0'}`)).includes(name.toUpperCase()),
  FirstBoot: (text, questions) => existsOf('/run/systemd/first-boot', questions) === (asBoolean(text) ?? true),
  // systemd asks about its own user, which is root.
  User: name => ['root', '0', '@system'].includes(name),
  Group: name => ['root', '0'].includes(name),
  CPUs: (text, questions) => {
    const list = statusOf('Cpus_allowed_list', questions) ?? '';
    return numberHolds(text, BigInt(indexesIn(list)), word => (/^\d{1,9}$/.test(word) ? BigInt(word) : undefined));
  },
  Memory: (text, questions) => {
    const kilobytes = /^MemTotal:\s*(\d{1,15}) kB/m.exec(questions.file('/proc/meminfo') ?? '')?.[1] ?? '0';
    return numberHolds(text, BigInt(kilobytes) * 1_024n, asSize);
  },
  ControlGroupController: (text, questions) => {
    const controllers = questions.file(CONTROLLERS);
    if (text === 'v1' || text === 'v2') {
      return (text === 'v2') === (controllers !== undefined);
    }
    const there = (controllers ?? '').split(/\s+/);
    return text.split(/\s+/).every(name => there.includes(name));
  },
  ACPower: cannotJudge,
  CPUFeature: cannotJudge,
  Credential: cannotJudge,
  Environment: cannotJudge,
  MemoryPressure: cannotJudge,
  CPUPressure: cannotJudge,
  IOPressure: cannotJudge,
};

export interface JudgedConditions {
  /** why nothing is started, in words; absent if all conditions hold */
  readonly skipped?: string;
  /** each with what it comes to, in words */
  readonly words: readonly string[];
}

/**
 * @param assignments those of [Unit]
 * @param isJudged whether nothing will run: then an assertion is a matter of this host, as a condition is
 * @throws DynuserError LaunchFailed if an assertion does not hold; LimitReached
 */
export function judgeConditions(
  assignments: readonly Assignment[],
  specifiers: Specifiers,
  questions: Questions,
  warn: (text: string) => void,
  isJudged: boolean,
): JudgedConditions {
  const { Condition: conditions, Assert: asserts } = readConditions(assignments, specifiers, warn);
  const words: string[] = [];
  const judge = (condition: Condition): boolean => {
    const { test, parameter, negated, field } = condition;
    const found = test(parameter, questions);
    if (found === undefined) {
      warn(`${field}= cannot be judged, and counts as if it held: ${quote(parameter)}`);
    }
    const fulfilled = found === undefined || found !== negated;
    words.push(
      `${shown(condition)}: ${found === undefined ? 'cannot be judged' : fulfilled ? 'holds' : 'does not hold'}`,
    );
    return fulfilled;
  };
  const brokenAssert = firstBroken(asserts, judge);
  if (brokenAssert !== undefined && !isJudged) {
    failFor(brokenAssert.field)(
      `the assertion ${quote(shown(brokenAssert))} does not hold; make it true, or take it out`,
    );
  }
  const broken = firstBroken(conditions, judge) ?? brokenAssert;
  return broken === undefined
    ? { words }
    : { words, skipped: `${broken.field}=: the condition ${quote(shown(broken))} does not hold: nothing is started` };
}

/** All conditions that are not alternatives have to hold, and one of the alternatives, if there are some. */
function firstBroken(list: readonly Condition[], judge: (condition: Condition) => boolean): Condition | undefined {
  const judged = list.map(condition => ({ condition, fulfilled: judge(condition) }));
  const alternatives = judged.filter(({ condition }) => condition.isAlternative);
  const broken = judged.find(({ condition, fulfilled }) => !condition.isAlternative && !fulfilled);
  const lacking = alternatives.some(({ fulfilled }) => fulfilled) ? undefined : alternatives[0];
  return (broken ?? lacking)?.condition;
}

function shown({ name, parameter, negated, isAlternative }: Condition): string {
  return `${name}=${isAlternative ? '|' : ''}${negated ? '!' : ''}${parameter}`;
}

type Kind = 'Condition' | 'Assert';

/** An empty value takes back all of its kind, whatever they are called. */
function readConditions(
  assignments: readonly Assignment[],
  specifiers: Specifiers,
  warn: (text: string) => void,
): Record<Kind, Condition[]> {
  const found: Record<Kind, Condition[]> = { Condition: [], Assert: [] };
  for (const assignment of assignments) {
    const [, kind, about = ''] = NAME.exec(assignment.name) ?? [];
    if (kind !== 'Condition' && kind !== 'Assert') {
      continue;
    }
    const isPath = Object.hasOwn(PATH_TESTS, about);
    const test = isPath ? PATH_TESTS[about] : OTHER_TESTS[about];
    if (test === undefined) {
      warn(`${fieldOf(assignment)}= is ignored: it is unknown`);
    } else if (assignment.value === '') {
      found[kind] = [];
    } else {
      const read = readValue(assignment, false, specifiers, warn, context => ({
        ...readCondition(assignment, isPath, context),
        test,
      }));
      found[kind].push(...(read === undefined ? [] : [read.value]));
    }
    checkLimit(found.Condition.length + found.Assert.length, LIST_MAX, 'conditions', fieldOf(assignment));
  }
  return found;
}

function readCondition(
  { name, value }: Assignment,
  isPath: boolean,
  { expand, fail, field }: ValueContext,
): Omit<Condition, 'test'> {
  const [, alternative, negation, text = ''] = /^(\|?)\s*(!?)\s*(.*)$/s.exec(value) ?? [];
  const expanded = expand(text);
  return {
    name,
    field,
    parameter: isPath ? readPath(expanded, fail) : expanded,
    negated: negation === '!',
    isAlternative: alternative === '|',
  };
}

function cannotJudge(): undefined {
  return undefined;
}

function pathIs(...wanted: readonly PathFact[]): Test {
  return (path, questions) => {
    const facts = questions.path(path);
    return facts !== undefined && wanted.every(fact => facts.has(fact));
  };
}

function existsOf(path: string | undefined, questions: Questions): boolean | undefined {
  return path === undefined ? undefined : questions.path(path)?.has('exists') === true;
}

function firstLine(path: string, questions: Questions): string | undefined {
  return questions.file(path)?.split('\n', 1)[0];
}

/** @returns a value of proc_pid_status(5) of the launcher */
function statusOf(name: string, questions: Questions): string | undefined {
  const line = questions
    .file('/proc/self/status')
    ?.split('\n')
    .find(text => text.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

/** @returns how many numbers a list like "0-3,5" has */
function indexesIn(list: string): number {
  return list
    .split(',')
    .map(range => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + (last - first + 1), 0);
}

/** Whether a machine is virtual, and which kind it is, cannot be read from files; a container has it in one. */
function isVirtualized(text: string, questions: Questions): boolean | undefined {
  if (text === 'private-users') {
    return firstLine('/proc/self/uid_map', questions)?.trim().split(/\s+/).join(' ') !== '0 0 4294967295';
  }
  const container = containerOf(questions);
  const wanted = asBoolean(text);
  if (container !== undefined) {
    return wanted ?? (text === 'container' || text === container);
  }
  return text === 'container' || CONTAINERS.includes(text) ? false : undefined;
}

function containerOf(questions: Questions): string | undefined {
  const named = CONTAINER_NAMES.map(path => firstLine(path, questions)?.trim()).find(name => name !== undefined);
  const marked = Object.entries(CONTAINER_MARKS).filter(([path]) => questions.path(path)?.has('exists'));
  return named ?? marked[0]?.[1];
}

/** Every word has to hold: a pattern, or an operator and a version. */
function versionsHold(text: string, version: string): boolean | undefined {
  const words = wordsIn(text);
  const tests: boolean[] = [];
  for (let index = 0; index < words.length; index++) {
    const { operator, rest } = takeOperator(words[index] ?? '');
    const wanted = rest === '' && operator !== undefined ? (words[++index] ?? '') : rest;
    tests.push(comparisonHolds(operator ?? '$=', version, wanted));
  }
  return tests.every(Boolean);
}

function wordsIn(text: string): string[] {
  return (text.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map(word => word.replace(/^(["'])(.*)\1$/s, '$2').trim());
}

function isRelease(text: string, questions: Questions): boolean {
  const release = questions.variables('/etc/os-release') ?? questions.variables('/usr/lib/os-release');
  return wordsIn(text).every(word => {
    const name = /^[A-Z0-9_]+/.exec(word)?.[0] ?? '';
    const { operator, rest } = takeOperator(word.slice(name.length));
    const value = release?.get(name);
    return operator !== undefined && value !== undefined && comparisonHolds(operator, value, rest);
  });
}

function comparisonHolds(operator: Comparison, value: string, wanted: string): boolean {
  if (operator === '$=' || operator === '!$=') {
    return holds(operator, patternOf(wanted, true)(value) ? 0 : 1);
  }
  const compare = operator === '=' || operator === '!=' ? inOrder<string> : compareVersions;
  return holds(operator, compare(value, wanted));
}

function numberHolds(text: string, value: bigint, read: (word: string) => bigint | undefined): boolean | undefined {
  const { operator, rest } = takeOperator(text);
  const wanted = read(rest.trim());
  return wanted !== undefined && holds(operator ?? '>=', inOrder(value, wanted));
}
