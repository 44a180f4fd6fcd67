/* What the CD-ROM drive tells of itself and of its disc: a single session with one track of data
 * (MMC-3, chapters 5 and 6). Numbers in packets are big-endian. */
#include "cd_sector.h"
#include "ide_internal.h"
#include <string.h>

#define DATA_TRACK 0x14 /* ADR 1, control 4 */
#define LEAD_OUT_TRACK 0xAA
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

/* A four-byte address in the form that the packet asks for. */
static void store_address(uint8_t *data, uint32_t lba, bool as_msf) {
    if (as_msf)
        cd_store_msf(data + 1, lba);
    else
        store_32(data, lba);
}

static uint32_t disc_sectors(const IdeDrive *drive) {
    return drive->sectors > UINT32_MAX ? UINT32_MAX : (uint32_t)drive->sectors;
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
    store_32(data, disc_sectors(drive) - 1);
    store_32(data + 4, CD_SECTOR_BYTES);
    return 8;
}

static size_t error_recovery_page(const IdeDrive *drive, uint8_t *page) {
    (void)drive;
    page[0] = 0x01;
    page[1] = 6;
    page[3] = 5; /* retries */
    return 8;
}

static size_t audio_control_page(const IdeDrive *drive, uint8_t *page) {
    (void)drive;
    page[0] = 0x0E;
    page[1] = 14;
    page[2] = 0x04; /* play returns at once */
    page[7] = 75;
    page[8] = 0x01; /* port 0: channel 0, full volume; port 1: channel 1 */
    page[9] = 0xFF;
    page[10] = 0x02;
    page[11] = 0xFF;
    return 16;
}

static size_t capabilities_page(const IdeDrive *drive, uint8_t *page) {
    page[0] = 0x2A;
    page[1] = 18;
    page[2] = 0x3B; /* reads CD-R, CD-RW, DVD-ROM, DVD-R */
    page[4] = 0x70; /* reads mode 2 and several sessions */
    page[6] = 0x29 | (drive->state->cdrom.tray_locked ? 2 : 0); /* a tray; ejects and locks */
    store_16(page + 8, SPEED_KB);
    store_16(page + 10, 2);
    store_16(page + 12, 512); /* KB of buffer */
    store_16(page + 14, SPEED_KB);
    return 20;
}

size_t ide_cdrom_mode_sense(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    static const struct {
        uint8_t code;
        size_t (*store)(const IdeDrive *drive, uint8_t *page);
    } pages[] = {
        {0x01, error_recovery_page}, {0x0E, audio_control_page}, {0x2A, capabilities_page}};
    uint8_t wanted = packet[2] & 0x3F;
    size_t size = 8;
    if (packet[2] >> 6 == 3)
        return 0; /* nothing was saved */
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (wanted != 0x3F && wanted != pages[i].code)
            continue;
        size_t page_size = pages[i].store(drive, data + size);
        if (packet[2] >> 6 == 1) /* which bits can be changed: none */
            memset(data + size + 2, 0, page_size - 2);
        size += page_size;
    }
    if (size == 8)
        return 0;
    store_16(data, (uint32_t)size - 2);
    data[2] = !ide_cdrom_is_ready(drive) ? (drive->state->cdrom.tray_open ? 0x71 : 0x70) : 0x01;
    return size;
}

static size_t store_track(uint8_t *data, uint8_t track, uint32_t lba, bool as_msf) {
    data[1] = DATA_TRACK;
    data[2] = track;
    store_address(data + 4, lba, as_msf);
    return 8;
}

/* A row of the full table of contents: session, ADR/control, TNO, point, then zeros and the point's
 * address in MSF. */
static size_t store_point(uint8_t *data, uint8_t point, uint8_t a, uint8_t b, uint8_t c) {
    data[0] = 1;
    data[1] = DATA_TRACK;
    data[3] = point;
    data[8] = a;
    data[9] = b;
    data[10] = c;
    return 11;
}

static size_t store_full_toc(const IdeDrive *drive, uint8_t *data) {
    uint8_t end[3], start[3];
    cd_store_msf(end, disc_sectors(drive));
    cd_store_msf(start, 0);
    size_t size = 4;
    size += store_point(data + size, 0xA0, 1, 0, 0); /* the first track, the last, the lead-out */
    size += store_point(data + size, 0xA1, 1, 0, 0);
    size += store_point(data + size, 0xA2, end[0], end[1], end[2]);
    size += store_point(data + size, 0x01, start[0], start[1], start[2]);
    return size;
}

size_t ide_cdrom_read_toc(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    bool as_msf = (packet[1] & 2) != 0;
    uint8_t first = packet[6], format = packet[2] & 0x0F;
    size_t size = 4;
    if (format == 0)
        format = packet[9] >> 6; /* where SFF-8020i has it */
    data[2] = data[3] = 1;       /* first and last track or session */
    switch (format) {
    case 0:
        if (first > 1 && first != LEAD_OUT_TRACK)
            return 0;
        if (first <= 1)
            size += store_track(data + size, 1, 0, as_msf);
        size += store_track(data + size, LEAD_OUT_TRACK, disc_sectors(drive), as_msf);
        break;
    case 1:
        size += store_track(data + size, 1, 0, as_msf);
        break;
    case 2:
        size = store_full_toc(drive, data);
        break;
    default:
        return 0;
    }
    store_16(data, (uint32_t)size - 2);
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

size_t ide_cdrom_disc_information(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    (void)drive;
    if ((packet[1] & 7) != 0)
        return 0;
    store_16(data, 32);
    data[2] = 0x0E; /* a complete disc, its last session complete */
    data[3] = 1;    /* first track; sessions; first and last track of the last session */
    data[4] = 1;
    data[5] = 1;
    data[6] = 1;
    data[7] = 0x20; /* no restrictions of use */
    memset(data + 16, 0xFF, 8);
    return 34;
}

size_t ide_cdrom_track_information(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    uint32_t address = (uint32_t)packet[2] << 24 | packet[3] << 16 | packet[4] << 8 | packet[5];
    unsigned kind = packet[1] & 3; /* the address is a sector, a track or a session */
    if ((kind == 0 && address >= disc_sectors(drive)) || (kind != 0 && address != 1) || kind == 3)
        return 0;
    store_16(data, 34);
    data[2] = 1; /* track, session */
    data[3] = 1;
    data[5] = 4; /* a data track, in mode 1 */
    data[6] = 1;
    store_32(data + 24, disc_sectors(drive));
    return 36;
}

size_t ide_cdrom_mechanism_status(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    (void)packet;
    data[1] = drive->state->cdrom.tray_open ? 0x10 : 0;
    data[5] = 1; /* one slot, no table of it */
    return 8;
}

size_t ide_cdrom_read_subchannel(const IdeDrive *drive, const uint8_t *packet, uint8_t *data) {
    (void)drive;
    bool as_msf = (packet[1] & 2) != 0, wants_q = (packet[2] & 0x40) != 0;
    data[1] = 0x15; /* no audio is played */
    if (!wants_q)
        return 4;
    data[4] = packet[3];
    switch (packet[3]) {
    case 1: /* where the head is: at the start */
        data[3] = 12;
        data[5] = DATA_TRACK;
        data[6] = 1;
        data[7] = 1;
        store_address(data + 8, 0, as_msf);
        return 16;
    case 2: /* catalogue number, recording code: none */
    case 3:
        data[3] = 20;
        return 24;
    }
    return 0;
}
