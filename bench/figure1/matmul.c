// Matrix multiplication C += A * B, each step of the figure a function; for this machine and for wasm32. All numbers are
// whole and small enough that every sum is exact, in any order: all programs must agree to the last bit.
#include <stddef.h>
#include <stdint.h>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__x86_64__)
#include <immintrin.h>
#endif

typedef struct { const double *a, *b; double *c; int n; } Matrices;

static void fill(Matrices m) {
  double *a = (double *)m.a, *b = (double *)m.b;
  for (int i = 0; i < m.n; i++)
    for (int j = 0; j < m.n; j++) {
      size_t at = (size_t)i * m.n + j;
      a[at] = (i * 7 + j * 3) % 11 - 5;
      b[at] = (i * 5 + j * 13) % 17 - 8;
      m.c[at] = 0;
    }
}

static int64_t sum(Matrices m, int from, int to) {
  int64_t sum = 0;
  for (int i = from; i < to; i++)
    for (int j = 0; j < m.n; j++) sum += (int64_t)m.c[(size_t)i * m.n + j] * ((i * 31 + j) % 17 + 1);
  return sum;
}

static void naive(Matrices m, int from, int to) {
  for (int i = from; i < to; i++)
    for (int j = 0; j < m.n; j++)
      for (int k = 0; k < m.n; k++)
        m.c[(size_t)i * m.n + j] += m.a[(size_t)i * m.n + k] * m.b[(size_t)k * m.n + j];
}

static void reordered(Matrices m, int from, int to) {
  for (int i = from; i < to; i++)
    for (int k = 0; k < m.n; k++)
      for (int j = 0; j < m.n; j++)
        m.c[(size_t)i * m.n + j] += m.a[(size_t)i * m.n + k] * m.b[(size_t)k * m.n + j];
}

// Divide and conquer: halves of the longest side, down to cubes of LEAF.
#define LEAF 64

#define DIVIDE(name, leaf) \
  static void name(int n, int rows, int columns, int inner, const double *a, const double *b, double *c) { \
    if (rows <= LEAF && columns <= LEAF && inner <= LEAF) { \
      leaf(n, a, b, c); \
    } else if (rows >= columns && rows >= inner) { \
      int half = rows / 2; \
      name(n, half, columns, inner, a, b, c); \
      name(n, rows - half, columns, inner, a + (size_t)half * n, b, c + (size_t)half * n); \
    } else if (columns >= inner) { \
      int half = columns / 2; \
      name(n, rows, half, inner, a, b, c); \
      name(n, rows, columns - half, inner, a, b + half, c + half); \
    } else { \
      int half = inner / 2; \
      name(n, rows, columns, half, a, b, c); \
      name(n, rows, columns, inner - half, a + half, b + (size_t)half * n, c); \
    } \
  } \
  static void name##_rows(Matrices m, int from, int to) { \
    size_t first = (size_t)from * m.n; \
    name(m.n, to - from, m.n, m.n, m.a + first, m.b, m.c + first); \
  }

static void loops_leaf(int n, const double *restrict a, const double *restrict b, double *restrict c) {
  for (int i = 0; i < LEAF; i++)
    for (int k = 0; k < LEAF; k++)
      for (int j = 0; j < LEAF; j++) c[(size_t)i * n + j] += a[(size_t)i * n + k] * b[(size_t)k * n + j];
}
DIVIDE(divided, loops_leaf)

// A leaf by hand: the blocks are copied so that they lie together, then tiles of TALL rows and two registers are summed.
#define TILED(name, TARGET, V, WIDTH, TALL, LOAD, STORE, SPLAT, MULTIPLY_ADD, ADD, ZERO) \
  TARGET static void name##_leaf(int n, const double *a, const double *b, double *c) { \
    double left[LEAF * LEAF] __attribute__((aligned(64))), right[LEAF * LEAF] __attribute__((aligned(64))); \
    for (int i = 0; i < LEAF; i += TALL) \
      for (int r = 0; r < TALL; r++) \
        for (int k = 0; k < LEAF; k++) left[i * LEAF + k * TALL + r] = a[(size_t)(i + r) * n + k]; \
    for (int j = 0; j < LEAF; j += 2 * WIDTH) \
      for (int k = 0; k < LEAF; k++) { \
        STORE(right + j * LEAF + k * 2 * WIDTH, LOAD(b + (size_t)k * n + j)); \
        STORE(right + j * LEAF + k * 2 * WIDTH + WIDTH, LOAD(b + (size_t)k * n + j + WIDTH)); \
      } \
    for (int j = 0; j < LEAF; j += 2 * WIDTH) \
      for (int i = 0; i < LEAF; i += TALL) { \
        V s[TALL][2]; \
        for (int r = 0; r < TALL; r++) s[r][0] = s[r][1] = ZERO; \
        const double *p = left + i * LEAF, *q = right + j * LEAF, *end = p + LEAF * TALL; \
        for (; p != end; p += TALL, q += 2 * WIDTH) { \
          V first = LOAD(q), second = LOAD(q + WIDTH); \
          for (int r = 0; r < TALL; r++) { \
            V x = SPLAT(p + r); \
            s[r][0] = MULTIPLY_ADD(s[r][0], x, first); \
            s[r][1] = MULTIPLY_ADD(s[r][1], x, second); \
          } \
        } \
        for (int r = 0; r < TALL; r++) { \
          double *to = c + (size_t)(i + r) * n + j; \
          STORE(to, ADD(LOAD(to), s[r][0])); \
          STORE(to + WIDTH, ADD(LOAD(to + WIDTH), s[r][1])); \
        } \
      } \
  } \
  DIVIDE(name, name##_leaf)

#define ONE_LOAD(p) (*(p))
#define ONE_STORE(p, v) (*(p) = (v))
#define ONE_ADD(x, y) ((x) + (y))
#define ONE_MULTIPLY_ADD(s, x, y) ((s) + (x) * (y))
TILED(scalar, , double, 1, 4, ONE_LOAD, ONE_STORE, ONE_LOAD, ONE_MULTIPLY_ADD, ONE_ADD, 0)

// Registers of 128 bits, multiplied and added apart: the same instructions on both machines.
#if defined(__wasm_simd128__)
#define TWO_MULTIPLY_ADD(s, x, y) wasm_f64x2_add(s, wasm_f64x2_mul(x, y))
TILED(vector128, , v128_t, 2, 4, wasm_v128_load, wasm_v128_store, wasm_v128_load64_splat, TWO_MULTIPLY_ADD,
  wasm_f64x2_add, wasm_f64x2_const(0, 0))
#elif defined(__x86_64__)
#define TWO_MULTIPLY_ADD(s, x, y) _mm_add_pd(s, _mm_mul_pd(x, y))
TILED(vector128, __attribute__((target("sse3"))), __m128d, 2, 4, _mm_loadu_pd, _mm_storeu_pd, _mm_loaddup_pd,
  TWO_MULTIPLY_ADD, _mm_add_pd, _mm_setzero_pd())

#define FOUR_MULTIPLY_ADD(s, x, y) _mm256_fmadd_pd(x, y, s)
TILED(vector256, __attribute__((target("avx2,fma"))), __m256d, 4, 4, _mm256_loadu_pd, _mm256_storeu_pd,
  _mm256_broadcast_sd, FOUR_MULTIPLY_ADD, _mm256_add_pd, _mm256_setzero_pd())

#define EIGHT_SPLAT(p) _mm512_set1_pd(*(p))
#define EIGHT_MULTIPLY_ADD(s, x, y) _mm512_fmadd_pd(x, y, s)
TILED(vector512, __attribute__((target("avx512f"))), __m512d, 8, 8, _mm512_loadu_pd, _mm512_storeu_pd, EIGHT_SPLAT,
  EIGHT_MULTIPLY_ADD, _mm512_add_pd, _mm512_setzero_pd())
#endif

#if defined(__wasm__)

#define EXPORT(name) __attribute__((export_name(#name)))
extern unsigned char __heap_base;
static const uint32_t PAGE = 1 << 16;

static Matrices matrices(int n) {
  size_t bytes = (size_t)n * n * sizeof(double);
  double *a = (double *)(((uintptr_t)&__heap_base + 63) / 64 * 64);
  return (Matrices){ a, (double *)((char *)a + bytes), (double *)((char *)a + 2 * bytes), n };
}

// Answers the first address behind the matrices, where the stacks of further threads may lie.
EXPORT(prepare) uint32_t prepare(int n, uint32_t extra) {
  Matrices m = matrices(n);
  uintptr_t end = (uintptr_t)(m.c + (size_t)n * n);
  intptr_t missing = (intptr_t)((end + extra + PAGE - 1) / PAGE) - (intptr_t)__builtin_wasm_memory_size(0);
  if (missing > 0 && __builtin_wasm_memory_grow(0, missing) == (size_t)-1) __builtin_trap();
  fill(m);
  return end;
}
EXPORT(check) int64_t check(int n, int from, int to) { return sum(matrices(n), from, to); }
EXPORT(scalar) void run_scalar(int n, int from, int to) { scalar_rows(matrices(n), from, to); }
#if defined(__wasm_simd128__)
EXPORT(vector128) void run_vector128(int n, int from, int to) { vector128_rows(matrices(n), from, to); }
#endif

#else

// matmul STEP N ROWS THREADS: the rows of the result that are computed, from the first on. Prints nanoseconds, the sum
// of the first row or rows that every step computes, and that of all.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void Step(Matrices m, int from, int to);
static const struct { const char *name; Step *step; } steps[] = {
  { "naive", naive }, { "reordered", reordered }, { "divided", divided_rows }, { "scalar", scalar_rows },
  { "vector128", vector128_rows }, { "vector256", vector256_rows }, { "vector512", vector512_rows },
};

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

typedef struct { Matrices m; Step *step; int from, to; } Part;
static void *run_part(void *part) {
  Part *p = part;
  p->step(p->m, p->from, p->to);
  return NULL;
}

// The most that fused multiply-adds reach here, in registers alone: 16 chains of them in each thread.
#define CHAINS(name, TARGET, V, WIDTH, FMA, ONE) \
  TARGET static void *name(void *rounds) { \
    V s[16], x = ONE(0.999), y = ONE(1e-3); \
    for (int i = 0; i < 16; i++) s[i] = ONE(i); \
    for (long r = *(long *)rounds; r > 0; r--) \
      for (int i = 0; i < 16; i++) s[i] = FMA(s[i], x, y); \
    volatile V sink = s[0]; \
    for (int i = 1; i < 16; i++) sink = sink + s[i]; \
    return NULL; \
  }
#define SSE_FMA(s, x, y) _mm_add_pd(_mm_mul_pd(s, x), y)
CHAINS(chains128, , __m128d, 2, SSE_FMA, _mm_set1_pd)
CHAINS(chains256, __attribute__((target("avx2,fma"))), __m256d, 4, _mm256_fmadd_pd, _mm256_set1_pd)
CHAINS(chains512, __attribute__((target("avx512f"))), __m512d, 8, _mm512_fmadd_pd, _mm512_set1_pd)

static int width(void) {
  return __builtin_cpu_supports("avx512f") ? 8
    : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 4 : 2;
}

static int peak(int threads) {
  int w = width();
  void *(*chains)(void *) = w == 8 ? chains512 : w == 4 ? chains256 : chains128;
  long rounds = 20000000;
  pthread_t others[64];
  double began = seconds();
  for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, chains, &rounds);
  chains(&rounds);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
  double took = seconds() - began;
  printf("%.0f %d %.0f\n", took * 1e9, w, 2.0 * 16 * w * rounds * threads);
  return 0;
}

int main(int count, char **words) {
  if (count == 3 && !strcmp(words[1], "peak")) return peak(atoi(words[2]));
  if (count != 5) return 2;
  const char *name = words[1];
  if (!strcmp(name, "widest")) name = width() == 8 ? "vector512" : width() == 4 ? "vector256" : "vector128";
  Step *step = NULL;
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) if (!strcmp(name, steps[i].name)) step = steps[i].step;
  int n = atoi(words[2]), rows = atoi(words[3]), threads = atoi(words[4]);
  if (!step || threads < 1 || threads > 64 || rows % threads) return 2;
  size_t bytes = (size_t)n * n * sizeof(double);
  Matrices m = { aligned_alloc(64, bytes), aligned_alloc(64, bytes), aligned_alloc(64, bytes), n };
  fill(m);
  Part parts[64];
  pthread_t others[64];
  double began = seconds();
  for (int i = 0; i < threads; i++) {
    parts[i] = (Part){ m, step, rows / threads * i, rows / threads * (i + 1) };
    if (i > 0) pthread_create(&others[i], NULL, run_part, &parts[i]);
  }
  run_part(&parts[0]);
  for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
  double took = seconds() - began;
  printf("%.0f %lld %lld\n", took * 1e9, (long long)sum(m, 0, 1), (long long)sum(m, 0, rows));
  return 0;
}

#endif
