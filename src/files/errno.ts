/** How an error number of a program in C is told. */
import { getSystemErrorMap } from 'node:util';

/** @param errno a number of errno(3), such as 28 @returns such as "no space left on device (ENOSPC)" */
export function errnoWords(errno: number): string {
  const [name, words] = getSystemErrorMap().get(-errno) ?? [];
  return name === undefined ? `error ${errno}` : `${words} (${name})`;
}
