#include "pz_attempt.h"

#include <string.h>

#include "pz_json.h"
#include "pz_text.h"
#include "pz_uri.h"

enum { CODE_MAX = 128, REQUEST_ID_MAX = 128, KEY_ID_MAX = 128,
       TOKEN_MAX = 16384 };

/* Fit for a header value: visible ASCII and inner spaces. */
static int is_header_text(struct pz_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < ' ' || s.data[i] > '~')
            return 0;
    return 1;
}

static enum pz_status
set_urls(struct pz_service *service, struct pz_slice endpoint)
{
    struct pz_uri uri;
    enum pz_status status = pz_uri_parse(&uri, endpoint);
    struct pz_slice origin;

    if (status != PZ_OK)
        return status;
    origin = pz_slice_sub(endpoint, 0, endpoint.len - uri.path.len);
    if ((status = pz_uri_host(&service->host, &uri)) != PZ_OK ||
        (status = pz_buf_adds(&service->path, uri.path)) != PZ_OK)
        return status;
    /* Requests go to "/" below the endpoint's own path. */
    if (uri.path.len == 0 || uri.path.data[uri.path.len - 1] != '/') {
        status = pz_buf_addc(&service->path, '/');
        if (status != PZ_OK)
            return status;
    }
    {
        struct pz_slice parts[] = { origin, pz_buf_slice(&service->path) };

        return pz_buf_addv(&service->url, parts, PZ_COUNT(parts));
    }
}

static const char *params_fault(const struct pz_service_params *params)
{
    if (!pz_is_host_label(params->region))
        return "the region is not a valid host label";
    if (!pz_is_host_label(params->signing_name))
        return "the signing name is not valid";
    if (params->target_prefix.len == 0 || !pz_is_visible(params->target_prefix))
        return "the target prefix is not valid";
    if (!is_header_text(params->user_agent))
        return "the user agent has characters that no header may have";
    return NULL;
}

enum pz_status
pz_service_init(struct pz_service *service, const char **error,
                const struct pz_service_params *params)
{
    enum pz_status status;

    service->scratch.secret = 1;
    service->head.secret = 1;
    service->correct_skew = 1;
    pz_retry_init(&service->retry, 0);
    *error = params_fault(params);
    if (*error)
        return PZ_EINVAL;
    if ((status = set_urls(service, params->endpoint)) != PZ_OK) {
        if (status == PZ_EINVAL)
            *error = "the endpoint must be http://HOST or https://HOST, with "
                     "an optional port and path";
        return status;
    }
    if ((status = pz_buf_adds(&service->region, params->region)) != PZ_OK ||
        (status = pz_buf_adds(&service->signing_name,
                              params->signing_name)) != PZ_OK ||
        (status = pz_buf_adds(&service->target_prefix,
                              params->target_prefix)) != PZ_OK ||
        (status = pz_buf_adds(&service->user_agent,
                              params->user_agent)) != PZ_OK)
        return status;
    service->signer = pz_signer_new();
    return service->signer ? PZ_OK : PZ_ENOMEM;
}

void pz_service_free(struct pz_service *service)
{
    struct pz_buf *all[] = {
        &service->url, &service->host, &service->path, &service->region,
        &service->signing_name, &service->target_prefix,
        &service->user_agent, &service->scratch, &service->head
    };

    for (size_t i = 0; i < PZ_COUNT(all); i++)
        pz_buf_free(all[i]);
    pz_signer_free(service->signer);
    service->signer = NULL;
}

/* RFC 9562, version 4. */
static void make_uuid(char out[PZ_UUID_LEN], const unsigned char random[16])
{
    unsigned char bytes[16];
    char hex[32];
    size_t to = 0;

    memcpy(bytes, random, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    pz_hex(hex, bytes, sizeof bytes);
    for (size_t from = 0; from < sizeof hex; from++) {
        if (from == 8 || from == 12 || from == 16 || from == 20)
            out[to++] = '-';
        out[to++] = hex[from];
    }
}

static int is_identifier(struct pz_slice s)
{
    if (s.len < 1 || s.len > PZ_OPERATION_MAX)
        return 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (i > 0 && c >= '0' && c <= '9')))
            return 0;
    }
    return 1;
}

enum pz_status
pz_attempt_start(struct pz_attempt *attempt, struct pz_service *service,
                 struct pz_slice operation, struct pz_slice body,
                 const unsigned char random[16], unsigned max_attempts)
{
    if (!is_identifier(operation))
        return PZ_EINVAL;
    memcpy(attempt->operation, operation.data, operation.len);
    attempt->operation[operation.len] = '\0';
    attempt->body_len = body.len;
    attempt->number = 0;
    attempt->max_attempts = max_attempts;
    attempt->skew = service->skew;
    attempt->cost = 0;
    attempt->unclear = 0;
    make_uuid(attempt->invocation_id, random);
    return pz_sha256_hex(pz_signer_crypto(service->signer),
                         attempt->payload_hash, body);
}

const char *pz_credentials_fault(const struct pz_credentials *c)
{
    if (c->access_key_id.len == 0)
        return "access_key_id is missing";
    if (c->secret_access_key.len == 0)
        return "secret_access_key is missing";
    if (c->access_key_id.len > KEY_ID_MAX || !pz_is_visible(c->access_key_id))
        return "access_key_id has characters that no access key id has";
    if (c->session_token.len > TOKEN_MAX || !pz_is_visible(c->session_token))
        return "session_token has characters that no session token has";
    return NULL;
}

/* Decimal digits of 'n' at the end of 'digits'. */
static struct pz_slice decimal(char digits[20], unsigned long long n)
{
    size_t at = 20;
    struct pz_slice s;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    s.data = digits + at;
    s.len = 20 - at;
    return s;
}

static enum pz_status
add_line(struct pz_buf *out, struct pz_slice name, struct pz_slice value)
{
    struct pz_slice parts[] = { name, PZ_LIT(": "), value, PZ_LIT("\r\n") };

    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

enum { HEADERS = 9, UNSIGNED = 1 };

/*
 * All header lines but Authorization; the last UNSIGNED ones are left out of
 * the signature: proxies rewrite a User-Agent. Sorted by name, which spares
 * the signer the sorting. 'values' is memory for the composed ones.
 */
static size_t
list_headers(struct pz_header headers[HEADERS], struct pz_buf *values,
             const struct pz_attempt *attempt, const struct pz_service *service,
             const struct pz_credentials *credentials, const char *stamp)
{
    char digits[20], max_digits[20], length_digits[20];
    struct pz_slice length = decimal(length_digits, attempt->body_len);
    struct pz_slice target[] = { pz_buf_slice(&service->target_prefix),
                                 PZ_LIT("."),
                                 pz_slice_of(attempt->operation) };
    struct pz_slice counter[] = { PZ_LIT("attempt="),
                                  decimal(digits, attempt->number),
                                  PZ_LIT("; max="),
                                  decimal(max_digits, attempt->max_attempts) };
    size_t counter_end, length_end, n = 0;
    struct pz_slice all;

    /* Reserved by the caller: values must not move while slices point in. */
    if (pz_buf_addv(values, counter, PZ_COUNT(counter)) != PZ_OK)
        return 0;
    counter_end = values->len;
    if (pz_buf_adds(values, length) != PZ_OK)
        return 0;
    length_end = values->len;
    if (pz_buf_addv(values, target, PZ_COUNT(target)) != PZ_OK)
        return 0;
    all = pz_buf_slice(values);

#define ADD(title, text) \
    (headers[n].name = PZ_LIT(title), headers[n].value = (text), n++)
    ADD("amz-sdk-invocation-id",
        ((struct pz_slice){ attempt->invocation_id, PZ_UUID_LEN }));
    ADD("amz-sdk-request", pz_slice_sub(all, 0, counter_end));
    ADD("content-length", pz_slice_sub(all, counter_end, length_end));
    ADD("content-type", PZ_LIT("application/x-amz-json-1.1"));
    ADD("host", pz_buf_slice(&service->host));
    ADD("x-amz-date", ((struct pz_slice){ stamp, PZ_STAMP_LEN }));
    if (credentials->session_token.len > 0)
        ADD("x-amz-security-token", credentials->session_token);
    ADD("x-amz-target", pz_slice_sub(all, length_end, all.len));
    ADD("user-agent", pz_buf_slice(&service->user_agent));
#undef ADD
    return n;
}

enum pz_status
pz_attempt_sign(struct pz_attempt *attempt, struct pz_service *service,
                const struct pz_credentials *credentials, double now)
{
    char room[256];
    struct pz_buf values = { room, 0, sizeof room, sizeof room, 0 };
    struct pz_header headers[HEADERS];
    struct pz_sigv4_request request;
    struct pz_buf *head = &service->head;
    struct pz_scope scope;
    enum pz_status status;
    size_t count;

    pz_buf_clear(head);
    if (pz_credentials_fault(credentials))
        return PZ_EINVAL;
    if ((status = pz_time_stamp(scope.stamp,
                                service->correct_skew ? now + attempt->skew
                                                      : now)) != PZ_OK)
        return status;
    attempt->sent = now;
    scope.region = pz_buf_slice(&service->region);
    scope.service = pz_buf_slice(&service->signing_name);
    attempt->number++;
    count = list_headers(headers, &values, attempt, service, credentials,
                         scope.stamp);
    if (count == 0)
        return PZ_ETOOBIG;

    memset(&request, 0, sizeof request);
    request.method = PZ_LIT("POST");
    request.path = pz_buf_slice(&service->path);
    request.headers = headers;
    request.header_count = count - UNSIGNED;
    request.payload_hash.data = attempt->payload_hash;
    request.payload_hash.len = PZ_SHA256_HEX_LEN;

    for (size_t i = 0; i < count; i++)
        if ((status = add_line(head, headers[i].name,
                               headers[i].value)) != PZ_OK)
            return status;
    if ((status = pz_buf_adds(head, PZ_LIT("authorization: "))) != PZ_OK ||
        (status = pz_sigv4_authorization(
             head, &service->scratch, service->signer, &request, &scope,
             credentials->access_key_id,
             credentials->secret_access_key)) != PZ_OK)
        return status;
    pz_buf_clear(&service->scratch);
    return pz_buf_add(head, "\r\n", 2);
}

/* "ns#FooError:http://…" to "FooError": the colon goes first, since what
   follows it may hold a '#'. */
static struct pz_slice bare_code(struct pz_slice code)
{
    size_t hash;

    code = pz_slice_sub(code, 0, pz_slice_find(code, ':', 0));
    hash = pz_slice_find(code, '#', 0);
    if (hash < code.len)
        code = pz_slice_sub(code, hash + 1, code.len);
    code = pz_slice_trim(code);
    if (code.len > CODE_MAX || !pz_is_visible(code))
        code.len = 0;
    return code;
}

/* Appends text from outside as one line of valid UTF-8, cut to the limit at
   a whole character. */
static enum pz_status add_message(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = PZ_OK;
    int gap = 0;

    text = pz_slice_trim(text);
    while (status == PZ_OK && text.len > 0 && out->len < PZ_MESSAGE_MAX) {
        struct pz_slice one = pz_slice_sub(text, 0, 1);
        unsigned char c = (unsigned char)text.data[0];
        size_t ignored;

        if (c >= 0x80) {
            one.len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
            if (one.len > text.len || !pz_utf8_count(one, &ignored))
                one.len = 1;
        }
        text = pz_slice_sub(text, one.len, text.len);
        if (c <= ' ' || c == 0x7F) {
            gap = 1;
            continue;
        }
        if (gap && out->len > 0)
            status = pz_buf_addc(out, ' ');
        gap = 0;
        if (status == PZ_OK)
            status = c >= 0x80 && one.len == 1 ? pz_buf_addc(out, '?')
                                               : pz_buf_adds(out, one);
    }
    return status;
}

enum { AT_CODE, AT_TYPE, AT_MESSAGE, AT_MESSAGE_2, AT_MESSAGE_3, WANTED };

static enum pz_status
set_code(struct pz_verdict *verdict, const struct pz_response *response,
         struct pz_json_member *members)
{
    struct pz_slice code = bare_code(response->error_type);
    struct pz_buf text = PZ_BUF_INIT(0);
    enum pz_status status = PZ_OK;
    char digits[20];

    for (int i = AT_CODE; status == PZ_OK && code.len == 0 && i <= AT_TYPE;
         i++) {
        if (!members[i].found)
            continue;
        pz_buf_clear(&text);
        status = pz_json_unescape(&text, members[i].raw);
        code = bare_code(pz_buf_slice(&text));
    }
    if (status == PZ_OK && code.len > 0)
        status = pz_buf_adds(&verdict->code, code);
    if (status == PZ_OK && code.len == 0) {
        struct pz_slice parts[] = {
            PZ_LIT("HTTP "),
            decimal(digits, (unsigned long long)response->status)
        };

        status = pz_buf_addv(&verdict->code, parts, PZ_COUNT(parts));
    }
    pz_buf_free(&text);
    return status;
}

static enum pz_status
set_message(struct pz_verdict *verdict, const struct pz_response *response,
            int is_json, struct pz_json_member *members)
{
    struct pz_buf text = PZ_BUF_INIT(0);
    enum pz_status status = PZ_OK;

    if (!is_json)
        return add_message(&verdict->message, response->body);
    for (int i = AT_MESSAGE; i < WANTED; i++) {
        if (!members[i].found)
            continue;
        status = pz_json_unescape(&text, members[i].raw);
        if (status == PZ_OK)
            status = add_message(&verdict->message, pz_buf_slice(&text));
        break;
    }
    pz_buf_free(&text);
    return status;
}

static enum pz_status
judge_success(struct pz_verdict *verdict, const struct pz_response *response)
{
    enum pz_json_kind kind;
    enum pz_status status;

    verdict->outcome = PZ_SUCCESS;
    verdict->has_body = response->body.len > 0;
    if (!verdict->has_body)
        return PZ_OK;
    status = pz_json_scan(response->body, &kind, NULL, 0);
    if (status == PZ_OK && kind == PZ_JSON_OBJECT)
        return PZ_OK;
    if (status != PZ_OK && status != PZ_EINVAL)
        return status;
    verdict->outcome = PZ_BAD_RESPONSE;
    if ((status = pz_buf_adds(&verdict->code,
                              PZ_LIT("ResponseError"))) != PZ_OK)
        return status;
    return pz_buf_adds(&verdict->message,
                       PZ_LIT("the answer says success, but its body is not "
                              "a whole JSON object"));
}

enum pz_status
pz_judge(struct pz_verdict *verdict, const struct pz_response *response)
{
    struct pz_json_member members[WANTED] = {
        { "code", 0, { NULL, 0 } },    { "__type", 0, { NULL, 0 } },
        { "message", 0, { NULL, 0 } }, { "Message", 0, { NULL, 0 } },
        { "errorMessage", 0, { NULL, 0 } }
    };
    enum pz_json_kind kind;
    enum pz_status status;
    int is_json;

    verdict->request_id = pz_slice_trim(response->request_id);
    if (verdict->request_id.len > REQUEST_ID_MAX ||
        !pz_is_visible(verdict->request_id))
        verdict->request_id.len = 0;
    if (response->status >= 200 && response->status <= 299)
        return judge_success(verdict, response);

    verdict->outcome = PZ_SERVICE_ERROR;
    status = pz_json_scan(response->body, &kind, members, WANTED);
    if (status != PZ_OK && status != PZ_EINVAL)
        return status;
    is_json = status == PZ_OK && kind == PZ_JSON_OBJECT;
    if ((status = set_code(verdict, response, members)) != PZ_OK)
        return status;
    return set_message(verdict, response, is_json, members);
}

void pz_verdict_free(struct pz_verdict *verdict)
{
    pz_buf_free(&verdict->code);
    pz_buf_free(&verdict->message);
}

/* Takes the peer's clock from its answer; 1 when the time that the attempt
   was signed with was too far from it. */
static int learn_skew(struct pz_attempt *attempt, struct pz_service *service,
                      const struct pz_response *response, double now)
{
    struct pz_skew_sample sample = { attempt->sent, now, response->date,
                                     response->age };
    double used = attempt->skew, off;

    if (!pz_skew_measure(&service->skew, &sample))
        return 0;
    attempt->skew = service->skew;
    off = attempt->skew > used ? attempt->skew - used : used - attempt->skew;
    return service->correct_skew && off > PZ_SKEW_TOLERANCE;
}

void pz_attempt_decide(struct pz_decision *decision,
                       struct pz_attempt *attempt, struct pz_service *service,
                       const struct pz_verdict *verdict,
                       const struct pz_response *response,
                       const struct pz_no_response *none,
                       const struct pz_moment *moment)
{
    struct pz_retry_failure failure = {
        PZ_RETRY_NEVER, attempt->number, attempt->max_attempts,
        moment->random, { NULL, 0 }, moment->time_left
    };

    decision->end = PZ_RETRY_REFUSED;
    decision->delay = 0;
    decision->retryable = 0;
    if (none) {
        failure.class = none->retryable ? PZ_RETRY_TRANSIENT : PZ_RETRY_NEVER;
        attempt->unclear |= none->sent;
    } else {
        struct pz_slice code = pz_buf_slice(&verdict->code);
        int was_off = learn_skew(attempt, service, response, moment->now);

        if (verdict->outcome == PZ_SUCCESS) {
            pz_retry_success(&service->retry, attempt->cost);
            pz_retry_observe(&service->retry, 0, moment->now);
            return;
        }
        failure.class = verdict->outcome == PZ_BAD_RESPONSE
            ? PZ_RETRY_TRANSIENT : pz_retry_classify(code, response->status);
        if (failure.class == PZ_RETRY_NEVER && was_off &&
            pz_retry_is_skew_code(code))
            failure.class = PZ_RETRY_TRANSIENT;
        failure.retry_after = response->retry_after;
        attempt->unclear |= verdict->outcome == PZ_BAD_RESPONSE ||
                            response->status >= 500;
    }
    pz_retry_observe(&service->retry,
                     failure.class == PZ_RETRY_THROTTLING, moment->now);
    decision->retryable = failure.class != PZ_RETRY_NEVER;
    decision->end = pz_retry_decide(&service->retry, &decision->delay,
                                    &attempt->cost, &failure);
}
