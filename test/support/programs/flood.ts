/**
 * Runs inside a machine, as a user other than root: does one thing to the daemon without an end, with as many connections as it gets.
 * Arguments: what, the path of the socket, and for `lookups`, `large` and `explain…` the number of connections. Prints "going" once
 * the daemon has begun to answer, and ends with its standard input.
 *
 *   lookups              pipelines lookups on all connections
 *   large                pipelines requests of 60 KiB that are all nesting
 *   storm                connects, asks once, and closes
 *   open-close           connects, and closes without a word
 *   lists                asks for the list of leases on all connections
 *   explain              asks Explain on all connections
 *   explain-directories  the same, with directories
 *   busy                 asks nothing, and keeps a processor busy
 *   bus                  sends messages of 60 KiB of tiny variants over the system bus, whose socket the path is
 */
import { connect, type Socket } from 'node:net';
import { RawSender } from '../../integration/dbus/raw-sender.ts';

const [what = '', path = '', connections = '600'] = process.argv.slice(2);
/** Bytes that are sent at a time: more would only wait here. */
const BATCH_BYTES = 64 * 1024;
/** Connections that a storm has under way at a time. */
const STORM_WIDTH = 64;
const BUS_MESSAGES = 16;
/** How long `busy` leaves its standard input alone at a time. */
const BUSY_MS = 20;

const LOOKUP = request('io.systemd.UserDatabase.GetUserRecord', { uid: 61_300, service: 'io.dynuser.DynamicUser' });
const EXPLAIN = request('io.dynuser.Allocator.Explain', { unit: 'flood.service' });
const DIRECTORIES = ['StateDirectory', 'CacheDirectory', 'LogsDirectory'].map(key => [
  `${key[0]?.toLowerCase()}${key.slice(1)}`,
  ['flood/a', 'flood/b'],
]);

function request(method: string, parameters: object, more = false): string {
  return `${JSON.stringify({ method, parameters, ...(more ? { more } : {}) })}\0`;
}

let isGoing = false;
function going(): void {
  if (!isGoing) {
    isGoing = true;
    process.stdout.write('going\n');
  }
}

/** Keeps a connection full of requests, and makes it again when it is lost. */
function pipeline(batch: string): void {
  const socket = connect(path);
  let open = true;
  const fill = (): void => {
    while (open && socket.write(batch)) {
      // Until the kernel takes no more.
    }
  };
  socket.on('connect', fill);
  socket.on('drain', fill);
  socket.on('data', going);
  socket.on('error', () => {});
  socket.on('close', () => {
    open = false;
    setTimeout(() => pipeline(batch), 50);
  });
}

function storm(text: string): void {
  const socket: Socket = connect(path);
  socket.on('connect', () => {
    if (text === '') {
      going();
      socket.destroy();
    } else {
      socket.write(text);
    }
  });
  socket.on('data', () => {
    going();
    socket.destroy();
  });
  socket.on('error', () => {});
  socket.on('close', () => setImmediate(() => storm(text)));
}

async function floodBus(): Promise<void> {
  const name = 'io.dynuser.Allocator1';
  // Each variant is of the type y: its signature, and one byte.
  const body = Buffer.alloc(4 + 60 * 1024);
  body.writeUInt32LE(body.length - 4);
  for (let at = 4; at + 4 <= body.length; at += 4) {
    body.write('\u0001y\0\u0007', at, 'latin1');
  }
  const sender = await RawSender.connect(path);
  for (;;) {
    for (let count = 0; count < BUS_MESSAGES; count++) {
      sender.send({
        kind: 'call',
        destination: name,
        path: '/io/dynuser/Allocator1',
        interface: name,
        member: 'Acquire',
        signature: 'av',
        body,
      });
    }
    going();
    await sender.flushed();
  }
}

function many(batch: string): void {
  for (let count = 0; count < Number(connections); count++) {
    pipeline(batch);
  }
}

process.stdin.resume().on('end', () => process.exit(0));
switch (what) {
  case 'lookups':
    many(LOOKUP.repeat(Math.ceil(BATCH_BYTES / LOOKUP.length)));
    break;
  case 'large':
    many(`{"method":"a.b","parameters":{"x":[${'[],'.repeat(20_000)}[]]}}\0`);
    break;
  case 'lists':
    many(request('io.dynuser.Allocator.List', {}, true).repeat(64));
    break;
  case 'explain':
    many(EXPLAIN.repeat(16));
    break;
  case 'explain-directories':
    many(
      request('io.dynuser.Allocator.Explain', { unit: 'flood.service', ...Object.fromEntries(DIRECTORIES) }).repeat(16),
    );
    break;
  case 'storm':
  case 'open-close':
    for (let count = 0; count < STORM_WIDTH; count++) {
      storm(what === 'storm' ? LOOKUP : '');
    }
    break;
  case 'busy':
    going();
    setInterval(() => {
      const end = performance.now() + BUSY_MS;
      while (performance.now() < end) {
        // Busy.
      }
    }, 0);
    break;
  case 'bus':
    await floodBus();
    break;
  default:
    throw new Error(`there is no flood ${what}`);
}
