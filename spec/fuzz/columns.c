/* Exports: however a file is cut into pieces, the same fields are taken and the
   same fault is found, and both are those of a reader that goes byte by byte
   over the whole file and is too simple to be wrong. */
#include "fuzz.h"

#include "../../src/core/pz_columns.h"

enum { OPTIONS = 2 }; /* bytes before the file: how it is read, pieces */

/* -- What was told ------------------------------------------------------- */

struct told {
    struct pz_buf fields;
    unsigned long long rows, columns, line;
    enum pz_csv_code code;
    int has_fault, lacks_end;
};

static void tell(struct told *told, size_t index, struct pz_slice field,
                 unsigned long long line)
{
    char where[64];

    (void)snprintf(where, sizeof where, "%lu %llu %lu:", (unsigned long)index,
                   line, (unsigned long)(field.len > PZ_ID_BYTES
                                         ? 0 : field.len));
    PROMISE(pz_buf_adds(&told->fields, pz_slice_of(where)) == PZ_OK);
    if (field.len <= PZ_ID_BYTES)
        PROMISE(pz_buf_adds(&told->fields, field) == PZ_OK);
}

static int is_good(struct pz_slice field)
{
    return field.len > PZ_ID_BYTES || pz_slice_find(field, '\xFE', 0) ==
                                          field.len;
}

static int take(void *arg, size_t index, struct pz_slice field,
                unsigned long long line)
{
    tell(arg, index, field, line);
    return is_good(field);
}

/* -- The simple reader --------------------------------------------------- */

struct simple {
    struct told *told;
    const struct pz_columns_options *options;
    struct pz_buf field;
    int is_header, was_quoted, is_wanted[1 << 14];
    size_t at;    /* of the field, in its row */
    size_t index; /* of those that are wanted */
    size_t taken;
    unsigned long long line, field_line, quote_line;
    unsigned slashes;
};

static int stop(struct simple *s, enum pz_csv_code code,
                unsigned long long line)
{
    s->told->has_fault = 1;
    s->told->code = code;
    s->told->line = line;
    return 0;
}

static struct pz_slice name_of(const struct pz_columns_options *options)
{
    struct pz_slice usual = PZ_LIT("USER_ID");

    return options->name.len > 0 ? options->name : usual;
}

static int end_field(struct simple *s)
{
    struct pz_slice text = pz_buf_slice(&s->field);

    if (s->is_header) {
        s->is_wanted[s->at] = pz_slice_ieq(pz_id_strip(text),
                                           name_of(s->options)) &&
                              text.len <= PZ_COLUMNS_ROOM;
        if (s->is_wanted[s->at] && s->taken++ == PZ_COLUMNS_TAKEN)
            return stop(s, PZ_CSV_BAD_HEADER, s->line);
    } else if (s->is_wanted[s->at]) {
        if (s->was_quoted && s->options->escape == '\0' &&
            text.len < PZ_COLUMNS_ROOM)
            for (size_t i = 1; i < text.len; i++)
                if (text.data[i] == '\\' && text.data[i - 1] == '\\')
                    return stop(s, PZ_CSV_QUOTE, s->field_line);
        tell(s->told, s->index++, text, s->field_line);
        if (!is_good(text))
            return stop(s, PZ_CSV_UTF8, s->field_line);
    }
    return 1;
}

static void start_field(struct simple *s)
{
    pz_buf_clear(&s->field);
    s->was_quoted = 0;
    s->field_line = s->line;
}

static int end_row(struct simple *s)
{
    int is_blank = s->at == 0 && s->field.len == 0 && !s->was_quoted;

    if (!end_field(s))
        return 0;
    if (s->is_header) {
        s->told->columns = s->at + 1;
        if (is_blank)
            return stop(s, PZ_CSV_BAD_HEADER, s->line);
        if (s->taken == 0)
            return stop(s, PZ_CSV_BAD_COLUMN, s->line);
    } else if (!is_blank) {
        s->told->rows++;
        if (s->at + 1 != s->told->columns)
            return stop(s, PZ_CSV_COLUMNS, s->line);
    }
    s->is_header = 0;
    s->line++;
    s->at = s->index = 0;
    start_field(s);
    return 1;
}

/* Behind the opening quote at text[*i]. Leaves *i behind the closing one. */
static int read_quoted(struct simple *s, struct pz_slice text, size_t *i)
{
    char escape = s->options->escape;

    s->was_quoted = 1;
    s->quote_line = s->line;
    for (; *i < text.len; (*i)++) {
        char c = text.data[*i];
        char next = *i + 1 < text.len ? text.data[*i + 1] : 'x';

        if (c == '\0')
            return stop(s, PZ_CSV_NUL, s->line);
        if (c == '\\' && escape != '"' && (next == '\\' || next == '"')) {
            if (next == '"' && escape == '\0')
                return stop(s, PZ_CSV_QUOTE, s->line);
            if (escape == '\0')
                PROMISE(pz_buf_addc(&s->field, c) == PZ_OK);
            PROMISE(pz_buf_addc(&s->field, next) == PZ_OK);
            (*i)++;
        } else if (c != '"') {
            PROMISE(pz_buf_addc(&s->field, c) == PZ_OK);
            s->line += c == '\n';
        } else if (next == '"' && *i + 1 < text.len) {
            if (escape == '\\')
                return stop(s, PZ_CSV_QUOTE, s->line);
            PROMISE(pz_buf_addc(&s->field, c) == PZ_OK);
            (*i)++;
        } else {
            (*i)++;
            return 1;
        }
    }
    return stop(s, PZ_CSV_QUOTE, s->quote_line);
}

static int is_end(const struct simple *s, char c)
{
    return c == '\n' || c == '\r' || c == s->options->delimiter;
}

/* One field and what ends it. */
static int read_field(struct simple *s, struct pz_slice text, size_t *i)
{
    if (text.data[*i] == '"') {
        (*i)++;
        if (!read_quoted(s, text, i))
            return 0;
        if (*i < text.len && !is_end(s, text.data[*i]))
            return stop(s, text.data[*i] == '\0' ? PZ_CSV_NUL : PZ_CSV_QUOTE,
                        s->line);
    }
    for (; *i < text.len && !is_end(s, text.data[*i]); (*i)++) {
        if (text.data[*i] == '\0')
            return stop(s, PZ_CSV_NUL, s->line);
        if (text.data[*i] == '"')
            return stop(s, PZ_CSV_QUOTE, s->line);
        PROMISE(pz_buf_addc(&s->field, text.data[*i]) == PZ_OK);
    }
    if (*i == text.len) {
        s->told->lacks_end = s->at > 0 || s->field.len > 0 || s->was_quoted;
        return s->told->lacks_end ? end_row(s) : 1;
    }
    if (text.data[*i] == '\r' &&
        (*i + 1 == text.len || text.data[*i + 1] != '\n'))
        return stop(s, *i + 1 < text.len && text.data[*i + 1] == '\0'
                    ? PZ_CSV_NUL : PZ_CSV_QUOTE, s->line);
    if (text.data[(*i)++] == s->options->delimiter) {
        if (!end_field(s))
            return 0;
        s->at++;
        start_field(s);
        if (*i == text.len) {
            s->told->lacks_end = 1;
            return end_row(s);
        }
        return 1;
    }
    *i += text.data[*i - 1] == '\r';
    return end_row(s);
}

static void read_simply(struct told *told, struct pz_slice text,
                        const struct pz_columns_options *options)
{
    static struct simple s;
    size_t i = 0;

    pz_buf_free(&s.field);
    memset(&s, 0, sizeof s);
    s.told = told;
    s.options = options;
    s.is_header = 1;
    s.line = s.field_line = 1;
    if (pz_slice_starts(text, PZ_LIT(PZ_BYTE_ORDER_MARK)))
        i = 3;
    if (pz_slice_starts(text, PZ_LIT("\x1F\x8B")))
        (void)stop(&s, PZ_CSV_BAD_HEADER, 1);
    else if (pz_slice_starts(text, PZ_LIT("\xFF\xFE")) ||
             pz_slice_starts(text, PZ_LIT("\xFE\xFF")))
        (void)stop(&s, PZ_CSV_UTF8, 1);
    else
        while (i < text.len && read_field(&s, text, &i))
            ;
    if (!told->has_fault && s.is_header)
        (void)stop(&s, PZ_CSV_EMPTY, 1);
}

/* -- Both ---------------------------------------------------------------- */

static void read_in_pieces(struct told *told, struct pz_slice text,
                           const struct pz_columns_options *options,
                           size_t piece)
{
    static struct pz_columns columns;
    struct pz_columns_options mine = *options;

    mine.take = take;
    mine.take_arg = told;
    pz_columns_start(&columns, &mine);
    while (text.len > 0) {
        size_t len = piece > 0 && piece < text.len ? piece : text.len;

        pz_columns_feed(&columns, guard(1, pz_slice_sub(text, 0, len)));
        text = pz_slice_sub(text, len, text.len);
    }
    pz_columns_end(&columns);
    PROMISE(columns.names_len <= PZ_COLUMNS_NAMES);
    told->rows = columns.rows;
    told->columns = columns.columns;
    told->has_fault = columns.fault.message != NULL;
    told->code = columns.fault.code;
    told->line = columns.fault.line;
    told->lacks_end = columns.lacks_end;
}

static void compare(const struct told *a, const struct told *b)
{
    PROMISE(pz_slice_eq(pz_buf_slice(&a->fields), pz_buf_slice(&b->fields)));
    PROMISE(a->has_fault == b->has_fault);
    if (a->has_fault)
        PROMISE(a->code == b->code && a->line == b->line);
    else
        PROMISE(a->columns == b->columns && a->rows == b->rows &&
                a->lacks_end == b->lacks_end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = { ',', ';', '|', '\t' };
    static const char escapes[] = { '\0', '"', '\\', '\0' };
    struct told whole, cut, simple;
    struct pz_columns_options options;
    struct pz_slice text;

    if (size < OPTIONS || size > 1 << 13)
        return 0;
    memset(&whole, 0, sizeof whole);
    memset(&cut, 0, sizeof cut);
    memset(&simple, 0, sizeof simple);
    memset(&options, 0, sizeof options);
    options.delimiter = delimiters[data[0] & 3];
    options.escape = escapes[data[0] >> 2 & 3];
    if (data[0] & 16)
        options.name = PZ_LIT("id");
    text = fuzz_slice(0, data + OPTIONS, size - OPTIONS);
    read_in_pieces(&whole, text, &options, 0);
    read_in_pieces(&cut, text, &options, data[1] % 100);
    read_simply(&simple, text, &options);
    compare(&whole, &cut);
    compare(&whole, &simple);
    pz_buf_free(&whole.fields);
    pz_buf_free(&cut.fields);
    pz_buf_free(&simple.fields);
    return 0;
}
