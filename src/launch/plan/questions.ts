/** What a launcher saw of its host, and what it is still to be asked. */

import type { LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { checkLimit } from '../errors.ts';
import { ANSWERS_MAX, QUESTIONS_MAX, TEXT_MAX } from '../limits.ts';

export class Questions {
  readonly #answers = new Map<string, LaunchAnswer>();
  readonly #open = new Map<string, LaunchQuestion>();

  /** @throws DynuserError LimitReached */
  constructor(answers: readonly LaunchAnswer[]) {
    checkLimit(answers.length, ANSWERS_MAX, 'answers', 'answers');
    const length = answers.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
    checkLimit(length, TEXT_MAX, 'characters in all files', 'answers');
    for (const answer of answers) {
      const key = keyOf(answer.kind, answer.path);
      if (!this.#answers.has(key)) {
        this.#answers.set(key, answer);
      }
    }
  }

  /** What has to be asked before anything else can be said. */
  get open(): readonly LaunchQuestion[] {
    return [...this.#open.values()];
  }

  /** @returns the text of a file, undefined if there is none, or not yet: see open */
  file(path: string): string | undefined {
    return this.#ask('file', path)?.text;
  }

  /** @returns the names in a directory that end in .conf; undefined if there is none, or not yet */
  directory(path: string): readonly string[] | undefined {
    return this.#ask('directory', path)?.names;
  }

  /** @returns the paths that match, sorted; undefined if there is none, or not yet */
  glob(path: string): readonly string[] | undefined {
    return this.#ask('glob', path)?.names;
  }

  /** @returns whether the question has its answer */
  knows(kind: LaunchQuestion['kind'], path: string): boolean {
    return this.#answers.has(keyOf(kind, path));
  }

  #ask(kind: LaunchQuestion['kind'], path: string): LaunchAnswer | undefined {
    const key = keyOf(kind, path);
    const answer = this.#answers.get(key);
    if (answer === undefined) {
      this.#open.set(key, { kind, path });
      checkLimit(this.#open.size, QUESTIONS_MAX, 'files to look at', path);
      return undefined;
    }
    return answer.found ? answer : undefined;
  }
}

function keyOf(kind: LaunchQuestion['kind'], path: string): string {
  return `${kind}:${path}`;
}
