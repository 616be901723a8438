/** The packages of this checkout, built for a test, and the fresh Debian that they are installed in (.ci/prepare packages). */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import type { Machine } from './machine.ts';

const BUILD_DEADLINE_MS = 180_000;

/** The system that `.ci/prepare packages` has made. */
export const FRESH_DEBIAN = `${CHECKOUT}dist/debian-root`;
/** The same of an older release, without Node. */
export const OLDER_DEBIAN = `${CHECKOUT}dist/older-debian-root`;

/** @returns the directory that the packages are in; the caller removes it */
export function buildPackages(version: string, { checkout = CHECKOUT, standalone = false } = {}): string {
  const output = mkdtempSync(join(tmpdir(), 'dynuser-packages-'));
  execFileSync(
    process.execPath,
    [
      `${checkout}/dist/src/tooling/package.js`,
      `--version=${version}`,
      `--output=${output}`,
      ...(standalone ? [] : ['--without-standalone']),
    ],
    {
      timeout: BUILD_DEADLINE_MS,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' },
    },
  );
  return output;
}

/** @returns the path of a package, by the beginning of its file's name and its end */
export function packageIn(directory: string, beginning: string, end = '.deb'): string {
  const [name, ...others] = readdirSync(directory).filter(each => each.startsWith(beginning) && each.endsWith(end));
  if (name === undefined || others.length > 0) {
    throw new Error(`${directory}: not one ${beginning}*${end}`);
  }
  return join(directory, name);
}

/** Puts files of the host into a machine. */
export async function carryInto(machine: Machine, directory: string, files: readonly string[]): Promise<void> {
  execFileSync('cp', ['--', ...files, machine.path(directory)]);
}
