/** A copy of what was compiled, in which one file is changed at a time, and in which tests run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

/** What is changed, or written to, is copied; all else is what the checkout has. */
const COPIED = ['src', 'test', 'lib'];
const LEFT_OUT = new Set(['mutants', 'machine', 'fuzz']);
const PROGRAMS = ['dynuserd', 'dynuserctl', 'dynuser-fleetd'];

export class Workspace {
  readonly #root: string;
  /** where what was compiled is in it, with a slash at its end */
  readonly dist: string;

  constructor(number: number) {
    this.#root = `${CHECKOUT}dist/mutants/workspace-${number}/`;
    this.dist = `${this.#root}dist/`;
    rmSync(this.#root, { recursive: true, force: true });
    mkdirSync(`${this.#root}dist`, { recursive: true });
    for (const entry of readdirSync(CHECKOUT).filter(name => name !== 'dist' && name !== '.git')) {
      symlinkSync(CHECKOUT + entry, this.#root + entry);
    }
    for (const entry of readdirSync(`${CHECKOUT}dist`).filter(name => !LEFT_OUT.has(name))) {
      const [from, to] = [`${CHECKOUT}dist/${entry}`, `${this.#root}dist/${entry}`];
      if (COPIED.includes(entry)) {
        cpSync(from, to, { recursive: true, verbatimSymlinks: true });
      } else {
        symlinkSync(from, to);
      }
    }
  }

  /** @param file below dist, such as src/core/name.js @param text what it has from now on */
  write(file: string, text: string): void {
    writeFileSync(`${this.#root}dist/${file}`, text);
  }

  /** Puts a file back as the compiler made it. */
  restore(file: string): void {
    this.write(file, readFileSync(`${CHECKOUT}dist/${file}`, 'utf8'));
  }

  /** Makes the programs of what is compiled in here. @throws Error if that is not possible */
  async bundle(): Promise<void> {
    for (const name of PROGRAMS) {
      await build({
        absWorkingDir: this.#root,
        entryPoints: [`dist/src/bin/${name}.js`],
        outfile: `dist/lib/${name}.js`,
        allowOverwrite: true,
        bundle: true,
        platform: 'node',
        target: 'node20',
        format: 'esm',
        charset: 'utf8',
        external: ['@2060.io/ffi-napi', '@2060.io/ref-napi'],
        banner: { js: requireOf(`${CHECKOUT}dist/lib/${name}.js`) },
        logLevel: 'silent',
      });
    }
  }

  /**
   * Runs one test file to its end.
   *
   * @param path below dist/test @param limitMs when it is killed, which is a failure
   * @param coverage the directory that takes what of the code it runs
   * @returns whether all of its tests passed
   */
  async passes(path: string, limitMs: number, coverage?: string): Promise<boolean> {
    const script = `${this.#root}dist/test/${path}`;
    if (!existsSync(script)) {
      throw new Error(`there is no ${script}`);
    }
    const environment = { ...process.env, NODE_V8_COVERAGE: coverage };
    // A group of its own, so that what it started is ended with it.
    const child = spawn(process.execPath, [script], {
      cwd: this.#root,
      stdio: 'ignore',
      detached: true,
      env: environment,
    });
    const end = (): void => endGroup(child);
    const timer = setTimeout(end, limitMs);
    // It may run for good with a change.
    process.once('exit', end);
    const [status] = await once(child, 'exit');
    process.off('exit', end);
    clearTimeout(timer);
    end();
    return status === 0;
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) {
      process.kill(-pid, 'SIGKILL');
    }
  } catch {
    // Nothing of it is left.
  }
}

/** The lines that a bundle begins with, as the build made it. */
function requireOf(bundle: string): string {
  const [first = '', second = ''] = readFileSync(bundle, 'utf8').split('\n');
  return first.includes('createRequire') ? `${first}\n${second}` : '';
}
