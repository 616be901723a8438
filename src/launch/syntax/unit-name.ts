/** The parts of a unit's name (systemd.unit(5)), and the drop-in directories that belong to it. Pure. */
import { parseUnitName } from '../../core/name.ts';
import { type Fail, quote } from '../errors.ts';

const SERVICE = '.service';
/** systemd.unit(5), "Unit File Load Path": what an administrator, the running system and packages put there. */
const SEARCH_PATH = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
] as const;

export interface UnitName {
  /** with its suffix */
  readonly name: string;
  readonly prefix: string;
  /** undefined for a plain unit, empty for a template */
  readonly instance?: string;
}

/** @returns the parts of a service's name; one without a suffix gets it */
export function splitUnitName(text: string, fail: Fail): UnitName {
  const parsed = parseUnitName(text);
  if ('reason' in parsed) {
    return fail(parsed.reason);
  }
  const known = /\.(?:socket|mount|swap|slice|scope|timer|path|target|device|automount)$/.exec(text);
  if (known !== null) {
    return fail(`not a service: ${quote(text)}; only services can be launched`);
  }
  const stem = text.endsWith(SERVICE) ? text.slice(0, -SERVICE.length) : text;
  const at = stem.indexOf('@');
  if (stem === '' || at === 0) {
    return fail(`nothing before the suffix: ${quote(text)}; give the unit a name`);
  }
  const name = `${stem}${SERVICE}`;
  return at < 0 ? { name, prefix: stem } : { name, prefix: stem.slice(0, at), instance: stem.slice(at + 1) };
}

/**
 * @param file the name of a unit file
 * @param instance the instance of a template
 * @param fail of an error about the file
 * @returns the unit that the file is for
 */
export function unitOfFile(file: string, instance: string | undefined, fail: Fail, failInstance: Fail): UnitName {
  if (!file.endsWith(SERVICE)) {
    return fail(`not a service: ${quote(file)}; name a file that ends in ".service"`);
  }
  const parts = splitUnitName(file, fail);
  if (parts.instance === undefined && instance !== undefined) {
    return failInstance(
      `not a template: ${quote(file)}; leave --instance= out, or name a file that ends in "@.service"`,
    );
  }
  if (parts.instance === '' && (instance === undefined || instance === '')) {
    return failInstance(`a template without its instance: ${quote(file)}; name one with --instance=`);
  }
  if (parts.instance !== undefined && parts.instance !== '') {
    return instance === undefined || instance === parts.instance
      ? parts
      : failInstance(`${quote(file)} is already the instance ${quote(parts.instance)}; leave --instance= out`);
  }
  if (instance === undefined) {
    return parts;
  }
  if (!/^[A-Za-z0-9:_.\\@-]+$/.test(instance)) {
    return failInstance(`not an escaped instance: ${quote(instance)}; "systemd-escape" escapes it`);
  }
  return splitUnitName(`${parts.prefix}@${instance}${SERVICE}`, failInstance);
}

/** @returns a unit name of any text: what none can have is escaped, as systemd-run does it with --unit= */
export function escapeUnitName(text: string): string {
  return [...Buffer.from(text)]
    .map(byte => String.fromCharCode(byte))
    .map(character =>
      character === '/'
        ? '-'
        : /[A-Za-z0-9:_.\\@-]/.test(character)
          ? character
          : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )
    .join('');
}

/** @returns the text without the escapes of unit names: "-" is "/", "\x2d" is "-" (systemd-escape(1)) */
export function unescapeUnitName(text: string): string {
  const bytes = text.replace(/-|\\x([0-9a-fA-F]{2})/g, (_whole, hex: string | undefined) =>
    hex === undefined ? '/' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * The directories in which drop-ins of a unit are, those of higher priority first (systemd.unit(5)): its own, its
 * template's, those of each prefix that ends in a dash, and the ones of all services.
 * @param directory of the unit file
 */
export function dropInDirectories(unit: UnitName, directory: string): string[] {
  const search = SEARCH_PATH.some(path => path === directory) ? SEARCH_PATH : [directory, ...SEARCH_PATH];
  const mark = unit.instance === undefined ? '' : '@';
  const own = unit.instance === undefined || unit.instance === '' ? [] : [unit.name];
  const names = [...own, ...prefixesOf(unit.prefix).map(prefix => `${prefix}${mark}${SERVICE}`)];
  return [
    ...search.flatMap(path => names.map(name => `${join(path, name)}.d`)),
    ...search.map(path => join(path, 'service.d')),
  ];
}

/** @returns "a-b-c", "a-b-", "a-" of "a-b-c" */
function prefixesOf(prefix: string): string[] {
  const found = [prefix];
  for (let end = prefix.lastIndexOf('-', prefix.length - 2); end > 0; end = prefix.lastIndexOf('-', end - 1)) {
    found.push(prefix.slice(0, end + 1));
  }
  return found;
}

function join(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
