/* See pz_tls_hello.h for what this knows and refuses to know. */
#include "pz_tls_hello.h"

#define HOST_MAX ((size_t)253)

/* Behind the random bytes: no session, the usual suites, no compression. */
static const unsigned char SUITES[] = {
    0x00,
    0x00, 0x16, 0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f,
    0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8, 0x00, 0x9c, 0x00, 0x9d,
    0x01, 0x00
};

/* Groups, point formats, signatures, versions 1.3 and 1.2, how keys are made,
   and no key yet. */
static const unsigned char EXTENSIONS[] = {
    0x00, 0x0a, 0x00, 0x08, 0x00, 0x06, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18,
    0x00, 0x0b, 0x00, 0x02, 0x01, 0x00,
    0x00, 0x0d, 0x00, 0x14, 0x00, 0x12, 0x04, 0x03, 0x08, 0x04, 0x04, 0x01,
    0x05, 0x03, 0x08, 0x05, 0x05, 0x01, 0x08, 0x06, 0x06, 0x01, 0x02, 0x01,
    0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03,
    0x00, 0x2d, 0x00, 0x02, 0x01, 0x01,
    0x00, 0x33, 0x00, 0x02, 0x00, 0x00
};

/* A number of two bytes. */
static enum pz_status add16(struct pz_buf *out, size_t n)
{
    char bytes[2] = { (char)(n >> 8), (char)(n & 255) };

    return pz_buf_add(out, bytes, sizeof bytes);
}

/* The extension that tells the host's name. */
static enum pz_status add_name(struct pz_buf *out, struct pz_slice host)
{
    enum pz_status status = add16(out, 0);

    if (status == PZ_OK)
        status = add16(out, host.len + 5);
    if (status == PZ_OK)
        status = add16(out, host.len + 3);
    if (status == PZ_OK)
        status = pz_buf_addc(out, 0);
    if (status == PZ_OK)
        status = add16(out, host.len);
    return status == PZ_OK ? pz_buf_adds(out, host) : status;
}

enum pz_status pz_tls_hello(struct pz_buf *out, struct pz_slice host,
                            struct pz_slice random)
{
    size_t extensions = host.len + 9 + sizeof EXTENSIONS;
    size_t hello = 2 + PZ_TLS_RANDOM + sizeof SUITES + 2 + extensions;
    enum pz_status status;

    if (host.len == 0 || host.len > HOST_MAX || random.len != PZ_TLS_RANDOM)
        return PZ_EINVAL;
    status = pz_buf_add(out, "\x16\x03\x01", 3); /* a record */
    if (status == PZ_OK)
        status = add16(out, hello + 4);
    if (status == PZ_OK)
        status = add16(out, 0x0100); /* client_hello, and of its length 0 */
    if (status == PZ_OK)
        status = add16(out, hello);
    if (status == PZ_OK)
        status = add16(out, 0x0303);
    if (status == PZ_OK)
        status = pz_buf_adds(out, random);
    if (status == PZ_OK)
        status = pz_buf_add(out, SUITES, sizeof SUITES);
    if (status == PZ_OK)
        status = add16(out, extensions);
    if (status == PZ_OK)
        status = add_name(out, host);
    return status == PZ_OK ? pz_buf_add(out, EXTENSIONS, sizeof EXTENSIONS)
                           : status;
}

enum pz_tls_answer pz_tls_answer(struct pz_slice bytes)
{
    enum { ALERT = 21, HANDSHAKE = 22 };
    enum { HANDSHAKE_FAILURE = 40, PROTOCOL_VERSION = 70 };
    const unsigned char *b = (const unsigned char *)bytes.data;

    if (bytes.len == 0)
        return PZ_TLS_ANSWER_NONE;
    if ((b[0] != ALERT && b[0] != HANDSHAKE) || (bytes.len > 1 && b[1] != 3))
        return PZ_TLS_ANSWER_PLAIN;
    if (b[0] != ALERT || bytes.len < PZ_TLS_ANSWER)
        return PZ_TLS_ANSWER_TLS;
    return b[6] == PROTOCOL_VERSION ? PZ_TLS_ANSWER_OLD
         : b[6] == HANDSHAKE_FAILURE ? PZ_TLS_ANSWER_REFUSED
         : PZ_TLS_ANSWER_TLS;
}
