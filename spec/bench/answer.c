/*
 * A server that gives every request the answer to a create, from constants,
 * over TLS on one connection at a time: what it costs is the same whatever it
 * is sent, so that clients can be compared.
 *
 *     answer CERTIFICATE KEY     prints its port, ends when stdin does
 */
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

/* Reads one request; 0 at the end of the connection. */
static int take(SSL *tls)
{
    char text[8192];
    int have = 0;

    while (have < (int)sizeof text - 1) {
        int got = SSL_read(tls, text + have, (int)sizeof text - 1 - have);
        const char *body, *length;

        if (got <= 0)
            return 0;
        have += got;
        text[have] = '\0';
        body = strstr(text, "\r\n\r\n");
        length = strstr(text, "ontent-");
        while (length && strncasecmp(length, "ontent-length:", 14) != 0)
            length = strstr(length + 1, "ontent-");
        if (body && length && text + have - (body + 4) >= atoi(length + 14))
            return 1;
    }
    return 0;
}

static void serve(SSL_CTX *context, int s)
{
    SSL *tls = SSL_new(context);
    int on = 1;

    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL_set_fd(tls, s);
    if (SSL_accept(tls) == 1)
        while (take(tls))
            if (SSL_write(tls, reply, reply_len) <= 0)
                break;
    SSL_free(tls);
    close(s);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
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
    if (argc != 3 ||
        SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1 ||
        bind(s, (struct sockaddr *)&address, size) != 0 ||
        listen(s, 16) != 0 ||
        getsockname(s, (struct sockaddr *)&address, &size) != 0) {
        fprintf(stderr, "usage: answer CERTIFICATE KEY\n");
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    while (poll(wait, 2, -1) > 0 && !wait[1].revents)
        serve(context, accept(s, NULL, NULL));
    return 0;
}
