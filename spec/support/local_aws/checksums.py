"""
The sums that S3 takes beside a body: incremental, base64 at the end.

CRC-32C and CRC-64/NVME are plain table loops here and slow (some MB/s): no
matter for a test server, and the other sums are the defaults of the SDKs.
"""

import base64
import hashlib
import zlib


class Crc32:
    def __init__(self):
        self.value = 0

    def update(self, data):
        self.value = zlib.crc32(data, self.value)

    def digest(self):
        return self.value.to_bytes(4, "big")


class TableCrc:
    """A reflected CRC with all bits set at the start and at the end."""

    def __init__(self, polynomial, width):
        self.bytes = width // 8
        self.mask = (1 << width) - 1
        self.value = self.mask
        self.table = []
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
            self.table.append(byte)

    def update(self, data):
        value, table = self.value, self.table
        for byte in data:
            value = value >> 8 ^ table[(value ^ byte) & 255]
        self.value = value

    def digest(self):
        return (self.value ^ self.mask).to_bytes(self.bytes, "big")


ALGORITHMS = {
    "crc32": Crc32,
    "crc32c": lambda: TableCrc(0x82F63B78, 32),
    "crc64nvme": lambda: TableCrc(0x9A6C9329AC4BC9B5, 64),
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "md5": hashlib.md5,
}


def new(algorithm):
    """A sum by the name in x-amz-checksum-NAME; None for an unknown one."""
    make = ALGORITHMS.get(algorithm)
    return make() if make else None


def text(checksum):
    return base64.b64encode(checksum.digest()).decode()
