/* SPDX-License-Identifier: MIT
 * A client of the samples virtio_blk, virtio_rng and edu: its threads read and write while the system sleeps and wakes up again and again. Each request ends,
 * with the right data; devices that sleep get none. It is put on the command line behind the three packages. */
#include "../conform/ct.h"

#define SECTOR 512u
#define DISK_LENGTH (8 * SECTOR)
#define CYCLES 4
#define PROGRESS 2 /* requests of each thread between two sleeps */

#define IOCTL_EDU_FACTORIAL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct WORKER WORKER;
/* One request, or a few; FALSE: the data are wrong, or a status. */
typedef BOOLEAN WORK(WORKER *Worker, HANDLE File);

struct WORKER {
    PCWSTR Device;
    WORK *Work;
    ULONG Number;
    volatile LONG Done, Wrong;
    NTSTATUS Status; /* the last that was no success */
    UCHAR Out[DISK_LENGTH], In[DISK_LENGTH];
};

static volatile LONG Stop;

static BOOLEAN Succeeded(WORKER *Worker, NTSTATUS Status)
{
    if (!NT_SUCCESS(Status))
        Worker->Status = Status;
    return NT_SUCCESS(Status);
}

static BOOLEAN WriteAndRead(WORKER *Worker, HANDLE File, LONGLONG At, ULONG Length)
{
    LARGE_INTEGER Offset = {.QuadPart = At};
    IO_STATUS_BLOCK Iosb;
    for (ULONG i = 0; i < Length; i++)
        Worker->Out[i] = (UCHAR)(i * 7 + (ULONG)Worker->Done * 13 + Worker->Number);
    RtlZeroMemory(Worker->In, Length);
    return Succeeded(Worker,
                     ZwWriteFile(File, NULL, NULL, NULL, &Iosb, Worker->Out, Length, &Offset, NULL)) &&
           Succeeded(Worker, ZwReadFile(File, NULL, NULL, NULL, &Iosb, Worker->In, Length, &Offset, NULL)) &&
           Iosb.Information == Length && RtlCompareMemory(Worker->In, Worker->Out, Length) == Length;
}

static BOOLEAN UseDisk(WORKER *Worker, HANDLE File)
{
    return WriteAndRead(Worker, File, Worker->Number * (LONGLONG)DISK_LENGTH, DISK_LENGTH);
}

static BOOLEAN UseTransfers(WORKER *Worker, HANDLE File)
{
    return WriteAndRead(Worker, File, Worker->Number * 1000, 1000);
}

static BOOLEAN UseRandom(WORKER *Worker, HANDLE File)
{
    IO_STATUS_BLOCK Iosb;
    ULONG64 Words[8] = {0};
    if (!Succeeded(Worker, ZwReadFile(File, NULL, NULL, NULL, &Iosb, Words, sizeof(Words), NULL, NULL)))
        return FALSE;
    return Iosb.Information == sizeof(Words) && Words[0] != 0 && Words[7] != 0 && Words[0] != Words[7];
}

static BOOLEAN UseFactorials(WORKER *Worker, HANDLE File)
{
    IO_STATUS_BLOCK Iosb;
    ULONG N = 3 + (ULONG)Worker->Done % 8, Expected = 1, Answer = 0;
    for (ULONG i = 2; i <= N; i++)
        Expected *= i;
    return Succeeded(Worker, ZwDeviceIoControlFile(File, NULL, NULL, NULL, &Iosb, IOCTL_EDU_FACTORIAL, &N,
                                                   sizeof(N), &Answer, sizeof(Answer))) &&
           Answer == Expected;
}

static WORKER Workers[] = {
    {.Device = L"\\??\\PhysicalDrive0", .Work = UseDisk, .Number = 0},
    {.Device = L"\\??\\PhysicalDrive0", .Work = UseDisk, .Number = 1},
    {.Device = L"\\??\\PhysicalDrive0", .Work = UseDisk, .Number = 2},
    {.Device = L"\\??\\VirtioRng0", .Work = UseRandom, .Number = 0},
    {.Device = L"\\??\\VirtioRng0", .Work = UseRandom, .Number = 1},
    {.Device = L"\\??\\Edu0", .Work = UseTransfers, .Number = 0},
    {.Device = L"\\??\\Edu0", .Work = UseTransfers, .Number = 1},
    {.Device = L"\\??\\Edu0", .Work = UseFactorials, .Number = 0},
};

static NTSTATUS Open(PCWSTR Device, PHANDLE File)
{
    UNICODE_STRING Name;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    RtlInitUnicodeString(&Name, Device);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return ZwCreateFile(File, FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static VOID NTAPI RunWorker(PVOID Context)
{
    WORKER *Worker = Context;
    HANDLE File;
    Worker->Status = Open(Worker->Device, &File);
    if (NT_SUCCESS(Worker->Status)) {
        while (!Stop) {
            if (!Worker->Work(Worker, File))
                InterlockedIncrement(&Worker->Wrong);
            InterlockedIncrement(&Worker->Done);
        }
        ZwClose(File);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Until each thread has done so many requests more. FALSE: 10 s were not enough. */
static BOOLEAN AwaitProgress(LONG More)
{
    LARGE_INTEGER Pause = {.QuadPart = -20000};
    LONG Before[RTL_NUMBER_OF(Workers)];
    for (ULONG i = 0; i < RTL_NUMBER_OF(Workers); i++)
        Before[i] = Workers[i].Done;
    for (ULONG Round = 0; Round < 5000; Round++) {
        ULONG Behind = 0;
        for (ULONG i = 0; i < RTL_NUMBER_OF(Workers); i++)
            Behind += Workers[i].Done - Before[i] < More;
        if (Behind == 0)
            return TRUE;
        KeDelayExecutionThread(KernelMode, FALSE, &Pause);
    }
    return FALSE;
}

static VOID SleepAndWakeUp(VOID)
{
    for (ULONG i = 0; i < CYCLES; i++) {
        CT_REQUIRE(AwaitProgress(PROGRESS));
        CT_REQUIRE(CT_SUCCESS(ZwInitiatePowerAction(PowerActionSleep, PowerSystemSleeping3, 0, FALSE)));
    }
    CT_CHECK(AwaitProgress(PROGRESS)); /* the devices work afterwards */
}

static VOID Traffic(VOID)
{
    HANDLE Threads[RTL_NUMBER_OF(Workers)];
    for (ULONG i = 0; i < RTL_NUMBER_OF(Workers); i++)
        CT_SUCCESS(
            PsCreateSystemThread(&Threads[i], THREAD_ALL_ACCESS, NULL, NULL, NULL, RunWorker, &Workers[i]));
    SleepAndWakeUp();
    Stop = TRUE;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Workers); i++) {
        CT_SUCCESS(ZwWaitForSingleObject(Threads[i], FALSE, NULL));
        ZwClose(Threads[i]);
        CT_SUCCESS(Workers[i].Status);
        CT_EQUAL(Workers[i].Wrong, 0);
    }
}

static const CT_CASE Cases[] = {{"sleep.traffic", Traffic}};
CT_DRIVER(Cases)
