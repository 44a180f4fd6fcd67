/* The BIOS at the top of the address space, and what it is told through fw_cfg. (QEMU's fw_cfg
 * specification; the items are those that SeaBIOS reads.) */
#include "acpi_tables.h"
#include "board_drives.h"
#include "board_parts.h"
#include "board_roms.h"
#include "cpu_feature.h"
#include "cpu_model.h"
#include "firmware.h"
#include "fw_cfg.h"
#include "machine_parts.h"

#include <stdlib.h>
#include <string.h>

/* Types of the memory map, ACPI specification 15. */
enum { E820_RAM = 1, E820_RESERVED = 2 };

#define BIOS_BYTES_MAX (16u << 20)
#define SERIAL_PORT_0 0x3F8

typedef bool FirmwareLoader(const char *name, const char *folder, ByteBuffer *image, Error *error);

static bool load_rom(SharedBytes **rom, FirmwareLoader *load, const char *name, const char *folder,
                     Error *error) {
    ByteBuffer image = {.data = NULL};
    bool good = load(name, folder, &image, error);
    if (good)
        *rom = shared_bytes_create(image.data, image.size);
    byte_buffer_free(&image);
    return good;
}

const char *board_vga_bios_name(const Board *board) {
    static const char *const names[] = {[VGA_STANDARD] = FIRMWARE_VGA_BIOS,
                                        [VGA_ISA] = FIRMWARE_ISA_VGA_BIOS,
                                        [VGA_CIRRUS] = FIRMWARE_CIRRUS_BIOS};
    return names[board->machine->config.vga.model];
}

const char *board_bios_name(const Board *board) {
    const MachineConfig *config = &board->machine->config;
    if (config->bios != NULL)
        return config->bios;
    return config->has_pci ? FIRMWARE_BIOS : FIRMWARE_ISA_BIOS;
}

/* SeaBIOS shows nothing without the adapter's ROM; to another BIOS it may mean nothing. */
static bool load_vga_rom(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    const char *name = board_vga_bios_name(board);
    if (config->bios != NULL && !firmware_exists(name, config->firmware_folder)) {
        board->vga_bios = shared_bytes_create(NULL, 0);
        return true;
    }
    return load_rom(&board->vga_bios, firmware_load, name, config->firmware_folder, error);
}

static bool load_roms(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    const char *name = board_bios_name(board);
    /* SeaBIOS turns words round with BSWAP; on a 386 it would only reset for ever. */
    if (config->bios == NULL && !cpu_has(board->machine->cpu, FEATURE_486))
        return error_set(error,
                         "the BIOS needs a 486 or later processor, not '-cpu %s'; "
                         "-bios names another BIOS",
                         config->cpu_model);
    if (!load_rom(&board->bios, config->bios != NULL ? firmware_load_file : firmware_load, name,
                  config->firmware_folder, error))
        return false;
    if (board->bios->size > BIOS_BYTES_MAX || board->bios->size % (64 << 10) != 0)
        return error_set(error,
                         "firmware '%s' is no BIOS: its size, %zu bytes, is no multiple of 64 KB",
                         name, board->bios->size);
    return !config->has_vga || load_vga_rom(board, error);
}

bool board_load_firmware(Board *board, Error *error) {
    const BoardRoms *roms = board->machine->config.roms;
    if (roms != NULL) {
        board->bios = shared_bytes_hold(roms->bios);
        board->vga_bios = shared_bytes_hold(roms->vga_bios);
    } else if (!load_roms(board, error)) {
        return false;
    }
    uint32_t bytes = (uint32_t)board->bios->size;
    physical_map_add_memory(board->machine->memory, 0u - bytes, bytes, (uint8_t *)board->bios->data,
                            NULL, false);
    return true;
}

void board_free_firmware(Board *board) {
    shared_bytes_release(board->bios);
    shared_bytes_release(board->vga_bios);
    board->bios = board->vga_bios = NULL;
}

static bool add_file_number(Board *board, const char *name, uint64_t value, unsigned bytes,
                            Error *error) {
    ByteBuffer item = {.data = NULL};
    byte_buffer_append_le(&item, value, bytes);
    bool good = fw_cfg_add_file(board->fw_cfg, name, item.data, item.size, error);
    byte_buffer_free(&item);
    return good;
}

/* Only what SeaBIOS cannot know: it adds the low megabyte's holes, its own tables and the BIOS. */
static bool add_memory_map(Board *board, Error *error) {
    ByteBuffer map = {.data = NULL};
    byte_buffer_append_le(&map, 0, 8);
    byte_buffer_append_le(&map, board->machine->config.ram_bytes, 8);
    byte_buffer_append_le(&map, E820_RAM, 4);
    bool good = fw_cfg_add_file(board->fw_cfg, "etc/e820", map.data, map.size, error);
    byte_buffer_free(&map);
    return good;
}

/* What can be booted: drives, then network cards. */
#define BOOTABLES (BOARD_DRIVES + MACHINE_NETWORK_CARDS)

/* Open Firmware paths: a kernel's ROM, then what has a boot index, in that order; none: the CMOS
 * order counts. */
static void print_boot_path(const Board *board, ByteBuffer *text, unsigned drive) {
    if (drive >= BOARD_DRIVES) {
        byte_buffer_print(text, "/pci@i0cf8/ethernet@%x/ethernet-phy@0\n",
                          board->network_card[drive - BOARD_DRIVES].slot);
    } else if (drive < MACHINE_FLOPPIES) {
        byte_buffer_print(text, "%s/fdc@03f0/floppy@%u\n",
                          board->pci != NULL ? "/pci@i0cf8/isa@1" : "/isa", drive);
    } else if (drive >= MACHINE_FLOPPIES + MACHINE_IDE_DRIVES) {
        board_print_pci_disk_path(board, drive - MACHINE_FLOPPIES - MACHINE_IDE_DRIVES, text);
    } else {
        unsigned unit = drive - MACHINE_FLOPPIES;
        if (board->pci == NULL)
            byte_buffer_print(text, "/isa/ide@%04x/drive@0/disk@%u\n", unit < 2 ? 0x1F0 : 0x170,
                              unit % 2);
        else
            byte_buffer_print(text, "/pci@i0cf8/ide@1,1/drive@%u/disk@%u\n", unit / 2, unit % 2);
    }
}

static bool is_bootable(const Board *board, unsigned drive) {
    return drive >= BOARD_DRIVES ? board->network_card[drive - BOARD_DRIVES].slot != 0
                                 : board->drive[drive].present;
}

static int boot_index_of(const MachineConfig *config, unsigned drive) {
    if (drive >= BOARD_DRIVES)
        return config->network_card[drive - BOARD_DRIVES].boot_index;
    if (drive >= MACHINE_FLOPPIES + MACHINE_IDE_DRIVES)
        return config->pci_disk[drive - MACHINE_FLOPPIES - MACHINE_IDE_DRIVES].drive.boot_index;
    return drive < MACHINE_FLOPPIES ? config->floppy[drive].boot_index
                                    : config->ide[drive - MACHINE_FLOPPIES].boot_index;
}

static bool add_boot_order(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    ByteBuffer text = {.data = NULL};
    bool done[BOOTABLES] = {false};
    if (config->kernel != NULL)
        byte_buffer_print(&text, "/rom@" BOARD_KERNEL_ROM "\n");
    for (;;) {
        int best = -1;
        for (int i = 0; i < (int)BOOTABLES; i++) {
            int index = boot_index_of(config, (unsigned)i);
            if (is_bootable(board, (unsigned)i) && !done[i] && index >= 0 &&
                (best < 0 || index < boot_index_of(config, (unsigned)best)))
                best = i;
        }
        if (best < 0)
            break;
        done[best] = true;
        print_boot_path(board, &text, (unsigned)best);
    }
    bool good = text.size == 0 ||
                fw_cfg_add_file(board->fw_cfg, "bootorder", text.data, text.size + 1, error);
    byte_buffer_free(&text);
    return good;
}

static bool add_boot_menu(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    fw_cfg_set_number(board->fw_cfg, FW_CFG_BOOT_MENU, config->boot_menu, 2);
    return add_file_number(board, "etc/boot-fail-wait", config->boot_fail_wait_ms, 4, error) &&
           (config->boot_menu_wait_ms == 0 ||
            add_file_number(board, "etc/boot-menu-wait", config->boot_menu_wait_ms, 2, error)) &&
           (!config->serial_screen ||
            add_file_number(board, "etc/sercon-port", SERIAL_PORT_0, 2, error));
}

static bool add_acpi_tables(Board *board, Error *error) {
    AcpiFiles files;
    if (!board->machine->config.has_acpi)
        return true;
    acpi_tables_build(&board->machine->config, cpu_has(board->machine->cpu, FEATURE_APIC), &files);
    FwCfg *fw_cfg = board->fw_cfg;
    bool good =
        fw_cfg_add_file(fw_cfg, "etc/acpi/rsdp", files.rsdp.data, files.rsdp.size, error) &&
        fw_cfg_add_file(fw_cfg, "etc/acpi/tables", files.tables.data, files.tables.size, error) &&
        fw_cfg_add_file(fw_cfg, "etc/table-loader", files.loader.data, files.loader.size, error);
    acpi_files_free(&files);
    return good;
}

static bool add_smbios_tables(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    const Cpu *cpu = board->machine->cpu;
    SmbiosMachine machine = {.ram_bytes = config->ram_bytes,
                             .processor_signature = cpu->model->signature,
                             .processor_features = cpuid_features(cpu),
                             .processor_mhz = (uint32_t)(cpu->model->tsc_hz / 1000000),
                             .processors = config->processors,
                             .machine_name = config->has_pci ? "pc-i440fx-7.2" : "isapc"};
    ByteBuffer anchor, tables;
    smbios_tables_build(&config->smbios, &machine, &anchor, &tables);
    bool good =
        fw_cfg_add_file(board->fw_cfg, "etc/smbios/smbios-anchor", anchor.data, anchor.size,
                        error) &&
        fw_cfg_add_file(board->fw_cfg, "etc/smbios/smbios-tables", tables.data, tables.size, error);
    byte_buffer_free(&anchor);
    byte_buffer_free(&tables);
    return good;
}

/* An adapter that is no PCI device has its ROM put in place by the BIOS. */
static bool add_isa_vga_bios(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    if (!config->has_vga || config->vga.model != VGA_ISA || board->vga_bios->size == 0)
        return true;
    return fw_cfg_add_file(board->fw_cfg, "vgaroms/" FIRMWARE_ISA_VGA_BIOS, board->vga_bios->data,
                           board->vga_bios->size, error);
}

bool board_create_fw_cfg(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    /* By state what the PIIX4 calls it; bit 7 says that it is there. */
    const uint8_t system_states[6] = {
        0x80, 0, 0, config->no_suspend_to_ram ? 0x01 : 0x81, config->no_suspend_to_disk ? 2 : 0x82,
        0x80};
    DeviceContext context = board_context(board);
    FwCfg *fw_cfg = board->fw_cfg = fw_cfg_create(&context, error);
    if (fw_cfg == NULL)
        return false;
    if (config->roms != NULL) {
        fw_cfg_set_items(fw_cfg, config->roms->items);
        return true;
    }
    fw_cfg_set_bytes(fw_cfg, FW_CFG_UUID, config->smbios.uuid, sizeof(config->smbios.uuid));
    fw_cfg_set_number(fw_cfg, FW_CFG_RAM_SIZE, config->ram_bytes, 8);
    fw_cfg_set_number(fw_cfg, FW_CFG_NOGRAPHIC, config->serial_screen, 2);
    fw_cfg_set_number(fw_cfg, FW_CFG_CPU_COUNT, config->processors, 2);
    fw_cfg_set_number(fw_cfg, FW_CFG_MAX_CPUS, config->processors, 2);
    fw_cfg_set_number(fw_cfg, FW_CFG_IRQ0_OVERRIDE, 1, 4);
    return fw_cfg_add_file(fw_cfg, "etc/system-states", system_states, sizeof(system_states),
                           error) &&
           add_memory_map(board, error) && add_acpi_tables(board, error) &&
           add_smbios_tables(board, error) && add_boot_order(board, error) &&
           add_boot_menu(board, error) && add_isa_vga_bios(board, error);
}
