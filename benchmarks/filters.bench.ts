/**
 * What filters of system calls cost a program: a call below the one filter of dynuser-run, below those of systemd for the same properties,
 * and without any. One machine with systemd, one run, in turns.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import { printTable, printTargets } from './support/report.ts';

const ROUNDS = 7;
const LOOP = '/usr/local/bin/call-loop';
const PROPERTIES = [
  ...['LockPersonality=yes', 'RestrictRealtime=yes', 'RestrictSUIDSGID=yes', 'RestrictNamespaces=yes'],
  ...['ProtectClock=yes', 'ProtectHostname=yes', 'ProtectKernelLogs=yes', 'ProtectKernelModules=yes'],
  ...['ProtectKernelTunables=yes', 'PrivateDevices=yes', 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6'],
  ...['SystemCallArchitectures=native', 'SystemCallFilter=@system-service', 'SystemCallErrorNumber=EPERM'],
  ...['DynamicUser=yes', 'NoNewPrivileges=yes'],
].flatMap(property => ['-p', property]);

const WAYS = {
  'no filter': [LOOP],
  'dynuser-run': ['dynuser-run', ...PROPERTIES, LOOP],
  systemd: ['systemd-run', '--quiet', '--pipe', '--wait', ...PROPERTIES, LOOP],
} as const;
type Way = keyof typeof WAYS;

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

const nsswitch = { passwd: 'files dynuser systemd', group: 'files dynuser systemd' };
const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch, varLib: 'disk' });
try {
  await machine.output(['systemctl', 'start', 'dynuserd.service']);
  await machine.output(['install', '-m', '755', `${CHECKOUT}dist/native/call-loop`, LOOP]);
  const seen: Record<Way, number[][]> = { 'no filter': [], 'dynuser-run': [], systemd: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of Object.keys(WAYS) as Way[]) {
      seen[way].push((await machine.output(WAYS[way])).split(' ').map(Number));
    }
  }
  const of = (way: Way, column: number): number => median(seen[way].map(figures => figures[column] ?? Number.NaN));
  const shown = (value: number): string => `${value.toFixed(0)} ns`;
  printTable([
    ['one call', 'getppid', 'personality, whose argument is tested'],
    ...(Object.keys(WAYS) as Way[]).map(way => [way, shown(of(way, 0)), shown(of(way, 1))]),
  ]);
  // Within what the figures of one program differ by.
  const bound = 1.1;
  printTargets(
    ['getppid', 'personality'].map((what, column) => {
      const ratio = of('dynuser-run', column) / of('systemd', column);
      return {
        what: `${what} against systemd's filters`,
        wanted: `≤ ${bound}×`,
        measured: `${ratio.toFixed(2)}×`,
        reached: ratio <= bound,
      };
    }),
  );
} finally {
  await machine.stop();
}
