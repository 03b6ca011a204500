/* SPDX-License-Identifier: MIT
 * Files that can be written: \SystemRoot\Temp. Creating, sharing, deleting, renaming, sizes, ranges, directories, notifications, full
 * volumes, and many threads at once. [WDK ZwCreateFile, ZwSetInformationFile, ZwLockFile, IRP_MJ_DIRECTORY_CONTROL] */
#include "ct.h"
#include "ct_crew.h"

#define TEMP L"\\SystemRoot\\Temp\\"
#define ALL_SHARE (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static ULONG_PTR Result; /* Information of the last open */

static NTSTATUS OpenAt(HANDLE Root, PCWSTR Path, ACCESS_MASK Access, ULONG Share, ULONG Disposition,
                       ULONG Options, PHANDLE Handle)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb = {{0}, 0};
    *Handle = NULL;
    RtlInitUnicodeString(&Text, Path);
    InitializeObjectAttributes(&Attributes, &Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, Root, NULL);
    NTSTATUS Status =
        ZwCreateFile(Handle, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL, Share,
                     Disposition, Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    Result = Iosb.Information;
    return Status;
}

static NTSTATUS Open(PCWSTR Path, ACCESS_MASK Access, ULONG Disposition, ULONG Options, PHANDLE Handle)
{
    return OpenAt(NULL, Path, Access, ALL_SHARE, Disposition, Options, Handle);
}

#define ALL_ACCESS (FILE_GENERIC_READ | FILE_GENERIC_WRITE | DELETE)

static HANDLE Make(PCWSTR Path, ULONG Options)
{
    HANDLE Handle;
    CT_SUCCESS(Open(Path, ALL_ACCESS, FILE_CREATE, Options, &Handle));
    CT_EQUAL(Result, FILE_CREATED);
    return Handle;
}

static NTSTATUS Delete(PCWSTR Path)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    RtlInitUnicodeString(&Text, Path);
    InitializeObjectAttributes(&Attributes, &Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwDeleteFile(&Attributes);
}

static NTSTATUS Put(HANDLE Handle, LONGLONG At, PCSTR Text, ULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = At};
    return ZwWriteFile(Handle, NULL, NULL, NULL, &Iosb, (PVOID)Text, Length, &Offset, NULL);
}

static NTSTATUS Get(HANDLE Handle, LONGLONG At, PVOID To, ULONG Length, ULONG_PTR *Got)
{
    IO_STATUS_BLOCK Iosb = {{0}, 0};
    LARGE_INTEGER Offset = {.QuadPart = At};
    NTSTATUS Status = ZwReadFile(Handle, NULL, NULL, NULL, &Iosb, To, Length, &Offset, NULL);
    *Got = Iosb.Information;
    return Status;
}

static NTSTATUS Set(HANDLE Handle, FILE_INFORMATION_CLASS Class, PVOID Buffer, ULONG Length)
{
    IO_STATUS_BLOCK Iosb;
    return ZwSetInformationFile(Handle, &Iosb, Buffer, Length, Class);
}

static NTSTATUS SetDelete(HANDLE Handle, BOOLEAN Value)
{
    FILE_DISPOSITION_INFORMATION Disposition = {Value};
    return Set(Handle, FileDispositionInformation, &Disposition, sizeof(Disposition));
}

static FILE_STANDARD_INFORMATION Standard(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    FILE_STANDARD_INFORMATION Information = {.EndOfFile.QuadPart = -1};
    CT_SUCCESS(
        ZwQueryInformationFile(Handle, &Iosb, &Information, sizeof(Information), FileStandardInformation));
    return Information;
}

/* --- names and dispositions --- */

static VOID RamfsCreate(VOID)
{
    HANDLE File, Other;
    File = Make(TEMP L"Create.txt", 0);
    CT_STATUS(Open(TEMP L"CREATE.TXT", FILE_READ_DATA, FILE_CREATE, 0, &Other), STATUS_OBJECT_NAME_COLLISION);
    CT_SUCCESS(Open(TEMP L"create.TXT", FILE_READ_DATA, FILE_OPEN_IF, 0, &Other));
    CT_EQUAL(Result, FILE_OPENED);
    ZwClose(Other);
    CT_SUCCESS(Put(File, 0, "12345", 5));
    CT_SUCCESS(Open(TEMP L"create.TXT", FILE_READ_DATA, FILE_OVERWRITE, 0, &Other));
    CT_EQUAL(Result, FILE_OVERWRITTEN);
    CT_EQUAL(Standard(File).EndOfFile.QuadPart, 0);
    ZwClose(Other);
    CT_SUCCESS(Open(TEMP L"create.TXT", FILE_READ_DATA, FILE_SUPERSEDE, 0, &Other));
    CT_EQUAL(Result, FILE_SUPERSEDED);
    ZwClose(Other);
    ZwClose(File);
    CT_STATUS(Open(TEMP L"none", FILE_READ_DATA, FILE_OPEN, 0, &Other), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(Open(TEMP L"none", FILE_READ_DATA, FILE_OVERWRITE, 0, &Other), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(Open(TEMP L"none\\x", FILE_READ_DATA, FILE_CREATE, 0, &Other), STATUS_OBJECT_PATH_NOT_FOUND);
    CT_STATUS(Open(TEMP L"create.txt\\x", FILE_READ_DATA, FILE_CREATE, 0, &Other),
              STATUS_OBJECT_PATH_NOT_FOUND);
    CT_STATUS(Open(TEMP L"create.txt", FILE_READ_DATA, FILE_OPEN, FILE_DIRECTORY_FILE, &Other),
              STATUS_NOT_A_DIRECTORY);
    CT_SUCCESS(Delete(TEMP L"create.txt"));
}

static VOID RamfsNames(VOID)
{
    static const PCWSTR Bad[] = {TEMP L"a*b",       TEMP L"a?b",    TEMP L"a:b",   TEMP L"..",
                                 TEMP L".\\x",      TEMP L"a\\\\b", TEMP L"a\x1f", TEMP L"..\\x",
                                 TEMP L"none\\a|b", TEMP L"a<b"};
    static WCHAR Long[300];
    HANDLE Handle;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Bad); i++)
        CT_STATUS(Open(Bad[i], FILE_READ_DATA, FILE_OPEN_IF, 0, &Handle), STATUS_OBJECT_NAME_INVALID);
    ULONG Prefix = sizeof(TEMP) / sizeof(WCHAR) - 1;
    RtlCopyMemory(Long, TEMP, Prefix * sizeof(WCHAR));
    for (ULONG i = 0; i < 255; i++)
        Long[Prefix + i] = L'x';
    CT_SUCCESS(Open(Long, ALL_ACCESS, FILE_CREATE, FILE_DELETE_ON_CLOSE, &Handle));
    ZwClose(Handle);
    Long[Prefix + 255] = L'x';
    CT_STATUS(Open(Long, ALL_ACCESS, FILE_CREATE, 0, &Handle), STATUS_OBJECT_NAME_INVALID);
    CT_SUCCESS(Open(L"\\SystemRoot\\Temp", FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE, &Handle));
    ZwClose(Handle);
    CT_STATUS(Open(L"\\SystemRoot\\Temp\\f\\", ALL_ACCESS, FILE_CREATE, 0, &Handle),
              STATUS_OBJECT_NAME_INVALID);
}

#define LEVELS 300

/* A folder in a folder, many levels down, through relative opens; deleted from the bottom up. */
static VOID RamfsDeep(VOID)
{
    static HANDLE Chain[LEVELS + 1];
    ULONG64 Room[8];
    IO_STATUS_BLOCK Iosb;
    HANDLE Other;
    Chain[0] = Make(TEMP L"deep", FILE_DIRECTORY_FILE);
    for (ULONG i = 0; i < LEVELS; i++)
        CT_REQUIRE(NT_SUCCESS(
            OpenAt(Chain[i], L"d", ALL_ACCESS, ALL_SHARE, FILE_CREATE, FILE_DIRECTORY_FILE, &Chain[i + 1])));
    CT_STATUS(ZwQueryInformationFile(Chain[LEVELS], &Iosb, Room, sizeof(Room), FileNameInformation),
              STATUS_BUFFER_OVERFLOW);
    FILE_NAME_INFORMATION *Name = (PVOID)Room;
    CT_EQUAL(Name->FileNameLength, (5 + 2 * LEVELS) * sizeof(WCHAR));
    CT_SUCCESS(Delete(TEMP L"deep")); /* delete-on-close of a folder that is not empty does nothing */
    for (ULONG i = LEVELS + 1; i-- != 0;) {
        CT_SUCCESS(SetDelete(Chain[i], TRUE));
        ZwClose(Chain[i]);
    }
    CT_STATUS(Open(TEMP L"deep", ALL_ACCESS, FILE_OPEN, 0, &Other), STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID RamfsShare(VOID)
{
    HANDLE First, Second;
    CT_SUCCESS(OpenAt(NULL, TEMP L"share", FILE_WRITE_DATA, FILE_SHARE_READ, FILE_CREATE, 0, &First));
    CT_STATUS(OpenAt(NULL, TEMP L"share", FILE_WRITE_DATA, ALL_SHARE, FILE_OPEN, 0, &Second),
              STATUS_SHARING_VIOLATION);
    CT_STATUS(OpenAt(NULL, TEMP L"share", FILE_READ_DATA, FILE_SHARE_READ, FILE_OPEN, 0, &Second),
              STATUS_SHARING_VIOLATION);
    CT_STATUS(OpenAt(NULL, TEMP L"share", DELETE, ALL_SHARE, FILE_OPEN, 0, &Second),
              STATUS_SHARING_VIOLATION);
    CT_SUCCESS(OpenAt(NULL, TEMP L"share", FILE_READ_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0,
                      &Second));
    ZwClose(Second);
    ZwClose(First);
    CT_SUCCESS(Delete(TEMP L"share"));
}

/* --- contents --- */

static VOID RamfsContents(VOID)
{
    HANDLE File = Make(TEMP L"data", 0);
    UCHAR Buffer[64];
    ULONG_PTR Got;
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = 5000};
    CT_SUCCESS(Put(File, 4090, "0123456789", 10)); /* over a page's end, behind a hole */
    CT_EQUAL(Standard(File).EndOfFile.QuadPart, 4100);
    CT_SUCCESS(Get(File, 4088, Buffer, sizeof(Buffer), &Got));
    CT_CHECK(Got == 12 && Buffer[0] == 0 && Buffer[2] == '0' && Buffer[11] == '9');
    CT_STATUS(Get(File, 4100, Buffer, 1, &Got), STATUS_END_OF_FILE);
    CT_SUCCESS(Set(File, FileEndOfFileInformation, &End, sizeof(End)));
    CT_SUCCESS(Get(File, 4098, Buffer, 4, &Got));
    CT_CHECK(Got == 4 && Buffer[1] == '9' && Buffer[2] == 0);
    End.EndOfFile.QuadPart = 4095;
    CT_SUCCESS(Set(File, FileEndOfFileInformation, &End, sizeof(End)));
    End.EndOfFile.QuadPart = 4100;
    CT_SUCCESS(Set(File, FileEndOfFileInformation, &End, sizeof(End)));
    CT_SUCCESS(Get(File, 4094, Buffer, 4, &Got));
    CT_CHECK(Buffer[0] == '4' && Buffer[1] == 0 && Buffer[3] == 0); /* what was cut off does not come back */
    End.EndOfFile.QuadPart = -1;
    CT_STATUS(Set(File, FileEndOfFileInformation, &End, sizeof(End)), STATUS_INVALID_PARAMETER);
    CT_CHECK(Standard(File).AllocationSize.QuadPart >= 4100);
    ZwClose(File);
    CT_SUCCESS(Delete(TEMP L"data"));
}

/* To the end, by offset and by a handle that may only append. */
static VOID RamfsAppend(VOID)
{
    HANDLE File = Make(TEMP L"append", 0), Appender;
    UCHAR Buffer[8];
    ULONG_PTR Got;
    IO_STATUS_BLOCK Iosb;
    CT_SUCCESS(Put(File, 0, "ab", 2));
    LARGE_INTEGER End = {.LowPart = FILE_WRITE_TO_END_OF_FILE, .HighPart = -1};
    CT_SUCCESS(ZwWriteFile(File, NULL, NULL, NULL, &Iosb, "c", 1, &End, NULL));
    FILE_POSITION_INFORMATION Position;
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, &Position, sizeof(Position), FilePositionInformation));
    CT_EQUAL(Position.CurrentByteOffset.QuadPart, 3);
    CT_SUCCESS(Open(TEMP L"append", FILE_APPEND_DATA, FILE_OPEN, 0, &Appender));
    CT_SUCCESS(Put(Appender, 0, "d", 1));
    ZwClose(Appender);
    CT_SUCCESS(Get(File, 0, Buffer, sizeof(Buffer), &Got));
    CT_CHECK(Got == 4 && RtlCompareMemory(Buffer, "abcd", 4) == 4);
    ZwClose(File);
    CT_SUCCESS(Delete(TEMP L"append"));
}

/* The registry's hives lie on the volume too: none has to be written while space is counted. */
static VOID FlushRegistry(VOID)
{
    static const PCWSTR Keys[] = {L"\\Registry\\Machine\\System", L"\\Registry\\Machine\\Software",
                                  L"\\Registry\\User\\.Default"};
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Text;
    HANDLE Key;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Keys); i++) {
        RtlInitUnicodeString(&Text, Keys[i]);
        InitializeObjectAttributes(&Attributes, &Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
        CT_REQUIRE(CT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)));
        CT_SUCCESS(ZwFlushKey(Key));
        CT_SUCCESS(ZwClose(Key));
    }
}

static VOID RamfsFull(VOID)
{
    FlushRegistry();
    HANDLE File = Make(TEMP L"full", 0);
    FILE_FS_SIZE_INFORMATION Size, After;
    IO_STATUS_BLOCK Iosb;
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = 1ll << 40};
    CT_SUCCESS(ZwQueryVolumeInformationFile(File, &Iosb, &Size, sizeof(Size), FileFsSizeInformation));
    CT_STATUS(Set(File, FileEndOfFileInformation, &End, sizeof(End)), STATUS_DISK_FULL);
    End.EndOfFile.QuadPart =
        Size.TotalAllocationUnits.QuadPart * Size.SectorsPerAllocationUnit * Size.BytesPerSector;
    CT_STATUS(Set(File, FileEndOfFileInformation, &End, sizeof(End)), STATUS_DISK_FULL);
    CT_STATUS(Put(File, 1ll << 40, "x", 1), STATUS_DISK_FULL);
    CT_EQUAL(Standard(File).EndOfFile.QuadPart, 0);
    CT_SUCCESS(ZwQueryVolumeInformationFile(File, &Iosb, &After, sizeof(After), FileFsSizeInformation));
    CT_EQUAL(After.AvailableAllocationUnits.QuadPart, Size.AvailableAllocationUnits.QuadPart);
    ZwClose(File);
    CT_SUCCESS(Delete(TEMP L"full"));
}

/* --- deleting and renaming --- */

static VOID RamfsDelete(VOID)
{
    HANDLE File = Make(TEMP L"gone", 0), Second, Folder;
    UCHAR Buffer[8];
    ULONG_PTR Got;
    CT_SUCCESS(Put(File, 0, "abc", 3));
    CT_SUCCESS(Open(TEMP L"gone", ALL_ACCESS, FILE_OPEN, 0, &Second));
    CT_SUCCESS(SetDelete(Second, TRUE));
    CT_CHECK(Standard(File).DeletePending && Standard(File).NumberOfLinks == 0);
    HANDLE Third;
    CT_STATUS(Open(TEMP L"gone", ALL_ACCESS, FILE_OPEN_IF, 0, &Third), STATUS_DELETE_PENDING);
    ZwClose(Second);
    CT_SUCCESS(Get(File, 0, Buffer, 3, &Got)); /* until its last handle is closed */
    CT_EQUAL(Got, 3);
    ZwClose(File);
    CT_STATUS(Open(TEMP L"gone", ALL_ACCESS, FILE_OPEN, 0, &Third), STATUS_OBJECT_NAME_NOT_FOUND);
    Folder = Make(TEMP L"folder", FILE_DIRECTORY_FILE);
    File = Make(TEMP L"folder\\inner", FILE_DELETE_ON_CLOSE);
    CT_STATUS(SetDelete(Folder, TRUE), STATUS_DIRECTORY_NOT_EMPTY);
    ZwClose(File);
    CT_SUCCESS(SetDelete(Folder, TRUE));
    CT_STATUS(Open(TEMP L"folder\\new", ALL_ACCESS, FILE_CREATE, 0, &File), STATUS_DELETE_PENDING);
    CT_SUCCESS(SetDelete(Folder, FALSE));
    ZwClose(Folder);
    CT_SUCCESS(Delete(TEMP L"folder"));
}

static ACCESS_MASK Granted(HANDLE Handle)
{
    IO_STATUS_BLOCK Iosb;
    FILE_ACCESS_INFORMATION Access = {0};
    CT_SUCCESS(ZwQueryInformationFile(Handle, &Iosb, &Access, sizeof(Access), FileAccessInformation));
    return Access.AccessFlags;
}

static VOID RamfsReadOnly(VOID)
{
    HANDLE File = Make(TEMP L"readonly", 0), Other;
    FILE_BASIC_INFORMATION Basic = {.FileAttributes = FILE_ATTRIBUTE_READONLY};
    CT_SUCCESS(Set(File, FileBasicInformation, &Basic, sizeof(Basic)));
    CT_STATUS(SetDelete(File, TRUE), STATUS_CANNOT_DELETE);
    CT_STATUS(Delete(TEMP L"readonly"), STATUS_CANNOT_DELETE);
    CT_STATUS(Open(TEMP L"readonly", FILE_WRITE_DATA, FILE_OPEN, 0, &Other), STATUS_ACCESS_DENIED);
    CT_SUCCESS(Put(File, 0, "12345", 5)); /* by the handle that was there before */
    CT_STATUS(Open(TEMP L"readonly", FILE_READ_DATA, FILE_OVERWRITE, 0, &Other), STATUS_ACCESS_DENIED);
    CT_STATUS(Open(TEMP L"readonly", FILE_READ_DATA, FILE_OVERWRITE_IF, 0, &Other), STATUS_ACCESS_DENIED);
    CT_STATUS(Open(TEMP L"readonly", FILE_READ_DATA, FILE_SUPERSEDE, 0, &Other), STATUS_ACCESS_DENIED);
    CT_EQUAL(Standard(File).EndOfFile.QuadPart, 5);
    CT_SUCCESS(Open(TEMP L"readonly", MAXIMUM_ALLOWED, FILE_OPEN, 0, &Other)); /* what there is */
    CT_EQUAL(Granted(Other), FILE_ALL_ACCESS & ~(FILE_WRITE_DATA | FILE_APPEND_DATA));
    ZwClose(Other);
    CT_SUCCESS(Open(L"\\SystemRoot\\System32\\ntoskrnl.exe", MAXIMUM_ALLOWED, FILE_OPEN, 0,
                    &Other)); /* a medium that is */
    CT_EQUAL(Granted(Other) & (FILE_READ_DATA | FILE_WRITE_DATA | DELETE), FILE_READ_DATA);
    ZwClose(Other);
    Basic.FileAttributes = FILE_ATTRIBUTE_NORMAL;
    CT_SUCCESS(Set(File, FileBasicInformation, &Basic, sizeof(Basic)));
    Basic.FileAttributes = FILE_ATTRIBUTE_DIRECTORY;
    CT_STATUS(Set(File, FileBasicInformation, &Basic, sizeof(Basic)), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(SetDelete(File, TRUE));
    ZwClose(File);
}

static NTSTATUS Rename(HANDLE File, HANDLE Root, PCWSTR To, BOOLEAN Replace)
{
    ULONG64 Room[64] = {0};
    FILE_RENAME_INFORMATION *Information = (PVOID)Room;
    UNICODE_STRING Name;
    RtlInitUnicodeString(&Name, To);
    Information->ReplaceIfExists = Replace;
    Information->RootDirectory = Root;
    Information->FileNameLength = Name.Length;
    RtlCopyMemory(Information->FileName, Name.Buffer, Name.Length);
    return Set(File, FileRenameInformation, Information,
               FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) + max(Name.Length, 8));
}

static BOOLEAN HasName(HANDLE File, PCWSTR Expected)
{
    ULONG64 Room[32];
    IO_STATUS_BLOCK Iosb;
    FILE_NAME_INFORMATION *Name = (PVOID)Room;
    UNICODE_STRING Text, Found;
    if (!NT_SUCCESS(ZwQueryInformationFile(File, &Iosb, Room, sizeof(Room), FileNameInformation)))
        return FALSE;
    RtlInitUnicodeString(&Text, Expected);
    Found = (UNICODE_STRING){(USHORT)Name->FileNameLength, (USHORT)Name->FileNameLength, Name->FileName};
    return RtlEqualUnicodeString(&Found, &Text, FALSE);
}

static VOID RamfsRename(VOID)
{
    HANDLE File = Make(TEMP L"one", 0), Other = Make(TEMP L"two", 0),
           Folder = Make(TEMP L"dir", FILE_DIRECTORY_FILE);
    CT_SUCCESS(Rename(File, NULL, L"ONE", FALSE)); /* case only */
    CT_CHECK(HasName(File, L"\\ONE"));
    CT_STATUS(Rename(File, NULL, L"two", FALSE), STATUS_OBJECT_NAME_COLLISION);
    CT_STATUS(Rename(File, NULL, L"two", TRUE), STATUS_ACCESS_DENIED); /* it is open */
    ZwClose(Other);
    CT_SUCCESS(Rename(File, NULL, L"two", TRUE));
    CT_SUCCESS(Rename(File, NULL, TEMP L"dir\\three", FALSE));
    CT_CHECK(HasName(File, L"\\dir\\three"));
    CT_STATUS(Rename(Folder, NULL, L"dir2", FALSE), STATUS_ACCESS_DENIED); /* something below is open */
    CT_SUCCESS(Rename(File, Folder, L"four", FALSE));
    CT_CHECK(HasName(File, L"\\dir\\four"));
    CT_STATUS(Rename(File, NULL, L"a*", FALSE), STATUS_OBJECT_NAME_INVALID);
    /* without a folder it is a name, not a path */
    CT_STATUS(Rename(File, NULL, L"dir\\five", FALSE), STATUS_OBJECT_NAME_INVALID);
    CT_STATUS(Rename(File, NULL, L"five\\", FALSE), STATUS_OBJECT_NAME_INVALID);
    CT_STATUS(Rename(File, NULL, L"\\SystemRoot\\System32\\x", FALSE), STATUS_MEDIA_WRITE_PROTECTED);
    CT_STATUS(Rename(File, NULL, L"\\Device\\Null", FALSE), STATUS_NOT_SAME_DEVICE);
    CT_STATUS(Rename(File, NULL, TEMP L"none\\x", FALSE), STATUS_OBJECT_PATH_NOT_FOUND);
    CT_SUCCESS(SetDelete(File, TRUE));
    ZwClose(File);
    CT_STATUS(Rename(Folder, NULL, TEMP L"dir\\below", FALSE), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(Rename(Folder, NULL, L"dir2", FALSE));
    CT_SUCCESS(SetDelete(Folder, TRUE));
    ZwClose(Folder);
    CT_STATUS(Open(TEMP L"two", FILE_READ_DATA, FILE_OPEN, 0, &File), STATUS_OBJECT_NAME_NOT_FOUND);
}

/* --- many names --- */

#define MANY 1500u /* more than there are places in the table of names */

/* "many\\x0000", or with X. */
static PCWSTR ManyName(ULONG Number, BOOLEAN Upper)
{
    static WCHAR Name[] = TEMP L"many\\x0000";
    WCHAR *Digit = &Name[RTL_NUMBER_OF(Name) - 2];
    Digit[-4] = Upper ? L'X' : L'x';
    for (ULONG i = 0; i < 4; i++, Number /= 10)
        *Digit-- = (WCHAR)(L'0' + Number % 10);
    return Name;
}

static VOID RamfsMany(VOID)
{
    HANDLE Folder = Make(TEMP L"many", FILE_DIRECTORY_FILE), File;
    ULONG Missing = 0, Left = 0;
    for (ULONG i = 0; i < MANY; i++)
        ZwClose(Make(ManyName(i, FALSE), 0));
    for (ULONG i = 0; i < MANY; i++) {
        if (NT_SUCCESS(Open(ManyName(i, TRUE), FILE_READ_DATA, FILE_OPEN, 0, &File)))
            ZwClose(File);
        else
            Missing++;
    }
    CT_EQUAL(Missing, 0);
    for (ULONG i = 0; i < MANY; i++)
        Left += !NT_SUCCESS(Delete(ManyName(i, i % 2 == 0)));
    CT_EQUAL(Left, 0);
    CT_STATUS(Open(ManyName(7, FALSE), FILE_READ_DATA, FILE_OPEN, 0, &File), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(SetDelete(Folder, TRUE));
    ZwClose(Folder);
}

/* --- ranges --- */

static NTSTATUS LockRange(HANDLE File, LONGLONG At, LONGLONG Length, BOOLEAN Exclusive)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = At}, Size = {.QuadPart = Length};
    return ZwLockFile(File, NULL, NULL, NULL, &Iosb, &Offset, &Size, 0, TRUE, Exclusive);
}

static NTSTATUS UnlockRange(HANDLE File, LONGLONG At, LONGLONG Length)
{
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = At}, Size = {.QuadPart = Length};
    return ZwUnlockFile(File, &Iosb, &Offset, &Size, 0);
}

static VOID RamfsRanges(VOID)
{
    HANDLE File = Make(TEMP L"ranges", 0), Other;
    UCHAR Buffer[4];
    ULONG_PTR Got;
    CT_SUCCESS(Open(TEMP L"ranges", ALL_ACCESS, FILE_OPEN, 0, &Other));
    CT_SUCCESS(Put(File, 0, "0123456789", 10));
    CT_SUCCESS(LockRange(File, 2, 4, TRUE));
    CT_STATUS(LockRange(Other, 5, 1, FALSE), STATUS_LOCK_NOT_GRANTED);
    CT_STATUS(LockRange(File, 3, 1, TRUE), STATUS_LOCK_NOT_GRANTED);
    CT_SUCCESS(LockRange(Other, 6, 1, TRUE));
    CT_SUCCESS(UnlockRange(Other, 6, 1));
    CT_STATUS(Get(Other, 1, Buffer, 2, &Got), STATUS_FILE_LOCK_CONFLICT);
    CT_SUCCESS(Get(Other, 0, Buffer, 2, &Got));
    CT_SUCCESS(Put(File, 3, "x", 1));
    CT_STATUS(Put(Other, 3, "x", 1), STATUS_FILE_LOCK_CONFLICT);
    CT_STATUS(UnlockRange(Other, 2, 4), STATUS_RANGE_NOT_LOCKED);
    CT_STATUS(UnlockRange(File, 2, 3), STATUS_RANGE_NOT_LOCKED);
    CT_SUCCESS(LockRange(File, 2, 4, FALSE)); /* over one's own exclusive one; the first unlock ends that */
    CT_SUCCESS(UnlockRange(File, 2, 4));
    CT_SUCCESS(LockRange(Other, 2, 1, FALSE));
    CT_STATUS(Put(File, 2, "x", 1), STATUS_FILE_LOCK_CONFLICT); /* a shared lock keeps all writers out */
    CT_SUCCESS(Get(File, 2, Buffer, 1, &Got));
    CT_STATUS(LockRange(File, -1, 2, TRUE), STATUS_INVALID_LOCK_RANGE);
    ZwClose(Other); /* its locks go */
    CT_SUCCESS(UnlockRange(File, 2, 4));
    CT_SUCCESS(LockRange(File, 0, MAXLONGLONG, TRUE));
    CT_SUCCESS(SetDelete(File, TRUE));
    ZwClose(File);
}

/* --- waiting: on a file that was opened for asynchronous requests --- */

static HANDLE OpenAsynchronous(PCWSTR Path, ULONG Options)
{
    UNICODE_STRING Text;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE Handle = NULL;
    RtlInitUnicodeString(&Text, Path);
    InitializeObjectAttributes(&Attributes, &Text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    CT_SUCCESS(ZwCreateFile(&Handle, ALL_ACCESS, &Attributes, &Iosb, NULL, 0, ALL_SHARE, FILE_OPEN_IF,
                            Options, NULL, 0));
    return Handle;
}

static HANDLE MakeEvent(VOID)
{
    HANDLE Event = NULL;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE));
    return Event;
}

static NTSTATUS WaitFor(HANDLE Event)
{
    LARGE_INTEGER Timeout = {.QuadPart = -20 * 10000000ll};
    return ZwWaitForSingleObject(Event, FALSE, &Timeout);
}

static VOID RamfsLockWaits(VOID)
{
    HANDLE File = OpenAsynchronous(TEMP L"waits", 0), Other = OpenAsynchronous(TEMP L"waits", 0),
           Event = MakeEvent();
    IO_STATUS_BLOCK Iosb = {{0}, 0}, Second;
    LARGE_INTEGER Offset = {.QuadPart = 0}, Length = {.QuadPart = 10};
    CT_SUCCESS(ZwLockFile(File, NULL, NULL, NULL, &Second, &Offset, &Length, 0, TRUE, TRUE));
    CT_STATUS(ZwLockFile(Other, Event, NULL, NULL, &Iosb, &Offset, &Length, 0, FALSE, TRUE), STATUS_PENDING);
    CT_SUCCESS(ZwUnlockFile(File, &Second, &Offset, &Length, 0));
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_SUCCESS);
    CT_STATUS(ZwLockFile(File, Event, NULL, NULL, &Iosb, &Offset, &Length, 0, FALSE, FALSE), STATUS_PENDING);
    CT_SUCCESS(ZwClose(File)); /* it waits no longer */
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_CANCELLED);
    ZwClose(Other);
    ZwClose(Event);
    CT_SUCCESS(Delete(TEMP L"waits"));
}

static BOOLEAN IsChange(PVOID At, ULONG Action, PCWSTR Name)
{
    FILE_NOTIFY_INFORMATION *Change = At;
    UNICODE_STRING Text,
        Found = {(USHORT)Change->FileNameLength, (USHORT)Change->FileNameLength, Change->FileName};
    RtlInitUnicodeString(&Text, Name);
    return Change->Action == Action && RtlEqualUnicodeString(&Found, &Text, FALSE);
}

static PVOID NextChange(PVOID At)
{
    return (PUCHAR)At + ((FILE_NOTIFY_INFORMATION *)At)->NextEntryOffset;
}

static VOID RamfsNotify(VOID)
{
    HANDLE Folder, File, Event = MakeEvent();
    ULONG64 Room[64];
    IO_STATUS_BLOCK Iosb;
    ZwClose(Make(TEMP L"watched", FILE_DIRECTORY_FILE));
    Folder = OpenAsynchronous(TEMP L"watched", FILE_DIRECTORY_FILE);
    CT_STATUS(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Room, sizeof(Room),
                                          FILE_NOTIFY_CHANGE_FILE_NAME, FALSE),
              STATUS_PENDING);
    ZwClose(Make(TEMP L"unwatched", FILE_DELETE_ON_CLOSE));
    File = Make(TEMP L"watched\\new", 0);
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_SUCCESS);
    CT_CHECK(IsChange(Room, FILE_ACTION_ADDED, L"new"));
    /* what comes while no request waits is kept */
    CT_SUCCESS(Put(File, 0, "x", 1)); /* not asked for */
    CT_SUCCESS(Rename(File, NULL, L"newer", FALSE));
    CT_SUCCESS(NtNotifyChangeDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Room, sizeof(Room),
                                           FILE_NOTIFY_CHANGE_FILE_NAME, FALSE) == STATUS_PENDING
                   ? WaitFor(Folder)
                   : STATUS_SUCCESS);
    CT_CHECK(IsChange(Room, FILE_ACTION_RENAMED_OLD_NAME, L"new"));
    CT_CHECK(IsChange(NextChange(Room), FILE_ACTION_RENAMED_NEW_NAME, L"newer"));
    /* too much for the buffer: look at the folder again */
    for (ULONG i = 0; i < 20; i++)
        CT_SUCCESS(Rename(File, NULL, i % 2 ? L"newer" : L"newest", FALSE));
    (void)NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Room, sizeof(Room),
                                      FILE_NOTIFY_CHANGE_FILE_NAME, FALSE);
    CT_SUCCESS(WaitFor(Event));
    CT_CHECK(Iosb.Status == STATUS_NOTIFY_ENUM_DIR && Iosb.Information == 0);
    /* the end of the handle */
    CT_STATUS(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Room, sizeof(Room),
                                          FILE_NOTIFY_CHANGE_FILE_NAME, FALSE),
              STATUS_PENDING);
    ZwClose(Folder);
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_NOTIFY_CLEANUP);
    CT_SUCCESS(SetDelete(File, TRUE));
    ZwClose(File);
    ZwClose(Event);
    CT_SUCCESS(Delete(TEMP L"watched"));
}

static HANDLE Watch(PCWSTR Path, HANDLE Event, PIO_STATUS_BLOCK Iosb, PVOID Room, ULONG Length)
{
    HANDLE Folder = OpenAsynchronous(Path, FILE_DIRECTORY_FILE);
    CT_STATUS(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, Iosb, Room, Length,
                                          FILE_NOTIFY_CHANGE_FILE_NAME, FALSE),
              STATUS_PENDING);
    return Folder;
}

/* [WDK IoCompletion routine] a filter may come back to the file system. */
static NTSTATUS NTAPI ComeBack(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    HANDLE Handle;
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    if (CT_CHECK(!KeAreAllApcsDisabled()) && /* else it would wait for itself */
        CT_SUCCESS(Open(L"\\SystemRoot\\Temp", FILE_LIST_DIRECTORY, FILE_OPEN, 0, &Handle)))
        ZwClose(Handle);
    ++*(ULONG *)Context;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID SendWatch(PIRP Irp, PFILE_OBJECT Folder, PULONG Came)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(Folder);
    IoReuseIrp(Irp, STATUS_SUCCESS);
    PIO_STACK_LOCATION Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_DIRECTORY_CONTROL;
    Stack->MinorFunction = IRP_MN_NOTIFY_CHANGE_DIRECTORY;
    Stack->FileObject = Folder;
    Stack->Parameters.NotifyDirectory.CompletionFilter = FILE_NOTIFY_CHANGE_FILE_NAME;
    IoSetCompletionRoutine(Irp, ComeBack, Came, TRUE, TRUE, TRUE);
    CT_STATUS(IoCallDriver(Device, Irp), STATUS_PENDING);
}

/* Watches end with no lock held: by a change, and before they could wait. */
static VOID RamfsNotifyEnds(VOID)
{
    PFILE_OBJECT File = NULL;
    ULONG Came = 0;
    HANDLE Folder = Make(TEMP L"ends", FILE_DIRECTORY_FILE);
    CT_SUCCESS(ObReferenceObjectByHandle(Folder, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL));
    PIRP Irp = IoAllocateIrp(IoGetRelatedDeviceObject(File)->StackSize, FALSE);
    CT_REQUIRE(Irp != NULL);
    SendWatch(Irp, File, &Came);
    CT_EQUAL(Came, 0);
    ZwClose(Make(TEMP L"ends\\made", 0));
    CT_EQUAL(Came, 1);
    CT_STATUS(Irp->IoStatus.Status, STATUS_NOTIFY_ENUM_DIR);
    CT_SUCCESS(Delete(TEMP L"ends\\made")); /* while nobody waits */
    SendWatch(Irp, File, &Came);
    CT_EQUAL(Came, 2);
    IoFreeIrp(Irp);
    ObDereferenceObject(File);
    CT_SUCCESS(SetDelete(Folder, TRUE));
    ZwClose(Folder);
}

/* A folder that was watched is watched again after the one above it got another name. */
static VOID RamfsNotifyMoved(VOID)
{
    HANDLE Folder, Event = MakeEvent();
    ULONG64 Room[32];
    IO_STATUS_BLOCK Iosb;
    ZwClose(Make(TEMP L"above", FILE_DIRECTORY_FILE));
    ZwClose(Make(TEMP L"above\\below", FILE_DIRECTORY_FILE));
    ZwClose(Watch(TEMP L"above\\below", Event, &Iosb, Room, sizeof(Room)));
    Folder = OpenAsynchronous(TEMP L"above", FILE_DIRECTORY_FILE);
    CT_SUCCESS(Rename(Folder, NULL, L"moved", FALSE));
    ZwClose(Folder);
    Folder = Watch(TEMP L"moved\\below", Event, &Iosb, Room, sizeof(Room));
    ZwClose(Make(TEMP L"moved\\below\\x", FILE_DELETE_ON_CLOSE));
    CT_STATUS(Iosb.Status, STATUS_SUCCESS); /* the change has ended it already */
    CT_CHECK(IsChange(Room, FILE_ACTION_ADDED, L"x"));
    ZwClose(Folder);
    ZwClose(Event);
    CT_SUCCESS(Delete(TEMP L"moved\\below"));
    CT_SUCCESS(Delete(TEMP L"moved"));
}

/* Below too; a request that is cancelled ends; the folder's end ends it. */
static VOID RamfsNotifyTree(VOID)
{
    HANDLE Folder, Event = MakeEvent();
    ULONG64 Room[32];
    IO_STATUS_BLOCK Iosb, Cancelled;
    ZwClose(Make(TEMP L"tree", FILE_DIRECTORY_FILE));
    Folder = OpenAsynchronous(TEMP L"tree", FILE_DIRECTORY_FILE);
    CT_STATUS(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Room, sizeof(Room),
                                          FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_SIZE, TRUE),
              STATUS_PENDING);
    CT_SUCCESS(ZwCancelIoFile(Folder, &Cancelled));
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_CANCELLED);
    ZwClose(Make(TEMP L"tree\\sub", FILE_DIRECTORY_FILE)); /* a folder's name was not asked for */
    CT_STATUS(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Room, sizeof(Room),
                                          FILE_NOTIFY_CHANGE_FILE_NAME, TRUE),
              STATUS_PENDING);
    ZwClose(Make(TEMP L"tree\\sub\\x", FILE_DELETE_ON_CLOSE));
    CT_SUCCESS(WaitFor(Event));
    CT_CHECK(IsChange(Room, FILE_ACTION_ADDED, L"sub\\x"));
    CT_SUCCESS(Delete(TEMP L"tree\\sub"));
    (void)NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Room, sizeof(Room), 1,
                                      TRUE); /* the removal */
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(NtNotifyChangeDirectoryFile(Folder, Event, NULL, NULL, &Iosb, Room, sizeof(Room), 1, TRUE),
              STATUS_PENDING);
    CT_SUCCESS(SetDelete(Folder, TRUE));
    CT_SUCCESS(WaitFor(Event));
    CT_STATUS(Iosb.Status, STATUS_DELETE_PENDING);
    ZwClose(Folder);
    ZwClose(Event);
}

/* The folder is a mount point of the boot volume, which can be asked where it leads. */
static VOID RamfsReparse(VOID)
{
    HANDLE Folder;
    IO_STATUS_BLOCK Iosb;
    ULONG64 Room[64];
    REPARSE_DATA_BUFFER *Data = (PVOID)Room;
    UNICODE_STRING Expected = RTL_CONSTANT_STRING(L"\\Device\\RamDisk0");
    CT_SUCCESS(
        Open(L"\\SystemRoot\\Temp", FILE_READ_ATTRIBUTES, FILE_OPEN, FILE_OPEN_REPARSE_POINT, &Folder));
    CT_SUCCESS(ZwFsControlFile(Folder, NULL, NULL, NULL, &Iosb, FSCTL_GET_REPARSE_POINT, NULL, 0, Room,
                               sizeof(Room)));
    CT_EQUAL(Data->ReparseTag, IO_REPARSE_TAG_MOUNT_POINT);
    CT_EQUAL(Iosb.Information, REPARSE_DATA_BUFFER_HEADER_SIZE + Data->ReparseDataLength);
    UNICODE_STRING Found = {Data->MountPointReparseBuffer.SubstituteNameLength,
                            Data->MountPointReparseBuffer.SubstituteNameLength,
                            Data->MountPointReparseBuffer.PathBuffer};
    CT_CHECK(RtlEqualUnicodeString(&Found, &Expected, FALSE));
    CT_SUCCESS(FsRtlValidateReparsePointBuffer((ULONG)Iosb.Information, Data));
    CT_STATUS(ZwFsControlFile(Folder, NULL, NULL, NULL, &Iosb, FSCTL_GET_REPARSE_POINT, NULL, 0, Room, 20),
              STATUS_BUFFER_TOO_SMALL);
    ZwClose(Folder);
    CT_SUCCESS(Open(L"\\SystemRoot", FILE_READ_ATTRIBUTES, FILE_OPEN, 0, &Folder));
    CT_STATUS(ZwFsControlFile(Folder, NULL, NULL, NULL, &Iosb, FSCTL_GET_REPARSE_POINT, NULL, 0, Room,
                              sizeof(Room)),
              STATUS_NOT_A_REPARSE_POINT);
    ZwClose(Folder);
}

/* A scan tells each name that stays once, whatever comes and goes. */
static NTSTATUS QueryPattern(PCWSTR Folder, USHORT Length)
{
    HANDLE Handle;
    IO_STATUS_BLOCK Iosb;
    static WCHAR Text[2048];
    ULONG64 Room[64];
    UNICODE_STRING Pattern = {Length, Length, Text};
    for (ULONG i = 0; i < RTL_NUMBER_OF(Text); i++)
        Text[i] = L'*';
    CT_SUCCESS(Open(Folder, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE, &Handle));
    NTSTATUS Status = ZwQueryDirectoryFile(Handle, NULL, NULL, NULL, &Iosb, Room, sizeof(Room),
                                           FileNamesInformation, TRUE, &Pattern, FALSE);
    ZwClose(Handle);
    return Status;
}

/* No pattern is so long that matching would need memory. */
static VOID RamfsPattern(VOID)
{
    ZwClose(Make(TEMP L"any", 0));
    CT_SUCCESS(QueryPattern(L"\\SystemRoot\\Temp", 1020 * sizeof(WCHAR)));
    CT_STATUS(QueryPattern(L"\\SystemRoot\\Temp", 1021 * sizeof(WCHAR)), STATUS_OBJECT_NAME_INVALID);
    CT_SUCCESS(QueryPattern(L"\\SystemRoot", 1020 * sizeof(WCHAR)));
    CT_STATUS(QueryPattern(L"\\SystemRoot", 1021 * sizeof(WCHAR)), STATUS_OBJECT_NAME_INVALID);
    CT_SUCCESS(Delete(TEMP L"any"));
}

/* Closes the handle; the file object is held and gets a new one. */
static HANDLE Reopen(HANDLE Handle, ACCESS_MASK Access)
{
    PVOID File = NULL;
    HANDLE Late = NULL;
    CT_SUCCESS(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, &File, NULL));
    ZwClose(Handle);
    CT_SUCCESS(
        ObOpenObjectByPointer(File, OBJ_KERNEL_HANDLE, NULL, Access, *IoFileObjectType, KernelMode, &Late));
    ObDereferenceObject(File);
    return Late;
}

/* After the cleanup nothing is begun that only the cleanup would end, and a second one ends nothing twice. */
static VOID RamfsClosed(VOID)
{
    HANDLE File, Folder = Make(TEMP L"late", FILE_DIRECTORY_FILE), Other;
    IO_STATUS_BLOCK Iosb;
    LARGE_INTEGER Offset = {.QuadPart = 0}, Length = {.QuadPart = 10};
    UCHAR Buffer[64];
    Folder = Reopen(Folder, FILE_LIST_DIRECTORY | DELETE);
    CT_STATUS(NtNotifyChangeDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Buffer, sizeof(Buffer),
                                          FILE_NOTIFY_CHANGE_FILE_NAME, FALSE),
              STATUS_NOTIFY_CLEANUP);
    File = Reopen(Make(TEMP L"late\\file", 0), ALL_ACCESS);
    CT_STATUS(ZwLockFile(File, NULL, NULL, NULL, &Iosb, &Offset, &Length, 0, TRUE, TRUE), STATUS_FILE_CLOSED);
    CT_STATUS(SetDelete(File, TRUE), STATUS_FILE_CLOSED);
    CT_SUCCESS(OpenAt(NULL, TEMP L"late\\file", ALL_ACCESS, 0, FILE_OPEN, 0, &Other));
    ZwClose(File); /* takes away nothing of the other's */
    CT_STATUS(Open(TEMP L"late\\file", FILE_READ_DATA, FILE_OPEN, 0, &File), STATUS_SHARING_VIOLATION);
    CT_SUCCESS(SetDelete(Other, TRUE));
    ZwClose(Other);
    ZwClose(Folder);
    CT_SUCCESS(Delete(TEMP L"late"));
}

static VOID RamfsScan(VOID)
{
    HANDLE Folder = Make(TEMP L"scan", FILE_DIRECTORY_FILE), Handle;
    ULONG64 Room[32];
    IO_STATUS_BLOCK Iosb;
    ULONG Count = 0;
    static WCHAR Name[] = TEMP L"scan\\f0";
    ULONG Digit = RTL_NUMBER_OF(Name) - 2;
    for (WCHAR c = L'0'; c <= L'9'; c++) {
        Name[Digit] = c;
        ZwClose(Make(Name, 0));
    }
    UNICODE_STRING Pattern = RTL_CONSTANT_STRING(L"F?");
    while (NT_SUCCESS(ZwQueryDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Room, sizeof(Room),
                                           FileNamesInformation, TRUE, &Pattern, FALSE))) {
        FILE_NAMES_INFORMATION *Found = (PVOID)Room;
        CT_EQUAL(Found->FileNameLength, 4);
        Name[Digit] = Found->FileName[1];
        CT_SUCCESS(Delete(Name));
        Count++;
    }
    CT_EQUAL(Count, 10);
    CT_SUCCESS(Open(TEMP L"scan\\f0", ALL_ACCESS, FILE_CREATE, FILE_DELETE_ON_CLOSE, &Handle));
    CT_SUCCESS(ZwQueryDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Room, sizeof(Room), FileNamesInformation,
                                    TRUE, NULL, TRUE));
    ZwClose(Handle);
    CT_SUCCESS(SetDelete(Folder, TRUE));
    ZwClose(Folder);
}

/* A view of a file, while it is deleted, cut and written. */
static VOID RamfsSection(VOID)
{
    HANDLE File = Make(TEMP L"mapped", 0), Section;
    OBJECT_ATTRIBUTES Attributes;
    PVOID View = NULL;
    SIZE_T Size = 0;
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = 0};
    CT_SUCCESS(Put(File, 0, "mapped bytes", 12));
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(
        ZwCreateSection(&Section, SECTION_MAP_READ, &Attributes, NULL, PAGE_READONLY, SEC_COMMIT, File));
    CT_SUCCESS(ZwMapViewOfSection(Section, ZwCurrentProcess(), &View, 0, 0, NULL, &Size, ViewUnmap, 0,
                                  PAGE_READONLY));
    if (View != NULL)
        CT_EQUAL(RtlCompareMemory(View, "mapped bytes", 12), 12);
    CT_STATUS(Set(File, FileEndOfFileInformation, &End, sizeof(End)), STATUS_USER_MAPPED_FILE);
    CT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), View));
    ZwClose(Section);
    CT_SUCCESS(SetDelete(File, TRUE));
    ZwClose(File);
}

/* A view and requests on the file show each other's bytes, and leave alone what is beside them. */
static VOID RamfsCoherent(VOID)
{
    HANDLE File = Make(TEMP L"coherent", 0), Section;
    OBJECT_ATTRIBUTES Attributes;
    PVOID View = NULL;
    SIZE_T Size = 0;
    UCHAR Buffer[8];
    ULONG_PTR Got;
    CT_SUCCESS(Put(File, 0, "0123456789", 10));
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    CT_SUCCESS(ZwCreateSection(&Section, SECTION_MAP_READ | SECTION_MAP_WRITE, &Attributes, NULL,
                               PAGE_READWRITE, SEC_COMMIT, File));
    CT_SUCCESS(ZwMapViewOfSection(Section, ZwCurrentProcess(), &View, 0, 0, NULL, &Size, ViewUnmap, 0,
                                  PAGE_READWRITE));
    if (View != NULL) {
        volatile UCHAR *Bytes = View;
        CT_CHECK(Bytes[2] == '2');
        CT_SUCCESS(Put(File, 2, "xy", 2));
        CT_CHECK(Bytes[1] == '1' && Bytes[2] == 'x' && Bytes[3] == 'y' && Bytes[4] == '4');
        Bytes[4] = 'v';
        CT_SUCCESS(Get(File, 3, Buffer, 3, &Got));
        CT_CHECK(Got == 3 && RtlCompareMemory(Buffer, "yv5", 3) == 3);
        Bytes[6] = 'w'; /* dirty, while its neighbour is written */
        CT_SUCCESS(Put(File, 7, "z", 1));
        CT_CHECK(Bytes[6] == 'w' && Bytes[7] == 'z');
        CT_SUCCESS(Get(File, 6, Buffer, 2, &Got));
        CT_CHECK(RtlCompareMemory(Buffer, "wz", 2) == 2);
        CT_SUCCESS(
            Put(File, 10, "longer", 6)); /* behind the section, in its last page, which is written next */
        Bytes[0] = 'Q';
        CT_SUCCESS(Get(File, 10, Buffer, 6, &Got));
        CT_CHECK(Got == 6 && RtlCompareMemory(Buffer, "longer", 6) == 6);
        CT_SUCCESS(Get(File, 0, Buffer, 1, &Got));
        CT_CHECK(Buffer[0] == 'Q');
    }
    CT_SUCCESS(ZwUnmapViewOfSection(ZwCurrentProcess(), View));
    ZwClose(Section);
    CT_SUCCESS(SetDelete(File, TRUE));
    ZwClose(File);
}

static VOID RamfsInformation(VOID)
{
    HANDLE File = Make(TEMP L"info", 0);
    ULONG64 Room[32];
    IO_STATUS_BLOCK Iosb;
    FILE_ALL_INFORMATION *All = (PVOID)Room;
    FILE_BASIC_INFORMATION Basic = {.CreationTime.QuadPart = 12345678};
    CT_SUCCESS(Put(File, 0, "abc", 3));
    CT_SUCCESS(Set(File, FileBasicInformation, &Basic, sizeof(Basic)));
    CT_SUCCESS(ZwQueryInformationFile(File, &Iosb, All, sizeof(Room), FileAllInformation));
    CT_CHECK(All->BasicInformation.CreationTime.QuadPart == 12345678 &&
             All->StandardInformation.EndOfFile.QuadPart == 3);
    CT_CHECK(All->NameInformation.FileNameLength == 10 &&
             All->ModeInformation.Mode == FILE_SYNCHRONOUS_IO_NONALERT);
    CT_CHECK((All->AccessInformation.AccessFlags & (FILE_WRITE_DATA | DELETE)) == (FILE_WRITE_DATA | DELETE));
    CT_EQUAL(All->PositionInformation.CurrentByteOffset.QuadPart, 3);
    CT_STATUS(ZwQueryInformationFile(File, &Iosb, All, sizeof(*All), FileAllInformation),
              STATUS_BUFFER_OVERFLOW);
    CT_STATUS(ZwQueryInformationFile(File, &Iosb, All, sizeof(*All) - 8, FileAllInformation),
              STATUS_INFO_LENGTH_MISMATCH);
    CT_SUCCESS(SetDelete(File, TRUE));
    ZwClose(File);
}

static VOID RamfsLabel(VOID)
{
    HANDLE Folder;
    ULONG64 Room[16];
    IO_STATUS_BLOCK Iosb;
    struct {
        ULONG Length;
        WCHAR Text[40];
    } Label = {8, L"Disk"};
    CT_SUCCESS(Open(L"\\SystemRoot\\Temp", FILE_LIST_DIRECTORY | FILE_WRITE_DATA, FILE_OPEN, 0, &Folder));
    CT_SUCCESS(ZwSetVolumeInformationFile(Folder, &Iosb, &Label, sizeof(Label), FileFsLabelInformation));
    CT_SUCCESS(ZwQueryVolumeInformationFile(Folder, &Iosb, Room, sizeof(Room), FileFsVolumeInformation));
    FILE_FS_VOLUME_INFORMATION *Volume = (PVOID)Room;
    CT_CHECK(Volume->VolumeLabelLength == 8 && Volume->VolumeLabel[3] == L'k');
    Label.Length = 200;
    CT_STATUS(ZwSetVolumeInformationFile(Folder, &Iosb, &Label, sizeof(Label), FileFsLabelInformation),
              STATUS_INVALID_PARAMETER);
    Label.Length = 0;
    CT_SUCCESS(ZwSetVolumeInformationFile(Folder, &Iosb, &Label, sizeof(Label), FileFsLabelInformation));
    ZwClose(Folder);
}

/* --- many at once: all do everything to a few names; what each sees must be one of the states that there are --- */

static volatile LONG Wrong;

static VOID Storm(ULONG Number)
{
    static const PCWSTR Names[] = {TEMP L"s0", TEMP L"s1", TEMP L"s2", TEMP L"sd\\s3"};
    ULONG Seed = Number * 7919 + 1;
    for (ULONG i = 0; i < 40; i++) {
        HANDLE File;
        ULONG_PTR Got;
        UCHAR Byte = 0;
        Seed = Seed * 1664525 + 1013904223;
        ULONG Pick = Seed >> 16;
        NTSTATUS Status = Open(Names[Pick & 3], ALL_ACCESS, FILE_OPEN_IF, 0, &File);
        if (Status == STATUS_DELETE_PENDING)
            continue;
        if (!NT_SUCCESS(Status)) {
            InterlockedIncrement(&Wrong);
            continue;
        }
        (void)Put(File, Pick & 0x3fff, "s", 1);
        if (NT_SUCCESS(Get(File, Pick & 0x3fff, &Byte, 1, &Got)) && Byte != 's' && Byte != 0)
            InterlockedIncrement(&Wrong);
        if (Pick & 0x10)
            (void)Rename(File, NULL, Names[(Pick >> 5) & 3], TRUE);
        if (Pick & 0x100)
            (void)SetDelete(File, TRUE);
        if (Pick & 0x200)
            (void)LockRange(File, 0, 100, TRUE);
        ZwClose(File);
    }
}

static VOID RamfsStorm(VOID)
{
    IO_STATUS_BLOCK Iosb;
    FILE_FS_SIZE_INFORMATION Before, After;
    static const PCWSTR Names[] = {TEMP L"s0", TEMP L"s1", TEMP L"s2", TEMP L"sd\\s3"};
    HANDLE Folder, Watched;
    ULONG64 Room[64];
    IO_STATUS_BLOCK Notified;
    FlushRegistry();
    CT_SUCCESS(Open(L"\\SystemRoot\\Temp", FILE_LIST_DIRECTORY, FILE_OPEN, 0, &Folder));
    CT_SUCCESS(ZwQueryVolumeInformationFile(Folder, &Iosb, &Before, sizeof(Before), FileFsSizeInformation));
    ZwClose(Make(TEMP L"sd", FILE_DIRECTORY_FILE));
    Watched = OpenAsynchronous(TEMP L"sd", FILE_DIRECTORY_FILE);
    (void)NtNotifyChangeDirectoryFile(Watched, NULL, NULL, NULL, &Notified, Room, sizeof(Room), 0xfff, TRUE);
    Wrong = 0;
    static CT_CREW Crew;
    CtRunCrew(&Crew, Storm);
    CT_EQUAL(Wrong, 0);
    ZwClose(Watched);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++)
        (void)Delete(Names[i]);
    CT_SUCCESS(Delete(TEMP L"sd"));
    CT_SUCCESS(ZwQueryVolumeInformationFile(Folder, &Iosb, &After, sizeof(After), FileFsSizeInformation));
    CT_EQUAL(After.AvailableAllocationUnits.QuadPart,
             Before.AvailableAllocationUnits.QuadPart); /* nothing leaked */
    ZwClose(Folder);
}

static const CT_CASE Cases[] = {
    {"ramfs.create", RamfsCreate},
    {"ramfs.names", RamfsNames},
    {"ramfs.deep", RamfsDeep},
    {"ramfs.share", RamfsShare},
    {"ramfs.contents", RamfsContents},
    {"ramfs.append", RamfsAppend},
    {"ramfs.full", RamfsFull},
    {"ramfs.delete", RamfsDelete},
    {"ramfs.readonly", RamfsReadOnly},
    {"ramfs.rename", RamfsRename},
    {"ramfs.many", RamfsMany},
    {"ramfs.reparse", RamfsReparse},
    {"ramfs.ranges", RamfsRanges},
    {"ramfs.lock_waits", RamfsLockWaits},
    {"ramfs.notify", RamfsNotify},
    {"ramfs.notify_tree", RamfsNotifyTree},
    {"ramfs.notify_ends", RamfsNotifyEnds},
    {"ramfs.notify_moved", RamfsNotifyMoved},
    {"ramfs.scan", RamfsScan},
    {"ramfs.pattern", RamfsPattern},
    {"ramfs.closed", RamfsClosed},
    {"ramfs.section", RamfsSection},
    {"ramfs.coherent", RamfsCoherent},
    {"ramfs.information", RamfsInformation},
    {"ramfs.label", RamfsLabel},
    {"ramfs.storm", RamfsStorm},
};
CT_DRIVER(Cases)
