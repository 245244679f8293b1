"""
The operations on data deletion jobs; jobs keeps the jobs.
"""

import re

from .paging import START
from .problem import Problem, already_exists, invalid, not_found
from .resources import KINDS

JOB = re.compile(r"data-deletion-job/([^/]+)").fullmatch
GROUP = KINDS["datasetGroups"].is_one


class DeletionJobs:
    def __init__(self, settings, jobs, resources, paging, access):
        self.settings = settings
        self.jobs = jobs
        self.resources = resources
        self.paging = paging
        self.access = access
        self.operations = {
            "CreateDataDeletionJob": self.create,
            "DescribeDataDeletionJob": self.describe,
            "ListDataDeletionJobs": self.list,
        }

    def resource(self, arn, pattern, what):
        """The name in an ARN of this account; Problem where it has none."""
        parts = arn.split(":", 5)
        match = pattern(parts[5])
        if not match:
            raise invalid("The ARN %s is not the ARN of a %s." % (arn, what))
        if arn != self.settings.arn(parts[5]):
            raise not_found(arn)
        return match[1]

    def group(self, arn):
        """The dataset group, which need not be ACTIVE."""
        self.resource(arn, GROUP, "dataset group")
        found = self.resources.by_arn.get(arn)
        if found is None:
            raise not_found(arn)
        return found

    def job(self, arn):
        job = self.jobs.by_name.get(
            self.resource(arn, JOB, "data deletion job"))
        if job is None:
            raise not_found(arn)
        return job

    def create(self, params):
        group_arn, name = params["datasetGroupArn"], params["jobName"]
        tags = self.access.merged({}, params.get("tags", ()))
        location = params["dataSource"].get("dataLocation")
        if location is None:
            raise invalid("The data source has no data location.")
        group = self.group(group_arn)
        self.access.check_role(params["roleArn"], params["caller"])
        if group.status(self.resources.monotonic()) != "ACTIVE":
            raise Problem("ResourceInUseException",
                          "The dataset group %s is not ACTIVE." % group_arn)
        with self.jobs.lock:
            self.jobs.settle()
            if name in self.jobs.by_name:
                raise already_exists(self.jobs.by_name[name].arn)
            quota = self.settings.pending_quota
            if self.jobs.pending.get(group_arn, 0) >= quota:
                raise Problem(
                    "LimitExceededException",
                    "More than %d data deletion jobs with status PENDING for "
                    "the dataset group %s." % (quota, group_arn))
            job = self.jobs.add(name, group_arn, location, params["roleArn"],
                                tags, params.get("doomed"))
        return {"dataDeletionJobArn": job.arn}

    def summary(self, job, now):
        status = job.status(now)
        out = {"dataDeletionJobArn": job.arn,
               "datasetGroupArn": job.group_arn,
               "jobName": job.name, "status": status,
               "creationDateTime": round(job.created, 3),
               "lastUpdatedDateTime": round(job.updated(now), 3)}
        if status == "FAILED":
            out["failureReason"] = job.failure
        return out

    def describe(self, params):
        job = self.job(params["dataDeletionJobArn"])
        now = self.jobs.settle()
        out = self.summary(job, now)
        out["dataSource"] = {"dataLocation": job.location}
        out["roleArn"] = job.role_arn
        if out["status"] == "COMPLETED":
            out["numDeleted"] = job.deleted
        return {"dataDeletionJob": out}

    def list(self, params):
        """Newest first, so that a job made meanwhile moves no page."""
        group_arn = params.get("datasetGroupArn")
        if group_arn is not None:
            self.resource(group_arn, GROUP, "dataset group")
        before = self.paging.position(params)
        before = None if before == START else before
        with self.jobs.lock:
            now = self.jobs.settle()
            found, more = self.jobs.page(group_arn, before,
                                         self.paging.limit(params))
            out = {"dataDeletionJobs": [self.summary(j, now) for j in found]}
        if more:
            out["nextToken"] = self.paging.token(params, found[-1].number)
        return out
