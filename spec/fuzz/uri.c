/* Endpoints, percent-encoding, paths. */
#include "fuzz.h"

#include "../../src/core/pz_text.h"
#include "../../src/core/pz_uri.h"

static void check_endpoint(struct pz_slice text)
{
    struct pz_buf host = PZ_BUF_INIT(0), again = PZ_BUF_INIT(0);
    struct pz_uri uri, second;

    if (pz_uri_parse(&uri, text) != PZ_OK)
        return;
    /* Nothing in it could end a header line or begin something else. */
    PROMISE(pz_is_visible(text));
    PROMISE(pz_slice_find(text, '@', 0) == text.len ||
            pz_slice_find(text, '@', 0) > text.len - uri.path.len);
    PROMISE(pz_slice_find(text, '?', 0) == text.len);
    PROMISE(pz_slice_find(text, '#', 0) == text.len);
    PROMISE(pz_slice_find(uri.host, '/', 0) == uri.host.len);
    PROMISE(uri.path.len == 0 || uri.path.data[0] == '/');
    PROMISE(pz_uri_host(&host, &uri) == PZ_OK);
    PROMISE(host.len > 0 && host.len <= uri.host.len + 6);
    /* The Host header is a host again. */
    PROMISE(pz_buf_adds(&again, uri.scheme) == PZ_OK);
    PROMISE(pz_buf_add(&again, "://", 3) == PZ_OK);
    PROMISE(pz_buf_adds(&again, pz_buf_slice(&host)) == PZ_OK);
    PROMISE(pz_uri_parse(&second, pz_buf_slice(&again)) == PZ_OK);
    PROMISE(pz_slice_ieq(second.host, uri.host));
    pz_buf_free(&host);
    pz_buf_free(&again);
}

static void check_encoding(struct pz_slice text)
{
    struct pz_buf once = PZ_BUF_INIT(0), back = PZ_BUF_INIT(0);

    PROMISE(pz_uri_encode(&once, text, 0) == PZ_OK);
    PROMISE(pz_is_visible(pz_buf_slice(&once)));
    PROMISE(pz_uri_decode(&back, pz_buf_slice(&once)) == PZ_OK);
    PROMISE(pz_slice_eq(pz_buf_slice(&back), text));
    pz_buf_clear(&back);
    PROMISE(pz_uri_decode(&back, text) == PZ_OK);
    PROMISE(back.len <= text.len);
    pz_buf_free(&once);
    pz_buf_free(&back);
}

static void check_path(struct pz_slice text)
{
    struct pz_buf once = PZ_BUF_INIT(0), twice = PZ_BUF_INIT(0);
    struct pz_slice path;

    PROMISE(pz_uri_normalize(&once, text) == PZ_OK);
    path = pz_buf_slice(&once);
    PROMISE(path.len >= 1 && path.data[0] == '/');
    PROMISE(path.len <= text.len + 1);
    for (size_t at = 0; at < path.len;) {
        size_t end = pz_slice_find(path, '/', at + 1);
        struct pz_slice segment = pz_slice_sub(path, at + 1, end);

        PROMISE(segment.len > 0 || end == path.len);
        PROMISE(!pz_slice_eq(segment, PZ_LIT(".")));
        PROMISE(!pz_slice_eq(segment, PZ_LIT("..")));
        at = end;
    }
    PROMISE(pz_uri_normalize(&twice, path) == PZ_OK);
    PROMISE(pz_slice_eq(pz_buf_slice(&twice), path));
    pz_buf_free(&once);
    pz_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_slice text = fuzz_slice(0, data, size);

    if (size > 1 << 14)
        return 0;
    check_endpoint(text);
    check_encoding(text);
    check_path(text);
    return 0;
}
