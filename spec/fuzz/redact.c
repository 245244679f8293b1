/* A text with a secret in it, spelled in some way; and any text at all. */
#include "fuzz.h"

#include "../../src/core/pz_redact.h"
#include "../../src/core/pz_text.h"

/* Writes the secret as one of its spellings, chosen by 'how'. */
static enum pz_status
spell(struct pz_buf *out, struct pz_slice secret, uint8_t how)
{
    enum pz_status status = PZ_OK;
    char digits[2];

    for (size_t i = 0; status == PZ_OK && i < secret.len; i++) {
        unsigned char c = (unsigned char)secret.data[i];
        struct pz_slice parts[] = { PZ_LIT(""), { digits, 2 }, PZ_LIT("") };

        pz_hex(digits, &c, 1);
        switch ((how + i * (how >> 4)) % 6) {
        case 0: parts[0] = PZ_LIT("%"); break;
        case 1: parts[0] = PZ_LIT("&#x"); parts[2] = PZ_LIT(";"); break;
        case 2: parts[0] = PZ_LIT("\\u00"); break;
        case 3: parts[0] = PZ_LIT("\\x"); break;
        case 4: parts[2] = PZ_LIT("\r\n"); /* fall through */
        default:
            parts[0] = pz_slice_sub(secret, i, i + 1);
            parts[1].len = 0;
        }
        status = pz_buf_addv(out, parts, PZ_COUNT(parts));
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char token[] = "IQoJb3Jp/ZluX2+VjEH4aCXVzLWVhc3QtMSJ";
    struct pz_secret secrets[2] = { { PZ_LIT("IQoJb3Jp/ZluX2+VjEH4aCXVzLWVhc3"
                                             "QtMSJ"), 0 },
                                    { { NULL, 0 }, 1 } };
    struct pz_buf text = PZ_BUF_INIT(0), out = PZ_BUF_INIT(0);
    uint8_t how;

    if (size < 1 || size > 4096)
        return 0;
    how = *data++;
    size--;
    secrets[1].text = fuzz_part(&data, &size);

    /* Whatever stands around it: of the plain token no 12 bytes stay, of
       which at least 8 are no signs. */
    PROMISE(pz_buf_add(&text, data, size) == PZ_OK);
    PROMISE(pz_buf_adds(&text, PZ_LIT(" ")) == PZ_OK);
    PROMISE(spell(&text, secrets[0].text, how) == PZ_OK);
    PROMISE(pz_redact(&out, guard(0, pz_buf_slice(&text)), secrets, 2,
                      how & 1) == PZ_OK);
    for (size_t at = 0; at + 12 <= out.len; at++)
        for (size_t i = 0; i + 12 <= sizeof token - 1; i++)
            PROMISE(memcmp(out.data + at, token + i, 12) != 0);
    PROMISE(out.len >= 10);

    /* Without secrets only signatures go. */
    pz_buf_clear(&out);
    PROMISE(pz_redact(&out, pz_buf_slice(&text), NULL, 0, 0) == PZ_OK);
    if (out.len > 0 && pz_slice_find(pz_buf_slice(&out), '[', 0) == out.len)
        PROMISE(pz_slice_eq(pz_buf_slice(&out), pz_buf_slice(&text)));
    pz_buf_free(&text);
    pz_buf_free(&out);
    return 0;
}
