/**
 * `npm run test:mutants [-- --count=200 --seed=1 --parallel=2 --minutes=240 --only=src/api/ --reach=92 --quick]`: changes the compiled code of src at
 * random places, one at a time (an operator, a number, a boolean, a condition, a statement), and reports by module how many of the
 * changes the tests see. C is not included.
 *
 * First the unit and contract tests run that come to the place, for each change; then, for those that none of these saw, the tests of the
 * other tiers that load the file or run a program that has it; not so with --quick. The same seed makes the same changes of the same code. What
 * was found is kept in dist/mutants: a run that was ended continues where it was. A change that nobody could see has its reason in equivalent.json, and does not count.
 * What was not tried to the end counts as unseen. Exit status 0 only if at least --reach per cent were seen.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { parseArgs } from 'node:util';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { Random } from '../fuzz/mutate.ts';
import { findLacking, LACKING_VARIABLE, type Lacking, reasonFor } from '../support/host.ts';
import type { TestFile } from '../support/test-file.ts';
import { Coverage } from './coverage.ts';
import { apply, type Site, sitesOf } from './sites.ts';
import { TestChooser } from './tests.ts';
import { Workspace } from './workspace.ts';

const DIST = `${CHECKOUT}dist/`;
const STATE = `${DIST}mutants`;
/** Bounds on one test file, in milliseconds, and on all tests of one change. */
const QUICK_LIMIT_MS = 60_000;
const FILE_LIMIT_MS = 180_000;
const CHANGE_LIMIT_MS = 420_000;

interface Mutant {
  /** below dist, such as src/core/name.js */
  readonly file: string;
  readonly site: Site;
  /** where, and what becomes of what: in one line */
  readonly description: string;
}

/** Which changes a test can see: none if it fails without any. */
interface Coming {
  /** of the test file */
  readonly path: string;
  readonly digest: string;
  /** the descriptions of changes whose places it comes to */
  readonly places: readonly string[];
}

interface Verdict {
  readonly description: string;
  readonly verdict: 'seen' | 'unseen';
  /** the test file that saw it */
  readonly by?: string;
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '2' },
    minutes: { type: 'string', default: '240' },
    only: { type: 'string', default: 'src/' },
    reach: { type: 'string', default: '92' },
    quick: { type: 'boolean', default: false },
  },
});

/** Mutants at places that are chosen at random out of all that there are. */
function choose(count: number, seed: number, only: string): Mutant[] {
  const places = readdirSync(`${DIST}src`, { recursive: true, encoding: 'utf8' })
    .map(path => `src/${path}`)
    .filter(path => path.endsWith('.js') && path.startsWith(only) && !path.includes('/generated/'))
    .sort()
    .flatMap(file => sitesOf(readFileSync(DIST + file, 'utf8')).map(site => ({ file, site })));
  const random = new Random(seed);
  const mutants: Mutant[] = [];
  while (mutants.length < count && places.length > 0) {
    for (const { file, site } of places.splice(random.below(places.length), 1)) {
      mutants.push({ file, site, description: describe(file, site) });
    }
  }
  return mutants;
}

/** @returns where in the source, and what becomes of what */
function describe(file: string, site: Site): string {
  const text = readFileSync(DIST + file, 'utf8');
  const before = text.slice(0, site.start).split('\n');
  const map = new SourceMap(JSON.parse(readFileSync(`${DIST}${file}.map`, 'utf8')));
  const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
  const line = 'originalLine' in entry ? entry.originalLine + 1 : 0;
  const words = (part: string): string => part.replace(/\s+/g, ' ').trim();
  const whole = words(text.split('\n')[before.length - 1] ?? '');
  return `${file.replace(/\.js$/, '.ts')}:${line}: ${words(text.slice(site.start, site.end))} -> ${words(site.replacement)} in: ${whole}`;
}

/** What a description is without the line, which moves with every change above it. */
const place = (description: string): string => description.replace(/^([^:]+):\d+/, '$1');

/** Machines may run beside each other; what looks at the host as a whole may not, and waits for all others. */
class Turns {
  #together = 0;
  #alone = false;
  #waiting: (() => void)[] = [];

  async take<Result>(alone: boolean, work: () => Promise<Result>): Promise<Result> {
    while (this.#alone || (alone && this.#together > 0)) {
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
    this.#alone = alone;
    this.#together += alone ? 0 : 1;
    try {
      return await work();
    } finally {
      this.#alone = alone ? false : this.#alone;
      this.#together -= alone ? 0 : 1;
      for (const wake of this.#waiting.splice(0)) {
        wake();
      }
    }
  }
}

/** Works on each of a queue, one at a time in each place, until the time is over. */
async function atATime<Item extends object, Place>(
  items: readonly Item[],
  places: readonly Place[],
  work: (item: Item, place: Place) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (place: Place): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && Date.now() < end; item = queue.shift()) {
      await work(item, place);
    }
  };
  await Promise.all(places.map(worker));
}

class Hunt {
  readonly #tests: TestChooser;
  readonly #lacking: Lacking;
  readonly #turns = new Turns();
  /** Test files that pass, or not, if nothing is changed: one that fails says nothing. */
  readonly #sound = new Map<string, Promise<boolean>>();
  /** The unit and contract tests that come to the place of a change, the most direct first. */
  readonly #coming = new Map<Mutant, readonly TestFile[]>();

  constructor(tests: TestChooser, lacking: Lacking) {
    this.#tests = tests;
    this.#lacking = lacking;
  }

  /** Runs each unit and contract test that loads the file of a change, once and unchanged, and keeps which come to its place. */
  async findComing(mutants: readonly Mutant[], unchanged: Workspace, parallel: number, kept: string): Promise<void> {
    const loading = new Map(mutants.map(mutant => [mutant, this.#tests.choose(mutant.file).loading]));
    // Of a run that was ended, what it found of the same test.
    const found = new Map(readLines<Coming>(kept).map(coming => [coming.path + coming.digest, coming]));
    const coming = new Map<TestFile, ReadonlySet<string>>();
    await atATime([...new Set([...loading.values()].flat())], Array.from({ length: parallel }), async test => {
      const digest = digestOf(readFileSync(`${DIST}test/${test.path}`, 'utf8'));
      let places = found.get(test.path + digest)?.places;
      if (places === undefined) {
        const directory = `${STATE}/coverage/${test.path.replaceAll('/', '_')}`;
        // Once more, and for longer than with a change, since on a busy machine one may fail for that reason alone.
        const sound =
          (await this.#passes(test, unchanged, FILE_LIMIT_MS, directory)) ||
          (await this.#passes(test, unchanged, FILE_LIMIT_MS, directory));
        const coverage = sound ? new Coverage(directory, unchanged.dist) : undefined;
        rmSync(directory, { recursive: true, force: true });
        places = mutants
          .filter(({ file, site }) => coverage?.reaches(file, site.from) === true)
          .map(({ description }) => description);
        appendFileSync(kept, `${JSON.stringify({ path: test.path, digest, places } satisfies Coming)}\n`);
      }
      coming.set(test, new Set(places));
    });
    for (const [mutant, tests] of loading) {
      this.#coming.set(
        mutant,
        tests.filter(test => coming.get(test)?.has(mutant.description) === true),
      );
    }
  }

  /** By the unit and contract tests. @returns undefined if none of them sees it */
  tryQuickly(mutant: Mutant, workspace: Workspace, unchanged: Workspace): Promise<Verdict | undefined> {
    return this.#changed(mutant, workspace, () => {
      const coming = this.#coming.get(mutant) ?? [];
      return this.#seenBy(coming, QUICK_LIMIT_MS, mutant, workspace, unchanged);
    });
  }

  /** By the tests of all other tiers. */
  async tryWithPrograms(mutant: Mutant, workspace: Workspace, unchanged: Workspace): Promise<Verdict> {
    const { description, file } = mutant;
    const seen = await this.#changed(mutant, workspace, async () => {
      try {
        await workspace.bundle();
      } catch {
        return { description, verdict: 'seen', by: 'the build' } as const;
      }
      return this.#seenBy(this.#tests.choose(file).running, FILE_LIMIT_MS, mutant, workspace, unchanged);
    });
    return seen ?? { description, verdict: 'unseen' };
  }

  async #changed<Result>({ file, site }: Mutant, workspace: Workspace, work: () => Promise<Result>): Promise<Result> {
    workspace.write(file, apply(readFileSync(DIST + file, 'utf8'), site));
    try {
      return await work();
    } finally {
      workspace.restore(file);
    }
  }

  async #seenBy(
    tests: readonly TestFile[],
    limitMs: number,
    { description }: Mutant,
    workspace: Workspace,
    unchanged: Workspace,
  ): Promise<Verdict | undefined> {
    const end = Date.now() + CHANGE_LIMIT_MS;
    for (const test of tests.filter(({ needs }) => reasonFor(this.#lacking, needs) === undefined)) {
      if (Date.now() > end) {
        break;
      }
      if (
        !(await this.#passes(test, workspace, limitMs)) &&
        (await this.#confirm(test, workspace, unchanged, limitMs))
      ) {
        return { description, verdict: 'seen', by: test.path };
      }
    }
    return undefined;
  }

  #passes(test: TestFile, workspace: Workspace, limitMs: number, coverage?: string): Promise<boolean> {
    return this.#turns.take(test.declared.alone !== undefined, () => workspace.passes(test.path, limitMs, coverage));
  }

  /** @returns whether the file fails again, and does not without the change: otherwise it is the file that is at fault */
  async #confirm(test: TestFile, workspace: Workspace, unchanged: Workspace, limitMs: number): Promise<boolean> {
    if (await this.#passes(test, workspace, limitMs)) {
      return false;
    }
    let sound = this.#sound.get(test.path);
    if (sound === undefined) {
      sound = this.#passes(test, unchanged, limitMs);
      this.#sound.set(test.path, sound);
    }
    return sound;
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** @returns the values of a file that has one in each line; none if there is no file */
function readLines<Value>(path: string): Value[] {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines.filter(line => line !== '').map(line => JSON.parse(line));
}

function readJson<Value>(path: string, otherwise: Value): Value {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : otherwise;
}

/** @returns the share that was seen, in percent: what is left to try counts as if nothing saw it */
function report(
  mutants: readonly Mutant[],
  verdicts: ReadonlyMap<string, Verdict>,
  equivalent: ReadonlySet<string>,
): number {
  const modules = new Map<string, Record<'seen' | 'unseen' | 'equivalent' | 'left', number>>();
  const all = { seen: 0, unseen: 0, equivalent: 0, left: 0 };
  const unseen: string[] = [];
  for (const { file, description } of mutants) {
    const module = file.split('/')[1] ?? '';
    const row = modules.get(module) ?? { seen: 0, unseen: 0, equivalent: 0, left: 0 };
    modules.set(module, row);
    const verdict = verdicts.get(description)?.verdict ?? 'left';
    const kind = verdict === 'unseen' && equivalent.has(place(description)) ? 'equivalent' : verdict;
    row[kind]++;
    all[kind]++;
    if (kind === 'unseen') {
      unseen.push(description);
    }
  }
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const share = (row: typeof all): number => (100 * row.seen) / Math.max(1, row.seen + row.unseen + row.left);
  for (const description of unseen.sort()) {
    say(`unseen: ${description}`);
  }
  for (const [name, row] of [...[...modules].sort(), ['all', all] as const]) {
    const counts = `seen ${row.seen}, unseen ${row.unseen}, equivalent ${row.equivalent}, left to try ${row.left}`;
    say(`${name}: ${counts}: ${row.left > 0 ? 'at least ' : ''}${share(row).toFixed(1)} %`);
  }
  return share(all);
}

process.chdir('/');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}
const mutants = choose(Number(values.count), Number(values.seed), values.only);
const code = digestOf(mutants.map(({ description }) => description).join('\n'));
mkdirSync(STATE, { recursive: true });
const journal = `${STATE}/${values.seed}-${code}.jsonl`;
const verdicts = new Map(readLines<Verdict>(journal).map(verdict => [verdict.description, verdict]));
const equivalent = new Set(
  readJson<{ change: string; why: string }[]>(`${CHECKOUT}test/mutants/equivalent.json`, []).map(
    ({ change }) => change,
  ),
);
const chooser = new TestChooser(DIST, readJson<Record<string, number>>(`${DIST}.test-durations.json`, {}));
const lacking =
  process.getuid?.() === 0
    ? await findLacking(new Set(['machines', 'machines with systemd', 'id-mapped mounts']))
    : { machines: 'this is not root' };
process.env[LACKING_VARIABLE] = JSON.stringify(lacking);
const hunt = new Hunt(chooser, lacking);
const unchanged = new Workspace(0);
const waiting = mutants.filter(({ description }) => !verdicts.has(description));
const end = Date.now() + Number(values.minutes) * 60_000;

/** Those that no unit or contract test saw: they come last, since they take minutes each. */
const survivors: Mutant[] = [];

function record(verdict: Verdict): void {
  verdicts.set(verdict.description, verdict);
  appendFileSync(journal, `${JSON.stringify(verdict)}\n`);
  process.stdout.write(`${verdicts.size}/${mutants.length} ${verdict.verdict}: ${verdict.description}\n`);
}

const workspaces = Array.from({ length: Number(values.parallel) }, (_, index) => new Workspace(index + 1));
await hunt.findComing(waiting, unchanged, workspaces.length, `${STATE}/${values.seed}-${code}.coming.jsonl`);
await atATime(waiting, workspaces, async (mutant, workspace) => {
  const verdict = await hunt.tryQuickly(mutant, workspace, unchanged);
  if (verdict === undefined && equivalent.has(place(mutant.description))) {
    record({ description: mutant.description, verdict: 'unseen' });
  } else if (verdict === undefined) {
    survivors.push(mutant);
    process.stdout.write(`not seen by unit and contract tests: ${mutant.description}\n`);
  } else {
    record(verdict);
  }
});
if (!values.quick) {
  await atATime(survivors, workspaces, async (mutant, workspace) =>
    record(await hunt.tryWithPrograms(mutant, workspace, unchanged)),
  );
}
const seen = report(mutants, verdicts, equivalent);
if (mutants.length > verdicts.size) {
  process.stdout.write('to try what is left, run it again, without --quick\n');
}
process.exitCode = seen >= Number(values.reach) ? 0 : 1;
