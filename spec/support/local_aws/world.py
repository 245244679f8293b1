"""
A world out of a JSON document: what an account has, and what happens in it
later, at a second or after an operation.

A document names things by the services' own members. Given again, it changes
what it names and leaves the rest; WORLD below is the help on it.
"""

import heapq
import itertools
import threading

from .resources import KINDS, short_id

WORLD = """\
a world: --world FILE at the start, POST /_local/world while it runs
  {"datasetGroups": [{"name": N, "domain": D, "kmsKeyArn": K, "roleArn": R,
     "datasets": [{"datasetType": "Interactions",
        "datasetImportJobs": [{"jobName": N, "importMode": M}],
        "datasetExportJobs": [{"jobName": N}]}],
     "solutions": [{"name": N, "performAutoTraining": true, "trainsAt": [S],
        "solutionConfig": {...}, "latestSolutionUpdate": {...},
        "solutionVersions": [{"id": I, "trainingType": "AUTOMATIC",
           "batchInferenceJobs": [{"jobName": N}],
           "batchSegmentJobs": [{"jobName": N}]}]}],
     "recommenders": [{"name": N, "latestRecommenderUpdate": {...}}],
     "eventTrackers": [{"name": N}]}],
   "dataDeletionJobs": [{"jobName": N, "datasetGroup": N, "status": S,
      "numDeleted": N, "failureReason": T, "roleArn": R, "dataLocation": L}],
   "buckets": [{"name": N, "region": R, "owner": ACCOUNT,
      "encryption": {"SSEAlgorithm": A, "KMSMasterKeyID": K} (null: none),
      "versioning": "Enabled", "mfaDelete": "Enabled",
      "policy": {...} or any text, "isPublic": "TRUE",
      "objectLock": {"Mode": M, "Days": N} ({}: no retention; null: off),
      "objects": {KEY: TEXT}}],
   "roles": [{"roleArn": R, "trust": {...} or text, "policy": {...}}],
   "deny": ["s3:GetBucketPolicy", ...], "faults": ["ListSolutions=..."],
   "settings": {...},
   "later": [{"at": SECOND, "world": {...}},
             {"after": OPERATION, "times": N, "world": {...}}]}
  What hangs on datasetGroups takes any member of its Describe, and
    status   text (default ACTIVE), or a list of [SECOND, STATUS], counted
             from its creation; of what is there already, from now
    seconds  until then the status is CREATE PENDING, then CREATE IN_PROGRESS
    created  seconds from now; by default now, or a day ago for what stands
             in --world and does not change by itself
    extra    members that AWS does not have yet
  Whatever has a name may be "gone": true. A version without id is a new one.
  trainsAt: at these seconds automatic training begins by itself, if it is on
  and the solution is ACTIVE; it lasts job_seconds. What is "later" happens
  once: at a second from now, or after the N-th such request that succeeds.
"""

DAY = 24 * 3600
FAR = 10**9
TOP = ("datasetGroups", "dataDeletionJobs", "buckets", "roles", "deny",
       "faults", "settings", "later")
LIFE = ("status", "seconds", "created", "extra", "gone", "failureReason")
MEMBERS = {
    "datasetGroups": ("domain", "kmsKeyArn", "roleArn"),
    "datasets": ("name", "schemaArn", "latestDatasetUpdate", "trackingId"),
    "datasetImportJobs": ("dataSource", "roleArn", "importMode",
                          "publishAttributionMetricsToS3"),
    "datasetExportJobs": ("ingestionMode", "roleArn", "jobOutput"),
    "solutions": ("performHPO", "performAutoML", "performAutoTraining",
                  "performIncrementalUpdate", "recipeArn", "eventType",
                  "solutionConfig", "autoMLResult", "latestSolutionUpdate",
                  "latestSolutionVersion", "trainsAt"),
    "solutionVersions": ("name", "trainingMode", "trainingType",
                         "trainingHours", "tunedHPOParams", "recipeArn",
                         "performHPO", "performAutoML", "eventType",
                         "performIncrementalUpdate", "solutionConfig"),
    "recommenders": ("recipeArn", "recommenderConfig",
                     "latestRecommenderUpdate", "modelMetrics"),
    "batchInferenceJobs": ("filterArn", "numResults", "jobInput", "jobOutput",
                           "roleArn", "batchInferenceJobMode",
                           "batchInferenceJobConfig",
                           "themeGenerationConfig"),
    "batchSegmentJobs": ("filterArn", "numResults", "jobInput", "jobOutput",
                         "roleArn"),
    "eventTrackers": ("trackingId",),
}
RECIPE = "arn:aws:personalize:::recipe/aws-"


def checked(given, known, what):
    """A copy of an object that has no other members than these."""
    if type(given) is not dict:
        raise ValueError("%s is an object" % what)
    unknown = set(given) - set(known)
    if unknown:
        raise ValueError("%s has no %s" % (what, ", ".join(sorted(unknown))))
    return dict(given)


def seconds(value, what):
    if type(value) not in (int, float):
        raise ValueError("%s is a number of seconds" % what)
    return value


class World:
    def __init__(self, settings, resources, jobs, buckets, roles, denials,
                 faults, change_settings):
        self.settings = settings
        self.resources = resources
        self.jobs = jobs
        self.buckets = buckets
        self.roles = roles
        self.denials = denials
        self.faults = faults
        self.change_settings = change_settings
        self.lock = threading.RLock()
        self.numbers = itertools.count()
        self.clear()

    def clear(self):
        with self.lock:
            self.due = []               # heap of (monotonic, number, action)
            self.awaited = []           # [operation, how many more, document]

    # what happens by itself

    def settle(self):
        """Lets happen what was due by now, as of its own time."""
        if not self.due:
            return
        with self.lock:
            now, clock = self.resources.moment()
            while self.due and self.due[0][0] <= now:
                when, _, action = heapq.heappop(self.due)
                action((when, clock - (now - when)))

    def happened(self, operation):
        """Somebody's operation succeeded."""
        if not self.awaited:
            return
        with self.lock:
            for entry in list(self.awaited):
                if entry[0] == operation:
                    entry[1] -= 1
                    if entry[1] <= 0:
                        self.awaited.remove(entry)
                        self.apply(entry[2])

    def at(self, moment, after, action):
        heapq.heappush(self.due, (moment[0] + after, next(self.numbers),
                                  action))

    # documents

    def apply(self, document, moment=None, age=0):
        """
        Makes and changes what a document names. ValueError where it is odd;
        what stands before the fault is done by then.
        """
        try:
            self.take(checked(document, TOP, "a world"),
                      moment or self.resources.moment(), age)
        except KeyError as error:
            raise ValueError("something in the world lacks its %s"
                             % error.args) from None
        except (TypeError, AttributeError) as error:
            raise ValueError("the world is not as described: %s"
                             % error) from None

    def take(self, given, moment, age):
        with self.lock, self.resources.lock:
            if "settings" in given:
                self.change_settings(given["settings"])
            for role in given.get("roles", ()):
                role = dict(role)
                self.roles.put(role.pop("roleArn"), **role)
            for bucket in given.get("buckets", ()):
                bucket = dict(bucket)
                self.buckets.put(bucket.pop("name"), **bucket)
            for text in given.get("deny", ()):
                self.denials.add(text)
            for spec in given.get("faults", ()):
                self.faults.add_spec(spec)
            for group in given.get("datasetGroups", ()):
                self.element(KINDS["datasetGroups"], group, None, moment, age)
            for job in given.get("dataDeletionJobs", ()):
                self.job(job, age)
            for event in given.get("later", ()):
                self.later(event, moment)

    def later(self, event, moment):
        event = checked(event, ("at", "after", "times", "world"),
                        "what is later")
        document = checked(event["world"], TOP, "a world")
        if "after" in event:
            self.awaited.append([event["after"], int(event.get("times", 1)),
                                 document])
        else:
            self.at(moment, seconds(event["at"], "at"),
                    lambda then: self.apply(document, then))

    def element(self, kind, given, parent, moment, age):
        """A resource and what hangs on it: made, changed, or taken away."""
        children = [k for k in KINDS.values() if k.parent == kind.plural]
        given = checked(given, LIFE + (kind.named,) + MEMBERS[kind.plural]
                        + tuple(k.plural for k in children), "a " + kind.words)
        name = given.pop(kind.named, None)
        below = [(k, given.pop(k.plural, ())) for k in children]
        if name is None and kind.named != "id":
            raise ValueError("a %s needs its %s" % (kind.words, kind.named))
        found = name and self.resources.find(kind, name, parent)
        if given.pop("gone", False):
            if found:
                self.resources.remove(found)
            return
        trains = given.pop("trainsAt", ())
        if found:
            self.change(found, given, moment)
        else:
            found = self.make(kind, name, given, parent, moment, age)
        for at in trains:
            self.at(moment, seconds(at, "trainsAt"),
                    lambda then: self.train(found, then))
        for child, elements in below:
            for element in elements:
                self.element(child, element, found, moment, age)

    def train(self, solution, moment):
        """Automatic training, where the solution is still for it."""
        if (solution.members.get("performAutoTraining")
                and solution.status(moment[0]) == "ACTIVE"
                and solution.arn in self.resources.by_arn):
            self.resources.train(solution, "AUTOMATIC", moment=moment)

    def steps(self, given):
        """The life that status and seconds tell; None where they do not."""
        status, lasts = given.pop("status", None), given.pop("seconds", None)
        if type(status) is list:
            return [(seconds(at, "a status's second"), str(text))
                    for at, text in status]
        if lasts is not None:
            return self.resources.progress(status or "ACTIVE",
                                           seconds(lasts, "seconds"))
        return [(0, status)] if status else None

    def make(self, kind, name, given, parent, moment, age):
        steps = self.steps(given) or [(0, "ACTIVE")]
        # What changes by itself has just begun to.
        created = seconds(given.pop("created", age if len(steps) == 1 else 0),
                          "created")
        extra = given.pop("extra", {})
        moment = (moment[0] + created, moment[1] + created)
        members = dict(self.defaults(kind, name, parent), **given)
        if kind.plural == "solutionVersions":
            made = self.resources.train(
                parent, members.pop("trainingType", "MANUAL"), members, steps,
                moment, name)
        else:
            made = self.resources.add(kind, name, parent, members, steps,
                                      moment)
        made.extra = dict(extra)
        return made

    def change(self, found, given, moment):
        if "created" in given:
            created = seconds(given.pop("created"), "created")
            found.made = moment[0] + created
            found.created = moment[1] + created
        steps = self.steps(given)
        if steps:
            since = moment[0] - found.made
            found.steps = [s for s in found.steps if s[0] < since] + [
                (since + at, status) for at, status in steps]
        found.extra.update(given.pop("extra", {}))
        found.members.update(given)

    def defaults(self, kind, name, parent):
        """What AWS would tell of such a resource, too."""
        role = self.settings.role_arn()
        place = {"path": "s3://%s/%s/" % (self.settings.bucket, kind.plural)}
        batch = {"roleArn": role, "jobInput": {"s3DataSource": place},
                 "jobOutput": {"s3DataDestination": place}}
        return {
            "datasets": lambda: {
                "name": "%s-%s" % (parent.name, name.lower()),
                "schemaArn": self.settings.arn("schema/" + name.lower())},
            "datasetImportJobs": lambda: {
                "roleArn": role, "importMode": "FULL",
                "dataSource": {"dataLocation": place["path"]}},
            "datasetExportJobs": lambda: {
                "roleArn": role, "ingestionMode": "ALL",
                "jobOutput": {"s3DataDestination": place}},
            "solutions": lambda: {
                "performHPO": False, "performAutoML": False,
                "performAutoTraining": True,
                "performIncrementalUpdate": False,
                "recipeArn": RECIPE + "user-personalization-v2"},
            "recommenders": lambda: {
                "recipeArn": RECIPE + "ecomm-popular-items-by-views",
                "recommenderConfig": {}},
            "batchInferenceJobs": lambda: dict(
                batch, batchInferenceJobMode="BATCH_INFERENCE"),
            "batchSegmentJobs": lambda: batch,
            "eventTrackers": lambda: {
                "accountId": self.settings.account,
                "trackingId": short_id("tracking " + name)},
        }.get(kind.plural, dict)()

    def job(self, given, age):
        """A data deletion job that keeps its status until it is changed."""
        given = checked(given, (
            "jobName", "datasetGroup", "status", "failureReason", "roleArn",
            "dataLocation", "numDeleted", "created"), "a data deletion job")
        name, status = given["jobName"], given.get("status", "PENDING")
        with self.jobs.lock:
            self.jobs.settle()
            job = self.jobs.by_name.get(name)
            if job is None:
                group = self.settings.arn("dataset-group/"
                                          + given["datasetGroup"])
                job = self.jobs.add(
                    name, group, given.get(
                        "dataLocation", "s3://%s/users.csv"
                        % self.settings.bucket),
                    given.get("roleArn", self.settings.role_arn()), {},
                    seconds=3 * FAR)
                created = seconds(given.get("created", age), "created")
                job.made += created
                job.created += created
            if status == "COMPLETED":
                self.jobs.end(job, int(given.get("numDeleted", 0)))
            elif status != "PENDING":
                self.jobs.force(job, status, given.get("failureReason"))

    # what there is

    def inventory(self):
        """Every resource with its status, and what is still to come."""
        now, _ = self.resources.moment()
        with self.lock, self.resources.lock:
            return {
                "resources": [dict(r.times(now), arn=r.arn,
                                   kind=r.kind.plural, status=r.status(now))
                              for r in self.resources.by_arn.values()],
                "buckets": sorted(self.buckets.known),
                "roles": sorted(self.roles.known),
                "denials": ["%s=%s" % rule for rule in self.denials.rules],
                "due": [round(when - now, 3) for when, _, _
                        in sorted(self.due, key=lambda d: d[:2])],
                "awaited": [[operation, left]
                            for operation, left, _ in self.awaited]}
