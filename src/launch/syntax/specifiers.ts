/** Specifiers of unit files (systemd.unit(5), "Specifiers") for a service of the system: %i, %n, %S and the others. */
import { checkLimit, type Fail, quote } from '../errors.ts';
import { EXPANDED_MAX } from '../limits.ts';
import type { Questions } from '../plan/questions.ts';
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
  d: unit => `/run/credentials/${unit.name}`,
  f: unit => pathOf(unit.instance === undefined || unit.instance === '' ? unit.prefix : unit.instance),
};

/** Characters of a value: enough for a host name (HOST_NAME_MAX 64), a release (65) or a pretty name. */
const VALUE_MAX = 256;
const HOST_NAME = '/proc/sys/kernel/hostname';
/** Names and ids of the host that are the first line of a file, and what becomes of that. */
const FIRST_LINES: Readonly<Record<string, readonly [path: string, read?: (line: string) => string]>> = {
  H: [HOST_NAME],
  l: [HOST_NAME, name => name.replace(/\..*$/s, '')],
  m: ['/etc/machine-id'],
  b: ['/proc/sys/kernel/random/boot_id', id => id.replaceAll('-', '')],
  v: ['/proc/sys/kernel/osrelease'],
  a: ['/proc/sys/kernel/arch', architectureOf],
};
const OS_RELEASE = ['/etc/os-release', '/usr/lib/os-release'] as const;

/** uname(2)'s machine by systemd's name (systemd.unit(5), ConditionArchitecture=), if the two differ. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'x86-64',
  i386: 'x86',
  i486: 'x86',
  i586: 'x86',
  i686: 'x86',
  aarch64: 'arm64',
  armv7l: 'arm',
  armv6l: 'arm',
  ppc64le: 'ppc64-le',
};

/** @returns systemd's name of an architecture */
export function architectureOf(machine: string): string {
  return ARCHITECTURES[machine] ?? machine;
}

const OS_FIELDS: Readonly<Record<string, string>> = {
  o: 'ID',
  w: 'VERSION_ID',
  W: 'VARIANT_ID',
  B: 'BUILD_ID',
  M: 'IMAGE_ID',
  A: 'IMAGE_VERSION',
};

export interface SpecifierContext {
  readonly fail: Fail;
  /** the field of an error about the text */
  readonly field: string;
  readonly unknown: (specifier: string) => void;
}

/** What specifiers stand for in one launch; counts what they make of its text. */
export class Specifiers {
  readonly #unit: UnitName | undefined;
  readonly #unitFile: string | undefined;
  readonly #host: Questions;
  #made = 0;

  constructor(unit: UnitName | undefined, unitFile: string | undefined, host: Questions) {
    this.#unit = unit;
    this.#unitFile = unitFile;
    this.#host = host;
  }

  /**
   * @param unknown is called with "%" and a letter or a digit that is not a specifier: unless it throws, both stay as they are
   * @param protect escapes a value, so that it stands for itself in this text
   * @returns the text with every specifier replaced
   * @throws through fail if the specifier has no value here; DynuserError LimitReached
   */
  expand(
    text: string,
    { fail, field, unknown }: SpecifierContext,
    protect: (value: string) => string = value => value,
  ): string {
    return text.replace(/%([%A-Za-z0-9])/g, (whole, letter: string) => {
      const value = this.#valueOf(letter, fail);
      if (value === undefined) {
        unknown(whole);
        return whole;
      }
      this.#made += value.length;
      checkLimit(this.#made, EXPANDED_MAX, 'characters out of specifiers', field);
      return protect(value);
    });
  }

  #valueOf(letter: string, fail: Fail): string | undefined {
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
    return hostSpecifier(letter, this.#host, fail);
  }
}

function lastPart(prefix: string): string {
  return prefix.slice(prefix.lastIndexOf('-') + 1);
}

function pathOf(escaped: string): string {
  const path = unescapeUnitName(escaped);
  return path.startsWith('/') ? path : `/${path}`;
}

/** @returns the value, "" while the launcher is being asked for it; undefined if the letter is another specifier's */
function hostSpecifier(letter: string, host: Questions, fail: Fail): string | undefined {
  if (letter === 's') {
    // The shell of root, which systemd takes if nothing else is configured.
    return host.glob('/bin/bash') === undefined ? '/bin/sh' : '/bin/bash';
  }
  if (letter === 'q') {
    return release(host, ['/etc/machine-info'], 'PRETTY_HOSTNAME') || firstLine(HOST_NAME, letter, host, fail);
  }
  const [path, read] = FIRST_LINES[letter] ?? [];
  if (path !== undefined) {
    const line = firstLine(path, letter, host, fail);
    return read?.(line) ?? line;
  }
  const field = OS_FIELDS[letter];
  return field === undefined ? undefined : release(host, OS_RELEASE, field);
}

function firstLine(path: string, letter: string, host: Questions, fail: Fail): string {
  const text = host.file(path);
  if (text === undefined) {
    return host.knows('file', path)
      ? fail(`%${letter} is in ${path}, which is missing; create that file, or leave %${letter} out`)
      : '';
  }
  const line = text.split('\n', 1)[0] ?? '';
  return line === '' || line.length > VALUE_MAX
    ? fail(`%${letter} is ${quote(line)} in ${path}; correct that file, or leave %${letter} out`)
    : line;
}

/** A value of os-release(5) or machine-info(5): of the first of the files that there is. */
function release(host: Questions, paths: readonly string[], field: string): string {
  for (const path of paths) {
    const variables = host.variables(path);
    if (variables !== undefined) {
      return (variables.get(field) ?? '').slice(0, VALUE_MAX);
    }
    if (!host.knows('file', path)) {
      return '';
    }
  }
  return '';
}
