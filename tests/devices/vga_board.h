/* A board with nothing but a VGA on it, and the standard modes' register values: for the tests of
 * the VGA. */
#ifndef REPRISE_VGA_BOARD_H
#define REPRISE_VGA_BOARD_H

#include "vga.h"
#include "vga_internal.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

typedef struct VgaBoard {
    VirtualClock clock;
    PortMap *ports;
    PhysicalMap *memory;
    DeviceList devices;
    Trace trace;
    PciBus *bus;
    Vga *vga;
    DisplaySurface surface;
} VgaBoard;

enum { BOARD_FRAME_BUFFER = 0x10000000, BOARD_REGISTERS = 0x20000000 };

/* 'memory_bytes' 0: as usual. */
static inline void board_create_sized(VgaBoard *board, VgaModel model, uint32_t memory_bytes) {
    memset(board, 0, sizeof *board);
    Error error = {0};
    clock_init(&board->clock);
    board->ports = port_map_create();
    board->memory = physical_map_create(2 << 20, &error);
    ck_assert_msg(board->memory != NULL, "%s", error.message);
    DeviceContext context = {&board->clock, board->ports, board->memory, &board->devices,
                             &board->trace};
    board->bus = pci_bus_create(&context, &error);
    VgaConfig config = {.slot = 2, .model = model, .memory_bytes = memory_bytes};
    board->vga = vga_create(&context, board->bus, &config, &error);
    ck_assert_msg(board->vga != NULL, "%s", error.message);
    PciDevice *pci = pci_bus_device(board->bus, 2, 0);
    pci_device_config_write(pci, PCI_BASE_ADDRESS, 4, BOARD_FRAME_BUFFER);
    unsigned registers_bar = model == VGA_CIRRUS ? 1 : 2;
    pci_device_config_write(pci, PCI_BASE_ADDRESS + 4 * registers_bar, 4, BOARD_REGISTERS);
    pci_device_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

static inline void board_create_model(VgaBoard *board, VgaModel model) {
    board_create_sized(board, model, 0);
}

static inline void board_create(VgaBoard *board) {
    board_create_model(board, VGA_STANDARD);
}

static inline void board_destroy(VgaBoard *board) {
    display_surface_free(&board->surface);
    vga_destroy(board->vga);
    pci_bus_destroy(board->bus);
    physical_map_destroy(board->memory);
    port_map_destroy(board->ports);
    clock_destroy(&board->clock);
}

static inline void out8(VgaBoard *board, uint16_t port, uint8_t value) {
    port_map_write(board->ports, port, 1, value);
}

static inline uint8_t in8(VgaBoard *board, uint16_t port) {
    return (uint8_t)port_map_read(board->ports, port, 1);
}

static inline void set_indexed(VgaBoard *board, uint16_t port, uint8_t index, uint8_t value) {
    port_map_write(board->ports, port, 2, (uint32_t)(index | value << 8));
}

static inline void set_attribute(VgaBoard *board, uint8_t index, uint8_t value) {
    in8(board, 0x3DA);
    out8(board, 0x3C0, index);
    out8(board, 0x3C0, value);
    out8(board, 0x3C0, 0x20);
}

static inline void set_dac(VgaBoard *board, uint8_t index, uint8_t red, uint8_t green,
                           uint8_t blue) {
    out8(board, 0x3C8, index);
    out8(board, 0x3C9, red);
    out8(board, 0x3C9, green);
    out8(board, 0x3C9, blue);
}

static inline void set_vbe(VgaBoard *board, uint16_t index, uint16_t value) {
    port_map_write(board->ports, 0x1CE, 2, index);
    port_map_write(board->ports, 0x1CF, 2, value);
}

static inline uint16_t get_vbe(VgaBoard *board, uint16_t index) {
    port_map_write(board->ports, 0x1CE, 2, index);
    return (uint16_t)port_map_read(board->ports, 0x1CF, 2);
}

static inline void set_vbe_mode(VgaBoard *board, uint16_t width, uint16_t height, uint16_t bits) {
    in8(board, 0x3BA);
    in8(board, 0x3DA);
    out8(board, 0x3C0, 0x20);
    set_vbe(board, VBE_ENABLE, 0);
    set_vbe(board, VBE_X_RESOLUTION, width);
    set_vbe(board, VBE_Y_RESOLUTION, height);
    set_vbe(board, VBE_BITS_PER_PIXEL, bits);
    set_vbe(board, VBE_ENABLE, VBE_ENABLED | VBE_LINEAR_FRAME_BUFFER);
}

static inline void poke(VgaBoard *board, uint32_t address, uint8_t value) {
    physical_write(board->memory, address, 1, value);
}

static inline uint8_t peek(VgaBoard *board, uint32_t address) {
    return (uint8_t)physical_read(board->memory, address, 1);
}

/* Check notes every assertion that it passes, which is slow for each pixel of a picture: these
 * speak only when something is wrong. */
static inline uint32_t pixel(const VgaBoard *board, uint32_t x, uint32_t y) {
    if (x >= board->surface.width || y >= board->surface.height)
        ck_abort_msg("(%u, %u) lies outside the picture", x, y);
    return display_surface_line(&board->surface, y)[x];
}

static inline void check_pixel(const VgaBoard *board, uint32_t x, uint32_t y, uint32_t expected) {
    if (pixel(board, x, y) != expected)
        ck_abort_msg("(%u, %u) is %06X, not %06X", x, y, pixel(board, x, y), expected);
}

/* Entry i of the DAC becomes a colour from which i can be told. */
static inline uint32_t test_colour(unsigned entry) {
    unsigned red = entry & 0x3F, green = (entry >> 2) & 0x3F, blue = (entry * 7) & 0x3F;
    uint32_t six[3] = {red, green, blue}, rgb = 0;
    for (int i = 0; i < 3; i++)
        rgb = rgb << 8 | six[i] << 2 | ((six[i] & 1) != 0 ? 3u : 0u);
    return rgb;
}

typedef struct ModeValues {
    uint8_t miscellaneous, sequencer[5], crtc[25], graphics[9], attribute[21];
} ModeValues;

/* As the parameter table of IBM's BIOS has them. */
// clang-format off
static const ModeValues mode_3 = { /* text, 80x25 characters of 9x16 */
    0x67, {0x03, 0x00, 0x03, 0x00, 0x02},
    {0x5F, 0x4F, 0x50, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0x00, 0x4F, 0x0D, 0x0E, 0x00, 0x00, 0x00, 0x00,
     0x9C, 0x8E, 0x8F, 0x28, 0x1F, 0x96, 0xB9, 0xA3, 0xFF},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0E, 0x00, 0xFF},
    {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
     0x0C, 0x00, 0x0F, 0x08, 0x00}};
__attribute__((unused)) static const ModeValues mode_4 = { /* 320x200, 4 colours, as CGA */
    0x63, {0x03, 0x09, 0x03, 0x00, 0x02},
    {0x2D, 0x27, 0x28, 0x90, 0x2B, 0x80, 0xBF, 0x1F, 0x00, 0xC1, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x9C, 0x8E, 0x8F, 0x14, 0x00, 0x96, 0xB9, 0xA2, 0xFF},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x30, 0x0F, 0x00, 0xFF},
    {0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
     0x01, 0x00, 0x03, 0x00, 0x00}};
__attribute__((unused)) static const ModeValues mode_6 = { /* 640x200, 2 colours, as CGA */
    0x63, {0x03, 0x01, 0x01, 0x00, 0x06},
    {0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0xBF, 0x1F, 0x00, 0xC1, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x9C, 0x8E, 0x8F, 0x28, 0x00, 0x96, 0xB9, 0xC2, 0xFF},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0D, 0x00, 0xFF},
    {0x00, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17,
     0x01, 0x00, 0x01, 0x00, 0x00}};
__attribute__((unused)) static const ModeValues mode_d = { /* 320x200, 16 colours */
    0x63, {0x03, 0x09, 0x0F, 0x00, 0x06},
    {0x2D, 0x27, 0x28, 0x90, 0x2B, 0x80, 0xBF, 0x1F, 0x00, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x9C, 0x8E, 0x8F, 0x14, 0x00, 0x96, 0xB9, 0xE3, 0xFF},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x0F, 0xFF},
    {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
     0x01, 0x00, 0x0F, 0x00, 0x00}};
__attribute__((unused)) static const ModeValues mode_12h = { /* 640x480, 16 colours */
    0xE3, {0x03, 0x01, 0x0F, 0x00, 0x06},
    {0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0x0B, 0x3E, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0xEA, 0x8C, 0xDF, 0x28, 0x00, 0xE7, 0x04, 0xE3, 0xFF},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x0F, 0xFF},
    {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F,
     0x01, 0x00, 0x0F, 0x00, 0x00}};
__attribute__((unused)) static const ModeValues mode_13h = { /* 320x200, 256 colours */
    0x63, {0x03, 0x01, 0x0F, 0x00, 0x0E},
    {0x5F, 0x4F, 0x50, 0x82, 0x54, 0x80, 0xBF, 0x1F, 0x00, 0x41, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
     0x9C, 0x8E, 0x8F, 0x28, 0x40, 0x96, 0xB9, 0xA3, 0xFF},
    {0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0F, 0xFF},
    {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
     0x41, 0x00, 0x0F, 0x00, 0x00}};
// clang-format on

/* Sets a mode as a BIOS does, with test_colour() in the DAC. */
static inline void board_set_mode(VgaBoard *board, const ModeValues *mode) {
    out8(board, 0x3C2, mode->miscellaneous);
    for (uint8_t i = 0; i < 5; i++)
        set_indexed(board, 0x3C4, i, mode->sequencer[i]);
    set_indexed(board, 0x3D4, CRTC_VERTICAL_RETRACE_END, 0);
    for (uint8_t i = 0; i < 25; i++)
        set_indexed(board, 0x3D4, i, mode->crtc[i]);
    for (uint8_t i = 0; i < 9; i++)
        set_indexed(board, 0x3CE, i, mode->graphics[i]);
    for (uint8_t i = 0; i < 21; i++)
        set_attribute(board, i, mode->attribute[i]);
    out8(board, 0x3C6, 0xFF);
    for (unsigned i = 0; i < 256; i++)
        set_dac(board, (uint8_t)i, i & 0x3F, (i >> 2) & 0x3F, (i * 7) & 0x3F);
}

static inline int board_run_suite(const char *name, const TTest *const *tests) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    for (; *tests != NULL; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

#endif
