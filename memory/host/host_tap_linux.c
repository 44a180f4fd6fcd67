#define _GNU_SOURCE
#include "host_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int host_process_open_tap(char *name, Error *error) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    if (strlen(name) >= IFNAMSIZ) {
        error_set(error, "the name '%.40s' is too long for an interface", name);
        return -1;
    }
    memcpy(request.ifr_name, name, strlen(name) + 1);
    int file = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (file < 0) {
        error_set(error, "cannot open /dev/net/tun: %s", strerror(errno));
        return -1;
    }
    if (ioctl(file, TUNSETIFF, &request) < 0) {
        error_set(error, "cannot make the interface '%s': %s; whoever may passes one by fd=",
                  *name != '\0' ? name : "tap%d", strerror(errno));
        close(file);
        return -1;
    }
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return file;
}
