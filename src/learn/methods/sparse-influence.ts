/**
 * The influence of parameters on the carry where most of it is zero, or taken as zero.
 *
 * Rows (numbers of the carry) that share no parameter have one colour, and one row of memory: for a cell whose parameters act on one
 * unit each, that is as much as the parameters themselves, instead of as much for every unit.
 */

import { add, gather, multiply, reshape, stack, sum, zeros } from "../../ops/index.js";
import { type FloatDType, HostTensor, sizeOf, type Tensor, type TensorType } from "../../tensor/index.js";
import { denseInfluence, type Restriction } from "./dense-influence.js";
import type { Influence, Setting } from "./forward-in-time.js";
import type { OneStep } from "./one-step.js";
import { colourRows, type Pattern, type StepStructure } from "./structure.js";

/** How the influence on one tensor of the parameters is laid out: for each colour and number of the tensor, which unit. */
interface Layout {
  /** int32 `[colours, size]`: the unit, or 0 where there is none. */
  readonly units: HostTensor;
  /** `[colours, size]`: 1 where there is one. */
  readonly present: HostTensor;
  /** int32 `[colours, colours, size]`: where D of (this unit, unit of the other colour) stands in the compressed D. */
  readonly places: HostTensor;
  /** `[colours, colours, size]`: 1 where it is not zero. */
  readonly related: HostTensor;
}

/** Colours from which on the whole matrix, with zeros in it, is the cheaper way. */
const MANY_COLOURS = 4;

/**
 * The part of the influence that a pattern leaves, P_t = S ⊙ (D_t P_{t-1} + ∂c_t/∂θ).
 * @param structure where D and ∂c/∂θ are not zero
 * @param pattern S, 1 where the influence is kept
 * @param use what is used of D: entries that `kept` marks, or `decay` in their place. Default: all, as they are
 */
export function sparseInfluence(
  setting: Setting,
  structure: StepStructure,
  pattern: Pattern,
  { kept: related = structure.transition, decay }: { readonly kept?: Pattern; readonly decay?: number } = {},
): Influence<readonly Tensor[]> {
  const { layout, params } = setting;
  const colours = colourRows(pattern);
  if (numberOf(colours) > MANY_COLOURS) return denseInfluence(setting, restrictionOf(related, pattern, setting, decay));
  const transitionColours = colourRows(structure.transition);
  const seeds = seedsOf(colours, layout.dtype);
  const transitionSeeds = seedsOf(transitionColours, layout.dtype);
  const places = placesOf(params).map((place) =>
    layoutOf(pattern, related, { colours, transitionColours }, place, layout.dtype),
  );
  /** What is kept for tensor k of the parameters, of the list of what is kept for those that have an influence. */
  const kept = (memory: readonly Tensor[]) => {
    const given = memory.values();
    return places.map((place) => (place === undefined ? undefined : { place, P: given.next().value as Tensor }));
  };
  return {
    start: places.flatMap((place) => (place === undefined ? [] : [zeros(place.units.shape, layout.dtype)])),
    recall: (memory, vector) =>
      kept(memory).map((own, k) => {
        if (own === undefined) return undefined;
        const rows = multiply(gather(vector, own.place.units), own.P);
        return reshape(sum(rows, { axes: 0 }), (params[k] as TensorType).shape);
      }),
    advance: (memory, step) => {
      const direct = seeds.map((seed) => step.pullback(seed).params);
      const D = decay === undefined ? compressedTransition(step, transitionSeeds) : undefined;
      return kept(memory).flatMap((own, k) => {
        if (own === undefined) return [];
        const { units, present, places: entries, related } = own.place;
        const now = stack(direct.map((rows) => reshape(rows[k] as Tensor, [units.shape[1] as number])));
        // Σ over the units, one a colour, that an influence can have come from.
        const past = sum(multiply(multiply(D ? gather(D, entries) : (decay as number), related), own.P), { axes: 1 });
        return [add(multiply(now, present), past)];
      });
    },
  };
}

/** Where each tensor of the parameters begins in the columns of a pattern, and its size. */
function placesOf(params: readonly TensorType[]): [start: number, size: number][] {
  let from = 0;
  return params.map(({ shape }) => {
    const start = from;
    from += sizeOf(shape);
    return [start, sizeOf(shape)];
  });
}

function restrictionOf(
  kept: Pattern,
  pattern: Pattern,
  { layout, params }: Setting,
  decay: number | undefined,
): Restriction {
  const related = floats(layout.dtype, [layout.units, layout.units], (place) => kept.data[place] as number);
  return {
    transition: (D) => multiply(decay ?? D, related),
    masks: masksOf(pattern, layout.dtype, params),
  };
}

const masksOf = (pattern: Pattern, dtype: FloatDType, params: readonly TensorType[]): HostTensor[] =>
  placesOf(params).map(([start, size], k) =>
    floats(dtype, [pattern.rows, ...(params[k] as TensorType).shape], (place) => {
      const [unit, column] = [Math.floor(place / size), start + (place % size)];
      return pattern.data[unit * pattern.columns + column] as number;
    }),
  );

/** D as one vector, a row of `[units]` for each colour of its rows. */
const compressedTransition = (step: OneStep, seeds: readonly HostTensor[]): Tensor => {
  const rows = stack(seeds.map((seed) => step.pullback(seed).carry));
  return reshape(rows, [sizeOf(rows.shape)]);
};

const numberOf = (colours: Int32Array): number => colours.reduce((most, colour) => Math.max(most, colour + 1), 0);

const seedsOf = (colours: Int32Array, dtype: FloatDType): HostTensor[] =>
  Array.from({ length: numberOf(colours) }, (_, colour) =>
    floats(dtype, [colours.length], (unit) => (colours[unit] === colour ? 1 : 0)),
  );

const floats = (dtype: FloatDType, shape: readonly number[], value: (k: number) => number): HostTensor => {
  const data = dtype === "float32" ? new Float32Array(sizeOf(shape)) : new Float64Array(sizeOf(shape));
  return new HostTensor(
    { dtype, shape },
    data.map((_, k) => value(k)),
  );
};

const wholes = (shape: readonly number[], value: (k: number) => number): HostTensor =>
  new HostTensor(
    { dtype: "int32", shape },
    new Int32Array(sizeOf(shape)).map((_, k) => value(k)),
  );

function layoutOf(
  pattern: Pattern,
  kept: Pattern,
  { colours, transitionColours }: { readonly colours: Int32Array; readonly transitionColours: Int32Array },
  [start, size]: readonly [number, number],
  dtype: FloatDType,
): Layout | undefined {
  const count = numberOf(colours);
  const unitOf = new Int32Array(count * size).fill(-1);
  for (let unit = 0; unit < pattern.rows; unit++) {
    for (let k = 0; k < size; k++) {
      if (pattern.data[unit * pattern.columns + start + k] === 1) unitOf[(colours[unit] as number) * size + k] = unit;
    }
  }
  if (unitOf.every((unit) => unit < 0)) return undefined;
  /** Units of the two colours at a place of `[colours, colours, size]`. */
  const pair = (place: number): [to: number, from: number] => {
    const k = place % size;
    const [to, other] = [Math.floor(place / (count * size)), Math.floor(place / size) % count];
    return [unitOf[to * size + k] as number, unitOf[other * size + k] as number];
  };
  const isRelated = ([to, other]: [number, number]) =>
    to >= 0 && other >= 0 && kept.data[to * kept.columns + other] === 1;
  return {
    units: wholes([count, size], (k) => Math.max(unitOf[k] as number, 0)),
    present: floats(dtype, [count, size], (k) => ((unitOf[k] as number) < 0 ? 0 : 1)),
    places: wholes([count, count, size], (place) => {
      const [to, other] = pair(place);
      return isRelated([to, other]) ? (transitionColours[to] as number) * kept.columns + other : 0;
    }),
    related: floats(dtype, [count, count, size], (place) => (isRelated(pair(place)) ? 1 : 0)),
  };
}
