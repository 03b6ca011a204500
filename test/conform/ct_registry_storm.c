/* SPDX-License-Identifier: MIT
 * The registry from many threads at once: all do everything to a few keys, one filters what they do and keeps contexts. What each sees must be
 * one of the states that there are, each context ends once, each notification ends. [WDK CmUnRegisterCallback, ZwNotifyChangeKey] */
#include "ct_crew.h"
#include "ct_registry_key.h"

#define ROUNDS 60

static volatile LONG Wrong, Kept, Cleaned, Told, Running;
static LARGE_INTEGER Cookie;

static VOID Expect(NTSTATUS Status, NTSTATUS First, NTSTATUS Second)
{
    if (!NT_SUCCESS(Status) && Status != First && Status != Second && InterlockedIncrement(&Wrong) == 1)
        DbgPrint("registry.storm: status 0x%08X\n", (unsigned)Status);
}

/* --- the filter: a context with each key that is opened --------------------------------------------------------- */

static VOID Keep(PREG_POST_OPERATION_INFORMATION Post)
{
    PVOID Old = NULL;
    if (NT_SUCCESS(Post->Status) && Post->Object != NULL &&
        NT_SUCCESS(CmSetCallbackObjectContext(Post->Object, &Cookie, (PVOID)1, &Old)) && Old == NULL)
        InterlockedIncrement(&Kept);
}

static NTSTATUS NTAPI Filter(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    REG_NOTIFY_CLASS Class = (REG_NOTIFY_CLASS)(ULONG_PTR)Argument1;
    UNREFERENCED_PARAMETER(Context);
    InterlockedIncrement(&Told);
    if (!Running)
        InterlockedIncrement(&Wrong);
    if (Class == RegNtPostCreateKeyEx || Class == RegNtPostOpenKeyEx)
        Keep(Argument2);
    if (Class == RegNtCallbackObjectContextCleanup)
        InterlockedIncrement(&Cleaned);
    return STATUS_SUCCESS;
}

static VOID FilterWork(VOID)
{
    UNICODE_STRING Altitude = RTL_CONSTANT_STRING(L"371000.5");
    for (ULONG i = 0; i < ROUNDS; i++) {
        HANDLE Key;
        Running = TRUE;
        Expect(CmRegisterCallbackEx(Filter, &Altitude, CtDriverObject, NULL, &Cookie, NULL), 0, 0);
        Expect(CtCreateKey(&Key, NULL, CT_ROOT L"\\Kept", 0, NULL), 0, 0); /* ends while the key is alive */
        Expect(CmUnRegisterCallback(Cookie), 0, 0);
        Running = FALSE;
        ZwClose(Key);
    }
}

/* --- the others --------------------------------------------------------------------------------------------------- */

static const PCWSTR Names[] = {L"A", L"B", L"C"};

static VOID Enumerate(HANDLE Key)
{
    struct {
        KEY_BASIC_INFORMATION Basic;
        WCHAR Room[16];
    } Result;
    ULONG Length;
    NTSTATUS Status = STATUS_SUCCESS;
    for (ULONG i = 0; NT_SUCCESS(Status) && i < 16; i++)
        Status = ZwEnumerateKey(Key, i, KeyBasicInformation, &Result, sizeof(Result), &Length);
    Expect(Status, STATUS_NO_MORE_ENTRIES, STATUS_KEY_DELETED);
}

/* The handle's close ends what waits, if nothing did before. */
static VOID Watch(HANDLE Event, ULONG Number, PCWSTR Name, HANDLE Root)
{
    static IO_STATUS_BLOCK Iosb[CT_THREADS];
    LARGE_INTEGER Patience = {.QuadPart = -30 * 10000000ll};
    HANDLE Key;
    NTSTATUS Status = CtOpenKey(&Key, Root, Name, 0);
    Expect(Status, STATUS_OBJECT_NAME_NOT_FOUND, 0);
    if (!NT_SUCCESS(Status))
        return;
    Status = ZwNotifyChangeKey(Key, Event, NULL, NULL, &Iosb[Number], REG_LEGAL_CHANGE_FILTER, TRUE, NULL, 0,
                               TRUE);
    Expect(Status, STATUS_KEY_DELETED, 0);
    ZwClose(Key);
    if (NT_SUCCESS(Status))
        Expect(ZwWaitForSingleObject(Event, FALSE, &Patience) == STATUS_SUCCESS ? STATUS_SUCCESS
                                                                                : STATUS_TIMEOUT + 1,
               0, 0);
}

static VOID Change(HANDLE Root, HANDLE Event, ULONG Number, ULONG Pick)
{
    HANDLE Key;
    ULONG Value;
    PCWSTR Name = Names[Pick % 3];
    UNICODE_STRING Other = CtName(Names[(Pick >> 2) % 3]);
    NTSTATUS Status = CtCreateKey(&Key, Root, Name, Pick & 0x10 ? REG_OPTION_VOLATILE : 0, NULL);
    Expect(Status, 0, 0);
    if (!NT_SUCCESS(Status))
        return;
    Expect(CtSetNumber(Key, L"Value", 0x5a5a5a5a), STATUS_KEY_DELETED, 0);
    Status = CtGetNumber(Key, L"Value", &Value);
    Expect(Status, STATUS_KEY_DELETED, STATUS_OBJECT_NAME_NOT_FOUND);
    if (NT_SUCCESS(Status) && Value != 0x5a5a5a5a)
        InterlockedIncrement(&Wrong);
    if (Pick & 0x20)
        Expect(ZwRenameKey(Key, &Other), STATUS_KEY_DELETED, STATUS_CANNOT_DELETE);
    if (Pick & 0x40)
        Expect(ZwDeleteKey(Key), STATUS_KEY_DELETED, 0);
    if ((Pick & 0x780) == 0)
        Expect(ZwFlushKey(Key), STATUS_KEY_DELETED, 0);
    if (Pick & 0x800)
        Watch(Event, Number, Name, Root);
    ZwClose(Key);
}

static VOID Storm(ULONG Number)
{
    ULONG Seed = Number * 7919 + 1;
    HANDLE Root, Event;
    OBJECT_ATTRIBUTES Attributes;
    if (Number == 0) {
        FilterWork();
        return;
    }
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Expect(CtOpenKey(&Root, NULL, CT_ROOT, 0), 0, 0);
    Expect(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE), 0, 0);
    for (ULONG i = 0; i < ROUNDS; i++) {
        Seed = Seed * 1664525 + 1013904223;
        Change(Root, Event, Number, Seed >> 16);
        Enumerate(Root);
    }
    ZwClose(Event);
    ZwClose(Root);
}

static VOID RegistryStorm(VOID)
{
    static CT_CREW Crew;
    HANDLE Root, Key;
    CT_REQUIRE(CT_SUCCESS(CtCreateKey(&Root, NULL, CT_ROOT, REG_OPTION_NON_VOLATILE, NULL)));
    CtRunCrew(&Crew, Storm);
    CT_EQUAL(Wrong, 0);
    CT_CHECK(Kept >= ROUNDS && Told > Kept);
    CT_EQUAL(Cleaned, Kept);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++) {
        if (NT_SUCCESS(CtOpenKey(&Key, Root, Names[i], 0))) {
            CT_SUCCESS(ZwDeleteKey(Key));
            CT_SUCCESS(ZwClose(Key));
        }
    }
    CtDeleteKey(Root, L"Kept");
    CT_SUCCESS(ZwDeleteKey(Root)); /* nothing else is below it */
    CT_SUCCESS(ZwClose(Root));
}

static const CT_CASE Cases[] = {{"registry.storm", RegistryStorm}};

CT_DRIVER(Cases)
