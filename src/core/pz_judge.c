#include "pz_judge.h"

#include "pz_json.h"
#include "pz_show.h"
#include "pz_text.h"
#include "pz_xml.h"

enum { REQUEST_ID_MAX = 128 };

/* "ns#FooError:http://..." to "FooError": the colon goes first, since what
   follows it may hold a '#'. */
static struct pz_slice bare_code(struct pz_slice code)
{
    size_t hash;

    code = pz_slice_sub(code, 0, pz_slice_find(code, ':', 0));
    hash = pz_slice_find(code, '#', 0);
    if (hash < code.len)
        code = pz_slice_sub(code, hash + 1, code.len);
    code = pz_slice_trim(code);
    if (code.len > PZ_CODE_MAX || !pz_is_visible(code))
        code.len = 0;
    return code;
}

/* Text from outside as one line. */
static enum pz_status add_message(struct pz_buf *out, struct pz_slice text)
{
    return pz_show_prose(out, text, PZ_MESSAGE_MAX);
}

/* Sets the code to the first that a candidate gives, "HTTP 503" for none. */
static enum pz_status
set_code(struct pz_verdict *verdict, int status, struct pz_slice code)
{
    char digits[20];
    struct pz_slice parts[] = { PZ_LIT("HTTP "),
                                pz_digits(digits, (unsigned)status) };

    return code.len > 0 ? pz_buf_adds(&verdict->code, code)
                        : pz_buf_addv(&verdict->code, parts, PZ_COUNT(parts));
}

enum { AT_CODE, AT_TYPE, AT_MESSAGE, AT_MESSAGE_2, AT_MESSAGE_3, WANTED };

/* The header first, then the body's members. */
static enum pz_status
set_json_code(struct pz_verdict *verdict, const struct pz_response *response,
              struct pz_json_member *members)
{
    struct pz_slice code = bare_code(response->error_type);
    struct pz_buf text = PZ_BUF_INIT(0);
    enum pz_status status = PZ_OK;

    for (int i = AT_CODE; status == PZ_OK && code.len == 0 && i <= AT_TYPE;
         i++) {
        if (!members[i].found)
            continue;
        pz_buf_clear(&text);
        status = pz_json_unescape(&text, members[i].raw);
        code = bare_code(pz_buf_slice(&text));
    }
    if (status == PZ_OK)
        status = set_code(verdict, response->status, code);
    pz_buf_free(&text);
    return status;
}

static enum pz_status
judge_json(struct pz_verdict *verdict, const struct pz_response *response)
{
    struct pz_json_member members[WANTED] = {
        { "code", 0, { NULL, 0 } },    { "__type", 0, { NULL, 0 } },
        { "message", 0, { NULL, 0 } }, { "Message", 0, { NULL, 0 } },
        { "errorMessage", 0, { NULL, 0 } }
    };
    struct pz_buf text = PZ_BUF_INIT(0);
    enum pz_json_kind kind;
    enum pz_status status;
    int is_object;

    status = pz_json_scan(response->body, &kind, members, WANTED);
    if (status == PZ_ENOMEM)
        return status;
    is_object = status == PZ_OK && kind == PZ_JSON_OBJECT;
    status = set_json_code(verdict, response, members);
    if (status == PZ_OK && !is_object)
        return add_message(&verdict->message, response->body);
    for (int i = AT_MESSAGE; status == PZ_OK && i < WANTED; i++) {
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

enum { XML_CODE, XML_WRAPPED_CODE, XML_MESSAGE, XML_WRAPPED_MESSAGE,
       XML_ID, XML_WRAPPED_ID, XML_WANTED };

#define XML_PICKS \
    { \
        { "Error/Code", 0, { NULL, 0 } }, \
        { "ErrorResponse/Error/Code", 0, { NULL, 0 } }, \
        { "Error/Message", 0, { NULL, 0 } }, \
        { "ErrorResponse/Error/Message", 0, { NULL, 0 } }, \
        { "Error/RequestId", 0, { NULL, 0 } }, \
        { "ErrorResponse/RequestId", 0, { NULL, 0 } } \
    }

/* The text of whichever of the two forms was found. */
static enum pz_status
add_picked(struct pz_buf *out, const struct pz_xml_pick *picks, int plain)
{
    for (int i = plain; i <= plain + 1; i++)
        if (picks[i].found)
            return pz_xml_text(out, picks[i].raw);
    return PZ_OK;
}

static struct pz_slice plain_id(struct pz_slice id)
{
    id = pz_slice_trim(id);
    if (id.len > REQUEST_ID_MAX || !pz_is_visible(id))
        id.len = 0;
    return id;
}

static enum pz_status
judge_xml(struct pz_verdict *verdict, const struct pz_response *response,
          struct pz_xml_pick *picks)
{
    struct pz_buf text = PZ_BUF_INIT(0);
    enum pz_status status = add_picked(&text, picks, XML_CODE);

    if (status == PZ_OK)
        status = set_code(verdict, response->status,
                          bare_code(pz_buf_slice(&text)));
    pz_buf_clear(&text);
    if (status == PZ_OK)
        status = add_picked(&text, picks, XML_MESSAGE);
    if (status == PZ_OK)
        status = add_message(&verdict->message,
                             text.len > 0 || picks[XML_CODE].found ||
                                     picks[XML_WRAPPED_CODE].found
                                 ? pz_buf_slice(&text) : response->body);
    pz_buf_free(&text);
    /* STS tells its request id in the body only. */
    for (int i = XML_ID; verdict->request_id.len == 0 && i < XML_WANTED; i++)
        if (picks[i].found)
            verdict->request_id = plain_id(picks[i].raw);
    return status;
}

static enum pz_status bad_response(struct pz_verdict *verdict,
                                   struct pz_slice what)
{
    struct pz_slice parts[] = {
        PZ_LIT("the answer says success, but its body is not "), what
    };
    enum pz_status status =
        pz_buf_adds(&verdict->code, PZ_LIT("ResponseError"));

    verdict->outcome = PZ_BAD_RESPONSE;
    return status == PZ_OK
        ? pz_buf_addv(&verdict->message, parts, PZ_COUNT(parts)) : status;
}

static enum pz_status
judge_success(struct pz_verdict *verdict, const struct pz_response *response)
{
    struct pz_xml_pick picks[XML_WANTED] = XML_PICKS;
    enum pz_json_kind kind;
    enum pz_status status;
    struct pz_slice root;

    verdict->outcome = PZ_SUCCESS;
    if (response->body.len == 0 || response->protocol == PZ_TEXT ||
        response->protocol == PZ_BYTES)
        return PZ_OK;
    if (response->protocol == PZ_JSON) {
        status = pz_json_scan(response->body, &kind, NULL, 0);
        if (status == PZ_ETOOBIG)
            return bad_response(verdict, PZ_LIT("of a size that can be read: "
                                                "it has too many values"));
        if (status == PZ_EINVAL || (status == PZ_OK && kind != PZ_JSON_OBJECT))
            return bad_response(verdict, PZ_LIT("a whole JSON object"));
        return status;
    }
    status = pz_xml_scan(response->body, &root, picks, XML_WANTED);
    if (status == PZ_ETOOBIG)
        return bad_response(verdict, PZ_LIT("of a size that can be read: it "
                                            "has too many elements"));
    if (status == PZ_EINVAL)
        return bad_response(verdict, PZ_LIT("whole XML"));
    if (status == PZ_OK && pz_slice_eq(root, PZ_LIT("Error"))) {
        verdict->outcome = PZ_SERVICE_ERROR;
        verdict->late = 1;
        return judge_xml(verdict, response, picks);
    }
    return status;
}

enum pz_status
pz_judge(struct pz_verdict *verdict, const struct pz_response *response)
{
    struct pz_xml_pick picks[XML_WANTED] = XML_PICKS;
    struct pz_slice root;
    enum pz_status status;

    verdict->late = 0;
    verdict->request_id = plain_id(response->request_id);
    if (response->status >= 200 && response->status <= 299)
        return judge_success(verdict, response);

    verdict->outcome = PZ_SERVICE_ERROR;
    switch (response->protocol) {
    case PZ_JSON:
        return judge_json(verdict, response);
    case PZ_XML:
    case PZ_BYTES:
        status = pz_xml_scan(response->body, &root, picks, XML_WANTED);
        return status == PZ_ENOMEM ? status
                                   : judge_xml(verdict, response, picks);
    case PZ_TEXT:
        break;
    }
    status = set_code(verdict, response->status, (struct pz_slice){ NULL, 0 });
    return status == PZ_OK ? add_message(&verdict->message, response->body)
                           : status;
}

void pz_verdict_free(struct pz_verdict *verdict)
{
    pz_buf_free(&verdict->code);
    pz_buf_free(&verdict->message);
}
