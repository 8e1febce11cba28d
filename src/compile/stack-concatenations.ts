/**
 * Stacks that are concatenated behind a loop (x and h of all steps, for the gradient of their weights), where a step of the loop makes that
 * concatenation for itself: the stack of what it makes.
 */

import { reshapePrimitive } from "../ops/index.js";
import { type Equation, type Program, pruneProgram, Variable } from "../program/index.js";
import { firstConstant, type ScanParams, scanPrimitive } from "../scan/index.js";
import { inBody } from "./in-body.js";

/** The same Program with such concatenations replaced. */
export function stackConcatenations(program: Program): Program {
  const producers = new Map(program.equations.map((equation) => [equation.outputs[0] as Variable, equation]));
  const wanted = program.equations.filter(isConcatenationOfRows);
  const replaced = new Map<Equation, Equation>();
  const equations = program.equations.map((equation) => {
    if (equation.primitive !== scanPrimitive) return equation;
    return wanted.reduce(
      (loop, concatenation) => {
        const steps = concatenation.inputs.map((part) => stepOf(loop, sequenceOf(part, producers)));
        const made = (loop.params as ScanParams).body.equations.find(
          (inner) => isConcatenationOfRows(inner) && inner.inputs.every((input, k) => input === steps[k]),
        );
        const [rows] = concatenation.outputs as [Variable];
        const [step] = made?.outputs ?? [];
        const isLater = concatenation.inputs.some((part) => loop.outputs.includes(sequenceOf(part, producers)));
        if (step === undefined || !isLater || step.type.shape[1] !== rows.type.shape[1]) return loop;
        const { length } = loop.params as ScanParams;
        const stack = new Variable({ dtype: step.type.dtype, shape: [length, ...step.type.shape] });
        replaced.set(concatenation, {
          primitive: reshapePrimitive as Equation["primitive"],
          params: { shape: rows.type.shape },
          inputs: [stack],
          outputs: [rows],
        });
        return withStack(loop, step, stack);
      },
      inBody(equation, stackConcatenations),
    );
  });
  return pruneProgram({ ...program, equations: equations.map((equation) => replaced.get(equation) ?? equation) });
}

function isConcatenationOfRows({ primitive, params, outputs: [output] }: Equation): boolean {
  return primitive.name === "concatenate" && (params as { axis: number }).axis === 1 && output?.type.shape.length === 2;
}

/** What a matrix holds the steps of, one below the other. */
function sequenceOf(matrix: Variable, producers: ReadonlyMap<Variable, Equation>): Variable {
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
