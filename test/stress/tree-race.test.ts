/** The old owner races the walk: whatever it swaps, no inode outside the tree gets another owner. */
// runs alone: its attacker needs a processor
// time limit: 300 s
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chown, NEW, OLD, shell, THIRD, temporaryDirectory } from '../native/tree/fixture.ts';

const RUNS = 1_000;
const OPEN_RUNS = 500;
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
  writeFileSync(`${tree}/shared/stash`, '');
  // Everybody could change the names in these.
  chmodSync(`${tree}/shared`, 0o777);
  chmodSync(`${tree}/shared/swap`, 0o777);
}

/**
 * Starts it with setpriv(1): Debian's Node refuses to change its own user. It gets its program as standard input, since
 * that user may not enter where the checkout is.
 */
function startAttacker(tree: string, outside: string, ...how: readonly string[]): ChildProcess {
  const user = [`--reuid=${OLD}`, `--regid=${OLD}`, '--clear-groups'];
  const program = [process.execPath, '--input-type=module', '-', outside, ...how];
  const descriptors = ['.', 'shared', 'deep/a', 'deep'].map(path => openSync(`${tree}/${path}`, 'r'));
  const script = openSync(ATTACKER, 'r');
  try {
    return spawn('setpriv', [...user, '--', ...program], { stdio: [script, 'ignore', 'inherit', ...descriptors] });
  } finally {
    for (const descriptor of [script, ...descriptors]) {
      closeSync(descriptor);
    }
  }
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

/** What a handover met, run after run: had it been the same each time, there would have been no race. */
interface Outcomes {
  done: number;
  changed: number;
  readonly met: Set<string>;
}

function race(context: TestContext, runs: number, target: number, outsideOwner: number): Outcomes {
  const parent = temporaryDirectory(context);
  const tree = `${parent}/tree`;
  const outside = `${parent}/outside`;
  chmodSync(parent, 0o711);
  mkdirSync(`${outside}/below`, { recursive: true });
  for (const name of ['secret', 'linkable', 'below/deep']) {
    writeFileSync(`${outside}/${name}`, 'of another');
  }
  // Where the kernel protects hard links (protected_hardlinks in proc_sys_fs(5)), only what can be written to is linked.
  chmodSync(`${outside}/linkable`, 0o666);
  shell(outside, 'chown -R "$1:$1" .', outsideOwner);
  makeTree(tree);
  shell(tree, 'chown -R "$1:$1" .', OLD);
  const state = () => shell(outside, 'find . -printf "%U:%G %m %p\\n" | sort; getfacl -Rn .');
  const before = state();

  const attackers = [startAttacker(tree, outside), startAttacker(tree, outside, 'names')];
  const outcomes: Outcomes = { done: 0, changed: 0, met: new Set() };
  try {
    for (let run = 0; run < runs; run++) {
      const { lines, last } = chown(tree, target);
      const [word] = last.split(' ');
      assert.ok(word === 'done' || word === 'changed', last);
      outcomes[word]++;
      outcomes.met.add([...lines].sort().join());
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
  assert.equal(chown(tree, target).status, 0, 'once they are gone, the tree can be handed over');
  context.diagnostic(JSON.stringify({ ...outcomes, met: outcomes.met.size }));
  return outcomes;
}

test(`in ${RUNS} races with the old owner nothing outside the tree changes, and each handover is completed`, context => {
  const { done, met } = race(context, RUNS, NEW, 0);
  assert.equal(done, RUNS, 'directories are closed before they are read');
  assert.ok(met.size > 1);
});

test(`nor in ${OPEN_RUNS} where directories stay open to the old owner, as in a tree that becomes root’s`, context => {
  const { changed, met } = race(context, OPEN_RUNS, 0, THIRD);
  assert.ok(changed > 0, 'the attackers were noticed');
  assert.ok(met.size > 1);
});
