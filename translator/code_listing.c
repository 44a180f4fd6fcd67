#define _GNU_SOURCE
#include "code_listing.h"
#include "host_clock.h"
#include "host_file.h"
#include "host_pages.h"
#include "host_thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CodeListing {
    FILE *perf_map, *jit_dump;
    void *marker; /* a mapping of the jitdump: by it perf learns of the file */
    size_t marker_bytes;
    uint64_t index;
};

/* tools/perf/Documentation/jitdump-specification.txt, version 1. */
enum { JITDUMP_MAGIC = 0x4A695444, JITDUMP_VERSION = 1, JIT_CODE_LOAD = 0 };
enum { ELF_MACHINE_X86_64 = 62 };

typedef struct JitdumpHeader {
    uint32_t magic, version, total_size, elf_machine, unused, process;
    uint64_t timestamp, flags;
} JitdumpHeader;

typedef struct JitdumpLoad {
    uint32_t id, total_size;
    uint64_t timestamp;
    uint32_t process, thread;
    uint64_t address, code_address, code_size, index;
    /* then the name with its NUL, and the code */
} JitdumpLoad;

static FILE *open_listing(const char *path, const char *mode, Error *error) {
    FILE *file = fopen(path, mode);
    if (file == NULL)
        error_set(error, "cannot make %s: %s", path, strerror(errno));
    return file;
}

static bool open_perf_map(CodeListing *listing, Error *error) {
    char path[64];
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
    listing->perf_map = open_listing(path, "ae", error); /* shared by machines of one process */
    return listing->perf_map != NULL;
}

static bool open_jit_dump(CodeListing *listing, Error *error) {
    char path[64];
    snprintf(path, sizeof(path), "jit-%d.dump", (int)getpid());
    listing->jit_dump = open_listing(path, "wx+e", error);
    if (listing->jit_dump == NULL)
        return false;
    JitdumpHeader header = {.magic = JITDUMP_MAGIC,
                            .version = JITDUMP_VERSION,
                            .total_size = sizeof(header),
                            .elf_machine = ELF_MACHINE_X86_64,
                            .process = (uint32_t)getpid(),
                            .timestamp = (uint64_t)host_clock_ns()};
    fwrite(&header, sizeof(header), 1, listing->jit_dump);
    fflush(listing->jit_dump);
    listing->marker_bytes = host_pages_size();
    void *marker = host_pages_map_marker(fileno(listing->jit_dump));
    if (marker == NULL)
        return error_set(error, "cannot map %s executable, which perf needs", path);
    listing->marker = marker;
    return true;
}

CodeListing *code_listing_create(bool perf_map, bool jit_dump, Error *error) {
    CodeListing *listing = calloc(1, sizeof(*listing));
    if (listing == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if ((!perf_map || open_perf_map(listing, error)) &&
        (!jit_dump || open_jit_dump(listing, error)))
        return listing;
    code_listing_destroy(listing);
    return NULL;
}

void code_listing_destroy(CodeListing *listing) {
    if (listing == NULL)
        return;
    if (listing->perf_map != NULL)
        fclose(listing->perf_map);
    if (listing->marker != NULL)
        host_pages_unmap(listing->marker, listing->marker_bytes);
    if (listing->jit_dump != NULL)
        fclose(listing->jit_dump);
    free(listing);
}

void code_listing_add(CodeListing *listing, const void *code, size_t size, const char *name) {
    uint64_t address = (uint64_t)(uintptr_t)code;
    if (listing->perf_map != NULL)
        fprintf(listing->perf_map, "%llx %zx %s\n", (unsigned long long)address, size, name);
    if (listing->jit_dump == NULL)
        return;
    size_t name_size = strlen(name) + 1;
    JitdumpLoad load = {.id = JIT_CODE_LOAD,
                        .total_size = (uint32_t)(sizeof(load) + name_size + size),
                        .timestamp = (uint64_t)host_clock_ns(),
                        .process = (uint32_t)getpid(),
                        .thread = host_thread_number(),
                        .address = address,
                        .code_address = address,
                        .code_size = size,
                        .index = listing->index++};
    fwrite(&load, sizeof(load), 1, listing->jit_dump);
    fwrite(name, name_size, 1, listing->jit_dump);
    fwrite(code, size, 1, listing->jit_dump);
}
