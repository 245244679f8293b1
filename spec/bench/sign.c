/*
 * One signature in the core with a cached key: what a create costs before
 * any byte moves. Prints one line of JSON; the figure is the best of many
 * rounds, since everything else on the machine only adds.
 */
#include <stdio.h>
#include <time.h>

#include "../../src/core/pz_attempt.h"

enum { ROUNDS = 200, CALLS = 1000 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    static struct pz_service service;
    struct pz_service_params params = {
        PZ_LIT("https://personalize.eu-west-1.amazonaws.com"),
        PZ_LIT("eu-west-1"), PZ_LIT("personalize"),
        PZ_LIT("AmazonPersonalize"),
        PZ_LIT("personalize-lua/0.1.0 ua/2.1 os/linux lang/lua#5.4")
    };
    struct pz_credentials credentials = {
        PZ_LIT("AKIDEXAMPLE"),
        PZ_LIT("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), { NULL, 0 }
    };
    struct pz_slice body = PZ_LIT(
        "{\"jobName\":\"gdpr-2026-11-24\",\"datasetGroupArn\":"
        "\"arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop\","
        "\"dataSource\":{\"dataLocation\":"
        "\"s3://erasure/2026-11-24/users.csv\"},\"roleArn\":"
        "\"arn:aws:iam::123456789012:role/PersonalizeS3\"}");
    unsigned char random[16] = { 0 };
    struct pz_attempt attempt;
    const char *error;
    double best_sign = 1, best_whole = 1;

    if (pz_service_init(&service, &error, &params) != PZ_OK)
        return 1;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now(), middle, end;

        for (int i = 0; i < CALLS; i++)
            if (pz_attempt_start(&attempt, &service,
                                 PZ_LIT("CreateDataDeletionJob"), body,
                                 random, 3) != PZ_OK)
                return 1;
        middle = now();
        for (int i = 0; i < CALLS; i++)
            if (pz_attempt_sign(&attempt, &service, &credentials,
                                1795516500.0 + i) != PZ_OK)
                return 1;
        end = now();
        if (end - middle < best_sign)
            best_sign = end - middle;
        if (end - start < best_whole)
            best_whole = end - start;
    }
    printf("{\"bench\":\"sign\",\"where\":\"core\",\"us_sign\":%.2f,"
           "\"us_hash_and_sign\":%.2f}\n", best_sign / CALLS * 1e6,
           best_whole / CALLS * 1e6);
    pz_service_free(&service);
    return 0;
}
