/*
 * What Lua cannot do to its own process: fork, run other Lua states in threads,
 * close descriptors of others and run out of them. A module for specs; built
 * by the spec that needs it.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS_MAX 64

/* fork() -> pid, 0 in the child */
static int process_fork(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)fork());
    return 1;
}

/* wait(pid) -> exit status, or 1000 + signal */
static int process_wait(lua_State *L)
{
    int status = 0;

    if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0)
        return luaL_error(L, "no such child");
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status)
                                         : 1000 + WTERMSIG(status));
    return 1;
}

/* leave(status): ends the process and nothing else, as a forked child has to
   that shares the parent's buffers */
static int process_leave(lua_State *L)
{
    _exit((int)luaL_checkinteger(L, 1));
    return 0;
}

/* close(first, last): descriptors, whoever opened them, as a daemon does */
static int process_close(lua_State *L)
{
    lua_Integer last = luaL_checkinteger(L, 2);

    for (lua_Integer fd = luaL_checkinteger(L, 1); fd <= last; fd++)
        close((int)fd);
    return 0;
}

/* descriptor(file) -> its number */
static int process_descriptor(lua_State *L)
{
    FILE **file = luaL_checkudata(L, 1, LUA_FILEHANDLE);

    lua_pushinteger(L, fileno(*file));
    return 1;
}

/* limit(n): so many descriptors may be open; answers how many it were */
static int process_limit(lua_State *L)
{
    struct rlimit limit;
    lua_Integer before;

    getrlimit(RLIMIT_NOFILE, &limit);
    before = (lua_Integer)limit.rlim_cur;
    limit.rlim_cur = (rlim_t)luaL_checkinteger(L, 1);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return luaL_error(L, "the limit cannot be set");
    lua_pushinteger(L, before);
    return 1;
}

struct job {
    pthread_t thread;
    const char *code, *path, *cpath;
    int number;
    char error[512]; /* empty: it went well */
};

static void *run(void *arg)
{
    struct job *job = arg;
    lua_State *L = luaL_newstate();

    if (L == NULL) {
        strcpy(job->error, "no memory for a state");
        return NULL;
    }
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushstring(L, job->path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, job->cpath);
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
    lua_pushinteger(L, job->number);
    lua_setglobal(L, "NUMBER");
    if (luaL_loadstring(L, job->code) != 0 || lua_pcall(L, 0, 0, 0) != 0) {
        /* Errors are tables, too. */
        lua_getglobal(L, "tostring");
        lua_insert(L, -2);
        if (lua_pcall(L, 1, 1, 0) == 0 && lua_isstring(L, -1))
            strncpy(job->error, lua_tostring(L, -1), sizeof job->error - 1);
        else
            strcpy(job->error, "an error that is no text");
    }
    lua_close(L);
    return NULL;
}

/* threads(count, code, path, cpath) -> list of errors */
static int process_threads(lua_State *L)
{
    lua_Integer count = luaL_checkinteger(L, 1);
    struct job *jobs;
    int errors = 0;

    luaL_argcheck(L, count >= 1 && count <= THREADS_MAX, 1, "1 to 64");
    jobs = lua_newuserdata(L, (size_t)count * sizeof *jobs);
    memset(jobs, 0, (size_t)count * sizeof *jobs);
    for (int i = 0; i < count; i++) {
        jobs[i].code = luaL_checkstring(L, 2);
        jobs[i].path = luaL_checkstring(L, 3);
        jobs[i].cpath = luaL_checkstring(L, 4);
        jobs[i].number = i + 1;
    }
    for (int i = 0; i < count; i++)
        if (pthread_create(&jobs[i].thread, NULL, run, &jobs[i]) != 0)
            abort();
    for (int i = 0; i < count; i++)
        pthread_join(jobs[i].thread, NULL);
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        if (jobs[i].error[0] == '\0')
            continue;
        lua_pushstring(L, jobs[i].error);
        lua_rawseti(L, -2, ++errors);
    }
    return 1;
}

int luaopen_spec_process(lua_State *L);
int luaopen_spec_process(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, process_fork);
    lua_setfield(L, -2, "fork");
    lua_pushcfunction(L, process_wait);
    lua_setfield(L, -2, "wait");
    lua_pushcfunction(L, process_leave);
    lua_setfield(L, -2, "leave");
    lua_pushcfunction(L, process_threads);
    lua_setfield(L, -2, "threads");
    lua_pushcfunction(L, process_close);
    lua_setfield(L, -2, "close");
    lua_pushcfunction(L, process_descriptor);
    lua_setfield(L, -2, "descriptor");
    lua_pushcfunction(L, process_limit);
    lua_setfield(L, -2, "limit");
    return 1;
}
