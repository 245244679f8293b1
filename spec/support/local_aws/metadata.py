"""
The metadata services: of an instance (IMDS, both versions) and of a container
(ECS and EKS).

Every answer with credentials makes new ones; how long they last, the settings
say.
"""

import json
import re

from .rest import JsonService, Problem, Service
from .sessions import iso
from .wire import Answer

TOKEN_PATH = "/latest/api/token"
ROLE_PATH = "/latest/meta-data/iam/security-credentials/"
TTL = "x-aws-ec2-metadata-token-ttl-seconds"
TTL_MAX = 21600
CONTAINER_ID = "5a1b4d6e-2f0c-4b7e-9a53-eraser000001"
CONTAINER_ROLE = "EraserTask"
PAGE = """\
<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
\t"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>%(status)d - %(text)s</title>
 </head>
 <body>
  <h1>%(status)d - %(text)s</h1>
 </body>
</html>
"""


class Imds(Service):
    """Versions 1 and 2, as the setting `imds` has it."""

    def __init__(self, settings, faults, sessions, tokens):
        super().__init__(settings, faults)
        self.sessions = sessions
        self.tokens = tokens

    def source(self, endpoint):
        return {"endpoint": endpoint, "role_name": self.settings.imds_role}

    def claims(self, request):
        return request.path.startswith("/latest/")

    def prepare(self, request, _):
        path = request.path
        request.operation = {
            TOKEN_PATH: "ImdsToken", ROLE_PATH: "ImdsRole",
            ROLE_PATH[:-1]: "ImdsRole",
            "/latest/meta-data/placement/region": "ImdsRegion",
            "/latest/meta-data/placement/availability-zone": "ImdsZone",
        }.get(path, "ImdsCredentials" if path.startswith(ROLE_PATH)
              else "ImdsOther")

    def perform(self, request, _, trick):
        mode = self.settings.imds
        if mode == "off":
            raise Problem("Forbidden", 403, "Forbidden")
        if request.operation == "ImdsToken":
            return self.token(request, mode)
        if request.method != "GET":
            raise Problem("MethodNotAllowed", 405, "Not Allowed")
        left = self.check_token(request, mode)
        text = self.text(request, trick)
        headers = [("Content-Type", "text/plain"), ("Server", "EC2ws"),
                   ("Accept-Ranges", "none")]
        if left is not None:
            headers.append((TTL, left))
        return Answer(200, headers, text.encode("utf-8"))

    def token(self, request, mode):
        if mode == "v1":
            raise Problem("NotFound", 404, "Not Found")
        if request.method != "PUT":
            raise Problem("MethodNotAllowed", 405, "Not Allowed")
        if "x-forwarded-for" in request.headers:
            raise Problem("Forbidden", 403, "Forbidden")
        ttl = request.headers.get(TTL, "")
        if not re.fullmatch(r"[0-9]{1,5}", ttl) or not (
                1 <= int(ttl) <= TTL_MAX):
            raise Problem("BadRequest", 400, "Bad Request")
        token, _ = self.tokens.issue("imds", "AQAE", int(ttl), 39)
        return Answer(200, [("Content-Type", "text/plain"), (TTL, ttl),
                            ("Server", "EC2ws")], token.encode())

    def check_token(self, request, mode):
        """Seconds that the request's token still has; None without one."""
        given = request.headers.get("x-aws-ec2-metadata-token")
        if mode == "v1" or given is None and mode == "both":
            return None
        if not self.tokens.good("imds", given):
            raise Problem("Unauthorized", 401, "Unauthorized")
        return int(self.tokens.expires("imds", given)
                   - self.settings.clock.now())

    def text(self, request, trick):
        operation, settings = request.operation, self.settings
        if operation == "ImdsRegion":
            return settings.region
        if operation == "ImdsZone":
            return settings.region + "a"
        role = settings.imds_role
        if operation == "ImdsRole" and role:
            return role
        if operation == "ImdsCredentials" and role and (
                request.path[len(ROLE_PATH):] == role):
            session = self.sessions.issue(
                settings.assumed_role_arn(role, "i-0123456789abcdef0"),
                stale=trick == "stale")
            return self.document(Code="Success", Type="AWS-HMAC",
                                 AccessKeyId=session.access_key_id,
                                 SecretAccessKey=session.secret,
                                 Token=session.token,
                                 Expiration=iso(session.expires))
        raise Problem("NotFound", 404, "Not Found")

    def document(self, **members):
        members["LastUpdated"] = iso(self.settings.clock.now())
        return json.dumps(members, indent=2, separators=(",", " : "))

    def error(self, request, problem):
        if problem.status == 200:       # a Code that is not Success
            return Answer(200, [("Content-Type", "text/plain"),
                                ("Server", "EC2ws")],
                          self.document(Code=problem.code,
                                        Message=problem.message).encode(),
                          problem.code)
        return Answer(problem.status, [("Content-Type", "text/html"),
                                       ("Server", "EC2ws")],
                      (PAGE % {"status": problem.status,
                               "text": problem.code}).encode(), problem.code)


class Container(JsonService):
    """Credentials of a task or pod, at the paths that their agents use."""

    RELATIVE_URI = "/v2/credentials/" + CONTAINER_ID
    PATHS = ("/container", "/v1/credentials", "/v2/credentials")
    FOLDERS = tuple(path + "/" for path in PATHS)

    def __init__(self, settings, faults, sessions):
        super().__init__(settings, faults)
        self.sessions = sessions

    def source(self, endpoint):
        return {"relative_uri": self.RELATIVE_URI,
                "full_uri": endpoint + "/container",
                "token": self.settings.container_token or None}

    def claims(self, request):
        path = request.path
        return path in self.PATHS or path.startswith(self.FOLDERS)

    def prepare(self, request, body):
        request.operation = "ContainerCredentials"
        return self.credentials, body

    def credentials(self, request, _, trick):
        if request.method != "GET":
            raise Problem("MethodNotAllowed", 405, "Only GET is taken here")
        if request.path.startswith("/v2/") and (
                request.path != self.RELATIVE_URI):
            raise Problem("InvalidIdInRequest", 400, "CredentialsV2Request: "
                          "Credentials not found")
        token = self.settings.container_token
        if token and request.headers.get("authorization") != token:
            raise Problem("AccessDenied", 401, "The authorization token is "
                                               "missing or does not fit")
        session = self.sessions.issue(
            self.settings.assumed_role_arn(CONTAINER_ROLE, "task"),
            stale=trick == "stale")
        return {"RoleArn": self.settings.iam_arn("role/" + CONTAINER_ROLE),
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret,
                "Token": session.token,
                "AccountId": self.settings.account,
                "Expiration": iso(session.expires)}

    def headers(self, request):
        return [("Content-Type", "application/json")]

    def error_body(self, problem):
        return {"code": problem.code, "message": problem.message}
