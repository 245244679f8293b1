#!/usr/bin/env python3
"""A DNS server for names that specs make up.

    dns.py NAME=ADDRESS[,ADDRESS...]...

Answers with all addresses of a name, of the kind that is asked for; a NAME
without one gets no answer at all, another name is unknown. Loopback only, on
an ephemeral port, which it prints. It ends on SIGTERM, or when nobody is left
to read its stdout.
"""
import ipaddress
import select
import signal
import socket
import struct
import sys

KINDS = {4: 1, 6: 28}  # A and AAAA, by version of IP


def question(packet):
    """The name that is asked for, the kind, and where the question ends."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack_from("!H", packet, at + 1)[0], at + 5


def answer(packet, names):
    """None where there is to be no answer."""
    name, kind, end = question(packet)
    addresses = names.get(name)
    if addresses == []:
        return None
    found = [a.packed for a in addresses or [] if KINDS[a.version] == kind]
    code = 0 if addresses else 3
    head = packet[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
    return head + packet[12:end] + b"".join(
        struct.pack("!HHHIH", 0xC00C, kind, 1, 1, len(data)) + data for data in found)


def main():
    names = {}
    for word in sys.argv[1:]:
        name, addresses = word.split("=")
        names[name] = [ipaddress.ip_address(a) for a in addresses.split(",") if a]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    print(sock.getsockname()[1], flush=True)
    watch = select.poll()
    watch.register(sock, select.POLLIN)
    watch.register(1, 0)  # tells only of errors: the reader left
    while True:
        for descriptor, _ in watch.poll():
            if descriptor == 1:
                return
            packet, peer = sock.recvfrom(4096)
            text = answer(packet, names)
            if text:
                sock.sendto(text, peer)


if __name__ == "__main__":
    main()
