/**
 * Program -> Plan: equations become instructions, scans become loops, variables become slots.
 *
 * Results are written straight to where they are wanted: into the stacked outputs of a loop, into the carry if nothing reads the old one
 * any more, into the outputs of the run. A carry whose history is asked for lives in that history. Equations without inputs are
 * evaluated here, once.
 */

import { type Equation, evaluateProgram, type Program, type Variable } from "../program/index.js";
import { type ScanParams, scanPrimitive } from "../scan/index.js";
import { BYTES, type HostTensor, sameType, sizeOf, type TensorType } from "../tensor/index.js";
import { Arena } from "./arena.js";
import { chainsInPlace, readsInPlace } from "./in-place.js";
import { lastReaders } from "./last-readers.js";
import { paramsKey } from "./params-key.js";
import type { Instruction, Plan, Slot } from "./plan.js";

/** What is known of the inputs and outputs of a run. */
export interface RunKnowledge {
  /** Values of the last inputs of the Program; those before are inputs of the Plan. */
  readonly constants: readonly HostTensor[];
  /** For each output, the input whose memory it takes over, if any. Default: none. */
  readonly takesOver?: readonly (number | undefined)[];
}

/** Lays a Program out. */
export function lower(program: Program, { constants, takesOver = [] }: RunKnowledge): Plan {
  const lowering = new Lowering(constants);
  const inputCount = program.inputs.length - constants.length;
  const inputSlots = program.inputs.map(
    ({ type }, index): Slot => ({
      type,
      place: index < inputCount ? { in: "input", index } : { in: "constant", index: index - inputCount },
    }),
  );
  program.inputs.forEach((variable, index) => {
    lowering.place(variable, inputSlots[index] as Slot);
  });
  const outputSlots = program.outputs.map(({ type }, index): Slot => ({ type, place: { in: "output", index } }));
  placeOutputs(program, outputSlots, takesOver, lowering);
  const { instructions } = lowering.block(program);
  const results = program.outputs.map((variable) => lowering.slotOf(variable));
  // A result that is the input whose memory it takes over is there already; one that is an input whose memory another result takes over
  // is first copied aside.
  const donors = takesOver.map((input) => (input === undefined ? undefined : inputSlots[input]));
  const isThere = results.map((slot, index) => rootOf(slot) === donors[index]);
  const taken = new Set(donors.filter((_, index) => !isThere[index]));
  const sources = results.map((slot) => {
    if (!taken.has(rootOf(slot))) return slot;
    const { slot: aside } = lowering.takeSlot(slot.type);
    instructions.push({ kind: "copy", from: slot, to: aside });
    return aside;
  });
  outputSlots.forEach((slot, index) => {
    if (!isThere[index]) instructions.push(...copy(sources[index] as Slot, slot));
  });
  return {
    inputs: program.inputs.slice(0, inputCount).map(({ type }) => type),
    constants: lowering.constants,
    instructions,
    outputs: program.outputs.map(({ type }) => type),
    takesOver: program.outputs.map((_, index) => takesOver[index]),
    arenaBytes: lowering.arena.size,
  };
}

/** Lets results be computed straight into the outputs of the run, unless that would overwrite an input that is still read. */
function placeOutputs(
  program: Program,
  outputSlots: readonly Slot[],
  takesOver: readonly (number | undefined)[],
  lowering: Lowering,
): void {
  const lastReader = lastReaders(program);
  const producer = new Map(
    program.equations.flatMap((equation, index) => equation.outputs.map((output) => [output, index] as const)),
  );
  program.outputs.forEach((variable, index) => {
    const computed = producer.get(variable);
    const equation = program.equations[computed ?? -1];
    if (computed === undefined || equation === undefined || !writesResult(equation) || lowering.has(variable)) return;
    if (
      equation.primitive === scanPrimitive &&
      equation.outputs.indexOf(variable) < (equation.params as ScanParams).carries
    )
      return;
    const donor = program.inputs[takesOver[index] ?? -1];
    if (donor !== undefined) {
      const last = lastReader.get(donor) ?? -1;
      if (last > computed || (last === computed && !readsInPlace(equation, donor, variable))) return;
    }
    lowering.place(variable, outputSlots[index] as Slot);
  });
}

/** The slot whose memory a slot is another name of. */
const rootOf = (slot: Slot): Slot => (slot.place.in === "slot" ? rootOf(slot.place.slot) : slot);

const copy = (from: Slot, to: Slot): Instruction[] => (rootOf(from) === rootOf(to) ? [] : [{ kind: "copy", from, to }]);

const writesResult = ({ primitive, inputs }: Equation): boolean =>
  primitive === scanPrimitive || (primitive.alias !== true && inputs.length > 0);

const bytesOf = ({ dtype, shape }: TensorType): number => sizeOf(shape) * BYTES[dtype];

/** Instructions of a block, and the offsets of its regions that are still in use at its end. */
interface Block {
  readonly instructions: Instruction[];
  readonly regions: readonly number[];
}

/** A region of the arena that holds one or more results, and those results. */
interface Region {
  readonly offset: number;
  readonly variables: readonly Variable[];
}

class Lowering {
  readonly arena = new Arena();
  readonly constants: HostTensor[];
  private readonly slots = new Map<Variable, Slot>();
  private readonly evaluated = new Map<string, Slot>();
  /** For stacks in the place of what a loop reads: what lies there within a step, before the result does. */
  private readonly chains = new Map<Variable, readonly Variable[]>();

  constructor(constants: readonly HostTensor[]) {
    this.constants = [...constants];
  }

  slotOf(variable: Variable): Slot {
    return this.slots.get(variable) as Slot;
  }

  has(variable: Variable): boolean {
    return this.slots.has(variable);
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
      const isDone = (offset: number) => regions.get(offset) === index;
      for (const { offset, variables } of this.takeRegions(equation, isDone)) {
        regions.set(offset, Math.max(...variables.map((variable) => lastReader.get(variable) ?? index), index));
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

  takeSlot(type: TensorType): { slot: Slot; offset: number } {
    const offset = this.arena.take(bytesOf(type));
    return { slot: { type, place: { in: "arena", offset } }, offset };
  }

  /** Takes memory for results of an equation that have no place yet. `isDone` says of regions in use whether it is their last reader. */
  private takeRegions(equation: Equation, isDone: (offset: number) => boolean): Region[] {
    if (!writesResult(equation)) return [];
    const isLoop = equation.primitive === scanPrimitive;
    const histories = isLoop ? [...this.takeHistories(equation), ...this.takePlaces(equation, isDone)] : [];
    const own = equation.outputs.flatMap((variable): Region[] => {
      if (this.slots.has(variable)) return [];
      const { slot, offset } = this.takeSlot(variable.type);
      this.place(variable, slot);
      return [{ offset, variables: [variable] }];
    });
    return [...histories, ...own];
  }

  /**
   * A carry whose old value is a result of each step: one region holds its values before the first step, between steps, and after the
   * last, so that a step reads one entry and writes the next, and nothing is copied. New values stacked, and the last one, are parts of it.
   */
  private takeHistories({ params, outputs }: Equation): Region[] {
    const { body, length, reverse, carries } = params as ScanParams;
    return body.inputs.slice(0, carries).flatMap((old, carry): Region[] => {
      const next = body.outputs[carry] as Variable;
      const before = outputs[body.outputs.indexOf(old, carries)];
      const after = outputs[body.outputs.indexOf(next, carries)];
      const last = outputs[carry] as Variable;
      if (before === undefined || old === next || this.slots.has(before) || this.slots.has(last)) return [];
      const bytes = bytesOf(old.type);
      const offset = this.arena.take(bytes * (length + 1));
      const placeAt = (variable: Variable, entry: number) =>
        this.place(variable, { type: variable.type, place: { in: "arena", offset: offset + entry * bytes } });
      placeAt(before, reverse ? 1 : 0);
      placeAt(last, reverse ? 0 : length);
      if (after === undefined || this.slots.has(after)) return [{ offset, variables: [before, last] }];
      placeAt(after, reverse ? 0 : 1);
      return [{ offset, variables: [before, last, after] }];
    });
  }

  /** Puts what a loop stacks in the place of what it reads step by step for the last time, where a step can be written over its input. */
  private takePlaces({ params, inputs, outputs }: Equation, isDone: (offset: number) => boolean): Region[] {
    const { body, carries, slices } = params as ScanParams;
    const chainTo = chainsInPlace(body);
    const places = inputs.map((input) => rootOf(this.slotOf(input)));
    const free = new Set(
      places.slice(carries, carries + slices).filter((slot) => {
        const offset = arenaOffset(slot);
        return offset !== undefined && isDone(offset) && places.filter((other) => overlap(slot, other)).length === 1;
      }),
    );
    return outputs.slice(carries).flatMap((stack, index): Region[] => {
      if (this.slots.has(stack)) return [];
      const result = body.outputs[carries + index] as Variable;
      for (const slot of free) {
        const source = places.indexOf(slot);
        if (!sameType((inputs[source] as Variable).type, stack.type)) continue;
        const chain = chainTo(result, body.inputs[source] as Variable);
        if (chain === undefined) continue;
        free.delete(slot);
        this.place(stack, { type: stack.type, place: slot.place });
        this.chains.set(stack, chain);
        return [{ offset: arenaOffset(slot) as number, variables: [stack] }];
      }
      return [];
    });
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

  private lowerScan(equation: Equation, params: ScanParams): Instruction[] {
    const { body, length, reverse, carries, slices } = params;
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
    const chainTo = chainsInPlace(body);
    const written = new Set(body.equations.filter(writesResult).flatMap((inner) => inner.outputs));
    const results = body.outputs.slice(carries).map((variable, index) => {
      const step = stepOf(outputs[carries + index] as Slot, variable.type);
      const chain = this.chains.get(equation.outputs[carries + index] as Variable) ?? chainTo(variable);
      for (const value of [...(chain ?? []), variable])
        if (written.has(value) && !this.slots.has(value)) this.place(value, step);
      return step;
    });
    const carried = body.inputs
      .slice(0, carries)
      .map((old, carry) => this.carrySlots(equation, params, old, carry, results, stepOf));
    body.inputs.forEach((variable, index) => {
      const input = inputs[index] as Slot;
      if (index < carries) this.place(variable, carried[index]?.current as Slot);
      else this.place(variable, index < carries + slices ? stepOf(input, variable.type) : input);
    });
    carried.forEach(({ next }, carry) => {
      const variable = body.outputs[carry] as Variable;
      const free = written.has(variable) && !this.slots.has(variable);
      if (free && (next !== carried[carry]?.current || isLastRead(body, carry))) this.place(variable, next);
    });

    const { instructions, regions } = this.block(body);
    const storeResults = results.flatMap((step, index) => {
      const source = this.slotOf(body.outputs[carries + index] as Variable);
      return sameMemory(source, step) ? [] : copy(source, step);
    });
    const { instructions: update, regions: temporary } = this.updateCarry(
      carried,
      body.outputs.slice(0, carries).map((variable) => this.slotOf(variable)),
    );
    for (const offset of [...regions, ...temporary]) this.arena.give(offset);
    return [
      ...carried.flatMap(({ first }, index) => copy(inputs[index] as Slot, first)),
      { kind: "loop", length, reverse, steps, body: [...instructions, ...storeResults, ...update] },
    ];
  }

  /** Where a step reads a carry and where it leaves the new one; and where the first one is put. */
  private carrySlots(
    { outputs }: Equation,
    { body, length, reverse, carries }: ScanParams,
    old: Variable,
    carry: number,
    results: readonly Slot[],
    stepOf: (slot: Slot, type: TensorType) => Slot,
  ): CarrySlots {
    const last = this.slotOf(outputs[carry] as Variable);
    const before = body.outputs.indexOf(old, carries);
    const history = before < 0 ? undefined : this.slotOf(outputs[before] as Variable);
    const bytes = bytesOf(old.type);
    const start = arenaOffset(history);
    const isHistory = start !== undefined && arenaOffset(last) === start + (reverse ? -bytes : length * bytes);
    if (!isHistory) return { first: last, current: last, next: last };
    const at = (offset: number): Slot => ({ type: old.type, place: { in: "arena", offset } });
    const entries = at(reverse ? start - bytes : start + bytes);
    return {
      first: at(reverse ? start + (length - 1) * bytes : start),
      current: results[before - carries] as Slot,
      next: stepOf(entries, old.type),
    };
  }

  /** Puts the new carry where the next step finds it. A new component that is another old one is first copied aside. */
  private updateCarry(carried: readonly CarrySlots[], next: readonly Slot[]): Block {
    const regions: number[] = [];
    const aside: Instruction[] = [];
    const sources = next.map((slot, index) => {
      const own = carried.findIndex(({ current }) => rootOf(current) === rootOf(slot));
      if (own < 0 || own === index || carried[own]?.current !== carried[own]?.next) return slot;
      const { slot: spare, offset } = this.takeSlot(slot.type);
      regions.push(offset);
      aside.push(...copy(slot, spare));
      return spare;
    });
    const moves = sources.flatMap((slot, index) => {
      const to = carried[index]?.next as Slot;
      return sameMemory(slot, to) ? [] : copy(slot, to);
    });
    return { instructions: [...aside, ...moves], regions };
  }
}

interface CarrySlots {
  readonly first: Slot;
  readonly current: Slot;
  readonly next: Slot;
}

const arenaOffset = (slot: Slot | undefined): number | undefined =>
  slot?.place.in === "arena" ? slot.place.offset : undefined;

/** Whether two slots have memory in common. */
function overlap(a: Slot, b: Slot): boolean {
  const [from, to] = [arenaOffset(a), arenaOffset(b)];
  if (from === undefined || to === undefined) return a === b;
  return from < to + bytesOf(b.type) && to < from + bytesOf(a.type);
}

/** Whether two slots are the same place at every step. */
function sameMemory(a: Slot, b: Slot): boolean {
  const [x, y] = [rootOf(a), rootOf(b)];
  if (x === y) return true;
  if (x.place.in !== "step" || y.place.in !== "step") return false;
  const [from, to] = [arenaOffset(x.place.slot), arenaOffset(y.place.slot)];
  return from !== undefined && from === to && bytesOf(x.type) === bytesOf(y.type);
}

/** Whether a step is done with an old carry when it computes the new one, or reads it element by element while it does. */
function isLastRead(body: Program, carry: number): boolean {
  const [old, next] = [body.inputs[carry] as Variable, body.outputs[carry] as Variable];
  const computed = body.equations.findIndex(({ outputs }) => outputs.includes(next));
  const last = lastReaders(body).get(old) ?? -1;
  return last < computed || (last === computed && readsInPlace(body.equations[computed] as Equation, old, next));
}
