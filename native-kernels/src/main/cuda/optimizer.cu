// Adam over many tensors in one launch, the norm of all gradients, and the running average of all
// weights.
//
// A table holds the tensors' addresses; their elements are cut into tiles of 4,096, and a block
// finds its tile's tensor by bisection. One launch updates the parameters of any network. The norm:
// one sum of squares a tile, by a fixed tree, then one block adds the tiles' sums in double
// precision, always in the same order.
// Adam zeroes the gradients that it has read, in the same pass: the next step accumulates into them,
// and a launch to zero each parameter's would cost more than the step.
//   norm     bytes 4 an element
//   Adam     bytes 32 an element (four read, four written), FLOPs 15
//   average  bytes 12 an element (two read, one written), FLOPs 3; behind Adam it finds a network's
//            weights in L2, so it is a launch of its own and Adam knows nothing of averages
// Bound: memory.
//
// Measured on an H100 80GB HBM3 (copy 2.95 TB/s), L2 flushed, median of 20, an empty launch 3.0 us;
// floor = bytes over the copy rate (Adam before it zeroed the gradients):
//                                  norm us (floor)   Adam us (floor)
//   3.1 M elements, 100 tensors       16.9 (4.2)        38.3 (29.4)
//   67 M elements, 1 tensor            105 (91)          648 (637)
// On an H200 (copy 4.04 TB/s, 2026-11-30), 4.2 M elements in three tensors, us (floor): Adam 38.4
// (16.7), Adam and the average by one table 52.9 (20.9), the average alone 17.2 (8.3).
#include "common/rows.cuh"

namespace autosparse {

// A tensor of the list; its tiles are number first_tile on. What a kernel does not use is null.
struct Entry {
  float* weight;
  float* gradient;
  float* first_moment;
  float* second_moment;
  float* average;
  int64 elements;
  int64 first_tile;
};

// One step's constants, rounded to float once.
struct AdamConstants {
  float coupled_decay;
  float decoupled_decay;
  float keep1;
  float take1;
  float keep2;
  float take2;
  float rate;
  float inverse_correction2;
  float epsilon;
};

namespace {

constexpr int kThreads = 256;
constexpr int kTile = 4096;

// What a block works on.
struct Tile {
  Entry entry;
  int64 from;
  int count;

  // The tensor is the last one that starts at or before the block's tile: an empty one has no tile.
  __device__ Tile(const Entry* entries, int tensors) {
    int low = 0;
    int high = tensors;
    while (high - low > 1) {
      int middle = low + (high - low) / 2;
      if (entries[middle].first_tile <= blockIdx.x) {
        low = middle;
      } else {
        high = middle;
      }
    }
    entry = entries[low];
    from = (blockIdx.x - entry.first_tile) * kTile;
    count = static_cast<int>(min(static_cast<int64>(kTile), entry.elements - from));
  }
};

// An element's update; `decay` of each kind is 0 unless it is used.
__device__ __forceinline__ void update(const AdamConstants& step, float clip, float& w, float g,
                                       float& m, float& v) {
  float gradient = fmaf(step.coupled_decay, w, g * clip);
  m = fmaf(step.keep1, m, step.take1 * gradient);
  v = fmaf(step.keep2, v, step.take2 * gradient * gradient);
  float deviation = sqrtf(v * step.inverse_correction2) + step.epsilon;
  w -= step.rate * m / deviation + step.decoupled_decay * w;
}

// The average moves to the weight by its share; as a sum of two products it would drift, since the
// shares, rounded, do not add up to one.
__device__ __forceinline__ void move(float share, float w, float& a) { a = fmaf(share, w - a, a); }

}  // namespace
}  // namespace autosparse

using namespace autosparse;

// squares [tiles]: the sums of squares of the gradients' tiles. Grid: tiles; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    square_tiles_f32(const Entry* entries, int tensors, double* squares) {
  __shared__ float slots[kThreads / kWarp];
  const Tile tile(entries, tensors);
  const float* g = tile.entry.gradient + tile.from;
  float sum = 0;
  int whole = is_packed(g) ? tile.count / 4 * 4 : 0;
#pragma unroll 4
  for (int i = 4 * threadIdx.x; i < whole; i += 4 * kThreads) {
    float4 four = load4(g + i);
    sum = fmaf(four.x, four.x, sum);
    sum = fmaf(four.y, four.y, sum);
    sum = fmaf(four.z, four.z, sum);
    sum = fmaf(four.w, four.w, sum);
  }
  for (int i = whole + threadIdx.x; i < tile.count; i += kThreads) sum = fmaf(g[i], g[i], sum);
  sum = block_sum(sum, slots);
  if (threadIdx.x == 0) squares[blockIdx.x] = sum;
}

// norm [1] = √Σ squares. One block of 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    norm_f32(const double* squares, int64 tiles, float* norm) {
  __shared__ double slots[kThreads / kWarp];
  double sum = 0;
  for (int64 t = threadIdx.x; t < tiles; t += kThreads) sum += squares[t];
  sum = block_sum(sum, slots);
  if (threadIdx.x == 0) norm[0] = static_cast<float>(sqrt(sum));
}

// The update; gradients are zero afterwards. Grid: tiles; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    adam_f32(const Entry* entries, int tensors, const float* norm, float clip_norm,
             float coupled_decay, float decoupled_decay, float keep1, float take1, float keep2,
             float take2, float rate, float inverse_correction2, float epsilon) {
  const AdamConstants step = {coupled_decay, decoupled_decay,     keep1,  take1, keep2, take2,
                              rate,          inverse_correction2, epsilon};
  const float clip = clip_norm > 0 ? fminf(1, clip_norm / norm[0]) : 1;
  const Tile tile(entries, tensors);
  float* w = tile.entry.weight + tile.from;
  float* g = tile.entry.gradient + tile.from;
  float* m = tile.entry.first_moment + tile.from;
  float* v = tile.entry.second_moment + tile.from;
  const bool packed = is_packed(w) && is_packed(g) && is_packed(m) && is_packed(v);
  const int whole = packed ? tile.count / 4 * 4 : 0;
#pragma unroll 2
  for (int i = 4 * threadIdx.x; i < whole; i += 4 * kThreads) {
    float4 w4 = load4(w + i);
    const float4 g4 = load4(g + i);
    float4 m4 = load4(m + i);
    float4 v4 = load4(v + i);
    update(step, clip, w4.x, g4.x, m4.x, v4.x);
    update(step, clip, w4.y, g4.y, m4.y, v4.y);
    update(step, clip, w4.z, g4.z, m4.z, v4.z);
    update(step, clip, w4.w, g4.w, m4.w, v4.w);
    store4(w + i, w4);
    store4(m + i, m4);
    store4(v + i, v4);
    store4(g + i, make_float4(0, 0, 0, 0));
  }
  for (int i = whole + threadIdx.x; i < tile.count; i += kThreads) {
    update(step, clip, w[i], g[i], m[i], v[i]);
    g[i] = 0;
  }
}

// average += share·(weight − average). Grid: tiles; 256 threads.
extern "C" __global__ void __launch_bounds__(256)
    average_f32(const Entry* entries, int tensors, float share) {
  const Tile tile(entries, tensors);
  const float* w = tile.entry.weight + tile.from;
  float* a = tile.entry.average + tile.from;
  const int whole = is_packed(w) && is_packed(a) ? tile.count / 4 * 4 : 0;
#pragma unroll 2
  for (int i = 4 * threadIdx.x; i < whole; i += 4 * kThreads) {
    const float4 w4 = load4(w + i);
    float4 a4 = load4(a + i);
    move(share, w4.x, a4.x);
    move(share, w4.y, a4.y);
    move(share, w4.z, a4.z);
    move(share, w4.w, a4.w);
    store4(a + i, a4);
  }
  for (int i = whole + threadIdx.x; i < tile.count; i += kThreads) move(share, w[i], a[i]);
}
