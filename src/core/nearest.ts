/** "Did you mean …?": the known word that is nearest to a mistyped one. Pure. */

/** Edits between a mistyped word and the one that is suggested for it. */
const SUGGESTION_DISTANCE_MAX = 2;
/** Characters of a mistyped word that are looked at for a suggestion. */
const SUGGESTION_LENGTH_MAX = 64;

/** @returns the nearest candidate within the distance, or one that the word is the start of; else undefined */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word === '' || word.length > SUGGESTION_LENGTH_MAX) {
    return undefined;
  }
  let best: string | undefined;
  let least = SUGGESTION_DISTANCE_MAX + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    // Two edits turn a word of two letters into any other: then the two have nothing in common.
    if (distance < least && distance < candidate.length) {
      best = candidate;
      least = distance;
    }
  }
  return best ?? candidates.find(candidate => candidate.startsWith(word));
}

/** Levenshtein's distance with transpositions of neighbours counted as one edit (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
