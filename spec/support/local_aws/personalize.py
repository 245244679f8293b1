"""
Amazon Personalize over JSON: the operations on data deletion jobs and tags.

Knows the protocol (target, errors, request ids) and the rules of the
account; shapes checks the input, jobs keeps the jobs.
"""

import base64
import hashlib
import hmac
import json
import random
import re
import secrets

from . import shapes
from .faults import spoil
from .signature import Refusal
from .wire import Answer

BODY_MAX = 1024 * 1024
TOLERANCE = 5 * 60
TAGS_MAX = 50
PREFIX = "AmazonPersonalize."
CONTENT_TYPE = "application/x-amz-json-1.1"
GROUP = re.compile(r"dataset-group/([^/]+)").fullmatch
JOB = re.compile(r"data-deletion-job/([^/]+)").fullmatch

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


class Problem(Exception):
    """An exception of the service, by its name."""

    def __init__(self, code, message, capital=False):
        super().__init__(message)
        self.code = code
        self.message = message
        self.capital = capital      # "Message": errors of the framework


def new_request_id():
    digits = "%032x" % random.getrandbits(128)
    return "%s-%s-4%s-a%s-%s" % (digits[:8], digits[8:12], digits[13:16],
                                 digits[17:20], digits[20:])


def write(value):
    return ENCODE(value).encode("utf-8")


class Personalize:
    def __init__(self, settings, verifier, jobs, faults):
        self.settings = settings
        self.verifier = verifier
        self.jobs = jobs
        self.faults = faults
        self.token_key = secrets.token_bytes(16)
        self.started = settings.clock.now()
        self.group_tags = {}
        self.operations = {
            name: getattr(self, re.sub("(?<!^)([A-Z])", r"_\1", name).lower())
            for name in shapes.INPUTS}

    def clear(self):
        self.jobs.clear()
        self.group_tags.clear()

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
            fault = self.faults.take(operation)
            if fault and not fault.after:
                return spoil(fault, None, self.fault_error(request))
            try:
                answer = self.success(request, self.perform(operation, body,
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

    def perform(self, operation, body, fault):
        try:
            params = shapes.parse(operation, body)
        except shapes.WrongType as error:
            raise Problem("SerializationException", str(error),
                          capital=True) from None
        except shapes.Invalid as error:
            raise Problem("InvalidInputException", str(error)) from None
        params["operation"] = operation
        trick = fault.name if fault else None
        if trick == "job-fails":
            params["doomed"] = fault.message or "An internal error occurred."
        output = self.operations[operation](params)
        if trick in ("empty-page", "same-token") and "nextToken" in output:
            for name, value in output.items():
                if trick == "empty-page" and type(value) is list:
                    output[name] = []
            output["nextToken"] = (params.get("nextToken")
                                   or self.token(params, 10**12))
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

    # ARNs and tokens

    def resource(self, arn, pattern, what):
        """The name in an ARN of this account; Problem where it has none."""
        parts = arn.split(":", 5)
        match = pattern(parts[5])
        if not match:
            raise Problem("InvalidInputException",
                          "The ARN %s is not the ARN of a %s." % (arn, what))
        if arn != self.settings.arn(parts[5]):
            raise self.not_found(arn)
        return match[1]

    @staticmethod
    def not_found(arn):
        return Problem("ResourceNotFoundException",
                       "Resource not found: %s" % arn)

    def group(self, arn):
        name = self.resource(arn, GROUP, "dataset group")
        if name not in self.settings.dataset_groups:
            raise self.not_found(arn)
        return name

    def job(self, arn):
        job = self.jobs.by_name.get(
            self.resource(arn, JOB, "data deletion job"))
        if job is None:
            raise self.not_found(arn)
        return job

    def seal(self, params, position):
        query = "%d %s %s" % (position, params["operation"],
                              params.get("datasetGroupArn"))
        return hmac.digest(self.token_key, query.encode(), "sha256")

    def token(self, params, position):
        """An opaque token that fits this query alone."""
        seal = self.seal(params, position)[:18]
        return base64.urlsafe_b64encode(
            position.to_bytes(6, "big") + seal).decode()

    def position(self, params):
        """Where a nextToken goes on; None without one."""
        text = params.get("nextToken")
        if not text:
            return None
        try:
            raw = base64.urlsafe_b64decode(text)
        except ValueError:
            raw = b""
        position = int.from_bytes(raw[:6], "big")
        if len(raw) != 24 or raw[6:] != self.seal(params, position)[:18]:
            raise Problem("InvalidNextTokenException",
                          "The token is not valid.")
        return position

    # data deletion jobs

    def create_data_deletion_job(self, params):
        group_arn, name = params["datasetGroupArn"], params["jobName"]
        tags = self.merged({}, params.get("tags", ()))
        location = params["dataSource"].get("dataLocation")
        if location is None:
            raise Problem("InvalidInputException",
                          "The data source has no data location.")
        self.group(group_arn)
        if params["roleArn"].split(":")[4] != self.settings.account:
            raise Problem("InvalidInputException",
                          "Cross-account pass role is not allowed.")
        with self.jobs.lock:
            self.jobs.settle()
            if name in self.jobs.by_name:
                raise Problem(
                    "ResourceAlreadyExistsException",
                    "Another resource with Amazon Resource Name (ARN) %s "
                    "already exists." % self.jobs.by_name[name].arn)
            quota = self.settings.pending_quota
            if self.jobs.pending.get(group_arn, 0) >= quota:
                raise Problem(
                    "LimitExceededException",
                    "More than %d data deletion jobs with status PENDING for "
                    "the dataset group %s." % (quota, group_arn))
            job = self.jobs.add(name, group_arn, location, params["roleArn"],
                                tags, params.get("doomed"))
        return {"dataDeletionJobArn": job.arn}

    def summary(self, job, now):
        status = job.status(now)
        out = {"dataDeletionJobArn": job.arn,
               "datasetGroupArn": job.group_arn,
               "jobName": job.name, "status": status,
               "creationDateTime": round(job.created, 3),
               "lastUpdatedDateTime": round(job.updated(now), 3)}
        if status == "FAILED":
            out["failureReason"] = job.failure
        return out

    def describe_data_deletion_job(self, params):
        job = self.job(params["dataDeletionJobArn"])
        now = self.jobs.settle()
        out = self.summary(job, now)
        out["dataSource"] = {"dataLocation": job.location}
        out["roleArn"] = job.role_arn
        if out["status"] == "COMPLETED":
            out["numDeleted"] = job.deleted
        return {"dataDeletionJob": out}

    def list_data_deletion_jobs(self, params):
        group_arn = params.get("datasetGroupArn")
        if group_arn is not None:
            self.resource(group_arn, GROUP, "dataset group")
        before = self.position(params)
        with self.jobs.lock:
            now = self.jobs.settle()
            found, more = self.jobs.page(group_arn, before,
                                         params.get("maxResults", 100))
            out = {"dataDeletionJobs": [self.summary(j, now) for j in found]}
        if more:
            out["nextToken"] = self.token(params, found[-1].number)
        return out

    # tags

    def tags_of(self, arn):
        """The tags of a resource, key to value, to read or change."""
        if JOB(arn.split(":", 5)[5]):
            return self.job(arn).tags
        return self.group_tags.setdefault(self.group(arn), {})

    def merged(self, tags, more):
        """Both together, within the rules."""
        out = dict(tags)
        keys = [tag["tagKey"] for tag in more]
        if len(set(keys)) != len(keys):
            raise Problem("InvalidInputException",
                          "A tag key is given more than once.")
        if any(key.lower().startswith("aws:") for key in keys):
            raise Problem("InvalidInputException",
                          "aws: prefixed tag key names are not allowed for "
                          "external use.")
        out.update((tag["tagKey"], tag["tagValue"]) for tag in more)
        if len(out) > TAGS_MAX:
            raise Problem("TooManyTagsException",
                          "You have exceeded the maximum number of tags you "
                          "can apply to this resource (%d)." % TAGS_MAX)
        return out

    def tag_resource(self, params):
        with self.jobs.lock:
            tags = self.tags_of(params["resourceArn"])
            tags.update(self.merged(tags, params["tags"]))
        return {}

    def untag_resource(self, params):
        with self.jobs.lock:
            tags = self.tags_of(params["resourceArn"])
            if len(params["tagKeys"]) > TAGS_MAX:
                raise Problem(
                    "TooManyTagKeysException",
                    "The request contains more tag keys than can be "
                    "associated with a resource (%d tag keys per resource)."
                    % TAGS_MAX)
            for key in params["tagKeys"]:
                tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params):
        with self.jobs.lock:
            tags = self.tags_of(params["resourceArn"])
            return {"tags": [{"tagKey": k, "tagValue": v}
                             for k, v in tags.items()]}

    # dataset groups

    def group_summary(self, name):
        when = round(self.started, 3)
        return {"name": name, "status": "ACTIVE",
                "datasetGroupArn": self.settings.arn("dataset-group/" + name),
                "creationDateTime": when, "lastUpdatedDateTime": when}

    def describe_dataset_group(self, params):
        return {"datasetGroup": self.group_summary(
            self.group(params["datasetGroupArn"]))}

    def list_dataset_groups(self, params):
        start = self.position(params) or 0
        end = start + params.get("maxResults", 100)
        names = self.settings.dataset_groups
        out = {"datasetGroups": [self.group_summary(n)
                                 for n in names[start:end]]}
        if end < len(names):
            out["nextToken"] = self.token(params, end)
        return out
