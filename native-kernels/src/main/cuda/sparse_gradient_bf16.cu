// Architectures: compute_80 sm_90a
// Weight gradient of a sparse convolution of bf16 features on tensor cores, fp32 sums.
// Contract: autosparse.engine.operators.SparseConvolutionOperators.
//
// An entry is one geometry of common/gradient_tiles.cuh; SparseGradientKernels chooses by channel
// counts and states the same geometry. gradient_any takes channel counts and alignments of any kind.
// Launch:  256 threads, grid (groups of offsets, slices, tiles of channels), one block a
//          multiprocessor.
// Shared:  kSharedBytes of the geometry, dynamic.
// FLOPs:   2·pairs·C_in·C_out; warpgroups 2·K·N·C_in·C_out, missing neighbours being zeros.
// Bytes:   2·N·(C_in + C_out) + 12·N + 4·pairs from device memory; 2·K·N·C_in into shared memory, for
//          each group of offsets 2·N·C_out.
// Bound:   gathering into shared memory.
//
// Measured (H200, medians of device time with sum_partials, 3x3, slices of 132 blocks in all; the
// card's copy 4.2 TB/s in the same run):
//   pattern              C       ms    TFLOP/s
//   band, 999,979     32->32    .19     87
//   8.11 neighbours  128->128   .64    415
//                    128->32    .67     99
//                     32->128   .73     91
//                     64->64    .66    100
//   R-MAT, 913,301    32->32    .12     20
//   1.31 neighbours  128->128   .58     67
// Tried for 128->128: mma.sync instead of wgmma 1.34; 4 or 6 stages .65, .64; stages of 64 sites
// .78; 88 slices .65. For 32->32: 264 slices .20, three stages .21, outputs in natural order .20.
#include "common/gradient_tiles.cuh"

using namespace autosparse;

#define GRADIENT(name, tiles)                                                                      \
  extern "C" __global__ void __launch_bounds__(tiles::kThreads, 1)                                 \
      name(const bf16* x, const bf16* dz, const int64* pointers, const int* masks,                 \
           const int* inputs, const int* order, int64 outputs, int offsets, int fan_in,            \
           int fan_out, float* partials) {                                                         \
    gradient_of_tiles<tiles>(x, dz, pointers, masks, inputs, order, outputs, offsets, fan_in,      \
                             fan_out, partials);                                                   \
  }

// Hopper's shared memory holds twice the steps.
constexpr int kDeep = kWarpgroups;

//                              tile    offsets warp's sites  stages        chunk
using Gradient32 = GradientTiles<32, 32, 9, 16, 32, 64, kDeep ? 4 : 2, kDeep ? 256 : 128, true, false>;
using Gradient64 = GradientTiles<64, 32, 9, 16, 32, 32, kDeep ? 4 : 2, kDeep ? 256 : 128, true, false>;
using Gradient128 = GradientTiles<128, 32, 9, 16, 32, 16, kDeep ? 5 : 2, kDeep ? 256 : 128, true, false>;
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
using Gradient128x128 = GradientTiles<128, 128, 3, 16, 128, 32, 5, 256, true, true>;
#else
using Gradient128x128 = GradientTiles<128, 128, 3, 64, 32, 32, 2, 128, true, false>;
#endif
using GradientAny = GradientTiles<32, 32, 9, 16, 32, 64, 2, 128, false, false>;

GRADIENT(gradient_32_bf16, Gradient32)
GRADIENT(gradient_64_bf16, Gradient64)
GRADIENT(gradient_128_bf16, Gradient128)
GRADIENT(gradient_128x128_bf16, Gradient128x128)
GRADIENT(gradient_any_bf16, GradientAny)
