/** The order of texts by code points, which is also the order of their UTF-8 bytes and does not depend on a language. */

/**
 * Compares two texts for `sort`, by code points. JavaScript's own `<` differs: it puts U+1F600 before U+FFFD.
 * @returns negative if `a` comes first, positive if `b` does, 0 if they are equal
 */
export function compareCodePoints(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    if (a.charCodeAt(index) !== b.charCodeAt(index)) {
      return (a.codePointAt(index) as number) - (b.codePointAt(index) as number);
    }
  }
  return a.length - b.length;
}
