/* Requests in flight: saved while a sector is under way by DMA or while a disk is busy, a machine
 * goes on as the one that was never saved, with the same disks. */
#include "checkpoint.h"
#include "disk_fixture.h"
#include "machine_snapshot.h"
#include "port_map.h"
#include "snapshot_of_machine.h"
#include "suite_run.h"
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FURTHER 3000000u

/* A boot sector that writes for ever: to the floppy, whose sectors go by DMA, and to the disk. */
static const uint8_t boot_sector[] = {
    0x31, 0xC0,       /*       xor ax,ax */
    0x8E, 0xD8,       /*       mov ds,ax */
    0x8E, 0xC0,       /*       mov es,ax */
    0x8E, 0xD0,       /*       mov ss,ax */
    0xBC, 0x00, 0x7C, /*       mov sp,7C00h */
    0xBB, 0x00, 0x80, /*       mov bx,8000h */
    0xFF, 0x07,       /* next: inc word [bx] */
    0x8A, 0x2F,       /*       mov ch,[bx] */
    0x80, 0xE5, 0x1F, /*       and ch,1Fh */
    0xB1, 0x01,       /*       mov cl,1 */
    0xBA, 0x00, 0x00, /*       mov dx,0 */
    0xB8, 0x04, 0x03, /*       mov ax,0304h   4 sectors */
    0xCD, 0x13,       /*       int 13h */
    0x8A, 0x0F,       /*       mov cl,[bx] */
    0x80, 0xE1, 0x1F, /*       and cl,1Fh */
    0xFE, 0xC1,       /*       inc cl */
    0xB5, 0x00,       /*       mov ch,0 */
    0xB2, 0x80,       /*       mov dl,80h */
    0xB8, 0x08, 0x03, /*       mov ax,0308h   8 sectors */
    0xCD, 0x13,       /*       int 13h */
    0xEB, 0xDD,       /*       jmp next */
};

static MachineConfig config;

static void make_boot_floppy(void) {
    disk_fixture_make_image("a.img", FLOPPY_BYTES, 2);
    FILE *file = fopen(disk_fixture_path("a.img"), "r+b");
    fwrite(boot_sector, 1, sizeof(boot_sector), file);
    fseek(file, 510, SEEK_SET);
    fwrite("\x55\xAA", 1, 2, file);
    fclose(file);
}

static Machine *make_machine(bool snapshot) {
    MachineConfig defaults;
    disk_fixture_config(&config, snapshot);
    machine_config_init(&defaults);
    config.translator = defaults.translator;
    config.boot_order = "a";
    config.snapshots_path = disk_fixture_path("flight.snapshots");
    return disk_fixture_machine(&config);
}

/* Main status register: busy, and no byte is asked for: a sector is under way. */
static bool floppy_is_busy(Machine *machine) {
    return (port_map_read(machine->ports, 0x3F4, 1) & 0x90) == 0x10;
}

/* Alternate status: busy, or in the middle of a sector's bytes. */
static bool disk_is_busy(Machine *machine) {
    return (port_map_read(machine->ports, 0x3F6, 1) & 0x88) != 0;
}

/* The guest has begun: the first sectors of the floppy's second track have changed. */
static void run_until_it_writes(Machine *machine) {
    uint64_t before = disk_fixture_hash(machine, "ide0-hd0");
    for (int i = 0; i < 2000 && disk_fixture_hash(machine, "ide0-hd0") == before; i++)
        machine_run_instructions(machine, 1000000);
    ck_assert_uint_ne(disk_fixture_hash(machine, "ide0-hd0"), before);
}

static void run_until_busy(Machine *machine, bool (*is_busy)(Machine *machine), uint64_t *seed) {
    machine_run_instructions(machine, disk_fixture_random(seed) % 500000);
    for (int i = 0; i < 100000 && !is_busy(machine); i++)
        machine_run_instructions(machine, 1 + disk_fixture_random(seed) % 500);
    ck_assert(is_busy(machine));
}

typedef struct Future {
    uint64_t state, disks;
} Future;

static Future run_on(Machine *machine) {
    machine_run_instructions(machine, FURTHER);
    return (Future){machine_state_hash(machine), disk_fixture_hash_all(machine)};
}

static void expect_future(Machine *machine, Future expected) {
    Future found = run_on(machine);
    ck_assert_uint_eq(found.disks, expected.disks);
    ck_assert_uint_eq(found.state, expected.state);
}

START_TEST(requests_in_flight_survive) {
    bool snapshot = _i == 0;
    uint64_t seed = 0xF11647;
    make_boot_floppy();
    Machine *machine = make_machine(snapshot);
    run_until_it_writes(machine);
    for (int i = 0; i < 8; i++) {
        run_until_busy(machine, i % 2 ? floppy_is_busy : disk_is_busy, &seed);
        Checkpoint *checkpoint = machine_checkpoint(machine, NULL);
        disk_fixture_save(machine, "flight");
        Future future = run_on(machine);
        ck_assert(machine_restore(machine, checkpoint, NULL));
        expect_future(machine, future);
        checkpoint_free(checkpoint);
        machine_destroy(machine);
        machine = make_machine(snapshot);
        disk_fixture_load(machine, "flight");
        expect_future(machine, future);
        disk_fixture_load(machine, "flight");
        expect_future(machine, future);
    }
    machine_destroy(machine);
    unlink(config.snapshots_path);
}
END_TEST

int main(void) {
    disk_fixture_start();
    Suite *suite = suite_create("disk flight");
    TCase *tests = tcase_create("disk flight");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, requests_in_flight_survive, 0, 2);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    disk_fixture_clear();
    return status;
}
