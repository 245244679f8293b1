#!/usr/bin/env python3
"""
Policies as the local AWS judges them: statements, wildcards, principals and
conditions, without a server.

Run: python3 spec/support/local_aws_policy_test.py
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from local_aws import policy  # noqa: E402  (the path has to be set first)

READ = "s3:GetObject"
OBJECT = "arn:aws:s3:::erasure/users.csv"
SERVICE = ("Service", "personalize.amazonaws.com")
ROLE = ("AWS", "arn:aws:iam::123456789012:role/PersonalizeS3")


def statement(effect="Allow", **members):
    return {"Effect": effect, **members}


class Policies(unittest.TestCase):
    def decides(self, wanted, *statements, **more):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        ask = policy.Ask(more.get("action", READ),
                         more.get("resource", OBJECT),
                         more.get("principals", [ROLE]),
                         more.get("context", {}))
        decision, _ = policy.decide(policy.read(json.dumps(document)), ask,
                                    more.get("missing"))
        self.assertEqual(decision, wanted, statements)

    def test_texts_that_are_none(self):
        for text in ("", "{", "[]", "7", '"x"', "[" * 100000,
                     '{"Statement": ["x"]}', '{"Statement": [{}]}',
                     '{"Statement": {"Effect": "allow"}}',
                     '{"Statement": {"Effect": "Deny", "Condition": 1}}'):
            with self.assertRaises(policy.Unreadable):
                policy.read(text)
        self.assertEqual(policy.read("{}"), [])

    def test_one_statement_needs_no_list(self):
        self.assertEqual(len(policy.read(
            {"Statement": {"Effect": "Allow"}})), 1)

    def test_nothing_is_allowed_by_itself(self):
        self.decides("implicitDeny")

    def test_a_deny_wins(self):
        allow, deny = statement(Action="*"), statement("Deny", Action="s3:*")
        self.decides("allowed", allow)
        self.decides("explicitDeny", allow, deny)
        self.decides("explicitDeny", deny, allow)

    def test_actions_and_resources(self):
        for action in ("*", "s3:*", "s3:Get*", "S3:GETOBJECT", "s3:GetObjec?",
                       ["s3:PutObject", READ]):
            self.decides("allowed", statement(Action=action))
        for action in ("s3:Put*", "iam:*", "s3:GetObjectVersion", "s3.Get*"):
            self.decides("implicitDeny", statement(Action=action))
        self.decides("implicitDeny", statement(NotAction="s3:Get*"))
        self.decides("allowed", statement(NotAction="s3:Put*"))
        for resource in ("*", OBJECT, "arn:aws:s3:::erasure/*",
                         "arn:*:s3:::*", [OBJECT, "x"]):
            self.decides("allowed", statement(Action="*", Resource=resource))
        for resource in ("arn:aws:s3:::erasure", "arn:aws:s3:::Erasure/*",
                         "arn:aws:s3:::erasure/users.cs"):
            self.decides("implicitDeny", statement(Action="*",
                                                   Resource=resource))
        self.decides("allowed", statement(Action="*", NotResource="x"))
        self.decides("implicitDeny", statement(Action="*", NotResource="*"))

    def test_principals(self):
        service = {"Service": "personalize.amazonaws.com"}
        for principal, asker, fits in (
                ("*", SERVICE, True), ("*", ROLE, True),
                ({"AWS": "*"}, ROLE, True), ({"AWS": "*"}, SERVICE, True),
                (service, SERVICE, True), (service, ROLE, False),
                ({"Service": ["s3.amazonaws.com",
                              "personalize.amazonaws.com"]}, SERVICE, True),
                ({"Service": "*"}, SERVICE, True),
                ({"Service": "s3.amazonaws.com"}, SERVICE, False),
                ({"AWS": ROLE[1]}, ROLE, True),
                ({"AWS": "123456789012"}, ROLE, True),
                ({"AWS": "arn:aws:iam::123456789012:root"}, ROLE, True),
                ({"AWS": "arn:aws:iam::210987654321:root"}, ROLE, False),
                ({"AWS": ["x", ROLE[1]]}, ROLE, True),
                ("personalize.amazonaws.com", SERVICE, False),
                ({"Federated": "x"}, ROLE, False)):
            wanted = "allowed" if fits else "implicitDeny"
            self.decides(wanted, statement(Action="*", Principal=principal),
                         principals=[asker])
            self.decides("implicitDeny" if fits else "allowed",
                         statement(Action="*", NotPrincipal=principal),
                         principals=[asker])
        self.decides("allowed", statement(Action="*", Principal=service),
                     principals=[ROLE, SERVICE])

    def holds(self, wanted, condition, **context):
        context = {name.replace("_", ":"): value
                   for name, value in context.items()}
        self.decides("allowed" if wanted else "implicitDeny",
                     statement(Action="*", Condition=condition),
                     context=context)

    def test_conditions(self):
        vpce = "aws:SourceVpce"
        for operator, wanted, value, fits in (
                ("StringEquals", "vpce-1", "vpce-1", True),
                ("StringEquals", ["vpce-0", "vpce-1"], "vpce-1", True),
                ("StringEquals", "VPCE-1", "vpce-1", False),
                ("StringEqualsIgnoreCase", "VPCE-1", "vpce-1", True),
                ("StringNotEquals", "vpce-1", "vpce-1", False),
                ("StringNotEquals", ["vpce-1", "vpce-2"], "vpce-3", True),
                ("StringNotEqualsIgnoreCase", "VPCE-1", "vpce-1", False),
                ("StringLike", "vpce-?", "vpce-1", True),
                ("StringNotLike", "vpce-*", "vpce-1", False),
                ("ArnLike", "arn:aws:personalize:*:1:*",
                 "arn:aws:personalize:eu-west-1:1:job/x", True),
                ("ArnNotLike", "arn:*", "x", True),
                ("ArnEquals", "arn:a", "arn:b", False),
                ("ArnNotEquals", "arn:a", "arn:b", True),
                ("Bool", True, "true", True), ("Bool", "false", "true", False),
                ("IpAddress", "127.0.0.0/8", "127.0.0.1", True),
                ("NotIpAddress", ["10.0.0.0/8"], "127.0.0.1", True),
                ("IpAddress", "nonsense", "127.0.0.1", False),
                ("NumericEquals", 5, "5", True),
                ("NumericNotEquals", 5, "5", False),
                ("NumericLessThan", "5", "4", True),
                ("NumericLessThanEquals", "5", "6", False),
                ("NumericGreaterThan", "5", "6", True),
                ("NumericGreaterThanEquals", "x", "6", False),
                ("Null", "false", "x", True), ("Null", True, "x", False),
                ("DateLessThan", "2026-01-01", "2025-01-01", False)):
            self.holds(fits, {operator: {vpce: wanted}}, aws_SourceVpce=value)
            self.holds(fits, {operator: {vpce.upper(): wanted}},
                       aws_SourceVpce=value)

    def test_keys_that_are_absent(self):
        for operator, fits in (
                ("StringEquals", False), ("StringNotEquals", True),
                ("StringEqualsIfExists", True), ("StringLike", False),
                ("StringNotLikeIfExists", True), ("Bool", False),
                ("ForAllValues:StringEquals", True),
                ("ForAnyValue:StringEquals", False)):
            self.holds(fits, {operator: {"aws:SourceVpce": "vpce-1"}})
        self.holds(True, {"Null": {"aws:SourceVpce": "true"}})
        missing = set()
        self.decides("implicitDeny", statement(
            Action="*", Condition={"StringEquals": {"a:b": "1", "a:c": "2"}}),
            missing=missing)
        self.assertEqual(missing, {"a:b", "a:c"})

    def test_keys_with_several_values(self):
        for quantifier, wanted, fits in (
                ("ForAnyValue", ["b"], True), ("ForAllValues", ["b"], False),
                ("ForAllValues", ["a", "b", "c"], True),
                ("ForAnyValue", ["x"], False)):
            self.holds(fits, {quantifier + ":StringEquals": {"k:k": wanted}},
                       k_k=["a", "b"])

    def test_all_conditions_have_to_hold(self):
        both = {"StringEquals": {"a:b": "1"}, "Bool": {"a:c": "true"}}
        self.holds(True, both, a_b="1", a_c="true")
        self.holds(False, both, a_b="1", a_c="false")
        self.holds(False, both, a_b="2", a_c="true")

    def test_public(self):
        def public(**members):
            return policy.is_public([statement(Action=READ, **members)])
        self.assertTrue(public(Principal="*"))
        self.assertTrue(public(Principal={"AWS": "*"}))
        self.assertFalse(public(Principal={"AWS": ROLE[1]}))
        self.assertFalse(public(Principal="*", Condition={
            "StringEquals": {"aws:SourceVpce": "x"}}))
        self.assertFalse(policy.is_public([statement("Deny", Action="*",
                                                     Principal="*")]))


if __name__ == "__main__":
    unittest.main()
