/* The one line on a terminal that says what runs: see report.h. */
#ifndef REPRISE_REPORT_PROGRESS_H
#define REPRISE_REPORT_PROGRESS_H

#include "report.h"

typedef struct ReportProgress {
    FILE *terminal; /* NULL: there is none, and nothing is ever shown */
    bool shown;
} ReportProgress;

/* Found out from standard error. */
void report_progress_init(ReportProgress *progress);
/* Both under the report's lock. */
void report_progress_show(ReportProgress *progress, const ReportActivity *activities,
                          const ReportTotals *totals);
void report_progress_clear(ReportProgress *progress);

#endif
