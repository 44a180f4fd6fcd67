/* Blocks that the portable backend keeps, prepared for running them often: a function for each
 * micro-op, made for its operation, size and kinds of operands, which goes on to the next by itself
 * (threaded code in plain C). Anything else - faults, helpers, devices, pages that the TLB does not
 * have - goes through the same functions as in a block that is run once. */
#ifndef REPRISE_PORTABLE_QUICK_H
#define REPRISE_PORTABLE_QUICK_H

#include "portable_internal.h"

typedef struct QuickOp QuickOp;
typedef PortableExit QuickFunction(Portable *portable, const Uop *uop, const QuickOp *op);
struct QuickOp {
    QuickFunction *run;
};

/* Fills in 'ops', as many as the block has micro-ops, whose needed flags are known. */
void portable_prepare(const UopBlock *block, QuickOp *ops);

#endif
