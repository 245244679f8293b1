#include "pz_names.h"

#include "pz_text.h"

static const char *const personalize[] = {
    "CreateBatchInferenceJob", "CreateBatchSegmentJob", "CreateCampaign",
    "CreateDataDeletionJob", "CreateDataset", "CreateDatasetExportJob",
    "CreateDatasetGroup", "CreateDatasetImportJob", "CreateEventTracker",
    "CreateFilter", "CreateMetricAttribution", "CreateRecommender",
    "CreateSchema", "CreateSolution", "CreateSolutionVersion",
    "DeleteCampaign", "DeleteDataset", "DeleteDatasetGroup",
    "DeleteEventTracker", "DeleteFilter", "DeleteMetricAttribution",
    "DeleteRecommender", "DeleteSchema", "DeleteSolution",
    "DescribeAlgorithm", "DescribeBatchInferenceJob",
    "DescribeBatchSegmentJob", "DescribeCampaign", "DescribeDataDeletionJob",
    "DescribeDataset", "DescribeDatasetExportJob", "DescribeDatasetGroup",
    "DescribeDatasetImportJob", "DescribeEventTracker",
    "DescribeFeatureTransformation", "DescribeFilter",
    "DescribeMetricAttribution", "DescribeRecipe", "DescribeRecommender",
    "DescribeSchema", "DescribeSolution", "DescribeSolutionVersion",
    "GetSolutionMetrics", "ListBatchInferenceJobs", "ListBatchSegmentJobs",
    "ListCampaigns", "ListDataDeletionJobs", "ListDatasetExportJobs",
    "ListDatasetGroups", "ListDatasetImportJobs", "ListDatasets",
    "ListEventTrackers", "ListFilters", "ListMetricAttributionMetrics",
    "ListMetricAttributions", "ListRecipes", "ListRecommenders",
    "ListSchemas", "ListSolutionVersions", "ListSolutions",
    "ListTagsForResource", "StartRecommender", "StopRecommender",
    "StopSolutionVersionCreation", "TagResource", "UntagResource",
    "UpdateCampaign", "UpdateDataset", "UpdateMetricAttribution",
    "UpdateRecommender", "UpdateSolution", NULL
};
static const char *const personalize_events[] = {
    "PutActionInteractions", "PutActions", "PutEvents", "PutItems",
    "PutUsers", NULL
};
static const char *const personalize_runtime[] = {
    "GetActionRecommendations", "GetPersonalizedRanking",
    "GetRecommendations", NULL
};

static const struct {
    const char *service;
    const char *const *names;
} services[] = {
    { "personalize", personalize },
    { "personalize-events", personalize_events },
    { "personalize-runtime", personalize_runtime },
};

const char *const *pz_names(void)
{
    return personalize;
}

const char *pz_name_service(struct pz_slice name)
{
    for (size_t i = 0; i < PZ_COUNT(services); i++)
        for (const char *const *n = services[i].names; *n; n++)
            if (pz_slice_eq(name, pz_slice_of(*n)))
                return services[i].service;
    return NULL;
}

const char *pz_name_nearest(struct pz_slice name)
{
    return pz_nearest(name, personalize);
}
