"""
Connections in, answers out: one thread a connection, one list of services.

The services (admin, Personalize, S3) are asked in order which of them claims
a request. Every request leaves a line in a bounded log, never its body.
"""

import collections
import ipaddress
import socket
import struct
import sys
import threading
import time
import traceback

from .wire import Answer, BadRequest, Connection, Vanished

LOG_MAX = 1000
IDLE_SECONDS = 120
BACKLOG = 512


class Log:
    """What was asked and how it was answered: counts, and the last lines."""

    def __init__(self):
        self.lock = threading.Lock()
        self.clear()

    def clear(self):
        with self.lock:
            self.count = 0
            self.connections = 0
            self.lines = collections.deque(maxlen=LOG_MAX)
            self.totals = collections.Counter()
            self.last_refused = None

    def add(self, request, answer):
        with self.lock:
            self.count += 1
            self.totals[request.operation, answer.status, answer.code] += 1
            headers = request.headers
            self.lines.append((
                request.operation, answer.status, answer.code,
                request.request_id, request.connection.number,
                headers.get("amz-sdk-invocation-id"),
                headers.get("amz-sdk-request"), headers.get("user-agent"),
                answer.mishap))
            if request.connection.refused:
                self.last_refused = request.connection.refused
                request.connection.refused = None


class Server:
    """Listens on a loopback address and serves until it is stopped."""

    def __init__(self, address, port, context, clock):
        self.context = context
        self.clock = clock
        self.log = Log()
        self.services = []
        self.world = None           # told of requests before and after
        self.numbers = 0
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(BACKLOG)

    def endpoint(self):
        address, port = self.socket.getsockname()[:2]
        return "%s://%s:%d" % ("https" if self.context else "http",
                               "[%s]" % address if ":" in address
                               else address, port)

    def start(self):
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                if self.socket.fileno() < 0:
                    return
                time.sleep(0.01)        # out of descriptors: let some go
                continue
            self.numbers += 1
            threading.Thread(target=self.serve, args=(sock, self.numbers),
                             daemon=True).start()

    def serve(self, sock, number):
        connection = None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The kernel's own timeouts spare a poll() before each recv().
            limit = struct.pack("ll", IDLE_SECONDS, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            self.log.connections += 1
            connection = Connection(sock, number, self.clock)
            self.converse(connection)
        except (OSError, ValueError, Vanished):
            if not connection:
                sock.close()            # a handshake that failed
        finally:
            if connection:
                connection.close()

    def converse(self, connection):
        """Requests and answers, until one of both wants no more."""
        while True:
            request = None
            try:
                request = connection.read_request()
                if request is None:
                    return
                answer = self.answer(request)
            except BadRequest as error:
                self.refuse(connection, error, request)
                return
            if answer.delay:
                time.sleep(answer.delay)
            self.log.add(request, answer)
            if answer.mishap == "close":
                return
            done = request.body.left == 0 or request.body.finish()
            keep = request.keep_alive and done and not answer.mishap
            connection.send(answer, keep, request.method == "HEAD")
            if not keep:
                connection.close(linger=True)
                return

    def answer(self, request):
        for service in self.services:
            if service.claims(request):
                break
        try:
            self.world.settle()
            answer = service.answer(request)
            if answer.status < 300:
                self.world.happened(request.operation)
            return answer
        except (BadRequest, Vanished):
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return service.failure(request)

    def refuse(self, connection, error, request):
        answer = Answer(error.status, [("Content-Type", "text/plain")],
                        ("%s\n" % error).encode(), "BadRequest")
        if request:
            self.log.add(request, answer)
        connection.send(answer, False)
        connection.close(linger=True)

    def stop(self):
        self.socket.close()


def parse_listen(text):
    """HOST:PORT, as (address, port); only loopback is listened on."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError("--listen takes HOST:PORT, not %s" % text)
    host = host.strip("[]")
    address = "127.0.0.1" if host in ("localhost", "") else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError("the local AWS listens on loopback only (127.0.0.1, "
                         "::1, localhost), not on %s" % host)
    return address, int(port)
