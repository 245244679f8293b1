/* Secrets in texts, however they are spelled there. */
#include "check.h"

#include "../../src/core/pz_redact.h"

/* Like a session token: 40 characters, with all signs that one may have. */
#define TOKEN "IQoJb3Jp/ZluX2+VjEH4aCXVz-LWVhc3_QtMSJ=="
#define KEY "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

static void redact(struct pz_buf *out, struct pz_slice text,
                   struct pz_secret secret, int is_cut)
{
    pz_buf_clear(out);
    assert_int_equal(pz_redact(out, guard(0, text), &secret, 1, is_cut),
                     PZ_OK);
}

TEST(spellings_of_a_secret)
{
    /* Each has the token, or a part of it that is too much. */
    static const char *const texts[][2] = {
        { TOKEN, "[redacted]==" },
        { "a " TOKEN " b", "a [redacted]== b" },
        { "<" TOKEN ">", "<[redacted]==>" },
        /* percent, once and again */
        { "IQoJb3Jp%2FZluX2%2BVjEH4aCXVz-LWVhc3_QtMSJ%3D", "[redacted]%3D" },
        { "IQoJb3Jp%252fZluX2%252bVjEH4aCXVz%252DLWVhc3_QtMSJ%253D",
          "[redacted]%253D" },
        { "%49%51%6F%4a%62%33%4A%70%2F%5A%6C%75%58%32%2B%56%6A%45%48",
          "[redacted]" },
        /* a form's blank for a plus */
        { "IQoJb3Jp/ZluX2 VjEH4aCXVz-LWVhc3_QtMSJ", "[redacted]" },
        /* HTML: by name, decimal, hexadecimal, without semicolon */
        { "IQoJb3Jp&sol;ZluX2&plus;VjEH4aCXVz&hyphen;LWVhc3&lowbar;QtMSJ",
          "[redacted]" },
        { "IQoJb3Jp&#47;ZluX2&#43;VjEH4aCXVz&#45;LWVhc3", "[redacted]" },
        { "&#x49;&#x51;&#x6F;&#x4A;&#X62;&#x33;&#x4a;&#x70;&#x2F;&#x5a;",
          "[redacted]" },
        { "&#73&#81&#111&#74&#98&#51&#74&#112&#47&#90", "[redacted]" },
        { "IQoJb3Jp&amp;sol;ZluX2&amp;#43;VjEH4aCXVz", "[redacted]" },
        { "&#37;49&#37;51&#37;6F&#37;4A&#37;62&#37;33&#37;4A&#37;70",
          "[redacted]" },
        /* JSON and the like */
        { "IQoJb3Jp\\/ZluX2\\u002bVjEH4aCXVz-LWVhc3_QtMSJ\\u003D",
          "[redacted]\\u003D" },
        { "\\x49\\x51\\x6f\\x4a\\x62\\x33\\x4a\\x70", "[redacted]" },
        { "\\u{49}\\u{51}\\u{6f}\\u{4a}\\u{62}\\u{33}\\u{4a}\\u{70}",
          "[redacted]" },
        /* broken: by spaces, line ends, escapes of these, what is unseen */
        { "IQoJ b3Jp /Zlu X2+V jEH4", "[redacted]" },
        { "IQoJb3\r\n Jp/ZluX2\n\t+VjEH4", "[redacted]" },
        { "IQoJb3\\n  Jp/Zl\\r\\nuX2+VjEH4", "[redacted]" },
        { "IQoJb3%0D%0AJp/ZluX2+VjEH4", "[redacted]" },
        { "IQoJb3&#10;Jp/Zl&NewLine;uX2+&nbsp;VjEH4", "[redacted]" },
        { "IQoJb3\xE2\x80\x8BJp/ZluX2\xC2\xA0+VjEH4\xC2\xAD" "aCXV",
          "[redacted]" },
        { "IQoJb3\\u{200b}Jp/ZluX2+VjEH4", "[redacted]" },
        { "IQoJb3Jp/ZluX2<br>+VjEH4aCXVz", "[redacted]<br>+[redacted]" },
        /* case */
        { "iqojb3jp/zlux2+vjeh4acxvz", "[redacted]" },
        { "IQOJB3JP/ZLUX2", "[redacted]" },
        /* parts */
        { "IQoJb3Jp...", "[redacted]..." },
        { "...Vhc3_QtMSJ", "...[redacted]" },
        { "x2+VjEH4aCXVz-LW!", "[redacted]!" },
        { "seven IQoJb3J of them", "seven IQoJb3J of them" },
        /* base64, from each byte of a group; hexadecimal */
        { "SVFvSmIzSnAvWmx1WDIrVmpFSDRhQ1hWei1MV1ZoYzNfUXRNU0o9PQ==",
          "[redacted]Q==" },
        { "eElRb0piM0pwL1psdVgyK1ZqRUg0YUNYVnotTFdWaGMzX1F0TVNKPT0=",
          "eE[redacted]0=" },
        { "eHhJUW9KYjNKcC9abHVYMitWakVINGFDWFZ6LUxXVmhjM19RdE1TSj09",
          "eHh[redacted]" },
        { "49516f4a62334a702f5a6c7558322b566a45", "[redacted]" },
        { "49 51 6F 4A 62 33 4A 70 2F 5A 6C 75", "[redacted]" },
        /* nothing of it */
        { "", "" }, { "plain text, nothing more", "plain text, nothing more" },
        { "100% &amp; <&> \\ \\x \\u12 %4 &#; &#x; &nothing;",
          "100% &amp; <&> \\ \\x \\u12 %4 &#; &#x; &nothing;" },
    };
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(texts); i++) {
        redact(&out, pz_slice_of(texts[i][0]),
               (struct pz_secret){ LIT(TOKEN), 0 }, 0);
        assert_text(&out, texts[i][1]);
    }
    pz_buf_free(&out);
}

TEST(private_texts)
{
    static const struct {
        const char *text, *secret, *expected;
    } cases[] = {
        /* short: a word of its own, or in quotes */
        { "the e of tag=e", "e", "the [redacted] of tag=[redacted]" },
        { "'!' and !", "!", "'[redacted]' and !" },
        { "qx7, (qx7) and xqx7", "qx7", "[redacted], ([redacted]) and xqx7" },
        /* from four on: anywhere, in this case only */
        { "xabcdx ABCD", "abcd", "x[redacted]x ABCD" },
        { "a to become", "to be", "a [redacted]come" },
        { "automobile", "to mo", "automobile" },
        { "to \n mo", "to mo", "[redacted]" },
        { "to%20mo &#116;o mo", "to mo", "[redacted] [redacted]" },
        /* long: all of it, in any spelling; its parts may be others' */
        { "arn:aws:iam::1:role/x", "arn:aws:iam::1:role/y",
          "arn:aws:iam::1:role/x" },
        { "a PlantedValue%20OF a tag", "PlantedValue of",
          "a [redacted] a tag" },
        { "Planted\nValue of", "PlantedValue of", "[redacted]" },
        { "caf\xC3\xA9 caf%C3%A9 caf&#233; caf\\u00e9", "caf\xC3\xA9",
          "[redacted] [redacted] [redacted] [redacted]" },
        { "\\ud83d\\ude00\\ud83d\\ude00 done",
          "\xF0\x9F\x98\x80\xF0\x9F\x98\x80",
          "[redacted] done" },
        { "nothing", "", "nothing" }, { "nothing", " ", "nothing" },
    };
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        redact(&out, pz_slice_of(cases[i].text),
               (struct pz_secret){ pz_slice_of(cases[i].secret), 1 }, 0);
        assert_text(&out, cases[i].expected);
    }
    pz_buf_free(&out);
}

/* A short secret is taken out where all of it stands. */
TEST(short_secrets)
{
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    redact(&out, LIT("a secret, of secre"),
           (struct pz_secret){ LIT("secret"), 0 }, 0);
    assert_text(&out, "a [redacted], of secre");
    pz_buf_free(&out);
}

TEST(texts_that_were_cut)
{
    static const char *const cut[][2] = {
        { "x Plan", "x [redacted]" }, { "x Pla", "x Pla" },
        { "x PlantedValue o", "x [redacted]" }, { "Plant", "[redacted]" },
        { "x Plant y", "x Plant y" }, { "", "" },
    };
    struct pz_buf out = PZ_BUF_INIT(0);
    struct pz_secret secret = { LIT("PlantedValue of"), 1 };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cut); i++) {
        redact(&out, pz_slice_of(cut[i][0]), secret, 1);
        assert_text(&out, cut[i][1]);
    }
    redact(&out, LIT("x Plant"), secret, 0);
    assert_text(&out, "x Plant");
    redact(&out, LIT("x IQoJb"), (struct pz_secret){ LIT(TOKEN), 0 }, 1);
    assert_text(&out, "x [redacted]");
    pz_buf_free(&out);
}

/* Whichever is looked for first, neither leaves a part of the other. */
TEST(secrets_inside_of_each_other)
{
    struct pz_secret secrets[] = {
        { LIT("Planted"), 1 }, { LIT("Planted value, the longer one"), 1 },
        { LIT("value"), 1 }, { LIT(KEY), 0 }, { LIT("FEMI/K7MDENG"), 0 }
    };

    BEGIN();
    for (size_t turn = 0; turn < PZ_COUNT(secrets); turn++) {
        struct pz_secret first = secrets[0];
        struct pz_buf out = PZ_BUF_INIT(0);

        memmove(secrets, secrets + 1, sizeof secrets - sizeof *secrets);
        secrets[PZ_COUNT(secrets) - 1] = first;
        assert_int_equal(pz_redact(&out,
            LIT("<Planted value, the longer one> and " KEY "."), secrets,
            PZ_COUNT(secrets), 0), PZ_OK);
        assert_text(&out, "<[redacted]> and [redacted].");
        pz_buf_free(&out);
    }
}

TEST(signatures)
{
    struct pz_buf out = PZ_BUF_INIT(0);

    BEGIN();
    assert_int_equal(pz_redact(&out,
        LIT("Signature=04fcab, X-Amz-Signature=04FCAB&x signature%3D04fcab "
            "Signature= none, Signature: 04"), NULL, 0, 0), PZ_OK);
    assert_text(&out, "Signature=[redacted], X-Amz-Signature=[redacted]&x "
                      "signature%3D[redacted] Signature= none, "
                      "Signature: 04");
    pz_buf_free(&out);
}

#ifdef PZ_TEST
static enum pz_status try_it(void *arg)
{
    struct pz_secret secrets[] = { { LIT(TOKEN), 0 }, { LIT("a tag"), 1 } };
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_status status = pz_redact(&out, LIT("%41 a tag " TOKEN), secrets,
                                      2, 0);

    (void)arg;
    pz_buf_free(&out);
    return status;
}

TEST(memory_refused)
{
    BEGIN();
    assert_true(check_refusals(try_it, NULL) > 10);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_a_secret),
        cmocka_unit_test(private_texts),
        cmocka_unit_test(short_secrets),
        cmocka_unit_test(texts_that_were_cut),
        cmocka_unit_test(secrets_inside_of_each_other),
        cmocka_unit_test(signatures),
#ifdef PZ_TEST
        cmocka_unit_test(memory_refused),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
