/** Whether an extension is for a system: its extension-release against the system's os-release (os-release(5)). Pure. */
import { defined } from '../defined.ts';
import { quote } from '../errors.ts';
import { variablesIn } from '../syntax/environment-file.ts';
import type { Tree } from './trees.ts';

/** sysext: programs, below /usr and /opt. confext: configuration, below /etc. */
export type ExtensionClass = 'sysext' | 'confext';

export const HIERARCHIES: Readonly<Record<ExtensionClass, readonly string[]>> = {
  sysext: ['/usr', '/opt'],
  confext: ['/etc'],
};
const PLACES = { sysext: '/usr/lib/extension-release.d', confext: '/etc/extension-release.d' } as const;
const LEVELS = { sysext: 'SYSEXT_LEVEL', confext: 'CONFEXT_LEVEL' } as const;
const ANY = '_any';

type Release = ReadonlyMap<string, string>;

export interface ExtensionVerdict {
  readonly classes: readonly ExtensionClass[];
  /** the text of its extension-release, of the first class if it has two */
  readonly release?: string;
  readonly problem?: string;
}

/** @returns the os-release of a tree; empty without one, or while it is not known */
export function releaseOf(tree: Tree): Release {
  const [first, second] = ['/etc/os-release', '/usr/lib/os-release'].map(path => tree.file(path));
  return variablesIn(first ?? second ?? '');
}

/** The name of an extension, by that of its file: without .raw, and without the version after an underscore. */
function namesOf(source: string): readonly string[] {
  const name = source.slice(source.lastIndexOf('/') + 1).replace(/\.raw$/, '');
  const unversioned = name.replace(/_.*$/s, '');
  return unversioned === name || unversioned === '' ? [name] : [name, unversioned];
}

/** @returns its classes, and why it is not for the system; no class while that is not known */
export function judgeExtension(
  source: string,
  extension: Pick<Tree, 'file'>,
  system: Release,
  architecture: string,
): ExtensionVerdict {
  const classes: ExtensionClass[] = [];
  let first: string | undefined;
  for (const kind of ['sysext', 'confext'] as const) {
    const texts = namesOf(source).map(name => extension.file(`${PLACES[kind]}/extension-release.${name}`));
    const text = texts.find(found => found !== undefined);
    if (text === undefined) {
      continue;
    }
    const problem = problemOf(variablesIn(text), system, LEVELS[kind], architecture);
    if (problem !== undefined) {
      return { classes: [], problem };
    }
    classes.push(kind);
    first ??= text;
  }
  if (classes.length === 0) {
    const problem = `it has no extension-release.${namesOf(source)[0]} in ${PLACES.sysext} or ${PLACES.confext}, which would say what system it is for`;
    return { classes, problem };
  }
  // It would make another system of the one that it extends.
  return classes.includes('sysext') && extension.file('/usr/lib/os-release') !== undefined
    ? { classes: [], problem: 'it has an os-release, so it is a system, and not an extension of one' }
    : defined({ classes, release: first });
}

function problemOf(extension: Release, system: Release, level: string, architecture: string): string | undefined {
  const own = (name: string) => extension.get(name) ?? '';
  const host = (name: string) => system.get(name) ?? '';
  if (own('ARCHITECTURE') !== '' && ![ANY, architecture].includes(own('ARCHITECTURE'))) {
    return `it is for the architecture ${quote(own('ARCHITECTURE'))}, and this host is ${architecture}`;
  }
  if (own('ID') === ANY) {
    return undefined;
  }
  if (own('ID') === '') {
    return 'its extension-release has no ID=, so it does not say what system it is for';
  }
  if (own('ID') !== host('ID')) {
    return `it is for the system ${quote(own('ID'))}, and the root is ${quote(host('ID'))}`;
  }
  // A system that is never released has neither.
  if (host('VERSION_ID') === '' && host(level) === '') {
    return undefined;
  }
  const name = host(level) !== '' && own(level) !== '' ? level : 'VERSION_ID';
  return own(name) === host(name) ? undefined : `it is for ${name}=${own(name)}, and the root is ${host(name)}`;
}
