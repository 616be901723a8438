/**
 * `npm run stage -- DIR`: lays out below DIR what a distribution would install. It reads what was built, and writes
 * below DIR alone; with DIR "/" the host is ready but for the word `dynuser` in nsswitch.conf.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { BUILT, CHECKOUT } from './checkout.ts';
import { completions, type Document, manualPages } from './documents.ts';
import { installFile, installLink } from './install-file.ts';

const PRIVATE = 'usr/lib/dynuser';
const EXECUTABLE = 0o755;
const DATA = 0o644;

interface StagedFile {
  readonly source: string;
  /** relative to DIR */
  readonly path: string;
  readonly mode: number;
}

/** Programs are links: what they start lies beside the file that they lead to. */
const LINKS: readonly { readonly path: string; readonly target: string }[] = [
  { path: 'usr/bin/dynuserctl', target: '../lib/dynuser/dynuserctl' },
  { path: 'usr/sbin/dynuserd', target: '../lib/dynuser/dynuserd' },
];

function filesToStage(): readonly StagedFile[] {
  const built = (name: string, mode: number): StagedFile => ({
    source: `${BUILT}/${name}`,
    path: `${PRIVATE}/${name}`,
    mode,
  });
  const systemd = (name: string, path: string): StagedFile => ({
    source: `${CHECKOUT}systemd/${name}`,
    path: `usr/${path}`,
    mode: DATA,
  });
  return [
    built('dynuserd', EXECUTABLE),
    built('dynuserd.js', DATA),
    built('dynuserctl', EXECUTABLE),
    built('dynuserctl.js', DATA),
    built('dynuser-helper', EXECUTABLE),
    { source: `${BUILT}/dynuser-run`, path: 'usr/bin/dynuser-run', mode: EXECUTABLE },
    built('package.json', DATA),
    built('third-party-licenses.txt', DATA),
    ...filesBelow(`${BUILT}/node_modules`).map(path =>
      built(`node_modules/${path}`, path.endsWith('.node') ? EXECUTABLE : DATA),
    ),
    { source: `${BUILT}/libnss_dynuser.so.2`, path: `${libraryDirectory()}/libnss_dynuser.so.2`, mode: DATA },
    systemd('dynuserd.service', 'lib/systemd/system/dynuserd.service'),
    systemd('dynuserd.socket', 'lib/systemd/system/dynuserd.socket'),
    systemd('dynuserd-allocator.socket', 'lib/systemd/system/dynuserd-allocator.socket'),
    systemd('tmpfiles.conf', 'lib/tmpfiles.d/dynuser.conf'),
    systemd('io.dynuser.Allocator1.conf', 'share/dbus-1/system.d/io.dynuser.Allocator1.conf'),
    systemd('io.dynuser.Allocator1.service', 'share/dbus-1/system-services/io.dynuser.Allocator1.service'),
  ];
}

/** @returns the files below a directory, relative to it; none if the directory is missing */
function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) {
    return [];
  }
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(path =>
    statSync(`${directory}/${path}`).isFile(),
  );
}

/** Debian's name for this architecture, or undefined on distributions of another kind. */
const multiarch = execFileSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).trim() || undefined;

/** Where glibc looks for NSS modules: Debian's multiarch directory, elsewhere the one that 64-bit libraries are in. */
function libraryDirectory(): string {
  if (multiarch !== undefined) {
    return `usr/lib/${multiarch}`;
  }
  return existsSync('/usr/lib64') ? 'usr/lib64' : 'usr/lib';
}

/** Debian keeps completions of packages apart from its own. */
function documents(): Document[] {
  const zsh = multiarch === undefined ? 'site-functions' : 'vendor-completions';
  return [...manualPages(), ...completions(`usr/share/zsh/${zsh}`)];
}

function fail(status: number, message: string): never {
  process.stderr.write(`stage: ${message}\n`);
  process.exit(status);
}

const [directory, ...rest] = process.argv.slice(2);
if (directory === undefined || directory === '' || rest.length > 0) {
  fail(2, 'usage: npm run stage -- DIR');
}
const files = filesToStage();
const missing = files.filter(file => !existsSync(file.source));
if (missing.length > 0) {
  fail(1, `not built: ${missing.map(file => file.source).join(', ')}; run "npm run build" first`);
}
const root = resolve(directory);
for (const file of files) {
  installFile(resolve(root, file.path), readFileSync(file.source), file.mode);
}
const texts = documents();
for (const { path, text } of texts) {
  installFile(resolve(root, path), text, DATA);
}
for (const link of LINKS) {
  installLink(resolve(root, link.path), link.target);
}
process.stdout.write(`staged ${files.length + texts.length + LINKS.length} files below ${root}\n`);
