/* What the files of the LSI 53C895A share: lsi53c895a.c has the registers, lsi53c895a_scripts.c
 * runs SCRIPTS, lsi53c895a_move.c their block moves, lsi53c895a_bus.c is the SCSI bus with the side
 * of the targets.
 *
 * Targets never leave the bus in the middle of a command, as no target has to: there are no
 * reselections, and at most one command is under way. */
#ifndef REPRISE_LSI53C895A_INTERNAL_H
#define REPRISE_LSI53C895A_INTERNAL_H

#include "lsi53c895a.h"

#define LSI_REGISTERS 256
#define LSI_RAM_BYTES 8192
#define LSI_MESSAGE_BYTES 16

/* Registers, one to four bytes each, little-endian (technical manual, chapter 4). */
enum {
    LSI_SCNTL0 = 0x00,
    LSI_SCNTL1 = 0x01,
    LSI_SCNTL2 = 0x02,
    LSI_SCNTL3 = 0x03,
    LSI_SCID = 0x04,
    LSI_SXFER = 0x05,
    LSI_SDID = 0x06,
    LSI_GPREG = 0x07,
    LSI_SFBR = 0x08,
    LSI_SSID = 0x0A,
    LSI_SBCL = 0x0B,
    LSI_DSTAT = 0x0C,
    LSI_SSTAT0 = 0x0D,
    LSI_SSTAT1 = 0x0E,
    LSI_SSTAT2 = 0x0F,
    LSI_DSA = 0x10,
    LSI_ISTAT0 = 0x14,
    LSI_ISTAT1 = 0x15,
    LSI_CTEST0 = 0x18,
    LSI_CTEST1 = 0x19,
    LSI_CTEST2 = 0x1A,
    LSI_CTEST3 = 0x1B,
    LSI_TEMP = 0x1C,
    LSI_DBC = 0x24,
    LSI_DCMD = 0x27,
    LSI_DNAD = 0x28,
    LSI_DSP = 0x2C,
    LSI_DSPS = 0x30,
    LSI_SCRATCHA = 0x34,
    LSI_DMODE = 0x38,
    LSI_DIEN = 0x39,
    LSI_DCNTL = 0x3B,
    LSI_SIEN0 = 0x40,
    LSI_SIEN1 = 0x41,
    LSI_SIST0 = 0x42,
    LSI_SIST1 = 0x43,
    LSI_MACNTL = 0x46,
    LSI_GPCNTL = 0x47,
    LSI_STIME1 = 0x49,
    LSI_STEST0 = 0x4C,
    LSI_STEST1 = 0x4D,
    LSI_STEST3 = 0x4F,
    LSI_SIDL = 0x50,
    LSI_STEST4 = 0x52,
    LSI_CCNTL0 = 0x56,
    LSI_SBDL = 0x58,
    LSI_SCRATCHB = 0x5C,
    LSI_PMJAD1 = 0xC0,
    LSI_PMJAD2 = 0xC4,
    LSI_RBC = 0xC8,
    LSI_UA = 0xCC,
    LSI_ESA = 0xD0,
    LSI_IA = 0xD4,
    LSI_SBC = 0xD8,
    LSI_CSBC = 0xDC,
};

/* Bits of them. */
enum {
    SCNTL1_RESET = 0x08,
    SCNTL1_CONNECTED = 0x10,
    SCNTL2_UNEXPECTED = 0x80, /* the bus is not to become free */
    SCNTL2_RESIDUE = 0x09,    /* WSS and WSR, cleared by ones */
    SSTAT0_RESET = 0x02,
    SSTAT2_LAST_DISCONNECT = 0x02,
    DSTAT_FIFO_EMPTY = 0x80,
    DSTAT_ABORTED = 0x10,
    DSTAT_SINGLE_STEP = 0x08,
    DSTAT_INTERRUPT = 0x04, /* by an instruction */
    DSTAT_ILLEGAL = 0x01,
    ISTAT0_ABORT = 0x80,
    ISTAT0_RESET = 0x40,
    ISTAT0_SIGNAL = 0x20,
    ISTAT0_SEMAPHORE = 0x10,
    ISTAT0_CONNECTED = 0x08,
    ISTAT0_ON_THE_FLY = 0x04,
    ISTAT0_SCSI = 0x02,
    ISTAT0_DMA = 0x01,
    ISTAT1_RUNS = 0x02,
    CTEST2_SIGNAL = 0x40,
    CTEST2_SHOWS_BASES = 0x08,
    DMODE_MANUAL = 0x01,
    DCNTL_SINGLE_STEP = 0x10,
    DCNTL_START = 0x04,
    DCNTL_NO_IRQ = 0x02,
    SIST0_MISMATCH = 0x80,
    SIST0_UNEXPECTED = 0x04,
    SIST0_RESET = 0x02,
    SIST0_FATAL = 0x8F,
    SIST1_TIMEOUT = 0x04, /* of a selection */
    SIST1_GENERAL = 0x02, /* timer */
    SIST1_FATAL = 0x04,
    STEST1_MULTIPLIES = 0x0C, /* the clock, by four, and uses it */
    CCNTL0_JUMPS = 0x80,      /* at a phase mismatch */
    CCNTL0_JUMPS_BY_DIRECTION = 0x40,
};

/* Phases of the bus: MSG, C/D and I/O. */
enum {
    PHASE_DATA_OUT = 0,
    PHASE_DATA_IN = 1,
    PHASE_COMMAND = 2,
    PHASE_STATUS = 3,
    PHASE_MESSAGE_OUT = 6,
    PHASE_MESSAGE_IN = 7,
};

/* What the SCRIPTS processor waits for. */
typedef enum LsiWait {
    LSI_WAITS_NOT,
    LSI_WAITS_FOR_MOVE,     /* a block move, until the target asks for (more) bytes */
    LSI_WAITS_FOR_PHASE,    /* the instruction is looked at again when it does */
    LSI_WAITS_FOR_RESELECT, /* or the signal of the processor */
    LSI_WAITS_FOR_EVER,
    LSI_WAITS,
} LsiWait;

typedef struct LsiState {
    int64_t due_ns;         /* SCRIPTS go on */
    int64_t general_due_ns; /* the general purpose timer ends */
    int64_t select_due_ns;  /* nobody has answered to a selection; TIMER_NEVER: there is none */
    uint32_t instruction;   /* first word, and address, of the one that runs */
    uint32_t instruction_address;
    uint8_t registers[LSI_REGISTERS];
    uint8_t ram[LSI_RAM_BYTES];
    uint8_t command[SCSI_COMMAND_BYTES]; /* what the target has got of it so far */
    uint8_t message_in[LSI_MESSAGE_BYTES];
    uint8_t message_out[LSI_MESSAGE_BYTES]; /* one that is not whole yet */
    uint8_t command_size, message_in_size, message_in_position, message_out_size;
    uint8_t target, lun; /* of the connection */
    uint8_t connected;
    uint8_t phase;        /* as the lines of the bus have it */
    uint8_t begun;        /* the target has the command */
    uint8_t frees;        /* the target leaves the bus when its last message is acknowledged */
    uint8_t acknowledges; /* ACK is held behind the last byte of a message */
    uint8_t attention;    /* ATN */
    uint8_t running;
    uint8_t waits; /* LsiWait */
    uint8_t carry;
    uint8_t padding[1];
} LsiState;

struct Lsi {
    LsiState state;
    DeviceContext context;
    PciDevice *pci;
    ScsiTarget *targets[LSI_TARGETS];
    Timer timer, general_timer, select_timer;
    char id[32];
    bool working;         /* its own registers are deaf to its own DMA */
    uint32_t burst_bytes; /* that moved in this burst */
};

enum { LSI_BAR_PORTS, LSI_BAR_REGISTERS, LSI_BAR_RAM };

/* lsi53c895a.c */
uint32_t lsi_get(const Lsi *lsi, unsigned offset);
void lsi_put(Lsi *lsi, unsigned offset, uint32_t value);
/* As the processor does, with all that follows from it. */
uint8_t lsi_read_register(Lsi *lsi, unsigned offset);
void lsi_write_register(Lsi *lsi, unsigned offset, uint8_t value);
/* SCRIPTS stop where an interrupt is fatal. */
void lsi_dma_interrupt(Lsi *lsi, uint8_t status);
void lsi_scsi_interrupt(Lsi *lsi, uint8_t status0, uint8_t status1);
void lsi_update_pin(Lsi *lsi);
void lsi_stop(Lsi *lsi);
/* SCRIPTS go on, soon. */
void lsi_wake(Lsi *lsi, int64_t ns);
/* Memory as the chip sees it: its own registers and RAM are there, too. */
void lsi_dma_read(Lsi *lsi, uint32_t address, void *data, uint32_t size);
void lsi_dma_write(Lsi *lsi, uint32_t address, const void *data, uint32_t size);

/* lsi53c895a_scripts.c */
void lsi_run_scripts(Lsi *lsi);
uint32_t lsi_dsa_relative(const Lsi *lsi, uint32_t offset);

/* lsi53c895a_move.c */
void lsi_begin_move(Lsi *lsi, uint32_t instruction, uint32_t address);
/* Goes on with the move; true if it is over, one way or another. */
bool lsi_continue_move(Lsi *lsi);

/* lsi53c895a_bus.c */
/* The target asserts REQ; the lines of the phase are up to date then. */
bool lsi_bus_has_request(Lsi *lsi);
/* Selects a target, which answers at once; where nothing has that number there will be a time-out.
 */
void lsi_bus_select(Lsi *lsi, unsigned number, bool attention);
/* Moves bytes of the phase that the bus is in, and returns how many. */
uint32_t lsi_bus_move(Lsi *lsi, uint8_t *data, uint32_t size);
void lsi_bus_release_acknowledge(Lsi *lsi);
/* All bytes of a message to the target were given. */
void lsi_bus_end_message_out(Lsi *lsi);
/* The connection is over. */
void lsi_bus_disconnect(Lsi *lsi);
void lsi_bus_reset(Lsi *lsi);
/* The control lines, as SBCL shows them. */
uint8_t lsi_bus_lines(Lsi *lsi);

#endif
