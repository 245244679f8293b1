"""
AWS Sign-In: renews the credentials of `aws login` against a refresh token and
a proof that the caller holds the key which that token is bound to (DPoP, RFC
9449).
"""

import base64
import collections
import json
import re

from . import p256
from .rest import JsonService, Problem
from .sessions import iso, opaque
from .wire import Answer

CLIENT_ID = "arn:aws:signin:::devtools/same-device"
REFRESH_SECONDS = 12 * 3600
SECONDS = 900
PROOF_SECONDS = 5 * 60
JTI_KEPT = 10000
BASE64URL = re.compile(r"[A-Za-z0-9_-]*").fullmatch

# AccessDeniedException says in `error` which of these it is
DENIALS = ("TOKEN_EXPIRED", "USER_CREDENTIALS_CHANGED",
           "INSUFFICIENT_PERMISSIONS")


def invalid(message):
    return Problem("ValidationException", 400, message,
                   error="INVALID_REQUEST")


def decode(text):
    """The bytes of base64url as JWTs have it, without padding."""
    if not BASE64URL(text) or len(text) % 4 == 1:
        raise ValueError("no base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Signin(JsonService):
    ROUTES = {("POST", "/v1/token"): ("SigninToken", "create_token")}

    def __init__(self, settings, faults, sessions, tokens):
        super().__init__(settings, faults)
        self.sessions = sessions
        self.tokens = tokens
        self.point, self.pem = p256.generate()
        self.first = opaque("", 120)
        self.seen = collections.OrderedDict()

    def clear(self):
        """A login as it is after `aws login`, with the first token."""
        self.refresh = self.first
        self.tokens.add("login-refresh", self.refresh, REFRESH_SECONDS)
        self.seen.clear()
        self.session = self.issue(False)

    def arn(self):
        return self.settings.assumed_role_arn("Admin", "eraser")

    def issue(self, stale):
        return self.sessions.issue(self.arn(), self.sessions.lasts(SECONDS),
                                   stale)

    def source(self):
        session = self.session
        return {"login_session": self.arn(), "cache": {
            "accessToken": {
                "accessKeyId": session.access_key_id,
                "secretAccessKey": session.secret,
                "sessionToken": session.token,
                "accountId": self.settings.account,
                "expiresAt": iso(session.expires)},
            "tokenType": "aws_sigv4", "clientId": CLIENT_ID,
            "refreshToken": self.refresh, "idToken": "e30.e30.",
            "dpopKey": self.pem}}

    def create_token(self, request, body, trick):
        given = self.read(body, invalid("The body is no JSON object."))
        self.check_proof(request)
        if given.get("clientId") != CLIENT_ID:
            raise invalid("The client id is not known.")
        if given.get("grantType") != "refresh_token":
            raise invalid("Only the grant type refresh_token is taken here.")
        refresh = given.get("refreshToken")
        state = (self.tokens.state("login-refresh", refresh)
                 if type(refresh) is str else "unknown")
        if state == "unknown":
            raise invalid("The refresh token is not valid.")
        if state == "expired":
            raise Problem("AccessDeniedException", 400,
                          "The refresh token has expired.",
                          error="TOKEN_EXPIRED")
        # A refresh may be repeated: the old token goes on.
        self.session = session = self.issue(trick == "stale")
        self.refresh, _ = self.tokens.issue("login-refresh", "",
                                            REFRESH_SECONDS, 120)
        left = session.expires - self.settings.clock.now()
        return {"accessToken": {"accessKeyId": session.access_key_id,
                                "secretAccessKey": session.secret,
                                "sessionToken": session.token},
                "tokenType": "aws_sigv4", "expiresIn": max(0, int(left)),
                "refreshToken": self.refresh}

    def error(self, request, problem):
        answer = super().error(request, problem)
        if problem.code in DENIALS:     # a fault by that name
            return Answer(problem.status, self.headers(request)
                          + [("x-amzn-ErrorType", "AccessDeniedException")],
                          json.dumps({"error": problem.code, "message":
                                      problem.message}).encode(),
                          problem.code)
        return answer

    # the proof

    def check_proof(self, request):
        """That the DPoP header is a fresh proof of our key for this call."""
        text = request.headers.get("dpop")
        if text is None:
            raise invalid("The DPoP header is missing.")
        try:
            head, claims, signature = (decode(p) for p in text.split("."))
            head, claims = json.loads(head), json.loads(claims)
            jwk = head["jwk"]
            point = tuple(self.coordinate(jwk[name]) for name in "xy")
        except (ValueError, KeyError, TypeError, RecursionError):
            raise invalid("The DPoP proof cannot be read.") from None
        if (head.get("typ") != "dpop+jwt" or head.get("alg") != "ES256"
                or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256"):
            raise invalid("The DPoP proof is not in ES256.")
        if "d" in jwk:
            raise invalid("The DPoP proof gives its private key away.")
        if not p256.verify(point, text.rpartition(".")[0].encode(),
                           signature):
            raise invalid("The DPoP proof's signature does not match.")
        self.check_claims(request, claims)
        if point != self.point:
            raise invalid("The DPoP proof is by another key.")

    @staticmethod
    def coordinate(text):
        raw = decode(text)
        if len(raw) != 32:
            raise ValueError("a coordinate has 32 bytes")
        return int.from_bytes(raw, "big")

    def check_claims(self, request, claims):
        scheme = ("https" if hasattr(request.connection.sock, "unwrap")
                  else "http")
        url = "%s://%s%s" % (scheme, request.headers.get("host"),
                             request.path)
        if type(claims) is not dict or claims.get("htm") != request.method:
            raise invalid("The DPoP proof's htm is not the method.")
        if claims.get("htu") != url:
            raise invalid("The DPoP proof's htu is not %s" % url)
        issued, jti = claims.get("iat"), claims.get("jti")
        if (type(issued) is not int or abs(
                int(self.settings.clock.now()) - issued) > PROOF_SECONDS):
            raise invalid("The DPoP proof's iat is not about now.")
        if type(jti) is not str or not jti or jti in self.seen:
            raise invalid("The DPoP proof's jti is missing or used.")
        self.seen[jti] = True
        if len(self.seen) > JTI_KEPT:
            self.seen.popitem(last=False)
