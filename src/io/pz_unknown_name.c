/* See pz_unknown_name.h. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* getaddrinfo, clock_gettime under C99 */
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include "pz_unknown_name.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

/* Shared by the thread and who waits for it; the last one frees it. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    int users, done, code;
    char host[256];
};

static void leave(struct lookup *look) /* with the lock held */
{
    int last = --look->users == 0;

    pthread_mutex_unlock(&look->lock);
    if (last) {
        pthread_cond_destroy(&look->answered);
        pthread_mutex_destroy(&look->lock);
        pz_free(look);
    }
}

static void *look_up(void *arg)
{
    struct lookup *look = arg;
    struct addrinfo hints, *found = NULL;
    int code;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    code = getaddrinfo(look->host, NULL, &hints, &found);
    if (code == 0)
        freeaddrinfo(found);
    pthread_mutex_lock(&look->lock);
    look->code = code;
    look->done = 1;
    pthread_cond_signal(&look->answered);
    leave(look);
    return NULL;
}

static int start_thread(struct lookup *look)
{
    sigset_t all, mask;
    pthread_t thread;
    int code;

    /* The program's signals are for its own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    code = pthread_create(&thread, NULL, look_up, look);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (code == 0)
        pthread_detach(thread);
    return code;
}

int pz_unknown_name(struct pz_slice host, double seconds)
{
    struct lookup *look;
    struct timespec end;
    int unknown;

    if (host.len >= sizeof look->host ||
        (look = pz_alloc(sizeof *look)) == NULL)
        return 0;
    memset(look, 0, sizeof *look);
    memcpy(look->host, host.data, host.len);
    pthread_mutex_init(&look->lock, NULL);
    pthread_cond_init(&look->answered, NULL);
    look->users = 2;
    if (start_thread(look) != 0) {
        look->users = 1;
        look->done = 1;
    }
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += (long)(seconds * 1e9);
    end.tv_sec += end.tv_nsec / 1000000000L;
    end.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&look->lock);
    while (!look->done)
        if (pthread_cond_timedwait(&look->answered, &look->lock, &end) != 0)
            break;
    unknown = look->done && look->code == EAI_NONAME;
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
    unknown = unknown || (look->done && look->code == EAI_NODATA);
#endif
    leave(look);
    return unknown;
}
