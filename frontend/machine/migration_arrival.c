#include "migration_arrival.h"
#include "allocate.h"
#include "disk_handover.h"
#include "little_endian.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "machine_state.h"
#include "migration_stream.h"
#include "page_hash.h"
#include "snapshot_fingerprint.h"

#include <stdlib.h>
#include <string.h>

struct MigrationArrival {
    Machine *machine;
    MigrationArrivalPhase phase;
    bool has_header, ran;
    uint32_t flags;
    uint32_t pages, told; /* how many there are, and how many were told of */
    uint8_t *is_told;     /* for each page */
    uint8_t *present;     /* for each page: the host gave it memory */
    ByteBuffer waiting;   /* the beginning of what is cut off */
    ByteBuffer state;
};

MigrationArrival *migration_arrival_create(Machine *machine) {
    MigrationArrival *arrival = allocate_zeroed(sizeof(*arrival));
    arrival->machine = machine;
    arrival->pages = physical_map_region_pages(machine->memory);
    arrival->is_told = allocate_zeroed(arrival->pages);
    arrival->present = allocate_zeroed(arrival->pages);
    return arrival;
}

void migration_arrival_free(MigrationArrival *arrival) {
    if (arrival == NULL)
        return;
    byte_buffer_free(&arrival->waiting);
    byte_buffer_free(&arrival->state);
    free(arrival->is_told);
    free(arrival->present);
    free(arrival);
}

MigrationArrivalPhase migration_arrival_phase(const MigrationArrival *arrival) {
    return arrival->phase;
}

uint32_t migration_arrival_flags(const MigrationArrival *arrival) {
    return arrival->flags;
}

bool migration_arrival_ran(const MigrationArrival *arrival) {
    return arrival->ran;
}

/* ---- The header ---- */

static void begin(MigrationArrival *arrival) {
    Machine *machine = arrival->machine;
    unsigned count;
    const GuestRegion *regions = physical_map_regions(machine->memory, &count);
    for (unsigned i = 0; i < count; i++)
        guest_region_find_present(&regions[i], PAGE_DIRTY_BASE,
                                  arrival->present + regions[i].first_page);
    machine_changed_otherwise(machine, "an incoming migration");
    machine_flush_translations(machine);
}

static bool check_fingerprint(const MigrationArrival *arrival, const uint8_t *text, size_t size,
                              Error *error) {
    ByteBuffer present = {.data = NULL};
    char *sent = allocate_zeroed(size + 1);
    memcpy(sent, text, size);
    snapshot_fingerprint(arrival->machine, &present);
    bool good = snapshot_fingerprint_compare(sent, (const char *)present.data, error);
    byte_buffer_free(&present);
    free(sent);
    return good || error_prefix(error, "the machine that comes is another one: ");
}

/* Returns how many bytes it took, 0 if there is not all of it yet. */
static size_t take_header(MigrationArrival *arrival, const uint8_t *data, size_t size,
                          Error *error) {
    size_t known = size < MIGRATION_MAGIC_BYTES ? size : MIGRATION_MAGIC_BYTES;
    if (memcmp(data, MIGRATION_MAGIC, known) != 0)
        error_set(error, "this is no state of a machine");
    if (error->set || size < MIGRATION_HEADER_BYTES)
        return 0;
    uint32_t version = load_le32(data + MIGRATION_MAGIC_BYTES);
    uint32_t length = load_le32(data + MIGRATION_MAGIC_BYTES + 8);
    arrival->flags = load_le32(data + MIGRATION_MAGIC_BYTES + 4);
    if (version != MIGRATION_VERSION)
        error_set(error, "the state was sent by another version");
    else if ((arrival->flags & ~(MIGRATION_FLAG_ANSWERS | MIGRATION_FLAG_DISKS)) != 0 ||
             length > MIGRATION_FINGERPRINT_MAX)
        error_set(error, "the state's header is damaged");
    if (error->set || size - MIGRATION_HEADER_BYTES < length ||
        !check_fingerprint(arrival, data + MIGRATION_HEADER_BYTES, length, error))
        return 0;
    if ((arrival->flags & MIGRATION_FLAG_DISKS) != 0 &&
        !machine_take_disks(arrival->machine, error))
        return 0;
    arrival->has_header = true;
    begin(arrival);
    return MIGRATION_HEADER_BYTES + length;
}

/* ---- Records ---- */

static const GuestRegion *find_region(const MigrationArrival *arrival, uint32_t number) {
    unsigned count;
    const GuestRegion *region = physical_map_regions(arrival->machine->memory, &count);
    while (number - region->first_page >= region->pages)
        region++;
    return region;
}

/* NULL content: zeros. */
static void set_page(MigrationArrival *arrival, uint32_t number, const uint8_t *content) {
    arrival->told += arrival->is_told[number] == 0;
    arrival->is_told[number] = 1;
    if (content == NULL && arrival->present[number] == 0)
        return;
    const GuestRegion *region = find_region(arrival, number);
    uint32_t page = number - region->first_page;
    uint8_t *place = region->host + (size_t)page * PAGE_SIZE;
    if (content == NULL && page_is_zero(place))
        return;
    physical_map_mark_page(arrival->machine->memory, &region->flags[page], PAGE_DIRTY_ALL);
    arrival->present[number] = 1;
    if (content != NULL)
        memcpy(place, content, PAGE_SIZE);
    else
        memset(place, 0, PAGE_SIZE);
}

static bool is_damaged(Error *error) {
    return error_set(error, "the state is damaged");
}

static bool take_pages(MigrationArrival *arrival, const uint8_t *data, size_t size, Error *error) {
    for (size_t at = 0; at < size; at += 4 + PAGE_SIZE) {
        if (size - at < 4 + PAGE_SIZE || load_le32(data + at) >= arrival->pages)
            return is_damaged(error);
        set_page(arrival, load_le32(data + at), data + at + 4);
    }
    return true;
}

static bool take_zeros(MigrationArrival *arrival, const uint8_t *data, size_t size, Error *error) {
    uint32_t left = MIGRATION_ZEROS_MAX; /* so that nobody can keep the machine busy by repeating */
    for (size_t at = 0; at < size; at += 8) {
        uint32_t first = size - at < 8 ? arrival->pages : load_le32(data + at);
        uint32_t count = first < arrival->pages ? load_le32(data + at + 4) : 0;
        if (count == 0 || count > arrival->pages - first || count > left)
            return is_damaged(error);
        for (uint32_t i = 0; i < count; i++)
            set_page(arrival, first + i, NULL);
        left -= count;
    }
    return true;
}

static bool write_zeros(BlockNode *medium, uint64_t offset, uint64_t size, Error *error) {
    static const uint8_t zeros[4096];
    uint8_t present[4096];
    for (uint64_t done = 0; done < size; done += sizeof(present)) {
        size_t part = size - done < sizeof(present) ? (size_t)(size - done) : sizeof(present);
        if (!block_read(medium, offset + done, present, part, error))
            return false;
        if (memcmp(present, zeros, part) != 0)
            return block_write_zeros(medium, offset, size, error);
    }
    return true;
}

static bool take_disk(MigrationArrival *arrival, const uint8_t *data, size_t size, Error *error) {
    if ((arrival->flags & MIGRATION_FLAG_DISKS) == 0 || size < MIGRATION_DISK_HEADER_BYTES ||
        load_le32(data) >= BOARD_DRIVES)
        return is_damaged(error);
    const BoardDrive *drive = &arrival->machine->board.drive[load_le32(data)];
    uint64_t length = load_le64(data + 4), offset = load_le64(data + 12);
    size_t bytes = size - MIGRATION_DISK_HEADER_BYTES;
    if (drive->medium == NULL || block_is_read_only(drive->medium))
        return error_set(error, "the drive '%s' has no disk to write to here", drive->id);
    if (block_length(drive->medium) != length)
        return error_set(error, "the drive '%s' has a disk of %llu bytes there, and of %llu here",
                         drive->id, (unsigned long long)length,
                         (unsigned long long)block_length(drive->medium));
    if (offset % MIGRATION_DISK_UNIT_BYTES != 0 || offset >= length)
        return is_damaged(error);
    uint64_t unit =
        length - offset < MIGRATION_DISK_UNIT_BYTES ? length - offset : MIGRATION_DISK_UNIT_BYTES;
    if (bytes == 0)
        return write_zeros(drive->medium, offset, unit, error);
    return bytes == unit ? block_write(drive->medium, offset, data + MIGRATION_DISK_HEADER_BYTES,
                                       bytes, error)
                         : is_damaged(error);
}

static bool take_state(MigrationArrival *arrival, const uint8_t *data, size_t size, Error *error) {
    byte_buffer_append(&arrival->state, data, size);
    return arrival->state.size <= MIGRATION_STATE_MAX || is_damaged(error);
}

static bool take_end(MigrationArrival *arrival, const uint8_t *data, size_t size, Error *error) {
    Machine *machine = arrival->machine;
    ByteReader reader = {.data = arrival->state.data, .size = arrival->state.size};
    if (size != 1 || data[0] > 1)
        return is_damaged(error);
    if (arrival->told != arrival->pages)
        return error_set(error, "the state lacks %u pages of memory",
                         arrival->pages - arrival->told);
    if (!machine_state_load(machine, &reader, error))
        return false;
    machine_typing_stop(machine);
    machine_flush_translations(machine);
    byte_buffer_free(&arrival->state);
    arrival->state = (ByteBuffer){.data = NULL};
    arrival->ran = data[0] != 0;
    arrival->phase = MIGRATION_IS_WHOLE;
    return true;
}

static bool take_round(MigrationArrival *arrival, const uint8_t *data, size_t size, Error *error) {
    (void)arrival, (void)data;
    return size == 0 || is_damaged(error);
}

static bool take_record(MigrationArrival *arrival, uint32_t kind, const uint8_t *data, size_t size,
                        Error *error) {
    static bool (*const takers[])(MigrationArrival * arrival, const uint8_t *data, size_t size,
                                  Error *error) = {
        [MIGRATION_PAGES] = take_pages, [MIGRATION_ZEROS] = take_zeros,
        [MIGRATION_ROUND] = take_round, [MIGRATION_DISK] = take_disk,
        [MIGRATION_STATE] = take_state, [MIGRATION_END] = take_end,
    };
    if (kind == MIGRATION_ABORT && size == 0 && arrival->phase != MIGRATION_COMMITTED) {
        arrival->phase = MIGRATION_ABORTED;
        return true;
    }
    if (arrival->phase == MIGRATION_IS_WHOLE && kind == MIGRATION_COMMIT && size == 0) {
        arrival->phase = MIGRATION_COMMITTED;
        return true;
    }
    if (arrival->phase != MIGRATION_ARRIVES || kind == 0 || kind > MIGRATION_END)
        return is_damaged(error);
    return takers[kind](arrival, data, size, error);
}

/* Returns how many bytes it took, 0 if there is not all of a record yet. */
static size_t take_one(MigrationArrival *arrival, const uint8_t *data, size_t size, Error *error) {
    if (!arrival->has_header)
        return take_header(arrival, data, size, error);
    if (size < MIGRATION_RECORD_HEADER_BYTES)
        return 0;
    uint32_t length = load_le32(data + 4);
    if (length > MIGRATION_RECORD_MAX)
        is_damaged(error);
    if (error->set || size - MIGRATION_RECORD_HEADER_BYTES < length)
        return 0;
    take_record(arrival, load_le32(data), data + MIGRATION_RECORD_HEADER_BYTES, length, error);
    return MIGRATION_RECORD_HEADER_BYTES + length;
}

/* A record may come in any number of pieces: what waits already is not moved for each of them. */
static void forget_taken(ByteBuffer *waiting, size_t taken) {
    if (taken == 0)
        return;
    memmove(waiting->data, waiting->data + taken, waiting->size - taken);
    waiting->size -= taken;
}

bool migration_arrival_take(MigrationArrival *arrival, const uint8_t *data, size_t size,
                            Error *error) {
    bool joined = arrival->waiting.size > 0;
    if (joined) {
        byte_buffer_append(&arrival->waiting, data, size);
        data = arrival->waiting.data;
        size = arrival->waiting.size;
    }
    size_t at = 0, taken = 1;
    while (at < size && taken > 0 && !error->set) {
        taken = take_one(arrival, data + at, size - at, error);
        at += taken;
    }
    if (joined)
        forget_taken(&arrival->waiting, at);
    else
        byte_buffer_append(&arrival->waiting, data + at, size - at);
    return !error->set;
}
