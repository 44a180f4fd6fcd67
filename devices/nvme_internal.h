/* What the files of the NVMe controller share: nvme.c has the registers, nvme_queue.c the queues,
 * nvme_admin.c and nvme_io.c the commands, nvme_identify.c what the controller says of itself,
 * nvme_prp.c the lists of pages that commands come with. */
#ifndef REPRISE_NVME_INTERNAL_H
#define REPRISE_NVME_INTERNAL_H

#include "dma_list.h"
#include "nvme.h"

#define NVME_QUEUES 17 /* the admin queues, and those for I/O */
#define NVME_ENTRIES_MAX 1024
#define NVME_COMMAND_BYTES 64
#define NVME_COMPLETION_BYTES 16
#define NVME_EVENT_REQUESTS 4
#define NVME_FEATURES 12
#define NVME_SECTOR_BYTES 512
#define NVME_PAGE_BITS_MAX 16
#define NVME_TRANSFER_SHIFT 7 /* a command moves at most 4 KB << 7 */
#define NVME_TRANSFER_MAX (4096u << NVME_TRANSFER_SHIFT)

/* Status of a command: its code and type (specification 4.6.1); software shall not try it again. */
#define NVME_STATUS(type, code) ((type) << 8 | (code) | 0x4000)
enum {
    NVME_SUCCESS = 0,
    NVME_INVALID_OPCODE = NVME_STATUS(0, 0x01),
    NVME_INVALID_FIELD = NVME_STATUS(0, 0x02),
    NVME_DATA_TRANSFER_ERROR = NVME_STATUS(0, 0x04),
    NVME_INTERNAL_ERROR = NVME_STATUS(0, 0x06),
    NVME_INVALID_NAMESPACE = NVME_STATUS(0, 0x0B),
    NVME_INVALID_PAGE_OFFSET = NVME_STATUS(0, 0x13),
    NVME_WRITE_PROTECTED = NVME_STATUS(0, 0x20),
    NVME_OUT_OF_RANGE = NVME_STATUS(0, 0x80),
    NVME_INVALID_COMPLETION_QUEUE = NVME_STATUS(1, 0x00),
    NVME_INVALID_QUEUE = NVME_STATUS(1, 0x01),
    NVME_INVALID_QUEUE_SIZE = NVME_STATUS(1, 0x02),
    NVME_TOO_MANY_EVENT_REQUESTS = NVME_STATUS(1, 0x05),
    NVME_INVALID_VECTOR = NVME_STATUS(1, 0x08),
    NVME_INVALID_LOG_PAGE = NVME_STATUS(1, 0x09),
    NVME_QUEUE_IN_USE = NVME_STATUS(1, 0x0C),
    NVME_NOT_SAVEABLE = NVME_STATUS(1, 0x0D),
    NVME_WRITE_FAULT = NVME_STATUS(2, 0x80),
    NVME_READ_ERROR = NVME_STATUS(2, 0x81),
    NVME_NO_ANSWER_YET = 0xFFFF, /* of ours: the command waits for something to happen */
};

enum { NVME_FEATURE_WRITE_CACHE = 6, NVME_FEATURE_QUEUES = 7 };

typedef struct NvmeSubmissionQueue {
    uint64_t address;
    uint32_t entries; /* 0: there is no such queue */
    uint32_t head, tail;
    uint16_t completion_queue;
    uint8_t padding[2];
} NvmeSubmissionQueue;

typedef struct NvmeCompletionQueue {
    uint64_t address;
    uint32_t entries;
    uint32_t head, tail;
    uint8_t phase;
    uint8_t interrupts;
    uint16_t vector; /* of MSI-X */
} NvmeCompletionQueue;

typedef struct NvmeState {
    int64_t due_ns;
    uint64_t admin_submission, admin_completion; /* registers ASQ and ACQ */
    uint64_t sectors_read, sectors_written, reads, writes;
    uint32_t configuration, status, interrupt_mask, admin_sizes;
    uint32_t features[NVME_FEATURES];
    NvmeSubmissionQueue submission[NVME_QUEUES];
    NvmeCompletionQueue completion[NVME_QUEUES];
    uint16_t event_requests[NVME_EVENT_REQUESTS]; /* commands that wait for an event */
    uint8_t event_request_count;
    uint8_t next_queue; /* whose turn it is */
    uint8_t padding[6];
} NvmeState;

struct Nvme {
    NvmeState state;
    DeviceContext context;
    PciDevice *pci;
    BlockNode *medium;
    uint64_t sectors;
    char id[32], serial[21];
    Timer timer;
    DmaList list; /* of the command that runs, nothing between two */
    bool working; /* its own registers are deaf to its own DMA */
};

/* A command as it stands in a queue (4.2). */
typedef struct NvmeCommand {
    uint8_t opcode;
    uint8_t flags; /* fused, or with a scatter list */
    uint16_t id;
    uint32_t name_space;
    uint64_t page[2];  /* PRP entries */
    uint32_t words[6]; /* double words 10 to 15 */
} NvmeCommand;

/* nvme.c */
void nvme_update_pin(Nvme *nvme);
/* Sends messages for completion queues, a bit for each, that have got something. */
void nvme_send_messages(Nvme *nvme, uint32_t queues);
/* Looks into the queues soon, if there is something in them. */
void nvme_wake(Nvme *nvme, int64_t ns);
static inline uint32_t nvme_page_bytes(const Nvme *nvme) {
    return 4096u << (nvme->state.configuration >> 7 & 0xF);
}

/* nvme_queue.c */
bool nvme_has_work(const Nvme *nvme);
/* Does some of it and returns how long that keeps the controller busy. */
int64_t nvme_run_queues(Nvme *nvme);
void nvme_write_doorbell(Nvme *nvme, uint32_t offset, uint32_t value);

/* nvme_admin.c, nvme_io.c: each returns the status; '*result' goes into the completion's first
 * double word, '*bytes' of data that moved are added. */
uint16_t nvme_execute_admin(Nvme *nvme, const NvmeCommand *command, uint32_t *result);
void nvme_set_default_features(Nvme *nvme);
uint16_t nvme_execute_io(Nvme *nvme, const NvmeCommand *command, uint64_t *bytes);

/* nvme_identify.c: 4096 bytes of zeros are filled in. */
uint16_t nvme_identify(const Nvme *nvme, const NvmeCommand *command, uint8_t *data);
/* The pages of the log: how many bytes there are, 0 for an unknown one. */
uint32_t nvme_log_page(const Nvme *nvme, uint8_t page, uint8_t *data);

/* nvme_prp.c: the pages of a command as nvme->list. */
uint16_t nvme_list_pages(Nvme *nvme, const NvmeCommand *command, uint32_t bytes);
/* Sends an answer there. */
uint16_t nvme_send(Nvme *nvme, const NvmeCommand *command, const void *data, uint32_t bytes);

#endif
