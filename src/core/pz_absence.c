#include "pz_absence.h"

#include <string.h>

#include "pz_text.h"

static void note(struct pz_matches *matches, unsigned long long line)
{
    if (matches->count < PZ_ABSENCE_LINES)
        matches->lines[matches->count] = line;
    matches->count++;
}

static void look_up(struct pz_absence *absence)
{
    for (size_t i = 0; i < absence->waiting; i++)
        pz_idtable_prepare(absence->table, absence->batch[i].hash);
    for (size_t i = 0; i < absence->waiting; i++) {
        struct pz_absence_column *column =
            &absence->counts[absence->batch[i].index];

        switch (pz_idtable_find(absence->table, absence->batch[i].hash)) {
        case PZ_ID_THERE:
            note(&column->found, absence->batch[i].line);
            break;
        case PZ_ID_NEAR:
            note(&column->near, absence->batch[i].line);
            break;
        case PZ_ID_ABSENT:
            break;
        }
    }
    absence->waiting = 0;
}

static int take(void *arg, size_t index, struct pz_slice field,
                unsigned long long line)
{
    struct pz_absence *absence = arg;
    uint64_t not_ascii = 0;
    size_t at = absence->waiting, count;

    if (field.len == 0)
        return 1;
    absence->counts[index].fields++;
    if (absence->table == NULL || field.len > PZ_ID_BYTES)
        return 1; /* no id is so long */
    absence->batch[at].hash = pz_idtable_hash(absence->table, field,
                                              &not_ascii);
    if (not_ascii && !pz_utf8_count(field, &count))
        return 0;
    absence->batch[at].line = line;
    absence->batch[at].index = index;
    absence->waiting++;
    if (absence->waiting == PZ_ABSENCE_BATCH)
        look_up(absence);
    return 1;
}

void pz_absence_start(struct pz_absence *absence, struct pz_idtable *table,
                      const struct pz_columns_options *options)
{
    struct pz_columns_options mine = *options;

    mine.take = take;
    mine.take_arg = absence;
    absence->table = table;
    absence->waiting = 0;
    memset(absence->counts, 0, sizeof absence->counts);
    pz_columns_start(&absence->reader, &mine);
}

void pz_absence_feed(struct pz_absence *absence, struct pz_slice text)
{
    pz_columns_feed(&absence->reader, text);
    look_up(absence);
}

void pz_absence_end(struct pz_absence *absence)
{
    pz_columns_end(&absence->reader);
    look_up(absence);
}
