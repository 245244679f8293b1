/* See pz_proxy.h for what this knows and refuses to know. */
#include "pz_proxy.h"

#include <string.h>

#include "pz_address.h"
#include "pz_text.h"
#include "pz_uri.h"

/* ---- the URL of a proxy ------------------------------------------------ */

static const struct {
    const char *name;
    enum pz_proxy_kind kind;
    unsigned port; /* where the URL has none */
} schemes[] = {
    { "http", PZ_PROXY_HTTP, 80 },
    { "https", PZ_PROXY_HTTPS, 443 },
    { "socks", PZ_PROXY_SOCKS, 1080 },
    { "socks4", PZ_PROXY_SOCKS, 1080 },
    { "socks4a", PZ_PROXY_SOCKS, 1080 },
    { "socks5", PZ_PROXY_SOCKS, 1080 },
    { "socks5h", PZ_PROXY_SOCKS, 1080 },
};

/* Cuts "scheme://" or "//" off *rest. */
static enum pz_status
read_scheme(struct pz_proxy *proxy, struct pz_slice *rest)
{
    struct pz_slice name = PZ_LIT("http");
    size_t colon = pz_slice_find(*rest, ':', 0);

    if (pz_slice_starts(*rest, PZ_LIT("//"))) {
        *rest = pz_slice_sub(*rest, 2, rest->len);
    } else if (pz_slice_starts(pz_slice_sub(*rest, colon, rest->len),
                               PZ_LIT("://"))) {
        name = pz_slice_sub(*rest, 0, colon);
        *rest = pz_slice_sub(*rest, colon + 3, rest->len);
    }
    for (size_t i = 0; i < PZ_COUNT(schemes); i++) {
        if (pz_slice_ieq(name, pz_slice_of(schemes[i].name))) {
            proxy->kind = schemes[i].kind;
            proxy->scheme = pz_slice_of(schemes[i].name);
            proxy->port = schemes[i].port;
            return PZ_OK;
        }
    }
    return PZ_EINVAL;
}

static int is_host(struct pz_slice host)
{
    struct pz_address address;

    if (host.len > 0 && host.data[0] == '[')
        return pz_address_parse(&address, host);
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return 0;
    }
    return host.len > 0 && host.len < 256;
}

/* Cuts ":PORT" off *host, where there is one; 0 where it is no port. */
static int cut_port(struct pz_slice *host, unsigned *port)
{
    size_t from = host->len > 0 && host->data[0] == '['
        ? pz_slice_find(*host, ']', 0) : 0;
    size_t colon = pz_slice_find(*host, ':', from);
    struct pz_slice digits = pz_slice_sub(*host, colon + 1, host->len);
    unsigned long n;

    *host = pz_slice_sub(*host, 0, colon);
    if (digits.len == 0)
        return 1;
    if (!pz_decimal(digits, &n) || n < 1 || n > 65535)
        return 0;
    *port = (unsigned)n;
    return 1;
}

/* Escaped bytes are allowed but NUL, which ends a text in C. */
static int is_userinfo(struct pz_slice text)
{
    for (size_t at = 0; at < text.len; at++)
        if (pz_slice_starts(pz_slice_sub(text, at, text.len), PZ_LIT("%00")))
            return 0;
    return 1;
}

enum pz_status pz_proxy_parse(struct pz_proxy *proxy, struct pz_slice text)
{
    struct pz_slice rest = pz_slice_trim(text);
    size_t end = 0, at;

    memset(proxy, 0, sizeof *proxy);
    if (rest.len == 0)
        return PZ_OK;
    if (!pz_is_visible(rest) || read_scheme(proxy, &rest) != PZ_OK)
        return PZ_EINVAL;
    while (end < rest.len && !strchr("/?#", rest.data[end]))
        end++;
    rest = pz_slice_sub(rest, 0, end);
    for (at = rest.len; at > 0 && rest.data[at - 1] != '@';)
        at--;
    if (at > 0)
        proxy->userinfo = pz_slice_sub(rest, 0, at - 1);
    proxy->host = pz_slice_sub(rest, at, rest.len);
    return cut_port(&proxy->host, &proxy->port) && is_host(proxy->host) &&
           is_userinfo(proxy->userinfo) ? PZ_OK : PZ_EINVAL;
}

enum pz_status
pz_proxy_authorization(struct pz_buf *out, const struct pz_proxy *proxy)
{
    struct pz_buf plain = PZ_BUF_SECRET(0);
    struct pz_slice userinfo = proxy->userinfo;
    enum pz_status status;

    if (userinfo.data == NULL)
        return PZ_OK;
    status = pz_uri_decode(&plain, userinfo);
    /* A user without a password still ends in a colon (RFC 7617). */
    if (status == PZ_OK && pz_slice_find(userinfo, ':', 0) == userinfo.len)
        status = pz_buf_addc(&plain, ':');
    if (status == PZ_OK)
        status = pz_buf_adds(out, PZ_LIT("Basic "));
    if (status == PZ_OK)
        status = pz_base64(out, pz_buf_slice(&plain), PZ_BASE64);
    pz_buf_free(&plain);
    return status;
}

/* ---- the environment --------------------------------------------------- */

/* Of a variable in small letters and the same in capitals. 1: one of them
   decides, perhaps that there is no proxy. */
static int decide(struct pz_slice *text, struct pz_slice small,
                  struct pz_slice capital)
{
    *text = pz_slice_trim(small);
    if (small.data)
        return 1;
    *text = pz_slice_trim(capital);
    return text->len > 0;
}

struct pz_slice
pz_proxy_choose(const struct pz_proxy_target *target,
                const struct pz_proxy_variables *variables)
{
    static const struct pz_slice none;
    struct pz_slice text;

    (void)decide(&text, variables->no_proxy, variables->NO_PROXY);
    if (pz_proxy_is_excepted(target, text))
        return none;
    if (target->is_https
        ? decide(&text, variables->https_proxy, variables->HTTPS_PROXY)
        : decide(&text, variables->http_proxy, none))
        return text;
    return decide(&text, variables->all_proxy, variables->ALL_PROXY)
        ? text : none;
}

/* ---- exceptions -------------------------------------------------------- */

/* Without the dot at the end that says that a name is complete. */
static struct pz_slice without_final_dot(struct pz_slice name)
{
    if (name.len > 1 && name.data[name.len - 1] == '.')
        name.len--;
    return name;
}

/* Is the name the domain, or below it? */
static int is_within(struct pz_slice name, struct pz_slice domain)
{
    struct pz_slice end;

    if (pz_slice_starts(domain, PZ_LIT("*.")))
        domain = pz_slice_sub(domain, 2, domain.len);
    while (domain.len > 0 && domain.data[0] == '.')
        domain = pz_slice_sub(domain, 1, domain.len);
    domain = without_final_dot(domain);
    if (domain.len == 0 || domain.len > name.len)
        return 0;
    end = pz_slice_sub(name, name.len - domain.len, name.len);
    return pz_slice_ieq(end, domain) &&
           (end.len == name.len || name.data[name.len - end.len - 1] == '.');
}

/* Is the address in "10.0.0.0/8"? */
static int is_in_network(const struct pz_address *address,
                         struct pz_slice network, size_t slash)
{
    struct pz_address base;
    unsigned long bits;

    return pz_decimal(pz_slice_sub(network, slash + 1, network.len), &bits) &&
           pz_address_parse(&base, pz_slice_sub(network, 0, slash)) &&
           bits <= base.bits &&
           pz_address_shares(address, &base, (unsigned)bits);
}

/* 'address' is NULL for a target that is a name. */
static int matches(const struct pz_proxy_target *target,
                   const struct pz_address *address, struct pz_slice entry)
{
    size_t slash = pz_slice_find(entry, '/', 0);
    unsigned port = target->port;
    struct pz_address other;

    if (pz_slice_eq(entry, PZ_LIT("*")))
        return 1;
    if (address && slash < entry.len)
        return is_in_network(address, entry, slash);
    /* An IPv6 address without brackets has colons and no port. */
    if (!pz_address_parse(&other, entry) &&
        (!cut_port(&entry, &port) || port != target->port))
        return 0;
    if (address) /* of which the end is no domain */
        return pz_address_parse(&other, entry) &&
               pz_address_shares(address, &other, address->bits);
    return is_within(without_final_dot(target->host), entry);
}

int pz_proxy_is_excepted(const struct pz_proxy_target *target,
                         struct pz_slice list)
{
    struct pz_address address;
    int is_address = pz_address_parse(&address,
                                      without_final_dot(target->host));

    for (size_t at = 0; at < list.len;) {
        size_t end = at;

        while (end < list.len && !strchr(", \t\r\n", list.data[end]))
            end++;
        if (end > at && matches(target, is_address ? &address : NULL,
                                pz_slice_sub(list, at, end)))
            return 1;
        at = end + 1;
    }
    return 0;
}

/* ---- a refusal --------------------------------------------------------- */

static const char *const known[] = {
    "Basic", "Digest", "NTLM", "Negotiate", "Kerberos", "Bearer"
};

/* The known schemes that the header names, each once, into 'out'. Answers
   whether Basic, the one that can be served, is among them. */
static int list_schemes(char *out, size_t size, struct pz_slice challenge)
{
    int has_basic = 0;

    out[0] = '\0';
    for (size_t i = 0; i < PZ_COUNT(known); i++) {
        struct pz_slice name = pz_slice_of(known[i]);

        for (size_t at = 0; at + name.len <= challenge.len; at++) {
            size_t end = at + name.len;

            if ((at > 0 && !strchr(", \t", challenge.data[at - 1])) ||
                (end < challenge.len && !strchr(", \t", challenge.data[end])) ||
                !pz_slice_ieq(pz_slice_sub(challenge, at, end), name))
                continue;
            if (out[0])
                strncat(out, ", ", size - strlen(out) - 1);
            strncat(out, known[i], size - strlen(out) - 1);
            has_basic = has_basic || i == 0;
            break;
        }
    }
    return has_basic;
}

void pz_proxy_refusal(char *out, size_t size, struct pz_slice challenge,
                      int given)
{
    char names[80];
    int has_basic = list_schemes(names, sizeof names, challenge);
    const char *parts[3];

    parts[0] = given ? "the proxy does not take the user and password that "
                       "its URL has"
                     : "the proxy wants a password";
    parts[1] = names[0] ? "; it asks for " : "";
    parts[2] = names;
    out[0] = '\0';
    for (size_t i = 0; i < PZ_COUNT(parts); i++)
        strncat(out, parts[i], size - strlen(out) - 1);
    if (names[0] && !has_basic)
        strncat(out, ", and only Basic can be given",
                size - strlen(out) - 1);
    else if (!given)
        strncat(out, "; give user and password in its URL",
                size - strlen(out) - 1);
}
