#include "board_roms.h"

void board_roms_share(BoardRoms *roms, const Board *board) {
    *roms = (BoardRoms){.bios = shared_bytes_hold(board->bios),
                        .vga_bios = shared_bytes_hold(board->vga_bios),
                        .items = fw_cfg_share_items(board->fw_cfg)};
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        roms->network[i] = shared_bytes_hold(board->network_card[i].rom);
}

void board_roms_release(BoardRoms *roms) {
    shared_bytes_release(roms->bios);
    shared_bytes_release(roms->vga_bios);
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        shared_bytes_release(roms->network[i]);
    fw_cfg_release_items(roms->items);
    *roms = (BoardRoms){.bios = NULL};
}
