/** A user database of a test's making: providers behind its sockets, and a helper's probe that finds them there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { HelperProbe } from '../../../src/host/helper/probe.ts';
import { whileOpen, withDirectory, withSources } from './helpers.ts';

const DEADLINE_MS = 10_000;

/** What a provider answers to a call, with its NUL; undefined: it closes the connection instead. */
export type Provider = (call: string) => string | undefined;

export const knowsNobody: Provider = () => '{"error":"io.systemd.UserDatabase.NoRecordFound","parameters":{}}\0';

export interface UserDatabaseOptions<Name extends string> {
  readonly providers: Readonly<Record<Name, Provider>>;
  /** shell that makes more in the helper's own /run, from what is in a directory of the test */
  readonly prepare?: (directory: string) => string;
  /** nsswitch.conf; nss-systemd alone by default */
  readonly sources?: string;
  /** a program with arguments that starts the helper, such as strace(1) */
  readonly before?: readonly string[];
}

/**
 * Runs a helper with an empty /run but for the sockets of the user database.
 * @param use gets the probe, and how many connections a provider has had
 */
export function withUserDatabase<Name extends string>(
  { providers, prepare, before = [], sources = 'passwd: systemd\ngroup: systemd\n' }: UserDatabaseOptions<Name>,
  use: (probe: HelperProbe, connections: (name: Name) => number) => Promise<void>,
): Promise<void> {
  return withDirectory(async directory => {
    const sockets = `${directory}/userdb`;
    const counts = new Map<string, number>();
    const servers: Server[] = [];
    mkdirSync(sockets);
    writeFileSync(`${directory}/nsswitch.conf`, sources);
    const places = '/run/systemd/userdb /run/systemd/dynamic-uid /run/userdb';
    const script = `mount -t tmpfs tmpfs /run && mkdir -p ${places} && mount --bind ${sockets} /run/systemd/userdb`;
    const made = `${script} && ${prepare?.(directory) ?? 'true'}`;
    const [first = '', ...rest] = [...before, ...withSources(`${directory}/nsswitch.conf`, made)];
    const command = [first, ...rest] as const;
    try {
      for (const [name, provider] of Object.entries<Provider>(providers)) {
        const count = (): unknown => counts.set(name, (counts.get(name) ?? 0) + 1);
        servers.push(await serve(`${sockets}/${name}`, provider, count));
      }
      await whileOpen(new HelperProbe(command, () => DEADLINE_MS), probe => use(probe, name => counts.get(name) ?? 0));
    } finally {
      for (const server of servers) {
        server.close();
      }
    }
  });
}

/** For `prepare`: locks on the file system of the sockets, as on a host whose service manager has both. */
export function sharedLocks(directory: string): string {
  mkdirSync(`${directory}/locks`);
  return `mount --bind ${directory}/locks /run/systemd/dynamic-uid`;
}

function serve(path: string, provider: Provider, connected: () => void): Promise<Server> {
  const server = createServer(socket => {
    connected();
    socket.on('error', () => {});
    socket.on('data', bytes => {
      const reply = provider(bytes.toString('latin1'));
      if (reply === undefined) {
        socket.destroy();
      } else {
        socket.write(reply);
      }
    });
  });
  return new Promise(resolve => server.listen(path, () => resolve(server)));
}
