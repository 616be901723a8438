/**
 * dynuser-helper in worlds of a test's making: with another nsswitch.conf and the test's own NSS module, or beside one
 * thing that a UID owns. Every command is for HelperProbe; what it makes goes with the helper.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { asUid, type Uid } from '../../../src/core/ids.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { HelperProbe } from '../../../src/host/helper/probe.ts';
import type { HelperCommand } from '../../../src/host/helper/process.ts';
import { BUILD, buildNative } from '../../support/native.ts';

const OPTIONS: Readonly<Record<string, string>> = {
  // The helper forbids that it is traced, which the search for leaks needs; parts_test has that.
  ASAN_OPTIONS: 'detect_leaks=0:handle_segv=0',
};

/** The helper that is tried. */
export const HELPER = `${BUILD.lib}/dynuser-helper`;
/** Where the test's NSS module and the maker of worlds are. */
const TOOLS = `${BUILD.programs}/helper`;
buildNative('helper-tests', BUILD);

function environment(): string[] {
  return ['env', `LD_LIBRARY_PATH=${TOOLS}`, ...Object.entries(OPTIONS).map(([name, value]) => `${name}=${value}`)];
}

/** The helper as it was built, in the host's own world. */
export function built(): HelperCommand {
  return ['/usr/bin/env', ...environment().slice(1), HELPER];
}

/**
 * The helper with a file as its /etc/nsswitch.conf, and after a shell script that may mount more in its mount namespace.
 */
export function withSources(configuration: string, script = 'true'): HelperCommand {
  const mounts = `mount --bind "$1" /etc/nsswitch.conf && { ${script}; } && shift && exec "$@"`;
  return ['unshare', '-m', 'sh', '-ec', mounts, 'sh', configuration, ...environment(), HELPER];
}

/** The helper beside one thing; test/native/helper/world.c knows which there are. */
export function besideThing(thing: string, number: number): HelperCommand {
  const namespaces = ['-m', '-i', '-p', '-f', '--kill-child=KILL', '--mount-proc'];
  return ['unshare', ...namespaces, ...environment(), `${TOOLS}/world`, thing, String(number), HELPER];
}

/** A directory of the test's own, gone after it. */
export async function withDirectory(use: (path: string) => Promise<void>): Promise<void> {
  const path = mkdtempSync(`${tmpdir()}/dynuser-host-`);
  try {
    await use(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** A probe whose helpers have these lines as their nsswitch.conf. */
export function withProbe(
  lines: string,
  deadlineMs: number,
  use: (probe: HelperProbe, configuration: string) => Promise<void>,
): Promise<void> {
  return withDirectory(async directory => {
    const configuration = `${directory}/nsswitch.conf`;
    writeFileSync(configuration, lines);
    await whileOpen(new HelperProbe(withSources(configuration), () => deadlineMs), probe => use(probe, configuration));
  });
}

export async function whileOpen(probe: HelperProbe, use: (probe: HelperProbe) => Promise<void>): Promise<void> {
  try {
    await use(probe);
  } finally {
    await probe.close();
  }
}

export function userName(text: string) {
  const parsed = parseUserName(text);
  if ('reason' in parsed) {
    throw new Error(parsed.reason);
  }
  return parsed.name;
}

export function uid(number: number): Uid {
  const parsed = asUid(number);
  if (parsed === undefined) {
    throw new Error(`no UID: ${number}`);
  }
  return parsed;
}
