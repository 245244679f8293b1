"""Runs a command with a standard input of a kind, and pauses while it reads.

    feed.py KIND FILE COMMAND...

KIND is pipe, nonblocking (a pipe whose reading end is in that mode, as event loops leave it), socket,
nonblocking-socket or terminal. FILE goes in by pieces; the next one only once the one before was taken,
so that the command finds nothing to read in between.
"""
import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import termios
import time
import tty

PIECE = 5461  # no line of a list ends there
PATIENCE = 60


def ends(kind):
    """The end that the command reads, and the end that is written."""
    if "socket" in kind:
        ours, theirs = socket.socketpair()
        return theirs.detach(), ours.detach()
    if kind == "terminal":
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        # Lines as they are typed, of which the last ends with Ctrl-D.
        mode = termios.tcgetattr(theirs)
        mode[3] |= termios.ICANON
        mode[6][termios.VEOF] = b"\x04"
        termios.tcsetattr(theirs, termios.TCSANOW, mode)
        return theirs, ours
    return os.pipe()


def unread(fd):
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0]


def write(fd, data, child):
    while data and child.poll() is None:
        if select.select([], [fd], [], 0.1)[1]:
            data = data[os.write(fd, data):]


def pieces(kind, path):
    with open(path, "rb") as file:
        if kind == "terminal":
            yield from file
        else:
            yield from iter(lambda: file.read(PIECE), b"")


def main():
    kind, path = sys.argv[1:3]
    theirs, ours = ends(kind)
    if kind.startswith("nonblocking"):
        fcntl.fcntl(theirs, fcntl.F_SETFL, fcntl.fcntl(theirs, fcntl.F_GETFL) | os.O_NONBLOCK)
    child = subprocess.Popen(sys.argv[3:], stdin=theirs, close_fds=True)
    try:
        for piece in pieces(kind, path):
            write(ours, piece, child)
            patient = time.monotonic() + PATIENCE
            while unread(theirs) and child.poll() is None and time.monotonic() < patient:
                time.sleep(0.001)
        if kind == "terminal":
            os.write(ours, b"\x04")
        else:
            os.close(theirs)
            os.close(ours)
    except BrokenPipeError:
        pass  # it has what it wants
    try:
        status = child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        status = "it waits for more"
    sys.exit(status)


main()
