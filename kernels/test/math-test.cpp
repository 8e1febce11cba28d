// Compares the functions of math.hpp with the double-precision library: strided through all floats, or all with argument `all`.
#include "../math.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>

#include "check.hpp"

using namespace tt::TT_VARIANT;

namespace {

const float INF = std::numeric_limits<float>::infinity();
const float NAN_VALUE = std::numeric_limits<float>::quiet_NaN();

float fromBits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

bool sameBits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

/// Whether two results are both NaN, or equal with the same sign.
bool agree(float a, float b) { return (a != a && b != b) || sameBits(a, b); }

/// Relative error; below the normal floats, in units of the smallest of them.
double errorOf(float got, double expected) {
  if (got != got || expected != expected) return (got != got) == (expected != expected) ? 0 : INF;
  if (float(expected) == got) return 0;
  if (std::isinf(got) && std::fabs(expected) > 0x1.fffffdp127) return 0;
  const double difference = std::fabs(double(got) - expected);
  // Less than one denormal step away is right, whatever the result is.
  if (difference <= 0x1p-149) return 0;
  return difference / std::fabs(expected);
}

struct Function {
  const char* name;
  Floats (*ours)(Floats);
  double (*exact)(double);
  double allowed;   // relative error
  double absolute;  // errors up to this are allowed too
};

double exactSigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double exactSoftplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double exactReciprocal(double x) { return 1 / x; }
double exactSign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
double exactRelu(double x) { return x < 0 ? 0 : x; }

#define OURS(name) [](Floats x) { return tt::TT_VARIANT::name(x); }

const Function FUNCTIONS[] = {
    {"exp", OURS(exp), std::exp, 3e-7, 0},
    {"expm1", OURS(expm1), std::expm1, 3e-7, 0},
    {"log", OURS(log), std::log, 3e-7, 0},
    {"log1p", OURS(log1p), std::log1p, 3e-7, 0},
    {"tanh", OURS(tanh), std::tanh, 4e-7, 0},
    {"sigmoid", OURS(sigmoid), exactSigmoid, 3e-7, 0},
    {"softplus", OURS(softplus), exactSoftplus, 3e-7, 0},
    {"sin", OURS(sin), std::sin, 2e-7, 3e-7},
    {"cos", OURS(cos), std::cos, 2e-7, 3e-7},
    {"sqrt", OURS(sqrt), std::sqrt, 6e-8, 0},
    {"reciprocal", [](Floats x) { return 1.0f / x; }, exactReciprocal, 6e-8, 0},
    {"floor", OURS(floor), std::floor, 0, 0},
    {"sign", OURS(sign), exactSign, 0, 0},
    {"absolute", OURS(absolute), std::fabs, 0, 0},
    {"relu", OURS(relu), exactRelu, 0, 0},
};

void testFunction(const Function& function, uint64_t stride) {
  double worst = 0, worstAbsolute = 0;
  float worstAt = 0;
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += stride * WIDTH) {
    Floats x;
    for (int lane = 0; lane < WIDTH; lane++) x[lane] = fromBits(uint32_t(bits + lane * stride));
    const Floats y = function.ours(x);
    for (int lane = 0; lane < WIDTH; lane++) {
      const double expected = function.exact(x[lane]);
      const double error = errorOf(y[lane], expected);
      const double difference = error == 0 ? 0 : std::fabs(double(y[lane]) - expected);
      worstAbsolute = std::max(worstAbsolute, difference);
      if (difference <= function.absolute && !(error == INF)) continue;
      if (error > worst) worst = error, worstAt = x[lane];
    }
  }
  CHECK(worst <= function.allowed, "%s(%.9g): relative error %.3g", function.name, worstAt, worst);
  std::printf("%-10s largest relative error %.3g at %.9g, absolute %.3g\n", function.name, worst, worstAt, worstAbsolute);

  const float special[] = {0.0f,     -0.0f,    INF,      -INF,     NAN_VALUE, 1.0f,     -1.0f,    0x1p-149f, -0x1p-149f,
                           0x1p-126f, -0x1p-126f, 0x1.fffffep127f, -0x1.fffffep127f, 88.72283f, 88.72284f, -87.33655f,
                           -87.4f,   -103.9f,  -104.0f,  -104.1f,  -150.0f,   150.0f,   0x1p23f,  -0x1p23f, 8388607.5f};
  for (float x : special) {
    const float got = function.ours(splat(x))[WIDTH - 1];
    const double expected = function.exact(x);
    const bool near = errorOf(got, expected) <= function.allowed || std::fabs(got - expected) <= function.absolute;
    CHECK(near, "%s(%.9g) = %.9g instead of %.9g", function.name, x, got, expected);
    CHECK(got != 0 || expected != 0 || std::signbit(got) == std::signbit(expected), "%s(%.9g): sign of zero", function.name, x);
  }
}

/// tanh is a quotient that may round beyond 1: it must not show.
void testTanhNearOne(float step) {
  for (float x = 7; x < 12; x += step) {
    const float got = tt::TT_VARIANT::tanh(splat(x))[0], other = tt::TT_VARIANT::tanh(splat(-x))[0];
    CHECK(x < 9.02f ? got <= 1 : got == 1, "tanh(%.9g) = %.9g", x, got);
    CHECK(other == -got, "tanh(%.9g) = %.9g, but tanh(%.9g) = %.9g", -x, other, x, got);
  }
}

/// JavaScript's power, which differs from C's for bases of size 1.
double exactPower(double a, double b) {
  if (b != b || (std::fabs(a) == 1 && std::isinf(b))) return NAN_VALUE;
  return std::pow(a, b);
}

void testPower(int count) {
  const float values[] = {0.0f, -0.0f, 1.0f,  -1.0f, 0.5f,    -0.5f,    2.0f,          -2.0f,          3.0f, -3.0f, 2.5f,
                          INF,  -INF,  1e30f, 1e-30f, 0x1p-149f, NAN_VALUE, 16777215.0f, 16777216.0f, -7.0f, 1e9f, 0.999f};
  double worst = 0;
  const auto compare = [&](float a, float b) {
    const float got = power(splat(a), splat(b))[0];
    const double expected = exactPower(a, b);
    const double error = errorOf(got, expected);
    worst = std::max(worst, error);
    CHECK(error < 2e-7, "%.9g to the power %.9g = %.9g instead of %.9g", a, b, got, expected);
    CHECK(got != 0 || std::signbit(got) == std::signbit(expected), "%.9g to the power %.9g: sign of zero", a, b);
  };
  for (float a : values) {
    for (float b : values) compare(a, b);
  }
  uint32_t state = 1;
  const auto random = [&] { return double(state = state * 1664525u + 1013904223u) * 0x1p-32; };
  for (int k = 0; k < count; k++) {
    const float a = float(std::exp(random() * 160 - 80)), limit = float(100 / std::fabs(std::log(a)));
    compare(a, float((random() * 2 - 1) * limit));
    compare(float(random() * 10), float(random() * 20 - 10));
    compare(-float(int(random() * 50)), float(int(random() * 20) - 10));
  }
  std::printf("%-10s largest relative error %.3g\n", "power", worst);
}

void testMaximum() {
  const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, INF, -INF, NAN_VALUE};
  for (float a : values) {
    for (float b : values) {
      const bool negativeA = std::signbit(a), negativeB = std::signbit(b);
      float larger = a > b || (a == b && negativeB) ? a : b, smaller = a < b || (a == b && negativeA) ? a : b;
      if (a != a || b != b) larger = smaller = NAN_VALUE;
      CHECK(agree(maximum(splat(a), splat(b))[0], larger), "maximum of %g and %g", a, b);
      CHECK(agree(minimum(splat(a), splat(b))[0], smaller), "minimum of %g and %g", a, b);
    }
  }
}

int32_t exactToInt32(double x) {
  if (!std::isfinite(x)) return 0;
  const double rest = std::fmod(std::trunc(x), 0x1p32);
  return int32_t(uint32_t(int64_t(rest)));
}

void testWholeNumbers(uint64_t stride) {
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32); bits += stride) {
    const float x = fromBits(uint32_t(bits));
    const int32_t got = toInt32(splat(x))[0];
    CHECK(got == exactToInt32(x), "toInt32(%.9g) = %d instead of %d", x, got, exactToInt32(x));
    CHECK(isFinite(splat(x))[0] == std::isfinite(x), "isFinite(%.9g)", x);
  }
  for (double x : {0.0, -0.5, 2147483647.5, 2147483648.0, -2147483648.0, -2147483649.0, 4294967295.0, 1e15, -1e15, 1e300, 0x1p84}) {
    CHECK(toInt32(x) == exactToInt32(x), "toInt32(%.17g) = %d instead of %d", x, toInt32(x), exactToInt32(x));
  }
  const int32_t lowest = std::numeric_limits<int32_t>::min();
  const int32_t values[] = {0, 1, -1, 2, -2, 3, 7, -13, 31, 1000, 46341, 2147483647, lowest};
  for (int32_t a : values) {
    for (int32_t b : values) {
      const int32_t quotient = exactToInt32(double(a) / b), whole = exactToInt32(std::pow(a, b));
      CHECK(divideInt(a, b) == quotient, "%d / %d = %d instead of %d", a, b, divideInt(a, b), quotient);
      if (std::fabs(std::pow(a, b)) > 0x1p53) continue;
      CHECK(powerInt(a, b) == whole, "%d to the power %d = %d instead of %d", a, b, powerInt(a, b), whole);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool all = argc > 1 && std::strcmp(argv[1], "all") == 0;
  const uint64_t stride = all ? 1 : 1009;
  for (const Function& function : FUNCTIONS) {
    if (argc < 2 || all || std::strcmp(argv[1], function.name) == 0) testFunction(function, stride);
  }
  testTanhNearOne(all ? 1e-6f : 1e-4f);
  testPower(all ? 5000000 : 100000);
  testMaximum();
  testWholeNumbers(all ? 17 : 10007);
  return report("math");
}
