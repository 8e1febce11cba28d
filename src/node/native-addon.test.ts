/** The addon, where it is built: its functions; and what is said where it is not there or does not fit. */

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { NativeAddon } from "../runtime/index.js";
import { loadAddon, nativeAddon } from "./native-addon.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "through-time-addon-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder like that of the package, with files in it. */
function folderWith(name: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(scratch, name, path, ".."), { recursive: true });
    writeFileSync(join(scratch, name, path), text);
  }
  return `${join(scratch, name)}/`;
}

const ADDON = "build/Release/through_time_kernels.node";

describe("loadAddon", () => {
  test("says when it is not built, and why if that is known", () => {
    expect(loadAddon(folderWith("empty", { "package.json": "{}" }))).toEqual({ reason: expect.any(String) });
    if (process.platform === "win32") return;
    const folder = folderWith("hidden", { "build/not-built.txt": "there is no C++ compiler" });
    expect(loadAddon(folder)).toEqual({
      reason: expect.stringMatching(/^not built: there is no C\+\+ compiler; npm run/),
    });
  });

  test("says when the file cannot be loaded, such as one of another platform", () => {
    expect(loadAddon(folderWith("foreign", { [ADDON]: "not an addon" }))).toEqual({
      reason: expect.stringMatching(/^they cannot be loaded on .*; npm run build:native builds them/),
    });
  });
});

// --------------------------------------------------------------------------------------------- only where it is built

const loaded = nativeAddon();
const addon = ("addon" in loaded ? loaded.addon : undefined) as NativeAddon;

/** Instructions of kernels/codes.hpp; behind each stands the number of its words. */
const END = 0;
const UNKNOWN = 9999;

describe.skipIf(addon === undefined)("the addon", () => {
  const names = addon?.variants().flatMap(({ name, supported }) => (supported ? [name] : []));
  const memory = new ArrayBuffer(1 << 16);
  const machine = (...code: number[]) =>
    addon.createMachine(names[0] as string, Int32Array.of(...code, END, 0), 2, 64, memory);

  test("is not used with other sources than those it was built from", () => {
    const folder = folderWith("stale", { "kernels/machine.hpp": "// of tomorrow", [ADDON]: "" });
    copyFileSync(join(root, ADDON), join(folder, ADDON));
    expect(loadAddon(folder)).toEqual({ reason: expect.stringContaining("other sources") });
    rmSync(join(folder, "kernels"), { recursive: true });
    expect(loadAddon(folder)).toHaveProperty("addon");
  });

  test("tells its instruction sets, the first of which runs everywhere", () => {
    const variants = addon.variants();
    expect(variants[0]).toMatchObject({ supported: true, width: 4 });
    for (const { width, panel } of variants) expect(panel % width).toBe(0);
  });

  test("runs an empty Plan on each supported instruction set", () => {
    for (const name of names) {
      expect(addon.run(addon.createMachine(name, Int32Array.of(END, 0), 0, 0, memory))).toBe(0);
      expect(addon.peakWork(name, 100)).toBeGreaterThan(0);
    }
  });

  test("reports what went wrong in a run", () => {
    const broken = machine(UNKNOWN, 2);
    const code = addon.run(broken);
    expect(code).not.toBe(0);
    expect(addon.failure(broken)).toHaveLength(4);
  });

  test("takes pointers to typed arrays of any kind, without elements too, and into the arena", () => {
    const one = machine();
    addon.setPointer(one, 0, new Float32Array(3));
    addon.setPointer(one, 1, new Int32Array(0));
    const moved = new Float64Array(8);
    structuredClone(moved.buffer, { transfer: [moved.buffer] });
    addon.setPointer(one, 1, moved);
    addon.setArenaPointer(one, 1, 64);
    addon.fillArena(one, 0, new Float32Array(16));
    addon.fillArena(one, 60, new Int32Array(1));
    addon.fillArena(one, 64, new Int32Array(0));
    expect(addon.run(one)).toBe(0);
  });

  test("runs machines in parallel and gives the first failure in order", () => {
    const machines = [machine(), machine(), machine(UNKNOWN, 2), machine(), machine()];
    for (const threads of [1, 2, 3, 100]) {
      expect(addon.runParallel(machines.toSpliced(2, 1), threads)).toBe(0);
      expect(addon.runParallel(machines, threads)).toBe(addon.run(machines[2] as ReturnType<typeof machine>));
    }
    expect(addon.runParallel([], 2)).toBe(0);
  });

  test("refuses what is wrong with a sentence", () => {
    const one = machine();
    const code = Int32Array.of(END, 0);
    const name = names[0] as string;
    const other = (value: unknown) => value as typeof one;
    const wrong: [() => unknown, RegExp][] = [
      [() => addon.createMachine("sse9", code, 0, 0, memory), /no such instruction set/],
      [() => addon.createMachine(name, new Int32Array(0), 0, 0, memory), /at least one word/],
      [() => addon.createMachine(name, code, 0.5, 0, memory), /whole numbers/],
      [() => addon.createMachine(name, code, 0, -1, memory), /whole numbers/],
      [() => addon.createMachine(name, code, 0, 2 ** 50, memory), /memoryBytes/],
      [() => addon.createMachine(name, code, 0, 0, new ArrayBuffer(8)), /memoryBytes/],
      [() => addon.memoryBytes(name, new Int32Array(0), 0), /at least one word/],
      [() => addon.setPointer(one, 2, code), /no such entry/],
      [() => addon.setPointer(one, 0, [] as unknown as Int32Array), /typed array/],
      [() => addon.setArenaPointer(one, 0, 65), /outside of the machine's arena/],
      [() => addon.fillArena(one, 61, code.subarray(1)), /outside of the machine's arena/],
      [() => addon.fillArena(one, 0, new Float64Array(1)), /a Float32Array or an Int32Array/],
      [() => addon.run(other({})), /not a machine/],
      [() => addon.run(other(undefined)), /not a machine/],
      [() => addon.runParallel([one, one], 2), /twice/],
      [() => addon.runParallel([one, other(1)], 2), /array of machines/],
      [() => addon.runParallel([one], 0), /1 or more/],
    ];
    for (const [call, sentence] of wrong) expect(call).toThrow(sentence);
    expect(addon.runParallel([one], 2)).toBe(0);
  });
});
