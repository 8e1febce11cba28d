// Executes a compiled Plan: a list of instructions over a table of places in memory, loops over time inside.
//
// Decides nothing and owns nothing: the words of the program, the table and the scratch memory are the caller's.
#pragma once

#include "ahead.hpp"
#include "codes.hpp"
#include "elementwise-few.hpp"
#include "elementwise.hpp"
#include "fold.hpp"
#include "gemm.hpp"
#include "indexing.hpp"
#include "random.hpp"
#include "reduce.hpp"

namespace tt::TT_VARIANT {

/// Floats of scratch memory (64-byte aligned) that a program needs.
inline int64_t scratchFloats(const int32_t* code) {
  int64_t most = 0;
  for (; Instruction(code[0]) != Instruction::end; code += code[1]) {
    const int32_t* words = code + 2;
    int64_t own = 0;
    switch (Instruction(code[0])) {
      case Instruction::loop:
        own = scratchFloats(words + 4 + 3 * words[3]);
        break;
      case Instruction::elementwise:
        own = elementwiseScratchFloats(words[1 + words[0]]);
        break;
      case Instruction::elementwiseFew:
        own = fewScratchFloats(words);
        break;
      case Instruction::multiply:
        own = multiplyScratchFloats(words[4], words[5], words[6]);
        break;
      case Instruction::multiplyPacked:
        own = rowScratchFloats(words[4], words[5]);
        break;
      default:
        break;
    }
    if (most < own) most = own;
  }
  return most;
}

/// Runs a program, or the body of a loop before what comes `later`.
inline int32_t runBefore(Ahead& later, bool backwards, const int32_t* code, char** places, float* scratch, int32_t* failure) {
  const auto floats = [places](int32_t place) { return reinterpret_cast<float*>(places[place]); };
  const auto ints = [places](int32_t place) { return reinterpret_cast<int32_t*>(places[place]); };
  const auto words = [places](int32_t place) { return reinterpret_cast<Word*>(places[place]); };
  const auto addend = [places](int32_t place) {
    return place < 0 ? nullptr : reinterpret_cast<const float*>(places[place]);
  };
  for (;; code += code[1]) {
    const int32_t* w = code + 2;
    bool fine = true;
    switch (Instruction(code[0])) {
      case Instruction::end:
        return failure[0] = int32_t(Failure::none);
      case Instruction::loop: {
        const int32_t length = w[0], count = w[3];
        const int32_t* moving = w + 4;
        const int32_t* body = moving + 3 * count;
        const Ahead nextStep(places, moving, count, w[1]);
        for (int32_t step = 0; step < length; step++) {
          const int64_t time = w[1] ? length - 1 - step : step;
          for (int32_t k = 0; k < count; k++) {
            const int32_t* entry = moving + 3 * k;
            places[entry[0]] = places[entry[1]] + time * entry[2];
          }
          Ahead next = step + 1 < length ? nextStep : Ahead();
          if (runBefore(next, backwards != bool(step & 1), body, places, scratch, failure) != int32_t(Failure::none)) return failure[0];
        }
        break;
      }
      case Instruction::elementwise:
        elementwise(w, places, scratch);
        break;
      case Instruction::elementwiseFew:
        elementwiseFew(w, places, scratch);
        break;
      case Instruction::copy:
        copyWords(words(w[0]), words(w[1]), w[2] / 4);
        break;
      case Instruction::pack:
        pack(floats(w[0]), floats(w[1]), w[4], w[5], w[2], w[3]);
        break;
      case Instruction::multiply:
        for (int64_t k = 0; k < w[13]; k++) {
          multiply(floats(w[0]) + k * w[16], w[11], floats(w[1]) + k * w[14], w[7], w[8], floats(w[2]) + k * w[15], w[9],
                   w[10], addend(w[3]), w[12], w[4], w[5], w[6], scratch);
        }
        break;
      case Instruction::multiplyPacked:
        multiplyPacked(floats(w[0]), w[8], floats(w[1]), w[7], 1, floats(w[2]), addend(w[3]), w[9], w[4], w[5], w[6], scratch,
                       later, backwards);
        break;
      case Instruction::sum:
        sum(floats(w[0]), floats(w[1]), w[2], w + 3, w + 3 + w[2], w + 3 + 2 * w[2]);
        break;
      case Instruction::sumInt:
        sumInt(ints(w[0]), ints(w[1]), w[2], w + 3, w + 3 + w[2], w + 3 + 2 * w[2]);
        break;
      case Instruction::max:
        max(floats(w[0]), floats(w[1]), w[2], w[3], w[4]);
        break;
      case Instruction::maxInt:
        maxInt(ints(w[0]), ints(w[1]), w[2], w[3], w[4]);
        break;
      case Instruction::argmax:
        argmax(ints(w[0]), floats(w[1]), w[2], w[3], w[4]);
        break;
      case Instruction::argmaxInt:
        argmaxInt(ints(w[0]), ints(w[1]), w[2], w[3], w[4]);
        break;
      case Instruction::gather:
        fine = gather(words(w[0]), words(w[1]), ints(w[2]), w[3], w[4], w[5], failure);
        break;
      case Instruction::scatterAdd:
        fine = scatterAdd(floats(w[0]), floats(w[1]), ints(w[2]), floats(w[3]), w[4], w[5], w[6], failure);
        break;
      case Instruction::scatterAddInt:
        fine = scatterAddInt(ints(w[0]), ints(w[1]), ints(w[2]), ints(w[3]), w[4], w[5], w[6], failure);
        break;
      case Instruction::dynamicSlice:
        dynamicSlice(words(w[0]), words(w[1]), ints(w[2])[0], w[3], w[4], w[5], w[6]);
        break;
      case Instruction::dynamicUpdate:
        dynamicUpdate(words(w[0]), words(w[1]), words(w[2]), ints(w[3])[0], w[4], w[5], w[6], w[7]);
        break;
      case Instruction::fold:
        fold(floats(w[0]), floats(w[1]), {w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]});
        break;
      case Instruction::foldInt:
        foldInt(ints(w[0]), ints(w[1]), {w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9]});
        break;
      case Instruction::splitKey:
        splitKey(ints(w[0]), ints(w[1]), w[2]);
        break;
      case Instruction::foldIn:
        foldIn(ints(w[0]), ints(w[1]), ints(w[2])[0]);
        break;
      case Instruction::uniform:
        uniform(floats(w[0]), ints(w[1]), w[2]);
        break;
      case Instruction::normal:
        normal(floats(w[0]), ints(w[1]), w[2]);
        break;
      default:
        failure[1] = code[0];
        return failure[0] = int32_t(Failure::unknownInstruction);
    }
    if (!fine) {
      failure[3] = code[0];
      return failure[0] = int32_t(Failure::rowOutside);
    }
  }
}

/// Runs a program. `failure` has room for four words; the first is what is returned. `backwards` says from which end matrices are read:
/// changed from run to run, as it is from step to step inside, so that the part of them comes first that is still in the cache.
inline int32_t run(const int32_t* code, char** places, float* scratch, int32_t* failure, bool backwards) {
  Ahead nothing;
  return runBefore(nothing, backwards, code, places, scratch, failure);
}

}  // namespace tt::TT_VARIANT
