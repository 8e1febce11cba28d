// Vectors of WIDTH floats or 32-bit integers, by the vector extensions of GCC and Clang.
//
// Every header of this folder is compiled once for each instruction set, with TT_VARIANT (a name) and TT_WIDTH (floats in a
// vector) defined by the build, so everything in them lives in the namespace tt::TT_VARIANT.
#pragma once

#include <cstdint>
#include <cstring>

#ifndef TT_VARIANT
#define TT_VARIANT generic
#endif
#ifndef TT_WIDTH
#define TT_WIDTH 4
#endif

#if TT_WIDTH == 16
#include <immintrin.h>
#endif

#define TT_INLINE inline __attribute__((always_inline))
// For what is rarely needed, and for functions with busy loops of their own: inlined, these would find too few registers.
#define TT_NOINLINE __attribute__((noinline))

namespace tt::TT_VARIANT {

constexpr int WIDTH = TT_WIDTH;

typedef float Floats __attribute__((vector_size(WIDTH * 4)));
typedef int32_t Ints __attribute__((vector_size(WIDTH * 4)));
typedef uint32_t Bits __attribute__((vector_size(WIDTH * 4)));

constexpr int64_t VECTOR_BYTES = sizeof(Floats);

/// So many floats, filled up to whole vectors.
constexpr int64_t wholeVectors(int64_t count) { return (count + WIDTH - 1) / WIDTH * WIDTH; }

/// Loads a vector from any address.
template <typename Vector = Floats, typename Element>
TT_INLINE Vector load(const Element* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

/// Stores a vector to any address.
template <typename Vector, typename Element>
TT_INLINE void store(Element* to, Vector v) {
  std::memcpy(to, &v, sizeof v);
}

/// Copies fewer bytes than a vector has: a whole number of floats.
TT_INLINE void copyFew(char* to, const char* from, int64_t bytes) {
  int64_t at = 0;
  if (WIDTH > 8 && bytes & 32) std::memcpy(to, from, 32), at = 32;
  if (WIDTH > 4 && bytes & 16) std::memcpy(to + at, from + at, 16), at += 16;
  if (bytes & 8) std::memcpy(to + at, from + at, 8), at += 8;
  if (bytes & 4) std::memcpy(to + at, from + at, 4);
}

/// Copies neighbouring elements.
TT_INLINE void copyRun(char* to, const char* from, int64_t bytes) {
  int64_t at = 0;
  for (; at + VECTOR_BYTES <= bytes; at += VECTOR_BYTES) store(to + at, load(from + at));
  copyFew(to + at, from + at, bytes - at);
}

TT_INLINE Floats splat(float x) { return x - Floats{}; }
TT_INLINE Ints splat(int32_t x) { return x - Ints{}; }

TT_INLINE Bits bitsOf(Floats x) { return (Bits)x; }
TT_INLINE Floats floatsOf(Bits x) { return (Floats)x; }
TT_INLINE Floats toFloats(Ints x) { return __builtin_convertvector(x, Floats); }
TT_INLINE Ints toInts(Floats x) { return __builtin_convertvector(x, Ints); }

/// a b + c, in one instruction where there is one. Compilers take it by themselves, but for WebAssembly's: how that rounds is up to the processor.
template <typename Value>
TT_INLINE Value multiplyAdd(Value a, Value b, Value c) {
  return a * b + c;
}
#ifdef __wasm_relaxed_simd__
TT_INLINE Floats multiplyAdd(Floats a, Floats b, Floats c) { return __builtin_wasm_relaxed_madd_f32x4(a, b, c); }
#endif

/// The smaller one, and the larger one, of a number and the lanes of a vector; NaN stays.
#if TT_WIDTH == 16
TT_INLINE Floats atMost(float most, Floats x) { return (Floats)_mm512_min_ps((__m512)splat(most), (__m512)x); }
TT_INLINE Floats atLeast(float least, Floats x) { return (Floats)_mm512_max_ps((__m512)splat(least), (__m512)x); }
#else
TT_INLINE Floats atMost(float most, Floats x) { return x > most ? splat(most) : x; }
TT_INLINE Floats atLeast(float least, Floats x) { return x < least ? splat(least) : x; }
#endif

/// `a` where the mask is set (all bits of the lane), else `b`.
TT_INLINE Floats choose(Ints mask, Floats a, Floats b) {
  return mask ? a : b;
}

}  // namespace tt::TT_VARIANT
