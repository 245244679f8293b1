"""
Lists, descriptions and creations of what resources keeps.

Lists and descriptions are the same for all kinds. Each create has a method
that says what it asks of the account.
"""

import re

from .problem import Problem, already_exists, invalid, not_found
from .resources import KINDS, short_id

# AWS does not say what their lists answer without a solution version; the
# setting batch_lists decides.
BATCHES = ("batchInferenceJobs", "batchSegmentJobs")
IN_USE = "The %s %s is not ACTIVE."


class Catalogue:
    def __init__(self, settings, resources, paging, access):
        self.settings = settings
        self.resources = resources
        self.paging = paging
        self.access = access
        self.operations = {}
        for kind in KINDS.values():
            self.operations["List" + kind.plural_title] = self.lister(kind)
            self.operations["Describe" + kind.title] = self.describer(kind)
            self.operations["Create" + kind.title] = getattr(
                self, "create_" + re.sub("([A-Z])", r"_\1", kind.name).lower())

    # ARNs

    def check_arn(self, arn, kind):
        """Problem unless the ARN is one of this kind."""
        if not kind.is_one(arn.split(":", 5)[5]):
            raise invalid("The ARN %s is not the ARN of a %s."
                          % (arn, kind.words))

    def resource(self, arn, plural):
        """The resource of this kind; Problem where it is none or not here."""
        self.check_arn(arn, KINDS[plural])
        found = self.resources.by_arn.get(arn)
        if found is None:
            raise not_found(arn)
        return found

    def active(self, arn, plural):
        """As resource, and it has to be ACTIVE."""
        found = self.resource(arn, plural)
        if found.status(self.resources.monotonic()) != "ACTIVE":
            raise Problem("ResourceInUseException",
                          IN_USE % (found.kind.words, arn))
        return found

    # what is read

    def lister(self, kind):
        parent = KINDS.get(kind.parent)

        def operation(params):
            arn = parent and params.get(parent.arn_member)
            if arn is not None:
                self.check_arn(arn, parent)
                if kind.plural == "solutionVersions":
                    self.resource(arn, kind.parent)
            elif kind.plural in BATCHES:
                how = self.settings.batch_lists
                if how == "refused":
                    raise invalid("Provide a solution version ARN.")
                if how == "empty":
                    return {kind.plural: []}
            now = self.resources.monotonic()
            return self.paging.page(
                params, kind.plural, self.resources.of(kind.plural, arn),
                lambda resource: resource.summary(now))
        return operation

    def describer(self, kind):
        def operation(params):
            found = self.resource(params[kind.arn_member], kind.plural)
            now = self.resources.monotonic()
            out = found.description(now)
            if kind.name == "solution":
                versions = self.resources.of("solutionVersions", found.arn)
                if versions:
                    newest = max(versions, key=lambda v: v.created)
                    out.setdefault("latestSolutionVersion",
                                   newest.summary(now))
            return {kind.name: out}
        return operation

    # what is made

    def check_role(self, params, member="roleArn"):
        """Problem where Personalize may not be given this role."""
        arn = params.get(member)
        if arn is not None:
            self.access.check_role(arn, params["caller"])

    def create(self, plural, params, name, parent=None, members=()):
        kind, members = KINDS[plural], dict(members)
        tags = self.access.merged({}, params.get("tags", ()))
        with self.resources.lock:
            found = self.resources.find(kind, name, parent)
            if found:
                raise already_exists(found.arn)
            made = self.resources.add(kind, name, parent, members,
                                      self.resources.progress())
            made.tags = tags
        return {kind.arn_member: made.arn}

    @staticmethod
    def kept(params, *dropped):
        """The members of an input that the resource is described by."""
        plain = ("operation", "caller", "doomed", "tags") + dropped
        return {n: v for n, v in params.items() if n not in plain}

    def create_dataset_group(self, params):
        self.check_role(params)
        out = self.create("datasetGroups", params, params["name"],
                          members=self.kept(params))
        if "domain" in params:
            out["domain"] = params["domain"]
        return out

    def create_dataset(self, params):
        group = self.active(params["datasetGroupArn"], "datasetGroups")
        return self.create("datasets", params, params["datasetType"], group,
                           self.kept(params))

    def create_dataset_import_job(self, params):
        self.check_role(params)
        dataset = self.active(params["datasetArn"], "datasets")
        if "dataLocation" not in params["dataSource"]:
            raise invalid("The data source has no data location.")
        return self.create("datasetImportJobs", params, params["jobName"],
                           dataset, dict({"importMode": "FULL"},
                                         **self.kept(params)))

    def create_dataset_export_job(self, params):
        self.check_role(params)
        dataset = self.active(params["datasetArn"], "datasets")
        return self.create("datasetExportJobs", params, params["jobName"],
                           dataset, self.kept(params))

    def create_solution(self, params):
        group = self.active(params["datasetGroupArn"], "datasetGroups")
        if "recipeArn" not in params and not params.get("performAutoML"):
            raise invalid("Provide a recipe ARN.")
        return self.create(
            "solutions", params, params["name"], group,
            dict({"performHPO": False, "performAutoML": False,
                  "performAutoTraining": True,
                  "performIncrementalUpdate": False}, **self.kept(params)))

    def create_solution_version(self, params):
        solution = self.active(params["solutionArn"], "solutions")
        with self.resources.lock:
            made = self.resources.train(
                solution, "MANUAL", self.kept(params, "solutionArn"))
            made.tags = self.access.merged({}, params.get("tags", ()))
        return {"solutionVersionArn": made.arn}

    def create_recommender(self, params):
        group = self.active(params["datasetGroupArn"], "datasetGroups")
        return self.create("recommenders", params, params["name"], group,
                           self.kept(params))

    def create_batch(self, plural, params, **defaults):
        self.check_role(params)
        version = self.active(params["solutionVersionArn"],
                              "solutionVersions")
        return self.create(plural, params, params["jobName"], version,
                           dict(defaults, **self.kept(params)))

    def create_batch_inference_job(self, params):
        return self.create_batch("batchInferenceJobs", params,
                                 batchInferenceJobMode="BATCH_INFERENCE")

    def create_batch_segment_job(self, params):
        return self.create_batch("batchSegmentJobs", params)

    def create_event_tracker(self, params):
        group = self.active(params["datasetGroupArn"], "datasetGroups")
        if self.resources.of("eventTrackers", group.arn):
            raise Problem("LimitExceededException", "The dataset group has an"
                          " event tracker already.")
        tracking = short_id("tracking " + params["name"])
        out = self.create(
            "eventTrackers", params, params["name"], group, dict(
                self.kept(params), accountId=self.settings.account,
                trackingId=tracking))
        return dict(out, trackingId=tracking)
