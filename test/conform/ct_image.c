/* SPDX-License-Identifier: MIT
 * Images of drivers. [WDK PsSetLoadImageNotifyRoutine, PsSetLoadImageNotifyRoutineEx, PsRemoveLoadImageNotifyRoutine,
 * PLOAD_IMAGE_NOTIFY_ROUTINE, MmLockPagableDataSection, MmLockPagableSectionByHandle, MmUnlockPagableImageSection,
 * MmPageEntireDriver, MmResetDriverPaging, MmIsDriverVerifying, MmIsVerifierEnabled, MmAddVerifierThunks] Wants the service "hello", an
 * ordinary driver that is loaded and can be unloaded. */
#include "ct.h"
#include <ntimage.h>
#include "ntbox/loaded_module.h"

/* --- load notification --- */

typedef struct IMAGE_SEEN {
    ULONG Calls;
    BOOLEAN IsHello, InRegion;
    KIRQL Irql;
    HANDLE ProcessId;
    PVOID Base;
    SIZE_T Size;
    ULONG Properties;
    SIZE_T ExtendedSize;
    CSHORT FileType;
} IMAGE_SEEN;

static IMAGE_SEEN ImageSeen;

static BOOLEAN EndsWith(PCUNICODE_STRING Name, PCWSTR Tail)
{
    UNICODE_STRING Wanted, End;
    RtlInitUnicodeString(&Wanted, Tail);
    if (Name == NULL || Name->Length < Wanted.Length)
        return FALSE;
    End = (UNICODE_STRING){Wanted.Length, Wanted.Length,
                           Name->Buffer + (Name->Length - Wanted.Length) / sizeof(WCHAR)};
    return RtlEqualUnicodeString(&End, &Wanted, TRUE);
}

static VOID NTAPI OnImage(PUNICODE_STRING FullImageName, HANDLE ProcessId, PIMAGE_INFO ImageInfo)
{
    IMAGE_INFO_EX *Extended = CONTAINING_RECORD(ImageInfo, IMAGE_INFO_EX, ImageInfo);
    ImageSeen.Calls++;
    ImageSeen.IsHello = EndsWith(FullImageName, L"\\hello.sys");
    ImageSeen.InRegion = KeAreApcsDisabled();
    ImageSeen.Irql = KeGetCurrentIrql();
    ImageSeen.ProcessId = ProcessId;
    ImageSeen.Base = ImageInfo->ImageBase;
    ImageSeen.Size = ImageInfo->ImageSize;
    ImageSeen.Properties = ImageInfo->Properties;
    ImageSeen.ExtendedSize = Extended->Size;
    ImageSeen.FileType = Extended->FileObject->Type;
}

static VOID NTAPI OnImageToo(PUNICODE_STRING FullImageName, HANDLE ProcessId, PIMAGE_INFO ImageInfo)
{
    UNREFERENCED_PARAMETER(FullImageName);
    UNREFERENCED_PARAMETER(ProcessId);
    UNREFERENCED_PARAMETER(ImageInfo);
    ImageSeen.Calls += 100;
}

static NTSTATUS ReloadHello(VOID)
{
    UNICODE_STRING Service =
        RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\hello");
    RtlZeroMemory(&ImageSeen, sizeof(ImageSeen));
    NTSTATUS Status = ZwUnloadDriver(&Service);
    return NT_SUCCESS(Status) ? ZwLoadDriver(&Service) : Status;
}

static VOID ImageNotify(VOID)
{
    CT_SUCCESS(PsSetLoadImageNotifyRoutine(OnImage));
    CT_SUCCESS(ReloadHello());
    CT_EQUAL(ImageSeen.Calls, 1);
    CT_CHECK(ImageSeen.IsHello && ImageSeen.InRegion);
    CT_EQUAL(ImageSeen.Irql, PASSIVE_LEVEL);
    CT_EQUAL(ImageSeen.ProcessId, 0);
    CT_CHECK(ImageSeen.Base != NULL && ImageSeen.Size % PAGE_SIZE == 0 && ImageSeen.Size != 0);
    CT_EQUAL(ImageSeen.Properties & 0x7ff,
             IMAGE_ADDRESSING_MODE_32BIT | 0x100 | 0x400); /* system, extended */
    CT_EQUAL(ImageSeen.ExtendedSize, sizeof(IMAGE_INFO_EX));
    CT_EQUAL(ImageSeen.FileType, 5); /* IO_TYPE_FILE */
    CT_SUCCESS(PsSetLoadImageNotifyRoutineEx(OnImageToo, PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE));
    CT_STATUS(PsSetLoadImageNotifyRoutineEx(OnImageToo, 0x80), STATUS_INVALID_PARAMETER);
    CT_SUCCESS(ReloadHello());
    CT_EQUAL(ImageSeen.Calls, 101);
    CT_SUCCESS(PsRemoveLoadImageNotifyRoutine(OnImage));
    CT_STATUS(PsRemoveLoadImageNotifyRoutine(OnImage), STATUS_PROCEDURE_NOT_FOUND);
    CT_SUCCESS(ReloadHello());
    CT_EQUAL(ImageSeen.Calls, 100);
    KIRQL OldIrql;
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    CT_SUCCESS(PsRemoveLoadImageNotifyRoutine(OnImageToo));
    KeLowerIrql(OldIrql);
    CT_SUCCESS(ReloadHello());
    CT_EQUAL(ImageSeen.Calls, 0);
}

/* [WDK PsSetLoadImageNotifyRoutine] up to 64 routines. */
static VOID ImageNotifyMany(VOID)
{
    ULONG Count = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    while (Count <= 64 && NT_SUCCESS(Status = PsSetLoadImageNotifyRoutine(OnImage)))
        Count++;
    CT_STATUS(Status, STATUS_INSUFFICIENT_RESOURCES);
    CT_CHECK(Count > 8 && Count <= 64);
    while (Count-- != 0)
        CT_SUCCESS(PsRemoveLoadImageNotifyRoutine(OnImage));
}

/* --- the list of loaded modules --- */

static BOOLEAN IsMine(const KLDR_DATA_TABLE_ENTRY *Entry)
{
    return (ULONG_PTR)IsMine - (ULONG_PTR)Entry->DllBase < Entry->SizeOfImage;
}

static VOID CheckEntry(const KLDR_DATA_TABLE_ENTRY *Mine)
{
    const IMAGE_DOS_HEADER *Dos = Mine->DllBase;
    const IMAGE_NT_HEADERS *Headers = (const IMAGE_NT_HEADERS *)((PUCHAR)Mine->DllBase + Dos->e_lfanew);
    CT_EQUAL(Mine->DllBase, CtDriverObject->DriverStart);
    CT_EQUAL(Mine->SizeOfImage, CtDriverObject->DriverSize);
    CT_EQUAL(Mine->EntryPoint, (PUCHAR)Mine->DllBase + Headers->OptionalHeader.AddressOfEntryPoint);
    CT_EQUAL(Mine->SizeOfImageNotRounded, Headers->OptionalHeader.SizeOfImage);
    CT_EQUAL(Mine->CheckSum, Headers->OptionalHeader.CheckSum);
    CT_EQUAL(Mine->TimeDateStamp, Headers->FileHeader.TimeDateStamp);
    CT_CHECK(EndsWith(&Mine->BaseDllName, L"ct_image.sys") && Mine->BaseDllName.Length == 24);
    CT_CHECK(EndsWith(&Mine->FullDllName, L"\\ct_image.sys"));
    CT_EQUAL(Mine->LoadCount, 1);
}

static VOID ImageList(VOID)
{
    KLDR_DATA_TABLE_ENTRY *Mine = NULL;
    ULONG Count = 0;
    KeEnterCriticalRegion();
    CT_CHECK(ExAcquireResourceSharedLite(&PsLoadedModuleResource, TRUE));
    for (PLIST_ENTRY Link = PsLoadedModuleList.Flink; Link != &PsLoadedModuleList; Link = Link->Flink) {
        KLDR_DATA_TABLE_ENTRY *Entry = CONTAINING_RECORD(Link, KLDR_DATA_TABLE_ENTRY, InLoadOrderLinks);
        if (Count++ == 0)
            CT_CHECK(EndsWith(&Entry->BaseDllName, L"ntoskrnl.exe"));
        if (IsMine(Entry))
            Mine = Entry;
    }
    ExReleaseResourceLite(&PsLoadedModuleResource);
    KeLeaveCriticalRegion();
    CT_CHECK(Count >= 3);
    CT_EQUAL(CtDriverObject->DriverSection, Mine);
    if (Mine != NULL)
        CheckEntry(Mine);
}

/* --- pageable sections --- */

static VOID __attribute__((section("PAGE"), noinline)) Pageable(VOID)
{
    __asm__ volatile("" : : : "memory");
}

static VOID ImageLock(VOID)
{
    PVOID Code = MmLockPagableCodeSection((PVOID)(ULONG_PTR)Pageable);
    PVOID Data = MmLockPagableDataSection(&ImageSeen);
    CT_CHECK(Code != NULL && Data != NULL && Code != Data);
    CT_EQUAL(MmLockPagableDataSection((PUCHAR)(ULONG_PTR)Pageable + 1), Code); /* of the section */
    MmLockPagableSectionByHandle(Code);
    for (ULONG i = 0; i < 3; i++)
        MmUnlockPagableImageSection(Code);
    MmLockPagableSectionByHandle(Code); /* the handle stays good at a count of 0 */
    Pageable();
    MmUnlockPagableImageSection(Code);
    MmUnlockPagableImageSection(Data);
}

/* [WDK MmResetDriverPaging] as it was before MmPageEntireDriver: what is pageable is that again, and what is not has to stay in memory. */
static VOID ImagePage(VOID)
{
    PVOID Code = MmLockPagableCodeSection((PVOID)(ULONG_PTR)Pageable);
    CT_EQUAL(MmPageEntireDriver((PVOID)(ULONG_PTR)Pageable), CtDriverObject->DriverStart);
    CT_EQUAL(MmPageEntireDriver(&ImageSeen), CtDriverObject->DriverStart); /* any address of the driver */
    ImageSeen.Calls = 0x1234;
    MmResetDriverPaging(&ImageSeen);
    KIRQL Irql = KeRaiseIrqlToDpcLevel(); /* no page of it may fault here */
    ULONG Calls = ((volatile IMAGE_SEEN *)&ImageSeen)->Calls;
    Pageable(); /* still locked */
    KeLowerIrql(Irql);
    CT_EQUAL(Calls, 0x1234);
    CT_EQUAL(MmLockPagableCodeSection((PVOID)(ULONG_PTR)Pageable), Code); /* its handle is the same */
    MmUnlockPagableImageSection(Code);
    MmUnlockPagableImageSection(Code);
}

/* --- Driver Verifier, which is not on --- */

static VOID ImageVerifier(VOID)
{
    ULONG Flags = 0x55;
    CT_EQUAL(MmIsDriverVerifying(CtDriverObject), FALSE);
    CT_EQUAL(MmIsDriverVerifyingByAddress((PVOID)(ULONG_PTR)Pageable), FALSE);
    CT_STATUS(MmIsVerifierEnabled(&Flags), STATUS_NOT_SUPPORTED);
    CT_EQUAL(Flags, 0);
    CT_STATUS(MmAddVerifierThunks(&Flags, sizeof(Flags)), STATUS_NOT_SUPPORTED);
}

static const CT_CASE Cases[] = {
    {"image.notify", ImageNotify}, {"image.notify_many", ImageNotifyMany},
    {"image.list", ImageList},     {"image.lock", ImageLock},
    {"image.page", ImagePage},     {"image.verifier", ImageVerifier},
};
CT_DRIVER(Cases)
