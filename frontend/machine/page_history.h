/* Versions of guest memory: what all regions held at some times, by the pages that differ.
 *
 * The versions form a tree whose root is the memory as it is now: each version has the pages in
 * which it differs from its neighbour towards the root, so taking one costs nothing but the
 * clearing of dirty bits, and the first store into a page afterwards saves the page for the newest
 * version on the way. Going back to a version carries the root there, page by page along the way,
 * exchanging contents (Baker's re-rooting); what memory held itself is lost, unless a version was
 * taken of it. Going back to the same version again and again costs the pages changed since, once
 * each. */
#ifndef REPRISE_PAGE_HISTORY_H
#define REPRISE_PAGE_HISTORY_H

#include "physical_map.h"

typedef struct PageHistory PageHistory;
typedef struct PageVersion PageVersion;

/* Watches the map's pages from the first version on. One history a map. */
PageHistory *page_history_create(PhysicalMap *map, Error *error);
/* Its versions go with it. */
void page_history_destroy(PageHistory *history);

/* Remembers what memory holds now. */
PageVersion *page_history_take(PageHistory *history);
/* Makes memory hold what it held then. The translator is told which code changed, and write entries
 * of the TLB go. */
void page_history_return(PageHistory *history, PageVersion *version);
/* The version is not needed any more. Any order. */
void page_history_forget(PageHistory *history, PageVersion *version);

/* How many pages were changed since the version that memory descends from. */
size_t page_history_changed(const PageHistory *history);
/* How many pages all versions keep together. */
size_t page_history_kept(const PageHistory *history);

#endif
