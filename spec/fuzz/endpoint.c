/* Regions and endpoints that become URLs; partitions. */
#include "fuzz.h"

#include "../../src/core/pz_endpoint.h"
#include "../../src/core/pz_text.h"
#include "../../src/core/pz_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pz_endpoint_params params;
    struct pz_signing signing;
    struct pz_buf out = PZ_BUF_INIT(0);
    enum pz_status status;
    struct pz_uri uri;
    int rules;

    if (size < 1 || size > 4096)
        return 0;
    memset(&params, 0, sizeof params);
    params.use_fips = data[0] & 1;
    params.use_dualstack = data[0] >> 1 & 1;
    params.use_global = data[0] >> 2 & 1;
    rules = (data[0] >> 3 & 7) % (PZ_RULES_SIGNIN + 1);
    data++;
    size--;
    params.region = guard(0, fuzz_part(&data, &size));
    params.endpoint = fuzz_slice(1, data, size);
    status = pz_endpoint_resolve(&out, &signing, (enum pz_rules)rules,
                                 &params);
    PROMISE(status == PZ_OK || status == PZ_EINVAL);
    PROMISE(out.len > 0);
    PROMISE(fuzz_is_text(pz_buf_slice(&out), ' ', '~'));
    if (status == PZ_OK) {
        PROMISE(pz_uri_parse(&uri, pz_buf_slice(&out)) == PZ_OK);
        if (params.endpoint.len > 0) {
            PROMISE(pz_slice_eq(pz_buf_slice(&out), params.endpoint));
        } else {
            /* A region never gets to choose whose host it is. */
            PROMISE(pz_is_host_label(params.region));
            PROMISE(uri.path.len == 0 && uri.port.len == 0);
            PROMISE(pz_slice_find(uri.host, '.', 0) < uri.host.len);
        }
    }
    pz_buf_free(&out);
    {
        int fips = 0;
        struct pz_slice region = pz_region_of(params.region, &fips);

        PROMISE(pz_partition_of(region) != NULL);
        PROMISE(fips || pz_slice_eq(region, params.region));
    }
    return 0;
}
