/* The 82077AA floppy disk controller with drives A and B, as PCs have it: ports 3F0h to 3F5h and
 * 3F7h, IRQ 6, DMA channel 2. QEMU calls it isa-fdc.
 *
 * i82077.c holds registers and reset, i82077_commands.c the commands, i82077_transfer.c those that
 * move sectors, floppy_format.c what diskettes look like. */
#ifndef REPRISE_I82077_H
#define REPRISE_I82077_H

#include "block.h"
#include "device_context.h"
#include "floppy_format.h"

#define I82077_DRIVES 2

typedef struct I82077 I82077;

/* The DMA channel that serves the controller. Moves up to 'size' bytes between 'buffer' and memory
 * ('to_memory': the controller reads a diskette) and returns how many the channel took: 0 while it
 * is masked. '*terminal_count' tells whether its count ended with the last byte. */
typedef struct I82077Dma {
    size_t (*transfer)(void *opaque, uint8_t *buffer, size_t size, bool to_memory,
                       bool *terminal_count);
    void *opaque;
} I82077Dma;

typedef struct I82077Options {
    BlockNode *media[I82077_DRIVES]; /* NULL: the drive is empty. They stay the caller's */
    FloppyDriveType drive_types[I82077_DRIVES];
    I82077Dma dma;
    Wire irq;
    /* Turn and step as slowly as real drives do, instead of about fifty times faster. */
    bool accurate_timing;
} I82077Options;

I82077 *i82077_create(const DeviceContext *context, const I82077Options *options, Error *error);
void i82077_destroy(I82077 *fdc);

/* Puts another image into the drive, or takes it out (NULL). The guest sees the disk-change line.
 * On error the old medium stays. The caller closes the old node after this. */
bool i82077_change_media(I82077 *fdc, unsigned drive, BlockNode *medium, Error *error);

/* What is in the drive; NULL if nothing. */
/* Puts the medium into a drive whose State is restored from elsewhere: the guest is told nothing,
 * as the State says what it knows. The caller closes the old node after this. */
void i82077_restore_medium(I82077 *fdc, unsigned drive, BlockNode *medium);

BlockNode *i82077_media(const I82077 *fdc, unsigned drive);

/* The type for the CMOS RAM; FLOPPY_DRIVE_NONE if there is no such drive. */
FloppyDriveType i82077_drive_type(const I82077 *fdc, unsigned drive);

#endif
