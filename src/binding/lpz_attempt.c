#include "lpz_attempt.h"

#include <math.h>
#include <string.h>

#include "../core/pz_model.h"
#include "../core/pz_show.h"
#include "lpz_input.h"
#include "lpz_service.h"

static struct pz_slice body_of(struct lpz_attempt *attempt)
{
    struct pz_slice body = { (char *)(attempt + 1), attempt->body_len };

    return body;
}

struct pz_slice lpz_pack(char **at, struct pz_slice text)
{
    struct pz_slice packed = { *at, text.len };

    if (text.len > 0)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return packed;
}

/* The service's buffer for inputs, or one on the stack where that is taken. */
static struct pz_buf *take_input(lua_State *L, struct lpz_service *service)
{
    if (service->input_taken)
        return lpz_newbuffer(L);
    service->input_taken = 1;
    pz_buf_clear(&service->input);
    return &service->input;
}

static void give_input(struct lpz_service *service, struct pz_buf *input)
{
    pz_buf_clear(input);
    if (input == &service->input)
        service->input_taken = 0;
}

int lpz_attempt_new(lua_State *L)
{
    struct lpz_service *service = lpz_checkservice(L, 1);
    struct pz_slice operation = lpz_checkslice(L, 2);
    struct pz_slice random = lpz_checkslice(L, 4);
    lua_Integer max_attempts = luaL_checkinteger(L, 5);
    int validate = lua_toboolean(L, 6);
    const struct pz_operation *model = pz_operation_find(operation);
    struct lpz_attempt *attempt;
    enum pz_status status;
    struct pz_buf *body;

    if (random.len != 16)
        return luaL_error(L, "bad argument #4 (16 random bytes expected)");
    body = take_input(L, service);
    lpz_write_input(L, 3, body, model ? model->input : NULL, validate);
    if (!lua_isnil(L, -1)) {
        give_input(service, body);
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    attempt = lpz_newuserdata(L, sizeof *attempt + body->len, LPZ_ATTEMPT);
    lpz_shareanchor(L, 1, -1);
    attempt->service = service;
    attempt->model = model;
    memcpy(attempt + 1, body->data, body->len);
    attempt->body_len = body->len;
    give_input(service, body);
    (void)lpz_checkservice(L, 1); /* not closed meanwhile? */
    status = pz_attempt_start(&attempt->core, &service->core, operation,
                              body_of(attempt),
                              (const unsigned char *)random.data,
                              (unsigned)max_attempts);
    if (status == PZ_EINVAL)
        return luaL_error(L, "bad argument #2 (an operation's name, such as "
                             "CreateDataDeletionJob, expected)");
    return status == PZ_OK ? 1 : lpz_raise(L, status);
}

static struct lpz_attempt *check_attempt(lua_State *L)
{
    struct lpz_attempt *attempt = lpz_checkudata(L, 1, LPZ_ATTEMPT);

    if (attempt->service == NULL)
        luaL_error(L, "the attempt was never begun");
    return attempt;
}

/* A member of the credentials at 'index', absent is empty. The value stays on
   the stack, and so the string stays alive. */
static struct pz_slice credential(lua_State *L, int index, const char *name,
                                  size_t len)
{
    struct pz_slice s = { NULL, 0 };

    lpz_rawgetname(L, index, name, len);
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "%s must be a string", name);
    return s;
}

static struct pz_credentials read_credentials(lua_State *L, int index)
{
    struct pz_credentials c;

    luaL_checktype(L, index, LUA_TTABLE);
#define TAKE(name) credential(L, index, name, sizeof name - 1)
    c.access_key_id = TAKE("access_key_id");
    c.secret_access_key = TAKE("secret_access_key");
    c.session_token = TAKE("session_token");
#undef TAKE
    return c;
}

int lpz_credentials_fault(lua_State *L)
{
    struct pz_credentials credentials = read_credentials(L, 1);

    lua_pushstring(L, pz_credentials_fault(&credentials));
    return 1;
}

/* A head at most this long is pushed from the C stack. */
enum { HEAD_ROOM = 4096 };

/* More than the head will have. */
static size_t head_bound(const struct lpz_attempt *attempt,
                         const struct pz_credentials *credentials)
{
    const struct pz_service *service = &attempt->service->core;
    const struct pz_plan *plan = &attempt->core.plan;
    size_t bound = 1024 + credentials->access_key_id.len +
                   credentials->session_token.len + service->host.len +
                   service->user_agent.len + PZ_TARGET_MAX;

    for (size_t i = 0; i < plan->header_count; i++)
        bound += 2 * plan->headers[i].name.len + plan->headers[i].value.len + 8;
    return bound;
}

/* Pushes the head. While Lua makes the string another may be signed, so it
   comes out of the service first: into 'large', or onto the C stack. */
static void push_head(lua_State *L, struct pz_buf *head, struct pz_buf *large)
{
    char room[HEAD_ROOM];
    struct pz_slice text = { room, head->len };

    if (large) {
        struct pz_buf taken = *head;

        *head = *large;
        *large = taken;
        lpz_pushslice(L, pz_buf_slice(large));
        pz_buf_free(large);
        return;
    }
    if (text.len > sizeof room)
        lpz_raise(L, PZ_ETOOBIG); /* head_bound was wrong */
    memcpy(room, head->data, text.len);
    pz_buf_clear(head); /* it held the token */
    lpz_pushslice(L, text);
    pz_wipe(room, text.len);
}

/* attempt:sign(credentials, now) -> head, body | nil, message, code where the
   credentials are not to blame; an unsigned request's credentials may be nil.
   Nothing is signed once the service is closed, not even by another coroutine
   or a finalizer. */
static int attempt_sign(lua_State *L)
{
    struct lpz_attempt *attempt = check_attempt(L);
    struct pz_buf *head = &attempt->service->core.head, *large = NULL;
    double now = luaL_checknumber(L, 3);
    struct pz_credentials credentials;
    const char *fault = NULL, *code = NULL;
    enum pz_status status;

    memset(&credentials, 0, sizeof credentials);
    if (!attempt->core.plan.is_unsigned) {
        credentials = read_credentials(L, 2);
        fault = pz_credentials_fault(&credentials);
    }
    if (fault == NULL && head_bound(attempt, &credentials) > HEAD_ROOM)
        large = lpz_newbuffer(L);

    if (fault == NULL && attempt->service->core.signer == NULL) {
        fault = "the client was closed while the call was under way";
        code = "InterruptedError";
    }
    if (fault == NULL) {
        status = pz_attempt_sign(&attempt->core, &attempt->service->core,
                                 &credentials, now);
        if (status == PZ_EINVAL)
            fault = "the time is not one that can be signed with";
        else if (status != PZ_OK)
            return lpz_raise(L, status);
    }
    if (fault) {
        lua_pushnil(L);
        lua_pushstring(L, fault);
        lua_pushstring(L, code);
        return 3;
    }
    push_head(L, head, large);
    lpz_pushslice(L, body_of(attempt));
    return 2;
}

/* A member that is a string, else empty. It stays on the stack, and so the
   string stays alive. */
static struct pz_slice header(lua_State *L, int headers, const char *name,
                              size_t len)
{
    struct pz_slice s = { NULL, 0 };

    lpz_rawgetname(L, headers, name, len);
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    return s;
}

/* Reads { status =, headers =, body = } as a transport gave it; what is not
   of the right type makes it no response (0). Leaves values on the stack. */
static int read_response(lua_State *L, int index, struct pz_response *response)
{
    lua_Number status;

    memset(response, 0, sizeof *response);
    luaL_checkstack(L, 20, "no room for a response");
    lpz_rawgetname(L, index, "status", 6);
    status = lua_tonumber(L, -1);
    lua_pop(L, 1);
    if (!(status >= 100 && status <= 999))
        return 0;
    response->status = (int)status;
    lpz_rawgetname(L, index, "body", 4);
    if (lua_type(L, -1) == LUA_TSTRING)
        response->body.data = lua_tolstring(L, -1, &response->body.len);
    else if (!lua_isnil(L, -1))
        return 0;
    lpz_rawgetname(L, index, "headers", 7);
    if (lua_istable(L, -1)) {
        int headers = lua_gettop(L);

#define HEADER(name) header(L, headers, name, sizeof name - 1)
        response->request_id = HEADER("x-amzn-requestid");
        if (response->request_id.len == 0)
            response->request_id = HEADER("x-amz-request-id");
        if (response->status < 200 || response->status > 299) {
            response->error_type = HEADER("x-amzn-errortype");
            response->retry_after = HEADER("x-amz-retry-after");
        }
        response->date = HEADER("date");
        response->age = HEADER("age");
#undef HEADER
    }
    return 1;
}

static void set_text(lua_State *L, const char *name, struct pz_slice text)
{
    if (text.len == 0)
        return;
    lpz_pushslice(L, text);
    lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, int on)
{
    lua_pushboolean(L, on);
    lua_setfield(L, -2, name);
}

/* The verdict's table, on top, with what is decided for a failure. */
static void set_decision(lua_State *L, const struct pz_decision *decision,
                         const struct pz_attempt *attempt)
{
    static const char *const ends[] = { NULL, NULL, "max_attempts", "quota",
                                        "deadline" };

    set_flag(L, "retryable", decision->retryable);
    set_flag(L, "unclear", attempt->unclear);
    set_flag(L, "retry", decision->end == PZ_RETRY_AGAIN);
    if (decision->end == PZ_RETRY_AGAIN) {
        lua_pushnumber(L, decision->delay);
        lua_setfield(L, -2, "delay");
    } else if (ends[decision->end]) {
        lua_pushstring(L, ends[decision->end]);
        lua_setfield(L, -2, "ended");
    }
}

/* attempt:url() -> where it goes */
static int attempt_url(lua_State *L)
{
    struct lpz_attempt *attempt = check_attempt(L);
    struct pz_buf *url = lpz_newbuffer(L);
    enum pz_status status;

    status = pz_attempt_url(url, &attempt->core, &attempt->service->core);
    if (status == PZ_EINVAL)
        return luaL_error(L, "the service is gone");
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lpz_pushslice(L, pz_buf_slice(url));
    pz_buf_free(url);
    return 1;
}

static int judge_response(lua_State *L, struct lpz_attempt *attempt,
                          const struct pz_response *response,
                          const struct pz_moment *moment)
{
    struct pz_verdict verdict;
    struct pz_decision decision;
    struct pz_slice code, message;
    char text[PZ_CODE_MAX + PZ_MESSAGE_MAX], *at = text;
    enum pz_status status;

    memset(&verdict, 0, sizeof verdict);
    status = pz_judge(&verdict, response);
    if (status == PZ_OK)
        pz_attempt_decide(&decision, &attempt->core, &attempt->service->core,
                          &verdict, response, NULL, moment);
    /* Onto the C stack, where a push that raises loses nothing. */
    code = lpz_pack(&at, pz_slice_sub(pz_buf_slice(&verdict.code), 0,
                                  PZ_CODE_MAX));
    message = lpz_pack(&at, pz_slice_sub(pz_buf_slice(&verdict.message), 0,
                                     PZ_MESSAGE_MAX));
    pz_verdict_free(&verdict);
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lua_createtable(L, 0, 10);
    set_flag(L, "ok", verdict.outcome == PZ_SUCCESS);
    lua_pushinteger(L, response->status);
    lua_setfield(L, -2, "status");
    set_text(L, "request_id", verdict.request_id);
    if (verdict.outcome == PZ_SUCCESS)
        return 1;
    lua_pushstring(L, verdict.outcome == PZ_SERVICE_ERROR ? "service"
                                                          : "transport");
    lua_setfield(L, -2, "kind");
    set_text(L, "code", code);
    set_text(L, "message", message);
    set_decision(L, &decision, &attempt->core);
    return 1;
}

/* What a transport's error must be to be tried again where it does not say. */
static int is_passing(struct pz_slice code)
{
    return pz_slice_eq(code, PZ_LIT("ConnectionError")) ||
           pz_slice_eq(code, PZ_LIT("TimeoutError")) ||
           pz_slice_eq(code, PZ_LIT("ResponseError"));
}

/* Codes of this side's doing that come by way of the transport. */
static int is_own(struct pz_slice code)
{
    return pz_slice_eq(code, PZ_LIT("InterruptedError")) ||
           pz_slice_eq(code, PZ_LIT("ConfigError")) ||
           pz_slice_eq(code, PZ_LIT("UserListError")) ||
           pz_slice_eq(code, PZ_LIT("PhaseError"));
}

/* A name such as AWS's, or "HTTP 503". */
static int is_code(struct pz_slice code)
{
    for (size_t i = 0; i < code.len; i++)
        if (code.data[i] < ' ' || code.data[i] > '~')
            return 0;
    return code.len > 0 && code.len <= PZ_CODE_MAX;
}

/* { code =, message =, sent =, retryable =, status = }, all of them optional;
   anything else counts as an empty one. */
static int judge_failure(lua_State *L, struct lpz_attempt *attempt, int index,
                         const struct pz_moment *moment)
{
    struct pz_buf *shown = lpz_newbuffer(L);
    struct pz_slice code = PZ_LIT("ConnectionError");
    struct pz_slice message = PZ_LIT("the transport gave no reason");
    struct pz_no_response none = { 1, 1 };
    struct pz_decision decision;
    lua_Number status = 0;

    if (lua_istable(L, index)) {
        struct pz_slice given = header(L, index, "code", 4);

        if (is_code(given))
            code = given;
        given = header(L, index, "message", 7);
        if (given.len > 0)
            message = given;
        lpz_rawgetname(L, index, "status", 6);
        status = lua_tonumber(L, -1);
        lpz_rawgetname(L, index, "sent", 4);
        none.sent = lua_isnil(L, -1) || lua_toboolean(L, -1);
        lpz_rawgetname(L, index, "retryable", 9);
        none.retryable = lua_isnil(L, -1) ? is_passing(code)
                                          : lua_toboolean(L, -1);
        lua_pop(L, 3);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        message.data = lua_tolstring(L, index, &message.len);
    }
    shown->secret = 0;
    if (pz_show_prose(shown, message, PZ_MESSAGE_MAX) != PZ_OK)
        return lpz_raise(L, PZ_ENOMEM);
    pz_attempt_decide(&decision, &attempt->core, &attempt->service->core,
                      NULL, NULL, &none, moment);
    lua_createtable(L, 0, 10);
    set_flag(L, "ok", 0);
    lua_pushstring(L, is_own(code) ? "client" : "transport");
    lua_setfield(L, -2, "kind");
    set_text(L, "code", code);
    set_text(L, "message", pz_buf_slice(shown));
    pz_buf_free(shown);
    if (status >= 100 && status <= 999) {
        lua_pushinteger(L, (lua_Integer)status);
        lua_setfield(L, -2, "status");
    }
    set_decision(L, &decision, &attempt->core);
    return 1;
}

/*
 * attempt:judge(response | nil, failure | nil, now, random, time_left)
 * -> { ok =, status =, request_id = }, after a failure also { kind =, code =,
 * message =, retryable =, unclear =, retry =, delay =, ended = }
 */
static int attempt_judge(lua_State *L)
{
    struct lpz_attempt *attempt = check_attempt(L);
    struct pz_response response;
    struct pz_moment moment;

    moment.now = luaL_checknumber(L, 4);
    moment.random = luaL_checknumber(L, 5);
    moment.time_left = luaL_checknumber(L, 6);
    if (lua_istable(L, 2) && read_response(L, 2, &response)) {
        response.protocol = attempt->core.plan.protocol;
        return judge_response(L, attempt, &response, &moment);
    }
    if (!lua_isnil(L, 2)) {
        lua_settop(L, 2);
        lua_createtable(L, 0, 2);
        lua_pushliteral(L, "ResponseError");
        lua_setfield(L, -2, "code");
        lua_pushliteral(L, "the transport's response is none: it needs a "
                           "status, and a body that is a string");
        lua_setfield(L, -2, "message");
        lua_replace(L, 2);
        return judge_failure(L, attempt, 2, &moment);
    }
    return judge_failure(L, attempt, 3, &moment);
}

/* attempt:admit(now, time_left) -> seconds to wait before the next try, or nil
   where there is less time than that (adaptive mode) */
static int attempt_admit(lua_State *L)
{
    struct lpz_attempt *attempt = check_attempt(L);
    double wait = pz_retry_admit(&attempt->service->core.retry,
                                 luaL_checknumber(L, 2),
                                 luaL_optnumber(L, 3, HUGE_VAL));

    if (wait < 0)
        lua_pushnil(L);
    else
        lua_pushnumber(L, wait);
    return 1;
}

int lpz_output_read(lua_State *L)
{
    const struct pz_operation *model =
        pz_operation_find(lpz_checkslice(L, 1));

    luaL_checktype(L, 2, LUA_TTABLE);
    lpz_read_output(L, 2, model ? model->output : NULL);
    return 1;
}

void lpz_attempt_class(lua_State *L)
{
    static const luaL_Reg attempt_methods[] = {
        { "admit", attempt_admit },
        { "judge", attempt_judge },
        { "sign", attempt_sign },
        { "url", attempt_url },
        { NULL, NULL }
    };

    lpz_newclass(L, LPZ_ATTEMPT, attempt_methods, NULL);
}
