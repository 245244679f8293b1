/* Text from outside as it is shown, and JSON as it is read again. */
#include "fuzz.h"

#include "../../src/core/pz_json.h"
#include "../../src/core/pz_show.h"
#include "../../src/core/pz_text.h"

enum { MOST = 40 };

/* Nothing that a terminal obeys or a reader does not see; answers the number
   of spaces that stand at an end or beside another one. */
static size_t check_shown(struct pz_slice text)
{
    size_t odd = 0;
    long before = ' ';

    while (text.len > 0) {
        struct pz_slice bytes;
        long point = pz_utf8_take(&text, &bytes);

        PROMISE(point >= ' ' && !pz_is_hidden(point));
        odd += point == ' ' && (before == ' ' || text.len == 0);
        before = point;
    }
    return odd;
}

static int is_escaped(struct pz_slice text)
{
    return pz_slice_find(text, '\\', 0) < text.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_slice text = fuzz_slice(0, data, size);
    struct pz_buf out = PZ_BUF_INIT(0), again = PZ_BUF_INIT(0);
    enum pz_json_kind kind;
    size_t count;

    if (size > 1 << 16)
        return 0;
    PROMISE(pz_show_value(&out, text) == PZ_OK);
    check_shown(pz_buf_slice(&out));
    if (!is_escaped(pz_buf_slice(&out)))
        PROMISE(pz_slice_eq(pz_buf_slice(&out), text));

    pz_buf_clear(&out);
    PROMISE(pz_show_prose(&out, text, MOST) == PZ_OK);
    PROMISE(out.len <= MOST);
    PROMISE(check_shown(pz_buf_slice(&out)) == 0);

    pz_buf_clear(&out);
    PROMISE(pz_show_json(&out, text) == PZ_OK);
    check_shown(pz_buf_slice(&out));
    PROMISE(pz_json_scan(pz_buf_slice(&out), &kind, NULL, 0) == PZ_OK);
    PROMISE(kind == PZ_JSON_SCALAR);
    PROMISE(pz_json_unescape(&again, pz_slice_sub(pz_buf_slice(&out), 1,
                                                  out.len - 1)) == PZ_OK);
    if (pz_utf8_count(text, &count))
        PROMISE(pz_slice_eq(pz_buf_slice(&again), text));
    pz_buf_free(&out);
    pz_buf_free(&again);
    return 0;
}
