/* SPDX-License-Identifier: MIT
 * Privileges of a token are enabled, disabled, removed. [WDK NtAdjustPrivilegesToken], [Win32 AdjustTokenPrivileges] */
#include "sep.h"

#define SEP_MAX_PRIVILEGES 0x400u

typedef struct _SEP_ADJUST {
    HANDLE Handle;
    BOOLEAN DisableAll;
    PTOKEN_PRIVILEGES NewState;
    ULONG Room;
    PTOKEN_PRIVILEGES Previous; /* the caller's, or NULL */
    PULONG ReturnLength;
    KPROCESSOR_MODE Mode;
    PTOKEN_PRIVILEGES New, Changed; /* our copies; Changed has room for all of the token's */
} SEP_ADJUST;

/* What NewState says of a privilege; the attributes it has when it says nothing. */
static ULONG SepWanted(const SEP_ADJUST *A, const LUID_AND_ATTRIBUTES *Privilege)
{
    if (A->DisableAll)
        return Privilege->Attributes & ~(ULONG)SE_PRIVILEGE_ENABLED;
    for (ULONG I = 0; I < A->New->PrivilegeCount; I++)
        if (RtlEqualLuid(&A->New->Privileges[I].Luid, (PLUID)&Privilege->Luid)) {
            ULONG Asked = A->New->Privileges[I].Attributes;
            return (Privilege->Attributes & ~(ULONG)SE_PRIVILEGE_ENABLED) |
                   (Asked & SE_PRIVILEGE_REMOVED ? SE_PRIVILEGE_REMOVED : Asked & SE_PRIVILEGE_ENABLED);
        }
    return Privilege->Attributes;
}

static BOOLEAN SepHas(const TOKEN *Token, LUID Luid)
{
    for (ULONG I = 0; I < Token->PrivilegeCount; I++)
        if (RtlEqualLuid(&Token->Privileges[I].Luid, &Luid))
            return TRUE;
    return FALSE;
}

/* Those that would change, as they are; the list is A->Changed. */
static VOID SepListChanges(SEP_ADJUST *A, const TOKEN *Token)
{
    A->Changed->PrivilegeCount = 0;
    for (ULONG I = 0; I < Token->PrivilegeCount; I++)
        if (SepWanted(A, &Token->Privileges[I]) != Token->Privileges[I].Attributes)
            A->Changed->Privileges[A->Changed->PrivilegeCount++] = Token->Privileges[I];
}

static VOID SepApply(const SEP_ADJUST *A, PTOKEN Token)
{
    ULONG Count = 0;
    for (ULONG I = 0; I < Token->PrivilegeCount; I++) {
        LUID_AND_ATTRIBUTES Entry = Token->Privileges[I];
        Entry.Attributes = SepWanted(A, &Entry);
        if (!(Entry.Attributes & SE_PRIVILEGE_REMOVED))
            Token->Privileges[Count++] = Entry;
    }
    Token->PrivilegeCount = Count;
    Token->ModifiedId = SeNewLuid();
}

/* [Win32 AdjustTokenPrivileges] success also when the token has not all of them, with a status that tells. */
static NTSTATUS SepAllAssigned(const SEP_ADJUST *A, const TOKEN *Token)
{
    for (ULONG I = 0; !A->DisableAll && I < A->New->PrivilegeCount; I++)
        if (!SepHas(Token, A->New->Privileges[I].Luid))
            return STATUS_NOT_ALL_ASSIGNED;
    return STATUS_SUCCESS;
}

static ULONG SepListBytes(ULONG Count)
{
    return FIELD_OFFSET(TOKEN_PRIVILEGES, Privileges) + Count * (ULONG)sizeof(LUID_AND_ATTRIBUTES);
}

/* Token locked. Nothing changes when the previous state does not fit. */
static NTSTATUS SepAdjustLocked(SEP_ADJUST *A, PTOKEN Token)
{
    A->Changed = ExAllocatePool2(POOL_FLAG_PAGED, SepListBytes(Token->PrivilegeCount), SEP_TAG_TOKEN);
    if (A->Changed == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    SepListChanges(A, Token);
    if (A->Previous != NULL && SepListBytes(A->Changed->PrivilegeCount) > A->Room)
        return STATUS_BUFFER_TOO_SMALL;
    NTSTATUS Status = SepAllAssigned(A, Token);
    SepApply(A, Token);
    return Status;
}

static NTSTATUS SepTellPrevious(const SEP_ADJUST *A, NTSTATUS Status)
{
    ULONG Length = A->Changed != NULL ? SepListBytes(A->Changed->PrivilegeCount) : 0;
    if (A->Previous == NULL || (!NT_SUCCESS(Status) && Status != STATUS_BUFFER_TOO_SMALL))
        return Status;
    NTSTATUS Written = A->ReturnLength != NULL
                           ? MmWriteCaller(A->ReturnLength, &Length, sizeof(Length), A->Mode)
                           : STATUS_SUCCESS;
    if (NT_SUCCESS(Written) && NT_SUCCESS(Status))
        Written = MmWriteCaller(A->Previous, A->Changed, Length, A->Mode);
    return NT_SUCCESS(Written) ? Status : Written;
}

static NTSTATUS SepReadNewState(SEP_ADJUST *A)
{
    ULONG Count;
    if (A->DisableAll)
        return STATUS_SUCCESS;
    if (A->NewState == NULL)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = MmReadCaller(&Count, &A->NewState->PrivilegeCount, sizeof(Count), A->Mode);
    if (!NT_SUCCESS(Status))
        return Status;
    if (Count > SEP_MAX_PRIVILEGES)
        return STATUS_INVALID_PARAMETER;
    A->New = ExAllocatePool2(POOL_FLAG_PAGED, SepListBytes(Count), SEP_TAG_TOKEN);
    if (A->New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = MmReadCaller(A->New, A->NewState, SepListBytes(Count), A->Mode);
    A->New->PrivilegeCount = Count; /* it may say something else by now */
    return Status;
}

static NTSTATUS SepAdjust(SEP_ADJUST *A)
{
    PTOKEN Token;
    ACCESS_MASK Access = TOKEN_ADJUST_PRIVILEGES | (A->Previous != NULL ? TOKEN_QUERY : 0);
    NTSTATUS Status = MmProbeCaller(A->Previous, A->Previous != NULL ? A->Room : 0, A->Mode);
    if (NT_SUCCESS(Status))
        Status = SepReadNewState(A);
    if (NT_SUCCESS(Status))
        Status = SepTokenByHandle(A->Handle, Access, A->Mode, &Token);
    if (NT_SUCCESS(Status)) {
        SepLockTokenExclusive(Token);
        Status = SepAdjustLocked(A, Token);
        SepUnlockToken(Token);
        ObDereferenceObject(Token);
        Status = SepTellPrevious(A, Status);
    }
    if (A->New != NULL)
        ExFreePoolWithTag(A->New, SEP_TAG_TOKEN);
    if (A->Changed != NULL)
        ExFreePoolWithTag(A->Changed, SEP_TAG_TOKEN);
    return Status;
}

NTSTATUS NTAPI ZwAdjustPrivilegesToken(HANDLE TokenHandle, BOOLEAN DisableAllPrivileges,
                                       PTOKEN_PRIVILEGES NewState, ULONG BufferLength,
                                       PTOKEN_PRIVILEGES PreviousState, PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SEP_ADJUST A = {TokenHandle,  DisableAllPrivileges, NewState, BufferLength, PreviousState,
                    ReturnLength, KernelMode,           NULL,     NULL};
    return SepAdjust(&A);
}

NTSTATUS NTAPI NtAdjustPrivilegesToken(HANDLE TokenHandle, BOOLEAN DisableAllPrivileges,
                                       PTOKEN_PRIVILEGES NewState, ULONG BufferLength,
                                       PTOKEN_PRIVILEGES PreviousState, PULONG ReturnLength)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    SEP_ADJUST A = {TokenHandle,  DisableAllPrivileges, NewState, BufferLength, PreviousState,
                    ReturnLength, ExGetPreviousMode(),  NULL,     NULL};
    return SepAdjust(&A);
}
