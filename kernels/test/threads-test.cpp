// The pool of threads: every part is done once, job after job, whether the helpers are awake or asleep.
#include "../threads.hpp"

#include <unistd.h>

#include <cstdio>
#include <initializer_list>

namespace {

struct Job {
  int counts[8] = {};
};

void count(void* context, int thread) { static_cast<Job*>(context)->counts[thread]++; }

bool check(bool fact, const char* sentence) {
  if (!fact) std::printf("threads: not so: %s\n", sentence);
  return fact;
}

}  // namespace

int main() {
  bool fine = true;
  for (int wanted : {0, 1, 2, 3, 8}) {
    tt::Threads threads;
    const int given = threads.prepare(wanted);
    fine &= check(given == (wanted < 1 ? 1 : wanted), "as many threads as were wanted");
    Job job;
    for (int round = 0; round < 500; round++) {
      threads.run(given, count, &job);
      if (round % 100 == 0) usleep(2000);  // the helpers fall asleep
    }
    for (int k = 0; k < 8; k++) fine &= check(job.counts[k] == (k < given ? 500 : 0), "each part of each job is done once");
    if (given > 1) threads.run(given - 1, count, &job);
    fine &= check(given == 1 || job.counts[given - 1] == 500, "a smaller job leaves the last thread alone");
  }
  return fine ? 0 : 1;
}
