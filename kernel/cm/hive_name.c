/* SPDX-License-Identifier: MIT
 * Names in a hive: upper case, comparison, the hash of lh lists, Latin-1 or UTF-16. */
#include "cm/hive.h"
#include "cm/hive_private.h"
#include "rtl_case.h"

uint16_t HiveUpcase(uint16_t Character)
{
    return RtlUpcaseCharacter(Character);
}

uint16_t HiveNameCharacter(const HIVE_NAME *Name, uint32_t Index)
{
    if (Name->Compressed)
        return Name->Bytes[Index];
    return HiveLoad16(Name->Bytes + 2 * (size_t)Index);
}

static inline bool EqualCharacters(uint16_t A, uint16_t B)
{
    return A == B || HiveUpcase(A) == HiveUpcase(B);
}

static bool EqualBytes(const uint8_t *Name, const uint16_t *Text, uint32_t Length)
{
    for (const uint8_t *End = Name + Length; Name != End; Name++, Text++) {
        if (!EqualCharacters(*Name, *Text))
            return false;
    }
    return true;
}

static bool EqualWords(const uint8_t *Name, const uint16_t *Text, uint32_t Length)
{
    for (const uint8_t *End = Name + 2 * (size_t)Length; Name != End; Name += 2, Text++) {
        if (!EqualCharacters(HiveLoad16(Name), *Text))
            return false;
    }
    return true;
}

bool HiveNameEquals(const HIVE_NAME *Name, const uint16_t *Text, uint32_t Length)
{
    return Name->Length == Length &&
           (Name->Compressed ? EqualBytes(Name->Bytes, Text, Length) : EqualWords(Name->Bytes, Text, Length));
}

int HiveCompareName(const HIVE_NAME *A, const uint16_t *B, uint32_t LengthB)
{
    for (uint32_t i = 0; i < A->Length && i < LengthB; i++) {
        int Difference = HiveUpcase(HiveNameCharacter(A, i)) - HiveUpcase(B[i]);
        if (Difference)
            return Difference;
    }
    return A->Length < LengthB ? -1 : A->Length > LengthB;
}

uint32_t HiveHashText(const uint16_t *Text, uint32_t Length)
{
    uint32_t Hash = 0;
    for (uint32_t i = 0; i < Length; i++)
        Hash = Hash * 37 + HiveUpcase(Text[i]);
    return Hash;
}

bool HiveCompressible(const uint16_t *Name, uint32_t Length)
{
    for (uint32_t i = 0; i < Length; i++) {
        if (Name[i] > 0xff)
            return false;
    }
    return true;
}

uint32_t HiveStoredLength(const uint16_t *Name, uint32_t Length)
{
    return HiveCompressible(Name, Length) ? Length : Length * 2;
}

void HiveStoreName(uint8_t *To, const uint16_t *Name, uint32_t Length)
{
    if (!HiveCompressible(Name, Length)) {
        memcpy(To, Name, Length * sizeof(uint16_t));
        return;
    }
    for (uint32_t i = 0; i < Length; i++)
        To[i] = (uint8_t)Name[i];
}
