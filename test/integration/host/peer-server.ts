/** Not a test: listens on the UNIX socket of argv[2], prints who connects as one line of JSON, and ends. */
import { createServer } from 'node:net';
import { PeerReader } from '../../../src/host/processes/peer.ts';
import { socketDescriptor } from '../../../src/varlink/socket-handle.ts';

const reader = new PeerReader();
const server = createServer(socket => {
  const peer = reader.read(socketDescriptor(socket) ?? -1);
  process.stdout.write(`${JSON.stringify({ ...peer, pid: peer.pid ?? null, groups: peer.groups() })}\n`);
  socket.destroy();
  server.close();
});
server.listen(process.argv[2], () => process.stdout.write('listening\n'));
