/* The SMBIOS structures by which systems and inventory programs name the machine. (System
 * Management BIOS Reference Specification 2.8, DSP0134.) */
#ifndef REPRISE_SMBIOS_TABLES_H
#define REPRISE_SMBIOS_TABLES_H

#include "byte_buffer.h"
#include <stdbool.h>
#include <stdint.h>

/* Every text that can be chosen. */
typedef enum SmbiosText {
    SMBIOS_BIOS_VENDOR,
    SMBIOS_BIOS_VERSION,
    SMBIOS_BIOS_DATE,
    SMBIOS_SYSTEM_MANUFACTURER,
    SMBIOS_SYSTEM_PRODUCT,
    SMBIOS_SYSTEM_VERSION,
    SMBIOS_SYSTEM_SERIAL,
    SMBIOS_SYSTEM_SKU,
    SMBIOS_SYSTEM_FAMILY,
    SMBIOS_BOARD_MANUFACTURER,
    SMBIOS_BOARD_PRODUCT,
    SMBIOS_BOARD_VERSION,
    SMBIOS_BOARD_SERIAL,
    SMBIOS_BOARD_ASSET,
    SMBIOS_BOARD_LOCATION,
    SMBIOS_CHASSIS_MANUFACTURER,
    SMBIOS_CHASSIS_VERSION,
    SMBIOS_CHASSIS_SERIAL,
    SMBIOS_CHASSIS_ASSET,
    SMBIOS_CHASSIS_SKU,
    SMBIOS_PROCESSOR_SOCKET,
    SMBIOS_PROCESSOR_MANUFACTURER,
    SMBIOS_PROCESSOR_VERSION,
    SMBIOS_PROCESSOR_SERIAL,
    SMBIOS_PROCESSOR_ASSET,
    SMBIOS_PROCESSOR_PART,
    SMBIOS_OEM_STRING,
    SMBIOS_MEMORY_LOCATOR,
    SMBIOS_MEMORY_BANK,
    SMBIOS_MEMORY_MANUFACTURER,
    SMBIOS_MEMORY_SERIAL,
    SMBIOS_MEMORY_ASSET,
    SMBIOS_MEMORY_PART,
    SMBIOS_TEXTS,
} SmbiosText;

typedef struct SmbiosConfig {
    const char *text[SMBIOS_TEXTS]; /* NULL: the usual one */
    /* Structures that are left out unless somebody chose something in them: the firmware adds its
     * own type 0. */
    bool has_bios, has_board;
    uint8_t bios_release[2];
    uint8_t uuid[16]; /* as it is written, first digits first */
} SmbiosConfig;

/* What the structures tell besides. */
typedef struct SmbiosMachine {
    uint64_t ram_bytes;
    uint32_t processor_signature, processor_features; /* CPUID(1).EAX and EDX */
    uint32_t processor_mhz;
    unsigned processors;
    const char *machine_name; /* "pc-i440fx-7.2" */
} SmbiosMachine;

/* The files etc/smbios/smbios-anchor and etc/smbios/smbios-tables; the firmware fills in address
 * and checksums. */
void smbios_tables_build(const SmbiosConfig *config, const SmbiosMachine *machine,
                         ByteBuffer *anchor, ByteBuffer *tables);

#endif
