/* SPDX-License-Identifier: MIT
 * RtlQueryRegistryValues with its whole table language, RtlWriteRegistryValue, RtlDeleteRegistryValue, RtlCreateRegistryKey. */
#include "ct_registry_key.h"

#define MOST_CALLS 16

typedef struct CALL {
    WCHAR Name[32];
    ULONG Type, Length;
    UCHAR Data[128];
    PVOID Context, EntryContext;
} CALL;

static CALL Calls[MOST_CALLS];
static ULONG CallCount;
static NTSTATUS Answer;
static HANDLE Root;

static NTSTATUS NTAPI Routine(PWSTR Name, ULONG Type, PVOID Data, ULONG Length, PVOID Context,
                              PVOID EntryContext)
{
    CALL *Call = &Calls[CallCount % MOST_CALLS];
    RtlZeroMemory(Call, sizeof(*Call));
    for (ULONG i = 0; Name != NULL && Name[i] != 0 && i < 31; i++)
        Call->Name[i] = Name[i];
    Call->Type = Type;
    Call->Length = Length;
    if (Length <= sizeof(Call->Data) && Data != NULL)
        RtlCopyMemory(Call->Data, Data, Length);
    Call->Context = Context;
    Call->EntryContext = EntryContext;
    CallCount++;
    return Answer;
}

static NTSTATUS Query(PRTL_QUERY_REGISTRY_TABLE Table)
{
    CallCount = 0;
    Answer = STATUS_SUCCESS;
    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, CT_ROOT, Table, &Calls, NULL);
}

static BOOLEAN SameText(const VOID *Text, ULONG Bytes, PCWSTR Expected)
{
    UNICODE_STRING A = {(USHORT)Bytes, (USHORT)Bytes, (PWCH)Text}, B = CtName(Expected);
    return RtlEqualUnicodeString(&A, &B, FALSE);
}

static BOOLEAN Begin(VOID)
{
    static const WCHAR Multi[] = L"one\0two\0";
    HANDLE Sub;
    if (!CT_SUCCESS(CtCreateKey(&Root, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)))
        return FALSE;
    CT_SUCCESS(CtSetNumber(Root, L"Number", 42));
    CT_SUCCESS(CtSetText(Root, L"Text", REG_SZ, L"text", 10));
    CT_SUCCESS(CtSetText(Root, L"Path", REG_EXPAND_SZ, L"%SystemRoot%\\%NoSuch%", 44));
    CT_SUCCESS(CtSetText(Root, L"Multi", REG_MULTI_SZ, Multi, sizeof(Multi)));
    CT_SUCCESS(CtSetText(Root, L"Big", REG_BINARY, L"0123456789", 16));
    CT_SUCCESS(CtCreateKey(&Sub, Root, L"Sub", 0, NULL));
    CT_SUCCESS(CtSetNumber(Sub, L"Below", 7));
    return CT_SUCCESS(ZwClose(Sub));
}

static VOID End(VOID)
{
    CtDeleteKey(Root, L"Sub");
    CT_SUCCESS(ZwDeleteKey(Root));
    CT_SUCCESS(ZwClose(Root));
}

static VOID RtlRoutine(VOID)
{
    CT_REQUIRE(Begin());
    RTL_QUERY_REGISTRY_TABLE Table[] = {{Routine, 0, L"nUMBER", &Root, REG_NONE, NULL, 0}, {0}};
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 1);
    CT_EQUAL(Calls[0].Type, REG_DWORD);
    CT_EQUAL(Calls[0].Length, 4);
    CT_EQUAL(Calls[0].Data[0], 42);
    CT_EQUAL(Calls[0].Context, (PVOID)&Calls);
    CT_EQUAL(Calls[0].EntryContext, (PVOID)&Root);
    /* one call for each text, unless it is not to be expanded */
    Table[0].Name = L"Multi";
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 2);
    CT_EQUAL(Calls[0].Type, REG_SZ);
    CT_CHECK(SameText(Calls[1].Data, Calls[1].Length - sizeof(WCHAR), L"two"));
    Table[0].Flags = RTL_QUERY_REGISTRY_NOEXPAND;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 1);
    CT_EQUAL(Calls[0].Type, REG_MULTI_SZ);
    Table[0].Name = L"Path";
    CT_SUCCESS(Query(Table));
    CT_EQUAL(Calls[0].Type, REG_EXPAND_SZ);
    CT_EQUAL(Calls[0].Length, 44);
    Table[0].Flags = 0;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(Calls[0].Type, REG_SZ);
    CT_CHECK(Calls[0].Data[0] != '%');
    CT_CHECK(Calls[0].Length > 18 && SameText(Calls[0].Data + Calls[0].Length - 18, 16, L"%NoSuch%"));
    /* an entry without a name: all values of the key */
    Table[0].Name = NULL;
    Table[0].Flags = RTL_QUERY_REGISTRY_NOEXPAND;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 5);
    CallCount = 0;
    Answer = STATUS_NO_MORE_ENTRIES; /* what a routine answers is no end of the values */
    CT_STATUS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, CT_ROOT, Table, &Calls, NULL),
              STATUS_NO_MORE_ENTRIES);
    CT_EQUAL(CallCount, 1);
    Table[0].Flags = RTL_QUERY_REGISTRY_NOVALUE;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 1);
    CT_EQUAL(Calls[0].Type, REG_NONE);
    End();
}

static VOID RtlSubKey(VOID)
{
    CT_REQUIRE(Begin());
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_SUBKEY, L"Sub", NULL, REG_NONE, NULL, 0},
        {Routine, RTL_QUERY_REGISTRY_REQUIRED, L"Below", NULL, REG_NONE, NULL, 0},
        {Routine, RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_REQUIRED, L"Number", NULL, REG_NONE, NULL,
         0},
        {Routine, RTL_QUERY_REGISTRY_SUBKEY, L"Sub", NULL, REG_NONE, NULL, 0},
        {0},
    };
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 3);
    CT_EQUAL(Calls[0].Data[0], 7);
    CT_EQUAL(Calls[1].Data[0], 42);
    CT_EQUAL(Calls[2].Data[0], 7); /* all values of the subkey */
    Table[0].Name = NULL;
    CT_STATUS(Query(Table), STATUS_INVALID_PARAMETER);
    /* below a subkey that is not there nothing is found, also not the values of the top */
    Table[0].Name = L"NoSuch";
    Table[1].Name = L"Number";
    CT_STATUS(Query(Table), STATUS_OBJECT_NAME_NOT_FOUND);
    Table[1].Flags = 0;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 2);
    CT_EQUAL(Calls[0].Data[0], 42);
    Table[0].Flags |= RTL_QUERY_REGISTRY_REQUIRED;
    CT_STATUS(Query(Table), STATUS_OBJECT_NAME_NOT_FOUND);
    End();
}

/* A text of 65560 bytes between two percent signs is no name, although its first characters are. */
static VOID RtlLongName(VOID)
{
    const ULONG Count = 2 + 10 + 0x8000;
    PWCHAR Text = ExAllocatePool2(POOL_FLAG_PAGED, (Count + 1) * sizeof(WCHAR), 'tCtC');
    CT_REQUIRE(Text != NULL);
    CT_REQUIRE(Begin());
    for (ULONG i = 0; i < Count; i++)
        Text[i] = L'x';
    RtlCopyMemory(Text, L"%SystemRoot", 22);
    Text[Count - 1] = L'%';
    CT_SUCCESS(CtSetText(Root, L"Path", REG_EXPAND_SZ, Text, (Count + 1) * sizeof(WCHAR)));
    RTL_QUERY_REGISTRY_TABLE Table[] = {{Routine, 0, L"Path", NULL, REG_NONE, NULL, 0}, {0}};
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 1);
    CT_EQUAL(Calls[0].Length, (Count + 1) * sizeof(WCHAR));
    End();
    ExFreePoolWithTag(Text, 'tCtC');
}

static VOID RtlDefault(VOID)
{
    ULONG Number = 5, Got = 0;
    CT_REQUIRE(Begin());
    RTL_QUERY_REGISTRY_TABLE Table[] = {{Routine, 0, L"NoSuch", NULL, REG_DWORD, &Number, sizeof(Number)},
                                        {0}};
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 1);
    CT_EQUAL(Calls[0].Data[0], 5);
    Table[0].DefaultType = REG_SZ;
    Table[0].DefaultData = L"default";
    Table[0].DefaultLength = 0;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(Calls[0].Length, 16);
    Table[0].DefaultType = REG_NONE;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(CallCount, 0);
    Table[0].Flags = RTL_QUERY_REGISTRY_REQUIRED;
    CT_STATUS(Query(Table), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, CT_ROOT L"\\NoSuch", Table, NULL, NULL),
              STATUS_OBJECT_NAME_NOT_FOUND);
    Table[0] = (RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"x", &Got, REG_DWORD, &Number, 4};
    CT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE | RTL_REGISTRY_OPTIONAL, CT_ROOT L"\\NoSuch",
                                      Table, NULL, NULL));
    CT_EQUAL(Got, 5);
    /* the routine's status ends the table */
    RTL_QUERY_REGISTRY_TABLE Two[] = {
        {Routine, 0, L"Number", NULL, 0, NULL, 0}, {Routine, 0, L"Text", NULL, 0, NULL, 0}, {0}};
    CallCount = 0;
    Answer = STATUS_IO_TIMEOUT;
    CT_STATUS(RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, (PCWSTR)Root, Two, NULL, NULL), STATUS_IO_TIMEOUT);
    CT_EQUAL(CallCount, 1);
    End();
}

static VOID DirectTexts(VOID)
{
    WCHAR Room[8];
    UNICODE_STRING Text = {0, 0, NULL}, Small = {0, 4, Room}, Fits = {0, sizeof(Room), Room};
    RTL_QUERY_REGISTRY_TABLE Table[] = {{NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
                                         L"Text", &Text, REG_SZ << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT, NULL,
                                         0},
                                        {0}};
    CT_SUCCESS(Query(Table)); /* without a buffer one is allocated */
    CT_REQUIRE(Text.Buffer != NULL);
    CT_CHECK(SameText(Text.Buffer, Text.Length, L"text"));
    CT_EQUAL(Text.Buffer[4], 0);
    ExFreePool(Text.Buffer);
    Table[0].EntryContext = &Small;
    CT_STATUS(Query(Table), STATUS_BUFFER_TOO_SMALL);
    Table[0].EntryContext = &Fits;
    CT_SUCCESS(Query(Table));
    CT_EQUAL(Fits.Length, 8);
    Table[0].DefaultType = (ULONG)REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
    CT_STATUS(Query(Table), STATUS_OBJECT_TYPE_MISMATCH);
}

static VOID RtlDirect(VOID)
{
    union {
        LONG Size;
        ULONG Words[8];
    } Room;
    ULONG Number = 0;
    CT_REQUIRE(Begin());
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_DIRECT, L"Number", &Number, REG_NONE, NULL, 0}, {0}};
    CT_SUCCESS(Query(Table));
    CT_EQUAL(Number, 42);
    Table[0].QueryRoutine = Routine;
    CT_STATUS(Query(Table), STATUS_INVALID_PARAMETER);
    DirectTexts();
    /* more than a ULONG: the buffer says how large it is, and by its sign what it gets */
    Table[0] = (RTL_QUERY_REGISTRY_TABLE){NULL, RTL_QUERY_REGISTRY_DIRECT, L"Big", &Room, REG_NONE, NULL, 0};
    Room.Size = -(LONG)sizeof(Room);
    CT_SUCCESS(Query(Table));
    CT_EQUAL(Room.Words[0], '0' | '1' << 16);
    Room.Size = sizeof(Room);
    CT_SUCCESS(Query(Table));
    CT_EQUAL(Room.Words[0], 16);
    CT_EQUAL(Room.Words[1], REG_BINARY);
    CT_EQUAL(Room.Words[2], '0' | '1' << 16);
    Room.Size = 20;
    CT_STATUS(Query(Table), STATUS_BUFFER_TOO_SMALL);
    Room.Size = -12;
    CT_STATUS(Query(Table), STATUS_BUFFER_TOO_SMALL);
    End();
}

static VOID RtlWrite(VOID)
{
    static WCHAR Path[] = CT_ROOT L"\\Made";
    HANDLE Key;
    ULONG Value = 11, Got = 0;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Root, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(RtlCreateRegistryKey(RTL_REGISTRY_ABSOLUTE, Path));
    CT_SUCCESS(RtlCheckRegistryKey(RTL_REGISTRY_ABSOLUTE, Path));
    CT_SUCCESS(
        RtlWriteRegistryValue(RTL_REGISTRY_ABSOLUTE, Path, L"Number", REG_DWORD, &Value, sizeof(Value)));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, Root, L"Made", 0)));
    CT_SUCCESS(CtGetNumber(Key, L"Number", &Got));
    CT_EQUAL(Got, 11);
    /* DELETE takes what was queried away */
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_DELETE, L"Number", &Got, 0, NULL, 0}, {0}};
    CT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Path, Table, NULL, NULL));
    CT_STATUS(CtGetNumber(Key, L"Number", &Got), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(
        RtlWriteRegistryValue(RTL_REGISTRY_HANDLE, (PCWSTR)Key, L"Number", REG_DWORD, &Value, sizeof(Value)));
    CT_SUCCESS(RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, Path, L"Number"));
    CT_STATUS(RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, Path, L"Number"), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    CT_STATUS(RtlDeleteRegistryValue(RTL_REGISTRY_ABSOLUTE, Path, L"Number"), STATUS_OBJECT_NAME_NOT_FOUND);
    CT_STATUS(RtlCreateRegistryKey(RTL_REGISTRY_MAXIMUM, Path), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(ZwDeleteKey(Root));
    CT_SUCCESS(ZwClose(Root));
}

static const CT_CASE Cases[] = {
    {"registry_rtl.routine", RtlRoutine}, {"registry_rtl.subkey", RtlSubKey},
    {"registry_rtl.default", RtlDefault}, {"registry_rtl.direct", RtlDirect},
    {"registry_rtl.write", RtlWrite},     {"registry_rtl.long_name", RtlLongName},
};

CT_DRIVER(Cases)
