// Compares the reductions and the indexing with plain loops, and the random numbers with values of the reference.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "../fold.hpp"
#include "../indexing.hpp"
#include "../random.hpp"
#include "../reduce.hpp"
#include "check.hpp"

namespace kernels = tt::TT_VARIANT;

namespace {

constexpr float NOT_A_NUMBER = std::numeric_limits<float>::quiet_NaN();
constexpr float INFINITE = std::numeric_limits<float>::infinity();

/// Exactly sized memory, so that a sanitizer sees an access beyond either end.
template <typename Element>
class Array {
 public:
  explicit Array(int64_t count) : size(count), data(static_cast<Element*>(std::malloc(count * sizeof(Element)))) {
    for (int64_t k = 0; k < count; k++) data[k] = Element(-77);
  }
  Array(const Array& other) : Array(other.size) {
    for (int64_t k = 0; k < size; k++) data[k] = other.data[k];
  }
  Array& operator=(const Array&) = delete;
  ~Array() { std::free(data); }
  Element& operator[](int64_t k) { return data[k]; }
  const Element& operator[](int64_t k) const { return data[k]; }
  kernels::Word* words() { return reinterpret_cast<kernels::Word*>(data); }

  const int64_t size;
  Element* const data;
};

uint64_t state = 1;

/// A whole number in [0, bound).
int64_t below(int64_t bound) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(bound));
}

float randomFloat() { return static_cast<float>(below(1 << 20)) / (1 << 19) - 1; }

template <typename Element>
Element randomElement();
template <>
float randomElement<float>() { return randomFloat(); }
template <>
int32_t randomElement<int32_t>() { return static_cast<int32_t>(below(INT64_C(1) << 31) * 2); }

template <typename Element>
Array<Element> randomArray(int64_t count) {
  Array<Element> x(count);
  for (int64_t k = 0; k < count; k++) x[k] = randomElement<Element>();
  return x;
}

uint32_t bitsOf(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

bool same(float a, float b) { return (a != a && b != b) || bitsOf(a) == bitsOf(b); }
bool same(int32_t a, int32_t b) { return a == b; }

// Sum

struct Axis {
  int32_t size, stride, reduced;
};

/// Compares the sum over the marked axes with one that calculates each result by itself.
void checkSum(const std::vector<Axis>& axes) {
  std::vector<int32_t> sizes, strides, reduced;
  int64_t total = 1, kept = 1, extent = 1, lowest = 0;
  for (const Axis& axis : axes) {
    sizes.push_back(axis.size);
    strides.push_back(axis.stride);
    reduced.push_back(axis.reduced);
    total *= axis.size;
    if (!axis.reduced) kept *= axis.size;
    if (axis.size > 0) extent += (axis.size - 1) * static_cast<int64_t>(std::abs(axis.stride));
    if (axis.size > 0 && axis.stride < 0) lowest += (axis.size - 1) * static_cast<int64_t>(axis.stride);
  }
  if (total == 0) extent = lowest = 0;
  const Array<float> x = randomArray<float>(extent);
  const Array<int32_t> whole = randomArray<int32_t>(extent);
  std::vector<double> expected(kept), magnitude(kept);
  std::vector<uint32_t> expectedInt(kept);
  for (int64_t k = 0; k < total; k++) {
    int64_t rest = k, from = -lowest, to = 0, step = 1;
    for (size_t axis = axes.size(); axis-- > 0;) {
      const int64_t place = rest % axes[axis].size;
      rest /= axes[axis].size;
      from += place * axes[axis].stride;
      if (axes[axis].reduced) continue;
      to += place * step;
      step *= axes[axis].size;
    }
    expected[to] += x[from];
    magnitude[to] += std::fabs(x[from]);
    expectedInt[to] += static_cast<uint32_t>(whole[from]);
  }
  Array<float> y(kept);
  Array<int32_t> wholeY(kept);
  const int rank = static_cast<int>(axes.size());
  kernels::sum(y.data, x.data - lowest, rank, sizes.data(), strides.data(), reduced.data());
  kernels::sumInt(wholeY.data, whole.data - lowest, rank, sizes.data(), strides.data(), reduced.data());
  for (int64_t k = 0; k < kept; k++) {
    CHECK(std::fabs(y[k] - expected[k]) <= 1e-6 * magnitude[k], "sum %d of rank %d: %g, not %g", static_cast<int>(k), rank,
          y[k], expected[k]);
    CHECK(static_cast<uint32_t>(wholeY[k]) == expectedInt[k], "sumInt %d of rank %d", static_cast<int>(k), rank);
  }
}

/// Axes with the strides of a dense tensor.
std::vector<Axis> dense(std::vector<Axis> axes) {
  int32_t stride = 1;
  for (size_t axis = axes.size(); axis-- > 0;) {
    axes[axis].stride = stride;
    stride *= axes[axis].size > 0 ? axes[axis].size : 1;
  }
  return axes;
}

void testSum() {
  checkSum({});
  for (int32_t rows : {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 130, 200}) {
    for (int32_t columns : {0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 127, 128, 129, 1023, 1025, 2100}) {
      checkSum(dense({{rows, 0, 1}, {columns, 0, 0}}));
      checkSum(dense({{rows, 0, 0}, {columns, 0, 1}}));
      checkSum({{rows, columns + 3, 1}, {columns, 1, 0}});
      checkSum({{columns, 1, 0}, {rows, columns, 1}});
    }
  }
  for (int32_t length : {0, 1, 2, 100, 511, 513, 10000, 100003}) {
    checkSum({{length, 1, 1}});
    checkSum({{length, 2, 1}});
    checkSum({{length, 0, 1}});
    checkSum({{length, -1, 1}});
    checkSum(dense({{length, 0, 1}, {3, 0, 0}}));
  }
  for (int round = 0; round < 3000; round++) {
    const int rank = static_cast<int>(below(9));
    std::vector<Axis> axes(rank);
    const int32_t longest = rank <= 3 ? 40 : rank <= 5 ? 7 : 3;
    const bool mayBeEmpty = below(10) == 0;
    for (Axis& axis : axes)
      axis = {static_cast<int32_t>(mayBeEmpty ? below(longest) : 1 + below(longest)), 0, static_cast<int32_t>(below(2))};
    axes = dense(axes);
    for (int swap = 0; rank > 0 && swap < static_cast<int>(below(3)); swap++) {
      const size_t a = below(rank), b = below(rank);
      const Axis held = axes[a];
      axes[a] = axes[b];
      axes[b] = held;
    }
    for (Axis& axis : axes) {
      if (below(12) == 0) axis.stride = 0;
      if (below(12) == 0) axis.stride *= -2;
    }
    checkSum(axes);
  }
}

void testSumOfExtremes() {
  for (int32_t length : {3, 40, 700}) {
    Array<float> x = randomArray<float>(length);
    const int32_t stride = 1, reduced = 1;
    float y;
    for (float extreme : {NOT_A_NUMBER, INFINITE, -INFINITE}) {
      const int64_t place = below(length);
      x[place] = extreme;
      kernels::sum(&y, x.data, 1, &length, &stride, &reduced);
      CHECK(same(y, extreme), "sum of %d with %g: %g", length, extreme, y);
      x[place] = 0;
    }
    x[0] = INFINITE;
    x[length - 1] = -INFINITE;
    kernels::sum(&y, x.data, 1, &length, &stride, &reduced);
    CHECK(y != y, "sum of both infinities: %g", y);
  }
  // Elements of one sign, which a single float could not add up.
  constexpr int32_t COUNT = 3000000;
  Array<float> tenths(COUNT);
  for (int32_t k = 0; k < COUNT; k++) tenths[k] = 0.1f;
  const double expected = COUNT * static_cast<double>(0.1f);
  for (int32_t columns : {1, 3, 1000}) {
    const int32_t sizes[] = {COUNT / columns, columns}, strides[] = {columns, 1}, reduced[] = {1, 0};
    Array<float> y(columns);
    kernels::sum(y.data, tenths.data, 2, sizes, strides, reduced);
    for (int32_t k = 0; k < columns; k++)
      CHECK(std::fabs(y[k] - expected / columns) <= 2e-7 * expected / columns, "sum of many: %.9g", y[k]);
  }
}

// Largest element

float largerOf(float a, float b) {
  if (a != a || b != b) return NOT_A_NUMBER;
  return a == b ? (std::signbit(a) ? b : a) : a > b ? a : b;
}
int32_t largerOf(int32_t a, int32_t b) { return a > b ? a : b; }

template <typename Element>
bool isNotANumber(Element x) {
  return x != x;
}

void callMax(float* to, const float* from, int64_t outer, int64_t length, int64_t inner) {
  kernels::max(to, from, outer, length, inner);
}
void callMax(int32_t* to, const int32_t* from, int64_t outer, int64_t length, int64_t inner) {
  kernels::maxInt(to, from, outer, length, inner);
}
void callArgmax(int32_t* to, const float* from, int64_t outer, int64_t length, int64_t inner) {
  kernels::argmax(to, from, outer, length, inner);
}
void callArgmax(int32_t* to, const int32_t* from, int64_t outer, int64_t length, int64_t inner) {
  kernels::argmaxInt(to, from, outer, length, inner);
}

template <typename Element>
void checkMax(const Array<Element>& x, int64_t outer, int64_t length, int64_t inner) {
  Array<Element> y(outer * inner);
  Array<int32_t> places(outer * inner);
  callMax(y.data, x.data, outer, length, inner);
  callArgmax(places.data, x.data, outer, length, inner);
  for (int64_t block = 0; block < outer; block++) {
    for (int64_t column = 0; column < inner; column++) {
      const Element* const line = x.data + block * length * inner + column;
      Element largest = line[0];
      int64_t best = 0;
      for (int64_t k = 1; k < length; k++) {
        const Element candidate = line[k * inner], held = line[best * inner];
        largest = largerOf(largest, candidate);
        if (candidate > held || (isNotANumber(candidate) && !isNotANumber(held))) best = k;
      }
      const int64_t to = block * inner + column;
      CHECK(same(y[to], largest), "max of [%d,%d,%d]: %g, not %g", static_cast<int>(outer), static_cast<int>(length),
            static_cast<int>(inner), static_cast<double>(y[to]), static_cast<double>(largest));
      CHECK(places[to] == best, "argmax of [%d,%d,%d]: %d, not %d", static_cast<int>(outer), static_cast<int>(length),
            static_cast<int>(inner), places[to], static_cast<int>(best));
    }
  }
}

void testMax() {
  const float special[] = {NOT_A_NUMBER, -NOT_A_NUMBER, INFINITE, -INFINITE, 0.0f, -0.0f};
  for (int64_t outer : {0, 1, 3}) {
    for (int64_t length : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64, 67, 129}) {
      for (int64_t inner : {0, 1, 2, 3, 4, 7, 9, 16, 18, 33, 1030}) {
        if (inner == 1030 && length > 9) continue;
        const int64_t size = outer * length * inner;
        checkMax(randomArray<int32_t>(size), outer, length, inner);
        checkMax(randomArray<float>(size), outer, length, inner);
        Array<float> x = randomArray<float>(size);
        for (int64_t k = 0; k < size; k++) {
          x[k] = -static_cast<float>(below(3)) - 1;  // many ties
          if (below(length) == 0) x[k] = special[below(6)];
        }
        checkMax(x, outer, length, inner);
        for (int64_t k = 0; k < size; k++) x[k] = below(2) == 0 ? -INFINITE : below(4) == 0 ? 0.0f : -0.0f;
        checkMax(x, outer, length, inner);
      }
    }
  }
}

// Rows by index

bool callScatterAdd(float* to, const float* from, const int32_t* indices, const float* added, int64_t rows,
                    int64_t width, int64_t count, int32_t* failure) {
  return kernels::scatterAdd(to, from, indices, added, rows, width, count, failure);
}
bool callScatterAdd(int32_t* to, const int32_t* from, const int32_t* indices, const int32_t* added, int64_t rows,
                    int64_t width, int64_t count, int32_t* failure) {
  return kernels::scatterAddInt(to, from, indices, added, rows, width, count, failure);
}

float plus(float a, float b) { return a + b; }
int32_t plus(int32_t a, int32_t b) { return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)); }

template <typename Element>
void checkRows(int64_t rows, int64_t width, int64_t count) {
  Array<Element> table = randomArray<Element>(rows * width);
  Array<Element> added = randomArray<Element>(count * width);
  Array<int32_t> indices(count);
  for (int64_t k = 0; k < count; k++) indices[k] = static_cast<int32_t>(below(rows));
  int32_t failure[3] = {5, 6, 7};

  Array<Element> gathered(count * width);
  CHECK(kernels::gather(gathered.words(), table.words(), indices.data, rows, width, count, failure), "gather failed");
  for (int64_t k = 0; k < count * width; k++)
    CHECK(same(gathered[k], table[indices[k / width] * width + k % width]), "gather at %d", static_cast<int>(k));

  Array<Element> expected = table;
  for (int64_t k = 0; k < count * width; k++) {
    Element& element = expected[indices[k / width] * width + k % width];
    element = plus(element, added[k]);
  }
  Array<Element> sum(rows * width);
  CHECK(callScatterAdd(sum.data, table.data, indices.data, added.data, rows, width, count, failure), "scatterAdd failed");
  CHECK(callScatterAdd(table.data, table.data, indices.data, added.data, rows, width, count, failure), "scatterAdd failed");
  for (int64_t k = 0; k < rows * width; k++)
    CHECK(same(sum[k], expected[k]) && same(table[k], expected[k]), "scatterAdd at %d", static_cast<int>(k));
  CHECK(failure[0] == 5 && failure[1] == 6 && failure[2] == 7, "a failure was written");

  if (count == 0) return;
  for (int64_t outside : {INT64_C(-1), rows, INT64_C(2147483647), INT64_C(-2147483648)}) {
    indices[below(count)] = static_cast<int32_t>(outside);
    failure[1] = failure[2] = 0;
    CHECK(!kernels::gather(gathered.words(), table.words(), indices.data, rows, width, count, failure), "gather went on");
    CHECK(failure[2] == rows, "gather: %d rows", failure[2]);
    failure[1] = failure[2] = 0;
    CHECK(!callScatterAdd(sum.data, table.data, indices.data, added.data, rows, width, count, failure),
          "scatterAdd went on");
    CHECK(failure[1] < 0 || failure[1] >= rows, "scatterAdd: row %d", failure[1]);
    CHECK(failure[2] == rows, "scatterAdd: %d rows", failure[2]);
  }
}

void testRows() {
  for (int64_t rows : {1, 2, 9})
    for (int64_t width : {0, 1, 2, 3, 4, 7, 8, 15, 17, 31, 33, 130})
      for (int64_t count : {0, 1, 5, 20}) {
        checkRows<float>(rows, width, count);
        checkRows<int32_t>(rows, width, count);
      }
  int32_t failure[3] = {};
  const int32_t index = 0;
  CHECK(!kernels::gather(nullptr, nullptr, &index, 0, 3, 1, failure), "gather from an empty table");
}

// Windows

void checkWindow(int32_t start, int64_t blocks, int64_t length, int64_t window, int64_t stride) {
  Array<float> x = randomArray<float>(blocks * length * stride);
  Array<float> piece = randomArray<float>(blocks * window * stride);
  const int64_t first = std::min<int64_t>(std::max(start, 0), length - window);

  Array<float> slice(blocks * window * stride);
  kernels::dynamicSlice(slice.words(), x.words(), start, blocks, length, window, stride);
  Array<float> expected = x;
  for (int64_t block = 0; block < blocks; block++) {
    for (int64_t k = 0; k < window * stride; k++) {
      float& element = expected[(block * length + first) * stride + k];
      CHECK(same(slice[block * window * stride + k], element), "dynamicSlice from %d", start);
      element = piece[block * window * stride + k];
    }
  }
  Array<float> updated(x.size);
  kernels::dynamicUpdate(updated.words(), x.words(), piece.words(), start, blocks, length, window, stride);
  kernels::dynamicUpdate(x.words(), x.words(), piece.words(), start, blocks, length, window, stride);
  for (int64_t k = 0; k < x.size; k++)
    CHECK(same(updated[k], expected[k]) && same(x[k], expected[k]), "dynamicUpdate from %d", start);
}

void testWindows() {
  for (int64_t blocks : {0, 1, 3})
    for (int64_t length : {0, 1, 5, 8})
      for (int64_t window = 0; window <= length; window++)
        for (int64_t stride : {0, 1, 3, 16, 37})
          for (int32_t start : {INT32_MIN, -1, 0, 1, 2, 6, INT32_MAX}) checkWindow(start, blocks, length, window, stride);
}

// Overlapping windows

void callFold(float* to, const float* from, const kernels::Windows& w) { kernels::fold(to, from, w); }
void callFold(int32_t* to, const int32_t* from, const kernels::Windows& w) { kernels::foldInt(to, from, w); }

/// Compares with a loop over the elements of the result, each the sum of those that belong there, in their order.
template <typename Element>
void checkFold(const kernels::Windows& w) {
  const Array<Element> windows = randomArray<Element>(w.outer * w.count * w.middle * w.size * w.inner);
  Array<Element> whole(w.outer * w.length * w.middle * w.inner);
  callFold(whole.data, windows.data, w);
  for (int64_t at = 0; at < whole.size; at++) {
    const int64_t inner = at % w.inner, row = at / w.inner % w.middle, place = at / w.inner / w.middle % w.length;
    const int64_t outer = at / w.inner / w.middle / w.length;
    Element expected = 0;
    for (int64_t window = 0; window < w.count; window++)
      for (int64_t k = 0; k < w.size; k++)
        if (window * w.stride + k * w.dilation == place)
          expected = plus(
              expected, windows[(((outer * w.count + window) * w.middle + row) * w.size + k) * w.inner + inner]);
    CHECK(same(whole[at], expected), "fold at %d", static_cast<int>(at));
  }
}

void testFold() {
  for (int64_t length : {0, 1, 2, 5, 11})
    for (int64_t size : {1, 2, 3})
      for (int64_t stride : {1, 2, 5})
        for (int64_t dilation : {1, 3})
          for (int64_t middle : {1, 3})
            for (int64_t inner : {1, 4, 7, 17, 33}) {
              const int64_t span = (size - 1) * dilation + 1, count = length < span ? 0 : (length - span) / stride + 1;
              checkFold<float>({2, length, middle, inner, count, size, stride, dilation});
              checkFold<int32_t>({2, length, middle, inner, count, size, stride, dilation});
            }
}

// Random numbers

constexpr int32_t KEY[2] = {2024, 77};

void testKnownBits() {
  const int32_t keys[][2] = {{0, 0}, {-1, -1}, {0x13198a2e, 0x03707344}};
  const uint32_t counters[][2] = {{0, 0}, {0xffffffff, 0xffffffff}, {0x243f6a88, 0x85a308d3}};
  const uint32_t words[][2] = {{0x6b200159, 0x99ba4efe}, {0x1cb996fc, 0xbb002be7}, {0xc4923a9c, 0x483df7a0}};
  for (int k = 0; k < 3; k++) {
    uint32_t x0 = counters[k][0], x1 = counters[k][1];
    kernels::threefry2x32(keys[k], x0, x1);
    CHECK(x0 == words[k][0] && x1 == words[k][1], "threefry2x32: published answer %d", k);
  }

  const uint32_t split[] = {0x186356ed, 0x4e673621, 0x84c0025f, 0x6e6810a4, 0x04ba7d51,
                            0xbdef1302, 0x55495c5a, 0xcb7704cd, 0x34e7c97f, 0x84674ffa};
  Array<int32_t> newKeys(10);
  kernels::splitKey(newKeys.data, KEY, 5);
  for (int k = 0; k < 10; k++) CHECK(static_cast<uint32_t>(newKeys[k]) == split[k], "splitKey: word %d", k);

  const int32_t numbers[] = {0, 1, -1, 123456789};
  const uint32_t folded[][2] = {
      {0xd2937c84, 0xb4b8ef6b}, {0xbbf115ee, 0x3192ce76}, {0xa615079a, 0x1000c22e}, {0xc2e20d28, 0x97304e8f}};
  for (int k = 0; k < 4; k++) {
    int32_t key[2] = {KEY[0], KEY[1]};
    kernels::foldIn(key, key, numbers[k]);
    CHECK(static_cast<uint32_t>(key[0]) == folded[k][0], "foldIn %d: first word", numbers[k]);
    CHECK(static_cast<uint32_t>(key[1]) == folded[k][1], "foldIn %d: second word", numbers[k]);
  }
}

typedef void Draw(float*, const int32_t*, int64_t);

void checkDraw(const char* name, Draw* draw, const uint32_t (&expected)[11]) {
  for (int64_t count = 0; count <= 11; count++) {
    Array<float> drawn(count);
    draw(drawn.data, KEY, count);
    for (int64_t k = 0; k < count; k++)
      CHECK(bitsOf(drawn[k]) == expected[k], "%s: %d of %d", name, static_cast<int>(k), static_cast<int>(count));
  }
  Array<float> many(1000);
  draw(many.data, KEY, 1000);
  for (int64_t count : {15, 16, 17, 31, 32, 33, 63, 65, 999}) {
    Array<float> few(count);
    draw(few.data, KEY, count);
    for (int64_t k = 0; k < count; k++) CHECK(same(few[k], many[k]), "%s: a count of %d", name, static_cast<int>(count));
  }
}

TT_NOT_FUSED double quantile(double p) {
  const double q = p - 0.5;
  return std::fabs(q) <= kernels::QUANTILE_CENTRE ? kernels::quantileOfCentre(q) : kernels::quantileOfTail(p, q);
}

void testDraws() {
  checkDraw("uniform", kernels::uniform,
            {0x3e0e989c, 0x3f4b6515, 0x3f027e69, 0x3f4c37b3, 0x3f4920d9, 0x3f2fbe35, 0x3f6ab456, 0x3f6917e9, 0x3e5f6ed0,
             0x3e9c33de, 0x3f6d331f});
  checkDraw("normal", kernels::normal,
            {0xbf8ab5ec, 0x3f527a04, 0x3cc80d82, 0x3f5561bb, 0x3f4a9c10, 0x3ef8cd7d, 0x3fb12584, 0x3fac073f, 0xbf473ea5,
             0xbf02849a, 0x3fb9aee6});
  const struct {
    double p;
    uint64_t bits;
  } quantiles[] = {
      {1.1102230246251565e-16, 0xc0206b48528cea51},
      {0.9999999999999999, 0x40206b48528cea51},
      {1e-11, 0xc01ad2f7bbec4804},
      {3e-12, 0xc01b84c2d6e1f05c},
      {0.01, 0xc0029c5c4630ff0e},
      {0.07, 0xbff79cd70d9c27f0},
      {0.93, 0x3ff79cd70d9c27f3},
      {0.99999, 0x40110f3f8843a850},
  };
  for (const auto& known : quantiles) {
    const double z = quantile(known.p);
    uint64_t bits;
    std::memcpy(&bits, &z, sizeof bits);
    CHECK(bits == known.bits, "the normal quantile of %g", known.p);
  }
}

}  // namespace

int main() {
  testSum();
  testSumOfExtremes();
  testMax();
  testRows();
  testWindows();
  testFold();
  testKnownBits();
  testDraws();
  return report("others");
}
