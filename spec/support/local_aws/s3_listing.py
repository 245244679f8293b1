"""
The lists of S3 as XML: objects (list-type=2) and versions, with their paging.
"""

import base64
import re
from urllib.parse import quote

from .objects import iso_time
from .s3_auth import S3Problem, element

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def document(root, parts):
    return (HEAD + '<%s xmlns="%s">%s</%s>'
            % (root, NAMESPACE, "".join(parts), root)).encode("utf-8")


def max_keys(query, page_size):
    value = query.get("max-keys", "1000")
    if not re.fullmatch("[0-9]{1,9}", value):
        raise S3Problem("InvalidArgument", 400, "Provided max-keys not an "
                        "integer or within integer range",
                        [("ArgumentName", "max-keys"),
                         ("ArgumentValue", value)])
    return min(int(value), page_size)


def name_writer(query):
    """How keys are written; encoding-type=url percent-encodes them."""
    kind = query.get("encoding-type")
    if kind is None:
        return str
    if kind != "url":
        raise S3Problem("InvalidArgument", 400, "Invalid Encoding Method "
                        "specified in Request")
    return lambda key: quote(key, safe="/-_.~*")


def common(bucket, query, write, limit, truncated):
    parts = [element("Name", bucket),
             element("Prefix", write(query.get("prefix", ""))),
             element("MaxKeys", limit),
             element("IsTruncated", "true" if truncated else "false")]
    if "encoding-type" in query:
        parts.append(element("EncodingType", query["encoding-type"]))
    return parts


def content(item, write):
    return (element("Key", write(item.key))
            + element("LastModified", iso_time(item.modified)))


def list_objects(bucket, page_size, query):
    limit, write = max_keys(query, page_size), name_writer(query)
    after = query.get("start-after", "")
    token = query.get("continuation-token")
    if token is not None:
        try:
            after = base64.urlsafe_b64decode(token).decode("utf-8")
        except ValueError:
            raise S3Problem("InvalidArgument", 400, "The continuation token "
                            "provided is incorrect") from None
    place = after.encode("utf-8")
    found = [item for item in bucket.store.listing(query.get("prefix", ""))
             if item.key.encode("utf-8") > place]
    page = found[:limit]
    truncated = 0 < limit < len(found)
    parts = common(bucket.name, query, write, limit, truncated)
    parts.append(element("KeyCount", len(page)))
    if token is not None:
        parts.append(element("ContinuationToken", token))
    if truncated:
        parts.append(element(
            "NextContinuationToken", base64.urlsafe_b64encode(
                page[-1].key.encode("utf-8")).decode()))
    for item in page:
        parts.append("<Contents>%s%s%s%s</Contents>" % (
            content(item, write), element("ETag", '"%s"' % item.etag),
            element("Size", item.size), element("StorageClass", "STANDARD")))
    return document("ListBucketResult", parts)


def list_versions(bucket, page_size, query):
    limit, write = max_keys(query, page_size), name_writer(query)
    key_marker = query.get("key-marker", "")
    version_marker = query.get("version-id-marker", "")
    if version_marker and not key_marker:
        raise S3Problem("InvalidArgument", 400, "A version-id marker cannot "
                        "be specified without a key marker.")
    found = bucket.store.every_version(query.get("prefix", ""))
    place = key_marker.encode("utf-8")
    rest = [pair for pair in found if pair[0].key.encode("utf-8") > place]
    if version_marker:
        # the versions of the marker's key that come after the marker
        same = [pair for pair in found if pair[0].key == key_marker]
        ids = [item.version_id for item, _ in same]
        if version_marker in ids:
            rest = same[ids.index(version_marker) + 1:] + rest
    page = rest[:limit]
    truncated = 0 < limit < len(rest)
    parts = common(bucket.name, query, write, limit, truncated)
    parts += [element("KeyMarker", write(key_marker)),
              element("VersionIdMarker", version_marker)]
    if truncated:
        parts += [element("NextKeyMarker", write(page[-1][0].key)),
                  element("NextVersionIdMarker", page[-1][0].version_id)]
    for item, latest in page:
        inner = [element("Key", write(item.key)),
                 element("VersionId", item.version_id),
                 element("IsLatest", "true" if latest else "false"),
                 element("LastModified", iso_time(item.modified))]
        kind = "DeleteMarker"
        if not item.is_marker:
            kind = "Version"
            inner += [element("ETag", '"%s"' % item.etag),
                      element("Size", item.size),
                      element("StorageClass", "STANDARD")]
        parts.append("<%s>%s</%s>" % (kind, "".join(inner), kind))
    return document("ListVersionsResult", parts)
