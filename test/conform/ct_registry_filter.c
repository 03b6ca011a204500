/* SPDX-License-Identifier: MIT
 * Drivers that filter the registry. [WDK CmRegisterCallbackEx, CmRegisterCallback, CmUnRegisterCallback, CmSetCallbackObjectContext,
 * CmCallbackGetKeyObjectID, Handling Notifications] */
#include "ct_registry_key.h"

#define MOST_CALLS 64

typedef struct FILTER {
    LARGE_INTEGER Cookie;
    NTSTATUS Answer; /* to pre-notifications of Only */
    NTSTATUS Change; /* what the caller gets, when not STATUS_SUCCESS; in post-notifications of Only */
    REG_NOTIFY_CLASS Only;
    BOOLEAN Lies;      /* about the length of data that was asked for */
    PVOID Result;      /* what Only puts into *ResultObject, when not NULL */
    PVOID CallContext; /* put in before, seen after */
    PVOID Object;      /* key object of the last call */
    PVOID ObjectContext;
    ULONG Cleanups;
    HANDLE Nests; /* when not NULL: a value of it is set while a value is deleted */
} FILTER;

static FILTER High, Low;
static struct {
    FILTER *Filter;
    REG_NOTIFY_CLASS Class;
} Calls[MOST_CALLS];
static LONG CallCount;
static PETHREAD Tester;

static VOID SeeBefore(FILTER *Filter, REG_NOTIFY_CLASS Class, PVOID Information)
{
    if (Class == RegNtPreSetValueKey) {
        PREG_SET_VALUE_KEY_INFORMATION Set = Information;
        Set->CallContext = Filter->CallContext;
        Filter->Object = Set->Object;
        Filter->ObjectContext = Set->ObjectContext;
        CT_EQUAL(Set->Type, REG_DWORD);
        CT_EQUAL(Set->DataSize, sizeof(ULONG));
    }
    if (Class == RegNtPreOpenKeyEx && Class == Filter->Only && Filter->Result != NULL) {
        *((PREG_OPEN_KEY_INFORMATION_V1)Information)->ResultObject = Filter->Result;
        ObReferenceObject(Filter->Result);
    }
}

static NTSTATUS SeeAfter(FILTER *Filter, REG_NOTIFY_CLASS Class, PREG_POST_OPERATION_INFORMATION Post)
{
    if (Class == RegNtPostSetValueKey) {
        CT_EQUAL(Post->CallContext, Filter->CallContext);
        CT_EQUAL(Post->Object, Filter->Object);
        CT_EQUAL(((PREG_SET_VALUE_KEY_INFORMATION)Post->PreInformation)->Type, REG_DWORD);
    }
    if (Class == Filter->Only && Filter->Result != NULL && !NT_SUCCESS(Post->Status)) {
        *((PREG_OPEN_KEY_INFORMATION_V1)Post->PreInformation)->ResultObject = Filter->Result;
        ObReferenceObject(Filter->Result);
        Post->ReturnStatus = STATUS_SUCCESS;
        return STATUS_CALLBACK_BYPASS;
    }
    if (Class == RegNtPostQueryValueKey && Filter->Lies && NT_SUCCESS(Post->Status)) {
        PREG_QUERY_VALUE_KEY_INFORMATION Query = Post->PreInformation;
        ((PKEY_VALUE_FULL_INFORMATION)Query->KeyValueInformation)->DataLength = 0x10000000;
    }
    if (Class != Filter->Only || NT_SUCCESS(Filter->Change))
        return STATUS_SUCCESS;
    Post->ReturnStatus = Filter->Change;
    return STATUS_CALLBACK_BYPASS;
}

static BOOLEAN IsPost(REG_NOTIFY_CLASS Class)
{
    return Class == RegNtPostSetValueKey || Class == RegNtPostDeleteValueKey ||
           Class == RegNtPostCreateKeyEx || Class == RegNtPostOpenKeyEx || Class == RegNtPostQueryValueKey ||
           Class == RegNtPostKeyHandleClose || Class == RegNtPostDeleteKey;
}

static NTSTATUS NTAPI Callback(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    FILTER *Filter = Context;
    REG_NOTIFY_CLASS Class = (REG_NOTIFY_CLASS)(ULONG_PTR)Argument1;
    if (PsGetCurrentThread() != Tester)
        return STATUS_SUCCESS;
    if (Class == RegNtCallbackObjectContextCleanup) {
        Filter->Cleanups++;
        CT_EQUAL(((PREG_CALLBACK_CONTEXT_CLEANUP_INFORMATION)Argument2)->ObjectContext, (PVOID)0x77);
        return STATUS_SUCCESS;
    }
    if (CallCount < MOST_CALLS) {
        Calls[CallCount].Filter = Filter;
        Calls[CallCount].Class = Class;
    }
    CallCount++;
    if (IsPost(Class))
        return SeeAfter(Filter, Class, Argument2);
    SeeBefore(Filter, Class, Argument2);
    if (Filter->Nests != NULL && Class == RegNtPreDeleteValueKey)
        CT_SUCCESS(CtSetNumber(Filter->Nests, L"Nested", 1));
    return Class == Filter->Only ? Filter->Answer : STATUS_SUCCESS;
}

static NTSTATUS Register(FILTER *Filter, PCWSTR Text)
{
    UNICODE_STRING Altitude = CtName(Text);
    RtlZeroMemory(Filter, sizeof(*Filter));
    Filter->CallContext = Filter;
    Tester = PsGetCurrentThread();
    return CmRegisterCallbackEx(Callback, &Altitude, CtDriverObject, Filter, &Filter->Cookie, NULL);
}

static VOID Reset(VOID)
{
    CallCount = 0;
}

static BOOLEAN Called(LONG Index, FILTER *Filter, REG_NOTIFY_CLASS Class)
{
    return Index < CallCount && Calls[Index].Filter == Filter && Calls[Index].Class == Class;
}

static VOID FilterOrder(VOID)
{
    HANDLE Key;
    UNICODE_STRING Bad = CtName(L"12a");
    LARGE_INTEGER Cookie;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_REQUIRE(CT_SUCCESS(Register(&Low, L"1000.5")));
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"01000.51")));
    CT_STATUS(CmRegisterCallbackEx(Callback, &Bad, CtDriverObject, NULL, &Cookie, NULL),
              STATUS_INVALID_PARAMETER);
    Bad = CtName(L".");
    CT_STATUS(CmRegisterCallbackEx(Callback, &Bad, CtDriverObject, NULL, &Cookie, NULL),
              STATUS_INVALID_PARAMETER);
    Bad = CtName(L"1000.50");
    CT_STATUS(CmRegisterCallbackEx(Callback, &Bad, CtDriverObject, NULL, &Cookie, NULL),
              STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    Reset();
    CT_SUCCESS(CtSetNumber(Key, L"Number", 1));
    CT_EQUAL(CallCount, 4);
    CT_CHECK(Called(0, &High, RegNtPreSetValueKey));
    CT_CHECK(Called(1, &Low, RegNtPreSetValueKey));
    CT_CHECK(Called(2, &Low, RegNtPostSetValueKey));
    CT_CHECK(Called(3, &High, RegNtPostSetValueKey));
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
    CT_STATUS(CmUnRegisterCallback(High.Cookie), STATUS_INVALID_PARAMETER);
    Reset();
    CT_SUCCESS(CtDeleteValue(Key, L"Number"));
    CT_EQUAL(CallCount, 2);
    CT_CHECK(Called(0, &Low, RegNtPreDeleteValueKey));
    CT_SUCCESS(CmUnRegisterCallback(Low.Cookie));
    Reset();
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    CT_EQUAL(CallCount, 0);
}

/* A status that is no success is what the caller gets, and nobody is told after; a bypass is the driver's own success. */
static VOID FilterBlock(VOID)
{
    HANDLE Key;
    ULONG Value = 0;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_REQUIRE(CT_SUCCESS(Register(&Low, L"1000")));
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"2000")));
    Low.Only = RegNtPreSetValueKey;
    Low.Answer = STATUS_ACCESS_DENIED;
    Reset();
    CT_STATUS(CtSetNumber(Key, L"Number", 1), STATUS_ACCESS_DENIED);
    CT_EQUAL(CallCount, 2);
    CT_STATUS(CtGetNumber(Key, L"Number", &Value), STATUS_OBJECT_NAME_NOT_FOUND);
    Low.Answer = STATUS_CALLBACK_BYPASS;
    CT_SUCCESS(CtSetNumber(Key, L"Number", 1));
    CT_STATUS(CtGetNumber(Key, L"Number", &Value), STATUS_OBJECT_NAME_NOT_FOUND);
    Low.Only = RegNtPostSetValueKey;
    Low.Change = STATUS_IO_TIMEOUT;
    CT_STATUS(CtSetNumber(Key, L"Number", 3), STATUS_IO_TIMEOUT);
    CT_SUCCESS(CtGetNumber(Key, L"Number", &Value));
    CT_EQUAL(Value, 3);
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
    CT_SUCCESS(CmUnRegisterCallback(Low.Cookie));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static VOID FilterOpen(VOID)
{
    HANDLE Key;
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"2000")));
    Reset();
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_EQUAL(CallCount, 2);
    CT_CHECK(Called(0, &High, RegNtPreCreateKeyEx));
    CT_CHECK(Called(1, &High, RegNtPostCreateKeyEx));
    Reset();
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
    CT_EQUAL(CallCount, 4);
    CT_CHECK(Called(0, &High, RegNtPreDeleteKey));
    CT_CHECK(Called(2, &High, RegNtPreKeyHandleClose));
    High.Only = RegNtPreOpenKeyEx;
    High.Answer = STATUS_ACCESS_DENIED;
    CT_STATUS(CtOpenKey(&Key, NULL, CT_SERVICES, 0), STATUS_ACCESS_DENIED);
    High.Only = RegNtPostOpenKeyEx;
    High.Change = STATUS_IO_TIMEOUT;
    CT_STATUS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Software", 0), STATUS_IO_TIMEOUT);
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
}

/* A driver's own object for a key that is asked for: before the look-up, and after it failed. It must be a key. */
static VOID FilterGive(VOID)
{
    HANDLE Key, Given;
    PVOID Object;
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, CT_SERVICES, 0)));
    CT_REQUIRE(CT_SUCCESS(ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL)));
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"2000")));
    High.Result = Object;
    High.Only = RegNtPreOpenKeyEx;
    High.Answer = STATUS_CALLBACK_BYPASS;
    if (CT_SUCCESS(CtOpenKey(&Given, NULL, L"\\Registry\\Machine\\NoSuch", 0)))
        CT_SUCCESS(ZwClose(Given));
    High.Only = RegNtPostOpenKeyEx;
    if (CT_SUCCESS(CtOpenKey(&Given, NULL, L"\\Registry\\Machine\\NoSuch", 0)))
        CT_SUCCESS(ZwClose(Given));
    High.Result = NULL; /* a success without a key is none */
    High.Only = RegNtPreOpenKeyEx;
    CT_CHECK(!NT_SUCCESS(CtOpenKey(&Given, NULL, L"\\Registry\\Machine\\NoSuch", 0)));
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwClose(Key));
}

/* What a driver answers for ZwQueryValueKey is not believed where it would be read or written outside the buffer. */
static VOID FilterLies(VOID)
{
    HANDLE Key;
    ULONG Value = 0;
    RTL_QUERY_REGISTRY_TABLE Table[] = {
        {NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED, L"Number", &Value, REG_NONE, NULL, 0},
        {0}};
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"Number", 5));
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"2000")));
    CT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, CT_ROOT, Table, NULL, NULL));
    CT_EQUAL(Value, 5);
    Value = 0;
    High.Lies = TRUE;
    CT_CHECK(!NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, CT_ROOT, Table, NULL, NULL)));
    High.Lies = FALSE;
    High.Only = RegNtPostQueryValueKey;
    High.Change = STATUS_BUFFER_OVERFLOW; /* whatever the room is */
    CT_CHECK(!NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, CT_ROOT, Table, NULL, NULL)));
    CT_EQUAL(Value, 0);
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static VOID FilterContext(VOID)
{
    HANDLE Key;
    PVOID Object, Old = NULL;
    LARGE_INTEGER None = {.QuadPart = -1};
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_REQUIRE(CT_SUCCESS(ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL)));
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"2000")));
    CT_STATUS(CmSetCallbackObjectContext(Object, &None, &Key, &Old), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(CmSetCallbackObjectContext(Object, &High.Cookie, (PVOID)0x55, &Old));
    CT_EQUAL(Old, NULL);
    CT_SUCCESS(CmSetCallbackObjectContext(Object, &High.Cookie, (PVOID)0x77, &Old));
    CT_EQUAL(Old, (PVOID)0x55);
    CT_SUCCESS(CtSetNumber(Key, L"Number", 1));
    CT_EQUAL(High.ObjectContext, (PVOID)0x77);
    CT_EQUAL(High.Object, Object);
    CT_SUCCESS(ZwDeleteKey(Key));
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwClose(Key));
    CT_EQUAL(High.Cleanups, 1);
    /* and at the end of the callback */
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, CT_SERVICES, 0)));
    CT_REQUIRE(CT_SUCCESS(ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL)));
    CT_SUCCESS(CmSetCallbackObjectContext(Object, &High.Cookie, (PVOID)0x77, NULL));
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
    CT_EQUAL(High.Cleanups, 2);
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwClose(Key));
    CT_EQUAL(High.Cleanups, 2);
}

static VOID FilterId(VOID)
{
    HANDLE Key, Other;
    PVOID Object, Second;
    ULONG_PTR Id = 0, OtherId = 1;
    ULONG Major = 0, Minor = 0;
    PCUNICODE_STRING Name = NULL, Copy = NULL;
    UNICODE_STRING Expected = CtName(L"\\REGISTRY\\MACHINE\\SOFTWARE\\NtboxTest");
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Other, NULL, CT_ROOT, 0)));
    CT_REQUIRE(CT_SUCCESS(ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL)));
    CT_REQUIRE(CT_SUCCESS(ObReferenceObjectByHandle(Other, 0, *CmKeyObjectType, KernelMode, &Second, NULL)));
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"2000")));
    CT_SUCCESS(CmCallbackGetKeyObjectID(&High.Cookie, Object, &Id, &Name));
    CT_CHECK(Name != NULL && RtlEqualUnicodeString(Name, &Expected, TRUE));
    CT_SUCCESS(CmCallbackGetKeyObjectIDEx(&High.Cookie, Second, &OtherId, &Copy, 0));
    CT_CHECK(Copy != NULL && RtlEqualUnicodeString(Copy, &Expected, TRUE));
    CT_EQUAL(Id, OtherId);
    if (Copy != NULL)
        CmCallbackReleaseKeyObjectIDEx(Copy);
    CT_STATUS(CmCallbackGetKeyObjectIDEx(&High.Cookie, Second, &OtherId, &Copy, 1), STATUS_INVALID_PARAMETER);
    CT_EQUAL(CmGetBoundTransaction(&High.Cookie, Object), NULL);
    CmGetCallbackVersion(&Major, &Minor);
    CT_EQUAL(Major, 1);
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
    CT_STATUS(CmCallbackGetKeyObjectID(&High.Cookie, Object, &Id, NULL), STATUS_INVALID_PARAMETER);
    ObDereferenceObject(Object);
    ObDereferenceObject(Second);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Other));
    CT_SUCCESS(ZwClose(Key));
}

/* [WDK Supporting Layered Registry Filtering Drivers] "If a driver modifies an operation by calling a different registry function, the
 * configuration manager does not restart at the top of the filter stack": those below are told, those above are not. */
static VOID FilterNested(VOID)
{
    HANDLE Key;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_SUCCESS(CtSetNumber(Key, L"Number", 1));
    CT_REQUIRE(CT_SUCCESS(Register(&High, L"2000")));
    CT_REQUIRE(CT_SUCCESS(Register(&Low, L"1000")));
    High.Nests = Key;
    Reset();
    CT_SUCCESS(CtDeleteValue(Key, L"Number"));
    CT_EQUAL(CallCount, 6);
    CT_CHECK(Called(0, &High, RegNtPreDeleteValueKey));
    CT_CHECK(Called(1, &Low, RegNtPreSetValueKey));
    CT_CHECK(Called(2, &Low, RegNtPostSetValueKey));
    CT_CHECK(Called(3, &Low, RegNtPreDeleteValueKey));
    CT_CHECK(Called(5, &High, RegNtPostDeleteValueKey));
    High.Nests = NULL;
    Low.Nests = Key;
    Reset();
    CT_SUCCESS(CtDeleteValue(Key, L"Nested"));
    CT_EQUAL(CallCount, 4);
    CT_CHECK(Called(1, &Low, RegNtPreDeleteValueKey));
    CT_CHECK(Called(2, &Low, RegNtPostDeleteValueKey));
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
    CT_SUCCESS(CmUnRegisterCallback(Low.Cookie));
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static VOID FilterLegacy(VOID)
{
    HANDLE Key;
    Low.Only = High.Only = MaxRegNtNotifyClass;
    Low.Answer = High.Answer = Low.Change = High.Change = STATUS_SUCCESS;
    Tester = PsGetCurrentThread();
    CT_REQUIRE(CT_SUCCESS(CmRegisterCallback(Callback, &Low, &Low.Cookie)));
    CT_REQUIRE(CT_SUCCESS(CmRegisterCallback(Callback, &High, &High.Cookie)));
    CT_CHECK(Low.Cookie.QuadPart != High.Cookie.QuadPart);
    Reset();
    CT_REQUIRE(CT_SUCCESS(CtOpenKey(&Key, NULL, L"\\Registry\\Machine\\Software", 0)));
    CT_EQUAL(CallCount, 4);
    CT_SUCCESS(ZwClose(Key));
    CT_SUCCESS(CmUnRegisterCallback(Low.Cookie));
    CT_SUCCESS(CmUnRegisterCallback(High.Cookie));
}

/* [WDK REG_QUERY_KEY_NAME] Not in the headers. */
typedef struct KEY_NAME_QUERY {
    PVOID Object;
    POBJECT_NAME_INFORMATION ObjectNameInfo;
    ULONG Length;
    PULONG ReturnLength;
    PVOID CallContext, ObjectContext, Reserved;
} KEY_NAME_QUERY;

#define OTHER_NAME L"\\REGISTRY\\Elsewhere"

static struct {
    LARGE_INTEGER Cookie;
    BOOLEAN Answers; /* itself, with OTHER_NAME */
    BOOLEAN Lies;    /* the length is more than there is room for */
    BOOLEAN Wants;   /* says that there is too little room, and names none */
    BOOLEAN Asks;    /* calls ObQueryNameString itself */
    ULONG Pre, Post;
    ULONG Length;    /* of the buffer, at the last call */
    BOOLEAN SawName; /* behind the structure, after */
} Namer;

/* The buffer has room for the text behind the structure: all of it may be written. */
static NTSTATUS AnswerName(const KEY_NAME_QUERY *Query)
{
    POBJECT_NAME_INFORMATION Information = Query->ObjectNameInfo;
    ULONG Needed = sizeof(*Information) + sizeof(OTHER_NAME);
    *Query->ReturnLength = Needed;
    if (Query->Length < Needed)
        return STATUS_INFO_LENGTH_MISMATCH;
    RtlFillMemory(Information, Query->Length, 0x5A);
    RtlCopyMemory(Information + 1, OTHER_NAME, sizeof(OTHER_NAME));
    Information->Name.Length = Namer.Lies ? 0xFFF0 : sizeof(OTHER_NAME) - sizeof(WCHAR);
    Information->Name.MaximumLength = Information->Name.Length;
    Information->Name.Buffer = (PWCHAR)(Information + 1);
    return STATUS_CALLBACK_BYPASS;
}

static NTSTATUS NTAPI NameCallback(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    REG_NOTIFY_CLASS Class = (REG_NOTIFY_CLASS)(ULONG_PTR)Argument1;
    ULONG Size;
    if (PsGetCurrentThread() != Tester)
        return STATUS_SUCCESS;
    if (Class == RegNtPostQueryKeyName) {
        PREG_POST_OPERATION_INFORMATION Post = Argument2;
        const KEY_NAME_QUERY *Query = Post->PreInformation;
        Namer.Post++;
        Namer.SawName = NT_SUCCESS(Post->Status) && Query->ObjectNameInfo->Name.Length != 0 &&
                        Query->ObjectNameInfo->Name.Buffer[0] == L'\\';
    }
    if (Class != RegNtPreQueryKeyName)
        return STATUS_SUCCESS;
    const KEY_NAME_QUERY *Query = Argument2;
    Namer.Pre++;
    Namer.Length = Query->Length;
    if (Namer.Asks)
        CT_STATUS(ObQueryNameString(Query->Object, NULL, 0, &Size), STATUS_INFO_LENGTH_MISMATCH);
    if (Namer.Wants)
        return STATUS_INFO_LENGTH_MISMATCH;
    return Namer.Answers ? AnswerName(Query) : STATUS_SUCCESS;
}

typedef struct NAME_BUFFER {
    OBJECT_NAME_INFORMATION Information;
    WCHAR Text[100];
    ULONG Behind;
} NAME_BUFFER;

/* Drivers see the whole answer, may give it, and are not believed where it would lie outside. */
static VOID FilterName(VOID)
{
    HANDLE Key;
    PVOID Object;
    ULONG Size = 0, Length = 0;
    UNICODE_STRING Altitude = CtName(L"2000"), Other = CtName(OTHER_NAME);
    UNICODE_STRING Own = CtName(L"\\REGISTRY\\MACHINE\\SOFTWARE\\NtboxTest");
    NAME_BUFFER Name = {.Behind = 0x11223344};
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Key, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CT_REQUIRE(CT_SUCCESS(ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL)));
    Tester = PsGetCurrentThread();
    RtlZeroMemory(&Namer, sizeof(Namer));
    CT_REQUIRE(
        CT_SUCCESS(CmRegisterCallbackEx(NameCallback, &Altitude, CtDriverObject, NULL, &Namer.Cookie, NULL)));
    Length = FIELD_OFFSET(NAME_BUFFER, Behind);
    CT_STATUS(ObQueryNameString(Object, NULL, 0, &Size), STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Size, sizeof(OBJECT_NAME_INFORMATION) + Own.Length + sizeof(WCHAR));
    CT_SUCCESS(ObQueryNameString(Object, &Name.Information, Length, &Size));
    CT_CHECK(RtlEqualUnicodeString(&Name.Information.Name, &Own, TRUE));
    CT_EQUAL(Namer.Pre, 2);
    CT_EQUAL(Namer.Post, 2);
    CT_CHECK(Namer.SawName);
    CT_EQUAL(Namer.Length, Length);
    Namer.Asks = TRUE; /* which nobody is told of: it is the lowest */
    CT_SUCCESS(ObQueryNameString(Object, &Name.Information, Length, &Size));
    CT_EQUAL(Namer.Pre, 3);
    Namer.Asks = FALSE;
    Namer.Answers = TRUE;
    CT_STATUS(ObQueryNameString(Object, NULL, 0, &Size), STATUS_INFO_LENGTH_MISMATCH);
    CT_EQUAL(Size, sizeof(OBJECT_NAME_INFORMATION) + sizeof(OTHER_NAME));
    CT_SUCCESS(ObQueryNameString(Object, &Name.Information, Length, &Size));
    CT_CHECK(RtlEqualUnicodeString(&Name.Information.Name, &Other, FALSE));
    CT_EQUAL(Name.Behind, 0x11223344);
    Namer.Lies = TRUE;
    CT_STATUS(ObQueryNameString(Object, &Name.Information, Length, &Size), STATUS_OBJECT_NAME_INVALID);
    Namer.Wants = TRUE;
    CT_STATUS(ObQueryNameString(Object, &Name.Information, Length, &Size), STATUS_OBJECT_NAME_INVALID);
    CT_SUCCESS(CmUnRegisterCallback(Namer.Cookie));
    ObDereferenceObject(Object);
    CT_SUCCESS(ZwDeleteKey(Key));
    CT_SUCCESS(ZwClose(Key));
}

static const CT_CASE Cases[] = {
    {"regfilter.order", FilterOrder},   {"regfilter.block", FilterBlock},
    {"regfilter.open", FilterOpen},     {"regfilter.context", FilterContext},
    {"regfilter.id", FilterId},         {"regfilter.legacy", FilterLegacy},
    {"regfilter.give", FilterGive},     {"regfilter.lies", FilterLies},
    {"regfilter.nested", FilterNested}, {"regfilter.name", FilterName},
};

CT_DRIVER(Cases)
