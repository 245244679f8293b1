"""
A caller of the local AWS, for its tests: a signer of its own, every request
around credentials, and cases that share a server.
"""

import calendar
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import time
import unittest
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

COMMAND = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                       "local-aws")
FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON_TYPE = "application/x-amz-json-1.1"
IAM_XMLNS = "https://iam.amazonaws.com/doc/2010-05-08/"
STS_XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"
TTL = "x-aws-ec2-metadata-token-ttl-seconds"
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def epoch(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def sign(keys, region, service, method, path, headers, payload):
    """This file's own SigV4: adds what a signed request needs."""
    headers["x-amz-date"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    if keys[2]:
        headers["x-amz-security-token"] = keys[2]
    names = sorted(headers)
    scope = "/".join((headers["x-amz-date"][:8], region, service,
                      "aws4_request"))
    canonical = "\n".join([method, path, ""]
                          + ["%s:%s" % (n, headers[n]) for n in names]
                          + ["", ";".join(names), payload])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + keys[1]).encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    headers["authorization"] = (
        "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s"
        % (keys[0], scope, ";".join(names),
           hmac.new(key, text.encode(), hashlib.sha256).hexdigest()))
    return headers


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
        text = self.body
        for namespace in (STS_XMLNS, IAM_XMLNS):
            text = text.replace(b' xmlns="%s"' % namespace.encode(), b"", 1)
        return ElementTree.fromstring(text)

    def text(self, path):
        return self.xml.findtext(path)

    @property
    def keys(self):
        """The credentials in an answer of STS."""
        found = self.xml.find(".//Credentials")
        return (found.findtext("AccessKeyId"),
                found.findtext("SecretAccessKey"),
                found.findtext("SessionToken"))


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
        self.region = self.ready["region"]
        self.user = (self.ready["access_key_id"],
                     self.ready["secret_access_key"], None)
        url = urlsplit(self.ready["endpoint"])
        self.host = url.netloc
        if url.scheme == "https":
            self.connection = http.client.HTTPSConnection(
                url.hostname, url.port, timeout=60,
                context=ssl.create_default_context(
                    cafile=self.ready["ca_bundle"]))
        else:
            self.connection = http.client.HTTPConnection(
                url.hostname, url.port, timeout=60)

    def send(self, method, target, headers=None, body=b""):
        try:
            self.connection.request(method, target, body, headers or {})
            return Reply(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def admin(self, method, path, value=None):
        reply = self.send(method, "/_local/" + path, {},
                          b"" if value is None else json.dumps(value).encode())
        assert reply.status == 200, reply.body
        return reply.json

    def fault(self, spec):
        self.admin("POST", "fault", {"spec": spec})

    def operations(self):
        return self.admin("GET", "requests")["operations"]

    def sources(self):
        return self.admin("GET", "sources")

    def iam(self, action, params=(), **changes):
        """A query call to IAM, signed as for every region."""
        given = {"service": "iam", "version": "2010-05-08", "keys": self.user,
                 "region": "us-east-1", **changes}
        return self.sts(action, params, **given)

    def sts(self, action, params=(), keys=None, service="sts", body=None,
            version="2011-06-15", region=None):
        """A query call, signed where keys are given."""
        if body is None:
            body = urlencode({"Action": action, "Version": version,
                              **dict(params)}).encode()
        headers = {"host": self.host, "content-type": FORM}
        if keys:
            sign(keys, region or self.region, service, "POST", "/", headers,
                 hashlib.sha256(body).hexdigest())
        return self.send("POST", "/", headers, body)

    def assume(self, keys=None, **params):
        params = {"RoleArn": self.sources()["assume_role"]["role_arn"],
                  "RoleSessionName": "night-run", **params}
        return self.sts("AssumeRole", params, keys or self.user)

    def web(self, **params):
        source = self.sources()["web_identity"]
        return self.sts("AssumeRoleWithWebIdentity", {
            "RoleArn": source["role_arn"], "RoleSessionName": "pod",
            "WebIdentityToken": source["token"], **params})

    def jobs(self, keys):
        """A Personalize call with these credentials."""
        headers = {"host": self.host, "content-type": JSON_TYPE,
                   "x-amz-target": "AmazonPersonalize.ListDataDeletionJobs"}
        sign(keys, self.region, "personalize", "POST", "/", headers,
             hashlib.sha256(b"{}").hexdigest())
        return self.send("POST", "/", headers, b"{}")

    def put(self, keys):
        """An S3 call with these credentials."""
        payload = hashlib.sha256(b"USER_ID\nu\n").hexdigest()
        path = "/%s/users.csv" % self.ready["bucket"]
        headers = sign(keys, self.region, "s3", "PUT", path,
                       {"host": self.host, "x-amz-content-sha256": payload},
                       payload)
        return self.send("PUT", path, headers, b"USER_ID\nu\n")

    def portal(self, token=None, **query):
        sso = self.sources()["sso"]
        query = {"role_name": sso["role_name"],
                 "account_id": sso["account_id"], **query}
        query = {k: v for k, v in query.items() if v is not None}
        if token is None:
            token = sso["cache"]["accessToken"]
        return self.send(
            "GET", "/federation/credentials?" + urlencode(query),
            {"x-amz-sso_bearer_token": token} if token else {})

    def oidc(self, **changes):
        cache = self.sources()["sso"]["cache"]
        given = {"clientId": cache["clientId"],
                 "clientSecret": cache["clientSecret"],
                 "grantType": "refresh_token",
                 "refreshToken": cache["refreshToken"], **changes}
        return self.send("POST", "/token",
                         {"content-type": "application/json"},
                         json.dumps(given).encode())

    def imds_token(self, ttl="21600", **headers):
        if ttl is not None:
            headers[TTL] = ttl
        return self.send("PUT", "/latest/api/token", headers)

    def imds(self, path, token=None):
        return self.send("GET", path, {"x-aws-ec2-metadata-token": token}
                         if token else {})

    def close(self):
        self.connection.close()
        self.process.stdin.close()
        code = self.process.wait(20)
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, errors


SERVERS = {}                        # by options


def close_servers():
    """At the end of a module, which says nothing if all went well."""
    while SERVERS:
        _, server = SERVERS.popitem()
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
        cls.account = cls.server.ready["account"]

    def setUp(self):
        self.began = time.time()
        self.server.admin("POST", "reset")

    def refused(self, reply, code, status, message="."):
        """An error of STS."""
        self.assertEqual((reply.text("Error/Code"), reply.status),
                         (code, status), reply.body)
        self.assertRegex(reply.text("Error/Message"), message)
        self.assertEqual(reply.text("Error/Type"), "Sender")
        self.assertEqual(reply.text("RequestId"),
                         reply.headers["x-amzn-requestid"])

    def denied(self, reply, name, status, message=None):
        """An error of a REST service; the name is in the header."""
        self.assertEqual((reply.headers.get("x-amzn-errortype"),
                          reply.status), (name, status), reply.body)
        if message:
            self.assertRegex(reply.json["message"], message)
        return reply.json

    def works(self, keys):
        self.assertEqual(self.server.jobs(keys).status, 200)
        self.assertEqual(self.server.put(keys).status, 200)

    def lasts(self, when, seconds):
        """Until that time lasts what this test made, in whole seconds."""
        self.assertLess(self.began + seconds - 1, when)
        self.assertLess(when, time.time() + seconds + 1)
