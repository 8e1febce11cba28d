/** Text taken apart into words and put together again: the spaces are dropped and guessed afterwards. */

const HAN = /\p{Script=Han}/u;
const LETTER = String.raw`(?!\p{Script=Han})\p{L}`;
const WORD_CHARACTER = String.raw`(?!\p{Script=Han})[\p{L}\p{M}\p{N}_]`;

/** A line break, one Chinese character, a word with its apostrophes, or any other single character but space. */
const wordPattern = (): RegExp =>
  new RegExp(String.raw`\n|\p{Script=Han}|(?:${WORD_CHARACTER})+(?:['’](?:${LETTER})+)*|\S`, "gu");

/** The words of a text, one after the other; runs of spaces are dropped, line breaks are words. */
export function* wordsOf(text: string): Generator<string> {
  const pattern = wordPattern();
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) yield match[0];
}

const NO_SPACE_BEFORE = new Set([..."\n,.;:!?)]}’”»-，。、；：！？）］｝】》〉」』…"]);
const NO_SPACE_AFTER = new Set([..."\n([{‘“«-，。、；：！？（［｛【《〈「『"]);
/** Quotation marks that open and close alike. */
const STRAIGHT_QUOTES = new Set(['"', "'"]);

/**
 * Joins words with spaces where a reader expects them: none before closing punctuation, after opening brackets,
 * around hyphens and line breaks, and between Chinese characters. Every second straight quotation mark of a line closes.
 * @returns a function that turns the next word into the text to append; it remembers the word before
 */
export function wordJoiner(): (word: string) => string {
  let before: string | undefined;
  let glued = true; // whether the word before wants no space after it
  const open = new Set<string>();
  return (word) => {
    const closes = open.has(word);
    const betweenHan = before !== undefined && HAN.test(before) && HAN.test(word);
    const space = glued || closes || betweenHan || NO_SPACE_BEFORE.has(word) ? "" : " ";
    if (word === "\n") open.clear();
    else if (closes) open.delete(word);
    else if (STRAIGHT_QUOTES.has(word)) open.add(word);
    glued = NO_SPACE_AFTER.has(word) || open.has(word);
    before = word;
    return space + word;
  };
}
