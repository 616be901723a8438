/** Which system calls the service may make (systemd.exec(5), "System Call Filtering", and its kin in "Sandboxing"). */
import { quote } from '../errors.ts';
import { type Abi, knownCalls } from '../filter/abi.ts';
import {
  ALLOW,
  DENY,
  type Filter,
  failWith,
  KILL_PROCESS,
  KILL_THREAD,
  LOG,
  type Rule,
  type Test,
} from '../filter/filter.ts';
import { asBoolean, type ValueContext } from '../syntax/values.ts';
import { type CallError, type CallList, callListReader, callsOf, DEFAULT_CALLS, readCallError } from './call-list.ts';
import { boolean, entriesOf, list, property, value, wordsOf } from './property.ts';

/** The answer of a kernel that does not have the call: ENOSYS. */
const ABSENT = failWith(38);
/** The answer of a kernel that does not have the family: EAFNOSUPPORT. */
const NO_FAMILY = failWith(97);

/** SCHED_OTHER, SCHED_BATCH, SCHED_IDLE. */
const PLAIN_POLICIES = [0, 3, 5];
/** PER_LINUX and PER_LINUX32 (personality(2)). */
const PER_LINUX = 0;
const PER_LINUX32 = 8;
/** S_ISUID and S_ISGID. */
const SPECIAL_BITS = 0o6000;
/** O_CREAT, and of O_TMPFILE the part that is not O_DIRECTORY. */
const CREATING = 0o20000100;
/** Requests of ioctl(2), of which the kernel sees 32 bits. */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
/** PROT_WRITE, PROT_EXEC, SHM_EXEC. */
const WRITE = 2;
const EXECUTE = 4;
const SHARED_EXECUTE = 0o100000;

/** AF_* of socket(2), by their numbers from 1 on; "-" for none. */
const FAMILIES =
  `UNIX INET AX25 IPX APPLETALK NETROM BRIDGE ATMPVC X25 INET6 ROSE DECnet NETBEUI SECURITY KEY NETLINK PACKET ASH
  ECONET ATMSVC RDS SNA IRDA PPPOX WANPIPE LLC IB MPLS CAN TIPC BLUETOOTH IUCV RXRPC ISDN PHONET IEEE802154 CAIF ALG NFC VSOCK KCM
  QIPCRTR SMC XDP MCTP`.split(/\s+/);
const FAMILY_ALIASES: Readonly<Record<string, string>> = { LOCAL: 'UNIX', FILE: 'UNIX', ROUTE: 'NETLINK' };

/** CLONE_NEW* of clone(2). */
const NAMESPACES = {
  cgroup: 0x0200_0000,
  ipc: 0x0800_0000,
  net: 0x4000_0000,
  mnt: 0x0002_0000,
  pid: 0x2000_0000,
  user: 0x1000_0000,
  uts: 0x0400_0000,
  time: 0x80,
} as const;
export type NamespaceType = keyof typeof NAMESPACES;
const NAMESPACE_TYPES = Object.keys(NAMESPACES) as NamespaceType[];
/** The types that "no" and "~" mean: systemd 257 leaves the youngest type out. */
const USUAL_TYPES = NAMESPACE_TYPES.filter(type => type !== 'time');

/** As systemd names architectures. */
const ARCHITECTURE_NAMES =
  `native x86 x86-64 x32 arm arm64 loongarch64 mips mips64 mips64-n32 mips-le mips64-le mips64-le-n32 parisc
  parisc64 ppc ppc64 ppc64-le riscv64 s390 s390x`.split(/\s+/);

export const FILTERS = {
  RestrictSUIDSGID: boolean({
    manual: 'Files cannot be made setuid or setgid. On with a dynamic user.',
    implied: given => given ?? true,
    untrusted: 'yes',
    meaning: 'it cannot make setuid or setgid files',
    filter: () => SPECIAL_FILES,
  }),
  RestrictRealtime: boolean({
    manual: 'sched_setscheduler(2) with a realtime policy fails.',
    untrusted: 'yes',
    meaning: 'it cannot take a realtime scheduling policy',
    filter: () => ({ rules: [{ calls: ['sched_setscheduler'], action: DENY, when: [notIn(1, PLAIN_POLICIES)] }] }),
  }),
  LockPersonality: boolean({
    manual: 'personality(2) fails but for the execution domain that the service has.',
    untrusted: 'yes',
    meaning: 'it cannot change its execution domain',
    filter: (_, { personality }) => {
      const kept = personality === 'x86' || personality === 'arm' ? PER_LINUX32 : PER_LINUX;
      return { rules: [{ calls: ['personality'], action: DENY, when: [notIn(0, [kept])] }] };
    },
  }),
  RestrictAddressFamilies: property<Families | undefined>(undefined, readFamilies, {
    manual:
      'The address families of sockets that can be made: AF_INET and so on, or none. ~ before a list denies these alone. Inherited sockets and socketpair(2) stay.',
    meaning: 'it can make sockets of some address families alone',
    filter: filterOfFamilies,
  }),
  RestrictNamespaces: property<readonly NamespaceType[] | undefined>(undefined, readNamespaces, {
    manual:
      'The service can make and enter no namespaces, or those alone that are listed: cgroup ipc net mnt pid user uts time. ~ before a list denies these alone.',
    untrusted: 'yes',
    meaning: 'it can make and enter no namespaces, or some alone',
    filter: filterOfNamespaces,
  }),
  MemoryDenyWriteExecute: boolean({
    manual: 'Memory cannot be made executable once it was writable. Programs that compile as they run do not work.',
    meaning: 'its memory is writable or executable, and never becomes executable',
    filter: (_, { deniesWriteExecute }) => (deniesWriteExecute ? undefined : WRITE_EXECUTE),
  }),
  SystemCallArchitectures: list(readArchitectures, {
    manual:
      'The architectures whose system calls can be made, besides native: x86, x86-64, x32, arm, arm64. Others end the process.',
    untrusted: 'native',
    meaning: 'system calls of other architectures end it',
    filter: (names, { abis: [native, ...others] }) => {
      const blocked = others.filter(abi => abi !== native && !names.includes(abi));
      return blocked.length === 0 ? undefined : { rules: [], otherwise: KILL_THREAD, abis: blocked };
    },
  }),
  SystemCallErrorNumber: value(readErrorNumber, {
    manual:
      'The error of calls that SystemCallFilter= denies: EPERM and so on, or kill, which ends the process and is the default.',
  }),
  SystemCallLog: property(undefined, callListReader({ initial: [], hasErrors: false }), {
    manual: 'System calls that the kernel logs: names and @groups, or all but those after ~.',
    meaning: 'some system calls are logged',
    filter: filterOfLog,
  }),
  // The last one: of equally strict actions its own holds, as with systemd, which installs this filter after all others.
  SystemCallFilter: property(undefined, callListReader({ initial: [DEFAULT_CALLS], hasErrors: true }), {
    manual:
      'The system calls that can be made: names and @groups, as systemd has them. ~ before a list denies these alone, each with an error if :EPERM or the like follows.',
    meaning: 'it can make some system calls alone',
    filter: (calls, { abis: [native], callError }) => filterOfCalls(calls, native, callError),
  }),
};

/**
 * No file becomes setuid or setgid. openat2(2) is answered as by a kernel without it, since its mode is in memory, where a
 * filter cannot look; programs then use openat(2). That is what systemd does. Not covered, as with systemd: io_uring(7),
 * which makes its calls past every filter.
 */
const SPECIAL_FILES: Filter = {
  rules: [
    { calls: ['chmod', 'fchmod', 'mkdir', 'mknod', 'creat'], action: DENY, when: [any(1, SPECIAL_BITS)] },
    { calls: ['fchmodat', 'fchmodat2', 'mkdirat', 'mknodat'], action: DENY, when: [any(2, SPECIAL_BITS)] },
    { calls: ['open'], action: DENY, when: [any(1, CREATING), any(2, SPECIAL_BITS)] },
    { calls: ['openat'], action: DENY, when: [any(2, CREATING), any(3, SPECIAL_BITS)] },
    { calls: ['openat2'], action: ABSENT },
  ],
};

/**
 * Memory that is written and then executed, for kernels that cannot forbid it themselves. As with systemd, x86 has a way left: ipc(2)
 * has the flags of shmat(2) where a filter sees them, but its old form has not.
 */
const WRITE_EXECUTE: Filter = {
  rules: [
    { calls: ['mmap2'], action: DENY, when: [all(2, WRITE | EXECUTE)], abis: ['x86', 'arm'] },
    { calls: ['mmap'], action: DENY, when: [all(2, WRITE | EXECUTE)], abis: ['x86-64', 'x32', 'arm64'] },
    // Its arguments are in memory.
    { calls: ['mmap'], action: DENY, abis: ['x86'] },
    { calls: ['mprotect', 'pkey_mprotect'], action: DENY, when: [any(2, EXECUTE)] },
    { calls: ['shmat'], action: DENY, when: [any(2, SHARED_EXECUTE)], abis: ['x86-64', 'x32', 'arm64', 'arm'] },
  ],
};

/** What a program without needs does; io_uring(7) is left out since it makes its calls past every filter. */
const UNTRUSTED_CALLS = '@system-service';
const UNTRUSTED_NOT = ['io_uring_setup', 'io_uring_enter', 'io_uring_register'];
/** UNIX, INET, INET6, NETLINK. */
const UNTRUSTED_FAMILIES = [1, 2, 10, 16];

/** What --untrusted adds to the filters of a unit, which may be stricter, and its words. Each is left out if its property is on the command line. */
export const UNTRUSTED_FILTERS: Readonly<
  Record<
    'RestrictAddressFamilies' | 'SystemCallFilter',
    { readonly words: string; readonly filter: (native: Abi) => Filter | undefined }
  >
> = {
  RestrictAddressFamilies: {
    words: 'AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    filter: () => filterOfFamilies({ isOfAllowed: true, numbers: UNTRUSTED_FAMILIES }),
  },
  SystemCallFilter: {
    words: `${UNTRUSTED_CALLS} without ${UNTRUSTED_NOT.join(' ')}; others fail with EPERM`,
    filter: native => {
      const words = [
        ...[DEFAULT_CALLS, UNTRUSTED_CALLS].map(name => ({ name, isDenied: false })),
        ...UNTRUSTED_NOT.map(name => ({ name, isDenied: true })),
      ];
      return filterOfCalls({ isOfAllowed: true, words }, native, 1);
    },
  },
};

/** The service cannot type into the terminal that it shares with whoever started it, nor paste on a virtual console. */
export const TERMINAL_FILTER: Filter = {
  rules: [{ calls: ['ioctl'], action: DENY, when: [{ argument: 1, is: 'in', values: [TIOCSTI, TIOCLINUX] }] }],
};

export interface Families {
  readonly isOfAllowed: boolean;
  readonly numbers: readonly number[];
  /** "none": the next list begins anew */
  readonly forbidsAll?: true;
}

/** AF_UNIX and AF_NETLINK: what is sent there leaves no host. */
const LOCAL_FAMILIES: readonly number[] = [1, 16];

/**
 * @returns whether the service can make no socket whose packets a filter of addresses would see. Calls of i386 make sockets by
 * socketcall(2), whose family no filter sees
 */
export function makesLocalSocketsOnly(families: Families | undefined, architectures: readonly string[]): boolean {
  return (
    families?.isOfAllowed === true &&
    families.numbers.every(number => LOCAL_FAMILIES.includes(number)) &&
    architectures.length > 0 &&
    !architectures.includes('x86')
  );
}

function readFamilies(text: string, previous: Families | undefined, context: ValueContext): Families | undefined {
  if (text === '') {
    return undefined;
  }
  if (text === 'none') {
    return { isOfAllowed: true, numbers: [], forbidsAll: true };
  }
  const isDenied = text.startsWith('~');
  const { isOfAllowed, numbers } =
    previous === undefined || previous.forbidsAll ? { isOfAllowed: !isDenied, numbers: [] } : previous;
  const named = entriesOf(isDenied ? text.slice(1) : text, 'plain', context, word => {
    const name = /^AF_(\w+)$/.exec(word)?.[1] ?? '-';
    const index = name === '-' ? -1 : FAMILIES.indexOf(FAMILY_ALIASES[name] ?? name);
    return index < 0 ? context.fail(`not an address family: ${quote(word)}; use names such as AF_INET6`) : index + 1;
  });
  return {
    isOfAllowed,
    numbers:
      isDenied === isOfAllowed
        ? numbers.filter(number => !named.includes(number))
        : [...new Set([...numbers, ...named])].sort((one, other) => one - other),
  };
}

/** x86 makes sockets by one call for many, whose arguments are in memory: as with systemd, it has no such filter. */
function filterOfFamilies({ isOfAllowed, numbers }: Families): Filter | undefined {
  const when: Test[] = [{ argument: 0, is: isOfAllowed ? 'notIn' : 'in', values: numbers }];
  const abis: Abi[] = ['x86-64', 'x32', 'arm64', 'arm'];
  if (numbers.length > 0) {
    return { rules: [{ calls: ['socket'], action: NO_FAMILY, when, abis }] };
  }
  return isOfAllowed ? { rules: [{ calls: ['socket'], action: NO_FAMILY, abis }] } : undefined;
}

/** @returns the types that the service may have */
function readNamespaces(
  text: string,
  previous: readonly NamespaceType[] | undefined,
  context: ValueContext,
): readonly NamespaceType[] | undefined {
  if (text === '') {
    return undefined;
  }
  const truth = asBoolean(text);
  if (truth !== undefined) {
    return truth ? [] : USUAL_TYPES;
  }
  const isDenied = text.startsWith('~');
  const named = wordsOf(isDenied ? text.slice(1) : text, 'plain', context).map(
    word =>
      NAMESPACE_TYPES.find(type => type === word) ??
      context.fail(`not a type of namespace: ${quote(word)}; use ${NAMESPACE_TYPES.join(', ')}`),
  );
  const before = previous ?? (isDenied ? USUAL_TYPES : []);
  return isDenied ? before.filter(type => !named.includes(type)) : [...new Set([...before, ...named])].sort();
}

/**
 * clone3(2) has its flags in memory, where a filter cannot look: it is answered as by a kernel that does not have it, and programs use
 * clone(2). setns(2) without a type takes any.
 */
function filterOfNamespaces(kept: readonly NamespaceType[]): Filter | undefined {
  if (USUAL_TYPES.every(type => kept.includes(type))) {
    return undefined;
  }
  const denied = NAMESPACE_TYPES.filter(type => !kept.includes(type));
  const flags = denied.reduce((sum, type) => sum | NAMESPACES[type], 0);
  const isAll = !USUAL_TYPES.some(type => kept.includes(type));
  const enter: Rule[] = isAll
    ? [{ calls: ['setns'], action: DENY }]
    : [
        { calls: ['setns'], action: DENY, when: [{ argument: 1, is: 'in', values: [0] }] },
        { calls: ['setns'], action: DENY, when: [any(1, flags)] },
      ];
  return {
    rules: [
      { calls: ['clone3'], action: ABSENT },
      { calls: ['unshare', 'clone'], action: DENY, when: [any(0, flags)] },
      ...enter,
    ],
  };
}

function readArchitectures(text: string, context: ValueContext): string[] {
  return entriesOf(text, 'plain', context, word =>
    ARCHITECTURE_NAMES.includes(word)
      ? word
      : context.fail(`not an architecture: ${quote(word)}; use native, x86, arm and so on`),
  );
}

function readErrorNumber(text: string, { fail }: ValueContext): CallError {
  const error = readCallError(text, fail);
  return error === 0 ? fail('0 is not an error; use a name of errno(3), or kill') : error;
}

function filterOfLog(list: CallList): Filter | undefined {
  const { isOfAllowed } = list;
  const calls = callsOf(list);
  if (calls.size === 0 && !isOfAllowed) {
    return undefined;
  }
  const names = [...calls.keys()];
  return isOfAllowed
    ? { rules: [{ calls: names, action: LOG }] }
    : { rules: [{ calls: names, action: ALLOW }], otherwise: LOG };
}

/** systemd reports over a pipe that the program runs, and is already under the filter then. */
const ALWAYS_ALLOWED = 'write';

/** Calls that are not listed as allowed fail as calls that are denied; those that systemd does not know fail as absent ones. */
function filterOfCalls(list: CallList, native: Abi, callError: CallError): Filter | undefined {
  const { isOfAllowed } = list;
  const listed = new Map(callsOf(list));
  if (listed.size === 0 && !isOfAllowed) {
    return undefined;
  }
  listed.delete(ALWAYS_ALLOWED);
  if (isOfAllowed) {
    listed.set(ALWAYS_ALLOWED, undefined);
  }
  const names = new Map<number, string[]>();
  const add = (name: string, action: number): void => {
    const others = names.get(action) ?? [];
    others.push(name);
    names.set(action, others);
  };
  for (const [name, error] of listed) {
    add(name, error === undefined ? (isOfAllowed ? ALLOW : actionOf(callError)) : actionOf(error));
  }
  for (const name of isOfAllowed ? knownCalls(native) : []) {
    if (!listed.has(name)) {
      add(name, actionOf(callError));
    }
  }
  const rules = [...names].map(([action, named]) => ({ calls: named, action }));
  return isOfAllowed ? { rules, otherwise: ABSENT } : { rules };
}

function actionOf(error: CallError): number {
  return error === 'kill' ? KILL_PROCESS : failWith(error);
}

function any(argument: number, bits: number): Test {
  return { argument, is: 'any', bits: bits >>> 0 };
}

function all(argument: number, bits: number): Test {
  return { argument, is: 'all', bits };
}

function notIn(argument: number, values: readonly number[]): Test {
  return { argument, is: 'notIn', values };
}
