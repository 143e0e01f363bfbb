// Sparse convolution in fp32: forward and dgrad (common/implicit_gemm.cuh), wgrad
// (common/weight_gradient.cuh) and the first layer on constant input (common/ones_convolution.cuh).
// Contract: autosparse.engine.operators.SparseConvolutionOperators.
//
// An entry is one geometry of its template; SparseConvolutionKernels chooses by channel counts and
// states the same geometry. Entries named _any take channel counts and alignments of any kind.
// Launch:  convolution: kThreads threads, a block kRows outputs by kColumns channels; wgrad: 256
//          threads, grid (K, slices, tiles of channels); ones: 256, backward 128.
// Shared:  convolution: kStages·kStageElements elements + 4·(K + 1)·kRows bytes, dynamic; wgrad:
//          kStages·kStageElements elements, dynamic, and 8.3 KB.
// FLOPs:   2·pairs·C_in·C_out each of forward, dgrad, wgrad; ones: 5·N·C forward, 25·N·C backward.
// Bytes:   forward 4·N·(C_in + C_out) + 12·N + 4·pairs from device memory, 4·pairs·C_in from the
//          L2; wgrad 4·pairs·(C_in + C_out) from the L2; ones 4·N·(1 + C).
// Bound:   fp32 multiply-adds for 3 neighbours and 32 channels or more, else memory; ones: memory
//          forward, additions backward.
//
// Measured (H100 80GB HBM3, medians of device time, 3x3, fp32; the card's ceilings in the same run:
// copy 3.0 TB/s, FFMA 64 TFLOP/s; floor = the larger of bytes and FLOPs at those):
//   pattern              C      forward floor  dgrad  wgrad   forward TFLOP/s
//   band, 999,979     32->32      .59   .26    .59    .78     28
//   8.11 neighbours  128->128    7.47  4.14   7.47   6.65     36
//   R-MAT, 913,895    32->32      .16   .083   .17    .27     15
//   1.32 neighbours  128->128    1.34   .61   1.34   1.59     29
//   ones 5x5 1->128, band: forward .23 (floor .17), backward .55 (.17).
// Tried: outputs in natural order instead of sorted by mask: band .64 and 8.24, R-MAT .42 and 4.69.
// For 128 channels 128x128 tiles of 256 threads: 7.94; for 32 channels 256x32 tiles: .60, three
// stages deep .64, 64x32 tiles: .66. 64 slices of the weight gradient instead of 227: 7.9.
#include "common/implicit_gemm.cuh"
#include "common/ones_convolution.cuh"
#include "common/quads.cuh"
#include "common/types.cuh"
#include "common/weight_gradient.cuh"

using namespace autosparse;

#define CONVOLUTION(name, tiling, blocks)                                                          \
  extern "C" __global__ void __launch_bounds__(tiling::kThreads, blocks)                           \
      name(const tiling::T* x, const tiling::T* weight, const int64* pointers, const int* masks,   \
           const int* inputs, const int* order, int64 outputs, int offsets, int fan_in,            \
           int fan_out, int relu, tiling::T* y) {                                                  \
    implicit_gemm<tiling>(x, weight, pointers, masks, inputs, order, outputs, offsets, fan_in,     \
                          fan_out, relu != 0, y);                                                  \
  }

//                         rows columns depth  thread tile stages
using Columns128 = GemmTiling<float, 64, 128, 16, 8, 8, 3, true>;
using Columns64 = GemmTiling<float, 128, 64, 16, 8, 8, 3, true>;
using Columns32 = GemmTiling<float, 128, 32, 32, 8, 4, 2, true>;
using Columns32Depth8 = GemmTiling<float, 128, 32, 8, 8, 4, 3, true>;
using Columns8 = GemmTiling<float, 256, 8, 16, 4, 4, 2, true>;
using Columns8Depth8 = GemmTiling<float, 256, 8, 8, 4, 4, 3, true>;
using ColumnsAny = GemmTiling<float, 128, 32, 8, 4, 4, 2, false>;

CONVOLUTION(convolution_128_f32, Columns128, 3)
CONVOLUTION(convolution_64_f32, Columns64, 3)
CONVOLUTION(convolution_32_f32, Columns32, 4)
CONVOLUTION(convolution_32_depth_8_f32, Columns32Depth8, 4)
CONVOLUTION(convolution_8_f32, Columns8, 4)
CONVOLUTION(convolution_8_depth_8_f32, Columns8Depth8, 4)
CONVOLUTION(convolution_any_f32, ColumnsAny, 2)

#define WEIGHT_GRADIENT(name, tiling)                                                              \
  extern "C" __global__ void __launch_bounds__(tiling::kThreads, 2)                                \
      name(const tiling::T* x, const tiling::T* dz, const int64* pointers, const int* masks,       \
           const int* inputs, int64 outputs, int fan_in, int fan_out, float* partials) {           \
    weight_gradient<tiling>(x, dz, pointers, masks, inputs, outputs, fan_in, fan_out, partials);   \
  }

//                                C_in C_out thread columns, pairs, stages
using Gradient128x128 = GradientTiling<float, 128, 128, 8, 16, 3, true>;
using Gradient128x32 = GradientTiling<float, 128, 32, 4, 32, 2, true>;
using Gradient32x128 = GradientTiling<float, 32, 128, 8, 32, 2, true>;
using Gradient32x32 = GradientTiling<float, 32, 32, 4, 64, 3, true>;
using GradientAny = GradientTiling<float, 32, 32, 4, 64, 2, false>;

WEIGHT_GRADIENT(weight_gradient_128_128_f32, Gradient128x128)
WEIGHT_GRADIENT(weight_gradient_128_32_f32, Gradient128x32)
WEIGHT_GRADIENT(weight_gradient_32_128_f32, Gradient32x128)
WEIGHT_GRADIENT(weight_gradient_32_32_f32, Gradient32x32)
WEIGHT_GRADIENT(weight_gradient_any_f32, GradientAny)

// total[e] += partials[0][e] + … + partials[slices-1][e]: a block adds 32 elements, its eight warps
// every eighth slice, and the warps' sums in their order.
extern "C" __global__ void __launch_bounds__(256)
    sum_partials(const float* __restrict__ partials, int slices, int64 elements, float* total) {
  __shared__ float warp_sums[8][32];
  const int warp = threadIdx.x / 32;
  const int lane = threadIdx.x & 31;
  const int64 e = static_cast<int64>(blockIdx.x) * 32 + lane;
  float sum = 0;
  if (e < elements) {
#pragma unroll 8
    for (int slice = warp; slice < slices; slice += 8) {
      sum += partials[slice * elements + e];
    }
  }
  warp_sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0 && e < elements) {
    for (int w = 1; w < 8; w++) {
      sum += warp_sums[w][lane];
    }
    total[e] += sum;
  }
}

// turned[k, o, i] = weight[k', i, o], k' being the mirrored offset of a submanifold kernel, else k.
extern "C" __global__ void __launch_bounds__(256)
    turn_weights_f32(const float* __restrict__ weight, int offsets, int fan_in, int fan_out,
                     int mirrored, float* turned) {
  const int64 e = grid_thread();
  if (e >= static_cast<int64>(offsets) * fan_in * fan_out) {
    return;
  }
  const int64 i = e % fan_in;
  const int64 o = e / fan_in % fan_out;
  const int64 k = e / fan_in / fan_out;
  turned[e] = weight[((mirrored ? offsets - 1 - k : k) * fan_in + i) * fan_out + o];
}

extern "C" __global__ void __launch_bounds__(kOnesThreads)
    ones_forward_f32(const int* masks, const float* weight, int64 sites, int offsets, int fan_out,
                     int relu, float* y) {
  ones_forward<float>(masks, weight, sites, offsets, fan_out, relu != 0, y);
}

extern "C" __global__ void __launch_bounds__(kOnesBackwardThreads)
    ones_backward_9_f32(const int* masks, const float* dz, int64 sites, int offsets, int fan_out,
                        float* partials) {
  ones_backward<float, 9>(masks, dz, sites, offsets, fan_out, partials);
}

extern "C" __global__ void __launch_bounds__(kOnesBackwardThreads)
    ones_backward_25_f32(const int* masks, const float* dz, int64 sites, int offsets, int fan_out,
                         float* partials) {
  ones_backward<float, 25>(masks, dz, sites, offsets, fan_out, partials);
}
