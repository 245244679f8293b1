"""
Who may do what in a bucket: denials by action, the bucket's own policy, and
whose bucket it is.

Works out the IAM action of an operation; words the refusal as S3 does.
"""

from . import policy
from .permissions import refusal
from .s3_auth import S3Problem

ACTIONS = {
    "PutObject": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetBucketVersioning": "s3:GetBucketVersioning",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "GetBucketPolicyStatus": "s3:GetBucketPolicyStatus",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
}
OF_A_VERSION = {"s3:GetObject": "s3:GetObjectVersion",
                "s3:DeleteObject": "s3:DeleteObjectVersion"}
SSE = "x-amz-server-side-encryption"
BY_THE_POLICY = "with an explicit deny in a resource-based policy"


def plain():
    """The refusal that gives no reason, as to other accounts."""
    return S3Problem("AccessDenied", 403, "Access Denied")


class Access:
    def __init__(self, settings, denials):
        self.settings = settings
        self.denials = denials

    def context(self, caller, request):
        headers = request.headers
        secure = hasattr(request.connection.sock, "unwrap")
        context = {"aws:PrincipalArn": caller,
                   "aws:PrincipalAccount": caller.split(":")[4],
                   "aws:PrincipalIsAWSService": "false",
                   "aws:ViaAWSService": "false",
                   "aws:SecureTransport": str(secure).lower(),
                   "aws:SourceIp": request.connection.peer()}
        if self.settings.source_vpce:
            context["aws:SourceVpce"] = self.settings.source_vpce
        for name in (SSE, SSE + "-aws-kms-key-id"):
            if name in headers:
                context["s3:" + name] = headers[name]
        return context

    @staticmethod
    def principals(caller):
        """All that a caller is known as: a session is its role, too."""
        found = [("AWS", caller)]
        parts = caller.split(":", 5)
        if parts[5].startswith("assumed-role/"):
            found.append(("AWS", "arn:%s:iam::%s:role/%s" % (
                parts[1], parts[4], parts[5].split("/")[1])))
        return found

    def check(self, request, caller, bucket, key="", version=None):
        """S3Problem where the caller may not do what the request is."""
        action = ACTIONS.get(request.operation)
        if action:
            self.check_action(request, caller, bucket, action, key, version)

    def check_action(self, request, caller, bucket, action, key="",
                     version=None):
        if version is not None:
            action = OF_A_VERSION.get(action, action)
        if not self.denials.rules and bucket.policy is None and (
                bucket.owner == self.settings.account):
            return                  # nothing to judge, as in most worlds
        resource = bucket.arn(key)
        shown = '"%s"' % resource
        decision, _ = policy.decide(bucket.statements(), policy.Ask(
            action, resource, self.principals(caller),
            self.context(caller, request)))
        if bucket.owner != self.settings.account:
            if request.operation in ("GetBucketPolicy",
                                     "GetBucketPolicyStatus"):
                raise S3Problem("MethodNotAllowed", 405, "The specified "
                                "method is not allowed against this resource."
                                )
            if decision != policy.ALLOWED or self.denials.denies(action,
                                                                 resource):
                raise plain()
            return
        if self.denials.denies(action, resource):
            raise S3Problem("AccessDenied", 403,
                            refusal(caller, action, shown))
        if decision == policy.EXPLICIT_DENY:
            raise S3Problem("AccessDenied", 403, refusal(
                caller, action, shown, BY_THE_POLICY))

    def may(self, request, caller, bucket, action, key=""):
        try:
            self.check_action(request, caller, bucket, action, key)
            return True
        except S3Problem:
            return False
