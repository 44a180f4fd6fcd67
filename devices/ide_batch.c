/* What a disk's DMA command moves passes between image and memory by way of the drive's buffer, a
 * few sectors at a time; the image is read and written many sectors at a time. A batch lives as
 * long as one run of ide_run_dma(), so nothing of it is State. Where the image fails, it is asked
 * again for each buffer: so the command ends at the sector that it would have ended at. */
#include "ide_internal.h"
#include <stdlib.h>
#include <string.h>

enum { BATCH_SECTORS = 256, BUFFER_SECTORS = IDE_BUFFER_BYTES / IDE_SECTOR_BYTES };

void ide_batch_begin(IdeDrive *drive) {
    IdeBatch *batch = &drive->batch;
    if (batch->data == NULL)
        batch->data = malloc(BATCH_SECTORS * IDE_SECTOR_BYTES);
    batch->is_open = batch->data != NULL;
    batch->sectors = 0;
}

void ide_batch_end(IdeDrive *drive) {
    drive->batch.is_open = false;
}

static uint32_t smaller(uint32_t a, uint64_t b) {
    return a < b ? a : (uint32_t)b;
}

static bool read_ahead(IdeDrive *drive, uint64_t lba) {
    IdeBatch *batch = &drive->batch;
    uint32_t count = smaller(drive->state->sectors_left, ide_disk_sectors(drive) - lba);
    count = smaller(count, BATCH_SECTORS);
    batch->is_open = block_read(drive->medium, lba * IDE_SECTOR_BYTES, batch->data,
                                (size_t)count * IDE_SECTOR_BYTES, NULL);
    batch->first = lba;
    batch->sectors = count;
    return batch->is_open;
}

bool ide_batch_read(IdeDrive *drive, uint64_t lba, uint32_t count) {
    IdeBatch *batch = &drive->batch;
    if (!batch->is_open)
        return false;
    bool is_there = lba >= batch->first && lba + count <= batch->first + batch->sectors;
    if (!is_there && (drive->state->sectors_left <= count || !read_ahead(drive, lba)))
        return false;
    memcpy(drive->state->buffer, batch->data + (lba - batch->first) * IDE_SECTOR_BYTES,
           (size_t)count * IDE_SECTOR_BYTES);
    return true;
}

bool ide_batch_flush(IdeDrive *drive, uint64_t *failed, Error *error) {
    IdeBatch *batch = &drive->batch;
    uint32_t sectors = batch->sectors;
    batch->sectors = 0;
    if (sectors == 0 || block_write(drive->medium, batch->first * IDE_SECTOR_BYTES, batch->data,
                                    (size_t)sectors * IDE_SECTOR_BYTES, NULL))
        return true;
    for (uint32_t at = 0; at < sectors; at += BUFFER_SECTORS)
        if (!block_write(drive->medium, (batch->first + at) * IDE_SECTOR_BYTES,
                         batch->data + at * IDE_SECTOR_BYTES,
                         (size_t)smaller(BUFFER_SECTORS, sectors - at) * IDE_SECTOR_BYTES, error)) {
            *failed = batch->first + at;
            return false;
        }
    return true;
}

bool ide_batch_write(IdeDrive *drive, uint64_t lba, uint32_t count, uint64_t *failed,
                     Error *error) {
    IdeBatch *batch = &drive->batch;
    *failed = lba;
    if (!batch->is_open)
        return block_write(drive->medium, lba * IDE_SECTOR_BYTES, drive->state->buffer,
                           (size_t)count * IDE_SECTOR_BYTES, error);
    if (batch->sectors == 0)
        batch->first = lba;
    memcpy(batch->data + (size_t)batch->sectors * IDE_SECTOR_BYTES, drive->state->buffer,
           (size_t)count * IDE_SECTOR_BYTES);
    batch->sectors += count;
    bool more = drive->state->sectors_left > count && count == BUFFER_SECTORS &&
                batch->sectors + BUFFER_SECTORS <= BATCH_SECTORS;
    return more || ide_batch_flush(drive, failed, error);
}
