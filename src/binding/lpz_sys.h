#ifndef LPZ_SYS_H
#define LPZ_SYS_H
/*
 * The system's functions for personalize.core, and how Ctrl-C is noticed.
 */
#include "lpz.h"

/* now, monotonic, sleep, random, getenv, getpid and so on; NULL-ended. */
extern const luaL_Reg lpz_sys_functions[];

/*
 * The interpreter's SIGINT handler only sets a debug hook on the main
 * thread, which is not seen while C code waits. So a wait compares that hook
 * with what it was when the wait began. Used by both libraries, hence here.
 */
struct lpz_wait {
    lua_State *main;
    lua_Hook hook;
    int mask, count;
};

/* Finds the main thread; to be called when a library is opened, too. May
   raise (memory) on 5.1. */
static inline lua_State *lpz_mainthread(lua_State *L)
{
    lua_State *main;

#if LUA_VERSION_NUM >= 502
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    main = lua_tothread(L, -1);
#else
    /*
     * 5.1 does not tell, but a thread knows whether it is the one: it is
     * noted when it passes by, at the latest when a library is opened by it.
     * Until then the running thread has to do (LuaJIT has one hook for all).
     */
    int is_main = lua_pushthread(L);

    lua_pop(L, 1);
    lua_pushliteral(L, "personalize.mainthread");
    if (is_main) {
        lua_pushlightuserdata(L, L);
        lua_rawset(L, LUA_REGISTRYINDEX);
        return L;
    }
    lua_rawget(L, LUA_REGISTRYINDEX);
    main = lua_touserdata(L, -1);
#endif
    lua_pop(L, 1);
    return main ? main : L;
}

/* Call when a wait begins. */
static inline void lpz_wait_begin(struct lpz_wait *wait, lua_State *L)
{
    wait->main = lpz_mainthread(L);
    wait->hook = lua_gethook(wait->main);
    wait->mask = lua_gethookmask(wait->main);
    wait->count = lua_gethookcount(wait->main);
}

/* For pz_sys and pz_curl; reads a field, calls nothing. */
static inline int lpz_interrupted(void *arg)
{
    struct lpz_wait *wait = arg;

    return lua_gethook(wait->main) != wait->hook;
}

/* Call when the wait ended with an interrupt: it is reported by us now, and
   the hook would report it a second time. */
static inline void lpz_wait_taken(struct lpz_wait *wait)
{
    lua_sethook(wait->main, wait->hook, wait->mask, wait->count);
}

#endif
