/* See pz_http1.h for what this knows and refuses to know. */
#include "pz_http1.h"

#include <string.h>

#include "pz_head.h"
#include "pz_text.h"

/* Of a body, before any of it came. */
#define FIRST_ROOM ((size_t)32 << 10)

static const char not_http[] = "the answer does not begin as HTTP/1.1 does";

void pz_http1_init(struct pz_http1 *r, struct pz_slice method)
{
    memset(r, 0, sizeof *r);
    /* Both may stand side by side; each is held to its own limit. */
    r->bytes.max = PZ_ANSWER_HEAD_MAX * 2 + PZ_ANSWER_BODY_MAX;
    r->bytes.secret = 1;
    r->is_head = pz_slice_eq(method, PZ_LIT("HEAD"));
    r->is_connect = pz_slice_eq(method, PZ_LIT("CONNECT"));
}

static enum pz_status
fail(struct pz_http1 *r, enum pz_http1_fault fault, const char *message)
{
    r->part = PZ_HTTP1_FAILED;
    r->fault = fault;
    r->message = message;
    pz_http1_free(r);
    return fault == PZ_HTTP1_LARGE ? PZ_ETOOBIG : PZ_EINVAL;
}

static enum pz_status malformed(struct pz_http1 *r, const char *message)
{
    return fail(r, PZ_HTTP1_MALFORMED, message);
}

static enum pz_status large_head(struct pz_http1 *r)
{
    return fail(r, PZ_HTTP1_LARGE, "the answer's head is too large");
}

static enum pz_status large_body(struct pz_http1 *r)
{
    return fail(r, PZ_HTTP1_LARGE, "the answer's body is over 8 MiB");
}

/* Forgets the end of what was read. */
static void drop(struct pz_http1 *r, size_t from)
{
    if (from < r->bytes.len)
        pz_wipe(r->bytes.data + from, r->bytes.len - from);
    r->bytes.len = from;
}

/* ---- lines ------------------------------------------------------------- */

/*
 * Moves bytes of *in to the line under way. 1: it is whole, and in *line
 * without its line end; 0: it goes on, or *status tells what is wrong.
 */
static int take_line(struct pz_http1 *r, struct pz_slice *in,
                     struct pz_slice *line, enum pz_status *status)
{
    size_t eol = pz_slice_find(*in, '\n', 0);
    int whole = eol < in->len;
    struct pz_slice part = pz_slice_sub(*in, 0, eol + 1);
    size_t len = r->bytes.len - r->line_from + part.len;

    if (r->head_seen + len > PZ_ANSWER_HEAD_MAX) {
        *status = large_head(r);
        return 0;
    }
    *status = pz_buf_adds(&r->bytes, part);
    if (*status != PZ_OK)
        return 0;
    *in = pz_slice_sub(*in, part.len, in->len);
    *line = pz_slice_sub(pz_buf_slice(&r->bytes), r->line_from, r->bytes.len);
    if (!whole)
        return 0;
    if (line->len < 2 || line->data[line->len - 2] != '\r') {
        *status = malformed(r, "the answer has a line that does not end in "
                               "CR LF");
        return 0;
    }
    line->len -= 2;
    if (!pz_head_is_text(*line)) {
        *status = malformed(r, "the answer has a control character in a line");
        return 0;
    }
    return 1;
}

/* ---- the head ---------------------------------------------------------- */

/* "HTTP/1.1 200" and what follows; answers 0 where it is none. */
static int read_status(struct pz_http1 *r, struct pz_slice line)
{
    int code = 0;

    if (line.len < 12 || (line.len > 12 && line.data[12] != ' ') ||
        !pz_slice_starts(line, PZ_LIT("HTTP/1.")) ||
        (line.data[7] != '0' && line.data[7] != '1') || line.data[8] != ' ')
        return 0;
    for (size_t i = 9; i < 12; i++) {
        if (line.data[i] < '0' || line.data[i] > '9')
            return 0;
        code = code * 10 + (line.data[i] - '0');
    }
    if (code < 100)
        return 0;
    r->code = code;
    r->minor = line.data[7] - '0';
    r->has_length = r->is_chunked = r->says_close = r->says_keep = 0;
    return 1;
}

/* Each member of the list that a Connection header is. */
static void read_connection(struct pz_http1 *r, struct pz_slice value)
{
    for (size_t at = 0; at <= value.len;) {
        size_t end = pz_slice_find(value, ',', at);
        struct pz_slice word = pz_slice_trim(pz_slice_sub(value, at, end));

        if (pz_slice_ieq(word, PZ_LIT("close")))
            r->says_close = 1;
        else if (pz_slice_ieq(word, PZ_LIT("keep-alive")))
            r->says_keep = 1;
        at = end + 1;
    }
}

/* A header that decides where the answer, or the connection, ends. */
static enum pz_status
heed(struct pz_http1 *r, struct pz_slice name, struct pz_slice value)
{
    if (name.len == 10 && pz_slice_ieq(name, PZ_LIT("connection"))) {
        read_connection(r, value);
    } else if (name.len == 14 &&
               pz_slice_ieq(name, PZ_LIT("content-length"))) {
        /* Even two that agree: who says it twice was put together by two. */
        if (r->has_length)
            return malformed(r, "the answer has two Content-Lengths");
        if (!pz_head_length(value, &r->length))
            return malformed(r, "the answer has a Content-Length that is no "
                                "length");
        r->has_length = 1;
    } else if (name.len == 17 &&
               pz_slice_ieq(name, PZ_LIT("transfer-encoding"))) {
        if (r->is_chunked || !pz_slice_ieq(value, PZ_LIT("chunked")))
            return malformed(r, "the answer has a Transfer-Encoding other "
                                "than chunked");
        r->is_chunked = 1;
    }
    return PZ_OK;
}

/* A line of a head or of the trailers. */
static enum pz_status read_header(struct pz_http1 *r, struct pz_slice line)
{
    size_t colon = pz_slice_find(line, ':', 0);
    struct pz_slice name = pz_slice_sub(line, 0, colon);

    if (line.data[0] == ' ' || line.data[0] == '\t')
        return malformed(r, "the answer has a header over several lines");
    if (colon == line.len || !pz_head_is_token(name))
        return malformed(r, "the answer has a line that is no header");
    if (r->part == PZ_HTTP1_TRAILER)
        return PZ_OK;
    return heed(r, name,
                pz_slice_trim(pz_slice_sub(line, colon + 1, line.len)));
}

static int is_bodiless(const struct pz_http1 *r)
{
    return r->is_head || r->code == 204 || r->code == 304;
}

/* What a final head says about the body to come. */
static enum pz_status begin_body(struct pz_http1 *r)
{
    size_t room;

    if (r->is_chunked && r->has_length)
        return malformed(r, "the answer has both a Content-Length and a "
                            "Transfer-Encoding");
    if (r->is_chunked && r->minor == 0)
        return malformed(r, "the answer is HTTP/1.0 and has a "
                            "Transfer-Encoding");
    if (is_bodiless(r)) {
        r->part = PZ_HTTP1_DONE;
        return PZ_OK;
    }
    if (r->is_chunked) {
        r->part = PZ_HTTP1_CHUNK_SIZE;
        return PZ_OK;
    }
    if (!r->has_length) {
        r->part = PZ_HTTP1_TO_CLOSE;
        return PZ_OK;
    }
    if (r->length > PZ_ANSWER_BODY_MAX)
        return large_body(r);
    r->left = r->length;
    r->part = r->left > 0 ? PZ_HTTP1_BODY : PZ_HTTP1_DONE;
    /* Not all that is announced, which costs the peer nothing. */
    room = (size_t)r->left < FIRST_ROOM ? (size_t)r->left : FIRST_ROOM;
    return pz_buf_reserve(&r->bytes, room);
}

static enum pz_status end_head(struct pz_http1 *r)
{
    if (r->code == 101)
        return malformed(r, "the answer changes the protocol, which nothing "
                            "asked for");
    if (r->code < 200) {
        drop(r, 0);
        r->line_from = 0;
        r->part = PZ_HTTP1_STATUS_LINE;
        return PZ_OK;
    }
    r->status = r->code;
    r->head_len = r->line_from = r->bytes.len;
    if (r->is_connect && r->code < 300) { /* a tunnel, whatever it says */
        r->part = PZ_HTTP1_DONE;
        return PZ_OK;
    }
    return begin_body(r);
}

static enum pz_status on_head_line(struct pz_http1 *r, struct pz_slice line)
{
    enum pz_status status = PZ_OK;

    r->head_seen += line.len + 2;
    if (++r->head_lines > PZ_ANSWER_LINES_MAX)
        return large_head(r);
    if (r->part == PZ_HTTP1_STATUS_LINE) {
        if (!read_status(r, line))
            return malformed(r, not_http);
        r->part = PZ_HTTP1_HEADER;
    } else if (line.len == 0) {
        return end_head(r);
    } else {
        status = read_header(r, line);
    }
    if (status == PZ_OK)
        r->line_from = r->bytes.len;
    return status;
}

/* Who speaks another protocol may wait for more before it ends a line: so
   it is refused by its first bytes, before anything else about them. */
static int is_beginning(const struct pz_http1 *r, struct pz_slice in)
{
    struct pz_slice rest = PZ_LIT("HTTP/1.");

    rest = pz_slice_sub(rest, r->bytes.len - r->line_from, rest.len);
    if (in.len < rest.len)
        rest.len = in.len;
    return pz_slice_starts(in, rest);
}

static enum pz_status feed_head(struct pz_http1 *r, struct pz_slice *in)
{
    struct pz_slice line;
    enum pz_status status;

    if (r->part == PZ_HTTP1_STATUS_LINE && !is_beginning(r, *in))
        return malformed(r, not_http);
    if (!take_line(r, in, &line, &status))
        return status;
    return on_head_line(r, line);
}

/* ---- the body ---------------------------------------------------------- */

static size_t body_len(const struct pz_http1 *r)
{
    return r->line_from - r->head_len;
}

static enum pz_status add_body(struct pz_http1 *r, struct pz_slice part)
{
    enum pz_status status;

    if (part.len > PZ_ANSWER_BODY_MAX - body_len(r))
        return large_body(r);
    status = pz_buf_adds(&r->bytes, part);
    if (status == PZ_OK)
        r->line_from = r->bytes.len;
    return status;
}

/* Of a body, or a chunk, whose length is known; then comes 'next'. */
static enum pz_status feed_counted(struct pz_http1 *r, struct pz_slice *in,
                                   enum pz_http1_part next)
{
    struct pz_slice part = *in;
    enum pz_status status;

    if (r->left < part.len)
        part.len = (size_t)r->left;
    status = add_body(r, part);
    if (status != PZ_OK)
        return status;
    *in = pz_slice_sub(*in, part.len, in->len);
    r->left -= part.len;
    if (r->left == 0) {
        r->part = next;
        r->left = 2;
    }
    return PZ_OK;
}

/* "1f;name=value": up to 16 hexadecimal digits, and extensions that are
   passed over. */
static int read_size(struct pz_slice line, unsigned long long *size,
                     size_t *digits)
{
    size_t i = 0;

    *size = 0;
    for (; i < line.len && pz_hex_digit(line.data[i]) >= 0; i++)
        *size = *size << 4 | (unsigned)pz_hex_digit(line.data[i]);
    *digits = i;
    if (i == 0 || i > 16)
        return 0;
    if (i == line.len)
        return 1;
    while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t'))
        i++;
    return i < line.len && line.data[i] == ';';
}

static enum pz_status feed_size(struct pz_http1 *r, struct pz_slice *in)
{
    struct pz_slice line;
    enum pz_status status;
    size_t digits;

    if (!take_line(r, in, &line, &status))
        return status;
    if (!read_size(line, &r->left, &digits))
        return malformed(r, "the answer has a chunk size that is none");
    /* Extensions are as free as headers are: they count as such. */
    r->head_seen += line.len - digits;
    if (r->left > PZ_ANSWER_BODY_MAX - body_len(r))
        return large_body(r);
    drop(r, r->line_from);
    r->part = r->left > 0 ? PZ_HTTP1_CHUNK : PZ_HTTP1_TRAILER;
    return PZ_OK;
}

static enum pz_status feed_chunk_end(struct pz_http1 *r, struct pz_slice *in)
{
    if (in->data[0] != (r->left == 2 ? '\r' : '\n'))
        return malformed(r, "the answer has a chunk that does not end where "
                            "its size says");
    *in = pz_slice_sub(*in, 1, in->len);
    if (--r->left == 0)
        r->part = PZ_HTTP1_CHUNK_SIZE;
    return PZ_OK;
}

static enum pz_status feed_trailer(struct pz_http1 *r, struct pz_slice *in)
{
    struct pz_slice line;
    enum pz_status status;

    if (!take_line(r, in, &line, &status))
        return status;
    r->head_seen += line.len + 2;
    if (++r->head_lines > PZ_ANSWER_LINES_MAX)
        return large_head(r);
    if (line.len == 0)
        r->part = PZ_HTTP1_DONE;
    else
        status = read_header(r, line);
    if (status == PZ_OK)
        drop(r, r->line_from);
    return status;
}

/* ---- all of it --------------------------------------------------------- */

static enum pz_status feed_part(struct pz_http1 *r, struct pz_slice *in)
{
    enum pz_status status;

    switch (r->part) {
    case PZ_HTTP1_STATUS_LINE:
    case PZ_HTTP1_HEADER:
        return feed_head(r, in);
    case PZ_HTTP1_BODY:
        return feed_counted(r, in, PZ_HTTP1_DONE);
    case PZ_HTTP1_CHUNK:
        return feed_counted(r, in, PZ_HTTP1_CHUNK_END);
    case PZ_HTTP1_TO_CLOSE:
        status = add_body(r, *in);
        in->len = 0;
        return status;
    case PZ_HTTP1_CHUNK_SIZE:
        return feed_size(r, in);
    case PZ_HTTP1_CHUNK_END:
        return feed_chunk_end(r, in);
    case PZ_HTTP1_TRAILER:
        return feed_trailer(r, in);
    case PZ_HTTP1_DONE:
        return malformed(r, "the answer is followed by bytes that nothing "
                            "asked for");
    case PZ_HTTP1_FAILED:
        break;
    }
    return r->fault == PZ_HTTP1_LARGE ? PZ_ETOOBIG : PZ_EINVAL;
}

enum pz_status pz_http1_feed(struct pz_http1 *r, struct pz_slice bytes)
{
    enum pz_status status = PZ_OK;

    if (r->part == PZ_HTTP1_FAILED)
        return feed_part(r, &bytes);
    while (status == PZ_OK && bytes.len > 0)
        status = feed_part(r, &bytes);
    if (status == PZ_ENOMEM)
        (void)fail(r, PZ_HTTP1_CUT, "not enough memory for the answer");
    return status;
}

enum pz_status pz_http1_finish(struct pz_http1 *r, int broken)
{
    struct pz_slice none = { NULL, 0 };

    if (r->part == PZ_HTTP1_TO_CLOSE && !broken)
        r->part = PZ_HTTP1_DONE;
    if (r->part == PZ_HTTP1_DONE || r->part == PZ_HTTP1_FAILED)
        return pz_http1_feed(r, none);
    if (r->head_lines == 0)
        return fail(r, PZ_HTTP1_NONE,
                    "the connection was closed without an answer");
    return fail(r, PZ_HTTP1_CUT, "the answer is cut");
}

struct pz_slice pz_http1_head(const struct pz_http1 *r)
{
    return pz_slice_sub(pz_buf_slice(&r->bytes), 0, r->head_len);
}

struct pz_slice pz_http1_body(const struct pz_http1 *r)
{
    return pz_slice_sub(pz_buf_slice(&r->bytes), r->head_len, r->line_from);
}

int pz_http1_is_reusable(const struct pz_http1 *r)
{
    if (r->part != PZ_HTTP1_DONE)
        return 0;
    if (r->is_connect && r->status < 300)
        return 1;
    return !r->says_close && (r->minor == 1 || r->says_keep) &&
           (r->has_length || r->is_chunked || is_bodiless(r));
}

void pz_http1_free(struct pz_http1 *r)
{
    pz_buf_free(&r->bytes);
    r->head_len = r->line_from = 0;
}
