"""
IAM: roles as they stand, and whether their policies allow something.

GetRole and SimulatePrincipalPolicy, over the query protocol; the roles
themselves are kept in roles, those for AssumeRole in sts.
"""

import base64
import re
from urllib.parse import quote

from . import policy
from .permissions import refusal
from .rest import Problem
from .roles import ARN, statements, text_of, trust_of
from .sts import identifier

GLOBAL_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1",
                  "aws-us-gov": "us-gov-west-1"}
NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII).fullmatch
INDEXED = re.compile(r"([A-Za-z]+)\.member\.([0-9]{1,4})((?:\..+)?)").fullmatch
SIMULATION = ("PolicySourceArn", "ActionNames", "ResourceArns", "MaxItems",
              "Marker", "ContextEntries", "ResourceOwner", "CallerArn",
              "ResourcePolicy", "ResourceHandlingOption")
NOT_SERVED = ("PolicyInputList", "PermissionsBoundaryPolicyInputList",
              "PolicyExclusionList")
ITEMS = 100
# what the resource of an action looks like; a result for several names it
TEMPLATES = {"s3:ListBucket": "arn:aws:s3:::${BucketName}"}
TEMPLATE = "arn:aws:s3:::${BucketName}/${ObjectName}"


def members(params, name):
    """The list that NAME.member.N spell, in the order of N."""
    found = {}
    for key, value in params.items():
        match = INDEXED(key)
        if match and match[1] == name and not match[3]:
            found[int(match[2])] = value
    return [found[n] for n in sorted(found)]


def invalid(field, value, rule):
    return Problem("ValidationError", 400, "1 validation error detected: "
                   "Value '%s' at '%s' failed to satisfy constraint: Member "
                   "must %s" % (value, field, rule))


class Iam:
    VERSION = "2010-05-08"
    XMLNS = "https://iam.amazonaws.com/doc/2010-05-08/"
    SIGNING_NAME = "iam"
    UNSIGNED = ()

    def __init__(self, settings, roles, sts, denials):
        self.settings = settings
        self.roles = roles
        self.sts = sts
        self.denials = denials
        self.actions = {
            "GetRole": self.get_role,
            "SimulatePrincipalPolicy": self.simulate_principal_policy,
        }

    def signing_region(self):
        """IAM is one for all regions, and its requests are signed for one."""
        return GLOBAL_REGIONS[self.settings.partition]

    def check(self, caller, action, arn, shown):
        if self.denials.denies(action, arn):
            raise Problem("AccessDenied", 403, refusal(caller, action, shown))

    # roles

    def of_sts(self, name):
        """A role that AssumeRole knows, as (arn, trust); None without one."""
        for role in list(self.sts.roles.values()):
            if role.name == name and role.account == self.settings.account:
                principal, action = {
                    "AWS": self.settings.iam_arn("root")}, "sts:AssumeRole"
                if role.web_identity:
                    principal = {"Federated": self.settings.iam_arn(
                        "oidc-provider/oidc.example.com/local")}
                    action = "sts:AssumeRoleWithWebIdentity"
                return role.arn, text_of(trust_of(principal, action))
        return None

    def get_role(self, params, caller, _):
        name = params.get("RoleName")
        if name is None:
            raise Problem("ValidationError", 400, "1 validation error "
                          "detected: Value at 'roleName' failed to satisfy "
                          "constraint: Member must not be null")
        if not NAME(name):
            if not 0 < len(name) <= 64:
                raise invalid("roleName", name, "have length between 1 and 64")
            raise Problem("ValidationError", 400, "The specified value for "
                          "roleName is invalid. It must contain only "
                          "alphanumeric characters and/or the following: "
                          "+=,.@_-")
        role = self.roles.named(name)
        other = None if role else self.of_sts(name)
        arn = (role.arn if role else other[0] if other
               else self.settings.iam_arn("role/" + name))
        self.check(caller, "iam:GetRole", arn, "role " + name)
        if not role and not other:
            raise Problem("NoSuchEntity", 404, "The role with name %s cannot "
                          "be found." % name)
        trust = role.trust if role else other[1]
        parts = [
            ("Path", ARN(arn)[2]), ("RoleName", name),
            ("RoleId", identifier("AROA", "%s/%s" % (self.settings.account,
                                                     name))),
            ("Arn", arn),
            ("CreateDate", role.created if role else "2019-08-13T14:51:04Z"),
            ("AssumeRolePolicyDocument", quote(trust, safe="-_.~")),
            ("MaxSessionDuration", role.max_seconds if role else 43200)]
        if role and role.description:
            parts.append(("Description", role.description))
        return [("Role", parts + [("RoleLastUsed", ())])]

    # simulation

    def simulate_principal_policy(self, params, caller, _):
        source = params.get("PolicySourceArn")
        actions = members(params, "ActionNames")
        resources = members(params, "ResourceArns") or ["*"]
        if source is None or not actions:
            raise Problem("ValidationError", 400, "1 validation error "
                          "detected: Value at '%s' failed to satisfy "
                          "constraint: Member must not be null" % (
                              "actionNames" if source else "policySourceArn"))
        for name in params:
            if name.partition(".")[0] in NOT_SERVED:
                raise Problem("NotImplemented", 400, "The local AWS does not "
                              "do this: %s" % name)
        self.check(caller, "iam:SimulatePrincipalPolicy", source,
                   "role " + source.rpartition("/")[2]
                   if ":role/" in source else source)
        judged = [self.judged(source, action, resources, params)
                  for action in self.known(actions)]
        start, limit = self.page(params)
        parts = [("EvaluationResults", [("member", result) for result in
                                        judged[start:start + limit]]),
                 ("IsTruncated", "true" if start + limit < len(judged)
                  else "false")]
        if start + limit < len(judged):
            parts.append(("Marker", base64.b64encode(
                b"%d" % (start + limit)).decode()))
        return parts

    @staticmethod
    def known(actions):
        for action in actions:
            if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z*]+", action):
                raise Problem("InvalidInput", 400, "Invalid Action: %s"
                              % action)
        return actions

    @staticmethod
    def page(params):
        limit = params.get("MaxItems", str(ITEMS))
        if not re.fullmatch("[0-9]{1,4}", limit) or not 0 < int(limit) <= 1000:
            raise invalid("maxItems", limit, "be between 1 and 1000")
        try:
            start = int(base64.b64decode(params.get("Marker", ""),
                                         validate=True) or b"0")
        except ValueError:
            raise Problem("ValidationError", 400,
                          "Invalid Marker") from None
        return start, int(limit)

    def policies(self, arn):
        """The statements that hang on a principal."""
        role = self.roles.known.get(arn)
        if role:
            return statements(role.policy)
        if arn in self.sts.roles or arn == self.settings.user_arn():
            return [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
        if not re.fullmatch(r"arn:[a-z-]+:iam::[0-9]{12}:(role|user|group)/.+",
                            arn):
            raise Problem("InvalidInput", 400, "Invalid Entity Arn: %s, "
                          "allowed are users, groups and roles" % arn)
        kind, _, name = arn.split(":", 5)[5].partition("/")
        raise Problem("NoSuchEntity", 404, "The %s with name %s cannot be "
                      "found." % (kind, name.rpartition("/")[2]))

    def context(self, params):
        """ContextEntries.member.N.ContextKeyName and its values."""
        found = {}
        for key, value in params.items():
            match = INDEXED(key)
            if match and match[1] == "ContextEntries":
                entry = found.setdefault(match[2], ["", []])
                if match[3] == ".ContextKeyName":
                    entry[0] = value
                elif match[3].startswith(".ContextKeyValues.member."):
                    entry[1].append(value)
        return dict(found.values())

    def judged(self, source, action, resources, params):
        """One action's result: of each resource, and of all together."""
        own, context = self.policies(source), self.context(params)
        results, decisions, everywhere = [], [], set()
        for resource in resources:
            missing = set()
            decision, statement = policy.decide(
                own, policy.Ask(action, resource, [("AWS", source)], context),
                missing)
            if self.denials.denies(action, resource) and (
                    source == self.settings.user_arn()):
                decision, statement = policy.IMPLICIT_DENY, None
            decisions.append(decision)
            everywhere |= missing
            results.append(("member", [
                ("EvalResourceName", resource),
                ("EvalResourceDecision", decision),
                ("MatchedStatements", self.matched(statement)),
                self.missing(missing)]))
        worst = min(decisions, key=(policy.EXPLICIT_DENY, policy.IMPLICIT_DENY,
                                    policy.ALLOWED).index)
        top = [("EvalActionName", action),
               ("EvalResourceName", resources[0] if resources == ["*"]
                else TEMPLATES.get(action, TEMPLATE)),
               ("EvalDecision", worst),
               ("MatchedStatements", ()), self.missing(everywhere)]
        if resources != ["*"]:
            top.append(("ResourceSpecificResults", results))
        return top

    @staticmethod
    def matched(statement):
        if statement is None:
            return ()
        return [("member", [("SourcePolicyId", "role_policy"),
                            ("SourcePolicyType", "IAM Policy")])]

    @staticmethod
    def missing(keys):
        return ("MissingContextValues", [("member", key)
                                         for key in sorted(keys)])
