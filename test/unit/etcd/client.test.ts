import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, it } from 'node:test';
import { EtcdClient, EtcdReplaced, EtcdUnavailable } from '../../../src/etcd/client.ts';
import { HEADER, type Message, startMember } from './member.ts';

const sockets: Socket[] = [];
const keep = (socket: Socket) => sockets.push(socket.on('error', () => undefined));
/** They take connections, and answer nothing. */
const silent = createServer(keep);
const silentToo = createServer(keep);
let refusing: string;
let hanging: string;
let hangingToo: string;

async function listen(server: Server): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

before(async () => {
  const gone = createServer();
  refusing = await listen(gone);
  await new Promise(resolve => gone.close(resolve));
  [hanging, hangingToo] = [await listen(silent), await listen(silentToo)];
});
after(() => {
  for (const socket of sockets) {
    socket.destroy();
  }
  silent.close();
  silentToo.close();
});

async function failureOf(endpoints: readonly string[]): Promise<string> {
  const client = new EtcdClient({
    ...{ endpoints, readableKey: 'key', credentials: () => ({}) },
    ...{ callMs: 4_000, attemptMs: 500 },
  });
  try {
    await client.range({ key: Buffer.from('key') });
  } catch (error) {
    assert.ok(error instanceof EtcdUnavailable, String(error));
    return error.message;
  } finally {
    client.close();
  }
  return assert.fail('it was answered');
}

it('tells why an endpoint fails, also if the last one tried has only run out of time', async () => {
  const words = await Promise.all(Array.from({ length: 8 }, () => failureOf([refusing, hanging])));
  for (const text of words) {
    assert.match(text, /ECONNREFUSED/);
  }
});

it('names each endpoint once, with the reason that several have behind them', async () => {
  const late = [hanging, hangingToo].sort().join(', ');
  assert.deepEqual(
    (await failureOf([hanging, refusing, hangingToo])).split('; ').sort(),
    [`${late}: the operation timed out`, `${refusing}: connect ECONNREFUSED ${refusing.replace('http://', '')}`].sort(),
  );
});

it('says that time has run out if that is all that is known', async () => {
  assert.match(await failureOf([hanging]), /timed out/);
});

it('sends a transaction over no other connection than that on which the cluster was asked', async () => {
  const calls: string[] = [];
  await using member = await startMember({
    range(): Message {
      if (calls.push('range') > 1) {
        return { header: { ...HEADER, clusterId: HEADER.clusterId + 1n } };
      }
      // The answer comes, and the next call finds that connection ending; another cluster answers on the next one.
      member.goAway();
      return { header: HEADER };
    },
    txn() {
      calls.push('txn');
      return { header: HEADER, succeeded: true };
    },
  });
  const client = new EtcdClient({ endpoints: [member.url], readableKey: 'key', credentials: () => ({}) });
  try {
    await assert.rejects(client.txn({ success: [] }, HEADER.clusterId), EtcdReplaced);
    assert.ok(!calls.includes('txn'));
  } finally {
    client.close();
  }
});
