#include "network_cards.h"
#include "e1000.h"
#include "ne2000.h"
#include "pcnet.h"
#include "rtl8139.h"
#include "virtio_net.h"

#include <string.h>

static const NetworkCardModel *const models[] = {
    &e1000_model,
    &ne2000_isa_model,
    &ne2000_pci_model,
    &rtl8139_model,
    &pcnet_model,
    &virtio_net_model,
    NULL,
};

const NetworkCardModel *network_card_model(unsigned index) {
    return models[index];
}

const NetworkCardModel *network_card_find(const char *name) {
    for (unsigned i = 0; models[i] != NULL; i++)
        if (strcmp(models[i]->name, name) == 0 ||
            (models[i]->alias != NULL && strcmp(models[i]->alias, name) == 0))
            return models[i];
    return NULL;
}
