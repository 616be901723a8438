/** The ABIs of a processor, by systemd's names of architectures, and the numbers that calls have in each of them. Pure. */
import { CALL_GROUPS } from './call-groups.ts';
import { CALL_NUMBERS, CALLS_ELSEWHERE } from './call-numbers.ts';

export type Abi = 'x86-64' | 'x86' | 'x32' | 'arm64' | 'arm';

/** The processors that there are filters for, as Node names them, with their ABIs: the native one first. */
const ABIS: Readonly<Record<string, readonly [Abi, ...Abi[]]>> = {
  x64: ['x86-64', 'x86', 'x32'],
  arm64: ['arm64', 'arm'],
};

/** AUDIT_ARCH_* of linux/audit.h; x32 is told from x86-64 by its numbers. */
export const ARCHITECTURES = {
  'x86-64': 0xc000_003e,
  x86: 0x4000_0003,
  x32: 0xc000_003e,
  arm64: 0xc000_00b7,
  arm: 0x4000_0028,
} as const satisfies Readonly<Record<Abi, number>>;

/** __X32_SYSCALL_BIT: all numbers of x32 have it. */
export const X32_BIT = 0x4000_0000;

/** @param processor as Node names it; undefined: there are no filters for it */
export function abisOf(processor: string): readonly [Abi, ...Abi[]] | undefined {
  return ABIS[processor];
}

/** A call of an ABI: its number, and what its first argument says if a call of that number makes several calls. */
export interface Target {
  readonly number: number;
  readonly first?: { readonly is: number; readonly mask?: number };
}

const COLUMNS: readonly Abi[] = ['x86-64', 'x86', 'arm64', 'arm', 'x32'];

type Numbers = Partial<Readonly<Record<Abi, number>>>;

let table: ReadonlyMap<string, Numbers> | undefined;

/** Read once, when the first filter is compiled. */
function numbersByName(): ReadonlyMap<string, Numbers> {
  table ??= new Map(
    CALL_NUMBERS.trim()
      .split('\n')
      .map(line => {
        const [name = '', ...numbers] = line.split(' ');
        const entries = numbers.flatMap((number, index) => (number === '-' ? [] : [[COLUMNS[index], Number(number)]]));
        return [name, Object.fromEntries(entries) as Numbers];
      }),
  );
  return table;
}

/** By socketcall(2) and ipc(2), the one call for many that x86 has; arm has only the many. linux/net.h, linux/ipc.h. */
const SOCKET_CALLS = `socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom
  shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg`.split(/\s+/);
const IPC_CALLS: Readonly<Record<string, number>> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};
const SOCKETCALL = 102;
const IPC = 117;
/** The upper half has a version. */
const IPC_MASK = 0xffff;

/** @returns the ways to a call in an ABI; none if it has no such call */
export function targetsOf(name: string, abi: Abi): readonly Target[] {
  const numbers = numbersByName().get(name) ?? {};
  const own = numbers[abi];
  switch (abi) {
    case 'x86': {
      const socket = SOCKET_CALLS.indexOf(name) + 1;
      const ipc = IPC_CALLS[name];
      return [
        ...(own === undefined ? [] : [{ number: own }]),
        ...(socket === 0 ? [] : [{ number: SOCKETCALL, first: { is: socket } }]),
        ...(ipc === undefined ? [] : [{ number: IPC, first: { is: ipc, mask: IPC_MASK } }]),
      ];
    }
    // Linux before 5.4 takes the numbers of the one for the other.
    case 'x86-64':
    case 'x32':
      return [numbers['x86-64'], numbers.x32].flatMap(number =>
        number === undefined ? [] : [{ number: abi === 'x32' ? number + X32_BIT : number }],
      );
    default:
      return own === undefined ? [] : [{ number: own }];
  }
}

const ELSEWHERE: ReadonlySet<string> = new Set(words(CALLS_ELSEWHERE));

/** @returns whether the call has a name, on this processor or on another */
export function isCall(name: string): boolean {
  return numbersByName().has(name) || ELSEWHERE.has(name);
}

/** Names that are in no group of systemd's. */
const UNGROUPED = ['arm_sync_file_range', 'nfsservctl'];
/** Names that @known has as part of @obsolete alone: systemd does not count them where it asks whether a call is known. */
const OBSOLETE =
  `_sysctl afs_syscall bdflush break create_module ftime get_kernel_syms getpmsg gtty idle lock mpx prof profil
  putpmsg query_module security stty tuxcall ulimit uselib vserver`.split(/\s+/);

/** @returns the calls of the native ABI that systemd counts as known: if they are not allowed, they are denied, and not absent */
export function knownCalls(native: Abi): string[] {
  return [...numbersByName()].flatMap(([name, numbers]) =>
    numbers[native] === undefined || UNGROUPED.includes(name) || OBSOLETE.includes(name) ? [] : [name],
  );
}

/** @param group with its "@" */
export function isGroup(group: string): boolean {
  return group === '@known' || CALL_GROUPS[group] !== undefined;
}

/** @param group with its "@". @returns the calls of it and of the groups in it; undefined if there is no such group */
export function callsOfGroup(group: string): readonly string[] | undefined {
  if (group === '@known') {
    return [...numbersByName().keys()].filter(name => !UNGROUPED.includes(name));
  }
  const text = CALL_GROUPS[group];
  return text === undefined
    ? undefined
    : words(text).flatMap(word => (word.startsWith('@') ? (callsOfGroup(word) ?? []) : [word]));
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
