/**
 * `npm run test:units [-- --fetch --all]`: takes the unit files out of Debian's packages that packages.txt names, and judges each by
 * `dynuser-run --check`: the share that is accepted among those with DynamicUser=, and among others with User=, and what is refused, and
 * why. It needs apt-get and its mirror. What was fetched is kept in dist/units; --fetch fetches it again, --all also tells of what is ignored.
 * Exit status 0 if the shares below are reached, and all services with DynamicUser= of some packages are accepted.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CheckedUnit } from '../../src/cli/render/check.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { readSource } from '../support/sources.ts';

const KEPT = `${CHECKOUT}dist/units`;
const LAUNCHER = `${CHECKOUT}dist/lib/dynuser-run`;
/** Where packages have the units of the system. */
const FOLDERS = ['usr/lib/systemd/system', 'lib/systemd/system'];
/** Bounds: packages in all and of one call of apt-get, and the time that one call may take. */
const PACKAGES_MAX = 250;
const BATCH = 25;
const BATCH_LIMIT_MS = 300_000;
const OUTPUT_MAX = 64 * 1_048_576;
/** The least that is accepted of each group. */
const SHARES = { dynamic: 0.95, user: 0.85 } as const;
const UNITS_LEAST = 150;
/** All services with DynamicUser= of these are accepted. */
const WHOLE = (
  'chrony cockpit-ws earlyoom molly-brown mptcpd shadowsocks-libev stubby systemd systemd-journal-remote usbrelayd v2ray ' +
  'wsdd2'
).split(' ');

type Group = keyof typeof SHARES;
const TITLES: Readonly<Record<Group, string>> = { dynamic: 'with DynamicUser=', user: 'others with User=' };

interface Unit extends CheckedUnit {
  readonly package: string;
  readonly group: Group;
}

function run(program: string, argv: readonly string[], cwd: string): string {
  const limits = { timeout: BATCH_LIMIT_MS, maxBuffer: OUTPUT_MAX } as const;
  const { status, stdout, stderr, error } = spawnSync(program, argv, { cwd, encoding: 'utf8', ...limits });
  if (error !== undefined || status !== 0) {
    throw new Error(`${program} ${argv.slice(0, 3).join(' ')} … failed: ${error?.message ?? stderr.slice(-2_000)}`);
  }
  return stdout;
}

function packageNames(): string[] {
  const names = readSource('test/units/packages.txt')
    .split(/\s+/)
    .filter(name => name !== '');
  if (names.length > PACKAGES_MAX) {
    throw new Error(`packages.txt has ${names.length} names; name at most ${PACKAGES_MAX}`);
  }
  return names;
}

/** Takes the folders of units out of each package. The folder appears under its name when all of it is there. */
function fetch(names: readonly string[]): void {
  const work = `${KEPT}.new`;
  rmSync(work, { recursive: true, force: true });
  for (let from = 0; from < names.length; from += BATCH) {
    const batch = names.slice(from, from + BATCH);
    const archives = `${work}/archives`;
    mkdirSync(archives, { recursive: true });
    process.stderr.write(`fetches ${from + batch.length} of ${names.length} packages\n`);
    run('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...batch], archives);
    for (const archive of readdirSync(archives)) {
      const [name = ''] = archive.split('_');
      mkdirSync(`${work}/${name}`);
      const take =
        'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards "./usr/lib/systemd/system/*" "./lib/systemd/system/*"';
      // A package without one of the two folders is not a failure; one without a unit shows below.
      spawnSync('sh', ['-c', take, 'sh', archive, `../${name}`], { cwd: archives, timeout: BATCH_LIMIT_MS });
    }
    rmSync(archives, { recursive: true });
  }
  rmSync(KEPT, { recursive: true, force: true });
  renameSync(work, KEPT);
}

function groupOf(text: string): Group | undefined {
  return /^DynamicUser=(?:1|yes|y|true|t|on)\s*$/im.test(text) ? 'dynamic' : /^User=/m.test(text) ? 'user' : undefined;
}

function unitFiles(): { path: string; package: string; group: Group }[] {
  return readdirSync(KEPT).flatMap(name =>
    FOLDERS.flatMap(folder => {
      const directory = join(KEPT, name, folder);
      const files = existsSync(directory) ? readdirSync(directory).sort() : [];
      return files.flatMap(file => {
        const path = join(directory, file);
        const group =
          file.endsWith('.service') && statSync(path, { throwIfNoEntry: false })?.isFile()
            ? groupOf(readFileSync(path, 'utf8'))
            : undefined;
        return group === undefined ? [] : [{ path, package: name, group }];
      });
    }),
  );
}

function judge(): Unit[] {
  const files = unitFiles();
  const { stdout, stderr, status } = spawnSync(
    LAUNCHER,
    ['--check', '--json=short', ...files.map(({ path }) => path)],
    {
      encoding: 'utf8',
      maxBuffer: OUTPUT_MAX,
      timeout: BATCH_LIMIT_MS,
    },
  );
  if (status !== 0 && status !== 1) {
    throw new Error(`dynuser-run --check failed: ${stderr}`);
  }
  const checked: readonly CheckedUnit[] = JSON.parse(stdout);
  return files.map((file, index) => {
    const found = checked[index];
    if (found?.unit !== file.path) {
      throw new Error(`dynuser-run --check says nothing of ${file.path}`);
    }
    return { ...found, package: file.package, group: file.group };
  });
}

const short = (text: string): string => text.replaceAll(/[^\s(]*\/([^/\s]+\.service):/g, '$1:');
const nameOf = ({ unit }: Unit): string => unit.slice(unit.lastIndexOf('/') + 1);

/** @returns the reasons, without places and values, with the units that they are of; the most frequent first */
function byReason(
  units: readonly Unit[],
  texts: (unit: Unit) => readonly string[],
): [reason: string, names: string[]][] {
  const found = new Map<string, string[]>();
  for (const unit of units) {
    for (const reason of new Set(
      texts(unit).map(text =>
        short(text)
          .replaceAll(/[^\s(]+\.service:\d+:? ?/g, '')
          .replace(' ()', ''),
      ),
    )) {
      found.set(reason, [...(found.get(reason) ?? []), nameOf(unit)]);
    }
  }
  return [...found].sort(([, one], [, other]) => other.length - one.length);
}

function report(units: readonly Unit[], all: boolean): boolean {
  const lines: string[] = [];
  let isReached = units.length >= UNITS_LEAST;
  for (const group of ['dynamic', 'user'] as const) {
    const members = units.filter(unit => unit.group === group);
    const accepted = members.filter(({ verdict }) => verdict === 'accepted').length;
    const isEnough = accepted >= SHARES[group] * members.length;
    isReached &&= isEnough;
    const share = ((100 * accepted) / Math.max(members.length, 1)).toFixed(1);
    lines.push(
      `${TITLES[group]}: ${accepted} of ${members.length} accepted, ${share} % (at least ${100 * SHARES[group]} %)`,
    );
  }
  const refused = units.filter(({ verdict }) => verdict === 'refused');
  const missing = refused.filter(unit => unit.group === 'dynamic' && WHOLE.includes(unit.package));
  isReached &&= missing.length === 0;
  lines.push(`with DynamicUser=, of ${WHOLE.length} packages that are to be accepted whole: ${missing.length} refused`);
  lines.push(
    '',
    'Refused:',
    ...refused.map(unit => `  ${unit.package} ${nameOf(unit)}: ${unit.refused.map(short).join('; ')}`),
  );
  const reasons = (list: [string, string[]][]) =>
    list.map(
      ([reason, names]) =>
        `  ${names.length} ${reason}: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`,
    );
  lines.push('', 'Reasons:', ...reasons(byReason(refused, unit => unit.refused)));
  if (all) {
    lines.push('', 'Ignored:', ...reasons(byReason(units, unit => unit.ignored)));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
  return isReached;
}

const { values } = parseArgs({
  options: { fetch: { type: 'boolean', default: false }, all: { type: 'boolean', default: false } },
});
if (values.fetch || !existsSync(KEPT)) {
  fetch(packageNames());
}
const judged = judge();
process.exitCode = report(judged, values.all) ? 0 : 1;
