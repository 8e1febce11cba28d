/** The table of places of a machine program, and how its instructions are written. */

import type { Plan, Slot } from "../../compile/index.js";
import { HostTensor } from "../../tensor/index.js";
import { type InstructionName, instructionCode } from "./codes.js";
import type { MachinePlace } from "./machine-program.js";

/** The table of places, and numbers that instructions read as if they were tensors. */
export class PlaceTable {
  readonly places: MachinePlace[] = [];
  private readonly placeOfSlot = new Map<Slot, number>();
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
    let entry = this.placeOfSlot.get(slot);
    if (entry === undefined) {
      const same = this.places.findIndex((known) => place.in !== "step" && isSamePlace(known, place));
      entry = same >= 0 ? same : this.addPlace(place.in === "step" ? { in: "step" } : place);
      this.placeOfSlot.set(slot, entry);
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

const isSamePlace = (a: MachinePlace, b: Slot["place"]): boolean =>
  a.in === b.in &&
  ("index" in a && "index" in b ? a.index === b.index : "offset" in a && "offset" in b && a.offset === b.offset);

/** One instruction. */
export const word = (name: InstructionName, ...operands: readonly number[]): number[] => [
  instructionCode(name),
  operands.length + 2,
  ...operands,
];
