#include "machine_snapshot.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "machine_state.h"

#include <string.h>

/* "RPRS" and the format's version. */
#define SNAPSHOT_MAGIC 0x53525052u
#define SNAPSHOT_VERSION 2
#define NO_MORE_PAGES UINT32_MAX

/* After ram_hash_update(). Pages that nobody ever wrote are not looked at: the host has not made
 * them yet. */
static bool is_known_zero(const Machine *machine, const GuestRegion *region, uint32_t page) {
    return machine->ram_hash.page_hash[region->first_page + page] == 0;
}

static void save_region(const Machine *machine, const GuestRegion *region, ByteBuffer *buffer) {
    for (uint32_t page = 0; page < region->pages; page++) {
        const uint8_t *content = region->host + (size_t)page * PAGE_SIZE;
        if (is_known_zero(machine, region, page))
            continue;
        byte_buffer_append_le(buffer, region->first_page + page, 4);
        byte_buffer_append(buffer, content, PAGE_SIZE);
    }
}

static void save_memory(Machine *machine, ByteBuffer *buffer) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(machine->memory, &count);
    ram_hash_update(&machine->ram_hash);
    for (unsigned i = 0; i < count; i++)
        save_region(machine, &regions[i], buffer);
    byte_buffer_append_le(buffer, NO_MORE_PAGES, 4);
}

/* Walks over the pages without storing them: what is checked here cannot fail afterwards. */
static bool check_memory(ByteReader reader, uint32_t pages, Error *error) {
    uint32_t page;
    int64_t before = -1;
    while ((page = (uint32_t)byte_reader_read_le(&reader, 4)) != NO_MORE_PAGES) {
        if (reader.failed || page >= pages || (int64_t)page <= before ||
            reader.size - reader.position < PAGE_SIZE)
            return error_set(error, "the snapshot's memory is cut short or damaged");
        reader.position += PAGE_SIZE;
        before = page;
    }
    return !reader.failed || error_set(error, "the snapshot's memory is cut short");
}

/* Loads a region's pages: 'next' is the number of the page that the reader stands at. */
static uint32_t load_region(Machine *machine, const GuestRegion *region, ByteReader *reader,
                            uint32_t next) {
    for (uint32_t page = 0; page < region->pages; page++) {
        uint8_t *content = region->host + (size_t)page * PAGE_SIZE;
        bool is_saved = region->first_page + page == next;
        if (!is_saved && is_known_zero(machine, region, page))
            continue;
        physical_map_mark_page(machine->memory, &region->flags[page], PAGE_DIRTY_ALL);
        if (is_saved) {
            byte_reader_read(reader, content, PAGE_SIZE);
            next = (uint32_t)byte_reader_read_le(reader, 4);
        } else {
            memset(content, 0, PAGE_SIZE);
        }
    }
    return next;
}

static void load_memory(Machine *machine, ByteReader *reader) {
    unsigned count;
    const GuestRegion *regions = physical_map_regions(machine->memory, &count);
    uint32_t next = (uint32_t)byte_reader_read_le(reader, 4);
    ram_hash_update(&machine->ram_hash);
    for (unsigned i = 0; i < count; i++)
        next = load_region(machine, &regions[i], reader, next);
}

void machine_save(Machine *machine, ByteBuffer *buffer) {
    byte_buffer_append_le(buffer, SNAPSHOT_MAGIC, 4);
    byte_buffer_append_le(buffer, SNAPSHOT_VERSION, 4);
    byte_buffer_append_le(buffer, physical_map_ram_bytes(machine->memory), 8);
    size_t length_at = buffer->size;
    byte_buffer_append_le(buffer, 0, 8);
    machine_state_save(machine, buffer);
    store_le64(buffer->data + length_at, buffer->size - length_at - 8);
    save_memory(machine, buffer);
}

static bool check_header(Machine *machine, ByteReader *reader, uint64_t *length, Error *error) {
    if (byte_reader_read_le(reader, 4) != SNAPSHOT_MAGIC)
        return error_set(error, "this is no snapshot");
    if (byte_reader_read_le(reader, 4) != SNAPSHOT_VERSION)
        return error_set(error, "the snapshot was written by another version");
    uint64_t ram_bytes = byte_reader_read_le(reader, 8);
    *length = byte_reader_read_le(reader, 8);
    if (reader->failed || *length > reader->size - reader->position)
        return error_set(error, "the snapshot is cut short");
    if (ram_bytes != physical_map_ram_bytes(machine->memory))
        return error_set(error, "the snapshot is of a machine with %llu MB of memory",
                         (unsigned long long)(ram_bytes >> 20));
    ByteReader memory = *reader;
    memory.position += *length;
    return check_memory(memory, physical_map_region_pages(machine->memory), error);
}

bool machine_load(Machine *machine, ByteReader *reader, Error *error) {
    uint64_t length = 0;
    if (!check_header(machine, reader, &length, error))
        return false;
    ByteReader memory = *reader;
    memory.position += length;
    if (!machine_state_load(machine, reader, error))
        return false;
    machine_typing_stop(machine);
    machine_flush_translations(machine);
    load_memory(machine, &memory);
    reader->position = memory.position;
    return true;
}

static uint64_t combine(uint64_t hash, uint64_t part) {
    return (hash ^ part) * 0x9E3779B97F4A7C15ull + (hash >> 29);
}

static uint64_t hash_with_ram(Machine *machine, uint64_t ram) {
    uint64_t hash = combine(0, ram);
    for (unsigned i = 0; i < machine->processor_count; i++)
        hash = combine(hash, field_table_hash(&cpu_fields, &machine->processor[i].cpu->state));
    return combine(hash, device_list_hash(&machine->devices));
}

uint64_t machine_state_hash(Machine *machine) {
    return hash_with_ram(machine, ram_hash_update(&machine->ram_hash));
}

uint64_t machine_state_hash_full(Machine *machine) {
    return hash_with_ram(machine, ram_hash_compute(machine->memory));
}
