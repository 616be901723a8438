/**
 * What can be found against a UID, and how it is said. Evidence is a value: probes gather it, this file alone puts it
 * into words.
 */

/** One reason why a UID is not free. */
export type Evidence =
  | { readonly kind: 'lease'; readonly name: string }
  | { readonly kind: 'lost'; readonly name: string }
  /** left: what keeps the UID reserved, in words; undefined while that is being found out */
  | { readonly kind: 'ending'; readonly name: string; readonly left: string | undefined }
  | { readonly kind: 'cooling'; readonly name: string }
  | { readonly kind: 'reserved' }
  | { readonly kind: 'fleet'; readonly name: string }
  | { readonly kind: 'systemd-lock' }
  | { readonly kind: 'lock-unusable'; readonly reason: string }
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'ipc'; readonly object: IpcKind; readonly id: string }
  | { readonly kind: 'process'; readonly pid: number; readonly command: string; readonly as: ProcessRole };

/** What a process has the number as; with several, the first. Only a process that has it as its user is ended with the user. */
const ROLE_WORDS = {
  user: 'runs with it',
  group: 'has it as its group',
  supplementary: 'has it as a supplementary group',
};
type ProcessRole = keyof typeof ROLE_WORDS;
export const PROCESS_ROLES = Object.keys(ROLE_WORDS) as readonly ProcessRole[];

const IPC_WORDS = {
  'sysv-shm': 'System V shared memory segment',
  'sysv-sem': 'System V semaphore set',
  'sysv-msg': 'System V message queue',
  'posix-shm': 'POSIX shared memory object',
  'posix-mq': 'POSIX message queue',
};
export type IpcKind = keyof typeof IPC_WORDS;
export const IPC_KINDS = Object.keys(IPC_WORDS) as readonly IpcKind[];

/** @returns the evidence in words that complete the sentence "UID 64642 is not free: …" */
export function describeEvidence(evidence: Evidence): string {
  switch (evidence.kind) {
    case 'lease':
      return `held by the dynamic user ${evidence.name}`;
    case 'lost':
      return `it was lost by the dynamic user ${evidence.name}, whose leases are not released yet`;
    case 'ending':
      return `held until nothing is left of the dynamic user ${evidence.name}${evidence.left === undefined ? '' : `: ${evidence.left}`}`;
    case 'cooling':
      return `it was the dynamic user ${evidence.name}'s a moment ago`;
    case 'reserved':
      return 'being allocated by another request';
    case 'fleet':
      return `it is ${evidence.name}'s in the fleet`;
    case 'systemd-lock':
      return 'locked by systemd or another allocator';
    case 'lock-unusable':
      return `its lock file cannot be used: ${evidence.reason}`;
    case 'user':
      return `the user ${evidence.name} has this number`;
    case 'group':
      return `the group ${evidence.name} has this number`;
    case 'ipc':
      return `the ${IPC_WORDS[evidence.object]} ${evidence.id} belongs to it`;
    case 'process':
      return `process ${evidence.pid} (${evidence.command}) ${ROLE_WORDS[evidence.as]}`;
  }
}
