/** A member of etcd that says what a test wants it to say, over gRPC: for what a real one says rarely, or never when it is asked to. */
import assert from 'node:assert/strict';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { LEASE_GRANT, LEASE_KEEP_ALIVE, RANGE, TXN, WATCH } from '../../../src/etcd/messages.ts';

/** A message as it comes in or goes out: the fields that are there. */
export type Message = Readonly<Record<string, unknown>>;

/** What is said to each call; a call that is left out is not implemented. */
export interface Answers {
  range?(request: Message): Message;
  txn?(request: Message): Message;
  grant?(request: Message): Message;
  keepAlive?(requests: AsyncIterable<Message>): AsyncIterable<Message>;
  watch?(requests: AsyncIterable<Message>): AsyncIterable<Message>;
}

export interface Member extends AsyncDisposable {
  readonly url: string;
  /** Ends the connections that there are. */
  disconnect(): void;
  /** Takes no more calls on the connections that there are. */
  goAway(): void;
}

export const HEADER = { clusterId: 0xabcn, memberId: 1n, revision: 7n, raftTerm: 1n };

export async function startMember(answers: Answers): Promise<Member> {
  const rows = [
    [RANGE, answers.range],
    [TXN, answers.txn],
    [LEASE_GRANT, answers.grant],
    [LEASE_KEEP_ALIVE, answers.keepAlive],
    [WATCH, answers.watch],
  ] as const;
  // The descriptors are made at run time: what their messages are is not known to the router's types.
  const routes = (router: ConnectRouter): void => {
    for (const [method, implementation] of rows) {
      if (implementation !== undefined) {
        router.rpc(method as never, implementation as never);
      }
    }
  };
  const server = createServer(connectNodeAdapter({ routes }));
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', session => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session)).on('error', () => undefined);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const disconnect = (): void => {
    for (const session of sessions) {
      session.destroy();
    }
  };
  const goAway = (): void => {
    for (const session of sessions) {
      session.goaway();
    }
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    disconnect,
    goAway,
    async [Symbol.asyncDispose]() {
      disconnect();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
