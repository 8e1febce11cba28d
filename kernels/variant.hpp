// What the kernels compiled for one instruction set offer. variant.cpp makes one such record for each of them.
#pragma once

#include <cstdint>

namespace tt {

struct Variant {
  const char* name;  // of the instruction set
  int32_t width;     // floats in a vector
  int32_t panel;     // columns of a packed matrix that lie together
  /// Executes a compiled Plan; see machine.hpp.
  int32_t (*run)(const int32_t* code, char** pointers, float* scratch, int32_t* failure, bool backwards);
  /// Floats of scratch memory that a Plan needs.
  int64_t (*scratchFloats)(const int32_t* code);
  /// Multiplies and adds as fast as it can; returns how many floating-point operations that were.
  double (*peakWork)(int64_t iterations);
};

}  // namespace tt
