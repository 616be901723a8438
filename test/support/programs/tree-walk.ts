/**
 * Runs as a service: tries to make a file in each directory that it can get to, from "/" on and across all mounts, and removes
 * it again. Prints {"tried": N, "made": [directories where it could], "mounts": [mounts that are not read-only]}. Processes
 * come and go, so those directories of /proc that belong to others are not entered.
 */
import { closeSync, constants, openSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';

const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
const OTHER_PROCESS = /^\/proc\/\d+$/;
/** Beside the process itself, /proc shows its threads as directories of the same kind. */
const OWN = `/proc/${process.pid}`;
const MARK = '.tree-walk';
/** Far more than any host has; where a walk gets into a circle it ends. */
const DIRECTORIES_MAX = 1_000_000;

const made: string[] = [];
const open = ['/'];
let tried = 0;

function canMake(directory: string): boolean {
  const path = `${directory === '/' ? '' : directory}/${MARK}`;
  try {
    closeSync(openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600));
  } catch {
    return false;
  }
  unlinkSync(path);
  return true;
}

function directoriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => `${directory === '/' ? '' : directory}/${entry.name}`)
      .filter(path => !OTHER_PROCESS.test(path) || path === OWN);
  } catch {
    // Not to be read, or gone.
    return [];
  }
}

for (let next = open.pop(); next !== undefined && tried < DIRECTORIES_MAX; next = open.pop()) {
  tried++;
  if (canMake(next)) {
    made.push(next);
  }
  open.push(...directoriesIn(next));
}

const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => line.split(' '))
  .filter(fields => !(fields[5] ?? '').split(',').includes('ro'))
  .map(fields => fields[4] ?? '');

process.stdout.write(`${JSON.stringify({ tried, made: made.sort(), mounts: [...new Set(mounts)].sort() })}\n`);
