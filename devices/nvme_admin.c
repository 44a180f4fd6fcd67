/* Admin commands (NVM Express 1.4, chapter 5). */
#include "nvme_internal.h"
#include <string.h>

#define IDENTIFY_BYTES 4096
#define LOG_BYTES 512

/* Where a command would create a queue: its number, and as many entries as it asks for. */
typedef struct QueueRequest {
    uint32_t number, entries;
    uint64_t address;
} QueueRequest;

static uint16_t check_queue(const Nvme *nvme, const NvmeCommand *command, uint32_t entry_bytes,
                            QueueRequest *request) {
    *request =
        (QueueRequest){command->words[0] & 0xFFFF, (command->words[0] >> 16) + 1, command->page[0]};
    if (request->number == 0 || request->number >= NVME_QUEUES)
        return NVME_INVALID_QUEUE;
    if (request->entries < 2 || request->entries > NVME_ENTRIES_MAX)
        return NVME_INVALID_QUEUE_SIZE;
    if (!(command->words[1] & 1)) /* contiguous in memory */
        return NVME_INVALID_FIELD;
    if (request->address % nvme_page_bytes(nvme) != 0)
        return NVME_INVALID_PAGE_OFFSET;
    return dma_range_is_addressable(request->address, request->entries * (uint64_t)entry_bytes)
               ? NVME_SUCCESS
               : NVME_INVALID_FIELD;
}

static uint16_t create_completion_queue(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    QueueRequest request;
    (void)result;
    uint16_t status = check_queue(nvme, command, NVME_COMPLETION_BYTES, &request);
    if (status != NVME_SUCCESS)
        return status;
    NvmeCompletionQueue *queue = &nvme->state.completion[request.number];
    if (queue->entries != 0)
        return NVME_INVALID_QUEUE;
    uint32_t vector = command->words[1] >> 16;
    if (vector >= pci_device_message_vectors(nvme->pci))
        return NVME_INVALID_VECTOR;
    *queue = (NvmeCompletionQueue){.address = request.address,
                                   .entries = request.entries,
                                   .phase = 1,
                                   .interrupts = command->words[1] >> 1 & 1,
                                   .vector = (uint16_t)vector};
    return NVME_SUCCESS;
}

static uint16_t create_submission_queue(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    QueueRequest request;
    uint32_t completion = command->words[1] >> 16;
    (void)result;
    uint16_t status = check_queue(nvme, command, NVME_COMMAND_BYTES, &request);
    if (status != NVME_SUCCESS)
        return status;
    NvmeSubmissionQueue *queue = &nvme->state.submission[request.number];
    if (completion == 0 || completion >= NVME_QUEUES ||
        nvme->state.completion[completion].entries == 0)
        return NVME_INVALID_COMPLETION_QUEUE;
    if (queue->entries != 0)
        return NVME_INVALID_QUEUE;
    *queue = (NvmeSubmissionQueue){.address = request.address,
                                   .entries = request.entries,
                                   .completion_queue = (uint16_t)completion};
    return NVME_SUCCESS;
}

static uint16_t delete_submission_queue(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    uint32_t number = command->words[0] & 0xFFFF;
    (void)result;
    if (number == 0 || number >= NVME_QUEUES || nvme->state.submission[number].entries == 0)
        return NVME_INVALID_QUEUE;
    nvme->state.submission[number] = (NvmeSubmissionQueue){.address = 0};
    return NVME_SUCCESS;
}

static uint16_t delete_completion_queue(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    uint32_t number = command->words[0] & 0xFFFF;
    (void)result;
    if (number == 0 || number >= NVME_QUEUES || nvme->state.completion[number].entries == 0)
        return NVME_INVALID_QUEUE;
    for (unsigned i = 0; i < NVME_QUEUES; i++)
        if (nvme->state.submission[i].entries != 0 &&
            nvme->state.submission[i].completion_queue == number)
            return NVME_QUEUE_IN_USE;
    nvme->state.completion[number] = (NvmeCompletionQueue){.address = 0};
    return NVME_SUCCESS;
}

static uint16_t identify(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    uint8_t data[IDENTIFY_BYTES] = {0};
    (void)result;
    uint16_t status = nvme_identify(nvme, command, data);
    return status == NVME_SUCCESS ? nvme_send(nvme, command, data, sizeof(data)) : status;
}

static uint16_t get_log_page(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    uint8_t data[LOG_BYTES] = {0};
    uint64_t wanted =
        (((uint64_t)(command->words[1] & 0xFFFF) << 16 | command->words[0] >> 16) + 1) * 4;
    uint64_t offset = (uint64_t)command->words[3] << 32 | command->words[2];
    uint32_t size = nvme_log_page(nvme, (uint8_t)command->words[0], data);
    (void)result;
    if (size == 0)
        return NVME_INVALID_LOG_PAGE;
    if (offset >= size || offset % 4 != 0)
        return NVME_INVALID_FIELD;
    if (wanted > size - offset)
        wanted = size - offset;
    return nvme_send(nvme, command, data + offset, (uint32_t)wanted);
}

static uint16_t abort_command(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    (void)nvme;
    (void)command;
    *result = 1; /* it was not aborted: what is taken from a queue is done at once */
    return NVME_SUCCESS;
}

static const uint32_t feature_defaults[NVME_FEATURES] = {
    [0x4] = 0x157, /* 70 degrees Celsius */
    [NVME_FEATURE_WRITE_CACHE] = 1,
    [NVME_FEATURE_QUEUES] = (NVME_QUEUES - 2) << 16 | (NVME_QUEUES - 2),
};

void nvme_set_default_features(Nvme *nvme) {
    memcpy(nvme->state.features, feature_defaults, sizeof(feature_defaults));
}

static bool has_feature(uint32_t feature) {
    return feature != 0 && feature != 3 && feature < NVME_FEATURES;
}

static uint16_t set_features(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    uint32_t feature = command->words[0] & 0xFF, value = command->words[1];
    if (command->words[0] >> 31)
        return NVME_NOT_SAVEABLE;
    if (!has_feature(feature))
        return NVME_INVALID_FIELD;
    if (feature == NVME_FEATURE_QUEUES) {
        if ((value & 0xFFFF) == 0xFFFF || value >> 16 == 0xFFFF)
            return NVME_INVALID_FIELD;
        *result = feature_defaults[NVME_FEATURE_QUEUES];
        return NVME_SUCCESS;
    }
    nvme->state.features[feature] = feature == NVME_FEATURE_WRITE_CACHE ? value & 1 : value;
    return NVME_SUCCESS;
}

static uint16_t get_features(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    uint32_t feature = command->words[0] & 0xFF, select = command->words[0] >> 8 & 7;
    if (!has_feature(feature) || select > 3)
        return NVME_INVALID_FIELD;
    *result = select == 0   ? nvme->state.features[feature]
              : select == 3 ? 4 /* can be changed */
                            : feature_defaults[feature];
    return NVME_SUCCESS;
}

/* Nothing ever happens that would have to be told. */
static uint16_t request_event(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    NvmeState *state = &nvme->state;
    (void)result;
    if (state->event_request_count >= NVME_EVENT_REQUESTS)
        return NVME_TOO_MANY_EVENT_REQUESTS;
    state->event_requests[state->event_request_count++] = command->id;
    return NVME_NO_ANSWER_YET;
}

uint16_t nvme_execute_admin(Nvme *nvme, const NvmeCommand *command, uint32_t *result) {
    static const struct {
        uint8_t opcode;
        uint16_t (*execute)(Nvme *nvme, const NvmeCommand *command, uint32_t *result);
    } rows[] = {
        {0x00, delete_submission_queue},
        {0x01, create_submission_queue},
        {0x02, get_log_page},
        {0x04, delete_completion_queue},
        {0x05, create_completion_queue},
        {0x06, identify},
        {0x08, abort_command},
        {0x09, set_features},
        {0x0A, get_features},
        {0x0C, request_event},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].opcode == command->opcode)
            return rows[i].execute(nvme, command, result);
    TRACE(nvme->context.trace, TRACE_UNIMP, "nvme: admin command %02X\n", command->opcode);
    return NVME_INVALID_OPCODE;
}
