// Reductions of 4-byte elements: sum over any axes, and the largest element of an axis or where it stands.
//
// In all of them the result is dense, row-major over the axes that are kept, and must not overlap the operand.
#pragma once

#include "simd.hpp"

namespace tt::TT_VARIANT {

/// The lanes of a vector moved towards the first one by BY, in a circle.
template <int BY, typename Vector>
TT_INLINE Vector rotateLanes(Vector v) {
  if constexpr (WIDTH == 4)
    return __builtin_shufflevector(v, v, BY, BY + 1, BY + 2, BY + 3);
  else if constexpr (WIDTH == 8)
    return __builtin_shufflevector(v, v, BY, BY + 1, BY + 2, BY + 3, BY + 4, BY + 5, BY + 6, BY + 7);
  else
    return __builtin_shufflevector(v, v, BY, BY + 1, BY + 2, BY + 3, BY + 4, BY + 5, BY + 6, BY + 7, BY + 8, BY + 9,
                                   BY + 10, BY + 11, BY + 12, BY + 13, BY + 14, BY + 15);
}

/// Combines all lanes, by halves; every lane of the result holds the whole.
template <int DISTANCE = WIDTH / 2, typename Vector, typename Combine>
TT_INLINE Vector combineLanes(Vector v, Combine combine) {
  const Vector combined = combine(v, rotateLanes<DISTANCE>(v));
  if constexpr (DISTANCE > 1)
    return combineLanes<DISTANCE / 2>(combined, combine);
  else
    return combined;
}

// Sum
//
// A float is exact to 6e-8 only, so no element goes through more than 15 additions of floats before its sum is added to
// a double. Whole numbers are added as unsigned words, which wrap around as the reference does.

template <typename Element>
struct Summing;
template <>
struct Summing<float> {
  typedef Floats Vector;
  typedef double Total;
};
template <>
struct Summing<uint32_t> {
  typedef Bits Vector;
  typedef uint32_t Total;
};

constexpr int MAX_SUM_RANK = 8;

/// Axes of a tensor, the outermost first: their lengths, and their steps in the operand and in the result.
struct SumAxes {
  int count = 0;
  int64_t sizes[MAX_SUM_RANK] = {};
  int64_t strides[MAX_SUM_RANK] = {};
  int64_t steps[MAX_SUM_RANK] = {};

  /// Appends an axis, or lets the last one grow by it if the two are evenly spaced. Axes of length 1 have no effect.
  void append(int64_t size, int64_t stride, bool besideLast) {
    if (size == 1) return;
    if (besideLast && count > 0 && strides[count - 1] == size * stride) {
      sizes[count - 1] *= size;
      strides[count - 1] = stride;
    } else {
      sizes[count] = size;
      strides[count] = stride;
      count++;
    }
  }

  void remove(int axis) {
    count--;
    for (int k = axis; k < count; k++) {
      sizes[k] = sizes[k + 1];
      strides[k] = strides[k + 1];
      steps[k] = steps[k + 1];
    }
  }

  /// The first axis whose elements are neighbours, or -1.
  int dense() const {
    for (int k = 0; k < count; k++)
      if (strides[k] == 1) return k;
    return -1;
  }

  int longest() const {
    int best = 0;
    for (int k = 1; k < count; k++)
      if (sizes[k] > sizes[best]) best = k;
    return best;
  }
};

/// Calls visit(offset in the operand, offset in the result) for each place of some axes, none of them empty.
template <typename Visit>
TT_INLINE void forEachPlace(const SumAxes& axes, Visit visit) {
  int64_t place[MAX_SUM_RANK] = {};
  int64_t from = 0, to = 0;
  for (;;) {
    visit(from, to);
    int axis = axes.count - 1;
    for (; axis >= 0; axis--) {
      from += axes.strides[axis];
      to += axes.steps[axis];
      if (++place[axis] < axes.sizes[axis]) break;
      from -= axes.sizes[axis] * axes.strides[axis];
      to -= axes.sizes[axis] * axes.steps[axis];
      place[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/// Sum of ROWS elements or vectors, `stride` elements apart, by halves.
template <int ROWS, typename Value, typename Element>
TT_INLINE Value sumOfRows(const Element* from, int64_t stride) {
  if constexpr (ROWS == 1) {
    return load<Value>(from);
  } else {
    constexpr int HALF = ROWS / 2;
    return sumOfRows<HALF, Value>(from, stride) + sumOfRows<HALF, Value>(from + HALF * stride, stride);
  }
}

/// Adds rows up to one row, reading them in the order of memory.
template <typename Element>
class RowSum {
  typedef typename Summing<Element>::Vector Vector;
  typedef typename Summing<Element>::Total Total;

 public:
  static constexpr int MAX_COLUMNS = 1024;

  explicit RowSum(int columns) : columns(columns) {
    for (int column = 0; column < columns; column++) recent[column] = 0;
  }

  /// Adds `rows` rows of `width` elements, at most the columns of the result. `stride`: from one row to the next.
  void add(const Element* from, int64_t rows, int64_t stride, int width) {
    for (; rows >= 8; rows -= 8, from += 8 * stride) addGroup<8>(from, stride, width);
    if (rows & 4) {
      addGroup<4>(from, stride, width);
      from += 4 * stride;
    }
    if (rows & 2) {
      addGroup<2>(from, stride, width);
      from += 2 * stride;
    }
    if (rows & 1) addGroup<1>(from, stride, width);
  }

  /// Writes the sums. `step`: from one result to the next.
  void write(Element* to, int64_t step) const {
    if (!hasTotals)
      for (int column = 0; column < columns; column++) to[column * step] = recent[column];
    else
      for (int column = 0; column < columns; column++) to[column * step] = (Element)(totals[column] + recent[column]);
  }

  /// Adds up the columns `period` apart, then writes `period` sums.
  void writeFolded(Element* to, int64_t step, int period) {
    addRecentToTotals();
    for (int first = period; first < columns; first += period)
      for (int column = 0; column < period; column++) totals[column] += totals[first + column];
    for (int column = 0; column < period; column++) to[column * step] = (Element)totals[column];
  }

 private:
  static constexpr int MAX_RECENT_GROUPS = 12;

  template <int ROWS>
  void addGroup(const Element* from, int64_t stride, int width) {
    int column = 0;
    for (; column + WIDTH <= width; column += WIDTH)
      store(recent + column, load<Vector>(recent + column) + sumOfRows<ROWS, Vector>(from + column, stride));
    for (; column < width; column++) recent[column] += sumOfRows<ROWS, Element>(from + column, stride);
    if (++recentGroups == MAX_RECENT_GROUPS) addRecentToTotals();
  }

  void addRecentToTotals() {
    if (hasTotals)
      for (int column = 0; column < columns; column++) totals[column] += recent[column];
    else
      for (int column = 0; column < columns; column++) totals[column] = recent[column];
    for (int column = 0; column < columns; column++) recent[column] = 0;
    hasTotals = true;
    recentGroups = 0;
  }

  const int columns;
  int recentGroups = 0;
  bool hasTotals = false;
  Element recent[MAX_COLUMNS];  // sums of the rows that are not yet in the totals
  Total totals[MAX_COLUMNS];
};

/// Sum of `length` elements, one after the other.
template <typename Element>
TT_INLINE typename Summing<Element>::Total sumOfRun(const Element* from, int64_t length) {
  typedef typename Summing<Element>::Vector Vector;
  constexpr int64_t BLOCK = 8 * WIDTH;
  constexpr int64_t GROUP = 8 * BLOCK;
  typename Summing<Element>::Total total = 0;
  int64_t k = 0;
  while (k + WIDTH <= length) {
    const int64_t end = length - k < GROUP ? length : k + GROUP;
    Vector even = {}, odd = {}, rest = {};
    for (; k + BLOCK <= end; k += BLOCK) {
      even += sumOfRows<4, Vector>(from + k, WIDTH);
      odd += sumOfRows<4, Vector>(from + k + BLOCK / 2, WIDTH);
    }
    for (; k + WIDTH <= end; k += WIDTH) rest += load<Vector>(from + k);
    total += combineLanes(even + odd + rest, [](Vector a, Vector b) { return a + b; })[0];
  }
  for (; k < length; k++) total += from[k];
  return total;
}

/// Sum of `length` elements, `stride` elements apart.
template <typename Element>
TT_INLINE typename Summing<Element>::Total sumOfSpacedRun(const Element* from, int64_t length, int64_t stride) {
  typename Summing<Element>::Total even = 0, odd = 0;
  int64_t k = 0;
  for (; k + 2 <= length; k += 2) {
    even += from[k * stride];
    odd += from[(k + 1) * stride];
  }
  if (k < length) even += from[k * stride];
  return even + odd;
}

/// The sum where neighbours are kept apart: whole rows of them are added.
template <typename Element>
void sumToRows(Element* to, const Element* from, SumAxes kept, SumAxes reduced) {
  // Many narrow rows that follow each other without a gap are seen as fewer rows of about this many columns.
  constexpr int WIDENED = 256;

  const int dense = kept.dense();
  const int64_t columns = kept.sizes[dense], step = kept.steps[dense];
  kept.remove(dense);
  int64_t rows = 1, stride = 0;
  if (reduced.count > 0) {
    const int longest = reduced.longest();
    rows = reduced.sizes[longest];
    stride = reduced.strides[longest];
    reduced.remove(longest);
  }
  const bool widen = stride == columns && columns < 4 * WIDTH && rows * columns >= 2 * WIDENED;

  forEachPlace(kept, [&](int64_t fromKept, int64_t toKept) {
    if (widen) {
      const int repeats = WIDENED / (int)columns, width = repeats * (int)columns;
      RowSum<Element> sum(width);
      forEachPlace(reduced, [&](int64_t fromReduced, int64_t) {
        const Element* first = from + fromKept + fromReduced;
        sum.add(first, rows / repeats, width, width);
        sum.add(first + rows / repeats * width, 1, width, (int)(rows % repeats * columns));
      });
      sum.writeFolded(to + toKept, step, (int)columns);
      return;
    }
    for (int64_t column = 0; column < columns; column += RowSum<Element>::MAX_COLUMNS) {
      const int64_t left = columns - column;
      const int width = (int)(left < RowSum<Element>::MAX_COLUMNS ? left : RowSum<Element>::MAX_COLUMNS);
      RowSum<Element> sum(width);
      forEachPlace(reduced, [&](int64_t fromReduced, int64_t) {
        sum.add(from + fromKept + fromReduced + column, rows, stride, width);
      });
      sum.write(to + toKept + column * step, step);
    }
  });
}

/// The sum one result at a time.
template <typename Element>
void sumToElements(Element* to, const Element* from, const SumAxes& kept, SumAxes reduced) {
  int64_t length = 1, stride = 1;
  if (reduced.count > 0) {
    const int inner = reduced.dense() >= 0 ? reduced.dense() : reduced.count - 1;
    length = reduced.sizes[inner];
    stride = reduced.strides[inner];
    reduced.remove(inner);
  }
  forEachPlace(kept, [&](int64_t fromKept, int64_t toKept) {
    typename Summing<Element>::Total total = 0;
    forEachPlace(reduced, [&](int64_t fromReduced, int64_t) {
      const Element* first = from + fromKept + fromReduced;
      total += stride == 1 ? sumOfRun(first, length) : sumOfSpacedRun(first, length, stride);
    });
    to[toKept] = (Element)total;
  });
}

template <typename Element>
void sumElements(Element* to, const Element* from, int rank, const int32_t* sizes, const int32_t* strides,
                 const int32_t* isReduced) {
  int64_t results = 1;
  bool empty = false;
  SumAxes kept, reduced;
  int last = -1;  // the last axis that is longer than 1
  for (int axis = 0; axis < rank; axis++) {
    if (!isReduced[axis]) results *= sizes[axis];
    if (sizes[axis] == 0) empty = true;
    const bool besideLast = last >= 0 && !isReduced[last] == !isReduced[axis];
    (isReduced[axis] ? reduced : kept).append(sizes[axis], strides[axis], besideLast);
    if (sizes[axis] != 1) last = axis;
  }
  if (empty) {
    for (int64_t k = 0; k < results; k++) to[k] = 0;
    return;
  }
  int64_t step = 1;
  for (int k = kept.count - 1; k >= 0; k--) {
    kept.steps[k] = step;
    step *= kept.sizes[k];
  }
  if (kept.dense() >= 0)
    sumToRows(to, from, kept, reduced);
  else
    sumToElements(to, from, kept, reduced);
}

/// Adds up the axes marked 1; a sum of nothing is 0. `to`: dense over the other axes, in order, and apart from `from`.
/// At most 8 axes, with any strides, in elements. The error is below 1e-6 of the sum of magnitudes, which
/// must itself be below the largest float.
inline void sum(float* to, const float* from, int rank, const int32_t* sizes, const int32_t* strides,
                const int32_t* reduced) {
  sumElements<float>(to, from, rank, sizes, strides, reduced);
}

/// `sum` of int32, modulo 2^32.
inline void sumInt(int32_t* to, const int32_t* from, int rank, const int32_t* sizes, const int32_t* strides,
                   const int32_t* reduced) {
  sumElements<uint32_t>((uint32_t*)to, (const uint32_t*)from, rank, sizes, strides, reduced);
}

// Largest element, and its place

template <typename Element>
struct Comparing;
template <>
struct Comparing<float> {
  typedef Floats Vector;
};
template <>
struct Comparing<int32_t> {
  typedef Ints Vector;
};

TT_INLINE Ints choose(Ints mask, Ints a, Ints b) { return (mask & a) | (~mask & b); }

/// The larger one; NaN counts as largest, and 0 as larger than -0.
TT_INLINE float largerOf(float held, float x) {
  if (x == held) return x == 0 ? x + held : x;
  return x > held || x != x ? x : held;
}
TT_INLINE Floats largerOf(Floats held, Floats x) {
  const Ints zeroOfLargerSign = (x == held) & ((Ints)x > (Ints)held);
  return choose((x > held) | (x != x) | zeroOfLargerSign, x, held);
}
TT_INLINE int32_t largerOf(int32_t held, int32_t x) { return x > held ? x : held; }
TT_INLINE Ints largerOf(Ints held, Ints x) { return choose(x > held, x, held); }

/// Whether x takes the place of what is held when the first of the largest is looked for.
TT_INLINE bool beats(float x, float held) { return x > held || (x != x && held == held); }
TT_INLINE Ints beats(Floats x, Floats held) { return (x > held) | ((x != x) & (held == held)); }
TT_INLINE bool beats(int32_t x, int32_t held) { return x > held; }
TT_INLINE Ints beats(Ints x, Ints held) { return x > held; }

/// Whether x is as large as the largest element of its run.
TT_INLINE bool isLargest(float x, float largest) { return x == largest || x != x; }
TT_INLINE Ints isLargest(Floats x, float largest) { return (x == splat(largest)) | (x != x); }
TT_INLINE bool isLargest(int32_t x, int32_t largest) { return x == largest; }
TT_INLINE Ints isLargest(Ints x, int32_t largest) { return x == splat(largest); }

TT_INLINE bool isAnySet(Ints mask) {
  uint64_t pairs[WIDTH / 2];
  std::memcpy(pairs, &mask, sizeof pairs);
  uint64_t any = 0;
  for (uint64_t pair : pairs) any |= pair;
  return any != 0;
}

/// Largest of `length` >= 1 elements, one after the other.
template <typename Element>
TT_INLINE Element largestOfRun(const Element* from, int64_t length) {
  typedef typename Comparing<Element>::Vector Vector;
  if (length < WIDTH) {
    Element largest = from[0];
    for (int64_t k = 1; k < length; k++) largest = largerOf(largest, from[k]);
    return largest;
  }
  // An element may be compared more than once: each accumulator starts from the first vector, and the last vector overlaps.
  Vector held[4];
  for (Vector& vector : held) vector = load<Vector>(from);
  int64_t k = 0;
  for (; k + 4 * WIDTH <= length; k += 4 * WIDTH)
    for (int part = 0; part < 4; part++) held[part] = largerOf(held[part], load<Vector>(from + k + part * WIDTH));
  for (; k + WIDTH <= length; k += WIDTH) held[0] = largerOf(held[0], load<Vector>(from + k));
  held[1] = largerOf(held[1], load<Vector>(from + length - WIDTH));
  const Vector both = largerOf(largerOf(held[0], held[1]), largerOf(held[2], held[3]));
  return combineLanes(both, [](Vector a, Vector b) { return largerOf(a, b); })[0];
}

/// Where the largest of `length` >= 1 elements stands first.
template <typename Element>
TT_INLINE int64_t placeOfLargest(const Element* from, int64_t length) {
  typedef typename Comparing<Element>::Vector Vector;
  const Element largest = largestOfRun(from, length);
  int64_t k = 0;
  for (; k + 2 * WIDTH <= length; k += 2 * WIDTH)
    if (isAnySet(isLargest(load<Vector>(from + k), largest) | isLargest(load<Vector>(from + k + WIDTH), largest))) break;
  while (!isLargest(from[k], largest)) k++;
  return k;
}

constexpr int64_t MAX_PANEL = 1024;  // columns whose largest elements stay near the processor from row to row

/// to[column] = the larger of itself and ROWS rows.
template <int ROWS, typename Element>
TT_INLINE void largestOfRows(Element* to, const Element* from, int64_t stride, int64_t columns) {
  typedef typename Comparing<Element>::Vector Vector;
  int64_t column = 0;
  for (; column + WIDTH <= columns; column += WIDTH) {
    Vector held = load<Vector>(to + column);
    for (int row = 0; row < ROWS; row++) held = largerOf(held, load<Vector>(from + row * stride + column));
    store(to + column, held);
  }
  for (; column < columns; column++)
    for (int row = 0; row < ROWS; row++) to[column] = largerOf(to[column], from[row * stride + column]);
}

template <typename Element>
void maxElements(Element* to, const Element* from, int64_t outer, int64_t length, int64_t inner) {
  if (inner == 1) {
    for (int64_t k = 0; k < outer; k++) to[k] = largestOfRun(from + k * length, length);
    return;
  }
  for (int64_t block = 0; block < outer; block++, from += length * inner, to += inner) {
    for (int64_t first = 0; first < inner; first += MAX_PANEL) {
      const int64_t columns = inner - first < MAX_PANEL ? inner - first : MAX_PANEL;
      std::memcpy(to + first, from + first, columns * sizeof(Element));
      int64_t row = 1;
      for (; row + 4 <= length; row += 4) largestOfRows<4>(to + first, from + row * inner + first, inner, columns);
      for (; row < length; row++) largestOfRows<1>(to + first, from + row * inner + first, inner, columns);
    }
  }
}

template <typename Element>
void argmaxElements(int32_t* to, const Element* from, int64_t outer, int64_t length, int64_t inner) {
  typedef typename Comparing<Element>::Vector Vector;
  if (inner == 1) {
    for (int64_t k = 0; k < outer; k++) to[k] = (int32_t)placeOfLargest(from + k * length, length);
    return;
  }
  Element held[MAX_PANEL];
  for (int64_t block = 0; block < outer; block++, from += length * inner, to += inner) {
    for (int64_t first = 0; first < inner; first += MAX_PANEL) {
      const int64_t columns = inner - first < MAX_PANEL ? inner - first : MAX_PANEL;
      int32_t* const place = to + first;
      std::memcpy(held, from + first, columns * sizeof(Element));
      for (int64_t column = 0; column < columns; column++) place[column] = 0;
      for (int64_t row = 1; row < length; row++) {
        const Element* const x = from + row * inner + first;
        int64_t column = 0;
        for (; column + WIDTH <= columns; column += WIDTH) {
          const Vector candidate = load<Vector>(x + column), best = load<Vector>(held + column);
          const Ints better = beats(candidate, best);
          store(held + column, choose(better, candidate, best));
          store(place + column, choose(better, splat((int32_t)row), load<Ints>(place + column)));
        }
        for (; column < columns; column++) {
          if (!beats(x[column], held[column])) continue;
          held[column] = x[column];
          place[column] = (int32_t)row;
        }
      }
    }
  }
}

/// Largest element along the middle axis of [outer, length, inner], NaN if one is; length >= 1. `to`: [outer, inner].
inline void max(float* to, const float* from, int64_t outer, int64_t length, int64_t inner) {
  maxElements<float>(to, from, outer, length, inner);
}

/// `max` of int32.
inline void maxInt(int32_t* to, const int32_t* from, int64_t outer, int64_t length, int64_t inner) {
  maxElements<int32_t>(to, from, outer, length, inner);
}

/// Place of the largest element along the middle axis of [outer, length, inner], the first of several; NaN counts as
/// largest; length >= 1. `to`: [outer, inner].
inline void argmax(int32_t* to, const float* from, int64_t outer, int64_t length, int64_t inner) {
  argmaxElements<float>(to, from, outer, length, inner);
}

/// `argmax` of int32.
inline void argmaxInt(int32_t* to, const int32_t* from, int64_t outer, int64_t length, int64_t inner) {
  argmaxElements<int32_t>(to, from, outer, length, inner);
}

}  // namespace tt::TT_VARIANT
