/** A tree with everything that a handover could stumble over, and a directory beside it that it must leave alone. */
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { makeDeep, shell } from './fixture.ts';

export const DEPTH = 2_000;

/**
 * Makes <parent>/tree, owned by a UID throughout, and <parent>/outside, root's: files that symlinks and hard links of
 * the tree lead to. <parent>/elsewhere is another name of a file of the tree.
 * @param depth how many directories are below one another
 */
export function makeTorture(
  parent: string,
  owner: number,
  depth = DEPTH,
): { readonly tree: string; readonly outside: string } {
  const tree = `${parent}/tree`;
  const outside = `${parent}/outside`;
  mkdirSync(outside);
  writeFileSync(`${outside}/secret`, 'root only', { mode: 0o600 });
  writeFileSync(`${outside}/linked`, 'root, by two names');
  mkdirSync(`${outside}/below`);
  writeFileSync(`${outside}/below/deep`, 'root');

  mkdirSync(`${tree}/a/b/c`, { recursive: true });
  writeFileSync(`${tree}/a/b/c/data`, 'data'.repeat(10_000));
  writeFileSync(`${tree}/name with\na newline`, 'newline');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/invalid-`), Buffer.of(0xff, 0xfe, 0x80)]), 'no UTF-8');
  mkdirSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.of(0xc3), Buffer.from('\n%41 ')]));
  writeFileSync(`${tree}/a/two-names`, 'inside, by two names');
  linkSync(`${tree}/a/two-names`, `${tree}/a/b/second-name`);
  linkSync(`${tree}/a/b/c/data`, `${parent}/elsewhere`);
  symlinkSync(`${outside}/secret`, `${tree}/to-secret`);
  symlinkSync(outside, `${tree}/to-directory`);
  symlinkSync('nowhere', `${tree}/a/dangling`);
  mkdirSync(`${tree}/open`);
  chmodSync(`${tree}/open`, 0o1777);
  writeFileSync(`${tree}/open/file`, 'in a directory that others may write to');
  execFileSync('mkfifo', [`${tree}/fifo`]);
  shell(
    tree,
    'node -e \'require("net").createServer().listen("socket", () => process.kill(process.pid, "SIGKILL"))\' || :',
  );
  makeDeep(tree, depth);
  shell(tree, 'chown -R -h "$1:$1" .', owner);
  // Only now, since chown(2) clears them.
  writeFileSync(`${tree}/setuid`, 'x');
  writeFileSync(`${tree}/setgid`, 'x');
  mkdirSync(`${tree}/setgid-directory`);
  shell(
    tree,
    'chown "$1:$1" setuid setgid setgid-directory; chmod 4755 setuid; chmod 2711 setgid; chmod 2770 setgid-directory',
    owner,
  );
  shell(tree, 'setfacl -m u:1000:rwx a a/b/c/data open/file; setfacl -d -m u:1000:rwx a/b');
  linkSync(`${outside}/linked`, `${tree}/a/foreign`);
  return { tree, outside };
}

/** @returns the listing of owners, modes and times of what is outside */
export function stateOf(outside: string): string {
  return shell(outside, 'find . -printf "%U %G %m %n %C@ %p\\n" | sort; cat secret linked below/deep');
}
