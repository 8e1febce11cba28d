/** The WebAssembly kernels: the same C++ as the native ones, wherever WebAssembly has 128-bit vectors. */

import type { Plan } from "../../compile/index.js";
import { MemoryError } from "../../core/index.js";
import { type HostTensor, sizeOf, type TensorType, type TypedArray } from "../../tensor/index.js";
import type { Executable, Kernels } from "../kernels.js";
import { isEncodable } from "../machine/encode.js";
import { machineError } from "../machine/failure.js";
import { requireMemory } from "../require-memory.js";
import { startWasmCrew } from "./crew.js";
import { imageOf, type Layout } from "./image.js";
import { fastestInstructions, type WasmInstance, type WasmInstructions, wasmModule } from "./module.js";
import { wasmRegion } from "./slabs.js";

/** Floats of a vector of WebAssembly. */
const WIDTH = 4;

const made: Partial<Record<WasmInstructions, Kernels>> = {};

/**
 * The kernels, or the reason why this engine has none.
 * @param instructions default: the fastest that it has
 */
export function wasmKernels(
  instructions = fastestInstructions(),
): { readonly kernels: Kernels } | { readonly reason: string } {
  const found = wasmModule(instructions);
  if ("reason" in found) return found;
  const { module } = found;
  try {
    made[instructions] ??= {
      name: "wasm",
      target: { panel: wasmRegion(module, 0).panel(), width: WIDTH },
      supports: isEncodable,
      prepare: (plan) => new WasmExecutable(module, plan),
      startCrew: (threads) => startWasmCrew(module, threads),
    };
    return { kernels: made[instructions] };
  } catch (error) {
    if (error instanceof MemoryError) return { reason: error.message };
    throw error;
  }
}

class WasmExecutable implements Executable {
  private readonly instance: WasmInstance;
  private readonly layout: Layout;
  private readonly inputs: readonly TypedArray[];
  private readonly outputs: readonly TypedArray[];

  constructor(module: WebAssembly.Module, plan: Plan) {
    const { layout, pieces } = imageOf(module, plan);
    this.layout = layout;
    this.instance = wasmRegion(module, layout.bytes);
    const { memory, start } = this.instance;
    for (const [byte, words] of pieces(start)) new Int32Array(memory.buffer, byte, words.length).set(words);
    const arrayAt = ({ dtype, shape }: TensorType, offset: number): TypedArray =>
      new (dtype === "int32" ? Int32Array : Float32Array)(memory.buffer, start + offset, sizeOf(shape));
    this.inputs = plan.inputs.map((type, index) => arrayAt(type, layout.inputs[index] as number));
    this.outputs = plan.outputs.map((type, index) => arrayAt(type, layout.outputs[index] as number));
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
}
