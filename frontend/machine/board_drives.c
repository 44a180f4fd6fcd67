#include "board_drives.h"
#include "ahci.h"
#include "disk_media.h"
#include "i82077.h"
#include "ide.h"
#include "machine_parts.h"
#include "nvme.h"
#include "scsi_cd.h"
#include "scsi_disk.h"
#include "virtio_blk.h"

IdeChannel *board_drive_channel(const Board *board, const BoardDrive *drive, unsigned *unit) {
    *unit = 0;
    if (drive->is_floppy)
        return NULL;
    if (drive->is_on_pci) {
        const PciDiskConfig *config = &board->machine->config.pci_disk[drive->unit];
        if (board->scsi_cd[drive->unit] != NULL)
            return scsi_cd_channel(board->scsi_cd[drive->unit]);
        return config->drive.present && config->kind == PCI_DISK_AHCI
                   ? ahci_channel(board->ahci, config->port)
                   : NULL;
    }
    *unit = drive->unit % IDE_CHANNEL_DRIVES;
    return board->ide_channel[drive->unit / IDE_CHANNEL_DRIVES];
}

IdeGeometry board_drive_geometry(const Board *board, const BoardDrive *drive) {
    unsigned unit = 0;
    IdeChannel *channel = board_drive_channel(board, drive, &unit);
    if (channel != NULL)
        return ide_channel_geometry(channel, unit);
    if (drive->is_on_pci && board->virtio_disk[drive->unit] != NULL)
        return virtio_blk_geometry(board->virtio_disk[drive->unit]);
    if (drive->is_on_pci && board->scsi_disk[drive->unit] != NULL)
        return scsi_disk_geometry(board->scsi_disk[drive->unit]);
    return (IdeGeometry){0};
}

/* What the image says, if a drive can be so: the limits are IDENTIFY DEVICE's and the registers'.
 */
static bool find_image_geometry(const BlockNode *medium, IdeGeometry *result) {
    BlockGeometry image;
    if (medium == NULL || !block_geometry(medium, &image))
        return false;
    uint64_t sectors = (uint64_t)image.cylinders * image.heads * image.sectors;
    if (image.cylinders > 16383 || image.heads > 16 || image.sectors > 63 ||
        sectors > block_length(medium) / IDE_SECTOR_BYTES)
        return false;
    *result = (IdeGeometry){.cylinders = image.cylinders,
                            .heads = image.heads,
                            .sectors = image.sectors,
                            .translation = image.cylinders <= 1024 ? IDE_TRANSLATION_NONE
                                                                   : IDE_TRANSLATION_LBA};
    return true;
}

IdeGeometry board_known_geometry(const Board *board, unsigned drive, const DriveConfig *config) {
    const struct DiskBase *base = board->machine->config.disks;
    const DriveGeometry *given = &config->geometry;
    if (base != NULL)
        return disk_base_geometry(base, drive);
    IdeGeometry said;
    if (given->cylinders == 0 && find_image_geometry(board->drive[drive].medium, &said))
        return said;
    return (IdeGeometry){.cylinders = given->cylinders,
                         .heads = given->heads,
                         .sectors = given->sectors,
                         .translation = (IdeTranslation)given->translation};
}

void board_drive_restore_medium(Board *board, const BoardDrive *drive, BlockNode *medium) {
    unsigned unit = 0;
    IdeChannel *channel = board_drive_channel(board, drive, &unit);
    if (drive->is_floppy)
        i82077_restore_medium(board->floppy, drive->unit, medium);
    else if (channel != NULL)
        ide_channel_restore_medium(channel, unit, medium);
    else if (board->virtio_disk[drive->unit] != NULL)
        virtio_blk_restore_medium(board->virtio_disk[drive->unit], medium);
    else if (board->scsi_disk[drive->unit] != NULL)
        scsi_disk_restore_medium(board->scsi_disk[drive->unit], medium);
    else if (board->nvme_disk[drive->unit] != NULL)
        nvme_restore_medium(board->nvme_disk[drive->unit], medium);
}

void board_drive_restore_geometry(Board *board, const BoardDrive *drive, IdeGeometry geometry) {
    unsigned unit = 0;
    IdeChannel *channel = board_drive_channel(board, drive, &unit);
    if (channel != NULL)
        ide_channel_restore_geometry(channel, unit, geometry);
    else if (drive->is_on_pci && board->virtio_disk[drive->unit] != NULL)
        virtio_blk_restore_geometry(board->virtio_disk[drive->unit], geometry);
    else if (drive->is_on_pci && board->scsi_disk[drive->unit] != NULL)
        scsi_disk_restore_geometry(board->scsi_disk[drive->unit], geometry);
}
