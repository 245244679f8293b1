/*
 * A server that gives every request the answer to a create, from constants,
 * on one connection at a time: what it costs is the same whatever it is sent,
 * so that clients can be compared. Bodies may be of any length.
 *
 *     answer [CERTIFICATE KEY]   prints its port, ends when stdin does; without
 *                                a certificate it speaks plain HTTP
 */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* strcasestr */
#endif
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY \
    "{\"dataDeletionJobArn\":\"arn:aws:personalize:eu-west-1:123456789012:" \
    "data-deletion-job/gdpr-2026-11-24\"}"

static char reply[512];
static int reply_len;

/* A connection: 'tls' is NULL where there is none. */
struct peer {
    SSL *tls;
    int s;
};

static int take(struct peer *p, void *out, size_t len)
{
    return p->tls ? SSL_read(p->tls, out, (int)len)
                  : (int)recv(p->s, out, len, 0);
}

static int give(struct peer *p, const void *data, size_t len)
{
    return p->tls ? SSL_write(p->tls, data, (int)len)
                  : (int)send(p->s, data, len, MSG_NOSIGNAL);
}

/* Reads one request; 0 at the end of the connection. */
static int take_request(struct peer *p)
{
    static const char proceed[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static char rest[1 << 18];
    char text[8192], *body = NULL;
    const char *length;
    long left = 0;
    int have = 0;

    while (body == NULL) {
        int got = take(p, text + have, sizeof text - 1 - (size_t)have);

        if (got <= 0)
            return 0;
        have += got;
        text[have] = '\0';
        body = strstr(text, "\r\n\r\n");
    }
    length = strcasestr(text, "\ncontent-length:");
    if (length && length < body)
        left = atol(length + 16) - (text + have - (body + 4));
    if (left > 0 && strcasestr(text, "100-continue") &&
        give(p, proceed, sizeof proceed - 1) <= 0)
        return 0;
    while (left > 0) {
        int got = take(p, rest, sizeof rest);

        if (got <= 0)
            return 0;
        left -= got;
    }
    return 1;
}

static void serve(SSL_CTX *context, int s)
{
    struct peer p = { context ? SSL_new(context) : NULL, s };
    int on = 1;

    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (p.tls)
        SSL_set_fd(p.tls, s);
    if (p.tls == NULL || SSL_accept(p.tls) == 1)
        while (take_request(&p))
            if (give(&p, reply, (size_t)reply_len) <= 0)
                break;
    SSL_free(p.tls);
    close(s);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    SSL_CTX *context = argc > 1 ? SSL_CTX_new(TLS_server_method()) : NULL;
    struct pollfd wait[2] = { { s, POLLIN, 0 }, { 0, POLLIN, 0 } };

    signal(SIGPIPE, SIG_IGN);
    reply_len = snprintf(
        reply, sizeof reply,
        "HTTP/1.1 200 OK\r\n"
        "x-amzn-RequestId: 23a65077-c173-4a61-9dd8-52c77a199e5a\r\n"
        "Content-Type: application/x-amz-json-1.1\r\n"
        "Content-Length: %d\r\n"
        "Date: Tue, 24 Nov 2026 12:00:00 GMT\r\n"
        "\r\n" BODY, (int)sizeof BODY - 1);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if ((argc != 3 && argc != 1) ||
        (context &&
         (SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
          SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) !=
              1)) ||
        bind(s, (struct sockaddr *)&address, size) != 0 ||
        listen(s, 16) != 0 ||
        getsockname(s, (struct sockaddr *)&address, &size) != 0) {
        fprintf(stderr, "usage: answer [CERTIFICATE KEY]\n");
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while (poll(wait, 2, -1) > 0 && !wait[1].revents)
        serve(context, accept(s, NULL, NULL));
    return 0;
}
