#include "pz_time.h"

#include "pz_text.h"

/* 9999-12-31T23:59:59Z */
#define LAST_SECOND 253402300799.0

struct civil {
    long year;
    int month, day;
};

/* Days since 1970-01-01; eras of 400 years, the year starting in March, so
   that the leap day is the last of its year. */
static long days_from_civil(struct civil c)
{
    long year = c.month <= 2 ? c.year - 1 : c.year;
    long era = (year >= 0 ? year : year - 399) / 400;
    long year_of_era = year - era * 400;
    long shifted = (c.month + 9) % 12;
    long day_of_year = (153 * shifted + 2) / 5 + c.day - 1;
    long day_of_era = year_of_era * 365 + year_of_era / 4 -
                      year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_days(long days)
{
    long shifted_days = days + 719468;
    long era = (shifted_days >= 0 ? shifted_days : shifted_days - 146096) /
               146097;
    long day_of_era = shifted_days - era * 146097;
    long year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                        day_of_era / 146096) / 365;
    long day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 -
                                     year_of_era / 100);
    long shifted = (5 * day_of_year + 2) / 153;
    struct civil c;

    c.day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    c.month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    c.year = year_of_era + era * 400 + (c.month <= 2);
    return c;
}

static void put_digits(char *out, long value, int width)
{
    while (width-- > 0) {
        out[width] = (char)('0' + value % 10);
        value /= 10;
    }
}

enum pz_status pz_time_stamp(char out[PZ_STAMP_LEN + 1], double epoch)
{
    struct civil c;
    long long seconds;
    long in_day;

    if (!(epoch >= 0 && epoch <= LAST_SECOND))
        return PZ_EINVAL;
    seconds = (long long)epoch;
    c = civil_from_days((long)(seconds / 86400));
    in_day = (long)(seconds % 86400);
    put_digits(out, c.year, 4);
    put_digits(out + 4, c.month, 2);
    put_digits(out + 6, c.day, 2);
    out[8] = 'T';
    put_digits(out + 9, in_day / 3600, 2);
    put_digits(out + 11, in_day / 60 % 60, 2);
    put_digits(out + 13, in_day % 60, 2);
    out[15] = 'Z';
    out[16] = '\0';
    return PZ_OK;
}

/* 'width' digits at *at, within bounds; moves on. */
static int take_number(struct pz_slice text, size_t *at, size_t width,
                       unsigned long low, unsigned long high, int *out)
{
    unsigned long value;

    if (!pz_decimal(pz_slice_sub(text, *at, *at + width), &value) ||
        text.len - *at < width || value < low || value > high)
        return 0;
    *at += width;
    *out = (int)value;
    return 1;
}

static int take_char(struct pz_slice text, size_t *at, char c)
{
    if (*at >= text.len || text.data[*at] != c)
        return 0;
    ++*at;
    return 1;
}

/* ".123" or nothing; digits beyond a double's reach do no harm. */
static int take_fraction(struct pz_slice text, size_t *at, double *out)
{
    double scale = 0.1;
    size_t first;

    *out = 0;
    if (!take_char(text, at, '.'))
        return 1;
    first = *at;
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9';
         ++*at) {
        *out += (text.data[*at] - '0') * scale;
        scale /= 10;
    }
    return *at > first;
}

static int take_word(struct pz_slice text, size_t *at, struct pz_slice word)
{
    if (!pz_slice_eq(pz_slice_sub(text, *at, *at + word.len), word))
        return 0;
    *at += word.len;
    return 1;
}

/* "Z", "UTC", "+hh:mm" or "+hhmm" as seconds to subtract. */
static int take_zone(struct pz_slice text, size_t *at, long *out)
{
    int hours, minutes, sign = 1;

    *out = 0;
    if (take_char(text, at, 'Z') || take_char(text, at, 'z') ||
        take_word(text, at, PZ_LIT("UTC")))
        return 1;
    if (take_char(text, at, '-'))
        sign = -1;
    else if (!take_char(text, at, '+'))
        return 0;
    if (!take_number(text, at, 2, 0, 23, &hours))
        return 0;
    (void)take_char(text, at, ':');
    if (!take_number(text, at, 2, 0, 59, &minutes))
        return 0;
    *out = sign * (hours * 3600L + minutes * 60L);
    return 1;
}

static int days_in_month(int year, int month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30,
                                          31, 31, 30, 31, 30, 31 };
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static double at_second(int year, int month, int day, long in_day)
{
    struct civil c = { year, month, day };

    return (double)days_from_civil(c) * 86400.0 + (double)in_day;
}

enum pz_status
pz_time_parse_iso8601(double *epoch, struct pz_slice text)
{
    int year, month, day, hour, minute, second;
    double fraction;
    size_t at = 0;
    long zone;

    if (!take_number(text, &at, 4, 0, 9999, &year) ||
        !take_char(text, &at, '-') ||
        !take_number(text, &at, 2, 1, 12, &month) ||
        !take_char(text, &at, '-') ||
        !take_number(text, &at, 2, 1, 31, &day) ||
        day > days_in_month(year, month) ||
        !(take_char(text, &at, 'T') || take_char(text, &at, 't') ||
          take_char(text, &at, ' ')) ||
        !take_number(text, &at, 2, 0, 23, &hour) ||
        !take_char(text, &at, ':') ||
        !take_number(text, &at, 2, 0, 59, &minute) ||
        !take_char(text, &at, ':') ||
        !take_number(text, &at, 2, 0, 60, &second) ||
        !take_fraction(text, &at, &fraction) ||
        !take_zone(text, &at, &zone) || at != text.len)
        return PZ_EINVAL;
    *epoch = at_second(year, month, day, hour * 3600L + minute * 60L + second) -
             (double)zone + fraction;
    return PZ_OK;
}

/* Three letters out of a list of such, as their number from 1. */
static int take_name(struct pz_slice text, size_t *at, const char *names,
                     int *out)
{
    for (*out = 1; *names; names += 3, ++*out) {
        struct pz_slice name = { names, 3 };

        if (take_word(text, at, name))
            return 1;
    }
    return 0;
}

enum pz_status pz_time_parse_http(double *epoch, struct pz_slice text)
{
    int weekday, day, month, year, hour, minute, second;
    size_t at = 0;

    if (!take_name(text, &at, "MonTueWedThuFriSatSun", &weekday) ||
        !take_word(text, &at, PZ_LIT(", ")) ||
        !take_number(text, &at, 2, 1, 31, &day) ||
        !take_char(text, &at, ' ') ||
        !take_name(text, &at, "JanFebMarAprMayJunJulAugSepOctNovDec",
                   &month) ||
        !take_char(text, &at, ' ') ||
        !take_number(text, &at, 4, 0, 9999, &year) ||
        day > days_in_month(year, month) ||
        !take_char(text, &at, ' ') ||
        !take_number(text, &at, 2, 0, 23, &hour) ||
        !take_char(text, &at, ':') ||
        !take_number(text, &at, 2, 0, 59, &minute) ||
        !take_char(text, &at, ':') ||
        !take_number(text, &at, 2, 0, 60, &second) ||
        !take_word(text, &at, PZ_LIT(" GMT")) || at != text.len)
        return PZ_EINVAL;
    *epoch = at_second(year, month, day, hour * 3600L + minute * 60L + second);
    return PZ_OK;
}
