"""What `overhead.rs` runs beside the harness: the same cases through HoneyHive's Python SDK.

Takes their number. Key and address of the server come from the environment.
"""

import resource
import sys

from honeyhive import evaluate, trace


@trace(event_name="work")
def work():
    return "ok"


def noop(datapoint):
    return work()


def same(outputs, inputs, ground_truth):
    return outputs == "ok"


evaluate(
    noop,
    dataset=[
        {
            "id": f"row-{n:06}",
            "inputs": {"text": f"sentence number {n} of the benchmark"},
            "ground_truth": "ok",
        }
        for n in range(int(sys.argv[1]))
    ],
    evaluators=[same],
    name="noop",
    print_results=False,
)
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"usage {round((used.ru_utime + used.ru_stime) * 1000)} {used.ru_maxrss}", file=sys.stderr)
