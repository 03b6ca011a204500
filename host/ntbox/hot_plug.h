/* SPDX-License-Identifier: MIT
 * Steps that move devices while the guest runs. NULL with one sentence in error (domain NTBOX_USAGE_ERROR); freed with request_free. */
#pragma once
#include "request.h"

/* --unplug ID: the host asks for the device, as one who presses the button of its slot; done when the guest has let it go. */
Request *hot_plug_parse_unplug(const char *text, GError **error);

/* --plug DEVICE: the host puts it in. Later steps wait for their device. */
Request *hot_plug_parse_plug(const char *text, GError **error);

/* --surprise BUS:DEVICE.FUNCTION: the guest's bus driver takes it away without asking. */
Request *hot_plug_parse_surprise(const char *text, GError **error);
