/** Trees: taken apart and put together again. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { definitionKey, flattenTree, sameDefinition, ToolkitError, type Tree, unflattenTree } from "./index.js";

const isNumber = (node: unknown): node is number => typeof node === "number";

const { tree: trees } = fc.letrec<{ tree: Tree<number> }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.integer(),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** Follows a path whose names have no dots. */
const follow = (tree: unknown, path: string): unknown =>
  path === "" ? tree : path.split(".").reduce((node, name) => (node as Record<string, unknown>)[name], tree);

test("unflattenTree is the inverse of flattenTree", () => {
  fc.assert(
    fc.property(trees, (tree) => {
      const { definition, leaves, paths } = flattenTree(tree, isNumber);
      expect(unflattenTree(definition, leaves)).toEqual(tree);
      expect(paths.length).toBe(leaves.length);
    }),
  );
});

test("every path leads to its leaf, records in the order of their sorted names", () => {
  const tree = {
    layers: [
      { weight: 1, bias: 2 },
      { weight: 3, bias: 4 },
    ],
    embedding: 0,
  };
  const { leaves, paths } = flattenTree(tree, isNumber);
  expect(paths).toEqual(["embedding", "layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"]);
  expect(leaves).toEqual([0, 2, 1, 4, 3]);
  expect(paths.map((path) => follow(tree, path))).toEqual(leaves);
});

test("a leaf alone has the empty path", () => {
  expect(flattenTree(7, isNumber)).toEqual({ leaves: [7], paths: [""], definition: { kind: "leaf" } });
});

test("the order in which a record was written does not matter", () => {
  const [a, b] = [flattenTree({ h: 1, c: 2 }, isNumber), flattenTree({ c: 2, h: 1 }, isNumber)];
  expect(a).toEqual(b);
  expect(definitionKey(a.definition)).toBe("{c:*,h:*}");
});

test("a name such as __proto__ stays a name", () => {
  const tree = JSON.parse('{"__proto__": 1, "constructor": 2}');
  const { definition, leaves } = flattenTree(tree, isNumber);
  const again = unflattenTree(definition, leaves);
  expect(Object.entries(again)).toEqual([
    ["__proto__", 1],
    ["constructor", 2],
  ]);
});

describe("flattenTree names what is no tree", () => {
  test.each([
    [{ layers: [{ bias: undefined }] }, "layers.0.bias is undefined; expected a tensor, an array or a plain record"],
    [[1, "two"], "1 is string; expected a tensor, an array or a plain record"],
    [{ when: new Date(0) }, "when is object; expected a tensor, an array or a plain record"],
    [null, "the value is null; expected a tensor, an array or a plain record"],
    [() => 1, "the value is function; expected a tensor, an array or a plain record"],
  ])("%j", (tree, message) => {
    expect(() => flattenTree(tree, isNumber)).toThrow(new ToolkitError("trace", message));
  });
});

describe("definitionKey", () => {
  test("is equal exactly for trees of one form", () => {
    const form = (tree: Tree<number>): unknown => {
      if (isNumber(tree)) return "leaf";
      if (Array.isArray(tree)) return tree.map(form);
      const entries = Object.entries(tree).map(([name, child]): [string, unknown] => [name, form(child)]);
      return { entries: entries.sort(([a], [b]) => (a < b ? -1 : 1)) };
    };
    fc.assert(
      fc.property(trees, trees, (a, b) => {
        const same = JSON.stringify(form(a)) === JSON.stringify(form(b));
        const [definitionA, definitionB] = [flattenTree(a, isNumber).definition, flattenTree(b, isNumber).definition];
        expect(sameDefinition(definitionA, definitionB)).toBe(same);
        expect(sameDefinition(definitionA, definitionA)).toBe(true);
      }),
    );
  });

  test("tells an array from a record with its indices, and an empty array from an empty record", () => {
    const key = (tree: unknown) => definitionKey(flattenTree(tree, isNumber).definition);
    expect(key([1, 2])).not.toBe(key({ 0: 1, 1: 2 }));
    expect(key([])).not.toBe(key({}));
    expect(key([[1], 2])).not.toBe(key([1, [2]]));
  });

  test("is not fooled by names that look like keys", () => {
    const key = (tree: unknown) => definitionKey(flattenTree(tree, isNumber).definition);
    expect(key({ "a:*,b": 1, c: 2 })).not.toBe(key({ a: 1, "b:*,c": 2 }));
  });
});
