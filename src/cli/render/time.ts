/** Points in time for people. Wire times are microseconds since the epoch; the clock is handed in. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * @param microseconds since the epoch
 * @param now milliseconds since the epoch
 * @returns the distance in its two greatest units: "42s ago", "5min ago", "2h 5min ago", "3 days ago", "in 5min"
 */
export function relativeTime(microseconds: number, now: number): string {
  const distance = now - microseconds / 1_000;
  const length = Math.abs(distance);
  if (length < SECOND) {
    return 'now';
  }
  const words = duration(length);
  return distance > 0 ? `${words} ago` : `in ${words}`;
}

function duration(length: number): string {
  if (length < MINUTE) {
    return `${Math.floor(length / SECOND)}s`;
  }
  if (length < HOUR) {
    return `${Math.floor(length / MINUTE)}min`;
  }
  if (length < DAY) {
    const minutes = Math.floor((length % HOUR) / MINUTE);
    const hours = `${Math.floor(length / HOUR)}h`;
    return minutes === 0 ? hours : `${hours} ${minutes}min`;
  }
  const days = Math.floor(length / DAY);
  return days === 1 ? '1 day' : `${days} days`;
}

/** @returns "2025-11-24 19:33:05" in the time zone of this process; microseconds outside of what Date holds: "-" */
export function localTime(microseconds: number): string {
  const date = new Date(microseconds / 1_000);
  if (Number.isNaN(date.getTime())) {
    return '-';
  }
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
