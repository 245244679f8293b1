/* Shared config files: whatever stands in one is read or refused, within its
   bounds, and each step is of something that is there. */
#include "fuzz.h"

#include "../../src/core/pz_ini.h"

/* No value out of the reader that has sub-properties is refused. */
static void read_subs(struct pz_slice value)
{
    struct pz_slice name, text;
    int found = 1;

    if (value.len == 0 || value.data[0] != '\n')
        return;
    while (found) {
        size_t before = value.len;

        PROMISE(pz_ini_sub(&value, &found, &name, &text) == PZ_OK);
        PROMISE(!found || (name.len > 0 && value.len < before));
    }
}

static void read_file(struct pz_slice text, enum pz_ini_file file)
{
    struct pz_buf room = PZ_BUF_INIT(0);
    enum pz_ini_event event = PZ_INI_SECTION_EVENT;
    enum pz_status status = PZ_OK;
    unsigned long line = 0;
    struct pz_ini ini;

    pz_ini_start(&ini, text, file);
    while (status == PZ_OK && event != PZ_INI_END) {
        status = pz_ini_next(&ini, &event, &room);
        if (status != PZ_OK || event == PZ_INI_END)
            continue;
        PROMISE(ini.line > line);
        line = ini.line;
        if (event == PZ_INI_PROPERTY_EVENT) {
            PROMISE(ini.section != PZ_INI_IGNORED && ini.key.len > 0);
            read_subs(ini.value);
        }
    }
    PROMISE(status == PZ_OK || (ini.error && ini.line > 0));
    pz_buf_free(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_slice text;

    if (size > 1 << 16)
        return 0;
    text = fuzz_slice(0, data, size);
    read_file(text, PZ_INI_CONFIG);
    read_file(text, PZ_INI_CREDENTIALS);
    return 0;
}
