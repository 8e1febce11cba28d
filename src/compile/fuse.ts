/**
 * Finds elementwise arithmetic that can be one pass over memory.
 *
 * Equations are taken in order. One joins a group of its shape if all that it reads is computed before that group, or in it. Views
 * (slices, broadcasts, ...) and fills are not computed: each group reads through them. A concatenation of equal parts, and a sum over
 * the last axis, end a group: they are ways to store its values.
 */

import { type Equation, type Program, pruneProgram, type Variable } from "../program/index.js";
import { firstConstant, type ScanParams, scanPrimitive } from "../scan/index.js";
import { type Shape, sameShape, sizeOf, type TensorType } from "../tensor/index.js";
import { type FusedParams, fusedPrimitive } from "./fused.js";
import { isViewOperation, type StridedView, viewThrough, wholeView } from "./strided-view.js";

/** Equations in one group, at most: more would only crowd the registers. */
const LARGEST_GROUP = 128;

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
  }

  result(): Program {
    const needed = this.neededFromMemory();
    const equations = this.units.flatMap((unit): Equation[] => {
      if (unit.shape !== undefined) return [this.groupEquation(unit, unit.shape, needed)];
      const [equation] = unit.equations as [Equation];
      return isViewOperation(equation) && !needed.has(equation.outputs[0] as Variable) ? [] : [equation];
    });
    return pruneProgram({ ...this.program, equations });
  }

  private take(equation: Equation): void {
    const { primitive, inputs, outputs } = equation;
    const [output] = outputs as [Variable];
    if (primitive === scanPrimitive) {
      this.addUnit(this.fuseLoop(equation));
    } else if (primitive.name === "fill") {
      this.readings.set(output, { through: [equation], view: { offset: 0, strides: output.type.shape.map(() => 0) } });
      this.addUnit(equation);
    } else if (isViewOperation(equation)) {
      this.addView(equation);
    } else if (primitive.pointwise === true && [...inputs, ...outputs].every(isWord)) {
      this.join(equation, output.type.shape, undefined);
    } else if (storesGroup(equation)) {
      const part = inputs.find((input) => this.isGroupValue(input));
      if (part === undefined) this.addUnit(equation);
      else {
        this.join(equation, part.type.shape, this.unitOf.get(part));
        this.stored.add(output);
      }
    } else {
      this.addUnit(equation);
    }
  }

  /** Fuses the body of a loop. Fills that it is given become fills of its own, which groups need not read from memory. */
  private fuseLoop(equation: Equation): Equation {
    const params = equation.params as ScanParams;
    const { body } = params;
    const fillFor = (index: number): Equation | undefined => {
      const reading = this.readings.get(equation.inputs[index] as Variable);
      const fill = reading?.through[0];
      if (index < firstConstant(params) || reading?.source !== undefined || fill === undefined) return undefined;
      const variable = body.inputs[index] as Variable;
      return { ...fill, params: { ...(fill.params as object), shape: variable.type.shape }, outputs: [variable] };
    };
    const fills = body.inputs.map((_, index) => fillFor(index));
    const isGiven = (_: Variable, index: number) => fills[index] === undefined;
    const inside: Program = {
      inputs: body.inputs.filter(isGiven),
      equations: [...fills.filter((fill) => fill !== undefined), ...body.equations],
      outputs: body.outputs,
    };
    return { ...equation, params: { ...params, body: fuse(inside) }, inputs: equation.inputs.filter(isGiven) };
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

  private groupEquation({ equations }: Unit, shape: Shape, needed: ReadonlySet<Variable>): Equation {
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
    const outputs = equations.flatMap((equation) => equation.outputs).filter((output) => needed.has(output));
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
  return (
    primitive.name === "sum" &&
    axes?.length === 1 &&
    axes[0] === shape.length - 1 &&
    inputs[0]?.type.dtype === "float32"
  );
}
