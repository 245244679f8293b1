"""
Taking an object in: to disk as it comes, hashed and checked on the way.
"""

import base64
import hashlib
import os
import re

from . import checksums
from .chunked import AwsChunked
from .objects import Object
from .s3_auth import STREAMING, UNSIGNED, S3Problem

SIZE_MAX = 5 * 1024**3
CHECKSUM = re.compile(r"x-amz-checksum-([a-z0-9]+)").fullmatch
NO_CHECKSUM = ("x-amz-checksum-type", "x-amz-checksum-mode",
               "x-amz-checksum-algorithm")
ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")
KEPT = ("content-type", "cache-control", "content-disposition",
        "content-language", "expires", "x-amz-storage-class")
TITLES = {"content-type": "Content-Type", "cache-control": "Cache-Control",
          "content-disposition": "Content-Disposition",
          "content-language": "Content-Language", "expires": "Expires"}


def declared_length(request, streaming):
    """How long the object will be; S3Problem where nothing says so."""
    name = "x-amz-decoded-content-length" if streaming else "content-length"
    value = request.headers.get(name)
    if value is None:
        if "transfer-encoding" in request.headers and not streaming:
            raise S3Problem("NotImplemented", 501, "A header you provided "
                            "implies functionality that is not implemented",
                            [("Header", "Transfer-Encoding")])
        raise S3Problem("MissingContentLength", 411, "You must provide the "
                        "Content-Length HTTP header.")
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise S3Problem("InvalidArgument", 400, "%s is no number." % name)
    if int(value) > SIZE_MAX:
        raise S3Problem("EntityTooLarge", 400, "Your proposed upload exceeds "
                        "the maximum allowed size",
                        [("ProposedSize", value), ("MaxSizeAllowed",
                                                   SIZE_MAX)])
    return int(value)


def announced_checksums(headers):
    """({algorithm: value or None while it is in a trailer}, trailer name)."""
    found = {CHECKSUM(n)[1]: v for n, v in headers.items()
             if CHECKSUM(n) and n not in NO_CHECKSUM}
    trailer = headers.get("x-amz-trailer", "").strip().lower() or None
    if trailer:
        match = CHECKSUM(trailer)
        if not match:
            raise S3Problem("InvalidRequest", 400, "The value specified in "
                            "the x-amz-trailer header is not supported")
        found[match[1]] = None
    if len(found) > 1:
        raise S3Problem("InvalidRequest", 400, "Expecting a single "
                        "x-amz-checksum- header. Multiple checksum Types are "
                        "not allowed.")
    for name in found:
        if not checksums.new(name):
            raise S3Problem("NotImplemented", 501, "The local AWS cannot "
                            "check %s." % name)
    named = headers.get("x-amz-sdk-checksum-algorithm")
    if named and not found:
        raise S3Problem("InvalidRequest", 400, "x-amz-sdk-checksum-algorithm "
                        "specified, but no corresponding x-amz-checksum-* or "
                        "x-amz-trailer headers were found.")
    if named and named.lower() not in found:
        raise S3Problem("InvalidRequest", 400, "Value for "
                        "x-amz-sdk-checksum-algorithm header is invalid.")
    return found, trailer


def announced_md5(headers):
    value = headers.get("content-md5")
    if value is None:
        return None
    try:
        digest = base64.b64decode(value, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != 16:
        raise S3Problem("InvalidDigest", 400, "The Content-MD5 you specified "
                        "was invalid.")
    return digest


def encryption(headers, bucket):
    """(algorithm, key or None) as asked, else as is usual in the bucket."""
    value = headers.get("x-amz-server-side-encryption")
    if value is not None and value not in ENCRYPTIONS:
        raise S3Problem("InvalidArgument", 400, "The encryption method "
                        "specified is not supported",
                        [("ArgumentName", "x-amz-server-side-encryption"),
                         ("ArgumentValue", value)])
    if any(n.startswith("x-amz-server-side-encryption-customer-")
           for n in headers):
        raise S3Problem("NotImplemented", 501, "The local AWS takes no "
                        "customer-provided keys.")
    if value is None or bucket.forces == "aws:kms":
        return bucket.algorithm or "AES256", bucket.kms_key
    if value == "AES256":
        return value, None
    return value, headers.get("x-amz-server-side-encryption-aws-kms-key-id")


def retention(headers, bucket, sums, md5):
    """What the bucket's Object Lock makes of an object; None without one."""
    asked = [name for name in headers if name.startswith("x-amz-object-lock-")]
    if asked:
        raise S3Problem("NotImplemented", 501, "The local AWS keeps objects "
                        "by the bucket's default alone.",
                        [("Header", asked[0])])
    found = bucket.retained_until()
    if found and not sums and md5 is None:
        raise S3Problem("InvalidRequest", 400, "Content-MD5 OR "
                        "x-amz-checksum- HTTP header is required for Put "
                        "Object requests with Object Lock parameters")
    return found


def kept_headers(headers):
    """What GET and HEAD give back of the upload's headers."""
    out = [(TITLES.get(n, n), headers[n]) for n in KEPT if n in headers]
    if "content-type" not in headers:
        out.append(("Content-Type", "binary/octet-stream"))
    coding = [c.strip() for c in headers.get("content-encoding", "").split(",")
              if c.strip() and c.strip() != "aws-chunked"]
    if coding:
        out.append(("Content-Encoding", ",".join(coding)))
    return out + [(n, v) for n, v in headers.items()
                  if n.startswith("x-amz-meta-")]


def receive(request, bucket, key, path, proof, payload):
    """
    The body as an Object whose bytes lie at path, everything checked. Where
    it raises, nothing is left at path.
    """
    headers = request.headers
    item = Object(key)
    item.sse, item.kms_key = encryption(headers, bucket)
    item.headers = kept_headers(headers)
    md5 = announced_md5(headers)
    sums, trailer = announced_checksums(headers)
    item.retention = retention(headers, bucket, sums, md5)
    streaming = STREAMING.get(payload)
    if trailer and not (streaming and streaming[1]):
        raise S3Problem("InvalidRequest", 400, "x-amz-trailer needs a payload"
                        " that is streamed with a trailer.")
    expected = declared_length(request, streaming)
    if streaming:
        signed, with_trailers = streaming
        source = AwsChunked(request.body, proof if signed else None,
                            with_trailers)
    else:
        source = iter(request.body.read, b"")
    try:
        digests = copy(source, path, sums, item,
                       payload not in STREAMING and payload != UNSIGNED)
        if item.size != expected:
            raise S3Problem("IncompleteBody", 400, "You did not provide the "
                            "number of bytes specified by the Content-Length "
                            "HTTP header")
        if trailer:
            if list(source.trailers) != [trailer]:
                raise S3Problem("MalformedTrailerError", 400, "The trailer "
                                "%s did not come." % trailer)
            sums = {name: source.trailers[trailer] for name in sums}
        check(item, digests, sums, md5, payload)
    except BaseException:
        if os.path.exists(path):
            os.unlink(path)
        raise
    item.path = path
    return item


def copy(source, path, sums, item, hashed):
    """Writes the data out; its digests by name."""
    digests = {name: checksums.new(name) for name in sums}
    digests["etag"] = hashlib.md5()
    if hashed:
        digests["payload"] = hashlib.sha256()
    updates = [digest.update for digest in digests.values()]
    with open(path, "wb") as file:
        for data in source:
            item.size += len(data)
            if item.size > SIZE_MAX:
                raise S3Problem("EntityTooLarge", 400, "Your proposed upload "
                                "exceeds the maximum allowed size")
            for update in updates:
                update(data)
            file.write(data)
    return digests


def check(item, digests, sums, md5, payload):
    if "payload" in digests and digests["payload"].hexdigest() != payload:
        raise S3Problem(
            "XAmzContentSHA256Mismatch", 400, "The provided "
            "'x-amz-content-sha256' header does not match what was computed.",
            [("ClientComputedContentSHA256", payload),
             ("S3ComputedContentSHA256", digests["payload"].hexdigest())])
    item.etag = digests["etag"].hexdigest()
    if md5 is not None and md5 != digests["etag"].digest():
        raise S3Problem("BadDigest", 400, "The Content-MD5 you specified did "
                        "not match what we received.",
                        [("ExpectedDigest", md5.hex()),
                         ("CalculatedDigest", item.etag)])
    for name, value in sums.items():
        if checksums.text(digests[name]) != value:
            raise S3Problem("BadDigest", 400, "The %s you specified did not "
                            "match the calculated checksum." % name.upper())
        item.checksums.append(("x-amz-checksum-" + name, value))
