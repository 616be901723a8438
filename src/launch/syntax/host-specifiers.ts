/** Specifiers of the host: its names and ids, read from the files in which the kernel and systemd keep them. */
import { type Fail, quote } from '../errors.ts';
import type { Questions } from '../plan/questions.ts';

export type HostFiles = Pick<Questions, 'file' | 'glob' | 'knows'>;

/** Enough for a host name (HOST_NAME_MAX 64), a release (65), a pretty name; more is nothing that these files hold. */
const VALUE_MAX = 256;
const HOST_NAME = '/proc/sys/kernel/hostname';
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

const OS_FIELDS: Readonly<Record<string, string>> = {
  o: 'ID',
  w: 'VERSION_ID',
  W: 'VARIANT_ID',
  B: 'BUILD_ID',
  M: 'IMAGE_ID',
  A: 'IMAGE_VERSION',
};

/** @returns the value, "" while the launcher is being asked for it; undefined if the letter is another specifier's */
export function hostSpecifier(letter: string, host: HostFiles, fail: Fail): string | undefined {
  switch (letter) {
    case 's':
      // The shell of root, which systemd takes if nothing else is configured.
      return host.glob('/bin/bash') === undefined ? '/bin/sh' : '/bin/bash';
    case 'H':
      return firstLine(HOST_NAME, letter, host, fail);
    case 'l':
      return firstLine(HOST_NAME, letter, host, fail).replace(/\..*$/s, '');
    case 'q':
      return release(host, ['/etc/machine-info'], 'PRETTY_HOSTNAME') || firstLine(HOST_NAME, letter, host, fail);
    case 'm':
      return firstLine('/etc/machine-id', letter, host, fail);
    case 'b':
      return firstLine('/proc/sys/kernel/random/boot_id', letter, host, fail).replaceAll('-', '');
    case 'v':
      return firstLine('/proc/sys/kernel/osrelease', letter, host, fail);
    case 'a': {
      const machine = firstLine('/proc/sys/kernel/arch', letter, host, fail);
      return ARCHITECTURES[machine] ?? machine;
    }
    default: {
      const field = OS_FIELDS[letter];
      return field === undefined ? undefined : release(host, OS_RELEASE, field);
    }
  }
}

function firstLine(path: string, letter: string, host: HostFiles, fail: Fail): string {
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
function release(host: HostFiles, paths: readonly string[], field: string): string {
  for (const path of paths) {
    const text = host.file(path);
    if (text !== undefined) {
      const line = text.split('\n').find(candidate => candidate.startsWith(`${field}=`));
      const value = line?.slice(field.length + 1).trim() ?? '';
      return value
        .replace(/^(["'])(.*)\1$/, '$2')
        .replace(/\\(.)/g, '$1')
        .slice(0, VALUE_MAX);
    }
    if (!host.knows('file', path)) {
      return '';
    }
  }
  return '';
}
