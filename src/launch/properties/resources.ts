/** What the service may use, and how the kernel schedules it (systemd.exec(5), "Process Properties", "Scheduling"). */
import type { LaunchPlan, ResourceLimit } from '../../api/generated/io-dynuser-allocator.ts';
import { defined } from '../defined.ts';
import { quote } from '../errors.ts';
import {
  INFINITE,
  NANOSECONDS_PER_SECOND,
  readIndexes,
  readInteger,
  readSize,
  readTimeSpan,
} from '../syntax/quantities.ts';
import { readBoolean, readWord, type ValueContext } from '../syntax/values.ts';
import { filledValue, list, property, type Reader, value, wordsOf } from './property.ts';

/** Numbers of processors and NUMA nodes are below these. */
const CPUS_MAX = 8_192;
const NUMA_NODES_MAX = 1_024;
const NICE_BASE = 20;

type Limits = readonly ResourceLimit[];
type LimitReader = (text: string, context: ValueContext) => bigint;

const MICROSECOND = 1_000n;
const count: LimitReader = (text, { fail }) =>
  text === 'infinity'
    ? INFINITE
    : /^\d{1,20}$/.test(text) && BigInt(text) <= INFINITE
      ? BigInt(text)
      : fail(`not a number: ${quote(text)}; use a number, or infinity`);
/** Rounded up, as it is with systemd: a bound of 0 would end the service at once. */
const timeIn =
  (unit: bigint): LimitReader =>
  (text, context) => {
    const span = readTimeSpan(text, unit, context);
    return span === INFINITE ? INFINITE : (span + unit - 1n) / unit;
  };
/** "+5" and "-5" are nice values; a number without a sign is what the kernel takes, 20 less the nice value. */
const niceness: LimitReader = (text, context) =>
  /^[+-]/.test(text)
    ? BigInt(NICE_BASE - readInteger(text, -20, 19, context))
    : text === 'infinity'
      ? INFINITE
      : BigInt(readInteger(text, 0, 40, context));

/** The resources of setrlimit(2) besides the processor, by the names of their properties. */
const OTHER_RESOURCES: Readonly<Record<string, readonly [ResourceLimit['resource'], LimitReader]>> = {
  LimitFSIZE: ['fsize', readSize],
  LimitDATA: ['data', readSize],
  LimitSTACK: ['stack', readSize],
  LimitCORE: ['core', readSize],
  LimitRSS: ['rss', readSize],
  LimitNOFILE: ['nofile', count],
  LimitAS: ['as', readSize],
  LimitNPROC: ['nproc', count],
  LimitMEMLOCK: ['memlock', readSize],
  LimitLOCKS: ['locks', count],
  LimitSIGPENDING: ['sigpending', count],
  LimitMSGQUEUE: ['msgqueue', readSize],
  LimitNICE: ['nice', niceness],
  LimitRTPRIO: ['rtprio', count],
  LimitRTTIME: ['rttime', timeIn(MICROSECOND)],
};

/** Reads "BOTH" or "SOFT:HARD". */
function limitReader([resource, read]: readonly [ResourceLimit['resource'], LimitReader]): Reader<Limits> {
  return (text, previous = [], context) => {
    const others = previous.filter(limit => limit.resource !== resource);
    const [first = '', second = first, more] = text.split(':');
    const [soft, hard] = [read(first.trim(), context), read(second.trim(), context)];
    if (more !== undefined || soft > hard) {
      context.fail(`not a limit: ${quote(text)}; use one for both, or SOFT:HARD, the lower one first`);
    }
    return [...others, { resource, soft: String(soft), hard: String(hard) }];
  };
}

const CORE_PARTS = [
  ...['private-anonymous', 'shared-anonymous', 'private-file-backed', 'shared-file-backed', 'elf-headers'],
  ...['private-huge', 'shared-huge', 'private-dax', 'shared-dax'],
];
const CORE_PARTS_BY_DEFAULT = 0x33n;

/** The field of a plan, if the property is given. */
const field =
  <Name extends keyof LaunchPlan>(name: Name) =>
  (given: LaunchPlan[Name] | undefined): Partial<LaunchPlan> =>
    defined({ [name]: given }) as Partial<LaunchPlan>;

/** The field of a plan, if the list is not empty. */
const listField =
  <Name extends keyof LaunchPlan>(name: Name) =>
  (given: readonly number[]): Partial<LaunchPlan> =>
    given.length === 0 ? {} : ({ [name]: [...new Set(given)].sort((a, b) => a - b) } as Partial<LaunchPlan>);

/** In the order of their numbers; without a class the kernel goes by the nice value, and systemd takes this one. */
const IO_CLASSES = { none: 'bestEffort', realtime: 'realtime', 'best-effort': 'bestEffort', idle: 'idle' } as const;

const IO_LEVEL_DEFAULT = 4;

export type InputOutput = Pick<LaunchPlan, 'ioClass' | 'ioLevel'>;

const NUMA_POLICIES = ['default', 'preferred', 'bind', 'interleave', 'local'] as const;

export interface Memory {
  readonly numaPolicy?: (typeof NUMA_POLICIES)[number] | undefined;
  readonly numaNodes?: readonly number[];
}

const PERSONALITIES = { 'x86-64': 'x86_64', x86: 'x86', arm64: 'arm64', arm: 'arm' } as const;

export const RESOURCES_AND_SCHEDULING = {
  // All limits are one value, which the plan has as one list.
  LimitCPU: property<Limits>([], limitReader(['cpu', timeIn(NANOSECONDS_PER_SECOND)]), {
    manual:
      'Bounds of setrlimit(2): one for both, or SOFT:HARD. Sizes take K, M, G, T; spans of time take s, min, h; infinity for no bound.',
    otherNames: Object.fromEntries(Object.entries(OTHER_RESOURCES).map(([name, row]) => [name, limitReader(row)])),
    plan: limits => (limits.length === 0 ? {} : { limits: [...limits] }),
  }),
  Nice: value((text, context) => readInteger(text, -20, 19, context), {
    manual: 'The nice value, -20 to 19.',
    plan: nice => field('priority')(nice === undefined ? undefined : NICE_BASE - nice),
  }),
  OOMScoreAdjust: value((text, context) => String(readInteger(text, -1_000, 1_000, context)), {
    manual: 'From -1000 to 1000: how early the kernel ends the service if memory runs out.',
    plan: field('oomScoreAdjust'),
  }),
  CPUSchedulingPolicy: value((text, context) => readWord(text, ['other', 'batch', 'idle', 'fifo', 'rr'], context), {
    manual: 'other, batch, idle, fifo or rr. The nice value is 0 then, unless Nice= is given.',
    plan: field('cpuPolicy'),
  }),
  CPUSchedulingPriority: filledValue((text, context) => readInteger(text, 0, 99, context), {
    manual: '1 to 99 for fifo and rr.',
    plan: field('cpuPriority'),
  }),
  CPUSchedulingResetOnFork: filledValue<boolean>(readBoolean, {
    manual: 'Processes that the service makes do not have its scheduling policy.',
    plan: field('cpuResetOnFork'),
  }),
  CPUAffinity: list(
    readCpus,
    {
      manual: 'Processors that the service may run on, as numbers and ranges.',
      plan: listField('cpuAffinity'),
    },
    CPUS_MAX,
  ),
  // The class and the level are one value: "none" as the class takes the level that was given before, as with systemd.
  IOSchedulingClass: property(
    undefined,
    ioReader((text, context) => readIoClass(text, context)),
    {
      manual:
        'The class, realtime, best-effort or idle, and with the second name the priority in it, from 0, the first, to 7.',
      otherNames: {
        IOSchedulingPriority: ioReader((text, context) => ({ ioLevel: readInteger(text, 0, 7, context) })),
      },
      plan: io => io ?? {},
    },
  ),
  NUMAPolicy: property<Memory>({}, readNumaPolicy, {
    manual:
      'Where memory comes from: default, preferred, bind, interleave or local. The second name has the nodes, as numbers and ranges.',
    otherNames: {
      NUMAMask: (text, previous = {}, context) => ({
        ...previous,
        numaNodes: text === '' ? [] : [...(previous.numaNodes ?? []), ...readIndexes(text, NUMA_NODES_MAX, context)],
      }),
    },
    plan: planMemory,
  }),
  TimerSlackNSec: filledValue((text, context) => String(readTimeSpan(text, 1n, context)), {
    manual: 'How late timers may be.',
    plan: field('timerSlack'),
  }),
  CoredumpFilter: property<bigint | undefined>(undefined, readCoreParts, {
    manual: 'The parts of memory that a core dump has, by name or as a mask.',
    plan: planCoreParts,
  }),
  Personality: value(readPersonality, {
    manual: 'x86, x86-64, arm or arm64: the machine that uname(2) tells of.',
    plan: field('personality'),
  }),
  MemoryKSM: value((text, context) => (readBoolean(text, context) ? 'on' : 'off'), {
    manual: "The kernel merges equal pages of the service's memory.",
    plan: field('memoryMerge'),
  }),
};

function readCpus(text: string, context: ValueContext): number[] {
  return text === 'numa'
    ? context.strict.fail(
        '"numa" stands for the processors of nodes, which only a service manager keeps track of; name them',
      )
    : readIndexes(text, CPUS_MAX, context);
}

function ioReader(read: (text: string, context: ValueContext) => InputOutput): Reader<InputOutput | undefined> {
  return (text, previous, context) => (text === '' ? undefined : { ...previous, ...read(text, context) });
}

/** By name, or by the number that ioprio_set(2) has. */
function readIoClass(text: string, context: ValueContext): InputOutput {
  const names = Object.keys(IO_CLASSES) as (keyof typeof IO_CLASSES)[];
  const name = names[Number(/^[0-3]$/.test(text) ? text : Number.NaN)] ?? readWord(text, names, context);
  return { ioClass: IO_CLASSES[name], ...(name === 'none' ? { ioLevel: IO_LEVEL_DEFAULT } : {}) };
}

function readNumaPolicy(text: string, previous: Memory | undefined, context: ValueContext): Memory {
  return { ...previous, numaPolicy: text === '' ? undefined : readWord(text, NUMA_POLICIES, context) };
}

/** Nodes mean something to three of the policies, and alone the first of them is preferred, as with systemd. */
function planMemory({ numaPolicy, numaNodes = [] }: Memory): Partial<LaunchPlan> {
  const policy = numaPolicy ?? (numaNodes.length > 0 ? 'preferred' : undefined);
  return {
    ...field('numaPolicy')(policy),
    ...(policy === 'default' || policy === 'local' ? {} : listField('numaNodes')(numaNodes)),
  };
}

/** The kernel has a mask of 32 bits. */
const ALL_CORE_PARTS = 0xffff_ffffn;

/** @returns the mask of the parts of memory that a core dump has, together with earlier ones; a number is one in hexadecimal */
function readCoreParts(text: string, previous: bigint | undefined, context: ValueContext): bigint | undefined {
  if (text === '') {
    return undefined;
  }
  return wordsOf(text, 'plain', context).reduce((mask, word) => mask | maskOf(word), previous ?? 0n);

  function maskOf(word: string): bigint {
    if (/^(?:0x)?[\da-f]{1,16}$/i.test(word)) {
      return BigInt(`0x${word.replace(/^0x/i, '')}`);
    }
    const words = ['default', 'all', ...CORE_PARTS];
    const index = words.indexOf(readWord(word, words, context));
    return index === 0 ? CORE_PARTS_BY_DEFAULT : index === 1 ? ALL_CORE_PARTS : 1n << BigInt(index - 2);
  }
}

function planCoreParts(mask: bigint | undefined): Partial<LaunchPlan> {
  return mask === undefined ? {} : { coredumpFilter: mask.toString(16).padStart(16, '0') };
}

function readPersonality(text: string, context: ValueContext): LaunchPlan['personality'] & string {
  return PERSONALITIES[readWord(text, Object.keys(PERSONALITIES) as (keyof typeof PERSONALITIES)[], context)];
}
