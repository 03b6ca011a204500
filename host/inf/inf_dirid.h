/* SPDX-License-Identifier: MIT
 * Directories by number. [WDK "Using Dirids"] */
#pragma once
#include <glib.h>

/* The guest's directory of that number, "Windows/System32/drivers", "" for the root; NULL: the guest has no such directory. Package: of
 * dirid 13. g_free. */
char *inf_dirid_folder(guint number, const char *package);

/* What %12% stands for: "C:\Windows\System32\drivers". Text is what stands between the %; NULL: no dirid, or one that the guest does not
 * have. g_free. */
char *inf_dirid_text(const char *text, const char *package);

/* The boot volume, as such texts name it. */
#define INF_VOLUME "C:\\"
