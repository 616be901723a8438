/**
 * The helper as hosts of musl have it: built with musl-gcc, it asks /etc/passwd and /etc/group, and then the nscd that the host runs. Node is
 * glibc's here, as no other is at hand: what the daemon is on such a host is not tried.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { firstOutput } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';

const HELPER = '/usr/lib/dynuser/dynuser-helper';
const BUILD_DEADLINE_MS = 120_000;
const lacks = spawnSync('musl-gcc', ['--version']).status === 0 ? false : 'there is no musl-gcc; install musl-tools';

/** An nscd that knows the user and group "directory", and who has a number that a dynamic user would get. */
const foreignNscd = (path: string, taken: string): string => `
import { createServer } from 'node:net';
import { readQuestion, writeGroup, writeGroups, writePasswd } from '${CHECKOUT}dist/src/nscd/protocol.js';
const user = uid => ({ name: 'directory', password: 'x', uid, gid: 5000, realName: '', home: '/', shell: '/bin/sh' });
const group = { name: 'directory', password: 'x', gid: 5000, members: ['directory'] };
const answer = ({ kind, key }) => {
  switch (kind) {
    case 'passwdByName': return writePasswd(key === 'directory' ? user(5000) : 'absent');
    case 'passwdByUid': return writePasswd(key === '5000' || key === '${taken}' ? user(Number(key)) : 'absent');
    case 'groupByName': return writeGroup(key === 'directory' ? group : 'absent');
    case 'groupByGid': return writeGroup(key === '5000' ? group : 'absent');
    default: return writeGroups(key === 'directory' ? [5000] : []);
  }
};
createServer(socket => {
  let input = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', more => {
    input = Buffer.concat([input, more]);
    const question = readQuestion(input);
    // To forget what it has cached, which it is asked for as well, is to say so.
    const forgets = input.length >= 12 && input.readInt32LE(4) === 10;
    if (forgets) socket.end(Buffer.alloc(4));
    else if (question !== undefined) socket.end(question === 'refused' ? undefined : answer(question));
  });
}).listen('${path}', () => console.log('ready'));
`;

describe('the helper of musl', { skip: lacks }, () => {
  let built: string;
  let host: Installed;
  before(async () => {
    built = mkdtempSync('/var/tmp/dynuser-musl-');
    const places = [`OUT=${built}/lib`, `OBJ=${built}/obj`, 'TOP=..', `${built}/lib/dynuser-helper`];
    execFileSync('make', ['-s', '-j2', '-C', `${CHECKOUT}native`, 'CC=musl-gcc', ...places], {
      timeout: BUILD_DEADLINE_MS,
    });
    host = new Installed(
      await Machine.boot({ init: 'plain', stage: true, varLib: 'disk', nsswitch: DYNUSER_NSSWITCH }),
    );
    await host.machine.output(['cp', `${built}/lib/dynuser-helper`, HELPER]);
  });
  after(async () => {
    await host?.machine.stop();
    rmSync(built, { recursive: true });
  });

  it('finds accounts in the files, and checks UIDs, in a root with nothing but the library', async () => {
    await host.machine.sh(`mkdir -p /srv/musl/lib /srv/musl/etc /srv/musl/proc /srv/musl/dev/shm && cd /srv/musl
      cp -L /lib/ld-musl-*.so.1 lib/ && cp ${HELPER} helper && mount -t proc proc proc
      printf 'root:x:0:0:root:/root:/bin/sh\\nservice:x:61300:300::/:/bin/sh\\n' >etc/passwd
      printf 'root:x:0:\\nstaff:x:300:service\\n' >etc/group`);
    // It takes one question at a time.
    const ask = (line: string): Promise<string> =>
      host.machine.output(['chroot', '/srv/musl', '/helper', 'probe'], { input: `${line}\n` });
    const answers = {
      'name service': 'account 61300:300 -',
      'name nobody-has-it': 'account - -',
      'owner 61300': 'user service',
      'owner 61301': 'free',
      'groups service 300 0': 'groups 300',
      'process 61301': 'free',
    };
    for (const [question, answer] of Object.entries(answers)) {
      assert.equal(await ask(question), answer, question);
    }
    await host.machine.output(['umount', '/srv/musl/proc']);
  });

  it('has users made, and directories handed over, next to accounts of the host and of its nscd', async () => {
    await host.machine.sh('echo static:x:4711:4711::/:/bin/sh >>/etc/passwd; echo static:x:4711: >>/etc/group');
    await host.startDaemon();
    const uidOf = async (name: string): Promise<string> => {
      const { stdout, stderr } = await host.machine.run(['dynuser-run', '-u', name, 'id', '-u']);
      return stdout.trim() || stderr;
    };
    const preferred = await uidOf('web');
    assert.match(preferred, /^6\d{4}$/);
    assert.equal(await uidOf('static'), '4711');
    await host.machine.sh('mkdir -p /run/nscd');
    await host.machine.write('/srv/nscd.mjs', foreignNscd('/run/nscd/socket', preferred));
    const nscd = await host.machine.spawn([process.execPath, '/srv/nscd.mjs']);
    assert.equal(await firstOutput(nscd), 'ready\n');
    // Somebody has the number by now, and somebody the name.
    const other = await uidOf('web');
    assert.match(other, /^6\d{4}$/);
    assert.notEqual(other, preferred);
    assert.equal(await uidOf('directory'), '5000');
    nscd.kill('SIGKILL');
    await nscd.ended;
    const script =
      'mkdir -p "$STATE_DIRECTORY/below"; : >"$STATE_DIRECTORY/below/$(id -u)"; ls "$STATE_DIRECTORY/below"';
    const own = await host.machine.output([
      'dynuser-run',
      '-u',
      'kept',
      '-p',
      'StateDirectory=kept',
      'sh',
      '-c',
      script,
    ]);
    assert.match(own, /^6\d{4}$/);
    await host.machine.output(['chown', '-R', '12345:12345', '/var/lib/private/kept']);
    assert.equal(
      await host.machine.output(['dynuser-run', '-u', 'kept', '-p', 'StateDirectory=kept', 'sh', '-c', script]),
      own,
    );
    assert.equal(await host.machine.output(['dynuserctl', 'list']), 'No users.');
  });
});
