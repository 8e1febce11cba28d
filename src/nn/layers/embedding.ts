/** A table of vectors, one for each token. */

import { requireInteger } from "../../core/index.js";
import { gather } from "../../ops/index.js";
import type { FloatDType, Tensor } from "../../tensor/index.js";
import { normalInit } from "../init.js";

/** `table [size, outputSize]` */
export type EmbeddingParams = { readonly table: Tensor };

/** A layer from tokens to vectors. */
export interface Embedding {
  readonly size: number;
  readonly outputSize: number;
  /** Starting parameters. @param dtype default float32 */
  init(key: Tensor, dtype?: FloatDType): EmbeddingParams;
  /** int32 `[...]` to `[..., outputSize]`. @throws ShapeError when it runs, if a token is outside [0, size) */
  apply(params: EmbeddingParams, tokens: Tensor): Tensor;
}

/**
 * Row `token` of a table `[size, outputSize]` that starts with standard normal entries; `size` is the number of tokens.
 */
export function embedding({ size, outputSize }: { readonly size: number; readonly outputSize: number }): Embedding {
  requireInteger("embedding", "size", size, 1);
  requireInteger("embedding", "outputSize", outputSize, 1);
  return {
    size,
    outputSize,
    init: (key, dtype = "float32") => ({ table: normalInit(1)(key, [size, outputSize], dtype) }),
    apply: ({ table }, tokens) => gather(table, tokens),
  };
}
