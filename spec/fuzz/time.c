/* Dates read, and written as stamps. */
#include "fuzz.h"

#include "../../src/core/pz_time.h"

static void check_epoch(double epoch, struct pz_slice text)
{
    char stamp[PZ_STAMP_LEN + 1];
    enum pz_status status = pz_time_stamp(stamp, epoch);

    /* The year 0 a day early to the year 9999 a day late, by offsets. */
    PROMISE(epoch >= -62167219200.0 - 86400 && epoch <= 253402300800.0 + 86400);
    PROMISE(status == PZ_OK || epoch < 0 || epoch > 253402300799.0);
    if (status == PZ_OK) {
        PROMISE(stamp[8] == 'T' && stamp[15] == 'Z' && stamp[16] == '\0');
        PROMISE(fuzz_is_text((struct pz_slice){ stamp, 8 }, '0', '9'));
        PROMISE(fuzz_is_text((struct pz_slice){ stamp + 9, 6 }, '0', '9'));
    }
    PROMISE(fuzz_is_text(text, ' ', 'z'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_slice text = fuzz_slice(0, data, size);
    double epoch;

    if (pz_time_parse_iso8601(&epoch, text) == PZ_OK)
        check_epoch(epoch, text);
    if (pz_time_parse_http(&epoch, text) == PZ_OK)
        check_epoch(epoch, text);
    if (size >= sizeof epoch) {
        char stamp[PZ_STAMP_LEN + 1];

        /* Any number at all. */
        memcpy(&epoch, data, sizeof epoch);
        if (pz_time_stamp(stamp, epoch) == PZ_OK)
            PROMISE(epoch >= 0 && epoch <= 253402300799.0);
    }
    return 0;
}
