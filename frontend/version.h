/* Who we are: the version of QEMU whose interfaces scripts find here, and our own. */
#ifndef REPRISE_VERSION_H
#define REPRISE_VERSION_H

#ifndef REPRISE_VERSION
#define REPRISE_VERSION "0.1.0"
#endif
#define REPRISE_QEMU_VERSION "7.2.0"

#endif
