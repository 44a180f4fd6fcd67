/* See report_progress.h. */
#include "report_progress.h"
#include "host_file.h"
#include "host_terminal.h"
#include "machine_time.h"

#include <stdlib.h>
#include <string.h>

enum { NARROWEST = 20, WIDEST = 400 };

void report_progress_init(ReportProgress *progress) {
    const char *kind = getenv("TERM");
    bool able = isatty(STDERR_FILENO) && (kind == NULL || strcmp(kind, "dumb") != 0);
    *progress = (ReportProgress){.terminal = able ? stderr : NULL};
}

static size_t terminal_width(void) {
    unsigned columns = host_terminal_columns();
    return columns < NARROWEST ? 80 : columns > WIDEST ? WIDEST : columns;
}

/* What began last is shown; of the others only how many there are. */
static void print_activities(const ReportActivity *activities, char *line, size_t size) {
    const ReportActivity *shown = NULL;
    unsigned others = 0;
    size_t used = 0;
    for (const ReportActivity *at = activities; at != NULL; at = at->next) {
        if (at->waiting)
            continue;
        others += shown != NULL;
        shown = shown != NULL ? shown : at;
    }
    if (shown == NULL)
        return;
    double host = (double)(host_clock_ns() - shown->host_start_ns) / 1e9;
    double guest = (double)shown->guest_ns / 1e9;
    used = (size_t)snprintf(line, size, " | %s%s%s | guest %.1f s, %.1fx", shown->name,
                            shown->step[0] != '\0' ? ": " : "", shown->step, guest,
                            guest / (host + 1e-9));
    if (others > 0 && used < size)
        snprintf(line + used, size - used, " | and %u more", others);
}

void report_progress_show(ReportProgress *progress, const ReportActivity *activities,
                          const ReportTotals *totals) {
    char line[WIDEST + 300];
    if (progress->terminal == NULL)
        return;
    int used = snprintf(line, sizeof(line), "%u passed, %u failed", totals->passed, totals->failed);
    print_activities(activities, line + used, sizeof(line) - (size_t)used);
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' ';
    }
    /* To the line's beginning, the text, and the rest erased (ECMA-48: CR, EL). */
    fprintf(progress->terminal, "\r%.*s\033[K", (int)terminal_width() - 1, line);
    fflush(progress->terminal);
    progress->shown = true;
}

void report_progress_clear(ReportProgress *progress) {
    if (!progress->shown)
        return;
    fprintf(progress->terminal, "\r\033[K");
    fflush(progress->terminal);
    progress->shown = false;
}
