#!/usr/bin/env python3
"""Counts the instructions of a create on a kept connection, by library.

    instructions.py LUA CPATH ENDPOINT CERTIFICATE

Runs call.lua under callgrind twice, with few creates and with many, and prints
what lies between: a line of JSON. callgrind does not know the processor's own
SHA-256, so libcrypto's part is larger than it really is.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

FEW, MANY = 100, 600


def self_costs(path):
    """Instructions by the file they are in, without those of called functions."""
    names, costs, current, is_call = {}, collections.Counter(), "?", False
    with open(path) as file:
        for line in file:
            if line.startswith("ob="):
                number, name = re.match(r"ob=\((\d+)\)(?: (.*))?", line).groups()
                names.setdefault(number, name)
                current = names[number]
            elif line.startswith("calls="):
                is_call = True  # the next line has the cost of what was called
            elif line[0] in "0123456789+-*":
                if not is_call:
                    costs[current] += int(line.split()[1])
                is_call = False
            elif line.startswith("cob="):
                number, name = re.match(r"cob=\((\d+)\)(?: (.*))?", line).groups()
                if name:
                    names.setdefault(number, name)
    return costs


def count(lua, n, folder):
    out = os.path.join(folder, "callgrind.%d" % n)
    subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out, "-q", lua, "spec/bench/call.lua"],
                   check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, BENCH_N=str(n), BENCH_WARMUP="20"))
    return self_costs(out)


def room(path):
    name = os.path.basename(path)
    if name.startswith(("core.so", "curl.so")):
        return name.split(".")[0]
    return re.split(r"[-.]", name)[0] if name.startswith("lib") else "lua" if name.startswith("lua") else "others"


def main():
    lua, cpath, endpoint, certificate = sys.argv[1:]
    os.environ.update(LUA_CPATH=cpath, BENCH_ENDPOINT=endpoint, BENCH_CA=certificate)
    with tempfile.TemporaryDirectory() as folder:
        few, many = count(lua, FEW, folder), count(lua, MANY, folder)
    by_room = collections.Counter()
    for path, cost in (many - few).items():
        by_room[room(path)] += cost / (MANY - FEW)
    parts = {name: round(cost) for name, cost in by_room.most_common()}
    print(json.dumps({"bench": "instructions a create", "total": sum(parts.values()), "parts": parts}))


main()
