/* Registers that change while the picture is drawn: each line shows what they held when the beam
 * was there. */
#include "vga_board.h"

static VgaBoard board;

/* The clock at a character of a line of a frame, lines from the top of the picture. */
static void go_to(uint32_t frame, uint32_t line, uint32_t character) {
    const VgaTiming *timing = &board.vga->timing;
    uint64_t characters = ((uint64_t)frame * timing->lines + line) * timing->characters + character;
    int64_t time =
        (int64_t)((__int128)characters * timing->clock_divisor * NS_PER_SECOND / timing->clock_hz);
    while (vga_characters_at(board.vga, time) < characters)
        time++;
    ck_assert_int_ge(time, board.clock.stopped_ns);
    board.clock.stopped_ns = time;
}

static void start(const ModeValues *mode) {
    board_create(&board);
    board_set_mode(&board, mode);
    go_to(4, 0, 0);
    vga_render(board.vga, &board.surface);
}

/* In the blank at the end of a line: counts from the next on. */
static void go_to_end_of(uint32_t frame, uint32_t line) {
    go_to(frame, line, board.vga->timing.characters_shown + 1);
}

static uint32_t grey(uint8_t six) {
    uint32_t eight = six << 2 | ((six & 1) != 0 ? 3u : 0u);
    return eight << 16 | eight << 8 | eight;
}

static void set_grey(uint8_t value) {
    set_dac(&board, 0, value, value, value);
}

/* Bars of 20 lines each: background 1 to 19 on lines 20 to 399, 0 above. */
static void draw_bars(uint32_t frame) {
    set_grey(0);
    for (uint32_t bar = 1; bar < 20; bar++) {
        go_to_end_of(frame, bar * 20 - 1);
        set_grey((uint8_t)bar);
    }
    go_to(frame, 405, 0);
}

START_TEST(palette_bars_stand_where_they_were_made) {
    start(&mode_13h);
    draw_bars(5);
    ck_assert(vga_render(board.vga, &board.surface));
    for (uint32_t y = 0; y < 400; y++)
        check_pixel(&board, y % 640, y, grey((uint8_t)(y / 20)));
    /* The next frame does the same: nothing changes, wherever the beam is. */
    go_to(6, 0, 0);
    set_grey(0);
    for (uint32_t bar = 1; bar < 20; bar++) {
        go_to_end_of(6, bar * 20 - 1);
        ck_assert(!vga_render(board.vga, &board.surface));
        set_grey((uint8_t)bar);
    }
    for (uint32_t y = 0; y < 400; y++)
        check_pixel(&board, y % 640, y, grey((uint8_t)(y / 20)));
    /* It ends: two frames later the whole picture is what the registers say. */
    go_to(9, 10, 0);
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 0, 0, grey(19));
    check_pixel(&board, 639, 399, grey(19));
    ck_assert(!vga_render(board.vga, &board.surface));
    board_destroy(&board);
}
END_TEST

START_TEST(moving_bars_are_the_present_frame_above_the_beam) {
    start(&mode_13h);
    for (uint32_t frame = 5; frame < 12; frame++) {
        go_to(frame, 0, 0);
        set_grey(0);
        go_to_end_of(frame, 50 + frame);
        set_grey(30);
        go_to_end_of(frame, 70 + frame);
        set_grey(0);
        /* The beam stands between the first bar and the second, which is the last frame's. */
        if (frame > 5) {
            go_to(frame, 200, 3);
            vga_render(board.vga, &board.surface);
            for (uint32_t y = 0; y < 400; y++) {
                bool first = y > 50 + frame && y <= 70 + frame;
                bool second = y > 300 + frame - 1 && y <= 310 + frame - 1;
                check_pixel(&board, 5, y, grey(first ? 30 : second ? 40 : 0));
            }
        }
        go_to_end_of(frame, 300 + frame);
        set_grey(40);
        go_to_end_of(frame, 310 + frame);
        set_grey(0);
    }
    board_destroy(&board);
}
END_TEST

/* A fade in the retrace is seen at once and whole. */
START_TEST(changes_in_the_retrace_count_for_the_whole_picture) {
    start(&mode_13h);
    for (uint32_t frame = 5; frame < 9; frame++) {
        go_to(frame, 415, 0);
        set_grey((uint8_t)frame);
        go_to(frame + 1, (frame * 97) % 400, 0);
        ck_assert(vga_render(board.vga, &board.surface));
        for (uint32_t y = 0; y < 400; y++)
            check_pixel(&board, 0, y, grey((uint8_t)frame));
    }
    board_destroy(&board);
}
END_TEST

static void set_start(uint16_t address) {
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_HIGH, (uint8_t)(address >> 8));
    set_indexed(&board, 0x3D4, CRTC_START_ADDRESS_LOW, (uint8_t)address);
}

START_TEST(start_address_is_taken_over_at_the_retrace) {
    start(&mode_12h);
    memset(board.vga->vram + 4 * 0x8000, 0xFF, 4 * 80);
    uint32_t black = vga_dac_colour(&board.vga->state, 0);
    uint32_t white = vga_dac_colour(&board.vga->state, 0x3F);
    go_to(5, 100, 0);
    set_start(0x8000);
    go_to(5, 470, 0);
    vga_render(board.vga, &board.surface);
    check_pixel(&board, 0, 0, black);
    go_to(5, 495, 0); /* behind the start of the retrace */
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 0, 0, white);
    check_pixel(&board, 639, 0, white);
    check_pixel(&board, 0, 1, black);
    set_start(0); /* too late for this frame */
    go_to(6, 300, 0);
    vga_render(board.vga, &board.surface);
    check_pixel(&board, 0, 0, white);
    go_to(7, 300, 0);
    ck_assert(vga_render(board.vga, &board.surface));
    check_pixel(&board, 0, 0, black);
    board_destroy(&board);
}
END_TEST

static void set_line_compare(uint16_t line) {
    set_indexed(&board, 0x3D4, CRTC_LINE_COMPARE, (uint8_t)line);
    set_indexed(&board, 0x3D4, CRTC_OVERFLOW, (uint8_t)(0x2E | (line >> 8 & 1) << 4));
    set_indexed(&board, 0x3D4, CRTC_MAXIMUM_SCAN_LINE, (uint8_t)(0x00 | (line >> 9 & 1) << 6));
}

/* Twice in a frame: what is shown begins anew at each line compare. */
START_TEST(split_moves_within_the_frame) {
    start(&mode_12h);
    set_start(0x4000);
    memset(board.vga->vram, 0xFF, 4 * 80); /* the first line of the split */
    uint32_t black = vga_dac_colour(&board.vga->state, 0);
    uint32_t white = vga_dac_colour(&board.vga->state, 0x3F);
    for (uint32_t frame = 5; frame < 7; frame++) {
        go_to(frame, 490, 0);
        set_line_compare(100);
        go_to_end_of(frame + 1, 200);
        set_line_compare(300);
    }
    go_to(7, 484, 0);
    vga_render(board.vga, &board.surface);
    for (uint32_t y = 0; y < 480; y++)
        check_pixel(&board, 0, y, y == 101 || y == 301 ? white : black);
    board_destroy(&board);
}
END_TEST

START_TEST(panning_bends_the_picture) {
    start(&mode_12h);
    for (uint32_t y = 0; y < 480; y++)
        memset(board.vga->vram + 4 * (80 * y + 1), 0xFF, 4); /* pixels 8 to 15 */
    uint32_t black = vga_dac_colour(&board.vga->state, 0);
    uint32_t white = vga_dac_colour(&board.vga->state, 0x3F);
    go_to(5, 485, 0);
    set_attribute(&board, ATTRIBUTE_PANNING, 0);
    for (uint32_t y = 0; y < 479; y++) {
        go_to_end_of(6, y);
        set_attribute(&board, ATTRIBUTE_PANNING, (uint8_t)((y + 1) / 10 % 8));
    }
    go_to(6, 484, 0);
    ck_assert(vga_render(board.vga, &board.surface));
    for (uint32_t y = 0; y < 480; y++) {
        uint32_t panning = y / 10 % 8;
        check_pixel(&board, 7 - panning, y, black);
        check_pixel(&board, 8 - panning, y, white);
        check_pixel(&board, 15 - panning, y, white);
        check_pixel(&board, 16 - panning, y, black);
    }
    board_destroy(&board);
}
END_TEST

/* The palette of each line anew: more changes than are kept. The lines that are known are right. */
START_TEST(more_changes_than_fit_are_survived) {
    start(&mode_13h);
    for (uint32_t frame = 5; frame < 7; frame++)
        for (uint32_t y = 0; y < 400; y++) {
            go_to_end_of(frame, y);
            for (unsigned entry = 0; entry < 60; entry++)
                set_dac(&board, (uint8_t)entry, (y + entry) & 0x3F, 1, frame & 0x3F);
        }
    go_to(6, 405, 0);
    vga_render(board.vga, &board.surface);
    uint32_t red = 398 & 0x3F;
    check_pixel(&board, 0, 399, (red << 2 | ((red & 1) != 0 ? 3 : 0)) << 16 | 0x0718);
    red = 349 & 0x3F;
    check_pixel(&board, 0, 350, (red << 2 | ((red & 1) != 0 ? 3 : 0)) << 16 | 0x0718);
    board_destroy(&board);
}
END_TEST

/* Another mode within a frame: text above, graphics below, as far as sizes stay. */
START_TEST(modes_may_change_on_the_way) {
    start(&mode_12h);
    for (int i = 0; i < 200; i++) {
        go_to(5 + (uint32_t)i, 240, 0);
        set_indexed(&board, 0x3CE, GRAPHICS_MISCELLANEOUS, (uint8_t)(i % 2 * 5));
        set_indexed(&board, 0x3CE, GRAPHICS_MODE, (uint8_t)(i % 3 * 0x20));
        set_indexed(&board, 0x3C4, SEQUENCER_CLOCKING_MODE, (uint8_t)(1 | i % 7 / 6 * 0x20));
        set_indexed(&board, 0x3D4, CRTC_MAXIMUM_SCAN_LINE, (uint8_t)(0x40 + i % 32));
        set_indexed(&board, 0x3D4, CRTC_OFFSET, (uint8_t)(40 + i));
        vga_render(board.vga, &board.surface);
        go_to(5 + (uint32_t)i, 300, 0);
        vga_render(board.vga, &board.surface);
    }
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *tests[] = {
        palette_bars_stand_where_they_were_made,
        moving_bars_are_the_present_frame_above_the_beam,
        changes_in_the_retrace_count_for_the_whole_picture,
        start_address_is_taken_over_at_the_retrace,
        split_moves_within_the_frame,
        panning_bends_the_picture,
        more_changes_than_fit_are_survived,
        modes_may_change_on_the_way,
        NULL,
    };
    return board_run_suite("vga raster", tests);
}
