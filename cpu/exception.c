/* Raising exceptions: an instruction's helper notes what is wrong; delivery (interrupt.c) comes
 * later. */
#include "helpers.h"

HelperResult cpu_raise(Cpu *cpu, unsigned vector) {
    cpu->exception = (PendingException){.vector = (uint8_t)vector};
    return HELPER_FAULT;
}

HelperResult cpu_raise_error(Cpu *cpu, unsigned vector, uint32_t error_code) {
    cpu->exception = (PendingException){
        .vector = (uint8_t)vector, .has_error_code = true, .error_code = error_code};
    return HELPER_FAULT;
}

HelperResult cpu_raise_page_fault(Cpu *cpu, const PageFault *fault) {
    cpu->exception = (PendingException){.vector = EXCEPTION_PF,
                                        .has_error_code = true,
                                        .error_code = fault->error_code,
                                        .cr2 = fault->address};
    return HELPER_FAULT;
}

HelperResult helper_raise(Cpu *cpu, uint32_t a, uint32_t b, uint32_t t0, uint32_t t1) {
    (void)t0;
    (void)t1;
    return b == UINT32_MAX ? cpu_raise(cpu, a) : cpu_raise_error(cpu, a, b);
}
