/** Which instruction set is taken, and what is said when the one asked for is not here. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { OptionError } from "../core/index.js";
import { chooseInstructionSet } from "./instruction-set.js";

describe("chooseInstructionSet", () => {
  afterEach(() => vi.unstubAllEnvs());

  const sets = [
    { name: "generic", supported: true },
    { name: "avx2", supported: true },
    { name: "avx512", supported: false },
  ];
  const choose = (wanted?: string) => chooseInstructionSet(sets, "SETS", wanted).name;

  test("takes the last one that is supported, or the one that is asked for", () => {
    expect([choose(), choose(""), choose("generic")]).toEqual(["avx2", "avx2", "generic"]);
    vi.stubEnv("SETS", "generic");
    expect(choose()).toBe("generic");
  });

  test("says which there are when the one asked for cannot be used", () => {
    expect(() => choose("avx512")).toThrow(
      new OptionError(
        'SETS: cannot use the instruction set "avx512": it is not supported here; choose from: generic, avx2',
      ),
    );
    expect(() => choose("sse9")).toThrow(
      new OptionError('SETS: cannot use the instruction set "sse9": there is no such one; choose from: generic, avx2'),
    );
  });
});
