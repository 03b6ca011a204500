/* SPDX-License-Identifier: MIT
 * The registry's services as a program calls them: memory and handles of its own, rights of its token. */
#include "cm_service.h"
#include "kt.h"
#include "mm.h"
#include "mm_user.h"
#include "ob.h"
#include "ps.h"
#include "se.h"

#define KERNEL_VARIABLE ((PVOID)MM_IMAGE_BASE) /* readable, and not the program's */
#define ROOT L"\\Registry\\Machine\\Software"

typedef struct _USER_PAGE {
    HANDLE Key, Child;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name, Value;
    WCHAR Text[64], ValueText[16];
    ULONG Length, Disposition, Number;
    KEY_VALUE_ENTRY Entry;
    IO_STATUS_BLOCK Iosb;
    SECURITY_DESCRIPTOR Descriptor;
    ULONG Acl[32];
    UCHAR Buffer[2048];
} USER_PAGE;

#define ME ((USER_PAGE *)KT_USER_BASE)

/* The thread has the rights of the token, and the privilege enabled, until PsRevertToSelf. Primary is let go. */
static BOOLEAN Become(PACCESS_TOKEN Primary, ULONG Privilege)
{
    PACCESS_TOKEN Token;
    HANDLE Handle;
    TOKEN_PRIVILEGES Enable = {1, {{{Privilege, 0}, SE_PRIVILEGE_ENABLED}}};
    NTSTATUS Status = SeDuplicateToken(Primary, FALSE, TokenImpersonation, SecurityImpersonation, &Token);
    ObDereferenceObject(Primary);
    if (!NT_SUCCESS(Status))
        return FALSE;
    Status = ObOpenObjectByPointer(Token, OBJ_KERNEL_HANDLE, NULL, TOKEN_ADJUST_PRIVILEGES, NULL, KernelMode,
                                   &Handle);
    if (NT_SUCCESS(Status)) {
        Status = ZwAdjustPrivilegesToken(Handle, FALSE, &Enable, 0, NULL, NULL);
        ZwClose(Handle);
    }
    if (NT_SUCCESS(Status))
        Status = PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, SecurityImpersonation);
    ObDereferenceObject(Token);
    return NT_SUCCESS(Status);
}

/* A plain user, with the privilege that everybody has. */
static BOOLEAN BecomeUser(VOID)
{
    PACCESS_TOKEN Primary;
    return NT_SUCCESS(SeCreateAccountToken(SeAccountUser, &Primary)) &&
           Become(Primary, SE_CHANGE_NOTIFY_PRIVILEGE);
}

static BOOLEAN BecomeRestorer(VOID)
{
    return Become(PsReferencePrimaryToken(PsGetCurrentProcess()), SE_RESTORE_PRIVILEGE);
}

static VOID SetName(PCWSTR Text)
{
    ME->Name.Length = (USHORT)(wcslen(Text) * sizeof(WCHAR));
    RtlCopyMemory(ME->Text, Text, ME->Name.Length);
    ME->Name.Buffer = ME->Text;
    InitializeObjectAttributes(&ME->Attributes, &ME->Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
}

static VOID SetValueName(PCWSTR Text)
{
    ME->Value.Length = (USHORT)(wcslen(Text) * sizeof(WCHAR));
    RtlCopyMemory(ME->ValueText, Text, ME->Value.Length);
    ME->Value.Buffer = ME->ValueText;
}

static NTSTATUS Open(PCWSTR Path, ACCESS_MASK Access)
{
    SetName(Path);
    return CmOpenKey(&ME->Key, Access, &ME->Attributes, 0, UserMode);
}

static NTSTATUS Create(PCWSTR Path, PSECURITY_DESCRIPTOR Descriptor)
{
    SetName(Path);
    ME->Attributes.SecurityDescriptor = Descriptor;
    return CmCreateKey(&ME->Key, KEY_ALL_ACCESS, &ME->Attributes, NULL, REG_OPTION_VOLATILE, &ME->Disposition,
                       UserMode);
}

static NTSTATUS Query(ULONG Length)
{
    return CmQueryValueKey(ME->Key, &ME->Value, KeyValuePartialInformation, ME->Buffer, Length, &ME->Length,
                           UserMode);
}

static VOID Delete(KT_CONTEXT *Kt)
{
    KT_EXPECT(CmDeleteKey(ME->Key, UserMode) == STATUS_SUCCESS && NtClose(ME->Key) == STATUS_SUCCESS);
}

static VOID SetAndAsk(KT_CONTEXT *Kt)
{
    PKEY_VALUE_PARTIAL_INFORMATION Partial = (PVOID)ME->Buffer;
    KT_EXPECT(Create(ROOT L"\\KtCm", NULL) == STATUS_SUCCESS && ME->Disposition == REG_CREATED_NEW_KEY);
    KT_EXPECT(!ObIsKernelHandle(ME->Key));
    SetValueName(L"Long");
    RtlFillMemory(ME->Buffer, 1500, 0x5a);
    KT_EXPECT(CmSetValueKey(ME->Key, &ME->Value, 0, REG_BINARY, ME->Buffer, 1500, UserMode) ==
              STATUS_SUCCESS);
    RtlZeroMemory(ME->Buffer, sizeof(ME->Buffer));
    KT_EXPECT(Query(1512) == STATUS_SUCCESS && ME->Length == 1512 && Partial->DataLength == 1500);
    KT_EXPECT(Partial->Data[0] == 0x5a && Partial->Data[1499] == 0x5a && Partial->Data[1500] == 0);
    RtlZeroMemory(ME->Buffer, sizeof(ME->Buffer));
    KT_EXPECT(Query(1300) == STATUS_BUFFER_OVERFLOW && ME->Length == 1512);
    KT_EXPECT(ME->Buffer[1299] == 0x5a && ME->Buffer[1300] == 0);
    KT_EXPECT(Query(4) == STATUS_BUFFER_TOO_SMALL && ME->Length == 1512);
    ME->Entry = (KEY_VALUE_ENTRY){.ValueName = &ME->Value};
    ME->Number = 1500;
    KT_EXPECT(CmQueryMultipleValueKey(ME->Key, &ME->Entry, 1, ME->Buffer, &ME->Number, &ME->Length,
                                      UserMode) == STATUS_SUCCESS);
    KT_EXPECT(ME->Entry.DataLength == 1500 && ME->Length == 1500 && ME->Buffer[0] == 0x5a);
    KT_EXPECT(CmEnumerateValueKey(ME->Key, 0, KeyValueBasicInformation, ME->Buffer, 64, &ME->Length,
                                  UserMode) == STATUS_SUCCESS);
    KT_EXPECT(CmQueryKey(ME->Key, KeyNameInformation, ME->Buffer, 256, &ME->Length, UserMode) ==
              STATUS_SUCCESS);
    SetName(L"KtCm2");
    KT_EXPECT(CmRenameKey(ME->Key, &ME->Name, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(CmDeleteValueKey(ME->Key, &ME->Value, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(Query(64) == STATUS_OBJECT_NAME_NOT_FOUND);
    Delete(Kt);
}

/* What the program must not touch, or has not got, is a status, and nothing was done. */
static VOID BadMemory(KT_CONTEXT *Kt)
{
    KT_EXPECT(Create(ROOT L"\\KtCm", NULL) == STATUS_SUCCESS);
    SetValueName(L"v");
    KT_EXPECT(CmSetValueKey(ME->Key, &ME->Value, 0, REG_DWORD, KERNEL_VARIABLE, 4, UserMode) ==
              STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmSetValueKey(ME->Key, KERNEL_VARIABLE, 0, REG_DWORD, ME->Buffer, 4, UserMode) ==
              STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmSetValueKey(ME->Key, &ME->Value, 0, REG_DWORD, (PVOID)0x1000, 4, UserMode) ==
              STATUS_ACCESS_VIOLATION);
    KT_EXPECT(
        !NT_SUCCESS(CmSetValueKey(ME->Key, &ME->Value, 0, REG_DWORD, ME->Buffer, 0xfffffff0, UserMode)));
    KT_EXPECT(Query(64) == STATUS_OBJECT_NAME_NOT_FOUND);
    KT_EXPECT(CmSetValueKey(ME->Key, &ME->Value, 0, REG_DWORD, ME->Buffer, 4, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(CmQueryValueKey(ME->Key, &ME->Value, KeyValuePartialInformation, KERNEL_VARIABLE, 64,
                              &ME->Length, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmQueryValueKey(ME->Key, &ME->Value, KeyValuePartialInformation, ME->Buffer, 64,
                              KERNEL_VARIABLE, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmOpenKey(KERNEL_VARIABLE, KEY_READ, &ME->Attributes, 0, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmOpenKey(&ME->Child, KEY_READ, KERNEL_VARIABLE, 0, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmCreateKey(&ME->Child, KEY_READ, &ME->Attributes, NULL, 0, KERNEL_VARIABLE, UserMode) ==
              STATUS_ACCESS_VIOLATION);
    ME->Value.Length = 3;
    KT_EXPECT(Query(64) == STATUS_INVALID_PARAMETER);
    KT_EXPECT(CmNotifyChangeKey(ME->Key, NULL, NULL, NULL, KERNEL_VARIABLE, REG_NOTIFY_CHANGE_NAME, FALSE,
                                TRUE, UserMode) == STATUS_ACCESS_VIOLATION);
    Delete(Kt);
}

/* A user may read what the machine's keys say, and no more. */
static VOID AsUser(KT_CONTEXT *Kt)
{
    KT_EXPECT(Open(ROOT, KEY_WRITE) == STATUS_ACCESS_DENIED);
    KT_EXPECT(Open(ROOT, DELETE) == STATUS_ACCESS_DENIED);
    KT_EXPECT(Create(ROOT L"\\KtCm", NULL) == STATUS_ACCESS_DENIED);
    KT_EXPECT(Open(ROOT, MAXIMUM_ALLOWED) == STATUS_SUCCESS);
    SetValueName(L"v");
    KT_EXPECT(CmSetValueKey(ME->Key, &ME->Value, 0, REG_DWORD, ME->Buffer, 4, UserMode) ==
              STATUS_ACCESS_DENIED);
    KT_EXPECT(CmDeleteKey(ME->Key, UserMode) == STATUS_ACCESS_DENIED);
    KT_EXPECT(CmQueryKey(ME->Key, KeyFullInformation, ME->Buffer, 64, &ME->Length, UserMode) ==
              STATUS_SUCCESS);
    KT_EXPECT(CmSaveKey(ME->Key, NULL, REG_STANDARD_FORMAT, UserMode) == STATUS_PRIVILEGE_NOT_HELD);
    KT_EXPECT(CmLoadKey(&ME->Attributes, &ME->Attributes, UserMode) == STATUS_PRIVILEGE_NOT_HELD);
    KT_EXPECT(CmUnloadKey(&ME->Attributes, UserMode) == STATUS_PRIVILEGE_NOT_HELD);
    KT_EXPECT(NtClose(ME->Key) == STATUS_SUCCESS);
    KT_EXPECT(Open(ROOT, KEY_SET_VALUE | KEY_READ) == STATUS_ACCESS_DENIED);
    KT_EXPECT(Open(ROOT, KEY_QUERY_VALUE) == STATUS_SUCCESS);
    KT_EXPECT(CmEnumerateKey(ME->Key, 0, KeyBasicInformation, ME->Buffer, 64, &ME->Length, UserMode) ==
              STATUS_ACCESS_DENIED);
    KT_EXPECT(NtClose(ME->Key) == STATUS_SUCCESS);
    ME->Attributes.Attributes |= OBJ_FORCE_ACCESS_CHECK | OBJ_KERNEL_HANDLE;
    KT_EXPECT(CmOpenKey(&ME->Key, KEY_WRITE, &ME->Attributes, 0, KernelMode) == STATUS_ACCESS_DENIED);
}

static VOID UserRights(KT_CONTEXT *Kt)
{
    KT_EXPECT(BecomeUser());
    AsUser(Kt);
    PsRevertToSelf();
}

/* A descriptor in the program's memory: System may do all, below too; nobody else may do anything. */
static PSECURITY_DESCRIPTOR SystemOnly(VOID)
{
    PACL Acl = (PACL)ME->Acl;
    (void)RtlCreateAcl(Acl, sizeof(ME->Acl), ACL_REVISION);
    (void)RtlAddAccessAllowedAceEx(Acl, ACL_REVISION, CONTAINER_INHERIT_ACE, KEY_ALL_ACCESS,
                                   SeExports->SeLocalSystemSid);
    (void)RtlCreateSecurityDescriptor(&ME->Descriptor, SECURITY_DESCRIPTOR_REVISION);
    (void)RtlSetDaclSecurityDescriptor(&ME->Descriptor, TRUE, Acl, FALSE);
    return &ME->Descriptor;
}

static VOID RefusedToUser(KT_CONTEXT *Kt)
{
    KT_EXPECT(BecomeUser());
    HANDLE Key = ME->Key;
    NTSTATUS Parent = Open(ROOT L"\\KtCm", KEY_READ), Child = Open(ROOT L"\\KtCm\\Below", KEY_READ);
    PsRevertToSelf();
    ME->Key = Key;
    KT_EXPECT(Parent == STATUS_ACCESS_DENIED && Child == STATUS_ACCESS_DENIED);
}

static VOID Descriptors(KT_CONTEXT *Kt)
{
    KT_EXPECT(Create(ROOT L"\\KtCm", KERNEL_VARIABLE) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(Create(ROOT L"\\KtCm", SystemOnly()) == STATUS_SUCCESS);
    HANDLE Parent = ME->Key;
    KT_EXPECT(Create(ROOT L"\\KtCm\\Below", NULL) == STATUS_SUCCESS);
    RefusedToUser(Kt);
    Delete(Kt);
    ME->Key = Parent;
    Delete(Kt);
}

/* No file system driver runs yet: the hive cannot be written, and keeps its changes. */
static VOID FlushNowhere(KT_CONTEXT *Kt)
{
    KT_EXPECT(Create(ROOT L"\\KtCm", NULL) == STATUS_SUCCESS);
    KT_EXPECT(CmFlushKey(ME->Key, UserMode) == STATUS_REGISTRY_IO_FAILED);
    KT_EXPECT(CmFlushKey(ME->Key, UserMode) == STATUS_REGISTRY_IO_FAILED);
    Delete(Kt);
    KT_EXPECT(Open(L"\\Registry\\Machine\\Hardware", KEY_READ) == STATUS_SUCCESS);
    KT_EXPECT(CmFlushKey(ME->Key, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(NtClose(ME->Key) == STATUS_SUCCESS);
    KT_EXPECT(CmFlushKey(ME->Key, UserMode) == STATUS_INVALID_HANDLE);
}

/* --- notifications that are not waited for ---------------------------------------------------------------------- */

static NTSTATUS Watch(PIO_APC_ROUTINE Routine)
{
    ME->Iosb.Status = 1;
    return CmNotifyChangeKey(ME->Key, ME->Child, Routine, (PVOID)77, &ME->Iosb, REG_NOTIFY_CHANGE_LAST_SET,
                             FALSE, TRUE, UserMode);
}

static VOID Change(KT_CONTEXT *Kt)
{
    KT_EXPECT(CmSetValueKey(ME->Key, &ME->Value, 0, REG_DWORD, ME->Buffer, 4, UserMode) == STATUS_SUCCESS);
}

static BOOLEAN IsSignalled(VOID)
{
    LARGE_INTEGER Now = {.QuadPart = 0};
    return ZwWaitForSingleObject(ME->Child, FALSE, &Now) == STATUS_SUCCESS;
}

/* Nothing runs in user mode: what would be called there is taken out of the thread's list. */
static VOID ExpectCall(KT_CONTEXT *Kt)
{
    PLIST_ENTRY Head = &KiCurrentThread()->ApcState.ApcListHead[UserMode];
    KT_EXPECT(!IsListEmpty(Head));
    PKAPC Apc = CONTAINING_RECORD(RemoveHeadList(Head), KAPC, ApcListEntry);
    Apc->Inserted = FALSE;
    BOOLEAN Right = Apc->NormalRoutine == (PKNORMAL_ROUTINE)0x1234 && Apc->NormalContext == (PVOID)77 &&
                    Apc->SystemArgument1 == &ME->Iosb;
    Apc->RundownRoutine(Apc);
    KT_EXPECT(Right);
}

static VOID WatchLater(KT_CONTEXT *Kt)
{
    KT_EXPECT(Create(ROOT L"\\KtCm", NULL) == STATUS_SUCCESS);
    KT_EXPECT(ZwCreateEvent(&ME->Child, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE) == STATUS_SUCCESS);
    SetValueName(L"v");
    KT_EXPECT(Watch(NULL) == STATUS_PENDING && ME->Iosb.Status == 1 && !IsSignalled());
    Change(Kt);
    KT_EXPECT(ME->Iosb.Status == STATUS_NOTIFY_ENUM_DIR && IsSignalled());
    KT_EXPECT(IsListEmpty(&KiCurrentThread()->ApcState.ApcListHead[UserMode]));
    KT_EXPECT(Watch((PIO_APC_ROUTINE)0x1234) == STATUS_PENDING && !IsSignalled());
    Change(Kt);
    KT_EXPECT(ME->Iosb.Status == STATUS_NOTIFY_ENUM_DIR && IsSignalled());
    ExpectCall(Kt);
    Change(Kt); /* while nobody waits: the next one is told at once */
    KT_EXPECT(Watch(NULL) == STATUS_NOTIFY_ENUM_DIR && ME->Iosb.Status == STATUS_NOTIFY_ENUM_DIR &&
              IsSignalled());
    KT_EXPECT(Watch(NULL) == STATUS_PENDING);
    Delete(Kt);
    KT_EXPECT(ME->Iosb.Status == STATUS_NOTIFY_CLEANUP && IsSignalled());
    KT_EXPECT(NtClose(ME->Child) == STATUS_SUCCESS);
}

KT_TEST(cm_notifications_end_by_an_apc_in_the_callers_process)
{
    KtAsUser(Kt, 1, WatchLater);
}

/* --- hives ---------------------------------------------------------------------------------------------------------- */

static OBJECT_ATTRIBUTES *HiveFile(VOID)
{
    static const WCHAR Path[] = L"\\SystemRoot\\System32\\config\\SYSTEM";
    OBJECT_ATTRIBUTES *Attributes = (PVOID)ME->Buffer;
    PUNICODE_STRING Name = (PVOID)(Attributes + 1);
    *Name = (UNICODE_STRING){sizeof(Path) - sizeof(WCHAR), sizeof(Path), (PWCHAR)(Name + 1)};
    RtlCopyMemory(Name->Buffer, Path, sizeof(Path));
    InitializeObjectAttributes(Attributes, Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    return Attributes;
}

static VOID WithHives(KT_CONTEXT *Kt)
{
    KT_EXPECT(CmLoadKey(KERNEL_VARIABLE, HiveFile(), UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmUnloadKey(KERNEL_VARIABLE, UserMode) == STATUS_ACCESS_VIOLATION);
    SetName(L"\\Registry\\Machine\\KtHive");
    KT_EXPECT(CmLoadKey(&ME->Attributes, HiveFile(), UserMode) == STATUS_SUCCESS);
    KT_EXPECT(CmLoadKey(&ME->Attributes, KERNEL_VARIABLE, UserMode) == STATUS_ACCESS_VIOLATION);
    KT_EXPECT(CmLoadKey(&ME->Attributes, HiveFile(), UserMode) == STATUS_SHARING_VIOLATION);
    KT_EXPECT(Open(L"\\Registry\\Machine\\KtHive\\Select", KEY_READ) == STATUS_SUCCESS);
    SetName(L"\\Registry\\Machine\\KtHive");
    KT_EXPECT(CmUnloadKey(&ME->Attributes, UserMode) == STATUS_CANNOT_DELETE);
    KT_EXPECT(NtClose(ME->Key) == STATUS_SUCCESS);
    KT_EXPECT(CmUnloadKey(&ME->Attributes, UserMode) == STATUS_SUCCESS);
    KT_EXPECT(Open(L"\\Registry\\Machine\\KtHive", KEY_READ) == STATUS_OBJECT_NAME_NOT_FOUND);
}

static VOID AsRestorer(KT_CONTEXT *Kt)
{
    SetName(L"\\Registry\\Machine\\KtHive");
    KT_EXPECT(CmLoadKey(&ME->Attributes, HiveFile(), UserMode) == STATUS_PRIVILEGE_NOT_HELD);
    KT_EXPECT(BecomeRestorer());
    WithHives(Kt);
    PsRevertToSelf();
}

KT_TEST(cm_programs_load_hives)
{
    KtAsUser(Kt, 1, AsRestorer);
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

KT_TEST(cm_services_work_for_user_mode)
{
    KtAsUser(Kt, 1, SetAndAsk);
}

KT_TEST(cm_services_refuse_memory_that_is_not_the_callers)
{
    KtAsUser(Kt, 1, BadMemory);
}

KT_TEST(cm_keys_grant_what_their_descriptors_say)
{
    KtAsUser(Kt, 1, UserRights);
}

KT_TEST(cm_new_keys_have_the_callers_descriptor_and_pass_it_on)
{
    KtAsUser(Kt, 1, Descriptors);
}

KT_TEST(cm_a_hive_without_a_volume_is_not_flushed)
{
    KtAsUser(Kt, 1, FlushNowhere);
}
