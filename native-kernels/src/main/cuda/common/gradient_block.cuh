// What the two kernels of the weight gradient share (gradient_tiles.cuh, gradient_groups.cuh): a
// block's part of the work, the lists of its chunks' neighbours, and sums that are handed over.
//
// A geometry G names kFanIn, kFanOut, kOffsets, kChunk, kStepsOfChunk, and kFoundChunks, the number
// of chunks (a power of two) of which the lists remember what was found.
#pragma once

#include "bfloat16.cuh"
#include "pipeline.cuh"
#include "sites.cuh"

namespace autosparse {

// A block of the grid (groups of offsets, slices, tiles of channels).
template <typename G>
struct GradientPart {
  int channel_in;  // the tile's first
  int channel_out;
  int steps;

  __device__ __forceinline__ GradientPart(int64 outputs, int fan_out) {
    const int tiles_across = (fan_out + G::kFanOut - 1) / G::kFanOut;
    channel_in = blockIdx.z / tiles_across * G::kFanIn;
    channel_out = blockIdx.z % tiles_across * G::kFanOut;
    const int64 chunks_of_all = (outputs + G::kChunk - 1) / G::kChunk;
    const int slices = gridDim.y;
    const int chunks = static_cast<int>((chunks_of_all - blockIdx.y + slices - 1) / slices);
    steps = chunks * G::kStepsOfChunk;
  }
};

// What a thread knows of its site in a chunk to come.
template <int kOffsets>
struct Lookup {
  int site;
  unsigned mask;
  int64 at;  // of its first neighbour
  int inputs[kOffsets];
};

// The block's offsets: every groups-th from its own number on. Of a square kernel's offsets, which
// are numbered down its columns, a group of 3 of 9 is a row: its neighbours are each other's.
__device__ __forceinline__ int offset_of_block(int j) { return blockIdx.x + j * gridDim.x; }

template <typename G>
struct GradientLists {
  int* neighbors;   // [2, kOffsets, kChunk]
  int* sites;       // [2, kChunk]
  unsigned* found;  // [kFoundChunks, kChunk / 16]: offsets that any of sixteen sites has
  static constexpr int kInts =
      2 * G::kChunk * (G::kOffsets + 1) + G::kFoundChunks * G::kChunk / 16;

  __device__ __forceinline__ explicit GradientLists(void* memory) {
    neighbors = static_cast<int*>(memory);
    sites = neighbors + 2 * G::kOffsets * G::kChunk;
    found = reinterpret_cast<unsigned*>(sites + 2 * G::kChunk);
  }

  __device__ __forceinline__ int* neighbors_of(int chunk) const {
    return neighbors + (chunk & 1) * G::kOffsets * G::kChunk;
  }
  __device__ __forceinline__ int* sites_of(int chunk) const {
    return sites + (chunk & 1) * G::kChunk;
  }
  __device__ __forceinline__ unsigned* found_of(int chunk) const {
    return found + (chunk & (G::kFoundChunks - 1)) * (G::kChunk / 16);
  }
};

// The site that thread `thread` looks up in a slice's chunk; -1 past the end.
template <typename G>
__device__ __forceinline__ int site_of_chunk(const int* __restrict__ order, int64 outputs,
                                             int chunk, int thread) {
  const int64 place = (static_cast<int64>(chunk) * gridDim.y + blockIdx.y) * G::kChunk + thread;
  if (thread >= G::kChunk || place >= outputs) {
    return -1;
  }
  return order == nullptr ? static_cast<int>(place) : order[place];
}

template <typename G>
__device__ __forceinline__ void look_up_mask(const int64* __restrict__ pointers,
                                             const int* __restrict__ masks, int site,
                                             Lookup<G::kOffsets>& next) {
  next.site = site;
  next.mask = site < 0 ? 0 : masks[site];
  next.at = site < 0 ? 0 : pointers[site];
}

template <typename G>
__device__ __forceinline__ void look_up_inputs(const int* __restrict__ inputs,
                                               Lookup<G::kOffsets>& next) {
#pragma unroll
  for (int j = 0; j < G::kOffsets; j++) {
    const int k = offset_of_block(j);
    next.inputs[j] =
        next.mask >> k & 1 ? inputs[next.at + __popc(next.mask & ((1u << k) - 1))] : -1;
  }
}

// Lists what the threads have looked up, thread `thread` its site of the chunk.
template <typename G>
__device__ __forceinline__ void list_chunk(const Lookup<G::kOffsets>& next, int chunk, int thread,
                                           const GradientLists<G>& lists) {
  unsigned any = 0;
#pragma unroll
  for (int j = 0; j < G::kOffsets; j++) {
    any |= (next.mask >> offset_of_block(j) & 1) << j;
  }
#pragma unroll
  for (int step = 8; step > 0; step /= 2) {
    any |= __shfl_xor_sync(kFullWarp, any, step);
  }
  if (thread < G::kChunk) {
    int* neighbors = lists.neighbors_of(chunk) + thread;
#pragma unroll
    for (int k = 0; k < G::kOffsets; k++) {
      neighbors[k * G::kChunk] = next.inputs[k];
    }
    lists.sites_of(chunk)[thread] = next.site;
    if (thread % 16 == 0) {
      lists.found_of(chunk)[thread / 16] = any;
    }
  }
}

// As copy_pack, leaving the line in the L1 for the copies of the same row that follow soon.
__device__ __forceinline__ void copy_pack_through_l1(bf16* shared, const bf16* source, bool valid) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address_of(shared)),
               "l"(source), "r"(valid ? 16 : 0)
               : "memory");
#endif
}

// Sums that one thread leaves for another: four of them every `stride` slots.
template <int kTiles, int kSums>
__device__ __forceinline__ void leave_sums(const float (&sum)[kTiles][kSums], float4* slot,
                                           int stride) {
#pragma unroll
  for (int k = 0; k < kTiles; k++) {
#pragma unroll
    for (int i = 0; i < kSums; i += 4) {
      slot[(k * kSums + i) / 4 * stride] =
          make_float4(sum[k][i], sum[k][i + 1], sum[k][i + 2], sum[k][i + 3]);
    }
  }
}

template <int kTiles, int kSums>
__device__ __forceinline__ void add_sums(float (&sum)[kTiles][kSums], const float4* slot,
                                         int stride) {
#pragma unroll
  for (int k = 0; k < kTiles; k++) {
#pragma unroll
    for (int i = 0; i < kSums; i += 4) {
      const float4 other = slot[(k * kSums + i) / 4 * stride];
      sum[k][i] += other.x;
      sum[k][i + 1] += other.y;
      sum[k][i + 2] += other.z;
      sum[k][i + 3] += other.w;
    }
  }
}

template <int kTiles, int kSums>
__device__ __forceinline__ void clear_sums(float (&sum)[kTiles][kSums]) {
#pragma unroll
  for (int k = 0; k < kTiles; k++) {
#pragma unroll
    for (int i = 0; i < kSums; i++) {
      sum[k][i] = 0;
    }
  }
}

}  // namespace autosparse
