"""
The pages of Personalize's lists: opaque tokens that fit one query alone, and
pages that are odd on demand.
"""

import base64
import hmac
import secrets

from .problem import Problem

START = 10**12                      # beyond every number: the first page
PLAIN = ("operation", "nextToken", "maxResults", "doomed", "caller")


class Paging:
    def __init__(self, settings):
        self.settings = settings
        self.key = secrets.token_bytes(16)

    def seal(self, params, position):
        query = "%d %s %s" % (position, params["operation"], " ".join(
            "%s=%s" % item for item in sorted(params.items())
            if item[0] not in PLAIN))
        return hmac.digest(self.key, query.encode(), "sha256")[:18]

    def token(self, params, position):
        return base64.urlsafe_b64encode(
            position.to_bytes(6, "big") + self.seal(params, position)
        ).decode()

    def position(self, params):
        """Where a nextToken goes on; None without one."""
        text = params.get("nextToken")
        if not text:
            return None
        try:
            raw = base64.urlsafe_b64decode(text)
        except ValueError:
            raw = b""
        position = int.from_bytes(raw[:6], "big")
        if len(raw) != 24 or raw[6:] != self.seal(params, position):
            raise Problem("InvalidNextTokenException",
                          "The token is not valid.")
        return position

    def limit(self, params):
        return min(params.get("maxResults", 100),
                   self.settings.list_page_size)

    def page(self, params, member, items, write):
        """The output of a list: one page, each item written."""
        start = self.position(params) or 0
        start = 0 if start == START else start
        end = start + self.limit(params)
        out = {member: [write(item) for item in items[start:end]]}
        if end < len(items):
            out["nextToken"] = self.token(params, end)
        return out

    def spoil(self, trick, params, output):
        """An odd page out of a right one, as the fault's name says."""
        member = next((n for n, v in output.items() if type(v) is list), None)
        if member is None or not params["operation"].startswith("List"):
            return
        if trick == "extra-page":
            # the page that follows is empty and the last
            if "nextToken" not in output and output[member]:
                output["nextToken"] = self.token(params, self.last(params))
            return
        if trick == "empty-page":
            output[member] = []
        output["nextToken"] = (params.get("nextToken")
                               or self.token(params, START))

    @staticmethod
    def last(params):
        """A position that nothing comes after."""
        return (0 if params["operation"] == "ListDataDeletionJobs"
                else START - 1)
