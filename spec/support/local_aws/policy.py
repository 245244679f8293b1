"""
Policies as IAM writes them: read, and judged for one request.

Knows statements, wildcards and the usual conditions. Refuses to know where a
policy hangs: the callers put the policies together and word the refusal.
"""

import functools
import ipaddress
import json
import re

ALLOWED = "allowed"
EXPLICIT_DENY = "explicitDeny"
IMPLICIT_DENY = "implicitDeny"


class Unreadable(ValueError):
    """The text is no policy."""


def as_list(value):
    return value if type(value) is list else [value]


@functools.lru_cache(1000)
def matcher(pattern):
    parts = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(p, re.escape(p))
                              for p in parts), re.DOTALL).fullmatch


def glob(pattern, text):
    """Whether `*` and `?` of the pattern make the text."""
    return matcher(pattern)(text) is not None


class Ask:
    """
    One request to be judged. `principals` are (kind, name) pairs: all that
    the one who asks is known as. Context keys are in lower case.
    """

    def __init__(self, action, resource, principals=(), context=()):
        self.action = action
        self.resource = resource
        self.principals = list(principals)
        self.context = {name.lower(): [str(v) for v in as_list(value)]
                        for name, value in dict(context).items()}


def read(document):
    """The statements of a policy: a text, or what JSON makes of it."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            raise Unreadable("the policy is not JSON") from None
    if type(document) is not dict:
        raise Unreadable("the policy is no object")
    statements = as_list(document.get("Statement", []))
    for statement in statements:
        if (type(statement) is not dict
                or statement.get("Effect") not in ("Allow", "Deny")
                or type(statement.get("Condition", {})) is not dict):
            raise Unreadable("the policy has a statement that is none")
    return statements


def names(statement, member):
    """The texts of a member, or None where the statement has none."""
    if member not in statement:
        return None
    return [text for text in as_list(statement[member]) if type(text) is str]


def fits(statement, member, text, fold=False):
    """Whether a statement's Action or Resource, or its Not..., takes text."""
    wanted = names(statement, member)
    excluded = names(statement, "Not" + member)
    if wanted is None and excluded is None:
        return True
    if fold:
        text = text.lower()
    found = any(glob(p.lower() if fold else p, text)
                for p in (excluded if wanted is None else wanted))
    return found if wanted is not None else not found


def is_principal(kind, pattern, principals):
    for known_kind, name in principals:
        if pattern == "*" and kind == "AWS":
            return True
        if kind != known_kind:
            continue
        if pattern in ("*", name):
            return True
        account = name.split(":")[4] if name.count(":") > 4 else None
        if kind == "AWS" and account and (
                pattern == account
                or re.fullmatch(r"arn:[a-z-]+:iam::%s:root" % account,
                                pattern)):
            return True
    return False


def takes_principal(statement, principals):
    """Identity policies have no Principal: they fit whoever they hang on."""
    member = next((m for m in ("Principal", "NotPrincipal")
                   if m in statement), None)
    if member is None:
        return True
    value = statement[member]
    if value == "*":
        value = {"AWS": "*"}
    found = type(value) is dict and any(
        is_principal(kind, pattern, principals)
        for kind, patterns in value.items() for pattern in as_list(patterns)
        if type(pattern) is str)
    return found if member == "Principal" else not found


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def in_network(text, network):
    try:
        return (ipaddress.ip_address(text)
                in ipaddress.ip_network(network, strict=False))
    except ValueError:
        return False


def compare(test):
    def operator(value, wanted):
        a, b = number(value), number(wanted)
        return a is not None and b is not None and test(a, b)
    return operator


# name: (whether a value of the context matches one that is wanted, negated)
OPERATORS = {
    "StringEquals": (lambda v, w: v == w, False),
    "StringEqualsIgnoreCase": (lambda v, w: v.lower() == w.lower(), False),
    "StringLike": (lambda v, w: glob(w, v), False),
    "ArnEquals": (lambda v, w: glob(w, v), False),
    "ArnLike": (lambda v, w: glob(w, v), False),
    "Bool": (lambda v, w: v.lower() == w.lower(), False),
    "IpAddress": (in_network, False),
    "NumericEquals": (compare(lambda a, b: a == b), False),
    "NumericLessThan": (compare(lambda a, b: a < b), False),
    "NumericLessThanEquals": (compare(lambda a, b: a <= b), False),
    "NumericGreaterThan": (compare(lambda a, b: a > b), False),
    "NumericGreaterThanEquals": (compare(lambda a, b: a >= b), False),
}
for _name, _of in (("StringNotEquals", "StringEquals"),
                   ("StringNotEqualsIgnoreCase", "StringEqualsIgnoreCase"),
                   ("StringNotLike", "StringLike"),
                   ("ArnNotEquals", "ArnEquals"), ("ArnNotLike", "ArnLike"),
                   ("NotIpAddress", "IpAddress"),
                   ("NumericNotEquals", "NumericEquals")):
    OPERATORS[_name] = (OPERATORS[_of][0], True)


def text_of(value):
    """As JSON writes true and false; numbers as they are."""
    return str(value).lower() if type(value) is bool else str(value)


def holds(operator, key, wanted, context, missing):
    """
    One condition. A key that is absent fails it, but satisfies a negated
    one; an operator that is not known here never holds.
    """
    values = context.get(key.lower())
    wanted = [text_of(value) for value in as_list(wanted)]
    quantifier, colon, name = operator.partition(":")
    if not colon:
        quantifier, name = "", operator
    if name == "Null":
        return (values is None) == (wanted[:1] == ["true"])
    optional = name.endswith("IfExists")
    test, negated = OPERATORS.get(name[:-8] if optional else name,
                                  (None, False))
    if test is None:
        return False
    if values is None:
        missing.add(key)
        return optional or negated or quantifier == "ForAllValues"
    found = [any(test(value, w) for w in wanted) != negated
             for value in values]
    return any(found) if quantifier == "ForAnyValue" else all(found)


def applies(statement, ask, missing):
    if not (takes_principal(statement, ask.principals)
            and fits(statement, "Action", ask.action, fold=True)
            and fits(statement, "Resource", ask.resource)):
        return False
    # Not a generator: every missing key is to be found.
    return all([holds(operator, key, wanted, ask.context, missing)
                for operator, keys in statement.get("Condition", {}).items()
                if type(keys) is dict for key, wanted in keys.items()])


def decide(statements, ask, missing=None):
    """(decision, the statement that made it or None)"""
    missing = set() if missing is None else missing
    found = [s for s in statements if applies(s, ask, missing)]
    for effect, decision in (("Deny", EXPLICIT_DENY), ("Allow", ALLOWED)):
        for statement in found:
            if statement["Effect"] == effect:
                return decision, statement
    return IMPLICIT_DENY, None


def is_public(statements):
    """Whether an Allow for everyone stands without any condition."""
    return any(s["Effect"] == "Allow" and not s.get("Condition")
               and takes_principal(s, [("Anybody", "")])
               for s in statements)
