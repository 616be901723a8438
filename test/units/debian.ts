/**
 * Packages of Debian, with what they need and this host lacks: fetched by apt into dist/, and installed in throw-away machines alone.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import type { Machine } from '../support/machine.ts';

const FOLDER = `${CHECKOUT}dist/debian-packages`;
/** apt's own files lie there too, and what the host knows of packages stays as it is. */
const OPTIONS = [
  `Dir::State::lists=${FOLDER}/lists`,
  `Dir::Cache=${FOLDER}/cache`,
  `Dir::Cache::archives=${FOLDER}/archives`,
  'Debug::NoLocking=true',
  'APT::Sandbox::User=root',
].flatMap(option => ['-o', option]);
/** In milliseconds: of a mirror that is slow, and of dpkg on processors that others use as well. */
const FETCH_LIMIT_MS = 300_000;
const INSTALL_LIMIT_MS = 600_000;
const UNIT_FILES = './usr/lib/systemd/system/';

const run = promisify(execFile);

/**
 * @param names of packages
 * @returns their files, and those of what they need that is not installed here; no others are in their folder
 * @throws Error that says what apt complains about
 */
export async function fetchPackages(names: readonly string[]): Promise<readonly string[]> {
  // Of other versions, or of packages that nobody asks for any more.
  const archives = `${FOLDER}/archives`;
  mkdirSync(`${archives}/partial`, { recursive: true });
  mkdirSync(`${FOLDER}/lists/partial`, { recursive: true });
  mkdirSync(`${FOLDER}/none/partial`, { recursive: true });
  mkdirSync(`${FOLDER}/cache`, { recursive: true });
  const limit = { timeout: FETCH_LIMIT_MS };
  await run('apt-get', [...OPTIONS, '-q', 'update'], limit);
  const wanted = ['-q', '-y', '--no-install-recommends', '--reinstall', 'install', ...names];
  // It names those alone that are not there yet.
  const { stdout } = await run(
    'apt-get',
    [...OPTIONS, '-o', `Dir::Cache::archives=${FOLDER}/none`, '--print-uris', ...wanted],
    limit,
  );
  const files = [...stdout.matchAll(/^'\S+' (\S+\.deb) /gm)].map(([, file = '']) => file);
  for (const name of readdirSync(archives)) {
    if (name.endsWith('.deb') && !files.includes(name)) {
      rmSync(`${archives}/${name}`);
    }
  }
  await run('apt-get', [...OPTIONS, '--download-only', ...wanted], limit);
  return files.map(file => `${archives}/${file}`);
}

/** @returns the text of a unit file that one of the packages has */
export async function unitFileIn(packages: readonly string[], name: string): Promise<string> {
  for (const file of packages) {
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards "$2" 2>/dev/null || :';
    const { stdout } = await run('sh', ['-c', script, 'sh', file, `${UNIT_FILES}${name}`]);
    if (stdout !== '') {
      return stdout;
    }
  }
  throw new Error(`no package has ${name}`);
}

/** Installs packages in a machine whose /var/lib is empty. None starts its services. */
export async function installPackages(machine: Machine, files: readonly string[]): Promise<void> {
  await machine.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755);
  // dpkg has to know what the host has, and that is below the empty directory.
  await machine.sh(`set -e
mkdir /run/below
mount --bind /var /run/below
cp -a /run/below/lib/dpkg /var/lib/
umount /run/below
rmdir /run/below
mkdir -p /var/cache/debconf`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await machine.output(['dpkg', '--force-unsafe-io', '--force-confnew', '--install', ...files], {
    env,
    timeoutMs: INSTALL_LIMIT_MS,
  });
  // As at the start of a host; some complain of what a machine does not let them set.
  await machine.run(['systemd-tmpfiles', '--create']);
}
