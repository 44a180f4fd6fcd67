/* NBD exports where the build has no libnbd. */
#include "block_driver.h"

BlockNode *block_nbd_open(const BlockOptions *options, Error *error) {
    (void)options;
    error_set(error, "this build has no NBD: it was made without libnbd");
    return NULL;
}
