// The sum of overlapping windows along an axis, of 4-byte elements.
#pragma once

#include "simd.hpp"

namespace tt::TT_VARIANT {

/// Windows along the second axis of [outer, length, middle, inner]: window i has the places i * stride + j * dilation.
struct Windows {
  int64_t outer, length, middle, inner, count, size, stride, dilation;
};

template <typename Vector, typename Element>
void foldElements(Element* to, const Element* from, const Windows& w) {
  const int64_t block = w.length * w.middle * w.inner;
  for (int64_t outer = 0; outer < w.outer; outer++, to += block) {
    std::memset(to, 0, block * sizeof(Element));
    for (int64_t window = 0; window < w.count; window++) {
      for (int64_t row = 0; row < w.middle; row++) {
        Element* sum = to + (window * w.stride * w.middle + row) * w.inner;
        for (int64_t k = 0; k < w.size; k++, sum += w.dilation * w.middle * w.inner, from += w.inner) {
          int64_t at = 0;
          for (; at + WIDTH <= w.inner; at += WIDTH) store(sum + at, load<Vector>(sum + at) + load<Vector>(from + at));
          for (; at < w.inner; at++) sum[at] += from[at];
        }
      }
    }
  }
}

/// to[o, i * stride + j * dilation, m, n] = the sum of all such from[o, i, m, j, n]; 0 where there is none.
/// `to`: [outer, length, middle, inner], apart from `from`: [outer, count, middle, size, inner].
inline void fold(float* to, const float* from, const Windows& windows) { foldElements<Floats>(to, from, windows); }

/// `fold` of int32, modulo 2^32.
inline void foldInt(int32_t* to, const int32_t* from, const Windows& windows) {
  foldElements<Bits>((uint32_t*)to, (const uint32_t*)from, windows);
}

}  // namespace tt::TT_VARIANT
