/* What a board was built from and never changes: BIOS, VGA BIOS, ROMs of network cards, what fw_cfg
 * offers (a kernel is among it). A clone's board takes it over instead of reading files again. */
#ifndef REPRISE_BOARD_ROMS_H
#define REPRISE_BOARD_ROMS_H

#include "board.h"
#include "fw_cfg.h"
#include "shared_bytes.h"

typedef struct BoardRoms {
    SharedBytes *bios;
    SharedBytes *vga_bios;                       /* NULL: there is no adapter */
    SharedBytes *network[MACHINE_NETWORK_CARDS]; /* NULL: the card has none */
    FwCfgItems *items;
} BoardRoms;

void board_roms_share(BoardRoms *roms, const Board *board);
void board_roms_release(BoardRoms *roms);

#endif
