/**
 * The commands of a unit file that are run by name, while its service runs or after it: which they are, what they are told, and
 * what becomes of the main process (systemd.service(5), systemd.kill(5)). Pure.
 */
import type { LaunchPhase, MainProcess } from '../../api/generated/io-dynuser-allocator.ts';
import { type Fail, failFor, quote } from '../errors.ts';
import type { ServiceEnd } from '../properties/ending.ts';
import type { ExecSettings } from '../properties/table.ts';
import { INFINITE, NANOSECONDS_PER_SECOND } from '../syntax/quantities.ts';
import { signalName, signalNumber } from '../syntax/signals.ts';
import type { Acquired, LaunchRequest } from './request.ts';

/** The property that has the commands of each phase. */
export const PHASE_PROPERTIES = {
  startPost: 'ExecStartPost',
  reload: 'ExecReload',
  stop: 'ExecStop',
  stopPost: 'ExecStopPost',
} as const satisfies Readonly<Record<LaunchPhase, string>>;

/** @returns what a lease is for that a phase takes; it is not that of a main process */
export function phaseDescription(phase: LaunchPhase): string {
  return `commands of ${PHASE_PROPERTIES[phase]}=`;
}

const DESCRIPTIONS: readonly string[] = (Object.keys(PHASE_PROPERTIES) as LaunchPhase[]).map(phaseDescription);

/** @returns whether a lease with this description is one of a phase */
export function isOfPhase(description: string | undefined): boolean {
  return description !== undefined && DESCRIPTIONS.includes(description);
}

/** @returns whether the phase is about the main process, which must run; stop has nothing to do if it does not */
export function needsMain(phase: LaunchPhase): boolean {
  return phase !== 'stopPost';
}

/** The longest wait for a service, 24 days: poll(2) counts milliseconds in an int. */
const SECONDS_MAX = 2_073_600;

/** Ends that are a success by default (systemd.service(5), SuccessExitStatus=). */
const CLEAN_SIGNALS: readonly number[] = ['HUP', 'INT', 'PIPE', 'TERM'].map(name => signalNumber(name) ?? 0);

/** How the service ended, as its starter says it. */
function readEnd(text: string, fail: Fail): ServiceEnd {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) {
    return { kind: 'status', number: Number(text) };
  }
  const number = /^\d/.test(text) ? undefined : signalNumber(text);
  return number === undefined
    ? fail(`not an end of a service: ${quote(text)}; use its exit status, 0 to 255, or the name of the signal`)
    : { kind: 'signal', number };
}

/** @returns the variables that tell a command of the phase about the service, which come before all others */
export function phaseVariables(
  { phase, ended }: Pick<LaunchRequest, 'phase' | 'ended'>,
  { SuccessExitStatus }: ExecSettings,
): readonly (readonly [name: string, value: string])[] {
  if (ended === undefined || phase !== 'stopPost') {
    return phase === 'stop' || phase === 'stopPost' ? [['SERVICE_RESULT', 'success']] : [];
  }
  const { kind, number } = readEnd(ended, failFor('ended'));
  const isGood =
    (kind === 'status' ? [0] : CLEAN_SIGNALS).includes(number) ||
    SuccessExitStatus.some(other => other.kind === kind && other.number === number);
  const [code, status, bad] =
    kind === 'status' ? ['exited', String(number), 'exit-code'] : ['killed', signalName(number), 'signal'];
  return [
    ['SERVICE_RESULT', isGood ? 'success' : bad],
    ['EXIT_CODE', code],
    ['EXIT_STATUS', status],
  ];
}

/** @returns what is done to the main process, besides the commands; undefined if the phase knows none */
export function planMain(
  phase: LaunchPhase | undefined,
  settings: ExecSettings,
  { main }: Pick<Acquired, 'main'>,
): MainProcess | undefined {
  if (main === undefined || phase === undefined) {
    return undefined;
  }
  const { Type, ReloadSignal, KillMode, KillSignal, SendSIGHUP, SendSIGKILL, FinalKillSignal, TimeoutStopSec } =
    settings;
  if (phase === 'reload') {
    return Type === 'notify-reload' ? { ...main, reloadSignal: ReloadSignal } : main;
  }
  if (phase !== 'stop') {
    return main;
  }
  // No time at all means no end of it, as with systemd.
  const seconds = [0n, INFINITE].includes(TimeoutStopSec) ? {} : { seconds: secondsOf(TimeoutStopSec) };
  return KillMode === 'none'
    ? { ...main, ...seconds }
    : {
        ...main,
        ...seconds,
        stopSignal: KillSignal,
        hangup: SendSIGHUP,
        ...(SendSIGKILL ? { finalSignal: FinalKillSignal } : {}),
      };
}

/** @returns whole seconds, at least one, and no more than the launcher reads */
function secondsOf(nanoseconds: bigint): number {
  return Math.min(Math.max(Number(nanoseconds / NANOSECONDS_PER_SECOND), 1), SECONDS_MAX);
}
