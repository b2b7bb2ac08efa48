"""The experiment of tests/python_sdk/main.rs, through HoneyHive's Python SDK.

Takes the file of datapoints. Key and address of the server come from the environment.
"""

import json
import sys

from honeyhive import enrich_span, evaluate, trace


@trace(event_type="model", event_name="lookup")
def lookup(country, limit):
    enrich_span(metadata={"index": "capitals-v3"}, metrics={"found": limit})
    if country == "Atlantis":
        raise ValueError("no such country")
    return {"name": {"France": "Paris", "Italy": "Milan"}.get(country, "Bern"), "limit": limit}


def capital(datapoint):
    country = datapoint["inputs"]["country"]
    found = lookup(country, 1)
    if country == "Switzerland":
        return found["name"]
    return {"capital": found["name"], "sure": 0.5, "sources": ["atlas"], "note": None}


def correct(outputs, inputs, ground_truth):
    return outputs == ground_truth or outputs["capital"] == ground_truth["capital"]


def certainty(outputs, inputs, ground_truth):
    return 0.25


def named(outputs, inputs, ground_truth):
    return {"score": 0.75, "explanation": "it has a name"}


with open(sys.argv[1], encoding="utf-8") as rows:
    dataset = [json.loads(row) for row in rows]

evaluate(
    capital,
    dataset=dataset,
    evaluators=[correct, certainty, named],
    name="capital",
    max_workers=1,
    print_results=False,
)
