/** How a service is ended, by --stop or when its time is over, told to reload, and which of its ends are a success (systemd.kill(5), systemd.service(5)). */
import { INFINITE, NANOSECONDS_PER_SECOND, readTimeSpan } from '../syntax/quantities.ts';
import { readSignal, signalNumber } from '../syntax/signals.ts';
import { readBoolean, type ValueContext } from '../syntax/values.ts';
import { boolean, filled, list, type Property, property, single, word, wordsOf } from './property.ts';

/** One way to end: with an exit status, or by a signal. */
export interface ServiceEnd {
  readonly kind: 'status' | 'signal';
  readonly number: number;
}

/** systemd.exec(5), "Process Exit Codes"; those above 199 are of systemd's own processes, and nothing here ends with them. */
const STATUS_NAMES: readonly (readonly [first: number, names: string])[] = [
  [0, 'SUCCESS FAILURE INVALIDARGUMENT NOTIMPLEMENTED NOPERMISSION NOTINSTALLED NOTCONFIGURED NOTRUNNING'],
  [
    64,
    'USAGE DATAERR NOINPUT NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE CANTCREAT IOERR TEMPFAIL PROTOCOL NOPERM CONFIG',
  ],
];
const STATUSES: ReadonlyMap<string, number> = new Map(
  STATUS_NAMES.flatMap(([first, names]) => names.split(' ').map((name, index) => [name, first + index] as const)),
);

export const ENDING = {
  KillMode: word(
    ['control-group', 'mixed', 'process', 'none'],
    {
      manual:
        'With none, --stop sends no signal; otherwise the main process gets KillSignal, and the others end with their user.',
    },
    single,
  ),
  KillSignal: signal('TERM', 'The signal by which --stop ends the service after ExecStop. The default is SIGTERM.'),
  FinalKillSignal: signal('KILL', 'The signal that --stop sends after TimeoutStopSec. The default is SIGKILL.'),
  ReloadSignal: signal('HUP', 'With Type=notify-reload, the signal by which --reload begins. The default is SIGHUP.'),
  SendSIGHUP: boolean({ manual: 'Whether --stop sends SIGHUP right after KillSignal.' }),
  SendSIGKILL: property(true, filled<boolean>(readBoolean), {
    manual:
      'Whether --stop sends FinalKillSignal to a service that still runs after TimeoutStopSec. On by default. If it is off, --stop fails then; systemd sends KillSignal once more.',
  }),
  TimeoutStopSec: property(90n * NANOSECONDS_PER_SECOND, readTimeout, {
    // It is also how long a start may take, which is the supervisor's.
    otherNames: { TimeoutSec: readTimeout },
    manual:
      'How long --stop waits for each command of ExecStop, and for the service after KillSignal. The default is 90s.',
  }),
  RuntimeMaxSec: property(INFINITE, readTimeout, {
    manual:
      'How long the service may run, from the moment on in which it has its user. Then KillSignal ends it, and FinalKillSignal after TimeoutStopSec; ExecStop does not run. Without effect on Type=oneshot.',
  }),
  RuntimeRandomizedExtraSec: property(0n, readTimeout, {
    manual: 'A random part of this time is added to RuntimeMaxSec.',
  }),
  SuccessExitStatus: list(readEnds, {
    manual: 'Exit statuses and signals that are a success, too: SERVICE_RESULT of ExecStopPost says so.',
  }),
};

function signal(name: string, manual: string): Property<number> {
  return property(signalNumber(name) ?? 0, filled(readSignal), { manual });
}

function readTimeout(text: string, _previous: bigint | undefined, context: ValueContext): bigint {
  return readTimeSpan(text, NANOSECONDS_PER_SECOND, context);
}

/** systemd passes over words that it does not know: nothing ends so. */
function readEnds(text: string, context: ValueContext): ServiceEnd[] {
  return wordsOf(text, 'plain', context).flatMap((name): ServiceEnd[] => {
    const status = /^\d{1,3}$/.test(name) ? Number(name) : STATUSES.get(name);
    const number = status ?? signalNumber(name);
    return number === undefined ? [] : [{ kind: status === undefined ? 'signal' : 'status', number }];
  });
}
