#include "migration_departure.h"
#include "allocate.h"
#include "disk_handover.h"
#include "little_endian.h"
#include "machine_parts.h"
#include "machine_state.h"
#include "migration_disks.h"
#include "migration_stream.h"
#include "page_hash.h"
#include "snapshot_fingerprint.h"

#include <stdlib.h>
#include <string.h>

/* What one call of migration_departure_next() appends, at most. */
#define PAGES_A_RECORD 64u
#define RUNS_A_RECORD 1024u

struct MigrationDeparture {
    Machine *machine;
    uint32_t flags;
    uint32_t pages;
    uint8_t *listed;  /* for each page: it is to be sent */
    uint8_t *present; /* for each page: the host gave it memory before it was first listed */
    uint32_t at;      /* all pages below were looked at since the list was made */
    uint32_t waiting; /* how many are listed */
    uint64_t sent, sent_zeros;
    MigrationDisks *disks; /* NULL: they are not sent */
    ByteBuffer state;
    RunState before; /* migration_departure_stop() */
    bool has_stopped;
};

MigrationDeparture *migration_departure_create(Machine *machine, uint32_t flags) {
    MigrationDeparture *departure = allocate_zeroed(sizeof(*departure));
    departure->machine = machine;
    departure->flags = flags;
    departure->pages = physical_map_region_pages(machine->memory);
    departure->listed = allocate_zeroed(departure->pages);
    departure->present = allocate_zeroed(departure->pages);
    return departure;
}

void migration_departure_free(MigrationDeparture *departure) {
    if (departure == NULL)
        return;
    migration_disks_free(departure->disks);
    byte_buffer_free(&departure->state);
    free(departure->listed);
    free(departure->present);
    free(departure);
}

/* ---- On the machine's thread ---- */

static void put_header(const MigrationDeparture *departure, ByteBuffer *out) {
    ByteBuffer fingerprint = {.data = NULL};
    snapshot_fingerprint(departure->machine, &fingerprint);
    byte_buffer_append(out, MIGRATION_MAGIC, MIGRATION_MAGIC_BYTES);
    byte_buffer_append_le(out, MIGRATION_VERSION, 4);
    byte_buffer_append_le(out, departure->flags, 4);
    byte_buffer_append_le(out, fingerprint.size, 4);
    byte_buffer_append(out, fingerprint.data, fingerprint.size);
    byte_buffer_free(&fingerprint);
}

bool migration_departure_begin(MigrationDeparture *departure, ByteBuffer *out, Error *error) {
    PhysicalMap *memory = departure->machine->memory;
    unsigned count;
    const GuestRegion *regions = physical_map_regions(memory, &count);
    if ((departure->flags & MIGRATION_FLAG_DISKS) == 0) {
        if (!machine_settle_disks(departure->machine, error))
            return false;
    } else if ((departure->disks = migration_disks_begin(departure->machine, error)) == NULL) {
        return false;
    }
    put_header(departure, out);
    physical_map_clear_dirty(memory, PAGE_DIRTY_MIGRATION);
    for (unsigned i = 0; i < count; i++)
        guest_region_find_present(&regions[i], PAGE_DIRTY_BASE,
                                  departure->present + regions[i].first_page);
    memset(departure->listed, 1, departure->pages);
    departure->waiting = departure->pages;
    return true;
}

static void collect_region(MigrationDeparture *departure, const GuestRegion *region) {
    uint8_t *listed = departure->listed + region->first_page;
    uint8_t *present = departure->present + region->first_page;
    for (uint32_t page = 0; page < region->pages; page++) {
        if ((region->flags[page] & PAGE_DIRTY_MIGRATION) == 0)
            continue;
        departure->waiting += listed[page] == 0;
        listed[page] = present[page] = 1;
    }
}

uint64_t migration_departure_collect(MigrationDeparture *departure) {
    PhysicalMap *memory = departure->machine->memory;
    unsigned count;
    const GuestRegion *regions = physical_map_regions(memory, &count);
    for (unsigned i = 0; i < count; i++)
        collect_region(departure, &regions[i]);
    physical_map_clear_dirty(memory, PAGE_DIRTY_MIGRATION);
    departure->at = 0;
    uint64_t bytes = (uint64_t)departure->waiting * PAGE_SIZE;
    return departure->disks != NULL ? bytes + migration_disks_collect(departure->disks) : bytes;
}

bool migration_departure_stop(MigrationDeparture *departure, Error *error) {
    Machine *machine = departure->machine;
    departure->before = machine->run_state;
    if (machine->run_state == RUN_STATE_RUNNING)
        machine_set_run_state(machine, RUN_STATE_PAUSED);
    bool good = departure->disks != NULL || machine_settle_disks(machine, error);
    departure->has_stopped = true;
    if (good) {
        machine_state_save(machine, &departure->state);
        good = departure->state.size <= MIGRATION_STATE_MAX ||
               error_set(error, "the machine's state is too large");
    }
    if (good && !machine_set_run_state(machine, RUN_STATE_FINISH_MIGRATE))
        good = error_set(error, "a machine in state '%s' cannot leave",
                         run_state_name(machine->run_state));
    if (good)
        migration_departure_collect(departure);
    return good;
}

bool migration_departure_give(MigrationDeparture *departure, Error *error) {
    return departure->disks != NULL || machine_give_disks(departure->machine, error);
}

bool migration_departure_return(MigrationDeparture *departure, Error *error) {
    Machine *machine = departure->machine;
    if (!departure->has_stopped)
        return true;
    if (machine->gave_disks && !machine_take_disks(machine, error)) {
        machine_set_run_state(machine, RUN_STATE_POSTMIGRATE);
        return false;
    }
    machine_set_run_state(machine, departure->before);
    return true;
}

void migration_departure_leave(MigrationDeparture *departure) {
    machine_set_run_state(departure->machine, RUN_STATE_POSTMIGRATE);
}

void migration_departure_end(MigrationDeparture *departure) {
    migration_disks_end(departure->disks);
}

/* ---- On the sender's ---- */

typedef struct Batch {
    uint8_t page[PAGES_A_RECORD * (4 + PAGE_SIZE)];
    uint8_t run[RUNS_A_RECORD * 8];
    uint32_t pages, runs;
    uint32_t zero_first, zero_count; /* the run that grows */
} Batch;

static void close_run(Batch *batch) {
    if (batch->zero_count == 0)
        return;
    store_le32(batch->run + batch->runs * 8, batch->zero_first);
    store_le32(batch->run + batch->runs * 8 + 4, batch->zero_count);
    batch->runs++;
    batch->zero_count = 0;
}

/* The page is looked at in a copy: the guest may be writing it. */
static void add_page(MigrationDeparture *departure, Batch *batch, const GuestRegion *region,
                     uint32_t page) {
    uint32_t number = region->first_page + page;
    uint8_t *place = batch->page + batch->pages * (4 + PAGE_SIZE);
    bool is_zero = departure->present[number] == 0;
    if (!is_zero) {
        memcpy(place + 4, region->host + (size_t)page * PAGE_SIZE, PAGE_SIZE);
        is_zero = page_is_zero(place + 4);
    }
    departure->listed[number] = 0;
    departure->waiting--;
    if (!is_zero) {
        store_le32(place, number);
        batch->pages++;
        departure->sent++;
        return;
    }
    departure->sent_zeros++;
    if (batch->zero_count != 0 && batch->zero_first + batch->zero_count == number) {
        batch->zero_count++;
        return;
    }
    close_run(batch);
    batch->zero_first = number;
    batch->zero_count = 1;
}

static void fill_batch(MigrationDeparture *departure, Batch *batch) {
    unsigned count;
    const GuestRegion *region = physical_map_regions(departure->machine->memory, &count);
    uint32_t looked = 0;
    for (; departure->at < departure->pages && looked < MIGRATION_ZEROS_MAX; departure->at++) {
        if (batch->pages == PAGES_A_RECORD || batch->runs + 1 >= RUNS_A_RECORD)
            break;
        looked++;
        if (departure->listed[departure->at] == 0)
            continue;
        while (departure->at - region->first_page >= region->pages)
            region++;
        add_page(departure, batch, region, departure->at - region->first_page);
    }
    close_run(batch);
}

bool migration_departure_next(MigrationDeparture *departure, ByteBuffer *out, Error *error) {
    if (departure->disks != NULL && migration_disks_next(departure->disks, out, error))
        return true;
    if (departure->at >= departure->pages || (error != NULL && error->set))
        return false;
    Batch *batch = malloc(sizeof(*batch));
    if (batch == NULL)
        return error_set(error, "no memory for pages on their way");
    batch->pages = batch->runs = batch->zero_count = 0;
    fill_batch(departure, batch);
    if (batch->pages > 0)
        migration_put_record(out, MIGRATION_PAGES, batch->page,
                             (size_t)batch->pages * (4 + PAGE_SIZE));
    if (batch->runs > 0)
        migration_put_record(out, MIGRATION_ZEROS, batch->run, (size_t)batch->runs * 8);
    free(batch);
    return true;
}

void migration_departure_finish(MigrationDeparture *departure, ByteBuffer *out) {
    const ByteBuffer *state = &departure->state;
    for (size_t at = 0; at < state->size; at += MIGRATION_RECORD_MAX) {
        size_t left = state->size - at;
        migration_put_record(out, MIGRATION_STATE, state->data + at,
                             left < MIGRATION_RECORD_MAX ? left : MIGRATION_RECORD_MAX);
    }
    uint8_t ran = departure->before == RUN_STATE_RUNNING;
    migration_put_record(out, MIGRATION_END, &ran, 1);
}

MigrationCounts migration_departure_counts(const MigrationDeparture *departure) {
    MigrationCounts counts = {.pages = departure->sent,
                              .zero_pages = departure->sent_zeros,
                              .waiting_bytes = (uint64_t)departure->waiting * PAGE_SIZE};
    if (departure->disks != NULL)
        migration_disks_count(departure->disks, &counts);
    return counts;
}
