// Random numbers as pure functions of a key, int32[2]: the same bits as the reference gives, on every kernel.
//
// Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror & Shaw 2011, doi:10.1145/2063384.2063405) and the normal quantile
// by algorithm AS 241 (Wichura 1988, Applied Statistics 37, 477-484).
#pragma once

#include "simd.hpp"

// The normal quantile rounds after each multiplication and each addition, so the compiler may not fuse the two:
// TT_NOT_FUSED goes before a function that is not inlined and covers all that is inlined into it (GCC),
// TT_NOT_FUSED_BODY begins the body of each function that calculates (Clang).
#ifdef __clang__
#define TT_NOT_FUSED
#define TT_NOT_FUSED_BODY _Pragma("clang fp contract(off)")
#else
#define TT_NOT_FUSED __attribute__((noinline, optimize("fp-contract=off")))
#define TT_NOT_FUSED_BODY
#endif

namespace tt::TT_VARIANT {

/// Four rounds. Words are uint32_t, or vectors of them.
template <int ROTATION0, int ROTATION1, int ROTATION2, int ROTATION3, typename Words>
TT_INLINE void threefryRounds(Words& x0, Words& x1) {
  x0 += x1, x1 = ((x1 << ROTATION0) | (x1 >> (32 - ROTATION0))) ^ x0;
  x0 += x1, x1 = ((x1 << ROTATION1) | (x1 >> (32 - ROTATION1))) ^ x0;
  x0 += x1, x1 = ((x1 << ROTATION2) | (x1 >> (32 - ROTATION2))) ^ x0;
  x0 += x1, x1 = ((x1 << ROTATION3) | (x1 >> (32 - ROTATION3))) ^ x0;
}

/// Encrypts the counter (x0, x1), in place. Words are uint32_t, or vectors of them, each lane with its own counter.
template <typename Words>
TT_INLINE void threefry2x32(const int32_t* key, Words& x0, Words& x1) {
  const uint32_t key0 = (uint32_t)key[0], key1 = (uint32_t)key[1], key2 = key0 ^ key1 ^ 0x1bd11bda;
  x0 += key0, x1 += key1;
  threefryRounds<13, 15, 26, 6>(x0, x1);
  x0 += key1, x1 += key2 + 1;
  threefryRounds<17, 29, 16, 24>(x0, x1);
  x0 += key2, x1 += key0 + 2;
  threefryRounds<13, 15, 26, 6>(x0, x1);
  x0 += key0, x1 += key1 + 3;
  threefryRounds<17, 29, 16, 24>(x0, x1);
  x0 += key1, x1 += key2 + 4;
  threefryRounds<13, 15, 26, 6>(x0, x1);
  x0 += key2, x1 += key0 + 5;
}

// Each use of a key encrypts counters of its own kind, so that the numbers of two uses of one key differ.
constexpr uint32_t SPLIT_KIND = 0x40000000;
constexpr uint32_t FOLD_KIND = 0x20000000;

/// `count` new keys. `to`: [count, 2], apart from `key`.
inline void splitKey(int32_t* to, const int32_t* key, int64_t count) {
  for (int64_t k = 0; k < count; k++) {
    uint32_t x0 = (uint32_t)k, x1 = SPLIT_KIND;
    threefry2x32(key, x0, x1);
    to[2 * k] = (int32_t)x0;
    to[2 * k + 1] = (int32_t)x1;
  }
}

/// A new key for a whole number. `to`: [2], may be `key`.
inline void foldIn(int32_t* to, const int32_t* key, int32_t number) {
  uint32_t x0 = (uint32_t)number, x1 = FOLD_KIND;
  threefry2x32(key, x0, x1);
  to[0] = (int32_t)x0;
  to[1] = (int32_t)x1;
}

/// The random words of the counters (first, 0), (first + 1, 0), ..., one in each lane.
TT_INLINE void drawWords(const int32_t* key, uint32_t first, Bits& high, Bits& low) {
  uint32_t counters[WIDTH];
  for (int lane = 0; lane < WIDTH; lane++) counters[lane] = first + (uint32_t)lane;
  high = load<Bits>(counters);
  low = Bits{};
  threefry2x32(key, high, low);
}

/// Equally likely numbers in [0, 1) of the counters from `first` on, multiples of 2^-24.
TT_INLINE Floats drawUniform(const int32_t* key, uint32_t first) {
  Bits high, low;
  drawWords(key, first, high, low);
  return toFloats((Ints)(high >> 8)) * 0x1p-24f;
}

/// Equally likely numbers in [0, 1). `to`: [count], apart from `key`.
inline void uniform(float* to, const int32_t* key, int64_t count) {
  int64_t k = 0;
  // Two vectors at once keep the processor busy: within one, each step waits for the one before.
  for (; k + 2 * WIDTH <= count; k += 2 * WIDTH) {
    const Floats one = drawUniform(key, (uint32_t)k), other = drawUniform(key, (uint32_t)(k + WIDTH));
    store(to + k, one);
    store(to + k + WIDTH, other);
  }
  for (; k < count; k += WIDTH) {
    const Floats last = drawUniform(key, (uint32_t)k);
    std::memcpy(to + k, &last, (count - k < WIDTH ? count - k : WIDTH) * sizeof(float));
  }
}

/// A polynomial of degree 7, lowest power first, of a number or of each lane.
template <typename Number>
TT_INLINE Number polynomial(const double (&coefficients)[8], Number x) {
  TT_NOT_FUSED_BODY
  Number sum = x * coefficients[7] + coefficients[6];
  for (int power = 5; power >= 0; power--) sum = sum * x + coefficients[power];
  return sum;
}

/// Natural logarithm of a normal positive number: x = m 2^e, log x = e log 2 + 2 artanh((m-1)/(m+1)).
TT_INLINE double exactLog(double x) {
  TT_NOT_FUSED_BODY
  static constexpr double SERIES[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                      1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  int exponent = (int)(bits >> 52) - 1023;
  bits = (bits & 0xfffffffffffff) | 0x3ff0000000000000;
  double mantissa;
  std::memcpy(&mantissa, &bits, sizeof mantissa);
  if (mantissa > 1.4142135623730951) {  // the square root of 2
    mantissa /= 2;
    exponent += 1;
  }
  const double s = (mantissa - 1) / (mantissa + 1);
  const double square = s * s;
  double series = 0;
  for (double coefficient : SERIES) series = series * square + coefficient;
  return exponent * 0.6931471805599453 + 2 * s * series;
}

constexpr double QUANTILE_CENTRE = 0.425;  // p within this distance of 1/2 takes quantileOfCentre, else quantileOfTail

/// The standard normal quantile of p = 1/2 + q near 1/2. A number or each lane.
template <typename Number>
TT_INLINE Number quantileOfCentre(Number q) {
  TT_NOT_FUSED_BODY
  static constexpr double TOP[8] = {3.387132872796366608,    1.3314166789178437745e2, 1.9715909503065514427e3,
                                    1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                    3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double BOTTOM[8] = {1,
                                       4.2313330701600911252e1,
                                       6.871870074920579083e2,
                                       5.3941960214247511077e3,
                                       2.1213794301586595867e4,
                                       3.930789580009271061e4,
                                       2.8729085735721942674e4,
                                       5.226495278852854561e3};
  const Number r = 0.180625 - q * q;
  return (q * polynomial(TOP, r)) / polynomial(BOTTOM, r);
}

/// The standard normal quantile of p = 1/2 + q far from 1/2.
TT_INLINE double quantileOfTail(double p, double q) {
  TT_NOT_FUSED_BODY
  static constexpr double MIDDLE_TOP[8] = {1.42343711074968357734,   4.6303378461565452959,    5.7694972214606914055,
                                           3.64784832476320460504,   1.27045825245236838258,   2.4178072517745061177e-1,
                                           2.27238449892691845833e-2, 7.7454501427834140764e-4};
  static constexpr double MIDDLE_BOTTOM[8] = {1,
                                              2.05319162663775882187,
                                              1.6763848301838038494,
                                              6.8976733498510000455e-1,
                                              1.4810397642748007459e-1,
                                              1.51986665636164571966e-2,
                                              5.475938084995344946e-4,
                                              1.05075007164441684324e-9};
  static constexpr double TAIL_TOP[8] = {6.6579046435011037772,     5.4637849111641143699,     1.7848265399172913358,
                                         2.9656057182850489123e-1,  2.6532189526576123093e-2,  1.2426609473880784386e-3,
                                         2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double TAIL_BOTTOM[8] = {1,
                                            5.9983220655588793769e-1,
                                            1.3692988092273580531e-1,
                                            1.48753612908506148525e-2,
                                            7.868691311456132591e-4,
                                            1.8463183175100546818e-5,
                                            1.4215117583164458887e-7,
                                            2.04426310338993978564e-15};
  const double r = __builtin_sqrt(-exactLog(q < 0 ? p : 1 - p));
  const double z = r <= 5 ? polynomial(MIDDLE_TOP, r - 1.6) / polynomial(MIDDLE_BOTTOM, r - 1.6)
                          : polynomial(TAIL_TOP, r - 5) / polynomial(TAIL_BOTTOM, r - 5);
  return q < 0 ? -z : z;
}

/// Numbers from the standard normal distribution: the quantile of the middle of one of 2^52 equal intervals.
/// `to`: [count], apart from `key`.
TT_NOT_FUSED inline void normal(float* to, const int32_t* key, int64_t count) {
  TT_NOT_FUSED_BODY
  constexpr int LANES = WIDTH / 2;
  typedef double Numbers __attribute__((vector_size(LANES * 8)));
  typedef int32_t Wholes __attribute__((vector_size(LANES * 4)));
  for (int64_t k = 0; k < count; k += WIDTH) {
    Bits high, low;
    drawWords(key, (uint32_t)k, high, low);
    uint32_t highs[WIDTH], lows[WIDTH];
    store(highs, high >> 6);
    store(lows, low >> 6);
    float drawn[WIDTH];
    for (int first = 0; first < WIDTH; first += LANES) {
      const Numbers whole = __builtin_convertvector(load<Wholes>(highs + first), Numbers) * 0x1p26 +
                            __builtin_convertvector(load<Wholes>(lows + first), Numbers);
      const Numbers p = (whole + 0.5) * 0x1p-52;
      const Numbers q = p - 0.5;
      const Numbers centre = quantileOfCentre(q);
      for (int lane = 0; lane < LANES; lane++) {
        const bool isCentre = q[lane] >= -QUANTILE_CENTRE && q[lane] <= QUANTILE_CENTRE;
        drawn[first + lane] = (float)(isCentre ? centre[lane] : quantileOfTail(p[lane], q[lane]));
      }
    }
    std::memcpy(to + k, drawn, (count - k < WIDTH ? count - k : WIDTH) * sizeof(float));
  }
}

}  // namespace tt::TT_VARIANT
