/** What happens to a daemon and its host in the stateful tests: plain values, so that what failed can be printed, and made shorter. */
import fc from 'fast-check';
import type { Step } from './host.ts';

export const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
/** Fewer UIDs than names, so that they run out. */
export const UIDS = [61_184, 61_185, 61_186, 61_187] as const;
const OWNERS = [0, 1_000, 1_001] as const;

type Name = (typeof NAMES)[number];
type Owner = (typeof OWNERS)[number];

interface Asking {
  readonly name: Name;
  readonly by: Owner;
  readonly lifetime: 'explicit' | 'connection';
}

/** A lease is chosen by a number, modulo how many there are. */
export type Action =
  | ({ readonly do: 'acquire'; readonly gone: boolean } & Asking)
  /** at the same time, with releases between them */
  | {
      readonly do: 'race';
      readonly asked: readonly Asking[];
      readonly releases: readonly number[];
      readonly turns: readonly number[];
    }
  | { readonly do: 'release'; readonly lease: number; readonly by: Owner | 'its owner' }
  | { readonly do: 'close'; readonly lease: number }
  | { readonly do: 'claim'; readonly lease: number; readonly by: 'its process' | 'another process' | 'another user' }
  | { readonly do: 'exit'; readonly lease: number }
  | { readonly do: 'take'; readonly uid: number }
  | { readonly do: 'leave'; readonly uid: number; readonly processesStay: boolean }
  | { readonly do: 'stubborn'; readonly uid: number; readonly is: boolean }
  | { readonly do: 'account'; readonly name: Name; readonly is: boolean }
  | { readonly do: 'number'; readonly uid: number; readonly is: boolean }
  | { readonly do: 'clock'; readonly ms: number }
  | { readonly do: 'full'; readonly step: Step }
  /** the daemon is killed, others take UIDs meanwhile, and the next one starts */
  | { readonly do: 'kill'; readonly taken: readonly number[]; readonly storeIsLost: boolean }
  /** it is killed at a step of the next request */
  | {
      readonly do: 'die';
      readonly step: Step;
      readonly after: boolean;
      readonly during: Asking | number;
      readonly taken: readonly number[];
    };

const STEPS: readonly Step[] = [
  ...(['intend', 'publish', 'commit', 'forget', 'revoke', 'unpublish', 'erase', 'lock', 'keep', 'release'] as const),
];

const name = fc.constantFrom(...NAMES);
const uid = fc.constantFrom(...UIDS);
const owner = fc.constantFrom(...OWNERS);
const lease = fc.nat({ max: 7 });
const step = fc.constantFrom(...STEPS);
const taken = fc.uniqueArray(uid, { maxLength: 2 });
const asking = fc.record({ name, by: owner, lifetime: fc.constantFrom('explicit', 'connection') });

const acquire: fc.Arbitrary<Action> = fc
  .tuple(asking, fc.integer({ min: 0, max: 9 }))
  .map(([asked, luck]) => ({ do: 'acquire', ...asked, gone: luck === 0 }));

const of = <Kind extends Action['do']>(kind: Kind) => fc.constant(kind);

/** @param most how many actions there may be */
export function actions(most: number): fc.Arbitrary<Action[]> {
  const one: fc.Arbitrary<Action> = fc.oneof(
    { weight: 8, arbitrary: acquire },
    {
      weight: 4,
      arbitrary: fc.record({
        ...{ do: of('race'), asked: fc.array(asking, { minLength: 2, maxLength: 4 }) },
        ...{
          releases: fc.array(lease, { maxLength: 2 }),
          turns: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 4 }),
        },
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        ...{
          do: of('release'),
          lease,
          by: fc.oneof({ weight: 3, arbitrary: fc.constant('its owner' as const) }, { weight: 1, arbitrary: owner }),
        },
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: of('close'), lease }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: of('claim'),
        lease,
        by: fc.constantFrom('its process', 'another process', 'another user'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: of('exit'), lease }) },
    { weight: 2, arbitrary: fc.record({ do: of('take'), uid }) },
    { weight: 2, arbitrary: fc.record({ do: of('leave'), uid, processesStay: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: of('stubborn'), uid, is: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: of('account'), name, is: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: of('number'), uid, is: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: of('clock'), ms: fc.constantFrom(1_000, 30_000, 90_000) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: of('full'), step: fc.constantFrom('intend', 'publish', 'commit', 'revoke', 'erase') }),
    },
    { weight: 2, arbitrary: fc.record({ do: of('kill'), taken, storeIsLost: fc.boolean() }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: of('die'), step, after: fc.boolean(), during: fc.oneof(asking, lease), taken }),
    },
  );
  return fc.array(one, { maxLength: most, size: 'max' });
}
