/** Debian packages in a machine, unpacked and not installed: `.ci/prepare test` downloads them, the host never has them. */
import { readdirSync } from 'node:fs';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import type { Machine } from '../machine.ts';

const DOWNLOADED = `${CHECKOUT}dist/debian`;

/** @param names packages, without those that they depend on, all of which have to be named too; a name may be a prefix */
export async function unpackPackages(machine: Machine, names: readonly string[]): Promise<void> {
  const files = readdirSync(DOWNLOADED).filter(file => file.endsWith('.deb'));
  for (const name of names) {
    const found = files.filter(file => file.startsWith(name));
    if (found.length === 0) {
      throw new Error(`there is no package ${name} in ${DOWNLOADED}: run "sh .ci/prepare test"`);
    }
    for (const file of found) {
      // As dpkg does: a directory of the package that is a symlink here (/lib) stays one.
      const script = 'dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink --no-same-owner -C /';
      await machine.output(['sh', '-c', script, 'sh', `${DOWNLOADED}/${file}`]);
    }
  }
  await machine.output(['ldconfig']);
}
