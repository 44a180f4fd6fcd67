/* See oracle_coverage.h. */
#include "oracle_coverage.h"
#include "cpu_feature.h"
#include "cpu_model.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct ListedRow {
    const char *name;
    RowListing listing;
    const char *reason, *test;
} ListedRow;

static const ListedRow listed_rows[] = {
#define NOT_RUN(name, reason, test) {name, ROW_NOT_RUN, reason, test},
#define FAULTS_ONLY(name, reason, test) {name, ROW_FAULTS_ONLY, reason, test},
#include "oracle_listed_rows.def"
#undef NOT_RUN
#undef FAULTS_ONLY
    {NULL, ROW_UNLISTED, NULL, NULL},
};

static const ListedRow *find_listed(const OracleRow *row) {
    for (unsigned i = 0; listed_rows[i].name != NULL; i++)
        if (strcmp(listed_rows[i].name, row->name) == 0)
            return &listed_rows[i];
    return NULL;
}

RowListing oracle_row_listing(const OracleRow *row) {
    const ListedRow *listed = find_listed(row);
    return listed != NULL ? listed->listing : ROW_UNLISTED;
}

bool oracle_host_lacks(const OracleHost *host, const OracleRow *row) {
    return (host->features >> row->row->feature & 1) == 0;
}

/* Every line of the list names a row that there is, once, and a test that there is. */
static unsigned check_list(const OracleRowList *list) {
    unsigned complaints = 0;
    for (unsigned i = 0; listed_rows[i].name != NULL; i++) {
        const ListedRow *listed = &listed_rows[i];
        char path[512];
        unsigned found = 0;
        for (unsigned j = 0; j < list->count; j++)
            found += !list->rows[j].is_reserved && strcmp(list->rows[j].name, listed->name) == 0;
        snprintf(path, sizeof(path), "%s/%s", ORACLE_SOURCE_FOLDER, listed->test);
        for (unsigned j = 0; j < i; j++)
            if (strcmp(listed_rows[j].name, listed->name) == 0)
                found = 2;
        if (found != 1)
            fprintf(stderr, "list: '%s' is %s\n", listed->name,
                    found == 0 ? "no row of the opcode table" : "there twice");
        if (access(path, R_OK) != 0)
            fprintf(stderr, "list: '%s' names a test that is not there, %s\n", listed->name,
                    listed->test);
        complaints += (found != 1) + (access(path, R_OK) != 0);
    }
    return complaints;
}

static const char *find_complaint(const OracleRow *row, const RowCoverage *coverage,
                                  const OracleHost *host) {
    if (coverage->guest_cases == 0)
        return "was never run";
    if (row->is_reserved || oracle_host_lacks(host, row))
        return NULL;
    switch (oracle_row_listing(row)) {
    case ROW_UNLISTED:
        if (coverage->host_cases == 0)
            return "was not run by the host and is not listed";
        return coverage->completed == 0 ? "never came to its end in the host and is not listed"
                                        : NULL;
    case ROW_NOT_RUN:
        return coverage->host_cases != 0 ? "is listed as not run, but was" : NULL;
    case ROW_FAULTS_ONLY:
        if (coverage->host_cases == 0)
            return "is listed as ending in exceptions, but was not run by the host";
        return coverage->completed != 0 ? "is listed as ending in exceptions, but came to its end"
                                        : NULL;
    }
    return NULL;
}

bool oracle_is_covered(const OracleRow *row, const RowCoverage *coverage, const OracleHost *host) {
    return find_complaint(row, coverage, host) == NULL;
}

unsigned oracle_check_coverage(const OracleRowList *list, const RowCoverage *coverage,
                               const OracleHost *host) {
    unsigned complaints = check_list(list);
    for (unsigned i = 0; i < list->count; i++) {
        const char *complaint = find_complaint(&list->rows[i], &coverage[i], host);
        if (complaint != NULL)
            fprintf(stderr, "row '%s' %s %s\n", list->rows[i].name,
                    insn_code_name((InsnCode)list->rows[i].row->code), complaint);
        complaints += complaint != NULL;
    }
    return complaints;
}

static void print_faults(const RowCoverage *coverage) {
    static const char *const names[ORACLE_VECTORS] = {"DE", "DB", "NMI", "BP", "OF", "BR", "UD",
                                                      "NM", "DF", "",    "TS", "NP", "SS", "GP",
                                                      "PF", "",   "MF",  "AC", "MC", "XM"};
    for (unsigned i = 0; i < ORACLE_VECTORS; i++)
        if (coverage->faults[i] != 0)
            printf(" #%s %lu", names[i], coverage->faults[i]);
}

static void print_row(const OracleRow *row, const RowCoverage *coverage, const OracleHost *host) {
    const ListedRow *listed = find_listed(row);
    const char *feature = cpu_feature_name((CpuFeature)row->row->feature);
    printf("%-18s %-12s %9lu %9lu %9lu", row->name,
           row->is_reserved ? "-" : insn_code_name((InsnCode)row->row->code), coverage->guest_cases,
           coverage->host_cases, coverage->completed);
    print_faults(coverage);
    if (coverage->mismatches != 0)
        printf(" MISMATCHES %lu", coverage->mismatches);
    if (coverage->differing_flags != 0)
        printf(" undefined flags %03X", coverage->differing_flags);
    if (!row->is_reserved && oracle_host_lacks(host, row))
        printf(" (the host lacks %s)", feature != NULL ? feature : "it");
    else if (listed != NULL)
        printf(" (%s: %s; see %s)", listed->listing == ROW_NOT_RUN ? "not run" : "faults",
               listed->reason, listed->test);
    printf("\n");
}

void oracle_print_coverage(const OracleRowList *list, const RowCoverage *coverage,
                           const OracleHost *host) {
    printf("%-18s %-12s %9s %9s %9s\n", "row", "instruction", "guests", "host", "completed");
    for (unsigned i = 0; i < list->count; i++)
        print_row(&list->rows[i], &coverage[i], host);
}
