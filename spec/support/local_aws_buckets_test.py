#!/usr/bin/env python3
"""
Buckets of the local AWS as accounts set them up: encryption, policies, locks,
owners, regions; what a caller may do there, and what Personalize may read.

Run: python3 spec/support/local_aws_buckets_test.py
"""

import base64
import hashlib
import unittest

import local_aws_test as outside

TEXT = b"USER_ID\nalice\n"
SHA256 = base64.b64encode(hashlib.sha256(TEXT).digest()).decode()
MD5 = base64.b64encode(hashlib.md5(TEXT).digest()).decode()
SSE = "x-amz-server-side-encryption"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"
READS = ["s3:GetObject", "s3:ListBucket"]
SERVICE = {"Service": "personalize.amazonaws.com"}


def setUpModule():
    global SERVER
    SERVER = outside.Server()


def tearDownModule():
    code, errors = SERVER.close()
    assert (code, errors) == (0, b""), errors.decode()


class Case(unittest.TestCase):
    def setUp(self):
        SERVER.admin("POST", "reset")

    def world(self, **members):
        reply = SERVER.admin("POST", "world", members)
        self.assertEqual(reply.status, 200, reply.body)

    def bucket(self, name="erasure", **members):
        self.world(buckets=[dict(members, name=name)])

    def statement(self, effect="Allow", **members):
        self.bucket(policy={"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Principal": "*", "Action": "s3:*",
             "Resource": ["arn:aws:s3:::erasure", "arn:aws:s3:::erasure/*"],
             **members}]})

    def ask(self, name, bucket=None, **changes):
        return SERVER.s3("GET", query=[(name, "")], bucket=bucket, **changes)

    def put(self, key="users.csv", text=TEXT, **changes):
        return SERVER.s3("PUT", key, text, **changes)

    def refused(self, reply, code, status, message="."):
        self.assertEqual((reply.code, reply.status), (code, status),
                         reply.body)
        self.assertRegex(reply.xml.findtext("Message"), message)


class Told(Case):
    """What a bucket tells of itself."""

    def test_as_it_is_from_the_start(self):
        self.assertEqual(self.ask("encryption").xml.findtext(
            "Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm"), "AES256")
        self.assertIsNone(self.ask("versioning").xml.find("Status"))
        for name, code in (
                ("policy", "NoSuchBucketPolicy"),
                ("policyStatus", "NoSuchBucketPolicy"),
                ("object-lock", "ObjectLockConfigurationNotFoundError")):
            self.refused(self.ask(name), code, 404)
        self.assertEqual(self.ask("location").xml.text, "eu-west-1")

    def test_encryption(self):
        for given, algorithm, key in (
                ({"SSEAlgorithm": "aws:kms"}, "aws:kms", None),
                ({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
                 "aws:kms", KEY),
                ({"SSEAlgorithm": "aws:kms:dsse",
                  "KMSMasterKeyID": "alias/aws/s3"}, "aws:kms:dsse",
                 "alias/aws/s3")):
            self.bucket(encryption=given)
            default = self.ask("encryption").xml.find(
                "Rule/ApplyServerSideEncryptionByDefault")
            self.assertEqual((default.findtext("SSEAlgorithm"),
                              default.findtext("KMSMasterKeyID")),
                             (algorithm, key))
        self.bucket(encryption=None)
        self.refused(self.ask("encryption"),
                     "ServerSideEncryptionConfigurationNotFoundError", 404)

    def test_versioning(self):
        for status, delete in (("Enabled", "Enabled"), ("Suspended", ""),
                               ("", "Disabled")):
            self.bucket(versioning=status, mfaDelete=delete)
            told = self.ask("versioning").xml
            self.assertEqual((told.findtext("Status", ""),
                              told.findtext("MfaDelete", "")),
                             (status, delete))

    def test_policy(self):
        self.statement(Principal=SERVICE, Action=READS)
        reply = self.ask("policy")
        self.assertEqual(reply.json["Statement"][0]["Action"], READS)
        self.assertEqual(reply.headers["content-type"], "application/json")
        self.assertEqual(self.ask("policyStatus").xml.findtext("IsPublic"),
                         "false")
        self.statement(Action=READS)
        self.assertEqual(self.ask("policyStatus").xml.findtext("IsPublic"),
                         "true")
        self.bucket(isPublic="FALSE", policy="{no JSON")
        self.assertEqual(self.ask("policyStatus").xml.findtext("IsPublic"),
                         "FALSE")
        self.assertEqual(self.ask("policy").body, b"{no JSON")
        self.bucket(policy=None)
        self.refused(self.ask("policy"), "NoSuchBucketPolicy", 404)

    def test_object_lock(self):
        self.bucket(objectLock={})
        told = self.ask("object-lock").xml
        self.assertEqual(told.findtext("ObjectLockEnabled"), "Enabled")
        self.assertIsNone(told.find("Rule"))
        self.bucket(objectLock={"Mode": "GOVERNANCE", "Years": 2})
        rule = self.ask("object-lock").xml.find("Rule/DefaultRetention")
        self.assertEqual([(e.tag, e.text) for e in rule],
                         [("Mode", "GOVERNANCE"), ("Years", "2")])
        self.assertEqual(self.ask("versioning").xml.findtext("Status"),
                         "Enabled")

    def test_faults(self):
        SERVER.fault("GetBucketPolicy=SlowDown:1")
        self.refused(self.ask("policy"), "SlowDown", 503)
        SERVER.fault("GetBucketEncryption=garbled:1")
        self.assertNotIn(b"</ServerSideEncryptionConfiguration>",
                         self.ask("encryption").body)

    def test_odd_setups_are_refused(self):
        for members in ({"encryption": {"SSEAlgorithm": "rot13"}},
                        {"encryption": {}}, {"versioning": "On"},
                        {"objectLock": {"Mode": "X"}}, {"owner": "me"},
                        {"colour": "red"}, {"name": "A"},
                        {"name": "latest"}):
            reply = SERVER.admin("POST", "world", {"buckets": [
                dict({"name": "erasure"}, **members)]})
            self.assertEqual(reply.status, 400, members)
            self.assertTrue(reply.json["error"])


class Several(Case):
    def test_buckets_are_apart(self):
        self.bucket("second", objects={"a.csv": "USER_ID\nx\ny\n"})
        self.assertEqual(self.put("a.csv").status, 200)
        self.assertEqual(SERVER.s3("GET", "a.csv").body, TEXT)
        self.assertEqual(SERVER.s3("GET", "a.csv", bucket="second").body,
                         b"USER_ID\nx\ny\n")
        job = SERVER.run_list(None, location="s3://second/a.csv")
        self.assertEqual(job["numDeleted"], 2)
        books = SERVER.admin("GET", "objects").json["objects"]
        self.assertEqual([(o["bucket"], o["key"]) for o in books],
                         [("erasure", "a.csv"), ("second", "a.csv")])
        SERVER.admin("POST", "delete", {"bucket": "second", "key": "a.csv"})
        listed = SERVER.s3("GET", query=[("list-type", "2")], bucket="second")
        self.assertEqual(listed.xml.findtext("KeyCount"), "0")
        self.bucket("second", gone=True)
        self.refused(self.ask("location", "second"), "NoSuchBucket", 404)
        self.assertEqual(SERVER.s3("HEAD", bucket="second").status, 404)

    def test_one_in_another_region(self):
        self.bucket("far", region="ap-south-1")
        reply = SERVER.s3("HEAD", bucket="far")
        self.assertEqual((reply.status, reply.body), (301, b""))
        self.assertEqual(reply.headers["x-amz-bucket-region"], "ap-south-1")
        reply = self.put(bucket="far")
        self.refused(reply, "PermanentRedirect", 301)
        self.assertEqual(reply.xml.findtext("Bucket"), "far")
        there = {"bucket": "far", "ready": {"region": "ap-south-1"}}
        self.assertEqual(self.put(**there).status, 200)
        self.assertEqual(SERVER.s3("HEAD", **there).status, 200)
        self.assertEqual(self.put().status, 200)

    def test_somebody_elses(self):
        self.bucket("theirs", owner="210987654321")
        reply = SERVER.s3("HEAD", bucket="theirs")
        self.assertEqual((reply.status, reply.body), (403, b""))
        self.assertEqual(reply.headers["x-amz-bucket-region"], "eu-west-1")
        self.refused(self.put(bucket="theirs"), "AccessDenied", 403)
        self.refused(self.ask("policy", "theirs"), "MethodNotAllowed", 405)
        self.bucket("theirs", policy={"Statement": [{
            "Effect": "Allow", "Principal": {"AWS": "123456789012"},
            "Action": "s3:*", "Resource": "*"}]})
        self.assertEqual(self.put(bucket="theirs").status, 200)
        for owner, status in (("210987654321", 200), ("123456789012", 403)):
            reply = self.put(bucket="theirs", headers={
                "x-amz-expected-bucket-owner": owner})
            self.assertEqual(reply.status, status)


class Uploads(Case):
    def test_default_encryption(self):
        self.bucket(encryption={"SSEAlgorithm": "aws:kms",
                                "KMSMasterKeyID": KEY})
        for headers, algorithm, key in (
                ({}, "aws:kms", KEY), ({SSE: "AES256"}, "AES256", None),
                ({SSE: "aws:kms"}, "aws:kms", None),
                ({SSE: "aws:kms", SSE + "-aws-kms-key-id": "alias/mine"},
                 "aws:kms", "alias/mine")):
            for reply in (self.put(headers=headers),
                          SERVER.s3("HEAD", "users.csv")):
                self.assertEqual(
                    (reply.headers[SSE],
                     reply.headers.get(SSE + "-aws-kms-key-id")),
                    (algorithm, key))

    def test_checksums_are_kept(self):
        header = "x-amz-checksum-sha256"
        reply = self.put(headers={header: SHA256})
        self.assertEqual((reply.headers[header],
                          reply.headers["x-amz-checksum-type"]),
                         (SHA256, "FULL_OBJECT"))
        self.assertNotIn(header, SERVER.s3("HEAD", "users.csv").headers)
        mode = {"x-amz-checksum-mode": "ENABLED"}
        for method in ("HEAD", "GET"):
            reply = SERVER.s3(method, "users.csv", headers=mode)
            self.assertEqual((reply.headers[header],
                              reply.headers["x-amz-checksum-type"]),
                             (SHA256, "FULL_OBJECT"))
        part = SERVER.s3("GET", "users.csv",
                         headers=dict(mode, range="bytes=0-3"))
        self.assertNotIn(header, part.headers)
        self.refused(self.put(headers={header: MD5}), "BadDigest", 400)
        self.put()
        self.assertNotIn("x-amz-checksum-type", SERVER.s3(
            "HEAD", "users.csv", headers=mode).headers)

    def test_locks_demand_a_checksum_and_hold(self):
        self.bucket(objectLock={})
        self.assertEqual(self.put().status, 200)
        self.bucket(objectLock={"Mode": "COMPLIANCE", "Days": 1})
        self.refused(self.put(), "InvalidRequest", 400, "Content-MD5 OR "
                     "x-amz-checksum- HTTP header is required")
        for headers in ({"content-md5": MD5},
                        {"x-amz-checksum-sha256": SHA256}):
            reply = self.put(headers=headers)
            self.assertEqual(reply.status, 200, reply.body)
        version = [("versionId", reply.headers["x-amz-version-id"])]
        told = SERVER.s3("HEAD", "users.csv").headers
        self.assertEqual(told["x-amz-object-lock-mode"], "COMPLIANCE")
        self.assertRegex(told["x-amz-object-lock-retain-until-date"],
                         r"^\d{4}-\d\d-\d\dT")
        self.refused(SERVER.s3("DELETE", "users.csv", query=version),
                     "AccessDenied", 403, "object lock")
        self.assertEqual(SERVER.s3("DELETE", "users.csv").headers[
            "x-amz-delete-marker"], "true")
        SERVER.settings(clock_offset=2 * 24 * 3600)
        self.assertEqual(SERVER.s3(
            "DELETE", "users.csv", query=version,
            date=outside.stamp(2 * 24 * 3600)).status, 204)

    def test_mfa_delete(self):
        self.bucket(versioning="Enabled", mfaDelete="Enabled")
        version = [("versionId", self.put().headers["x-amz-version-id"])]
        self.refused(SERVER.s3("DELETE", "users.csv", query=version),
                     "AccessDenied", 403, "Mfa Authentication")
        self.assertEqual(SERVER.s3(
            "DELETE", "users.csv", query=version,
            headers={"x-amz-mfa": "serial 123456"}).status, 204)

    def test_suspended_versioning(self):
        self.bucket(versioning="Enabled")
        self.put()
        self.bucket(versioning="Suspended")
        for _ in range(2):
            self.assertEqual(self.put().headers["x-amz-version-id"], "null")
        page = self.ask("versions").xml
        self.assertEqual(len(page.findall("Version")), 2)
        self.assertEqual(SERVER.s3("DELETE", "users.csv").headers[
            "x-amz-version-id"], "null")
        page = self.ask("versions").xml
        self.assertEqual((len(page.findall("Version")),
                          len(page.findall("DeleteMarker"))), (1, 1))


class Callers(Case):
    """What a caller may do."""

    def deny(self, *actions):
        reply = SERVER.admin("POST", "deny", list(actions))
        self.assertEqual(reply.status, 200, reply.body)

    def test_every_action_can_be_denied(self):
        self.put()
        for action, method, key, query in (
                ("ListBucket", "GET", "", [("list-type", "2")]),
                ("ListBucketVersions", "GET", "", [("versions", "")]),
                ("GetEncryptionConfiguration", "GET", "",
                 [("encryption", "")]),
                ("GetBucketVersioning", "GET", "", [("versioning", "")]),
                ("GetBucketPolicy", "GET", "", [("policy", "")]),
                ("GetBucketPolicyStatus", "GET", "", [("policyStatus", "")]),
                ("GetBucketLocation", "GET", "", [("location", "")]),
                ("GetBucketObjectLockConfiguration", "GET", "",
                 [("object-lock", "")]),
                ("GetObject", "GET", "users.csv", []),
                ("GetObjectVersion", "GET", "users.csv",
                 [("versionId", "null")]),
                ("PutObject", "PUT", "users.csv", []),
                ("DeleteObject", "DELETE", "users.csv", []),
                ("DeleteObjectVersion", "DELETE", "users.csv",
                 [("versionId", "null")])):
            self.deny("s3:" + action)
            where = "arn:aws:s3:::erasure" + ("/" + key if key else "")
            reply = SERVER.s3(method, key, query=query)
            self.refused(reply, "AccessDenied", 403)
            self.assertEqual(
                reply.xml.findtext("Message"), "User: arn:aws:iam::"
                "123456789012:user/eraser is not authorized to perform: s3:%s"
                ' on resource: "%s" because no identity-based policy allows '
                "the s3:%s action" % (action, where, action))
            SERVER.admin("DELETE", "deny")
            self.assertNotEqual(SERVER.s3(method, key, query=query).status,
                                403)

    def test_heads_give_no_reason(self):
        self.deny("s3:ListBucket")
        reply = SERVER.s3("HEAD")
        self.assertEqual((reply.status, reply.body), (403, b""))
        self.assertEqual(reply.headers["x-amz-bucket-region"], "eu-west-1")
        # and who may not list does not learn what is missing
        self.refused(SERVER.s3("GET", "none"), "AccessDenied", 403)
        SERVER.admin("DELETE", "deny")
        self.refused(SERVER.s3("GET", "none"), "NoSuchKey", 404)

    def test_one_resource_alone(self):
        self.deny("s3:Put*=arn:aws:s3:::erasure/kept/*")
        self.refused(self.put("kept/a.csv"), "AccessDenied", 403)
        self.assertEqual(self.put().status, 200)

    def test_some_of_several_deletions(self):
        self.put("a")
        self.put("b")
        self.deny("s3:DeleteObject=*/b")
        body = (b"<Delete><Object><Key>a</Key></Object>"
                b"<Object><Key>b</Key></Object></Delete>")
        reply = SERVER.s3("POST", body=body, query=[("delete", "")])
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.xml.findtext("Deleted/Key"), "a")
        self.assertEqual((reply.xml.findtext("Error/Key"),
                          reply.xml.findtext("Error/Code")),
                         ("b", "AccessDenied"))

    def test_a_policy_for_one_vpc(self):
        self.statement("Deny", Condition={
            "StringNotEquals": {"aws:SourceVpce": "vpce-1"}})
        self.refused(self.put(), "AccessDenied", 403,
                     'resource: "arn:aws:s3:::erasure/users.csv" with an '
                     "explicit deny in a resource-based policy")
        self.refused(self.ask("policy"), "AccessDenied", 403)
        SERVER.settings(source_vpce="vpce-1")
        self.assertEqual(self.put().status, 200)
        self.assertEqual(self.ask("policy").status, 200)

    def test_policies_about_headers_and_tls(self):
        self.statement("Deny", Action="s3:PutObject", Condition={
            "StringEquals": {"s3:" + SSE: "AES256"}})
        self.refused(self.put(headers={SSE: "AES256"}), "AccessDenied", 403)
        self.assertEqual(self.put().status, 200)
        self.statement("Deny", Condition={
            "Bool": {"aws:SecureTransport": "false"}})
        self.refused(self.put(), "AccessDenied", 403)

    def test_policies_about_callers(self):
        self.statement("Deny", Principal={
            "AWS": "arn:aws:iam::123456789012:user/eraser"})
        self.refused(self.put(), "AccessDenied", 403)
        self.statement("Deny", Principal={
            "AWS": "arn:aws:iam::123456789012:user/other"})
        self.assertEqual(self.put().status, 200)
        self.bucket(policy="nonsense")
        self.assertEqual(self.put().status, 200)


class Readers(Case):
    """What Personalize may read."""

    def setUp(self):
        super().setUp()
        self.assertEqual(self.put().status, 200)
        self.count = 0

    def job(self, **members):
        self.count += 1
        SERVER.settings(job_seconds=0)
        name = "job-%d" % self.count
        reply = SERVER.create(name, **members)
        self.assertEqual(reply.status, 200, reply.body)
        return SERVER.describe(name)

    def fails(self, reason):
        job = self.job()
        self.assertEqual(job["status"], "FAILED", job)
        self.assertRegex(job["failureReason"], reason)

    def works(self):
        self.assertEqual(self.job()["status"], "COMPLETED")

    def role(self, **members):
        self.world(roles=[dict(members, roleArn=SERVER.ready["role_arn"])])

    def test_a_deny_of_the_bucket(self):
        for members in ({"Principal": SERVICE}, {"Principal": "*", "Condition":
                        {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}},
                        {"Principal": {"AWS": SERVER.ready["role_arn"]}},
                        {"Action": "s3:GetObject"}):
            SERVER.settings(source_vpce="vpce-1")
            self.statement("Deny", **members)
            self.fails("insufficient privileges.*erasure.*denied by the "
                       "policy of the bucket")
        for members in ({"Principal": {"Service": "s3.amazonaws.com"}},
                        {"Action": "s3:PutObject", "Principal": SERVICE},
                        {"Condition": {"StringNotEquals": {
                            "aws:SourceAccount": "123456789012"}}}):
            self.statement("Deny", **members)
            self.works()

    def test_the_roles_own_policy(self):
        nothing = {"Statement": []}
        self.role(policy=nothing)
        self.fails("insufficient privileges.*allowed by no policy")
        self.statement(Principal=SERVICE, Action=READS)
        self.works()
        self.bucket(policy=None)
        only = {"Effect": "Allow", "Resource": "*"}
        for action, reason in (("s3:GetObject", "s3:ListBucket on"),
                               ("s3:ListBucket", "s3:GetObject on")):
            self.role(policy={"Statement": [dict(only, Action=action)]})
            self.fails(reason)
        self.role(policy={"Statement": [
            dict(only, Action="*"), dict(only, Action="s3:GetObject",
                                         Effect="Deny")]})
        self.fails("denied by the policy of the role PersonalizeS3")

    def test_another_accounts_bucket(self):
        self.bucket("theirs", owner="210987654321",
                    objects={"users.csv": "USER_ID\na\n"})
        there = {"dataSource": {"dataLocation": "s3://theirs/users.csv"}}
        self.assertRegex(self.job(**there)["failureReason"],
                         "not allowed by the policy of the bucket")
        self.bucket("theirs", policy={"Statement": {
            "Effect": "Allow", "Action": READS, "Resource": "*",
            "Principal": SERVICE}})
        self.assertEqual(self.job(**there)["status"], "COMPLETED")

    def test_a_customers_key(self):
        self.bucket(encryption={"SSEAlgorithm": "aws:kms",
                                "KMSMasterKeyID": KEY})
        self.put()
        self.fails("encrypted with aws:kms")
        self.put(headers={SSE: "AES256"})
        self.works()

    def test_roles_that_personalize_cannot_assume(self):
        arn = SERVER.ready["role_arn"]
        other = arn.replace("PersonalizeS3", "Other")
        trust = {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
                               "Principal": {"Service":
                                             "lambda.amazonaws.com"}}}
        self.world(roles=[{"roleArn": other, "trust": trust}])
        for bad in (arn + "x", arn.replace("role/", "role/path/"), other,
                    arn.replace("PersonalizeS3", "Eraser")):
            reply = SERVER.create("refused", roleArn=bad)
            self.assertEqual(reply.code, "InvalidInputException", reply.body)
            self.assertRegex(reply.json["message"], "cannot assume the role")
        for condition, fits in (
                ({"aws:SourceAccount": "123456789012"}, True),
                ({"aws:SourceAccount": "210987654321"}, False)):
            self.world(roles=[{"roleArn": other, "trust": {"Statement": {
                "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": SERVICE,
                "Condition": {"StringEquals": condition}}}}])
            reply = SERVER.create("conditions", roleArn=other)
            self.assertEqual(reply.status, 200 if fits else 400, reply.body)

    def test_a_role_that_goes_away(self):
        SERVER.settings(job_seconds=10**6)
        SERVER.create("late")
        self.role(gone=True)
        SERVER.admin("POST", "job", {"jobName": "late",
                                     "status": "COMPLETED"})
        job = SERVER.describe("late")
        self.assertEqual(job["status"], "FAILED")
        self.assertRegex(job["failureReason"], "cannot assume")

    def test_roles_that_may_not_be_passed(self):
        SERVER.admin("POST", "deny", {"action": "iam:PassRole"})
        reply = SERVER.create("one")
        self.assertEqual(reply.code, "AccessDeniedException")
        self.assertRegex(reply.json["message"],
                         "perform: iam:PassRole on resource: %s because"
                         % SERVER.ready["role_arn"])


if __name__ == "__main__":
    unittest.main()
