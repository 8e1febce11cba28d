// Functions of vectors of floats, without a mathematical library: exp, log, sin, tanh and their kin.
//
// Largest relative errors (test/math-test.cpp measures them): exp, expm1 1.5e-7, log 0.8e-7, log1p 1.3e-7, tanh 3.8e-7,
// sigmoid 2.3e-7, softplus 1.9e-7, power 0.6e-7; largest absolute error of sin and cos 1e-7. Polynomials are minimax
// approximations to the quantity named beside them, found by reweighted least squares on Chebyshev points.
#pragma once

#include "simd.hpp"

namespace tt::TT_VARIANT {

constexpr float INFINITE = __builtin_inff();
constexpr float NOT_A_NUMBER = __builtin_nanf("");

// Arithmetic on the bits of floats goes by unsigned numbers, which may wrap (for NaN, for one).
constexpr uint32_t ONE_BITS = 0x3f800000;
constexpr uint32_t SIGN_BIT = 0x80000000;
constexpr uint32_t EXPONENT_STEP = 0x00800000;

/// Whether any lane of a mask is set.
TT_INLINE bool any(Ints mask) {
  uint64_t parts[WIDTH / 2];
  std::memcpy(parts, &mask, sizeof parts);
  uint64_t together = 0;
  for (uint64_t part : parts) together |= part;
  return together != 0;
}

/// Horner's rule: first + x (second + x (...)), of vectors or of single numbers.
template <typename Value, typename Coefficient>
TT_INLINE Value polynomial(Value, Coefficient last) {
  return last + Value{};
}
template <typename Value, typename Coefficient, typename... More>
TT_INLINE Value polynomial(Value x, Coefficient first, More... more) {
  return multiplyAdd(polynomial(x, more...), x, first + Value{});
}

// ------------------------------------------------------------------------------------------------- signs and rounding

TT_INLINE Floats absolute(Floats x) { return floatsOf(bitsOf(x) & ~SIGN_BIT); }

/// `x` with the sign of `from`; `x` must not have the opposite one, unless it is 0.
TT_INLINE Floats withSign(Floats x, Floats from) { return floatsOf(bitsOf(x) | (bitsOf(from) & SIGN_BIT)); }

/// -1, 0 or 1; zeros keep their sign, NaN stays.
TT_INLINE Floats sign(Floats x) { return choose(x > 0.0f, splat(1.0f), choose(x < 0.0f, splat(-1.0f), x)); }

TT_INLINE Floats floor(Floats x) {
  const Ints small = absolute(x) < 0x1p23f;  // others are whole, infinite or NaN
  const Floats towardsZero = toFloats(toInts(choose(small, x, splat(0.0f))));
  const Floats below = choose(towardsZero > x, towardsZero - 1.0f, towardsZero);
  return choose(small, withSign(below, x), x);  // -0 stays -0
}

TT_INLINE Floats relu(Floats x) { return atLeast(0.0f, x); }

TT_INLINE Ints isFinite(Floats x) { return -(absolute(x) < INFINITE); }

/// NaN if either is; of zeros, +0.
TT_INLINE Floats maximum(Floats a, Floats b) {
  const Floats larger = choose(a > b, a, choose(a == b, floatsOf(bitsOf(a) & bitsOf(b)), b));
  return choose(a == a, larger, a);
}

/// NaN if either is; of zeros, -0.
TT_INLINE Floats minimum(Floats a, Floats b) {
  const Floats smaller = choose(a < b, a, choose(a == b, floatsOf(bitsOf(a) | bitsOf(b)), b));
  return choose(a == a, smaller, a);
}

TT_INLINE Floats sqrt(Floats x) {
  Floats root;
  for (int lane = 0; lane < WIDTH; lane++) root[lane] = __builtin_sqrtf(x[lane]);
  return root;
}

// ------------------------------------------------------------------------------------------------------- exponentials

/// Adding this to a small number rounds it to a whole one, which then stands in the low bits of the sum.
constexpr float ROUNDER = 0x1.8p23f;

/// eˣ = 4ⁿ (1 + rest), |rest| < 1.001, for |x| < 2²⁰.
struct Exponential {
  Floats rest;
  Floats rounded;  // n + ROUNDER
};

TT_INLINE Exponential exponential(Floats x) {
  // x = 2 n ln 2 + r with |r| <= ln 2. Powers of 4, because 2ⁿ then has a normal exponent for every float result.
  const Floats rounded = multiplyAdd(x, splat(0.72134752f), splat(ROUNDER));  // 1 / (2 ln 2)
  const Floats n = rounded - ROUNDER;
  // 2 ln 2 in two parts; the first has 12 bits, so n times it is exact
  const Floats r = multiplyAdd(n, splat(-0x1.0bfbe8p-14f), multiplyAdd(n, splat(-0x1.62ep+0f), x));
  // (eʳ - 1 - r) / r², error 5e-9 of eʳ - 1
  const Floats q = polynomial(r, 0.5f, 1.666667163e-01f, 4.166661948e-02f, 8.332626894e-03f, 1.389042940e-03f,
                              2.009602322e-04f, 2.478113674e-05f);
  return {multiplyAdd(r * r, q, r), rounded};
}

#if TT_WIDTH == 16
/// eˣ for |x| < 110. AVX-512 multiplies by a power of 2 in one instruction that may overflow or become denormal.
TT_INLINE Floats expNearZero(Floats x) {
  // x = n ln 2 + r with |r| <= ln 2 / 2
  const Floats n = multiplyAdd(x, splat(1.44269504f), splat(ROUNDER)) - ROUNDER;
  // ln 2 in two parts; the first has 12 bits, so n times it is exact
  const Floats r = multiplyAdd(n, splat(-0x1.7f7d1cp-20f), multiplyAdd(n, splat(-0x1.62e4p-1f), x));
  // (eʳ - 1 - r) / r², error 1.4e-8 of eʳ - 1
  const Floats q = polynomial(r, 4.9999997e-01f, 1.6666543e-01f, 4.1667200e-02f, 8.3665970e-03f, 1.3882502e-03f);
  return (Floats)_mm512_scalef_ps((__m512)(multiplyAdd(r * r, q, r) + 1.0f), (__m512)n);
}
#else
/// 2ⁿ, from n + ROUNDER
TT_INLINE Floats powerOfTwo(Floats rounded) { return floatsOf((bitsOf(rounded) << 23) + ONE_BITS); }

/// eˣ for |x| < 110; in two steps, so that only the last can overflow or become denormal.
TT_INLINE Floats expNearZero(Floats x) {
  const Exponential e = exponential(x);
  const Floats scale = powerOfTwo(e.rounded);
  return multiplyAdd(e.rest, scale, scale) * scale;
}
#endif

TT_INLINE Floats exp(Floats x) { return expNearZero(atLeast(-104.0f, atMost(89.0f, x))); }

/// e^-|x|
TT_INLINE Floats expMinusAbsolute(Floats x) { return expNearZero(-atMost(104.0f, absolute(x))); }

/// (eˣ - 1) / 2 for -20 < x < 89.4; half, because 4⁶⁴ is infinite.
TT_INLINE Floats halfExpm1(Floats x) {
  const Exponential e = exponential(x);
  const Floats half = floatsOf((bitsOf(e.rounded) << 24) + (ONE_BITS - EXPONENT_STEP));  // 4ⁿ / 2
  return multiplyAdd(half, e.rest, half - 0.5f);
}

TT_INLINE Floats expm1(Floats x) {
  const Floats y = 2.0f * halfExpm1(atLeast(-18.0f, atMost(89.0f, x)));
  return choose(absolute(x) < 0x1p-24f, x, y);  // keeps -0, and denormals
}

TT_INLINE Floats sigmoid(Floats x) {
  const Floats t = expNearZero(atLeast(-104.0f, atMost(88.0f, x)));
  return t / (t + 1.0f);
}

TT_INLINE Floats tanh(Floats x) {
  // For |x| <= 9.02 a quotient of polynomials of x², error 2.1e-8 of tanh x; beyond it is 1, which the quotient may exceed by two roundings.
  const Floats near = atLeast(-9.02f, atMost(9.02f, x));
  const Floats square = near * near;
  const Floats above = polynomial(square, 1.0f, 1.337972501e-01f, 3.494042716e-03f, 2.058360621e-05f, 1.331922797e-08f);
  const Floats below = polynomial(square, 1.0f, 4.671304026e-01f, 2.587110484e-02f, 3.283105776e-04f, 7.762086908e-07f);
  return atLeast(-1.0f, atMost(1.0f, near * above / below));
}

// --------------------------------------------------------------------------------------------------------- logarithms

/// x = 2ᵉ m with m in [√½, √2), for positive normal finite x.
struct Decomposed {
  Ints exponent;
  Floats mantissa;
};

TT_INLINE Decomposed decompose(Floats x) {
  const Ints exponent = (Ints)(bitsOf(x) - 0x3f3504f3u) >> 23;  // bits of √½
  return {exponent, floatsOf(bitsOf(x) - ((Bits)exponent << 23))};
}

/// e ln 2 + log(1 + f) for f in [√½ - 1, √2 - 1].
TT_INLINE Floats logOfParts(Floats e, Floats f) {
  // (log(1 + f) - f + f² / 2) / f³, error 7e-9 of log(1 + f)
  const Floats q = polynomial(f, 3.333333135e-01f, -2.500082254e-01f, 2.000122815e-01f, -1.662333608e-01f, 1.420171857e-01f,
                              -1.316036433e-01f, 1.276196241e-01f, -7.634487003e-02f);
  const Floats square = f * f;
  const Floats tail = square * (f * q - 0.5f) + e * 0x1.0bfbe8p-15f;  // ln 2 in two parts, as in exponential()
  return e * 0x1.62ep-1f + (f + tail);
}

TT_INLINE Floats log(Floats x) {
  const Ints denormal = x < 0x1p-126f;
  const Decomposed d = decompose(choose(denormal, x * 0x1p23f, x));
  const Floats e = toFloats(d.exponent - (denormal & 23));
  const Floats y = logOfParts(e, d.mantissa - 1.0f);
  const Floats notPositive = choose(x == 0.0f, splat(-INFINITE), splat(NOT_A_NUMBER));
  return choose(x < INFINITE, choose(x > 0.0f, y, notPositive), x + x);  // infinity and NaN stay
}

/// log(1 + x) for -1 < x < ∞
TT_INLINE Floats log1pInside(Floats x) {
  const Floats sum = x + 1.0f;
  const Decomposed d = decompose(sum);
  // What the sum lost by rounding is added to f, divided by 2ᵉ. Near zero, where e = 0, f becomes exactly x.
  const Floats rounded = sum - 1.0f;
  const Floats lost = (1.0f - (sum - rounded)) + (x - rounded);
  const Floats twice = floatsOf(ONE_BITS + EXPONENT_STEP - ((Bits)d.exponent << 23));  // 2 / 2ᵉ, as e may be 128
  const Floats f = (d.mantissa - 1.0f) + lost * (0.5f * twice);
  return logOfParts(toFloats(d.exponent), f);
}

TT_INLINE Floats log1p(Floats x) {
  const Floats y = log1pInside(x);
  const Floats outside = choose(x == -1.0f, splat(-INFINITE), splat(NOT_A_NUMBER));
  const Floats known = choose(x > -1.0f, y, outside);
  const Ints itself = (absolute(x) < 0x1p-24f) | ~(x < INFINITE);  // keeps -0, infinity and NaN
  return choose(itself, x, known);
}

TT_INLINE Floats softplus(Floats x) { return relu(x) + log1pInside(expMinusAbsolute(x)); }

// ------------------------------------------------------------------------------------------------------- trigonometry

/// x = n π/2 + rest; the two low bits of `quadrant` are those of n.
struct Angle {
  Ints quadrant;
  Floats rest;
};

/// Angle of one finite |x| >= 1: exact for the largest floats, by as many bits of 2/π as their exponent asks for.
inline __attribute__((noinline)) void reduceLargeAngle(float x, int32_t* quadrant, float* rest) {
  static constexpr uint32_t twoOverPi[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                           0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
  int32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const uint64_t mantissa = (bits & 0x7fffff) | 0x800000;
  const int exponent = ((bits >> 23) & 0xff) - 150;  // |x| = mantissa 2^exponent
  // Bits of 2/π worth 4 or more after multiplication by 2^exponent give whole turns; take the 96 bits after those.
  const int first = exponent + 30;  // counted from the first bit of the table, which starts with 32 zeros
  const uint32_t* words = twoOverPi + first / 32;
  const int shift = first % 32;
  const uint64_t upper = uint64_t(words[0]) << 32 | words[1], lower = uint64_t(words[2]) << 32 | words[3];
  const uint64_t high = shift == 0 ? upper : upper << shift | lower >> (64 - shift);
  const uint64_t low = lower << shift >> 32;
  const uint64_t turn = mantissa * high + (mantissa * low >> 32);  // |x| 2/π modulo 4, in units of 2^-62
  const uint64_t n = (turn + (uint64_t(1) << 61)) >> 62;
  const double angle = double(int64_t(turn - (n << 62))) * (1.5707963267948966 * 0x1p-62);
  *quadrant = bits < 0 ? -int32_t(n) : int32_t(n);
  *rest = float(bits < 0 ? -angle : angle);
}

TT_INLINE Angle reduceAngle(Floats x) {
  const Ints large = (absolute(x) >= 1e4f) & (absolute(x) < INFINITE);
  const Floats small = choose(absolute(x) < 1e4f, x, splat(0.0f));
  const Floats rounded = small * 0.63661977f + ROUNDER;  // 2/π
  const Floats n = rounded - ROUNDER;
  // π/2 in three parts; the first two have 11 bits, so that n times them is exact
  const Floats rest = ((small - n * 0x1.92p+0f) - n * 0x1.fb4p-12f) - n * 0x1.4442d2p-24f;
  Angle angle = {(Ints)rounded, choose(absolute(x) < INFINITE, rest, splat(NOT_A_NUMBER))};
  if (any(large)) {
    for (int lane = 0; lane < WIDTH; lane++) {
      if (!large[lane]) continue;
      int32_t quadrant;
      float laneRest;
      reduceLargeAngle(x[lane], &quadrant, &laneRest);
      angle.quadrant[lane] = quadrant;
      angle.rest[lane] = laneRest;
    }
  }
  return angle;
}

/// Sine of the angle turned by so many quarters.
TT_INLINE Floats sineOf(Angle angle, int32_t quarters) {
  const Floats r = angle.rest, square = r * r;
  // (sin r - r) / r³ and (cos r - 1 + r²/2) / r⁴ for |r| <= π/4, errors 4e-9 and 5e-10 of sin r and cos r
  const Floats p = polynomial(square, -1.666666716e-01f, 8.333329111e-03f, -1.983930415e-04f, 2.718046517e-06f);
  const Floats q = polynomial(square, 4.166664556e-02f, -1.388736186e-03f, 2.443772973e-05f);
  const Floats sine = r * square * p + r;
  const Floats cosine = square * square * q + (1.0f - 0.5f * square);
  const Ints quadrant = angle.quadrant + quarters;
  const Floats size = choose(-(quadrant & 1), cosine, sine);
  return floatsOf(bitsOf(size) ^ ((Bits)(quadrant & 2) << 30));
}

TT_INLINE Floats sin(Floats x) { return choose(x == 0.0f, x, sineOf(reduceAngle(x), 0)); }
TT_INLINE Floats cos(Floats x) { return sineOf(reduceAngle(x), 1); }

// ------------------------------------------------------------------------------------------------------------- powers

/// log₂ x for a positive finite float x, error 1e-13
TT_INLINE double logTwo(double x) {
  int64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const int64_t exponent = (bits - 0x3fe6a09e667f3bcd) >> 52;  // bits of √½
  bits -= exponent * (int64_t(1) << 52);
  double mantissa;
  std::memcpy(&mantissa, &bits, sizeof mantissa);
  // log m = 2 artanh s = 2 (s + s³/3 + s⁵/5 ...) with s = (m - 1) / (m + 1), |s| < 0.172
  const double s = (mantissa - 1) / (mantissa + 1), square = s * s;
  const double series = polynomial(square, 1.0, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15);
  return double(exponent) + series * s * (2 * 1.4426950408889634);
}

/// 2ˣ for |x| < 1000, error 1e-12
TT_INLINE double expTwo(double x) {
  const int64_t n = int64_t(x + (x < 0 ? -0.5 : 0.5));
  const double r = (x - double(n)) * 0.6931471805599453;
  // Taylor's series of eʳ, |r| < 0.347
  const double series = polynomial(r, 1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
                                   1.0 / 362880, 1.0 / 3628800);
  const int64_t bits = (n + 1023) * (int64_t(1) << 52);
  double scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return series * scale;
}

/// aᵇ with JavaScript's special cases: (±1)^±∞ and 1^NaN are NaN, anything to the power 0 is 1.
inline float power(float a, float b) {
  if (b == 0) return 1;
  if (a != a || b != b) return NOT_A_NUMBER;
  const bool whole = __builtin_fabsf(b) >= 0x1p23f || float(int32_t(b)) == b;  // counts infinity
  const bool odd = __builtin_fabsf(b) < 0x1p24f && whole && (int32_t(b) & 1);
  const float base = __builtin_fabsf(a);
  if (base == 1 && __builtin_fabsf(b) == INFINITE) return NOT_A_NUMBER;
  if (a < 0 && base < INFINITE && !whole) return NOT_A_NUMBER;
  float size;
  if (base == 0 || base == INFINITE) {
    size = (base == 0) == (b < 0) ? INFINITE : 0;
  } else {
    const double exponent = double(b) * logTwo(base);
    size = float(expTwo(exponent > 200 ? 200 : exponent < -200 ? -200 : exponent));
  }
  return odd && __builtin_signbit(a) ? -size : size;
}

TT_INLINE Floats power(Floats a, Floats b) {
  Floats result;
  for (int lane = 0; lane < WIDTH; lane++) result[lane] = power(a[lane], b[lane]);
  return result;
}

// ------------------------------------------------------------------------------------------------------ whole numbers

/// JavaScript's conversion to int32: towards zero, modulo 2³², 0 for NaN and infinities.
inline int32_t toInt32(double x) {
  if (x >= -0x1p31 && x < 0x1p31) return int32_t(x);
  int64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const int shift = int((bits >> 52) & 0x7ff) - 1075;  // |x| = mantissa 2^shift
  if (shift >= 32) return 0;                           // a multiple of 2³², or not finite
  const uint64_t mantissa = (uint64_t(bits) & 0xfffffffffffff) | 0x10000000000000;
  const uint32_t size = uint32_t(shift < 0 ? mantissa >> -shift : mantissa << shift);
  return int32_t(bits < 0 ? 0 - size : size);
}

TT_INLINE Ints toInt32(Floats x) {
  const Ints inside = absolute(x) < 0x1p31f;
  Ints result = toInts(choose(inside, x, splat(0.0f)));
  if (any(~inside)) {
    for (int lane = 0; lane < WIDTH; lane++) {
      if (!inside[lane]) result[lane] = toInt32(double(x[lane]));
    }
  }
  return result;
}

/// The quotient towards zero; 0 for division by 0, and -2³¹ / -1 wraps.
inline int32_t divideInt(int32_t a, int32_t b) {
  if (b == 0) return 0;
  return b == -1 ? int32_t(0 - uint32_t(a)) : a / b;
}

/// aᵇ in double precision, then as toInt32: exact up to 2⁵³.
inline int32_t powerInt(int32_t a, int32_t b) {
  double result = 1, square = a;
  for (uint32_t left = b < 0 ? 0 - uint32_t(b) : uint32_t(b); left != 0; left >>= 1) {
    if (left & 1) result *= square;
    square *= square;
  }
  return toInt32(b < 0 ? 1 / result : result);
}

}  // namespace tt::TT_VARIANT
