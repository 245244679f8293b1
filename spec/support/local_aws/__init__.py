"""
The local AWS: a strict stand-in for Amazon Personalize, S3, IAM and the
services that credentials come from, on one port.

Python's standard library only, so that its signature check shares nothing
with the client it judges.

    command      options, the ready line, life and death of the process
    server       connections to services, the log of requests
    wire         HTTP/1.1 over a socket: heads, bodies, answers
    signature    SigV4: what a request should have been signed with
    personalize  its protocol;  inputs, shapes: what operations take
    deletion_jobs, catalogue, tags: the operations;  paging: their lists
    jobs         the life of deletion jobs;  resources: of all the rest
    world        an account out of a JSON document, and what happens in it
    userlist     a USER_ID list read and counted
    s3           objects over HTTP;  s3_auth, s3_access, s3_upload,
                 s3_listing, s3_bucket: its parts
    buckets      how they are set up;  objects: what lies in them
    roles        what Personalize may do;  policy: documents read and judged
    permissions  what callers may not do
    rest         from a request to an answer, as the services below do it
    query        form in and XML out;  sts: sessions of roles, and who asks;
                 iam: roles told and simulated
    sso          the portal and OIDC;  signin: logins, proved with p256
    metadata     of an instance and of a container
    sessions     temporary credentials and tokens, as all these issue them
    chunked      aws-chunked bodies;  checksums: the sums beside them
    faults       errors on demand;  admin: the /_local paths
    settings     what may change while it runs;  tls: its certificates
"""
