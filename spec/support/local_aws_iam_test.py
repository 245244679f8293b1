#!/usr/bin/env python3
"""
IAM of the local AWS, seen from outside: roles, simulations, and actions that
are denied to callers.

Run: python3 spec/support/local_aws_iam_test.py
"""

import http.client
import json
import unittest
from urllib.parse import unquote

from local_aws_caller import IAM_XMLNS, UUID, Server, Shared, close_servers

TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "personalize.amazonaws.com"}}]}


def tearDownModule():
    close_servers()


class Roles(Shared):
    def arn(self, name):
        return "arn:aws:iam::%s:role/%s" % (self.account, name)

    def role(self, name="PersonalizeS3", **changes):
        return self.server.iam("GetRole", {"RoleName": name}, **changes)

    def world(self, **members):
        self.server.admin("POST", "world", members)

    def test_the_role_that_is_there(self):
        reply = self.role()
        self.assertEqual(reply.status, 200, reply.body)
        self.assertIn(b'<GetRoleResponse xmlns="%s">' % IAM_XMLNS.encode(),
                      reply.body)
        self.assertEqual(reply.headers["content-type"], "text/xml")
        self.assertRegex(reply.text("ResponseMetadata/RequestId"), UUID)
        found = {e.tag: e.text for e in reply.xml.find("GetRoleResult/Role")}
        self.assertEqual(set(found), {
            "Path", "RoleName", "RoleId", "Arn", "CreateDate",
            "AssumeRolePolicyDocument", "MaxSessionDuration", "RoleLastUsed"})
        self.assertEqual(found["Arn"], self.server.ready["role_arn"])
        self.assertEqual(found["Path"], "/")
        self.assertRegex(found["RoleId"], "^AROA[0-9A-Z]{16}$")
        self.assertRegex(found["CreateDate"], r"^\d{4}-\d\d-\d\dT.*Z$")
        # percent-encoded whole, as RFC 3986 has it
        self.assertRegex(found["AssumeRolePolicyDocument"],
                         r"^[A-Za-z0-9%._~-]+$")
        self.assertEqual(json.loads(unquote(
            found["AssumeRolePolicyDocument"])), TRUST)

    def test_names(self):
        arn = self.arn("service-role/deep/Reads+=,.@-_")
        self.world(roles=[{"roleArn": arn,
                           "trust": "100% {no JSON} \u00fc"}])
        reply = self.role("Reads+=,.@-_")
        self.assertEqual(reply.text("GetRoleResult/Role/Arn"), arn)
        self.assertEqual(reply.text("GetRoleResult/Role/Path"),
                         "/service-role/deep/")
        self.assertEqual(unquote(reply.text(
            "GetRoleResult/Role/AssumeRolePolicyDocument")),
            "100% {no JSON} \u00fc")
        self.refused(self.role("Nobody"), "NoSuchEntity", 404,
                     "role with name Nobody cannot be found")
        for name in ("a/b", "a b", "\u00fc"):
            self.refused(self.role(name), "ValidationError", 400)
        for name in ("", "x" * 65):
            self.refused(self.role(name), "ValidationError", 400)
        self.refused(self.server.iam("GetRole"), "ValidationError", 400,
                     "roleName")
        self.world(roles=[{"roleArn": self.arn("PersonalizeS3"),
                           "gone": True}])
        self.refused(self.role(), "NoSuchEntity", 404)

    def test_roles_for_callers_are_roles_too(self):
        trust = json.loads(unquote(self.role("Eraser").text(
            "GetRoleResult/Role/AssumeRolePolicyDocument")))
        self.assertEqual(trust["Statement"][0]["Principal"], {
            "AWS": "arn:aws:iam::%s:root" % self.account})

    def test_signatures(self):
        for changes in ({"region": "eu-west-1"}, {"service": "sts"}):
            reply = self.role(**changes)
            self.refused(reply, "SignatureDoesNotMatch", 403)
            self.assertIn(IAM_XMLNS.encode(), reply.body)
        self.refused(self.role(version="2011-06-15"), "InvalidAction", 400)
        self.refused(self.role(keys=None), "MissingAuthenticationToken", 403)
        self.refused(self.role(keys=("AKIDOTHER", "s", None)),
                     "InvalidClientTokenId", 403)

    def test_the_other_partition(self):
        server = Server("--region", "cn-north-1")
        try:
            reply = server.iam("GetRole", {"RoleName": "PersonalizeS3"},
                               region="cn-north-1")
            self.assertRegex(reply.text("GetRoleResult/Role/Arn"),
                             "^arn:aws-cn:iam::")
        finally:
            self.assertEqual(server.close(), (0, b""))

    def test_faults(self):
        self.server.fault("GetRole=Throttling:1")
        self.refused(self.role(), "Throttling", 400, "Rate exceeded")
        self.server.fault("GetRole=close:1")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.role()
        self.assertEqual(self.role().status, 200)
        self.server.fault("SimulatePrincipalPolicy=html-503:1")
        self.assertEqual(self.simulate(["s3:GetObject"]).status, 503)

    # simulations

    def simulate(self, actions, resources=(), source=None, **more):
        params = {"PolicySourceArn": source or self.server.ready["role_arn"]}
        for name, values in (("ActionNames", actions),
                             ("ResourceArns", resources)):
            for i, value in enumerate(values):
                params["%s.member.%d" % (name, i + 1)] = value
        return self.server.iam("SimulatePrincipalPolicy", {**params, **more})

    @staticmethod
    def results(reply):
        """[(action, decision, {resource: decision}, missing keys)]"""
        root = "SimulatePrincipalPolicyResult/EvaluationResults/member"
        return [(r.findtext("EvalActionName"), r.findtext("EvalDecision"),
                 {s.findtext("EvalResourceName"):
                  s.findtext("EvalResourceDecision")
                  for s in r.findall("ResourceSpecificResults/member")},
                 [k.text for k in r.findall("MissingContextValues/member")])
                for r in reply.xml.findall(root)]

    def test_simulations(self):
        bucket, key = "arn:aws:s3:::b", "arn:aws:s3:::b/k"
        reply = self.simulate(["s3:GetObject", "s3:PutObject"], [bucket, key])
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual(self.results(reply), [
            ("s3:GetObject", "allowed", {bucket: "allowed", key: "allowed"},
             []),
            ("s3:PutObject", "implicitDeny", {bucket: "implicitDeny",
                                              key: "implicitDeny"}, [])])
        self.assertEqual(reply.text("SimulatePrincipalPolicyResult/"
                                    "IsTruncated"), "false")
        self.assertIn("${", reply.text(
            "SimulatePrincipalPolicyResult/EvaluationResults/member/"
            "EvalResourceName"))
        self.assertEqual(self.results(self.simulate(["s3:GetObject"])),
                         [("s3:GetObject", "allowed", {}, [])])

    def test_decisions_differ_by_resource(self):
        self.world(roles=[{"roleArn": self.server.ready["role_arn"],
                           "policy": {"Statement": [
                               {"Effect": "Allow", "Action": "s3:*",
                                "Resource": "arn:aws:s3:::b/*"},
                               {"Effect": "Deny", "Action": "s3:GetObject",
                                "Resource": "*/secret", "Condition": {
                                    "StringNotEquals": {
                                        "aws:SourceVpce": "v"}}}]}}])
        names = ["arn:aws:s3:::b/k", "arn:aws:s3:::c/k",
                 "arn:aws:s3:::b/secret"]
        result, = self.results(self.simulate(["s3:GetObject"], names))
        self.assertEqual(result, (
            "s3:GetObject", "explicitDeny", dict(zip(names, (
                "allowed", "implicitDeny", "explicitDeny"))),
            ["aws:SourceVpce"]))
        entry = "ContextEntries.member.1."
        result, = self.results(self.simulate(
            ["s3:GetObject"], names[2:], **{
                entry + "ContextKeyName": "aws:SourceVpce",
                entry + "ContextKeyType": "string",
                entry + "ContextKeyValues.member.1": "v"}))
        self.assertEqual(result[1], "allowed")

    def test_a_policy_that_is_none_allows_nothing(self):
        self.world(roles=[{"roleArn": self.server.ready["role_arn"],
                           "policy": "nonsense"}])
        self.assertEqual(self.results(self.simulate(["s3:GetObject"]))[0][1],
                         "implicitDeny")

    def test_simulations_in_pages(self):
        actions, found, marker = ["s3:A", "s3:B", "s3:C"], [], None
        for _ in range(5):
            more = {"Marker": marker} if marker else {}
            reply = self.simulate(actions, MaxItems="2", **more)
            found += [r[0] for r in self.results(reply)]
            root = "SimulatePrincipalPolicyResult/"
            marker = reply.text(root + "Marker")
            self.assertEqual(reply.text(root + "IsTruncated"),
                             "true" if marker else "false")
            if not marker:
                break
        self.assertEqual(found, actions)
        self.refused(self.simulate(actions, Marker="!"), "ValidationError",
                     400)
        for limit in ("0", "1001", "x"):
            self.refused(self.simulate(actions, MaxItems=limit),
                         "ValidationError", 400)

    def test_simulations_of_what_is_not_there(self):
        self.refused(self.simulate(["s3:A"], source=self.arn("Nobody")),
                     "NoSuchEntity", 404, "role with name Nobody")
        self.refused(self.simulate(["s3:A"], source="arn:aws:s3:::bucket"),
                     "InvalidInput", 400)
        self.refused(self.simulate(["nonsense"]), "InvalidInput", 400)
        self.refused(self.simulate([]), "ValidationError", 400)
        self.refused(self.simulate(["s3:A"], **{
            "PolicyInputList.member.1": "{}"}), "NotImplemented", 400)


class Denied(Shared):
    options = ("--deny", "iam:Get*", "--deny", "sts:GetCallerIdentity",
               "--deny", "personalize:ListSolutions")

    def test_words(self):
        user = "User: arn:aws:iam::%s:user/eraser" % self.account
        reply = self.server.iam("GetRole", {"RoleName": "PersonalizeS3"})
        self.refused(reply, "AccessDenied", 403)
        self.assertEqual(
            reply.text("Error/Message"), user + " is not authorized to "
            "perform: iam:GetRole on resource: role PersonalizeS3 because no "
            "identity-based policy allows the iam:GetRole action")
        self.refused(self.server.sts("GetCallerIdentity", (),
                                     self.server.user), "AccessDenied", 403,
                     "not authorized to perform: sts:GetCallerIdentity")

    def test_denials_come_and_go(self):
        self.server.admin("DELETE", "deny")
        self.assertEqual(self.server.iam(
            "GetRole", {"RoleName": "PersonalizeS3"}).status, 200)
        self.server.admin("POST", "deny", {
            "action": "iam:SimulatePrincipalPolicy=*Personalize*"})
        self.refused(self.server.iam("SimulatePrincipalPolicy", {
            "PolicySourceArn": self.server.ready["role_arn"],
            "ActionNames.member.1": "s3:GetObject"}), "AccessDenied", 403,
            "on resource: role PersonalizeS3 because")
        self.server.admin("POST", "deny", ["sts:AssumeRole"])
        self.refused(self.server.assume(), "AccessDenied", 403)
        self.server.admin("POST", "reset")
        self.assertEqual(self.server.assume().status, 200)

    def test_whose_word_it_is(self):
        keys = self.server.assume().keys
        self.refused(self.server.iam(
            "GetRole", {"RoleName": "x"}, keys=keys), "AccessDenied", 403,
            "^User: arn:aws:sts::%s:assumed-role/Eraser/night-run is not"
            % self.account)

    def test_nonsense(self):
        for text in ("", "s3", "s3:", ":x", "s3 GetObject", "s3:Get Object"):
            reply = self.server.send("POST", "/_local/deny", {}, json.dumps(
                {"action": text}).encode())
            self.assertEqual(reply.status, 400, text)


if __name__ == "__main__":
    unittest.main()
