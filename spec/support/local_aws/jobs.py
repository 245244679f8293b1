"""
Data deletion jobs: their names, their life, their lists.

No thread runs a job. It is settled by the next one who looks, as of the
moment it began; whoever changes objects looks first, so a job always reads
the list that lay there when it went IN_PROGRESS. A long list is counted in a
thread, and its job stays IN_PROGRESS until that is done.
"""

import heapq
import threading
import time
from bisect import bisect_left
from collections import OrderedDict

from .userlist import SIZE_MAX, ListFault, count

CACHED_COUNTS = 64
COUNTED_AT_ONCE = 1000 * 1000


class Job:
    __slots__ = ("number", "name", "arn", "group_arn", "location", "role_arn",
                 "tags", "created", "made", "starts", "ends", "begun",
                 "counting", "deleted", "failure", "doomed")

    def status(self, now):
        if now < self.starts:
            return "PENDING"
        if now < self.ends or self.counting:
            return "IN_PROGRESS"
        return "COMPLETED" if self.failure is None else "FAILED"

    def updated(self, now):
        """Epoch time of the last change of status."""
        since = (0 if now < self.starts else
                 self.starts - self.made
                 if now < self.ends or self.counting else
                 self.ends - self.made)
        return self.created + since


class Jobs:
    """All jobs of the account; every method may be called from any thread."""

    def __init__(self, settings, buckets, roles, monotonic=time.monotonic):
        self.settings = settings
        self.buckets = buckets
        self.roles = roles
        self.monotonic = monotonic
        self.lock = threading.RLock()
        self.counts = OrderedDict()
        self.clear()

    def clear(self):
        with self.lock:
            self.jobs = []              # by number, oldest first
            self.by_name = {}
            self.by_group = {}          # group ARN to numbers, oldest first
            self.pending = {}           # group ARN to how many
            self.waiting = []           # heap of (starts, number)
            self.counts.clear()

    def add(self, name, group_arn, location, role_arn, tags, doomed=None,
            seconds=None):
        """
        A new PENDING job; the caller has checked everything. It lasts as
        long as the settings say, where `seconds` does not.
        """
        if seconds is None:
            seconds = self.settings.job_seconds
        job = Job()
        job.number = len(self.jobs)
        job.name, job.group_arn = name, group_arn
        job.location, job.role_arn = location, role_arn
        job.arn = self.settings.arn("data-deletion-job/" + name)
        job.tags = tags
        job.created = self.settings.clock.now()
        job.made = self.monotonic()
        job.starts = job.made + seconds / 3
        job.ends = job.made + seconds
        job.begun = job.counting = False
        job.deleted = job.failure = None
        job.doomed = doomed
        self.jobs.append(job)
        self.by_name[name] = job
        self.by_group.setdefault(group_arn, []).append(job.number)
        self.pending[group_arn] = self.pending.get(group_arn, 0) + 1
        heapq.heappush(self.waiting, (job.starts, job.number))
        return job

    def settle(self):
        """Begins every job whose time has come; returns the time used."""
        now = self.monotonic()
        with self.lock:
            while self.waiting and self.waiting[0][0] <= now:
                self.begin(self.jobs[heapq.heappop(self.waiting)[1]])
        return now

    def begin(self, job):
        """Finds the list of a job and counts it, at once or in a thread."""
        if job.begun:
            return
        job.begun = True
        self.pending[job.group_arn] -= 1
        try:
            bucket, items = self.list_of(job)
        except ListFault as fault:
            self.finish(job, failure=fault)
            return
        users = self.settings.users
        known = (users,) + tuple(item.number for item in items)
        if job.doomed or known in self.counts:
            self.finish(job, self.counts.get(known))
            return
        bucket.store.pin(items)
        if not COUNTED_AT_ONCE < sum(i.size for i in items) <= SIZE_MAX:
            self.count(job, bucket, items, users, known)
        else:
            job.counting = True
            threading.Thread(target=self.count, daemon=True,
                             args=(job, bucket, items, users, known)).start()

    def count(self, job, bucket, items, users, known):
        """The work of a job."""
        deleted = failure = None
        try:
            deleted = count([(item.key, item.path, item.size)
                             for item in items], users)
        except (ListFault, OSError) as error:
            failure = error
        bucket.store.unpin(items)
        with self.lock:
            if failure is None:
                self.counts[known] = deleted
                if len(self.counts) > CACHED_COUNTS:
                    self.counts.popitem(last=False)
            self.finish(job, deleted, failure)

    def finish(self, job, deleted=None, failure=None):
        if job.counting:
            job.ends = max(job.ends, self.monotonic())
            job.counting = False
        job.deleted = deleted
        job.failure = job.doomed or (
            failure and "The job could not be completed: %s." % failure)

    def list_of(self, job):
        """
        (bucket, objects) of a job's list; ListFault where it cannot be used,
        or where Personalize may not read it with the job's role.
        """
        scheme, _, rest = job.location.partition("://")
        name, slash, key = rest.partition("/")
        if scheme != "s3" or not slash:
            raise ListFault("the location has to be s3://bucket/key")
        bucket = self.buckets.get(name)
        if bucket is None:
            raise ListFault("insufficient privileges for accessing data in "
                            "the bucket %s" % name)
        self.check_right(job, "s3:ListBucket", bucket)
        items = self.objects(bucket, key)
        for item in items:
            self.check_right(job, "s3:GetObject", bucket, item.key)
            if item.sse != "AES256":
                raise ListFault("%s is encrypted with %s; a KMS key cannot be"
                                " used for a list of users"
                                % (item.key, item.sse))
        return bucket, items

    def check_right(self, job, action, bucket, key=""):
        why = self.roles.why_unreadable(job.role_arn, action, bucket.arn(key),
                                        bucket)
        if why:
            raise ListFault(why)

    @staticmethod
    def objects(bucket, key):
        if not key or key.endswith("/"):
            return [item for item in bucket.store.listing(key)
                    if item.key.endswith(".csv")]
        item = bucket.store.find(key)
        if item is None or item.is_marker:
            raise ListFault("there is no object %s" % key)
        return [item]

    def page(self, group_arn, before, limit):
        """
        Up to limit jobs older than number `before` (None: the newest), and
        whether there are more. Jobs younger than the lag are not seen yet.
        """
        if group_arn is None:
            numbers = range(len(self.jobs))
        else:
            numbers = self.by_group.get(group_arn, ())
        end = len(numbers) if before is None else bisect_left(numbers, before)
        seen = self.monotonic() - self.settings.list_lag
        while end and self.jobs[numbers[end - 1]].made > seen:
            end -= 1
        start = max(0, end - limit)
        found = [self.jobs[n] for n in reversed(numbers[start:end])]
        return found, start > 0

    def end(self, job, deleted):
        """COMPLETED at once, with so many records, and no list is read."""
        if not job.begun:
            job.begun = True
            self.pending[job.group_arn] -= 1
        job.doomed = None
        self.finish(job, deleted)
        job.starts = job.ends = job.made

    def force(self, job, status, failure=None):
        """Puts a job into a status at once, for tests of waiting."""
        now = self.monotonic()
        far = now + 10**9
        if status == "PENDING":
            raise ValueError("a job is not put back to PENDING")
        job.starts = min(job.starts, now)
        job.ends = far if status == "IN_PROGRESS" else now
        if status == "FAILED":
            job.doomed = failure or "An internal error occurred."
            if job.begun:
                job.failure = job.doomed
        self.begin(job)
