/* SPDX-License-Identifier: MIT
 * Functions of every shape, for step_test.c, which unwinds at each instruction that they execute: leaves, tail calls, several
 * epilogs, frame pointers, variable and large frames, recursion, many arguments, saved XMM registers, switches, structures.
 * Built by both compilers at several levels. Self-contained. */
#define NOINLINE __attribute__((noinline))

typedef struct BIG {
    long long a[12];
} BIG;

static volatile long long Sink;
static long long (*volatile Pointer)(long long);

NOINLINE static long long Leaf(long long x)
{
    return x * 3 + 1;
}

NOINLINE static long long TailCall(long long x)
{
    Sink += x;
    return Leaf(x + 1);
}

NOINLINE static long long TailCallAfterWork(long long x)
{
    long long y = Leaf(x), z = Leaf(y);
    Sink += y * z;
    return Leaf(y ^ z);
}

NOINLINE static long long IndirectTailCall(long long x)
{
    Sink += Leaf(x);
    return Pointer(x);
}

NOINLINE static long long ManyArguments(long long a, long long b, long long c, long long d, long long e,
                                        long long f, long long g)
{
    long long s = Leaf(a) + b;
    s = Leaf(s) * c + d;
    s = Leaf(s) ^ e;
    return Leaf(s + f) - g;
}

NOINLINE static long long EarlyReturns(long long x)
{
    if (x == 0)
        return 5;
    long long y = Leaf(x);
    if (y & 1)
        return Leaf(y) + x;
    if (y & 2) {
        Sink = y;
        return y;
    }
    for (int i = 0; i < 3; i++)
        y += Leaf(y + i) & x;
    return y;
}

NOINLINE static long long VariableFrame(int n)
{
    volatile long long *array = __builtin_alloca((unsigned)n * 8u + 8);
    long long sum = 0;
    for (int i = 0; i <= n; i++)
        array[i] = Leaf(i);
    for (int i = 0; i <= n; i++)
        sum += array[i];
    return sum + Leaf(n);
}

NOINLINE static long long VariableFrameBig(int n)
{
    volatile char fixed[700];
    volatile char *moving = __builtin_alloca((unsigned)n);
    fixed[Leaf(n) & 255] = 3;
    moving[0] = fixed[5];
    return Leaf(moving[0]) + fixed[n & 127];
}

NOINLINE static long long LargeFrame(long long x)
{
    volatile char page[20000];
    page[x & 16383] = (char)x;
    page[19999] = (char)Leaf(x);
    return page[x & 16383] + Leaf(page[19999]);
}

NOINLINE static double Floating(double x)
{
    return x * 1.5 + (double)Sink;
}

/* Twelve doubles live across a call: the callee-saved XMM registers are all used. */
NOINLINE static double ManyDoubles(double x)
{
    double a = x + 1, b = x + 2, c = x + 3, d = x + 4, e = x + 5, f = x + 6, g = x + 7, h = x + 8, i = x + 9,
           j = x + 10, k = x + 11, l = x + 12;
    double r = Floating(x);
    return a * r + b * c - d * e + f * r - g * h + i * j - k * l;
}

NOINLINE static long long Recursive(long long depth, long long x)
{
    if (depth == 0)
        return Leaf(x);
    long long y = Recursive(depth - 1, x + depth);
    return y ^ Recursive(depth > 3 ? 0 : depth - 1, y);
}

NOINLINE static long long Switch(int x)
{
    switch (x) {
    case 0:
        return Leaf(3);
    case 1:
        Sink++;
        return TailCall(4);
    case 2:
        return 7;
    case 3:
        return Leaf(9) + Leaf(10);
    case 4:
        Sink += 2;
        return 11;
    case 5:
        return ManyArguments(1, 2, 3, 4, 5, 6, x);
    default:
        return -1;
    }
}

NOINLINE static BIG Structures(BIG in, int k)
{
    BIG out = in;
    for (int i = 0; i < 12; i++)
        out.a[i] = Leaf(in.a[11 - i]) + k;
    return out;
}

NOINLINE static long long Registers(long long a, long long b, long long c, long long d)
{
    long long e = Leaf(a), f = Leaf(b), g = Leaf(c), h = Leaf(d), i = Leaf(e), j = Leaf(f), k = Leaf(g),
              l = Leaf(h);
    long long m = Leaf(i), n = Leaf(j);
    return a + b * c + d * e + f * g + h * i + j * k + l * m + n * Leaf(a);
}

__declspec(dllexport) long long StepMain(void)
{
    BIG big = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
    long long s = 0;

    Pointer = Leaf;
    s += TailCall(1) + TailCallAfterWork(2) + IndirectTailCall(3);
    s += ManyArguments(1, 2, 3, 4, 5, 6, 7);
    for (int i = 0; i < 8; i++)
        s += EarlyReturns(i) + Switch(i);
    s += VariableFrame(3) + VariableFrame(9) + VariableFrameBig(100) + LargeFrame(77);
    s += (long long)ManyDoubles(2.5) + Recursive(4, 9);
    big = Structures(big, 3);
    s += big.a[5] + Registers(1, 2, 3, 4);
    Sink = s;
    return s;
}

/* gcc calls these for the copies of structures, and wants a stack probe for large frames. */
void *memcpy(void *to, const void *from, __SIZE_TYPE__ size)
{
    volatile char *t = to;
    for (const char *f = from; size != 0; size--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, __SIZE_TYPE__ size)
{
    for (volatile char *t = to; size != 0; size--)
        *t++ = (char)value;
    return to;
}

int _fltused;
