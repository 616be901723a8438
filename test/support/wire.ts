/** What an interface looks like on the wire, one line for each thing that a peer of another version may rely on. */
import type { IdlInterface, IdlType } from '../../src/varlink/idl/model.ts';

/** @returns lines such as "LaunchPlan.uid: int", "Acquire <- unit: string", "Acquire -> uid: ?int" and "Lifetime = timed" */
export function wireOf({ types, methods, errors }: IdlInterface): string[] {
  return [
    ...[...types.values()].flatMap(({ name, type }) => membersOf(type, name, '.')),
    ...[...methods.values()].flatMap(({ name, parameters, reply }) => [
      `method ${name}`,
      ...membersOf(parameters, name, ' <- '),
      ...membersOf(reply, name, ' -> '),
    ]),
    ...[...errors.values()].flatMap(({ name, parameters }) => [
      `error ${name}`,
      ...membersOf(parameters, `error ${name}`, '.'),
    ]),
  ];
}

function membersOf(type: IdlType, owner: string, separator: string): string[] {
  if (type.kind === 'enum') {
    return type.values.map(value => `${owner} = ${value}`);
  }
  if (type.kind !== 'struct') {
    return [];
  }
  return [...type.fields.values()].flatMap(field => {
    const place = `${owner}${separator}${field.name}`;
    return [`${place}: ${typeWords(field.type)}`, ...membersOf(innermost(field.type), place, '.')];
  });
}

function innermost(type: IdlType): IdlType {
  return 'element' in type ? innermost(type.element) : type;
}

function typeWords(type: IdlType): string {
  switch (type.kind) {
    case 'maybe':
      return `?${typeWords(type.element)}`;
    case 'array':
      return `[]${typeWords(type.element)}`;
    case 'map':
      return `[string]${typeWords(type.element)}`;
    case 'named':
      return type.name;
    default:
      return type.kind;
  }
}

/** The lines of an interface that an older peer would miss, and those that it could not do without and does not have. */
export function breaches(released: readonly string[], now: readonly string[]): string[] {
  const [before, after] = [new Set(released), new Set(now)];
  const owners = new Set(released.map(ownerOf));
  return [
    ...released.filter(line => !after.has(line)).map(line => `gone: ${line}`),
    ...now.filter(line => !before.has(line) && owners.has(ownerOf(line)) && isDemand(line)).map(line => `new: ${line}`),
  ];
}

/** @returns what a line is a part of: a type, or one direction of a method */
function ownerOf(line: string): string {
  return /^[^:=]*(?:\.| <- | -> )/.exec(line)?.[0] ?? line.replace(/ = .*/, '');
}

/** Whether both sides have to have it: a value that is not sent, and a field that may be absent, disturb nobody. */
function isDemand(line: string): boolean {
  return line.includes(': ') && !line.includes(': ?');
}
