// Weight gradient of a sparse convolution: for each offset k the product x[in]^T · dz[out] over the
// pairs (in, out) that have it.
//
// A block owns one offset, one of a fixed number of slices of the outputs and a tile of kFanIn by
// kFanOut channels. It lists the slice's outputs whose mask has the offset, 1,024 sites at a time and
// in their order, gathers the pairs' rows of x and dz, kPairs at a time, and adds their outer
// products. Where the tile is too small for eight warps they share the pairs out among them and add
// up at the end in a fixed tree. Each block writes a partial gradient; sum_partials adds those in
// the order of the slices. No atomics: the slices depend on shapes alone.
#pragma once

#include "async_copy.cuh"
#include "quads.cuh"
#include "sites.cuh"
#include "types.cuh"

namespace autosparse {

// Geometry of a weight gradient: a warp owns 32 input by 8·kThreadColumns output channels of the tile.
template <typename T_, int kFanIn_, int kFanOut_, int kThreadColumns_, int kPairs_, int kStages_,
          bool kAligned_>
struct GradientTiling {
  using T = T_;
  static constexpr int kFanIn = kFanIn_;
  static constexpr int kFanOut = kFanOut_;
  static constexpr int kThreadRows = 8;
  static constexpr int kThreadColumns = kThreadColumns_;
  static constexpr int kPairs = kPairs_;
  static constexpr int kStages = kStages_;
  static constexpr bool kAligned = kAligned_;
  static constexpr int kWarps = 8;
  static constexpr int kThreads = 32 * kWarps;
  static constexpr int kWarpsAcross = kFanOut / (8 * kThreadColumns);
  static constexpr int kTileWarps = kFanIn / 32 * kWarpsAcross;
  static constexpr int kSplit = kWarps / kTileWarps;  // groups of warps that share the pairs out
  static constexpr int kPack = Pack<T>::kSize;
  static constexpr int kStageElements = kPairs * (kFanIn + kFanOut);
  static_assert(kStages * kStageElements * sizeof(T) >= kSplit / 2 * kFanIn * kFanOut * 4,
                "the tree sum reuses the tiles");
  static_assert(kPairs % kSplit == 0, "each group of warps takes as many pairs");
};

constexpr int kChunkSites = 1024;

// Lists the pairs of the outputs [from, end) that have offset k; returns their number. The whole
// block calls it.
template <typename G>
__device__ __forceinline__ int list_pairs(const int64* __restrict__ pointers,
                                          const int* __restrict__ masks,
                                          const int* __restrict__ inputs, int64 from, int64 end,
                                          int k, int* pair_inputs, int* pair_outputs,
                                          int* counts) {
  constexpr int kRounds = kChunkSites / G::kThreads;
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  int input[kRounds];
  unsigned have[kRounds];
#pragma unroll
  for (int round = 0; round < kRounds; round++) {
    const int64 site = from + round * G::kThreads + threadIdx.x;
    const unsigned mask = site < end ? masks[site] : 0;
    const bool has = mask >> k & 1;
    input[round] = has ? inputs[pointers[site] + __popc(mask & ((1u << k) - 1))] : -1;
    have[round] = __ballot_sync(kFullWarp, has);
    if (lane == 0) {
      counts[round * G::kWarps + warp] = __popc(have[round]);
    }
  }
  __syncthreads();
  int total = 0;
#pragma unroll
  for (int round = 0; round < kRounds; round++) {
    int before = total;
    for (int w = 0; w < G::kWarps; w++) {
      before += w < warp ? counts[round * G::kWarps + w] : 0;
      total += counts[round * G::kWarps + w];
    }
    if (input[round] >= 0) {
      const int at = before + __popc(have[round] & ((1u << lane) - 1));
      pair_inputs[at] = input[round];
      pair_outputs[at] = static_cast<int>(from + round * G::kThreads + threadIdx.x);
    }
  }
  __syncthreads();
  return total;
}

// Rows [kPairs, kWidth] of a feature matrix, from the given channel on; zeros past the list's end.
template <typename G, int kWidth>
__device__ __forceinline__ void gather_rows(const typename G::T* __restrict__ features,
                                            const int* rows, int count, int channel, int channels,
                                            typename G::T* tile) {
  constexpr int kPacks = kWidth / G::kPack;
#pragma unroll 1  // addresses held for several copies would spill
  for (int i = threadIdx.x; i < G::kPairs * kPacks; i += G::kThreads) {
    const int pair = i / kPacks;
    const int c = channel + i % kPacks * G::kPack;
    const int left = pair < count ? channels - c : 0;
    const typename G::T* source =
        features + static_cast<int64>(pair < count ? rows[pair] : 0) * channels + c;
    if (G::kAligned) {
      copy_pack(tile + G::kPack * i, left > 0 ? source : features, left > 0);
    } else {
#pragma unroll
      for (int j = 0; j < G::kPack; j++) {
        tile[G::kPack * i + j] = j < left ? source[j] : from_float<typename G::T>(0.0f);
      }
    }
  }
}

// The whole of a block of the grid (K, slices, tiles); partials [slices, K, C_in, C_out].
template <typename G>
__device__ __forceinline__ void weight_gradient(
    const typename G::T* __restrict__ x, const typename G::T* __restrict__ dz,
    const int64* __restrict__ pointers, const int* __restrict__ masks,
    const int* __restrict__ inputs, int64 outputs, int fan_in, int fan_out,
    float* __restrict__ partials) {
  using T = typename G::T;
  extern __shared__ float4 memory[];
  __shared__ int pair_inputs[kChunkSites];
  __shared__ int pair_outputs[kChunkSites];
  __shared__ int counts[kChunkSites / 32];
  T* tiles = reinterpret_cast<T*>(memory);
  const int k = blockIdx.x;
  const int slices = gridDim.y;
  const int across = (fan_out + G::kFanOut - 1) / G::kFanOut;
  const int channel_in = blockIdx.z / across * G::kFanIn;
  const int channel_out = blockIdx.z % across * G::kFanOut;
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int group = warp / G::kTileWarps;
  const int row = warp % G::kTileWarps / G::kWarpsAcross * 32 + lane / 8 * 4;
  const int column = warp % G::kWarpsAcross * (8 * G::kThreadColumns) + lane % 8 * 4;

  float sum[G::kThreadRows][G::kThreadColumns];
#pragma unroll
  for (int i = 0; i < G::kThreadRows; i++) {
#pragma unroll
    for (int n = 0; n < G::kThreadColumns; n++) {
      sum[i][n] = 0;
    }
  }

  const int64 end = slice_start(outputs, slices, blockIdx.y + 1);
  for (int64 from = slice_start(outputs, slices, blockIdx.y); from < end; from += kChunkSites) {
    const int64 chunk_end = from + kChunkSites < end ? from + kChunkSites : end;
    const int count =
        list_pairs<G>(pointers, masks, inputs, from, chunk_end, k, pair_inputs, pair_outputs, counts);
    const int batches = (count + G::kPairs - 1) / G::kPairs;
    auto load = [&](int batch) {
      if (batch < batches) {
        T* tile = tiles + batch % G::kStages * G::kStageElements;
        const int first = batch * G::kPairs;
        gather_rows<G, G::kFanIn>(x, pair_inputs + first, count - first, channel_in, fan_in, tile);
        gather_rows<G, G::kFanOut>(dz, pair_outputs + first, count - first, channel_out, fan_out,
                                   tile + G::kPairs * G::kFanIn);
      }
      commit_copies();
    };
#pragma unroll
    for (int batch = 0; batch < G::kStages - 1; batch++) {
      load(batch);
    }
    for (int batch = 0; batch < batches; batch++) {
      wait_for_copies<G::kStages - 2>();
      __syncthreads();
      load(batch + G::kStages - 1);
      const T* tile_x = tiles + batch % G::kStages * G::kStageElements + row;
      const T* tile_z =
          tiles + batch % G::kStages * G::kStageElements + G::kPairs * G::kFanIn + column;
#pragma unroll 8
      for (int p = 0; p < G::kPairs / G::kSplit; p++) {
        const int pair = p * G::kSplit + group;
        float a[G::kThreadRows];
        float b[G::kThreadColumns];
#pragma unroll
        for (int q = 0; q < G::kThreadRows / 4; q++) {
          *reinterpret_cast<float4*>(a + 4 * q) =
              *reinterpret_cast<const float4*>(tile_x + pair * G::kFanIn + 16 * q);
        }
#pragma unroll
        for (int q = 0; q < G::kThreadColumns / 4; q++) {
          *reinterpret_cast<float4*>(b + 4 * q) =
              *reinterpret_cast<const float4*>(tile_z + pair * G::kFanOut + 32 * q);
        }
#pragma unroll
        for (int i = 0; i < G::kThreadRows; i++) {
#pragma unroll
          for (int n = 0; n < G::kThreadColumns; n++) {
            sum[i][n] = fmaf(a[i], b[n], sum[i][n]);
          }
        }
      }
    }
    __syncthreads();  // the lists and tiles have been read
  }

  // The groups of warps that shared the pairs add up: the upper half hands its sums to the lower,
  // until one is left.
  wait_for_copies<0>();
#pragma unroll
  for (int half = G::kSplit / 2; half > 0; half /= 2) {
    __syncthreads();
    float* slot = reinterpret_cast<float*>(memory) + (group % half) * G::kFanIn * G::kFanOut;
    if (group >= half && group < 2 * half) {
#pragma unroll
      for (int i = 0; i < G::kThreadRows; i++) {
#pragma unroll
        for (int n = 0; n < G::kThreadColumns; n += 4) {
          const int at = (row + i / 4 * 16 + i % 4) * G::kFanOut + column + n / 4 * 32;
          *reinterpret_cast<float4*>(slot + at) =
              make_float4(sum[i][n], sum[i][n + 1], sum[i][n + 2], sum[i][n + 3]);
        }
      }
    }
    __syncthreads();
    if (group < half) {
#pragma unroll
      for (int i = 0; i < G::kThreadRows; i++) {
#pragma unroll
        for (int n = 0; n < G::kThreadColumns; n++) {
          sum[i][n] += slot[(row + i / 4 * 16 + i % 4) * G::kFanOut + column + n / 4 * 32 + n % 4];
        }
      }
    }
  }
  if (group > 0) {
    return;
  }
  float* partial = partials + (static_cast<int64>(blockIdx.y) * gridDim.x + k) * fan_in * fan_out;
#pragma unroll
  for (int i = 0; i < G::kThreadRows; i++) {
    const int c = channel_in + row + i / 4 * 16 + i % 4;
#pragma unroll
    for (int n = 0; n < G::kThreadColumns; n++) {
      const int o = channel_out + column + n / 4 * 32 + n % 4;
      if (c < fan_in && o < fan_out) {
        partial[static_cast<int64>(c) * fan_out + o] = sum[i][n];
      }
    }
  }
}

}  // namespace autosparse
