#!/usr/bin/env python3
"""A way to a server on which requests and answers get lost, on purpose.

    lossy.py [--upstream HOST:PORT] [--tls] [--rate R] [--seed N]

Forwards HTTP/1.1 requests byte for byte; but a share R of them (0.2) meets
one of the losses below, drawn from a generator with that seed. Knows HTTP's
framing; refuses to know any service. Without an upstream it answers by itself,
with a job to every question. Loopback only.

When ready it prints one line of JSON: endpoint, ca_bundle (or null), losses, pid.

  GET  /_lossy           {"requests", "losses": {name: count}, "late": how many
                         are still to arrive} (POST: and again from zero)
  POST /_lossy/rate/R    from now on
  POST /_lossy/next/NAME what the next request meets

It ends on SIGTERM, or when nobody is left to read its stdout.
"""
import argparse
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from local_aws.tls import make_certificates  # noqa: E402  (needs the path)


class Gone(Exception):
    """The peer left, or the connection was ended."""


def answer(status, body, kind="application/x-amz-json-1.1", extra=""):
    return ("HTTP/1.1 %s\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n"
            % (status, kind, extra, len(body))).encode() + body


THROTTLED = answer("400 Bad Request", b'{"__type":"ThrottlingException"}')
BROKEN = answer("500 Internal Server Error",
                b'{"__type":"InternalServerException","message":"broken"}')
AWAY = answer("503 Service Unavailable", b"<html>away</html>", "text/html")
PAGE = answer("200 OK", b"<html>welcome</html>", "text/html")

ARN = "arn:aws:personalize:eu-west-1:123456789012:data-deletion-job/gdpr-1"
CANNED = json.dumps({
    "dataDeletionJobArn": ARN,
    "dataDeletionJob": {"dataDeletionJobArn": ARN, "status": "PENDING",
                        "creationDateTime": 1795518000.5},
    "dataDeletionJobs": [{"dataDeletionJobArn": ARN, "jobName": "gdpr-1"}],
}).encode()


class Peer:
    """One connection, to the client or to the upstream."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Gone()
        self.buffer += data

    def message(self):
        """The bytes of a request or an answer; a length must stand there."""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        end = self.buffer.index(b"\r\n\r\n") + 4
        found = re.search(rb"\ncontent-length: *(\d+)", self.buffer[:end],
                          re.I)
        end += int(found.group(1)) if found else 0
        while len(self.buffer) < end:
            self.fill()
        message, self.buffer = self.buffer[:end], self.buffer[end:]
        return message

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone()

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def reset(self):
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        except OSError:
            pass
        raise Gone()

    def hang(self):
        """Silent until the client leaves."""
        while True:
            self.fill()
            self.buffer = b""


class Way:
    """From one client connection to the upstream."""

    def __init__(self, peer, place, fate):
        self.peer, self.place, self.fate = peer, place, fate
        self.onward = None

    def forward(self, request):
        """The upstream's answer to it."""
        if self.place is None:
            return answer("200 OK", CANNED,
                          extra="x-amzn-RequestId: canned\r\n")
        for fresh in (False, True):
            if self.onward is None:
                self.onward = Peer(socket.create_connection(self.place))
                fresh = True
            try:
                self.onward.send(request)
                return self.onward.message()
            except Gone:
                # A kept connection that was closed has read nothing of it.
                self.onward.close()
                self.onward = None
                if fresh:
                    raise

    # Each loss answers nothing: it sends, or raises Gone.

    def close_before(self, request):
        raise Gone()

    def reset_before(self, request):
        self.peer.reset()

    def hang_before(self, request):
        self.peer.hang()

    def throttled(self, request):
        self.peer.send(THROTTLED)

    def broken_before(self, request):
        self.peer.send(BROKEN)

    def away_before(self, request):
        self.peer.send(AWAY)

    def close_after(self, request):
        self.forward(request)
        raise Gone()

    def reset_after(self, request):
        self.forward(request)
        self.peer.reset()

    def reset_inside(self, request):
        """After the half of the answer."""
        whole = self.forward(request)
        self.peer.send(whole[:len(whole) // 2])
        self.peer.reset()

    def cut_head(self, request):
        self.peer.send(self.forward(request)[:25])
        raise Gone()

    def cut_body(self, request):
        self.peer.send(self.forward(request)[:-5])
        raise Gone()

    def garbled(self, request):
        head, body = self.forward(request).split(b"\r\n\r\n", 1)
        self.peer.send(head + b"\r\n\r\n" + body[:-1] + b"?")

    def hang_after(self, request):
        self.forward(request)
        self.peer.hang()

    def broken_after(self, request):
        self.forward(request)
        self.peer.send(BROKEN)

    def away_after(self, request):
        self.forward(request)
        self.peer.send(AWAY)

    def page_after(self, request):
        self.forward(request)
        self.peer.send(PAGE)

    def late(self, request):
        """Given up on, and then it arrives after all."""
        def later():
            time.sleep(0.05)
            try:
                Way(None, self.place, self.fate).forward(request)
            except (Gone, OSError):
                pass
            self.fate.count_late(-1)
        self.fate.count_late(1)
        threading.Thread(target=later, daemon=True).start()
        raise Gone()

    def slow(self, request):
        time.sleep(0.05)
        self.peer.send(self.forward(request))

    def close_idle(self, request):
        """All is well, but the connection is not kept."""
        self.peer.send(self.forward(request))
        raise Gone()


# How often, in proportion: what hangs costs the caller all of its time.
LOSSES = {
    "close_before": 4, "reset_before": 4, "hang_before": 1, "throttled": 3,
    "broken_before": 4, "away_before": 4, "close_after": 5, "reset_after": 5,
    "reset_inside": 4, "cut_head": 4, "cut_body": 4, "garbled": 4,
    "hang_after": 1, "broken_after": 5, "away_after": 4, "page_after": 4,
    "late": 4, "slow": 1, "close_idle": 4,
}


class Fate:
    """Draws the losses and counts them."""

    def __init__(self, rate, seed):
        self.rate, self.random = rate, random.Random(seed)
        self.lock = threading.Lock()
        self.names = sorted(LOSSES)
        self.weights = [LOSSES[name] for name in self.names]
        self.next, self.late = None, 0
        self.forget()

    def count_late(self, more):
        with self.lock:
            self.late += more

    def forget(self):
        self.requests, self.losses = 0, {}

    def draw(self):
        with self.lock:
            self.requests += 1
            name, self.next = self.next, None
            if name is None and self.random.random() >= self.rate:
                return None
            name = name or self.random.choices(self.names, self.weights)[0]
            self.losses[name] = self.losses.get(name, 0) + 1
            return name

    def control(self, method, path):
        with self.lock:
            report = {"requests": self.requests, "losses": self.losses,
                      "late": self.late}
            found = re.fullmatch(r"/_lossy/(rate|next)/(.*)", path)
            if found and found.group(1) == "rate":
                self.rate = float(found.group(2))
            elif found:
                self.next = found.group(2)
            elif method == "POST":
                self.forget()
        return answer("200 OK", json.dumps(report).encode())


def serve(sock, context, place, fate):
    peer, way = None, None
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        peer = Peer(sock)
        way = Way(peer, place, fate)
        while True:
            request = peer.message()
            method, path = request.split(b" ", 2)[:2]
            if path.startswith(b"/_lossy"):
                peer.send(fate.control(method.decode(), path.decode()))
                continue
            name = fate.draw()
            if name:
                getattr(way, name)(request)
            else:
                peer.send(way.forward(request))
    except (Gone, OSError, ValueError):
        pass
    finally:
        if way and way.onward:
            way.onward.close()
        sock.close()


def wait_for_end():
    watch = select.poll()
    watch.register(1, 0)  # tells only of errors: the reader left
    while not watch.poll():
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    place = None
    if options.upstream:
        name, port = options.upstream.rsplit(":", 1)
        place = (name, int(port))

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = tempfile.mkdtemp(prefix="lossy-")
    try:
        context = None
        if options.tls:
            make_certificates(folder)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(folder, "server.pem"),
                                    os.path.join(folder, "server.key"))
        fate = Fate(options.rate, options.seed)
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = listener.getsockname()[1]

        def accept():
            while True:
                sock, _ = listener.accept()
                threading.Thread(target=serve, daemon=True,
                                 args=(sock, context, place, fate)).start()

        threading.Thread(target=accept, daemon=True).start()
        print(json.dumps({
            "endpoint": "%s://localhost:%d" % ("https" if options.tls
                                               else "http", port),
            "ca_bundle": os.path.join(folder, "ca.pem") if options.tls
            else None,
            "losses": sorted(LOSSES), "pid": os.getpid()}), flush=True)
        wait_for_end()
    except (SystemExit, KeyboardInterrupt):
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # connections in the middle of something are not waited for


if __name__ == "__main__":
    main()
