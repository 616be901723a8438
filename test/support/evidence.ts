/** Explicit leases of a machine's daemon, and processes that have a number without being anybody's service. */
import { type Installed, replyOf } from './installed.ts';
import type { MachineProcess } from './machine/process.ts';

export async function acquire(host: Installed, unit: string): Promise<{ uid: number; lease: string }> {
  const [result] = await host.calls([['io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' }]]);
  const { uid, lease } = replyOf(result);
  return { uid: Number(uid), lease: String(lease) };
}

export async function release(host: Installed, lease: string): Promise<void> {
  replyOf((await host.calls([['io.dynuser.Allocator.Release', { lease }]]))[0]);
}

export async function endOf(process: MachineProcess): Promise<void> {
  process.kill('SIGKILL');
  await process.ended;
}

/** The first process of the chain ends at once: a shell stays, so that whoever starts it finds its program. */
export function startOf(chain: string): string[] {
  return ['sh', '-c', 'perl -e "$1"; exec sleep 300', 'sh', `$| = 1; ${chain}`];
}
