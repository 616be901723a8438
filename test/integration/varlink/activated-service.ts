/** A service on the socket that it was started with, number 3 (sd_listen_fds(3)). A program for listener.test.ts. */
import { VarlinkServer } from '../../../src/varlink/server.ts';
import { SERVICE_INFO } from './service.ts';

const server = new VarlinkServer<undefined>({
  info: SERVICE_INFO,
  interfaces: [],
  identify: () => undefined,
  quotaKey: () => 0,
  privileged: () => false,
  onFailure: failure => {
    throw new Error(failure.what, { cause: failure.cause });
  },
});
await server.listen({ fd: 3 });
