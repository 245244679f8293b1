"""
S3's way of refusing: its errors as XML, and its reading of a signature.
"""

import re

from .signature import HEX64, Refusal
from .wire import http_date

TOLERANCE = 15 * 60
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = {
    # value of x-amz-content-sha256: (chunks are signed, trailers follow)
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER": (False, True),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": (True, False),
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": (True, True),
}
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class S3Problem(Exception):
    """An error of S3: code, status, message, more elements and headers."""

    def __init__(self, code, status, message, extras=(), headers=()):
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.extras = list(extras)
        self.headers = list(headers)


def element(name, value):
    text = NOT_XML.sub("\ufffd", str(value))
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"),
                              ("\r", "&#13;")):
        text = text.replace(character, entity)
    return "<%s>%s</%s>" % (name, text, name)


def error_document(problem, request_id, host_id):
    parts = [element("Code", problem.code),
             element("Message", problem.message)]
    parts += [element(name, value) for name, value in problem.extras]
    parts += [element("RequestId", request_id), element("HostId", host_id)]
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<Error>%s</Error>'
            % "".join(parts)).encode("utf-8")


def authenticate(request, verifier):
    """(Proof, payload): payload is what x-amz-content-sha256 says."""
    payload = request.headers.get("x-amz-content-sha256")
    if "authorization" in request.headers:
        if payload is None:
            raise S3Problem("InvalidRequest", 400, "Missing required header "
                            "for this request: x-amz-content-sha256")
        if not (payload == UNSIGNED or payload in STREAMING
                or HEX64(payload)):
            raise S3Problem(
                "InvalidArgument", 400, "x-amz-content-sha256 must be "
                "UNSIGNED-PAYLOAD, %s, or a valid sha256 value."
                % ", ".join(STREAMING),
                [("ArgumentName", "x-amz-content-sha256"),
                 ("ArgumentValue", payload)])
    try:
        return verifier.check(request, "s3", payload, TOLERANCE), payload
    except Refusal as refusal:
        request.connection.refused = refusal.details
        raise translate(refusal, request, verifier) from None


def translate(refusal, request, verifier):
    """The S3Problem for a Refusal."""
    kind, details = refusal.kind, refusal.details
    malformed = "The authorization header is malformed; %s"
    if kind == "mismatch":
        return S3Problem(
            "SignatureDoesNotMatch", 403, refusal.message + " Check your key "
            "and signing method.", [
                ("AWSAccessKeyId", details["access_key_id"]),
                ("StringToSign", details["string_to_sign"]),
                ("SignatureProvided", details["signature_provided"]),
                ("CanonicalRequest", details["canonical_request"])])
    if kind in ("expired", "early"):
        return S3Problem(
            "RequestTimeTooSkewed", 403, "The difference between the request "
            "time and the current time is too large.", [
                ("RequestTime", request.headers["x-amz-date"]),
                ("ServerTime", http_date(verifier.clock.now())),
                ("MaxAllowedSkewMilliseconds", TOLERANCE * 1000)])
    if kind == "region":
        return S3Problem(
            "AuthorizationHeaderMalformed", 400, malformed % "the region '%s'"
            " is wrong; expecting '%s'" % (details["given"], verifier.region),
            [("Region", verifier.region)],
            [("x-amz-bucket-region", verifier.region)])
    if kind == "service":
        return S3Problem(
            "AuthorizationHeaderMalformed", 400, malformed % "incorrect "
            'service "%s". This endpoint belongs to "s3".' % details["given"])
    if kind == "unsigned":
        return S3Problem(
            "AccessDenied", 403, "There were headers present in the request "
            "which were not signed",
            [("HeadersNotSigned", ", ".join(details["headers"]))])
    if kind == "unknown-key" or (
            kind == "bad-token"
            and "x-amz-security-token" not in request.headers):
        return S3Problem(
            "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided "
            "does not exist in our records.")
    if kind == "bad-token":
        return S3Problem("InvalidToken", 400, "The provided token is "
                         "malformed or otherwise invalid.")
    if kind == "expired-token":
        return S3Problem("ExpiredToken", 400, "The provided token has "
                         "expired.")
    if kind == "missing":
        return S3Problem("AccessDenied", 403, "Access Denied")
    return S3Problem("AuthorizationHeaderMalformed", 400,
                     malformed % refusal.message)
