#!/usr/bin/env python3
"""What the fault server sends for the faults named, without a connection.

For each a line "NAME END PIECES", then for each piece a line with its length and the piece itself. END is how
the connection goes on: close, reset or open. What is endless ends after LIMIT bytes.
"""
import sys

import faults

LIMIT = 9 << 20


class Recorder:
    """In place of faults.Peer."""

    ident, served = 1, 1

    def __init__(self):
        self.sock = self
        self.pieces, self.sent, self.end = [], 0, "open"

    def send(self, data):
        self.pieces.append(data)
        self.sent += len(data)
        if self.sent > LIMIT:
            raise faults.Gone()

    def reset(self):
        self.end = "reset"
        raise faults.Gone()

    def half_close(self):
        self.end = "close"

    def setsockopt(self, *option):
        pass

    def goodbye(self):
        self.end = "close"

    def until_told(self, fault):
        pass

    def hang(self):
        raise faults.Gone()


def record(name):
    peer = Recorder()
    fault, number = faults.find_fault(name)
    request = faults.Request(("POST /%s HTTP/1.1" % name).encode(), faults.JSON_OK)
    try:
        if not fault(peer, request, number):
            peer.end = "close"
    except faults.Gone:
        pass
    return peer


def main():
    faults.time.sleep = lambda seconds: None
    faults.READY["http"] = "http://localhost"
    out = sys.stdout.buffer
    for name in sys.argv[1:]:
        peer = record(name)
        out.write(b"%s %s %d\n" % (name.encode(), peer.end.encode(), len(peer.pieces)))
        for piece in peer.pieces:
            out.write(b"%d\n" % len(piece) + piece)


if __name__ == "__main__":
    main()
