#include "pz_columns.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { BLOCK = 64, NAME_SHOWN = 40 };

/* What the next byte is. */
enum {
    PLAIN,  /* one of a field without quotes, or the field's first */
    QUOTED, /* one in quotes */
    QUOTE,  /* one after a quote in quotes: a second one, or past the end */
    RETURN  /* one after a CR: the LF */
};

void pz_columns_start(struct pz_columns *columns,
                      const struct pz_columns_options *options)
{
    struct pz_slice usual = PZ_LIT("USER_ID");

    memset(columns, 0, offsetof(struct pz_columns, room));
    columns->options = *options;
    if (options->name.len == 0)
        columns->options.name = usual;
    if (options->delimiter == '\0')
        columns->options.delimiter = ',';
    columns->line = columns->field_line = 1;
    columns->is_in_header = columns->is_taken = 1;
}

static void fail_at(struct pz_columns *columns, unsigned long long line,
                    enum pz_csv_code code, const char *message)
{
    if (columns->is_over)
        return;
    columns->is_over = 1;
    columns->fault.code = code;
    columns->fault.message = message;
    columns->fault.line = line;
}

static void fail(struct pz_columns *columns, enum pz_csv_code code,
                 const char *message)
{
    fail_at(columns, columns->line, code, message);
}

/* -- The header ---------------------------------------------------------- */

/* Has it the letters of 'name', which has none but upper-case ones? Case,
   hyphens, spaces and '_' aside. */
static int is_called(struct pz_slice text, const char *name)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '_' || c == '-' || c == ' ')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (*name == '\0' || c != *name++)
            return 0;
    }
    return *name == '\0';
}

/* Is it a name that no id has? */
static int is_known(struct pz_slice name)
{
    static const char *const names[] = {
        "USERID", "ITEMID", "ACTIONID", "CUSTOMERID", "TIMESTAMP",
        "CREATIONTIMESTAMP", "EVENTTYPE", "EVENTVALUE", "RECOMMENDATIONID"
    };

    for (size_t i = 0; i < PZ_COUNT(names); i++)
        if (is_called(name, names[i]))
            return 1;
    return 0;
}

static void add_name(struct pz_columns *columns, struct pz_slice text)
{
    struct pz_slice comma = PZ_LIT(", "), more = PZ_LIT("...");
    char *to = columns->names + columns->names_len;

    if (columns->has_more_names)
        return;
    if (columns->names_len == 0)
        comma.len = 0;
    text = pz_slice_sub(text, 0, NAME_SHOWN);
    columns->has_more_names = columns->names_len + 2 * comma.len + text.len +
                              more.len > sizeof columns->names;
    if (columns->has_more_names)
        text = more;
    memcpy(to, comma.data, comma.len);
    memcpy(to + comma.len, text.data, text.len);
    columns->names_len += comma.len + text.len;
}

static void end_header_field(struct pz_columns *columns, struct pz_slice text)
{
    struct pz_slice name = columns->options.name, got = pz_id_strip(text);

    if (columns->is_cut)
        return;
    if (pz_slice_ieq(got, name)) {
        if (columns->taken == PZ_COLUMNS_TAKEN)
            fail(columns, PZ_CSV_BAD_HEADER,
                 "more than 64 columns have the same name");
        else
            columns->numbers[columns->taken++] = columns->field;
        return;
    }
    for (const char *c = ",;|\t"; *c && columns->other == '\0'; c++)
        if (*c != columns->options.delimiter &&
            pz_slice_find(got, *c, 0) < got.len &&
            pz_id_has_header(got, name))
            columns->other = *c;
    columns->is_header |= is_known(got);
    add_name(columns, got);
}

static void end_header(struct pz_columns *columns, int is_blank)
{
    columns->columns = columns->field + 1;
    columns->is_in_header = 0;
    columns->numbers[columns->taken] = (unsigned long long)-1;
    if (is_blank)
        fail(columns, PZ_CSV_BAD_HEADER, "it begins with a blank line: the "
             "first line must be the header");
    else if (columns->taken == 0)
        fail(columns, PZ_CSV_BAD_COLUMN, "the header does not have it");
}

/* -- Fields -------------------------------------------------------------- */

/* To the room, as far as there is any. */
static void keep(struct pz_columns *columns, const char *p, size_t len)
{
    size_t left = sizeof columns->room - columns->room_len;

    columns->is_cut |= len > left;
    if (len > left)
        len = left;
    memcpy(columns->room + columns->room_len, p, len);
    columns->room_len += len;
}

/* Takes the '\\' before quotes and other '\\' away, in the room. */
static struct pz_slice unescape(struct pz_columns *columns,
                                struct pz_slice text)
{
    size_t len = 0;

    if (text.len > sizeof columns->room || columns->is_cut)
        return text;
    for (size_t i = 0; i < text.len; i++) {
        int is_escape = text.data[i] == '\\' && i + 1 < text.len &&
            (text.data[i + 1] == '"' || text.data[i + 1] == '\\');

        i += (size_t)is_escape;
        columns->room[len++] = text.data[i];
    }
    text.data = columns->room;
    text.len = len;
    return text;
}

static void fail_escape(struct pz_columns *columns, unsigned long long line)
{
    fail_at(columns, line, PZ_CSV_QUOTE, "in quotes a backslash before a "
            "quote or another one, which can be read in two ways: the option "
            "'export_escape' tells in which");
}

/* Is there a '\\' before another one? What is too long for an id is none of
   them either way. */
static int has_escape(struct pz_slice text)
{
    size_t at = text.len < PZ_COLUMNS_ROOM ? pz_slice_find(text, '\\', 0)
                                           : text.len;

    while (at + 1 < text.len && text.data[at + 1] != '\\')
        at = pz_slice_find(text, '\\', at + 1);
    return at + 1 < text.len;
}

static void end_field(struct pz_columns *columns, const char *data, size_t stop)
{
    struct pz_slice text = { data + columns->from, stop - columns->from };

    if (columns->room_len > 0) {
        keep(columns, text.data, text.len);
        text.data = columns->room;
        text.len = columns->room_len;
    }
    if (columns->was_quoted && columns->options.escape == '\\')
        text = unescape(columns, text);
    if (columns->is_in_header)
        end_header_field(columns, text);
    else if (columns->was_quoted && columns->options.escape == '\0' &&
             has_escape(text))
        fail_escape(columns, columns->field_line);
    else if (!columns->options.take(columns->options.take_arg,
                                    columns->next++, text,
                                    columns->field_line))
        fail_at(columns, columns->field_line, PZ_CSV_UTF8,
                "the field is not UTF-8");
}

static inline void start_field(struct pz_columns *columns, size_t from)
{
    columns->state = PLAIN;
    columns->from = from;
    columns->was_quoted = columns->is_begun = 0;
    columns->is_taken = columns->is_in_header ||
        columns->field == columns->numbers[columns->next];
    if (columns->is_taken) {
        columns->field_line = columns->line;
        columns->room_len = 0;
        columns->is_cut = 0;
    }
}

/* 'next' is the first byte of what follows. */
static inline void
end_column(struct pz_columns *columns, const char *data, size_t stop,
           size_t next)
{
    if (columns->is_taken)
        end_field(columns, data, stop);
    columns->field++;
    start_field(columns, next);
}

static void fail_row(struct pz_columns *columns)
{
    if (!columns->is_over)
        columns->fault.fields = columns->field + 1;
    fail(columns, PZ_CSV_COLUMNS, columns->field + 1 < columns->columns
         ? "the line has fewer fields than the header"
         : "the line has more fields than the header");
}

static inline void
end_row(struct pz_columns *columns, const char *data, size_t stop, size_t next)
{
    int is_blank = columns->field == 0 && !columns->was_quoted &&
                   !columns->is_begun && stop == columns->from;

    if (columns->is_taken)
        end_field(columns, data, stop);
    if (columns->is_in_header) {
        end_header(columns, is_blank);
    } else if (!is_blank) {
        columns->rows++;
        if (columns->field + 1 != columns->columns)
            fail_row(columns);
    }
    columns->line++;
    columns->field = 0;
    columns->next = 0;
    start_field(columns, next);
}

/* -- Bytes --------------------------------------------------------------- */

static void lone_return(struct pz_columns *columns)
{
    fail(columns, PZ_CSV_QUOTE,
         "a carriage return that ends no line and is not in quotes");
}

static void text_after_quote(struct pz_columns *columns)
{
    fail(columns, PZ_CSV_QUOTE, "text after the quote that closes a field");
}

/* How many '\\' stand before the byte at 'at' of a field in quotes: odd or
   even. */
static unsigned slashes_before(const struct pz_columns *columns,
                               const char *data, size_t at)
{
    size_t i = at;

    while (i > columns->from && data[i - 1] == '\\')
        i--;
    return ((unsigned)(at - i) +
            (i == columns->from ? columns->slashes : 0)) & 1;
}

/* A quote in quotes. */
static void closing_quote(struct pz_columns *columns, const char *data,
                          size_t at)
{
    char escape = columns->options.escape;

    if (escape != '"' && slashes_before(columns, data, at)) {
        if (escape == '\0')
            fail_escape(columns, columns->line);
        return;
    }
    columns->state = QUOTE;
    columns->stop = at;
    columns->expected = at + 1;
}

/* The second of two quotes in quotes: it is one of the field's. */
static void second_quote(struct pz_columns *columns, const char *data,
                         size_t at)
{
    if (columns->options.escape == '\\') {
        text_after_quote(columns);
        return;
    }
    if (columns->is_taken) {
        keep(columns, data + columns->from, columns->stop - columns->from);
        keep(columns, "\"", 1);
    }
    columns->from = at + 1;
    columns->slashes = 0;
    columns->state = QUOTED;
}

static void plain_quote(struct pz_columns *columns, size_t at)
{
    if (at != columns->from || columns->is_begun) {
        fail(columns, PZ_CSV_QUOTE, "a quote in a field without quotes");
        return;
    }
    columns->was_quoted = 1;
    columns->quote_line = columns->line;
    columns->slashes = 0;
    columns->from = at + 1;
    columns->state = QUOTED;
}

/* One of delimiter, LF, CR, quote and NUL. */
static void special_byte(struct pz_columns *columns, const char *data,
                         size_t at)
{
    char c = data[at];
    size_t stop = columns->state == PLAIN ? at : columns->stop;

    if (columns->state == RETURN && at != columns->expected) {
        lone_return(columns);
    } else if (columns->state == QUOTE && at != columns->expected) {
        text_after_quote(columns);
    } else if (c == '\0') {
        fail(columns, PZ_CSV_NUL, "a zero byte: it is no text in UTF-8");
    } else if (columns->state == QUOTED) {
        if (c == '"')
            closing_quote(columns, data, at);
        columns->line += c == '\n';
    } else if (columns->state == RETURN && c != '\n') {
        lone_return(columns);
    } else if (c == '"' && columns->state == QUOTE) {
        second_quote(columns, data, at);
    } else if (c == '"') {
        plain_quote(columns, at);
    } else if (c == '\n') {
        end_row(columns, data, stop, at + 1);
    } else if (c == '\r') {
        columns->state = RETURN;
        columns->stop = stop;
        columns->expected = at + 1;
    } else {
        end_column(columns, data, stop, at + 1);
    }
}

#if defined(__SSE2__)
/* Where special bytes stand in a block, a bit a byte. */
static inline uint64_t look_at(const char *p, char delimiter)
{
    uint64_t bits = 0;

    for (int i = 0; i < BLOCK / 16; i++) {
        __m128i v = _mm_loadu_si128((const void *)(p + 16 * i));
        __m128i found = _mm_cmpeq_epi8(v, _mm_set1_epi8(delimiter));

        found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(v, _mm_setzero_si128()));
        bits |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << (16 * i);
    }
    return bits;
}
#else
static inline uint64_t look_at(const char *p, char delimiter)
{
    uint64_t bits = 0;

    for (int i = 0; i < BLOCK; i++)
        bits |= (uint64_t)(p[i] == delimiter || p[i] == '\n' ||
                           p[i] == '\r' || p[i] == '"' || p[i] == '\0') << i;
    return bits;
}
#endif

static inline size_t lowest(uint64_t bits)
{
#if defined(__GNUC__)
    return (size_t)__builtin_ctzll(bits);
#else
    size_t n = 0;

    while (!(bits >> n & 1))
        n++;
    return n;
#endif
}

static inline void read_block(struct pz_columns *columns, const char *data,
                              size_t at, uint64_t bits)
{
    char delimiter = columns->options.delimiter;

    for (; bits != 0 && !columns->is_over; bits &= bits - 1) {
        size_t next = at + lowest(bits);

        if (columns->state != PLAIN)
            special_byte(columns, data, next);
        else if (data[next] == delimiter)
            end_column(columns, data, next, next + 1);
        else if (data[next] == '\n')
            end_row(columns, data, next, next + 1);
        else
            special_byte(columns, data, next);
    }
}

/* Keeps what the next piece goes on with. */
static void end_piece(struct pz_columns *columns, struct pz_slice piece)
{
    int has_ended = columns->state == QUOTE || columns->state == RETURN;
    size_t stop = has_ended ? columns->stop : piece.len;

    if (has_ended && columns->expected != piece.len) {
        if (columns->state == RETURN)
            lone_return(columns);
        else
            text_after_quote(columns);
        return;
    }
    if (columns->state == QUOTED)
        columns->slashes = slashes_before(columns, piece.data, piece.len);
    if (columns->is_taken)
        keep(columns, piece.data + columns->from, stop - columns->from);
    columns->is_begun |= stop > columns->from;
    columns->from = columns->stop = columns->expected = 0;
    columns->header_len += piece.len;
    if (columns->is_in_header &&
        columns->header_len > PZ_COLUMNS_HEADER_MOST)
        fail(columns, PZ_CSV_BAD_HEADER,
             "its first line has more than 1 MiB: it is no header");
}

static void read_piece(struct pz_columns *columns, struct pz_slice piece)
{
    char delimiter = columns->options.delimiter;
    size_t at = 0;

    for (; piece.len - at >= BLOCK && !columns->is_over; at += BLOCK)
        read_block(columns, piece.data, at,
                   look_at(piece.data + at, delimiter));
    if (at < piece.len && !columns->is_over) {
        char rest[BLOCK];

        memset(rest, 'a', sizeof rest);
        memcpy(rest, piece.data + at, piece.len - at);
        read_block(columns, piece.data, at, look_at(rest, delimiter));
    }
    if (!columns->is_over)
        end_piece(columns, piece);
}

/* The first bytes: a byte order mark is left out. */
static void end_head(struct pz_columns *columns)
{
    struct pz_slice head = { columns->head, columns->head_len };

    if (pz_slice_starts(head, PZ_LIT("\x1F\x8B")))
        fail(columns, PZ_CSV_BAD_HEADER, "it is compressed by gzip: give what "
             "zcat makes of it");
    else if (pz_slice_starts(head, PZ_LIT("\xFF\xFE")) ||
             pz_slice_starts(head, PZ_LIT("\xFE\xFF")))
        fail(columns, PZ_CSV_UTF8, "it must be UTF-8; this looks like UTF-16");
    else if (!pz_slice_eq(head, PZ_LIT(PZ_BYTE_ORDER_MARK)))
        read_piece(columns, head);
    columns->head_len = sizeof columns->head;
}

void pz_columns_feed(struct pz_columns *columns, struct pz_slice text)
{
    while (columns->head_len < sizeof columns->head && text.len > 0) {
        columns->head[columns->head_len++] = text.data[0];
        text = pz_slice_sub(text, 1, text.len);
        if (columns->head_len == sizeof columns->head)
            end_head(columns);
    }
    if (text.len > 0 && !columns->is_over)
        read_piece(columns, text);
}

void pz_columns_end(struct pz_columns *columns)
{
    if (columns->head_len < sizeof columns->head && !columns->is_over)
        end_head(columns);
    if (columns->is_over)
        return;
    if (columns->state == QUOTED) {
        fail_at(columns, columns->quote_line, PZ_CSV_QUOTE,
                "a quote that is not closed");
    } else if (columns->state == RETURN) {
        lone_return(columns);
    } else if (columns->field > 0 || columns->is_begun ||
               columns->was_quoted) {
        columns->lacks_end = 1;
        end_row(columns, columns->room, 0, 0);
    } else if (columns->is_in_header) {
        fail(columns, PZ_CSV_EMPTY, "it is empty: it has no header");
    }
    columns->is_over = 1;
}
