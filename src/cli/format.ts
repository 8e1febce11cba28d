/** Numbers and model text as people read them. */

/** 1234567 as `1,234,567` */
export const formatCount = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Seconds as `0:07`, `12:34` or `1:02:03` */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}

/** Text that a model wrote, without characters that would steer the terminal. */
export const printableText = (text: string): string => text.replace(/(?![\n\t])\p{Cc}/gu, "\uFFFD");

/** Widest line of quoted text, so that it fits into 80 columns. */
const QUOTE_WIDTH = 76;

/** The same, each line behind a bar, long lines broken. */
export const quoteText = (text: string): string =>
  printableText(text)
    .split("\n")
    .flatMap((line) => (line === "" ? [""] : (line.match(new RegExp(`.{1,${QUOTE_WIDTH}}`, "gu")) ?? [])))
    .map((line) => `  │ ${line}`.trimEnd())
    .join("\n");

/** Columns of a terminal that everything fits into. */
const COLUMNS = 80;

/** Lines of at most 80 columns, broken between words. */
export function wrapText(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A word in double quotes as a shell takes it, or the bare word where that is enough. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replace(/["\\$`]/g, "\\$&")}"`;
