/** The WebAssembly kernels: the same C++ as the native ones, wherever WebAssembly has 128-bit vectors. */

import type { Plan } from "../../compile/index.js";
import { MemoryError } from "../../core/index.js";
import { BYTES, type HostTensor, sizeOf, type TensorType, type TypedArray } from "../../tensor/index.js";
import type { Executable, Kernels } from "../kernels.js";
import { encode, isEncodable } from "../machine/encode.js";
import { machineError } from "../machine/failure.js";
import type { MachinePlace, MachineProgram } from "../machine/machine-program.js";
import { requireMemory } from "../require-memory.js";
import { instantiateWasm, type WasmInstance, wasmModule } from "./module.js";
import { wasmRegion } from "./slabs.js";

const ALIGNMENT = 64;

let kernels: Kernels | undefined;

/** The kernels, or the reason why this engine has none. */
export function wasmKernels(): { readonly kernels: Kernels } | { readonly reason: string } {
  const found = wasmModule();
  if ("reason" in found) return found;
  const { module } = found;
  try {
    kernels ??= {
      name: "wasm",
      target: { panel: wasmRegion(module, 0).panel() },
      supports: isEncodable,
      prepare: (plan) => new WasmExecutable(module, plan),
    };
    return { kernels };
  } catch (error) {
    if (error instanceof MemoryError) return { reason: error.message };
    throw error;
  }
}

/** What lies where in the memory of a Plan, from its start on: each at a multiple of 64 bytes. */
interface Layout {
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

class WasmExecutable implements Executable {
  private readonly instance: WasmInstance;
  private readonly layout: Layout;
  private readonly inputs: readonly TypedArray[];
  private readonly outputs: readonly TypedArray[];

  constructor(module: WebAssembly.Module, plan: Plan) {
    const program = encode(plan);
    this.layout = layOut(plan, program, scratchBytes(module, program.code));
    this.instance = wasmRegion(module, this.layout.bytes);
    this.fill(program);
    const arrayAt = ({ dtype, shape }: TensorType, offset: number) =>
      this.arrayAt({ dtype, shape }, this.instance.start + offset);
    this.inputs = plan.inputs.map((type, index) => arrayAt(type, this.layout.inputs[index] as number));
    this.outputs = plan.outputs.map((type, index) => arrayAt(type, this.layout.outputs[index] as number));
  }

  run(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): void {
    const { start, run, memory } = this.instance;
    const { code, table, scratch, failure } = this.layout;
    for (let index = 0; index < inputs.length; index++) {
      const input = inputs[index] as HostTensor;
      const own = this.inputs[index] as TypedArray;
      requireMemory(input);
      own.set(input.data);
    }
    for (let index = 0; index < outputs.length; index++) requireMemory(outputs[index] as HostTensor);
    if (run(start + code, start + table, start + scratch, start + failure) !== 0)
      throw machineError([...new Int32Array(memory.buffer, start + failure, 4)]);
    for (let index = 0; index < outputs.length; index++)
      (outputs[index] as HostTensor).data.set(this.outputs[index] as TypedArray);
  }

  /** Writes what does not change: code, table and constants. */
  private fill({ code, places, constants }: MachineProgram): void {
    const { start, memory } = this.instance;
    const { layout } = this;
    new Int32Array(memory.buffer, start + layout.code, code.length).set(code);
    constants.forEach((constant, index) => {
      this.arrayAt(constant, start + (layout.constants[index] as number)).set(constant.data);
    });
    const table = new Uint32Array(memory.buffer, start + layout.table, places.length);
    places.forEach((place, entry) => {
      table[entry] = place.in === "step" ? 0 : start + offsetOf(place, layout);
    });
  }

  private arrayAt({ dtype, shape }: TensorType, byte: number): TypedArray {
    const Elements = dtype === "int32" ? Int32Array : Float32Array;
    return new Elements(this.instance.memory.buffer, byte, sizeOf(shape));
  }
}

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
    bytes = offset + Math.ceil(size / ALIGNMENT) * ALIGNMENT;
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

/** The instance that is asked how much scratch memory programs need, and the words that its memory has room for. */
let probe: { readonly instance: WasmInstance; readonly words: number } | undefined;

function scratchBytes(module: WebAssembly.Module, code: Int32Array): number {
  if (probe === undefined || probe.words < code.length) {
    const words = Math.max(2 * code.length, 2 ** 14);
    probe = { instance: instantiateWasm(module, words * 4), words };
  }
  const { memory, start, scratchFloats } = probe.instance;
  new Int32Array(memory.buffer, start, code.length).set(code);
  return scratchFloats(start) * 4;
}
