# Arithmetic in nested loops, and calls.
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def inside(c):
    z = 0j
    for i in range(60):
        z = z * z + c
        if abs(z) > 2:
            return i
    return 0


common = sum(gcd(a, b) for a in range(1, 220) for b in range(1, a))
escaped = sum(inside(complex(x / 40 - 2, y / 40 - 1)) for y in range(80) for x in range(110))
bits = 0
for i in range(1, 400001):
    bits = (bits ^ (i << (i & 15))) & 0xFFFFFFFF
print(fib(22), common, escaped, bits, 3 ** 3000 % 10 ** 12)
