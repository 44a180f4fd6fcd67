/* How an image lies on a diskette: its geometry, and the drive and data rate that it needs. */
#ifndef REPRISE_FLOPPY_FORMAT_H
#define REPRISE_FLOPPY_FORMAT_H

#include "block.h"

#define FLOPPY_SECTOR_BYTES 512

/* As the CMOS RAM names them, byte 10h (one nibble a drive). */
typedef enum FloppyDriveType {
    FLOPPY_DRIVE_NONE = 0,
    FLOPPY_DRIVE_360K = 1,
    FLOPPY_DRIVE_1200K = 2,
    FLOPPY_DRIVE_720K = 3,
    FLOPPY_DRIVE_1440K = 4,
    FLOPPY_DRIVE_2880K = 5,
    FLOPPY_DRIVE_AUTO = 255, /* whatever suits the first medium; 2.88M if there is none */
} FloppyDriveType;

/* Data rates as the CCR and DSR encode them. */
enum { FLOPPY_RATE_500K = 0, FLOPPY_RATE_300K = 1, FLOPPY_RATE_250K = 2, FLOPPY_RATE_1M = 3 };

typedef struct FloppyFormat {
    FloppyDriveType drive_type; /* the drive that such a diskette comes from */
    uint8_t cylinders, heads, sectors;
    uint8_t rates; /* bit (1 << rate) for each data rate at which it can be read */
} FloppyFormat;

/* The format of an image: by its size, else by the parameter block in its boot sector, else the
 * smallest common format that holds it, but no less than 1.44M. An error if none can. */
bool floppy_format_guess(BlockNode *image, FloppyFormat *format, Error *error);

uint64_t floppy_format_bytes(const FloppyFormat *format);

#endif
