/**
 * Runs inside a machine: asks Explain on many connections at a time, again and again until it is killed. Prints a line when
 * all are connected. Arguments: connections, calls that each has under way.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { SOCKET } from './daemon-process.ts';

const [connections = 0, depth = 0] = process.argv.slice(2).map(Number);
const call = (unit: string) => `${JSON.stringify({ method: 'io.dynuser.Allocator.Explain', parameters: { unit } })}\0`;

let asked = 0;
for (let index = 0; index < connections; index++) {
  const socket = connect(SOCKET);
  await once(socket, 'connect');
  const ask = () => socket.write(call(`flood-${asked++}.service`));
  // An answer is whole or in pieces; each NUL ends one, and another question follows.
  socket.on('data', data => {
    for (const byte of data) {
      if (byte === 0) {
        ask();
      }
    }
  });
  socket.on('error', () => undefined);
  for (let count = 0; count < depth; count++) {
    ask();
  }
}
process.stdout.write('flooding\n');
