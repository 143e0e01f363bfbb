// The weight gradient of gradient_tiles.cuh for warpgroups (wgmma, sm_90a). Two of them multiply
// out of shared memory; the warps of a third (or two more) do nothing but gather: they look up
// neighbours three chunks ahead and copy rows into a ring of stages, whose barriers the copies
// themselves complete. So gathering and products run beside each other and neither waits for a chain
// of loads.
//
// A stage holds kSites outputs: for each offset a tile of the neighbours' rows of x, then their rows
// of dz. A product is 64 rows by kColumns columns of depth 16: the rows are the channels of one
// offset's x, or the 32 channels each of two neighbouring offsets. Sixteen outputs of which none has
// the offset (or either of two) are neither loaded nor multiplied.
#pragma once

#include "gradient_block.cuh"
#include "matrix_fragments.cuh"

namespace autosparse {

// What a warpgroup multiplies: half of the outputs, half the columns of the tile or half of the
// offsets.
enum class Role { kShares, kColumnGroups, kOffsetGroups };

template <int kFanIn_, int kFanOut_, int kOffsets_, Role kRole_, int kSites_, int kStages_,
          int kLoaders_, int kLoaderRegisters_, int kRegisters_>
struct GradientGroups {
  static constexpr int kFanIn = kFanIn_;
  static constexpr int kFanOut = kFanOut_;
  static constexpr int kOffsets = kOffsets_;
  static constexpr Role kRole = kRole_;
  static constexpr int kSites = kSites_;
  static constexpr int kStages = kStages_;
  static constexpr int kLoaders = kLoaders_;  // threads that gather
  static constexpr int kLoaderRegisters = kLoaderRegisters_;
  static constexpr int kRegisters = kRegisters_;  // of the others; 0: as many as at the start
  static constexpr int kMultipliers = 256;
  static constexpr int kThreads = kMultipliers + kLoaders;
  static constexpr int kChunk = kLoaders;  // a site a loader
  static constexpr int kStepsOfChunk = kChunk / kSites;
  static constexpr int kFoundChunks = 2;
  static constexpr bool kPairs = kFanIn == 32;
  static constexpr int kBlocks =
      kPairs ? (kOffsets + 1) / 2 : kRole == Role::kOffsetGroups ? (kOffsets + 1) / 2 : kOffsets;
  static constexpr int kColumns = kRole == Role::kColumnGroups ? kFanOut / 2 : kFanOut;
  static constexpr int kSums = kColumns / 2;
  static constexpr int kShares = kRole == Role::kShares ? 2 : 1;
  using TileX = FragmentTile<kSites, kFanIn>;
  using TileZ = FragmentTile<kSites, kFanOut>;
  static constexpr int kStageElements = kOffsets * TileX::kElements + TileZ::kElements;
  static constexpr int kSixteens = kSites / 16;
  static constexpr int kSharedBytes =
      2 * kStages * kStageElements + 16 * kStages +  // barriers
      4 * GradientLists<GradientGroups>::kInts + 4 * kStages * kSixteens;
  static_assert(kOffsets % 2 == 1 && TileZ::kElements >= TileX::kElements % 64,
                "an offset too many reads dz");
  static_assert(2 * kStages * kStageElements >= (kShares - 1) * kBlocks * kSums * 4 * 128,
                "the sum over shares reuses the stages");
};

// In shared memory: the tiles, the stages' barriers, the lists, what each stage's sixteens have.
template <typename G>
struct GradientRing {
  bf16* stages;
  unsigned full;  // addresses of barriers [kStages]
  unsigned empty;
  GradientLists<G> lists;
  unsigned* stage_found;  // [kStages, kSixteens]

  __device__ __forceinline__ explicit GradientRing(float4* memory)
      : stages(reinterpret_cast<bf16*>(memory)),
        full(shared_address_of(stages + G::kStages * G::kStageElements)),
        empty(full + 8 * G::kStages),
        lists(reinterpret_cast<uint64*>(stages + G::kStages * G::kStageElements) +
              2 * G::kStages),
        stage_found(reinterpret_cast<unsigned*>(lists.neighbors) + GradientLists<G>::kInts) {}
};

// Offsets whose tiles are read when those of `any` are multiplied.
template <typename G>
__device__ __forceinline__ unsigned with_partners(unsigned any) {
  return G::kPairs ? any | (any & 0x155) << 1 | (any & 0x2AA) >> 1 : any;
}

// Loads of one step into a stage.
template <typename G>
__device__ __forceinline__ void gather_step(const bf16* __restrict__ x,
                                            const bf16* __restrict__ dz,
                                            const GradientLists<G>& lists, int loader,
                                            int chunk, int first_site, int fan_in, int fan_out,
                                            int channel_in, int channel_out, bf16* stage) {
  const unsigned* found = lists.found_of(chunk) + first_site / 16;
  const int* neighbors = lists.neighbors_of(chunk) + first_site;
  constexpr int kPacks = G::kFanIn / 8;
  constexpr int kRows = G::kLoaders / kPacks;  // at once
  static_assert(G::kSites % kRows == 0 || kRows % G::kSites == 0, "whole rounds");
  const int pack = loader % kPacks;
  const int left = fan_in - channel_in - 8 * pack;
  const bf16* source = x + channel_in + 8 * pack;
#pragma unroll
  for (int row = loader / kPacks; row < G::kSites; row += kRows) {
    const unsigned any = with_partners<G>(found[row / 16]);
    int inputs[G::kOffsets];
#pragma unroll
    for (int k = 0; k < G::kOffsets; k++) {
      inputs[k] = neighbors[k * G::kChunk + row];
    }
#pragma unroll
    for (int k = 0; k < G::kOffsets; k++) {
      if (any >> k & 1) {
        const bool valid = inputs[k] >= 0 && left > 0;
        copy_pack_through_l1(stage + k * G::TileX::kElements + G::TileX::at(row, pack),
                             valid ? source + static_cast<int64>(inputs[k]) * fan_in : x, valid);
      }
    }
  }
  bf16* tile_z = stage + G::kOffsets * G::TileX::kElements;
  const int* sites = lists.sites_of(chunk) + first_site;
  constexpr int kPacksZ = G::kFanOut / 8;
  constexpr int kRowsZ = G::kLoaders / kPacksZ;
  const int pack_z = loader % kPacksZ;
  const int left_z = fan_out - channel_out - 8 * pack_z;
#pragma unroll
  for (int row = loader / kPacksZ; row < G::kSites; row += kRowsZ) {
    if (found[row / 16] != 0) {
      const int site = sites[row];
      const bool valid = site >= 0 && left_z > 0;
      copy_pack_through_l1(
          tile_z + G::TileZ::at(row, pack_z),
          valid ? dz + static_cast<int64>(site) * fan_out + channel_out + 8 * pack_z : dz, valid);
    }
  }
}

// The whole of a gathering thread.
template <typename G>
__device__ __forceinline__ void gather_steps(
    const bf16* __restrict__ x, const bf16* __restrict__ dz, const int64* __restrict__ pointers,
    const int* __restrict__ masks, const int* __restrict__ inputs, const int* __restrict__ order,
    int64 outputs, int fan_in, int fan_out, const GradientPart<G>& part,
    const GradientRing<G>& ring) {
  const int loader = threadIdx.x - G::kMultipliers;
  auto site_of = [&](int chunk) {
    return site_of_chunk<G>(order, outputs, chunk, loader);
  };
  Lookup<G::kOffsets> now;   // chunk of the next step but its list
  Lookup<G::kOffsets> next;  // the chunk after it, up to its mask
  look_up_mask<G>(pointers, masks, site_of(0), now);
  look_up_inputs<G>(inputs, now);
  look_up_mask<G>(pointers, masks, site_of(1), next);
  int site = site_of(2);

  int stage = 0;
  unsigned parity = 1;  // of the phase in which a stage was last emptied; the first is at once
  for (int step = 0; step < part.steps; step++) {
    const int chunk = step / G::kStepsOfChunk;
    const int within = step % G::kStepsOfChunk;
    if (within == 0) {
      list_chunk<G>(now, chunk, loader, ring.lists);
      sync_threads<1, G::kLoaders>();
      now = next;
      look_up_inputs<G>(inputs, now);
      look_up_mask<G>(pointers, masks, site, next);
      site = site_of(chunk + 3);
    }
    wait_for_phase(ring.empty + 8 * stage, parity);
    if (loader == 0) {
#pragma unroll
      for (int i = 0; i < G::kSixteens; i++) {
        ring.stage_found[stage * G::kSixteens + i] =
            ring.lists.found_of(chunk)[within * G::kSixteens + i];
      }
      arrive(ring.full + 8 * stage);
    }
    gather_step<G>(x, dz, ring.lists, loader, chunk, within * G::kSites, fan_in, fan_out,
                   part.channel_in, part.channel_out, ring.stages + stage * G::kStageElements);
    arrive_when_copied(ring.full + 8 * stage);
    if (++stage == G::kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
}

// Adds the products of one step.
template <typename G>
__device__ __forceinline__ void multiply_stage(const bf16* stage, const unsigned* found, int group,
                                               float (&sum)[G::kBlocks][G::kSums]) {
  constexpr int kTileBytes = 2 * G::TileX::kElements;
  constexpr int kBlockBytesZ = 2 * G::kSites * G::TileZ::kBlock;
  constexpr int kSixteenX = 2 * 16 * G::TileX::kBlock;
  constexpr int kSixteenZ = 2 * 16 * G::TileZ::kBlock;
  constexpr int kSixteensOfGroup = G::kSixteens / G::kShares;
  const int first_sixteen = G::kRole == Role::kShares ? group * kSixteensOfGroup : 0;
  const int first_block = G::kRole == Role::kOffsetGroups ? group * G::kBlocks : 0;
  const unsigned address_x = shared_address_of(stage) + first_block * kTileBytes;
  unsigned address_z = shared_address_of(stage) + G::kOffsets * kTileBytes;
  if (G::kRole == Role::kColumnGroups) {
    address_z += group * kBlockBytesZ;
  }
  begin_products();
#pragma unroll
  for (int i = 0; i < kSixteensOfGroup; i++) {
    const int sixteen = first_sixteen + i;
    const unsigned any = found[sixteen] >> first_block;
    const uint64 z = operand<G::TileZ::kBlock>(address_z + sixteen * kSixteenZ, kBlockBytesZ);
#pragma unroll
    for (int block = 0; block < G::kBlocks; block++) {
      if ((G::kPairs ? any >> (2 * block) & 3 : any >> block & 1) != 0) {
        multiply_by_group(
            sum[block],
            operand<G::TileX::kBlock>(address_x + (G::kPairs ? 2 : 1) * block * kTileBytes +
                                          sixteen * kSixteenX,
                                      kTileBytes),
            z);
      }
    }
  }
  commit_products();
}

// The whole of a multiplying thread.
template <typename G>
__device__ __forceinline__ void multiply_steps(float4* memory, const GradientRing<G>& ring,
                                               const GradientPart<G>& part, int offsets,
                                               int fan_in, int fan_out,
                                               float* __restrict__ partials) {
  const int lane = threadIdx.x & 31;
  const int group = __shfl_sync(kFullWarp, threadIdx.x / 128, 0);
  float sum[G::kBlocks][G::kSums];
  clear_sums(sum);
  int stage = 0;
  unsigned parity = 0;
  int last = -1;
  for (int step = 0; step < part.steps; step++) {
    wait_for_phase(ring.full + 8 * stage, parity);
    publish_copies();  // here and not by the loaders, whose later copies it would wait for
    multiply_stage<G>(ring.stages + stage * G::kStageElements,
                      ring.stage_found + stage * G::kSixteens, group, sum);
    wait_for_products<1>();
    __syncwarp();
    if (last >= 0 && lane == 0) {
      arrive(ring.empty + 8 * last);
    }
    last = stage;
    if (++stage == G::kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
  wait_for_products<0>();

  const int thread = threadIdx.x % 128;
  if (G::kShares == 2) {  // the second group hands its sums to the first
    sync_threads<2, G::kMultipliers>();
    float4* slot = memory + thread;
    if (group == 1) {
      leave_sums(sum, slot, 128);
    }
    sync_threads<2, G::kMultipliers>();
    if (group == 1) {
      return;
    }
    add_sums(sum, slot, 128);
  }

  float* partial = partials + static_cast<int64>(blockIdx.y) * offsets * fan_in * fan_out;
#pragma unroll
  for (int block = 0; block < G::kBlocks; block++) {
#pragma unroll
    for (int i = 0; i < G::kSums; i += 2) {
      const int row = thread / 32 * 16 + i % 4 / 2 * 8 + lane / 4;  // of 64
      const int j = G::kPairs                            ? 2 * block + row / 32
                    : G::kRole == Role::kOffsetGroups ? group * G::kBlocks + block
                                                         : block;
      const int c = part.channel_in + (G::kPairs ? row % 32 : row);
      const int o = part.channel_out + (G::kRole == Role::kColumnGroups ? group * G::kColumns : 0) +
                    i / 4 * 8 + lane % 4 * 2;
      const int k = offset_of_block(j);
      if (j < G::kOffsets && k < offsets && c < fan_in && o < fan_out) {
        *reinterpret_cast<float2*>(partial + (static_cast<int64>(k) * fan_in + c) * fan_out + o) =
            make_float2(sum[block][i], sum[block][i + 1]);
      }
    }
  }
}

// The whole of a block of the grid (groups of offsets, slices, tiles); partials [slices, K, C_in,
// C_out].
template <typename G>
__device__ __forceinline__ void gradient_of_groups(
    const bf16* __restrict__ x, const bf16* __restrict__ dz, const int64* __restrict__ pointers,
    const int* __restrict__ masks, const int* __restrict__ inputs, const int* __restrict__ order,
    int64 outputs, int offsets, int fan_in, int fan_out, float* __restrict__ partials) {
  extern __shared__ __align__(1024) float4 memory[];
  const GradientRing<G> ring(memory);
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < G::kStages; stage++) {
      init_barrier(ring.full + 8 * stage, G::kLoaders + 1);  // each one's copies, and the list
      init_barrier(ring.empty + 8 * stage, G::kMultipliers / 32);
    }
    publish_barriers();
  }
  __syncthreads();
  const GradientPart<G> part(outputs, fan_out);
  if (threadIdx.x >= G::kMultipliers) {
    if constexpr (G::kRegisters > 0) {
      shrink_registers<G::kLoaderRegisters>();
    }
    gather_steps<G>(x, dz, pointers, masks, inputs, order, outputs, fan_in, fan_out, part, ring);
  } else {
    if constexpr (G::kRegisters > 0) {
      grow_registers<G::kRegisters>();
    }
    multiply_steps<G>(memory, ring, part, offsets, fan_in, fan_out, partials);
  }
}

}  // namespace autosparse
