#ifndef LPZ_SYS_H
#define LPZ_SYS_H
/*
 * The system's functions for personalize.core, and how Ctrl-C and the signals
 * that a program catches are noticed.
 */
#include <signal.h>

#include "lpz.h"

/* now, monotonic, sleep, random, getenv, getpid and so on; NULL-ended. */
extern const luaL_Reg lpz_sys_functions[];

/*
 * The interpreter's SIGINT handler only sets a debug hook on the main
 * thread, which is not seen while C code waits. So a wait compares that hook
 * with what it was when the wait began. A program that catches signals
 * (core.catch_signals) is told by another way: see pz_signal. Used by both
 * libraries, hence here.
 */
struct lpz_wait {
    lua_State *main;
    lua_Hook hook;
    int mask, count;
    const volatile sig_atomic_t *signal; /* NULL without personalize.core */
};

/* Where the address of pz_signal_first stands in the registry. */
#define LPZ_SIGNAL "personalize.signal"

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

/* Call when a wait begins. May raise (memory). */
static inline void lpz_wait_begin(struct lpz_wait *wait, lua_State *L)
{
    lua_pushliteral(L, LPZ_SIGNAL);
    lua_rawget(L, LUA_REGISTRYINDEX);
    wait->signal = lua_touserdata(L, -1);
    lua_pop(L, 1);
    wait->main = lpz_mainthread(L);
    wait->hook = lua_gethook(wait->main);
    wait->mask = lua_gethookmask(wait->main);
    wait->count = lua_gethookcount(wait->main);
}

/* For pz_sys and pz_exchange; reads two fields, calls nothing. */
static inline int lpz_interrupted(void *arg)
{
    struct lpz_wait *wait = arg;

    return (wait->signal && *wait->signal != 0) ||
           lua_gethook(wait->main) != wait->hook;
}

/* Call when the wait ended with an interrupt: it is reported by us now, and
   the hook would report it a second time. (A caught signal stays noted, so
   that every later wait ends at once as well.) */
static inline void lpz_wait_taken(struct lpz_wait *wait)
{
    lua_sethook(wait->main, wait->hook, wait->mask, wait->count);
}

#endif
