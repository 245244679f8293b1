/* The scanner, what it picks, and strings written and read back. */
#include "fuzz.h"

#include "../../src/core/pz_json.h"
#include "../../src/core/pz_text.h"

/* A text written is a scalar, and read back it is the same. */
static void round_trip(struct pz_slice text)
{
    struct pz_buf json = PZ_BUF_INIT(0), back = PZ_BUF_INIT(0);
    enum pz_json_kind kind;

    PROMISE(pz_json_string(&json, text) == PZ_OK);
    PROMISE(pz_json_scan(guard(1, pz_buf_slice(&json)), &kind, NULL, 0) ==
            PZ_OK);
    PROMISE(kind == PZ_JSON_SCALAR);
    PROMISE(pz_json_unescape(&back, pz_slice_sub(pz_buf_slice(&json), 1,
                                                 json.len - 1)) == PZ_OK);
    PROMISE(pz_slice_eq(pz_buf_slice(&back), text));
    pz_buf_free(&json);
    pz_buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_slice text = fuzz_slice(0, data, size);
    struct pz_json_member members[] = {
        { "code", 0, { NULL, 0 } }, { "__type", 0, { NULL, 0 } },
        { "message", 0, { NULL, 0 } }
    };
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_json_kind kind;
    enum pz_status status;
    size_t count;

    if (size > 1 << 16)
        return 0;
    status = pz_json_scan(text, &kind, members, PZ_COUNT(members));
    PROMISE(status == PZ_OK || status == PZ_EINVAL);
    if (status == PZ_OK)
        PROMISE(pz_utf8_count(text, &count));
    for (size_t i = 0; i < PZ_COUNT(members); i++) {
        struct pz_slice raw = members[i].raw;

        if (!members[i].found)
            continue;
        PROMISE(status == PZ_OK && kind == PZ_JSON_OBJECT);
        if (raw.len > 0) {
            PROMISE(raw.data > text.data &&
                    raw.data + raw.len < text.data + text.len);
            PROMISE(raw.data[-1] == '"' && raw.data[raw.len] == '"');
        }
        pz_buf_clear(&out);
        PROMISE(pz_json_unescape(&out, raw) == PZ_OK);
        PROMISE(pz_utf8_count(pz_buf_slice(&out), &count));
        round_trip(pz_buf_slice(&out));
    }
    pz_buf_clear(&out);
    (void)!pz_json_unescape(&out, text);
    pz_buf_free(&out);
    if (pz_utf8_count(text, &count))
        round_trip(text);
    return 0;
}
