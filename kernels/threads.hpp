// A small pool of threads, and the caller, that do one job at a time together. POSIX.
#pragma once

#include <pthread.h>

#include <atomic>
#include <new>

namespace tt {

/// Lets the other thread of a core go on.
inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Threads that wait for work: at first actively, for some ten microseconds, then asleep. They end with this object.
class Threads {
 public:
  /// Does the part of one thread; 0 is the caller's.
  using Work = void (*)(void* context, int thread);
  static constexpr int LIMIT = 256;

  Threads() {
    pthread_mutex_init(&mutex, nullptr);
    pthread_cond_init(&finished, nullptr);
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  ~Threads() {
    for (int k = 0; k < count; k++) helpers[k]->order(STOP);
    for (int k = 0; k < count; k++) {
      pthread_join(helpers[k]->thread, nullptr);
      delete helpers[k];
    }
    pthread_cond_destroy(&finished);
    pthread_mutex_destroy(&mutex);
  }

  /// Makes sure of `wanted` threads, the caller among them. Returns how many there are, at most `wanted`: the system may give fewer.
  int prepare(int wanted) {
    if (wanted > LIMIT) wanted = LIMIT;
    while (count + 1 < wanted) {
      Helper* helper = new (std::nothrow) Helper(*this, count + 1);
      if (helper == nullptr) break;
      if (!helper->start()) {
        delete helper;
        break;
      }
      helpers[count++] = helper;
    }
    return wanted < 1 ? 1 : wanted < count + 1 ? wanted : count + 1;
  }

  /// Calls `work(context, thread)` for each thread below `threads`, which is at most what `prepare` gave, and waits for all.
  void run(int threads, Work work, void* context) {
    this->work = work;
    this->context = context;
    remaining.store(threads - 1, std::memory_order_relaxed);
    for (int k = 0; k + 1 < threads; k++) helpers[k]->order(WORK);
    work(context, 0);
    for (int spin = 0; spin < SPINS; spin++) {
      if (remaining.load(std::memory_order_acquire) == 0) return;
      relax();
    }
    pthread_mutex_lock(&mutex);
    while (remaining.load(std::memory_order_acquire) != 0) pthread_cond_wait(&finished, &mutex);
    pthread_mutex_unlock(&mutex);
  }

 private:
  static constexpr int SPINS = 2000;
  enum Order : int { NOTHING, WORK, STOP };

  /// One thread of the pool. Aligned, so that two of them never wait on the same cache line.
  struct alignas(128) Helper {
    Threads& pool;
    const int number;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t ordered;
    std::atomic<int> next{NOTHING};
    bool asleep = false;

    Helper(Threads& pool, int number) : pool(pool), number(number) {
      pthread_mutex_init(&mutex, nullptr);
      pthread_cond_init(&ordered, nullptr);
    }

    ~Helper() {
      pthread_cond_destroy(&ordered);
      pthread_mutex_destroy(&mutex);
    }

    bool start() {
      return pthread_create(&thread, nullptr, [](void* self) -> void* {
        static_cast<Helper*>(self)->loop();
        return nullptr;
      }, this) == 0;
    }

    void order(Order order) {
      pthread_mutex_lock(&mutex);
      next.store(order, std::memory_order_release);
      const bool wake = asleep;
      pthread_mutex_unlock(&mutex);
      if (wake) pthread_cond_signal(&ordered);
    }

    int await() {
      for (int spin = 0; spin < SPINS; spin++) {
        if (next.load(std::memory_order_acquire) != NOTHING) break;
        relax();
      }
      pthread_mutex_lock(&mutex);
      asleep = true;
      while (next.load(std::memory_order_relaxed) == NOTHING) pthread_cond_wait(&ordered, &mutex);
      asleep = false;
      const int order = next.exchange(NOTHING, std::memory_order_relaxed);
      pthread_mutex_unlock(&mutex);
      return order;
    }

    void loop() {
      while (await() == WORK) {
        pool.work(pool.context, number);
        pool.done();
      }
    }
  };

  /// The last one to finish wakes the caller, who may already be gone: it does not wait for this mutex.
  void done() {
    if (remaining.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    pthread_mutex_lock(&mutex);
    pthread_cond_signal(&finished);
    pthread_mutex_unlock(&mutex);
  }

  Work work = nullptr;
  void* context = nullptr;
  std::atomic<int> remaining{0};
  pthread_mutex_t mutex;
  pthread_cond_t finished;
  Helper* helpers[LIMIT] = {};
  int count = 0;
};

}  // namespace tt
