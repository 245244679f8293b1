#!/usr/bin/env python3
"""
STS of the local AWS, seen from outside: roles, web identities, sessions that
expire. With the tests beside it it covers all that credentials come from.

Run: python3 spec/support/local_aws_credentials_test.py
"""

import http.client
import json
import subprocess
import sys
import time
import unittest
from xml.etree import ElementTree

from local_aws_caller import COMMAND, JSON_TYPE, STS_XMLNS, UUID
from local_aws_caller import Shared, close_servers, epoch


def tearDownModule():
    close_servers()


class AssumeRole(Shared):
    def test_credentials_that_work_with_their_token(self):
        reply = self.server.assume()
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(reply.headers["content-type"], "text/xml")
        self.assertRegex(reply.headers["x-amzn-requestid"], UUID)
        self.assertIn(b'<AssumeRoleResponse xmlns="%s">'
                      % STS_XMLNS.encode(), reply.body)
        self.assertEqual(reply.text("ResponseMetadata/RequestId"),
                         reply.headers["x-amzn-requestid"])
        key_id, secret, token = keys = reply.keys
        self.assertRegex(key_id, r"^ASIA[A-Z2-7]{16}$")
        self.assertEqual(len(secret), 40)
        self.assertEqual(
            reply.text("AssumeRoleResult/AssumedRoleUser/Arn"),
            "arn:aws:sts::%s:assumed-role/Eraser/night-run" % self.account)
        self.lasts(epoch(reply.text(
            "AssumeRoleResult/Credentials/Expiration")), 3600)
        self.works(keys)
        for bad in ((key_id, secret, None), (key_id, secret, token + "x")):
            self.assertEqual(self.server.jobs(bad).json["__type"],
                             "UnrecognizedClientException")
            self.refused(self.server.sts("GetCallerIdentity", (), bad),
                         "InvalidClientTokenId", 403)

    def test_input(self):
        assume = self.server.assume
        for params, message in (
                ({"RoleArn": "arn:aws:iam::1:role"}, "'roleArn'.* equal to"),
                ({"RoleArn": "arn:aws:iam::%s:user/eraser" % self.account},
                 "is invalid$"),
                ({"RoleSessionName": "x"}, "'roleSessionName'.* equal to 2"),
                ({"RoleSessionName": "a b"}, "regular expression"),
                ({"DurationSeconds": "899"}, "greater than or equal to 900"),
                ({"DurationSeconds": "43201"}, "less than or equal to 43200"),
                ({"ExternalId": "!!"}, "'externalId'"),
                ({"TokenCode": "12345"}, "'tokenCode'"),
                ({"TokenCode": "123456"}, "come together"),
                ({"RoleSessionName": "x", "DurationSeconds": "1"},
                 "^2 validation errors")):
            self.refused(assume(**params), "ValidationError", 400, message)
        self.refused(assume(DurationSeconds="many"), "MalformedInput", 400)
        self.refused(self.server.sts("AssumeRole", {}, self.server.user),
                     "ValidationError", 400, "'roleArn'.*not be null")

    def test_unknown_roles_are_denied(self):
        for arn in ("arn:aws:iam::%s:role/Nobody" % self.account,
                    "arn:aws:iam::999999999999:role/Eraser",
                    self.server.ready["role_arn"],
                    self.server.sources()["web_identity"]["role_arn"]):
            self.refused(self.server.assume(RoleArn=arn), "AccessDenied", 403,
                         r"^User: arn:aws:iam::\d+:user/eraser is not "
                         "authorized to perform: sts:AssumeRole on resource: "
                         + arn)

    def test_external_id(self):
        source = self.server.sources()["assume_role"]
        arn = source["external_id_role_arn"]
        for params in ({}, {"ExternalId": "wrong"}):
            self.refused(self.server.assume(RoleArn=arn, **params),
                         "AccessDenied", 403)
        self.works(self.server.assume(
            RoleArn=arn, ExternalId=source["external_id"]).keys)

    def test_mfa(self):
        source = self.server.sources()["assume_role"]
        arn, serial = source["mfa_role_arn"], source["mfa_serial"]
        self.refused(self.server.assume(RoleArn=arn), "AccessDenied", 403)
        for given in ((serial, "000000"), (serial + "2", "123456")):
            self.refused(self.server.assume(
                RoleArn=arn, SerialNumber=given[0], TokenCode=given[1]),
                "AccessDenied", 403, "MultiFactorAuthentication failed")
        self.works(self.server.assume(RoleArn=arn, SerialNumber=serial,
                                      TokenCode=source["token_code"]).keys)

    def test_duration(self):
        reply = self.server.assume(DurationSeconds="7200")
        self.lasts(epoch(reply.text(
            "AssumeRoleResult/Credentials/Expiration")), 7200)
        self.server.admin("POST", "role", {
            "role_arn": "arn:aws:iam::%s:role/Short" % self.account,
            "max_seconds": 3600})
        self.refused(self.server.assume(
            RoleArn="arn:aws:iam::%s:role/Short" % self.account,
            DurationSeconds="7200"), "ValidationError", 400,
            "MaxSessionDuration")

    def test_chains(self):
        source = self.server.sources()["assume_role"]
        first = self.server.assume(RoleSessionName="first").keys
        there = {"RoleArn": source["other_account_role_arn"]}
        self.refused(self.server.assume(first, DurationSeconds="3601",
                                        **there),
                     "ValidationError", 400, "role chaining")
        second = self.server.assume(first, DurationSeconds="3600", **there)
        self.works(second.keys)
        reply = self.server.sts("GetCallerIdentity", (), second.keys)
        self.assertEqual(
            reply.text("GetCallerIdentityResult/Arn"),
            "arn:aws:sts::210987654321:assumed-role/Eraser/night-run")
        self.assertEqual(
            reply.text("GetCallerIdentityResult/UserId"), second.text(
                "AssumeRoleResult/AssumedRoleUser/AssumedRoleId"))

    def test_caller_identity(self):
        reply = self.server.sts("GetCallerIdentity", (), self.server.user)
        result = {e.tag: e.text
                  for e in reply.xml.find("GetCallerIdentityResult")}
        self.assertEqual(result["Account"], self.account)
        self.assertEqual(result["Arn"],
                         "arn:aws:iam::%s:user/eraser" % self.account)
        self.assertRegex(result["UserId"], "^AIDA[0-9A-F]{16}$")

    def test_roles_come_and_go(self):
        arn = "arn:aws:iam::%s:role/team/New" % self.account
        self.refused(self.server.assume(RoleArn=arn), "AccessDenied", 403)
        self.server.admin("POST", "role", {"role_arn": arn,
                                           "external_id": "here"})
        self.assertEqual(
            self.server.assume(RoleArn=arn, ExternalId="here").text(
                "AssumeRoleResult/AssumedRoleUser/Arn"),
            "arn:aws:sts::%s:assumed-role/New/night-run" % self.account)
        self.assertTrue(self.server.admin(
            "POST", "role", {"role_arn": arn, "gone": True})["gone"])
        self.refused(self.server.assume(RoleArn=arn), "AccessDenied", 403)
        for bad in ({"role_arn": "nonsense"}, {"role_arn": arn, "x": 1}, {}):
            reply = self.server.send("POST", "/_local/role", {},
                                     json.dumps(bad).encode())
            self.assertEqual(reply.status, 400)


class QueryProtocol(Shared):
    def test_signatures(self):
        user, sts = self.server.user, self.server.sts
        self.refused(sts("GetCallerIdentity"), "MissingAuthenticationToken",
                     403)
        self.refused(sts("GetCallerIdentity", (), ("AKIANOBODY",) + user[1:]),
                     "InvalidClientTokenId", 403)
        self.refused(sts("GetCallerIdentity", (), (user[0], "wrong", None)),
                     "SignatureDoesNotMatch", 403)
        self.refused(sts("GetCallerIdentity", (), user, service="s3"),
                     "SignatureDoesNotMatch", 403, "correct service: 'sts'")

    def test_actions(self):
        user, sts = self.server.user, self.server.sts
        self.refused(sts("Nonsense", (), user), "InvalidAction", 400)
        self.refused(sts("GetCallerIdentity", (), user, version="2010-05-08"),
                     "InvalidAction", 400, "for version 2010-05-08")
        self.refused(sts("", (), user, body=b"Version=2011-06-15"),
                     "MissingAction", 400)
        for body in (b"Action", b"Action=\xc3\xbc", b"Action=%ff",
                     b"Action=x&Action=y"):
            self.refused(sts("", (), user, body=body),
                         "MalformedQueryString", 400)

    def test_text_is_escaped(self):
        self.refused(self.server.assume(RoleSessionName="<&>\r\x01"),
                     "ValidationError", 400, "<&>\r")

    def test_faults(self):
        self.server.fault("AssumeRole=Throttling:1")
        self.refused(self.server.assume(), "Throttling", 400, "Rate exceeded")
        self.assertEqual(self.server.assume().status, 200)
        self.server.fault("AssumeRole=status-503:1")
        reply = self.server.assume()
        self.assertEqual((reply.status, reply.body), (503, b""))
        self.server.fault("AssumeRole=garbled:1")
        with self.assertRaises(ElementTree.ParseError):
            self.server.assume().xml
        self.server.fault("AssumeRole=stale:1")
        reply = self.server.assume()
        self.assertLess(epoch(reply.text(
            "AssumeRoleResult/Credentials/Expiration")), time.time())
        self.works(reply.keys)
        self.server.fault("AssumeRole=close:1")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.server.assume()
        self.assertEqual(self.server.operations(),
                         {"AssumeRole": 6, "ListDataDeletionJobs": 1,
                          "PutObject": 1})
        # Only what was rightly signed is struck.
        self.server.fault("AssumeRole=Throttling:1")
        bad = (self.server.user[0], "wrong", None)
        self.refused(self.server.assume(bad), "SignatureDoesNotMatch", 403)
        self.refused(self.server.assume(), "Throttling", 400)

    def test_personalize_keeps_the_root(self):
        reply = self.server.send("POST", "/", {"content-type": JSON_TYPE},
                                 b"{}")
        self.assertEqual(reply.json["__type"], "UnknownOperationException")


class WebIdentity(Shared):
    def test_unsigned(self):
        reply = self.server.web()
        self.works(reply.keys)
        self.assertEqual(reply.text(
            "AssumeRoleWithWebIdentityResult/AssumedRoleUser/Arn"),
            "arn:aws:sts::%s:assumed-role/EraserWeb/pod" % self.account)
        self.assertTrue(reply.text("AssumeRoleWithWebIdentityResult/"
                                   "SubjectFromWebIdentityToken"))
        self.assertEqual(self.server.operations()
                         ["AssumeRoleWithWebIdentity"], 1)

    def test_refusals(self):
        token = self.server.sources()["web_identity"]["token"]
        self.refused(self.server.web(WebIdentityToken="nonsense"),
                     "InvalidIdentityToken", 400)
        self.refused(self.server.web(WebIdentityToken=token + "\n"),
                     "InvalidIdentityToken", 400)
        self.refused(self.server.web(WebIdentityToken=""), "ValidationError",
                     400, "^1 validation error detected: Value at")
        self.refused(self.server.web(
            RoleArn=self.server.sources()["assume_role"]["role_arn"]),
            "AccessDenied", 403,
            "^Not authorized to perform: sts:AssumeRoleWithWebIdentity$")

    def test_a_token_that_rotates(self):
        old = self.server.sources()["web_identity"]["token"]
        self.server.admin("POST", "token", {"kind": "web-identity",
                                            "token": "the-next-one"})
        self.server.admin("POST", "expire", {"token": old})
        self.refused(self.server.web(), "ExpiredTokenException", 400)
        self.works(self.server.web(WebIdentityToken="the-next-one").keys)
        self.server.admin("POST", "reset")
        self.assertEqual(self.server.web().status, 200)
        self.refused(self.server.web(WebIdentityToken="the-next-one"),
                     "InvalidIdentityToken", 400)

    def test_faults(self):
        self.server.fault("AssumeRoleWithWebIdentity=IDPCommunicationError:1")
        self.refused(self.server.web(), "IDPCommunicationError", 400)
        self.assertEqual(self.server.web().status, 200)


class Expiry(Shared):
    def expired(self, keys):
        reply = self.server.jobs(keys)
        self.assertEqual((reply.status, reply.json["__type"]),
                         (400, "ExpiredTokenException"))
        reply = self.server.put(keys)
        self.assertEqual((reply.status, reply.text("Code")),
                         (400, "ExpiredToken"))
        self.refused(self.server.sts("GetCallerIdentity", (), keys),
                     "ExpiredToken", 403, "is expired$")

    def test_at_once(self):
        one, two = self.server.assume().keys, self.server.assume().keys
        self.assertEqual(self.server.admin(
            "POST", "expire", {"access_key_id": one[0]}), {"expired": 1})
        self.expired(one)
        self.works(two)
        self.assertEqual(self.server.admin(
            "POST", "expire", {"access_key_id": "nobody"}), {"expired": 0})

    def test_all_sessions(self):
        keys = self.server.assume().keys
        self.server.admin("POST", "expire", {"kind": "sessions"})
        self.expired(keys)
        self.works(self.server.user)
        reply = self.server.send("POST", "/_local/expire", {},
                                 b'{"kind": "nonsense"}')
        self.assertEqual(reply.status, 400)

    def test_in_time(self):
        for seconds in (1, 4, 16, 64):
            self.began = time.time()
            self.server.admin("POST", "settings", {"session_seconds": seconds})
            reply = self.server.assume(DurationSeconds="900")
            ends = epoch(reply.text("AssumeRoleResult/Credentials/Expiration"))
            self.lasts(ends, seconds)
            works = self.server.jobs(reply.keys).status == 200
            if works or time.time() < ends:
                break  # else the machine was too busy to use them in time
        self.assertTrue(works)
        time.sleep(max(0, ends - time.time() + 0.05))
        self.expired(reply.keys)

    def test_added_credentials_name_their_owner(self):
        arn = "arn:aws:sts::%s:assumed-role/Made/up" % self.account
        self.server.admin("POST", "credentials", {
            "access_key_id": "ASIAMADEUP", "secret_access_key": "k",
            "session_token": "t", "expires_in": 60, "arn": arn})
        reply = self.server.sts("GetCallerIdentity", (),
                                ("ASIAMADEUP", "k", "t"))
        self.assertEqual(reply.text("GetCallerIdentityResult/Arn"), arn)


class Options(Shared):
    options = ("--imds", "off", "--imds-role", "Named", "--container-token",
               "Secret", "--session-seconds", "120", "--token-seconds", "60")

    def test_in_force(self):
        self.assertEqual(self.server.imds("/latest/").status, 403)
        source = self.server.sources()
        self.assertEqual(source["imds"]["role_name"], "Named")
        self.assertEqual(source["container"]["token"], "Secret")
        self.lasts(epoch(source["sso"]["cache"]["expiresAt"]), 60)
        self.lasts(epoch(source["login"]["cache"]["accessToken"]
                         ["expiresAt"]), 120)
        self.lasts(epoch(self.server.send("GET", "/container", {
            "authorization": "Secret"}).json["Expiration"]), 120)

    def test_a_reserved_bucket(self):
        run = subprocess.run([COMMAND, "--bucket", "latest"],
                             capture_output=True, timeout=60, check=False,
                             stdin=subprocess.DEVNULL)
        self.assertEqual((run.returncode, run.stdout), (2, b""))
        self.assertIn(b"there is a service", run.stderr)

    def test_help(self):
        run = subprocess.run([COMMAND, "--help"], capture_output=True,
                             timeout=60, check=True)
        for word in (b"--session-seconds", b"--imds ", b"ImdsCredentials",
                     b"/_local/expire", b"/_local/sources", b"stale"):
            self.assertIn(word, run.stdout)
        self.assertLessEqual(max(map(len, run.stdout.splitlines())), 80)


if __name__ == "__main__":
    sys.exit(unittest.main())
