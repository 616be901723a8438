/**
 * Runs inside a machine, as a user other than root: opens idle connections, says how many of them stay open, and keeps
 * them until its standard input ends.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SOCKET } from './daemon-process.ts';

const CONNECTIONS = Number(process.argv[2]);
const AT_A_TIME = 50;
const SETTLE_MS = 1_000;

const open = new Set<Socket>();
let opened = 0;

function openOne(): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(SOCKET);
    socket.on('connect', () => {
      opened++;
      open.add(socket);
      resolve();
    });
    socket.on('error', () => resolve());
    socket.on('close', () => open.delete(socket));
    // Without a reader the end of a connection would not be seen.
    socket.resume();
  });
}

for (let count = 0; count < CONNECTIONS; count += AT_A_TIME) {
  await Promise.all(Array.from({ length: AT_A_TIME }, openOne));
}
await sleep(SETTLE_MS);
process.stdout.write(`${JSON.stringify({ opened, open: open.size })}\n`);
process.stdin.resume().on('end', () => process.exit(0));
