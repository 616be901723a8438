/**
 * Shares the time of the event loop. Work is done piece by piece, on levels: work of one level waits for no more than one piece of the levels
 * below it in rank. On one level owners take turns (fair-queue.ts). Between two turns the event loop continues, so that newcomers are seen.
 */
import { FairQueue, type OwnerKey } from './fair-queue.ts';
import { TURN_MS_MAX, TURN_PIECES_MAX } from './limits.ts';

/** Ranks of peers, from the first served to the last. */
export type Rank = 'first' | 'preferred' | 'others';

/** Levels of work, likewise. What peers of a rank ask comes before their new connections, and all of them before the message bus. */
export type Level = Rank | `${Rank}-new` | 'bus';

const LEVELS: readonly Level[] = ['first', 'first-new', 'preferred', 'preferred-new', 'others', 'others-new', 'bus'];

export interface Task {
  readonly level: Level;
  /** who shares with whom: the tasks of one owner are served one after the other */
  readonly owner: OwnerKey;
  /**
   * Does one piece of the work; must not throw.
   * @returns whether there is more to do now
   */
  step(): boolean;
}

export interface TurnOptions {
  /** pieces of work on one level in one turn, and the milliseconds after which no further one is begun */
  readonly piecesMax?: number;
  readonly msMax?: number;
  /** milliseconds that only ever grow */
  readonly now?: () => number;
  /** has something done once the event loop has looked at what came in: setImmediate() unless given */
  readonly later?: (what: () => void) => void;
}

class LevelQueue extends FairQueue<Task> {
  /** what was done since the loop last went on */
  pieces = 0;
  ms = 0;
}

export class Turns {
  readonly #options: Required<TurnOptions>;
  readonly #levels: Readonly<Record<Level, LevelQueue>>;
  #scheduled = false;

  constructor(options: TurnOptions = {}) {
    this.#options = {
      ...{ piecesMax: TURN_PIECES_MAX, msMax: TURN_MS_MAX, now: () => performance.now(), later: setImmediate },
      ...options,
    };
    const slice = { ms: this.#options.msMax, pieces: this.#options.piecesMax };
    const queues = LEVELS.map(level => [level, new LevelQueue(slice)]);
    this.#levels = Object.fromEntries(queues) as Record<Level, LevelQueue>;
  }

  /**
   * Has a task stepped until it has no more to do: at once as far as this turn allows, the rest by turns.
   * @returns whether there is a rest: then it waits in the queue
   */
  run(task: Task): boolean {
    const level = this.#levels[task.level];
    if (level.has(task)) {
      return true;
    }
    // Nobody on its level waits: it is its turn.
    if (level.size === 0 && this.#mayGoOn(level) && !this.#stepAlone(level, task, 0)) {
      return false;
    }
    level.add(task.owner, task);
    this.#schedule();
    return true;
  }

  /** Whether a task waits for its turn. */
  waits(task: Task): boolean {
    return this.#levels[task.level].has(task);
  }

  /** Takes a task out of the queue. */
  cancel(task: Task): void {
    this.#levels[task.level].remove(task);
  }

  #mayGoOn({ pieces, ms }: LevelQueue): boolean {
    return pieces < this.#options.piecesMax && ms < this.#options.msMax;
  }

  /**
   * Steps a task as long as no other waits on its level and the turn allows, at least once.
   * @param others how many of its level are in the queue if it is the only one that asks
   * @returns whether there is more to do for it
   */
  #stepAlone(level: LevelQueue, task: Task, others: 0 | 1): boolean {
    const { now } = this.#options;
    let before = now();
    for (;;) {
      const more = task.step();
      const after = now();
      level.pieces++;
      level.ms += after - before;
      before = after;
      if (!more || level.size !== others || !this.#mayGoOn(level)) {
        return more;
      }
    }
  }

  #schedule(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#options.later(() => this.#turn());
    }
  }

  #turn(): void {
    this.#scheduled = false;
    let waiting = 0;
    for (const level of Object.values(this.#levels)) {
      level.pieces = 0;
      level.ms = 0;
      this.#serve(level);
      waiting += level.size;
    }
    if (waiting > 0) {
      this.#schedule();
    }
  }

  #serve(level: LevelQueue): void {
    while (this.#mayGoOn(level)) {
      const task = level.first();
      if (task === undefined) {
        return;
      }
      const before = level.ms;
      const more = this.#stepAlone(level, task, 1);
      // A step may have ended its own task, or another's.
      if (level.first() === task) {
        level.done(level.ms - before, more);
      }
    }
  }
}
