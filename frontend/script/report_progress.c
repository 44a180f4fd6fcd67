/* See report_progress.h. */
#include "report_progress.h"
#include "machine_time.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NARROWEST = 20, WIDEST = 400 };

void report_progress_init(ReportProgress *progress) {
    const char *kind = getenv("TERM");
    bool able = isatty(STDERR_FILENO) && (kind == NULL || strcmp(kind, "dumb") != 0);
    *progress = (ReportProgress){.terminal = able ? stderr : NULL};
}

static size_t terminal_width(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < NARROWEST)
        return 80;
    return size.ws_col > WIDEST ? WIDEST : size.ws_col;
}

/* What began last is shown; of the others only how many there are. */
void report_progress_show(ReportProgress *progress, const ReportActivity *activities,
                          const ReportTotals *totals) {
    char line[WIDEST + 300];
    if (progress->terminal == NULL)
        return;
    int used = snprintf(line, sizeof(line), "%u passed, %u failed", totals->passed, totals->failed);
    if (activities != NULL) {
        int64_t host_ns = host_clock_ns() - activities->host_start_ns;
        double guest = (double)activities->guest_ns / 1e9;
        unsigned others = 0;
        for (const ReportActivity *other = activities->next; other != NULL; other = other->next)
            others++;
        used +=
            snprintf(line + used, sizeof(line) - (size_t)used, " | %s%s%s | guest %.1f s, %.1fx",
                     activities->name, activities->step[0] != '\0' ? ": " : "", activities->step,
                     guest, guest * 1e9 / (double)(host_ns + 1));
        if (others > 0)
            snprintf(line + used, sizeof(line) - (size_t)used, " | and %u more", others);
    }
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
