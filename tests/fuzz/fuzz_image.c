/* 'reprise image' with words at random: verbs, options and files of a folder with images of every
 * kind, sound and damaged. Every call ends, with a line or none. */
#include "fuzz_input.h"
#include "image_command.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 9

static char folder[64], old_folder[4096];
static int old_output, nowhere;

static const char *const verbs[] = {"amend",  "check",  "commit",  "compare", "convert",
                                    "create", "dd",     "info",    "map",     "measure",
                                    "rebase", "resize", "snapshot"};
static const char *const files[] = {"raw",         "two.qcow2", "one.qcow2", "a.vmdk",
                                    "a-flat.vmdk", "a.vdi",     "a.vhd",     "bad.qcow2",
                                    "new",         "none",      "."};
static const char *const values[] = {
    "",
    "0",
    "1",
    "512",
    "4K",
    "1M",
    "+1M",
    "-512K",
    "99999T",
    "raw",
    "qcow2",
    "vdi",
    "vpc",
    "vmdk",
    "vhdx",
    "hdx",
    "one",
    "two",
    "human",
    "json",
    "leaks",
    "all",
    "none",
    "off",
    "help",
    "size=1M",
    "compat=0.10",
    "compat=1.1",
    "cluster_size=512",
    "cluster_size=2M",
    "refcount_bits=1",
    "refcount_bits=64",
    "lazy_refcounts=on",
    "preallocation=metadata",
    "preallocation=full",
    "compression_type=zstd",
    "subformat=monolithicFlat",
    "subformat=twoGbMaxExtentSparse",
    "subformat=streamOptimized",
    "subformat=fixed",
    "static=on",
    "backing_file=raw,backing_fmt=raw",
    "if=raw",
    "of=new",
    "if=two.qcow2",
    "bs=4k",
    "count=3",
    "skip=7",
    "x=y",
    ",,=",
};
static const char *const options[] = {
    "-f",
    "-F",
    "-O",
    "-b",
    "-B",
    "-u",
    "-o",
    "-c",
    "-S",
    "-n",
    "-s",
    "-r",
    "-l",
    "-p",
    "-q",
    "-U",
    "-t",
    "-T",
    "-m",
    "-W",
    "-d",
    "-a",
    "-h",
    "--",
    "--target-is-zero",
    "--salvage",
    "--shrink",
    "--preallocation=off",
    "--backing-chain",
    "--output=json",
    "--size=3M",
    "--start-offset=4096",
    "--max-length=64K",
    "--force",
    "--repair",
    "--unknown",
    "-qpU",
    "-fraw",
    "-Oqcow2",
};

#define PICK(list, number) (list)[(number) % (sizeof(list) / sizeof((list)[0]))]

static void call(const char *line) {
    char copy[256], *words[16];
    int count = 0;
    Error error = {0};
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word != NULL && count < 16; word = strtok(NULL, " "))
        words[count++] = word;
    image_command(count, words, &error);
}

/* The folder as it is before each input. */
static void make_files(void) {
    static const char *const leftovers[] = {"new",       "new-flat",  "new-s001",  "raw",
                                            "two.qcow2", "one.qcow2", "a.vmdk",    "a-flat.vmdk",
                                            "a.vdi",     "a.vhd",     "bad.qcow2", "none"};
    for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++)
        unlink(leftovers[i]);
    int file = open("raw", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || pwrite(file, "some data", 9, 70000) != 9 || ftruncate(file, 1 << 20) != 0)
        abort();
    close(file);
    call("convert -q -O qcow2 -o cluster_size=4K raw one.qcow2");
    call("snapshot -c one one.qcow2");
    call("create -q -f qcow2 -b one.qcow2 -F qcow2 two.qcow2");
    call("convert -q -O vmdk -o subformat=monolithicFlat raw a.vmdk");
    call("convert -q -O vdi raw a.vdi");
    call("convert -q -O vpc raw a.vhd");
    call("convert -q -O qcow2 -c raw bad.qcow2");
}

static void damage(FuzzInput *input) {
    int file = open(PICK(files, fuzz_number(input, 1) % 8), O_WRONLY);
    for (uint64_t i = fuzz_number(input, 1) % 4; file >= 0 && i > 0; i--) {
        off_t at = (off_t)(fuzz_number(input, 1) % 8 * 4096 + fuzz_number(input, 1));
        uint8_t byte = (uint8_t)fuzz_number(input, 1);
        if (pwrite(file, &byte, 1, at) != 1)
            abort();
    }
    if (file >= 0)
        close(file);
}

static void set_up(void) {
    snprintf(folder, sizeof(folder), "/tmp/fuzz-image-XXXXXX");
    if (mkdtemp(folder) == NULL || getcwd(old_folder, sizeof(old_folder)) == NULL ||
        chdir(folder) != 0)
        abort();
    nowhere = open("/dev/null", O_WRONLY);
    old_output = dup(STDOUT_FILENO);
    if (nowhere < 0 || old_output < 0)
        abort();
}

void fuzz_clean_up(void) {
    char command[128];
    if (chdir(old_folder) != 0)
        abort();
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    if (system(command) != 0)
        abort();
}

/* The answers are many, and nobody reads them. */
static void send_output_to(int file) {
    fflush(stdout);
    if (dup2(file, STDOUT_FILENO) < 0)
        abort();
}

static void run(FuzzInput *input) {
    char words[WORDS_MAX][96];
    char *argv[WORDS_MAX + 1];
    int count = 1 + (int)(fuzz_number(input, 1) % (WORDS_MAX - 1));
    snprintf(words[0], sizeof(words[0]), "%s", PICK(verbs, fuzz_number(input, 1)));
    for (int i = 1; i < count; i++) {
        unsigned kind = (unsigned)fuzz_number(input, 1) % 8,
                 which = (unsigned)fuzz_number(input, 1);
        snprintf(words[i], sizeof(words[i]), "%s",
                 kind < 3   ? PICK(files, which)
                 : kind < 5 ? PICK(values, which)
                            : PICK(options, which));
    }
    for (int i = 0; i < count; i++)
        argv[i] = words[i];
    argv[count] = NULL;
    Error error = {0};
    image_command(count, argv, &error);
    if (strchr(error.message, '\n') != NULL)
        abort();
}

int fuzz_one(const uint8_t *data, size_t size) {
    if (folder[0] == '\0')
        set_up();
    FuzzInput input = {data, size, 0};
    send_output_to(nowhere);
    make_files();
    if (fuzz_number(&input, 1) % 2 == 0)
        damage(&input);
    for (uint64_t calls = 1 + fuzz_number(&input, 1) % 6; calls > 0; calls--)
        run(&input);
    send_output_to(old_output);
    return 0;
}
