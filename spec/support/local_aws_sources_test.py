#!/usr/bin/env python3
"""
The other sources of credentials in the local AWS, seen from outside: the SSO
portal and OIDC, logins (with proofs made by openssl(1)), metadata.

Run: python3 spec/support/local_aws_sources_test.py
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from urllib.parse import urlsplit

from local_aws_caller import TTL, UUID, Shared, close_servers, epoch

ROLES = "/latest/meta-data/iam/security-credentials/"


def tearDownModule():
    close_servers()


class Sso(Shared):
    def keys(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        found = reply.json["roleCredentials"]
        return (found["accessKeyId"], found["secretAccessKey"],
                found["sessionToken"])

    def test_role_credentials(self):
        reply = self.server.portal()
        self.works(self.keys(reply))
        expiration = reply.json["roleCredentials"]["expiration"]
        self.assertIs(type(expiration), int)
        self.lasts(expiration / 1000, 3600)
        self.assertRegex(reply.headers["requestid"], UUID)

    def test_refusals(self):
        portal = self.server.portal
        for token in ("", "nonsense"):
            body = self.denied(portal(token), "UnauthorizedException", 401,
                               "Session token not found or invalid")
            self.assertEqual(body["__type"], "com.amazonaws.switchboard"
                                             ".portal#UnauthorizedException")
        self.denied(portal(role_name="Nobody"), "ForbiddenException", 403,
                    "No access")
        self.denied(portal(account_id="999999999999"),
                    "ResourceNotFoundException", 404)
        self.denied(portal(role_name=None), "InvalidRequestException", 400)
        self.denied(portal(account_id=""), "InvalidRequestException", 400)

    def test_refresh(self):
        old = self.server.sources()["sso"]["cache"]
        self.server.admin("POST", "expire", {"kind": "sso"})
        self.denied(self.server.portal(), "UnauthorizedException", 401)
        self.server.admin("POST", "settings", {"token_seconds": 500})
        reply = self.server.oidc()
        self.assertEqual(reply.status, 200, reply.body)
        new = reply.json
        self.assertEqual((new["tokenType"], new["expiresIn"]),
                         ("Bearer", 500))
        self.assertNotEqual(new["refreshToken"], old["refreshToken"])
        self.works(self.keys(self.server.portal(new["accessToken"])))
        cache = self.server.sources()["sso"]["cache"]
        self.assertEqual((cache["accessToken"], cache["refreshToken"]),
                         (new["accessToken"], new["refreshToken"]))
        self.lasts(epoch(cache["expiresAt"]), 500)
        # An answer may get lost: the old refresh token may be used again.
        self.assertEqual(self.server.oidc(
            refreshToken=old["refreshToken"]).status, 200)

    def test_refresh_refused(self):
        oidc = self.server.oidc
        for changes, name, status, error in (
                ({"refreshToken": "x"}, "InvalidGrantException", 400,
                 "invalid_grant"),
                ({"refreshToken": None}, "InvalidGrantException", 400,
                 "invalid_grant"),
                ({"clientSecret": "x"}, "InvalidClientException", 401,
                 "invalid_client"),
                ({"clientId": "x"}, "InvalidClientException", 401,
                 "invalid_client"),
                ({"clientId": None}, "InvalidRequestException", 400,
                 "invalid_request"),
                ({"grantType": "password"}, "UnsupportedGrantTypeException",
                 400, "unsupported_grant_type")):
            body = self.denied(oidc(**changes), name, status)
            self.assertEqual(body["error"], error)
            self.assertTrue(body["error_description"])
        for body in (b"", b"[]", b"{", b"[" * 100000):
            reply = self.server.send("POST", "/token", {}, body)
            self.denied(reply, "InvalidRequestException", 400)
        self.server.admin("POST", "expire", {"kind": "sso-refresh"})
        self.denied(oidc(), "ExpiredTokenException", 400)
        self.server.admin("POST", "expire", {"kind": "sso-client"})
        self.denied(oidc(), "InvalidClientException", 401)

    def test_faults(self):
        self.server.fault("GetRoleCredentials=TooManyRequestsException:1")
        self.denied(self.server.portal(), "TooManyRequestsException", 429)
        self.server.fault("CreateToken=InternalServerException:1")
        self.denied(self.server.oidc(), "InternalServerException", 500)
        self.server.fault("CreateToken=garbled:1")
        with self.assertRaises(ValueError):
            self.server.oidc().json
        self.server.fault("GetRoleCredentials=stale:1")
        self.assertLess(self.server.portal().json["roleCredentials"]
                        ["expiration"], time.time() * 1000)
        self.assertEqual(self.server.operations(), {"GetRoleCredentials": 2,
                                                    "CreateToken": 2})


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A P-256 key in a file, for openssl(1) to sign with."""

    def __init__(self, folder, pem=None):
        self.path = os.path.join(folder, "key.pem")
        if pem is None:
            pem = self.openssl("ecparam", "-name", "prime256v1", "-genkey",
                               "-noout").decode()
        with open(self.path, "w", encoding="ascii") as file:
            file.write(pem)
        public = self.openssl("ec", "-in", self.path, "-pubout",
                              "-outform", "DER")
        self.jwk = {"kty": "EC", "crv": "P-256",
                    "x": base64url(public[-64:-32]),
                    "y": base64url(public[-32:])}

    @staticmethod
    def openssl(*arguments, given=b""):
        return subprocess.run(("openssl",) + arguments, input=given,
                              stdout=subprocess.PIPE, check=True,
                              stderr=subprocess.DEVNULL, timeout=60).stdout

    def sign(self, message):
        """r and s out of the DER that openssl gives."""
        der = self.openssl("dgst", "-sha256", "-sign", self.path,
                           given=message)
        numbers, at = b"", 2
        for _ in range(2):
            size = der[at + 1]
            number = int.from_bytes(der[at + 2:at + 2 + size], "big")
            numbers += number.to_bytes(32, "big")
            at += 2 + size
        return numbers

    def proof(self, url, head=None, claims=None, jwk=None):
        head = {"typ": "dpop+jwt", "alg": "ES256",
                "jwk": {**self.jwk, **(jwk or {})}, **(head or {})}
        claims = {"jti": os.urandom(16).hex(), "htm": "POST", "htu": url,
                  "iat": int(time.time()), **(claims or {})}
        text = ".".join(base64url(json.dumps(part).encode())
                        for part in (head, claims))
        return text + "." + base64url(self.sign(text.encode()))


class Login(Shared):
    """A login and its key, as `aws login` leaves them in a cache file."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.cache = self.server.sources()["login"]["cache"]
        self.key = Key(self.folder, self.cache["dpopKey"])
        self.url = self.server.ready["endpoint"] + "/v1/token"

    def refresh(self, proof, **changes):
        given = {"clientId": self.cache["clientId"],
                 "grantType": "refresh_token",
                 "refreshToken": self.cache["refreshToken"], **changes}
        return self.server.send("POST", "/v1/token", {
            "content-type": "application/json",
            **({"DPoP": proof} if proof else {})}, json.dumps(given).encode())

    def test_refresh(self):
        reply = self.refresh(self.key.proof(self.url))
        self.assertEqual(reply.status, 200, reply.body)
        new = reply.json
        self.assertAlmostEqual(new["expiresIn"], 900, delta=2)
        self.assertEqual(new["tokenType"], "aws_sigv4")
        self.assertNotEqual(new["refreshToken"], self.cache["refreshToken"])
        token = new["accessToken"]
        self.works((token["accessKeyId"], token["secretAccessKey"],
                    token["sessionToken"]))
        # "Multiple calls with same refresh_token" are allowed.
        self.assertEqual(self.refresh(self.key.proof(self.url)).status, 200)
        self.assertEqual(self.server.operations()["SigninToken"], 2)


class LoginOverTls(Login):
    options = ("--tls",)            # the proof names the scheme


class LoginRefused(Login):
    test_refresh = None

    def test_the_login_that_is_there(self):
        token = self.cache["accessToken"]
        self.works((token["accessKeyId"], token["secretAccessKey"],
                    token["sessionToken"]))
        self.lasts(epoch(token["expiresAt"]), 900)

    def test_proofs_that_prove_nothing(self):
        now = int(time.time())
        proof = self.key.proof(self.url)
        head, claims, signature = proof.split(".")
        broken = base64url(bytes(64))
        for words, bad in (
                ("missing", None),
                ("cannot be read", "nonsense"),
                ("cannot be read", head + "." + claims),
                ("cannot be read", "e30.e30.AA"),
                ("does not match", "%s.%s.%s" % (head, claims, broken)),
                ("does not match", "%s.%s.%s" % (head, claims,
                                                 signature[:-4])),
                ("does not match", self.key.proof(
                    self.url, jwk={"x": base64url(b"\1" * 32)})),
                ("cannot be read", self.key.proof(self.url,
                                                  jwk={"x": "AA"})),
                ("in ES256", self.key.proof(self.url, {"alg": "HS256"})),
                ("in ES256", self.key.proof(self.url, {"typ": "JWT"})),
                ("in ES256", self.key.proof(self.url,
                                            jwk={"crv": "P-384"})),
                ("private", self.key.proof(self.url, jwk={"d": "AA"})),
                ("htm", self.key.proof(self.url, None, {"htm": "GET"})),
                ("htu", self.key.proof(self.url + "?x=1")),
                ("htu", self.key.proof("https://example.com/v1/token")),
                ("iat", self.key.proof(self.url, None, {"iat": now - 400})),
                ("iat", self.key.proof(self.url, None, {"iat": "now"})),
                ("iat", self.key.proof(self.url, None, {"iat": 10**400})),
                ("jti", self.key.proof(self.url, None, {"jti": ""})),
                ("another key", Key(self.folder).proof(self.url))):
            body = self.denied(self.refresh(bad), "ValidationException", 400,
                               words)
            self.assertEqual(body["error"], "INVALID_REQUEST")
        self.assertEqual(self.refresh(proof).status, 200)
        self.denied(self.refresh(proof), "ValidationException", 400, "jti")

    def test_refusals(self):
        for changes, words in (({"clientId": "x"}, "client id"),
                               ({"grantType": "password"}, "grant type"),
                               ({"refreshToken": "x"}, "refresh token"),
                               ({"refreshToken": None}, "refresh token")):
            self.denied(self.refresh(self.key.proof(self.url), **changes),
                        "ValidationException", 400, words)
        self.server.fault("SigninToken=USER_CREDENTIALS_CHANGED:1")
        body = self.denied(self.refresh(None), "AccessDeniedException", 400)
        self.assertEqual(body["error"], "USER_CREDENTIALS_CHANGED")
        self.server.admin("POST", "expire", {"kind": "login-refresh"})
        body = self.denied(self.refresh(self.key.proof(self.url)),
                           "AccessDeniedException", 400)
        self.assertEqual(body["error"], "TOKEN_EXPIRED")


class Imds(Shared):
    def keys(self, reply):
        self.assertEqual(reply.status, 200, reply.body)
        found = reply.json
        self.assertEqual((found["Code"], found["Type"]),
                         ("Success", "AWS-HMAC"))
        return found["AccessKeyId"], found["SecretAccessKey"], found["Token"]

    def page(self, reply, status):
        self.assertEqual((reply.status, reply.headers["content-type"]),
                         (status, "text/html"), reply.body)
        self.assertIn(b"<!DOCTYPE html", reply.body)

    def test_version_2(self):
        imds = self.server.imds
        reply = self.server.imds_token("60")
        self.assertEqual((reply.status, reply.headers["content-type"],
                          reply.headers[TTL]), (200, "text/plain", "60"))
        token = reply.body.decode()
        self.assertRegex(token, "^[A-Za-z0-9_=-]{56}$")
        role = imds(ROLES, token)
        self.assertEqual((role.status, role.body), (200, b"EraserInstance"))
        self.assertLessEqual(int(role.headers[TTL]), 60)
        reply = imds(ROLES + "EraserInstance", token)
        self.assertEqual(reply.headers["content-type"], "text/plain")
        self.works(self.keys(reply))
        self.lasts(epoch(reply.json["Expiration"]), 3600)
        self.lasts(epoch(reply.json["LastUpdated"]), 0)
        self.assertEqual(imds("/latest/meta-data/placement/region",
                              token).body, self.server.region.encode())
        self.assertEqual(
            imds("/latest/meta-data/placement/availability-zone",
                 token).body, self.server.region.encode() + b"a")
        self.page(imds(ROLES + "Nobody", token), 404)
        self.page(imds("/latest/meta-data/ami-id", token), 404)
        self.page(imds(ROLES.replace("credentials/", "credentials-extended/"),
                       token), 404)
        self.assertEqual(self.server.operations(), {
            "ImdsToken": 1, "ImdsRole": 1, "ImdsCredentials": 2,
            "ImdsRegion": 1, "ImdsZone": 1, "ImdsOther": 2,
            "ListDataDeletionJobs": 1, "PutObject": 1})

    def test_tokens(self):
        for ttl in (None, "", "0", "21601", "-1", "1.5", "x"):
            self.page(self.server.imds_token(ttl), 400)
        self.page(self.server.imds_token(**{"X-Forwarded-For": "::1"}), 403)
        self.page(self.server.send("GET", "/latest/api/token", {TTL: "60"}),
                  405)
        self.page(self.server.send("PUT", ROLES, {}), 405)
        for token in (None, "nonsense"):
            self.page(self.server.imds(ROLES, token), 401)
        token = self.server.imds_token().body.decode()
        self.server.admin("POST", "expire", {"kind": "imds"})
        self.page(self.server.imds(ROLES, token), 401)

    def test_modes(self):
        server = self.server
        server.admin("POST", "settings", {"imds": "v1"})
        self.page(server.imds_token(), 404)
        self.works(self.keys(server.imds(ROLES + "EraserInstance")))
        server.admin("POST", "settings", {"imds": "both"})
        self.assertEqual(server.imds(ROLES).status, 200)
        self.page(server.imds(ROLES, "nonsense"), 401)
        token = server.imds_token().body.decode()
        self.assertEqual(server.imds(ROLES, token).status, 200)
        server.admin("POST", "settings", {"imds": "off"})
        self.page(server.imds_token(), 403)
        self.page(server.imds(ROLES), 403)
        for bad in ({"imds": "v3"}, {"imds": 2}, {"session_seconds": "9"}):
            self.assertEqual(server.send(
                "POST", "/_local/settings", {},
                json.dumps(bad).encode()).status, 400)

    def test_no_role(self):
        self.server.admin("POST", "settings", {"imds_role": ""})
        token = self.server.imds_token().body.decode()
        self.page(self.server.imds(ROLES, token), 404)
        self.page(self.server.imds(ROLES + "EraserInstance", token), 404)
        self.server.admin("POST", "settings", {"imds_role": "Other"})
        self.assertEqual(self.server.imds(ROLES, token).body, b"Other")

    def test_faults(self):
        server = self.server
        server.fault("ImdsToken=InternalError:1")
        self.page(server.imds_token(), 500)
        server.fault("ImdsToken=status-403:1")
        self.assertEqual(server.imds_token().status, 403)
        token = server.imds_token().body.decode()
        server.fault("ImdsCredentials=AssumeRoleUnauthorizedAccess:1")
        reply = server.imds(ROLES + "EraserInstance", token)
        self.assertEqual((reply.status, reply.json["Code"]),
                         (200, "AssumeRoleUnauthorizedAccess"))
        self.assertIn("cannot assume", reply.json["Message"])
        server.fault("ImdsCredentials=stale:1")
        reply = server.imds(ROLES + "EraserInstance", token)
        self.assertLess(epoch(reply.json["Expiration"]), time.time())
        self.works(self.keys(reply))
        server.fault("ImdsRole=delay-0.3:1")
        began = time.monotonic()
        self.assertEqual(server.imds(ROLES, token).status, 200)
        self.assertGreater(time.monotonic() - began, 0.29)


class Container(Shared):
    def test_credentials(self):
        source = self.server.sources()["container"]
        paths = (source["relative_uri"], urlsplit(source["full_uri"]).path,
                 "/container/any/more", "/v1/credentials")
        for path in paths:
            reply = self.server.send("GET", path,
                                     {"accept": "application/json"})
            self.assertEqual((reply.status, reply.headers["content-type"]),
                             (200, "application/json"), reply.body)
            found = reply.json
            self.works((found["AccessKeyId"], found["SecretAccessKey"],
                        found["Token"]))
            self.lasts(epoch(found["Expiration"]), 3600)
            self.assertEqual(found["AccountId"], self.account)
            self.assertRegex(found["RoleArn"], ":role/EraserTask$")
        self.assertEqual(self.server.operations()["ContainerCredentials"],
                         len(paths))

    def test_refusals(self):
        for path in ("/v2/credentials", "/v2/credentials/nonsense"):
            reply = self.server.send("GET", path)
            self.assertEqual((reply.status, reply.json["code"]),
                             (400, "InvalidIdInRequest"))
            self.assertTrue(reply.json["message"])
        self.assertEqual(self.server.send("POST", "/container").status, 405)
        self.server.fault("ContainerCredentials=CredentialsUninitialized:1")
        reply = self.server.send("GET", "/container")
        self.assertEqual((reply.status, reply.json["code"]),
                         (503, "CredentialsUninitialized"))
        self.assertEqual(self.server.send("GET", "/container").status, 200)

    def test_token(self):
        self.server.admin("POST", "settings", {"container_token": "Basic x"})
        for headers in ({}, {"authorization": "Basic y"}):
            reply = self.server.send("GET", "/container", headers)
            self.assertEqual((reply.status, reply.json["code"]),
                             (401, "AccessDenied"))
        self.assertEqual(self.server.send("GET", "/container", {
            "authorization": "Basic x"}).status, 200)

    def test_buckets_with_names_alike(self):
        # Only whole path segments are taken from S3.
        for path in ("/containers/x", "/latest-lists/x", "/tokens/x"):
            reply = self.server.send("GET", path)
            self.assertIn(b"<Error>", reply.body)


if __name__ == "__main__":
    sys.exit(unittest.main())
