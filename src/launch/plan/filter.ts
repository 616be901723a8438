/** The filter of system calls of a launch: one for all its properties. Pure. */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { defined } from '../defined.ts';
import { failFor } from '../errors.ts';
import { abisOf } from '../filter/abi.ts';
import { compileFilters } from '../filter/compile.ts';
import type { FilterContext } from '../filter/filter.ts';
import { FILTERS_KEPT_MAX } from '../limits.ts';
import { callsOf } from '../properties/call-list.ts';
import { TERMINAL_FILTER, UNTRUSTED_FILTERS } from '../properties/filters.ts';
import { type ExecSettings, filtersOf, filterValues, setProperties } from '../properties/table.ts';
import { ADMIN_CAPABILITY } from '../syntax/capabilities.ts';
import { Kept } from './kept.ts';
import type { Acquired, ResolvedLaunch } from './request.ts';

type PlannedFilter = Pick<LaunchPlan, 'filter' | 'filterIsForTerminal' | 'memoryDenyWriteExecute'> &
  Partial<LaunchPlan>;

/** By all that they are made from: making a filter takes longer than the rest of a launch, and most units are launched more than once. */
const kept = new Kept<PlannedFilter>(FILTERS_KEPT_MAX);

/**
 * @param acquired its UID: no filter keeps root from a terminal, since root has other ways to it
 * @throws DynuserError LaunchFailed if there are no filters for the processor, LimitReached
 */
export function planFilter(
  { settings, untrusted, fields }: Pick<ResolvedLaunch, 'settings' | 'untrusted' | 'fields'>,
  { uid, kernel }: Pick<Acquired, 'uid' | 'kernel'>,
): PlannedFilter {
  const { processor, deniesWriteExecute } = kernel;
  const wanted: Wanted = {
    processor,
    context: {
      abis: abisOf(processor) ?? ['x86-64'],
      personality: settings.Personality,
      callError: settings.SystemCallErrorNumber ?? 'kill',
      deniesWriteExecute,
    },
    isRoot: uid === 0,
    // A property of the command line replaces the preset.
    presets: untrusted ? PRESETS.filter(name => fields.get(name) !== name) : [],
    installsByCapability: (settings.AmbientCapabilities & ADMIN_CAPABILITY) !== 0n,
  };
  const key = JSON.stringify([wanted, filterValues(settings)]);
  return kept.get(key) ?? kept.keep(key, plannedFilter(settings, wanted));
}

/** What a filter is made from, in addition to the values of its properties. */
interface Wanted {
  readonly processor: string;
  readonly context: FilterContext;
  readonly isRoot: boolean;
  readonly presets: readonly Preset[];
  readonly installsByCapability: boolean;
}

type Preset = keyof typeof UNTRUSTED_FILTERS;
const PRESETS = Object.keys(UNTRUSTED_FILTERS) as readonly Preset[];

function plannedFilter(settings: ExecSettings, wanted: Wanted): PlannedFilter {
  const { processor, context, isRoot, installsByCapability } = wanted;
  const filters = filtersOf(settings, context);
  const forTerminal = isRoot ? [] : [TERMINAL_FILTER];
  const preset = wanted.presets.flatMap(name => UNTRUSTED_FILTERS[name].filter(context.abis[0]) ?? []);
  // In this order: what a property says of a call comes first.
  const all = [...forTerminal, ...preset, ...filters];
  const filter = all.length === 0 ? undefined : compileFilters(processor, all);
  if (filter === undefined && filters.length > 0) {
    refuse(settings);
  }
  const isByCapability = installsByCapability || !forbidsGivingUp(settings);
  return {
    ...defined({ filter }),
    filterIsForTerminal: filters.length + preset.length === 0 && !isRoot,
    memoryDenyWriteExecute: settings.MemoryDenyWriteExecute && context.deniesWriteExecute,
    ...(!isRoot && filters.length > 0 && !isByCapability ? { noNewPrivileges: true } : {}),
  };
}

/** The calls by which systemd, already under the filter, gives up the capability that it needed to install it. */
const GIVING_UP = ['capget', 'capset', 'prctl'];

/** Whether systemd installs filters by no_new_privs, which then is set whatever NoNewPrivileges= says, and not by a capability. */
function forbidsGivingUp({ SystemCallFilter }: ExecSettings): boolean {
  if (SystemCallFilter === undefined) {
    return false;
  }
  const calls = callsOf(SystemCallFilter);
  return calls.size > 0 && !GIVING_UP.every(name => calls.has(name) === SystemCallFilter.isOfAllowed);
}

function refuse(settings: ExecSettings): never {
  const names = setProperties(settings).flatMap(({ name, isOn, row }) =>
    isOn && row.filter !== undefined ? [name] : [],
  );
  return failFor(names[0] ?? 'SystemCallFilter')(
    `not supported on this processor yet; turn ${names.map(name => `${name}=`).join(', ')} off`,
  );
}
