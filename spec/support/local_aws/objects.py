"""
The objects of a bucket: records in memory, bytes in a folder on disk.

Knows nothing of HTTP. Without versioning a key has one version, called null;
a bucket whose versioning is suspended writes that one beside the others.
"""

import hashlib
import itertools
import os
import secrets
import threading
import time


class Object:
    """One version of one key; `path` is None for a delete marker."""

    __slots__ = ("key", "version_id", "number", "path", "size", "etag",
                 "modified", "headers", "sse", "kms_key", "checksums",
                 "retention", "pins", "gone")

    def __init__(self, key):
        self.key = key
        self.version_id = "null"
        self.number = 0
        self.path = None
        self.size = 0
        self.etag = ""
        self.modified = 0.0
        self.headers = []           # (name, value) kept for GET and HEAD
        self.sse = "AES256"
        self.kms_key = None         # its ARN, with aws:kms
        self.checksums = []         # (header name, value)
        self.retention = None       # (mode, epoch until which it is kept)
        self.pins = 0               # readers who still need the bytes
        self.gone = False           # removed, but for its readers

    @property
    def is_marker(self):
        return self.path is None


class Store:
    """Versions by key, the newest last; safe to use from every thread."""

    numbers = itertools.count(1)    # of objects in all buckets

    def __init__(self, folder, clock):
        self.folder = folder
        self.clock = clock
        self.versioning = ""        # or Enabled, or Suspended
        self.lock = threading.RLock()
        self.versions = {}

    def new_path(self):
        return os.path.join(self.folder, "object-%d" % next(self.numbers))

    def clear(self):
        with self.lock:
            for versions in self.versions.values():
                for item in versions:
                    self.unlink(item)
            self.versions.clear()

    @staticmethod
    def unlink(item):
        if item.pins:
            item.gone = True
        elif item.path:
            os.unlink(item.path)

    def pin(self, items):
        """Keeps the bytes of items, even removed ones, until unpin."""
        with self.lock:
            for item in items:
                item.pins += 1

    def unpin(self, items):
        with self.lock:
            for item in items:
                item.pins -= 1
                if item.gone and not item.pins:
                    self.unlink(item)

    def current(self, key):
        """The newest version, which may be a delete marker, or None."""
        versions = self.versions.get(key)
        return versions[-1] if versions else None

    def exists(self, key):
        item = self.current(key)
        return item is not None and not item.is_marker

    def find(self, key, version_id=None):
        """The version asked for; None where there is none."""
        with self.lock:
            if version_id is None:
                return self.current(key)
            for item in self.versions.get(key, ()):
                if item.version_id == version_id:
                    return item
            return None

    def add(self, item):
        """Makes item the newest version of its key."""
        with self.lock:
            item.number = next(self.numbers)
            item.modified = self.clock.now()
            versions = self.versions.setdefault(item.key, [])
            if self.versioning == "Enabled":
                item.version_id = secrets.token_urlsafe(24)
            else:
                for old in [v for v in versions if v.version_id == "null"]:
                    versions.remove(old)
                    self.unlink(old)
            versions.append(item)
            return item

    def add_if_absent(self, item):
        """As add, but None where the key exists already."""
        with self.lock:
            return None if self.exists(item.key) else self.add(item)

    def remove(self, key, version_id=None):
        """Removes; the version removed, or the marker that was added."""
        with self.lock:
            versions = self.versions.get(key, [])
            if version_id is None and self.versioning:
                return self.add(Object(key))
            wanted = version_id or "null"
            for item in versions:
                if item.version_id == wanted:
                    versions.remove(item)
                    self.unlink(item)
                    if not versions:
                        del self.versions[key]
                    return item
            return None

    def listing(self, prefix):
        """The newest versions, no markers, in byte order of their keys."""
        with self.lock:
            found = [v[-1] for k, v in self.versions.items()
                     if k.startswith(prefix) and v and not v[-1].is_marker]
        found.sort(key=lambda item: item.key.encode("utf-8"))
        return found

    def every_version(self, prefix):
        """(version, is latest): keys in order, the newest of a key first."""
        with self.lock:
            keys = sorted((k for k in self.versions if k.startswith(prefix)),
                          key=lambda key: key.encode("utf-8"))
            return [(item, item is self.versions[k][-1])
                    for k in keys for item in reversed(self.versions[k])]

    def put_file(self, key, source):
        """Puts a copy of a local file, as --object does."""
        with open(source, "rb") as file:
            return self.put_from(key, file)

    def put_from(self, key, file):
        """Puts what a file gives, as if somebody had uploaded it."""
        item = Object(key)
        item.path = self.new_path()
        md5 = hashlib.md5()
        with open(item.path, "wb") as out:
            while data := file.read(1024 * 1024):
                md5.update(data)
                out.write(data)
                item.size += len(data)
        item.etag = md5.hexdigest()
        item.headers = [("Content-Type", "binary/octet-stream")]
        return self.add(item)


def iso_time(epoch):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(epoch))
