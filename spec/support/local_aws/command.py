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
from .buckets import Buckets
from .catalogue import Catalogue
from .deletion_jobs import DeletionJobs
from .faults import Fault, Faults, parse_spec
from .iam import Iam
from .jobs import Jobs
from .metadata import Container, Imds
from .paging import Paging
from .permissions import Denials
from .personalize import Personalize
from .query import Query
from .resources import Resources
from .roles import Roles
from .s3 import S3
from .server import Server, parse_listen
from .sessions import Sessions, Tokens, opaque
from .settings import Clock, Settings
from .signature import Credentials, Verifier
from .signin import Signin
from .sso import Oidc, Portal
from .sts import Sts
from .tags import CreateRules, Tags
from .tls import TlsError, server_context
from .world import DAY, WORLD, World

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

EPILOG = """\
denials: --deny SERVICE:ACTION[=RESOURCE], repeatable, * and ? as wildcards
  The action (personalize:ListSolutions, s3:GetBucketPolicy, iam:GetRole,
  sts:GetCallerIdentity ...) is refused as AWS refuses it, of this resource's
  ARN or of all; iam:PassRole refuses the creates that name a role.

faults: --fault [OPERATION=][after-]NAME[@WHERE][:N], repeatable
  OPERATION  the operation it strikes (CreateDataDeletionJob, PutObject, ...);
             without one, every operation. Around credentials: AssumeRole,
             AssumeRoleWithWebIdentity, GetCallerIdentity (STS),
             GetRoleCredentials (SSO portal), CreateToken (OIDC), SigninToken,
             ImdsToken, ImdsRole, ImdsCredentials, ImdsRegion, ImdsZone,
             ContainerCredentials
  after-     the operation is carried out first, only its answer is spoilt
  WHERE      where the error's name stands: type (__type, the default), header
             (x-amzn-ErrorType) or code; +ns adds a namespace, +uri a suffix
             (Personalize only)
  :N         only the first N requests

error names:
%s
tricks:
%s
while it runs (unsigned, JSON):
  GET  /_local/requests     counts, and the last requests without bodies
  GET  /_local/jobs         all jobs, oldest first, without quotas and lag
  POST /_local/fault        {"name": "SlowDown", "operation": "PutObject",
                            "times": 1, ...}, or a list of such, or {"spec":
                            "PutObject=SlowDown:1"}; further members: where,
                            skip, after, status, message, headers, body, delay
  DELETE /_local/fault      no more faults
  POST /_local/settings     job_seconds, pending_quota, list_lag, versioning,
                            session_seconds, token_seconds, imds, imds_role
                            and container_token ("" for none), clock_offset
                            (seconds), users (a list or null), bucket_region
                            ("" for ours), encryption (AES256; aws:kms for a
                            bucket that encrypts so whatever is asked; policy
                            for one that refuses puts without aws:kms),
                            page_size (of S3's lists), list_page_size (of
                            Personalize's), batch_lists (what a list of batch
                            jobs without a solution version is: account,
                            refused or empty), source_vpce (the VPC endpoint
                            that callers come by; "" for none). versioning,
                            bucket_region and encryption are of --bucket
  POST /_local/world        makes and changes what a document names, see below
  GET  /_local/world        what there is, with statuses, and what is to come
  POST /_local/deny         {"action": "s3:GetObject=ARN"}, or a list of such
                            texts: denied from now on, as by --deny
  DELETE /_local/deny       no more denials
  POST /_local/job          {"jobName": N, "status": S, "failureReason": R}
  POST /_local/credentials  {"access_key_id": A, "secret_access_key": K,
                            "session_token": T, "expires_in": S, "arn": R}
  POST /_local/expire       {"access_key_id": A}, {"token": T} or {"kind": K}:
                            over from now on; K is sessions (all temporary
                            credentials), imds, sso, sso-refresh, sso-client,
                            login-refresh or web-identity
  POST /_local/token        {"kind": K, "token": T, "expires_in": S}: one more
                            that is accepted (say, a rotated web identity)
  POST /_local/role         {"role_arn": R, ...}: a role for callers to assume
                            (STS), replaced or new; further members:
                            external_id, mfa_serial, token_code, max_seconds,
                            web_identity, gone
  GET  /_local/objects      every version of every bucket, with the SHA-256 of
                            its bytes
  POST /_local/delete       {"key": K, "version_id": V, "bucket": B}, as
                            somebody else might
  GET  /_local/sources      what a machine has to know to get credentials from
                            here: assume_role, web_identity, sso, login (both
                            with the cache file's content), imds, container
  POST /_local/reset        as just started: no jobs, no requests, the first
                            objects, faults, settings, credentials and world
%s"""


def epilog():
    names = textwrap.fill(", ".join(faults_module.ERRORS), 76,
                          initial_indent="  ", subsequent_indent="  ")
    tricks = "\n".join("  %-11s %s" % item
                       for item in faults_module.TRICKS.items())
    return EPILOG % (names, tricks, "\n" + WORLD)


def parser():
    out = argparse.ArgumentParser(
        prog="local-aws", epilog=epilog(), allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A strict local Amazon Personalize, S3, IAM, STS, SSO,"
                    " sign-in and metadata\nservice. When ready it prints one"
                    " line of JSON.")
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
        help="a dataset group (repeatable; default shop, or those of the "
             "world)")
    add("--world", metavar="FILE",
        help="JSON: what the account has besides, see below")
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
    add("--session-seconds", type=float, default=3600.0, metavar="S",
        help="temporary credentials last S seconds (default 3600)")
    add("--token-seconds", type=float, default=3600.0, metavar="S",
        help="SSO access tokens last S seconds (default 3600)")
    add("--imds", choices=Settings.CHOICES["imds"], default="v2",
        help="the instance metadata speaks v2 only (default), v1 only, both, "
             "or is off")
    add("--imds-role", default="EraserInstance", metavar="NAME",
        help="the instance's role; empty for none")
    add("--container-token", default="", metavar="T",
        help="the container credentials need this as Authorization")
    add("--clock-offset", type=float, default=0.0, metavar="S",
        help="the server's clock is S seconds ahead (behind if negative)")
    add("--deny", action="append", default=[], metavar="ACTION",
        help="an action that callers may not do, see below (repeatable)")
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


def read_world(path):
    """The document of --world; ValueError where it is none."""
    with open(path, "rb") as file:
        try:
            document = json.loads(file.read())
        except ValueError as error:
            raise ValueError("%s is not JSON: %s" % (path, error)) from None
    if type(document) is not dict:
        raise ValueError("%s is no object" % path)
    return document


class LocalAws:
    """The parts, put together out of the options."""

    def __init__(self, options, folder):
        address, port = parse_listen(options.listen)
        if not re.fullmatch(r"[0-9]{12}", options.account):
            raise ValueError("--account takes 12 digits")
        specs = [parse_spec(text) for text in options.fault]
        for spec in specs:
            Fault(**spec)
        self.options = options
        self.document = read_world(options.world) if options.world else {}
        self.objects = [tuple(text.split("=", 1)) for text in options.object]
        if any(len(pair) != 2 for pair in self.objects):
            raise ValueError("--object takes KEY=FILE")
        self.settings = Settings(
            options.region, options.account, options.bucket,
            options.dataset_group or ([] if "datasetGroups" in self.document
                                      else ["shop"]),
            Clock(options.clock_offset),
            options.job_seconds, options.pending_quota, options.list_lag,
            options.versioning,
            read_users(options.users) if options.users else None,
            options.session_seconds, options.token_seconds, options.imds,
            options.imds_role, options.container_token)
        clock = self.settings.clock
        self.credentials = Credentials(clock)
        self.sessions = Sessions(self.credentials, self.settings)
        self.tokens = Tokens(clock)
        verifier = Verifier(self.credentials, options.region, clock)
        self.faults = Faults(specs)
        self.denials = Denials(options.deny)
        self.buckets = Buckets(self.settings, folder)
        self.roles = Roles(self.settings)
        self.jobs = Jobs(self.settings, self.buckets, self.roles)
        self.resources = Resources(self.settings)
        self.world = World(
            self.settings, self.resources, self.jobs, self.buckets,
            self.roles, self.denials, self.faults, self.change_settings)
        self.personalize = self.control_plane(verifier)
        query, *others = self.credential_services(verifier)
        self.restore()
        context = self.ca_bundle = None
        if options.tls:
            context, self.ca_bundle = server_context(folder)
        self.server = Server(address, port, context, clock)
        self.server.services = [
            Admin(self), query, self.personalize, *others,
            S3(self.settings, verifier, self.buckets, self.jobs, self.faults,
               self.denials)]
        self.server.world = self.world

    def control_plane(self, verifier):
        """Personalize, out of its operations."""
        settings, resources = self.settings, self.resources
        paging = Paging(settings)
        rules = CreateRules(settings, self.roles, self.denials)
        jobs = DeletionJobs(settings, self.jobs, resources, paging, rules)
        return Personalize(
            settings, verifier, self.faults, self.denials, paging,
            [jobs, Tags(rules, jobs, resources),
             Catalogue(settings, resources, paging, rules)])

    def credential_services(self, verifier):
        """
        Those that credentials come from. The first, STS with IAM, has to be
        asked before Personalize, which takes whatever else is posted to /, and
        all before S3, which takes the rest.
        """
        settings, faults = self.settings, self.faults
        sessions, tokens = self.sessions, self.tokens
        self.sts = Sts(settings, sessions, tokens, self.denials)
        self.oidc = Oidc(settings, faults, tokens)
        self.signin = Signin(settings, faults, sessions, tokens)
        self.imds = Imds(settings, faults, sessions, tokens)
        self.container = Container(settings, faults, sessions)
        self.web_identity_token = opaque("", 90)
        iam = Iam(settings, self.roles, self.sts, self.denials)
        return [Query(settings, faults, verifier, [self.sts, iam]),
                Portal(settings, faults, sessions, tokens), self.oidc,
                self.signin, self.imds, self.container]

    def sources(self):
        """What a machine has to know to get credentials from here."""
        sts = self.sts.source()
        endpoint = self.server.endpoint()
        return {"assume_role": sts,
                "web_identity": {"role_arn": sts["web_identity_role_arn"],
                                 "token": self.web_identity_token},
                "sso": self.oidc.source(), "login": self.signin.source(),
                "imds": self.imds.source(endpoint),
                "container": self.container.source(endpoint)}

    def restore(self):
        """Everything as it was when the server became ready."""
        self.settings.restore()
        self.faults.restore()
        self.denials.restore()
        self.world.clear()
        self.jobs.clear()
        self.resources.clear()
        self.roles.clear()
        self.buckets.clear()
        for key, path in self.objects:
            self.buckets.first.store.put_file(key, path)
        self.world.apply({"datasetGroups": [
            {"name": name} for name in self.settings.dataset_groups]},
            age=-DAY)
        self.world.apply(self.document, age=-DAY)
        self.credentials.known.clear()
        self.credentials.add(self.options.access_key_id,
                             self.options.secret_access_key,
                             self.options.session_token)
        self.sessions.clear()
        self.tokens.clear()
        self.tokens.add("web-identity", self.web_identity_token, DAY)
        for service in (self.sts, self.oidc, self.signin):
            service.clear()

    def change_settings(self, given):
        """Some of the settings by name; ValueError where one does not fit."""
        self.settings.change(given)
        self.buckets.follow_settings(given)

    def ready_line(self):
        groups = [g.arn for g in self.resources.of("datasetGroups")]
        line = {
            "endpoint": self.server.endpoint(),
            "ca_bundle": self.ca_bundle,
            "region": self.settings.region,
            "access_key_id": self.options.access_key_id,
            "secret_access_key": self.options.secret_access_key,
            "bucket": self.settings.bucket,
            "buckets": list(self.buckets.known),
            "account": self.settings.account,
            "role_arn": self.settings.role_arn(),
            "dataset_group_arn": groups[0] if groups else None,
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
