// Architectures: compute_80
// Self-attention over packed sequences with bf16 storage, forward and backward, on tensor cores.
// Contract: autosparse.engine.operators.AttentionOperators. Softmax and sums are fp32.
//
// A warp owns a tile of one head of one sequence and keeps everything in registers: it loads rows
// as operands (common/row_fragments.cuh), all of a tile's loads before the first use, takes the
// scores' sums as operand A of the product with the values, and stores rows as it loaded them.
// Sequences of up to 16 and of up to 32 tokens are one tile, and each element moves once. Longer
// ones are a loop over tiles of keys with a running maximum. Backward of one tile sums every
// gradient in one pass and takes the mean gradient of a row from the row itself, so that `out` is
// not read; of several tiles, a warp that owns queries sums dq, then one that owns keys dk and dv,
// each computing its scores again, with the means from `out`. No atomics; one order of sums.
//
// Rounding: scores and gradients of scores are fp32. Forward, probabilities are rounded to bf16 for
// the product with the values, but not in their sum; backward, they and the gradients of scores are
// two bf16 numbers each (a relative error of 2^-17), for one more product.
//
// Launch:  64 threads, blocks of one sequence neighbours in a grid of one dimension.
// Shared:  none.
// Bytes:   a token: forward 8·C + 4·H, backward 14·C + 4·H (several tiles: 16·C + 4·H from device
//          memory, and each further tile's reads from L1 and L2).
// FLOPs:   a token: forward 4·L·C, backward 10·L·C, 14·L·C in several tiles.
// Bound:   memory up to L of about 200; what is missing to it is latency: time falls with the warps
//          that the registers leave room for, until they spill.
//
// Measured on an H200 (floors at 4.2 TB/s), L2 flushed, median of 20, by events, us:
//                                     forward (floor)   backward (floor)
//   16384 sequences of 25, H 8, d 32     231   (203)        528   (353)
//   4096 sequences of 32, H 8, d 32       80    (65)        171   (113)
//   16384 sequences of 12, H 8, d 32     138    (97)        250   (169)
//   1024 sequences of 64, H 8, d 64      110    (64)        386   (112)
//   768 sequences of 12, H 8, d 16         9.2   (2.3)       12.4   (4.0)
//   16 sequences of 1024, H 8, d 32      194     (8)        542    (14)     bound by instructions
// Largest errors over the largest output (lengths 0 to 1025, d 1 to 128), beside those of exact
// results rounded once: 1.5 times at most, forward and backward (there for the rounded `out` that
// the reference takes its means from).
// Tried: forward with two bf16 numbers for a probability: the errors of exact results, 258 us at
// L = 25. Backward with one: 2.2 times their errors, 3 % faster. 20 warps a multiprocessor forward
// are better than 16 (258 and 270 us); backward 8, 12 and 16 (with spills): 746, 551 and 669 us.
// Asking L2 for the rows of a block to come (prefetch.global.L2): 3 to 40 % slower. Blocks of one
// sequence apart in the grid: backward 7 % slower.
#include "common/row_fragments.cuh"

namespace autosparse {
namespace {

constexpr int kWarps = 2;
constexpr int kRows = 16;  // of a tile of a long sequence

// What all items of a launch share, and the block's sequence.
struct Packed {
  int heads;
  int d;
  int channels;
  int64 start;
  int length;
  int lane;
  int blocks;  // of one sequence, which are neighbours
  int block;

  __device__ Packed(const int64* offsets, int head_count, int all_channels, int blocks_of_sequence)
      : heads(head_count),
        d(all_channels / head_count),
        channels(all_channels),
        start(offsets[blockIdx.x / blocks_of_sequence]),
        length(static_cast<int>(offsets[blockIdx.x / blocks_of_sequence + 1] - start)),
        lane(threadIdx.x % kWarp),
        blocks(blocks_of_sequence),
        block(blockIdx.x % blocks_of_sequence) {}

  // A row of q; k and v are `channels` and twice that further on.
  template <typename T>
  __device__ __forceinline__ T* row_of_three(T* qkv, int head, int token) const {
    return qkv + (start + token) * 3 * channels + head * d;
  }

  template <typename T>
  __device__ __forceinline__ T* row(T* out, int head, int token) const {
    return out + (start + token) * channels + head * d;
  }

  __device__ __forceinline__ float scale() const { return rsqrtf(static_cast<float>(d)); }
};

// Runs the warp's head of a sequence of one tile: there is a warp for each head.
template <typename Work>
__device__ __forceinline__ void for_my_head(const Packed& all, Work work) {
  const int head = all.block * kWarps + threadIdx.x / kWarp;
  if (head < all.heads && all.length > 0) work(head);
}

// Runs the warp's tiles of the block's sequence: those of one head are neighbours.
template <typename Work>
__device__ __forceinline__ void for_each_tile(const Packed& all, Work work) {
  const int tiles = (all.length + kRows - 1) / kRows;
  const int items = all.heads * tiles;
  const int step = all.blocks * kWarps;
  for (int i = all.block * kWarps + threadIdx.x / kWarp; i < items; i += step) {
    const int head = i / tiles;
    work(head, (i - head * tiles) * kRows);
  }
}

// Running softmax of 16 rows: each lane has those of rows g and g + 8.
template <int kWords>
struct Attended {
  float maximum[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0, 0};     // of this lane's columns
  float out[kWords][4] = {};

  // Adds the keys of one tile; `values` are transposed, `keys` of them there are.
  template <bool kFirst, int kKeys>
  __device__ __forceinline__ void add(const unsigned (&q_low)[kWords],
                                      const unsigned (&q_high)[kWords],
                                      const RowFragments<kKeys, kWords>& key,
                                      const RowFragments<kKeys, kWords>& value, int keys,
                                      float factor, int lane) {
    float s[kKeys][4];
    row_products(q_low, q_high, key, s);
    if (keys < 8 * kKeys) {
#pragma unroll
      for (int n = 0; n < kKeys; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          if (8 * n + 2 * (lane % 4) + e % 2 >= keys) s[n][e] = -INFINITY;
        }
      }
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
      float most = s[0][2 * r];
#pragma unroll
      for (int n = 0; n < kKeys; n++) most = fmaxf(most, fmaxf(s[n][2 * r], s[n][2 * r + 1]));
      most = row_maximum(most);
      if (!kFirst) {
        most = fmaxf(most, maximum[r]);
        const float kept = exp2_fast(factor * (maximum[r] - most));
        sum[r] *= kept;
#pragma unroll
        for (int w = 0; w < kWords; w++) {
          out[w][2 * r] *= kept;
          out[w][2 * r + 1] *= kept;
        }
      }
      maximum[r] = most;
      const float shift = -factor * most;
#pragma unroll
      for (int n = 0; n < kKeys; n++) {
#pragma unroll
        for (int e = 2 * r; e < 2 * r + 2; e++) {
          s[n][e] = exp2_fast(fmaf(factor, s[n][e], shift));
          sum[r] += s[n][e];
        }
      }
    }
    Weights<kKeys, false> p;
    p.set(s);
#pragma unroll
    for (int step = 0; step < kKeys / 2; step++) {
#pragma unroll
      for (int w = 0; w < kWords; w++) {
        p.multiply(step, value[2 * step][w], value[2 * step + 1][w], out[w]);
      }
    }
  }

  // The rows' results as fragments, and the logarithms of their sums.
  __device__ __forceinline__ void finish(float factor, RowFragments<2, kWords>& rows,
                                         float (&logs)[2]) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      const float all = row_sum(sum[r]);
      const float part = 1 / all;
#pragma unroll
      for (int w = 0; w < kWords; w++) {
        rows[r][w] = pack_bf16(part * out[w][2 * r], part * out[w][2 * r + 1]);
      }
      logs[r] = kLn2 * (factor * maximum[r] + log2f(all));
    }
  }
};

template <int kGroups, int kWords>
__device__ __forceinline__ void turn_all(RowFragments<kGroups, kWords>& rows) {
#pragma unroll
  for (int i = 0; i < kGroups; i++) {
#pragma unroll
    for (int w = 0; w < kWords; w++) rows[i][w] = transpose_8x8(rows[i][w]);
  }
}

template <bool kWhole, int kWords>
__device__ __forceinline__ void store_attended(const Packed& all, int head, int token, int rows,
                                               float factor, Attended<kWords>& attended, bf16* out,
                                               float* log_sum_exp) {
  RowFragments<2, kWords> result;
  float logs[2];
  attended.finish(factor, result, logs);
  store_fragments<kWhole>(result, all.row(out, head, token), all.channels, rows, all.d, all.lane);
  const int row = all.lane / 4;
  float* log = log_sum_exp + (all.start + token + row) * all.heads + head;
  if (all.lane % 4 == 0) {
    if (row < rows) log[0] = logs[0];
    if (row + 8 < rows) log[8 * all.heads] = logs[1];
  }
}

// A sequence of at most 16·kTiles tokens.
template <bool kWhole, int kTiles, int kWords>
__device__ __forceinline__ void forward_short(const Packed& all, int head, const bf16* qkv,
                                              bf16* out, float* log_sum_exp) {
  const int distance = 3 * all.channels;
  const bf16* first = all.row_of_three(qkv, head, 0);
  RowFragments<2 * kTiles, kWords> q;
  RowFragments<2 * kTiles, kWords> key;
  RowFragments<2 * kTiles, kWords> value;
  load_fragments<kWhole>(first, distance, all.length, all.d, all.lane, q);
  load_fragments<kWhole>(first + all.channels, distance, all.length, all.d, all.lane, key);
  load_fragments<kWhole>(first + 2 * all.channels, distance, all.length, all.d, all.lane, value);
  const float factor = kLog2E * all.scale();
  turn_all(value);
#pragma unroll
  for (int m = 0; m < kTiles; m++) {
    Attended<kWords> attended;
    attended.template add<true>(q[2 * m], q[2 * m + 1], key, value, all.length, factor, all.lane);
    store_attended<kWhole>(all, head, 16 * m, all.length - 16 * m, factor, attended, out,
                           log_sum_exp);
  }
}

// 16 queries from `token` on, over tiles of 8·kKeys keys.
template <bool kWhole, int kKeys, int kWords>
__device__ __forceinline__ void forward_long(const Packed& all, int head, int token,
                                             const bf16* qkv, bf16* out, float* log_sum_exp) {
  const int distance = 3 * all.channels;
  const float factor = kLog2E * all.scale();
  RowFragments<2, kWords> q;
  load_fragments<kWhole>(all.row_of_three(qkv, head, token), distance, all.length - token, all.d,
                         all.lane, q);
  Attended<kWords> attended;
#pragma unroll 1
  for (int at = 0; at < all.length; at += 8 * kKeys) {
    const bf16* first = all.row_of_three(qkv, head, at) + all.channels;
    const int keys = all.length - at;
    RowFragments<kKeys, kWords> key;
    RowFragments<kKeys, kWords> value;
    load_fragments<kWhole>(first, distance, keys, all.d, all.lane, key);
    load_fragments<kWhole>(first + all.channels, distance, keys, all.d, all.lane, value);
    turn_all(value);
    attended.template add<false>(q[0], q[1], key, value, keys, factor, all.lane);
  }
  store_attended<kWhole>(all, head, token, all.length - token, factor, attended, out, log_sum_exp);
}

// 8·kKeys keys at a time of a long sequence; kShort: the longest sequence, in tiles of 16, that is
// taken at once (0 for none).
template <bool kWhole, int kWords, int kShort, int kKeys>
__device__ __forceinline__ void forward(const bf16* qkv, const int64* offsets, bf16* out,
                                        float* log_sum_exp, int heads, int channels, int blocks) {
  const Packed all(offsets, heads, channels, blocks);
  if (kShort > 0 && all.length <= 16) {
    for_my_head(all, [&](int head) {
      forward_short<kWhole, 1, kWords>(all, head, qkv, out, log_sum_exp);
    });
  } else if (kShort > 1 && all.length <= 32) {
    for_my_head(all, [&](int head) {
      forward_short<kWhole, 2, kWords>(all, head, qkv, out, log_sum_exp);
    });
  } else {
    for_each_tile(all, [&](int head, int token) {
      forward_long<kWhole, kKeys, kWords>(all, head, token, qkv, out, log_sum_exp);
    });
  }
}

// Logarithms of rows `token` + g and + 8, as powers of two; no weight where there is no row.
__device__ __forceinline__ void load_logs(const Packed& all, int head, int token,
                                          const float* log_sum_exp, float (&logs)[2]) {
  const int row = all.lane / 4;
  const float* log = log_sum_exp + (all.start + token + row) * all.heads + head;
  logs[0] = token + row < all.length ? kLog2E * log[0] : INFINITY;
  logs[1] = token + row + 8 < all.length ? kLog2E * log[8 * all.heads] : INFINITY;
}

// Sums of 16·kTiles rows as fragments of them, scaled.
template <bool kWhole, int kTiles, int kWords>
__device__ __forceinline__ void store_sums(const Packed& all, const float (&sum)[kTiles][kWords][4],
                                           float scale, bf16* target, int rows) {
  RowFragments<2 * kTiles, kWords> result;
#pragma unroll
  for (int m = 0; m < kTiles; m++) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
#pragma unroll
      for (int w = 0; w < kWords; w++) {
        result[2 * m + r][w] =
            pack_bf16(scale * sum[m][w][2 * r], scale * sum[m][w][2 * r + 1]);
      }
    }
  }
  store_fragments<kWhole>(result, target, 3 * all.channels, rows, all.d, all.lane);
}

// sum[m] += (columns 16·m … of p)ᵀ times 16 rows, which are rows 8·group … of `others`.
template <int kTiles, int kGroups, int kWords>
__device__ __forceinline__ void add_transposed(const Weights<kGroups, true>& p,
                                               const RowFragments<2 * kTiles, kWords>& others,
                                               int group, float (&sum)[kTiles][kWords][4]) {
  unsigned b[2][kWords];
#pragma unroll
  for (int w = 0; w < kWords; w++) {
    b[0][w] = transpose_8x8(others[group][w]);
    b[1][w] = transpose_8x8(others[group + 1][w]);
  }
#pragma unroll
  for (int m = 0; m < kTiles; m++) {
    unsigned a[4];
    turn(p.high, m, a);
#pragma unroll
    for (int w = 0; w < kWords; w++) {
      add_product(sum[m][w], a[0], a[1], a[2], a[3], b[0][w], b[1][w]);
    }
    turn(p.low, m, a);
#pragma unroll
    for (int w = 0; w < kWords; w++) {
      add_product(sum[m][w], a[0], a[1], a[2], a[3], b[0][w], b[1][w]);
    }
  }
}

// A sequence of at most 16·kTiles tokens.
template <bool kWhole, int kTiles, int kWords>
__device__ __forceinline__ void backward_short(const Packed& all, int head, const bf16* qkv,
                                               const float* log_sum_exp, const bf16* d_out,
                                               bf16* d_qkv) {
  constexpr int kGroups = 2 * kTiles;
  const int distance = 3 * all.channels;
  const bf16* first = all.row_of_three(qkv, head, 0);
  RowFragments<kGroups, kWords> q;
  RowFragments<kGroups, kWords> key;
  RowFragments<kGroups, kWords> value;
  RowFragments<kGroups, kWords> gradient;
  load_fragments<kWhole>(first, distance, all.length, all.d, all.lane, q);
  load_fragments<kWhole>(first + all.channels, distance, all.length, all.d, all.lane, key);
  load_fragments<kWhole>(first + 2 * all.channels, distance, all.length, all.d, all.lane, value);
  load_fragments<kWhole>(all.row(d_out, head, 0), all.channels, all.length, all.d, all.lane,
                         gradient);
  const float scale = all.scale();
  float d_key[kTiles][kWords][4] = {};
  float d_value[kTiles][kWords][4] = {};
#pragma unroll
  for (int m = 0; m < kTiles; m++) {
    float logs[2];
    load_logs(all, head, 16 * m, log_sum_exp, logs);
    float p[kGroups][4];
    float ds[kGroups][4];
    row_products(q[2 * m], q[2 * m + 1], key, p);
    row_products(gradient[2 * m], gradient[2 * m + 1], value, ds);
    float mean[2] = {0, 0};
#pragma unroll
    for (int n = 0; n < kGroups; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        p[n][e] = exp2_fast(fmaf(kLog2E * scale, p[n][e], -logs[e / 2]));
        if (8 * n + 2 * (all.lane % 4) + e % 2 >= all.length) p[n][e] = 0;
        mean[e / 2] = fmaf(p[n][e], ds[n][e], mean[e / 2]);
      }
    }
    mean[0] = row_sum(mean[0]);
    mean[1] = row_sum(mean[1]);
#pragma unroll
    for (int n = 0; n < kGroups; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) ds[n][e] = p[n][e] * (ds[n][e] - mean[e / 2]);
    }
    {
      Weights<kGroups, true> weights;
      weights.set(p);
      add_transposed(weights, gradient, 2 * m, d_value);
    }
    Weights<kGroups, true> weights;
    weights.set(ds);
    add_transposed(weights, q, 2 * m, d_key);
    float d_q[1][kWords][4] = {};
#pragma unroll
    for (int step = 0; step < kTiles; step++) {
#pragma unroll
      for (int w = 0; w < kWords; w++) {
        weights.multiply(step, transpose_8x8(key[2 * step][w]),
                         transpose_8x8(key[2 * step + 1][w]), d_q[0][w]);
      }
    }
    store_sums<kWhole>(all, d_q, scale, all.row_of_three(d_qkv, head, 16 * m),
                       all.length - 16 * m);
  }
  bf16* target = all.row_of_three(d_qkv, head, 0) + all.channels;
  store_sums<kWhole>(all, d_key, scale, target, all.length);
  store_sums<kWhole>(all, d_value, 1, target + all.channels, all.length);
}

// The mean gradients of rows: dOut·out, in each of the four lanes of a row.
template <bool kWhole, int kGroups, int kWords>
__device__ __forceinline__ void load_means(const Packed& all, int head, int token, const bf16* out,
                                           const RowFragments<kGroups, kWords>& gradient,
                                           float (&means)[kGroups]) {
  RowFragments<kGroups, kWords> result;
  load_fragments<kWhole>(all.row(out, head, token), all.channels, all.length - token, all.d,
                         all.lane, result);
#pragma unroll
  for (int i = 0; i < kGroups; i++) {
    float sum = 0;
#pragma unroll
    for (int w = 0; w < kWords; w++) {
      sum = fmaf(low_of(result[i][w]), low_of(gradient[i][w]), sum);
      sum = fmaf(high_of(result[i][w]), high_of(gradient[i][w]), sum);
    }
    means[i] = row_sum(sum);
  }
}

// dq of 16 queries of a long sequence.
template <bool kWhole, int kKeys, int kWords>
__device__ __forceinline__ void backward_queries(const Packed& all, int head, int token,
                                                 const bf16* qkv, const bf16* out,
                                                 const float* log_sum_exp, const bf16* d_out,
                                                 bf16* d_qkv) {
  const int distance = 3 * all.channels;
  const float scale = all.scale();
  RowFragments<2, kWords> q;
  RowFragments<2, kWords> gradient;
  load_fragments<kWhole>(all.row_of_three(qkv, head, token), distance, all.length - token, all.d,
                         all.lane, q);
  load_fragments<kWhole>(all.row(d_out, head, token), all.channels, all.length - token, all.d,
                         all.lane, gradient);
  float means[2];
  load_means<kWhole>(all, head, token, out, gradient, means);
  float logs[2];
  load_logs(all, head, token, log_sum_exp, logs);
  float d_q[1][kWords][4] = {};
#pragma unroll 1
  for (int at = 0; at < all.length; at += 8 * kKeys) {
    const bf16* first = all.row_of_three(qkv, head, at) + all.channels;
    const int keys = all.length - at;
    RowFragments<kKeys, kWords> key;
    RowFragments<kKeys, kWords> value;
    load_fragments<kWhole>(first, distance, keys, all.d, all.lane, key);
    load_fragments<kWhole>(first + all.channels, distance, keys, all.d, all.lane, value);
    float p[kKeys][4];
    float ds[kKeys][4];
    row_products(q[0], q[1], key, p);
    row_products(gradient[0], gradient[1], value, ds);
#pragma unroll
    for (int n = 0; n < kKeys; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const float weight = exp2_fast(fmaf(kLog2E * scale, p[n][e], -logs[e / 2]));
        const bool there = 8 * n + 2 * (all.lane % 4) + e % 2 < keys;
        ds[n][e] = there ? weight * (ds[n][e] - means[e / 2]) : 0;
      }
    }
    Weights<kKeys, true> weights;
    weights.set(ds);
#pragma unroll
    for (int step = 0; step < kKeys / 2; step++) {
#pragma unroll
      for (int w = 0; w < kWords; w++) {
        weights.multiply(step, transpose_8x8(key[2 * step][w]),
                         transpose_8x8(key[2 * step + 1][w]), d_q[0][w]);
      }
    }
  }
  store_sums<kWhole>(all, d_q, scale, all.row_of_three(d_qkv, head, token), all.length - token);
}

// dk, dv or both of 16 keys of a long sequence: scores are [key, query].
template <bool kWhole, bool kOfKeys, bool kOfValues, int kQueries, int kWords>
__device__ __forceinline__ void backward_keys(const Packed& all, int head, int token,
                                              const bf16* qkv, const bf16* out,
                                              const float* log_sum_exp, const bf16* d_out,
                                              bf16* d_qkv) {
  const int distance = 3 * all.channels;
  const float scale = all.scale();
  const bf16* first = all.row_of_three(qkv, head, token) + all.channels;
  RowFragments<2, kWords> key;
  RowFragments<2, kWords> value;
  load_fragments<kWhole>(first, distance, all.length - token, all.d, all.lane, key);
  if (kOfKeys) {
    load_fragments<kWhole>(first + all.channels, distance, all.length - token, all.d, all.lane,
                           value);
  }
  float d_key[1][kWords][4] = {};
  float d_value[1][kWords][4] = {};
#pragma unroll 1
  for (int at = 0; at < all.length; at += 8 * kQueries) {
    const int queries = all.length - at;
    RowFragments<kQueries, kWords> q;
    RowFragments<kQueries, kWords> gradient;
    load_fragments<kWhole>(all.row_of_three(qkv, head, at), distance, queries, all.d, all.lane, q);
    load_fragments<kWhole>(all.row(d_out, head, at), all.channels, queries, all.d, all.lane,
                           gradient);
    const float* log = log_sum_exp + (all.start + at) * all.heads + head;
    float p[kQueries][4];
    row_products(key[0], key[1], q, p);
#pragma unroll
    for (int n = 0; n < kQueries; n++) {
#pragma unroll
      for (int e = 0; e < 2; e++) {
        const int query = 8 * n + 2 * (all.lane % 4) + e;
        const float shift = query < queries ? kLog2E * log[query * all.heads] : INFINITY;
        p[n][e] = exp2_fast(fmaf(kLog2E * scale, p[n][e], -shift));
        p[n][e + 2] = exp2_fast(fmaf(kLog2E * scale, p[n][e + 2], -shift));
      }
    }
    if (kOfValues) {
      Weights<kQueries, true> weights;
      weights.set(p);
#pragma unroll
      for (int step = 0; step < kQueries / 2; step++) {
#pragma unroll
        for (int w = 0; w < kWords; w++) {
          weights.multiply(step, transpose_8x8(gradient[2 * step][w]),
                           transpose_8x8(gradient[2 * step + 1][w]), d_value[0][w]);
        }
      }
    }
    if (kOfKeys) {
      float means[kQueries];
      load_means<kWhole>(all, head, at, out, gradient, means);
      float ds[kQueries][4];
      row_products(value[0], value[1], gradient, ds);
#pragma unroll
      for (int n = 0; n < kQueries; n++) {
#pragma unroll
        for (int e = 0; e < 2; e++) {
          // Row 2t + e of the queries is held by the lanes whose g that is.
          const float mean = __shfl_sync(kAllLanes, means[n], 4 * (2 * (all.lane % 4) + e));
          ds[n][e] = p[n][e] * (ds[n][e] - mean);
          ds[n][e + 2] = p[n][e + 2] * (ds[n][e + 2] - mean);
        }
      }
      Weights<kQueries, true> weights;
      weights.set(ds);
#pragma unroll
      for (int step = 0; step < kQueries / 2; step++) {
#pragma unroll
        for (int w = 0; w < kWords; w++) {
          weights.multiply(step, transpose_8x8(q[2 * step][w]), transpose_8x8(q[2 * step + 1][w]),
                           d_key[0][w]);
        }
      }
    }
  }
  bf16* target = all.row_of_three(d_qkv, head, token) + all.channels;
  if (kOfKeys) store_sums<kWhole>(all, d_key, scale, target, all.length - token);
  if (kOfValues) {
    store_sums<kWhole>(all, d_value, 1, target + all.channels, all.length - token);
  }
}

template <bool kWhole, int kWords, int kShort, int kKeys>
__device__ __forceinline__ void backward(const bf16* qkv, const int64* offsets, const bf16* out,
                                         const float* log_sum_exp, const bf16* d_out, bf16* d_qkv,
                                         int heads, int channels, int blocks) {
  const Packed all(offsets, heads, channels, blocks);
  if (kShort > 0 && all.length <= 16) {
    for_my_head(all, [&](int head) {
      backward_short<kWhole, 1, kWords>(all, head, qkv, log_sum_exp, d_out, d_qkv);
    });
  } else if (kShort > 1 && all.length <= 32) {
    for_my_head(all, [&](int head) {
      backward_short<kWhole, 2, kWords>(all, head, qkv, log_sum_exp, d_out, d_qkv);
    });
  } else {
    for_each_tile(all, [&](int head, int token) {
      backward_queries<kWhole, kKeys, kWords>(all, head, token, qkv, out, log_sum_exp,
                                                      d_out, d_qkv);
      if (kWords <= 8) {
        backward_keys<kWhole, true, true, kKeys, kWords>(all, head, token, qkv, out,
                                                                 log_sum_exp, d_out, d_qkv);
      } else {  // sums of both would not fit the registers
        backward_keys<kWhole, true, false, kKeys, kWords>(all, head, token, qkv, out,
                                                                  log_sum_exp, d_out, d_qkv);
        backward_keys<kWhole, false, true, kKeys, kWords>(all, head, token, qkv, out,
                                                                  log_sum_exp, d_out, d_qkv);
      }
    });
  }
}

}  // namespace
}  // namespace autosparse

using namespace autosparse;

// Entries, by the widest head: 16, 32, 64 or 128 channels whose rows fill loads (of 8 bytes for 16,
// of 16 bytes else), or "any" for other sizes up to 32; the rest is attention.cu's.
// qkv [T, 3·C], offsets [B+1], out [T, C], logSumExp [T, H]; B times `blocks` blocks of 64 threads,
// where `blocks` is at least H/2.
#define ATTENTION_KERNELS(NAME, WHOLE, WORDS, SHORT, KEYS, FORWARD_BLOCKS, BACK_SHORT, BACK_KEYS, \
                          BACKWARD_BLOCKS)                                                        \
  extern "C" __global__ void __launch_bounds__(64, FORWARD_BLOCKS)                                \
      attention_forward_##NAME##_bf16(const bf16* qkv, const int64* offsets, bf16* out,           \
                                      float* log_sum_exp, int heads, int channels, int blocks) {  \
    forward<WHOLE, WORDS, SHORT, KEYS>(qkv, offsets, out, log_sum_exp, heads, channels, blocks);  \
  }                                                                                               \
  extern "C" __global__ void __launch_bounds__(64, BACKWARD_BLOCKS)                               \
      attention_backward_##NAME##_bf16(const bf16* qkv, const int64* offsets, const bf16* out,    \
                                       const float* log_sum_exp, const bf16* d_out, bf16* d_qkv,  \
                                       int heads, int channels, int blocks) {                     \
    backward<WHOLE, WORDS, BACK_SHORT, BACK_KEYS>(qkv, offsets, out, log_sum_exp, d_out, d_qkv,   \
                                                  heads, channels, blocks);                       \
  }

ATTENTION_KERNELS(16, true, 2, 2, 4, 12, 2, 4, 8)
ATTENTION_KERNELS(32, true, 4, 2, 4, 10, 2, 4, 6)
ATTENTION_KERNELS(64, true, 8, 2, 4, 6, 1, 4, 4)
ATTENTION_KERNELS(128, true, 16, 0, 2, 4, 0, 2, 4)
ATTENTION_KERNELS(any, false, 4, 0, 4, 8, 0, 4, 6)
