/* What the CD-ROM drive tells of itself and of the size of its disc (MMC-3, chapters 5 and 6).
 * Numbers in packets are big-endian. */
#include "cd_sector.h"
#include "ide_internal.h"
#include <stddef.h>
#include <string.h>

#define DATA_TRACK 0x14           /* ADR 1, control 4 */
#define CD_SECTORS_MAXIMUM 449849 /* 99:59:74 holds less; what is larger is a DVD */
#define SPEED_KB 2824             /* 16 times 176.4 KB/s */

static void store_16(uint8_t *data, uint32_t value) {
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

static void store_32(uint8_t *data, uint32_t value) {
    store_16(data, value >> 16);
    store_16(data + 2, value);
}

size_t ide_cdrom_inquiry(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    static const char names[] = "QEMU    QEMU DVD-ROM    2.5+"; /* vendor, product, revision */
    (void)drive;
    if ((packet[1] & 3) != 0 || packet[2] != 0)
        return 0;   /* no vital product data */
    data[0] = 0x05; /* CD-ROM */
    data[1] = 0x80; /* removable */
    data[3] = 0x21; /* ATAPI version 2 */
    data[4] = 31;
    memcpy(data + 8, names, sizeof(names) - 1);
    return 36;
}

size_t ide_cdrom_read_capacity(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    (void)packet;
    store_32(data, ide_cdrom_sectors(drive) - 1);
    store_32(data + 4, CD_SECTOR_BYTES);
    return 8;
}

static size_t error_recovery_page(const IdeDrive *drive, uint8_t *page) {
    page[0] = 0x01;
    page[1] = 6;
    page[2] = drive->state->cdrom.recovery_flags;
    page[3] = drive->state->cdrom.retries;
    return 8;
}

static size_t device_parameters_page(const IdeDrive *drive, uint8_t *page) {
    page[0] = 0x0D;
    page[1] = 6;
    page[3] = drive->state->cdrom.inactivity;
    store_16(page + 4, 60); /* seconds a minute, frames a second */
    store_16(page + 6, 75);
    return 8;
}

static size_t audio_control_page(const IdeDrive *drive, uint8_t *page) {
    page[0] = 0x0E;
    page[1] = 14;
    page[2] = 0x04; /* play returns at once */
    page[7] = 75;
    memcpy(page + 8, drive->state->cdrom.audio_ports, sizeof(drive->state->cdrom.audio_ports));
    return 16;
}

static size_t capabilities_page(const IdeDrive *drive, uint8_t *page) {
    page[0] = 0x2A;
    page[1] = 18;
    page[2] = 0x3B; /* reads CD-R, CD-RW, DVD-ROM, DVD-R */
    page[4] = 0x71; /* plays audio, reads mode 2 and several sessions */
    page[5] = 0x03; /* and audio as data, from anywhere */
    page[6] = 0x29 | (drive->state->cdrom.tray_locked ? 2 : 0); /* a tray; ejects and locks */
    store_16(page + 8, SPEED_KB);
    store_16(page + 10, 2);
    store_16(page + 12, 512); /* KB of buffer */
    store_16(page + 14, SPEED_KB);
    return 20;
}

/* Which bits of the pages MODE SELECT can change, and what they are after a reset. */
typedef struct ModeBytes {
    uint8_t page, first, count;
    uint8_t mask;
    size_t at; /* in the CdromState */
    uint8_t defaults[8];
} ModeBytes;

static const ModeBytes mode_bytes[] = {
    {0x01, 2, 1, 0x37, offsetof(CdromState, recovery_flags), {0}},
    {0x01, 3, 1, 0xFF, offsetof(CdromState, retries), {5}},
    {0x0D, 3, 1, 0x0F, offsetof(CdromState, inactivity), {0}},
    /* Port 0: channel 0, full volume; port 1: channel 1. */
    {0x0E, 8, 8, 0xFF, offsetof(CdromState, audio_ports), {1, 0xFF, 2, 0xFF}},
};
#define MODE_ROWS (sizeof(mode_bytes) / sizeof(mode_bytes[0]))

void ide_cdrom_reset_modes(CdromState *cdrom) {
    for (size_t i = 0; i < MODE_ROWS; i++)
        memcpy((uint8_t *)cdrom + mode_bytes[i].at, mode_bytes[i].defaults, mode_bytes[i].count);
}

static void store_changeable(uint8_t *page, size_t size) {
    memset(page + 2, 0, size - 2);
    for (size_t i = 0; i < MODE_ROWS; i++)
        if (mode_bytes[i].page == page[0])
            memset(page + mode_bytes[i].first, mode_bytes[i].mask, mode_bytes[i].count);
}

static void store_default(uint8_t *page) {
    for (size_t i = 0; i < MODE_ROWS; i++)
        if (mode_bytes[i].page == page[0])
            memcpy(page + mode_bytes[i].first, mode_bytes[i].defaults, mode_bytes[i].count);
}

bool ide_cdrom_take_modes(CdromState *cdrom, const uint8_t *data, size_t size) {
    size_t at = size >= 8 ? 8 + ((size_t)data[6] << 8 | data[7]) : size; /* after descriptors */
    while (at + 2 <= size) {
        const uint8_t *page = data + at;
        size_t page_bytes = 2u + page[1];
        bool known = false;
        if (at + page_bytes > size)
            return false;
        for (size_t i = 0; i < MODE_ROWS; i++) {
            const ModeBytes *row = &mode_bytes[i];
            if (row->page != (page[0] & 0x3F) || row->first + row->count > page_bytes)
                continue;
            for (unsigned k = 0; k < row->count; k++)
                ((uint8_t *)cdrom)[row->at + k] = page[row->first + k] & row->mask;
            known = true;
        }
        if (!known && (page[0] & 0x3F) != 0x2A)
            return false;
        at += page_bytes;
    }
    return true;
}

size_t ide_cdrom_mode_sense(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    static const struct {
        uint8_t code;
        size_t (*store)(const IdeDrive *drive, uint8_t *page);
    } pages[] = {{0x01, error_recovery_page},
                 {0x0D, device_parameters_page},
                 {0x0E, audio_control_page},
                 {0x2A, capabilities_page}};
    uint8_t wanted = packet[2] & 0x3F;
    size_t size = 8;
    if (packet[2] >> 6 == 3)
        return 0; /* nothing was saved */
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (wanted != 0x3F && wanted != pages[i].code)
            continue;
        size_t page_size = pages[i].store(drive, data + size);
        if (packet[2] >> 6 == 1) /* which bits can be changed */
            store_changeable(data + size, page_size);
        else if (packet[2] >> 6 == 2)
            store_default(data + size);
        size += page_size;
    }
    if (size == 8)
        return 0;
    store_16(data, (uint32_t)size - 2);
    data[2] = !ide_cdrom_is_ready(drive) ? (drive->state->cdrom.tray_open ? 0x71 : 0x70) : 0x01;
    return size;
}

/* Features of the drive (MMC-3, 5.3). Code, version and flags, then the data. */
#define FEATURE_DATA_MAXIMUM 8
typedef struct Feature {
    uint16_t code;
    uint8_t flags; /* version << 2 | persistent << 1 | current */
    uint8_t size;
    uint8_t data[FEATURE_DATA_MAXIMUM];
} Feature;

/* clang-format off */
static const Feature features[] = {
    {0x0000, 0x03, 8, {0x00, 0x10, 0, 0, 0x00, 0x08, 0, 0}}, /* profiles: DVD-ROM, CD-ROM */
    {0x0001, 0x07, 8, {0, 0, 0, 2, 1, 0, 0, 0}},             /* core: ATAPI */
    {0x0002, 0x07, 4, {0x02, 0, 0, 0}},                      /* morphing: tells of events */
    {0x0003, 0x03, 4, {0x29, 0, 0, 0}},                      /* a tray, ejects, locks */
    {0x0010, 0x01, 8, {0, 0, 0x08, 0, 0, 1, 0, 0}},          /* random readable, 2048 bytes */
    {0x001E, 0x08, 4, {0, 0, 0, 0}},                         /* reads CDs */
    {0x001F, 0x00, 0, {0}},                                  /* reads DVDs */
};
/* clang-format on */

#define PROFILE_DVD_ROM 0x10
#define PROFILE_CD_ROM 0x08

static unsigned current_profile(const IdeDrive *drive) {
    if (!ide_cdrom_is_ready(drive))
        return 0;
    return drive->sectors > CD_SECTORS_MAXIMUM ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static bool feature_is_current(const Feature *feature, unsigned profile) {
    if (feature->code == 0x001E)
        return profile == PROFILE_CD_ROM;
    if (feature->code == 0x001F)
        return profile == PROFILE_DVD_ROM;
    return feature->code != 0x0010 || profile != 0;
}

static size_t store_feature(const Feature *feature, unsigned profile, uint8_t *data) {
    store_16(data, feature->code);
    data[2] = (uint8_t)((feature->flags & ~1) | feature_is_current(feature, profile));
    data[3] = feature->size;
    memcpy(data + 4, feature->data, feature->size);
    if (feature->code == 0x0000) {
        data[6] = profile == PROFILE_DVD_ROM;
        data[10] = profile == PROFILE_CD_ROM;
    }
    return 4u + feature->size;
}

size_t ide_cdrom_get_configuration(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    enum { ALL = 0, CURRENT = 1, ONE = 2 };
    unsigned which = packet[1] & 3, first = (unsigned)packet[2] << 8 | packet[3];
    unsigned profile = current_profile(drive);
    size_t size = 8;
    if (which == 3)
        return 0;
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        const Feature *feature = &features[i];
        bool wanted = which == ONE ? feature->code == first : feature->code >= first;
        if (wanted && (which != CURRENT || feature_is_current(feature, profile)))
            size += store_feature(feature, profile, data + size);
    }
    store_32(data, (uint32_t)size - 4);
    store_16(data + 6, profile);
    return size;
}

size_t ide_cdrom_mechanism_status(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    (void)packet;
    data[1] = drive->state->cdrom.tray_open ? 0x10 : 0;
    data[5] = 1; /* one slot, no table of it */
    return 8;
}
