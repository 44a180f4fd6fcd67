/* The fonts that the guest's BIOS draws with in graphics modes: those in the ROM of the display
 * adapter, and those that its interrupt vectors lead to. */
#ifndef REPRISE_BIOS_FONTS_H
#define REPRISE_BIOS_FONTS_H

#include "machine.h"
#include "screen_font.h"

enum {
    BIOS_ROM_FONTS = 3, /* 16, 14 and 8 lines */
    BIOS_FONT_BYTES_MAXIMUM = FONT_CHARACTERS * 32,
};

typedef struct BiosFonts {
    ScreenFont *rom[BIOS_ROM_FONTS];
    /* Which the guest has put in place itself, and the bytes that it was made of. */
    ScreenFont *loaded;
    uint32_t loaded_height;
    uint8_t loaded_bytes[BIOS_FONT_BYTES_MAXIMUM];
} BiosFonts;

/* Looks what there is now. The guest sees nothing of it. */
void bios_fonts_update(BiosFonts *fonts, Machine *machine);
void bios_fonts_free(BiosFonts *fonts);
/* The fonts one by one, from 0 on; NULL after the last. */
const ScreenFont *bios_fonts_get(const BiosFonts *fonts, unsigned index);

/* Copies guest memory without a trace: what a device would answer for reads as 0. */
void guest_memory_peek(Machine *machine, uint32_t address, uint8_t *bytes, size_t size);

#endif
