#!/usr/bin/env python3
"""Runs a command on a terminal of its own, in its foreground, as a person would.

    terminal.py [WORDS REPLY]... -- COMMAND...

When WORDS were shown, REPLY is typed: `\\n` is Enter, `\\x03` is Ctrl-C. Prints what the
terminal showed and, as the last line, `status N` (negative: of a signal) or `no end`.
"""
import os
import pty
import select
import signal
import sys
import time

SECONDS = 60  # whoever is not done by then hangs


def unescape(text):
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


def main():
    at = sys.argv.index("--")
    words = [unescape(word) for word in sys.argv[1:at]]
    talk = list(zip(words[::2], words[1::2]))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[at + 1], sys.argv[at + 1:])
    shown, read, end = b"", 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            some = os.read(terminal, 65536)
        except OSError:  # nobody has the terminal open any more
            some = b""
        if not some:
            break
        shown += some
        while talk and talk[0][0] in shown[read:]:
            read = shown.index(talk[0][0], read) + len(talk[0][0])
            os.write(terminal, talk.pop(0)[1])
    sys.stdout.flush()
    sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
    if time.monotonic() >= end:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        print("\nno end")
        return
    print("\nstatus %d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
