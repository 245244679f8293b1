"""
S3 over HTTP, path-style: which operation a request is, and doing it.
"""

import base64
import hashlib
import re
import secrets
from urllib.parse import unquote, unquote_to_bytes
from xml.etree import ElementTree

from . import s3_listing
from .faults import spoil
from .s3_auth import STREAMING, UNSIGNED, S3Problem, authenticate
from .s3_auth import element, error_document
from .s3_upload import receive
from .signature import Verifier
from .wire import Answer, http_date

BODY_MAX = 2 * 1024 * 1024
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
    ("POST", False, "delete"): ("DeleteObjects", ()),
}
SUBRESOURCES = {name for _, _, name in ROUTES if name}


def new_host_id():
    return base64.b64encode(secrets.token_bytes(48)).decode()


class S3:
    def __init__(self, settings, verifier, store, jobs, faults):
        self.settings = settings
        self.verifier = verifier
        self.store = store
        self.jobs = jobs
        self.faults = faults

    def claims(self, request):
        return True

    def answer(self, request):
        request.request_id = secrets.token_hex(8).upper()
        try:
            bucket, key, query = self.route(request)
            proof, payload = self.authenticate(request)
            fault = self.faults.take(request.operation)
            if fault and not fault.after:
                return spoil(fault, None, self.fault_error(request))
            try:
                answer = self.perform(request, bucket, key, query,
                                      proof, payload)
            except S3Problem as problem:
                answer = self.error(request, problem)
            return (spoil(fault, answer, self.fault_error(request)) if fault
                    else answer)
        except S3Problem as problem:
            return self.error(request, problem)

    def authenticate(self, request):
        """As authenticate; the bucket may be in another region than we are."""
        region = self.settings.bucket_region
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
             ("Bucket", self.settings.bucket)],
            [("x-amz-bucket-region", region)])

    def region(self):
        return self.settings.bucket_region or self.settings.region

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
        if bucket != self.settings.bucket:
            raise S3Problem("NoSuchBucket", 404, "The specified bucket does "
                            "not exist", [("BucketName", bucket)])
        owner = request.headers.get("x-amz-expected-bucket-owner")
        if owner not in (None, self.settings.account):
            raise S3Problem("AccessDenied", 403, "Access Denied")
        if len(key.encode("utf-8")) > KEY_MAX:
            raise S3Problem("KeyTooLongError", 400, "Your key is too long",
                            [("Size", len(key.encode("utf-8"))),
                             ("MaxSizeAllowed", KEY_MAX)])
        if request.operation == "PutObject":
            return self.put_object(request, key, proof, payload)
        body = request.body.read_all(BODY_MAX)
        if payload in STREAMING or payload != UNSIGNED and (
                hashlib.sha256(body).hexdigest() != payload):
            raise S3Problem("XAmzContentSHA256Mismatch", 400, "The provided "
                            "'x-amz-content-sha256' header does not match "
                            "what was computed.")
        action = re.sub("(?<=[a-z])([A-Z])", r"_\1", request.operation)
        return getattr(self, action.lower())(request, key, query, body)

    # answers

    def ids(self, request):
        return [("x-amz-request-id", request.request_id),
                ("x-amz-id-2", new_host_id()), ("Server", "AmazonS3")]

    def xml(self, request, document, status=200):
        return Answer(status, self.ids(request)
                      + [("Content-Type", "application/xml")], document)

    def error(self, request, problem):
        if request.path.count("/") > 1:
            problem.extras.append(("Resource", unquote(request.path)))
        ids = self.ids(request)
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

    def fault_error(self, request):
        def error(fault):
            problem = S3Problem(fault.name, fault.status, fault.message or "")
            if fault.status in (301, 307):
                problem.extras = [("Bucket", self.settings.bucket),
                                  ("Endpoint", request.headers["host"])]
                problem.headers = [("x-amz-bucket-region", self.region())]
            answer = self.error(request, problem)
            if fault.name == "ServiceUnavailable":
                answer.content = b""
            return answer
        return error

    # objects

    def put_object(self, request, key, proof, payload):
        condition = request.headers.get("if-none-match")
        if condition not in (None, "*"):
            raise S3Problem("NotImplemented", 501, "A header you provided "
                            "implies functionality that is not implemented",
                            [("Header", "If-None-Match")])
        exists = S3Problem("PreconditionFailed", 412, "At least one of the "
                           "pre-conditions you specified did not hold",
                           [("Condition", "If-None-Match")])
        if condition and self.store.exists(key):
            raise exists
        asked = request.headers.get("x-amz-server-side-encryption", "AES256")
        if self.settings.encryption == "policy" and asked == "AES256":
            raise S3Problem("AccessDenied", 403, "User: %s is not authorized "
                            "to perform: s3:PutObject with an explicit deny in"
                            " a resource-based policy"
                            % self.settings.user_arn())
        path = self.store.new_path()
        item = receive(request, key, path, proof, payload)
        if self.settings.encryption == "aws:kms":
            item.sse = "aws:kms"
        self.jobs.settle()
        if condition:
            if not self.store.add_if_absent(item):
                self.store.unlink(item)
                raise exists
        else:
            self.store.add(item)
        headers = self.ids(request) + self.version(item) + [
            ("ETag", '"%s"' % item.etag),
            ("x-amz-server-side-encryption", item.sse)]
        if item.checksums:
            headers += item.checksums + [("x-amz-checksum-type",
                                          "FULL_OBJECT")]
        return Answer(200, headers)

    def version(self, item):
        if not self.settings.versioning and item.version_id == "null":
            return []
        return [("x-amz-version-id", item.version_id)]

    def found(self, key, query):
        """The live version asked for; S3Problem where there is none."""
        version_id = query.get("versionId")
        item = self.store.find(key, version_id)
        if item is None:
            if version_id is None:
                raise S3Problem("NoSuchKey", 404, "The specified key does "
                                "not exist.", [("Key", key)])
            raise S3Problem("NoSuchVersion", 404, "The specified version "
                            "does not exist.", [("Key", key),
                                                ("VersionId", version_id)])
        if item.is_marker:
            headers = [("x-amz-delete-marker", "true")] + self.version(item)
            if version_id is None:
                raise S3Problem("NoSuchKey", 404, "The specified key does "
                                "not exist.", [("Key", key)], headers)
            raise S3Problem("MethodNotAllowed", 405, "The specified method "
                            "is not allowed against this resource.",
                            [("ResourceType", "DeleteMarker")], headers)
        return item

    def described(self, request, item):
        headers = self.ids(request) + self.version(item) + [
            ("ETag", '"%s"' % item.etag),
            ("Last-Modified", http_date(item.modified)),
            ("Accept-Ranges", "bytes"),
            ("x-amz-server-side-encryption", item.sse)] + item.headers
        if (request.headers.get("x-amz-checksum-mode", "").upper()
                == "ENABLED"):
            headers += item.checksums
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

    def head_object(self, request, key, query, body):
        item = self.found(key, query)
        self.check_conditions(request, item)
        return Answer(200, self.described(request, item), length=item.size)

    def get_object(self, request, key, query, body):
        with self.store.lock:
            item = self.found(key, query)
            self.check_conditions(request, item)
            file = open(item.path, "rb")
        headers = self.described(request, item)
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
        headers = [h for h in headers if h not in item.checksums]
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

    def delete_object(self, request, key, query, body):
        self.jobs.settle()
        item = self.store.remove(key, query.get("versionId"))
        headers = self.ids(request)
        if item and (self.settings.versioning or item.is_marker):
            headers += self.version(item)
            if item.is_marker:
                headers.append(("x-amz-delete-marker", "true"))
        return Answer(204, headers)

    def delete_objects(self, request, key, query, body):
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
        self.jobs.settle()
        parts = []
        for item in texts:
            self.store.remove(item["Key"], item.get("VersionId"))
            parts.append("<Deleted>%s</Deleted>" % "".join(
                element(n, item[n]) for n in ("Key", "VersionId")
                if n in item))
        return self.xml(request, s3_listing.document("DeleteResult", parts))

    # the bucket

    def head_bucket(self, request, key, query, body):
        return Answer(200, self.ids(request) + [
            ("x-amz-bucket-region", self.region())])

    def list_objects_v2(self, request, key, query, body):
        return self.xml(request, s3_listing.list_objects(
            self.store, self.settings, query))

    def list_object_versions(self, request, key, query, body):
        return self.xml(request, s3_listing.list_versions(
            self.store, self.settings, query))

    def get_bucket_location(self, request, key, query, body):
        region = self.region()
        return self.xml(request, s3_listing.document(
            "LocationConstraint", [] if region == "us-east-1" else [region]))

    def get_bucket_versioning(self, request, key, query, body):
        parts = ([element("Status", "Enabled")] if self.settings.versioning
                 else [])
        return self.xml(request, s3_listing.document(
            "VersioningConfiguration", parts))

    def get_bucket_encryption(self, request, key, query, body):
        return self.xml(request, s3_listing.document(
            "ServerSideEncryptionConfiguration", [
                "<Rule><ApplyServerSideEncryptionByDefault>",
                element("SSEAlgorithm",
                        self.settings.encryption.replace("policy", "AES256")),
                "</ApplyServerSideEncryptionByDefault></Rule>"]))
