/* 'reprise image': what can be done with image files without a machine. Verbs, options and output
 * are spelled as qemu-img's, so that scripts made for that one work. */
#ifndef REPRISE_IMAGE_COMMAND_H
#define REPRISE_IMAGE_COMMAND_H

#include "error.h"

/* argv[0..]: the words after 'image'. Returns the exit status; what went wrong is in 'error'. */
int image_command(int argc, char **argv, Error *error);

#endif
