/** Metrics as values: families of samples, and what adds durations up. Pure; nothing here knows what is measured. */

export interface Sample {
  /** what tells it from the others of its family; never a name, a number or anything else of which there is no bounded set */
  readonly fields?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  /** letters and digits, beginning with a capital letter */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** one sentence without its full stop */
  readonly description: string;
  readonly samples: readonly Sample[];
}

/** What a family's name ends with if it is a part of a histogram: all three have the same beginning. */
export const HISTOGRAM_PARTS = { bucket: 'Bucket', sum: 'Sum', count: 'Count' } as const;
/** The field of a bucket: the greatest duration that it counts, in seconds. */
export const BUCKET_BOUND = 'le';
export const UNBOUNDED = '+Inf';

/** Counts by a word, of which there are few. */
export class Counts<Word extends string> {
  readonly #counts = new Map<Word, number>();

  /** @param words that are shown from the start */
  constructor(words: readonly Word[] = []) {
    for (const word of words) {
      this.#counts.set(word, 0);
    }
  }

  add(word: Word): void {
    this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
  }

  samples(field: string): Sample[] {
    return Array.from(this.#counts, ([word, value]) => ({ fields: { [field]: word }, value }));
  }
}

/** A histogram of durations. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** of each bound and one more, not added up */
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds in seconds, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = [...bounds.map(() => 0), 0];
  }

  add(seconds: number): void {
    const at = this.#bounds.findIndex(bound => seconds <= bound);
    const index = at < 0 ? this.#bounds.length : at;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += seconds;
  }

  /** @returns its three families. @param name of what is measured, with its unit. @param description of one duration */
  families(name: string, description: string): Family[] {
    let count = 0;
    const buckets = this.#counts.map((own, index): Sample => {
      count += own;
      return { fields: { [BUCKET_BOUND]: String(this.#bounds[index] ?? UNBOUNDED) }, value: count };
    });
    const part = (which: keyof typeof HISTOGRAM_PARTS, samples: readonly Sample[]): Family => {
      return { name: name + HISTOGRAM_PARTS[which], type: 'counter', description, samples };
    };
    return [part('bucket', buckets), part('sum', [{ value: this.#sum }]), part('count', [{ value: count }])];
  }
}
