/** What each step of org.varlink.certification takes beside the client's id, and what it answers. */
import { readFileSync } from 'node:fs';
import { CHECKOUT } from '../../../../src/tooling/checkout.ts';
import type { JsonObject } from '../../../../src/varlink/json.ts';

export const CERTIFICATION = 'org.varlink.certification';
export const CERTIFICATION_INTERFACE = readFileSync(
  `${CHECKOUT}test/integration/varlink/certification/${CERTIFICATION}.varlink`,
  'utf8',
);

export interface Step {
  readonly name: string;
  readonly parameters: JsonObject;
  readonly mode: 'once' | 'more' | 'oneway';
  /** in their order; several for `more`, none for `oneway` */
  readonly replies: readonly JsonObject[];
}

const FOUR = { bool: false, int: 2, float: Math.PI, string: 'a lot of string' };
const MAP = { foo: 'Foo', bar: 'Bar' };
const SET = { one: {}, two: {}, three: {} };
const MY_TYPE = {
  object: { method: `${CERTIFICATION}.Test09`, parameters: { map: MAP } },
  enum: 'two',
  struct: { first: 1, second: '2' },
  array: ['one', 'two', 'three'],
  dictionary: MAP,
  stringset: SET,
  interface: {
    foo: [null, { foo: 'foo', bar: 'bar' }, null, { one: 'foo', two: 'bar' }],
    anon: { foo: true, bar: false },
  },
};
const LAST_MORE_REPLIES = Array.from({ length: 10 }, (_, index) => `Reply number ${index + 1}`);

function once(name: string, parameters: JsonObject, reply: JsonObject): Step {
  return { name, parameters, mode: 'once', replies: [reply] };
}

/** The steps behind Start, which gives the id. */
export const STEPS: readonly Step[] = [
  once('Test01', {}, { bool: true }),
  once('Test02', { bool: true }, { int: 1 }),
  once('Test03', { int: 1 }, { float: 1 }),
  once('Test04', { float: 1 }, { string: 'ping' }),
  once('Test05', { string: 'ping' }, FOUR),
  once('Test06', FOUR, { struct: FOUR }),
  once('Test07', { struct: FOUR }, { map: MAP }),
  once('Test08', { map: MAP }, { set: SET }),
  once('Test09', { set: SET }, { mytype: MY_TYPE }),
  {
    name: 'Test10',
    parameters: { mytype: MY_TYPE },
    mode: 'more',
    replies: LAST_MORE_REPLIES.map(string => ({ string })),
  },
  { name: 'Test11', parameters: { last_more_replies: LAST_MORE_REPLIES }, mode: 'oneway', replies: [] },
  once('End', {}, { all_ok: true }),
];
