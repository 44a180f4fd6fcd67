/* The cables of network cards. */
#include "network_link.h"
#include "qmp_command.h"

#include <string.h>

/* By the card's name or by that of what is at the other end. */
bool qmp_set_link(QmpCall *call) {
    const char *name = qmp_get_string(call, "name");
    Board *board = &call->machine->board;
    for (int i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        const char *back_end = call->machine->config.network_card[i].back_end;
        if (board->network_card[i].card == NULL ||
            (strcmp(board->network_card[i].id, name) != 0 &&
             (back_end == NULL || strcmp(back_end, name) != 0)))
            continue;
        network_link_set_up(board->network_card[i].link, qmp_get_bool(call, "up", true));
        return true;
    }
    return qmp_fail(call, QMP_DEVICE_NOT_FOUND, "Device '%.100s' not found", name);
}
