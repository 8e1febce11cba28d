/** Takes out of a loop what a pass has written into it and no step changes. */

import { type Equation, type Program, Variable } from "../program/index.js";
import { firstConstant, type ScanParams } from "../scan/index.js";

/** What the inputs of a body that are the same at every step stand for outside, by the variable inside. */
export function constantsOf({ inputs, params }: Equation): ReadonlyMap<Variable, Variable> {
  const scan = params as ScanParams;
  const first = firstConstant(scan);
  return new Map(
    scan.body.inputs.slice(first).map((inside, index) => [inside, inputs[first + index] as Variable] as const),
  );
}

/** The loop with such a body instead of its own, behind the equations of it that are to move and read nothing but constants of the loop. */
export function withBody(loop: Equation, body: Program, moves: (equation: Equation) => boolean): Equation[] {
  const constants = new Map(constantsOf(loop));
  const stays: Equation[] = [];
  const moved: Equation[] = [];
  const made: Variable[] = [];
  for (const equation of body.equations) {
    const inputs = equation.inputs.map((input) => constants.get(input));
    if (!moves(equation) || inputs.includes(undefined)) {
      stays.push(equation);
      continue;
    }
    const outputs = equation.outputs.map(({ type }) => new Variable(type));
    moved.push({ ...equation, inputs: inputs as Variable[], outputs });
    equation.outputs.forEach((output, index) => {
      constants.set(output, outputs[index] as Variable);
      made.push(output);
    });
  }
  const params: ScanParams = {
    ...(loop.params as ScanParams),
    body: { ...body, inputs: [...body.inputs, ...made], equations: stays },
  };
  const inputs = [...loop.inputs, ...made.map((variable) => constants.get(variable) as Variable)];
  return [...moved, { ...loop, params, inputs }];
}
