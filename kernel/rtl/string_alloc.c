/* SPDX-License-Identifier: MIT
 * String conversions that can allocate their result: from paged pool, to be freed by RtlFreeUnicodeString or
 * RtlFreeAnsiString; therefore IRQL PASSIVE_LEVEL. On failure the destination owns nothing new. */
#include "rtl_pool.h"
#include "crt.h"

/* A buffer of Length + Terminator bytes for String, or a check that the caller's buffer holds Length bytes
 * and the terminator. Sets Length and, when allocated, MaximumLength and Buffer. UNICODE_STRING and STRING
 * have one layout. */
static NTSTATUS RtlpPrepare(PUNICODE_STRING String, ULONG Length, ULONG Terminator, BOOLEAN Allocate,
                            const void *Caller)
{
    if (Allocate) {
        PVOID Buffer = RtlpAllocateFor(Caller, PagedPool, Length + Terminator != 0 ? Length + Terminator : 1);
        if (Buffer == NULL)
            return STATUS_NO_MEMORY;
        String->Buffer = Buffer;
        String->MaximumLength = (USHORT)(Length + Terminator);
    } else if (Length + Terminator > String->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    String->Length = (USHORT)Length;
    return STATUS_SUCCESS;
}

VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    if (UnicodeString->Buffer != NULL) {
        ExFreePoolWithTag(UnicodeString->Buffer, 0);
        *UnicodeString = (UNICODE_STRING){0, 0, NULL};
    }
}

VOID NTAPI RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    if (AnsiString->Buffer != NULL) {
        ExFreePoolWithTag(AnsiString->Buffer, 0);
        *AnsiString = (ANSI_STRING){0, 0, NULL};
    }
}

ULONG NTAPI RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
    return UnicodeString->Length / sizeof(WCHAR) + 1;
}

ULONG NTAPI RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString)
{
    return (AnsiString->Length + 1u) * sizeof(WCHAR);
}

/* [WDK RtlUnicodeStringToAnsiString] Terminated. Into a buffer that is too small as much as fits is converted
 * and STATUS_BUFFER_OVERFLOW, a warning, returned; nothing at all when MaximumLength is 0. */
DECLSPEC_NOINLINE NTSTATUS NTAPI RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
                                                              PCUNICODE_STRING SourceString,
                                                              BOOLEAN AllocateDestinationString)
{
    ULONG Length = SourceString->Length / sizeof(WCHAR);
    NTSTATUS Status =
        RtlpPrepare((PUNICODE_STRING)DestinationString, Length, 1, AllocateDestinationString, RTLP_CALLER());

    if (Status == STATUS_BUFFER_OVERFLOW && DestinationString->MaximumLength != 0) {
        Length = DestinationString->MaximumLength - 1u;
        DestinationString->Length = (USHORT)Length;
    } else if (Status != STATUS_SUCCESS) {
        return Status;
    }
    RtlUnicodeToMultiByteN(DestinationString->Buffer, Length, NULL, SourceString->Buffer,
                           SourceString->Length);
    DestinationString->Buffer[Length] = 0;
    return Status;
}

/* [WDK RtlAnsiStringToUnicodeString] Terminated. A source of more than 32,766 characters is
 * STATUS_INVALID_PARAMETER_2; a buffer without room for string and terminator STATUS_BUFFER_OVERFLOW. */
DECLSPEC_NOINLINE NTSTATUS NTAPI RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
                                                              PANSI_STRING SourceString,
                                                              BOOLEAN AllocateDestinationString)
{
    if (RtlxAnsiStringToUnicodeSize(SourceString) > MAXUSHORT)
        return STATUS_INVALID_PARAMETER_2;
    ULONG Length = SourceString->Length * (ULONG)sizeof(WCHAR);
    NTSTATUS Status =
        RtlpPrepare(DestinationString, Length, sizeof(WCHAR), AllocateDestinationString, RTLP_CALLER());

    if (Status != STATUS_SUCCESS)
        return Status;
    RtlMultiByteToUnicodeN(DestinationString->Buffer, Length, NULL, SourceString->Buffer,
                           SourceString->Length);
    DestinationString->Buffer[Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpMapString(PUNICODE_STRING To, PCUNICODE_STRING From, BOOLEAN Allocate,
                              WCHAR (*Map)(WCHAR), const void *Caller)
{
    ULONG Length = From->Length & ~1u;
    PCWSTR Source = From->Buffer; /* To and From may be one string */
    NTSTATUS Status = RtlpPrepare(To, Length, 0, Allocate, Caller);

    if (Status != STATUS_SUCCESS)
        return Status;
    for (ULONG i = 0; i < Length / sizeof(WCHAR); i++)
        To->Buffer[i] = Map(Source[i]);
    return STATUS_SUCCESS;
}

/* [WDK RtlUpcaseUnicodeString] No terminator. Source and destination may be the same string. */
DECLSPEC_NOINLINE NTSTATUS NTAPI RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString,
                                                        PCUNICODE_STRING SourceString,
                                                        BOOLEAN AllocateDestinationString)
{
    return RtlpMapString(DestinationString, SourceString, AllocateDestinationString, RtlpUpcase,
                         RTLP_CALLER());
}

DECLSPEC_NOINLINE NTSTATUS NTAPI RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString,
                                                          PCUNICODE_STRING SourceString,
                                                          BOOLEAN AllocateDestinationString)
{
    return RtlpMapString(DestinationString, SourceString, AllocateDestinationString, RtlpDowncase,
                         RTLP_CALLER());
}

static NTSTATUS RtlpDuplicate(ULONG Flags, PCUNICODE_STRING SourceString, PUNICODE_STRING DestinationString,
                              const void *Caller)
{
    if (DestinationString == NULL || Flags > 3 || Flags == 2 ||
        RtlValidateUnicodeString(0, SourceString) != STATUS_SUCCESS)
        return STATUS_INVALID_PARAMETER;
    ULONG Terminator = Flags & 1 ? sizeof(WCHAR) : 0;
    ULONG Length = SourceString == NULL ? 0 : SourceString->Length;

    if (Length == 0 && Flags != 3) {
        *DestinationString = (UNICODE_STRING){0, 0, NULL};
        return STATUS_SUCCESS;
    }
    if (Length + Terminator > MAXUSHORT)
        return STATUS_NAME_TOO_LONG;
    UNICODE_STRING Copy = {0, 0, NULL};
    NTSTATUS Status = RtlpPrepare(&Copy, Length, Terminator, TRUE, Caller);
    if (Status != STATUS_SUCCESS)
        return Status;
    if (Length != 0)
        memcpy(Copy.Buffer, SourceString->Buffer, Length);
    if (Terminator != 0)
        Copy.Buffer[Length / sizeof(WCHAR)] = 0;
    *DestinationString = Copy;
    return STATUS_SUCCESS;
}

/* [WDK RtlDuplicateUnicodeString] Flag 1 adds a terminator; flag 2 (with 1) allocates for an empty string
 * too, which otherwise gets a NULL buffer. */
DECLSPEC_NOINLINE NTSTATUS NTAPI RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING SourceString,
                                                           PUNICODE_STRING DestinationString)
{
    return RtlpDuplicate(Flags, SourceString, DestinationString, RTLP_CALLER());
}

/* [ntifs.h RtlCreateUnicodeString] A copy with its terminator, from paged pool. FALSE: too long, or no memory. */
DECLSPEC_NOINLINE BOOLEAN NTAPI RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    UNICODE_STRING Source;

    return RtlInitUnicodeStringEx(&Source, SourceString) == STATUS_SUCCESS &&
           RtlpDuplicate(3, &Source, DestinationString, RTLP_CALLER()) == STATUS_SUCCESS;
}
