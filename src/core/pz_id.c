#include "pz_id.h"

#include <string.h>

#include "pz_show.h"
#include "pz_text.h"

const char *pz_csv_code_name(enum pz_csv_code code)
{
    static const char *const names[PZ_CSV_CODES] = {
        "header", "column", "blank", "empty", "length", "nul", "utf8",
        "quote", "columns", "type", "line_end", "bom", "range"
    };

    return names[code];
}

static int is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* What an id cannot begin or end with, so that it must be a rest of how the
   list was written. */
static const char *fault_at_end(enum pz_csv_code *code, size_t *at,
                                struct pz_slice id)
{
    struct pz_slice mark = PZ_LIT(PZ_BYTE_ORDER_MARK);

    if (is_line_end(id.data[0]) || is_line_end(id.data[id.len - 1])) {
        *code = PZ_CSV_LINE_END;
        *at = is_line_end(id.data[0]) ? 0 : id.len - 1;
        return "the id begins or ends with a line end (CR or LF)";
    }
    *code = PZ_CSV_BOM;
    if (pz_slice_starts(id, mark))
        return "the id begins with a byte order mark";
    if (id.len >= mark.len && pz_slice_eq(pz_slice_sub(id, id.len - mark.len,
                                                       id.len), mark)) {
        *at = id.len - mark.len;
        return "the id ends with a byte order mark";
    }
    return NULL;
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
    if (count > PZ_ID_CHARACTERS)
        return PZ_ID_TOO_LONG;
    return fault_at_end(code, at, id);
}

/* -- Oddities ------------------------------------------------------------ */

const char *pz_oddity_name(enum pz_oddity oddity)
{
    static const char *const names[PZ_ODDITIES] = {
        "white_space", "control_at_end", "control_inside", "invisible",
        "blank", "quotes", "header", "repeats"
    };

    return names[oddity];
}

/* What Unicode calls white space, and a blank that it does not. */
static int is_space(long c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x2800 ||
           c == 0x3000;
}

/* C0, DEL and C1, and what ends a line or a paragraph in Unicode. */
static int is_control(long c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

/* Nothing but visible ASCII and, inside, blanks; as most ids are. */
static int is_plain_ascii(struct pz_slice id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.data[i] < ' ' || id.data[i] > '~')
            return 0;
    return id.len > 0 && id.data[0] != ' ' && id.data[id.len - 1] != ' ';
}

unsigned pz_id_oddities(struct pz_slice id)
{
    unsigned found = 0;
    int is_visible = 0, is_first = 1;

    if (id.len > 1 && id.data[0] == '"' && id.data[id.len - 1] == '"')
        found |= 1U << PZ_ODD_QUOTES;
    if (is_plain_ascii(id))
        return found;
    while (id.len > 0) {
        struct pz_slice taken;
        long c = pz_utf8_take(&id, &taken);
        int at_end = is_first || id.len == 0;

        is_first = 0;
        if (at_end && is_space(c))
            found |= 1U << PZ_ODD_SPACE;
        else if (is_control(c))
            found |= 1U << (at_end ? PZ_ODD_CONTROL_END : PZ_ODD_CONTROL);
        else if (!is_space(c) && pz_is_hidden(c))
            found |= 1U << PZ_ODD_INVISIBLE;
        else
            is_visible |= !is_space(c);
    }
    return is_visible ? found : 1U << PZ_ODD_BLANK;
}

/* Most letters lie where nothing is odd. */
static int is_odd(long c)
{
    return !(c > 0xAD && c < 0x34F) && !(c > 0x3164 && c < 0xD800) &&
           (is_space(c) || pz_is_hidden(c));
}

int pz_id_is_plain(struct pz_slice line)
{
    while (line.len > 0) {
        struct pz_slice taken;
        unsigned long long word;
        long c;

        if (line.len >= sizeof word) {
            memcpy(&word, line.data, sizeof word);
            if ((word & 0x8080808080808080ULL) == 0) {
                line = pz_slice_sub(line, sizeof word, line.len);
                continue;
            }
        }
        if ((unsigned char)line.data[0] < 0x80) {
            line = pz_slice_sub(line, 1, line.len);
            continue;
        }
        c = pz_utf8_take(&line, &taken);
        if (c < 0 || is_odd(c))
            return 0;
    }
    return 1;
}

/* Where the last character begins; bytes that are no UTF-8 are one each. */
static size_t last_at(struct pz_slice s)
{
    size_t at = s.len - 1;

    while (at > 0 && s.len - at < 4 && ((unsigned char)s.data[at] & 0xC0) ==
                                           0x80)
        at--;
    return at;
}

struct pz_slice pz_id_strip(struct pz_slice id)
{
    struct pz_slice taken;

    while (id.len > 0) {
        struct pz_slice rest = id;
        long c = pz_utf8_take(&rest, &taken);

        if (c < 0 || !is_odd(c))
            break;
        id = rest;
    }
    while (id.len > 0) {
        struct pz_slice last = pz_slice_sub(id, last_at(id), id.len);
        size_t len = last.len;
        long c = pz_utf8_take(&last, &taken);

        if (c < 0 || last.len > 0 || !is_odd(c))
            break;
        id.len -= len;
    }
    return id;
}

/* Without white space at its ends, or the quotes around the rest. */
static struct pz_slice strip(struct pz_slice s)
{
    s = pz_slice_trim(s);
    if (s.len > 1 && s.data[0] == '"' && s.data[s.len - 1] == '"')
        s = pz_slice_sub(s, 1, s.len - 1);
    return s;
}

int pz_id_is_header(struct pz_slice id, struct pz_slice name)
{
    return pz_slice_ieq(strip(id), name);
}

int pz_id_has_header(struct pz_slice id, struct pz_slice name)
{
    size_t from = 0;

    for (size_t at = 0; at <= id.len; at++) {
        if (at < id.len && strchr(",;|\t", id.data[at]) == NULL)
            continue;
        if (pz_id_is_header(pz_slice_sub(id, from, at), name))
            return 1;
        from = at + 1;
    }
    return 0;
}

/* -- Writing ------------------------------------------------------------- */

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
