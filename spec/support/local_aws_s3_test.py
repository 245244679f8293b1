#!/usr/bin/env python3
"""
Buckets of the local AWS that are not as one would like: of another region,
with KMS, with short pages; and its books of what lies in them.

Run: python3 spec/support/local_aws_s3_test.py
"""

import hashlib
import unittest

import local_aws_test as outside

TEXT = b"USER_ID\nalice\n"
SSE = "x-amz-server-side-encryption"


def setUpModule():
    global SERVER
    SERVER = outside.Server("--versioning")


def tearDownModule():
    SERVER.process.stdin.close()
    SERVER.process.wait()
    SERVER.process.stdout.close()
    SERVER.process.stderr.close()
    SERVER.connection.close()


class Buckets(unittest.TestCase):
    def setUp(self):
        SERVER.admin("POST", "reset")

    def settings(self, **values):
        reply = SERVER.admin("POST", "settings", values)
        self.assertEqual(reply.status, 200, reply.body)

    def put(self, key="a.csv", **changes):
        return SERVER.s3("PUT", key, TEXT, **changes)

    def test_another_region(self):
        self.settings(bucket_region="eu-central-1")
        for reply in (self.put(), SERVER.s3("HEAD")):
            self.assertEqual(reply.status, 301)
            self.assertEqual(reply.headers["x-amz-bucket-region"],
                             "eu-central-1")
        error = self.put().xml
        self.assertEqual(error.findtext("Code"), "PermanentRedirect")
        self.assertEqual(error.findtext("Bucket"), SERVER.ready["bucket"])
        there = {"ready": {"region": "eu-central-1"}}
        self.assertEqual(self.put(**there).status, 200)
        self.assertEqual(SERVER.s3("HEAD", **there).headers[
            "x-amz-bucket-region"], "eu-central-1")
        self.assertEqual(SERVER.s3("GET", query=[("location", "")], **there)
                         .xml.text, "eu-central-1")
        # a third region is as wrong as ever, and a bad signature, too
        third = self.put(ready={"region": "eu-north-1"})
        self.assertEqual(third.code, "AuthorizationHeaderMalformed")
        for region in ("eu-central-1", "eu-west-1"):
            forged = self.put(ready={"region": region,
                                     "secret_access_key": "wrong"})
            self.assertEqual(forged.code, "SignatureDoesNotMatch")

    def test_our_region(self):
        self.settings(bucket_region=SERVER.ready["region"])
        self.assertEqual(self.put().status, 200)

    def test_kms(self):
        self.settings(encryption="aws:kms")
        reply = self.put(headers={SSE: "AES256"})
        self.assertEqual(reply.headers[SSE], "aws:kms")
        self.assertIn(b"<SSEAlgorithm>aws:kms<", SERVER.s3(
            "GET", query=[("encryption", "")]).body)

    def test_a_policy_that_wants_kms(self):
        self.settings(encryption="policy")
        for headers in ({}, {SSE: "AES256"}):
            reply = self.put(headers=headers)
            self.assertEqual((reply.status, reply.code),
                             (403, "AccessDenied"))
        self.assertEqual(self.put(headers={SSE: "aws:kms"}).status, 200)

    def test_pages(self):
        for _ in range(3):
            self.put()
        self.settings(page_size=2)
        page = SERVER.s3("GET", query=[("versions", "")]).xml
        self.assertEqual(len(page.findall("Version")), 2)
        self.assertEqual(page.findtext("IsTruncated"), "true")

    def test_the_books(self):
        version = self.put(headers={"content-type": "text/csv"}).headers[
            "x-amz-version-id"]
        self.assertEqual(SERVER.admin("POST", "delete", {"key": "a.csv"}).json,
                         {"deleted": True})
        marker, item = SERVER.admin("GET", "objects").json["objects"]
        self.assertEqual((marker["marker"], marker["latest"]), (True, True))
        self.assertEqual(item["version_id"], version)
        self.assertEqual(item["sha256"], hashlib.sha256(TEXT).hexdigest())
        self.assertEqual(
            (item["key"], item["size"], item["encryption"], item["latest"],
             item["content_type"], item["marker"]),
            ("a.csv", len(TEXT), "AES256", False, "text/csv", False))
        SERVER.admin("POST", "delete", {"key": "a.csv",
                                        "version_id": version})
        self.assertEqual(len(SERVER.admin("GET", "objects").json["objects"]),
                         1)


if __name__ == "__main__":
    unittest.main()
