// What products are given to fetch: every place of the next step that is worth it, from its first byte to its last, once.
#include "../ahead.hpp"

#include <vector>

#include "check.hpp"

using namespace tt::TT_VARIANT;

static char memory[8 << 20];

/// Checks the parts that a step gives out, of so many bytes each. `sizes`: bytes per step of each place.
static void testParts(const std::vector<int32_t>& sizes, bool reverse, int64_t part, const std::vector<int>& fetched) {
  std::vector<char*> places;
  std::vector<int32_t> moving;
  for (size_t k = 0; k < sizes.size(); ++k) {
    places.push_back(memory + (k + 1) * (1 << 20));
    moving.insert(moving.end(), {int32_t(k), 0, sizes[k]});
  }
  Ahead ahead(places.data(), moving.data(), int32_t(sizes.size()), reverse);
  for (int k : fetched) {
    const int64_t size = sizes[size_t(k)];
    for (int64_t at = 0; at < size; at += part) {
      const char* expected = places[size_t(k)] + (reverse ? -size : size) + at;
      const float* given = ahead.take(part);
      CHECK(given == (FETCHES_AHEAD ? reinterpret_cast<const float*>(expected) : nullptr), "place %d, byte %ld", k, long(at));
    }
  }
  CHECK(ahead.take(part) == nullptr, "too much");
}

int main() {
  testParts({}, false, 4096, {});
  testParts({4096, 0, 5000}, false, 4096, {0, 2});
  testParts({65536, 16384}, true, 6144, {0, 1});
  testParts({1023, 1024, 4}, false, 4096, {1});                    // little is not worth it
  testParts({256 * 1024, 256 * 1024}, false, 8192, {0, 1});        // the most
  testParts({256 * 1024, 256 * 1024, 4}, false, 8192, {});         // more than the cache keeps
  Ahead nothing;
  CHECK(nothing.take(4096) == nullptr, "nothing");
  return report("ahead");
}
