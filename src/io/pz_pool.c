/* See pz_pool.h for what this knows and refuses to know. */
#include "pz_pool.h"

#include <stdlib.h>
#include <string.h>

#include "pz_connection_failure.h"
#include "pz_curl_library.h"
#include "pz_fork.h"

/* Seconds: a firewall may have forgotten an older one without a word. */
#define IDLE_MAX 20.0

/* ---- which proxy ------------------------------------------------------- */

static struct pz_slice variable(const char *name)
{
    return pz_slice_of(getenv(name)); /* not set: data is NULL */
}

static struct pz_slice from_environment(const struct pz_wish *wish)
{
    struct pz_proxy_variables variables;
    struct pz_proxy_target target;

    variables.http_proxy = variable("http_proxy");
    variables.https_proxy = variable("https_proxy");
    variables.HTTPS_PROXY = variable("HTTPS_PROXY");
    variables.all_proxy = variable("all_proxy");
    variables.ALL_PROXY = variable("ALL_PROXY");
    variables.no_proxy = variable("no_proxy");
    variables.NO_PROXY = variable("NO_PROXY");
    target.is_https = wish->is_https;
    target.host = wish->peer.host;
    target.port = wish->peer.port;
    return pz_proxy_choose(&target, &variables);
}

static int find_place(struct pz_place *place, const struct pz_wish *wish,
                      struct pz_failure *failure)
{
    struct pz_slice proxy = { NULL, 0 };

    memset(place, 0, sizeof *place);
    place->is_https = wish->is_https;
    place->peer = wish->peer;
    place->address = wish->address;
    place->ca_bundle = wish->ca_bundle;
    if (!wish->direct && wish->address.data == NULL)
        proxy = wish->proxy.data ? wish->proxy : from_environment(wish);
    if (pz_proxy_parse(&place->proxy, proxy) == PZ_OK)
        return 1;
    pz_failure_refuse(failure, PZ_PROXY_WRONG, "");
    return 0;
}

/* ---- what they are kept under ------------------------------------------ */

/* All that a kept connection must have in common with a wanted one. No text
   can hold a NUL, so they stay apart when they are joined. */
enum { KEY_PARTS = 8 };

static void lay_key(struct pz_slice parts[KEY_PARTS], char numbers[4],
                    const struct pz_wish *wish)
{
    const struct pz_slice end = { "", 1 };

    numbers[0] = (char)(wish->peer.port >> 8);
    numbers[1] = (char)(wish->peer.port & 255);
    numbers[2] = (char)(wish->is_https + 2 * wish->direct);
    numbers[3] = (char)((wish->address.data != NULL) +
                        2 * (wish->ca_bundle.data != NULL) +
                        4 * (wish->proxy.data != NULL));
    parts[0].data = numbers;
    parts[0].len = 4;
    parts[1] = wish->peer.host;
    parts[2] = parts[4] = parts[6] = end;
    parts[3] = wish->ca_bundle;
    parts[5] = wish->proxy;
    parts[7] = wish->address;
}

static enum pz_status add_key(struct pz_buf *out, const struct pz_wish *wish)
{
    struct pz_slice parts[KEY_PARTS];
    char numbers[4];

    lay_key(parts, numbers, wish);
    return pz_buf_addv(out, parts, KEY_PARTS);
}

/* Is it what add_key makes of the wish? */
static int is_key(struct pz_slice key, const struct pz_wish *wish)
{
    struct pz_slice parts[KEY_PARTS];
    char numbers[4];

    lay_key(parts, numbers, wish);
    for (int i = 0; i < KEY_PARTS; i++) {
        if (!pz_slice_starts(key, parts[i]))
            return 0;
        key = pz_slice_sub(key, parts[i].len, key.len);
    }
    return key.len == 0;
}

/* ---- keeping ----------------------------------------------------------- */

int pz_pool_is_foreign(const struct pz_pool *pool)
{
    return pool->owner != 0 && pool->owner != pz_fork_id();
}

/* In a forked child: all of it is the parent's. What libcurl holds is lost
   here, and shared with the parent as long as it is not written to. */
static void abandon(struct pz_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        pz_connection_abandon(pool->kept[i]);
    memset(pool, 0, sizeof *pool);
}

void pz_pool_drop(struct pz_pool *pool, struct pz_connection *c)
{
    void *multi = c->multi;

    if (pz_pool_is_foreign(pool))
        pz_connection_abandon(c);
    else if (!pz_connection_end(c) && pool->multi == multi)
        pool->multi = NULL; /* lost with it */
}

/* Takes the i-th out of those kept. */
static struct pz_connection *take_out(struct pz_pool *pool, size_t i)
{
    struct pz_connection *c = pool->kept[i];

    pool->count--;
    memmove(&pool->kept[i], &pool->kept[i + 1],
            (pool->count - i) * sizeof *pool->kept);
    return c;
}

void pz_pool_keep(struct pz_pool *pool, struct pz_connection *c, double now)
{
    if (pool->count == PZ_POOL_MAX)
        pz_pool_drop(pool, take_out(pool, pool->count - 1));
    memmove(&pool->kept[1], &pool->kept[0], pool->count * sizeof *pool->kept);
    pool->kept[0] = c;
    pool->count++;
    c->idle_since = now;
}

/* Ends those that nobody wanted for long. */
static void end_idle(struct pz_pool *pool, double now)
{
    while (pool->count > 0 &&
           now - pool->kept[pool->count - 1]->idle_since > IDLE_MAX)
        pz_pool_drop(pool, take_out(pool, pool->count - 1));
}

void pz_pool_close(struct pz_pool *pool)
{
    if (pz_pool_is_foreign(pool)) {
        abandon(pool);
        return;
    }
    while (pool->count > 0)
        pz_pool_drop(pool, take_out(pool, 0));
    if (pool->multi)
        (void)curl_multi_cleanup(pool->multi);
    memset(pool, 0, sizeof *pool);
}

/* ---- taking ------------------------------------------------------------ */

/* For this process, with libcurl started. */
static int prepare(struct pz_pool *pool, const struct pz_wish *wish,
                   struct pz_failure *failure)
{
    if (pz_pool_is_foreign(pool))
        abandon(pool);
    if (!pz_curl_library_start()) {
        pz_failure_blame(failure, PZ_FAULT_CONNECTION, 0,
                         "libcurl cannot start, to ask ", &wish->peer, "");
        return 0;
    }
    pool->owner = pz_fork_id();
    if (pool->multi || !pz_curl_library_shares())
        return 1;
    pool->multi = curl_multi_init();
    if (pool->multi == NULL)
        pz_failure_unopened(failure, &wish->peer);
    return pool->multi != NULL;
}

static struct pz_connection *
find_kept(struct pz_pool *pool, const struct pz_wish *wish)
{
    size_t i = 0;

    while (i < pool->count) {
        struct pz_connection *c = pool->kept[i];

        if (!is_key(pz_buf_slice(&c->key), wish)) {
            i++;
            continue;
        }
        (void)take_out(pool, i);
        if (pz_connection_is_alive(c))
            return c;
        pz_pool_drop(pool, c);
    }
    return NULL;
}

/* With the system's trust, by its bundle of certificates; where that does not
   do, by its folder as well, from now on. */
static struct pz_connection *
open_new(struct pz_pool *pool, const struct pz_wish *wish,
         const struct pz_patience *patience, struct pz_failure *failure)
{
    struct pz_connection *c = NULL;
    struct pz_place place;
    int wants_folder = 0;

    if (!find_place(&place, wish, failure))
        return NULL;
    c = pz_connection_open(&place, pool->multi, pool->with_folder, patience,
                           failure, &wants_folder);
    if (c == NULL && wants_folder) {
        memset(failure, 0, sizeof *failure);
        c = pz_connection_open(&place, pool->multi, 1, patience, failure,
                               &wants_folder);
        pool->with_folder = c != NULL;
    }
    if (c && add_key(&c->key, wish) != PZ_OK) {
        pz_pool_drop(pool, c);
        pz_failure_blame(failure, PZ_FAULT_CONNECTION, 0,
                         "not enough memory to ask ", &wish->peer, "");
        return NULL;
    }
    return c;
}

struct pz_connection *
pz_pool_take(struct pz_pool *pool, const struct pz_wish *wish,
             const struct pz_patience *patience, struct pz_failure *failure,
             int *is_fresh)
{
    struct pz_connection *c;

    if (!prepare(pool, wish, failure))
        return NULL;
    end_idle(pool, patience->began);
    c = find_kept(pool, wish);
    *is_fresh = c == NULL;
    return c ? c : open_new(pool, wish, patience, failure);
}
