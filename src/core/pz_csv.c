#include "pz_csv.h"

#include <string.h>

/* What the next byte is. */
enum {
    MARK,   /* the list's first, perhaps of a byte order mark */
    RECORD, /* a record's first */
    FIELD,  /* a later field's first */
    PLAIN,  /* one in a field without quotes */
    QUOTED, /* one in quotes */
    QUOTE,  /* one after a quote in quotes: a second one, or past the end */
    RETURN  /* one after a CR: the LF */
};

static const char MARK_BYTES[] = PZ_BYTE_ORDER_MARK;

void pz_csv_start(struct pz_csv *csv, enum pz_csv_format format,
                  struct pz_slice column)
{
    memset(csv, 0, sizeof *csv);
    csv->format = format;
    csv->column = column;
    csv->delimiter = ',';
    csv->state = MARK;
    csv->header = format == PZ_CSV_HEADED;
    csv->columns = 1;
    csv->line = csv->column_at = 1;
    csv->is_blank = 1;
}

void pz_csv_resume(struct pz_csv *to, const struct pz_csv *csv,
                   unsigned long long offset)
{
    pz_csv_start(to, csv->format, csv->column);
    to->delimiter = csv->delimiter;
    to->state = RECORD;
    to->header = 0;
    to->columns = csv->columns;
    to->wanted = csv->wanted;
    to->offset = offset;
}

/* -- Faults ------------------------------------------------------------- */

/* The first of a record; others are its consequences. */
static void note(struct pz_csv *csv, enum pz_csv_code code,
                 const char *message, unsigned long long line,
                 unsigned long long column)
{
    if (csv->is_faulty)
        return;
    csv->is_faulty = 1;
    csv->fault.code = code;
    csv->fault.message = message;
    csv->fault.line = line;
    csv->fault.column = column;
    csv->times = 1;
}

static void note_here(struct pz_csv *csv, enum pz_csv_code code,
                      const char *message)
{
    note(csv, code, message, csv->line, csv->column_at);
}

static int is_first(unsigned char c)
{
    return (c & 0xC0) != 0x80;
}

/* A fault of the id in the room, at its place in the list. */
static void note_id(struct pz_csv *csv, enum pz_csv_code code,
                    const char *message, size_t at)
{
    unsigned long long line = csv->field_line;
    unsigned long long column = csv->field_column;

    for (size_t i = 0; i < at; i++) {
        if (csv->room[i] == '\n') {
            line++;
            column = 1;
        } else {
            column += (unsigned)is_first((unsigned char)csv->room[i]);
            /* It stands there twice. */
            column += csv->was_quoted && csv->room[i] == '"';
        }
    }
    note(csv, code, message, line, column);
}

/* -- Fields and records ------------------------------------------------- */

static void start_field(struct pz_csv *csv, int quoted)
{
    csv->was_quoted = quoted;
    csv->room_len = 0;
    csv->field_line = csv->line;
    csv->field_column = csv->column_at;
}

/* Bytes of the field, none of them an LF. */
static void take(struct pz_csv *csv, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        csv->column_at += (unsigned)is_first((unsigned char)p[i]);
    if (csv->room_len > PZ_ID_BYTES ||
        (csv->field != csv->wanted && !csv->header))
        return;
    if (len > PZ_ID_BYTES - csv->room_len) {
        memcpy(csv->room + csv->room_len, p, PZ_ID_BYTES - csv->room_len);
        csv->room_len = PZ_ID_BYTES + 1;
        return;
    }
    memcpy(csv->room + csv->room_len, p, len);
    csv->room_len += len;
}

static struct pz_slice room(const struct pz_csv *csv)
{
    struct pz_slice s = { csv->room, csv->room_len };

    return s;
}

/* Characters that stand between columns, the delimiter apart. */
static const char SEPARATORS[] = ";\t|,";

/* What to say of a header whose columns are separated by 'c'; or NULL. */
static const char *separated_by(const struct pz_csv *csv, char c)
{
    if (c == csv->delimiter)
        return NULL;
    switch (c) {
    case ';':
        return "the columns are separated by ';': the options 'delimiter' "
               "and 'column' say so";
    case '\t':
        return "the columns are separated by tabs: the options 'delimiter' "
               "and 'column' say so";
    case '|':
        return "the columns are separated by '|': the options 'delimiter' "
               "and 'column' say so";
    case ',':
        return "the columns are separated by ',', not as the option "
               "'delimiter' says";
    default:
        return NULL;
    }
}

/* What the header's first field is if it is not the column's name; or NULL. */
static const char *other_header(const struct pz_csv *csv)
{
    struct pz_slice got = { csv->room, csv->room_len };
    const char *found = NULL;

    if (got.len > PZ_ID_BYTES)
        got.len = PZ_ID_BYTES;
    if (got.len == 0 && !csv->was_quoted)
        return "the list is empty, or begins with a blank line: its first line "
               "must be the header";
    if (pz_slice_find(got, '\0', 0) < got.len)
        return "the list must be text in UTF-8: this has zero bytes, as UTF-16 "
               "and files that are no text have";
    if (pz_slice_ieq(pz_slice_sub(got, 0, 4), PZ_LIT("sep=")))
        return "the first line tells a spreadsheet its separator: the header "
               "must be the first line";
    for (size_t i = 0; SEPARATORS[i] && found == NULL; i++)
        if (pz_slice_find(got, SEPARATORS[i], 0) < got.len)
            found = separated_by(csv, SEPARATORS[i]);
    return found;
}

/* Of the header, where a column is asked for by name. */
static void end_header_field(struct pz_csv *csv)
{
    if (csv->room_len > PZ_ID_BYTES)
        return;
    if (pz_slice_eq(room(csv), csv->column)) {
        if (csv->header_found == 1)
            note(csv, PZ_CSV_BAD_COLUMN, "the header names it twice",
                 csv->field_line, csv->field_column);
        csv->header_found = 1;
        csv->wanted = csv->field;
    } else if (csv->header_found == 0 &&
               pz_slice_ieq(pz_slice_trim(room(csv)), csv->column)) {
        csv->header_found = -1; /* nearly */
    }
}

/* Of a header that has to be USER_ID and no more. */
static void end_plain_header(struct pz_csv *csv)
{
    struct pz_slice name = PZ_LIT(PZ_CSV_COLUMN);
    struct pz_slice got = room(csv);
    const char *other = other_header(csv);

    if (csv->room_len > PZ_ID_BYTES)
        got.len = 0;
    if (pz_slice_eq(got, name)) {
        if (csv->was_quoted)
            note(csv, PZ_CSV_BAD_HEADER, "the header USER_ID must stand "
                 "without quotes", 1, 1);
        return;
    }
    note(csv, PZ_CSV_BAD_HEADER, other ? other
         : pz_id_is_header(got, name)
         ? "the header must be exactly USER_ID, in upper case and without "
           "spaces"
         : "the first line must be the header USER_ID (the option 'column' "
           "takes another name; only where the first line is an id already, "
           "the list is of the format lines)", 1, 1);
}

static void end_field(struct pz_csv *csv)
{
    enum pz_csv_code code;
    const char *message;
    size_t at;

    if (csv->header) {
        if (csv->column.len > 0)
            end_header_field(csv);
        return;
    }
    if (csv->field != csv->wanted || csv->is_faulty)
        return;
    if (csv->room_len > PZ_ID_BYTES) {
        note_id(csv, PZ_CSV_LENGTH, csv->was_quoted
                ? "the id has more than 256 characters (is its quote closed?)"
                : PZ_ID_TOO_LONG, 0);
        return;
    }
    message = pz_id_fault(&code, &at, room(csv));
    if (message)
        note_id(csv, code, message, at);
    else
        csv->text = room(csv);
    /* The room is only written again in the next record. */
}

static enum pz_csv_event end_header(struct pz_csv *csv)
{
    const char *other = other_header(csv);

    csv->header = 0;
    csv->columns = csv->field + 1;
    if (csv->column.len == 0 && csv->columns > 1)
        note(csv, PZ_CSV_COLUMNS, "the header has more than one column: the "
             "option 'column' chooses one", 1, 1);
    else if (csv->column.len == 0)
        end_plain_header(csv);
    else if (csv->header_found != 1)
        note(csv, PZ_CSV_BAD_COLUMN, csv->header_found
             ? "the header has it in other letters only"
             : other && csv->columns == 1 ? other
             : "the header does not have it", 1, 1);
    csv->is_over = csv->is_faulty;
    return csv->is_faulty ? PZ_CSV_FAULT : PZ_CSV_MORE;
}

/* PZ_CSV_MORE after a header as it should be. */
static enum pz_csv_event end_record(struct pz_csv *csv)
{
    enum pz_csv_event event;

    if (csv->header) {
        event = end_header(csv);
    } else {
        if (csv->field + 1 != csv->columns)
            note_here(csv, PZ_CSV_COLUMNS, csv->columns == 1
                      ? "more than one column: the header has one"
                      : csv->field + 1 < csv->columns
                      ? "fewer columns than the header has"
                      : "more columns than the header has");
        event = csv->is_faulty ? PZ_CSV_FAULT : PZ_CSV_ID;
    }
    csv->state = RECORD;
    csv->field = 0;
    csv->is_faulty = 0;
    csv->is_blank = 1;
    return event;
}

static enum pz_csv_event end_line(struct pz_csv *csv)
{
    enum pz_csv_event event = PZ_CSV_MORE;

    if (csv->is_blank && !csv->header) {
        csv->state = RECORD;
        csv->blanks++;
    } else {
        event = end_record(csv);
    }
    csv->line++;
    csv->column_at = 1;
    return event;
}

static enum pz_csv_event tell_blanks(struct pz_csv *csv)
{
    csv->fault.code = PZ_CSV_BLANK;
    csv->fault.message = "a blank line";
    csv->fault.line = csv->line - csv->blanks;
    csv->fault.column = 1;
    csv->times = csv->blanks;
    csv->blanks = 0;
    return PZ_CSV_FAULT;
}

/* -- Bytes -------------------------------------------------------------- */

static int is_special(const struct pz_csv *csv, char c)
{
    return c == '\n' || c == '\r' ||
           (csv->format == PZ_CSV_HEADED && (c == '"' || c == csv->delimiter));
}

/* How far nothing happens. */
static size_t plain_length(const struct pz_csv *csv, const char *p,
                           const char *end)
{
    const char *from = p;

    if (csv->state == QUOTED)
        while (p < end && *p != '"' && *p != '\n')
            p++;
    else
        while (p < end && !is_special(csv, *p))
            p++;
    return (size_t)(p - from);
}

static void quoted_byte(struct pz_csv *csv, char c)
{
    if (c == '"') {
        csv->column_at++;
        csv->state = QUOTE;
        return;
    }
    take(csv, &c, 1); /* an LF */
    csv->line++;
    csv->column_at = 1;
}

/* A quote where a field begins opens it; anywhere else it is one too many. */
static void opening_quote(struct pz_csv *csv)
{
    if (csv->state == RECORD || csv->state == FIELD) {
        start_field(csv, 1);
        csv->column_at++;
        csv->field_column++;
        csv->state = QUOTED;
        return;
    }
    if (csv->state == QUOTE) {
        take(csv, "\"", 1);
        csv->state = QUOTED;
        return;
    }
    note_here(csv, PZ_CSV_QUOTE, "a quote in a field without quotes");
    take(csv, "\"", 1);
}

/* One of LF, CR, quote and delimiter outside of quotes. */
static enum pz_csv_event special_byte(struct pz_csv *csv, char c)
{
    csv->is_blank = csv->is_blank && (c == '\n' || c == '\r');
    if (c == '"') {
        opening_quote(csv);
        return PZ_CSV_MORE;
    }
    if (csv->state == RECORD || csv->state == FIELD)
        start_field(csv, 0);
    if (c == '\r') {
        csv->column_at++;
        csv->state = RETURN;
        return PZ_CSV_MORE;
    }
    if (!csv->is_blank || csv->header)
        end_field(csv);
    if (c == '\n')
        return end_line(csv);
    csv->column_at++;
    csv->field++;
    csv->state = FIELD;
    return PZ_CSV_MORE;
}

static void lone_return(struct pz_csv *csv)
{
    note(csv, PZ_CSV_QUOTE, "a carriage return that ends no line and is not "
         "in quotes", csv->line, csv->column_at - 1);
    csv->is_blank = 0;
    csv->state = PLAIN;
}

/* Bytes that only go into the field. */
static void plain_bytes(struct pz_csv *csv, const char *p, size_t len)
{
    if (csv->state == RECORD || csv->state == FIELD) {
        start_field(csv, 0);
        csv->state = PLAIN;
    } else if (csv->state == QUOTE) {
        const char *other = csv->header ? separated_by(csv, *p) : NULL;

        note_here(csv, other ? PZ_CSV_BAD_HEADER : PZ_CSV_QUOTE, other ? other
                  : "text after the quote that closes a field");
        csv->state = PLAIN;
    }
    csv->is_blank = 0;
    take(csv, p, len);
}

/* The list's first bytes are known: half a mark is the beginning of an id. */
static void end_mark(struct pz_csv *csv)
{
    csv->state = RECORD;
    csv->start = 0;
    if (csv->mark > 0 && csv->mark < 3)
        plain_bytes(csv, MARK_BYTES, csv->mark);
}

/* Whether all of the text so far may be a byte order mark. */
static int read_mark(struct pz_csv *csv, struct pz_slice *text)
{
    while (text->len > 0 && csv->mark < 3 &&
           text->data[0] == MARK_BYTES[csv->mark]) {
        *text = pz_slice_sub(*text, 1, text->len);
        csv->offset++;
        csv->mark++;
    }
    if (text->len == 0 && csv->mark < 3)
        return 1;
    end_mark(csv);
    return 0;
}

/* No UTF-8 has these bytes; UTF-16 begins with one. */
static enum pz_csv_event check_encoding(struct pz_csv *csv, unsigned char c)
{
    if (c < 0xFE)
        return PZ_CSV_MORE;
    note(csv, PZ_CSV_UTF8, "the list must be UTF-8; this looks like UTF-16",
         1, 1);
    csv->is_over = 1;
    return PZ_CSV_FAULT;
}

static enum pz_csv_event scan(struct pz_csv *csv, struct pz_slice *text,
                              struct pz_run *run, size_t longest)
{
    struct pz_slice part = pz_slice_sub(*text, 0, longest);

    if (part.len < PZ_RUN_BLOCK)
        return PZ_CSV_MORE;
    pz_run_scan(run, part);
    if (run->lines == 0)
        return PZ_CSV_MORE;
    csv->text = pz_slice_sub(*text, 0, run->len);
    csv->lines = run->lines;
    csv->start = csv->offset;
    csv->offset += run->len;
    csv->line += run->lines;
    *text = pz_slice_sub(*text, run->len, text->len);
    return PZ_CSV_RUN;
}

/* Blank lines are faults once something follows them. */
static int is_no_blank(const struct pz_csv *csv, char c)
{
    return c != '\n' && (csv->state == RETURN || c != '\r');
}

/* The rest of a record, or as much of it as there is. */
static enum pz_csv_event read_record(struct pz_csv *csv, struct pz_slice *text)
{
    enum pz_csv_event event = PZ_CSV_MORE;
    const char *p = text->data, *end = p + text->len;

    while (p < end && event == PZ_CSV_MORE) {
        size_t len = plain_length(csv, p, end);

        if (csv->blanks > 0 && is_no_blank(csv, *p)) {
            event = tell_blanks(csv);
            break;
        }
        if (csv->state == RETURN && *p != '\n')
            lone_return(csv);
        else if (csv->state == RECORD)
            csv->start = csv->offset + (unsigned long long)(p - text->data);
        if (len > 0) {
            plain_bytes(csv, p, len);
            p += len;
        } else if (csv->state == QUOTED) {
            quoted_byte(csv, *p++);
        } else {
            event = special_byte(csv, *p++);
            if (event == PZ_CSV_MORE && csv->state == RECORD &&
                csv->blanks == 0)
                break; /* after the header: runs may follow */
        }
    }
    csv->offset += (unsigned long long)(p - text->data);
    *text = pz_slice_sub(*text, (size_t)(p - text->data), text->len);
    return event;
}

enum pz_csv_event pz_csv_next(struct pz_csv *csv, struct pz_slice *text,
                              struct pz_run *run, size_t longest)
{
    enum pz_csv_event event = PZ_CSV_MORE;

    if (csv->state == MARK && text->len > 0 && !csv->is_over) {
        if (csv->mark == 0)
            event = check_encoding(csv, (unsigned char)text->data[0]);
        if (event != PZ_CSV_MORE || read_mark(csv, text))
            return event;
    }
    while (event == PZ_CSV_MORE && text->len > 0 && !csv->is_over) {
        if (run && csv->state == RECORD && csv->blanks == 0 &&
            csv->columns == 1 && csv->delimiter == ',' && !csv->header)
            event = scan(csv, text, run, longest);
        if (event == PZ_CSV_MORE)
            event = read_record(csv, text);
    }
    if (csv->is_over)
        *text = pz_slice_sub(*text, text->len, text->len);
    return event;
}

enum pz_csv_event pz_csv_end(struct pz_csv *csv)
{
    if (csv->is_over)
        return PZ_CSV_MORE;
    if (csv->state == MARK)
        end_mark(csv);
    if (csv->state == RETURN) {
        if (csv->is_blank && csv->blanks > 0)
            return tell_blanks(csv);
        lone_return(csv);
    } else if (csv->state == QUOTED) {
        note(csv, PZ_CSV_QUOTE, "a quote that is not closed",
             csv->field_line, csv->field_column - 1);
    } else if (csv->state == RECORD) {
        if (!csv->header)
            return PZ_CSV_MORE;
        start_field(csv, 0);
    } else if (csv->state == FIELD) {
        start_field(csv, 0);
    }
    end_field(csv);
    return end_record(csv);
}
