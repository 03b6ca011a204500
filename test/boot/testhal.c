/* SPDX-License-Identifier: MIT
 * A hal.dll for the test kernel: one forwarder (testhal.def) and one function that imports from the kernel.
 */
__declspec(dllimport) int TestReturnSeven(void);
int HalAddOne(void);

int HalAddOne(void)
{
    return TestReturnSeven() + 1;
}
