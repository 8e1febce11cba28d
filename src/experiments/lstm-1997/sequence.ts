/** What the networks of 1997 are given, one at a time. */

/** A sequence, and what is to be answered. */
export interface Sequence {
  /** What is shown: one symbol a step, `[time]`, as whole numbers; or numbers, `[time * inputSize]`, step after step. */
  readonly inputs: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** What is to be answered, after the last step or after each: symbols, one an answer; or numbers, `outputSize` an answer. */
  readonly targets: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

/** Largest |target - output| of a sequence; where targets are symbols, 1 is wanted of the symbol's output, 0 of all others. */
export function largestError(outputs: ArrayLike<number>, { targets }: Sequence): number {
  let largest = 0;
  eachError(outputs, targets, (error) => {
    largest = Math.max(largest, error);
  });
  return largest;
}

/** Mean |target - output| of a sequence, over outputs and answers. */
export function meanError(outputs: ArrayLike<number>, { targets }: Sequence): number {
  let total = 0;
  eachError(outputs, targets, (error) => {
    total += error;
  });
  return total / outputs.length;
}

/** Largest |target - output| of the last answer of a sequence. */
export function errorAtTheEnd(outputs: ArrayLike<number>, { inputs, targets }: Sequence): number {
  const last = Array.from(outputs).slice(-outputs.length / targets.length);
  return largestError(last, { inputs, targets: targets.slice(-1) });
}

function eachError(outputs: ArrayLike<number>, targets: Sequence["targets"], take: (error: number) => void): void {
  const symbols = targets instanceof Int32Array;
  const outputSize = outputs.length / targets.length;
  for (let k = 0; k < outputs.length; k++) {
    const wanted = symbols ? Number(k % outputSize === targets[Math.floor(k / outputSize)]) : (targets[k] as number);
    take(Math.abs(wanted - (outputs[k] as number)));
  }
}
