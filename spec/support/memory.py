#!/usr/bin/env python3
"""Looks for secrets in the memory of a program, as it goes through its stages.

    memory.py SECRET DATE REGION SERVICE COMMAND [ARGUMENT...]

The command prints a line at each stage and waits for one on its stdin. Here, for each,
a line: its text; how often SECRET was found in memory that core dumps leave out; and how
often, anywhere, the key that is derived from it for signing, plain or padded for HMAC. Linux
only.
"""
import hashlib
import hmac
import re
import subprocess
import sys


def derive(secret, *steps):
    key = b"AWS4" + secret.encode()
    for step in steps + ("aws4_request",):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key


def regions(pid):
    """(from, to, whether dumps leave it out) of what can be read."""
    found = None
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r\S+) \S+ \S+ \S+ *(\S*)", line)
            if head:
                found = (int(head[1], 16), int(head[2], 16))
                if head[4] in ("[vvar]", "[vsyscall]", "[vdso]"):
                    found = None
            elif re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                found = None
            elif found and line.startswith("VmFlags:"):
                yield found + ("dd" in line.split(),)


def padded(key):
    block = key.ljust(64, b"\0")
    return [bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C)]


def count(pid, secret, keys):
    """Of the secret in memory left out of dumps; of the keys in all memory."""
    secrets = derived = 0
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for start, end, is_left_out in regions(pid):
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except OSError:
                continue
            if is_left_out:
                secrets += data.count(secret)
            derived += sum(map(data.count, keys))
    return secrets, derived


def main():
    secret, date, region, service = sys.argv[1:5]
    key = derive(secret, date, region, service)
    keys = [key] + padded(key)
    child = subprocess.Popen(sys.argv[5:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for line in child.stdout:
            print(line.decode().strip(), *count(child.pid, secret.encode(), keys), flush=True)
            child.stdin.write(b"\n")
            child.stdin.flush()
    except BrokenPipeError:
        pass
    finally:
        child.stdin.close()
        child.wait()


if __name__ == "__main__":
    main()
