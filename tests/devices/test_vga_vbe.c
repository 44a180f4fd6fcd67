/* The Bochs VBE extensions: registers, banks, the linear frame buffer, each depth. */
#include "vga_board.h"

static VgaBoard board;

START_TEST(registers_read_back) {
    board_create(&board);
    ck_assert_uint_eq(get_vbe(&board, VBE_ID), 0xB0C5);
    set_vbe(&board, VBE_ID, 0xB0C2);
    ck_assert_uint_eq(get_vbe(&board, VBE_ID), 0xB0C2);
    set_vbe(&board, VBE_ID, 0x1234);
    ck_assert_uint_eq(get_vbe(&board, VBE_ID), 0xB0C2);
    ck_assert_uint_eq(get_vbe(&board, VBE_VIDEO_MEMORY_64K), 256);
    set_vbe(&board, VBE_X_RESOLUTION, 800);
    ck_assert_uint_eq(port_map_read(board.ports, 0x1CE, 2), VBE_X_RESOLUTION);
    ck_assert_uint_eq(port_map_read(board.ports, 0x1D0, 2), 800);
    set_vbe(&board, VBE_ENABLE, VBE_GET_CAPABILITIES);
    ck_assert_uint_ge(get_vbe(&board, VBE_X_RESOLUTION), 2560);
    ck_assert_uint_ge(get_vbe(&board, VBE_Y_RESOLUTION), 1600);
    ck_assert_uint_eq(get_vbe(&board, VBE_BITS_PER_PIXEL), 32);
    set_vbe(&board, VBE_ENABLE, 0);
    ck_assert_uint_eq(get_vbe(&board, VBE_X_RESOLUTION), 800);
    ck_assert_uint_eq(get_vbe(&board, 15), 0);
    board_destroy(&board);
}
END_TEST

START_TEST(enabling_sets_the_virtual_screen_and_clears) {
    board_create(&board);
    memset(board.vga->vram, 0x55, 1 << 20);
    set_vbe(&board, VBE_VIRTUAL_WIDTH, 2000);
    set_vbe_mode(&board, 640, 480, 8);
    ck_assert_uint_eq(get_vbe(&board, VBE_VIRTUAL_WIDTH), 640);
    ck_assert_uint_eq(get_vbe(&board, VBE_VIRTUAL_HEIGHT), (16 << 20) / 640);
    ck_assert_uint_eq(board.vga->vram[640 * 480 - 1], 0);
    ck_assert_uint_eq(board.vga->vram[640 * 480], 0x55);
    board.vga->vram[5] = 0x66;
    set_vbe(&board, VBE_ENABLE, 0);
    set_vbe(&board, VBE_ENABLE, VBE_ENABLED | VBE_KEEP_MEMORY);
    ck_assert_uint_eq(board.vga->vram[5], 0x66);
    set_vbe(&board, VBE_ENABLE, VBE_ENABLED); /* was already: nothing is cleared */
    ck_assert_uint_eq(board.vga->vram[5], 0x66);
    board_destroy(&board);
}
END_TEST

START_TEST(impossible_modes_become_possible_ones) {
    static const uint16_t wishes[][5] = {
        /* width, height, bits, virtual width, offset */
        {0, 0, 0, 0, 0},           {65535, 65535, 32, 65535, 65535}, {1, 1, 4, 1, 65535},
        {16000, 12000, 4, 0, 1},   {804, 600, 24, 803, 9},           {640, 480, 7, 0, 0},
        {2560, 1600, 32, 4096, 9}, {8, 65535, 8, 65535, 0},          {16000, 1, 32, 65528, 65535},
    };
    board_create(&board);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        set_vbe_mode(&board, wishes[i][0], wishes[i][1], wishes[i][2]);
        set_vbe(&board, VBE_VIRTUAL_WIDTH, wishes[i][3]);
        set_vbe(&board, VBE_X_OFFSET, wishes[i][4]);
        set_vbe(&board, VBE_Y_OFFSET, wishes[i][4]);
        uint64_t width = get_vbe(&board, VBE_X_RESOLUTION);
        uint64_t height = get_vbe(&board, VBE_Y_RESOLUTION);
        uint64_t bits = get_vbe(&board, VBE_BITS_PER_PIXEL);
        uint64_t pitch = get_vbe(&board, VBE_VIRTUAL_WIDTH);
        uint64_t stored = bits == 15 ? 16 : bits;
        ck_assert_uint_ge(width, 8);
        ck_assert_uint_ge(height, 1);
        ck_assert_uint_ge(pitch, width);
        uint64_t used = (get_vbe(&board, VBE_Y_OFFSET) + height) * pitch * stored / 8;
        ck_assert_uint_le(used, 16 << 20);
        if (width * height < 4000000) {
            vga_render(board.vga, &board.surface);
            ck_assert_uint_eq(board.surface.width, width);
            ck_assert_uint_eq(board.surface.height, height);
        }
    }
    board_destroy(&board);
}
END_TEST

/* A pixel's bytes in memory, little-endian, and what is to be seen of it. */
typedef struct Depth {
    uint16_t bits;
    uint32_t bytes;
} Depth;

static uint32_t random_pixel(uint32_t x, uint32_t y) {
    return (x * 2654435761u ^ y * 40503u * 65537u) & 0xFFFFFF;
}

static uint32_t shown(uint16_t bits, uint32_t value) {
    uint32_t red, green, blue;
    switch (bits) {
    case 8:
        return test_colour(value & 0xFF);
    case 15:
        red = value >> 10 & 31, green = value >> 5 & 31, blue = value & 31;
        return (red * 8 + red / 4) << 16 | (green * 8 + green / 4) << 8 | (blue * 8 + blue / 4);
    case 16:
        red = value >> 11 & 31, green = value >> 5 & 63, blue = value & 31;
        return (red * 8 + red / 4) << 16 | (green * 4 + green / 16) << 8 | (blue * 8 + blue / 4);
    default:
        return value & 0xFFFFFF;
    }
}

static void check_depth(Depth depth) {
    const uint32_t width = 104, height = 60, pitch = 136;
    board_create(&board);
    board_set_mode(&board, &mode_13h);
    set_vbe_mode(&board, (uint16_t)width, (uint16_t)height, depth.bits);
    set_vbe(&board, VBE_VIRTUAL_WIDTH, (uint16_t)pitch);
    for (uint32_t y = 0; y < 100; y++)
        for (uint32_t x = 0; x < pitch; x++)
            for (uint32_t i = 0; i < depth.bytes; i++)
                poke(&board, BOARD_FRAME_BUFFER + (y * pitch + x) * depth.bytes + i,
                     (uint8_t)(random_pixel(x, y) >> 8 * i));
    for (uint16_t offset = 0; offset < 30; offset += 9) {
        set_vbe(&board, VBE_X_OFFSET, offset);
        set_vbe(&board, VBE_Y_OFFSET, offset);
        ck_assert(vga_render(board.vga, &board.surface));
        ck_assert_uint_eq(board.surface.width, width);
        for (uint32_t y = 0; y < height; y++)
            for (uint32_t x = 0; x < width; x++)
                check_pixel(&board, x, y, shown(depth.bits, random_pixel(x + offset, y + offset)));
    }
    board_destroy(&board);
}

START_TEST(depth_8) {
    check_depth((Depth){8, 1});
}
END_TEST

START_TEST(depth_15) {
    check_depth((Depth){15, 2});
}
END_TEST

START_TEST(depth_16) {
    check_depth((Depth){16, 2});
}
END_TEST

START_TEST(depth_24) {
    check_depth((Depth){24, 3});
}
END_TEST

START_TEST(depth_32) {
    check_depth((Depth){32, 4});
}
END_TEST

START_TEST(depth_4_is_planar) {
    board_create(&board);
    board_set_mode(&board, &mode_12h);
    set_vbe_mode(&board, 1280, 1024, 4);
    /* A dot at (8, 900): past the first bank of each plane. */
    uint32_t at = 900 * 160 + 1;
    set_vbe(&board, VBE_BANK, (uint16_t)(at >> 16));
    set_indexed(&board, 0x3C4, SEQUENCER_MAP_MASK, 0x05);
    poke(&board, 0xA0000 + (at & 0xFFFF), 0x80);
    vga_render(board.vga, &board.surface);
    check_pixel(&board, 8, 900, test_colour(mode_12h.attribute[5]));
    check_pixel(&board, 7, 900, test_colour(0));
    check_pixel(&board, 9, 900, test_colour(0));
    set_vbe(&board, VBE_X_OFFSET, 3); /* a dot's shift, not a byte's */
    vga_render(board.vga, &board.surface);
    check_pixel(&board, 5, 900, test_colour(mode_12h.attribute[5]));
    board_destroy(&board);
}
END_TEST

START_TEST(banks_show_the_frame_buffer) {
    board_create(&board);
    board_set_mode(&board, &mode_13h);
    set_vbe_mode(&board, 1024, 768, 8);
    for (unsigned pass = 0; pass < 2; pass++)
        for (uint16_t bank = 0; bank < 256; bank += 5) {
            set_vbe(&board, VBE_BANK, bank);
            if (pass != 0) { /* let it become plain memory */
                board.clock.stopped_ns += NS_PER_SECOND;
                clock_run_due(&board.clock);
            }
            bool direct = physical_map_page(board.memory, 0xA0).write != NULL;
            ck_assert_int_eq(direct, pass != 0);
            uint32_t value = 0x01020300u + bank + pass * 77;
            physical_write(board.memory, 0xA0000 + 0x1234, 4, value);
            uint32_t linear = BOARD_FRAME_BUFFER + bank * 0x10000u + 0x1234;
            ck_assert_uint_eq(physical_read(board.memory, linear, 4), value);
            physical_write(board.memory, linear, 2, 0xBEEF);
            ck_assert_uint_eq(physical_read(board.memory, 0xA0000 + 0x1234, 2), 0xBEEF);
        }
    set_vbe(&board, VBE_BANK, 0x1FF); /* there are 256 */
    ck_assert_uint_eq(get_vbe(&board, VBE_BANK), 0xFF);
    ck_assert_uint_eq(peek(&board, 0xB8000), 0xFF);
    board_destroy(&board);
}
END_TEST

/* 2560x1600 with 32 bits a pixel takes all but the last 384 KB of 16 MB. */
START_TEST(largest_mode_by_window_and_frame_buffer) {
    static const uint32_t places[][2] = {{0, 0}, {2559, 0}, {1, 800}, {0, 1599}, {2559, 1599}};
    board_create(&board);
    set_vbe_mode(&board, 2560, 1600, 32);
    ck_assert_uint_eq(get_vbe(&board, VBE_X_RESOLUTION), 2560);
    ck_assert_uint_eq(get_vbe(&board, VBE_Y_RESOLUTION), 1600);
    ck_assert_uint_eq(get_vbe(&board, VBE_VIRTUAL_HEIGHT), 1638);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint32_t offset = (places[i][1] * 2560 + places[i][0]) * 4, colour = 0x102030 * (i + 1);
        set_vbe(&board, VBE_BANK, (uint16_t)(offset >> 16));
        physical_write(board.memory, 0xA0000 + (offset & 0xFFFF), 4, colour);
        ck_assert_uint_eq(physical_read(board.memory, BOARD_FRAME_BUFFER + offset, 4), colour);
        physical_write(board.memory, BOARD_FRAME_BUFFER + offset + 4, 4, colour ^ 0xFF);
        if ((offset & 0xFFFF) < 0xFFFC)
            ck_assert_uint_eq(physical_read(board.memory, 0xA0000 + (offset & 0xFFFF) + 4, 4),
                              colour ^ 0xFF);
    }
    ck_assert(vga_render(board.vga, &board.surface));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        check_pixel(&board, places[i][0], places[i][1], 0x102030 * (uint32_t)(i + 1));
    /* One line further down there is room for. */
    set_vbe(&board, VBE_Y_OFFSET, 1);
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 1, 799, 0x306090);
    set_vbe(&board, VBE_Y_OFFSET, 500);
    ck_assert_uint_eq(get_vbe(&board, VBE_Y_OFFSET), 38);
    board_destroy(&board);
}
END_TEST

START_TEST(memory_has_the_size_that_was_asked_for) {
    for (uint32_t bytes = 1 << 20; bytes <= 256u << 20; bytes *= 4) {
        board_create_sized(&board, VGA_STANDARD, bytes);
        ck_assert_uint_eq(get_vbe(&board, VBE_VIDEO_MEMORY_64K), bytes >> 16);
        PciDevice *pci = pci_bus_device(board.bus, 2, 0);
        pci_device_config_write(pci, PCI_BASE_ADDRESS, 4, UINT32_MAX);
        ck_assert_uint_eq(pci_device_config_read(pci, PCI_BASE_ADDRESS, 4) & ~15u, 0u - bytes);
        pci_device_config_write(pci, PCI_BASE_ADDRESS, 4, BOARD_FRAME_BUFFER);
        set_vbe_mode(&board, 1024, 768, 32);
        uint32_t fits = bytes >> 20 < 3 ? bytes / 4096 : 768;
        ck_assert_uint_eq(get_vbe(&board, VBE_Y_RESOLUTION), fits);
        set_vbe(&board, VBE_BANK, (uint16_t)((bytes >> 16) - 1));
        physical_write(board.memory, 0xAFFFC, 4, 0xCAFE0000 + bytes);
        ck_assert_uint_eq(physical_read(board.memory, BOARD_FRAME_BUFFER + bytes - 4, 4),
                          0xCAFE0000 + bytes);
        ck_assert_ptr_null(
            physical_map_page(board.memory, (BOARD_FRAME_BUFFER + bytes) >> PAGE_BITS).read);
        vga_render(board.vga, &board.surface);
        board_destroy(&board);
    }
    Error error = {0};
    board_create(&board);
    DeviceContext context = {&board.clock, board.ports, board.memory, &board.devices, &board.trace};
    VgaConfig config = {.slot = 3, .memory_bytes = 3 << 20};
    ck_assert_ptr_null(vga_create(&context, board.bus, &config, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "power of two"));
    board_destroy(&board);
}
END_TEST

START_TEST(dac_of_eight_bits) {
    board_create(&board);
    set_vbe_mode(&board, 640, 480, 8);
    set_vbe(&board, VBE_ENABLE, VBE_ENABLED | VBE_LINEAR_FRAME_BUFFER | VBE_8BIT_DAC);
    set_dac(&board, 7, 0x12, 0xFE, 0x81);
    poke(&board, BOARD_FRAME_BUFFER, 7);
    vga_render(board.vga, &board.surface);
    check_pixel(&board, 0, 0, 0x12FE81);
    set_vbe(&board, VBE_ENABLE, VBE_ENABLED | VBE_LINEAR_FRAME_BUFFER);
    set_dac(&board, 7, 0xFF, 0x3F, 0x01); /* six of each count */
    vga_render(board.vga, &board.surface);
    check_pixel(&board, 0, 0, 0xFFFF07);
    board_destroy(&board);
}
END_TEST

START_TEST(only_changed_lines_are_drawn) {
    board_create(&board);
    board_set_mode(&board, &mode_13h);
    set_vbe_mode(&board, 1024, 768, 32); /* a page is a line */
    ck_assert(vga_render(board.vga, &board.surface));
    ck_assert_uint_eq(board.surface.changed_lines, 768);
    ck_assert(!vga_render(board.vga, &board.surface));
    physical_write(board.memory, BOARD_FRAME_BUFFER + 300 * 4096 + 40, 4, 0x123456);
    physical_write(board.memory, BOARD_FRAME_BUFFER + 310 * 4096 + 40, 4, 0x654321);
    ck_assert(vga_render(board.vga, &board.surface));
    ck_assert_uint_eq(board.surface.first_changed_line, 300);
    ck_assert_uint_eq(board.surface.changed_lines, 11);
    check_pixel(&board, 10, 300, 0x123456);
    check_pixel(&board, 10, 310, 0x654321);
    ck_assert(!vga_render(board.vga, &board.surface));
    /* Off the screen: nothing to draw until it is panned to. */
    physical_write(board.memory, BOARD_FRAME_BUFFER + 1000 * 4096, 4, 0xABCDEF);
    ck_assert(!vga_render(board.vga, &board.surface));
    set_vbe(&board, VBE_Y_OFFSET, 800);
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 0, 200, 0xABCDEF);
    board_destroy(&board);
}
END_TEST

START_TEST(disabling_returns_to_the_mode_before) {
    board_create(&board);
    board_set_mode(&board, &mode_3);
    vga_render(board.vga, &board.surface);
    set_vbe_mode(&board, 800, 600, 16);
    vga_render(board.vga, &board.surface);
    ck_assert_uint_eq(board.surface.width, 800);
    ck_assert_uint_eq(board.surface.aspect_width, 800);
    set_vbe(&board, VBE_ENABLE, 0);
    vga_render(board.vga, &board.surface);
    ck_assert_uint_eq(board.surface.width, 720);
    ck_assert_uint_eq(board.surface.aspect_width, 4);
    physical_write(board.memory, 0xB8000, 2, 0x0741);
    ck_assert_uint_eq(board.vga->vram[0], 0x41);
    ck_assert_uint_eq(board.vga->vram[1], 0x07);
    board_destroy(&board);
}
END_TEST

START_TEST(frame_buffer_follows_its_base_address) {
    board_create(&board);
    board.vga->vram[9] = 0x99;
    ck_assert_uint_eq(peek(&board, BOARD_FRAME_BUFFER + 9), 0x99);
    PciDevice *pci = pci_bus_device(board.bus, 2, 0);
    pci_device_config_write(pci, PCI_BASE_ADDRESS, 4, 0xE0000000);
    ck_assert_uint_eq(peek(&board, BOARD_FRAME_BUFFER + 9), 0xFF);
    ck_assert_uint_eq(peek(&board, 0xE0000009), 0x99);
    pci_device_config_write(pci, PCI_COMMAND, 2, 0);
    ck_assert_uint_eq(peek(&board, 0xE0000009), 0xFF);
    ck_assert_uint_eq(peek(&board, BOARD_REGISTERS + 0x600), 0xFF);
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        registers_read_back,
        enabling_sets_the_virtual_screen_and_clears,
        impossible_modes_become_possible_ones,
        depth_8,
        depth_15,
        depth_16,
        depth_24,
        depth_32,
        depth_4_is_planar,
        banks_show_the_frame_buffer,
        largest_mode_by_window_and_frame_buffer,
        memory_has_the_size_that_was_asked_for,
        dac_of_eight_bits,
        only_changed_lines_are_drawn,
        disabling_returns_to_the_mode_before,
        frame_buffer_follows_its_base_address,
        NULL,
    };
    return board_run_suite("bochs vbe", tests);
}
