/* Drives and their media: the floppy controller and the two IDE channels. */
#include "board_drives.h"
#include "board_parts.h"
#include "disk_logs.h"
#include "disk_media.h"
#include "i82077.h"
#include "i8237.h"
#include "isa_board.h"
#include "machine_parts.h"
#include "piix3_ide.h"

#include <stdio.h>
#include <string.h>

enum { IRQ_FLOPPY = 6, IRQ_IDE_PRIMARY = 14, IRQ_IDE_SECONDARY = 15, DMA_FLOPPY = 2 };
enum { SLOT_PIIX3 = 1, FUNCTION_IDE = 1 };

static BlockNode *open_medium(Board *board, const BoardDrive *drive, const DriveConfig *config,
                              Error *error) {
    BlockOptions options = {.path = config->file,
                            .format = config->format,
                            .node_name = drive->id,
                            .read_only = drive->read_only,
                            .snapshot = drive->snapshot,
                            .auto_read_only = drive->is_floppy || drive->is_cd,
                            .inactive = board->machine->config.incoming};
    return disk_media_open(board, &options, error);
}

static void copy_name(char to[64], const char *name) {
    snprintf(to, 64, "%s", name != NULL ? name : "");
}

bool board_fill_drive(Board *board, BoardDrive *drive, const DriveConfig *config, BlockNode *medium,
                      Error *error) {
    const struct DiskBase *base = board->machine->config.disks;
    drive->present = config->present;
    drive->snapshot = config->snapshot;
    drive->read_only = config->read_only || drive->is_cd;
    if (config->id != NULL)
        snprintf(drive->id, sizeof(drive->id), "%s", config->id);
    copy_name(drive->device_id, config->device_id);
    copy_name(drive->node_name, config->node_name);
    copy_name(drive->backend, config->backend);
    if (medium != NULL) {
        drive->medium = block_hold(medium);
        return true;
    }
    if (config->present && base != NULL)
        return disk_base_fill_drive(base, (unsigned)(drive - board->drive), drive, error);
    if (!config->present || config->file == NULL)
        return true;
    drive->medium = open_medium(board, drive, config, error);
    return drive->medium != NULL;
}

static bool open_pci_disks(Board *board, Error *error) {
    static const char *const names[] = {[PCI_DISK_VIRTIO] = "virtio",
                                        [PCI_DISK_AHCI] = "ahci",
                                        [PCI_DISK_NVME] = "nvme",
                                        [PCI_DISK_SCSI] = "scsi",
                                        [PCI_DISK_USB] = "usb"};
    for (unsigned i = 0; i < MACHINE_PCI_DISKS; i++) {
        const PciDiskConfig *config = &board->machine->config.pci_disk[i];
        BoardDrive *drive = &board->drive[MACHINE_FLOPPIES + MACHINE_IDE_DRIVES + i];
        *drive = (BoardDrive){.is_cd = config->drive.is_cd, .unit = i, .is_on_pci = true};
        bool is_shared = config->kind == PCI_DISK_AHCI || config->kind == PCI_DISK_SCSI;
        snprintf(drive->id, sizeof(drive->id), "%s%u%s", names[config->kind],
                 is_shared ? config->port : i,
                 config->kind != PCI_DISK_SCSI ? ""
                 : config->drive.is_cd         ? "-cd"
                                               : "-hd");
        if (!board_fill_drive(board, drive, &config->drive, NULL, error))
            return false;
    }
    return true;
}

bool board_open_media(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) {
        BoardDrive *drive = &board->drive[i];
        *drive = (BoardDrive){.is_floppy = true, .unit = i};
        snprintf(drive->id, sizeof(drive->id), "floppy%u", i);
        if (!board_fill_drive(board, drive, &config->floppy[i], NULL, error))
            return false;
    }
    for (unsigned i = 0; i < MACHINE_IDE_DRIVES; i++) {
        BoardDrive *drive = &board->drive[MACHINE_FLOPPIES + i];
        *drive = (BoardDrive){.is_cd = config->ide[i].is_cd, .unit = i};
        snprintf(drive->id, sizeof(drive->id), "ide%u-%s%u", i / 2, drive->is_cd ? "cd" : "hd",
                 i % 2);
        if (!board_fill_drive(board, drive, &config->ide[i], NULL, error))
            return false;
    }
    return open_pci_disks(board, error) && board_place_pci_disks(board, error);
}

static size_t run_floppy_dma(void *opaque, uint8_t *buffer, size_t size, bool to_memory,
                             bool *terminal_count) {
    return i8237_transfer(opaque, DMA_FLOPPY, buffer, size,
                          to_memory ? DMA_TO_MEMORY : DMA_FROM_MEMORY, terminal_count);
}

static bool create_floppy(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    I82077Options options = {.dma = {run_floppy_dma, board->dma},
                             .irq = board_isa_irq(board, IRQ_FLOPPY)};
    for (unsigned i = 0; i < MACHINE_FLOPPIES; i++) {
        options.media[i] = board->drive[i].medium;
        options.drive_types[i] = board->drive[i].present ? FLOPPY_DRIVE_AUTO : FLOPPY_DRIVE_NONE;
    }
    board->floppy = i82077_create(&context, &options, error);
    return board->floppy != NULL;
}

/* With a bus master on the PCI bus; an ISA board has the channels alone, which move by PIO. */
static bool create_ide_channels(Board *board, const Piix3IdeOptions *options, Error *error) {
    DeviceContext context = board_context(board);
    if (!board->machine->config.has_pci)
        return isa_board_create_ide(board, options->drives, options->irqs, error);
    board->ide = piix3_ide_create(&context, board->pci, options, error);
    for (unsigned i = 0; board->ide != NULL && i < BOARD_IDE_CHANNELS; i++)
        board->ide_channel[i] = piix3_ide_channel(board->ide, i);
    return board->ide != NULL;
}

static bool create_ide(Board *board, Error *error) {
    Piix3IdeOptions options = {
        .slot = SLOT_PIIX3,
        .function = FUNCTION_IDE,
        .irqs = {board_isa_irq(board, IRQ_IDE_PRIMARY), board_isa_irq(board, IRQ_IDE_SECONDARY)}};
    for (unsigned i = 0; i < MACHINE_IDE_DRIVES; i++) {
        const BoardDrive *drive = &board->drive[MACHINE_FLOPPIES + i];
        if (!drive->present)
            continue;
        options.drives[i].kind = drive->is_cd ? IDE_DRIVE_CDROM : IDE_DRIVE_DISK;
        options.drives[i].medium = drive->medium;
        options.drives[i].serial = board->machine->config.ide[i].serial;
        options.drives[i].geometry =
            board_known_geometry(board, MACHINE_FLOPPIES + i, &board->machine->config.ide[i]);
    }
    return create_ide_channels(board, &options, error);
}

bool board_create_storage(Board *board, Error *error) {
    return create_floppy(board, error) && create_ide(board, error) &&
           board_create_pci_disks(board, error);
}

void board_destroy_storage(Board *board) {
    if (board->floppy != NULL)
        i82077_destroy(board->floppy);
    if (board->ide != NULL)
        piix3_ide_destroy(board->ide);
    else
        isa_board_destroy_ide(board);
    board_destroy_pci_disks(board);
    if (board->machine != NULL) /* else the machine ended before it had a board */
        disk_logs_close(board->machine);
    disk_point_forget_board(board);
    for (int i = 0; i < BOARD_DRIVES; i++) {
        block_close(board->drive[i].medium);
        board->drive[i].medium = NULL;
    }
}

BoardDrive *board_find_drive(Board *board, const char *id) {
    for (int i = 0; i < BOARD_DRIVES; i++) {
        if (board->drive[i].present && strcmp(board->drive[i].id, id) == 0)
            return &board->drive[i];
    }
    return NULL;
}

static bool exchange(Board *board, BoardDrive *drive, BlockNode *medium, bool force, Error *error) {
    unsigned unit = 0;
    IdeChannel *channel = board_drive_channel(board, drive, &unit);
    bool good = drive->is_floppy ? i82077_change_media(board->floppy, drive->unit, medium, error)
                : channel != NULL
                    ? ide_channel_change_media(channel, unit, medium, force, error)
                    : error_set(error, "the medium of %s cannot be changed", drive->id);
    if (!good) {
        block_close(medium);
        return false;
    }
    block_close(drive->medium);
    drive->medium = medium;
    machine_tell_trays(board->machine);
    return true;
}

/* The old medium stays until the new one is known to be good. But an image is locked against a
 * second opening: the same one has to come out before it can go in again. */
bool board_change_medium(Board *board, BoardDrive *drive, const BlockOptions *options, bool force,
                         Error *error) {
    if (drive->medium != NULL && disk_media_same_file(block_path(drive->medium), options->path) &&
        !board_eject(board, drive, force, error))
        return false;
    bool was_open = board_tray_is_open(board, drive);
    BlockNode *medium = disk_media_open(board, options, error);
    if (medium == NULL || !exchange(board, drive, medium, force, error))
        return false;
    if (drive->is_cd && !was_open)
        machine_tell_exchange(board->machine, (unsigned)(drive - board->drive));
    return true;
}

bool board_tray_is_open(const Board *board, const BoardDrive *drive) {
    unsigned unit = 0;
    return drive->is_cd && ide_channel_tray_is_open(board_drive_channel(board, drive, &unit), unit);
}

bool board_tray_is_locked(const Board *board, const BoardDrive *drive) {
    unsigned unit = 0;
    return drive->is_cd &&
           ide_channel_tray_is_locked(board_drive_channel(board, drive, &unit), unit);
}

bool board_eject(Board *board, BoardDrive *drive, bool force, Error *error) {
    return exchange(board, drive, NULL, force, error);
}
