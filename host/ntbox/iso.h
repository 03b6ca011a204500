/* SPDX-License-Identifier: MIT
 * A bootable ISO of one boot.cpio, made on the fly by scripts/mkiso (GRUB) in a temporary folder. */
#pragma once
#include <glib.h>

typedef struct IsoImage IsoImage;

/* Script: path of mkiso. NULL with a sentence in error. */
IsoImage *iso_image_make(const char *script, const char *loader, GBytes *archive, const char *command_line,
                         GError **error);
const char *iso_image_path(const IsoImage *iso);
/* Removes the temporary folder too. */
void iso_image_free(IsoImage *iso);
