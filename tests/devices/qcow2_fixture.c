#include "qcow2_fixture.h"
#include "suite_run.h"
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/reprise-qcow2-XXXXXX";

static void enter_folder(void) {
    if (mkdtemp(folder) == NULL)
        exit(1);
}

static void leave_folder(void) {
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s is left over\n", folder);
}

static bool has_tools(void) {
    return system("qemu-img --version >/dev/null 2>&1") == 0 &&
           system("qemu-io --version >/dev/null 2>&1") == 0;
}

int qcow2_fixture_run_suite(const char *name, void (*add)(TCase *tests)) {
    if (!has_tools()) {
        puts("qemu-img or qemu-io is missing: skipped");
        return 77;
    }
    enter_folder();
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create("images");
    tcase_set_timeout(tests, 120);
    add(tests);
    suite_add_tcase(suite, tests);
    int status = suite_run(suite);
    leave_folder();
    return status;
}

const char *qcow2_path(const char *name) {
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static int run(const char *format, va_list arguments) {
    char command[1024];
    int size = snprintf(command, sizeof(command), "cd %s && { ", folder);
    size += vsnprintf(command + size, sizeof(command) - (size_t)size, format, arguments);
    snprintf(command + size, sizeof(command) - (size_t)size, "; } >log 2>&1");
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int qcow2_try(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int code = run(format, arguments);
    va_end(arguments);
    return code;
}

static void show_log(void) {
    char line[256];
    FILE *log = fopen(qcow2_path("log"), "r");
    for (int i = 0; i < 20 && log != NULL && fgets(line, sizeof(line), log) != NULL; i++)
        fputs(line, stderr);
    if (log != NULL)
        fclose(log);
}

void qcow2_run(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int code = run(format, arguments);
    va_end(arguments);
    if (code != 0)
        show_log();
    ck_assert_msg(code == 0, "exit code %d of: %s", code, format);
}

uint64_t qcow2_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

void qcow2_fill(uint8_t *model, size_t size, uint64_t seed) {
    size_t at = 0;
    memset(model, 0, size);
    while (at < size) {
        size_t part = qcow2_random(&seed) % 100000;
        unsigned kind = qcow2_random(&seed) % 3;
        part = part < size - at ? part : size - at;
        for (size_t i = 0; i < part && kind != 0; i++)
            model[at + i] = kind == 1 ? (uint8_t)qcow2_random(&seed) : (uint8_t)(i / 100);
        at += part;
    }
}

void qcow2_save(const char *name, const uint8_t *data, size_t size) {
    FILE *file = fopen(qcow2_path(name), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    fclose(file);
}

BlockNode *qcow2_open_node(const char *name, const char *format) {
    Error error = {0};
    BlockOptions options = {.path = qcow2_path(name), .format = format};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

void qcow2_expect_contents(BlockNode *node, const uint8_t *model, size_t size) {
    uint64_t seed = 4711;
    Error error = {0};
    uint8_t *found = malloc(size);
    for (size_t at = 0; at < size;) {
        size_t part = 1 + qcow2_random(&seed) % 300000;
        part = part < size - at ? part : size - at;
        ck_assert_msg(block_read(node, at, found + at, part, &error), "%s", error.message);
        at += part;
    }
    for (size_t i = 0; memcmp(found, model, size) != 0 && i < size; i++)
        ck_assert_msg(found[i] == model[i], "byte %zu is %u, not %u", i, found[i], model[i]);
    free(found);
}

bool qcow2_write_both(BlockNode *node, uint8_t *model, size_t size, uint64_t *seed) {
    static uint8_t data[150000];
    bool large = qcow2_random(seed) % 8 == 0;
    size_t part = 1 + qcow2_random(seed) % (large ? sizeof(data) : 5000);
    size_t at = qcow2_random(seed) % size;
    part = part < size - at ? part : size - at;
    uint64_t pattern = qcow2_random(seed);
    for (size_t i = 0; i < part; i++)
        data[i] = (uint8_t)(pattern >> i % 8 * 8) ^ (uint8_t)i;
    memcpy(model + at, data, part);
    Error error = {0};
    bool good = block_write(node, at, data, part, &error);
    if (!good)
        fprintf(stderr, "%s\n", error.message);
    return good;
}

void qcow2_expect_sound(const char *name, bool allow_leaks) {
    int code = qcow2_try("qemu-img check -f qcow2 %s", name);
    if (code != 0 && !(allow_leaks && code == 3))
        show_log();
    ck_assert_msg(code == 0 || (allow_leaks && code == 3), "qemu-img check says %d", code);
}

void qcow2_expect_converted(const char *name, const char *options, const uint8_t *model,
                            size_t size) {
    qcow2_run("qemu-img convert -f qcow2 %s -O raw %s converted", options, name);
    FILE *file = fopen(qcow2_path("converted"), "rb");
    ck_assert_ptr_nonnull(file);
    uint8_t *found = malloc(size + 1);
    size_t length = fread(found, 1, size + 1, file);
    fclose(file);
    ck_assert_uint_eq(length, size);
    for (size_t i = 0; memcmp(found, model, size) != 0 && i < size; i++)
        ck_assert_msg(found[i] == model[i], "byte %zu is %u, not %u", i, found[i], model[i]);
    free(found);
}
