/** Where the parameters of a model stand in an ONNX file: under their own paths, or as blocks of rows of an operator's weights. */

import { FileError } from "../../core/index.js";
import type { Variable } from "../../program/index.js";
import { allocate, HostTensor, type Shape, sizeOf, type Tensor } from "../../tensor/index.js";
import { decodeOnnx, type OnnxModel, type OnnxTensor } from "./proto.js";
import { readTensor } from "./tensor-data.js";

/** Rows of a parameter; without a path, zeros. */
export interface RowBlock {
  readonly path?: string;
  readonly from: number;
  readonly rows: number;
}

/** Rows `from`, ... of a parameter are rows `at`, ... of an initializer. */
interface Place {
  readonly initializer: string;
  readonly at: number;
  readonly from: number;
  readonly rows: number;
}

/** The entry of a file's metadata that says where parameters are, as JSON: path, then places of rows (none: an initializer of that name). */
export const WEIGHTS_ENTRY = "through-time.weights";

/** Parameters by the variables that stand for them, and where they went. */
export class WeightTable {
  /** The places of each parameter that went into the file. */
  readonly places: Record<string, Place[]> = {};
  private readonly values: ReadonlyMap<string, Tensor>;

  constructor(private readonly weights: ReadonlyMap<Variable, readonly [path: string, value: Tensor]>) {
    this.values = new Map(weights.values());
  }

  /** Path of a parameter. */
  pathOf(variable: Variable): string {
    return this.weights.get(variable)?.[0] as string;
  }

  /** Remembers that a parameter is an initializer of its own. */
  keep(path: string): void {
    this.places[path] ??= [];
  }

  /** Makes an initializer of blocks of rows, one below the other, and remembers where they went. */
  stack(initializer: string, shape: Shape, blocks: readonly RowBlock[]): Tensor {
    const width = sizeOf(shape) / blocks.reduce((sum, { rows }) => sum + rows, 0);
    const data = allocate("float32", sizeOf(shape));
    let at = 0;
    for (const { path, from, rows } of blocks) {
      if (path !== undefined) {
        const source = this.values.get(path) as Tensor;
        data.set(source.data.subarray(from * width, (from + rows) * width), at * width);
        this.places[path] = [...(this.places[path] ?? []), { initializer, at, from, rows }];
      }
      at += rows;
    }
    return new HostTensor({ dtype: "float32", shape }, data);
  }
}

/** A model of ours, read back. */
export interface ExportedModel {
  /** Parameters by their paths. */
  readonly params: Map<string, Tensor>;
  /** The texts that were stored with it. */
  readonly metadata: Record<string, string>;
}

/**
 * Reads the parameters and texts of a file that `exportOnnx` wrote, exactly as they were.
 * @param where the file's name, for errors
 * @throws FileError if the file is damaged, or of another program
 */
export function readExportedOnnx(bytes: Uint8Array, where: string): ExportedModel {
  const model: OnnxModel = decodeOnnx(bytes, where);
  const entries = (model.metadataProps ?? []).map(({ key = "", value = "" }) => [key, value] as const);
  const { [WEIGHTS_ENTRY]: table, ...metadata } = Object.fromEntries(entries);
  if (table === undefined) {
    throw new FileError(
      `"${where}" was not exported from a run; "through-time run" executes ONNX models of other programs`,
    );
  }
  const initializers = new Map((model.graph?.initializer ?? []).map((tensor) => [tensor.name ?? "", tensor]));
  const read = (name: string): Tensor => {
    const found = initializers.get(name) as OnnxTensor;
    return readTensor(found, `"${where}": initializer "${name}"`);
  };
  try {
    const places = Object.entries(JSON.parse(table) as Record<string, Place[]>);
    return {
      params: new Map(places.map(([path, rows]) => [path, rows.length === 0 ? read(path) : gather(rows, read)])),
      metadata,
    };
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw new FileError(
      `"${where}" is damaged: its parameters are not where it says; use another copy, or export it again`,
      {
        cause,
      },
    );
  }
}

/** Puts the rows of a parameter together again. */
function gather(places: readonly Place[], read: (initializer: string) => Tensor): Tensor {
  const rows = Math.max(...places.map((place) => place.from + place.rows));
  const inner = read((places[0] as Place).initializer).shape.slice(2);
  const width = sizeOf(inner);
  const data = allocate("float32", rows * width);
  for (const { initializer, at, from, rows: count } of places) {
    const source = read(initializer).data.subarray(at * width, (at + count) * width);
    data.set(source, from * width);
  }
  return new HostTensor({ dtype: "float32", shape: [rows, ...inner] }, data);
}
