/** The native kernels as JavaScript sees them: what the addon kernels/node.cpp exports. src/node/native-addon.ts loads it. */

import type { TypedArray } from "../../tensor/index.js";

/** Kernels compiled for one instruction set. */
export interface NativeVariant {
  /** `generic`, `avx2`, `avx512` or `neon` */
  readonly name: string;
  /** Floats in a vector. */
  readonly width: number;
  /** Columns of a packed matrix that lie together. */
  readonly panel: number;
  /** Whether this processor has the instruction set. */
  readonly supported: boolean;
}

declare const machine: unique symbol;
/** A compiled Plan with its code and table of pointers; freed when it is collected. */
export interface NativeMachine {
  readonly [machine]: true;
}

/** The addon. All functions throw an Error if they are called wrongly. */
export interface NativeAddon {
  /** Checksum of the sources it was built from. */
  readonly sources: string;
  /** What it was built for, slowest first. */
  variants(): NativeVariant[];
  /**
   * Makes a machine. Its code is copied; its arena begins at a multiple of 64 bytes.
   * @param pointers length of the table of pointers; all null at first
   * @param memory of `memoryBytes` bytes; the caller keeps it as long as the machine
   */
  createMachine(
    variant: string,
    code: Int32Array,
    pointers: number,
    arenaBytes: number,
    memory: ArrayBuffer,
  ): NativeMachine;
  /** Bytes of memory that `createMachine` needs for this code: for the arena, and for scratch memory. */
  memoryBytes(variant: string, code: Int32Array, arenaBytes: number): number;
  /** Sets a pointer to an array's first element, or to null if it has none. The caller keeps the array alive. */
  setPointer(machine: NativeMachine, index: number, array: TypedArray): void;
  /** Sets a pointer into the arena. */
  setArenaPointer(machine: NativeMachine, index: number, byteOffset: number): void;
  /** Copies a Float32Array or Int32Array to a place in the arena. */
  fillArena(machine: NativeMachine, byteOffset: number, array: TypedArray): void;
  /** Runs the Plan. @returns 0, or the code of what went wrong (`Failure` in kernels/codes.hpp) */
  run(machine: NativeMachine): number;
  /**
   * Runs several machines, each of them on one thread: machine k on thread k modulo `threads`. The caller's thread is one of them.
   * @returns 0, or the code of the first machine, in order, in which something went wrong
   */
  runParallel(machines: readonly NativeMachine[], threads: number): number;
  /** What went wrong in the machine's last failed run. */
  failure(machine: NativeMachine): [number, number, number, number];
  /** Multiplies and adds as fast as it can. @returns how many floating-point operations that were */
  peakWork(variant: string, iterations: number): number;
}
