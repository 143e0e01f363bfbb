// Architectures: compute_80
// The first layer's convolution, of input 1 at every site, with bf16 features, by products with the
// masks' bits (common/ones_products.cuh). Contract:
// autosparse.engine.operators.SparseConvolutionOperators.
//
// Entries named _9 take up to 16 offsets, _25 up to 32; _narrow loads rows of up to 32 channels.
// Launch:  forward 256 threads, 512 sites by 128 channels a block; backward 128 threads, (slices,
//          ceil(C / 128)), narrow ceil(C / 32).
// Shared:  forward none; backward 32 KB at most.
// FLOPs:   forward 128·N·C with both parts of each weight, backward 64·N·C, on tensor cores.
// Bytes:   2·N·C + 4·N.
// Bound:   device memory.
//
// Measured (H200, medians of device time, band of 999,979 sites; floor: bytes at the same run's copy,
// 4.2 TB/s; backward with sum_partials):
//            5x5, C = 128     C = 32           3x3, C = 128     C = 32
//   forward  .088 (.062)      .031 (.016)      .074 (.062)      .023 (.016)
//   backward .091 (.062)      .040 (.016)      .085 (.062)      .038 (.016)
// Tried: forward without loading the next masks ahead, 1,024 sites a block .118; backward loading a
// whole group of 32 sites before using it .090.
#include "common/ones_products.cuh"

using namespace autosparse;

#define ONES_FORWARD(name, depth)                                                                  \
  extern "C" __global__ void __launch_bounds__(kOnesProductThreads)                                \
      name(const int* masks, const float* weight, int64 sites, int offsets, int fan_out, int relu, \
           bf16* y) {                                                                              \
    ones_forward_product<depth>(masks, weight, sites, offsets, fan_out, relu != 0, y);             \
  }

ONES_FORWARD(ones_forward_9_bf16, 1)
ONES_FORWARD(ones_forward_25_bf16, 2)

#define ONES_BACKWARD(name, tiles, vector, across)                                                 \
  extern "C" __global__ void __launch_bounds__(kOnesGradientThreads, 3)                            \
      name(const int* masks, const bf16* dz, int64 sites, int offsets, int fan_out,                \
           float* partials) {                                                                      \
    ones_backward_product<tiles, vector, across>(masks, dz, sites, offsets, fan_out, partials);    \
  }

ONES_BACKWARD(ones_backward_9_bf16, 1, 8, 2)
ONES_BACKWARD(ones_backward_25_bf16, 2, 8, 2)
ONES_BACKWARD(ones_backward_9_narrow_bf16, 1, 4, 1)
ONES_BACKWARD(ones_backward_25_narrow_bf16, 2, 4, 1)
