/* SPDX-License-Identifier: MIT
 * Hives go to their files: by ZwFlushKey, when they are unloaded, and by themselves after some seconds. [WDK ZwFlushKey, RegLoadKey] The
 * files lie in \SystemRoot\Temp (deviation D-210). */
#include "ct_registry_key.h"

#define TEMP L"\\SystemRoot\\Temp"
#define SOFTWARE TEMP L"\\SOFTWARE"
#define COPY TEMP L"\\NtboxHiveCopy"
#define FILLER TEMP L"\\NtboxFiller"
#define LOADED L"\\Registry\\Machine\\NtboxFlushed"
#define OTHER L"\\Registry\\Machine\\NtboxFlushedToo"
#define LOADED_TEST LOADED L"\\NtboxTest"
#define HEADER 4096u
#define MINUTE (-60 * 10000000ll)

static NTSTATUS OpenFile(PCWSTR Path, ACCESS_MASK Access, ULONG Disposition, ULONG Options, PHANDLE File)
{
    UNICODE_STRING Name = CtName(Path);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(File, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, Disposition, Options, NULL,
                        0);
}

/* The whole file in pool, or NULL. */
static ULONG *ReadWhole(PCWSTR Path, ULONG *Length)
{
    HANDLE File;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Start = {.QuadPart = 0};
    FILE_STANDARD_INFORMATION Standard;
    ULONG *Bytes = NULL;
    if (!NT_SUCCESS(OpenFile(Path, FILE_READ_DATA, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, &File)))
        return NULL;
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Standard, sizeof(Standard), FileStandardInformation));
    *Length = Standard.EndOfFile.LowPart;
    if (*Length >= 2 * HEADER)
        Bytes = ExAllocatePool2(POOL_FLAG_PAGED, *Length, 'tCtC');
    if (Bytes != NULL)
        CT_SUCCESS(ZwReadFile(File, NULL, NULL, NULL, &Iosb, Bytes, *Length, &Start, NULL));
    CT_SUCCESS(ZwClose(File));
    return Bytes;
}

/* The number of the last write of the hive file, or 0. The header must be that of a hive that was written to its end: "regf", two equal
 * sequence numbers, the words' XOR. */
static ULONG Sequence(PCWSTR Path)
{
    ULONG Length, Sum = 0, Number = 0;
    ULONG *Bytes = ReadWhole(Path, &Length);
    if (Bytes == NULL)
        return 0;
    for (ULONG i = 0; i < 127; i++)
        Sum ^= Bytes[i];
    CT_EQUAL(Bytes[0], 0x66676572);
    CT_EQUAL(Bytes[127], Sum);
    CT_EQUAL(Bytes[10], Length - HEADER);
    if (CT_EQUAL(Bytes[1], Bytes[2]))
        Number = Bytes[1];
    ExFreePoolWithTag(Bytes, 'tCtC');
    return Number;
}

static NTSTATUS LoadAt(PCWSTR To, PCWSTR Path)
{
    UNICODE_STRING Key = CtName(To), File = CtName(Path);
    OBJECT_ATTRIBUTES KeyAttributes, FileAttributes;
    InitializeObjectAttributes(&KeyAttributes, &Key, OBJ_CASE_INSENSITIVE, NULL, NULL);
    InitializeObjectAttributes(&FileAttributes, &File, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwLoadKey(&KeyAttributes, &FileAttributes);
}

static NTSTATUS Load(PCWSTR Path)
{
    return LoadAt(LOADED, Path);
}

static NTSTATUS Unload(VOID)
{
    UNICODE_STRING Key = CtName(LOADED);
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, &Key, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwUnloadKey(&Attributes);
}

/* Loads the file, looks at the two numbers in it, unloads it. */
static VOID CheckFile(PCWSTR Path, ULONG First, ULONG Second)
{
    HANDLE Key;
    ULONG Value = 0;
    CT_REQUIRE(CT_SUCCESS(Load(Path)));
    if (CT_SUCCESS(CtOpenKey(&Key, NULL, LOADED_TEST, 0))) {
        CT_SUCCESS(CtGetNumber(Key, L"First", &Value));
        CT_EQUAL(Value, First);
        CT_SUCCESS(CtGetNumber(Key, L"Second", &Value));
        CT_EQUAL(Value, Second);
        CT_SUCCESS(ZwClose(Key));
    }
    CT_SUCCESS(Unload());
}

static VOID CheckNoRest(VOID)
{
    HANDLE File;
    CT_STATUS(OpenFile(SOFTWARE L".flush", FILE_READ_DATA, FILE_OPEN, 0, &File),
              STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID RegistryFlush(VOID)
{
    HANDLE Key, Volatile;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"First", 1));
    CT_SUCCESS(CtSetNumber(Key, L"Second", 2));
    CT_SUCCESS(ZwFlushKey(Key));
    ULONG Before = Sequence(SOFTWARE);
    CT_CHECK(Before != 0);
    CheckFile(SOFTWARE, 1, 2);
    CT_SUCCESS(ZwFlushKey(Key)); /* nothing has changed */
    CT_EQUAL(Sequence(SOFTWARE), Before);
    CT_SUCCESS(CtSetNumber(Key, L"Second", 3));
    CT_SUCCESS(ZwFlushKey(Key));
    CT_CHECK(Sequence(SOFTWARE) > Before);
    CheckFile(SOFTWARE, 1, 3);
    CheckNoRest();
    CT_SUCCESS(CtCreateKey(&Volatile, Key, L"Volatile", REG_OPTION_VOLATILE, NULL));
    CT_SUCCESS(ZwFlushKey(Volatile));
    CT_SUCCESS(ZwDeleteKey(Volatile));
    CT_STATUS(ZwFlushKey(Volatile), STATUS_KEY_DELETED);
    CT_SUCCESS(ZwClose(Volatile));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Hardware", 0));
    CT_SUCCESS(ZwFlushKey(Key)); /* has no file */
    CT_SUCCESS(ZwClose(Key));
}

static BOOLEAN MakeCopy(VOID)
{
    ULONG Length;
    HANDLE File;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Start = {.QuadPart = 0};
    ULONG *Bytes = ReadWhole(SOFTWARE, &Length);
    if (!CT_CHECK(Bytes != NULL))
        return FALSE;
    BOOLEAN Made =
        CT_SUCCESS(OpenFile(COPY, FILE_WRITE_DATA, FILE_OVERWRITE_IF, FILE_SYNCHRONOUS_IO_NONALERT, &File));
    if (Made) {
        Made = CT_SUCCESS(ZwWriteFile(File, NULL, NULL, NULL, &Iosb, Bytes, Length, &Start, NULL));
        CT_SUCCESS(ZwClose(File));
    }
    ExFreePoolWithTag(Bytes, 'tCtC');
    return Made;
}

/* A hive that was loaded goes back to its own file, and when it is unloaded: it is written twice. */
static VOID FlushLoaded(VOID)
{
    HANDLE Key;
    ULONG Before = Sequence(COPY);
    CT_REQUIRE(CT_SUCCESS(Load(COPY)));
    if (CT_SUCCESS(CtOpenKey(&Key, NULL, LOADED_TEST, 0))) {
        CT_SUCCESS(CtSetNumber(Key, L"First", 10));
        CT_SUCCESS(ZwFlushKey(Key));
        CT_SUCCESS(CtSetNumber(Key, L"Second", 20));
        CT_SUCCESS(ZwClose(Key));
    }
    CT_SUCCESS(Unload());
    CT_EQUAL(Sequence(COPY), Before + 2);
    CheckFile(COPY, 10, 20);
    CT_EQUAL(Sequence(COPY), Before + 2); /* was only read */
}

static VOID DeleteFile(PCWSTR Path)
{
    UNICODE_STRING Name = CtName(Path);
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwDeleteFile(&Attributes));
}

/* The key of the test with both values, in the file. */
static BOOLEAN MakeFlushed(PHANDLE Key)
{
    if (!CT_SUCCESS(CtCreateKey(Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)))
        return FALSE;
    CT_SUCCESS(CtSetNumber(*Key, L"First", 1));
    CT_SUCCESS(CtSetNumber(*Key, L"Second", 2));
    return CT_SUCCESS(ZwFlushKey(*Key));
}

static VOID RegistryFlushLoaded(VOID)
{
    HANDLE Key;
    CT_REQUIRE(MakeFlushed(&Key));
    if (MakeCopy()) {
        FlushLoaded();
        DeleteFile(COPY);
    }
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static VOID ExpectHeld(VOID)
{
    HANDLE File;
    CT_STATUS(OpenFile(COPY, FILE_READ_DATA, FILE_OPEN, 0, &File), STATUS_SHARING_VIOLATION);
    CT_STATUS(LoadAt(OTHER, COPY), STATUS_SHARING_VIOLATION);
}

/* [RegLoadKey] the file of a loaded hive is open for nobody else: it cannot be loaded twice. */
static VOID Hold(VOID)
{
    HANDLE Key, File;
    if (CT_SUCCESS(OpenFile(COPY, FILE_READ_DATA, FILE_OPEN, 0, &File))) {
        CT_STATUS(Load(COPY), STATUS_SHARING_VIOLATION);
        CT_SUCCESS(ZwClose(File));
    }
    CT_REQUIRE(CT_SUCCESS(Load(COPY)));
    ExpectHeld();
    if (CT_SUCCESS(CtOpenKey(&Key, NULL, LOADED_TEST, 0))) {
        CT_SUCCESS(CtSetNumber(Key, L"First", 10));
        CT_SUCCESS(ZwFlushKey(Key));
        ExpectHeld(); /* the new one */
        CT_SUCCESS(ZwClose(Key));
    }
    CT_SUCCESS(Unload());
    CheckFile(COPY, 10, 2);
}

static VOID RegistryHeld(VOID)
{
    HANDLE Key;
    CT_REQUIRE(MakeFlushed(&Key));
    if (MakeCopy()) {
        Hold();
        DeleteFile(COPY);
    }
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

/* Nothing is left of the new file, the old one is as it was, the hive keeps its change. */
static VOID FailToFlush(HANDLE Key, ULONG Before)
{
    ULONG Value = 0;
    CT_STATUS(ZwFlushKey(Key), STATUS_REGISTRY_IO_FAILED);
    CT_EQUAL(Sequence(SOFTWARE), Before);
    CheckNoRest();
    CT_SUCCESS(CtGetNumber(Key, L"First", &Value));
    CT_EQUAL(Value, 7);
}

/* The old file is open, and is not replaced. */
static VOID FailAtTheName(HANDLE Key, ULONG Before)
{
    HANDLE File;
    CT_REQUIRE(CT_SUCCESS(OpenFile(SOFTWARE, FILE_READ_DATA, FILE_OPEN, 0, &File)));
    FailToFlush(Key, Before);
    CT_SUCCESS(ZwClose(File));
}

/* The file grows until there is no page left on the volume. */
static VOID FillVolume(HANDLE File)
{
    IO_STATUS_BLOCK Iosb;
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = 0};
    for (LONGLONG Step = 8 << 20; Step >= PAGE_SIZE / 2;) {
        End.EndOfFile.QuadPart += Step;
        NTSTATUS Status = ZwSetInformationFile(File, &Iosb, &End, sizeof(End), FileEndOfFileInformation);
        if (NT_SUCCESS(Status))
            continue;
        CT_STATUS(Status, STATUS_DISK_FULL);
        End.EndOfFile.QuadPart -= Step;
        Step /= 2;
    }
}

static VOID FailAtTheData(HANDLE Key, ULONG Before)
{
    HANDLE File;
    CT_REQUIRE(CT_SUCCESS(OpenFile(FILLER, FILE_WRITE_DATA | DELETE, FILE_CREATE,
                                   FILE_SYNCHRONOUS_IO_NONALERT | FILE_DELETE_ON_CLOSE, &File)));
    FillVolume(File);
    FailToFlush(Key, Before);
    CT_SUCCESS(ZwClose(File));
}

static VOID RegistryFlushFails(VOID)
{
    HANDLE Key;
    CT_REQUIRE(MakeFlushed(&Key));
    ULONG Before = Sequence(SOFTWARE);
    CT_SUCCESS(CtSetNumber(Key, L"First", 7));
    FailAtTheName(Key, Before);
    FailAtTheData(Key, Before);
    CT_SUCCESS(ZwFlushKey(Key));
    CT_CHECK(Sequence(SOFTWARE) > Before);
    CheckFile(SOFTWARE, 7, 2);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static IO_STATUS_BLOCK FolderIosb;
static ULONG64 FolderRoom[64];

static NTSTATUS WatchFolder(HANDLE Folder, HANDLE Event)
{
    return NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &FolderIosb, FolderRoom, sizeof(FolderRoom),
                                       FILE_NOTIFY_CHANGE_FILE_NAME, FALSE);
}

/* A flush that is under way has its new file open for itself alone. It is at an end when another hive's flush, here of one without a file,
 * has had its turn. */
static VOID WaitForOtherFlush(VOID)
{
    HANDLE Key;
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Hardware", 0)));
    CT_SUCCESS(ZwFlushKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

/* What changes in the folder is waited for, until the hive's file is another; at most a minute for each change. Status: of WatchFolder,
 * which was called before the hive changed. */
static VOID WaitForFlush(HANDLE Folder, HANDLE Event, ULONG Before, NTSTATUS Status)
{
    LARGE_INTEGER Minute = {.QuadPart = MINUTE};
    for (;;) {
        if (Status == STATUS_PENDING)
            Status = ZwWaitForSingleObject(Event, FALSE, &Minute);
        CT_REQUIRE(CT_STATUS(Status, STATUS_SUCCESS));
        WaitForOtherFlush();
        if (Sequence(SOFTWARE) != Before)
            return;
        Status = WatchFolder(Folder, Event);
    }
}

/* [WDK ZwFlushKey] "the system flushes key changes automatically every few seconds" */
static VOID RegistryFlushLater(VOID)
{
    HANDLE Key, Folder, Event;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_REQUIRE(CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    CT_REQUIRE(CT_SUCCESS(OpenFile(TEMP, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE, &Folder)));
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"Second", 6));
    CT_SUCCESS(ZwFlushKey(Key));
    ULONG Before = Sequence(SOFTWARE);
    NTSTATUS Watched = WatchFolder(Folder, Event);
    CT_SUCCESS(CtSetNumber(Key, L"First", 5));
    WaitForFlush(Folder, Event, Before, Watched);
    CheckFile(SOFTWARE, 5, 6);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    CT_SUCCESS(ZwClose(Folder));
    CT_SUCCESS(ZwClose(Event));
}

static const CT_CASE Cases[] = {
    {"registry.flush", RegistryFlush},
    {"registry.flush_loaded", RegistryFlushLoaded},
    {"registry.flush_later", RegistryFlushLater},
    {"registry.held", RegistryHeld},
    {"registry.flush_fails", RegistryFlushFails},
};

CT_DRIVER(Cases)
