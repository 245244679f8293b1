#ifndef SIGV4_CASES_H
#define SIGV4_CASES_H
/*
 * Requests and what becomes of them. The expected texts were computed by a
 * signer written in Python from AWS's description; AWS's own vectors are run
 * by spec/vectors/sigv4_spec.lua.
 */
#define SECRET "notReallyASecret/0123456789+abcdefghijkl"

enum path_mode { NORMAL, KEEP_DOTS, KEEP_PATH };

static const struct signed_request {
    const char *name, *method, *path, *query;
    enum path_mode mode;
    struct {
        const char *name, *value;
    } headers[8];
    size_t header_count;
    const char *payload_hash;
    const char *region, *service, *stamp;
    const char *canonical, *names, *canonical_hash, *signature;
} cases[] = {
    {
        "the request of this module",
        "POST", "/",
        "", NORMAL,
        { { "content-type", "application/x-amz-json-1.1" },
            { "host", "personalize.eu-west-1.amazonaws.com" },
            { "x-amz-date", "20261124T101112Z" },
            { "x-amz-target",
              "AmazonPersonalize.CreateDataDeletionJob" } },
        4,
        "d0737704cb51a4fa3bd73f10278d3ee3"
        "b509053e8f0b77be7bdc65627c52c9a8",
        "eu-west-1", "personalize", "20261124T101112Z",
        "POST\n"
        "/\n"
        "\n"
        "content-type:application/x-amz-json-1.1\n"
        "host:personalize.eu-west-1.amazonaws.com\n"
        "x-amz-date:20261124T101112Z\n"
        "x-amz-target:AmazonPersonalize.CreateDataDeletio"
        "nJob\n"
        "\n"
        "content-type;host;x-amz-date;x-amz-target\n"
        "d0737704cb51a4fa3bd73f10278d3ee3b509053e8f0b77be"
        "7bdc65627c52c9a8",
        "content-type;host;x-amz-date;x-amz-target",
        "ba4ca72a96c1922040dfdda32a481ccb"
        "ee7efb4228f5c584950ea9440824c57d",
        "aff48ce3b0af97e2f3a8a6b523977d80"
        "49843a094fd45be18b823ce75d33b48a"
    },
    {
        "no path, no headers but one",
        "GET", "",
        "", NORMAL,
        { { "Host", "h" } },
        1,
        "e3b0c44298fc1c149afbf4c8996fb924"
        "27ae41e4649b934ca495991b7852b855",
        "us-east-1", "sts", "20000229T000000Z",
        "GET\n"
        "/\n"
        "\n"
        "host:h\n"
        "\n"
        "host\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c"
        "a495991b7852b855",
        "host",
        "cca1658a80fcc3ce3f15b29b7190caab"
        "67bd1b06e42eea0d497e8307bb3fb634",
        "7718a0585be2146e67e854bdb3804248"
        "fd6b6ef068e2601f7931a6551556f1f9"
    },
    {
        "dot segments",
        "GET", "/a/./b//../c/%20d/",
        "", NORMAL,
        { { "Host", "example.org" } },
        1,
        "e3b0c44298fc1c149afbf4c8996fb924"
        "27ae41e4649b934ca495991b7852b855",
        "us-east-1", "iam", "20000229T000000Z",
        "GET\n"
        "/a/c/%2520d/\n"
        "\n"
        "host:example.org\n"
        "\n"
        "host\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c"
        "a495991b7852b855",
        "host",
        "0deefc3f92721096e2ecdb4f4750fc58"
        "9fdf350f569860a11a3fcc81a9d8ffaf",
        "d7a6ff98401d859e9e01e0636544aeb3"
        "0ad88f1ee146c62609f01694644f0ce2"
    },
    {
        "dot segments kept",
        "GET", "/a/./b//../c/%20d",
        "", KEEP_DOTS,
        { { "Host", "example.org" } },
        1,
        "e3b0c44298fc1c149afbf4c8996fb924"
        "27ae41e4649b934ca495991b7852b855",
        "us-east-1", "iam", "20000229T000000Z",
        "GET\n"
        "/a/./b//../c/%2520d\n"
        "\n"
        "host:example.org\n"
        "\n"
        "host\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c"
        "a495991b7852b855",
        "host",
        "55d9693a7565f04e167bbbe264ae1bcc"
        "663eb90f7630211d9037b5879249a166",
        "3b5dadc6a40e40ada1f5256505b0f7e7"
        "7ec746c8f087523876e03b9d8573bc57"
    },
    {
        "a path of S3",
        "PUT", "/a/../b//%20%E2%82%AC",
        "", KEEP_PATH,
        { { "Host", "b.s3.amazonaws.com" },
            { "x-amz-content-sha256", "UNSIGNED-PAYLOAD" } },
        2,
        "UNSIGNED-PAYLOAD",
        "us-east-1", "s3", "20000229T000000Z",
        "PUT\n"
        "/a/../b//%20%E2%82%AC\n"
        "\n"
        "host:b.s3.amazonaws.com\n"
        "x-amz-content-sha256:UNSIGNED-PAYLOAD\n"
        "\n"
        "host;x-amz-content-sha256\n"
        "UNSIGNED-PAYLOAD",
        "host;x-amz-content-sha256",
        "a6406d3a2a0f500982f20c4331ede341"
        "28f2bb1609006a3e8b2abed27d640c7b",
        "45ac2e568a37a33d95b97ea668fbdfbf"
        "e1833d78417691d22a3472444426f788"
    },
    {
        "query: order, repeats, bare keys, encodings",
        "GET", "/",
        "b=2&a=%7e&a=&a-b=1&B=%2f&&c&a=1=2&%61=0&sp=a%20b"
        "&pl=a+b&\303\251=\342\202\254", NORMAL,
        { { "Host", "example.org" } },
        1,
        "e3b0c44298fc1c149afbf4c8996fb924"
        "27ae41e4649b934ca495991b7852b855",
        "us-east-1", "service", "99991231T235959Z",
        "GET\n"
        "/\n"
        "%C3%A9=%E2%82%AC&B=%2F&a=&a=0&a=1%3D2&a=~&a-b=1&"
        "b=2&c=&pl=a%2Bb&sp=a%20b\n"
        "host:example.org\n"
        "\n"
        "host\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c"
        "a495991b7852b855",
        "host",
        "3ba9b080bcfb7d8e459f8c07dce9f41f"
        "bbb9dca815a68ea52d30c8b9263fce85",
        "05b08205e61a9852c3598931cea88aaf"
        "d1d1d0a6b6814d5c660d1477b362837d"
    },
    {
        "headers: case, spaces, order of repeats",
        "GET", "/",
        "", NORMAL,
        { { "X-B", "  two   words\t here " },
            { "X-A", "2" },
            { "HOST", "example.org" },
            { "x-a", " 1" },
            { "X-Empty", "   " },
            { "X-A-B", "\"a   b\"" } },
        6,
        "e3b0c44298fc1c149afbf4c8996fb924"
        "27ae41e4649b934ca495991b7852b855",
        "cn-north-1", "service", "19700101T000000Z",
        "GET\n"
        "/\n"
        "\n"
        "host:example.org\n"
        "x-a:2,1\n"
        "x-a-b:\"a b\"\n"
        "x-b:two words here\n"
        "x-empty:\n"
        "\n"
        "host;x-a;x-a-b;x-b;x-empty\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c"
        "a495991b7852b855",
        "host;x-a;x-a-b;x-b;x-empty",
        "a5d36bdc76190920dd2ff0d0d37e89da"
        "d1969ae99e827b7d9c5c1c042b287f3e",
        "4d1d4a819b173372f4048c2fb077fbb5"
        "7be80d45e7d41f3fcd3f4b927668b9a3"
    },
};

#endif
