/** Plan -> words for the kernels in C++. One encoder for each operation that is not elementwise or a view. */

import {
  type FusedParams,
  fusedPrimitive,
  type Instruction,
  isViewOperation,
  type PackParams,
  type Plan,
  type ProductParams,
  packPrimitive,
  productPrimitive,
  type RowwiseParams,
  rowwisePrimitive,
  type Slot,
  scratchOf,
} from "../../compile/index.js";
import type { Program, Variable } from "../../program/index.js";
import { type ScanParams, scanPrimitive } from "../../scan/index.js";
import { BYTES, sizeOf, stridesOf, type TensorType } from "../../tensor/index.js";
import { instructionCode } from "./codes.js";
import {
  encodeConcatenation,
  encodeFused,
  encodePad,
  encodeRowSum,
  encodeView,
  isElementOperation,
} from "./encode-elementwise.js";
import type { MachineProgram } from "./machine-program.js";
import { PlaceTable, word } from "./places.js";
import type { Piece } from "./steps.js";

/** The most axes that an elementwise instruction can have. */
const MOST_AXES = 6;

/** The words of a Plan. */
export function encode(plan: Plan): MachineProgram {
  const table = new PlaceTable(plan);
  const encoder = new Encoder(table);
  const body = plan.instructions.flatMap((instruction) => encoder.instruction(instruction));
  return {
    code: Int32Array.from([...body, instructionCode("end"), 2]),
    places: table.places,
    constants: table.constants(),
    arenaBytes: plan.arenaBytes,
  };
}

/** Whether the kernels in C++ have all that a Program needs: elements of four bytes, and operations that they know. */
export const isEncodable = (program: Program): boolean =>
  [program.inputs, program.outputs].flat().every(isWord) &&
  program.equations.every(
    ({ primitive, params, inputs, outputs }) =>
      [...inputs, ...outputs].every(isWord) &&
      (primitive === scanPrimitive
        ? isEncodable((params as ScanParams).body)
        : primitive.pointwise === true
          ? isElementOperation(primitive.name)
          : KNOWN.has(primitive.name)),
  );

const isWord = ({ type: { dtype, shape } }: { type: TensorType }): boolean =>
  dtype !== "float64" && shape.length <= MOST_AXES;

const KNOWN: ReadonlySet<string> = new Set(
  "fill reshape stopGradient slice transpose reverse broadcast unfold fold pad concatenate matmul sum max argmax gather scatterAdd dynamicSlice dynamicUpdate splitKey foldIn uniform normal".split(
    " ",
  ),
);

/** Operations that can fail when they run. */
const FAILING: ReadonlySet<string> = new Set(["gather", "scatterAdd"]);

/** Encodes instructions, loops inside each other. */
class Encoder {
  constructor(private readonly table: PlaceTable) {}

  instruction(instruction: Instruction): number[] {
    switch (instruction.kind) {
      case "copy": {
        const { from, to } = instruction;
        return word(
          "copy",
          this.table.placeOf(to),
          this.table.placeOf(from),
          sizeOf(to.type.shape) * BYTES[to.type.dtype],
        );
      }
      case "loop": {
        const { length, reverse, steps, body } = instruction;
        const moving = steps.map((slot): [number, number, number] => {
          const { slot: source } = slot.place as { slot: Slot };
          return [
            this.table.placeOf(slot),
            this.table.placeOf(source),
            sizeOf(slot.type.shape) * BYTES[slot.type.dtype],
          ];
        });
        const words = body.flatMap((inner) => this.instruction(inner));
        const inside = [...words, instructionCode("end"), 2];
        return word("loop", length, reverse ? 1 : 0, inside.length, moving.length, ...moving.flat(), ...inside);
      }
      case "apply":
        return this.apply(instruction);
    }
  }

  private apply(instruction: Instruction & { kind: "apply" }): number[] {
    const { primitive, params, inputs, outputs } = instruction;
    // Rows are looked for even where they have no elements: a row outside of the table is an error.
    if (outputs.every(({ type }) => sizeOf(type.shape) === 0) && !FAILING.has(primitive.name)) return [];
    if (primitive === fusedPrimitive) return encodeFused(this.table, params as FusedParams, inputs, outputs);
    if (primitive === rowwisePrimitive) return this.rowwise(params as RowwiseParams, inputs, outputs);
    const [to] = outputs as [Slot];
    if (isViewOperation({ primitive })) return encodeView(this.table, { primitive, params }, inputs[0] as Slot, to);
    if (primitive.name === "pad") return encodePad(this.table, params as PadParams, inputs[0] as Slot, to);
    if (primitive.name === "concatenate")
      return encodeConcatenation(this.table, (params as { axis: number }).axis, inputs, to);
    const encodeOne = ENCODERS[primitive.name];
    if (encodeOne === undefined) throw new Error(`no kernel for ${primitive.name}`);
    return encodeOne({
      params,
      inputs,
      output: to,
      places: [...outputs, ...inputs].map((slot) => this.table.placeOf(slot)),
    });
  }

  /** A loop over pieces of rows. */
  private rowwise(params: RowwiseParams, inputs: readonly Slot[], outputs: readonly Slot[]): number[] {
    const { body, rows, chunk } = params;
    const slots = new Map<Variable, Slot>();
    body.inputs.forEach((variable, index) => {
      slots.set(variable, inputs[index] as Slot);
    });
    body.outputs.forEach((variable, index) => {
      slots.set(variable, outputs[index] as Slot);
    });
    const memory = (outputs.at(-1) as Slot).place as { readonly in: "arena"; readonly offset: number };
    const scratch = new Set<Slot>();
    for (const [variable, offset] of scratchOf(params).offsets) {
      const slot: Slot = { type: variable.type, place: { in: "arena", offset: memory.offset + offset } };
      slots.set(variable, slot);
      scratch.add(slot);
    }
    const moved = new Map<string, [number, number, number]>();
    const piece: Piece = {
      chunk,
      isScratch: (slot) => scratch.has(slot.place.in === "slot" ? slot.place.slot : slot),
      moving: (place, bytes) => {
        const key = `${place} ${bytes}`;
        const entry = moved.get(key) ?? [this.table.addStep(), place, bytes];
        moved.set(key, entry);
        return entry[0];
      },
    };
    const words = body.equations.flatMap((equation): number[] => {
      const own = (list: readonly Variable[]) => list.map((variable) => slots.get(variable) as Slot);
      const [from] = own(equation.inputs) as [Slot];
      if (equation.primitive.alias === true) {
        const [output] = equation.outputs as [Variable];
        const root = from.place.in === "slot" ? from.place.slot : from;
        slots.set(output, { type: output.type, place: { in: "slot", slot: root } });
        return [];
      }
      if (equation.primitive === fusedPrimitive)
        return encodeFused(
          this.table,
          equation.params as FusedParams,
          own(equation.inputs),
          own(equation.outputs),
          piece,
        );
      return encodeRowSum(this.table, from, own(equation.outputs)[0] as Slot, piece);
    });
    const inside = [...words, instructionCode("end"), 2];
    return word("loop", rows / chunk, 0, inside.length, moved.size, ...[...moved.values()].flat(), ...inside);
  }
}

interface PadParams {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}

interface Operands {
  // biome-ignore lint/suspicious/noExplicitAny: each primitive has parameters of its own.
  readonly params: any;
  readonly inputs: readonly Slot[];
  readonly output: Slot;
  /** Entries of the table: of the output, then of the inputs. */
  readonly places: readonly number[];
}

type Encode = (operands: Operands) => number[];

const isInt = ({ type }: Slot): boolean => type.dtype === "int32";

/** Sizes before an axis, of it, and behind it. */
const around = ({ type: { shape } }: Slot, axis: number): [number, number, number] => [
  sizeOf(shape.slice(0, axis)),
  shape[axis] as number,
  sizeOf(shape.slice(axis + 1)),
];

const encodeExtreme =
  (name: "max" | "argmax"): Encode =>
  ({ params: { axis }, inputs: [x], places }) =>
    word(isInt(x as Slot) ? `${name}Int` : name, ...places, ...around(x as Slot, axis));

const encodeDraw =
  (name: "uniform" | "normal"): Encode =>
  ({ output, places }) =>
    word(name, ...places, sizeOf(output.type.shape));

const encodeMultiply: Encode = ({ params, inputs: [a, b, d], output, places: [to, left, right, addend = -1] }) => {
  const { transposeA, transposeB } = params as ProductParams;
  const [M, N] = output.type.shape.slice(-2) as [number, number];
  const count = sizeOf(output.type.shape.slice(0, -2));
  const K = (a as Slot).type.shape.at(transposeA ? -2 : -1) as number;
  const [rowA, columnA] = transposeA ? [1, M] : [K, 1];
  const [rowB, columnB] = transposeB ? [1, K] : [N, 1];
  const repeated = d !== undefined && sizeOf(d.type.shape) < M * N ? 0 : N;
  return word(
    "multiply",
    ...[to, left, right, addend].map(Number),
    ...[M, K, N, rowA, columnA, rowB, columnB, N, repeated],
    ...[count, M * K, sizeOf((b as Slot).type.shape.slice(-2)), M * N],
  );
};

const encodeProduct: Encode = (operands) => {
  const { params, inputs, output, places } = operands;
  const { packedColumns } = params as ProductParams;
  if (packedColumns === undefined) return encodeMultiply(operands);
  const [M, N] = output.type.shape as [number, number];
  const K = (inputs[0] as Slot).type.shape[1] as number;
  const [to, left, packed, addend = -1] = places;
  const repeated = inputs[2] !== undefined && sizeOf(inputs[2].type.shape) < M * N ? 0 : N;
  return word("multiplyPacked", ...[to, left, packed, addend].map(Number), M, K, N, K, N, repeated);
};

const ENCODERS: Readonly<Record<string, Encode>> = {
  [packPrimitive.name]: ({ params, inputs: [x], places }) => {
    const { transpose } = params as PackParams;
    const [rows, columns] = (x as Slot).type.shape as [number, number];
    return transpose
      ? word("pack", ...places, columns, rows, 1, columns)
      : word("pack", ...places, rows, columns, columns, 1);
  },
  [productPrimitive.name]: encodeProduct,
  matmul: encodeMultiply,
  sum: ({ params: { axes }, inputs: [x], places }) => {
    const { shape } = (x as Slot).type;
    const reduced = shape.map((_, axis) => ((axes as readonly number[]).includes(axis) ? 1 : 0));
    return word(
      isInt(x as Slot) ? "sumInt" : "sum",
      ...places,
      shape.length,
      ...shape,
      ...stridesOf(shape),
      ...reduced,
    );
  },
  max: encodeExtreme("max"),
  argmax: encodeExtreme("argmax"),
  gather: ({ inputs: [table, indices], places }) => {
    const [, rows, width] = around(table as Slot, 0);
    return word("gather", ...places, rows, width, sizeOf((indices as Slot).type.shape));
  },
  scatterAdd: ({ inputs: [table, indices], places }) => {
    const [, rows, width] = around(table as Slot, 0);
    const name = isInt(table as Slot) ? "scatterAddInt" : "scatterAdd";
    return word(name, ...places, rows, width, sizeOf((indices as Slot).type.shape));
  },
  dynamicSlice: ({ params: { axis, length }, inputs: [x], places }) => {
    const [blocks, whole, stride] = around(x as Slot, axis);
    return word("dynamicSlice", ...places, blocks, whole, length, stride);
  },
  dynamicUpdate: ({ params: { axis }, inputs: [x, window], places }) => {
    const [blocks, whole, stride] = around(x as Slot, axis);
    return word("dynamicUpdate", ...places, blocks, whole, (window as Slot).type.shape[axis] as number, stride);
  },
  fold: ({ params: { axis, into, stride, dilation }, inputs: [windows], output, places }) => {
    const { shape } = (windows as Slot).type;
    const [outer, length, behind] = around(output, axis);
    const inner = sizeOf(shape.slice(into + 1));
    const [count, size] = [shape[axis] as number, shape[into] as number];
    const name = isInt(output) ? "foldInt" : "fold";
    return word(name, ...places, outer, length, behind / inner, inner, count, size, stride, dilation);
  },
  splitKey: ({ params: { count }, places }) => word("splitKey", ...places, count),
  foldIn: ({ places }) => word("foldIn", ...places),
  uniform: encodeDraw("uniform"),
  normal: encodeDraw("normal"),
};
