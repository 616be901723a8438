/** Points in time as people type them: those of systemd.time(7) that are needed to look back. */

const UNITS: ReadonlyMap<string, number> = new Map(
  (
    [
      [1_000, 's sec second seconds'],
      [60_000, 'm min minute minutes'],
      [3_600_000, 'h hr hour hours'],
      [86_400_000, 'd day days'],
      [604_800_000, 'w week weeks'],
    ] as const
  ).flatMap(([ms, names]) => names.split(' ').map(name => [name, ms] as const)),
);

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?( ?(?:Z|UTC))?$/;

/** What the texts look like, for help and errors. */
export const POINT_IN_TIME_HELP =
  '"2026-11-28 09:15", "2026-11-28T09:15:00Z", "@1764321300", "-2h", "yesterday" or "now"';

/** @returns milliseconds since the epoch, or undefined if the text is not a point in time */
export function parsePointInTime(text: string, now: number): number | undefined {
  const seconds = /^@(\d{1,12}(?:\.\d{1,6})?)$/.exec(text);
  if (seconds !== null) {
    return Number(seconds[1]) * 1_000;
  }
  const named = namedTime(text, now);
  if (named !== undefined) {
    return named;
  }
  const distance = /^(?:-(?<before>.+)|(?<ago>.+) ago)$/.exec(text)?.groups;
  if (distance !== undefined) {
    const length = parseDuration(distance['before'] ?? distance['ago'] ?? '');
    return length === undefined ? undefined : now - length;
  }
  return parseDate(text);
}

/** Words for a day, and how many days it is from this one. */
const DAYS: ReadonlyMap<string, number> = new Map([
  ['today', 0],
  ['yesterday', -1],
]);

function namedTime(text: string, now: number): number | undefined {
  const days = DAYS.get(text);
  if (text === 'now' || days === undefined) {
    return text === 'now' ? now : undefined;
  }
  const day = new Date(now);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days).getTime();
}

function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/\s*(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]+)\s*/gy)];
  if (parts.length === 0 || parts.reduce((length, [part]) => length + part.length, 0) !== text.length) {
    return undefined;
  }
  const lengths = parts.map(([, number, unit = '']) => Number(number) * (UNITS.get(unit) ?? Number.NaN));
  const sum = lengths.reduce((total, length) => total + length, 0);
  return Number.isNaN(sum) ? undefined : sum;
}

function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) {
    return undefined;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(part => Number(part ?? 0));
  const ms = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1_000);
  const isUtc = match[8] !== undefined;
  const time = isUtc
    ? Date.UTC(year, month - 1, day, hour, minute, second, ms)
    : new Date(year, month - 1, day, hour, minute, second, ms).getTime();
  const date = new Date(time);
  // A day that does not exist becomes one of the next month.
  const kept = isUtc ? date.getUTCDate() : date.getDate();
  return kept === day && month <= 12 && hour < 24 && minute < 60 && second < 60 ? time : undefined;
}
