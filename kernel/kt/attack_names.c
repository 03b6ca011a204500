/* SPDX-License-Identifier: MIT
 * The folder and the key that all names of the attack lie below. */
#include "attack.h"
#include "io.h"
#include "se.h"

#define NAMES_FOLDER L"\\SystemRoot\\Temp\\attack"
#define NAMES_KEY L"\\Registry\\Machine\\Software\\NtboxAttack"

static NTSTATUS NamesOpenFile(PHANDLE File, HANDLE Root, PUNICODE_STRING Name, ACCESS_MASK Access,
                              ULONG Disposition, ULONG Options)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    InitializeObjectAttributes(&Attributes, Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Root, NULL);
    return ZwCreateFile(File, Access | SYNCHRONIZE, &Attributes, &Iosb, NULL, FILE_ATTRIBUTE_NORMAL,
                        FILE_SHARE_VALID_FLAGS, Disposition, Options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

/* Nobody may delete or rename the one above all others. */
static NTSTATUS NamesCreateKey(PHANDLE Key)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAMES_KEY);
    UNICODE_STRING Access = RTL_CONSTANT_STRING(L"D:(A;;0x2001d;;;WD)(A;;0x2001d;;;RC)S:(ML;;NW;;;LW)");
    OBJECT_ATTRIBUTES Attributes;
    PSECURITY_DESCRIPTOR Descriptor;
    NTSTATUS Status = SeSddlToDescriptor(&Access, &Descriptor);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               Descriptor);
    Status = ZwCreateKey(Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_VOLATILE, NULL);
    SeFreeDescriptor(Descriptor);
    return Status;
}

VOID AttackMakeNames(VOID)
{
    UNICODE_STRING Folder = RTL_CONSTANT_STRING(NAMES_FOLDER);
    HANDLE Handle;
    STRESS_EXPECT(NT_SUCCESS(NamesOpenFile(&Handle, NULL, &Folder, FILE_LIST_DIRECTORY, FILE_OPEN_IF,
                                           FILE_DIRECTORY_FILE)) &&
                  NT_SUCCESS(ZwClose(Handle)));
    STRESS_EXPECT(NT_SUCCESS(NamesCreateKey(&Handle)) && NT_SUCCESS(ZwClose(Handle)));
}

/* What is read-only cannot be deleted. */
static VOID NamesMakeOrdinary(HANDLE Folder, PUNICODE_STRING Name)
{
    FILE_BASIC_INFORMATION Basic = {.FileAttributes = FILE_ATTRIBUTE_NORMAL};
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    if (!NT_SUCCESS(NamesOpenFile(&File, Folder, Name, FILE_WRITE_ATTRIBUTES, FILE_OPEN, 0)))
        return;
    (void)ZwSetInformationFile(File, &Iosb, &Basic, sizeof(Basic), FileBasicInformation);
    ZwClose(File);
}

typedef struct _NAMES_ENTRY {
    FILE_NAMES_INFORMATION Entry;
    WCHAR Rest[256]; /* [MS-FSCC 2.1.5] the longest name */
} NAMES_ENTRY;

/* The first name in the folder but "." and ".."; FALSE: there is none, or it is no folder. */
static BOOLEAN NamesFirst(HANDLE Folder, NAMES_ENTRY *Found)
{
    IO_STATUS_BLOCK Iosb;
    BOOLEAN Restart = TRUE;
    while (NT_SUCCESS(ZwQueryDirectoryFile(Folder, NULL, NULL, NULL, &Iosb, Found, sizeof(*Found),
                                           FileNamesInformation, TRUE, NULL, Restart))) {
        Restart = FALSE;
        if (Found->Entry.FileName[0] != L'.')
            return TRUE;
    }
    return FALSE;
}

/* What is found is opened so that its last close deletes it: a folder when it is empty by then. */
static NTSTATUS NamesOpenFound(HANDLE Folder, NAMES_ENTRY *Found, PHANDLE File)
{
    USHORT Length = (USHORT)Found->Entry.FileNameLength;
    UNICODE_STRING Name = {Length, Length, Found->Entry.FileName};
    NamesMakeOrdinary(Folder, &Name);
    return NamesOpenFile(File, Folder, &Name, DELETE | FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DELETE_ON_CLOSE);
}

/* Found was opened with the last name, and is closed: the name must be gone. */
static BOOLEAN NamesIsGone(HANDLE Folder, NAMES_ENTRY *Found)
{
    HANDLE File;
    NTSTATUS Status = NamesOpenFound(Folder, Found, &File);
    if (NT_SUCCESS(Status))
        ZwClose(File);
    STRESS_EQUAL(Status, STATUS_OBJECT_NAME_NOT_FOUND);
    return Status == STATUS_OBJECT_NAME_NOT_FOUND;
}

/* Down along the first names to a file or an empty folder, which is deleted: a rename may have made the tree as deep as it likes.
 * FALSE: the folder is empty, or (told) something in it cannot be deleted. */
static BOOLEAN NamesDeleteNext(HANDLE Top)
{
    NAMES_ENTRY Found, Below;
    HANDLE Folder = Top, File;
    if (!NamesFirst(Top, &Below))
        return FALSE;
    for (;;) {
        Found = Below;
        NTSTATUS Status = NamesOpenFound(Folder, &Found, &File);
        STRESS_EQUAL(Status, STATUS_SUCCESS);
        BOOLEAN Deeper = NT_SUCCESS(Status) && NamesFirst(File, &Below);
        BOOLEAN Gone =
            NT_SUCCESS(Status) && !Deeper && NT_SUCCESS(ZwClose(File)) && NamesIsGone(Folder, &Found);
        if (Folder != Top)
            ZwClose(Folder);
        if (!Deeper)
            return Gone;
        Folder = File;
    }
}

/* FALSE: something is left. */
static BOOLEAN NamesDeleteKeys(HANDLE Key)
{
    struct {
        KEY_BASIC_INFORMATION Information;
        WCHAR Rest[256]; /* [Win32 "Registry Element Size Limits"] the longest name */
    } Child;
    ULONG Length;
    while (NT_SUCCESS(ZwEnumerateKey(Key, 0, KeyBasicInformation, &Child, sizeof(Child), &Length))) {
        UNICODE_STRING Name = {(USHORT)Child.Information.NameLength, (USHORT)Child.Information.NameLength,
                               Child.Information.Name};
        OBJECT_ATTRIBUTES Attributes;
        HANDLE Below;
        /* a link itself, wherever it leads to */
        InitializeObjectAttributes(&Attributes, &Name,
                                   OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE | OBJ_OPENLINK, Key, NULL);
        NTSTATUS Status = ZwOpenKey(&Below, KEY_ALL_ACCESS, &Attributes);
        if (!NT_SUCCESS(Status)) {
            StressFail("the key %wZ cannot be deleted: 0x%08X", &Name, (unsigned)Status);
            return FALSE;
        }
        BOOLEAN Deleted = NamesDeleteKeys(Below);
        ZwClose(Below);
        if (!Deleted)
            return FALSE;
    }
    NTSTATUS Status = ZwDeleteKey(Key);
    STRESS_EQUAL(Status, STATUS_SUCCESS);
    return NT_SUCCESS(Status);
}

/* Nobody has anything open any more, so that everything can be deleted. */
VOID AttackDeleteNames(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAMES_FOLDER);
    HANDLE Handle;
    if (NT_SUCCESS(NamesOpenFile(&Handle, NULL, &Name, DELETE | FILE_LIST_DIRECTORY, FILE_OPEN,
                                 FILE_DIRECTORY_FILE | FILE_DELETE_ON_CLOSE))) {
        while (NamesDeleteNext(Handle))
            continue;
        ZwClose(Handle);
    }
    STRESS_EQUAL(NamesOpenFile(&Handle, NULL, &Name, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE),
                 STATUS_OBJECT_NAME_NOT_FOUND);
    NTSTATUS Status = NamesCreateKey(&Handle);
    STRESS_EQUAL(Status, STATUS_SUCCESS);
    if (NT_SUCCESS(Status)) {
        NamesDeleteKeys(Handle);
        ZwClose(Handle);
    }
}
