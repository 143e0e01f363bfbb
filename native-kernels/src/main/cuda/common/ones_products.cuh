// The first layer in bf16: one input channel that is 1 at every site, so that an output is the sum
// of the weights under its neighbourhood mask (ones_convolution.cuh is the same in fp32).
//
// Both directions are products with the matrix of the masks' bits, zeros and ones, whose fragments
// are made from the masks in registers: y = bits · weight, dWeight = bits^T · dz. Forward, a weight
// is the sum of two bf16 numbers (16 bits of mantissa), and a warp keeps those of its 32 channels in
// registers. Backward, no operand passes through shared memory: which site is which row of a
// fragment and which channel which column is free, and chosen such that a lane's 16-byte loads hold
// what it needs. Partial sums of fixed slices, added by sum_partials.
#pragma once

#include "matrix_fragments.cuh"
#include "quads.cuh"
#include "sites.cuh"

namespace autosparse {

constexpr unsigned kOneBf16 = 0x3F80;

// Two bits as two bf16 numbers, the lower one first.
__device__ __forceinline__ unsigned bits_as_numbers(unsigned low, unsigned high) {
  return ((low & 1) | (high & 1) << 16) * kOneBf16;
}

__device__ __forceinline__ unsigned pack_pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const unsigned*>(&pair);
}

constexpr int kOnesProductThreads = 256;
constexpr int kOnesProductSites = 512;  // of a block
constexpr int kOnesProductChannels = 128;

// Offsets up to 16·kDepth. Grid: (ceil(N / 512), ceil(C / 128)).
template <int kDepth>
__device__ __forceinline__ void ones_forward_product(const int* __restrict__ masks,
                                                     const float* __restrict__ weight,
                                                     int64 sites, int offsets, int fan_out,
                                                     bool relu, bf16* __restrict__ y) {
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int g = lane / 4;
  const int t = lane % 4;
  // Warps lie side by side along the channels, 32 each, and what is left of them along the sites.
  const int width = fan_out - blockIdx.y * kOnesProductChannels;
  const int across = width > 64 ? 4 : width > 32 ? 2 : 1;
  const int channel = blockIdx.y * kOnesProductChannels + warp % across * 32;
  if (channel >= fan_out) {
    return;
  }
  const bool aligned = fan_out % 8 == 0 && is_packed(y);

  // Column j of tile n is channel 8·(j / 2) + 2n + j % 2, so that a lane ends up with 8 neighbours.
  unsigned high[kDepth][4][2];
  unsigned low[kDepth][4][2];
#pragma unroll
  for (int d = 0; d < kDepth; d++) {
#pragma unroll
    for (int n = 0; n < 4; n++) {
      const int c = channel + 8 * (g / 2) + 2 * n + g % 2;
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float value[2];
        float rest[2];
#pragma unroll
        for (int e = 0; e < 2; e++) {
          const int k = 16 * d + 8 * half + 2 * t + e;
          value[e] =
              k < offsets && c < fan_out ? weight[static_cast<int64>(k) * fan_out + c] : 0.0f;
          rest[e] = value[e] - __bfloat162float(__float2bfloat16_rn(value[e]));
        }
        high[d][n][half] = pack_pair(value[0], value[1]);
        low[d][n][half] = pack_pair(rest[0], rest[1]);
      }
    }
  }

  const int64 first = static_cast<int64>(blockIdx.x) * kOnesProductSites;
  const int64 end = first + kOnesProductSites < sites ? first + kOnesProductSites : sites;
  const int step = 32 * (kOnesProductThreads / 32 / across);
  int64 from = first + warp / across * 32;
  unsigned next = from + lane < end ? masks[from + lane] : 0;
  for (; from < end; from += step) {
    const unsigned own = next;
    next = from + step + lane < end ? masks[from + step + lane] : 0;
#pragma unroll
    for (int sixteen = 0; sixteen < 2; sixteen++) {
      const unsigned upper = __shfl_sync(kFullWarp, own, 16 * sixteen + g);
      const unsigned lower = __shfl_sync(kFullWarp, own, 16 * sixteen + g + 8);
      float sum[4][4] = {};
#pragma unroll
      for (int d = 0; d < kDepth; d++) {
        unsigned a[4];
#pragma unroll
        for (int half = 0; half < 2; half++) {
          const int bit = 16 * d + 8 * half + 2 * t;
          a[2 * half] = bits_as_numbers(upper >> bit, upper >> (bit + 1));
          a[2 * half + 1] = bits_as_numbers(lower >> bit, lower >> (bit + 1));
        }
#pragma unroll
        for (int n = 0; n < 4; n++) {
          multiply_16x8(sum[n], a, low[d][n][0], low[d][n][1]);
          multiply_16x8(sum[n], a, high[d][n][0], high[d][n][1]);
        }
      }
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int64 site = from + 16 * sixteen + 8 * half + g;
        const int c = channel + 8 * t;
        if (site < end && c < fan_out) {
          Pack<bf16> pack;
#pragma unroll
          for (int n = 0; n < 4; n++) {
#pragma unroll
            for (int e = 0; e < 2; e++) {
              const float value = sum[n][2 * half + e];
              pack.element[2 * n + e] = __float2bfloat16_rn(relu && value < 0 ? 0 : value);
            }
          }
          bf16* target = y + site * fan_out + c;
          if (aligned) {
            store_pack(target, pack);
          } else {
#pragma unroll
            for (int j = 0; j < 8; j++) {
              if (c + j < fan_out) {
                target[j] = pack.element[j];
              }
            }
          }
        }
      }
    }
  }
}

constexpr int kOnesGradientThreads = 128;

// Eight (16 bytes) or four channels of a row; those from `left` on are zero.
template <int kVector>
__device__ __forceinline__ void load_channels(const bf16* __restrict__ source, int left,
                                              bool aligned, unsigned (&words)[kVector / 2]) {
  if (aligned) {
    if constexpr (kVector == 8) {
      const uint4 value = left > 0 ? *reinterpret_cast<const uint4*>(source) : make_uint4(0, 0, 0, 0);
      words[0] = value.x;
      words[1] = value.y;
      words[2] = value.z;
      words[3] = value.w;
    } else {
      const uint2 value = left > 0 ? *reinterpret_cast<const uint2*>(source) : make_uint2(0, 0);
      words[0] = value.x;
      words[1] = value.y;
    }
    return;
  }
#pragma unroll
  for (int j = 0; j < kVector / 2; j++) {
    const unsigned short* bits = reinterpret_cast<const unsigned short*>(source);
    const unsigned low = 2 * j < left ? bits[2 * j] : 0;
    const unsigned high = 2 * j + 1 < left ? bits[2 * j + 1] : 0;
    words[j] = low | high << 16;
  }
}

// partials [slices, offsets, C_out]; offsets up to 16·kTiles; a lane loads kVector channels, hence a
// warp owns 8·kVector of them. Grid: (slices, ceil(C / (16·kVector))) for two warps across, or
// ceil(C / (8·kVector)) for one.
template <int kTiles, int kVector, int kAcross>
__device__ __forceinline__ void ones_backward_product(const int* __restrict__ masks,
                                                      const bf16* __restrict__ dz, int64 sites,
                                                      int offsets, int fan_out,
                                                      float* __restrict__ partials) {
  constexpr int kWarps = kOnesGradientThreads / 32;
  constexpr int kDown = kWarps / kAcross;
  constexpr int kWidth = 8 * kVector;
  __shared__ float sums[kWarps][16 * kTiles * kWidth];
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int g = lane / 4;
  const int t = lane % 4;
  const int first_channel = blockIdx.y * kAcross * kWidth;
  const int channel = first_channel + warp % kAcross * kWidth + g * kVector;
  const int left = fan_out - channel;
  const bool aligned = fan_out % kVector == 0 && is_packed(dz);

  float sum[kTiles][kVector][4] = {};
  const int64 groups = (sites + 31) / 32;
  const int64 end = slice_start(groups, gridDim.x, blockIdx.x + 1);
  int64 group = slice_start(groups, gridDim.x, blockIdx.x) + warp / kAcross;
  // Of a group of 32 sites: their masks, and four sites' channels of each half of them. The next
  // group's loads start as soon as a half has been used.
  unsigned words[2][4][kVector / 2];
  auto load_half = [&](int64 of, int half) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int64 site = of * 32 + 16 * half + i / 2 * 8 + 2 * t + i % 2;
      load_channels<kVector>(dz + site * fan_out + channel, of < end && site < sites ? left : 0,
                             aligned, words[half][i]);
    }
  };
  auto load_masks = [&](int64 of) {
    return of < end && of * 32 + lane < sites ? masks[of * 32 + lane] : 0;
  };
  unsigned own = load_masks(group);
  load_half(group, 0);
  load_half(group, 1);
  for (; group < end; group += kDown) {
    const unsigned next = load_masks(group + kDown);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      unsigned bits[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        bits[i] = __shfl_sync(kFullWarp, own, 16 * half + i / 2 * 8 + 2 * t + i % 2) >> g;
      }
#pragma unroll
      for (int tile = 0; tile < kTiles; tile++) {
        unsigned a[4];
#pragma unroll
        for (int i = 0; i < 2; i++) {
          a[i] = bits_as_numbers(bits[0] >> (16 * tile + 8 * i), bits[1] >> (16 * tile + 8 * i));
          a[2 + i] =
              bits_as_numbers(bits[2] >> (16 * tile + 8 * i), bits[3] >> (16 * tile + 8 * i));
        }
#pragma unroll
        for (int j = 0; j < kVector; j++) {
          // Channel j of two sites: the low or high halves of their words.
          const unsigned pick = j % 2 == 0 ? 0x5410 : 0x7632;
          multiply_16x8(sum[tile][j], a,
                        __byte_perm(words[half][0][j / 2], words[half][1][j / 2], pick),
                        __byte_perm(words[half][2][j / 2], words[half][3][j / 2], pick));
        }
      }
      load_half(group + kDown, half);
    }
    own = next;
  }

  // Column c of tile j is channel kVector·c + j of the warp's.
#pragma unroll
  for (int tile = 0; tile < kTiles; tile++) {
#pragma unroll
    for (int j = 0; j < kVector; j++) {
#pragma unroll
      for (int e = 0; e < 4; e++) {
        const int offset = 16 * tile + e / 2 * 8 + g;
        sums[warp][offset * kWidth + kVector * (2 * t + e % 2) + j] = sum[tile][j][e];
      }
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < offsets * kAcross * kWidth; i += kOnesGradientThreads) {
    const int offset = i / (kAcross * kWidth);
    const int c = i % (kAcross * kWidth);
    float total = 0;
#pragma unroll
    for (int down = 0; down < kDown; down++) {
      total += sums[down * kAcross + c / kWidth][offset * kWidth + c % kWidth];
    }
    if (first_channel + c < fan_out) {
      partials[(static_cast<int64>(blockIdx.x) * offsets + offset) * fan_out + first_channel + c] =
          total;
    }
  }
}

}  // namespace autosparse
