// Matrix products of bf16 with fp32 sums whose operands lie in shared memory with the summed index
// as the row: row p of the tiles of A and of B holds what pair p contributes. Hence transposed loads
// (ldmatrix.trans, sm_80) or operands that are major along M and N (wgmma, sm_90a only).
//
// Fragments (PTX ISA, m16n8k16): g = lane / 4, t = lane % 4. C: (g, 2t), (g, 2t + 1), (g + 8, 2t),
// (g + 8, 2t + 1). wgmma gives each warp of four 16 rows of the same layout.
//
// Tiles are made of 16-byte packs. A row of 64 channels is 128 bytes and its packs are exchanged by
// an XOR with the row's number, which is wgmma's 128-byte swizzle; rows of 32 channels by the
// number of their pair. Either way eight rows' equal packs lie in 32 different banks.
#pragma once

#include "bfloat16.cuh"
#include "pipeline.cuh"
#include "warpgroups.cuh"

namespace autosparse {

// The tile of kRows rows of kWidth channels, at most 64 of them side by side.
template <int kRows, int kWidth>
struct FragmentTile {
  static constexpr int kBlock = kWidth < 64 ? kWidth : 64;  // channels of one row of 128 bytes
  static constexpr int kBlockPacks = kBlock / 8;
  static constexpr int kElements = kRows * kWidth;

  // Where a pack of eight channels lies, in elements.
  static __device__ __forceinline__ int at(int row, int pack) {
    const int block = pack / kBlockPacks;
    const int within = pack % kBlockPacks;
    const int exchange = kBlock == 64 ? row & 7 : row >> 1 & 3;
    return (block * kRows + row) * kBlock + 8 * (within ^ exchange);
  }
};

// Four 8x8 blocks, each transposed; lane i gives the address of row i % 8 of block i / 8.
__device__ __forceinline__ void load_transposed(unsigned (&a)[4], const bf16* row) {
#if __CUDA_ARCH__ >= 800
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
               : "r"(shared_address_of(row))
               : "memory");
#endif
}

// c += a·b, 16x8 of depth 16.
__device__ __forceinline__ void multiply_16x8(float* c, const unsigned (&a)[4], unsigned b0,
                                              unsigned b1) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// A wgmma operand that is major along its channels, of rows of kBlock of them: `block_bytes` from a
// block of channels to the next, 8 rows from a group of rows to the next.
template <int kBlock>
__device__ __forceinline__ uint64 operand(unsigned address, int block_bytes) {
  constexpr uint64 kSwizzle = kBlock == 64 ? 1 : 2;  // of 128 or of 64 bytes
  return static_cast<uint64>((address & 0x3FFFF) >> 4) |
         static_cast<uint64>(block_bytes >> 4) << 16 |
         static_cast<uint64>(2 * 8 * kBlock >> 4) << 32 | kSwizzle << 62;
}

// Makes finished copies to shared memory that this thread knows of visible to its wgmma.
__device__ __forceinline__ void publish_copies() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// c += a·b of depth 16 by a warpgroup, 64 rows and 32, 64 or 128 columns; runs beside what follows.
#define AUTOSPARSE_SUMS(i)                                                                         \
  "+f"(c[i]), "+f"(c[i + 1]), "+f"(c[i + 2]), "+f"(c[i + 3]), "+f"(c[i + 4]), "+f"(c[i + 5]),      \
      "+f"(c[i + 6]), "+f"(c[i + 7]), "+f"(c[i + 8]), "+f"(c[i + 9]), "+f"(c[i + 10]),             \
      "+f"(c[i + 11]), "+f"(c[i + 12]), "+f"(c[i + 13]), "+f"(c[i + 14]), "+f"(c[i + 15])
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define AUTOSPARSE_MULTIPLY(columns, names, a_name, b_name, ...)                                   \
  asm volatile("{.reg .pred add; setp.ne.b32 add, 1, 0; "                                          \
               "wgmma.mma_async.sync.aligned.m64n" columns "k16.f32.bf16.bf16 "                    \
               "{" names "}, " a_name ", " b_name ", add, 1, 1, 1, 1;}"                            \
               : __VA_ARGS__                                                                       \
               : "l"(a), "l"(b))
#else
#define AUTOSPARSE_MULTIPLY(...)
#endif
#define AUTOSPARSE_16 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
#define AUTOSPARSE_32                                                                              \
  AUTOSPARSE_16 ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define AUTOSPARSE_64                                                                              \
  AUTOSPARSE_32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47" \
                ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"

__device__ __forceinline__ void multiply_by_group(float (&c)[16], uint64 a, uint64 b) {
  AUTOSPARSE_MULTIPLY("32", AUTOSPARSE_16, "%16", "%17", AUTOSPARSE_SUMS(0));
}

__device__ __forceinline__ void multiply_by_group(float (&c)[32], uint64 a, uint64 b) {
  AUTOSPARSE_MULTIPLY("64", AUTOSPARSE_32, "%32", "%33", AUTOSPARSE_SUMS(0), AUTOSPARSE_SUMS(16));
}

__device__ __forceinline__ void multiply_by_group(float (&c)[64], uint64 a, uint64 b) {
  AUTOSPARSE_MULTIPLY("128", AUTOSPARSE_64, "%64", "%65", AUTOSPARSE_SUMS(0), AUTOSPARSE_SUMS(16),
                      AUTOSPARSE_SUMS(32), AUTOSPARSE_SUMS(48));
}

#undef AUTOSPARSE_64
#undef AUTOSPARSE_32
#undef AUTOSPARSE_16
#undef AUTOSPARSE_MULTIPLY
#undef AUTOSPARSE_SUMS

}  // namespace autosparse
