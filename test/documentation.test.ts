/** The examples of the README and of docs/ are files of examples/, they run, and they print what the pages show. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";

const root = new URL("../", import.meta.url);
const inDocs = readdirSync(new URL("docs/", root), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".md"))
  .map((path) => `docs/${path}`);
const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...inDocs.sort()].map((path) => ({
  path,
  text: readFileSync(new URL(path, root), "utf8"),
}));

/** An example on a page: a marker, the code, and what it prints, if it does. */
const EXAMPLE = /<!-- example: ([\w-]+) -->\n```ts\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g;
const examples = pages.flatMap(({ path, text }) =>
  [...text.matchAll(EXAMPLE)].map(([, name, code, output = ""]) => ({ path, name, code, output })),
);

afterEach(() => vi.restoreAllMocks());

test("the README shows a cell of one's own", () => {
  expect(examples.filter(({ path }) => path === "README.md").map(({ name }) => name)).toContain("own-cell");
});

test("every marker of an example is followed by code", () => {
  const markers = pages.reduce((count, { text }) => count + text.split("<!-- example: ").length - 1, 0);
  expect(examples.length).toBe(markers);
});

test("every example is shown on a page", () => {
  const files = readdirSync(new URL("examples/", root)).filter((file) => file.endsWith(".ts"));
  expect(files.map((file) => file.slice(0, -".ts".length)).sort()).toEqual(
    [...new Set(examples.map(({ name }) => name))].sort(),
  );
});

test.each(examples)("example $name is the file that $path shows, and prints what it says", async (example) => {
  const file = new URL(`examples/${example.name}.ts`, root);
  expect(readFileSync(file, "utf8")).toBe(example.code);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import(/* @vite-ignore */ file.pathname);
  expect(lines.map((line) => `${line}\n`).join("")).toBe(example.output);
});

/** Links to files, without those to other sites and to headings of the same page. */
const links = pages.flatMap(({ path, text }) =>
  [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target]) => ({ path, target: target as string })),
);

test.each(links)("the link on $path to $target leads to a file", ({ path, target }) => {
  // docs/api is made by `npm run docs`.
  if (new URL(target, new URL(path, root)).pathname.includes("/docs/api/")) return;
  expect(existsSync(new URL(target, new URL(path, root)))).toBe(true);
});

test("a user's own cell takes fewer than 15 lines", () => {
  const code = examples.find(({ name }) => name === "own-cell")?.code ?? "";
  const cell = code.slice(code.indexOf("const leaky"), code.indexOf("\n});\n") + "\n});".length);
  expect(cell.split("\n").length).toBeLessThan(15);
  expect(cell).toContain("step:");
});
