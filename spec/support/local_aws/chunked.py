"""
aws-chunked bodies: chunks that may be signed, trailers that may be too.
"""

import hashlib
import hmac
import re

from .s3_auth import S3Problem
from .signature import EMPTY_SHA256
from .wire import READ_SIZE

LINE_MAX = 4096
CHUNK_MIN = 8 * 1024                # of signed chunks before the last
CHUNK_LINE = re.compile(
    rb"([0-9a-fA-F]{1,15})(?:;chunk-signature=([0-9a-f]{64}))?").fullmatch
SIGNATURE = "x-amz-trailer-signature"


def incomplete():
    return S3Problem("IncompleteBody", 400, "The request body terminated "
                     "unexpectedly")


class AwsChunked:
    """
    The data of a body, and the checked `trailers` once it has been read.
    `proof` is None where the chunks are not signed.
    """

    def __init__(self, body, proof, with_trailers):
        self.body = body
        self.proof = proof
        self.with_trailers = with_trailers
        self.buffer = b""
        self.trailers = {}

    def fill(self):
        data = self.body.read(READ_SIZE)
        if not data:
            raise incomplete()
        self.buffer += data

    def line(self):
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                line, self.buffer = self.buffer[:end], self.buffer[end + 2:]
                return line
            if len(self.buffer) > LINE_MAX:
                raise S3Problem("InvalidRequest", 400,
                                "A chunk header or trailer is too long.")
            self.fill()

    def __iter__(self):
        before = None
        while True:
            match = CHUNK_LINE(self.line())
            if not match or bool(match[2]) != bool(self.proof):
                raise S3Problem("InvalidRequest", 400, "The chunk header is "
                                "malformed.")
            if self.proof and before is not None and match[1].strip(b"0"):
                if before < CHUNK_MIN:
                    raise S3Problem(
                        "InvalidChunkSizeError", 403, "Only the last chunk "
                        "is allowed to have a size less than 8192 bytes")
            before = int(match[1], 16)
            digest = hashlib.sha256()
            yield from self.chunk(before, digest)
            if self.proof:
                self.check("AWS4-HMAC-SHA256-PAYLOAD", match[2].decode(),
                           EMPTY_SHA256, digest.hexdigest())
            if not before:
                break
            if self.line():
                raise S3Problem("InvalidRequest", 400, "A chunk is longer "
                                "than its header says.")
        self.read_trailers()
        if self.buffer or self.body.read(1):
            raise S3Problem("InvalidRequest", 400, "There is more after the "
                            "last chunk.")

    def chunk(self, left, digest):
        while left:
            if not self.buffer:
                self.fill()
            data, self.buffer = self.buffer[:left], self.buffer[left:]
            left -= len(data)
            if self.proof:
                digest.update(data)
            yield data

    def check(self, label, given, *hashes):
        if not hmac.compare_digest(self.proof.next(label, *hashes), given):
            raise S3Problem(
                "SignatureDoesNotMatch", 403, "The request signature we "
                "calculated does not match the signature you provided. Check "
                "your key and signing method.")

    def read_trailers(self):
        given, signature = {}, None
        while line := self.line().rstrip(b"\n"):
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or len(given) > 10:
                raise S3Problem("MalformedTrailerError", 400, "The request "
                                "contained trailing data that was not "
                                "well-formed.")
            if name.lower() == SIGNATURE:
                signature = value.strip()
            else:
                given[name.lower()] = value.strip()
        if given and not self.with_trailers:
            raise S3Problem("MalformedTrailerError", 400, "Trailers came "
                            "that were not announced.")
        if self.proof and self.with_trailers:
            text = "".join("%s:%s\n" % item for item in given.items())
            self.check("AWS4-HMAC-SHA256-TRAILER", signature or "",
                       hashlib.sha256(text.encode("latin-1")).hexdigest())
        self.trailers = given
