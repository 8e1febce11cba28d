/** Elementwise instructions on few elements. kernels/elementwise-few.hpp tells what the words mean. */

import { type Shape, sizeOf } from "../../tensor/index.js";
import { word } from "./places.js";
import { codeOf, collapse, isStep, type Operand, type Piece, placeFor, type Source, type Step } from "./steps.js";

/** The most elements that count as few: with more, copying them into blocks costs what deciding saves. */
export const MOST_FEW = 128;

/** Steps as one instruction: memory is loaded before it is first read, and a result is stored as soon as it is there. */
export function encodeFew(shape: Shape, steps: readonly Step[], piece?: Piece): number[] {
  const blocks = new Blocks(steps);
  const words = steps.flatMap((step, index): number[] => {
    const loads = step.sources.filter((source) => !blocks.has(source));
    const loading = [...new Map(loads.map((source) => [heldBy(source), source as Operand])).values()].flatMap(
      (operand) => encodeMove("load", blocks.take(operand), shape, operand, piece),
    );
    const from = step.sources.map((source) => blocks.of(source));
    blocks.giveBack(index);
    const isSum = step.code === codeOf("sum");
    const block = isMove(step) ? (from[0] as number) : blocks.take(step);
    const [a = 0, b = 0, c = 0] = from;
    const computing = isMove(step)
      ? []
      : isSum
        ? [step.code, block, a, shape.at(-1) as number]
        : [step.code, block, a, b, c];
    if (step.to === undefined) return [...loading, ...computing];
    const [size, to] = isSum
      ? [shape.slice(0, -1), { ...step.to, strides: step.to.strides.slice(0, -1) }]
      : [shape, step.to];
    return [...loading, ...computing, ...encodeMove("store", block, size, to, piece)];
  });
  return word("elementwiseFew", sizeOf(shape), blocks.count, ...words, codeOf("end"));
}

function encodeMove(kind: "load" | "store", block: number, shape: Shape, operand: Operand, piece?: Piece): number[] {
  const place = [placeFor(operand, piece), operand.byte];
  const { sizes, strides } = collapse(shape, [operand], false);
  const [size, stride] = [sizes[0] as number, strides[0]?.[0] as number];
  if (sizes.length === 1 && stride === 1) return [codeOf(kind), block, ...place, size];
  if (sizes.length === 1 && stride === 0) return [codeOf("loadNumber"), block, ...place];
  return [codeOf(`${kind}Strided`), block, ...place, sizes.length, ...sizes, ...(strides[0] as number[])];
}

const isMove = (step: Step): boolean => step.code === codeOf("move");

/** What a block holds: the result of a step, or what lies at a place in memory. */
const heldBy = (source: Source): Step | string =>
  !isStep(source)
    ? [source.place, source.byte, ...source.strides].join(" ")
    : isMove(source)
      ? heldBy(source.sources[0] as Source)
      : source;

/** Blocks of scratch memory for values; one is free again after the last step that reads it. */
class Blocks {
  /** How many there are. */
  count = 0;
  private readonly last = new Map<Step | string, number>();
  private readonly taken = new Map<Step | string, number>();
  private readonly free: number[] = [];

  constructor(steps: readonly Step[]) {
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
    const block = this.free.pop() ?? this.count++;
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
