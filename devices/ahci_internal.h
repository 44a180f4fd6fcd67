/* What the files of the AHCI controller share: ahci.c has the registers, ahci_port.c runs the
 * commands of a port, ahci_queued.c those of the native queue. */
#ifndef REPRISE_AHCI_INTERNAL_H
#define REPRISE_AHCI_INTERNAL_H

#include "ahci.h"
#include "dma_list.h"

#define AHCI_SLOTS 32
#define AHCI_NO_SLOT 0xFF

/* Bits of PxCMD (specification 3.3.7). */
enum {
    PORT_START = 1 << 0,
    PORT_SPIN_UP = 1 << 1,
    PORT_POWER_ON = 1 << 2,
    PORT_CLEAR_BUSY = 1 << 3,
    PORT_RECEIVE = 1 << 4,
    PORT_SLOT_SHIFT = 8,
    PORT_SLOT_MASK = 0x1F << PORT_SLOT_SHIFT,
    PORT_RECEIVING = 1 << 14,
    PORT_RUNNING = 1 << 15,
    PORT_PACKET_DEVICE = 1 << 24,
};

/* Bits of PxIS and PxIE (3.3.5). */
enum {
    INTERRUPT_REGISTERS = 1u << 0, /* a frame of that kind came with the interrupt bit */
    INTERRUPT_PIO_SETUP = 1u << 1,
    INTERRUPT_QUEUED = 1u << 3,
    INTERRUPT_OVERFLOW = 1u << 24,  /* the region table was too short */
    INTERRUPT_BUS_DATA = 1u << 28,  /* no such memory */
    INTERRUPT_TASK_FILE = 1u << 30, /* the drive reports an error */
};
#define INTERRUPTS_ALL 0xFDC000FFu

enum { ATA_ERROR = 0x01, ATA_DATA_REQUEST = 0x08, ATA_READY = 0x50, ATA_BUSY = 0x80 };

#define FRAME_ROOM 64 /* of a command table, for the frame */

typedef struct AhciPortState {
    int64_t due_ns;
    uint32_t command_list, received; /* physical addresses */
    uint32_t interrupt_status, interrupt_enable;
    uint32_t command, link_control, link_error;
    uint32_t active, issued; /* PxSACT and PxCI */
    uint32_t transferred;    /* bytes of the running command */
    uint8_t slot;            /* of the command that the drive runs; AHCI_NO_SLOT: none */
    uint8_t next_slot;       /* where the search for the next one begins */
    uint8_t status, error;   /* of the native queue, where 'queue_failed' */
    uint8_t queue_failed;
    uint8_t reset_pending; /* the drive's signature is to be received when it has reset */
    uint8_t stopped;       /* by an error, until software has stopped the port, too */
    uint8_t padding[1];
} AhciPortState;

typedef struct AhciPort {
    Ahci *ahci;
    AhciPortState *state;
    IdeChannel *channel; /* NULL: nothing is connected */
    unsigned number;
    Timer timer;
    DmaList regions; /* of the running command */
    bool has_regions;
} AhciPort;

typedef struct AhciState {
    AhciPortState ports[AHCI_PORTS];
    uint32_t global_control, interrupt_status;
} AhciState;

struct Ahci {
    AhciState state;
    AhciPort ports[AHCI_PORTS];
    DeviceContext context;
    PciDevice *pci;
    bool working; /* its own registers are deaf to its own DMA */
};

/* A row of the command list (4.2.2). */
typedef struct AhciCommand {
    uint32_t table; /* physical address */
    uint32_t regions;
    uint8_t frame[FRAME_ROOM];
} AhciCommand;

/* ahci.c */
void ahci_update_interrupt(Ahci *ahci);
void ahci_raise(AhciPort *port, uint32_t interrupt);

/* ahci_port.c */
bool ahci_port_init(Ahci *ahci, unsigned number, const DeviceContext *context,
                    const IdeDriveOptions *drive, Error *error);
void ahci_port_reset(AhciPort *port);
void ahci_port_restored(AhciPort *port);
/* Looks soon for something to do. */
void ahci_port_wake(AhciPort *port, int64_t ns);
void ahci_port_write_command(AhciPort *port, uint32_t value);
void ahci_port_write_link_control(AhciPort *port, uint32_t value);
uint32_t ahci_port_task_file(const AhciPort *port);
uint32_t ahci_port_signature(const AhciPort *port);
void ahci_port_read_command(AhciPort *port, unsigned slot, AhciCommand *command);
/* The regions of a command as a list; false: no memory is there, or they are too many. */
bool ahci_port_list_regions(AhciPort *port, const AhciCommand *command, DmaList *list);
void ahci_port_put_byte_count(AhciPort *port, unsigned slot, uint32_t bytes);
/* A frame to where those are received. */
void ahci_port_receive(AhciPort *port, uint32_t place, const uint8_t *frame, uint32_t size);

/* ahci_queued.c */
bool ahci_is_queued(const AhciCommand *command);
/* Runs such a command; false if it failed, and with it the queue. '*bytes' moved are added. */
bool ahci_run_queued(AhciPort *port, unsigned slot, const AhciCommand *command, uint64_t *bytes);
/* Tells of those that are done, a bit for each tag. */
void ahci_finish_queued(AhciPort *port, uint32_t tags);

#endif
