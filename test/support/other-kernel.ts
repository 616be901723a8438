/**
 * Another kernel than the host's, for what that does not have: user-mode Linux, which runs as a program, with the file tree of a machine.
 * Debian has it as user-mode-linux; DYNUSER_TEST_KERNEL= names a newer one (such as /usr/bin/linux.uml of Debian's unstable).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Machine } from './machine.ts';

const KERNEL = process.env['DYNUSER_TEST_KERNEL'] ?? '/usr/bin/linux.uml';
const DEADLINE_MS = 200_000;
/** User-mode Linux 6.12 panics if a process that has mapped an io_uring ends, as Node does with a libuv that uses it. */
const NO_IO_URING = 'sysctl.kernel.io_uring_disabled=2';
const OUTPUT = '/opt/other-kernel';

/** A script of sh(1). Its standard output and standard error are one text. */
export interface Step {
  readonly name: string;
  readonly script: string;
}

export interface StepResult {
  readonly status: number;
  readonly text: string;
}

export interface KernelOptions {
  /** images in the machine: /dev/ubda, /dev/ubdb */
  readonly disks?: readonly string[];
  /** of its command line */
  readonly parameters?: readonly string[];
  /** a script that has to succeed, before dynuserd is started */
  readonly prepare?: string;
}

/** @returns the reason why a test is skipped if there is no such kernel, or it is too old */
export function skipUnlessKernel(least: readonly [major: number, minor: number] = [0, 0]): string | false {
  if (!existsSync(KERNEL)) {
    return 'this host has no user-mode Linux (Debian: user-mode-linux)';
  }
  const release = execFileSync(KERNEL, ['--version'], { encoding: 'utf8' }).trim();
  const [major = 0, minor = 0] = release.split('.').map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1])
    ? false
    : `user-mode Linux is ${release} here, and ${least.join('.')} is needed (DYNUSER_TEST_KERNEL=)`;
}

/**
 * Boots the kernel in a machine where dynuser is installed, starts dynuserd, and runs the steps one after the other.
 */
export async function runUnderOtherKernel(
  machine: Machine,
  steps: readonly Step[],
  { disks = [], parameters = [], prepare = '' }: KernelOptions = {},
): Promise<ReadonlyMap<string, StepResult>> {
  await machine.output(['mkdir', '-p', OUTPUT]);
  await machine.write(`${OUTPUT}/init`, init(steps, prepare), 0o755);
  const drives = disks.map((path, index) => `ubd${'ab'[index]}=${path}`);
  const { stdout, stderr } = await machine.run(
    [
      ...[KERNEL, 'mem=512M', ...drives, 'root=/dev/root', 'rootfstype=hostfs', 'rw', `init=${OUTPUT}/init`],
      ...['con=null', 'con0=null,fd:1', 'panic=1', 'quiet', NO_IO_URING, ...parameters],
    ],
    { timeoutMs: DEADLINE_MS, env: { TMPDIR: '/tmp', HOME: '/root' } },
  );
  const results = new Map<string, StepResult>();
  for (const name of ['prepare', 'ready', ...steps.map(each => each.name)]) {
    const output = await machine.run(['cat', `${OUTPUT}/${name}`]);
    const [, text = '', status] = /^([\s\S]*)status (\d+)\n$/.exec(output.stdout) ?? [];
    assert.ok(status !== undefined, `${name}: ${output.stdout}${output.stderr}\n${stdout.slice(-2_000)}${stderr}`);
    results.set(name, { text, status: Number(status) });
  }
  for (const name of ['prepare', 'ready']) {
    assert.equal(results.get(name)?.status, 0, `${name}: ${results.get(name)?.text}`);
  }
  return results;
}

/** Process 1 of the other kernel. */
function init(steps: readonly Step[], prepare: string): string {
  const run = ({ name, script }: Step): string =>
    `{ ${script}\n} >${OUTPUT}/${name} 2>&1; echo "status $?" >>${OUTPUT}/${name}\n`;
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs /tmp
${run({ name: 'prepare', script: prepare === '' ? 'true' : prepare })}
dynuserd >${OUTPUT}/daemon 2>&1 &
tries=0
${run({ name: 'ready', script: 'until dynuserctl list || [ $tries -gt 300 ]; do tries=$((tries + 1)); sleep 0.1; done; dynuserctl list' })}
${steps.map(run).join('')}systemctl --force --force poweroff
`;
}
