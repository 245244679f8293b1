"""
The roles that services may be given, and what they let a service do.

Each has a trust document and policies. The texts are kept as they were
given, also where they are no policies: then nothing follows from them.
"""

import functools
import json
import re

from . import policy
from .sessions import iso

SERVICE = "personalize.amazonaws.com"
ARN = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):role(/(?:[!-~]+/)?)"
                 r"([\w+=,.@-]{1,64})", re.ASCII).fullmatch
READS = ["s3:GetObject", "s3:ListBucket"]


def trust_of(principal, action="sts:AssumeRole"):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": action}]}


def text_of(document):
    return document if isinstance(document, str) else json.dumps(document)


@functools.lru_cache(100)
def statements(text):
    """
    Those of a text; none where it is no policy. They are shared by all who
    ask, and for reading only.
    """
    try:
        return policy.read(text)
    except policy.Unreadable:
        return []


class Role:
    MEMBERS = ("trust", "policy", "maxSessionDuration", "description")

    def __init__(self, arn, created):
        match = ARN(arn)
        if not match:
            raise ValueError("%s is not the ARN of a role" % arn)
        self.arn = arn
        self.account, self.path, self.name = match.groups()
        self.created = iso(created)
        self.trust = text_of(trust_of({"Service": SERVICE}))
        self.policy = text_of({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": READS, "Resource": "*"}]})
        self.max_seconds = 3600
        self.description = None

    def set(self, trust=None, policy=None, maxSessionDuration=None,
            description=None):
        if trust is not None:
            self.trust = text_of(trust)
        if policy is not None:
            self.policy = text_of(policy)
        self.max_seconds = maxSessionDuration or self.max_seconds
        self.description = description or self.description


class Roles:
    def __init__(self, settings):
        self.settings = settings
        self.clear()

    def clear(self):
        self.known = {}
        self.put(self.settings.role_arn())

    def put(self, arn, gone=False, **members):
        """Makes a role or changes members of it."""
        unknown = set(members) - set(Role.MEMBERS)
        if unknown:
            raise ValueError("a role has no %s" % ", ".join(sorted(unknown)))
        if gone:
            self.known.pop(arn, None)
            return None
        role = self.known.get(arn) or Role(arn, self.settings.clock.now())
        role.set(**members)
        self.known[arn] = role
        return role

    def named(self, name):
        """The account's role of this name, whatever its path."""
        for role in list(self.known.values()):
            if role.name == name and role.account == self.settings.account:
                return role
        return None

    def context(self):
        return {"aws:SourceAccount": self.settings.account,
                "aws:SourceArn": self.settings.arn("data-deletion-job/any")}

    def is_assumable(self, arn):
        """Whether Personalize may take up the role."""
        role = self.known.get(arn)
        if role is None:
            return False
        ask = policy.Ask("sts:AssumeRole", arn, [("Service", SERVICE)],
                         self.context())
        return policy.decide(statements(role.trust), ask)[0] == policy.ALLOWED

    def why_unreadable(self, arn, action, resource, bucket):
        """Why the role may not do this in a bucket; None where it may."""
        if not self.is_assumable(arn):
            return "Personalize cannot assume the role %s" % arn
        role = self.known[arn]
        ask = policy.Ask(action, resource,
                         [("Service", SERVICE), ("AWS", arn)], dict(
                             self.context(), **{
                                 "aws:PrincipalArn": arn,
                                 "aws:PrincipalAccount": role.account,
                                 "aws:PrincipalIsAWSService": "false",
                                 "aws:SecureTransport": "true"}))
        own, _ = policy.decide(statements(role.policy), ask)
        buckets, _ = policy.decide(bucket.statements(), ask)
        what = "insufficient privileges for accessing data in the bucket %s" \
            ": %s on %s " % (bucket.name, action, resource)
        for decision, text in ((own, "the role %s" % role.name),
                               (buckets, "the bucket")):
            if decision == policy.EXPLICIT_DENY:
                return what + "is denied by the policy of " + text
        if policy.ALLOWED not in (own, buckets):
            return what + "is allowed by no policy"
        if bucket.owner != role.account and buckets != policy.ALLOWED:
            return what + "is not allowed by the policy of the bucket"
        return None
