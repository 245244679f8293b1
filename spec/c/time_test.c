/* Dates: the signature's stamp, ISO 8601, HTTP's. */
#include "check.h"

#include <math.h>
#include <time.h>

#include "../../src/core/pz_time.h"

TEST(stamps)
{
    static const struct {
        double epoch;
        const char *stamp;
    } cases[] = {
        { 0, "19700101T000000Z" },
        { 59.999, "19700101T000059Z" },
        { 68255999, "19720229T235959Z" },
        { 946684799, "19991231T235959Z" },
        { 951825600, "20000229T120000Z" },
        { 951868800, "20000301T000000Z" },
        { 1795515072.75, "20261124T101112Z" },
        { 2147483648.0, "20380119T031408Z" },
        { 4107542399.0, "21000228T235959Z" }, /* no leap year */
        { 4107542400.0, "21000301T000000Z" },
        { 13574563200.0, "24000229T000000Z" }, /* a leap year */
        { 253402300799.0, "99991231T235959Z" },
        { -0.0, "19700101T000000Z" },
    };
    static const double refused[] = {
        -1, -0.001, 253402300800.0, 1e18, 1e300, -1e300
    };
    char stamp[PZ_STAMP_LEN + 1];

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        assert_int_equal(pz_time_stamp(stamp, cases[i].epoch), PZ_OK);
        assert_string_equal(stamp, cases[i].stamp);
    }
    for (size_t i = 0; i < PZ_COUNT(refused); i++)
        assert_int_equal(pz_time_stamp(stamp, refused[i]), PZ_EINVAL);
    assert_int_equal(pz_time_stamp(stamp, (double)NAN), PZ_EINVAL);
    assert_int_equal(pz_time_stamp(stamp, (double)INFINITY), PZ_EINVAL);
}

/* Every day of 430 years, against the C library's calendar. */
TEST(stamps_agree_with_gmtime)
{
    BEGIN();
    for (long day = 0; day < 157000; day++) {
        time_t t = (time_t)day * 86400 + day % 86400;
        struct tm *tm = gmtime(&t);
        char expected[64], stamp[PZ_STAMP_LEN + 1];
        double back;

        strftime(expected, sizeof expected, "%Y%m%dT%H%M%SZ", tm);
        assert_int_equal(pz_time_stamp(stamp, (double)t), PZ_OK);
        assert_string_equal(stamp, expected);
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", tm);
        assert_int_equal(pz_time_parse_iso8601(&back, pz_slice_of(expected)),
                         PZ_OK);
        assert_true(!(back < (double)t) && !(back > (double)t));
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", tm);
        assert_int_equal(pz_time_parse_http(&back, pz_slice_of(expected)),
                         PZ_OK);
        assert_true(!(back < (double)t) && !(back > (double)t));
    }
}

static int is_near(double a, double b)
{
    return fabs(a - b) < 1e-5;
}

TEST(iso8601_takes)
{
    static const struct {
        const char *text;
        double epoch;
    } cases[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2026-11-24T10:11:12Z", 1795515072 },
        { "2026-11-24t10:11:12z", 1795515072 },
        { "2026-11-24 10:11:12Z", 1795515072 },
        { "2026-11-24T10:11:12.5Z", 1795515072.5 },
        { "2026-11-24T10:11:12.000001Z", 1795515072.000001 },
        { "2026-11-24T10:11:12.123456789123456789123456789Z",
          1795515072.123456789 },
        { "2026-11-24T11:11:12+01:00", 1795515072 },
        { "2026-11-24T04:41:12-05:30", 1795515072 },
        { "2026-11-25T10:10:12+23:59", 1795515072 },
        { "2026-11-24T10:11:12+00:00", 1795515072 },
        { "2026-11-24T10:11:12-00:00", 1795515072 },
        { "2026-11-24T10:11:12+0000", 1795515072 },
        { "2026-11-24T10:11:12.000-0000", 1795515072 },
        { "2026-11-24T04:41:12-0530", 1795515072 },
        { "2026-11-24 11:11:12+0100", 1795515072 },
        { "2026-11-24T10:11:12UTC", 1795515072 },
        { "2026-11-24T10:11:12.5UTC", 1795515072.5 },
        { "2000-02-29T12:00:00Z", 951825600 },
        { "2016-12-31T23:59:60Z", 1483228800 }, /* a leap second */
        { "9999-12-31T23:59:59Z", 253402300799.0 },
        { "1969-12-31T23:59:59Z", -1 },
        { "1968-02-29T00:00:00Z", -58060800 },
        { "1900-03-01T00:00:00Z", -2203891200.0 },
        { "0001-01-01T00:00:00Z", -62135596800.0 },
        { "0000-01-01T00:00:00Z", -62167219200.0 },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        double epoch = NAN;

        assert_case(pz_time_parse_iso8601(
                        &epoch, guard(0, pz_slice_of(cases[i].text))) == PZ_OK,
                    cases[i].text);
        assert_case(is_near(epoch, cases[i].epoch), cases[i].text);
    }
}

TEST(iso8601_refuses)
{
    static const char *const cases[] = {
        "", "2026", "2026-11-24", "2026-11-24T10:11:12", "20261124T101112Z",
        "2026-11-24T10:11Z", "2026-11-24T10:11:12.Z", "2026-11-24T10:11:12,5Z",
        "2026-11-24T10:11:12ZZ", "2026-11-24T10:11:12Z ",
        " 2026-11-24T10:11:12Z", "2026-11-24T10:11:12+1:00",
        "2026-11-24T10:11:12+100", "2026-11-24T10:11:12+01",
        "2026-11-24T10:11:12+01000", "2026-11-24T10:11:12+0160",
        "2026-11-24T10:11:12+2400", "2026-11-24T10:11:12+01:",
        "2026-11-24T10:11:12U", "2026-11-24T10:11:12UT",
        "2026-11-24T10:11:12utc", "2026-11-24T10:11:12UTC+0000",
        "2026-11-24T10:11:12+24:00", "2026-11-24T10:11:12+01:60",
        "2026-11-24T10:11:12 +01:00", "2026-11-24T24:00:00Z",
        "2026-11-24T10:60:00Z", "2026-11-24T10:11:61Z", "2026-00-24T10:11:12Z",
        "2026-13-24T10:11:12Z", "2026-11-00T10:11:12Z", "2026-11-31T10:11:12Z",
        "2026-01-32T10:11:12Z", "2026-02-29T10:11:12Z", "2100-02-29T10:11:12Z",
        "1900-02-29T10:11:12Z", "+2026-11-24T10:11:12Z",
        "-2026-11-24T10:11:12Z", "02026-11-24T10:11:12Z", "12026-11-24T1:1:1Z",
        "2026-1-24T10:11:12Z", "2026-11-4T10:11:12Z", "2026-11-24T1:11:12Z",
        "2026-11-24X10:11:12Z", "2026/11/24T10:11:12Z", "2026-11-24T10-11-12Z",
        "2026-11-2aT10:11:12Z", "2026-11-24T10:11:12.5", "1795515072", "now",
    };
    struct pz_slice nul = LIT("2026-11-24T10:11:12\0Z");
    double epoch;

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++)
        assert_case(pz_time_parse_iso8601(
                        &epoch, guard(0, pz_slice_of(cases[i]))) == PZ_EINVAL,
                    cases[i]);
    assert_int_equal(pz_time_parse_iso8601(&epoch, guard(0, nul)), PZ_EINVAL);
}

TEST(http_dates)
{
    static const struct {
        const char *text;
        double epoch; /* NAN: refused */
    } cases[] = {
        { "Tue, 24 Nov 2026 10:11:12 GMT", 1795515072 },
        { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
        { "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
        { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799.0 },
        /* The name of the day is not compared with the date. */
        { "Mon, 24 Nov 2026 10:11:12 GMT", 1795515072 },
        { "", NAN },
        { "24 Nov 2026 10:11:12 GMT", NAN },
        { "Tue, 24 Nov 2026 10:11:12", NAN },
        { "Tue, 24 Nov 2026 10:11:12 UTC", NAN },
        { "Tue, 24 Nov 2026 10:11:12 +0000", NAN },
        { "Tue, 24 Nov 2026 10:11:12 gmt", NAN },
        { "Tue, 24 Nov 2026 10:11:12 GMTx", NAN },
        { "tue, 24 Nov 2026 10:11:12 GMT", NAN },
        { "Tue, 24 nov 2026 10:11:12 GMT", NAN },
        { "Tuesday, 24-Nov-26 10:11:12 GMT", NAN }, /* RFC 850's */
        { "Tue Nov 24 10:11:12 2026", NAN },        /* asctime's */
        { "Tue, 4 Nov 2026 10:11:12 GMT", NAN },
        { "Tue, 31 Nov 2026 10:11:12 GMT", NAN },
        { "Tue, 29 Feb 2026 10:11:12 GMT", NAN },
        { "Tue, 24 Nov 2026 24:11:12 GMT", NAN },
        { "Tue, 24 Nov 2026 10:61:12 GMT", NAN },
        { "Tue, 24 Nov 2026 10:11:61 GMT", NAN },
        { "Tue, 24 Nov 26 10:11:12 GMT", NAN },
        { "Tue,  24 Nov 2026 10:11:12 GMT", NAN },
        { "Tue; 24 Nov 2026 10:11:12 GMT", NAN },
        { "onT, 24 Nov 2026 10:11:12 GMT", NAN },
        { "Tue, 24 anF 2026 10:11:12 GMT", NAN },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        double epoch = 0;
        enum pz_status status = pz_time_parse_http(
            &epoch, guard(0, pz_slice_of(cases[i].text)));

        assert_case((status == PZ_OK) == !isnan(cases[i].epoch),
                    cases[i].text);
        if (status == PZ_OK)
            assert_case(is_near(epoch, cases[i].epoch), cases[i].text);
    }
}

/* Whatever is cut off, nothing is read past the end. */
TEST(cut_dates)
{
    struct pz_slice iso = LIT("2026-11-24T10:11:12.123+01:00");
    struct pz_slice http = LIT("Tue, 24 Nov 2026 10:11:12 GMT");
    double epoch;

    BEGIN();
    for (size_t n = 0; n < iso.len; n++)
        assert_int_equal(pz_time_parse_iso8601(
                             &epoch, guard(0, pz_slice_sub(iso, 0, n))),
                         PZ_EINVAL);
    for (size_t n = 0; n < http.len; n++)
        assert_int_equal(pz_time_parse_http(
                             &epoch, guard(0, pz_slice_sub(http, 0, n))),
                         PZ_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps),
        cmocka_unit_test(stamps_agree_with_gmtime),
        cmocka_unit_test(iso8601_takes),
        cmocka_unit_test(iso8601_refuses),
        cmocka_unit_test(http_dates),
        cmocka_unit_test(cut_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
