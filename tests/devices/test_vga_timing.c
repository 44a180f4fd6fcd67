/* Input status 1 against the times that a mode's registers ask for. */
#include "vga_board.h"

static VgaBoard board;

enum { NOT_DISPLAYING = 1, RETRACE = 8 };

static uint8_t status_at(double ns) {
    board.clock.stopped_ns = (int64_t)(ns + 1); /* just inside the character clock */
    return in8(&board, 0x3DA);
}

typedef struct Expected {
    const ModeValues *mode;
    double clock_hz;
    int dots, columns, columns_shown, lines, lines_shown, retrace_first, retrace_lines;
} Expected;

static void check_mode(const Expected *mode) {
    board_create(&board);
    board_set_mode(&board, mode->mode);
    double character_ns = 1e9 / mode->clock_hz * mode->dots;
    double line_ns = character_ns * mode->columns, frame_ns = line_ns * mode->lines;
    ck_assert_double_eq_tol((double)vga_frame_ns(board.vga), frame_ns, 2);
    for (int frame = 0; frame < 3; frame++) {
        double start = frame_ns * (frame * 1000 + 7);
        for (int line = 0; line < mode->lines; line++) {
            bool shown = line < mode->lines_shown;
            bool retrace =
                line >= mode->retrace_first && line < mode->retrace_first + mode->retrace_lines;
            double at = start + line * line_ns;
            uint8_t left = status_at(at), last, blank;
            last = status_at(at + (mode->columns_shown - 1) * character_ns);
            blank = status_at(at + mode->columns_shown * character_ns);
            uint8_t expected = (shown ? 0 : NOT_DISPLAYING) | (retrace ? RETRACE : 0);
            ck_assert_msg(left == expected, "line %d: %02Xh", line, left);
            ck_assert_msg(last == expected, "line %d: %02Xh", line, last);
            ck_assert_msg(blank == (expected | NOT_DISPLAYING), "line %d: %02Xh", line, blank);
        }
    }
    board_destroy(&board);
}

START_TEST(text_has_70_frames_a_second) {
    check_mode(&(Expected){&mode_3, 28322000, 9, 100, 80, 449, 400, 412, 2});
}
END_TEST

START_TEST(mode_12h_has_60_frames_a_second) {
    check_mode(&(Expected){&mode_12h, 25175000, 8, 100, 80, 525, 480, 490, 2});
}
END_TEST

START_TEST(low_resolution_has_half_the_dot_clock) {
    check_mode(&(Expected){&mode_d, 12587500, 8, 50, 40, 449, 400, 412, 2});
}
END_TEST

START_TEST(polling_for_retrace_takes_a_frame) {
    board_create(&board);
    board_set_mode(&board, &mode_13h);
    int64_t last = 0, frame_ns = vga_frame_ns(board.vga);
    int retraces = 0;
    bool before = true;
    while (retraces < 20) {
        board.clock.stopped_ns += 1000;
        bool now = (in8(&board, 0x3DA) & RETRACE) != 0;
        if (now && !before) {
            if (retraces++ > 0)
                ck_assert_int_le(llabs(board.clock.stopped_ns - last - frame_ns), 1000);
            last = board.clock.stopped_ns;
        }
        before = now;
    }
    ck_assert_int_eq(NS_PER_SECOND / frame_ns, 70);
    board_destroy(&board);
}
END_TEST

START_TEST(vbe_modes_have_retraces_too) {
    board_create(&board);
    out8(&board, 0x3C2, 0x67);
    set_vbe_mode(&board, 1024, 768, 32);
    ck_assert_int_eq(NS_PER_SECOND / vga_frame_ns(board.vga), 60);
    int retrace = 0, blank = 0, samples = 10000;
    for (int i = 0; i < samples; i++) {
        board.clock.stopped_ns += NS_PER_SECOND / samples;
        uint8_t status = in8(&board, 0x3DA);
        retrace += (status & RETRACE) != 0;
        blank += (status & NOT_DISPLAYING) != 0;
    }
    ck_assert_int_gt(retrace, 10);
    ck_assert_int_lt(retrace, samples / 50);
    ck_assert_int_gt(blank, samples / 10);
    ck_assert_int_lt(blank, samples / 2);
    board_destroy(&board);
}
END_TEST

/* Before a mode is set, or with counts that no screen could follow. */
START_TEST(absurd_counts_are_survived) {
    board_create(&board);
    for (int value = 0; value <= 0xFF; value += 0xFF)
        for (int i = 0; i < 25; i++) {
            out8(&board, 0x3C2, 0x63);
            set_indexed(&board, 0x3D4, (uint8_t)i, (uint8_t)value);
            board.clock.stopped_ns += 123456789;
            in8(&board, 0x3DA);
            ck_assert_int_gt(vga_frame_ns(board.vga), 0);
        }
    board.clock.stopped_ns = INT64_MAX - 1;
    in8(&board, 0x3DA);
    board_destroy(&board);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        text_has_70_frames_a_second,
        mode_12h_has_60_frames_a_second,
        low_resolution_has_half_the_dot_clock,
        polling_for_retrace_takes_a_frame,
        vbe_modes_have_retraces_too,
        absurd_counts_are_survived,
        NULL,
    };
    return board_run_suite("vga timing", tests);
}
