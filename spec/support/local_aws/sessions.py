"""
What the sources of credentials hand out: temporary credentials, and the
bearer tokens that come before them.

Knows how long both last and who holds them; says nothing of how they travel.
"""

import base64
import collections
import math
import secrets
import threading
import time

KEPT = 10000                        # of each kind; the oldest go first
STALE_SECONDS = 60
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

Session = collections.namedtuple(
    "Session", "access_key_id secret token expires arn")


def iso(epoch):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def opaque(prefix, size):
    return prefix + base64.urlsafe_b64encode(
        secrets.token_bytes(size)).decode().rstrip("=")


def identifier(prefix):
    """An id as IAM makes them: four letters and sixteen more."""
    return prefix + "".join(secrets.choice(LETTERS) for _ in range(16))


class Sessions:
    """Temporary credentials, known to every service until they expire."""

    def __init__(self, credentials, settings):
        self.credentials = credentials
        self.settings = settings
        self.lock = threading.Lock()
        self.order = collections.deque()

    def lasts(self, asked=None):
        """
        Seconds that a session lasts. A short --session-seconds wins over
        what a request asks for, which AWS bounds to 15 minutes from below.
        """
        usual = self.settings.session_seconds
        if asked is None:
            return usual
        return asked if usual >= 3600 else min(asked, usual)

    def issue(self, arn, lasts=None, stale=False):
        """
        A new Session of the principal `arn`. A stale one claims to have
        expired already, though it works: so metadata looks in an outage.
        """
        now = self.settings.clock.now()
        if lasts is None:
            lasts = self.lasts()
        # Whole seconds, so that what is told is also what is held to.
        session = Session(identifier("ASIA"),
                          base64.b64encode(secrets.token_bytes(30)).decode(),
                          base64.b64encode(b"local" + secrets.token_bytes(190)
                                           ).decode(),
                          math.ceil(now + lasts), arn)
        self.credentials.add(session.access_key_id, session.secret,
                             session.token, session.expires, arn)
        with self.lock:
            self.order.append(session.access_key_id)
            while len(self.order) > KEPT:
                self.credentials.known.pop(self.order.popleft(), None)
        if stale:
            return session._replace(expires=math.ceil(now - STALE_SECONDS))
        return session

    def expire(self):
        """All temporary credentials that were issued; how many."""
        with self.lock:
            return sum(self.credentials.expire(i) for i in self.order)

    def clear(self):
        with self.lock:
            self.order.clear()


class Tokens:
    """Bearer tokens by kind, each with its expiry."""

    KINDS = ("imds", "login-refresh", "sso", "sso-client", "sso-refresh",
             "web-identity")

    def __init__(self, clock):
        self.clock = clock
        self.lock = threading.Lock()
        self.clear()

    def clear(self):
        with self.lock:
            self.known = {kind: {} for kind in self.KINDS}

    def add(self, kind, text, seconds):
        """Accepts this token for so long; its expiry."""
        if kind not in self.KINDS:
            raise ValueError("a token is one of %s" % ", ".join(self.KINDS))
        expires = self.clock.now() + seconds
        with self.lock:
            tokens = self.known[kind]
            tokens[text] = expires
            while len(tokens) > KEPT:
                del tokens[next(iter(tokens))]
        return expires

    def issue(self, kind, prefix, seconds, size=60):
        """(a new token, its expiry)"""
        text = opaque(prefix, size)
        return text, self.add(kind, text, seconds)

    def state(self, kind, text):
        """Of a token: "good", "expired" or "unknown"."""
        expires = self.known[kind].get(text)
        if expires is None:
            return "unknown"
        return "good" if self.clock.now() < expires else "expired"

    def good(self, kind, text):
        return self.state(kind, text) == "good"

    def expires(self, kind, text):
        return self.known[kind].get(text, 0)

    def expire(self, kind=None, text=None):
        """Those of a kind, or one by its text, are over; how many."""
        if kind is not None and kind not in self.KINDS:
            raise ValueError("a token is one of %s" % ", ".join(self.KINDS))
        now, count = self.clock.now(), 0
        with self.lock:
            for name, tokens in self.known.items():
                for known in tokens:
                    if kind == name or text == known:
                        tokens[known] = now
                        count += 1
        return count
