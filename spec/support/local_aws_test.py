#!/usr/bin/env python3
"""
The local AWS, seen from outside: over real sockets, with a signer of its own.

Run: python3 spec/support/local_aws_test.py
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

COMMAND = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                       "local-aws")
EMPTY = hashlib.sha256(b"").hexdigest()
LAST = 60  # seconds, against hanging
JSON_TYPE = "application/x-amz-json-1.1"


def stamp(offset=0):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + offset))


def authorize(ready, method, path, query, headers, payload, service,
              signed=None, scope=None):
    """(Authorization, signing key, scope): this file's own SigV4."""
    names = sorted(h for h in headers if h in signed) if signed else (
        sorted(headers))
    date = headers["x-amz-date"]
    scope = scope or "/".join(
        (date[:8], ready["region"], service, "aws4_request"))
    canonical = "\n".join(
        [method, path,
         "&".join("%s=%s" % (quote(k, safe="-_.~"), quote(v, safe="-_.~"))
                  for k, v in sorted(query))]
        + ["%s:%s" % (n, " ".join(headers[n].split())) for n in names]
        + ["", ";".join(names), payload])
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + ready["secret_access_key"]).encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return ("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, "
            "Signature=%s" % (ready["access_key_id"], scope, ";".join(names),
                              signature), key, scope)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def xml(self):
        text = re.sub(rb' xmlns="[^"]+"', b"", self.body)
        return ElementTree.fromstring(text)

    @property
    def code(self):
        return (self.json["__type"] if self.body[:1] == b"{"
                else self.xml.findtext("Code"))


class Server:
    """A local-aws of our own; ends with close()."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [COMMAND, *options], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate()[1].decode())
        self.ready = json.loads(line)
        self.url = urlsplit(self.ready["endpoint"])
        self.host = self.url.netloc
        self.connection = self.connect()

    def connect(self):
        if self.url.scheme == "https":
            context = ssl.create_default_context(
                cafile=self.ready["ca_bundle"])
            return http.client.HTTPSConnection(
                self.url.hostname, self.url.port, context=context, timeout=60)
        return http.client.HTTPConnection(
            self.url.hostname, self.url.port, timeout=60)

    def raw(self, data):
        """Sends bytes on a socket of its own; all that comes back."""
        with socket.create_connection((self.url.hostname, self.url.port),
                                      timeout=60) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            parts = []
            while part := sock.recv(65536):
                parts.append(part)
            return b"".join(parts)

    def send(self, method, target, headers, body=b""):
        try:
            self.connection.request(method, target, body, headers)
            return Reply(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def admin(self, method, path, value=None):
        body = json.dumps(value).encode() if value is not None else b""
        return self.send(method, "/_local/" + path, {}, body)

    def fault(self, spec):
        reply = self.admin("POST", "fault", {"spec": spec})
        assert reply.status == 200, reply.body

    def call(self, operation, value=None, body=None, **changes):
        """A signed Personalize request; `changes` spoil it."""
        if body is None:
            body = json.dumps({} if value is None else value).encode()
        headers = {"host": self.host, "content-type": JSON_TYPE,
                   "x-amz-date": changes.get("date", stamp()),
                   "x-amz-target": "AmazonPersonalize." + operation}
        token = changes.get("token", self.ready.get("session_token"))
        if token:
            headers["x-amz-security-token"] = token
        headers.update(changes.get("headers", {}))
        ready = dict(self.ready, **changes.get("ready", {}))
        headers["authorization"], _, _ = authorize(
            ready, "POST", "/", [], headers,
            hashlib.sha256(body).hexdigest(), "personalize",
            changes.get("signed"), changes.get("scope"))
        edit = changes.get("edit")
        if edit:
            edit(headers)
        return self.send("POST", "/", headers, changes.get("sent", body))

    def s3(self, method, key="", body=b"", headers=(), query=(), bucket=None,
           payload=None, **changes):
        """A signed S3 request."""
        path = "/" + (bucket or self.ready["bucket"])
        if key:
            path += "/" + quote(key, safe="/-_.~")
        sent = {"host": self.host,
                "x-amz-date": changes.get("date", stamp()),
                "x-amz-content-sha256":
                    payload or hashlib.sha256(body).hexdigest()}
        sent.update(headers)
        token = changes.get("token", self.ready.get("session_token"))
        if token:
            sent["x-amz-security-token"] = token
        ready = dict(self.ready, **changes.get("ready", {}))
        sent["authorization"], _, _ = authorize(
            ready, method, path, list(query), sent,
            sent["x-amz-content-sha256"], "s3", changes.get("signed"),
            changes.get("scope"))
        edit = changes.get("edit")
        if edit:
            edit(sent)
        target = path
        if query:
            target += "?" + "&".join(
                "%s=%s" % (quote(k, safe=""), quote(v, safe=""))
                for k, v in query)
        return self.send(method, target, sent, changes.get("sent", body))

    def create(self, name, **members):
        value = {"jobName": name, "roleArn": self.ready["role_arn"],
                 "datasetGroupArn": self.ready["dataset_group_arn"],
                 "dataSource": {"dataLocation": "s3://%s/users.csv"
                                % self.ready["bucket"]}}
        value.update(members)
        return self.call("CreateDataDeletionJob", value)

    def describe(self, name):
        reply = self.call("DescribeDataDeletionJob",
                          {"dataDeletionJobArn": self.job_arn(name)})
        return reply.json.get("dataDeletionJob", reply.json)

    def job_arn(self, name):
        return self.ready["dataset_group_arn"].replace(
            "dataset-group/shop", "data-deletion-job/" + name)

    def names(self, **params):
        reply = self.call("ListDataDeletionJobs", params).json
        return ([job["jobName"] for job in reply["dataDeletionJobs"]],
                reply.get("nextToken"))

    def settings(self, **values):
        reply = self.admin("POST", "settings", values)
        assert reply.status == 200, reply.body

    def run_list(self, text, name="job", location=None):
        """The settled job over a list with these bytes."""
        if text is not None:
            assert self.s3("PUT", "users.csv", text).status == 200
        self.settings(job_seconds=0)
        members = {"dataSource": {"dataLocation": location}} if location \
            else {}
        reply = self.create(name, **members)
        assert reply.status == 200, reply.body
        return self.describe(name)

    def close(self):
        self.connection.close()
        self.process.stdin.close()
        code = self.process.wait(20)
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, errors


SERVERS = {}                        # by options, ended with the module


def tearDownModule():
    for server in SERVERS.values():
        code, errors = server.close()
        assert (code, errors) == (0, b""), errors.decode()


class Shared(unittest.TestCase):
    """Cases that share one server, put back to its start before each."""

    options = ()

    @classmethod
    def setUpClass(cls):
        if cls.options not in SERVERS:
            SERVERS[cls.options] = Server(*cls.options)
        cls.server = SERVERS[cls.options]
        cls.ready = cls.server.ready

    def setUp(self):
        self.assertEqual(self.server.admin("POST", "reset").status, 200)

    def refused(self, reply, code, status=400, message=None):
        self.assertEqual((reply.code, reply.status), (code, status),
                         reply.body)
        if message:
            body = reply.json if reply.body[:1] == b"{" else None
            text = (body.get("message", body.get("Message")) if body
                    else reply.xml.findtext("Message"))
            self.assertRegex(text, message)
        return reply


class Protocol(Shared):
    def test_answers_like_aws(self):
        reply = self.server.create("one")
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["content-type"], JSON_TYPE)
        self.assertRegex(reply.headers["x-amzn-requestid"],
                         r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertRegex(reply.headers["date"], r"^\w{3}, \d\d \w{3} \d{4} ")
        self.assertEqual(reply.json,
                         {"dataDeletionJobArn": self.server.job_arn("one")})

    def test_unknown_operations_and_content_types(self):
        self.refused(self.server.call("Nonsense"),
                     "UnknownOperationException")
        reply = self.server.call("ListDataDeletionJobs",
                                 headers={"content-type": "application/json"})
        self.refused(reply, "UnknownOperationException")

    def test_bodies_that_are_no_json(self):
        for body in (b"", b"{", b"[]", b"nonsense", b"{} {}", b"\xff{}",
                     b'{"a": NaN}', b"[" * 100000, b'"x"', b"null",
                     b'{"nextToken": "\\ud800"}'):
            reply = self.server.call("ListDataDeletionJobs", body=body)
            self.refused(reply, "SerializationException")

    def test_wrong_types(self):
        for params, message in (
                ({"maxResults": "1"}, "STRING_VALUE .* Integer"),
                ({"maxResults": 1.5}, "DECIMAL_VALUE"),
                ({"maxResults": True}, "TRUE_VALUE"),
                ({"maxResults": 2**40}, "Integer"),
                ({"datasetGroupArn": 7}, "NUMBER_VALUE .* String"),
                ({"nextToken": ["x"]}, "String")):
            reply = self.server.call("ListDataDeletionJobs", params)
            self.refused(reply, "SerializationException", message=message)
        for members in ({"tags": {}}, {"dataSource": "s3://x/y"},
                        {"dataSource": []}, {"tags": ["x"]},
                        {"tags": [{"tagKey": 1, "tagValue": "x"}]}):
            self.refused(self.server.create("one", **members),
                         "SerializationException")
        reply = self.server.call("ListDataDeletionJobs", {
            "maxResults": 5.0, "nextToken": None, "unheardOf": {}})
        self.assertEqual(reply.status, 200)

    def test_constraints(self):
        arn = "arn:aws:personalize:eu-west-1:123456789012:dataset-group/"
        for members, part in (
                ({"jobName": None}, "Value null at 'jobName' .* not be null"),
                ({"roleArn": None}, "'roleArn'"),
                ({"dataSource": None}, "'dataSource'"),
                ({"datasetGroupArn": None}, "'datasetGroupArn'"),
                ({"jobName": ""}, "greater than or equal to 1"),
                ({"jobName": "x" * 64}, "less than or equal to 63"),
                ({"jobName": "-x"}, "pattern"),
                ({"jobName": "x y"}, "Value 'x y' at 'jobName' failed"),
                ({"jobName": "x\n"}, "pattern"),
                ({"jobName": "\u00fc"}, "pattern"),
                ({"datasetGroupArn": "shop"}, "'datasetGroupArn'"),
                ({"datasetGroupArn": arn + "x" * 256}, "equal to 256"),
                ({"roleArn": "arn:aws:iam::12345678901:role/x"}, "pattern"),
                ({"roleArn": "arn:aws:iam::123456789012:user/x"}, "pattern"),
                ({"dataSource": {"dataLocation": "ftp://x/y"}},
                 "'dataSource.dataLocation'"),
                ({"dataSource": {"dataLocation": "s3://"}}, "pattern"),
                ({"dataSource": {"dataLocation": "s3://" + "x" * 252}},
                 "equal to 256"),
                ({"dataSource": {}}, "no data location"),
                ({"tags": [{"tagKey": "k"}]}, "'tags.1.member.tagValue'"),
                ({"tags": [{"tagKey": "", "tagValue": ""}]},
                 "'tags.1.member.tagKey'"),
                ({"tags": [{"tagKey": "a!", "tagValue": ""}]}, "pattern"),
                ({"tags": [{"tagKey": "aws:a", "tagValue": ""}]}, "aws:"),
                ({"tags": [{"tagKey": "a", "tagValue": ""}] * 2}, "once"),
                ({"tags": [{"tagKey": "k" * 129, "tagValue": "v" * 257}]},
                 "^2 validation errors detected: .*; Value at"),
                ({"tags": [{"tagKey": "k%d" % i, "tagValue": ""}
                           for i in range(201)]}, "equal to 200")):
            reply = self.server.create("one", **members)
            self.refused(reply, "InvalidInputException", message=part)
        for count in (0, 101):
            self.refused(self.server.call("ListDataDeletionJobs",
                                          {"maxResults": count}),
                         "InvalidInputException", message="'maxResults'")
        self.refused(self.server.call("ListDataDeletionJobs",
                                      {"nextToken": "\u00e9"}),
                     "InvalidInputException", message="ASCII")
        self.assertEqual(self.server.names(), ([], None))
        good = {"tags": [{"tagKey": "Stra\u00dfe\u00a0\u0661 a_.:/=+-@",
                          "tagValue": ""}]}
        self.assertEqual(self.server.create("x" * 63, **good).status, 200)

    def test_sensitive_values_stay_out_of_messages(self):
        reply = self.server.create("one", tags=[{"tagKey": "secret!",
                                                 "tagValue": "hidden!"}])
        self.assertNotIn(b"secret!", reply.body)
        self.assertNotIn(b"hidden!", reply.body)


class Signatures(Shared):
    def call(self, **changes):
        return self.server.call("ListDataDeletionJobs", {}, **changes)

    def test_right_ones_pass(self):
        for changes in ({}, {"date": stamp(-280)}, {"date": stamp(280)},
                        {"headers": {"x-amz-note": "  a   b  "}},
                        {"headers": {"x-amz-content-sha256": "whatever"}},
                        {"signed": ("host", "x-amz-date", "x-amz-target")}):
            self.assertEqual(self.call(**changes).status, 200, changes)

    def test_a_wrong_byte(self):
        def flip(headers):
            last = headers["authorization"][-1]
            headers["authorization"] = headers["authorization"][:-1] + (
                "0" if last != "0" else "1")
        self.refused(self.call(edit=flip), "InvalidSignatureException",
                     message="does not match the signature you provided")
        self.refused(self.call(sent=b"{ }"), "InvalidSignatureException")
        self.refused(self.call(ready={"secret_access_key": "x"}),
                     "InvalidSignatureException")
        log = self.server.admin("GET", "requests").json
        self.assertIn("x-amz-target:AmazonPersonalize.ListDataDeletionJobs",
                      log["last_refused"]["canonical_request"])
        self.assertEqual(log["codes"], {"InvalidSignatureException": 3})

    def test_dates(self):
        self.refused(self.call(date=stamp(-330)), "InvalidSignatureException",
                     message=r"^Signature expired: \d{8}T\d{6}Z is now "
                             r"earlier than .* - 5 min\.\)$")
        self.refused(self.call(date=stamp(330)), "InvalidSignatureException",
                     message=r"not yet current: .* \+ 5 min\.\)$")
        self.refused(self.call(date="20261301T000000Z"),
                     "IncompleteSignatureException")
        self.refused(self.call(edit=lambda h: h.pop("x-amz-date")),
                     "IncompleteSignatureException")

    def test_the_servers_clock_can_be_wrong(self):
        self.server.settings(clock_offset=-3600)
        self.refused(self.call(), "InvalidSignatureException")
        self.assertEqual(self.call(date=stamp(-3600)).status, 200)

    def test_scopes(self):
        date = stamp()[:8]
        for scope, message in (
                (date + "/us-east-1/personalize/aws4_request",
                 "valid region, not 'us-east-1'"),
                (date + "/eu-west-1/s3/aws4_request",
                 "correct service: 'personalize'"),
                ("20200101/eu-west-1/personalize/aws4_request",
                 "Date in Credential scope does not match")):
            self.refused(self.call(scope=scope), "InvalidSignatureException",
                         message=message)
        self.refused(self.call(scope=date + "/eu-west-1/personalize/x"),
                     "IncompleteSignatureException")

    def test_keys_and_tokens(self):
        for changes in ({"ready": {"access_key_id": "AKIDOTHER"}},
                        {"token": "surplus"}):
            self.refused(self.call(**changes), "UnrecognizedClientException",
                         message="security token .* is invalid")

    def test_missing_and_malformed(self):
        def put(value):
            return lambda headers: headers.update(authorization=value)
        self.refused(self.call(edit=lambda h: h.pop("authorization")),
                     "MissingAuthenticationTokenException")
        for value in ("Basic eDp5", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 x",
                      "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, "
                      "Signature=x"):
            self.refused(self.call(edit=put(value)),
                         "IncompleteSignatureException")

    def test_what_has_to_be_signed(self):
        names = ("content-type", "host", "x-amz-date", "x-amz-target")
        for name in ("host", "x-amz-date", "x-amz-target"):
            signed = tuple(n for n in names if n != name)
            self.refused(self.call(signed=signed),
                         "InvalidSignatureException", message="[Hh]ost|%s"
                         % name)

        def swap(headers):
            headers["authorization"] = headers["authorization"].replace(
                "content-type;host", "host;content-type")
        self.refused(self.call(edit=swap), "IncompleteSignatureException")

    def test_credentials_may_be_added_and_expire(self):
        new = {"access_key_id": "ASIATEMP", "secret_access_key": "s"}
        self.server.admin("POST", "credentials",
                          dict(new, session_token="t", expires_in=60))
        self.assertEqual(self.call(ready=new, token="t").status, 200)
        self.refused(self.call(ready=new), "UnrecognizedClientException")
        self.server.settings(clock_offset=100)
        self.refused(self.call(ready=new, token="t"), "ExpiredTokenException")
        reply = self.server.s3("GET", "x", ready=new, token="t")
        self.refused(reply, "ExpiredToken")

    def test_s3_refuses_in_its_own_words(self):
        date, s3 = stamp()[:8], self.server.s3
        self.refused(s3("GET", "x", ready={"secret_access_key": "x"}),
                     "SignatureDoesNotMatch", 403)
        reply = s3("GET", "x",
                   scope=date + "/us-east-1/s3/aws4_request")
        self.refused(reply, "AuthorizationHeaderMalformed", 400,
                     "expecting 'eu-west-1'")
        self.assertEqual(reply.xml.findtext("Region"), "eu-west-1")
        reply = s3("HEAD", "x", scope=date + "/us-east-1/s3/aws4_request")
        self.assertEqual((reply.status, reply.body), (400, b""))
        self.assertEqual(reply.headers["x-amz-bucket-region"], "eu-west-1")
        for scope in (date + "/eu-west-1/personalize/aws4_request",
                      "20200101/eu-west-1/s3/aws4_request"):
            self.refused(s3("GET", "x", scope=scope),
                         "AuthorizationHeaderMalformed")
        self.refused(s3("GET", "x", ready={"access_key_id": "A"}),
                     "InvalidAccessKeyId", 403)
        self.refused(s3("GET", "x", token="surplus"), "InvalidToken")
        self.refused(s3("GET", "x", edit=lambda h: h.pop("authorization")),
                     "AccessDenied", 403)
        self.refused(s3("GET", "x", date=stamp(-950)),
                     "RequestTimeTooSkewed", 403)
        self.refused(s3("GET", "x", date=stamp(-600)), "NoSuchKey", 404)
        self.refused(s3("GET", "x", signed=(
            "host", "x-amz-date")), "AccessDenied", 403, "not signed")
        self.refused(s3("GET", "x", edit=lambda h: h.pop(
            "x-amz-content-sha256")), "InvalidRequest")
        self.refused(s3("GET", "x", payload="nonsense"), "InvalidArgument")


class Tokens(Shared):
    options = ("--session-token", "the-token")

    def test_the_token_is_needed_and_signed(self):
        call, s3 = self.server.call, self.server.s3
        name = "ListDataDeletionJobs"
        self.assertEqual(self.ready["session_token"], "the-token")
        self.assertEqual(call(name).status, 200)
        for token in ("", "stale"):
            self.refused(call(name, token=token),
                         "UnrecognizedClientException")
        self.refused(call(name, signed=("host", "x-amz-date",
                                        "x-amz-target", "content-type")),
                     "InvalidSignatureException")
        self.refused(s3("GET", "x", token=""), "InvalidAccessKeyId", 403)
        self.refused(s3("GET", "x", token="stale"), "InvalidToken")
        self.refused(s3("GET", "x"), "NoSuchKey", 404)


class Jobs(Shared):
    options = ("--dataset-group", "shop", "--dataset-group", "films",
               "--job-seconds", "1000")

    def test_life(self):
        self.server.s3("PUT", "users.csv", b"USER_ID\na\nb\na\n")
        before = time.time()
        self.server.create("one")
        job = self.server.describe("one")
        self.assertLessEqual(before - 0.01, job["creationDateTime"])
        self.assertEqual(job["creationDateTime"], job["lastUpdatedDateTime"])
        self.assertEqual(
            set(job), {"jobName", "dataDeletionJobArn", "datasetGroupArn",
                       "dataSource", "roleArn", "status", "creationDateTime",
                       "lastUpdatedDateTime"})
        self.assertEqual(job["status"], "PENDING")
        for status in ("IN_PROGRESS", "COMPLETED"):
            reply = self.server.admin("POST", "job", {"jobName": "one",
                                                      "status": status})
            self.assertEqual(reply.json, {"status": status})
            job = self.server.describe("one")
            self.assertEqual(job["status"], status)
        self.assertEqual(job["numDeleted"], 2)
        self.assertNotIn("failureReason", job)

    def test_life_by_the_clock(self):
        wanted = ["PENDING", "IN_PROGRESS", "COMPLETED"]
        self.server.s3("PUT", "users.csv", b"USER_ID\na\n")
        for seconds in (0.3, 3, 30):
            self.server.settings(job_seconds=seconds)
            name = "job-%d" % (10 * seconds)
            self.server.create(name)
            seen, deadline = [], time.monotonic() + seconds + LAST
            while "COMPLETED" not in seen and time.monotonic() < deadline:
                status = self.server.describe(name)["status"]
                if status not in seen:
                    seen.append(status)
            if seen == wanted:
                break  # else the machine was too busy to see one in time
        self.assertEqual(seen, wanted)

    def test_the_list_is_read_when_the_job_begins(self):
        self.server.s3("PUT", "users.csv", b"USER_ID\na\n")
        self.server.create("one")
        self.server.create("two")
        self.server.admin("POST", "job", {"jobName": "one",
                                          "status": "IN_PROGRESS"})
        self.server.s3("DELETE", "users.csv")
        for name, status in (("one", "COMPLETED"), ("two", "FAILED")):
            self.server.admin("POST", "job", {"jobName": name,
                                              "status": "COMPLETED"})
            self.assertEqual(self.server.describe(name)["status"], status)

    def test_names_are_unique(self):
        self.server.create("one")
        other = self.ready["dataset_group_arns"][1]
        self.refused(self.server.create("one", datasetGroupArn=other),
                     "ResourceAlreadyExistsException")

    def test_strangers(self):
        arn = self.ready["dataset_group_arn"]
        for bad in (arn.replace("eu-west-1", "eu-west-2"),
                    arn.replace("123456789012", "999999999999"),
                    arn.replace("shop", "shoes"),
                    arn.replace("arn:aws:", "arn:aws-cn:")):
            self.refused(self.server.create("one", datasetGroupArn=bad),
                         "ResourceNotFoundException")
        self.refused(self.server.create(
            "one", datasetGroupArn=self.server.job_arn("x")),
            "InvalidInputException")
        self.refused(self.server.create(
            "one", roleArn="arn:aws:iam::999999999999:role/x"),
            "InvalidInputException", message="Cross-account")
        for arn, code in ((self.server.job_arn("none"),
                           "ResourceNotFoundException"),
                          (arn, "InvalidInputException")):
            self.refused(self.server.call("DescribeDataDeletionJob",
                                          {"dataDeletionJobArn": arn}), code)

    def test_quota_of_pending_jobs(self):
        for i in range(5):
            self.assertEqual(self.server.create("job-%d" % i).status, 200)
        self.refused(self.server.create("more"), "LimitExceededException")
        self.refused(self.server.create("job-1"),
                     "ResourceAlreadyExistsException")
        films = self.ready["dataset_group_arns"][1]
        self.assertEqual(self.server.create(
            "films", datasetGroupArn=films).status, 200)
        self.server.admin("POST", "job", {"jobName": "job-3",
                                          "status": "IN_PROGRESS"})
        self.assertEqual(self.server.create("more").status, 200)
        self.refused(self.server.create("most"), "LimitExceededException")

    def test_pages(self):
        self.server.settings(pending_quota=100)
        films = self.ready["dataset_group_arns"][1]
        for i in range(7):
            self.server.create("job-%d" % i)
            self.server.create("film-%d" % i, datasetGroupArn=films)
        names, token, pages = [], None, 0
        while pages == 0 or token:
            more = {"nextToken": token} if token else {}
            page, token = self.server.names(
                datasetGroupArn=films, maxResults=3, **more)
            names, pages = names + page, pages + 1
            if pages == 1:
                first = token
                self.server.create("late", datasetGroupArn=films)
        self.assertEqual(names, ["film-%d" % i for i in range(6, -1, -1)])
        self.assertEqual(pages, 3)
        self.assertEqual(len(self.server.names()[0]), 15)
        for params in ({"nextToken": "rubbish"}, {"nextToken": first},
                       {"nextToken": first[:-2] + "xx",
                        "datasetGroupArn": films}):
            self.refused(self.server.call("ListDataDeletionJobs", params),
                         "InvalidNextTokenException")

    def test_summaries(self):
        self.server.create("one")
        self.server.admin("POST", "job", {
            "jobName": "one", "status": "FAILED", "failureReason": "why"})
        reply = self.server.call("ListDataDeletionJobs")
        job, = reply.json["dataDeletionJobs"]
        self.assertEqual(
            set(job), {"jobName", "dataDeletionJobArn", "datasetGroupArn",
                       "status", "creationDateTime", "lastUpdatedDateTime",
                       "failureReason"})
        self.assertEqual(job["failureReason"], "why")

    def test_lists_may_lag(self):
        self.server.settings(list_lag=3600)
        self.server.create("one")
        self.assertEqual(self.server.names(), ([], None))
        self.assertEqual(self.server.describe("one")["status"], "PENDING")
        self.server.settings(list_lag=0.2)
        deadline = time.monotonic() + LAST
        while not self.server.names()[0]:
            self.assertLess(time.monotonic(), deadline)

    def test_tags(self):
        call, arn = self.server.call, self.server.job_arn("one")
        self.server.create("one", tags=[{"tagKey": "a", "tagValue": "1"}])
        reply = call("TagResource", {"resourceArn": arn, "tags": [
            {"tagKey": "b", "tagValue": ""}, {"tagKey": "a",
                                              "tagValue": "2"}]})
        self.assertEqual((reply.status, reply.json), (200, {}))
        reply = call("UntagResource", {"resourceArn": arn,
                                       "tagKeys": ["b", "absent"]})
        self.assertEqual((reply.status, reply.json), (200, {}))
        listed = call("ListTagsForResource", {"resourceArn": arn}).json
        self.assertEqual(listed, {"tags": [{"tagKey": "a",
                                            "tagValue": "2"}]})
        group = self.ready["dataset_group_arn"]
        self.assertEqual(call("ListTagsForResource",
                              {"resourceArn": group}).json, {"tags": []})
        for operation, more in (("TagResource", {"tags": []}),
                                ("UntagResource", {"tagKeys": []}),
                                ("ListTagsForResource", {})):
            self.refused(call(operation, dict(
                more, resourceArn=self.server.job_arn("none"))),
                "ResourceNotFoundException")

    def test_too_many_tags(self):
        def tags(first, last):
            return [{"tagKey": "k%d" % i, "tagValue": ""}
                    for i in range(first, last)]
        arn = self.server.job_arn("one")
        self.refused(self.server.create("one", tags=tags(0, 51)),
                     "TooManyTagsException")
        self.assertEqual(self.server.create("one", tags=tags(0, 50)).status,
                         200)
        self.refused(self.server.call(
            "TagResource", {"resourceArn": arn, "tags": tags(50, 51)}),
            "TooManyTagsException")
        self.assertEqual(self.server.call(
            "TagResource", {"resourceArn": arn, "tags": tags(0, 50)}).status,
            200)
        self.refused(self.server.call(
            "UntagResource", {"resourceArn": arn,
                              "tagKeys": ["k%d" % i for i in range(51)]}),
            "TooManyTagKeysException")

    def test_dataset_groups(self):
        reply = self.server.call("DescribeDatasetGroup", {
            "datasetGroupArn": self.ready["dataset_group_arn"]})
        self.assertEqual(reply.json["datasetGroup"]["status"], "ACTIVE")
        reply = self.server.call("ListDatasetGroups", {"maxResults": 1}).json
        again = self.server.call("ListDatasetGroups",
                                 {"nextToken": reply["nextToken"]}).json
        self.assertEqual([g["name"] for g in reply["datasetGroups"]
                          + again["datasetGroups"]], ["shop", "films"])
        self.assertNotIn("nextToken", again)
        self.refused(self.server.call("ListDataDeletionJobs",
                                      {"nextToken": reply["nextToken"]}),
                     "InvalidNextTokenException")


class Lists(Shared):
    def test_lists_that_hold(self):
        long = "\u00fc".encode() * 256
        many = b"USER_ID\n" + b"".join(b"%d\n" % (i % 110000)
                                       for i in range(140000))
        for i, (text, count) in enumerate((
                (b"USER_ID\na\nb\nc\n", 3),
                (b"USER_ID\na\nb\na", 2),
                (b"USER_ID\r\na\r\nb\r\n", 2),
                (b'USER_ID\n"a"\na\n"b,c"\n"d""e"\n"f\ng"\nh\n', 5),
                (b"USER_ID\n" + long + b"\n" + b"x" * 256 + b"\n", 2),
                (b"USER_ID\n a\na\n", 2),
                (many, 110000),
                (b'USER_ID\n"x,y"\n' + many[8:], 110001),
                (many + b'"1"\n"y"', 110001))):
            job = self.server.run_list(text, "job-%d" % i)
            self.assertEqual((job["status"], job.get("numDeleted")),
                             ("COMPLETED", count), (i, job))

    def test_lists_that_do_not(self):
        for i, (text, reason) in enumerate((
                (b"", "empty"),
                (b"USER_ID\n", "holds no USER_ID"),
                (b"USER_ID", "header"),
                (b"user_id\na\n", "header"),
                (b'"USER_ID"\na\n', "header"),
                (b"\xef\xbb\xbfUSER_ID\na\n", "header"),
                (b"USER_ID,ITEM_ID\na,b\n", "header"),
                (b"a\nb\n", "header"),
                (b"USER_ID\na\nb,c\n", "line 3: there is more than one"),
                (b"USER_ID\na\n\nb\n", "line 3: the USER_ID is empty"),
                (b"USER_ID\na\n\n", "line 3: the USER_ID is empty"),
                (b'USER_ID\na\n""\n', "line 3: the USER_ID is empty"),
                (b"USER_ID\na\n\xff\n", "line 3: this is not UTF-8"),
                (b'USER_ID\na\n"\xff"\n', "line 3: this is not UTF-8"),
                (b"USER_ID\n" + b"x" * 257 + b"\n", "line 2: .* 256"),
                (b'USER_ID\n"' + b"x" * 257 + b'"\n', "line 2: .* 256"),
                (b"USER_ID\n" + b"x" * 200000, "line 2: .* 256"),
                (b"USER_ID\na\x00\n", "NUL"),
                (b"USER_ID\na\rb\n", "stray CR"),
                (b'USER_ID\na\nb"c\n', "line 3"),
                (b'USER_ID\na\n"b\n', "line 3"),
                (b'USER_ID\n"a"b\n', "line 2"))):
            job = self.server.run_list(text, "job-%d" % i)
            self.assertEqual(job["status"], "FAILED", (i, job))
            self.assertRegex(job["failureReason"], reason)
            self.assertNotIn("numDeleted", job)

    def test_locations(self):
        for key, text in (("d/1.csv", b"USER_ID\na\nb\n"),
                          ("d/e/2.csv", b"USER_ID\nb\nc\n"),
                          ("d/notes.txt", b"not a list"),
                          ("dd/3.csv", b"USER_ID\nd\n"),
                          ("e/4.csv", b"USER_ID\nd\n"),
                          ("e/5.csv", b"nonsense\nd\n")):
            self.server.s3("PUT", key, text)
        for i, (location, outcome) in enumerate((
                ("s3://erasure/d/", 3),
                ("s3://erasure/d/e/", 2),
                ("s3://erasure/d/1.csv", 2),
                ("s3://erasure/d/notes.txt", "header"),
                ("s3://erasure/e/", "e/5.csv: the header"),
                ("s3://erasure/d", "no object d"),
                ("s3://erasure/none.csv", "no object none.csv"),
                ("s3://erasure/none/", "no .csv file"),
                ("s3://other/d/", "insufficient privileges"),
                ("s3://erasure", "s3://bucket/key"),
                ("https://erasure/d/", "s3://bucket/key"))):
            job = self.server.run_list(None, "job-%d" % i, location)
            if type(outcome) is int:
                self.assertEqual(job.get("numDeleted"), outcome, job)
            else:
                self.assertRegex(job.get("failureReason", ""), outcome)

    def test_lists_under_a_kms_key(self):
        self.server.s3("PUT", "users.csv", b"USER_ID\na\n", {
            "x-amz-server-side-encryption": "aws:kms"})
        job = self.server.run_list(None)
        self.assertRegex(job["failureReason"], "KMS key")

    def test_lists_over_100_mb(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(100 * 1000 * 1000 + 1)
            server = Server("--object", "users.csv=" + file.name)
            try:
                job = server.run_list(None)
                self.assertRegex(job["failureReason"], "larger than 100 MB")
            finally:
                server.close()

    def test_long_lists_do_not_hold_the_server_up(self):
        text = b"USER_ID\n" + b"".join(b"%08d\n" % i for i in range(120000))
        self.server.run_list(text)
        self.server.s3("DELETE", "users.csv")
        deadline = time.monotonic() + LAST
        while self.server.describe("job")["status"] != "COMPLETED":
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(self.server.describe("job")["numDeleted"], 120000)

    def test_only_users_that_exist_count(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write("USER_ID\na\nb\nm\u00fc\n".encode())
            file.flush()
            server = Server("--users", file.name)
            try:
                job = server.run_list("USER_ID\nb\nm\u00fc\nx\nb\n".encode())
                self.assertEqual(job["numDeleted"], 2)
                server.settings(users=["x"])
                self.assertEqual(
                    server.run_list(None, "two")["numDeleted"], 1)
            finally:
                server.close()


class Objects(Shared):
    def test_put_get_head_delete(self):
        s3, body = self.server.s3, os.urandom(300000)
        key = "a b/\u00fc+&=?#%/./..//x~.csv"
        reply = s3("PUT", key, body, {
            "content-type": "text/csv", "x-amz-meta-note": "n",
            "x-amz-server-side-encryption": "AES256",
            "x-amz-expected-bucket-owner": "123456789012",
            "content-md5": base64.b64encode(
                hashlib.md5(body).digest()).decode()})
        etag = '"%s"' % hashlib.md5(body).hexdigest()
        self.assertEqual((reply.status, reply.headers["etag"]), (200, etag))
        self.assertEqual(reply.headers["x-amz-server-side-encryption"],
                         "AES256")
        self.assertTrue(reply.headers["x-amz-request-id"])
        self.assertTrue(reply.headers["x-amz-id-2"])
        self.assertNotIn("x-amz-version-id", reply.headers)
        reply = s3("GET", key)
        self.assertEqual((reply.status, reply.body), (200, body))
        self.assertEqual(reply.headers["content-type"], "text/csv")
        self.assertEqual(reply.headers["x-amz-meta-note"], "n")
        reply = s3("HEAD", key)
        self.assertEqual((reply.status, reply.body), (200, b""))
        self.assertEqual(reply.headers["content-length"], "300000")
        reply = s3("DELETE", key)
        self.assertEqual((reply.status, reply.body), (204, b""))
        self.refused(s3("GET", key), "NoSuchKey", 404)
        self.assertEqual(s3("HEAD", key).status, 404)
        self.assertEqual(s3("DELETE", key).status, 204)

    def test_ranges_and_conditions(self):
        s3 = self.server.s3
        etag = s3("PUT", "k", b"0123456789").headers["etag"]
        for wanted, body in (("bytes=2-4", b"234"), ("bytes=8-99", b"89"),
                             ("bytes=7-", b"789"), ("bytes=-2", b"89"),
                             ("bytes=-99", b"0123456789")):
            reply = s3("GET", "k", headers={"range": wanted})
            self.assertEqual((reply.status, reply.body), (206, body))
        self.assertEqual(reply.headers["content-range"], "bytes 0-9/10")
        for wanted in ("bytes=10-", "bytes=-0"):
            self.refused(s3("GET", "k", headers={"range": wanted}),
                         "InvalidRange", 416)
        self.assertEqual(s3("GET", "k", headers={"range": "x"}).status, 200)
        reply = s3("GET", "k", headers={"if-none-match": etag})
        self.assertEqual((reply.status, reply.body), (304, b""))
        self.refused(s3("GET", "k", headers={"if-match": '"x"'}),
                     "PreconditionFailed", 412)
        self.refused(s3("PUT", "k", b"x", {"if-none-match": "*"}),
                     "PreconditionFailed", 412)
        self.assertEqual(s3("PUT", "l", b"x", {"if-none-match": "*"}).status,
                         200)

    def test_refusals(self):
        s3 = self.server.s3
        self.refused(s3("PUT", "k", b"x", bucket="other"),
                     "NoSuchBucket", 404)
        self.refused(s3("PUT", "k", b"x", {
            "x-amz-expected-bucket-owner": "999999999999"}),
            "AccessDenied", 403)
        self.refused(s3("PUT", "k", b"x", payload=EMPTY),
                     "XAmzContentSHA256Mismatch")
        self.refused(s3("PUT", "k", b"x", {"content-md5": base64.b64encode(
            b"0" * 16).decode()}), "BadDigest")
        self.refused(s3("PUT", "k", b"x", {"content-md5": "x"}),
                     "InvalidDigest")
        self.refused(s3("PUT", "k", b"x", {
            "x-amz-server-side-encryption": "ROT13"}), "InvalidArgument")
        self.refused(s3("PUT", "k" * 1025, b"x"), "KeyTooLongError")
        self.refused(s3("PUT", "k", b"x", query=[("acl", "")]),
                     "NotImplemented", 501)
        self.refused(s3("GET", ""), "NotImplemented", 501)
        self.refused(s3("GET", "k"), "NoSuchKey", 404)

    def test_checksums(self):
        check = b"123456789"
        for name, value in (("crc32", "cbf43926"), ("crc32c", "e3069283"),
                            ("crc64nvme", "ae8b14860a799888"),
                            ("sha1", hashlib.sha1(check).hexdigest()),
                            ("sha256", hashlib.sha256(check).hexdigest())):
            header = "x-amz-checksum-" + name
            value = base64.b64encode(bytes.fromhex(value)).decode()
            reply = self.server.s3("PUT", "k", check, {header: value})
            self.assertEqual((reply.status, reply.headers.get(header)),
                             (200, value), reply.body)
            reply = self.server.s3("GET", "k",
                                   headers={"x-amz-checksum-mode": "ENABLED"})
            self.assertEqual(reply.headers[header], value)
            self.refused(self.server.s3("PUT", "k", b"x", {header: value}),
                         "BadDigest")
        self.refused(self.server.s3("PUT", "k", b"x", {
            "x-amz-checksum-crc32": "x", "x-amz-checksum-sha1": "y"}),
            "InvalidRequest")
        self.refused(self.server.s3("PUT", "k", b"x", {
            "x-amz-sdk-checksum-algorithm": "CRC32"}), "InvalidRequest")

    def test_trailers_need_a_stream(self):
        self.refused(self.server.s3("PUT", "k", b"x", {
            "x-amz-trailer": "x-amz-checksum-crc32"}), "InvalidRequest")

    def test_payloads_left_unsigned(self):
        reply = self.server.s3("PUT", "k", b"x", payload="UNSIGNED-PAYLOAD")
        self.assertEqual(reply.status, 200)

    def test_lists(self):
        keys = ["a/1", "a/\u00fc&", "b", "a/2"]
        for key in keys:
            self.server.s3("PUT", key, b"x")
        found, token = [], None
        while token is not None or not found:
            query = [("list-type", "2"), ("prefix", "a/"), ("max-keys", "2")]
            if token:
                query.append(("continuation-token", token))
            root = self.server.s3("GET", query=query).xml
            found += [e.text for e in root.iter("Key")]
            token = root.findtext("NextContinuationToken")
        self.assertEqual(found, ["a/1", "a/2", "a/\u00fc&"])
        root = self.server.s3("GET", query=[
            ("list-type", "2"), ("encoding-type", "url"),
            ("start-after", "a/2"), ("max-keys", "1")]).xml
        self.assertEqual(root.findtext("Contents/Key"), "a/%C3%BC%26")
        self.refused(self.server.s3("GET", query=[
            ("list-type", "2"), ("max-keys", "x")]), "InvalidArgument")

    def test_the_bucket(self):
        reply = self.server.s3("HEAD")
        self.assertEqual((reply.status, reply.headers["x-amz-bucket-region"]),
                         (200, "eu-west-1"))
        self.assertEqual(self.server.s3("HEAD", bucket="other").status, 404)
        reply = self.server.s3("GET", query=[("versioning", "")])
        self.assertIsNone(reply.xml.find("Status"))
        reply = self.server.s3("GET", query=[("location", "")])
        self.assertEqual(reply.xml.text, "eu-west-1")
        reply = self.server.s3("GET", query=[("encryption", "")])
        self.assertIn(b"<SSEAlgorithm>AES256<", reply.body)

    def test_several_at_once_are_deleted(self):
        for key in ("a", "b", "c&"):
            self.server.s3("PUT", key, b"x")
        body = (b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                b"<Object><Key>a</Key></Object><Object><Key>c&amp;</Key>"
                b"</Object></Delete>")
        reply = self.server.s3("POST", body=body, query=[("delete", "")])
        self.assertEqual([e.text for e in reply.xml.iter("Key")], ["a", "c&"])
        root = self.server.s3("GET", query=[("list-type", "2")]).xml
        self.assertEqual([e.text for e in root.iter("Key")], ["b"])
        self.refused(self.server.s3("POST", body=b"<x", query=[
            ("delete", "")]), "MalformedXML")


class Versions(Shared):
    options = ("--versioning",)

    def test_versions_and_markers(self):
        s3 = self.server.s3
        ids = [s3("PUT", "k", text).headers["x-amz-version-id"]
               for text in (b"1", b"22", b"333")]
        s3("PUT", "k2", b"other")
        self.assertEqual(len(set(ids)), 3)
        reply = s3("GET", "k", query=[("versionId", ids[0])])
        self.assertEqual((reply.body, reply.headers["x-amz-version-id"]),
                         (b"1", ids[0]))
        self.assertEqual(s3("GET", "k").body, b"333")
        reply = s3("DELETE", "k")
        self.assertEqual(reply.headers["x-amz-delete-marker"], "true")
        marker = reply.headers["x-amz-version-id"]
        reply = s3("GET", "k")
        self.refused(reply, "NoSuchKey", 404)
        self.assertEqual(reply.headers["x-amz-delete-marker"], "true")
        self.refused(s3("GET", "k", query=[("versionId", marker)]),
                     "MethodNotAllowed", 405)
        self.refused(s3("GET", "k", query=[("versionId", "none")]),
                     "NoSuchVersion", 404)
        reply = s3("DELETE", "k", query=[("versionId", marker)])
        self.assertEqual(reply.headers["x-amz-delete-marker"], "true")
        self.assertEqual(s3("HEAD", "k").status, 200)
        for version in ids:
            reply = s3("DELETE", "k", query=[("versionId", version)])
            self.assertEqual(reply.headers["x-amz-version-id"], version)
        root = s3("GET", query=[("versions", ""), ("prefix", "k")]).xml
        self.assertEqual([e.text for e in root.iter("Key")], ["k2"])

    def test_pages_of_versions(self):
        s3, expected = self.server.s3, []
        for key in ("a", "b"):
            ids = [s3("PUT", key, b"x").headers["x-amz-version-id"]
                   for _ in range(2)]
            ids.append(s3("DELETE", key).headers["x-amz-version-id"])
            expected += [(key, i) for i in reversed(ids)]
        found, more = [], []
        while True:
            root = s3("GET", query=[("versions", ""), ("max-keys", "2"),
                                    ("prefix", "")] + more).xml
            for item in root:
                if item.tag in ("Version", "DeleteMarker"):
                    found.append((item.findtext("Key"),
                                  item.findtext("VersionId")))
                    self.assertEqual(item.findtext("IsLatest"), str(
                        item.tag == "DeleteMarker").lower())
            if root.findtext("IsTruncated") != "true":
                break
            more = [("key-marker", root.findtext("NextKeyMarker")),
                    ("version-id-marker",
                     root.findtext("NextVersionIdMarker"))]
        self.assertEqual(found, expected)
        reply = s3("GET", query=[("versioning", "")])
        self.assertEqual(reply.xml.findtext("Status"), "Enabled")


class Chunked(Shared):
    """aws-chunked bodies, as the SDKs send streams."""

    def put(self, payload, chunks, trailer=None, headers=(), tamper=None,
            framed=False):
        data = b"".join(chunks)
        sent = {"host": self.server.host, "x-amz-date": stamp(),
                "content-encoding": "aws-chunked",
                "x-amz-content-sha256": payload,
                "x-amz-decoded-content-length": str(len(data))}
        if trailer:
            sent["x-amz-trailer"] = trailer[0]
        sent.update(headers)
        value, key, scope = authorize(
            self.ready, "PUT", "/erasure/k", [], sent, payload, "s3")
        sent["authorization"] = value
        last, parts = value[-64:], []

        def sign(label, *hashes):
            text = "\n".join((label, sent["x-amz-date"], scope, last)
                             + hashes)
            return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        signed = "AWS4" in payload
        for chunk in list(chunks) + [b""]:
            line = b"%x" % len(chunk)
            if signed:
                last = sign("AWS4-HMAC-SHA256-PAYLOAD", EMPTY,
                            hashlib.sha256(chunk).hexdigest())
                line += b";chunk-signature=" + last.encode()
            parts.append(line + b"\r\n" + (chunk + b"\r\n" if chunk else b""))
        if trailer:
            parts.append(("%s:%s\r\n" % trailer).encode())
            if signed:
                text = "%s:%s\n" % trailer
                last = sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(
                    text.encode()).hexdigest())
                parts.append(b"x-amz-trailer-signature:" + last.encode()
                             + b"\r\n")
        parts.append(b"\r\n")
        body = b"".join(parts)
        if tamper:
            body = tamper(body)
        if not framed:
            return self.server.send("PUT", "/erasure/k", sent, body)
        pieces = [body[i:i + 1000] for i in range(0, len(body), 1000)]
        self.server.connection.request(
            "PUT", "/erasure/k", iter(pieces), sent, encode_chunked=True)
        return Reply(self.server.connection.getresponse())

    @staticmethod
    def crc32(data):
        return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()

    def stored(self, reply, data):
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(self.server.s3("GET", "k").body, data)

    def test_unsigned_with_trailer(self):
        kind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        chunks = [b"x" * 100, b"y" * 70000]
        data = b"".join(chunks)
        trailer = ("x-amz-checksum-crc32", self.crc32(data))
        for framed in (False, True):
            reply = self.put(kind, chunks, trailer, framed=framed)
            self.stored(reply, data)
            self.assertEqual(reply.headers["x-amz-checksum-crc32"],
                             trailer[1])
        headers = self.server.s3("HEAD", "k").headers
        self.assertNotIn("content-encoding", headers)
        self.refused(self.put(kind, chunks, (trailer[0], "AAAAAA==")),
                     "BadDigest")
        self.refused(self.put(kind, chunks, None,
                              {"x-amz-trailer": trailer[0]}),
                     "MalformedTrailerError")
        self.refused(self.put(kind, chunks, trailer, {
            "x-amz-decoded-content-length": "5"}), "IncompleteBody")
        self.refused(self.put(kind, chunks, trailer,
                              tamper=lambda b: b.replace(b"64", b"zz", 1)),
                     "InvalidRequest")

    def test_signed_chunks(self):
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        chunks = [b"x" * 8192, b"y" * 9000, b"z"]
        self.stored(self.put(kind, chunks), b"".join(chunks))
        self.refused(self.put(kind, chunks,
                              tamper=lambda b: b.replace(b"xx", b"xX", 1)),
                     "SignatureDoesNotMatch", 403)
        self.refused(self.put(kind, [b"x", b"y"]), "InvalidChunkSizeError",
                     403)

    def test_signed_chunks_and_trailer(self):
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
        chunks = [b"x" * 8192, b"z"]
        data = b"".join(chunks)
        trailer = ("x-amz-checksum-crc32", self.crc32(data))
        self.stored(self.put(kind, chunks, trailer), data)
        self.refused(self.put(kind, chunks, trailer, tamper=lambda b: b[
            :-6] + (b"0" if b[-6:-5] != b"0" else b"1") + b[-5:]),
            "SignatureDoesNotMatch", 403)


class Faults(Shared):
    DOCUMENTED = {
        "CreateDataDeletionJob": (
            "InvalidInputException", "ResourceNotFoundException",
            "ResourceAlreadyExistsException", "LimitExceededException",
            "ResourceInUseException", "TooManyTagsException"),
        "DescribeDataDeletionJob": (
            "InvalidInputException", "ResourceNotFoundException"),
        "ListDataDeletionJobs": (
            "InvalidInputException", "InvalidNextTokenException"),
        "TagResource": (
            "InvalidInputException", "ResourceNotFoundException",
            "TooManyTagsException", "ResourceInUseException",
            "LimitExceededException"),
        "UntagResource": (
            "InvalidInputException", "ResourceNotFoundException",
            "TooManyTagKeysException", "ResourceInUseException"),
        "ListTagsForResource": (
            "InvalidInputException", "ResourceNotFoundException",
            "ResourceInUseException"),
    }

    def test_every_documented_exception(self):
        for operation, codes in self.DOCUMENTED.items():
            for code in codes + ("AccessDeniedException",
                                 "ThrottlingException"):
                self.server.fault("%s=%s:1" % (operation, code))
                reply = self.refused(self.server.call(operation), code)
                self.assertTrue(reply.json["message"])

    def test_only_the_first_requests_of_the_operation(self):
        self.server.fault("ListDataDeletionJobs=ThrottlingException:2")
        self.assertEqual(self.server.create("one").status, 200)
        for _ in range(2):
            self.refused(self.server.call("ListDataDeletionJobs"),
                         "ThrottlingException")
        self.assertEqual(self.server.names()[0], ["one"])

    def test_skipping_and_forgetting(self):
        self.server.admin("POST", "fault", {
            "name": "InternalFailure", "skip": 1})
        self.assertEqual(self.server.names(), ([], None))
        for _ in range(2):
            self.refused(self.server.call("ListDataDeletionJobs"),
                         "InternalFailure", 500)
        self.server.admin("DELETE", "fault")
        self.assertEqual(self.server.names(), ([], None))

    def test_a_wrong_signature_meets_no_fault(self):
        self.server.fault("ThrottlingException:1")
        reply = self.server.call("ListDataDeletionJobs",
                                 ready={"secret_access_key": "x"})
        self.refused(reply, "InvalidSignatureException")
        self.refused(self.server.call("ListDataDeletionJobs"),
                     "ThrottlingException")

    def test_where_the_name_stands(self):
        spelled = "com.amazonaws.personalize#ThrottlingException"
        tail = ":http://internal.amazon.com/coral/com.amazonaws.personalize/"
        for where, member, value in (
                ("type", "__type", "ThrottlingException"),
                ("type+ns", "__type", spelled),
                ("code+uri", "code", "ThrottlingException" + tail),
                ("header+ns+uri", None, spelled + tail)):
            self.server.fault("ThrottlingException@%s:1" % where)
            reply = self.server.call("ListDataDeletionJobs")
            self.assertEqual(reply.headers.get("x-amzn-errortype"),
                             None if member else value)
            self.assertEqual(reply.json, dict(
                {member: value} if member else {}, message="Rate exceeded"))

    def test_answers_that_are_not_json(self):
        for spec, status, kind, body in (
                ("ServiceUnavailable", 503, None, b"^$"),
                ("html-503", 503, "text/html", b"^<html>"),
                ("html-200", 200, "text/html", b"^<html>")):
            self.server.fault(spec + ":1")
            reply = self.server.call("ListDataDeletionJobs")
            self.assertEqual((reply.status, reply.headers.get(
                "content-type")), (status, kind))
            self.assertRegex(reply.body, body)

    def test_carried_out_but_not_told(self):
        for i, spec in enumerate(("after-close", "cut", "after-html-503",
                                  "garbled", "after-InternalFailure")):
            self.server.fault("CreateDataDeletionJob=%s:1" % spec)
            name = "job-%d" % i
            try:
                reply = self.server.create(name)
                self.assertFalse(reply.status == 200
                                 and reply.body.endswith(b"}"))
            except (OSError, http.client.HTTPException):
                pass
            self.assertEqual(self.server.names()[0][0], name)
        self.server.fault("CreateDataDeletionJob=close:1")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.server.create("never")
        self.assertNotIn("never", self.server.names()[0])

    def test_jobs_that_fail(self):
        self.server.fault("CreateDataDeletionJob=job-fails:1")
        job = self.server.run_list(b"USER_ID\na\n")
        self.assertEqual(job["status"], "FAILED")
        self.assertTrue(job["failureReason"])
        self.assertEqual(self.server.run_list(None, "two")["numDeleted"], 1)

    def test_strange_pages(self):
        for i in range(3):
            self.server.create("job-%d" % i)
        self.server.fault("ListDataDeletionJobs=empty-page:1")
        names, token = self.server.names(maxResults=2)
        self.assertEqual(names, [])
        names, token = self.server.names(maxResults=2, nextToken=token)
        self.assertEqual(names, ["job-2", "job-1"])
        self.server.fault("ListDataDeletionJobs=same-token:1")
        reply = self.server.names(maxResults=1, nextToken=token)
        self.assertEqual(reply, (["job-0"], token))
        names, first = self.server.names(maxResults=1)
        self.server.fault("ListDataDeletionJobs=same-token:1")
        self.assertEqual(self.server.names(maxResults=1, nextToken=first),
                         (["job-1"], first))

    def test_delays(self):
        self.server.fault("delay-0.2:1")
        start = time.monotonic()
        self.server.names()
        self.assertGreaterEqual(time.monotonic() - start, 0.2)

    def test_faults_of_s3(self):
        self.server.fault("PutObject=SlowDown:1")
        self.refused(self.server.s3("PUT", "k", b"x"), "SlowDown", 503)
        self.server.fault("PutObject=after-InternalError:1")
        self.refused(self.server.s3("PUT", "k", b"x"), "InternalError", 500)
        self.assertEqual(self.server.s3("GET", "k").body, b"x")
        self.server.fault("HeadBucket=PermanentRedirect:1")
        reply = self.server.s3("HEAD")
        self.assertEqual((reply.status, reply.headers["x-amz-bucket-region"]),
                         (301, "eu-west-1"))

    def test_faults_made_to_measure(self):
        self.server.admin("POST", "fault", {
            "name": "Odd", "status": 418, "times": 1, "body": "tea",
            "headers": {"Retry-After": "7"}})
        reply = self.server.call("ListDataDeletionJobs")
        self.assertEqual((reply.status, reply.body), (418, b"tea"))
        self.assertEqual(reply.headers["retry-after"], "7")

    def test_nonsense_is_refused(self):
        for value in ({"name": "Odd"}, {"colour": "red"}, {"spec": "=x"},
                      {"spec": "SlowDown@nowhere"}, [1]):
            self.assertEqual(self.server.admin("POST", "fault",
                                               value).status, 400, value)
        self.assertEqual(self.server.admin("GET", "nonsense").status, 404)
        self.assertEqual(self.server.admin("POST", "settings",
                                           {"colour": 1}).status, 400)

    def test_requests_are_counted(self):
        self.server.call("ListDataDeletionJobs", headers={
            "amz-sdk-invocation-id": "abc",
            "amz-sdk-request": "attempt=1; max=3"})
        self.server.s3("GET", "k")
        log = self.server.admin("GET", "requests").json
        self.assertEqual(log["count"], 2)
        self.assertEqual(log["operations"], {"ListDataDeletionJobs": 1,
                                             "GetObject": 1})
        self.assertEqual(log["statuses"], {"200": 1, "404": 1})
        self.assertEqual(log["codes"], {"NoSuchKey": 1})
        first = log["requests"][0]
        self.assertEqual((first["invocation_id"], first["attempt"]),
                         ("abc", "attempt=1; max=3"))


class Wire(Shared):
    def test_one_connection_for_many_requests(self):
        self.server.admin("POST", "reset")
        for _ in range(20):
            self.server.names()
        log = self.server.admin("GET", "requests").json
        self.assertEqual((log["count"], log["connections"]), (20, 0))

    def test_what_is_not_http(self):
        for data, status in (
                (b"nonsense\r\n\r\n", 400),
                (b"GET  / HTTP/1.1\r\n\r\n", 400),
                (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
                (b"GET / HTTP/1.1\r\n\r\n", 400),
                (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost: x\r\nBad header: y\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost: x\nA: y\r\n\r\n", 400),
                (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
                (b"PUT /erasure/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1"
                 b"\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                 400),
                (b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417),
                (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"y" * 40000, 431)):
            reply = self.server.raw(data)
            self.assertTrue(reply.startswith(b"HTTP/1.1 %d " % status),
                            (data[:60], reply[:60]))

    def test_bodies_too_long(self):
        reply = self.server.raw(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nX-Amz-Target:"
            b" AmazonPersonalize.ListDataDeletionJobs\r\nContent-Length: "
            b"9999999\r\n\r\n" % JSON_TYPE.encode())
        self.assertTrue(reply.startswith(b"HTTP/1.1 413 "), reply)

    def test_bad_chunks_after_the_answer(self):
        reply = self.server.raw(
            b"PUT /erasure/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
            b"chunked\r\n\r\nnonsense\r\n")
        self.assertTrue(reply.startswith(b"HTTP/1.1 403 "), reply)

    def test_peers_who_vanish(self):
        for data in (b"", b"GET / HT", b"PUT /erasure/k HTTP/1.1\r\nHost: x"
                     b"\r\nContent-Length: 50\r\n\r\nabc"):
            self.server.raw(data)
        self.assertEqual(self.server.names(), ([], None))

    def converse(self, key, body, headers=()):
        """Sends a put that expects 100-continue; yields what arrives."""
        sent = {"host": self.server.host, "x-amz-date": stamp(),
                "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        sent.update(headers)
        path = "/erasure/" + key
        sent["authorization"], _, _ = authorize(
            self.ready, "PUT", path, [], sent, sent["x-amz-content-sha256"],
            "s3")
        sent.update({"expect": "100-continue",
                     "content-length": str(len(body))})
        head = "PUT %s HTTP/1.1\r\n%s\r\n" % (path, "".join(
            "%s: %s\r\n" % item for item in sent.items()))
        sock = socket.create_connection(
            (self.server.url.hostname, self.server.url.port), timeout=60)
        with sock:
            sock.sendall(head.encode())
            yield sock.recv(65536)
            sock.sendall(body)
            yield sock.recv(65536)

    def test_continue(self):
        talk = self.converse("k", b"hello")
        self.assertEqual(next(talk), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertTrue(next(talk).startswith(b"HTTP/1.1 200 OK\r\n"))
        talk.close()
        talk = self.converse("k", b"hello", {
            "x-amz-expected-bucket-owner": "999999999999"})
        self.assertTrue(next(talk).startswith(b"HTTP/1.1 403 "))
        talk.close()

    def test_big_objects(self):
        body = os.urandom(1000000) * 20
        self.assertEqual(self.server.s3("PUT", "k", body).status, 200)
        self.assertEqual(hashlib.md5(self.server.s3("GET", "k").body)
                         .hexdigest(), hashlib.md5(body).hexdigest())


class Tls(Shared):
    options = ("--tls",)

    def test_works_under_its_own_authority(self):
        self.assertTrue(self.ready["endpoint"].startswith("https://"))
        self.assertEqual(self.server.create("one").status, 200)
        body = os.urandom(1000000)
        self.server.s3("PUT", "k", body)
        self.assertEqual(self.server.s3("GET", "k").body, body)

    def handshake(self, context, name):
        with socket.create_connection(
                (self.server.url.hostname, self.server.url.port),
                timeout=60) as sock:
            with context.wrap_socket(sock, server_hostname=name) as tls:
                return tls.version()

    def test_names_and_versions(self):
        bundle = self.ready["ca_bundle"]
        for name in ("localhost", "127.0.0.1", "::1"):
            context = ssl.create_default_context(cafile=bundle)
            self.assertEqual(self.handshake(context, name), "TLSv1.3")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.handshake(context, name), "TLSv1.2")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.handshake(context, "example.com")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.handshake(ssl.create_default_context(), "localhost")

    def test_peers_who_vanish(self):
        for data in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"):
            try:
                self.server.raw(data)
            except OSError:
                pass
        self.assertEqual(self.server.names(), ([], None))


class Process(unittest.TestCase):
    def test_ready_line(self):
        server = Server("--region", "cn-north-1", "--account", "999999999999",
                        "--bucket", "lists", "--dataset-group", "one",
                        "--dataset-group", "two", "--access-key-id", "AK",
                        "--secret-access-key", "SK")
        ready = server.ready
        self.assertEqual(server.close(), (0, b""))
        arn = "arn:aws-cn:personalize:cn-north-1:999999999999:dataset-group/"
        self.assertEqual(ready, {
            "endpoint": ready["endpoint"], "pid": ready["pid"],
            "ca_bundle": None, "region": "cn-north-1", "bucket": "lists",
            "buckets": ["lists"],
            "access_key_id": "AK", "secret_access_key": "SK",
            "account": "999999999999",
            "role_arn": "arn:aws-cn:iam::999999999999:role/PersonalizeS3",
            "dataset_group_arn": arn + "one",
            "dataset_group_arns": [arn + "one", arn + "two"]})
        self.assertRegex(ready["endpoint"], r"^http://127\.0\.0\.1:\d+$")

    def test_faults_and_objects_from_the_command_line(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"USER_ID\na\n")
            file.flush()
            server = Server("--object", "users.csv=" + file.name, "--fault",
                            "GetObject=SlowDown:1")
            try:
                for _ in range(2):
                    self.assertEqual(server.s3("GET", "users.csv").status,
                                     503)
                    self.assertEqual(server.s3("GET", "users.csv").body,
                                     b"USER_ID\na\n")
                    server.s3("DELETE", "users.csv")
                    server.admin("POST", "reset")
            finally:
                server.close()

    def test_ends_without_leftovers(self):
        for how in ("stdin", signal.SIGTERM, signal.SIGINT):
            server = Server("--tls")
            folder = os.path.dirname(server.ready["ca_bundle"])
            self.assertTrue(os.path.exists(server.ready["ca_bundle"]))
            if how != "stdin":
                server.process.send_signal(how)
                self.assertEqual(server.process.wait(20), 0)
            self.assertEqual(server.close(), (0, b""))
            self.assertFalse(os.path.exists(folder))

    def test_refusals(self):
        runs = [(words, subprocess.Popen(
            [COMMAND, *options], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE))
            for words, *options in (
                ("loopback only", "--listen", "0.0.0.0:0"),
                ("HOST:PORT", "--listen", "80"),
                ("no fault Nonsense", "--fault", "Nonsense"),
                ("12 digits", "--account", "12"),
                ("KEY=FILE", "--object", "x"),
                ("no name of a bucket", "--bucket", "A"),
                ("No such file", "--users", "/none/such"))]
        for words, run in runs:
            out, errors = run.communicate(timeout=60)
            self.assertEqual((run.returncode, out), (2, b""))
            self.assertIn(words, errors.decode())

    def test_help(self):
        run = subprocess.run([COMMAND, "--help"], capture_output=True,
                             timeout=60, check=True)
        for word in (b"--list-lag", b"ThrottlingException", b"html-503",
                     b"/_local/reset", b"--session-token"):
            self.assertIn(word, run.stdout)


if __name__ == "__main__":
    sys.exit(unittest.main())
