/** Recurrent layers as ONNX models that can be run in pieces. */

import { flattenTree, OptionError, requireKnownKeys, unflattenTree } from "../../core/index.js";
import type { RecurrentLayer } from "../../nn/index.js";
import { isTensor, type Tensor, type TensorTree, tensorsByPath } from "../../tensor/index.js";
import { exportOnnx, type OnnxInput } from "./export.js";

/** A carry as inputs and outputs of a model: `initial.h` and `final.h`, by the paths of its tensors. */
export interface OnnxStates<Carry extends TensorTree> {
  readonly inputs: Readonly<Record<string, OnnxInput>>;
  /** Which output continues which input. */
  readonly states: Readonly<Record<string, string>>;
  /** The carry among the model's inputs. */
  read(inputs: Readonly<Record<string, Tensor>>): Carry;
  /** The carry as outputs. */
  write(carry: Carry): Record<string, Tensor>;
}

const named = (side: "initial" | "final", path: string): string => (path === "" ? side : `${side}.${path}`);

/**
 * Names the tensors of a carry.
 * @param initialCarry as of a layer: tensors `[batchSize, ...]`
 * @throws OptionError if a tensor of the carry does not begin with the batch
 */
export function onnxStates<Carry extends TensorTree>(initialCarry: (batchSize: number) => Carry): OnnxStates<Carry> {
  const { leaves, paths, definition } = flattenTree(initialCarry(1), isTensor);
  const inputs = leaves.map(({ dtype, shape }, index): [string, OnnxInput] => {
    if (shape[0] !== 1) {
      throw new OptionError(
        `onnxStates: ${paths[index]} of the carry is [${shape}] for a batch of 1; its first axis must be the batch`,
      );
    }
    return [named("initial", paths[index] as string), { dtype, shape: ["batch", ...shape.slice(1)] }];
  });
  return {
    inputs: Object.fromEntries(inputs),
    states: Object.fromEntries(paths.map((path) => [named("initial", path), named("final", path)])),
    read: (all) =>
      unflattenTree(
        definition,
        inputs.map(([name]) => all[name] as Tensor),
      ) as Carry,
    write: (carry) => Object.fromEntries(tensorsByPath(carry).map(([path, value]) => [named("final", path), value])),
  };
}

/** What is exported of a layer. */
export interface OnnxLayerExport<Params extends TensorTree, Readout extends TensorTree> {
  /** What is done with the outputs of the layer, `[time, batch, outputSize]`. @default nothing */
  readonly readout?: {
    /** From the layer's outputs to those of the model. */
    apply(params: Readout, outputs: Tensor): Tensor;
    readonly params: Readout;
  };
  /** Whether the model has an input `sequenceLengths`, int32 `[batch]`. @default false */
  readonly ragged?: boolean;
  readonly params: Params;
  /** Texts to store with the model. @default none */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a recurrent layer, perhaps with a readout, as an ONNX model; see `exportOnnx`. Its states are inputs and outputs, so that a
 * long sequence can be run in pieces, each beginning where the last one ended.
 *
 *   inputs   x [time, batch, inputSize]    initial.h ... [batch, ...]    sequenceLengths [batch], if ragged
 *   outputs  y [time, batch, ...]          final.h ... [batch, ...]
 *
 * Inputs of ONNX have no default: begin with the layer's initial carry (zeros, for most).
 * @returns the bytes of the `.onnx` file
 * @throws OptionError naming what cannot be exported, and why
 * @example const bytes = exportLayerOnnx(recurrent(lstm({ inputSize: 8, hiddenSize: 32 })), { params });
 */
export function exportLayerOnnx<Params extends TensorTree, Carry extends TensorTree, Readout extends TensorTree>(
  layer: RecurrentLayer<Params, Carry>,
  options: OnnxLayerExport<Params, Readout>,
): Uint8Array {
  requireKnownKeys("exportLayerOnnx", options, ["params", "readout", "ragged", "metadata"]);
  const { params, readout, ragged = false, metadata = {} } = options;
  const { inputs, states, read, write } = onnxStates((batchSize) => layer.initialCarry(batchSize));
  return exportOnnx({
    params: readout ? { layer: params, readout: readout.params } : { layer: params },
    inputs: {
      x: { shape: ["time", "batch", layer.inputSize] },
      ...inputs,
      ...(ragged && { sequenceLengths: { dtype: "int32", shape: ["batch"] } as const }),
    },
    states,
    metadata,
    apply: (all, given) => {
      const { sequenceLengths } = given;
      const { outputs, carry } = layer.apply(all.layer as Params, given.x as Tensor, {
        carry: read(given),
        ...(sequenceLengths && { sequenceLengths }),
      });
      return { y: readout ? readout.apply(all.readout as Readout, outputs) : outputs, ...write(carry) };
    },
  });
}
