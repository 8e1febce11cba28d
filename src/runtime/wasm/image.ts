/** A Plan in the module's memory: what lies where, and the words that are there before it runs. */

import type { Plan } from "../../compile/index.js";
import { BYTES, sizeOf, type TensorType, type TypedArray } from "../../tensor/index.js";
import { aligned } from "../machine/alignment.js";
import { encode } from "../machine/encode.js";
import type { MachinePlace, MachineProgram } from "../machine/machine-program.js";
import { instantiateWasm, type WasmInstance } from "./module.js";

/** What lies where in the memory of a Plan, from its start on: each at a multiple of 64 bytes. */
export interface Layout {
  readonly code: number;
  readonly table: number;
  readonly failure: number;
  readonly scratch: number;
  readonly arena: number;
  readonly constants: readonly number[];
  readonly inputs: readonly number[];
  /** Outputs that take over the memory of an input lie where that lies. */
  readonly outputs: readonly number[];
  readonly bytes: number;
}

/** Words of 4 bytes, and the byte at which they begin. */
export type Piece = readonly [byte: number, words: Int32Array];

/** A Plan, ready to be written into memory. */
export interface WasmImage {
  readonly layout: Layout;
  /** Where memory for it begins in an instance that has no other Plan. */
  readonly base: number;
  /** What does not change while it runs, for memory that begins at byte `start`: code, table and constants. */
  pieces(start: number): Piece[];
}

/** Lays a Plan out. */
export function imageOf(module: WebAssembly.Module, plan: Plan): WasmImage {
  const program = encode(plan);
  const { base, scratch } = measure(module, program.code);
  const layout = layOut(plan, program, scratch);
  const table = program.places.map((place) => (place.in === "step" ? 0 : offsetOf(place, layout)));
  return {
    layout,
    base,
    pieces: (start) => [
      [start + layout.code, program.code],
      [start + layout.table, Int32Array.from(table, (offset) => start + offset)],
      ...program.constants.map(
        ({ data }, index): Piece => [start + (layout.constants[index] as number), wordsOf(data)],
      ),
    ],
  };
}

/** The words of an array of a dtype that the module knows; the same memory. */
export const wordsOf = ({ buffer, byteOffset, length }: TypedArray): Int32Array =>
  new Int32Array(buffer, byteOffset, length);

function offsetOf(place: Exclude<MachinePlace, { in: "step" }>, layout: Layout): number {
  switch (place.in) {
    case "arena":
      return layout.arena + place.offset;
    case "constant":
      return layout.constants[place.index] as number;
    case "input":
      return layout.inputs[place.index] as number;
    case "output":
      return layout.outputs[place.index] as number;
  }
}

function layOut(plan: Plan, { code, places, constants, arenaBytes }: MachineProgram, scratch: number): Layout {
  let bytes = 0;
  const take = (size: number): number => {
    const offset = bytes;
    bytes = offset + aligned(size);
    return offset;
  };
  const takeType = ({ dtype, shape }: TensorType): number => take(sizeOf(shape) * BYTES[dtype]);
  const layout = {
    code: take(code.byteLength),
    table: take(places.length * 4),
    failure: take(16),
    scratch: take(scratch),
    arena: take(arenaBytes),
    constants: constants.map(takeType),
    inputs: plan.inputs.map(takeType),
  };
  const outputs = plan.outputs.map((type, index) => {
    const donor = plan.takesOver[index];
    return donor === undefined ? takeType(type) : (layout.inputs[donor] as number);
  });
  return { ...layout, outputs, bytes };
}

/** Of each module, the instance that is asked how much scratch memory programs need, and the words that its memory has room for. */
const probes = new WeakMap<WebAssembly.Module, { readonly instance: WasmInstance; readonly words: number }>();

/** Bytes of scratch memory that a program needs, and the byte at which an instance's memory begins. */
function measure(module: WebAssembly.Module, code: Int32Array): { readonly scratch: number; readonly base: number } {
  let probe = probes.get(module);
  if (probe === undefined || probe.words < code.length) {
    const words = Math.max(2 * code.length, 2 ** 14);
    probe = { instance: instantiateWasm(module, words * 4), words };
    probes.set(module, probe);
  }
  const { memory, start, scratchFloats } = probe.instance;
  new Int32Array(memory.buffer, start, code.length).set(code);
  return { scratch: scratchFloats(start) * 4, base: start };
}
