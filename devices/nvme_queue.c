/* Queues: commands are taken from submission queues, one after the other, as long as there is room
 * for their completions (NVM Express 1.4, 4.1). */
#include "little_endian.h"
#include "nvme_internal.h"

#define DOORBELL_BYTES 4

static bool is_full(const NvmeCompletionQueue *queue) {
    return (queue->tail + 1) % queue->entries == queue->head;
}

static bool can_run(const Nvme *nvme, unsigned queue) {
    const NvmeSubmissionQueue *submission = &nvme->state.submission[queue];
    return submission->entries != 0 && submission->head != submission->tail &&
           !is_full(&nvme->state.completion[submission->completion_queue]);
}

bool nvme_has_work(const Nvme *nvme) {
    for (unsigned i = 0; i < NVME_QUEUES; i++)
        if (can_run(nvme, i))
            return true;
    return false;
}

static NvmeCommand take(Nvme *nvme, NvmeSubmissionQueue *queue) {
    uint8_t bytes[NVME_COMMAND_BYTES];
    uint32_t address = (uint32_t)queue->address + queue->head * NVME_COMMAND_BYTES;
    physical_read_bytes(nvme->context.memory, address, bytes, sizeof(bytes));
    queue->head = (queue->head + 1) % queue->entries;
    NvmeCommand command = {.opcode = bytes[0],
                           .flags = bytes[1],
                           .id = load_le16(bytes + 2),
                           .name_space = load_le32(bytes + 4),
                           .page = {load_le64(bytes + 24), load_le64(bytes + 32)}};
    for (unsigned i = 0; i < 6; i++)
        command.words[i] = load_le32(bytes + 40 + 4 * i);
    return command;
}

static void complete(Nvme *nvme, unsigned number, uint16_t id, uint16_t status, uint32_t result) {
    const NvmeSubmissionQueue *submission = &nvme->state.submission[number];
    NvmeCompletionQueue *queue = &nvme->state.completion[submission->completion_queue];
    uint8_t bytes[NVME_COMPLETION_BYTES] = {0};
    store_le32(bytes, result);
    store_le16(bytes + 8, (uint16_t)submission->head);
    store_le16(bytes + 10, (uint16_t)number);
    store_le16(bytes + 12, id);
    store_le16(bytes + 14, (uint16_t)(status << 1 | queue->phase));
    physical_write_bytes(nvme->context.memory,
                         (uint32_t)queue->address + queue->tail * NVME_COMPLETION_BYTES, bytes,
                         sizeof(bytes));
    queue->tail = (queue->tail + 1) % queue->entries;
    if (queue->tail == 0)
        queue->phase ^= 1;
}

/* Returns a bit for the completion queue that has got something. */
static uint32_t run_one(Nvme *nvme, unsigned number, uint64_t *bytes) {
    NvmeCommand command = take(nvme, &nvme->state.submission[number]);
    uint32_t result = 0;
    uint16_t status;
    if (command.flags != 0)
        status = NVME_INVALID_FIELD;
    else if (number == 0)
        status = nvme_execute_admin(nvme, &command, &result);
    else
        status = nvme_execute_io(nvme, &command, bytes);
    if (status == NVME_NO_ANSWER_YET)
        return 0;
    complete(nvme, number, command.id, status, result);
    return 1u << nvme->state.submission[number].completion_queue;
}

int64_t nvme_run_queues(Nvme *nvme) {
    uint64_t bytes = 0;
    unsigned idle = 0;
    uint32_t told = 0;
    for (unsigned i = 0; i < DMA_BURST_REQUESTS && bytes < DMA_BURST_BYTES && idle < NVME_QUEUES;) {
        unsigned queue = nvme->state.next_queue;
        nvme->state.next_queue = (uint8_t)((queue + 1) % NVME_QUEUES);
        if (can_run(nvme, queue)) {
            told |= run_one(nvme, queue, &bytes);
            idle = 0;
            i++;
        } else {
            idle++;
        }
    }
    nvme_update_pin(nvme);
    nvme_send_messages(nvme, told);
    return DMA_ACCESS_NS + dma_transfer_ns(bytes);
}

/* What no queue has, or what lies outside of it, is ignored. */
void nvme_write_doorbell(Nvme *nvme, uint32_t offset, uint32_t value) {
    uint32_t number = offset / DOORBELL_BYTES / 2;
    bool is_completion = offset / DOORBELL_BYTES % 2 != 0;
    if (number >= NVME_QUEUES || offset % DOORBELL_BYTES != 0)
        return;
    NvmeSubmissionQueue *submission = &nvme->state.submission[number];
    NvmeCompletionQueue *completion = &nvme->state.completion[number];
    value &= 0xFFFF;
    if (is_completion && value < completion->entries) {
        completion->head = value;
        nvme_update_pin(nvme);
    } else if (!is_completion && value < submission->entries) {
        submission->tail = value;
    } else {
        TRACE(nvme->context.trace, TRACE_GUEST_ERRORS, "nvme: doorbell %X is given %X\n", offset,
              value);
    }
    nvme_wake(nvme, DMA_ACCESS_NS);
}
