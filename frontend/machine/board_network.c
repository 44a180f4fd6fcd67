/* Network cards, the cables at them, and what is at the cables' other ends. */
#include "board_parts.h"
#include "board_roms.h"
#include "firmware.h"
#include "machine_parts.h"
#include "network_cards.h"
#include "network_dump.h"
#include "network_socket.h"
#include "network_tap.h"
#include "network_user.h"
#include "pci.h"

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
    if (card->card == NULL)
        return error_prefix(error, "%s: ", card->id);
    if (card->rom != NULL && config->boot_rom == NULL)
        pci_device_adopt_rom(pci_bus_device(board->pci, card->slot, 0));
    return true;
}

static void wake_machine(void *opaque) {
    Machine *machine = opaque;
    input_door_wake(&machine->door);
}

static const NetworkBackEndOptions *find_back_end(const MachineConfig *config, const char *id) {
    for (unsigned i = 0; id != NULL && i < MACHINE_NETWORK_BACK_ENDS; i++)
        if (config->network_back_end[i].kind != NETWORK_BACK_END_NONE &&
            strcmp(config->network_back_end[i].id, id) == 0)
            return &config->network_back_end[i];
    return NULL;
}

static bool open_back_end(Board *board, BoardNetworkCard *card, Error *error) {
    DeviceContext context = board_context(board);
    bool is_clone = board->machine->config.roms != NULL;
    switch (card->back_end->kind) {
    case NETWORK_BACK_END_USER:
        card->user =
            network_user_create(&context, &card->back_end->user, board->network_host, card->link,
                                is_clone, card->back_end->user.is_default ? NULL : error);
        return card->user != NULL || card->back_end->user.is_default;
    /* A clone's cable leads nowhere: the one place at the other end is its base's. */
    case NETWORK_BACK_END_SOCKET:
        if (!is_clone)
            card->socket = network_socket_create(&card->back_end->socket, board->network_host,
                                                 card->link, error);
        return card->socket != NULL || is_clone;
    case NETWORK_BACK_END_TAP:
        if (!is_clone)
            card->tap =
                network_tap_create(&card->back_end->tap, board->network_host, card->link, error);
        return card->tap != NULL || is_clone;
    default:
        return true;
    }
}

static bool connect_card(Board *board, unsigned i, Error *error) {
    const MachineConfig *config = &board->machine->config;
    BoardNetworkCard *card = &board->network_card[i];
    card->back_end = find_back_end(config, config->network_card[i].back_end);
    if (card->back_end == NULL || config->network_detached)
        return true;
    if (board->network_host == NULL)
        board->network_host = network_host_create(wake_machine, board->machine, error);
    return board->network_host != NULL &&
           (open_back_end(board, card, error) || error_prefix(error, "%s: ", card->back_end->id));
}

/* A clone would write over what its base has written. */
static bool open_dumps(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    for (unsigned i = 0; i < MACHINE_NETWORK_DUMPS && config->roms == NULL; i++) {
        const NetworkDumpOptions *options = &config->network_dump[i];
        for (unsigned j = 0; options->file != NULL && j < MACHINE_NETWORK_CARDS; j++) {
            const BoardNetworkCard *card = &board->network_card[j];
            if (card->back_end == NULL || strcmp(card->back_end->id, options->back_end) != 0)
                continue;
            board->network_dump[i] = network_dump_create(options, card->link, error);
            if (board->network_dump[i] == NULL)
                return false;
        }
    }
    return true;
}

bool board_create_network(Board *board, Error *error) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        if (board->machine->config.network_card[i].model != NULL &&
            (!create_card(board, i, error) || !connect_card(board, i, error)))
            return false;
    }
    return open_dumps(board, error);
}

void board_destroy_network(Board *board) {
    for (unsigned i = 0; i < MACHINE_NETWORK_DUMPS; i++)
        network_dump_destroy(board->network_dump[i]);
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        BoardNetworkCard *card = &board->network_card[i];
        network_user_destroy(card->user);
        network_socket_destroy(card->socket);
        network_tap_destroy(card->tap);
        if (card->card != NULL)
            card->model->destroy(card->card);
        network_link_destroy(card->link);
        shared_bytes_release(card->rom);
    }
    network_host_destroy(board->network_host);
}

void board_serve_network(Board *board) {
    if (board->network_host != NULL)
        network_host_serve(board->network_host);
}

/* Beside the devices, since its size changes and no hash may depend on it. */
void board_save_network(const Board *board, ByteBuffer *buffer) {
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++) {
        ByteBuffer state = {.data = NULL};
        if (board->network_card[i].user != NULL)
            network_user_save(board->network_card[i].user, &state);
        byte_buffer_append_le(buffer, state.size, 4);
        byte_buffer_append(buffer, state.data, state.size);
        byte_buffer_free(&state);
    }
}

static bool take_state(ByteReader *reader, ByteReader *state) {
    size_t size = byte_reader_read_le(reader, 4);
    if (reader->failed || size > reader->size - reader->position)
        return false;
    *state = (ByteReader){.data = reader->data + reader->position, .size = size};
    reader->position += size;
    return true;
}

bool board_skip_network(ByteReader *reader, Error *error) {
    ByteReader state;
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        if (!take_state(reader, &state))
            return error_set(error, "the saved state is cut in that of the network");
    return true;
}

/* What cannot be used costs the guest some connections, as any network may. */
void board_load_network(Board *board, ByteReader *reader) {
    ByteReader state;
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS && take_state(reader, &state); i++)
        if (board->network_card[i].user != NULL && state.size > 0)
            network_user_load(board->network_card[i].user, &state, NULL);
}
