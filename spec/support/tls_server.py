#!/usr/bin/env python3
"""openssl's own server, made to do in the middle of an exchange what a server seldom does.

    tls_server.py FOLDER COMMAND OPTION...

FOLDER has good.pem and good.key. Prints its port; reads one request; then COMMAND, a letter that `openssl s_server`
knows (R: renegotiate, k: new keys, K: new keys on both sides, -: nothing); then answers. It ends on SIGTERM.
"""
import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

ANSWER = "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def unread(pipe):
    """How many bytes in a pipe nobody has read yet."""
    return struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, b"\0\0\0\0"))[0]


def main():
    folder, command, options = sys.argv[1], sys.argv[2], sys.argv[3:]
    port = free_port()
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-cert", os.path.join(folder, "good.pem"),
         "-key", os.path.join(folder, "good.key"), "-crlf", "-naccept", "1"] + options,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def end(*_):
        server.kill()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    seen = b""
    while b"ACCEPT" not in seen:
        seen += os.read(server.stdout.fileno(), 65536)
    print(port, flush=True)
    while not re.search(rb"content-length: 5\r?\n\r?\nhello", seen, re.I):
        data = os.read(server.stdout.fileno(), 65536)
        if not data:
            return
        seen += data
    if command != "-":
        server.stdin.write(command.encode() + b"\n")
        server.stdin.flush()
        # A command and what follows it must not come in one piece.
        while unread(server.stdin):
            time.sleep(0.001)
    server.stdin.write(ANSWER.encode())
    server.stdin.flush()
    server.wait()


main()
