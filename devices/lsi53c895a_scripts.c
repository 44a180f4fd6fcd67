/* The SCRIPTS processor (technical manual, chapter 5): instructions of two words, or three, at DSP.
 */
#include "dma_list.h"
#include "little_endian.h"
#include "lsi53c895a_internal.h"

#define BURST_INSTRUCTIONS 256
#define INSTRUCTION_NS 50

/* Kinds of instructions, bits 31 and 30, and what bits 29 to 27 choose among them. */
enum { KIND_BLOCK_MOVE = 0, KIND_IO = 1, KIND_TRANSFER = 2, KIND_MEMORY = 3 };
enum { IO_SELECT = 0, IO_WAIT_DISCONNECT = 1, IO_WAIT_RESELECT = 2, IO_SET = 3, IO_CLEAR = 4 };
enum { WRITE_FROM_SFBR = 5, WRITE_TO_SFBR = 6, WRITE_REGISTER = 7 };
enum { TRANSFER_JUMP = 0, TRANSFER_CALL = 1, TRANSFER_RETURN = 2, TRANSFER_INTERRUPT = 3 };

enum {
    IO_RELATIVE = 1 << 26,
    IO_TABLE = 1 << 25,
    IO_ATTENTION = 1 << 24,
    LINE_CARRY = 1 << 10,
    LINE_ACKNOWLEDGE = 1 << 6,
    LINE_ATTENTION = 1 << 3,
    WRITE_USES_SFBR = 1 << 23,
    TRANSFER_RELATIVE = 1 << 23,
    TRANSFER_CARRY = 1 << 21,
    TRANSFER_ON_THE_FLY = 1 << 20,
    TRANSFER_IF_TRUE = 1 << 19,
    TRANSFER_DATA = 1 << 18,
    TRANSFER_PHASE = 1 << 17,
    TRANSFER_WAITS = 1 << 16,
    MEMORY_REGISTERS = 1 << 29, /* load or store, else a move */
    MEMORY_RELATIVE = 1 << 28,
    MEMORY_LOADS = 1 << 24,
};

static uint32_t signed_24(uint32_t value) {
    return (uint32_t)((int32_t)(value << 8) >> 8);
}

uint32_t lsi_dsa_relative(const Lsi *lsi, uint32_t offset) {
    return lsi_get(lsi, LSI_DSA) + signed_24(offset);
}

static uint32_t fetch(Lsi *lsi) {
    uint8_t word[4];
    uint32_t address = lsi_get(lsi, LSI_DSP);
    lsi_dma_read(lsi, address, word, sizeof(word));
    lsi_put(lsi, LSI_DSP, address + 4);
    return load_le32(word);
}

static void go_to(Lsi *lsi, uint32_t address) {
    lsi_put(lsi, LSI_DSP, address);
}

static void select_target(Lsi *lsi, uint32_t instruction, uint32_t alternate) {
    LsiState *state = &lsi->state;
    unsigned number = instruction >> 16 & 0xF;
    if (instruction & IO_TABLE) {
        uint8_t entry[4];
        lsi_dma_read(lsi, lsi_dsa_relative(lsi, instruction), entry, sizeof(entry));
        state->registers[LSI_SXFER] = entry[1];
        state->registers[LSI_SCNTL3] = entry[3];
        number = entry[2] & 0xF;
    }
    state->registers[LSI_SDID] = (uint8_t)number;
    if (state->acknowledges)
        lsi_bus_disconnect(lsi); /* the last message was taken, though nobody said so */
    if (state->connected || timer_is_armed(&lsi->select_timer))
        go_to(lsi, alternate);
    else
        lsi_bus_select(lsi, number, (instruction & IO_ATTENTION) != 0);
}

static void set_lines(Lsi *lsi, uint32_t instruction, bool set) {
    LsiState *state = &lsi->state;
    if (instruction & LINE_CARRY)
        state->carry = set;
    if ((instruction & LINE_ATTENTION) && state->connected)
        state->attention = set;
    if ((instruction & LINE_ACKNOWLEDGE) && !set && state->acknowledges)
        lsi_bus_release_acknowledge(lsi);
}

static void wait_disconnect(Lsi *lsi) {
    if (lsi->state.acknowledges)
        lsi_bus_release_acknowledge(lsi);
    if (lsi->state.connected || timer_is_armed(&lsi->select_timer))
        lsi->state.waits = LSI_WAITS_FOR_EVER; /* until the bus is reset */
}

static void wait_reselect(Lsi *lsi, uint32_t alternate) {
    LsiState *state = &lsi->state;
    if ((state->registers[LSI_ISTAT0] & ISTAT0_SIGNAL) || state->connected)
        go_to(lsi, alternate);
    else
        state->waits = LSI_WAITS_FOR_RESELECT;
}

static uint8_t compute(Lsi *lsi, unsigned operator, uint8_t value, uint8_t operand) {
    uint8_t *carry = &lsi->state.carry;
    unsigned sum;
    uint8_t out;
    switch (operator) {
    case 1:
        out = value >> 7;
        value = (uint8_t)(value << 1 | *carry);
        *carry = out;
        return value;
    case 2:
        return value | operand;
    case 3:
        return value ^ operand;
    case 4:
        return value & operand;
    case 5:
        out = value & 1;
        value = (uint8_t)(value >> 1 | *carry << 7);
        *carry = out;
        return value;
    case 6:
    case 7:
        sum = value + (unsigned)operand + (operator== 7 ? *carry : 0);
        *carry = sum > 0xFF;
        return (uint8_t)sum;
    }
    return operand; /* 0: move */
}

static void write_register(Lsi *lsi, uint32_t instruction, unsigned opcode) {
    unsigned operator= instruction>> 24 & 7;
    unsigned number = (instruction >> 16 & 0x7F) | (instruction & 0x80);
    uint8_t sfbr = lsi->state.registers[LSI_SFBR], operand = (uint8_t)(instruction >> 8);
    if (instruction & WRITE_USES_SFBR)
        operand = sfbr;
    uint8_t value = opcode == WRITE_FROM_SFBR ? sfbr : lsi_read_register(lsi, number);
    if (operator== 0 && opcode != WRITE_REGISTER)
        operand = value; /* it is just copied */
    value = compute(lsi, operator, value, operand);
    lsi_write_register(lsi, opcode == WRITE_TO_SFBR ? LSI_SFBR : number, value);
}

static void run_io(Lsi *lsi, uint32_t instruction, uint32_t second) {
    uint32_t alternate =
        instruction & IO_RELATIVE ? lsi_get(lsi, LSI_DSP) + signed_24(second) : second;
    lsi_put(lsi, LSI_DNAD, alternate);
    switch (instruction >> 27 & 7) {
    case IO_SELECT:
        select_target(lsi, instruction, alternate);
        break;
    case IO_WAIT_DISCONNECT:
        wait_disconnect(lsi);
        break;
    case IO_WAIT_RESELECT:
        wait_reselect(lsi, alternate);
        break;
    case IO_SET:
        set_lines(lsi, instruction, true);
        break;
    case IO_CLEAR:
        set_lines(lsi, instruction, false);
        break;
    default:
        write_register(lsi, instruction, instruction >> 27 & 7);
        break;
    }
}

static bool condition_holds(Lsi *lsi, uint32_t instruction) {
    const LsiState *state = &lsi->state;
    bool holds = true;
    if (instruction & TRANSFER_CARRY)
        holds = state->carry != 0;
    if (instruction & TRANSFER_PHASE)
        holds = holds && (state->registers[LSI_SSTAT1] & 7u) == (instruction >> 24 & 7);
    if (instruction & TRANSFER_DATA) {
        uint8_t ignored = (uint8_t)(instruction >> 8);
        holds = holds && ((state->registers[LSI_SFBR] ^ instruction) & (uint8_t)~ignored) == 0;
    }
    return holds == ((instruction & TRANSFER_IF_TRUE) != 0);
}

static void interrupt(Lsi *lsi, uint32_t instruction) {
    if (instruction & TRANSFER_ON_THE_FLY) {
        lsi->state.registers[LSI_ISTAT0] |= ISTAT0_ON_THE_FLY;
        lsi_update_pin(lsi);
    } else {
        lsi_dma_interrupt(lsi, DSTAT_INTERRUPT);
    }
}

static void run_transfer(Lsi *lsi, uint32_t instruction, uint32_t second) {
    uint32_t next = lsi_get(lsi, LSI_DSP);
    uint32_t address = instruction & TRANSFER_RELATIVE ? next + signed_24(second) : second;
    bool request = lsi_bus_has_request(lsi);
    if ((instruction & TRANSFER_WAITS) && !request) {
        lsi->state.waits = LSI_WAITS_FOR_PHASE;
        return;
    }
    if (!condition_holds(lsi, instruction))
        return;
    switch (instruction >> 27 & 7) {
    case TRANSFER_CALL:
        lsi_put(lsi, LSI_TEMP, next);
        go_to(lsi, address);
        break;
    case TRANSFER_JUMP:
        go_to(lsi, address);
        break;
    case TRANSFER_RETURN:
        go_to(lsi, lsi_get(lsi, LSI_TEMP));
        break;
    case TRANSFER_INTERRUPT:
        interrupt(lsi, instruction);
        break;
    default:
        lsi_dma_interrupt(lsi, DSTAT_ILLEGAL);
        break;
    }
}

static void move_memory(Lsi *lsi, uint32_t instruction, uint32_t source) {
    uint8_t bounce[4096];
    uint32_t target = fetch(lsi), size = instruction & 0xFFFFFF;
    lsi_put(lsi, LSI_TEMP, target);
    lsi->burst_bytes += size;
    for (uint32_t at = 0; at < size; at += sizeof(bounce)) {
        uint32_t part = size - at < sizeof(bounce) ? size - at : (uint32_t)sizeof(bounce);
        lsi_dma_read(lsi, source + at, bounce, part);
        lsi_dma_write(lsi, target + at, bounce, part);
    }
}

static void load_or_store(Lsi *lsi, uint32_t instruction, uint32_t address) {
    uint8_t bytes[4];
    unsigned first = instruction >> 16 & 0xFF, count = instruction & 7;
    if (count == 0 || count > 4 || first + count > LSI_REGISTERS) {
        lsi_dma_interrupt(lsi, DSTAT_ILLEGAL);
        return;
    }
    if (instruction & MEMORY_RELATIVE)
        address = lsi_dsa_relative(lsi, address);
    if (instruction & MEMORY_LOADS) {
        lsi_dma_read(lsi, address, bytes, count);
        for (unsigned i = 0; i < count; i++)
            lsi_write_register(lsi, first + i, bytes[i]);
    } else {
        for (unsigned i = 0; i < count; i++)
            bytes[i] = lsi_read_register(lsi, first + i);
        lsi_dma_write(lsi, address, bytes, count);
    }
}

static void run_memory(Lsi *lsi, uint32_t instruction, uint32_t second) {
    if (instruction & MEMORY_REGISTERS)
        load_or_store(lsi, instruction, second);
    else
        move_memory(lsi, instruction, second);
}

static void step(Lsi *lsi) {
    LsiState *state = &lsi->state;
    state->instruction_address = lsi_get(lsi, LSI_DSP);
    uint32_t instruction = fetch(lsi), second = fetch(lsi);
    state->instruction = instruction;
    lsi_put(lsi, LSI_DBC, instruction); /* and DCMD */
    lsi_put(lsi, LSI_DSPS, second);
    switch (instruction >> 30) {
    case KIND_BLOCK_MOVE:
        lsi_begin_move(lsi, instruction, second);
        break;
    case KIND_IO:
        run_io(lsi, instruction, second);
        break;
    case KIND_TRANSFER:
        run_transfer(lsi, instruction, second);
        break;
    case KIND_MEMORY:
        run_memory(lsi, instruction, second);
        break;
    }
    bool single = (state->registers[LSI_DCNTL] & DCNTL_SINGLE_STEP) != 0;
    if (single && state->running && state->waits == LSI_WAITS_NOT)
        lsi_dma_interrupt(lsi, DSTAT_SINGLE_STEP);
}

/* What it waits for has come, or may have; false: it has not. */
static bool end_wait(Lsi *lsi) {
    LsiState *state = &lsi->state;
    switch ((LsiWait)state->waits) {
    case LSI_WAITS_FOR_MOVE:
        return lsi_continue_move(lsi);
    case LSI_WAITS_FOR_PHASE:
        if (!lsi_bus_has_request(lsi))
            return false;
        state->waits = LSI_WAITS_NOT;
        run_transfer(lsi, state->instruction, lsi_get(lsi, LSI_DSPS));
        return true;
    case LSI_WAITS_FOR_RESELECT:
        if (!(state->registers[LSI_ISTAT0] & ISTAT0_SIGNAL))
            return false;
        go_to(lsi, lsi_get(lsi, LSI_DNAD));
        break;
    case LSI_WAITS_FOR_EVER:
        return false;
    case LSI_WAITS_NOT:
    case LSI_WAITS:
        break;
    }
    state->waits = LSI_WAITS_NOT;
    return true;
}

void lsi_run_scripts(Lsi *lsi) {
    LsiState *state = &lsi->state;
    unsigned count = 0;
    lsi->burst_bytes = 0;
    while (state->running && count < BURST_INSTRUCTIONS && lsi->burst_bytes < DMA_BURST_BYTES) {
        if (state->waits != LSI_WAITS_NOT && !end_wait(lsi))
            break;
        if (!state->running)
            break;
        if (state->waits == LSI_WAITS_NOT) {
            step(lsi);
            count++;
        }
    }
    bool has_more = count >= BURST_INSTRUCTIONS || lsi->burst_bytes >= DMA_BURST_BYTES;
    if (state->running && has_more)
        lsi_wake(lsi, INSTRUCTION_NS * (int64_t)count + dma_transfer_ns(lsi->burst_bytes));
}
