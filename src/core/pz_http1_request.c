/* See pz_http1_request.h for what this knows and refuses to know. */
#include "pz_http1_request.h"

#include <string.h>

#include "pz_head.h"
#include "pz_text.h"

static const char bad_url[] = "a URL that is none";
static const char bad_authorization[] = "a Proxy-Authorization that is none";

/* Which headers that belong to every request are in the head. */
struct seen {
    int host, length, expect;
};

static const char *
check_head(const struct pz_http1_request *request, struct seen *seen)
{
    struct pz_slice rest = request->head, name, value;
    unsigned long long length = request->has_body ? request->length : 0;

    memset(seen, 0, sizeof *seen);
    while (rest.len > 0) {
        const char *fault = pz_head_take(&rest, &name, &value, length);

        if (fault)
            return fault;
        if (pz_slice_ieq(name, PZ_LIT("host")))
            seen->host++;
        else if (pz_slice_ieq(name, PZ_LIT("content-length")))
            seen->length++;
        else if (pz_slice_ieq(name, PZ_LIT("expect")))
            seen->expect++;
    }
    return seen->host > 1 ? "two Host headers"
         : seen->length > 1 ? "two Content-Lengths" : NULL;
}

/* The query, which an endpoint may not have, apart from the rest. */
static const char *
read_url(struct pz_uri *uri, struct pz_slice *query, struct pz_slice url)
{
    size_t end = pz_slice_find(url, '?', 0);
    const char *fault = pz_head_url_fault(url);

    if (fault)
        return fault;
    *query = pz_slice_sub(url, end, url.len);
    if (pz_slice_find(*query, '#', 0) < query->len ||
        pz_uri_parse(uri, pz_slice_sub(url, 0, end)) != PZ_OK)
        return bad_url;
    return NULL;
}

/* The request line, with the whole URL in it for a proxy. */
static enum pz_status
write_line(struct pz_buf *out, const struct pz_uri *uri,
           struct pz_slice query, const struct pz_http1_request *request)
{
    struct pz_slice start[] = { request->method, PZ_LIT(" ") };
    struct pz_slice site[] = { uri->scheme, PZ_LIT("://") };
    struct pz_slice end[] = {
        uri->path.len > 0 ? uri->path : PZ_LIT("/"), query,
        PZ_LIT(" HTTP/1.1\r\n")
    };
    enum pz_status status = pz_buf_addv(out, start, PZ_COUNT(start));

    if (status == PZ_OK && request->is_for_proxy) {
        status = pz_buf_addv(out, site, PZ_COUNT(site));
        if (status == PZ_OK)
            status = pz_uri_host(out, uri);
    }
    return status == PZ_OK ? pz_buf_addv(out, end, PZ_COUNT(end)) : status;
}

static enum pz_status
write_head(struct pz_buf *out, const struct pz_uri *uri,
           struct pz_slice query, const struct pz_http1_request *request,
           const struct seen *seen)
{
    char digits[20];
    struct pz_slice length[] = {
        PZ_LIT("Content-Length: "),
        pz_digits(digits, request->has_body ? request->length : 0),
        PZ_LIT("\r\n")
    };
    struct pz_slice authorization[] = {
        PZ_LIT("Proxy-Authorization: "), request->proxy_authorization,
        PZ_LIT("\r\n")
    };
    enum pz_status status = write_line(out, uri, query, request);

    if (status == PZ_OK && !seen->host) {
        status = pz_buf_adds(out, PZ_LIT("Host: "));
        if (status == PZ_OK)
            status = pz_uri_host(out, uri);
        if (status == PZ_OK)
            status = pz_buf_adds(out, PZ_LIT("\r\n"));
    }
    if (status == PZ_OK)
        status = pz_buf_adds(out, request->head);
    if (status == PZ_OK && !seen->length &&
        pz_head_has_length(request->method, request->has_body))
        status = pz_buf_addv(out, length, PZ_COUNT(length));
    if (status == PZ_OK && request->expects && !seen->expect)
        status = pz_buf_adds(out, PZ_LIT("Expect: 100-continue\r\n"));
    if (status == PZ_OK && request->proxy_authorization.len > 0)
        status = pz_buf_addv(out, authorization, PZ_COUNT(authorization));
    if (status == PZ_OK)
        status = pz_buf_adds(out, PZ_LIT("\r\n"));
    return status;
}

enum pz_status
pz_http1_request(struct pz_buf *out, struct pz_uri *uri, const char **fault,
                 const struct pz_http1_request *request)
{
    struct pz_slice query;
    struct seen seen;

    *fault = pz_head_method_fault(request->method);
    if (*fault == NULL)
        *fault = read_url(uri, &query, request->url);
    if (*fault == NULL && request->has_body &&
        pz_slice_eq(request->method, PZ_LIT("HEAD")))
        *fault = "a HEAD with a body";
    if (*fault == NULL)
        *fault = check_head(request, &seen);
    if (*fault == NULL && !pz_head_is_value(request->proxy_authorization))
        *fault = bad_authorization;
    if (*fault)
        return PZ_EINVAL;
    return write_head(out, uri, query, request, &seen);
}

/* Is it what stands before the port in a URL? 'room' is left as it was. */
static enum pz_status
check_host(struct pz_buf *room, struct pz_slice host, int *good)
{
    struct pz_slice parts[] = { PZ_LIT("http://"), host };
    size_t start = room->len;
    enum pz_status status = pz_buf_addv(room, parts, PZ_COUNT(parts));
    struct pz_uri uri;

    if (status != PZ_OK)
        return status;
    *good = pz_uri_parse(&uri, pz_slice_sub(pz_buf_slice(room), start,
                                            room->len)) == PZ_OK &&
            uri.host.len == host.len;
    room->len = start;
    return PZ_OK;
}

enum pz_status
pz_http1_connect(struct pz_buf *out, const char **fault, struct pz_slice host,
                 unsigned port, struct pz_slice authorization)
{
    char digits[20];
    struct pz_slice number = pz_digits(digits, port);
    struct pz_slice parts[] = {
        PZ_LIT("CONNECT "), host, PZ_LIT(":"), number,
        PZ_LIT(" HTTP/1.1\r\nHost: "), host, PZ_LIT(":"), number,
        authorization.len > 0 ? PZ_LIT("\r\nProxy-Authorization: ")
                              : PZ_LIT(""),
        authorization, PZ_LIT("\r\n\r\n")
    };
    int good = 0;
    enum pz_status status = check_host(out, host, &good);

    if (status != PZ_OK)
        return status;
    *fault = !good || port < 1 || port > 65535
        ? "a host or a port that is none"
        : !pz_head_is_value(authorization) ? bad_authorization
        : NULL;
    return *fault ? PZ_EINVAL : pz_buf_addv(out, parts, PZ_COUNT(parts));
}

unsigned pz_http1_port(const struct pz_uri *uri)
{
    unsigned long port;

    if (pz_decimal(uri->port, &port))
        return (unsigned)port;
    return pz_slice_eq(uri->scheme, PZ_LIT("https")) ? 443 : 80;
}
