#include "pz_attempt.h"

#include <string.h>

#include "pz_head.h"
#include "pz_text.h"
#include "pz_uri.h"

enum { KEY_ID_MAX = 128, TOKEN_MAX = 16384 };

static enum pz_status
set_urls(struct pz_service *service, struct pz_slice endpoint)
{
    struct pz_uri uri;
    enum pz_status status = pz_uri_parse(&uri, endpoint);
    struct pz_slice authority;

    if (status != PZ_OK)
        return status;
    authority = pz_slice_sub(endpoint, uri.scheme.len,
                             endpoint.len - uri.path.len);
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
        /* The scheme as transports know it: in lower case. */
        struct pz_slice parts[] = { uri.scheme, authority,
                                    pz_buf_slice(&service->path) };

        return pz_buf_addv(&service->url, parts, PZ_COUNT(parts));
    }
}

static const char *params_fault(const struct pz_service_params *params)
{
    int is_signed = params->region.len > 0 || params->signing_name.len > 0;

    if (is_signed && !pz_is_host_label(params->region))
        return "the region is not a valid host label";
    if (is_signed && !pz_is_host_label(params->signing_name))
        return "the signing name is not valid";
    if (params->target_prefix.len > 64 || !pz_is_visible(params->target_prefix))
        return "the target prefix is not valid";
    if (!pz_head_is_value(params->user_agent))
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

/* A header name as the plan has it: lower-case, nothing that ends it. */
static int is_header_name(struct pz_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
              c == '_'))
            return 0;
    }
    return s.len > 0;
}

static int is_plan(const struct pz_plan *plan)
{
    if (pz_head_method_fault(plan->method) || plan->path.len == 0 ||
        plan->path.data[0] != '/' || !pz_is_visible(plan->path) ||
        !pz_is_visible(plan->query) ||
        pz_slice_find(plan->path, '?', 0) < plan->path.len ||
        pz_slice_find(plan->path, '#', 0) < plan->path.len ||
        pz_slice_find(plan->query, '#', 0) < plan->query.len ||
        plan->header_count > PZ_PLAN_HEADERS)
        return 0;
    for (size_t i = 0; i < plan->header_count; i++)
        if (!is_header_name(plan->headers[i].name) ||
            !pz_head_is_value(plan->headers[i].value))
            return 0;
    return 1;
}

enum pz_status
pz_attempt_begin(struct pz_attempt *attempt, struct pz_service *service,
                 const struct pz_plan *plan, struct pz_slice body,
                 const unsigned char random[16], unsigned max_attempts)
{
    int has_hash = plan->is_unsigned || plan->payload_hash.len > 0;

    if (!is_plan(plan) || (!plan->is_unsigned && service->region.len == 0) ||
        (plan->length > 0 && (body.len > 0 || !has_hash)))
        return PZ_EINVAL;
    attempt->plan = *plan;
    attempt->body_len = plan->length + body.len;
    attempt->number = 0;
    attempt->max_attempts = max_attempts;
    attempt->skew = service->skew;
    attempt->sent = 0;
    attempt->cost = 0;
    attempt->unclear = 0;
    make_uuid(attempt->invocation_id, random);
    if (has_hash)
        return PZ_OK;
    return pz_sha256_hex(pz_signer_crypto(service->signer),
                         attempt->payload_hash, body);
}

enum pz_status
pz_attempt_start(struct pz_attempt *attempt, struct pz_service *service,
                 struct pz_slice operation, struct pz_slice body,
                 const unsigned char random[16], unsigned max_attempts)
{
    struct pz_slice prefix = pz_buf_slice(&service->target_prefix);
    struct pz_plan plan;

    if (!is_identifier(operation) || prefix.len == 0 ||
        prefix.len + 1 + operation.len > PZ_TARGET_MAX)
        return PZ_EINVAL;
    memcpy(attempt->target, prefix.data, prefix.len);
    attempt->target[prefix.len] = '.';
    memcpy(attempt->target + prefix.len + 1, operation.data, operation.len);
    memset(&plan, 0, sizeof plan);
    plan.method = PZ_LIT("POST");
    plan.path = PZ_LIT("/");
    plan.headers[0].name = PZ_LIT("content-type");
    plan.headers[0].value = PZ_LIT("application/x-amz-json-1.1");
    plan.headers[1].name = PZ_LIT("x-amz-target");
    plan.headers[1].value.data = attempt->target;
    plan.headers[1].value.len = prefix.len + 1 + operation.len;
    plan.header_count = 2;
    return pz_attempt_begin(attempt, service, &plan, body, random,
                            max_attempts);
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

static enum pz_status
add_line(struct pz_buf *out, struct pz_slice name, struct pz_slice value)
{
    struct pz_slice parts[] = { name, PZ_LIT(": "), value, PZ_LIT("\r\n") };

    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

/* Of every request, beside the plan's. */
enum { OWN_HEADERS = 7, HEADERS = OWN_HEADERS + PZ_PLAN_HEADERS };

struct header_list {
    struct pz_header items[HEADERS];
    size_t count;
};

/* In the order of names, which spares the signer the sorting. */
static void add_header(struct header_list *list, struct pz_slice name,
                       struct pz_slice value)
{
    size_t at = list->count++;

    while (at > 0) {
        struct pz_slice before = list->items[at - 1].name;
        size_t len = before.len < name.len ? before.len : name.len;
        int order = memcmp(before.data, name.data, len);

        if (order < 0 || (order == 0 && before.len <= name.len))
            break;
        list->items[at] = list->items[at - 1];
        at--;
    }
    list->items[at].name = name;
    list->items[at].value = value;
}

/* All header lines but User-Agent, which proxies rewrite, and Authorization.
   'room' is memory for the composed values. */
static void
list_headers(struct header_list *list, char room[80],
             const struct pz_attempt *attempt, const struct pz_service *service,
             const struct pz_credentials *credentials, const char *stamp)
{
    const struct pz_plan *plan = &attempt->plan;
    struct pz_slice id = { attempt->invocation_id, PZ_UUID_LEN };
    struct pz_slice when = { stamp, PZ_STAMP_LEN };
    char number[20], most[20];
    struct pz_slice counter[] = { PZ_LIT("attempt="),
                                  pz_digits(number, attempt->number),
                                  PZ_LIT("; max="),
                                  pz_digits(most, attempt->max_attempts) };
    struct pz_slice count = { room, 0 };

    for (size_t i = 0; i < PZ_COUNT(counter); i++) {
        memcpy(room + count.len, counter[i].data, counter[i].len);
        count.len += counter[i].len;
    }
    list->count = 0;
    add_header(list, PZ_LIT("amz-sdk-invocation-id"), id);
    add_header(list, PZ_LIT("amz-sdk-request"), count);
    if (pz_head_has_length(plan->method, attempt->body_len > 0))
        add_header(list, PZ_LIT("content-length"),
                   pz_digits(room + 60, attempt->body_len));
    add_header(list, PZ_LIT("host"), pz_buf_slice(&service->host));
    if (!plan->is_unsigned) {
        add_header(list, PZ_LIT("x-amz-date"), when);
        if (credentials->session_token.len > 0)
            add_header(list, PZ_LIT("x-amz-security-token"),
                       credentials->session_token);
    }
    for (size_t i = 0; i < plan->header_count; i++)
        add_header(list, plan->headers[i].name, plan->headers[i].value);
}

/* The path below the endpoint's own, whose "/" at the end they share. */
static enum pz_status
add_full_path(struct pz_buf *out, const struct pz_attempt *attempt,
              const struct pz_service *service)
{
    struct pz_slice parts[] = { pz_buf_slice(&service->path),
                                attempt->plan.path };

    parts[0].len--;
    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

static enum pz_status
add_authorization(struct pz_attempt *attempt, struct pz_service *service,
                  const struct pz_credentials *credentials,
                  const struct header_list *list, const struct pz_scope *scope)
{
    struct pz_buf path = PZ_BUF_INIT(0);
    struct pz_sigv4_request request;
    enum pz_status status;

    memset(&request, 0, sizeof request);
    request.method = attempt->plan.method;
    request.query = attempt->plan.query;
    request.headers = list->items;
    request.header_count = list->count;
    request.payload_hash = attempt->plan.payload_hash;
    request.keep_path = attempt->plan.keep_path;
    if (request.payload_hash.len == 0) {
        request.payload_hash.data = attempt->payload_hash;
        request.payload_hash.len = PZ_SHA256_HEX_LEN;
    }
    /* The usual path needs no composing. */
    request.path = pz_buf_slice(&service->path);
    if (attempt->plan.path.len > 1) {
        if ((status = add_full_path(&path, attempt, service)) != PZ_OK)
            goto done;
        request.path = pz_buf_slice(&path);
    }
    if ((status = pz_buf_adds(&service->head,
                              PZ_LIT("authorization: "))) != PZ_OK ||
        (status = pz_sigv4_authorization(
             &service->head, &service->scratch, service->signer, &request,
             scope, credentials->access_key_id,
             credentials->secret_access_key)) != PZ_OK)
        goto done;
    pz_buf_clear(&service->scratch);
    status = pz_buf_add(&service->head, "\r\n", 2);
done:
    pz_buf_free(&path);
    return status;
}

enum pz_status
pz_attempt_sign(struct pz_attempt *attempt, struct pz_service *service,
                const struct pz_credentials *credentials, double now)
{
    int is_signed = !attempt->plan.is_unsigned;
    double when = service->correct_skew ? now + attempt->skew : now;
    char room[80];
    struct header_list list;
    struct pz_scope scope;
    enum pz_status status;

    pz_buf_clear(&service->head);
    if (is_signed && pz_credentials_fault(credentials))
        return PZ_EINVAL;
    if ((status = pz_time_stamp(scope.stamp, when)) != PZ_OK)
        return status;
    scope.region = pz_buf_slice(&service->region);
    scope.service = pz_buf_slice(&service->signing_name);
    attempt->sent = now;
    attempt->number++;
    list_headers(&list, room, attempt, service, credentials, scope.stamp);
    for (size_t i = 0; i < list.count; i++)
        if ((status = add_line(&service->head, list.items[i].name,
                               list.items[i].value)) != PZ_OK)
            return status;
    status = add_line(&service->head, PZ_LIT("user-agent"),
                      pz_buf_slice(&service->user_agent));
    if (status != PZ_OK || !is_signed)
        return status;
    return add_authorization(attempt, service, credentials, &list, &scope);
}

enum pz_status
pz_attempt_url(struct pz_buf *out, const struct pz_attempt *attempt,
               const struct pz_service *service)
{
    struct pz_slice url = pz_buf_slice(&service->url);
    struct pz_slice parts[] = { url, attempt->plan.path, PZ_LIT("?"),
                                attempt->plan.query };

    if (url.len == 0)
        return PZ_EINVAL;
    parts[0].len--; /* its "/" is the path's */
    return pz_buf_addv(out, parts, attempt->plan.query.len > 0 ? 4 : 2);
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
            ? PZ_RETRY_TRANSIENT
            : pz_retry_classify(code, verdict->late ? 500 : response->status);
        if (failure.class == PZ_RETRY_NEVER && was_off &&
            pz_retry_is_skew_code(code))
            failure.class = PZ_RETRY_TRANSIENT;
        failure.retry_after = response->retry_after;
        attempt->unclear |= verdict->outcome == PZ_BAD_RESPONSE ||
                            verdict->late || response->status >= 500;
    }
    pz_retry_observe(&service->retry,
                     failure.class == PZ_RETRY_THROTTLING, moment->now);
    decision->retryable = failure.class != PZ_RETRY_NEVER;
    decision->end = pz_retry_decide(&service->retry, &decision->delay,
                                    &attempt->cost, &failure);
}
