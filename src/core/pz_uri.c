#include "pz_uri.h"

#include "pz_text.h"

static int is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

static int is_unreserved(char c)
{
    return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

/* A registered name or IPv4 address; '_' is met in local names. */
static int is_host_name(struct pz_slice s)
{
    if (s.len < 1 || s.len > 253)
        return 0;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.data[i]) && s.data[i] != '-' && s.data[i] != '.' &&
            s.data[i] != '_')
            return 0;
    return 1;
}

/* "[...]" with an address inside; zone ids ("%eth0") are not for URLs. */
static int is_ipv6(struct pz_slice s)
{
    int colons = 0;

    if (s.len < 4 || s.len > 47 || s.data[0] != '[' ||
        s.data[s.len - 1] != ']')
        return 0;
    for (size_t i = 1; i + 1 < s.len; i++) {
        if (s.data[i] == ':')
            colons++;
        else if (pz_hex_digit(s.data[i]) < 0 && s.data[i] != '.')
            return 0;
    }
    return colons >= 2;
}

static int is_path(struct pz_slice s)
{
    return pz_is_visible(s) && pz_slice_find(s, '?', 0) == s.len &&
           pz_slice_find(s, '#', 0) == s.len &&
           pz_slice_find(s, '\\', 0) == s.len;
}

enum pz_status pz_uri_parse(struct pz_uri *uri, struct pz_slice text)
{
    size_t scheme = pz_slice_find(text, ':', 0);
    struct pz_slice rest, authority;
    size_t end, colon;
    unsigned long port;

    uri->scheme = pz_slice_sub(text, 0, scheme);
    if (pz_slice_ieq(uri->scheme, PZ_LIT("https")))
        uri->scheme = PZ_LIT("https");
    else if (pz_slice_ieq(uri->scheme, PZ_LIT("http")))
        uri->scheme = PZ_LIT("http");
    else
        return PZ_EINVAL;
    rest = pz_slice_sub(text, scheme, text.len);
    if (!pz_slice_starts(rest, PZ_LIT("://")))
        return PZ_EINVAL;
    rest = pz_slice_sub(rest, 3, rest.len);
    end = pz_slice_find(rest, '/', 0);
    authority = pz_slice_sub(rest, 0, end);
    uri->path = pz_slice_sub(rest, end, rest.len);
    if (!is_path(uri->path))
        return PZ_EINVAL;

    if (authority.len > 0 && authority.data[0] == '[')
        colon = pz_slice_find(authority, ']', 0) + 1;
    else
        colon = pz_slice_find(authority, ':', 0);
    if (colon < authority.len && authority.data[colon] != ':')
        return PZ_EINVAL;
    uri->host = pz_slice_sub(authority, 0, colon);
    uri->port = pz_slice_sub(authority, colon + 1, authority.len);
    if (!is_host_name(uri->host) && !is_ipv6(uri->host))
        return PZ_EINVAL;
    if (colon < authority.len &&
        (!pz_decimal(uri->port, &port) || port < 1 || port > 65535))
        return PZ_EINVAL;
    return PZ_OK;
}

static int is_default_port(const struct pz_uri *uri)
{
    struct pz_slice usual = pz_slice_eq(uri->scheme, PZ_LIT("https"))
        ? PZ_LIT("443") : PZ_LIT("80");

    return uri->port.len == 0 || pz_slice_eq(uri->port, usual);
}

enum pz_status pz_uri_host(struct pz_buf *out, const struct pz_uri *uri)
{
    enum pz_status status = pz_buf_reserve(out, uri->host.len + 6);

    for (size_t i = 0; status == PZ_OK && i < uri->host.len; i++) {
        char c = uri->host.data[i];

        status = pz_buf_addc(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    if (status == PZ_OK && !is_default_port(uri)) {
        struct pz_slice parts[] = { PZ_LIT(":"), uri->port };

        status = pz_buf_addv(out, parts, PZ_COUNT(parts));
    }
    return status;
}

enum pz_status
pz_uri_encode(struct pz_buf *out, struct pz_slice text, int keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    enum pz_status status = PZ_OK;

    for (size_t i = 0; status == PZ_OK && i < text.len; i++) {
        char c = text.data[i];
        unsigned char byte = (unsigned char)c;

        if (is_unreserved(c) || (keep_slash && c == '/')) {
            status = pz_buf_addc(out, c);
        } else {
            char escape[3] = { '%', digits[byte >> 4], digits[byte & 15] };

            status = pz_buf_add(out, escape, sizeof escape);
        }
    }
    return status;
}

enum pz_status pz_uri_decode(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = PZ_OK;

    for (size_t i = 0; status == PZ_OK && i < text.len; i++) {
        int high = -1, low = -1;

        if (text.data[i] == '%' && i + 2 < text.len) {
            high = pz_hex_digit(text.data[i + 1]);
            low = pz_hex_digit(text.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            status = pz_buf_addc(out, (char)(high * 16 + low));
            i += 2;
        } else {
            status = pz_buf_addc(out, text.data[i]);
        }
    }
    return status;
}

enum pz_status pz_uri_normalize(struct pz_buf *out, struct pz_slice path)
{
    size_t start = out->len;
    enum pz_status status = pz_buf_addc(out, '/');

    for (size_t at = 0; status == PZ_OK && at < path.len;) {
        size_t end = pz_slice_find(path, '/', at);
        struct pz_slice segment = pz_slice_sub(path, at, end);
        int more = end < path.len;

        at = end + 1;
        if (segment.len == 0 || pz_slice_eq(segment, PZ_LIT(".")))
            continue;
        if (pz_slice_eq(segment, PZ_LIT(".."))) {
            /* Back over "name/", never over the first slash. */
            if (out->len - start > 1)
                out->len--;
            while (out->data[out->len - 1] != '/')
                out->len--;
            continue;
        }
        status = pz_buf_adds(out, segment);
        if (status == PZ_OK && more)
            status = pz_buf_addc(out, '/');
    }
    return status;
}
