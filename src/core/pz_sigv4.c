#include "pz_sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "pz_text.h"
#include "pz_uri.h"
#include "pz_word.h"

enum {
    SECRET_MAX = 4096, DATE_LEN = 8,
    FEW = 16,   /* headers or parameters sorted without the heap */
    MANY = 4096 /* more than any real request has */
};

struct pz_signer {
    struct pz_crypto *crypto;
    /* What the key in 'crypto' was derived from; empty: no key yet. */
    struct pz_buf secret;
    struct pz_buf place; /* date/region/service */
    size_t region_len;   /* which of the slashes parts them */
};

struct pz_signer *pz_signer_new(void)
{
    struct pz_signer *signer = pz_alloc(sizeof *signer);

    if (signer == NULL)
        return NULL;
    memset(signer, 0, sizeof *signer);
    signer->secret.max = SECRET_MAX;
    signer->secret.secret = 1;
    signer->crypto = pz_crypto_new();
    if (signer->crypto)
        return signer;
    pz_signer_free(signer);
    return NULL;
}

void pz_signer_free(struct pz_signer *signer)
{
    if (signer == NULL)
        return;
    pz_buf_free(&signer->secret);
    pz_buf_free(&signer->place);
    pz_crypto_free(signer->crypto);
    pz_free(signer);
}

struct pz_crypto *pz_signer_crypto(struct pz_signer *signer)
{
    return signer->crypto;
}

/* A header or parameter to be sorted; 'order' keeps equal ones as sent. */
struct entry {
    struct pz_slice name, value;
    size_t order;
};

static int compare_slices(struct pz_slice a, struct pz_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare_slices(a->name, b->name);

    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static int by_name_and_value(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare_slices(a->name, b->name);

    return order ? order : compare_slices(a->value, b->value);
}

static void sort(struct entry *entries, size_t count,
                 int (*compare)(const void *, const void *))
{
    size_t i = 1;

    /* The usual caller passes them in order. */
    while (i < count && compare(&entries[i - 1], &entries[i]) <= 0)
        i++;
    if (i < count)
        qsort(entries, count, sizeof *entries, compare);
}

/* Room for 'count' entries: 'few' where they fit, the heap otherwise. */
static struct entry *entries_for(struct entry few[FEW], size_t count)
{
    if (count <= FEW)
        return few;
    return count > MANY ? NULL : pz_alloc(count * sizeof *few);
}

static enum pz_status
add_path(struct pz_buf *out, const struct pz_sigv4_request *request)
{
    struct pz_buf plain = PZ_BUF_INIT(0);
    enum pz_status status;

    if (request->path.len == 0)
        return pz_buf_addc(out, '/');
    if (request->keep_path)
        return pz_buf_adds(out, request->path);
    if (request->keep_dots)
        return pz_uri_encode(out, request->path, 1);
    if (request->path.len == 1 && request->path.data[0] == '/')
        return pz_buf_addc(out, '/');
    status = pz_uri_normalize(&plain, request->path);
    if (status == PZ_OK)
        status = pz_uri_encode(out, pz_buf_slice(&plain), 1);
    pz_buf_free(&plain);
    return status;
}

/* Appends 'text' in the one spelling that is signed, however it came. */
static enum pz_status add_encoded(struct pz_buf *out, struct pz_slice text)
{
    struct pz_buf plain = PZ_BUF_INIT(0);
    enum pz_status status = pz_uri_decode(&plain, text);

    if (status == PZ_OK)
        status = pz_uri_encode(out, pz_buf_slice(&plain), 0);
    pz_buf_free(&plain);
    return status;
}

static size_t count_parameters(struct pz_slice query)
{
    size_t count = 0;

    for (size_t at = 0; at < query.len;) {
        size_t end = pz_slice_find(query, '&', at);

        count += end > at;
        at = end + 1;
    }
    return count;
}

/*
 * Encodes every parameter into 'text'. While 'text' may still move, entries
 * hold offsets: 'order' is where the name starts.
 */
static enum pz_status
encode_parameters(struct pz_buf *text, struct entry *entries,
                  struct pz_slice query)
{
    enum pz_status status = PZ_OK;
    size_t count = 0;

    for (size_t at = 0; status == PZ_OK && at < query.len;) {
        size_t end = pz_slice_find(query, '&', at);
        struct pz_slice pair = pz_slice_sub(query, at, end);
        size_t equals = pz_slice_find(pair, '=', 0);
        size_t start = text->len;

        at = end + 1;
        if (pair.len == 0)
            continue;
        status = add_encoded(text, pz_slice_sub(pair, 0, equals));
        entries[count].order = start;
        entries[count].name.len = text->len - start;
        if (status == PZ_OK)
            status = add_encoded(text,
                                 pz_slice_sub(pair, equals + 1, pair.len));
        entries[count].value.len = text->len - start -
                                   entries[count].name.len;
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].name.data = text->data + entries[i].order;
        entries[i].value.data = entries[i].name.data + entries[i].name.len;
    }
    return status;
}

static enum pz_status add_query(struct pz_buf *out, struct pz_slice query)
{
    size_t count = count_parameters(query);
    struct pz_buf text = PZ_BUF_INIT(0);
    struct entry few[FEW], *entries;
    enum pz_status status;

    if (count == 0)
        return PZ_OK;
    entries = entries_for(few, count);
    if (entries == NULL)
        return count > MANY ? PZ_ETOOBIG : PZ_ENOMEM;
    status = encode_parameters(&text, entries, query);
    if (status == PZ_OK)
        sort(entries, count, by_name_and_value);
    for (size_t i = 0; status == PZ_OK && i < count; i++) {
        struct pz_slice parts[] = { PZ_LIT("&"), entries[i].name, PZ_LIT("="),
                                    entries[i].value };

        status = pz_buf_addv(out, parts + (i == 0), PZ_COUNT(parts) - (i == 0));
    }
    if (entries != few)
        pz_free(entries);
    pz_buf_free(&text);
    return status;
}

static int is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Trimmed, with each inner run of white space as one space. */
static enum pz_status add_value(struct pz_buf *out, struct pz_slice value)
{
    enum pz_status status = pz_buf_reserve(out, value.len);
    size_t start = out->len, plain = 0;
    int gap = 0;

    if (status != PZ_OK || value.len == 0)
        return status;
    /* Blanks are '!' less something. */
    while (value.len - plain >= PZ_WORD &&
           !pz_word_has_less(pz_word_load(value.data + plain), '!'))
        plain += PZ_WORD;
    while (plain < value.len && !is_blank(value.data[plain]))
        plain++;
    memcpy(out->data + out->len, value.data, plain);
    out->len += plain;
    for (size_t i = plain; i < value.len; i++) {
        char c = value.data[i];

        if (is_blank(c)) {
            gap = 1;
            continue;
        }
        if (gap && out->len > start)
            out->data[out->len++] = ' ';
        gap = 0;
        out->data[out->len++] = c;
    }
    return PZ_OK;
}

static int has_upper(struct pz_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 'A' && name.data[i] <= 'Z')
            return 1;
    return 0;
}

/* Entries sorted by their lower-case names; 'text' holds those that had to
   be made so. */
static enum pz_status
sort_headers(struct pz_buf *text, struct entry *entries,
             const struct pz_sigv4_request *request)
{
    enum pz_status status;
    size_t total = 0;

    for (size_t i = 0; i < request->header_count; i++) {
        entries[i].name = request->headers[i].name;
        entries[i].value = request->headers[i].value;
        entries[i].order = i;
        if (has_upper(entries[i].name))
            total += entries[i].name.len;
    }
    /* All at once: slices into it must stay where they are. */
    status = pz_buf_reserve(text, total);
    for (size_t i = 0; status == PZ_OK && i < request->header_count; i++) {
        struct pz_slice name = entries[i].name;

        if (!has_upper(name))
            continue;
        entries[i].name.data = text->data + text->len;
        for (size_t j = 0; j < name.len; j++) {
            char c = name.data[j];

            text->data[text->len++] =
                c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
    }
    if (status == PZ_OK)
        sort(entries, request->header_count, by_name);
    return status;
}

/* The block of headers, the empty line and the list of their names. */
static enum pz_status
add_headers(struct pz_buf *out, size_t *names_at, const struct entry *entries,
            size_t count)
{
    enum pz_status status = PZ_OK;

    for (size_t i = 0; status == PZ_OK && i < count; i++) {
        int again = i > 0 && pz_slice_eq(entries[i].name, entries[i - 1].name);

        if (!again && i > 0)
            status = pz_buf_addc(out, '\n');
        if (status == PZ_OK && !again)
            status = pz_buf_adds(out, entries[i].name);
        if (status == PZ_OK)
            status = pz_buf_addc(out, again ? ',' : ':');
        if (status == PZ_OK)
            status = add_value(out, entries[i].value);
    }
    if (status == PZ_OK)
        status = pz_buf_add(out, "\n\n", count > 0 ? 2 : 1);
    *names_at = out->len;
    for (size_t i = 0; status == PZ_OK && i < count; i++) {
        if (i > 0 && pz_slice_eq(entries[i].name, entries[i - 1].name))
            continue;
        if (i > 0)
            status = pz_buf_addc(out, ';');
        if (status == PZ_OK)
            status = pz_buf_adds(out, entries[i].name);
    }
    return status;
}

enum pz_status
pz_sigv4_canonical_request(struct pz_buf *out, struct pz_slice *names,
                           const struct pz_sigv4_request *request)
{
    struct pz_buf text = PZ_BUF_INIT(0);
    struct entry few[FEW], *entries;
    size_t names_at = 0, names_end = 0;
    enum pz_status status;

    entries = entries_for(few, request->header_count);
    if (entries == NULL)
        return request->header_count > MANY ? PZ_ETOOBIG : PZ_ENOMEM;
    if ((status = sort_headers(&text, entries, request)) != PZ_OK ||
        (status = pz_buf_adds(out, request->method)) != PZ_OK ||
        (status = pz_buf_addc(out, '\n')) != PZ_OK ||
        (status = add_path(out, request)) != PZ_OK ||
        (status = pz_buf_addc(out, '\n')) != PZ_OK ||
        (status = add_query(out, request->query)) != PZ_OK ||
        (status = pz_buf_addc(out, '\n')) != PZ_OK ||
        (status = add_headers(out, &names_at, entries,
                              request->header_count)) != PZ_OK)
        goto done;
    names_end = out->len;
    if ((status = pz_buf_addc(out, '\n')) != PZ_OK)
        goto done;
    status = pz_buf_adds(out, request->payload_hash);
done:
    if (status == PZ_OK)
        *names = pz_slice_sub(pz_buf_slice(out), names_at, names_end);
    if (entries != few)
        pz_free(entries);
    pz_buf_free(&text);
    return status;
}

/* date/region/service */
static enum pz_status
add_place(struct pz_buf *out, const struct pz_scope *scope)
{
    struct pz_slice parts[] = { { scope->stamp, DATE_LEN }, PZ_LIT("/"),
                                scope->region, PZ_LIT("/"), scope->service };

    return pz_buf_addv(out, parts, PZ_COUNT(parts));
}

enum pz_status
pz_sigv4_string_to_sign(struct pz_buf *out, struct pz_signer *signer,
                        const struct pz_scope *scope,
                        struct pz_slice canonical_request)
{
    char hash[PZ_SHA256_HEX_LEN];
    struct pz_slice head[] = { PZ_LIT("AWS4-HMAC-SHA256\n"),
                               { scope->stamp, PZ_STAMP_LEN }, PZ_LIT("\n") };
    struct pz_slice tail[] = { PZ_LIT("/aws4_request\n"),
                               { hash, sizeof hash } };
    enum pz_status status;

    if ((status = pz_sha256_hex(signer->crypto, hash,
                                canonical_request)) != PZ_OK ||
        (status = pz_buf_addv(out, head, PZ_COUNT(head))) != PZ_OK ||
        (status = add_place(out, scope)) != PZ_OK)
        return status;
    return pz_buf_addv(out, tail, PZ_COUNT(tail));
}

static int is_kept(const struct pz_signer *signer, struct pz_slice secret,
                   const struct pz_scope *scope)
{
    struct pz_slice place = pz_buf_slice(&signer->place);
    size_t region = DATE_LEN + 1, service = region + scope->region.len + 1;

    return signer->secret.len > 0 &&
           pz_slice_eq(pz_buf_slice(&signer->secret), secret) &&
           signer->region_len == scope->region.len &&
           place.len == service + scope->service.len &&
           memcmp(place.data, scope->stamp, DATE_LEN) == 0 &&
           pz_slice_eq(pz_slice_sub(place, region, service - 1),
                       scope->region) &&
           pz_slice_eq(pz_slice_sub(place, service, place.len),
                       scope->service);
}

/* The HMAC chain from the secret to the signing key, left in 'crypto'. */
static enum pz_status
derive(struct pz_signer *signer, struct pz_slice secret,
       const struct pz_scope *scope)
{
    struct pz_slice steps[] = { { scope->stamp, DATE_LEN }, scope->region,
                                scope->service, PZ_LIT("aws4_request") };
    struct pz_buf seed = PZ_BUF_SECRET(SECRET_MAX + 4);
    unsigned char link[PZ_SHA256_LEN];
    enum pz_status status;

    pz_buf_clear(&signer->secret);
    pz_buf_clear(&signer->place);
    if ((status = pz_buf_add(&seed, "AWS4", 4)) != PZ_OK ||
        (status = pz_buf_adds(&seed, secret)) != PZ_OK ||
        (status = pz_hmac_key(signer->crypto, pz_buf_slice(&seed))) != PZ_OK)
        goto done;
    for (size_t i = 0; i < PZ_COUNT(steps); i++) {
        struct pz_slice key = { (const char *)link, sizeof link };

        if ((status = pz_hmac(signer->crypto, link, steps[i])) != PZ_OK ||
            (status = pz_hmac_key(signer->crypto, key)) != PZ_OK)
            goto done;
    }
    signer->region_len = scope->region.len;
    if ((status = add_place(&signer->place, scope)) == PZ_OK)
        status = pz_buf_adds(&signer->secret, secret);
done:
    pz_wipe(link, sizeof link);
    pz_buf_free(&seed); /* it held the secret */
    return status;
}

enum pz_status
pz_sigv4_signature(char out[PZ_SIGNATURE_LEN], struct pz_signer *signer,
                   struct pz_slice secret, const struct pz_scope *scope,
                   struct pz_slice string_to_sign)
{
    unsigned char mac[PZ_SHA256_LEN];
    enum pz_status status = PZ_OK;

    if (secret.len == 0)
        return PZ_EINVAL;
    if (!is_kept(signer, secret, scope))
        status = derive(signer, secret, scope);
    if (status == PZ_OK)
        status = pz_hmac(signer->crypto, mac, string_to_sign);
    if (status == PZ_OK)
        pz_hex(out, mac, sizeof mac);
    return status;
}

enum pz_status
pz_sigv4_authorization(struct pz_buf *out, struct pz_buf *scratch,
                       struct pz_signer *signer,
                       const struct pz_sigv4_request *request,
                       const struct pz_scope *scope,
                       struct pz_slice access_key_id, struct pz_slice secret)
{
    struct pz_slice names, canonical, string_to_sign;
    char signature[PZ_SIGNATURE_LEN];
    size_t names_at, text_at;
    enum pz_status status;

    pz_buf_clear(scratch);
    if ((status = pz_sigv4_canonical_request(scratch, &names,
                                             request)) != PZ_OK)
        return status;
    /* As offsets, since 'scratch' may move when it grows. */
    names_at = (size_t)(names.data - scratch->data);
    text_at = scratch->len;
    canonical = pz_buf_slice(scratch);
    if ((status = pz_sigv4_string_to_sign(scratch, signer, scope,
                                          canonical)) != PZ_OK)
        return status;
    string_to_sign = pz_slice_sub(pz_buf_slice(scratch), text_at,
                                  scratch->len);
    names.data = scratch->data + names_at;
    if ((status = pz_sigv4_signature(signature, signer, secret, scope,
                                     string_to_sign)) != PZ_OK)
        return status;
    {
        struct pz_slice head[] = { PZ_LIT("AWS4-HMAC-SHA256 Credential="),
                                   access_key_id, PZ_LIT("/") };
        struct pz_slice tail[] = { PZ_LIT("/aws4_request, SignedHeaders="),
                                   names, PZ_LIT(", Signature="),
                                   { signature, sizeof signature } };

        if ((status = pz_buf_addv(out, head, PZ_COUNT(head))) != PZ_OK ||
            (status = add_place(out, scope)) != PZ_OK)
            return status;
        return pz_buf_addv(out, tail, PZ_COUNT(tail));
    }
}
