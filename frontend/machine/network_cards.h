/* The network cards that there are: a new one is a row in network_cards.c. */
#ifndef REPRISE_NETWORK_CARDS_H
#define REPRISE_NETWORK_CARDS_H

#include "network_card.h"

/* From number 0 on, one after the other; NULL behind the last. */
const NetworkCardModel *network_card_model(unsigned index);
/* By name or alias; NULL if there is none. */
const NetworkCardModel *network_card_find(const char *name);

#endif
