/* SPDX-License-Identifier: MIT
 * Requests and answers in words, for people who watch the log or the screen:
 *   ioctl \Device\NtboxIoctl 0x222000 METHOD_BUFFERED in "hi"
 *     -> STATUS_SUCCESS, 2 bytes "ih" */
#include "agent.h"

#define SHOWN 16u /* bytes of data that are shown */

typedef struct SHOWN_DATA {
    CHAR Text[SHOWN * 4 + 32];
} SHOWN_DATA;

static PCSTR StatusName(NTSTATUS Status)
{
    static const struct {
        NTSTATUS Status;
        PCSTR Name;
    } Names[] = {
        {STATUS_SUCCESS, "STATUS_SUCCESS"},
        {STATUS_PENDING, "STATUS_PENDING"},
        {STATUS_BUFFER_OVERFLOW, "STATUS_BUFFER_OVERFLOW"},
        {STATUS_END_OF_FILE, "STATUS_END_OF_FILE"},
        {STATUS_CANCELLED, "STATUS_CANCELLED"},
        {STATUS_ACCESS_DENIED, "STATUS_ACCESS_DENIED"},
        {STATUS_INVALID_PARAMETER, "STATUS_INVALID_PARAMETER"},
        {STATUS_INVALID_BUFFER_SIZE, "STATUS_INVALID_BUFFER_SIZE"},
        {STATUS_BUFFER_TOO_SMALL, "STATUS_BUFFER_TOO_SMALL"},
        {STATUS_INVALID_DEVICE_REQUEST, "STATUS_INVALID_DEVICE_REQUEST"},
        {STATUS_OBJECT_NAME_NOT_FOUND, "STATUS_OBJECT_NAME_NOT_FOUND"},
        {STATUS_OBJECT_PATH_NOT_FOUND, "STATUS_OBJECT_PATH_NOT_FOUND"},
        {STATUS_INSUFFICIENT_RESOURCES, "STATUS_INSUFFICIENT_RESOURCES"},
        {STATUS_INVALID_IMAGE_FORMAT, "STATUS_INVALID_IMAGE_FORMAT"},
        {STATUS_PROCEDURE_NOT_FOUND, "STATUS_PROCEDURE_NOT_FOUND"},
        {STATUS_DELETE_PENDING, "STATUS_DELETE_PENDING"},
    };
    for (ULONG i = 0; i < RTL_NUMBER_OF(Names); i++) {
        if (Names[i].Status == Status)
            return Names[i].Name;
    }
    return NULL;
}

static BOOLEAN IsPrintable(const UCHAR *Data, ULONG Length)
{
    for (ULONG i = 0; i < Length; i++) {
        if (Data[i] < ' ' || Data[i] > '~')
            return FALSE;
    }
    return TRUE;
}

static PCHAR PutDigits(PCHAR At, const UCHAR *Data, ULONG Length)
{
    static const CHAR Digits[] = "0123456789abcdef";
    for (ULONG i = 0; i < Length; i++) {
        *At++ = Digits[Data[i] >> 4];
        *At++ = Digits[Data[i] & 15];
        *At++ = ' ';
    }
    return At;
}

static VOID PutText(PCHAR At, PCSTR Text)
{
    while ((*At++ = *Text++) != 0)
        ;
}

/* Text in quotes; what is no text as hexadecimal digits first: `01 41 ".A"`. Three dots for what is not shown. */
static PCSTR ShowData(SHOWN_DATA *Shown, const UCHAR *Data, ULONG Length)
{
    PCHAR At = Shown->Text;
    ULONG Count = Length < SHOWN ? Length : SHOWN;
    if (!IsPrintable(Data, Count))
        At = PutDigits(At, Data, Count);
    *At++ = '"';
    for (ULONG i = 0; i < Count; i++)
        *At++ = IsPrintable(&Data[i], 1) ? (CHAR)Data[i] : '.';
    *At++ = '"';
    PutText(At, Count < Length ? "..." : "");
    return Shown->Text;
}

static PCSTR ShowInput(SHOWN_DATA *Shown, const SCENARIO_REQUEST *Request)
{
    return Request->DataLength ? ShowData(Shown, Request->Data, Request->DataLength) : "nothing";
}

static VOID EchoRequest(const SCENARIO_REQUEST *Request)
{
    static const PCSTR Methods[] = {"METHOD_BUFFERED", "METHOD_IN_DIRECT", "METHOD_OUT_DIRECT",
                                    "METHOD_NEITHER"};
    int NameLength = (int)Request->Name.Length, DeviceLength = (int)Request->Device.Length;
    PCSTR Name = Request->Name.Bytes, Device = Request->Device.Bytes;
    SHOWN_DATA Shown;
    switch (Request->Operation) {
    case ScenarioLoad:
        DbgPrint("load %.*s\n", NameLength, Name);
        break;
    case ScenarioUnload:
        DbgPrint("unload %.*s\n", NameLength, Name);
        break;
    case ScenarioIoctl:
        DbgPrint("ioctl %.*s 0x%x %s in %s\n", DeviceLength, Device, Request->Code,
                 Methods[Request->Code & 3], ShowInput(&Shown, Request));
        break;
    case ScenarioRead:
        DbgPrint("read %.*s up to %u bytes at %I64u\n", DeviceLength, Device, Request->Size, Request->Offset);
        break;
    case ScenarioWrite:
        DbgPrint("write %.*s %s at %I64u\n", DeviceLength, Device, ShowInput(&Shown, Request),
                 Request->Offset);
        break;
    case ScenarioMark:
        DbgPrint("mark %I64u\n", Request->Count);
        break;
    case ScenarioPowerCycle:
        DbgPrint("power cycle\n");
        break;
    }
}

static BOOLEAN IsTransfer(const SCENARIO_REQUEST *Request)
{
    return Request->Operation >= ScenarioIoctl && Request->Operation <= ScenarioWrite;
}

static VOID EchoAnswer(const SCENARIO_REQUEST *Request, const AGENT_RESULT *Result)
{
    SHOWN_DATA Shown;
    PCSTR Status = StatusName(Result->Status);
    CHAR Number[16];
    if (Status == NULL) {
        _snprintf(Number, sizeof(Number), "0x%08x", Result->Status);
        Status = Number;
    }
    if (Result->DataLength)
        DbgPrint("  -> %s, %u bytes %s\n", Status, Result->DataLength,
                 ShowData(&Shown, Result->Data, Result->DataLength));
    else if (IsTransfer(Request) && !NT_ERROR(Result->Status))
        DbgPrint("  -> %s, information %Iu\n", Status, Result->Information);
    else
        DbgPrint("  -> %s%s\n", Result->OpenFailed ? "cannot be opened: " : "", Status);
}

VOID AgentEcho(const SCENARIO_REQUEST *Request, const AGENT_RESULT *Result)
{
    EchoRequest(Request);
    EchoAnswer(Request, Result);
}
