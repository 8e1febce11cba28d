/** A language model in the words of other programs: an ONNX model, and the state dictionary of a PyTorch module. */

import { DataError, OptionError } from "../../core/index.js";
import {
  exportOnnx,
  fromPyTorch,
  NamedReader,
  onnxStates,
  type PyTorchLayer,
  type PyTorchModule,
  type TensorsByName,
  toPyTorch,
} from "../../io/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { LanguageModel, LanguageModelParams } from "./model.js";

/**
 * Writes a language model as an ONNX model; see `exportOnnx`.
 *
 *   inputs   tokens int32 [time, batch]              initial.{layer}.h ... [batch, hiddenSize]
 *   outputs  logits [time, batch, vocabularySize]    final.{layer}.h ...
 *
 * @param metadata texts to store with it. Default none
 * @returns the bytes of the `.onnx` file
 */
export function exportLanguageModelOnnx(
  model: LanguageModel,
  params: LanguageModelParams,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { inputs, states, read, write } = onnxStates((batchSize) => model.initialCarry(batchSize));
  return exportOnnx({
    params,
    inputs: { tokens: { dtype: "int32", shape: ["time", "batch"] }, ...inputs },
    states,
    metadata,
    apply: (all, given) => {
      const { logits, carry } = model.logits(all, given.tokens as Tensor, { carry: read(given) });
      return { logits, ...write(carry) };
    },
  });
}

const MODULES: Readonly<Record<string, PyTorchModule>> = { elman: "RNN", lstm: "LSTM", gru: "GRU" };
const [EMBEDDING, LAYERS, READOUT] = ["embedding.", "rnn.", "readout."] as const;

function moduleOf({ options: { cell } }: LanguageModel): PyTorchModule {
  const module = MODULES[cell];
  if (module !== undefined) return module;
  throw new OptionError(
    `PyTorch has no module for the cell ${cell}; the cells it has are ${Object.keys(MODULES).join(", ")}; choose another format`,
  );
}

/**
 * A language model as the state dictionary of a PyTorch module with `embedding = nn.Embedding(...)`, `rnn = nn.LSTM(...)` (or `nn.GRU`,
 * `nn.RNN`) and `readout = nn.Linear(...)`.
 * @throws OptionError if PyTorch has no module for the cell
 */
export function languageModelToPyTorch(model: LanguageModel, params: LanguageModelParams): Map<string, Tensor> {
  const { embedding, layers, readout } = params;
  return new Map([
    [`${EMBEDDING}weight`, embedding.table],
    ...toPyTorch(moduleOf(model), layers as unknown as readonly PyTorchLayer<PyTorchModule>[], LAYERS),
    [`${READOUT}weight`, readout.weight],
    [`${READOUT}bias`, readout.bias],
  ]);
}

/** The inverse of `languageModelToPyTorch`. @throws DataError naming the tensor that is missing, left over or of another shape */
export function languageModelFromPyTorch(model: LanguageModel, tensors: TensorsByName): LanguageModelParams {
  const { vocabularySize, embeddingSize, hiddenSize, numLayers } = model.options;
  const reader = new NamedReader(
    "the state dictionary",
    new Map([...tensors].filter(([name]) => !name.startsWith(LAYERS))),
  );
  const params = {
    embedding: { table: reader.take(`${EMBEDDING}weight`, [vocabularySize, embeddingSize]) },
    layers: fromPyTorch(moduleOf(model), tensors, LAYERS),
    readout: {
      weight: reader.take(`${READOUT}weight`, [vocabularySize, hiddenSize]),
      bias: reader.take(`${READOUT}bias`, [vocabularySize]),
    },
  };
  reader.requireAllRead();
  if (params.layers.length !== numLayers) {
    throw new DataError(
      `the state dictionary has ${params.layers.length} recurrent layers, but the model has ${numLayers}`,
    );
  }
  return params as LanguageModelParams;
}
