/** All properties that are carried out, and what is derived from their rows. Another property is another row. */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import type { Filter, FilterContext } from '../filter/filter.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';
import type { Specifiers } from '../syntax/specifiers.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import { NETWORK_FILTERS } from './addresses.ts';
import { COMMANDS } from './commands.ts';
import { CREDENTIAL_ROWS } from './credentials.ts';
import { DEVICES } from './devices.ts';
import { DIRECTORIES } from './directories.ts';
import { ENDING } from './ending.ts';
import { ENVIRONMENT } from './environment.ts';
import { FILTERS } from './filters.ts';
import { IDENTITY } from './identity.ts';
import { IMAGES } from './images.ts';
import { KERNEL } from './kernel.ts';
import { OPEN_FILES } from './open-files.ts';
import { PATHS } from './paths.ts';
import { PRIVILEGES } from './privileges.ts';
import type { LayoutContext, Property, Reader } from './property.ts';
import { readValue } from './reading.ts';
import { RESOURCES_AND_SCHEDULING } from './resources.ts';
import { SANDBOX } from './sandbox.ts';
import { STREAMS } from './streams.ts';

const PROPERTIES = {
  ...IDENTITY,
  ...DIRECTORIES,
  ...SANDBOX,
  ...KERNEL,
  ...PRIVILEGES,
  ...FILTERS,
  ...RESOURCES_AND_SCHEDULING,
  ...PATHS,
  ...IMAGES,
  ...DEVICES,
  ...NETWORK_FILTERS,
  ...ENVIRONMENT,
  ...STREAMS,
  ...OPEN_FILES,
  ...CREDENTIAL_ROWS,
  ...COMMANDS,
  ...ENDING,
};

type Rows = typeof PROPERTIES;
type ValueOf<Row> = Row extends Property<infer Value> ? Value : never;

export type PropertyName = keyof Rows;

/** All settings of a launch by the names of their properties: given, implied by DynamicUser=, or systemd's defaults. */
export type ExecSettings = { readonly [Name in PropertyName]: ValueOf<Rows[Name]> };

export interface ParsedProperties {
  /** a property that was not given, or was reset, is undefined */
  readonly given: { [Name in PropertyName]?: ValueOf<Rows[Name]> | undefined };
  /** of each name that was given, the field of an error about its last assignment, which says where it is from */
  readonly fields: Map<string, string>;
}

const ROWS = Object.entries(PROPERTIES) as unknown as readonly (readonly [PropertyName, Property<unknown>])[];

const PROPERTIES_IN_ORDER = ROWS.map(([name]) => name);

type NamedRow = (typeof ROWS)[number];

/** Most rows have few of these, and each launch asks for all of them. */
const rowsWith = (part: keyof Property<unknown>): readonly NamedRow[] =>
  ROWS.filter(([, row]) => row[part] !== undefined);
const IMPLIED = rowsWith('implied');
const NEEDING = rowsWith('needs');
const DROPPING = rowsWith('dropsCapabilities');
const MOUNTING = rowsWith('mounts');
const FILTERING = rowsWith('filter');
const PLANNING = rowsWith('plan');
const DEFAULTS = Object.fromEntries(ROWS.map(([name, row]) => [name, row.default]));

interface NamedReader {
  readonly property: PropertyName;
  readonly refuses: boolean;
  readonly read: Reader<unknown>;
}

/** Where each name leads: to its row, and to the reader for that name. */
const READERS: ReadonlyMap<string, NamedReader> = new Map(
  ROWS.flatMap(([property, { read, refuses = false, otherNames = {} }]) =>
    Object.entries({ [property]: read, ...otherNames }).map(
      ([name, reader]) => [name, { property, refuses, read: reader }] as const,
    ),
  ),
);

/** In the order of the rows. */
export const PROPERTY_NAMES: readonly string[] = [...READERS.keys()];

/** What the manual says of each row, under its names, in the order of the rows. */
export const PROPERTY_TEXTS: readonly { readonly names: readonly string[]; readonly text: string }[] = ROWS.map(
  ([name, { otherNames = {}, manual }]) => ({ names: [name, ...Object.keys(otherNames)], text: manual }),
);

/** @returns whether a launch carries the property out */
export function isCarriedOut(name: string): boolean {
  return READERS.has(name);
}

/**
 * Reads assignments of properties that are carried out, in order; others are for unsupported-properties.ts.
 * @param warn gets what fell out
 * @throws DynuserError LaunchFailed, LimitReached
 */
export function parseProperties(
  assignments: readonly Assignment[],
  specifiers: Specifiers,
  warn: (text: string) => void,
): ParsedProperties {
  const given: Record<string, unknown> = {};
  const fields = new Map<string, string>();
  for (const assignment of assignments) {
    const { name, value } = assignment;
    const reader = READERS.get(name);
    if (reader === undefined) {
      continue;
    }
    const { property, refuses, read } = reader;
    const found = readValue(assignment, refuses, specifiers, warn, context => read(value, given[property], context));
    if (found !== undefined) {
      given[property] = found.value;
      fields.set(name, fieldOf(assignment));
    }
  }
  return { given, fields };
}

/** @returns the properties that an assignment gave a value */
export function givenNames({ given }: ParsedProperties): PropertyName[] {
  return PROPERTIES_IN_ORDER.filter(name => given[name] !== undefined);
}

/** @param dynamic whether there is a dynamic user, which implies some values */
export function settingsOf({ given }: ParsedProperties, dynamic: boolean): ExecSettings {
  const settings: Record<string, unknown> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && value !== null) {
      settings[name] = value;
    }
  }
  for (const [name, { implied }] of dynamic ? IMPLIED : []) {
    settings[name] = implied?.(given[name]);
  }
  settings['DynamicUser'] = dynamic;
  return settings as ExecSettings;
}

/** A property with its value in a launch. */
export interface SetProperty {
  readonly name: PropertyName;
  /** in words; empty for a list */
  readonly value: string;
  readonly isOn: boolean;
  readonly row: Omit<Property<unknown>, 'read' | 'default'>;
}

/** @returns all properties, in the order of the rows */
export function setProperties(settings: ExecSettings): SetProperty[] {
  return ROWS.map(([name, row]) => ({ name, value: shown(settings[name]), isOn: isOn(settings[name], row), row }));
}

/** @returns the properties that are on and need something of the launcher, in the order of the rows */
export function needingProperties(settings: ExecSettings): Omit<SetProperty, 'isOn'>[] {
  return NEEDING.filter(([name, row]) => isOn(settings[name], row)).map(([name, row]) => ({
    ...{ name, value: shown(settings[name]), row },
  }));
}

function isOn(value: unknown, row: Property<unknown>): boolean {
  return Array.isArray(value) && Array.isArray(row.default) ? value.length > 0 : value !== row.default;
}

/** @returns what --untrusted sets, in the order of the rows */
export function untrustedValues(): (readonly [name: string, value: string])[] {
  return ROWS.flatMap(([name, { untrusted }]) => (untrusted === undefined ? [] : [[name, untrusted] as const]));
}

/** @returns the capabilities that leave the bounding set */
export function droppedCapabilities(settings: ExecSettings): bigint {
  return DROPPING.reduce(
    (mask, [name, row]) => mask | (isOn(settings[name], row) ? (row.dropsCapabilities ?? 0n) : 0n),
    0n,
  );
}

/** @returns what the properties put where in the mount namespace, in the order of the rows */
export function mountsOf(settings: ExecSettings, context: LayoutContext): MountEntry[] {
  return MOUNTING.filter(([name, row]) => isOn(settings[name], row)).flatMap(
    ([name, row]) => row.mounts?.(settings[name], context) ?? [],
  );
}

/** @returns the filters of system calls, in the order of the rows */
export function filtersOf(settings: ExecSettings, context: FilterContext): Filter[] {
  return FILTERING.filter(([name, row]) => isOn(settings[name], row)).flatMap(
    ([name, row]) => row.filter?.(settings[name], context) ?? [],
  );
}

/** @returns all values that filtersOf() looks at, besides the context */
export function filterValues(settings: ExecSettings): readonly unknown[] {
  return FILTERING.map(([name]) => settings[name]);
}

/**
 * @param leftOut the properties that are not carried out: no mounts, no namespaces
 * @returns the fields of the plan that are a property's alone
 */
export function plannedFields(settings: ExecSettings, leftOut: readonly PropertyName[]): Partial<LaunchPlan> {
  const parts = PLANNING.map(([name, row]) => row.plan?.(leftOut.includes(name) ? row.default : settings[name]) ?? {});
  return Object.assign({}, ...parts);
}

function shown(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : typeof value === 'string' ? value : '';
}
