// Architectures: compute_80 sm_90a
// Weight gradient of a sparse convolution of bf16 features on tensor cores, fp32 sums.
// Contract: autosparse.engine.operators.SparseConvolutionOperators.
//
// An entry is one geometry of common/gradient_tiles.cuh, in which all warps gather and multiply in
// turn, or (compute capability 9.0) of common/gradient_groups.cuh, in which some gather and others
// multiply. SparseGradientKernels chooses by channel counts and states the same geometry.
// gradient_any takes channel counts and alignments of any kind.
// Launch:  256 threads, groups 384 (32->32: 512); grid (groups of offsets, slices, tiles of
//          channels), one block a multiprocessor.
// Shared:  kSharedBytes of the geometry, dynamic.
// FLOPs:   2·pairs·C_in·C_out; 128x128 by wgmma 2·K·N·C_in·C_out, missing neighbours being zeros.
// Bytes:   2·N·(C_in + C_out) + 12·N + 4·pairs from device memory; 2·pairs·C_in into shared memory
//          (128x128 by wgmma 2·K·N·C_in), for each group of offsets 2·N·C_out.
// Bound:   gathering into shared memory.
//
// Measured (H200, medians of device time with sum_partials, 3x3, slices of 132 blocks in all; the
// card's copy 4.2 TB/s in the same run); what an H200 runs first:
//   pattern              C       ms    TFLOP/s    the other kernel
//   band, 999,979     32->32    .173    96        tiles .19
//   8.11 neighbours   32->128   .37    180        tiles .73
//                     64->64    .45    148        tiles .66
//                    128->32    .67     99        groups .75
//                    128->128   .64    415        groups 1.30
//   R-MAT, 913,301   128->128   .58     67
//   1.31 neighbours
// Tried for 128->128: mma.sync instead of wgmma 1.34; 4 or 6 stages .65, .64; stages of 64 sites
// .78; 88 slices .65. For 32->32 by tiles: 264 slices .20, three stages .21, outputs in natural
// order .20.
#include "common/gradient_groups.cuh"
#include "common/gradient_tiles.cuh"

using namespace autosparse;

#define GRADIENT(name, geometry, body)                                                             \
  extern "C" __global__ void __launch_bounds__(geometry::kThreads, 1)                              \
      name(const bf16* x, const bf16* dz, const int64* pointers, const int* masks,                 \
           const int* inputs, const int* order, int64 outputs, int offsets, int fan_in,            \
           int fan_out, float* partials) {                                                         \
    body<geometry>(x, dz, pointers, masks, inputs, order, outputs, offsets, fan_in, fan_out,       \
                   partials);                                                                      \
  }

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
//                             tile offsets            groups own  sites stages loaders registers
using Gradient32 = GradientGroups<32, 32, 9, Role::kShares, 64, 4, 256, 0, 0>;
using Gradient32x128 = GradientGroups<32, 128, 9, Role::kColumnGroups, 64, 4, 128, 104, 200>;
using Gradient64 = GradientGroups<64, 64, 9, Role::kOffsetGroups, 32, 5, 128, 104, 200>;

GRADIENT(gradient_32_bf16, Gradient32, gradient_of_groups)
GRADIENT(gradient_32x128_bf16, Gradient32x128, gradient_of_groups)
GRADIENT(gradient_64_bf16, Gradient64, gradient_of_groups)

//                               tile  offsets warp's sites stages chunk
using Gradient128x32 = GradientTiles<128, 32, 9, 16, 32, 16, 5, 256, true, false>;
using Gradient128 = GradientTiles<128, 128, 3, 16, 128, 32, 5, 256, true, true>;
#else
//                             tile offsets warp's sites stages chunk
using Gradient32 = GradientTiles<32, 32, 9, 16, 32, 64, 2, 128, true, false>;
using Gradient64 = GradientTiles<64, 32, 9, 16, 32, 32, 2, 128, true, false>;
using Gradient128x32 = GradientTiles<128, 32, 9, 16, 32, 16, 2, 128, true, false>;
using Gradient128 = GradientTiles<128, 128, 3, 64, 32, 32, 2, 128, true, false>;

GRADIENT(gradient_32_bf16, Gradient32, gradient_of_tiles)
GRADIENT(gradient_64_bf16, Gradient64, gradient_of_tiles)
#endif
using GradientAny = GradientTiles<32, 32, 9, 16, 32, 64, 2, 128, false, false>;

GRADIENT(gradient_128x32_bf16, Gradient128x32, gradient_of_tiles)
GRADIENT(gradient_128_bf16, Gradient128, gradient_of_tiles)
GRADIENT(gradient_any_bf16, GradientAny, gradient_of_tiles)
