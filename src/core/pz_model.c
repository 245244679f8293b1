#include "pz_model.h"

#include <string.h>

#include "pz_text.h"

static int is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_alnum(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c);
}

static int is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* No line end, which '.' does not match. */
static int is_one_line(struct pz_slice s)
{
    return pz_slice_find(s, '\n', 0) == s.len &&
           pz_slice_find(s, '\r', 0) == s.len;
}

/* What follows "arn:([a-z\d-]+):" and 'service', or *ok = 0. */
static struct pz_slice after_arn(struct pz_slice s, struct pz_slice service,
                                 int *ok)
{
    size_t at = 4;

    *ok = 0;
    if (!pz_slice_starts(s, PZ_LIT("arn:")))
        return s;
    while (at < s.len &&
           (is_lower(s.data[at]) || is_digit(s.data[at]) ||
            s.data[at] == '-'))
        at++;
    s = pz_slice_sub(s, at, s.len);
    *ok = at > 4 && pz_slice_starts(s, service);
    return pz_slice_sub(s, service.len, s.len);
}

static int is_arn(struct pz_slice s)
{
    int ok;
    struct pz_slice rest = after_arn(s, PZ_LIT(":personalize:"), &ok);
    size_t first = pz_slice_find(rest, ':', 0);
    size_t second = pz_slice_find(rest, ':', first + 1);

    return ok && second + 1 < rest.len && is_one_line(rest);
}

static int is_role_arn(struct pz_slice s)
{
    int ok;
    struct pz_slice rest = after_arn(s, PZ_LIT(":iam::"), &ok);

    if (!ok || rest.len < 12)
        return 0;
    for (size_t i = 0; i < 12; i++)
        if (!is_digit(rest.data[i]))
            return 0;
    rest = pz_slice_sub(rest, 12, rest.len);
    if (!pz_slice_starts(rest, PZ_LIT(":role")) || rest.len < 6)
        return 0;
    for (size_t i = 5; i < rest.len; i++)
        if (!is_alnum(rest.data[i]) && !is_one_of(rest.data[i], "_+=,.@-/"))
            return 0;
    return 1;
}

static int is_name(struct pz_slice s)
{
    if (s.len == 0 || !is_alnum(s.data[0]))
        return 0;
    for (size_t i = 1; i < s.len; i++)
        if (!is_alnum(s.data[i]) && !is_one_of(s.data[i], "-_"))
            return 0;
    return 1;
}

static int is_s3_location(struct pz_slice s)
{
    struct pz_slice schemes[] = { PZ_LIT("s3://"), PZ_LIT("http://"),
                                  PZ_LIT("https://") };

    for (size_t i = 0; i < PZ_COUNT(schemes); i++)
        if (pz_slice_starts(s, schemes[i]))
            return s.len > schemes[i].len && is_one_line(s);
    return 0;
}

static int is_tag_text(struct pz_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] <= 0x7F && !is_alnum(s.data[i]) &&
            !is_one_of(s.data[i], " _.:/=+-@"))
            return 0;
    return 1;
}

#define TEXT(title, low, high, regex, match) \
    { title, PZ_STRING, low, high, regex, match, NULL, NULL, 0, 0 }
#define SCALAR(title, kind, low, high) \
    { title, kind, low, high, NULL, NULL, NULL, NULL, 0, 0 }
#define LIST_OF(title, high, shape, is_tags) \
    { title, PZ_LIST, 0, high, NULL, NULL, shape, NULL, 0, is_tags }
#define STRUCTURE(title, list) \
    { title, PZ_STRUCTURE, 0, 0, NULL, NULL, NULL, list, PZ_COUNT(list), 0 }
#define EMPTY(title) \
    { title, PZ_STRUCTURE, 0, 0, NULL, NULL, NULL, NULL, 0, 0 }

#define TAG_PATTERN "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$"

static const struct pz_shape arn =
    TEXT("Arn", 0, 256, "arn:([a-z\\d-]+):personalize:.*:.*:.+", is_arn);
static const struct pz_shape role_arn =
    TEXT("RoleArn", 0, 256,
         "arn:([a-z\\d-]+):iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
         is_role_arn);
static const struct pz_shape name =
    TEXT("Name", 1, 63, "^[a-zA-Z0-9][a-zA-Z0-9\\-_]*", is_name);
static const struct pz_shape s3_location =
    TEXT("S3Location", 0, 256, "(s3|http|https)://.+", is_s3_location);
/* AWS writes \p{ASCII}{0,1500}; but a token is the service's own text, and goes
   back as it came. */
static const struct pz_shape next_token = TEXT("NextToken", 0, 0, NULL, NULL);
static const struct pz_shape tag_key =
    TEXT("TagKey", 1, 128, TAG_PATTERN, is_tag_text);
static const struct pz_shape tag_value =
    TEXT("TagValue", 0, 256, TAG_PATTERN, is_tag_text);
static const struct pz_shape text = TEXT("String", 0, 0, NULL, NULL);
static const struct pz_shape max_results =
    SCALAR("MaxResults", PZ_INTEGER, 1, 100);
static const struct pz_shape integer = SCALAR("Integer", PZ_INTEGER, 0, 0);
static const struct pz_shape boolean = SCALAR("Boolean", PZ_BOOLEAN, 0, 0);
static const struct pz_shape date = SCALAR("Date", PZ_TIMESTAMP, 0, 0);

static const struct pz_member tag_members[] = {
    { "tagKey", &tag_key, 1 },
    { "tagValue", &tag_value, 1 },
};
static const struct pz_shape tag = STRUCTURE("Tag", tag_members);
static const struct pz_shape tags = LIST_OF("Tags", 200, &tag, 1);
static const struct pz_shape tag_keys = LIST_OF("TagKeys", 200, &tag_key, 0);

static const struct pz_member data_source_members[] = {
    { "dataLocation", &s3_location, 0 },
};
static const struct pz_shape data_source =
    STRUCTURE("DataSource", data_source_members);

static const struct pz_member create_input[] = {
    { "jobName", &name, 1 },
    { "datasetGroupArn", &arn, 1 },
    { "dataSource", &data_source, 1 },
    { "roleArn", &role_arn, 1 },
    { "tags", &tags, 0 },
};
static const struct pz_member create_output[] = {
    { "dataDeletionJobArn", &text, 1 },
};

static const struct pz_member describe_input[] = {
    { "dataDeletionJobArn", &arn, 1 },
};
static const struct pz_member job_members[] = {
    { "jobName", &text, 0 },
    { "dataDeletionJobArn", &text, 0 },
    { "datasetGroupArn", &text, 0 },
    { "dataSource", &data_source, 0 },
    { "roleArn", &text, 0 },
    { "status", &text, 0 },
    { "numDeleted", &integer, 0 },
    { "creationDateTime", &date, 0 },
    { "lastUpdatedDateTime", &date, 0 },
    { "failureReason", &text, 0 },
};
static const struct pz_shape job = STRUCTURE("DataDeletionJob", job_members);
static const struct pz_member describe_output[] = {
    { "dataDeletionJob", &job, 1 },
};

static const struct pz_member list_input[] = {
    { "datasetGroupArn", &arn, 0 },
    { "nextToken", &next_token, 0 },
    { "maxResults", &max_results, 0 },
};
static const struct pz_member summary_members[] = {
    { "dataDeletionJobArn", &text, 0 },
    { "datasetGroupArn", &text, 0 },
    { "jobName", &text, 0 },
    { "status", &text, 0 },
    { "creationDateTime", &date, 0 },
    { "lastUpdatedDateTime", &date, 0 },
    { "failureReason", &text, 0 },
};
static const struct pz_shape summary =
    STRUCTURE("DataDeletionJobSummary", summary_members);
static const struct pz_shape summaries =
    LIST_OF("DataDeletionJobs", 100, &summary, 0);
static const struct pz_member list_output[] = {
    { "dataDeletionJobs", &summaries, 0 },
    { "nextToken", &text, 0 },
};

static const struct pz_member tag_input[] = {
    { "resourceArn", &arn, 1 },
    { "tags", &tags, 1 },
};
static const struct pz_member untag_input[] = {
    { "resourceArn", &arn, 1 },
    { "tagKeys", &tag_keys, 1 },
};
static const struct pz_member list_tags_input[] = {
    { "resourceArn", &arn, 1 },
};
static const struct pz_member list_tags_output[] = {
    { "tags", &tags, 0 },
};

/* -- What only reads: groups, and what hangs on them --------------------- */

static const struct pz_member describe_group_input[] = {
    { "datasetGroupArn", &arn, 1 },
};
static const struct pz_member group_members[] = {
    { "name", &text, 0 },
    { "datasetGroupArn", &text, 0 },
    { "status", &text, 0 },
    { "roleArn", &text, 0 },
    { "kmsKeyArn", &text, 0 },
    { "creationDateTime", &date, 0 },
    { "lastUpdatedDateTime", &date, 0 },
    { "failureReason", &text, 0 },
    { "domain", &text, 0 },
};
static const struct pz_shape group = STRUCTURE("DatasetGroup", group_members);
static const struct pz_member describe_group_output[] = {
    { "datasetGroup", &group, 1 },
};

/* Every list: a filter, and a page. */
#define LIST_INPUT(list, filter) \
    static const struct pz_member list[] = { \
        { filter, &arn, 0 }, \
        { "nextToken", &next_token, 0 }, \
        { "maxResults", &max_results, 0 }, \
    }
LIST_INPUT(by_group_input, "datasetGroupArn");
LIST_INPUT(by_dataset_input, "datasetArn");
LIST_INPUT(by_solution_input, "solutionArn");
LIST_INPUT(by_version_input, "solutionVersionArn");
static const struct pz_member by_nothing_input[] = {
    { "nextToken", &next_token, 0 },
    { "maxResults", &max_results, 0 },
};

/* What is common to summaries, behind the members of their own. */
#define IN_SUMMARY \
    { "status", &text, 0 }, \
    { "creationDateTime", &date, 0 }, \
    { "lastUpdatedDateTime", &date, 0 }, \
    { "failureReason", &text, 0 }

static const struct pz_member group_summary_members[] = {
    { "name", &text, 0 },
    { "datasetGroupArn", &text, 0 },
    IN_SUMMARY,
    { "domain", &text, 0 },
};
static const struct pz_member dataset_summary_members[] = {
    { "name", &text, 0 },
    { "datasetArn", &text, 0 },
    { "datasetType", &text, 0 },
    IN_SUMMARY,
};
static const struct pz_member import_summary_members[] = {
    { "datasetImportJobArn", &text, 0 },
    { "jobName", &text, 0 },
    IN_SUMMARY,
    { "importMode", &text, 0 },
};
static const struct pz_member export_summary_members[] = {
    { "datasetExportJobArn", &text, 0 },
    { "jobName", &text, 0 },
    IN_SUMMARY,
};
static const struct pz_member solution_summary_members[] = {
    { "name", &text, 0 },
    { "solutionArn", &text, 0 },
    IN_SUMMARY,
    { "recipeArn", &text, 0 },
};
static const struct pz_member version_summary_members[] = {
    { "solutionVersionArn", &text, 0 },
    { "trainingMode", &text, 0 },
    { "trainingType", &text, 0 },
    IN_SUMMARY,
};
static const struct pz_member recommender_summary_members[] = {
    { "name", &text, 0 },
    { "recommenderArn", &text, 0 },
    { "datasetGroupArn", &text, 0 },
    IN_SUMMARY,
};
static const struct pz_member inference_summary_members[] = {
    { "batchInferenceJobArn", &text, 0 },
    { "jobName", &text, 0 },
    IN_SUMMARY,
    { "solutionVersionArn", &text, 0 },
};
static const struct pz_member segment_summary_members[] = {
    { "batchSegmentJobArn", &text, 0 },
    { "jobName", &text, 0 },
    IN_SUMMARY,
    { "solutionVersionArn", &text, 0 },
};
static const struct pz_member tracker_summary_members[] = {
    { "name", &text, 0 },
    { "eventTrackerArn", &text, 0 },
    IN_SUMMARY,
};

/* A list without its member is no answer: "nothing is running" has to be
   said. */
#define LIST_OUTPUT(list, title, member, summary_title, members) \
    static const struct pz_shape list##_summary = \
        STRUCTURE(summary_title, members); \
    static const struct pz_shape list##_summaries = \
        LIST_OF(title, 0, &list##_summary, 0); \
    static const struct pz_member list##_output[] = { \
        { member, &list##_summaries, 1 }, \
        { "nextToken", &text, 0 }, \
    }
LIST_OUTPUT(groups, "DatasetGroups", "datasetGroups", "DatasetGroupSummary",
            group_summary_members);
LIST_OUTPUT(datasets, "Datasets", "datasets", "DatasetSummary",
            dataset_summary_members);
LIST_OUTPUT(imports, "DatasetImportJobs", "datasetImportJobs",
            "DatasetImportJobSummary", import_summary_members);
LIST_OUTPUT(exports, "DatasetExportJobs", "datasetExportJobs",
            "DatasetExportJobSummary", export_summary_members);
LIST_OUTPUT(solutions, "Solutions", "solutions", "SolutionSummary",
            solution_summary_members);
LIST_OUTPUT(versions, "SolutionVersions", "solutionVersions",
            "SolutionVersionSummary", version_summary_members);
LIST_OUTPUT(recommenders, "Recommenders", "recommenders",
            "RecommenderSummary", recommender_summary_members);
LIST_OUTPUT(inferences, "BatchInferenceJobs", "batchInferenceJobs",
            "BatchInferenceJobSummary", inference_summary_members);
LIST_OUTPUT(segments, "BatchSegmentJobs", "batchSegmentJobs",
            "BatchSegmentJobSummary", segment_summary_members);
LIST_OUTPUT(trackers, "EventTrackers", "eventTrackers",
            "EventTrackerSummary", tracker_summary_members);

static const struct pz_member schedule_members[] = {
    { "schedulingExpression", &text, 0 },
};
static const struct pz_shape schedule =
    STRUCTURE("AutoTrainingConfig", schedule_members);
static const struct pz_member solution_config_members[] = {
    { "autoTrainingConfig", &schedule, 0 },
};
static const struct pz_shape solution_config =
    STRUCTURE("SolutionConfig", solution_config_members);
static const struct pz_shape update_config =
    STRUCTURE("SolutionUpdateConfig", solution_config_members);
static const struct pz_member solution_update_members[] = {
    { "solutionUpdateConfig", &update_config, 0 },
    { "performAutoTraining", &boolean, 0 },
    { "performIncrementalUpdate", &boolean, 0 },
    IN_SUMMARY,
};
static const struct pz_shape solution_update =
    STRUCTURE("SolutionUpdateSummary", solution_update_members);
static const struct pz_member solution_members[] = {
    { "name", &text, 0 },
    { "solutionArn", &text, 0 },
    { "performAutoTraining", &boolean, 0 },
    { "performIncrementalUpdate", &boolean, 0 },
    { "datasetGroupArn", &text, 0 },
    { "solutionConfig", &solution_config, 0 },
    { "status", &text, 0 },
    { "creationDateTime", &date, 0 },
    { "lastUpdatedDateTime", &date, 0 },
    { "latestSolutionVersion", &versions_summary, 0 },
    { "latestSolutionUpdate", &solution_update, 0 },
};
static const struct pz_shape solution = STRUCTURE("Solution",
                                                  solution_members);
static const struct pz_member describe_solution_input[] = {
    { "solutionArn", &arn, 1 },
};
static const struct pz_member describe_solution_output[] = {
    { "solution", &solution, 1 },
};

static const struct pz_member recommender_update_members[] = { IN_SUMMARY };
static const struct pz_shape recommender_update =
    STRUCTURE("RecommenderUpdateSummary", recommender_update_members);
static const struct pz_member recommender_members[] = {
    { "recommenderArn", &text, 0 },
    { "datasetGroupArn", &text, 0 },
    { "name", &text, 0 },
    IN_SUMMARY,
    { "latestRecommenderUpdate", &recommender_update, 0 },
};
static const struct pz_shape recommender =
    STRUCTURE("Recommender", recommender_members);
static const struct pz_member describe_recommender_input[] = {
    { "recommenderArn", &arn, 1 },
};
static const struct pz_member describe_recommender_output[] = {
    { "recommender", &recommender, 1 },
};

static const struct pz_shape shapes[] = {
    STRUCTURE("CreateDataDeletionJobRequest", create_input),
    STRUCTURE("CreateDataDeletionJobResponse", create_output),
    STRUCTURE("DescribeDataDeletionJobRequest", describe_input),
    STRUCTURE("DescribeDataDeletionJobResponse", describe_output),
    STRUCTURE("ListDataDeletionJobsRequest", list_input),
    STRUCTURE("ListDataDeletionJobsResponse", list_output),
    STRUCTURE("ListTagsForResourceRequest", list_tags_input),
    STRUCTURE("ListTagsForResourceResponse", list_tags_output),
    STRUCTURE("TagResourceRequest", tag_input),
    EMPTY("TagResourceResponse"),
    STRUCTURE("UntagResourceRequest", untag_input),
    EMPTY("UntagResourceResponse"),
    STRUCTURE("DescribeDatasetGroupRequest", describe_group_input),
    STRUCTURE("DescribeDatasetGroupResponse", describe_group_output),
    STRUCTURE("DescribeRecommenderRequest", describe_recommender_input),
    STRUCTURE("DescribeRecommenderResponse", describe_recommender_output),
    STRUCTURE("DescribeSolutionRequest", describe_solution_input),
    STRUCTURE("DescribeSolutionResponse", describe_solution_output),
    STRUCTURE("ListBatchInferenceJobsRequest", by_version_input),
    STRUCTURE("ListBatchInferenceJobsResponse", inferences_output),
    STRUCTURE("ListBatchSegmentJobsRequest", by_version_input),
    STRUCTURE("ListBatchSegmentJobsResponse", segments_output),
    STRUCTURE("ListDatasetExportJobsRequest", by_dataset_input),
    STRUCTURE("ListDatasetExportJobsResponse", exports_output),
    STRUCTURE("ListDatasetGroupsRequest", by_nothing_input),
    STRUCTURE("ListDatasetGroupsResponse", groups_output),
    STRUCTURE("ListDatasetImportJobsRequest", by_dataset_input),
    STRUCTURE("ListDatasetImportJobsResponse", imports_output),
    STRUCTURE("ListDatasetsRequest", by_group_input),
    STRUCTURE("ListDatasetsResponse", datasets_output),
    STRUCTURE("ListEventTrackersRequest", by_group_input),
    STRUCTURE("ListEventTrackersResponse", trackers_output),
    STRUCTURE("ListRecommendersRequest", by_group_input),
    STRUCTURE("ListRecommendersResponse", recommenders_output),
    STRUCTURE("ListSolutionVersionsRequest", by_solution_input),
    STRUCTURE("ListSolutionVersionsResponse", versions_output),
    STRUCTURE("ListSolutionsRequest", by_group_input),
    STRUCTURE("ListSolutionsResponse", solutions_output),
};

static const char *const create_errors[] = {
    "InvalidInputException", "ResourceNotFoundException",
    "ResourceAlreadyExistsException", "LimitExceededException",
    "ResourceInUseException", "TooManyTagsException", NULL
};
static const char *const describe_errors[] = {
    "InvalidInputException", "ResourceNotFoundException", NULL
};
static const char *const list_errors[] = {
    "InvalidInputException", "InvalidNextTokenException", NULL
};
static const char *const list_tags_errors[] = {
    "InvalidInputException", "ResourceNotFoundException",
    "ResourceInUseException", NULL
};
static const char *const tag_errors[] = {
    "InvalidInputException", "ResourceNotFoundException",
    "TooManyTagsException", "ResourceInUseException",
    "LimitExceededException", NULL
};
static const char *const untag_errors[] = {
    "InvalidInputException", "ResourceNotFoundException",
    "TooManyTagKeysException", "ResourceInUseException", NULL
};
static const char *const list_groups_errors[] = {
    "InvalidNextTokenException", NULL
};
static const char *const list_versions_errors[] = {
    "InvalidInputException", "ResourceNotFoundException",
    "InvalidNextTokenException", NULL
};

static const struct pz_operation operations[] = {
    { "CreateDataDeletionJob", &shapes[0], &shapes[1], create_errors },
    { "DescribeDataDeletionJob", &shapes[2], &shapes[3], describe_errors },
    { "DescribeDatasetGroup", &shapes[12], &shapes[13], describe_errors },
    { "DescribeRecommender", &shapes[14], &shapes[15], describe_errors },
    { "DescribeSolution", &shapes[16], &shapes[17], describe_errors },
    { "ListBatchInferenceJobs", &shapes[18], &shapes[19], list_errors },
    { "ListBatchSegmentJobs", &shapes[20], &shapes[21], list_errors },
    { "ListDataDeletionJobs", &shapes[4], &shapes[5], list_errors },
    { "ListDatasetExportJobs", &shapes[22], &shapes[23], list_errors },
    { "ListDatasetGroups", &shapes[24], &shapes[25], list_groups_errors },
    { "ListDatasetImportJobs", &shapes[26], &shapes[27], list_errors },
    { "ListDatasets", &shapes[28], &shapes[29], list_errors },
    { "ListEventTrackers", &shapes[30], &shapes[31], list_errors },
    { "ListRecommenders", &shapes[32], &shapes[33], list_errors },
    { "ListSolutionVersions", &shapes[34], &shapes[35],
      list_versions_errors },
    { "ListSolutions", &shapes[36], &shapes[37], list_errors },
    { "ListTagsForResource", &shapes[6], &shapes[7], list_tags_errors },
    { "TagResource", &shapes[8], &shapes[9], tag_errors },
    { "UntagResource", &shapes[10], &shapes[11], untag_errors },
};

const struct pz_operation *pz_operations(size_t *count)
{
    *count = PZ_COUNT(operations);
    return operations;
}

const struct pz_operation *pz_operation_find(struct pz_slice wanted)
{
    for (size_t i = 0; i < PZ_COUNT(operations); i++)
        if (pz_slice_eq(wanted, pz_slice_of(operations[i].name)))
            return &operations[i];
    return NULL;
}

const struct pz_member *pz_member_find(const struct pz_shape *structure,
                                       struct pz_slice wanted)
{
    for (size_t i = 0; i < structure->member_count; i++)
        if (pz_slice_eq(wanted, pz_slice_of(structure->members[i].name)))
            return &structure->members[i];
    return NULL;
}

const char *pz_member_nearest(const struct pz_shape *structure,
                              struct pz_slice wanted)
{
    const char *names[17] = { NULL };
    size_t count = structure->member_count;

    for (size_t i = 0; i < count && i + 1 < PZ_COUNT(names); i++)
        names[i] = structure->members[i].name;
    return pz_nearest(wanted, names);
}
