// Built by Debian's clang 14 and wasm-ld:
//   clang-14 --target=wasm32 -O1 -g -gdwarf-5 -nostdlib -fdebug-prefix-map=$PWD=/src -Wl,--no-entry -Wl,--export-all
//     crash.c -o crash-c.wasm
// The tests name its lines.
static int pick(volatile int *table, int index) __attribute__((noinline));

static int pick(volatile int *table, int index)
{
    return table[index]; // line 9: out of bounds
}

int sum_of(int first, int second)
{
    volatile int *none = 0;
    int sum = pick(none, first);
    sum += pick(none, second); // line 16
    return sum;
}

int divide(int a, int b)
{
    if (b == 7) __builtin_trap(); // line 22
    int c = a / b; // line 23
    if (c == 8) __builtin_trap(); // line 24
    return c % (b - 1); // line 25
}
