// The kernels for one instruction set: compiled once for each, with TT_VARIANT (its name) and TT_WIDTH (floats in a vector).
#include "variant.hpp"

#include "machine.hpp"

#define TT_JOIN_NAMES(a, b) a##b
#define TT_JOIN(a, b) TT_JOIN_NAMES(a, b)
#define TT_QUOTE_NAME(a) #a
#define TT_QUOTE(a) TT_QUOTE_NAME(a)

extern "C" {
extern const tt::Variant TT_JOIN(tt_variant_, TT_VARIANT);
const tt::Variant TT_JOIN(tt_variant_, TT_VARIANT) = {
    TT_QUOTE(TT_VARIANT),          TT_WIDTH,
    tt::TT_VARIANT::PANEL,         tt::TT_VARIANT::run,
    tt::TT_VARIANT::scratchFloats, tt::TT_VARIANT::peakWork,
};
}
