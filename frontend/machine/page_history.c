#include "page_history.h"
#include "allocate.h"
#include "host_pages.h"
#include "page_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct SavedPage {
    uint32_t number; /* counted through all regions */
    uint8_t *content;
} SavedPage;

struct PageVersion {
    PageVersion *toward_root; /* NULL: memory itself, for one version at most: the base */
    size_t children;          /* versions whose 'toward_root' this is */
    bool is_forgotten;        /* stays for those that are told by their difference from it */
    /* The first 'changed' pages differ from what the neighbour towards the root holds there. The
     * others, which only the base has, were changed once and hold the same again: they will be
     * changed again, and are saved already. */
    SavedPage *pages;
    size_t count, capacity, changed;
    PageVersion *next, **link; /* in the list of all versions */
};

struct PageHistory {
    PhysicalMap *map;
    PagePool pool;
    PageVersion *all;
    PageVersion *base;  /* the version that memory descends from; NULL if there are none */
    uint32_t *saved_at; /* for each page: where the base has it in 'pages', plus 1; 0 if not */
    uint32_t page_count;
};

static size_t table_bytes(const PageHistory *history) {
    return history->page_count * sizeof *history->saved_at;
}

PageHistory *page_history_create(PhysicalMap *map, Error *error) {
    PageHistory *history = allocate_zeroed(sizeof *history);
    history->map = map;
    history->page_count = physical_map_region_pages(map);
    history->saved_at = host_pages_map(table_bytes(history));
    if (history->saved_at != NULL)
        return history;
    free(history);
    error_set(error, "no memory for the history of guest memory");
    return NULL;
}

static void free_version(PageVersion *version) {
    *version->link = version->next;
    if (version->next != NULL)
        version->next->link = version->link;
    free(version->pages);
    free(version);
}

void page_history_destroy(PageHistory *history) {
    if (history == NULL)
        return;
    physical_map_watch_pages(history->map, NULL, NULL);
    while (history->all != NULL)
        free_version(history->all);
    page_pool_free(&history->pool);
    host_pages_unmap(history->saved_at, table_bytes(history));
    free(history);
}

static const GuestRegion *find_region(const PageHistory *history, uint32_t number) {
    unsigned count;
    const GuestRegion *region = physical_map_regions(history->map, &count);
    while (number - region->first_page >= region->pages)
        region++;
    return region;
}

/* ---- Pages of a version ---- */

static void append_page(PageVersion *version, SavedPage page) {
    version->pages = allocate_grow(version->pages, &version->capacity, version->count + 1,
                                   sizeof *version->pages);
    version->pages[version->count++] = page;
}

/* Writes down where the base has its pages; 'known' false: that it has them nowhere. */
static void index_pages(PageHistory *history, bool known) {
    const PageVersion *base = history->base;
    for (size_t i = 0; base != NULL && i < base->count; i++)
        history->saved_at[base->pages[i].number] = known ? (uint32_t)i + 1 : 0;
}

static void give_pages(PageHistory *history, PageVersion *version, size_t first) {
    for (size_t i = first; i < version->count; i++)
        page_pool_give(&history->pool, version->pages[i].content);
    version->count = first;
}

/* Before a page's first change since the base, or since memory went back to it. */
static void page_changes(void *opaque, const GuestRegion *region, uint32_t page) {
    PageHistory *history = opaque;
    PageVersion *base = history->base;
    uint32_t number = region->first_page + page;
    size_t at = history->saved_at[number];
    if (at == 0) {
        SavedPage saved = {number, page_pool_take(&history->pool)};
        memcpy(saved.content, region->host + (size_t)page * PAGE_SIZE, PAGE_SIZE);
        append_page(base, saved);
        at = base->count;
    }
    at--;
    if (at < base->changed)
        return;
    SavedPage first_other = base->pages[base->changed], this_one = base->pages[at];
    base->pages[at] = first_other;
    history->saved_at[first_other.number] = (uint32_t)at + 1;
    base->pages[base->changed++] = this_one;
    history->saved_at[number] = (uint32_t)base->changed;
}

/* ---- Taking ---- */

/* Memory is what the new version holds: the old base differs from that by the pages that changed,
 * and the pages that it only keeps in store are the new base's. */
static void become_base(PageHistory *history, PageVersion *version) {
    PageVersion *old = history->base;
    index_pages(history, false);
    history->base = version;
    if (old == NULL)
        return;
    for (size_t i = old->changed; i < old->count; i++)
        append_page(version, old->pages[i]);
    old->count = old->changed;
    old->toward_root = version;
    version->children++;
    index_pages(history, true);
}

PageVersion *page_history_take(PageHistory *history) {
    PageVersion *version = allocate_zeroed(sizeof *version);
    version->next = history->all;
    version->link = &history->all;
    if (version->next != NULL)
        version->next->link = &version->next;
    history->all = version;
    become_base(history, version);
    physical_map_watch_pages(history->map, page_changes, history);
    physical_map_clear_dirty(history->map, PAGE_DIRTY_CHECKPOINT);
    return version;
}

/* ---- Forgetting ---- */

/* 'child' becomes the version that is told by its difference from the neighbour of 'version',
 * which it had been told by until now. */
static void merge_into(PageHistory *history, PageVersion *version, PageVersion *child) {
    bool is_base = version == history->base;
    index_pages(history, false);
    for (size_t i = 0; i < child->count; i++)
        history->saved_at[child->pages[i].number] = 1;
    size_t changed = child->count;
    for (size_t i = 0; i < version->count; i++) {
        if (history->saved_at[version->pages[i].number] != 0)
            page_pool_give(&history->pool, version->pages[i].content);
        else
            append_page(child, version->pages[i]);
        if (i + 1 == version->changed)
            changed = child->count;
    }
    for (size_t i = 0; i < child->count; i++)
        history->saved_at[child->pages[i].number] = 0;
    child->changed = changed;
    child->toward_root = version->toward_root;
    if (child->toward_root != NULL)
        child->toward_root->children++;
    if (is_base)
        history->base = child;
    index_pages(history, true);
}

static PageVersion *find_child(const PageHistory *history, const PageVersion *version) {
    PageVersion *child = history->all;
    while (child->toward_root != version)
        child = child->next;
    return child;
}

/* Takes a forgotten version out, unless two others are told by their difference from it; then the
 * one that it was told by, if that is possible now. */
static void collapse(PageHistory *history, PageVersion *version) {
    while (version != NULL && version->is_forgotten && version->children <= 1) {
        PageVersion *neighbour = version->toward_root;
        if (neighbour != NULL)
            neighbour->children--;
        if (version->children == 1) {
            merge_into(history, version, find_child(history, version));
        } else {
            if (version == history->base) {
                index_pages(history, false);
                history->base = NULL;
                physical_map_watch_pages(history->map, NULL, NULL);
            }
            give_pages(history, version, 0);
        }
        free_version(version);
        version = neighbour;
    }
}

void page_history_forget(PageHistory *history, PageVersion *version) {
    version->is_forgotten = true;
    collapse(history, version);
}

/* ---- Going back ---- */

static void replace_page(PageHistory *history, const SavedPage *saved) {
    const GuestRegion *region = find_region(history, saved->number);
    physical_map_replace_page(history->map, region, saved->number - region->first_page,
                              saved->content);
}

static void undo_changes(PageHistory *history) {
    PageVersion *base = history->base;
    for (size_t i = 0; i < base->changed; i++)
        replace_page(history, &base->pages[i]);
    base->changed = 0;
}

/* Memory holds what the base does. Carries it on to a version that is told by its difference from
 * the base: from then on it is the other way round. */
static void step_to(PageHistory *history, PageVersion *version) {
    PageVersion *old = history->base;
    index_pages(history, false);
    give_pages(history, old, 0);
    old->changed = 0;
    for (size_t i = 0; i < version->count; i++) {
        const SavedPage *saved = &version->pages[i];
        const GuestRegion *region = find_region(history, saved->number);
        SavedPage present = {saved->number, page_pool_take(&history->pool)};
        memcpy(present.content,
               region->host + (size_t)(saved->number - region->first_page) * PAGE_SIZE, PAGE_SIZE);
        append_page(old, present);
        replace_page(history, saved);
    }
    old->changed = old->count;
    give_pages(history, version, 0);
    version->changed = 0;
    old->toward_root = version;
    old->children--;
    version->toward_root = NULL;
    version->children++;
    history->base = version;
    collapse(history, old);
}

void page_history_return(PageHistory *history, PageVersion *version) {
    assert(!version->is_forgotten);
    undo_changes(history);
    while (history->base != version) {
        PageVersion *step = version;
        while (step->toward_root != history->base)
            step = step->toward_root;
        step_to(history, step);
    }
    physical_map_end_replacing(history->map);
}

size_t page_history_changed(const PageHistory *history) {
    return history->base != NULL ? history->base->changed : 0;
}

size_t page_history_kept(const PageHistory *history) {
    return history->pool.taken;
}
