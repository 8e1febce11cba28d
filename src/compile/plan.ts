/** A Plan: what kernels execute. Instructions over slots of memory whose places are all known before the run. */

import type { Primitive } from "../program/index.js";
import { formatType, type HostTensor, type TensorType } from "../tensor/index.js";

/** Where the elements of a slot are. */
export type Place =
  /** In the tensor given as input `index` of the run. */
  | { readonly in: "input"; readonly index: number }
  /** In the memory given for output `index` of the run, which may be that of the input it takes over. */
  | { readonly in: "output"; readonly index: number }
  /** In constant `index` of the Plan. */
  | { readonly in: "constant"; readonly index: number }
  /** In the arena, from byte `offset` on. */
  | { readonly in: "arena"; readonly offset: number }
  /** In another slot, all of it. */
  | { readonly in: "slot"; readonly slot: Slot }
  /** In another slot, at the current step of the loop around it: elements `[time * size, (time + 1) * size)`. */
  | { readonly in: "step"; readonly slot: Slot };

/** A piece of memory with a type. */
export interface Slot {
  readonly type: TensorType;
  readonly place: Place;
}

/** One thing to do. */
export type Instruction =
  | {
      readonly kind: "apply";
      readonly primitive: Primitive;
      readonly params: unknown;
      readonly inputs: readonly Slot[];
      readonly outputs: readonly Slot[];
    }
  | { readonly kind: "copy"; readonly from: Slot; readonly to: Slot }
  | {
      readonly kind: "loop";
      readonly length: number;
      readonly reverse: boolean;
      /** Slots whose place is `step` of this loop. */
      readonly steps: readonly Slot[];
      readonly body: readonly Instruction[];
    };

/** A compiled Program. */
export interface Plan {
  readonly inputs: readonly TensorType[];
  readonly constants: readonly HostTensor[];
  readonly instructions: readonly Instruction[];
  readonly outputs: readonly TensorType[];
  /** For each output, the input whose memory it takes over, if any. */
  readonly takesOver: readonly (number | undefined)[];
  /** Memory for everything that is neither input, constant nor output. */
  readonly arenaBytes: number;
}

/**
 * A Plan as text.
 *
 *     arena 1024 bytes
 *     @0 float32[8] = tanh input0
 *     loop 5 {
 *       ...
 *     }
 *     output0 float32[8] = @0
 */
export function printPlan(plan: Plan): string {
  const printInstruction = (instruction: Instruction, indent: string): string[] => {
    switch (instruction.kind) {
      case "apply": {
        const outputs = instruction.outputs.map((slot) => `${printPlace(slot)} ${formatType(slot.type)}`).join(", ");
        return [`${indent}${outputs} = ${instruction.primitive.name} ${instruction.inputs.map(printPlace).join(" ")}`];
      }
      case "copy":
        return [
          `${indent}${printPlace(instruction.to)} ${formatType(instruction.to.type)} = ${printPlace(instruction.from)}`,
        ];
      case "loop":
        return [
          `${indent}loop ${instruction.length}${instruction.reverse ? " reverse" : ""} {`,
          ...instruction.body.flatMap((inner) => printInstruction(inner, `${indent}  `)),
          `${indent}}`,
        ];
    }
  };
  return [
    `arena ${plan.arenaBytes} bytes`,
    ...plan.instructions.flatMap((instruction) => printInstruction(instruction, "")),
  ].join("\n");
}

function printPlace({ place }: Slot): string {
  switch (place.in) {
    case "arena":
      return `@${place.offset}`;
    case "slot":
      return printPlace(place.slot);
    case "step":
      return `${printPlace(place.slot)}[t]`;
    default:
      return `${place.in}${place.index}`;
  }
}
