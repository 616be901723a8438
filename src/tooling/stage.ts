/**
 * `npm run stage -- DIR`: lays out below DIR what a distribution would install. It reads what was built, and writes
 * below DIR alone; with DIR "/" the host is ready but for the word `dynuser` in nsswitch.conf.
 *
 * `--uninstall` takes away what it has put there, by the list that it has left. `--package=NAME` makes the tree of one of Debian's
 * packages, or of all, for whoever makes a package of it; such a tree has no list, since the package manager has its own.
 * `--multiarch=NAME` is for another architecture, of which the NSS module was built.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { installedFiles, PACKAGES } from './installed-files.ts';
import { checkDirectory, layOut, stage, uninstall } from './staging.ts';

const USAGE = 'usage: npm run stage -- [--uninstall | --package=NAME|all [--multiarch=NAME]] DIR';

/** @returns what to do: with a name, for one of Debian's packages, or for all of them */
function parseCommandLine() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { uninstall: { type: 'boolean' }, package: { type: 'string' }, multiarch: { type: 'string' } },
    });
    const [directory = '', ...rest] = positionals;
    const { uninstall: takesAway = false, package: name, multiarch } = values;
    const isKnown = name === undefined || ['all', ...PACKAGES].includes(name);
    const isOne = !(takesAway && name !== undefined) && (multiarch === undefined || name !== undefined);
    if (directory !== '' && rest.length === 0 && isKnown && isOne) {
      return { root: resolve(directory), takesAway, name, multiarch };
    }
  } catch {
    // An unknown option.
  }
  process.stderr.write(`stage: ${USAGE}\n`);
  process.exit(2);
}

function say(message: string): void {
  process.stderr.write(`stage: ${message}\n`);
}

function run({ root, takesAway, name, multiarch }: ReturnType<typeof parseCommandLine>): string {
  checkDirectory(root);
  if (takesAway) {
    return uninstall(root, say);
  }
  if (name === undefined) {
    return stage(root, installedFiles());
  }
  const installed = installedFiles(multiarch).filter(file => name === 'all' || file.package === name);
  layOut(root, installed);
  return `laid out ${installed.length} files of ${name === 'all' ? 'all packages' : name} below ${root}`;
}

try {
  process.stdout.write(`${run(parseCommandLine())}\n`);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
