/* What the files of the SCSI disk share. */
#ifndef REPRISE_SCSI_DISK_INTERNAL_H
#define REPRISE_SCSI_DISK_INTERNAL_H

#include "scsi_codes.h"
#include "scsi_disk.h"

#define SCSI_BLOCK_BYTES 512u
#define SCSI_BUFFER_BYTES 512u

/* Where the data of a command comes from or goes to. */
typedef enum ScsiDiskData {
    SCSI_DATA_BUFFER,
    SCSI_DATA_BLOCKS,
    SCSI_DATA_COMPARE, /* with the blocks */
    SCSI_DATA_KINDS,
} ScsiDiskData;

typedef struct ScsiDiskState {
    int64_t due_ns;
    uint64_t offset;   /* in the medium: where the next byte of data lies */
    uint64_t left;     /* bytes of data still to come */
    uint32_t position; /* in the buffer, likewise; of blocks: scsi_disk_blocks.c */
    uint32_t sense;    /* ScsiSense, for REQUEST SENSE */
    uint64_t failed_block;
    uint8_t command[SCSI_COMMAND_BYTES];
    uint8_t phase;    /* ScsiTargetPhase */
    uint8_t data;     /* ScsiDiskData */
    uint8_t has_data; /* of SCSI_BUSY: the host's data has come, and the command can end */
    uint8_t lun, status;
    uint8_t attention; /* it was reset, and nobody was told yet */
    uint8_t has_failed_block;
    uint8_t write_cache, stopped;
    uint8_t padding[7];
    uint8_t buffer[SCSI_BUFFER_BYTES];
} ScsiDiskState;

struct ScsiDisk {
    ScsiDiskState state;
    ScsiTarget target;
    Timer timer;
    VirtualClock *clock;
    Trace *trace;
    BlockNode *medium;
    uint64_t blocks;
    IdeGeometry geometry;
    char id[32], product[17], serial[37], device_id[160];
};

static inline bool scsi_disk_is_read_only(const ScsiDisk *disk) {
    return disk->medium == NULL || block_is_read_only(disk->medium);
}

/* Whether the blocks that a command names are there. */
static inline bool scsi_disk_has(const ScsiDisk *disk, ScsiRange range) {
    return range.lba <= disk->blocks && range.count <= disk->blocks - range.lba;
}

/* scsi_disk.c: how a command goes on. Each ends what the command's function has to do. */
/* An answer that stands in the buffer, of which the host takes 'room' bytes at most. */
void scsi_disk_answer(ScsiDisk *disk, size_t size, size_t room);
/* The host shall fill so much of the buffer; the command's function for that is called then. */
void scsi_disk_ask(ScsiDisk *disk, size_t size);
/* Blocks go one way or the other, or none at all. */
void scsi_disk_begin_blocks(ScsiDisk *disk, ScsiTargetPhase phase, ScsiDiskData data, uint64_t lba,
                            uint64_t count);
void scsi_disk_finish(ScsiDisk *disk);
void scsi_disk_fail(ScsiDisk *disk, ScsiSense sense);
/* The same, and which block it was. */
void scsi_disk_fail_at(ScsiDisk *disk, ScsiSense sense, uint64_t lba);
void scsi_disk_flush_and_finish(ScsiDisk *disk);

/* scsi_disk_blocks.c: the functions of commands, and moving data. */
void scsi_disk_read(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_write(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_verify(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_seek(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_read_capacity(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_service_action_in(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_unmap(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_write_same(ScsiDisk *disk, const uint8_t *command);
/* The host's data for the two above stands in the buffer. */
void scsi_disk_unmap_ranges(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_write_same_block(ScsiDisk *disk, const uint8_t *command);
/* All blocks of a write, or of a comparison, have come. */
void scsi_disk_blocks_have_come(ScsiDisk *disk, const uint8_t *command);
/* Moves 'size' bytes, at most what is left; false if the command has failed. */
bool scsi_disk_move_blocks(ScsiDisk *disk, uint8_t *data, size_t size);

/* scsi_disk_modes.c */
void scsi_disk_mode_sense(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_mode_select(ScsiDisk *disk, const uint8_t *command);
void scsi_disk_take_modes(ScsiDisk *disk, const uint8_t *command);

#endif
