/* Every pattern of the model, on any text. */
#include "fuzz.h"

#include "../../src/core/pz_model.h"

static void match_all(const struct pz_shape *shape, struct pz_slice text)
{
    if (shape->matches)
        (void)shape->matches(text);
    if (shape->kind == PZ_LIST)
        match_all(shape->element, text);
    if (shape->kind != PZ_STRUCTURE)
        return;
    for (size_t i = 0; i < shape->member_count; i++)
        match_all(shape->members[i].shape, text);
    if (pz_member_find(shape, text))
        PROMISE(pz_member_nearest(shape, text) != NULL);
    (void)pz_member_nearest(shape, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_slice text = fuzz_slice(0, data, size);
    size_t count;
    const struct pz_operation *all = pz_operations(&count);

    if (size > 4096)
        return 0;
    (void)pz_operation_find(text);
    for (size_t i = 0; i < count; i++) {
        match_all(all[i].input, text);
        match_all(all[i].output, text);
    }
    return 0;
}
