/**
 * Makes TypeScript of interface definitions: a module with the text that is served and the types of messages, and modules for folders that
 * know no interface. Pure.
 */
import type { IdlEnum, IdlInterface, IdlStruct, IdlType } from '../varlink/idl/model.ts';
import { parseInterface } from '../varlink/idl/parse.ts';

/**
 * @param source the name of the file that the text is from
 * @param text the interface definition
 * @returns the module's name without a suffix, such as io-dynuser-allocator, and its text
 * @throws IdlError, and TypeError if two members would get the same name
 */
export function apiModule(source: string, text: string): { readonly name: string; readonly module: string } {
  const idl = parseInterface(text);
  const body = [...typeDeclarations(idl).values()];
  const used = ['Json', 'JsonObject'].filter(name => body.some(text => new RegExp(`\\b${name}\\b`).test(text)));
  const imports = used.length === 0 ? '' : `import type { ${used.join(', ')} } from '../../varlink/json.ts';\n`;
  const parts = [
    header(source) + imports,
    `export const ${constantName(idl.name)}_INTERFACE = ${templateLiteral(text)};`,
    '',
    body.join('\n'),
  ];
  return { name: words(idl.name).join('-').toLowerCase(), module: parts.join('\n') };
}

/** By name: the types that are named, and those of parameters and replies; what has no field needs none, and errors are in wire-names.ts. */
function typeDeclarations(idl: IdlInterface): ReadonlyMap<string, string> {
  const declarations = new Map<string, string>();
  const declare = (name: string, type: IdlEnum | IdlStruct, documentation: readonly string[] = []) => {
    if (declarations.has(name)) {
      throw new TypeError(`${idl.name}: two members would both be the type ${name}`);
    }
    declarations.set(name, `${comment(documentation, '')}export type ${name} = ${typeText(type, '')};\n`);
  };
  for (const { name, type, documentation } of idl.types.values()) {
    declare(name, type, documentation);
  }
  for (const { name, parameters, reply } of idl.methods.values()) {
    for (const [role, struct] of Object.entries({ Parameters: parameters, Reply: reply })) {
      if (struct.fields.size > 0) {
        declare(`${name}${role}`, struct);
      }
    }
  }
  return declarations;
}

function typeText(type: IdlType, indent: string): string {
  switch (type.kind) {
    case 'bool':
      return 'boolean';
    case 'int':
    case 'float':
      return 'number';
    case 'string':
      return 'string';
    case 'object':
      return 'JsonObject';
    case 'any':
      return 'Json';
    case 'named':
      return type.name;
    case 'enum':
      return type.values.map(quoted).join(' | ');
    case 'array':
      return `readonly ${grouped(type.element, indent)}[]`;
    case 'map':
      return `{ readonly [key: string]: ${typeText(type.element, indent)} }`;
    case 'maybe':
      return `${grouped(type.element, indent)} | null`;
    case 'struct':
      return structText(type, indent);
  }
}

/** In brackets if the text of the type has operators of its own. */
function grouped(type: IdlType, indent: string): string {
  const text = typeText(type, indent);
  return type.kind === 'enum' || type.kind === 'array' || type.kind === 'maybe' ? `(${text})` : text;
}

/** A struct without fields is an object without keys, not `{}`, which would be any value. */
function structText({ fields }: IdlStruct, indent: string): string {
  if (fields.size === 0) {
    return '{ readonly [key: string]: never }';
  }
  const inner = `${indent}  `;
  const lines = [...fields.values()].map(({ name, documentation, type }) => {
    // A nullable field may be absent, and the library hands on a null as absent.
    const [mark, present] = type.kind === 'maybe' ? ['?', type.element] : ['', type];
    return `${comment(documentation, inner)}${inner}readonly ${name}${mark}: ${typeText(present, inner)};\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}

function comment(lines: readonly string[], indent: string): string {
  const safe = lines.map(line => line.replaceAll('*/', '*\\/'));
  if (safe.length <= 1) {
    return safe.map(line => `${indent}/** ${line} */\n`).join('');
  }
  return `${indent}/**\n${safe.map(line => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

/** "io.systemd.UserDatabase" → "USER_DATABASE" */
function constantName(interfaceName: string): string {
  return words(interfaceName.slice(interfaceName.lastIndexOf('.') + 1))
    .join('_')
    .toUpperCase();
}

/** "io.systemd.UserDatabase" → io, systemd, User, Database */
function words(name: string): string[] {
  return name.split(/[.-]|(?<=[a-z0-9])(?=[A-Z])/);
}

function templateLiteral(text: string): string {
  return `\`${text.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\``;
}

function header(source: string, purpose = ''): string {
  return `/** Generated from ${source} by "npm run generate": change that file, not this one. ${purpose && `${purpose} `}*/\n`;
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
    return [wordsLine(constant, type.values.map(quoted)), `export type ${name} = (typeof ${constant})[number];\n`];
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

/** The columns of a line, as biome.json has them. */
const COLUMNS_MAX = 120;

/** In one line if it fits, as the formatter writes it. */
function wordsLine(constant: string, words: readonly string[]): string {
  const line = `export const ${constant} = [${words.join(', ')}] as const;\n`;
  return line.length <= COLUMNS_MAX + 1
    ? line
    : `export const ${constant} = [\n${words.map(word => `  ${word},\n`).join('')}] as const;\n`;
}
