/* SPDX-License-Identifier: MIT
 * What a registry callback is told of each service, before and after. [WDK REG_NOTIFY_CLASS and the REG_xxx_INFORMATION structures] */
#include "ct_registry_key.h"

#define LOADED L"\\Registry\\Machine\\NtboxFiltered"
#define HIVE_FILE L"\\SystemRoot\\Temp\\NtboxFiltered"

/* What the last operation was told of. */
static struct {
    LARGE_INTEGER Cookie;
    REG_NOTIFY_CLASS Pre, Post;
    PVOID Object;     /* of Pre; all structures begin with it */
    PVOID PostObject; /* of Post */
    NTSTATUS Status;  /* of Post */
    union {
        REG_SET_INFORMATION_KEY_INFORMATION SetInformation;
        REG_RENAME_KEY_INFORMATION Rename;
        REG_ENUMERATE_KEY_INFORMATION Enumerate;
        REG_ENUMERATE_VALUE_KEY_INFORMATION EnumerateValue;
        REG_QUERY_KEY_INFORMATION Query;
        REG_QUERY_VALUE_KEY_INFORMATION QueryValue;
        REG_QUERY_MULTIPLE_VALUE_KEY_INFORMATION QueryMultiple;
        REG_QUERY_KEY_SECURITY_INFORMATION QuerySecurity;
        REG_SET_KEY_SECURITY_INFORMATION SetSecurity;
        REG_SAVE_KEY_INFORMATION Save;
        REG_LOAD_KEY_INFORMATION Load;
        REG_UNLOAD_KEY_INFORMATION Unload;
    } Told;
    WCHAR Name[64];  /* of the object, while an unload is asked for */
    WCHAR Below[16]; /* KeyName of a load */
} Every;

static PETHREAD Tester;

static VOID CopyText(PWSTR To, ULONG Room, PCUNICODE_STRING From)
{
    ULONG Bytes = From->Length < Room - sizeof(WCHAR) ? From->Length : Room - (ULONG)sizeof(WCHAR);
    RtlCopyMemory(To, From->Buffer, Bytes);
    To[Bytes / sizeof(WCHAR)] = 0;
}

#define SIZE(Member) sizeof(Every.Told.Member)
static const struct {
    REG_NOTIFY_CLASS Pre, Post;
    SIZE_T Size;
} Pairs[] = {
    {RegNtPreSetInformationKey, RegNtPostSetInformationKey, SIZE(SetInformation)},
    {RegNtPreRenameKey, RegNtPostRenameKey, SIZE(Rename)},
    {RegNtPreEnumerateKey, RegNtPostEnumerateKey, SIZE(Enumerate)},
    {RegNtPreEnumerateValueKey, RegNtPostEnumerateValueKey, SIZE(EnumerateValue)},
    {RegNtPreQueryKey, RegNtPostQueryKey, SIZE(Query)},
    {RegNtPreQueryValueKey, RegNtPostQueryValueKey, SIZE(QueryValue)},
    {RegNtPreQueryMultipleValueKey, RegNtPostQueryMultipleValueKey, SIZE(QueryMultiple)},
    {RegNtPreFlushKey, RegNtPostFlushKey, sizeof(REG_FLUSH_KEY_INFORMATION)},
    {RegNtPreQueryKeySecurity, RegNtPostQueryKeySecurity, SIZE(QuerySecurity)},
    {RegNtPreSetKeySecurity, RegNtPostSetKeySecurity, SIZE(SetSecurity)},
    {RegNtPreSaveKey, RegNtPostSaveKey, SIZE(Save)},
    {RegNtPreLoadKey, RegNtPostLoadKey, SIZE(Load)},
    {RegNtPreUnLoadKey, RegNtPostUnLoadKey, SIZE(Unload)},
};

static VOID SeePre(REG_NOTIFY_CLASS Class, PVOID Information, SIZE_T Size)
{
    PCUNICODE_STRING Name;
    Every.Pre = Class;
    Every.Object = *(PVOID *)Information;
    RtlCopyMemory(&Every.Told, Information, Size);
    if (Class == RegNtPreLoadKey)
        CopyText(Every.Below, sizeof(Every.Below), Every.Told.Load.KeyName);
    if (Class == RegNtPreUnLoadKey &&
        CT_SUCCESS(CmCallbackGetKeyObjectIDEx(&Every.Cookie, Every.Object, NULL, &Name, 0))) {
        CopyText(Every.Name, sizeof(Every.Name), Name);
        CmCallbackReleaseKeyObjectIDEx(Name);
    }
}

static VOID SeePost(REG_NOTIFY_CLASS Class, PREG_POST_OPERATION_INFORMATION Post)
{
    Every.Post = Class;
    Every.PostObject = Post->Object;
    Every.Status = Post->Status;
}

static NTSTATUS NTAPI EveryCallback(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    REG_NOTIFY_CLASS Class = (REG_NOTIFY_CLASS)(ULONG_PTR)Argument1;
    UNREFERENCED_PARAMETER(Context);
    if (PsGetCurrentThread() != Tester)
        return STATUS_SUCCESS;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Pairs); i++) {
        if (Class == Pairs[i].Pre)
            SeePre(Class, Argument2, Pairs[i].Size);
        if (Class == Pairs[i].Post)
            SeePost(Class, Argument2);
    }
    return STATUS_SUCCESS;
}

static VOID Told(REG_NOTIFY_CLASS Pre, REG_NOTIFY_CLASS Post, PVOID Object, NTSTATUS Status)
{
    CT_EQUAL(Every.Pre, Pre);
    CT_EQUAL(Every.Post, Post);
    CT_EQUAL(Every.Object, Object);
    CT_EQUAL(Every.PostObject, Object);
    CT_STATUS(Every.Status, Status);
}

static VOID TellQueries(HANDLE Key, PVOID Object)
{
    UCHAR Room[256];
    ULONG Length;
    UNICODE_STRING Name = CtName(L"Number");
    KEY_VALUE_ENTRY Entry = {.ValueName = &Name};
    CT_SUCCESS(ZwQueryKey(Key, KeyFullInformation, Room, sizeof(Room), &Length));
    Told(RegNtPreQueryKey, RegNtPostQueryKey, Object, STATUS_SUCCESS);
    CT_EQUAL(Every.Told.Query.KeyInformationClass, KeyFullInformation);
    CT_EQUAL(Every.Told.Query.KeyInformation, Room);
    CT_EQUAL(Every.Told.Query.Length, sizeof(Room));
    CT_EQUAL(Every.Told.Query.ResultLength, &Length);
    CT_STATUS(ZwEnumerateKey(Key, 7, KeyBasicInformation, Room, 100, &Length), STATUS_NO_MORE_ENTRIES);
    Told(RegNtPreEnumerateKey, RegNtPostEnumerateKey, Object, STATUS_NO_MORE_ENTRIES);
    CT_EQUAL(Every.Told.Enumerate.Index, 7);
    CT_EQUAL(Every.Told.Enumerate.Length, 100);
    CT_SUCCESS(ZwEnumerateValueKey(Key, 0, KeyValueBasicInformation, Room, sizeof(Room), &Length));
    Told(RegNtPreEnumerateValueKey, RegNtPostEnumerateValueKey, Object, STATUS_SUCCESS);
    CT_EQUAL(Every.Told.EnumerateValue.Index, 0);
    CT_EQUAL(Every.Told.EnumerateValue.KeyValueInformationClass, KeyValueBasicInformation);
    CT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Room, sizeof(Room), &Length));
    Told(RegNtPreQueryValueKey, RegNtPostQueryValueKey, Object, STATUS_SUCCESS);
    CT_CHECK(RtlEqualUnicodeString(Every.Told.QueryValue.ValueName, &Name, FALSE));
    CT_EQUAL(Every.Told.QueryValue.KeyValueInformation, Room);
    Length = sizeof(Room);
    CT_SUCCESS(ZwQueryMultipleValueKey(Key, &Entry, 1, Room, &Length, NULL));
    Told(RegNtPreQueryMultipleValueKey, RegNtPostQueryMultipleValueKey, Object, STATUS_SUCCESS);
    CT_EQUAL(Every.Told.QueryMultiple.EntryCount, 1);
    CT_EQUAL(Every.Told.QueryMultiple.ValueEntries, &Entry);
    CT_EQUAL(Every.Told.QueryMultiple.BufferLength, &Length);
}

static VOID TellChanges(HANDLE Key, PVOID Object)
{
    UCHAR Room[512];
    ULONG Length;
    UNICODE_STRING Name = CtName(L"NtboxTest2"), Back = CtName(L"NtboxTest");
    KEY_WRITE_TIME_INFORMATION Time = {.LastWriteTime.QuadPart = 0x01d0000000000000};
    CT_SUCCESS(ZwSetInformationKey(Key, KeyWriteTimeInformation, &Time, sizeof(Time)));
    Told(RegNtPreSetInformationKey, RegNtPostSetInformationKey, Object, STATUS_SUCCESS);
    CT_EQUAL(Every.Told.SetInformation.KeySetInformationClass, KeyWriteTimeInformation);
    CT_EQUAL(Every.Told.SetInformation.KeySetInformationLength, sizeof(Time));
    CT_SUCCESS(ZwRenameKey(Key, &Name));
    Told(RegNtPreRenameKey, RegNtPostRenameKey, Object, STATUS_SUCCESS);
    CT_CHECK(RtlEqualUnicodeString(Every.Told.Rename.NewName, &Name, FALSE));
    CT_SUCCESS(ZwRenameKey(Key, &Back));
    CT_SUCCESS(ZwFlushKey(Key));
    Told(RegNtPreFlushKey, RegNtPostFlushKey, Object, STATUS_SUCCESS);
    CT_SUCCESS(ZwQuerySecurityObject(Key, DACL_SECURITY_INFORMATION, Room, sizeof(Room), &Length));
    Told(RegNtPreQueryKeySecurity, RegNtPostQueryKeySecurity, Object, STATUS_SUCCESS);
    CT_CHECK(Every.Told.QuerySecurity.SecurityInformation != NULL && Every.Told.QuerySecurity.Length != NULL);
    CT_SUCCESS(ZwSetSecurityObject(Key, DACL_SECURITY_INFORMATION, Room));
    Told(RegNtPreSetKeySecurity, RegNtPostSetKeySecurity, Object, STATUS_SUCCESS);
    CT_CHECK(Every.Told.SetSecurity.SecurityDescriptor != NULL);
}

static BOOLEAN TellSave(HANDLE Key, PVOID Object)
{
    UNICODE_STRING Path = CtName(HIVE_FILE);
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!CT_SUCCESS(ZwCreateFile(&File, FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL,
                                 FILE_ATTRIBUTE_NORMAL, 0, FILE_OVERWRITE_IF, FILE_SYNCHRONOUS_IO_NONALERT,
                                 NULL, 0)))
        return FALSE;
    CT_SUCCESS(ZwSaveKeyEx(Key, File, REG_LATEST_FORMAT));
    Told(RegNtPreSaveKey, RegNtPostSaveKey, Object, STATUS_SUCCESS);
    CT_EQUAL(Every.Told.Save.FileHandle, File);
    CT_EQUAL(Every.Told.Save.Format, REG_LATEST_FORMAT);
    CT_SUCCESS(ZwClose(File));
    return TRUE;
}

/* [WDK REG_UNLOAD_KEY_INFORMATION] "This object represents the root key of the hive that is being unloaded." */
static VOID TellLoad(VOID)
{
    UNICODE_STRING Key = CtName(LOADED), File = CtName(HIVE_FILE);
    OBJECT_ATTRIBUTES KeyAttributes, FileAttributes;
    UNICODE_STRING Seen, Root = CtName(LOADED), Below = CtName(L"NtboxFiltered");
    InitializeObjectAttributes(&KeyAttributes, &Key, OBJ_CASE_INSENSITIVE, NULL, NULL);
    InitializeObjectAttributes(&FileAttributes, &File, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (CT_SUCCESS(ZwLoadKey(&KeyAttributes, &FileAttributes))) {
        Told(RegNtPreLoadKey, RegNtPostLoadKey, Every.Object, STATUS_SUCCESS);
        RtlInitUnicodeString(&Seen, Every.Below);
        CT_CHECK(RtlEqualUnicodeString(&Seen, &Below, TRUE));
        CT_CHECK(Every.Told.Load.SourceFile != NULL);
        CT_SUCCESS(ZwUnloadKey(&KeyAttributes));
        Told(RegNtPreUnLoadKey, RegNtPostUnLoadKey, Every.Object, STATUS_SUCCESS);
        RtlInitUnicodeString(&Seen, Every.Name);
        CT_CHECK(RtlEqualUnicodeString(&Seen, &Root, TRUE));
    }
    CT_SUCCESS(ZwDeleteFile(&FileAttributes));
}

static VOID FilterEvery(VOID)
{
    HANDLE Key;
    PVOID Object;
    UNICODE_STRING Altitude = CtName(L"2000");
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"Number", 1));
    CT_REQUIRE(CT_SUCCESS(ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL)));
    Tester = PsGetCurrentThread();
    CT_REQUIRE(CT_SUCCESS(
        CmRegisterCallbackEx(EveryCallback, &Altitude, CtDriverObject, NULL, &Every.Cookie, NULL)));
    TellQueries(Key, Object);
    TellChanges(Key, Object);
    if (TellSave(Key, Object))
        TellLoad();
    CT_SUCCESS(CmUnRegisterCallback(Every.Cookie));
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static const CT_CASE Cases[] = {
    {"regfilter.every", FilterEvery},
};

CT_DRIVER(Cases)
