/**
 * The packages by those who check packages: lintian, piuparts, a second build elsewhere, 32-bit programs, and what other distributions are
 * given.
 */
// time limit: 900 s
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { buildPackages, carryInto, FRESH_DEBIAN, OLDER_DEBIAN, packageIn } from '../support/built-packages.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const VERSION = '0.1.0~1';
const BUILD_DEADLINE_MS = 600_000;
/** It fetches the lists of packages. */
const PIUPARTS_DEADLINE_MS = 300_000;
const ARCHITECTURE = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();

let built = '';
before(() => {
  built = buildPackages(VERSION, { standalone: true });
});
after(() => rmSync(built, { recursive: true, force: true }));

it('lintian has no error and no warning, but for those with a written reason', () => {
  const debs = readdirSync(built).filter(name => name.endsWith('.deb'));
  assert.ok(debs.length >= 4, debs.join(' '));
  const argv = ['--allow-root', '--display-level', '>=warning', '--fail-on', 'error,warning', ...debs];
  const { status, stdout, stderr } = spawnSync('lintian', argv, { cwd: built, encoding: 'utf8' });
  assert.equal(stdout.trim(), '', stderr);
  assert.equal(status, 0, stderr);
  // Each override has its reason above it.
  for (const name of readdirSync(`${CHECKOUT}packaging/debian`).filter(each => each.endsWith('.lintian-overrides'))) {
    const text = readFileSync(`${CHECKOUT}packaging/debian/${name}`, 'utf8');
    assert.match(text, /^(?:(?:# .*\n)+(?:[^#\n].*\n)+)+$/, name);
  }
});

it('piuparts finds nothing that they leave on a host, installed, removed, purged, and installed again', () => {
  const debs = ['dynuser_', 'libnss-dynuser_', 'dynuser-fleet_'].map(name =>
    packageIn(built, name, `_${ARCHITECTURE}.deb`),
  );
  // No release has them yet, so there is nothing to upgrade from.
  const options = ['--no-upgrade-test', `--existing-chroot=${FRESH_DEBIAN}`, '--keep-sources-list', '--no-eatmydata'];
  const { status, stdout } = spawnSync('piuparts', [...options, '--log-level=info', ...debs], {
    cwd: '/',
    encoding: 'utf8',
    timeout: PIUPARTS_DEADLINE_MS,
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /PASS: Installation and purging test\.\n[\s\S]*PASS: All tests\./);
});

it('built a second time, elsewhere, they are the same to the last bit', () => {
  const elsewhere = mkdtempSync('/var/tmp/dynuser-elsewhere-');
  try {
    const checkout = join(elsewhere, 'another checkout');
    execFileSync('mkdir', [checkout]);
    const copy = 'tar -c --exclude=./node_modules --exclude=./dist . | tar -x -C "$1"';
    execFileSync('sh', ['-c', copy, 'sh', checkout], { cwd: CHECKOUT });
    // From its native modules on.
    execFileSync('sh', ['.ci/prepare', 'package'], { cwd: checkout, timeout: BUILD_DEADLINE_MS, stdio: 'pipe' });
    const output = buildPackages(VERSION, { checkout, standalone: true });
    try {
      assert.equal(readFileSync(`${output}/SHA256SUMS`, 'utf8'), readFileSync(`${built}/SHA256SUMS`, 'utf8'));
    } finally {
      rmSync(output, { recursive: true });
    }
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
});

/** Starts the installed daemon in a machine without a service manager. */
async function startDaemon(machine: Machine) {
  const daemon = await machine.spawn(['/usr/sbin/dynuserd']);
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  let answer = '';
  await until(
    () => `dynuserd answers; its log: ${log}; dynuserctl: ${answer}`,
    async () => {
      const { status, stderr } = await machine.run(['dynuserctl', 'list']);
      answer = stderr;
      return status === 0;
    },
  );
  return daemon;
}

it('the tarball with Node inside runs on a Debian 12 that has no Node, and is gone after --uninstall', async t => {
  if (!readdirSync(built).some(name => name.startsWith('dynuser-standalone-'))) {
    t.skip("the native modules need this distribution's libnode, so there is no tarball");
    return;
  }
  const machine = await Machine.boot({ init: 'plain', system: OLDER_DEBIAN });
  // The history stays, as all that is not a program.
  const tree = () =>
    machine.sh("find /usr /etc /var -path /var/lib/dynuser -prune -o -printf '%y %m %U %p %l\\n' | sort");
  try {
    const tarball = packageIn(built, 'dynuser-standalone-', '.tar.gz');
    await carryInto(machine, '/opt', [tarball]);
    await machine.sh(`cd /opt && tar -xzf ${basename(tarball)} && mv dynuser-standalone-*/ dynuser`);
    const before = await tree();
    await machine.output(['/opt/dynuser/install']);
    await machine.sh("sed -i -E 's/^((passwd|group|shadow|gshadow): +files)/\\1 dynuser/' /etc/nsswitch.conf");
    const daemon = await startDaemon(machine);
    assert.match(await machine.output(['readlink', '-f', '/usr/lib/dynuser/node']), /^\/usr\/lib\/dynuser\/node$/);
    assert.match(await machine.output(['dynuser-run', '-u', 'web', 'id']), /^uid=(\d+)\(web\) gid=\1\(web\)/);
    await machine.output(['dynuserctl', 'acquire', 'held.service']);
    assert.match(await machine.output(['getent', 'passwd', 'held']), /^held:/);
    assert.notEqual((await machine.run(['/opt/dynuser/install', '--uninstall'])).status, 0, 'a user lives');
    await machine.output(['dynuserctl', 'release', 'held']);
    daemon.kill('SIGTERM');
    await daemon.ended;
    assert.match(
      (await machine.run(['/opt/dynuser/install', '--uninstall'])).stderr,
      /nsswitch\.conf: it still has the word/,
    );
    assert.equal(await tree(), before);
  } finally {
    await machine.stop();
  }
});

const LOOKUP = `#include <pwd.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	struct passwd *user = argc > 1 ? getpwnam(argv[1]) : NULL;

	return user == NULL || printf("%s %lu %zu\\n", user->pw_name, (unsigned long)user->pw_uid, sizeof(long)) < 0;
}
`;
const I386_LIBRARIES = '/usr/i686-linux-gnu/lib';
const compiler = spawnSync('i686-linux-gnu-gcc', ['--version']).status === 0;
const runs32 = spawnSync(`${I386_LIBRARIES}/ld-linux.so.2`, ['--version']).status === 0;

it('a 32-bit program looks users up next to 64-bit ones, by the package for i386', {
  skip: compiler && runs32 ? false : 'this host compiles or runs no 32-bit programs',
}, async () => {
  const machine = await Machine.boot({ init: 'plain', system: FRESH_DEBIAN });
  try {
    writeFileSync(join(built, 'lookup.c'), LOOKUP);
    execFileSync('i686-linux-gnu-gcc', ['-o', join(built, 'lookup'), join(built, 'lookup.c')]);
    const debs = ['dynuser_', 'libnss-dynuser_'].map(name => packageIn(built, name, '_amd64.deb'));
    const other = packageIn(built, 'libnss-dynuser_', '_i386.deb');
    await carryInto(machine, '/opt', [...debs, other, join(built, 'lookup')]);
    await machine.sh(`mkdir -p /usr/lib/i386-linux-gnu && dpkg --add-architecture i386`);
    await carryInto(machine, '/usr/lib/i386-linux-gnu', [`${I386_LIBRARIES}/libc.so.6`]);
    await carryInto(machine, '/usr/lib', [`${I386_LIBRARIES}/ld-linux.so.2`]);
    await machine.output(['dpkg', '--force-unsafe-io', '-i', ...debs.map(path => `/opt/${basename(path)}`)]);
    // Its libc is there, but no package of it.
    await machine.output(['dpkg', '--force-unsafe-io', '--force-depends', '-i', `/opt/${basename(other)}`]);
    await startDaemon(machine);
    await machine.output(['dynuserctl', 'acquire', 'held.service']);
    const uid = await machine.output(['id', '-u', 'held']);
    const env = { LD_LIBRARY_PATH: '/usr/lib/i386-linux-gnu' };
    assert.equal(await machine.output(['/opt/lookup', 'held'], { env }), `held ${uid} 4`);
    // nsswitch.conf keeps the word until the last of the two is removed.
    await machine.output(['dpkg', '--purge', 'libnss-dynuser:amd64']);
    assert.equal(await machine.output(['/opt/lookup', 'held'], { env }), `held ${uid} 4`);
    await machine.output(['dpkg', '--purge', 'libnss-dynuser:i386']);
    assert.doesNotMatch(await machine.output(['cat', '/etc/nsswitch.conf']), /dynuser/);
  } finally {
    await machine.stop();
  }
});

/** Macros that Fedora's packages define. */
const FEDORA = {
  _libdir: '/usr/lib64',
  _unitdir: '/usr/lib/systemd/system',
  _tmpfilesdir: '/usr/lib/tmpfiles.d',
  _sbindir: '/usr/sbin',
};

it('what other distributions are given is as far in order as it can be tried here', () => {
  const shell = ['arch/PKGBUILD', 'arch/dynuser.install', 'alpine/APKBUILD', 'standalone/install'];
  execFileSync(
    'shellcheck',
    shell.map(path => `${CHECKOUT}packaging/${path}`),
  );
  execFileSync(
    'shellcheck',
    ['-s', 'sh', ...readdirSync(`${CHECKOUT}packaging/debian`).filter(name => /^dynuser(?:-fleet)?\.p\w+$/.test(name))],
    {
      cwd: `${CHECKOUT}packaging/debian`,
    },
  );

  const defined = Object.entries(FEDORA).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const spec = execFileSync('rpmspec', ['-P', ...defined, `${CHECKOUT}packaging/fedora/dynuser.spec`], {
    encoding: 'utf8',
  });
  const packages = spec
    .split(/^%files.*$/m)
    .slice(1)
    .map(text => ({
      listed: text.match(/^\/.*$/gm) ?? [],
      excluded: [...text.matchAll(/^%exclude (\/.*)$/gm)].map(([, pattern]) => pattern),
    }));
  const staged = join(built, 'staged');
  execFileSync(process.execPath, [`${CHECKOUT}dist/src/tooling/stage.js`, '--package=all', staged]);
  const files = execFileSync('find', ['.', '!', '-type', 'd', '-printf', '/%P\n'], { cwd: staged, encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(path => path.replace('/zsh/vendor-completions/', '/zsh/site-functions/'))
    .map(path => path.replace(/^\/usr\/lib\/[a-z0-9_]+-linux-gnu\//, '/usr/lib64/'));
  const covers = (pattern: string, file: string) =>
    pattern.endsWith('/') ? file.startsWith(pattern) : file === pattern || matches(pattern, file);
  const timesListed = (file: string): number =>
    packages
      .filter(({ excluded }) => !excluded.includes(file))
      .reduce((times, { listed }) => times + listed.filter(pattern => covers(pattern, file)).length, 0);
  assert.deepEqual(
    files.filter(file => timesListed(file) !== 1),
    [],
  );
  assert.deepEqual(
    packages
      .flatMap(({ listed, excluded }) => [...listed, ...excluded])
      .filter(pattern => pattern === undefined || !files.some(file => covers(pattern, file))),
    [],
  );

  const version = JSON.parse(readFileSync(`${CHECKOUT}package.json`, 'utf8')).version;
  for (const [path, line] of [
    ['arch/PKGBUILD', `pkgver=${version}`],
    ['alpine/APKBUILD', `pkgver=${version}`],
    ['fedora/dynuser.spec', `Version:        ${version}`],
  ] as const) {
    assert.ok(readFileSync(`${CHECKOUT}packaging/${path}`, 'utf8').includes(`\n${line}\n`), path);
  }
});

/** Whether a path is one that a pattern of a spec file names: "*" is anything in one directory. */
function matches(pattern: string, file: string): boolean {
  const [beginning = '', end] = pattern.split('*');
  const rest = file.slice(beginning.length);
  return end !== undefined && file.startsWith(beginning) && rest.endsWith(end) && !rest.includes('/');
}
