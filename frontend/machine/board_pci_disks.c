/* Disks with controllers of their own on the PCI bus. */
#include "board_drives.h"
#include "board_parts.h"
#include "disk_media.h"
#include "machine_parts.h"
#include "pci.h"
#include "virtio_blk.h"

#include <stdio.h>

enum { FIRST_SLOT = 3, SLOTS = 32 }; /* the display has slot 2, as ever */

#define FIRST_DISK (MACHINE_FLOPPIES + MACHINE_IDE_DRIVES)

/* Who asks for a place has it; the others take what is left. */
bool board_place_pci_disks(Board *board, Error *error) {
    uint32_t taken = (1u << FIRST_SLOT) - 1;
    const PciDiskConfig *disks = board->machine->config.pci_disk;
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        if (!disks[i].drive.present || disks[i].slot == 0)
            continue;
        if (disks[i].slot >= SLOTS || (taken >> disks[i].slot & 1))
            return error_set(error, "PCI slot %u is taken, or does not exist", disks[i].slot);
        taken |= 1u << disks[i].slot;
        board->pci_disk_slot[i] = disks[i].slot;
    }
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        if (!disks[i].drive.present || disks[i].slot != 0)
            continue;
        board->pci_disk_slot[i] = (unsigned)__builtin_ctz(~taken);
        taken |= 1u << board->pci_disk_slot[i];
    }
    return true;
}

static IdeGeometry known_geometry(const Board *board, unsigned disk) {
    const struct DiskBase *base = board->machine->config.disks;
    return base != NULL ? disk_base_geometry(base, FIRST_DISK + disk) : (IdeGeometry){0};
}

static bool create_virtio(Board *board, unsigned disk, Error *error) {
    DeviceContext context = board_context(board);
    char id[32];
    snprintf(id, sizeof(id), "virtio-blk%u", disk);
    const VirtioBlkOptions options = {
        .id = id,
        .slot = board->pci_disk_slot[disk],
        .medium = board->drive[FIRST_DISK + disk].medium,
        .serial = board->machine->config.pci_disk[disk].serial,
        .geometry = known_geometry(board, disk),
    };
    board->virtio_disk[disk] = virtio_blk_create(&context, board->pci, &options, error);
    return board->virtio_disk[disk] != NULL;
}

bool board_create_pci_disks(Board *board, Error *error) {
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *config = &board->machine->config.pci_disk[i];
        if (config->drive.present && config->kind == PCI_DISK_VIRTIO &&
            !create_virtio(board, i, error))
            return false;
    }
    return true;
}

void board_destroy_pci_disks(Board *board) {
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++)
        virtio_blk_destroy(board->virtio_disk[i]);
}

void board_print_pci_disk_path(const Board *board, unsigned disk, ByteBuffer *text) {
    byte_buffer_print(text, "/pci@i0cf8/scsi@%x/disk@0,0\n", board->pci_disk_slot[disk]);
}
