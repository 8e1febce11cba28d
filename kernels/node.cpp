// The Node-API addon: machines that run compiled Plans, each with its memory. src/runtime/native/addon.ts describes what
// JavaScript sees. Plain C interface, so that one binary serves every version of Node from 20 on.
#define NAPI_VERSION 8
#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "threads.hpp"
#include "variant.hpp"

#ifndef TT_SOURCES
#define TT_SOURCES ""
#endif

extern "C" {
#if defined(__aarch64__)
extern const tt::Variant tt_variant_neon;
#else
extern const tt::Variant tt_variant_generic;
#endif
#if defined(__x86_64__)
extern const tt::Variant tt_variant_avx2;
extern const tt::Variant tt_variant_avx512;
#endif
}

namespace {

using tt::Variant;

// ------------------------------------------------------------------------------------------------------ instruction sets

/// Slowest first.
const Variant* const VARIANTS[] = {
#if defined(__aarch64__)
    &tt_variant_neon,
#else
    &tt_variant_generic,
#endif
#if defined(__x86_64__)
    &tt_variant_avx2,
    &tt_variant_avx512,
#endif
};

bool isSupported(const Variant* variant) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (variant == &tt_variant_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (variant == &tt_variant_avx512) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  }
#else
  (void)variant;
#endif
  return true;
}

/// While it lives, this thread takes numbers too small to be normal for zero: they are up to a hundred times slower.
class FlushDenormals {
 public:
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
#if defined(__x86_64__)
  FlushDenormals() : before(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before | 0x8040); }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(before); }

 private:
  const unsigned before;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before));
    asm volatile("msr fpcr, %0" : : "r"(before | (uint64_t{1} << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before)); }

 private:
  uint64_t before;
#else
  FlushDenormals() {}
#endif
};

// -------------------------------------------------------------------------------------------------------------- machines

constexpr size_t ALIGNMENT = 64, MARGIN = 256;

/// The first place from here on that is aligned for any vector.
char* aligned(char* from) { return (char*)(((uintptr_t)from + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1)); }

/// Asks for large pages for what has not been touched yet: the processor finds its way through them faster.
void preferLargePages([[maybe_unused]] char* from, [[maybe_unused]] int64_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr int64_t LARGE_PAGE = 2 << 20;
  const int64_t toNextPage = -(intptr_t)from & (sysconf(_SC_PAGESIZE) - 1);
  // Nothing is lost where this is not granted.
  if (bytes >= LARGE_PAGE) madvise(from + toNextPage, (size_t)(bytes - toNextPage), MADV_HUGEPAGE);
#endif
}

/// Zeroed memory, aligned for any vector. Behind its end is room for a vector that reads too far.
class Memory {
 public:
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  explicit Memory(int64_t bytes) : start(std::calloc((size_t)bytes + ALIGNMENT + MARGIN, 1)) {}
  ~Memory() { std::free(start); }

  bool there() const { return start != nullptr; }
  char* data() const { return aligned((char*)start); }

 private:
  void* const start;
};

/// A compiled Plan. Its arena and scratch memory are an ArrayBuffer of JavaScript's, which keeps it as long as the machine: so it is freed
/// when it is collected, and not only when the event loop has its turn, as what finalizers free.
struct Machine {
  static constexpr uint32_t MARK = 0x7474524e;

  const uint32_t mark = MARK;
  bool taken = false;  // part of the parallel run under way
  bool backwards = false;
  int32_t result = 0;
  int32_t failure[4] = {};
  const Variant& variant;
  const uint32_t pointerCount;
  const int64_t arenaBytes;
  const Memory code, pointers;
  char* const arena;
  char* const scratch;

  Machine(const Variant& variant, int64_t codeBytes, uint32_t pointerCount, int64_t arenaBytes, char* memory)
      : variant(variant),
        pointerCount(pointerCount),
        arenaBytes(arenaBytes),
        code(codeBytes),
        pointers((int64_t)pointerCount * (int64_t)sizeof(char*)),
        arena(aligned(memory)),
        scratch(aligned(arena + arenaBytes)) {
    preferLargePages(arena, arenaBytes);
  }

  bool there() const { return code.there() && pointers.there(); }
  char** table() const { return (char**)pointers.data(); }

  void run() {
    const FlushDenormals flush;
    result = variant.run((const int32_t*)code.data(), table(), (float*)scratch, failure, backwards);
    backwards = !backwards;
  }
};

/// What belongs to one environment (the main thread, or a worker) of Node.
struct Environment {
  tt::Threads threads;
};

// ----------------------------------------------------------------------------------------- from and to JavaScript's values

constexpr int64_t LARGEST = int64_t{1} << 53;

napi_value fail(napi_env env, const char* sentence) {
  napi_throw_error(env, nullptr, sentence);
  return nullptr;
}

/// Arguments of a call; missing ones are undefined.
template <size_t COUNT>
struct Arguments {
  napi_value values[COUNT];
  void* data;
  Arguments(napi_env env, napi_callback_info info) {
    size_t count = COUNT;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
  }
  napi_value operator[](size_t index) const { return values[index]; }
};

/// The machine, or null and an error thrown.
Machine* machineOf(napi_env env, napi_value value) {
  void* machine;
  if (napi_get_value_external(env, value, &machine) == napi_ok && machine != nullptr &&
      static_cast<Machine*>(machine)->mark == Machine::MARK) {
    return static_cast<Machine*>(machine);
  }
  fail(env, "native kernels: the first argument is not a machine made by createMachine");
  return nullptr;
}

/// The variant of that name if this processor can run it, or null and an error thrown.
const Variant* variantOf(napi_env env, napi_value value) {
  char name[32] = "";
  napi_get_value_string_utf8(env, value, name, sizeof name, nullptr);
  for (const Variant* variant : VARIANTS) {
    if (std::strcmp(name, variant->name) == 0 && isSupported(variant)) return variant;
  }
  fail(env, "native kernels: there is no such instruction set here");
  return nullptr;
}

/// A whole number from 0 to `limit`, or -1.
int64_t wholeNumber(napi_env env, napi_value value, int64_t limit) {
  double number = -1;
  napi_get_value_double(env, value, &number);
  if (!(number >= 0 && number <= (double)limit)) return -1;
  return (double)(int64_t)number == number ? (int64_t)number : -1;
}

/// The entry of the machine's table that the second argument names, or null and an error thrown.
char** entryOf(napi_env env, const Machine& machine, napi_value value) {
  const int64_t index = wholeNumber(env, value, (int64_t)machine.pointerCount - 1);
  if (index >= 0) return machine.table() + index;
  fail(env, "native kernels: the machine's table has no such entry");
  return nullptr;
}

/// The place in the machine's arena that the argument names, with so many bytes from there on, or null and an error thrown.
char* arenaPlaceOf(napi_env env, const Machine& machine, napi_value value, int64_t bytes) {
  const int64_t offset = wholeNumber(env, value, machine.arenaBytes);
  if (offset >= 0 && bytes <= machine.arenaBytes - offset) return machine.arena + offset;
  fail(env, "native kernels: the place is outside of the machine's arena");
  return nullptr;
}

napi_value numberOf(napi_env env, double number) {
  napi_value value;
  return napi_create_double(env, number, &value) == napi_ok ? value : nullptr;
}

napi_value wholeNumberOf(napi_env env, int32_t number) {
  napi_value value;
  return napi_create_int32(env, number, &value) == napi_ok ? value : nullptr;
}

napi_value textOf(napi_env env, const char* text) {
  napi_value value;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok ? value : nullptr;
}

// ------------------------------------------------------------------------------------------------- JavaScript's functions

/// variants(): { name, width, panel, supported }[]
napi_value variants(napi_env env, napi_callback_info) {
  napi_value list;
  napi_create_array(env, &list);
  uint32_t index = 0;
  for (const Variant* variant : VARIANTS) {
    napi_value entry, supported;
    napi_create_object(env, &entry);
    napi_get_boolean(env, isSupported(variant), &supported);
    napi_set_named_property(env, entry, "name", textOf(env, variant->name));
    napi_set_named_property(env, entry, "width", wholeNumberOf(env, variant->width));
    napi_set_named_property(env, entry, "panel", wholeNumberOf(env, variant->panel));
    napi_set_named_property(env, entry, "supported", supported);
    napi_set_element(env, list, index++, entry);
  }
  return list;
}

/// memoryBytes(variant, code, arenaBytes): bytes of memory that createMachine needs for an arena and scratch memory
napi_value memoryBytes(napi_env env, napi_callback_info info) {
  const Arguments<3> given(env, info);
  const Variant* variant = variantOf(env, given[0]);
  if (variant == nullptr) return nullptr;
  size_t words;
  void* code;
  if (napi_get_typedarray_info(env, given[1], nullptr, &words, &code, nullptr, nullptr) != napi_ok || words == 0) {
    return fail(env, "native kernels: the code of a machine is an Int32Array with at least one word");
  }
  const int64_t arenaBytes = wholeNumber(env, given[2], LARGEST);
  const int64_t scratchBytes = variant->scratchFloats(static_cast<const int32_t*>(code)) * 4;
  return numberOf(env, (double)(arenaBytes + scratchBytes + 2 * (int64_t)ALIGNMENT + (int64_t)MARGIN));
}

/// createMachine(variant, code, pointers, arenaBytes, memory): machine
napi_value createMachine(napi_env env, napi_callback_info info) {
  const Arguments<5> given(env, info);
  const Variant* variant = variantOf(env, given[0]);
  if (variant == nullptr) return nullptr;
  napi_typedarray_type type;
  size_t words;
  void* code;
  if (napi_get_typedarray_info(env, given[1], &type, &words, &code, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array || words == 0 || code == nullptr) {
    return fail(env, "native kernels: the code of a machine is an Int32Array with at least one word");
  }
  const int64_t pointers = wholeNumber(env, given[2], INT32_MAX);
  const int64_t arenaBytes = wholeNumber(env, given[3], LARGEST);
  if (pointers < 0 || arenaBytes < 0) {
    return fail(env, "native kernels: the sizes of a machine are whole numbers, 0 or more");
  }
  const int64_t codeBytes = (int64_t)words * 4;
  const int64_t scratchBytes = variant->scratchFloats(static_cast<const int32_t*>(code)) * 4;
  void* memory;
  size_t bytes;
  if (napi_get_arraybuffer_info(env, given[4], &memory, &bytes) != napi_ok ||
      (int64_t)bytes < arenaBytes + scratchBytes + 2 * (int64_t)ALIGNMENT + (int64_t)MARGIN) {
    return fail(env, "native kernels: the memory of a machine is an ArrayBuffer of memoryBytes() bytes");
  }
  auto* machine = new (std::nothrow) Machine(*variant, codeBytes, (uint32_t)pointers, arenaBytes, static_cast<char*>(memory));
  if (machine == nullptr || !machine->there()) {
    delete machine;
    return fail(env, "native kernels: there is not enough memory for this Plan; use smaller batches or shorter windows");
  }
  std::memcpy(machine->code.data(), code, (size_t)codeBytes);
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Machine*>(data); };
  napi_value external;
  if (napi_create_external(env, machine, finalize, nullptr, &external) != napi_ok) {
    delete machine;
    return fail(env, "native kernels: the machine could not be handed to JavaScript");
  }
  return external;
}

/// setPointer(machine, index, array): the address of the array's first element; null if it has none
napi_value setPointer(napi_env env, napi_callback_info info) {
  const Arguments<3> given(env, info);
  const Machine* machine = machineOf(env, given[0]);
  if (machine == nullptr) return nullptr;
  char** entry = entryOf(env, *machine, given[1]);
  if (entry == nullptr) return nullptr;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, given[2], nullptr, &length, &data, nullptr, nullptr) != napi_ok) {
    return fail(env, "native kernels: a pointer is set to a typed array");
  }
  *entry = length == 0 ? nullptr : static_cast<char*>(data);
  return nullptr;
}

/// setArenaPointer(machine, index, byteOffset)
napi_value setArenaPointer(napi_env env, napi_callback_info info) {
  const Arguments<3> given(env, info);
  const Machine* machine = machineOf(env, given[0]);
  if (machine == nullptr) return nullptr;
  char** entry = entryOf(env, *machine, given[1]);
  if (entry == nullptr) return nullptr;
  char* place = arenaPlaceOf(env, *machine, given[2], 0);
  if (place != nullptr) *entry = place;
  return nullptr;
}

/// fillArena(machine, byteOffset, array): copies the array to a place in the arena
napi_value fillArena(napi_env env, napi_callback_info info) {
  const Arguments<3> given(env, info);
  const Machine* machine = machineOf(env, given[0]);
  if (machine == nullptr) return nullptr;
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, given[2], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      (type != napi_float32_array && type != napi_int32_array)) {
    return fail(env, "native kernels: the arena is filled from a Float32Array or an Int32Array");
  }
  char* place = arenaPlaceOf(env, *machine, given[1], (int64_t)length * 4);
  if (place != nullptr && length > 0) std::memcpy(place, data, length * 4);
  return nullptr;
}

/// run(machine): 0, or the code of what went wrong
napi_value run(napi_env env, napi_callback_info info) {
  const Arguments<1> given(env, info);
  Machine* machine = machineOf(env, given[0]);
  if (machine == nullptr) return nullptr;
  machine->run();
  return wholeNumberOf(env, machine->result);
}

/// The machines of a parallel run.
struct Job {
  Machine** machines;
  uint32_t count;
  uint32_t threads;

  static void work(void* context, int thread) {
    const Job& job = *static_cast<const Job*>(context);
    for (uint32_t k = (uint32_t)thread; k < job.count; k += job.threads) job.machines[k]->run();
  }
};

/// runParallel(machines, threads): 0, or the code of the first machine in which something went wrong
napi_value runParallel(napi_env env, napi_callback_info info) {
  const Arguments<2> given(env, info);
  uint32_t count;
  if (napi_get_array_length(env, given[0], &count) != napi_ok) {
    return fail(env, "native kernels: the first argument is an array of machines");
  }
  const int64_t threads = wholeNumber(env, given[1], INT32_MAX);
  if (threads < 1) return fail(env, "native kernels: the number of threads is 1 or more");
  if (count == 0) return wholeNumberOf(env, 0);
  auto** machines = static_cast<Machine**>(std::malloc(count * sizeof(Machine*)));
  if (machines == nullptr) return fail(env, "native kernels: there is not enough memory");
  uint32_t found = 0;
  const char* wrong = nullptr;
  while (found < count) {
    napi_value element;
    void* external = nullptr;
    if (napi_get_element(env, given[0], found, &element) == napi_ok) napi_get_value_external(env, element, &external);
    auto* machine = static_cast<Machine*>(external);
    if (machine == nullptr || machine->mark != Machine::MARK) {
      wrong = "native kernels: the first argument is an array of machines";
      break;
    }
    if (machine->taken) {
      wrong = "native kernels: a machine cannot run twice at the same time";
      break;
    }
    machine->taken = true;
    machines[found++] = machine;
  }
  int32_t result = 0;
  if (wrong == nullptr) {
    tt::Threads& pool = static_cast<Environment*>(given.data)->threads;
    const int helpers = pool.prepare((int)(threads < (int64_t)count ? threads : (int64_t)count));
    Job job{machines, count, (uint32_t)helpers};
    pool.run(helpers, Job::work, &job);
  }
  for (uint32_t k = 0; k < found; k++) {
    machines[k]->taken = false;
    if (result == 0 && wrong == nullptr) result = machines[k]->result;
  }
  std::free(machines);
  return wrong != nullptr ? fail(env, wrong) : wholeNumberOf(env, result);
}

/// failure(machine): the four words that say more about what went wrong last
napi_value failure(napi_env env, napi_callback_info info) {
  const Arguments<1> given(env, info);
  const Machine* machine = machineOf(env, given[0]);
  if (machine == nullptr) return nullptr;
  napi_value words;
  napi_create_array_with_length(env, 4, &words);
  for (uint32_t k = 0; k < 4; k++) napi_set_element(env, words, k, wholeNumberOf(env, machine->failure[k]));
  return words;
}

/// peakWork(variant, iterations): how many floating-point operations that were
napi_value peakWork(napi_env env, napi_callback_info info) {
  const Arguments<2> given(env, info);
  const Variant* variant = variantOf(env, given[0]);
  if (variant == nullptr) return nullptr;
  const int64_t iterations = wholeNumber(env, given[1], LARGEST);
  if (iterations < 0) return fail(env, "native kernels: the number of iterations is 0 or more");
  return numberOf(env, variant->peakWork(iterations));
}

}  // namespace

NAPI_MODULE_INIT() {
  auto* environment = new (std::nothrow) Environment;
  if (environment == nullptr) return fail(env, "native kernels: there is not enough memory");
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Environment*>(data); }, environment);
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {
      {"variants", variants}, {"memoryBytes", memoryBytes}, {"createMachine", createMachine},
      {"setPointer", setPointer}, {"setArenaPointer", setArenaPointer}, {"fillArena", fillArena}, {"run", run},
      {"runParallel", runParallel}, {"failure", failure}, {"peakWork", peakWork},
  };
  for (const auto& [name, call] : functions) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, environment, &function);
    napi_set_named_property(env, exports, name, function);
  }
  napi_set_named_property(env, exports, "sources", textOf(env, TT_SOURCES));
  return exports;
}
