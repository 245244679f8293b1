#include "pz_xml.h"

#include <string.h>

#include "pz_text.h"

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int is_name_start(char c)
{
    /* Beyond ASCII all is taken: the text is known to be UTF-8. */
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == ':' || (unsigned char)c >= 0x80;
}

static int is_name_char(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static enum pz_status fail(struct pz_xml *xml, const char *error)
{
    xml->error = error;
    return PZ_EINVAL;
}

static enum pz_status cut(struct pz_xml *xml)
{
    return fail(xml, "the text is cut");
}

static int at_end(const struct pz_xml *xml)
{
    return xml->at >= xml->text.len;
}

static char peek(const struct pz_xml *xml)
{
    return at_end(xml) ? '\0' : xml->text.data[xml->at];
}

/* Is 'what' next? Then it is taken. */
static int take(struct pz_xml *xml, struct pz_slice what)
{
    struct pz_slice rest = pz_slice_sub(xml->text, xml->at, xml->text.len);

    if (!pz_slice_starts(rest, what))
        return 0;
    xml->at += what.len;
    return 1;
}

static int skip_space(struct pz_xml *xml)
{
    size_t start = xml->at;

    while (!at_end(xml) && is_space(peek(xml)))
        xml->at++;
    return xml->at > start;
}

/* Where 'what' stands first at or after 'from'; text.len where it does not. */
static size_t find(struct pz_slice text, struct pz_slice what, size_t from)
{
    for (;;) {
        size_t at = pz_slice_find(text, what.data[0], from);

        if (at == text.len ||
            pz_slice_starts(pz_slice_sub(text, at, text.len), what))
            return at;
        from = at + 1;
    }
}

/* Moves past the first 'what'. */
static enum pz_status skip_past(struct pz_xml *xml, struct pz_slice what)
{
    size_t at = find(xml->text, what, xml->at);

    if (at == xml->text.len)
        return cut(xml);
    xml->at = at + what.len;
    return PZ_OK;
}

/* The digits of "&#...;" as a code point, or -1. Control characters are let
   through as in XML 1.1: S3 allows them in keys and writes them so. */
static long char_reference(struct pz_slice digits)
{
    int is_hex = digits.len > 0 && digits.data[0] == 'x';
    long value = 0;

    if (digits.len - (size_t)is_hex < 1 || digits.len > 9)
        return -1;
    for (size_t i = (size_t)is_hex; i < digits.len; i++) {
        int digit = pz_hex_digit(digits.data[i]);

        if (digit < 0 || (!is_hex && digit > 9))
            return -1;
        value = value * (is_hex ? 16 : 10) + digit;
        if (value > 0x10FFFF)
            return -1;
    }
    return value == 0 || (value >= 0xD800 && value <= 0xDFFF) ? -1 : value;
}

/* The code point of the reference at 'at', which moves past it; or -1. */
static long take_reference(struct pz_slice text, size_t *at)
{
    static const struct {
        struct pz_slice name;
        char c;
    } known[] = {
        { { "amp", 3 }, '&' }, { { "lt", 2 }, '<' }, { { "gt", 2 }, '>' },
        { { "quot", 4 }, '"' }, { { "apos", 4 }, '\'' },
    };
    size_t end = *at + 1, limit = *at + 12;
    struct pz_slice name;

    while (end < text.len && end < limit && text.data[end] != ';')
        end++;
    if (end >= text.len || text.data[end] != ';')
        return -1;
    name = pz_slice_sub(text, *at + 1, end);
    *at = end + 1;
    if (name.len > 0 && name.data[0] == '#')
        return char_reference(pz_slice_sub(name, 1, name.len));
    for (size_t i = 0; i < PZ_COUNT(known); i++)
        if (pz_slice_eq(name, known[i].name))
            return known[i].c;
    return -1;
}

void pz_xml_start(struct pz_xml *xml, struct pz_slice text)
{
    size_t ignored;

    memset(xml, 0, sizeof *xml);
    xml->text = text;
    if (text.len > PZ_XML_MAX)
        xml->error = "the text is too long";
    else if (!pz_utf8_count(text, &ignored))
        xml->error = "not UTF-8";
    for (size_t i = 0; xml->error == NULL && i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' && !is_space(text.data[i]))
            xml->error = "a control character";
    if (pz_slice_starts(text, PZ_LIT("\xEF\xBB\xBF")))
        xml->at = 3;
}

static enum pz_status take_name(struct pz_xml *xml, struct pz_slice *name)
{
    size_t start = xml->at;

    if (at_end(xml))
        return cut(xml);
    if (!is_name_start(peek(xml)))
        return fail(xml, "a name that is none");
    while (!at_end(xml) && is_name_char(peek(xml)))
        xml->at++;
    *name = pz_slice_sub(xml->text, start, xml->at);
    return PZ_OK;
}

/* The name behind the prefix; empty where there is none, or two. */
static struct pz_slice local(struct pz_slice tag)
{
    size_t colon = pz_slice_find(tag, ':', 0);
    struct pz_slice name = pz_slice_sub(tag, colon + 1, tag.len);

    if (colon == tag.len)
        return tag;
    if (colon == 0 || pz_slice_find(name, ':', 0) < name.len)
        name.len = 0;
    return name;
}

/* " name='value'" */
static enum pz_status skip_attribute(struct pz_xml *xml)
{
    struct pz_slice name, quote;
    enum pz_status status = take_name(xml, &name);
    size_t start;

    if (status != PZ_OK)
        return status;
    skip_space(xml);
    if (!take(xml, PZ_LIT("=")))
        return at_end(xml) ? cut(xml) : fail(xml, "an attribute without '='");
    skip_space(xml);
    if (at_end(xml))
        return cut(xml);
    if (peek(xml) != '"' && peek(xml) != '\'')
        return fail(xml, "an attribute without quotes");
    quote = pz_slice_sub(xml->text, xml->at, xml->at + 1);
    start = ++xml->at;
    status = skip_past(xml, quote);
    if (status == PZ_OK && pz_slice_find(pz_slice_sub(xml->text, start,
        xml->at), '<', 0) < xml->at - start)
        status = fail(xml, "a '<' in an attribute");
    return status;
}

/* Up to the '>' of a start tag. */
static enum pz_status skip_attributes(struct pz_xml *xml)
{
    for (;;) {
        int apart = skip_space(xml);
        enum pz_status status;

        if (at_end(xml))
            return cut(xml);
        if (take(xml, PZ_LIT(">")))
            return PZ_OK;
        if (take(xml, PZ_LIT("/"))) {
            xml->self_closed = 1;
            if (take(xml, PZ_LIT(">")))
                return PZ_OK;
            return at_end(xml) ? cut(xml) : fail(xml, "a tag without end");
        }
        if (!apart)
            return fail(xml, "a tag without end");
        status = skip_attribute(xml);
        if (status != PZ_OK)
            return status;
    }
}

static enum pz_status open_element(struct pz_xml *xml)
{
    struct pz_slice tag;
    enum pz_status status = take_name(xml, &tag);

    if (status != PZ_OK)
        return status;
    xml->name = local(tag);
    if (xml->name.len == 0)
        return fail(xml, "a name that is none");
    if (xml->depth == 0 && xml->seen_root)
        return fail(xml, "a second root");
    if (xml->depth == PZ_XML_DEPTH)
        return fail(xml, "nested too deeply");
    if (xml->elements++ == PZ_XML_ELEMENTS) {
        (void)fail(xml, "too many elements");
        return PZ_ETOOBIG;
    }
    status = skip_attributes(xml);
    if (status != PZ_OK)
        return status;
    if (xml->depth > 0)
        xml->open[xml->depth - 1].is_leaf = 0;
    xml->open[xml->depth].tag = tag;
    xml->open[xml->depth].start = xml->at;
    xml->open[xml->depth].is_leaf = 1;
    xml->depth++;
    xml->seen_root = 1;
    return PZ_OK;
}

/* The innermost element is over, what it holds ended at 'end'. */
static void close_element(struct pz_xml *xml, size_t end)
{
    xml->depth--;
    xml->name = local(xml->open[xml->depth].tag);
    xml->is_leaf = xml->open[xml->depth].is_leaf;
    xml->raw = pz_slice_sub(xml->text, xml->open[xml->depth].start, end);
}

/* An end tag, from behind its "</". */
static enum pz_status end_tag(struct pz_xml *xml)
{
    size_t start = xml->at - 2;
    struct pz_slice tag;
    enum pz_status status = take_name(xml, &tag);

    if (status != PZ_OK)
        return status;
    skip_space(xml);
    if (!take(xml, PZ_LIT(">")))
        return at_end(xml) ? cut(xml) : fail(xml, "a tag without end");
    if (xml->depth == 0 || !pz_slice_eq(tag, xml->open[xml->depth - 1].tag))
        return fail(xml, "an end tag that ends nothing");
    close_element(xml, start);
    return PZ_OK;
}

/* A comment, from behind its "<!--". */
static enum pz_status skip_comment(struct pz_xml *xml)
{
    enum pz_status status = skip_past(xml, PZ_LIT("--"));

    if (status == PZ_OK && !take(xml, PZ_LIT(">")))
        return at_end(xml) ? cut(xml) : fail(xml, "a '--' in a comment");
    return status;
}

/* A processing instruction or the XML declaration, from behind its "<?". That
   white space may stand before the declaration is not XML's rule: S3 sends it
   to keep a connection open. */
static enum pz_status skip_instruction(struct pz_xml *xml)
{
    struct pz_slice target;
    enum pz_status status = take_name(xml, &target);

    if (status == PZ_OK && xml->seen_root &&
        pz_slice_ieq(target, PZ_LIT("xml")))
        return fail(xml, "an XML declaration inside");
    return status == PZ_OK ? skip_past(xml, PZ_LIT("?>")) : status;
}

/* Text up to the next '<' or the end; outside of the root just white space. */
static enum pz_status skip_text(struct pz_xml *xml)
{
    while (!at_end(xml) && peek(xml) != '<') {
        if (xml->depth == 0) {
            if (!skip_space(xml))
                return fail(xml, "text outside of the root");
        } else if (peek(xml) != '&') {
            xml->at++;
        } else if (take_reference(xml->text, &xml->at) < 0) {
            return fail(xml, "a reference that is none");
        }
    }
    return PZ_OK;
}

/* What begins with '<'. *told is whether it is an event. */
static enum pz_status
read_markup(struct pz_xml *xml, enum pz_xml_event *event, int *told)
{
    *told = 0;
    if (take(xml, PZ_LIT("<!--")))
        return skip_comment(xml);
    if (take(xml, PZ_LIT("<?")))
        return skip_instruction(xml);
    if (xml->depth > 0 && take(xml, PZ_LIT("<![CDATA[")))
        return skip_past(xml, PZ_LIT("]]>"));
    *told = 1;
    if (take(xml, PZ_LIT("</"))) {
        *event = PZ_XML_CLOSE;
        return end_tag(xml);
    }
    if (take(xml, PZ_LIT("<!")))
        return fail(xml, "a document type, or markup of one, is refused");
    xml->at++;
    *event = PZ_XML_OPEN;
    return open_element(xml);
}

enum pz_status pz_xml_next(struct pz_xml *xml, enum pz_xml_event *event)
{
    enum pz_status status = xml->error ? PZ_EINVAL : PZ_OK;
    int told = 0;

    if (status == PZ_OK && xml->self_closed) {
        xml->self_closed = 0;
        close_element(xml, xml->open[xml->depth - 1].start);
        *event = PZ_XML_CLOSE;
        return PZ_OK;
    }
    while (status == PZ_OK && !told) {
        status = skip_text(xml);
        if (status == PZ_OK && at_end(xml)) {
            *event = PZ_XML_END;
            return xml->depth == 0 && xml->seen_root ? PZ_OK : cut(xml);
        }
        if (status == PZ_OK)
            status = read_markup(xml, event, &told);
    }
    return status;
}

/* Appends text with its line ends as LF. */
static enum pz_status add_lines(struct pz_buf *out, struct pz_slice text)
{
    enum pz_status status = PZ_OK;

    for (size_t at = 0; status == PZ_OK && at < text.len;) {
        size_t end = pz_slice_find(text, '\r', at);

        status = pz_buf_adds(out, pz_slice_sub(text, at, end));
        at = end + 1;
        if (status == PZ_OK && end < text.len &&
            !(at < text.len && text.data[at] == '\n'))
            status = pz_buf_addc(out, '\n');
    }
    return status;
}

/* What begins with '<' inside of a leaf; the reader has found it to end. */
static enum pz_status
add_markup(struct pz_buf *out, struct pz_slice raw, size_t *at)
{
    struct pz_slice rest = pz_slice_sub(raw, *at, raw.len), end = PZ_LIT("?>");
    size_t start = 2, stop;

    if (pz_slice_starts(rest, PZ_LIT("<!--"))) {
        start = 4;
        end = PZ_LIT("-->");
    } else if (pz_slice_starts(rest, PZ_LIT("<![CDATA["))) {
        start = 9;
        end = PZ_LIT("]]>");
    } else if (!pz_slice_starts(rest, PZ_LIT("<?"))) {
        return PZ_EINVAL;
    }
    stop = find(rest, end, start);
    if (stop == rest.len)
        return PZ_EINVAL;
    *at += stop + end.len;
    return start == 9 ? add_lines(out, pz_slice_sub(rest, start, stop)) : PZ_OK;
}

enum pz_status pz_xml_text(struct pz_buf *out, struct pz_slice raw)
{
    enum pz_status status = PZ_OK;
    size_t at = 0;

    while (status == PZ_OK && at < raw.len) {
        size_t end = at;

        while (end < raw.len && raw.data[end] != '<' && raw.data[end] != '&')
            end++;
        status = add_lines(out, pz_slice_sub(raw, at, end));
        at = end;
        if (status != PZ_OK || at == raw.len)
            break;
        if (raw.data[at] == '<') {
            status = add_markup(out, raw, &at);
        } else {
            long point = take_reference(raw, &at);

            status = point < 0 ? PZ_EINVAL
                               : pz_utf8_add(out, (unsigned long)point);
        }
    }
    return status;
}

/* Is 'path' the names of what is open, and then 'name'? */
static int is_path(const struct pz_xml *xml, const char *path)
{
    struct pz_slice rest = pz_slice_of(path);

    for (size_t i = 0; i <= xml->depth; i++) {
        struct pz_slice name = i < xml->depth ? local(xml->open[i].tag)
                                              : xml->name;
        size_t end = pz_slice_find(rest, '/', 0);

        if (!pz_slice_eq(pz_slice_sub(rest, 0, end), name) ||
            (end == rest.len) != (i == xml->depth))
            return 0;
        rest = pz_slice_sub(rest, end + 1, rest.len);
    }
    return 1;
}

enum pz_status
pz_xml_scan(struct pz_slice text, struct pz_slice *root,
            struct pz_xml_pick *picks, size_t count)
{
    struct pz_xml xml;
    enum pz_xml_event event = PZ_XML_OPEN;
    enum pz_status status = PZ_OK;

    root->data = NULL;
    root->len = 0;
    for (size_t i = 0; i < count; i++)
        picks[i].found = 0;
    pz_xml_start(&xml, text);
    while (status == PZ_OK && event != PZ_XML_END) {
        status = pz_xml_next(&xml, &event);
        if (status != PZ_OK || event != PZ_XML_CLOSE)
            continue;
        if (xml.depth == 0)
            *root = xml.name;
        for (size_t i = 0; xml.is_leaf && i < count; i++) {
            if (picks[i].found || !is_path(&xml, picks[i].path))
                continue;
            picks[i].found = 1;
            picks[i].raw = xml.raw;
        }
    }
    for (size_t i = 0; status != PZ_OK && i < count; i++)
        picks[i].found = 0;
    return status;
}
