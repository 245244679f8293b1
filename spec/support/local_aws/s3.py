"""
S3 over HTTP, path-style: which operation a request is, and doing it.
"""

import base64
import hashlib
import re
import secrets
from urllib.parse import unquote, unquote_to_bytes
from xml.etree import ElementTree

from . import s3_bucket, s3_listing
from .faults import spoil
from .objects import iso_time
from .s3_access import Access, plain
from .s3_auth import STREAMING, UNSIGNED, S3Problem, authenticate
from .s3_auth import element, error_document
from .s3_upload import receive
from .signature import Verifier, caller_arn
from .wire import Answer, http_date

BODY_MAX = 2 * 1024 * 1024
SSE = "x-amz-server-side-encryption"
FULL_OBJECT = ("x-amz-checksum-type", "FULL_OBJECT")
KEY_MAX = 1024
RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})").fullmatch

# (method, has a key, subresource): (operation, query names it takes)
ROUTES = {
    ("PUT", True, None): ("PutObject", ()),
    ("GET", True, None): ("GetObject", ("versionId",)),
    ("HEAD", True, None): ("HeadObject", ("versionId",)),
    ("DELETE", True, None): ("DeleteObject", ("versionId",)),
    ("HEAD", False, None): ("HeadBucket", ()),
    ("GET", False, "list-type"): ("ListObjectsV2", (
        "prefix", "max-keys", "continuation-token", "start-after",
        "encoding-type", "fetch-owner")),
    ("GET", False, "versions"): ("ListObjectVersions", (
        "prefix", "max-keys", "key-marker", "version-id-marker",
        "encoding-type")),
    ("GET", False, "location"): ("GetBucketLocation", ()),
    ("GET", False, "versioning"): ("GetBucketVersioning", ()),
    ("GET", False, "encryption"): ("GetBucketEncryption", ()),
    ("GET", False, "policy"): ("GetBucketPolicy", ()),
    ("GET", False, "policyStatus"): ("GetBucketPolicyStatus", ()),
    ("GET", False, "object-lock"): ("GetObjectLockConfiguration", ()),
    ("POST", False, "delete"): ("DeleteObjects", ()),
}
SUBRESOURCES = {name for _, _, name in ROUTES if name}


def new_host_id():
    return base64.b64encode(secrets.token_bytes(48)).decode()


class S3:
    def __init__(self, settings, verifier, buckets, jobs, faults, denials):
        self.settings = settings
        self.verifier = verifier
        self.buckets = buckets
        self.jobs = jobs
        self.faults = faults
        self.access = Access(settings, denials)

    def claims(self, request):
        return True

    def answer(self, request):
        request.request_id = secrets.token_hex(8).upper()
        bucket = None
        try:
            name, key, query = self.route(request)
            bucket = self.buckets.get(name)
            proof, payload = self.authenticate(request, bucket)
            fault = self.faults.take(request.operation)
            error = self.fault_error(request, bucket, name)
            if fault and not fault.after:
                return spoil(fault, None, error)
            try:
                if bucket is None:
                    raise S3Problem("NoSuchBucket", 404, "The specified "
                                    "bucket does not exist",
                                    [("BucketName", name)])
                answer = self.perform(request, bucket, key, query,
                                      proof, payload)
            except S3Problem as problem:
                answer = self.error(request, problem, bucket)
            return spoil(fault, answer, error) if fault else answer
        except S3Problem as problem:
            return self.error(request, problem, bucket)

    def authenticate(self, request, bucket):
        """As authenticate; the bucket may be in another region than we are."""
        region = bucket and bucket.region
        if not region or region == self.settings.region:
            return authenticate(request, self.verifier)
        if "/%s/s3/" % region in request.headers.get("authorization", ""):
            return authenticate(request, Verifier(
                self.verifier.credentials, region, self.verifier.clock))
        authenticate(request, self.verifier)
        raise S3Problem(
            "PermanentRedirect", 301, "The bucket you are attempting to access"
            " must be addressed using the specified endpoint.",
            [("Endpoint", "s3.%s.amazonaws.com" % region),
             ("Bucket", bucket.name)])

    def route(self, request):
        """(bucket, key or "", query); sets the request's operation."""
        bucket, _, raw_key = request.path[1:].partition("/")
        try:
            key = unquote_to_bytes(raw_key.encode("latin-1")).decode("utf-8")
        except UnicodeDecodeError:
            raise S3Problem("InvalidURI", 400, "Couldn't parse the specified "
                            "URI.") from None
        query = {}
        for item in request.query.split("&") if request.query else ():
            name, _, value = item.partition("=")
            query[unquote(name)] = unquote(value)
        query.pop("x-id", None)         # the SDKs' hint for load balancers
        sub = next((n for n in query if n in SUBRESOURCES), None)
        found = ROUTES.get((request.method, bool(key), sub))
        if found:
            request.operation, names = found
        if (not bucket or not found
                or set(query) - set(names) - {sub}
                or "x-amz-copy-source" in request.headers):
            raise S3Problem("NotImplemented", 501, "The local AWS does not "
                            "do this: %s %s" % (request.method,
                                                request.target))
        return unquote(bucket), key, query

    def perform(self, request, bucket, key, query, proof, payload):
        request.caller = caller_arn(request, self.verifier.credentials,
                                    self.settings)
        owner = request.headers.get("x-amz-expected-bucket-owner")
        if owner not in (None, bucket.owner):
            raise plain()
        if len(key.encode("utf-8")) > KEY_MAX:
            raise S3Problem("KeyTooLongError", 400, "Your key is too long",
                            [("Size", len(key.encode("utf-8"))),
                             ("MaxSizeAllowed", KEY_MAX)])
        self.access.check(request, request.caller, bucket, key,
                          query.get("versionId"))
        if request.operation == "PutObject":
            return self.put_object(request, bucket, key, proof, payload)
        body = request.body.read_all(BODY_MAX)
        if payload in STREAMING or payload != UNSIGNED and (
                hashlib.sha256(body).hexdigest() != payload):
            raise S3Problem("XAmzContentSHA256Mismatch", 400, "The provided "
                            "'x-amz-content-sha256' header does not match "
                            "what was computed.")
        action = re.sub("(?<=[a-z])([A-Z])", r"_\1", request.operation)
        return getattr(self, action.lower())(request, bucket, key, query,
                                             body)

    # answers

    def ids(self, request):
        return [("x-amz-request-id", request.request_id),
                ("x-amz-id-2", new_host_id()), ("Server", "AmazonS3")]

    def xml(self, request, document, status=200):
        return Answer(status, self.ids(request)
                      + [("Content-Type", "application/xml")], document)

    def error(self, request, problem, bucket=None):
        if request.path.count("/") > 1:
            problem.extras.append(("Resource", unquote(request.path)))
        ids = self.ids(request)
        if bucket and "x-amz-bucket-region" not in dict(problem.headers) and (
                request.operation == "HeadBucket" or problem.status == 301):
            ids.append(("x-amz-bucket-region", bucket.region))
        if problem.status == 304:
            return Answer(304, ids + problem.headers, b"", problem.code)
        return Answer(problem.status, ids
                      + [("Content-Type", "application/xml")]
                      + problem.headers,
                      b"" if request.method == "HEAD" else error_document(
                          problem, request.request_id, ids[1][1]),
                      problem.code)

    def failure(self, request):
        """The answer to a mistake of our own."""
        request.request_id = request.request_id or secrets.token_hex(8)
        return self.error(request, S3Problem("InternalError", 500, "We "
                                             "encountered an internal error."))

    def fault_error(self, request, bucket, name):
        def error(fault):
            problem = S3Problem(fault.name, fault.status, fault.message or "")
            if fault.status in (301, 307):
                problem.extras = [("Bucket", name),
                                  ("Endpoint", request.headers["host"])]
                problem.headers = [("x-amz-bucket-region", bucket.region
                                    if bucket else self.settings.region)]
            answer = self.error(request, problem)
            if fault.name == "ServiceUnavailable":
                answer.content = b""
            return answer
        return error

    # objects

    def put_object(self, request, bucket, key, proof, payload):
        condition = request.headers.get("if-none-match")
        if condition not in (None, "*"):
            raise S3Problem("NotImplemented", 501, "A header you provided "
                            "implies functionality that is not implemented",
                            [("Header", "If-None-Match")])
        exists = S3Problem("PreconditionFailed", 412, "At least one of the "
                           "pre-conditions you specified did not hold",
                           [("Condition", "If-None-Match")])
        if condition and bucket.store.exists(key):
            raise exists
        asked = request.headers.get(SSE, "AES256")
        if bucket.forces == "policy" and asked == "AES256":
            raise S3Problem("AccessDenied", 403, "User: %s is not authorized "
                            "to perform: s3:PutObject with an explicit deny in"
                            " a resource-based policy" % request.caller)
        path = bucket.store.new_path()
        item = receive(request, bucket, key, path, proof, payload)
        self.jobs.settle()
        if condition:
            if not bucket.store.add_if_absent(item):
                bucket.store.unlink(item)
                raise exists
        else:
            bucket.store.add(item)
        headers = self.ids(request) + self.version(bucket, item) + [
            ("ETag", '"%s"' % item.etag)] + self.encryption(item)
        if item.checksums:
            headers += item.checksums + [FULL_OBJECT]
        return Answer(200, headers)

    @staticmethod
    def encryption(item):
        """The headers that tell how an object is encrypted."""
        return [(SSE, item.sse)] + (
            [(SSE + "-aws-kms-key-id", item.kms_key)] if item.kms_key else [])

    @staticmethod
    def version(bucket, item):
        if not bucket.versioning and item.version_id == "null":
            return []
        return [("x-amz-version-id", item.version_id)]

    def found(self, request, bucket, key, query):
        """The live version asked for; S3Problem where there is none."""
        version_id = query.get("versionId")
        item = bucket.store.find(key, version_id)
        if item is None:
            # Who may not list a bucket does not learn what is not in it.
            if not self.access.may(request, request.caller, bucket,
                                   "s3:ListBucket"):
                raise plain()
            if version_id is None:
                raise S3Problem("NoSuchKey", 404, "The specified key does "
                                "not exist.", [("Key", key)])
            raise S3Problem("NoSuchVersion", 404, "The specified version "
                            "does not exist.", [("Key", key),
                                                ("VersionId", version_id)])
        if item.is_marker:
            headers = [("x-amz-delete-marker", "true")] + self.version(
                bucket, item)
            if version_id is None:
                raise S3Problem("NoSuchKey", 404, "The specified key does "
                                "not exist.", [("Key", key)], headers)
            raise S3Problem("MethodNotAllowed", 405, "The specified method "
                            "is not allowed against this resource.",
                            [("ResourceType", "DeleteMarker")], headers)
        return item

    def described(self, request, bucket, item):
        headers = self.ids(request) + self.version(bucket, item) + [
            ("ETag", '"%s"' % item.etag),
            ("Last-Modified", http_date(item.modified)),
            ("Accept-Ranges", "bytes")] + self.encryption(item) + item.headers
        if item.retention:
            mode, until = item.retention
            headers += [("x-amz-object-lock-mode", mode),
                        ("x-amz-object-lock-retain-until-date",
                         iso_time(until))]
        if item.checksums and (request.headers.get(
                "x-amz-checksum-mode", "").upper() == "ENABLED"):
            headers += item.checksums + [FULL_OBJECT]
        return headers

    @staticmethod
    def check_conditions(request, item):
        tag = '"%s"' % item.etag
        match = request.headers.get("if-match")
        if match is not None and match not in ("*", tag, item.etag):
            raise S3Problem("PreconditionFailed", 412, "At least one of the "
                            "pre-conditions you specified did not hold",
                            [("Condition", "If-Match")])
        if request.headers.get("if-none-match") in ("*", tag, item.etag):
            raise S3Problem("NotModified", 304, "", (), [("ETag", tag)])

    def head_object(self, request, bucket, key, query, body):
        item = self.found(request, bucket, key, query)
        self.check_conditions(request, item)
        return Answer(200, self.described(request, bucket, item),
                      length=item.size)

    def get_object(self, request, bucket, key, query, body):
        with bucket.store.lock:
            item = self.found(request, bucket, key, query)
            self.check_conditions(request, item)
            file = open(item.path, "rb")
        headers = self.described(request, bucket, item)
        try:
            start, end = self.wanted(request.headers.get("range"), item.size)
        except S3Problem:
            file.close()
            raise
        if start is None:
            return Answer(200, headers, (file, 0, item.size))
        headers.append(("Content-Range", "bytes %d-%d/%d"
                        % (start, end - 1, item.size)))
        # a sum of the whole does not fit a part
        headers = [h for h in headers if h not in item.checksums
                   and h != FULL_OBJECT]
        return Answer(206, headers, (file, start, end - start))

    @staticmethod
    def wanted(text, size):
        """(start, end) of a Range header; (None, None) for everything."""
        match = RANGE(text) if text else None
        if not match or match[1] == match[2] == "":
            return None, None
        if match[1]:
            start = int(match[1])
            end = min(int(match[2]) + 1 if match[2] else size, size)
            if match[2] and int(match[2]) < start:
                return None, None
        else:
            start, end = max(0, size - int(match[2])), size
        if start >= size or start >= end:
            raise S3Problem("InvalidRange", 416, "The requested range is not "
                            "satisfiable", [("RangeRequested", text),
                                            ("ActualObjectSize", size)],
                            [("Content-Range", "bytes */%d" % size)])
        return start, end

    def remove(self, request, bucket, key, version_id):
        """Deletes for a caller; S3Problem where the object is held fast."""
        if version_id is not None:
            item = bucket.store.find(key, version_id)
            if bucket.mfa_delete == "Enabled" and (
                    "x-amz-mfa" not in request.headers):
                raise S3Problem("AccessDenied", 403, "Mfa Authentication must"
                                " be used for this request")
            if item and item.retention and (
                    item.retention[1] > self.settings.clock.now()):
                raise S3Problem("AccessDenied", 403, "Access Denied because "
                                "object protected by object lock.")
        self.jobs.settle()
        return bucket.store.remove(key, version_id)

    def delete_object(self, request, bucket, key, query, body):
        item = self.remove(request, bucket, key, query.get("versionId"))
        headers = self.ids(request)
        if item and (bucket.versioning or item.is_marker):
            headers += self.version(bucket, item)
            if item.is_marker:
                headers.append(("x-amz-delete-marker", "true"))
        return Answer(204, headers)

    def delete_objects(self, request, bucket, key, query, body):
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError:
            root = None
        texts = [{e.tag.rpartition("}")[2]: e.text or "" for e in item}
                 for item in (root if root is not None else ())
                 if item.tag.rpartition("}")[2] == "Object"]
        if not 0 < len(texts) <= 1000 or not all("Key" in t for t in texts):
            raise S3Problem("MalformedXML", 400, "The XML you provided was "
                            "not well-formed or did not validate against our "
                            "published schema")
        parts = []
        for item in texts:
            name, version = item["Key"], item.get("VersionId")
            given = [element(n, item[n]) for n in ("Key", "VersionId")
                     if n in item]
            try:
                self.access.check_action(request, request.caller, bucket,
                                         "s3:DeleteObject", name, version)
                self.remove(request, bucket, name, version)
                parts.append("<Deleted>%s</Deleted>" % "".join(given))
            except S3Problem as problem:
                parts.append("<Error>%s</Error>" % "".join(given + [
                    element("Code", problem.code),
                    element("Message", problem.message)]))
        return self.xml(request, s3_listing.document("DeleteResult", parts))

    # the bucket

    def head_bucket(self, request, bucket, key, query, body):
        return Answer(200, self.ids(request) + [
            ("x-amz-bucket-region", bucket.region),
            ("x-amz-access-point-alias", "false")])

    def list_objects_v2(self, request, bucket, key, query, body):
        return self.xml(request, s3_listing.list_objects(
            bucket, self.settings.page_size, query))

    def list_object_versions(self, request, bucket, key, query, body):
        return self.xml(request, s3_listing.list_versions(
            bucket, self.settings.page_size, query))

    def get_bucket_location(self, request, bucket, key, query, body):
        return self.xml(request, s3_bucket.location(bucket))

    def get_bucket_versioning(self, request, bucket, key, query, body):
        return self.xml(request, s3_bucket.versioning(bucket))

    def get_bucket_encryption(self, request, bucket, key, query, body):
        return self.xml(request, s3_bucket.encryption(bucket))

    def get_bucket_policy(self, request, bucket, key, query, body):
        return Answer(200, self.ids(request) + [
            ("Content-Type", "application/json")], s3_bucket.policy(bucket))

    def get_bucket_policy_status(self, request, bucket, key, query, body):
        return self.xml(request, s3_bucket.policy_status(bucket))

    def get_object_lock_configuration(self, request, bucket, key, query,
                                      body):
        return self.xml(request, s3_bucket.object_lock(bucket))
