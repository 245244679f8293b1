"""
The input of every operation of Personalize that is served here.
"""

from .shapes import Boolean, Enum, Integer, List, Opaque, String, Structure
from .shapes import tag_pattern

NAME = String(1, 63, r"^[a-zA-Z0-9][a-zA-Z0-9\-_]*")
ARN = String(None, 256, r"arn:([a-z\d-]+):personalize:.*:.*:.+")
ROLE_ARN = String(
    None, 256, r"arn:([a-z\d-]+):iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")
KEY_ARN = String(None, 2048, r"arn:aws.*:kms:.*:[0-9]{12}:key/.*")
LOCATION = String(None, 256, r"(s3|http|https)://.+")
NEXT_TOKEN = String(None, 1500, r"\p{ASCII}{0,1500}", match=str.isascii)
MAX_RESULTS = Integer(1, 100)
TAG_PATTERN = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"
TAG_KEY = String(1, 128, TAG_PATTERN, tag_pattern(), sensitive=True)
TAG_VALUE = String(0, 256, TAG_PATTERN, tag_pattern(), sensitive=True)
TAGS = List(Structure(tagKey=TAG_KEY, tagValue=TAG_VALUE)
            .needs("tagKey", "tagValue"), 200)
DOMAIN = Enum("ECOMMERCE", "VIDEO_ON_DEMAND")
SOURCE = Structure(dataLocation=LOCATION)
PLACE = Structure(path=LOCATION, kmsKeyArn=KEY_ARN).needs("path")
INPUT = Structure(s3DataSource=PLACE).needs("s3DataSource")
OUTPUT = Structure(s3DataDestination=PLACE).needs("s3DataDestination")
SCHEDULE = Structure(schedulingExpression=String(
    1, 16, r"rate\(\d+ days?\)"))
SOLUTION_CONFIG = Structure(
    autoTrainingConfig=SCHEDULE, eventValueThreshold=String(None, 256),
    hpoConfig=Opaque(), algorithmHyperParameters=Opaque(),
    featureTransformationParameters=Opaque(), autoMLConfig=Opaque(),
    eventsConfig=Opaque(), optimizationObjective=Opaque(),
    trainingDataConfig=Opaque())


def page(**members):
    """A list's input: what it filters by, and where it goes on."""
    return Structure(nextToken=NEXT_TOKEN, maxResults=MAX_RESULTS, **members)


def of(name, **members):
    """An input with one required ARN."""
    return Structure(**{name: ARN}, **members).needs(name)


def batch_job(**members):
    return Structure(
        jobName=NAME, solutionVersionArn=ARN, filterArn=ARN,
        numResults=Integer(-2**31, 2**31 - 1), jobInput=INPUT,
        jobOutput=OUTPUT, roleArn=ROLE_ARN, tags=TAGS, **members).needs(
            "jobName", "solutionVersionArn", "jobInput", "jobOutput",
            "roleArn")


INPUTS = {
    "CreateDataDeletionJob": Structure(
        jobName=NAME, datasetGroupArn=ARN, dataSource=SOURCE,
        roleArn=ROLE_ARN, tags=TAGS).needs(
            "jobName", "datasetGroupArn", "dataSource", "roleArn"),
    "DescribeDataDeletionJob": of("dataDeletionJobArn"),
    "ListDataDeletionJobs": page(datasetGroupArn=ARN),

    "TagResource": of("resourceArn", tags=TAGS).needs("resourceArn", "tags"),
    "UntagResource": of("resourceArn", tagKeys=List(TAG_KEY, 200))
        .needs("resourceArn", "tagKeys"),
    "ListTagsForResource": of("resourceArn"),

    "CreateDatasetGroup": Structure(
        name=NAME, roleArn=ROLE_ARN, kmsKeyArn=KEY_ARN, domain=DOMAIN,
        tags=TAGS).needs("name"),
    "DescribeDatasetGroup": of("datasetGroupArn"),
    "ListDatasetGroups": page(),

    "CreateDataset": Structure(
        name=NAME, schemaArn=ARN, datasetGroupArn=ARN,
        datasetType=String(None, 256, r"^[A-Za-z_]+$"), tags=TAGS).needs(
            "name", "schemaArn", "datasetGroupArn", "datasetType"),
    "DescribeDataset": of("datasetArn"),
    "ListDatasets": page(datasetGroupArn=ARN),

    "CreateDatasetImportJob": Structure(
        jobName=NAME, datasetArn=ARN, dataSource=SOURCE, roleArn=ROLE_ARN,
        tags=TAGS, importMode=Enum("FULL", "INCREMENTAL"),
        publishAttributionMetricsToS3=Boolean()).needs(
            "jobName", "datasetArn", "dataSource"),
    "DescribeDatasetImportJob": of("datasetImportJobArn"),
    "ListDatasetImportJobs": page(datasetArn=ARN),

    "CreateDatasetExportJob": Structure(
        jobName=NAME, datasetArn=ARN, ingestionMode=Enum("BULK", "PUT", "ALL"),
        roleArn=ROLE_ARN, jobOutput=OUTPUT, tags=TAGS).needs(
            "jobName", "datasetArn", "roleArn", "jobOutput"),
    "DescribeDatasetExportJob": of("datasetExportJobArn"),
    "ListDatasetExportJobs": page(datasetArn=ARN),

    "CreateSolution": Structure(
        name=NAME, performHPO=Boolean(), performAutoML=Boolean(),
        performAutoTraining=Boolean(), performIncrementalUpdate=Boolean(),
        recipeArn=ARN, datasetGroupArn=ARN, eventType=String(None, 256),
        solutionConfig=SOLUTION_CONFIG, tags=TAGS).needs(
            "name", "datasetGroupArn"),
    "DescribeSolution": of("solutionArn"),
    "ListSolutions": page(datasetGroupArn=ARN),

    "CreateSolutionVersion": Structure(
        name=NAME, solutionArn=ARN, tags=TAGS,
        trainingMode=Enum("FULL", "UPDATE", "AUTOTRAIN")).needs(
            "solutionArn"),
    "DescribeSolutionVersion": of("solutionVersionArn"),
    "ListSolutionVersions": page(solutionArn=ARN),

    "CreateRecommender": Structure(
        name=NAME, datasetGroupArn=ARN, recipeArn=ARN,
        recommenderConfig=Opaque(), tags=TAGS).needs(
            "name", "datasetGroupArn", "recipeArn"),
    "DescribeRecommender": of("recommenderArn"),
    "ListRecommenders": page(datasetGroupArn=ARN),

    "CreateBatchInferenceJob": batch_job(
        batchInferenceJobConfig=Opaque(), themeGenerationConfig=Opaque(),
        batchInferenceJobMode=Enum("BATCH_INFERENCE", "THEME_GENERATION")),
    "DescribeBatchInferenceJob": of("batchInferenceJobArn"),
    "ListBatchInferenceJobs": page(solutionVersionArn=ARN),

    "CreateBatchSegmentJob": batch_job(),
    "DescribeBatchSegmentJob": of("batchSegmentJobArn"),
    "ListBatchSegmentJobs": page(solutionVersionArn=ARN),

    "CreateEventTracker": Structure(
        name=NAME, datasetGroupArn=ARN, tags=TAGS).needs(
            "name", "datasetGroupArn"),
    "DescribeEventTracker": of("eventTrackerArn"),
    "ListEventTrackers": page(datasetGroupArn=ARN),
}
