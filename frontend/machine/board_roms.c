#include "board_roms.h"

void board_roms_share(BoardRoms *roms, const Board *board) {
    *roms = (BoardRoms){.bios = shared_bytes_hold(board->bios),
                        .vga_bios = shared_bytes_hold(board->vga_bios),
                        .items = fw_cfg_share_items(board->fw_cfg)};
}

void board_roms_release(BoardRoms *roms) {
    shared_bytes_release(roms->bios);
    shared_bytes_release(roms->vga_bios);
    fw_cfg_release_items(roms->items);
    *roms = (BoardRoms){.bios = NULL};
}
