/** Searches every state of a Promela model with spin: generates the search, compiles it, runs it, and reads what it says. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bounds on one search: its depth in steps, its memory in MiB, its time in milliseconds. */
const DEPTH_MAX = 1_000_000;
const MEMORY_MAX_MIB = 2_048;
const SEARCH_TIMEOUT_MS = 240_000;

export interface Search {
  /** what was violated first, in the words of the search; undefined if nothing was */
  readonly violated: string | undefined;
  /** whether every state was seen: neither the depth nor the memory ended the search early */
  readonly complete: boolean;
  readonly states: number;
  /** the statements that no state led to, but for the ends of processes that go on for ever */
  readonly unreached: readonly string[];
}

/**
 * @param model the path of the model
 * @param defines names that are defined for it
 * @param claim whether its claim (ltl) is checked; without it invalid end states are
 * @throws Error if a tool fails, or the search says nothing that is understood
 */
export function search(model: string, defines: readonly string[], claim = true): Search {
  const directory = mkdtempSync(join(tmpdir(), 'dynuser-model-'));
  try {
    const options = { cwd: directory, encoding: 'utf8', stdio: 'pipe' } as const;
    execFileSync('spin', ['-a', ...defines.map(name => `-D${name}`), model], options);
    const flags = ['-O1', '-w', '-DSAFETY', '-DNOFAIR', `-DMEMLIM=${MEMORY_MAX_MIB}`, ...(claim ? [] : ['-DNOCLAIM'])];
    execFileSync('cc', [...flags, '-o', 'pan', 'pan.c'], options);
    const { stdout, status } = spawnSync('./pan', [`-m${DEPTH_MAX}`], {
      ...{ cwd: directory, encoding: 'utf8', timeout: SEARCH_TIMEOUT_MS },
    });
    if (status !== 0) {
      throw new Error(`the search ended with ${status}: ${stdout.slice(-2_000)}`);
    }
    return readSearch(stdout);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** @param output what pan printed */
export function readSearch(output: string): Search {
  const errors = /\berrors: (\d+)$/m.exec(output)?.[1];
  const states = /^\s*(\S+) states, stored$/m.exec(output)?.[1];
  if (errors === undefined || states === undefined) {
    throw new Error(`this is not a result of a search: ${output.slice(-2_000)}`);
  }
  const violated = /^pan:\d+: (.*)$/m.exec(output)?.[1];
  return {
    violated: violated ?? (errors === '0' ? undefined : `${errors} errors`),
    complete: !/max search depth too small|Search not completed|out of memory|reached -DMEMLIM/.test(output),
    states: Number(states),
    unreached: [...output.matchAll(/^\t\S+:\d+, state \d+, "(.*)"$/gm)]
      .map(([, statement]) => statement ?? '')
      .filter(statement => statement !== '-end-' && !/^D_STEP\d+$/.test(statement)),
  };
}
