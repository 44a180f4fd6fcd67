/* See local_apic_group.h. */
#include "local_apic_group.h"
#include "allocate.h"
#include "local_apic_internal.h"
#include <assert.h>
#include <stdlib.h>

/* A page where registers of at least one member lie. */
typedef struct RegisterPage {
    LocalApicGroup *group;
    uint32_t base;
    unsigned users; /* 0: this entry is free */
    bool mapped;    /* false where something else answers */
} RegisterPage;

struct LocalApicGroup {
    PhysicalMap *memory;
    LocalApic *member[LOCAL_APIC_GROUP_MEMBERS];
    unsigned count, running;
    RegisterPage page[LOCAL_APIC_GROUP_MEMBERS];
    Wire notice;
};

LocalApicGroup *local_apic_group_create(PhysicalMap *memory) {
    LocalApicGroup *group = allocate_zeroed(sizeof(*group));
    group->memory = memory;
    return group;
}

void local_apic_group_destroy(LocalApicGroup *group) {
    free(group);
}

void local_apic_group_set_notice(LocalApicGroup *group, const Wire *notice) {
    group->notice = *notice;
}

void local_apic_group_add(LocalApicGroup *group, LocalApic *member) {
    assert(group->count < LOCAL_APIC_GROUP_MEMBERS);
    group->member[group->count++] = member;
}

void local_apic_group_select(LocalApicGroup *group, unsigned index) {
    assert(index < group->count);
    group->running = index;
}

/* --- registers in memory -----------------------------------------------------------------------
 */

/* Whose registers an access to that page means; NULL: the running processor has them elsewhere. */
static LocalApic *find_owner(const RegisterPage *page) {
    LocalApic *apic = page->group->member[page->group->running];
    return apic->mapped && apic->mapped_base == page->base ? apic : NULL;
}

static uint32_t mmio_read(void *opaque, uint32_t offset, unsigned size) {
    LocalApic *apic = find_owner(opaque);
    return apic != NULL ? local_apic_mmio_read(apic, offset, size) : UINT32_MAX;
}

static void mmio_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    LocalApic *apic = find_owner(opaque);
    if (apic != NULL)
        local_apic_mmio_write(apic, offset, size, value);
}

static RegisterPage *find_page(LocalApicGroup *group, uint32_t base) {
    RegisterPage *unused = NULL;
    for (unsigned i = 0; i < LOCAL_APIC_GROUP_MEMBERS; i++) {
        RegisterPage *page = &group->page[i];
        if (page->users != 0 && page->base == base)
            return page;
        if (page->users == 0)
            unused = page;
    }
    return unused; /* there are as many as members: one is free for who asks */
}

/* Where memory or another device answers already, the registers do not show. */
void local_apic_group_map(LocalApicGroup *group, uint32_t base) {
    RegisterPage *page = find_page(group, base);
    if (page->users++ > 0)
        return;
    page->group = group;
    page->base = base;
    const MmioRange range = {
        .name = "local-apic",
        .base = base,
        .size = PAGE_SIZE,
        .read = mmio_read,
        .write = mmio_write,
        .opaque = page,
    };
    Error ignored = {0};
    page->mapped = physical_map_add_mmio(group->memory, &range, &ignored);
}

void local_apic_group_unmap(LocalApicGroup *group, uint32_t base) {
    RegisterPage *page = find_page(group, base);
    if (--page->users == 0 && page->mapped)
        physical_map_remove_mmio(group->memory, base, page);
}

/* --- messages ----------------------------------------------------------------------------------
 */

static bool takes_vectors(const LocalApic *apic) {
    return local_apic_is_enabled(apic) && (apic->state.svr & SPURIOUS_VECTOR_ENABLED) != 0;
}

static bool send_to_lowest(LocalApicGroup *group, const ApicMessage *message) {
    LocalApic *lowest = NULL;
    for (unsigned i = 0; i < group->count; i++) {
        LocalApic *apic = group->member[i];
        if (takes_vectors(apic) && local_apic_is_destination(apic, message) &&
            (lowest == NULL || local_apic_priority(apic) < local_apic_priority(lowest)))
            lowest = apic;
    }
    return lowest != NULL && local_apic_accept(lowest, message);
}

bool local_apic_group_send(void *opaque, const ApicMessage *message) {
    LocalApicGroup *group = opaque;
    if (message->delivery_mode == APIC_DELIVERY_LOWEST_PRIORITY)
        return send_to_lowest(group, message);
    bool taken = false;
    for (unsigned i = 0; i < group->count; i++)
        taken |= local_apic_receive(group->member[i], message);
    return taken;
}

void local_apic_group_send_to_all(LocalApicGroup *group, const LocalApic *sender, bool with_sender,
                                  const ApicMessage *message) {
    for (unsigned i = 0; i < group->count; i++)
        if (with_sender || group->member[i] != sender)
            local_apic_accept(group->member[i], message);
}

void local_apic_group_tell(LocalApicGroup *group, const LocalApic *sender) {
    if (group->count > 1 && group->member[group->running] == sender)
        wire_pulse(&group->notice);
}
