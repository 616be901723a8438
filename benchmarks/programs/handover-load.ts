/**
 * Runs inside a machine with systemd and hands trees on its disk over, each round by everyone in turn: chown(1), our
 * helper, our own handover of a mapped tree, and systemd's own start of a unit. Prints one line of JSON; handover.bench.ts reads
 * it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import type { DirectoryUser } from '../../src/allocator/directory-ports.ts';
import { asGid, asUid } from '../../src/core/ids.ts';
import { parseUserName } from '../../src/core/name.ts';
import { openDirectories } from '../../src/directories/open-directories.ts';
import { HelperPathInspector } from '../../src/host/helper/path-inspector.ts';
import { HostOwnerHints } from '../../src/host/owner-hints.ts';
import { HELPER, makeFlat } from '../../test/native/tree/fixture.ts';
import { median } from '../support/statistics.ts';

/** Files in a directory, and the sizes of the trees with their rounds: a median of three is one that a hiccup cannot move. */
const FILES = 1_000;
const SIZES = [
  { directories: 100, rounds: 7 },
  { directories: 1_000, rounds: 3 },
] as const;
const SMALL = { directories: 1_000, files: 8, rounds: 7 };

const [FIRST, SECOND, STATIC] = [61_301, 61_302, 1_000];

/** Medians in milliseconds. */
export interface HandoverFigures {
  readonly tree: string;
  readonly chownChange: number;
  readonly ourChange: number;
  readonly chownNothing: number;
  readonly ourNothing: number;
  readonly ourMap: number;
  /** starts of a unit whose tree changes owners, whose tree is mapped, and that has none */
  readonly systemdChange: number;
  readonly systemdMap: number;
  readonly systemdStart: number;
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Writes out what the last one has left, so that nobody pays for another's work. */
function settle(): void {
  execFileSync('sync');
}

function timed(action: () => void): number {
  settle();
  const before = now();
  action();
  return now() - before;
}

function chownTree(top: string, owner: number): void {
  execFileSync('chown', ['-R', `${owner}:${owner}`, top]);
}

function ourChown(top: string, owner: number): void {
  const descriptor = openSync(top, constants.O_RDONLY | constants.O_DIRECTORY);
  const verb = ['tree', 'chown', String(owner), String(owner), '755'];
  const { status, stderr } = spawnSync(HELPER, verb, { stdio: ['ignore', 'pipe', 'pipe', descriptor] });
  closeSync(descriptor);
  if (status !== 0) {
    throw new Error(`dynuser-helper: ${status} ${stderr}`);
  }
}

function startUnit(directory?: string): void {
  const state = directory === undefined ? [] : ['-p', `StateDirectory=${directory}`];
  execFileSync('systemd-run', ['-q', '--wait', '-p', 'DynamicUser=yes', ...state, 'true']);
}

function userOf(id: number): DirectoryUser {
  const name = parseUserName('bench');
  const [uid, gid] = [asUid(id), asGid(id)];
  if (!('name' in name) || uid === undefined || gid === undefined) {
    throw new TypeError(`no user ${id}`);
  }
  return { name: name.name, uid, gid, dynamic: true };
}

const inspector = new HelperPathInspector([HELPER]);
const directories = openDirectories(HELPER, { hints: new HostOwnerHints(), inspector });

async function ourMap(directory: string, owner: number): Promise<number> {
  const request = { runtime: [], state: [directory], cache: [], logs: [] };
  const requested = directories.requested(request, { modes: {}, preserveRuntime: false });
  settle();
  const before = now();
  const options = { makesMounts: true, verify: false, live: () => [] };
  await using prepared = await directories.prepare(requested, userOf(owner), options);
  prepared.commit();
  const kind = prepared.directories[0]?.handover;
  await prepared.publish();
  const time = now() - before;
  if (kind !== 'map') {
    throw new Error(`the tree is handed over by ${kind}, and was to be mapped`);
  }
  return time;
}

async function measure(name: string, directories: number, files: number, rounds: number): Promise<HandoverFigures> {
  const top = `/var/lib/private/${name}`;
  makeFlat(top, directories, files, STATIC);
  const times = Array.from({ length: 8 }, (): number[] => []);
  for (let round = 0; round < rounds; round++) {
    const figures = [
      timed(() => chownTree(top, FIRST)),
      timed(() => ourChown(top, SECOND)),
      timed(() => chownTree(top, SECOND)),
      timed(() => ourChown(top, SECOND)),
    ];
    chownTree(top, 65_534);
    figures.push(
      await ourMap(name, round % 2 === 0 ? FIRST : SECOND),
      timed(() => startUnit(name)),
    );
    // An owner that is not a candidate for systemd, which then changes every inode.
    chownTree(top, STATIC);
    figures.splice(
      5,
      0,
      timed(() => startUnit(name)),
    );
    figures.push(timed(() => startUnit()));
    for (const [index, figure] of figures.entries()) {
      times[index]?.push(figure);
    }
  }
  execFileSync('rm', ['-rf', top]);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = times.map(median);
  return {
    tree: `${(directories * files).toLocaleString('en')} files in ${directories.toLocaleString('en')} directories`,
    ...{ chownChange: a, ourChange: b, chownNothing: c, ourNothing: d },
    ...{ ourMap: e, systemdChange: f, systemdMap: g, systemdStart: h },
  };
}

execFileSync('mkdir', ['-p', '-m', '0700', '/var/lib/private']);
const figures: HandoverFigures[] = [await measure('small', SMALL.directories, SMALL.files, SMALL.rounds)];
for (const { directories, rounds } of SIZES) {
  figures.push(await measure(`of-${directories}`, directories, FILES, rounds));
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
await inspector.close();
