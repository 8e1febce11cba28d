/**
 * Takes work out of a loop: what every step does alike, and does not need the step before, is done once for all steps.
 *
 *   before the loop   what no step changes (loop invariants), and products of the sequences with such (input projections)
 *   after the loop    what no later step reads: sums over time (weight gradients), and products of what the steps leave
 *
 * The loop keeps what it takes to hand the carry on. What moves behind it reads values of all steps, stacked `[length, ...]`:
 * as a rule the same that the way back needs anyway.
 */

import { add, matmul, reshape, scatterAdd, sum, transpose, zeros } from "../ops/index.js";
import {
  bind,
  type Equation,
  type Program,
  producersOf,
  readerCounts,
  trace,
  type Variable,
} from "../program/index.js";
import { sizeOf, type Tensor } from "../tensor/index.js";
import { isMatrixProduct } from "./many-rows.js";
import { type ApplyScan, firstConstant, type ScanParams, sequenceType } from "./params.js";

/** Whether an operation that prefers a batch is as fast in each step. */
export type IsFastInStep = (equation: Equation) => boolean;

/** Runs (or traces) a scan with as little as possible inside the loop. The results are those of the scan. */
export function hoistScan(
  apply: ApplyScan,
  inputs: readonly Tensor[],
  params: ScanParams,
  isFastInStep: IsFastInStep,
): readonly Tensor[] {
  if (params.length === 0 || params.isSegmented === true) return apply(inputs, params);
  const plan = divide(params, (equation) => equation.primitive.prefersBatch === true && !isFastInStep(equation));
  const before = runBefore(plan, inputs);
  // What the loop must leave behind is found by going through what comes after it once, with zeros for everything.
  const wanted = new Set<Variable>();
  trace(() => {
    runAfter(plan, inputs, before, (variable) => {
      wanted.add(variable);
      return zeros([params.length, ...variable.type.shape], variable.type.dtype);
    });
    return [];
  }, []);
  const loop = runLoop(apply, plan, inputs, before, [...wanted]);
  const after = runAfter(plan, inputs, before, (variable) => loop.stacks.get(variable) as Tensor);
  return params.body.outputs.map((_, index) => (after.get(index) ?? loop.results.get(index)) as Tensor);
}

// ---------------------------------------------------------------------------------------------- what goes where

/** What a value of a step depends on: nothing that changes, the slices of this step, or the steps before. */
type Dependence = "shared" | "slices" | "carries";

/** How a body is divided. */
interface Division {
  readonly params: ScanParams;
  readonly producer: ReadonlyMap<Variable, Equation>;
  readonly dependence: ReadonlyMap<Variable, Dependence>;
  /** How often the body reads each variable. */
  readonly readers: ReadonlyMap<Variable, number>;
  /** Whether an operation is better done for all steps at once than in each. */
  readonly prefersBatch: (equation: Equation) => boolean;
  /** Equations that are run before the loop: for all steps at once, or once for all steps. */
  readonly before: ReadonlySet<Equation>;
  /** Equations that can be run after the loop. */
  readonly after: ReadonlySet<Equation>;
  /** Carries that only add something up, and what they add at each step. */
  readonly sums: ReadonlyMap<number, Variable>;
}

function divide(params: ScanParams, prefersBatch: Base["prefersBatch"]): Division {
  const { body, carries } = params;
  const producer = producersOf(body);
  const dependence = dependences(params);
  const base = { params, producer, dependence, readers: readerCounts(body), prefersBatch };
  const sums = findSums(base);
  const core = ancestors(
    base,
    body.outputs.filter((_, index) => index < carries && !sums.has(index)),
  );
  const before = findBefore(base);
  return { ...base, sums, before, after: findAfter(base, core, before, sums) };
}

type Base = Pick<Division, "params" | "producer" | "dependence" | "readers" | "prefersBatch">;

function dependences(params: ScanParams): Map<Variable, Dependence> {
  const { body, carries } = params;
  const found = new Map<Variable, Dependence>();
  body.inputs.forEach((variable, index) => {
    found.set(variable, index < carries ? "carries" : index < firstConstant(params) ? "slices" : "shared");
  });
  for (const { inputs, outputs } of body.equations) {
    const of = inputs.map((variable) => found.get(variable));
    const strongest = of.includes("carries") ? "carries" : of.includes("slices") ? "slices" : "shared";
    for (const output of outputs) found.set(output, strongest);
  }
  return found;
}

/** Equations that some variables need. */
function ancestors({ producer }: Pick<Base, "producer">, variables: readonly Variable[]): Set<Equation> {
  const needed = new Set<Equation>();
  const visit = (variable: Variable): void => {
    const equation = producer.get(variable);
    if (equation === undefined || needed.has(equation)) return;
    needed.add(equation);
    equation.inputs.forEach(visit);
  };
  variables.forEach(visit);
  return needed;
}

/** Whether an operation can be run for all steps at once: tried on stand-ins. */
function canBatch({ primitive, params, inputs }: Equation, batched: readonly boolean[], length: number): boolean {
  let possible = false;
  trace(
    (...tracers) => {
      const outputs = primitive.batch?.(tracers, params, batched, length);
      possible = outputs !== undefined;
      return outputs ?? [];
    },
    inputs.map(({ type }, index) => (batched[index] ? sequenceType(type, length) : type)),
  );
  return possible;
}

/**
 * Invariants; operations on slices that are better done at once, with what they need of slices; and what follows on those, where the
 * loop then reads no more than before (a bias, the normalisation of a projection).
 */
function findBefore(base: Base): Set<Equation> {
  const { params, producer, dependence, prefersBatch } = base;
  const { body, length } = params;
  const invariants = body.equations.filter(
    ({ inputs, outputs }) => inputs.length > 0 && dependence.get(outputs[0] as Variable) === "shared",
  );
  const onSlices = body.equations.filter(({ outputs }) => dependence.get(outputs[0] as Variable) === "slices");
  if (!onSlices.some(prefersBatch)) return new Set(invariants);
  const possible = new Set<Equation>();
  for (const equation of onSlices) {
    const ready = equation.inputs.every((variable) => {
      const made = producer.get(variable);
      return dependence.get(variable) === "shared" || made === undefined || possible.has(made);
    });
    const batched = equation.inputs.map((variable) => dependence.get(variable) === "slices");
    if (ready && canBatch(equation, batched, length)) possible.add(equation);
  }
  const wanted = [...possible].filter(prefersBatch);
  const projections = ancestors(
    base,
    wanted.flatMap(({ outputs }) => outputs),
  );
  let before = new Set([...invariants, ...projections]);
  const behind = [...possible].filter((equation) => !before.has(equation));
  const read = (moved: ReadonlySet<Equation>) => sizeRead(base, moved);
  const all = new Set(before);
  for (const equation of behind) if (followsOn(equation, all, base)) all.add(equation);
  // A slice that the loop itself reads costs nothing inside it, but a copy outside.
  for (const equation of [...behind].reverse()) {
    const serves = [...all].some(({ inputs }) => inputs.includes(equation.outputs[0] as Variable));
    if (equation.primitive.name === "slice" && !serves) all.delete(equation);
  }
  if (read(all) <= read(before)) return all;
  for (const equation of behind) {
    const more = new Set([...before, equation]);
    if (equation.primitive.name !== "slice" && followsOn(equation, before, base) && read(more) <= read(before))
      before = more;
  }
  return before;
}

/** Whether all that an equation reads of slices is there, and some of it was computed. */
function followsOn(
  { inputs }: Equation,
  moved: ReadonlySet<Equation>,
  { producer, dependence }: Pick<Base, "producer" | "dependence">,
): boolean {
  const made = inputs
    .filter((variable) => dependence.get(variable) === "slices")
    .map((variable) => producer.get(variable));
  return made.every((one) => one === undefined || moved.has(one)) && made.some((one) => one !== undefined);
}

/** Elements of slices that a step reads if some equations are moved out. */
function sizeRead({ params: { body, carries }, producer, dependence }: Base, moved: ReadonlySet<Equation>): number {
  const read = new Set<Variable>();
  const visit = (variable: Variable): void => {
    const made = producer.get(variable);
    if (dependence.get(variable) === "slices" && (made === undefined || moved.has(made))) read.add(variable);
  };
  for (const equation of body.equations) if (!moved.has(equation)) equation.inputs.forEach(visit);
  body.outputs.slice(0, carries).forEach(visit);
  return [...read].reduce((sum, { type }) => sum + sizeOf(type.shape), 0);
}

/**
 * Operations behind a product that the carry does not need, if everything that reads them can move, too. (Elementwise work
 * alone stays: moving it would only change what has to be kept.)
 */
function findAfter(
  { params, producer, dependence, prefersBatch }: Base,
  core: ReadonlySet<Equation>,
  before: ReadonlySet<Equation>,
  sums: ReadonlyMap<number, Variable>,
): Set<Equation> {
  const { body, length } = params;
  const isSum = new Set([...sums.keys()].map((carry) => producer.get(body.outputs[carry] as Variable)));
  const after = new Set<Equation>();
  for (const equation of body.equations) {
    if (core.has(equation) || before.has(equation) || isSum.has(equation) || equation.inputs.length === 0) continue;
    const follows = equation.inputs.some((variable) => after.has(producer.get(variable) as Equation));
    if (!follows && !prefersBatch(equation)) continue;
    const batched = equation.inputs.map((variable) => dependence.get(variable) !== "shared");
    if (canBatch(equation, batched, length)) after.add(equation);
  }
  for (let settled = false; !settled; ) {
    settled = true;
    for (const equation of body.equations) {
      if (after.has(equation) || isSum.has(equation)) continue;
      for (const variable of equation.inputs) {
        if (after.delete(producer.get(variable) as Equation)) settled = false;
      }
    }
  }
  return after;
}

// ----------------------------------------------------------------------------------------------- sums over time

/** Carries whose only use is  carry' = carry + term,  where the sum of the terms over time can be had at once. */
function findSums(base: Base): Map<number, Variable> {
  const { params, producer, readers } = base;
  const { body, carries } = params;
  const sums = new Map<number, Variable>();
  for (let carry = 0; carry < carries; carry++) {
    const [old, next] = [body.inputs[carry] as Variable, body.outputs[carry] as Variable];
    const equation = producer.get(next);
    if (equation?.primitive.name !== "add" || readers.get(old) !== 1 || readers.get(next) !== 1) continue;
    const [a, b] = equation.inputs as [Variable, Variable];
    const term = a === old ? b : b === old ? a : undefined;
    if (term !== undefined && canSum(base, term)) sums.set(carry, term);
  }
  return sums;
}

/** scatterAdd into zeros: linear in the rows, for each set of indices. */
const isScatter = ({ primitive, inputs }: Equation, producer: Base["producer"]): boolean => {
  const table = producer.get(inputs[0] as Variable);
  return (
    primitive.name === "scatterAdd" &&
    table?.primitive.name === "fill" &&
    (table.params as { value: number }).value === 0
  );
};

/** A concatenation that nothing but the sum reads: each part is summed by itself. */
const isJoinForSum = ({ primitive, outputs: [joined] }: Equation, readers: Base["readers"]): boolean =>
  primitive.name === "concatenate" && readers.get(joined as Variable) === 1;

/** Whether the sum of a variable over time is one operation on stacked values, none larger than what steps pass on anyway. */
function canSum(base: Base, variable: Variable): boolean {
  const { params, producer, dependence, readers } = base;
  if (dependence.get(variable) === "shared") return false;
  const equation = producer.get(variable);
  if (equation?.primitive.linear === true) return canSum(base, equation.inputs[0] as Variable);
  if (equation !== undefined && (equation.primitive.name === "add" || isJoinForSum(equation, readers)))
    return equation.inputs.every((input) => canSum(base, input));
  const changes = (input: Variable | undefined) => input !== undefined && dependence.get(input) !== "shared";
  if (equation !== undefined && isMatrixProduct(equation)) return equation.inputs.every(changes);
  if (equation !== undefined && isScatter(equation, producer)) return equation.inputs.slice(1).every(changes);
  const usual = params.body.inputs.slice(0, firstConstant(params)).map(({ type }) => sizeOf(type.shape));
  return sizeOf(variable.type.shape) <= Math.max(...usual);
}

type Summing = Pick<Base, "producer" | "readers">;

/** Σ over time of a variable, from values of all steps. */
function sumOverTime(base: Summing, variable: Variable, over: (variable: Variable) => Tensor): Tensor {
  const { producer, readers } = base;
  const equation = producer.get(variable);
  if (equation?.primitive.linear === true) {
    const total = sumOverTime(base, equation.inputs[0] as Variable, over);
    return bind(equation.primitive, [total], equation.params)[0] as Tensor;
  }
  if (equation?.primitive.name === "add") {
    const [a, b] = equation.inputs.map((input) => sumOverTime(base, input, over)) as [Tensor, Tensor];
    return add(a, b);
  }
  if (equation !== undefined && isJoinForSum(equation, readers)) {
    const parts = equation.inputs.map((input) => sumOverTime(base, input, over));
    return bind(equation.primitive, parts, equation.params)[0] as Tensor;
  }
  if (equation !== undefined && isMatrixProduct(equation)) {
    // Σ_t A_t B_t is one product whose inner axis runs over time and the inner axis of each.
    const { transposeA, transposeB } = equation.params as { transposeA: boolean; transposeB: boolean };
    const [a, b] = equation.inputs.map(over) as [Tensor, Tensor];
    return matmul(joinInner(a, transposeA), joinInner(b, !transposeB), { transposeA, transposeB });
  }
  if (equation !== undefined && isScatter(equation, producer)) {
    const [table, indices, rows] = equation.inputs as [Variable, Variable, Variable];
    return scatterAdd(zeros(table.type.shape, table.type.dtype), over(indices), over(rows));
  }
  return sum(over(variable), { axes: 0 });
}

/** `[time, inner, n]` to `[time * inner, n]`; or, if the inner axis is the last, `[time, n, inner]` to `[n, time * inner]`. */
function joinInner(x: Tensor, innerIsFirst: boolean): Tensor {
  const [time, rows, columns] = x.shape as [number, number, number];
  return innerIsFirst ? reshape(x, [time * rows, columns]) : reshape(transpose(x, [1, 0, 2]), [rows, time * columns]);
}

// ------------------------------------------------------------------------------------------ before, loop and after

/** Values that are known before the loop: of shared variables, and of all steps at once of others. */
type Known = ReadonlyMap<Variable, Tensor>;

function runBefore({ params, dependence, before }: Division, inputs: readonly Tensor[]): Known {
  const known = new Map<Variable, Tensor>();
  params.body.inputs.forEach((variable, index) => {
    if (index >= params.carries) known.set(variable, inputs[index] as Tensor);
  });
  for (const equation of params.body.equations) {
    const isConstant = equation.inputs.length === 0;
    if (!before.has(equation) && !isConstant) continue;
    const operands = equation.inputs.map((variable) => known.get(variable) as Tensor);
    const batched = equation.inputs.map((variable) => dependence.get(variable) === "slices");
    const results = batched.includes(true)
      ? equation.primitive.batch?.(operands, equation.params, batched, params.length)
      : bind(equation.primitive, operands, equation.params);
    equation.outputs.forEach((variable, index) => {
      known.set(variable, results?.[index] as Tensor);
    });
  }
  return known;
}

/** Computes what comes after the loop. @returns outputs of the scan by their place */
function runAfter(
  { params, producer, dependence, readers, before, after, sums }: Division,
  inputs: readonly Tensor[],
  known: Known,
  stackOf: (variable: Variable) => Tensor,
): Map<number, Tensor> {
  const { body, length, carries } = params;
  const values = new Map<Variable, Tensor>();
  /** A variable at all steps, or its one value if it is shared. */
  const atAllSteps = (variable: Variable): Tensor => {
    let value = known.get(variable) ?? values.get(variable);
    if (value === undefined) {
      value = compute(variable);
      values.set(variable, value);
    }
    return value;
  };
  const compute = (variable: Variable): Tensor => {
    const equation = producer.get(variable);
    if (equation === undefined || !after.has(equation)) return stackOf(variable);
    const batched = equation.inputs.map((input) => dependence.get(input) !== "shared");
    const outputs = equation.primitive.batch?.(equation.inputs.map(atAllSteps), equation.params, batched, length);
    return outputs?.[equation.outputs.indexOf(variable)] as Tensor;
  };

  const results = new Map<number, Tensor>();
  for (const [carry, term] of sums)
    results.set(carry, add(inputs[carry] as Tensor, sumOverTime({ producer, readers }, term, atAllSteps)));
  body.outputs.forEach((variable, index) => {
    const equation = producer.get(variable);
    if (index < carries || equation === undefined || dependence.get(variable) === "shared") return;
    if (before.has(equation) || after.has(equation)) results.set(index, atAllSteps(variable));
  });
  return results;
}

/** Runs the loop with what is left in it. */
function runLoop(
  apply: ApplyScan,
  division: Division,
  inputs: readonly Tensor[],
  known: Known,
  wanted: readonly Variable[],
): { results: Map<number, Tensor>; stacks: Map<Variable, Tensor> } {
  const { params, producer, dependence, before, after, sums } = division;
  const { body, carries } = params;
  const isOutside = (variable: Variable) => {
    const equation = producer.get(variable);
    return (
      equation !== undefined && dependence.get(variable) !== "shared" && (before.has(equation) || after.has(equation))
    );
  };
  const keptCarries = body.inputs.flatMap((_, index) => (index < carries && !sums.has(index) ? [index] : []));
  /** The first result that is the same variable: its stack is kept once. */
  const firstOf = (variable: Variable): number => body.outputs.indexOf(variable, carries);
  const keptResults = body.outputs.flatMap((variable, index) =>
    index >= carries && index === firstOf(variable) && !isOutside(variable) ? [index] : [],
  );
  const extra = wanted.filter((variable) => !keptResults.some((index) => body.outputs[index] === variable));
  const outputs = [...[...keptCarries, ...keptResults].map((index) => body.outputs[index] as Variable), ...extra];
  if (outputs.length === 0) return { results: new Map(), stacks: new Map() };

  const needed = ancestors({ producer }, outputs);
  const sequences = [...known].filter(([variable]) => dependence.get(variable) === "slices");
  const shared = [...known].filter(([variable]) => dependence.get(variable) === "shared");
  const step: Program = {
    inputs: [
      ...keptCarries.map((index) => body.inputs[index] as Variable),
      ...sequences.map(([variable]) => variable),
      ...shared.map(([variable]) => variable),
    ],
    equations: body.equations.filter(
      (equation) => needed.has(equation) && !before.has(equation) && !after.has(equation) && equation.inputs.length > 0,
    ),
    outputs,
  };
  const results = apply(
    [
      ...keptCarries.map((index) => inputs[index] as Tensor),
      ...sequences.map(([, tensor]) => tensor),
      ...shared.map(([, tensor]) => tensor),
    ],
    { ...params, body: step, carries: keptCarries.length, slices: sequences.length },
  );
  const places = [...keptCarries, ...keptResults];
  const resultAt = (variable: Variable, index: number) =>
    results[places.indexOf(index < carries ? index : firstOf(variable))];
  return {
    results: new Map(body.outputs.map((variable, index) => [index, resultAt(variable, index) as Tensor])),
    stacks: new Map(
      wanted.map((variable) => [variable, results[outputs.indexOf(variable, keptCarries.length)] as Tensor]),
    ),
  };
}
