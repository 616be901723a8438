/** Which tests can see a change of a file of src: those that load it, and those that run a program that has it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { readTestFile, type TestFile } from '../support/test-file.ts';

/**
 * The files that run the programs, by the part of src that they concern; quick ones first. If a file is named, or a
 * folder of a folder, its tests come first.
 */
const RUNNING: Readonly<Record<string, readonly string[]>> = {
  allocator: ['integration/daemon/', 'system/locks', 'system/units'],
  api: ['integration/daemon/', 'integration/cli/real-daemon', 'system/whole'],
  bin: ['unit/bin/', 'integration/daemon/', 'integration/cli/real-daemon', 'system/units'],
  cli: ['integration/cli/', 'system/doctor'],
  'host/audit-socket': ['system/other-kernel/audit'],
  'cli/doctor/': ['system/doctor', 'system/whole'],
  'cli/fleet/': ['system/fleet/operators'],
  'cli/image/': ['integration/cli/image', 'system/portable'],
  'cli/judge-unit': ['system/portable'],
  'cli/orphans/': ['system/orphans'],
  'cli/page/': ['system/history'],
  'cli/verbs/fleet': ['system/fleet/'],
  'cli/verbs/history': ['system/history'],
  'cli/verbs/image': ['integration/cli/image', 'system/portable'],
  'cli/verbs/orphans': ['system/orphans'],
  client: ['integration/client/'],
  core: ['integration/daemon/', 'system/systemd'],
  daemon: ['integration/daemon/', 'system/units', 'system/idle-exit'],
  dbus: ['integration/dbus/', 'system/dbus', 'system/faults', 'system/dbus-daemon'],
  directories: ['integration/directories/', 'integration/daemon/', 'system/whole', 'system/launch/article'],
  etcd: ['system/fleet/'],
  files: ['integration/daemon/', 'integration/directories/'],
  fleet: ['system/fleet/'],
  fleetd: ['system/fleet/'],
  history: ['system/history'],
  host: ['integration/daemon/', 'system/locks', 'system/units', 'system/enumeration'],
  launch: ['integration/daemon/launch', 'system/launch', 'integration/run/bare'],
  nscd: ['system/nscd'],
  registry: ['integration/daemon/', 'system/whole'],
  tooling: ['integration/staging', 'integration/client/package', 'unit/tooling'],
  varlink: ['integration/daemon/bad-input', 'integration/daemon/lifetimes', 'integration/cli/real-daemon'],
};

export interface Choice {
  /** unit and contract tests that load the file, the most direct first: they run with the compiled file as it was changed */
  readonly loading: readonly TestFile[];
  /** tests of the other tiers: they run with programs that are bundled from the changed file */
  readonly running: readonly TestFile[];
}

export class TestChooser {
  readonly #dist: string;
  readonly #tests: readonly TestFile[];
  readonly #imports = new Map<string, readonly string[]>();

  /** @param dist the folder of what was compiled, with a slash at its end @param durations of each file, in milliseconds */
  constructor(dist: string, durations: Readonly<Record<string, number>>) {
    this.#dist = dist;
    this.#tests = readdirSync(`${dist}test`, { recursive: true, encoding: 'utf8' })
      .filter(path => /^(?:unit|contract|integration|native|system)\/.*\.test\.js$/.test(path))
      .sort((one, other) => (durations[one] ?? 0) - (durations[other] ?? 0))
      .map(readTestFile);
  }

  /** @param file such as src/core/name.js */
  choose(file: string): Choice {
    const loads = this.#tests
      .map(test => ({ test, distance: this.#reach(`test/${test.path}`).get(file) ?? Number.POSITIVE_INFINITY }))
      .filter(({ distance }) => Number.isFinite(distance))
      .sort((one, other) => one.distance - other.distance)
      .map(({ test }) => test);
    const quick = ({ path }: TestFile): boolean => /^(?:unit|contract)\//.test(path);
    const [, folder = ''] = file.split('/');
    const running = new Set([
      ...Object.keys(RUNNING).flatMap(part =>
        part.includes('/') && file.startsWith(`src/${part}`) ? this.#of(part) : [],
      ),
      ...loads.filter(test => !quick(test)),
      ...this.#of(folder),
    ]);
    const loading = loads.filter(quick);
    return { loading, running: [...running].filter(test => !loading.includes(test)) };
  }

  #of(part: string): readonly TestFile[] {
    return (RUNNING[part] ?? []).flatMap(prefix => this.#tests.filter(({ path }) => path.startsWith(prefix)));
  }

  /** @returns every file below dist that a file loads, and it, each with the number of imports that lead to it at least */
  #reach(file: string): ReadonlyMap<string, number> {
    const distances = new Map([[file, 0]]);
    // A Map gives the entries that are added meanwhile, too.
    for (const [path, distance] of distances) {
      for (const next of this.#importsOf(path)) {
        if (!distances.has(next)) {
          distances.set(next, distance + 1);
        }
      }
    }
    return distances;
  }

  #importsOf(file: string): readonly string[] {
    let imports = this.#imports.get(file);
    if (imports === undefined) {
      const text = existsSync(this.#dist + file) ? readFileSync(this.#dist + file, 'utf8') : '';
      imports = ts
        .preProcessFile(text)
        .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) => posix.join(posix.dirname(file), fileName));
      this.#imports.set(file, imports);
    }
    return imports;
  }
}
