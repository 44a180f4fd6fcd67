/* Disks with controllers of their own on the PCI bus. */
#include "ahci.h"
#include "board_drives.h"
#include "board_parts.h"
#include "disk_media.h"
#include "lsi53c895a.h"
#include "machine_parts.h"
#include "network_cards.h"
#include "nvme.h"
#include "pci.h"
#include "scsi_cd.h"
#include "scsi_disk.h"
#include "virtio_blk.h"

#include <stdio.h>

enum { FIRST_SLOT = 3, SLOTS = 32 }; /* the display has slot 2, as ever */

#define FIRST_DISK (MACHINE_FLOPPIES + MACHINE_IDE_DRIVES)

/* Where each controller goes: network cards as a board has them, the controllers of AHCI and SCSI,
 * those of the disks, further network cards. */
#define SHARED_CONTROLLERS 2
#define CONTROLLERS (SHARED_CONTROLLERS + MACHINE_PCI_DISKS + 2 * MACHINE_NETWORK_CARDS)

typedef struct Place {
    bool present;
    unsigned asked; /* 0: anywhere */
    unsigned *slot;
} Place;

static void list_network_cards(Board *board, bool first, Place *places) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const NetworkCardConfig *config = &board->machine->config.network_card[i];
        const NetworkCardModel *model =
            config->model != NULL ? network_card_find(config->model) : NULL;
        bool is_here = model != NULL && !model->is_isa && config->comes_first == first;
        places[i] = (Place){is_here, config->slot, &board->network_card[i].slot};
    }
}

static void list_places(Board *board, Place *places) {
    const MachineConfig *config = &board->machine->config;
    list_network_cards(board, true, places);
    list_network_cards(board, false, places + CONTROLLERS - MACHINE_NETWORK_CARDS);
    places += MACHINE_NETWORK_CARDS;
    places[0] = (Place){config->has_ahci, config->ahci_slot, &board->ahci_slot};
    places[1] = (Place){config->has_scsi, config->scsi_slot, &board->scsi_slot};
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *disk = &config->pci_disk[i];
        bool has_its_own = disk->kind == PCI_DISK_VIRTIO || disk->kind == PCI_DISK_NVME;
        places[SHARED_CONTROLLERS + i] =
            (Place){disk->drive.present && has_its_own, disk->slot, &board->pci_disk_slot[i]};
    }
}

/* Of the bridges; and of the display adapter, as a mask. */
#define BRIDGE_SLOTS 3u

static uint32_t display_slot(const MachineConfig *config) {
    if (!config->has_vga || config->vga.model == VGA_ISA)
        return 0;
    return 1u << (config->vga.slot != 0 ? config->vga.slot : FIRST_SLOT - 1);
}

/* Who asks for a place has it; the others take what is left. */
bool board_place_pci_disks(Board *board, Error *error) {
    uint32_t taken = BRIDGE_SLOTS | display_slot(&board->machine->config);
    Place places[CONTROLLERS];
    list_places(board, places);
    for (unsigned i = 0; i < CONTROLLERS; i++) {
        unsigned asked = places[i].asked;
        if (!places[i].present || asked == 0)
            continue;
        if (asked >= SLOTS || (taken >> asked & 1))
            return error_set(error, "PCI slot %u is taken, or does not exist", asked);
        taken |= 1u << asked;
        *places[i].slot = asked;
    }
    taken |= (1u << FIRST_SLOT) - 1;
    for (unsigned i = 0; i < CONTROLLERS; i++) {
        if (!places[i].present || places[i].asked != 0)
            continue;
        *places[i].slot = (unsigned)__builtin_ctz(~taken);
        taken |= 1u << *places[i].slot;
    }
    return true;
}

static IdeGeometry known_geometry(const Board *board, unsigned disk) {
    return board_known_geometry(board, FIRST_DISK + disk,
                                &board->machine->config.pci_disk[disk].drive);
}

static bool create_virtio(Board *board, unsigned disk, Error *error) {
    DeviceContext context = board_context(board);
    char id[32];
    snprintf(id, sizeof(id), "virtio-blk%u", disk);
    const VirtioBlkOptions options = {
        .id = id,
        .slot = board->pci_disk_slot[disk],
        .medium = board->drive[FIRST_DISK + disk].medium,
        .serial = board->machine->config.pci_disk[disk].drive.serial,
        .geometry = known_geometry(board, disk),
    };
    board->virtio_disk[disk] = virtio_blk_create(&context, board->pci, &options, error);
    return board->virtio_disk[disk] != NULL;
}

static bool create_nvme(Board *board, unsigned disk, Error *error) {
    DeviceContext context = board_context(board);
    char id[32];
    snprintf(id, sizeof(id), "nvme%u", disk);
    const NvmeOptions options = {
        .id = id,
        .slot = board->pci_disk_slot[disk],
        .medium = board->drive[FIRST_DISK + disk].medium,
        .serial = board->machine->config.pci_disk[disk].drive.serial,
    };
    board->nvme_disk[disk] = nvme_create(&context, board->pci, &options, error);
    return board->nvme_disk[disk] != NULL;
}

static bool create_ahci(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    AhciOptions options = {.slot = board->ahci_slot};
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *config = &board->machine->config.pci_disk[i];
        if (!config->drive.present || config->kind != PCI_DISK_AHCI)
            continue;
        options.drives[config->port] = (IdeDriveOptions){
            .kind = config->drive.is_cd ? IDE_DRIVE_CDROM : IDE_DRIVE_DISK,
            .medium = board->drive[FIRST_DISK + i].medium,
            .serial = config->drive.serial,
            .geometry = known_geometry(board, i),
        };
    }
    board->ahci = ahci_create(&context, board->pci, &options, error);
    return board->ahci != NULL;
}

static ScsiTarget *create_scsi_disk(Board *board, unsigned disk) {
    DeviceContext context = board_context(board);
    const PciDiskConfig *config = &board->machine->config.pci_disk[disk];
    char id[32];
    snprintf(id, sizeof(id), "scsi-disk%u", config->port);
    const ScsiDiskOptions options = {
        .id = id,
        .medium = board->drive[FIRST_DISK + disk].medium,
        .serial = config->drive.serial,
        .device_id = config->drive.scsi_device_id != NULL ? config->drive.scsi_device_id
                                                          : board->drive[FIRST_DISK + disk].id,
        .geometry = known_geometry(board, disk),
    };
    board->scsi_disk[disk] = scsi_disk_create(&context, &options);
    return scsi_disk_target(board->scsi_disk[disk]);
}

static ScsiTarget *create_scsi_cd(Board *board, unsigned disk, Error *error) {
    DeviceContext context = board_context(board);
    const PciDiskConfig *config = &board->machine->config.pci_disk[disk];
    char id[32], channel_id[32];
    snprintf(id, sizeof(id), "scsi-cd%u", config->port);
    snprintf(channel_id, sizeof(channel_id), "scsi-cd-drive%u", config->port);
    const ScsiCdOptions options = {
        .id = id,
        .channel_id = channel_id,
        .medium = board->drive[FIRST_DISK + disk].medium,
        .serial = config->drive.serial,
        .device_id = config->drive.scsi_device_id != NULL ? config->drive.scsi_device_id
                                                          : board->drive[FIRST_DISK + disk].id,
    };
    board->scsi_cd[disk] = scsi_cd_create(&context, &options, error);
    return board->scsi_cd[disk] != NULL ? scsi_cd_target(board->scsi_cd[disk]) : NULL;
}

static bool create_scsi(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    LsiOptions options = {.id = "lsi53c895a", .slot = board->scsi_slot};
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *config = &board->machine->config.pci_disk[i];
        if (!config->drive.present || config->kind != PCI_DISK_SCSI)
            continue;
        ScsiTarget *target =
            config->drive.is_cd ? create_scsi_cd(board, i, error) : create_scsi_disk(board, i);
        if (target == NULL)
            return false;
        options.targets[config->port] = target;
    }
    board->scsi = lsi_create(&context, board->pci, &options, error);
    return board->scsi != NULL;
}

bool board_create_pci_disks(Board *board, Error *error) {
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *config = &board->machine->config.pci_disk[i];
        if (config->drive.present && config->kind == PCI_DISK_VIRTIO &&
            !create_virtio(board, i, error))
            return false;
        if (config->drive.present && config->kind == PCI_DISK_NVME && !create_nvme(board, i, error))
            return false;
    }
    return (!board->machine->config.has_ahci || create_ahci(board, error)) &&
           (!board->machine->config.has_scsi || create_scsi(board, error));
}

void board_destroy_pci_disks(Board *board) {
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++)
        virtio_blk_destroy(board->virtio_disk[i]);
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++)
        nvme_destroy(board->nvme_disk[i]);
    ahci_destroy(board->ahci);
    lsi_destroy(board->scsi);
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        scsi_disk_destroy(board->scsi_disk[i]);
        scsi_cd_destroy(board->scsi_cd[i]);
    }
}

void board_print_pci_disk_path(const Board *board, unsigned disk, ByteBuffer *text) {
    const PciDiskConfig *config = &board->machine->config.pci_disk[disk];
    unsigned slot = board->pci_disk_slot[disk];
    switch (config->kind) {
    case PCI_DISK_VIRTIO:
        byte_buffer_print(text, "/pci@i0cf8/scsi@%x/disk@0,0\n", slot);
        break;
    case PCI_DISK_AHCI:
        byte_buffer_print(text, "/pci@i0cf8/pci8086,2922@%x/drive@%x/disk@0\n", board->ahci_slot,
                          config->port);
        break;
    case PCI_DISK_SCSI:
        byte_buffer_print(text, "/pci@i0cf8/scsi@%x/channel@0/disk@%x,0\n", board->scsi_slot,
                          config->port);
        break;
    case PCI_DISK_USB:
        board_print_usb_disk_path(board, disk, text);
        break;
    case PCI_DISK_NVME:
        byte_buffer_print(text, "/pci@i0cf8/pci1b36,10@%x/namespace@1,0\n", slot);
        break;
    }
}
