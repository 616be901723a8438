/** Whether the kernel's audit can be told of users that come and go. In containers it usually cannot, which is not a problem. */
import { type Host, isSeen, type Observed } from '../../host.ts';
import { type Finding, findingsOf } from '../finding.ts';

/** capabilities(7). */
const CAP_AUDIT_WRITE = 29n;
/** user_namespaces(7): all IDs are themselves. */
const HOST_MAP = /^\s*0\s+0\s+4294967295\s*$/;

/** @param pid of the daemon */
export function checkAudit(host: Host, pid: Observed<number>): readonly Finding[] {
  const { ok, unknown } = findingsOf('Audit records');
  if (!isSeen(pid)) {
    return [unknown('the daemon is not visible from here')];
  }
  const [login, map, status] = ['loginuid', 'uid_map', 'status'].map(name => host.text(`/proc/${pid}/${name}`));
  if (login === undefined) {
    return [ok('this kernel has no audit: no records are made')];
  }
  if (!isSeen(map) || !isSeen(status)) {
    return [unknown(`/proc/${pid} does not say`)];
  }
  if (!HOST_MAP.test(map)) {
    return [ok('the daemon runs in a user namespace, from which the kernel takes no records: none are made')];
  }
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]{16})$/m.exec(status)?.[1] ?? '0'}`);
  return ((effective >> CAP_AUDIT_WRITE) & 1n) === 0n
    ? [ok('the daemon lacks CAP_AUDIT_WRITE, as in most containers: no records are made')]
    : [ok('users that come and go are told to the kernel, unless Audit=no')];
}
