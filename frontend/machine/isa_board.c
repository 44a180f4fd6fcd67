#include "isa_board.h"
#include "board_parts.h"
#include "machine_parts.h"
#include "network_cards.h"

#define LOW_MEMORY_END 0x100000u
#define BIOS_COPY_MOST 0x20000u
#define DISPLAY_BASE 0xA0000u
#define DISPLAY_SIZE 0x20000u

/* The first that hangs on the PCI bus; NULL: none. */
static const char *find_pci_disk(const MachineConfig *config) {
    static const char *const names[] = {[PCI_DISK_VIRTIO] = "virtio-blk-pci",
                                        [PCI_DISK_AHCI] = "ahci",
                                        [PCI_DISK_NVME] = "nvme",
                                        [PCI_DISK_SCSI] = "lsi53c895a",
                                        [PCI_DISK_USB] = "usb-storage"};
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++)
        if (config->pci_disk[i].drive.present)
            return names[config->pci_disk[i].kind];
    return NULL;
}

static const char *find_usb_device(const MachineConfig *config) {
    static const char *const names[USB_DEVICE_KINDS] = {[USB_DEVICE_TABLET] = "usb-tablet",
                                                        [USB_DEVICE_KEYBOARD] = "usb-kbd",
                                                        [USB_DEVICE_MOUSE] = "usb-mouse",
                                                        [USB_DEVICE_STORAGE] = "usb-storage",
                                                        [USB_DEVICE_HUB] = "usb-hub"};
    for (unsigned i = 0; i < MACHINE_USB_DEVICES; i++)
        if (config->usb_device[i].kind != USB_DEVICE_NONE)
            return names[config->usb_device[i].kind];
    return NULL;
}

static const char *find_pci_network_card(const MachineConfig *config) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const char *name = config->network_card[i].model;
        const NetworkCardModel *model = name != NULL ? network_card_find(name) : NULL;
        if (model != NULL && !model->is_isa)
            return model->name;
    }
    return NULL;
}

bool isa_board_check_config(const MachineConfig *config, Error *error) {
    static const char *const adapters[] = {
        [VGA_STANDARD] = "VGA", [VGA_ISA] = NULL, [VGA_CIRRUS] = "cirrus-vga"};
    if (config->has_pci)
        return true;
    const char *const devices[] = {
        find_pci_disk(config),
        config->has_ahci ? "ahci" : NULL,
        config->has_scsi ? "lsi53c895a" : NULL,
        config->has_usb ? "piix3-usb-uhci" : NULL,
        find_usb_device(config),
        config->sound[SOUND_AC97].present ? "AC97" : NULL,
        config->sound[SOUND_ES1370].present ? "ES1370" : NULL,
        config->has_pci_testdev ? "pci-testdev" : NULL,
        find_pci_network_card(config),
        config->has_vga ? adapters[config->vga.model] : NULL,
    };
    for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (devices[i] != NULL)
            return error_set(error, "-device %s: an isapc has no PCI bus", devices[i]);
    return config->processors <= 1 ||
           error_set(error, "an isapc has one processor, not %u", config->processors);
}

static uint32_t copied_bytes(const Board *board) {
    return board->bios->size < BIOS_COPY_MOST ? (uint32_t)board->bios->size : BIOS_COPY_MOST;
}

/* Without an adapter nothing answers where its memory would be. */
bool isa_board_check_firmware(const Board *board, Error *error) {
    PhysicalMap *memory = board->machine->memory;
    if (board->bios->size == 0 || physical_map_ram_bytes(memory) < LOW_MEMORY_END)
        return error_set(error, "a PC needs a BIOS, and at least 1 MB of memory");
    physical_map_remove(memory, DISPLAY_BASE, DISPLAY_SIZE);
    return true;
}

/* There is no bridge that could show the ROM there and let RAM shine through: as in QEMU all of
 * C0000h to FFFFFh is RAM, into which the adapter's ROM comes by the BIOS. */
void isa_board_load_bios(Board *board) {
    uint32_t bytes = copied_bytes(board);
    physical_write_bytes(board->machine->memory, LOW_MEMORY_END - bytes,
                         (const uint8_t *)board->bios->data + board->bios->size - bytes, bytes);
}

bool isa_board_create_ide(Board *board, const IdeDriveOptions *drives, const Wire *irqs,
                          Error *error) {
    static const struct {
        const char *id;
        uint16_t command_port, control_port;
    } places[BOARD_IDE_CHANNELS] = {{"ide0", 0x1F0, 0x3F6}, {"ide1", 0x170, 0x376}};
    DeviceContext context = board_context(board);
    for (unsigned i = 0; i < BOARD_IDE_CHANNELS; i++) {
        IdeChannelOptions options = {.id = places[i].id,
                                     .number = i,
                                     .command_port = places[i].command_port,
                                     .control_port = places[i].control_port,
                                     .irq = irqs[i]};
        for (unsigned j = 0; j < IDE_CHANNEL_DRIVES; j++)
            options.drives[j] = drives[i * IDE_CHANNEL_DRIVES + j];
        board->ide_channel[i] = ide_channel_create(&context, &options, error);
        if (board->ide_channel[i] == NULL)
            return false;
    }
    return true;
}

void isa_board_destroy_ide(Board *board) {
    for (unsigned i = 0; i < BOARD_IDE_CHANNELS; i++)
        if (board->ide_channel[i] != NULL)
            ide_channel_destroy(board->ide_channel[i]);
}
