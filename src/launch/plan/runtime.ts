/** How long a service may run (systemd.service(5), RuntimeMaxSec=), and how it is ended then. Who holds its lease sees to it. Pure. */
import type { LaunchPhase } from '../../api/generated/io-dynuser-allocator.ts';
import type { RequestedRuntime } from '../../core/lease.ts';
import type { ExecSettings } from '../properties/table.ts';
import { INFINITE } from '../syntax/quantities.ts';
import { signalName } from '../syntax/signals.ts';

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
const MILLISECONDS_PER_SECOND = 1_000;

/** @returns undefined if it may run for ever; a phase and a service of Type=oneshot may, as with systemd */
export function planRuntime(
  settings: ExecSettings,
  phase: LaunchPhase | undefined,
  warn: (text: string) => void,
): RequestedRuntime | undefined {
  const { RuntimeMaxSec, RuntimeRandomizedExtraSec, Type, KillMode } = settings;
  if (RuntimeMaxSec === INFINITE || phase !== undefined) {
    return undefined;
  }
  if (Type === 'oneshot' || KillMode === 'none') {
    const reason =
      Type === 'oneshot' ? 'a service of Type=oneshot ends by itself' : 'with KillMode=none nothing is ended';
    warn(`RuntimeMaxSec= is ignored: ${reason}`);
    return undefined;
  }
  const { KillSignal, SendSIGHUP, SendSIGKILL, FinalKillSignal, TimeoutStopSec } = settings;
  return {
    milliseconds: millisecondsOf(RuntimeMaxSec),
    extraMs: RuntimeRandomizedExtraSec === INFINITE ? 0 : millisecondsOf(RuntimeRandomizedExtraSec),
    signal: KillSignal,
    hangup: SendSIGHUP,
    // No time at all means no end of it, as with --stop.
    ...([0n, INFINITE].includes(TimeoutStopSec) ? {} : { graceMs: millisecondsOf(TimeoutStopSec) }),
    ...(SendSIGKILL ? { finalSignal: FinalKillSignal } : {}),
  };
}

/** @returns what becomes of the service, for people */
export function runtimeWords(runtime: RequestedRuntime): string {
  const { milliseconds, extraMs, signal, hangup, graceMs, finalSignal } = runtime;
  const extra = extraMs === 0 ? '' : ` and a random part of ${seconds(extraMs)} more`;
  const first = `SIG${signalName(signal)}${hangup ? ', SIGHUP' : ''}`;
  const last =
    graceMs === undefined || finalSignal === undefined
      ? ''
      : `, and ${seconds(graceMs)} later SIG${signalName(finalSignal)}`;
  return `after ${seconds(milliseconds)}${extra}, by dynuserd: ${first}${last}`;
}

function seconds(milliseconds: number): string {
  return `${milliseconds / MILLISECONDS_PER_SECOND} s`;
}

function millisecondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds / NANOSECONDS_PER_MILLISECOND);
}
