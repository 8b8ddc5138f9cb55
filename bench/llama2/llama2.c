// What guests/llama2 computes, for this machine: the same steps in the same order, so that the same text comes out.
//
//   llama2 FILE.gguf -t 0 -n TOKENS
//
// Files of Llama's architecture in F32, F16 and Q8_0, without a prompt, always the likeliest token. It trusts its file.
#include <emmintrin.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

typedef float v4f __attribute__((vector_size(16)));
typedef uint32_t v4u __attribute__((vector_size(16)));
typedef struct { const uint8_t *bytes; int kind, rows, columns; } Matrix;
typedef struct { Matrix query, key, value, output, gate, down, up; const float *attention_norm, *ffn_norm; } Layer;

enum { F32 = 0, F16 = 1, Q8 = 8, BLOCK = 32, BLOCK_BYTES = 34, LAYERS_MAX = 128 };

static int dim, hidden, layer_count, heads, kv_heads, context, vocab, head, kv_dim, begin_token = 1, end_token = 2;
static float epsilon = 1e-5f, theta = 10000;
static Layer layers[LAYERS_MAX];
static Matrix embedding, classifier;
static const float *norm;
static const uint8_t **pieces;
static float *x, *normed, *mixed, *query, *gate, *up, *scores, *keys, *values, *logits, *turns, *quant_scales;
static int16_t *quants;

// ---- the file ------------------------------------------------------------------------------------------------------

static const uint8_t *at;

static uint64_t take(int bytes) { uint64_t n = 0; memcpy(&n, at, bytes); at += bytes; return n; }
static int width(uint32_t type) { return type >= 10 ? 8 : type == 0 || type == 1 || type == 7 ? 1 : type == 2 || type == 3 ? 2 : 4; }
static const uint8_t *text(void) { const uint8_t *start = at; at += 8 + *(const uint64_t *)at; return start; }
static int is(const uint8_t *text, const char *word) { return *(const uint64_t *)text == strlen(word) && !memcmp(text + 8, word, strlen(word)); }

static void one_value(void) {
  const uint8_t *name = text();
  uint32_t type = take(4);
  if (type == 8) { text(); return; }
  if (type == 9) {
    uint32_t of = take(4);
    uint64_t count = take(8);
    if (of != 8) { at += count * width(of); return; }
    if (is(name, "tokenizer.ggml.tokens")) pieces = malloc((vocab = count) * sizeof *pieces);
    for (uint64_t i = 0; i < count; i++) {
      const uint8_t *piece = text();
      if (is(name, "tokenizer.ggml.tokens")) pieces[i] = piece;
    }
    return;
  }
  uint64_t bits = take(width(type));
  struct { const char *name; int *value; } known[] = {
    { "llama.embedding_length", &dim }, { "llama.feed_forward_length", &hidden }, { "llama.block_count", &layer_count },
    { "llama.attention.head_count", &heads }, { "llama.attention.head_count_kv", &kv_heads }, { "llama.context_length", &context },
    { "tokenizer.ggml.bos_token_id", &begin_token }, { "tokenizer.ggml.eos_token_id", &end_token },
    { "llama.attention.layer_norm_rms_epsilon", (int *)&epsilon }, { "llama.rope.freq_base", (int *)&theta },
  };
  for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
    if (is(name, known[i].name)) memcpy(known[i].value, &bits, 4);
}

static void one_tensor(const uint8_t *name, Matrix tensor) {
  char copy[128] = "", part[64];
  int layer;
  memcpy(copy, name + 8, *(const uint64_t *)name);
  if (!strcmp(copy, "token_embd.weight")) embedding = tensor;
  if (!strcmp(copy, "output.weight")) classifier = tensor;
  if (!strcmp(copy, "output_norm.weight")) norm = (const float *)tensor.bytes;
  if (sscanf(copy, "blk.%d.%63[a-z_].weight", &layer, part) != 2) return;
  Layer *into = &layers[layer];
  struct { const char *name; Matrix *value; } matrices[] = {
    { "attn_q", &into->query }, { "attn_k", &into->key }, { "attn_v", &into->value }, { "attn_output", &into->output },
    { "ffn_gate", &into->gate }, { "ffn_down", &into->down }, { "ffn_up", &into->up },
  };
  for (int i = 0; i < 7; i++) if (!strcmp(part, matrices[i].name)) *matrices[i].value = tensor;
  if (!strcmp(part, "attn_norm")) into->attention_norm = (const float *)tensor.bytes;
  if (!strcmp(part, "ffn_norm")) into->ffn_norm = (const float *)tensor.bytes;
}

static void load(const char *path) {
  int file = open(path, O_RDONLY);
  struct stat facts;
  if (file < 0 || fstat(file, &facts)) { perror(path); exit(1); }
  const uint8_t *start = at = mmap(0, facts.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  take(8);
  uint64_t tensors = take(8), count = take(8);
  for (uint64_t i = 0; i < count; i++) one_value();
  struct { const uint8_t *name; uint64_t offset; Matrix tensor; } *table = malloc(tensors * sizeof *table);
  for (uint64_t i = 0; i < tensors; i++) {
    table[i].name = text();
    uint32_t axes = take(4);
    table[i].tensor.columns = take(8);
    table[i].tensor.rows = axes > 1 ? take(8) : 1;
    table[i].tensor.kind = take(4);
    table[i].offset = take(8);
  }
  const uint8_t *data = start + ((at - start + 31) & ~31);
  for (uint64_t i = 0; i < tensors; i++) {
    table[i].tensor.bytes = data + table[i].offset;
    one_tensor(table[i].name, table[i].tensor);
  }
  if (!classifier.bytes) classifier = embedding;
  if (!kv_heads) kv_heads = heads;
  head = dim / heads;
  kv_dim = head * kv_heads;
}

// ---- products ------------------------------------------------------------------------------------------------------

static float sum4(v4f v) { return (v[0] + v[1]) + (v[2] + v[3]); }
static v4f load4(const void *from) { v4f v; memcpy(&v, from, 16); return v; }

static float dot(const float *a, const void *b, int count) {
  v4f sums[2] = { { 0 }, { 0 } };
  int i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 2; lane++) sums[lane] += load4(a + i + lane * 4) * load4((const float *)b + i + lane * 4);
  float sum = sum4(sums[0] + sums[1]), rest = 0;
  for (; i < count; i++) rest += a[i] * ((const float *)b)[i];
  return sum + rest;
}

static v4f widen4(v4u bits) {
  v4f lift = { 0x1p112f, 0x1p112f, 0x1p112f, 0x1p112f };
  return (v4f)((v4u)((v4f)((bits & 0x7FFF) << 13) * lift) | (bits & ~0x7FFFu) << 16);
}

static float half(const void *from) {
  uint16_t bits;
  memcpy(&bits, from, 2);
  return widen4((v4u){ bits })[0];
}

static float dot_halves(const float *a, const uint16_t *b, int count) {
  v4f sums[2] = { { 0 }, { 0 } };
  int i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 2; lane++) {
      const uint16_t *four = b + i + lane * 4;
      sums[lane] += load4(a + i + lane * 4) * widen4((v4u){ four[0], four[1], four[2], four[3] });
    }
  float sum = sum4(sums[0] + sums[1]), rest = 0;
  for (; i < count; i++) rest += a[i] * half(b + i);
  return sum + rest;
}

// Lane i has the sums of the pairs i and i + 4 of all groups of sixteen products.
static v4f dot_quants(const int16_t *a, const uint8_t *b) {
  __m128i sum = _mm_setzero_si128(), zero = sum;
  for (int i = 0; i < BLOCK; i += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(b + i)), signs = _mm_cmpgt_epi8(zero, bytes);
    __m128i low = _mm_loadu_si128((const __m128i *)(a + i)), high = _mm_loadu_si128((const __m128i *)(a + i + 8));
    sum = _mm_add_epi32(sum, _mm_madd_epi16(low, _mm_unpacklo_epi8(bytes, signs)));
    sum = _mm_add_epi32(sum, _mm_madd_epi16(high, _mm_unpackhi_epi8(bytes, signs)));
  }
  return (v4f)_mm_cvtepi32_ps(sum);
}

static void quantize(const float *from, int count) {
  for (int block = 0; block < count / BLOCK; block++) {
    const float *part = from + block * BLOCK;
    float most = 0;
    for (int i = 0; i < BLOCK; i++) most = fabsf(part[i]) > most ? fabsf(part[i]) : most;
    float scale = quant_scales[block] = most / 127, inverse = scale > 0 ? 1 / scale : 0;
    for (int i = 0; i < BLOCK; i++) quants[block * BLOCK + i] = lrintf(part[i] * inverse);
  }
}

static void multiply(Matrix m, const float *from, float *into) {
  if (m.kind == F32) {
    for (int row = 0; row < m.rows; row++) into[row] = dot(from, m.bytes + (size_t)row * m.columns * 4, m.columns);
    return;
  }
  if (m.kind == F16) {
    for (int row = 0; row < m.rows; row++)
      into[row] = dot_halves(from, (const uint16_t *)m.bytes + (size_t)row * m.columns, m.columns);
    return;
  }
  quantize(from, m.columns);
  const uint8_t *block = m.bytes;
  for (int row = 0; row < m.rows; row++) {
    v4f sum = { 0 };
    for (int i = 0; i < m.columns / BLOCK; i++, block += BLOCK_BYTES)
      sum += dot_quants(quants + i * BLOCK, block + 2) * (half(block) * quant_scales[i]);
    into[row] = sum4(sum);
  }
}

static void unpack(Matrix m, int row, float *into) {
  const uint8_t *block = m.bytes + (size_t)row * m.columns / BLOCK * BLOCK_BYTES;
  for (int i = 0; i < m.columns; i++) {
    size_t place = (size_t)row * m.columns + i;
    into[i] = m.kind == F32 ? ((const float *)m.bytes)[place]
      : m.kind == F16 ? half((const uint16_t *)m.bytes + place)
      : ((const int8_t *)block)[i / BLOCK * BLOCK_BYTES + 2 + i % BLOCK] * half(block + i / BLOCK * BLOCK_BYTES);
  }
}

// ---- the network ---------------------------------------------------------------------------------------------------

static void normalize(const float *weights) {
  float scale = 1 / sqrtf(dot(x, x, dim) / dim + epsilon);
  for (int i = 0; i < dim; i++) normed[i] = weights[i] * (scale * x[i]);
}

static void rotate(float *vector, int count) {
  for (int i = 0; i < count; i += 2) {
    float cos = turns[i % head], sin = turns[i % head + 1], a = vector[i], b = vector[i + 1];
    vector[i] = a * cos - b * sin;
    vector[i + 1] = a * sin + b * cos;
  }
}

static void softmax(float *of, int count) {
  float most = of[0], sum = 0;
  for (int i = 1; i < count; i++) most = of[i] > most ? of[i] : most;
  for (int i = 0; i < count; i++) sum += of[i] = expf(of[i] - most);
  for (int i = 0; i < count; i++) of[i] /= sum;
}

static void attend(const Layer *layer, int index, int position) {
  float *layer_keys = keys + (size_t)index * context * kv_dim, *layer_values = values + (size_t)index * context * kv_dim;
  float *own = layer_keys + (size_t)position * kv_dim;
  multiply(layer->query, normed, query);
  multiply(layer->key, normed, own);
  multiply(layer->value, normed, layer_values + (size_t)position * kv_dim);
  rotate(query, dim);
  rotate(own, kv_dim);
  float scale = 1 / sqrtf(head);
  for (int number = 0; number < heads; number++) {
    int offset = number / (heads / kv_heads) * head;
    float *into = mixed + number * head;
    for (int time = 0; time <= position; time++)
      scores[time] = dot(query + number * head, layer_keys + offset + (size_t)time * kv_dim, head) * scale;
    softmax(scores, position + 1);
    memset(into, 0, head * sizeof *into);
    for (int time = 0; time <= position; time++) {
      const float *value = layer_values + offset + (size_t)time * kv_dim;
      for (int i = 0; i < head; i++) into[i] += scores[time] * value[i];
    }
  }
}

static void forward(int token, int position) {
  unpack(embedding, token, x);
  for (int i = 0; i < head; i += 2) {
    float angle = position / powf(theta, (float)i / head);
    turns[i] = cosf(angle);
    turns[i + 1] = sinf(angle);
  }
  for (int index = 0; index < layer_count; index++) {
    const Layer *layer = &layers[index];
    normalize(layer->attention_norm);
    attend(layer, index, position);
    multiply(layer->output, mixed, normed);
    for (int i = 0; i < dim; i++) x[i] += normed[i];
    normalize(layer->ffn_norm);
    multiply(layer->gate, normed, gate);
    multiply(layer->up, normed, up);
    for (int i = 0; i < hidden; i++) gate[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
    multiply(layer->down, gate, normed);
    for (int i = 0; i < dim; i++) x[i] += normed[i];
  }
  normalize(norm);
  multiply(classifier, normed, logits);
}

static int likeliest(void) {
  int best = 0;
  for (int i = 1; i < vocab; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

static void print(int token, int is_first) {
  uint64_t length = *(const uint64_t *)pieces[token];
  const char *piece = (const char *)pieces[token] + 8;
  unsigned byte;
  if (length == 6 && sscanf(piece, "<0x%2X>", &byte) == 1) { putchar(byte); return; }
  for (uint64_t i = 0; i < length; i++) {
    int is_space = !strncmp(piece + i, "\u2581", 3);
    if (is_space && (i > 0 || !is_first)) putchar(' ');
    if (is_space) i += 2; else putchar(piece[i]);
  }
}

static void *room(size_t count) { return calloc(count, 4); }

int main(int count, char **words) {
  int steps = atoi(words[count - 1]);
  load(words[1]);
  size_t cache = (size_t)layer_count * context * kv_dim, longest = dim > hidden ? dim : hidden;
  x = room(dim), normed = room(dim), mixed = room(dim), query = room(dim), gate = room(hidden), up = room(hidden);
  scores = room(context), keys = room(cache), values = room(cache), logits = room(vocab), turns = room(head);
  quants = room(longest), quant_scales = room(longest);
  for (int position = 0, token = begin_token; position < steps && position < context; position++) {
    forward(token, position);
    int next = likeliest();
    if (next == begin_token || next == end_token) break;
    print(next, token == begin_token);
    token = next;
  }
  putchar('\n');
  return 0;
}
