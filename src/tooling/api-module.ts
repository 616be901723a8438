/** One interface definition as a TypeScript module: its text as it is served, and the types of what travels. Pure. */
import type { Documented, IdlEnum, IdlInterface, IdlStruct, IdlType } from '../varlink/idl/model.ts';
import { parseInterface } from '../varlink/idl/parse.ts';

/**
 * @param source the name of the file that the text is from
 * @param text the interface definition
 * @returns the module's name without a suffix, such as io-dynuser-allocator, and its text
 * @throws IdlError, and TypeError if two members would get the same name
 */
export function apiModule(source: string, text: string): { readonly name: string; readonly module: string } {
  const idl = parseInterface(text);
  const declarations = typeDeclarations(idl);
  const body = [...declarations].map(
    ([name, declaration]) => `${declaration.comment}export type ${name} = ${declaration.type};\n`,
  );
  const usesObject = body.some(declaration => declaration.includes('JsonObject'));
  const parts = [
    `/** Generated from ${source} by "npm run generate": change that file, not this one. */`,
    ...(usesObject ? ["import type { JsonObject } from '../../varlink/json.ts';"] : []),
    '',
    `export const ${constantName(idl.name)}_INTERFACE = ${templateLiteral(text)};`,
    '',
    body.join('\n'),
  ];
  return { name: words(idl.name).join('-').toLowerCase(), module: parts.join('\n') };
}

interface Declaration {
  readonly comment: string;
  readonly type: string;
}

function typeDeclarations(idl: IdlInterface): ReadonlyMap<string, Declaration> {
  const declarations = new Map<string, Declaration>();
  const declare = (name: string, documented: Documented, type: IdlEnum | IdlStruct) => {
    if (declarations.has(name)) {
      throw new TypeError(`${idl.name}: two members would both be the type ${name}`);
    }
    declarations.set(name, { comment: comment(documented.documentation, ''), type: typeText(type, '') });
  };
  for (const type of idl.types.values()) {
    declare(type.name, type, type.type);
  }
  for (const method of idl.methods.values()) {
    declare(`${method.name}Parameters`, method, method.parameters);
    declare(`${method.name}Reply`, { name: method.name, documentation: [] }, method.reply);
  }
  for (const error of idl.errors.values()) {
    declare(`${error.name}Parameters`, error, error.parameters);
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
    case 'named':
      return type.name;
    case 'enum':
      return type.values.map(value => `'${value}'`).join(' | ');
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

/** In brackets where the text of the type has operators of its own. */
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

export function templateLiteral(text: string): string {
  return `\`${text.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\``;
}
