/* SPDX-License-Identifier: MIT
 * mkhive OUT IN: makes a registry hive from lines `path|name|type|value`. Types: sz, expand, multi (texts
 * separated by
 * ';'), dword, qword (decimal or 0x), hex (pairs of digits), key (no name, no value: only the key). A line
 * that begins with '#' and an empty line are skipped. The time stamp is fixed, so the output depends on the
 * input only. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cm/hive_host.h"

#define TIME_2026 134116992000000000ull /* 2026-01-01, 100 ns since 1601 */
#define MAX_TEXTS 64u

typedef struct LINE {
    HIVE_BUILDER *Builder;
    const char *Path, *Name, *Type;
    char *Value;
} LINE;

/* Each setter returns NULL, or what is wrong with the line. */
typedef const char *(*SETTER)(LINE *Line);

static const char *Explain(HIVE_STATUS Status)
{
    return Status == HiveOk ? NULL : HiveStatusText(Status);
}

static const char *SetKey(LINE *Line)
{
    if (*Line->Name || *Line->Value)
        return "type 'key' takes no name and no value";
    return Explain(HiveBuilderAddKey(Line->Builder, Line->Path));
}

static const char *SetText(LINE *Line)
{
    uint32_t Type = strcmp(Line->Type, "sz") == 0 ? HiveTypeText : HiveTypeExpandText;
    return Explain(HiveBuilderSetText(Line->Builder, Line->Path, Line->Name, Type, Line->Value));
}

static const char *SetMultiText(LINE *Line)
{
    const char *Texts[MAX_TEXTS];
    uint32_t Count = 0;
    for (char *Text = strtok(Line->Value, ";"); Text; Text = strtok(NULL, ";")) {
        if (Count == MAX_TEXTS)
            return "a multi value has more than 64 texts";
        Texts[Count++] = Text;
    }
    return Explain(HiveBuilderSetMultiText(Line->Builder, Line->Path, Line->Name, Texts, Count));
}

static const char *SetNumber(LINE *Line)
{
    char *End;
    errno = 0;
    unsigned long long Number = strtoull(Line->Value, &End, 0);
    if (End == Line->Value || *End || errno || *Line->Value == '-')
        return "the value is no number";
    if (strcmp(Line->Type, "qword") == 0)
        return Explain(HiveBuilderSetNumber64(Line->Builder, Line->Path, Line->Name, Number));
    if (Number > UINT32_MAX)
        return "the number does not fit into a dword";
    return Explain(HiveBuilderSetNumber32(Line->Builder, Line->Path, Line->Name, (uint32_t)Number));
}

static int HexDigit(char Digit)
{
    const char *At = Digit ? strchr("0123456789abcdef0123456789ABCDEF", Digit) : NULL;
    return At ? (int)(At - "0123456789abcdef0123456789ABCDEF") % 16 : -1;
}

/* Decodes in place. */
static const char *SetBinary(LINE *Line)
{
    size_t Length = strlen(Line->Value);
    if (Length % 2)
        return "the value has an odd number of hexadecimal digits";
    for (size_t i = 0; i < Length; i += 2) {
        int High = HexDigit(Line->Value[i]), Low = HexDigit(Line->Value[i + 1]);
        if (High < 0 || Low < 0)
            return "the value has a character that is no hexadecimal digit";
        Line->Value[i / 2] = (char)(High << 4 | Low);
    }
    return Explain(HiveBuilderSetValue(Line->Builder, Line->Path, Line->Name, HiveTypeBinary, Line->Value,
                                       (uint32_t)(Length / 2)));
}

static const struct {
    const char *Name;
    SETTER Set;
} Types[] = {
    {"key", SetKey},      {"sz", SetText},      {"expand", SetText}, {"multi", SetMultiText},
    {"dword", SetNumber}, {"qword", SetNumber}, {"hex", SetBinary},
};

/* Cuts Text at the next '|'; returns what follows it, or NULL. */
static char *Cut(char *Text)
{
    char *Bar = Text ? strchr(Text, '|') : NULL;
    if (!Bar)
        return NULL;
    *Bar = 0;
    return Bar + 1;
}

static const char *SetLine(HIVE_BUILDER *Builder, char *Text)
{
    char *Name = Cut(Text);
    char *Type = Cut(Name);
    char *Value = Cut(Type);
    LINE Line = {Builder, Text, Name, Type, Value};
    if (!Value)
        return "the line is not path|name|type|value";
    for (size_t i = 0; i < sizeof(Types) / sizeof(Types[0]); i++) {
        if (strcmp(Types[i].Name, Type) == 0)
            return Types[i].Set(&Line);
    }
    return "unknown type: sz, expand, multi, dword, qword, hex or key";
}

static int ReadLines(HIVE_BUILDER *Builder, FILE *File, const char *Name)
{
    char *Text = NULL;
    size_t Size = 0;
    ssize_t Length;
    int Failed = 0;
    for (unsigned Number = 1; (Length = getline(&Text, &Size, File)) >= 0; Number++) {
        if (Length && Text[Length - 1] == '\n')
            Text[--Length] = 0;
        const char *Wrong = Length == 0 || Text[0] == '#' ? NULL : SetLine(Builder, Text);
        if (Wrong) {
            fprintf(stderr, "mkhive: %s:%u: %s\n", Name, Number, Wrong);
            Failed = 1;
        }
    }
    free(Text);
    return Failed || ferror(File);
}

static int WriteHive(HIVE_BUILDER *Builder, const char *Name)
{
    uint8_t *Bytes;
    uint32_t Length;
    HIVE_STATUS Status = HiveBuilderFinish(Builder, &Bytes, &Length);
    if (Status != HiveOk) {
        fprintf(stderr, "mkhive: %s: %s\n", Name, HiveStatusText(Status));
        return 1;
    }
    FILE *File = fopen(Name, "wb");
    int Failed = !File || fwrite(Bytes, 1, Length, File) != Length;
    if (File && fclose(File) != 0)
        Failed = 1;
    if (Failed)
        fprintf(stderr, "mkhive: %s: cannot be written: %s\n", Name, strerror(errno));
    free(Bytes);
    return Failed;
}

int main(int Count, char **Arguments)
{
    if (Count != 3) {
        fprintf(stderr, "usage: mkhive OUT IN\n");
        return 3;
    }
    FILE *File = fopen(Arguments[2], "r");
    HIVE_BUILDER *Builder = HiveBuilderCreate(&HiveHeap, TIME_2026);
    if (!File || !Builder) {
        fprintf(stderr, "mkhive: %s: %s\n", Arguments[2], strerror(errno));
        return 3;
    }
    int Failed = ReadLines(Builder, File, Arguments[2]) || WriteHive(Builder, Arguments[1]);
    fclose(File);
    HiveBuilderDestroy(Builder);
    return Failed;
}
