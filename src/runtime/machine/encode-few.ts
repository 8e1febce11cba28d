/** Elementwise instructions on few elements. kernels/elementwise-few.hpp tells what the words mean. */

import { type Shape, sizeOf } from "../../tensor/index.js";
import { word } from "./places.js";
import { codeOf, collapse, isStep, type Operand, type Piece, placeFor, type Source, type Step } from "./steps.js";

/** The most elements that count as few: with more, copying them into blocks costs what deciding saves. */
export const MOST_FEW = 128;

/** So many elements are whole vectors of every instruction set. */
const WHOLE_VECTORS = 16;

/**
 * Steps as one instruction. Operations read and write memory where its elements are neighbours and fill whole vectors. Other memory is
 * loaded before it is first read, and other results are stored as soon as they are there.
 */
export function encodeFew(shape: Shape, steps: readonly Step[], piece?: Piece): number[] {
  const read = new Set(steps.flatMap(({ sources }) => sources));
  const operands = new OperandTable(shape, steps, piece);
  const blocks = new Blocks(steps, operands.count);
  const numberOf = (source: Source): number => operands.direct(source) ?? blocks.of(source);
  const words = steps.flatMap((step, index): number[] => {
    const absent = step.sources.filter((source) => operands.direct(source) === undefined && !blocks.has(source));
    const loading = [...new Map(absent.map((source) => [heldBy(source), source as Operand])).values()].flatMap(
      (operand) => operands.move("load", blocks.take(operand), shape, operand),
    );
    const [a = 0, b = 0, c = 0] = step.sources.map(numberOf);
    blocks.giveBack(index);
    if (step.code === codeOf("move") && !read.has(step))
      return [...loading, ...operands.move("store", a, shape, step.to)];
    const direct = operands.direct(step);
    const to = direct ?? blocks.take(step);
    if (step.code !== codeOf("sum")) {
      const storing = direct === undefined ? operands.move("store", to, shape, step.to) : [];
      return [...loading, step.code, to, a, b, c, ...storing];
    }
    const sums = step.to && { ...step.to, strides: step.to.strides.slice(0, -1) };
    const storing = operands.move("store", to, shape.slice(0, -1), sums);
    // Of two sources, the products are added up.
    const products = step.sources.length === 1 ? [] : [codeOf("multiply"), to, a, b, 0];
    const summands = step.sources.length === 1 ? a : to;
    return [...loading, ...products, step.code, to, summands, shape.at(-1) as number, ...storing];
  });
  return word(
    "elementwiseFew",
    ...[sizeOf(shape), blocks.count, operands.count, ...operands.words],
    ...words,
    codeOf("end"),
  );
}

/** What a block holds: the result of a step, or what lies at a place in memory. */
const heldBy = (source: Source): Step | string =>
  isStep(source) ? source : [source.place, source.byte, ...source.strides].join(" ");

/** Places in memory, numbered. */
class OperandTable {
  /** A pointer and an offset for each. */
  readonly words: number[] = [];
  private readonly numbers = new Map<string, number>();

  constructor(
    private readonly shape: Shape,
    steps: readonly Step[],
    private readonly piece: Piece | undefined,
  ) {
    for (const { sources, to } of steps) {
      for (const operand of [...sources, ...(to === undefined ? [] : [to])])
        if (!isStep(operand)) this.numberOf(operand);
    }
  }

  get count(): number {
    return this.numbers.size;
  }

  /** The operand that holds a value as a block would do; undefined: none. */
  direct(source: Source): number | undefined {
    if (isStep(source) && source.code === codeOf("sum")) return undefined;
    const operand = isStep(source) ? source.to : source;
    const isDirect = operand !== undefined && sizeOf(this.shape) % WHOLE_VECTORS === 0 && this.isRun(operand);
    return isDirect ? this.numberOf(operand) : undefined;
  }

  /** Words that load a block, or store it. */
  move(kind: "load" | "store", block: number, shape: Shape, operand: Operand | undefined): number[] {
    if (operand === undefined) return [];
    const number = this.numberOf(operand);
    const { sizes, strides } = collapse(shape, [operand], false);
    const [size, stride] = [sizes[0] as number, strides[0]?.[0] as number];
    if (sizes.length === 1 && stride === 1) return [codeOf(kind), block, number, size];
    if (sizes.length === 1 && stride === 0) return [codeOf("loadNumber"), block, number];
    return [codeOf(`${kind}Strided`), block, number, sizes.length, ...sizes, ...(strides[0] as number[])];
  }

  private isRun(operand: Operand): boolean {
    const { sizes, strides } = collapse(this.shape, [operand], false);
    return sizes.length === 1 && strides[0]?.[0] === 1;
  }

  private numberOf(operand: Operand): number {
    const place = [placeFor(operand, this.piece), operand.byte];
    const key = place.join(" ");
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    this.words.push(...place);
    this.numbers.set(key, this.numbers.size);
    return this.numbers.size - 1;
  }
}

/** Blocks of scratch memory for values, numbered behind the operands; one is free again after the last step that reads it. */
class Blocks {
  /** How many there are. */
  count = 0;
  private readonly last = new Map<Step | string, number>();
  private readonly taken = new Map<Step | string, number>();
  private readonly free: number[] = [];

  constructor(
    steps: readonly Step[],
    private readonly first: number,
  ) {
    steps.forEach(({ sources }, index) => {
      for (const source of sources) this.last.set(heldBy(source), index);
    });
  }

  has(source: Source): boolean {
    return this.taken.has(heldBy(source));
  }

  of(source: Source): number {
    return this.taken.get(heldBy(source)) as number;
  }

  take(source: Source): number {
    const block = this.free.pop() ?? this.first + this.count++;
    this.taken.set(heldBy(source), block);
    return block;
  }

  giveBack(index: number): void {
    for (const [value, block] of this.taken) {
      if (this.last.get(value) !== index) continue;
      this.free.push(block);
      this.taken.delete(value);
    }
  }
}
