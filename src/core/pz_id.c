#include "pz_id.h"

#include <string.h>

#include "pz_text.h"

const char *pz_csv_code_name(enum pz_csv_code code)
{
    static const char *const names[PZ_CSV_CODES] = {
        "header", "column", "blank", "empty", "length", "nul", "utf8",
        "quote", "columns", "type"
    };

    return names[code];
}

const char *pz_id_fault(enum pz_csv_code *code, size_t *at,
                        struct pz_slice id)
{
    size_t count;

    *at = 0;
    *code = PZ_CSV_EMPTY;
    if (id.len == 0)
        return "the id is empty";
    *code = PZ_CSV_LENGTH;
    if (id.len > PZ_ID_BYTES)
        return PZ_ID_TOO_LONG;
    *code = PZ_CSV_NUL;
    *at = pz_slice_find(id, '\0', 0);
    if (*at < id.len)
        return "the id has a zero byte";
    *code = PZ_CSV_UTF8;
    if (!pz_utf8_count(id, &count)) {
        *at = count;
        return "the id is not UTF-8";
    }
    *code = PZ_CSV_LENGTH;
    *at = 0;
    return count > PZ_ID_CHARACTERS ? PZ_ID_TOO_LONG : NULL;
}

size_t pz_id_write(char out[PZ_ID_WRITTEN], struct pz_slice id)
{
    int quoted = pz_slice_find(id, ',', 0) < id.len ||
                 pz_slice_find(id, '"', 0) < id.len ||
                 pz_slice_find(id, '\r', 0) < id.len ||
                 pz_slice_find(id, '\n', 0) < id.len;
    size_t len = 0;

    if (!quoted) {
        memcpy(out, id.data, id.len);
        len = id.len;
    } else {
        out[len++] = '"';
        for (size_t i = 0; i < id.len; i++) {
            if (id.data[i] == '"')
                out[len++] = '"';
            out[len++] = id.data[i];
        }
        out[len++] = '"';
    }
    out[len++] = '\n';
    return len;
}
