#ifndef PZ_CURL_H
#define PZ_CURL_H
/*
 * One HTTP exchange at a time over libcurl: a request goes out, its answer
 * or the reason why there is none comes back; connections are kept.
 *
 * Knows libcurl and what it does behind one's back; refuses to know what is
 * asked, whether it is asked again, and Lua.
 *
 * A handle belongs to one thread at a time. It may be taken over a fork: the
 * child then opens connections of its own and leaves the parent's alone.
 */
#include "../core/pz_buf.h"

#define PZ_CURL_SOCKETS 32

struct curl_slist;

enum pz_fault {
    PZ_FAULT_NONE = 0,
    PZ_FAULT_CONFIG,      /* the request cannot be sent as it is */
    PZ_FAULT_CONNECTION,  /* no connection, or it ended without an answer */
    PZ_FAULT_TIMEOUT,
    PZ_FAULT_TLS,
    PZ_FAULT_RESPONSE,    /* an answer began, and is not one */
    PZ_FAULT_INTERRUPTED,
    PZ_FAULT_SOURCE,      /* the body's source failed */
    PZ_FAULT_ENDED        /* 'between' said so */
};

/* A body that is read while it goes out, once and in order. The functions may
   block as a file does. */
struct pz_curl_source {
    unsigned long long length;
    /* 1 to len bytes; 0 at the end, which is a fault before 'length'; -1 for
       a fault. */
    long (*read)(void *arg, char *out, size_t len);
    const char *(*fault)(void *arg); /* never NULL */
    void *arg;
};

/* A request. Everything is borrowed for the call; url, ca_bundle and proxy
   are followed by a NUL, as Lua's strings are. */
struct pz_exchange {
    struct pz_slice method, url;
    struct pz_slice head;      /* "name: value\r\n" lines, goes out as it is */
    struct pz_slice body;      /* data NULL: none */
    const struct pz_curl_source *source; /* in place of 'body'; or NULL */
    struct pz_slice ca_bundle; /* a file; data NULL: the system's */
    struct pz_slice proxy;     /* data NULL: the environment's; "": none */
    int direct;                /* never a proxy */
    double timeout, connect_timeout; /* seconds */
    /* Less than 'slowest' bytes a second, either way, for so many seconds are
       a timeout. 0: no such limit. */
    long slowest, slow_seconds;
    /* Asked at least once a second; non-zero ends the exchange. May be NULL. */
    int (*interrupted)(void *arg);
    /* Told at least four times a second, and after the end of an exchange that
       went well, how many bytes of the body are on their way. Not called from
       inside libcurl, so it may take its time; but it has to return. Non-zero
       ends the exchange. May be NULL. */
    int (*between)(void *arg, unsigned long long sent);
    void *arg;
};

/*
 * The zero value is a handle that has not been used yet, except that
 * pz_curl_init sets the buffers' ceilings. Everything here is the handle's
 * own; the members up to the next comment are the outcome of the last call.
 */
struct pz_curl {
    enum pz_fault fault;
    long status;          /* 0: no final head was seen */
    int sent;             /* bytes of the request may have reached the peer */
    int retryable;        /* the same request may succeed if sent again */
    struct pz_buf head;   /* the final head, status line first */
    struct pz_buf body;
    char message[320];    /* names host and port; never what was sent */

    /* the session, and whose it is */
    void *easy;           /* libcurl's; its header stays out of this one */
    void *multi;          /* as soon as one exchange was made in slices */
    unsigned long owner;  /* a pz_fork_id */
    int guarded;          /* libcurl says when a request goes out */
    int sockets[PZ_CURL_SOCKETS];
    size_t socket_count;
    double idle_since;    /* monotonic seconds */

    /* what libcurl was last told, so that it is told once */
    struct pz_buf method, url, ca_bundle, proxy;
    int shape, has_ca, proxying;
    long timeout_ms, connect_ms, slowest, slow_seconds;

    /* the exchange under way */
    struct pz_buf lines;  /* the request's head, cut into NUL-ended lines */
    struct curl_slist *nodes;
    size_t node_count;
    const struct pz_exchange *request;
    unsigned long long body_read;
    size_t head_seen, head_lines;
    int requests, head_done, stopped, ended;
    const char *refused;
    const char *broken;   /* what is wrong with the source */
    char reason[256];     /* libcurl's own words; read, never shown */
};

void pz_curl_init(struct pz_curl *c);

/*
 * Makes the exchange. On PZ_FAULT_NONE status, head and body are the answer;
 * otherwise message says why there is none. The outcome stays until the next
 * call or pz_curl_forget.
 */
enum pz_fault
pz_curl_perform(struct pz_curl *c, const struct pz_exchange *request);

/* Wipes the outcome's bytes and gives back large buffers. */
void pz_curl_forget(struct pz_curl *c);

/* Ends connections and gives everything back; the handle may be used again.
   Idempotent; harmless in a forked child. */
void pz_curl_close(struct pz_curl *c);

/* The version of the libcurl in use, such as "7.88.1"; constant text. */
const char *pz_curl_version(void);

#endif
