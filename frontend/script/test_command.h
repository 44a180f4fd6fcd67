/* 'reprise test': runs test scripts. */
#ifndef REPRISE_TEST_COMMAND_H
#define REPRISE_TEST_COMMAND_H

#include "error.h"

/* argv[0..]: the words after 'test'; 'program': the word before. Returns the exit status; an error
 * that no script reported is in 'error'. */
int test_command(const char *program, int argc, char **argv, Error *error);

#endif
