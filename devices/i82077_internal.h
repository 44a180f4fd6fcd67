/* What the files of the floppy controller share. */
#ifndef REPRISE_I82077_INTERNAL_H
#define REPRISE_I82077_INTERNAL_H

#include "i82077.h"

/* The chip addresses four drives; a PC has wires for two. */
#define I82077_UNITS 4

/* Digital output register. */
enum {
    DOR_SELECT_MASK = 0x03,
    DOR_NOT_RESET = 0x04,
    DOR_DMA_GATE = 0x08, /* lets the IRQ and the DMA request out */
    DOR_MOTOR_0 = 0x10,
};

/* Status registers of the result phase (82077AA data sheet, "Status register encoding"). */
enum {
    ST0_ABNORMAL = 0x40,
    ST0_INVALID = 0x80,
    ST0_READY_CHANGED = 0xC0,
    ST0_SEEK_END = 0x20,
    ST0_EQUIPMENT_CHECK = 0x10,
    ST1_END_OF_CYLINDER = 0x80,
    ST1_DATA_ERROR = 0x20,
    ST1_OVERRUN = 0x10,
    ST1_NO_DATA = 0x04,
    ST1_NOT_WRITABLE = 0x02,
    ST1_MISSING_ADDRESS_MARK = 0x01,
    ST2_CONTROL_MARK = 0x40,
    ST2_DATA_ERROR_IN_DATA = 0x20,
    ST2_WRONG_CYLINDER = 0x10,
    ST2_SCAN_EQUAL = 0x08,
    ST2_SCAN_NOT_SATISFIED = 0x04,
    ST2_BAD_CYLINDER = 0x02,
    ST3_WRITE_PROTECTED = 0x40,
    ST3_READY = 0x20,
    ST3_TRACK_0 = 0x10,
    ST3_TWO_SIDED = 0x08,
};

/* Second byte of CONFIGURE. */
enum { CONFIG_IMPLIED_SEEK = 0x40, CONFIG_FIFO_DISABLED = 0x20, CONFIG_THRESHOLD_MASK = 0x0F };

#define SPECIFY_NON_DMA 0x01 /* in its second byte */

/* The low five bits of the commands that work on a track; above them MT, MFM and SK. */
enum {
    COMMAND_READ_TRACK = 0x02,
    COMMAND_WRITE = 0x05,
    COMMAND_READ = 0x06,
    COMMAND_WRITE_DELETED = 0x09,
    COMMAND_READ_ID = 0x0A,
    COMMAND_READ_DELETED = 0x0C,
    COMMAND_FORMAT = 0x0D,
    COMMAND_SCAN_EQUAL = 0x11,
    COMMAND_VERIFY = 0x16,
    COMMAND_SCAN_LOW = 0x19,
    COMMAND_SCAN_HIGH = 0x1D,
};

typedef enum Phase {
    PHASE_COMMAND,        /* idle, or taking parameter bytes */
    PHASE_EXECUTION,      /* busy until phase_due_ns */
    PHASE_DATA_TO_HOST,   /* non-DMA: the host reads the sector buffer */
    PHASE_DATA_FROM_HOST, /* non-DMA: the host fills it */
    PHASE_RESULT,
    PHASE_RESET, /* comes out of reset at phase_due_ns */
} Phase;

/* What a command that goes by the sector does with each. */
typedef enum TransferKind {
    TRANSFER_READ,
    TRANSFER_WRITE,
    TRANSFER_VERIFY,
    TRANSFER_SCAN,
    TRANSFER_FORMAT,
    TRANSFER_READ_ID,
} TransferKind;

/* What happens when a timed piece of the execution phase is over. */
typedef enum TransferStep {
    STEP_START,   /* the head is over the cylinder */
    STEP_SECTOR,  /* the sector has passed the head */
    STEP_NO_MARK, /* two turns without an address mark */
} TransferStep;

typedef struct I82077DriveState {
    int64_t seek_due_ns; /* when the seek or recalibration in flight ends */
    uint8_t type;        /* FloppyDriveType */
    uint8_t present;     /* a medium is in; the next five are its */
    uint8_t write_protected;
    uint8_t cylinders, heads, sectors, rates;
    uint8_t disk_changed; /* the disk-change line */
    uint8_t cylinder;     /* where the head stands */
    uint8_t seek_target;
    uint8_t seek_status;       /* ST0 at the end of the seek */
    uint8_t interrupt_pending; /* a finished seek that nobody sensed yet */
    uint8_t padding[4];
} I82077DriveState;

typedef struct I82077State {
    int64_t phase_due_ns;
    int64_t stalled_since_ns; /* DMA takes no data since then; -1 if it does */
    I82077DriveState drives[I82077_UNITS];
    uint8_t buffer[FLOPPY_SECTOR_BYTES]; /* one sector, or the four ID bytes of FORMAT */
    uint16_t buffer_position, buffer_size;
    uint16_t sectors_left; /* of FORMAT, and of VERIFY with a count */

    /* Registers. */
    uint8_t dor, tape, rate;
    uint8_t phase;            /* Phase */
    uint8_t reset_interrupts; /* SENSE INTERRUPT results that a reset left */
    uint8_t interrupt;        /* a reset, data or result waits for the host */

    /* Set by commands. */
    uint8_t specify[2], config, precompensation_track, lock;
    uint8_t perpendicular; /* D3-D0 in bits 5-2, GAP, WGATE */
    uint8_t end_of_track;  /* last EOT or SC parameter, for DUMPREG */

    /* The command in progress. */
    uint8_t command[9], command_size, command_needed;
    uint8_t result[10], result_size, result_position;
    uint8_t status[3]; /* ST0 to ST2 */

    /* The transfer in progress. */
    uint8_t step;                   /* TransferStep */
    uint8_t cylinder, head, sector; /* the ID looked for */
    uint8_t terminal_count;
    uint8_t padding[6];
} I82077State;

typedef struct SeekTimer {
    Timer timer;
    I82077 *fdc;
    unsigned unit;
} SeekTimer;

struct I82077 {
    I82077State state;
    BlockNode *media[I82077_UNITS]; /* the last two stay empty */
    Timer phase_timer;
    SeekTimer seek_timers[I82077_UNITS];
    I82077Dma dma;
    Wire irq;
    bool accurate_timing;
    Trace *trace;
    VirtualClock *clock;
};

/* i82077.c */
void i82077_update_irq(I82077 *fdc);
/* The drive that a unit number of a command means; NULL if there is none. */
I82077DriveState *i82077_drive(I82077 *fdc, unsigned unit);
bool i82077_motor_is_on(const I82077 *fdc, unsigned unit);
/* Back to the command phase, without an interrupt. */
void i82077_end_command(I82077 *fdc);
/* Enters the result phase with the first 'size' bytes of state.result. */
void i82077_enter_result(I82077 *fdc, unsigned size, bool interrupt);

/* i82077_commands.c */
/* Another byte of a command came in. */
void i82077_take_command_byte(I82077 *fdc, uint8_t byte);
/* How long the head needs for so many steps. */
int64_t i82077_seek_ns(const I82077 *fdc, unsigned steps);
void i82077_seek_done(I82077 *fdc, unsigned unit);

/* i82077_transfer.c: begin one of the commands that work on the track under the head. */
void i82077_begin_transfer(I82077 *fdc);
void i82077_begin_format(I82077 *fdc);
void i82077_begin_read_id(I82077 *fdc);
/* The timed piece of the execution phase is over. */
void i82077_continue_transfer(I82077 *fdc);
/* Non-DMA: the host took or filled the whole buffer. */
void i82077_buffer_done(I82077 *fdc);

#endif
