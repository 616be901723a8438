/**
 * Which module of src may import which: the table of ARCHITECTURE.md. A module is a folder of src.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { circlesOf, type Import, importsOf } from '../support/imports.ts';
import { readSource, sourcesBelow } from '../support/sources.ts';

/** What a module may import of others: values and types. A path with a file names that file alone. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  varlink: [],
  files: [],
  allocator: ['core'],
  registry: ['core', 'files'],
  history: ['core', 'files'],
  host: ['core', 'files'],
  directories: ['core', 'files'],
  // It speaks with the companion, and knows that by its interface.
  fleet: ['core', 'files', 'varlink', 'api/generated'],
  dbus: ['core'],
  // Its sockets are served as those of varlink are.
  nscd: ['varlink'],
  launch: ['core'],
  // The syntax of a directory's value is part of the request, and pure.
  api: ['varlink', 'nscd', 'allocator', 'core', 'launch'],
  // check judges unit files itself, so that it needs no daemon.
  // The history is read by its files.
  // Images are read, and attached, by pinned directories.
  cli: ['client', 'varlink', 'api/generated', 'core', 'launch', 'files', 'history/format.ts', 'history/read.ts'],
  // Published: what it loads is what every program that uses it loads.
  client: ['varlink', 'api/generated', 'core'],
  daemon: [
    'api',
    'allocator',
    'core',
    'varlink',
    'nscd',
    'registry',
    'history',
    'host',
    'directories',
    'dbus',
    'fleet',
    'files',
  ],
  etcd: [],
  // A separate program, which serves one interface.
  fleetd: ['etcd', 'varlink', 'api/generated', 'core', 'host', 'files'],
  bin: ['daemon', 'cli', 'fleetd', 'host', 'core'],
  // The manuals and the completions are made from the tables of commands and of properties.
  tooling: ['varlink', 'core', 'cli/command.ts', 'cli/commands.ts', 'cli/render/text.ts', 'launch/properties/table.ts'],
};

/** What a module may import as types alone: ports are implemented, not called, by the adapters. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  registry: ['allocator/ports.ts'],
  history: ['allocator/events.ts'],
  host: ['allocator/ports.ts'],
  directories: ['allocator/directory-ports.ts'],
  dbus: ['allocator/ports.ts'],
  fleet: ['allocator/fleet-port.ts', 'allocator/ports.ts'],
  api: ['dbus/port.ts'],
  // The plan is what the interface says.
  launch: ['api/generated'],
};

/** Packages, each with the only files that may import it. */
const IMPORTERS: Readonly<Record<string, RegExp>> = {
  '@2060.io/ffi-napi': /^src\/host\/libc\/libc\.ts$/,
  '@2060.io/ref-napi': /^src\/host\/libc\/libc\.ts$/,
  pino: /^src\/daemon\/logger\.ts$/,
  'proper-lockfile': /^src\/directories\/apply\/lock\.ts$/,
  '@jellybrick/dbus-next': /^src\/dbus\//,
  '@bufbuild/protobuf': /^src\/etcd\//,
  '@connectrpc/connect': /^src\/etcd\//,
  '@connectrpc/connect-node': /^src\/etcd\//,
  esbuild: /^src\/tooling\/bundle\.ts$/,
};

function moduleOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function covers(allowed: readonly string[], to: string): boolean {
  return allowed.some(entry => to === `src/${entry}` || to.startsWith(`src/${entry}/`));
}

/** @returns why the import is against the table, or undefined where it is not */
function violation({ from, to, typeOnly }: Import): string | undefined {
  const module = moduleOf(from);
  const allowed = MAY_IMPORT[module];
  if (allowed === undefined) {
    return `${from}: the module ${module} is not in the table`;
  }
  if (to.startsWith('node:')) {
    return undefined;
  }
  if (!to.startsWith('src/')) {
    const name = to
      .split('/')
      .slice(0, to.startsWith('@') ? 2 : 1)
      .join('/');
    return IMPORTERS[name]?.test(from) === true ? undefined : `${from} imports the package ${to}`;
  }
  const types = typeOnly ? (MAY_IMPORT_TYPES[module] ?? []) : [];
  return moduleOf(to) === module || covers(allowed, to) || covers(types, to) ? undefined : `${from} imports ${to}`;
}

describe('directions between the modules', () => {
  const files = sourcesBelow('src', '.ts').filter(path => !path.endsWith('.d.ts'));
  const imports = files.flatMap(path => importsOf(path, readSource(path)));

  it('every import of src is in the table', () => {
    assert.ok(imports.length > 100, `${imports.length} imports are too few to be all`);
    assert.deepEqual(
      imports.map(violation).filter(reason => reason !== undefined),
      [],
    );
  });

  it('finds what is against the table', () => {
    const text = [
      "import { a } from '../allocator/allocate.ts';",
      "import type { Probe } from '../allocator/ports.ts';",
      "import {\n  flock,\n} from '../host/libc/libc.ts';",
      "export * from '../registry/store.ts';",
      "import '../daemon/main.ts';",
      "const late = await import('../cli/commands.ts');",
      "import pino from 'pino';",
      "import bindings from '@2060.io/ffi-napi/lib/bindings.js';",
      "import { readFileSync } from 'node:fs';",
    ].join('\n');
    assert.deepEqual(
      importsOf('src/registry/new.ts', text)
        .map(violation)
        .filter(reason => reason !== undefined),
      [
        'src/registry/new.ts imports src/allocator/allocate.ts',
        'src/registry/new.ts imports src/host/libc/libc.ts',
        'src/registry/new.ts imports src/daemon/main.ts',
        'src/registry/new.ts imports src/cli/commands.ts',
        'src/registry/new.ts imports the package pino',
        'src/registry/new.ts imports the package @2060.io/ffi-napi/lib/bindings.js',
      ],
    );
  });

  it('no file is loaded by a name that these tests cannot read', () => {
    assert.throws(() => importsOf('src/a.ts', 'await import(name);'), /^Error: src\/a\.ts: .* computed: name$/);
    assert.throws(() => importsOf('src/a.ts', 'require(directory + name);'), /computed/);
  });

  it('no files of src import each other in a circle, not even types', () => {
    assert.deepEqual(circlesOf(imports), []);
  });

  it('finds circles of any length', () => {
    const edges = (text: string) => text.split(' ').map(edge => ({ from: edge.charAt(0), to: edge.charAt(1) }));
    assert.deepEqual(circlesOf(edges('ab bc cd ac bd')), []);
    assert.deepEqual(circlesOf(edges('ab bc ca bd db')), ['a -> b -> c -> a', 'b -> d -> b']);
    assert.deepEqual(circlesOf(edges('aa')), ['a -> a']);
  });

  it('core, allocator and launch, which decide, have no clock, randomness or I/O of their own', () => {
    const allowed = new Set(['node:buffer']);
    const pure = imports.filter(
      ({ from, to }) => /^src\/(?:core|allocator|launch)\//.test(from) && to.startsWith('node:'),
    );
    assert.deepEqual(
      pure.filter(({ to }) => !allowed.has(to)),
      [],
    );
    const impure = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.[a-z]|\bperformance\./;
    assert.deepEqual(
      files.filter(path => /^src\/(?:core|launch)\//.test(path) && impure.test(readSource(path))),
      [],
    );
  });
});
