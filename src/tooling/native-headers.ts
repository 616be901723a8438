/** The C headers that say what src says in TypeScript: dynuser.h from src/core, launch_tables.h from the interface. Pure. */
import { FILTER_PROBE } from '../core/filter-probe.ts';
import { SNAPSHOT_LINE, SNAPSHOT_MAGIC } from '../core/fleet-snapshot.ts';
import { USER_NAME_MAX } from '../core/name.ts';
import {
  ALLOCATOR_SOCKET,
  BY_NAME,
  BY_UID,
  FLEET_SNAPSHOT,
  GROUPS,
  HOLDERS,
  IMAGES_DIRECTORY,
  MEMBERS,
  MEMBERS_ASKED,
  RUNTIME_DIRECTORY,
  RUNTIME_DIRECTORY_VARIABLE,
  SOCKET,
} from '../core/paths.ts';
import { POSSIBLE_UIDS, RESERVED_UIDS, SYSTEMD_INTERVAL } from '../core/range.ts';
import { HOME_DIRECTORY, PASSWORD, REAL_NAME, SHELL, USER_DATABASE_SERVICE } from '../core/records.ts';
import { USUAL_GLOBS } from '../core/usual-questions.ts';
import { VERSION } from '../core/version.ts';
import type { IdlEnum, IdlInterface, IdlType } from '../varlink/idl/model.ts';

/** @returns native/include/dynuser.h: the numbers, names and paths that the native code shares with the daemon */
export function sharedConstants(): string {
  const [nobody, invalid16] = RESERVED_UIDS;
  // Numbers are unsigned, but for the expiry: a count of days, which shadow(5) has as a signed number.
  const text = `/* The default range, systemd's own (docs/UIDS-GIDS.md), both inclusive. */
#define DYNUSER_UID_MIN ${SYSTEMD_INTERVAL.first}U
#define DYNUSER_UID_MAX ${SYSTEMD_INTERVAL.last}U

/*
 * The range is configurable within these bounds (both inclusive), so that the NSS module can answer "not ours" for
 * system, regular and homed users without a system call.
 */
#define DYNUSER_UID_POSSIBLE_MIN ${POSSIBLE_UIDS.first}U
#define DYNUSER_UID_POSSIBLE_MAX ${POSSIBLE_UIDS.last}U

/* nobody, and the 16-bit -1: never ours. */
#define DYNUSER_UID_NOBODY ${nobody}U
#define DYNUSER_UID_INVALID16 ${invalid16}U

/* The length of a user name in bytes, without the NUL. */
#define DYNUSER_NAME_MAX ${USER_NAME_MAX}U

/* The version of this software. */
#define DYNUSER_VERSION "${VERSION}"

/* The runtime directory, and what is in it. */
#define DYNUSER_RUNTIME_DIRECTORY "${RUNTIME_DIRECTORY}"
#define DYNUSER_BY_UID "${BY_UID}"
#define DYNUSER_BY_NAME "${BY_NAME}"
#define DYNUSER_HOLDERS "${HOLDERS}"
#define DYNUSER_MEMBERS "${MEMBERS}"
#define DYNUSER_MEMBERS_ASKED "${MEMBERS_ASKED}"
#define DYNUSER_GROUPS "${GROUPS}"
#define DYNUSER_FLEET_SNAPSHOT "${FLEET_SNAPSHOT}"
#define DYNUSER_FLEET_SNAPSHOT_MAGIC "${SNAPSHOT_MAGIC}"
#define DYNUSER_FLEET_SNAPSHOT_LINE ${SNAPSHOT_LINE}U
#define DYNUSER_IMAGES "${RUNTIME_DIRECTORY}/${IMAGES_DIRECTORY}"
#define DYNUSER_SOCKET "${SOCKET}"
#define DYNUSER_ALLOCATOR_SOCKET "${ALLOCATOR_SOCKET}"
#define DYNUSER_SERVICE "${USER_DATABASE_SERVICE}"

/* Environment variables. The last two are read by native code alone. */
#define DYNUSER_ENV_RUNTIME_DIRECTORY "${RUNTIME_DIRECTORY_VARIABLE}"
#define DYNUSER_ENV_BYPASS "DYNUSER_NSS_BYPASS"
#define DYNUSER_ENV_SOURCE "DYNUSER_NSS_SOURCE"

/* The records of a dynamic user. The locked password and shadow(5) are of native code alone. */
#define DYNUSER_PASSWORD "${PASSWORD}"
#define DYNUSER_LOCKED_PASSWORD "!*"
#define DYNUSER_GECOS "${REAL_NAME}"
#define DYNUSER_HOME "${HOME_DIRECTORY}"
#define DYNUSER_SHELL "${SHELL}"

#define DYNUSER_SHADOW_EXPIRE 1

/* The number of no call, and the errno by which a service's filter answers it. */
#define DYNUSER_FILTER_PROBE ${FILTER_PROBE.number}L
#define DYNUSER_FILTER_PROBE_ERRNO ${FILTER_PROBE.errno}

/* What the daemon asks a launcher most often whether it is there. */
#define DYNUSER_USUAL_GLOBS ${USUAL_GLOBS.map(path => `"${path}"`).join(', ')}
`;
  return header('src/core', 'DYNUSER_H', text);
}

/** The types whose members dynuser-run reads one by one, with the C names of their enumerations. */
const READ_TYPES = [
  'LaunchQuestion',
  'ResourceLimit',
  'LaunchPlan',
  'AccessRule',
  'LaunchCommand',
  'Stream',
  'Terminal',
  'Credential',
  'OpenFile',
  'MountOp',
  'IdMap',
  'MainProcess',
  'Image',
  'ImagePart',
  'Overlay',
];
/** Strings of digits that C keeps as numbers. */
const NUMBERS_IN_STRINGS: Readonly<Record<string, string>> = {
  boundingSet: 'MASK',
  ambientSet: 'MASK',
  device: 'DECIMAL',
  inode: 'DECIMAL',
  soft: 'DECIMAL',
  hard: 'DECIMAL',
  timerSlack: 'DECIMAL',
  coredumpFilter: 'MASK',
  offset: 'DECIMAL',
  size: 'DECIMAL',
};
const C_NAMES: Readonly<Record<string, string>> = { idMap: 'map' };
/** Kinds whose absence is a value of its own in C: a null pointer, false, the first word, no flag. */
const NULLABLE = /^(?:TEXT|BOOLEAN|WORD|FLAGS|LIST)\b/;

/** @returns native/run/protocol/launch_tables.h. @throws TypeError for a type that dynuser-run has no reader for */
export function launchTables(source: string, idl: IdlInterface): string {
  const enums: string[] = [];
  const declare = (name: string, { values }: IdlEnum): void => {
    const constant = snake(name).toUpperCase();
    const words = values.map(value => `"${value}\\0"`).join(' ');
    const enumerators = values.map(value => `prefix##${cName(value).toUpperCase()}`).join(', ');
    enums.push(`#define ${snake(name)}_words ${words}\n#define ${constant}_ENUM(prefix) ${enumerators}\n`);
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
  const explanation = `/*
 * The fields of each type: REQUIRED ones, OPTIONAL ones whose absence is a null pointer, false, the first word or no
 * flag, and MARKED ones, optional too, with a has_ field that says whether there was one.
 */
`;
  const words = '/* The words of each enumeration, each ended by a NUL, and its enumerators in the same order. */\n';
  return header(source, 'RUN_LAUNCH_TABLES_H', `${words}${enums.join('')}\n${explanation}${tables.join('\n')}`);
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
  if (element.kind !== 'named') {
    return `LIST(${cName(field)}, uint32_t)`;
  }
  const isFlags = idl.types.get(element.name)?.type.kind === 'enum';
  return isFlags ? `FLAGS(${snake(element.name)})` : `LIST(${cName(field)}, struct ${snake(element.name)})`;
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

function header(source: string, guard: string, body: string): string {
  const first = `/* Generated from ${source} by "npm run generate": change that, not this file. */\n/* clang-format off */`;
  return `${first}\n#ifndef ${guard}\n#define ${guard}\n\n${body}\n#endif\n`;
}
