/* SPDX-License-Identifier: MIT
 * PAGE_xxx constants and the rights of user pages. */
#include "mm/user_protection.h"
#include <stddef.h>

/* [WDK Memory Protection Constants] The values are the ABI. */
static const struct {
    uint32_t Page;
    MI_ACCESS Rights;
} Kinds[] = {
    {0x01, 0},                                                             /* PAGE_NOACCESS */
    {0x02, MI_USER_READ},                                                  /* PAGE_READONLY */
    {0x04, MI_USER_READ | MI_USER_WRITE},                                  /* PAGE_READWRITE */
    {0x08, MI_USER_READ | MI_USER_WRITE | MI_USER_COPY},                   /* PAGE_WRITECOPY */
    {0x10, MI_USER_EXECUTE},                                               /* PAGE_EXECUTE */
    {0x20, MI_USER_EXECUTE | MI_USER_READ},                                /* PAGE_EXECUTE_READ */
    {0x40, MI_USER_EXECUTE | MI_USER_READ | MI_USER_WRITE},                /* PAGE_EXECUTE_READWRITE */
    {0x80, MI_USER_EXECUTE | MI_USER_READ | MI_USER_WRITE | MI_USER_COPY}, /* PAGE_EXECUTE_WRITECOPY */
};
#define KIND_COUNT (sizeof(Kinds) / sizeof(Kinds[0]))
#define PAGE_KINDS 0xffu
#define PAGE_MODIFIER_GUARD 0x100u
#define PAGE_MODIFIER_NO_CACHE 0x200u
#define PAGE_MODIFIER_COMBINE 0x400u
#define RIGHTS_OF_KIND (MI_USER_READ | MI_USER_WRITE | MI_USER_EXECUTE | MI_USER_COPY)

/* At most one modifier, and none without access. */
static bool ModifiersFit(uint32_t Page, MI_ACCESS *Rights)
{
    switch (Page & ~PAGE_KINDS) {
    case 0:
        return true;
    case PAGE_MODIFIER_GUARD:
        *Rights |= MI_USER_GUARD;
        break;
    case PAGE_MODIFIER_NO_CACHE:
        *Rights |= MI_USER_NO_CACHE;
        break;
    case PAGE_MODIFIER_COMBINE:
        *Rights |= MI_USER_COMBINE;
        break;
    default:
        return false;
    }
    return (*Rights & RIGHTS_OF_KIND) != 0;
}

bool MiRightsFromPage(uint32_t Page, MI_ACCESS *Rights)
{
    for (size_t I = 0; I < KIND_COUNT; I++) {
        if (Kinds[I].Page != (Page & PAGE_KINDS))
            continue;
        *Rights = Kinds[I].Rights;
        return ModifiersFit(Page, Rights);
    }
    return false;
}

uint32_t MiPageFromRights(MI_ACCESS Rights)
{
    uint32_t Page = Rights & MI_USER_GUARD      ? PAGE_MODIFIER_GUARD
                    : Rights & MI_USER_NO_CACHE ? PAGE_MODIFIER_NO_CACHE
                    : Rights & MI_USER_COMBINE  ? PAGE_MODIFIER_COMBINE
                                                : 0;

    for (size_t I = 0; I < KIND_COUNT; I++)
        if (Kinds[I].Rights == (Rights & RIGHTS_OF_KIND))
            return Kinds[I].Page | Page;
    return 0;
}

MI_ACCESS MiRightsOfCopy(MI_ACCESS Rights)
{
    return Rights & MI_USER_COPY ? (MI_ACCESS)(Rights & ~MI_USER_COPY) : Rights;
}

/* Writing for oneself alone needs no right to write. */
bool MiRightsPermit(MI_ACCESS Section, MI_ACCESS View)
{
    if ((View & MI_USER_EXECUTE) && !(Section & MI_USER_EXECUTE))
        return false;
    if (!(View & MI_USER_WRITE) || (View & MI_USER_COPY))
        return true;
    return (Section & MI_USER_WRITE) && !(Section & MI_USER_COPY);
}

bool MiRightsAllow(MI_ACCESS Rights, bool Write, bool Execute)
{
    if (Execute)
        return (Rights & MI_USER_EXECUTE) != 0;
    return Write ? (Rights & MI_USER_WRITE) != 0 : (Rights & RIGHTS_OF_KIND) != 0;
}
