/**
 * Stacks that are concatenated behind a loop (x and h of all steps, for the gradient of their weights), where a step of the loop makes that
 * concatenation for itself: the stack of what it makes.
 */

import { reshapePrimitive } from "../ops/index.js";
import { type Equation, type Program, producersOf, pruneProgram, Variable } from "../program/index.js";
import { firstConstant, type ScanParams, scanPrimitive, sequenceType } from "../scan/index.js";
import { inBody } from "./in-body.js";

type Producers = ReadonlyMap<Variable, Equation>;

/** The same Program with such concatenations replaced. */
export function stackConcatenations(program: Program): Program {
  const producers = producersOf(program);
  const wanted = program.equations.filter(isConcatenationOfRows);
  const replaced = new Map<Equation, Equation>();
  const equations = program.equations.map((equation) => {
    if (equation.primitive !== scanPrimitive) return equation;
    let loop = inBody(equation, stackConcatenations);
    for (const concatenation of wanted) {
      const step = madeInStep(loop, concatenation, producers);
      if (step === undefined) continue;
      const { length } = loop.params as ScanParams;
      const stack = new Variable(sequenceType(step.type, length));
      const [rows] = concatenation.outputs as [Variable];
      const params = { shape: rows.type.shape };
      replaced.set(concatenation, { primitive: reshapePrimitive, params, inputs: [stack], outputs: [rows] });
      loop = withStack(loop, step, stack);
    }
    return loop;
  });
  return pruneProgram({ ...program, equations: equations.map((equation) => replaced.get(equation) ?? equation) });
}

/** What a step of a loop concatenates, if a concatenation behind the loop is that of all steps. */
function madeInStep(loop: Equation, { inputs, outputs }: Equation, producers: Producers): Variable | undefined {
  const sequences = inputs.map((part) => sequenceOf(part, producers));
  const steps = sequences.map((sequence) => stepOf(loop, sequence));
  const made = (loop.params as ScanParams).body.equations.find(
    (inner) => isConcatenationOfRows(inner) && inner.inputs.every((input, k) => input === steps[k]),
  );
  const [step] = made?.outputs ?? [];
  const isBehind = sequences.some((sequence) => loop.outputs.includes(sequence));
  return isBehind && step?.type.shape[1] === outputs[0]?.type.shape[1] ? step : undefined;
}

function isConcatenationOfRows({ primitive, params, outputs: [output] }: Equation): boolean {
  return primitive.name === "concatenate" && (params as { axis: number }).axis === 1 && output?.type.shape.length === 2;
}

/** What a matrix holds the steps of, one below the other. */
function sequenceOf(matrix: Variable, producers: Producers): Variable {
  const made = producers.get(matrix);
  return made?.primitive.name === "reshape" ? (made.inputs[0] as Variable) : matrix;
}

/** What a loop reads, or stacks, as a step of a sequence. */
function stepOf({ inputs, outputs, params }: Equation, sequence: Variable): Variable | undefined {
  const { body, carries } = params as ScanParams;
  const read = inputs.indexOf(sequence, carries);
  if (read >= 0 && read < firstConstant(params as ScanParams)) return body.inputs[read];
  return body.outputs[outputs.indexOf(sequence, carries)];
}

/** A loop that stacks one more of its variables. */
function withStack(loop: Equation, step: Variable, stack: Variable): Equation {
  const params = loop.params as ScanParams;
  const body = { ...params.body, outputs: [...params.body.outputs, step] };
  return { ...loop, params: { ...params, body } satisfies ScanParams, outputs: [...loop.outputs, stack] };
}
