/** Types of what models are made of, read off the models. */

import type { TensorTree } from "../tensor/index.js";

/**
 * Parameters of a cell, a layer or a model: what its `init` gives.
 * @example type Params = { layer: ParamsOf<typeof layer>; readout: ParamsOf<typeof readout> };
 */
export type ParamsOf<Model> = Model extends {
  /** As all models have it. */ readonly init: (...args: never) => infer Params extends TensorTree;
}
  ? Params
  : never;

/** Carry of a cell or a layer: what its `initialCarry` gives. */
export type CarryOf<Model> = Model extends {
  /** As cells and layers have it. */ readonly initialCarry: (...args: never) => infer Carry extends TensorTree;
}
  ? Carry
  : never;

/** Parameters of several models, in a list. */
export type ParamsOfAll<Models extends readonly unknown[]> = { readonly [K in keyof Models]: ParamsOf<Models[K]> };

/** Carries of several models, in a list. */
export type CarriesOfAll<Models extends readonly unknown[]> = { readonly [K in keyof Models]: CarryOf<Models[K]> };
