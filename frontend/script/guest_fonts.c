#include "guest_fonts.h"
#include "allocate.h"
#include "bios_font.h"
#include "little_endian.h"
#include "machine_parts.h"
#include <stdlib.h>
#include <string.h>

enum {
    ROM_BASE = 0xC0000, /* of the adapter, shadowed in RAM or not */
    ROM_BYTES = 0x10000,
    VECTOR_FONT = 0x43 * 4,       /* leads to the font of the mode ... */
    VECTOR_UPPER_HALF = 0x1F * 4, /* ... and this to the upper half of one of 8 lines */
    BIOS_CHARACTER_HEIGHT = 0x485,
    HALF_CHARACTERS = 128,
};

static const uint32_t rom_heights[BIOS_ROM_FONTS] = {16, 14, 8};

void guest_memory_peek(Machine *machine, uint32_t address, uint8_t *bytes, size_t size) {
    while (size != 0) {
        uint32_t offset = address & PAGE_OFFSET_MASK;
        size_t part = PAGE_SIZE - offset < size ? PAGE_SIZE - offset : size;
        const uint8_t *page = physical_map_page(machine->memory, address >> PAGE_BITS).read;
        if (page != NULL)
            memcpy(bytes, page + offset, part);
        else
            memset(bytes, 0, part);
        address += (uint32_t)part;
        bytes += part;
        size -= part;
    }
}

static void search_rom(GuestFonts *fonts, Machine *machine) {
    uint8_t *rom = allocate_zeroed(ROM_BYTES);
    guest_memory_peek(machine, ROM_BASE, rom, ROM_BYTES);
    for (unsigned i = 0; i < BIOS_ROM_FONTS; i++) {
        size_t at = bios_font_search(rom, ROM_BYTES, rom_heights[i]);
        if (at != SIZE_MAX)
            fonts->rom[i] = screen_font_create_code_page_437(rom + at, rom_heights[i]);
    }
    free(rom);
}

static uint32_t read_vector(Machine *machine, uint32_t vector) {
    uint8_t bytes[4];
    guest_memory_peek(machine, vector, bytes, sizeof bytes);
    return load_le16(bytes) + load_le16(bytes + 2) * 16u;
}

/* The bytes of the font that the vectors lead to; its height. 0: none of a known format. In a
 * protected-mode system there may be anything: such a font is found on no screen. */
static uint32_t peek_loaded(Machine *machine, uint8_t *bytes) {
    uint8_t height;
    guest_memory_peek(machine, BIOS_CHARACTER_HEIGHT, &height, 1);
    if (height < 6 || height > BIOS_FONT_BYTES_MAXIMUM / FONT_CHARACTERS)
        return 0;
    size_t half = (size_t)HALF_CHARACTERS * height;
    uint32_t lower = read_vector(machine, VECTOR_FONT);
    uint32_t upper = height == 8 ? read_vector(machine, VECTOR_UPPER_HALF) : lower + (uint32_t)half;
    guest_memory_peek(machine, lower, bytes, half);
    guest_memory_peek(machine, upper, bytes + half, half);
    return height;
}

static bool is_blank(const uint8_t *glyph, uint32_t height) {
    for (uint32_t row = 0; row < height; row++)
        if (glyph[row] != 0)
            return false;
    return true;
}

static void update_loaded(GuestFonts *fonts, Machine *machine) {
    uint8_t bytes[BIOS_FONT_BYTES_MAXIMUM] = {0};
    uint32_t height = peek_loaded(machine, bytes);
    if (height == fonts->loaded_height && memcmp(bytes, fonts->loaded_bytes, sizeof bytes) == 0)
        return;
    screen_font_free(fonts->loaded);
    fonts->loaded = NULL;
    fonts->loaded_height = height;
    memcpy(fonts->loaded_bytes, bytes, sizeof bytes);
    if (height != 0 && is_blank(bytes + ' ' * height, height) &&
        !is_blank(bytes + 'A' * height, height))
        fonts->loaded = screen_font_create_code_page_437(bytes, height);
}

void guest_fonts_update(GuestFonts *fonts, Machine *machine) {
    if (fonts->rom[0] == NULL)
        search_rom(fonts, machine);
    update_loaded(fonts, machine);
}

/* Whether every glyph of a font is one of another, for the same character. */
static bool has_all_glyphs(const ScreenFont *font, const ScreenFont *other) {
    if (font->width != other->width || font->height != other->height)
        return false;
    for (size_t i = 0; i < other->count; i++) {
        const ScreenGlyph *glyph = screen_font_find(font, other->glyphs[i].rows);
        if (glyph == NULL || glyph->character != other->glyphs[i].character)
            return false;
    }
    return true;
}

static bool is_known(const GuestFonts *fonts, const ScreenFont *font) {
    const ScreenFont *known;
    for (unsigned i = 0; (known = guest_fonts_get(fonts, i)) != NULL; i++)
        if (has_all_glyphs(known, font))
            return true;
    return false;
}

static void search_height(GuestFonts *fonts, const uint8_t *ram, size_t size, uint32_t height) {
    size_t font_bytes = (size_t)FONT_CHARACTERS * height;
    for (size_t from = 0; fonts->found_count < MEMORY_FONTS_MAXIMUM;) {
        size_t at = bios_font_search(ram + from, size - from, height);
        if (at == SIZE_MAX)
            return;
        ScreenFont *font = screen_font_create_code_page_437(ram + from + at, height);
        if (is_known(fonts, font))
            screen_font_free(font);
        else
            fonts->found[fonts->found_count++] = font;
        from += at + font_bytes;
    }
}

bool guest_fonts_search_memory(GuestFonts *fonts, Machine *machine) {
    unsigned before = fonts->found_count;
    const uint8_t *ram = physical_map_ram(machine->memory);
    size_t size = physical_map_ram_bytes(machine->memory);
    for (unsigned i = 0; i < BIOS_ROM_FONTS; i++)
        search_height(fonts, ram, size, rom_heights[i]);
    return fonts->found_count != before;
}

void guest_fonts_free(GuestFonts *fonts) {
    for (unsigned i = 0; i < BIOS_ROM_FONTS; i++)
        screen_font_free(fonts->rom[i]);
    screen_font_free(fonts->loaded);
    for (unsigned i = 0; i < fonts->found_count; i++)
        screen_font_free(fonts->found[i]);
    memset(fonts, 0, sizeof *fonts);
}

const ScreenFont *guest_fonts_get(const GuestFonts *fonts, unsigned index) {
    const ScreenFont *all[BIOS_ROM_FONTS + 1 + MEMORY_FONTS_MAXIMUM];
    unsigned count = 0;
    for (unsigned i = 0; i < BIOS_ROM_FONTS; i++)
        if (fonts->rom[i] != NULL)
            all[count++] = fonts->rom[i];
    if (fonts->loaded != NULL)
        all[count++] = fonts->loaded;
    for (unsigned i = 0; i < fonts->found_count; i++)
        all[count++] = fonts->found[i];
    return index < count ? all[index] : NULL;
}
