// The first layer: one input channel that is 1 at every site, so that an output is the sum of the weights under its
// neighbourhood mask. No feature is gathered.
//
// Forward: a block holds, for 32 output channels, the sums of each 5 offsets' 32 subsets (5x5: 5 groups, 20 KB of shared
// memory) and adds one entry a group, 4 channels a thread. Bytes: 4·N·(1 + C); bound by writing y.
// Backward: a lane owns a channel and keeps one sum an offset in registers; a warp reads the same site, so its mask is
// one broadcast. Bytes: 4·N·(1 + C); 25 additions a value. Partial sums of fixed slices, added by sum_partials.
#pragma once

#include "rows.cuh"
#include "weight_gradient.cuh"

namespace autosparse {

constexpr int ONES_CHANNELS = 32;
constexpr int ONES_GROUP = 5;                       // offsets whose subsets one table holds
constexpr int ONES_ENTRIES = 1 << ONES_GROUP;
constexpr int ONES_GROUPS = 5;                      // of the largest kernel, 25 offsets
constexpr int ONES_BLOCK_SITES = 2048;

__device__ inline void onesForward(const int* __restrict__ masks, const float* __restrict__ weight, int64 sites,
                                   int offsets, int fanOut, bool relu, bool vector, float* __restrict__ y) {
  __shared__ float4 memory[ONES_GROUPS * ONES_ENTRIES * ONES_CHANNELS / 4];
  float* table = reinterpret_cast<float*>(memory);  // [group, subset, channel]
  const int channel = blockIdx.y * ONES_CHANNELS;
  const int groups = (offsets + ONES_GROUP - 1) / ONES_GROUP;
  if (threadIdx.x < groups * ONES_CHANNELS) {
    const int group = threadIdx.x / ONES_CHANNELS;
    const int c = threadIdx.x % ONES_CHANNELS;
    float weights[ONES_GROUP];
#pragma unroll
    for (int bit = 0; bit < ONES_GROUP; bit++) {
      const int k = group * ONES_GROUP + bit;
      weights[bit] = k < offsets && channel + c < fanOut ? weight[(int64)k * fanOut + channel + c] : 0.0f;
    }
    float sums[ONES_ENTRIES];
    sums[0] = 0;
#pragma unroll
    for (int subset = 1; subset < ONES_ENTRIES; subset++) {
      // The subset without its lowest offset, and that offset.
      const int bit = subset & 1 ? 0 : subset & 2 ? 1 : subset & 4 ? 2 : subset & 8 ? 3 : 4;
      sums[subset] = sums[subset & (subset - 1)] + weights[bit];
    }
#pragma unroll
    for (int subset = 0; subset < ONES_ENTRIES; subset++) {
      table[(group * ONES_ENTRIES + subset) * ONES_CHANNELS + c] = sums[subset];
    }
  }
  __syncthreads();
  const int quad = threadIdx.x % (ONES_CHANNELS / 4) * 4;
  const int step = blockDim.x / (ONES_CHANNELS / 4);
  const int64 first = (int64)blockIdx.x * ONES_BLOCK_SITES;
  const int64 end = first + ONES_BLOCK_SITES < sites ? first + ONES_BLOCK_SITES : sites;
  for (int64 site = first + threadIdx.x / (ONES_CHANNELS / 4); site < end; site += step) {
    unsigned mask = masks[site];
    float4 sum = {0, 0, 0, 0};
    for (int group = 0; group < groups; group++) {
      const int subset = mask & (ONES_ENTRIES - 1);
      mask >>= ONES_GROUP;
      const float4 entry =
          *reinterpret_cast<const float4*>(table + (group * ONES_ENTRIES + subset) * ONES_CHANNELS + quad);
      sum = make_float4(sum.x + entry.x, sum.y + entry.y, sum.z + entry.z, sum.w + entry.w);
    }
    float values[4] = {sum.x, sum.y, sum.z, sum.w};
#pragma unroll
    for (int j = 0; j < 4; j++) {
      values[j] = relu && values[j] < 0.0f ? 0.0f : values[j];
    }
    float* target = y + site * fanOut + channel + quad;
    if (vector) {
      if (channel + quad < fanOut) {
        *reinterpret_cast<float4*>(target) = make_float4(values[0], values[1], values[2], values[3]);
      }
    } else {
      for (int j = 0; j < 4; j++) {
        if (channel + quad + j < fanOut) {
          target[j] = values[j];
        }
      }
    }
  }
}

// partials [slices, offsets, fanOut]. Launch: (slices, ceil(fanOut / 32)) blocks of 256; offsets <= K.
template <int K>
__device__ inline void onesBackward(const int* __restrict__ masks, const float* __restrict__ dz, int64 sites,
                                    int offsets, int fanOut, float* __restrict__ partials) {
  constexpr int WARPS = 8;
  constexpr int UNROLL = 4;
  __shared__ float warpSums[WARPS][K][32];
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int channel = blockIdx.y * 32 + lane;
  const bool active = channel < fanOut;
  float sum[K];
#pragma unroll
  for (int k = 0; k < K; k++) {
    sum[k] = 0;
  }
  const int64 end = sliceStart(sites, gridDim.x, blockIdx.x + 1);
  for (int64 from = sliceStart(sites, gridDim.x, blockIdx.x) + warp; from < end; from += UNROLL * WARPS) {
    unsigned mask[UNROLL];
    float value[UNROLL];
#pragma unroll
    for (int u = 0; u < UNROLL; u++) {
      const int64 site = from + u * WARPS;
      mask[u] = site < end ? masks[site] : 0;
      value[u] = site < end && active ? dz[site * fanOut + channel] : 0.0f;
    }
#pragma unroll
    for (int u = 0; u < UNROLL; u++) {
#pragma unroll
      for (int k = 0; k < K; k++) {
        sum[k] += mask[u] >> k & 1 ? value[u] : 0.0f;
      }
    }
  }
#pragma unroll
  for (int k = 0; k < K; k++) {
    warpSums[warp][k][lane] = sum[k];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < offsets * 32; i += 32 * WARPS) {
    const int k = i / 32;
    const int c = blockIdx.y * 32 + i % 32;
    float total = 0;
    for (int w = 0; w < WARPS; w++) {
      total += warpSums[w][k][i % 32];
    }
    if (c < fanOut) {
      partials[((int64)blockIdx.x * offsets + k) * fanOut + c] = total;
    }
  }
}

}  // namespace autosparse
