/* QEMU's firmware configuration device: numbered items and named files that the machine hands to
 * its firmware, by ports 510h and 511h or by the DMA interface at 514h. (QEMU documentation,
 * docs/specs/fw_cfg.) */
#ifndef REPRISE_FW_CFG_H
#define REPRISE_FW_CFG_H

#include "device_context.h"
#include <stddef.h>

/* Numbers of well-known items. */
enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_CPU_COUNT = 0x05,
    FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDRESS = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDRESS = 0x0A,
    FW_CFG_INITRD_SIZE = 0x0B,
    FW_CFG_BOOT_DEVICE = 0x0C,
    FW_CFG_NUMA = 0x0D,
    FW_CFG_BOOT_MENU = 0x0E,
    FW_CFG_MAX_CPUS = 0x0F,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_COMMAND_LINE_ADDRESS = 0x13,
    FW_CFG_COMMAND_LINE_SIZE = 0x14,
    FW_CFG_COMMAND_LINE_DATA = 0x15,
    FW_CFG_SETUP_ADDRESS = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIRECTORY = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_FILES = 64,
    FW_CFG_ACPI_TABLES = 0x8000,
    FW_CFG_SMBIOS_ENTRIES = 0x8001,
    FW_CFG_IRQ0_OVERRIDE = 0x8002,
    FW_CFG_E820_TABLE = 0x8003,
    FW_CFG_FILE_NAME_SIZE = 56,
};

typedef struct FwCfg FwCfg;

/* Claims ports 510h, 511h and 514h to 51Bh. Signature, version and an empty file directory are
 * there from the start. */
FwCfg *fw_cfg_create(const DeviceContext *context, Error *error);
void fw_cfg_destroy(FwCfg *fw_cfg);

/* Gives item 'key' (below FW_CFG_FILE_FIRST or from 8000h to 801Fh) these bytes, which are copied,
 * in place of what it had. */
void fw_cfg_set_bytes(FwCfg *fw_cfg, uint16_t key, const void *data, size_t size);
void fw_cfg_set_number(FwCfg *fw_cfg, uint16_t key, uint64_t value,
                       unsigned bytes); /* little-endian */

/* Adds a file ("etc/e820", "bootorder"), copied, or gives an existing one new contents. */
bool fw_cfg_add_file(FwCfg *fw_cfg, const char *name, const void *data, size_t size, Error *error);

/* Calls 'each' for every item that is there; 'name' is NULL for those that are no files. */
void fw_cfg_each_item(const FwCfg *fw_cfg,
                      void (*each)(void *opaque, uint16_t key, const char *name,
                                   const uint8_t *data, size_t size),
                      void *opaque);

/* All items and files as they are now, for another machine that is to have the same: shared, not
 * copied. */
typedef struct FwCfgItems FwCfgItems;
FwCfgItems *fw_cfg_share_items(const FwCfg *fw_cfg);
void fw_cfg_release_items(FwCfgItems *items); /* NULL is allowed */
/* In place of all that it has. */
void fw_cfg_set_items(FwCfg *fw_cfg, const FwCfgItems *items);

#endif
