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
constexpr unsigned kKernelRow = 0x49;  // offsets of kernel row 0; row r's are r bits higher
constexpr int kLast = 1 << 16;  // of a stage's note: its tile ends here; offsets are bits 0 to 8
constexpr int kChunkShift = 20;

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

constexpr int kScratchBytes = 2 * (kLoaders / 32) * 8 * sizeof(int);  // of two surveys

// Where things lie in shared memory.
template <typename G>
struct TensorStages {
  unsigned weights;
  unsigned rows;
  unsigned short* tables;  // [9, kRows] of each stage: the place of a row's first pack
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
    tables = reinterpret_cast<unsigned short*>(memory);
    memory += stages * G::kTableBytes;
    scratch = reinterpret_cast<int*>(memory);
    memory += kScratchBytes;
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

// Offsets are numbered row fastest; they are run kernel row by kernel row, offset k as number
// by_kernel_row(k), which is its own inverse.
__host__ __device__ constexpr int by_kernel_row(int k) { return k % 3 * 3 + k / 3; }

// --- Loading ----------------------------------------------------------------------------------

// A loader's outputs of one tile: their neighbours at each offset, -1 where there is none.
template <typename G>
struct Neighbors {
  static constexpr int kEach = G::kRows / kLoaders;
  int input[kEach][kMostOffsets];
  unsigned mask[kEach];
};

// Of some offsets of a tile: the least and the greatest input, and the number of neighbours.
struct InputRange {
  unsigned least = 0xffffffffu;  // what no neighbour, -1, is too
  int greatest = -1;
  int pairs = 0;

  __device__ __forceinline__ void add(unsigned least_, int greatest_, int pairs_) {
    least = min(least, least_);
    greatest = max(greatest, greatest_);
    pairs += pairs_;
  }
  __device__ __forceinline__ int length() const {
    return greatest < 0 ? 0 : greatest - static_cast<int>(least) + 1;
  }
};

// What each warp of the loaders found of a tile: its offsets, then for each kernel row the least
// and the greatest input, and its pairs, ten bits a kernel row.
struct Survey {
  static constexpr int kWords = 8;
  static constexpr int kPairBits = 10;
  const int* scratch;

  template <typename G>
  __device__ __forceinline__ void take(const Neighbors<G>& mine, int* target) {
    static_assert(3 * G::kRows < 1 << kPairBits, "a kernel row's pairs fit");
    scratch = target;
#if __CUDA_ARCH__ >= 800
    unsigned offsets = 0;
    unsigned pairs = 0;
#pragma unroll
    for (int i = 0; i < Neighbors<G>::kEach; i++) {
      offsets |= mine.mask[i];
#pragma unroll
      for (int r = 0; r < kKernelRows; r++) {
        pairs += __popc(mine.mask[i] & kKernelRow << r) << kPairBits * r;
      }
    }
    int words[kWords];
    words[0] = static_cast<int>(__reduce_or_sync(kFullWarp, offsets));
    words[7] = static_cast<int>(__reduce_add_sync(kFullWarp, pairs));
#pragma unroll
    for (int r = 0; r < kKernelRows; r++) {
      InputRange range;
#pragma unroll
      for (int i = 0; i < Neighbors<G>::kEach; i++) {
#pragma unroll
        for (int k = r; k < kMostOffsets; k += kKernelRows) {
          range.add(static_cast<unsigned>(mine.input[i][k]), mine.input[i][k], 0);
        }
      }
      words[1 + r] = static_cast<int>(__reduce_min_sync(kFullWarp, range.least));
      words[4 + r] = __reduce_max_sync(kFullWarp, range.greatest);
    }
    if ((threadIdx.x & 31) == 0) {
      int4* own = reinterpret_cast<int4*>(target + threadIdx.x / 32 * kWords);
      own[0] = make_int4(words[0], words[1], words[2], words[3]);
      own[1] = make_int4(words[4], words[5], words[6], words[7]);
    }
#endif
    sync_threads<1, kLoaders>();
  }

  __device__ __forceinline__ unsigned offsets() const {
    unsigned all = 0;
#pragma unroll
    for (int w = 0; w < kLoaders / 32; w++) {
      all |= static_cast<unsigned>(scratch[w * kWords]);
    }
    return all;
  }

  // Of kernel rows `first` to `last`.
  __device__ __forceinline__ InputRange range(int first, int last) const {
    InputRange all;
#pragma unroll
    for (int w = 0; w < kLoaders / 32; w++) {
      const int* words = scratch + w * kWords;
      for (int r = first; r <= last; r++) {
        all.add(static_cast<unsigned>(words[1 + r]), words[4 + r],
                words[7] >> kPairBits * r & ((1 << kPairBits) - 1));
      }
    }
    return all;
  }
};

// Writes the table of the offsets in `part`: the inputs from `low` on lie in order, or with low < 0
// every output's neighbour lies at the output's own number.
template <typename G>
__device__ __forceinline__ void write_table(const Neighbors<G>& mine, unsigned part, int low,
                                            unsigned short* table) {
  const bool first_lane = (threadIdx.x & 31) == 0;
#pragma unroll
  for (int j = 0; j < kMostOffsets; j++) {
    if ((part >> by_kernel_row(j) & 1) == 0) {
      continue;
    }
#pragma unroll
    for (int i = 0; i < Neighbors<G>::kEach; i++) {
      const int row = i * kLoaders + threadIdx.x;
      const int input = mine.input[i][by_kernel_row(j)];
      int slot = input < 0 ? -1 : low < 0 ? row : input - low;
      // Eight rows are read without bank conflicts if their numbers differ modulo 8, so the row of
      // zeros is the one that would go on from the row before.
      const int before = __shfl_up_sync(kFullWarp, slot, 1);
      const int next = low < 0 || before < 0 || first_lane ? row : before + 1;
      slot = slot < 0 ? G::kSlots - kZeroRows + (next & 7) : slot;
      table[j * G::kRows + row] = static_cast<unsigned short>(packed_at<G::kPacks>(slot, 0) / 16);
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

// Copies the rows of the neighbours at the one offset in `part`; a warp those of its own lanes.
template <typename G>
__device__ __forceinline__ void gather_rows(const char* x, int64 row_bytes,
                                            const Neighbors<G>& mine, unsigned part, int chunk,
                                            unsigned rows) {
  constexpr int kStep = 32 / G::kPacks;  // rows of a round
  constexpr int kBatch = G::kPacks > 2 ? G::kPacks / 2 : 2;
  const int lane = threadIdx.x & 31;
  const int pack = lane % G::kPacks;
  const int64 at = int64(chunk * G::kPacks + pack) * 16;
  const bool valid = at < row_bytes;
#pragma unroll
  for (int i = 0; i < Neighbors<G>::kEach; i++) {
    int own = -1;
#pragma unroll
    for (int k = 0; k < kMostOffsets; k++) {
      own = part >> k & 1 ? mine.input[i][k] : own;
    }
    const int first = lane / G::kPacks;
#pragma unroll 1  // addresses held for more copies would spill
    for (int batch = 0; batch < G::kPacks; batch += kBatch) {
      int input[kBatch];
#pragma unroll
      for (int round = 0; round < kBatch; round++) {
        input[round] = __shfl_sync(kFullWarp, own, (batch + round) * kStep + first);
      }
#pragma unroll
      for (int round = 0; round < kBatch; round++) {
        if (input[round] >= 0) {
          const int row =
              i * kLoaders + (threadIdx.x & ~31) + (batch + round) * kStep + first;
          copy_16_bytes(rows + packed_at<G::kPacks>(row, pack),
                        x + static_cast<int64>(input[round]) * row_bytes + (valid ? at : 0), valid);
        }
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

// A loader's outputs of the next tiles. Sites are asked for two tiles ahead, and one ahead their
// masks and places in the map, whose neighbours are then brought into the L2: no loader waits for a
// chain of loads from device memory.
template <typename G>
struct TileReader {
  static constexpr int kEach = Neighbors<G>::kEach;
  const int64* __restrict__ pointers;
  const int* __restrict__ masks;
  const int* __restrict__ inputs;
  const int* __restrict__ order;
  int64 outputs;
  int site[kEach];
  unsigned mask[kEach];
  const int* list[kEach];

  __device__ __forceinline__ void ask_sites(int64 tile) {
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      const int64 place = tile * G::kRows + i * kLoaders + threadIdx.x;
      site[i] = place >= outputs ? -1 : order == nullptr ? static_cast<int>(place) : order[place];
    }
  }

  __device__ __forceinline__ void ask_masks() {
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      mask[i] = site[i] < 0 ? 0 : static_cast<unsigned>(masks[site[i]]);
      list[i] = inputs + (site[i] < 0 ? 0 : pointers[site[i]]);
    }
  }

  __device__ __forceinline__ void read(Neighbors<G>& neighbors) const {
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      neighbors.mask[i] = mask[i];
      const int* next = list[i];
#pragma unroll
      for (int k = 0; k < kMostOffsets; k++) {
        neighbors.input[i][k] = mask[i] >> k & 1 ? *next++ : -1;
      }
    }
  }

  __device__ __forceinline__ void prefetch_neighbors() const {
#pragma unroll
    for (int i = 0; i < kEach; i++) {
      if (mask[i] != 0) {
        prefetch(list[i]);
      }
    }
  }
};

template <typename G>
__device__ __forceinline__ void load_tiles(const TensorStages<G>& s, const char* x,
                                           const char* weights, TileReader<G>& reader, int offsets,
                                           int chunks, int64 row_bytes) {
  constexpr int kCapacity = G::kSlots - kZeroRows;
  const int64 tiles = (reader.outputs + G::kRows - 1) / G::kRows;
  const bool resident = offsets * chunks <= s.weight_stages;
  if (resident) {
    for (int block = 0; block < offsets * chunks; block++) {
      load_weights<G>(weights + static_cast<int64>(block) * G::kWeightBytes,
                      s.weights + block * G::kWeightBytes, s.weight_full_of(block));
    }
  }
  const int64 step = gridDim.x;
  reader.ask_sites(blockIdx.x);
  reader.ask_masks();
  reader.ask_sites(blockIdx.x + step);
  Neighbors<G> mine;
  Survey survey;
  RingPlace place;
  RingPlace weight_place;
  int turn = 0;
  for (int64 tile = blockIdx.x; tile < tiles; tile += step) {
    reader.read(mine);
    reader.ask_masks();
    reader.ask_sites(tile + 2 * step);
    survey.take(mine, s.scratch + turn * (kLoaders / 32) * Survey::kWords);
    turn ^= 1;
    const unsigned all = survey.offsets();
    const InputRange hull = survey.range(0, kKernelRows - 1);
    const bool whole = hull.length() <= kCapacity && hull.length() <= hull.pairs;
    for (int chunk = 0; chunk < chunks; chunk++) {
      unsigned rest = all;
      do {
        unsigned part = rest;
        int low = static_cast<int>(hull.least);
        int count = hull.length();
        if (!whole) {
          const int r = (rest & kKernelRow) != 0 ? 0 : (rest & kKernelRow << 1) != 0 ? 1 : 2;
          part &= kKernelRow << r;
          const InputRange range = survey.range(r, r);
          low = static_cast<int>(range.least);
          count = range.length();
          if (count > kCapacity || count > range.pairs) {
            part &= -part;
            low = -1;
          }
        }
        rest &= ~part;

        wait_for_phase(s.empty_of(place.stage), place.round ^ 1);
        const unsigned rows = s.rows + place.stage * G::kStageBytes;
        if (low < 0) {
          gather_rows<G>(x, row_bytes, mine, part, chunk, rows);
        } else {
          copy_range<G>(x, row_bytes, low, count, chunk, rows);
        }
        arrive_when_copied(s.full_of(place.stage));
        write_table<G>(mine, part, low, s.tables + place.stage * (G::kTableBytes / 2));
        if (threadIdx.x == 0) {
          s.notes[place.stage] = static_cast<int>(part) | chunk << kChunkShift |
                                 (rest == 0 && chunk == chunks - 1 ? kLast : 0);
        }
        arrive(s.full_of(place.stage));
        place.advance(s.stages);

        for (int j = 0; !resident && j < offsets; j++) {
          if (part >> by_kernel_row(j) & 1) {
            wait_for_phase(s.weight_empty_of(weight_place.stage), weight_place.round ^ 1);
            load_weights<G>(weights + static_cast<int64>(chunk * offsets + j) * G::kWeightBytes,
                            s.weights + weight_place.stage * G::kWeightBytes,
                            s.weight_full_of(weight_place.stage));
            weight_place.advance(s.weight_stages);
          }
        }
      } while (rest != 0);
    }
    reader.prefetch_neighbors();
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

  // One step of the fragments of this warp's 16 rows of block m; `row` is the address of the first
  // pack of row lane % 16, for the lanes from 16 on of the second one.
  __device__ __forceinline__ void load(int m, int step, unsigned row) {
    load_blocks(a[m][step], row ^ 32 * step);
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

  // sum[m] += rows · weights, by a warpgroup; row as in load. Returns while products are under way.
  __device__ __forceinline__ void multiply_by_warpgroup(int m, unsigned row, uint64 weights) {
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      load(m, step, row);
    }
    hold(m);
    begin_products();
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
      WarpgroupProduct<typename G::T, G::kColumns>::add(sum[m], a[m][step], weights + 2 * step);
    }
    commit_products();
  }

  // All blocks' sums += rows · weights, by each warp; rows as in load.
  __device__ __forceinline__ void multiply_by_warp(const unsigned (&rows)[G::kBlocks],
                                                   unsigned weights) {
    const int lane = threadIdx.x & 31;
#pragma unroll
    for (int step = 0; step < kSteps; step++) {
#pragma unroll
      for (int m = 0; m < G::kBlocks; m++) {
        load(m, step, rows[m]);
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
  const unsigned half = lane & 16;
  TensorSums<G> sums;
  bool first = true;  // resident weights are waited for once
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
      const int chunk_stage = (note >> kChunkShift) * offsets;
#pragma unroll
      for (int j = 0; j < kMostOffsets; j++) {
        if ((note >> by_kernel_row(j) & 1) == 0) {
          continue;
        }
        const int weight_stage = resident ? chunk_stage + j : weight_place.stage;
        if (!resident || first) {
          wait_for_phase(s.weight_full_of(weight_stage), resident ? 0 : weight_place.round);
        }
        const unsigned weights = s.weights + weight_stage * G::kWeightBytes;
        if (kWarpgroupProducts) {
          const uint64 tile_of_weights = describe_tile<G::kPacks>(weights);
#pragma unroll
          for (int m = 0; m < G::kBlocks; m++) {
            const unsigned row = rows + table[j * G::kRows + 64 * m] * 16 ^ half;
            wait_for_products<G::kBlocks - 1>();
            sums.hold(m);
            sums.multiply_by_warpgroup(m, row, tile_of_weights);
          }
        } else {
          unsigned row[G::kBlocks];
#pragma unroll
          for (int m = 0; m < G::kBlocks; m++) {
            row[m] = rows + table[j * G::kRows + 64 * m] * 16 ^ half;
          }
          sums.multiply_by_warp(row, weights);
        }
        if (!resident) {
          // All products but those of this round have been waited for.
          const int done = kWarpgroupProducts ? held : weight_stage;
          if (done >= 0) {
            arrive(s.weight_empty_of(done));
          }
          held = weight_stage;
          weight_place.advance(s.weight_stages);
        }
      }
      arrive(s.empty_of(place.stage));
      place.advance(s.stages);
    } while ((note & kLast) == 0);
    first = false;
    wait_for_products<0>();
    sums.hold_sums();
    if (kWarpgroupProducts && held >= 0) {
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
    // Every thread arrives for itself: the arrival of one lane after __syncwarp would cover its whole
    // warp, but racecheck does not follow that.
    constexpr int kComputing = 128 * G::kWarpgroups;
    for (int stage = 0; stage < stages; stage++) {
      init_barrier(s.full_of(stage), 2 * kLoaders);  // copies, and the table
      init_barrier(s.empty_of(stage), kComputing);
    }
    for (int stage = 0; stage < weight_stages; stage++) {
      init_barrier(s.weight_full_of(stage), kWarpgroupProducts ? 1 : kLoaders);
      init_barrier(s.weight_empty_of(stage), kComputing);
    }
    publish_barriers();
  }
  __syncthreads();
  // The same for a whole warp, which the compiler sees: else each role's values take registers of
  // the other's.
  const int warp = __shfl_sync(kFullWarp, threadIdx.x / 32, 0);
  if (warp < kLoaders / 32) {
    if (G::kGrown > 0) {
      shrink_registers<88>();
    }
    const char* blocks = reinterpret_cast<const char*>(weights) +
                         static_cast<int64>(blockIdx.y) * offsets * chunks * G::kWeightBytes;
    TileReader<G> reader;
    reader.pointers = pointers;
    reader.masks = masks;
    reader.inputs = inputs;
    reader.order = order;
    reader.outputs = outputs;
    load_tiles<G>(s, reinterpret_cast<const char*>(x), blocks, reader, offsets, chunks,
                  static_cast<int64>(row_packs) * 16);
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
