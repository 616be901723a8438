/**
 * The name of our socket in systemd's user database: a symlink in /run/systemd/userdb, made if that directory exists
 * (systemd, docs/USER_GROUP_API.md). userdbctl and nss-systemd ask every socket that they find there.
 */
import { hasCode, PinnedDirectory } from '../../files/pinned-directory.ts';

export const USER_DATABASE_DIRECTORY = '/run/systemd/userdb';

/**
 * @param name the name of the service, which is the base name of its socket
 * @param socket the absolute path of the socket
 * @returns a function that removes the link again, or undefined if there is no such directory
 * @throws Error when the directory is there and cannot be used
 */
export function linkUserDatabase(name: string, socket: string): (() => void) | undefined {
  let directory: PinnedDirectory;
  try {
    directory = PinnedDirectory.open(USER_DATABASE_DIRECTORY);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
  directory.link(name, socket);
  return () => {
    // Another daemon, with a runtime directory of its own, may have put its socket here meanwhile.
    if (directory.readLink(name) === socket) {
      directory.remove(name);
    }
    directory.close();
  };
}
