// Architectures: compute_80 sm_90a
// Weight gradient of a sparse convolution of bf16 features on tensor cores, fp32 sums.
// Contract: autosparse.engine.operators.SparseConvolutionOperators.
//
// An entry is one geometry of common/gradient_tiles.cuh; SparseGradientKernels chooses by channel
// counts and states the same geometry.
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
