// Rows of a bf16 tensor as operands of tensor-core products, straight from device memory: a lane
// loads 16 neighbouring bytes of a row, and these are its operands as they are.
//
// In m16n8k16 a lane (g = lane / 4, t = lane % 4) holds elements 2t, 2t+1, 2t+8 and 2t+9 along the
// summed index of rows g and g+8 of A, and of column g of B (PTX ISA). A sum does not mind its
// order: where channels are summed, a lane may hold any of them, so long as A and B agree, so it
// holds neighbouring ones. A word is two channels; words of lane t of a row (kWords = 2):
// channels 4t to 4t+3; kWords = 4: 8t to 8t+7; kWords = 8 and 16: 8t to 8t+7 of every 32.
//
// Where rows are summed, B has to be transposed: movmatrix takes word w of the rows 8i to 8i+7 (an
// 8x8 matrix: row g, columns 2t and 2t+1) and returns rows 2t and 2t+1 of column g. Sums over such
// words are again word w of a row, so that results are stored 16 bytes a lane, and nothing passes
// through shared memory.
#pragma once

#include "bfloat16.cuh"
#include "rows.cuh"

namespace autosparse {

// Word w of the rows 8i + g, i < kGroups.
template <int kGroups, int kWords>
using RowFragments = unsigned[kGroups][kWords];

template <int kWords>
constexpr int kWordsOfLoad = kWords < 4 ? kWords : 4;

// First channel of a lane's load; loads of one row are 8 * kWordsOfLoad channels apart.
template <int kWords>
__device__ __forceinline__ int first_channel(int lane) {
  return 2 * kWordsOfLoad<kWords> * (lane % 4);
}

// Rows 0 to rows - 1 of a head of d channels, zeros beyond; `distance` elements lie between rows.
// kWhole: rows are aligned to a load, and d fills loads.
template <bool kWhole, int kGroups, int kWords>
__device__ __forceinline__ void load_fragments(const bf16* head, int distance, int rows, int d,
                                               int lane, RowFragments<kGroups, kWords>& to) {
  constexpr int kLoad = kWordsOfLoad<kWords>;
  const bf16* row = head + (lane / 4) * distance + first_channel<kWords>(lane);
#pragma unroll
  for (int i = 0; i < kGroups; i++) {
    const int left = 8 * i + lane / 4 < rows ? d - first_channel<kWords>(lane) : 0;
#pragma unroll
    for (int load = 0; load < kWords / kLoad; load++) {
      const bf16* from = row + load * 8 * kLoad;
      unsigned* word = to[i] + load * kLoad;
      if (kWhole) {
        if (load * 8 * kLoad < left) {
          if (kLoad == 4) {
            const uint4 four = *reinterpret_cast<const uint4*>(from);
            word[0] = four.x;
            word[1] = four.y;
            word[2] = four.z;
            word[3] = four.w;
          } else {
            const uint2 two = *reinterpret_cast<const uint2*>(from);
            word[0] = two.x;
            word[1] = two.y;
          }
        } else {
#pragma unroll
          for (int w = 0; w < kLoad; w++) word[w] = 0;
        }
      } else {
        const unsigned short* bits = reinterpret_cast<const unsigned short*>(from);
#pragma unroll
        for (int w = 0; w < kLoad; w++) {
          const int c = load * 8 * kLoad + 2 * w;
          word[w] = c < left ? bits[2 * w] : 0;
          word[w] |= c + 1 < left ? static_cast<unsigned>(bits[2 * w + 1]) << 16 : 0;
        }
      }
    }
    row += 8 * distance;
  }
}

// The inverse of load_fragments: rows and channels beyond the ends are not written.
template <bool kWhole, int kGroups, int kWords>
__device__ __forceinline__ void store_fragments(const RowFragments<kGroups, kWords>& from,
                                                bf16* head, int distance, int rows, int d,
                                                int lane) {
  constexpr int kLoad = kWordsOfLoad<kWords>;
  bf16* row = head + (lane / 4) * distance + first_channel<kWords>(lane);
#pragma unroll
  for (int i = 0; i < kGroups; i++) {
    const int left = 8 * i + lane / 4 < rows ? d - first_channel<kWords>(lane) : 0;
#pragma unroll
    for (int load = 0; load < kWords / kLoad; load++) {
      bf16* target = row + load * 8 * kLoad;
      const unsigned* word = from[i] + load * kLoad;
      if (kWhole) {
        if (load * 8 * kLoad < left) {
          if (kLoad == 4) {
            *reinterpret_cast<uint4*>(target) = make_uint4(word[0], word[1], word[2], word[3]);
          } else {
            *reinterpret_cast<uint2*>(target) = make_uint2(word[0], word[1]);
          }
        }
      } else {
        unsigned short* bits = reinterpret_cast<unsigned short*>(target);
#pragma unroll
        for (int w = 0; w < kLoad; w++) {
          const int c = load * 8 * kLoad + 2 * w;
          if (c < left) bits[2 * w] = static_cast<unsigned short>(word[w]);
          if (c + 1 < left) bits[2 * w + 1] = static_cast<unsigned short>(word[w] >> 16);
        }
      }
    }
    row += 8 * distance;
  }
}

// Two floats rounded to bf16, the first in the low half.
__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
  unsigned word;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  return word;
}

__device__ __forceinline__ float low_of(unsigned word) { return __uint_as_float(word << 16); }

__device__ __forceinline__ float high_of(unsigned word) {
  return __uint_as_float(word & 0xffff0000u);
}

// Of an 8x8 matrix of which a lane holds (g, 2t) and (g, 2t + 1): (2t, g) and (2t + 1, g).
__device__ __forceinline__ unsigned transpose_8x8(unsigned word) {
  unsigned turned;
  asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(turned) : "r"(word));
  return turned;
}

// c += a·b, 16x8 of depth 16, fp32 sums.
__device__ __forceinline__ void add_product(float (&c)[4], unsigned a0, unsigned a1, unsigned a2,
                                            unsigned a3, unsigned b0, unsigned b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// Products of the rows g and g + 8 (two groups of fragments) with the rows of `others`, over the
// channels: [row, other] = c[other / 8] as m16n8k16 has it.
template <int kGroups, int kWords>
__device__ __forceinline__ void row_products(const unsigned (&low)[kWords],
                                             const unsigned (&high)[kWords],
                                             const RowFragments<kGroups, kWords>& others,
                                             float (&c)[kGroups][4]) {
#pragma unroll
  for (int n = 0; n < kGroups; n++) {
    c[n][0] = c[n][1] = c[n][2] = c[n][3] = 0;
#pragma unroll
    for (int w = 0; w < kWords; w += 2) {
      add_product(c[n], low[w], high[w], low[w + 1], high[w + 1], others[n][w], others[n][w + 1]);
    }
  }
}

// Sum and maximum over the four lanes that hold a row's columns, in each of them.
__device__ __forceinline__ float row_sum(float value) {
  value += __shfl_xor_sync(kAllLanes, value, 1);
  return value + __shfl_xor_sync(kAllLanes, value, 2);
}

__device__ __forceinline__ float row_maximum(float value) {
  value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, 1));
  return fmaxf(value, __shfl_xor_sync(kAllLanes, value, 2));
}

// A matrix of 16 rows and 8·kGroups columns as operand A, from sums as m16n8k16 has them, in bf16
// halves: `high` alone has a relative error of 2^-9, with `low` (kExact) it is 2^-17, for twice the
// products.
template <int kGroups, bool kExact>
struct Weights {
  unsigned high[kGroups][2];
  unsigned low[kExact ? kGroups : 1][2];

  __device__ __forceinline__ void set(const float (&c)[kGroups][4]) {
#pragma unroll
    for (int n = 0; n < kGroups; n++) {
#pragma unroll
      for (int r = 0; r < 2; r++) {
        const float x = c[n][2 * r];
        const float y = c[n][2 * r + 1];
        high[n][r] = pack_bf16(x, y);
        if (kExact) low[n][r] = pack_bf16(x - low_of(high[n][r]), y - high_of(high[n][r]));
      }
    }
  }

  // sum += columns 16·step to 16·step + 15 of this times rows (b0: the first 8, b1) of B.
  __device__ __forceinline__ void multiply(int step, unsigned b0, unsigned b1,
                                           float (&sum)[4]) const {
    const int n = 2 * step;
    add_product(sum, high[n][0], high[n][1], high[n + 1][0], high[n + 1][1], b0, b1);
    if (kExact) add_product(sum, low[n][0], low[n][1], low[n + 1][0], low[n + 1][1], b0, b1);
  }
};

// Operand A of the transposed matrix: columns 16·step to 16·step + 15 of the words become rows.
template <int kGroups>
__device__ __forceinline__ void turn(const unsigned (&words)[kGroups][2], int step,
                                     unsigned (&a)[4]) {
  a[0] = transpose_8x8(words[2 * step][0]);
  a[1] = transpose_8x8(words[2 * step + 1][0]);
  a[2] = transpose_8x8(words[2 * step][1]);
  a[3] = transpose_8x8(words[2 * step + 1][1]);
}

}  // namespace autosparse
