/** Dynamic users as the daemon publishes them: links in a runtime directory, and a socket that answers the same. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

export interface DynamicUser {
  readonly uid: number;
  readonly name: string;
}

export const USERS: readonly [DynamicUser, ...DynamicUser[]] = [
  { uid: 64642, name: 'dynamic-user-test' },
  { uid: 63122, name: 'run-u15750' },
  { uid: 61244, name: 'abcdefghijabcdefghijabcdefghija' },
];
export const ABSENT: DynamicUser = { uid: 61999, name: 'nobody-there' };

/** Makes the directories of links below an existing runtime directory, and the links of all users in there. */
export function publishLinks(runtime: string): void {
  mkdirSync(`${runtime}/by-uid`);
  mkdirSync(`${runtime}/by-name`);
  mkdirSync(`${runtime}/members`);
  mkdirSync(`${runtime}/groups`);
  for (const { uid, name } of USERS) {
    symlinkSync(name, `${runtime}/by-uid/${uid}`);
    symlinkSync(`${uid}`, `${runtime}/by-name/${name}`);
  }
}

/**
 * Serves the users on the socket of a runtime directory, one request a connection; close() it.
 * @param onRequest called before each answer
 */
export function serveUsers(runtime: string, onRequest = (): void => undefined): Promise<Server> {
  const server = createServer(socket => {
    let request = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      request += text;
      if (request.endsWith('\0')) {
        onRequest();
        socket.end(replies(request.slice(0, -1)));
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(`${runtime}/io.dynuser.DynamicUser`, () => resolve(server));
  });
}

function replies(request: string): string {
  const group = request.includes('GetGroupRecord');
  const found = request.includes('"more":true')
    ? USERS
    : USERS.filter(({ uid, name }) => request.includes(`d":${uid},`) || request.includes(`Name":"${name}"`));
  if (found.length === 0) {
    return '{"error":"io.systemd.UserDatabase.NoRecordFound","parameters":{}}\0';
  }
  return found
    .map(({ uid, name }, index) => {
      const record = group ? { groupName: name, gid: uid } : { userName: name, uid, gid: uid };
      const continues = index + 1 < found.length ? { continues: true } : {};
      return `${JSON.stringify({ parameters: { record }, ...continues })}\0`;
    })
    .join('');
}
