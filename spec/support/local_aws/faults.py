"""
Errors on demand: what --fault and POST /_local/fault can ask for.

A fault is a matching rule (operation, how often) and a misdeed. It strikes
only requests that were rightly signed; with "after-" in front of its name the
operation is carried out first, and only its answer is spoilt.
"""

import re
import threading

# name: (HTTP status, message); the six operations' own exceptions first
ERRORS = {
    "InvalidInputException": (400, "Provide a valid value for the field."),
    "InvalidNextTokenException": (400, "The token is not valid."),
    "LimitExceededException": (
        400, "The limit on the number of requests per second has been "
             "exceeded."),
    "ResourceAlreadyExistsException": (
        400, "The specified resource already exists."),
    "ResourceInUseException": (400, "The specified resource is in use."),
    "ResourceNotFoundException": (
        400, "Could not find the specified resource."),
    "TooManyTagsException": (
        400, "You have exceeded the maximum number of tags."),
    "TooManyTagKeysException": (
        400, "The request contains more tag keys than can be associated with "
             "a resource (50 tag keys per resource)."),
    "AccessDeniedException": (
        400, "User: arn:aws:iam::123456789012:user/eraser is not authorized "
             "to perform this action"),
    "UnrecognizedClientException": (
        400, "The security token included in the request is invalid."),
    "InvalidSignatureException": (
        400, "The request signature we calculated does not match the "
             "signature you provided."),
    "ExpiredTokenException": (
        400, "The security token included in the request is expired"),
    "RequestExpired": (400, "Request has expired."),
    "OptInRequired": (
        403, "The AWS Access Key Id needs a subscription for the service"),
    "ThrottlingException": (400, "Rate exceeded"),
    "TooManyRequestsException": (429, "Too Many Requests"),
    "SerializationException": (400, "The request could not be read."),
    "ValidationException": (400, "The input is not valid."),
    "UnknownOperationException": (400, ""),
    "InternalFailure": (
        500, "The request processing has failed because of an unknown error, "
             "exception or failure."),
    "InternalServerException": (500, "An internal error occurred."),
    "ServiceUnavailable": (503, None),
    "ServiceUnavailableException": (503, "Try again later."),
    # STS's
    "InvalidIdentityToken": (
        400, "Couldn't retrieve verification key from your identity "
             "provider"),
    "IDPCommunicationError": (
        400, "An error occurred contacting the identity provider."),
    "IDPRejectedClaim": (403, "The identity provider rejected the claim."),
    "InvalidClientTokenId": (
        403, "The security token included in the request is invalid."),
    "RegionDisabledException": (
        403, "STS is not activated in this region for your account."),
    "Throttling": (400, "Rate exceeded"),
    # IAM's
    "NoSuchEntity": (404, "The role cannot be found."),
    "ServiceFailure": (500, "The request processing has failed because of an "
                            "unknown error."),
    # the SSO portal's, OIDC's and Sign-In's
    "UnauthorizedException": (401, "Session token not found or invalid"),
    "ForbiddenException": (403, "No access"),
    "InvalidGrantException": (400, "Invalid refresh token provided"),
    "InvalidClientException": (401, "Invalid client or client secret"),
    "InvalidRequestException": (400, "Invalid request"),
    "SlowDownException": (400, "Slow down"),
    "TooManyRequestsError": (429, "Too many requests"),
    "TOKEN_EXPIRED": (400, "The refresh token has expired."),
    "USER_CREDENTIALS_CHANGED": (400, "The user's credentials changed."),
    "INSUFFICIENT_PERMISSIONS": (400, "The user may not do this."),
    # of metadata: an answer of 200 that is none, and an agent not ready
    "AssumeRoleUnauthorizedAccess": (
        200, "EC2 cannot assume the role EraserInstance."),
    "CredentialsUninitialized": (
        503, "CredentialsV2Request: Credentials uninitialized for ID"),
    # S3's
    "AccessDenied": (403, "Access Denied"),
    "ExpiredToken": (400, "The provided token has expired."),
    "InternalError": (
        500, "We encountered an internal error. Please try again."),
    "SlowDown": (503, "Please reduce your request rate."),
    "RequestTimeout": (
        400, "Your socket connection to the server was not read from or "
             "written to within the timeout period."),
    "RequestTimeTooSkewed": (
        403, "The difference between the request time and the current time "
             "is too large."),
    "OperationAborted": (
        409, "A conflicting conditional operation is currently in progress "
             "against this resource."),
    "ConditionalRequestConflict": (
        409, "A conflicting operation occurred during the request."),
    "PreconditionFailed": (
        412, "At least one of the pre-conditions you specified did not hold"),
    "BadDigest": (
        400, "The Content-MD5 you specified did not match what we received."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "PermanentRedirect": (
        301, "The bucket you are attempting to access must be addressed "
             "using the specified endpoint."),
    "TemporaryRedirect": (
        307, "Please re-send this request to the specified temporary "
             "endpoint."),
}
TRICKS = {
    "status-N": "the HTTP status N and nothing else",
    "html-503": "a proxy's 503 page in HTML",
    "html-200": "a 200 page in HTML: an answer that is no answer",
    "close": "the connection is closed without an answer",
    "cut": "carried out, but only half of the answer arrives",
    "garbled": "carried out, but the body is JSON or XML cut short",
    "delay-S": "carried out, but answered S seconds later",
    "empty-page": "a list answers an empty page with a token that goes on",
    "same-token": "a list answers with the token it was given",
    "extra-page": "after the last page of a list comes an empty one",
    "job-fails": "the job made by this create ends FAILED",
    "stale": "credentials (or a token) that claim to have expired already",
}
CARRIED_OUT = ("cut", "garbled", "empty-page", "same-token", "extra-page",
               "job-fails", "stale")
WHERE = ("type", "header", "code")
SPEC = re.compile(
    r"(?:(?P<operation>[A-Za-z0-9]+|\*)=)?(?P<name>[A-Za-z][A-Za-z0-9._-]*)"
    r"(?:@(?P<where>[a-z+]+))?(?::(?P<times>[0-9]+))?").fullmatch
STATUS = re.compile(r"status-([2-5][0-9][0-9])").fullmatch
DELAY = re.compile(r"delay-([0-9]+(?:\.[0-9]+)?)").fullmatch
HTML = (b"<html><head><title>503 Service Temporarily Unavailable</title>"
        b"</head>\r\n<body><center><h1>503 Service Temporarily Unavailable"
        b"</h1></center></body></html>\r\n")


class Fault:
    """One rule; every member may be given to POST /_local/fault."""

    MEMBERS = ("name", "operation", "where", "times", "skip", "after",
               "status", "message", "headers", "body", "delay")

    def __init__(self, name="InternalFailure", operation="*", where="type",
                 times=None, skip=0, after=False, status=None, message=None,
                 headers=None, body=None, delay=0):
        if name.startswith("after-"):
            after, name = True, name[len("after-"):]
        delayed = DELAY(name)
        if delayed:
            name, delay = "delay", float(delayed[1])
        bare = STATUS(name)
        if bare:
            name, status = "status", int(bare[1])
        if (name not in ERRORS and name not in TRICKS and name != "delay"
                and status is None and body is None):
            raise ValueError("there is no fault %s (see --help)" % name)
        place, *forms = where.split("+")
        if place not in WHERE or set(forms) - {"ns", "uri"}:
            raise ValueError("an error name can stand in %s, with +ns or +uri"
                             % ", ".join(WHERE))
        known = ERRORS.get(name, (500, None))
        self.name = name
        self.operation = operation
        self.place = place
        self.forms = forms
        self.left = times
        self.skip = skip
        self.after = after or name in CARRIED_OUT or name == "delay"
        self.status = status or known[0]
        self.message = known[1] if message is None else message
        self.headers = list((headers or {}).items())
        self.body = body
        self.delay = delay

    def spelled(self, namespace="com.amazonaws.personalize"):
        """The error's name in the form asked for."""
        name = self.name
        if "ns" in self.forms:
            name = namespace + "#" + name
        if "uri" in self.forms:
            name += ":http://internal.amazon.com/coral/%s/" % namespace
        return name


def parse_spec(text):
    """[OPERATION=][after-]NAME[@WHERE][:N] as a Fault's arguments."""
    match = SPEC(text)
    if not match:
        raise ValueError("a fault is [OPERATION=]NAME[@WHERE][:N], not %s"
                         % text)
    found = {k: v for k, v in match.groupdict().items() if v is not None}
    if "times" in found:
        found["times"] = int(found["times"])
    return found


class Faults:
    """The rules in force, first come first served."""

    def __init__(self, initial=()):
        self.lock = threading.Lock()
        self.initial = list(initial)
        self.restore()

    def restore(self):
        with self.lock:
            self.rules = [Fault(**arguments) for arguments in self.initial]

    def add(self, arguments):
        unknown = set(arguments) - set(Fault.MEMBERS)
        if unknown:
            raise ValueError("a fault has no %s" % ", ".join(sorted(unknown)))
        fault = Fault(**arguments)
        with self.lock:
            self.rules.append(fault)

    def add_spec(self, text):
        """As --fault."""
        self.add(parse_spec(text))

    def clear(self):
        with self.lock:
            self.rules = []

    def take(self, operation):
        """The fault that strikes this request, or None."""
        if not self.rules:
            return None
        with self.lock:
            for fault in list(self.rules):
                if fault.operation not in ("*", operation):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left <= 0:
                        self.rules.remove(fault)
                    if fault.left < 0:
                        continue
                return fault
        return None


def spoil(fault, answer, error):
    """
    The answer as the fault has it. `answer` is None where the operation was
    not carried out; `error` makes the service's own error answer of a fault.
    """
    if fault.name in ("close", "cut"):
        answer = answer or error(fault)
        answer.mishap = fault.name
    elif fault.name == "garbled" and type(answer.content) is bytes:
        answer.content = answer.content[:-2] or b"{"
    elif fault.name.startswith("html-"):
        answer = error(fault)
        answer.status = int(fault.name[5:])
        answer.headers = [("Content-Type", "text/html")]
        answer.content = HTML
        answer.code = fault.name
    elif fault.name == "status":
        answer = error(fault)
        answer.headers, answer.content = [], b""
        answer.code = "status-%d" % fault.status
    elif fault.name not in TRICKS and fault.name != "delay":
        answer = error(fault)
    if fault.body is not None:
        answer.content = fault.body.encode("utf-8")
    answer.headers = list(answer.headers) + fault.headers
    answer.delay = fault.delay
    return answer
