/** What a launcher saw of its host, and what it is still to be asked. */

import type { Image, LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { checkLimit } from '../errors.ts';
import { ANSWERS_MAX, QUESTIONS_MAX, TEXT_MAX } from '../limits.ts';

/**
 * What is known of a path. link: it is a symlink itself. All others are about what it leads to: exists, directory, file (a
 * regular one), mountPoint, readOnly (its file system), notEmpty (a directory by names that are not hidden), executable
 */
const PATH_FACTS = ['link', 'exists', 'directory', 'file', 'mountPoint', 'readOnly', 'notEmpty', 'executable'] as const;
export type PathFact = (typeof PATH_FACTS)[number];

export class Questions {
  readonly #answers = new Map<string, LaunchAnswer>();
  readonly #open = new Map<string, LaunchQuestion>();

  /** @throws DynuserError LimitReached */
  constructor(answers: readonly LaunchAnswer[]) {
    checkLimit(answers.length, ANSWERS_MAX, 'answers', 'answers');
    const length = answers.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
    checkLimit(length, TEXT_MAX, 'characters in all files', 'answers');
    for (const answer of answers) {
      const key = keyOf(answer.kind, answer.path, answer.inside ?? answer.root);
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

  /** @returns what is known of a path; undefined if nothing is there, or it is not known yet */
  path(path: string): ReadonlySet<PathFact> | undefined {
    const names = this.#ask('path', path)?.names;
    return names === undefined ? undefined : new Set(PATH_FACTS.filter(fact => names.includes(fact)));
  }

  /** @returns the devices and links below a directory, as device_list.h has them; undefined without one, or not yet */
  devices(path: string): readonly string[] | undefined {
    return this.#ask('devices', path)?.names;
  }

  /** @returns the interpreter of a program, '' for a static one; undefined if it is no program of ELF, or not known yet */
  program(path: string, root: string | undefined): string | undefined {
    return this.#ask('program', path, root === undefined ? {} : { root })?.text;
  }

  /** @returns the path without symlinks that a path leads to; undefined if nothing is there, or it is not known yet */
  real(path: string): string | undefined {
    return this.#ask('real', path)?.text;
  }

  /** @returns what is in a disk image, as native/helper/image/probe.h has it; undefined without one, or not yet */
  image(path: string, writable: boolean): readonly string[] | undefined {
    return this.#ask('image', path, writable ? { writable } : {})?.names;
  }

  /** @returns the same questions about the root of an image that has one part */
  inside(image: Image): Pick<Questions, 'file' | 'glob' | 'path'> & { program(path: string): string | undefined } {
    return {
      file: path => this.#ask('file', path, { inside: image })?.text,
      glob: path => this.#ask('glob', path, { inside: image })?.names,
      program: path => this.#ask('program', path, { inside: image })?.text,
      path: path => {
        const names = this.#ask('path', path, { inside: image })?.names;
        return names === undefined ? undefined : new Set(PATH_FACTS.filter(fact => names.includes(fact)));
      },
    };
  }

  /** @returns whether the question has its answer */
  knows(kind: LaunchQuestion['kind'], path: string): boolean {
    return this.#answers.has(keyOf(kind, path));
  }

  #ask(
    kind: LaunchQuestion['kind'],
    path: string,
    more: Pick<LaunchQuestion, 'root' | 'writable' | 'inside'> = {},
  ): LaunchAnswer | undefined {
    const key = keyOf(kind, path, more.inside === undefined ? more.root : placeOf(more.inside));
    const answer = this.#answers.get(key);
    if (answer === undefined) {
      this.#open.set(key, { kind, path, ...more });
      checkLimit(this.#open.size, QUESTIONS_MAX, 'files to look at', path);
      return undefined;
    }
    return answer.found ? answer : undefined;
  }
}

/** How an answer names what it was looked for in. */
export function placeOf({ path, parts: [part] }: Image): string {
  return `${path}:${part?.offset}`;
}

function keyOf(kind: LaunchQuestion['kind'], path: string, place = ''): string {
  return `${kind}:${place}:${path}`;
}
