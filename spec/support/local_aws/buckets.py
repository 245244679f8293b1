"""
The buckets there are, and how each is set up.

A bucket is data here: objects keeps what lies in it, s3_access judges who
may use it, s3_bucket answers what is asked about it.
"""

import io
import re

from . import policy
from .objects import Store
from .roles import statements, text_of

NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]").fullmatch
# Buckets whose path would be another service's; shorter ones cannot be.
RESERVED = ("container", "federation", "latest", "token")
ALGORITHMS = ("AES256", "aws:kms", "aws:kms:dsse")
DAY = 24 * 3600


def check_name(name):
    if not NAME(name):
        raise ValueError("%s is no name of a bucket" % name)
    if name in RESERVED:
        raise ValueError("%s is no bucket's name here, there is a service at "
                         "its path" % name)


def one_of(name, value, choices):
    if value not in choices:
        raise ValueError("%s is one of %s, not %s" % (
            name, ", ".join(repr(c) for c in choices), value))
    return value


def only(value, what, names):
    """An object with no other members than these."""
    unknown = set(value) - set(names)
    if unknown:
        raise ValueError("%s has no %s" % (what, ", ".join(sorted(unknown))))
    return value


class Bucket:
    MEMBERS = ("region", "owner", "encryption", "versioning", "mfaDelete",
               "policy", "objectLock", "isPublic", "objects")

    def __init__(self, name, settings, folder):
        check_name(name)
        self.name = name
        self.settings = settings
        self.store = Store(folder, settings.clock)
        self.owner = settings.account
        self.own_region = ""        # of this bucket, where it is not ours
        self.algorithm = "AES256"   # None: no encryption by default
        self.kms_key = None
        # What the settings' `encryption` of the first bucket stands for.
        self.forces = None
        self.mfa_delete = ""
        self.policy = None          # as text, which need not be a policy
        self.lock_enabled = False
        self.retention = None       # (mode, {"Days": n} or {"Years": n})
        self.public = None          # what to say of it; None: judge

    @property
    def region(self):
        return self.own_region or self.settings.region

    @property
    def versioning(self):
        return self.store.versioning

    def arn(self, key=""):
        return "arn:%s:s3:::%s%s" % (self.settings.partition, self.name,
                                     "/" + key if key else "")

    def set(self, members):
        """Takes members of a world; the others stay."""
        only(members, "a bucket", self.MEMBERS)
        for name, value in members.items():
            getattr(self, "set_" + re.sub("([A-Z])", r"_\1", name).lower())(
                value)

    def set_region(self, value):
        self.own_region = value

    def set_owner(self, value):
        if not re.fullmatch("[0-9]{12}", value):
            raise ValueError("an owner is an account of 12 digits")
        self.owner = value

    def set_encryption(self, value):
        if value is None:
            self.algorithm = self.kms_key = None
            return
        only(value, "an encryption", ("SSEAlgorithm", "KMSMasterKeyID"))
        self.algorithm = one_of("SSEAlgorithm", value["SSEAlgorithm"],
                                ALGORITHMS)
        self.kms_key = value.get("KMSMasterKeyID")

    def set_versioning(self, value):
        self.store.versioning = one_of("versioning", value,
                                       ("", "Enabled", "Suspended"))

    def set_mfa_delete(self, value):
        self.mfa_delete = one_of("mfaDelete", value,
                                 ("", "Enabled", "Disabled"))

    def set_policy(self, value):
        self.policy = None if value is None else text_of(value)

    def set_object_lock(self, value):
        """None: never on. {}: on, but no retention by default."""
        self.lock_enabled = value is not None
        self.retention = None
        if value:
            only(value, "a retention", ("Mode", "Days", "Years"))
            mode = one_of("Mode", value["Mode"], ("GOVERNANCE", "COMPLIANCE"))
            self.retention = mode, {n: int(v) for n, v in value.items()
                                    if n != "Mode"}
        if self.lock_enabled:
            self.store.versioning = "Enabled"

    def set_is_public(self, value):
        self.public = value

    def set_objects(self, value):
        """{key: its text}; null takes one away for good."""
        for key, text in value.items():
            if text is not None:
                self.store.put_from(key, io.BytesIO(text.encode("utf-8")))
                continue
            for item, _ in self.store.every_version(key):
                if item.key == key:
                    self.store.remove(key, item.version_id)

    def statements(self):
        """Those of its policy; none where that is no policy."""
        return statements(self.policy or "{}")

    def is_public(self):
        """As S3 writes it."""
        if self.public is not None:
            return str(self.public)
        return str(policy.is_public(self.statements())).lower()

    def retained_until(self):
        """(mode, epoch) for an object put now; None without a retention."""
        if not self.retention:
            return None
        mode, period = self.retention
        days = period.get("Days", 0) + 365 * period.get("Years", 0)
        return mode, self.settings.clock.now() + days * DAY


class Buckets:
    """By name; the first is the one that the settings are about."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.folder = folder
        self.known = {}
        check_name(settings.bucket)

    def clear(self):
        for bucket in self.known.values():
            bucket.store.clear()
        self.known = {}
        self.first = self.put(self.settings.bucket)
        self.follow_settings()

    def put(self, name, gone=False, **members):
        """Makes a bucket or changes members of it."""
        if gone:
            bucket = self.known.pop(name, None)
            if bucket:
                bucket.store.clear()
            return None
        bucket = self.known.get(name)
        if bucket is None:
            bucket = Bucket(name, self.settings, self.folder)
        bucket.set(members)
        self.known[name] = bucket
        return bucket

    def get(self, name):
        return self.known.get(name)

    def follow_settings(self, names=("versioning", "bucket_region",
                                     "encryption")):
        """Lets the first bucket be what the settings of these names say."""
        settings, first = self.settings, self.first
        if "versioning" in names:
            first.store.versioning = "Enabled" if settings.versioning else ""
        if "bucket_region" in names:
            first.own_region = settings.bucket_region
        if "encryption" in names:
            forced = settings.encryption
            first.forces = None if forced == "AES256" else forced
            first.algorithm = "aws:kms" if forced == "aws:kms" else "AES256"
            first.kms_key = None
