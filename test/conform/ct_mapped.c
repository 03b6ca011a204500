/* SPDX-License-Identifier: MIT
 * A file that views and requests write to at the same time, below a filter that holds one of them up. Nothing that was written is lost.
 * [WDK ZwCreateSection, ZwWriteFile, ZwFlushVirtualMemory, IRP_MJ_WRITE] */
#include "ct.h"
#include "ct_crew.h"

#define NAME L"\\SystemRoot\\Temp\\views"

typedef enum HOOK {
    Nothing,
    HoldsFlush,    /* what the page has is taken, and written later */
    HoldsWrite,    /* the file has the bytes, the request ends later */
    ReadsInFlush,  /* the file is read below its paging write */
    WritesInFlush, /* and written */
} HOOK;

static PDEVICE_OBJECT Filter, Lower;
static HANDLE File, Second, Section;
static PFILE_OBJECT Object;
static volatile UCHAR *View;
static volatile LONG Hook;
static volatile NTSTATUS Inner;
static KEVENT Held, Release;
static UCHAR Taken[PAGE_SIZE], Below[10];

static NTSTATUS Put(HANDLE Handle, LONGLONG At, PCSTR Text, ULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = At};
    return ZwWriteFile(Handle, NULL, NULL, NULL, &Iosb, (PVOID)Text, Length, &Offset, NULL);
}

static NTSTATUS Get(HANDLE Handle, LONGLONG At, PVOID To, ULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = At};
    return ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, To, Length, &Offset, NULL);
}

static BOOLEAN FileHas(PCSTR Text)
{
    UCHAR Buffer[10] = {0};
    return CT_SUCCESS(Get(File, 0, Buffer, sizeof(Buffer))) && RtlCompareMemory(Buffer, Text, 10) == 10;
}

static BOOLEAN ViewHas(PCSTR Text)
{
    return RtlCompareMemory((PVOID)View, Text, 10) == 10;
}

/* --- the filter --- */

static VOID HoldUp(VOID)
{
    KeSetEvent(&Held, IO_NO_INCREMENT, FALSE);
    (void)KeWaitForSingleObject(&Release, Executive, KernelMode, FALSE, &CtPatience);
}

/* Like a filter that encrypts: what goes down is a copy. */
static NTSTATUS SendTaken(PIO_STACK_LOCATION Stack)
{
    IO_STATUS_BLOCK Iosb;
    KEVENT Done;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    PIRP Copy = IoBuildSynchronousFsdRequest(IRP_MJ_WRITE, Lower, Taken, Stack->Parameters.Write.Length,
                                             &Stack->Parameters.Write.ByteOffset, &Done, &Iosb);
    if (Copy == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    IoGetNextIrpStackLocation(Copy)->FileObject = Stack->FileObject;
    NTSTATUS Status = IoCallDriver(Lower, Copy);
    if (Status != STATUS_PENDING)
        return Status;
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    return Iosb.Status;
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS Pass(PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Lower, Irp);
}

static NTSTATUS FlushBelow(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Length = Stack->Parameters.Write.Length;
    if (InterlockedCompareExchange(&Hook, Nothing, HoldsFlush) == HoldsFlush) {
        RtlCopyMemory(Taken, MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority), Length);
        HoldUp();
        NTSTATUS Status = SendTaken(Stack);
        return Complete(Irp, Status, NT_SUCCESS(Status) ? Length : 0);
    }
    if (InterlockedCompareExchange(&Hook, Nothing, ReadsInFlush) == ReadsInFlush)
        Inner = Get(Second, 0, Below, sizeof(Below));
    else if (InterlockedCompareExchange(&Hook, Nothing, WritesInFlush) == WritesInFlush)
        Inner = Put(Second, 9, "I", 1);
    return Pass(Irp);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT Device, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(Device);
    if (Stack->MajorFunction != IRP_MJ_WRITE || Object == NULL ||
        Stack->FileObject->SectionObjectPointer != Object->SectionObjectPointer)
        return Pass(Irp);
    if (Irp->Flags & IRP_PAGING_IO)
        return FlushBelow(Irp, Stack);
    if (InterlockedCompareExchange(&Hook, Nothing, HoldsWrite) != HoldsWrite)
        return Pass(Irp);
    CT_CHECK(IoForwardIrpSynchronously(Lower, Irp));
    HoldUp();
    return Complete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information);
}

static BOOLEAN Attach(VOID)
{
    PDEVICE_OBJECT Target = IoGetRelatedDeviceObject(Object);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        CtDriverObject->MajorFunction[i] = Dispatch;
    if (!CT_SUCCESS(IoCreateDevice(CtDriverObject, 0, NULL, Target->DeviceType, 0, FALSE, &Filter)))
        return FALSE;
    Filter->Flags |= Target->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO);
    NTSTATUS Status = IoAttachDeviceToDeviceStackSafe(Filter, Target, &Lower);
    Filter->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return CT_SUCCESS(Status);
}

/* --- the file --- */

static NTSTATUS Open(ULONG Disposition, PHANDLE Handle)
{
    UNICODE_STRING Text = RTL_CONSTANT_STRING(NAME);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(Handle, FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE, &Attributes, &Iosb, NULL,
                        FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        Disposition, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static BOOLEAN Map(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    PVOID Base = NULL;
    SIZE_T Size = 0;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!CT_SUCCESS(ZwCreateSection(&Section, SECTION_MAP_READ | SECTION_MAP_WRITE, &Attributes, NULL,
                                    PAGE_READWRITE, SEC_COMMIT, File)))
        return FALSE;
    if (!CT_SUCCESS(ZwMapViewOfSection(Section, ZwCurrentProcess(), &Base, 0, 0, NULL, &Size, ViewUnmap, 0,
                                       PAGE_READWRITE)))
        return FALSE;
    View = Base;
    return TRUE;
}

/* The file with ten digits, a view of it, and the filter above its volume. */
static BOOLEAN Prepare(VOID)
{
    KeInitializeEvent(&Held, NotificationEvent, FALSE);
    KeInitializeEvent(&Release, NotificationEvent, FALSE);
    Hook = Nothing;
    if (!CT_SUCCESS(Open(FILE_CREATE, &File)) || !CT_SUCCESS(Put(File, 0, "0123456789", 10)) ||
        !CT_SUCCESS(Open(FILE_OPEN, &Second)) || !Map())
        return FALSE;
    CT_SUCCESS(ObReferenceObjectByHandle(File, 0, *IoFileObjectType, KernelMode, (PVOID *)&Object, NULL));
    return ViewHas("0123456789") && Attach();
}

static VOID Finish(VOID)
{
    FILE_DISPOSITION_INFORMATION Gone = {TRUE};
    IO_STATUS_BLOCK Iosb;
    IoDetachDevice(Lower);
    IoDeleteDevice(Filter);
    CT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), (PVOID)View));
    ZwClose(Section);
    ObDereferenceObject(Object);
    Object = NULL;
    CT_SUCCESS(ZwSetInformationFile(File, &Iosb, &Gone, sizeof(Gone), FileDispositionInformation));
    ZwClose(Second);
    ZwClose(File);
}

static NTSTATUS Flush(VOID)
{
    PVOID Base = (PVOID)View;
    SIZE_T Size = 0;
    IO_STATUS_BLOCK Iosb;
    return ZwFlushVirtualMemory(ZwCurrentProcess(), &Base, &Size, &Iosb);
}

static VOID NTAPI Flusher(PVOID Context)
{
    *(NTSTATUS *)Context = Flush();
}

static VOID NTAPI Writer(PVOID Context)
{
    *(NTSTATUS *)Context = Put(Second, 5, "X", 1);
}

/* One is held up by the filter; the other begins meanwhile, and ends before or after the first goes on. */
static VOID Race(HOOK First, PKSTART_ROUTINE Holds, PKSTART_ROUTINE Comes, UCHAR Byte)
{
    static NTSTATUS A, B;
    LARGE_INTEGER While = CtMilliseconds(50);
    A = B = STATUS_PENDING;
    if (First == HoldsFlush)
        View[0] = Byte;
    Hook = First;
    PKTHREAD One = CtStart(Holds, &A);
    CtExpect(&Held);
    if (First == HoldsWrite)
        View[0] = Byte;
    PKTHREAD Other = CtStart(Comes, &B);
    (void)KeWaitForSingleObject(Other, Executive, KernelMode, FALSE, &While);
    KeSetEvent(&Release, IO_NO_INCREMENT, FALSE);
    CtJoin(One);
    CtJoin(Other);
    CT_SUCCESS(A);
    CT_SUCCESS(B);
}

/* --- the cases --- */

/* The page is on its way to the file when a request writes to it. */
static VOID WriteBesideFlush(VOID)
{
    CT_REQUIRE(Prepare());
    Race(HoldsFlush, Flusher, Writer, 'a');
    CT_CHECK(FileHas("a1234X6789") && ViewHas("a1234X6789"));
    Finish();
}

/* A request's bytes are in the file, and not in the page yet, when the page is flushed. The flush has not ended before its bytes are in the
 * file; a read does not wait. */
static VOID FlushBesideWrite(VOID)
{
    CT_REQUIRE(Prepare());
    Race(HoldsWrite, Writer, Flusher, 'b');
    CT_CHECK(FileHas("b1234X6789") && ViewHas("b1234X6789"));
    Finish();
}

/* Nobody waits for himself. */
static VOID FilterReads(VOID)
{
    CT_REQUIRE(Prepare());
    View[0] = 'c';
    Inner = STATUS_PENDING;
    Hook = ReadsInFlush;
    CT_SUCCESS(Flush());
    CT_SUCCESS(Inner);
    CT_CHECK(RtlCompareMemory(Below + 1, "123456789", 9) == 9);
    View[0] = 'd';
    Hook = WritesInFlush;
    CT_SUCCESS(Flush());
    CT_SUCCESS(Inner);
    CT_CHECK(FileHas("d12345678I") || FileHas("d123456789")); /* what the page had goes down after it */
    Finish();
}

/* The file grows inside the page that its section ends in; then a larger section is made. */
static VOID Tail(VOID)
{
    HANDLE Old;
    volatile UCHAR *OldView;
    UCHAR Buffer[16];
    CT_REQUIRE(Prepare());
    Old = Section;
    OldView = View;
    OldView[0] = 'e';
    CT_SUCCESS(Put(File, 10, "longer", 6));
    CT_REQUIRE(Map());
    CT_CHECK(ViewHas("e123456789") && RtlCompareMemory((PVOID)(View + 10), "longer", 6) == 6);
    View[1] = 'f';
    CT_SUCCESS(Flush());
    CT_SUCCESS(Get(File, 0, Buffer, 16));
    CT_CHECK(RtlCompareMemory(Buffer, "ef23456789longer", 16) == 16);
    CT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), (PVOID)OldView));
    ZwClose(Old);
    Finish();
}

/* Each thread has a byte of the page, of which it reads what it wrote last, by whichever way. */
static volatile LONG Wrong;

static VOID Storm(ULONG Number)
{
    UCHAR Seen;
    for (UCHAR Byte = 1; Byte < 60; Byte++) {
        if (Byte % 3 == Number % 3)
            View[Number] = Byte;
        else if (!NT_SUCCESS(Put(Second, Number, (PCSTR)&Byte, 1)))
            InterlockedIncrement(&Wrong);
        if (View[Number] != Byte)
            InterlockedIncrement(&Wrong);
        if (Byte % 8 == Number && !NT_SUCCESS(Flush()))
            InterlockedIncrement(&Wrong);
        if (!NT_SUCCESS(Get(Number & 1 ? File : Second, Number, &Seen, 1)) || Seen != Byte)
            InterlockedIncrement(&Wrong);
    }
}

static VOID MappedStorm(VOID)
{
    static CT_CREW Crew;
    CT_REQUIRE(Prepare());
    Wrong = 0;
    CtRunCrew(&Crew, Storm);
    CT_EQUAL(Wrong, 0);
    Finish();
}

static const CT_CASE Cases[] = {
    {"mapped.write_beside_flush", WriteBesideFlush},
    {"mapped.flush_beside_write", FlushBesideWrite},
    {"mapped.tail", Tail},
    {"mapped.storm", MappedStorm},
    {"mapped.filter_reads", FilterReads},
};
CT_DRIVER(Cases)
