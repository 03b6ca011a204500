/* SPDX-License-Identifier: MIT
 * Pipes and their instances. The caller holds NpLock. */
#include "npfs.h"

static LIST_ENTRY Pipes = {&Pipes, &Pipes};
static ULONG64 LastOrder;

NP_PIPE *NpFindPipe(PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY E = Pipes.Flink; E != &Pipes; E = E->Flink) {
        NP_PIPE *Pipe = CONTAINING_RECORD(E, NP_PIPE, Entry);
        if (RtlEqualUnicodeString(&Pipe->Name, Name, TRUE))
            return Pipe;
    }
    return NULL;
}

NP_PIPE *NpPipeFrom(ULONG64 Order)
{
    for (PLIST_ENTRY E = Pipes.Flink; E != &Pipes; E = E->Flink) {
        NP_PIPE *Pipe = CONTAINING_RECORD(E, NP_PIPE, Entry);
        if (Pipe->Order >= Order)
            return Pipe;
    }
    return NULL;
}

/* [WDK NtCreateNamedPipeFile] the first instance says what all of them are; 50 ms where it says nothing. */
NTSTATUS NpMakePipe(PCUNICODE_STRING Name, const NAMED_PIPE_CREATE_PARAMETERS *Parameters,
                    ULONG Configuration, NP_PIPE **Made)
{
    NP_PIPE *Pipe = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Pipe) + Name->Length, NP_TAG);
    if (Pipe == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    InitializeListHead(&Pipe->Instances);
    Pipe->Name = (UNICODE_STRING){Name->Length, Name->Length, (PWCHAR)(Pipe + 1)};
    RtlCopyMemory(Pipe->Name.Buffer, Name->Buffer, Name->Length);
    Pipe->Type = Parameters->NamedPipeType & FILE_PIPE_MESSAGE_TYPE;
    Pipe->Configuration = Configuration;
    Pipe->MaximumInstances = Parameters->MaximumInstances;
    Pipe->DefaultTimeout.QuadPart =
        Parameters->TimeoutSpecified ? Parameters->DefaultTimeout.QuadPart : -500000;
    Pipe->Order = ++LastOrder;
    InsertTailList(&Pipes, &Pipe->Entry);
    *Made = Pipe;
    return STATUS_SUCCESS;
}

/* It listens from the begin. */
NTSTATUS NpMakeInstance(NP_PIPE *Pipe, const NAMED_PIPE_CREATE_PARAMETERS *Parameters, NP_END *Server)
{
    NP_INSTANCE *Instance = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Instance), NP_TAG);
    if (Instance == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Instance->Pipe = Pipe;
    Instance->References = 1;
    Instance->State = FILE_PIPE_LISTENING_STATE;
    Instance->Ends[TRUE] = Server;
    Server->Instance = Instance;
    for (ULONG i = 0; i < 2; i++)
        InitializeListHead(&Instance->Data[i].Pieces);
    Instance->Data[TRUE].Quota = Parameters->InboundQuota;
    Instance->Data[FALSE].Quota = Parameters->OutboundQuota;
    InsertTailList(&Pipe->Instances, &Instance->Entry);
    Pipe->CurrentInstances++;
    return STATUS_SUCCESS;
}

NP_INSTANCE *NpListeningInstance(NP_PIPE *Pipe)
{
    for (PLIST_ENTRY E = Pipe->Instances.Flink; E != &Pipe->Instances; E = E->Flink) {
        NP_INSTANCE *Instance = CONTAINING_RECORD(E, NP_INSTANCE, Entry);
        if (Instance->State == FILE_PIPE_LISTENING_STATE)
            return Instance;
    }
    return NULL;
}

VOID NpRemoveInstance(NP_INSTANCE *Instance)
{
    NP_PIPE *Pipe = Instance->Pipe;
    RemoveEntryList(&Instance->Entry);
    Instance->Pipe = NULL;
    if (--Pipe->CurrentInstances != 0)
        return;
    RemoveEntryList(&Pipe->Entry);
    ExFreePoolWithTag(Pipe, NP_TAG);
}

VOID NpDiscard(NP_DATA *Data)
{
    while (!IsListEmpty(&Data->Pieces))
        ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Data->Pieces), NP_PIECE, Entry), NP_TAG);
    Data->Bytes = Data->Empty = 0;
}

VOID NpDereferenceInstance(NP_INSTANCE *Instance)
{
    if (--Instance->References != 0)
        return;
    NpDiscard(&Instance->Data[0]);
    NpDiscard(&Instance->Data[1]);
    ExFreePoolWithTag(Instance, NP_TAG);
}
