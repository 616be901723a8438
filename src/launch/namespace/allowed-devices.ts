/** Which of the host's devices DeviceAllow= means. Pure. */
import { patternOf } from '../../core/pattern.ts';
import type { DeviceRule } from '../properties/devices.ts';

/** What the launcher saw: device_list.h says how it is written. */
export interface DeviceFindings {
  /** the devices and links below /dev */
  readonly listing: readonly string[];
  /** the text of /proc/devices */
  readonly groups: string;
}

export interface AllowedDevices {
  /** by their paths, with what may be done to each */
  readonly nodes: ReadonlyMap<string, { readonly read: boolean; readonly write: boolean }>;
  /** whether the pseudo-terminals are among them */
  readonly terminals: boolean;
  /** what the host has no device for */
  readonly missing: readonly string[];
}

interface Node {
  readonly type: string;
  readonly number: string;
  readonly path: string;
}

/** A link may lead to a link; more than these lead nowhere. */
const HOPS_MAX = 8;

export class HostDevices {
  readonly #nodes: readonly Node[];
  readonly #links: ReadonlyMap<string, string>;
  readonly #groups: string;

  constructor({ listing, groups }: DeviceFindings) {
    this.#nodes = listing.flatMap(line => {
      const [, type = '', number = '', path] = /^([cb]) (\d+:\d+) (\/.*)$/s.exec(line) ?? [];
      return path === undefined ? [] : [{ type, number, path }];
    });
    this.#links = new Map(
      listing.flatMap(line => {
        const [, path = '', target] = /^l (\/[^\t]*)\t(.*)$/s.exec(line) ?? [];
        return target === undefined ? [] : [[path, target] as const];
      }),
    );
    this.#groups = groups;
  }

  allowed(rules: readonly DeviceRule[]): AllowedDevices {
    const nodes = new Map<string, { read: boolean; write: boolean }>();
    const missing: string[] = [];
    let terminals = false;
    for (const { specifier, read, write } of rules.filter(rule => rule.read || rule.write)) {
      const isOfTerminals = this.#isOfTerminals(specifier);
      const paths = this.#pathsOf(specifier);
      terminals ||= isOfTerminals;
      if (paths.length === 0 && !isOfTerminals) {
        missing.push(specifier);
      }
      for (const path of paths) {
        const known = nodes.get(path);
        nodes.set(path, { read: read || known?.read === true, write: write || known?.write === true });
      }
    }
    return { nodes, terminals, missing };
  }

  /** @returns the links that lead to one of the paths, in the order of their own */
  linksTo(paths: ReadonlySet<string>): (readonly [path: string, target: string])[] {
    return [...this.#links].filter(([path]) => paths.has(this.#resolve(path))).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #isOfTerminals(specifier: string): boolean {
    return (
      specifier === '/dev/ptmx' ||
      specifier.startsWith('/dev/pts/') ||
      (specifier.startsWith('char-') && patternOf(specifier.slice('char-'.length), true)('pts'))
    );
  }

  #pathsOf(specifier: string): string[] {
    const [, group, pattern = ''] = /^(char|block)-(.*)$/s.exec(specifier) ?? [];
    if (group !== undefined) {
      const majors = majorsOf(this.#groups, group, pattern);
      return this.#nodes
        .filter(({ type, number }) => type === group.charAt(0) && majors.has(number.split(':')[0] ?? ''))
        .map(({ path }) => path);
    }
    const [, type, number] = /^\/dev\/(char|block)\/(\d+:\d+)$/.exec(specifier) ?? [];
    const path = this.#resolve(specifier);
    const found = this.#nodes.filter(
      node => node.path === path || (type?.charAt(0) === node.type && number === node.number),
    );
    return found.map(node => node.path);
  }

  #resolve(path: string): string {
    let place = path;
    for (let hops = 0; hops < HOPS_MAX; hops++) {
      const target = this.#links.get(place);
      if (target === undefined) {
        return place;
      }
      const components = target.startsWith('/') ? [] : place.split('/').slice(0, -1);
      for (const name of target.split('/')) {
        if (name === '..') {
          components.pop();
        } else if (name !== '' && name !== '.') {
          components.push(name);
        }
      }
      place = `/${components.filter(name => name !== '').join('/')}`;
    }
    return place;
  }
}

/**
 * @param text of /proc/devices (proc_devices(5))
 * @param pattern of fnmatch(3)
 * @returns the major numbers of the groups that match
 */
function majorsOf(text: string, group: string, pattern: string): ReadonlySet<string> {
  const title = group === 'char' ? 'Character devices:' : 'Block devices:';
  const majors = new Set<string>();
  let isOurs = false;
  const matches = patternOf(pattern, true);
  for (const line of text.split('\n')) {
    const [, major, name = ''] = /^ *(\d+) (.+)$/.exec(line) ?? [];
    if (major === undefined) {
      isOurs = line.trim() === title || (isOurs && line.trim() === '');
    } else if (isOurs && matches(name)) {
      majors.add(major);
    }
  }
  return majors;
}
