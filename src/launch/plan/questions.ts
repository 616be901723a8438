/** What a launcher saw of its host, and what it is still to be asked. */

import type { Image, LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { defined } from '../defined.ts';
import { checkLimit } from '../errors.ts';
import { answersOf, keepAnswers, keyOf as keyInImage } from '../images/known-images.ts';
import { ANSWERS_MAX, QUESTIONS_MAX, TEXT_MAX } from '../limits.ts';
import { variablesIn } from '../syntax/environment-file.ts';

/**
 * What is known of a path. link: it is a symlink itself. All others are about what it leads to: exists, directory, file (a
 * regular one), mountPoint, readOnly (its file system), notEmpty (a directory by names that are not hidden), executable
 */
const PATH_FACTS = ['link', 'exists', 'directory', 'file', 'mountPoint', 'readOnly', 'notEmpty', 'executable'] as const;
export type PathFact = (typeof PATH_FACTS)[number];

export class Questions {
  readonly #answers = new Map<string, LaunchAnswer>();
  readonly #open = new Map<string, LaunchQuestion>();
  /** what is in files of variables that were asked for, by their paths */
  readonly #variables = new Map<string, ReadonlyMap<string, string>>();
  /** what was learnt of images that have stamps */
  readonly #learnt = new Map<string, Map<string, LaunchAnswer>>();

  /** @throws DynuserError LimitReached */
  constructor(answers: readonly LaunchAnswer[]) {
    checkLimit(answers.length, ANSWERS_MAX, 'answers', 'answers');
    const length = answers.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
    checkLimit(length, TEXT_MAX, 'characters in all files', 'answers');
    for (const answer of answers) {
      const key = keyOf(answer.kind, answer.path, answer.inside ?? answer.root);
      const earlier = this.#answers.get(key);
      // Of an image its stamp may come first.
      if (earlier === undefined || (earlier.found && earlier.kind === 'image' && earlier.names === undefined)) {
        this.#answers.set(key, answer);
      }
    }
  }

  /** The questions that still need an answer. */
  get open(): readonly LaunchQuestion[] {
    return [...this.#open.values()];
  }

  /** @returns the text of a file, undefined if there is none, or not yet: see open */
  file(path: string): string | undefined {
    return this.#ask('file', path)?.text;
  }

  /**
   * Reads a file such as os-release(5) once, however often it is asked for.
   * @returns its variables, undefined if there is no such file, or not yet
   */
  variables(path: string): ReadonlyMap<string, string> | undefined {
    const known = this.#variables.get(path);
    const text = known === undefined ? this.file(path) : undefined;
    if (text === undefined) {
      return known;
    }
    const variables = variablesIn(text);
    this.#variables.set(path, variables);
    return variables;
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
    return factsOf(this.#ask('path', path));
  }

  /** @returns the devices and links below a directory, as device_list.h has them; undefined without one, or not yet */
  devices(path: string): readonly string[] | undefined {
    return this.#ask('devices', path)?.names;
  }

  /** @returns the interpreter of a program, '' for a static one; undefined if it is not a program of ELF, or not known yet */
  program(path: string, root: string | undefined): string | undefined {
    return this.#ask('program', path, defined({ root }))?.text;
  }

  /** @returns the path without symlinks that a path leads to; undefined if nothing is there, or it is not known yet */
  real(path: string): string | undefined {
    return this.#ask('real', path)?.text;
  }

  /** @returns what is in a disk image, as native/helper/image/probe.h has it; undefined without one, or not yet */
  image(path: string, writable: boolean): readonly string[] | undefined {
    const more = writable ? { writable, look: true } : {};
    const answer = this.#ask('image', path, more);
    if (answer === undefined) {
      return undefined;
    }
    const key = keyInImage('image', path);
    const names = answer.names ?? this.#known(path, writable, key)?.names;
    if (names === undefined) {
      this.#open.set(keyOf('image', path), { kind: 'image', path, ...more, look: true });
      return undefined;
    }
    this.#learn(path, writable, key, { kind: 'image', path: '', found: true, names: [...names] });
    return names;
  }

  /** @returns the same questions about the root of an image that has one part */
  inside(image: Image): Pick<Questions, 'file' | 'glob' | 'path'> & { program(path: string): string | undefined } {
    const ask = (kind: LaunchQuestion['kind'], path: string) => this.#askInside(kind, path, image);
    return {
      file: path => ask('file', path)?.text,
      glob: path => ask('glob', path)?.names,
      program: path => ask('program', path)?.text,
      path: path => factsOf(ask('path', path)),
    };
  }

  /** @returns whether the question has its answer */
  knows(kind: LaunchQuestion['kind'], path: string): boolean {
    const key = keyOf(kind, path);
    return this.#answers.has(key) && !this.#open.has(key);
  }

  /** Keeps what was learnt of images for other launches. */
  keep(): void {
    for (const [stamp, answers] of this.#learnt) {
      keepAnswers(stamp, answers);
    }
  }

  #askInside(kind: LaunchQuestion['kind'], path: string, image: Image): LaunchAnswer | undefined {
    const [part] = image.parts;
    const key = part === undefined ? undefined : keyInImage(kind, path, part);
    const writable = image.writable === true;
    const given = this.#answers.get(keyOf(kind, path, placeOf(image)));
    const known = given ?? this.#known(image.path, writable, key);
    if (known === undefined) {
      return this.#ask(kind, path, { inside: image });
    }
    this.#learn(image.path, writable, key, { ...known, inside: '' });
    return known.found ? known : undefined;
  }

  /** What is in an image that may be written to is not known by its stamp. */
  #stampOf(path: string, writable: boolean): string | undefined {
    return writable ? undefined : this.#answers.get(keyOf('image', path))?.stamp;
  }

  #known(path: string, writable: boolean, key: string | undefined): LaunchAnswer | undefined {
    const stamp = this.#stampOf(path, writable);
    return stamp === undefined || key === undefined ? undefined : answersOf(stamp)?.get(key);
  }

  #learn(path: string, writable: boolean, key: string | undefined, answer: LaunchAnswer): void {
    const stamp = this.#stampOf(path, writable);
    if (stamp !== undefined && key !== undefined) {
      this.#learnt.set(stamp, (this.#learnt.get(stamp) ?? new Map<string, LaunchAnswer>()).set(key, answer));
    }
  }

  #ask(
    kind: LaunchQuestion['kind'],
    path: string,
    more: Pick<LaunchQuestion, 'root' | 'writable' | 'look' | 'inside'> = {},
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

function factsOf(answer: LaunchAnswer | undefined): ReadonlySet<PathFact> | undefined {
  const names = answer?.names;
  return names === undefined ? undefined : new Set(PATH_FACTS.filter(fact => names.includes(fact)));
}

/** How an answer names what it was looked for in. */
export function placeOf({ path, parts: [part] }: Image): string {
  return `${path}:${part?.offset}`;
}

function keyOf(kind: LaunchQuestion['kind'], path: string, place = ''): string {
  return `${kind}:${place}:${path}`;
}
