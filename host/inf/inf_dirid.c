/* SPDX-License-Identifier: MIT
 * The directories that the guest has: see inf_dirid.h. */
#include "inf_dirid.h"

#include <string.h>

#define DIRID_DRIVER_STORE 13u

static const struct {
    guint Number;
    const char *Folder;
} folders[] = {
    {10, "Windows"},
    {11, "Windows/System32"},
    {12, "Windows/System32/drivers"},
    {17, "Windows/INF"},
    {18, "Windows/Help"},
    {20, "Windows/Fonts"},
    {24, ""},
    {30, ""},
    {50, "Windows/System"},
};

char *inf_dirid_folder(guint number, const char *package)
{
    if (number == DIRID_DRIVER_STORE)
        return g_strconcat("Windows/System32/DriverStore/FileRepository/", package, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
        if (folders[i].Number == number)
            return g_strdup(folders[i].Folder);
    }
    return NULL;
}

char *inf_dirid_text(const char *text, const char *package)
{
    if (*text == '\0' || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
        return NULL;
    g_autofree char *folder = inf_dirid_folder((guint)g_ascii_strtoull(text, NULL, 10), package);
    return folder ? g_strconcat(INF_VOLUME, g_strdelimit(folder, "/", '\\'), NULL) : NULL;
}
