"""The measured side, in Python: answers the requests of ../protocol.ts, as ../worker.ts does in JavaScript."""

import json
import os
import sys
import time
import traceback

CHECKED_CALLS = {"train": (1, 2, 3), "step": (5,), "seq": (1,), "gemm": (1,)}
FIRST_CALL_LIMIT_SECONDS = 60
SAMPLE_MS = 5


class CannotDo(Exception):
    """A request that this competitor cannot do; the reason is shown."""


class Repeated:
    """A workload that can be run again and again, and what tells whether it computed the right thing."""

    def __init__(self, run, check, compile_ms=None):
        self.run, self.check, self.compile_ms = run, check, compile_ms


def now():
    return time.perf_counter() * 1e3


def prepare(name, make, request):
    repeated = make()
    start = now()
    repeated.run()
    first = now() - start + (repeated.compile_ms or 0)
    if first > FIRST_CALL_LIMIT_SECONDS * 1e3:
        raise CannotDo("the first call took %.0f s" % (first / 1e3))
    checked, check = CHECKED_CALLS[request["prepare"]["kind"]], []
    for call in range(1, checked[-1] + 1):
        if call > 1:
            repeated.run()
        if call in checked:
            check.append(repeated.check())
    times, end = [], now() + request["warmUpMs"]
    while not times or now() < end:
        before = now()
        repeated.run()
        times.append(now() - before)
    ready = {"ready": True, "firstCallMs": first, "compileMs": repeated.compile_ms, "check": check}
    if name:
        ready["variant"] = name
    # The later half of the warm-up tells best how long a call takes from now on.
    return min(times[len(times) // 2 :]), repeated, ready


def measure(ms_per_call, repeated, milliseconds):
    calls = max(1, round(SAMPLE_MS / ms_per_call))
    run, samples, end = repeated.run, [], now() + milliseconds
    while not samples or now() < end:
        cpu, wall = time.process_time(), now()
        for _ in range(calls):
            run()
        wall = now() - wall
        cpu = (time.process_time() - cpu) * 1e3
        samples.append({"wall": wall / calls, "cpu": cpu / calls})
    return samples


def serve(variants):
    """Answers requests until standard input ends. variants(request): pairs (name, make); the fastest is measured."""
    # Libraries may print; only answers belong on standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    chosen = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "prepare" in request:
                made = [prepare(name, make, request) for name, make in variants(request)]
                chosen = min(made, key=lambda one: one[0])
                reply = chosen[2]
            else:
                reply = {"samples": measure(chosen[0], chosen[1], request["measure"])}
        except Exception as error:
            if not isinstance(error, CannotDo):
                traceback.print_exc()
            reply = {"unable": (str(error) or type(error).__name__).split("\n")[0]}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()
