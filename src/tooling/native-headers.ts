/** The C headers that say what src says in TypeScript: dynuser.h from src/core, launch_tables.h from the interface. Pure. */
import { USER_NAME_MAX } from '../core/name.ts';
import {
  ALLOCATOR_SOCKET,
  BY_NAME,
  BY_UID,
  RUNTIME_DIRECTORY,
  RUNTIME_DIRECTORY_VARIABLE,
  SOCKET,
} from '../core/paths.ts';
import { DEFAULT_RANGE, POSSIBLE_UIDS, RESERVED_UIDS } from '../core/range.ts';
import { HOME_DIRECTORY, REAL_NAME, SHELL, USER_DATABASE_SERVICE } from '../core/records.ts';
import { VERSION } from '../core/version.ts';
import type { IdlEnum, IdlInterface, IdlType } from '../varlink/idl/model.ts';

type Constant = readonly [name: string, value: string | number];

/** @returns native/include/dynuser.h: the numbers, names and paths that the native code shares with the daemon */
export function sharedConstants(): string {
  const groups: readonly (readonly [comment: string, constants: readonly Constant[]])[] = [
    [
      "The default range, systemd's own (docs/UIDS-GIDS.md), both inclusive.",
      [
        ['UID_MIN', DEFAULT_RANGE.first],
        ['UID_MAX', DEFAULT_RANGE.last],
      ],
    ],
    [
      'The range is configurable within these bounds (both inclusive), so that the NSS module can answer "not ours" for\n * system, regular and homed users without a system call.',
      [
        ['UID_POSSIBLE_MIN', POSSIBLE_UIDS.first],
        ['UID_POSSIBLE_MAX', POSSIBLE_UIDS.last],
      ],
    ],
    [
      'nobody, and the 16-bit -1: never ours.',
      [
        ['UID_NOBODY', RESERVED_UIDS[0] ?? 0],
        ['UID_INVALID16', RESERVED_UIDS[1] ?? 0],
      ],
    ],
    ['The length of a user name in bytes, without the NUL.', [['NAME_MAX', USER_NAME_MAX]]],
    ['The version of this software.', [['VERSION', VERSION]]],
    [
      'The runtime directory, and what is in it.',
      [
        ['RUNTIME_DIRECTORY', RUNTIME_DIRECTORY],
        ['BY_UID', BY_UID],
        ['BY_NAME', BY_NAME],
        ['SOCKET', SOCKET],
        ['ALLOCATOR_SOCKET', ALLOCATOR_SOCKET],
        ['SERVICE', USER_DATABASE_SERVICE],
      ],
    ],
    [
      'Environment variables. The last two are read by native code alone.',
      [
        ['ENV_RUNTIME_DIRECTORY', RUNTIME_DIRECTORY_VARIABLE],
        ['ENV_BYPASS', 'DYNUSER_NSS_BYPASS'],
        ['ENV_SOURCE', 'DYNUSER_NSS_SOURCE'],
      ],
    ],
    [
      'The records of a dynamic user. Passwords and shadow(5) are of native code alone.',
      [
        ['PASSWORD', 'x'],
        ['LOCKED_PASSWORD', '!*'],
        ['GECOS', REAL_NAME],
        ['HOME', HOME_DIRECTORY],
        ['SHELL', SHELL],
      ],
    ],
  ];
  const body = groups.map(([comment, constants]) => {
    const lines = constants.map(
      ([name, value]) => `#define DYNUSER_${name} ${typeof value === 'number' ? `${value}U` : `"${value}"`}\n`,
    );
    return `${blockComment(comment)}${lines.join('')}`;
  });
  // A count of days, which shadow(5) has as a signed number.
  body.push('#define DYNUSER_SHADOW_EXPIRE 1\n');
  return header('src/core', 'DYNUSER_H', body);
}

/** The types whose members dynuser-run reads one by one, with the C names of their enumerations. */
const READ_TYPES = ['LaunchQuestion', 'LaunchPlan', 'LaunchCommand', 'MountOp', 'IdMap'];
/** Strings of digits that C keeps as numbers. */
const NUMBERS_IN_STRINGS: Readonly<Record<string, string>> = {
  boundingSet: 'MASK',
  ambientSet: 'MASK',
  device: 'DECIMAL',
  inode: 'DECIMAL',
};
const C_NAMES: Readonly<Record<string, string>> = { idMap: 'map' };
/** Kinds whose absence is a value of its own in C: a null pointer, false, the first word, no flag. */
const NULLABLE = /^(?:TEXT|BOOLEAN|WORD|FLAGS|LIST)\b/;

/** @returns native/run/protocol/launch_tables.h. @throws TypeError for a type that dynuser-run has no reader for */
export function launchTables(source: string, idl: IdlInterface): string {
  const enums: string[] = [];
  const declare = (name: string, { values }: IdlEnum): void => {
    const constant = snake(name).toUpperCase();
    const words = values.map(value => `"${value}"`).join(', ');
    const enumerators = values.map(value => `prefix##${cName(value).toUpperCase()}`).join(', ');
    enums.push(`#define ${constant}_WORDS ${words}\n#define ${constant}_ENUM(prefix) ${enumerators}\n`);
  };
  for (const { name, type } of idl.types.values()) {
    if (type.kind === 'enum') {
      declare(name, type);
    }
  }
  const tables = READ_TYPES.map(name => {
    const type = idl.types.get(name)?.type;
    if (type?.kind !== 'struct') {
      throw new TypeError(`${name} is not a struct of ${idl.name}`);
    }
    const rows = [...type.fields.values()].map(field => {
      const isOptional = field.type.kind === 'maybe';
      const present = field.type.kind === 'maybe' ? field.type.element : field.type;
      if (present.kind === 'enum') {
        declare(`${name}${capitalised(field.name)}`, present);
      }
      const kind = NUMBERS_IN_STRINGS[field.name] ?? kindOf(idl, present, name, field.name);
      const row = !isOptional ? 'REQUIRED' : NULLABLE.test(kind) ? 'OPTIONAL' : 'MARKED';
      return ` \\\n\t${row}("${field.name}", ${cName(field.name)}, ${kind})`;
    });
    return `#define ${snake(name).toUpperCase()}_FIELDS(REQUIRED, OPTIONAL, MARKED)${rows.join('')}\n`;
  });
  const explanation = blockComment(
    'The fields of each type: REQUIRED ones, OPTIONAL ones whose absence is a null pointer, false, the first word or no\n * flag, and MARKED ones, optional too, with a has_ field that says whether there was one.',
  );
  return header(source, 'RUN_LAUNCH_TABLES_H', [
    blockComment('The words of each enumeration, and its enumerators in the same order.') + enums.join(''),
    explanation + tables.join('\n'),
  ]);
}

function kindOf(idl: IdlInterface, type: IdlType, owner: string, field: string): string {
  switch (type.kind) {
    case 'bool':
      return 'BOOLEAN';
    case 'int':
      return 'NUMBER';
    case 'string':
      return 'TEXT';
    case 'enum':
      return `WORD(${snake(owner + capitalised(field))})`;
    case 'named':
      return idl.types.get(type.name)?.type.kind === 'enum'
        ? `WORD(${snake(type.name)})`
        : `OBJECT(${snake(type.name)})`;
    case 'array':
      return arrayKind(idl, type.element, field);
    default:
      throw new TypeError(`${owner}.${field}: dynuser-run has no reader for a ${type.kind}`);
  }
}

function arrayKind(idl: IdlInterface, element: IdlType, field: string): string {
  if (element.kind === 'string') {
    return 'TEXTS';
  }
  const isFlags = element.kind === 'named' && idl.types.get(element.name)?.type.kind === 'enum';
  return isFlags ? `FLAGS(${snake(element.name)})` : `LIST(${cName(field)})`;
}

function capitalised(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function cName(name: string): string {
  return C_NAMES[name] ?? snake(name);
}

/** "privateIPC" → "private_ipc" */
function snake(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
}

function blockComment(text: string): string {
  return text.includes('\n') ? `/*\n * ${text}\n */\n` : `/* ${text} */\n`;
}

function header(source: string, guard: string, parts: readonly string[]): string {
  const first = `/* Generated from ${source} by "npm run generate": change that, not this file. */`;
  return `${first}\n#ifndef ${guard}\n#define ${guard}\n\n${parts.join('\n')}\n#endif\n`;
}
