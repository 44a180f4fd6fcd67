/* Under icount a guest's run repeats: the same keys at the same instructions end in the same state,
 * however the run is cut into slices and whichever backend runs it. Real guests, from the folder
 * that REPRISE_GUESTS names. */
#define _GNU_SOURCE
#include "machine.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MILLION 1000000u
#define STEP (2 * MILLION)

typedef struct GuestRun {
    const char *image;
    unsigned steps;       /* of STEP instructions */
    const char *text;     /* what the screen must show at the end; NULL: it is in a graphics mode */
    const char *keys[12]; /* names: the first is pressed after 'first_key' steps, then one a step */
    unsigned first_key;
} GuestRun;

static const GuestRun runs[] = {
    {"freedos-1440.img", 40, "KERNEL   SYS", {"d", "i", "r", "ret"}, 30},
    {"mikeos.img", 30, "Please select a file", {"ret"}, 20},
    {"floppybird.img", 25, NULL, {"spc", "spc", "spc"}, 15},
};

static char *guest_path(const char *image) {
    const char *folder = getenv("REPRISE_GUESTS");
    char *path;
    if (folder == NULL || asprintf(&path, "%s/%s", folder, image) < 0)
        return NULL;
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static Machine *make(const char *path, TranslatorBackend backend) {
    MachineConfig config;
    Error error = {.set = false};
    machine_config_init(&config);
    config.ram_bytes = 32 << 20;
    config.icount = true;
    config.icount_shift = 3;
    config.translator.backend = backend;
    config.floppy[0].file = path;
    config.floppy[0].snapshot = true;
    config.boot_order = "a";
    Machine *machine = machine_create(&config, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    return machine;
}

/* 'slice': the run is cut into pieces of about so many instructions; 0: not at all. */
static uint64_t play(Machine *machine, const GuestRun *run, uint64_t slice) {
    uint64_t seed = 1;
    for (unsigned step = 0; step < run->steps; step++) {
        unsigned key = step - run->first_key;
        if (step >= run->first_key && key < 12 && run->keys[key] != NULL) {
            int number = keyboard_key_find(run->keys[key]);
            ck_assert(machine_press_keys(machine, &number, 1, 5));
        }
        for (uint64_t left = STEP; left > 0;) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            uint64_t piece = slice == 0 ? left : (seed >> 33) % slice + 1;
            if (piece > left)
                piece = left;
            uint64_t done = machine_run_instructions(machine, piece);
            ck_assert_uint_eq(done, piece);
            left -= done;
        }
    }
    return machine_state_hash(machine);
}

static void expect_screen(Machine *machine, const GuestRun *run) {
    ByteBuffer text = {.data = NULL};
    bool has_text = board_get_text(&machine->board, &text);
    ck_assert_int_eq(has_text, run->text != NULL);
    if (run->text != NULL)
        ck_assert_msg(memmem(text.data, text.size, run->text, strlen(run->text)) != NULL,
                      "the screen shows '%.*s'", (int)text.size, text.data);
    byte_buffer_free(&text);
}

static void expect_same_state(Machine *a, Machine *b, const char *what) {
    char text[256];
    if (field_table_diff(&cpu_fields, &a->cpu->state, &b->cpu->state, text, sizeof(text)))
        ck_abort_msg("%s: processor: %s", what, text);
    for (int i = 0; i < a->devices.count; i++) {
        const DeviceEntry *entry = &a->devices.entries[i];
        if (field_table_diff(entry->device_class->fields, entry->state, b->devices.entries[i].state,
                             text, sizeof(text)))
            ck_abort_msg("%s: %s: %s", what, entry->id, text);
    }
    ck_assert_msg(machine_state_hash_full(a) == machine_state_hash_full(b), "%s: memory differs",
                  what);
}

START_TEST(run_repeats) {
    const GuestRun *run = &runs[_i];
    char *path = guest_path(run->image);
    if (path == NULL)
        return; /* main() has said that guests are missing */
    Machine *first = make(path, translator_default_backend());
    Machine *sliced = make(path, translator_default_backend());
    Machine *portable = make(path, BACKEND_PORTABLE);
    uint64_t hash = play(first, run, 0);
    expect_screen(first, run);
    play(sliced, run, 30000);
    expect_same_state(first, sliced, "cut into slices");
    ck_assert_uint_eq(machine_state_hash(sliced), hash);
    play(portable, run, 0);
    expect_same_state(first, portable, "portable backend");
    ck_assert_uint_eq(machine_state_hash(portable), hash);
    machine_destroy(first);
    machine_destroy(sliced);
    machine_destroy(portable);
    free(path);
}
END_TEST

int main(void) {
    char *path = guest_path(runs[0].image);
    if (path == NULL) {
        printf("skipped: no guests (REPRISE_GUESTS names their folder)\n");
        return 77;
    }
    free(path);
    Suite *suite = suite_create("guest_repeat");
    TCase *tests = tcase_create("guest_repeat");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, run_repeats, 0, (int)(sizeof(runs) / sizeof(runs[0])));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
