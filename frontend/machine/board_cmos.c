/* What a BIOS finds in the battery-backed RAM. (Ralf Brown's CMOS memory map; SeaBIOS's reading of
 * it.) */
#include "board_parts.h"
#include "i82077.h"
#include "ide.h"
#include "machine_parts.h"
#include "mc146818.h"

#include <string.h>

enum {
    CMOS_FLOPPY_TYPES = 0x10,
    CMOS_DISK_TYPES = 0x12,
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_MEMORY = 0x15,
    CMOS_EXTENDED_MEMORY = 0x17,
    CMOS_DISK_EXTENDED_TYPES = 0x19,
    CMOS_DISK_GEOMETRY = 0x1B,
    CMOS_EXTENDED_MEMORY_FOUND = 0x30,
    CMOS_MEMORY_ABOVE_16M = 0x34,
    CMOS_BOOT_THIRD = 0x38,
    CMOS_DISK_TRANSLATION = 0x39,
    CMOS_BOOT_ORDER = 0x3D,
    CMOS_CPUS = 0x5F,
};

#define CMOS_GEOMETRY_BYTES 9
#define DISK_TYPE_EXTENDED 0xF /* the real type is in the extended byte */
#define DISK_TYPE_USER 47

static void set_word(Board *board, unsigned index, uint64_t value) {
    uint16_t word = value > 0xFFFF ? 0xFFFF : (uint16_t)value;
    mc146818_set_cmos(board->rtc, index, (uint8_t)word);
    mc146818_set_cmos(board->rtc, index + 1, (uint8_t)(word >> 8));
}

static void fill_memory(Board *board) {
    uint64_t ram = board->machine->config.ram_bytes;
    uint64_t above_1m = ram > (1 << 20) ? ram - (1 << 20) : 0;
    uint64_t above_16m = ram > (16 << 20) ? ram - (16 << 20) : 0;
    set_word(board, CMOS_BASE_MEMORY, 640);
    set_word(board, CMOS_EXTENDED_MEMORY, above_1m >> 10);
    set_word(board, CMOS_EXTENDED_MEMORY_FOUND, above_1m >> 10);
    set_word(board, CMOS_MEMORY_ABOVE_16M, above_16m >> 16);
}

static void fill_floppies(Board *board) {
    unsigned types[2], count = 0;
    for (unsigned i = 0; i < 2; i++) {
        types[i] = i82077_drive_type(board->floppy, i);
        count += types[i] != FLOPPY_DRIVE_NONE;
    }
    mc146818_set_cmos(board->rtc, CMOS_FLOPPY_TYPES, (uint8_t)(types[0] << 4 | types[1]));
    /* Bit 0: a floppy drive is there, bits 7:6 how many besides; bit 1: FPU; bit 2: PS/2 mouse. */
    uint8_t equipment = 0x06;
    if (count > 0)
        equipment |= (uint8_t)(0x01 | (count - 1) << 6);
    mc146818_set_cmos(board->rtc, CMOS_EQUIPMENT, equipment);
}

/* Cylinders, heads, write precompensation, control, landing zone, sectors: the user-defined type of
 * AT BIOSes. */
static void fill_disk(Board *board, unsigned disk, const IdeGeometry *geometry) {
    unsigned base = CMOS_DISK_GEOMETRY + disk * CMOS_GEOMETRY_BYTES;
    uint8_t types = mc146818_cmos(board->rtc, CMOS_DISK_TYPES);
    types |= (uint8_t)(DISK_TYPE_EXTENDED << (disk == 0 ? 4 : 0));
    mc146818_set_cmos(board->rtc, CMOS_DISK_TYPES, types);
    mc146818_set_cmos(board->rtc, CMOS_DISK_EXTENDED_TYPES + disk, DISK_TYPE_USER);
    set_word(board, base, geometry->cylinders);
    mc146818_set_cmos(board->rtc, base + 2, (uint8_t)geometry->heads);
    set_word(board, base + 3, 0xFFFF);
    mc146818_set_cmos(board->rtc, base + 5, geometry->heads > 8 ? 0xC8 : 0xC0);
    set_word(board, base + 6, geometry->cylinders);
    mc146818_set_cmos(board->rtc, base + 8, (uint8_t)geometry->sectors);
}

static void fill_disks(Board *board) {
    unsigned translation = 0;
    mc146818_set_cmos(board->rtc, CMOS_DISK_TYPES, 0);
    for (unsigned i = 0; i < MACHINE_IDE_DRIVES; i++) {
        IdeGeometry geometry = ide_channel_geometry(board->ide_channel[i / 2], i % 2);
        if (geometry.cylinders == 0)
            continue;
        if (i < 2)
            fill_disk(board, i, &geometry);
        translation |= (unsigned)geometry.translation << (2 * i);
    }
    mc146818_set_cmos(board->rtc, CMOS_DISK_TRANSLATION, (uint8_t)translation);
}

/* Three places in the order of boot, each 1 floppy, 2 disk, 3 CD, 4 network. */
static void fill_boot_order(Board *board, const char *order) {
    static const char letters[] = "acdn";
    unsigned places[3] = {0};
    if (order == NULL)
        order = "cad";
    for (unsigned i = 0; i < 3 && order[i] != '\0'; i++) {
        const char *found = strchr(letters, order[i]);
        places[i] = found != NULL ? (unsigned)(found - letters) + 1 : 0;
    }
    mc146818_set_cmos(board->rtc, CMOS_BOOT_ORDER, (uint8_t)(places[0] | places[1] << 4));
    /* Bit 0: do not refuse floppies without the boot signature; many old ones lack it. */
    mc146818_set_cmos(board->rtc, CMOS_BOOT_THIRD, (uint8_t)(places[2] << 4 | 1));
}

void board_fill_cmos(Board *board) {
    fill_memory(board);
    fill_floppies(board);
    fill_disks(board);
    const MachineConfig *config = &board->machine->config;
    fill_boot_order(board, config->boot_once != NULL ? config->boot_once : config->boot_order);
    mc146818_set_cmos(board->rtc, CMOS_CPUS, (uint8_t)(board->machine->config.processors - 1));
}

void board_end_boot_once(Board *board) {
    const MachineConfig *config = &board->machine->config;
    if (config->boot_once != NULL)
        fill_boot_order(board, config->boot_order);
}
