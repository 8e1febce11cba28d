/** The known name that was probably meant. */

/** Number of letters to insert, remove, replace or swap with a neighbour (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const costs = [row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + same, ...(swapped ? [before[j - 2]! + 1] : [])];
      row.push(Math.min(...costs));
    }
    before = last;
    last = row;
  }
  return last[b.length] as number;
}

/** The name of a non-empty list that is nearest to a given one. */
export const nearestName = <Name extends string>(given: string, names: readonly Name[]): Name =>
  names.reduce((best, name) => (editDistance(given, name) < editDistance(given, best) ? name : best));
