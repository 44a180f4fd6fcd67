/* A SCSI CD drive (SPC-3, MMC-3). The drive itself is the one of an IDE channel without ports, to
 * which packets pass: disc, tray and audio are that channel's, drive 0. */
#ifndef REPRISE_SCSI_CD_H
#define REPRISE_SCSI_CD_H

#include "block.h"
#include "device_context.h"
#include "ide.h"
#include "scsi_target.h"

typedef struct ScsiCd ScsiCd;

typedef struct ScsiCdOptions {
    const char *id;         /* in the device list */
    const char *channel_id; /* of the channel there */
    BlockNode *medium;      /* NULL: none. It stays the caller's */
    const char *serial;     /* NULL: none */
    const char *device_id;  /* NULL: 'serial', else 'id' */
} ScsiCdOptions;

ScsiCd *scsi_cd_create(const DeviceContext *context, const ScsiCdOptions *options, Error *error);
void scsi_cd_destroy(ScsiCd *cd);

/* Stay the drive's. */
ScsiTarget *scsi_cd_target(ScsiCd *cd);
IdeChannel *scsi_cd_channel(ScsiCd *cd);

#endif
