--- The faults of the fault server, and how a call through each must end.
-- Knows what faults.py calls them; refuses to know what is called.

local surroundings = require "spec.support.surroundings"

-- How a call ends: its code, or "ok", and its attempts.
local OK = { "ok", 1 }
local CLOSED = { "ConnectionError", 3 }
local MALFORMED = { "ResponseError", 3 }
local TOO_LARGE = { "ResponseError", 1 }
-- Takes all the time there is; so there is little of it.
local HANGS = { "TimeoutError", 1, timeout = 0.6 }

-- By path. Where a list of jobs succeeds, the others do not: an answer without
-- an ARN or a job is none.
local FAULTS = {
  ["ok"] = OK, ["echo"] = OK, ["elsewhere"] = OK, ["cookie"] = OK,
  ["slow-50"] = OK, ["repeated"] = OK, ["no-content"] = OK, ["empty"] = OK,
  ["close-reused"] = OK, ["reset-reused"] = OK, ["close-idle"] = OK,
  ["goodbye-idle"] = OK, ["half-close-idle"] = OK, ["late-answer"] = OK,
  ["no-length"] = OK, ["chunk-ok"] = OK,
  ["one-1xx"] = OK, ["http10"] = OK, ["http10-keep"] = OK,
  ["head-line-60000"] = OK, ["head-count-200"] = OK,

  ["status-400"] = { "HTTP 400", 1 }, ["status-403"] = { "HTTP 403", 1 },
  ["status-500"] = { "HTTP 500", 3 }, ["status-503"] = { "HTTP 503", 3 },
  ["redirect"] = { "HTTP 302", 1 },

  ["close"] = CLOSED, ["half-close"] = CLOSED, ["reset-at-0"] = CLOSED,
  ["reset-at-5"] = CLOSED, ["close-at-0"] = CLOSED, ["close-at-5"] = CLOSED,

  ["reset-at-40"] = MALFORMED, ["reset-at-81"] = MALFORMED,
  ["reset-at-150"] = MALFORMED, ["close-at-40"] = MALFORMED,
  ["close-at-81"] = MALFORMED, ["close-at-150"] = MALFORMED,
  ["length-long"] = MALFORMED, ["length-bad"] = MALFORMED,
  ["length-short"] = MALFORMED, ["length-two"] = MALFORMED,
  ["chunk-garbage"] = MALFORMED,
  ["chunk-cut"] = MALFORMED, ["only-1xx"] = MALFORMED,
  ["head-bad-line"] = MALFORMED, ["http09"] = MALFORMED,
  ["garbage"] = MALFORMED, ["bad-status"] = MALFORMED,
  ["gzip"] = MALFORMED, ["half-json"] = MALFORMED, ["html"] = MALFORMED,
  ["big-1000"] = MALFORMED, ["big-chunked-1000"] = MALFORMED,

  -- A body in answer to a HEAD; to others it is as it should be.
  ["head-body"] = OK, ["records"] = OK,
  -- TLS libraries are not of one mind about an end without a goodbye.
  ["no-goodbye"] = { "ok", 1, lax = true },

  ["flood-1xx"] = TOO_LARGE, ["head-line"] = TOO_LARGE,
  ["head-count"] = TOO_LARGE, ["head-endless"] = TOO_LARGE,
  ["big-8388609"] = TOO_LARGE, ["big-chunked-8388609"] = TOO_LARGE,
  ["endless"] = TOO_LARGE,

  ["hang"] = HANGS, ["drip-0"] = HANGS, ["drip-150"] = HANGS,
}

-- By port: what comes before any request, so that none was sent. `says` is
-- what the message has to name.
local UNTRUSTED = { "TlsError", 1, unsent = true }
local function untrusted(words)
  return { "TlsError", 1, unsent = true, says = words }
end
local PORTS = {
  ["refuse"] = { "ConnectionError", 3, unsent = true, says = "refused" },
  ["full"] = { "TimeoutError", 3, unsent = true, connect_timeout = 0.2,
    says = "no connection" },
  ["hold"] = HANGS,
  ["reset"] = { "ConnectionError", 3, either = true },
  ["tls-hold"] = { "TimeoutError", 3, unsent = true, connect_timeout = 0.2,
    says = "no connection" },
  ["tls-reset"] = { "ConnectionError", 3, unsent = true, says = "TLS" },
  ["tls-close"] = { "ConnectionError", 3, unsent = true, says = "TLS" },
  ["tls-plain"] = untrusted "does not speak TLS",
  ["tls-old"] = untrusted "TLS 1.2",
  ["tls-wrong-name"] = untrusted "another name",
  ["tls-expired"] = untrusted "expired",
  -- Where it is told whom to trust.
  ["tls-unknown-ca"] = untrusted(surroundings.in_nginx and
    "lua_ssl_trusted_certificate" or "ca_bundle"),
  ["tls-self-signed"] = UNTRUSTED,
}
-- Proxies, on the way to where all is well.
local function refused(attempts, words)
  return { "ConnectionError", attempts, unsent = true, says = words or "proxy" }
end
local PROXIES = {
  ["proxy"] = OK,
  ["proxy-refuses"] = refused(1, "asks for Basic"),
  ["proxy-refuses-twice"] = refused(1, "asks for NTLM, Negotiate"),
  ["proxy-mute"] = refused(1, "wants a password"),
  ["proxy-403"] = refused(1, "refused by the proxy"),
  ["proxy-502"] = refused(3, "refused by the proxy"),
  ["proxy-closes"] = refused(3), ["proxy-cut"] = refused(3),
  ["proxy-garbage"] = refused(3), ["proxy-endless"] = refused(3),
  ["proxy-flood"] = refused(1, "wants a password"),
  ["proxy-hangs"] = { "TimeoutError", 3, unsent = true, connect_timeout = 0.2,
    says = "no connection" },
}

-- What nginx cannot speak to, or has no words for: curl_spec tries them.
local APART = { ["socks"] = true, ["proxy-tls"] = true,
  ["proxy-tls-unknown-ca"] = true, ["proxy-tls-wrong-name"] = true,
  ["proxy-tls-old"] = true, ["tls-client"] = true, ["tls-client-12"] = true }

-- By path, and only while a body is on its way: how the put of a list ends.
local BODIES = {
  ["early-301"] = { "HTTP 301", 2, elsewhere = true },
  ["early-403"] = { "HTTP 403", 1 }, ["early-503"] = { "HTTP 503", 3 },
  ["midway-403"] = { "HTTP 403", 1 }, ["midway-503"] = { "HTTP 503", 3 },
  -- The answer is read nearly always, before the reset behind it is.
  ["abrupt-403"] = { "HTTP 403", 1, lax = true },
  -- Once more without the question; the answer then is not S3's.
  ["expect-417"] = MALFORMED, ["expect-kept-417"] = MALFORMED,
  ["swallow-reset"] = CLOSED, ["swallow-close"] = CLOSED,
  ["continue-close"] = CLOSED,
  ["swallow-hang"] = { "TimeoutError", 3, timeout = 0.6 },
  ["swallow-slow"] = { "TimeoutError", 3, timeout = 0.6 },
  -- Their answers say success, but are not S3's.
  ["count"] = MALFORMED, ["continue"] = MALFORMED,
  ["swallow-steady"] = MALFORMED,
}

return { APART = APART, BODIES = BODIES, FAULTS = FAULTS, PORTS = PORTS, PROXIES = PROXIES,
  OK = OK }
