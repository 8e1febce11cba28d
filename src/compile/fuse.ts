/**
 * Finds elementwise arithmetic that can be one pass over memory.
 *
 * Equations are taken in order. One joins a group of its shape if all that it reads is computed before that group, or in it. Views
 * (slices, broadcasts, ...) and fills are not computed: each group reads through them. A concatenation of equal parts, a sum over
 * the last axis, and rows added to a total end a group: they are ways to store its values.
 */

import { type Equation, type Program, pruneProgram, Variable } from "../program/index.js";
import { scanPrimitive } from "../scan/index.js";
import { type Shape, sameShape, sizeOf, type TensorType } from "../tensor/index.js";
import { accumulatePrimitive } from "./accumulate.js";
import { type FusedParams, fusedPrimitive } from "./fused.js";
import { inBody } from "./in-body.js";
import { isViewOperation, type StridedView, viewThrough, wholeView } from "./strided-view.js";

/** Equations in one group, at most: more would only crowd the registers. */
const LARGEST_GROUP = 128;

/** Operations that take no longer than reading their result. */
const CHEAP = new Set(["add", "subtract", "multiply", "negate", "square"]);

/** The same Program with its elementwise arithmetic in groups, inside loops too. */
export function fuse(program: Program): Program {
  return new Fusion(program).result();
}

/** What is emitted together. */
interface Unit {
  readonly equations: Equation[];
  /** The shape of a group's values; other units hold one equation that is not pointwise. */
  readonly shape?: Shape;
}

/** What a variable is, as seen by an equation that reads it. */
interface Reading {
  /** Equations between the source and the variable: views, or a fill. */
  readonly through: readonly Equation[];
  /** What is read from memory; none for a fill. */
  readonly source?: Variable;
  readonly view: StridedView;
}

class Fusion {
  private readonly units: Unit[] = [];
  /** The unit that computes a variable. Inputs have none. */
  private readonly unitOf = new Map<Variable, number>();
  /** Variables that a group stores in another shape than its own: only later units can read them. */
  private readonly stored = new Set<Variable>();
  private readonly readings = new Map<Variable, Reading>();

  constructor(private readonly program: Program) {
    for (const equation of program.equations) this.take(equation);
    this.moveToReaders();
    this.repeatInReaders();
  }

  result(): Program {
    const needed = this.neededFromMemory();
    const adopted = this.adoptViews(needed);
    const stored = new Set([...adopted.values()].flat());
    const equations = this.units.flatMap((unit): Equation[] => {
      if (unit.shape !== undefined) return [this.groupEquation(unit, unit.shape, needed, adopted.get(unit) ?? [])];
      const [equation] = unit.equations as [Equation];
      const [output] = equation.outputs as [Variable];
      const isDone = isViewOperation(equation) && (!needed.has(output) || stored.has(output));
      return isDone ? [] : [equation];
    });
    return pruneProgram({ ...this.program, equations });
  }

  private take(equation: Equation): void {
    const { primitive, inputs, outputs } = equation;
    const [output] = outputs as [Variable];
    if (primitive === scanPrimitive) {
      this.addUnit(inBody(equation, fuse));
    } else if (primitive.name === "fill") {
      this.readings.set(output, { through: [equation], view: { offset: 0, strides: output.type.shape.map(() => 0) } });
      this.addUnit(equation);
    } else if (isViewOperation(equation)) {
      this.addView(equation);
    } else if (primitive.pointwise === true && [...inputs, ...outputs].every(isWord)) {
      this.join(equation, output.type.shape, undefined);
    } else if (storesGroup(equation)) {
      const accumulates = primitive === accumulatePrimitive;
      const part = inputs.find((input) => this.isGroupValue(input)) ?? (accumulates ? inputs[1] : undefined);
      if (part === undefined) this.addUnit(equation);
      else {
        this.join(equation, part.type.shape, this.unitOf.get(part));
        this.stored.add(output);
      }
    } else {
      this.addUnit(equation);
    }
  }

  private addUnit(equation: Equation): void {
    for (const output of equation.outputs) this.unitOf.set(output, this.units.length);
    this.units.push({ equations: [equation] });
  }

  private addView(equation: Equation): void {
    const [input, output] = [equation.inputs[0] as Variable, equation.outputs[0] as Variable];
    const reading = this.readingOf(input);
    const view = viewThrough(equation, reading.view);
    if (view !== undefined && [input, output].every(isWord))
      this.readings.set(output, { ...reading, through: [...reading.through, equation], view });
    this.addUnit(equation);
  }

  private readingOf(variable: Variable): Reading {
    return this.readings.get(variable) ?? { through: [], source: variable, view: wholeView(variable.type.shape) };
  }

  private isGroupValue(variable: Variable): boolean {
    const unit = this.units[this.unitOf.get(variable) ?? -1];
    return unit?.shape !== undefined && !this.stored.has(variable);
  }

  /** The first unit that may read a variable: the one that computes it, if that is a group, or the one behind it. */
  private firstReader(variable: Variable): number {
    const { through, source } = this.readingOf(variable);
    if (source === undefined) return 0;
    const unit = this.unitOf.get(source);
    if (unit === undefined) return 0;
    return through.length === 0 && this.isGroupValue(source) ? unit : unit + 1;
  }

  /** Adds an equation to a group, the given one if it can be, or to a new one. */
  private join(equation: Equation, shape: Shape, preferred: number | undefined): void {
    const first = Math.max(0, ...equation.inputs.map((input) => this.firstReader(input)));
    const fits = (index: number): boolean => {
      const unit = this.units[index];
      return unit?.shape !== undefined && unit.equations.length < LARGEST_GROUP && sameShape(unit.shape, shape);
    };
    let found = preferred !== undefined && preferred >= first && fits(preferred) ? preferred : first;
    while (found < this.units.length && !fits(found)) found++;
    if (found === this.units.length) this.units.push({ equations: [], shape });
    (this.units[found] as Unit).equations.push(equation);
    this.unitOf.set(equation.outputs[0] as Variable, found);
  }

  /** The units that read a variable. */
  private readersOf(): Map<Variable, Set<number>> {
    const readers = new Map<Variable, Set<number>>();
    this.units.forEach(({ equations }, index) => {
      for (const input of equations.flatMap(({ inputs }) => inputs))
        readers.set(input, (readers.get(input) ?? new Set()).add(index));
    });
    return readers;
  }

  /**
   * Moves what a group computes for one later group there, right before its first reader, if that group then reads no more from memory:
   * the last first, so that whole expressions follow.
   */
  private moveToReaders(): void {
    const readers = this.readersOf();
    const outputs = new Set(this.program.outputs);
    for (const [index, unit] of [...this.units.entries()].reverse()) {
      if (unit.shape === undefined) continue;
      for (const equation of [...unit.equations].reverse()) {
        const [output] = equation.outputs as [Variable];
        const [reader, ...others] = readers.get(output) ?? [];
        const home = this.units[reader ?? index] as Unit;
        if (equation.primitive.pointwise !== true || outputs.has(output) || others.length > 0 || home === unit)
          continue;
        if (!this.canCompute(home, equation)) continue;
        unit.equations.splice(unit.equations.indexOf(equation), 1);
        home.equations.splice(
          home.equations.findIndex(({ inputs }) => inputs.includes(output)),
          0,
          equation,
        );
        this.unitOf.set(output, reader as number);
        for (const input of equation.inputs) {
          const own = readers.get(input) as Set<number>;
          own.add(reader as number);
          if (!unit.equations.some(({ inputs }) => inputs.includes(input))) own.delete(index);
        }
      }
    }
  }

  /**
   * Computes again in later groups what takes one operation on what is in memory anyway: reading its operand takes as long as reading the result, which
   * then is not written.
   */
  private repeatInReaders(): void {
    const readers = this.readersOf();
    const outputs = new Set(this.program.outputs);
    this.units.forEach((unit, index) => {
      const own = new Set(unit.equations.flatMap((equation) => equation.outputs));
      for (const equation of unit.equations) {
        const [output] = equation.outputs as [Variable];
        if (!CHEAP.has(equation.primitive.name) || outputs.has(output)) continue;
        if (!equation.inputs.every((input) => this.isInMemory(input, own))) continue;
        const homes = [...(readers.get(output) ?? [])].filter((reader) => reader !== index);
        if (homes.every((home) => this.canCompute(this.units[home] as Unit, equation)))
          for (const home of homes) this.repeat(equation, home);
      }
    });
  }

  /** Computes in a group once more what it reads of another one. */
  private repeat(equation: Equation, index: number): void {
    const { equations } = this.units[index] as Unit;
    const [output] = equation.outputs as [Variable];
    const again = new Variable(output.type);
    equations.forEach((reader, k) => {
      if (!reader.inputs.includes(output)) return;
      equations[k] = { ...reader, inputs: reader.inputs.map((input) => (input === output ? again : input)) };
    });
    equations.unshift({ ...equation, outputs: [again] });
    this.unitOf.set(again, index);
  }

  /** Whether a group reads a variable from memory as it lies there, or repeats something smaller. */
  private isInMemory(variable: Variable, own: ReadonlySet<Variable>): boolean {
    const { through, source } = this.readingOf(variable);
    if (source === undefined) return true;
    return !own.has(source) && (through.length === 0 || sizeOf(source.type.shape) < sizeOf(variable.type.shape));
  }

  /** Whether a group can compute for itself what it reads of another one, and then reads no more from memory. */
  private canCompute(home: Unit, equation: Equation): boolean {
    const { shape } = (equation.outputs[0] as Variable).type;
    if (home.shape === undefined || !sameShape(home.shape, shape) || home.equations.length >= LARGEST_GROUP)
      return false;
    return this.readsBeside(equation, home) <= 1;
  }

  /** How many values of its shape an equation reads that a group neither computes nor reads. */
  private readsBeside({ inputs }: Equation, { equations, shape }: Unit): number {
    const own = new Set(equations.flatMap(({ outputs }) => outputs));
    const sourcesOf = (variables: readonly Variable[]) =>
      new Set(variables.filter((variable) => !own.has(variable)).map((variable) => this.readingOf(variable).source));
    const known = sourcesOf(equations.flatMap((equation) => equation.inputs));
    const isWhole = (source: Variable | undefined) =>
      source !== undefined && sizeOf(source.type.shape) >= sizeOf(shape as Shape);
    return [...sourcesOf(inputs)].filter((source) => !known.has(source) && isWhole(source)).length;
  }

  /** Variables that some unit, or the caller, reads from memory. */
  private neededFromMemory(): Set<Variable> {
    const needed = new Set(this.program.outputs);
    for (const unit of [...this.units].reverse()) {
      const own = new Set(unit.equations.flatMap(({ outputs }) => outputs));
      const view = unit.shape === undefined && isViewOperation(unit.equations[0] as Equation);
      if (view && !needed.has(unit.equations[0]?.outputs[0] as Variable)) continue;
      for (const input of unit.equations.flatMap(({ inputs }) => inputs)) {
        if (own.has(input)) continue;
        const source = unit.shape === undefined ? input : this.readingOf(input).source;
        if (source !== undefined) needed.add(source);
      }
    }
    return needed;
  }

  /** Views that must be written to memory, given to groups that run over the same shape before anything reads them. */
  private adoptViews(needed: ReadonlySet<Variable>): Map<Unit, Variable[]> {
    const adopted = new Map<Unit, Variable[]>();
    this.units.forEach(({ shape, equations: [equation] }) => {
      const output = equation?.outputs[0];
      if (shape !== undefined || equation === undefined || output === undefined) return;
      if (equation.primitive.name !== "slice" || !needed.has(output) || !this.readings.has(output)) return;
      const reader = this.units.findIndex(
        (unit) => unit.shape === undefined && unit.equations.some(({ inputs }) => inputs.includes(output)),
      );
      const from = this.firstReader(output);
      const home = this.units.find(
        (unit, k) =>
          k >= from &&
          (reader < 0 || k < reader) &&
          unit.shape !== undefined &&
          sameShape(unit.shape, output.type.shape),
      );
      if (home !== undefined) adopted.set(home, [...(adopted.get(home) ?? []), output]);
    });
    return adopted;
  }

  private groupEquation(
    { equations }: Unit,
    shape: Shape,
    needed: ReadonlySet<Variable>,
    adopted: readonly Variable[],
  ): Equation {
    const inside = new Set<Variable>();
    const inputs = new Set<Variable>();
    const body: Equation[] = [];
    const include = (equation: Equation): void => {
      const [output] = equation.outputs as [Variable];
      if (inside.has(output)) return;
      inside.add(output);
      body.push(equation);
    };
    for (const equation of equations) {
      for (const input of equation.inputs) {
        if (inside.has(input)) continue;
        const { through, source } = this.readingOf(input);
        if (source !== undefined) inputs.add(source);
        through.forEach(include);
      }
      include(equation);
    }
    for (const view of adopted) {
      const { through, source } = this.readingOf(view);
      if (source !== undefined) inputs.add(source);
      through.forEach(include);
    }
    const computed = equations.flatMap((equation) => equation.outputs).filter((output) => needed.has(output));
    const outputs = [...computed, ...adopted];
    const params: FusedParams = { body: { inputs: [...inputs], equations: body, outputs }, shape };
    return { primitive: fusedPrimitive, params, inputs: [...inputs], outputs };
  }
}

/** Kernels compute with elements of four bytes. */
const isWord = ({ type }: { type: TensorType }): boolean => type.dtype !== "float64";

/** Whether an equation can be the way in which a group stores its values. */
function storesGroup({ primitive, params, inputs }: Equation): boolean {
  const { shape } = (inputs[0] as Variable | undefined)?.type ?? { shape: [] };
  if (primitive.name === "concatenate")
    return inputs.every((input) => isWord(input) && sameShape(input.type.shape, shape)) && sizeOf(shape) > 0;
  const { axes } = (params ?? {}) as { axes?: readonly number[] };
  if (primitive === accumulatePrimitive) return true;
  return (
    primitive.name === "sum" &&
    axes?.length === 1 &&
    axes[0] === shape.length - 1 &&
    inputs[0]?.type.dtype === "float32"
  );
}
