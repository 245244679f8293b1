/* XML answers: steps, picking by path, bounds, cuts, memory. What texts are
   refused is in spec/xml_spec.lua. */
#include "check.h"

#include "../../src/core/pz_xml.h"

/* Each step as a few letters: "<a", ">a(raw)" for a leaf, ">a" for others. */
static enum pz_status tell(struct pz_buf *out, struct pz_slice text)
{
    enum pz_xml_event event = PZ_XML_OPEN;
    enum pz_status status = PZ_OK;
    struct pz_xml xml;

    pz_buf_clear(out);
    pz_xml_start(&xml, text);
    while (status == PZ_OK && event != PZ_XML_END) {
        char line[256] = "";

        status = pz_xml_next(&xml, &event);
        if (status != PZ_OK)
            snprintf(line, sizeof line, "!%s", xml.error);
        else if (event == PZ_XML_OPEN)
            snprintf(line, sizeof line, "<%.*s%lu ", (int)xml.name.len,
                     xml.name.data, (unsigned long)xml.depth);
        else if (event == PZ_XML_CLOSE && xml.is_leaf)
            snprintf(line, sizeof line, ">%.*s%lu(%.*s) ", (int)xml.name.len,
                     xml.name.data, (unsigned long)xml.depth,
                     (int)xml.raw.len, xml.raw.data);
        else if (event == PZ_XML_CLOSE)
            snprintf(line, sizeof line, ">%.*s%lu ", (int)xml.name.len,
                     xml.name.data, (unsigned long)xml.depth);
        assert_int_equal(pz_buf_adds(out, pz_slice_of(line)), PZ_OK);
    }
    return status;
}

TEST(steps)
{
    static const char *const cases[][2] = {
        { "<a/>", "<a1 >a0() " },
        { "<a>x</a>", "<a1 >a0(x) " },
        { "<a>x<b/>y</a>", "<a1 <b2 >b1() >a0 " },
        { "<a><b>1</b><b>&lt;</b></a>",
          "<a1 <b2 >b1(1) <b2 >b1(&lt;) >a0 " },
        { "<p:a><q:b/></p:a>", "<a1 <b2 >b1() >a0 " },
        { "<?xml version='1.0'?>\n<a><!-- < --></a>", "<a1 >a0(<!-- < -->) " },
        { "<a><![CDATA[</a>]]></a>", "<a1 >a0(<![CDATA[</a>]]>) " },
        { "<a><b></a>", "<a1 <b2 !an end tag that ends nothing" },
        { "<a><b/>", "<a1 <b2 >b1() !the text is cut" },
        { "<a/><b/>", "<a1 >a0() !a second root" },
        { "", "!the text is cut" },
    };
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        (void)!tell(&out, guard(0, pz_slice_of(cases[i][0])));
        assert_text(&out, cases[i][1]);
    }
    pz_buf_free(&out);
}

TEST(an_error_stays)
{
    enum pz_xml_event event;
    struct pz_xml xml;

    BEGIN();
    pz_xml_start(&xml, LIT("<!DOCTYPE a><a/>"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pz_xml_next(&xml, &event), PZ_EINVAL);
        assert_non_null(strstr(xml.error, "document type"));
    }
}

TEST(the_end_stays)
{
    enum pz_xml_event event;
    struct pz_xml xml;

    BEGIN();
    pz_xml_start(&xml, LIT("<a/>\n"));
    assert_int_equal(pz_xml_next(&xml, &event), PZ_OK);
    assert_int_equal(pz_xml_next(&xml, &event), PZ_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pz_xml_next(&xml, &event), PZ_OK);
        assert_int_equal(event, PZ_XML_END);
    }
}

static const char error_text[] =
    "<ErrorResponse xmlns=\"u\"><Code>not this</Code>\n<Error><x><Code>nor "
    "this</Code></x><Type>Sender</Type><Code>Access&#68;enied</Code><Message>"
    "<![CDATA[a & b]]></Message><Code>late</Code><Detail><d/></Detail></Error>"
    "<RequestId/></ErrorResponse>";

TEST(picking)
{
    struct pz_xml_pick picks[] = {
        { "ErrorResponse/Error/Code", 9, { "", 0 } },
        { "ErrorResponse/Error/Message", 9, { "", 0 } },
        { "ErrorResponse/RequestId", 9, { "", 0 } },
        { "ErrorResponse/Error/Detail", 9, { "", 0 } }, /* no leaf */
        { "ErrorResponse/Error", 9, { "", 0 } },
        { "Error/Code", 9, { "", 0 } },
        { "ErrorResponse/Error/Code/", 9, { "", 0 } },
        { "ErrorResponse", 9, { "", 0 } },
        { "", 9, { "", 0 } },
        { "ErrorResponse/Error/x/Code", 9, { "", 0 } },
    };
    struct pz_slice text = guard(0, pz_slice_of(error_text)), root;
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    assert_int_equal(pz_xml_scan(text, &root, picks, PZ_COUNT(picks)), PZ_OK);
    assert_slice(root, LIT("ErrorResponse"));
    for (size_t i = 0; i < PZ_COUNT(picks); i++)
        assert_case(picks[i].found == (i < 3 || i == 9), picks[i].path);
    assert_slice(picks[0].raw, LIT("Access&#68;enied"));
    assert_int_equal(pz_xml_text(&out, picks[0].raw), PZ_OK);
    assert_int_equal(pz_xml_text(&out, picks[1].raw), PZ_OK);
    assert_int_equal(pz_xml_text(&out, picks[2].raw), PZ_OK);
    assert_text(&out, "AccessDenieda & b");
    assert_slice(picks[9].raw, LIT("nor this"));
    pz_buf_free(&out);
}

TEST(picking_the_root)
{
    struct pz_xml_pick pick = { "a", 0, { "", 0 } };
    struct pz_slice root;

    BEGIN();
    assert_int_equal(pz_xml_scan(LIT("<p:a>1</p:a>"), &root, &pick, 1), PZ_OK);
    assert_true(pick.found);
    assert_slice(pick.raw, LIT("1"));
    assert_slice(root, LIT("a"));
}

/* What is cut is refused, nothing is found in it and nothing read past it. */
TEST(cuts)
{
    struct pz_slice text = pz_slice_of(error_text);

    BEGIN();
    for (size_t n = 0; n < text.len; n++) {
        struct pz_xml_pick pick = { "ErrorResponse/Error/Code", 0, { "", 0 } };
        struct pz_slice root;

        assert_int_equal(pz_xml_scan(guard(0, pz_slice_sub(text, 0, n)), &root,
                                     &pick, 1), PZ_EINVAL);
        assert_false(pick.found);
    }
}

/* A text that no reader has checked is read within its bounds, too. */
TEST(raw_texts)
{
    static const char *const refused[] = {
        "<", "<b", "<b>", "<!--", "<!--->", "<!-- -", "<![CDATA[",
        "<![CDATA[]]", "<![CDATA", "<?", "<?x", "</", "&", "&a",
        "&amp", "&#", "&#1", "&x;", "a&#x;", "&aaaaaaaaaaaaaaaaaaaaa;",
    };
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(refused); i++)
        assert_case(pz_xml_text(&out, guard(0, pz_slice_of(refused[i]))) ==
                    PZ_EINVAL, refused[i]);
    pz_buf_free(&out);
}

TEST(a_small_buffer)
{
    struct pz_buf out = PZ_BUF_INIT(4);

    BEGIN();
    assert_int_equal(pz_xml_text(&out, LIT("a\r\nb\r")), PZ_OK);
    assert_text(&out, "a\nb\n");
    assert_int_equal(pz_xml_text(&out, LIT("&lt;")), PZ_ETOOBIG);
    pz_buf_free(&out);
}

TEST(many_elements)
{
    static char text[PZ_XML_ELEMENTS * 4 + 16];

    BEGIN();
    for (size_t more = 0; more < 2; more++) {
        struct pz_xml_pick pick = { "r/a", 0, { NULL, 0 } };
        struct pz_slice root;
        size_t len = 3;

        memcpy(text, "<r>", 3);
        for (size_t n = 1; n < PZ_XML_ELEMENTS + more; n++, len += 4)
            memcpy(text + len, "<a/>", 4);
        memcpy(text + len, "</r>", 4);
        assert_int_equal(pz_xml_scan(guard(0, (struct pz_slice){ text,
            len + 4 }), &root, &pick, 1), more ? PZ_ETOOBIG : PZ_OK);
        assert_int_equal(pick.found, !more);
    }
}

#ifdef PZ_TEST
static enum pz_status all_of_it(void *arg)
{
    struct pz_xml_pick pick = { "ErrorResponse/Error/Message", 0, { "", 0 } };
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_slice root;
    enum pz_status status;

    (void)arg;
    status = pz_xml_scan(pz_slice_of(error_text), &root, &pick, 1);
    for (int i = 0; status == PZ_OK && i < 40; i++)
        status = pz_xml_text(&out, pick.raw);
    pz_buf_free(&out);
    return status;
}

TEST(refused_memory)
{
    BEGIN();
    assert_true(check_refusals(all_of_it, NULL) >= 2);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),
        cmocka_unit_test(an_error_stays),
        cmocka_unit_test(the_end_stays),
        cmocka_unit_test(picking),
        cmocka_unit_test(picking_the_root),
        cmocka_unit_test(cuts),
        cmocka_unit_test(raw_texts),
        cmocka_unit_test(a_small_buffer),
        cmocka_unit_test(many_elements),
#ifdef PZ_TEST
        cmocka_unit_test(refused_memory),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
