/*
 * Proxies: a URL that is taken has a host, a port and a known scheme; an
 * exception holds whatever the letters' case; a refusal shows nothing of what
 * the proxy sent. The lines are the URL, the list of exceptions and the host;
 * the rest is what the proxy asks for.
 */
#include "fuzz.h"

#include "../../src/core/pz_address.h"
#include "../../src/core/pz_proxy.h"

static void check_url(struct pz_slice text)
{
    struct pz_proxy proxy;

    if (pz_proxy_parse(&proxy, text) != PZ_OK)
        return;
    if (proxy.kind == PZ_PROXY_NONE) {
        PROMISE(proxy.host.len == 0);
        return;
    }
    PROMISE(proxy.host.len > 0 && proxy.scheme.len > 0);
    PROMISE(proxy.port > 0 && proxy.port < 65536);
    PROMISE(fuzz_is_text(proxy.host, '-', 'z'));
}

static void check_exceptions(struct pz_slice list, struct pz_slice host)
{
    struct pz_proxy_variables variables;
    struct pz_proxy_target target = { 1, host, 443 };
    struct pz_address address;
    char upper[300];
    int is_excepted = pz_proxy_is_excepted(&target, list);

    memset(&variables, 0, sizeof variables);
    variables.HTTPS_PROXY = PZ_LIT("http://p:1");
    variables.no_proxy = list;
    if (list.data)
        PROMISE((pz_proxy_choose(&target, &variables).len == 0) ==
                is_excepted);
    if (pz_address_parse(&address, host))
        PROMISE(pz_address_shares(&address, &address, address.bits));
    if (host.len > sizeof upper)
        return;
    for (size_t i = 0; i < host.len; i++)
        upper[i] = (char)(host.data[i] >= 'a' && host.data[i] <= 'z'
                          ? host.data[i] - 32 : host.data[i]);
    target.host.data = upper;
    PROMISE(pz_proxy_is_excepted(&target, list) == is_excepted);
}

static void check_refusal(struct pz_slice challenge)
{
    char text[200];

    for (int given = 0; given < 2; given++) {
        pz_proxy_refusal(text, sizeof text, challenge, given);
        PROMISE(strncmp(text, "the proxy ", 10) == 0);
        PROMISE(fuzz_is_text(pz_slice_of(text), ' ', '~'));
        pz_proxy_refusal(text, 20, challenge, given);
        PROMISE(strlen(text) == 19);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_slice list, host;

    check_url(fuzz_part(&data, &size));
    list = fuzz_part(&data, &size);
    host = fuzz_part(&data, &size);
    check_exceptions(list, host);
    check_refusal(fuzz_slice(0, data, size));
    return 0;
}
