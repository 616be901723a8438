/** Questions that wait for a helper: root's first, in the order in which they came; then the others' in turn by UID. Pure. */
import type { Requester } from '../../core/access.ts';

export class QuestionQueue<Question extends { readonly requester: Requester }> {
  readonly #root: Question[] = [];
  /** never an empty list; the UID whose turn is next comes first */
  readonly #others = new Map<number, Question[]>();
  #othersCount = 0;

  /** How many of root's questions wait. */
  get rootCount(): number {
    return this.#root.length;
  }

  /** How many questions of all other UIDs wait. */
  get othersCount(): number {
    return this.#othersCount;
  }

  push(question: Question): void {
    this.#listOf(question).push(question);
  }

  /** Puts back a question that was taken out: it is the next one of its requester. */
  unshift(question: Question): void {
    this.#listOf(question).unshift(question);
  }

  /** @param rootOnly leaves the questions of others alone. @returns the next question, no longer in the queue */
  shift(rootOnly: boolean): Question | undefined {
    const first = this.#root.shift();
    if (first !== undefined || rootOnly) {
      return first;
    }
    for (const [uid, questions] of this.#others) {
      const [question, ...rest] = questions;
      this.#others.delete(uid);
      if (rest.length > 0) {
        // At the end: all other UIDs have their turn first.
        this.#others.set(uid, rest);
      }
      this.#othersCount--;
      return question;
    }
    return undefined;
  }

  remove(question: Question): void {
    const { isRoot, uid } = question.requester;
    const list = isRoot ? this.#root : (this.#others.get(uid) ?? []);
    const index = list.indexOf(question);
    if (index === -1) {
      return;
    }
    list.splice(index, 1);
    if (!isRoot) {
      this.#othersCount--;
      if (list.length === 0) {
        this.#others.delete(uid);
      }
    }
  }

  /** Empties the queue. @returns all that was in it */
  clear(): Question[] {
    const all = [...this.#root.splice(0), ...[...this.#others.values()].flat()];
    this.#others.clear();
    this.#othersCount = 0;
    return all;
  }

  #listOf({ requester }: Question): Question[] {
    if (requester.isRoot) {
      return this.#root;
    }
    this.#othersCount++;
    const list = this.#others.get(requester.uid) ?? [];
    this.#others.set(requester.uid, list);
    return list;
  }
}

/** Counts the questions of each UID but root's. */
export class QuestionCounts {
  readonly #counts = new Map<number, number>();

  /** @returns 0 for root, who has no bound of its own */
  of({ isRoot, uid }: Requester): number {
    return isRoot ? 0 : (this.#counts.get(uid) ?? 0);
  }

  change({ isRoot, uid }: Requester, by: 1 | -1): void {
    if (isRoot) {
      return;
    }
    const count = (this.#counts.get(uid) ?? 0) + by;
    if (count === 0) {
      this.#counts.delete(uid);
    } else {
      this.#counts.set(uid, count);
    }
  }
}
