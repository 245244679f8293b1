/*
 * host [--refuse] SCRIPT [ARG...]: a Lua with the whole of our C inside.
 *
 * Sanitizers want to be in the program, not in a library that a stranger's
 * interpreter loads; and only an allocator of our own can refuse. With
 * --refuse the script finds a global table 'refuse', by which memory runs
 * out at a chosen moment (spec/support/torture.lua uses it).
 *
 * libcurl and OpenSSL have allocators of their own, which are left alone.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/pz_buf.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

#if defined(SANITIZED)
#include <sanitizer/lsan_interface.h>

#define VISIBLE __attribute__((visibility("default")))

/*
 * lua-cjson holds a block of malloc's while it makes Lua values; the one is
 * lost when there is no memory for the other. That is its fault, not ours.
 */
VISIBLE const char *__lsan_default_suppressions(void);
VISIBLE const char *__lsan_default_suppressions(void)
{
    return "leak:cjson.so\n";
}

/* For all libraries that the script loads: after they are unmapped a leak
   could not be told by name. */
VISIBLE int dlclose(void *library);
VISIBLE int dlclose(void *library)
{
    (void)library;
    return 0;
}

#define leaks() __lsan_do_recoverable_leak_check()
#else
#define leaks() 0
#endif

int luaopen_personalize_core(lua_State *L);
int luaopen_personalize_curl(lua_State *L);

/* ---- memory ------------------------------------------------------------ */

/*
 * ONCE: a single refusal, which Lua 5.2 and later answer with a collection
 * and a second try. FIRM: that try is refused too. REST: so is everything
 * that follows.
 */
enum mode { ONCE, FIRM, REST };

static struct {
    enum mode mode;
    unsigned long left; /* allocations until the refusal, itself included */
    unsigned long made, refused;
    void *block; /* of the refused request, to know its second try */
    size_t size;
    int again;
} plan;

static size_t lua_bytes;

static int refuse_next(void *block, size_t size)
{
    plan.made++;
    if (plan.again) {
        plan.again = 0;
        if (block == plan.block && size == plan.size) {
            plan.refused++;
            return 1;
        }
    }
    if (plan.left == 0 || --plan.left > 0)
        return 0;
    plan.left = plan.mode == REST;
    plan.again = plan.mode == FIRM && size > 0;
    plan.block = block;
    plan.size = size;
    plan.refused++;
    return 1;
}

/* The core's door to the heap: there is no second try at it. */
static int refuse_core(void)
{
    return refuse_next(NULL, 0);
}

static void *allocate(void *state, void *block, size_t old, size_t size)
{
    void *moved;

    (void)state;
    if (block == NULL)
        old = 0; /* Lua 5.2 and later tell a kind of object instead */
    if (size == 0) {
        free(block);
        lua_bytes -= old;
        return NULL;
    }
    /* A block that shrinks is never refused: Lua relies on it. */
    if (size > old && refuse_next(block, size))
        return NULL;
#if defined(SANITIZED)
    /* Always to another place, so that pointers kept too long are seen. */
    moved = malloc(size);
    if (moved && block)
        memcpy(moved, block, old < size ? old : size);
    if (moved)
        free(block);
#else
    moved = realloc(block, size);
#endif
    if (moved == NULL) {
        fputs("host: the machine has no memory left\n", stderr);
        abort();
    }
    lua_bytes += size;
    lua_bytes -= old;
    return moved;
}

/* ---- what a script may do with it -------------------------------------- */

/*
 * refuse.try(n, mode, f) -> refusals, allocations, ok, result or error
 * Calls f() with the n-th allocation from here refused.
 */
static int refuse_try(lua_State *L)
{
    static const char *const modes[] = { "once", "firm", "rest", NULL };
    lua_Integer n = luaL_checkinteger(L, 1);
    int mode = luaL_checkoption(L, 2, NULL, modes), status;

    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    luaL_checkstack(L, 8, "no room");
    memset(&plan, 0, sizeof plan);
    plan.mode = (enum mode)mode;
    plan.left = (unsigned long)n;
    status = lua_pcall(L, 0, 1, 0);
    plan.left = 0;
    plan.again = 0;
    lua_pushinteger(L, (lua_Integer)plan.refused);
    lua_pushinteger(L, (lua_Integer)plan.made);
    lua_pushboolean(L, status == 0);
    lua_pushvalue(L, -4);
    return 4;
}

/* refuse.live() -> blocks the core holds, bytes Lua holds */
static int refuse_live(lua_State *L)
{
#if defined(PZ_TEST)
    lua_pushinteger(L, (lua_Integer)pz_alloc_live);
#else
    lua_pushinteger(L, 0);
#endif
    lua_pushinteger(L, (lua_Integer)lua_bytes);
    return 2;
}

/* refuse.leaks() -> does the leak detector find any? It tells which. */
static int refuse_leaks(lua_State *L)
{
    lua_pushboolean(L, leaks());
    return 1;
}

/* ---- the interpreter --------------------------------------------------- */

/* What is still held once the state is gone is lost. */
static int close_state(lua_State *L)
{
    lua_close(L);
#if defined(PZ_TEST)
    if (pz_alloc_live > 0) {
        fprintf(stderr, "host: the core still holds %lu blocks\n",
                (unsigned long)pz_alloc_live);
        return 1;
    }
#endif
    if (lua_bytes > 0) {
        fprintf(stderr, "host: Lua still holds %lu bytes\n",
                (unsigned long)lua_bytes);
        return 1;
    }
    return 0;
}

/* Closes the state, which Lua's own leaves to whoever asks for it: busted
   ends by it, and what leaked should be told then too. */
static int os_exit(lua_State *L)
{
    int status = lua_isboolean(L, 1) ? !lua_toboolean(L, 1)
                                     : (int)luaL_optinteger(L, 1, 0);
    int lost = close_state(L);

    exit(status ? status : lost);
}

static int traceback(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        lua_getglobal(L, "tostring");
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 1, 1, 0) != 0 || lua_type(L, -1) != LUA_TSTRING)
            return 1;
        lua_replace(L, 1);
        lua_settop(L, 1);
    }
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

static void set_function(lua_State *L, const char *name, lua_CFunction f)
{
    lua_pushcfunction(L, f);
    lua_setfield(L, -2, name);
}

struct options {
    int refuse, script, count;
    char **words;
};

static void open_all(lua_State *L, const struct options *options)
{
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    set_function(L, "personalize.core", luaopen_personalize_core);
    set_function(L, "personalize.curl", luaopen_personalize_curl);
    lua_getglobal(L, "os");
    set_function(L, "exit", os_exit);
    if (options->refuse) {
        lua_newtable(L);
        set_function(L, "leaks", refuse_leaks);
        set_function(L, "live", refuse_live);
        set_function(L, "try", refuse_try);
        lua_setglobal(L, "refuse");
    }
    lua_newtable(L);
    for (int i = 0; i < options->count; i++) {
        lua_pushstring(L, options->words[i]);
        lua_rawseti(L, -2, i - options->script);
    }
    lua_setglobal(L, "arg");
    lua_settop(L, 0);
}

/* In a protected call: all of it can run out of memory. */
static int run(lua_State *L)
{
    const struct options *options = lua_touserdata(L, 1);

    lua_settop(L, 0);
    open_all(L, options);
    lua_pushcfunction(L, traceback);
    if (luaL_loadfile(L, options->words[options->script]) != 0)
        return lua_error(L);
    for (int i = options->script + 1; i < options->count; i++) {
        luaL_checkstack(L, 1, "too many words");
        lua_pushstring(L, options->words[i]);
    }
    if (lua_pcall(L, options->count - options->script - 1, 0, 1) != 0)
        return lua_error(L);
    return 0;
}

static lua_State *new_state(void)
{
#if LUA_VERSION_NUM >= 505
    return lua_newstate(allocate, NULL, 0);
#else
    return lua_newstate(allocate, NULL);
#endif
}

int main(int count, char **words)
{
    struct options options = { 0, 1, count, words };
    lua_State *L;
    int failed;

    if (count > 1 && strcmp(words[1], "--refuse") == 0) {
        options.refuse = 1;
        options.script = 2;
    }
    if (count <= options.script) {
        fputs("usage: host [--refuse] SCRIPT [ARG...]\n", stderr);
        return 2;
    }
    L = new_state();
    if (L == NULL) {
        fputs("host: this Lua takes no allocator but its own\n", stderr);
        return 2;
    }
#if defined(PZ_TEST)
    pz_alloc_refuse = refuse_core;
#endif
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &options);
    failed = lua_pcall(L, 1, 0, 0);
    if (failed) {
        const char *message = lua_tostring(L, -1);

        fprintf(stderr, "host: %s\n",
                message ? message : "an error that is no text");
    }
    return close_state(L) || failed;
}
