/* Canonical requests of any path, query and headers; the kept key. */
#include "fuzz.h"

#include "../../src/core/pz_sigv4.h"
#include "../../src/core/pz_text.h"

enum { MANY = 40 };

static void check_names(struct pz_slice names, size_t headers)
{
    struct pz_slice before = { NULL, 0 };
    size_t count = 0;

    for (size_t at = 0; at <= names.len && headers > 0; count++) {
        size_t end = pz_slice_find(names, ';', at);
        struct pz_slice name = pz_slice_sub(names, at, end);
        size_t len = name.len < before.len ? name.len : before.len;
        int order = len ? memcmp(before.data, name.data, len) : 0;

        PROMISE(count == 0 || order < 0 ||
                (order == 0 && before.len < name.len));
        before = name;
        at = end + 1;
    }
    PROMISE(count <= headers);
}

static void sign(struct pz_signer *signer, struct pz_buf *out,
                 const struct pz_sigv4_request *request,
                 const struct pz_scope *scope, struct pz_slice secret)
{
    struct pz_buf scratch = PZ_BUF_SECRET(0);

    PROMISE(pz_sigv4_authorization(out, &scratch, signer, request, scope,
                                   PZ_LIT("AKID"), secret) == PZ_OK);
    pz_buf_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pz_signer *kept;
    struct pz_signer *fresh;
    struct pz_header headers[MANY];
    struct pz_sigv4_request request;
    struct pz_buf out = PZ_BUF_INIT(0), one = PZ_BUF_INIT(0),
                  two = PZ_BUF_INIT(0);
    struct pz_scope scope;
    struct pz_slice names = { NULL, 0 }, secret;
    enum pz_status status;
    int semicolon = 0;

    if (size < 2 || size > 1 << 14)
        return 0;
    memset(&request, 0, sizeof request);
    request.keep_dots = data[0] & 1;
    request.keep_path = data[0] >> 1 & 1;
    data++;
    size--;
    scope.region = fuzz_part(&data, &size);
    scope.service = fuzz_part(&data, &size);
    memcpy(scope.stamp, "20261124T101112Z", sizeof scope.stamp);
    secret = fuzz_part(&data, &size);
    request.method = PZ_LIT("POST");
    request.path = guard(0, fuzz_part(&data, &size));
    request.query = guard(1, fuzz_part(&data, &size));
    request.payload_hash = PZ_LIT("UNSIGNED-PAYLOAD");
    while (size > 0 && request.header_count < MANY) {
        struct pz_slice line = fuzz_part(&data, &size);
        size_t colon = pz_slice_find(line, ':', 0);
        struct pz_header *h = &headers[request.header_count++];

        h->name = pz_slice_sub(line, 0, colon);
        h->value = pz_slice_sub(line, colon + 1, line.len);
        semicolon |= pz_slice_find(h->name, ';', 0) < h->name.len;
    }
    request.headers = headers;

    status = pz_sigv4_canonical_request(&out, &names, &request);
    PROMISE(status == PZ_OK);
    PROMISE(names.data >= out.data &&
            names.data + names.len <= out.data + out.len);
    if (!semicolon)
        check_names(names, request.header_count);
    pz_buf_free(&out);

    if (secret.len == 0 || secret.len > 4096)
        return 0;
    /* The key kept from whatever came before changes nothing. */
    if (kept == NULL)
        kept = pz_signer_new();
    fresh = pz_signer_new();
    PROMISE(kept && fresh);
    sign(kept, &one, &request, &scope, secret);
    sign(fresh, &two, &request, &scope, secret);
    PROMISE(pz_slice_eq(pz_buf_slice(&one), pz_buf_slice(&two)));
    pz_signer_free(fresh);
    pz_buf_free(&one);
    pz_buf_free(&two);
    return 0;
}
