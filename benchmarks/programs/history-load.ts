/**
 * Runs inside a machine and measures what the history costs and how fast it answers, and the search for orphans next to find(1).
 * Prints one line of JSON; history.bench.ts reads it.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { encodeRecord, type Span, segmentName } from '../../src/history/format.ts';
import { connect } from '../../src/varlink/client.ts';
import { DaemonProcess, SOCKET } from '../../test/support/programs/daemon-process.ts';
import { median } from '../support/statistics.ts';

export interface HistoryFigures {
  readonly pairMs: { readonly on: number; readonly off: number };
  readonly records: number;
  readonly segments: number;
  readonly atMs: number;
  readonly atOfUidMs: number;
  /** Node with nothing to do, and dynuserctl with next to nothing */
  readonly nodeMs: number;
  readonly versionMs: number;
  readonly files: number;
  readonly orphansMs: number;
  readonly findMs: number;
}

const DIRECTORY = '/var/lib/dynuser/history';
const CONFIG = '/etc/dynuser/dynuserd.conf';
const ROUNDS = 6;
const [WARM, MEASURED] = [500, 2_000];
const RECORDS = 10_000_000;
const SEGMENT_LINES = 8_192;
const RUNS = 11;
const [DIRECTORIES, FILES_EACH] = [1_000, 1_000];
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const daemon = new DaemonProcess();

async function pairs(): Promise<number> {
  const client = await connect(SOCKET);
  const once = async (): Promise<void> => {
    const { lease } = await client.call('io.dynuser.Allocator.Acquire', {
      unit: 'bench.service',
      lifetime: 'explicit',
    });
    await client.call('io.dynuser.Allocator.Release', { lease: String(lease) });
  };
  for (let count = 0; count < WARM; count++) {
    await once();
  }
  const times: number[] = [];
  for (let count = 0; count < MEASURED; count++) {
    const begun = now();
    await once();
    times.push(now() - begun);
  }
  client.close();
  return median(times);
}

async function measurePairs(): Promise<HistoryFigures['pairMs']> {
  const times = { on: [] as number[], off: [] as number[] };
  mkdirSync('/etc/dynuser', { recursive: true });
  for (let round = 0; round < ROUNDS; round++) {
    for (const variant of round % 2 === 0 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
      writeFileSync(CONFIG, `LogLevel=error\nHistoryKeep=${variant === 'on' ? '1G' : 'no'}\n`);
      await daemon.start();
      times[variant].push(await pairs());
      await daemon.kill('SIGTERM');
    }
  }
  return { on: median(times.on), off: median(times.off) };
}

/** A user comes each second, and one goes: two thousand live at each time. @returns the time in the middle */
function writeRecords(): { readonly middle: number; readonly segments: number } {
  rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o700 });
  const live: Span[] = [];
  const begin = Date.UTC(2026, 0, 1);
  let [time, written, segments] = [begin, 0, 0];
  while (written < RECORDS) {
    time += 1;
    const file = openSync(`${DIRECTORY}/${segmentName(++segments, time, false)}`, 'w', 0o600);
    const lines = [encodeRecord({ kind: 'format', time, uptime: 1, text: '1 bench' })];
    for (const span of live) {
      lines.push(encodeRecord({ kind: 'lives', time, uptime: 1, span }));
    }
    while (lines.length < SEGMENT_LINES) {
      time += 500;
      const uid = 61_184 + (Math.floor(written / 2) % 4_336);
      const span = { uid, name: `user${uid}`, unit: `user${uid}.service`, owner: 0, since: time };
      live.push(span);
      lines.push(encodeRecord({ kind: 'begin', time, uptime: time / 1_000, span }));
      const gone = live.length > 2_000 ? live.shift() : undefined;
      if (gone !== undefined) {
        lines.push(encodeRecord({ kind: 'end', time, uptime: time / 1_000, span: gone }));
      }
      written += 2;
    }
    writeSync(file, Buffer.concat(lines));
    closeSync(file);
  }
  return { middle: (begin + time) / 2, segments };
}

function timed(program: string, ...argv: readonly string[]): number {
  const times = Array.from({ length: RUNS }, () => {
    const begun = now();
    execFileSync(program, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
    return now() - begun;
  });
  return median(times);
}

const pairMs = await measurePairs();
const { middle, segments } = writeRecords();
const at = `--at=@${(middle / 1_000).toFixed(3)}`;
const history = ['history', '--json=short', at] as const;
const figures = {
  ...{ pairMs, records: RECORDS, segments, nodeMs: timed(process.execPath, '--eval=0') },
  versionMs: timed('dynuserctl', '--version'),
  ...{ atMs: timed('dynuserctl', ...history), atOfUidMs: timed('dynuserctl', ...history, '63404') },
};
rmSync(DIRECTORY, { recursive: true });
const tree = '/var/lib/tree';
for (let directory = 0; directory < DIRECTORIES; directory++) {
  mkdirSync(`${tree}/${directory}`, { recursive: true });
  for (let file = 0; file < FILES_EACH; file++) {
    closeSync(openSync(`${tree}/${directory}/${file}`, 'w'));
  }
}
writeFileSync(CONFIG, 'LogLevel=error\n');
await daemon.start();
const findMs = timed('find', tree, '-uid', '+61183');
const orphansMs = timed('dynuserctl', 'orphans', tree);
await daemon.kill('SIGTERM');
process.stdout.write(
  `${JSON.stringify({ ...figures, files: DIRECTORIES * FILES_EACH, findMs, orphansMs } satisfies HistoryFigures)}\n`,
);
