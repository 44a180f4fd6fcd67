/* -kernel: the pieces of a kernel, and the option ROM that starts it, offered through fw_cfg. */
#include "board_parts.h"
#include "firmware.h"
#include "fw_cfg.h"
#include "kernel_image.h"
#include "machine_parts.h"

static const char *text_or_empty(const char *text) {
    return text != NULL ? text : "";
}

bool board_load_kernel(Board *board, KernelImage *image, Error *error) {
    const MachineConfig *config = &board->machine->config;
    if (config->roms != NULL)
        return true; /* the kernel is in there */
    if (config->kernel == NULL) {
        if (config->initrd != NULL || config->kernel_command_line != NULL)
            return error_set(error, "-initrd and -append are for a kernel; -kernel names it");
        return true;
    }
    KernelRequest request = {.kernel = config->kernel,
                             .initrd = config->initrd,
                             .command_line = text_or_empty(config->kernel_command_line),
                             .ram_bytes = config->ram_bytes};
    return kernel_image_load(image, &request, error);
}

static void offer_piece(FwCfg *fw_cfg, uint16_t address_key, uint16_t size_key, uint16_t data_key,
                        const KernelPiece *piece) {
    fw_cfg_set_number(fw_cfg, address_key, piece->address, 4);
    fw_cfg_set_number(fw_cfg, size_key, piece->bytes.size, 4);
    fw_cfg_set_bytes(fw_cfg, data_key, piece->bytes.data, piece->bytes.size);
}

static bool offer_rom(FwCfg *fw_cfg, Error *error) {
    ByteBuffer rom = {.data = NULL};
    uint8_t sum = 0;
    byte_buffer_append(&rom, kernel_boot_rom, kernel_boot_rom_size);
    for (size_t i = 0; i < rom.size; i++)
        sum = (uint8_t)(sum + rom.data[i]);
    rom.data[KERNEL_BOOT_ROM_CHECKSUM] = (uint8_t)(rom.data[KERNEL_BOOT_ROM_CHECKSUM] - sum);
    bool good = fw_cfg_add_file(fw_cfg, BOARD_KERNEL_ROM, rom.data, rom.size, error);
    byte_buffer_free(&rom);
    return good;
}

bool board_offer_kernel(Board *board, const KernelImage *image, Error *error) {
    FwCfg *fw_cfg = board->fw_cfg;
    if (image->kernel.bytes.size == 0)
        return true;
    offer_piece(fw_cfg, FW_CFG_KERNEL_ADDRESS, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA,
                &image->kernel);
    offer_piece(fw_cfg, FW_CFG_INITRD_ADDRESS, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA,
                &image->initrd);
    offer_piece(fw_cfg, FW_CFG_COMMAND_LINE_ADDRESS, FW_CFG_COMMAND_LINE_SIZE,
                FW_CFG_COMMAND_LINE_DATA, &image->command_line);
    offer_piece(fw_cfg, FW_CFG_SETUP_ADDRESS, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA, &image->setup);
    fw_cfg_set_number(fw_cfg, FW_CFG_KERNEL_ENTRY, image->entry, 4);
    return offer_rom(fw_cfg, error);
}
