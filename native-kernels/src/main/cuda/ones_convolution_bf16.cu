// Architectures: compute_80
// The first layer's convolution, of input 1 at every site, with bf16 features.
// Contract: autosparse.engine.operators.SparseConvolutionOperators.
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
