/*
 * Answers: however one is cut into pieces, the outcome is the same; within
 * its bounds, and with what was read where it should be. The first line is
 * the method, the rest is what the peer sends before it closes.
 */
#include "fuzz.h"

#include "../../src/core/pz_head.h"
#include "../../src/core/pz_http1.h"

/* In pieces whose lengths follow from 'seed'; 0 is all at once. */
static enum pz_status read_in(struct pz_http1 *r, struct pz_slice method,
                              struct pz_slice text, unsigned seed)
{
    enum pz_status status = PZ_OK;
    size_t at = 0;

    pz_http1_init(r, method);
    while (at < text.len && status == PZ_OK) {
        size_t step = text.len;

        if (seed > 0) {
            seed = seed * 1103515245u + 12345u;
            step = 1 + (seed >> 16) % 9;
        }
        status = pz_http1_feed(r, guard(1, pz_slice_sub(text, at, at + step)));
        at += step;
        PROMISE(status == PZ_OK || r->part == PZ_HTTP1_FAILED);
        PROMISE(r->bytes.cap <= 2 * text.len + (128 << 10));
        PROMISE(r->bytes.len <= text.len);
    }
    if (status == PZ_OK)
        status = pz_http1_finish(r, 0);
    return status;
}

static void check_done(const struct pz_http1 *r, struct pz_slice text)
{
    struct pz_slice head = pz_http1_head(r), name, value;
    struct pz_slice end = pz_slice_sub(head, head.len - 4, head.len);

    PROMISE(r->part == PZ_HTTP1_DONE && r->message == NULL);
    PROMISE(r->status >= 200 && r->status <= 999);
    PROMISE(pz_slice_starts(head, PZ_LIT("HTTP/1.")));
    PROMISE(pz_slice_eq(end, PZ_LIT("\r\n\r\n")));
    while (pz_head_next(&head, &name, &value))
        for (size_t i = 0; i < value.len; i++)
            PROMISE((unsigned char)value.data[i] >= ' ' ||
                    value.data[i] == '\t');
    PROMISE(pz_http1_body(r).len + pz_http1_head(r).len <= text.len);
}

static void check_failed(const struct pz_http1 *r, enum pz_status status)
{
    PROMISE(r->part == PZ_HTTP1_FAILED && r->message != NULL);
    PROMISE(r->fault != PZ_HTTP1_SOUND && r->bytes.data == NULL);
    PROMISE((r->fault == PZ_HTTP1_LARGE) == (status == PZ_ETOOBIG));
    PROMISE(!pz_http1_is_reusable(r));
}

static void check_same(const struct pz_http1 *a, const struct pz_http1 *b)
{
    PROMISE(a->part == b->part && a->fault == b->fault);
    PROMISE(a->message == b->message && a->status == b->status);
    PROMISE(pz_http1_is_reusable(a) == pz_http1_is_reusable(b));
    PROMISE(pz_slice_eq(pz_http1_head(a), pz_http1_head(b)));
    PROMISE(pz_slice_eq(pz_http1_body(a), pz_http1_body(b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_http1 whole, pieces;
    struct pz_slice method, text;
    enum pz_status status;

    if (size > 1 << 17)
        return 0;
    method = fuzz_part(&data, &size);
    text = fuzz_slice(0, data, size);
    status = read_in(&whole, method, text, 0);
    if (status == PZ_OK)
        check_done(&whole, text);
    else
        check_failed(&whole, status);
    for (unsigned seed = 1; seed < 4; seed++) {
        PROMISE(read_in(&pieces, method, text, seed) == status);
        check_same(&whole, &pieces);
        pz_http1_free(&pieces);
    }
    pz_http1_free(&whole);
    return 0;
}
