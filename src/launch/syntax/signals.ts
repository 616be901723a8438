/** Signals of Linux, by name (signal(7)), as systemd reads them. Pure. */
import { type Fail, quote } from '../errors.ts';

/** From 1 on, as on every processor that systemd has names of seccomp filters for but MIPS, SPARC and PA-RISC. */
const NAMES =
  `HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU
  URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS`.split(/\s+/);
const OTHER_NAMES: Readonly<Record<string, string>> = { IOT: 'ABRT', CLD: 'CHLD', POLL: 'IO' };
/** Of the C library, which has the first two for itself. */
const [REALTIME_FIRST, REALTIME_LAST] = [34, 64];

/** @returns the number of "SIGTERM", "TERM", "15" or "RTMIN+3"; undefined if the text is something else */
export function signalNumber(text: string): number | undefined {
  const name = text.replace(/^SIG/, '');
  const realtime = /^RTM(?:IN(?:\+(\d{1,2}))?|AX(?:-(\d{1,2}))?)$/.exec(name);
  const number = /^\d{1,2}$/.test(name)
    ? Number(name)
    : realtime === null
      ? NAMES.indexOf(OTHER_NAMES[name] ?? name) + 1
      : name.startsWith('RTMIN')
        ? REALTIME_FIRST + Number(realtime[1] ?? 0)
        : REALTIME_LAST - Number(realtime[2] ?? 0);
  const isRealtime = number >= REALTIME_FIRST && number <= REALTIME_LAST;
  const isKnown = isRealtime || (realtime === null && number >= 1 && number <= NAMES.length);
  return isKnown ? number : undefined;
}

/** @returns "TERM" of 15 */
export function signalName(number: number): string {
  return NAMES[number - 1] ?? `RTMIN+${number - REALTIME_FIRST}`;
}

/** @returns the number of a signal */
export function readSignal(text: string, { fail }: { readonly fail: Fail }): number {
  return signalNumber(text) ?? fail(`not a signal: ${quote(text)}; use a name such as SIGTERM`);
}
