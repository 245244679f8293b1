#!/usr/bin/env python3
"""A service on one address of loopback, and a port without a word on another.

On 127.0.0.1 an HTTP server that answers {"nextToken":"N"} to the N-th request
of a connection, which it keeps for the host kept.test alone; on 127.0.0.3, at
the same port, a queue that is full, so that connecting hangs; on 127.0.0.2
nobody. Prints the port. It ends on SIGTERM, or when nobody is left to read its
stdout.
"""
import select
import signal
import socket
import sys
import threading

ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
          b"Connection: %s\r\nContent-Length: %d\r\n\r\n%s")


def serve(peer):
    count, is_kept = 0, True
    with peer:
        while is_kept:
            text = b""
            while b"\r\n\r\n" not in text or not text.endswith(b"}"):
                data = peer.recv(65536)
                if not data:
                    return
                text += data
            count, is_kept = count + 1, b"kept.test" in text
            body = b'{"nextToken":"%d"}' % count
            peer.sendall(ANSWER % (b"keep-alive" if is_kept else b"close",
                                   len(body), body))


def listen(address, port, backlog):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen(backlog)
    return sock


def open_both():
    while True:
        sock = listen("127.0.0.1", 0, 128)
        port = sock.getsockname()[1]
        try:
            return sock, listen("127.0.0.3", port, 0), port
        except OSError:  # somebody has it there
            sock.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sock, mute, port = open_both()
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.3", port))
        fillers.append(filler)

    def accept():
        while True:
            peer, _ = sock.accept()
            threading.Thread(target=serve, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(port, flush=True)
    watch = select.poll()
    watch.register(1, 0)
    watch.poll()
    mute.close()


if __name__ == "__main__":
    main()
