"""
STS: who is asking, and credentials of a role in exchange for what it demands.

Roles trust every caller that brings what they ask for (external id, MFA code,
web identity); there are no policies here.
"""

import hashlib
import re

from .permissions import refusal
from .rest import Problem
from .sessions import iso
from .shapes import Integer, String, Structure

ROLE = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):role/(?:[!-~]+/)?"
                  r"([\w+=,.@-]{1,64})", re.ASCII).fullmatch
OTHER_ACCOUNT = "210987654321"
HOUR = 3600

DURATION = Integer(900, 43200)
SESSION_NAME = String(2, 64, r"[\w+=,.@-]*")
INPUTS = {
    "AssumeRole": Structure(
        roleArn=String(20, 2048), roleSessionName=SESSION_NAME,
        durationSeconds=DURATION,
        externalId=String(2, 1224, r"[\w+=,.@:\/-]*"),
        serialNumber=String(9, 256, r"[\w+=/:,.@-]*"),
        tokenCode=String(6, 6, r"[\d]*")).needs("roleArn", "roleSessionName"),
    "AssumeRoleWithWebIdentity": Structure(
        roleArn=String(20, 2048), roleSessionName=SESSION_NAME,
        durationSeconds=DURATION,
        webIdentityToken=String(4, 20000, sensitive=True)).needs(
            "roleArn", "roleSessionName", "webIdentityToken"),
}


class Role:
    """A role and what it demands; every member may be given."""

    MEMBERS = ("external_id", "mfa_serial", "token_code", "max_seconds",
               "web_identity")

    def __init__(self, arn, external_id=None, mfa_serial=None,
                 token_code="123456", max_seconds=43200, web_identity=False):
        match = ROLE(arn)
        if not match:
            raise ValueError("%s is not the ARN of a role" % arn)
        self.arn = arn
        self.account, self.name = match.groups()
        self.external_id = external_id
        self.mfa_serial = mfa_serial
        self.token_code = token_code
        self.max_seconds = max_seconds
        self.web_identity = web_identity


def identifier(prefix, text):
    """The id that goes with a principal: always the same."""
    return prefix + hashlib.sha256(text.encode()).hexdigest()[:16].upper()


class Sts:
    VERSION = "2011-06-15"
    XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"
    SIGNING_NAME = "sts"
    UNSIGNED = ("AssumeRoleWithWebIdentity",)

    def __init__(self, settings, sessions, tokens, denials):
        self.settings = settings
        self.sessions = sessions
        self.tokens = tokens
        self.denials = denials
        self.actions = {
            "AssumeRole": self.assume_role,
            "AssumeRoleWithWebIdentity": self.assume_role_with_web_identity,
            "GetCallerIdentity": self.get_caller_identity,
        }
        self.roles = {}

    def signing_region(self):
        return self.settings.region

    def clear(self):
        """The roles that are there from the start."""
        arn = self.settings.iam_arn
        self.roles.clear()
        self.add(arn("role/Eraser"))
        self.add(arn("role/Eraser", OTHER_ACCOUNT))
        self.add(arn("role/EraserWithExternalId"), external_id="erasure-7f3a")
        self.add(arn("role/EraserWithMfa"), mfa_serial=arn("mfa/eraser"))
        self.add(arn("role/EraserWeb"), web_identity=True)

    def add(self, arn, **members):
        unknown = set(members) - set(Role.MEMBERS)
        if unknown:
            raise ValueError("a role has no %s" % ", ".join(sorted(unknown)))
        role = Role(arn, **members)
        self.roles[role.arn] = role
        return role

    def source(self):
        arn = self.settings.iam_arn
        guarded = self.roles.get(arn("role/EraserWithExternalId"))
        mfa = self.roles.get(arn("role/EraserWithMfa"))
        return {
            "role_arn": arn("role/Eraser"),
            "other_account_role_arn": arn("role/Eraser", OTHER_ACCOUNT),
            "external_id_role_arn": arn("role/EraserWithExternalId"),
            "external_id": guarded and guarded.external_id,
            "mfa_role_arn": arn("role/EraserWithMfa"),
            "mfa_serial": mfa and mfa.mfa_serial,
            "token_code": mfa and mfa.token_code,
            "web_identity_role_arn": arn("role/EraserWeb"),
        }

    # input

    @staticmethod
    def checked(action, params):
        """The parameters within their constraints, names as in the model."""
        given = {name[:1].lower() + name[1:]: value
                 for name, value in params.items()}
        duration = given.get("durationSeconds")
        if duration is not None:
            if not re.fullmatch(r"-?[0-9]{1,9}", duration):
                raise Problem("MalformedInput", 400,
                              "Invalid value for DurationSeconds")
            given["durationSeconds"] = int(duration)
        faults = []
        out = INPUTS[action].check(given, "", faults)
        if faults:
            raise Problem("ValidationError", 400, "%d validation error%s "
                          "detected: %s" % (
                              len(faults), "" if len(faults) == 1 else "s",
                              "; ".join(faults)))
        if not ROLE(out["roleArn"]):
            raise Problem("ValidationError", 400,
                          "%s is invalid" % out["roleArn"])
        return out

    @staticmethod
    def denied(caller, action, arn):
        who = "User: %s is not" % caller if caller else "Not"
        return Problem("AccessDenied", 403, "%s authorized to perform: sts:%s"
                       "%s" % (who, action, " on resource: %s" % arn
                               if caller else ""))

    def duration(self, given, role, caller):
        asked = given.get("durationSeconds")
        if asked is None:
            return self.sessions.lasts()
        chained = caller and ":assumed-role/" in caller
        if chained and asked > HOUR:
            raise Problem("ValidationError", 400, "The requested "
                          "DurationSeconds exceeds the 1 hour session limit "
                          "for roles assumed by role chaining")
        if asked > role.max_seconds:
            raise Problem("ValidationError", 400, "The requested "
                          "DurationSeconds exceeds the MaxSessionDuration "
                          "set for this role.")
        return self.sessions.lasts(asked)

    # actions

    def assume_role(self, params, caller, trick):
        given = self.checked("AssumeRole", params)
        role = self.roles.get(given["roleArn"])
        denied = self.denied(caller, "AssumeRole", given["roleArn"])
        # An unknown account or role is not told from a forbidden one.
        if role is None or role.web_identity or self.denials.denies(
                "sts:AssumeRole", given["roleArn"]):
            raise denied
        if role.external_id not in (None, given.get("externalId")):
            raise denied
        code = given.get("tokenCode")
        if (code is None) != (given.get("serialNumber") is None):
            raise Problem("ValidationError", 400, "The parameters "
                          "SerialNumber and TokenCode come together.")
        if code is not None and (
                given["serialNumber"] != (role.mfa_serial
                                          or self.settings.iam_arn(
                                              "mfa/eraser"))
                or code != role.token_code):
            raise Problem("AccessDenied", 403, "MultiFactorAuthentication "
                          "failed with invalid MFA one time pass code. ")
        if role.mfa_serial and code is None:
            raise denied
        return self.session(role, given, caller, trick)

    def assume_role_with_web_identity(self, params, _, trick):
        given = self.checked("AssumeRoleWithWebIdentity", params)
        state = self.tokens.state("web-identity", given["webIdentityToken"])
        if state == "unknown":
            raise Problem("InvalidIdentityToken", 400, "Couldn't retrieve "
                          "verification key from your identity provider, "
                          "please reference AssumeRoleWithWebIdentity "
                          "documentation for requirements")
        if state == "expired":
            raise Problem("ExpiredTokenException", 400, "Token expired: "
                          "current date/time must be before the expiration "
                          "date/time")
        role = self.roles.get(given["roleArn"])
        if role is None or not role.web_identity:
            raise self.denied(None, "AssumeRoleWithWebIdentity", None)
        return self.session(role, given, None, trick) + [
            ("SubjectFromWebIdentityToken",
             "system:serviceaccount:default:eraser"),
            ("Audience", "sts.amazonaws.com"),
            ("Provider", self.settings.iam_arn(
                "oidc-provider/oidc.example.com/local")),
        ]

    def session(self, role, given, caller, trick):
        name = given["roleSessionName"]
        role_id = identifier("AROA", "%s/%s" % (role.account, role.name))
        arn = self.settings.assumed_role_arn(role.name, name, role.account)
        session = self.sessions.issue(
            arn, self.duration(given, role, caller), trick == "stale")
        return [
            ("AssumedRoleUser", (
                ("AssumedRoleId", "%s:%s" % (role_id, name)),
                ("Arn", arn))),
            ("Credentials", (
                ("AccessKeyId", session.access_key_id),
                ("SecretAccessKey", session.secret),
                ("SessionToken", session.token),
                ("Expiration", iso(session.expires)))),
        ]

    def get_caller_identity(self, _, caller, __):
        # No policy of IAM can forbid this; one of a VPC endpoint can.
        action = "sts:GetCallerIdentity"
        if self.denials.denies(action):
            raise Problem("AccessDenied", 403, refusal(
                caller, action, "*", "because no VPC endpoint policy allows "
                "the %s action" % action))
        account, resource = caller.split(":")[4:6]
        kind, _, name = resource.partition("/")
        if kind == "assumed-role":
            role, _, session = name.partition("/")
            user = "%s:%s" % (identifier("AROA", "%s/%s" % (account, role)),
                              session)
        else:
            user = identifier("AIDA", caller)
        return [("Arn", caller), ("UserId", user), ("Account", account)]
