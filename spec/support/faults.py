#!/usr/bin/env python3
"""A server that answers wrongly, on purpose.

Knows HTTP/1.1 and TLS well enough to break them in known ways; refuses to
know any service. Loopback only, ephemeral ports.

The fault is the first part of the path (http://localhost:PORT/close/x), or,
where it comes before any path, the port. When ready it prints one line of
JSON: http, https (endpoints), ports (name -> endpoint), ca_bundle, pid.

  GET http/_seen/NAME   {"requests", "connections", "closed", "heard", "last"}:
                        how many requests and connections that fault really
                        saw, how many of these are over, from how many a byte
                        came (of those that are held), and the last request's
                        head
  GET http/_hold/NAME/N holds the answers to all requests of that fault but
                        the first N
  GET http/_go/NAME     lets go on what is held, or waits to be told
  GET http/_forget      sets all of that to zero
  GET http/_fresh       {"http", "https"}: other endpoints, to which nobody
                        has a connection yet

It ends on SIGTERM, when its stdin is a pipe that closes, or when nobody is
left to read its stdout.
"""
import gzip
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings

JSON_OK = b'{"ok":true}'
LAST = 60  # seconds: nothing is held for longer


class Gone(Exception):
    """The peer left, or the fault ended the connection."""


class Seen:
    """Counts what arrived, by fault."""

    def __init__(self):
        self.lock = threading.Lock()
        self.forget()

    def forget(self):
        with self.lock:
            self.requests, self.peers, self.last = {}, {}, {}
            self.gone, self.held = {}, {}
            self.told, self.allowed = set(), {}

    def connection(self, fault, ident):
        with self.lock:
            self.peers.setdefault(fault, set()).add(ident)

    def request(self, fault, ident, head):
        with self.lock:
            self.requests[fault] = self.requests.get(fault, 0) + 1
            self.peers.setdefault(fault, set()).add(ident)
            self.last[fault] = head

    def heard(self, fault):
        with self.lock:
            self.held[fault] = self.held.get(fault, 0) + 1

    def hold(self, fault, number):
        with self.lock:
            self.allowed[fault] = number

    def is_held(self, fault):
        with self.lock:
            allowed = self.allowed.get(fault)
            return allowed is not None and self.requests[fault] > allowed

    def go(self, fault):
        with self.lock:
            self.told.add(fault)

    def may_go(self, fault):
        with self.lock:
            return fault in self.told

    def closed(self, ident):
        with self.lock:
            for fault, peers in self.peers.items():
                if ident in peers:
                    self.gone[fault] = self.gone.get(fault, 0) + 1

    def report(self, fault):
        with self.lock:
            return {
                "requests": self.requests.get(fault, 0),
                "connections": len(self.peers.get(fault, ())),
                "closed": self.gone.get(fault, 0),
                "heard": self.held.get(fault, 0),
                "last": self.last.get(fault, ""),
            }


SEEN = Seen()


class Request:
    def __init__(self, head, body):
        self.head = head.decode("latin-1")
        line = self.head.split("\r\n", 1)[0].split(" ")
        self.method = line[0]
        self.target = line[1] if len(line) > 1 else "/"
        path = re.sub(r"^https?://[^/]*", "", self.target)
        self.path = path.split("?", 1)[0]
        self.fault = self.path.strip("/").split("/", 1)[0] or "ok"
        self.body = body


class Peer:
    """One connection: reads requests, and ends in every bad way."""

    count = 0
    lock = threading.Lock()

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.served = 0
        with Peer.lock:
            Peer.count += 1
            self.ident = Peer.count

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            raise Gone()
        self.buffer += data

    def take(self, size):
        while len(self.buffer) < size:
            self.fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def skip(self, size):
        """Reads that many bytes of a body and forgets them."""
        left = size
        while left > 0:
            if not self.buffer:
                self.fill()
            gone = min(left, len(self.buffer))
            self.buffer = self.buffer[gone:]
            left -= gone
        return size

    def drain(self):
        while True:
            self.buffer = b""
            self.fill()

    def request(self):
        """The next one, or None where an answer came before its body."""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        low = head.lower()
        found = re.search(rb"\ncontent-length: *(\d+)", low)
        body = b""
        unread, number = find_fault(Request(head, body).fault, UNREAD)
        if unread and found:
            self.served += 1
            SEEN.request(Request(head, b"").fault, self.ident,
                         head.decode("latin-1"))
            if not unread(self, head, int(found.group(1)), number):
                raise Gone()
            return None
        if found:
            body = self.take(int(found.group(1)))
        elif re.search(rb"\ntransfer-encoding: *chunked", low):
            while True:
                size = int(self.line().split(b";")[0], 16)
                body += self.take(size)
                self.line()
                if size == 0:
                    break
        self.served += 1
        return Request(head + b"\r\n", body)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone()

    def until_told(self, fault):
        """Waits until the spec says go, or the client says or ends something."""
        stop = time.monotonic() + LAST
        while time.monotonic() < stop and not SEEN.may_go(fault):
            if select.select([self.sock], [], [], 0.005)[0]:
                return

    def reset(self):
        """Ends with RST. What was sent before is there before it, and stays
        to be read."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        except OSError:
            pass
        raise Gone()

    def half_close(self):
        try:
            socket.socket.shutdown(self.sock, socket.SHUT_WR)
        except OSError:
            pass

    def goodbye(self):
        """Over TLS: says that nothing follows."""
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.settimeout(0.05)
            try:
                self.sock.unwrap()  # sends ours, waits in vain for theirs
            except OSError:
                pass

    def hang(self):
        """Holds on, silently, until the peer leaves."""
        while True:
            self.fill()
            self.buffer = b""


def answer(body=JSON_OK, status="200 OK", headers=(), length=True,
           version="HTTP/1.1"):
    lines = ["%s %s" % (version, status),
             "Content-Type: application/x-amz-json-1.1"]
    lines += headers
    if length:
        lines.append("Content-Length: %d" % len(body))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


# -- Faults chosen by path: each gets (peer, request, number in its name) and
#    answers whether the connection goes on.

def ok(peer, request, number):
    text = answer(headers=["x-connection: %d" % peer.ident,
                           "x-request: %d" % peer.served])
    if request and request.method == "HEAD":
        text = text[:-len(JSON_OK)]
    peer.send(text)
    return True


def head_body(peer, request, number):
    """A body even where none may be: after the answer to a HEAD."""
    peer.send(answer())
    return True


def echo(peer, request, number):
    peer.send(answer(request.body))
    return True


def status(peer, request, number):
    peer.send(answer(status="%d Chosen" % number))
    return True


def slow(peer, request, number):
    time.sleep(number / 1000)
    return ok(peer, request, number)


def hang(peer, request, number):
    peer.hang()


def close(peer, request, number):
    return False


def close_reused(peer, request, number):
    return ok(peer, request, number) if peer.served == 1 else False


def reset_reused(peer, request, number):
    return ok(peer, request, number) if peer.served == 1 else peer.reset()


def close_idle(peer, request, number):
    ok(peer, request, number)
    return False


def goodbye_idle(peer, request, number):
    """Ends a kept connection politely: over TLS with a close_notify."""
    ok(peer, request, number)
    peer.goodbye()
    return False


def half_close_idle(peer, request, number):
    ok(peer, request, number)
    peer.half_close()
    SEEN.closed(peer.ident)  # as far as the client can tell
    peer.hang()


def late_answer(peer, request, number):
    """An answer, and when told, another one that nobody asked for."""
    ok(peer, request, number)
    peer.until_told(request.fault)
    peer.send(answer(b"late", "408 Request Timeout", ["Connection: close"]))
    return False


def half_close(peer, request, number):
    peer.half_close()
    peer.hang()


LONG = answer(b'{"text":"%s"}' % (b"x" * 400))


def reset_at(peer, request, number):
    peer.send(LONG[:number])
    peer.reset()


def close_at(peer, request, number):
    peer.send(LONG[:number])
    return False


def drip(peer, request, number):
    """A byte at a time, from byte 'number' of the answer on."""
    peer.send(LONG[:number])
    for byte in LONG[number:] * 1000:
        time.sleep(0.1)
        peer.send(bytes([byte]))
    return False


def records(peer, request, number):
    """Head and body in two records of TLS, which arrive together."""
    text = answer()
    at = len(text) - len(JSON_OK)
    cork = getattr(socket, "TCP_CORK", getattr(socket, "TCP_NOPUSH", None))
    peer.sock.setsockopt(socket.IPPROTO_TCP, cork, 1)
    peer.send(text[:at])
    peer.send(text[at:])
    peer.sock.setsockopt(socket.IPPROTO_TCP, cork, 0)
    return True


def length_short(peer, request, number):
    peer.send(answer(JSON_OK + b"and more", headers=["Content-Length: 11"],
                     length=False))
    return True


def length_long(peer, request, number):
    peer.send(answer(headers=["Content-Length: 100"], length=False))
    return False


def length_bad(peer, request, number):
    peer.send(answer(headers=["Content-Length: -5x"], length=False))
    return False


def length_two(peer, request, number):
    peer.send(answer(headers=["Content-Length: 5", "Content-Length: 11"],
                     length=False))
    return False


def no_length(peer, request, number):
    """A body that ends with the connection."""
    peer.send(answer(length=False))
    peer.goodbye()
    return False


def no_goodbye(peer, request, number):
    """The same, but over TLS nothing says that this is the end."""
    peer.send(answer(length=False))
    return False


def chunked(peer, chunks):
    peer.send(answer(chunks, headers=["Transfer-Encoding: chunked"],
                     length=False))


def chunk_ok(peer, request, number):
    chunked(peer, b"5;a=b\r\n{\"ok\"\r\n6\r\n:true}\r\n0\r\nX-Late: 1\r\n\r\n")
    return True


def chunk_garbage(peer, request, number):
    chunked(peer, b"zz\r\n{\"ok\":true}\r\n0\r\n\r\n")
    return False


def chunk_cut(peer, request, number):
    chunked(peer, b"20\r\n{\"ok\":true}")
    return False


def one_1xx(peer, request, number):
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n"
              b"HTTP/1.1 103 Early Hints\r\nx-early: 1\r\n\r\n")
    return ok(peer, request, number)


def only_1xx(peer, request, number):
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    return False


def flood_1xx(peer, request, number):
    while True:
        peer.send(b"HTTP/1.1 100 Continue\r\nx-flood: 1\r\n\r\n" * 100)


def head_line(peer, request, number):
    """A header line of 100 kB (or 'number' bytes)."""
    peer.send(answer(headers=["x-long: " + "x" * (number or 100 * 1024)]))
    return True


def head_count(peer, request, number):
    peer.send(answer(headers=["x-h%d: 1" % i for i in range(number or 1000)]))
    return True


def head_endless(peer, request, number):
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.send(b"x-more: and more\r\n" * 100)


def repeated(peer, request, number):
    peer.send(answer(headers=["X-Twice: one", "x-twice: two", "x-empty:"]))
    return True


def head_bad_line(peer, request, number):
    peer.send(answer(headers=["no header at all"]))
    return True


def gzipped(peer, request, number):
    peer.send(answer(gzip.compress(JSON_OK),
                     headers=["Content-Encoding: gzip"]))
    return True


def http10(peer, request, number):
    peer.send(answer(version="HTTP/1.0", length=False))
    peer.goodbye()
    return False


def http10_keep(peer, request, number):
    peer.send(answer(version="HTTP/1.0", headers=["Connection: keep-alive"]))
    return True


def http09(peer, request, number):
    peer.send(JSON_OK)
    return False


def garbage(peer, request, number):
    peer.send(bytes(range(256)) * 4)
    return False


def bad_status(peer, request, number):
    peer.send(answer(status="2x0 OK"))
    return False


def redirect(peer, request, number):
    peer.send(answer(b"", "302 Found", ["Location: %s/elsewhere/x"
                                        % READY["http"]]))
    return True


def empty(peer, request, number):
    peer.send(answer(b""))
    return True


def half_json(peer, request, number):
    peer.send(answer(b'{"dataDeletionJobArn":"arn:aws'))
    return True


def html(peer, request, number):
    peer.send(answer(b"<html><body>Welcome to the hotel</body></html>",
                     headers=["X-Kind: portal"]))
    return True


def no_content(peer, request, number):
    peer.send(answer(b"", "204 No Content", length=False))
    return True


def big(peer, request, number):
    """A body of 'number' bytes."""
    peer.send(answer(b"x" * number))
    return True


def big_chunked(peer, request, number):
    chunked(peer, b"%x\r\n" % number + b"x" * number + b"\r\n0\r\n\r\n")
    return True


def endless(peer, request, number):
    peer.send(answer(b"", length=False))
    while True:
        peer.send(b"x" * 65536)


def cookie(peer, request, number):
    peer.send(answer(headers=["Set-Cookie: a=b; Path=/",
                              "Alt-Svc: h2=\":1\"",
                              "Strict-Transport-Security: max-age=9"]))
    return True


FAULTS = {
    "ok": ok, "echo": echo, "elsewhere": ok, "status": status, "slow": slow,
    "hang": hang, "close": close, "close-reused": close_reused,
    "goodbye-idle": goodbye_idle, "reset-reused": reset_reused, "close-idle": close_idle,
    "half-close": half_close, "half-close-idle": half_close_idle,
    "late-answer": late_answer, "reset-at": reset_at, "close-at": close_at,
    "drip": drip, "records": records, "length-short": length_short, "length-long": length_long,
    "length-bad": length_bad, "length-two": length_two,
    "no-length": no_length, "no-goodbye": no_goodbye, "head-body": head_body, "chunk-ok": chunk_ok,
    "chunk-garbage": chunk_garbage, "chunk-cut": chunk_cut,
    "one-1xx": one_1xx, "only-1xx": only_1xx, "flood-1xx": flood_1xx,
    "head-line": head_line, "head-count": head_count,
    "head-endless": head_endless, "head-bad-line": head_bad_line, "repeated": repeated, "gzip": gzipped,
    "http10": http10, "http10-keep": http10_keep, "http09": http09,
    "garbage": garbage, "bad-status": bad_status, "redirect": redirect,
    "empty": empty, "half-json": half_json, "html": html,
    "no-content": no_content, "big": big, "big-chunked": big_chunked,
    "endless": endless, "cookie": cookie,
}


# -- Faults that strike while the body is on its way: each gets (peer, head,
#    length, number) before a byte of it was read.

def refusal(peer, number):
    """An early answer, and then what a client still sends is read away."""
    headers = ["Location: %s/elsewhere/x" % READY["http"],
               "x-amz-bucket-region: elsewhere-1"] if number == 301 else []
    peer.send(answer(b"refused", "%d Chosen" % number,
                     headers + ["Connection: close"]))
    peer.half_close()
    peer.drain()


def early(peer, head, length, number):
    refusal(peer, number)


def midway(peer, head, length, number):
    """Asks for the body, and refuses in the middle of it."""
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    peer.skip(min(length, 256 * 1024))
    refusal(peer, number)


def abrupt(peer, head, length, number):
    """The same, but leaves at once, with the client's bytes unread: a reset
    follows upon the answer."""
    invite(peer, head)
    peer.skip(min(length, 256 * 1024))
    peer.send(answer(b"refused", "%d Chosen" % number,
                     ["Connection: close"]))


def expect(peer, head, length, number):
    """Refuses only who asks whether the body may come."""
    if b"100-continue" in head:
        return refusal(peer, number)
    return count(peer, head, length, number)


def expect_kept(peer, head, length, number):
    """The same, but holds the connection open, which is of no use."""
    if b"100-continue" in head:
        peer.send(answer(b"refused", "%d Chosen" % number))
        peer.drain()
    return count(peer, head, length, number)


def skipped(peer, length, *before):
    for part in before:
        peer.send(part)
    peer.skip(length)
    peer.send(answer(b"%d" % length))
    return True


def invite(peer, head):
    """Says that the body may come, to who waits for it."""
    if b"100-continue" in head:
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def count(peer, head, length, number):
    return skipped(peer, length)


def proceed(peer, head, length, number):
    return skipped(peer, length, b"HTTP/1.1 100 Continue\r\n\r\n")


def proceed_close(peer, head, length, number):
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def swallow_reset(peer, head, length, number):
    invite(peer, head)
    peer.skip(length // 2)
    peer.reset()


def swallow_close(peer, head, length, number):
    invite(peer, head)
    peer.skip(length // 2)


def swallow_hang(peer, head, length, number):
    """Reads no more, and does not leave; its end is the client's."""
    invite(peer, head)
    peer.skip(1024)
    watch = select.poll()
    watch.register(peer.sock, select.POLLHUP | select.POLLRDHUP)
    watch.poll()


def swallow_slow(peer, head, length, number):
    invite(peer, head)
    while length > 0:
        time.sleep(0.05)
        length -= peer.skip(min(length, 4096))
    return ok(peer, None, 0)


def swallow_steady(peer, head, length, number):
    """All of it, in half a second."""
    invite(peer, head)
    for _ in range(8):
        time.sleep(0.06)
        peer.skip(length // 8)
    peer.skip(length % 8)
    return ok(peer, None, 0)


UNREAD = {
    "early": early, "midway": midway, "abrupt": abrupt, "expect": expect,
    "expect-kept": expect_kept, "count": count,
    "continue": proceed, "continue-close": proceed_close,
    "swallow-reset": swallow_reset, "swallow-close": swallow_close,
    "swallow-hang": swallow_hang, "swallow-slow": swallow_slow,
    "swallow-steady": swallow_steady,
}


def find_fault(name, faults=None):
    """'reset-at-30' is 'reset-at' with the number 30."""
    faults = FAULTS if faults is None else faults
    if name in faults:
        return faults[name], 0
    found = re.match(r"(.*)-(\d+)$", name)
    if found and found.group(1) in faults:
        return faults[found.group(1)], int(found.group(2))
    return None, 0


def control(peer, request):
    parts = request.path.strip("/").split("/")
    if parts[0] == "_forget":
        SEEN.forget()
        report = {}
    elif parts[0] == "_hold":
        SEEN.hold(parts[1], int(parts[2]))
        report = {}
    elif parts[0] == "_go":
        SEEN.go(parts[1])
        report = {}
    elif parts[0] == "_fresh":
        report = {"http": "http://localhost:%d" % open_port(serve),
                  "https": "https://localhost:%d" % open_port(serve, None, GOOD[0])}
    else:
        report = SEEN.report(parts[1] if len(parts) > 1 else "ok")
    peer.send(answer(json.dumps(report).encode()))


def serve(peer, name):
    """Requests, one after another; 'name' is the port's, where that is the
    fault and the requests are merely counted."""
    if name:
        SEEN.connection(name, peer.ident)
    while True:
        request = peer.request()
        if request is None:
            continue
        if request.fault.startswith("_"):
            control(peer, request)
            continue
        SEEN.request(name or request.fault, peer.ident, request.head)
        if SEEN.is_held(request.fault):
            peer.until_told(request.fault)
        fault, number = find_fault(request.fault)
        if fault is None:
            peer.send(answer(status="404 No Such Fault"))
        elif not fault(peer, request, number):
            return


# -- Faults that come before any path, and proxies: chosen by port.

def hold(peer, name):
    SEEN.connection(name, peer.ident)
    peer.fill()
    SEEN.heard(name)
    peer.hang()


def reset_now(peer, name):
    SEEN.connection(name, peer.ident)
    peer.reset()


def reset_hello(peer, name):
    """Reads the first bytes (a TLS hello), then resets."""
    SEEN.connection(name, peer.ident)
    peer.fill()
    peer.reset()


def close_hello(peer, name):
    SEEN.connection(name, peer.ident)
    peer.fill()


def plain_hello(peer, name):
    """Speaks HTTP where TLS is expected."""
    SEEN.connection(name, peer.ident)
    peer.fill()
    peer.send(answer(status="400 Bad Request"))


def pipe(one, other):
    pair = [one, other]
    while True:
        for sock in select.select(pair, [], [])[0]:
            while True:
                data = sock.recv(65536)
                if not data:
                    return
                (other if sock is one else one).sendall(data)
                if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                    break


def proxy(peer, name):
    """CONNECT to loopback, or the request itself in absolute form."""
    while True:
        request = peer.request()
        SEEN.request(name, peer.ident, request.head)
        if request.method != "CONNECT":
            ok(peer, request, 0)
            continue
        port = int(request.target.rsplit(":", 1)[1])
        peer.send(b"HTTP/1.1 200 Connected\r\nx-proxy: 1\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as onward:
            try:
                pipe(peer.sock, onward)
            except OSError:
                pass
        return


def refuse_proxy(peer, name, *challenges):
    request = peer.request()
    SEEN.request(name, peer.ident, request.head)
    peer.send(answer(b"", "407 Proxy Authentication Required",
                     ["Proxy-Authenticate: " + text for text in challenges]
                     + ["Connection: close"]))


def proxy_refuses(peer, name):
    refuse_proxy(peer, name, "Basic realm=\"p\"")


def proxy_refuses_twice(peer, name):
    """Asks for what only Windows knows."""
    refuse_proxy(peer, name, "Negotiate", "NTLM planted")


def proxy_mute(peer, name):
    """Asks for a password and does not say how."""
    refuse_proxy(peer, name)


def proxy_answers(status):
    def answers(peer, name):
        request = peer.request()
        SEEN.request(name, peer.ident, request.head)
        peer.send(answer(b"no", status, ["Connection: close"]))
    return answers


def proxy_says(data):
    """In answer to CONNECT; then it leaves."""
    def says(peer, name):
        request = peer.request()
        SEEN.request(name, peer.ident, request.head)
        peer.send(data)
    return says


def proxy_hangs(peer, name):
    request = peer.request()
    SEEN.request(name, peer.ident, request.head)
    peer.hang()


def proxy_endless(peer, name):
    request = peer.request()
    SEEN.request(name, peer.ident, request.head)
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.send(b"x-more: and more\r\n" * 100)


def proxy_flood(peer, name):
    """Refuses, with a body that does not end."""
    request = peer.request()
    SEEN.request(name, peer.ident, request.head)
    peer.send(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
              b"Content-Length: 9999999999\r\n\r\n")
    while True:
        peer.send(b"x" * 65536)


def socks(peer, name):
    """SOCKS 5 to loopback; with a user only where that is \"us:er\", \"pass\"."""
    methods = peer.take(2)[1]
    wants = 2 if 2 in peer.take(methods) else 0
    peer.send(bytes([5, wants]))
    who = ""
    if wants == 2:
        user = peer.take(peer.take(2)[1])
        password = peer.take(peer.take(1)[0])
        who = (user + b" " + password).decode()
        peer.send(bytes([1, 0 if who == "us:er pass" else 1]))
    kind = peer.take(4)[3]
    host = peer.take(peer.take(1)[0] if kind == 3 else 4 if kind == 1 else 16)
    port = int.from_bytes(peer.take(2), "big")
    SEEN.request(name, peer.ident, "%s %s %d" % (
        who, host.decode() if kind == 3 else kind, port))
    peer.send(b"\5\0\0\1\x7f\0\0\1\0\0")
    with socket.create_connection(("127.0.0.1", port)) as onward:
        try:
            pipe(peer.sock, onward)
        except OSError:
            pass


# -- Certificates

def openssl(folder, *words):
    subprocess.run(("openssl",) + words, cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def make_ca(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=fault server " + name,
            "-keyout", name + ".key", "-out", name + ".pem")


def make_cert(folder, name, ca, san, expired=False):
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
            "-keyout", name + ".key", "-out", name + ".csr")
    with open(os.path.join(folder, name + ".ext"), "w") as out:
        out.write("subjectAltName=" + san + "\n")
    # Only `openssl ca` takes dates; it wants a folder of its own.
    books = os.path.join(folder, name + ".ca")
    os.mkdir(books)
    with open(os.path.join(books, "index.txt"), "w"):
        pass
    with open(os.path.join(books, "conf"), "w") as out:
        out.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\n"
                  "new_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\n"
                  "policy=p\n[p]\ncommonName=supplied\n" % (books, books))
    dates = (["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]
             if expired else ["-days", "2"])
    openssl(folder, "ca", "-batch", "-notext", "-config", books + "/conf",
            "-cert", ca + ".pem", "-keyfile", ca + ".key",
            "-extfile", name + ".ext", "-in", name + ".csr",
            "-out", name + ".pem", *dates)


def make_self_signed(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", name + ".key",
            "-out", name + ".pem")


def tls_for_clients(folder, version):
    """Demands a certificate of the client."""
    context = tls(folder, "good")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(os.path.join(folder, "ca.pem"))
    context.minimum_version = context.maximum_version = version
    return context


def tls(folder, name, old=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, name + ".pem"),
                            os.path.join(folder, name + ".key"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    if old:
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


# -- Ports

def listen(backlog=128):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    if backlog is not None:
        sock.listen(backlog)
    return sock, sock.getsockname()[1]


def attend(sock, context, handler, name):
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            try:
                sock = context.wrap_socket(sock, server_side=True)
            except OSError:
                SEEN.connection(name or "handshake", id(sock))
                return
        peer = Peer(sock)
        try:
            handler(peer, name)
        finally:
            sock.close()
            SEEN.closed(peer.ident)
    except (Gone, OSError, ValueError):
        pass
    finally:
        sock.close()


def open_port(handler, name=None, context=None):
    sock, port = listen()

    def accept():
        while True:
            peer, _ = sock.accept()
            threading.Thread(target=attend, daemon=True,
                             args=(peer, context, handler, name)).start()

    threading.Thread(target=accept, daemon=True).start()
    return port


KEPT = []


def open_full():
    """A port whose queue is full: connecting hangs."""
    sock, port = listen(0)
    KEPT.append(sock)
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        KEPT.append(filler)
    return port


def open_refusing():
    """A port that is taken, so that nobody else gets it, but refuses."""
    sock, port = listen(None)
    KEPT.append(sock)
    return port


READY = {}
GOOD = []  # the context of the good certificate


def start(folder):
    if os.environ.get("SPEC_CA"):
        # A client had to know the authority before.
        for name in ("ca.pem", "ca.key"):
            shutil.copy(os.path.join(os.environ["SPEC_CA"], name), folder)
    else:
        make_ca(folder, "ca")
    make_ca(folder, "other-ca")
    good = "DNS:localhost,IP:127.0.0.1"
    make_cert(folder, "good", "ca", good)
    make_cert(folder, "wrong-name", "ca", "DNS:elsewhere.invalid")
    make_cert(folder, "expired", "ca", good, expired=True)
    make_cert(folder, "unknown-ca", "other-ca", good)
    make_self_signed(folder, "self-signed")

    GOOD.append(tls(folder, "good"))
    plain = {
        "refuse": open_refusing(),
        "full": open_full(),
        "hold": open_port(hold, "hold"),
        "reset": open_port(reset_now, "reset"),
        "proxy": open_port(proxy, "proxy"),
        "proxy-refuses": open_port(proxy_refuses, "proxy-refuses"),
        "proxy-refuses-twice": open_port(proxy_refuses_twice,
                                         "proxy-refuses-twice"),
        "proxy-mute": open_port(proxy_mute, "proxy-mute"),
        "proxy-403": open_port(proxy_answers("403 Forbidden"), "proxy-403"),
        "proxy-502": open_port(proxy_answers("502 Bad Gateway"), "proxy-502"),
        "proxy-closes": open_port(proxy_says(b""), "proxy-closes"),
        "proxy-cut": open_port(proxy_says(b"HTTP/1.1 200 OK\r\nx: y"),
                               "proxy-cut"),
        "proxy-garbage": open_port(proxy_says(bytes(range(256)) * 4),
                                   "proxy-garbage"),
        "proxy-hangs": open_port(proxy_hangs, "proxy-hangs"),
        "proxy-endless": open_port(proxy_endless, "proxy-endless"),
        "proxy-flood": open_port(proxy_flood, "proxy-flood"),
        "socks": open_port(socks, "socks"),
    }
    secure = {
        "tls-hold": open_port(hold, "tls-hold"),
        "tls-reset": open_port(reset_hello, "tls-reset"),
        "tls-close": open_port(close_hello, "tls-close"),
        "tls-plain": open_port(plain_hello, "tls-plain"),
        "tls-old": open_port(serve, "tls-old", tls(folder, "good", True)),
    }
    secure["proxy-tls"] = open_port(proxy, "proxy-tls", GOOD[0])
    secure["proxy-tls-unknown-ca"] = open_port(
        proxy, "proxy-tls-unknown-ca", tls(folder, "unknown-ca"))
    secure["proxy-tls-wrong-name"] = open_port(
        proxy, "proxy-tls-wrong-name", tls(folder, "wrong-name"))
    secure["proxy-tls-old"] = open_port(proxy, "proxy-tls-old",
                                        tls(folder, "good", True))
    secure["tls-client"] = open_port(
        serve, "tls-client", tls_for_clients(folder, ssl.TLSVersion.TLSv1_3))
    secure["tls-client-12"] = open_port(
        serve, "tls-client-12",
        tls_for_clients(folder, ssl.TLSVersion.TLSv1_2))
    for name in ("wrong-name", "expired", "unknown-ca", "self-signed"):
        secure["tls-" + name] = open_port(serve, "tls-" + name,
                                          tls(folder, name))
    READY.update(
        http="http://localhost:%d" % open_port(serve),
        https="https://localhost:%d" % open_port(serve, None, GOOD[0]),
        ca_bundle=os.path.join(folder, "ca.pem"),
        faults=sorted(FAULTS), unread=sorted(UNREAD),
        pid=os.getpid(),
        ports={**{n: "http://localhost:%d" % p for n, p in plain.items()},
               **{n: "https://localhost:%d" % p for n, p in secure.items()}})


def is_pipe(descriptor):
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def wait_for_end():
    watch = select.poll()
    if is_pipe(1):
        watch.register(1, 0)  # tells only of errors: the reader left
    if is_pipe(0):
        watch.register(0, select.POLLIN)
    while True:
        for descriptor, _ in watch.poll():
            if descriptor == 1 or not os.read(0, 4096):
                return


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def end(*_):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    folder = tempfile.mkdtemp(prefix="faults-")
    code = 1
    try:
        start(folder)
        print(json.dumps(READY), flush=True)
        wait_for_end()
        code = 0
    except (SystemExit, KeyboardInterrupt):
        code = 0
    except subprocess.CalledProcessError as error:
        sys.stderr.buffer.write(error.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(code)  # connections in mid-fault are not waited for


if __name__ == "__main__":
    main()
