// What the words of a machine program mean. src/runtime/machine/codes.ts holds the same lists; a test compares them.
#pragma once

#include <cstdint>

namespace tt {

/// Instructions. Each is [code, number of words of the whole instruction, ...]; places in memory are numbers of table entries.
enum class Instruction : int32_t {
  end,
  loop,            // length, reverse, words of the body, count, count x {place, source, bytes per step}, body
  elementwise,     // see elementwise.hpp
  elementwiseFew,  // see elementwise-few.hpp
  copy,            // to, from, bytes
  pack,            // to, from, K, N, row stride, column stride
  multiply,        // c, a, b, d or -1, M, K, N, a row, a column, b row, b column, ldc, ldd, count, a next, b next, c next
  multiplyPacked,  // c, a, packed, d or -1, M, K, N, lda, ldc, ldd
  sum,             // to, from, rank, sizes[rank], strides[rank], reduced[rank] (1: this axis is added up)
  sumInt,
  max,             // to, from, outer, length, inner
  maxInt,
  argmax,          // to, from, outer, length, inner
  argmaxInt,
  gather,          // to, table, indices, rows, width, count
  scatterAdd,      // to, table, indices, rows added, rows, width, count
  scatterAddInt,
  dynamicSlice,    // to, from, start, blocks, length of the axis, length of the window, stride
  dynamicUpdate,   // to, from, window, start, blocks, length of the axis, length of the window, stride
  fold,            // to, from, outer, length, middle, inner, count, size, stride, dilation
  foldInt,
  splitKey,        // to, key, count
  foldIn,          // to, key, number
  uniform,         // to, key, count
  normal,          // to, key, count
};

/// Operations on elements. The names are those of the toolkit's operations; ...Int: on whole numbers.
enum class Element : int32_t {
  move,
  negate,
  abs,
  sign,
  floor,
  exp,
  log,
  log1p,
  expm1,
  sqrt,
  reciprocal,
  square,
  sin,
  cos,
  tanh,
  sigmoid,
  softplus,
  relu,
  isFinite,
  toFloat,
  toInt,
  add,
  subtract,
  multiply,
  divide,
  power,
  maximum,
  minimum,
  equal,
  notEqual,
  greater,
  greaterEqual,
  less,
  lessEqual,
  select,
  negateInt,
  absInt,
  signInt,
  squareInt,
  addInt,
  subtractInt,
  multiplyInt,
  divideInt,
  powerInt,
  maximumInt,
  minimumInt,
  equalInt,
  notEqualInt,
  greaterInt,
  greaterEqualInt,
  lessInt,
  lessEqualInt,
  sum,              // adds up the last axis of a, or of a b: the destination's stride there is 0, and it is written once, at the end
  multiplyAdd,      // a b + c
  subtractProduct,  // c - a b
  accumulate,       // adds a, or a b, to the destination, row by row: its rows may be one and the same
  load,             // these only where there are few elements: see elementwise-few.hpp
  loadNumber,
  loadStrided,
  store,
  storeStrided,
  end,
};

/// What run() gives back. The second and third word of the failure say more.
enum class Failure : int32_t {
  none,
  rowOutside,  // gather or scatterAdd: row, rows, instruction
  unknownInstruction,
};

}  // namespace tt
