/** Encoder-decoders: against plain loops over their parts, ragged batches, bridges, steps of a search, gradients. */

import { describe, expect, test } from "vitest";
import { expectClose, expectSame, f64, int32, numbers } from "../../../test/close.js";
import { TOLERANCES } from "../../../test/tolerances.js";
import { OptionError } from "../../core/index.js";
import { add, at, concatenate, multiply, oneHot, randomKey, slice, stack, tanh, zeros } from "../../ops/index.js";
import { compile } from "../../runtime/index.js";
import { mapTensors, type Tensor, type TensorTree } from "../../tensor/index.js";
import { checkGradients } from "../../transforms/index.js";
import {
  additiveAttention,
  bidirectional,
  type Cell,
  dotAttention,
  type EncoderDecoder,
  type EncoderDecoderSettings,
  elman,
  embedding,
  emitArgmax,
  encoderDecoder,
  gru,
  linear,
  lstm,
  recurrent,
} from "../index.js";

const [TIME, BATCH, LENGTH, FEATURES, CLASSES] = [5, 3, 4, 2, 4];
type Settings = EncoderDecoderSettings<TensorTree, TensorTree>;

const encoder = recurrent(gru({ inputSize: FEATURES, hiddenSize: 3 })) as unknown as Settings["encoder"];
const gruDecoder = (inputSize: number) => gru({ inputSize, hiddenSize: 3 }) as unknown as Cell<TensorTree, TensorTree>;
const lstmDecoder = (inputSize: number) =>
  lstm({ inputSize, hiddenSize: 3 }) as unknown as Cell<TensorTree, TensorTree>;
const common = { encoder, outputSize: CLASSES, emit: emitArgmax };

const MODELS: Readonly<Record<string, EncoderDecoder<TensorTree>>> = {
  "a copied state": encoderDecoder({ ...common, decoder: gruDecoder }),
  "a dense bridge": encoderDecoder({ ...common, decoder: lstmDecoder }),
  "a condition alone": encoderDecoder({ ...common, decoder: lstmDecoder, bridge: "none", condition: true }),
  "attention and a copied state": encoderDecoder({
    ...common,
    decoder: gruDecoder,
    attention: dotAttention({ size: 3 }),
    embedding: embedding({ size: CLASSES, outputSize: 2 }),
  }),
  "both directions, attention, a dense bridge and a condition": encoderDecoder({
    ...common,
    encoder: bidirectional(elman({ inputSize: FEATURES, hiddenSize: 2 })) as unknown as Settings["encoder"],
    decoder: lstmDecoder,
    attention: additiveAttention({ querySize: 3, memorySize: 4 }),
    condition: true,
  }),
};

const moved = <T extends TensorTree>(params: T): T => {
  let seed = 50;
  return mapTensors((x) => add(x, multiply(numbers(seed++, x.shape), 0.3)), params);
};
const source = numbers(1, [TIME, BATCH, FEATURES]);
const targets = int32([0, 1, 2, 3, 3, 1, 0, 2, 2, 1, 0, 3], [LENGTH, BATCH]);

describe.each(Object.entries(MODELS))("an encoder-decoder with %s", (_, model) => {
  const params = moved(model.init(randomKey(1), "float64"));
  const ragged = { sequenceLengths: int32([5, 2, 1]) };

  test("gives a ragged batch what its pairs give alone", () => {
    const lengths = { source: [5, 2, 1], target: [1, 4, 0] };
    const together = model.decode(params, model.encode(params, source, ragged), {
      targets,
      sequenceLengths: int32(lengths.target),
    });
    for (let b = 0; b < BATCH; b++) {
      const own = (x: Tensor, length: number) => slice(slice(x, 1, b, b + 1), 0, 0, length);
      const alone = model.decode(params, model.encode(params, own(source, lengths.source[b]!)), {
        targets: own(targets, lengths.target[b]!),
      });
      expectClose(own(together.outputs, lengths.target[b]!), alone.outputs, TOLERANCES.float64);
      expectSame(
        slice(slice(together.outputs, 1, b, b + 1), 0, lengths.target[b]!),
        zeros([LENGTH - lengths.target[b]!, 1, CLASSES], "float64"),
      );
    }
  });

  test("in free run writes what its steps write one by one", () => {
    const encoded = model.encode(params, source, ragged);
    const { carry: begin, ...rest } = encoded;
    const free = model.decode(params, encoded, { length: LENGTH });
    let [carry, tokens] = [begin, int32([-1, -1, -1])];
    const outputs = Array.from({ length: LENGTH }, () => {
      const [next, output] = model.step(params, rest, carry, tokens);
      [carry, tokens] = [next, emitArgmax(output)];
      return output;
    });
    expectSame(stack(outputs), free.outputs);
    expect(free.emitted).toMatchObject({ dtype: "int32", shape: [LENGTH, BATCH] });
  });

  test("with the truth gives what its steps give one by one", () => {
    const encoded = model.encode(params, source, ragged);
    const { carry: begin, ...rest } = encoded;
    let carry = begin;
    const outputs = Array.from({ length: LENGTH }, (_, t) => {
      const [next, output] = model.step(params, rest, carry, t === 0 ? int32([-1, -1, -1]) : at(targets, t - 1));
      carry = next;
      return output;
    });
    expectSame(stack(outputs), model.decode(params, encoded, { targets }).outputs);
  });

  test("has the gradients of finite differences, forced and free", () => {
    for (const options of [{ targets }, { length: LENGTH }, { targets, teacherForcing: 0.5, key: randomKey(2) }]) {
      checkGradients(
        (p, x) =>
          model.decode(p as typeof params, model.encode(p as typeof params, x as Tensor, ragged), options).outputs,
        [params, source],
        { order: 1 },
      );
    }
  });

  test("sees the whole source: every real step changes what is written, and no padding does", () => {
    const write = (x: Tensor) => model.decode(params, model.encode(params, x, ragged), { targets }).outputs;
    const plain = write(source);
    for (let t = 0; t < TIME; t++) {
      for (const b of [0, 1, 2]) {
        const other = source.data.slice();
        other[(t * BATCH + b) * FEATURES]! += 0.5;
        const row = (x: Tensor) => Array.from(slice(x, 1, b, b + 1).data);
        const changed = row(write(f64([...other], source.shape)));
        if (t < [5, 2, 1][b]!) expect(changed).not.toEqual(row(plain));
        else expect(changed).toEqual(row(plain));
      }
    }
  });

  test("compiled on the fastest kernels equals eager", () => {
    const p32 = model.init(randomKey(1));
    const x32 = numbers(1, source.shape, "float32");
    const run = (p: typeof p32, x: Tensor) => model.decode(p, model.encode(p, x, ragged), { targets }).outputs;
    const compiled = compile(run);
    expectClose(compiled(p32, x32), run(p32, x32), TOLERANCES.float32);
    expect(compiled.kernels(p32, x32).name).not.toBe("reference");
  });
});

test("attention in a decoder is the equations of its documentation, by a loop over its parts", () => {
  const [cell, attention] = [
    lstm({ inputSize: CLASSES + 4 + 4, hiddenSize: 3 }),
    additiveAttention({ querySize: 3, memorySize: 4 }),
  ];
  const both = bidirectional(elman({ inputSize: FEATURES, hiddenSize: 2 }));
  const model = MODELS["both directions, attention, a dense bridge and a condition"]!;
  const params = moved(model.init(randomKey(1), "float64")) as unknown as {
    readonly encoder: ReturnType<typeof both.init>;
    readonly bridge: { readonly weight: Tensor; readonly bias: Tensor };
    readonly decoder: {
      readonly cell: {
        readonly cell: ReturnType<typeof cell.init>;
        readonly attention: ReturnType<typeof attention.init>;
      };
      readonly readout: { readonly weight: Tensor; readonly bias: Tensor };
    };
  };
  const { outputs: memory, carry: end } = both.apply(params.encoder, source);
  const summary = concatenate([end.backward.h, end.forward.h]);
  const first = tanh(linear(summary, params.bridge.weight, params.bridge.bias));
  let state = { c: slice(first, 1, 0, 3), h: slice(first, 1, 3, 6) };
  let [output, fed] = [slice(first, 1, 6, 9), zeros([BATCH, CLASSES], "float64")];
  const prepared = attention.prepare(params.decoder.cell.attention, memory);
  const expected = Array.from({ length: LENGTH }, (_, t) => {
    const { context, weights } = attention.attend(params.decoder.cell.attention, prepared, output);
    [state, output] = cell.step(params.decoder.cell.cell, state, concatenate([summary, fed, context])) as [
      typeof state,
      Tensor,
    ];
    fed = oneHot(at(targets, t), CLASSES, "float64");
    const { weight, bias } = params.decoder.readout;
    return { logits: linear(concatenate([output, context]), weight, bias), weights };
  });
  const result = model.decode(params as never, model.encode(params as never, source), { targets });
  expectClose(result.outputs, stack(expected.map(({ logits }) => logits)), TOLERANCES.float64);
  expectClose(result.weights!, stack(expected.map(({ weights }) => weights)), TOLERANCES.float64);
});

test("a copied state is the encoder's, and a condition is an input of every step", () => {
  const params = moved(MODELS["a copied state"]!.init(randomKey(1), "float64"));
  const { carry } = MODELS["a copied state"]!.encode(params, source);
  expectSame(carry.cell, encoder.apply(params.encoder, source).carry);
  const conditioned = MODELS["a condition alone"]!;
  const own = moved(conditioned.init(randomKey(1), "float64"));
  const { summary, carry: begin } = conditioned.encode(own, source);
  expectSame(summary!, (encoder.apply(own.encoder, source).carry as { readonly h: Tensor }).h);
  expectSame(begin.cell, lstm({ inputSize: 1, hiddenSize: 3 }).initialCarry(BATCH, "float64"));
});

describe("encoderDecoder refuses", () => {
  const make = (settings: object) => () => encoderDecoder({ ...common, decoder: gruDecoder, ...settings });
  test.each<[string, () => unknown, string]>([
    [
      "a copy where the forms differ",
      make({ decoder: lstmDecoder, bridge: "copy" }),
      "the carries of encoder and decoder differ in their form",
    ],
    ["a decoder that knows nothing", make({ bridge: "none" }), "the decoder would know nothing of the source"],
    ["an unknown bridge", make({ bridge: "affine" }), 'bridge must be "copy", "dense" or "none", but is "affine"'],
    [
      "attention of other sizes",
      make({ attention: dotAttention({ size: 5 }) }),
      "takes queries of 5 features and a memory of 5, but the decoder gives 3 and the encoder 3",
    ],
    ["an unknown setting", make({ hiddenSize: 3 }), 'there is no option "hiddenSize"'],
    ["no outputs", make({ outputSize: 0 }), "outputSize must be a whole number of at least 1"],
    [
      "decoding without targets or length",
      () => {
        const model = MODELS["a copied state"]!;
        const params = model.init(randomKey(1), "float64");
        return model.decode(params, model.encode(params, source), {});
      },
      "decode needs the option targets, or length",
    ],
  ])("%s", (_, run, message) => {
    expect(run).toThrow(OptionError);
    expect(run).toThrow(message);
  });
});
