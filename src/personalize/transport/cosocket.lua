--- The transport inside nginx: the bytes of core's http1 over a cosocket, so
-- that a worker goes on with others while one waits.
-- Knows cosockets, their pool and their faults; refuses to know what is asked.

local core = require "personalize.core"
local dial = require "personalize.transport.dial"
local nginx = require "personalize.transport.nginx"
local proxies = require "personalize.transport.proxy"
local surroundings = require "personalize.surroundings"

local M = {}

local ngx = surroundings.nginx() -- this file is loaded nowhere else

local TIMEOUT, CONNECT_TIMEOUT = 60, 3.1 -- seconds, where a request has none
local BLOCK = 64 * 1024
local KEPT_MS, KEPT_MOST = 20000, 100
local FRESH = 0.01 -- seconds within which a kept connection is not looked at
local NO_TIME = "no connection to %s within %.3f s"

local TRUST = "nginx trusts what lua_ssl_trusted_certificate names, such as " ..
  "/etc/ssl/certs/ca-certificates.crt, to the depth of lua_ssl_verify_depth"

-- When this worker last kept a connection.
local last_kept

-- An exchange: what is known of one request while it is under way.
local function peer(exchange)
  local where = exchange.where
  return ("%s:%d"):format(where.host:sub(1, 128), where.port)
end

local function fail(exchange, code, retryable, message)
  if exchange.socket then
    exchange.socket:close()
  end
  return nil, { code = code, message = message, retryable = retryable,
    sent = exchange.sent,
    status = exchange.reader and exchange.reader:status() }
end

local function left(deadline)
  -- nginx counts from its cached time, and would give up early.
  ngx.update_time()
  return deadline - core.monotonic()
end

-- For the next step; false where there is no time for one.
local function set_timeouts(socket, deadline)
  local seconds = left(deadline)
  if seconds > 0 then -- which no NaN is
    local ms = math.min(math.ceil(seconds * 1000), 2147483647)
    socket:settimeouts(ms, ms, ms)
    return true
  end
  return false
end

local function fail_timeout(exchange)
  if not exchange.sent then
    return fail(exchange, "TimeoutError", true,
      NO_TIME:format(peer(exchange), math.max(0, exchange.connect_timeout)))
  end
  return fail(exchange, "TimeoutError", true, ("no %sanswer from %s within " ..
    "%.3f s"):format(exchange.reader:status() and "complete " or "",
    peer(exchange), exchange.timeout))
end

local function fail_connect(exchange, why, host)
  why = tostring(why)
  if why:find("no resolver defined", 1, true) then
    return fail(exchange, "ConfigError", false, ("%s cannot be looked up: " ..
      "nginx.conf needs resolver ADDRESS; with the address of a DNS server%s")
      :format(host, nginx.nameserver()))
  elseif why == "no address" or why:find("(110:", 1, true) then
    return fail(exchange, "TimeoutError", true, ("the resolver of nginx.conf " ..
      "does not answer: no address of %s within %.3f s. resolver needs the " ..
      "address of a DNS server%s"):format(host, exchange.connect_timeout,
      nginx.nameserver()))
  elseif why:find("Host not found", 1, true) then
    return fail(exchange, "ConnectionError", false, ("there is no host %s " ..
      "(nginx asks its resolver and reads no /etc/hosts)"):format(host))
  elseif why:find("could not be resolved", 1, true) then
    return fail(exchange, "ConnectionError", true,
      ("the name of %s could not be resolved %s"):format(host,
        why:match "%(.*%)" or ""))
  elseif why == "timeout" then
    return fail_timeout(exchange)
  end
  return fail(exchange, "ConnectionError", true, ("no connection to %s%s: %s")
    :format(exchange.proxy and "the proxy on the way to " or "",
      peer(exchange), why))
end

-- OpenSSL's numbers, which do not change.
local UNVERIFIED = {
  ["9"] = "a certificate that is not valid yet",
  ["10"] = "a certificate that has expired",
}

-- The verdict on the certificate was lost on the way here: at least one nginx
-- raises an assertion, and newer ones give words without a number, or none.
local function fail_unverified(exchange)
  return fail(exchange, "TlsError", false, ("%s: certificate verification " ..
    "failed; nginx's error log may say why. %s"):format(peer(exchange), TRUST))
end

-- Why a handshake failed, in an error; nil where nginx has no word for it.
local function fail_handshake(exchange, why)
  why = tostring(why)
  local number, words = why:match "^(%d+): (.*)"
  local name = peer(exchange)
  if words == "handshake failed" then
    number, why = nil, words -- the number is of an earlier handshake
  end
  if why == "timeout" then
    return fail_timeout(exchange)
  elseif why == "certificate host mismatch" then
    return fail(exchange, "TlsError", false,
      name .. " has a certificate that is for another name")
  elseif number then
    return fail(exchange, "TlsError", false, ("%s has %s"):format(name,
      UNVERIFIED[number] or ("a certificate that is not trusted (%s); %s")
        :format(why, TRUST)))
  elseif why == "closed" or why:find("reset", 1, true) or
    why:find("broken pipe", 1, true) then
    return fail(exchange, "ConnectionError", true,
      name .. " closed the connection during the TLS handshake")
  elseif why ~= "handshake failed" then
    return fail_unverified(exchange)
  end
end

--- Bytes until `reader` is done with them; nil and why, where the connection
-- or the time ended first, with the reader's kind of fault. `is_set` where the
-- timeouts were set a moment ago.
local function receive(exchange, reader, deadline, is_set)
  local socket, state, message, kind = exchange.socket, nil, nil, nil
  repeat
    if not is_set and not set_timeouts(socket, deadline) then
      return nil, "timeout"
    end
    is_set = false
    local bytes, why = socket:receiveany(BLOCK)
    if bytes then
      state, message, kind = reader:feed(bytes)
    elseif why ~= "timeout" then -- that one may have come early
      state, message, kind = reader:finish(why ~= "closed")
    end
  until state == "done" or message
  return state, message, kind
end

-- The proxy wants to know who asks.
local function fail_refused(exchange, response)
  exchange.sent = false -- to the peer
  exchange.reader = nil -- nor was it the peer's answer
  return fail(exchange, "ConnectionError", false, ("the way to %s is " ..
    "refused: %s"):format(peer(exchange), core.proxy_refusal(
      response and response.headers["proxy-authenticate"],
      exchange.proxy.userinfo ~= nil)))
end

-- By way of a proxy: as if connected to the peer itself, from then on.
local function open_tunnel(exchange, deadline)
  local proxy, where = exchange.proxy, exchange.where
  local text, wrong = core.http1_connect { host = where.host,
    port = where.port, authorization = proxy.authorization }
  if not text then
    return fail(exchange, "ConfigError", false, wrong)
  end
  local reader = core.http1 "CONNECT"
  local ok, why = exchange.socket:send(text)
  if ok then
    ok, why = receive(exchange, reader, deadline)
  end
  local status = reader:status()
  if not ok and why == "timeout" then
    return fail_timeout(exchange)
  elseif status and status >= 200 and status < 300 and
    reader:is_reusable() then
    return true
  elseif status == 407 then
    return fail_refused(exchange, ok and reader:response())
  end
  return fail(exchange, "ConnectionError", not status or status >= 500,
    ("the way to %s is refused by the proxy"):format(peer(exchange)))
end

-- nil for the session that is to be reused, and never false: where the
-- handshake ends at once, false makes nginx skip the verdict on the
-- certificate (lua-resty-core before 0.1.29, at least). With nil the same
-- moment raises an assertion, which so means a certificate that was refused.
local function shake_hands(exchange)
  local socket, host = exchange.socket, exchange.where.host
  local ok, session, why = pcall(socket.sslhandshake, socket, nil, host, true)
  if not ok then
    return fail_unverified(exchange)
  elseif type(session) ~= "cdata" and type(session) ~= "userdata" then
    return fail_handshake(exchange, why)
  end
  return true
end

-- To the peer itself, perhaps by a tunnel. True; or nil and the failure.
local function reach(exchange, deadline, pool)
  local via = exchange.proxy or exchange.where
  local socket, why = dial.connect { host = via.host, port = via.port,
    address = exchange.address, pool = pool, deadline = deadline,
    new_socket = ngx.socket.tcp }
  exchange.socket = socket
  if not socket then
    return fail_connect(exchange, why, via.host)
  elseif socket:getreusedtimes() > 0 or not exchange.proxy or
    exchange.where.scheme == "http" then
    return true
  elseif not set_timeouts(socket, deadline) then
    return fail_timeout(exchange)
  end
  return open_tunnel(exchange, deadline)
end

-- nginx has one word for every handshake that fails. So the peer is asked once
-- more, by hand, and its first bytes tell.
local function ask_again(exchange, deadline)
  exchange.socket:close()
  local host = exchange.where.host
  local hello = core.tls_hello(host, core.random(32))
  local bytes = ""
  if not hello or not reach(exchange, deadline, { pool = "personalize asks " ..
    host .. " again" }) then
    return "tls" -- as far as is known
  elseif set_timeouts(exchange.socket, deadline) and
    exchange.socket:send(hello) then
    repeat
      local part, why = exchange.socket:receiveany(64)
      bytes = bytes .. (part or "")
      if why == "timeout" then
        return "tls"
      end
    until not part or #bytes >= 7
  end
  return core.tls_answer(bytes)
end

local ANSWERS = {
  none = { "ConnectionError", true,
    "%s closed the connection during the TLS handshake" },
  plain = { "TlsError", false, "%s does not speak TLS" },
  old = { "TlsError", false, "%s does not speak TLS 1.2 or later" },
  refused = { "TlsError", false, "%s refused the TLS handshake by an alert; " ..
    "it may demand a certificate of the client, and this client has none" },
  tls = { "TlsError", true, "the TLS handshake with %s failed; nginx's error " ..
    "log says why" },
}

local function fail_unnamed(exchange, deadline)
  local found = ANSWERS[ask_again(exchange, deadline)]
  return fail(exchange, found[1], found[2], found[3]:format(peer(exchange)))
end

-- A connection over which the request can go.
local function connect(exchange)
  local deadline = math.min(exchange.deadline,
    core.monotonic() + exchange.connect_timeout)
  if last_kept and core.monotonic() - last_kept > FRESH then
    -- Once around nginx's loop: what ended while it was kept leaves the pool.
    ngx.sleep(0.001)
  end
  if deadline <= core.monotonic() or deadline ~= deadline then
    return fail_timeout(exchange)
  end
  local reached, failure = reach(exchange, deadline, exchange.pool)
  local socket = exchange.socket
  if not reached then
    return nil, failure
  elseif socket:getreusedtimes() > 0 or exchange.where.scheme == "http" then
    return true
  elseif not set_timeouts(socket, deadline) then
    return fail_timeout(exchange)
  end
  reached, failure = shake_hands(exchange)
  if reached or failure then
    return reached, failure
  end
  return fail_unnamed(exchange, deadline)
end

local function fail_answer(exchange, message, kind)
  if message == "timeout" then
    return fail_timeout(exchange)
  elseif kind == "none" then
    return fail(exchange, "ConnectionError", true,
      peer(exchange) .. " closed the connection without an answer")
  elseif kind == "large" then
    return fail(exchange, "ResponseError", false,
      peer(exchange) .. ": " .. message)
  end
  return fail(exchange, "ResponseError", true,
    ("the answer of %s is cut or malformed"):format(peer(exchange)))
end

-- What the reader has come to as the exchange's end.
local function settle(exchange, state, message, kind)
  if not state then
    return fail_answer(exchange, message, kind)
  elseif exchange.is_for_proxy and exchange.reader:status() == 407 then
    return fail_refused(exchange, exchange.reader:response())
  end
  -- Whether it is kept is nginx's affair; not to be kept is no fault.
  if exchange.is_whole and exchange.reader:is_reusable() and
    exchange.socket:setkeepalive(KEPT_MS, KEPT_MOST) then
    last_kept = core.monotonic()
  else
    exchange.socket:close()
  end
  return exchange.reader:response()
end

local function answer(exchange, is_set)
  return settle(exchange, receive(exchange, exchange.reader,
    exchange.deadline, is_set))
end

-- The body, block by block. Answers true; or nil, an error's fields where
-- that settles the exchange, and the value that `progress` raised.
local function send_body(exchange, body, progress)
  local sent = 0
  local total = type(body) == "string" and #body or body.length
  while sent < total do
    local block, fault
    if type(body) == "string" then
      block = body:sub(sent + 1, sent + BLOCK)
    else
      block, fault = body:read(BLOCK)
      if not block then
        return nil, { code = "UserListError", sent = true, retryable = false,
          message = fault or "the body is shorter than it was" }
      end
    end
    if not set_timeouts(exchange.socket, exchange.deadline) then
      return nil
    end
    if not exchange.socket:send(block) then
      return nil -- what the peer had to say about it may be there to be read
    end
    sent = sent + #block
    if progress then
      local ok, raised = pcall(progress, sent)
      if not ok then
        return nil, nil, { raised }
      end
    end
  end
  exchange.is_whole = true
  return true
end

-- A long body: while it goes out, an answer may come that makes the rest
-- pointless. So one coroutine sends and another reads; neither closes what
-- the other is busy with.
local function send_and_read(exchange, body, progress)
  local fault, raised, state, message, kind
  local sender = ngx.thread.spawn(function()
    -- An error that ends a thread of nginx's ends nothing else.
    local ok, sent
    ok, sent, fault, raised = pcall(send_body, exchange, body, progress)
    raised = not ok and { sent } or raised
    return "sender"
  end)
  local reader = ngx.thread.spawn(function()
    state, message, kind = receive(exchange, exchange.reader,
      exchange.deadline)
    return "reader"
  end)
  local _, first = ngx.thread.wait(sender, reader)
  if first == "reader" then
    ngx.thread.kill(sender)
  elseif fault or raised then
    ngx.thread.kill(reader)
  else
    ngx.thread.wait(reader)
  end
  if fault or raised then
    exchange.socket:close()
    return nil, fault, raised
  end
  return settle(exchange, state, message, kind)
end

local function send_short(exchange, head, body, progress)
  local is_set = set_timeouts(exchange.socket, exchange.deadline)
  if is_set then
    exchange.socket:send(body == "" and head or { head, body })
    exchange.is_whole = true
  end
  if progress and body ~= "" then
    local ok, raised = pcall(progress, #body)
    if not ok then
      exchange.socket:close()
      return nil, nil, { raised }
    end
  end
  -- Where it could not be sent, too: the peer may have said why.
  return answer(exchange, is_set)
end

local function send(exchange, request, head)
  local body = request.body or ""
  exchange.reader = core.http1(request.method)
  exchange.sent = true
  local response, failure, raised
  if type(body) == "string" and #body <= BLOCK then
    response, failure, raised = send_short(exchange, head, body,
      request.progress)
  elseif set_timeouts(exchange.socket, exchange.deadline) and
    exchange.socket:send(head) then
    response, failure, raised = send_and_read(exchange, body,
      request.progress)
  else
    response, failure = answer(exchange)
  end
  if raised then
    error(raised[1], 0)
  end
  return response, failure
end

-- What follows from a request's URL and proxy alone, of the last one: the
-- next is most often to the same place.
local way = {}

-- The pool's name has everything that a kept connection must have in common
-- with a wanted one: nginx asks no more about it.
local function find_way(request, where)
  local proxy, wrong
  if where.scheme == "https" and dial.is_address(where.host) then
    return nil, ("nginx cannot check a certificate for the address %s; " ..
      "give the host by its name"):format(where.host)
  end
  if not request.direct and not request.address then
    -- Not core.getenv: that one is set to nothing makes a difference.
    proxy, wrong = proxies.find(where, request.proxy, os.getenv)
    if wrong then
      return nil, wrong
    end
  end
  local pool = ("personalize %s://%s:%d %s verified %s"):format(where.scheme,
    where.host, where.port, request.address or "", proxy and
      ("by %s:%d %s"):format(proxy.host, proxy.port, proxy.userinfo and
        ngx.md5(proxy.userinfo) or "") or "")
  return { url = request.url, given = request.proxy, direct = request.direct,
    address = request.address, proxy = proxy,
    pool = { pool = pool, pool_size = KEPT_MOST } }
end

local function is_the_way(request)
  return way.url == request.url and way.given == request.proxy and
    way.direct == request.direct and way.address == request.address
end

-- What keeps a request from being sent at all.
local function prepare(exchange, request)
  local body = request.body
  local length = type(body) == "string" and #body or
    body ~= nil and body.length or nil
  local wish = { method = request.method, url = request.url,
    head = request.head, headers = request.headers, length = length }
  local head, where = core.http1_request(wish)
  if not head then
    return nil, where
  end
  exchange.where, exchange.address = where, request.address
  if not is_the_way(request) then
    local found, wrong = find_way(request, where)
    if not found then
      return nil, wrong
    end
    way = found
  end
  exchange.proxy, exchange.pool = way.proxy, way.pool
  if way.proxy and where.scheme == "http" then
    -- No tunnel, which proxies seldom allow for http.
    exchange.is_for_proxy, wish.is_for_proxy = true, true
    wish.proxy_authorization = way.proxy.authorization
    head = core.http1_request(wish)
  end
  if length and type(body) ~= "string" then
    local ok, fault = body:rewind()
    if not ok then
      return nil, fault, "UserListError"
    end
  end
  return head
end

local function seconds(value, otherwise)
  return type(value) == "number" and value or otherwise
end

local is_new

--- nil where a call can wait for an answer; else an error's fields.
---@return table? failure
function M.refusal()
  local failure = nginx.refusal()
  if not failure and not is_new then
    is_new = ngx.socket.tcp().receiveany ~= nil
    return not is_new and nginx.lack "its Lua module is older than 0.10.14" or
      nil
  end
  return failure
end

--- Makes an HTTP exchange; the contract of a transport.
---@param request table
---@return table? response
---@return table? failure
function M.send(request)
  local refusal = M.refusal()
  if refusal then
    return nil, refusal
  end
  local timeout = seconds(request.timeout, TIMEOUT)
  local exchange = { sent = false, timeout = timeout,
    connect_timeout = math.min(timeout,
      seconds(request.connect_timeout, CONNECT_TIMEOUT)),
    deadline = core.monotonic() + timeout }
  local head, wrong, code = prepare(exchange, request)
  if not head then
    return fail(exchange, code or "ConfigError", false, wrong)
  elseif timeout ~= timeout or timeout <= 0 then
    return fail_timeout(exchange)
  end
  local connected, failure = connect(exchange)
  if not connected then
    return nil, failure
  end
  return send(exchange, request, head)
end

return M
