/* Lists of user ids: however they are cut into pieces the result is the same;
   what comes out of a list is read again as the same ids; a source of it gives
   the same bytes, and anything else in their place fails. */
#include "fuzz.h"

#include "../../src/core/pz_rewrite.h"

enum { OPTIONS = 3 }; /* bytes before the list: format, part size, pieces */

static struct pz_buf sunk;

static enum pz_status sink(void *arg, struct pz_slice bytes)
{
    (void)arg;
    return pz_buf_adds(&sunk, bytes);
}

static void start(struct pz_userlist *list, uint8_t how, uint8_t size)
{
    struct pz_userlist_options options = {
        .format = PZ_CSV_HEADED, .key = { 1, 2, 3 }
    };

    if (how & 1)
        options.format = PZ_CSV_LINES;
    else if (how & 2)
        options.column = PZ_LIT("id");
    if (how & 16 && !(how & 1))
        options.delimiter = ';';
    options.unique = how >> 2 & 1;
    options.count_repeats = how >> 5 & 1;
    options.part_size = size < 128 ? PZ_PART_MIN + size : 1000000;
    if (how & 8)
        options.sink = sink;
    pz_buf_clear(&sunk);
    PROMISE(pz_userlist_init(list, &options) == PZ_OK);
}

/* In pieces of so many bytes; 0 is all at once. */
static void read_once(struct pz_userlist *list, struct pz_slice text,
                      size_t piece)
{
    while (text.len > 0) {
        size_t len = piece > 0 && piece < text.len ? piece : text.len;
        struct pz_slice copy = guard(1, pz_slice_sub(text, 0, len));

        PROMISE(pz_userlist_feed(list, copy) == PZ_OK);
        text = pz_slice_sub(text, len, text.len);
    }
    PROMISE(pz_userlist_finish(list) == PZ_OK);
}

static void read_all(struct pz_userlist *list, struct pz_slice text,
                     size_t piece)
{
    int has_sink = list->options.sink != NULL;

    read_once(list, text, piece);
    if (list->stage == PZ_LIST_AGAIN)
        read_once(list, has_sink ? pz_buf_slice(&sunk) : text, piece);
    PROMISE(list->stage == PZ_LIST_FINISHED);
}

static void compare(const struct pz_userlist *a, const struct pz_userlist *b)
{
    PROMISE(a->users == b->users && a->bytes == b->bytes);
    PROMISE(a->fault_count == b->fault_count);
    PROMISE(a->fault_count > 0 || a->duplicates == b->duplicates);
    PROMISE(memcmp(a->warnings, b->warnings, sizeof a->warnings) == 0);
    PROMISE(a->parts.len == b->parts.len && a->faults.len == b->faults.len);
    for (size_t i = 0; i < pz_userlist_part_count(a); i++) {
        const struct pz_part *p = pz_userlist_part(a, i);
        const struct pz_part *q = pz_userlist_part(b, i);

        PROMISE(p->users == q->users && p->bytes == q->bytes);
        PROMISE(p->offset == q->offset && p->record == q->record);
        PROMISE(memcmp(p->sha256, q->sha256, sizeof p->sha256) == 0);
    }
    for (size_t i = 0; i < pz_userlist_faults_kept(a); i++) {
        const struct pz_csv_fault *f = pz_userlist_fault(a, i);
        const struct pz_csv_fault *g = pz_userlist_fault(b, i);

        PROMISE(f->code == g->code && f->message == g->message);
        PROMISE(f->line == g->line && f->column == g->column);
    }
}

/* Appends what a source of the part gives; 0 where it fails. */
static int read_part(struct pz_buf *out, const struct pz_userlist *list,
                     size_t index, struct pz_slice input, size_t piece)
{
    struct pz_rewrite rewrite;
    enum pz_status status;

    PROMISE(pz_rewrite_init(&rewrite, list, index) == PZ_OK);
    input = pz_slice_sub(input, (size_t)rewrite.part.offset, input.len);
    do {
        char room[200];
        size_t made;

        if (rewrite.input.len == 0) {
            size_t len = piece > 0 && piece < input.len ? piece : input.len;

            rewrite.input = guard(2, pz_slice_sub(input, 0, len));
            rewrite.is_last = len == 0;
            input = pz_slice_sub(input, len, input.len);
        }
        status = pz_rewrite_read(&rewrite, room, piece % sizeof room + 1,
                                 &made);
        PROMISE(status == PZ_OK || (status == PZ_EINVAL && made == 0));
        PROMISE(pz_buf_add(out, room, made) == PZ_OK);
    } while (status == PZ_OK && rewrite.left > 0);
    pz_rewrite_free(&rewrite);
    return status == PZ_OK;
}

/* A part is a list of its own: its one part is itself. */
static void read_again(struct pz_slice part, const struct pz_part *expected,
                       size_t piece)
{
    struct pz_userlist list;
    const struct pz_part *got;

    start(&list, 0, 255);
    read_all(&list, part, piece);
    PROMISE(list.fault_count == 0 && pz_userlist_part_count(&list) == 1);
    got = pz_userlist_part(&list, 0);
    PROMISE(got->users == expected->users && got->bytes == expected->bytes);
    PROMISE(memcmp(got->sha256, expected->sha256, sizeof got->sha256) == 0);
    pz_userlist_free(&list);
}

static void read_parts(const struct pz_userlist *list, struct pz_slice input,
                       size_t piece)
{
    struct pz_buf out = PZ_BUF_INIT(0);

    for (size_t i = 0; i < pz_userlist_part_count(list); i++) {
        const struct pz_part *part = pz_userlist_part(list, i);
        struct pz_buf other = PZ_BUF_INIT(0);

        pz_buf_clear(&out);
        PROMISE(read_part(&out, list, i, input, piece));
        PROMISE(out.len == part->bytes);
        PROMISE(part->bytes <= list->options.part_size);
        read_again(pz_buf_slice(&out), part, piece);
        /* With a byte changed, either it is all the same or it fails. */
        if (part->offset < input.len) {
            struct pz_buf changed = PZ_BUF_INIT(0);

            PROMISE(pz_buf_adds(&changed, input) == PZ_OK);
            changed.data[part->offset] ^= 1;
            if (read_part(&other, list, i, pz_buf_slice(&changed), piece))
                PROMISE(pz_slice_eq(pz_buf_slice(&other),
                                    pz_buf_slice(&out)));
            pz_buf_free(&changed);
        }
        pz_buf_free(&other);
    }
    pz_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_userlist whole, cut;
    struct pz_slice text;
    size_t piece;

    if (size < OPTIONS || size > 1 << 14)
        return 0;
    piece = data[2] % 100;
    text = fuzz_slice(0, data + OPTIONS, size - OPTIONS);
    start(&whole, data[0], data[1]);
    read_all(&whole, text, 0);
    start(&cut, data[0], data[1]);
    read_all(&cut, text, piece);
    compare(&whole, &cut);
    read_parts(&cut, data[0] & 8 ? pz_buf_slice(&sunk) : text, piece);
    pz_userlist_free(&whole);
    pz_userlist_free(&cut);
    pz_buf_free(&sunk);
    return 0;
}
