/* IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA/ATAPI-7 volume 1, 6.17 and 6.18). */
#include "ide_internal.h"
#include "little_endian.h"
#include <string.h>

#define FIRMWARE_REVISION "7.2.0"
#define TRIM_BLOCKS 64 /* of ranges in one command, at most */
#define LBA28_SECTORS_MAXIMUM 0x0FFFFFFFu

static void store_word(uint8_t *data, unsigned word, uint32_t value) {
    store_le16(data + word * 2, (uint16_t)value);
}

static void store_two_words(uint8_t *data, unsigned word, uint32_t value) {
    store_le32(data + word * 2, value);
}

/* Text is padded with blanks, and the first character of a pair is the high byte. */
static void store_text(uint8_t *data, unsigned word, unsigned words, const char *text) {
    size_t length = strlen(text);
    for (unsigned i = 0; i < words * 2; i++)
        data[word * 2 + (i ^ 1)] = i < length ? (uint8_t)text[i] : ' ';
}

void ide_store_checksum(uint8_t *data) {
    uint8_t sum = 0;
    for (unsigned i = 0; i < 511; i++)
        sum += data[i];
    data[511] = (uint8_t)-sum;
}

/* Which modes there are, and in the high byte which was chosen by SET FEATURES. */
static void store_transfer_modes(const IdeDrive *drive, uint8_t *data) {
    uint8_t mode = drive->state->transfer_mode;
    bool has_dma = drive->channel->bus_master.transfer != NULL;
    uint32_t multiword = 0x07, ultra = 0x3F;
    if (mode >> 3 == 4)
        multiword |= 0x100u << (mode & 7);
    if (mode >> 3 == 8)
        ultra |= 0x100u << (mode & 7);
    if (has_dma) {
        store_word(data, 63, multiword);
        store_word(data, 88, ultra);
    }
    store_word(data, 53, has_dma ? 7 : 3); /* words 54-58, 64-70 and 88 mean something */
    store_word(data, 64, 0x03);            /* PIO 3 and 4 */
    store_word(data, 65, 120);             /* cycle times in ns */
    store_word(data, 66, 120);
    store_word(data, 67, 120);
    store_word(data, 68, 120);
}

/* Cable and place of a drive; a serial one has neither, but speeds (Serial ATA specification
 * 13.2.1). */
static void store_interface(const IdeDrive *drive, uint8_t *data) {
    if (drive->channel->serial) {
        bool queues = drive->kind == IDE_DRIVE_DISK;
        store_word(data, 75, queues ? IDE_QUEUE_DEPTH - 1 : 0);
        store_word(data, 76, queues ? 0x0106 : 0x0006); /* 1.5 and 3 Gb/s, queues commands */
        store_word(data, 93, 0);
        if (queues) {
            store_word(data, 105, TRIM_BLOCKS);
            store_word(data, 169, 1); /* TRIM */
        }
    } else {
        store_word(data, 93, drive == &drive->channel->drives[0] ? 0x6001 : 0x6100);
    }
}

static void store_disk_size(const IdeDrive *drive, uint8_t *data) {
    const IdeDriveState *state = drive->state;
    const IdeGeometry *geometry = &drive->geometry;
    store_word(data, 1, geometry->cylinders);
    store_word(data, 3, geometry->heads);
    store_word(data, 4, IDE_SECTOR_BYTES * geometry->sectors);
    store_word(data, 5, IDE_SECTOR_BYTES);
    store_word(data, 6, geometry->sectors);
    uint64_t track = (uint64_t)state->current_heads * state->current_sectors;
    uint64_t sectors = ide_disk_sectors(drive);
    uint64_t cylinders = track != 0 ? sectors / track : 0;
    if (cylinders > 65535)
        cylinders = 65535;
    store_word(data, 54, (uint32_t)cylinders);
    store_word(data, 55, state->current_heads);
    store_word(data, 56, state->current_sectors);
    store_two_words(data, 57, (uint32_t)(cylinders * track));
    store_two_words(data, 60,
                    sectors > LBA28_SECTORS_MAXIMUM ? LBA28_SECTORS_MAXIMUM : (uint32_t)sectors);
    store_le64(data + 100 * 2, sectors);
}

void ide_identify_disk(const IdeDrive *drive, uint8_t *data) {
    const IdeDriveState *state = drive->state;
    bool has_dma = drive->channel->bus_master.transfer != NULL;
    memset(data, 0, IDE_SECTOR_BYTES);
    store_word(data, 0, 0x0040); /* fixed disk */
    store_word(data, 2, 0xC837); /* needs no command to spin up, and all of this is complete */
    store_disk_size(drive, data);
    store_text(data, 10, 10, drive->serial);
    store_word(data, 20, 3); /* buffer: dual ported, caching; its sectors; ECC bytes */
    store_word(data, 21, IDE_SECTOR_BYTES);
    store_word(data, 22, 4);
    store_text(data, 23, 4, FIRMWARE_REVISION);
    store_text(data, 27, 20, drive->model);
    store_word(data, 47, 0x8000 | IDE_MULTIPLE_MAXIMUM);
    store_word(data, 48, 1);                               /* 32-bit data register */
    store_word(data, 49, 0x2E00 | (has_dma ? 0x0100 : 0)); /* standby timer, LBA, IORDY */
    store_word(data, 50, 0x4000);
    store_word(data, 51, 0x0200);
    store_word(data, 52, 0x0200);
    store_word(data, 59, 0x0100 | state->multiple);
    store_transfer_modes(drive, data);
    store_word(data, 80, 0x00F0); /* ATA-4 to ATA-7 */
    store_word(data, 81, 0x001D); /* ATA-7 as it was published */
    /* NOP, buffer, hidden area, look-ahead, write cache, power management, SMART */
    store_word(data, 82, 0x7469);
    store_word(data, 83, 0x7400); /* FLUSH CACHE (EXT), 48-bit addresses */
    /* Logs (of SMART and others), self-tests, writes that pass the cache. */
    store_word(data, 84, 0x4063);
    store_word(data, 85,
               0x7408 | (state->look_ahead ? 0x40 : 0) | (state->write_cache ? 0x20 : 0) |
                   (state->smart ? 1 : 0));
    store_word(data, 86, 0x3400);
    store_word(data, 87, 0x4063);
    store_interface(drive, data);
    data[510] = 0xA5; /* there is a checksum */
    ide_store_checksum(data);
}

void ide_identify_cdrom(const IdeDrive *drive, uint8_t *data) {
    bool has_dma = drive->channel->bus_master.transfer != NULL;
    memset(data, 0, IDE_SECTOR_BYTES);
    store_word(data, 0, 0x85C0); /* packet device, CD-ROM, removable, answers in 50 us, 12 bytes */
    store_text(data, 10, 10, drive->serial);
    store_word(data, 20, 3);
    store_word(data, 21, IDE_SECTOR_BYTES);
    store_word(data, 22, 4);
    store_text(data, 23, 4, FIRMWARE_REVISION);
    store_text(data, 27, 20, drive->model);
    store_word(data, 48, 1);
    store_word(data, 49, 0x0E00 | (has_dma ? 0x0100 : 0));
    store_word(data, 51, 0x0200);
    store_transfer_modes(drive, data);
    store_word(data, 71, 30); /* typical us from packet to bus release, and from SERVICE to ready */
    store_word(data, 72, 30);
    store_word(data, 80, 0x001E); /* ATA-1 to ATA/ATAPI-4 */
    store_word(data, 82, 0x4210); /* NOP, DEVICE RESET, PACKET */
    store_word(data, 83, 0x4000);
    store_word(data, 85, 0x4210);
    store_word(data, 87, 0x4000);
    store_interface(drive, data);
    data[510] = 0xA5; /* there is a checksum */
    ide_store_checksum(data);
}
