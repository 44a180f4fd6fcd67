/* See timeless_device.h. */
#include "timeless_device.h"
#include "page_walk.h"

TimelessDevice timeless_device_find(const Tlb *tlb, uint32_t linear, unsigned size, AccessKind kind,
                                    bool user) {
    const TimelessDevice none = {0};
    const TlbWalked *walked = &tlb->walked[linear >> PAGE_BITS];
    bool clean = kind == ACCESS_WRITE && (walked->rights & TLB_RIGHT_DIRTY) == 0;
    if (size > 4 || (linear & (size - 1)) != 0 || walked->rights == 0 || clean ||
        !page_rights_allow(tlb, walked->rights, kind, user) ||
        tlb_is_watched(tlb, linear >> PAGE_BITS))
        return none;
    const PhysicalPage page = physical_map_page(tlb->map, walked->physical_page);
    if (page.read != NULL || page.write != NULL)
        return none;
    uint32_t physical = walked->physical_page << PAGE_BITS | (linear & PAGE_OFFSET_MASK);
    const MmioRange *range = physical_map_find_mmio(tlb->map, physical);
    if (range == NULL || !range->timeless || range->read == NULL || range->write == NULL ||
        range->base % PAGE_SIZE != 0 || range->size % PAGE_SIZE != 0)
        return none;
    return (TimelessDevice){range, physical - range->base};
}
