// Weight gradient of a sparse convolution on tensor cores: for each offset k the product
// x[in]^T · dz[out] over the pairs (in, out) that have it; bf16 features, fp32 sums.
//
// A block owns up to kOffsets offsets, a tile of kFanIn by kFanOut channels for each of them, and
// every slices-th chunk of kChunk outputs. It brings kSites outputs at a time into shared memory:
// their rows of dz once, and for each offset the neighbours' rows of x, zeros where there is none.
// A warp (or a warpgroup) multiplies the tile of each offset with the same fragments of dz; sixteen
// outputs of which none has an offset neither load nor multiply for it, so that with the outputs
// sorted by mask the work done is the pairs' own, however few they are. Neighbouring offsets of a
// kernel row read rows of x that were just read: those copies go through the L1.
//
// The neighbours of the next chunk are looked up while this one is copied: at its first step the
// inputs' numbers, at its last the masks, so that no step waits for a chain of loads.
//
// Each block writes a partial gradient; sum_partials adds those in the order of the slices. The
// order of all sums depends on shapes alone.
#pragma once

#include "async_copy.cuh"
#include "gradient_block.cuh"
#include "matrix_fragments.cuh"

namespace autosparse {

// Geometry. kWarpRows x kWarpColumns is a warp's part of the tile; warps left over share the
// outputs of a step out, sixteen each. kAligned requires channel counts that are multiples of 8 and
// features aligned to 16 bytes. kGroups: by warpgroups (wgmma), which multiply whole steps.
template <int kFanIn_, int kFanOut_, int kOffsets_, int kWarpRows_, int kWarpColumns_, int kSites_,
          int kStages_, int kChunk_, bool kAligned_, bool kGroups_>
struct GradientTiles {
  static constexpr int kFanIn = kFanIn_;
  static constexpr int kFanOut = kFanOut_;
  static constexpr int kOffsets = kOffsets_;
  static constexpr int kWarpRows = kWarpRows_;
  static constexpr int kWarpColumns = kWarpColumns_;
  static constexpr int kSites = kSites_;
  static constexpr int kStages = kStages_;
  static constexpr int kChunk = kChunk_;
  static constexpr bool kAligned = kAligned_;
  static constexpr bool kGroups = kGroups_;
  static constexpr int kThreads = 256;
  static constexpr int kWarps = kThreads / 32;
  static constexpr int kAcross = kFanOut / kWarpColumns;
  static constexpr int kTileWarps = kFanIn / kWarpRows * kAcross;
  static constexpr int kShares = kWarps / kTileWarps;
  static constexpr int kSums = kWarpRows * kWarpColumns / 32;  // of a thread for one offset
  // Steps that copies run ahead. Warpgroups leave one more buffer alone: the other group may still
  // read what the step before the last one brought.
  static constexpr int kAhead = kStages - (kGroups ? 2 : 1);
  static constexpr int kStepsOfChunk = kChunk / kSites;
  static constexpr int kFoundChunks = 4;  // products ask for what copies found up to two chunks ago
  using TileX = FragmentTile<kSites, kFanIn>;
  using TileZ = FragmentTile<kSites, kFanOut>;
  static constexpr int kStageElements = kOffsets * TileX::kElements + TileZ::kElements;
  static constexpr int kSharedBytes = 2 * kStages * kStageElements + 4 * GradientLists<GradientTiles>::kInts;
  static_assert(kTileWarps * kShares == kWarps && kSites % (16 * kShares) == 0, "whole warps");
  static_assert(kStepsOfChunk >= 2 && kAhead >= 1 && kAhead <= 4, "lists are ready in time");
  static_assert(2 * kStages * kStageElements >= kShares / 2 * kOffsets * kFanIn * kFanOut * 4,
                "the tree sum reuses the tiles");
};

// Eight channels of a feature row; those from `left` on are zero, and all of them without a row.
template <typename G>
__device__ __forceinline__ void load_eight(bf16* target, const bf16* __restrict__ features,
                                           int row, int channels, int channel) {
  const int left = row < 0 ? 0 : channels - channel;
  const bf16* source = features + static_cast<int64>(row) * channels + channel;
  if constexpr (G::kAligned) {
    copy_pack_through_l1(target, left > 0 ? source : features, left > 0);
  } else {
    Pack<bf16> pack;
#pragma unroll
    for (int j = 0; j < 8; j++) {
      pack.element[j] = j < left ? source[j] : from_float<bf16>(0.0f);
    }
    store_pack(target, pack);
  }
}

// Starts the copies of one step.
template <typename G>
__device__ __forceinline__ void load_step(const bf16* __restrict__ x, const bf16* __restrict__ dz,
                                          const GradientLists<G>& lists, int chunk, int first_site,
                                          int fan_in, int fan_out, int channel_in, int channel_out,
                                          bf16* stage) {
  const unsigned* found = lists.found_of(chunk);
  const int* neighbors = lists.neighbors_of(chunk);
  constexpr int kPacks = G::kFanIn / 8;
  constexpr int kRounds = (G::kSites * kPacks + G::kThreads - 1) / G::kThreads;
#pragma unroll
  for (int round = 0; round < kRounds; round++) {
    const int i = round * G::kThreads + threadIdx.x;
    const int row = i / kPacks;
    const int pack = i % kPacks;
    if (G::kSites * kPacks % G::kThreads == 0 || row < G::kSites) {
      const unsigned any = G::kGroups ? ~0u : found[(first_site + row) / 16];
#pragma unroll
      for (int k = 0; k < G::kOffsets; k++) {
        if (any >> k & 1) {
          load_eight<G>(stage + k * G::TileX::kElements + G::TileX::at(row, pack), x,
                        neighbors[k * G::kChunk + first_site + row], fan_in,
                        channel_in + 8 * pack);
        }
      }
    }
  }
  bf16* tile_z = stage + G::kOffsets * G::TileX::kElements;
  const int* sites = lists.sites_of(chunk);
  constexpr int kPacksZ = G::kFanOut / 8;
  constexpr int kRoundsZ = (G::kSites * kPacksZ + G::kThreads - 1) / G::kThreads;
#pragma unroll
  for (int round = 0; round < kRoundsZ; round++) {
    const int i = round * G::kThreads + threadIdx.x;
    const int row = i / kPacksZ;
    const int pack = i % kPacksZ;
    if (G::kSites * kPacksZ % G::kThreads == 0 || row < G::kSites) {
      const unsigned any = G::kGroups ? ~0u : found[(first_site + row) / 16];
      if (any != 0) {
        load_eight<G>(tile_z + G::TileZ::at(row, pack), dz, sites[first_site + row], fan_out,
                      channel_out + 8 * pack);
      }
    }
  }
}

// Adds the products of one step, sixteen outputs at a time.
template <typename G>
__device__ __forceinline__ void multiply_step(const bf16* stage, const unsigned* found,
                                              float (&sum)[G::kOffsets][G::kSums]) {
  constexpr int kDown = G::kWarpRows / 16;
  constexpr int kTiles = G::kWarpColumns / 8;
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32;
  const int share = warp / G::kTileWarps;
  const int pack_x = warp % G::kTileWarps / G::kAcross * (G::kWarpRows / 8) + (lane >> 3 & 1);
  const int pack_z = warp % G::kAcross * (G::kWarpColumns / 8) + lane / 16;
#pragma unroll
  for (int sixteen = share; sixteen < G::kSites / 16; sixteen += G::kShares) {
    const unsigned any = found[sixteen];
    if (any == 0) {
      continue;
    }
    const bf16* tile_z = stage + G::kOffsets * G::TileX::kElements;
    unsigned b[kTiles / 2][4];
#pragma unroll
    for (int n = 0; n < kTiles / 2; n++) {
      load_transposed(b[n],
                      tile_z + G::TileZ::at(16 * sixteen + (lane & 15), pack_z + 2 * n));
    }
#pragma unroll
    for (int k = 0; k < G::kOffsets; k++) {
      if (any >> k & 1) {
#pragma unroll
        for (int i = 0; i < kDown; i++) {
          unsigned a[4];
          load_transposed(a, stage + k * G::TileX::kElements +
                                 G::TileX::at(16 * sixteen + (lane & 7) + lane / 16 * 8,
                                              pack_x + 2 * i));
#pragma unroll
          for (int n = 0; n < kTiles; n++) {
            multiply_16x8(sum[k] + 4 * (i * kTiles + n), a, b[n / 2][n % 2 * 2],
                          b[n / 2][n % 2 * 2 + 1]);
          }
        }
      }
    }
  }
}

// As multiply_step, all outputs of the step and all offsets, by warpgroups of 64 input channels.
template <typename G>
__device__ __forceinline__ void multiply_step_by_groups(const bf16* stage,
                                                        float (&sum)[G::kOffsets][G::kSums]) {
  const unsigned address = shared_address_of(stage);
  constexpr int kBlockBytes = 2 * G::kSites * 64;
  const unsigned address_x = address + threadIdx.x / 128 * kBlockBytes;
  const unsigned address_z = address + 2 * G::kOffsets * G::TileX::kElements;
  begin_products();
#pragma unroll
  for (int sixteen = 0; sixteen < G::kSites / 16; sixteen++) {
#pragma unroll
    for (int k = 0; k < G::kOffsets; k++) {
      multiply_by_group(
          sum[k],
          operand<64>(address_x + 2 * k * G::TileX::kElements + sixteen * 2048, kBlockBytes),
          operand<64>(address_z + sixteen * 2048, kBlockBytes));
    }
  }
  commit_products();
}

// The warps that shared the outputs of each step add up: the upper half hands its sums to the lower,
// until one is left.
template <typename G>
__device__ __forceinline__ void add_shares(float4* memory, float (&sum)[G::kOffsets][G::kSums]) {
  const int share = threadIdx.x / 32 / G::kTileWarps;
  const int thread = threadIdx.x % (32 * G::kTileWarps);
  constexpr int kThreadsOfShare = 32 * G::kTileWarps;
#pragma unroll
  for (int half = G::kShares / 2; half > 0; half /= 2) {
    float4* slot = memory + share % half * (G::kOffsets * G::kSums / 4) * kThreadsOfShare + thread;
    __syncthreads();
    if (share >= half && share < 2 * half) {
      leave_sums(sum, slot, kThreadsOfShare);
    }
    __syncthreads();
    if (share < half) {
      add_sums(sum, slot, kThreadsOfShare);
    }
  }
}

// The whole of a block of the grid (groups of offsets, slices, tiles); partials [slices, K, C_in,
// C_out].
template <typename G>
__device__ __forceinline__ void gradient_of_tiles(
    const bf16* __restrict__ x, const bf16* __restrict__ dz, const int64* __restrict__ pointers,
    const int* __restrict__ masks, const int* __restrict__ inputs, const int* __restrict__ order,
    int64 outputs, int offsets, int fan_in, int fan_out, float* __restrict__ partials) {
  extern __shared__ __align__(1024) float4 memory[];
  bf16* stages = reinterpret_cast<bf16*>(memory);
  const GradientLists<G> lists(stages + G::kStages * G::kStageElements);
  const GradientPart<G> part(outputs, fan_out);
  float sum[G::kOffsets][G::kSums];
  clear_sums(sum);

  Lookup<G::kOffsets> next;
  look_up_mask<G>(pointers, masks, site_of_chunk<G>(order, outputs, 0, threadIdx.x), next);
  look_up_inputs<G>(inputs, next);
  list_chunk<G>(next, 0, threadIdx.x, lists);
  int site = site_of_chunk<G>(order, outputs, 1, threadIdx.x);
  look_up_mask<G>(pointers, masks, site, next);
  __syncthreads();

  // Starts the copies of a step and prepares the list of the chunk after its own.
  auto load = [&](int step) {
    const int chunk = step / G::kStepsOfChunk;
    const int within = step % G::kStepsOfChunk;
    if (step < part.steps) {
      load_step<G>(x, dz, lists, chunk, within * G::kSites, fan_in, fan_out, part.channel_in,
                   part.channel_out, stages + step % G::kStages * G::kStageElements);
      if (within == 0) {
        look_up_inputs<G>(inputs, next);
        site = site_of_chunk<G>(order, outputs, chunk + 2, threadIdx.x);
      } else if (within == G::kStepsOfChunk - 1) {
        list_chunk<G>(next, chunk + 1, threadIdx.x, lists);
        look_up_mask<G>(pointers, masks, site, next);
      }
    }
    commit_copies();
  };
#pragma unroll
  for (int step = 0; step < G::kAhead; step++) {
    load(step);
    if (step % G::kStepsOfChunk == G::kStepsOfChunk - 1) {
      __syncthreads();  // the next chunk's list
    }
  }
  for (int step = 0; step < part.steps; step++) {
    wait_for_copies<G::kAhead - 1>();
    if constexpr (G::kGroups) {
      publish_copies();
    }
    __syncthreads();
    const bf16* stage = stages + step % G::kStages * G::kStageElements;
    if constexpr (G::kGroups) {
      multiply_step_by_groups<G>(stage, sum);
      load(step + G::kAhead);
      wait_for_products<1>();
    } else {
      load(step + G::kAhead);
      multiply_step<G>(stage,
                       lists.found_of(step / G::kStepsOfChunk) +
                           step % G::kStepsOfChunk * (G::kSites / 16),
                       sum);
    }
  }
  if constexpr (G::kGroups) {
    wait_for_products<0>();
  }
  wait_for_copies<0>();
  add_shares<G>(memory, sum);
  const int warp = threadIdx.x / 32;
  if (warp >= G::kTileWarps) {
    return;
  }
  const int lane = threadIdx.x & 31;
  constexpr int kTiles = G::kWarpColumns / 8;
  float* partial = partials + static_cast<int64>(blockIdx.y) * offsets * fan_in * fan_out;
#pragma unroll
  for (int k = 0; k < G::kOffsets; k++) {
#pragma unroll
    for (int i = 0; i < G::kSums; i += 2) {
      const int tile = i / 4;
      const int c = part.channel_in + warp / G::kAcross * G::kWarpRows + tile / kTiles * 16 +
                    i % 4 / 2 * 8 + lane / 4;
      const int o = part.channel_out + warp % G::kAcross * G::kWarpColumns + tile % kTiles * 8 +
                    lane % 4 * 2;
      if (offset_of_block(k) < offsets && c < fan_in && o < fan_out) {
        float* target = partial + (static_cast<int64>(offset_of_block(k)) * fan_in + c) * fan_out + o;
        if (G::kAligned) {
          *reinterpret_cast<float2*>(target) = make_float2(sum[k][i], sum[k][i + 1]);
        } else {
          target[0] = sum[k][i];
          if (o + 1 < fan_out) {
            target[1] = sum[k][i + 1];
          }
        }
      }
    }
  }
}

}  // namespace autosparse
