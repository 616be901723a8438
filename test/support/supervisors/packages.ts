/** Debian packages in a machine, unpacked and not installed: `.ci/prepare test` downloads them, the host never has them. */
import { readFileSync } from 'node:fs';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import type { Machine } from '../machine.ts';

const DOWNLOADED = `${CHECKOUT}dist/debian`;
const UNPACK_DEADLINE_MS = 120_000;

/** As dpkg does: a directory of the package that is a symlink here (/lib) stays one. */
const UNPACK = `
set -e
cd "$1"
shift
for package; do
	set -- "$package"_*.deb
	test -e "$1" || { echo "there is no package $package" >&2; exit 1; }
	dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -C /
done
ldconfig`;

/**
 * Unpacks a supervisor with all that it depends on, as apt computes it for a system that has nothing but what is essential.
 * @throws Error if it was not downloaded
 */
export async function unpackSupervisor(machine: Machine, name: string): Promise<void> {
  const packages = readFileSync(`${DOWNLOADED}/${name}.packages`, 'utf8').split('\n').filter(Boolean);
  await machine.output(['sh', '-c', UNPACK, 'sh', DOWNLOADED, ...packages], { timeoutMs: UNPACK_DEADLINE_MS });
}
