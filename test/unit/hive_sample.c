/* SPDX-License-Identifier: MIT
 * Builds the sample hive with the public builder. */
#include <stdio.h>
#include "hive_sample.h"

#define TRY(Call)                                                                                            \
    do {                                                                                                     \
        HIVE_STATUS Status_ = (Call);                                                                        \
        if (Status_ != HiveOk)                                                                               \
            return Status_;                                                                                  \
    } while (0)

static HIVE_STATUS FillServices(HIVE_BUILDER *Builder)
{
    static const char *const Groups[] = {"Boot Bus Extender", "", "Gr\xc3\xbc\xc3\x9f"};
    static const char Key[] = "ControlSet001\\Services\\ioctl";
    TRY(HiveBuilderSetNumber32(Builder, "Select", "Current", 1));
    TRY(HiveBuilderSetNumber32(Builder, Key, "Type", 1));
    TRY(HiveBuilderSetNumber32(Builder, Key, "Start", 7));
    TRY(HiveBuilderSetNumber32(Builder, Key, "sTART", 3)); /* replaces Start */
    TRY(HiveBuilderSetText(Builder, Key, "ImagePath", HiveTypeExpandText, "System32\\drivers\\ioctl.sys"));
    TRY(HiveBuilderSetText(Builder, Key, "", HiveTypeText, "the default value"));
    TRY(HiveBuilderSetMultiText(Builder, Key, "Groups", Groups, 3));
    TRY(HiveBuilderSetNumber64(Builder, "CONTROLset001\\services\\IOCTL\\Parameters", "Big",
                               0x1122334455667788));
    return HiveBuilderAddKey(Builder, "ControlSet001\\Services\\Empty");
}

static HIVE_STATUS FillNames(HIVE_BUILDER *Builder)
{
    TRY(HiveBuilderSetText(Builder, "Namen\\\xc3\x84pfel",
                           "gr\xc3\xb6\xc3\x9f"
                           "e",
                           HiveTypeText, "Latin-1"));
    TRY(HiveBuilderSetText(Builder, "Namen\\\xce\xa9mega", "\xd0\x96\xd1\x83\xd0\xba", HiveTypeText,
                           "UTF-16"));
    TRY(HiveBuilderSetText(Builder, "Namen\\Link", "SymbolicLinkValue", HiveTypeLink, "\\Registry\\Machine"));
    return HiveBuilderMarkKey(Builder, "Namen\\Link", HIVE_KEY_LINK);
}

static HIVE_STATUS FillData(HIVE_BUILDER *Builder)
{
    static uint8_t Bytes[SAMPLE_BIG];
    char Name[32];
    for (uint32_t i = 0; i < SAMPLE_BIG; i++)
        Bytes[i] = SampleByte(i);
    for (uint32_t i = 0; i < SAMPLE_LENGTHS; i++) {
        snprintf(Name, sizeof(Name), "Sized%u", i);
        TRY(HiveBuilderSetValue(Builder, "Data", Name, HiveTypeBinary, Bytes, SampleLengths[i]));
    }
    return HiveOk;
}

HIVE_STATUS SampleFill(HIVE_BUILDER *Builder, uint32_t Many)
{
    char Path[64];
    TRY(FillServices(Builder));
    TRY(FillNames(Builder));
    TRY(FillData(Builder));
    for (uint32_t i = 0; i < Many; i++) {
        snprintf(Path, sizeof(Path), "Many\\Key%u", (i * 7919u) % Many);
        TRY(HiveBuilderAddKey(Builder, Path));
    }
    return HiveOk;
}
