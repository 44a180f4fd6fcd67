/* Random BitBLTs within video memory, here and in QEMU's GD5446, whose ports are written by its
 * monitor: video memory must be the same after each few. Without qemu-system-i386 the test is
 * skipped. */
#include "cirrus.h"
#include "little_endian.h"
#include "vga_board.h"
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    AREA = 0x10000, /* of video memory in use, at its beginning */
    ROUNDS = 12,
    BLITS = 8, /* between two looks */
    SKIPPED = 77,
};

typedef struct Qemu {
    pid_t process;
    FILE *to, *from;
    unsigned unanswered; /* commands */
} Qemu;

static VgaBoard board;
static Qemu qemu;
static uint64_t random_state;

static uint32_t random_below(uint32_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % limit;
}

/* ---- QEMU ---- */

static char dump[] = "/tmp/cirrus-qemu-XXXXXX";

static bool qemu_start(void) {
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0)
        return false;
    qemu.process = fork();
    if (qemu.process == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp("qemu-system-i386", "qemu-system-i386", "-nodefaults", "-display", "none", "-vga",
               "cirrus", "-S", "-monitor", "stdio", (char *)NULL);
        _exit(SKIPPED);
    }
    close(to[0]);
    close(from[1]);
    qemu.to = fdopen(to[1], "w");
    qemu.from = fdopen(from[0], "r");
    return qemu.process > 0 && qemu.to != NULL && qemu.from != NULL;
}

static void qemu_stop(void) {
    kill(qemu.process, SIGKILL);
    waitpid(qemu.process, NULL, 0);
    fclose(qemu.to);
    fclose(qemu.from);
}

/* Its monitor is ready for a command. */
static void qemu_wait(void) {
    static const char prompt[] = "(qemu) ";
    size_t met = 0;
    while (prompt[met] != 0) {
        int c = fgetc(qemu.from);
        ck_assert_int_ne(c, EOF);
        met = c == prompt[met] ? met + 1 : c == prompt[0];
    }
}

static void qemu_wait_for_all(void) {
    fflush(qemu.to);
    for (; qemu.unanswered != 0; qemu.unanswered--)
        qemu_wait();
}

static void qemu_out(char size, unsigned port, uint32_t value) {
    fprintf(qemu.to, "o /%c 0x%x 0x%x\n", size, port, value);
    if (++qemu.unanswered == 64)
        qemu_wait_for_all();
}

static void qemu_load(uint32_t address, uint8_t *bytes, unsigned count) {
    qemu_wait_for_all();
    fprintf(qemu.to, "pmemsave 0x%x 0x%x \"%s\"\n", address, count, dump);
    fflush(qemu.to);
    qemu_wait();
    FILE *file = fopen(dump, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(bytes, 1, count, file), count);
    fclose(file);
}

/* ---- Both ---- */

static void set_both(uint16_t port, uint8_t index, uint8_t value) {
    set_indexed(&board, port, index, value);
    qemu_out('h', port, index | (uint32_t)value << 8);
}

static void put_both(uint8_t first, uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        set_both(0x3CE, (uint8_t)(first + i), (uint8_t)(value >> 8 * i));
}

static void configure_qemu_pci(void) {
    static const uint32_t registers[][2] = {
        {0x10, BOARD_FRAME_BUFFER}, {0x14, BOARD_REGISTERS}, {0x04, 3}};
    for (unsigned i = 0; i < 3; i++) {
        qemu_out('w', 0xCF8, 0x80000000u | 2 << 11 | registers[i][0]);
        qemu_out('w', 0xCFC, registers[i][1]);
    }
}

static void blit_both(uint8_t mode, uint8_t extensions, uint8_t operation, uint32_t width,
                      uint32_t height, uint32_t destination, uint32_t source) {
    put_both(GR20_WIDTH, width - 1, 2);
    put_both(GR22_HEIGHT, height - 1, 2);
    put_both(GR24_DESTINATION_PITCH, 256 + 4 * random_below(50), 2);
    put_both(GR26_SOURCE_PITCH, 256 + 4 * random_below(50), 2);
    put_both(GR28_DESTINATION, destination, 3);
    put_both(GR2C_SOURCE, source, 3);
    set_both(0x3CE, GR2F_LEFT_CLIP, 0);
    set_both(0x3CE, GR30_BLIT_MODE, mode);
    set_both(0x3CE, GR32_BLIT_ROP, operation);
    set_both(0x3CE, GR33_BLIT_EXTENSIONS, extensions);
    put_both(GR34_TRANSPARENT, random_below(0x10000), 2);
    for (uint8_t i = 0x10; i < 0x16; i++)
        set_both(0x3CE, i, (uint8_t)random_below(256));
    set_both(0x3CE, 0, (uint8_t)random_below(256));
    set_both(0x3CE, 1, (uint8_t)random_below(256));
    set_both(0x3CE, GR31_BLIT_STATUS, BLIT_START);
    set_both(0x3CE, GR31_BLIT_STATUS, BLIT_RESET);
    set_both(0x3CE, GR31_BLIT_STATUS, 0);
}

static void start_both(void) {
    qemu_wait();
    board_create_model(&board, VGA_CIRRUS);
    configure_qemu_pci();
    out8(&board, 0x3C2, 0x63);
    qemu_out('b', 0x3C2, 0x63);
    set_both(0x3C4, SR6_UNLOCK, 0x12);
    set_both(0x3C4, SR7_EXTENDED_MODE, SR7_PACKED_PIXELS);
    set_both(0x3C4, SEQUENCER_MEMORY_MODE, 0x0E);
    /* Something to work on: areas of random colours. */
    for (int i = 0; i < 40; i++)
        blit_both(BLIT_PATTERN | BLIT_EXPAND_COLOUR | 3 << BLIT_PIXEL_SHIFT, BLIT_SOLID,
                  i % 3 != 0 ? 0x59 : 0x0D, 4 * (1 + random_below(200)), 1 + random_below(40),
                  4 * random_below(0x3000), 0);
}

/* QEMU takes 90h for NAND and DAh for NOR, which the chip's manual and XFree86 have the other way
 * round; those two are left out. */
static uint8_t random_operation(void) {
    static const uint8_t codes[] = {0x00, 0x05, 0x06, 0x09, 0x0B, 0x0D, 0x0D, 0x0D,
                                    0x0E, 0x50, 0x59, 0x6D, 0x95, 0xAD, 0xD0, 0xD6};
    return codes[random_below(sizeof codes)];
}

/* What QEMU does too: its 24-bit patterns read otherwise, transparency is for 8 and 16 bits where
 * nothing is expanded. */
static uint8_t random_mode(void) {
    uint8_t mode = (uint8_t)(random_below(4) << BLIT_PIXEL_SHIFT);
    switch (random_below(5)) {
    case 0:
        return mode | BLIT_EXPAND_COLOUR | (random_below(2) != 0 ? BLIT_TRANSPARENT : 0);
    case 1:
        return mode | BLIT_EXPAND_COLOUR | BLIT_PATTERN |
               (random_below(2) != 0 ? BLIT_TRANSPARENT : 0);
    case 2:
        return mode | BLIT_PATTERN;
    case 3:
        return (mode & 1 << BLIT_PIXEL_SHIFT) | BLIT_TRANSPARENT |
               (random_below(2) != 0 ? BLIT_BACKWARDS : 0);
    default:
        return mode | (random_below(2) != 0 ? BLIT_BACKWARDS : 0);
    }
}

static void random_blit(void) {
    uint8_t mode = random_mode();
    uint8_t extensions = (mode & BLIT_EXPAND_COLOUR) != 0
                             ? (uint8_t)random_below(4) << 1 /* of lines from memory none counts */
                             : 0;
    unsigned bytes = (mode >> BLIT_PIXEL_SHIFT & 3) + 1u;
    uint32_t margin = (mode & BLIT_BACKWARDS) != 0 ? 0x4000 : 0;
    /* Backwards from the last byte of a pixel. QEMU ignores what lies below a pixel's size. */
    uint32_t last = (mode & BLIT_BACKWARDS) != 0 ? bytes - 1 : 0;
    uint32_t source = margin + random_below(0x6000 / bytes) * bytes + last;
    uint32_t destination = margin + random_below(0x6000 / bytes) * bytes + last;
    if ((mode & (BLIT_PATTERN | BLIT_EXPAND_COLOUR)) !=
        0) /* apart from where is drawn, the first row first */
        source = 0xC000 + random_below(0x20) * 0x100;
    blit_both(mode, extensions, random_operation(), (1 + random_below(50)) * bytes,
              1 + random_below(12), destination, source);
}

static void compare(const char *when, int round) {
    static uint8_t theirs[AREA];
    qemu_load(BOARD_FRAME_BUFFER, theirs, AREA);
    for (uint32_t at = 0; at < AREA; at++)
        if (board.vga->vram[at] != theirs[at])
            ck_abort_msg("%s %d: byte %X is %02X here and %02X there (mode %02X, extensions %02X, "
                         "operation %02X)",
                         when, round, at, board.vga->vram[at], theirs[at],
                         board.vga->cirrus->state.graphics[GR30_BLIT_MODE],
                         board.vga->cirrus->state.graphics[GR33_BLIT_EXTENSIONS],
                         board.vga->cirrus->state.graphics[GR32_BLIT_ROP]);
}

START_TEST(random_blits_leave_what_qemus_leave) {
    const char *seed = getenv("REPRISE_SEED");
    random_state = 88172645463325252u + (seed != NULL ? strtoull(seed, NULL, 0) : 0) * 7919;
    int file = mkstemp(dump);
    ck_assert_int_ge(file, 0);
    close(file);
    ck_assert(qemu_start());
    start_both();
    compare("start", 0);
    const char *single = getenv("REPRISE_SINGLE"); /* looks after each, to find the one */
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLITS; i++) {
            random_blit();
            if (single != NULL)
                compare("blit", round * BLITS + i);
        }
        compare("round", round);
    }
    qemu_stop();
    unlink(dump);
    board_destroy(&board);
}
END_TEST

int main(void) {
    if (system("command -v qemu-system-i386 >/dev/null") != 0) {
        fprintf(stderr, "qemu-system-i386 is missing\n");
        return SKIPPED;
    }
    const TTest *tests[] = {random_blits_leave_what_qemus_leave, NULL};
    return board_run_suite("cirrus beside QEMU's", tests);
}
