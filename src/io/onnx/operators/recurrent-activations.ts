/** The activation functions of a recurrent node: which, with which settings, and whether they are the usual ones. */

import { clamp } from "../../../ops/index.js";
import type { Tensor } from "../../../tensor/index.js";
import type { NodeCall } from "../node-call.js";
import { ACTIVATIONS, type Activation, type ActivationName } from "./activations.js";

/** The functions of one direction, in the order f, g, h of the operator. */
export interface Activations {
  /** Those of the gates, f and g, clip what they are given, if the node says so. */
  readonly functions: readonly ((x: Tensor) => Tensor)[];
  /** Whether they are the operator's own, without clipping: then a cell of the toolkit does the same. */
  readonly usual: boolean;
}

/** f and g; only an LSTM has more. */
const GATE_FUNCTIONS = 2;

const NAMES = Object.keys(ACTIVATIONS) as ActivationName[];

/**
 * Reads the activations of all directions. The lists of α and β hold a number only for those functions that have the setting.
 * As in ONNX Runtime, h, which shows the cell of an LSTM, is not clipped.
 * @param usual the names where the node gives none
 */
export function readActivations(node: NodeCall, directions: number, usual: readonly ActivationName[]): Activations[] {
  const given = node.strings("activations") ?? Array.from({ length: directions }, () => usual).flat();
  const [alphas, betas] = [node.floats("activation_alpha") ?? [], node.floats("activation_beta") ?? []];
  const clip = node.float("clip", undefined);
  if (given.length !== directions * usual.length) {
    throw node.error(`has ${given.length} activations, but needs ${directions * usual.length}`);
  }
  if (clip !== undefined && !(clip > 0)) throw node.error(`has clip ${clip}, which is not above 0`);
  const setting = (name: string, list: number[], missing: number | null | undefined, which: string): number => {
    if (missing === undefined) return 0;
    const value = list.shift() ?? missing;
    if (value === null) throw node.error(`has the activation ${name}, but no ${which} for it`);
    return value;
  };
  const read = given.map((text, index) => {
    const name = NAMES.find((known) => known.toLowerCase() === text.toLowerCase());
    if (name === undefined) throw node.error(`has the activation ${text}; known are ${NAMES.join(", ")}`);
    const { apply, alpha, beta }: Activation = ACTIVATIONS[name];
    const a = setting(name, alphas, alpha, "activation_alpha");
    const b = setting(name, betas, beta, "activation_beta");
    const clips = clip !== undefined && index % usual.length < GATE_FUNCTIONS;
    return { name, apply: (x: Tensor) => apply(clips ? clamp(x, -clip, clip) : x, a, b) };
  });
  return Array.from({ length: directions }, (_, direction) => {
    const own = read.slice(direction * usual.length, (direction + 1) * usual.length);
    return {
      functions: own.map(({ apply }) => apply),
      usual: clip === undefined && own.every(({ name }, index) => name === usual[index]),
    };
  });
}
