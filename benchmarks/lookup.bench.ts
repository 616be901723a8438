/**
 * What a lookup of a user costs a program, through glibc: from the published links, over the daemon's socket, and beside
 * them glibc's own files and nss-systemd with a real systemd as process 1 and real DynamicUser= units. One machine, one
 * run, rounds that alternate; each figure is the median of the medians of its rounds.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import { microseconds, printTable, printTargets } from './support/report.ts';
import { median } from './support/statistics.ts';

const ROUNDS = 9;
const PROGRAM = `${CHECKOUT}dist/native/nss-lookup`;
/** The same with musl, which asks the socket of nscd's protocol: shown to it alone, since glibc would ask there, too. */
const MUSL_PROGRAM = `${PROGRAM}-musl`;
const WITH_NSCD = 'mkdir -p /run/nscd && mount --bind /run/dynuser/nscd /run/nscd && exec "$@"';
const MUSL_COMMAND = ['unshare', '--mount', 'sh', '-c', WITH_NSCD, 'sh', MUSL_PROGRAM];
const OUR_LINK = '/run/systemd/userdb/io.dynuser.DynamicUser';
/** Users that live in each of the two allocators. */
const USERS = 10;

interface Source {
  readonly name: string;
  readonly nsswitch: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  /** a user that it knows, and lookups in one round */
  readonly user: string;
  readonly lookups: number;
}

const VARLINK = { DYNUSER_NSS_SOURCE: 'varlink' };

const SOURCES: readonly Source[] = [
  { name: 'files', nsswitch: 'files', user: 'daemon', lookups: 5_000 },
  { name: 'files dynuser, links', nsswitch: 'files dynuser', user: 'ours0', lookups: 5_000 },
  {
    name: 'files dynuser, varlink',
    nsswitch: 'files dynuser',
    env: VARLINK,
    user: 'ours0',
    lookups: 1_000,
  },
  { name: 'files systemd', nsswitch: 'files systemd', user: 'theirs0', lookups: 1_000 },
  { name: 'dynuser, links', nsswitch: 'dynuser', user: 'ours0', lookups: 5_000 },
  { name: 'systemd', nsswitch: 'systemd', user: 'theirs0', lookups: 1_000 },
  { name: 'dynuser, varlink', nsswitch: 'dynuser', env: VARLINK, user: 'ours0', lookups: 1_000 },
  { name: 'musl, nscd', nsswitch: 'files dynuser', command: MUSL_COMMAND, user: 'ours0', lookups: 1_000 },
];
const FUNCTIONS = ['getpwuid', 'getpwnam'] as const;
const OUTCOMES = ['hit', 'miss'] as const;

type Figures = Map<string, number[]>;
const keyOf = (source: string, call: string, outcome: string): string => `${source}|${call}|${outcome}`;

async function populate(machine: Machine): Promise<void> {
  await machine.output(['systemctl', 'daemon-reload']);
  await machine.output(['systemctl', 'start', 'dynuserd.service']);
  for (let index = 0; index < USERS; index++) {
    await machine.output(['dynuserctl', 'acquire', `ours${index}.service`]);
    const unit = ['-q', `--unit=theirs${index}`, '-p', 'DynamicUser=yes', '-p', 'Type=exec'];
    await machine.output(['systemd-run', ...unit, 'sleep', 'infinity']);
  }
  // systemd's module would ask our daemon too, which a host without dynuser does not have.
  await machine.output(['rm', OUR_LINK]);
}

/** A UID of the range that nobody has, as far as the default users go. */
async function freeUid(machine: Machine): Promise<string> {
  const used = new Set((await machine.output(['ls', '/run/systemd/dynamic-uid'])).split('\n'));
  const free = [61184, 61185, 61186, 61187].map(String).find(uid => !used.has(uid));
  if (free === undefined) {
    throw new Error('the first UIDs of the range are all taken');
  }
  return free;
}

async function measure(machine: Machine, source: Source, missUid: string, figures: Figures): Promise<void> {
  await machine.write('/etc/nsswitch.conf', `passwd: ${source.nsswitch}\ngroup: files\n`);
  const env = source.env ?? {};
  const uid = await machine.output(['id', '-u', source.user], { env });
  for (const call of FUNCTIONS) {
    for (const outcome of OUTCOMES) {
      const [name, number] = outcome === 'hit' ? [source.user, uid] : ['nosuchuser', missUid];
      const key = call === 'getpwuid' ? number : name;
      const argv = [...(source.command ?? [PROGRAM]), call, key, String(source.lookups)];
      const text = await machine.output(argv, { env, timeoutMs: 120_000 });
      const { found, medianNs }: { found: boolean; medianNs: number } = JSON.parse(text);
      if (found !== (outcome === 'hit')) {
        throw new Error(`${source.name}: ${call} ${key} was ${found ? '' : 'not '}found`);
      }
      const place = keyOf(source.name, call, outcome);
      figures.set(place, [...(figures.get(place) ?? []), medianNs]);
    }
  }
}

function report(figures: Figures): void {
  const figure = (source: string, call: string, outcome: string): number =>
    median(figures.get(keyOf(source, call, outcome)) ?? []);
  const columns = FUNCTIONS.flatMap(call => OUTCOMES.map(outcome => ({ call, outcome })));
  printTable([
    ['passwd:', ...columns.map(({ call, outcome }) => `${call}_r ${outcome}`)],
    ...SOURCES.map(({ name }) => [
      name,
      ...columns.map(({ call, outcome }) => microseconds(figure(name, call, outcome))),
    ]),
  ]);
  const least = (ratio: (call: string, outcome: string) => number): number =>
    Math.min(...columns.map(({ call, outcome }) => ratio(call, outcome)));
  const links = least((c, o) => figure('systemd', c, o) / figure('dynuser, links', c, o));
  const behind = least((c, o) => figure('files systemd', c, o) / figure('files dynuser, links', c, o));
  const varlink = least((c, o) => figure('files systemd', c, o) / figure('files dynuser, varlink', c, o));
  const files = 1 / least((c, o) => figure('files', c, 'miss') / figure('files dynuser, links', c, o));
  const nscd = 1 / least((c, o) => figure('dynuser, varlink', c, o) / figure('musl, nscd', c, o));
  printTargets([
    {
      what: 'links against nss-systemd, each alone',
      wanted: '≥ 20×',
      measured: `${links.toFixed(1)}×`,
      reached: links >= 20,
    },
    { what: 'the same, each behind files', wanted: '≥ 20×', measured: `${behind.toFixed(1)}×`, reached: behind >= 20 },
    { what: 'links against a files miss', wanted: '≤ 2×', measured: `${files.toFixed(2)}×`, reached: files <= 2 },
    {
      what: 'varlink against nss-systemd',
      wanted: '≥ 1.5×',
      measured: `${varlink.toFixed(1)}×`,
      reached: varlink >= 1.5,
    },
    {
      what: 'nscd against varlink, each alone',
      wanted: '≤ 1.5×',
      measured: `${nscd.toFixed(2)}×`,
      reached: nscd <= 1.5,
    },
  ]);
}

const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files', group: 'files' } });
try {
  await populate(machine);
  const missUid = await freeUid(machine);
  const figures: Figures = new Map();
  for (let round = 0; round < ROUNDS; round++) {
    for (const source of SOURCES) {
      await measure(machine, source, missUid, figures);
    }
  }
  report(figures);
} finally {
  await machine.stop();
}
