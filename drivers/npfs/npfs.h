/* SPDX-License-Identifier: MIT
 * Named pipes: a pipe has instances, an instance a server's and a client's end and a queue for each direction. [WDK/Win32 "Named Pipes",
 * NtCreateNamedPipeFile, FSCTL_PIPE_*]
 *
 * Locks, in the order of acquisition: NpLock (n), PASSIVE_LEVEL, all pipes, instances, ends and queues of data; NpQueueLock (q),
 * the lists of waiting IRPs, taken by the cancel-safe queue. IRPs are completed after NpLock is released (fslib/gather_lock.h). */
#pragma once
#include "fslib/gather_lock.h"
#include "fslib/scan.h"

#define NP_TAG 'sfpN'

typedef struct NP_PIPE {
    LIST_ENTRY Entry;                         /* (n) in the order of Order */
    ULONG64 Order;                            /* grows with each pipe: directory queries go by it */
    LIST_ENTRY Instances;                     /* (n) */
    UNICODE_STRING Name;                      /* behind the struct */
    ULONG Type;                               /* FILE_PIPE_MESSAGE_TYPE or 0 */
    ULONG Configuration;                      /* FILE_PIPE_INBOUND ... */
    ULONG MaximumInstances, CurrentInstances; /* (n) the second */
    LARGE_INTEGER DefaultTimeout;
} NP_PIPE;

/* A piece of data that nobody has read yet; of a message pipe one message, or what is left of it. */
typedef struct NP_PIECE {
    LIST_ENTRY Entry;
    ULONG Length, Offset;
    UCHAR Data[];
} NP_PIECE;

typedef struct NP_DATA {
    LIST_ENTRY Pieces;
    ULONG Bytes; /* in all pieces */
    ULONG Empty; /* messages: each counts like a byte against the quota */
    ULONG Quota;
} NP_DATA;

typedef enum NP_WAIT { NpWaitRead, NpWaitWrite, NpWaitListen, NpWaitFlush, NpWaitKinds } NP_WAIT;

/* An open of a pipe. FILE_OBJECT.FsContext; NULL: the file system itself is open, as a directory if FsContext2 is an FS_SCAN. */
typedef struct NP_END {
    struct NP_INSTANCE *Instance;
    BOOLEAN Server;
    BOOLEAN Disconnected;            /* (n) of a client: the server has let it go */
    BOOLEAN Closed;                  /* (n) its last handle is closed: what comes now is refused */
    ULONG ReadMode, CompletionMode;  /* (n) */
    LIST_ENTRY Waiting[NpWaitKinds]; /* (q) IRPs on this end */
    BOOLEAN HasSecurity;
    SECURITY_CLIENT_CONTEXT Security; /* of a client */
} NP_END;

typedef struct NP_INSTANCE {
    LIST_ENTRY Entry; /* (n) */
    NP_PIPE *Pipe;    /* (n) NULL: the server has closed it */
    LONG References;  /* (n) ends */
    ULONG State;      /* (n) FILE_PIPE_..._STATE */
    NP_END *Ends[2];  /* (n) by NP_END.Server; NULL: closed, or not there yet */
    NP_DATA Data[2];  /* (n) by the end that reads it */
} NP_INSTANCE;

static inline NP_END *NpEnd(PFILE_OBJECT File)
{
    return File->FsContext;
}

static inline NP_END *NpOther(NP_END *End)
{
    return End->Instance->Ends[!End->Server];
}

static inline NP_DATA *NpInput(NP_END *End)
{
    return &End->Instance->Data[End->Server];
}

static inline NP_DATA *NpOutput(NP_END *End)
{
    return &End->Instance->Data[!End->Server];
}

NTSTATUS NpComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);
VOID NpAcquire(VOID);
VOID NpRelease(VOID);
VOID NpFinishLater(PIRP Irp, NTSTATUS Status, ULONG_PTR Information); /* (n) held: when it is released */
VOID NTAPI NpCompleteCanceled(PIO_CSQ Csq, PIRP Irp);

/* queue.c */
VOID NpInitializeQueue(VOID);
VOID NpWait(NP_END *End, NP_WAIT Kind, PIRP Irp, BOOLEAN First); /* it may be cancelled and gone at once */
PIRP NpTake(NP_END *End, NP_WAIT Kind);                          /* the oldest; NULL: none */
VOID NpFinishAll(NP_END *End, NP_WAIT Kind, NTSTATUS Status);
/* Bytes that waiting writes of the end have left; a copy of the first Room of them. */
ULONG NpPeekWaiting(NP_END *End, UCHAR *To, ULONG Room, PULONG Messages, PULONG First);

/* wait.c: requests that wait for an instance of a name. (n) held. */
NTSTATUS NpWaitForPipe(PIRP Irp, PIO_STACK_LOCATION Stack);
VOID NpInstanceIsFree(PCUNICODE_STRING Name);
VOID NpInitializeWaits(VOID);

/* pipe.c. (n) held. */
NP_PIPE *NpFindPipe(PCUNICODE_STRING Name);
NP_PIPE *NpPipeFrom(ULONG64 Order); /* the first that has it, or a greater one */
NTSTATUS NpMakePipe(PCUNICODE_STRING Name, const NAMED_PIPE_CREATE_PARAMETERS *Parameters,
                    ULONG Configuration, NP_PIPE **Pipe);
NTSTATUS NpMakeInstance(NP_PIPE *Pipe, const NAMED_PIPE_CREATE_PARAMETERS *Parameters, NP_END *Server);
NP_INSTANCE *NpListeningInstance(NP_PIPE *Pipe);
VOID NpRemoveInstance(NP_INSTANCE *Instance); /* from its pipe, which goes with the last */
VOID NpDereferenceInstance(NP_INSTANCE *Instance);
VOID NpDiscard(NP_DATA *Data);

/* data.c. (n) held. */
NTSTATUS NpRead(NP_END *End, PIRP Irp);  /* STATUS_PENDING: it waits; else Irp->IoStatus.Information is set */
NTSTATUS NpWrite(NP_END *End, PIRP Irp); /* the same */
/* For a transceive: all of it or nothing. STATUS_PIPE_BUSY: the quota is exceeded already. */
NTSTATUS NpWriteBytes(NP_END *End, const UCHAR *Bytes, ULONG Length);
NTSTATUS NpReadState(NP_END *End); /* can it be read from, or why not */
/* Is the instance's data its own? It is not disconnected and not closed. */
BOOLEAN NpHasData(const NP_END *End);
VOID NpSetReadBuffer(PIRP Irp, UCHAR *Buffer, ULONG Length);

DRIVER_DISPATCH NpCreate, NpCreatePipe, NpCleanup, NpClose, NpReadRequest, NpWriteRequest, NpFlush,
    NpFsControl, NpDirectoryControl, NpQuery, NpSet;
