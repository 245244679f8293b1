"""
HTTP/1.1 over one socket: request heads and bodies in, answers out.

Knows nothing of AWS. Everything that comes in is bounded; whatever is not
plainly HTTP/1.1 is refused and the connection ends.
"""

import re
import socket
import time

HEAD_MAX = 32 * 1024
LINE_MAX = 4 * 1024
READ_SIZE = 256 * 1024
RECV_PLAIN = 64 * 1024              # more would be mapped anew each time,
RECV_TLS = 16 * 1024                # and TLS gives a record at most
DRAIN_MAX = 1024 * 1024
LINGER_SECONDS = 2

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
TARGET = re.compile(r"[!-~\x80-\xff]+").fullmatch
DIGITS = re.compile(r"[0-9]{1,18}").fullmatch
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?").fullmatch
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

REASONS = {
    100: "Continue", 200: "OK", 204: "No Content", 206: "Partial Content",
    301: "Moved Permanently", 304: "Not Modified", 307: "Temporary Redirect",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    409: "Conflict", 411: "Length Required", 412: "Precondition Failed",
    413: "Payload Too Large", 416: "Requested Range Not Satisfiable",
    417: "Expectation Failed", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 505: "HTTP Version Not Supported",
}


class BadRequest(Exception):
    """What came is not HTTP as we take it; answered, then hung up on."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


NAMES = {}                          # header names as sent: in lower case


def header_name(name):
    """In lower case, remembered; BadRequest where it is no name."""
    if not TOKEN(name):
        raise BadRequest(400, "a malformed header line")
    if len(NAMES) > 1000:
        NAMES.clear()
    lower = NAMES[name] = name.lower()
    return lower


class Vanished(Exception):
    """The peer went away in the middle of something."""


def http_date(epoch):
    """RFC 9110's date, without the locale."""
    t = time.gmtime(epoch)
    return "%s, %02d %s %d %02d:%02d:%02d GMT" % (
        DAYS[t.tm_wday], t.tm_mday, MONTHS[t.tm_mon - 1], t.tm_year,
        t.tm_hour, t.tm_min, t.tm_sec)


class Request:
    """One request head; headers by lower-case name, repeats joined by ','."""

    __slots__ = ("method", "target", "path", "query", "headers", "body",
                 "keep_alive", "connection", "operation", "request_id",
                 "caller")


class Answer:
    """
    What to send back. `content` is bytes, or (file, offset, length), where
    the file is ours to close. `length` overrides Content-Length (HEAD).
    `mishap` spoils the sending: "close" sends nothing, "cut" sends half.
    """

    __slots__ = ("status", "headers", "content", "code", "length", "mishap",
                 "delay")

    def __init__(self, status, headers=(), content=b"", code=None,
                 length=None):
        self.status = status
        self.headers = headers
        self.content = content
        self.code = code
        self.length = length
        self.mishap = None
        self.delay = 0


class Body:
    """A body of a known length; read once, in order."""

    def __init__(self, connection, length, expect):
        self.connection = connection
        self.left = length
        self.length = length
        self.expect = expect        # the client waits for our 100

    def read(self, limit=READ_SIZE):
        """Up to limit bytes, b"" at the end."""
        if not self.left:
            return b""
        if self.expect:
            self.expect = False
            self.connection.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        data = self.connection.take(min(limit, self.left))
        self.left -= len(data)
        return data

    def read_all(self, limit):
        """The whole body, or BadRequest where it is longer than limit."""
        if self.length is not None and self.length > limit:
            raise BadRequest(413, "the body is too long")
        data = self.read(limit)
        if not self.left:
            return data
        parts, size = [data], len(data)
        while True:
            data = self.read(limit)
            if not data:
                return b"".join(parts)
            size += len(data)
            if size > limit:
                raise BadRequest(413, "the body is too long")
            parts.append(data)

    def finish(self):
        """Skips a short rest; False where the connection cannot go on."""
        if not self.left:
            return True
        if self.expect or self.length is None or self.left > DRAIN_MAX:
            return False
        while self.read():
            pass
        return True


class ChunkedBody(Body):
    """A body in Transfer-Encoding: chunked; `left` is what remains unread."""

    def __init__(self, connection, expect):
        super().__init__(connection, None, expect)
        self.left = True            # until the last chunk was seen
        self.chunk = 0              # bytes left of the current chunk
        self.first = True

    def read(self, limit=READ_SIZE):
        if not self.left:
            return b""
        if self.expect:
            self.expect = False
            self.connection.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self.chunk:
            self.next_chunk()
            if not self.chunk:
                return b""
        data = self.connection.take(min(limit, self.chunk))
        self.chunk -= len(data)
        return data

    def next_chunk(self):
        if not self.first and self.connection.line():
            raise BadRequest(400, "a chunk is longer than announced")
        self.first = False
        size = CHUNK_SIZE(self.connection.line())
        if not size:
            raise BadRequest(400, "a chunk without a size")
        self.chunk = int(size[1], 16)
        if not self.chunk:
            for _ in range(100):    # HTTP trailers: read past them
                if not self.connection.line():
                    self.left = False
                    return
            raise BadRequest(431, "too many trailers")

    def finish(self):
        if not self.left:
            return True
        if self.expect:
            return False
        try:
            for _ in range(DRAIN_MAX // READ_SIZE + 64):
                if not self.read():
                    return True
        except BadRequest:
            pass                        # the answer is made; just hang up
        return False


class Connection:
    """One client's socket, plain or TLS, and what was read ahead of it."""

    def __init__(self, sock, number, clock):
        self.sock = sock
        self.number = number
        self.clock = clock
        self.buffer = b""
        self.date_second = None
        self.date_line = ""
        self.recv_size = RECV_TLS if hasattr(sock, "unwrap") else RECV_PLAIN
        self.refused = None         # details of a signature not believed

    def peer(self):
        """The address at the other end."""
        return self.sock.getpeername()[0]

    def fill(self):
        """Reads more; Vanished where nothing more will come."""
        try:
            data = self.sock.recv(self.recv_size)
        except (OSError, ValueError) as error:
            raise Vanished(str(error)) from None
        if not data:
            raise Vanished("closed by the peer")
        self.buffer = self.buffer + data if self.buffer else data

    def take(self, limit):
        """At least one byte and at most limit, from what the peer sends."""
        if not self.buffer:
            self.fill()
        data = self.buffer
        if len(data) <= limit:
            self.buffer = b""
            return data
        self.buffer = data[limit:]
        return data[:limit]

    def line(self):
        """One line without its CRLF."""
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                line, self.buffer = self.buffer[:end], self.buffer[end + 2:]
                return line
            if len(self.buffer) > LINE_MAX:
                raise BadRequest(431, "a line is too long")
            self.fill()

    def read_request(self):
        """The next Request, None where the peer is done."""
        while self.buffer.startswith(b"\r\n"):
            self.buffer = self.buffer[2:]
        end = self.buffer.find(b"\r\n\r\n")
        while end < 0:
            if len(self.buffer) > HEAD_MAX:
                raise BadRequest(431, "the head is too long")
            idle = not self.buffer
            try:
                self.fill()
            except Vanished:
                if idle:
                    return None
                raise
            end = self.buffer.find(b"\r\n\r\n")
        if end > HEAD_MAX:
            raise BadRequest(431, "the head is too long")
        head, self.buffer = self.buffer[:end], self.buffer[end + 4:]
        return self.parse(head)

    def parse(self, head):
        lines = head.decode("latin-1").split("\r\n")
        if (head.count(b"\n") != len(lines) - 1
                or head.count(b"\r") != len(lines) - 1 or b"\0" in head):
            raise BadRequest(400, "stray control characters in the head")
        words = lines[0].split(" ")
        if len(words) != 3 or not TOKEN(words[0]) or not TARGET(words[1]):
            raise BadRequest(400, "no request line")
        if words[2] not in ("HTTP/1.1", "HTTP/1.0"):
            raise BadRequest(505, "HTTP/1.1 is spoken here")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise BadRequest(400, "a malformed header line")
            name = NAMES.get(name) or header_name(name)
            value = value.strip(" \t")
            if name in headers:
                if name in ("content-length", "host", "transfer-encoding"):
                    raise BadRequest(400, "%s given twice" % name)
                value = headers[name] + "," + value
            headers[name] = value
        request = Request()
        request.method, request.target = words[0], words[1]
        request.path, _, request.query = words[1].partition("?")
        if not request.path.startswith("/"):
            raise BadRequest(400, "the target has to be a path")
        if "host" not in headers and words[2] == "HTTP/1.1":
            raise BadRequest(400, "no Host")
        request.headers = headers
        token = headers.get("connection", "").lower()
        request.keep_alive = (token != "close" if words[2] == "HTTP/1.1"
                              else token == "keep-alive")
        request.body = self.body_of(headers)
        request.connection = self
        request.operation = request.request_id = None
        return request

    def body_of(self, headers):
        expect = headers.get("expect")
        if expect is not None and expect.lower() != "100-continue":
            raise BadRequest(417, "only 100-continue can be expected")
        expect = expect is not None
        coding = headers.get("transfer-encoding")
        length = headers.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise BadRequest(400, "this Transfer-Encoding is not taken")
            return ChunkedBody(self, expect)
        if length is None:
            return Body(self, 0, False)
        if not DIGITS(length):
            raise BadRequest(400, "Content-Length is no number")
        return Body(self, int(length), expect)

    def date(self):
        now = int(self.clock.now())
        if now != self.date_second:
            self.date_second = now
            self.date_line = http_date(now)
        return self.date_line

    def send(self, answer, keep_alive, bodyless=False):
        """Sends an answer; head and body leave in one write where they can."""
        content = answer.content
        size = content[2] if isinstance(content, tuple) else len(content)
        head = ["HTTP/1.1 %d %s\r\nDate: %s" % (
            answer.status, REASONS.get(answer.status, "Unknown"),
            self.date())]
        head += ["%s: %s" % pair for pair in answer.headers]
        if answer.status not in (204, 304):
            length = size if answer.length is None else answer.length
            head.append("Content-Length: %d" % length)
        if not keep_alive:
            head.append("Connection: close")
        head = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1", "replace")
        try:
            if bodyless or not size:
                self.write(answer, head)
            elif isinstance(content, tuple):
                file, offset, length = content
                self.send_file(head, file, offset, length // 2
                               if answer.mishap == "cut" else length)
            else:
                self.write(answer, head + content)
        except (OSError, ValueError) as error:
            raise Vanished(str(error)) from None
        finally:
            if isinstance(content, tuple):
                content[0].close()

    def write(self, answer, data):
        if answer.mishap == "cut":
            head = data.index(b"\r\n\r\n") + 4
            if head == len(data):
                head = 0            # no body to cut: half a head then
            data = data[:head + (len(data) - head) // 2]
        self.sock.sendall(data)

    def send_file(self, head, file, offset, length):
        file.seek(offset)
        pending = head
        while length:
            data = file.read(min(READ_SIZE, length))
            if not data:
                raise Vanished("the file is shorter than it was")
            length -= len(data)
            self.sock.sendall(pending + data if pending else data)
            pending = b""

    def close(self, linger=False):
        """Hangs up; lingering lets the peer read the answer before a reset."""
        try:
            if linger:
                self.sock.settimeout(LINGER_SECONDS)
                deadline = time.monotonic() + LINGER_SECONDS
                if hasattr(self.sock, "unwrap"):
                    self.sock = self.sock.unwrap()
                socket.socket.shutdown(self.sock, socket.SHUT_WR)
                while time.monotonic() < deadline and socket.socket.recv(
                        self.sock, READ_SIZE):
                    pass
        except (OSError, ValueError):
            pass
        finally:
            self.sock.close()
