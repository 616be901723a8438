/**
 * What this host lets tests do. The runner tries each need once, skips the files whose needs are not met, and says so; files that need
 * something for some of their tests alone ask skipUnless(). A file that is started without the runner takes everything for possible.
 */
import { spawnSync } from 'node:child_process';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { Machine } from './machine.ts';

/** What a test may need of its host. */
export type Need =
  | 'machines'
  | 'machines with systemd'
  | 'user namespaces'
  | 'id-mapped mounts'
  | 'etcd nodes'
  | 'cables';

/** Why a need is not met; a need that is met is left out. */
export type Lacking = Readonly<Partial<Record<Need, string>>>;

export const LACKING_VARIABLE = 'DYNUSER_TEST_LACKING';

const TRY_DEADLINE_MS = 10_000;
/** The helper says whether the disk that tests use can show files under other owners. */
const CAN_MAP = `[ "$('${CHECKOUT.replaceAll("'", "'\\''")}dist/lib/dynuser-helper' tree probe 3</var/tmp)" = yes ]`;

/** @returns why a host that lacks these things cannot run a test with these needs, or undefined if it can */
export function reasonFor(lacking: Lacking, needs: readonly Need[]): string | undefined {
  const need = needs.find(name => lacking[name] !== undefined);
  return need === undefined ? undefined : `this host allows no ${need}: ${lacking[need]}`;
}

/** @returns what `skip` of node:test takes: why this host cannot run a test with this need, or false if it can */
export function skipUnless(need: Need): string | false {
  return reasonFor(JSON.parse(process.env[LACKING_VARIABLE] ?? '{}'), [need]) ?? false;
}

/** Tries what the tests need of this host. It takes a few seconds if that is a machine. */
export async function findLacking(needs: ReadonlySet<Need>): Promise<Lacking> {
  const lacking: Partial<Record<Need, string>> = {};
  for (const need of needs) {
    const why = await TRIES[need]();
    if (why !== undefined) {
      lacking[need] = why;
    }
  }
  return lacking;
}

/** Each says why the need is not met, or undefined if it is. */
const TRIES: Readonly<Record<Need, () => Promise<string | undefined>>> = {
  machines: () => bootFailure('plain'),
  'machines with systemd': () => bootFailure('systemd'),
  'user namespaces': async () => failureOf('unshare', '--user', '--map-root-user', 'true'),
  'id-mapped mounts': async () =>
    failureOf('sh', '-c', CAN_MAP) === undefined ? undefined : `the file system of /var/tmp cannot be mapped`,
  'etcd nodes': async () =>
    failureOf('sh', '-c', 'etcd --version && etcdctl version && etcdutl version && openssl version'),
  // Between the networks of machines: veth(4).
  cables: async () =>
    failureOf('unshare', '--net', 'ip', 'link', 'add', 'name', 'one', 'type', 'veth', 'peer', 'name', 'other'),
};

async function bootFailure(init: 'plain' | 'systemd'): Promise<string | undefined> {
  try {
    const machine = await Machine.boot({ init });
    await machine.stop();
    return undefined;
  } catch (error) {
    return lastLine(error instanceof Error ? error.message : String(error));
  }
}

function failureOf(program: string, ...argv: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(program, argv, { encoding: 'utf8', timeout: TRY_DEADLINE_MS });
  if (status === 0) {
    return undefined;
  }
  return lastLine(stderr ?? '') || error?.message || `${program} gave ${status}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
