/* XML answers: whatever comes is read or refused, within its bounds; what was
   read has as many ends as beginnings, and texts that can be told. */
#include "fuzz.h"

#include "../../src/core/pz_xml.h"

static void read_leaf(struct pz_buf *out, struct pz_slice raw)
{
    pz_buf_clear(out);
    PROMISE(pz_xml_text(out, raw) == PZ_OK);
    PROMISE(out->len <= raw.len);
}

static enum pz_status read_all(struct pz_slice text)
{
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_xml_event event = PZ_XML_OPEN;
    enum pz_status status = PZ_OK;
    size_t depth = 0;
    struct pz_xml xml;

    pz_xml_start(&xml, text);
    while (status == PZ_OK && event != PZ_XML_END) {
        status = pz_xml_next(&xml, &event);
        if (status != PZ_OK || event == PZ_XML_END)
            continue;
        depth += event == PZ_XML_OPEN ? 1 : (size_t)-1;
        PROMISE(xml.depth == depth && depth <= PZ_XML_DEPTH);
        PROMISE(xml.name.len > 0);
        if (event == PZ_XML_CLOSE && xml.is_leaf)
            read_leaf(&out, xml.raw);
    }
    PROMISE(status == PZ_OK ? depth == 0 : xml.error != NULL);
    pz_buf_free(&out);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_xml_pick picks[] = {
        { "Error/Code", 0, { NULL, 0 } },
        { "ErrorResponse/Error/Code", 0, { NULL, 0 } },
    };
    struct pz_slice text, root;
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_status status;

    if (size > 1 << 16)
        return 0;
    text = fuzz_slice(0, data, size);
    status = read_all(text);
    PROMISE(pz_xml_scan(text, &root, picks, PZ_COUNT(picks)) == status);
    for (size_t i = 0; i < PZ_COUNT(picks); i++)
        if (picks[i].found)
            read_leaf(&out, picks[i].raw);
    /* A text need not come out of a reader. */
    pz_buf_clear(&out);
    (void)!pz_xml_text(&out, text);
    pz_buf_free(&out);
    return 0;
}
