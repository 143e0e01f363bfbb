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

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// Four 8x8 blocks, each transposed; lane i gives the address of row i % 8 of block i / 8.
__device__ __forceinline__ void load_transposed(unsigned (&a)[4], const bf16* row) {
#if __CUDA_ARCH__ >= 800
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
               : "r"(shared_address(row))
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

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
constexpr bool kWarpgroups = true;
#else
constexpr bool kWarpgroups = false;
#endif

// A wgmma operand of 64 channels a block, major along the channels: `block_bytes` from one block to
// the next, 1,024 bytes from eight rows to the next eight. The address is a multiple of 1,024.
__device__ __forceinline__ uint64 operand(unsigned address, int block_bytes) {
  return static_cast<uint64>((address & 0x3FFFF) >> 4) |
         static_cast<uint64>(block_bytes >> 4) << 16 | static_cast<uint64>(1024 >> 4) << 32 |
         1ull << 62;
}

__device__ __forceinline__ void begin_warpgroup_products() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

__device__ __forceinline__ void commit_warpgroup_products() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

template <int kPending>
__device__ __forceinline__ void wait_for_warpgroup_products() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
#endif
}

// Makes this thread's finished copies to shared memory visible to wgmma.
__device__ __forceinline__ void publish_copies() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// c += a·b, 64x128 of depth 16, by a warpgroup; runs beside what follows.
__device__ __forceinline__ void multiply_64x128(float (&c)[64], uint64 a, uint64 b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile(
      "{.reg .pred add; setp.ne.b32 add, 1, 0; "
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
      "{%0, %1, %2, %3, %4, %5, %6, %7, "
      "%8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, "
      "%24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, "
      "%40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, "
      "%56, %57, %58, %59, %60, %61, %62, %63}, %64, %65, add, 1, 1, 1, 1;}"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]),
        "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7]),
        "+f"(c[8]), "+f"(c[9]), "+f"(c[10]), "+f"(c[11]),
        "+f"(c[12]), "+f"(c[13]), "+f"(c[14]), "+f"(c[15]),
        "+f"(c[16]), "+f"(c[17]), "+f"(c[18]), "+f"(c[19]),
        "+f"(c[20]), "+f"(c[21]), "+f"(c[22]), "+f"(c[23]),
        "+f"(c[24]), "+f"(c[25]), "+f"(c[26]), "+f"(c[27]),
        "+f"(c[28]), "+f"(c[29]), "+f"(c[30]), "+f"(c[31]),
        "+f"(c[32]), "+f"(c[33]), "+f"(c[34]), "+f"(c[35]),
        "+f"(c[36]), "+f"(c[37]), "+f"(c[38]), "+f"(c[39]),
        "+f"(c[40]), "+f"(c[41]), "+f"(c[42]), "+f"(c[43]),
        "+f"(c[44]), "+f"(c[45]), "+f"(c[46]), "+f"(c[47]),
        "+f"(c[48]), "+f"(c[49]), "+f"(c[50]), "+f"(c[51]),
        "+f"(c[52]), "+f"(c[53]), "+f"(c[54]), "+f"(c[55]),
        "+f"(c[56]), "+f"(c[57]), "+f"(c[58]), "+f"(c[59]),
        "+f"(c[60]), "+f"(c[61]), "+f"(c[62]), "+f"(c[63])
      : "l"(a), "l"(b));
#endif
}

}  // namespace autosparse
