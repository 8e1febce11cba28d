// Matrix products in single precision: packing, products with a packed operand, and products of any strides.
//
// The right factor is packed into panels of some columns, the left one into tiles of some rows, so that the innermost loop reads both
// from one place to the next.
//
// Each output element begins with its element of D (or zero) and adds its terms in order of k, one multiply-add after the
// other, so blocking and the number of rows of a call do not change its bits.
#pragma once

#include <utility>

#include "ahead.hpp"
#include "simd.hpp"

// Loops over the registers of a tile must be unrolled whatever the optimisation level: an array can't be indexed in registers.
// Clang would vectorise the loop over k of small tiles a second time.
#ifdef __clang__
#define TT_UNROLL _Pragma("unroll")
#define TT_NO_VECTORS _Pragma("clang loop vectorize(disable)")
#else
#define TT_UNROLL _Pragma("GCC unroll 32")
#define TT_NO_VECTORS
#endif

namespace tt::TT_VARIANT {

// A tile of TILE_ROWS x PANEL_VECTORS sums, with a vector of A and the vectors of a row of B, fills the registers. LATENCY_SUMS
// independent sums keep the units busy; PEAK_SUMS are as many as the registers hold.
#if defined(__wasm__)
constexpr int TILE_ROWS = 3, PANEL_VECTORS = 3, LATENCY_SUMS = 9, PEAK_SUMS = 12;
#elif defined(__aarch64__)
constexpr int TILE_ROWS = 6, PANEL_VECTORS = 4, LATENCY_SUMS = 16, PEAK_SUMS = 24;
#elif TT_WIDTH == 16
constexpr int TILE_ROWS = 8, PANEL_VECTORS = 3, LATENCY_SUMS = 8, PEAK_SUMS = 24;
#elif TT_WIDTH == 8
constexpr int TILE_ROWS = 6, PANEL_VECTORS = 2, LATENCY_SUMS = 8, PEAK_SUMS = 12;
#else
constexpr int TILE_ROWS = 6, PANEL_VECTORS = 2, LATENCY_SUMS = 6, PEAK_SUMS = 12;
#endif

// Terms that the innermost loop adds at once. Engines of WebAssembly find too few registers for more, compilers for AVX-512 for more than three.
#ifdef __wasm__
constexpr int TERMS = 1;
#elif TT_WIDTH == 16
constexpr int TERMS = 3;
#else
constexpr int TERMS = 4;
#endif

/// Columns of a packed panel.
constexpr int PANEL = PANEL_VECTORS * WIDTH;

constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t greater(int64_t a, int64_t b) { return a < b ? b : a; }
constexpr int64_t ceilingOfDivision(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Blocks of a product of any strides, and floats of a block of rows of A: a panel's block of terms has 32 KB with AVX2, as the first-level
// cache, and 96 KB with AVX-512, where tiles keep up with the second one; there a block of rows stays if it has 512 KB or more.
constexpr int64_t K_BLOCK = 512, N_BLOCK = 1024, ROW_BLOCK_FLOATS = 64 * 1024;

/// Floats of a line of the cache.
constexpr int LINE = 16;

/// The size of a block, where `total` is split into about equal blocks of at most `most`.
constexpr int64_t evenBlock(int64_t total, int64_t most) {
  return total <= most ? total : ceilingOfDivision(total, ceilingOfDivision(total, most));
}

inline int64_t packedFloats(int64_t K, int64_t N) { return wholeVectors(N) * K; }

typedef float Four __attribute__((vector_size(16)));
typedef float Eight __attribute__((vector_size(32)));

/// Copies eight rows of eight floats, transposed. `toStride` and `fromStride` are the distances between rows. The last of fewer rows
/// stands for those that are missing.
TT_INLINE void transposeEight(float* to, int64_t toStride, const float* from, int64_t fromStride, int rowCount = 8) {
  const auto row = [&](int r) { return from + (r < rowCount ? r : rowCount - 1) * fromStride; };
  for (int half = 0; half < 8; half += 4, to += 4 * toStride) {
    // Row r and row r + 4 side by side: both halves of the vectors are transposed alike.
    Eight rows[4];
    TT_UNROLL for (int r = 0; r < 4; ++r) {
      rows[r] = __builtin_shufflevector(load<Four>(row(r) + half), load<Four>(row(r + 4) + half), 0, 1, 2, 3, 4, 5, 6, 7);
    }
    const Eight low = __builtin_shufflevector(rows[0], rows[1], 0, 8, 1, 9, 4, 12, 5, 13);
    const Eight high = __builtin_shufflevector(rows[0], rows[1], 2, 10, 3, 11, 6, 14, 7, 15);
    const Eight nextLow = __builtin_shufflevector(rows[2], rows[3], 0, 8, 1, 9, 4, 12, 5, 13);
    const Eight nextHigh = __builtin_shufflevector(rows[2], rows[3], 2, 10, 3, 11, 6, 14, 7, 15);
    store(to, __builtin_shufflevector(low, nextLow, 0, 1, 8, 9, 4, 5, 12, 13));
    store(to + toStride, __builtin_shufflevector(low, nextLow, 2, 3, 10, 11, 6, 7, 14, 15));
    store(to + 2 * toStride, __builtin_shufflevector(high, nextHigh, 0, 1, 8, 9, 4, 5, 12, 13));
    store(to + 3 * toStride, __builtin_shufflevector(high, nextHigh, 2, 3, 10, 11, 6, 7, 14, 15));
  }
}

/// to[i, j] = from[i, j] for a matrix of any strides, written to rows of contiguous floats.
inline TT_NOINLINE void copyMatrix(float* to, int64_t toStride, const float* from, int64_t rowStride, int64_t columnStride,
                                   int64_t rows, int64_t columns) {
  // Columns outside, so that a transposed matrix is read along its memory and the rows being written stay in the cache.
  int64_t wholeRows = 0, wholeColumns = 0;
  if (rowStride == 1 && columnStride != 1) {
    wholeRows = rows / 8 * 8;
    wholeColumns = columns / 8 * 8;
    // Lines of the cache are read and written whole, one square of 16 elements a side after the other.
    for (int64_t left = 0; left < wholeColumns; left += LINE)
      for (int64_t top = 0; top < wholeRows; top += LINE)
        for (int64_t j = left; j < smaller(left + LINE, wholeColumns); j += 8)
          for (int64_t i = top; i < smaller(top + LINE, wholeRows); i += 8)
            transposeEight(to + i * toStride + j, toStride, from + i + j * columnStride, columnStride);
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i < wholeRows ? wholeColumns : 0; j < columns; ++j)
      to[i * toStride + j] = from[i * rowStride + j * columnStride];
}

/// Packs op(B), K x N with element (k, n) at b[k * rowStride + n * columnStride], into panels [K][PANEL], one behind the other. The
/// last one is only as wide as its columns are, in whole vectors, which are filled up with zeros.
inline TT_NOINLINE void pack(float* out, const float* b, int64_t rowStride, int64_t columnStride, int64_t K, int64_t N) {
  for (int64_t n = 0; n < N; n += PANEL, out += K * PANEL, b += PANEL * columnStride) {
    const int64_t columns = smaller(N - n, PANEL), width = wholeVectors(columns);
    if (columnStride == 1) {
      for (int64_t k = 0; k < K; ++k) {
        float* const to = out + k * width;
        if (columns < width) store(to + width - WIDTH, Floats{});
        copyRun(reinterpret_cast<char*>(to), reinterpret_cast<const char*>(b + k * rowStride), columns * 4);
      }
      continue;
    }
    copyMatrix(out, width, b, rowStride, columnStride, K, columns);
    if (columns == width) continue;
    for (int64_t k = 0; k < K; ++k)
      for (int64_t j = columns; j < width; ++j) out[k * width + j] = 0;
  }
}

/// Hides where a value comes from. Otherwise Clang reorders the loads of a tile for WebAssembly, so that its sums find too few
/// registers, and replaces constant offsets of loads by additions.
template <typename T>
TT_INLINE T opaque(T x) {
#ifdef __wasm__
  asm volatile("" : "+r"(x));
#endif
  return x;
}

/// Terms of rows beside each other that are packed before the next ones, so that the lines of the cache that tiles share stay there.
constexpr int64_t COLUMNS_AT_ONCE = 8;

/// Packs ROWS rows of A, with element (r, k) at a[r * rowStride + k * columnStride], into a tile [K][ROWS]. Up to eight floats behind
/// it are written as well, unless rowStride is 1.
template <int ROWS>
void packTile(float* tile, const float* a, int64_t rowStride, int64_t columnStride, int64_t K) {
  int64_t k = 0;
  if (rowStride == 1) {
    for (; k < K; ++k) {
      __builtin_prefetch(a + (k + COLUMNS_AT_ONCE) * columnStride);
      std::memcpy(tile + k * ROWS, a + k * columnStride, ROWS * 4);
    }
  } else if (columnStride == 1) {
    // What is transposed too much is written over: by the rows before, and by the next terms.
    for (; k + 8 <= K; k += 8) {
      TT_UNROLL for (int r = (ROWS - 1) / 8 * 8; r >= 0; r -= 8) {
        transposeEight(tile + k * ROWS + r, ROWS, a + r * rowStride + k, rowStride, ROWS - r < 8 ? ROWS - r : 8);
      }
    }
  }
  for (; k < K; ++k) {
    TT_UNROLL for (int r = 0; r < ROWS; ++r) tile[k * ROWS + r] = a[r * rowStride + k * columnStride];
  }
}

typedef void PackTile(float*, const float*, int64_t, int64_t, int64_t);

struct TilePackers {
  PackTile* of[TILE_ROWS];
};

template <int... I>
constexpr TilePackers tilePackers(std::integer_sequence<int, I...>) {
  return {{packTile<I + 1>...}};
}

/// The one for tiles of r rows is number r - 1.
constexpr TilePackers TILE_PACKERS = tilePackers(std::make_integer_sequence<int, TILE_ROWS>());

/// Calls f(0), f(1) ... one after the other, without a loop: compilers leave long bodies rolled up.
template <typename F, int... I>
TT_INLINE void forEach(std::integer_sequence<int, I...>, const F& f) {
  (f(I), ...);
}

/// What the tiles of a product share: distances between rows of C and D, and the terms of a sum.
struct Strides {
  int64_t c, d, K;
};

/// Copies rows of fewer than WIDTH floats. Not inlined: there is one place for each tile that has to do so.
inline TT_NOINLINE void copyEnds(float* to, int64_t toStride, const float* from, int64_t fromStride, int64_t rows,
                                 int64_t count) {
  for (; rows > 0; --rows, to += toStride, from += fromStride) {
    copyFew(reinterpret_cast<char*>(to), reinterpret_cast<const char*>(from), count * 4);
  }
}

/// Tiles that together fetch a panel.
constexpr int FETCHING_TILES = 3;

/// Lines of the cache that a tile fetches at a time, where it does so.
constexpr int FETCHED_LINES = ceilingOfDivision(TERMS * PANEL, LINE * FETCHING_TILES);

/// Floats that a tile fetches.
constexpr int64_t fetchedFloats(int64_t K) { return K / TERMS * FETCHED_LINES * LINE; }

/// C = D + A B for a packed tile of ROWS rows and `columns` columns. These fill VECTORS vectors, but for the end of the last one;
/// they may lie in several panels. `ahead` is memory to fetch meanwhile; null for none.
template <int ROWS, int VECTORS>
void multiplyTile(float* c, const float* a, const float* panel, const float* d, int64_t columns, const Strides& strides,
                  const float* ahead) {
  constexpr int LAST = VECTORS - 1;
  // Of several panels the last one may be narrower, and so may a single one: its rows have another distance.
  constexpr int WHOLE = VECTORS / PANEL_VECTORS, LAST_WIDTH = VECTORS % PANEL_VECTORS * WIDTH;
  const int64_t K = strides.K, ldc = strides.c, panelStride = K * PANEL;
  [[maybe_unused]] const float* narrow = panel + WHOLE * panelStride;
  const int64_t rest = columns - LAST * WIDTH;
  Floats sums[ROWS][VECTORS] = {};
  if (d != nullptr) {
    TT_UNROLL for (int r = 0; r < ROWS; ++r) {
      TT_UNROLL for (int v = 0; v < LAST; ++v) sums[r][v] = load(d + r * strides.d + v * WIDTH);
    }
    if (rest == WIDTH) {
      TT_UNROLL for (int r = 0; r < ROWS; ++r) sums[r][LAST] = load(d + r * strides.d + LAST * WIDTH);
    } else {
      float ends[ROWS][WIDTH] = {};
      copyEnds(ends[0], WIDTH, d + LAST * WIDTH, strides.d, ROWS, rest);
      TT_UNROLL for (int r = 0; r < ROWS; ++r) sums[r][LAST] = load(ends[r]);
    }
  }
  const auto addTerm = [&](int k) __attribute__((always_inline)) {
    const auto loadB = [&](int v) {
      const int column = v % PANEL_VECTORS * WIDTH;
      return load(v / PANEL_VECTORS < WHOLE ? panel + v / PANEL_VECTORS * panelStride + k * PANEL + column : narrow + k * LAST_WIDTH + column);
    };
    // The fewer operands stay in registers, the more come one by one.
    if constexpr (ROWS < VECTORS) {
      Floats x[ROWS];
      TT_UNROLL for (int r = 0; r < ROWS; ++r) x[r] = opaque(splat(a[k * ROWS + r]));
      TT_UNROLL for (int v = 0; v < VECTORS; ++v) {
        const Floats b = loadB(v);
        TT_UNROLL for (int r = 0; r < ROWS; ++r) sums[r][v] = multiplyAdd(x[r], b, sums[r][v]);
      }
    } else {
      Floats b[VECTORS];
      TT_UNROLL for (int v = 0; v < VECTORS; ++v) b[v] = loadB(v);
      TT_UNROLL for (int r = 0; r < ROWS; ++r) {
        const Floats x = opaque(splat(a[k * ROWS + r]));
        TT_UNROLL for (int v = 0; v < VECTORS; ++v) sums[r][v] = multiplyAdd(x, b[v], sums[r][v]);
      }
    }
  };
  // Where there is nothing to fetch, it is what is here already.
  [[maybe_unused]] const int64_t fetched = ahead == nullptr ? 0 : FETCHED_LINES * LINE;
  if (ahead == nullptr) ahead = panel;
  const auto addTerms = [&](auto terms, int64_t times) {
    constexpr int COUNT = terms.size();
    TT_NO_VECTORS for (const float* const end = a + times * COUNT * ROWS; a != end; a += COUNT * ROWS) {
      a = opaque(a);
      if constexpr (WHOLE > 0) panel = opaque(panel);
      if constexpr (LAST_WIDTH > 0) narrow = opaque(narrow);
      if constexpr (FETCHES_AHEAD && COUNT > 1) {
        TT_UNROLL for (int i = 0; i < FETCHED_LINES; ++i) __builtin_prefetch(ahead + i * LINE, 0, 2);
        ahead += fetched;
      }
      forEach(terms, addTerm);
      if constexpr (WHOLE > 0) panel += COUNT * PANEL;
      if constexpr (LAST_WIDTH > 0) narrow += COUNT * LAST_WIDTH;
    }
  };
  // Several panels at once have sums enough for the loop's own work not to count.
  constexpr int AT_ONCE = VECTORS > PANEL_VECTORS ? 1 : TERMS;
  addTerms(std::make_integer_sequence<int, AT_ONCE>(), K / AT_ONCE);
  if constexpr (AT_ONCE > 1) addTerms(std::make_integer_sequence<int, 1>(), K % AT_ONCE);
  TT_UNROLL for (int r = 0; r < ROWS; ++r) {
    TT_UNROLL for (int v = 0; v < LAST; ++v) store(c + r * ldc + v * WIDTH, sums[r][v]);
  }
  if (rest == WIDTH) {
    TT_UNROLL for (int r = 0; r < ROWS; ++r) store(c + r * ldc + LAST * WIDTH, sums[r][LAST]);
  } else {
    float ends[ROWS][WIDTH];
    TT_UNROLL for (int r = 0; r < ROWS; ++r) store(ends[r], sums[r][LAST]);
    copyEnds(c + LAST * WIDTH, ldc, ends[0], WIDTH, ROWS, rest);
  }
}

typedef void Tile(float*, const float*, const float*, const float*, int64_t, const Strides&, const float*);

/// Panels a tile of few rows takes at once, to have enough independent sums.
constexpr int panelsAtOnce(int64_t rows) {
  const int64_t sums = rows * PANEL_VECTORS;
  return static_cast<int>(smaller(ceilingOfDivision(LATENCY_SUMS, sums), TILE_ROWS * PANEL_VECTORS / sums));
}

constexpr int MOST_VECTORS = panelsAtOnce(1) * PANEL_VECTORS;

struct PanelCounts {
  int of[TILE_ROWS];
};

constexpr PanelCounts panelCounts() {
  PanelCounts counts{};
  for (int rows = 1; rows <= TILE_ROWS; ++rows) counts.of[rows - 1] = panelsAtOnce(rows);
  return counts;
}

/// That of a tile of r rows is number r - 1.
constexpr PanelCounts PANELS_AT_ONCE = panelCounts();

template <int ROWS, int VECTORS>
constexpr Tile* tileOf() {
  if constexpr (VECTORS <= panelsAtOnce(ROWS) * PANEL_VECTORS) return multiplyTile<ROWS, VECTORS>;
  else return nullptr;
}

struct Tiles {
  Tile* of[TILE_ROWS * MOST_VECTORS];
};

template <int... I>
constexpr Tiles allTiles(std::integer_sequence<int, I...>) {
  return {{tileOf<I / MOST_VECTORS + 1, I % MOST_VECTORS + 1>()...}};
}

/// The tile of r rows and v vectors is number (r - 1) * MOST_VECTORS + v - 1.
constexpr Tiles TILES = allTiles(std::make_integer_sequence<int, TILE_ROWS * MOST_VECTORS>());

/// Fetches the places of a tile of C and D, so that they are there when the tile after the current one begins.
TT_INLINE void prefetchTile(const float* c, int64_t ldc, const float* d, int64_t ldd, int64_t rows) {
  for (int64_t r = 0; r < rows; ++r) {
    TT_UNROLL for (int j = 0; j < PANEL; j += LINE) {
      __builtin_prefetch(c + r * ldc + j, 1);
      if (d != nullptr) __builtin_prefetch(d + r * ldd + j);
    }
  }
}

/// Floats of a packed matrix that a second-level cache keeps, besides all else, from one time to the next.
constexpr int64_t NEAR_FLOATS = 96 * 1024;

/// Rows that are a block of A, however many terms they have.
constexpr int64_t FEW_ROWS = 4 * TILE_ROWS;

/// Rows of A that are packed at a time, to stay in the second-level cache while every panel goes past them.
constexpr int64_t rowsInBlock(int64_t M, int64_t K) {
  return M <= FEW_ROWS ? M : evenBlock(M, greater(FEW_ROWS, ROW_BLOCK_FLOATS / (K + 1)));
}

/// Floats of scratch memory that `multiplyPacked` needs. Of fewer terms, a block may have more rows.
inline int64_t rowScratchFloats(int64_t M, int64_t K) { return smaller(M * K, greater(FEW_ROWS * K, ROW_BLOCK_FLOATS)) + 8; }

/// C = D + A op(B), where B is packed and element (m, k) of A lies at a[m * aRow + k * aColumn]. `d` may be null (C = A B), the same
/// memory as `c`, or a single row (ldd = 0). `later` is what comes after the product. `backwards`: of a matrix that no cache
/// keeps, the last panels come first, which does not change the result.
inline TT_NOINLINE void multiplyPacked(float* c, int64_t ldc, const float* a, int64_t aRow, int64_t aColumn, const float* packed,
                                       const float* d, int64_t ldd, int64_t M, int64_t K, int64_t N, float* scratch,
                                       [[maybe_unused]] Ahead& later, bool backwards = false) {
  const Strides strides{ldc, ldd, K};
  const bool isNear = K * N <= NEAR_FLOATS;
  if (isNear) backwards = false;
  const int64_t blockRows = rowsInBlock(M, K);
  for (int64_t m = 0; m < M; m += blockRows) {
    // Rows are split evenly: 32 = 6 + 6 + 5 + 5 + 5 + 5.
    const int64_t rows = smaller(M - m, blockRows);
    const int64_t tiles = ceilingOfDivision(rows, TILE_ROWS);
    // A product of one tile takes no longer than a few divisions.
    const int64_t least = tiles == 1 ? rows : rows / tiles, larger = tiles == 1 ? 0 : rows % tiles;
    const float* packedRows = scratch;
    if (rows == 1 && aColumn == 1) {
      packedRows = a + m * aRow;
    } else {
      const int64_t someTerms = aRow == 1 ? COLUMNS_AT_ONCE : K;
      for (int64_t k = 0; k < K; k += someTerms) {
        const float* from = a + m * aRow + k * aColumn;
        for (int64_t t = 0, row = 0; t < tiles; ++t) {
          const int64_t tileRows = least + (t < larger);
          TILE_PACKERS.of[tileRows - 1](scratch + row * K + k * tileRows, from + row * aRow, aRow, aColumn, smaller(K - k, someTerms));
          row += tileRows;
        }
      }
    }
    const int64_t step = PANELS_AT_ONCE.of[least + (larger > 0) - 1] * PANEL, forth = backwards ? -step : step;
    for (int64_t n = backwards ? (N - 1) / step * step : 0; 0 <= n && n < N; n += forth) {
      const bool isLast = backwards ? n == 0 : N <= n + step;
      const int64_t columns = smaller(N - n, step), vectors = ceilingOfDivision(columns, WIDTH);
      Tile* const* tile = TILES.of + (least - 1) * MOST_VECTORS + vectors - 1;
      for (int64_t t = 0, row = 0; t < tiles; ++t) {
        const bool isLarger = t < larger;
        const int64_t next = row + least + isLarger;
        float* const toPlace = c + m * ldc + n;
        const float* const fromPlace = d == nullptr ? d : d + m * ldd + n;
        const auto rowOfD = [=](int64_t r, int64_t column) { return fromPlace == nullptr ? nullptr : fromPlace + r * ldd + column; };
        if (t + 1 < tiles) {
          prefetchTile(toPlace + next * ldc, ldc, rowOfD(next, 0), ldd, least);
        } else if (!isLast) {
          prefetchTile(toPlace + forth, ldc, rowOfD(0, forth), ldd, least);
        }
        const float* ahead = nullptr;
        if constexpr (FETCHES_AHEAD) {
          const bool fetchesPanel = !isNear && t < FETCHING_TILES && !isLast;
          ahead = fetchesPanel ? packed + (n + forth) * K + t * fetchedFloats(K) : later.take(fetchedFloats(K) * 4);
        }
        tile[isLarger ? MOST_VECTORS : 0](toPlace + row * ldc, packedRows + row * K, packed + n * K, rowOfD(row, 0), columns, strides,
                                          ahead);
        row = next;
      }
    }
  }
}

/// Terms in a block of a product: where there are several blocks, whole tiles of the transposition.
inline int64_t termsInBlock(int64_t K) { return K <= K_BLOCK ? K : (evenBlock(K, K_BLOCK) + 7) / 8 * 8; }

/// Columns in a block of a product: whole panels.
inline int64_t columnsInBlock(int64_t N) { return ceilingOfDivision(evenBlock(N, N_BLOCK), PANEL) * PANEL; }

/// Floats of scratch memory that `multiply` needs.
inline int64_t multiplyScratchFloats(int64_t M, int64_t K, int64_t N) {
  const int64_t terms = termsInBlock(K);
  return packedFloats(terms, columnsInBlock(N)) + rowScratchFloats(M, terms);
}

/// C = D + A op(B) for any strides of A and B, packing block by block into `scratch`.
inline TT_NOINLINE void multiply(float* c, int64_t ldc, const float* a, int64_t aRow, int64_t aColumn, const float* b,
                                 int64_t bRow, int64_t bColumn, const float* d, int64_t ldd, int64_t M, int64_t K, int64_t N,
                                 float* scratch) {
  Ahead nothing;
  const int64_t blockTerms = termsInBlock(K), blockColumns = columnsInBlock(N);
  float* const rowScratch = scratch + packedFloats(blockTerms, blockColumns);
  for (int64_t n = 0; n < N; n += blockColumns) {
    const int64_t columns = smaller(N - n, blockColumns);
    int64_t k = 0;
    do {
      const int64_t terms = smaller(K - k, blockTerms);
      pack(scratch, b + k * bRow + n * bColumn, bRow, bColumn, terms, columns);
      // Later blocks of terms go on from the sums so far.
      const float* from = k == 0 ? d : c;
      multiplyPacked(c + n, ldc, a + k * aColumn, aRow, aColumn, scratch, from == nullptr ? from : from + n, k == 0 ? ldd : ldc,
                     M, terms, columns, rowScratch, nothing);
      k += terms;
    } while (k < K);
  }
}

/// Multiply-adds without memory, `iterations` times as many as there are independent sums: the peak of one core. Returns the
/// floating-point operations done.
inline double peakWork(int64_t iterations) {
  constexpr int SUMS = PEAK_SUMS;
  Floats sums[SUMS];
  TT_UNROLL for (int i = 0; i < SUMS; ++i) sums[i] = splat(static_cast<float>(i));
  // Unknown to the compiler, which would leave out a sum that it knows to stay as it is: x = x / 2 + 1 for x = 2.
  volatile float half = 0.5f, one = 1.0f;
  const Floats factor = splat(half), addend = splat(one);
  for (int64_t n = 0; n < iterations; ++n) {
    TT_UNROLL for (int i = 0; i < SUMS; ++i) sums[i] = multiplyAdd(sums[i], factor, addend);
  }
  Floats total = sums[0];
  TT_UNROLL for (int i = 1; i < SUMS; ++i) total += sums[i];
  // A volatile store keeps the loop alive.
  volatile float sink = total[0];
  static_cast<void>(sink);
  return 2.0 * SUMS * WIDTH * static_cast<double>(iterations);
}

}  // namespace tt::TT_VARIANT

#undef TT_UNROLL
#undef TT_NO_VECTORS
