#include "nvme.h"
#include "allocate.h"
#include "little_endian.h"
#include "nvme_internal.h"
#include <stdio.h>
#include <stdlib.h>

enum { VENDOR_ID = 0x1B36, DEVICE_ID = 0x0010, CLASS_NVME = 0x010802, REVISION = 2 };
enum { BAR_REGISTERS = 0, REGISTER_BYTES = 0x4000, DOORBELLS = 0x1000 };
/* In the same BAR; a vector for each completion queue. */
enum { MESSAGE_CAPABILITY = 0x40, MESSAGE_TABLE = 0x2000, MESSAGES_PENDING = 0x3000 };

/* Registers (specification 3.1). */
enum {
    CAPABILITIES = 0x00,
    VERSION_REGISTER = 0x08,
    INTERRUPT_MASK_SET = 0x0C,
    INTERRUPT_MASK_CLEAR = 0x10,
    CONFIGURATION = 0x14,
    STATUS = 0x1C,
    ADMIN_SIZES = 0x24,
    ADMIN_SUBMISSION = 0x28,
    ADMIN_COMPLETION = 0x30,
    REGISTERS_END = 0x38,
};

#define VERSION 0x00010400u
/* The most entries less one, queues contiguous, 7.5 s to get ready, the NVM command set, pages of 4
 * to 64 KB. */
#define CAPABILITY_BITS                                                                            \
    ((uint64_t)(NVME_ENTRIES_MAX - 1) | 1u << 16 | 15u << 24 | UINT64_C(1) << 37 |                 \
     (uint64_t)(NVME_PAGE_BITS_MAX - 12) << 52)

enum { ENABLE = 1, SHUTDOWN_SHIFT = 14 };
enum {
    STATUS_READY = 1,
    STATUS_FATAL = 2,
    STATUS_SHUT_DOWN = 2 << 2,
    STATUS_SHUTDOWN_MASK = 3 << 2
};
#define CONFIGURATION_WRITABLE 0x00FFFFF1u

static const Field submission_rows[] = {
    FIELD(NvmeSubmissionQueue, U64, address),
    FIELD(NvmeSubmissionQueue, U32, entries),
    FIELD(NvmeSubmissionQueue, U32, head),
    FIELD(NvmeSubmissionQueue, U32, tail),
    FIELD(NvmeSubmissionQueue, U16, completion_queue),
    FIELD_PADDING(NvmeSubmissionQueue, padding),
    FIELD_END,
};
static const FieldTable submission_fields = {"nvme-submission-queue", 1,
                                             sizeof(NvmeSubmissionQueue), submission_rows};

static const Field completion_rows[] = {
    FIELD(NvmeCompletionQueue, U64, address), FIELD(NvmeCompletionQueue, U32, entries),
    FIELD(NvmeCompletionQueue, U32, head),    FIELD(NvmeCompletionQueue, U32, tail),
    FIELD(NvmeCompletionQueue, U8, phase),    FIELD(NvmeCompletionQueue, U8, interrupts),
    FIELD(NvmeCompletionQueue, U16, vector),  FIELD_END,
};
static const FieldTable completion_fields = {"nvme-completion-queue", 2,
                                             sizeof(NvmeCompletionQueue), completion_rows};

static const Field field_rows[] = {
    FIELD(NvmeState, U64, due_ns),
    FIELD(NvmeState, U64, admin_submission),
    FIELD(NvmeState, U64, admin_completion),
    FIELD(NvmeState, U64, sectors_read),
    FIELD(NvmeState, U64, sectors_written),
    FIELD(NvmeState, U64, reads),
    FIELD(NvmeState, U64, writes),
    FIELD(NvmeState, U32, configuration),
    FIELD(NvmeState, U32, status),
    FIELD(NvmeState, U32, interrupt_mask),
    FIELD(NvmeState, U32, admin_sizes),
    FIELD_ARRAY(NvmeState, U32, features),
    FIELD_STRUCTS(NvmeState, submission, &submission_fields),
    FIELD_STRUCTS(NvmeState, completion, &completion_fields),
    FIELD_ARRAY(NvmeState, U16, event_requests),
    FIELD(NvmeState, U8, event_request_count),
    FIELD(NvmeState, U8, next_queue),
    FIELD_PADDING(NvmeState, padding),
    FIELD_END,
};
static const FieldTable fields = {"nvme", 1, sizeof(NvmeState), field_rows};

/* Asserted as long as a completion has not been taken note of (7.5.1). */
void nvme_update_pin(Nvme *nvme) {
    bool any = false;
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        const NvmeCompletionQueue *queue = &nvme->state.completion[i];
        any |= queue->entries != 0 && queue->interrupts && queue->head != queue->tail;
    }
    pci_device_set_pin(nvme->pci, 0, any && !(nvme->state.interrupt_mask & 1));
}

void nvme_send_messages(Nvme *nvme, uint32_t queues) {
    for (unsigned i = 0; i < NVME_QUEUES; i++)
        if ((queues >> i & 1) && nvme->state.completion[i].interrupts)
            pci_device_send_message(nvme->pci, nvme->state.completion[i].vector);
}

static bool is_running(const Nvme *nvme) {
    return (nvme->state.status & STATUS_READY) && pci_device_is_master(nvme->pci);
}

void nvme_wake(Nvme *nvme, int64_t ns) {
    if (is_running(nvme) && nvme_has_work(nvme) && !timer_is_armed(&nvme->timer))
        timer_arm(&nvme->timer, clock_now_ns(nvme->context.clock) + ns);
}

static void timer_fired(void *opaque) {
    Nvme *nvme = opaque;
    if (!is_running(nvme))
        return;
    nvme->working = true;
    int64_t ns = nvme_run_queues(nvme);
    nvme->working = false;
    nvme_wake(nvme, ns);
}

static void forget_queues(Nvme *nvme) {
    NvmeState *state = &nvme->state;
    timer_cancel(&nvme->timer);
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        state->submission[i] = (NvmeSubmissionQueue){.address = 0};
        state->completion[i] = (NvmeCompletionQueue){.address = 0};
    }
    state->event_request_count = 0;
    state->next_queue = 0;
    for (unsigned i = 0; i < NVME_EVENT_REQUESTS; i++)
        state->event_requests[i] = 0;
    nvme_set_default_features(nvme);
    nvme_update_pin(nvme);
}

static void reset(void *opaque) {
    Nvme *nvme = opaque;
    nvme->state = (NvmeState){.due_ns = nvme->state.due_ns};
    forget_queues(nvme);
}

/* The admin queues are where registers say; what cannot be is fatal. */
static void enable(Nvme *nvme) {
    NvmeState *state = &nvme->state;
    uint32_t submissions = (state->admin_sizes & 0xFFF) + 1;
    uint32_t completions = (state->admin_sizes >> 16 & 0xFFF) + 1;
    uint32_t page_bytes = nvme_page_bytes(nvme);
    bool good = page_bytes <= 1u << NVME_PAGE_BITS_MAX && (state->configuration >> 4 & 7) == 0 &&
                submissions >= 2 && completions >= 2 && state->admin_submission % page_bytes == 0 &&
                state->admin_completion % page_bytes == 0 &&
                dma_range_is_addressable(state->admin_submission,
                                         (uint64_t)submissions * NVME_COMMAND_BYTES) &&
                dma_range_is_addressable(state->admin_completion,
                                         (uint64_t)completions * NVME_COMPLETION_BYTES);
    if (!good) {
        state->status = STATUS_FATAL;
        return;
    }
    state->submission[0] =
        (NvmeSubmissionQueue){.address = state->admin_submission, .entries = submissions};
    state->completion[0] = (NvmeCompletionQueue){
        .address = state->admin_completion, .entries = completions, .phase = 1, .interrupts = 1};
    state->status = STATUS_READY;
}

static void write_configuration(Nvme *nvme, uint32_t value) {
    NvmeState *state = &nvme->state;
    uint32_t before = state->configuration;
    /* While it is enabled only the notice of a shutdown may change (3.1.5), above all not the size
     * of pages. */
    uint32_t writable = before & value & ENABLE ? 3u << SHUTDOWN_SHIFT : CONFIGURATION_WRITABLE;
    state->configuration = (before & CONFIGURATION_WRITABLE & ~writable) | (value & writable);
    if ((value & ENABLE) && !(before & ENABLE)) {
        enable(nvme);
    } else if (!(value & ENABLE) && (before & ENABLE)) {
        forget_queues(nvme);
        state->status = 0;
    }
    if (value >> SHUTDOWN_SHIFT & 3) {
        block_flush(nvme->medium, NULL);
        state->status |= STATUS_SHUT_DOWN;
    } else {
        state->status &= ~(uint32_t)STATUS_SHUTDOWN_MASK;
    }
}

static void write_half(uint64_t *address, uint32_t offset, uint32_t value) {
    unsigned shift = offset % 8 * 8;
    *address = (*address & ~(UINT64_C(0xFFFFFFFF) << shift)) | (uint64_t)value << shift;
    *address &= ~UINT64_C(0xFFF);
}

static void write_word(Nvme *nvme, uint32_t offset, uint32_t value) {
    NvmeState *state = &nvme->state;
    bool is_enabled = (state->configuration & ENABLE) != 0;
    switch (offset) {
    case INTERRUPT_MASK_SET:
        state->interrupt_mask |= value;
        nvme_update_pin(nvme);
        break;
    case INTERRUPT_MASK_CLEAR:
        state->interrupt_mask &= ~value;
        nvme_update_pin(nvme);
        break;
    case CONFIGURATION:
        write_configuration(nvme, value);
        break;
    case ADMIN_SIZES:
        if (!is_enabled)
            state->admin_sizes = value & 0x0FFF0FFF;
        break;
    case ADMIN_SUBMISSION:
    case ADMIN_SUBMISSION + 4:
        if (!is_enabled)
            write_half(&state->admin_submission, offset, value);
        break;
    case ADMIN_COMPLETION:
    case ADMIN_COMPLETION + 4:
        if (!is_enabled)
            write_half(&state->admin_completion, offset, value);
        break;
    }
}

static void write_register(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Nvme *nvme = opaque;
    if (nvme->working)
        return;
    if (pci_device_message_write(nvme->pci, BAR_REGISTERS, offset, size, value))
        return;
    if (size != 4)
        TRACE(nvme->context.trace, TRACE_GUEST_ERRORS, "nvme: %u bytes written at %X\n", size,
              offset);
    else if (offset >= DOORBELLS && (nvme->state.status & STATUS_READY))
        nvme_write_doorbell(nvme, offset - DOORBELLS, value);
    else if (offset < REGISTERS_END)
        write_word(nvme, offset, value);
}

static uint32_t read_register(void *opaque, uint32_t offset, unsigned size) {
    Nvme *nvme = opaque;
    const NvmeState *state = &nvme->state;
    uint8_t image[REGISTERS_END] = {0};
    uint32_t value;
    if (nvme->working)
        return UINT32_MAX >> (32 - 8 * size);
    if (pci_device_message_read(nvme->pci, BAR_REGISTERS, offset, size, &value))
        return value;
    if (offset > REGISTERS_END - size)
        return 0;
    store_le64(image + CAPABILITIES, CAPABILITY_BITS);
    store_le32(image + VERSION_REGISTER, VERSION);
    store_le32(image + INTERRUPT_MASK_SET, state->interrupt_mask);
    store_le32(image + INTERRUPT_MASK_CLEAR, state->interrupt_mask);
    store_le32(image + CONFIGURATION, state->configuration);
    store_le32(image + STATUS, state->status);
    store_le32(image + ADMIN_SIZES, state->admin_sizes);
    store_le64(image + ADMIN_SUBMISSION, state->admin_submission);
    store_le64(image + ADMIN_COMPLETION, state->admin_completion);
    return (uint32_t)load_le(image + offset, size);
}

/* It may master the bus now. */
static void config_space_written(void *opaque, unsigned offset, unsigned size) {
    if (offset != 0 || size != PCI_CONFIG_SIZE)
        nvme_wake(opaque, DMA_ACCESS_NS);
}

static bool submission_is_possible(const NvmeState *state, const NvmeSubmissionQueue *queue) {
    return queue->entries <= 4096 && queue->head < queue->entries && queue->tail < queue->entries &&
           queue->completion_queue < NVME_QUEUES &&
           state->completion[queue->completion_queue].entries != 0 &&
           dma_range_is_addressable(queue->address, (uint64_t)queue->entries * NVME_COMMAND_BYTES);
}

static bool completion_is_possible(const NvmeCompletionQueue *queue) {
    return queue->entries <= 4096 && queue->head < queue->entries && queue->tail < queue->entries &&
           queue->phase <= 1 && queue->vector < NVME_QUEUES &&
           dma_range_is_addressable(queue->address,
                                    (uint64_t)queue->entries * NVME_COMPLETION_BYTES);
}

/* Bounds what a damaged save may hold. */
static void restored(void *opaque) {
    Nvme *nvme = opaque;
    NvmeState *state = &nvme->state;
    bool good =
        state->event_request_count <= NVME_EVENT_REQUESTS && state->next_queue < NVME_QUEUES &&
        (!(state->status & STATUS_READY) ||
         ((state->configuration & ENABLE) && nvme_page_bytes(nvme) <= 1u << NVME_PAGE_BITS_MAX));
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        if (state->completion[i].entries != 0)
            good = good && completion_is_possible(&state->completion[i]);
        if (state->submission[i].entries != 0)
            good = good && submission_is_possible(state, &state->submission[i]);
    }
    if (!good)
        reset(nvme);
}

static const DeviceClass device_class = {"nvme", &fields, reset, restored};

void nvme_restore_medium(Nvme *nvme, BlockNode *medium) {
    nvme->medium = medium;
    nvme->sectors =
        medium == NULL ? 0 : (block_length(medium) + NVME_SECTOR_BYTES - 1) / NVME_SECTOR_BYTES;
}

Nvme *nvme_create(const DeviceContext *context, PciBus *bus, const NvmeOptions *options,
                  Error *error) {
    Nvme *nvme = allocate_zeroed(sizeof(*nvme));
    const PciDeviceInfo info = {
        .name = "nvme",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_NVME,
        .revision = REVISION,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .interrupt_pin = 1,
        .bars = {[BAR_REGISTERS] =
                     {.type = PCI_BAR_MEMORY, REGISTER_BYTES, read_register, write_register}},
        .messages = {.msix_at = MESSAGE_CAPABILITY,
                     .vectors = NVME_QUEUES,
                     .bar = BAR_REGISTERS,
                     .table = MESSAGE_TABLE,
                     .pending = MESSAGES_PENDING},
        .opaque = nvme,
        .config_written = config_space_written,
    };
    nvme->context = *context;
    snprintf(nvme->id, sizeof(nvme->id), "%s", options->id);
    snprintf(nvme->serial, sizeof(nvme->serial), "%s",
             options->serial != NULL ? options->serial : options->id);
    nvme_restore_medium(nvme, options->medium);
    nvme->pci = pci_device_add(bus, options->slot, 0, &info, error);
    if (nvme->pci == NULL) {
        free(nvme);
        return NULL;
    }
    timer_init(&nvme->timer, context->clock, "nvme", &nvme->state.due_ns, timer_fired, nvme);
    device_list_add(context->devices, &device_class, nvme->id, nvme, &nvme->state);
    reset(nvme);
    return nvme;
}

void nvme_destroy(Nvme *nvme) {
    free(nvme);
}
