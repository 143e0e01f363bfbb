// How attention over packed sequences is cut into tiles, and how these move between device memory
// and shared memory. A tile is some rows (tokens) of one head, or all rows of several heads of one
// short sequence, one head behind the other.
#pragma once

#include "rows.cuh"

namespace autosparse {

// What all items of a launch share.
struct Heads {
  int count;
  int d;
  int channels;
  int lanes;   // that share two rows
  int slots;   // rows of a tile
  int stride;  // floats from one row of a tile to the next
  bool vectored;

  __device__ Heads(int heads, int all_channels, int lanes_of_rows, int chunks, int least_columns)
      : count(heads),
        d(all_channels / heads),
        channels(all_channels),
        lanes(lanes_of_rows),
        slots(2 * kWarp / lanes_of_rows),
        stride(max(4 * chunks * lanes_of_rows, least_columns) + 4),
        vectored(d % 4 == 0) {}
};

// One warp's work: a tile of queries (backward also of keys) of one head or of several.
struct Item {
  int64 start;  // first token of the sequence
  int length;   // tokens of the sequence
  int tiles;
  int tile;
  int first_head;
  int heads;
  int pitch;  // rows from one head of a tile to the next, even: no pair of rows has two heads

  __device__ int rows(const Heads& all, int which) const {
    return min(all.slots, length - which * all.slots);
  }

  __device__ int64 token(const Heads& all, int which) const {
    return start + static_cast<int64>(which) * all.slots;
  }
};

// Runs a warp's items of the block's sequence: blocks (sequence, 0…gridDim.y − 1) share its items.
template <int kWarps, typename Work>
__device__ __forceinline__ void for_each_item(const Heads& all, const int64* offsets, Work work) {
  const int64 start = offsets[blockIdx.x];
  const int length = static_cast<int>(offsets[blockIdx.x + 1] - start);
  if (length <= 0) return;
  const int pitch = min(all.slots, (length + 1) / 2 * 2);
  const int heads_of_item = min(all.count, all.slots / pitch);
  const int groups = (all.count + heads_of_item - 1) / heads_of_item;
  const int tiles = (length + all.slots - 1) / all.slots;
  const int items = groups * tiles;  // with more, the pairs of tokens would take years
  for (int i = blockIdx.y * kWarps + threadIdx.x / kWarp; i < items; i += gridDim.y * kWarps) {
    const int tile = i / groups;
    const int first_head = (i - tile * groups) * heads_of_item;
    const int heads = min(heads_of_item, all.count - first_head);
    work(Item{start, length, tiles, tile, first_head, heads, pitch});
  }
}

// How a warp walks over a tile: each lane keeps to one group of four channels of every so-manieth
// row (rows of more than 32 groups: several groups).
struct Walk {
  int width;  // lanes of one row
  int row;
  int step;
  int channel;

  __device__ Walk(int groups, int lane)
      : width(min(groups, kWarp)),
        row(lane / width),
        step(kWarp / width),
        channel(4 * (lane % width)) {}
};

// Copies tile `which` of N neighbours among q, k and v to shared memory, zero in the channels that
// pad d.
template <typename T, int kChunks, int N>
__device__ __forceinline__ void load_tiles(const Heads& all, const Item& item, int which,
                                           const T* qkv, float* const (&tiles)[N], int lane) {
  const Walk walk(kChunks * all.lanes, lane);
  const int rows = item.rows(all, which);
  const int64 distance = 3LL * all.channels;
  for (int g = 0; g < item.heads; g++) {
    const T* source =
        qkv + (item.token(all, which) + walk.row) * distance + (item.first_head + g) * all.d;
    int at = (g * item.pitch + walk.row) * all.stride;
#pragma unroll 2
    for (int row = walk.row; row < rows; row += walk.step) {
      for (int c = walk.channel; c < 4 * kChunks * all.lanes; c += 4 * kWarp) {
        float4 values[N];
#pragma unroll
        for (int n = 0; n < N; n++) {
          values[n] = load4_partly(source + n * all.channels, c, all.d, all.vectored);
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
template <typename T, int kChunks>
__device__ __forceinline__ void load_gradients(const Heads& all, const Item& item, int which,
                                               const T* d_out, const T* out, float* tile,
                                               float* means, int lane) {
  const Walk walk(kChunks * all.lanes, lane);
  const int rows = item.rows(all, which);
  for (int g = 0; g < item.heads; g++) {
    int64 from = (item.token(all, which) + walk.row) * all.channels + (item.first_head + g) * all.d;
    int at = (g * item.pitch + walk.row) * all.stride;
#pragma unroll 2
    for (int row = walk.row; row - walk.row < rows; row += walk.step) {
      float product = 0;
      if (row < rows) {
        for (int c = walk.channel; c < 4 * kChunks * all.lanes; c += 4 * kWarp) {
          const float4 a = load4_partly(d_out + from, c, all.d, all.vectored);
          const float4 b = load4_partly(out + from, c, all.d, all.vectored);
          product += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
          store4(tile + at + c, a);
        }
      }
      for (int distance = walk.width / 2; distance > 0; distance /= 2) {
        product += __shfl_xor_sync(kAllLanes, product, distance);
      }
      if (row < rows && walk.channel == 0) means[g * item.pitch + row] = product;
      from += static_cast<int64>(walk.step) * all.channels;
      at += walk.step * all.stride;
    }
  }
}

// The logarithms of the rows of tile `which`, as powers of two.
__device__ __forceinline__ void load_logs(const Heads& all, const Item& item, int which,
                                          const float* log_sum_exp, float* logs, int lane) {
  const int head = lane / item.pitch;
  const int row = lane - head * item.pitch;
  if (head < item.heads && row < item.rows(all, which)) {
    const int64 token = item.token(all, which) + row;
    logs[lane] = kLog2E * log_sum_exp[token * all.count + item.first_head + head];
  }
}

}  // namespace autosparse
