/* SPDX-License-Identifier: MIT
 * The log: serial port, screen, report channel. One lock at HIGH_LEVEL keeps lines whole; a bug check does not take it. */
#include "kdp.h"
#include "screen/screen.h"

#define KDP_LINE 512

static ARCH_LOCK KdpLogLock = ARCH_LOCK_INIT("Log", LockRankLog, HIGH_LEVEL);
static SCREEN KdpScreen;
static BOOLEAN KdpScreenOn, KdpBugCheck;

VOID KdInitializeScreen(const LOADER_SCREEN *Mode, PVOID Glass)
{
    KdpScreenOn = ScreenInit(&KdpScreen, Mode, Glass, Mode->CursorRow);
}

VOID KdEnterBugCheck(VOID)
{
    KdpBugCheck = TRUE;
}

VOID KdpWriteLine(KDP_STYLE Style, PCSTR Line, ULONG Length)
{
    KIRQL OldIrql = HIGH_LEVEL;
    BOOLEAN Locked = !KdpBugCheck;

    if (Locked)
        OldIrql = ArchAcquireLock(&KdpLogLock);
    KdpSerialWrite(Line, Length);
    KdpSerialWrite("\r\n", 2);
    if (KdpScreenOn) {
        ScreenWrite(&KdpScreen, Style == KdpError ? ScreenError : ScreenNormal, Line, Length);
        ScreenWrite(&KdpScreen, ScreenNormal, "\n", 1);
    }
    if (Locked)
        ArchReleaseLock(&KdpLogLock, OldIrql);
}

typedef struct _KDP_BUFFER {
    PCHAR Text;
    ULONG Length, Size;
} KDP_BUFFER;

static VOID KdpStore(PVOID Context, WCHAR Character)
{
    KDP_BUFFER *Buffer = Context;

    if (Buffer->Length + 1 < Buffer->Size)
        Buffer->Text[Buffer->Length++] = (CHAR)Character;
}

ULONG KdpFormat(PCHAR Text, ULONG Size, PCSTR Format, va_list Args)
{
    KDP_BUFFER Buffer = {Text, 0, Size};

    RtlFormatToSink(KdpStore, &Buffer, Format, Args);
    Text[Buffer.Length] = 0;
    return Buffer.Length;
}

static VOID KdpLogLine(KDP_STYLE Style, PCSTR Format, va_list Args)
{
    CHAR Line[KDP_LINE];
    ULONG Length = KdpFormat(Line, sizeof(Line), Format, Args);

    KdpWriteLine(Style, Line, Length);
    KdReport(ReportLog, KD_TEXTN(ReportKeyText, Line, Length));
}

VOID KdLog(PCSTR Format, ...)
{
    va_list Args;

    va_start(Args, Format);
    KdpLogLine(KdpNormal, Format, Args);
    va_end(Args);
}

VOID KdLogError(PCSTR Format, ...)
{
    va_list Args;

    va_start(Args, Format);
    KdpLogLine(KdpError, Format, Args);
    va_end(Args);
}
