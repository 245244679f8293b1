#include "pz_userlist.h"

#include <string.h>

/* A shorter run is copied, to be hashed with its neighbours. */
enum { PENDING_MAX = 64 << 10, RUN_MIN = 1 << 10, BATCH = 64 };

#define HEADER PZ_LIT(PZ_CSV_HEADER)
#define MEMORY_MAX ((size_t)-1 / 4)

static const char MISFIT[] = "the id does not fit into a part of this size";

enum pz_status
pz_userlist_init(struct pz_userlist *list,
                 const struct pz_userlist_options *options)
{
    memset(list, 0, sizeof *list);
    list->options = *options;
    list->parts.max = PZ_PARTS_MAX * sizeof(struct pz_part);
    list->dropped.max = MEMORY_MAX;
    list->pending.max = PENDING_MAX + PZ_ID_WRITTEN;
    pz_csv_start(&list->csv, options->format, options->column);
    if (options->delimiter)
        list->csv.delimiter = options->delimiter;
    list->hash = pz_hash_new();
    if (list->hash && options->unique)
        list->set = pz_idset_new(options->key, options->memory);
    if (list->hash && (list->set || !options->unique) &&
        pz_buf_reserve(&list->pending, list->pending.max) == PZ_OK)
        return PZ_OK;
    pz_userlist_free(list);
    return PZ_ENOMEM;
}

/* What only the pass needs. */
static void free_working(struct pz_userlist *list)
{
    pz_hash_free(list->hash);
    list->hash = NULL;
    pz_idset_free(list->set);
    list->set = NULL;
    pz_buf_free(&list->pending);
}

void pz_userlist_free(struct pz_userlist *list)
{
    free_working(list);
    pz_buf_free(&list->parts);
    pz_buf_free(&list->faults);
    pz_buf_free(&list->dropped);
    memset(list, 0, sizeof *list);
}

size_t pz_userlist_part_count(const struct pz_userlist *list)
{
    return list->parts.len / sizeof(struct pz_part);
}

static struct pz_part *part_at(const struct pz_userlist *list, size_t index)
{
    /* The heap's alignment serves any struct. */
    return index < pz_userlist_part_count(list)
        ? (struct pz_part *)(void *)list->parts.data + index : NULL;
}

const struct pz_part *
pz_userlist_part(const struct pz_userlist *list, size_t index)
{
    return part_at(list, index);
}

size_t pz_userlist_faults_kept(const struct pz_userlist *list)
{
    return list->faults.len / sizeof(struct pz_csv_fault);
}

const struct pz_csv_fault *
pz_userlist_fault(const struct pz_userlist *list, size_t index)
{
    return index < pz_userlist_faults_kept(list)
        ? (const struct pz_csv_fault *)(const void *)list->faults.data + index
        : NULL;
}

int pz_userlist_is_over(const struct pz_userlist *list)
{
    return list->csv.is_over;
}

/* -- Faults ------------------------------------------------------------- */

/* The same in so many lines one after the other. */
static enum pz_status
note(struct pz_userlist *list, struct pz_csv_fault fault,
     unsigned long long times)
{
    unsigned long long *count = &list->fault_counts[fault.code];
    enum pz_status status = PZ_OK;

    for (unsigned long long i = 0; i < times && *count + i < PZ_FAULTS_KEPT &&
         status == PZ_OK; i++) {
        status = pz_buf_add(&list->faults, &fault, sizeof fault);
        fault.line++;
    }
    *count += times;
    list->fault_count += times;
    return status;
}

/* -- Repeats ------------------------------------------------------------ */

int pz_userlist_is_dropped(const struct pz_userlist *list,
                           unsigned long long record)
{
    return record / 8 < list->dropped.len &&
           (list->dropped.data[record / 8] >> (record % 8) & 1);
}

static enum pz_status drop(struct pz_userlist *list, unsigned long long record)
{
    struct pz_buf *bits = &list->dropped;

    if (record / 8 >= MEMORY_MAX)
        return PZ_ENOMEM;
    if (record / 8 >= bits->len) {
        size_t more = (size_t)(record / 8) + 1 - bits->len;
        enum pz_status status = pz_buf_reserve(bits, more);

        if (status != PZ_OK)
            return status;
        memset(bits->data + bits->len, 0, more);
        bits->len += more;
    }
    bits->data[record / 8] |= (char)(1 << (record % 8));
    list->duplicates++;
    return PZ_OK;
}

/* -- Parts -------------------------------------------------------------- */

static enum pz_status put_out(struct pz_userlist *list, struct pz_slice bytes)
{
    enum pz_status status = pz_hash_add(list->hash, bytes);

    if (status == PZ_OK && list->options.sink)
        status = list->options.sink(list->options.sink_arg, bytes);
    list->sunk += bytes.len;
    return status;
}

static enum pz_status put_pending(struct pz_userlist *list)
{
    enum pz_status status = put_out(list, pz_buf_slice(&list->pending));

    pz_buf_clear(&list->pending);
    return status;
}

static enum pz_status end_part(struct pz_userlist *list)
{
    size_t count = pz_userlist_part_count(list);
    enum pz_status status;

    if (!list->has_part)
        return PZ_OK;
    list->has_part = 0;
    status = put_pending(list);
    return status == PZ_OK
        ? pz_hash_end(list->hash, part_at(list, count - 1)->sha256) : status;
}

/* 'offset' and 'record' are those of its first id. */
static enum pz_status start_part(struct pz_userlist *list,
                                 unsigned long long offset,
                                 unsigned long long record)
{
    struct pz_part part = { 0, sizeof PZ_CSV_HEADER - 1, { 0 }, 0, 0 };
    enum pz_status status;

    part.offset = list->options.sink ? list->sunk : offset;
    part.record = record;
    status = pz_buf_add(&list->parts, &part, sizeof part);
    if (status == PZ_OK)
        status = pz_hash_start(list->hash);
    if (status == PZ_OK)
        status = pz_hash_add(list->hash, HEADER);
    list->bytes += part.bytes;
    list->has_part = status == PZ_OK;
    return status;
}

/* Bytes that still fit into the part, or into a new one. */
static unsigned long long room(const struct pz_userlist *list)
{
    size_t count = pz_userlist_part_count(list);

    return list->options.part_size -
           (list->has_part ? part_at(list, count - 1)->bytes
                           : sizeof PZ_CSV_HEADER - 1);
}

/* Whole lines that fit. */
static enum pz_status append(struct pz_userlist *list, struct pz_slice bytes,
                             unsigned long long users)
{
    struct pz_part *part = part_at(list, pz_userlist_part_count(list) - 1);
    enum pz_status status = PZ_OK;

    part->users += users;
    part->bytes += bytes.len;
    list->users += users;
    list->bytes += bytes.len;
    if (bytes.len < RUN_MIN)
        status = pz_buf_adds(&list->pending, bytes);
    if (list->pending.len >= PENDING_MAX ||
        (bytes.len >= RUN_MIN && list->pending.len > 0))
        status = put_pending(list);
    if (status == PZ_OK && bytes.len >= RUN_MIN)
        status = put_out(list, bytes);
    return status;
}

static enum pz_status
put(struct pz_userlist *list, struct pz_slice bytes, unsigned long long users,
    unsigned long long offset, unsigned long long record)
{
    enum pz_status status = PZ_OK;

    if (list->fault_count > 0) { /* nothing of it will be sent */
        list->users += users;
        return PZ_OK;
    }
    if (bytes.len > room(list))
        status = end_part(list);
    if (status == PZ_OK && !list->has_part)
        status = start_part(list, offset, record);
    return status == PZ_OK ? append(list, bytes, users) : status;
}

/* -- Warnings ----------------------------------------------------------- */

static void warn(struct pz_userlist *list, enum pz_oddity oddity,
                 unsigned long long line)
{
    struct pz_warning *warning = &list->warnings[oddity];

    if (warning->count < PZ_LINES_KEPT)
        warning->lines[warning->count] = line;
    warning->count++;
}

/* The name that the column has in the header. */
static struct pz_slice column_name(const struct pz_userlist *list)
{
    struct pz_slice usual = PZ_LIT(PZ_CSV_COLUMN);

    return list->options.column.len > 0 ? list->options.column : usual;
}

/* Of an id that is no line of a run. */
static void look_at(struct pz_userlist *list, struct pz_slice id,
                    unsigned long long line)
{
    unsigned found = pz_id_oddities(id);

    for (int i = 0; found >> i; i++)
        if (found >> i & 1)
            warn(list, (enum pz_oddity)i, line);
    /* The first may be the header of a list with other columns. */
    if (list->records == 0 ? pz_id_has_header(id, column_name(list))
                           : pz_id_is_header(id, column_name(list)))
        warn(list, PZ_ODD_HEADER, line);
}

/* -- Records ------------------------------------------------------------ */

/* A line of a run, or an id as it is written. */
static enum pz_status put_id(struct pz_userlist *list, struct pz_slice id,
                             unsigned long long offset)
{
    char line[PZ_ID_WRITTEN];
    struct pz_slice bytes = { line, pz_id_write(line, id) };
    enum pz_status status = PZ_OK;
    int is_new = 1;

    if (list->set)
        status = pz_idset_add(list->set, pz_idset_hash(list->set, id),
                              &is_new);
    if (status == PZ_OK)
        status = is_new
            ? put(list, bytes, 1, offset, list->records)
            : drop(list, list->records);
    list->records++;
    return status;
}

static int is_misfit(const struct pz_userlist *list, struct pz_slice id)
{
    char line[PZ_ID_WRITTEN];

    return list->options.part_size < PZ_ID_WRITTEN + sizeof PZ_CSV_HEADER &&
           pz_id_write(line, id) + sizeof PZ_CSV_HEADER - 1 >
               list->options.part_size;
}

static enum pz_status read_id(struct pz_userlist *list)
{
    struct pz_csv *csv = &list->csv;
    struct pz_csv_fault fault = { PZ_CSV_LENGTH, 0, 1, MISFIT };

    fault.line = csv->field_line;
    if (is_misfit(list, csv->text))
        return note(list, fault, 1);
    look_at(list, csv->text, csv->field_line);
    return put_id(list, csv->text, csv->start);
}

/* The lines of a run, without those that are there already. */
static enum pz_status put_new(struct pz_userlist *list,
                              const struct pz_run *run)
{
    const struct pz_csv *csv = &list->csv;
    struct pz_idhash hashes[BATCH];
    enum pz_status status = PZ_OK;
    size_t from = 0, lines = 0, start = 0;

    for (size_t i = 0; i < run->lines; i++) {
        struct pz_slice id = pz_slice_sub(csv->text, start, run->ends[i]);

        hashes[i] = pz_idset_hash(list->set, id);
        start = run->ends[i] + 1;
    }
    for (size_t i = 0; i < run->lines; i++)
        pz_idset_prepare(list->set, hashes[i]);
    for (size_t i = 0; i < run->lines && status == PZ_OK; i++) {
        int is_new = 1;

        status = pz_idset_add(list->set, hashes[i], &is_new);
        if (status == PZ_OK && is_new) {
            lines++;
            continue;
        }
        /* What is new before this one goes out. */
        start = i > 0 ? run->ends[i - 1] + 1 : 0;
        if (status == PZ_OK && lines > 0)
            status = put(list, pz_slice_sub(csv->text, from, start), lines,
                         csv->start + from, list->records + i - lines);
        if (status == PZ_OK)
            status = drop(list, list->records + i);
        from = run->ends[i] + 1;
        lines = 0;
    }
    if (status == PZ_OK && lines > 0)
        status = put(list, pz_slice_sub(csv->text, from, csv->text.len), lines,
                     csv->start + from, list->records + run->lines - lines);
    list->records += run->lines;
    return status;
}

static enum pz_status read_run(struct pz_userlist *list,
                               const struct pz_run *run)
{
    const struct pz_csv *csv = &list->csv;
    enum pz_status status;

    if (list->set)
        return put_new(list, run);
    status = put(list, csv->text, run->lines, csv->start, list->records);
    list->records += run->lines;
    return status;
}

static enum pz_status ended(struct pz_userlist *list, enum pz_status status)
{
    if (status == PZ_ETOOBIG)
        list->has_too_many_parts = 1;
    return status;
}

static enum pz_status
take_event(struct pz_userlist *list, enum pz_csv_event event,
           const struct pz_run *run)
{
    switch (event) {
    case PZ_CSV_RUN:
        return read_run(list, run);
    case PZ_CSV_ID:
        return read_id(list);
    case PZ_CSV_FAULT:
        return note(list, list->csv.fault, list->csv.times);
    case PZ_CSV_MORE:
        break;
    }
    return PZ_OK;
}

enum pz_status
pz_userlist_feed(struct pz_userlist *list, struct pz_slice text)
{
    size_t ends[BATCH];
    struct pz_run run = { (size_t)-1, NULL, column_name(list), 0, 0 };
    enum pz_csv_event event = PZ_CSV_RUN;
    enum pz_status status = PZ_OK;

    if (list->set) {
        run.max_lines = BATCH;
        run.ends = ends;
    }
    while (status == PZ_OK && event != PZ_CSV_MORE) {
        unsigned long long longest = room(list);

        /* The first id is looked at by itself: see look_at. */
        event = pz_csv_next(&list->csv, &text,
                            list->records > 0 ? &run : NULL,
                            longest < text.len ? (size_t)longest : text.len);
        status = take_event(list, event, &run);
    }
    return ended(list, status);
}

enum pz_status
pz_userlist_add_fault(struct pz_userlist *list, enum pz_csv_code code,
                      const char *message)
{
    struct pz_csv_fault fault = { code, list->records + 1, 1, message };

    list->records++;
    return note(list, fault, 1);
}

enum pz_status
pz_userlist_add(struct pz_userlist *list, struct pz_slice id)
{
    enum pz_csv_code code;
    size_t at;
    const char *message = pz_id_fault(&code, &at, id);

    if (message == NULL && is_misfit(list, id)) {
        code = PZ_CSV_LENGTH;
        message = MISFIT;
    }
    if (message)
        return pz_userlist_add_fault(list, code, message);
    look_at(list, id, list->records + 1);
    return ended(list, put_id(list, id, 0));
}

enum pz_status pz_userlist_finish(struct pz_userlist *list)
{
    struct pz_csv_fault empty = { PZ_CSV_EMPTY, 1, 1,
                                  "the list has no user" };
    enum pz_csv_event event;
    enum pz_status status = PZ_OK;

    if (list->is_finished)
        return PZ_OK;
    do {
        event = pz_csv_end(&list->csv);
        status = take_event(list, event, NULL);
    } while (status == PZ_OK && event != PZ_CSV_MORE);
    if (status == PZ_OK && list->fault_count == 0)
        status = end_part(list);
    if (status == PZ_OK && list->fault_count == 0 && list->users == 0)
        status = note(list, empty, 1);
    if (status != PZ_OK)
        return ended(list, status);
    if (list->fault_count > 0) {
        pz_buf_free(&list->parts);
        list->bytes = 0;
    }
    free_working(list);
    list->is_finished = 1;
    return PZ_OK;
}
