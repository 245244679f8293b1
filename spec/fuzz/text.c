/* UTF-8 against a decoder that goes by the numbers; names; digits. */
#include "fuzz.h"

#include "../../src/core/pz_text.h"

/* Offset of the first byte that is no UTF-8, or 'len'; counts characters. */
static size_t decode(const uint8_t *p, size_t len, size_t *count)
{
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    size_t at = 0;

    for (*count = 0; at < len; ++*count) {
        uint32_t c = p[at];
        size_t more = c < 0x80 ? 0 : c < 0xC0 ? 9 : c < 0xE0 ? 1
            : c < 0xF0 ? 2 : c < 0xF8 ? 3 : 9;

        if (more == 9 || more >= len - at)
            return at;
        c &= more == 0 ? 0x7F : 0x3Fu >> more;
        for (size_t i = 1; i <= more; i++) {
            if ((p[at + i] & 0xC0) != 0x80)
                return at;
            c = c << 6 | (p[at + i] & 0x3F);
        }
        if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
            return at;
        at += more + 1;
    }
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "jobName", "datasetGroupArn",
                                         "dataSource", "roleArn", "tags",
                                         NULL };
    struct pz_slice text = fuzz_slice(0, data, size);
    size_t count, expected, at = decode(data, size, &expected);
    int whole = pz_utf8_count(text, &count);
    unsigned long number;

    PROMISE(whole == (at == size));
    PROMISE(count == (whole ? expected : at));
    if (pz_is_host_label(text))
        PROMISE(pz_is_visible(text) && size >= 1 && size <= 63);
    if (pz_decimal(text, &number))
        PROMISE(number <= 999999999 && fuzz_is_text(text, '0', '9'));
    for (size_t i = 0; names[i]; i++)
        if (pz_slice_eq(text, pz_slice_of(names[i])))
            PROMISE(pz_nearest(text, names) == names[i]);
    (void)pz_nearest(text, names);
    return 0;
}
