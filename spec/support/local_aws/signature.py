"""
Signature Version 4, from the verifying side.

Works out what a request should have been signed with and says what is wrong;
how a service words that is the service's own affair.
"""

import calendar
import hashlib
import hmac
import re
import time
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
HEX64 = re.compile(r"[0-9a-f]{64}").fullmatch
TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z").fullmatch
WHITE = re.compile(r"[ \t]+")
NEVER_SIGNED = frozenset(["x-amzn-trace-id"])


class Refusal(Exception):
    """
    Why a request is not believed. `kind` is one of: missing, incomplete,
    unknown-key, bad-token, expired-token, region, service, date, expired,
    early, unsigned, mismatch. `details` helps whoever has to find out why.
    """

    def __init__(self, kind, message, **details):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.details = details


class Credentials:
    """
    Who may call: access key id to (secret, session token, expiry, ARN). The
    ARN is None for the user of the account.
    """

    def __init__(self, clock):
        self.clock = clock
        self.known = {}

    def add(self, access_key_id, secret, token=None, expires=None, arn=None):
        self.known[access_key_id] = (secret, token, expires, arn)

    def expire(self, access_key_id):
        """Lets credentials be over from now on; whether they are known."""
        found = self.known.get(access_key_id)
        if found:
            secret, token, _, arn = found
            self.add(access_key_id, secret, token, self.clock.now(), arn)
        return found is not None

    def arn_of(self, access_key_id):
        return self.known.get(access_key_id, (None,))[-1]

    def secret_of(self, access_key_id, token):
        """The secret, or Refusal where key or token do not hold."""
        found = self.known.get(access_key_id)
        if found is None:
            raise Refusal("unknown-key", "no such access key id")
        secret, expected, expires, _ = found
        if token != expected:
            raise Refusal("bad-token", "the session token does not fit")
        if expires is not None and self.clock.now() >= expires:
            raise Refusal("expired-token", "the session token has expired")
        return secret


class Proof:
    """An accepted signature: what chunk signatures go on from."""

    __slots__ = ("key", "timestamp", "scope", "signature")

    def __init__(self, key, timestamp, scope, signature):
        self.key = key
        self.timestamp = timestamp
        self.scope = scope
        self.signature = signature

    def next(self, label, *hashes):
        """The signature of a chunk or trailer, which follows the last."""
        text = "\n".join((label, self.timestamp, self.scope,
                          self.signature) + hashes)
        self.signature = hmac.digest(self.key, text.encode(), "sha256").hex()
        return self.signature


def parse_authorization(value):
    """The header's (credential parts, signed headers, signature)."""
    algorithm, _, rest = value.partition(" ")
    if algorithm != ALGORITHM:
        raise Refusal("incomplete", "Unsupported AWS 'algorithm': '%s', only "
                      "%s is taken." % (algorithm, ALGORITHM))
    fields = {}
    for part in rest.split(","):
        name, equals, content = part.strip(" ").partition("=")
        if not equals or name in fields:
            raise Refusal("incomplete", "'%s' not a valid key=value pair "
                          "(missing equal-sign or given twice) in "
                          "Authorization header." % name)
        fields[name] = content
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            raise Refusal("incomplete", "Authorization header requires '%s' "
                          "parameter." % name)
    credential = fields["Credential"].rsplit("/", 4)
    if len(credential) != 5 or credential[4] != "aws4_request":
        raise Refusal("incomplete", "Credential must have exactly 5 slash-"
                      "delimited elements, e.g. keyid/date/region/service/"
                      "term, got '%s'" % fields["Credential"])
    return credential, fields["SignedHeaders"], fields["Signature"]


def caller_arn(request, credentials, settings):
    """Whose request this is, which was found to be rightly signed."""
    credential, _, _ = parse_authorization(request.headers["authorization"])
    return credentials.arn_of(credential[0]) or settings.user_arn()


def canonical_query(query):
    if not query:
        return ""
    pairs = []
    for item in query.split("&"):
        name, _, value = item.partition("=")
        pairs.append(tuple(
            quote(unquote_to_bytes(text.encode("latin-1")), safe="-_.~")
            for text in (name, value)))
    return "&".join("%s=%s" % pair for pair in sorted(pairs))


def epoch_of(timestamp):
    if not TIMESTAMP(timestamp):
        raise Refusal("incomplete", "Date must be in ISO-8601 'basic format'."
                      " Got '%s'." % timestamp)
    try:
        return calendar.timegm(time.strptime(timestamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Refusal("incomplete", "'%s' is no date." % timestamp) from None


def format_time(epoch):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(epoch))


class Verifier:
    """Judges requests for one region; keeps the derived keys of the day."""

    def __init__(self, credentials, region, clock):
        self.credentials = credentials
        self.region = region
        self.clock = clock
        self.keys = {}
        self.times = {}

    def key(self, secret, date, region, service):
        entry = (secret, date, region, service)
        key = self.keys.get(entry)
        if key is None:
            key = ("AWS4" + secret).encode()
            for text in (date, region, service, "aws4_request"):
                key = hmac.digest(key, text.encode(), "sha256")
            if len(self.keys) > 100:
                self.keys.clear()
            self.keys[entry] = key
        return key

    def check(self, request, service, payload_hash, tolerance):
        """The Proof of a rightly signed request, or Refusal."""
        headers = request.headers
        authorization = headers.get("authorization")
        if not authorization:
            raise Refusal("missing", "Missing Authentication Token")
        credential, signed, signature = parse_authorization(authorization)
        access_key_id, date, region, named, _ = credential
        timestamp = headers.get("x-amz-date")
        if timestamp is None:
            raise Refusal("incomplete", "Authorization header requires "
                          "existence of either a 'X-Amz-Date' or a 'Date' "
                          "header.")
        secret = self.credentials.secret_of(
            access_key_id, headers.get("x-amz-security-token"))
        self.check_scope(date, region, named, service, timestamp)
        self.check_time(timestamp, tolerance)
        names = signed.split(";")
        self.check_names(headers, names)
        scope = "%s/%s/%s/aws4_request" % (date, region, service)
        lines = []
        for name in names:
            value = headers[name]
            if "  " in value or "\t" in value:
                value = WHITE.sub(" ", value)
            lines.append(name + ":" + value)
        canonical = "%s\n%s\n%s\n%s\n\n%s\n%s" % (
            request.method, request.path, canonical_query(request.query),
            "\n".join(lines), signed, payload_hash)
        text = "%s\n%s\n%s\n%s" % (
            ALGORITHM, timestamp, scope,
            hashlib.sha256(canonical.encode("latin-1")).hexdigest())
        key = self.key(secret, date, region, service)
        expected = hmac.digest(key, text.encode(), "sha256").hex()
        if signature != expected:
            raise Refusal("mismatch", "The request signature we calculated "
                          "does not match the signature you provided.",
                          canonical_request=canonical, string_to_sign=text,
                          signature_provided=signature,
                          access_key_id=access_key_id)
        return Proof(key, timestamp, scope, signature)

    def check_scope(self, date, region, named, service, timestamp):
        if region != self.region:
            raise Refusal("region", "Credential should be scoped to a valid "
                          "region, not '%s'. " % region, given=region)
        if named != service:
            raise Refusal("service", "Credential should be scoped to correct "
                          "service: '%s'. " % service, given=named)
        if date != timestamp[:8]:
            raise Refusal("date", "Date in Credential scope does not match "
                          "YYYYMMDD from ISO-8601 version of date from HTTP: "
                          "'%s' != '%s', from '%s'."
                          % (date, timestamp[:8], timestamp))

    def check_time(self, timestamp, tolerance):
        signed = self.times.get(timestamp)
        if signed is None:
            signed = epoch_of(timestamp)
            if len(self.times) > 1000:
                self.times.clear()
            self.times[timestamp] = signed
        now = self.clock.now()
        minutes = tolerance // 60
        if signed < now - tolerance:
            raise Refusal("expired", "Signature expired: %s is now earlier "
                          "than %s (%s - %d min.)" % (
                              timestamp, format_time(now - tolerance),
                              format_time(now), minutes))
        if signed > now + tolerance:
            raise Refusal("early", "Signature not yet current: %s is still "
                          "later than %s (%s + %d min.)" % (
                              timestamp, format_time(now + tolerance),
                              format_time(now), minutes))

    def check_names(self, headers, names):
        """Signed headers must be sent, sorted; host and x-amz-* signed."""
        for i, name in enumerate(names):
            if name not in headers:
                raise Refusal("incomplete", "'%s' is a SignedHeader, but the "
                              "request has no such header." % name)
            if i and not names[i - 1] < name:
                raise Refusal("incomplete", "SignedHeaders must be sorted, "
                              "each once; see '%s'." % name)
        if "host" not in names:
            raise Refusal("unsigned", "'Host' or ':authority' must be a "
                          "'SignedHeader' in the AWS Authorization.",
                          headers=["host"])
        left = [name for name in headers if name.startswith("x-amz-")
                and name not in names and name not in NEVER_SIGNED]
        if left:
            raise Refusal("unsigned", "There were headers present in the "
                          "request which were not signed: %s"
                          % ", ".join(left), headers=left)
