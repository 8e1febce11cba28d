/** All states of a linear recurrence, one after the other or in logarithmic depth. */

import { OptionError, requireKnownKeys, ShapeError } from "../../core/index.js";
import { add, at, broadcastTo, expandDims, fill, multiply, pad, reshape, select, zerosLike } from "../../ops/index.js";
import { associativeScan, scan } from "../../scan/index.js";
import {
  formatType,
  isTensor,
  mapTensors,
  type Shape,
  sameType,
  type Tensor,
  tensorsByPath,
} from "../../tensor/index.js";
import { type Complex, complexMultiply } from "./complex.js";

/** What a linear recurrence computes with: real numbers, or complex ones. */
export type Linear = Tensor | Complex;

/** The ways to compute a linear recurrence. */
export type LinearMethod = "sequential" | "associative";

/** How a linear recurrence runs. */
export interface LinearRecurrenceOptions<Value extends Linear> {
  /** From the last step to the first; states stay at their step. @default false */
  readonly reverse?: boolean;
  /** int32 `[time, batch]`, 1 = real, 0 = padding: the state passes a padded step unchanged. @default all steps are real */
  readonly mask?: Tensor;
  /** int32 `[time, batch]`: 1 restarts that row before that step, from `resetState`. @default no restarts */
  readonly resetMask?: Tensor;
  /** The state that `resetMask` restarts from. @default the initial state */
  readonly resetState?: Value;
  /** See `linearRecurrence`. @default "sequential" */
  readonly method?: LinearMethod;
}

const OPTION_NAMES = ["reverse", "mask", "resetMask", "resetState", "method"] as const;
const METHODS: readonly LinearMethod[] = ["sequential", "associative"];

/**
 * A linear recurrence, real or complex. ⊙ elementwise:
 *
 *   h_t = a_t ⊙ h_{t-1} + b_t
 *
 * The method changes the order of roundings, and the speed:
 *
 * - "sequential": a loop over time, T multiplications and additions one after the other.
 * - "associative": maps h -> a h + b are composed in about 2 log₂ T rounds, (a, b) then (a', b') being (a' a, a' b + b'). A
 *   restart is a factor of 0 then, which a NaN passes.
 *
 * On the kernels of this package, which take steps of a compiled loop one after the other with little to do between them, the
 * sequential method is the faster one, unless a step is very narrow (batch times features below ten or so): composing
 * does twice the arithmetic and goes over memory again in every round, and its gradient does so more often still.
 *
 * @param a `[time, batch, ...]`, or what broadcasts to it, such as one factor for all steps
 * @param b `[time, batch, ...]`
 * @param initial h_{-1} (reversed: h_time), `[batch, ...]`
 * @returns the last state, and all states `[time, batch, ...]`
 * @throws ShapeError if these do not fit each other
 * @throws OptionError if an option is unknown or without effect
 * @see Martin & Cundy 2018, Parallelizing linear recurrent neural nets over sequence length, arXiv:1709.04057
 * @example const [last, states] = linearRecurrence(fill([8], 0.9), xs, zeros([16, 8]));
 */
export function linearRecurrence<Value extends Linear>(
  a: Value,
  b: Value,
  initial: Value,
  options: LinearRecurrenceOptions<Value> = {},
): [last: Value, states: Value] {
  requireKnownKeys("linearRecurrence", options, OPTION_NAMES);
  const { reverse = false, method = "sequential" } = options;
  if (!METHODS.includes(method)) {
    throw new OptionError(`linearRecurrence: method must be "sequential" or "associative", but is "${method}"`);
  }
  if (options.resetMask === undefined && options.resetState !== undefined) {
    throw new OptionError("linearRecurrence: resetState has no effect without resetMask");
  }
  const shape = sequenceShape(b, initial);
  const run: Run<Value> = {
    maps: { a: mapTensors((factor) => overTime(factor, shape), a), b },
    masks: {
      ...(options.mask && { real: alignMask("mask", options.mask, shape) }),
      ...(options.resetMask && { restart: alignMask("resetMask", options.resetMask, shape) }),
    },
    initial,
    reset: options.resetState ?? initial,
    reverse,
  };
  return method === "sequential" ? oneByOne(run) : composed(run);
}

/** The map h -> a h + b. */
type Affine<Value extends Linear> = { readonly a: Value; readonly b: Value };

/** Masks with the axes of a state; missing if nothing is padding, or nothing starts again. */
type Masks = { readonly real?: Tensor; readonly restart?: Tensor };

/** All that a linear recurrence is made of, checked. */
interface Run<Value extends Linear> {
  readonly maps: Affine<Value>;
  readonly masks: Masks;
  readonly initial: Value;
  readonly reset: Value;
  readonly reverse: boolean;
}

/** Product of real numbers, or of complex ones. */
export const linearMultiply = <Value extends Linear>(x: Value, y: Value): Value =>
  (isTensor(x) ? multiply(x, y as Tensor) : complexMultiply(x as Complex, y as Complex)) as Value;

const apply = <Value extends Linear>({ a, b }: Affine<Value>, h: Value): Value =>
  mapTensors(add, linearMultiply(a, h), b);

const compose = <Value extends Linear>(first: Affine<Value>, next: Affine<Value>): Affine<Value> => ({
  a: linearMultiply(next.a, first.a),
  b: apply(next, first.b),
});

const choose = <Value extends Linear>(mask: Tensor | undefined, chosen: Value, other: Value): Value =>
  mask ? mapTensors((x, y) => select(mask, x, y), chosen, other) : chosen;

function oneByOne<Value extends Linear>({ maps, masks, initial, reset, reverse }: Run<Value>): [Value, Value] {
  const step = (h: Value, now: { readonly map: Affine<Value>; readonly masks: Masks }): [Value, Value] => {
    const before = now.masks.restart ? choose(now.masks.restart, reset, h) : h;
    const next = choose(now.masks.real, apply(now.map, before), before);
    return [next, next];
  };
  return scan(step, initial, { map: maps, masks }, { reverse });
}

function composed<Value extends Linear>(run: Run<Value>): [Value, Value] {
  const { initial, reverse } = run;
  const { a, b } = withMasks(run);
  const time = (tensorsByPath(b)[0] as [string, Tensor])[1].shape[0] as number;
  if (time === 0) return [initial, b];
  const [first, last] = reverse ? [time - 1, 0] : [0, time - 1];
  // The initial state goes into the first map. Then all that is asked of a composition is where it takes 0: its b.
  const carried = linearMultiply(
    mapTensors((factor) => at(factor, first), a),
    initial,
  );
  const begun = mapTensors((own, h) => add(own, pad(expandDims(h, 0), 0, first, time - 1 - first)), b, carried);
  const { b: states } = associativeScan<Affine<Value>>(compose, { a, b: begun }, { reverse });
  return [mapTensors((h) => at(h, last), states), states];
}

/** Padding as the map h -> h, and a restart as the constant map to what the step makes of the reset state. */
function withMasks<Value extends Linear>({ maps, masks: { real, restart }, reset }: Run<Value>): Affine<Value> {
  const zero = (x: Value): Value => mapTensors(zerosLike, x);
  const { a, b } = real ? { a: choose(real, maps.a, oneLike(maps.a)), b: choose(real, maps.b, zero(maps.b)) } : maps;
  return restart ? { a: choose(restart, zero(a), a), b: choose(restart, apply({ a, b }, reset), b) } : { a, b };
}

const oneLike = <Value extends Linear>(x: Value): Value => {
  const one = (like: Tensor) => fill(like.shape, 1, like.dtype);
  return (isTensor(x) ? one(x) : { re: one((x as Complex).re), im: zerosLike((x as Complex).im) }) as Value;
};

function alignMask(name: string, mask: Tensor, [time, batch, ...rest]: Shape): Tensor {
  const expected = { dtype: "int32", shape: [time as number, batch as number] } as const;
  if (sameType(mask, expected)) return reshape(mask, [...mask.shape, ...rest.map(() => 1)]);
  throw new ShapeError(`linearRecurrence: ${name} must be ${formatType(expected)}, but is ${formatType(mask)}`);
}

/** A factor with all axes, and all steps; other axes may have length 1. */
function overTime(factor: Tensor, shape: Shape): Tensor {
  const missing = Math.max(shape.length - factor.shape.length, 0);
  const full = [...shape.slice(0, missing).fill(1), ...factor.shape];
  if (full.length !== shape.length || full.some((length, axis) => length !== 1 && length !== shape[axis])) {
    throw new ShapeError(
      `linearRecurrence: a is ${formatType(factor)}, which does not broadcast to b's shape [${shape}]`,
    );
  }
  return broadcastTo(reshape(factor, full), full.with(0, shape[0] as number));
}

/** The shape of b. @throws ShapeError unless b has the shape of the initial state at every step */
function sequenceShape(b: Linear, initial: Linear): Shape {
  const given = new Map(tensorsByPath(b));
  const shapes = tensorsByPath(initial).map(([path, h]) => {
    const own = given.get(path);
    const expected = { dtype: h.dtype, shape: [own?.shape[0] ?? 0, ...h.shape] };
    if (own && h.shape.length > 0 && sameType(own, expected)) return own.shape;
    throw new ShapeError(
      `linearRecurrence: b must be ${h.dtype}[time,${h.shape}], as the initial state is ${formatType(h)}, but is ${own ? formatType(own) : "missing"}`,
    );
  });
  return shapes[0] as Shape;
}
