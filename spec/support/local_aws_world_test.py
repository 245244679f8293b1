#!/usr/bin/env python3
"""
Dataset groups of the local AWS and all that hangs on them: what lists and
descriptions tell, what a document makes of a world, and what happens in it by
itself.

Run: python3 spec/support/local_aws_world_test.py
"""

import json
import subprocess
import tempfile
import time
import unittest

import local_aws_test as outside

PREFIX = "arn:aws:personalize:eu-west-1:123456789012:"
SHOP = PREFIX + "dataset-group/shop"
DAY = 24 * 3600
FULL = {
    "datasetGroups": [{
        "name": "shop", "domain": "ECOMMERCE",
        "kmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1",
        "datasets": [
            {"datasetType": "Interactions",
             "datasetImportJobs": [{"jobName": "nightly"},
                                   {"jobName": "weekly",
                                    "importMode": "INCREMENTAL"}],
             "datasetExportJobs": [{"jobName": "out"}]},
            {"datasetType": "Users"}],
        "solutions": [
            {"name": "popular", "solutionConfig": {
                "autoTrainingConfig": {"schedulingExpression":
                                       "rate(3 days)"}},
             "solutionVersions": [
                {"id": "a1b2c3d4", "created": -9 * DAY,
                 "batchInferenceJobs": [{"jobName": "mails"}],
                 "batchSegmentJobs": [{"jobName": "segments"}]},
                {"id": "e5f60718", "trainingType": "AUTOMATIC"}]},
            {"name": "similar", "performAutoTraining": False}],
        "recommenders": [{"name": "home", "latestRecommenderUpdate": {
            "status": "CREATE IN_PROGRESS"}}],
        "eventTrackers": [{"name": "clicks"}]},
        {"name": "films", "status": "CREATE FAILED",
         "failureReason": "the disk was full"}],
    "dataDeletionJobs": [
        {"jobName": "old", "datasetGroup": "shop", "status": "COMPLETED",
         "numDeleted": 7, "created": -2 * DAY},
        {"jobName": "new", "datasetGroup": "shop"}],
}
# list: (its members, what of the full world it tells, a filter and the rest)
LISTS = {
    "ListDatasetGroups": ("datasetGroups", "name", ["shop", "films"], {}, []),
    "ListDatasets": ("datasets", "datasetType", ["Interactions", "Users"],
                     {"datasetGroupArn": PREFIX + "dataset-group/films"}, []),
    "ListDatasetImportJobs": (
        "datasetImportJobs", "jobName", ["nightly", "weekly"],
        {"datasetArn": PREFIX + "dataset/shop/USERS"}, []),
    "ListDatasetExportJobs": (
        "datasetExportJobs", "jobName", ["out"],
        {"datasetArn": PREFIX + "dataset/shop/INTERACTIONS"}, ["out"]),
    "ListSolutions": ("solutions", "name", ["popular", "similar"],
                      {"datasetGroupArn": SHOP}, ["popular", "similar"]),
    "ListSolutionVersions": (
        "solutionVersions", "trainingType", ["MANUAL", "AUTOMATIC"],
        {"solutionArn": PREFIX + "solution/similar"}, []),
    "ListRecommenders": ("recommenders", "name", ["home"],
                         {"datasetGroupArn": PREFIX + "dataset-group/films"},
                         []),
    "ListBatchInferenceJobs": (
        "batchInferenceJobs", "jobName", ["mails"],
        {"solutionVersionArn": PREFIX + "solution/popular/a1b2c3d4"},
        ["mails"]),
    "ListBatchSegmentJobs": (
        "batchSegmentJobs", "jobName", ["segments"],
        {"solutionVersionArn": PREFIX + "solution/popular/e5f60718"}, []),
    "ListEventTrackers": ("eventTrackers", "name", ["clicks"],
                          {"datasetGroupArn": SHOP}, ["clicks"]),
}


def setUpModule():
    global SERVER
    SERVER = outside.Server()


def tearDownModule():
    code, errors = SERVER.close()
    assert (code, errors) == (0, b""), errors.decode()


class Case(unittest.TestCase):
    def setUp(self):
        SERVER.admin("POST", "reset")

    def world(self, document):
        reply = SERVER.admin("POST", "world", document)
        self.assertEqual(reply.status, 200, reply.body)

    def call(self, operation, **params):
        reply = SERVER.call(operation, params)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json

    def refused(self, code, operation, **params):
        reply = SERVER.call(operation, params)
        self.assertEqual((reply.code, reply.status), (code, 400), reply.body)
        return reply.json.get("message")

    def statuses(self, operation, member, **params):
        return [item["status"] for item in self.call(operation,
                                                     **params)[member]]

    def until(self, found):
        """Waits until it finds something, which is then the answer."""
        deadline = time.monotonic() + outside.LAST
        while True:
            answer = found()
            if answer:
                return answer
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)


class Full(Case):
    def setUp(self):
        super().setUp()
        self.world(FULL)

    def test_lists(self):
        for operation, (member, name, whole, filtered, rest) in LISTS.items():
            reply = self.call(operation)
            self.assertEqual([i[name] for i in reply[member]], whole)
            self.assertEqual(set(reply), {member})
            reply = self.call(operation, **filtered)
            self.assertEqual([i[name] for i in reply[member]],
                             rest if filtered else whole)

    def test_members_of_summaries(self):
        times = {"status", "creationDateTime", "lastUpdatedDateTime"}
        for operation, member, names in (
                ("ListDatasetGroups", "datasetGroups",
                 {"name", "datasetGroupArn", "domain"}),
                ("ListDatasets", "datasets",
                 {"name", "datasetArn", "datasetType"}),
                ("ListDatasetImportJobs", "datasetImportJobs",
                 {"jobName", "datasetImportJobArn", "importMode"}),
                ("ListDatasetExportJobs", "datasetExportJobs",
                 {"jobName", "datasetExportJobArn"}),
                ("ListSolutions", "solutions",
                 {"name", "solutionArn", "recipeArn"}),
                ("ListSolutionVersions", "solutionVersions",
                 {"solutionVersionArn", "trainingMode", "trainingType"}),
                ("ListRecommenders", "recommenders",
                 {"name", "recommenderArn", "datasetGroupArn", "recipeArn",
                  "recommenderConfig"}),
                ("ListBatchInferenceJobs", "batchInferenceJobs",
                 {"jobName", "batchInferenceJobArn", "solutionVersionArn",
                  "batchInferenceJobMode"}),
                ("ListBatchSegmentJobs", "batchSegmentJobs",
                 {"jobName", "batchSegmentJobArn", "solutionVersionArn"}),
                ("ListEventTrackers", "eventTrackers",
                 {"name", "eventTrackerArn"})):
            found = self.call(operation)[member][0]
            self.assertEqual(set(found), times | names, operation)

    def test_arns(self):
        for operation, member, name, arn in (
                ("ListDatasets", "datasets", "datasetArn",
                 "dataset/shop/INTERACTIONS"),
                ("ListDatasetImportJobs", "datasetImportJobs",
                 "datasetImportJobArn", "dataset-import-job/nightly"),
                ("ListSolutionVersions", "solutionVersions",
                 "solutionVersionArn", "solution/popular/a1b2c3d4"),
                ("ListBatchSegmentJobs", "batchSegmentJobs",
                 "batchSegmentJobArn", "batch-segment-job/segments")):
            self.assertEqual(self.call(operation)[member][0][name],
                             PREFIX + arn)

    def test_descriptions(self):
        group = self.call("DescribeDatasetGroup",
                          datasetGroupArn=SHOP)["datasetGroup"]
        self.assertEqual((group["domain"], group["kmsKeyArn"]), (
            "ECOMMERCE", "arn:aws:kms:eu-west-1:123456789012:key/1"))
        group = self.call("DescribeDatasetGroup", datasetGroupArn=PREFIX
                          + "dataset-group/films")["datasetGroup"]
        self.assertEqual((group["status"], group["failureReason"]),
                         ("CREATE FAILED", "the disk was full"))
        self.assertNotIn("domain", group)
        solution = self.call("DescribeSolution", solutionArn=PREFIX
                             + "solution/popular")["solution"]
        self.assertIs(solution["performAutoTraining"], True)
        self.assertEqual(solution["datasetGroupArn"], SHOP)
        self.assertEqual(solution["solutionConfig"]["autoTrainingConfig"],
                         {"schedulingExpression": "rate(3 days)"})
        self.assertEqual(solution["latestSolutionVersion"], self.call(
            "ListSolutionVersions")["solutionVersions"][1])
        solution = self.call("DescribeSolution", solutionArn=PREFIX
                             + "solution/similar")["solution"]
        self.assertIs(solution["performAutoTraining"], False)
        self.assertNotIn("latestSolutionVersion", solution)
        found = self.call("DescribeRecommender", recommenderArn=PREFIX
                          + "recommender/home")["recommender"]
        self.assertEqual(found["latestRecommenderUpdate"]["status"],
                         "CREATE IN_PROGRESS")
        found = self.call(
            "DescribeDatasetImportJob", datasetImportJobArn=PREFIX
            + "dataset-import-job/weekly")["datasetImportJob"]
        self.assertEqual(found["datasetArn"],
                         PREFIX + "dataset/shop/INTERACTIONS")
        self.assertEqual(found["importMode"], "INCREMENTAL")

    def test_every_description(self):
        for resource in SERVER.admin("GET", "world").json["resources"]:
            kind = resource["kind"][:-1]
            found = self.call("Describe" + kind[0].upper() + kind[1:],
                              **{kind + "Arn": resource["arn"]})[kind]
            self.assertEqual(found[kind + "Arn"], resource["arn"])
            self.assertEqual(found["status"], resource["status"])

    def test_strangers(self):
        for arn, code in (
                (PREFIX + "solution/none", "ResourceNotFoundException"),
                (SHOP, "InvalidInputException"),
                (PREFIX + "solution/popular/a1b2c3d4",
                 "InvalidInputException"),
                ("nonsense", "InvalidInputException"),
                (None, "InvalidInputException"),
                ((PREFIX + "solution/popular").replace("eu-west", "us-west"),
                 "ResourceNotFoundException")):
            self.refused(code, "DescribeSolution", solutionArn=arn)
        self.refused("ResourceNotFoundException", "ListSolutionVersions",
                     solutionArn=PREFIX + "solution/none")
        self.refused("InvalidInputException", "ListSolutions",
                     datasetGroupArn=PREFIX + "solution/popular")
        self.assertEqual(self.call("ListSolutions", datasetGroupArn=PREFIX
                                   + "dataset-group/none")["solutions"], [])
        for params in ({"maxResults": 0}, {"maxResults": 101}):
            self.refused("InvalidInputException", "ListSolutions", **params)
        self.refused("InvalidNextTokenException", "ListSolutions",
                     nextToken="rubbish")

    def test_batch_jobs_of_the_account(self):
        for how, answer in (("account", ["ACTIVE"]), ("empty", [])):
            SERVER.settings(batch_lists=how)
            self.assertEqual(self.statuses("ListBatchInferenceJobs",
                                           "batchInferenceJobs"), answer)
        SERVER.settings(batch_lists="refused")
        version = {"solutionVersionArn": PREFIX + "solution/popular/a1b2c3d4"}
        for kind in ("Inference", "Segment"):
            self.refused("InvalidInputException", "ListBatch%sJobs" % kind)
            self.assertEqual(self.statuses(
                "ListBatch%sJobs" % kind, "batch%sJobs" % kind, **version),
                ["ACTIVE"])

    def test_deletion_jobs(self):
        found = self.call("ListDataDeletionJobs")["dataDeletionJobs"]
        self.assertEqual([(j["jobName"], j["status"]) for j in found],
                         [("new", "PENDING"), ("old", "COMPLETED")])
        self.assertEqual(SERVER.describe("old")["numDeleted"], 7)
        self.assertLess(found[1]["creationDateTime"], time.time() - DAY)
        for i in range(4):
            SERVER.create("job-%d" % i)
        self.assertEqual(SERVER.create("full").code, "LimitExceededException")
        self.world({"dataDeletionJobs": [{
            "jobName": "new", "status": "FAILED", "failureReason": "why"}]})
        self.assertEqual(SERVER.describe("new")["failureReason"], "why")
        self.assertEqual(SERVER.create("full").status, 200)

    def test_tags(self):
        arn = PREFIX + "solution/popular"
        self.call("TagResource", resourceArn=arn, tags=[
            {"tagKey": "a", "tagValue": "1"}])
        self.assertEqual(self.call("ListTagsForResource", resourceArn=arn), {
            "tags": [{"tagKey": "a", "tagValue": "1"}]})
        self.assertEqual(self.call("ListTagsForResource", resourceArn=SHOP),
                         {"tags": []})


class Pages(Case):
    def pages(self, operation, member, limit=50, **params):
        """Every page, and how often a token came twice."""
        pages, token = [], None
        for _ in range(limit):
            more = {"nextToken": token} if token else {}
            reply = self.call(operation, **params, **more)
            pages.append([i.get("name") for i in reply[member]])
            token = reply.get("nextToken")
            if not token:
                return pages
        return pages

    def test_a_thousand_groups(self):
        names = ["group-%d" % i for i in range(1000)]
        self.world({"datasetGroups": [{"name": name} for name in names]})
        pages = self.pages("ListDatasetGroups", "datasetGroups")
        self.assertEqual([len(p) for p in pages], [100] * 10 + [1])
        self.assertEqual(sum(pages, []), ["shop"] + names)

    def test_short_pages_and_what_tokens_fit(self):
        self.world(FULL)
        SERVER.settings(list_page_size=1)
        self.assertEqual(self.pages("ListSolutions", "solutions",
                                    maxResults=100),
                         [["popular"], ["similar"]])
        token = self.call("ListSolutions")["nextToken"]
        for operation, params in (("ListDatasets", {}), ("ListSolutions", {
                "datasetGroupArn": SHOP})):
            self.refused("InvalidNextTokenException", operation,
                         nextToken=token, **params)

    def test_odd_pages(self):
        self.world(FULL)
        SERVER.fault("ListSolutions=empty-page:1")
        self.assertEqual(self.pages("ListSolutions", "solutions"),
                         [[], ["popular", "similar"]])
        SERVER.fault("ListSolutions=extra-page")
        self.assertEqual(self.pages("ListSolutions", "solutions"),
                         [["popular", "similar"], []])
        self.assertEqual(self.pages("ListSolutions", "solutions",
                                    maxResults=1),
                         [["popular"], ["similar"], []])
        SERVER.admin("DELETE", "fault")
        SERVER.fault("ListDataDeletionJobs=extra-page")
        self.assertEqual([len(p) for p in self.pages(
            "ListDataDeletionJobs", "dataDeletionJobs")], [2, 0])
        SERVER.admin("DELETE", "fault")
        SERVER.fault("ListSolutions=same-token")
        first = self.call("ListSolutions")
        again = self.call("ListSolutions", nextToken=first["nextToken"])
        self.assertEqual(first, again)

    def test_throttled(self):
        SERVER.fault("ListSolutions=ThrottlingException:1")
        self.refused("ThrottlingException", "ListSolutions")
        self.call("ListSolutions")


class Denied(Case):
    def test_words(self):
        self.world({"deny": ["personalize:ListSolutions",
                             "personalize:Describe*=*/films"]})
        self.assertEqual(
            self.refused("AccessDeniedException", "ListSolutions",
                         datasetGroupArn=SHOP),
            "User: arn:aws:iam::123456789012:user/eraser is not authorized to"
            " perform: personalize:ListSolutions on resource: * because no "
            "identity-based policy allows the personalize:ListSolutions "
            "action")
        self.call("ListDatasets")
        self.call("DescribeDatasetGroup", datasetGroupArn=SHOP)
        films = PREFIX + "dataset-group/films"
        self.assertIn(" on resource: %s because" % films, self.refused(
            "AccessDeniedException", "DescribeDatasetGroup",
            datasetGroupArn=films))

    def test_every_operation(self):
        for operation in sorted(LISTS) + ["CreateDataDeletionJob",
                                          "ListTagsForResource"]:
            SERVER.admin("POST", "deny", {"action":
                                          "personalize:" + operation})
            self.refused("AccessDeniedException", operation)
            SERVER.admin("DELETE", "deny")


class Lives(Case):
    def one(self, **members):
        """A solution's newest version with these members, as it is told."""
        self.world({"datasetGroups": [{"name": "shop", "solutions": [{
            "name": "s", "solutionVersions": [members]}]}]})
        return self.call("ListSolutionVersions")["solutionVersions"][-1]

    def test_statuses(self):
        for members, status in (
                ({}, "ACTIVE"), ({"status": "BEYOND"}, "BEYOND"),
                ({"seconds": 9000}, "CREATE PENDING"),
                ({"seconds": 9000, "created": -4000}, "CREATE IN_PROGRESS"),
                ({"seconds": 9000, "created": -9001}, "ACTIVE"),
                ({"seconds": 1, "created": -2, "status": "CREATE FAILED"},
                 "CREATE FAILED"),
                ({"status": [[0, "A"], [500, "B"]]}, "A"),
                ({"status": [[0, "A"], [500, "B"]], "created": -500}, "B")):
            self.assertEqual(self.one(**members)["status"], status, members)

    def test_times(self):
        began = time.time()
        found = self.one(seconds=900, created=-1000)
        self.assertAlmostEqual(found["creationDateTime"], began - 1000,
                               delta=outside.LAST)
        self.assertAlmostEqual(
            found["lastUpdatedDateTime"] - found["creationDateTime"], 900, 2)

    def test_changes(self):
        version = {"id": "v", "created": -500, "status": "CREATE IN_PROGRESS"}
        before = self.one(**version)
        after = self.one(id="v", status="CREATE FAILED", failureReason="why")
        self.assertEqual(len(self.call("ListSolutionVersions")[
            "solutionVersions"]), 1)
        self.assertEqual((after["status"], after["failureReason"]),
                         ("CREATE FAILED", "why"))
        self.assertEqual(after["creationDateTime"],
                         before["creationDateTime"])
        self.assertGreater(after["lastUpdatedDateTime"],
                           before["lastUpdatedDateTime"] + 400)
        self.one(id="other")
        self.world({"datasetGroups": [{"name": "shop", "solutions": [{
            "name": "s", "gone": True}]}]})
        self.assertEqual(self.call("ListSolutionVersions")[
            "solutionVersions"], [])

    def test_members_that_are_new(self):
        self.assertEqual(self.one(extra={"colour": "red"})["colour"], "red")

    def test_a_group_that_is_not_active(self):
        self.world({"datasetGroups": [{"name": "shop",
                                       "status": "DELETE PENDING"}]})
        self.assertEqual(SERVER.create("one").code, "ResourceInUseException")
        self.world({"datasetGroups": [{"name": "shop", "gone": True}]})
        self.assertEqual(SERVER.create("one").code,
                         "ResourceNotFoundException")

    def test_documents_that_are_odd(self):
        for document, part in (
                ({"datasetgroups": []}, "no datasetgroups"),
                ({"datasetGroups": [{}]}, "needs its name"),
                ({"datasetGroups": ["shop"]}, "is an object"),
                ({"datasetGroups": [{"name": "a", "colour": 1}]},
                 "no colour"),
                ({"datasetGroups": [{"name": "a", "solutions": [
                    {"name": "s", "trainsAt": ["x"]}]}]}, "seconds"),
                ({"datasetGroups": [{"name": "a", "created": "x"}]},
                 "seconds"),
                ({"datasetGroups": [{"name": "a", "status": [1]}]},
                 "not as described"),
                ({"datasetGroups": 7}, "not as described"),
                ({"roles": [{}]}, "lacks its roleArn"),
                ({"roles": [{"roleArn": "x"}]}, "not the ARN of a role"),
                ({"roles": [{"roleArn": "x", "colour": 1}]}, "no colour"),
                ({"dataDeletionJobs": [{"jobName": "x"}]}, "datasetGroup"),
                ({"later": [{"world": {}}]}, "lacks its at"),
                ({"later": [{"at": 1, "world": {"x": 1}}]}, "no x"),
                ({"deny": ["x"]}, "denial"), ({"faults": ["x y"]}, "fault"),
                ({"settings": {"x": 1}}, "no setting x"), ([], "object")):
            reply = SERVER.admin("POST", "world", document)
            self.assertEqual(reply.status, 400, document)
            self.assertIn(part, reply.json["error"])


class Happens(Case):
    def versions(self):
        return self.call("ListSolutionVersions")["solutionVersions"]

    def test_automatic_training_at_its_second(self):
        SERVER.settings(job_seconds=1000)
        self.world({"datasetGroups": [{"name": "shop", "solutions": [
            {"name": "auto", "trainsAt": [0.1, 5000]},
            {"name": "by-hand", "trainsAt": [0], "performAutoTraining": False},
            {"name": "failed", "trainsAt": [0], "status": "CREATE FAILED"},
            {"name": "deleted", "trainsAt": [0]}]}]})
        began = self.call("DescribeSolution", solutionArn=PREFIX
                          + "solution/auto")["solution"]["creationDateTime"]
        self.world({"datasetGroups": [{"name": "shop", "solutions": [
            {"name": "deleted", "gone": True}]}]})
        self.until(lambda: not [d for d in SERVER.admin(
            "GET", "world").json["due"] if d < 1000])
        version, = self.versions()
        self.assertEqual((version["trainingType"], version["status"]),
                         ("AUTOMATIC", "CREATE PENDING"))
        self.assertTrue(version["solutionVersionArn"].startswith(
            PREFIX + "solution/auto/"))
        # it began at its own time, not when somebody looked
        self.assertAlmostEqual(version["creationDateTime"], began + 0.1, 2)

    def test_after_an_operation(self):
        training = {"datasetGroups": [{"name": "shop", "solutions": [{
            "name": "s", "solutionVersions": [{
                "trainingType": "AUTOMATIC", "seconds": 1000}]}]}]}
        self.world({"later": [
            {"after": "CreateDataDeletionJob", "world": training},
            {"after": "PutObject", "times": 2, "world": {"deny": ["s3:*"]}}]})
        SERVER.create("one", datasetGroupArn=PREFIX + "dataset-group/none")
        self.assertEqual(self.versions(), [])
        SERVER.create("one")
        job = SERVER.describe("one")
        version, = self.versions()
        self.assertGreaterEqual(version["creationDateTime"],
                                job["creationDateTime"])
        SERVER.create("two")
        self.assertEqual(len(self.versions()), 1)
        for status in (200, 200, 403):
            self.assertEqual(SERVER.s3("PUT", "a", b"x").status, status)
        self.assertEqual(SERVER.admin("GET", "world").json["awaited"], [])

    def test_in_order(self):
        def status(text):
            return {"datasetGroups": [{"name": "shop", "status": text}]}
        self.world({"later": [{"at": 0.02, "world": status("B")},
                              {"at": 0.01, "world": status("A")}]})
        self.until(lambda: not SERVER.admin("GET", "world").json["due"])
        self.assertEqual(self.statuses("ListDatasetGroups", "datasetGroups"),
                         ["B"])

    def test_a_reset_forgets_it(self):
        self.world({"later": [{"at": 0, "world": {"deny": ["s3:*"]}},
                              {"after": "PutObject", "world": {}}],
                    "deny": ["iam:*"]})
        SERVER.admin("POST", "reset")
        found = SERVER.admin("GET", "world").json
        self.assertEqual((found["due"], found["awaited"], found["denials"]),
                         ([], [], []))


class Creates(Case):
    role = "arn:aws:iam::123456789012:role/PersonalizeS3"
    place = {"s3DataDestination": {"path": "s3://erasure/out/"}}

    def setUp(self):
        super().setUp()
        SERVER.settings(job_seconds=0)

    def test_a_world_made_by_hand(self):
        made, call = {}, self.call
        for operation, params in (
                ("CreateDatasetGroup", {"name": "films"}),
                ("CreateDataset", {
                    "name": "d", "datasetType": "Interactions",
                    "schemaArn": PREFIX + "schema/s"}),
                ("CreateDatasetImportJob", {
                    "jobName": "i", "roleArn": self.role,
                    "dataSource": {"dataLocation": "s3://erasure/in/"}}),
                ("CreateDatasetExportJob", {
                    "jobName": "e", "roleArn": self.role,
                    "jobOutput": self.place}),
                ("CreateSolution", {
                    "name": "s", "recipeArn":
                        "arn:aws:personalize:::recipe/aws-sims"}),
                ("CreateSolutionVersion", {}),
                ("CreateBatchInferenceJob", {
                    "jobName": "b", "roleArn": self.role,
                    "jobInput": {"s3DataSource": {"path": "s3://erasure/i"}},
                    "jobOutput": self.place}),
                ("CreateBatchSegmentJob", {
                    "jobName": "b", "roleArn": self.role,
                    "jobInput": {"s3DataSource": {"path": "s3://erasure/i"}},
                    "jobOutput": self.place}),
                ("CreateRecommender", {
                    "name": "r", "recipeArn":
                        "arn:aws:personalize:::recipe/aws-x"}),
                ("CreateEventTracker", {"name": "t"})):
            params.update((n, v) for n, v in made.items()
                          if n in self.parents(operation))
            made.update((n, v) for n, v in call(operation, **params).items()
                        if n.endswith("Arn"))
            if operation not in ("CreateSolutionVersion",
                                 "CreateEventTracker"):
                self.refused("ResourceAlreadyExistsException", operation,
                             **params)
        self.refused("LimitExceededException", "CreateEventTracker",
                     name="t2", datasetGroupArn=made["datasetGroupArn"])
        self.assertEqual(made["datasetArn"],
                         PREFIX + "dataset/films/INTERACTIONS")
        self.assertTrue(made["solutionVersionArn"].startswith(
            made["solutionArn"] + "/"))
        for operation, (member, _, _, _, _) in LISTS.items():
            found = call(operation)[member]
            self.assertEqual(found[-1]["status"], "ACTIVE", operation)

    @staticmethod
    def parents(operation):
        """What a create hangs its resource on."""
        if "DatasetImport" in operation or "DatasetExport" in operation:
            return ("datasetArn",)
        if "Batch" in operation:
            return ("solutionVersionArn",)
        return {"CreateSolutionVersion": ("solutionArn",),
                "CreateDatasetGroup": ()}.get(operation, ("datasetGroupArn",))

    def test_it_takes_time(self):
        SERVER.settings(job_seconds=3000)
        self.call("CreateDatasetGroup", name="films", domain="ECOMMERCE")
        films = PREFIX + "dataset-group/films"
        group = self.call("DescribeDatasetGroup",
                          datasetGroupArn=films)["datasetGroup"]
        self.assertEqual((group["status"], group["domain"]),
                         ("CREATE PENDING", "ECOMMERCE"))
        self.refused("ResourceInUseException", "CreateSolution", name="s",
                     datasetGroupArn=films, recipeArn=PREFIX + "recipe/x")

    def test_what_is_refused(self):
        solution = {"name": "s", "datasetGroupArn": SHOP}
        self.refused("InvalidInputException", "CreateSolution", **solution)
        recipe = PREFIX + "recipe/x"
        for code, params in (
                ("InvalidInputException", {"name": "-"}),
                ("InvalidInputException", {"recipeArn": "x"}),
                ("ResourceNotFoundException",
                 {"datasetGroupArn": PREFIX + "dataset-group/none"}),
                ("InvalidInputException", {"solutionConfig": {
                    "autoTrainingConfig": {"schedulingExpression": "daily"}}}),
                ("SerializationException", {"performAutoTraining": "yes"}),
                ("SerializationException", {"solutionConfig": {
                    "hpoConfig": []}}),
                ("TooManyTagsException", {"tags": [
                    {"tagKey": "k%d" % i, "tagValue": ""}
                    for i in range(51)]})):
            self.refused(code, "CreateSolution",
                         **{**solution, "recipeArn": recipe, **params})
        self.refused("InvalidInputException", "CreateDatasetGroup", name="x",
                     domain="ELSEWHERE")
        self.refused("InvalidInputException", "CreateDatasetGroup", name="x",
                     roleArn=self.role + "x")
        # members of tomorrow are ignored
        self.call("CreateDatasetGroup", name="x", colour="red")


class Process(unittest.TestCase):
    def start(self, document, *options):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(document if type(document) is str
                       else json.dumps(document))
            file.flush()
            return outside.Server("--world", file.name, *options)

    def test_a_world_from_the_start(self):
        server = self.start(dict(FULL, buckets=[{"name": "more"}],
                                 deny=["iam:*"]),
                            "--deny", "s3:GetObject")
        try:
            self.assertEqual(server.ready["dataset_group_arns"], [
                SHOP, PREFIX + "dataset-group/films"])
            self.assertEqual(server.ready["buckets"], ["erasure", "more"])
            for _ in range(2):
                found = server.call("ListSolutions").json["solutions"]
                self.assertEqual([s["name"] for s in found],
                                 ["popular", "similar"])
                # what is there from the start is not of today
                self.assertLess(found[0]["creationDateTime"],
                                time.time() - DAY + outside.LAST)
                self.assertEqual(server.admin("GET", "world").json["denials"],
                                 ["s3:getobject=*", "iam:*=*"])
                server.admin("POST", "world", {"datasetGroups": [
                    {"name": "shop", "gone": True}], "deny": ["sts:*"]})
                self.assertEqual(server.call("ListSolutions").json[
                    "solutions"], [])
                server.admin("POST", "reset")
        finally:
            self.assertEqual(server.close(), (0, b""))

    def test_what_changes_by_itself_begins_at_the_start(self):
        server = self.start({"datasetGroups": [
            {"name": "shop", "seconds": 3000},
            {"name": "films", "status": [[0, "A"], [3000, "B"]]}]})
        try:
            groups = server.call("ListDatasetGroups").json["datasetGroups"]
            self.assertEqual([g["status"] for g in groups],
                             ["CREATE PENDING", "A"])
        finally:
            self.assertEqual(server.close(), (0, b""))

    def test_a_later_document_that_is_odd_is_told(self):
        server = self.start({"later": [
            {"after": "ListSolutions", "world": {"roles": [{}]}}]})
        self.assertEqual(server.call("ListSolutions").code, "InternalFailure")
        self.assertEqual(server.call("ListSolutions").status, 200)
        code, errors = server.close()
        self.assertEqual(code, 0)
        self.assertIn(b"lacks its roleArn", errors)

    def test_groups_of_the_command_line_and_none(self):
        for document, options, names in (
                ({}, (), ["shop"]),
                ({"datasetGroups": []}, (), []),
                ({"datasetGroups": [{"name": "a"}]},
                 ("--dataset-group", "b"), ["b", "a"])):
            server = self.start(document, *options)
            self.assertEqual([a.rpartition("/")[2] for a in server.ready[
                "dataset_group_arns"]], names)
            self.assertEqual(server.ready["dataset_group_arn"] is None,
                             not names)
            self.assertEqual(server.close(), (0, b""))

    def test_worlds_that_are_none(self):
        for document in ("", "{", "[]", '{"x": 1}',
                         '{"datasetGroups": [{}]}'):
            with self.assertRaises(RuntimeError) as caught:
                self.start(document)
            self.assertRegex(str(caught.exception), "^local-aws: .")
            self.assertNotIn("Traceback", str(caught.exception))
        run = subprocess.run([outside.COMMAND, "--deny", "everything"],
                             stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, timeout=outside.LAST)
        self.assertEqual(run.returncode, 2)
        self.assertIn(b"a denial is SERVICE:ACTION", run.stderr)


if __name__ == "__main__":
    unittest.main()
