// The kernels as a WebAssembly module. Memory comes from outside: what lies in it above __heap_base, and where, is the
// host's business (src/runtime/wasm/module.ts), so nothing is allocated here.
#include "machine.hpp"

#define TT_EXPORT(name) extern "C" __attribute__((export_name(#name)))

/// Executes a compiled Plan; see machine.hpp.
TT_EXPORT(run) int32_t run(const int32_t* code, char** pointers, float* scratch, int32_t* failure) {
  // Whoever runs one Plan again and again, or few in turns of an odd number, finds its matrices read from alternate ends.
  static bool backwards = false;
  backwards = !backwards;
  return tt::TT_VARIANT::run(code, pointers, scratch, failure, backwards);
}

/// Floats of scratch memory that a Plan needs.
TT_EXPORT(scratchFloats) int32_t scratchFloats(const int32_t* code) { return int32_t(tt::TT_VARIANT::scratchFloats(code)); }

/// Columns of a packed matrix that lie together.
TT_EXPORT(panel) int32_t panel() { return tt::TT_VARIANT::PANEL; }

/// Multiplies and adds as fast as it can; returns how many floating-point operations that were.
TT_EXPORT(peakWork) double peakWork(int32_t iterations) { return tt::TT_VARIANT::peakWork(iterations); }
