#include "pz_userlist.h"

#include <string.h>

/* A shorter run is copied, to be hashed with its neighbours. */
enum { PENDING_MAX = 64 << 10, RUN_MIN = 1 << 10 };

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
    if (list->hash && (options->unique || options->count_repeats))
        list->set = pz_idset_new(options->key, options->memory);
    list->has_uncounted_repeats = options->count_repeats && !list->set;
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

/* Is the input read once more, to leave out the repeats? */
static int is_second(const struct pz_userlist *list)
{
    return list->stage == PZ_LIST_AGAIN;
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
    /* Nothing will be sent, so that no repeat has to be dropped from it. */
    if (list->options.unique && !is_second(list)) {
        pz_idset_free(list->set);
        list->set = NULL;
    }
    return status;
}

/* -- Repeats ------------------------------------------------------------ */

static void stop_counting(struct pz_userlist *list)
{
    pz_idset_free(list->set);
    list->set = NULL;
    list->has_uncounted_repeats = 1;
}

void pz_userlist_expect(struct pz_userlist *list, unsigned long long total)
{
    double share = (double)list->csv.offset / ((double)total + 1);

    /* With a doubt left: the rest may have longer ids. */
    if (list->set && !list->options.unique &&
        (double)list->records > 1.25 * PZ_COUNTED_MOST * share &&
        list->records > 0)
        stop_counting(list);
}

/* Of a set that is there. 'line' is the first id's. */
static enum pz_status note_ids(struct pz_userlist *list,
                               struct pz_idhash *hashes, size_t count,
                               unsigned long long line)
{
    if (list->options.unique)
        return pz_idset_put(list->set, hashes, count);
    for (size_t i = 0; i < count; i++)
        hashes[i].high = line + i;
    if (pz_idset_count(list->set) + count > PZ_COUNTED_MOST ||
        pz_idset_put(list->set, hashes, count) != PZ_OK)
        stop_counting(list);
    return PZ_OK;
}

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

/* Without repeats there may be few enough parts: until that is known, the sink
   alone needs the rest. */
static enum pz_status put_overfull(struct pz_userlist *list,
                                   struct pz_slice bytes)
{
    list->is_overfull = 1;
    return list->options.sink
        ? list->options.sink(list->options.sink_arg, bytes) : PZ_OK;
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
    if (list->is_overfull)
        return put_overfull(list, bytes);
    if (bytes.len > room(list))
        status = end_part(list);
    if (status == PZ_OK && !list->has_part)
        status = start_part(list, offset, record);
    if (status == PZ_ETOOBIG && list->options.unique && !is_second(list))
        return put_overfull(list, bytes);
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

/* Tells the ids to whoever wants them; not twice. */
static enum pz_status tell(const struct pz_userlist *list, const char *text,
                           const size_t *ends, size_t count)
{
    const struct pz_userlist_options *options = &list->options;

    return options->each && !is_second(list)
        ? options->each(options->each_arg, text, ends, count) : PZ_OK;
}

static enum pz_status put_id(struct pz_userlist *list, struct pz_slice id,
                             unsigned long long line,
                             unsigned long long offset)
{
    char room[PZ_ID_WRITTEN];
    struct pz_slice bytes = { room, pz_id_write(room, id) };
    enum pz_status status = tell(list, id.data, &id.len, 1);
    int is_repeat = 0;

    if (status == PZ_OK && list->set) {
        struct pz_idhash hash = pz_idset_hash(list->set, id);

        if (is_second(list))
            is_repeat = pz_idset_is_repeat(list->set, hash);
        else
            status = note_ids(list, &hash, 1, line);
    }
    if (status == PZ_OK)
        status = is_repeat ? drop(list, list->records)
                           : put(list, bytes, 1, offset, list->records);
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
    if (!is_second(list))
        look_at(list, csv->text, csv->field_line);
    return put_id(list, csv->text, csv->field_line, csv->start);
}

static enum pz_status note_run(struct pz_userlist *list,
                               const struct pz_run *run)
{
    struct pz_idhash hashes[PZ_LIST_BATCH];

    pz_idset_hash_lines(list->set, hashes, list->csv.text.data, run->ends,
                        run->lines);
    return note_ids(list, hashes, run->lines, list->csv.line - run->lines);
}

/* The lines of a run, without repeats. */
static enum pz_status put_new(struct pz_userlist *list,
                              const struct pz_run *run)
{
    const struct pz_csv *csv = &list->csv;
    struct pz_idhash hashes[PZ_LIST_BATCH];
    enum pz_status status = PZ_OK;
    size_t from = 0, lines = 0;

    pz_idset_hash_lines(list->set, hashes, csv->text.data, run->ends,
                        run->lines);
    for (size_t i = 0; i < run->lines; i++)
        pz_idset_prepare(list->set, hashes[i]);
    for (size_t i = 0; i < run->lines && status == PZ_OK; i++) {
        size_t start = i > 0 ? run->ends[i - 1] + 1 : 0;

        if (!pz_idset_is_repeat(list->set, hashes[i])) {
            lines++;
            continue;
        }
        /* What is new before this one goes out. */
        if (lines > 0)
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
    enum pz_status status = PZ_OK;

    if (list->set && is_second(list))
        return put_new(list, run);
    if (list->set)
        status = note_run(list, run);
    if (status == PZ_OK)
        status = tell(list, csv->text.data, run->ends, run->lines);
    if (status == PZ_OK)
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
    struct pz_run run = { (size_t)-1, NULL, column_name(list), 0, 0 };
    enum pz_csv_event event = PZ_CSV_RUN;
    enum pz_status status = PZ_OK;

    while (status == PZ_OK && event != PZ_CSV_MORE) {
        unsigned long long longest = room(list);
        int needs_ends = list->set != NULL || list->options.each != NULL;

        run.max_lines = needs_ends ? PZ_LIST_BATCH : (size_t)-1;
        run.ends = needs_ends ? list->ends : NULL;

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
    return ended(list, put_id(list, id, list->records + 1, 0));
}

/* -- The end ------------------------------------------------------------- */

static enum pz_status finish(struct pz_userlist *list)
{
    if (list->fault_count > 0) {
        pz_buf_free(&list->parts);
        list->bytes = 0;
    }
    free_working(list);
    list->stage = PZ_LIST_FINISHED;
    return PZ_OK;
}

/* The input is read once more: that of the sink is a list of its own. */
static enum pz_status start_again(struct pz_userlist *list)
{
    struct pz_csv csv;

    pz_csv_start(&csv, list->options.sink ? PZ_CSV_HEADED : list->csv.format,
                 list->csv.column);
    csv.delimiter = list->options.sink ? ',' : list->csv.delimiter;
    if (list->options.sink)
        pz_csv_resume(&list->csv, &csv, 0);
    else
        list->csv = csv;
    list->options.sink = NULL;
    pz_buf_clear(&list->parts);
    list->users = list->bytes = list->records = 0;
    list->is_overfull = 0;
    list->stage = PZ_LIST_AGAIN;
    return PZ_OK;
}

static enum pz_status decide_repeats(struct pz_userlist *list)
{
    struct pz_warning *warning = &list->warnings[PZ_ODD_REPEAT];
    int is_done;
    enum pz_status status = pz_idset_decide_lines(list->set, &is_done,
                                                  warning->lines);

    if (status == PZ_OK && !is_done)
        return PZ_OK;
    if (status == PZ_OK)
        warning->count = pz_idset_repeats(list->set);
    else
        stop_counting(list);
    return finish(list);
}

enum pz_status pz_userlist_decide(struct pz_userlist *list)
{
    enum pz_status status;
    int is_done;

    if (list->stage != PZ_LIST_DECIDING)
        return PZ_OK;
    if (!list->options.unique)
        return decide_repeats(list);
    status = pz_idset_decide(list->set, &is_done);
    if (status != PZ_OK || !is_done)
        return status;
    if (pz_idset_repeats(list->set) > 0)
        return start_again(list);
    return list->is_overfull ? ended(list, PZ_ETOOBIG) : finish(list);
}

static enum pz_status end_input(struct pz_userlist *list)
{
    struct pz_csv_fault empty = { PZ_CSV_EMPTY, 1, 1,
                                  "the list has no user" };
    enum pz_csv_event event;
    enum pz_status status = PZ_OK;

    do {
        event = pz_csv_end(&list->csv);
        status = take_event(list, event, NULL);
    } while (status == PZ_OK && event != PZ_CSV_MORE);
    if (status == PZ_OK && list->fault_count == 0)
        status = end_part(list);
    if (status == PZ_OK && list->fault_count == 0 && list->users == 0)
        status = note(list, empty, 1);
    return status;
}

enum pz_status pz_userlist_end(struct pz_userlist *list)
{
    enum pz_status status;

    if (list->stage != PZ_LIST_READING && list->stage != PZ_LIST_AGAIN)
        return PZ_OK;
    status = end_input(list);
    if (status != PZ_OK)
        return ended(list, status);
    if (list->stage == PZ_LIST_AGAIN || list->set == NULL)
        return finish(list);
    list->stage = PZ_LIST_DECIDING;
    return PZ_OK;
}

enum pz_status pz_userlist_finish(struct pz_userlist *list)
{
    enum pz_status status = pz_userlist_end(list);

    while (status == PZ_OK && list->stage == PZ_LIST_DECIDING)
        status = pz_userlist_decide(list);
    return status;
}
