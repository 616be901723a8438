/** How far a handover is, in one line. Nobody knows how large the tree is: there is no percentage. Pure. */
import type { Progress } from '../../api/generated/io-dynuser-allocator.ts';
import { cut, printable, widthOf } from './text.ts';

/** @param columns the width of the terminal; the path is shortened, the numbers are not */
export function renderProgress({ publicPath, inodes, changed }: Progress, columns: number): string {
  const numbers = `: ${inodes} inodes inspected, ${changed} changed`;
  const path = cut(printable(publicPath), Math.max(1, columns - widthOf(numbers)));
  return cut(path + numbers, columns);
}
