#define _GNU_SOURCE
#include "snapshot_fingerprint.h"
#include "cpu_model.h"
#include "fw_cfg.h"
#include "host_string.h"
#include "machine_parts.h"
#include "snapshot_chunk.h"

#include <string.h>

static void add_contents(ByteBuffer *text, const char *what, const void *data, size_t size) {
    byte_buffer_print(text, "%s: %zu bytes, checksum %08x\n", what, size,
                      chunk_checksum(0, data, size));
}

/* ACPI tables, SMBIOS, a kernel: the guest may read them yet. */
static void add_firmware_item(void *opaque, uint16_t key, const char *name, const uint8_t *data,
                              size_t size) {
    char what[FW_CFG_FILE_NAME_SIZE + 32];
    if (key == FW_CFG_FILE_DIRECTORY)
        return; /* follows from the files */
    if (name != NULL)
        snprintf(what, sizeof(what), "firmware file %s", name);
    else
        snprintf(what, sizeof(what), "firmware item %04Xh", key);
    add_contents(opaque, what, data, size);
}

/* What properties of -cpu change. */
static void add_identification(const CpuModel *model, ByteBuffer *text) {
    byte_buffer_print(text, "processor identification: %08x %08x %08x %u %.12s %.48s %u Hz\n",
                      (unsigned)model->signature, (unsigned)model->max_leaf,
                      (unsigned)model->max_extended_leaf, model->hides_hypervisor, model->vendor,
                      model->brand, (unsigned)model->tsc_hz);
}

static void add_processor(const Machine *machine, ByteBuffer *text) {
    const Cpu *cpu = machine->cpu;
    byte_buffer_print(text, "processor: %s\n", cpu->model->name);
    byte_buffer_print(text, "processors: %u\n", machine->processor_count);
    byte_buffer_print(text, "processor features:");
    for (int i = 0; i < 4; i++)
        byte_buffer_print(text, " %llx", (unsigned long long)cpu->features[i]);
    byte_buffer_print(text, "\n");
    add_identification(cpu->model, text);
    if (machine->config.icount && cpu->model->instructions_per_second != 0)
        byte_buffer_print(text, "clock: -icount, %llu instructions a second\n",
                          (unsigned long long)cpu->model->instructions_per_second);
    else if (machine->config.icount)
        byte_buffer_print(text, "clock: -icount shift=%u\n", machine->config.icount_shift);
    else
        byte_buffer_print(text, "clock: the host's\n");
}

void snapshot_fingerprint(const Machine *machine, ByteBuffer *text) {
    const Board *board = &machine->board;
    unsigned count;
    const GuestRegion *regions = physical_map_regions(machine->memory, &count);
    for (unsigned i = 0; i < count; i++)
        byte_buffer_print(text, "memory %s: %u KB\n", regions[i].name, regions[i].pages * 4);
    add_processor(machine, text);
    for (int i = 0; i < machine->devices.count; i++) {
        const DeviceEntry *entry = &machine->devices.entries[i];
        byte_buffer_print(text, "device %s: %s, version %u\n", entry->id, entry->device_class->name,
                          entry->device_class->fields->version);
    }
    add_contents(text, "BIOS", board->bios->data, board->bios->size);
    if (board->vga_bios != NULL)
        add_contents(text, "VGA BIOS", board->vga_bios->data, board->vga_bios->size);
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const BoardNetworkCard *card = &board->network_card[i];
        char what[sizeof(card->id) + 16];
        snprintf(what, sizeof(what), "ROM of %s", card->id);
        if (card->rom != NULL)
            add_contents(text, what, card->rom->data, card->rom->size);
    }
    fw_cfg_each_item(board->fw_cfg, add_firmware_item, text);
}

/* The value that 'text' has for the line 'line' with so long a name; NULL if none. */
static const char *find_value(const char *text, const char *line, size_t name_length) {
    for (const char *at = text; at != NULL && *at != 0; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, line, name_length) == 0)
            return at + name_length;
    }
    return NULL;
}

typedef enum Comparison { COMPARE_NAMES, COMPARE_VALUES } Comparison;

static bool compare_line(const char *line, const char *end, const char *other, Comparison how,
                         const char *lacking, Error *error) {
    const char *colon = memmem(line, (size_t)(end - line), ": ", 2);
    size_t name = colon != NULL ? (size_t)(colon - line) : (size_t)(end - line);
    const char *value = find_value(other, line, name + (colon != NULL ? 2 : 0));
    if (value == NULL)
        return error_set(error, "%.*s is %s", (int)name, line, lacking);
    if (how == COMPARE_NAMES || colon == NULL)
        return true;
    size_t length = (size_t)(end - line) - name - 2, present = strcspn(value, "\n");
    return (length == present && memcmp(colon + 2, value, length) == 0) ||
           error_set(error, "%.*s is '%.*s' in the snapshot and '%.*s' here", (int)name, line,
                     (int)length, colon + 2, (int)present, value);
}

/* 'lacking': what to say of a line of 'one' that 'other' has not. */
static bool compare_lines(const char *one, const char *other, Comparison how, const char *lacking,
                          Error *error) {
    for (const char *line = one; *line != 0;) {
        const char *end = line + strcspn(line, "\n");
        if (!compare_line(line, end, other, how, lacking, error))
            return false;
        line = *end == 0 ? end : end + 1;
    }
    return true;
}

/* What is there at all comes first: a further port changes tables of the firmware, too. */
bool snapshot_fingerprint_compare(const char *saved, const char *present, Error *error) {
    const char *missing = "missing in this machine";
    return compare_lines(saved, present, COMPARE_NAMES, missing, error) &&
           compare_lines(present, saved, COMPARE_NAMES, "not in the snapshot", error) &&
           compare_lines(saved, present, COMPARE_VALUES, missing, error);
}
