#include "disk_format_fixture.h"
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[32];

const char *disk_format_path(const char *name) {
    static char paths[32][128];
    static unsigned next;
    if (folder[0] == '\0') {
        strcpy(folder, "/tmp/reprise-format-XXXXXX");
        if (mkdtemp(folder) == NULL)
            abort();
    }
    char *path = paths[next++ % 32];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

void disk_format_remove_folder(void) {
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (folder[0] != '\0')
        (void)!system(command);
}

int disk_format_run(bool may_fail, const char *format, ...) {
    char command[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    char redirected[1200], printed[128];
    snprintf(printed, sizeof(printed), "%s", disk_format_path("output"));
    snprintf(redirected, sizeof(redirected), "(%s) >%s 2>&1", command, printed);
    int status = system(redirected);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    if (status != 0 && !may_fail) {
        char output[2048] = "";
        FILE *file = fopen(printed, "r");
        size_t size = file != NULL ? fread(output, 1, sizeof(output) - 1, file) : 0;
        output[size] = '\0';
        if (file != NULL)
            fclose(file);
        ck_abort_msg("%s: status %d: %s", command, status, output);
    }
    return status;
}

bool disk_format_has_qemu(void) {
    if (system("qemu-img --version >/dev/null 2>&1") == 0)
        return true;
    fprintf(stderr, "qemu-img is not installed: what needs it is skipped\n");
    return false;
}

uint32_t disk_format_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void fill_random(uint8_t *data, size_t size, uint64_t *state) {
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)disk_format_random(state);
}

void disk_format_make_raw(const char *path, uint64_t size, uint64_t seed) {
    static uint8_t piece[65536];
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, (off_t)size), 0);
    for (uint64_t offset = 0; offset < size; offset += sizeof(piece)) {
        if (disk_format_random(&seed) % 4 != 0)
            continue;
        size_t part = size - offset < sizeof(piece) ? (size_t)(size - offset) : sizeof(piece);
        fill_random(piece, part, &seed);
        ck_assert_int_eq(pwrite(file, piece, part, (off_t)offset), (ssize_t)part);
    }
    close(file);
}

BlockNode *disk_format_open(const char *path, const char *format, bool read_only) {
    Error error = {0};
    BlockOptions options = {.path = path, .format = format, .read_only = read_only};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

void disk_format_refused(const char *path, const char *format, bool read_only, const char *words) {
    Error error = {0};
    BlockOptions options = {.path = path, .format = format, .read_only = read_only};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node == NULL, "opened, but '%s' was expected", words);
    ck_assert_msg(strstr(error.message, words) != NULL, "'%s' lacks '%s'", error.message, words);
    ck_assert_msg(strstr(error.message, path) != NULL, "'%s' names no file", error.message);
    ck_assert_ptr_null(strchr(error.message, '\n'));
}

/* The end of a file as zeros. */
static void read_padded(int file, uint64_t offset, uint8_t *data, size_t size) {
    ssize_t done = pread(file, data, size, (off_t)offset);
    ck_assert_int_ge(done, 0);
    memset(data + done, 0, size - (size_t)done);
}

void disk_format_check_equal(BlockNode *node, const char *raw_path) {
    static uint8_t ours[200000], theirs[200000];
    uint64_t seed = 5, length = block_length(node);
    int file = open(raw_path, O_RDONLY);
    ck_assert_int_ge(file, 0);
    for (uint64_t offset = 0; offset < length;) {
        Error error = {0};
        size_t size = 1 + disk_format_random(&seed) % sizeof(ours);
        if (size > length - offset)
            size = (size_t)(length - offset);
        ck_assert_msg(block_read(node, offset, ours, size, &error), "%s", error.message);
        read_padded(file, offset, theirs, size);
        ck_assert_msg(memcmp(ours, theirs, size) == 0, "differs within %zu bytes at %llu", size,
                      (unsigned long long)offset);
        offset += size;
    }
    close(file);
}

void disk_format_write_random(BlockNode *node, const char *raw_path, unsigned count,
                              uint32_t size_maximum, uint64_t seed) {
    uint8_t *data = malloc(size_maximum), *back = malloc(size_maximum);
    int file = open(raw_path, O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(file, 0);
    for (unsigned i = 0; i < count; i++) {
        Error error = {0};
        uint64_t offset = ((uint64_t)disk_format_random(&seed) << 20 ^ disk_format_random(&seed)) %
                          block_length(node);
        size_t size = 1 + disk_format_random(&seed) % size_maximum;
        if (disk_format_random(&seed) % 2 == 0) { /* as disks do it */
            offset &= ~511ull;
            size = (size + 511) & ~(size_t)511;
        }
        size = size > size_maximum ? size_maximum : size;
        if (size > block_length(node) - offset)
            size = (size_t)(block_length(node) - offset);
        fill_random(data, size, &seed);
        ck_assert_msg(block_write(node, offset, data, size, &error), "%s", error.message);
        ck_assert_int_eq(pwrite(file, data, size, (off_t)offset), (ssize_t)size);
        offset =
            disk_format_random(&seed) % 2 ? offset : disk_format_random(&seed) % block_length(node);
        if (size > block_length(node) - offset)
            size = (size_t)(block_length(node) - offset);
        ck_assert_msg(block_read(node, offset, data, size, &error), "%s", error.message);
        read_padded(file, offset, back, size);
        ck_assert_msg(memcmp(data, back, size) == 0, "read at %llu", (unsigned long long)offset);
    }
    ck_assert(block_flush(node, NULL));
    close(file);
    free(data);
    free(back);
}

/* ---- Kills ---- */

#define STAMP_SECTORS 512

/* Shared with the fork: which stamp each sector got last for sure, and which may be on its way. */
typedef struct Stamps {
    uint32_t done[STAMP_SECTORS];
    uint32_t begun[STAMP_SECTORS];
    uint32_t next;
} Stamps;

static uint64_t stamp_offset(const BlockNode *node, unsigned index) {
    uint64_t sectors = block_length(node) / 512;
    return index * (sectors / STAMP_SECTORS) * 512;
}

static void make_stamp(uint8_t *sector, unsigned index, uint32_t number) {
    for (unsigned i = 0; i < 512; i += 8) {
        memcpy(sector + i, &index, 4);
        memcpy(sector + i + 4, &number, 4);
    }
}

static void write_until_killed(Stamps *stamps, const char *path, const char *format,
                               uint64_t seed) {
    BlockOptions options = {.path = path, .format = format};
    BlockNode *node = block_open(&options, NULL);
    uint8_t sector[512];
    while (node != NULL) {
        unsigned index = disk_format_random(&seed) % STAMP_SECTORS;
        uint32_t number = ++stamps->next;
        make_stamp(sector, index, number);
        stamps->begun[index] = number;
        if (!block_write(node, stamp_offset(node, index), sector, 512, NULL))
            break;
        stamps->done[index] = number;
    }
    _exit(1);
}

static void check_stamps(const Stamps *stamps, const char *path, const char *format) {
    BlockNode *node = disk_format_open(path, format, true);
    uint8_t sector[512], expected[512];
    for (unsigned index = 0; index < STAMP_SECTORS; index++) {
        uint32_t number;
        ck_assert(block_read(node, stamp_offset(node, index), sector, 512, NULL));
        memcpy(&number, sector + 4, 4);
        ck_assert_msg(number == stamps->done[index] || number == stamps->begun[index],
                      "sector of stamp %u holds %u instead of %u or %u", index, number,
                      stamps->done[index], stamps->begun[index]);
        make_stamp(expected, index, number);
        if (number == 0)
            memset(expected, 0, sizeof(expected));
        ck_assert_mem_eq(sector, expected, 512);
    }
    block_close(node);
}

static void kill_one(Stamps *stamps, const char *path, const char *format, uint64_t *seed) {
    pid_t writer = fork();
    ck_assert_int_ge(writer, 0);
    if (writer == 0)
        write_until_killed(stamps, path, format, *seed);
    struct timespec wait = {.tv_nsec = 1000000 + disk_format_random(seed) % 15000000};
    nanosleep(&wait, NULL);
    int status;
    kill(writer, SIGKILL);
    ck_assert_int_eq(waitpid(writer, &status, 0), writer);
    ck_assert_msg(WIFSIGNALED(status), "the writer ended by itself");
}

/* What was on its way may or may not be there: from now on it is what it is. */
static void settle_stamps(Stamps *stamps, const char *path, const char *format) {
    BlockNode *node = disk_format_open(path, format, true);
    for (unsigned index = 0; index < STAMP_SECTORS; index++) {
        uint8_t sector[512];
        ck_assert(block_read(node, stamp_offset(node, index), sector, 512, NULL));
        memcpy(&stamps->done[index], sector + 4, 4);
        stamps->begun[index] = stamps->done[index];
    }
    block_close(node);
}

void disk_format_kill_writers(void (*make)(const char *path), const char *name, const char *format,
                              void (*check)(const char *path)) {
    char path[128];
    snprintf(path, sizeof(path), "%s", disk_format_path(name));
    unsigned kills = getenv("REPRISE_LONG") != NULL ? 200 : 36;
    uint64_t seed = (uint64_t)getpid() << 32 ^ (uint64_t)time(NULL);
    Stamps *stamps =
        mmap(NULL, sizeof(*stamps), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(stamps, MAP_FAILED);
    for (unsigned i = 0; i < kills; i++) {
        if (i % 4 == 0) { /* a fresh image now and then: kills should meet new blocks */
            memset(stamps, 0, sizeof(*stamps));
            make(path);
        }
        kill_one(stamps, path, format, &seed);
        check_stamps(stamps, path, format);
        settle_stamps(stamps, path, format);
        check(path);
    }
    munmap(stamps, sizeof(*stamps));
}
