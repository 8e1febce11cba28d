/** A compiled function called again and again, each time on the state that it left before. */

import type { CompiledFunction, TensorTree } from "through-time";

/** What `repeat` gives: one more call, the last result, and how long compiling took. */
export interface Repetition<Output> {
  run(): void;
  /** What the last call returned beside the state. @throws before the first call */
  output(): Output;
  readonly compileMs: number;
}

/** Prepares repeated calls. @param compiled donates its first argument, the state, so that each call updates it in place */
export function repeat<State extends TensorTree, Rest extends readonly TensorTree[], Output extends TensorTree>(
  compiled: CompiledFunction<[State, ...Rest], readonly [State, Output]>,
  state: State,
  ...rest: Rest
): Repetition<Output> {
  const start = performance.now();
  const bound = compiled.bind(state, ...rest);
  const compileMs = performance.now() - start;
  let last: readonly [State, Output] | undefined;
  return {
    run: () => {
      last = bound();
    },
    output: () => (last as readonly [State, Output])[1],
    compileMs,
  };
}
