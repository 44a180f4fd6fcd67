/* Delivery of interrupts and exceptions through the interrupt vector table or the IDT: SDM vol. 3A
 * chapter 6, 20 for real and v8086 mode.
 *
 * deliver_once() makes one attempt: it either does all of it, or changes nothing and leaves in
 * cpu->exception what went wrong (a task switch that fails past its commit point excepted).
 * deliver() repeats that by the rules for double and triple faults. */
#include "cpu_debug.h"
#include "cpu_feature.h"
#include "quick_transfer.h"
#include "smm.h"
#include "transfer.h"

/* One event on its way. */
typedef struct Event {
    uint8_t vector;
    bool software; /* INT n, INT3, INTO: the gate's DPL is checked, error codes have EXT clear */
    bool int_n;    /* INT n alone, which VME may redirect and v8086 mode checks against IOPL */
    bool has_error_code;
    uint32_t external; /* EXT of error codes that arise meanwhile */
    uint32_t error_code;
    uint32_t return_eip;
    uint32_t eflags; /* the image to push */
} Event;

static bool general_protection(Cpu *cpu, uint32_t error_code) {
    cpu_raise_error(cpu, EXCEPTION_GP, error_code);
    return false;
}

/* Reads the vector out of the table of 16-bit far pointers at 'base' and goes there with three
 * pushes, as real mode does and VME for redirected interrupts. */
static bool deliver_by_vector_table(Cpu *cpu, const Event *event, uint32_t base, uint32_t image) {
    bool user = cpu->state.cpl == 3;
    uint64_t pointer;
    if (!linear_read(cpu, base + event->vector * 4u, 4, user, &pointer))
        return false;
    uint32_t eip = pointer & 0xFFFF;
    StackPlan plan;
    const Segment *ss = &cpu->state.segment[SEG_SS];
    stack_plan_begin(&plan, ss, (uint32_t)cpu->state.gpr[REG_ESP], user, 2);
    stack_plan_push(&plan, image & 0xFFFF);
    stack_plan_push(&plan, cpu->state.segment[SEG_CS].selector);
    stack_plan_push(&plan, event->return_eip & 0xFFFF);
    if (!transfer_check_real(cpu, eip) || !stack_plan_check(cpu, &plan, 0))
        return false;
    stack_plan_commit(cpu, &plan);
    transfer_commit_real(cpu, (uint16_t)(pointer >> 16), eip);
    return true;
}

static bool deliver_real(Cpu *cpu, const Event *event) {
    if (event->vector * 4u + 3 > cpu->state.idtr.limit)
        return general_protection(cpu, event->vector * 8u + ERROR_CODE_IDT + event->external);
    if (!deliver_by_vector_table(cpu, event, cpu->state.idtr.base, event->eflags))
        return false;
    cpu->state.eflags &= ~(uint32_t)(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
    return true;
}

/* VME: does the TSS's bit map send this INT n to the program's own handler? False with a fault; SDM
 * vol. 3A 20.3.3. */
static bool find_redirection(Cpu *cpu, uint8_t vector, bool *redirected) {
    const Segment *tr = &cpu->state.segment[SEG_TR];
    uint64_t map_base, bits;
    *redirected = false;
    if (!(tr->access & SYSTEM_32) || tr->limit < 0x67)
        return general_protection(cpu, 0);
    if (!linear_read(cpu, tr->base + 0x66, 2, false, &map_base))
        return false;
    /* The 32 bytes of the map end where the I/O permission bit map begins. */
    uint32_t offset = (uint32_t)map_base - 32 + vector / 8;
    if (offset > tr->limit)
        return general_protection(cpu, 0);
    if (!linear_read(cpu, tr->base + offset, 1, false, &bits))
        return false;
    *redirected = !(bits >> (vector & 7) & 1);
    return true;
}

static bool deliver_redirected(Cpu *cpu, const Event *event) {
    uint32_t image = event->eflags;
    if (cpu_iopl(cpu) < 3) { /* the program sees VIF as its IF, and IOPL 3 */
        image = (image & ~(uint32_t)FLAG_IF) | FLAG_IOPL;
        image |= cpu->state.eflags & FLAG_VIF ? FLAG_IF : 0;
    }
    uint32_t interrupt_flag = cpu_iopl(cpu) < 3 ? FLAG_VIF : FLAG_IF;
    if (!deliver_by_vector_table(cpu, event, 0, image))
        return false;
    cpu->state.eflags &= ~(interrupt_flag | FLAG_TF | FLAG_RF);
    return true;
}

/* INT n in v8086 mode: to the program itself, or #GP, or on to the IDT ('*done' stays false). */
static bool check_v8086_software_interrupt(Cpu *cpu, const Event *event, bool *done) {
    *done = false;
    if (cpu->state.cr4 & CR4_VME) {
        bool redirected;
        if (!find_redirection(cpu, event->vector, &redirected))
            return false;
        if (redirected) {
            *done = true;
            return deliver_redirected(cpu, event);
        }
    }
    return cpu_iopl(cpu) == 3 || general_protection(cpu, 0);
}

/* Reads the gate and checks all that does not depend on where it leads. */
static bool read_gate(Cpu *cpu, const Event *event, Descriptor *gate) {
    uint32_t offset = event->vector * 8u;
    uint32_t error_code = offset + ERROR_CODE_IDT + event->external;
    if (offset + 7 > cpu->state.idtr.limit)
        return general_protection(cpu, error_code);
    gate->linear = cpu->state.idtr.base + offset;
    uint64_t value;
    if (!linear_read(cpu, gate->linear, 8, false, &value))
        return false;
    gate->low = (uint32_t)value;
    gate->high = (uint32_t)(value >> 32);
    unsigned type = descriptor_type(gate);
    bool is_gate = type == SYSTEM_TASK_GATE || (type & 6) == SYSTEM_INTERRUPT_GATE16;
    if (descriptor_is_segment(gate) || !is_gate ||
        (event->software && descriptor_dpl(gate) < cpu->state.cpl))
        return general_protection(cpu, error_code);
    if (!descriptor_is_present(gate)) {
        cpu_raise_error(cpu, EXCEPTION_NP, error_code);
        return false;
    }
    return true;
}

/* The handler's code segment; its privilege is the new CPL. */
static bool check_handler(Cpu *cpu, const Event *event, const Descriptor *gate,
                          CodeTarget *target) {
    uint16_t selector = gate_selector(gate);
    if (selector_is_null(selector))
        return general_protection(cpu, event->external);
    if (!descriptor_read(cpu, selector, EXCEPTION_GP, event->external, &target->descriptor))
        return false;
    unsigned cpl = cpu->state.cpl;
    unsigned dpl = descriptor_dpl(&target->descriptor);
    unsigned privilege = descriptor_is_conforming(&target->descriptor) ? cpl : dpl;
    /* From v8086 mode only level 0 may be reached. */
    if (!descriptor_is_code(&target->descriptor) || dpl > cpl ||
        (cpu_is_v8086(cpu) && privilege != 0))
        return selector_fault(cpu, EXCEPTION_GP, selector, event->external);
    target->selector = (uint16_t)((selector & ~SELECTOR_RPL) | privilege);
    target->eip = gate_offset(gate);
    return transfer_check_target(cpu, target, event->external);
}

static bool plan_frame(Cpu *cpu, const Event *event, unsigned privilege, unsigned size,
                       StackPlan *plan, Descriptor *descriptor) {
    CpuState *state = &cpu->state;
    bool inner = privilege < state->cpl;
    Segment stack = state->segment[SEG_SS];
    uint32_t esp = (uint32_t)state->gpr[REG_ESP];
    if (inner &&
        !transfer_read_inner_stack(cpu, privilege, event->external, &stack, &esp, descriptor))
        return false;
    stack_plan_begin(plan, &stack, esp, privilege == 3, size);
    if (cpu_is_v8086(cpu)) {
        stack_plan_push(plan, state->segment[SEG_GS].selector);
        stack_plan_push(plan, state->segment[SEG_FS].selector);
        stack_plan_push(plan, state->segment[SEG_DS].selector);
        stack_plan_push(plan, state->segment[SEG_ES].selector);
    }
    if (inner) {
        stack_plan_push(plan, state->segment[SEG_SS].selector);
        stack_plan_push(plan, (uint32_t)state->gpr[REG_ESP]);
    }
    stack_plan_push(plan, event->eflags);
    stack_plan_push(plan, state->segment[SEG_CS].selector);
    stack_plan_push(plan, event->return_eip);
    if (event->has_error_code)
        stack_plan_push(plan, event->error_code);
    uint32_t blamed = inner ? stack.selector & ~(uint32_t)SELECTOR_RPL : 0;
    return stack_plan_check(cpu, plan, blamed | event->external);
}

static bool deliver_through_gate(Cpu *cpu, const Event *event, const Descriptor *gate) {
    CodeTarget target;
    StackPlan plan;
    Descriptor stack;
    if (!check_handler(cpu, event, gate, &target))
        return false;
    unsigned privilege = target.selector & SELECTOR_RPL;
    unsigned size = gate_is_32bit(gate) ? 4 : 2;
    if (!plan_frame(cpu, event, privilege, size, &plan, &stack) ||
        !transfer_touch(cpu, &target, privilege < cpu->state.cpl ? &stack : NULL))
        return false;
    stack_plan_commit(cpu, &plan);
    if (cpu_is_v8086(cpu)) {
        segment_load_null(&cpu->state.segment[SEG_GS], 0);
        segment_load_null(&cpu->state.segment[SEG_FS], 0);
        segment_load_null(&cpu->state.segment[SEG_DS], 0);
        segment_load_null(&cpu->state.segment[SEG_ES], 0);
    }
    uint32_t cleared = FLAG_TF | FLAG_NT | FLAG_VM | FLAG_RF;
    if (!(descriptor_type(gate) & SYSTEM_TRAP))
        cleared |= FLAG_IF;
    cpu->state.eflags &= ~cleared;
    transfer_commit(cpu, &target);
    return true;
}

static bool deliver_protected(Cpu *cpu, const Event *event) {
    if (cpu_is_v8086(cpu) && event->int_n) {
        bool done;
        if (!check_v8086_software_interrupt(cpu, event, &done))
            return false;
        if (done)
            return true;
    }
    Descriptor gate;
    if (!read_gate(cpu, event, &gate))
        return false;
    if (descriptor_type(&gate) != SYSTEM_TASK_GATE)
        return deliver_through_gate(cpu, event, &gate);
    TaskSwitch request = {.kind = TASK_INTERRUPT,
                          .return_eip = event->return_eip,
                          .external = event->external,
                          .has_error_code = event->has_error_code,
                          .error_code = event->error_code,
                          .resume = (event->eflags & FLAG_RF) != 0};
    return task_switch_through_gate(cpu, &gate, &request);
}

static bool deliver_quickly(Cpu *cpu, const Event *event) {
    const QuickInterrupt interrupt = {.vector = event->vector,
                                      .software = event->software,
                                      .has_error_code = event->has_error_code,
                                      .error_code = event->error_code,
                                      .return_eip = event->return_eip,
                                      .eflags = event->eflags};
    return cpu_is_protected(cpu) ? interrupt_deliver_quickly(cpu, &interrupt)
                                 : interrupt_deliver_real_quickly(cpu, &interrupt);
}

static bool deliver_once(Cpu *cpu, const Event *event) {
    const CpuState *state = &cpu->state;
    TRACE(cpu->trace, TRACE_INT,
          "int: v=%02x e=%04x sw=%d cpl=%u cs:eip=%04x:%08x ss:esp=%04x:%08x cr2=%08x eax=%08x\n",
          event->vector, event->error_code, event->software, state->cpl,
          state->segment[SEG_CS].selector, event->return_eip, state->segment[SEG_SS].selector,
          (uint32_t)state->gpr[REG_ESP], state->cr2, (uint32_t)state->gpr[REG_EAX]);
    if (deliver_quickly(cpu, event))
        return true;
    return cpu_is_protected(cpu) ? deliver_protected(cpu, event) : deliver_real(cpu, event);
}

/* Classes of table 6-4; page faults form one of their own. */
static bool is_contributory(unsigned vector) {
    return vector == EXCEPTION_DE || (vector >= EXCEPTION_TS && vector <= EXCEPTION_GP);
}

/* Table 6-5: does 'second', met while 'first' was being delivered, make a double fault? */
static bool makes_double_fault(unsigned first, unsigned second) {
    if (is_contributory(first))
        return is_contributory(second);
    return first == EXCEPTION_PF && (is_contributory(second) || second == EXCEPTION_PF);
}

/* Faults restart their instruction, with RF set so that an instruction breakpoint on it does not
 * come twice: SDM vol. 3B 17.3.1.1. The #DB that is a fault and comes here is general detect, since
 * breakpoints are delivered as traps are; #BP and #OF are no faults. #DF follows two faults, of
 * which the first has set RF. */
static bool is_fault(unsigned vector) {
    return vector != EXCEPTION_NMI && vector != EXCEPTION_BP && vector != EXCEPTION_OF &&
           vector != EXCEPTION_MC;
}

/* What comes with the exception besides the stack frame. */
static void note_exception(Cpu *cpu, const PendingException *exception) {
    if (exception->vector == EXCEPTION_PF)
        cpu->state.cr2 = exception->cr2;
}

static Event event_of_exception(Cpu *cpu, const PendingException *exception) {
    bool fault = is_fault(exception->vector);
    note_exception(cpu, exception);
    return (Event){.vector = exception->vector,
                   .has_error_code = exception->has_error_code,
                   .external = 1,
                   .error_code = exception->error_code,
                   .return_eip = cpu->state.eip,
                   .eflags = cpu_get_eflags(cpu) | (fault ? FLAG_RF : 0)};
}

static void enter_shutdown(Cpu *cpu) {
    TRACE(cpu->trace, TRACE_INT, "triple fault at cs:eip=%04x:%08x\n",
          cpu->state.segment[SEG_CS].selector, cpu->state.eip);
    cpu->state.shutdown = 1;
    cpu->break_after = 1;
}

/* More exceptions than ever meet on the way to a handler: two benign ones and those that follow. */
enum { MAX_ATTEMPTS = 8 };

/* 'first' counts for the double fault rules as an exception only if 'is_exception'.
 *
 * Benign exceptions may follow each other for ever, as #AC does whose handler runs at level 3 on an
 * unaligned stack. A processor then takes no interrupt any more and only RESET helps: here that is
 * a shutdown, too. */
static void deliver(Cpu *cpu, Event event, bool is_exception) {
    cpu->state.interrupt_shadow = 0;
    for (unsigned attempt = 0; !deliver_once(cpu, &event); attempt++) {
        PendingException second = cpu->exception;
        if ((is_exception && event.vector == EXCEPTION_DF) || attempt == MAX_ATTEMPTS) {
            enter_shutdown(cpu);
            break;
        }
        if (is_exception && makes_double_fault(event.vector, second.vector)) {
            note_exception(cpu, &second);
            second = (PendingException){.vector = EXCEPTION_DF, .has_error_code = true};
        }
        event = event_of_exception(cpu, &second);
        is_exception = true;
    }
    if (is_exception && event.vector == EXCEPTION_DB)
        cpu->state.dr[7] &= ~(uint32_t)DR7_GD;
    cpu->exception.vector = EXCEPTION_NONE;
}

/* An exception takes the time of an instruction. Else a guest whose handler faults at its first
 * instruction would stand still in time: no timer would ever be due and the run loop never be
 * left. */
void cpu_deliver_exception(Cpu *cpu) {
    PendingException exception = cpu->exception;
    cpu->state.instruction_count++;
    cpu->state.pending_debug = 0; /* a trap of what did not complete */
    deliver(cpu, event_of_exception(cpu, &exception), true);
}

void cpu_deliver_debug_trap(Cpu *cpu, uint32_t dr6_bits) {
    cpu->state.dr[6] |= dr6_bits;
    cpu->state.pending_debug = 0;
    cpu->state.halted = 0; /* a trap after HLT ends it */
    Event event = {.vector = EXCEPTION_DB,
                   .external = 1,
                   .return_eip = cpu->state.eip,
                   .eflags = cpu_get_eflags(cpu)};
    deliver(cpu, event, true);
}

void cpu_deliver_interrupt(Cpu *cpu) {
    CpuState *state = &cpu->state;
    if (smm_is_due(cpu)) {
        smm_enter(cpu);
        return;
    }
    Event event = {.external = 1, .return_eip = state->eip, .eflags = cpu_get_eflags(cpu)};
    if (state->nmi_pending && !state->nmi_blocked) {
        event.vector = EXCEPTION_NMI;
        state->nmi_pending = 0;
        state->nmi_blocked = 1;
        state->shutdown = 0;
    } else {
        int vector = cpu->acknowledge_interrupt != NULL
                         ? cpu->acknowledge_interrupt(cpu->acknowledge_opaque)
                         : -1;
        if (vector < 0)
            return;
        event.vector = (uint8_t)vector;
    }
    state->halted = 0;
    deliver(cpu, event, false);
}

HelperResult helper_software_interrupt(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t0;
    (void)t1;
    enum { INT_N, INT3, INTO, ICEBP };
    if (b == INT_N && cpu->software_interrupt != NULL && cpu_is_real_addressing(cpu))
        cpu->software_interrupt(cpu->software_interrupt_opaque, (uint8_t)a);
    Event event = {.vector = (uint8_t)a,
                   .software = b != ICEBP,
                   .int_n = b == INT_N,
                   .external = b == ICEBP,
                   .return_eip = cpu->next_eip,
                   .eflags = cpu_get_eflags(cpu) & ~(uint32_t)FLAG_RF};
    if (!deliver_once(cpu, &event))
        return HELPER_FAULT;
    if (b == ICEBP) /* a debug exception, as far as general detect goes */
        cpu->state.dr[7] &= ~(uint32_t)DR7_GD;
    return HELPER_JUMP;
}
