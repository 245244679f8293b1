/*
 * Feeds a fuzz target the files it is given, each in all its beginnings, and
 * prints how many there were.
 */
#include "fuzz.h"

enum { BEGINNINGS = 512 }; /* of longer files, only as many */

static uint8_t *read_file(const char *name, size_t *size)
{
    FILE *file = fopen(name, "rb");
    uint8_t *data = NULL;
    long len;

    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (len = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0 &&
        (data = malloc((size_t)len + 1)) != NULL) {
        *size = fread(data, 1, (size_t)len, file);
        if (*size != (size_t)len) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

int main(int count, char **names)
{
    int passed = 0, failed = 0;

    for (int i = 1; i < count; i++) {
        size_t size = 0;
        uint8_t *data = read_file(names[i], &size);

        if (data == NULL) {
            fprintf(stderr, "cannot read %s\n", names[i]);
            failed++;
            continue;
        }
        for (size_t n = 0; n < size && n < BEGINNINGS; n++)
            (void)LLVMFuzzerTestOneInput(data, n);
        (void)LLVMFuzzerTestOneInput(data, size);
        free(data);
        passed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
