"""
What the local AWS is (fixed) and how it behaves (may change while it runs).
"""

import time

PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


def partition_of(region):
    for prefix, name in PARTITIONS:
        if region.startswith(prefix):
            return name
    return "aws"


class Clock:
    """The server's wall clock, which a test may put forward or back."""

    def __init__(self, offset=0.0):
        self.offset = offset

    def now(self):
        return time.time() + self.offset


class Settings:
    """Identity of the account, and the knobs of its behaviour."""

    KNOBS = ("job_seconds", "pending_quota", "list_lag", "versioning")

    def __init__(self, region, account, bucket, dataset_groups, clock=None,
                 job_seconds=2.0, pending_quota=5, list_lag=0.0,
                 versioning=False, users=None):
        self.region = region
        self.account = account
        self.bucket = bucket
        self.dataset_groups = list(dataset_groups)
        self.partition = partition_of(region)
        self.clock = clock or Clock()
        self.job_seconds = job_seconds
        self.pending_quota = pending_quota
        self.list_lag = list_lag
        self.versioning = versioning
        self.users = users          # frozenset of ids as bytes, or None
        self.initial = {name: getattr(self, name) for name in self.KNOBS}
        self.initial["users"] = users
        self.initial_offset = self.clock.offset

    def restore(self):
        for name, value in self.initial.items():
            setattr(self, name, value)
        self.clock.offset = self.initial_offset

    def arn(self, resource):
        return "arn:%s:personalize:%s:%s:%s" % (
            self.partition, self.region, self.account, resource)

    def dataset_group_arns(self):
        return [self.arn("dataset-group/" + g) for g in self.dataset_groups]

    def role_arn(self):
        return "arn:%s:iam::%s:role/PersonalizeS3" % (
            self.partition, self.account)
