// Compares fused elementwise instructions with a scalar evaluation in double precision, on random shapes, strides and chains.
//
// Where there are few elements, the instruction for those must give the same bits. Every operand lies in a heap allocation of exactly its size, so that an address sanitizer sees accesses beside it.
#include "../elementwise-few.hpp"
#include "../elementwise.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include "check.hpp"

using namespace tt;
using namespace tt::TT_VARIANT;

namespace {

uint32_t state = 12345;

int random(int below) {
  state = state * 1664525u + 1013904223u;
  return int((uint64_t(state) * uint64_t(below)) >> 32);
}

int32_t bitsOfFloat(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

float floatOfBits(int32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

int32_t javaScriptInt(double x) {
  if (!std::isfinite(x)) return 0;
  return int32_t(uint32_t(int64_t(std::fmod(std::trunc(x), 0x1p32))));
}

// ------------------------------------------------------------------------------------------------ scalar reference

/// A value in the reference: its 32 bits.
using Value = int32_t;

/// Sources of each operation and what they are: f float, i whole number.
struct Signature {
  const char* name;
  const char* sources;
  char result;
};

const Signature SIGNATURES[] = {
    {"move", "f", 'f'},           {"negate", "f", 'f'},        {"abs", "f", 'f'},          {"sign", "f", 'f'},
    {"floor", "f", 'f'},          {"exp", "f", 'f'},           {"log", "f", 'f'},          {"log1p", "f", 'f'},
    {"expm1", "f", 'f'},          {"sqrt", "f", 'f'},          {"reciprocal", "f", 'f'},   {"square", "f", 'f'},
    {"sin", "f", 'f'},            {"cos", "f", 'f'},           {"tanh", "f", 'f'},         {"sigmoid", "f", 'f'},
    {"softplus", "f", 'f'},       {"relu", "f", 'f'},          {"isFinite", "f", 'i'},     {"toFloat", "i", 'f'},
    {"toInt", "f", 'i'},          {"add", "ff", 'f'},          {"subtract", "ff", 'f'},    {"multiply", "ff", 'f'},
    {"divide", "ff", 'f'},        {"power", "ff", 'f'},        {"maximum", "ff", 'f'},     {"minimum", "ff", 'f'},
    {"equal", "ff", 'i'},         {"notEqual", "ff", 'i'},     {"greater", "ff", 'i'},     {"greaterEqual", "ff", 'i'},
    {"less", "ff", 'i'},          {"lessEqual", "ff", 'i'},    {"select", "iff", 'f'},     {"negateInt", "i", 'i'},
    {"absInt", "i", 'i'},         {"signInt", "i", 'i'},       {"squareInt", "i", 'i'},    {"addInt", "ii", 'i'},
    {"subtractInt", "ii", 'i'},   {"multiplyInt", "ii", 'i'},  {"divideInt", "ii", 'i'},   {"powerInt", "ii", 'i'},
    {"maximumInt", "ii", 'i'},    {"minimumInt", "ii", 'i'},   {"equalInt", "ii", 'i'},    {"notEqualInt", "ii", 'i'},
    {"greaterInt", "ii", 'i'},    {"greaterEqualInt", "ii", 'i'}, {"lessInt", "ii", 'i'},  {"lessEqualInt", "ii", 'i'},
    {"sum", "f", 'f'},            {"multiplyAdd", "fff", 'f'}, {"subtractProduct", "fff", 'f'}, {"accumulate", "ff", 'f'},
};

constexpr int OPERATIONS = sizeof SIGNATURES / sizeof SIGNATURES[0];
static_assert(OPERATIONS == int(Element::accumulate) + 1, "one signature for each operation");

Value evaluate(Element element, Value x, Value y, Value z) {
  const double a = floatOfBits(x), b = floatOfBits(y), c = floatOfBits(z);
  const int64_t i = x, j = y;
  const auto real = [](double result) { return bitsOfFloat(float(result)); };
  const auto whole = [](int64_t result) { return int32_t(uint32_t(uint64_t(result))); };
  const bool none = a != a || b != b;
  switch (element) {
    case Element::move: return x;
    case Element::negate: return real(-a);
    case Element::abs: return real(std::fabs(a));
    case Element::sign: return real(a > 0 ? 1 : a < 0 ? -1 : a);
    case Element::floor: return real(std::floor(a));
    case Element::exp: return real(std::exp(a));
    case Element::log: return real(std::log(a));
    case Element::log1p: return real(std::log1p(a));
    case Element::expm1: return real(std::expm1(a));
    case Element::sqrt: return real(std::sqrt(a));
    case Element::reciprocal: return real(1 / a);
    case Element::square: return real(a * a);
    case Element::sin: return real(std::sin(a));
    case Element::cos: return real(std::cos(a));
    case Element::tanh: return real(std::tanh(a));
    case Element::sigmoid: return real(1 / (1 + std::exp(-a)));
    case Element::softplus: return real(a > 0 ? a + std::log1p(std::exp(-a)) : std::log1p(std::exp(a)));
    case Element::relu: return real(a < 0 ? 0 : a);
    case Element::isFinite: return std::isfinite(a);
    case Element::toFloat: return real(double(i));
    case Element::toInt: return javaScriptInt(a);
    case Element::add: return real(a + b);
    case Element::subtract: return real(a - b);
    case Element::multiply: return real(a * b);
    case Element::divide: return real(a / b);
    case Element::power: return real(b != b || (std::fabs(a) == 1 && std::isinf(b)) ? NAN : std::pow(a, b));
    case Element::maximum: return real(none ? NAN : std::max(a, b));
    case Element::minimum: return real(none ? NAN : std::min(a, b));
    case Element::equal: return a == b;
    case Element::notEqual: return a != b;
    case Element::greater: return a > b;
    case Element::greaterEqual: return a >= b;
    case Element::less: return a < b;
    case Element::lessEqual: return a <= b;
    case Element::select: return x != 0 ? y : z;
    case Element::negateInt: return whole(-i);
    case Element::absInt: return whole(i < 0 ? -i : i);
    case Element::signInt: return (i > 0) - (i < 0);
    case Element::squareInt: return whole(i * i);
    case Element::addInt: return whole(i + j);
    case Element::subtractInt: return whole(i - j);
    case Element::multiplyInt: return whole(i * j);
    case Element::divideInt: return javaScriptInt(double(i) / double(j));
    case Element::powerInt:  // beyond 2^53 its low bits depend on rounding
      return std::fabs(std::pow(double(i), double(j))) > 0x1p53 ? powerInt(x, y) : javaScriptInt(std::pow(double(i), double(j)));
    case Element::maximumInt: return std::max(x, y);
    case Element::minimumInt: return std::min(x, y);
    case Element::equalInt: return x == y;
    case Element::notEqualInt: return x != y;
    case Element::greaterInt: return x > y;
    case Element::greaterEqualInt: return x >= y;
    case Element::lessInt: return x < y;
    case Element::lessEqualInt: return x <= y;
    case Element::sum: return 0;  // made by Case
    case Element::multiplyAdd: return real(a * b + c);
    case Element::subtractProduct: return real(c - a * b);
    case Element::accumulate: return 0;  // made by Case
  }
  return 0;
}

bool near(char kind, Value got, Value expected, double allowed) {
  if (kind == 'i') return got == expected;
  const float a = floatOfBits(got), b = floatOfBits(expected);
  if (a != a || b != b) return a != a && b != b;
  if (a == b) return true;
  return std::fabs(double(a) - b) <= allowed * std::max(1.0, std::fabs(double(b)));
}

Value randomValue(char kind) {
  if (kind == 'i') {
    const Value special[] = {0, 1, -1, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min(), 46341};
    return random(4) == 0 ? special[random(6)] : random(20) - 10;
  }
  const float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, infinity, -infinity, NAN, 1e-40f, 1e18f, 5e9f, -5e9f, 88.0f};
  return bitsOfFloat(random(10) == 0 ? special[random(12)] : float(random(2000) - 1000) / 200);
}

// --------------------------------------------------------------------------------------------------- instructions

/// An operand in an allocation of its own.
struct Operand {
  std::vector<int> strides;
  int64_t offset = 0;  // of the first element, in elements
  int64_t length = 0;
  std::unique_ptr<Value[]> memory;
};

/// Strides of one of the kinds that tensors have, and exactly the memory they reach.
Operand makeOperand(const std::vector<int>& sizes, int kind) {
  const int rank = int(sizes.size());
  Operand operand;
  operand.strides.assign(rank, 0);
  std::vector<int> order(rank);
  for (int k = 0; k < rank; k++) order[k] = k;
  if (kind == 1) std::swap(order[rank - 1], order[random(rank)]);       // transposed
  int step = kind == 2 ? 2 : 1;                                        // every second
  for (int k = rank - 1; k >= 0; k--) {
    operand.strides[order[k]] = step;
    step *= std::max(1, sizes[order[k]]) + (kind == 3 ? 3 : 0);        // a slice of something wider
  }
  if (kind == 4) operand.strides[rank - 1] = 0;                        // one number for each row
  if (kind == 5) std::fill(operand.strides.begin(), operand.strides.end(), 0);
  if (kind == 6) operand.strides[0] = 0;                               // the same for every row
  if (kind == 7) operand.strides[random(rank)] *= -1;                  // reversed
  int64_t last = 0;
  bool empty = false;
  for (int k = 0; k < rank; k++) {
    const int64_t reach = int64_t(operand.strides[k]) * (sizes[k] - 1);
    if (reach < 0 && sizes[k] > 0) operand.offset -= reach; else last += reach;
    empty |= sizes[k] == 0;
  }
  operand.length = empty ? 0 : operand.offset + last + 1;
  if (empty) operand.offset = 0;
  operand.memory.reset(new Value[operand.length]);
  return operand;
}

struct Code {
  Element element;
  int destination;
  int sources[3];
};

/// One instruction: its words, its operands, and what the reference makes of them.
struct Case {
  std::vector<int> sizes;
  int registers = 0;
  std::vector<Operand> operands;
  std::vector<int> memoryOf;  // the operand whose memory each one uses
  std::vector<Code> codes;

  int add(int kind, char values) {
    operands.push_back(makeOperand(sizes, kind));
    memoryOf.push_back(int(operands.size()) - 1);
    Operand& operand = operands.back();
    for (int64_t k = 0; k < operand.length; k++) operand.memory[k] = randomValue(values);
    return registers + int(operands.size()) - 1;
  }

  int addSum() {
    std::vector<int> outer = sizes;
    outer.back() = 1;
    operands.push_back(makeOperand(outer, 0));
    operands.back().strides.back() = 0;
    memoryOf.push_back(int(operands.size()) - 1);
    return registers + int(operands.size()) - 1;
  }

  /// A total for some of the outer axes: the same for every place along them.
  int addTotal() {
    const int total = add(0, 'i'), outer = random(int(sizes.size()));
    Operand& operand = operands.back();
    std::fill(operand.strides.begin(), operand.strides.begin() + outer, 0);
    for (int64_t k = 0; k < operand.length; k++) operand.memory[k] = bitsOfFloat(float(random(100)) / 100);
    return total;
  }

  /// The same memory and strides as another operand.
  int addSame(int other) {
    Operand operand;
    operand.strides = operands[other - registers].strides;
    operand.offset = operands[other - registers].offset;
    operands.push_back(std::move(operand));
    memoryOf.push_back(other - registers);
    return registers + int(operands.size()) - 1;
  }

  Value* memory(int k) const { return operands[memoryOf[k]].memory.get(); }

  std::vector<int32_t> words() const {
    std::vector<int32_t> list = {int32_t(sizes.size())};
    list.insert(list.end(), sizes.begin(), sizes.end());
    list.push_back(registers);
    list.push_back(int32_t(operands.size()));
    for (size_t k = 0; k < operands.size(); k++) {
      list.push_back(int32_t(memoryOf[k]));
      list.push_back(int32_t(operands[k].offset * 4));
      list.insert(list.end(), operands[k].strides.begin(), operands[k].strides.end());
    }
    list.push_back(int32_t(codes.size()));
    for (const Code& code : codes) {
      list.insert(list.end(), {int32_t(code.element), code.destination, code.sources[0], code.sources[1], code.sources[2]});
    }
    return list;
  }

  /// Moves an operand to or from its block, in words of an instruction on few elements. @param rank less than that of the operand if it has the
  /// sums of rows
  void addMove(std::vector<int32_t>& list, bool stores, int block, int place, size_t rank) const {
    const std::vector<int> &strides = operands[place - registers].strides, counts(sizes.begin(), sizes.begin() + rank);
    const auto begin = [&](Element move) { list.insert(list.end(), {int32_t(move), block, place - registers}); };
    if (rank == 0 || (rank == 1 && strides[0] == 1)) {
      begin(stores ? Element::store : Element::load);
      list.push_back(rank == 0 ? 1 : counts[0]);
    } else if (!stores && std::all_of(strides.begin(), strides.end(), [](int stride) { return stride == 0; })) {
      begin(Element::loadNumber);
    } else {
      begin(stores ? Element::storeStrided : Element::loadStrided);
      list.push_back(int32_t(rank));
      list.insert(list.end(), counts.begin(), counts.end());
      list.insert(list.end(), strides.begin(), strides.begin() + rank);
    }
  }

  /// The block of a register, or of an operand: behind the operands, each has one.
  int fewBlock(int place) const { return std::max(0, place + int(operands.size())); }

  /// Whether operations on few elements may read and write the operand itself.
  bool isDirect(int place, int64_t count) const {
    if (place < registers || count % WIDTH != 0) return false;
    const std::vector<int>& strides = operands[place - registers].strides;
    int64_t inside = 1;
    for (size_t k = strides.size(); k-- > 0; inside *= sizes[k]) {
      if (sizes[k] > 1 && strides[k] != inside) return false;
    }
    return true;
  }

  /// The same as an instruction on few elements.
  std::vector<int32_t> fewWords(int64_t count) const {
    std::vector<int32_t> list = {int32_t(count), registers + int(operands.size()), int(operands.size())};
    for (size_t k = 0; k < operands.size(); k++) {
      list.insert(list.end(), {int32_t(memoryOf[k]), int32_t(operands[k].offset * 4)});
    }
    for (const Code& code : codes) {
      const auto number = [&](int place) { return isDirect(place, count) ? place - registers : fewBlock(place); };
      for (const int from : code.sources) {
        if (from >= registers && !isDirect(from, count)) addMove(list, false, fewBlock(from), from, sizes.size());
      }
      if (code.element == Element::sum) {
        list.insert(list.end(), {int32_t(code.element), fewBlock(code.destination), number(code.sources[0]), sizes.back()});
        addMove(list, true, fewBlock(code.destination), code.destination, sizes.size() - 1);
        continue;
      }
      list.insert(list.end(), {int32_t(code.element), number(code.destination)});
      for (const int from : code.sources) list.push_back(number(from));
      if (code.destination >= registers && !isDirect(code.destination, count)) {
        addMove(list, true, fewBlock(code.destination), code.destination, sizes.size());
      }
    }
    list.push_back(int32_t(Element::end));
    return list;
  }

  /// The memory of every operand now.
  std::vector<std::vector<Value>> memories() const {
    std::vector<std::vector<Value>> all;
    for (const Operand& operand : operands) all.emplace_back(operand.memory.get(), operand.memory.get() + operand.length);
    return all;
  }

  template <typename Instruction>
  void execute(Instruction instruction, const std::vector<int32_t>& list, int64_t scratchFloats) const {
    std::vector<char*> pointers;
    for (const Operand& operand : operands) pointers.push_back(reinterpret_cast<char*>(operand.memory.get()));
    float* scratch = static_cast<float*>(std::aligned_alloc(64, size_t(scratchFloats * 4 + 63) / 64 * 64));
    instruction(list.data(), pointers.data(), scratch);
    std::free(scratch);
  }

  /// The memory of every operand after a scalar evaluation.
  std::vector<std::vector<Value>> expected() const {
    std::vector<std::vector<Value>> memories = this->memories();
    int64_t outer = 1;
    for (size_t k = 0; k + 1 < sizes.size(); k++) outer *= sizes[k];
    const int columns = sizes.back();
    std::vector<int> index(sizes.size(), 0);
    for (int64_t row = 0; row < outer; row++) {
      int64_t rest = row;
      for (int k = int(sizes.size()) - 2; k >= 0; k--) index[k] = int(rest % sizes[k]), rest /= sizes[k];
      std::vector<double> sums(codes.size(), 0);
      const auto cell = [&](int place) -> Value& {
        const Operand& operand = operands[place - registers];
        int64_t at = operand.offset;
        for (size_t k = 0; k < sizes.size(); k++) at += int64_t(index[k]) * operand.strides[k];
        return memories[memoryOf[place - registers]][at];
      };
      for (int column = 0; column < columns; column++) {
        index.back() = column;
        std::vector<Value> blocks(registers);
        for (size_t k = 0; k < codes.size(); k++) {
          const Code& code = codes[k];
          Value sources[3] = {};
          for (int n = 0; n < 3; n++) {
            const int from = code.sources[n];
            if (from >= 0) sources[n] = from < registers ? blocks[from] : cell(from);
          }
          const double added = double(floatOfBits(sources[0])) * (code.sources[1] < 0 ? 1 : floatOfBits(sources[1]));
          if (code.element == Element::sum) {
            sums[k] += added;
            continue;
          }
          if (code.element == Element::accumulate) {
            Value& total = cell(code.destination);
            total = bitsOfFloat(float(floatOfBits(total) + added));
            continue;
          }
          const Value result = evaluate(code.element, sources[0], sources[1], sources[2]);
          (code.destination < registers ? blocks[code.destination] : cell(code.destination)) = result;
        }
      }
      index.back() = 0;
      for (size_t k = 0; k < codes.size(); k++) {
        if (codes[k].element == Element::sum) cell(codes[k].destination) = bitsOfFloat(float(sums[k]));
      }
    }
    return memories;
  }

  void check(const char* name, char kind, double allowed) const {
    const auto before = memories();
    const auto wanted = expected();
    execute(elementwise, words(), elementwiseScratchFloats(registers));
    compare(name, kind, allowed, wanted);
    int64_t count = 1;
    for (const int size : sizes) count *= size;
    if (count == 0 || count > 128) return;  // longer rows are summed in parts
    for (const Code& code : codes) {
      const bool isElsewhere = code.element == Element::accumulate || (code.element == Element::sum && code.sources[1] >= 0);
      if (isElsewhere) return;  // few elements have no such codes
    }
    const auto inBlocks = memories();
    for (size_t k = 0; k < operands.size(); k++) std::copy(before[k].begin(), before[k].end(), operands[k].memory.get());
    const auto list = fewWords(count);
    execute(elementwiseFew, list, fewScratchFloats(list.data()));
    compare(name, 'i', 0, inBlocks);
  }

  void compare(const char* name, char kind, double allowed, const std::vector<std::vector<Value>>& wanted) const {
    for (size_t k = 0; k < operands.size(); k++) {
      bool written = false;
      for (const Code& code : codes) written |= code.destination >= registers && memoryOf[code.destination - registers] == int(k);
      const char operandKind = written ? kind : 'i';  // what is only read must keep its bits
      for (int64_t n = 0; n < operands[k].length; n++) {
        const Value got = operands[k].memory[n], want = wanted[k][n];
        CHECK(near(operandKind, got, want, allowed), "%s: operand %zu, element %lld of %lld: %g (%d) instead of %g (%d)", name, k,
              (long long)n, (long long)operands[k].length, floatOfBits(got), got, floatOfBits(want), want);
        if (failures > 50) std::exit(report("elementwise"));
      }
    }
  }
};

std::vector<int> randomSizes() {
  const int lasts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 127, 513, 1024, 1030, 2500};
  std::vector<int> sizes(1 + random(random(3) == 0 ? 6 : 3));
  for (int& size : sizes) size = sizes.size() > 3 ? 1 + random(3) : random(8) == 0 ? 0 : 1 + random(9);
  sizes.back() = lasts[random(22)];
  return sizes;
}

void testEachOperation(int rounds) {
  for (int operation = 0; operation < OPERATIONS; operation++) {
    const Signature& signature = SIGNATURES[operation];
    if (Element(operation) == Element::sum || Element(operation) == Element::accumulate) continue;
    for (int round = 0; round < rounds; round++) {
      Case test;
      test.sizes = randomSizes();
      test.registers = random(3) * random(20);
      Code code = {Element(operation), -1, {-1, -1, -1}};
      for (int k = 0; signature.sources[k] != 0; k++) code.sources[k] = test.add(random(8), signature.sources[k]);
      const int destinations[] = {0, 0, 1, 2, 3, 7};
      code.destination = test.add(destinations[random(6)], 'i');
      test.codes = {code};
      test.check(signature.name, signature.result, 3e-6);
    }
  }
}

/// y = x exp(...) in place: registers, memory that is written and read again, and sources that are also results.
void testChains(int rounds) {
  for (int round = 0; round < rounds; round++) {
    Case test;
    test.sizes = randomSizes();
    test.registers = 2 + random(30);
    const int x = test.add(random(4), 'i'), scale = test.add(4 + random(3), 'i'), y = test.add(random(4), 'i');
    for (size_t k = 0; k < 2; k++) {
      Operand& operand = test.operands[k];
      for (int64_t n = 0; n < operand.length; n++) operand.memory[n] = bitsOfFloat(float(random(200) - 100) / 100);
    }
    const int same = test.addSame(x), high = test.registers - 1;
    test.codes = {
        {Element::multiply, 0, {x, scale, -1}}, {Element::tanh, high, {0, -1, -1}},   {Element::add, high, {high, x, -1}},
        {Element::sigmoid, y, {high, -1, -1}},  {Element::multiply, 0, {scale, scale, -1}},
        {Element::multiplyAdd, same, {y, 0, x}}, {Element::exp, high, {same, -1, -1}}, {Element::subtract, y, {high, y, -1}},
    };
    test.check("chain", 'f', 1e-5);
  }
}

void testSums(int rounds) {
  for (int round = 0; round < rounds; round++) {
    Case test;
    test.sizes = randomSizes();
    test.registers = 1 + random(10);
    const int x = test.add(random(8), 'i');
    Operand& operand = test.operands[0];
    for (int64_t n = 0; n < operand.length; n++) operand.memory[n] = bitsOfFloat(float(random(200)) / 100);
    const int direct = test.addSum(), squares = test.addSum();
    test.codes = {{Element::sum, direct, {x, -1, -1}}, {Element::square, 0, {x, -1, -1}}, {Element::sum, squares, {0, -1, -1}}};
    test.check("sum", 'f', 1e-6);
  }
}

/// Sums of products along rows and across them, of registers and of memory.
void testSumsOfProducts(int rounds) {
  for (int round = 0; round < rounds; round++) {
    Case test;
    test.sizes = randomSizes();
    if (test.sizes.back() == 1) test.sizes.back() = 6;
    test.registers = 1 + random(10);
    const int x = test.add(random(8), 'i'), y = test.add(random(8), 'i');
    for (Operand& operand : test.operands) {
      for (int64_t n = 0; n < operand.length; n++) operand.memory[n] = bitsOfFloat(float(random(200)) / 100);
    }
    const int alongRows = test.addSum(), across = test.addTotal(), products = test.addTotal();
    test.codes = {
        {Element::square, 0, {x, -1, -1}},
        {Element::sum, alongRows, {0, y, -1}},
        {Element::accumulate, across, {0, -1, -1}},
        {Element::accumulate, products, {x, y, -1}},
        {Element::accumulate, products, {y, 0, -1}},
    };
    test.check("sum of products", 'f', 3e-6);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 40;
  testEachOperation(rounds);
  testChains(rounds * 10);
  testSums(rounds * 10);
  testSumsOfProducts(rounds * 10);
  return report("elementwise");
}
