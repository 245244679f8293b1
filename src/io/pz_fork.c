/* See pz_fork.h for what this file knows and refuses to know. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* pthread_atfork under C99 */
#endif

#include "pz_fork.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
/* Written in a child while it has one thread only. */
static unsigned long id = 1;

static void in_child(void)
{
    id++;
}

static void start(void)
{
    /* Should it fail, children are taken for their parent; there is no one
       to tell, and memory is short then anyway. */
    (void)pthread_atfork(NULL, NULL, in_child);
}

unsigned long pz_fork_id(void)
{
    (void)pthread_once(&once, start);
    return id;
}
