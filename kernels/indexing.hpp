// Reading and writing at places that are computed: rows of a table by index, and a window along an axis.
//
// Tables and windows are dense and row-major. What only moves takes words, which may be float32 or int32.
#pragma once

#include "simd.hpp"

namespace tt::TT_VARIANT {

/// A 4-byte element of any type.
typedef uint32_t Word __attribute__((may_alias));

/// Copies words between places that do not overlap; quick for a few of them too.
TT_INLINE void copyWords(Word* to, const Word* from, int64_t count) {
  if (count >= 8 * WIDTH) {
    std::memcpy(to, from, count * sizeof(Word));
    return;
  }
  int64_t k = 0;
  for (; k + WIDTH <= count; k += WIDTH) store(to + k, load<Bits>(from + k));
  for (; k < count; k++) to[k] = from[k];
}

/// Whether the table has this row. If not, writes the index and the number of rows to failure[1] and failure[2].
TT_INLINE bool hasRow(int32_t index, int64_t rows, int32_t* failure) {
  if (index >= 0 && index < rows) return true;
  failure[1] = index;
  failure[2] = (int32_t)rows;
  return false;
}

/// to[k] = table[indices[k]]. `to`: [count, width], apart from `table`: [rows, width].
/// Gives false, with failure[1] and [2] set (see `hasRow`), at the first index outside the table.
inline bool gather(Word* to, const Word* table, const int32_t* indices, int64_t rows, int64_t width, int64_t count,
                   int32_t* failure) {
  for (int64_t k = 0; k < count; k++) {
    if (!hasRow(indices[k], rows, failure)) return false;
    if (width == 1)
      to[k] = table[indices[k]];
    else
      copyWords(to + k * width, table + indices[k] * width, width);
  }
  return true;
}

template <typename Vector, typename Element>
TT_INLINE bool scatterAddElements(Element* to, const Element* from, const int32_t* indices, const Element* added,
                                  int64_t rows, int64_t width, int64_t count, int32_t* failure) {
  if (to != from && rows * width > 0) std::memcpy(to, from, rows * width * sizeof(Element));
  for (int64_t k = 0; k < count; k++) {
    if (!hasRow(indices[k], rows, failure)) return false;
    Element* const row = to + indices[k] * width;
    const Element* const more = added + k * width;
    int64_t column = 0;
    for (; column + WIDTH <= width; column += WIDTH)
      store(row + column, load<Vector>(row + column) + load<Vector>(more + column));
    for (; column < width; column++) row[column] += more[column];
  }
  return true;
}

/// to = from, then to[indices[k]] += added[k] in the order of k; an index may come more than once.
/// `to`, `from`: [rows, width], the same or apart; `added`: [count, width], apart from `to`.
/// Gives false, with failure[1] and [2] set (see `hasRow`), at the first index outside the table.
inline bool scatterAdd(float* to, const float* from, const int32_t* indices, const float* added, int64_t rows,
                       int64_t width, int64_t count, int32_t* failure) {
  return scatterAddElements<Floats>(to, from, indices, added, rows, width, count, failure);
}

/// `scatterAdd` of int32, modulo 2^32.
inline bool scatterAddInt(int32_t* to, const int32_t* from, const int32_t* indices, const int32_t* added, int64_t rows,
                          int64_t width, int64_t count, int32_t* failure) {
  return scatterAddElements<Bits>((uint32_t*)to, (const uint32_t*)from, indices, (const uint32_t*)added, rows, width,
                                  count, failure);
}

/// The start moved inside the axis, so that the window fits.
TT_INLINE int64_t windowStart(int32_t start, int64_t length, int64_t window) {
  const int64_t notNegative = start < 0 ? 0 : start;
  return notNegative < length - window ? notNegative : length - window;
}

/// to = `window` places of the middle axis from `start`, which is moved inside so that the window fits.
/// `to`: [blocks, window, stride], apart from `from`: [blocks, length, stride]; window <= length.
inline void dynamicSlice(Word* to, const Word* from, int32_t start, int64_t blocks, int64_t length, int64_t window,
                         int64_t stride) {
  from += windowStart(start, length, window) * stride;
  for (int64_t block = 0; block < blocks; block++)
    copyWords(to + block * window * stride, from + block * length * stride, window * stride);
}

/// to = from, with `window` in the place of as many places of the middle axis from `start`, which is moved inside so that
/// the window fits. `to`, `from`: [blocks, length, stride], the same or apart; `window`: [blocks, windowLength, stride],
/// apart from `to`; windowLength <= length.
inline void dynamicUpdate(Word* to, const Word* from, const Word* window, int32_t start, int64_t blocks, int64_t length,
                          int64_t windowLength, int64_t stride) {
  const int64_t period = length * stride, run = windowLength * stride;
  const int64_t before = windowStart(start, length, windowLength) * stride, end = before + run;
  for (int64_t block = 0; block < blocks; block++, to += period, from += period, window += run) {
    if (to != from) {
      copyWords(to, from, before);
      copyWords(to + end, from + end, period - end);
    }
    copyWords(to + before, window, run);
  }
}

}  // namespace tt::TT_VARIANT
