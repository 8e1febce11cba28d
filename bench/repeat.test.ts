/** Repeated calls go on from the state that the last one left. */

import * as tt from "through-time";
import { expect, test } from "vitest";
import { repeat } from "./repeat.js";

test("the state goes on from call to call", () => {
  const count = tt.compile(
    (state: tt.Tensor, by: tt.Tensor): readonly [tt.Tensor, tt.Tensor] => {
      const next = tt.add(state, by);
      return [next, tt.square(next)];
    },
    { donate: [0] },
  );
  const { run, output, compileMs } = repeat(count, tt.tensor([0]), tt.tensor([2]));
  for (let call = 0; call < 3; call++) run();
  expect(Array.from(output().data)).toEqual([36]);
  expect(compileMs).toBeGreaterThan(0);
});
