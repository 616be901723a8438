/** A socket in front of another that passes everything on, and keeps what passed. */
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from '../service.ts';

export interface Wiretap {
  readonly path: string;
  /** what clients sent */
  requests: string;
  /** what the server sent */
  replies: string;
}

/** @param path of the socket behind it */
export async function startWiretap(t: TestContext, path: string): Promise<Wiretap> {
  const tap: Wiretap = { path: join(temporaryDirectory(t), 'tap'), requests: '', replies: '' };
  const server = createServer(client => {
    const behind = createConnection(path);
    client.on('data', chunk => {
      tap.requests += chunk.toString();
      behind.write(chunk);
    });
    behind.on('data', chunk => {
      tap.replies += chunk.toString();
      client.write(chunk);
    });
    client.on('close', () => behind.destroy());
    behind.on('close', () => client.destroy());
  });
  await new Promise<void>(resolve => server.listen(tap.path, resolve));
  t.after(() => server.close());
  return tap;
}
