// Counts checks and prints those that fail, for the test programs of this folder.
#pragma once

#include <cstdio>

inline int checks = 0;
inline int failures = 0;

/// Counts a check; where it fails, prints the place and the message, which is written as for printf.
#define CHECK(condition, ...)                    \
  do {                                           \
    ++checks;                                    \
    if (!(condition)) {                          \
      ++failures;                                \
      std::printf("%s:%d: ", __FILE__, __LINE__); \
      std::printf(__VA_ARGS__);                  \
      std::printf("\n");                         \
    }                                            \
  } while (0)

/// Prints the totals; gives the exit code of the program.
inline int report(const char* name) {
  std::printf("%s: %d checks, %d failures\n", name, checks, failures);
  return failures == 0 ? 0 : 1;
}
