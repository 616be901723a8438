/** The old owner races the walk: whatever it swaps, no inode outside the tree gets another owner. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chown, NEW, OLD, owners, shell, temporaryDirectory } from './fixture.ts';

const RUNS = 1_000;
const ATTACKER = fileURLToPath(new URL('attacker.js', import.meta.url));

function makeTree(tree: string): void {
  for (const parent of ['.', 'shared', 'deep/a']) {
    mkdirSync(`${tree}/${parent}/swap/below`, { recursive: true });
    for (const name of ['secret', 'linkable', 'below/deep']) {
      writeFileSync(`${tree}/${parent}/swap/${name}`, '');
    }
    writeFileSync(`${tree}/${parent}/file`, '');
    for (let filler = 0; filler < 20; filler++) {
      writeFileSync(`${tree}/${parent}/filler-${filler}`, '');
    }
  }
  // Closed by nothing: names in it can be changed by everybody throughout, so that its inodes have to be pinned.
  chmodSync(`${tree}/shared`, 0o777);
  chmodSync(`${tree}/shared/swap`, 0o777);
}

function startAttacker(tree: string, outside: string): ChildProcess {
  return spawn(process.execPath, [ATTACKER, tree, outside, String(OLD)], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The attackers stand still for as long as they get their tree back, or they would keep it from being finished. */
function giveBack(tree: string, attackers: readonly ChildProcess[]): void {
  for (const attacker of attackers) {
    attacker.kill('SIGSTOP');
  }
  // A signal reaches a process that runs on another processor a little later.
  const tries = 20;
  let last = '';
  for (let attempt = 0; attempt < tries && !last.startsWith('done'); attempt++) {
    last = chown(tree, OLD).last;
  }
  assert.match(last, /^done/);
  for (const attacker of attackers) {
    attacker.kill('SIGCONT');
  }
}

test(`in ${RUNS} races with the old owner nothing outside the tree changes`, async context => {
  const parent = temporaryDirectory(context);
  const tree = `${parent}/tree`;
  const outside = `${parent}/outside`;
  chmodSync(parent, 0o711);
  mkdirSync(`${outside}/below`, { recursive: true });
  for (const name of ['secret', 'linkable', 'below/deep']) {
    writeFileSync(`${outside}/${name}`, 'root');
  }
  // Where the kernel protects hard links (protected_hardlinks in proc_sys_fs(5)), only what can be written to is linked.
  chmodSync(`${outside}/linkable`, 0o666);
  makeTree(tree);
  shell(tree, 'chown -R "$1:$1" .', OLD);
  const state = () => shell(outside, 'find . -printf "%U:%G %m %p\\n" | sort; getfacl -Rn .');
  const before = state();

  const attackers = [startAttacker(tree, outside), startAttacker(tree, outside)];
  const outcomes = { done: 0, changed: 0 };
  try {
    for (let run = 0; run < RUNS; run++) {
      const [word] = chown(tree, NEW).last.split(' ');
      assert.ok(word === 'done' || word === 'changed', word);
      outcomes[word]++;
      if (run % 50 === 0) {
        assert.equal(state(), before);
      }
      giveBack(tree, attackers);
    }
  } finally {
    for (const attacker of attackers) {
      assert.equal(attacker.exitCode, null, 'it attacked to the end');
      attacker.kill('SIGKILL');
    }
  }
  assert.equal(state(), before);
  assert.ok(outcomes.changed > 0, `the attackers were noticed: ${JSON.stringify(outcomes)}`);
  context.diagnostic(JSON.stringify(outcomes));

  assert.equal(chown(tree, NEW).status, 0, 'once they are gone, the tree can be handed over');
  assert.deepEqual(
    [...owners(tree).keys()].filter(owner => owner !== `${NEW}:${NEW}`),
    ownersOfLinks(tree),
  );
});

/** Names that an attacker gave to an inode of outside and had no time to take away. */
function ownersOfLinks(tree: string): string[] {
  return shell(tree, 'find . -type f -links +1 -printf "%U:%G\\n" | sort -u')
    .split('\n')
    .filter(line => line !== '');
}
