#include "floppy_format.h"
#include "little_endian.h"

/* Double density needs 250 kbit/s in a drive that turns 300 times a minute and 300 kbit/s in a 1.2M
 * drive, which turns 360 times; firmware tries either. */
#define DOUBLE_DENSITY_525 (1 << FLOPPY_RATE_300K | 1 << FLOPPY_RATE_250K)
#define DOUBLE_DENSITY_35 (1 << FLOPPY_RATE_250K)
#define HIGH_DENSITY (1 << FLOPPY_RATE_500K)
#define EXTRA_DENSITY (1 << FLOPPY_RATE_1M)

/* clang-format off */
static const FloppyFormat formats[] = {
    /* drive              cyl heads sec  rates                    size */
    {FLOPPY_DRIVE_1200K,   40,  1,   8,  DOUBLE_DENSITY_525}, /*  160K */
    {FLOPPY_DRIVE_1200K,   40,  1,   9,  DOUBLE_DENSITY_525}, /*  180K */
    {FLOPPY_DRIVE_1200K,   40,  2,   8,  DOUBLE_DENSITY_525}, /*  320K */
    {FLOPPY_DRIVE_1200K,   40,  2,   9,  DOUBLE_DENSITY_525}, /*  360K */
    {FLOPPY_DRIVE_1200K,   41,  2,  10,  DOUBLE_DENSITY_525}, /*  410K */
    {FLOPPY_DRIVE_1200K,   42,  2,  10,  DOUBLE_DENSITY_525}, /*  420K */
    {FLOPPY_DRIVE_1440K,   80,  2,   8,  DOUBLE_DENSITY_35},  /*  640K */
    {FLOPPY_DRIVE_1440K,   80,  2,   9,  DOUBLE_DENSITY_35},  /*  720K */
    {FLOPPY_DRIVE_1440K,   80,  2,  10,  DOUBLE_DENSITY_35},  /*  800K */
    {FLOPPY_DRIVE_1440K,   82,  2,  10,  DOUBLE_DENSITY_35},  /*  820K */
    {FLOPPY_DRIVE_1440K,   83,  2,  10,  DOUBLE_DENSITY_35},  /*  830K */
    {FLOPPY_DRIVE_1440K,   80,  2,  13,  DOUBLE_DENSITY_35},  /* 1040K */
    {FLOPPY_DRIVE_1440K,   80,  2,  14,  DOUBLE_DENSITY_35},  /* 1120K */
    {FLOPPY_DRIVE_1200K,   80,  2,  15,  HIGH_DENSITY},       /*  1.2M */
    {FLOPPY_DRIVE_1440K,   80,  2,  18,  HIGH_DENSITY},       /* 1.44M */
    {FLOPPY_DRIVE_1440K,   82,  2,  18,  HIGH_DENSITY},       /* 1476K */
    {FLOPPY_DRIVE_1440K,   83,  2,  18,  HIGH_DENSITY},       /* 1494K */
    {FLOPPY_DRIVE_1440K,   80,  2,  20,  HIGH_DENSITY},       /*  1.6M */
    {FLOPPY_DRIVE_1440K,   80,  2,  21,  HIGH_DENSITY},       /* 1.68M */
    {FLOPPY_DRIVE_1440K,   82,  2,  21,  HIGH_DENSITY},       /* 1.72M */
    {FLOPPY_DRIVE_1440K,   83,  2,  21,  HIGH_DENSITY},       /* 1743K */
    {FLOPPY_DRIVE_1440K,   80,  2,  22,  HIGH_DENSITY},       /* 1.76M */
    {FLOPPY_DRIVE_1440K,   80,  2,  23,  HIGH_DENSITY},       /* 1.84M */
    {FLOPPY_DRIVE_1440K,   80,  2,  24,  HIGH_DENSITY},       /* 1.92M */
    {FLOPPY_DRIVE_2880K,   80,  2,  36,  EXTRA_DENSITY},      /* 2.88M */
    {FLOPPY_DRIVE_2880K,   80,  2,  39,  EXTRA_DENSITY},      /* 3.12M */
    {FLOPPY_DRIVE_2880K,   80,  2,  40,  EXTRA_DENSITY},      /*  3.2M */
    {FLOPPY_DRIVE_2880K,   80,  2,  44,  EXTRA_DENSITY},      /* 3.52M */
    {FLOPPY_DRIVE_2880K,   80,  2,  48,  EXTRA_DENSITY},      /* 3.84M */
};
/* clang-format on */

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))
#define HIGH_DENSITY_SECTORS_MAXIMUM 24

uint64_t floppy_format_bytes(const FloppyFormat *format) {
    return (uint64_t)format->cylinders * format->heads * format->sectors * FLOPPY_SECTOR_BYTES;
}

/* Reads the DOS parameter block (sectors a track at 18h, heads at 1Ah, total sectors at 13h), if
 * the boot sector has one that can be true of this image. */
static bool format_from_boot_sector(BlockNode *image, FloppyFormat *format) {
    uint8_t boot[FLOPPY_SECTOR_BYTES];
    if (!block_read(image, 0, boot, sizeof(boot), NULL))
        return false;
    unsigned bytes = load_le16(boot + 0x0B), total = load_le16(boot + 0x13);
    unsigned sectors = load_le16(boot + 0x18), heads = load_le16(boot + 0x1A);
    if (bytes != FLOPPY_SECTOR_BYTES || sectors == 0 || sectors > 48 || heads == 0 || heads > 2)
        return false;
    unsigned cylinders = (total + sectors * heads - 1) / (sectors * heads);
    bool covers = (uint64_t)total * FLOPPY_SECTOR_BYTES >= block_length(image);
    if (cylinders < 35 || cylinders > 85 || !covers)
        return false;
    bool is_525 = cylinders <= 42;
    bool is_high = sectors > 14;
    *format = (FloppyFormat){
        .drive_type = is_525 ? FLOPPY_DRIVE_1200K : FLOPPY_DRIVE_1440K,
        .cylinders = (uint8_t)cylinders,
        .heads = (uint8_t)heads,
        .sectors = (uint8_t)sectors,
        .rates = is_high  ? HIGH_DENSITY
                 : is_525 ? DOUBLE_DENSITY_525
                          : DOUBLE_DENSITY_35,
    };
    if (sectors > HIGH_DENSITY_SECTORS_MAXIMUM) {
        format->drive_type = FLOPPY_DRIVE_2880K;
        format->rates = EXTRA_DENSITY;
    }
    return true;
}

bool floppy_format_guess(BlockNode *image, FloppyFormat *format, Error *error) {
    uint64_t length = block_length(image);
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (floppy_format_bytes(&formats[i]) == length) {
            *format = formats[i];
            return true;
        }
    }
    if (format_from_boot_sector(image, format))
        return true;
    /* A boot image that stops after its last used sector: the rest of the diskette is blank. */
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        bool common = formats[i].sectors == 18 || formats[i].sectors == 21 ||
                      formats[i].drive_type == FLOPPY_DRIVE_2880K;
        if (common && floppy_format_bytes(&formats[i]) >= length) {
            *format = formats[i];
            return true;
        }
    }
    return error_set(
        error,
        "%s: is too large for a floppy (%llu bytes, at most 3932160); use it as a hard "
        "disk (-hda)",
        block_path(image), (unsigned long long)length);
}
