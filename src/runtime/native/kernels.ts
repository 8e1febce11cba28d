/** The native kernels: C++ for the instruction set of this processor, through the addon. */

import type { Plan } from "../../compile/index.js";
import { MemoryError } from "../../core/index.js";
import type { HostTensor, TypedArray } from "../../tensor/index.js";
import type { Executable, Kernels } from "../kernels.js";
import { aligned } from "../machine/alignment.js";
import { encode, isEncodable } from "../machine/encode.js";
import { machineError } from "../machine/failure.js";
import type { MachinePlace } from "../machine/machine-program.js";
import { requireMemory } from "../require-memory.js";
import type { NativeAddon, NativeMachine, NativeVariant } from "./addon.js";

/** Floats of a vector and bytes of groups with AVX-512, whose processors have second-level caches of 1 MB or more. */
const WIDE = { width: 16, pieceBytes: 1536 * 1024 };

/** Kernels of one variant of the addon. */
export function nativeKernels(addon: NativeAddon, variant: NativeVariant): Kernels {
  const { name, panel, width } = variant;
  return {
    name: `native/${name}`,
    target: { panel, width, ...(width === WIDE.width && { pieceBytes: WIDE.pieceBytes }) },
    supports: isEncodable,
    prepare: (plan) => new NativeExecutable(addon, variant, plan),
    runTogether: (executables, threads) => {
      const machines = executables.map((executable) => (executable as NativeExecutable).machine);
      const failure = addon.runParallel(machines, threads);
      if (failure === 0) return;
      throw machineError(machines.map((machine) => addon.failure(machine)).find(([code]) => code !== 0) as number[]);
    },
  };
}

class NativeExecutable implements Executable {
  readonly machine: NativeMachine;
  /** Entries of the table for each input and output of the run, and the arrays that they point to now. */
  private readonly inputs: Binding[];
  private readonly outputs: Binding[];
  /** The addon keeps addresses; this keeps the memory. */
  readonly memory: ArrayBuffer;

  constructor(
    private readonly addon: NativeAddon,
    variant: NativeVariant,
    plan: Plan,
  ) {
    const { code, places, constants, arenaBytes } = encode(plan);
    const { offsets, end } = layOut(constants, arenaBytes);
    this.memory = allocateMemory(addon.memoryBytes(variant.name, code, end));
    this.machine = addon.createMachine(variant.name, code, places.length, end, this.memory);
    constants.forEach(({ data }, index) => {
      addon.fillArena(this.machine, offsets[index] as number, data);
    });
    places.forEach((place, entry) => {
      if (place.in === "constant") addon.setArenaPointer(this.machine, entry, offsets[place.index] as number);
      if (place.in === "arena") addon.setArenaPointer(this.machine, entry, place.offset);
    });
    this.inputs = bindings(places, "input", plan.inputs.length);
    this.outputs = bindings(places, "output", plan.outputs.length);
  }

  run(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): void {
    this.bind(inputs, outputs);
    if (this.addon.run(this.machine) !== 0) throw machineError(this.addon.failure(this.machine));
  }

  bind(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): void {
    for (let index = 0; index < inputs.length; index++)
      this.point(this.inputs[index] as Binding, inputs[index] as HostTensor);
    for (let index = 0; index < outputs.length; index++)
      this.point(this.outputs[index] as Binding, outputs[index] as HostTensor);
  }

  private point(binding: Binding, tensor: HostTensor): void {
    const { data } = tensor;
    if (binding.array === data && binding.length === data.length) return;
    if (binding.entry >= 0) {
      requireMemory(tensor);
      this.addon.setPointer(this.machine, binding.entry, data);
    }
    binding.array = data;
    binding.length = data.length;
  }
}

/** Places for constants behind the arena: aligned, unlike arrays of JavaScript's. With a packed matrix that is not, products take longer. */
function layOut(constants: readonly HostTensor[], arenaBytes: number): { offsets: readonly number[]; end: number } {
  let end = arenaBytes;
  const offsets = constants.map(({ data }) => {
    const offset = aligned(end);
    end = offset + data.byteLength;
    return offset;
  });
  return { offsets, end };
}

/** Zeros. @throws MemoryError if there are not so many */
function allocateMemory(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    throw new MemoryError(
      `native kernels: ${(bytes / 2 ** 20).toFixed(0)} MiB of memory are needed, and there is not so much; use smaller batches or shorter windows`,
    );
  }
}

interface Binding {
  /** Of the table, or -1 if no instruction reads it. */
  readonly entry: number;
  array: TypedArray | undefined;
  /** 0 once the memory was given away. */
  length: number;
}

function bindings(places: readonly MachinePlace[], kind: "input" | "output", count: number): Binding[] {
  const entries = new Map(places.flatMap((place, entry) => (place.in === kind ? [[place.index, entry]] : [])));
  return Array.from({ length: count }, (_, index) => ({
    entry: entries.get(index) ?? -1,
    array: undefined,
    length: -1,
  }));
}
