/**
 * `npm run bundle`: makes one JavaScript file of each program, in dist/lib, so that a start reads one file instead of hundreds. Native modules
 * cannot be bundled, and are copied next to them, with only the files that they load at run time.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { VERSION } from '../core/version.ts';
import { BUILT, CHECKOUT, INSTALLER } from './checkout.ts';
import { installFile } from './install-file.ts';

const NATIVE_PACKAGES = ['@2060.io/ffi-napi', '@2060.io/ref-napi'];

/** CommonJS packages (pino) inside an ES module need a require of their own for Node's built-in modules. */
const REQUIRE = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);`;

/** How esbuild is asked for what is bundled here: in memory, with the list of what went into it. */
const IN_MEMORY = {
  absWorkingDir: CHECKOUT,
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  logLevel: 'warning',
} as const;

const PROGRAM = { ...IN_MEMORY, target: 'node20', format: 'esm', charset: 'utf8' } as const;

/** In an archive that git made, git has put the commit into this file (.gitattributes, export-subst). */
const COMMIT_FILE = '.commit';
const COMMIT_DIGITS = 12;

/**
 * The commit that is built: of the checkout, if this is one, else what an archive says; the same sources give the same answer,
 * wherever and whenever they are built.
 * @returns undefined if nobody knows
 */
function commitOf(): string | undefined {
  // Not that of a repository around this directory, such as a distribution's.
  if (existsSync(`${CHECKOUT}.git`)) {
    try {
      const git = (...argv: string[]) =>
        execFileSync('git', ['-C', CHECKOUT, ...argv], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }).trim();
      const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
      return git('rev-parse', 'HEAD').slice(0, COMMIT_DIGITS) + (isChanged ? '+' : '');
    } catch {
      // No git here, or a checkout that is not for this user.
    }
  }
  const [commit] =
    /^[0-9a-f]{12}/.exec(existsSync(CHECKOUT + COMMIT_FILE) ? readFileSync(CHECKOUT + COMMIT_FILE, 'utf8') : '') ?? [];
  return commit;
}

const COMMIT = commitOf();

/**
 * A bundle is not a program by itself: native/start/ starts Node on it, with the flags and the environment that it is to have.
 * @param prelude lines to start the file with; dynuserctl does without, and so starts faster
 * @returns the directories of the packages that went into it
 */
async function bundleProgram(name: string, ...prelude: readonly string[]): Promise<readonly string[]> {
  const { outputFiles, metafile } = await build({
    ...PROGRAM,
    entryPoints: [`src/bin/${name}.ts`],
    outfile: `${name}.js`,
    external: NATIVE_PACKAGES,
    define: { DYNUSER_COMMIT: COMMIT === undefined ? 'undefined' : JSON.stringify(COMMIT) },
    banner: { js: prelude.join('\n') },
  });
  for (const file of outputFiles) {
    installFile(`${BUILT}/${name}.js`, file.contents, 0o644);
  }
  const foreign = Object.keys(metafile.inputs).filter(path => path.startsWith('node_modules/'));
  return [...new Set(foreign.map(packageOf))].sort();
}

/** What runs in the tarball with Node inside, before anything is installed. */
async function bundleInstaller(): Promise<void> {
  await build({ ...PROGRAM, entryPoints: ['src/tooling/standalone.ts'], outfile: INSTALLER, write: true });
}

/** Where distributions have the license of musl, which is inside dynuser-run if that is a static program. */
const MUSL_LICENSES = ['/usr/share/doc/musl-dev/copyright', '/usr/share/licenses/musl/COPYRIGHT'];

/** The licenses of what is inside the bundles and the launcher, which their authors ask to be passed on with every copy. */
function installLicenses(packages: readonly string[]): void {
  const texts = packages.map(directory => {
    const files = legalAndManifest(directory).filter(path => !path.endsWith('package.json'));
    return [directory.replace(/^.*node_modules\//, ''), ...files.map(path => readFileSync(CHECKOUT + path, 'utf8'))];
  });
  const musl = MUSL_LICENSES.find(path => existsSync(path));
  if (musl !== undefined) {
    texts.push(['musl', readFileSync(musl, 'utf8')]);
  }
  installFile(`${BUILT}/third-party-licenses.txt`, texts.map(text => text.join('\n\n')).join('\n\n'), 0o644);
}

/** Copies the files that the native packages load, found by following their requires, and their compiled parts. */
async function copyNativePackages(): Promise<void> {
  const { metafile } = await build({ ...IN_MEMORY, entryPoints: NATIVE_PACKAGES, outdir: 'unused' });
  const sources = Object.keys(metafile.inputs);
  const packages = new Set(sources.map(packageOf));
  for (const path of [...sources, ...[...packages].flatMap(legalAndManifest)]) {
    installFile(`${BUILT}/${path}`, readFileSync(CHECKOUT + path), 0o644);
  }
  for (const name of NATIVE_PACKAGES) {
    const release = `node_modules/${name}/build/Release`;
    for (const file of readdirSync(CHECKOUT + release).filter(entry => entry.endsWith('.node'))) {
      installFile(`${BUILT}/${release}/${file}`, readFileSync(`${CHECKOUT}${release}/${file}`), 0o755);
    }
  }
}

/** @returns the directory of the package that a file below node_modules belongs to */
function packageOf(path: string): string {
  const match = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path);
  if (match === null) {
    throw new Error(`${path}: not below node_modules, so there is no telling which package it belongs to`);
  }
  return match[0];
}

function legalAndManifest(directory: string): string[] {
  return readdirSync(CHECKOUT + directory)
    .filter(entry => entry === 'package.json' || /^licen[cs]e/i.test(entry))
    .map(entry => `${directory}/${entry}`);
}

const inDaemon = await bundleProgram('dynuserd', REQUIRE);
const inCommand = await bundleProgram('dynuserctl');
const inCompanion = await bundleProgram('dynuser-fleetd', REQUIRE);
installLicenses([...new Set([...inDaemon, ...inCommand, ...inCompanion])].sort());
await copyNativePackages();
await bundleInstaller();
// Away from the checkout, Node has nothing else to tell it that the bundles are ES modules.
installFile(
  `${BUILT}/package.json`,
  `${JSON.stringify({ name: 'dynuser', version: VERSION, type: 'module' }, null, 2)}\n`,
  0o644,
);
