"""
Kinds of input: types, limits and patterns, as Personalize and STS check them.

A wrong JSON type is a SerializationException, as in AWS's own parsers; a
value outside its limits goes into one InvalidInputException that counts them.
"""

import json
import re
import unicodedata


class WrongType(Exception):
    """The body is no JSON, or a member has another type than the model's."""


class Invalid(Exception):
    """Members outside their constraints; the message is AWS's."""


def ascii_pattern(text):
    return re.compile(text, re.ASCII).fullmatch


def tag_pattern():
    """^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$, which re cannot say by itself."""
    plain = re.compile(r"[A-Za-z0-9 _.:/=+\-@]*").fullmatch

    def match(value):
        return plain(value) or all(
            c in "_.:/=+-@" or unicodedata.category(c)[0] in "LZN"
            for c in value)
    return match


class String:
    def __init__(self, low=None, high=None, pattern=None, match=None,
                 sensitive=False):
        self.low = low
        self.high = high
        self.pattern = pattern
        self.match = match or (pattern and ascii_pattern(pattern))
        self.sensitive = sensitive

    def check(self, value, path, faults):
        if type(value) is not str:
            raise WrongType(cannot(value, "String"))
        if self.low is not None and len(value) < self.low:
            self.fault(faults, value, path, "have length greater than or "
                       "equal to %d" % self.low)
        if self.high is not None and len(value) > self.high:
            self.fault(faults, value, path, "have length less than or equal "
                       "to %d" % self.high)
        if self.match and not self.match(value):
            self.fault(faults, value, path, "satisfy regular expression "
                       "pattern: %s" % self.pattern)
        return value

    def fault(self, faults, value, path, rule):
        shown = "" if self.sensitive else " '%s'" % value
        faults.append("Value%s at '%s' failed to satisfy constraint: Member "
                      "must %s" % (shown, path, rule))


class Integer:
    def __init__(self, low, high):
        self.low = low
        self.high = high

    def check(self, value, path, faults):
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not -2**31 <= value < 2**31:
            raise WrongType(cannot(value, "Integer"))
        for wrong, words, limit in (
                (value < self.low, "greater", self.low),
                (value > self.high, "less", self.high)):
            if wrong:
                faults.append(
                    "Value '%d' at '%s' failed to satisfy constraint: Member "
                    "must have value %s than or equal to %d"
                    % (value, path, words, limit))
        return value


class Enum:
    def __init__(self, *values):
        self.values = values

    def check(self, value, path, faults):
        if type(value) is not str:
            raise WrongType(cannot(value, "String"))
        if value not in self.values:
            faults.append(
                "Value '%s' at '%s' failed to satisfy constraint: Member must"
                " satisfy enum value set: [%s]"
                % (value, path, ", ".join(self.values)))
        return value


class Boolean:
    def check(self, value, path, faults):
        if type(value) is not bool:
            raise WrongType(cannot(value, "Boolean"))
        return value


class Opaque:
    """An object that is kept as it comes: nothing here depends on it."""

    def check(self, value, path, faults):
        if type(value) is not dict:
            raise WrongType(cannot(value, "Structure"))
        return value


class List:
    def __init__(self, member, high):
        self.member = member
        self.high = high

    def check(self, value, path, faults):
        if type(value) is not list:
            raise WrongType("Start of list expected" if type(value) is dict
                            else cannot(value, "List"))
        if len(value) > self.high:
            faults.append("Value at '%s' failed to satisfy constraint: Member"
                          " must have length less than or equal to %d"
                          % (path, self.high))
        return [self.member.check(v, "%s.%d.member" % (path, i + 1), faults)
                for i, v in enumerate(value)]


class Structure:
    """Members by name; unknown ones are ignored and null is absent."""

    def __init__(self, **members):
        self.members = members
        self.required = ()

    def needs(self, *names):
        self.required = names
        return self

    def check(self, value, path, faults):
        if type(value) is not dict:
            raise WrongType("Start of structure or map expected"
                            if type(value) is list
                            else cannot(value, "Structure"))
        out = {}
        for name, shape in self.members.items():
            given = value.get(name)
            where = path + "." + name if path else name
            if given is not None:
                out[name] = shape.check(given, where, faults)
            elif name in self.required:
                faults.append("Value null at '%s' failed to satisfy "
                              "constraint: Member must not be null" % where)
        return out


def cannot(value, wanted):
    kind = {bool: "TRUE_VALUE" if value is True else "FALSE_VALUE",
            int: "NUMBER_VALUE", float: "DECIMAL_VALUE", str: "STRING_VALUE",
            list: "START_ARRAY", dict: "START_OBJECT",
            type(None): "NULL_VALUE"}[type(value)]
    return "%s can not be converted to %s" % (kind, wanted)


def no_constant(name):
    raise ValueError("%s is not JSON" % name)


DECODE = json.JSONDecoder(parse_constant=no_constant).decode


def parse(shape, body):
    """The checked input of this shape, out of the bytes of a body."""
    try:
        text = body.decode("utf-8")
        value = DECODE(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise WrongType("The request body is not a JSON object.") from None
    faults = []
    checked = shape.check(value, "", faults)
    if faults:
        raise Invalid("%d validation error%s detected: %s" % (
            len(faults), "" if len(faults) == 1 else "s", "; ".join(faults)))
    return checked
