/* The model's tables: operations, members, limits, patterns, error names. */
#include "check.h"

#include "../../src/core/pz_model.h"

static const struct pz_operation *operation(const char *name)
{
    const struct pz_operation *found = pz_operation_find(pz_slice_of(name));

    assert_non_null(found);
    return found;
}

/* "tags.tagKey": through lists, to the shape of what stands there. */
static const struct pz_shape *shape_at(const struct pz_shape *shape,
                                       const char *path, int *required)
{
    struct pz_slice rest = pz_slice_of(path);

    while (rest.len > 0) {
        size_t dot = pz_slice_find(rest, '.', 0);
        const struct pz_member *member;

        if (shape->kind == PZ_LIST)
            shape = shape->element;
        member = pz_member_find(shape, pz_slice_sub(rest, 0, dot));
        assert_non_null(member);
        *required = member->required;
        shape = member->shape;
        rest = pz_slice_sub(rest, dot + 1, rest.len);
    }
    return shape;
}

static const struct {
    const char *operation, *path;
    int required;
    enum pz_kind kind;
    long min, max;
} limits[] = {
    { "CreateDataDeletionJob", "jobName", 1, PZ_STRING, 1, 63 },
    { "CreateDataDeletionJob", "datasetGroupArn", 1, PZ_STRING, 0, 256 },
    { "CreateDataDeletionJob", "dataSource", 1, PZ_STRUCTURE, 0, 0 },
    { "CreateDataDeletionJob", "dataSource.dataLocation", 0, PZ_STRING, 0,
      256 },
    { "CreateDataDeletionJob", "roleArn", 1, PZ_STRING, 0, 256 },
    { "CreateDataDeletionJob", "tags", 0, PZ_LIST, 0, 200 },
    { "CreateDataDeletionJob", "tags.tagKey", 1, PZ_STRING, 1, 128 },
    { "CreateDataDeletionJob", "tags.tagValue", 1, PZ_STRING, 0, 256 },
    { "DescribeDataDeletionJob", "dataDeletionJobArn", 1, PZ_STRING, 0, 256 },
    { "ListDataDeletionJobs", "datasetGroupArn", 0, PZ_STRING, 0, 256 },
    { "ListDataDeletionJobs", "nextToken", 0, PZ_STRING, 0, 0 },
    { "ListDataDeletionJobs", "maxResults", 0, PZ_INTEGER, 1, 100 },
    { "ListTagsForResource", "resourceArn", 1, PZ_STRING, 0, 256 },
    { "TagResource", "resourceArn", 1, PZ_STRING, 0, 256 },
    { "TagResource", "tags", 1, PZ_LIST, 0, 200 },
    { "TagResource", "tags.tagValue", 1, PZ_STRING, 0, 256 },
    { "UntagResource", "resourceArn", 1, PZ_STRING, 0, 256 },
    { "UntagResource", "tagKeys", 1, PZ_LIST, 0, 200 },
    { "DescribeDatasetGroup", "datasetGroupArn", 1, PZ_STRING, 0, 256 },
    { "DescribeRecommender", "recommenderArn", 1, PZ_STRING, 0, 256 },
    { "DescribeSolution", "solutionArn", 1, PZ_STRING, 0, 256 },
    { "ListBatchInferenceJobs", "solutionVersionArn", 0, PZ_STRING, 0, 256 },
    { "ListBatchSegmentJobs", "solutionVersionArn", 0, PZ_STRING, 0, 256 },
    { "ListDatasetExportJobs", "datasetArn", 0, PZ_STRING, 0, 256 },
    { "ListDatasetGroups", "maxResults", 0, PZ_INTEGER, 1, 100 },
    { "ListDatasetGroups", "nextToken", 0, PZ_STRING, 0, 0 },
    { "ListDatasetImportJobs", "datasetArn", 0, PZ_STRING, 0, 256 },
    { "ListDatasets", "datasetGroupArn", 0, PZ_STRING, 0, 256 },
    { "ListEventTrackers", "datasetGroupArn", 0, PZ_STRING, 0, 256 },
    { "ListRecommenders", "datasetGroupArn", 0, PZ_STRING, 0, 256 },
    { "ListSolutionVersions", "solutionArn", 0, PZ_STRING, 0, 256 },
    { "ListSolutions", "datasetGroupArn", 0, PZ_STRING, 0, 256 },
};

TEST(inputs)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(limits); i++) {
        int required = -1;
        const struct pz_shape *shape = shape_at(
            operation(limits[i].operation)->input, limits[i].path, &required);

        assert_case(required == limits[i].required, limits[i].path);
        assert_case(shape->kind == limits[i].kind, limits[i].path);
        assert_case(shape->min == limits[i].min, limits[i].path);
        assert_case(shape->max == limits[i].max, limits[i].path);
    }
    {
        int required;
        const struct pz_shape *keys =
            shape_at(operation("UntagResource")->input, "tagKeys", &required);

        assert_int_equal(keys->element->min, 1);
        assert_int_equal(keys->element->max, 128);
        assert_false(keys->is_tags);
        assert_true(shape_at(operation("TagResource")->input, "tags",
                             &required)->is_tags);
    }
}

/* Inputs: no member but those; errors: the counts of AWS's model. */
TEST(counts)
{
    static const struct {
        const char *operation;
        size_t input, output, errors;
    } cases[] = {
        { "CreateDataDeletionJob", 5, 1, 6 },
        { "DescribeDataDeletionJob", 1, 1, 2 },
        { "DescribeDatasetGroup", 1, 1, 2 },
        { "DescribeRecommender", 1, 1, 2 },
        { "DescribeSolution", 1, 1, 2 },
        { "ListBatchInferenceJobs", 3, 2, 2 },
        { "ListBatchSegmentJobs", 3, 2, 2 },
        { "ListDataDeletionJobs", 3, 2, 2 },
        { "ListDatasetExportJobs", 3, 2, 2 },
        { "ListDatasetGroups", 2, 2, 1 },
        { "ListDatasetImportJobs", 3, 2, 2 },
        { "ListDatasets", 3, 2, 2 },
        { "ListEventTrackers", 3, 2, 2 },
        { "ListRecommenders", 3, 2, 2 },
        { "ListSolutionVersions", 3, 2, 3 },
        { "ListSolutions", 3, 2, 2 },
        { "ListTagsForResource", 1, 1, 3 },
        { "TagResource", 2, 0, 5 },
        { "UntagResource", 2, 0, 4 },
    };
    size_t count;

    BEGIN();
    (void)pz_operations(&count);
    assert_int_equal(count, PZ_COUNT(cases));
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        const struct pz_operation *op = operation(cases[i].operation);
        size_t errors = 0;

        while (op->errors[errors])
            errors++;
        assert_case(op->input->member_count == cases[i].input, op->name);
        assert_case(op->output->member_count == cases[i].output, op->name);
        assert_case(errors == cases[i].errors, op->name);
        assert_string_equal(op->errors[0], errors == 1 ?
                            "InvalidNextTokenException" :
                            "InvalidInputException");
    }
}

TEST(outputs)
{
    static const struct {
        const char *operation, *path;
        int required;
        enum pz_kind kind;
    } cases[] = {
        { "CreateDataDeletionJob", "dataDeletionJobArn", 1, PZ_STRING },
        { "DescribeDataDeletionJob", "dataDeletionJob", 1, PZ_STRUCTURE },
        { "DescribeDataDeletionJob", "dataDeletionJob.jobName", 0, PZ_STRING },
        { "DescribeDataDeletionJob", "dataDeletionJob.dataSource", 0,
          PZ_STRUCTURE },
        { "DescribeDataDeletionJob", "dataDeletionJob.numDeleted", 0,
          PZ_INTEGER },
        { "DescribeDataDeletionJob", "dataDeletionJob.creationDateTime", 0,
          PZ_TIMESTAMP },
        { "DescribeDataDeletionJob", "dataDeletionJob.lastUpdatedDateTime", 0,
          PZ_TIMESTAMP },
        { "DescribeDataDeletionJob", "dataDeletionJob.failureReason", 0,
          PZ_STRING },
        { "ListDataDeletionJobs", "dataDeletionJobs", 0, PZ_LIST },
        { "ListDataDeletionJobs", "dataDeletionJobs.status", 0, PZ_STRING },
        { "ListDataDeletionJobs", "nextToken", 0, PZ_STRING },
        { "ListTagsForResource", "tags", 0, PZ_LIST },
        { "DescribeDatasetGroup", "datasetGroup.status", 0, PZ_STRING },
        { "DescribeSolution", "solution.performAutoTraining", 0,
          PZ_BOOLEAN },
        { "DescribeSolution",
          "solution.latestSolutionUpdate.solutionUpdateConfig"
          ".autoTrainingConfig.schedulingExpression", 0, PZ_STRING },
        { "DescribeSolution", "solution.latestSolutionVersion.trainingType",
          0, PZ_STRING },
        { "DescribeRecommender", "recommender.latestRecommenderUpdate.status",
          0, PZ_STRING },
        { "ListDatasetGroups", "datasetGroups", 1, PZ_LIST },
        { "ListDatasets", "datasets.datasetType", 0, PZ_STRING },
        { "ListDatasetImportJobs", "datasetImportJobs.creationDateTime", 0,
          PZ_TIMESTAMP },
        { "ListDatasetExportJobs", "datasetExportJobs", 1, PZ_LIST },
        { "ListSolutions", "solutions.solutionArn", 0, PZ_STRING },
        { "ListSolutionVersions", "solutionVersions.status", 0, PZ_STRING },
        { "ListRecommenders", "recommenders", 1, PZ_LIST },
        { "ListBatchInferenceJobs", "batchInferenceJobs.solutionVersionArn",
          0, PZ_STRING },
        { "ListBatchSegmentJobs", "batchSegmentJobs.lastUpdatedDateTime", 0,
          PZ_TIMESTAMP },
        { "ListEventTrackers", "eventTrackers.status", 0, PZ_STRING },
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(cases); i++) {
        int required = -1;
        const struct pz_shape *shape = shape_at(
            operation(cases[i].operation)->output, cases[i].path, &required);

        assert_case(required == cases[i].required, cases[i].path);
        assert_case(shape->kind == cases[i].kind, cases[i].path);
    }
    {
        int required;
        const struct pz_shape *summary =
            shape_at(operation("ListDataDeletionJobs")->output,
                     "dataDeletionJobs", &required)->element;

        /* A summary has less than a job. */
        assert_int_equal(summary->member_count, 7);
        assert_null(pz_member_find(summary, LIT("dataSource")));
        assert_null(pz_member_find(summary, LIT("numDeleted")));
    }
}

#define ARN "arn:aws:personalize:eu-west-1:123456789012:dataset-group/shop"
#define ROLE "arn:aws:iam::123456789012:role/"

static const struct {
    const char *operation, *path, *text;
    int ok;
} texts[] = {
#define NAME "CreateDataDeletionJob", "jobName"
    { NAME, "a", 1 }, { NAME, "9", 1 }, { NAME, "A-_9", 1 },
    { NAME, "a--", 1 }, { NAME, "a_", 1 }, { NAME, "", 0 }, { NAME, "-a", 0 },
    { NAME, "_a", 0 }, { NAME, "a b", 0 }, { NAME, "a.b", 0 },
    { NAME, "a/b", 0 }, { NAME, "a\n", 0 }, { NAME, "\nA", 0 },
    { NAME, "a:", 0 }, { NAME, "\303\251", 0 }, { NAME, "a\303\251", 0 },
    { NAME, "a\\", 0 }, { NAME, "a@", 0 }, { NAME, "a[", 0 },
    { NAME, "a`", 0 }, { NAME, "a{", 0 },
#define GROUP "CreateDataDeletionJob", "datasetGroupArn"
    { GROUP, ARN, 1 },
    { GROUP, "arn:aws-us-gov:personalize:::x", 1 },
    { GROUP, "arn:a9-:personalize:::x", 1 },
    { GROUP, "arn:aws:personalize:a:b:c:d:e", 1 },
    { GROUP, "arn:aws:personalize::::", 1 },
    { GROUP, "arn:aws:personalize:\303\251:b:c d", 1 },
    { GROUP, "", 0 }, { GROUP, "arn", 0 }, { GROUP, "arn:", 0 },
    { GROUP, "arn::personalize:a:b:c", 0 },
    { GROUP, "arn:AWS:personalize:a:b:c", 0 },
    { GROUP, "arn:aws_cn:personalize:a:b:c", 0 },
    { GROUP, "arn:aws", 0 }, { GROUP, "arn:aws:", 0 },
    { GROUP, "arn:aws:personalize", 0 }, { GROUP, "arn:aws:personalize:", 0 },
    { GROUP, "arn:aws:personalize:a", 0 },
    { GROUP, "arn:aws:personalize:a:b", 0 },
    { GROUP, "arn:aws:personalize:a:b:", 0 },
    { GROUP, "arn:aws:personalize::", 0 },
    { GROUP, "arn:aws:personaliz:a:b:c", 0 },
    { GROUP, "arn:aws:personalizee:a:b:c", 0 },
    { GROUP, "arn:aws:s3:a:b:c", 0 },
    { GROUP, "xarn:aws:personalize:a:b:c", 0 },
    { GROUP, " " ARN, 0 }, { GROUP, ARN "\n", 0 }, { GROUP, ARN "\r", 0 },
    { GROUP, "arn:aws:personalize:a\n:b:c", 0 },
    { GROUP, "arn:aws\n:personalize:a:b:c", 0 },
    { "DescribeDataDeletionJob", "dataDeletionJobArn", ARN, 1 },
    { "DescribeDataDeletionJob", "dataDeletionJobArn", "x", 0 },
    { "ListDataDeletionJobs", "datasetGroupArn", "x", 0 },
    { "ListTagsForResource", "resourceArn", "x", 0 },
    { "TagResource", "resourceArn", "x", 0 },
    { "UntagResource", "resourceArn", "x", 0 },
#define ROLE_ARN "CreateDataDeletionJob", "roleArn"
    { ROLE_ARN, ROLE "a", 1 }, { ROLE_ARN, ROLE "path/To/a_b+c=d,e.f@g-h", 1 },
    { ROLE_ARN, ROLE "/", 1 }, { ROLE_ARN, ROLE, 1 }, /* '/' is in the class */
    { ROLE_ARN, "arn:aws-cn:iam::000000000000:roleX", 1 },
    { ROLE_ARN, "", 0 }, { ROLE_ARN, "arn:aws:iam::123456789012:role", 0 },
    { ROLE_ARN, "arn:aws:iam::123456789012:user/a", 0 },
    { ROLE_ARN, "arn:aws:iam::12345678901:role/a", 0 },
    { ROLE_ARN, "arn:aws:iam::1234567890123:role/a", 0 },
    { ROLE_ARN, "arn:aws:iam::12345678901x:role/a", 0 },
    { ROLE_ARN, "arn:aws:iam:eu-west-1:123456789012:role/a", 0 },
    { ROLE_ARN, "arn:aws:iam::123456789012:Role/a", 0 },
    { ROLE_ARN, "arn:aws:sts::123456789012:role/a", 0 },
    { ROLE_ARN, "arn:aws:iam::", 0 }, { ROLE_ARN, "arn:aws:iam::123", 0 },
    { ROLE_ARN, "arn::iam::123456789012:role/a", 0 },
    { ROLE_ARN, ROLE "a b", 0 }, { ROLE_ARN, ROLE "a:b", 0 },
    { ROLE_ARN, ROLE "a*", 0 }, { ROLE_ARN, ROLE "a\n", 0 },
    { ROLE_ARN, ROLE "\303\251", 0 }, { ROLE_ARN, ROLE "a#", 0 },
#define LOCATION "CreateDataDeletionJob", "dataSource.dataLocation"
    { LOCATION, "s3://b", 1 }, { LOCATION, "s3://b/k ey/\303\251.csv", 1 },
    { LOCATION, "http://x", 1 }, { LOCATION, "https://x", 1 },
    { LOCATION, "s3:///", 1 }, { LOCATION, "s3://://", 1 },
    { LOCATION, "", 0 }, { LOCATION, "s3://", 0 }, { LOCATION, "http://", 0 },
    { LOCATION, "https://", 0 }, { LOCATION, "s3:/b", 0 },
    { LOCATION, "S3://b", 0 }, { LOCATION, "s3a://b", 0 },
    { LOCATION, "ftp://b", 0 }, { LOCATION, "xs3://b", 0 },
    { LOCATION, " s3://b", 0 }, { LOCATION, "httpss://b", 0 },
    { LOCATION, "s3", 0 }, { LOCATION, "s3://b\n", 0 },
    { LOCATION, "s3://\n", 0 }, { LOCATION, "s3://b\r", 0 },
#define KEY "TagResource", "tags.tagKey"
    { KEY, "a", 1 }, { KEY, "Az09 _.:/=+-@", 1 }, { KEY, "", 1 },
    { KEY, "\303\251t\303\251", 1 }, { KEY, "\346\227\245\346\234\254", 1 },
    { KEY, "\302\240", 1 }, /* no-break space: a separator */
    { KEY, "a\tb", 0 }, { KEY, "a\n", 0 }, { KEY, "a,b", 0 },
    { KEY, "a;b", 0 }, { KEY, "a!", 0 }, { KEY, "a\"", 0 }, { KEY, "a'", 0 },
    { KEY, "a(b)", 0 }, { KEY, "a*", 0 }, { KEY, "a%", 0 }, { KEY, "a\\", 0 },
    { KEY, "a\177", 0 }, { KEY, "a|b", 0 }, { KEY, "a~", 0 }, { KEY, "a#", 0 },
    { "TagResource", "tags.tagValue", "", 1 },
    { "TagResource", "tags.tagValue", "a b", 1 },
    { "TagResource", "tags.tagValue", "a<b", 0 },
    { "CreateDataDeletionJob", "tags.tagValue", "a&b", 0 },
};

TEST(patterns)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(texts); i++) {
        int required;
        const struct pz_shape *shape = shape_at(
            operation(texts[i].operation)->input, texts[i].path, &required);
        struct pz_slice text = guard(0, pz_slice_of(texts[i].text));

        assert_non_null(shape->pattern);
        assert_case(shape->matches(text) == texts[i].ok, texts[i].text);
    }
}

/* Cut anywhere, nothing is read past the end; a NUL ends no text early. */
TEST(cut_texts)
{
    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(texts); i++) {
        int required;
        const struct pz_shape *shape = shape_at(
            operation(texts[i].operation)->input, texts[i].path, &required);
        struct pz_slice text = pz_slice_of(texts[i].text);

        for (size_t n = 0; n < text.len; n++)
            (void)shape->matches(guard(0, pz_slice_sub(text, 0, n)));
    }
    {
        int required;
        const struct pz_shape *create =
            operation("CreateDataDeletionJob")->input;

        assert_false(shape_at(create, "jobName", &required)->matches(
            LIT("a\0b")));
        assert_false(shape_at(create, "roleArn", &required)->matches(
            LIT(ROLE "a\0")));
        assert_false(shape_at(create, "tags.tagKey", &required)->matches(
            LIT("a\0")));
    }
}

TEST(names)
{
    const struct pz_shape *create = operation("CreateDataDeletionJob")->input;
    static const char *const unknown[] = {
        "", "x", "createDataDeletionJob", "CreateDataDeletionJo",
        "CreateDataDeletionJob ", "CreateDataDeletionJobs"
    };

    BEGIN();
    for (size_t i = 0; i < PZ_COUNT(unknown); i++)
        assert_null(pz_operation_find(pz_slice_of(unknown[i])));
    assert_null(pz_operation_find(LIT("TagResource\0")));
    assert_null(pz_member_find(create, LIT("jobname")));
    assert_null(pz_member_find(create, LIT("jobName\0")));
    assert_string_equal(pz_member_nearest(create, LIT("jobname")), "jobName");
    assert_string_equal(pz_member_nearest(create, LIT("data_source")),
                        "dataSource");
    assert_null(pz_member_nearest(create, LIT("somethingElse")));
    assert_null(pz_member_nearest(operation("TagResource")->output,
                                  LIT("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs),
        cmocka_unit_test(counts),
        cmocka_unit_test(outputs),
        cmocka_unit_test(patterns),
        cmocka_unit_test(cut_texts),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
