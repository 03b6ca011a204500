/* SPDX-License-Identifier: MIT
 * A function driver for a 16550 UART. It shows what a driver of a stream does: bytes that come when nobody asked for them, reads and writes that end when
 * they are full, when they have waited long enough or when they are cancelled, registers that an interrupt shares with everybody else, and the
 * control codes of a serial port. [National Semiconductor PC16550D, 8 (registers)] [WDK "Serial device control requests"] */
#pragma once
#include <ntddk.h>
#include <ntddser.h>

#define SERIAL_TAG 'reSN'
#define RING_SIZE 4096u /* received bytes that nobody has read yet */

struct SERIAL;

/* Requests of a kind, in the order in which they came; the first is the one that is being done. One that is done stays here until FinishDone. */
typedef struct SERIAL_QUEUE {
    IO_CSQ Csq;
    LIST_ENTRY Waiting; /* (l) */
    ULONG64 Deadline;   /* (l) of the first one, as interrupt time */
    PIRP Begun;         /* (l) the first one, when it has its deadline */
    struct SERIAL *Serial;
} SERIAL_QUEUE;

/* (l): Lock. (i): the interrupt's lock, which is taken inside of Lock. Awake is written with both. */
typedef struct SERIAL {
    PDEVICE_OBJECT Device, Pdo, Lower;
    ULONG Number; /* of the port */
    UNICODE_STRING Interface;
    IO_REMOVE_LOCK RemoveLock;
    PUCHAR Port;
    KDPC Dpc;     /* queued by the interrupt and by the timer */
    KTIMER Timer; /* the first of the deadlines */

    KSPIN_LOCK Lock;
    PKINTERRUPT Interrupt; /* (l) */
    BOOLEAN Gone;          /* (l) it is removed, or has been pulled out */
    BOOLEAN Awake;         /* (l, i) started, and with power */
    SERIAL_QUEUE Reads, Writes, Waits;
    SERIAL_TIMEOUTS Timeouts; /* (l) */
    ULONG64 LastByte;         /* (l) when the read under way got one */

    /* What the registers have; they are given it again after a sleep. */
    ULONG BaudRate;           /* (l) */
    SERIAL_LINE_CONTROL Line; /* (l) */
    UCHAR ModemControl;       /* (l) */
    UCHAR ModemStatus;        /* (i) */

    ULONG Events, Mask; /* (i) those that happened of those that are waited for: SERIAL_EV_ */
    ULONG Errors;       /* (i) SERIAL_ERROR_ */
    ULONG Interrupts;   /* (i) */
    BOOLEAN Sending;    /* (i) until the UART has had the last of Out */
    const UCHAR *Out;   /* (i) */
    ULONG OutLeft;      /* (i) */
    ULONG First, Count; /* (i) of the ring */
    UCHAR Ring[RING_SIZE];
} SERIAL;

NTSTATUS SerialComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);
/* The same for a request that holds the remove lock. */
VOID SerialEnd(SERIAL *Serial, PIRP Irp, NTSTATUS Status, ULONG_PTR Information);

/* --- uart.c: registers and interrupt --- */

/* PASSIVE_LEVEL. */
NTSTATUS UartStart(SERIAL *Serial, PCM_RESOURCE_LIST Translated);
VOID UartStop(SERIAL *Serial);
VOID UartSleep(SERIAL *Serial);
VOID UartWake(SERIAL *Serial);
/* With Lock held: nobody else, nor the interrupt, is at the fields with (i). Without an interrupt Lock is enough. */
KIRQL UartAcquire(SERIAL *Serial);
VOID UartRelease(SERIAL *Serial, KIRQL Irql);
/* With both held. Rate, line and modem control go to the registers, if there are any at the moment. */
VOID UartProgram(SERIAL *Serial);
VOID UartSend(SERIAL *Serial, const UCHAR *Data, ULONG Length);
VOID UartStopSending(SERIAL *Serial);
ULONG UartTake(SERIAL *Serial, UCHAR *Data, ULONG Room);
VOID UartPurge(SERIAL *Serial, ULONG Purge);

/* --- transfer.c: reads, writes and waits. IRQL <= DISPATCH_LEVEL --- */

VOID InitQueues(SERIAL *Serial);
NTSTATUS QueueRequest(SERIAL_QUEUE *Queue, PIRP Irp);
/* Does what can be done at the moment. */
VOID Serve(SERIAL *Serial);
VOID NTAPI ServeDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2);
VOID EndAll(SERIAL_QUEUE *Queue, NTSTATUS Status);
DRIVER_DISPATCH SerialReadWrite;

/* --- control.c, power.c --- */

DRIVER_DISPATCH SerialControl;
DRIVER_DISPATCH SerialPower;
