/* SPDX-License-Identifier: MIT
 * Tier 3 of mm: what a user page permits, as seven bits, and the PAGE_xxx constants of callers. User memory may be writable and
 * executable, as on Windows; the kernel half may not (MM_PROTECTION). Pure; tested on the host. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef uint8_t MI_ACCESS;

#define MI_USER_READ 0x01u
#define MI_USER_WRITE 0x02u
#define MI_USER_EXECUTE 0x04u
#define MI_USER_COPY 0x08u /* with WRITE: who writes gets a page of his own */
#define MI_USER_GUARD 0x10u
#define MI_USER_NO_CACHE 0x20u
#define MI_USER_COMBINE 0x40u
#define MI_USER_RIGHTS 0x7fu

/* [WDK Memory Protection Constants] false: no access kind or more than one, a modifier that is unknown or does not go with it
 * (PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE with PAGE_NOACCESS; PAGE_GUARD with one of the other two; both of these). */
bool MiRightsFromPage(uint32_t Page, MI_ACCESS *Rights);
uint32_t MiPageFromRights(MI_ACCESS Rights);

/* The rights of a page that was copied because somebody wrote to it: writing needs no copy any more. */
MI_ACCESS MiRightsOfCopy(MI_ACCESS Rights);

/* May a view be mapped with View, where the section was made with Section? [WDK ZwMapViewOfSection] */
bool MiRightsPermit(MI_ACCESS Section, MI_ACCESS View);

/* Does a page with these rights allow the access? Execution is what the NX bit stops; what can be executed or written can be read. */
bool MiRightsAllow(MI_ACCESS Rights, bool Write, bool Execute);
