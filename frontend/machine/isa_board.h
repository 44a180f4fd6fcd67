/* What is different on a board without a PCI bus: memory below 1 MB is RAM with a copy of the BIOS
 * in it, the IDE channels stand alone, and much cannot be plugged in. */
#ifndef REPRISE_ISA_BOARD_H
#define REPRISE_ISA_BOARD_H

#include "board.h"
#include "ide.h"

/* False, with an error that names it, if an ISA board is to have what hangs on a PCI bus, or
 * several processors. Any other configuration is fine. */
bool isa_board_check_config(const MachineConfig *config, Error *error);

/* Can the BIOS be copied below 1 MB? */
bool isa_board_check_firmware(const Board *board, Error *error);
/* At RESET: the BIOS's end, up to 128 KB of it, to below 1 MB. */
void isa_board_load_bios(Board *board);

/* Two channels where PCs have them, with these MACHINE_IDE_DRIVES drives and BOARD_IDE_CHANNELS
 * interrupt lines. */
bool isa_board_create_ide(Board *board, const IdeDriveOptions *drives, const Wire *irqs,
                          Error *error);
void isa_board_destroy_ide(Board *board);

#endif
