/** Modules that say in TypeScript what an interface definition declares, for folders that know no interface. Pure. */

import type { IdlInterface, IdlType } from '../varlink/idl/model.ts';
import { templateLiteral } from './api-module.ts';

function header(source: string, purpose: string): string {
  return `/** Generated from ${source} by "npm run generate": change that file, not this one. ${purpose} */\n`;
}

/**
 * @param source the name of the file that the interface is from
 * @returns the module with the error codes and their fields, and with the values of each enum
 */
export function wireNames(source: string, idl: IdlInterface): string {
  const errors = [...idl.errors.values()].map(({ name, parameters }) => {
    return `  ${name}: [${[...parameters.fields.keys()].map(quoted).join(', ')}],\n`;
  });
  const enums = [...idl.types.values()].flatMap(({ name, type }) => {
    if (type.kind !== 'enum') {
      return [];
    }
    const constant = `${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}S`;
    return [
      `export const ${constant} = [${type.values.map(quoted).join(', ')}] as const;\n`,
      `export type ${name} = (typeof ${constant})[number];\n`,
    ];
  });
  return [
    header(source, 'Names that travel.'),
    `\n/** The errors, each with its fields. */\nexport const ERRORS = {\n${errors.join('')}} as const;\n`,
    `export type WireErrorCode = keyof typeof ERRORS;\n\n`,
    ...enums,
  ].join('');
}

/** @returns the module with the text of org.varlink.service, which the library serves by itself */
export function serviceDescription(source: string, text: string): string {
  return `${header(source, 'The interface of every service.')}\nexport const SERVICE_DESCRIPTION = ${templateLiteral(text)};\n`;
}

/** D-Bus types of what Acquire's parameters are in varlink. */
const DBUS_TYPES: Readonly<Record<string, string>> = { bool: 'b', int: 'u', string: 's', enum: 's', array: 'as' };

/**
 * @returns the module with the D-Bus type of each optional parameter of Acquire
 * @throws TypeError if one has no such type
 */
export function acquireOptionTypes(source: string, idl: IdlInterface): string {
  const fields = idl.methods.get('Acquire')?.parameters.fields.values() ?? [];
  const lines = [...fields].flatMap(({ name, type }) => {
    if (type.kind !== 'maybe') {
      return [];
    }
    const dbus = DBUS_TYPES[kindOf(idl, type.element)];
    if (dbus === undefined) {
      throw new TypeError(`${name}: its type has no D-Bus type here; add it to DBUS_TYPES`);
    }
    return [`  ${name}: '${dbus}',\n`];
  });
  return `${header(source, 'The options of Acquire.')}\nexport const ACQUIRE_OPTIONS = {\n${lines.join('')}} as const;\n`;
}

/** @returns the kind of a type; 'list of …' for an array of something else than strings, which has no D-Bus type here */
function kindOf(idl: IdlInterface, type: IdlType): string {
  if (type.kind === 'named') {
    return idl.types.get(type.name)?.type.kind ?? type.kind;
  }
  return type.kind === 'array' && type.element.kind !== 'string' ? `list of ${type.element.kind}` : type.kind;
}

function quoted(name: string): string {
  return `'${name}'`;
}
