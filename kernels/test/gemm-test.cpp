// Compares the matrix products of gemm.hpp with plain loops in double precision.
#include "../gemm.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "check.hpp"

using namespace tt::TT_VARIANT;

static std::mt19937 generator(1);
static Ahead nothing;

static int64_t anyOf(const std::vector<int64_t>& choices) { return choices[generator() % choices.size()]; }

/// A heap allocation of exactly the floats asked for, so that a sanitiser sees any access past its end.
static std::unique_ptr<float[]> exactFloats(int64_t count) {
  auto floats = std::make_unique<float[]>(static_cast<size_t>(count));
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (int64_t i = 0; i < count; ++i) floats[i] = uniform(generator);
  return floats;
}

struct Aligned {
  void operator()(float* p) const { std::free(p); }
};

/// The same at an address divisible by 64; the size is rounded up to whole vectors of 16.
static std::unique_ptr<float, Aligned> alignedFloats(int64_t count) {
  const auto bytes = static_cast<size_t>((count + 15) / 16 * 64);
  return std::unique_ptr<float, Aligned>(static_cast<float*>(std::aligned_alloc(64, bytes)));
}

/// A matrix of any strides in an allocation that ends with its last element.
struct Matrix {
  int64_t rows, columns, rowStride, columnStride;
  std::unique_ptr<float[]> data;

  Matrix(int64_t rows, int64_t columns, int64_t rowStride, int64_t columnStride)
      : rows(rows), columns(columns), rowStride(rowStride), columnStride(columnStride), data(exactFloats(size())) {}

  int64_t size() const { return rows == 0 || columns == 0 ? 0 : (rows - 1) * rowStride + (columns - 1) * columnStride + 1; }
  float& at(int64_t i, int64_t j) const { return data[i * rowStride + j * columnStride]; }
};

static Matrix contiguousRows(int64_t rows, int64_t columns) { return Matrix(rows, columns, columns + anyOf({0, 1, 16}), 1); }

/// Row-major, column-major or with gaps everywhere.
static Matrix anyMatrix(int64_t rows, int64_t columns) {
  const int64_t gap = anyOf({0, 3});
  switch (generator() % 3) {
    case 0: return Matrix(rows, columns, columns + gap, 1);
    case 1: return Matrix(rows, columns, 1, rows + gap);
    default: return Matrix(rows, columns, 2 * columns + gap, 2);
  }
}

enum class Addend { none, repeated, separate, inPlace };

/// D, and C as it was before the product.
struct Output {
  Matrix c, d;
  std::vector<float> before;
  Addend kind;

  Output(int64_t M, int64_t N)
      : c(contiguousRows(M, N)), d(0, 0, 0, 0), before(c.data.get(), c.data.get() + c.size()), kind(Addend(generator() % 4)) {
    if (kind == Addend::repeated) d = Matrix(M == 0 ? 0 : 1, N, 0, 1);
    if (kind == Addend::separate) d = contiguousRows(M, N);
  }

  const float* pointer() const { return kind == Addend::none ? nullptr : kind == Addend::inPlace ? c.data.get() : d.data.get(); }
  int64_t stride() const { return kind == Addend::inPlace ? c.rowStride : d.rowStride; }

  double addend(int64_t i, int64_t j) const {
    if (kind == Addend::none) return 0;
    return kind == Addend::inPlace ? before[i * c.rowStride + j] : d.at(kind == Addend::repeated ? 0 : i, j);
  }
};

static void compare(const char* what, const Output& output, const Matrix& a, const Matrix& b) {
  const int64_t M = a.rows, K = a.columns, N = b.columns;
  int64_t wrong = 0, firstRow = 0, firstColumn = 0;
  for (int64_t i = 0; i < M; ++i) {
    for (int64_t j = 0; j < N; ++j) {
      double sum = output.addend(i, j), size = std::fabs(sum);
      for (int64_t k = 0; k < K; ++k) {
        const double term = static_cast<double>(a.at(i, k)) * b.at(k, j);
        sum += term;
        size += std::fabs(term);
      }
      const double found = output.c.at(i, j);
      const bool right = std::isnan(sum) ? std::isnan(found) : found == sum || std::fabs(found - sum) <= 1e-6 * size;
      if (!right && wrong++ == 0) firstRow = i, firstColumn = j;
    }
    // The gaps between rows are not the product's to write.
    for (int64_t g = i * output.c.rowStride + N; g < (i + 1) * output.c.rowStride && g < output.c.size(); ++g)
      if (output.c.data[g] != output.before[g] && wrong++ == 0) firstRow = i, firstColumn = g - i * output.c.rowStride;
  }
  CHECK(wrong == 0, "%s %ld x %ld x %ld, addend %d: %ld wrong, first (%ld, %ld)", what, long(M), long(K), long(N),
        int(output.kind), long(wrong), long(firstRow), long(firstColumn));
}

/// Sometimes puts a NaN or an infinity into a matrix.
static void spoil(Matrix& m) {
  if (m.size() == 0 || generator() % 4 != 0) return;
  const float infinity = std::numeric_limits<float>::infinity();
  const float values[] = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 0};
  m.at(generator() % m.rows, generator() % m.columns) = values[generator() % 4];
}

static void testPacked(int64_t M, int64_t K, int64_t N) {
  Matrix a = anyMatrix(M, K), b = anyMatrix(K, N);
  spoil(a), spoil(b);
  const auto packed = alignedFloats(packedFloats(K, N)), scratch = alignedFloats(rowScratchFloats(M, K));
  pack(packed.get(), b.data.get(), b.rowStride, b.columnStride, K, N);
  Output output(M, N);
  multiplyPacked(output.c.data.get(), output.c.rowStride, a.data.get(), a.rowStride, a.columnStride, packed.get(),
                 output.pointer(), output.stride(), M, K, N, scratch.get(), nothing, generator() % 2 == 0);
  compare("packed", output, a, b);
}

static void testAny(int64_t M, int64_t K, int64_t N) {
  Matrix a = anyMatrix(M, K), b = anyMatrix(K, N);
  spoil(a), spoil(b);
  const auto scratch = alignedFloats(multiplyScratchFloats(M, K, N));
  Output output(M, N);
  multiply(output.c.data.get(), output.c.rowStride, a.data.get(), a.rowStride, a.columnStride, b.data.get(), b.rowStride,
           b.columnStride, output.pointer(), output.stride(), M, K, N, scratch.get());
  compare("any strides", output, a, b);
}

static void testPack(int64_t K, int64_t N) {
  const Matrix b = anyMatrix(K, N);
  const auto packed = alignedFloats(packedFloats(K, N));
  pack(packed.get(), b.data.get(), b.rowStride, b.columnStride, K, N);
  int64_t wrong = 0;
  for (int64_t n = 0; n < wholeVectors(N); ++n) {
    const int64_t first = n / PANEL * PANEL, width = std::min<int64_t>(PANEL, wholeVectors(N) - first);
    for (int64_t k = 0; k < K; ++k) wrong += packed.get()[first * K + k * width + n - first] != (n < N ? b.at(k, n) : 0);
  }
  CHECK(wrong == 0, "pack %ld x %ld: %ld wrong", long(K), long(N), long(wrong));
}

/// Rows of a product, computed one by one, all at once, from its last columns on, and with blocks of terms, have the same bits.
static void testSameBits(int64_t M, int64_t K, int64_t N) {
  const Matrix a(M, K, K, 1), b(K, N, N, 1), d(M, N, N, 1);
  const Matrix all(M, N, N, 1), single(M, N, N, 1), backwards(M, N, N, 1), blocked(M, N, N, 1);
  const auto packed = alignedFloats(packedFloats(K, N));
  const auto scratch = alignedFloats(greater(multiplyScratchFloats(M, K, N), rowScratchFloats(M, K)));
  pack(packed.get(), b.data.get(), N, 1, K, N);
  multiplyPacked(all.data.get(), N, a.data.get(), K, 1, packed.get(), d.data.get(), N, M, K, N, scratch.get(), nothing);
  for (int64_t i = 0; i < M; ++i)
    multiplyPacked(&single.at(i, 0), N, &a.at(i, 0), K, 1, packed.get(), &d.at(i, 0), N, 1, K, N, scratch.get(), nothing);
  multiplyPacked(backwards.data.get(), N, a.data.get(), K, 1, packed.get(), d.data.get(), N, M, K, N, scratch.get(), nothing, true);
  multiply(blocked.data.get(), N, a.data.get(), K, 1, b.data.get(), N, 1, d.data.get(), N, M, K, N, scratch.get());
  const size_t bytes = static_cast<size_t>(M * N) * 4;
  CHECK(std::memcmp(all.data.get(), single.data.get(), bytes) == 0, "rows one by one: %ld x %ld x %ld", long(M), long(K), long(N));
  CHECK(std::memcmp(all.data.get(), backwards.data.get(), bytes) == 0, "backwards: %ld x %ld x %ld", long(M), long(K), long(N));
  CHECK(std::memcmp(all.data.get(), blocked.data.get(), bytes) == 0, "blocks: %ld x %ld x %ld", long(M), long(K), long(N));
}

int main() {
  const std::vector<int64_t> rows = {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 16, 20, 25, 32, 33};
  const std::vector<int64_t> terms = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 100};
  const std::vector<int64_t> columns = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 23, 24, 31, 32, 33, 47, 48, 63, 64, 65, 95, 127, 129};
  for (int64_t M : rows) {
    for (int64_t N : columns) {
      const int64_t K = anyOf(terms);
      testPacked(M, K, N);
      testAny(M, anyOf(terms), N);
      testPack(K, N);
    }
  }
  // Past every block size, a dimension at a time.
  for (int64_t size : {K_BLOCK - 1, K_BLOCK, K_BLOCK + 1, 3 * K_BLOCK + 5}) testAny(anyOf(rows), size, anyOf(columns));
  for (int64_t size : {4 * TILE_ROWS, 120, 250}) testAny(size, K_BLOCK + anyOf(terms), anyOf(columns));
  for (int64_t size : {N_BLOCK - 1, N_BLOCK, N_BLOCK + 1, 2 * N_BLOCK + 5}) testAny(anyOf(rows), anyOf(terms), size);
  testAny(2 * ROW_BLOCK_FLOATS / K_BLOCK + 3, 2 * K_BLOCK + 1, N_BLOCK + 3);
  testPacked(2 * ROW_BLOCK_FLOATS / 300, 300, 2 * PANEL + 1);
  testPacked(5 * TILE_ROWS, ROW_BLOCK_FLOATS / TILE_ROWS, 3);
  testSameBits(2 * TILE_ROWS + 1, 2 * K_BLOCK + 7, 9 * PANEL + 1);
  testSameBits(3, 40, 5 * PANEL);
  testSameBits(2 * TILE_ROWS + 1, NEAR_FLOATS / (3 * PANEL), 3 * PANEL + 1);  // beyond the second-level cache: from either end
  CHECK(peakWork(1000) == 2000.0 * PEAK_SUMS * WIDTH, "peakWork");
  return report("gemm");
}
