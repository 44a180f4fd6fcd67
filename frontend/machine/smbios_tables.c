#include "smbios_tables.h"
#include "little_endian.h"

#include <assert.h>
#include <string.h>

/* Handles, by which structures refer to each other: as QEMU numbers them. */
enum {
    HANDLE_BIOS = 0x0000,
    HANDLE_SYSTEM = 0x0100,
    HANDLE_BOARD = 0x0200,
    HANDLE_CHASSIS = 0x0300,
    HANDLE_PROCESSOR = 0x0400,
    HANDLE_OEM_STRINGS = 0x0E00,
    HANDLE_MEMORY_ARRAY = 0x1000,
    HANDLE_MEMORY_DEVICE = 0x1100,
    HANDLE_MEMORY_MAP = 0x1300,
    HANDLE_BOOT = 0x2000,
    HANDLE_END = 0x7F00,
    HANDLE_NONE = 0xFFFF,
    HANDLE_NO_ERROR = 0xFFFE,
};

/* Codes that several structures share. */
enum { CODE_OTHER = 1, CODE_UNKNOWN = 2, STATE_SAFE = 3 };

static const char *const usual_texts[SMBIOS_TEXTS] = {
    [SMBIOS_BIOS_VENDOR] = "SeaBIOS",
    [SMBIOS_BIOS_DATE] = "04/01/2014",
    [SMBIOS_SYSTEM_MANUFACTURER] = "Reprise",
    [SMBIOS_SYSTEM_PRODUCT] = "Standard PC (i440FX + PIIX, 1996)",
    [SMBIOS_BOARD_MANUFACTURER] = "Reprise",
    [SMBIOS_BOARD_PRODUCT] = "Standard PC (i440FX + PIIX, 1996)",
    [SMBIOS_CHASSIS_MANUFACTURER] = "Reprise",
    [SMBIOS_PROCESSOR_SOCKET] = "CPU",
    [SMBIOS_PROCESSOR_MANUFACTURER] = "Reprise",
    [SMBIOS_MEMORY_LOCATOR] = "DIMM",
    [SMBIOS_MEMORY_MANUFACTURER] = "Reprise",
};

/* Texts that name the machine's version unless somebody says otherwise. */
static bool is_version(SmbiosText text) {
    return text == SMBIOS_SYSTEM_VERSION || text == SMBIOS_BOARD_VERSION ||
           text == SMBIOS_CHASSIS_VERSION || text == SMBIOS_PROCESSOR_VERSION;
}

typedef struct Builder {
    const SmbiosConfig *config;
    const SmbiosMachine *machine;
    ByteBuffer *tables;
    size_t start;       /* of the structure that is being made */
    ByteBuffer strings; /* that follow it */
    unsigned string_count;
    unsigned count; /* of structures */
    size_t largest;
} Builder;

static void put(Builder *builder, uint64_t value, unsigned bytes) {
    byte_buffer_append_le(builder->tables, value, bytes);
}

static void begin(Builder *builder, uint8_t type, uint16_t handle) {
    builder->start = builder->tables->size;
    builder->strings.size = 0;
    builder->string_count = 0;
    put(builder, type, 1);
    put(builder, 0, 1); /* length: at the end */
    put(builder, handle, 2);
}

/* Texts follow the structure's formatted part, which has their numbers, from 1 on; 0 is none. */
static void put_string(Builder *builder, const char *text, unsigned number) {
    if (text == NULL || *text == '\0') {
        put(builder, 0, 1);
        return;
    }
    byte_buffer_append(&builder->strings, text, strlen(text));
    if (number != UINT32_MAX) { /* sockets are numbered */
        const uint8_t suffix[2] = {' ', (uint8_t)('0' + number)};
        byte_buffer_append(&builder->strings, suffix, sizeof(suffix));
    }
    byte_buffer_append(&builder->strings, "", 1);
    put(builder, ++builder->string_count, 1);
}

static void put_text(Builder *builder, SmbiosText text) {
    const char *chosen = builder->config->text[text];
    if (chosen == NULL)
        chosen = is_version(text) ? builder->machine->machine_name : usual_texts[text];
    put_string(builder, chosen, UINT32_MAX);
}

static void put_numbered_text(Builder *builder, SmbiosText text, unsigned number) {
    const char *chosen = builder->config->text[text];
    put_string(builder, chosen != NULL ? chosen : usual_texts[text], number);
}

/* Two zeros end the strings, also where there are none (6.1.3). */
static void end(Builder *builder) {
    size_t formatted = builder->tables->size - builder->start;
    assert(formatted <= UINT8_MAX);
    builder->tables->data[builder->start + 1] = (uint8_t)formatted;
    if (builder->strings.size != 0)
        byte_buffer_append(builder->tables, builder->strings.data, builder->strings.size);
    else
        put(builder, 0, 1);
    put(builder, 0, 1);
    builder->count++;
    size_t whole = builder->tables->size - builder->start;
    if (whole > builder->largest)
        builder->largest = whole;
}

/* --- structures, 7.1 to 7.45 -------------------------------------------------------------------
 */

static void add_bios(Builder *builder) {
    enum { NO_CHARACTERISTICS = 1 << 3, TARGETED_CONTENT = 1 << 2, NO_CONTROLLER = 0xFF };
    begin(builder, 0, HANDLE_BIOS);
    put_text(builder, SMBIOS_BIOS_VENDOR);
    put_text(builder, SMBIOS_BIOS_VERSION);
    put(builder, 0xE800, 2);
    put_text(builder, SMBIOS_BIOS_DATE);
    put(builder, 0, 1); /* 64 KB */
    put(builder, NO_CHARACTERISTICS, 8);
    put(builder, 0, 1);
    put(builder, TARGETED_CONTENT, 1);
    put(builder, builder->config->bios_release[0], 1);
    put(builder, builder->config->bios_release[1], 1);
    put(builder, NO_CONTROLLER, 1);
    put(builder, NO_CONTROLLER, 1);
    end(builder);
}

/* The first three parts of the UUID are little-endian numbers (7.2.1). */
static void put_uuid(Builder *builder) {
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (unsigned i = 0; i < 16; i++)
        put(builder, builder->config->uuid[order[i]], 1);
}

static void add_system(Builder *builder) {
    enum { WOKEN_BY_POWER_SWITCH = 6 };
    begin(builder, 1, HANDLE_SYSTEM);
    put_text(builder, SMBIOS_SYSTEM_MANUFACTURER);
    put_text(builder, SMBIOS_SYSTEM_PRODUCT);
    put_text(builder, SMBIOS_SYSTEM_VERSION);
    put_text(builder, SMBIOS_SYSTEM_SERIAL);
    put_uuid(builder);
    put(builder, WOKEN_BY_POWER_SWITCH, 1);
    put_text(builder, SMBIOS_SYSTEM_SKU);
    put_text(builder, SMBIOS_SYSTEM_FAMILY);
    end(builder);
}

static void add_board(Builder *builder) {
    enum { HOSTS_THE_REST = 1, MOTHERBOARD = 0x0A };
    begin(builder, 2, HANDLE_BOARD);
    put_text(builder, SMBIOS_BOARD_MANUFACTURER);
    put_text(builder, SMBIOS_BOARD_PRODUCT);
    put_text(builder, SMBIOS_BOARD_VERSION);
    put_text(builder, SMBIOS_BOARD_SERIAL);
    put_text(builder, SMBIOS_BOARD_ASSET);
    put(builder, HOSTS_THE_REST, 1);
    put_text(builder, SMBIOS_BOARD_LOCATION);
    put(builder, HANDLE_CHASSIS, 2);
    put(builder, MOTHERBOARD, 1);
    put(builder, 0, 1);
    end(builder);
}

static void add_chassis(Builder *builder) {
    begin(builder, 3, HANDLE_CHASSIS);
    put_text(builder, SMBIOS_CHASSIS_MANUFACTURER);
    put(builder, CODE_OTHER, 1);
    put_text(builder, SMBIOS_CHASSIS_VERSION);
    put_text(builder, SMBIOS_CHASSIS_SERIAL);
    put_text(builder, SMBIOS_CHASSIS_ASSET);
    put(builder, STATE_SAFE, 1);   /* at boot */
    put(builder, STATE_SAFE, 1);   /* power supply */
    put(builder, STATE_SAFE, 1);   /* temperature */
    put(builder, CODE_UNKNOWN, 1); /* security */
    put(builder, 0, 4);
    put(builder, 0, 4); /* height, power cords, contained elements and their size */
    put_text(builder, SMBIOS_CHASSIS_SKU);
    end(builder);
}

static void add_processor(Builder *builder, unsigned number) {
    enum { CENTRAL = 3, IN_SOCKET_AND_ENABLED = 0x41, CACHES = 3 };
    const SmbiosMachine *machine = builder->machine;
    begin(builder, 4, (uint16_t)(HANDLE_PROCESSOR + number));
    put_numbered_text(builder, SMBIOS_PROCESSOR_SOCKET, number);
    put(builder, CENTRAL, 1);
    put(builder, CODE_OTHER, 1);
    put_text(builder, SMBIOS_PROCESSOR_MANUFACTURER);
    put(builder, machine->processor_signature, 4);
    put(builder, machine->processor_features, 4);
    put_text(builder, SMBIOS_PROCESSOR_VERSION);
    put(builder, 0, 1); /* voltage */
    put(builder, 0, 2); /* external clock */
    put(builder, machine->processor_mhz, 2);
    put(builder, machine->processor_mhz, 2);
    put(builder, IN_SOCKET_AND_ENABLED, 1);
    put(builder, CODE_OTHER, 1);
    for (unsigned i = 0; i < CACHES; i++)
        put(builder, HANDLE_NONE, 2);
    put_text(builder, SMBIOS_PROCESSOR_SERIAL);
    put_text(builder, SMBIOS_PROCESSOR_ASSET);
    put_text(builder, SMBIOS_PROCESSOR_PART);
    put(builder, 1, 1); /* cores, enabled ones, threads */
    put(builder, 1, 1);
    put(builder, 1, 1);
    put(builder, CODE_UNKNOWN, 2);
    put(builder, CODE_OTHER, 2);
    end(builder);
}

static void add_oem_strings(Builder *builder) {
    begin(builder, 11, HANDLE_OEM_STRINGS);
    put_text(builder, SMBIOS_OEM_STRING); /* its number is their count, too */
    end(builder);
}

static void add_memory(Builder *builder) {
    enum { ON_BOARD = 1, SYSTEM_MEMORY = 3, MULTI_BIT_ECC = 6, DIMM = 9, RAM = 7, OTHER = 2 };
    uint64_t kilobytes = builder->machine->ram_bytes >> 10;
    begin(builder, 16, HANDLE_MEMORY_ARRAY);
    put(builder, ON_BOARD, 1);
    put(builder, SYSTEM_MEMORY, 1);
    put(builder, MULTI_BIT_ECC, 1);
    put(builder, kilobytes, 4);
    put(builder, HANDLE_NO_ERROR, 2);
    put(builder, 1, 2);
    put(builder, 0, 8);
    end(builder);
    begin(builder, 17, HANDLE_MEMORY_DEVICE);
    put(builder, HANDLE_MEMORY_ARRAY, 2);
    put(builder, HANDLE_NO_ERROR, 2);
    put(builder, HANDLE_NONE, 2); /* widths unknown */
    put(builder, HANDLE_NONE, 2);
    put(builder, kilobytes >> 10, 2);
    put(builder, DIMM, 1);
    put(builder, 0, 1);
    put_numbered_text(builder, SMBIOS_MEMORY_LOCATOR, 0);
    put_text(builder, SMBIOS_MEMORY_BANK);
    put(builder, RAM, 1);
    put(builder, OTHER, 2);
    put(builder, 0, 2); /* speed */
    put_text(builder, SMBIOS_MEMORY_MANUFACTURER);
    put_text(builder, SMBIOS_MEMORY_SERIAL);
    put_text(builder, SMBIOS_MEMORY_ASSET);
    put_text(builder, SMBIOS_MEMORY_PART);
    put(builder, 0, 1); /* rank */
    put(builder, 0, 4); /* extended size */
    put(builder, 0, 8); /* configured speed and voltages */
    end(builder);
    begin(builder, 19, HANDLE_MEMORY_MAP);
    put(builder, 0, 4);
    put(builder, kilobytes - 1, 4);
    put(builder, HANDLE_MEMORY_ARRAY, 2);
    put(builder, 1, 1);
    put(builder, 0, 8);
    put(builder, 0, 8);
    end(builder);
}

static void add_boot_status(Builder *builder) {
    begin(builder, 32, HANDLE_BOOT);
    put(builder, 0, 6);
    put(builder, 0, 1); /* no errors */
    end(builder);
}

/* --- entry point -------------------------------------------------------------------------------
 */

static uint8_t complement_of_sum(const uint8_t *bytes, size_t count) {
    uint8_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return (uint8_t)-sum;
}

/* 5.2.1; the tables' address stays 0. */
static void build_anchor(const Builder *builder, ByteBuffer *anchor) {
    enum { LENGTH = 0x1F, CHECKSUM = 4, INTERMEDIATE = 0x10, INTERMEDIATE_CHECKSUM = 0x15 };
    *anchor = (ByteBuffer){.data = NULL};
    byte_buffer_append(anchor, "_SM_", 4);
    byte_buffer_append_le(anchor, 0, 1);
    byte_buffer_append_le(anchor, LENGTH, 1);
    byte_buffer_append_le(anchor, 2, 1); /* version 2.8 */
    byte_buffer_append_le(anchor, 8, 1);
    byte_buffer_append_le(anchor, builder->largest, 2);
    byte_buffer_append_le(anchor, 0, 6);
    byte_buffer_append(anchor, "_DMI_", 5);
    byte_buffer_append_le(anchor, 0, 1);
    byte_buffer_append_le(anchor, builder->tables->size, 2);
    byte_buffer_append_le(anchor, 0, 4);
    byte_buffer_append_le(anchor, builder->count, 2);
    byte_buffer_append_le(anchor, 0x28, 1);
    assert(anchor->size == LENGTH);
    anchor->data[INTERMEDIATE_CHECKSUM] =
        complement_of_sum(anchor->data + INTERMEDIATE, LENGTH - INTERMEDIATE);
    anchor->data[CHECKSUM] = complement_of_sum(anchor->data, LENGTH);
}

void smbios_tables_build(const SmbiosConfig *config, const SmbiosMachine *machine,
                         ByteBuffer *anchor, ByteBuffer *tables) {
    *tables = (ByteBuffer){.data = NULL};
    Builder builder = {.config = config, .machine = machine, .tables = tables};
    if (config->has_bios)
        add_bios(&builder);
    add_system(&builder);
    if (config->has_board)
        add_board(&builder);
    add_chassis(&builder);
    for (unsigned i = 0; i < machine->processors; i++)
        add_processor(&builder, i);
    if (config->text[SMBIOS_OEM_STRING] != NULL)
        add_oem_strings(&builder);
    add_memory(&builder);
    add_boot_status(&builder);
    begin(&builder, 127, HANDLE_END);
    end(&builder);
    build_anchor(&builder, anchor);
    byte_buffer_free(&builder.strings);
}
