/** The events of Watch, one a line. Nobody knows the widest cell of a stream, so the columns have fixed widths. Pure. */

import type { WatchReply } from '../../api/generated/io-dynuser-allocator.ts';
import type { Style } from './table.ts';
import { cut, printable } from './text.ts';
import { localTime } from './time.ts';

const TIME_WIDTH = 19;
const EVENT_WIDTH = 9;
const UID_WIDTH = 5;
/** Most names are shorter; a longer one pushes its unit to the right. */
const NAME_WIDTH = 20;

/** The titles above the stream. */
export function renderEventTitles(style: Style): string {
  return `${style.strong(layOut('TIME', 'EVENT', 'UID', 'NAME', 'UNIT'))}\n`;
}

/**
 * @param time microseconds since the epoch
 * @param columns the width of the terminal; undefined: nothing is shortened
 */
export function renderEvent(event: WatchReply, time: number, columns: number | undefined): string {
  const { lease } = event;
  const line =
    lease === undefined
      ? layOut(localTime(time), event.event, '', '', '')
      : layOut(localTime(time), event.event, String(lease.uid), printable(lease.userName), printable(lease.unit));
  return `${columns === undefined ? line : cut(line, columns)}\n`;
}

function layOut(time: string, event: string, uid: string, name: string, unit: string): string {
  const start = `${time.padEnd(TIME_WIDTH)}  ${event.padEnd(EVENT_WIDTH)}  ${uid.padStart(UID_WIDTH)}`;
  return `${start}  ${name.padEnd(NAME_WIDTH)}  ${unit}`.trimEnd();
}

/** @returns when the event happened in microseconds since the epoch: a lease that was there knows it, others are now */
export function eventTime(event: WatchReply, now: number): number {
  return event.event === 'existing' && event.lease !== undefined ? event.lease.since : now * 1_000;
}
