/* A SCSI target as its bus sees it, whatever the bus: a host adapter or a USB bridge gives it one
 * command at a time, moves the data that it asks for, and takes its status (SAM-3, chapter 5).
 *
 * Disks are made by scsi_disk.h, CD drives by scsi_cd.h. */
#ifndef REPRISE_SCSI_TARGET_H
#define REPRISE_SCSI_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCSI_COMMAND_BYTES 16
#define SCSI_SENSE_BYTES 18

typedef enum ScsiTargetPhase {
    SCSI_FREE, /* no command */
    SCSI_BUSY, /* until it calls 'ready' */
    SCSI_TO_HOST,
    SCSI_FROM_HOST,
    SCSI_DONE, /* the status can be taken */
} ScsiTargetPhase;

/* Status of a command (SAM-3, 5.3.1). */
enum { SCSI_GOOD = 0x00, SCSI_CHECK_CONDITION = 0x02 };

typedef struct ScsiTargetClass {
    void (*begin)(void *opaque, unsigned lun, const uint8_t *command);
    ScsiTargetPhase (*phase)(const void *opaque);
    size_t (*move)(void *opaque, uint8_t *data, size_t size);
    uint8_t (*take_status)(void *opaque);
    void (*cancel)(void *opaque);
    void (*reset)(void *opaque);
} ScsiTargetClass;

typedef struct ScsiTarget {
    const ScsiTargetClass *class;
    void *opaque;
    /* Called when a target that was SCSI_BUSY is so no longer, in the middle of what it does: note
     * it, and go on later. Set by whoever owns the bus, before the first command. */
    void (*ready)(void *host);
    void *host;
} ScsiTarget;

/* Gives a target that is SCSI_FREE a command, padded with zeros. */
static inline void scsi_target_begin(ScsiTarget *target, unsigned lun,
                                     const uint8_t command[SCSI_COMMAND_BYTES]) {
    target->class->begin(target->opaque, lun, command);
}

static inline ScsiTargetPhase scsi_target_phase(const ScsiTarget *target) {
    return target->class->phase(target->opaque);
}

/* Moves up to 'size' bytes in the direction that the phase tells, and returns how many: at least
 * one, unless that ends the phase. */
static inline size_t scsi_target_move(ScsiTarget *target, uint8_t *data, size_t size) {
    return target->class->move(target->opaque, data, size);
}

/* Of a target that is SCSI_DONE, which is SCSI_FREE then. */
static inline uint8_t scsi_target_take_status(ScsiTarget *target) {
    return target->class->take_status(target->opaque);
}

/* The command, if there is one, ends without a status. */
static inline void scsi_target_cancel(ScsiTarget *target) {
    target->class->cancel(target->opaque);
}

/* Whatever it does ends, and it tells of that; as by the bus's reset line. */
static inline void scsi_target_reset(ScsiTarget *target) {
    target->class->reset(target->opaque);
}

#endif
