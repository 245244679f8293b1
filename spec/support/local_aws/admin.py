"""
The /_local paths: watching and steering the server while it runs.

Unsigned, which is fine for a server that listens on loopback only.
"""

import hashlib
import json

from .faults import parse_spec
from .wire import Answer

BODY_MAX = 64 * 1024 * 1024
LINE = ("operation", "status", "code", "request_id", "connection",
        "invocation_id", "attempt", "user_agent", "mishap")


def sha256_of(store, item):
    """In hex, of the bytes as they lie on the disk."""
    digest = hashlib.sha256()
    store.pin([item])
    try:
        with open(item.path, "rb") as file:
            while data := file.read(1024 * 1024):
                digest.update(data)
    finally:
        store.unpin([item])
    return digest.hexdigest()


class Admin:
    def __init__(self, local):
        self.local = local

    def claims(self, request):
        return request.path.startswith("/_local/")

    def answer(self, request):
        request.operation = "_local"
        name = request.path[len("/_local/"):]
        action = getattr(self, "%s_%s" % (request.method.lower(), name), None)
        body = request.body.read_all(BODY_MAX)
        if action is None:
            return self.reply(404, {"error": "no such path, see --help"})
        try:
            given = json.loads(body) if body.strip() else {}
            return self.reply(200, action(given))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return self.reply(400, {"error": str(error)})

    @staticmethod
    def reply(status, value):
        return Answer(status, [("Content-Type", "application/json")],
                      json.dumps(value).encode() + b"\n")

    def failure(self, request):
        return self.reply(500, {"error": "see the server's stderr"})

    def get_requests(self, _):
        log = self.local.server.log
        with log.lock:
            lines = [dict(zip(LINE, line)) for line in log.lines
                     if line[0] != "_local"]
            totals = [(key, n) for key, n in log.totals.items()
                      if key[0] != "_local"]
            refused, connections = log.last_refused, log.connections
        operations, statuses, codes = {}, {}, {}
        for (operation, status, code), n in totals:
            for counts, key in ((operations, operation or "unknown"),
                                (statuses, str(status)), (codes, code)):
                if key is not None:
                    counts[key] = counts.get(key, 0) + n
        return {"count": sum(n for _, n in totals), "operations": operations,
                "statuses": statuses, "codes": codes,
                "connections": connections, "last_refused": refused,
                "requests": lines}

    def get_jobs(self, _):
        jobs = self.local.jobs
        with jobs.lock:
            jobs.settle()
            now = jobs.monotonic()
            return {"jobs": [
                {"jobName": job.name, "datasetGroupArn": job.group_arn,
                 "dataLocation": job.location, "roleArn": job.role_arn,
                 "status": job.status(now), "numDeleted": job.deleted,
                 "failureReason": job.failure} for job in jobs.jobs]}

    def post_fault(self, given):
        for one in given if isinstance(given, list) else [given]:
            one = dict(one)
            if "spec" in one:
                one = parse_spec(one.pop("spec")) | one
            self.local.faults.add(one)
        return {"faults": len(self.local.faults.rules)}

    def delete_fault(self, _):
        self.local.faults.clear()
        return {"faults": 0}

    def post_settings(self, given):
        self.local.change_settings(given)
        settings = self.local.settings
        return {name: getattr(settings, name) for name in settings.KNOBS}

    def get_world(self, _):
        return self.local.world.inventory()

    def post_world(self, given):
        self.local.world.apply(given)
        return {}

    def post_deny(self, given):
        for text in given if isinstance(given, list) else [given["action"]]:
            self.local.denials.add(text)
        return {"denials": len(self.local.denials.rules)}

    def delete_deny(self, _):
        self.local.denials.clear()
        return {"denials": 0}

    def post_job(self, given):
        jobs = self.local.jobs
        with jobs.lock:
            jobs.settle()
            job = jobs.by_name[given["jobName"]]
            status = given["status"]
            if status not in ("IN_PROGRESS", "COMPLETED", "FAILED"):
                raise ValueError("a job cannot be made %s" % status)
            jobs.force(job, status, given.get("failureReason"))
            return {"status": job.status(jobs.monotonic())}

    def post_credentials(self, given):
        expires = given.get("expires_in")
        if expires is not None:
            expires += self.local.settings.clock.now()
        if given.get("arn") is not None and given["arn"].count(":") < 5:
            raise ValueError("%s is no ARN" % given["arn"])
        self.local.credentials.add(
            given["access_key_id"], given["secret_access_key"],
            given.get("session_token"), expires, given.get("arn"))
        return {"credentials": len(self.local.credentials.known)}

    def post_expire(self, given):
        """What comes first of access_key_id, token and kind is over."""
        local = self.local
        if "access_key_id" in given:
            count = local.credentials.expire(given["access_key_id"])
        elif "token" in given:
            count = local.tokens.expire(text=given["token"])
        elif given["kind"] == "sessions":
            count = local.sessions.expire()
        else:
            count = local.tokens.expire(given["kind"])
        return {"expired": int(count)}

    def post_token(self, given):
        text = given["token"]
        if type(text) is not str:
            raise ValueError("a token is text")
        expires = self.local.tokens.add(given["kind"], text,
                                        float(given.get("expires_in", 3600)))
        return {"expires": expires}

    def post_role(self, given):
        given = dict(given)
        arn = given.pop("role_arn")
        if given.pop("gone", False):
            return {"gone": self.local.sts.roles.pop(arn, None) is not None}
        return {"role_arn": self.local.sts.add(arn, **given).arn}

    def get_objects(self, _):
        """Every version of every bucket, the newest of a key first."""
        return {"objects": [
            self.line(bucket, item, latest)
            for bucket in self.local.buckets.known.values()
            for item, latest in bucket.store.every_version("")]}

    @staticmethod
    def line(bucket, item, latest):
        line = {"bucket": bucket.name, "key": item.key,
                "version_id": item.version_id, "size": item.size,
                "etag": item.etag, "latest": latest,
                "marker": item.is_marker}
        if not item.is_marker:
            line["sha256"] = sha256_of(bucket.store, item)
            line["encryption"] = item.sse
            line["kms_key"] = item.kms_key
            line["checksums"] = dict(item.checksums)
            line["content_type"] = dict(item.headers)["Content-Type"]
        return line

    def post_delete(self, given):
        """Deletes as somebody else might: with versioning, a marker."""
        buckets = self.local.buckets
        bucket = buckets.known[given.get("bucket", buckets.first.name)]
        item = bucket.store.remove(given["key"], given.get("version_id"))
        return {"deleted": item is not None}

    def get_sources(self, _):
        return self.local.sources()

    def post_reset(self, _):
        self.local.restore()
        self.local.server.log.clear()
        return {}
