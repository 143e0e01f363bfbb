// The first layer: one input channel that is 1 at every site, so that an output is the sum of the
// weights under its neighbourhood mask. No feature is gathered.
//
// Forward: a block holds, for 32 output channels, the sums of each 5 offsets' 32 subsets (5x5: 5
// groups, 20 KB of shared memory) and adds one entry a group, 4 channels a thread.
// Backward: a thread owns 4 channels and keeps one sum an offset in registers; 4 channels share each
// test of the mask. Partial sums of fixed slices, added by sum_partials.
#pragma once

#include "quads.cuh"
#include "sites.cuh"
#include "types.cuh"

namespace autosparse {

constexpr int kOnesChannels = 32;
constexpr int kOnesGroup = 5;  // offsets whose subsets one table holds
constexpr int kOnesSubsets = 1 << kOnesGroup;
constexpr int kOnesGroups = 5;  // of the largest kernel, 25 offsets
constexpr int kOnesSites = 2048;
constexpr int kOnesThreads = 256;

template <typename T>
__device__ __forceinline__ void ones_forward(const int* __restrict__ masks,
                                             const T* __restrict__ weight, int64 sites, int offsets,
                                             int fan_out, bool relu, T* __restrict__ y) {
  __shared__ float4 memory[kOnesGroups * kOnesSubsets * kOnesChannels / 4];
  float* table = reinterpret_cast<float*>(memory);  // [group, subset, channel]
  const int channel = blockIdx.y * kOnesChannels;
  const int groups = (offsets + kOnesGroup - 1) / kOnesGroup;
  if (threadIdx.x < groups * kOnesChannels) {
    const int group = threadIdx.x / kOnesChannels;
    const int c = threadIdx.x % kOnesChannels;
    float weights[kOnesGroup];
#pragma unroll
    for (int bit = 0; bit < kOnesGroup; bit++) {
      const int k = group * kOnesGroup + bit;
      const int64 at = static_cast<int64>(k) * fan_out + channel + c;
      weights[bit] = k < offsets && channel + c < fan_out ? to_float(weight[at]) : 0.0f;
    }
    float sums[kOnesSubsets];
    sums[0] = 0;
#pragma unroll
    for (int subset = 1; subset < kOnesSubsets; subset++) {
      // The subset without its lowest offset, and that offset.
      const int bit = subset & 1 ? 0 : subset & 2 ? 1 : subset & 4 ? 2 : subset & 8 ? 3 : 4;
      sums[subset] = sums[subset & (subset - 1)] + weights[bit];
    }
#pragma unroll
    for (int subset = 0; subset < kOnesSubsets; subset++) {
      table[(group * kOnesSubsets + subset) * kOnesChannels + c] = sums[subset];
    }
  }
  __syncthreads();

  const int quad = threadIdx.x % (kOnesChannels / 4) * 4;
  const int left = fan_out - channel - quad;
  const bool aligned = fan_out % 4 == 0 && is_packed(y);
  const int64 first = static_cast<int64>(blockIdx.x) * kOnesSites;
  const int64 end = first + kOnesSites < sites ? first + kOnesSites : sites;
  for (int64 site = first + threadIdx.x / (kOnesChannels / 4); site < end;
       site += kOnesThreads / (kOnesChannels / 4)) {
    unsigned mask = masks[site];
    float4 sum = make_float4(0, 0, 0, 0);
    for (int group = 0; group < groups; group++) {
      const int subset = mask & (kOnesSubsets - 1);
      mask >>= kOnesGroup;
      sum = sum + *reinterpret_cast<const float4*>(
                      table + (group * kOnesSubsets + subset) * kOnesChannels + quad);
    }
    if (relu) {  // NaN stays NaN
      sum = make_float4(sum.x < 0 ? 0 : sum.x, sum.y < 0 ? 0 : sum.y, sum.z < 0 ? 0 : sum.z,
                        sum.w < 0 ? 0 : sum.w);
    }
    T* target = y + site * fan_out + channel + quad;
    if (aligned) {
      store_quad<true>(target, sum, left);
    } else {
      store_quad<false>(target, sum, left);
    }
  }
}

constexpr int kOnesBackwardThreads = 128;

// partials [slices, offsets, C_out]; offsets <= kOffsets. Grid: (slices, ceil(C_out / 128)).
template <typename T, int kOffsets>
__device__ __forceinline__ void ones_backward(const int* __restrict__ masks,
                                              const T* __restrict__ dz, int64 sites, int offsets,
                                              int fan_out, float* __restrict__ partials) {
  constexpr int kUnroll = 4;
  constexpr int kWarps = kOnesBackwardThreads / 32;
  __shared__ float4 warp_sums[kWarps][32];
  const QuadLayout layout = quad_layout(fan_out);
  const int left = fan_out - layout.channel;
  const bool aligned = fan_out % 4 == 0 && is_packed(dz);
  float4 sum[kOffsets];
#pragma unroll
  for (int k = 0; k < kOffsets; k++) {
    sum[k] = make_float4(0, 0, 0, 0);
  }
  const int64 end = slice_start(sites, gridDim.x, blockIdx.x + 1);
  for (int64 from = slice_start(sites, gridDim.x, blockIdx.x) + layout.row; from < end;
       from += kUnroll * layout.rows) {
    unsigned mask[kUnroll];
    float4 value[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; u++) {
      const int64 site = from + u * layout.rows;
      mask[u] = site < end ? masks[site] : 0;
      value[u] = site < end && left > 0
                     ? load_quad(dz + site * fan_out + layout.channel, left, aligned)
                     : make_float4(0, 0, 0, 0);
    }
#pragma unroll
    for (int u = 0; u < kUnroll; u++) {
#pragma unroll
      for (int k = 0; k < kOffsets; k++) {
        if (mask[u] >> k & 1) {
          sum[k] = sum[k] + value[u];
        }
      }
    }
  }

  // Lanes of a warp that own the same channels add up, then the warps, always in the same order.
  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int k = 0; k < kOffsets; k++) {
    for (int step = 16; step >= layout.lanes; step /= 2) {
      sum[k] = sum[k] + make_float4(__shfl_xor_sync(kFullWarp, sum[k].x, step),
                                    __shfl_xor_sync(kFullWarp, sum[k].y, step),
                                    __shfl_xor_sync(kFullWarp, sum[k].z, step),
                                    __shfl_xor_sync(kFullWarp, sum[k].w, step));
    }
    __syncthreads();
    warp_sums[warp][lane] = sum[k];
    __syncthreads();
    if (threadIdx.x < layout.lanes && k < offsets) {
      float4 total = warp_sums[0][lane];
#pragma unroll
      for (int w = 1; w < kWarps; w++) {
        total = total + warp_sums[w][lane];
      }
      float* target = partials + (static_cast<int64>(blockIdx.x) * offsets + k) * fan_out;
      store_quad<false>(target + layout.channel, total, left);
    }
  }
}

}  // namespace autosparse
