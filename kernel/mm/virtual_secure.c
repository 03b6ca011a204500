/* SPDX-License-Identifier: MIT
 * Memory that its process cannot take away or make less accessible while a driver uses it. [WDK MmSecureVirtualMemory] */
#include "mm/user_space.h"

#define MI_TAG_SECURE 'esMM'

typedef struct _MI_SECURE {
    LIST_ENTRY Entry; /* Space->Secures */
    ULONG64 First, Last;
    MI_ACCESS Needs; /* what must stay permitted: MI_USER_READ, MI_USER_WRITE */
} MI_SECURE;

/* Would rights (0: taking the pages away) for [First, Last] break a promise? */
BOOLEAN MiSecuredAgainst(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, ULONG64 First, ULONG64 Last,
                         MI_ACCESS Rights)
{
    if (Vad->SecureCount == 0)
        return FALSE;
    for (PLIST_ENTRY Entry = Space->Secures.Flink; Entry != &Space->Secures; Entry = Entry->Flink) {
        const MI_SECURE *Secure = CONTAINING_RECORD(Entry, MI_SECURE, Entry);
        BOOLEAN Kept =
            MiRightsAllow(Rights, (Secure->Needs & MI_USER_WRITE) != 0, FALSE) && !(Rights & MI_USER_GUARD);
        if (Secure->First <= Last && First <= Secure->Last && !Kept)
            return TRUE;
    }
    return FALSE;
}

VOID MiFreeSecures(PMM_ADDRESS_SPACE Space)
{
    while (!IsListEmpty(&Space->Secures))
        ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Space->Secures), MI_SECURE, Entry),
                          MI_TAG_SECURE);
}

static BOOLEAN MiAllAllow(PMM_ADDRESS_SPACE Space, const MI_VAD *Vad, const MI_SECURE *Secure)
{
    MI_ACCESS Rights;
    ULONG64 Next;
    for (ULONG64 Page = Secure->First; Page <= Secure->Last; Page = Next) {
        if (!MiLookAtPage(Space, Vad, Page, &Rights, &Next) || (Rights & MI_USER_GUARD) ||
            !MiRightsAllow(Rights, (Secure->Needs & MI_USER_WRITE) != 0, FALSE))
            return FALSE;
    }
    return TRUE;
}

/* The whole range must be one allocation. */
HANDLE MmSecureVirtual(PMM_ADDRESS_SPACE Space, ULONG_PTR Address, SIZE_T Size, ULONG Mode)
{
    ULONG64 First, Last;
    BOOLEAN Done = FALSE;

    if ((Mode != PAGE_READONLY && Mode != PAGE_READWRITE) || !MiPagesOf(Address, Size, &First, &Last))
        return NULL;
    MI_SECURE *Secure = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Secure), MI_TAG_SECURE);
    if (Secure == NULL)
        return NULL;
    *Secure = (MI_SECURE){.First = First,
                          .Last = Last,
                          .Needs = Mode == PAGE_READWRITE ? MI_USER_READ | MI_USER_WRITE : MI_USER_READ};
    MiLockSpace(Space);
    MI_VAD *Vad = MiFindVadOver(Space, First, Last);
    if (Vad != NULL && MiAllAllow(Space, Vad, Secure)) {
        Vad->SecureCount++;
        InsertTailList(&Space->Secures, &Secure->Entry);
        Done = TRUE;
    }
    MiUnlockSpace(Space);
    if (Done)
        return Secure;
    ExFreePoolWithTag(Secure, MI_TAG_SECURE);
    return NULL;
}

/* A handle that is none is ignored, as one of a process that has ended. */
VOID MmUnsecureVirtual(PMM_ADDRESS_SPACE Space, HANDLE Handle)
{
    MI_SECURE *Found = NULL;

    MiLockSpace(Space);
    for (PLIST_ENTRY Entry = Space->Secures.Flink; Entry != &Space->Secures && Found == NULL;
         Entry = Entry->Flink)
        if (CONTAINING_RECORD(Entry, MI_SECURE, Entry) == Handle)
            Found = Handle;
    if (Found != NULL) {
        MI_VAD *Vad = MiFindVad(Space, Found->First);
        if (Vad != NULL)
            Vad->SecureCount--;
        RemoveEntryList(&Found->Entry);
    }
    MiUnlockSpace(Space);
    if (Found != NULL)
        ExFreePoolWithTag(Found, MI_TAG_SECURE);
}
