"""
Rules that every create of Personalize keeps to, and the tags of resources.
"""

from .deletion_jobs import JOB
from .permissions import refusal
from .problem import Problem, invalid

TAGS_MAX = 50


class CreateRules:
    """Whom a role may be passed to, and which tags a resource may have."""

    def __init__(self, settings, roles, denials):
        self.settings = settings
        self.roles = roles
        self.denials = denials

    def check_role(self, arn, caller):
        """Problem where the caller may not give Personalize this role."""
        action = "iam:PassRole"
        if arn.split(":")[4] != self.settings.account:
            raise invalid("Cross-account pass role is not allowed.")
        if self.denials.denies(action, arn):
            raise Problem("AccessDeniedException",
                          refusal(caller, action, arn))
        if not self.roles.is_assumable(arn):
            raise invalid("Amazon Personalize cannot assume the role %s. The "
                          "role has to exist and its trust policy has to name"
                          " personalize.amazonaws.com." % arn)

    @staticmethod
    def merged(tags, more):
        """Tags and more of them, within the rules."""
        out = dict(tags)
        keys = [tag["tagKey"] for tag in more]
        if len(set(keys)) != len(keys):
            raise invalid("A tag key is given more than once.")
        if any(key.lower().startswith("aws:") for key in keys):
            raise invalid("aws: prefixed tag key names are not allowed for "
                          "external use.")
        out.update((tag["tagKey"], tag["tagValue"]) for tag in more)
        if len(out) > TAGS_MAX:
            raise Problem("TooManyTagsException",
                          "You have exceeded the maximum number of tags you "
                          "can apply to this resource (%d)." % TAGS_MAX)
        return out


class Tags:
    """The operations on tags, of deletion jobs and of resources."""

    def __init__(self, rules, deletion_jobs, resources):
        self.rules = rules
        self.deletion_jobs = deletion_jobs
        self.resources = resources
        self.lock = deletion_jobs.jobs.lock
        self.operations = {
            "TagResource": self.add,
            "UntagResource": self.remove,
            "ListTagsForResource": self.list,
        }

    def tags_of(self, arn):
        """The tags of a resource, key to value, to read or change."""
        if JOB(arn.split(":", 5)[5]):
            return self.deletion_jobs.job(arn).tags
        found = self.resources.by_arn.get(arn)
        return (found or self.deletion_jobs.group(arn)).tags

    def add(self, params):
        with self.lock:
            tags = self.tags_of(params["resourceArn"])
            tags.update(self.rules.merged(tags, params["tags"]))
        return {}

    def remove(self, params):
        with self.lock:
            tags = self.tags_of(params["resourceArn"])
            if len(params["tagKeys"]) > TAGS_MAX:
                raise Problem(
                    "TooManyTagKeysException",
                    "The request contains more tag keys than can be "
                    "associated with a resource (%d tag keys per resource)."
                    % TAGS_MAX)
            for key in params["tagKeys"]:
                tags.pop(key, None)
        return {}

    def list(self, params):
        with self.lock:
            tags = self.tags_of(params["resourceArn"])
            return {"tags": [{"tagKey": k, "tagValue": v}
                             for k, v in tags.items()]}
