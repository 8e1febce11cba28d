/** Every operation with float32 and int32 arguments of many sizes, for sets of kernels to be compared on with the reference. */

import * as ops from "../src/ops/index.js";
import {
  allocate,
  type DType,
  HostTensor,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorTree,
} from "../src/tensor/index.js";

/** One function of tensors with arguments for it. */
export interface KernelOperation {
  /** Together with the name of the operation it is the name of the test. */
  readonly about: string;
  readonly f: (...inputs: Tensor[]) => TensorTree;
  readonly inputs: () => Tensor[];
  /** Whether the very same bits are expected. Default: the same up to rounding. */
  readonly exact?: boolean;
  /** Whether denormal numbers may count as 0: native kernels compute so. Default: yes, if rounding is allowed, too. */
  readonly flushes?: boolean;
  /** What errors are measured by, element by element, if not by the result: the sum of what was added up without its signs. */
  readonly size?: (...inputs: Tensor[]) => Tensor;
}

/** Lengths around those of vectors and blocks. */
const SIZES = [0, 1, 3, 7, 17, 33, 65];

/** A tensor of a function of the place in memory. */
export function filled(dtype: DType, shape: Shape, value: (k: number) => number): HostTensor {
  const data = allocate(dtype, sizeOf(shape));
  for (let k = 0; k < data.length; k++) data[k] = value(k);
  return new HostTensor({ dtype, shape }, data);
}

/** Float32 numbers spread over (from, to), in no order. */
export const floats = (shape: Shape, from = -2, to = 2, seed = 0): HostTensor =>
  filled("float32", shape, (k) => from + (to - from) * (((k + seed + 1) * 0.6180339887498949) % 1));

/** Whole numbers in [from, to], in no order. */
export const wholes = (shape: Shape, from = -9, to = 9, seed = 0): HostTensor =>
  filled("int32", shape, (k) => from + (((k + seed) * 7919) % (to - from + 1)));

/** Float32 numbers that arithmetic easily gets wrong. */
const ODD_FLOATS = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, -2.5, 2, 3, -3, 7, 1e-3, -1e-3, 1e-7, -1e-7, 1e-20, -1e-20, 100.5, -100.5],
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-40, -1e-40, 1e-45, 1.17549435e-38],
  ...[3.4e38, -3.4e38, 1e30, -1e30, 1e10, -1e10, 8388609, -16777215, 2147483648, -2147483648, 4294967040, 6e9],
  ...[88.7, -88.7, 89, -103, -104, 17.3, -17.3, Math.PI, -Math.PI / 2, 0.99999994, 1.0000001],
];
const ODD_WHOLES = [0, 1, -1, 2, -2, 7, -7, 31, 46341, -65536, 123456789, 2147483647, -2147483648];

const oddFloats = (): HostTensor => filled("float32", [ODD_FLOATS.length], (k) => ODD_FLOATS[k] as number);
const oddWholes = (): HostTensor => filled("int32", [ODD_WHOLES.length], (k) => ODD_WHOLES[k] as number);

/** A column and a row of odd numbers: an operation on both sees every pair. */
const pairs = (values: HostTensor): Tensor[] => [ops.reshape(values, [-1, 1]), values];

const scalar = (value: number): HostTensor => filled("int32", [], () => value);

type Case = KernelOperation;
type More = Pick<Case, "exact" | "flushes" | "size">;

const of = (about: string, f: Case["f"], inputs: Case["inputs"], more: More = {}): Case => ({
  about,
  f,
  inputs,
  ...more,
});

const EXACT: More = { exact: true };
const COMPUTED: More = { exact: true, flushes: true };

const unary = (f: (x: Tensor) => Tensor, from = -4, to = 4, more: More = {}): Case[] => [
  of("of odd numbers", f, () => [oddFloats()], more),
  of(
    "of all lengths",
    (...x) => x.map(f),
    () => SIZES.map((size) => floats([size], from, to)),
    more,
  ),
  of("of many numbers", f, () => [floats([3, 1500], from, to)], more),
  of(
    "of a transposed matrix",
    (x) => f(ops.transpose(x)),
    () => [floats([17, 33], from, to)],
    more,
  ),
];

type Binary = (a: Tensor, b: Tensor) => Tensor;

/** Layouts of two operands: equal shapes, repeated rows, columns and scalars, transposed and reversed. */
const layouts = (f: Binary, make: (shape: Shape, seed: number) => Tensor, more: More): Case[] => {
  const g = f as Case["f"];
  return [
    of(
      "of all lengths",
      (...x) => SIZES.map((_, k) => f(x[2 * k], x[2 * k + 1])),
      () => SIZES.flatMap((size) => [make([size], 0), make([size], 5)]),
      more,
    ),
    of("that repeats a row", g, () => [make([33, 17], 0), make([17], 5)], more),
    of("that repeats a column", g, () => [make([33, 1], 0), make([33, 65], 5)], more),
    of("that repeats both", g, () => [make([7, 1], 0), make([1, 65], 5)], more),
    of("that repeats in the middle", g, () => [make([3, 1, 7], 0), make([3, 33, 7], 5)], more),
    of("that repeats a scalar", g, () => [make([], 0), make([3, 7], 5)], more),
    of(
      "of a transposed and a reversed matrix",
      (a, b) => f(ops.transpose(a), ops.reverse(b, 1)),
      () => [make([17, 7], 0), make([7, 17], 5)],
      more,
    ),
    of("of many numbers", g, () => [make([2, 1301], 0), make([2, 1301], 5)], more),
  ];
};

interface BinaryOptions {
  readonly floats?: readonly [from: number, to: number];
  /** Whole numbers for the second operand; left out: the operation takes none. */
  readonly wholes?: readonly [from: number, to: number];
  readonly odd?: boolean;
  readonly more?: More;
}

const binary = (
  f: Binary,
  { floats: range = [-3, 3], wholes: whole = [-9, 9], odd = true, more = {} }: BinaryOptions = {},
): Case[] => [
  of("of odd numbers", f as Case["f"], () => pairs(oddFloats()), more),
  ...layouts(f, (shape, seed) => floats(shape, ...range, seed), more),
  ...layouts(f, (shape, seed) => wholes(shape, ...whole, seed), EXACT).map((one) => ({
    ...one,
    about: `${one.about}, whole`,
  })),
  ...(odd ? [of("of odd whole numbers", f as Case["f"], () => pairs(oddWholes()), EXACT)] : []),
];

/** Operations on one tensor that only move elements: the bits of NaN, -0 and the smallest numbers stay. */
const movement = (about: string, f: (x: Tensor) => TensorTree, ...shapes: Shape[]): Case[] =>
  shapes.flatMap((shape) => [
    of(
      `${about} [${shape}]`,
      (x) => f(x),
      () => [
        filled("float32", shape, (k) => (k % 3 === 0 ? (ODD_FLOATS[(k / 3) % ODD_FLOATS.length] as number) : k + 0.5)),
      ],
      EXACT,
    ),
    of(
      `${about} [${shape}] of whole numbers`,
      (x) => f(x),
      () => [wholes(shape, -1e6, 1e6)],
      EXACT,
    ),
  ]);

type Reduce = (x: Tensor, options?: ops.ReductionOptions) => Tensor;

const REDUCED: readonly (readonly [shape: Shape, axes: number[]])[] = [
  ...([
    [[1], [0]],
    [[7], [0]],
    [[65], [0]],
    [[3000], [0]],
    [[5], []],
    [[4, 1030], [1]],
    [[1, 7], [0]],
    [[7, 1], [1]],
  ] as const),
  ...([
    [[17, 33], [0]],
    [[17, 33], [1]],
    [
      [17, 33],
      [0, 1],
    ],
    [[33, 17], [0]],
    [[3, 65], [1]],
    [[65, 3], [1]],
  ] as const),
  ...([
    [[700, 3], [0]],
    [[3, 700], [1]],
    [[3, 7, 17], [1]],
    [
      [3, 7, 17],
      [0, 2],
    ],
    [
      [3, 7, 17],
      [1, 2],
    ],
  ] as const),
  ...([
    [
      [2, 3, 1, 5],
      [0, 3],
    ],
    [
      [2, 1, 3, 2, 5, 7],
      [1, 3, 5],
    ],
  ] as const),
].map(([shape, axes]) => [shape, [...axes]]);

const OF_NOTHING: typeof REDUCED = [
  [[0], [0]],
  [[3, 0], [1]],
  [[0, 3], [0]],
  [[0, 3], [1]],
  [[3, 0], [0]],
];

interface ReductionCases {
  /** Whether nothing can be reduced. */
  readonly nothing?: boolean;
  /** Whether whole numbers can be reduced. */
  readonly whole?: boolean;
  /** For results that are rounded; without it they are exact. */
  readonly size?: (axes: number[]) => (x: Tensor) => Tensor;
}

const reduction = (f: Reduce, { nothing = false, whole = true, size }: ReductionCases = {}): Case[] => [
  ...[...REDUCED, ...(nothing ? OF_NOTHING : [])].flatMap(([shape, axes]) => [
    of(
      `of [${shape}] over [${axes}]`,
      (x) => f(x, { axes }),
      () => [floats(shape)],
      size === undefined ? EXACT : { size: size(axes) },
    ),
    ...(whole
      ? [
          of(
            `of whole [${shape}] over [${axes}]`,
            (x) => f(x, { axes }),
            () => [wholes(shape, -1e8, 1e8)],
            EXACT,
          ),
        ]
      : []),
  ]),
  of(
    "of odd numbers by themselves",
    (x) => f(x, { axes: 1, keepAxes: true }),
    () => [ops.reshape(oddFloats(), [-1, 1])],
  ),
];

/** NaN and infinities at the beginning, in the middle and at the end of lines. */
const withGaps = (shape: Shape, value: number): HostTensor =>
  filled("float32", shape, (k) => (k % 11 === 4 ? value : Math.sin(k)));

const absolute =
  (f: (...inputs: Tensor[]) => Tensor) =>
  (...inputs: Tensor[]): Tensor =>
    f(...inputs.map((x) => (x.dtype === "int32" ? x : ops.abs(x))));

const product = (shapeA: Shape, shapeB: Shape, options: ops.MatmulOptions = {}): Case => {
  const f = (a: Tensor, b: Tensor): Tensor => ops.matmul(a, b, options);
  return of(
    `of [${shapeA}] and [${shapeB}] ${JSON.stringify(options)}`,
    f as Case["f"],
    () => [floats(shapeA), floats(shapeB, -1, 1, 3)],
    {
      size: absolute(f as (...inputs: Tensor[]) => Tensor),
    },
  );
};

/** Windows of three by two. */
const unfoldTwice = (x: Tensor): Tensor =>
  ops.unfold(ops.unfold(x, 1, { size: 3, into: 3 }), 2, { size: 2, stride: 2, into: 4 });

const convolution = <Options>(
  f: (x: Tensor, weight: Tensor, options?: Options) => Tensor,
  shapeX: Shape,
  shapeWeight: Shape,
  options?: Options,
): Case => {
  const apply = (x: Tensor, weight: Tensor): Tensor => f(x, weight, options);
  return of(
    `of [${shapeX}] and [${shapeWeight}] ${JSON.stringify(options ?? {})}`,
    apply as Case["f"],
    () => [floats(shapeX), floats(shapeWeight, -1, 1, 3)],
    { size: absolute(apply as (...inputs: Tensor[]) => Tensor) },
  );
};

const starts = [-5, 0, 2, 4, 100];

const rowCases = (rows: number, width: number): Case[] => {
  const shape = width < 0 ? [rows] : [rows, width];
  const indices = () => wholes([rows === 0 ? 0 : 23], 0, Math.max(rows - 1, 0));
  return [
    of(
      `of [${shape}]`,
      (table, k) => ops.gather(table, k),
      () => [floats(shape), indices()],
      EXACT,
    ),
    of(
      `of whole [${shape}]`,
      (table, k) => ops.gather(table, k),
      () => [wholes(shape), indices()],
      EXACT,
    ),
  ];
};

const scatterCases = (rows: number, width: number): Case[] => {
  const shape = width < 0 ? [rows] : [rows, width];
  const count = rows === 0 ? 0 : 23;
  const added = width < 0 ? [count] : [count, width];
  const f = (table: Tensor, k: Tensor, more: Tensor): Tensor => ops.scatterAdd(table, k, more);
  return [
    of(
      `to [${shape}]`,
      f as Case["f"],
      () => [floats(shape), wholes([count], 0, Math.max(rows - 1, 0)), floats(added, -1e3, 1e3, 9)],
      EXACT,
    ),
    of(
      `to whole [${shape}]`,
      f as Case["f"],
      () => [wholes(shape), wholes([count], 0, Math.max(rows - 1, 0)), wholes(added, -2e9, 2e9)],
      EXACT,
    ),
  ];
};

const COUNTS = [0, 1, 2, 3, 7, 17, 33, 65, 10_000];
const key = (): Tensor => filled("int32", [2], (k) => (k === 0 ? 123456789 : -987654321));
const draws = (f: (key: Tensor, shape: Shape) => Tensor): Case[] => [
  of(
    "of all lengths",
    (k) => COUNTS.map((count) => f(k, [count])),
    () => [key()],
    EXACT,
  ),
  of(
    "of a tensor",
    (k) => f(k, [3, 7, 5]),
    () => [filled("int32", [2], () => 0)],
    EXACT,
  ),
];

const comparison = (f: Binary): Case[] => binary(f, { more: COMPUTED });

const MATRICES: Shape[] = [
  [2, 3],
  [17, 33],
  [1, 65],
  [7, 1],
  [0, 3],
  [3, 0],
];

/** Name of the exported operation -> what sets of kernels are compared on. */
export const kernelOperations: Readonly<Record<string, readonly KernelOperation[]>> = {
  negate: [
    ...unary(ops.negate, -4, 4, COMPUTED),
    of(
      "of whole numbers",
      (x) => ops.negate(x),
      () => [oddWholes()],
      EXACT,
    ),
  ],
  abs: unary(ops.abs, -4, 4, COMPUTED),
  sign: [
    ...unary(ops.sign, -4, 4, COMPUTED),
    of(
      "of whole numbers",
      (x) => ops.sign(x),
      () => [oddWholes()],
      EXACT,
    ),
  ],
  floor: [
    ...unary(ops.floor, -4, 4, COMPUTED),
    of(
      "of whole numbers",
      (x) => ops.floor(x),
      () => [oddWholes()],
      EXACT,
    ),
  ],
  exp: unary(ops.exp, -100, 88),
  log: unary(ops.log, 1e-6, 1e6),
  log1p: unary(ops.log1p, -0.99, 3),
  expm1: unary(ops.expm1, -3, 3),
  sqrt: unary(ops.sqrt, 0, 1e6),
  reciprocal: unary(ops.reciprocal),
  square: unary(ops.square),
  sin: unary(ops.sin, -40, 40),
  cos: unary(ops.cos, -40, 40),
  tanh: unary(ops.tanh, -10, 10),
  sigmoid: unary(ops.sigmoid, -90, 20),
  relu: unary(ops.relu, -4, 4, COMPUTED),
  softplus: unary(ops.softplus, -90, 20),

  add: binary(ops.add),
  subtract: binary(ops.subtract),
  // Products of whole numbers beyond 2^53 are rounded by the reference, which multiplies in double precision.
  multiply: binary(ops.multiply, { odd: false }),
  divide: binary(ops.divide),
  power: binary(ops.power, { floats: [0.1, 4], wholes: [-7, 7], odd: false }),
  maximum: binary(ops.maximum, { more: COMPUTED }),
  minimum: binary(ops.minimum, { more: COMPUTED }),
  equal: comparison(ops.equal),
  notEqual: comparison(ops.notEqual),
  greater: comparison(ops.greater),
  greaterEqual: comparison(ops.greaterEqual),
  less: comparison(ops.less),
  lessEqual: comparison(ops.lessEqual),
  isFiniteNumber: [
    ...unary(ops.isFiniteNumber, -4, 4, COMPUTED),
    of(
      "of whole numbers",
      (x) => ops.isFiniteNumber(x),
      () => [oddWholes()],
      EXACT,
    ),
  ],
  logicalAnd: binary(ops.logicalAnd, { more: COMPUTED }),
  logicalOr: binary(ops.logicalOr, { more: COMPUTED }),
  logicalNot: [
    of(
      "of whole numbers",
      (x) => ops.logicalNot(x),
      () => [oddWholes()],
      EXACT,
    ),
    ...unary(ops.logicalNot, -4, 4, COMPUTED),
  ],
  clamp: unary((x) => ops.clamp(x, -0.9, 1.1), -4, 4, COMPUTED),
  select: [
    ...SIZES.map((size) =>
      of(
        `of length ${size}`,
        (c, a, b) => ops.select(c, a, b),
        () => [wholes([size], 0, 1), floats([size]), floats([size], -2, 2, 9)],
        EXACT,
      ),
    ),
    of(
      "that keeps odd numbers",
      (c, a) => [ops.select(c, a, 3), ops.select(c, 3, a)],
      () => [wholes([ODD_FLOATS.length], -1, 1), oddFloats()],
      EXACT,
    ),
    of(
      "of whole numbers",
      (c, a, b) => ops.select(c, a, b),
      () => [wholes([7, 1], -1, 1), wholes([7, 17]), wholes([17], 100, 200)],
      EXACT,
    ),
  ],
  cast: [
    of(
      "to whole numbers",
      (x) => ops.cast(x, "int32"),
      () => [oddFloats()],
      COMPUTED,
    ),
    of(
      "of lengths to whole numbers",
      (...x) => x.map((one) => ops.cast(one, "int32")),
      () => SIZES.map((size) => floats([size], -1e5, 1e5)),
      EXACT,
    ),
    of(
      "to floats",
      (x) => ops.cast(x, "float32"),
      () => [oddWholes()],
      EXACT,
    ),
    of(
      "of lengths to floats",
      (...x) => x.map((one) => ops.cast(one, "float32")),
      () => SIZES.map((size) => wholes([size], -2e9, 2e9)),
      EXACT,
    ),
  ],
  stopGradient: movement("of", (x) => ops.stopGradient(x), [3, 7], [0]),

  broadcastTo: [
    ...movement("by an axis in front:", (x) => ops.broadcastTo(x, [3, ...x.shape]), [], [1], [7], [17, 33], [0]),
    ...movement("of columns:", (x) => ops.broadcastTo(x, [7, 33]), [7, 1], [1, 33], [1, 1], [33], []),
    ...movement("to nothing:", (x) => ops.broadcastTo(x, [0, 3]), [1, 3], [3]),
  ],
  sum: reduction(ops.sum, { nothing: true, size: (axes) => (x) => ops.sum(ops.abs(x), { axes }) }),
  mean: reduction(ops.mean, { whole: false, size: (axes) => (x) => ops.mean(ops.abs(x), { axes }) }),
  max: [
    ...reduction(ops.max),
    of(
      "with NaN in it",
      (x) => [ops.max(x, { axes: 0 }), ops.max(x, { axes: 1 })],
      () => [withGaps([17, 33], Number.NaN)],
      EXACT,
    ),
    of(
      "with infinity in it",
      (x) => [ops.max(x, { axes: 0 }), ops.max(x, { axes: 1 })],
      () => [withGaps([17, 33], -Infinity)],
      EXACT,
    ),
  ],
  min: [
    ...reduction(ops.min),
    of(
      "of whole numbers",
      (x) => ops.min(x, { axes: 1 }),
      () => [wholes([17, 33])],
      EXACT,
    ),
    of(
      "with NaN in it",
      (x) => [ops.min(x, { axes: 0 }), ops.min(x, { axes: 1 })],
      () => [withGaps([17, 33], Number.NaN)],
      EXACT,
    ),
  ],
  logSumExp: [
    // Where the logarithm and the maximum cancel, the error is that of the larger one.
    ...REDUCED.map(([shape, axes]) =>
      of(
        `of [${shape}] over [${axes}]`,
        (x) => ops.logSumExp(x, { axes }),
        () => [floats(shape)],
        {
          size: (x) => ops.add(ops.abs(ops.logSumExp(x, { axes })), 2),
        },
      ),
    ),
    of(
      "of large numbers",
      (x) => ops.logSumExp(x, { axes: 1 }),
      () => [floats([17, 33], -3e38, 3e38)],
    ),
    of(
      "of odd numbers by themselves",
      (x) => ops.logSumExp(x, { axes: 1 }),
      () => [ops.reshape(oddFloats(), [-1, 1])],
    ),
  ],
  argmax: [
    ...[0, 1, 2].map((axis) =>
      of(
        `along axis ${axis}`,
        (x) => ops.argmax(x, axis),
        () => [floats([7, 17, 33])],
        EXACT,
      ),
    ),
    ...[0, 1, 2].map((axis) =>
      of(
        `of whole numbers along axis ${axis}`,
        (x) => ops.argmax(x, axis),
        () => [wholes([7, 17, 33], -3, 3)],
        EXACT,
      ),
    ),
    ...SIZES.slice(1).map((size) =>
      of(
        `of ${size}`,
        (x) => [ops.argmax(x), ops.argmax(ops.negate(x))],
        () => [floats([size])],
        EXACT,
      ),
    ),
    of(
      "that tie",
      (x) => [ops.argmax(x, 0), ops.argmax(x, 1)],
      () => [filled("float32", [17, 33], (k) => k % 5)],
      EXACT,
    ),
    of(
      "with NaN in it",
      (x) => [ops.argmax(x, 0), ops.argmax(x, 1)],
      () => [withGaps([17, 33], Number.NaN)],
      EXACT,
    ),
    of(
      "of -0 and 0",
      (x) => ops.argmax(x),
      () => [filled("float32", [2, 3], (k) => (k % 2 === 0 ? -0 : 0))],
      EXACT,
    ),
  ],

  matmul: [
    product([2, 3], [3, 4]),
    product([17, 33], [33, 65]),
    product([33, 17], [33, 7], { transposeA: true }),
    product([3, 17], [65, 17], { transposeB: true }),
    product([7, 5], [3, 7], { transposeA: true, transposeB: true }),
    product([2, 3, 5], [2, 5, 7]),
    product([4, 5, 3], [4, 5, 2], { transposeA: true }),
    product([2, 3, 5], [5, 7]),
    product([3, 5], [2, 5, 4]),
    product([2, 1, 3, 4], [3, 4, 2]),
    product([2, 0], [0, 3]),
    product([0, 2], [2, 3]),
    product([2, 3], [3, 0]),
    product([1, 600], [600, 1]),
    product([13, 300], [300, 40]),
    product([130, 5], [130, 1100], { transposeA: true }),
    of(
      "of whole numbers",
      (a, b) => ops.cast(ops.matmul(ops.cast(a, "float32"), ops.cast(b, "float32")), "int32"),
      () => [wholes([7, 17]), wholes([17, 5])],
      EXACT,
    ),
    of(
      "with NaN and infinity in it",
      (a, b) => ops.matmul(a, b),
      () => [withGaps([7, 5], Infinity), withGaps([5, 17], Number.NaN)],
      {
        size: absolute((a, b) => ops.matmul(a, b)),
      },
    ),
  ],

  reshape: [
    ...movement("of", (x) => ops.reshape(x, [-1]), ...MATRICES.slice(0, 4)),
    ...movement("of transposed", (x) => ops.reshape(ops.transpose(x), [-1]), ...MATRICES.slice(0, 4)),
    ...movement("of sliced", (x) => ops.reshape(ops.slice(x, 1, 0, -1), [-1]), [17, 33], [2, 3]),
  ],
  expandDims: movement("of", (x) => ops.expandDims(x, 1), [3, 7], [0]),
  squeeze: movement("of", (x) => ops.squeeze(ops.negate(ops.negate(x)), 1), [3, 1, 7]),
  transpose: [
    ...movement("of", (x) => ops.transpose(x), ...MATRICES, [], [5], [3, 7, 17], [2, 3, 4, 5]),
    ...movement("by [2,0,1] of", (x) => ops.transpose(x, [2, 0, 1]), [3, 7, 17], [33, 1, 5], [2, 0, 3]),
    ...movement("of six axes:", (x) => ops.transpose(x, [5, 2, 0, 4, 1, 3]), [2, 3, 1, 2, 5, 3]),
  ],
  slice: [
    ...movement("of rows of", (x) => ops.slice(x, 0, 1, 3), [4, 17], [4, 1], [4]),
    ...movement("of columns of", (x) => ops.slice(x, 1, 2, 19), [7, 33], [1, 33]),
    ...movement("with a step of", (x) => ops.slice(x, -1, 1, undefined, 3), [7, 33], [65], [3, 4]),
    ...movement("of nothing of", (x) => ops.slice(x, 0, 2, 2), [4, 3]),
    ...movement("of both axes of", (x) => ops.slice(ops.slice(x, 0, 1, -1, 2), 1, 3, -2), [17, 65]),
  ],
  split: movement("in three of", (x) => ops.split(x, 3), [7, 33], [3], [17, 3]),
  at: movement("from the end of", (x) => [ops.at(x, -2, 1), ops.at(x, 0, 0)], [7, 33], [1, 2]),
  pad: [
    ...movement("on both sides of", (x) => ops.pad(x, -1, 2, 1), [7, 33], [5], [3, 1], [3, 0]),
    ...movement("of rows of", (x) => ops.pad(x, 0, 0, 3), [7, 33], [0, 2]),
    ...movement("behind a transposition of", (x) => ops.pad(ops.transpose(x), 1, 1, 1), [7, 33]),
  ],
  concatenate: [
    ...movement(
      "with itself of",
      (x) => [ops.concatenate([x, x], 0), ops.concatenate([x, x, x], -1)],
      [7, 33],
      [1, 3],
      [65],
      [0, 3],
    ),
    of(
      "of other lengths",
      (...x) => [
        ops.concatenate(x, 1),
        ops.concatenate(
          x.map((y) => ops.transpose(y)),
          0,
        ),
      ],
      () => [floats([17, 3]), floats([17, 0]), floats([17, 33]), floats([17, 1])],
      EXACT,
    ),
    of(
      "of whole numbers and fills",
      (x) => ops.concatenate([ops.ones([2, 3], "int32"), x, ops.zeros([1, 3], "int32")], 0),
      () => [wholes([5, 3])],
      EXACT,
    ),
  ],
  stack: movement(
    "of",
    (x) => [ops.stack([x, x], 0), ops.stack([x, x, x], 1), ops.stack([x, ops.reverse(x)], -1)],
    [7, 33],
    [3, 1],
  ),
  reverse: [
    ...movement("of rows of", (x) => ops.reverse(x, 0), [7, 33], [1, 3], [0, 3], [65]),
    ...movement("of columns of", (x) => ops.reverse(x, -1), [7, 33], [3, 1], [3, 0]),
  ],
  unfold: [
    ...movement("with overlap of", (x) => ops.unfold(x, 0, { size: 3 }), [7, 33], [65], [3, 1], [2, 5], [5, 0]),
    ...movement("with holes of", (x) => ops.unfold(x, -1, { size: 3, stride: 2, dilation: 2 }), [7, 33], [5], [2, 4]),
    ...movement("side by side of", (x) => ops.unfold(x, 1, { size: 4, stride: 4 }), [3, 17, 7], [2, 8]),
    ...movement("behind the features of", (x) => ops.unfold(x, 0, { size: 5, stride: 3, into: -1 }), [17, 3, 7]),
    ...movement("of columns and then of rows of", unfoldTwice, [2, 7, 9, 3], [1, 4, 3, 17]),
    of(
      "read through by arithmetic, transposed",
      (x) => ops.add(ops.square(ops.unfold(ops.transpose(x), 0, { size: 3, stride: 2, into: -1 })), 1),
      () => [floats([7, 17])],
    ),
  ],
  fold: [
    ...[floats, wholes].flatMap((make) => [
      of(
        `with overlap of ${make([]).dtype}`,
        (x) => ops.fold(x, 0, 7),
        () => [make([5, 3, 33])],
        EXACT,
      ),
      of(
        `with holes of ${make([]).dtype}`,
        (x) => ops.fold(x, 1, 12, { stride: 3, dilation: 2, into: -1 }),
        () => [make([2, 3, 17, 3])],
        EXACT,
      ),
      of(
        `in rows of all lengths of ${make([]).dtype}`,
        (...x) => x.map((windows) => ops.fold(windows, 0, 9, { stride: 2, into: 2 })),
        () => SIZES.map((size) => make([4, 2, 3, size])),
        EXACT,
      ),
      of(
        `of no windows of ${make([]).dtype}`,
        (x) => ops.fold(x, 0, 2),
        () => [make([0, 3, 5])],
        EXACT,
      ),
    ]),
  ],
  conv1d: [
    convolution(ops.conv1d, [9, 3, 5], [7, 3, 5]),
    convolution(ops.conv1d, [17, 2, 4], [6, 3, 2], { groups: 2, stride: 2, padding: "same" }),
    convolution(ops.conv1d, [17, 3, 8], [8, 3, 1], { groups: 8, dilation: 2, padding: "causal" }),
    convolution(ops.conv1d, [2, 3, 5], [7, 3, 5]),
    convolution(ops.conv1d, [4, 3, 5], [7, 1, 5], { padding: [1, 2] }),
  ],
  conv2d: [
    convolution(ops.conv2d, [2, 5, 7, 3], [4, 3, 2, 3]),
    convolution(ops.conv2d, [2, 5, 6, 4], [4, 3, 3, 1], { groups: 4, stride: [1, 2], padding: "same" }),
    convolution(ops.conv2d, [1, 7, 6, 4], [6, 2, 3, 2], { groups: 2, dilation: [3, 1], stride: 2 }),
  ],

  gather: [
    ...rowCases(5, 1),
    ...rowCases(5, 7),
    ...rowCases(33, 17),
    ...rowCases(3, 65),
    ...rowCases(1, 3),
    ...rowCases(4, -1),
    ...rowCases(0, 3),
    ...rowCases(4, 0),
    of(
      "by a matrix of indices",
      (t, k) => ops.gather(t, k),
      () => [floats([5, 3, 2]), wholes([3, 7], 0, 4)],
      EXACT,
    ),
    of(
      "that keeps odd numbers",
      (t, k) => ops.gather(t, k),
      () => [oddFloats(), wholes([100], 0, ODD_FLOATS.length - 1)],
      EXACT,
    ),
  ],
  scatterAdd: [
    ...scatterCases(5, 1),
    ...scatterCases(5, 7),
    ...scatterCases(33, 17),
    ...scatterCases(3, 65),
    ...scatterCases(1, 3),
    ...scatterCases(4, -1),
    ...scatterCases(0, 3),
    ...scatterCases(4, 0),
    of(
      "to zeros",
      (k, rows) => ops.scatterAdd(ops.zeros([6, 3]), k, rows),
      () => [wholes([2, 17], 0, 5), floats([2, 17, 3])],
      EXACT,
    ),
  ],
  oneHot: [
    of(
      "of all lengths",
      (k) => SIZES.map((size) => ops.oneHot(k, size)),
      () => [wholes([3, 7], -2, 40)],
      EXACT,
    ),
    of(
      "of whole numbers",
      (k) => ops.oneHot(k, 5, "int32"),
      () => [wholes([17], -1, 6)],
      EXACT,
    ),
  ],
  dynamicSlice: starts.flatMap((start) => [
    of(
      `from ${start}`,
      (x, k) => [ops.dynamicSlice(x, k, 3), ops.dynamicSlice(x, k, 0), ops.dynamicSlice(x, k, 7)],
      () => [floats([7, 17]), scalar(start)],
      EXACT,
    ),
    of(
      `from ${start} along the last axis`,
      (x, k) => ops.dynamicSlice(x, k, 2, -1),
      () => [wholes([3, 5, 7]), scalar(start)],
      EXACT,
    ),
  ]),
  dynamicUpdate: starts.flatMap((start) => [
    of(
      `from ${start}`,
      (x, y, k) => ops.dynamicUpdate(x, y, k),
      () => [floats([7, 17]), floats([3, 17], 5, 6), scalar(start)],
      EXACT,
    ),
    of(
      `from ${start} along the last axis`,
      (x, y, k) => ops.dynamicUpdate(x, y, k, -1),
      () => [wholes([3, 5, 7]), wholes([3, 5, 2], 50, 90), scalar(start)],
      EXACT,
    ),
    of(
      `from ${start}, of all and of nothing`,
      (x, y, z, k) => [ops.dynamicUpdate(x, y, k), ops.dynamicUpdate(x, z, k)],
      () => [floats([7, 3]), floats([7, 3], 5, 6), floats([0, 3]), scalar(start)],
      EXACT,
    ),
  ]),

  fill: [
    of(
      "of numbers",
      () => [2.5, -0, Number.NaN, Infinity, 1e-40].map((value) => ops.fill([3, 5], value)),
      () => [],
      EXACT,
    ),
    of(
      "beside an argument",
      (x) => [ops.fill([0], 1), ops.fill([], 7, "int32"), ops.concatenate([ops.fill([3], -0), x])],
      () => [floats([2])],
      EXACT,
    ),
  ],
  zeros: [
    of(
      "",
      (x) => [ops.zeros([3, 5]), ops.zeros([7], "int32"), ops.add(ops.zeros([7]), x)],
      () => [floats([7])],
      EXACT,
    ),
  ],
  ones: [
    of(
      "",
      (x) => [ops.ones([3, 5]), ops.ones([7], "int32"), ops.subtract(ops.ones([7]), x)],
      () => [floats([7])],
    ),
  ],
  zerosLike: [
    of(
      "",
      (x, n) => [ops.zerosLike(x), ops.zerosLike(n)],
      () => [floats([2, 7]), wholes([3])],
      EXACT,
    ),
  ],
  range: [
    of(
      "",
      (x) => [ops.range(17), ops.range(0), ops.range(5, "float32"), ops.add(ops.range(17), x)],
      () => [wholes([17])],
      EXACT,
    ),
  ],
  identity: [
    of(
      "",
      (x) => [ops.identity(7), ops.identity(0), ops.identity(3, "int32"), ops.matmul(x, ops.identity(7))],
      () => [floats([3, 7])],
      EXACT,
    ),
  ],

  randomKey: [
    of(
      "is a constant",
      () => ops.randomKey(7),
      () => [],
      EXACT,
    ),
  ],
  splitKey: [
    of(
      "in any number",
      (k) => [0, 1, 2, 3, 5, 17].map((count) => ops.splitKey(k, count)),
      () => [key()],
      EXACT,
    ),
  ],
  foldIn: [
    of(
      "of any number",
      (k, ...n) => n.map((one) => ops.foldIn(k, one)),
      () => [key(), ...[0, 1, -1, 2147483647, -2147483648].map(scalar)],
      EXACT,
    ),
  ],
  uniform: draws((k, shape) => ops.uniform(k, shape)),
  normal: draws((k, shape) => ops.normal(k, shape)),
  bernoulli: draws((k, shape) => ops.bernoulli(k, 0.3, shape)),
};

/** Exported functions that are no operations. */
export const noOperations: readonly string[] = ["defineOperation", "addDerivatives", "paddingOf", "windowCount"];
