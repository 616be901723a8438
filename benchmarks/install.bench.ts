/**
 * How long the packages take to be installed in a fresh Debian that has Node, on a disk, with all that dpkg syncs; and what they take there.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { buildPackages, FRESH_DEBIAN, packageIn } from '../test/support/built-packages.ts';
import { printTable, printTargets } from './support/report.ts';
import { median } from './support/statistics.ts';

const VERSION = '0.1.0~1';
const ROUNDS = 5;
const WANTED_MS = 10_000;
const PACKAGES = ['libnss-dynuser', 'dynuser'];
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

// Makes the Debian to install in, unless it is there.
execFileSync('sh', ['.ci/prepare', 'packages'], { cwd: CHECKOUT, stdio: ['ignore', 'ignore', 'inherit'] });
const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
const built = buildPackages(VERSION);
const took: number[] = [];
let sizes = '';
try {
  for (let round = 0; round < ROUNDS; round++) {
    const root = mkdtempSync('/var/tmp/dynuser-install-');
    try {
      execFileSync('cp', ['-a', `${FRESH_DEBIAN}/.`, root]);
      const debs = PACKAGES.map(name => packageIn(built, `${name}_`, `_${architecture}.deb`));
      execFileSync('cp', [...debs, `${root}/opt`]);
      execFileSync('sync');
      const start = performance.now();
      execFileSync('chroot', [root, 'dpkg', '-i', ...debs.map(path => `/opt/${basename(path)}`)], { stdio: 'pipe' });
      took.push(performance.now() - start);
      const query = ['dpkg-query', '-W', '-f', '$' + '{Installed-Size}\n', ...PACKAGES];
      sizes = execFileSync('chroot', [root, ...query], { encoding: 'utf8' });
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
} finally {
  rmSync(built, { recursive: true, force: true });
}
const kilobytes = sizes.trim().split('\n').map(Number);
printTable([
  ['dynuser and libnss-dynuser, five times', ''],
  ['installation, median', seconds(median(took))],
  ['the slowest', seconds(Math.max(...took))],
  ['installed size', `${(kilobytes.reduce((sum, each) => sum + each, 0) / 1024).toFixed(1)} MB`],
]);
printTargets([
  {
    what: 'installation, besides Node',
    wanted: '≤ 10 s',
    measured: seconds(median(took)),
    reached: median(took) <= WANTED_MS,
  },
]);
