/* What other options ask of those of the network. */
#ifndef REPRISE_OPTIONS_NETWORK_H
#define REPRISE_OPTIONS_NETWORK_H

#include "key_values.h"
#include "nearest_name.h"
#include "network_card.h"
#include "settings.h"

/* '-device NAME' where that is a network card; '*is_card' false: it is none, and nothing is done.
 */
bool option_network_card(Settings *settings, const char *name, KeyValues *values, bool *is_card,
                         Error *error);
void option_network_card_names(NearestName *nearest);
/* What every card may be given. */
#define NETWORK_CARD_KEYS "netdev mac id addr bus bootindex romfile rombar iobase irq"
/* -object filter-dump. */
bool option_network_dump(Settings *settings, KeyValues *values, Error *error);
/* For '-device help'. */
void option_network_card_list(void);
/* That of '-nic' without model=, and of a command line without any network; NULL: none. */
const NetworkCardModel *option_network_default_card(void);

/* After all options: the default card, and whether all that is named is there. */
bool settings_finish_network(Settings *settings, Error *error);

#endif
