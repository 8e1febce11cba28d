/** The errors of the toolkit: each has a stable code and a sentence that says what to change. */

/** Codes are part of the public interface; the sentences are not. */
export type ErrorCode =
  | "shape"
  | "dtype"
  | "option"
  | "trace"
  | "gradient"
  | "data"
  | "non-finite"
  | "file"
  | "disk-full"
  | "memory"
  | "kernels";

/** Base class of every error that this package throws on purpose. */
export class ToolkitError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Shapes that do not fit together. */
export class ShapeError extends ToolkitError {
  constructor(message: string) {
    super("shape", message);
  }
}

/** Element types that do not fit together; nothing is converted silently. */
export class DTypeError extends ToolkitError {
  constructor(message: string) {
    super("dtype", message);
  }
}

/** An option that is unknown, out of range, or would have no effect. */
export class OptionError extends ToolkitError {
  constructor(message: string) {
    super("option", message);
  }
}

/** A traced tensor used as if its numbers were known, or outside the trace it belongs to. */
export class TraceError extends ToolkitError {
  constructor(message: string) {
    super("trace", message);
  }
}

/** A derivative that was asked for and does not exist, or does not pass its check. */
export class GradientError extends ToolkitError {
  constructor(message: string) {
    super("gradient", message);
  }
}

/** Input data that cannot be used: empty, too short, ragged, not text. */
export class DataError extends ToolkitError {
  constructor(message: string) {
    super("data", message);
  }
}

/** A loss, parameter or gradient became NaN or infinite. */
export class NonFiniteError extends ToolkitError {
  constructor(message: string) {
    super("non-finite", message);
  }
}

/** A file that is missing, damaged, or of another kind. */
export class FileError extends ToolkitError {
  constructor(message: string, options?: ErrorOptions) {
    super("file", message, options);
  }
}

/** No space left where a run is saved. */
export class DiskFullError extends ToolkitError {
  constructor(message: string, options?: ErrorOptions) {
    super("disk-full", message, options);
  }
}

/** Not enough memory for a Plan. */
export class MemoryError extends ToolkitError {
  constructor(message: string) {
    super("memory", message);
  }
}

/** Kernels that do not fit the toolkit, or that were asked for and are not here. */
export class KernelError extends ToolkitError {
  constructor(message: string) {
    super("kernels", message);
  }
}
