#include "pz_rewrite.h"

#include <string.h>

enum pz_status
pz_rewrite_init(struct pz_rewrite *rewrite, const struct pz_userlist *list,
                size_t index)
{
    memset(rewrite, 0, sizeof *rewrite);
    rewrite->list = list;
    rewrite->part = *pz_userlist_part(list, index);
    rewrite->is_raw = list->options.sink != NULL;
    rewrite->hash = pz_hash_new();
    return rewrite->hash ? pz_rewrite_start(rewrite) : PZ_ENOMEM;
}

void pz_rewrite_free(struct pz_rewrite *rewrite)
{
    pz_hash_free(rewrite->hash);
    memset(rewrite, 0, sizeof *rewrite);
}

enum pz_status pz_rewrite_start(struct pz_rewrite *rewrite)
{
    rewrite->input.len = 0;
    rewrite->is_last = 0;
    rewrite->left = rewrite->part.bytes;
    rewrite->record = rewrite->part.record;
    rewrite->line_at = 0;
    rewrite->line_len = sizeof PZ_CSV_HEADER - 1;
    memcpy(rewrite->line, PZ_CSV_HEADER, rewrite->line_len);
    pz_csv_resume(&rewrite->csv, &rewrite->list->csv, rewrite->part.offset);
    return pz_hash_start(rewrite->hash);
}

enum { LOOK_AHEAD = 4096 };

/* The lines until the next repeat, LOOK_AHEAD at most. */
static size_t lines_to_keep(const struct pz_rewrite *rewrite)
{
    const struct pz_userlist *list = rewrite->list;
    unsigned long long record = rewrite->record;
    size_t lines = 0;

    if (list->duplicates == 0)
        return (size_t)-1;
    while (lines < LOOK_AHEAD && !pz_userlist_is_dropped(list, record)) {
        lines++;
        record++;
    }
    return lines;
}

static void set_line(struct pz_rewrite *rewrite, struct pz_slice id)
{
    rewrite->line_at = 0;
    rewrite->line_len = pz_id_write(rewrite->line, id);
}

/* One event of the reader. */
static enum pz_status
read_list(struct pz_rewrite *rewrite, char *out, size_t len, size_t *made)
{
    struct pz_run run = { lines_to_keep(rewrite), NULL, { NULL, 0 }, 0, 0 };
    struct pz_csv *csv = &rewrite->csv;
    int at_end = rewrite->input.len == 0;
    enum pz_csv_event event = at_end
        ? pz_csv_end(csv)
        : pz_csv_next(csv, &rewrite->input, &run, len);

    if (event == PZ_CSV_RUN) {
        memcpy(out, csv->text.data, csv->text.len);
        *made = csv->text.len;
        rewrite->record += csv->lines;
        return PZ_OK;
    }
    if (event == PZ_CSV_ID) {
        if (!pz_userlist_is_dropped(rewrite->list, rewrite->record++))
            set_line(rewrite, csv->text);
        return PZ_OK;
    }
    /* A fault; or the end, with bytes still to come. */
    return event == PZ_CSV_MORE && !at_end ? PZ_OK : PZ_EINVAL;
}

static size_t copy(char *out, size_t len, struct pz_slice *from)
{
    size_t made = from->len < len ? from->len : len;

    if (made > 0)
        memcpy(out, from->data, made);
    *from = pz_slice_sub(*from, made, from->len);
    return made;
}

static size_t copy_line(struct pz_rewrite *rewrite, char *out, size_t len)
{
    struct pz_slice line = { rewrite->line, rewrite->line_len };
    size_t made;

    line = pz_slice_sub(line, rewrite->line_at, line.len);
    made = copy(out, len, &line);
    rewrite->line_at += made;
    return made;
}

static enum pz_status make(struct pz_rewrite *rewrite, char *out, size_t len,
                           size_t *total)
{
    enum pz_status status = PZ_OK;

    while (*total < len && status == PZ_OK) {
        size_t made = 0;

        if (rewrite->line_at < rewrite->line_len)
            made = copy_line(rewrite, out + *total, len - *total);
        else if (rewrite->input.len == 0 && !rewrite->is_last)
            break;
        else if (!rewrite->is_raw)
            status = read_list(rewrite, out + *total, len - *total, &made);
        else if (rewrite->input.len > 0)
            made = copy(out + *total, len - *total, &rewrite->input);
        else
            status = PZ_EINVAL;
        *total += made;
    }
    return status;
}

static enum pz_status verify(struct pz_rewrite *rewrite)
{
    unsigned char sha256[PZ_SHA256_LEN];
    enum pz_status status = pz_hash_end(rewrite->hash, sha256);

    if (status == PZ_OK &&
        memcmp(sha256, rewrite->part.sha256, sizeof sha256) != 0)
        status = PZ_EINVAL;
    return status;
}

enum pz_status
pz_rewrite_read(struct pz_rewrite *rewrite, char *out, size_t len,
                size_t *made)
{
    struct pz_slice text = { out, 0 };
    enum pz_status status;

    if (len > rewrite->left)
        len = (size_t)rewrite->left;
    status = make(rewrite, out, len, &text.len);
    if (status == PZ_OK)
        status = pz_hash_add(rewrite->hash, text);
    if (status == PZ_OK)
        rewrite->left -= text.len;
    if (status == PZ_OK && rewrite->left == 0 && text.len > 0)
        status = verify(rewrite);
    *made = status == PZ_OK ? text.len : 0;
    return status;
}
