"""
Amazon Personalize over JSON: from a request to an operation and back.

Knows the protocol (target, signatures, errors, request ids); the parts that
are put into it do the operations.
"""

import hashlib
import json
import random

from . import shapes
from .faults import spoil
from .inputs import INPUTS
from .permissions import refusal
from .problem import Problem, invalid
from .signature import Refusal, caller_arn
from .wire import Answer

BODY_MAX = 1024 * 1024
TOLERANCE = 5 * 60
PREFIX = "AmazonPersonalize."
CONTENT_TYPE = "application/x-amz-json-1.1"
PAGE_TRICKS = ("empty-page", "same-token", "extra-page")

ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# what a Refusal's kind is called here
REFUSALS = {
    "missing": "MissingAuthenticationTokenException",
    "incomplete": "IncompleteSignatureException",
    "unknown-key": "UnrecognizedClientException",
    "bad-token": "UnrecognizedClientException",
    "expired-token": "ExpiredTokenException",
}
REFUSAL_TEXTS = {
    "UnrecognizedClientException":
        "The security token included in the request is invalid.",
    "ExpiredTokenException":
        "The security token included in the request is expired",
}


def new_request_id():
    digits = "%032x" % random.getrandbits(128)
    return "%s-%s-4%s-a%s-%s" % (digits[:8], digits[8:12], digits[13:16],
                                 digits[17:20], digits[20:])


def write(value):
    return ENCODE(value).encode("utf-8")


class Personalize:
    """
    `parts` hold the `operations`: name to function(params), which returns
    the output or raises Problem.
    """

    def __init__(self, settings, verifier, faults, denials, paging, parts):
        self.settings = settings
        self.verifier = verifier
        self.faults = faults
        self.denials = denials
        self.paging = paging
        self.operations = {name: operation for part in parts
                           for name, operation in part.operations.items()}

    # the protocol

    def claims(self, request):
        return (request.path == "/" and request.method == "POST"
                or "x-amz-target" in request.headers)

    def answer(self, request):
        request.request_id = new_request_id()
        try:
            operation = self.operation_of(request)
            body = request.body.read_all(BODY_MAX)
            self.authenticate(request, body)
            if self.denials.rules:
                self.authorize(request, body)
            fault = self.faults.take(operation)
            if fault and not fault.after:
                return spoil(fault, None, self.fault_error(request))
            try:
                answer = self.success(request, self.perform(request, body,
                                                            fault))
            except Problem as problem:
                answer = self.error(request, problem)
            return (spoil(fault, answer, self.fault_error(request)) if fault
                    else answer)
        except Problem as problem:
            return self.error(request, problem)

    def operation_of(self, request):
        target = request.headers.get("x-amz-target", "")
        operation = target[len(PREFIX):]
        if (not target.startswith(PREFIX) or operation not in self.operations
                or request.method != "POST" or request.path != "/"):
            raise Problem("UnknownOperationException", None)
        request.operation = operation
        media = request.headers.get("content-type", "")
        if media.partition(";")[0].strip().lower() != CONTENT_TYPE:
            raise Problem("UnknownOperationException", None)
        return operation

    def authenticate(self, request, body):
        # The body that came is what must have been signed, whatever an
        # x-amz-content-sha256 header may claim.
        try:
            self.verifier.check(request, "personalize",
                                hashlib.sha256(body).hexdigest(), TOLERANCE)
        except Refusal as refusal:
            code = REFUSALS.get(refusal.kind, "InvalidSignatureException")
            message = REFUSAL_TEXTS.get(code, refusal.message)
            if refusal.kind == "mismatch":
                message += (
                    " Check your AWS Secret Access Key and signing method. "
                    "Consult the service documentation for details.")
            request.connection.refused = refusal.details
            raise Problem(code, message) from None

    def authorize(self, request, body):
        """Problem where this action is denied to whoever calls."""
        action = "personalize:" + request.operation
        resource = self.resource_of(request.operation, body)
        if self.denials.denies(action, resource):
            raise Problem("AccessDeniedException", refusal(
                self.caller(request), action, resource))

    @staticmethod
    def resource_of(operation, body):
        """The ARN that permissions go by: none for lists, which take none."""
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if operation.startswith("List") and operation != (
                "ListTagsForResource") or type(value) is not dict:
            return "*"
        return next((v for name, v in value.items() if type(v) is str
                     and v.startswith("arn:") and name != "roleArn"), "*")

    def caller(self, request):
        return caller_arn(request, self.verifier.credentials, self.settings)

    def perform(self, request, body, fault):
        operation = request.operation
        try:
            params = shapes.parse(INPUTS[operation], body)
        except shapes.WrongType as error:
            raise Problem("SerializationException", str(error),
                          capital=True) from None
        except shapes.Invalid as error:
            raise invalid(str(error)) from None
        params["operation"] = operation
        if "roleArn" in params:
            params["caller"] = self.caller(request)
        trick = fault.name if fault else None
        if trick == "job-fails":
            params["doomed"] = fault.message or "An internal error occurred."
        output = self.operations[operation](params)
        if trick in PAGE_TRICKS:
            self.paging.spoil(trick, params, output)
        return output

    def success(self, request, output):
        return Answer(200, [("Content-Type", CONTENT_TYPE),
                            ("x-amzn-RequestId", request.request_id)],
                      write(output))

    def error(self, request, problem, status=400):
        body = {"__type": problem.code}
        if problem.message is not None:
            body["Message" if problem.capital else "message"] = problem.message
        return Answer(status, [("Content-Type", CONTENT_TYPE),
                               ("x-amzn-RequestId", request.request_id)],
                      write(body), problem.code)

    def failure(self, request):
        """The answer to a mistake of our own."""
        request.request_id = request.request_id or new_request_id()
        return self.error(request, Problem("InternalFailure", None), 500)

    def fault_error(self, request):
        def error(fault):
            answer = self.error(request, Problem(fault.name, fault.message),
                                fault.status)
            body = {}
            if fault.place == "header":
                answer.headers.append(("x-amzn-ErrorType", fault.spelled()))
            else:
                body["__type" if fault.place == "type" else "code"] = (
                    fault.spelled())
            if fault.message is not None:
                body["message"] = fault.message
            answer.content = write(body)
            if fault.name == "ServiceUnavailable":
                answer.headers, answer.content = answer.headers[1:], b""
            return answer
        return error
