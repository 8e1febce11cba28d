// The operations on elements, of vectors, and what the instructions that execute them share.
#pragma once

#include "codes.hpp"
#include "math.hpp"

namespace tt::TT_VARIANT {

// ---------------------------------------------------------------------------------------------------- the operations

TT_INLINE Floats sameBits(Ints x) { return (Floats)x; }
TT_INLINE Ints wholes(Floats x) { return (Ints)x; }

/// Masks have -1 in lanes that hold; comparisons give 1.
TT_INLINE Floats oneWhere(Ints mask) { return (Floats)-mask; }

/// Applies an operation on single whole numbers to each lane.
template <int32_t compute(int32_t, int32_t)>
TT_INLINE Floats eachLane(Floats a, Floats b) {
  Ints result;
  for (int lane = 0; lane < WIDTH; lane++) result[lane] = compute(wholes(a)[lane], wholes(b)[lane]);
  return (Floats)result;
}

TT_INLINE Floats addBits(Floats a, Floats b) { return (Floats)((Bits)a + (Bits)b); }
TT_INLINE Floats subtractBits(Floats a, Floats b) { return (Floats)((Bits)a - (Bits)b); }
TT_INLINE Floats multiplyBits(Floats a, Floats b) { return (Floats)((Bits)a * (Bits)b); }

/// Every operation but sum and accumulate: name, number of sources, result. The blocks hold whole numbers as the bits of floats;
/// arithmetic on whole numbers goes by unsigned ones, as those may wrap.
#define TT_ELEMENT_OPERATIONS(define)                                           \
  define(move, 1, a)                                                            \
  define(negate, 1, -a)                                                         \
  define(abs, 1, absolute(a))                                                   \
  define(sign, 1, sign(a))                                                      \
  define(floor, 1, floor(a))                                                    \
  define(exp, 1, exp(a))                                                        \
  define(log, 1, log(a))                                                        \
  define(log1p, 1, log1p(a))                                                    \
  define(expm1, 1, expm1(a))                                                    \
  define(sqrt, 1, sqrt(a))                                                      \
  define(reciprocal, 1, 1.0f / a)                                               \
  define(square, 1, a * a)                                                      \
  define(sin, 1, sin(a))                                                        \
  define(cos, 1, cos(a))                                                        \
  define(tanh, 1, tanh(a))                                                      \
  define(sigmoid, 1, sigmoid(a))                                                \
  define(softplus, 1, softplus(a))                                              \
  define(relu, 1, relu(a))                                                      \
  define(isFinite, 1, sameBits(isFinite(a)))                                    \
  define(toFloat, 1, toFloats(wholes(a)))                                       \
  define(toInt, 1, sameBits(toInt32(a)))                                        \
  define(add, 2, a + b)                                                         \
  define(subtract, 2, a - b)                                                    \
  define(multiply, 2, a * b)                                                    \
  define(divide, 2, a / b)                                                      \
  define(power, 2, power(a, b))                                                 \
  define(maximum, 2, maximum(a, b))                                             \
  define(minimum, 2, minimum(a, b))                                             \
  define(equal, 2, oneWhere(a == b))                                            \
  define(notEqual, 2, oneWhere(a != b))                                         \
  define(greater, 2, oneWhere(a > b))                                           \
  define(greaterEqual, 2, oneWhere(a >= b))                                     \
  define(less, 2, oneWhere(a < b))                                              \
  define(lessEqual, 2, oneWhere(a <= b))                                        \
  define(select, 3, choose(wholes(a) != 0, b, c))                               \
  define(negateInt, 1, subtractBits(Floats{}, a))                               \
  define(absInt, 1, choose(wholes(a) < 0, subtractBits(Floats{}, a), a))        \
  define(signInt, 1, sameBits((wholes(a) < 0) - (wholes(a) > 0)))               \
  define(squareInt, 1, multiplyBits(a, a))                                      \
  define(addInt, 2, addBits(a, b))                                              \
  define(subtractInt, 2, subtractBits(a, b))                                    \
  define(multiplyInt, 2, multiplyBits(a, b))                                    \
  define(divideInt, 2, eachLane<divideInt>(a, b))                               \
  define(powerInt, 2, eachLane<powerInt>(a, b))                                 \
  define(maximumInt, 2, choose(wholes(a) > wholes(b), a, b))                    \
  define(minimumInt, 2, choose(wholes(a) < wholes(b), a, b))                    \
  define(equalInt, 2, oneWhere(wholes(a) == wholes(b)))                         \
  define(notEqualInt, 2, oneWhere(wholes(a) != wholes(b)))                      \
  define(greaterInt, 2, oneWhere(wholes(a) > wholes(b)))                        \
  define(greaterEqualInt, 2, oneWhere(wholes(a) >= wholes(b)))                  \
  define(lessInt, 2, oneWhere(wholes(a) < wholes(b)))                           \
  define(lessEqualInt, 2, oneWhere(wholes(a) <= wholes(b)))                     \
  define(multiplyAdd, 3, tt::TT_VARIANT::multiplyAdd(a, b, c))                  \
  define(subtractProduct, 3, tt::TT_VARIANT::multiplyAdd(-a, b, c))

#define TT_DEFINE(name, count, result)                                                                  \
  struct name##Operation {                                                                              \
    static constexpr int sources = count;                                                               \
    static TT_INLINE Floats apply(Floats a, [[maybe_unused]] Floats b, [[maybe_unused]] Floats c) { return result; } \
  };
TT_ELEMENT_OPERATIONS(TT_DEFINE)
#undef TT_DEFINE

// ------------------------------------------------------------------------------------------------------------ vectors

/// Sum of neighbouring floats, or of their products with others: several in parallel, then in double precision.
template <bool product = false>
inline double sumOf(const char* a, int64_t count, [[maybe_unused]] const char* b = nullptr) {
  const auto added = [=](Floats sum, int64_t at) {
    return product ? multiplyAdd(load(a + 4 * at), load(b + 4 * at), sum) : sum + load(a + 4 * at);
  };
  Floats sums[4] = {};
  int64_t at = 0;
  for (; at + 4 * WIDTH <= count; at += 4 * WIDTH) {
    for (int k = 0; k < 4; k++) sums[k] = added(sums[k], at + k * WIDTH);
  }
  for (; at + WIDTH <= count; at += WIDTH) sums[0] = added(sums[0], at);
  const Floats together = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = 0;
  for (int lane = 0; lane < WIDTH; lane++) total += together[lane];
  for (; at < count; at++) {
    float x, y = 1;
    std::memcpy(&x, a + 4 * at, sizeof x);
    if (product) std::memcpy(&y, b + 4 * at, sizeof y);
    total += x * y;
  }
  return total;
}

}  // namespace tt::TT_VARIANT
