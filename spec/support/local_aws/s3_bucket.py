"""
What S3 tells about a bucket: its region, versions, encryption, policy, lock.
"""

from .s3_auth import S3Problem, element
from .s3_listing import document


def nested(name, *parts):
    return "<%s>%s</%s>" % (name, "".join(parts), name)


def location(bucket):
    region = bucket.region
    return document("LocationConstraint",
                    [] if region == "us-east-1" else [region])


def versioning(bucket):
    parts = [element(name, value) for name, value in (
        ("Status", bucket.versioning), ("MfaDelete", bucket.mfa_delete))
        if value]
    return document("VersioningConfiguration", parts)


def encryption(bucket):
    if bucket.algorithm is None:
        raise S3Problem(
            "ServerSideEncryptionConfigurationNotFoundError", 404, "The "
            "server side encryption configuration was not found",
            [("BucketName", bucket.name)])
    parts = [element("SSEAlgorithm", bucket.algorithm)]
    if bucket.kms_key:
        parts.append(element("KMSMasterKeyID", bucket.kms_key))
    return document("ServerSideEncryptionConfiguration", [nested(
        "Rule", nested("ApplyServerSideEncryptionByDefault", *parts),
        element("BucketKeyEnabled", "false"))])


def policy(bucket):
    """JSON, or whatever text the policy is."""
    if bucket.policy is None:
        raise S3Problem("NoSuchBucketPolicy", 404, "The bucket policy does "
                        "not exist", [("BucketName", bucket.name)])
    return bucket.policy.encode("utf-8")


def policy_status(bucket):
    policy(bucket)
    return document("PolicyStatus", [element("IsPublic", bucket.is_public())])


def object_lock(bucket):
    if not bucket.lock_enabled:
        raise S3Problem(
            "ObjectLockConfigurationNotFoundError", 404, "Object Lock "
            "configuration does not exist for this bucket",
            [("BucketName", bucket.name)])
    parts = [element("ObjectLockEnabled", "Enabled")]
    if bucket.retention:
        mode, period = bucket.retention
        parts.append(nested("Rule", nested(
            "DefaultRetention", element("Mode", mode),
            *[element(name, n) for name, n in period.items()])))
    return document("ObjectLockConfiguration", parts)
