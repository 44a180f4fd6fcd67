/* The command line: one registry of options drives parsing, -help and the answer to a mistyped
 * option. */
#ifndef REPRISE_COMMAND_LINE_H
#define REPRISE_COMMAND_LINE_H

#include "error.h"
#include "settings.h"
#include <stdbool.h>
#include <stdio.h>

typedef struct OptionInfo {
    const char
        *name; /* without the dash; NULL heads a section in -help, with its title in 'help' */
    const char *argument; /* what -help calls it; NULL: the option takes none */
    const char *help;     /* NULL: understood, but not shown */
    bool (*handle)(Settings *settings, const char *argument, Error *error);
} OptionInfo;

/* The registry, ended by a row without name and help. */
extern const OptionInfo option_table[];

/* Reads all of argv[1..] into 'settings' and fills in what follows from it. An error names the
 * option. */
bool command_line_parse(Settings *settings, int argc, char **argv, Error *error);

/* One option, by its name without the dash; 'argument' may be NULL. For what comes from elsewhere
 * than a command line; settings_finish() is still to be called. */
bool command_line_apply(Settings *settings, const char *name, const char *argument, Error *error);

/* Words that follow when all else was read and finished: display, monitor, debugger. */
bool command_line_parse_more(Settings *settings, int argc, char **argv, Error *error);

/* How many words the option 'word' takes with its argument: 1 or 2; 0 and an error if there is no
 * such option. For commands that sort machine options from words of their own. */
int command_line_count_words(const char *word, Error *error);

void command_line_print_help(FILE *output);

#endif
