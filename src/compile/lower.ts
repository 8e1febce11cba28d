/**
 * Program -> Plan: equations become instructions, scans become loops, variables become slots.
 *
 * Inside a loop, a result is written straight into its place in the stacked output; the carry has one slot that every
 * step reads and that is overwritten at the end of the step. Equations without inputs are evaluated here, once.
 */

import { type Equation, evaluateProgram, type Program, type Variable } from "../program/index.js";
import { type ScanParams, scanPrimitive } from "../scan/index.js";
import { BYTES, type HostTensor, sizeOf, type TensorType } from "../tensor/index.js";
import { Arena } from "./arena.js";
import { paramsKey } from "./params-key.js";
import type { Instruction, Plan, Slot } from "./plan.js";

/**
 * Lays a Program out.
 * @param constants values of its last inputs; those before are inputs of the Plan
 */
export function lower(program: Program, constants: readonly HostTensor[]): Plan {
  const lowering = new Lowering(constants);
  const inputCount = program.inputs.length - constants.length;
  program.inputs.forEach((variable, index) => {
    lowering.place(variable, {
      type: variable.type,
      place: index < inputCount ? { in: "input", index } : { in: "constant", index: index - inputCount },
    });
  });
  const { instructions } = lowering.block(program);
  return {
    inputs: program.inputs.slice(0, inputCount).map(({ type }) => type),
    constants: lowering.constants,
    instructions,
    outputs: program.outputs.map((variable) => lowering.slotOf(variable)),
    arenaBytes: lowering.arena.size,
  };
}

/** The slot whose memory a slot is another name of. */
const rootOf = (slot: Slot): Slot => (slot.place.in === "slot" ? rootOf(slot.place.slot) : slot);

const copy = (from: Slot, to: Slot): Instruction[] => (rootOf(from) === rootOf(to) ? [] : [{ kind: "copy", from, to }]);

const writesResult = ({ primitive, inputs }: Equation): boolean =>
  primitive === scanPrimitive || (primitive.alias !== true && inputs.length > 0);

/** Instructions of a block, and the offsets of its regions that are still in use at its end. */
interface Block {
  readonly instructions: Instruction[];
  readonly regions: readonly number[];
}

class Lowering {
  readonly arena = new Arena();
  readonly constants: HostTensor[];
  private readonly slots = new Map<Variable, Slot>();
  private readonly evaluated = new Map<string, Slot>();

  constructor(constants: readonly HostTensor[]) {
    this.constants = [...constants];
  }

  slotOf(variable: Variable): Slot {
    return this.slots.get(variable) as Slot;
  }

  place(variable: Variable, slot: Slot): void {
    this.slots.set(variable, slot);
  }

  /** Instructions for all equations of a Program. Regions are given back after their last reader, outputs are not. */
  block(program: Program): Block {
    const lastReader = lastReaders(program);
    const regions = new Map<number, number>();
    const instructions: Instruction[] = [];
    program.equations.forEach((equation, index) => {
      for (const variable of equation.outputs) {
        if (this.slots.has(variable) || !writesResult(equation)) continue;
        const slot = this.takeSlot(variable.type);
        this.place(variable, slot.slot);
        regions.set(slot.offset, Math.max(lastReader.get(variable) ?? index, index));
      }
      instructions.push(...this.lowerEquation(equation));
      for (const [offset, last] of regions) {
        if (last > index) continue;
        this.arena.give(offset);
        regions.delete(offset);
      }
    });
    return { instructions, regions: [...regions.keys()] };
  }

  private takeSlot(type: TensorType): { slot: Slot; offset: number } {
    const offset = this.arena.take(sizeOf(type.shape) * BYTES[type.dtype]);
    return { slot: { type, place: { in: "arena", offset } }, offset };
  }

  private lowerEquation(equation: Equation): Instruction[] {
    const { primitive, params } = equation;
    if (primitive === scanPrimitive) return this.lowerScan(equation, params as ScanParams);
    if (equation.inputs.length === 0) {
      this.place(equation.outputs[0] as Variable, this.evaluateOnce(equation));
      return [];
    }
    const inputs = equation.inputs.map((variable) => this.slotOf(variable));
    if (primitive.alias === true) {
      const [output, [source]] = [equation.outputs[0] as Variable, inputs as [Slot]];
      this.place(output, { type: output.type, place: { in: "slot", slot: source } });
      return [];
    }
    return [
      { kind: "apply", primitive, params, inputs, outputs: equation.outputs.map((variable) => this.slotOf(variable)) },
    ];
  }

  private evaluateOnce({ primitive, params, outputs: [output] }: Equation): Slot {
    const key = `${primitive.name} ${paramsKey(params)}`;
    let slot = this.evaluated.get(key);
    if (slot === undefined) {
      const variable = output as Variable;
      const program = {
        inputs: [],
        equations: [{ primitive, params, inputs: [], outputs: [variable] }],
        outputs: [variable],
      };
      slot = { type: variable.type, place: { in: "constant", index: this.constants.length } };
      this.constants.push(evaluateProgram(program, [])[0] as HostTensor);
      this.evaluated.set(key, slot);
    }
    return slot;
  }

  private lowerScan(equation: Equation, { body, length, reverse, carries, slices }: ScanParams): Instruction[] {
    const inputs = equation.inputs.map((variable) => this.slotOf(variable));
    const outputs = equation.outputs.map((variable) => this.slotOf(variable));
    // One body may stand in several equations (a pullback that is used twice): in each it has slots of its own.
    for (const variable of body.equations.flatMap((inner) => inner.outputs)) this.slots.delete(variable);
    const steps: Slot[] = [];
    const stepOf = (slot: Slot, type: TensorType): Slot => {
      const step: Slot = { type, place: { in: "step", slot } };
      steps.push(step);
      return step;
    };

    body.inputs.forEach((variable, index) => {
      const input = inputs[index] as Slot;
      if (index < carries) this.place(variable, outputs[index] as Slot);
      else this.place(variable, index < carries + slices ? stepOf(input, variable.type) : input);
    });
    const written = new Set(body.equations.filter(writesResult).flatMap((inner) => inner.outputs));
    const results = body.outputs.slice(carries).map((variable, index) => {
      const step = stepOf(outputs[carries + index] as Slot, variable.type);
      if (written.has(variable) && !this.slots.has(variable)) this.place(variable, step);
      return step;
    });

    const { instructions, regions } = this.block(body);
    const storeResults = results.flatMap((step, index) =>
      copy(this.slotOf(body.outputs[carries + index] as Variable), step),
    );
    const current = outputs.slice(0, carries);
    const next = body.outputs.slice(0, carries).map((variable) => this.slotOf(variable));
    const { instructions: update, regions: temporary } = this.updateCarry(current, next);
    for (const offset of [...regions, ...temporary]) this.arena.give(offset);
    return [
      ...current.flatMap((slot, index) => copy(inputs[index] as Slot, slot)),
      { kind: "loop", length, reverse, steps, body: [...instructions, ...storeResults, ...update] },
    ];
  }

  /** Overwrites the carry. A new component that is another old one is first copied aside. */
  private updateCarry(current: readonly Slot[], next: readonly Slot[]): Block {
    const regions: number[] = [];
    const aside: Instruction[] = [];
    const sources = next.map((slot, index) => {
      const old = current.findIndex((own) => rootOf(own) === rootOf(slot));
      if (old < 0 || old === index) return slot;
      const { slot: spare, offset } = this.takeSlot(slot.type);
      regions.push(offset);
      aside.push(...copy(slot, spare));
      return spare;
    });
    return {
      instructions: [...aside, ...sources.flatMap((slot, index) => copy(slot, current[index] as Slot))],
      regions,
    };
  }
}

/** For each variable, the place of the last equation that reads it or another name of it; Infinity for outputs. */
function lastReaders(program: Program): Map<Variable, number> {
  const original = new Map<Variable, Variable>();
  const last = new Map<Variable, number>();
  const read = (variable: Variable, reader: number): void => {
    for (let name: Variable | undefined = variable; name !== undefined; name = original.get(name))
      last.set(name, reader);
  };
  program.equations.forEach(({ primitive, inputs, outputs }, index) => {
    if (primitive.alias === true) original.set(outputs[0] as Variable, inputs[0] as Variable);
    for (const variable of inputs) read(variable, index);
  });
  for (const variable of program.outputs) read(variable, Number.POSITIVE_INFINITY);
  return last;
}
