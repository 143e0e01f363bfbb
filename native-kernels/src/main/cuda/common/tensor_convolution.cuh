// Sparse convolution on tensor cores, forward and dgrad: an output-stationary implicit GEMM
// y[o] = act(sum over k of x[neighbour(o, k)]·weight[k]) with bf16 or tf32 factors and fp32 sums.
//
// Blocks stay and take every gridDim.x-th tile of kRows outputs. Four warps load, the other
// warpgroups compute; barriers in shared memory hand stages over, so that the map's reads, the rows'
// copies and the arithmetic of several tiles run side by side.
//
// A stage holds the inputs of some of a tile's offsets, kPacks 16-byte packs of each, and a table
// that says where each output's neighbour at each offset lies (one of eight rows of zeros where
// there is none). Sites are sorted, so the neighbours of consecutive outputs at the offsets of one
// kernel row lie in one range of inputs, and where rows are short in one range for all offsets:
// - a tile whose neighbours' hull fits a stage loads each input once and runs all offsets on it;
// - else a kernel row whose range fits gets a stage, else each offset, its rows gathered.
// A range is only taken if it is shorter than the list of neighbours that it serves. Tensor cores
// take rows from registers, which ldmatrix fills from any eight addresses: a gather costs nothing
// there. Whatever the stages, a sum adds chunks of channels and in each the offsets, kernel row by
// kernel row, in one order.
//
// Weights come as stage_weights leaves them: blocks of one chunk and offset, [kColumns, depth] as
// packed_at says, columns exchanged so that the sums of a thread are eight adjacent channels. A
// convolution whose blocks all fit keeps them; else they pass through a ring.
#pragma once

#include "pipeline.cuh"
#include "sites.cuh"
#include "tensor_products.cuh"

namespace autosparse {

constexpr int kMostOffsets = 9;
constexpr int kKernelRows = 3;
constexpr int kLoaders = 128;  // threads
constexpr int kZeroRows = 8;
constexpr int kLast = 1 << 16;  // of a stage's note: its tile ends here; offsets are bits 0 to 8

// Geometry; the launcher adds the numbers of stages. kBlocks blocks of 64 rows a warpgroup.
template <typename T_, int kPacks_, int kColumns_, int kWarpgroups_, int kBlocks_, int kSlots_,
          int kGrown_>
struct TensorTiling {
  using T = T_;
  static constexpr int kPacks = kPacks_;
  static constexpr int kColumns = kColumns_;
  static constexpr int kWarpgroups = kWarpgroups_;
  static constexpr int kBlocks = kBlocks_;
  static constexpr int kSlots = kSlots_;  // rows of a stage, those of zeros included
  static constexpr int kGrown = kGrown_;  // registers of a computing thread, 0 for the compiler's
  static constexpr int kRows = 64 * kWarpgroups * kBlocks;
  static constexpr int kThreads = kLoaders + 128 * kWarpgroups;
  static constexpr int kPerPack = 16 / sizeof(T);
  static constexpr int kStageBytes = kSlots * kPacks * 16;
  static constexpr int kWeightBytes = kColumns * kPacks * 16;
  static constexpr int kTableBytes = kMostOffsets * kRows * 2;
  static_assert(kRows % kLoaders == 0 && kSlots % 8 == 0, "whole rounds, whole swizzles");
  static_assert(kRows + kZeroRows <= kSlots, "an offset's rows fit a stage");
};

// Where things lie in shared memory.
template <typename G>
struct TensorStages {
  unsigned weights;
  unsigned rows;
  unsigned short* tables;
  int* neighbors;  // [9, kRows], of the loaders
  int* notes;
  int* scratch;
  unsigned full;  // barriers: full and empty of each stage, then of each block of weights
  int stages;
  int weight_stages;

  __device__ __forceinline__ TensorStages(char* memory, int stages_, int weight_stages_)
      : stages(stages_), weight_stages(weight_stages_) {
    weights = shared_address_of(memory);
    memory += weight_stages * G::kWeightBytes;
    rows = shared_address_of(memory);
    memory += stages * G::kStageBytes;
    full = shared_address_of(memory);
    memory += 16 * (stages + weight_stages);
    neighbors = reinterpret_cast<int*>(memory);
    memory += 4 * kMostOffsets * G::kRows;
    tables = reinterpret_cast<unsigned short*>(memory);
    memory += stages * G::kTableBytes;
    scratch = reinterpret_cast<int*>(memory);
    memory += 2 * 4 * 4 * 16;
    notes = reinterpret_cast<int*>(memory);
  }

  __device__ __forceinline__ unsigned full_of(int stage) const { return full + 16 * stage; }
  __device__ __forceinline__ unsigned empty_of(int stage) const { return full + 16 * stage + 8; }
  __device__ __forceinline__ unsigned weight_full_of(int stage) const {
    return full + 16 * (stages + stage);
  }
  __device__ __forceinline__ unsigned weight_empty_of(int stage) const {
    return full + 16 * (stages + stage) + 8;
  }
};

// A place in a ring of stages and the parity of its round.
struct RingPlace {
  int stage = 0;
  unsigned round = 0;

  __device__ __forceinline__ void advance(int stages) {
    if (++stage == stages) {
      stage = 0;
      round ^= 1;
    }
  }
};

// Offsets are numbered row fastest; here they are taken kernel row by kernel row.
__host__ __device__ constexpr int by_kernel_row(int k) { return k % 3 * 3 + k / 3; }

// --- Loading ----------------------------------------------------------------------------------

// What a kernel row's offsets of a tile need.
struct Neighborhood {
  unsigned offsets;
  int low[kKernelRows];
  int high[kKernelRows];
  int pairs[kKernelRows];
};

// Combines what each warp of the loaders found; one barrier, scratch alternates between two.
__device__ __forceinline__ void combine(Neighborhood& found, int* scratch) {
#if __CUDA_ARCH__ >= 800
  const int warp = threadIdx.x / 32;
  int* mine = scratch + warp * 16;
  const unsigned offsets = __reduce_or_sync(kFullWarp, found.offsets);
  if ((threadIdx.x & 31) == 0) {
    mine[0] = static_cast<int>(offsets);
  }
#pragma unroll
  for (int r = 0; r < kKernelRows; r++) {
    const int low = __reduce_min_sync(kFullWarp, found.low[r]);
    const int high = __reduce_max_sync(kFullWarp, found.high[r]);
    const int pairs = __reduce_add_sync(kFullWarp, found.pairs[r]);
    if ((threadIdx.x & 31) == 0) {
      mine[1 + r] = low;
      mine[4 + r] = high;
      mine[7 + r] = pairs;
    }
  }
  sync_threads<1, kLoaders>();
  found.offsets = 0;
#pragma unroll
  for (int r = 0; r < kKernelRows; r++) {
    found.low[r] = 0x7fffffff;
    found.high[r] = -1;
    found.pairs[r] = 0;
  }
#pragma unroll
  for (int w = 0; w < kLoaders / 32; w++) {
    found.offsets |= static_cast<unsigned>(scratch[w * 16]);
#pragma unroll
    for (int r = 0; r < kKernelRows; r++) {
      found.low[r] = min(found.low[r], scratch[w * 16 + 1 + r]);
      found.high[r] = max(found.high[r], scratch[w * 16 + 4 + r]);
      found.pairs[r] += scratch[w * 16 + 7 + r];
    }
  }
#endif
}

// Writes the table of the offsets in `part`: the inputs from `low` on lie in order, or with low < 0
// every output's neighbour lies at the output's own number.
template <typename G>
__device__ __forceinline__ void write_table(const int* neighbors, unsigned part, int low,
                                            unsigned short* table) {
  const int lane = threadIdx.x & 31;
  for (unsigned rest = part; rest != 0; rest &= rest - 1) {
    const int j = __ffs(rest) - 1;
#pragma unroll
    for (int i = 0; i < G::kRows / kLoaders; i++) {
      const int row = i * kLoaders + threadIdx.x;
      const int input = neighbors[j * G::kRows + row];
      int slot = input < 0 ? -1 : low < 0 ? row : input - low;
      // Eight rows are read without bank conflicts if their numbers differ modulo 8, so the row of
      // zeros is the one that would go on from the row before.
      const int before = __shfl_up_sync(kFullWarp, slot, 1);
      if (slot < 0) {
        const int next = low < 0 || before < 0 || lane == 0 ? row : before + 1;
        slot = G::kSlots - kZeroRows + (next & 7);
      }
      table[j * G::kRows + row] = static_cast<unsigned short>(slot);
    }
  }
}

// Copies packs `chunk`·kPacks to … of the inputs low to low + count - 1.
template <typename G>
__device__ __forceinline__ void copy_range(const char* x, int64 row_bytes, int low, int count,
                                           int chunk, unsigned rows) {
  constexpr int kStep = kLoaders / G::kPacks;  // rows of a round
  static_assert(kStep % 8 == 0, "a thread's packs lie alike in every round");
  const int pack = threadIdx.x % G::kPacks;
  const int first = threadIdx.x / G::kPacks;
  const int64 at = int64(chunk * G::kPacks + pack) * 16;
  const bool valid = at < row_bytes;
  const char* source = x + (static_cast<int64>(low) + first) * row_bytes + (valid ? at : 0);
  unsigned target = rows + packed_at<G::kPacks>(first, pack);
#pragma unroll 4
  for (int row = first; row < count; row += kStep) {
    copy_16_bytes(target, source, valid);
    source += kStep * row_bytes;
    target += kStep * G::kPacks * 16;
  }
}

// Copies the rows of one offset's neighbours; a warp those of its own lanes.
template <typename G>
__device__ __forceinline__ void gather_rows(const char* x, int64 row_bytes, const int* neighbors,
                                            int chunk, unsigned rows) {
  const int lane = threadIdx.x & 31;
  const int pack = lane % G::kPacks;
  const int64 at = int64(chunk * G::kPacks + pack) * 16;
  const bool valid = at < row_bytes;
#pragma unroll
  for (int i = 0; i < G::kRows / kLoaders; i++) {
#pragma unroll
    for (int round = 0; round < G::kPacks; round++) {
      const int row = i * kLoaders + (threadIdx.x & ~31) + round * (32 / G::kPacks) +
                      lane / G::kPacks;
      const int input = neighbors[row];
      if (input >= 0) {
        copy_16_bytes(rows + packed_at<G::kPacks>(row, pack),
                      x + static_cast<int64>(input) * row_bytes + (valid ? at : 0), valid);
      }
    }
  }
}

// One block of weights, by the loaders.
template <typename G>
__device__ __forceinline__ void load_weights(const char* source, unsigned target,
                                             unsigned barrier) {
  if (kWarpgroupProducts) {
    if (threadIdx.x == 0) {
      copy_bulk(target, source, G::kWeightBytes, barrier);
    }
  } else {
    for (int at = 16 * threadIdx.x; at < G::kWeightBytes; at += 16 * kLoaders) {
      copy_16_bytes(target + at, source + at, true);
    }
    arrive_when_copied(barrier);
  }
}

template <typename G>
__device__ __forceinline__ void load_tiles(const TensorStages<G>& s, const char* x,
                                           const char* weights, const int64* __restrict__ pointers,
                                           const int* __restrict__ masks,
                                           const int* __restrict__ inputs,
                                           const int* __restrict__ order, int64 outputs,
                                           int offsets, int chunks, int64 row_bytes) {
  constexpr int kEach = G::kRows / kLoaders;  // outputs of a thread
  constexpr int kCapacity = G::kSlots - kZeroRows;
  const int64 tiles = (outputs + G::kRows - 1) / G::kRows;
  const int thread = threadIdx.x;
  const bool resident = offsets * chunks <= s.weight_stages;
  if (resident) {
    for (int block = 0; block < offsets * chunks; block++) {
      load_weights<G>(weights + static_cast<int64>(block) * G::kWeightBytes,
                      s.weights + block * G::kWeightBytes, s.weight_full_of(block));
    }
  }
  // Sites of the tile after next, and masks and pointers of the next, are under way beforehand.
  int later_site[kEach];
  unsigned mask[kEach];
  int64 at[kEach];
  auto site_of = [&](int64 tile, int i) {
    const int64 place = tile * G::kRows + i * kLoaders + thread;
    return place >= outputs ? -1 : order == nullptr ? static_cast<int>(place) : order[place];
  };
  auto ask = [&](int i, int site) {
    mask[i] = site < 0 ? 0 : static_cast<unsigned>(masks[site]);
    at[i] = site < 0 ? 0 : pointers[site];
  };
#pragma unroll
  for (int i = 0; i < kEach; i++) {
    later_site[i] = site_of(static_cast<int64>(blockIdx.x) + gridDim.x, i);
    ask(i, site_of(blockIdx.x, i));
  }
  RingPlace place;
  RingPlace weight_place;
  int turn = 0;
  for (int64 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    Neighborhood found;
    found.offsets = 0;
#pragma unroll
    for (int r = 0; r < kKernelRows; r++) {
      found.low[r] = 0x7fffffff;
      found.high[r] = -1;
      found.pairs[r] = 0;
    }
    __syncwarp();  // neighbors is read by the warp that wrote it
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      const int* list = inputs + at[i];
      int next[kMostOffsets];
#pragma unroll
      for (int k = 0; k < kMostOffsets; k++) {
        next[k] = mask[i] >> k & 1 ? *list++ : -1;
      }
#pragma unroll
      for (int k = 0; k < kMostOffsets; k++) {
        const int r = k % 3;
        if (k < offsets) {
          s.neighbors[by_kernel_row(k) * G::kRows + i * kLoaders + thread] = next[k];
        }
        if (next[k] >= 0) {
          found.offsets |= 1u << by_kernel_row(k);
          found.low[r] = min(found.low[r], next[k]);
          found.high[r] = max(found.high[r], next[k]);
          found.pairs[r]++;
        }
      }
    }
    __syncwarp();
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      ask(i, later_site[i]);
      later_site[i] = site_of(tile + 2 * static_cast<int64>(gridDim.x), i);
    }
    combine(found, s.scratch + turn * 64);
    turn ^= 1;

    const int hull_low = min(found.low[0], min(found.low[1], found.low[2]));
    const int hull = found.offsets == 0
                         ? 0
                         : max(found.high[0], max(found.high[1], found.high[2])) - hull_low + 1;
    const bool whole =
        hull <= kCapacity && hull <= found.pairs[0] + found.pairs[1] + found.pairs[2];
    for (int chunk = 0; chunk < chunks; chunk++) {
      unsigned rest = found.offsets;
      do {
        unsigned part = rest;
        int low = hull_low;
        int count = hull;
        if (!whole) {
          const int r = (__ffs(rest) - 1) / 3;
          low = r == 0 ? found.low[0] : r == 1 ? found.low[1] : found.low[2];
          count = (r == 0 ? found.high[0] : r == 1 ? found.high[1] : found.high[2]) - low + 1;
          const int pairs = r == 0 ? found.pairs[0] : r == 1 ? found.pairs[1] : found.pairs[2];
          if (count <= kCapacity && count <= pairs) {
            part &= 7u << 3 * r;
          } else {
            part &= -part;
            low = -1;
          }
        }
        rest &= ~part;

        wait_for_phase(s.empty_of(place.stage), place.round ^ 1);
        const unsigned rows = s.rows + place.stage * G::kStageBytes;
        if (low < 0) {
          gather_rows<G>(x, row_bytes, s.neighbors + (__ffs(part) - 1) * G::kRows, chunk, rows);
        } else {
          copy_range<G>(x, row_bytes, low, count, chunk, rows);
        }
        arrive_when_copied(s.full_of(place.stage));
        write_table<G>(s.neighbors, part, low, s.tables + place.stage * (G::kTableBytes / 2));
        if (thread == 0) {
          s.notes[place.stage] = static_cast<int>(part) | chunk << 20 |
                                 (rest == 0 && chunk == chunks - 1 ? kLast : 0);
        }
        __syncwarp();
        if ((thread & 31) == 0) {
          arrive(s.full_of(place.stage));
        }
        place.advance(s.stages);

        for (; !resident && part != 0; part &= part - 1) {
          const int block = chunk * offsets + __ffs(part) - 1;
          wait_for_phase(s.weight_empty_of(weight_place.stage), weight_place.round ^ 1);
          load_weights<G>(weights + static_cast<int64>(block) * G::kWeightBytes,
                          s.weights + weight_place.stage * G::kWeightBytes,
                          s.weight_full_of(weight_place.stage));
          weight_place.advance(s.weight_stages);
        }
      } while (rest != 0);
    }
  }
}

// --- Computing --------------------------------------------------------------------------------

template <typename G>
struct TensorSums {
  static constexpr int kTiles = G::kColumns / 8;
  static constexpr int kSteps = G::kPacks / 2;
  float sum[G::kBlocks][kTiles][4];
  unsigned a[G::kBlocks][kSteps][4];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int m = 0; m < G::kBlocks; m++) {
#pragma unroll
      for (int n = 0; n < kTiles; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          sum[m][n][i] = 0;
        }
      }
    }
  }

  // One step of the fragments of this warp's 16 rows of block m; `slot` is that of row lane % 16.
  __device__ __forceinline__ void load(int m, int step, unsigned rows, int slot) {
    const int half = threadIdx.x >> 4 & 1;
    constexpr int kLinesPer128 = 8 / G::kPacks;
    const int exchange = slot / kLinesPer128 & (G::kPacks - 1);
    load_blocks(a[m][step],
                rows + 16 * (slot * G::kPacks + ((2 * step + half) ^ exchange)));
    round_fragment<typename G::T>(a[m][step]);
  }

  // Keeps registers of products under way from being taken for others.
  __device__ __forceinline__ void hold(int m) {
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
#pragma unroll
      for (int i = 0; i < 4; i++) {
        asm volatile("" : "+r"(a[m][step][i])::"memory");
      }
    }
  }

  // As hold: sums are not touched before this point, nor after it by what stands before.
  __device__ __forceinline__ void hold_sums() {
#pragma unroll
    for (int m = 0; m < G::kBlocks; m++) {
#pragma unroll
      for (int n = 0; n < kTiles; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          asm volatile("" : "+f"(sum[m][n][i])::"memory");
        }
      }
    }
  }

  // sum[m] += rows · weights, by a warpgroup; slot as in load. Returns while products are under way.
  __device__ __forceinline__ void multiply_by_warpgroup(int m, unsigned rows, int slot,
                                                        unsigned weights) {
    const uint64 tile = describe_tile<G::kPacks>(weights);
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      load(m, step, rows, slot);
    }
    hold(m);
    begin_products();
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      WarpgroupProduct<typename G::T, G::kColumns>::add(sum[m], a[m][step], tile + 2 * step);
    }
    commit_products();
  }

  // All blocks' sums += rows · weights, by each warp; slots as in load.
  __device__ __forceinline__ void multiply_by_warp(unsigned rows, const int (&slots)[G::kBlocks],
                                                   unsigned weights) {
    const int lane = threadIdx.x & 31;
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
#pragma unroll
      for (int m = 0; m < G::kBlocks; m++) {
        load(m, step, rows, slots[m]);
      }
      if (kTiles == 1) {
        unsigned b[2];
        load_blocks(b, weights + packed_at<G::kPacks>(lane & 7, 2 * step + (lane >> 3 & 1)));
#pragma unroll
        for (int m = 0; m < G::kBlocks; m++) {
          multiply_16x8<typename G::T>(sum[m][0], a[m][step], b[0], b[1]);
        }
      }
#pragma unroll
      for (int n = 0; n + 1 < kTiles; n += 2) {
        unsigned b[4];
        load_blocks(b, weights + packed_at<G::kPacks>(8 * n + (lane & 7) + (lane >> 4) * 8,
                                                      2 * step + (lane >> 3 & 1)));
#pragma unroll
        for (int m = 0; m < G::kBlocks; m++) {
          multiply_16x8<typename G::T>(sum[m][n], a[m][step], b[0], b[1]);
          multiply_16x8<typename G::T>(sum[m][n + 1], a[m][step], b[2], b[3]);
        }
      }
    }
  }
};

__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
  unsigned both = 0;
#if __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
#endif
  return both;
}

// Eight or two adjacent channels of one output.
template <int kCount>
__device__ __forceinline__ void store_channels(const float (&value)[kCount], bf16* target, int) {
  unsigned packed[kCount / 2];
#pragma unroll
  for (int i = 0; i < kCount / 2; i++) {
    packed[i] = pack_bf16(value[2 * i], value[2 * i + 1]);
  }
  if (kCount == 8) {
    *reinterpret_cast<uint4*>(target) =
        make_uint4(packed[0], packed[1 % (kCount / 2)], packed[2 % (kCount / 2)],
                   packed[3 % (kCount / 2)]);
  } else {
    *reinterpret_cast<unsigned*>(target) = packed[0];
  }
}

template <int kCount>
__device__ __forceinline__ void store_channels(const float (&value)[kCount], float* target,
                                               int left) {
  if (kCount == 8) {
    float4* quads = reinterpret_cast<float4*>(target);
    quads[0] = make_float4(value[0], value[1], value[2 % kCount], value[3 % kCount]);
    if (left > 4) {
      quads[1] = make_float4(value[4 % kCount], value[5 % kCount], value[6 % kCount],
                             value[7 % kCount]);
    }
  } else {
    *reinterpret_cast<float2*>(target) = make_float2(value[0], value[1]);
  }
}

template <typename G>
__device__ __forceinline__ void store_sums(const TensorSums<G>& sums, int m, int half, int site,
                                           int fan_out, bool relu, typename G::T* y) {
  constexpr int kCount = G::kColumns == 8 ? 2 : 8;
  const int lane = threadIdx.x & 31;
  typename G::T* row = y + static_cast<int64>(site) * fan_out;
#pragma unroll
  for (int group = 0; group < (G::kColumns + 31) / 32; group++) {
    const int column = blockIdx.y * G::kColumns + 32 * group + kCount * (lane & 3);
    float value[kCount];
#pragma unroll
    for (int i = 0; i < kCount; i++) {
      value[i] = sums.sum[m][4 * group + i / 2][2 * half + i % 2];
      if (relu) {  // NaN stays NaN
        value[i] = value[i] < 0 ? 0 : value[i];
      }
    }
    if (site >= 0 && column < fan_out) {
      store_channels<kCount>(value, row + column, fan_out - column);
    }
  }
}

template <typename G>
__device__ __forceinline__ void compute_tiles(const TensorStages<G>& s,
                                              const int* __restrict__ order, int64 outputs,
                                              int offsets, int chunks, int fan_out, bool relu,
                                              typename G::T* __restrict__ y) {
  const int64 tiles = (outputs + G::kRows - 1) / G::kRows;
  const bool resident = offsets * chunks <= s.weight_stages;
  const int lane = threadIdx.x & 31;
  const int warp = threadIdx.x / 32 & 3;
  const int first_row = (threadIdx.x - kLoaders) / 128 * (64 * G::kBlocks) + 16 * warp;
  TensorSums<G> sums;
  RingPlace place;
  RingPlace weight_place;
  for (int64 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    int sites[G::kBlocks][2];
#pragma unroll
    for (int i = 0; i < 2 * G::kBlocks; i++) {
      const int64 at = tile * G::kRows + first_row + 64 * (i / 2) + 8 * (i % 2) + lane / 4;
      sites[i / 2][i % 2] = at >= outputs ? -1 : order == nullptr ? static_cast<int>(at) : order[at];
    }
    sums.clear();
    sums.hold_sums();
    int held = -1;  // stage of the weights that products under way read
    int note;
    do {
      wait_for_phase(s.full_of(place.stage), place.round);
      note = s.notes[place.stage];
      const unsigned rows = s.rows + place.stage * G::kStageBytes;
      const unsigned short* table =
          s.tables + place.stage * (G::kTableBytes / 2) + first_row + (lane & 15);
      for (unsigned part = note & 0xffff; part != 0; part &= part - 1) {
        const int j = __ffs(part) - 1;
        const int weight_stage = resident ? (note >> 20) * offsets + j : weight_place.stage;
        const unsigned weights = s.weights + weight_stage * G::kWeightBytes;
        wait_for_phase(s.weight_full_of(weight_stage), resident ? 0 : weight_place.round);
        if (kWarpgroupProducts) {
#pragma unroll
          for (int m = 0; m < G::kBlocks; m++) {
            wait_for_products<G::kBlocks - 1>();
            sums.hold(m);
            sums.multiply_by_warpgroup(m, rows, table[j * G::kRows + 64 * m], weights);
          }
        } else {
          int slots[G::kBlocks];
#pragma unroll
          for (int m = 0; m < G::kBlocks; m++) {
            slots[m] = table[j * G::kRows + 64 * m];
          }
          sums.multiply_by_warp(rows, slots, weights);
        }
        if (!resident) {
          // All products but those of this round have been waited for.
          const int done = kWarpgroupProducts ? held : weight_stage;
          __syncwarp();
          if (done >= 0 && lane == 0) {
            arrive(s.weight_empty_of(done));
          }
          held = weight_stage;
          weight_place.advance(s.weight_stages);
        }
      }
      __syncwarp();
      if (lane == 0) {
        arrive(s.empty_of(place.stage));
      }
      place.advance(s.stages);
    } while ((note & kLast) == 0);
    wait_for_products<0>();
    sums.hold_sums();
    if (kWarpgroupProducts && held >= 0 && lane == 0) {
      arrive(s.weight_empty_of(held));
    }
#pragma unroll
    for (int i = 0; i < 2 * G::kBlocks; i++) {
      store_sums<G>(sums, i / 2, i % 2, sites[i / 2][i % 2], fan_out, relu, y);
    }
  }
}

// The whole of a block; `weights` as stage_weights leaves them.
template <typename G>
__device__ __forceinline__ void tensor_convolution(
    const typename G::T* x, const typename G::T* weights, const int64* pointers, const int* masks,
    const int* inputs, const int* order, int64 outputs, int offsets, int fan_in, int fan_out,
    bool relu, int stages, int weight_stages, typename G::T* y) {
  extern __shared__ __align__(1024) char tensor_memory[];
  const TensorStages<G> s(tensor_memory, stages, weight_stages);
  const int row_packs = fan_in / G::kPerPack;
  const int chunks = (row_packs + G::kPacks - 1) / G::kPacks;
  for (int i = threadIdx.x; i < stages * kZeroRows * G::kPacks; i += G::kThreads) {
    const int stage = i / (kZeroRows * G::kPacks);
    const int at = i % (kZeroRows * G::kPacks);
    const int zero_rows = weight_stages * G::kWeightBytes + (stage + 1) * G::kStageBytes -
                          kZeroRows * G::kPacks * 16;
    *reinterpret_cast<uint4*>(tensor_memory + zero_rows + 16 * at) = make_uint4(0, 0, 0, 0);
  }
  if (threadIdx.x == 0) {
    constexpr int kWarps = 4 * G::kWarpgroups;
    for (int stage = 0; stage < stages; stage++) {
      init_barrier(s.full_of(stage), kLoaders + kLoaders / 32);
      init_barrier(s.empty_of(stage), kWarps);
    }
    for (int stage = 0; stage < weight_stages; stage++) {
      init_barrier(s.weight_full_of(stage), kWarpgroupProducts ? 1 : kLoaders);
      init_barrier(s.weight_empty_of(stage), kWarps);
    }
    publish_barriers();
  }
  __syncthreads();
  if (threadIdx.x < kLoaders) {
    if (G::kGrown > 0) {
      shrink_registers<72>();
    }
    const char* blocks = reinterpret_cast<const char*>(weights) +
                         static_cast<int64>(blockIdx.y) * offsets * chunks * G::kWeightBytes;
    load_tiles<G>(s, reinterpret_cast<const char*>(x), blocks, pointers, masks, inputs, order,
                  outputs, offsets, chunks, static_cast<int64>(row_packs) * 16);
  } else {
    if (G::kGrown > 0) {
      grow_registers<G::kGrown == 0 ? 64 : G::kGrown>();
    }
    compute_tiles<G>(s, order, outputs, offsets, chunks, fan_out, relu, y);
  }
}

// The weight that offset k, input channel i and output channel o of a convolution take. `weight` is
// the convolution's own, [K, fan_in, fan_out], or with `turned` that of the convolution whose dgrad
// it is, [K, fan_out, fan_in]; `mirrored` says that offset k then takes those of offset K - 1 - k.
struct WeightSource {
  const float* weight;
  int offsets;
  int fan_in;
  int fan_out;
  bool turned;
  bool mirrored;

  __device__ __forceinline__ float at(int k, int64 i, int64 o) const {
    const int64 from = mirrored ? offsets - 1 - k : k;
    return weight[turned ? (from * fan_out + o) * fan_in + i : (from * fan_in + i) * fan_out + o];
  }
};

// A factor as the tensor cores take it.
template <typename T>
__device__ __forceinline__ T round_factor(float value) {
  return from_float<T>(value);
}

template <>
__device__ __forceinline__ float round_factor<float>(float value) {
  unsigned bits = __float_as_uint(value);
#if __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
#endif
  return __uint_as_float(bits);
}

// Writes a convolution's blocks of weights, a thread an element: block (tile of columns, chunk,
// offset in order of kernel rows).
template <typename T>
__device__ __forceinline__ void stage_weights(const WeightSource& source, int packs, int columns,
                                              T* staged) {
  constexpr int kPerPack = 16 / sizeof(T);
  const int depth = packs * kPerPack;
  const int chunks = (source.fan_in + depth - 1) / depth;
  const int64 e = grid_thread();
  const int within = static_cast<int>(e % (depth * columns));
  const int64 block = e / (depth * columns);
  const int j = static_cast<int>(block % source.offsets);
  const int chunk = static_cast<int>(block / source.offsets % chunks);
  const int64 tile = block / source.offsets / chunks;
  if (tile * columns >= source.fan_out) {
    return;
  }
  const int line = within / depth;
  const int c = within % depth;
  // Line 8·n + 2·t + e of 32 gives thread t of a quad its channels 2·n + e.
  const int column =
      columns == 8 ? line : (line & ~31) + (line >> 1 & 3) * 8 + (line >> 3 & 3) * 2 + (line & 1);
  const int64 i = static_cast<int64>(chunk) * depth + c;
  const int64 o = tile * columns + column;
  const int k = source.offsets == 1 ? 0 : by_kernel_row(j);  // its own inverse
  const float value = i < source.fan_in && o < source.fan_out ? source.at(k, i, o) : 0;
  const int pack = c / kPerPack ^ (line / (8 / packs) & (packs - 1));
  staged[block * (depth * columns) + line * depth + pack * kPerPack + c % kPerPack] =
      round_factor<T>(value);
}

// [K, fan_in, fan_out], rounded as T's factors are, for channel counts that fill no packs.
template <typename T>
__device__ __forceinline__ void round_weights(const WeightSource& source, float* rounded) {
  const int64 e = grid_thread();
  if (e >= static_cast<int64>(source.offsets) * source.fan_in * source.fan_out) {
    return;
  }
  const int64 o = e % source.fan_out;
  const int64 i = e / source.fan_out % source.fan_in;
  const int k = static_cast<int>(e / source.fan_out / source.fan_in);
  rounded[e] = to_float(round_factor<T>(source.at(k, i, o)));
}

}  // namespace autosparse
