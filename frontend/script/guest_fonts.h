/* The fonts that the guest draws with in graphics modes: those in the ROM of the display adapter,
 * those that the BIOS's interrupt vectors lead to, and those of systems that draw by themselves, as
 * Linux does, which are found in memory. */
#ifndef REPRISE_GUEST_FONTS_H
#define REPRISE_GUEST_FONTS_H

#include "machine.h"
#include "screen_font.h"

enum {
    BIOS_ROM_FONTS = 3, /* 16, 14 and 8 lines */
    MEMORY_FONTS_MAXIMUM = 4,
    BIOS_FONT_BYTES_MAXIMUM = FONT_CHARACTERS * 32,
};

typedef struct GuestFonts {
    ScreenFont *rom[BIOS_ROM_FONTS];
    /* Which the guest has put in place itself, and the bytes that it was made of. */
    ScreenFont *loaded;
    uint32_t loaded_height;
    uint8_t loaded_bytes[BIOS_FONT_BYTES_MAXIMUM];
    /* Found in memory, other than those above. */
    ScreenFont *found[MEMORY_FONTS_MAXIMUM];
    unsigned found_count;
} GuestFonts;

/* Looks what there is now. The guest sees nothing of it. */
void guest_fonts_update(GuestFonts *fonts, Machine *machine);
void guest_fonts_free(GuestFonts *fonts);
/* Looks through all of memory for fonts of code page 437 that are not known yet. True: there were
 * some. */
bool guest_fonts_search_memory(GuestFonts *fonts, Machine *machine);
/* The fonts one by one, from 0 on; NULL after the last. */
const ScreenFont *guest_fonts_get(const GuestFonts *fonts, unsigned index);

/* Copies guest memory without a trace: what a device would answer for reads as 0. */
void guest_memory_peek(Machine *machine, uint32_t address, uint8_t *bytes, size_t size);

#endif
