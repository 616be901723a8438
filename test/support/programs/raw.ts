/**
 * Runs inside a machine: sends bytes to the daemon's socket as they are, and says what came back. Reads one exchange a line
 * from standard input, {"send": TEXT, "repeat"?: N, "end"?: BOOL, "waitMs"?: N}, and prints {"received": TEXT, "closed": BOOL, "sent": BYTES}.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { SOCKET } from './daemon-process.ts';

const ANSWER_MS = 1_500;

interface Exchange {
  readonly send: string;
  readonly repeat?: number;
  readonly end?: boolean;
  /** how long to wait for an answer or the end of the connection */
  readonly waitMs?: number;
}

function exchange({ send, repeat = 1, end = false, waitMs = ANSWER_MS }: Exchange): Promise<string> {
  return new Promise(resolve => {
    const socket: Socket = connect(SOCKET);
    let received = '';
    let closed = false;
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(JSON.stringify({ received, closed, sent: socket.bytesWritten }));
    };
    const timer = setTimeout(done, waitMs);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      if (received.endsWith('\0')) {
        done();
      }
    });
    socket.on('close', () => {
      closed = true;
      done();
    });
    socket.on('error', () => undefined);
    const bytes = Buffer.from(send, 'latin1');
    let left = repeat;
    const more = () => {
      while (left-- > 0 && !socket.destroyed) {
        if (!socket.write(bytes)) {
          socket.once('drain', more);
          return;
        }
      }
      if (end) {
        socket.end();
      }
    };
    socket.on('connect', more);
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await exchange(JSON.parse(line))}\n`);
}
