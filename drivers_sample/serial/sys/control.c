/* SPDX-License-Identifier: MIT
 * The control codes of a serial port. [WDK "Serial device control requests"] */
#include "serial.h"

#define HIGHEST_RATE 115200u

/* With Lock and the interrupt's lock held. Buffer is as long as the table says. */
typedef NTSTATUS CONTROL(SERIAL *Serial, PVOID Buffer);

static NTSTATUS SetTimeouts(SERIAL *Serial, PVOID Buffer)
{
    const SERIAL_TIMEOUTS *New = Buffer;
    if (New->ReadIntervalTimeout == MAXULONG && New->ReadTotalTimeoutMultiplier == MAXULONG &&
        New->ReadTotalTimeoutConstant == MAXULONG)
        return STATUS_INVALID_PARAMETER;
    Serial->Timeouts = *New;
    return STATUS_SUCCESS;
}

static NTSTATUS GetTimeouts(SERIAL *Serial, PVOID Buffer)
{
    *(SERIAL_TIMEOUTS *)Buffer = Serial->Timeouts;
    return STATUS_SUCCESS;
}

/* Those that the clock can be divided to. */
static NTSTATUS SetBaudRate(SERIAL *Serial, PVOID Buffer)
{
    ULONG Rate = ((const SERIAL_BAUD_RATE *)Buffer)->BaudRate;
    if (Rate == 0 || HIGHEST_RATE % Rate != 0 || HIGHEST_RATE / Rate > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    Serial->BaudRate = Rate;
    UartProgram(Serial);
    return STATUS_SUCCESS;
}

static NTSTATUS GetBaudRate(SERIAL *Serial, PVOID Buffer)
{
    ((SERIAL_BAUD_RATE *)Buffer)->BaudRate = Serial->BaudRate;
    return STATUS_SUCCESS;
}

/* [WDK IOCTL_SERIAL_SET_LINE_CONTROL] One and a half stop bits are for five data bits, two for more. */
static NTSTATUS SetLine(SERIAL *Serial, PVOID Buffer)
{
    const SERIAL_LINE_CONTROL *New = Buffer;
    if (New->WordLength < 5 || New->WordLength > 8 || New->Parity > SPACE_PARITY ||
        New->StopBits > STOP_BITS_2 || (New->StopBits == STOP_BITS_1_5 && New->WordLength != 5) ||
        (New->StopBits == STOP_BITS_2 && New->WordLength == 5))
        return STATUS_INVALID_PARAMETER;
    Serial->Line = *New;
    UartProgram(Serial);
    return STATUS_SUCCESS;
}

static NTSTATUS GetLine(SERIAL *Serial, PVOID Buffer)
{
    *(SERIAL_LINE_CONTROL *)Buffer = Serial->Line;
    return STATUS_SUCCESS;
}

/* [WDK IOCTL_SERIAL_GET_COMMSTATUS] Errors are told once. */
static NTSTATUS GetStatus(SERIAL *Serial, PVOID Buffer)
{
    SERIAL_STATUS *Status = Buffer;
    RtlZeroMemory(Status, sizeof(*Status));
    Status->Errors = Serial->Errors;
    Status->AmountInInQueue = Serial->Count;
    Status->AmountInOutQueue = Serial->OutLeft;
    Serial->Errors = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS SetMask(SERIAL *Serial, PVOID Buffer)
{
    Serial->Mask = *(const ULONG *)Buffer;
    Serial->Events = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS GetMask(SERIAL *Serial, PVOID Buffer)
{
    *(PULONG)Buffer = Serial->Mask;
    return STATUS_SUCCESS;
}

/* [WDK IOCTL_SERIAL_SET_MODEM_CONTROL] The register itself; SERIAL_IOC_MCR_LOOP gives the receiver what the transmitter sends. */
static NTSTATUS SetModem(SERIAL *Serial, PVOID Buffer)
{
    Serial->ModemControl =
        *(const UCHAR *)Buffer & (SERIAL_IOC_MCR_DTR | SERIAL_IOC_MCR_RTS | SERIAL_IOC_MCR_OUT1 |
                                  SERIAL_IOC_MCR_OUT2 | SERIAL_IOC_MCR_LOOP);
    UartProgram(Serial);
    return STATUS_SUCCESS;
}

static NTSTATUS GetModem(SERIAL *Serial, PVOID Buffer)
{
    *(PULONG)Buffer = Serial->ModemControl;
    return STATUS_SUCCESS;
}

static NTSTATUS GetModemStatus(SERIAL *Serial, PVOID Buffer)
{
    *(PULONG)Buffer = Serial->ModemStatus;
    return STATUS_SUCCESS;
}

static NTSTATUS Purge(SERIAL *Serial, PVOID Buffer)
{
    UartPurge(Serial, *(const ULONG *)Buffer);
    return STATUS_SUCCESS;
}

static const struct {
    ULONG Code, In, Out;
    CONTROL *Routine;
} Controls[] = {
    {IOCTL_SERIAL_SET_TIMEOUTS, sizeof(SERIAL_TIMEOUTS), 0, SetTimeouts},
    {IOCTL_SERIAL_GET_TIMEOUTS, 0, sizeof(SERIAL_TIMEOUTS), GetTimeouts},
    {IOCTL_SERIAL_SET_BAUD_RATE, sizeof(SERIAL_BAUD_RATE), 0, SetBaudRate},
    {IOCTL_SERIAL_GET_BAUD_RATE, 0, sizeof(SERIAL_BAUD_RATE), GetBaudRate},
    {IOCTL_SERIAL_SET_LINE_CONTROL, sizeof(SERIAL_LINE_CONTROL), 0, SetLine},
    {IOCTL_SERIAL_GET_LINE_CONTROL, 0, sizeof(SERIAL_LINE_CONTROL), GetLine},
    {IOCTL_SERIAL_GET_COMMSTATUS, 0, sizeof(SERIAL_STATUS), GetStatus},
    {IOCTL_SERIAL_SET_WAIT_MASK, sizeof(ULONG), 0, SetMask},
    {IOCTL_SERIAL_GET_WAIT_MASK, 0, sizeof(ULONG), GetMask},
    {IOCTL_SERIAL_SET_MODEM_CONTROL, sizeof(ULONG), 0, SetModem},
    {IOCTL_SERIAL_GET_MODEM_CONTROL, 0, sizeof(ULONG), GetModem},
    {IOCTL_SERIAL_GET_MODEMSTATUS, 0, sizeof(ULONG), GetModemStatus},
    {IOCTL_SERIAL_PURGE, sizeof(ULONG), 0, Purge},
};

/* --- those that end requests, or are one that waits --- */

/* [WDK IOCTL_SERIAL_SET_WAIT_MASK] A wait for the old events ends with no event. */
static VOID EndWaits(SERIAL *Serial)
{
    PIRP Irp;
    while ((Irp = IoCsqRemoveNextIrp(&Serial->Waits.Csq, NULL)) != NULL) {
        *(PULONG)Irp->AssociatedIrp.SystemBuffer = 0;
        SerialEnd(Serial, Irp, STATUS_SUCCESS, sizeof(ULONG));
    }
}

/* [WDK IOCTL_SERIAL_PURGE] */
static NTSTATUS AbortRequests(SERIAL *Serial, ULONG What)
{
    if (What == 0 || (What & ~(ULONG)(SERIAL_PURGE_TXABORT | SERIAL_PURGE_RXABORT | SERIAL_PURGE_TXCLEAR |
                                      SERIAL_PURGE_RXCLEAR)) != 0)
        return STATUS_INVALID_PARAMETER;
    if (What & SERIAL_PURGE_TXABORT)
        EndAll(&Serial->Writes, STATUS_CANCELLED);
    if (What & SERIAL_PURGE_RXABORT)
        EndAll(&Serial->Reads, STATUS_CANCELLED);
    return STATUS_SUCCESS;
}

/* [WDK IOCTL_SERIAL_WAIT_ON_MASK] One at a time, and for something. */
static NTSTATUS WaitOnMask(SERIAL *Serial, PIRP Irp)
{
    KIRQL Irql;
    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    BOOLEAN Possible = Serial->Mask != 0 && IsListEmpty(&Serial->Waits.Waiting);
    KeReleaseSpinLock(&Serial->Lock, Irql);
    return Possible ? QueueRequest(&Serial->Waits, Irp) : STATUS_INVALID_PARAMETER;
}

static NTSTATUS RunControl(SERIAL *Serial, CONTROL *Routine, PVOID Buffer)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    KIRQL UartIrql = UartAcquire(Serial);
    NTSTATUS Status = Routine(Serial, Buffer);
    UartRelease(Serial, UartIrql);
    KeReleaseSpinLock(&Serial->Lock, Irql);
    return Status;
}

/* Irp->IoStatus.Information becomes the length of the answer. */
static NTSTATUS Control(SERIAL *Serial, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Code = Stack->Parameters.DeviceIoControl.IoControlCode, i = 0;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS Status = STATUS_SUCCESS;
    while (i < RTL_NUMBER_OF(Controls) && Controls[i].Code != Code)
        i++;
    if (i == RTL_NUMBER_OF(Controls))
        return STATUS_INVALID_DEVICE_REQUEST;
    if (Stack->Parameters.DeviceIoControl.InputBufferLength < Controls[i].In ||
        Stack->Parameters.DeviceIoControl.OutputBufferLength < Controls[i].Out)
        return STATUS_BUFFER_TOO_SMALL;
    if (Code == IOCTL_SERIAL_PURGE)
        Status = AbortRequests(Serial, *(const ULONG *)Buffer);
    if (NT_SUCCESS(Status))
        Status = RunControl(Serial, Controls[i].Routine, Buffer);
    if (NT_SUCCESS(Status) && Code == IOCTL_SERIAL_SET_WAIT_MASK)
        EndWaits(Serial);
    Irp->IoStatus.Information = NT_SUCCESS(Status) ? Controls[i].Out : 0;
    return Status;
}

NTSTATUS NTAPI SerialControl(PDEVICE_OBJECT Device, PIRP Irp)
{
    SERIAL *Serial = Device->DeviceExtension;
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.DeviceIoControl.IoControlCode;
    NTSTATUS Status = IoAcquireRemoveLock(&Serial->RemoveLock, Irp);
    if (!NT_SUCCESS(Status))
        return SerialComplete(Irp, Status, 0);
    Irp->IoStatus.Information = 0;
    Status = Code == IOCTL_SERIAL_WAIT_ON_MASK ? WaitOnMask(Serial, Irp) : Control(Serial, Irp);
    if (Status != STATUS_PENDING)
        SerialEnd(Serial, Irp, Status, Irp->IoStatus.Information);
    return Status;
}
