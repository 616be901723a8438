/** What the machine is that figures were measured on: without it they say nothing. */
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

/** @returns one line */
export function machineFacts(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = /^MemTotal: +(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? '0';
  const distribution = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  const gigabytes = Math.round(Number(memory) / 1024 / 1024);
  return `${cpus().length} × ${model}, ${gigabytes} GiB, Linux ${release()}, ${distribution}, Node ${process.version}`;
}
