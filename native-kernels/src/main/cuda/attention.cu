// Self-attention over packed sequences, forward and backward.
//
// A warp works on one tile of queries of one head, or on several heads of one short sequence, so
// that 12 tokens fill 24 lanes and not 12. A lane owns one query (SPLIT: R lanes share one, each
// with every R-th group of four channels); its q and its sum stand in registers, keys and values in
// shared memory, read by all lanes at one address. A tile has 32/R rows; a longer sequence is a
// loop over tiles of keys with a running maximum. Backward, a lane owns a query and sums dq over
// the keys, then owns a key and sums dk and dv over the queries: each output has one owner, so there
// is no atomic and one order. Scores are computed twice for that, 7/5 of the least FLOPs, and no
// score goes through shared memory.
//
// Blocks of two independent warps. Rows in shared memory are 4 floats longer than d: eight lanes
// that read 16 bytes of their own rows touch all 32 banks once.
//   forward   3 tiles a warp, 27.6 KB a block; bytes 4·C·4 + 4·H a token; FLOPs 4·L·C a token
//   backward  4 tiles a warp, 37.4 KB a block; bytes 8·C·4 + 4·H a token; FLOPs 14·L·C a token
// Bound: memory, up to L of about 25; FP32 rate and shared-memory reads beyond.
#include "common/rows.cuh"

namespace autosparse {
namespace {

constexpr int WARPS = 2;

// What all items of a launch share.
struct Heads {
  int count;
  int d;
  int channels;
  int lanes;  // R: lanes of one query
  int slots;  // 32/R: rows of a tile
  int stride;  // floats between two rows of a tile
  bool vectored;

  __device__ Heads(int heads, int channels, int lanes, int chunks)
      : count(heads),
        d(channels / heads),
        channels(channels),
        lanes(lanes),
        slots(WARP / lanes),
        stride(4 * chunks * lanes + 4),
        vectored(d % 4 == 0) {}
};

// One warp's work: the rows of a tile, for one head or for several.
struct Item {
  long long start;  // first token of the sequence
  int length;  // tokens of the sequence
  int tiles;
  int tile;
  int firstHead;
  int heads;

  __device__ int rows(const Heads& all, int which) const {
    return min(all.slots, length - which * all.slots);
  }

  __device__ long long token(const Heads& all, int which) const {
    return start + (long long)which * all.slots;
  }
};

// How a sequence is cut into items.
struct Cut {
  int headsPerItem;
  int groups;
  int tiles;

  __device__ Cut(const Heads& all, int length) {
    headsPerItem = 2 * length <= all.slots ? min(all.count, all.slots / length) : 1;
    groups = (all.count + headsPerItem - 1) / headsPerItem;
    tiles = (length + all.slots - 1) / all.slots;
  }
};

// The query or key of a lane.
struct Owned {
  int part;  // which of the R lanes
  int row;  // in the tile: head of the item · rows of a head + row of the head
  int head;  // of the item
  int local;  // row of the head
  bool active;

  __device__ Owned(const Heads& all, const Item& item, int lane) {
    int rows = item.rows(all, item.tile);
    part = lane % all.lanes;
    row = lane / all.lanes;
    head = row / rows;
    local = row - head * rows;
    active = head < item.heads;
    if (!active) head = 0;
  }
};

template <int CHUNKS>
constexpr int TILE = WARP * (4 * CHUNKS + 4);

// How a warp walks over a tile: each lane keeps to one group of four channels of every so-manieth
// row (rows of more than 32 groups: several groups).
struct Walk {
  int width;  // lanes of one row
  int row;
  int step;
  int channel;

  __device__ Walk(int groups, int lane)
      : width(min(groups, WARP)), row(lane / width), step(WARP / width),
        channel(4 * (lane % width)) {}
};

// Copies tile `which` of N neighbours among q, k and v to shared memory, zero in the channels that
// pad d.
template <typename T, int CHUNKS, int N>
__device__ __forceinline__ void loadTiles(
    const Heads& all,
    const Item& item,
    int which,
    const T* qkv,
    float* const (&tiles)[N],
    int lane) {
  Walk walk(CHUNKS * all.lanes, lane);
  int rows = item.rows(all, which);
  long long distance = 3LL * all.channels;
  for (int g = 0; g < item.heads; g++) {
    const T* source =
        qkv + (item.token(all, which) + walk.row) * distance + (item.firstHead + g) * all.d;
    int at = (g * rows + walk.row) * all.stride;
#pragma unroll 2
    for (int row = walk.row; row < rows; row += walk.step) {
      for (int c = walk.channel; c < 4 * CHUNKS * all.lanes; c += 4 * WARP) {
        float4 values[N];
#pragma unroll
        for (int n = 0; n < N; n++) {
          values[n] = load4Partly(source + n * all.channels, c, all.d, all.vectored);
        }
#pragma unroll
        for (int n = 0; n < N; n++) store4(tiles[n] + at + c, values[n]);
      }
      source += walk.step * distance;
      at += walk.step * all.stride;
    }
  }
}

// Copies the gradient of tile `which` to shared memory, and to `means` the products dOut·out, which
// are the probabilities' gradients averaged under the probabilities.
template <typename T, int CHUNKS>
__device__ __forceinline__ void loadGradients(
    const Heads& all,
    const Item& item,
    int which,
    const T* dOut,
    const T* out,
    float* tile,
    float* means,
    int lane) {
  Walk walk(CHUNKS * all.lanes, lane);
  int rows = item.rows(all, which);
  for (int g = 0; g < item.heads; g++) {
    long long from = (item.token(all, which) + walk.row) * all.channels
        + (item.firstHead + g) * all.d;
    int at = (g * rows + walk.row) * all.stride;
#pragma unroll 2
    for (int row = walk.row; row - walk.row < rows; row += walk.step) {
      float product = 0;
      if (row < rows) {
        for (int c = walk.channel; c < 4 * CHUNKS * all.lanes; c += 4 * WARP) {
          float4 a = load4Partly(dOut + from, c, all.d, all.vectored);
          float4 b = load4Partly(out + from, c, all.d, all.vectored);
          product += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
          store4(tile + at + c, a);
        }
      }
      for (int distance = walk.width / 2; distance > 0; distance /= 2) {
        product += __shfl_xor_sync(ALL_LANES, product, distance);
      }
      if (row < rows && walk.channel == 0) means[g * rows + row] = product;
      from += (long long)walk.step * all.channels;
      at += walk.step * all.stride;
    }
  }
}

// Stores the item's tile of a tensor whose rows are `distance` elements apart.
template <typename T, int CHUNKS>
__device__ __forceinline__ void storeTile(
    const Heads& all,
    const Item& item,
    long long distance,
    const float* tile,
    T* target,
    int lane) {
  Walk walk(CHUNKS * all.lanes, lane);
  int rows = item.rows(all, item.tile);
  for (int g = 0; g < item.heads; g++) {
    T* to = target + (item.token(all, item.tile) + walk.row) * distance
        + (item.firstHead + g) * all.d;
    const float* from = tile + (g * rows + walk.row) * all.stride;
    for (int row = walk.row; row < rows; row += walk.step) {
      for (int c = walk.channel; c < 4 * CHUNKS * all.lanes; c += 4 * WARP) {
        store4Partly(to, c, all.d, all.vectored, load4(from + c));
      }
      to += walk.step * distance;
      from += walk.step * all.stride;
    }
  }
}

// A lane's channels of one row of a tile.
template <int CHUNKS, bool SPLIT>
__device__ __forceinline__ const float* channelsOf(
    const Heads& all, const float* tile, int row, int part) {
  return tile + row * all.stride + (SPLIT ? 4 * part : 0);
}

template <int CHUNKS, bool SPLIT>
__device__ __forceinline__ void take(
    const Heads& all, const float* row, float4 (&values)[CHUNKS]) {
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) values[i] = load4(row + (SPLIT ? 4 * all.lanes : 4) * i);
}

template <int CHUNKS, bool SPLIT>
__device__ __forceinline__ void put(
    const Heads& all, float* row, const float4 (&values)[CHUNKS], float factor) {
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) {
    float4 v = values[i];
    store4(
        row + (SPLIT ? 4 * all.lanes : 4) * i,
        make_float4(factor * v.x, factor * v.y, factor * v.z, factor * v.w));
  }
}

// A lane's part of a product of two rows.
template <int CHUNKS>
__device__ __forceinline__ float dot(const float4 (&a)[CHUNKS], const float4 (&b)[CHUNKS]) {
  float even = 0;
  float odd = 0;
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) {
    even = fmaf(a[i].x, b[i].x, even);
    odd = fmaf(a[i].y, b[i].y, odd);
    even = fmaf(a[i].z, b[i].z, even);
    odd = fmaf(a[i].w, b[i].w, odd);
  }
  return even + odd;
}

template <int CHUNKS>
__device__ __forceinline__ void add(
    float4 (&sum)[CHUNKS], float factor, const float4 (&row)[CHUNKS]) {
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) {
    sum[i].x = fmaf(factor, row[i].x, sum[i].x);
    sum[i].y = fmaf(factor, row[i].y, sum[i].y);
    sum[i].z = fmaf(factor, row[i].z, sum[i].z);
    sum[i].w = fmaf(factor, row[i].w, sum[i].w);
  }
}

template <int CHUNKS>
__device__ __forceinline__ void clear(float4 (&sum)[CHUNKS]) {
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) sum[i] = make_float4(0, 0, 0, 0);
}

// Sum over the lanes that share a query.
template <bool SPLIT>
__device__ __forceinline__ float overParts(const Heads& all, float value) {
  if (SPLIT) {
    for (int distance = all.lanes / 2; distance > 0; distance /= 2) {
      value += __shfl_xor_sync(ALL_LANES, value, distance);
    }
  }
  return value;
}

template <typename T, int CHUNKS, bool SPLIT>
__device__ __forceinline__ void forwardItem(
    const Heads& all,
    const Item& item,
    const T* qkv,
    T* out,
    float* logSumExp,
    float* shared,
    int lane) {
  float* own = shared;  // q, then scores by [key, lane], then the output
  float* keys = shared + TILE<CHUNKS>;
  float* values = shared + 2 * TILE<CHUNKS>;
  Owned mine(all, item, lane);
  __syncwarp();
  if (item.tiles == 1) {
    loadTiles<T, CHUNKS, 3>(all, item, 0, qkv, {own, keys, values}, lane);
  } else {
    loadTiles<T, CHUNKS, 1>(all, item, item.tile, qkv, {own}, lane);
  }
  __syncwarp();
  float4 q[CHUNKS];
  take<CHUNKS, SPLIT>(all, channelsOf<CHUNKS, SPLIT>(all, own, mine.row, mine.part), q);
  float scale = LOG2_E * rsqrtf((float)all.d);  // scores in powers of two
#pragma unroll
  for (int i = 0; i < CHUNKS; i++) {
    q[i] = make_float4(scale * q[i].x, scale * q[i].y, scale * q[i].z, scale * q[i].w);
  }
  float4 o[CHUNKS];
  clear(o);
  float maximum = -INFINITY;
  float sum = 0;
  for (int w = 0; w < item.tiles; w++) {
    __syncwarp();
    if (item.tiles > 1) {
      loadTiles<T, CHUNKS, 2>(all, item, w, qkv + all.channels, {keys, values}, lane);
      __syncwarp();
    }
    int rows = item.rows(all, w);
    int first = mine.head * rows;
    float before = maximum;
#pragma unroll 2
    for (int j = 0; j < rows; j++) {
      float4 row[CHUNKS];
      take<CHUNKS, SPLIT>(
          all, channelsOf<CHUNKS, SPLIT>(all, keys, first + j, mine.part), row);
      float score = overParts<SPLIT>(all, dot(q, row));
      own[j * WARP + lane] = score;
      maximum = fmaxf(maximum, score);
    }
    if (w > 0) {
      float kept = exp2Fast(before - maximum);
      sum *= kept;
#pragma unroll
      for (int i = 0; i < CHUNKS; i++) {
        o[i] = make_float4(kept * o[i].x, kept * o[i].y, kept * o[i].z, kept * o[i].w);
      }
    }
#pragma unroll 2
    for (int j = 0; j < rows; j++) {
      float p = exp2Fast(own[j * WARP + lane] - maximum);
      float4 row[CHUNKS];
      take<CHUNKS, SPLIT>(
          all, channelsOf<CHUNKS, SPLIT>(all, values, first + j, mine.part), row);
      sum += p;
      add(o, p, row);
    }
  }
  __syncwarp();
  if (mine.active) {
    put<CHUNKS, SPLIT>(
        all,
        const_cast<float*>(channelsOf<CHUNKS, SPLIT>(all, own, mine.row, mine.part)),
        o,
        1 / sum);
    if (mine.part == 0) {
      long long token = item.token(all, item.tile) + mine.local;
      logSumExp[token * all.count + item.firstHead + mine.head] = LN_2 * (maximum + log2f(sum));
    }
  }
  __syncwarp();
  storeTile<T, CHUNKS>(all, item, all.channels, own, out, lane);
}

// The logarithms of the rows of a tile, as powers of two; a row is the one of its first lane.
__device__ __forceinline__ void loadLogs(
    const Heads& all,
    const Item& item,
    int which,
    const float* logSumExp,
    float* logs,
    int lane) {
  int rows = item.rows(all, which);
  if (lane < rows * item.heads) {
    int head = lane / rows;
    long long token = item.token(all, which) + (lane - head * rows);
    logs[lane] = LOG2_E * logSumExp[token * all.count + item.firstHead + head];
  }
}

template <typename T, int CHUNKS, bool SPLIT>
__device__ __forceinline__ void backwardItem(
    const Heads& all,
    const Item& item,
    const T* qkv,
    const T* out,
    const float* logSumExp,
    const T* dOut,
    T* dQkv,
    float* shared,
    int lane) {
  float* queries = shared;
  float* keys = shared + TILE<CHUNKS>;
  float* values = shared + 2 * TILE<CHUNKS>;
  float* gradients = shared + 3 * TILE<CHUNKS>;
  float* logs = shared + 4 * TILE<CHUNKS>;
  float* means = logs + WARP;
  long long distance = 3LL * all.channels;
  bool single = item.tiles == 1;
  Owned mine(all, item, lane);
  float scale = rsqrtf((float)all.d);
  __syncwarp();
  if (single) {
    loadTiles<T, CHUNKS, 3>(all, item, 0, qkv, {queries, keys, values}, lane);
  } else {
    loadTiles<T, CHUNKS, 1>(all, item, item.tile, qkv, {queries}, lane);
  }
  loadGradients<T, CHUNKS>(all, item, item.tile, dOut, out, gradients, means, lane);
  loadLogs(all, item, item.tile, logSumExp, logs, lane);
  __syncwarp();

  float4 dq[CHUNKS];
  clear(dq);
  {
    float4 q[CHUNKS];
    float4 dO[CHUNKS];
    take<CHUNKS, SPLIT>(all, channelsOf<CHUNKS, SPLIT>(all, queries, mine.row, mine.part), q);
    take<CHUNKS, SPLIT>(all, channelsOf<CHUNKS, SPLIT>(all, gradients, mine.row, mine.part), dO);
    float log = logs[mine.row];
    float mean = means[mine.row];
    for (int w = 0; w < item.tiles; w++) {
      if (!single) {
        __syncwarp();
        loadTiles<T, CHUNKS, 2>(all, item, w, qkv + all.channels, {keys, values}, lane);
        __syncwarp();
      }
      int rows = item.rows(all, w);
      int first = mine.head * rows;
      for (int j = 0; j < rows; j++) {
        float4 key[CHUNKS];
        float4 value[CHUNKS];
        take<CHUNKS, SPLIT>(
            all, channelsOf<CHUNKS, SPLIT>(all, keys, first + j, mine.part), key);
        take<CHUNKS, SPLIT>(
            all, channelsOf<CHUNKS, SPLIT>(all, values, first + j, mine.part), value);
        float score = overParts<SPLIT>(all, dot(q, key));
        float dp = overParts<SPLIT>(all, dot(dO, value));
        float p = exp2Fast(fmaf(LOG2_E * scale, score, -log));
        add(dq, p * (dp - mean), key);
      }
    }
  }

  float4 key[CHUNKS];
  float4 value[CHUNKS];
  if (!single) {
    __syncwarp();
    loadTiles<T, CHUNKS, 2>(
        all, item, item.tile, qkv + all.channels, {keys, values}, lane);
    __syncwarp();
  }
  float* ownKey = const_cast<float*>(channelsOf<CHUNKS, SPLIT>(all, keys, mine.row, mine.part));
  float* ownValue =
      const_cast<float*>(channelsOf<CHUNKS, SPLIT>(all, values, mine.row, mine.part));
  take<CHUNKS, SPLIT>(all, ownKey, key);
  take<CHUNKS, SPLIT>(all, ownValue, value);
  __syncwarp();
  if (mine.active) put<CHUNKS, SPLIT>(all, ownKey, dq, scale);
  __syncwarp();
  storeTile<T, CHUNKS>(all, item, distance, keys, dQkv, lane);

  float4 dk[CHUNKS];
  float4 dv[CHUNKS];
  clear(dk);
  clear(dv);
  for (int w = 0; w < item.tiles; w++) {
    if (!single) {
      __syncwarp();
      loadTiles<T, CHUNKS, 1>(all, item, w, qkv, {queries}, lane);
      loadGradients<T, CHUNKS>(all, item, w, dOut, out, gradients, means, lane);
      loadLogs(all, item, w, logSumExp, logs, lane);
      __syncwarp();
    }
    int rows = item.rows(all, w);
    int first = mine.head * rows;
    for (int i = 0; i < rows; i++) {
      float4 query[CHUNKS];
      float4 dO[CHUNKS];
      take<CHUNKS, SPLIT>(
          all, channelsOf<CHUNKS, SPLIT>(all, queries, first + i, mine.part), query);
      take<CHUNKS, SPLIT>(
          all, channelsOf<CHUNKS, SPLIT>(all, gradients, first + i, mine.part), dO);
      float score = overParts<SPLIT>(all, dot(key, query));
      float dp = overParts<SPLIT>(all, dot(value, dO));
      float p = exp2Fast(fmaf(LOG2_E * scale, score, -logs[first + i]));
      add(dv, p, dO);
      add(dk, p * (dp - means[first + i]), query);
    }
  }
  __syncwarp();
  if (mine.active) {
    put<CHUNKS, SPLIT>(all, ownKey, dk, scale);
    put<CHUNKS, SPLIT>(all, ownValue, dv, 1);
  }
  __syncwarp();
  storeTile<T, CHUNKS>(all, item, distance, keys, dQkv + all.channels, lane);
  storeTile<T, CHUNKS>(all, item, distance, values, dQkv + 2 * all.channels, lane);
}

// Runs a warp's items of the block's sequence: blocks (sequence, 0…gridDim.y − 1) share its items.
template <typename Work>
__device__ __forceinline__ void forEachItem(
    const Heads& all, const long long* offsets, Work work) {
  long long start = offsets[blockIdx.x];
  int length = (int)(offsets[blockIdx.x + 1] - start);
  if (length <= 0) return;
  Cut cut(all, length);
  long long items = (long long)cut.groups * cut.tiles;
  long long step = (long long)gridDim.y * WARPS;
  for (long long i = blockIdx.y * WARPS + threadIdx.x / WARP; i < items; i += step) {
    int tile = (int)(i / cut.groups);
    int firstHead = (int)(i - (long long)tile * cut.groups) * cut.headsPerItem;
    int heads = min(cut.headsPerItem, all.count - firstHead);
    work(Item{start, length, cut.tiles, tile, firstHead, heads});
  }
}

template <typename T, int CHUNKS, bool SPLIT>
__device__ __forceinline__ void forward(
    const T* qkv,
    const long long* offsets,
    T* out,
    float* logSumExp,
    int heads,
    int channels,
    int lanes) {
  __shared__ __align__(16) float shared[WARPS][3 * TILE<CHUNKS>];
  Heads all(heads, channels, SPLIT ? lanes : 1, CHUNKS);
  float* mine = shared[threadIdx.x / WARP];
  forEachItem(all, offsets, [&](const Item& item) {
    forwardItem<T, CHUNKS, SPLIT>(
        all, item, qkv, out, logSumExp, mine, threadIdx.x % WARP);
  });
}

template <typename T, int CHUNKS, bool SPLIT>
__device__ __forceinline__ void backward(
    const T* qkv,
    const long long* offsets,
    const T* out,
    const float* logSumExp,
    const T* dOut,
    T* dQkv,
    int heads,
    int channels,
    int lanes) {
  __shared__ __align__(16) float shared[WARPS][4 * TILE<CHUNKS> + 2 * WARP];
  Heads all(heads, channels, SPLIT ? lanes : 1, CHUNKS);
  float* mine = shared[threadIdx.x / WARP];
  forEachItem(all, offsets, [&](const Item& item) {
    backwardItem<T, CHUNKS, SPLIT>(
        all, item, qkv, out, logSumExp, dOut, dQkv, mine, threadIdx.x % WARP);
  });
}

}  // namespace
}  // namespace autosparse

// Entries, by the widest head: 8, 16 or 32 channels, or 16·lanes ("split").
// qkv [T, 3·C], offsets [B+1], out [T, C], logSumExp [T, H]; grid (B, any number), 64 threads.
#define ATTENTION_ENTRIES(suffix, chunks, split, forwardBlocks, backwardBlocks)                \
  extern "C" __global__ void __launch_bounds__(64, forwardBlocks) attention_forward_##suffix(  \
      const float* qkv,                                                                        \
      const long long* offsets,                                                                \
      float* out,                                                                              \
      float* logSumExp,                                                                        \
      int heads,                                                                               \
      int channels,                                                                            \
      int lanes) {                                                                             \
    autosparse::forward<float, chunks, split>(                                                 \
        qkv, offsets, out, logSumExp, heads, channels, lanes);                                 \
  }                                                                                            \
  extern "C" __global__ void __launch_bounds__(64, backwardBlocks) attention_backward_##suffix( \
      const float* qkv,                                                                        \
      const long long* offsets,                                                                \
      const float* out,                                                                        \
      const float* logSumExp,                                                                  \
      const float* dOut,                                                                       \
      float* dQkv,                                                                             \
      int heads,                                                                               \
      int channels,                                                                            \
      int lanes) {                                                                             \
    autosparse::backward<float, chunks, split>(                                                \
        qkv, offsets, out, logSumExp, dOut, dQkv, heads, channels, lanes);                     \
  }

ATTENTION_ENTRIES(8, 2, false, 8, 8)
ATTENTION_ENTRIES(16, 4, false, 8, 6)
ATTENTION_ENTRIES(32, 8, false, 7, 5)
ATTENTION_ENTRIES(split, 4, true, 8, 6)
