/* The VGA's registers through its ports: what can be written, what reads back, what resets. */
#include "vga_board.h"

static VgaBoard board;

START_TEST(indexed_registers_keep_the_bits_that_exist) {
    static const struct {
        uint16_t port;
        uint8_t index, bits;
    } rows[] = {
        {0x3C4, 0, 0x03}, {0x3C4, 1, 0x3D}, {0x3C4, 2, 0x0F},  {0x3C4, 3, 0x3F},  {0x3C4, 4, 0x0E},
        {0x3CE, 0, 0x0F}, {0x3CE, 1, 0x0F}, {0x3CE, 2, 0x0F},  {0x3CE, 3, 0x1F},  {0x3CE, 4, 0x03},
        {0x3CE, 5, 0x7B}, {0x3CE, 6, 0x0F}, {0x3CE, 7, 0x0F},  {0x3CE, 8, 0xFF},  {0x3D4, 0, 0xFF},
        {0x3D4, 7, 0xFF}, {0x3D4, 9, 0xFF}, {0x3D4, 14, 0xFF}, {0x3D4, 24, 0xFF},
    };
    board_create(&board);
    out8(&board, 0x3C2, 0x63);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned value = 0; value <= 0xFF; value += 0x33) {
            set_indexed(&board, rows[i].port, rows[i].index, (uint8_t)value);
            ck_assert_uint_eq(in8(&board, rows[i].port), rows[i].index);
            ck_assert_uint_eq(in8(&board, rows[i].port + 1), value & rows[i].bits);
        }
    board_destroy(&board);
}
END_TEST

START_TEST(attribute_index_and_data_take_turns) {
    board_create(&board);
    out8(&board, 0x3C2, 0x63);
    in8(&board, 0x3DA);
    out8(&board, 0x3C0, 0x05);
    out8(&board, 0x3C0, 0xFF);
    out8(&board, 0x3C0, 0x10);
    out8(&board, 0x3C0, 0xFF);
    out8(&board, 0x3C0, 0x05);
    ck_assert_uint_eq(in8(&board, 0x3C1), 0x3F);
    ck_assert_uint_eq(in8(&board, 0x3C0), 0x05);
    in8(&board, 0x3DA); /* expects an index again */
    out8(&board, 0x3C0, 0x30);
    ck_assert_uint_eq(in8(&board, 0x3C1), 0xEF);
    ck_assert_uint_eq(in8(&board, 0x3C0), 0x30);
    out8(&board, 0x3D4, CRTC_ATTRIBUTE_STATE);
    ck_assert_uint_eq(in8(&board, 0x3D5), 0x80);
    in8(&board, 0x3DA);
    ck_assert_uint_eq(in8(&board, 0x3D5), 0x00);
    board_destroy(&board);
}
END_TEST

START_TEST(crtc_protects_its_first_registers) {
    board_create(&board);
    out8(&board, 0x3C2, 0x63);
    for (uint8_t i = 0; i <= 8; i++)
        set_indexed(&board, 0x3D4, i, 0x00);
    set_indexed(&board, 0x3D4, CRTC_VERTICAL_RETRACE_END, CRTC_PROTECT);
    for (uint8_t i = 0; i <= 8; i++)
        set_indexed(&board, 0x3D4, i, 0xFF);
    for (uint8_t i = 0; i <= 8; i++) {
        out8(&board, 0x3D4, i);
        uint8_t expected = i == 8 ? 0xFF : i == 7 ? CRTC_OVERFLOW_LINE_COMPARE : 0;
        ck_assert_uint_eq(in8(&board, 0x3D5), expected);
    }
    set_indexed(&board, 0x3D4, CRTC_VERTICAL_RETRACE_END, 0);
    set_indexed(&board, 0x3D4, 0, 0x5F);
    ck_assert_uint_eq(in8(&board, 0x3D5), 0x5F);
    set_indexed(&board, 0x3D4, 0x3F, 0x5F); /* there is no such register */
    ck_assert_uint_eq(in8(&board, 0x3D5), 0xFF);
    board_destroy(&board);
}
END_TEST

START_TEST(crtc_moves_with_the_miscellaneous_register) {
    board_create(&board);
    out8(&board, 0x3C2, 0x63);
    set_indexed(&board, 0x3D4, 0x0F, 0x12);
    ck_assert_uint_eq(in8(&board, 0x3B5), 0xFF);
    out8(&board, 0x3C2, 0x62);
    ck_assert_uint_eq(in8(&board, 0x3CC), 0x62);
    ck_assert_uint_eq(in8(&board, 0x3D5), 0xFF);
    ck_assert_uint_eq(in8(&board, 0x3B4), 0x0F);
    ck_assert_uint_eq(in8(&board, 0x3B5), 0x12);
    out8(&board, 0x3D5, 0x34); /* nobody there */
    ck_assert_uint_eq(in8(&board, 0x3B5), 0x12);
    ck_assert_uint_ne(in8(&board, 0x3BA), 0xFF);
    ck_assert_uint_eq(in8(&board, 0x3DA), 0xFF);
    board_destroy(&board);
}
END_TEST

START_TEST(dac_takes_and_gives_three_components) {
    board_create(&board);
    out8(&board, 0x3C8, 254);
    for (unsigned i = 0; i < 9; i++) /* goes round to entry 0 */
        out8(&board, 0x3C9, (uint8_t)(0xC0 + i));
    ck_assert_uint_eq(in8(&board, 0x3C7), 0);
    ck_assert_uint_eq(in8(&board, 0x3C8), 1);
    out8(&board, 0x3C7, 254);
    ck_assert_uint_eq(in8(&board, 0x3C7), 3);
    for (unsigned i = 0; i < 9; i++)
        ck_assert_uint_eq(in8(&board, 0x3C9), i);
    /* Two components are not yet a colour. */
    out8(&board, 0x3C8, 7);
    out8(&board, 0x3C9, 1);
    out8(&board, 0x3C9, 2);
    out8(&board, 0x3C7, 7);
    ck_assert_uint_eq(in8(&board, 0x3C9), 0);
    /* Eight bits when VBE says so. */
    set_vbe(&board, VBE_ENABLE, VBE_8BIT_DAC);
    set_dac(&board, 9, 0xFE, 0x80, 0x01);
    out8(&board, 0x3C7, 9);
    ck_assert_uint_eq(in8(&board, 0x3C9), 0xFE);
    ck_assert_uint_eq(in8(&board, 0x3C9), 0x80);
    ck_assert_uint_eq(in8(&board, 0x3C9), 0x01);
    board_destroy(&board);
}
END_TEST

START_TEST(registers_are_in_memory_too) {
    board_create(&board);
    out8(&board, 0x3C2, 0x63);
    physical_write(board.memory, BOARD_REGISTERS + 0x414, 2, 0x770E);
    out8(&board, 0x3D4, 0x0E);
    ck_assert_uint_eq(in8(&board, 0x3D5), 0x77);
    ck_assert_uint_eq(physical_read(board.memory, BOARD_REGISTERS + 0x40C, 1), 0x63);
    ck_assert_uint_eq(physical_read(board.memory, BOARD_REGISTERS + 0x500, 2), 0xB0C5);
    physical_write(board.memory, BOARD_REGISTERS + 0x502, 4, 600u << 16 | 800);
    ck_assert_uint_eq(get_vbe(&board, VBE_X_RESOLUTION), 800);
    ck_assert_uint_eq(get_vbe(&board, VBE_Y_RESOLUTION), 600);
    ck_assert_uint_eq(physical_read(board.memory, BOARD_REGISTERS + 0x504, 2), 600);
    ck_assert_uint_eq(physical_read(board.memory, BOARD_REGISTERS + 0x600, 4), 8);
    ck_assert_uint_eq(physical_read(board.memory, BOARD_REGISTERS + 0x604, 4), 0x1E1E1E1E);
    board_destroy(&board);
}
END_TEST

/* The display's identification lies at the start of BAR 2. */
START_TEST(display_identifies_itself) {
    uint8_t edid[128];
    uint8_t sum = 0;
    board_create(&board);
    for (uint32_t i = 0; i < sizeof edid; i++)
        sum += edid[i] = peek(&board, BOARD_REGISTERS + i);
    ck_assert_int_eq(memcmp(edid, "\x00\xFF\xFF\xFF\xFF\xFF\xFF\x00", 8), 0);
    ck_assert_uint_eq(sum, 0);
    const uint8_t *timing = edid + 54; /* the preferred one */
    uint32_t clock_khz = (timing[0] | timing[1] << 8) * 10u;
    uint32_t width = timing[2] | (timing[4] & 0xF0u) << 4;
    uint32_t height = timing[5] | (timing[7] & 0xF0u) << 4;
    uint32_t across = width + (timing[3] | (timing[4] & 0x0Fu) << 8);
    uint32_t down = height + (timing[6] | (timing[7] & 0x0Fu) << 8);
    ck_assert_uint_eq(width, 1024);
    ck_assert_uint_eq(height, 768);
    ck_assert_uint_eq(clock_khz * 1000 / (across * down), 60);
    ck_assert_int_eq(memcmp(edid + 90 + 5, "Reprise\n", 8), 0);
    board_destroy(&board);
}
END_TEST

START_TEST(reset_clears_registers_and_keeps_memory) {
    board_create(&board);
    board_set_mode(&board, &mode_12h);
    poke(&board, 0xA1234, 0x5A);
    device_list_reset(&board.devices);
    ck_assert_uint_eq(in8(&board, 0x3CC), 0);
    ck_assert_uint_eq(peek(&board, 0xA1234), 0xFF); /* access is disabled */
    ck_assert_uint_eq(board.vga->vram[0x1234 * 4], 0x5A);
    ck_assert_uint_eq(get_vbe(&board, VBE_ID), 0xB0C5);
    ck_assert(vga_render(board.vga, &board.surface));
    ck_assert_uint_eq(board.surface.width, 640);
    check_pixel(&board, 0, 0, 0);
    board_destroy(&board);
}
END_TEST

static VgaBoard other;

START_TEST(state_is_saved_and_restored) {
    board_create(&board);
    board_create(&other);
    const FieldTable *table = board.devices.entries[board.devices.count - 1].device_class->fields;
    ck_assert_int_eq(field_table_find_gap(table), -1);

    board_set_mode(&board, &mode_13h);
    for (uint32_t i = 0; i < 0x10000; i += 7)
        poke(&board, 0xA0000 + i, (uint8_t)(i * 13));
    board.clock.stopped_ns = NS_PER_SECOND;
    clock_run_due(&board.clock); /* the window is plain memory now */
    ck_assert_ptr_nonnull(physical_map_page(board.memory, 0xA0).write);
    poke(&board, 0xA0007, 0xEE);
    out8(&board, 0x3C7, 3);
    in8(&board, 0x3C9);
    ByteBuffer saved = {0};
    device_list_save(&board.devices, &saved);

    ByteReader reader = {.data = saved.data, .size = saved.size};
    Error error = {0};
    other.clock.stopped_ns = NS_PER_SECOND;
    memcpy(other.vga->vram, board.vga->vram, VGA_VRAM_BYTES); /* a region: saved beside the state */
    ck_assert_msg(device_list_load(&other.devices, &reader, &error), "%s", error.message);
    clock_rebuild(&other.clock);
    char difference[256];
    ck_assert_msg(!field_table_diff(table, &board.vga->state, &other.vga->state, difference,
                                    sizeof difference),
                  "%s", difference);
    ck_assert_uint_eq(device_list_hash(&board.devices), device_list_hash(&other.devices));
    ck_assert_uint_eq(peek(&other, 0xA0007), 0xEE);
    ck_assert_uint_eq(peek(&other, BOARD_FRAME_BUFFER + 7), 0xEE);
    ck_assert_ptr_nonnull(physical_map_page(other.memory, 0xA0).write);
    ck_assert_uint_eq(in8(&other, 0x3C9), in8(&board, 0x3C9));
    vga_render(board.vga, &board.surface);
    ck_assert(vga_render(other.vga, &other.surface));
    ck_assert_int_eq(memcmp(board.surface.pixels, other.surface.pixels, 640 * 400 * 4), 0);

    /* Back to an earlier state: the picture and the map follow. */
    set_indexed(&board, 0x3C4, SEQUENCER_MAP_MASK, 0x01);
    ck_assert_ptr_null(physical_map_page(board.memory, 0xA0).write);
    poke(&board, 0xA0000, 0x77);
    ck_assert(vga_render(board.vga, &board.surface));
    reader = (ByteReader){.data = saved.data, .size = saved.size};
    memcpy(board.vga->vram, other.vga->vram, VGA_VRAM_BYTES);
    ck_assert(device_list_load(&board.devices, &reader, &error));
    ck_assert_ptr_nonnull(physical_map_page(board.memory, 0xA0).write);
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 0, 0, test_colour(0));
    byte_buffer_free(&saved);
    board_destroy(&board);
    board_destroy(&other);
}
END_TEST

/* A snapshot file can hold anything. */
START_TEST(restored_nonsense_is_survived) {
    board_create(&board);
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 200; round++) {
        uint8_t *bytes = (uint8_t *)&board.vga->state;
        for (size_t i = 8; i < sizeof(VgaState); i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[i] = (uint8_t)random;
        }
        if (round % 2 != 0) { /* keep the picture small in half of them: the classic modes */
            board.vga->state.vbe[VBE_ENABLE] &= (uint16_t)~VBE_ENABLED;
            board.vga->state.attribute_index |= ATTRIBUTE_INDEX_SCREEN_ON;
        } else {
            board.vga->state.vbe[VBE_X_RESOLUTION] %= 1024;
            board.vga->state.vbe[VBE_Y_RESOLUTION] %= 1024;
        }
        const DeviceEntry *entry = &board.devices.entries[board.devices.count - 1];
        entry->device_class->restored(entry->device);
        vga_render(board.vga, &board.surface);
        ByteBuffer text = {0};
        vga_get_text(board.vga, &text);
        byte_buffer_free(&text);
        for (uint16_t port = 0x3B0; port < 0x3E0; port++)
            in8(&board, port);
        for (uint32_t address = 0xA0000; address < 0xC0000; address += 0x1FFF) {
            poke(&board, address, (uint8_t)random);
            peek(&board, address);
        }
    }
    board_destroy(&board);
}
END_TEST

START_TEST(random_accesses_are_survived) {
    board_create(&board);
    uint64_t random = 0x9E3779B97F4A7C15u;
    for (int round = 0; round < 200000; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        uint32_t value = (uint32_t)(random >> 32);
        switch (random % 8) {
        case 0:
            set_vbe(&board, random >> 8 & 0xF, (uint16_t)(value & 0xFFF));
            break;
        case 1:
            physical_write(board.memory, 0xA0000 + (value & 0x1FFFF), 1u << (random >> 8 & 3),
                           random);
            break;
        case 2:
            physical_read(board.memory, 0xA0000 + (value & 0x1FFFF), 1u << (random >> 8 & 3));
            break;
        case 3:
            physical_write(board.memory, BOARD_REGISTERS + (value & 0xFFC), 4, value);
            break;
        default:
            out8(&board, 0x3B0 + value % 0x30, (uint8_t)(random >> 8));
            break;
        }
        if (round % 2000 == 0) {
            board.clock.stopped_ns += 30000000;
            clock_run_due(&board.clock);
            out8(&board, 0x3C0, 0x20);
            vga_render(board.vga, &board.surface);
        }
    }
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        indexed_registers_keep_the_bits_that_exist,
        attribute_index_and_data_take_turns,
        crtc_protects_its_first_registers,
        crtc_moves_with_the_miscellaneous_register,
        dac_takes_and_gives_three_components,
        registers_are_in_memory_too,
        display_identifies_itself,
        reset_clears_registers_and_keeps_memory,
        state_is_saved_and_restored,
        restored_nonsense_is_survived,
        random_accesses_are_survived,
        NULL,
    };
    return board_run_suite("vga registers", tests);
}
