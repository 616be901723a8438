/** The UIDs that the daemon may give out, from its configuration, for commands that do not ask the daemon. */
import { canonicalRange, FLEET_RANGE } from '../core/fleet.ts';
import { DEFAULT_RANGE, parseRange, type UidRange } from '../core/range.ts';
import { CommandFailure } from './failure.ts';
import { type Host, Unreadable } from './host.ts';
import { printable } from './render/text.ts';

/** The daemon's (dynuserd.conf(5)). */
export const CONFIG_FILE = '/etc/dynuser/dynuserd.conf';

/** @returns the settings in the text of a configuration of dynuserd or dynuser-fleetd, in order */
export function settingsIn(text: string): { readonly key: string; readonly value: string }[] {
  const lines = text.matchAll(/^[ \t]*([^\s#;=][^\s=]*)[ \t]*=[ \t]*(.*?)[ \t\r]*$/gm);
  return Array.from(lines, ([, key = '', value = '']) => ({ key, value }));
}

/** @returns the range, and those of unit patterns; or why they are not known, or what is wrong with them */
export function configuredRanges(
  host: Pick<Host, 'text'>,
): readonly UidRange[] | { readonly unknown: string } | { readonly problem: string } {
  const configuration = host.text(CONFIG_FILE) ?? '';
  if (configuration instanceof Unreadable) {
    return { unknown: `${CONFIG_FILE}: ${configuration.why}` };
  }
  const ranges: UidRange[] = [];
  for (const { key, value } of configured(configuration)) {
    const range = parseRange(value);
    if (typeof range === 'string') {
      return { problem: `${CONFIG_FILE}: ${key}=: ${range}` };
    }
    ranges.push(range);
  }
  return ranges;
}

/** The ranges of the configuration, and the usual one if it has none for the units without a pattern. */
function configured(configuration: string): { readonly key: string; readonly value: string }[] {
  const found = settingsIn(configuration).filter(({ key }) => /^UidRange(?:\.|$)/.test(key));
  return found.some(({ key }) => key === 'UidRange')
    ? found
    : [{ key: 'UidRange', value: DEFAULT_RANGE.text }, ...found];
}

/**
 * @param given on the command line, instead of what is configured
 * @returns the UIDs of the fleet, as the store has them: intervals in ascending order
 * @throws CommandFailure if they cannot be a range
 */
export function fleetRanges(host: Pick<Host, 'text'>, given: string | undefined): string {
  const configuration = host.text(CONFIG_FILE) ?? '';
  const text = configuration instanceof Unreadable ? '' : configuration;
  const configured = settingsIn(text).find(({ key }) => key === 'FleetUidRange')?.value;
  const range = parseRange(given ?? configured ?? FLEET_RANGE.text);
  if (typeof range === 'string') {
    throw new CommandFailure(`${given === undefined ? 'FleetUidRange=' : '--range='}: ${printable(range)}`, {
      status: 2,
    });
  }
  return canonicalRange(range);
}
