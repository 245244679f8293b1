"""
What the services around credentials share: from a request to an answer, with
faults on the way.

A service says which operation a request is and carries it out; a Problem it
raises becomes its own kind of error answer.
"""

import json

from .faults import spoil
from .personalize import new_request_id, write
from .wire import Answer

BODY_MAX = 256 * 1024


class Problem(Exception):
    """An error of a service; `members` go into the body beside the message."""

    def __init__(self, code, status, message, **members):
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.members = members


class Service:
    def __init__(self, settings, faults):
        self.settings = settings
        self.faults = faults

    def answer(self, request):
        request.request_id = new_request_id()
        try:
            call = self.prepare(request, request.body.read_all(BODY_MAX))
            fault = self.faults.take(request.operation)
            if fault and not fault.after:
                return spoil(fault, None, self.fault_error(request))
            try:
                answer = self.perform(request, call,
                                      fault.name if fault else None)
            except Problem as problem:
                answer = self.error(request, problem)
            return (spoil(fault, answer, self.fault_error(request)) if fault
                    else answer)
        except Problem as problem:
            return self.error(request, problem)

    def prepare(self, request, body):
        """Sets the request's operation; what perform needs to know."""
        raise NotImplementedError

    def perform(self, request, call, trick):
        """The Answer; `trick` is the name of a fault that strikes later."""
        raise NotImplementedError

    def error(self, request, problem):
        raise NotImplementedError

    def fault_error(self, request):
        return lambda fault: self.error(
            request, Problem(fault.name, fault.status, fault.message or ""))

    def failure(self, request):
        """The answer to a mistake of our own."""
        request.request_id = request.request_id or new_request_id()
        return self.error(request, Problem("InternalFailure", 500, ""))


class JsonService(Service):
    """
    A service in REST and JSON: the error's name in x-amzn-ErrorType.
    ROUTES: (method, path) to (operation, name of a method).
    """

    ROUTES = {}

    def claims(self, request):
        return (request.method, request.path) in self.ROUTES

    def prepare(self, request, body):
        request.operation, method = self.ROUTES[request.method, request.path]
        return getattr(self, method), body

    def perform(self, request, call, trick):
        method, body = call
        return Answer(200, self.headers(request),
                      write(method(request, body, trick)))

    def headers(self, request):
        return [("Content-Type", "application/json"),
                ("x-amzn-RequestId", request.request_id)]

    def error(self, request, problem):
        return Answer(problem.status, self.headers(request)
                      + [("x-amzn-ErrorType", problem.code)],
                      write(self.error_body(problem)), problem.code)

    def error_body(self, problem):
        return {"message": problem.message, **problem.members}

    @staticmethod
    def read(body, problem):
        """The JSON object of a body; raises `problem` where it is none."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise problem from None
        if type(value) is not dict:
            raise problem
        return value
