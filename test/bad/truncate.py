#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cut a driver in the middle of its code: the headers promise sections that the file no longer holds."""
import sys

with open(sys.argv[1], 'rb') as f:
    data = f.read()
with open(sys.argv[2], 'wb') as f:
    f.write(data[:len(data) // 2])
