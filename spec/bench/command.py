#!/usr/bin/env python3
"""CPU time of the command where it does little, over that of its interpreter.

    command.py NAME INTERPRETER

Rounds are interleaved, so that a busy machine is busy for both; prints a line of
JSON for each, with medians in milliseconds.
"""
import json
import os
import subprocess
import sys

ROUNDS = 60
COMMAND = "src/bin/personalize"
WHAT = {"--version": ["--version"], "--help": ["--help"], "check-list --help": ["check-list", "--help"]}


def cpu(command):
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit("%s ended with %d" % (" ".join(command), status))
    return (used.ru_utime + used.ru_stime) * 1000


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    name, lua = sys.argv[1:3]
    floor, spent = [], {what: [] for what in WHAT}
    for _ in range(ROUNDS):
        floor.append(cpu([lua, "-e", ""]))
        for what, words in WHAT.items():
            spent[what].append(cpu([lua, COMMAND] + words))
    for what, values in spent.items():
        print(json.dumps({"bench": "command", "where": name, "what": what,
                          "cpu_ms": round(median(values), 2), "lua_ms": round(median(floor), 2),
                          "over_lua_ms": round(median(values) - median(floor), 2)}))


if __name__ == "__main__":
    main()
