/*
 * Requests: what is written is one request, to one host, of a known length;
 * or nothing. The lines are method, URL and the length's first digit, the
 * rest is the head.
 */
#include "fuzz.h"

#include "../../src/core/pz_head.h"
#include "../../src/core/pz_http1_request.h"
#include "../../src/core/pz_text.h"

static size_t count(struct pz_slice text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == c;
    return n;
}

static void check_text(struct pz_slice text,
                       const struct pz_http1_request *request)
{
    size_t eol = pz_slice_find(text, '\n', 0), hosts = 0, lengths = 0;
    struct pz_slice line = pz_slice_sub(text, 0, eol + 1), name, value;
    struct pz_slice rest = pz_slice_sub(text, eol + 1, text.len - 2);
    unsigned long long length = request->has_body ? request->length : 0;

    PROMISE(pz_slice_starts(line, request->method));
    PROMISE(count(line, ' ') == 2 && line.data[request->method.len + 1] == '/');
    PROMISE(pz_slice_eq(pz_slice_sub(line, eol - 10, eol + 1),
                        PZ_LIT(" HTTP/1.1\r\n")));
    while (rest.len > 0) {
        PROMISE(pz_head_take(&rest, &name, &value, length) == NULL);
        hosts += (size_t)pz_slice_ieq(name, PZ_LIT("host"));
        lengths += (size_t)pz_slice_ieq(name, PZ_LIT("content-length"));
    }
    PROMISE(hosts == 1 && lengths <= 1);
    PROMISE(lengths == 1 || !request->has_body);
    PROMISE(count(text, '\r') == count(text, '\n'));
    PROMISE(count(text, '\0') == 0);
    PROMISE(pz_slice_eq(pz_slice_sub(text, text.len - 4, text.len),
                        PZ_LIT("\r\n\r\n")));
}

static void check_connect(struct pz_slice host, struct pz_slice authorization)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    const char *fault = NULL;
    enum pz_status status = pz_http1_connect(&out, &fault, host, 443,
                                             authorization);

    PROMISE((status == PZ_OK) == (fault == NULL));
    if (status == PZ_OK)
        PROMISE(count(pz_buf_slice(&out), '\n') ==
                (authorization.len > 0 ? 4 : 3));
    else
        PROMISE(out.len == 0);
    pz_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_http1_request request;
    const char *fault = NULL;
    struct pz_uri uri;
    struct pz_slice digits;
    enum pz_status status;

    if (size > 1 << 14)
        return 0;
    memset(&request, 0, sizeof request);
    request.method = fuzz_part(&data, &size);
    request.url = fuzz_part(&data, &size);
    digits = fuzz_part(&data, &size);
    request.has_body = pz_head_length(digits, &request.length);
    request.head = fuzz_slice(0, data, size);
    status = pz_http1_request(&out, &uri, &fault, &request);
    PROMISE((status == PZ_OK) == (fault == NULL));
    if (status == PZ_OK) {
        check_text(pz_buf_slice(&out), &request);
        PROMISE(pz_http1_port(&uri) > 0 && pz_http1_port(&uri) < 65536);
    } else {
        PROMISE(status == PZ_EINVAL && out.len == 0);
    }
    check_connect(request.url, digits);
    pz_buf_free(&out);
    return 0;
}
