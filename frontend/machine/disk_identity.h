/* Which image file a medium is, so that a snapshot finds it again and notices when it is another
 * one or was written meanwhile. */
#ifndef REPRISE_DISK_IDENTITY_H
#define REPRISE_DISK_IDENTITY_H

#include "block.h"
#include "byte_buffer.h"

#define DISK_PATH_BYTES 4096

typedef struct DiskIdentity {
    char path[DISK_PATH_BYTES]; /* absolute */
    char format[16];
    uint64_t bytes;     /* of the file */
    int64_t changed_ns; /* its time of last change, since 1970 */
} DiskIdentity;

bool disk_identity_find(const BlockNode *medium, DiskIdentity *identity, Error *error);

void disk_identity_save(const DiskIdentity *identity, ByteBuffer *buffer);
/* False: the bytes are damaged. */
bool disk_identity_load(DiskIdentity *identity, ByteReader *reader);

/* The same name (in whatever folder), size and time of change. */
bool disk_identity_equal(const DiskIdentity *one, const DiskIdentity *other);

/* An error that names the file and what is different about 'now', unless nothing is. */
bool disk_identity_check(const DiskIdentity *then, const DiskIdentity *now, Error *error);

#endif
