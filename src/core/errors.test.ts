/** Errors carry their class, a stable code and their cause. */

import { expect, test } from "vitest";
import * as core from "./index.js";

const codes = {
  ShapeError: "shape",
  DTypeError: "dtype",
  OptionError: "option",
  TraceError: "trace",
  GradientError: "gradient",
  DataError: "data",
  NonFiniteError: "non-finite",
  FileError: "file",
  DiskFullError: "disk-full",
  MemoryError: "memory",
  KernelError: "kernels",
} as const;

const classes: Record<string, unknown> = { ...core };

test.each(Object.entries(codes))("%s is a ToolkitError with the code %s", (name, code) => {
  const error = new (classes[name] as typeof core.ShapeError)("what to change");
  expect(error).toBeInstanceOf(core.ToolkitError);
  expect(error).toBeInstanceOf(Error);
  expect({ name: error.name, code: error.code, message: error.message }).toEqual({
    name,
    code,
    message: "what to change",
  });
});

test("errors of files keep their cause", () => {
  const cause = new Error("ENOSPC");
  expect(new core.DiskFullError("no space left", { cause }).cause).toBe(cause);
  expect(new core.FileError("damaged", { cause }).cause).toBe(cause);
});

test("every exported error class has its code in this test", () => {
  const exported = Object.keys(core).filter((name) => name.endsWith("Error") && name !== "ToolkitError");
  expect(exported.sort()).toEqual(Object.keys(codes).sort());
});
