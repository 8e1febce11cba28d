/** Translating: the likeliest target of each source. */

import { requireKnownKeys } from "../../core/index.js";
import { raggedBatch } from "../../data/index.js";
import { type Encoded, logSoftmax } from "../../nn/index.js";
import { broadcastTo, slice } from "../../ops/index.js";
import { compile, type Kernels } from "../../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import { beamSearch, type Hypothesis } from "../beam-search.js";
import type { Translator, TranslatorParams } from "./model.js";

/** How the likeliest targets are searched. */
export interface TranslateOptions {
  /** Most tokens of a target, the end token included. */
  readonly maxLength: number;
  /** Hypotheses that are kept after each token. @default 1, greedy */
  readonly width?: number;
  /** How much longer targets are favoured; see `beamSearch`. @default 0 */
  readonly lengthPenalty?: number;
  /** @default the fastest here */
  readonly kernels?: Kernels;
}

/** Translates sources: for each, at most `width` hypotheses, best first; their tokens end with the end token. */
export type Translate = (params: TranslatorParams, sources: readonly ArrayLike<number>[]) => Hypothesis[][];

/** What of a search does not change. */
type Context = { readonly params: TranslatorParams; readonly encoded: Omit<Encoded, "carry"> };

/**
 * Prepares translating: one encoding for all sources, and a beam search for each.
 * @throws OptionError if an option is unknown or out of range
 * @example const [[best]] = translate(model, { maxLength: 20, width: 4 })(params, [[3, 1, 2]]);
 */
export function translate(model: Translator, options: TranslateOptions): Translate {
  requireKnownKeys("translate", options, ["maxLength", "width", "lengthPenalty", "kernels"]);
  const { width = 1, kernels } = options;
  const encode = compile(
    (params: TranslatorParams, source: Tensor, mask: Tensor) => model.encode(params, source, mask),
    kernels ? { kernels } : {},
  );
  const search = beamSearch<Context, Encoded["carry"]>({
    ...options,
    width,
    end: model.options.end,
    step: ({ params, encoded }, before, tokens) => {
      const [carry, output] = model.decoder.step(params.model, repeated(encoded, width), before, tokens);
      return { logProbabilities: logSoftmax(output), carry };
    },
  });
  return (params, sources) => {
    const { values, mask } = raggedBatch(sources);
    const all = encode(params, values, mask);
    return sources.map((_, row) => {
      const { carry, ...encoded } = mapTensors((x) => slice(x, 0, row, row + 1), all);
      return search({ params, encoded }, carry, -1);
    });
  };
}

/** One row for each hypothesis. */
const repeated = <T extends TensorTree>(tree: T, rows: number): T =>
  mapTensors((x) => broadcastTo(x, [rows, ...x.shape.slice(1)]), tree);
