/* Network cards, the cables at them, and what is at the cables' other ends. */
#include "board_parts.h"
#include "board_roms.h"
#include "firmware.h"
#include "machine_parts.h"
#include "network_cards.h"

#include <stdio.h>
#include <string.h>

/* What firmware packages have for the card: for PCs with a BIOS, else for those with EFI, too. */
static bool find_rom_name(const NetworkCardModel *model, const char *folder, char *name,
                          size_t size) {
    static const char *const kinds[] = {"pxe", "efi"};
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && model->rom != NULL; i++) {
        snprintf(name, size, "%s-%s.rom", kinds[i], model->rom);
        if (firmware_exists(name, folder))
            return true;
    }
    return false;
}

/* A card works without a ROM; one that the user asks for must be there. */
static bool load_rom(Board *board, unsigned i, Error *error) {
    const MachineConfig *config = &board->machine->config;
    const char *file = config->network_card[i].boot_rom;
    BoardNetworkCard *card = &board->network_card[i];
    ByteBuffer image = {.data = NULL};
    char name[64];
    if (config->roms != NULL) {
        card->rom = shared_bytes_hold(config->roms->network[i]);
        return true;
    }
    if (file == NULL && find_rom_name(card->model, config->firmware_folder, name, sizeof(name)))
        file = name;
    if (file == NULL || *file == '\0')
        return true;
    if (!firmware_load_file(file, config->firmware_folder, &image, error))
        return false;
    card->rom = shared_bytes_create(image.data, image.size);
    byte_buffer_free(&image);
    return true;
}

static bool create_card(Board *board, unsigned i, Error *error) {
    const NetworkCardConfig *config = &board->machine->config.network_card[i];
    BoardNetworkCard *card = &board->network_card[i];
    DeviceContext context = board_context(board);
    char link_id[sizeof(card->id) + 8];
    card->model = network_card_find(config->model);
    if (card->model == NULL)
        return error_set(error, "there is no network card '%s'", config->model);
    if (config->id != NULL)
        snprintf(card->id, sizeof(card->id), "%s", config->id);
    else
        snprintf(card->id, sizeof(card->id), "%s.%u", card->model->name, i);
    snprintf(link_id, sizeof(link_id), "%s-link", card->id);
    if (!load_rom(board, i, error))
        return false;
    card->link = network_link_create(&context, link_id);
    NetworkCardOptions options = {
        .id = card->id, .link = card->link, .slot = card->slot, .io_base = config->io_base};
    memcpy(options.address, config->address, sizeof(options.address));
    if (card->rom != NULL) {
        options.rom = card->rom->data;
        options.rom_size = (uint32_t)card->rom->size;
    }
    if (card->model->is_isa)
        options.irq = irq_lines_input(board->irq_lines, IRQ_SOURCE_NETWORK, config->irq);
    card->card = card->model->create(&context, board->pci, &options, error);
    return card->card != NULL || error_prefix(error, "%s: ", card->id);
}

bool board_create_network(Board *board, Error *error) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        if (board->machine->config.network_card[i].model != NULL && !create_card(board, i, error))
            return false;
    }
    return true;
}

void board_destroy_network(Board *board) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        BoardNetworkCard *card = &board->network_card[i];
        if (card->card != NULL)
            card->model->destroy(card->card);
        network_link_destroy(card->link);
        shared_bytes_release(card->rom);
    }
}
