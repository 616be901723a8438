/**
 * `npm run bench [-- NAME...]`: runs the benchmarks one after the other, each in a separate process, after a line that
 * says what machine this is. The exit status is 0 only if every target was reached.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machineFacts } from './support/facts.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SUFFIX = '.bench.js';
/** No benchmark may take longer, in milliseconds. */
const DEADLINE_MS = 20 * 60_000;

const known = readdirSync(HERE)
  .filter(file => file.endsWith(SUFFIX))
  .map(file => file.slice(0, -SUFFIX.length))
  .sort();
const chosen = process.argv.length > 2 ? process.argv.slice(2) : known;
const unknown = chosen.filter(name => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no ${unknown.join(', ')}; there are ${known.join(', ')}\n`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  process.stderr.write('bench: benchmarks boot machines with systemd, which needs root\n');
  process.exit(2);
}
process.stdout.write(`${machineFacts()}\n`);
for (const name of chosen) {
  process.stdout.write(`\n## ${name}\n`);
  const { status } = spawnSync(process.execPath, [`${HERE}${name}${SUFFIX}`], {
    stdio: 'inherit',
    timeout: DEADLINE_MS,
  });
  if (status !== 0) {
    process.exitCode = 1;
  }
}
