/* What SCSI targets share: codes of commands and of sense data (SPC-3), and answers that do not
 * depend on the kind of target. */
#ifndef REPRISE_SCSI_CODES_H
#define REPRISE_SCSI_CODES_H

#include "scsi_target.h"

enum {
    SCSI_REQUEST_SENSE = 0x03,
    SCSI_INQUIRY = 0x12,
    SCSI_MODE_SELECT_6 = 0x15,
    SCSI_MODE_SENSE_6 = 0x1A,
    SCSI_MODE_SELECT_10 = 0x55,
    SCSI_MODE_SENSE_10 = 0x5A,
    SCSI_REPORT_LUNS = 0xA0,
};

/* Sense key, additional code and qualifier in one. */
typedef uint32_t ScsiSense;
#define SCSI_SENSE(key, code, qualifier)                                                           \
    ((uint32_t)(key) << 16 | (uint32_t)(code) << 8 | (uint32_t)(qualifier))
enum {
    SCSI_NO_SENSE = 0,
    SCSI_STOPPED = SCSI_SENSE(2, 0x04, 2),
    SCSI_WRITE_ERROR = SCSI_SENSE(3, 0x0C, 0),
    SCSI_READ_ERROR = SCSI_SENSE(3, 0x11, 0),
    SCSI_NO_MEDIUM = SCSI_SENSE(2, 0x3A, 0),
    SCSI_LIST_LENGTH = SCSI_SENSE(5, 0x1A, 0),
    SCSI_INVALID_COMMAND = SCSI_SENSE(5, 0x20, 0),
    SCSI_OUT_OF_RANGE = SCSI_SENSE(5, 0x21, 0),
    SCSI_INVALID_FIELD = SCSI_SENSE(5, 0x24, 0),
    SCSI_NO_SUCH_UNIT = SCSI_SENSE(5, 0x25, 0),
    SCSI_INVALID_PARAMETER = SCSI_SENSE(5, 0x26, 0),
    SCSI_NOT_SAVED = SCSI_SENSE(5, 0x39, 0),
    SCSI_WAS_RESET = SCSI_SENSE(6, 0x29, 0),
    SCSI_WRITE_PROTECTED = SCSI_SENSE(7, 0x27, 0),
    SCSI_MISCOMPARE = SCSI_SENSE(14, 0x1D, 0),
};

/* Sense data in the fixed format, SCSI_SENSE_BYTES bytes. */
void scsi_store_sense(uint8_t *data, ScsiSense sense);

/* How many bytes of a command of this kind stand in a packet (SPC-3, 4.3). */
unsigned scsi_command_bytes(uint8_t code);

/* The blocks that a command to read, write or verify names, by its kind (SBC-3, chapter 5). */
typedef struct ScsiRange {
    uint64_t lba, count;
} ScsiRange;
ScsiRange scsi_range(const uint8_t *command);

/* What a target says of itself. */
typedef struct ScsiIdentity {
    uint8_t kind; /* 0: a disk, 5: a CD drive */
    bool removable;
    const char *product;   /* up to 16 characters */
    const char *serial;    /* "": none */
    const char *device_id; /* of the page of names; "": none */
    bool forgets_blocks;   /* UNMAP and WRITE SAME */
} ScsiIdentity;

#define SCSI_INQUIRY_BYTES 255 /* room for any answer */
#define SCSI_UNMAP_RANGES 31   /* that one command may list */
#define SCSI_SAME_BLOCKS 0x10000u

/* INQUIRY (SPC-3, 6.4): fills 'data', SCSI_INQUIRY_BYTES of zeros, and returns how many bytes are
 * the answer; 0 where the command asks for something that there is not. */
size_t scsi_inquire(const ScsiIdentity *identity, const uint8_t *command, uint8_t *data);

/* REPORT LUNS of a target with unit 0 alone: 16 bytes; 0 where the command is not right. */
size_t scsi_report_luns(const uint8_t *command, uint8_t *data);

/* What a target without the unit says in its place: the status, and up to SCSI_INQUIRY_BYTES of an
 * answer. */
uint8_t scsi_absent_unit(const uint8_t *command, uint8_t *data, size_t *size);

#endif
