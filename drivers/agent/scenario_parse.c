/* SPDX-License-Identifier: MIT
 * The scenario reader. A file is checked as a whole before its first step runs. Offsets cannot wrap: the file
 * is at most 16 MiB, and every length is compared with what is left of it. */
#include "scenario_parse.h"
#include "report_format.h"

#define HAS(Key) (1ull << (Key))

static bool Wrong(SCENARIO_READER *Reader, uint32_t Offset, const char *Rule)
{
    Reader->Error.Offset = Offset;
    Reader->Error.Rule = Rule;
    return false;
}

/* The file may lie anywhere: no alignment is assumed. */
static void Copy(void *To, const uint8_t *From, size_t Length)
{
    for (size_t i = 0; i < Length; i++)
        ((uint8_t *)To)[i] = From[i];
}

static uint64_t Number(const uint8_t *Data)
{
    uint64_t Value;
    Copy(&Value, Data, sizeof(Value));
    return Value;
}

/* Puts one field into the request; a key that is not known is skipped. */
static bool TakeField(SCENARIO_READER *Reader, SCENARIO_REQUEST *Request, const REPORT_FIELD *Field,
                      uint32_t At, uint64_t *Seen)
{
    static const uint8_t Kinds[] = {
        [ReportKeyName] = ReportKindText,     [ReportKeyDevice] = ReportKindText,
        [ReportKeyCode] = ReportKindNumber,   [ReportKeySize] = ReportKindNumber,
        [ReportKeyOffset] = ReportKindNumber, [ReportKeyCount] = ReportKindNumber,
        [ReportKeyData] = ReportKindBytes,    [ReportKeyHash] = ReportKindNumber,
    };
    const uint8_t *Data = Reader->Bytes + At + sizeof(*Field);
    if (Field->Key >= sizeof(Kinds) || Kinds[Field->Key] == 0)
        return true;
    if (Field->Kind != Kinds[Field->Key])
        return Wrong(Reader, At, "a field has another kind than its key demands");
    if (Field->Kind == ReportKindNumber && Field->Length != sizeof(uint64_t))
        return Wrong(Reader, At, "a number is not 8 bytes long");
    if (*Seen & HAS(Field->Key))
        return Wrong(Reader, At, "a field occurs twice in one step");
    *Seen |= HAS(Field->Key);

    uint64_t Value = Field->Kind == ReportKindNumber ? Number(Data) : 0;
    if (Field->Key == ReportKeyCode && Value > UINT32_MAX)
        return Wrong(Reader, At, "a control code has more than 32 bits");
    if (Field->Key == ReportKeySize && Value > SCENARIO_MAX_TRANSFER)
        return Wrong(Reader, At, "an output length is over 16 MiB");
    if (Field->Key == ReportKeyOffset && Value > INT64_MAX)
        return Wrong(Reader, At, "a file offset is negative");
    if (Field->Kind == ReportKindText && Field->Length > SCENARIO_MAX_NAME)
        return Wrong(Reader, At, "a name is longer than 255 bytes");

    switch (Field->Key) {
    case ReportKeyName:
        Request->Name = (SCENARIO_TEXT){(const char *)Data, Field->Length};
        break;
    case ReportKeyDevice:
        Request->Device = (SCENARIO_TEXT){(const char *)Data, Field->Length};
        break;
    case ReportKeyCode:
        Request->Code = (uint32_t)Value;
        break;
    case ReportKeySize:
        Request->Size = (uint32_t)Value;
        break;
    case ReportKeyOffset:
        Request->Offset = Value;
        break;
    case ReportKeyCount:
        Request->Count = Value;
        break;
    case ReportKeyHash:
        Request->Hash = Value;
        break;
    case ReportKeyData:
        Request->Data = Data;
        Request->DataLength = Field->Length;
        break;
    }
    return true;
}

static bool TakeFields(SCENARIO_READER *Reader, SCENARIO_REQUEST *Request, uint32_t At, uint32_t End,
                       uint64_t *Seen)
{
    while (At < End) {
        REPORT_FIELD Field;
        if (End - At < sizeof(Field))
            return Wrong(Reader, At, "a step ends inside a field's header");
        Copy(&Field, Reader->Bytes + At, sizeof(Field));
        uint32_t Room = End - At - (uint32_t)sizeof(Field);
        if (Field.Length > Room || ((Field.Length + 7) & ~7u) > Room)
            return Wrong(Reader, At, "a field is longer than its step");
        if (!TakeField(Reader, Request, &Field, At, Seen))
            return false;
        At += (uint32_t)sizeof(Field) + ((Field.Length + 7) & ~7u);
    }
    return true;
}

/* Names become parts of object names: a service is one component, a device a whole path. */
static bool CheckNames(SCENARIO_READER *Reader, const SCENARIO_REQUEST *Request, uint32_t At)
{
    const SCENARIO_TEXT *Texts[] = {&Request->Name, &Request->Device};
    uint16_t Wide[SCENARIO_MAX_NAME];
    for (size_t i = 0; i < 2; i++) {
        if (Texts[i]->Length && ScenarioToUtf16(Texts[i], Wide, SCENARIO_MAX_NAME) == 0)
            return Wrong(Reader, At, "a name is no UTF-8");
    }
    for (uint32_t i = 0; i < Request->Name.Length; i++) {
        if (Request->Name.Bytes[i] == '\\' || Request->Name.Bytes[i] == '/')
            return Wrong(Reader, At, "a service name holds a path separator");
    }
    if (Request->Device.Length && Request->Device.Bytes[0] != '\\')
        return Wrong(Reader, At, "a device name does not begin with a backslash");
    return true;
}

static bool CheckRequired(SCENARIO_READER *Reader, const SCENARIO_REQUEST *Request, uint32_t At,
                          uint64_t Seen)
{
    static const uint64_t Required[] = {
        [ScenarioLoad] = HAS(ReportKeyName),
        [ScenarioUnload] = HAS(ReportKeyName),
        [ScenarioIoctl] = HAS(ReportKeyDevice) | HAS(ReportKeyCode),
        [ScenarioRead] = HAS(ReportKeyDevice) | HAS(ReportKeySize),
        [ScenarioWrite] = HAS(ReportKeyDevice),
        [ScenarioMark] = HAS(ReportKeyCount),
        [ScenarioFail] = HAS(ReportKeyCount) | HAS(ReportKeySize),
        [ScenarioPowerCycle] = 0,
    };
    if (Request->Operation == 0 || Request->Operation >= sizeof(Required) / sizeof(Required[0]))
        return Wrong(Reader, At, "a step has an unknown operation");
    if ((Seen & Required[Request->Operation]) != Required[Request->Operation])
        return Wrong(Reader, At, "a step lacks a field that its operation needs");
    if (((Seen & HAS(ReportKeyName)) && Request->Name.Length == 0) ||
        ((Seen & HAS(ReportKeyDevice)) && Request->Device.Length == 0))
        return Wrong(Reader, At, "a name is empty");
    return CheckNames(Reader, Request, At);
}

/* Reads and checks the step at Reader->Next. */
static bool TakeStep(SCENARIO_READER *Reader, SCENARIO_REQUEST *Request)
{
    SCENARIO_STEP Step;
    uint32_t At = Reader->Next;
    uint64_t Seen = 0;
    *Request = (SCENARIO_REQUEST){0};
    if (Reader->Length - At < sizeof(Step))
        return Wrong(Reader, At, "the file ends before its last step");
    Copy(&Step, Reader->Bytes + At, sizeof(Step));
    if (Step.Length < sizeof(Step) || Step.Length % 8 || Step.Length > Reader->Length - At)
        return Wrong(Reader, At, "a step's length is no multiple of 8 or passes the end of the file");
    Request->Number = Reader->Number + 1;
    Request->Operation = Step.Operation;
    Request->Flags = Step.Flags;
    if (!TakeFields(Reader, Request, At + (uint32_t)sizeof(Step), At + Step.Length, &Seen))
        return false;
    if (!CheckRequired(Reader, Request, At, Seen))
        return false;
    Reader->Next = At + Step.Length;
    Reader->Number += 1;
    return true;
}

static bool CheckHeader(SCENARIO_READER *Reader, const void *Bytes, uint64_t Length)
{
    SCENARIO_HEADER Header;
    if (Length < sizeof(Header))
        return Wrong(Reader, 0, "the file is shorter than its header");
    if (Length > SCENARIO_MAX_LENGTH)
        return Wrong(Reader, 0, "the file is over 16 MiB");
    Copy(&Header, Bytes, sizeof(Header));
    if (Header.Magic != SCENARIO_MAGIC)
        return Wrong(Reader, 0, "the magic is not that of a scenario");
    if (Header.Version != SCENARIO_VERSION)
        return Wrong(Reader, 4, "the version is not 1");
    if (Header.Length != Length)
        return Wrong(Reader, 12, "the length in the header is not that of the file");
    Reader->StepCount = Header.StepCount;
    return true;
}

bool ScenarioOpen(SCENARIO_READER *Reader, const void *Bytes, uint64_t Length)
{
    SCENARIO_REQUEST Request;
    *Reader = (SCENARIO_READER){.Bytes = Bytes, .Next = sizeof(SCENARIO_HEADER)};
    if (!CheckHeader(Reader, Bytes, Length))
        return false;
    Reader->Length = (uint32_t)Length;
    for (uint32_t i = 0; i < Reader->StepCount; i++) {
        if (!TakeStep(Reader, &Request))
            return false;
    }
    if (Reader->Next != Reader->Length)
        return Wrong(Reader, Reader->Next, "bytes follow the last step");
    Reader->Next = sizeof(SCENARIO_HEADER);
    Reader->Number = 0;
    return true;
}

bool ScenarioNext(SCENARIO_READER *Reader, SCENARIO_REQUEST *Request)
{
    return Reader->Number < Reader->StepCount && TakeStep(Reader, Request);
}
