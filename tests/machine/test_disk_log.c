/* Snapshots of images that are written straight: whatever is written, returned to and removed in
 * whatever order, and whenever the process is killed, every snapshot is what the drives held when
 * it was taken. */
#define _GNU_SOURCE
#include "disk_fixture.h"
#include "disk_logs.h"
#include "disk_point.h"
#include "disk_state.h"
#include "snapshot_of_machine.h"
#include "suite_run.h"
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SNAPSHOTS 6

/* What is right, also after the process that did it was killed. */
typedef struct Model {
    uint64_t ids[SNAPSHOTS], hashes[SNAPSHOTS];
    uint64_t before, after; /* what the present may be: the state before the act and after it */
    int replaced;           /* the snapshot that is being saved or removed; -1: none */
    uint64_t replaced_hash; /* and what it then is */
} Model;

static Machine *machine;
static SnapshotFile *file;

static const char *file_path(void) {
    return disk_fixture_path("disk.img.snapshots");
}

static Machine *make_machine(bool snapshot, Error *error) {
    MachineConfig config;
    disk_fixture_config(&config, snapshot);
    config.floppy[1].file = disk_fixture_path("b.img");
    return machine_create(&config, error);
}

static void start(void) {
    Error error = {0};
    machine = make_machine(false, &error);
    ck_assert_msg(machine != NULL, "%s", error.message);
    file = disk_logs_open_file(machine, file_path(), SNAPSHOT_CREATE, &error);
    ck_assert_msg(file != NULL, "%s", error.message);
}

static void stop(void) {
    machine_destroy(machine);
}

static void name_of(int index, char *name) {
    sprintf(name, "snapshot-%d", index);
}

static uint64_t id_of(int index) {
    char name[32];
    name_of(index, name);
    const SnapshotInfo *info = snapshot_file_find(file, name);
    return info != NULL ? info->id : 0;
}

static void expect(bool good, const Error *error) {
    ck_assert_msg(good, "%s", error->message);
}

static void save(int index) {
    Error error = {0};
    char name[32];
    name_of(index, name);
    ByteBuffer bytes = {.data = NULL};
    DiskUnitSink sink = {.file = file};
    uint64_t old = id_of(index);
    expect(disk_logs_add_media(machine, file, &error), &error);
    if (old != 0)
        expect(disk_log_hand_on(file, old, &error), &error);
    SnapshotInfo info = {.name = name, .fingerprint = "", .media = ""};
    uint64_t id = snapshot_file_add(file, &info, &error);
    ck_assert_uint_ne(id, 0);
    expect(disk_state_save(machine, &bytes, &sink, &error), &error);
    expect(snapshot_file_put_stream(file, id, "disks", bytes.data, bytes.size, NULL, &error),
           &error);
    expect(snapshot_file_commit(file, &error), &error);
    disk_logs_renew(machine, file);
    byte_buffer_free(&bytes);
}

static bool load_into(Machine *into, SnapshotFile *from, uint64_t id, Error *error) {
    SnapshotImage *image = snapshot_file_read(from, id, error);
    ck_assert_ptr_nonnull(image);
    uint64_t size;
    uint8_t *bytes = snapshot_image_copy(image, "disks", &size);
    ByteReader reader = {.data = bytes, .size = (size_t)size};
    DiskUnitSource source = {.file = from, .snapshot = id};
    bool good = disk_state_load(into, &reader, &source, error);
    free(bytes);
    snapshot_image_free(image);
    return good;
}

static void load(int index) {
    Error error = {0};
    expect(load_into(machine, file, id_of(index), &error), &error);
}

static void erase(int index) {
    Error error = {0};
    expect(disk_log_hand_on(file, id_of(index), &error), &error);
    expect(snapshot_file_remove(file, id_of(index), &error), &error);
    expect(snapshot_file_commit(file, &error), &error);
    disk_logs_renew(machine, file);
    snapshot_file_compact(file);
}

static void write_something(uint64_t *seed) {
    static const char *const drives[] = {"ide0-hd0", "floppy0", "floppy1", "ide0-hd0"};
    disk_fixture_write(machine, drives[disk_fixture_random(seed) % 4], seed);
}

static void act(Model *model, uint64_t *seed) {
    int index = (int)(disk_fixture_random(seed) % SNAPSHOTS);
    unsigned what = (unsigned)(disk_fixture_random(seed) % 16);
    model->replaced = -1;
    model->before = model->after = disk_fixture_hash_all(machine);
    if (what == 0) {
        model->replaced_hash = model->before;
        model->replaced = index;
        save(index);
        model->hashes[index] = model->before;
        model->ids[index] = id_of(index);
    } else if (what <= 2 && model->hashes[index] != 0) {
        model->after = model->hashes[index];
        load(index);
        ck_assert_uint_eq(disk_fixture_hash_all(machine), model->hashes[index]);
    } else if (what == 3 && model->hashes[index] != 0) {
        model->replaced_hash = 0;
        model->replaced = index;
        erase(index);
        model->hashes[index] = 0;
        model->ids[index] = 0;
    } else {
        model->after = 0; /* anything: a write may be half done */
        write_something(seed);
    }
    model->replaced = -1;
    model->before = model->after = disk_fixture_hash_all(machine);
}

/* Loads all in some order, in the machine that there is. */
static void check_all(const Model *model, int first) {
    for (int i = 0; i < SNAPSHOTS; i++) {
        int index = (first + i * 5) % SNAPSHOTS; /* 5 and 6 have no common divisor */
        ck_assert_int_eq(id_of(index) != 0, model->hashes[index] != 0);
        if (model->hashes[index] == 0)
            continue;
        load(index);
        ck_assert_uint_eq(disk_fixture_hash_all(machine), model->hashes[index]);
    }
}

static void forget_files(void) {
    unlink(file_path());
}

START_TEST(snapshots_agree_with_a_model) {
    uint64_t seed = 0x106000u + (uint64_t)_i;
    Model model = {.replaced = -1};
    forget_files();
    for (int round = 0; round < 3; round++) {
        start();
        for (int i = 0; i < 120; i++)
            act(&model, &seed);
        check_all(&model, round);
        stop();
    }
    start();
    check_all(&model, 4);
    stop();
}
END_TEST

static void run_until_killed(Model *model, uint64_t seed) {
    start();
    model->before = model->after = disk_fixture_hash_all(machine);
    for (;;)
        act(model, &seed);
}

/* What the killed one was in the middle of is done or not done. */
static void settle(Model *model) {
    int index = model->replaced;
    if (index >= 0) {
        bool is_there = id_of(index) != 0;
        if (model->replaced_hash == 0)
            model->hashes[index] = is_there ? model->hashes[index] : 0;
        else if (id_of(index) != model->ids[index])
            model->hashes[index] = model->replaced_hash;
    }
    uint64_t present = disk_fixture_hash_all(machine);
    ck_assert(model->after == 0 || present == model->before || present == model->after);
}

START_TEST(killed_at_any_moment) {
    uint64_t seed = 0x4B494C4Cu + (uint64_t)_i;
    Model *model =
        mmap(NULL, sizeof(*model), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    forget_files();
    *model = (Model){.replaced = -1};
    for (int round = 0; round < 12; round++) {
        uint64_t child_seed = disk_fixture_random(&seed);
        pid_t child = fork();
        if (child == 0)
            run_until_killed(model, child_seed);
        usleep(20000 + disk_fixture_random(&seed) % 60000);
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the child failed");
        start();
        settle(model);
        check_all(model, round);
        model->before = model->after = disk_fixture_hash_all(machine);
        model->replaced = -1;
        for (int i = 0; i < SNAPSHOTS; i++)
            model->ids[i] = id_of(i);
        stop();
    }
    munmap(model, sizeof(*model));
}
END_TEST

static bool die_at_the_third_write(void *opaque, uint64_t offset, uint64_t size, Error *error) {
    static int writes;
    (void)opaque;
    (void)offset;
    (void)size;
    (void)error;
    if (++writes == 3)
        kill(getpid(), SIGKILL);
    return true;
}

static void die_while_loading(uint64_t *hash) {
    uint64_t seed = 0x1417;
    start();
    save(0);
    *hash = disk_fixture_hash_all(machine);
    for (int i = 0; i < 20; i++)
        write_something(&seed);
    ck_assert_uint_ne(disk_fixture_hash_all(machine), *hash);
    BlockGuard killer = {.before_write = die_at_the_third_write};
    block_add_guard(disk_fixture_medium(machine, "ide0-hd0"), &killer);
    load(0);
}

/* A return that was begun is finished when the image is opened, by whoever does so. */
START_TEST(begun_return_is_finished_at_the_next_opening) {
    uint64_t *hash =
        mmap(NULL, sizeof(*hash), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    forget_files();
    pid_t child = fork();
    if (child == 0)
        die_while_loading(hash);
    int status;
    waitpid(child, &status, 0);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    Error error = {0};
    ck_assert_ptr_null(make_machine(true, &error)); /* who only reads cannot finish it */
    ck_assert_ptr_nonnull(strstr(error.message, "disk.img: a return to a snapshot"));
    machine = make_machine(false, NULL);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), *hash);
    stop();
    machine = make_machine(true, NULL);
    ck_assert_ptr_nonnull(machine);
    stop();
    munmap(hash, sizeof(*hash));
}
END_TEST

START_TEST(foreign_changes_are_told) {
    uint64_t seed = 0xF00;
    Error error = {0};
    forget_files();
    start();
    save(0);
    write_something(&seed);
    stop();
    start(); /* nobody came between */
    load(0);
    stop();
    usleep(20000);
    int image = open(disk_fixture_path("disk.img"), O_WRONLY);
    ck_assert_int_eq(pwrite(image, "foreign", 7, 1000), 7);
    close(image);
    start();
    uint64_t hash = disk_fixture_hash_all(machine);
    ck_assert(!load_into(machine, file, id_of(0), &error));
    ck_assert_msg(strstr(error.message, "disk.img: was changed") != NULL, "%s", error.message);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    save(1); /* a new one is good, and the old one stays lost */
    hash = disk_fixture_hash_all(machine);
    write_something(&seed);
    stop();
    start();
    load(1);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    ck_assert(!load_into(machine, file, id_of(0), NULL));
    stop();
}
END_TEST

START_TEST(unusable_file_refuses_the_drive) {
    Error error = {0};
    forget_files();
    start();
    save(0);
    stop();
    SnapshotFile *other = snapshot_file_open(file_path(), SNAPSHOT_WRITE, &error);
    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_null(make_machine(false, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "disk.img"));
    ck_assert_ptr_null(strchr(error.message, '\n'));
    snapshot_file_close(other);
    Machine *reader = make_machine(true, NULL); /* who does not write needs no log */
    ck_assert_ptr_nonnull(reader);
    machine_destroy(reader);
    int damaged = open(file_path(), O_WRONLY | O_TRUNC);
    ck_assert_int_eq(write(damaged, "nonsense", 8), 8);
    close(damaged);
    error.set = false;
    ck_assert_ptr_null(make_machine(false, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "disk.img.snapshots"));
    forget_files();
}
END_TEST

/* Checkpoints in memory and snapshots in the file of one image. */
START_TEST(checkpoints_beside_snapshots) {
    uint64_t seed = 0xC0DE;
    forget_files();
    start();
    write_something(&seed);
    DiskPoint *point = disk_point_take(machine, NULL);
    uint64_t at_point = disk_fixture_hash_all(machine);
    write_something(&seed);
    save(0);
    uint64_t at_save = disk_fixture_hash_all(machine);
    for (int i = 0; i < 4; i++) {
        write_something(&seed);
        ck_assert(disk_point_return(machine, point, NULL));
        ck_assert_uint_eq(disk_fixture_hash_all(machine), at_point);
        write_something(&seed);
        load(0);
        ck_assert_uint_eq(disk_fixture_hash_all(machine), at_save);
    }
    disk_point_free(point);
    stop();
    forget_files();
}
END_TEST

/* Floppies that were changed since go back into their drives, even into each other's. */
START_TEST(changed_media_come_back) {
    uint64_t seed = 0xF10;
    forget_files();
    start();
    write_something(&seed);
    save(0);
    uint64_t hash = disk_fixture_hash_all(machine);
    disk_fixture_eject(machine, "floppy0");
    disk_fixture_eject(machine, "floppy1");
    ck_assert(disk_fixture_change(machine, "floppy0", "b.img"));
    ck_assert(disk_fixture_change(machine, "floppy1", "a.img"));
    for (int i = 0; i < 20; i++)
        write_something(&seed);
    load(0);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    disk_fixture_eject(machine, "floppy0");
    disk_fixture_write(machine, "floppy1", &seed);
    load(0);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    stop();
    forget_files();
}
END_TEST

/* Who must not write the image gets the same contents in overlays; several at once. */
START_TEST(overlays_of_what_was_written_straight) {
    uint64_t seed = 0x0FE4;
    Error error = {0};
    forget_files();
    start();
    write_something(&seed);
    save(0);
    uint64_t hash = disk_fixture_hash_all(machine), id = id_of(0);
    for (int i = 0; i < 20; i++)
        write_something(&seed);
    uint64_t present = disk_fixture_hash_all(machine);
    stop();
    SnapshotFile *readers[2];
    Machine *machines[2];
    for (int i = 0; i < 2; i++) {
        machines[i] = make_machine(true, &error);
        readers[i] = snapshot_file_open(file_path(), SNAPSHOT_READ, &error);
        ck_assert_msg(readers[i] != NULL, "%s", error.message);
        expect(load_into(machines[i], readers[i], id, &error), &error);
        ck_assert_uint_eq(disk_fixture_hash_all(machines[i]), hash);
    }
    disk_fixture_write(machines[0], "ide0-hd0", &seed);
    ck_assert_uint_eq(disk_fixture_hash_all(machines[1]), hash);
    for (int i = 0; i < 2; i++) {
        snapshot_file_close(readers[i]);
        machine_destroy(machines[i]);
    }
    start();
    ck_assert_uint_eq(disk_fixture_hash_all(machine), present);
    load(0);
    stop();
    forget_files();
}
END_TEST

/* A straight floppy that is not in its drive when the process starts. */
START_TEST(empty_drive_gets_its_image_back) {
    uint64_t seed = 0xE3B7;
    MachineConfig config;
    forget_files();
    disk_fixture_config(&config, true);
    config.floppy[0].snapshot = false;
    config.snapshots_path = file_path();
    machine = disk_fixture_machine(&config);
    disk_fixture_save(machine, "one");
    uint64_t hash = disk_fixture_hash_all(machine);
    disk_fixture_write(machine, "floppy0", &seed);
    stop();
    config.floppy[0].file = NULL;
    machine = disk_fixture_machine(&config);
    disk_fixture_load(machine, "one");
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    disk_fixture_write(machine, "floppy0", &seed);
    disk_fixture_load(machine, "one");
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    stop();
    forget_files();
}
END_TEST

/* A medium may be put in with another mode than its drive's: it comes back with that. */
START_TEST(media_keep_their_mode) {
    uint64_t seed = 0x30DE;
    MachineConfig config;
    forget_files();
    disk_fixture_config(&config, true);
    config.snapshots_path = file_path();
    config.floppy[0].snapshot = false;
    machine = disk_fixture_machine(&config);
    BlockOptions options = {.path = disk_fixture_path("b.img"), .format = "raw"};
    ck_assert(board_change_medium(&machine->board, board_find_drive(&machine->board, "floppy1"),
                                  &options, true, NULL));
    options = (BlockOptions){.path = disk_fixture_path("a.img"), .format = "raw", .snapshot = true};
    ck_assert(board_change_medium(&machine->board, board_find_drive(&machine->board, "floppy0"),
                                  &options, true, NULL));
    disk_fixture_write(machine, "floppy0", &seed);
    disk_fixture_write(machine, "floppy1", &seed);
    disk_fixture_save(machine, "one");
    uint64_t hash = disk_fixture_hash_all(machine);
    disk_fixture_write(machine, "floppy0", &seed);
    disk_fixture_write(machine, "floppy1", &seed);
    for (int i = 0; i < 2; i++) {
        disk_fixture_load(machine, "one");
        ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
        ck_assert(!block_writes_image(disk_fixture_medium(machine, "floppy0")));
        ck_assert(block_writes_image(disk_fixture_medium(machine, "floppy1")));
        stop();
        config.floppy[0].file = NULL;
        machine = disk_fixture_machine(&config);
    }
    stop();
    forget_files();
}
END_TEST

/* Where the old contents cannot be kept, nothing is written: the guest sees a failing disk. */
START_TEST(full_disk_refuses_the_write) {
    forget_files();
    start();
    save(0);
    uint64_t hash = disk_fixture_hash_all(machine);
    struct stat status;
    ck_assert_int_eq(stat(file_path(), &status), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {(rlim_t)status.st_size, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    Error error = {0};
    uint8_t data[512] = {1, 2, 3};
    BlockNode *disk = disk_fixture_medium(machine, "ide0-hd0");
    ck_assert(!block_write(disk, 0, data, sizeof(data), &error));
    ck_assert_msg(strstr(error.message, "disk.img.snapshots") != NULL, "%s", error.message);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(block_write(disk, 0, data, sizeof(data), NULL));
    load(0);
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    stop();
    forget_files();
}
END_TEST

/* Image and snapshots may be moved together. */
START_TEST(moved_images_keep_their_snapshots) {
    uint64_t seed = 0x30BED;
    char folder[256], image[300], snapshots[320];
    MachineConfig config;
    forget_files();
    disk_fixture_config(&config, true);
    config.ide[0].snapshot = false;
    machine = disk_fixture_machine(&config);
    disk_fixture_save(machine, "one");
    uint64_t hash = disk_fixture_hash_all(machine);
    disk_fixture_write(machine, "ide0-hd0", &seed);
    stop();
    snprintf(folder, sizeof(folder), "%s.d", disk_fixture_path("disk.img"));
    snprintf(image, sizeof(image), "%s/disk.img", folder);
    snprintf(snapshots, sizeof(snapshots), "%s.snapshots", image);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    ck_assert_int_eq(rename(config.ide[0].file, image), 0);
    ck_assert_int_eq(rename(file_path(), snapshots), 0);
    config.ide[0].file = image;
    machine = disk_fixture_machine(&config);
    disk_fixture_write(machine, "ide0-hd0", &seed);
    disk_fixture_load(machine, "one");
    ck_assert_uint_eq(disk_fixture_hash_all(machine), hash);
    stop();
    unlink(image);
    unlink(snapshots);
    rmdir(folder);
}
END_TEST

int main(void) {
    disk_fixture_start();
    Suite *suite = suite_create("disk log");
    TCase *tests = tcase_create("disk log");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, snapshots_agree_with_a_model, 0, 4);
    tcase_add_loop_test(tests, killed_at_any_moment, 0, 2);
    tcase_add_test(tests, begun_return_is_finished_at_the_next_opening);
    tcase_add_test(tests, foreign_changes_are_told);
    tcase_add_test(tests, unusable_file_refuses_the_drive);
    tcase_add_test(tests, checkpoints_beside_snapshots);
    tcase_add_test(tests, changed_media_come_back);
    tcase_add_test(tests, overlays_of_what_was_written_straight);
    tcase_add_test(tests, empty_drive_gets_its_image_back);
    tcase_add_test(tests, media_keep_their_mode);
    tcase_add_test(tests, full_disk_refuses_the_write);
    tcase_add_test(tests, moved_images_keep_their_snapshots);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    disk_fixture_clear();
    return status;
}
