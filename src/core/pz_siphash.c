#include "pz_siphash.h"

struct pz_idhash pz_siphash128(uint64_t key0, uint64_t key1,
                               struct pz_slice data)
{
    const unsigned char *p = (const unsigned char *)data.data;
    uint64_t v[4];

    pz_sip_start(v, key0, key1);
    for (size_t left = data.len; left >= 8; left -= 8) {
        pz_sip_add(v, pz_sip_word(p));
        p += 8;
    }
    p = (const unsigned char *)data.data;
    return pz_sip_end(v, pz_sip_rest(p, data.len), data.len);
}
