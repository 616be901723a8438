/** The users of a history that is written to be killed at: those that stay, those that go, and those that come. */
import type { Span } from '../../../src/history/format.ts';

const BEGIN = Date.UTC(2025, 0, 1);
/** After all that was written before. */
const LATER = Date.UTC(2025, 1, 1);
const FIRST_UID = 61_184;

const spans = (name: string, from: number, count: number, begin = BEGIN): readonly Span[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ uid: FIRST_UID + from + index, name: `${name}${index}`, unit: `${name}${index}.service` },
    ...{ owner: 0, since: begin + index },
  }));

export const STAYING = spans('stays', 0, 8);
export const GOING = spans('goes', 8, 2);
export const COMING = spans('comes', 10, 3, LATER);
/** Churn before: each lives for one line. */
export const SHORT = spans('short', 100, 50);

export const afterwards = (): readonly Span[] => [...STAYING, ...COMING];
