// Executes fused elementwise instructions: blocks of their operands pass through a list of operations without leaving the
// first-level cache.
//
// Words of an instruction:
//
//   rank (1 to 6), sizes[rank] (outermost first), registers, number of operands, the operands, number of codes, the codes
//   operand: pointer, byteOffset, strides[rank]; element (i0, i1 ...) lies at pointers[pointer] + byteOffset + 4 sum(i stride)
//   code:    Element, destination, a, b, c; numbers below `registers` are blocks of scratch, the others operands, -1: unused
//
// An operand may be the very same memory as another, as every operation reads a lane before it writes it.
#pragma once

#include "elements.hpp"

namespace tt::TT_VARIANT {

// --------------------------------------------------------------------------------------------------------- the loops

/// Where the rows of a block lie.
struct Stream {
  char* at;
  int64_t rowBytes;
};

/// One operation on one block; rowLength is a number of bytes, and a multiple of those of a vector.
struct Work {
  int64_t rows;
  int64_t rowLength;
  Stream to;
  Stream from[3];
};

using Loop = void (*)(const Work&);

/// One source of a row: a vector at each place, or the same number everywhere.
template <bool used, bool scalar>
struct Row {
  const char* at = nullptr;
  Floats number = {};

  TT_INLINE Row(const Stream& stream, int64_t row) {
    if (!used) return;
    at = stream.at + row * stream.rowBytes;
    if (!scalar) return;
    int32_t bits;  // integers, because floating-point arithmetic may flush some of them to zero
    std::memcpy(&bits, at, sizeof bits);
    number = (Floats)splat(bits);
  }
  TT_INLINE Floats operator[](int64_t offset) const { return used && !scalar ? load(at + offset) : number; }
};

/// The loop of an operation, where bit k of `scalars` says that source k is one number for each row.
template <typename Operation, int scalars>
void loopOver(const Work& work) {
  const int64_t rows = work.rows, rowLength = work.rowLength;
  for (int64_t row = 0; row < rows; row++) {
    const Row<true, (scalars & 1) != 0> a(work.from[0], row);
    const Row<(Operation::sources > 1), (scalars & 2) != 0> b(work.from[1], row);
    const Row<(Operation::sources > 2), (scalars & 4) != 0> c(work.from[2], row);
    char* to = work.to.at + row * work.to.rowBytes;
    for (int64_t at = 0; at < rowLength; at += VECTOR_BYTES) store(to + at, Operation::apply(a[at], b[at], c[at]));
  }
}

/// The loop for these scalars, of which at least one bit for `Operation`'s sources is 0.
template <typename Operation>
Loop chooseLoop(int scalars) {
  if constexpr (Operation::sources == 1) {
    return loopOver<Operation, 0>;
  } else if constexpr (Operation::sources == 2) {
    static constexpr Loop loops[] = {loopOver<Operation, 0>, loopOver<Operation, 1>, loopOver<Operation, 2>};
    return loops[scalars];
  } else {
    static constexpr Loop loops[] = {loopOver<Operation, 0>, loopOver<Operation, 1>, loopOver<Operation, 2>,
                                     loopOver<Operation, 3>, loopOver<Operation, 4>, loopOver<Operation, 5>,
                                     loopOver<Operation, 6>};
    return loops[scalars];
  }
}

inline Loop loopFor(Element code, int scalars) {
  switch (code) {
#define TT_CASE(name, count, result) \
  case Element::name:                \
    return chooseLoop<name##Operation>(scalars);
    TT_ELEMENT_OPERATIONS(TT_CASE)
#undef TT_CASE
    default:
      break;
  }
  return nullptr;
}

// -------------------------------------------------------------------------------------------------------- the blocks

/// Floats in a block of each register: together they shall fill most of a first-level cache of 32 KB.
constexpr int64_t blockFloats(int64_t registers) {
  return registers <= 6 ? 1024 : registers <= 12 ? 512 : registers <= 24 ? 256 : 128;
}

/// Registers lie a little more than a block apart, since equal low bits of addresses would slow down the cache.
constexpr int64_t blockPitch(int64_t registers) { return blockFloats(registers) + 16; }

/// Blocks behind the registers: one for each source and for the last vectors of rows.
constexpr int64_t EXTRA_BLOCKS = 4;

/// Floats of scratch memory (to be aligned to 64 bytes) that an instruction with so many registers needs.
constexpr int64_t elementwiseScratchFloats(int64_t registers) { return (registers + EXTRA_BLOCKS) * blockPitch(registers); }

/// A register or an operand.
struct Place {
  char* at;             // of the block
  char* base;           // of the first row and column; unused for registers
  int64_t rowBytes;
  int64_t columnBytes;
  double total;         // for destinations of sums: that of the row so far
};

struct Block {
  int64_t rows;
  int64_t columns;
  int64_t paddedBytes;  // of a row in a register: whole vectors
  int64_t registers;
  char* extra;          // the first extra block
  int64_t extraBytes;   // from one to the next
  bool first, last;     // of the blocks of its rows
};

/// Copies a block of elements at any distances to a register, filling up its last vectors with zeros.
inline TT_NOINLINE void gatherBlock(const Place& from, const Block& block, char* to) {
  const int64_t width = block.columns * 4;
  for (int64_t row = 0; row < block.rows; row++, to += block.paddedBytes) {
    const char* source = from.at + row * from.rowBytes;
    store(to + block.paddedBytes - VECTOR_BYTES, Floats{});
    if (from.columnBytes == 4 && width < VECTOR_BYTES) {
      copyFew(to, source, width);
    } else {
      for (int64_t at = 0; at < width; at += 4, source += from.columnBytes) std::memcpy(to + at, source, 4);
    }
  }
}

/// The opposite of gatherBlock.
inline TT_NOINLINE void scatterBlock(const char* from, const Block& block, const Place& to) {
  const int64_t width = block.columns * 4;
  for (int64_t row = 0; row < block.rows; row++, from += block.paddedBytes) {
    char* target = to.at + row * to.rowBytes;
    if (to.columnBytes == 4 && width < VECTOR_BYTES) {
      copyFew(target, from, width);
    } else {
      for (int64_t at = 0; at < width; at += 4, target += to.columnBytes) std::memcpy(target, from + at, 4);
    }
  }
}

/// The rows of a source whose columns are neighbours, which a copy makes so.
TT_INLINE Stream rowsOf(const Place& source, const Block& block, char* copy) {
  if (source.columnBytes == 4) return {source.at, source.rowBytes};
  gatherBlock(source, block, copy);
  return {copy, block.paddedBytes};
}

/// `second`: null for the sum of the first source, else the sum of products is made.
inline TT_NOINLINE void sumRows(Place& to, const Place& first, const Place* second, const Block& block) {
  const Stream a = rowsOf(first, block, block.extra);
  const Stream b = second == nullptr ? a : rowsOf(*second, block, block.extra + block.extraBytes);
  const auto sumOfRow = second == nullptr ? sumOf<false> : sumOf<true>;
  for (int64_t row = 0; row < block.rows; row++) {
    const double sum = sumOfRow(a.at + row * a.rowBytes, block.columns, b.at + row * b.rowBytes);
    to.total = block.first ? sum : to.total + sum;
    if (!block.last) continue;
    const float result = float(to.total);
    std::memcpy(to.at + row * to.rowBytes, &result, sizeof result);
  }
}

/// Adds a, or a b, to the elements of a row.
template <bool product>
void accumulateRow(char* to, const char* a, [[maybe_unused]] const char* b, int64_t width) {
  const auto added = [](Floats total, Floats x, [[maybe_unused]] Floats y) {
    return product ? multiplyAdd(x, y, total) : total + x;
  };
  int64_t at = 0;
  for (; at + VECTOR_BYTES <= width; at += VECTOR_BYTES) {
    store(to + at, added(load(to + at), load(a + at), product ? load(b + at) : Floats{}));
  }
  if (at == width) return;
  Floats total = {}, x = {}, y = {};
  copyFew(reinterpret_cast<char*>(&total), to + at, width - at);
  copyFew(reinterpret_cast<char*>(&x), a + at, width - at);
  if (product) copyFew(reinterpret_cast<char*>(&y), b + at, width - at);
  total = added(total, x, y);
  copyFew(to + at, reinterpret_cast<const char*>(&total), width - at);
}

/// `second`: null to add the first source, else products are added. The columns of the destination are neighbours.
inline TT_NOINLINE void accumulateRows(Place& to, const Place& first, const Place* second, const Block& block) {
  const Stream a = rowsOf(first, block, block.extra);
  const Stream b = second == nullptr ? a : rowsOf(*second, block, block.extra + block.extraBytes);
  const auto accumulate = second == nullptr ? accumulateRow<false> : accumulateRow<true>;
  for (int64_t row = 0; row < block.rows; row++) {
    accumulate(to.at + row * to.rowBytes, a.at + row * a.rowBytes, b.at + row * b.rowBytes, block.columns * 4);
  }
}

/// Runs a loop over rows that end within a vector. The last vector of each row therefore overlaps the one before it, and is
/// computed first, into `ends`, in case sources are overwritten.
inline TT_NOINLINE void runWithEnds(Loop loop, Work& work, int sources, int scalars, int64_t width, char* ends) {
  const int64_t last = width - VECTOR_BYTES;
  Work atEnd = work;
  for (int k = 0; k < sources; k++) {
    if (!(scalars >> k & 1)) atEnd.from[k].at += last;
  }
  atEnd.to = {ends, VECTOR_BYTES};
  atEnd.rowLength = VECTOR_BYTES;
  loop(atEnd);
  work.rowLength = width - width % VECTOR_BYTES;
  loop(work);
  for (int64_t row = 0; row < work.rows; row++) {
    store(work.to.at + row * work.to.rowBytes + last, load(ends + row * VECTOR_BYTES));
  }
}

/// Executes one code on one block.
TT_INLINE void executeCode(const int32_t* code, Place* places, const Block& block) {
  const Element element = Element(code[0]);
  const int32_t* sources = code + 2;
  Place& target = places[code[1]];
  if (element == Element::sum || element == Element::accumulate) {
    const Place* second = sources[1] < 0 ? nullptr : &places[sources[1]];
    return (element == Element::sum ? sumRows : accumulateRows)(target, places[sources[0]], second, block);
  }

  const int count = sources[1] < 0 ? 1 : sources[2] < 0 ? 2 : 3;
  const bool wide = block.columns >= WIDTH;  // shorter rows are copied to whole vectors
  bool padded = true;                        // everything is: last vectors may be read and written as a whole
  int scalars = 0;
  bool even = true;                          // and the rows of everything follow each other
  Work work;
  work.rows = block.rows;
  for (int k = 0; k < count; k++) {
    const Place& source = places[sources[k]];
    const bool inRegister = sources[k] < block.registers;
    work.from[k] = {source.at, source.rowBytes};
    if (source.columnBytes == 0 && scalars != (1 << (count - 1)) - 1) {
      scalars |= 1 << k;
      even &= source.rowBytes == 0;
    } else if (!inRegister) {
      if (source.columnBytes == 4 && wide) {
        padded = false;
      } else {
        char* copy = block.extra + k * block.extraBytes;
        gatherBlock(source, block, copy);
        work.from[k] = {copy, block.paddedBytes};
      }
    }
  }

  const bool scattered = code[1] >= block.registers && !(target.columnBytes == 4 && wide);
  work.to = scattered ? Stream{block.extra, block.paddedBytes} : Stream{target.at, target.rowBytes};
  if (code[1] >= block.registers && !scattered) padded = false;

  const Loop loop = loopFor(element, scalars);
  const int64_t width = block.columns * 4;
  if (padded || width == block.paddedBytes) {
    work.rowLength = block.paddedBytes;
    if (padded && even) {
      work.rowLength *= work.rows;
      work.rows = 1;
    }
    loop(work);
  } else {
    runWithEnds(loop, work, count, scalars, width, block.extra + 3 * block.extraBytes);
  }
  if (scattered) scatterBlock(block.extra, block, target);
}

// --------------------------------------------------------------------------------------------------- the instruction

/// The parts of an instruction's words.
struct Fused {
  int32_t rank;
  const int32_t* sizes;
  int32_t registers;
  int32_t operandCount;
  const int32_t* operands;
  int32_t codeCount;
  const int32_t* codes;

  const int32_t* strides(int32_t operand) const { return operands + operand * (2 + rank) + 2; }
};

constexpr int CODE_WORDS = 5;

inline Fused readFused(const int32_t* words) {
  Fused fused;
  fused.rank = words[0];
  fused.sizes = words + 1;
  words += 1 + fused.rank;
  fused.registers = words[0];
  fused.operandCount = words[1];
  fused.operands = words + 2;
  words = fused.operands + fused.operandCount * (2 + fused.rank);
  fused.codeCount = words[0];
  fused.codes = words + 1;
  return fused;
}

/// The axes that remain after joining those that are one in every operand's memory; outermost first.
struct Axes {
  int count = 0;
  int64_t sizes[6];
  int number[6];  // the axis whose strides count
};

inline bool hasSum(const Fused& fused) {
  for (int32_t k = 0; k < fused.codeCount; k++) {
    if (Element(fused.codes[k * CODE_WORDS]) == Element::sum) return true;
  }
  return false;
}

/// Keeps the last axis where sums are made along it.
inline Axes joinAxes(const Fused& fused) {
  Axes axes;
  for (int axis = 0; axis < fused.rank; axis++) {
    const int64_t size = fused.sizes[axis];
    const bool last = axis == fused.rank - 1;
    if (size == 1 && (!last || (axes.count > 0 && !hasSum(fused)))) continue;
    bool joined = axes.count > 0;
    for (int32_t k = 0; joined && k < fused.operandCount; k++) {
      const int32_t* strides = fused.strides(k);
      joined = strides[axes.number[axes.count - 1]] == size * strides[axis];
    }
    if (joined) {
      axes.sizes[axes.count - 1] *= size;
      axes.number[axes.count - 1] = axis;
    } else {
      axes.sizes[axes.count] = size;
      axes.number[axes.count++] = axis;
    }
  }
  return axes;
}

/// Writes the 0 that is the sum of no elements.
inline void writeEmptySums(const Fused& fused, const Place* places, int64_t rows) {
  for (int32_t k = 0; k < fused.codeCount; k++) {
    const int32_t* code = fused.codes + k * CODE_WORDS;
    if (Element(code[0]) != Element::sum) continue;
    const Place& to = places[code[1]];
    for (int64_t row = 0; row < rows; row++) std::memset(to.base + row * to.rowBytes, 0, sizeof(float));
  }
}

inline void elementwise(const int32_t* words, char* const* pointers, float* scratch) {
  const Fused fused = readFused(words);
  for (int axis = 0; axis < fused.rank - 1; axis++) {
    if (fused.sizes[axis] == 0) return;
  }
  const Axes axes = joinAxes(fused);
  const int columnAxis = axes.count - 1, rowAxis = axes.count - 2, outerAxes = axes.count < 2 ? 0 : axes.count - 2;
  const int64_t columns = axes.sizes[columnAxis], rows = rowAxis < 0 ? 1 : axes.sizes[rowAxis];

  // Wide rows are cut into about equal parts; of short ones, several make a block.
  const int64_t capacity = blockFloats(fused.registers), parts = (columns + capacity - 1) / capacity;
  int64_t blockColumns = columns, blockRows = 1;
  if (parts > 1) blockColumns = wholeVectors((columns + parts - 1) / parts);
  const int64_t paddedColumns = wholeVectors(blockColumns);
  if (rows > 1 && parts == 1) blockRows = capacity / paddedColumns;

  const int64_t pitch = blockPitch(fused.registers) * 4;
  char* scratchBytes = reinterpret_cast<char*>(scratch);
  Place* places = static_cast<Place*>(__builtin_alloca((fused.registers + fused.operandCount) * sizeof(Place)));
  for (int32_t k = 0; k < fused.registers; k++) {
    places[k].at = scratchBytes + k * pitch;
    places[k].rowBytes = paddedColumns * 4;
    places[k].columnBytes = 4;
  }
  Place* operands = places + fused.registers;
  for (int32_t k = 0; k < fused.operandCount; k++) {
    const int32_t* strides = fused.strides(k);
    operands[k].base = pointers[strides[-2]] + strides[-1];
    operands[k].rowBytes = rowAxis < 0 ? 0 : int64_t(strides[axes.number[rowAxis]]) * 4;
    operands[k].columnBytes = int64_t(strides[axes.number[columnAxis]]) * 4;
  }

  Block block;
  block.registers = fused.registers;
  block.extra = scratchBytes + fused.registers * pitch;
  block.extraBytes = pitch;

  int64_t index[6] = {};  // of the outer axes
  for (;;) {
    if (columns == 0) writeEmptySums(fused, places, rows);
    for (int64_t row = 0; row < rows; row += blockRows) {
      block.rows = rows - row < blockRows ? rows - row : blockRows;
      for (int64_t column = 0; column < columns; column += blockColumns) {
        block.columns = columns - column < blockColumns ? columns - column : blockColumns;
        block.first = column == 0;
        block.last = column + block.columns == columns;
        block.paddedBytes = wholeVectors(block.columns) * 4;
        for (int32_t k = 0; k < fused.operandCount; k++) {
          operands[k].at = operands[k].base + row * operands[k].rowBytes + column * operands[k].columnBytes;
        }
        for (int32_t k = 0; k < fused.codeCount; k++) executeCode(fused.codes + k * CODE_WORDS, places, block);
      }
    }

    int axis = outerAxes - 1;
    for (; axis >= 0; axis--) {
      const bool wraps = ++index[axis] == axes.sizes[axis];
      const int64_t steps = wraps ? 1 - axes.sizes[axis] : 1;
      for (int32_t k = 0; k < fused.operandCount; k++) {
        operands[k].base += steps * fused.strides(k)[axes.number[axis]] * 4;
      }
      if (!wraps) break;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

}  // namespace tt::TT_VARIANT
