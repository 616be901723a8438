/**
 * What is installed, and where: the one list that `npm run stage`, the packages and the tarball are made from. Paths are relative to the
 * directory that becomes the root.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { BUILT, CHECKOUT } from './checkout.ts';
import { completions, manualPages } from './documents.ts';

/** Debian's packages. Each file is in one of them; a tree for a package has those of one, and what is staged has all. */
export const PACKAGES = ['dynuser', 'libnss-dynuser', 'dynuser-fleet'] as const;
export type PackageName = (typeof PACKAGES)[number];

export interface InstalledFile {
  readonly path: string;
  readonly package: PackageName;
  readonly mode: number;
  readonly content: Uint8Array | string;
}

/** A program is a link: what it starts lies beside the file that it leads to. */
export interface InstalledLink {
  readonly path: string;
  readonly package: PackageName;
  readonly target: string;
}

export type Installed = InstalledFile | InstalledLink;

/** The directory of the programs and what only they read; it has nothing of anybody else. */
export const PRIVATE = 'usr/lib/dynuser';
const EXAMPLES = 'usr/share/doc/dynuser/examples';
const MODULE = 'libnss_dynuser.so.2';
const EXECUTABLE = 0o755;
const DATA = 0o644;

/** @returns Debian's name for this architecture, or undefined on distributions of another kind */
export function multiarch(): string | undefined {
  return execFileSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).trim() || undefined;
}

/**
 * @param other Debian's name for another architecture, for which the NSS module was built (builtModule())
 * @throws Error that names what was not built
 */
export function installedFiles(other?: string): Installed[] {
  const own = multiarch();
  const isOther = other !== undefined && other !== own;
  const directory = isOther ? `usr/lib/${other}` : libraryDirectory(own);
  return [
    ...programs(),
    fromFile(isOther ? builtModule(other) : `${BUILT}/${MODULE}`, `${directory}/${MODULE}`, DATA, 'libnss-dynuser'),
    ...units(),
    ...documents(own),
    ...examples(),
    ...clients(),
  ];
}

/** @returns where the NSS module of another architecture is built */
export function builtModule(other: string): string {
  return `${BUILT}-${other}/${MODULE}`;
}

function programs(): Installed[] {
  const built = (name: string, mode: number) => fromFile(`${BUILT}/${name}`, `${PRIVATE}/${name}`, mode);
  return [
    ...['dynuserd', 'dynuserctl', 'dynuser-helper'].map(name => built(name, EXECUTABLE)),
    ...['dynuserd.js', 'dynuserctl.js', 'package.json', 'third-party-licenses.txt'].map(name => built(name, DATA)),
    fromFile(`${BUILT}/dynuser-run`, 'usr/bin/dynuser-run', EXECUTABLE),
    ...filesBelow(`${BUILT}/node_modules`).map(path =>
      built(`node_modules/${path}`, path.endsWith('.node') ? EXECUTABLE : DATA),
    ),
    ...fleet(),
    { path: 'usr/bin/dynuserctl', package: 'dynuser', target: '../lib/dynuser/dynuserctl' },
    { path: 'usr/sbin/dynuserd', package: 'dynuser', target: '../lib/dynuser/dynuserd' },
  ];
}

/** What only hosts of a fleet need: a program with a connection to the network, and how it is started. */
function fleet(): Installed[] {
  const name = 'dynuser-fleet';
  return [
    fromFile(`${BUILT}/dynuser-fleetd`, `${PRIVATE}/dynuser-fleetd`, EXECUTABLE, name),
    fromFile(`${BUILT}/dynuser-fleetd.js`, `${PRIVATE}/dynuser-fleetd.js`, DATA, name),
    fromFile(`${CHECKOUT}systemd/dynuser-companion.service`, `${PRIVATE}/dynuser-companion.service`, DATA, name),
    fromFile(`${CHECKOUT}systemd/dynuser-fleetd.service`, 'usr/lib/systemd/system/dynuser-fleetd.service', DATA, name),
    { path: 'usr/sbin/dynuser-fleetd', package: name, target: '../lib/dynuser/dynuser-fleetd' },
  ];
}

function units(): InstalledFile[] {
  const systemd = (name: string, path: string) => fromFile(`${CHECKOUT}systemd/${name}`, `usr/${path}`, DATA);
  return [
    systemd('dynuserd.service', 'lib/systemd/system/dynuserd.service'),
    systemd('dynuserd.socket', 'lib/systemd/system/dynuserd.socket'),
    systemd('dynuserd-allocator.socket', 'lib/systemd/system/dynuserd-allocator.socket'),
    systemd('dynuserd-nscd.socket', 'lib/systemd/system/dynuserd-nscd.socket'),
    systemd('tmpfiles.conf', 'lib/tmpfiles.d/dynuser.conf'),
    systemd('dynuser.catalog', 'lib/systemd/catalog/dynuser.catalog'),
    systemd('io.dynuser.Allocator1.conf', 'share/dbus-1/system.d/io.dynuser.Allocator1.conf'),
    systemd('io.dynuser.Allocator1.service', 'share/dbus-1/system-services/io.dynuser.Allocator1.service'),
  ];
}

const PACKAGE_OF_PAGE: ReadonlyMap<string, PackageName> = new Map([
  ['libnss_dynuser.8', 'libnss-dynuser'],
  ['dynuser-fleetd.8', 'dynuser-fleet'],
]);

/** Debian keeps completions of packages apart from its own. The pages of the NSS module and of dynuser-fleetd come with them. */
function documents(debian: string | undefined): InstalledFile[] {
  const zsh = debian === undefined ? 'site-functions' : 'vendor-completions';
  return [...manualPages(), ...completions(`usr/share/zsh/${zsh}`)].map(({ path, text }) => ({
    path,
    package: PACKAGE_OF_PAGE.get(basename(path)) ?? 'dynuser',
    mode: DATA,
    content: text,
  }));
}

/** The configuration with its defaults, and the daemon under other supervisors, as docs/supervisors.md has it. */
function examples(): InstalledFile[] {
  const directory = `${CHECKOUT}packaging/examples`;
  return filesBelow(directory).map(path => {
    const isProgram = readFileSync(`${directory}/${path}`).subarray(0, 2).toString() === '#!';
    return fromFile(`${directory}/${path}`, `${EXAMPLES}/${path}`, isProgram ? EXECUTABLE : DATA);
  });
}

/** For programs in other languages than TypeScript: a file each, to be copied. */
function clients(): InstalledFile[] {
  return ['python/dynuser.py', 'go/dynuser.go'].map(path =>
    fromFile(`${CHECKOUT}clients/${path}`, `${EXAMPLES}/clients/${path}`, DATA),
  );
}

function fromFile(source: string, path: string, mode: number, packageName: PackageName = 'dynuser'): InstalledFile {
  if (!existsSync(source)) {
    throw new Error(`${source}: not built; run "npm run build" first`);
  }
  return { path, package: packageName, mode, content: readFileSync(source) };
}

/** @returns the files below a directory, relative to it, in the same order on every host; none if the directory is missing */
function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) {
    return [];
  }
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(path => statSync(`${directory}/${path}`).isFile())
    .sort();
}

/** Where glibc looks for NSS modules: Debian's multiarch directory, elsewhere the one that 64-bit libraries are in. */
function libraryDirectory(debian: string | undefined): string {
  if (debian !== undefined) {
    return `usr/lib/${debian}`;
  }
  return existsSync('/usr/lib64') ? 'usr/lib64' : 'usr/lib';
}
