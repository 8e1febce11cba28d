/** The layer check can fail: small trees that break one rule each, a tree that breaks none, and src itself. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import { afterEach, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
let options: Awaited<ReturnType<typeof extractOptions>>;
let scratch: string | undefined;

beforeAll(async () => {
  options = await extractOptions(join(root, ".dependency-cruiser.mjs"));
});

afterEach(() => {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  scratch = undefined;
});

/** What is wrong with the folder `src` of `baseDir`: lines `rule: from -> to`. */
async function violations(baseDir: string): Promise<string[]> {
  const { output } = await cruise(["src"], { ...options, baseDir });
  const { summary } = output as ICruiseResult;
  expect(summary.totalCruised).toBeGreaterThan(0);
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort();
}

/** The same for a tree that exists only during one test. */
async function violationsOf(files: Record<string, string>): Promise<string[]> {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "layers-")));
  for (const [path, text] of Object.entries({ "package.json": "{}", ...files })) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    writeFileSync(join(scratch, path), text);
  }
  return violations(scratch);
}

describe("the layer check", () => {
  test("finds nothing in src", async () => {
    expect(await violations(root)).toEqual([]);
  });

  test("accepts imports of lower folders through their index, Node in src/node, and tests that look around", async () => {
    const files = {
      "src/core/index.ts": 'export * from "./errors.js";',
      "src/core/errors.ts": "export class Problem extends Error {}",
      "src/core/errors.test.ts": 'import "node:fs"; import "../tensor/shape.js";',
      "src/tensor/index.ts": 'export * from "./shape.js";',
      "src/tensor/shape.ts": 'import { Problem } from "../core/index.js"; export const problem = new Problem();',
      "src/node/index.ts": 'export * from "node:fs"; export * from "../core/index.js";',
      "src/index.ts": 'export * from "./core/index.js"; export * from "./tensor/index.js";',
    };
    expect(await violationsOf(files)).toEqual([]);
  });

  test("names an upward import", async () => {
    const files = {
      "src/core/index.ts": 'import { size } from "../tensor/index.js"; export const twice = 2 * size;',
      "src/tensor/index.ts": "export const size = 1;",
    };
    expect(await violationsOf(files)).toEqual(["core-imports-upward: src/core/index.ts -> src/tensor/index.ts"]);
  });

  test("names an upward import of a type", async () => {
    const files = {
      "src/scan/index.ts": 'import { type Plan } from "../compile/index.js"; export type Loop = Plan[];',
      "src/compile/index.ts": "export type Plan = string;",
    };
    expect(await violationsOf(files)).toEqual(["scan-imports-upward: src/scan/index.ts -> src/compile/index.ts"]);
  });

  test("names a cycle", async () => {
    const files = {
      "src/core/a.ts": 'import { b } from "./b.js"; export const a = () => b;',
      "src/core/b.ts": 'import { a } from "./a.js"; export const b = () => a;',
    };
    expect(await violationsOf(files)).toEqual(["cycle: src/core/a.ts -> src/core/b.ts"]);
  });

  test("names an import past the front door of a folder", async () => {
    const files = {
      "src/core/errors.ts": "export const code = 1;",
      "src/tensor/index.ts": 'export * from "../core/errors.js";',
      "src/index.ts": 'export * from "./core/errors.js";',
    };
    expect(await violationsOf(files)).toEqual([
      "package-index-past-the-front-door: src/index.ts -> src/core/errors.ts",
      "past-the-front-door: src/tensor/index.ts -> src/core/errors.ts",
    ]);
  });

  test("lets the entry for Node take the kernels of src/node, and nothing else from behind its front door", async () => {
    const files = {
      "src/node/kernels.ts": "export const kernels = 1;",
      "src/node/files.ts": "export const files = 1;",
      "src/index.node.ts": 'import "./node/kernels.js"; export * from "./node/files.js";',
    };
    expect(await violationsOf(files)).toEqual([
      "package-index-past-the-front-door: src/index.node.ts -> src/node/files.ts",
    ]);
  });

  test("names a Node import in browser code", async () => {
    const files = { "src/io/index.ts": 'export * from "node:fs";' };
    expect(await violationsOf(files)).toEqual(["node-import-in-browser-code: src/io/index.ts -> fs"]);
  });

  test("names an npm dependency of the core", async () => {
    const files = {
      "package.json": '{ "dependencies": { "some-library": "1.0.0" } }',
      "node_modules/some-library/package.json": '{ "name": "some-library", "version": "1.0.0" }',
      "node_modules/some-library/index.js": "export const one = 1;",
      "src/learn/index.ts": 'export * from "some-library";',
      "src/data/index.ts": 'export * from "some-library";',
    };
    expect(await violationsOf(files)).toEqual([
      "npm-dependency-in-the-core: src/learn/index.ts -> node_modules/some-library/index.js",
    ]);
  });

  test("names a folder that has no place in the list", async () => {
    const files = {
      "src/core/index.ts": "export const one = 1;",
      "src/misc/index.ts": 'export * from "../core/index.js";',
    };
    expect(await violationsOf(files)).toEqual(["folder-not-in-the-list: src/misc/index.ts -> src/core/index.ts"]);
  });
});
