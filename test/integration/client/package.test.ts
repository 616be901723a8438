// starts early: it installs and compiles a project
/**
 * The package as a program gets it: packed, installed in an empty project without a network, compiled against, and run.
 * It has no dependencies, and of this checkout no file that it does not load or declare.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { readSource } from '../../support/sources.ts';
import { FakeDaemon } from './fake-daemon.ts';

const ENTRY = 'dist/src/client/connect';
let project = '';
let installed = '';

before(() => {
  project = mkdtempSync(join(tmpdir(), 'dynuser-package-'));
  const npm = (...argv: string[]): string =>
    execFileSync('npm', [...argv, '--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: project,
      encoding: 'utf8',
      env: { ...process.env, npm_config_cache: join(project, 'cache'), npm_config_update_notifier: 'false' },
    });
  npm('pack', CHECKOUT, '--pack-destination', project);
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
  const [archive = ''] = readdirSync(project).filter(name => name.endsWith('.tgz'));
  npm('install', `./${archive}`);
  installed = join(project, 'node_modules/dynuser');
});
after(() => rmSync(project, { recursive: true, force: true }));

/** Follows the imports of a compiled file. @returns paths of the checkout, and packages as they are named */
function loadedBy(path: string, seen = new Set<string>()): Set<string> {
  if (!seen.has(path)) {
    seen.add(path);
    const specifiers = readSource(path).matchAll(/(?:\bfrom|^import|\bimport\()\s*['"]([^'"]+)['"]/gm);
    for (const [, specifier = ''] of specifiers) {
      const inside = specifier.startsWith('.');
      loadedByOne(inside ? posix.join(posix.dirname(path), specifier) : specifier, inside, path, seen);
    }
  }
  return seen;
}

function loadedByOne(target: string, inside: boolean, from: string, seen: Set<string>): void {
  if (!inside) {
    seen.add(target);
  } else {
    loadedBy(from.endsWith('.d.ts') ? target.replace(/\.ts$/, '.d.ts') : target, seen);
  }
}

test('it has what it loads and declares, nothing else, and needs Node alone', () => {
  const loaded = [...loadedBy(`${ENTRY}.js`)];
  const declared = [...loadedBy(`${ENTRY}.d.ts`)];
  assert.deepEqual(
    [...loaded, ...declared].filter(path => !path.startsWith('dist/') && !path.startsWith('node:')),
    [],
  );
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(path => /\.\w+$/.test(path));
  const code = files.filter(path => path.startsWith('dist/'));
  const needed = [...loaded, ...declared].filter(path => path.startsWith('dist/'));
  // The client's own folder comes whole.
  const own = code.filter(path => path.startsWith('dist/src/client/'));
  assert.deepEqual(code.sort(), [...new Set([...needed, ...own])].sort());
  const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.equal(manifest['dependencies'], undefined);
  assert.deepEqual(readdirSync(join(project, 'node_modules')).sort(), ['.package-lock.json', 'dynuser']);
});

const CONSUMER = `import { connect, DynuserError, type HeldLease, type Lease } from 'dynuser';

const client = await connect({ timeoutMs: 5_000 });
client.on('lost', (lease: HeldLease, reason: DynuserError) => console.error(lease.uid, reason.code));
await using lease: HeldLease = await client.acquire({ unit: 'web.service' });
const uid: number = lease.uid;
const live: Lease[] = [];
for await (const each of client.list()) {
  live.push(each);
}
console.log(uid, live.length, lease.signal.aborted);
await lease.release();
try {
  await client.release(lease.id);
} catch (error) {
  console.log(error instanceof DynuserError && error.code === 'NoSuchLease' ? error.field : error);
}
// @ts-expect-error a lifetime that there is not
client.explain({ unit: 'a', lifetime: 'forever' }).catch(() => {});
`;

test('a strict project compiles against it and runs', async () => {
  writeFileSync(join(project, 'main.ts'), CONSUMER.replace(/\n\/\/ @ts-expect-error[\s\S]*$/, '\n'));
  writeFileSync(join(project, 'wrong.ts'), CONSUMER);
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        // The declarations are checked as well, and the project names no library for "await using".
        skipLibCheck: false,
        target: 'ES2022',
        module: 'NodeNext',
        types: ['node'],
      },
    }),
  );
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(`${CHECKOUT}node_modules/@types/node`, join(project, 'node_modules/@types/node'));
  const compiler = [`${CHECKOUT}node_modules/typescript/bin/tsc`, '-p', project];
  const { status, stdout } = spawnSync(process.execPath, compiler, { encoding: 'utf8' });
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });

  const daemon = new FakeDaemon();
  await daemon.start();
  try {
    const program = runProgram('main.js', daemon.directory);
    // It closes nothing, and ends by itself: it holds nothing any more.
    assert.equal(await program.ended, 0);
    assert.equal(program.output(), '61184 1 false\nlease\n');
  } finally {
    await daemon.stop();
  }
});

test('a lease that is held keeps the process alive, and ends with it', async () => {
  const text =
    "import { connect } from 'dynuser';\nawait (await connect()).acquire({ unit: 'a' });\nconsole.log('held');\n";
  writeFileSync(join(project, 'holder.js'), text);
  const daemon = new FakeDaemon();
  await daemon.start();
  try {
    const program = runProgram('holder.js', daemon.directory);
    while (program.output() === '') {
      await sleep(10);
    }
    assert.equal(await Promise.race([program.ended, sleep(500, 'alive')]), 'alive');
    program.child.kill('SIGKILL');
    await program.ended;
    while (daemon.leases.size > 0) {
      await sleep(10);
    }
  } finally {
    await daemon.stop();
  }
});

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<unknown>;
}

/** Not spawnSync(): the daemon that it asks is in this process. */
function runProgram(name: string, runtimeDirectory: string): Running {
  const env = { ...process.env, DYNUSER_RUNTIME_DIRECTORY: runtimeDirectory };
  const child = spawn(process.execPath, [name], {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return { child, output: () => output, ended: new Promise(resolve => child.once('close', resolve)) };
}
