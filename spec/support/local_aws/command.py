"""
The command: options in, one line of JSON out, and an end without leftovers.
"""

import argparse
import gc
import json
import os
import re
import shutil
import signal
import stat
import sys
import tempfile
import textwrap
import threading

from . import faults as faults_module
from .admin import Admin
from .faults import Fault, Faults, parse_spec
from .jobs import Jobs
from .objects import Store
from .personalize import Personalize
from .s3 import S3
from .server import Server, parse_listen
from .settings import Clock, Settings
from .signature import Credentials, Verifier
from .tls import TlsError, server_context

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

EPILOG = """\
faults: --fault [OPERATION=][after-]NAME[@WHERE][:N], repeatable
  OPERATION  the operation it strikes (CreateDataDeletionJob, PutObject, ...);
             without one, every operation
  after-     the operation is carried out first, only its answer is spoilt
  WHERE      where the error's name stands: type (__type, the default), header
             (x-amzn-ErrorType) or code; +ns adds a namespace, +uri a suffix
  :N         only the first N requests

error names:
%s
tricks:
%s
while it runs (unsigned, JSON):
  GET  /_local/requests     counts, and the last requests without bodies
  POST /_local/fault        {"name": "SlowDown", "operation": "PutObject",
                            "times": 1, ...}, or a list of such, or {"spec":
                            "PutObject=SlowDown:1"}; further members: where,
                            skip, after, status, message, headers, body, delay
  DELETE /_local/fault      no more faults
  POST /_local/settings     job_seconds, pending_quota, list_lag, versioning,
                            clock_offset (seconds), users (a list or null)
  POST /_local/job          {"jobName": N, "status": S, "failureReason": R}
  POST /_local/credentials  {"access_key_id": A, "secret_access_key": K,
                            "session_token": T, "expires_in": S}
  POST /_local/reset        as just started: no jobs, no requests, the first
                            objects, faults, settings and credentials
"""


def epilog():
    names = textwrap.fill(", ".join(faults_module.ERRORS), 76,
                          initial_indent="  ", subsequent_indent="  ")
    tricks = "\n".join("  %-11s %s" % item
                       for item in faults_module.TRICKS.items())
    return EPILOG % (names, tricks)


def parser():
    out = argparse.ArgumentParser(
        prog="local-aws", epilog=epilog(), allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A strict local Amazon Personalize and S3. When ready it "
                    "prints one line of JSON.")
    add = out.add_argument
    add("--listen", default="127.0.0.1:0", metavar="HOST:PORT",
        help="loopback address; port 0 takes any (default 127.0.0.1:0)")
    add("--tls", action="store_true", help="HTTPS, with its own authority")
    add("--access-key-id", default=ACCESS_KEY_ID, metavar="ID")
    add("--secret-access-key", default=SECRET_ACCESS_KEY, metavar="KEY")
    add("--session-token", metavar="T", help="the credentials need this token")
    add("--region", default="eu-west-1", metavar="R")
    add("--bucket", default="erasure", metavar="NAME")
    add("--object", action="append", default=[], metavar="KEY=FILE",
        help="an object that is there from the start (repeatable)")
    add("--account", default="123456789012", metavar="N")
    add("--dataset-group", action="append", metavar="NAME",
        help="a dataset group (repeatable; default shop)")
    add("--users", metavar="FILE",
        help="ids that exist, one a line (USER_ID as header is skipped)")
    add("--versioning", action="store_true", help="of the bucket")
    add("--job-seconds", type=float, default=2.0, metavar="S",
        help="from creation to the end of a job, a third of it PENDING "
             "(default 2)")
    add("--pending-quota", type=int, default=5, metavar="N",
        help="PENDING jobs a dataset group (default 5)")
    add("--list-lag", type=float, default=0.0, metavar="S",
        help="a job appears in lists S seconds after its creation")
    add("--clock-offset", type=float, default=0.0, metavar="S",
        help="the server's clock is S seconds ahead (behind if negative)")
    add("--fault", action="append", default=[], metavar="FAULT",
        help="an error on demand, see below (repeatable)")
    return out


def read_users(path):
    """The ids of a file as a frozenset of bytes."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    ids = {line.rstrip(b"\r") for line in lines}
    if lines[0].rstrip(b"\r") == b"USER_ID":
        ids.discard(b"USER_ID")
    return frozenset(ids - {b""})


class LocalAws:
    """The parts, put together out of the options."""

    def __init__(self, options, folder):
        address, port = parse_listen(options.listen)
        if not re.fullmatch(r"[0-9]{12}", options.account):
            raise ValueError("--account takes 12 digits")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
                            options.bucket):
            raise ValueError("%s is no name of a bucket" % options.bucket)
        specs = [parse_spec(text) for text in options.fault]
        for spec in specs:
            Fault(**spec)
        self.options = options
        self.objects = [tuple(text.split("=", 1)) for text in options.object]
        if any(len(pair) != 2 for pair in self.objects):
            raise ValueError("--object takes KEY=FILE")
        self.settings = Settings(
            options.region, options.account, options.bucket,
            options.dataset_group or ["shop"], Clock(options.clock_offset),
            options.job_seconds, options.pending_quota, options.list_lag,
            options.versioning,
            read_users(options.users) if options.users else None)
        clock = self.settings.clock
        self.credentials = Credentials(clock)
        verifier = Verifier(self.credentials, options.region, clock)
        self.faults = Faults(specs)
        self.store = Store(folder, self.settings)
        self.jobs = Jobs(self.settings, self.store)
        self.personalize = Personalize(self.settings, verifier, self.jobs,
                                       self.faults)
        self.restore()
        context = self.ca_bundle = None
        if options.tls:
            context, self.ca_bundle = server_context(folder)
        self.server = Server(address, port, context, clock)
        self.server.services = [
            Admin(self), self.personalize,
            S3(self.settings, verifier, self.store, self.jobs, self.faults)]

    def restore(self):
        """Everything as it was when the server became ready."""
        self.settings.restore()
        self.faults.restore()
        self.personalize.clear()
        self.store.clear()
        for key, path in self.objects:
            self.store.put_file(key, path)
        self.credentials.known.clear()
        self.credentials.add(self.options.access_key_id,
                             self.options.secret_access_key,
                             self.options.session_token)

    def ready_line(self):
        groups = self.settings.dataset_group_arns()
        line = {
            "endpoint": self.server.endpoint(),
            "ca_bundle": self.ca_bundle,
            "region": self.settings.region,
            "access_key_id": self.options.access_key_id,
            "secret_access_key": self.options.secret_access_key,
            "bucket": self.settings.bucket,
            "account": self.settings.account,
            "role_arn": self.settings.role_arn(),
            "dataset_group_arn": groups[0],
            "dataset_group_arns": groups,
            "pid": os.getpid(),
        }
        if self.options.session_token:
            line["session_token"] = self.options.session_token
        return json.dumps(line)


def watch_stdin(stop):
    """Stops when the other end of a pipe on stdin is closed."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return

    def wait():
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        stop.set()
    threading.Thread(target=wait, daemon=True).start()


def main(arguments):
    options = parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    folder = tempfile.mkdtemp(prefix="local-aws-")
    try:
        local = LocalAws(options, folder)
        local.server.start()
        watch_stdin(stop)
        gc.freeze()
        gc.set_threshold(50000, 20, 50)     # what we keep has no cycles
        print(local.ready_line(), flush=True)
        stop.wait()
        local.server.stop()
        return 0
    except (ValueError, OSError, TlsError) as error:
        print("local-aws: %s" % error, file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
