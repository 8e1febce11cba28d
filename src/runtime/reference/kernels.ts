/** The reference kernels: each instruction by the reference evaluation of its operation. Plain TypeScript, any dtype. */

import type { Instruction, Plan, Slot } from "../../compile/index.js";
import {
  copyElements,
  type DType,
  type HostTensor,
  sizeOf,
  type TensorType,
  type TypedArray,
  type View,
} from "../../tensor/index.js";
import type { Executable, Kernels } from "../kernels.js";
import { requireMemory } from "../require-memory.js";

/** The slow, obvious twin of every other set of kernels. */
export const referenceKernels: Kernels = {
  name: "reference",
  supports: () => true,
  prepare: (plan) => new ReferenceExecutable(plan),
};

type Action = () => void;

class ReferenceExecutable implements Executable {
  private readonly arena: Readonly<Record<DType, TypedArray>>;
  private readonly views = new Map<Slot, View>();
  private readonly inputs: View[];
  private readonly outputs: View[];
  /** Views that are another name of a view whose place is known only in the run, in the order in which they follow. */
  private readonly followers: { readonly view: View; readonly source: View }[] = [];
  private readonly actions: readonly Action[];

  constructor(private readonly plan: Plan) {
    const memory = new ArrayBuffer(plan.arenaBytes);
    this.arena = {
      float32: new Float32Array(memory),
      float64: new Float64Array(memory),
      int32: new Int32Array(memory),
    };
    const viewOfRun = ({ dtype, shape }: TensorType): View => ({ dtype, shape, data: this.arena[dtype], offset: 0 });
    this.inputs = plan.inputs.map(viewOfRun);
    this.outputs = plan.outputs.map(viewOfRun);
    this.actions = plan.instructions.map((instruction) => this.prepare(instruction));
  }

  run(inputs: readonly HostTensor[], outputs: readonly HostTensor[]): void {
    inputs.forEach((input, index) => {
      requireMemory(input);
      (this.inputs[index] as View).data = input.data;
    });
    outputs.forEach((output, index) => {
      requireMemory(output);
      (this.outputs[index] as View).data = output.data;
    });
    for (const { view, source } of this.followers) {
      view.data = source.data;
      view.offset = source.offset;
    }
    for (const action of this.actions) action();
  }

  private viewOf(slot: Slot): View {
    let view = this.views.get(slot);
    if (view === undefined) {
      view = this.makeView(slot);
      this.views.set(slot, view);
    }
    return view;
  }

  private makeView({ type: { dtype, shape }, place }: Slot): View {
    switch (place.in) {
      case "input":
        return this.inputs[place.index] as View;
      case "output":
        return this.outputs[place.index] as View;
      case "constant":
        return { dtype, shape, data: (this.plan.constants[place.index] as HostTensor).data, offset: 0 };
      case "arena":
        return { dtype, shape, data: this.arena[dtype], offset: place.offset / this.arena[dtype].BYTES_PER_ELEMENT };
      case "slot":
      case "step": {
        const source = this.viewOf(place.slot);
        const view: View = { dtype, shape, data: source.data, offset: source.offset };
        this.followers.push({ view, source });
        return view;
      }
    }
  }

  private prepare(instruction: Instruction): Action {
    switch (instruction.kind) {
      case "apply": {
        const { primitive, params } = instruction;
        const inputs = instruction.inputs.map((slot) => this.viewOf(slot));
        const outputs = instruction.outputs.map((slot) => this.viewOf(slot));
        return () => primitive.evaluate(inputs, outputs, params);
      }
      case "copy": {
        const [from, to] = [this.viewOf(instruction.from), this.viewOf(instruction.to)];
        const size = sizeOf(to.shape);
        return () => copyElements(from, to, size);
      }
      case "loop":
        return this.prepareLoop(instruction);
    }
  }

  private prepareLoop({ length, reverse, steps, body }: Instruction & { kind: "loop" }): Action {
    const moving = steps.map((slot) => ({
      view: this.viewOf(slot),
      source: this.viewOf((slot.place as { slot: Slot }).slot),
      size: sizeOf(slot.type.shape),
    }));
    const firstFollower = this.followers.length;
    const actions = body.map((inner) => this.prepare(inner));
    // Names of moving views follow them at each step; a moving view of an inner loop is set by that loop itself.
    const following = this.followers.slice(firstFollower);
    return () => {
      for (let step = 0; step < length; step++) {
        const time = reverse ? length - 1 - step : step;
        for (const { view, source, size } of moving) {
          view.data = source.data;
          view.offset = source.offset + time * size;
        }
        for (const { view, source } of following) {
          view.data = source.data;
          view.offset = source.offset;
        }
        for (const action of actions) action();
      }
    };
  }
}
