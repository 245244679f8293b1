/*
 * The floor under call.lua: bare libcurl, one handle, the bytes of a create
 * from constants, unsigned. Reads the same variables, prints the same line.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static const char body[] =
    "{\"jobName\":\"bench-12345-1795516800-1000\",\"datasetGroupArn\":"
    "\"arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop\","
    "\"dataSource\":{\"dataLocation\":\"s3://erasure/2026-11-24/users.csv\"},"
    "\"roleArn\":\"arn:aws:iam::123456789012:role/PersonalizeS3\"}";

static const char *const head[] = {
    "content-type: application/x-amz-json-1.1",
    "x-amz-date: 20261124T101500Z",
    "x-amz-target: AmazonPersonalize.CreateDataDeletionJob",
    "amz-sdk-invocation-id: 23a65077-c173-4a61-9dd8-52c77a199e5a",
    "amz-sdk-request: attempt=1; max=3",
    "user-agent: personalize-lua/0.1.0 ua/2.1 os/linux lang/lua#5.4",
    "x-bench-filler: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/"
    "eu-west-1/personalize/aws4_request, SignedHeaders=amz-sdk-invocation-id;"
    "amz-sdk-request;content-length;content-type;host;x-amz-date;x-amz-target"
    ", Signature=1056a63f98f3f4d3ba1ea304e9108d282dffd122fa21365355fce79468c"
    "bdac2",
    "Accept:",
    "Expect:",
};

static size_t swallow(char *data, size_t size, size_t count, void *total)
{
    (void)data;
    *(size_t *)total += size * count;
    return size * count;
}

static double cpu(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void post(CURL *easy)
{
    CURLcode code = curl_easy_perform(easy);

    if (code != CURLE_OK) {
        fprintf(stderr, "floor: %s\n", curl_easy_strerror(code));
        exit(1);
    }
}

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && *value ? value : otherwise;
}

int main(void)
{
    const char *endpoint = setting("BENCH_ENDPOINT", "");
    long n = atol(setting("BENCH_N", "2000"));
    long warmup = atol(setting("BENCH_WARMUP", "200"));
    double launched = atof(setting("BENCH_T0", "0")), startup, wall;
    struct rusage before, after;
    struct curl_slist *list = NULL;
    size_t total = 0;
    CURL *easy;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    easy = curl_easy_init();
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        list = curl_slist_append(list, head[i]);
    curl_easy_setopt(easy, CURLOPT_URL, endpoint);
    if (getenv("BENCH_CA"))
        curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("BENCH_CA"));
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &total);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &total);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    post(easy);
    startup = now(CLOCK_REALTIME) - launched;
    for (long i = 0; i < warmup; i++)
        post(easy);
    getrusage(RUSAGE_SELF, &before);
    wall = now(CLOCK_MONOTONIC);
    for (long i = 0; i < n; i++)
        post(easy);
    wall = now(CLOCK_MONOTONIC) - wall;
    getrusage(RUSAGE_SELF, &after);
    {
        double user = cpu(after.ru_utime) - cpu(before.ru_utime);
        double system = cpu(after.ru_stime) - cpu(before.ru_stime);

        printf("{\"peer\":\"floor\",\"version\":\"libcurl %s\",\"n\":%ld,"
               "\"wall_s\":%.4f,\"cpu_user_s\":%.4f,\"cpu_sys_s\":%.4f,"
               "\"us_cpu_per_call\":%.2f,\"calls_per_s\":%.0f,"
               "\"startup_ms\":%.1f,\"rss_kb\":%ld}\n",
               curl_version_info(CURLVERSION_NOW)->version, n, wall, user,
               system, (user + system) / (double)n * 1e6, (double)n / wall,
               startup * 1000, after.ru_maxrss);
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(list);
    curl_global_cleanup();
    return total == 0;
}
