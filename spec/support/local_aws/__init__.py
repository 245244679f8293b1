"""
The local AWS: a strict stand-in for Amazon Personalize, S3 and the services
that credentials come from, on one port.

Python's standard library only, so that its signature check shares nothing
with the client it judges.

    command      options, the ready line, life and death of the process
    server       connections to services, the log of requests
    wire         HTTP/1.1 over a socket: heads, bodies, answers
    signature    SigV4: what a request should have been signed with
    personalize  the operations;  shapes: their input;  jobs: their life
    userlist     a USER_ID list read and counted
    s3           objects over HTTP;  s3_auth, s3_upload, s3_listing: its parts
    objects      where they are kept
    rest         from a request to an answer, as the services below do it
    query        form in and XML out;  sts: roles and who is asking
    sso          the portal and OIDC;  signin: logins, proved with p256
    metadata     of an instance and of a container
    sessions     temporary credentials and tokens, as all these issue them
    chunked      aws-chunked bodies;  checksums: the sums beside them
    faults       errors on demand;  admin: the /_local paths
    settings     what may change while it runs;  tls: its certificates
"""
