/* SPDX-License-Identifier: MIT
 * Views of a file that can be written: what is dirty, and when it is written. [WDK ZwFlushVirtualMemory, ZwUnmapViewOfSection] */
#include "ct_file_device.h"
#include "ct_view.h"

static UCHAR Contents[2 * PAGE_SIZE + 100];
static CT_FILE File = {.Name = L"\\Device\\CtSectionFile", .Bytes = Contents, .Size = sizeof(Contents)};

/* Only what was written to since the last flush is written; nothing is dirty at first. */
static VOID FlushOnce(PUCHAR View)
{
    PVOID At = View;
    SIZE_T Bytes = 0x3000;
    IO_STATUS_BLOCK Iosb;
    LONG Before = File.Writes;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(File.Writes, Before);
    CT_EQUAL(Iosb.Information, 0);
    for (UCHAR i = 1; i < 4; i++) {
        CT_SUCCESS(CtWrite(View + 0x1060, i));
        CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
        CT_EQUAL(Contents[0x1060], i);
        CT_EQUAL(File.Writes, Before + i);
    }
}

/* Through whichever view it is written: it is dirty until the first flush, of any view. */
static VOID FlushBoth(HANDLE Section, PUCHAR First)
{
    PUCHAR Second;
    SIZE_T Size, Bytes = 0x3000;
    PVOID At = First;
    IO_STATUS_BLOCK Iosb;
    CT_REQUIRE(CT_SUCCESS(CtMap(Section, &Second, &Size, 0, PAGE_READWRITE)));
    LONG Before = File.Writes;
    CT_SUCCESS(CtWrite(First + 0x1070, 1));
    CT_SUCCESS(CtWrite(Second + 0x1071, 2));
    for (ULONG i = 0; i < 3; i++) {
        CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
        CT_EQUAL(File.Writes, Before + 1);
    }
    CT_CHECK(Contents[0x1070] == 1 && Contents[0x1071] == 2);
    CT_SUCCESS(CtWrite(Second + 0x1071, 3)); /* seen although the first view was flushed */
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(Contents[0x1071], 3);
    CT_EQUAL(File.Writes, Before + 2);
    CT_SUCCESS(CtWrite(First + 0x1070, 4));
    CT_SUCCESS(CtUnmap(Second));
    CT_EQUAL(File.Writes, Before + 3); /* a view that goes writes what is dirty in it */
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(File.Writes, Before + 3);
    CT_EQUAL(Contents[0x1070], 4);
}

static NTSTATUS LockMdl(PVOID Mdl)
{
    MmProbeAndLockPages(Mdl, UserMode, IoWriteAccess);
    return STATUS_SUCCESS;
}

/* A device may write as long as the pages are locked: that comes after a flush, and no entry tells of it. */
static VOID FlushLocked(PUCHAR View)
{
    PVOID At = View;
    SIZE_T Bytes = 0x3000;
    IO_STATUS_BLOCK Iosb;
    PMDL Mdl = IoAllocateMdl(View + 0x1000, 0x100, FALSE, FALSE, NULL);
    CT_REQUIRE(Mdl != NULL);
    CT_REQUIRE(CT_SUCCESS(NtboxGuardedCall(LockMdl, Mdl)));
    PUCHAR Mapped = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute);
    CT_CHECK(Mapped != NULL);
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    if (Mapped != NULL)
        Mapped[0x80] = 'L';
    MmUnlockPages(Mdl);
    IoFreeMdl(Mdl);
    CT_CHECK(Contents[0x1080] != 'L');
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(Contents[0x1080], 'L');
    LONG Before = File.Writes;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(File.Writes, Before);
}

/* A view that was mapped to be read, and what is written to it after a flush. */
static VOID WriteAfterProtect(PUCHAR View)
{
    PVOID At = View;
    SIZE_T Bytes = 0x3000;
    IO_STATUS_BLOCK Iosb;
    ULONG Old;
    CT_SUCCESS(ZwProtectVirtualMemory(ZwCurrentProcess(), &At, &Bytes, PAGE_READWRITE, &Old));
    CT_SUCCESS(CtWrite(View + 0x1050, 'C'));
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(Contents[0x1050], 'C');
    CT_SUCCESS(CtWrite(View + 0x1050, 'D'));
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(Contents[0x1050], 'D');
}

/* Read once, written when it is flushed and when the view goes, and no byte behind the end. */
static VOID WriteThroughView(HANDLE Handle)
{
    HANDLE Section;
    PUCHAR View, Again;
    SIZE_T Size, Bytes = 0;
    IO_STATUS_BLOCK Iosb;
    CT_SUCCESS(CtCreateSection(&Section, 0, PAGE_READWRITE, SEC_COMMIT, Handle));
    CT_SUCCESS(CtMap(Section, &View, &Size, 0, PAGE_READWRITE));
    CT_EQUAL(Size, 0x3000);
    CT_CHECK(CtHolds(View + 640, 10) && CtHolds(View + 0x1040, 65) && CtHolds(View + 0x2063, 129) &&
             CtHolds(View + 0x2064, 0));
    CT_EQUAL(File.Reads, 3);
    CT_SUCCESS(CtWrite(View + 0x1040, 'A'));
    CT_EQUAL(Contents[0x1040], 65);
    CT_EQUAL(MmDoesFileHaveUserWritableReferences(&File.Pointers) != 0, TRUE);
    PVOID At = View;
    CT_SUCCESS(ZwFlushVirtualMemory(ZwCurrentProcess(), &At, &Bytes, &Iosb));
    CT_EQUAL(Contents[0x1040], 'A');
    FlushOnce(View);
    FlushBoth(Section, View);
    FlushLocked(View);
    CT_SUCCESS(CtWrite(View + 0x2060, 'B'));
    CT_SUCCESS(CtWrite(View + 0x2064, 'E')); /* behind the end: stays where it is */
    CT_SUCCESS(CtMap(Section, &Again, &Size, 0, PAGE_READONLY));
    CT_CHECK(CtHolds(Again + 0x1040, 'A') && CtHolds(Again + 0x2060, 'B'));
    CT_SUCCESS(CtUnmap(View));
    CT_EQUAL(Contents[0x2060], 'B');
    WriteAfterProtect(Again);
    CT_SUCCESS(CtUnmap(Again));
    CT_EQUAL(Contents[0x1050], 'D');
    CT_SUCCESS(ZwClose(Section));
    CT_EQUAL(File.Reads, 3);
    CT_EQUAL(File.Wrong, 0);
    CT_EQUAL(File.Behind, 0);
    CT_CHECK(Contents[0] == 0 && Contents[0x1041] == 65);
    CT_CHECK(MmForceSectionClosed(&File.Pointers, FALSE));
}

static VOID SectionWrite(VOID)
{
    HANDLE Handle;
    for (ULONG i = 0; i < sizeof(Contents); i++)
        Contents[i] = (UCHAR)(i / 64);
    PDEVICE_OBJECT Device = CtMakeFileDevice(&File);
    CT_REQUIRE(Device != NULL);
    if (CT_SUCCESS(CtOpenFile(&Handle, FILE_READ_DATA | FILE_WRITE_DATA))) {
        WriteThroughView(Handle);
        ZwClose(Handle);
    }
    IoDeleteDevice(Device);
}

static const CT_CASE Cases[] = {{"section.write", SectionWrite}};
CT_DRIVER(Cases)
