/* SPDX-License-Identifier: MIT
 * The UART: its registers and its interrupt. [National Semiconductor PC16550D, 8] */
#include "serial.h"

#define REG_DATA 0
#define REG_ENABLE 1   /* which interrupts */
#define REG_IDENTIFY 2 /* read: why it interrupts */
#define REG_FIFO 2     /* write */
#define REG_LINE 3
#define REG_MODEM 4
#define REG_LINE_STATUS 5
#define REG_MODEM_STATUS 6
#define REG_SCRATCH 7
#define REG_DIVISOR_LOW 0 /* while LINE_DIVISOR is set */
#define REG_DIVISOR_HIGH 1

#define ENABLE_RECEIVE 0x01
#define ENABLE_TRANSMIT 0x02
#define ENABLE_LINE_STATUS 0x04
#define ENABLE_MODEM_STATUS 0x08
#define ENABLE_ALWAYS (ENABLE_RECEIVE | ENABLE_LINE_STATUS | ENABLE_MODEM_STATUS)
#define IDENTIFY_NONE 0x01
#define FIFO_ENABLE 0x81 /* and interrupt when 8 bytes are there, or when no more come */
#define FIFO_CLEAR_RECEIVE 0x02
#define FIFO_CLEAR_TRANSMIT 0x04
#define LINE_DIVISOR 0x80
#define LINE_STOP_BITS 0x04
#define LINE_PARITY_SHIFT 3
#define STATUS_READY 0x01
#define STATUS_OVERRUN 0x02
#define STATUS_PARITY 0x04
#define STATUS_FRAMING 0x08
#define STATUS_BREAK 0x10
#define STATUS_EMPTY 0x20 /* the transmitter's FIFO */
#define STATUS_RECEIVED (STATUS_READY | STATUS_OVERRUN | STATUS_PARITY | STATUS_FRAMING | STATUS_BREAK)
#define NO_DEVICE 0xff /* what is read where nothing is */
#define FIFO_SIZE 16u
#define HIGHEST_RATE 115200u /* of a clock of 1.8432 MHz, which is divided by 16 */
#define REGISTERS 8u

static UCHAR Read(const SERIAL *Serial, ULONG Register)
{
    return READ_PORT_UCHAR(Serial->Port + Register);
}

static VOID Write(const SERIAL *Serial, ULONG Register, UCHAR Value)
{
    WRITE_PORT_UCHAR(Serial->Port + Register, Value);
}

KIRQL UartAcquire(SERIAL *Serial)
{
    return Serial->Interrupt != NULL ? KeAcquireInterruptSpinLock(Serial->Interrupt) : DISPATCH_LEVEL;
}

VOID UartRelease(SERIAL *Serial, KIRQL Irql)
{
    if (Serial->Interrupt != NULL)
        KeReleaseInterruptSpinLock(Serial->Interrupt, Irql);
}

/* --- the interrupt --- */

static VOID Happened(SERIAL *Serial, ULONG Events)
{
    Serial->Events |= Events & Serial->Mask;
}

static VOID NoteErrors(SERIAL *Serial, UCHAR Status)
{
    ULONG Errors = 0;
    if (Status & STATUS_OVERRUN)
        Errors |= SERIAL_ERROR_OVERRUN;
    if (Status & STATUS_PARITY)
        Errors |= SERIAL_ERROR_PARITY;
    if (Status & STATUS_FRAMING)
        Errors |= SERIAL_ERROR_FRAMING;
    if (Status & STATUS_BREAK)
        Happened(Serial, SERIAL_EV_BREAK);
    if (Errors != 0)
        Happened(Serial, SERIAL_EV_ERR);
    Serial->Errors |= Errors | (Status & STATUS_BREAK ? SERIAL_ERROR_BREAK : 0);
}

static VOID Keep(SERIAL *Serial, UCHAR Byte)
{
    if (Serial->Count == RING_SIZE) {
        Serial->Errors |= SERIAL_ERROR_QUEUEOVERRUN;
        return;
    }
    Serial->Ring[(Serial->First + Serial->Count++) % RING_SIZE] = Byte;
}

/* Reading the status takes its errors back. */
static VOID Receive(SERIAL *Serial)
{
    UCHAR Status;
    while ((Status = Read(Serial, REG_LINE_STATUS)) != NO_DEVICE && (Status & STATUS_RECEIVED) != 0) {
        NoteErrors(Serial, Status);
        if (!(Status & STATUS_READY))
            continue;
        Keep(Serial, Read(Serial, REG_DATA));
        Happened(Serial, SERIAL_EV_RXCHAR);
    }
}

/* The low four bits say which of the high ones have changed; reading takes them back. */
static VOID ReadModemStatus(SERIAL *Serial)
{
    static const ULONG Events[] = {SERIAL_EV_CTS, SERIAL_EV_DSR, SERIAL_EV_RING, SERIAL_EV_RLSD};
    Serial->ModemStatus = Read(Serial, REG_MODEM_STATUS);
    for (ULONG i = 0; i < RTL_NUMBER_OF(Events); i++) {
        if (Serial->ModemStatus & 1u << i)
            Happened(Serial, Events[i]);
    }
}

VOID UartStopSending(SERIAL *Serial)
{
    Serial->Sending = FALSE;
    Serial->OutLeft = 0;
    if (Serial->Awake)
        Write(Serial, REG_ENABLE, ENABLE_ALWAYS);
}

static VOID Transmit(SERIAL *Serial)
{
    if (!Serial->Sending || !(Read(Serial, REG_LINE_STATUS) & STATUS_EMPTY))
        return;
    if (Serial->OutLeft == 0) {
        UartStopSending(Serial);
        Happened(Serial, SERIAL_EV_TXEMPTY);
    }
    for (ULONG i = 0; i < FIFO_SIZE && Serial->OutLeft != 0; i++, Serial->OutLeft--)
        Write(Serial, REG_DATA, *Serial->Out++);
}

/* The line may be another device's too. The receiver is emptied first: with SERIAL_IOC_MCR_LOOP what is sent comes to it. */
static BOOLEAN NTAPI Service(PKINTERRUPT Interrupt, PVOID Context)
{
    SERIAL *Serial = Context;
    UNREFERENCED_PARAMETER(Interrupt);
    if (!Serial->Awake || (Read(Serial, REG_IDENTIFY) & IDENTIFY_NONE))
        return FALSE;
    do {
        Receive(Serial);
        ReadModemStatus(Serial);
        Transmit(Serial);
    } while (!(Read(Serial, REG_IDENTIFY) & IDENTIFY_NONE));
    Serial->Interrupts++;
    KeInsertQueueDpc(&Serial->Dpc, NULL, NULL);
    return TRUE;
}

/* --- what the others may have done --- */

/* An empty transmitter interrupts as soon as that is enabled. */
VOID UartSend(SERIAL *Serial, const UCHAR *Data, ULONG Length)
{
    Serial->Out = Data;
    Serial->OutLeft = Length;
    Serial->Sending = TRUE;
    Write(Serial, REG_ENABLE, ENABLE_ALWAYS | ENABLE_TRANSMIT);
}

ULONG UartTake(SERIAL *Serial, UCHAR *Data, ULONG Room)
{
    ULONG Length = min(Room, Serial->Count);
    for (ULONG i = 0; i < Length; i++)
        Data[i] = Serial->Ring[(Serial->First + i) % RING_SIZE];
    Serial->First = (Serial->First + Length) % RING_SIZE;
    Serial->Count -= Length;
    return Length;
}

VOID UartPurge(SERIAL *Serial, ULONG Purge)
{
    UCHAR Clear = 0;
    if (Purge & SERIAL_PURGE_TXCLEAR)
        Clear |= FIFO_CLEAR_TRANSMIT;
    if (Purge & SERIAL_PURGE_RXCLEAR) {
        Clear |= FIFO_CLEAR_RECEIVE;
        Serial->Count = 0;
    }
    if (Serial->Awake && Clear != 0)
        Write(Serial, REG_FIFO, FIFO_ENABLE | Clear);
}

static UCHAR LineRegister(const SERIAL_LINE_CONTROL *Line)
{
    static const UCHAR Parities[] = {0, 1, 3, 5, 7}; /* none, odd, even, mark, space */
    return (UCHAR)((Line->WordLength - 5) | (Line->StopBits != STOP_BIT_1 ? LINE_STOP_BITS : 0) |
                   Parities[Line->Parity] << LINE_PARITY_SHIFT);
}

VOID UartProgram(SERIAL *Serial)
{
    ULONG Divisor = HIGHEST_RATE / Serial->BaudRate;
    UCHAR Line = LineRegister(&Serial->Line);
    if (!Serial->Awake)
        return;
    Write(Serial, REG_LINE, Line | LINE_DIVISOR);
    Write(Serial, REG_DIVISOR_LOW, (UCHAR)Divisor);
    Write(Serial, REG_DIVISOR_HIGH, (UCHAR)(Divisor >> 8));
    Write(Serial, REG_LINE, Line);
    Write(Serial, REG_MODEM, Serial->ModemControl);
}

/* --- start, stop, sleep --- */

static NTSTATUS FindPort(SERIAL *Serial, PCM_RESOURCE_LIST Translated)
{
    ULONG Count = Translated != NULL ? Translated->List[0].PartialResourceList.Count : 0;
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *Resource =
        Count != 0 ? Translated->List[0].PartialResourceList.PartialDescriptors : NULL;
    for (ULONG i = 0; i < Count; i++, Resource++) {
        if (Resource->Type != CmResourceTypePort || Resource->u.Port.Length < REGISTERS)
            continue;
        Serial->Port = (PUCHAR)(ULONG_PTR)Resource->u.Port.Start.QuadPart;
        return STATUS_SUCCESS;
    }
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}

/* The scratch register keeps what is written, and does nothing else. No interrupt is enabled yet. */
static NTSTATUS CheckUart(const SERIAL *Serial)
{
    Write(Serial, REG_SCRATCH, 0x5a);
    if (Read(Serial, REG_SCRATCH) != 0x5a)
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    Write(Serial, REG_ENABLE, 0);
    return STATUS_SUCCESS;
}

static NTSTATUS Connect(SERIAL *Serial, PKINTERRUPT *Interrupt)
{
    IO_CONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    Parameters.LineBased.PhysicalDeviceObject = Serial->Pdo;
    Parameters.LineBased.InterruptObject = Interrupt;
    Parameters.LineBased.ServiceRoutine = Service;
    Parameters.LineBased.ServiceContext = Serial;
    return IoConnectInterruptEx(&Parameters);
}

/* What was being sent goes on where it was. */
static VOID SetUpLocked(SERIAL *Serial)
{
    KIRQL Irql = UartAcquire(Serial);
    Serial->Awake = TRUE;
    Write(Serial, REG_FIFO, FIFO_ENABLE | FIFO_CLEAR_RECEIVE | FIFO_CLEAR_TRANSMIT);
    UartProgram(Serial);
    ReadModemStatus(Serial);
    Write(Serial, REG_ENABLE, ENABLE_ALWAYS | (Serial->Sending ? ENABLE_TRANSMIT : 0));
    UartRelease(Serial, Irql);
}

static VOID FallAsleepLocked(SERIAL *Serial)
{
    KIRQL Irql = UartAcquire(Serial);
    if (Serial->Awake && !Serial->Gone)
        Write(Serial, REG_ENABLE, 0);
    Serial->Awake = FALSE;
    UartRelease(Serial, Irql);
}

NTSTATUS UartStart(SERIAL *Serial, PCM_RESOURCE_LIST Translated)
{
    KIRQL Irql;
    PKINTERRUPT Interrupt = NULL;
    NTSTATUS Status = FindPort(Serial, Translated);
    if (NT_SUCCESS(Status))
        Status = CheckUart(Serial);
    if (NT_SUCCESS(Status))
        Status = Connect(Serial, &Interrupt);
    if (!NT_SUCCESS(Status))
        return Status;
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    Serial->Interrupt = Interrupt;
    SetUpLocked(Serial);
    KeReleaseSpinLock(&Serial->Lock, Irql);
    Serve(Serial);
    return STATUS_SUCCESS;
}

VOID UartStop(SERIAL *Serial)
{
    KIRQL Irql;
    IO_DISCONNECT_INTERRUPT_PARAMETERS Parameters = {.Version = CONNECT_LINE_BASED};
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    FallAsleepLocked(Serial);
    Parameters.ConnectionContext.InterruptObject = Serial->Interrupt;
    Serial->Interrupt = NULL;
    KeReleaseSpinLock(&Serial->Lock, Irql);
    if (Parameters.ConnectionContext.InterruptObject == NULL)
        return;
    IoDisconnectInterruptEx(&Parameters);
    KeCancelTimer(&Serial->Timer);
    KeFlushQueuedDpcs();
}

VOID UartSleep(SERIAL *Serial)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    FallAsleepLocked(Serial);
    KeReleaseSpinLock(&Serial->Lock, Irql);
}

VOID UartWake(SERIAL *Serial)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Serial->Lock, &Irql);
    if (Serial->Interrupt != NULL)
        SetUpLocked(Serial);
    KeReleaseSpinLock(&Serial->Lock, Irql);
    Serve(Serial);
}
