"""
What callers may not do here: single actions that are denied, and the words
of the refusal.

Callers may do everything else; whether a bucket's own policy lets them is
the business of s3_access.
"""

import re

from .policy import glob

RULE = re.compile(r"([a-z0-9-]+:[A-Za-z*?]+)(?:=(.+))?", re.DOTALL).fullmatch


def parse(text):
    """ACTION[=RESOURCE], both with wildcards, as a rule."""
    match = RULE(text)
    if not match:
        raise ValueError("a denial is SERVICE:ACTION[=RESOURCE], not %s"
                         % text)
    return match[1].lower(), match[2] or "*"


def refusal(caller, action, resource, why=None):
    """The sentence of AWS; `resource` as the service shows it."""
    return "User: %s is not authorized to perform: %s on resource: %s %s" % (
        caller, action, resource, why or "because no identity-based policy "
        "allows the %s action" % action)


class Denials:
    """The rules in force."""

    def __init__(self, initial=()):
        self.initial = [parse(text) for text in initial]
        self.restore()

    def restore(self):
        self.rules = list(self.initial)

    def add(self, text):
        self.rules.append(parse(text))

    def clear(self):
        self.rules = []

    def denies(self, action, resource="*"):
        lower = action.lower()
        return any(glob(pattern, lower) and glob(where, resource)
                   for pattern, where in self.rules)
