import { describe, expect, it } from "vitest";
import { wordJoiner, wordsOf } from "./words.js";

const join = (words: Iterable<string>): string => Array.from(words, wordJoiner()).join("");

describe("wordsOf", () => {
  it.each([
    ["Don't stop, it’s O'Neill's.", ["Don't", "stop", ",", "it’s", "O'Neill's", "."]],
    ["中文abc，好", ["中", "文", "abc", "，", "好"]],
    ["abc中文", ["abc", "中", "文"]],
    ["a\r\n\n b\t", ["a", "\n", "\n", "b"]],
    ["naïve cafe\u0301 x_1", ["naïve", "cafe\u0301", "x_1"]],
    ["'quoted' 😀", ["'", "quoted", "'", "😀"]],
    ["", []],
  ])("takes %j apart", (text, words) => {
    expect([...wordsOf(text)]).toEqual(words);
  });
});

describe("wordJoiner", () => {
  it.each([
    "Well, I think (so) [too]; yes: no! {ok}?",
    "“Hello,” she said.\nNew line.\n\nAnother",
    '"Yes," he said, "never."',
    "a well-known word",
    "我喜欢你，真的。yes no",
    "end",
    "",
  ])("gives %j back", (text) => {
    expect(join(wordsOf(text))).toBe(text);
  });

  it("forgets an open quotation mark at the end of the line", () => {
    expect(join(['"', "a", "\n", '"', "b", '"'])).toBe('"a\n"b"');
  });
});
