/* See lockstep.h. */
#include "lockstep.h"
#include "machine_parts.h"
#include "machine_snapshot.h"
#include <string.h>

enum { DEFAULT_STEP = 61, DEFAULT_STRETCH = 1000000, KEY_HOLD_MS = 50 };

typedef struct Lockstep {
    Machine *machine[2]; /* the reference, the tested one */
    ByteBuffer snapshot;
    uint64_t snapshot_count; /* instructions completed at the snapshot */
    uint64_t step, stretch;
    const char *keys; /* those still to press */
    ByteBuffer *report;
    char difference[256];
} Lockstep;

static uint64_t instruction_count(const Lockstep *lockstep) {
    return lockstep->machine[0]->cpu->state.instruction_count;
}

static bool processors_differ(Lockstep *lockstep) {
    return field_table_diff(&cpu_fields, &lockstep->machine[0]->cpu->state,
                            &lockstep->machine[1]->cpu->state, lockstep->difference,
                            sizeof(lockstep->difference));
}

static bool memories_differ(Lockstep *lockstep) {
    if (machine_state_hash(lockstep->machine[0]) == machine_state_hash(lockstep->machine[1]))
        return false;
    const uint8_t *a = physical_map_ram(lockstep->machine[0]->memory);
    const uint8_t *b = physical_map_ram(lockstep->machine[1]->memory);
    uint64_t size = physical_map_ram_bytes(lockstep->machine[0]->memory);
    for (uint64_t i = 0; i < size; i++)
        if (a[i] != b[i]) {
            snprintf(lockstep->difference, sizeof(lockstep->difference),
                     "RAM at %08llX: %02X != %02X", (unsigned long long)i, a[i], b[i]);
            return true;
        }
    snprintf(lockstep->difference, sizeof(lockstep->difference), "the state of a device");
    return true;
}

/* Runs both on by so many instructions; false where a guest stopped for good. */
static bool run_both(Lockstep *lockstep, uint64_t instructions) {
    bool more = true;
    for (int i = 0; i < 2; i++)
        more &= machine_run_instructions(lockstep->machine[i], instructions) == instructions;
    return more;
}

static void take_snapshot(Lockstep *lockstep) {
    lockstep->snapshot.size = 0;
    machine_save(lockstep->machine[0], &lockstep->snapshot);
    lockstep->snapshot_count = instruction_count(lockstep);
}

static bool go_back(Lockstep *lockstep, Error *error) {
    for (int i = 0; i < 2; i++) {
        ByteReader reader = {.data = lockstep->snapshot.data, .size = lockstep->snapshot.size};
        if (!machine_load(lockstep->machine[i], &reader, error))
            return false;
    }
    return true;
}

/* Do they differ 'distance' instructions after the snapshot? The first 'agreed' go in one run, as
 * they did before. */
static bool differ_after(Lockstep *lockstep, uint64_t agreed, uint64_t distance,
                         bool look_at_memory, Error *error) {
    if (!go_back(lockstep, error))
        return true;
    for (uint64_t done = 0; done < agreed; done += lockstep->step)
        run_both(lockstep, lockstep->step);
    run_both(lockstep, distance - agreed);
    return processors_differ(lockstep) || (look_at_memory && memories_differ(lockstep));
}

static void describe(Lockstep *lockstep, uint64_t distance, const CpuState *before) {
    ByteBuffer *report = lockstep->report;
    uint32_t linear = before->segment[SEG_CS].base + before->eip, physical;
    byte_buffer_print(report,
                      "the backends part at instruction %llu, at %04X:%08X (linear %08X), bytes",
                      (unsigned long long)(lockstep->snapshot_count + distance),
                      before->segment[SEG_CS].selector, before->eip, linear);
    for (uint32_t i = 0; i < 15; i++)
        if (tlb_probe(&lockstep->machine[0]->cpu->tlb, linear + i, &physical))
            byte_buffer_print(report, " %02X",
                              (unsigned)physical_read(lockstep->machine[0]->memory, physical, 1));
    byte_buffer_print(report, "\n  %s\n", lockstep->difference);
}

/* They agreed 'agreed' instructions after the snapshot and differ at 'differ'. */
static void find_instruction(Lockstep *lockstep, uint64_t agreed, uint64_t differ, bool memory,
                             Error *error) {
    uint64_t low = agreed, high = differ;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (differ_after(lockstep, agreed, middle, memory, error))
            high = middle;
        else
            low = middle;
        if (error->set)
            return;
    }
    differ_after(lockstep, agreed, low, memory, error);
    CpuState before = lockstep->machine[0]->cpu->state;
    if (!differ_after(lockstep, agreed, high, memory, error))
        snprintf(lockstep->difference, sizeof(lockstep->difference),
                 "(found only in a longer run: look at the code before this place)");
    describe(lockstep, high, &before);
}

static void press_next_key(Lockstep *lockstep) {
    if (lockstep->keys == NULL || *lockstep->keys == 0)
        return;
    char name[32];
    size_t length = strcspn(lockstep->keys, ",");
    snprintf(name, sizeof(name), "%.*s", (int)(length < sizeof(name) ? length : sizeof(name) - 1),
             lockstep->keys);
    lockstep->keys += length + (lockstep->keys[length] == ',');
    int key = keyboard_key_find(name);
    for (int i = 0; i < 2 && key >= 0; i++)
        machine_press_keys(lockstep->machine[i], &key, 1, KEY_HOLD_MS);
}

static LockstepResult compare(Lockstep *lockstep, uint64_t instructions, Error *error) {
    while (instruction_count(lockstep) < instructions) {
        take_snapshot(lockstep);
        bool running = true;
        uint64_t done = 0;
        for (; done < lockstep->stretch && running; done += lockstep->step) {
            running = run_both(lockstep, lockstep->step);
            if (processors_differ(lockstep)) {
                find_instruction(lockstep, done, done + lockstep->step, false, error);
                return error->set ? LOCKSTEP_FAILED : LOCKSTEP_DIFFER;
            }
        }
        if (memories_differ(lockstep)) {
            find_instruction(lockstep, 0, done, true, error);
            return error->set ? LOCKSTEP_FAILED : LOCKSTEP_DIFFER;
        }
        if (!running)
            break;
        press_next_key(lockstep);
    }
    byte_buffer_print(lockstep->report,
                      "the backends agree over %llu instructions, state hash %016llx\n",
                      (unsigned long long)instruction_count(lockstep),
                      (unsigned long long)machine_state_hash(lockstep->machine[0]));
    return LOCKSTEP_AGREE;
}

LockstepResult lockstep_run(const MachineConfig *config, const LockstepOptions *options,
                            ByteBuffer *report, Error *error) {
    Lockstep lockstep = {
        .step = options->step ? options->step : DEFAULT_STEP,
        .stretch = options->stretch ? options->stretch : DEFAULT_STRETCH,
        .keys = options->keys,
        .report = report,
    };
    LockstepResult result = LOCKSTEP_FAILED;
    for (int i = 0; i < 2; i++) {
        MachineConfig one = *config;
        one.icount = true;
        one.translator = i == 0 ? options->reference : options->tested;
        one.translator.exact_end = true;
        lockstep.machine[i] = machine_create(&one, error);
        if (lockstep.machine[i] == NULL)
            break;
    }
    if (lockstep.machine[1] != NULL)
        result = compare(&lockstep, options->instructions, error);
    machine_destroy(lockstep.machine[0]);
    machine_destroy(lockstep.machine[1]);
    byte_buffer_free(&lockstep.snapshot);
    return result;
}
