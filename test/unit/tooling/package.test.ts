/**
 * `npm run package` with scripts in the place of the tools that it calls: what it asks of which, in which order, and what it makes of the answers. What
 * Debian's own tools make of it is in test/packages/.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { VERSION } from '../../../src/core/version.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';

const EPOCH = 1_700_000_000;
const MULTIARCH: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

let top = '';
let checkout = '';
before(() => {
  top = mkdtempSync(`${tmpdir()}/dynuser-package-`);
  checkout = `${top}/checkout`;
  mkdirSync(`${checkout}/dist`, { recursive: true });
  mkdirSync(`${checkout}/docs`);
  mkdirSync(`${top}/bin`);
  const others = new Set(['dist', 'docs', 'CHANGELOG.md', '.git', '.gitignore']);
  const names = readdirSync(CHECKOUT).filter(name => !others.has(name));
  for (const name of [...names, 'dist/lib', 'dist/standalone']) {
    symlinkSync(CHECKOUT + name, `${checkout}/${name}`);
  }
  cpSync(`${CHECKOUT}dist/src`, `${checkout}/dist/src`, { recursive: true });
  writeFileSync(`${checkout}/CHANGELOG.md`, 'changes\n');
  writeFileSync(`${checkout}/docs/page.md`, 'words\n');
  for (const name of ['sh', 'cat', 'git', 'tar', 'gzip', 'touch', 'basename', 'mkdir']) {
    symlinkSync(`/usr/bin/${name}`, `${top}/bin/${name}`);
  }
});
beforeEach(() => {
  tool('gcc', `echo '${MULTIARCH['x64']}'`);
  tool('dpkg-buildpackage', `cat debian/changelog >'${top}/changelog'; touch ../one_1_amd64.deb ../other.buildinfo`);
  tool('dpkg-query', "printf 'musl (= 1.2)'");
  tool(
    'npm',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    'for last; do :; done; case "$*" in *--ignore-scripts*) touch "$last/dynuser-1.tgz" ;; *) echo node >"$4/$(basename "${last%@*}")-${last##*@}.tgz" ;; esac',
  );
  tool('objdump', 'echo "GLIBC_2.4 GLIBC_2.34"');
});
afterEach(() => {
  for (const path of [
    'out',
    'changelog',
    'bin/i686-linux-gnu-gcc',
    'bin/make',
    'checkout/.git',
    'checkout/dist/lib-i386-linux-gnu',
  ]) {
    rmSync(`${top}/${path}`, { recursive: true, force: true });
  }
});
after(() => rmSync(top, { recursive: true }));

/** Makes a tool that notes how it was called, with what of its environment matters, and does what the script says. */
function tool(name: string, script: string): void {
  const note = `echo "${name} $* in \${PWD##*/}\${SOURCE_DATE_EPOCH:+ at $SOURCE_DATE_EPOCH}\${SUBSTITUTIONS:+ with $SUBSTITUTIONS}" >>'${top}/called'`;
  writeFileSync(`${top}/bin/${name}`, `#!/bin/sh\n${note}\n${script}\n`);
  chmodSync(`${top}/bin/${name}`, 0o755);
}

interface Made {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
  readonly called: readonly string[];
}

function make(argv: readonly string[], environment: NodeJS.ProcessEnv = { SOURCE_DATE_EPOCH: String(EPOCH) }): Made {
  rmSync(`${top}/called`, { force: true });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${checkout}/dist/src/tooling/package.js`, `--output=${top}/out`, ...argv],
    { encoding: 'utf8', cwd: top, env: { PATH: `${top}/bin`, ...environment } },
  );
  const called = existsSync(`${top}/called`) ? readFileSync(`${top}/called`, 'utf8').split('\n').slice(0, -1) : [];
  return { status, output: stdout, errors: stderr, called: called.filter(line => !/^(?:gcc|objdump) /.test(line)) };
}

const ONLY_DEBIAN = ['--without-standalone', '--version=1.2'];
const changelog = (): string => readFileSync(`${top}/changelog`, 'utf8');
const git = (...argv: readonly string[]): string => {
  const identity = ['-c', 'user.name=n', '-c', 'user.email=e', '-c', 'commit.gpgsign=false'];
  const env = {
    PATH: `${top}/bin`,
    GIT_COMMITTER_DATE: '1234567890 +0000',
    GIT_AUTHOR_DATE: '987654321 +0000',
    HOME: top,
  };
  const { status, stdout, stderr } = spawnSync('git', [...identity, ...argv], { cwd: checkout, encoding: 'utf8', env });
  assert.equal(status, 0, stderr);
  return stdout.trim();
};

describe('the packages', () => {
  it('are Debian’s and the client’s, with their sums, and nothing else is left', () => {
    mkdirSync(`${top}/out/old`, { recursive: true });
    const { status, output, errors, called } = make(ONLY_DEBIAN);
    assert.deepEqual(
      [status, errors],
      [0, 'package: there is no i686-linux-gnu-gcc, so libnss-dynuser is not built for i386\n'],
    );
    assert.equal(output, 'out/dynuser-1.tgz 0.0 MB\nout/one_1_amd64.deb 0.0 MB\n');
    assert.deepEqual(readdirSync(`${top}/out`).sort(), ['SHA256SUMS', 'dynuser-1.tgz', 'one_1_amd64.deb']);
    const empty = createHash('sha256').update('').digest('hex');
    assert.equal(readFileSync(`${top}/out/SHA256SUMS`, 'utf8'), `${empty}  dynuser-1.tgz\n${empty}  one_1_amd64.deb\n`);
    const isStatic = !readFileSync(`${CHECKOUT}dist/lib/dynuser-run`).includes('/lib64/ld-linux');
    const using = isStatic ? "'musl (= 1.2)'" : "''";
    assert.deepEqual(called, [
      ...(isStatic
        ? [
            `dpkg-query -f \${source:Package} (= \${source:Version}) -W musl-dev in top at ${EPOCH}`.replace(
              ' in top',
              ` in ${top.split('/').at(-1)}`,
            ),
          ]
        : []),
      `dpkg-buildpackage --build=binary --unsigned-changes --no-check-builddeps in dynuser-1.2 at ${EPOCH} with -Vdynuser:StaticBuiltUsing=${using}`,
      `npm pack --ignore-scripts --pack-destination ${top}/out in checkout at ${EPOCH}`,
    ]);
    assert.equal(
      changelog(),
      'dynuser (1.2-1) unstable; urgency=medium\n\n  * See changelog.gz for what changed.\n\n -- The dynuser authors <authors@dynuser.invalid>  Tue, 14 Nov 2023 22:13:20 +0000\n',
    );
  });

  it('have the NSS module for 32-bit programs, if there is a compiler for it', () => {
    tool('i686-linux-gnu-gcc', '');
    tool(
      'make',
      `mkdir -p '${checkout}/dist/lib-i386-linux-gnu'; echo module >'${checkout}/dist/lib-i386-linux-gnu/libnss_dynuser.so.2'`,
    );
    mkdirSync(`${checkout}/dist/lib-i386-linux-gnu`);
    writeFileSync(`${checkout}/dist/lib-i386-linux-gnu/old`, '');
    const { status, errors, called } = make(ONLY_DEBIAN);
    assert.deepEqual([status, errors], [0, '']);
    const [version, built, second] = called.slice(-4);
    assert.match(version ?? '', /^i686-linux-gnu-gcc --version /);
    assert.match(
      built ?? '',
      /^make -s -C native nss CC=i686-linux-gnu-gcc OUT=\.\.\/dist\/lib-i386-linux-gnu OBJ=\.\.\/dist\/lib-i386-linux-gnu\/objects in checkout/,
    );
    assert.equal(
      second,
      `dpkg-buildpackage --build=binary --unsigned-changes --no-check-builddeps --host-arch i386 -Ppkg.dynuser.nss -d in dynuser-1.2 at ${EPOCH} with -Vshlibs:Depends='libc6 (>= 2.34)'`,
    );
    assert.deepEqual(readdirSync(`${checkout}/dist/lib-i386-linux-gnu`), ['libnss_dynuser.so.2'], 'from the beginning');
    tool('gcc', "echo 'aarch64-linux-gnu'");
    assert.ok(
      make(ONLY_DEBIAN).called.every(call => !call.startsWith('make ')),
      'elsewhere nothing needs it',
    );
  });

  it('that a tool cannot make are told with what that says', () => {
    tool('dpkg-buildpackage', 'echo its words; exit 3');
    const { status, errors } = make(ONLY_DEBIAN);
    assert.equal(status, 1);
    assert.equal(
      errors,
      'package: dpkg-buildpackage --build=binary --unsigned-changes --no-check-builddeps: exit status 3\nits words\n\n',
    );
    rmSync(`${top}/bin/dpkg-buildpackage`);
    assert.match(make(ONLY_DEBIAN).errors, /^package: dpkg-buildpackage [^\n]*: spawnSync dpkg-buildpackage ENOENT\n$/);
  });
});

describe('the version', () => {
  const made = (...argv: readonly string[]): string => {
    const { status, errors } = make(['--without-standalone', ...argv], {});
    assert.equal(status, 0, errors);
    return /^dynuser \((.*)-1\) .* {2}(.*)$/s.exec(changelog())?.slice(1).join(' ').trim() ?? '';
  };

  it('is that of the program, of when the change log was made if there is no git', () => {
    utimesSync(`${checkout}/CHANGELOG.md`, EPOCH + 0.9, EPOCH + 0.9);
    assert.equal(made(), `${VERSION} Tue, 14 Nov 2023 22:13:20 +0000`);
  });

  it('has the commit if that is not the one of the version', () => {
    writeFileSync(`${checkout}/.gitignore`, '*\n');
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'one');
    const commit = git('rev-parse', '--short=10', 'HEAD');
    const date = 'Fri, 13 Feb 2009 23:31:30 +0000';
    assert.equal(made(), `${VERSION}~20090213233130.${commit} ${date}`);
    assert.equal(made('--version=7'), `7 ${date}`);
    git('tag', '-a', '-m', 'it', `v${VERSION}`);
    assert.equal(made(), `${VERSION} ${date}`);
  });

  it('and the time are what they can be', () => {
    const refused = (argv: readonly string[], environment?: NodeJS.ProcessEnv): readonly [number | null, string] => {
      const { status, errors, called } = make(argv, environment);
      assert.deepEqual(called, []);
      return [status, errors];
    };
    for (const version of ['v1', '1:2', '1-2', `1${'0'.repeat(100)}`, '']) {
      assert.deepEqual(refused([`--version=${version}`]), [
        1,
        `package: --version=${version}: not a version; give digits, letters, ".", "+" and "~", a digit first\n`,
      ]);
    }
    assert.equal(make(['--without-standalone', `--version=1${'0'.repeat(99)}`]).status, 0);
    assert.deepEqual(refused([], { SOURCE_DATE_EPOCH: 'now' }), [
      1,
      'package: SOURCE_DATE_EPOCH: "now" is not a number of seconds; set it to one, or unset it\n',
    ]);
    const usage = 'package: usage: npm run package [-- --version=VERSION --output=DIR --without-standalone]\n';
    assert.deepEqual(refused(['--what']), [2, usage]);
    assert.deepEqual(refused(['more']), [2, usage]);
  });
});

describe('the tarball with Node inside', () => {
  const ALL = ['--version=1.2'];

  it('has that Node alone which was chosen', context => {
    if (MULTIARCH[process.arch] === undefined) {
      context.skip('there is no Node to put inside for this architecture');
      return;
    }
    const { status, errors, called } = make(ALL);
    const name = `node-linux-${process.arch}`;
    const sum = `sha512-${createHash('sha512').update('node\n').digest('base64')}`;
    const file = /(\S+)\.tgz: /.exec(errors)?.[1];
    assert.match(file ?? '', new RegExp(`^${top}/out/\\.work/${name}-\\d+\\.\\d+\\.\\d+$`));
    assert.equal(status, 1);
    assert.match(errors, /: it has another content than it had when it was chosen \(sha512-[^)]*\); do not use it\n$/);
    assert.ok(errors.includes(sum));
    assert.match(
      called.at(-1) ?? '',
      new RegExp(`^npm pack --silent --pack-destination ${top}/out/\\.work ${name}@\\d`),
    );
  });

  it('is not made of programs that need a newer C library than it promises', () => {
    tool('objdump', 'echo "GLIBC_2.4 GLIBC_2.37"');
    const { status, errors } = make(ALL);
    assert.equal(status, 1);
    assert.match(
      errors,
      /\npackage: usr\/\S+: it needs glibc 2\.37, and 2\.36 is promised; remove node_modules and dist\/native, and build again\n$/,
    );
    tool('objdump', 'echo "GLIBC_2.36"');
    assert.match(make(ALL).errors, /another content/);
    tool('objdump', 'echo none');
    assert.match(make(ALL).errors, /another content/);
  });

  it('is left out if the native modules need the Node of this distribution', () => {
    tool('objdump', 'case $1 in -p) echo "  NEEDED               libnode.so.115" ;; esac');
    const { status, errors } = make(ALL);
    assert.equal(status, 0);
    assert.match(
      errors,
      /\npackage: the native modules need this distribution's libnode, so there is no tarball with Node inside; build it with a Node that has all in its program, as those of nodejs\.org have\n$/,
    );
    assert.ok(readdirSync(`${top}/out`).every(name => !name.includes('standalone')));
  });
});
