"""matmul.py N ROWS: as matmul.c's naive step, and its answer."""
import sys
import time

n, rows = int(sys.argv[1]), int(sys.argv[2])
a = [[float((i * 7 + j * 3) % 11 - 5) for j in range(n)] for i in range(rows)]
b = [[float((i * 5 + j * 13) % 17 - 8) for j in range(n)] for i in range(n)]
c = [[0.0 for j in range(n)] for i in range(rows)]


def multiply():
    for i in range(rows):
        for j in range(n):
            for k in range(n):
                c[i][j] += a[i][k] * b[k][j]


def total(count):
    return sum(int(c[i][j]) * ((i * 31 + j) % 17 + 1) for i in range(count) for j in range(n))


began = time.perf_counter_ns()
multiply()
took = time.perf_counter_ns() - began
print(took, total(1), total(rows))
