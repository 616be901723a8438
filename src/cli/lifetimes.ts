/** What dynuserctl knows of each lifetime: how its help explains it, what has to be given with it, and when it ends. */
import type { AcquireParameters } from '../api/generated/io-dynuser-allocator.ts';
import type { HeldLease } from '../client/held-lease.ts';
import { asPid } from '../core/ids.ts';
import { LIFETIMES, type Lifetime, RUNNING_START_SECONDS } from '../core/lease.ts';
import type { OptionSpec, OptionValues } from './command.ts';
import { lastValue } from './command-line.ts';
import { usageFailure } from './failure.ts';
import { printable } from './render/text.ts';

const DEFAULT: Lifetime = 'explicit';

interface LifetimeRow {
  /** how long the lease lasts, for the help */
  readonly help: string;
  /** the option that goes with this lifetime alone, and has to */
  readonly option?: OptionSpec & {
    readonly name: 'pid' | 'seconds';
    /** the place of its value, and why there has to be one */
    readonly needed: string;
    /** @returns undefined if the text is not what it has to be */
    readonly read: (text: string) => number | undefined;
    readonly wrong: string;
  };
  /** the sentence that says when the lease that was acquired ends */
  readonly end: (lease: Pick<HeldLease, 'id' | 'unit'>, parameters: AcquireParameters) => string;
}

const ROWS: Readonly<Record<Lifetime, LifetimeRow>> = {
  explicit: {
    help: 'until it is released',
    end: ({ id }) => `'dynuserctl release ${printable(id)}' releases it.`,
  },
  connection: {
    help: 'as long as this command runs',
    end: () => 'It is held until this command is interrupted.',
  },
  process: {
    help: 'as long as the process of --pid',
    option: {
      ...{ name: 'pid', value: 'PID', help: 'The process that the lease lasts as long as, with --lifetime=process' },
      // This command itself ends at once, and its parent may be any process.
      needed: 'the process that the lease ends with: --pid=PID',
      read: text => (/^[0-9]{1,10}$/.test(text) ? asPid(Number(text)) : undefined),
      wrong: "a process id for '--pid': it is a number such as 4711",
    },
    end: (_, { pid }) => `It is held until the process ${pid} ends.`,
  },
  unit: {
    help: 'as long as the unit is active in systemd',
    end: ({ unit }) => `It is held until systemd says that ${printable(unit)} is inactive.`,
  },
  timed: {
    help: 'for the time of --seconds',
    option: {
      ...{ name: 'seconds', value: 'SECONDS', help: 'How long the lease lasts, with --lifetime=timed' },
      needed: 'its time: --seconds=SECONDS',
      // The daemon judges how many there may be.
      read: text => (/^[0-9]{1,10}$/.test(text) ? Number(text) : undefined),
      wrong: "a number for '--seconds': it is one such as 3600",
    },
    end: ({ id }, { seconds }) => `It is held for ${seconds} seconds, or until 'dynuserctl release ${printable(id)}'.`,
  },
  running: {
    help: 'as long as a process runs as the user',
    end: () => `It is held until no process runs as the user; the first has ${RUNNING_START_SECONDS} seconds to start.`,
  },
};

const IN_ORDER = Object.keys(ROWS) as Lifetime[];
const OPTIONS = IN_ORDER.flatMap(lifetime => {
  const { option } = ROWS[lifetime];
  return option === undefined ? [] : [{ lifetime, option }];
});

/** --lifetime, and the options that go with one of them. */
export const LIFETIME_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'lifetime',
    value: LIFETIMES.join('|'),
    choices: LIFETIMES,
    help: `How long the lease lasts: ${IN_ORDER.map(name => `${name}${name === DEFAULT ? ' (the default)' : ''}, ${ROWS[name].help}`).join('; ')}`,
  },
  ...OPTIONS.map(({ option }) => option),
];

/** @throws CommandFailure with status 2 for an option that is missing, wrong, or another lifetime's */
export function lifetimeParameters(options: OptionValues): Pick<AcquireParameters, 'lifetime' | 'pid' | 'seconds'> {
  const given = (lastValue(options, 'lifetime') ?? DEFAULT) as Lifetime;
  for (const { lifetime, option } of OPTIONS) {
    if (lifetime !== given && options.has(option.name)) {
      throw usageFailure(`option '--${option.name}' goes with '--lifetime=${lifetime}'`, 'acquire');
    }
  }
  const { option } = ROWS[given];
  if (option === undefined) {
    return { lifetime: given };
  }
  const text = lastValue(options, option.name);
  if (text === undefined) {
    throw usageFailure(`option '--lifetime=${given}' needs ${option.needed}`, 'acquire');
  }
  const number = option.read(text);
  if (number === undefined) {
    throw usageFailure(`'${printable(text)}' is not ${option.wrong}`, 'acquire');
  }
  return { lifetime: given, [option.name]: number };
}

/** @returns the sentence that says when a lease ends */
export function endOf(lease: Pick<HeldLease, 'id' | 'unit' | 'lifetime'>, parameters: AcquireParameters): string {
  return ROWS[lease.lifetime].end(lease, parameters);
}
