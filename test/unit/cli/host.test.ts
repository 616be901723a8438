/** What the checks see of a real host: what is there, what is not, and what cannot be read. */
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isSeen, octal, thisHost, Unreadable } from '../../../src/cli/host.ts';

const HOST = thisHost({ PATH: process.env['PATH'], KEPT: 'kept' });
let directory = '';
const at = (name: string): string => join(directory, name);

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'dynuser-host-'));
  writeFileSync(at('file'), 'text\n');
  mkdirSync(at('directory'));
  symlinkSync('nowhere', at('link'));
});
after(() => rmSync(directory, { recursive: true }));

function why(observed: unknown): string {
  assert.ok(observed instanceof Unreadable, String(observed));
  return observed.why;
}

describe('what is read of the host', () => {
  it('the start of a file, with a bound', () => {
    assert.equal(HOST.text(at('file')), 'text\n');
    const most = 1_048_576;
    writeFileSync(at('long'), Buffer.alloc(most + 10, 'x'));
    assert.equal(HOST.text(at('long')), 'x'.repeat(most));
    writeFileSync(at('empty'), '');
    assert.equal(HOST.text(at('empty')), '');
    // A file of /proc has no size, and comes in pieces.
    assert.match(String(HOST.text('/proc/self/status')), /^Name:.*\nCapEff:/s);
  });

  it('an inode, of a symlink itself, with all of its permission bits', async () => {
    chmodSync(at('file'), 0o4750);
    chmodSync(at('directory'), 0o1777);
    const { uid, gid, dev, ino } = lstatSync(at('file'), { bigint: true });
    assert.deepEqual(HOST.inode(at('file')), {
      kind: 'file',
      uid: Number(uid),
      gid: Number(gid),
      mode: 0o4750,
      device: dev,
      inode: ino,
    });
    const kindOf = (path: string): unknown => {
      const inode = HOST.inode(path);
      return isSeen(inode) ? inode.kind : inode;
    };
    const server = createServer().listen(at('socket'));
    await new Promise(resolve => server.once('listening', resolve));
    assert.deepEqual(
      [at('directory'), at('link'), at('socket'), '/dev/null', at('none'), at('file/below')].map(kindOf),
      ['directory', 'link', 'socket', 'other', undefined, undefined],
    );
    server.close();
    const inode = HOST.inode(at('directory'));
    assert.ok(isSeen(inode) && inode.mode === 0o1777);
  });

  it('what a symlink says, and the names in a directory', () => {
    assert.equal(HOST.link(at('link')), 'nowhere');
    assert.equal(HOST.link(at('none')), undefined);
    mkdirSync(at('names'));
    writeFileSync(at('names/b'), '');
    writeFileSync(at('names/a'), '');
    const names = HOST.names(at('names'));
    assert.deepEqual(isSeen(names) ? [...names].sort() : names, ['a', 'b']);
    assert.equal(HOST.names(at('none')), undefined);
    assert.equal(HOST.names(at('file')), undefined);
  });

  it('a file system: its type, and what is left on it', () => {
    assert.equal(HOST.fileSystem('/proc'), 0x9fa0);
    assert.equal(HOST.fileSystem(at('none')), undefined);
    const space = HOST.freeSpace(directory);
    assert.ok(isSeen(space));
    assert.ok(space.bytes > 0 && space.files > 0 && !space.isReadOnly);
    // /proc counts neither, which is not a bound on files.
    const proc = HOST.freeSpace('/proc');
    assert.ok(isSeen(proc));
    assert.deepEqual([proc.bytes, proc.files], [0, Number.POSITIVE_INFINITY]);
    assert.equal(HOST.freeSpace(at('none')), undefined);
    assert.equal(HOST.kernel, release());
  });

  it('what cannot be read says why', () => {
    assert.match(why(HOST.text(directory)), /EISDIR/);
    assert.match(why(HOST.link(at('file'))), /EINVAL/);
    // What can only be written is read by nobody; even root is refused.
    assert.equal(why(HOST.text('/proc/sys/net/ipv4/route/flush')), 'only root can see it');
  });
});

describe('programs that are asked', () => {
  const run = (script: string, environment?: Readonly<Record<string, string>>) =>
    HOST.run(['sh', '-c', script], environment);

  it('their status, output and errors', async () => {
    assert.deepEqual(await run('echo out; echo err >&2'), { status: 0, output: 'out\n', errors: 'err\n' });
    assert.deepEqual(await run('echo out; exit 2'), { status: 2, output: 'out\n', errors: '' });
  });

  it('they have the environment of this command, and what is added to it', async () => {
    assert.deepEqual(await run('echo "$KEPT $ADDED"', { ADDED: 'added' }), {
      status: 0,
      output: 'kept added\n',
      errors: '',
    });
    assert.deepEqual(await run('echo "$KEPT"', { KEPT: 'changed' }), { status: 0, output: 'changed\n', errors: '' });
  });

  it('they wait for no input', async () => {
    assert.deepEqual(await run('cat; echo end'), { status: 0, output: 'end\n', errors: '' });
  });

  it('a program that is not there is no answer; one that is killed, or cannot be run, says so', async () => {
    assert.equal(await HOST.run(['dynuser-no-such-program']), undefined);
    assert.equal(await HOST.run([at('none')]), undefined);
    assert.match(why(await run('kill -TERM $$')), /^sh: Command failed/);
    assert.match(why(await HOST.run([at('directory')])), /directory: .*EACCES/);
  });

  it('no more output than a bound is taken', async () => {
    const most = 1_048_576;
    const fits = await run(`head -c ${most} /dev/zero | tr '\\0' x`);
    assert.ok(isSeen(fits));
    assert.equal(fits.output.length, most);
    assert.match(why(await run(`head -c ${most + 1} /dev/zero | tr '\\0' x`)), /^sh: .*maxBuffer/);
  });
});

it('permission bits have at least four digits', () => {
  assert.deepEqual([0, 0o7, 0o755, 0o1777].map(octal), ['0000', '0007', '0755', '1777']);
});
