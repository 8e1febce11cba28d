/** The table of places of a machine program, and how its instructions are written. */

import type { Plan, Slot } from "../../compile/index.js";
import { HostTensor } from "../../tensor/index.js";
import { type InstructionName, instructionCode } from "./codes.js";
import type { MachinePlace } from "./machine-program.js";

/** The table of places, and numbers that instructions read as if they were tensors. */
export class PlaceTable {
  readonly places: MachinePlace[] = [];
  /** By the slot, if a loop moves it, or by the place that it is. */
  private readonly entries = new Map<Slot | string, number>();
  private readonly numbers: number[] = [];
  private readonly numberPlaces = new Map<string, number>();
  private numbersPlace: number | undefined;

  constructor(private readonly plan: Plan) {}

  /** Constants of the Plan, and behind them the numbers of fills. */
  constants(): HostTensor[] {
    const numbers = new Int32Array(this.numbers);
    return [...this.plan.constants, new HostTensor({ dtype: "int32", shape: [numbers.length] }, numbers)];
  }

  /** The entry of the table for a slot. */
  placeOf(slot: Slot): number {
    const { place } = slot;
    if (place.in === "slot") return this.placeOf(place.slot);
    const key = place.in === "step" ? slot : `${place.in} ${"offset" in place ? place.offset : place.index}`;
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = this.addPlace(place.in === "step" ? { in: "step" } : place);
      this.entries.set(key, entry);
    }
    return entry;
  }

  /** Where a single number lies: its entry of the table and its byte there. */
  placeOfNumber(value: number, dtype: "float32" | "int32"): { place: number; byte: number } {
    this.numbersPlace ??= this.addPlace({ in: "constant", index: this.plan.constants.length });
    const bits = dtype === "int32" ? value | 0 : (new Int32Array(Float32Array.of(value).buffer)[0] as number);
    const key = String(bits);
    let index = this.numberPlaces.get(key);
    if (index === undefined) {
      index = this.numbers.push(bits) - 1;
      this.numberPlaces.set(key, index);
    }
    return { place: this.numbersPlace, byte: index * 4 };
  }

  /** A new entry that a loop moves. */
  addStep(): number {
    return this.addPlace({ in: "step" });
  }

  private addPlace(place: MachinePlace): number {
    return this.places.push(place) - 1;
  }
}

/** One instruction. */
export const word = (name: InstructionName, ...operands: readonly number[]): number[] => [
  instructionCode(name),
  operands.length + 2,
  ...operands,
];
