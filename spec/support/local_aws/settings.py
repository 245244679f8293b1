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

    KNOBS = ("job_seconds", "pending_quota", "list_lag", "versioning",
             "session_seconds", "token_seconds", "imds", "imds_role",
             "container_token", "bucket_region", "encryption", "page_size",
             "list_page_size", "batch_lists", "source_vpce")
    CHOICES = {"imds": ("v2", "v1", "both", "off"),
               "batch_lists": ("account", "refused", "empty"),
               "encryption": ("AES256", "aws:kms", "policy")}

    def __init__(self, region, account, bucket, dataset_groups, clock=None,
                 job_seconds=2.0, pending_quota=5, list_lag=0.0,
                 versioning=False, users=None, session_seconds=3600.0,
                 token_seconds=3600.0, imds="v2", imds_role="EraserInstance",
                 container_token=""):
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
        self.session_seconds = session_seconds
        self.token_seconds = token_seconds      # of an SSO access token
        self.imds = imds
        self.imds_role = imds_role      # "" where the instance has none
        self.container_token = container_token  # "" where none is needed
        self.bucket_region = ""     # the bucket's, where it is another
        # What the bucket does to an object: as asked, a KMS key all the same,
        # or a policy that refuses whoever does not ask for KMS.
        self.encryption = "AES256"
        self.page_size = 1000       # at most so many on a page of a list of S3
        self.list_page_size = 100   # and on one of Personalize
        # What a list of batch jobs does that names no solution version.
        self.batch_lists = "account"
        self.source_vpce = ""       # the VPC endpoint that callers come by
        self.users = users          # frozenset of ids as bytes, or None
        self.initial = {name: getattr(self, name) for name in self.KNOBS}
        self.initial["users"] = users
        self.initial_offset = self.clock.offset

    def restore(self):
        for name, value in self.initial.items():
            setattr(self, name, value)
        self.clock.offset = self.initial_offset

    def change(self, given):
        """Some of them by name; ValueError where one does not fit."""
        for name, value in given.items():
            if name in self.KNOBS:
                setattr(self, name, self.fit(name, value))
            elif name == "clock_offset":
                self.clock.offset = float(value)
            elif name == "users":
                self.users = None if value is None else frozenset(
                    user.encode("utf-8") for user in value)
            else:
                raise ValueError("there is no setting %s" % name)

    def fit(self, name, value):
        """A knob's value in its type, or ValueError."""
        wanted = type(self.initial[name])
        if any(isinstance(value, kind) != (wanted is kind)
               for kind in (bool, str)):
            raise ValueError("%s takes a %s" % (name, wanted.__name__))
        value = wanted(value)
        if value not in self.CHOICES.get(name, (value,)):
            raise ValueError("%s takes one of %s" % (
                name, ", ".join(self.CHOICES[name])))
        return value

    def arn(self, resource):
        return "arn:%s:personalize:%s:%s:%s" % (
            self.partition, self.region, self.account, resource)

    def iam_arn(self, resource, account=None):
        return "arn:%s:iam::%s:%s" % (self.partition,
                                      account or self.account, resource)

    def role_arn(self):
        return self.iam_arn("role/PersonalizeS3")

    def user_arn(self):
        return self.iam_arn("user/eraser")

    def assumed_role_arn(self, role, session, account=None):
        return "arn:%s:sts::%s:assumed-role/%s/%s" % (
            self.partition, account or self.account, role, session)
