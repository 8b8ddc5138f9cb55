// Twenty small programs of the kinds that guests are made of. Each repeats its work `rounds` times and returns a sum
// over all it computed, which is the same on every engine. No library: as WebAssembly it is the functions alone.
// Natively (-DNATIVE) a main function reads "NAME ROUNDS" lines and answers "CPU-NANOSECONDS SUM".
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define APART __attribute__((noinline))
#ifdef NATIVE
#define KERNEL(name) u64 name(u32 rounds)
#else
#define KERNEL(name) __attribute__((export_name(#name))) u64 name(u32 rounds)
#endif

static u32 random_of(u32 *state)
{
    *state = *state * 747796405u + 2891336453u;
    return *state ^ (*state >> 15);
}

static u64 bits_of(double value)
{
    u64 bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

// ---- integers

KERNEL(collatz)
{
    u64 steps = 0;
    for (u32 round = 0; round < rounds; round++)
        for (u32 start = 1; start < 2000; start++)
            for (u64 value = start + (round & 7); value != 1; steps++)
                value = value & 1 ? 3 * value + 1 : value >> 1;
    return steps;
}

#define ROTATE32(value, by) ((value) << (by) | (value) >> (32 - (by)))
#define QUARTER(a, b, c, d)                                                                                            \
    a += b, d = ROTATE32(d ^ a, 16), c += d, b = ROTATE32(b ^ c, 12);                                                  \
    a += b, d = ROTATE32(d ^ a, 8), c += d, b = ROTATE32(b ^ c, 7)

static u32 stream_key[16];
static u32 stream_block[16];

static APART void chacha_block(const u32 *key, u32 *block)
{
    u32 s[16];
    for (int i = 0; i < 16; i++) s[i] = key[i];
    for (int i = 0; i < 10; i++)
    {
        QUARTER(s[0], s[4], s[8], s[12]);
        QUARTER(s[1], s[5], s[9], s[13]);
        QUARTER(s[2], s[6], s[10], s[14]);
        QUARTER(s[3], s[7], s[11], s[15]);
        QUARTER(s[0], s[5], s[10], s[15]);
        QUARTER(s[1], s[6], s[11], s[12]);
        QUARTER(s[2], s[7], s[8], s[13]);
        QUARTER(s[3], s[4], s[9], s[14]);
    }
    for (int i = 0; i < 16; i++) block[i] = s[i] + key[i];
}

KERNEL(chacha)
{
    u64 sum = 0;
    u32 seed = 11;
    for (int i = 0; i < 16; i++) stream_key[i] = random_of(&seed);
    for (u32 i = 0; i < rounds * 1024; i++)
    {
        stream_key[12] = i;
        chacha_block(stream_key, stream_block);
        sum += stream_block[i & 15];
    }
    return sum;
}

#define SIEVED (1u << 18)
static u32 composite[SIEVED / 64];

KERNEL(sieve)
{
    u64 sum = 0;
    for (u32 round = 0; round < rounds; round++)
    {
        for (u32 i = 0; i < SIEVED / 64; i++) composite[i] = 0;
        for (u32 p = 3; p < SIEVED; p += 2)
        {
            if (composite[p >> 6] >> (p >> 1 & 31) & 1) continue;
            sum += p ^ round;
            if (p < 512)
                for (u32 m = p * p; m < SIEVED; m += 2 * p) composite[m >> 6] |= 1u << (m >> 1 & 31);
        }
    }
    return sum;
}

// ---- calls

static APART u32 queens(u32 columns, u32 left, u32 right)
{
    if (columns == 0x1ff) return 1;
    u32 count = 0;
    for (u32 free = ~(columns | left | right) & 0x1ff; free; free &= free - 1)
    {
        u32 place = free & -free;
        count += queens(columns | place, (left | place) << 1, (right | place) >> 1);
    }
    return count;
}

KERNEL(board)
{
    u64 sum = 0;
    for (u32 round = 0; round < rounds; round++) sum += queens(0, round & 3, round >> 2 & 3);
    return sum;
}

static APART u32 male(u32 n);

static APART u32 female(u32 n)
{
    return n == 0 ? 1 : n - male(female(n - 1));
}

static APART u32 male(u32 n)
{
    return n == 0 ? 0 : n - female(male(n - 1));
}

KERNEL(mutual)
{
    u64 sum = 0;
    for (u32 round = 0; round < rounds; round++) sum += female(40 + (round & 3)) * (round + 1);
    return sum;
}

typedef u32 step(u32 value, u32 with);

static APART u32 step_add(u32 value, u32 with) { return value + with; }
static APART u32 step_mix(u32 value, u32 with) { return (value ^ with) * 5; }
static APART u32 step_less(u32 value, u32 with) { return value < with ? value + 7 : value - with; }
static APART u32 step_shift(u32 value, u32 with) { return (value >> 3) + (with << 2); }

static step *volatile steps[4] = {step_add, step_mix, step_less, step_shift};

KERNEL(dispatch)
{
    step *chosen[4];
    for (int i = 0; i < 4; i++) chosen[i] = steps[i];
    u32 value = 1;
    for (u32 i = 0; i < rounds * 100000; i++) value = chosen[(i ^ i >> 2) & 3](value, i);
    return value;
}

// ---- floats

#define SIDE 64
static double left_matrix[SIDE * SIDE], right_matrix[SIDE * SIDE], product[SIDE * SIDE];

static APART void multiply(const double *a, const double *b, double *out)
{
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++)
        {
            double sum = 0;
            for (int i = 0; i < SIDE; i++) sum += a[row * SIDE + i] * b[i * SIDE + column];
            out[row * SIDE + column] = sum;
        }
}

KERNEL(matrix)
{
    u32 seed = 3;
    double sum = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
    {
        left_matrix[i] = random_of(&seed) / 4294967296.0;
        right_matrix[i] = random_of(&seed) / 4294967296.0;
    }
    for (u32 round = 0; round < rounds; round++)
    {
        left_matrix[round % (SIDE * SIDE)] = round;
        multiply(left_matrix, right_matrix, product);
        sum += product[(round * 97) % (SIDE * SIDE)];
    }
    return bits_of(sum);
}

#define POINTS 1024
static double fft_re[POINTS], fft_im[POINTS], turn_re[POINTS / 2], turn_im[POINTS / 2];

static void make_turns(void)
{
    for (int i = 0; i < POINTS / 2; i++)
    {
        double angle = -6.283185307179586 * i / POINTS, term = 1, re = 0, im = 0;
        for (int k = 0; k < 40; k++)
        {
            if (k & 1) im += k & 2 ? -term : term;
            else re += k & 2 ? -term : term;
            term = term * angle / (k + 1);
        }
        turn_re[i] = re;
        turn_im[i] = im;
    }
}

static APART void transform(double *re, double *im)
{
    for (u32 i = 1, j = 0; i < POINTS; i++)
    {
        u32 bit = POINTS / 2;
        for (; j & bit; bit >>= 1) j ^= bit;
        j |= bit;
        if (i >= j) continue;
        double r = re[i], m = im[i];
        re[i] = re[j], im[i] = im[j], re[j] = r, im[j] = m;
    }
    for (u32 half = 1; half < POINTS; half *= 2)
        for (u32 from = 0; from < POINTS; from += 2 * half)
            for (u32 k = 0; k < half; k++)
            {
                u32 turn = k * (POINTS / 2 / half), a = from + k, b = a + half;
                double r = re[b] * turn_re[turn] - im[b] * turn_im[turn];
                double m = re[b] * turn_im[turn] + im[b] * turn_re[turn];
                re[b] = re[a] - r, im[b] = im[a] - m;
                re[a] += r, im[a] += m;
            }
}

KERNEL(fourier)
{
    double sum = 0;
    u32 seed = 5;
    make_turns();
    for (u32 round = 0; round < rounds; round++)
    {
        for (int i = 0; i < POINTS; i++) fft_re[i] = (double)(random_of(&seed) >> 20), fft_im[i] = 0;
        transform(fft_re, fft_im);
        sum += fft_re[round % POINTS] - fft_im[1 + round % 7];
    }
    return bits_of(sum);
}

#define BODIES 24
struct body { double x, y, z, vx, vy, vz, mass; };
static struct body bodies[BODIES];

static APART void advance(struct body *all, double time)
{
    for (int i = 0; i < BODIES; i++)
        for (int j = i + 1; j < BODIES; j++)
        {
            struct body *a = all + i, *b = all + j;
            double x = b->x - a->x, y = b->y - a->y, z = b->z - a->z;
            double square = x * x + y * y + z * z + 0.01;
            double pull = time / (square * __builtin_sqrt(square));
            a->vx += x * pull * b->mass, a->vy += y * pull * b->mass, a->vz += z * pull * b->mass;
            b->vx -= x * pull * a->mass, b->vy -= y * pull * a->mass, b->vz -= z * pull * a->mass;
        }
    for (struct body *each = all; each < all + BODIES; each++)
        each->x += each->vx * time, each->y += each->vy * time, each->z += each->vz * time;
}

KERNEL(gravity)
{
    u32 seed = 17;
    for (int i = 0; i < BODIES; i++)
    {
        struct body *each = bodies + i;
        each->x = random_of(&seed) / 1e9, each->y = random_of(&seed) / 1e9, each->z = random_of(&seed) / 1e9;
        each->vx = each->vy = each->vz = 0;
        each->mass = 1 + i / 8.0;
    }
    for (u32 i = 0; i < rounds * 50; i++) advance(bodies, 1 / 1024.0);
    return bits_of(bodies[0].x + bodies[7].y + bodies[BODIES - 1].z);
}

KERNEL(julia)
{
    u64 sum = 0;
    for (u32 round = 0; round < rounds; round++)
    {
        double cx = -0.8 + (round & 15) / 256.0, cy = 0.156;
        for (int row = 0; row < 64; row++)
            for (int column = 0; column < 64; column++)
            {
                double x = column / 20.0 - 1.6, y = row / 32.0 - 1;
                u32 count = 0;
                while (count < 80 && x * x + y * y < 4)
                {
                    double next = x * x - y * y + cx;
                    y = 2 * x * y + cy, x = next;
                    count++;
                }
                sum += count;
            }
    }
    return sum;
}

#define POND 96
static float pond_now[POND * POND], pond_before[POND * POND];

static APART void ripple(const float *now, float *before)
{
    for (int row = 1; row < POND - 1; row++)
        for (int column = 1; column < POND - 1; column++)
        {
            int i = row * POND + column;
            float around = now[i - 1] + now[i + 1] + now[i - POND] + now[i + POND];
            before[i] = (around * 0.5f - before[i]) * 0.996f;
        }
}

KERNEL(wave)
{
    double sum = 0;
    for (int i = 0; i < POND * POND; i++) pond_now[i] = pond_before[i] = 0;
    for (u32 round = 0; round < rounds * 8; round++)
    {
        pond_now[POND * (1 + round % (POND - 2)) + POND / 2] += 3;
        ripple(pond_now, pond_before);
        ripple(pond_before, pond_now);
        sum += pond_now[POND * POND / 2 + POND / 3];
    }
    return bits_of(sum);
}

// ---- memory

static u8 block[1 << 17];

KERNEL(copy)
{
    u64 sum = 0;
    u32 seed = 29;
    for (u32 i = 0; i < sizeof block; i++) block[i] = (u8)random_of(&seed);
    for (u32 i = 0; i < rounds * 2000; i++)
    {
        u32 chance = random_of(&seed), from = chance & 0xffff, to = chance >> 12 & 0xffff;
        u32 length = i & 15 ? chance >> 5 & 127 : chance >> 5 & 0x3fff;
        __builtin_memmove(block + to, block + from, length);
        __builtin_memset(block + from, (int)i, length >> 2);
        sum += block[to] + block[from + 1];
    }
    return sum;
}

#define NODES 2048
struct node { struct node *less, *more; u32 key, count; };
static struct node nodes[NODES];

static APART struct node *plant(struct node **root, struct node *fresh, u32 key)
{
    while (*root)
    {
        if ((*root)->key == key)
        {
            (*root)->count++;
            return fresh;
        }
        root = key < (*root)->key ? &(*root)->less : &(*root)->more;
    }
    fresh->less = fresh->more = NULL, fresh->key = key, fresh->count = 1;
    *root = fresh;
    return fresh + 1;
}

KERNEL(tree)
{
    u64 sum = 0;
    u32 seed = 31;
    for (u32 round = 0; round < rounds; round++)
    {
        struct node *root = NULL, *fresh = nodes;
        for (int i = 0; i < 6000; i++) fresh = plant(&root, fresh, random_of(&seed) >> 7 & (NODES - 1));
        for (struct node *each = nodes; each < fresh; each++) sum += each->count * each->key;
    }
    return sum;
}

// ---- sorting

#define SORTED 4096
static u32 numbers[SORTED], scratch[SORTED];

static APART void merge_sort(u32 *from, u32 *to)
{
    for (u32 width = 1; width < SORTED; width *= 2)
    {
        for (u32 low = 0; low < SORTED; low += 2 * width)
        {
            u32 a = low, b = low + width, middle = b, end = b + width;
            for (u32 out = low; out < end; out++)
                to[out] = a < middle && (b == end || from[a] <= from[b]) ? from[a++] : from[b++];
        }
        u32 *swap = from;
        from = to, to = swap;
    }
}

KERNEL(merge)
{
    u64 sum = 0;
    u32 seed = 37;
    for (u32 round = 0; round < rounds; round++)
    {
        for (int i = 0; i < SORTED; i++) numbers[i] = random_of(&seed);
        merge_sort(numbers, scratch);
        sum += numbers[round % SORTED] ^ numbers[SORTED - 1];
    }
    return sum;
}

typedef int order(const u32 *a, const u32 *b);
static APART int by_value(const u32 *a, const u32 *b) { return *a < *b ? -1 : *a > *b; }
static APART int by_low_half(const u32 *a, const u32 *b) { return (int)(*a & 0xffff) - (int)(*b & 0xffff); }
static order *volatile orders[2] = {by_value, by_low_half};

static void sink(u32 *all, u32 at, u32 count, order *compare)
{
    u32 value = all[at];
    for (u32 child; (child = 2 * at + 1) < count; at = child)
    {
        if (child + 1 < count && compare(all + child, all + child + 1) < 0) child++;
        if (compare(&value, all + child) >= 0) break;
        all[at] = all[child];
    }
    all[at] = value;
}

static APART void heap_sort(u32 *all, u32 count, order *compare)
{
    for (u32 i = count / 2; i-- > 0;) sink(all, i, count, compare);
    while (count > 1)
    {
        u32 last = all[--count];
        all[count] = all[0], all[0] = last;
        sink(all, 0, count, compare);
    }
}

KERNEL(heap)
{
    u64 sum = 0;
    u32 seed = 41;
    for (u32 round = 0; round < rounds; round++)
    {
        for (int i = 0; i < SORTED / 2; i++) numbers[i] = random_of(&seed);
        heap_sort(numbers, SORTED / 2, orders[round & 1]);
        sum += numbers[round % (SORTED / 2)];
    }
    return sum;
}

// ---- strings

#define TEXT 16384
static u8 text[TEXT + 8], shouted[TEXT + 8];

static APART u32 occurrences(const u8 *in, u32 length, const u8 *word, u32 size)
{
    u32 skip[256], count = 0;
    for (int i = 0; i < 256; i++) skip[i] = size;
    for (u32 i = 0; i + 1 < size; i++) skip[word[i]] = size - 1 - i;
    for (u32 at = 0; at + size <= length; at += skip[in[at + size - 1]])
    {
        u32 i = size;
        while (i > 0 && in[at + i - 1] == word[i - 1]) i--;
        count += i == 0;
    }
    return count;
}

KERNEL(search)
{
    u64 sum = 0;
    u32 seed = 43;
    for (int i = 0; i < TEXT; i++) text[i] = "aaeeilnorst dhu\n"[random_of(&seed) >> 9 & 15];
    for (u32 i = 0; i < rounds * 8; i++)
        sum += occurrences(text, TEXT, text + random_of(&seed) % (TEXT - 16), 3 + (i & 7)) * (i + 1);
    return sum;
}

static APART u64 shout(const u8 *from, u32 length, u8 *to)
{
    u64 sum = 0;
    for (u32 i = 0; i < length;)
    {
        u32 lead = from[i], more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        u32 point = more == 0 ? lead : lead & (0x3fu >> more);
        if (point >= 'a' && point <= 'z') lead -= 32;
        to[i++] = (u8)lead;
        for (; more > 0 && i < length; more--, i++)
        {
            if ((from[i] & 0xc0) != 0x80) return sum;
            point = point << 6 | (from[i] & 0x3f);
            to[i] = from[i];
        }
        sum += point;
    }
    return sum;
}

KERNEL(unicode)
{
    u64 sum = 0;
    u32 seed = 47, length = 0;
    while (length < TEXT - 4)
    {
        u32 chance = random_of(&seed) >> 8, kind = chance & 15, point = chance >> 4;
        if (kind < 12) text[length++] = (u8)(32 + point % 95);
        else if (kind < 14) text[length++] = (u8)(0xc3 + point % 20), text[length++] = (u8)(0x80 | (point >> 5 & 0x3f));
        else
            text[length++] = (u8)(0xe3 + point % 9), text[length++] = (u8)(0x80 | (point >> 4 & 0x3f)),
            text[length++] = (u8)(0x80 | (point >> 10 & 0x3f));
    }
    for (u32 round = 0; round < rounds * 4; round++)
    {
        text[round % 7] = 'k';
        sum += shout(text, length, shouted) + shouted[round % length];
    }
    return sum;
}

// ---- hashing

#define ROTATE64(value, by) ((value) << (by) | (value) >> (64 - (by)))
#define STIR                                                                                                           \
    a += b, c += d, b = ROTATE64(b, 13) ^ a, d = ROTATE64(d, 16) ^ c, a = ROTATE64(a, 32);                             \
    c += b, a += d, b = ROTATE64(b, 17) ^ c, d = ROTATE64(d, 21) ^ a, c = ROTATE64(c, 32)

static APART u64 keyed_hash(const u8 *bytes, u32 length, u64 key0, u64 key1)
{
    u64 a = key0 ^ 0x736f6d6570736575, b = key1 ^ 0x646f72616e646f6d, c = key0 ^ 0x6c7967656e657261,
        d = key1 ^ 0x7465646279746573;
    for (u32 i = 0; i + 8 <= length; i += 8)
    {
        u64 word;
        __builtin_memcpy(&word, bytes + i, 8);
        d ^= word;
        STIR;
        STIR;
        a ^= word;
    }
    c ^= 0xff;
    STIR;
    STIR;
    STIR;
    STIR;
    return a ^ b ^ c ^ d;
}

KERNEL(siphash)
{
    u64 sum = 0;
    u32 seed = 53;
    for (int i = 0; i < TEXT; i++) text[i] = (u8)random_of(&seed);
    for (u32 round = 0; round < rounds * 16; round++) sum += keyed_hash(text, TEXT, round, sum);
    return sum;
}

#define SLOTS 8192
static struct { u32 key, count; } slots[SLOTS];

static APART u32 count_key(u32 key)
{
    u32 at = key * 0x9e3779b1u >> 19;
    while (slots[at].key != key)
    {
        if (slots[at].key == 0)
        {
            slots[at].key = key;
            break;
        }
        at = (at + 1) & (SLOTS - 1);
    }
    return ++slots[at].count;
}

KERNEL(table)
{
    u64 sum = 0;
    u32 seed = 59;
    for (u32 round = 0; round < rounds; round++)
    {
        __builtin_memset(slots, 0, sizeof slots);
        for (int i = 0; i < 40000; i++) sum += count_key(1 + random_of(&seed) % 5000);
    }
    return sum;
}

// ---- an interpreter

enum { SET, COPY, ADD, ADDI, SUB, MUL, XOR, SHIFT, LOAD, STORE, BELOW, JUMP_IF, JUMP, STOP };
#define OP(code, a, b, c) ((u32)(code) | (u32)(a) << 8 | (u32)(b) << 16 | (u32)(c) << 24)

// Fills 64 cells by a recurrence, then sums products of neighbours; register 0 counts rounds, 7 holds the sum.
static u32 script[] = {
    OP(SET, 1, 0, 0),     OP(SET, 2, 64, 0),  OP(SET, 6, 1, 0),    /* 3: */ OP(MUL, 3, 1, 1),
    OP(ADD, 3, 3, 7),     OP(STORE, 3, 1, 0), OP(ADD, 1, 1, 6),    OP(BELOW, 4, 1, 2),
    OP(JUMP_IF, 4, 3, 0), OP(SET, 1, 0, 0),   OP(SET, 2, 63, 0),   /* 11: */ OP(LOAD, 3, 1, 0),
    OP(ADDI, 1, 1, 1),    OP(LOAD, 4, 1, 0),  OP(XOR, 3, 3, 4),    OP(SHIFT, 5, 3, 3),
    OP(SUB, 3, 3, 5),     OP(ADD, 7, 7, 3),   OP(BELOW, 4, 1, 2),  OP(JUMP_IF, 4, 11, 0),
    OP(SUB, 0, 0, 6),     OP(COPY, 4, 0, 0),  OP(JUMP_IF, 4, 24, 0), OP(STOP, 0, 0, 0),
    OP(JUMP, 0, 0, 0),
};
static u32 *volatile script_start = script;

static APART u32 interpret(const u32 *code, u32 count)
{
    u32 r[8] = {count}, cells[64];
    for (u32 at = 0;;)
    {
        u32 word = code[at++], a = word >> 8 & 7, b = word >> 16 & 7, c = word >> 24 & 7;
        switch (word & 0xff)
        {
        case SET: r[a] = word >> 16 & 0xff; break;
        case COPY: r[a] = r[b]; break;
        case ADD: r[a] = r[b] + r[c]; break;
        case ADDI: r[a] = r[b] + (word >> 24); break;
        case SUB: r[a] = r[b] - r[c]; break;
        case MUL: r[a] = r[b] * r[c]; break;
        case XOR: r[a] = r[b] ^ r[c]; break;
        case SHIFT: r[a] = r[b] >> (word >> 24); break;
        case LOAD: r[a] = cells[r[b] & 63]; break;
        case STORE: cells[r[b] & 63] = r[a]; break;
        case BELOW: r[a] = r[b] < r[c]; break;
        case JUMP_IF: if (r[a]) at = word >> 16 & 0xff; break;
        case JUMP: at = word >> 16 & 0xff; break;
        case STOP: return r[7];
        default: return 0;
        }
    }
}

KERNEL(interpreter)
{
    return interpret(script_start, rounds * 100);
}

#ifdef NATIVE
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROW(name) {#name, name}
static const struct { const char *name; u64 (*run)(u32); } all[] = {
    ROW(collatz), ROW(chacha), ROW(sieve), ROW(board), ROW(mutual), ROW(dispatch), ROW(matrix),
    ROW(fourier), ROW(gravity), ROW(julia), ROW(wave), ROW(copy), ROW(tree), ROW(merge),
    ROW(heap), ROW(search), ROW(unicode), ROW(siphash), ROW(table), ROW(interpreter),
};

static long long cpu_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

int main(void)
{
    char name[32];
    unsigned rounds;
    while (scanf("%31s %u", name, &rounds) == 2)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
            if (!strcmp(all[i].name, name))
            {
                long long began = cpu_time();
                unsigned long long sum = all[i].run(rounds);
                printf("%lld %llu\n", cpu_time() - began, sum);
                fflush(stdout);
            }
    return 0;
}
#endif
