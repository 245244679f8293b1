#!/usr/bin/env python3
"""
The local AWS, seen by the AWS SDK for JavaScript: the same world, in its
pages, exceptions, dates and checksums.

The SDK comes from npm, into a folder of its own that goes again; where node
or npm is not, or npm brings nothing, the tests are skipped and say why.

Run: python3 spec/support/local_aws_javascript_test.py
"""

import base64
import datetime
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from urllib.parse import unquote

import local_aws_test as outside
from local_aws_world_test import FULL, PREFIX, SHOP

HERE = os.path.dirname(os.path.realpath(__file__))
NAMES = ["@aws-sdk/client-personalize", "@aws-sdk/client-s3",
         "@aws-sdk/client-sts", "@aws-sdk/client-iam"]
NODE = 18                           # what today's SDK needs
INSTALL_SECONDS = 300               # against hanging
TEXT = "USER_ID\nalice\nbob\n"


def version_of_node():
    """Its major version; None where there is no node."""
    try:
        text = subprocess.run(["node", "--version"], stdout=subprocess.PIPE,
                              timeout=outside.LAST, check=True).stdout
        return int(text.decode().lstrip("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def install(folder):
    """Brings the SDK; why not, where that fails."""
    node = version_of_node()
    if node is None or not shutil.which("npm"):
        return "node and npm are not installed"
    if node < NODE:
        return "node %d is too old for the SDK, which needs %d" % (node, NODE)
    with open(os.path.join(folder, "package.json"), "w") as file:
        file.write('{"private": true}')
    try:
        run = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
             "--no-package-lock", "--fetch-retries=1",
             "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000",
             *[name + "@3" for name in NAMES]],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return "npm brought no SDK within %d seconds" % INSTALL_SECONDS
    if run.returncode:
        lines = run.stdout.decode(errors="replace").split("\n")
        return "npm brought no SDK: " + next(
            (line.strip() for line in lines if "code" in line), "no reason")
    run = subprocess.run(
        ["node", "-e", "process.argv.slice(1).forEach(require)", *NAMES],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        timeout=INSTALL_SECONDS)
    if run.returncode:
        return "the SDK does not load in node %d" % node
    return None


class Sdk:
    """The driver in node, and what it is asked."""

    def __init__(self, folder, ready):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith("AWS_")}
        env.update(HOME=folder, NODE_EXTRA_CA_CERTS=ready["ca_bundle"],
                   NODE_NO_WARNINGS="1", AWS_EC2_METADATA_DISABLED="true",
                   no_proxy="127.0.0.1")
        self.process = subprocess.Popen(
            ["node", os.path.join(HERE, "local_aws_sdk.js"), folder,
             json.dumps(ready)], env=env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)

    def ask(self, service, command, **more):
        line = json.dumps({"service": service, "command": command, **more})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "broken" in answer:
            raise AssertionError(answer["broken"])
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(outside.LAST)


def setUpModule():
    global FOLDER, SERVER, SDK
    FOLDER = tempfile.mkdtemp(prefix="local-aws-sdk-")
    why = install(FOLDER)
    if why:
        shutil.rmtree(FOLDER)
        # a test that is skipped by its module is not counted; these are
        Case.why = why
        return
    SERVER = outside.Server("--tls")
    SDK = Sdk(FOLDER, SERVER.ready)


def tearDownModule():
    if Case.why:
        return
    SDK.close()
    shutil.rmtree(FOLDER)
    code, errors = SERVER.close()
    assert (code, errors) == (0, b""), errors.decode()


class Case(unittest.TestCase):
    why = None

    def setUp(self):
        if self.why:
            self.skipTest(self.why)
        SERVER.admin("POST", "reset")

    def world(self, document):
        reply = SERVER.admin("POST", "world", document)
        self.assertEqual(reply.status, 200, reply.body)

    def works(self, service, command, **input_):
        answer = SDK.ask(service, command, input=input_)
        self.assertNotIn("error", answer, answer)
        return answer["output"]

    def fails(self, error, service, command, **input_):
        answer = SDK.ask(service, command, input=input_)
        self.assertEqual(answer.get("error"), error, answer)
        return answer


class Personalize(Case):
    def pages(self, command, member, size=100, **input_):
        answer = SDK.ask("personalize", command, input=input_, paginate=size)
        self.assertIn("pages", answer, answer)
        return [page.get(member, []) for page in answer["pages"]]

    def test_the_same_world(self):
        self.world(FULL)
        for resource in SERVER.admin("GET", "world").json["resources"]:
            plural = resource["kind"]
            arn = plural[:-1] + "Arn"
            command = "List" + plural[0].upper() + plural[1:]
            found = [item for page in self.pages(command, plural, 1)
                     for item in page if item[arn] == resource["arn"]]
            self.assertEqual([item["status"] for item in found],
                             [resource["status"]])
            described = self.works(
                "personalize", "Describe" + command[4:-1],
                **{arn: resource["arn"]})[plural[:-1]]
            for item in found + [described]:
                made = datetime.datetime.strptime(
                    item["creationDateTime"], "%Y-%m-%dT%H:%M:%S.%fZ"
                ).replace(tzinfo=datetime.timezone.utc).timestamp()
                self.assertAlmostEqual(made, resource["creationDateTime"], 2)

    def test_nested_members(self):
        self.world(FULL)
        solution = self.works("personalize", "DescribeSolution", solutionArn=(
            PREFIX + "solution/popular"))["solution"]
        self.assertEqual(solution["solutionConfig"], {
            "autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}})
        self.assertIs(solution["performAutoTraining"], True)
        self.assertEqual(solution["latestSolutionVersion"]["trainingType"],
                         "AUTOMATIC")
        self.assertEqual(self.works(
            "personalize", "ListSolutions", datasetGroupArn=PREFIX
            + "dataset-group/films")["solutions"], [])

    def test_a_thousand_groups(self):
        names = ["group-%d" % i for i in range(1000)]
        self.world({"datasetGroups": [{"name": n} for n in names]})
        pages = self.pages("ListDatasetGroups", "datasetGroups")
        self.assertEqual(len(pages), 11)
        self.assertEqual([g["name"] for page in pages for g in page],
                         ["shop"] + names)

    def test_odd_pages(self):
        self.world(FULL)
        SERVER.fault("ListSolutions=extra-page")
        self.assertEqual([len(p) for p in self.pages(
            "ListSolutions", "solutions")], [2, 0])
        SERVER.admin("DELETE", "fault")
        SERVER.fault("ListSolutions=empty-page:1")
        self.assertEqual([len(p) for p in self.pages(
            "ListSolutions", "solutions")], [0, 2])
        self.fails("InvalidNextTokenException", "personalize",
                   "ListSolutions", nextToken="rubbish")

    def test_exceptions(self):
        for error, command, input_ in (
                ("ResourceNotFoundException", "DescribeSolution",
                 {"solutionArn": PREFIX + "solution/none"}),
                ("InvalidInputException", "ListSolutions",
                 {"datasetGroupArn": "nonsense"}),
                ("InvalidInputException", "ListSolutions",
                 {"maxResults": 101}),
                ("LimitExceededException", "CreateDataDeletionJob",
                 self.job("sixth"))):
            if command.startswith("Create"):
                for i in range(5):
                    self.works("personalize", command,
                               **self.job("job-%d" % i))
            answer = self.fails(error, "personalize", command, **input_)
            self.assertEqual((answer["status"], answer["modelled"]),
                             (400, True), answer)
        SERVER.fault("ListSolutions=ThrottlingException:1")
        self.fails("ThrottlingException", "personalize", "ListSolutions")

    def test_denials(self):
        self.world({"deny": ["personalize:ListSolutions", "iam:PassRole"]})
        answer = self.fails("AccessDeniedException", "personalize",
                            "ListSolutions")
        self.assertRegex(answer["message"], "^User: arn:aws:iam::.* is not "
                         "authorized to perform: personalize:ListSolutions on"
                         " resource: ")
        self.fails("AccessDeniedException", "personalize",
                   "CreateDataDeletionJob", **self.job("one"))

    def job(self, name, **more):
        return {"jobName": name, "datasetGroupArn": SHOP,
                "roleArn": SERVER.ready["role_arn"], "dataSource": {
                    "dataLocation": "s3://erasure/users.csv"}, **more}

    def test_a_deletion(self):
        self.works("s3", "PutObject", Bucket="erasure", Key="users.csv",
                   Body=TEXT)
        SERVER.settings(job_seconds=0.1)
        arn = self.works("personalize", "CreateDataDeletionJob",
                         **self.job("one"))["dataDeletionJobArn"]
        deadline = time.monotonic() + outside.LAST
        while True:
            job = self.works("personalize", "DescribeDataDeletionJob",
                             dataDeletionJobArn=arn)["dataDeletionJob"]
            if job["status"] == "COMPLETED":
                break
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(job["numDeleted"], 2)
        answer = self.fails(
            "InvalidInputException", "personalize", "CreateDataDeletionJob",
            **self.job("two", roleArn=SERVER.ready["role_arn"] + "-none"))
        self.assertIn("cannot assume the role", answer["message"])

    def test_a_world_made_by_the_sdk(self):
        SERVER.settings(job_seconds=0)
        def make(command, **input_):
            return self.works("personalize", command, **input_)
        group = make("CreateDatasetGroup", name="films",
                     domain="VIDEO_ON_DEMAND")["datasetGroupArn"]
        dataset = make("CreateDataset", name="d", datasetType="Users",
                       datasetGroupArn=group,
                       schemaArn=PREFIX + "schema/s")["datasetArn"]
        make("CreateDatasetImportJob", jobName="i", datasetArn=dataset,
             roleArn=SERVER.ready["role_arn"],
             dataSource={"dataLocation": "s3://erasure/in/"})
        solution = make(
            "CreateSolution", name="s", datasetGroupArn=group,
            recipeArn="arn:aws:personalize:::recipe/aws-sims",
            solutionConfig={"autoTrainingConfig": {
                "schedulingExpression": "rate(1 day)"}})["solutionArn"]
        version = make("CreateSolutionVersion", solutionArn=solution)
        tracker = make("CreateEventTracker", name="t", datasetGroupArn=group)
        self.assertTrue(tracker["trackingId"])
        self.assertEqual(
            {r["arn"] for r in SERVER.admin("GET", "world").json["resources"]
             } >= {group, dataset, solution, tracker["eventTrackerArn"],
                   version["solutionVersionArn"]}, True)


class Buckets(Case):
    def bucket(self, **members):
        self.world({"buckets": [dict(members, name="erasure")]})

    def told(self, command, bucket="erasure"):
        return self.works("s3", command, Bucket=bucket)

    def test_checksums(self):
        digest = base64.b64encode(hashlib.sha256(
            TEXT.encode()).digest()).decode()
        for given in ({"ChecksumSHA256": digest},
                      {"ChecksumAlgorithm": "SHA256"}):
            put = self.works("s3", "PutObject", Bucket="erasure", Key="a",
                             Body=TEXT, **given)
            self.assertEqual((put["ChecksumSHA256"], put["ChecksumType"]),
                             (digest, "FULL_OBJECT"))
            for command in ("HeadObject", "GetObject"):
                found = self.works("s3", command, Bucket="erasure", Key="a",
                                   ChecksumMode="ENABLED")
                self.assertEqual(
                    (found["ChecksumSHA256"], found["ChecksumType"],
                     found.get("Body", TEXT)), (digest, "FULL_OBJECT", TEXT))
        self.fails("BadDigest", "s3", "PutObject", Bucket="erasure", Key="a",
                   Body=TEXT + "x", ChecksumSHA256=digest)

    def test_setups(self):
        self.bucket(
            encryption={"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"},
            versioning="Enabled", mfaDelete="Disabled",
            policy={"Statement": []}, isPublic="TRUE",
            objectLock={"Mode": "GOVERNANCE", "Days": 3})
        self.assertEqual(self.told("GetBucketEncryption")[
            "ServerSideEncryptionConfiguration"], {"Rules": [{
                "ApplyServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"},
                "BucketKeyEnabled": False}]})
        self.assertEqual(self.told("GetBucketVersioning"), {
            "Status": "Enabled", "MFADelete": "Disabled"})
        self.assertEqual(json.loads(self.told("GetBucketPolicy")["Policy"]),
                         {"Statement": []})
        self.assertEqual(self.told("GetBucketPolicyStatus"),
                         {"PolicyStatus": {"IsPublic": True}})
        self.assertEqual(self.told("GetObjectLockConfiguration"), {
            "ObjectLockConfiguration": {
                "ObjectLockEnabled": "Enabled", "Rule": {
                    "DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}}})
        self.assertEqual(self.told("GetBucketLocation")[
            "LocationConstraint"], "eu-west-1")
        self.assertEqual(self.told("HeadBucket")["BucketRegion"],
                         "eu-west-1")
        put = self.works("s3", "PutObject", Bucket="erasure", Key="a",
                         Body=TEXT)
        self.assertEqual((put["ServerSideEncryption"], put["SSEKMSKeyId"]),
                         ("aws:kms", "k"))
        head = self.works("s3", "HeadObject", Bucket="erasure", Key="a")
        self.assertEqual(head["ObjectLockMode"], "GOVERNANCE")
        self.fails("AccessDenied", "s3", "DeleteObject", Bucket="erasure",
                   Key="a", VersionId=put["VersionId"])

    def test_what_is_not_set_up(self):
        for error, command in (
                ("NoSuchBucketPolicy", "GetBucketPolicy"),
                ("NoSuchBucketPolicy", "GetBucketPolicyStatus"),
                ("ObjectLockConfigurationNotFoundError",
                 "GetObjectLockConfiguration")):
            answer = self.fails(error, "s3", command, Bucket="erasure")
            self.assertEqual(answer["status"], 404)
        self.assertEqual(self.told("GetBucketVersioning"), {})
        self.assertEqual(self.fails("NotFound", "s3", "HeadBucket",
                                    Bucket="none")["status"], 404)

    def test_lists(self):
        for i in range(3):
            self.works("s3", "PutObject", Bucket="erasure", Key="k%d" % i,
                       Body=TEXT)
        answer = SDK.ask("s3", "ListObjectsV2", input={"Bucket": "erasure"},
                         paginate=2)
        self.assertEqual([[o["Key"] for o in page["Contents"]]
                          for page in answer["pages"]],
                         [["k0", "k1"], ["k2"]])
        found = self.works("s3", "DeleteObjects", Bucket="erasure", Delete={
            "Objects": [{"Key": "k0"}, {"Key": "k1"}]})
        self.assertEqual(len(found["Deleted"]), 2)

    def test_denials_and_strangers(self):
        self.world({"deny": ["s3:GetBucketPolicy"],
                    "buckets": [{"name": "theirs", "owner": "210987654321"}]})
        answer = self.fails("AccessDenied", "s3", "GetBucketPolicy",
                            Bucket="erasure")
        self.assertIn("s3:GetBucketPolicy on resource: "
                      '"arn:aws:s3:::erasure"', answer["message"])
        answer = self.fails("AccessDenied", "s3", "PutObject",
                            Bucket="theirs", Key="a", Body=TEXT)
        self.assertEqual(answer["status"], 403)

    def test_another_region(self):
        self.world({"buckets": [{"name": "far", "region": "ap-south-1"}]})
        answer = self.fails("PermanentRedirect", "s3", "PutObject",
                            Bucket="far", Key="a", Body=TEXT)
        self.assertEqual(answer["status"], 301)
        answer = SDK.ask(
            "s3", "PutObject", options={"followRegionRedirects": True},
            input={"Bucket": "far", "Key": "a", "Body": TEXT})
        self.assertEqual(answer.get("status"), 200, answer)


class Identities(Case):
    def test_the_caller(self):
        found = self.works("sts", "GetCallerIdentity")
        self.assertEqual((found["Account"], found["Arn"]), (
            "123456789012", "arn:aws:iam::123456789012:user/eraser"))

    def test_roles(self):
        role = self.works("iam", "GetRole", RoleName="PersonalizeS3")["Role"]
        self.assertEqual(role["Arn"], SERVER.ready["role_arn"])
        trust = json.loads(unquote(role["AssumeRolePolicyDocument"]))
        self.assertEqual(trust["Statement"][0]["Principal"],
                         {"Service": "personalize.amazonaws.com"})
        answer = self.fails("NoSuchEntityException", "iam", "GetRole",
                            RoleName="Nobody")
        self.assertEqual((answer["status"], answer["modelled"]), (404, True))

    def test_simulations(self):
        found = self.works(
            "iam", "SimulatePrincipalPolicy", ActionNames=[
                "s3:GetObject", "s3:PutObject"],
            PolicySourceArn=SERVER.ready["role_arn"],
            ResourceArns=["arn:aws:s3:::erasure/users.csv"])
        self.assertEqual(
            [(r["EvalActionName"], r["EvalDecision"],
              r["ResourceSpecificResults"][0]["EvalResourceDecision"])
             for r in found["EvaluationResults"]],
            [("s3:GetObject", "allowed", "allowed"),
             ("s3:PutObject", "implicitDeny", "implicitDeny")])
        self.assertIs(found["IsTruncated"], False)

    def test_denials(self):
        self.world({"deny": ["iam:GetRole", "sts:GetCallerIdentity"]})
        for service, command, input_ in (
                ("iam", "GetRole", {"RoleName": "PersonalizeS3"}),
                ("sts", "GetCallerIdentity", {})):
            answer = self.fails("AccessDenied", service, command, **input_)
            self.assertEqual(answer["status"], 403)
            self.assertIn("not authorized to perform: %s:%s"
                          % (service, command), answer["message"])


if __name__ == "__main__":
    unittest.main()
