// Memory that a loop will touch in its next step: matrix products, which leave the paths to memory idle, fetch it meanwhile.
#pragma once

#include <cstdint>

#include "simd.hpp"

namespace tt::TT_VARIANT {

/// Whether products fetch memory at all. Processors with AVX-512 have a second-level cache of 1 MB or more, which keeps what
/// comes early.
constexpr bool FETCHES_AHEAD = WIDTH == 16;

/// What one step moves on by, place by place, given out in parts.
class Ahead {
 public:
  /// Nothing to fetch.
  Ahead() = default;

  /// The step after the one that `places` show, whichever that is. `moving` has `count` entries {place, source, bytes per step}.
  Ahead(char* const* places, const int32_t* moving, int32_t count, bool reverse) {
    if (!FETCHES_AHEAD) return;
    this->places = places;
    this->moving = end = moving;
    direction = reverse ? -1 : 1;
    int64_t bytes = 0, most = 0;
    for (int32_t k = 0; k < count; ++k) {
      bytes += moving[3 * k + 2];
      if (most < moving[3 * k + 2]) most = moving[3 * k + 2];
    }
    if (FEWEST_BYTES <= most && bytes <= MOST_BYTES) end += 3 * count;
  }

  /// The next part, of so many bytes or more than are left of its place; null if there is none.
  TT_INLINE const float* take(int64_t bytes) {
    if (!FETCHES_AHEAD) return nullptr;
    for (; moving != end; moving += 3, given = 0) {
      const int64_t size = moving[2];
      if (size < FEWEST_BYTES || given >= size) continue;
      const char* part = places[moving[0]] + direction * size + given;
      given += bytes;
      return reinterpret_cast<const float*>(part);
    }
    return nullptr;
  }

 private:
  /// More would drive out of the cache what is needed before.
  static constexpr int64_t MOST_BYTES = 512 * 1024;

  /// Less is here sooner than it is asked for.
  static constexpr int64_t FEWEST_BYTES = 1024;

  char* const* places = nullptr;
  const int32_t* moving = nullptr;
  const int32_t* end = nullptr;
  int64_t direction = 1;
  int64_t given = 0;
};

}  // namespace tt::TT_VARIANT
