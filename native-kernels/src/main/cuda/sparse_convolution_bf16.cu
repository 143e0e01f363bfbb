// Sparse convolution of bf16 on tensor cores, forward and dgrad; see common/tensor_convolution.cuh.
// Architectures: compute_80 sm_90a
#include "common/tensor_tilings.cuh"

using namespace autosparse;

TENSOR_CONVOLUTIONS(bf16)
