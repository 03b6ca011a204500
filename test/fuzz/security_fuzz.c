/* SPDX-License-Identifier: MIT
 * libFuzzer over security descriptors: whatever RtlValidRelativeSecurityDescriptor passes can be read, measured and converted
 * without leaving its bytes. */
#include <stdlib.h>

#include "rtl_security.h"

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    (void)PoolType, (void)Tag;
    return malloc(NumberOfBytes);
}

PVOID ExAllocatePoolForOwner(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PVOID Owner)
{
    UNREFERENCED_PARAMETER(Owner);
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    (void)Tag;
    free(P);
}

/* Others of the library call it. */
DECLSPEC_NORETURN VOID RtlRaiseStatus(NTSTATUS Status)
{
    (void)Status;
    abort();
}

static void Walk(PACL Acl)
{
    volatile ACCESS_MASK Mask = 0;
    volatile UCHAR Last = 0;
    if (Acl == NULL)
        return;
    RTL_FOR_EACH_ACE(Ace, Acl)
    {
        PSID Sid = RtlAceSid(Ace);
        if (Sid == NULL)
            continue;
        Mask |= RtlAceMask(Ace);
        Last += ((PUCHAR)Sid)[RtlLengthSid(Sid) - 1];
        if (RtlAceObjectType(Ace) != NULL)
            Mask |= RtlAceObjectType(Ace)->Data1;
    }
    while (Acl->AceCount != 0 && RtlDeleteAce(Acl, Acl->AceCount / 2) == STATUS_SUCCESS) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    RTL_SECURITY_PARTS Parts;
    PUCHAR Copy = malloc(Length + 1), Second;
    memcpy(Copy, Data, Length);
    Copy = realloc(Copy, Length != 0 ? Length : 1);
    if (Length > 3) {
        Copy[0] = SECURITY_DESCRIPTOR_REVISION; /* so that mutations get past the header */
        Copy[3] |= SE_SELF_RELATIVE >> 8;
    }
    if (RtlValidRelativeSecurityDescriptor(Copy, (ULONG)Length, 0)) {
        RtlGetSecurityParts(Copy, &Parts);
        ULONG Needed = RtlRelativeSecurityLength(&Parts);
        Second = malloc(Needed);
        RtlWriteRelativeSecurity(&Parts, Second);
        if (!RtlValidRelativeSecurityDescriptor(Second, Needed, 0) ||
            RtlLengthSecurityDescriptor(Second) != Needed)
            abort();
        free(Second);
        Walk(Parts.Dacl);
        Walk(Parts.Sacl);
    }
    free(Copy);
    return 0;
}
