"""
IAM Identity Center: the portal, which gives a role's credentials for an
access token, and the OIDC service, which renews that token.
"""

from urllib.parse import parse_qsl

from .rest import JsonService, Problem
from .sessions import iso, opaque

START_URL = "https://local.awsapps.com/start"
ROLE_NAME = "Eraser"
REFRESH_SECONDS = 90 * 24 * 3600


class Portal(JsonService):
    ROUTES = {("GET", "/federation/credentials"):
              ("GetRoleCredentials", "get_role_credentials")}

    def __init__(self, settings, faults, sessions, tokens):
        super().__init__(settings, faults)
        self.sessions = sessions
        self.tokens = tokens

    def get_role_credentials(self, request, _, trick):
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        role, account = query.get("role_name"), query.get("account_id")
        if not role or not account:
            raise Problem("InvalidRequestException", 400, "Missing parameter")
        token = request.headers.get("x-amz-sso_bearer_token")
        if not token or not self.tokens.good("sso", token):
            raise Problem("UnauthorizedException", 401,
                          "Session token not found or invalid")
        if account != self.settings.account:
            raise Problem("ResourceNotFoundException", 404,
                          "Account not found")
        if role != ROLE_NAME:
            raise Problem("ForbiddenException", 403, "No access")
        session = self.sessions.issue(
            self.settings.assumed_role_arn(
                "AWSReservedSSO_%s_0123456789abcdef" % role, "eraser"),
            stale=trick == "stale")
        return {"roleCredentials": {
            "accessKeyId": session.access_key_id,
            "secretAccessKey": session.secret,
            "sessionToken": session.token,
            "expiration": session.expires * 1000}}

    def headers(self, request):
        return [("Content-Type", "application/json"),
                ("RequestId", request.request_id)]

    def error_body(self, problem):
        return {"message": problem.message, "__type":
                "com.amazonaws.switchboard.portal#" + problem.code}


class Oidc(JsonService):
    ROUTES = {("POST", "/token"): ("CreateToken", "create_token")}

    # what OAuth calls the errors
    NAMES = {
        "ExpiredTokenException": "expired_token",
        "InvalidClientException": "invalid_client",
        "InvalidGrantException": "invalid_grant",
        "InvalidRequestException": "invalid_request",
        "SlowDownException": "slow_down",
        "UnsupportedGrantTypeException": "unsupported_grant_type",
    }

    def __init__(self, settings, faults, tokens):
        super().__init__(settings, faults)
        self.tokens = tokens
        self.client_id = opaque("", 16)
        self.first = [opaque("", 120) for _ in range(3)]

    def clear(self):
        """A login as it is after `aws sso login`, with the first tokens."""
        self.access, self.refresh, self.secret = self.first
        self.tokens.add("sso", self.access, self.settings.token_seconds)
        self.tokens.add("sso-refresh", self.refresh, REFRESH_SECONDS)
        self.tokens.add("sso-client", self.secret, REFRESH_SECONDS)

    def source(self):
        tokens = self.tokens
        return {
            "start_url": START_URL, "region": self.settings.region,
            "account_id": self.settings.account, "role_name": ROLE_NAME,
            "cache": {
                "startUrl": START_URL, "region": self.settings.region,
                "accessToken": self.access,
                "expiresAt": iso(tokens.expires("sso", self.access)),
                "clientId": self.client_id, "clientSecret": self.secret,
                "registrationExpiresAt": iso(
                    tokens.expires("sso-client", self.secret)),
                "refreshToken": self.refresh}}

    def create_token(self, _, body, trick):
        given = self.read(body, Problem("InvalidRequestException", 400,
                                        "Invalid request"))
        for name in ("clientId", "clientSecret", "grantType"):
            if type(given.get(name)) is not str:
                raise Problem("InvalidRequestException", 400,
                              "Missing parameter %s" % name)
        if (given["clientId"] != self.client_id or not self.tokens.good(
                "sso-client", given["clientSecret"])):
            raise Problem("InvalidClientException", 401,
                          "Invalid client or client secret")
        if given["grantType"] != "refresh_token":
            raise Problem("UnsupportedGrantTypeException", 400,
                          "Only refresh_token is taken here")
        refresh = given.get("refreshToken")
        state = (self.tokens.state("sso-refresh", refresh)
                 if type(refresh) is str else "unknown")
        if state == "expired":
            raise Problem("ExpiredTokenException", 400,
                          "The refresh token has expired")
        if state == "unknown":
            raise Problem("InvalidGrantException", 400,
                          "Invalid refresh token provided")
        # The old refresh token stays good: an answer may get lost.
        seconds = self.settings.token_seconds
        self.access, _ = self.tokens.issue("sso", "aoa", seconds, 120)
        self.refresh, _ = self.tokens.issue("sso-refresh", "aor",
                                            REFRESH_SECONDS, 120)
        return {"accessToken": self.access,
                "expiresIn": 0 if trick == "stale" else int(seconds),
                "refreshToken": self.refresh, "tokenType": "Bearer"}

    def error_body(self, problem):
        return {"error": self.NAMES.get(problem.code, problem.code),
                "error_description": problem.message}
