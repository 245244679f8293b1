#include "lpz_attempt.h"

#include <string.h>

#include "../core/pz_attempt.h"
#include "../core/pz_model.h"
#include "lpz_input.h"

#define SERVICE "personalize.service"
#define ATTEMPT "personalize.attempt"

struct service {
    struct pz_service core;
    struct pz_verdict verdict; /* of the judgement under way; here, so that
                                  Lua owns it should a push raise */
};

static int service_gc(lua_State *L)
{
    struct service *service = lpz_checkudata(L, 1, SERVICE);

    pz_service_free(&service->core);
    pz_verdict_free(&service->verdict);
    return 0;
}

static struct service *check_service(lua_State *L, int index)
{
    struct service *service = lpz_checkudata(L, index, SERVICE);

    if (service->core.signer == NULL)
        luaL_error(L, "the service is closed");
    return service;
}

static struct pz_slice field(lua_State *L, int index, const char *name)
{
    struct pz_slice s;

    lpz_rawgetname(L, index, name, strlen(name));
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s must be a string", name);
    s.data = lua_tolstring(L, -1, &s.len);
    lua_pop(L, 1); /* the table keeps it */
    return s;
}

int lpz_service_new(lua_State *L)
{
    struct pz_service_params params;
    struct service *service;
    enum pz_status status;
    const char *error;

    luaL_checktype(L, 1, LUA_TTABLE);
    params.endpoint = field(L, 1, "endpoint");
    params.region = field(L, 1, "region");
    params.signing_name = field(L, 1, "signing_name");
    params.target_prefix = field(L, 1, "target_prefix");
    params.user_agent = field(L, 1, "user_agent");
    service = lpz_newuserdata(L, sizeof *service, SERVICE);
    /* It is its own anchor, which attempts then share: see lpz.h. */
    lua_pushvalue(L, -1);
    lpz_setanchor(L, -2);
    status = pz_service_init(&service->core, &error, &params);
    if (status == PZ_OK)
        return 1;
    pz_service_free(&service->core);
    if (status != PZ_EINVAL)
        return lpz_raise(L, status);
    lua_pushnil(L);
    lua_pushstring(L, error);
    return 2;
}

static int service_url(lua_State *L)
{
    lpz_pushslice(L, pz_buf_slice(&check_service(L, 1)->core.url));
    return 1;
}

/* The body follows the struct in the same block: nothing to free. */
struct attempt {
    struct pz_attempt core;
    struct service *service; /* kept alive by the anchor */
    const struct pz_operation *model;
};

static struct pz_slice body_of(struct attempt *attempt)
{
    struct pz_slice body = { (char *)(attempt + 1), attempt->core.body_len };

    return body;
}

int lpz_attempt_new(lua_State *L)
{
    struct service *service = check_service(L, 1);
    struct pz_slice operation = lpz_checkslice(L, 2);
    struct pz_slice random = lpz_checkslice(L, 4);
    lua_Integer max_attempts = luaL_checkinteger(L, 5);
    int validate = lua_toboolean(L, 6);
    const struct pz_operation *model = pz_operation_find(operation);
    struct pz_buf *body = &service->core.scratch;
    struct attempt *attempt;
    enum pz_status status;

    if (random.len != 16)
        return luaL_error(L, "bad argument #4 (16 random bytes expected)");
    pz_buf_clear(body);
    lpz_write_input(L, 3, body, model ? model->input : NULL, validate);
    if (!lua_isnil(L, -1)) {
        pz_buf_clear(body);
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    attempt = lpz_newuserdata(L, sizeof *attempt + body->len, ATTEMPT);
    lpz_shareanchor(L, 1, -1);
    attempt->service = service;
    attempt->model = model;
    memcpy(attempt + 1, body->data, body->len);
    attempt->core.body_len = body->len;
    pz_buf_clear(body);
    status = pz_attempt_start(&attempt->core, &service->core, operation,
                              body_of(attempt),
                              (const unsigned char *)random.data,
                              (unsigned)max_attempts);
    if (status == PZ_EINVAL)
        return luaL_error(L, "bad argument #2 (an operation's name, such as "
                             "CreateDataDeletionJob, expected)");
    return status == PZ_OK ? 1 : lpz_raise(L, status);
}

static struct attempt *check_attempt(lua_State *L)
{
    struct attempt *attempt = lpz_checkudata(L, 1, ATTEMPT);

    if (attempt->service == NULL || attempt->service->core.signer == NULL)
        luaL_error(L, "the attempt's client is closed");
    return attempt;
}

/* A member of the credentials at 'index'; absent is empty. */
static struct pz_slice credential(lua_State *L, int index, const char *name,
                                  size_t len)
{
    struct pz_slice s = { NULL, 0 };

    lpz_rawgetname(L, index, name, len);
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    else if (!lua_isnil(L, -1))
        luaL_error(L, "%s must be a string", name);
    lua_pop(L, 1);
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

/* attempt:sign(credentials, now) -> head, body | nil, message */
static int attempt_sign(lua_State *L)
{
    struct attempt *attempt = check_attempt(L);
    struct pz_buf *head = &attempt->service->core.head;
    struct pz_credentials credentials = read_credentials(L, 2);
    double now = luaL_checknumber(L, 3);
    const char *fault = pz_credentials_fault(&credentials);
    enum pz_status status;

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
        return 2;
    }
    lpz_pushslice(L, pz_buf_slice(head));
    lpz_pushslice(L, body_of(attempt));
    pz_buf_clear(head); /* it held the token */
    return 2;
}

static struct pz_slice header(lua_State *L, int headers, const char *name,
                              size_t len)
{
    struct pz_slice s = { NULL, 0 };

    lpz_rawgetname(L, headers, name, len);
    if (lua_type(L, -1) == LUA_TSTRING)
        s.data = lua_tolstring(L, -1, &s.len);
    lua_pop(L, 1);
    return s;
}

/* Reads { status =, headers =, body = } as a transport gave it; what is not
   of the right type makes it no response (0). */
static int read_response(lua_State *L, int index, struct pz_response *response)
{
    lua_Number status;

    memset(response, 0, sizeof *response);
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
    lua_pop(L, 1);
    lpz_rawgetname(L, index, "headers", 7);
    if (lua_istable(L, -1)) {
        int headers = lua_gettop(L);

#define HEADER(name) header(L, headers, name, sizeof name - 1)
        response->error_type = HEADER("x-amzn-errortype");
        response->request_id = HEADER("x-amzn-requestid");
        if (response->request_id.len == 0)
            response->request_id = HEADER("x-amz-request-id");
#undef HEADER
    }
    lua_pop(L, 1);
    return 1;
}

static void set_text(lua_State *L, const char *name, struct pz_slice text)
{
    if (text.len == 0)
        return;
    lpz_pushslice(L, text);
    lua_setfield(L, -2, name);
}

/*
 * attempt:judge(response) -> { ok =, status =, request_id =, kind =, code =,
 * message = }; nil, message when the response is not in a response's form.
 */
static int attempt_judge(lua_State *L)
{
    struct pz_verdict *verdict = &check_attempt(L)->service->verdict;
    struct pz_response response;
    enum pz_status status;

    luaL_checktype(L, 2, LUA_TTABLE);
    if (!read_response(L, 2, &response)) {
        lua_pushnil(L);
        lua_pushliteral(L, "the transport's response has no status or a body "
                           "that is no string");
        return 2;
    }
    pz_verdict_free(verdict);
    status = pz_judge(verdict, &response);
    if (status != PZ_OK)
        return lpz_raise(L, status);
    lua_createtable(L, 0, 6);
    lua_pushboolean(L, verdict->outcome == PZ_SUCCESS);
    lua_setfield(L, -2, "ok");
    lua_pushinteger(L, response.status);
    lua_setfield(L, -2, "status");
    set_text(L, "request_id", verdict->request_id);
    if (verdict->outcome != PZ_SUCCESS) {
        lua_pushstring(L, verdict->outcome == PZ_SERVICE_ERROR
                              ? "service" : "transport");
        lua_setfield(L, -2, "kind");
        set_text(L, "code", pz_buf_slice(&verdict->code));
        set_text(L, "message", pz_buf_slice(&verdict->message));
        pz_verdict_free(verdict);
    }
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

void lpz_attempt_classes(lua_State *L)
{
    static const luaL_Reg service_methods[] = {
        { "close", service_gc },
        { "url", service_url },
        { NULL, NULL }
    };
    static const luaL_Reg service_meta[] = {
        { "__gc", service_gc },
        { NULL, NULL }
    };
    static const luaL_Reg attempt_methods[] = {
        { "judge", attempt_judge },
        { "sign", attempt_sign },
        { NULL, NULL }
    };

    lpz_newclass(L, SERVICE, service_methods, service_meta);
    lpz_newclass(L, ATTEMPT, attempt_methods, NULL);
}
