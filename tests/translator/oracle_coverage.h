/* Which rows were run, and which need not be. */
#ifndef REPRISE_ORACLE_COVERAGE_H
#define REPRISE_ORACLE_COVERAGE_H

#include "oracle_host.h"
#include "oracle_rows.h"

enum { ORACLE_VECTORS = 32 };

/* What oracle_listed_rows.def says of a row. */
typedef enum RowListing {
    ROW_UNLISTED,    /* the host runs it to its end */
    ROW_NOT_RUN,     /* the host never runs it */
    ROW_FAULTS_ONLY, /* the host runs it, but here it always ends in an exception */
} RowListing;

typedef struct RowCoverage {
    unsigned long guest_cases; /* run with every backend */
    unsigned long host_cases;  /* compared with the host too */
    unsigned long completed;   /* of these without a fault of their own */
    unsigned long faults[ORACLE_VECTORS];
    unsigned long mismatches;
    uint32_t differing_flags; /* undefined ones that the host left otherwise than we define */
} RowCoverage;

RowListing oracle_row_listing(const OracleRow *row);

/* Has enough of this row been seen, and nothing that contradicts the list? */
bool oracle_is_covered(const OracleRow *row, const RowCoverage *coverage, const OracleHost *host);

/* Prints what is wrong with the list or missing from the coverage; gives the number of such
 * complaints. */
unsigned oracle_check_coverage(const OracleRowList *list, const RowCoverage *coverage,
                               const OracleHost *host);

/* A line a row, and sums. */
void oracle_print_coverage(const OracleRowList *list, const RowCoverage *coverage,
                           const OracleHost *host);

/* The feature names the row that the host lacks; false: it has it. */
bool oracle_host_lacks(const OracleHost *host, const OracleRow *row);

#endif
