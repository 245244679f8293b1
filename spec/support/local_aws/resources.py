"""
What an account has in Personalize besides deletion jobs: dataset groups and
all that hangs on them, each with a life of statuses.

No thread moves anything: a status is worked out of the time when somebody
looks.
"""

import hashlib
import re
import threading
import time

PENDING, IN_PROGRESS, ACTIVE = "CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"


def short_id(text):
    """The eight digits that stand in some ARNs instead of a name."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]


class Kind:
    """
    One kind of resource. `path` is its part of the ARN, with {name} (the
    resource's), {parent} (its parent's name) or {id}; `summary` names the
    members that lists tell, besides ARN, status and times.
    """

    def __init__(self, name, plural, path, parent, named, *summary):
        self.name = name
        self.plural = plural
        self.path = path
        self.parent = parent        # plural of the kind it hangs on
        self.named = named          # the member that is its name
        self.summary = summary
        self.arn_member = name + "Arn"
        self.title = name[0].upper() + name[1:]
        self.plural_title = plural[0].upper() + plural[1:]
        self.is_one = re.compile(re.sub(r"\{\w+\}", "([^/]+)",
                                        path)).fullmatch
        self.words = re.sub("([A-Z])", r" \1", name).lower()


KINDS = {kind.plural: kind for kind in (
    Kind("datasetGroup", "datasetGroups", "dataset-group/{name}", None,
         "name", "name", "domain", "failureReason"),
    Kind("dataset", "datasets", "dataset/{parent}/{type}", "datasetGroups",
         "datasetType", "name", "datasetType"),
    Kind("datasetImportJob", "datasetImportJobs", "dataset-import-job/{name}",
         "datasets", "jobName", "jobName", "failureReason", "importMode"),
    Kind("datasetExportJob", "datasetExportJobs", "dataset-export-job/{name}",
         "datasets", "jobName", "jobName", "failureReason"),
    Kind("solution", "solutions", "solution/{name}", "datasetGroups",
         "name", "name", "recipeArn"),
    Kind("solutionVersion", "solutionVersions", "solution/{parent}/{name}",
         "solutions", "id", "trainingMode", "trainingType", "failureReason"),
    Kind("recommender", "recommenders", "recommender/{name}", "datasetGroups",
         "name", "name", "datasetGroupArn", "recipeArn", "recommenderConfig"),
    Kind("batchInferenceJob", "batchInferenceJobs",
         "batch-inference-job/{name}", "solutionVersions", "jobName",
         "jobName", "solutionVersionArn", "failureReason",
         "batchInferenceJobMode"),
    Kind("batchSegmentJob", "batchSegmentJobs", "batch-segment-job/{name}",
         "solutionVersions", "jobName", "jobName", "solutionVersionArn",
         "failureReason"),
    Kind("eventTracker", "eventTrackers", "event-tracker/{id}",
         "datasetGroups", "name", "name"),
)}


class Resource:
    """One resource; `members` are AWS's, `extra` come on top of them."""

    def __init__(self, kind, name, arn, parent):
        self.kind = kind
        self.name = name
        self.arn = arn
        self.parent = parent
        self.members = {}
        self.extra = {}
        self.tags = {}
        self.steps = [(0, ACTIVE)]  # (seconds since it was made, status)
        self.made = 0.0             # on the monotonic clock
        self.created = 0.0          # on the server's clock

    def step(self, now):
        """The (second, status) that holds."""
        age, found = now - self.made, self.steps[0]
        for step in self.steps:
            if step[0] <= age:
                found = step
        return found

    def status(self, now):
        return self.step(now)[1]

    def within(self, plural):
        """The resource of that kind that this one hangs on, or is."""
        found = self
        while found is not None and found.kind.plural != plural:
            found = found.parent
        return found

    def times(self, now):
        return {"creationDateTime": round(self.created, 3),
                "lastUpdatedDateTime": round(
                    self.created + max(0, self.step(now)[0]), 3)}

    def shown(self, names, now):
        status = self.status(now)
        out = {self.kind.arn_member: self.arn}
        for name in names:
            if name in self.members and (name != "failureReason"
                                         or status.endswith("FAILED")):
                out[name] = self.members[name]
        out["status"] = status
        out.update(self.times(now))
        out.update(self.extra)
        return out

    def summary(self, now):
        return self.shown(self.kind.summary, now)

    def description(self, now):
        return self.shown(list(self.members), now)


class Resources:
    def __init__(self, settings, monotonic=time.monotonic):
        self.settings = settings
        self.monotonic = monotonic
        self.lock = threading.RLock()
        self.clear()

    def clear(self):
        with self.lock:
            self.by_arn = {}
            self.by_kind = {plural: {} for plural in KINDS}

    def moment(self):
        """(monotonic, wall clock): now, to say when something was made."""
        return self.monotonic(), self.settings.clock.now()

    def arn(self, kind, name, parent):
        return self.settings.arn(kind.path.format(
            name=name, type=name.upper(), id=short_id(name),
            parent=parent.name if parent else ""))

    def find(self, kind, name, parent=None):
        return self.by_arn.get(self.arn(kind, name, parent))

    def add(self, kind, name, parent, members, steps, moment=None):
        """A new resource; whoever calls has checked that it may be."""
        resource = Resource(kind, name, self.arn(kind, name, parent), parent)
        resource.made, resource.created = moment or self.moment()
        resource.steps = steps
        resource.members.update(members)
        if parent:
            resource.members.setdefault(parent.kind.arn_member, parent.arn)
        if kind.named != "id":
            resource.members[kind.named] = name
        with self.lock:
            self.by_arn[resource.arn] = resource
            self.by_kind[kind.plural][resource.arn] = resource
        return resource

    def remove(self, resource):
        """Takes away a resource and all that hangs on it."""
        with self.lock:
            for other in list(self.by_arn.values()):
                if other.parent is resource:
                    self.remove(other)
            self.by_arn.pop(resource.arn, None)
            self.by_kind[resource.kind.plural].pop(resource.arn, None)

    def of(self, plural, parent_arn=None):
        """Those of a kind, oldest first; of one parent, where it is given."""
        with self.lock:
            return [r for r in self.by_kind[plural].values()
                    if parent_arn is None or r.parent is not None
                    and r.parent.arn == parent_arn]

    def progress(self, final=ACTIVE, seconds=None):
        """The steps of what is made now, in the time that jobs take."""
        if seconds is None:
            seconds = self.settings.job_seconds
        return [(0, PENDING), (seconds / 3, IN_PROGRESS), (seconds, final)]

    def version_id(self, solution):
        """Of a version that nobody named."""
        count = len(self.of("solutionVersions", solution.arn))
        return short_id("%s %d" % (solution.arn, count))

    def train(self, solution, training_type, members=(), steps=None,
              moment=None, name=None):
        """A new version of a solution."""
        return self.add(
            KINDS["solutionVersions"], name or self.version_id(solution),
            solution, dict({"trainingMode": "FULL",
                            "trainingType": training_type,
                            "datasetGroupArn": solution.parent.arn,
                            "performHPO": False, "performAutoML": False,
                            "recipeArn": solution.members.get("recipeArn")},
                           **dict(members)),
            steps or self.progress(), moment)
