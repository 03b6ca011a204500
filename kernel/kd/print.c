/* SPDX-License-Identifier: MIT
 * DbgPrint and its family. Text goes to the log line by line (a driver may print a line in pieces) and to the report
 * channel as the driver gave it, with the driver's name. [WDK DbgPrint, DbgPrintEx, vDbgPrintExWithPrefix] */
#include "kdp.h"

#define KDP_PRINT 512 /* [WDK DbgPrint] at most 512 bytes are sent */

static PCSTR KdpNoModule(const void *Address)
{
    return NULL;
}
PCSTR (*KdModuleNameOf)(const void *Address) = KdpNoModule;

static CHAR KdpPending[KDP_PRINT]; /* pending lock: the beginning of a line that has no end yet */
static ULONG KdpPendingLength;
static ARCH_LOCK KdpPendingLock = ARCH_LOCK_INIT("DbgPrint", LockRankPrint, HIGH_LEVEL);

static VOID KdpFlushPending(VOID)
{
    KdpWriteLine(KdpNormal, KdpPending, KdpPendingLength);
    KdpPendingLength = 0;
}

static VOID KdpPrintText(PCSTR Text, ULONG Length)
{
    KIRQL OldIrql = ArchAcquireLock(&KdpPendingLock);

    for (ULONG i = 0; i < Length; i++) {
        if (Text[i] == '\n') {
            KdpFlushPending();
        } else if (Text[i] != '\r') {
            KdpPending[KdpPendingLength++] = Text[i];
            if (KdpPendingLength == sizeof(KdpPending))
                KdpFlushPending();
        }
    }
    ArchReleaseLock(&KdpPendingLock, OldIrql);
}

static ULONG KdpPrint(const void *Caller, PCSTR Prefix, PCSTR Format, va_list Args)
{
    CHAR Text[KDP_PRINT];
    ULONG Length = (ULONG)strlen(Prefix);

    Length = min(Length, sizeof(Text) - 1);
    memcpy(Text, Prefix, Length);
    Length += KdpFormat(Text + Length, sizeof(Text) - Length, Format, Args);
    KdpPrintText(Text, Length);
    KdReport(ReportPrint, KD_TEXT(ReportKeyDriver, KdModuleNameOf(Caller)),
             KD_TEXTN(ReportKeyText, Text, Length));
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE ULONG __cdecl DbgPrint(PCSTR Format, ...)
{
    va_list Args;

    va_start(Args, Format);
    ULONG Status = KdpPrint(__builtin_return_address(0), "", Format, Args);
    va_end(Args);
    return Status;
}

/* Component filters do not exist here: everything is shown (D-052). */
DECLSPEC_NOINLINE ULONG __cdecl DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list Args;

    va_start(Args, Format);
    ULONG Status = KdpPrint(__builtin_return_address(0), "", Format, Args);
    va_end(Args);
    return Status;
}

DECLSPEC_NOINLINE ULONG NTAPI vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list Args)
{
    return KdpPrint(__builtin_return_address(0), "", Format, Args);
}

DECLSPEC_NOINLINE ULONG NTAPI vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format,
                                                    va_list Args)
{
    return KdpPrint(__builtin_return_address(0), Prefix, Format, Args);
}
