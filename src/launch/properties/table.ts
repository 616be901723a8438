/** All properties that are carried out, and what is derived of their rows. Another property is another row. */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { failFor } from '../errors.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';
import type { Specifiers } from '../syntax/specifiers.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import { COMMANDS } from './commands.ts';
import { DIRECTORIES } from './directories.ts';
import { ENVIRONMENT } from './environment.ts';
import { IDENTITY } from './identity.ts';
import { PATHS } from './paths.ts';
import { PRIVILEGES } from './privileges.ts';
import type { LayoutContext, Property, Reader } from './property.ts';
import { SANDBOX } from './sandbox.ts';

const PROPERTIES = { ...IDENTITY, ...DIRECTORIES, ...SANDBOX, ...PRIVILEGES, ...PATHS, ...ENVIRONMENT, ...COMMANDS };

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

/** Where each name leads: to its row, and to the reader for that name. */
const READERS: ReadonlyMap<string, { readonly property: PropertyName; readonly read: Reader<unknown> }> = new Map(
  ROWS.flatMap(([property, { read, otherNames = {} }]) =>
    Object.entries({ [property]: read, ...otherNames }).map(([name, reader]) => [name, { property, read: reader }]),
  ),
);

/** In the order of the rows. */
export const PROPERTY_NAMES: readonly string[] = [...READERS.keys()];

/** @returns whether a launch carries the property out */
export function isCarriedOut(name: string): boolean {
  return READERS.has(name);
}

/**
 * Reads assignments of properties that are carried out, in order; others are for supported.ts.
 * @throws DynuserError LaunchFailed, LimitReached
 */
export function parseProperties(assignments: readonly Assignment[], specifiers: Specifiers): ParsedProperties {
  const given: Record<string, unknown> = {};
  const fields = new Map<string, string>();
  for (const assignment of assignments) {
    const { name, value } = assignment;
    const field = fieldOf(assignment);
    const fail = failFor(field);
    fields.set(name, field);
    const reader = READERS.get(name);
    if (reader !== undefined) {
      given[reader.property] = reader.read(value, given[reader.property], {
        fail,
        field,
        expand: (text, protect) => specifiers.expand(text, fail, field, protect),
      });
    }
  }
  return { given, fields };
}

/** @returns the properties that an assignment gave a value */
export function givenNames({ given }: ParsedProperties): PropertyName[] {
  return ROWS.map(([name]) => name).filter(name => given[name] !== undefined);
}

/** @param dynamic whether there is a dynamic user, which implies some values */
export function settingsOf({ given }: ParsedProperties, dynamic: boolean): ExecSettings {
  const settings = ROWS.map(([name, row]) => [
    name,
    dynamic && row.implied !== undefined ? row.implied(given[name]) : (given[name] ?? row.default),
  ]);
  return { ...(Object.fromEntries(settings) as ExecSettings), DynamicUser: dynamic };
}

/** A property with its value in a launch, as --explain shows it. */
export interface ShownProperty {
  readonly name: PropertyName;
  /** empty for a list */
  readonly value: string;
  readonly isOn: boolean;
  readonly isImplied: boolean;
  readonly meaning: string;
}

/** @returns the properties whose rows have a meaning */
export function shownProperties(settings: ExecSettings): ShownProperty[] {
  return ROWS.flatMap(([name, row]) =>
    row.meaning === undefined
      ? []
      : [
          {
            name,
            value: shown(settings[name]),
            isOn: isOn(settings[name], row),
            isImplied: row.implied !== undefined,
            meaning: row.meaning,
          },
        ],
  );
}

/** What a launcher that cannot make mounts and namespaces cannot carry out. */
export interface NeededProperty {
  readonly name: PropertyName;
  readonly needsMounts: boolean;
  /** the service would be another one without it */
  readonly isVital: boolean;
  /** what is lost, in words; absent if nothing is */
  readonly lost?: string;
}

/** @returns the properties that are on and need mounts or a namespace */
export function neededProperties(settings: ExecSettings): NeededProperty[] {
  return ROWS.filter(([name, row]) => row.needs !== undefined && isOn(settings[name], row)).map(([name, row]) => ({
    name,
    needsMounts: row.needs === 'mounts',
    isVital: row.isVital === true,
    ...(row.lost === undefined ? {} : { lost: `${name}=${shown(settings[name])}: ${row.lost}` }),
  }));
}

/** @returns what --untrusted sets, in the order of the rows */
export function untrustedValues(): (readonly [name: string, value: string])[] {
  return ROWS.flatMap(([name, { untrusted }]) => (untrusted === undefined ? [] : [[name, untrusted] as const]));
}

/** @returns the capabilities that leave the bounding set */
export function droppedCapabilities(settings: ExecSettings): bigint {
  return ROWS.reduce(
    (dropped, [name, row]) => (isOn(settings[name], row) ? dropped | (row.dropsCapabilities ?? 0n) : dropped),
    0n,
  );
}

/** @returns what the properties put where in the mount namespace, in the order of the rows */
export function mountsOf(settings: ExecSettings, context: LayoutContext): MountEntry[] {
  return ROWS.flatMap(([name, row]) => row.mounts?.(settings[name], context) ?? []);
}

/**
 * @param leftOut the properties that are not carried out: no mounts, no namespaces
 * @returns the fields of the plan that are a property's alone
 */
export function plannedFields(settings: ExecSettings, leftOut: readonly PropertyName[]): Partial<LaunchPlan> {
  const parts = ROWS.map(([name, row]) => row.plan?.(leftOut.includes(name) ? row.default : settings[name]) ?? {});
  return Object.assign({}, ...parts);
}

function isOn(value: unknown, row: Property<unknown>): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== row.default;
}

function shown(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : typeof value === 'string' ? value : '';
}
