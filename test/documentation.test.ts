/** The README's examples are files of examples/, they run, and they print what the README shows. */

import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** An example in the README: a marker, the code, and what it prints. */
const EXAMPLE = /<!-- example: ([\w-]+) -->\n```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g;
const examples = [...readme.matchAll(EXAMPLE)].map(([, name, code, output]) => ({ name, code, output }));

afterEach(() => vi.restoreAllMocks());

test("the README shows an example", () => {
  expect(examples.map(({ name }) => name)).toContain("own-cell");
});

test.each(examples)(
  "example $name is the file that the README shows, and prints what the README says",
  async (example) => {
    const file = new URL(`../examples/${example.name}.ts`, import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(example.code);
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
    await import(/* @vite-ignore */ file.pathname);
    expect(`${lines.join("\n")}\n`).toBe(example.output);
  },
);

test("a user's own cell takes fewer than 15 lines", () => {
  const code = examples.find(({ name }) => name === "own-cell")?.code ?? "";
  const cell = code.slice(code.indexOf("const leaky"), code.indexOf("\n});\n") + "\n});".length);
  expect(cell.split("\n").length).toBeLessThan(15);
  expect(cell).toContain("step:");
});
