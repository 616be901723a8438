/**
 * Where nscd's protocol is answered: below the runtime directory, for roots whose programs are of musl, and if the configuration says
 * so where programs of this host look. Lookups by it are an extra: without them the daemon does all the rest.
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { hostsCLibrary } from '../host/c-library.ts';
import { NSCD_SOCKET } from '../host/nscd.ts';
import type { Question, UnknownAnswer } from '../nscd/protocol.ts';
import { NscdServer, type NscdServerOptions } from '../nscd/server.ts';
import type { ListenTarget } from '../varlink/listener.ts';
import type { Logger } from './logger.ts';

export interface NameServiceOptions extends Omit<NscdServerOptions, 'answer' | 'onFailure'> {
  answer(question: Question, unknown: UnknownAnswer): Buffer;
  /** for roots of musl */
  readonly target: ListenTarget;
  /** whether the host's own programs are answered, too */
  readonly servesHost: boolean;
  readonly logger: Logger;
}

export interface NameService {
  readonly connections: number;
  /** how many connections there have been */
  readonly accepted: number;
  /** whether the socket of the host's nscd is ours */
  readonly isHosts: boolean;
  close(): Promise<void>;
}

/** Never throws: a socket that cannot be opened is said in the log. */
export async function openNameService(options: NameServiceOptions): Promise<NameService> {
  const { answer, target, servesHost, logger, ...shared } = options;
  const onFailure = (what: string, cause: unknown) => logger.error({ err: cause }, what);
  const open = async (
    place: ListenTarget,
    unknown: UnknownAnswer,
    prepare: () => void = () => {},
  ): Promise<NscdServer | undefined> => {
    const server = new NscdServer({ ...shared, answer: question => answer(question, unknown), onFailure });
    try {
      prepare();
      await server.listen(place);
      return server;
    } catch (error) {
      onFailure(
        `nscd's protocol is not answered at ${'path' in place ? place.path : 'the socket that was passed'}`,
        error,
      );
      return undefined;
    }
  };
  const forRoots = await open(target, 'absent');
  const forHost = servesHost
    ? await open({ path: NSCD_SOCKET, mode: 0o666 }, hostsUnknownAnswer(), makeHostsDirectory)
    : undefined;
  const servers = [forRoots, forHost].filter(server => server !== undefined);
  const total = (count: (server: NscdServer) => number) => servers.reduce((sum, server) => sum + count(server), 0);
  return {
    get connections() {
      return total(server => server.connections);
    },
    get accepted() {
      return total(server => server.accepted);
    },
    isHosts: forHost !== undefined,
    async close() {
      await Promise.all(servers.map(server => server.close()));
    },
  };
}

/** glibc's programs ask nscd first. They must not be told that root does not exist, which only /etc/passwd knows. */
function hostsUnknownAnswer(): UnknownAnswer {
  return hostsCLibrary() === 'musl' ? 'absent' : 'unknown';
}

/** @throws Error the system's */
function makeHostsDirectory(): void {
  mkdirSync(dirname(NSCD_SOCKET), { recursive: true, mode: 0o755 });
}
