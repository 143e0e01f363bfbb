// Self-attention over packed sequences, forward and backward.
// Contract: autosparse.engine.operators.AttentionOperators.
//
// A warp works on one tile of queries of one head, or on several heads of one short sequence, so
// that 12 tokens fill 24 lanes and not 12. R lanes (2 for d up to 32) share two rows: each holds
// the d/R channels of both in registers, so that a key that it reads from shared memory serves two
// queries; one shuffle gives each lane the whole score of one of them. A longer sequence is a loop
// over tiles of keys with a running maximum. Backward, lanes own queries and sum dq over the keys;
// each key's row is then overwritten by its probabilities and their gradients, from which lanes
// that own keys sum dk and dv. Each output has one owner, so there is no atomic and one order.
// Sequences of several tiles compute their scores twice for that.
//
// Launch:  64 threads: two warps that share nothing; grid (sequences, blocks of one sequence).
// Shared:  rows are 4 floats longer than d, which spreads them over the banks.
//          forward 3 tiles a warp, 27.6 KB a block (d = 32); backward 4 tiles a warp, 37.4 KB.
// Bytes:   a token: forward 16·C + 4·H, backward 32·C + 4·H.
// FLOPs:   a token: forward 4·L·C, backward 10·L·C, 14·L·C in several tiles.
// Bound:   memory up to L of about 25, then instructions (FP32 peak alone would need 290 us at 1024).
//
// Measured on an H100 80GB HBM3 (copy 2.95 TB/s), L2 flushed, median of 20, an empty launch 3.0 us;
// floor = bytes over the copy rate. H = 8, d = 32:
//                             forward us (floor)   backward us (floor)
//   768 sequences of 12          26   (13)             51   (26)
//   16384 sequences of 25       820  (574)           1894 (1143)
//   16 sequences of 1024        749   (23)           2941   (46)     bound by instructions
// Tried: one row a lane, all d channels in it (twice the reads of shared memory for one FMA): 813
// and 2908 us at L = 25, 836 and 2487 us at L = 1024; 16 warps a multiprocessor forward with the
// loops unrolled by 2 and not 4: 29 us at L = 12, 822 us at L = 25.
#include "common/bfloat16.cuh"

#include "common/attention_tiles.cuh"

namespace autosparse {
namespace {

constexpr int kWarps = 2;

template <int kChunks, bool kSplit>
constexpr int kTile = kSplit ? kWarp * (8 * kChunks + 2) : kWarp * (8 * kChunks + 4);

// Forward, scores lie where the queries were: [key, lane].
template <int kChunks, bool kSplit>
constexpr int kOwnTile =
    kTile<kChunks, kSplit> > kWarp* kWarp ? kTile<kChunks, kSplit> : kWarp * kWarp;

// Backward, a row has also to hold one number for each row of a tile.
template <int kChunks, bool kSplit>
constexpr int kSquareTile = kSplit ? kTile<kChunks, true> : kWarp * (kWarp + 4);

// The two rows of a lane, and the one of them whose scores it finishes.
template <bool kSplit>
struct Owned {
  int part;   // which of the R lanes
  int first;  // row of the tile; the other is the next
  int row;    // the one that is finished here
  int head;   // of the item
  int local;  // row of the head
  int rows;   // of the two that there are
  bool active;
  bool owner;  // the first of the lanes that finish this row
  bool odd;

  __device__ Owned(const Heads& all, const Item& item, int lane) {
    const int lanes = kSplit ? all.lanes : 2;
    part = lane % lanes;
    odd = part % 2 == 1;
    first = 2 * (lane / lanes);
    row = first + odd;
    head = first / item.pitch;
    local = row - head * item.pitch;
    owner = head < item.heads && part < 2;
    const int left = item.rows(all, item.tile) - (first - head * item.pitch);
    active = owner && odd < left;
    rows = head < item.heads ? left : 0;
    if (head >= item.heads) head = 0;
  }

  // From one partial value a row: the sum over the lanes, of this lane's row.
  __device__ __forceinline__ float finish(const Heads& all, const float (&partial)[2]) const {
    float mine = odd ? partial[1] : partial[0];
    mine += __shfl_xor_sync(kAllLanes, odd ? partial[0] : partial[1], 1);
    if (kSplit) {
      for (int distance = 2; distance < all.lanes; distance *= 2) {
        mine += __shfl_xor_sync(kAllLanes, mine, distance);
      }
    }
    return mine;
  }

  // From this lane's row's value, those of both rows.
  __device__ __forceinline__ void share(float mine, float (&both)[2]) const {
    const float other = __shfl_xor_sync(kAllLanes, mine, 1);
    both[0] = odd ? other : mine;
    both[1] = odd ? mine : other;
  }
};

// A lane's channels of one row of a tile: every R-th group of four.
template <int kChunks, bool kSplit>
struct Channels {
  float4 group[kChunks];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int i = 0; i < kChunks; i++) group[i] = make_float4(0, 0, 0, 0);
  }

  __device__ __forceinline__ void load(const Heads& all, const float* tile, int row, int part) {
    const float* from = tile + row * all.stride + 4 * part;
#pragma unroll
    for (int i = 0; i < kChunks; i++) group[i] = load4(from + (kSplit ? 4 * all.lanes : 8) * i);
  }

  // Lanes that share a row write neighbouring groups: at least 32 bytes of it at once.
  template <typename T>
  __device__ __forceinline__ void store(const Heads& all, T* row, int part) const {
#pragma unroll
    for (int i = 0; i < kChunks; i++) {
      const int c = 4 * part + (kSplit ? 4 * all.lanes : 8) * i;
      store4_partly(row, c, all.d, all.vectored, group[i]);
    }
  }

  __device__ __forceinline__ void scale(float factor) {
#pragma unroll
    for (int i = 0; i < kChunks; i++) {
      group[i].x *= factor;
      group[i].y *= factor;
      group[i].z *= factor;
      group[i].w *= factor;
    }
  }

  __device__ __forceinline__ float dot(const Channels& other) const {
    float even = 0;
    float odd = 0;
#pragma unroll
    for (int i = 0; i < kChunks; i++) {
      even = fmaf(group[i].x, other.group[i].x, even);
      odd = fmaf(group[i].y, other.group[i].y, odd);
      even = fmaf(group[i].z, other.group[i].z, even);
      odd = fmaf(group[i].w, other.group[i].w, odd);
    }
    return even + odd;
  }

  __device__ __forceinline__ void add(float factor, const Channels& other) {
#pragma unroll
    for (int i = 0; i < kChunks; i++) {
      group[i].x = fmaf(factor, other.group[i].x, group[i].x);
      group[i].y = fmaf(factor, other.group[i].y, group[i].y);
      group[i].z = fmaf(factor, other.group[i].z, group[i].z);
      group[i].w = fmaf(factor, other.group[i].w, group[i].w);
    }
  }
};

__device__ __forceinline__ void take4(const float* from, float (&values)[4]) {
  const float4 four = load4(from);
  values[0] = four.x;
  values[1] = four.y;
  values[2] = four.z;
  values[3] = four.w;
}

// Stores a lane's two rows, scaled, to a tensor whose rows are `distance` elements apart.
template <typename T, int kChunks, bool kSplit>
__device__ __forceinline__ void store_rows(const Heads& all, const Item& item,
                                           const Owned<kSplit>& mine,
                                           Channels<kChunks, kSplit> (&rows)[2],
                                           const float (&factors)[2], T* target, int64 distance) {
  const int local = mine.first - mine.head * item.pitch;
  T* row = target + (item.token(all, item.tile) + local) * distance +
           (item.first_head + mine.head) * all.d;
#pragma unroll
  for (int r = 0; r < 2; r++) {
    if (r < mine.rows) {
      rows[r].scale(factors[r]);
      rows[r].store(all, row + r * distance, mine.part);
    }
  }
}

template <typename T, int kChunks, bool kSplit>
__device__ __forceinline__ void forward_item(const Heads& all, const Item& item, const T* qkv,
                                             T* out, float* log_sum_exp, float* shared, int lane) {
  using Row = Channels<kChunks, kSplit>;
  float* own = shared;  // q, then scores by [key, lane]
  float* keys = own + kOwnTile<kChunks, kSplit>;
  float* values = keys + kTile<kChunks, kSplit>;
  const Owned<kSplit> mine(all, item, lane);
  __syncwarp();
  if (item.tiles == 1) {
    load_tiles<T, kChunks, 3>(all, item, 0, qkv, {own, keys, values}, lane);
  } else {
    load_tiles<T, kChunks, 1>(all, item, item.tile, qkv, {own}, lane);
  }
  __syncwarp();
  Row q[2];
  Row o[2];
#pragma unroll
  for (int r = 0; r < 2; r++) {
    q[r].load(all, own, mine.first + r, mine.part);
    q[r].scale(kLog2E * rsqrtf(static_cast<float>(all.d)));  // scores as powers of two
    o[r].clear();
  }
  float maximum = -INFINITY;
  float sum = 0;
  for (int w = 0; w < item.tiles; w++) {
    __syncwarp();
    if (item.tiles > 1) {
      load_tiles<T, kChunks, 2>(all, item, w, qkv + all.channels, {keys, values}, lane);
      __syncwarp();
    }
    const int rows = item.rows(all, w);
    const int first = mine.head * item.pitch;
    const float before = maximum;
#pragma unroll 4
    for (int j = 0; j < rows; j++) {
      Row key;
      key.load(all, keys, first + j, mine.part);
      const float partial[2] = {q[0].dot(key), q[1].dot(key)};
      const float score = mine.finish(all, partial);
      own[j * kWarp + lane] = score;
      maximum = fmaxf(maximum, score);
    }
    if (w > 0) {
      const float kept = exp2_fast(before - maximum);
      float both[2];
      mine.share(kept, both);
      sum *= kept;
      o[0].scale(both[0]);
      o[1].scale(both[1]);
    }
#pragma unroll 4
    for (int j = 0; j < rows; j++) {
      const float p = exp2_fast(own[j * kWarp + lane] - maximum);
      float both[2];
      mine.share(p, both);
      Row value;
      value.load(all, values, first + j, mine.part);
      sum += p;
      o[0].add(both[0], value);
      o[1].add(both[1], value);
    }
  }
  float both[2];
  mine.share(1 / sum, both);
  store_rows(all, item, mine, o, both, out, all.channels);
  if (mine.active) {
    const int64 token = item.token(all, item.tile) + mine.local;
    log_sum_exp[token * all.count + item.first_head + mine.head] = kLn2 * (maximum + log2f(sum));
  }
}

// Replaces the tiles of keys and values by the probabilities and the gradients of the scores (but
// for the scale): row = key, column = query. q and dOut of the queries are in shared memory.
template <int kChunks, bool kSplit>
__device__ __forceinline__ void square(const Heads& all, const Owned<kSplit>& mine, int pitch,
                                       int rows, float scale, const float* queries,
                                       const float* gradients, const float* logs,
                                       const float* means, float* keys, float* values) {
  using Row = Channels<kChunks, kSplit>;
  const int at = mine.head * pitch * all.stride;
  Row own[2];
  own[0].load(all, queries, mine.first, mine.part);
  own[1].load(all, queries, mine.first + 1, mine.part);
  const float log = logs[mine.row];
#pragma unroll 1
  for (int j = 0; j < rows; j++) {
    Row key;
    key.load(all, keys + at, j, mine.part);
    const float scores[2] = {own[0].dot(key), own[1].dot(key)};
    const float p = exp2_fast(fmaf(kLog2E * scale, mine.finish(all, scores), -log));
    __syncwarp();
    if (mine.owner) keys[at + j * all.stride + mine.local] = p;
  }
  own[0].load(all, gradients, mine.first, mine.part);
  own[1].load(all, gradients, mine.first + 1, mine.part);
  const float mean = means[mine.row];
#pragma unroll 1
  for (int j = 0; j < rows; j++) {
    Row value;
    value.load(all, values + at, j, mine.part);
    const float dps[2] = {own[0].dot(value), own[1].dot(value)};
    const float dp = mine.finish(all, dps);
    __syncwarp();
    if (mine.owner) {
      const int to = at + j * all.stride + mine.local;
      values[to] = keys[to] * (dp - mean);
    }
  }
}

template <typename T, int kChunks, bool kSplit>
__device__ __forceinline__ void backward_item(const Heads& all, const Item& item, const T* qkv,
                                              const T* out, const float* log_sum_exp,
                                              const T* d_out, T* d_qkv, float* shared, int lane) {
  using Row = Channels<kChunks, kSplit>;
  constexpr int kSize = kSquareTile<kChunks, kSplit>;
  float* queries = shared;
  float* keys = queries + kSize;
  float* values = keys + kSize;
  float* gradients = values + kSize;
  float* logs = gradients + kSize;
  float* means = logs + kWarp;
  const bool single = item.tiles == 1;
  const Owned<kSplit> mine(all, item, lane);
  const float scale = rsqrtf(static_cast<float>(all.d));
  const int first = mine.head * item.pitch;
  __syncwarp();
  if (single) {
    load_tiles<T, kChunks, 3>(all, item, 0, qkv, {queries, keys, values}, lane);
  } else {
    load_tiles<T, kChunks, 1>(all, item, item.tile, qkv, {queries}, lane);
  }
  load_gradients<T, kChunks>(all, item, item.tile, d_out, out, gradients, means, lane);
  load_logs(all, item, item.tile, log_sum_exp, logs, lane);
  __syncwarp();

  Row dq[2];
  {
    Row q[2];
    Row d_o[2];
#pragma unroll
    for (int r = 0; r < 2; r++) {
      q[r].load(all, queries, mine.first + r, mine.part);
      d_o[r].load(all, gradients, mine.first + r, mine.part);
      dq[r].clear();
    }
    const float log = logs[mine.row];
    const float mean = means[mine.row];
    for (int w = 0; w < item.tiles; w++) {
      if (!single) {
        __syncwarp();
        load_tiles<T, kChunks, 2>(all, item, w, qkv + all.channels, {keys, values}, lane);
        __syncwarp();
      }
      const int rows = item.rows(all, w);
#pragma unroll 1
      for (int j = first; j < first + rows; j++) {
        Row value;
        value.load(all, values, j, mine.part);
        const float dps[2] = {d_o[0].dot(value), d_o[1].dot(value)};
        const float dp = mine.finish(all, dps);
        Row key;
        key.load(all, keys, j, mine.part);
        const float scores[2] = {q[0].dot(key), q[1].dot(key)};
        const float p = exp2_fast(fmaf(kLog2E * scale, mine.finish(all, scores), -log));
        const float ds = p * (dp - mean);
        float both[2];
        mine.share(ds, both);
        dq[0].add(both[0], key);
        dq[1].add(both[1], key);
        __syncwarp();
        if (mine.owner) {
          keys[j * all.stride + mine.local] = p;
          values[j * all.stride + mine.local] = ds;
        }
      }
    }
  }

  const int64 distance = 3LL * all.channels;
  store_rows(all, item, mine, dq, {scale, scale}, d_qkv, distance);

  Row dk[2];
  Row dv[2];
#pragma unroll
  for (int r = 0; r < 2; r++) {
    dk[r].clear();
    dv[r].clear();
  }
  for (int w = 0; w < item.tiles; w++) {
    __syncwarp();
    if (!single) {
      load_tiles<T, kChunks, 2>(all, item, item.tile, qkv + all.channels, {keys, values}, lane);
      load_tiles<T, kChunks, 1>(all, item, w, qkv, {queries}, lane);
      load_gradients<T, kChunks>(all, item, w, d_out, out, gradients, means, lane);
      load_logs(all, item, w, log_sum_exp, logs, lane);
      __syncwarp();
      square<kChunks, kSplit>(all, mine, item.pitch, item.rows(all, item.tile), scale, queries,
                              gradients, logs, means, keys, values);
      __syncwarp();
    }
    const int rows = item.rows(all, w);
    const int at = mine.first * all.stride;
    for (int base = 0; base < rows; base += 4) {  // four columns at once: fewer bank conflicts
      float p[2][4];
      float ds[2][4];
#pragma unroll
      for (int r = 0; r < 2; r++) {
        take4(keys + at + r * all.stride + base, p[r]);
        take4(values + at + r * all.stride + base, ds[r]);
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
        if (base + i < rows) {
          Row query;
          Row d_o;
          query.load(all, queries, first + base + i, mine.part);
          d_o.load(all, gradients, first + base + i, mine.part);
#pragma unroll
          for (int r = 0; r < 2; r++) {
            dv[r].add(p[r][i], d_o);
            dk[r].add(ds[r][i], query);
          }
        }
      }
    }
  }
  store_rows(all, item, mine, dk, {scale, scale}, d_qkv + all.channels, distance);
  store_rows(all, item, mine, dv, {1, 1}, d_qkv + 2 * all.channels, distance);
}

template <typename T, int kChunks, bool kSplit>
__device__ __forceinline__ void forward(const T* qkv, const int64* offsets, T* out,
                                        float* log_sum_exp, int heads, int channels, int lanes) {
  constexpr int kFloats = kOwnTile<kChunks, kSplit> + 2 * kTile<kChunks, kSplit>;
  __shared__ __align__(16) float shared[kWarps][kFloats];
  const Heads all(heads, channels, kSplit ? lanes : 2, kChunks, 0);
  float* mine = shared[threadIdx.x / kWarp];
  for_each_item<kWarps>(all, offsets, [&](const Item& item) {
    forward_item<T, kChunks, kSplit>(all, item, qkv, out, log_sum_exp, mine, threadIdx.x % kWarp);
  });
}

template <typename T, int kChunks, bool kSplit>
__device__ __forceinline__ void backward(const T* qkv, const int64* offsets, const T* out,
                                         const float* log_sum_exp, const T* d_out, T* d_qkv,
                                         int heads, int channels, int lanes) {
  __shared__ __align__(16) float shared[kWarps][4 * kSquareTile<kChunks, kSplit> + 2 * kWarp];
  const Heads all(heads, channels, kSplit ? lanes : 2, kChunks, kSplit ? 0 : kWarp);
  float* mine = shared[threadIdx.x / kWarp];
  for_each_item<kWarps>(all, offsets, [&](const Item& item) {
    backward_item<T, kChunks, kSplit>(all, item, qkv, out, log_sum_exp, d_out, d_qkv, mine,
                                      threadIdx.x % kWarp);
  });
}

}  // namespace
}  // namespace autosparse

using namespace autosparse;

// Entries, by the widest head: 8, 16 or 32 channels, or 16·lanes of 4 to 32 lanes ("split"). In
// bfloat16 for heads that attention_bf16.cu does not take, and for GPUs without its tensor cores.
// qkv [T, 3·C], offsets [B+1], out [T, C], logSumExp [T, H]; grid (B, any number), 64 threads.
#define ATTENTION_KERNELS(T, SUFFIX, NAME, CHUNKS, SPLIT, FORWARD_BLOCKS, BACKWARD_BLOCKS)       \
  extern "C" __global__ void __launch_bounds__(64, FORWARD_BLOCKS)                               \
      attention_forward_##NAME##_##SUFFIX(const T* qkv, const int64* offsets, T* out,            \
                                          float* log_sum_exp, int heads, int channels,           \
                                          int lanes) {                                           \
    forward<T, CHUNKS, SPLIT>(qkv, offsets, out, log_sum_exp, heads, channels, lanes);           \
  }                                                                                              \
  extern "C" __global__ void __launch_bounds__(64, BACKWARD_BLOCKS)                              \
      attention_backward_##NAME##_##SUFFIX(const T* qkv, const int64* offsets, const T* out,     \
                                           const float* log_sum_exp, const T* d_out, T* d_qkv,   \
                                           int heads, int channels, int lanes) {                 \
    backward<T, CHUNKS, SPLIT>(qkv, offsets, out, log_sum_exp, d_out, d_qkv, heads, channels,    \
                               lanes);                                                           \
  }

ATTENTION_KERNELS(float, f32, 8, 1, false, 8, 8)
ATTENTION_KERNELS(float, f32, 16, 2, false, 8, 6)
ATTENTION_KERNELS(float, f32, 32, 4, false, 6, 6)
ATTENTION_KERNELS(float, f32, split, 4, true, 6, 4)
ATTENTION_KERNELS(bf16, bf16, split, 4, true, 6, 4)
