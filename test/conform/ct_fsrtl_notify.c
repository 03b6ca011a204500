/* SPDX-License-Identifier: MIT
 * Changes in folders as FsRtl tells them. [WDK FsRtlNotifyFullChangeDirectory, FsRtlNotifyFilterReportChange, FILE_NOTIFY_INFORMATION] */
#include "ct_fsrtl.h"

static PNOTIFY_SYNC Sync;
static LIST_ENTRY List;
static UNICODE_STRING Root = RTL_CONSTANT_STRING(L"\\"), Folder = RTL_CONSTANT_STRING(L"\\a");

static PIRP Request(CT_REQUEST *Notify, PFILE_OBJECT File)
{
    PIO_STACK_LOCATION Stack =
        CtMakeRequest(Notify, IRP_MJ_DIRECTORY_CONTROL, IRP_MN_NOTIFY_CHANGE_DIRECTORY, File);
    if (Stack != NULL)
        Stack->Parameters.NotifyDirectory.Length = sizeof(Notify->Buffer);
    return Notify->Irp;
}

/* The file object is what identifies the watch. */
static VOID Watch(CT_REQUEST *Notify, PFILE_OBJECT File, PUNICODE_STRING Name, BOOLEAN Tree, ULONG Filter)
{
    FsRtlNotifyFullChangeDirectory(Sync, &List, File, (PSTRING)Name, Tree, FALSE, Filter,
                                   Request(Notify, File), NULL, NULL);
}

static VOID Report(PCWSTR Path, USHORT NameLength, ULONG Filter, ULONG Action)
{
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, Path);
    FsRtlNotifyFullReportChange(Sync, &List, (PSTRING)&Name, (USHORT)(Name.Length - NameLength), NULL, NULL,
                                Filter, Action, NULL);
}

static PVOID Check(PVOID At, ULONG Action, PCWSTR Name)
{
    FILE_NOTIFY_INFORMATION *Change = At;
    UNICODE_STRING Text,
        Found = {(USHORT)Change->FileNameLength, (USHORT)Change->FileNameLength, Change->FileName};
    RtlInitUnicodeString(&Text, Name);
    CT_EQUAL(Change->Action, Action);
    CT_CHECK(RtlEqualUnicodeString(&Found, &Text, FALSE));
    return (PUCHAR)At + Change->NextEntryOffset;
}

static VOID NotifyChanges(VOID)
{
    static CT_REQUEST Top, Tree, Other;
    static int Node;
    CtFiles[1].FsContext = &Node;
    InitializeListHead(&List);
    FsRtlNotifyInitializeSync(&Sync);
    Watch(&Top, &CtFiles[0], &Root, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME);
    Watch(&Tree, &CtFiles[1], &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_SIZE);
    CT_CHECK(!Top.Ended && !Tree.Ended);
    Report(L"\\a\\b\\cc", 4, FILE_NOTIFY_CHANGE_SIZE, FILE_ACTION_MODIFIED);
    CT_CHECK(!Top.Ended); /* neither its folder nor its filter */
    CT_STATUS(CtStatusOf(&Tree), STATUS_SUCCESS);
    Check(Tree.Buffer, FILE_ACTION_MODIFIED, L"b\\cc");
    CtFreeRequest(&Tree);
    /* what comes while nobody waits is kept */
    Report(L"\\a\\x", 2, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_RENAMED_OLD_NAME);
    Report(L"\\a\\y", 2, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_RENAMED_NEW_NAME);
    Report(L"\\ab\\y", 2, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED); /* "\ab" is not below "\a" */
    Watch(&Tree, &CtFiles[1], &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME);
    CT_STATUS(CtStatusOf(&Tree), STATUS_SUCCESS);
    CT_EQUAL(Tree.Irp->IoStatus.Information, 16 + 14);
    Check(Check(Tree.Buffer, FILE_ACTION_RENAMED_OLD_NAME, L"x"), FILE_ACTION_RENAMED_NEW_NAME, L"y");
    CtFreeRequest(&Tree);
    CT_CHECK(!Top.Ended);
    Report(L"\\new", 6, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    CT_STATUS(CtStatusOf(&Top), STATUS_SUCCESS);
    Check(Top.Buffer, FILE_ACTION_ADDED, L"new");
    CtFreeRequest(&Top);
    /* cancelling, the folder's deletion, the end of the handle */
    Watch(&Top, &CtFiles[0], &Root, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME);
    CT_CHECK(IoCancelIrp(Top.Irp));
    CT_STATUS(CtStatusOf(&Top), STATUS_CANCELLED);
    CtFreeRequest(&Top);
    Watch(&Top, &CtFiles[0], &Root, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME);
    Watch(&Tree, &CtFiles[1], &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME);
    FsRtlNotifyFullChangeDirectory(Sync, &List, &Node, NULL, FALSE, FALSE, 0, NULL, NULL, NULL);
    CT_STATUS(CtStatusOf(&Tree), STATUS_DELETE_PENDING);
    CtFreeRequest(&Tree);
    CT_CHECK(!Top.Ended);
    FsRtlNotifyCleanup(Sync, &List, &CtFiles[0]);
    CT_STATUS(CtStatusOf(&Top), STATUS_NOTIFY_CLEANUP);
    CtFreeRequest(&Top);
    CtFiles[2].Flags |= FO_CLEANUP_COMPLETE;
    Watch(&Other, &CtFiles[2], &Root, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME);
    CT_STATUS(CtStatusOf(&Other), STATUS_NOTIFY_CLEANUP);
    CtFreeRequest(&Other);
    CtFiles[2].Flags = 0;
    FsRtlNotifyCleanup(Sync, &List, &CtFiles[1]);
    CT_CHECK(IsListEmpty(&List));
    FsRtlNotifyUninitializeSync(&Sync);
    CT_CHECK(Sync == NULL);
}

/* Too much, or asked for: the folder must be looked at again. */
static VOID NotifyOverflow(VOID)
{
    static CT_REQUEST Notify;
    static WCHAR Long[201];
    Long[0] = L'\\';
    for (ULONG i = 1; i < 200; i++)
        Long[i] = L'x';
    InitializeListHead(&List);
    FsRtlNotifyInitializeSync(&Sync);
    Watch(&Notify, &CtFiles[0], &Root, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME);
    Report(Long, 398, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    CT_STATUS(CtStatusOf(&Notify), STATUS_NOTIFY_ENUM_DIR);
    CT_EQUAL(Notify.Irp->IoStatus.Information, 0);
    CtFreeRequest(&Notify);
    FsRtlNotifyFullChangeDirectory(Sync, &List, &CtFiles[1], (PSTRING)&Root, FALSE, TRUE,
                                   FILE_NOTIFY_CHANGE_FILE_NAME, Request(&Notify, &CtFiles[1]), NULL, NULL);
    Report(L"\\y", 2, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    CT_STATUS(CtStatusOf(&Notify), STATUS_NOTIFY_ENUM_DIR);
    CtFreeRequest(&Notify);
    FsRtlNotifyCleanupAll(Sync, &List);
    CT_CHECK(IsListEmpty(&List));
    FsRtlNotifyUninitializeSync(&Sync);
}

/* --- callbacks --- */

static ULONG Traversals, Filters;

static BOOLEAN NTAPI MayTraverse(PVOID NotifyContext, PVOID TargetContext, PSECURITY_SUBJECT_CONTEXT Subject)
{
    Traversals += NotifyContext == &CtFiles[0] && Subject != NULL ? 1 : 100;
    return TargetContext == &Folder;
}

static BOOLEAN NTAPI Wanted(PVOID NotifyContext, PVOID FilterContext)
{
    Filters += NotifyContext == &CtFiles[0] ? 1 : 100;
    return FilterContext != NULL;
}

static VOID ReportTo(PCWSTR Path, PVOID Target, PVOID Filter)
{
    UNICODE_STRING Name, Stream = RTL_CONSTANT_STRING(L"s"), Parent = RTL_CONSTANT_STRING(L"\\longer");
    RtlInitUnicodeString(&Name, Path);
    FsRtlNotifyFilterReportChange(Sync, &List, (PSTRING)&Name, (USHORT)(Name.Length - 2), (PSTRING)&Stream,
                                  Target != NULL ? (PSTRING)&Parent : NULL, FILE_NOTIFY_CHANGE_STREAM_NAME,
                                  FILE_ACTION_ADDED_STREAM, Target, Filter);
}

static VOID NotifyFilter(VOID)
{
    static CT_REQUEST Notify;
    PSECURITY_SUBJECT_CONTEXT Subject =
        ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Subject), 'tCtC'); /* FsRtl's from now on */
    CT_REQUIRE(Subject != NULL);
    SeCaptureSubjectContext(Subject);
    Traversals = Filters = 0;
    InitializeListHead(&List);
    FsRtlNotifyInitializeSync(&Sync);
    FsRtlNotifyFilterChangeDirectory(Sync, &List, &CtFiles[0], (PSTRING)&Root, TRUE, FALSE,
                                     FILE_NOTIFY_CHANGE_STREAM_NAME, Request(&Notify, &CtFiles[0]),
                                     MayTraverse, Subject, Wanted);
    ReportTo(L"\\f", NULL, NULL); /* in the folder itself nobody asks about the way; not wanted */
    CT_CHECK(Traversals == 0 && Filters == 1 && !Notify.Ended);
    ReportTo(L"\\l\\f", &Root, &Filters);
    CT_CHECK(Traversals == 1 && Filters == 1 && !Notify.Ended);
    ReportTo(L"\\l\\f", &Folder, &Filters);
    CT_CHECK(Traversals == 2 && Filters == 2);
    CT_STATUS(CtStatusOf(&Notify), STATUS_SUCCESS);
    Check(Notify.Buffer, FILE_ACTION_ADDED_STREAM, L"longer\\f:s");
    CtFreeRequest(&Notify);
    (void)Request(&Notify, &CtFiles[0]);
    FsRtlNotifyFilterChangeDirectory(Sync, &List, &CtFiles[0], (PSTRING)&Root, TRUE, FALSE, 0, Notify.Irp,
                                     NULL, NULL, NULL);
    FsRtlNotifyCleanupAll(Sync, &List);
    CT_STATUS(CtStatusOf(&Notify), STATUS_NOTIFY_CLEANUP);
    CtFreeRequest(&Notify);
    FsRtlNotifyUninitializeSync(&Sync);
}

/* Names in the code page are told in Unicode all the same. */
static VOID NotifyAnsi(VOID)
{
    static CT_REQUEST Notify;
    STRING Top = RTL_CONSTANT_STRING("\\"), Name = RTL_CONSTANT_STRING("\\sub\\file");
    InitializeListHead(&List);
    FsRtlNotifyInitializeSync(&Sync);
    FsRtlNotifyFullChangeDirectory(Sync, &List, &CtFiles[0], &Top, TRUE, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME,
                                   Request(&Notify, &CtFiles[0]), NULL, NULL);
    FsRtlNotifyFullReportChange(Sync, &List, &Name, 5, NULL, NULL, FILE_NOTIFY_CHANGE_FILE_NAME,
                                FILE_ACTION_REMOVED, NULL);
    CT_STATUS(CtStatusOf(&Notify), STATUS_SUCCESS);
    Check(Notify.Buffer, FILE_ACTION_REMOVED, L"sub\\file");
    CtFreeRequest(&Notify);
    FsRtlNotifyCleanup(Sync, &List, &CtFiles[0]);
    FsRtlNotifyUninitializeSync(&Sync);
}

static const CT_CASE Cases[] = {
    {"fsrtl_notify.changes", NotifyChanges},
    {"fsrtl_notify.overflow", NotifyOverflow},
    {"fsrtl_notify.filter", NotifyFilter},
    {"fsrtl_notify.ansi", NotifyAnsi},
};

CT_DRIVER(Cases)
