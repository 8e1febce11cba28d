// Executes fused elementwise instructions on few elements, where deciding how to go through memory would take longer than the
// arithmetic: it is decided when the words are written.
//
// Words of an instruction: elements, number of blocks, number of operands, the operands, the steps, end
//
//   operand: pointer, byteOffset; the place pointers[pointer] + byteOffset in memory
//
// A block of scratch memory holds a value of each element, in order, filled up to whole vectors. In the steps, numbers below that of
// operands are operands, the others blocks. Steps:
//
//   load         block, operand, count                              elements that are neighbours in memory
//   loadNumber   block, operand                                     one number for all elements
//   loadStrided  block, operand, rank, sizes[rank], strides[rank]   elements at any distances, row by row
//   store, storeStrided                                             the opposite of load and loadStrided
//   sum          block, from, length of a row                       the sum of each row
//   others       to, a, b, c                                        the operation of that name; 0: unused
//
// Where the elements fill whole vectors, the operations and sums also read and write operands whose elements are neighbours. What has been
// stored may be loaded again.
#pragma once

#include "codes.hpp"
#include "elements.hpp"

namespace tt::TT_VARIANT {

/// Floats of scratch memory (to be aligned to 64 bytes) that an instruction needs.
inline int64_t fewScratchFloats(const int32_t* words) { return words[1] * wholeVectors(words[0]); }

/// One operation on whole vectors: `bytes` is a multiple of those of a vector.
template <typename Operation>
TT_INLINE void operate(char* to, const char* a, [[maybe_unused]] const char* b, [[maybe_unused]] const char* c, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += VECTOR_BYTES) {
    const Floats y = Operation::sources > 1 ? load(b + at) : Floats{}, z = Operation::sources > 2 ? load(c + at) : Floats{};
    store(to + at, Operation::apply(load(a + at), y, z));
  }
}

/// Loads neighbouring elements. Two or four go through a register: a vector in memory can only be read at once where it was written
/// at once.
TT_INLINE void loadBlock(char* block, const char* from, int64_t bytes) {
  typedef int64_t Pairs __attribute__((vector_size(WIDTH * 4)));
  int64_t at = 0;
  for (; at + VECTOR_BYTES <= bytes; at += VECTOR_BYTES) store(block + at, load(from + at));
  const int64_t rest = bytes - at;
  if (rest == 8 || rest == 16) {
    int64_t first, second = 0;
    std::memcpy(&first, from + at, 8);
    if (rest == 16) std::memcpy(&second, from + at + 8, 8);
    store(block + at, Pairs{first, second});
  } else {
    copyFew(block + at, from + at, rest);
  }
}

/// Copies elements at any distances to a block, or back. Gives the place in the block behind the last one.
template <bool stores>
char* moveStrided(char* block, char* memory, int32_t rank, const int32_t* sizes, const int32_t* strides) {
  for (int32_t k = 0; k < sizes[0]; k++, memory += int64_t(strides[0]) * 4) {
    if (rank > 1) {
      block = moveStrided<stores>(block, memory, rank - 1, sizes + 1, strides + 1);
    } else {
      std::memcpy(stores ? memory : block, stores ? block : memory, 4);
      block += 4;
    }
  }
  return block;
}

/// The sums of rows of so many floats each.
inline void sumBlock(char* to, const char* from, int64_t elements, int64_t length) {
  for (int64_t done = 0; done < elements; done += length, to += 4) {
    const float sum = float(sumOf(from + done * 4, length));
    std::memcpy(to, &sum, sizeof sum);
  }
}

inline void elementwiseFew(const int32_t* w, char* const* pointers, float* scratch) {
  const int64_t elements = w[0], bytes = wholeVectors(elements) * 4;
  const int32_t blocks = w[1], operands = w[2];
  char** const at = static_cast<char**>(__builtin_alloca((operands + blocks) * sizeof(char*)));
  w += 3;
  for (int32_t k = 0; k < operands; k++, w += 2) at[k] = pointers[w[0]] + w[1];
  for (int32_t k = 0; k < blocks; k++) at[operands + k] = reinterpret_cast<char*>(scratch) + k * bytes;
  for (;;) {
    switch (Element(w[0])) {
      case Element::accumulate:  // in elementwise.hpp alone
      case Element::end:
        return;
      case Element::load:
        loadBlock(at[w[1]], at[w[2]], int64_t(w[3]) * 4);
        w += 4;
        break;
      case Element::loadNumber: {
        int32_t bits;  // integers, because floating-point arithmetic may flush some of them to zero
        std::memcpy(&bits, at[w[2]], sizeof bits);
        for (int64_t byte = 0; byte < bytes; byte += VECTOR_BYTES) store(at[w[1]] + byte, splat(bits));
        w += 3;
        break;
      }
      case Element::loadStrided:
        moveStrided<false>(at[w[1]], at[w[2]], w[3], w + 4, w + 4 + w[3]);
        w += 4 + 2 * w[3];
        break;
      case Element::store:
        copyRun(at[w[2]], at[w[1]], int64_t(w[3]) * 4);
        w += 4;
        break;
      case Element::storeStrided:
        moveStrided<true>(at[w[1]], at[w[2]], w[3], w + 4, w + 4 + w[3]);
        w += 4 + 2 * w[3];
        break;
      case Element::sum:
        sumBlock(at[w[1]], at[w[2]], elements, w[3]);
        w += 4;
        break;
#define TT_CASE(name, count, result)                                                  \
  case Element::name:                                                                 \
    operate<name##Operation>(at[w[1]], at[w[2]], at[w[3]], at[w[4]], bytes);          \
    w += 5;                                                                           \
    break;
        TT_ELEMENT_OPERATIONS(TT_CASE)
#undef TT_CASE
    }
  }
}

}  // namespace tt::TT_VARIANT
