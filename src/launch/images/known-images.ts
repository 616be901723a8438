/**
 * What was found in images, by their stamps: device, inode, size and times, which the launcher has of the file that it holds open and mounts.
 * Looking into an image takes longer than all else of a start.
 */
import type { Image, LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { IMAGE_KEPT_CHARACTERS_MAX, IMAGES_KEPT_MAX } from '../limits.ts';
import { Kept } from '../plan/kept.ts';

/** Answers about one image and about its parts, by keyOf(). */
export type ImageAnswers = ReadonlyMap<string, LaunchAnswer>;

const kept = new Kept<ImageAnswers>(IMAGES_KEPT_MAX);

export function answersOf(stamp: string): ImageAnswers | undefined {
  return kept.get(stamp);
}

/** Adds answers to what is kept of an image. */
export function keepAnswers(stamp: string, answers: ImageAnswers): void {
  const all = new Map([...(kept.get(stamp) ?? []), ...answers]);
  const length = [...all.values()].reduce((sum, answer) => sum + JSON.stringify(answer).length, 0);
  if (length <= IMAGE_KEPT_CHARACTERS_MAX) {
    kept.keep(stamp, all);
  }
}

/**
 * @param part of an image that has this part alone; its options may change what is seen
 * @returns undefined if the answer depends on more than the image
 */
export function keyOf(kind: LaunchQuestion['kind'], path: string, part?: Image['parts'][number]): string | undefined {
  // A program by its name is looked for in the launcher's PATH.
  return kind === 'program' && !path.startsWith('/')
    ? undefined
    : JSON.stringify([kind, ...(part === undefined ? [] : [path, part.offset, part.size, part.type, part.options])]);
}
