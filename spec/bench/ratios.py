"""Reads rounds of creates, a line of JSON each; prints each peer's CPU as a
ratio to the floor of its own round: the median and the best. The argument is
the scheme that they were made over."""
import json
import statistics
import sys

rounds, floor = {}, None
for line in sys.stdin:
    run = json.loads(line)
    if run["peer"] == "floor":
        floor = run["us_cpu_per_call"]
    else:
        rounds.setdefault(run["version"], []).append(run["us_cpu_per_call"] / floor)
for version, ratios in rounds.items():
    print(json.dumps({
        "bench": "create over floor", "scheme": sys.argv[1], "version": version, "rounds": len(ratios),
        "median": round(statistics.median(ratios), 3), "best": round(min(ratios), 3)}))
