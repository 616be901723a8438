/** Specifiers of unit files (systemd.unit(5), "Specifiers") for a service of the system: %i, %n, %S and the others. */
import { checkLimit, type Fail } from '../errors.ts';
import { EXPANDED_MAX } from '../limits.ts';
import { type HostFiles, hostSpecifier } from './host-specifiers.ts';
import { type UnitName, unescapeUnitName } from './unit-name.ts';

/** The service manager is root's (%u and %h are of its own user, not of User=), and has no user's directories. */
const FIXED: Readonly<Record<string, string>> = {
  '%': '%',
  t: '/run',
  S: '/var/lib',
  C: '/var/cache',
  L: '/var/log',
  E: '/etc',
  D: '/usr/share',
  T: '/tmp',
  V: '/var/tmp',
  u: 'root',
  U: '0',
  g: 'root',
  G: '0',
  h: '/root',
};

const OF_UNIT: Readonly<Record<string, (unit: UnitName) => string>> = {
  n: unit => unit.name,
  N: unit => unit.name.slice(0, -'.service'.length),
  p: unit => unit.prefix,
  P: unit => unescapeUnitName(unit.prefix),
  i: unit => unit.instance ?? '',
  I: unit => unescapeUnitName(unit.instance ?? ''),
  j: unit => lastPart(unit.prefix),
  J: unit => unescapeUnitName(lastPart(unit.prefix)),
  f: unit => pathOf(unit.instance === undefined || unit.instance === '' ? unit.prefix : unit.instance),
};

/** What specifiers stand for in one launch; counts what they make of its text. */
export class Specifiers {
  readonly #unit: UnitName | undefined;
  readonly #unitFile: string | undefined;
  readonly #host: HostFiles;
  #made = 0;

  constructor(unit: UnitName | undefined, unitFile: string | undefined, host: HostFiles) {
    this.#unit = unit;
    this.#unitFile = unitFile;
    this.#host = host;
  }

  /**
   * @param quote what a value has to be to stand for itself in this text
   * @returns the text with every specifier replaced; a percent sign before anything but a letter or a digit is one
   * @throws through fail if the specifier is unknown or has no value here; DynuserError LimitReached
   */
  expand(text: string, fail: Fail, field: string, quote: (value: string) => string = value => value): string {
    return text.replace(/%([%A-Za-z0-9])/g, (_whole, letter: string) => {
      const value = this.#valueOf(letter, fail);
      this.#made += value.length;
      checkLimit(this.#made, EXPANDED_MAX, 'characters out of specifiers', field);
      return quote(value);
    });
  }

  #valueOf(letter: string, fail: Fail): string {
    const fixed = FIXED[letter];
    if (fixed !== undefined) {
      return fixed;
    }
    const ofUnit = OF_UNIT[letter];
    if (ofUnit !== undefined) {
      return this.#unit === undefined
        ? fail(`%${letter} is part of the unit's name, which is not known; give --unit=`)
        : ofUnit(this.#unit);
    }
    if (letter === 'y' || letter === 'Y') {
      const path = this.#unitFile ?? fail(`%${letter} is the path of a unit file; give --unit-file=, or leave it out`);
      return letter === 'y' ? path : path.slice(0, path.lastIndexOf('/')) || '/';
    }
    if (letter === 'd') {
      return fail('%d is the directory of credentials, which are not supported; leave it out');
    }
    return hostSpecifier(letter, this.#host, fail) ?? fail(`unknown specifier %${letter}; write a percent sign as %%`);
  }
}

function lastPart(prefix: string): string {
  return prefix.slice(prefix.lastIndexOf('-') + 1);
}

function pathOf(escaped: string): string {
  const path = unescapeUnitName(escaped);
  return path.startsWith('/') ? path : `/${path}`;
}
