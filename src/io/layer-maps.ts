/** What the maps between our parameters and those of other frameworks have in common. */

import { DataError } from "../core/index.js";
import type { BothDirections } from "../nn/index.js";
import { formatType, isTensor, type Tensor, type TensorTree, type TensorType } from "../tensor/index.js";

/** Tensors by the names of another framework. */
export type TensorsByName = ReadonlyMap<string, Tensor>;

/** Parameters of one layer: of its cell, or of the cells of both directions. */
export type LayerParams<CellParams> = CellParams | BothDirections<CellParams>;

/** Whether a layer runs in both directions. */
export const isBothDirections = <CellParams extends TensorTree>(
  params: LayerParams<CellParams>,
): params is BothDirections<CellParams> => "forward" in params && "backward" in params;

/** A layer alone, or a stack of them, as a list. */
export const layersOf = <CellParams extends TensorTree>(
  params: LayerParams<CellParams> | readonly LayerParams<CellParams>[],
): readonly LayerParams<CellParams>[] =>
  Array.isArray(params) ? params : ([params] as readonly LayerParams<CellParams>[]);

/** The tensor of a cell's parameters. @throws DataError if the parameters have none of that name, or one of another rank */
export function partOf(where: string, params: TensorTree, name: string, rank: number): Tensor {
  const part = (params as Readonly<Record<string, unknown>>)[name];
  if (!isTensor(part) || part.shape.length !== rank) {
    const found = isTensor(part)
      ? `it is ${formatType(part)}`
      : `the parameters are {${Object.keys(params).join(", ")}}`;
    throw new DataError(
      `${where}: ${name} must be a tensor with ${rank} axes, but ${found}; give the parameters of this cell`,
    );
  }
  return part;
}

/** @throws DataError if the parameters hold a tensor that would be lost */
export function requireOnlyParts(where: string, params: TensorTree, names: readonly string[]): void {
  const extra = Object.keys(params).find((name) => !names.includes(name));
  if (extra === undefined) return;
  throw new DataError(
    `${where}: the parameters hold ${extra}, for which there is no place; it takes ${names.join(", ")}`,
  );
}

/** The recurrent weights of a cell, `[gates*hiddenSize, hiddenSize]`. @throws DataError if they have another number of gates */
export function recurrentWeights(where: string, params: TensorTree, gates: number): Tensor {
  const weightHh = partOf(where, params, "weightHh", 2);
  const [rows, hiddenSize] = weightHh.shape as [number, number];
  if (rows === gates * hiddenSize) return weightHh;
  throw new DataError(
    `${where}: weightHh is ${formatType(weightHh)}, but needs ${gates * hiddenSize} rows; give the parameters of this cell`,
  );
}

/** Tensors that are asked for by name; what nobody asked for is an error. */
export class NamedReader {
  private readonly unread: Set<string>;

  constructor(
    private readonly where: string,
    private readonly tensors: TensorsByName,
  ) {
    this.unread = new Set(tensors.keys());
  }

  /** Whether there is a tensor of that name. */
  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** A tensor, which counts as read then. @param shape lengths; undefined for any */
  take(name: string, shape: readonly (number | undefined)[]): Tensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new DataError(`${this.where}: there is no ${name} among ${listed(this.tensors)}`);
    this.unread.delete(name);
    const fits =
      tensor.shape.length === shape.length &&
      shape.every((length, axis) => (length ?? tensor.shape[axis]) === tensor.shape[axis]);
    if (!fits) {
      const expected = `[${shape.map((length) => length ?? "any").join(",")}]`;
      throw new DataError(`${this.where}: ${name} is ${formatType(tensor)}, but ${expected} is needed`);
    }
    return tensor;
  }

  /** @throws DataError if a tensor was not taken */
  requireAllRead(): void {
    const [name] = this.unread;
    if (name === undefined) return;
    const type = formatType(this.tensors.get(name) as TensorType);
    throw new DataError(
      `${this.where}: ${name} (${type}) has no place; leave it out, or give the prefix of the layer's names`,
    );
  }
}

const MOST_LISTED = 8;

const listed = (tensors: TensorsByName): string => {
  const names = [...tensors.keys()];
  const shown = names.slice(0, MOST_LISTED).join(", ");
  return names.length === 0 ? "no tensors at all" : names.length > MOST_LISTED ? `${shown}, ...` : shown;
};
