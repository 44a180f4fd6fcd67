#define _GNU_SOURCE
#include "machine_clone.h"
#include "allocate.h"
#include "board_roms.h"
#include "disk_base.h"
#include "disk_state.h"
#include "host_file.h"
#include "host_pages.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "machine_state.h"

#include <stdlib.h>
#include <string.h>

struct CloneBase {
    unsigned holders; /* atomic */
    uint32_t pages;   /* of all regions */
    unsigned region_count;
    int memory[GUEST_REGIONS_MAXIMUM]; /* sealed files; -1: none */
    RamHashBase hash;
    ByteBuffer state;
    BoardRoms roms;
    DiskBase *disks;
    MachineCrash crash;
    bool panic_requested;
};

/* ---- In this process ---- */

static bool share_memory(CloneBase *base, Machine *machine, Error *error) {
    if (!ram_hash_share(&machine->ram_hash, &base->hash, error) ||
        !physical_map_seal(machine->memory, error))
        return false;
    const GuestRegion *regions = physical_map_regions(machine->memory, &base->region_count);
    base->pages = physical_map_region_pages(machine->memory);
    for (unsigned i = 0; i < base->region_count; i++) {
        base->memory[i] = host_file_duplicate(regions[i].file);
        if (base->memory[i] < 0)
            return error_set(error, "too many files are open for a clone's memory");
    }
    return true;
}

static CloneBase *allocate_base(void) {
    CloneBase *base = allocate_zeroed(sizeof *base);
    base->holders = 1;
    base->hash.file = -1;
    for (unsigned i = 0; i < GUEST_REGIONS_MAXIMUM; i++)
        base->memory[i] = -1;
    return base;
}

CloneBase *clone_base_create(Machine *machine, Error *error) {
    CloneBase *base = allocate_base();
    base->disks = disk_base_create(machine, error);
    if (base->disks == NULL || !share_memory(base, machine, error)) {
        clone_base_release(base);
        return NULL;
    }
    board_roms_share(&base->roms, &machine->board);
    machine_state_save(machine, &base->state);
    base->crash = machine->crash;
    base->panic_requested = machine->panic_requested;
    return base;
}

CloneBase *clone_base_hold(CloneBase *base) {
    __atomic_fetch_add(&base->holders, 1, __ATOMIC_RELAXED);
    return base;
}

void clone_base_release(CloneBase *base) {
    if (base == NULL || __atomic_sub_fetch(&base->holders, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (unsigned i = 0; i < GUEST_REGIONS_MAXIMUM; i++)
        if (base->memory[i] >= 0)
            close(base->memory[i]);
    ram_hash_base_release(&base->hash);
    byte_buffer_free(&base->state);
    board_roms_release(&base->roms);
    disk_base_free(base->disks);
    free(base);
}

/* The new machine becomes what the base's was. */
static bool become_clone(Machine *machine, const CloneBase *base, Error *error) {
    unsigned count;
    physical_map_regions(machine->memory, &count);
    if (count != base->region_count || physical_map_region_pages(machine->memory) != base->pages)
        return error_set(error, "a clone must have as much memory as its base");
    ByteReader reader = {.data = base->state.data, .size = base->state.size};
    if (!physical_map_adopt(machine->memory, base->memory, error) ||
        !machine_state_load(machine, &reader, error))
        return false;
    machine->crash = base->crash;
    machine->panic_requested = base->panic_requested;
    return ram_hash_adopt(&machine->ram_hash, &base->hash, error);
}

Machine *machine_create_clone(CloneBase *base, const MachineConfig *config, Error *error) {
    MachineConfig own = *config;
    own.disks = base->disks;
    own.roms = &base->roms;
    memset(own.audio, 0, sizeof(own.audio)); /* the first machine's alone */
    own.midi = (MidiSink){NULL, NULL};
    Machine *machine = machine_create(&own, error);
    if (machine == NULL)
        return NULL;
    machine->config.disks = NULL;
    machine->config.roms = NULL;
    if (become_clone(machine, base, error))
        return machine;
    machine_destroy(machine);
    return NULL;
}

/* ---- In another process ---- */

/* The first file: a header of HEADER_BYTES, the state, the disks. */
#define FILES_MAGIC 0x4E4C4352u /* "RCLN" */
enum {
    HEADER_MAGIC = 0,
    HEADER_PAGES = 4,
    HEADER_STATE_BYTES = 8,
    HEADER_DISK_BYTES = 16,
    HEADER_CRASH = 24,
    HEADER_PANIC = 25,
    HEADER_HASH = 32,
    HEADER_BYTES = 40,
};
enum { FILE_STATES, FILE_HASHES, FILE_MEMORY };

static bool write_all(int file, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(file, data, size);
        if (written <= 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static bool write_states(int file, Machine *machine, const CloneBase *base, Error *error) {
    ByteBuffer disks = {.data = NULL};
    uint8_t header[HEADER_BYTES] = {0};
    bool good = disk_state_save(machine, &disks, NULL, error);
    store_le32(header + HEADER_MAGIC, FILES_MAGIC);
    store_le32(header + HEADER_PAGES, base->pages);
    store_le64(header + HEADER_STATE_BYTES, base->state.size);
    store_le64(header + HEADER_DISK_BYTES, disks.size);
    header[HEADER_CRASH] = (uint8_t)base->crash;
    header[HEADER_PANIC] = base->panic_requested;
    store_le64(header + HEADER_HASH, base->hash.sum);
    if (good && !(write_all(file, header, sizeof header) &&
                  write_all(file, base->state.data, base->state.size) &&
                  write_all(file, disks.data, disks.size)))
        good = error_set(error, "no memory for the states of a clone");
    byte_buffer_free(&disks);
    return good;
}

static bool add_file(CloneFiles *files, int file, Error *error) {
    if (file < 0)
        return error_set(error, "too many files are open for a clone's");
    files->file[files->count++] = file;
    return true;
}

/* One that a program which is started inherits. */
static int create_state_file(void) {
    int own = host_pages_create_file("reprise-clone");
    int file = own >= 0 ? dup(own) : -1;
    if (own >= 0)
        close(own);
    return file;
}

bool machine_export_clone(Machine *machine, CloneFiles *files, Error *error) {
    *files = (CloneFiles){.count = 0};
    CloneBase *base = clone_base_create(machine, error);
    if (base == NULL)
        return false;
    bool good = add_file(files, create_state_file(), error) &&
                write_states(files->file[FILE_STATES], machine, base, error) &&
                add_file(files, dup(base->hash.file), error);
    for (unsigned i = 0; good && i < base->region_count; i++)
        good = add_file(files, dup(base->memory[i]), error);
    clone_base_release(base);
    if (!good)
        clone_files_close(files);
    return good;
}

void clone_files_close(CloneFiles *files) {
    for (unsigned i = 0; i < files->count; i++)
        close(files->file[i]);
    files->count = 0;
}

/* Fills the base's states from the file's bytes and leaves the reader at those of the disks. */
static bool read_states(CloneBase *base, ByteReader *reader, Error *error) {
    uint8_t header[HEADER_BYTES];
    if (!byte_reader_read(reader, header, sizeof header) ||
        load_le32(header + HEADER_MAGIC) != FILES_MAGIC)
        return error_set(error, "the file holds no clone");
    uint64_t state_bytes = load_le64(header + HEADER_STATE_BYTES);
    size_t left = reader->size - reader->position;
    if (state_bytes > left || load_le64(header + HEADER_DISK_BYTES) != left - state_bytes)
        return error_set(error, "the file of the clone is cut");
    base->pages = load_le32(header + HEADER_PAGES);
    base->crash = (MachineCrash)header[HEADER_CRASH];
    base->panic_requested = header[HEADER_PANIC] != 0;
    base->hash.sum = load_le64(header + HEADER_HASH);
    byte_buffer_append(&base->state, reader->data + reader->position, state_bytes);
    reader->position += state_bytes;
    return true;
}

static Machine *import_from(CloneBase *base, ByteReader *reader, const CloneFiles *files,
                            const MachineConfig *config, Error *error) {
    if (!read_states(base, reader, error))
        return NULL;
    base->region_count = files->count - FILE_MEMORY;
    base->hash.file = host_file_duplicate(files->file[FILE_HASHES]);
    for (unsigned i = 0; i < base->region_count; i++)
        base->memory[i] = host_file_duplicate(files->file[FILE_MEMORY + i]);
    Machine *machine = machine_create(config, error);
    if (machine == NULL)
        return NULL;
    if (disk_state_load(machine, reader, NULL, error) && become_clone(machine, base, error))
        return machine;
    machine_destroy(machine);
    return NULL;
}

Machine *machine_import_clone(const CloneFiles *files, const MachineConfig *config, Error *error) {
    struct stat info;
    void *bytes = NULL;
    if (files->count > FILE_MEMORY && files->count <= FILE_MEMORY + GUEST_REGIONS_MAXIMUM &&
        fstat(files->file[FILE_STATES], &info) == 0 && info.st_size > 0)
        bytes = host_pages_map_file(files->file[FILE_STATES], (size_t)info.st_size, false);
    if (bytes == NULL) {
        error_set(error, "the files of a clone are missing");
        return NULL;
    }
    CloneBase *base = allocate_base();
    ByteReader reader = {.data = bytes, .size = (size_t)info.st_size};
    Machine *machine = import_from(base, &reader, files, config, error);
    clone_base_release(base);
    host_pages_unmap(bytes, (size_t)info.st_size);
    return machine;
}
