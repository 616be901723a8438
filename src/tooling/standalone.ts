/**
 * `install [--uninstall] [DIR]` of the tarball with Node inside: puts what is in files/ below DIR, which is / unless it is said, or takes it
 * away again. It is one file, which that Node runs.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Installed } from './installed-files.ts';
import { checkDirectory, stage, uninstall } from './staging.ts';

const USAGE = 'usage: install [--uninstall] [DIR]';
const FILES = resolve(dirname(fileURLToPath(import.meta.url)), 'files');
/** Where the module of the name service switch is in the tarball: Debian's directory for libraries of the architecture. */
const LIBRARIES = /^usr\/lib\/[a-z0-9_]+-linux-gnu(?=\/)/;

function say(message: string): void {
  process.stderr.write(`install: ${message}\n`);
}

function parseCommandLine(): { readonly root: string; readonly takesAway: boolean } {
  try {
    const options = { uninstall: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    if (positionals.length <= 1 && positionals[0] !== '') {
      return { root: resolve(positionals[0] ?? '/'), takesAway: values.uninstall === true };
    }
  } catch {
    // An unknown option.
  }
  say(USAGE);
  process.exit(2);
}

/** @returns what is in the tarball, with the module where this host's C library looks for it */
function carried(root: string): Installed[] {
  return readdirSync(FILES, { recursive: true, encoding: 'utf8' })
    .filter(path => !lstatSync(resolve(FILES, path)).isDirectory())
    .map(path => {
      const source = resolve(FILES, path);
      const place = path.replace(LIBRARIES, directory => libraryDirectory(root, directory));
      const status = lstatSync(source);
      return status.isSymbolicLink()
        ? { path: place, package: 'dynuser', target: readlinkSync(source) }
        : { path: place, package: 'dynuser', mode: status.mode & 0o7777, content: readFileSync(source) };
    });
}

function libraryDirectory(root: string, debian: string): string {
  if (existsSync(resolve(root, debian))) {
    return debian;
  }
  return existsSync(resolve(root, 'usr/lib64')) ? 'usr/lib64' : 'usr/lib';
}

try {
  const { root, takesAway } = parseCommandLine();
  checkDirectory(root);
  process.stdout.write(`${takesAway ? uninstall(root, say) : stage(root, carried(root))}\n`);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
