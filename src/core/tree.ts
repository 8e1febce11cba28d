/** Nested records and arrays ("trees") of one kind of leaf: parameters, carries, optimizer states, batches. */

import { ToolkitError } from "./errors.js";

/** A leaf, or an array or a plain record of trees. Records are visited in the order of their sorted keys. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> };

/** The shape of a tree: what is left of it when its leaves are taken out. */
export type TreeDefinition =
  | { readonly kind: "leaf" }
  | { readonly kind: "array"; readonly children: readonly TreeDefinition[] }
  | { readonly kind: "record"; readonly names: readonly string[]; readonly children: readonly TreeDefinition[] };

/** Says whether a node of a tree is a leaf. */
export type LeafTest<Leaf> = (node: unknown) => node is Leaf;

const isRecord = (node: unknown): node is Record<string, unknown> => {
  if (typeof node !== "object" || node === null) return false;
  const prototype: unknown = Object.getPrototypeOf(node);
  return prototype === Object.prototype || prototype === null;
};

/** Leaves in order, their paths (`layers.0.weightIh`), and the definition that puts them together again. */
export interface FlatTree<Leaf> {
  readonly leaves: Leaf[];
  readonly paths: string[];
  readonly definition: TreeDefinition;
}

/**
 * Takes a tree apart.
 * @throws ToolkitError naming the path of a node that is neither a leaf, an array nor a plain record
 */
export function flattenTree<Leaf>(tree: unknown, isLeaf: LeafTest<Leaf>): FlatTree<Leaf> {
  const leaves: Leaf[] = [];
  const paths: string[] = [];
  const visit = (node: unknown, path: string): TreeDefinition => {
    const at = (name: string | number) => (path === "" ? `${name}` : `${path}.${name}`);
    if (isLeaf(node)) {
      leaves.push(node);
      paths.push(path);
      return { kind: "leaf" };
    }
    if (Array.isArray(node)) {
      return { kind: "array", children: node.map((child, index) => visit(child, at(index))) };
    }
    if (isRecord(node)) {
      const names = Object.keys(node).sort();
      return { kind: "record", names, children: names.map((name) => visit(node[name], at(name))) };
    }
    const found = node === null ? "null" : typeof node;
    throw new ToolkitError(
      "trace",
      `${path === "" ? "the value" : path} is ${found}; expected a tensor, an array or a plain record`,
    );
  };
  const definition = visit(tree, "");
  return { leaves, paths, definition };
}

/** Puts a tree together from its definition and its leaves, the inverse of `flattenTree`. */
export function unflattenTree<Leaf>(definition: TreeDefinition, leaves: readonly Leaf[]): Tree<Leaf> {
  let next = 0;
  const build = (node: TreeDefinition): Tree<Leaf> => {
    if (node.kind === "leaf") return leaves[next++] as Leaf;
    const children = node.children.map(build);
    if (node.kind === "array") return children;
    return Object.fromEntries(node.names.map((name, index) => [name, children[index] as Tree<Leaf>]));
  };
  return build(definition);
}

/** Whether two trees have the same arrays and the same names. */
export function sameDefinition(a: TreeDefinition, b: TreeDefinition): boolean {
  return definitionKey(a) === definitionKey(b);
}

/** A name that could be mistaken for a piece of a key is put in quotes. */
const printName = (name: string): string => (/^[\w.-]+$/.test(name) ? name : JSON.stringify(name));

/** A string that is equal for equal definitions: `{c:*,h:*}`. */
export function definitionKey(definition: TreeDefinition): string {
  if (definition.kind === "leaf") return "*";
  const children = definition.children.map(definitionKey);
  if (definition.kind === "array") return `[${children.join(",")}]`;
  return `{${children.map((child, index) => `${printName(definition.names[index] as string)}:${child}`).join(",")}}`;
}
