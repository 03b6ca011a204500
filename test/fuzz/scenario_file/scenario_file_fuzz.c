/* SPDX-License-Identifier: MIT
 * libFuzzer over scenarios as text: any bytes are refused with one sentence, or are requests within their limits. */
#include <stdlib.h>

#include "scenario_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length);

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Length)
{
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify)request_free);
    g_autoptr(GError) error = NULL;
    bool good = scenario_file_parse((const char *)Data, Length, "fuzz.scn", requests, &error);
    require(good == (error == NULL) && (good || requests->len == 0));
    require(good || g_utf8_validate(error->message, -1, NULL));
    for (guint i = 0; i < requests->len; i++) {
        const Request *request = requests->pdata[i];
        require(request->Device != NULL && request->OutputLength <= REQUEST_MAX_LENGTH &&
                request->Input->len <= REQUEST_MAX_LENGTH);
    }
    return 0;
}
