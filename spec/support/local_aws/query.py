"""
The query protocol: a form in, XML out.

Knows parameters, signatures and errors of the protocol; which actions there
are, the services say that are put into it (STS, IAM).
"""

import hashlib
from urllib.parse import parse_qsl

from .rest import Problem, Service
from .s3_auth import element
from .signature import Refusal, Verifier, caller_arn
from .wire import Answer

FORM = "application/x-www-form-urlencoded"
TOLERANCE = 5 * 60

# what a Refusal's kind is called here: (code, status, text or its own)
REFUSALS = {
    "missing": ("MissingAuthenticationToken", 403,
                "Request is missing Authentication Token"),
    "incomplete": ("IncompleteSignature", 400, None),
    "unknown-key": ("InvalidClientTokenId", 403,
                    "The security token included in the request is invalid."),
    "bad-token": ("InvalidClientTokenId", 403,
                  "The security token included in the request is invalid."),
    "expired-token": ("ExpiredToken", 403, "The security token included in "
                                           "the request is expired"),
}


def xml(name, value):
    """An element out of text, or out of pairs of a name and such a value."""
    if isinstance(value, (list, tuple)):
        return "<%s>%s</%s>" % (name, "".join(xml(*pair) for pair in value),
                                name)
    return element(name, value)


class Call:
    """One action asked for: its service, its parameters, who asks."""

    __slots__ = ("service", "params", "caller")

    def __init__(self, service, params, caller):
        self.service = service
        self.params = params
        self.caller = caller        # an ARN; None where nobody signed


class Query(Service):
    """
    `services` have VERSION, XMLNS, SIGNING_NAME, signing_region(), UNSIGNED
    (actions) and `actions`: name to function(params, caller, trick), which
    returns pairs.
    """

    def __init__(self, settings, faults, verifier, services):
        super().__init__(settings, faults)
        self.verifier = verifier
        self.services = services

    def claims(self, request):
        headers = request.headers
        if (request.path != "/" or request.method != "POST"
                or "x-amz-target" in headers):
            return False
        media = headers.get("content-type", "").partition(";")[0]
        return media.strip().lower() == FORM

    def prepare(self, request, body):
        params = self.form(body)
        action = params.get("Action")
        if action is None:
            raise Problem("MissingAction", 400, "The request must contain an "
                                                "Action")
        version = params.get("Version")
        service = next((s for s in self.services
                        if action in s.actions and s.VERSION == version),
                       None)
        if service is None:
            raise Problem("InvalidAction", 400, "Could not find operation %s "
                          "for version %s" % (action, version))
        request.operation = action
        return Call(service, params, None if action in service.UNSIGNED
                    else self.caller(request, body, service))

    @staticmethod
    def form(body):
        try:
            pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True,
                              strict_parsing=True, errors="strict")
        except ValueError:
            raise Problem("MalformedQueryString", 400, "The query string "
                          "contains a syntax error.") from None
        params = dict(pairs)
        if len(params) != len(pairs):
            raise Problem("MalformedQueryString", 400, "A parameter is given "
                                                       "more than once.")
        return params

    def caller(self, request, body, service):
        """The ARN of who signed the request."""
        verifier = self.verifier
        if service.signing_region() != verifier.region:
            verifier = Verifier(verifier.credentials,
                                service.signing_region(), verifier.clock)
        try:
            verifier.check(request, service.SIGNING_NAME,
                           hashlib.sha256(body).hexdigest(), TOLERANCE)
        except Refusal as refusal:
            code, status, text = REFUSALS.get(
                refusal.kind, ("SignatureDoesNotMatch", 403, None))
            request.connection.refused = refusal.details
            raise Problem(code, status, text or refusal.message) from None
        return caller_arn(request, self.verifier.credentials, self.settings)

    def perform(self, request, call, trick):
        action = request.operation
        result = call.service.actions[action](call.params, call.caller, trick)
        return self.document(request, 200, "%sResponse" % action, (
            ("%sResult" % action, result),
            ("ResponseMetadata", (("RequestId", request.request_id),))),
            call.service.XMLNS)

    def error(self, request, problem):
        answer = self.document(request, problem.status, "ErrorResponse", (
            ("Error", (("Type", "Sender" if problem.status < 500
                        else "Receiver"), ("Code", problem.code),
                       ("Message", problem.message))),
            ("RequestId", request.request_id)), self.namespace(request))
        answer.code = problem.code
        return answer

    def namespace(self, request):
        """Of the service asked; of the first where that is not known yet."""
        for service in self.services:
            if request.operation in service.actions:
                return service.XMLNS
        return self.services[0].XMLNS

    @staticmethod
    def document(request, status, name, content, namespace):
        text = xml(name, content).replace(
            "<%s>" % name, '<%s xmlns="%s">' % (name, namespace), 1)
        return Answer(status, [("x-amzn-RequestId", request.request_id),
                               ("Content-Type", "text/xml")],
                      text.encode("utf-8") + b"\n")
