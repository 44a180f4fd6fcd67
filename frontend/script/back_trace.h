/* Where the guest's processor is, for somebody who looks for the reason: the code around EIP, and
 * the calls that led there as the chain of saved frame pointers tells them. */
#ifndef REPRISE_BACK_TRACE_H
#define REPRISE_BACK_TRACE_H

#include "byte_buffer.h"
#include "guest_symbols.h"
#include "machine.h"

/* 'symbols' may be NULL. Nothing in the guest changes; what its stack holds is not trusted. */
void back_trace_print(Machine *machine, const GuestSymbols *symbols, ByteBuffer *output);

#endif
