/* SPDX-License-Identifier: MIT
 * A change, and the watches that hear of it. [WDK FsRtlNotifyFullReportChange, FILE_NOTIFY_INFORMATION] */
#include "fsrtl/notify.h"
#include "ke.h"

/* Names are strings of WCHAR or of the OEM code page; all of a list are of one kind. */
typedef struct _FSRTL_CHANGE {
    ULONG CharSize;
    STRING Parent; /* "\", "\a\b" */
    STRING Name;
    STRING Stream; /* empty: none */
    ULONG Filter, Action;
    PVOID TargetContext, FilterContext;
} FSRTL_CHANGE;

#define FSRTL_PIECES 5u

/* A full name begins with a backslash, whose second byte tells. */
static ULONG FsRtlpCharSize(const STRING *Name)
{
    return Name->Length >= sizeof(WCHAR) && Name->Buffer[1] == 0 ? sizeof(WCHAR) : sizeof(CHAR);
}

static BOOLEAN FsRtlpIsSeparator(const STRING *Name, ULONG At, ULONG CharSize)
{
    return At + CharSize <= Name->Length && Name->Buffer[At] == '\\' &&
           (CharSize == sizeof(CHAR) || Name->Buffer[At + 1] == 0);
}

/* Is the folder that is watched the changed one's parent, or above it? *Below: the path from there to the parent. */
static BOOLEAN FsRtlpConcerns(const FSRTL_WATCH *Watch, const FSRTL_CHANGE *Change, STRING *Below)
{
    const STRING *Top = Watch->Name, *Parent = &Change->Parent;
    ULONG Skip = Top->Length;
    if (Top->Length > Parent->Length ||
        RtlCompareMemory(Top->Buffer, Parent->Buffer, Top->Length) != Top->Length)
        return FALSE;
    if (Top->Length < Parent->Length && Top->Length > Change->CharSize) { /* not the root */
        if (!FsRtlpIsSeparator(Parent, Skip, Change->CharSize))
            return FALSE;
        Skip += Change->CharSize;
    }
    Below->Buffer = Parent->Buffer + Skip;
    Below->Length = Below->MaximumLength = (USHORT)(Parent->Length - Skip);
    return Below->Length == 0 || Watch->Tree;
}

/* [WDK FsRtlNotifyFilterChangeDirectory] of a tree: may the one who watches go there? And does the file system want it told? */
static BOOLEAN FsRtlpMayHear(const FSRTL_WATCH *Watch, const FSRTL_CHANGE *Change, BOOLEAN Deep)
{
    KE_GATE Gate;
    BOOLEAN May = TRUE;
    if (Deep && Watch->Traverse != NULL) {
        KeEnterGate(&Gate, GateFileSystem, (PVOID)Watch->Traverse);
        May = Watch->Traverse(Watch->FsContext, Change->TargetContext, Watch->Subject);
        KeLeaveGate(&Gate);
    }
    if (May && Watch->FilterCallback != NULL) {
        KeEnterGate(&Gate, GateFileSystem, (PVOID)Watch->FilterCallback);
        May = Watch->FilterCallback(Watch->FsContext, Change->FilterContext);
        KeLeaveGate(&Gate);
    }
    return May;
}

/* "below\name:stream" */
static VOID FsRtlpSplit(const FSRTL_CHANGE *Change, const STRING *Below, STRING Pieces[FSRTL_PIECES])
{
    static const WCHAR Backslash[] = L"\\",
                       Colon[] = L":"; /* the first byte alone is the same in the code page */
    const USHORT Size = (USHORT)Change->CharSize;
    Pieces[0] = *Below;
    Pieces[1] = (STRING){Below->Length != 0 ? Size : 0, Size, (PCHAR)Backslash};
    Pieces[2] = Change->Name;
    Pieces[3] = (STRING){Change->Stream.Length != 0 ? Size : 0, Size, (PCHAR)Colon};
    Pieces[4] = Change->Stream;
}

static ULONG FsRtlpWideLength(const STRING Pieces[FSRTL_PIECES], ULONG CharSize)
{
    ULONG Whole = 0;
    for (ULONG i = 0; i < FSRTL_PIECES; i++) {
        ULONG Length = Pieces[i].Length;
        if (CharSize == sizeof(CHAR))
            (void)RtlMultiByteToUnicodeSize(&Length, Pieces[i].Buffer, Pieces[i].Length);
        Whole += Length;
    }
    return Whole;
}

static VOID FsRtlpPutWide(PWCHAR To, const STRING Pieces[FSRTL_PIECES], ULONG CharSize)
{
    for (ULONG i = 0; i < FSRTL_PIECES; i++) {
        ULONG Length = Pieces[i].Length;
        if (CharSize == sizeof(WCHAR))
            RtlCopyMemory(To, Pieces[i].Buffer, Length);
        else
            (void)RtlMultiByteToUnicodeN(To, MAXUSHORT, &Length, Pieces[i].Buffer, Pieces[i].Length);
        To += Length / sizeof(WCHAR);
    }
}

/* Entries begin at multiples of 4. */
static VOID FsRtlpAppend(FSRTL_WATCH *Watch, const FSRTL_CHANGE *Change, const STRING *Below)
{
    STRING Pieces[FSRTL_PIECES];
    FsRtlpSplit(Change, Below, Pieces);
    ULONG Header = FIELD_OFFSET(FILE_NOTIFY_INFORMATION, FileName), At = (Watch->End + 3) & ~3u;
    ULONG Name = FsRtlpWideLength(Pieces, Change->CharSize);
    if (Watch->Overflow)
        return;
    if (Watch->IgnoreBuffer || At > Watch->Length || Watch->Length - At < Header ||
        Watch->Length - At - Header < Name) {
        Watch->Overflow = TRUE;
        return;
    }
    RtlZeroMemory(Watch->Buffer + Watch->End, At + Header - Watch->End);
    FILE_NOTIFY_INFORMATION *Entry = (PVOID)(Watch->Buffer + At);
    Entry->Action = Change->Action;
    Entry->FileNameLength = Name;
    FsRtlpPutWide(Entry->FileName, Pieces, Change->CharSize);
    if (At != 0)
        ((FILE_NOTIFY_INFORMATION *)(Watch->Buffer + Watch->Last))->NextEntryOffset = At - Watch->Last;
    Watch->Last = At;
    Watch->End = At + Header + Name;
}

/* (s) held. */
static VOID FsRtlpTell(FSRTL_NOTIFY_SYNC *Sync, FSRTL_WATCH *Watch, const FSRTL_CHANGE *Change)
{
    STRING Below;
    if (!(Watch->Filter & Change->Filter) || !FsRtlpConcerns(Watch, Change, &Below) ||
        !FsRtlpMayHear(Watch, Change, Below.Length != 0))
        return;
    FsRtlpAppend(Watch, Change, &Below);
    PIRP Irp = FsRtlpTakeNotify(Sync, Watch);
    if (Irp != NULL)
        FsRtlpAnswer(Sync, Watch, Irp);
}

/* The backslash before the name belongs to the parent only when that is the root. */
static STRING FsRtlpParentOf(PSTRING Whole, USHORT NameOffset, ULONG CharSize)
{
    USHORT Length = (USHORT)(NameOffset > CharSize ? NameOffset - CharSize : NameOffset);
    return (STRING){Length, Length, Whole->Buffer};
}

/* [WDK FsRtlNotifyFilterReportChange] */
VOID NTAPI FsRtlNotifyFilterReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList,
                                         PSTRING FullTargetName, USHORT TargetNameOffset, PSTRING StreamName,
                                         PSTRING NormalizedParentName, ULONG FilterMatch, ULONG Action,
                                         PVOID TargetContext, PVOID FilterContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FSRTL_NOTIFY_SYNC *Sync = NotifySync;
    TargetNameOffset = min(TargetNameOffset, FullTargetName->Length);
    USHORT Left = FullTargetName->Length - TargetNameOffset;
    FSRTL_CHANGE Change = {.CharSize = FsRtlpCharSize(FullTargetName),
                           .Name = {Left, Left, FullTargetName->Buffer + TargetNameOffset},
                           .Filter = FilterMatch,
                           .Action = Action,
                           .TargetContext = TargetContext,
                           .FilterContext = FilterContext};
    Change.Parent = NormalizedParentName != NULL && NormalizedParentName->Length != 0
                        ? *NormalizedParentName
                        : FsRtlpParentOf(FullTargetName, TargetNameOffset, Change.CharSize);
    if (StreamName != NULL)
        Change.Stream = *StreamName;
    FsAcquire(&Sync->Lock);
    for (PLIST_ENTRY E = NotifyList->Flink; E != NotifyList; E = E->Flink)
        FsRtlpTell(Sync, CONTAINING_RECORD(E, FSRTL_WATCH, Entry), &Change);
    FsRelease(&Sync->Lock);
}

/* [WDK FsRtlNotifyFullReportChange] */
VOID NTAPI FsRtlNotifyFullReportChange(PNOTIFY_SYNC NotifySync, PLIST_ENTRY NotifyList,
                                       PSTRING FullTargetName, USHORT TargetNameOffset, PSTRING StreamName,
                                       PSTRING NormalizedParentName, ULONG FilterMatch, ULONG Action,
                                       PVOID TargetContext)
{
    KI_REQUIRE_IRQL(APC_LEVEL);
    FsRtlNotifyFilterReportChange(NotifySync, NotifyList, FullTargetName, TargetNameOffset, StreamName,
                                  NormalizedParentName, FilterMatch, Action, TargetContext, NULL);
}
