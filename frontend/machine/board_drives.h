/* Drives of every kind: what their chips are asked for and told in the same way. */
#ifndef REPRISE_BOARD_DRIVES_H
#define REPRISE_BOARD_DRIVES_H

#include "board.h"
#include "ide.h"

/* The channel that an ATA drive is on, behind whichever controller, and which of its drives; NULL
 * for what is no ATA drive. */
IdeChannel *board_drive_channel(const Board *board, const BoardDrive *drive, unsigned *unit);

/* What a disk tells of its geometry; all zero for anything else. */
IdeGeometry board_drive_geometry(const Board *board, const BoardDrive *drive);

/* What is known of a disk's geometry before it is made: from the machine that this one is a clone
 * of, from the user, or from its image; 0 cylinders: nothing. */
IdeGeometry board_known_geometry(const Board *board, unsigned drive, const DriveConfig *config);

/* For a drive whose State is restored from elsewhere. The old medium stays the caller's. */
void board_drive_restore_medium(Board *board, const BoardDrive *drive, BlockNode *medium);
void board_drive_restore_geometry(Board *board, const BoardDrive *drive, IdeGeometry geometry);

/* board_pci_disks.c: the disks on the PCI bus, with their controllers. First of all, which slot
 * each gets. */
bool board_place_pci_disks(Board *board, Error *error);
bool board_create_pci_disks(Board *board, Error *error);
void board_destroy_pci_disks(Board *board);
/* How firmware names the disk with this number: an Open Firmware path. */
void board_print_pci_disk_path(const Board *board, unsigned disk, ByteBuffer *text);

#endif
